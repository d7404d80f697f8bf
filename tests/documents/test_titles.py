"""Titles of the round's documents for each level of a round, and that they agree on every paper that names them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import gfdocs
from tests import ooxml
from tests.folders import EXAMPLES


@pytest.mark.parametrize(
    ("level", "name", "title"),
    [
        ("省级", "江苏省第三批绿色工厂", "江苏省第三批绿色工厂名单（示例市）"),
        ("市级", "示例市第一批绿色工厂", "示例市第一批绿色工厂名单"),
    ],
)
def test_the_list_names_the_city_once_and_alike_everywhere(level: str, name: str, title: str, tmp_path: Path) -> None:
    folder = tmp_path / "round"
    shutil.copytree(EXAMPLES / "demo-district", folder)
    settings = folder / "gfdocs.yaml"
    text = settings.read_text(encoding="utf-8").replace("level: 省级", f"level: {level}")
    settings.write_text(text.replace("江苏省第三批绿色工厂", name), encoding="utf-8")
    project = gfdocs.load(folder)

    assert project.context("list")["document"]["title"] == title
    papers = {
        "notice.docx": ("notice", {}),
        "list.docx": ("list", {}),
        "list.xlsx": ("list", {}),
        "cover.docx": ("cover", {"district": "示范区"}),
    }
    for file, (document, target) in papers.items():
        path = project.render(document, kind=file.rpartition(".")[2], **target).save(tmp_path / file)
        assert title in ooxml.read_text(path), file
