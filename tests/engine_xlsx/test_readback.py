"""Reading a returned form: what was written is read, whatever people did to the workbook; and a hostile file is refused in time."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import time
import zipfile
from decimal import Decimal
from functools import cache
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from gfdocs.engine.template import Template, open_template
from gfdocs.errors import GfdocsError, ReadBackError
from gfdocs.raw import RawList, RawMap, RawScalar

HEADINGS = ("序号", "企业名称", "信用代码", "产值（万元）", "日期", "是否达标", "联系人", "单位能耗")
PATHS = ("loop.index", "c.name", "c.code", "c.value", "c.date", "c.ok", "c.contact.name")


@cache
def template() -> Template:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    guide = book.add_worksheet("说明")
    guide.write_column("A1", ["填表说明", "请如实填写，不要改动表头。"])
    sheet = book.add_worksheet("工厂")
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    text = book.add_format({"num_format": "@"})
    sheet.merge_range("A1:H1", "附件3　{{ district.name }}绿色工厂年度表")
    sheet.write_row("A2", ["填报单位：", "{{ issuer }}", None, "年度", "{{ year }}"])
    sheet.write_row("A4", HEADINGS)
    sheet.write("A5", "{%tr for c in companies %}")
    for column, path in enumerate(PATHS):
        sheet.write(5, column, f"{{{{ {path} }}}}", {3: None, 4: date, 2: text}.get(column))
    sheet.write_formula("H6", "=D6*2")
    sheet.data_validation("D6:D10", {"validate": "decimal", "criteria": ">=", "value": 0})
    sheet.write("A7", "{%tr endfor %}")
    sheet.write("A11", "合计")
    sheet.write_formula("D11", "=SUM(D6:D10)")
    sheet.write("A12", "负责人：{{ person }}")
    book.close()
    return open_template(out.getvalue(), kind="xlsx", name="附件3.xlsx")


def company(index: int) -> dict[str, Any]:
    return {
        "name": f"示例{index}有限公司",
        "code": f"91320500MA{index:08d}",
        "value": Decimal(index) + Decimal("0.5"),
        "date": dt.date(2023, 2, 10) + dt.timedelta(days=index),
        "ok": bool(index % 2),
        "contact": {"name": f"张{index}"},
    }


def data(count: int) -> dict[str, Any]:
    return {
        "district": {"name": "示例区"}, "issuer": "示例局", "year": 2023, "person": "李示例",
        "companies": [company(i) for i in range(count)],
    }  # fmt: skip


def plain(raw: Any) -> Any:
    if isinstance(raw, RawMap):
        return {key: plain(value) for key, value in raw.entries.items()}
    if isinstance(raw, RawList):
        return [plain(item) for item in raw.items]
    assert isinstance(raw, RawScalar)
    return raw.text


def as_text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_text(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_text(inner) for inner in value]
    if isinstance(value, bool):
        return "是" if value else "否"
    return "" if value is None else value.isoformat() if isinstance(value, dt.date) else str(value)


def changed(count: int, change: Any) -> bytes:
    """Return a filled form after somebody worked on it in openpyxl."""
    book = openpyxl.load_workbook(io.BytesIO(template().render(data(count)).to_bytes()))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes) -> Any:
    return template().read(content, name="返回.xlsx")


# -- what was written is read ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 400])
def test_what_was_written_is_read(count: int) -> None:
    assert plain(read(template().render(data(count)).to_bytes())) == as_text(data(count))


def test_every_value_has_its_cell() -> None:
    raw = read(template().render(data(3)).to_bytes())

    assert str(raw["companies"].items[1]["value"].place) == "返回.xlsx › 工厂!D6"
    assert raw["companies"].items[1]["value"].kind == "number"
    assert raw["companies"].items[1]["date"].kind == "date"
    assert str(raw["district"]["name"].place) == "返回.xlsx › 工厂!A1"


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Co", "Cn"), exclude_characters="\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufffe\uffff"),
    min_size=1, max_size=20,
).filter(lambda text: bool(text.strip()))  # fmt: skip


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "name": TEXT, "code": TEXT, "value": st.none() | st.integers(-(10**14), 10**14) | st.decimals(-(10**9), 10**9, places=3),
                "date": st.none() | st.dates(dt.date(1900, 3, 1), dt.date(2200, 1, 1)), "ok": st.booleans(),
                "contact": st.fixed_dictionaries({"name": TEXT | st.none()}),
            }
        ),
        max_size=12,
    )
)  # fmt: skip
def test_reading_is_writing_backwards(companies: list[dict[str, Any]]) -> None:
    context = data(0) | {"companies": companies}
    found = plain(read(template().render(context).to_bytes()))["companies"]

    assert len(found) == len(companies)
    for one, company_ in zip(found, companies, strict=True):
        expected = as_text(company_)
        assert (
            one["name"] == expected["name"]
            and one["code"] == expected["code"]
            and one["contact"] == expected["contact"]
        )
        assert one["date"] == expected["date"] and one["ok"] == expected["ok"]
        assert (one["value"] == "") if company_["value"] is None else Decimal(one["value"]) == company_["value"]


# -- what people do ------------------------------------------------------------------------------------------------------


def insert_rows(book: Any) -> None:
    book["工厂"].unmerge_cells("A1:H1")
    book["工厂"].insert_rows(1, 2)


def move_columns(book: Any) -> None:
    sheet = book["工厂"]
    for row in sheet.iter_rows(min_row=4, max_row=9):
        values = [cell.value for cell in row]
        for cell, value in zip(row, [*values[3:5], *values[:3], *values[5:]], strict=True):
            cell.value = value
    for row in range(5, 8):
        sheet.cell(row, 2).number_format = "yyyy-mm-dd"
        sheet.cell(row, 5).number_format = "@"
        sheet.cell(row, 4).number_format = "General"


def rename_sheets(book: Any) -> None:
    book["工厂"].title = "Sheet1"
    book["说明"].title = "工厂"
    book.move_sheet("Sheet1", -1)


def hide_and_filter(book: Any) -> None:
    sheet = book["工厂"]
    sheet.column_dimensions["C"].hidden = True
    sheet.row_dimensions[6].hidden = True
    sheet.auto_filter.ref = "A4:H8"


def blank_rows_between(book: Any) -> None:
    book["工厂"].insert_rows(6)


def insert_columns(book: Any) -> None:
    """Between the words and what was filled in beside them, and within the list."""
    book["工厂"].unmerge_cells("A1:H1")
    book["工厂"].insert_cols(2, 2)
    book["工厂"].insert_cols(7)


def type_half_width(book: Any) -> None:
    for row in book["工厂"].iter_rows(min_row=9):
        for cell in row:
            if str(cell.value).startswith("负责人"):
                cell.value = "负责人:李示例"


@pytest.mark.parametrize(
    "change",
    [insert_rows, insert_columns, move_columns, rename_sheets, hide_and_filter, blank_rows_between, type_half_width],
)
def test_the_form_is_read_although(change: Any) -> None:
    found, expected = plain(read(changed(3, change))), as_text(data(3))

    assert found["companies"] == expected["companies"]
    assert found["district"] == expected["district"] and found["issuer"] == "示例局" and found["person"] == "李示例"


def test_a_title_is_read_although_columns_were_inserted() -> None:
    sheet = openpyxl.Workbook().active
    sheet["A1"] = "{{ title }}"
    for column, text in enumerate(["单位", "{{ unit }}", None, "日期", "{{ day }}", "{{ note }}"], 1):
        sheet.cell(2, column).value = text
    out = io.BytesIO()
    sheet.parent.save(out)
    form = open_template(out.getvalue(), kind="xlsx", name="f.xlsx")

    def send(**values: str) -> Any:
        book = openpyxl.load_workbook(io.BytesIO(form.render(values).to_bytes()))
        book.active.merge_cells("A1:G1")
        book.active.insert_cols(2)
        out = io.BytesIO()
        book.save(out)
        return plain(form.read(out.getvalue(), name="返回.xlsx"))

    values = {"title": "名单", "unit": "甲局", "day": "今日", "note": "注"}
    assert send(**values) == values
    for name in values:  # what was left empty stays empty: nothing beside it is taken for it
        assert send(**{**values, name: ""}) == {**values, name: ""}


def test_truth_values_that_libreoffice_wrote_are_no_formulas() -> None:
    data = changed(2, lambda book: book["工厂"].__setitem__("F5", "=TRUE()"))
    found = read(data)
    assert plain(found)["companies"][0]["ok"] == "是" and found.issues == ()


def test_rows_added_below_are_read_and_totals_are_not() -> None:
    def change(book: Any) -> None:
        sheet = book["工厂"]
        for column, value in enumerate(["新厂", "X1", 12, dt.date(2023, 5, 1)], 2):
            sheet.cell(9, column).value = value

    found = plain(read(changed(3, change)))["companies"]
    assert [one["name"] for one in found] == ["示例0有限公司", "示例1有限公司", "示例2有限公司", "新厂"]
    assert found[3]["value"] == "12"


def test_a_renamed_heading_is_read_and_told() -> None:
    def change(book: Any) -> None:
        book["工厂"]["B4"] = "企业名称（全称）"
        book["工厂"]["D4"] = "去年产值"

    raw = read(changed(2, change))
    assert plain(raw)["companies"] == as_text(data(2))["companies"]
    assert {(i.code, str(i.place)) for i in raw.issues} == {
        ("GF619", "返回.xlsx › 工厂!B4"),
        ("GF619", "返回.xlsx › 工厂!D4"),
    }


def test_a_heading_with_a_known_alias_is_no_issue() -> None:
    def change(book: Any) -> None:
        book["工厂"]["B4"] = "单位名称"

    raw = template().compiled.read(changed(2, change), name="返回.xlsx", aliases={"企业名称": ["单位名称"]})  # type: ignore[attr-defined]
    assert plain(raw)["companies"] == as_text(data(2))["companies"] and not raw.issues


@pytest.mark.parametrize(
    "aliases",
    [1, "企业名称", ["企业名称"], {"企业名称": "单位名称"}, {"企业名称": None}, {"企业名称": [1]}, {1: ["x"]}],
    ids=str,
)
def test_aliases_of_a_wrong_shape_are_refused(aliases: Any) -> None:
    with pytest.raises(TypeError, match="aliases"):
        template().compiled.read(changed(1, lambda book: None), name="返回.xlsx", aliases=aliases)  # type: ignore[attr-defined]


def test_a_column_that_is_gone_is_told() -> None:
    def change(book: Any) -> None:
        book["工厂"].delete_cols(8)
        book["工厂"].delete_cols(7)

    raw = read(changed(2, change))
    assert [i.code for i in raw.issues] == ["GF618"]
    assert plain(raw)["companies"][0]["name"] == "示例0有限公司"


@pytest.mark.parametrize(
    ("value", "text", "code"),
    [("2000万", "2000万", "GF617"), ("１２３", "123", "GF616"), ("约30%", "约30%", "GF617"), ("1,234.5", "1234.5", "GF616"),
     ("12\u00a0000", "12000", "GF616"), ("=1+1", "=1+1", "GF615"), (12.25, "12.25", None)],
)  # fmt: skip
def test_what_stands_in_a_number_cell(value: Any, text: str, code: str | None) -> None:
    def change(book: Any) -> None:
        book["工厂"]["D5"] = value

    raw = read(changed(2, change))
    assert raw["companies"].items[0]["value"].text == text
    assert [(i.code, str(i.place)) for i in raw.issues] == ([(code, "返回.xlsx › 工厂!D5")] if code else [])
    if code == "GF617":
        assert "digits only" in raw.issues[0].hint


def test_a_merged_cell_belongs_to_each_of_its_rows() -> None:
    def change(book: Any) -> None:
        book["工厂"].merge_cells("G5:G6")

    names = [one["contact"]["name"] for one in plain(read(changed(3, change)))["companies"]]
    assert names == ["张0", "张0", "张2"]


def test_changed_fixed_text_is_told() -> None:
    def change(book: Any) -> None:
        book["工厂"]["A11"] = "主管：李示例"
        book["工厂"]["A1"] = "附件3　示例区绿色工厂年度表"

    raw = read(changed(2, change))
    assert raw["district"]["name"].text == "示例区"
    assert "person" not in raw
    assert [issue.code for issue in raw.issues] == ["GF614"] and "负责人" in str(raw.issues[0].fact)


def test_another_workbook_is_refused() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "别的表"
    out = io.BytesIO()
    book.save(out)

    with pytest.raises(ReadBackError) as caught:
        read(out.getvalue())
    assert {issue.code for issue in caught.value.issues} == {"GF610"}


def test_nested_lists_are_read() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row, values in enumerate(
        [["名单"], ["序号", "企业名称", "级别"], ["{%tr for g in groups %}"], ["{{ g.district }}"], ["{%tr for c in g.companies %}"],
         ["{{ loop.index }}", "{{ c.name }}", "{{ c.level }}"], ["{%tr endfor %}"], ["小计", None, "=COUNTA(B6:B6)"], ["{%tr endfor %}"], ["总计"]], 1
    ):  # fmt: skip
        for column, value in enumerate(values, 1):
            sheet.cell(row, column, value)
    out = io.BytesIO()
    book.save(out)
    nested = open_template(out.getvalue(), kind="xlsx", name="list.xlsx")
    groups = [
        {"district": "甲区", "companies": [{"name": "一厂", "level": "省级"}, {"name": "二厂", "level": "市级"}]},
        {"district": "乙区", "companies": [{"name": "三厂", "level": "省级"}]},
    ]

    assert plain(nested.read(nested.render({"groups": groups}).to_bytes())) == {"groups": groups}


def rewrite(content: bytes, change: Any) -> bytes:
    """Return a workbook with its second sheet's XML changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, change(part.decode()).encode() if name == "xl/worksheets/sheet2.xml" else part)
    return out.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.replace("><", ">\n<"),
        lambda xml: re.sub(r"<(/?)(?!\?)", r"<\1x:", xml).replace('xmlns="', 'xmlns:x="'),
        lambda xml: xml.replace("<row ", "<!-- a note --><row "),
        lambda xml: xml.replace("<is><t>", "<is><r><t>").replace("</t></is>", "</t></r></is>"),
        lambda xml: (
            re.sub(r'(<c r="[A-Z]+)\d+"', r"\1", xml).replace('<c r="A', '<c r="A')
            and re.sub(r'<c r="[A-Z]+\d+"', "<c", xml)
        ),
        lambda xml: xml.replace("<sheetData>", '<sheetData><row r="99" hidden="1"/>').replace(
            '<row r="99" hidden="1"/>', ""
        ),
        lambda xml: re.sub(r'<row r="9"[^>]*>.*?</row>', '<row r="9" spans="1:8"/>', xml),
    ],
    ids=["pretty", "prefixed", "comments", "rich", "no references", "same", "empty rows"],
)
def test_the_same_form_in_other_xml(change: Any) -> None:
    content = rewrite(template().render(data(3)).to_bytes(), change)
    assert plain(read(content)) == as_text(data(3))


