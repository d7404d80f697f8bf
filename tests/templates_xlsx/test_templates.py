"""The workbook templates as files, and what comes of them: valid, locked where they must be, growing where they must."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import range_boundaries

from tests import office, ooxml
from tests.templates_xlsx.sample import FORMS, LONGEST, ROOT, TEMPLATES, context, group, public_groups, template

ALL = ("list", *FORMS)
ROWS = {
    "annual-table": ("工厂", "园区", "供应链"),
    "cultivation-table": ("培育计划",),
    "enrolment-table": ("申报入库",),
}
BLANK = {"工厂": 10, "园区": 5, "供应链": 5, "培育计划": 12, "申报入库": 12}
HEAD_ROWS = {"工厂": 5, "园区": 5, "供应链": 5, "培育计划": 4, "申报入库": 5}


def render(name: str, data: dict[str, Any]) -> bytes:
    return template(name).render(data).to_bytes()


def book(data: bytes, **more: Any) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(data), **more)


def column(sheet: Any, heading: str) -> int:
    """Return the number of the column under a heading, whichever of the two heading rows it stands in."""
    for row in (4, HEAD_ROWS[sheet.title]):
        for cell in sheet[row]:
            if str(cell.value or "").replace("\n", "").startswith(heading):
                return int(cell.column)
    raise AssertionError(f"no column {heading} in {sheet.title}")


def validations(sheet: Any) -> dict[tuple[int, int, int], Any]:
    """Return the validations by (column, first row, last row)."""
    found = {}
    for rule in sheet.data_validations.dataValidation:
        for span in str(rule.sqref).split():
            left, top, _, bottom = range_boundaries(span)
            found[left, top, bottom] = rule
    return found


# --- the files ----------------------------------------------------------------------------------------------------------


def _columns(rule: Any) -> list[list[str]]:
    """Return the first and last column of each area of a rule."""
    return [["".join(c for c in end if c.isalpha()) for end in span.split(":")] for span in str(rule.sqref).split()]


def draw() -> dict[str, bytes]:
    sys.path.insert(0, str(ROOT / "templates" / "source"))
    try:
        import draw_xlsx
    finally:
        sys.path.pop(0)
    return draw_xlsx.draw()


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_drawing_the_templates_again_gives_the_same_files() -> None:
    drawn = draw()
    assert drawn == draw()
    assert set(drawn) == {f"{name}.xlsx" for name in ALL}
    for name, data in drawn.items():  # parts: another zlib may pack the same parts otherwise
        assert parts(data) == parts((TEMPLATES / name).read_bytes()), name


@pytest.mark.parametrize("name", ALL)
def test_the_templates_are_valid_workbooks(name: str) -> None:
    assert ooxml.find_validation_errors(TEMPLATES / f"{name}.xlsx") == []


@pytest.mark.parametrize("name", ALL)
def test_every_sheet_prints_on_a4_one_page_wide_with_page_numbers(name: str) -> None:
    for sheet in openpyxl.load_workbook(TEMPLATES / f"{name}.xlsx"):
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage and sheet.page_setup.fitToHeight == 0
        if name == "list":  # bound in with the notice: numbered as the notice is
            odd, even = sheet.oddFooter.right, sheet.evenFooter.left
            assert sheet.HeaderFooter.differentOddEven
            assert (odd.text, odd.size, odd.font) == ("— &P —　", 14, "宋体")
            assert (even.text, even.size, even.font) == (
                "— &P —",
                14,
                "宋体",
            )  # openpyxl takes the space for part of the size
        else:
            assert "&P" in sheet.oddFooter.center.text and "示意" in sheet.oddFooter.right.text
        if sheet.title != "填表说明":
            assert sheet.print_title_rows and sheet.freeze_panes


# --- what comes of them ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 40])
@pytest.mark.parametrize("name", ALL)
def test_with_any_number_of_units_the_workbook_is_valid_and_no_tag_is_left(
    name: str, count: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(render(name, context(count)))

    assert ooxml.find_left_over_tags(path) == []
    assert ooxml.find_validation_errors(path) == []
    assert "#REF!" not in ooxml.read_text(path)
    assert render(name, context(count)) == path.read_bytes()


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize(("name", "title"), [(name, title) for name in FORMS for title in ROWS[name]])
def test_a_form_holds_the_units_then_empty_rows_then_the_totals(name: str, title: str, count: int) -> None:
    head = HEAD_ROWS[title]
    sheet = book(render(name, context(count)))[title]
    names = [sheet.cell(row, 2).value for row in range(head + 1, head + count + 1)]
    total = head + count + BLANK[title] + 1

    assert names == [LONGEST if i == 2 else f"示例第{i}电子有限公司" for i in range(1, count + 1)]
    assert all(sheet.cell(row, 2).value is None for row in range(head + count + 1, total))
    assert sheet.cell(total, 1).value == "合计"
    assert sheet.cell(total, 2).value == f"=COUNTA(B{head + 1}:B{total - 1})"
    assert "示意" in str(sheet.cell(total + (2 if name == "enrolment-table" else 1), 1).value)


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize(("name", "title"), [(name, title) for name in FORMS for title in ROWS[name]])
def test_headings_and_prefilled_cells_are_locked_and_input_is_open(name: str, title: str, count: int) -> None:
    head = HEAD_ROWS[title]
    sheet = book(render(name, context(count)))[title]
    protection = sheet.protection

    assert protection.sheet and not protection.password
    assert not protection.formatColumns and not protection.formatRows and not protection.insertRows  # False: allowed
    assert all(
        cell.protection.locked
        for row in sheet.iter_rows(1, head)
        for cell in row
        if cell.value and "日期" not in str(cell.value)
    )
    phone, name_column = column(sheet, "联系电话"), 2
    for row in range(head + 1, head + count + 1):
        assert sheet.cell(row, name_column).protection.locked
        assert not sheet.cell(row, phone).protection.locked
    for row in range(head + count + 1, head + count + BLANK[title] + 1):
        assert not sheet.cell(row, name_column).protection.locked
        assert not sheet.cell(row, phone).protection.locked


@pytest.mark.parametrize("count", [0, 1, 12])
@pytest.mark.parametrize(("name", "title"), [(name, title) for name in FORMS for title in ROWS[name]])
def test_drop_downs_and_limits_reach_every_row_to_fill(name: str, title: str, count: int) -> None:
    head = HEAD_ROWS[title]
    sheet = book(render(name, context(count)))[title]
    first, last = head + 1, head + count + BLANK[title]
    rules = validations(sheet)

    assert rules and all((top, bottom) == (first, last) for _, top, bottom in rules)
    assert all(rule.showInputMessage and rule.prompt for rule in rules.values())
    choices = {id(rule): rule for rule in rules.values() if rule.type == "list"}
    assert len(choices) == 1
    if name == "enrolment-table":  # one drop-down for all eight questions
        assert _columns(choices.popitem()[1]) == [["F", "M"]]


def test_codes_and_phones_are_text_and_amounts_are_numbers() -> None:
    head = HEAD_ROWS["工厂"]
    sheet = book(render("annual-table", context(3)))["工厂"]
    row = head + 1
    code, phone = (sheet.cell(row, column(sheet, heading)) for heading in ("统一社会信用代码", "联系电话"))
    output, energy = (sheet.cell(row, column(sheet, heading)) for heading in ("产值", "综合能耗"))

    assert (code.value, code.data_type, code.number_format) == ("91320599000000001X", "s", "@")
    assert (phone.value, phone.data_type, phone.number_format) == ("0500-12345678", "s", "@")
    assert (output.value, energy.value) == (128600.5, 8420.25)


def test_totals_and_ratios_are_right_without_recalculation() -> None:
    head = HEAD_ROWS["工厂"]
    sheet = book(render("annual-table", context(3)), data_only=True)["工厂"]
    total = head + 3 + BLANK["工厂"] + 1

    assert sheet.cell(total, 2).value == 3
    assert sheet.cell(total, column(sheet, "产值")).value == pytest.approx(3 * 128600.5)
    assert sheet.cell(total, column(sheet, "计划投资")).value == 4500
    assert sheet.cell(head + 1, column(sheet, "单位产值能耗")).value == pytest.approx(8420.25 / 128600.5)


def test_no_ratio_is_given_where_one_of_its_figures_is_missing() -> None:
    data, head = context(3), HEAD_ROWS["工厂"]
    units = data["district"]["factories"]
    units[0]["summary"]["energy"] = None
    units[1]["summary"]["output_value"] = None
    units[2]["summary"]["output_value"] = 0
    sheet = book(render("annual-table", data), data_only=True)["工厂"]
    assert [sheet.cell(head + row, column(sheet, "单位产值能耗")).value for row in (1, 2, 3)] in ([""] * 3, [None] * 3)


def test_merged_headings_stay_whole_and_the_note_has_room() -> None:
    head = HEAD_ROWS["工厂"]
    sheet = book(render("annual-table", context(5)))["工厂"]
    total = head + 5 + BLANK["工厂"] + 1
    merged = {str(span) for span in sheet.merged_cells.ranges}

    assert str(sheet.cell(total + 1, 1).value).startswith("注：") and sheet.cell(total + 1, 2).value is None
    assert {"A2:Q2", "H4:J4", "K4:N4", "A4:A5"} <= merged


def test_missing_answers_are_marked_only_in_rows_of_listed_units() -> None:
    head = HEAD_ROWS["申报入库"]
    sheet = book(render("enrolment-table", context(4)))["申报入库"]
    spans = [span for rule in sheet.conditional_formatting for span in str(rule.sqref).split()]
    assert [(box[0], box[2]) for box in map(range_boundaries, spans)] == [(3, 3), (6, 13), (15, 16)]
    assert all((box[1], box[3]) == (head + 1, head + 4) for box in map(range_boundaries, spans))


def answers(second: str, third: str) -> dict[str, Any]:
    data = context(3)
    data["district"]["candidates"][1]["enrolment"]["dishonest"] = second
    data["district"]["candidates"][2]["enrolment"]["sound"] = third
    return data


VERDICTS = ["符合", "不符合", "待核实"]


def verdicts(data: bytes) -> list[str]:
    sheet = book(data, data_only=True)["申报入库"]
    found = [sheet.cell(row, column(sheet, "核对结果")).value for row in range(6, 11)]
    return [str(value or "") for value in found]


def test_the_verdict_follows_the_answers() -> None:
    """All in order 符合, one exclusion 不符合, an open question 待核实, an empty row nothing."""
    assert verdicts(render("enrolment-table", answers("是", ""))) == [*VERDICTS, "", ""]


@pytest.mark.office
def test_libreoffice_comes_to_the_same_verdicts(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(render("enrolment-table", answers("是", "")))
    converted = office.resave(path, "ods", tmp_path / "out")
    back = office.resave(converted, "xlsx", tmp_path / "back")
    assert verdicts(back.read_bytes()) == [*VERDICTS, "", ""]


# --- annex 2 ----------------------------------------------------------------------------------------------------------------


def test_the_list_numbers_through_with_subtotals_and_a_total() -> None:
    groups = public_groups()
    data = context(0, label="附件2", groups=groups)
    data["district"] = None
    sheet = book(render("list", data), data_only=True)["名单"]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(5)]
    units = [row for row in rows if isinstance(row[0], (int, float))]
    count = sum(len(g["companies"]) for g in groups)

    assert [row[0] for row in units] == list(range(1, count + 1))
    assert [row[1] for row in units] == [c["name"] for g in groups for c in g["companies"]]
    heads = [row for row in rows if isinstance(row[0], str) and row[0] != "合　计" and row[4] is not None]
    assert [(row[0], row[4]) for row in heads] == [(g["name"], len(g["companies"])) for g in groups]
    assert [row[4] for row in rows if row[0] == "合　计"] == [count]


def test_the_list_of_a_district_bears_its_name() -> None:
    sheet = book(render("list", context(3, label="附件2")))["名单"]
    assert sheet["A1"].value == "附件2" and str(sheet["A3"].value).endswith("\n（示范区）")


def test_an_empty_list_has_its_head_and_a_total_of_none() -> None:
    sheet = book(render("list", context(0, groups=[])), data_only=True)["名单"]
    assert [cell.value for cell in sheet[4]] == ["序号", "单位名称", "所在地", "名单类别", "列入批次"]
    assert sheet["A5"].value == "合　计" and sheet["E5"].value == 0


def test_a_name_of_thirty_one_characters_fits_its_cell() -> None:
    """At 11 pt the column takes at least half the name, and the row is high enough for two lines."""
    data = context(0, groups=[group("示范区", context(3)["district"]["factories"])])
    sheet = book(render("list", data))["名单"]
    row = next(row for row in range(5, 13) if sheet.cell(row, 2).value == LONGEST)
    points = (
        sheet.column_dimensions["B"].width * 5.25 - 4
    )  # one width unit is about 7 pixels, 5.25 pt; 5 pixels are padding

    assert points // 11 * 2 >= 31  # whole characters in two lines
    assert sheet.row_dimensions[row].height >= 2 * 13.5


@pytest.mark.office
def test_the_head_of_the_list_is_on_every_page(tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    path = tmp_path / "list.xlsx"
    path.write_bytes(render("list", context(0, groups=public_groups())))
    (pdf,) = office.to_pdfs([path], tmp_path / "out")
    pages = [page.get_textpage().get_text_range() for page in pdfium.PdfDocument(str(pdf))]

    assert len(pages) >= 2
    assert all("单位名称" in page and "名单类别" in page for page in pages)
    assert all(f"— {number} —" in page for number, page in enumerate(pages, 1))


@pytest.mark.office
def test_the_list_prints_on_the_page_of_the_notice(tmp_path: Path) -> None:
    """GB/T 9704: the type area 28 mm from the left and 156 mm wide; the number right on odd, left on even pages, 7 mm below."""
    pdfplumber = pytest.importorskip("pdfplumber")
    path = tmp_path / "list.xlsx"
    path.write_bytes(render("list", context(0, label="附件2", groups=public_groups())))
    (pdf,) = office.to_pdfs([path], tmp_path / "out")
    mm = 25.4 / 72
    with pdfplumber.open(pdf) as document:
        for number, page in enumerate(document.pages, 1):
            chars = [c for c in page.chars if c["text"].strip()]
            foot = [c for c in chars if c["top"] * mm > 262]
            assert "".join(c["text"] for c in foot) == f"—{number}—"
            left, right = min(c["x0"] for c in foot) * mm, max(c["x1"] for c in foot) * mm
            assert (right if number % 2 else left) == pytest.approx(
                184 - 14 * mm if number % 2 else 28 + 14 * mm, abs=1.5
            )
            # the dash is about 0.3 em above the baseline
            assert (page.height - foot[0]["matrix"][5] - 0.3 * 14) * mm == pytest.approx(262 + 7, abs=1.5)
            table = [c for c in chars if c["top"] * mm < 262]
            assert min(c["x0"] for c in table) * mm > 28 - 0.5 and max(c["x1"] for c in table) * mm < 184 + 0.5
            assert min(c["top"] for c in table) * mm == pytest.approx(37, abs=6)


@pytest.mark.parametrize("count", [0, 3])
@pytest.mark.parametrize(("name", "title"), [(name, title) for name in FORMS for title in ROWS[name]])
def test_a_form_opens_at_the_first_cell_to_fill(name: str, title: str, count: int) -> None:
    sheet = book(render(name, context(count)))[title]
    (chosen,) = (s for s in sheet.sheet_view.selection if s.pane == "bottomRight")

    assert sheet[chosen.activeCell].row == HEAD_ROWS[title] + 1
    assert not sheet[chosen.activeCell].protection.locked
    assert sheet.freeze_panes == f"C{HEAD_ROWS[title] + 1}"


@pytest.mark.office
def test_each_form_is_one_page_wide_in_print(tmp_path: Path) -> None:
    """A page for each sheet: none of them spills a column onto a second page."""
    pdfium = pytest.importorskip("pypdfium2")
    files = []
    for name in FORMS:
        path = tmp_path / f"{name}.xlsx"
        path.write_bytes(render(name, context(3)))
        files.append(path)
    for name, pdf in zip(FORMS, office.to_pdfs(files, tmp_path / "out"), strict=True):
        document = pdfium.PdfDocument(str(pdf))
        assert len(document) == len(ROWS[name]) + 1
        widths = [round(page.get_width() / 72 * 25.4) for page in document]
        assert widths == [297] * len(ROWS[name]) + [210]
