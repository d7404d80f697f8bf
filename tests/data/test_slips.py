"""Slips of a clerk: each is told with what to do about it, not only refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.samples import SETTINGS, issues_of

FULL_WIDTH = SETTINGS.replace("- {name: 吴江区}", "- {name：吴江区，code：320584}")


@pytest.mark.parametrize("code", ["9.13205E+17", "9.13205e+17", "9E17"])
def test_a_credit_code_that_excel_made_a_number_is_told_as_such(tmp_path: Path, code: str) -> None:
    table = f"企业名称,统一社会信用代码,所在地\n示例甲有限公司,{code},昆山市\n"
    (issue,) = [i for i in issues_of(tmp_path, {"companies.csv": table}) if i.code == "GF140"]
    assert issue.hint is not None
    assert "Excel" in issue.hint and "文本格式" in issue.hint.zh


@pytest.mark.parametrize("code", ["91350100M000100Y4", "9135E", "E17"])
def test_a_short_code_is_not_taken_for_a_number(tmp_path: Path, code: str) -> None:
    table = f"企业名称,统一社会信用代码,所在地\n示例甲有限公司,{code},昆山市\n"
    (issue,) = [i for i in issues_of(tmp_path, {"companies.csv": table}) if i.code == "GF140"]
    assert issue.hint is not None and "Excel" not in issue.hint


def test_full_width_punctuation_in_braces_is_told_as_such(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"gfdocs.yaml": FULL_WIDTH, "companies.yaml": "[]"}
    (issue,) = [i for i in issues_of(tmp_path, files) if i.code == "GF130"]
    assert issue.place.line == 16
    assert issue.hint is not None
    assert "full-width" in issue.hint and "全角" in issue.hint.zh


def test_an_unknown_key_is_no_slip_of_punctuation(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"companies.yaml": "- {name: 示例甲有限公司, distirct: 昆山市}\n"}
    (issue,) = [i for i in issues_of(tmp_path, files) if i.code == "GF130"]
    assert issue.hint is not None and "district" in issue.hint
