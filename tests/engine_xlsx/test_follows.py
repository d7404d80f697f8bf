"""What few workbooks have follows a list as well; and templates from other hands than Excel's fill the same."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from lxml import etree

from gfdocs.engine.template import open_template
from gfdocs.errors import TemplateError
from tests import office, ooxml
from tests.engine_xlsx.invariants import find_broken

COUNTS = (0, 1, 3, 50)
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
XM = "{http://schemas.microsoft.com/office/excel/2006/main}"


def draw(paint: Callable[[Any], None] = lambda sheet: None) -> bytes:
    """Return a template: a list in row 4 between bare tags (items stand in rows 3…2+n), a total in row 6 (3+n)."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("名单")
    sheet.write_row("A2", ["名称", "产值"])
    sheet.write_column("A3", ["{%tr for x in xs %}", "{{ x.name }}", "{%tr endfor %}", "合计"])
    sheet.write("B4", "{{ x.value }}")
    sheet.write_formula("B6", "=SUM(B4:B4)")
    paint(sheet)
    book.close()
    return out.getvalue()


def fill(template: bytes, count: int, folder: Path) -> bytes:
    """Return the filled workbook, after checking that it is whole."""
    items = [{"name": f"示例{n}", "value": n + 0.5} for n in range(count)]
    made = open_template(template, kind="xlsx", name="t.xlsx").render({"xs": items}).to_bytes()
    assert find_broken(made) == []
    path, source = folder / "made.xlsx", folder / "source.xlsx"
    path.write_bytes(made)
    source.write_bytes(template)
    assert set(ooxml.find_validation_errors(path)) <= set(ooxml.find_validation_errors(source))
    return made


def part(data: bytes, name: str) -> Any:
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return etree.fromstring(package.read(name))