# -- hostile files -------------------------------------------------------------------------------------------------------


def with_sheet(xml: bytes) -> bytes:
    """Return a filled form whose second sheet is this XML."""
    source = zipfile.ZipFile(io.BytesIO(template().render(data(1)).to_bytes()))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, xml if name == "xl/worksheets/sheet2.xml" else source.read(name))
    return out.getvalue()


NS = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
HOSTILE = {
    "three million cells": NS + b"<row>" + b"<c><v>1</v></c>" * 3_000_000 + b"</row></sheetData></worksheet>",
    "usual cells by the million": NS + b'<row r="1">' + b'<c r="A1"><v>1</v></c>' * 1_200_000 + b"</row></sheetData></worksheet>",
    "merges": NS + b"</sheetData><mergeCells>" + b'<mergeCell ref="A1:XFD1048576"/>' * 30_000 + b"</mergeCells></worksheet>",
    "entities": b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + NS + b"</sheetData></worksheet>",
    "not well-formed": NS + b'<row r="1"><c r="A1"><v>1</c></row></sheetData></worksheet>',
    "no text there": NS + b'<row r="1"><c r="A1" t="s"><v>999999</v></c></row></sheetData></worksheet>',
    "bad numbers": NS + b'<row r="1"><c r="A1"><v>abc</v></c></row></sheetData></worksheet>',
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_sheets_are_refused_by_name_in_time(name: str) -> None:
    content = with_sheet(HOSTILE[name])
    start = time.process_time()
    with pytest.raises(ReadBackError) as caught:
        read(content)
    assert caught.value.issues and all(str(issue.code).startswith("GF") for issue in caught.value.issues)
    assert time.process_time() - start < 6


def test_a_far_cell_costs_nothing() -> None:
    content = with_sheet(NS + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData></worksheet>')
    start = time.process_time()
    with pytest.raises(GfdocsError):
        read(content)
    assert time.process_time() - start < 1


def test_damaged_files_end_in_one_kind_of_error() -> None:
    good, dice = bytearray(template().render(data(5)).to_bytes()), random.Random(7)
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(dice.randint(1, 8)):
            bad[dice.randrange(len(bad))] = dice.randrange(256)
        if dice.random() < 0.2:
            del bad[dice.randrange(len(bad)) :]
        try:
            read(bytes(bad))
        except ReadBackError:
            continue


def test_damaged_parts_end_in_one_kind_of_error() -> None:
    dice = random.Random(11)
    with zipfile.ZipFile(io.BytesIO(template().render(data(5)).to_bytes())) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    victims = [name for name in parts if name.endswith((".xml", ".rels"))]
    for _ in range(300):
        name = dice.choice(victims)
        bad = bytearray(parts[name])
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(bad))
            bad[at : at + dice.randint(0, 3)] = dice.choice([b"", b"<", b"A1", b'"', b"999999999999", b"\x00", b"&x;"])
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for other, content in parts.items():
                target.writestr(other, bytes(bad) if other == name else content)
        try:
            read(out.getvalue())
        except ReadBackError:
            continue


def test_a_line_of_many_fields_takes_no_more_time_than_its_text_is_long() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.append(["填报日期：{{ a }}年{{ b }}月{{ c }}日{{ d }}时止"])
    sheet.append(["单位", "{{ unit }}"])
    book.save(out)
    form = open_template(out.getvalue(), kind="xlsx")
    sheet["A1"], sheet["B2"] = "填报日期：" + "年月日时" * 5_000, "示例有限公司"
    book.save(out)
    started = time.process_time()
    raw: Any = form.read(out.getvalue(), name="返回.xlsx")
    assert time.process_time() - started < 1
    assert [issue.code for issue in raw.issues] == ["GF614"]
    assert str(raw.issues[0].fact) == "the line '填报日期：…年…月…日…时止' of the form is not there"
    assert plain(raw) == {"unit": "示例有限公司"}


@pytest.mark.parametrize("number_format", ["General", "@", "0.00"])
def test_a_number_below_a_text_is_no_text_of_another_cell(number_format: str) -> None:
    """Excel writes numbers without a kind, and texts as numbers of shared texts."""

    def draw(rows: list[list[Any]]) -> bytes:
        out = io.BytesIO()
        with xlsxwriter.Workbook(out) as book:
            sheet, look = book.add_worksheet(), book.add_format({"num_format": number_format})
            for row, values in enumerate(rows):
                for column, value in enumerate(values):
                    sheet.write(row, column, value, look)
        return out.getvalue()

    heading = ["名称", "电话"]
    form = open_template(
        draw([heading, ["{%tr for c in cs %}"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"]]), kind="xlsx"
    )
    typed: list[Any] = ["0512", 1, True, None, 3.5, "文字", 0, 99]
    raw: Any = form.read(draw([heading, *[[f"甲{k}", value] for k, value in enumerate(typed)]]), name="返回.xlsx")
    read = [(item.entries["v"].kind, item.entries["v"].text) for item in raw.entries["cs"].items]
    assert read == [("text", "0512"), ("number", "1"), ("bool", "是"), ("text", ""), ("number", "3.5"), ("text", "文字"), ("number", "0"), ("number", "99")]  # fmt: skip
