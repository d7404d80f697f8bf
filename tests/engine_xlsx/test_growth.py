"""A list of 0, 1, 3 and 5,000 items: everything that refers to it follows, nothing else changes, and the values are right."""

from __future__ import annotations

import io
import os
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import open_template
from tests import ooxml
from tests.engine_xlsx import growth
from tests.engine_xlsx.growth import LIST, NESTED, OVERVIEW, STILL, TABLE, expect_overview, make_data
from tests.engine_xlsx.invariants import find_broken
from tests.engine_xlsx.recalculation import formulas_of, recalculate, same, values_of

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")
COUNTS = (0, 1, 3, 5000)
OFFICE_COUNTS = COUNTS if os.environ.get("GFDOCS_NIGHTLY") == "1" else (0, 1, 3, 200)  # 5,000 take LibreOffice a minute


@cache
def template() -> Any:
    return open_template(growth.draw_template(), kind="xlsx", name="growth.xlsx")


@cache
def rendered(count: int) -> bytes:
    return template().render(make_data(count)).to_bytes()


@cache
def book(count: int) -> Any:
    return openpyxl.load_workbook(io.BytesIO(rendered(count)))


@cache
def values(count: int) -> Any:
    return openpyxl.load_workbook(io.BytesIO(rendered(count)), data_only=True)


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.mark.parametrize("count", COUNTS)
def test_values_without_recalculation_are_those_of_plain_arithmetic(count: int) -> None:
    data = make_data(count)
    found = [row[0].value for row in values(count)[OVERVIEW].iter_rows(max_row=12, max_col=1)]

    assert all(same(ours, expected) for ours, expected in zip(found, expect_overview(data), strict=False)), found
    total = values(count)[LIST].cell(4 + count, 3).value
    assert same(total, sum(x["amount"] for x in data["xs"]))


@pytest.mark.office
def test_libreoffice_computes_the_same(tmp_path: Path) -> None:
    files = [tmp_path / f"g{count}.xlsx" for count in OFFICE_COUNTS]
    for path, count in zip(files, OFFICE_COUNTS, strict=True):
        path.write_bytes(rendered(count))
    for path, calculated, count in zip(files, recalculate(files, tmp_path), OFFICE_COUNTS, strict=True):
        theirs = values_of(calculated)
        ours = formulas_of(path)
        assert len(ours) > 20
        wrong = {
            at: (f, v, theirs.get(at)) for at, (f, v) in ours.items() if v is not None and not same(v, theirs.get(at))
        }
        assert not wrong
        assert not [v for v in theirs.values() if isinstance(v, str) and v.startswith("#")]
        last = theirs[OVERVIEW, "A13"]  # no value of ours: it sees a formula we do not compute
        assert same(last, expect_overview(make_data(count))[12])


