"""A list without items leaves formulas with the values LibreOffice gives them, and links that lead somewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import open_template
from tests.engine_xlsx.recalculation import formulas_of, recalculate, same, values_of

COUNTS = (
    "COUNTBLANK(B2:B2)", "COUNTBLANK(A2:C2)", "COUNTBLANK(B2)", "ROWS(B2:B2)", 'COUNTIF(A2:A2,"<>甲")', "COUNTA(A2:C2)",
    "COUNT(B2:B2)", "AVERAGE(B2:B2)", "ROW(B2)", "COLUMN(B2)", 'B2&"x"', "ISBLANK(B2)", 'IF(B2="",1,2)', "SUM(B2:B2)",
    "COUNTBLANK(A1:C3)", "COUNTBLANK(B:B)", "COUNTBLANK(2:2)", "ROWS(B:B)", 'COUNTIF(B:B,"<>1")', "COUNTA(B:B)",
)  # fmt: skip


def make_template(change: Any = None) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "名单"
    sheet.append(["名称", "数", "注"])
    sheet.append(["{%tr for c in cs %}{{ c.n }}", "{{ c.v }}", "{{ c.z }}{%tr endfor %}"])
    sheet.append(["合计", "=SUM(B2:B2)"])
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def render(template: bytes, count: int, **more: Any) -> bytes:
    items = [{"n": "甲乙"[i % 2], "v": i or None, "z": None} for i in range(count)]
    return open_template(template, kind="xlsx").render({"cs": items, **more}).to_bytes()


@pytest.mark.office
def test_counting_functions_have_the_values_libreoffice_computes(tmp_path: Path) -> None:
    def add_counts(book: Any) -> None:
        for number, formula in enumerate(COUNTS):
            book.active.cell(10 + number, 5).value = "=" + formula

    template, files = make_template(add_counts), []
    for count in (0, 1, 3):
        files.append(tmp_path / f"{count}.xlsx")
        files[-1].write_bytes(render(template, count))
    for file, again in zip(files, recalculate(files, tmp_path), strict=True):
        theirs, unknown = values_of(again), 0
        for key, (text, value) in formulas_of(file).items():
            assert value is None or same(value, theirs.get(key)), (file.name, text, value, theirs.get(key))
            unknown += value is None
        assert unknown == 4, file.name  # those that count what is empty in whole columns and rows
