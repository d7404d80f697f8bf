"""Workbooks as Excel's users make them, with a list put in above, in the middle of and below what they hold."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

import gfdocs

Block = Callable[[Any, int], int]


def add_block(sheet: Any, row: int) -> int:
    """Write a list of three template rows from this row (0 is the first) and return the row after it."""
    sheet.write_string(row, 0, "{%tr for x in xs %}")
    sheet.write_string(row + 1, 0, "{{ x.name }}")
    sheet.write_string(row + 1, 1, "{{ x.number }}")
    sheet.write_formula(row + 1, 2, f"=B{row + 2}*2")
    sheet.write_string(row + 2, 0, "{%tr endfor %}")
    return row + 3


def make_workbook(before: int, after: int) -> bytes:
    """Return a workbook with a list between so many rows of figures, and everything that refers to them."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet, other = book.add_worksheet("数据"), book.add_worksheet("汇总")
    for row in range(before):
        sheet.write_row(row, 0, [f"前{row}", row + 1])
    end = add_block(sheet, before)
    for row in range(end, end + after):
        sheet.write_row(row, 0, [f"后{row - end}", 100 + row - end])
    total = end + after
    sheet.write_formula(total, 1, f"=SUM(B1:B{total})")
    sheet.write_comment(total, 1, "合计")
    last = total + 1
    sheet.conditional_format(
        0, 1, total, 1, {"type": "cell", "criteria": ">", "value": 1, "format": book.add_format({"bold": 1})}
    )
    sheet.data_validation(before + 1, 3, before + 1, 3, {"validate": "list", "source": ["是", "否"]})
    sheet.merge_range(last, 0, last, 2, "说明")
    sheet.write_url(last + 1, 0, "https://example.org/")
    chart = book.add_chart({"type": "column"})
    chart.add_series({"values": f"=数据!$B$1:$B${total}"})
    sheet.insert_chart(last + 2, 0, chart)
    book.define_name("数量", f"=数据!$B$1:$B${total}")
    other.write_formula(0, 0, f"=SUM(数据!B1:B{total})")
    other.write_formula(1, 0, f"=数据!B{total + 1}")
    other.write_formula(2, 0, "=COUNT(数量)")
    book.close()
    return stream.getvalue()


def read(data: bytes, *, values: bool = False) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data), data_only=values)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
@pytest.mark.parametrize(("before", "after"), [(0, 3), (3, 0), (2, 2)], ids=["above", "below", "in the middle"])
def test_everything_follows_a_list(before: int, after: int, count: int) -> None:
    items = [{"name": f"示例{n}", "number": n + 10} for n in range(count)]
    template = gfdocs.open_template(make_workbook(before, after), kind="xlsx")

    data = template.render({"xs": items}).to_bytes()

    book, values = read(data), read(data, values=True)
    sheet, last = book["数据"], before + count + after
    figures = [*range(1, before + 1), *(i["number"] for i in items), *range(100, 100 + after)]
    assert [sheet.cell(row, 2).value for row in range(1, last + 1)] == figures
    assert sheet.cell(last + 1, 2).value == f"=SUM(B1:B{last})"
    assert values["数据"].cell(last + 1, 2).value == sum(figures)
    assert [values["汇总"].cell(row, 1).value for row in (1, 2, 3)] == [sum(figures), sum(figures), len(figures)]
    assert [sheet.cell(before + n + 1, 3).value for n in range(count)] == [
        f"=B{before + n + 1}*2" for n in range(count)
    ]
    assert sheet.cell(last + 1, 2).comment.text == "合计"
    assert [str(merged) for merged in sheet.merged_cells.ranges] == [f"A{last + 2}:C{last + 2}"]
    assert sheet.cell(last + 3, 1).hyperlink.target == "https://example.org/"
    assert [str(found.sqref) for found in sheet.conditional_formatting] == [f"B1:B{last + 1}"]
    assert sum(cell.count("D") for v in sheet.data_validations.dataValidation for cell in [str(v.sqref)]) == min(
        count, 2
    )
    assert book.defined_names["数量"].attr_text == f"数据!$B$1:$B${last}"
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        assert f"$B$1:$B${last}" in package.read("xl/charts/chart1.xml").decode()
        assert not any(b"#REF!" in package.read(name) for name in package.namelist())


def make_plain(folder: Path) -> Path:
    """Return a workbook of formulas, dates, pictures of numbers and a table, without a tag."""
    path = folder / "plain.xlsx"
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("一")
    sheet.add_table(
        0, 0, 3, 1, {"data": [["甲", 1], ["乙", 2], ["丙", 3]], "columns": [{"header": "名"}, {"header": "数"}]}
    )
    sheet.write_formula(5, 1, "=SUM(Table1[数])", None, 6)
    sheet.write_dynamic_array_formula("D1:D3", "=SORT(B2:B4)")
    sheet.add_sparkline(5, 3, {"range": "一!B2:B4"})
    sheet.write_rich_string(7, 0, "a", book.add_format({"bold": 1}), "粗", "z {x} % #")
    book.add_worksheet("二").hide()
    book.close()
    return path


def test_a_workbook_without_tags_keeps_every_part(tmp_path: Path) -> None:
    path = make_plain(tmp_path)

    data = gfdocs.open_template(path).render({"x": 1}).to_bytes()

    with zipfile.ZipFile(path) as before, zipfile.ZipFile(io.BytesIO(data)) as after:
        assert sorted(before.namelist()) == sorted(after.namelist())
        assert all(before.read(name) == after.read(name) for name in before.namelist())


@pytest.mark.parametrize(
    ("cell", "code"),
    [("{%tr for x in xs %}", "GF260"), ("{{ x + }}", "GF201"), ("{{ x|uper }}", "GF205"), ("=A2&{{ x }}", "GF261")],
)
def test_a_slip_in_a_cell_is_told_with_its_cell(tmp_path: Path, cell: str, code: str) -> None:
    book = openpyxl.Workbook()
    book.active["B3"] = cell
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(gfdocs.TemplateError) as raised:
        gfdocs.open_template(tmp_path / "t.xlsx")
    assert [issue.code for issue in raised.value.issues] == [code]
    assert "B3" in str(raised.value.issues[0].place)


def test_what_begins_with_a_sign_of_equality_is_text() -> None:
    stream = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["{{ a }}", "{{ b }}"])
    book.save(stream)

    data = (
        gfdocs.open_template(stream.getvalue(), kind="xlsx").render({"a": "=1+1", "b": "+cmd|' /C calc'!A0"}).to_bytes()
    )

    cells = read(data).active[1]
    assert [(cell.value, cell.data_type) for cell in cells] == [("=1+1", "s"), ("+cmd|' /C calc'!A0", "s")]