@pytest.mark.parametrize("count", COUNTS)
def test_the_file_is_valid_and_no_tag_is_left(count: int, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(rendered(count))

    assert find_broken(rendered(count)) == []
    assert ooxml.find_left_over_tags(path) == []
    if count < 5000:
        assert ooxml.find_validation_errors(path) == []


def test_parts_the_data_does_not_touch_are_byte_equal() -> None:
    before, after = members(growth.draw_template()), members(rendered(3))
    still = [
        n
        for n in before
        if "theme" in n or "media" in n or n.endswith("sheet5.xml") or ("drawing" in n and n.endswith(".rels"))
    ]

    assert len(still) >= 4
    assert all(before[name] == after[name] for name in still)
    assert set(after) >= set(before) - {"xl/calcChain.xml"}
    assert values(3)[STILL]["B1"].value == 2


@pytest.mark.parametrize("count", COUNTS)
def test_everything_beside_and_below_the_list_follows(count: int) -> None:
    sheet, last = book(count)[LIST], 3 + count
    total = last + 1
    merges = {str(area) for area in sheet.merged_cells.ranges}

    assert {"A1:H1", f"A{total}:B{total}", f"A{total + 2}:C{total + 2}"} <= merges
    assert sum(area.startswith("H") for area in merges) == count
    assert sheet.print_area == f"'{LIST}'!$A$1:$I${total + 3}"
    assert sheet.print_title_rows == "$1:$3"
    assert sheet.auto_filter.ref == f"A3:I{max(last, 3)}"
    assert [item.id for item in sheet.row_breaks.brk] == [total]
    assert sheet.freeze_panes == "B4"
    assert sheet.row_dimensions[total].height == 30
    assert f"B{total + 5}" in {link.ref for link in sheet._hyperlinks} or sheet[f"B{total + 5}"].hyperlink
    assert sheet[f"C{total + 5}"].hyperlink.location == f"'{LIST}'!A{total}"
    assert sheet[f"C{total}"].comment.text == "合计的批注"
    if count:
        assert all(sheet.row_dimensions[row].height == 22.5 for row in (4, last))
        assert sheet[f"B{last}"].comment.text == "每行的批注"
        assert sheet[f"F{last}"].value == f"=SUM(C$4:C{last})"
        assert sheet[f"D{last}"].value == f"=C{last}*$B$2"


@pytest.mark.parametrize("count", COUNTS)
def test_rules_follow_the_rows(count: int) -> None:
    sheet, last = book(count)[LIST], 3 + count
    rules = {str(area.sqref): [r.formula for r in area.rules] for area in sheet.conditional_formatting}
    checks = {str(check.sqref): check.formula1 for check in sheet.data_validations.dataValidation}
    span = (lambda c: f"{c}4:{c}{last}" if count > 1 else f"{c}4") if count else None

    assert checks[f"C{last + 3}"] == f"$C${last + 1}"
    assert f"C{last + 1}" in rules
    if span:
        assert checks[span("J")] == f"{OVERVIEW}!$D$1:$D$3"
        assert rules[f"B4:C{last}"] == [[f"$C4>$C${last + 1}/2"]]
    else:
        assert len(checks) == 1 and len(rules) == 1


@pytest.mark.parametrize("count", [1, 3, 5000])
def test_names_charts_pictures_and_tables_follow(count: int) -> None:
    names = {name: value.attr_text for name, value in book(count).defined_names.items()}
    chart = members(rendered(count))["xl/charts/chart1.xml"].decode()
    (picture,) = book(count)[LIST]._images

    assert names["金额"] == f"'{LIST}'!$C$4:$C${3 + count}"
    assert names["合计行"] == f"'{LIST}'!$A${4 + count}:$H${4 + count}"
    assert names["单价"] == f"'{LIST}'!$B$2"
    assert f"'{LIST}'!$C$4:$C${3 + count}" in chart
    assert f'<c:ptCount val="{count}"' in chart
    assert "图：名单&amp;表" in chart
    assert picture.anchor._from.row == 13 + count - 3
    assert book(count)[TABLE].tables["Items"].ref == f"A1:C{1 + count}"


def test_an_empty_list_leaves_a_table_its_one_row() -> None:
    assert book(0)[TABLE].tables["Items"].ref == "A1:C2"
    assert book(0)[TABLE]["A2"].value is None


def test_subtotals_of_nested_lists_are_exact() -> None:
    sheet, data = values(3)[NESTED], make_data(3)
    texts = {row[0].value: row[2].value for row in sheet.iter_rows() if str(row[0].value).startswith(("小计", "总计"))}

    for district in data["districts"]:
        assert texts[f"小计：{district['name']}"] == sum(c["amount"] for c in district["companies"])
    assert texts["总计"] == sum(c["amount"] for d in data["districts"] for c in d["companies"])


def test_the_same_data_gives_the_same_bytes() -> None:
    again = open_template(growth.draw_template(), kind="xlsx", name="growth.xlsx").render(make_data(3)).to_bytes()

    assert template().render(make_data(3)).to_bytes() == rendered(3)
    assert members(again).keys() == members(rendered(3)).keys()
    assert all(members(again)[n] == members(rendered(3))[n] for n in members(again) if "core.xml" not in n)
