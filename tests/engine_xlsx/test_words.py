"""Tags in what stands around the cells: validations, headers and drawings of sheets that are copied."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from gfdocs.engine.template import Template, open_template
from gfdocs.errors import GfdocsError
from tests import ooxml


def open_drawn(paint: Callable[[Any], None]) -> Template:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        paint(book)
    return open_template(out.getvalue(), kind="xlsx", name="t.xlsx")


def paint_form(book: Any) -> None:
    sheet = book.add_worksheet("表")
    sheet.write_column("A1", ["名称", "{%tr for c in cs %}", "{{ c }}", "{%tr endfor %}", "级别"])
    sheet.data_validation(
        "A3:A4",
        {"validate": "list", "source": ["甲", "{{ word }}"], "input_title": "{{ title }}", "input_message": "请选{{ word }}",
         "error_title": "{{ title }}", "error_message": "只能选“{{ word }}”"},
    )  # fmt: skip


def test_words_of_a_validation_are_filled(tmp_path: Any) -> None:
    made = tmp_path / "made.xlsx"
    open_drawn(paint_form).render({"cs": [1, 2, 3], "word": '乙"<丙>&', "title": "名称"}).save(made)
    sheet: Any = openpyxl.load_workbook(made).active
    (rule,) = sheet.data_validations.dataValidation
    assert str(rule.sqref) == "A2:A4"
    assert (rule.promptTitle, rule.prompt, rule.errorTitle) == ("名称", '请选乙"<丙>&', "名称")
    assert (rule.error, rule.formula1) == ('只能选“乙"<丙>&”', '"甲,乙""<丙>&"')
    assert ooxml.find_validation_errors(made) == [] and ooxml.find_left_over_tags(made) == []


@pytest.mark.parametrize(("name", "length"), [("title", 33), ("word", 256)])
def test_words_that_excel_does_not_take_are_refused(name: str, length: int) -> None:
    data = {"cs": [1], "word": "乙", "title": "名称"} | {name: "长" * length}
    with pytest.raises(GfdocsError) as failed:
        open_drawn(paint_form).render(data)
    assert {(issue.code, str(issue.place)) for issue in failed.value.issues} == {("GF219", "t.xlsx › 表!A3:A4")}


def test_what_a_validation_lacks_is_told_with_its_cells() -> None:
    template = open_drawn(paint_form)
    told = [issue for issue in template.lint({"cs": [1], "title": "名称"}) if issue.code == "GF204"]
    assert {str(issue.place) for issue in told} == {"t.xlsx › 表!A3:A4"}
    with pytest.raises(GfdocsError) as failed:
        template.render({"cs": [1], "title": "名称"})
    assert {(issue.code, str(issue.place)) for issue in failed.value.issues} == {("GF204", "t.xlsx › 表!A3:A4")}


def test_headers_and_drawings_of_copied_sheets_see_the_item_of_the_sheet() -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("{{ d.name }}")
        sheet.write("A1", "{%sheet for d in ds %}{{ d.name }}")
        sheet.set_header("&C{{ d.name }}")
        sheet.insert_textbox("B2", "{{ d.name }}（盖章）{{ d.bad }}")
        chart = book.add_chart({"type": "column"})
        chart.add_series({"values": "='{{ d.name }}'!$A$1:$A$2"})
        chart.set_title({"name": "{{ d.name }}"})
        sheet.insert_chart("B9", chart)
        sheet.data_validation("A5", {"validate": "list", "source": ["{{ d.name }}"]})

    template = open_drawn(paint)
    told = [issue for issue in template.lint({"ds": [{"name": "甲区"}]}) if issue.code == "GF204"]
    assert [str(issue.fact) for issue in told] == ['the data has no "ds[].bad"']
    template.render({"ds": [{"name": "甲区", "bad": ""}, {"name": "乙区", "bad": ""}]})