def rewrite(data: bytes, change: Callable[[str, bytes], bytes], added: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
        for name, content in (added or {}).items():
            target.writestr(name, content)
    return out.getvalue()


def area(columns: str, first: int, last: int) -> str:
    left, right = columns
    return f"{left}{first}" if left == right and first == last else f"{left}{first}:{right}{last}"


# -- parts of a sheet --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", COUNTS)
def test_protected_ranges_follow(count: int, tmp_path: Path) -> None:
    def paint(sheet: Any) -> None:
        sheet.protect()
        sheet.unprotect_range("B4", "list")
        sheet.unprotect_range("A6:B6", "total")
        sheet.unprotect_range("A4:B6", "both")

    root = part(fill(draw(paint), count, tmp_path), "xl/worksheets/sheet1.xml")
    found = {one.get("name"): one.get("sqref") for one in root.iter(f"{MAIN}protectedRange")}

    total = 3 + count
    wanted = {"total": f"A{total}:B{total}", "both": f"A3:B{total}"}
    assert found == (wanted | {"list": area("BB", 3, total - 1)} if count else wanted)


@pytest.mark.parametrize("count", COUNTS)
def test_ignored_errors_follow(count: int, tmp_path: Path) -> None:
    ignored = {"number_stored_as_text": "A4:B4 B6", "formula_differs": "B6", "empty_cell_reference": "B4"}
    root = part(fill(draw(lambda sheet: sheet.ignore_errors(ignored)), count, tmp_path), "xl/worksheets/sheet1.xml")
    found = {next(k for k in one.keys() if k != "sqref"): one.get("sqref") for one in root.iter(f"{MAIN}ignoredError")}  # noqa: SIM118

    total = 3 + count
    lists = {
        "numberStoredAsText": f"{area('AB', 3, total - 1)} B{total}",
        "emptyCellReference": area("BB", 3, total - 1),
    }
    assert found == {"formula": f"B{total}"} | (lists if count else {"numberStoredAsText": f"B{total}"})


@pytest.mark.parametrize("count", COUNTS)
def test_sparklines_follow(count: int, tmp_path: Path) -> None:
    def paint(sheet: Any) -> None:
        sheet.add_sparkline("C6", {"range": "名单!B4:B4"})
        sheet.add_sparkline("C4", {"range": "名单!A4:B4"})

    root = part(fill(draw(paint), count, tmp_path), "xl/worksheets/sheet1.xml")
    found = {one.find(f"{XM}sqref").text: one.find(f"{XM}f").text for one in root.iter("{*}sparkline")}

    total = 3 + count
    rows = {f"C{row}": f"名单!A{row}:B{row}" for row in range(3, total)}
    over = f"名单!B3:B{total - 1}" if count else "名单!B1048576:B1048576"
    assert found == rows | {f"C{total}": over}


PIVOT = "xl/pivotCache/pivotCacheDefinition1.xml"


def with_pivot_cache(template: bytes) -> bytes:
    """Return the template with a pivot cache over its list, heading and all."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def change(name: str, data: bytes) -> bytes:
        if name == "[Content_Types].xml":
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml"
            return data.replace(b"</Types>", f'<Override PartName="/{PIVOT}" ContentType="{kind}"/></Types>'.encode())
        if name == "xl/workbook.xml":
            return data.replace(b"</workbook>", b'<pivotCaches><pivotCache cacheId="1" r:id="rIdP"/></pivotCaches></workbook>')  # fmt: skip
        if name == "xl/_rels/workbook.xml.rels":
            entry = f'<Relationship Id="rIdP" Type="{relations}/pivotCacheDefinition" Target="pivotCache/pivotCacheDefinition1.xml"/>'
            return data.replace(b"</Relationships>", f"{entry}</Relationships>".encode())
        return data

    fields = "".join(f'<cacheField name="{name}" numFmtId="0"><sharedItems/></cacheField>' for name in ("名称", "产值"))
    cache = (
        f'<?xml version="1.0" encoding="UTF-8"?><pivotCacheDefinition xmlns="{MAIN[1:-1]}" saveData="0" refreshOnLoad="1" recordCount="0">'
        f'<cacheSource type="worksheet"><worksheetSource ref="A2:B4" sheet="名单"/></cacheSource><cacheFields count="2">{fields}</cacheFields>'
        "</pivotCacheDefinition>"
    )
    return rewrite(template, change, {PIVOT: cache.encode()})


@pytest.mark.parametrize("count", COUNTS)
def test_the_source_of_a_pivot_table_grows_with_its_list(count: int, tmp_path: Path) -> None:
    root = part(fill(with_pivot_cache(draw()), count, tmp_path), PIVOT)
    source = root.find(f".//{MAIN}worksheetSource")

    assert (source.get("sheet"), source.get("ref")) == ("名单", f"A2:B{2 + count}")


# -- templates from other hands ----------------------------------------------------------------------------------------


def paint_much(sheet: Any) -> None:
    sheet.merge_range("A8:B8", "填表人：")
    sheet.data_validation("B4", {"validate": "decimal", "criteria": ">=", "value": 0})
    sheet.conditional_format("B4", {"type": "cell", "criteria": ">", "value": 40})
    sheet.print_area("A2:B6")
    sheet.repeat_rows(1)
    sheet.autofilter("A2:B4")
    sheet.freeze_panes(2, 0)


def save_with_openpyxl(data: bytes, folder: Path) -> bytes:
    out = io.BytesIO()
    openpyxl.load_workbook(io.BytesIO(data)).save(out)
    return out.getvalue()


def save_with_libreoffice(data: bytes, folder: Path) -> bytes:
    path = folder / "template.xlsx"
    path.write_bytes(data)
    return office.save_again([path], folder / "saved")[0].read_bytes()


def prefix_sheet(data: bytes, folder: Path) -> bytes:
    def change(name: str, content: bytes) -> bytes:
        if not name.startswith("xl/worksheets/sheet"):
            return content
        text = re.sub(r"<(/?)([A-Za-z0-9]+)(?=[ />])", r"<\1x:\2", content.decode())
        return text.replace('xmlns="', 'xmlns:x="').encode()

    return rewrite(data, change)


def write_in_utf16(data: bytes, folder: Path) -> bytes:
    def change(name: str, content: bytes) -> bytes:
        if not re.match(r"xl/(worksheets/sheet|workbook\.xml|sharedStrings|styles)", name):
            return content
        return content.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")

    return rewrite(data, change)


OTHER_HANDS = [
    pytest.param(save_with_openpyxl, id="openpyxl"),
    pytest.param(save_with_libreoffice, id="LibreOffice", marks=pytest.mark.office),
    pytest.param(prefix_sheet, id="x: prefix"),
    pytest.param(write_in_utf16, id="UTF-16"),
    pytest.param(lambda data, folder: data, id="as drawn"),
]


@pytest.mark.parametrize("save", OTHER_HANDS)
def test_templates_from_other_hands_fill_the_same(save: Callable[[bytes, Path], bytes], tmp_path: Path) -> None:
    template = save(draw(paint_much), tmp_path)
    source = openpyxl.load_workbook(io.BytesIO(template))["名单"]
    for count in COUNTS:
        made = fill(template, count, tmp_path)
        sheet = openpyxl.load_workbook(io.BytesIO(made))["名单"]
        shown = openpyxl.load_workbook(io.BytesIO(made), data_only=True)["名单"]

        total = 3 + count
        rows = [[cell.value for cell in row] for row in shown.iter_rows(min_row=2, max_row=total, max_col=2)]
        items = [[f"示例{n}", n + 0.5] for n in range(count)]
        assert rows == [["名称", "产值"], *items, ["合计", sum(n + 0.5 for n in range(count))]]
        assert sheet.cell(total, 2).value == (f"=SUM(B3:B{total - 1})" if count else "=SUM(B1048576:B1048576)")
        assert [str(merge) for merge in sheet.merged_cells.ranges] == [f"A{total + 2}:B{total + 2}"]
        assert sheet.cell(total + 2, 1).value == "填表人："
        lists = [area("BB", 3, total - 1)] if count else []
        assert [str(v.sqref) for v in sheet.data_validations.dataValidation] == lists
        assert [str(one.sqref) for one in sheet.conditional_formatting] == lists
        assert sheet.print_area == f"'名单'!$A$2:$B${total}"
        assert sheet.print_title_rows == "$2:$2"
        assert sheet.auto_filter.ref == f"A2:B{max(2, total - 1)}"
        assert sheet.freeze_panes == source.freeze_panes  # LibreOffice drops them


@pytest.mark.parametrize("save", OTHER_HANDS)
def test_forms_from_other_hands_read_back(save: Callable[[bytes, Path], bytes], tmp_path: Path) -> None:
    template = open_template(draw(paint_much), kind="xlsx", name="t.xlsx")
    returned = save(fill(draw(paint_much), 3, tmp_path), tmp_path)

    raw: Any = template.read(returned, name="返回.xlsx")

    items = [{key: value.text for key, value in item.entries.items()} for item in raw.entries["xs"].items]
    assert items == [{"name": f"示例{n}", "value": f"{n}.5"} for n in range(3)]
    assert raw.issues == ()


def test_formulas_that_no_program_can_read_stay_as_they_are() -> None:
    def paint(sheet: Any) -> None:
        sheet.data_validation("A4:B8", {"validate": "list", "source": "='it's'!$A$1"})
        sheet.write("D6", "=1")
        sheet.write_formula("E6", "=A1")
        sheet.write_formula("E7", "=A2")

    def spoil(name: str, data: bytes) -> bytes:
        shared = b'<f t="shared" ref="E6:E7" si="0">"x</f>'
        return data.replace(b"<f>A1</f>", shared).replace(b"<f>A2</f>", b'<f t="shared" si="0"/>')

    template = rewrite(draw(paint), spoil)
    made = open_template(template, kind="xlsx", name="t.xlsx").render({"xs": []}).to_bytes()
    root = part(made, "xl/worksheets/sheet1.xml")
    assert [f.text for f in root.iter(f"{MAIN}formula1")] == ["'it's'!$A$1"]
    assert [f.text for f in root.iter(f"{MAIN}f")][-2:] == ['"x', '"x']


def test_a_workbook_without_namespaces_ends_in_no_foreign_error() -> None:
    main = b' xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    bare = rewrite(draw(), lambda name, data: data.replace(main, b"") if name.startswith("xl/") else data)
    made = open_template(bare, kind="xlsx", name="t.xlsx").render({"xs": [{"name": "=1", "value": 1}]}).to_bytes()
    values = [cell.text for cell in part(made, "xl/worksheets/sheet1.xml").iter("v")]
    assert values[-1] == "1"  # the total
    assert part(made, "xl/styles.xml").find("cellXfs")[-1].get("quotePrefix") == "1"


def test_what_nobody_foresaw_is_told_as_a_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    template = open_template(draw(), kind="xlsx", name="t.xlsx")

    def fail(*_: Any) -> Any:
        raise KeyError("unforeseen")

    monkeypatch.setattr("gfdocs.engine.xlsx.render.write_frame", fail)
    with pytest.raises(TemplateError) as caught:
        template.render({"xs": []})
    assert [(issue.code, str(issue.place)) for issue in caught.value.issues] == [("GF223", "t.xlsx")]
