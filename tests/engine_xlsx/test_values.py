"""What data becomes in a cell: the right type, the text as typed or refused by name, never a formula."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gfdocs.engine.language import find_illegal
from gfdocs.engine.template import Template, open_template
from gfdocs.engine.xlsx.render import clean_sheet_name
from gfdocs.engine.xlsx.template.workbook import unescape_x
from gfdocs.errors import NameMissing, TemplateError

NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@cache
def template(is_1904: bool = False) -> Template:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A1"] = "{{ v }}"
    sheet["B1"] = "【{{ v }}】"
    sheet["C1"], sheet["C1"].number_format = "{{ v }}", "@"
    sheet["A2"] = "{%tr for x in xs %}{{ x.v }}{%tr endfor %}"
    if is_1904:
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    out = io.BytesIO()
    book.save(out)
    return open_template(out.getvalue(), kind="xlsx", name="v.xlsx")


def cells(value: Any, many: list[Any] | None = None, *, is_1904: bool = False) -> dict[str, Any]:
    """Return the cells of the output as (type, text) by name, straight from the XML."""
    context = {"v": value, "xs": [{"v": one} for one in many or []]}
    data = template(is_1904).render(context).to_bytes()
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        root = etree.fromstring(package.read("xl/worksheets/sheet1.xml"))
        styles = etree.fromstring(package.read("xl/styles.xml"))
    formats = styles.find(f"{NS}cellXfs")
    found = {}
    for cell in root.iter(f"{NS}c"):
        text = "".join(cell.itertext())
        style = formats[int(cell.get("s", 0))]
        found[cell.get("r")] = (
            cell.get("t", "n"),
            unescape_x(text),
            style.get("quotePrefix"),
            cell.find(f"{NS}f") is not None,
        )
    return found


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (5, "n", "5"), (-2.5, "n", "-2.5"), (True, "b", "1"), (Decimal("1.10"), "n", "1.1"), (0.1 + 0.2, "n", "0.30000000000000004"),
        (10**15, "inlineStr", "1000000000000000"), (999_999_999_999_999, "n", "999999999999999"), (None, "n", ""), ("", "n", ""),
        ("0512", "inlineStr", "0512"), (Decimal(1) / 3, "n", "0.3333333333333333"),
        (dt.date(2023, 2, 10), "n", "44967"), (dt.datetime(2023, 2, 10, 12), "n", "44967.5"), (dt.time(6), "n", "0.25"),
        (dt.date(1900, 2, 28), "n", "59"), (dt.date(1899, 12, 31), "inlineStr", "1899-12-31"), ([1, 2], "inlineStr", "[1, 2]"),
    ],
)  # fmt: skip
def test_types(value: Any, kind: str, text: str) -> None:
    assert cells(value)["A1"][:2] == (kind, text)


def test_text_format_keeps_numbers_text() -> None:
    assert cells(13800000000)["C1"][:2] == ("inlineStr", "13800000000")
    assert cells(dt.date(2023, 2, 10))["C1"][:2] == ("inlineStr", "2023-02-10")


def test_dates_honour_the_1904_calendar() -> None:
    assert cells(dt.date(2023, 2, 10), is_1904=True)["A1"][1] == "43505"


@pytest.mark.parametrize("start", list("=+-@\t＝＋－＠"))
def test_text_never_becomes_a_formula(start: str) -> None:
    text = f'{start}cmd|"/c calc"!A0'
    found = cells(text, [text] * 600)
    assert found["A1"] == ("inlineStr", text, "1", False)
    assert found["A601"] == ("inlineStr", text, "1", False)
    assert (
        openpyxl.load_workbook(io.BytesIO(template().render({"v": text, "xs": []}).to_bytes())).active["A1"].data_type
        == "s"
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(st.text(max_size=40) | st.sampled_from(["_x0041_", " a", "a ", "a\nb", "a\r\nb", "]]>", "&amp;", "<x>", "'", "\ufffe", "\x00"]), min_size=1, max_size=8))  # fmt: skip
def test_any_text_comes_out_as_typed_or_is_refused_by_name(texts: list[str]) -> None:
    if any(find_illegal(text) is not None for text in texts):
        with pytest.raises(TemplateError) as caught:
            cells(texts[0], texts)
        assert {issue.code for issue in caught.value.issues} == {"GF211"}
        return
    found = cells(texts[0], texts)
    assert found["A1"][1] == texts[0]
    assert found["B1"][1] == f"【{texts[0]}】"
    assert [found[f"A{row}"][1] for row in range(2, len(texts) + 2)] == texts


def test_too_long_a_text_is_refused_with_its_cell() -> None:
    with pytest.raises(TemplateError) as caught:
        cells("x" * 32_768, ["y" * 40_000])
    assert {(i.code, str(i.place)) for i in caught.value.issues} >= {
        ("GF264", "v.xlsx › Sheet!A1"),
        ("GF264", "v.xlsx › Sheet!A2"),
    }


@pytest.mark.parametrize(
    ("value", "word"),
    [(float("nan"), "nan"), (float("-inf"), "-inf"), (Decimal("sNaN"), "sNaN"), (dt.datetime(2023, 2, 10, tzinfo=dt.UTC), "+00:00"), (dt.time(6, tzinfo=dt.UTC), "+00:00")],
)  # fmt: skip
def test_what_a_cell_would_hold_otherwise_is_refused_by_name(value: Any, word: str) -> None:
    with pytest.raises(TemplateError) as caught:
        cells(value, [1.5, value])
    assert {(i.code, str(i.place)) for i in caught.value.issues} >= {
        ("GF219", f"v.xlsx › Sheet!{c}") for c in ("A1", "A2")
    }
    assert all(word in i.fact.zh for i in caught.value.issues)


class Broken:
    """An object that fails whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"{name} is out of order")


@pytest.mark.parametrize("value", [b"x", object(), lambda: 1, iter([1]), [object()], Broken()], ids=range(6))
@pytest.mark.parametrize("others", [[], [1.5]])
def test_objects_without_a_text_are_refused_in_a_list_as_they_are_outside(value: Any, others: list[Any]) -> None:
    with pytest.raises(TemplateError) as caught:
        cells(value, [*others, value])
    code = "GF208" if isinstance(value, Broken) else "GF219"
    assert {(i.code, str(i.place)) for i in caught.value.issues} >= {
        (code, f"v.xlsx › Sheet!{c}") for c in ("A1", "A2")
    }


def test_all_missing_names_are_told_with_their_cells() -> None:
    with pytest.raises(NameMissing) as caught:
        template().render({"xs": [{}]})
    assert {str(i.place) for i in caught.value.issues} == {f"v.xlsx › Sheet!{c}" for c in ("A1", "B1", "C1", "A2")}


@pytest.mark.parametrize(
    ("name", "clean"),
    [("江苏/某某[集团", "江苏_某某_集团"), ("某" * 40, "某" * 31), ("History", "History_"), ("'甲'", "甲"), ("", "Sheet"), ("a:b?*\\", "a_b___")],
)  # fmt: skip
def test_sheet_names(name: str, clean: str) -> None:
    assert clean_sheet_name(name) == clean
