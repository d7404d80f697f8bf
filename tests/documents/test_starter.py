"""The list of companies that `gfdocs new` gives: a workbook that a clerk fills in Excel."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

import gfdocs
from tests import ooxml
from tests.folders import ROOT

LIST = ROOT / "templates" / "starter" / "companies.xlsx"


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_drawing_it_again_gives_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "templates" / "source"))
    import draw_starter

    try:
        (tmp_path / "companies.xlsx").write_bytes(draw_starter.draw()["starter/companies.xlsx"])
    finally:
        for name in ("draw_starter", "draw_xlsx"):
            sys.modules.pop(name, None)
    assert parts(tmp_path / "companies.xlsx") == parts(LIST)


def test_it_is_a_valid_workbook_whose_headings_are_all_read() -> None:
    assert ooxml.find_validation_errors(LIST) == []
    issues: list[gfdocs.Issue] = []
    from gfdocs.data.load import load_companies

    companies = load_companies(LIST, issues=issues)
    assert [str(issue) for issue in issues] == []
    assert [company.name for company in companies][-1] == "示例包装制品有限公司"
    assert companies[-1].status == "培育" and companies[-1].cultivation is not None


def test_every_word_of_a_drop_down_is_taken(tmp_path: Path) -> None:
    """One row for each word: what Excel offers is what gfdocs reads."""
    from gfdocs.data.load import load_companies

    book = openpyxl.load_workbook(LIST)
    sheet = book["企业"]
    lists = {
        min(r.min_col for r in rule.sqref.ranges): rule.formula1.strip('"').split(",")
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }
    assert len(lists) == 4
    row = sheet.max_row + 1
    for column, words in lists.items():
        for word in words:
            sheet.cell(row, 1, f"示例第{row}有限公司")
            sheet.cell(row, 4, "示范区")
            sheet.cell(row, column, word)
            if word == "更名":
                sheet.cell(row, 2, f"示例第{row}厂")
            row += 1
    target = tmp_path / "companies.xlsx"
    book.save(target)
    issues: list[gfdocs.Issue] = []
    companies = load_companies(target, issues=issues)

    assert [str(issue) for issue in issues if issue.severity == "error"] == []
    assert len(companies) == row - 2
    found = {str(value) for company in companies for value in (company.category, company.level, company.status)}
    assert {word for words in lists.values() for word in words} <= found | {
        str(company.cultivation.level) for company in companies if company.cultivation
    }
