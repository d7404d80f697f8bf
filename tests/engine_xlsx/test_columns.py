"""Whole columns are written as the single cells would be; the turns of a list as if written one by one."""

from __future__ import annotations

import datetime as dt
import gc
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gfdocs.engine.language import find_illegal
from gfdocs.engine.template import open_template
from gfdocs.engine.xlsx.rows.turns import Column, Piece, TurnWriter, literal
from gfdocs.engine.xlsx.rows.values import CellWriter, StyleVariants, write_plain_texts
from gfdocs.engine.xlsx.template.workbook import Styles, read_workbook
from gfdocs.safezip import read_package


def get_styles() -> Styles:
    """Styles 0 (general), 1 (text), 2 (date)."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"].number_format, sheet["A2"].number_format = "@", "yyyy-mm-dd"
    out = io.BytesIO()
    book.save(out)
    return read_workbook(read_package(out.getvalue(), name="s.xlsx")).styles


STYLES = get_styles()


def get_writer(prefix: str = "", *, is_1904: bool = False) -> CellWriter:
    return CellWriter(STYLES, is_1904, StyleVariants(3), prefix)


TEXTS = st.text(max_size=12) | st.sampled_from(
    ["", "甲&乙", "<x>", "a > b", "50%", "=1", "a=1", "-1", "0512-6", "＝1", "全角，（）", "“引”", "　甲", "甲　", "\u00a0x", " x", "x ", "a  b", "a b",
     "_x0041_", "a_b", "x_x", "\t", "a\nb", "\u202e", "\ufffe", "\ud800", "\x00", "\x7f", "😀", "字" * 9_000, "字" * 20_000, "x" * 32_768]
)  # fmt: skip
NUMBERS = (
    st.integers(-(10**16), 10**16)
    | st.floats()
    | st.sampled_from([0.0, -0.0, 1e15, 1e22, 5e-324, 0.1, 1000.0, Decimal("1.10"), Decimal("-0"), Decimal("NaN"), Decimal("1e20")])
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**16), max_value=10**16)
)  # fmt: skip
DAYS = st.dates() | st.sampled_from(
    [dt.date(1900, 2, 28), dt.date(1900, 3, 1), dt.date(1899, 12, 31), dt.date(1904, 1, 1)]
)
COLUMNS = st.one_of(
    *(st.lists(kind | blank, min_size=1, max_size=6) for kind in (TEXTS, NUMBERS, DAYS) for blank in (kind, st.none(), st.sampled_from([None, ""]))),
    st.lists(TEXTS | NUMBERS | DAYS | st.booleans() | st.none(), min_size=1, max_size=6),
)  # fmt: skip


@settings(max_examples=600, deadline=None, derandomize=True)
@given(COLUMNS, st.sampled_from(["", "0", "1", "2"]), st.booleans(), st.sampled_from(["", "x:"]))
@example(["甲", "", "乙"], "1", False, "")
@example([None, None], "2", False, "x:")
@example([1, None, 2], "0", False, "")
@example([dt.date(2023, 2, 10), None], "0", True, "x:")
def test_a_column_is_written_as_its_cells_are(values: list[Any], style: str, is_1904: bool, prefix: str) -> None:
    column = get_writer(prefix, is_1904=is_1904).plain_column(values, style)
    if column is None:
        return
    one_by_one = get_writer(prefix, is_1904=is_1904)
    cells = [one_by_one.tail(value, style) for value in values]

    assert [(column.form % value).decode() for value in column.values] == cells


@pytest.mark.parametrize(
    "values",
    [["甲", "乙"], ["a b", "&"], ["甲", ""], [None, "甲"], [1, 2], [1.5, 2.0], [Decimal("1.5"), 2], [1, None], [dt.date(2023, 1, 1)], ["", None]],
)  # fmt: skip
def test_what_lists_are_made_of_is_written_at_once(values: list[Any]) -> None:
    assert get_writer().plain_column(values, "0") is not None


def test_no_character_that_is_refused_passes_as_plain() -> None:
    refused = [chr(code) for code in range(0x110000) if find_illegal(chr(code)) is not None]

    assert len(refused) > 2000
    assert [char for char in refused if write_plain_texts([f"甲{char}乙", "丙"]) is not None] == []


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.integers(1, 10_500), st.integers(1, 130), st.data())
def test_turns_are_written_one_under_the_other(start: int, height: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, max(1, 400 // height)))
    batch = data.draw(st.integers(1, count))
    lines = data.draw(st.lists(st.integers(0, height - 1), max_size=4))
    writer = TurnWriter(start, height)
    written = b""
    for first in range(0, count, batch):
        last = min(count, first + batch)
        texts = [f"{index}%".encode() for index in range(first, last)]
        pieces: list[Piece] = [
            literal("<5%:"),
            *lines,
            Column(b" %b ", texts),
            Column(b"%d%%", range(first, last)),
            b">",
        ]
        written += b"".join(writer.write(pieces, first, last))

    assert written.decode() == "".join(
        f"<5%:{''.join(str(start + index * height + line) for line in lines)} {index}% {index}%>"
        for index in range(count)
    )


def test_a_column_that_changes_its_kind_on_the_way() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"] = "{%tr for x in xs %}{{ x.v }}"
    sheet["B1"] = "100% {{ x.v }}"
    sheet["A2"], sheet["A3"], sheet["B3"] = "{%tr endfor %}", "共5%", "=COUNTA(A1:A1)"
    out = io.BytesIO()
    book.save(out)
    kinds: list[Any] = ["甲", 1, 2.5, "=1", None, Decimal("3.5"), True, "a&b"]
    values = [kinds[index // 700 % len(kinds)] for index in range(700 * len(kinds))]
    made = open_template(out.getvalue(), kind="xlsx").render({"xs": [{"v": value} for value in values]}).to_bytes()

    back = openpyxl.load_workbook(io.BytesIO(made), data_only=True).active

    assert back is not None
    found = [row[0] for row in back.iter_rows(max_row=len(values), max_col=1, values_only=True)]
    assert found == [float(v) if isinstance(v, Decimal) else v for v in values]
    assert back.cell(1401, 2).value == "100% 2.5"
    assert [back.cell(len(values) + 1, c).value for c in (1, 2)] == ["共5%", len([v for v in values if v is not None])]


def test_a_rendering_leaves_nothing_to_the_garbage_collector() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["B1"] = "{%tr for x in xs %}{{ x.v }}{%tr endfor %}", "=A1*2"
    sheet["A2"], sheet["B2"] = "=SUM(A1:A1)", "=COS(D1)"
    out = io.BytesIO()
    book.save(out)
    template, data = open_template(out.getvalue(), kind="xlsx"), {"xs": [{"v": value} for value in range(300)]}
    template.render(data)
    gc.collect()
    gc.disable()
    try:
        template.render(data)

        assert gc.collect() == 0
    finally:
        gc.enable()
