"""What an editor is told agrees with what loading accepts; jsonschema is the judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from gfdocs.data.model import Company, Settings
from gfdocs.data.schema import json_schema
from tests.data.samples import CODE, COMPANY, SETTINGS

ROOT = Path(__file__).resolve().parents[2]


def editor_value(text: str) -> Any:
    """The values as a YAML 1.2 editor sees them: bare dates are texts."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def faults(which: str, text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema(which))
    return [error.message for error in validator.iter_errors(editor_value(text))]


@pytest.mark.parametrize("which", ["project", "companies"])
def test_the_schema_is_a_schema(which: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(which))


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="project"):
        json_schema("x")


GOOD = [
    ("project", SETTINGS),
    ("project", SETTINGS + "deadlines: {annual-table: 2023-02-24}\nattachments: [list]\n报送要求: ~\n"),
    ("companies", COMPANY),
    (
        "companies",
        f"companies:\n- {{企业名称: 示例, 统一社会信用代码: {CODE}, 联系人: 张三, 联系电话: 0512, 培育级别: 省, 下年度重点项目: 光伏}}\n",
    ),
    (
        "companies",
        "企业: [{名称: 示例, 类别: 3A级绿色工厂, 年度: 2022, 生效日期: 2023年2月10日, enrolment: {sound: 是}}]\n",
    ),
]


@pytest.mark.parametrize(("which", "text"), GOOD)
def test_good_files_have_no_red_lines(which: str, text: str) -> None:
    assert faults(which, text) == []


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*/gfdocs.yaml")), ids=lambda path: path.parent.name)
def test_the_settings_of_the_examples_have_no_red_lines(file: Path) -> None:
    assert faults("project", file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "file", sorted((ROOT / "examples").glob("*/companies*.yaml")), ids=lambda path: path.parent.name
)
def test_the_companies_of_the_examples_have_no_red_lines(file: Path) -> None:
    assert faults("companies", file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("which", "text"),
    [
        ("project", SETTINGS.replace("issuer:\n  name: 苏州市工业和信息化局\n", "")),
        ("project", SETTINGS + "atachments: [list]\n"),
        ("companies", "- {district: 昆山市}\n"),
        ("companies", "- {name: 示例, distirct: 昆山市}\n"),
        ("companies", "- {name: 示例, contact: 张三}\n"),
        ("companies", "- {name: 示例, category: 绿色设计产品}\n"),
        ("companies", "- {name: 示例, effective: 2023年}\n"),
    ],
)
def test_faults_have_red_lines(which: str, text: str) -> None:
    assert faults(which, text)


def test_every_field_has_its_chinese_title_and_every_heading_is_a_key() -> None:
    for record, which in ((Settings, "project"), (Company, "companies")):
        schema = json_schema(which)
        properties = schema["properties"] if which == "project" else schema["$defs"]["Company"]["properties"]
        for name, info in record.model_fields.items():
            assert properties[name]["title"] == info.title
            assert info.title in properties
            assert set((info.json_schema_extra or {})["aliases"]) <= set(properties)  # type: ignore[index,arg-type]
