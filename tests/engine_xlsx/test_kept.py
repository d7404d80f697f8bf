"""A formula that is not ours to compute keeps the template's value where nothing it refers to was changed."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import open_template


def with_values(book: Any, values: dict[str, str]) -> bytes:
    """Return the workbook with these values of formulas on its first sheet, as Excel would have computed them."""
    out, done = io.BytesIO(), io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(done, "w") as target:
        for name in source.namelist():
            part = source.read(name).decode("utf-8", "surrogateescape")
            if name == "xl/worksheets/sheet1.xml":
                for cell, value in values.items():
                    kind = "" if re.fullmatch(r"[\d.]+", value) else ' t="e"' if value.startswith("#") else ' t="str"'
                    part, count = re.subn(rf'<c r="{cell}"([^>]*)>(<f.*?)<v */?>(?:</v>)?', rf'<c r="{cell}"\1{kind}>\2<v>{value}</v>', part)  # fmt: skip
                    assert count == 1, cell
            target.writestr(name, part.encode("utf-8", "surrogateescape"))
    return done.getvalue()


def values_of(template: bytes, items: int) -> dict[str, Any]:
    made = open_template(template, kind="xlsx").render({"xs": [{"n": n + 1} for n in range(items)], "v": 9}).to_bytes()
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        assert b'fullCalcOnLoad="1"' in package.read("xl/workbook.xml")
    shown = openpyxl.load_workbook(io.BytesIO(made), data_only=True)["表"]
    formulas = openpyxl.load_workbook(io.BytesIO(made))["表"]
    return {
        formulas.cell(row, 8).value: formulas.cell(row, 9).value
        and (formulas.cell(row, 9).value, shown.cell(row, 9).value)
        for row in range(1, formulas.max_row + 1)
        if formulas.cell(row, 8).value is not None
    }


def make_template() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "表"
    sheet["A1"], sheet["B1"], sheet["A2"] = 0, "甲", "{{ v }}"
    sheet["A4"], sheet["A5"], sheet["A6"] = "{%tr for x in xs %}", "{{ x.n }}", "{%tr endfor %}"
    sheet["A8"] = 5
    book.create_sheet("旁")["A1"] = 3
    book.defined_names["定数"] = openpyxl.workbook.defined_name.DefinedName("定数", attr_text="旁!$A$1")
    book.defined_names["列表"] = openpyxl.workbook.defined_name.DefinedName("列表", attr_text="表!$A$5")
    formulas = {
        "still": ("=COS(A1)", "1"), "below": ("=SIN(A8)", "0.25"), "other sheet": ("=COS(旁!A1)", "0.5"), "name": ("=TAN(定数)", "0.75"),
        "text": ("=PHONETIC(B1)", "jia"), "error": ("=ACOS(A8)", "#NUM!"), "chain": ("=SQRT(I8)+COS(0)", "2"),
        "other workbook": ("=[1]数据!$A$1*COS(A1)", "7"), "data": ("=COS(A2)", "0.1"), "list": ("=STDEV(A5:A5)", "0.2"),
        "list by name": ("=STDEV(列表)", "0.3"), "whole column": ("=STDEV(A:A)", "0.4"), "over the list": ("=STDEV(A1:A8)", "0.6"),
        "chain to data": ("=COS(I16)", "0.8"), "clock": ("=YEAR(TODAY())", "2020"), "by text": ('=COS(INDIRECT("A1"))', "0.9"),
        "never computed": ("=EXP(A1)", None), "uses a kept one": ("=I8*2+A2", "99"),
    }  # fmt: skip
    cached = {}
    for row, (label, (formula, value)) in enumerate(formulas.items(), 8):
        sheet.cell(row, 8, label)
        sheet.cell(row, 9, formula)
        if value is not None:
            cached[f"I{row}"] = value
    return with_values(book, cached)


TEMPLATE = make_template()


@pytest.mark.parametrize("items", [0, 1, 3])
def test_what_nothing_touched_keeps_its_value(items: int) -> None:
    found = {label: value for label, (_, value) in values_of(TEMPLATE, items).items()}

    assert found == {
        "still": 1, "below": 0.25, "other sheet": 0.5, "name": 0.75, "text": "jia", "error": "#NUM!", "chain": 2, "other workbook": 7,
        "data": None, "list": None, "list by name": None, "whole column": None, "over the list": None, "chain to data": None,
        "clock": None, "by text": None, "never computed": None, "uses a kept one": 1 * 2 + 9,
    }  # fmt: skip


def test_formulas_follow_as_ever() -> None:
    found = values_of(TEMPLATE, 5)

    assert found["below"] == ("=SIN(A10)", 0.25)
    assert found["list"] == ("=STDEV(A4:A8)", None)
