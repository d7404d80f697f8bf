"""A row of given height grows where the data need more lines than it has."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import open_template
from gfdocs.errors import PackageError
from tests.engine_xlsx.test_language import draw


def paint(book: Any) -> None:
    sheet = book.add_worksheet("表")
    wrap = book.add_format({"text_wrap": True})
    sheet.set_column("A:A", 12)
    sheet.set_column("B:C", 6)
    for row in range(4):
        sheet.set_row(row, 20)
    sheet.write("A1", "{{ title }}", wrap)
    sheet.merge_range("A2:C2", "{{ title }}", wrap)
    sheet.write("A3", "{%tr for x in xs %}{{ x.name }}", wrap)
    sheet.write("B3", "{{ x.note }}{%tr endfor %}")
    sheet.write("A4", "固定")


def change(data: bytes, *pairs: tuple[str, str]) -> bytes:
    """Return a workbook with these places of its sheet written otherwise."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name).decode()
            for old, new in pairs if name.endswith("sheet1.xml") else ():
                assert old in text
                text = text.replace(old, new)
            target.writestr(name, text)
    return out.getvalue()


def heights(template: bytes, title: str, names: list[str]) -> list[float | None]:
    data = {"title": title, "xs": [{"name": name, "note": "注"} for name in names]}
    made = open_template(template, kind="xlsx", name="h.xlsx").render(data).to_bytes()
    sheet = openpyxl.load_workbook(io.BytesIO(made)).active
    return [sheet.row_dimensions[number].height for number in range(1, 4 + len(names))]


def test_rows_that_stand_once_and_those_of_a_list_grow_alike() -> None:
    long = "很长的名称" * 8
    once, merged, first, second, foot = heights(draw(paint), long, [long, "短"])

    assert once is not None and once == first
    assert once > 3 * 20
    assert merged is not None and 20.25 < merged < once, "three columns take more of it than one"
    assert second == foot == 20.25


def test_short_texts_leave_rows_as_the_template_has_them() -> None:
    assert heights(draw(paint), "短", ["短", ""]) == [20.25] * 5


def test_no_row_becomes_higher_than_excel_has_them_nor_lower_than_it_was() -> None:
    long = "很长的名称" * 400
    tall = change(draw(paint), ('ht="20.25"', 'ht="409.5"'))

    assert max(filter(None, heights(draw(paint), long, [long]))) == 409
    assert heights(tall, long, [long, "短"]) == [409.5] * 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('width="12.7109375"', 'width="wide"'),
        ('width="12.7109375"', 'width="inf"'),
        ('<col min="1" max="1"', '<col min="x" max="1"'),
        ('<col min="1" max="1"', '<col min="1" max="1e9"'),
        ('defaultRowHeight="15"', 'defaultRowHeight="15" defaultColWidth="nan"'),
        ('ht="20.25"', 'ht="2.0.2"'),
    ],
)
def test_a_width_or_height_that_is_no_number_keeps_no_template_from_being_used(old: str, new: str) -> None:
    template = change(draw(paint), (old, new))
    made = open_template(template, kind="xlsx", name="h.xlsx").render({"title": "题" * 40, "xs": []}).to_bytes()

    with zipfile.ZipFile(io.BytesIO(made)) as package:
        assert "题" * 40 in package.read("xl/worksheets/sheet1.xml").decode()


def test_a_text_that_is_not_there_is_told_with_its_sheet_and_cell() -> None:
    broken = change(draw(paint), ('t="s"><v>0</v>', 't="s"><v>-1</v>'))

    with pytest.raises(PackageError) as caught:
        open_template(broken, kind="xlsx", name="h.xlsx")
    (issue,) = caught.value.issues
    assert (issue.code, str(issue.place)) == ("GF313", "h.xlsx › 表")
    assert "A1" in str(issue.fact)
