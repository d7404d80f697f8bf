"""Tables as districts send them: titles above, merged headings, GBK, formulas, numbers for codes."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest

from gfdocs.data.load import load_companies, load_dataset, records_from_raw
from gfdocs.data.model import Category, Company, Settings
from gfdocs.data.source import read_source
from gfdocs.errors import DataError, Issue, Place
from gfdocs.raw import RawList, RawMap, RawScalar
from tests.data.samples import CODE, COMPANY, load, to_bytes, workbook, write


def rows_of(
    data: str | bytes, name: str = "companies.csv", settings: Settings | None = None
) -> tuple[tuple[Company, ...], list[Issue]]:
    issues: list[Issue] = []
    raw = data.encode() if isinstance(data, str) else data
    return load_companies(raw, name, settings=settings, issues=issues), issues


VARIANTS = [
    "企业名称",
    "公司名称",
    "单位名称",
    "工厂名称",
    "企业（单位）名称",
    "企业(单位)名称",
    "企 业 名 称",
    "company_name",
    "name",
]


@pytest.mark.parametrize("heading", VARIANTS)
def test_headings_of_published_lists(heading: str) -> None:
    companies, _ = rows_of(f"序号,{heading},地 区\n1,示例甲,昆山\n")

    assert [(c.name, c.district) for c in companies] == [("示例甲", "昆山")]


@pytest.mark.parametrize(("mark", "encoding"), [(",", "utf-8"), (";", "utf-8-sig"), ("\t", "gb18030")])
def test_delimiters_and_encodings(mark: str, encoding: str) -> None:
    text = f'企业名称{mark}地区{mark}备注\r\n示例甲{mark}昆山{mark}"a{mark}""b""\nc"\r\n'

    companies, issues = rows_of(text.encode(encoding))

    assert companies[0].note == f'a{mark}"b"\nc'
    assert [issue.code for issue in issues] == (["GF106"] if encoding == "gb18030" else [])


def test_title_rows_totals_groups_and_remarks_are_no_companies() -> None:
    text = "附件2\n示例省第三批绿色工厂名单\n序号,企业名称,所在地,备注\n一、昆山市（2家）\n1,示例甲,昆山,\n2,示例乙,昆山,\n小计,2,,\n,合计,2家,\n注：以上为示意\n3,,,\n"

    companies, issues = rows_of(text)

    assert [c.name for c in companies] == ["示例甲", "示例乙"]
    assert [(i.code, i.severity, str(i.place)) for i in issues] == [
        ("GF123", "note", "companies.csv:4:1"),
        ("GF123", "note", "companies.csv:9:1"),
    ]


def test_two_columns_for_the_district_the_one_that_names_it_counts(tmp_path: Path) -> None:
    text = (
        "企业名称,地区,所在地市,所在区县\n示例甲,江苏省,苏州市,昆山市\n示例乙,张家港市,苏州市,\n示例丙,江苏省,苏州市,\n"
    )

    data = load(tmp_path, text, "companies.csv")

    assert [c.district for c in data.companies] == ["昆山市", "张家港市", ""]
    assert [(i.code, str(i.place)) for i in data.issues] == [("GF145", "companies.csv:4:1")]


def test_a_slash_in_a_cell_means_nothing() -> None:
    companies, issues = rows_of("企业名称,统一社会信用代码,综合能耗,年度,失信被执行人\n示例甲,/,—,/,／\n")

    assert (companies[0].credit_code, companies[0].year, issues) == ("", None, [])


def test_enrolment_columns_become_one_record() -> None:
    companies, _ = rows_of("企业名称,状态,经营状况良好,失信被执行人\n示例甲,培育,√,否\n")

    enrolment = companies[0].enrolment
    assert enrolment is not None
    assert (enrolment.sound, enrolment.dishonest, enrolment.independent) == (True, False, None)


# -- workbooks -----------------------------------------------------------------------------------------------------


def returned_form() -> bytes:
    """A form as it comes back: title, two heading rows with merges, dates, numbers, merged districts, other sheets."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "绿色工厂"
    sheet.append(["附件3"])
    sheet.append(["2022年度绿色工厂汇总表（示意）"])
    sheet.merge_cells("A2:H2")
    sheet.append(
        ["序号", "企业名称", "所在地", "统一社会信用代码", "联系人信息", None, "上年度综合能耗（吨标准煤）", "生效日期"]
    )
    sheet.append([None, None, None, None, "联系人", "联系电话", None, None])
    for column in "ABCDGH":
        sheet.merge_cells(f"{column}3:{column}4")
    sheet.merge_cells("E3:F3")
    sheet.append([1, "示例甲有限公司", "昆山市", CODE, "王五", "0512-1", 1234.5, dt.date(2023, 2, 10)])
    sheet.append([2, " 示例乙有限公司\u00a0", None, None, "王五", 51212345678, 10.2, dt.datetime(2023, 2, 10, 8)])
    sheet.append([3, "=示例", None, None, None, None, "１２", "2023年2月10日"])
    sheet["B7"].data_type = "s"
    sheet.merge_cells("C5:C6")
    parks = book.create_sheet("绿色园区")
    parks.append(["名称", "地区"])
    parks.append(["示例园区", "SIP"])
    book.create_sheet("说明").append(["填表说明"])
    hidden = book.create_sheet("选项")
    hidden.append(["国家级"])
    hidden.sheet_state = "hidden"
    return to_bytes(book)


def test_a_returned_form_is_read_as_a_person_reads_it(tmp_path: Path) -> None:
    data = load(tmp_path, returned_form(), "companies.xlsx")

    first, second, third, park = data.companies
    assert (first.name, first.district, first.credit_code, first.contact.name, first.contact.phone) == (
        "示例甲有限公司",
        "昆山市",
        CODE,
        "王五",
        "0512-1",
    )
    assert (first.summary and first.summary.energy, first.effective, first.category) == (
        Decimal("1234.5"),
        dt.date(2023, 2, 10),
        Category.FACTORY,
    )
    assert (second.name, second.district, second.contact.phone, second.effective) == (
        "示例乙有限公司",
        "昆山市",
        "51212345678",
        dt.date(2023, 2, 10),
    )
    assert second.summary is not None
    assert str(second.summary.energy) == "10.2"
    assert (third.name, third.district, third.effective) == ("=示例", "", dt.date(2023, 2, 10))
    assert (park.name, park.district, park.category) == ("示例园区", "苏州工业园区", Category.PARK)
    assert [(i.code, i.severity) for i in data.issues if i.severity != "note"] == [("GF145", "warning")]


def test_cells_know_their_places(tmp_path: Path) -> None:
    data = load(tmp_path, returned_form(), "companies.xlsx")

    assert str(data.place_of("companies", 0, "credit_code")) == "companies.xlsx › 绿色工厂!D5"
    assert str(data.place_of("companies", 1, "contact", "phone")) == "companies.xlsx › 绿色工厂!F6"
    assert str(data.place_of("companies", 1, "district")) == "companies.xlsx › 绿色工厂!C5"  # merged down from there
    assert str(data.place_of("companies", 3)) == "companies.xlsx › 绿色园区!2"


def test_formulas_errors_and_long_numbers_are_refused_each_with_its_cell() -> None:
    rows = [
        ["企业名称", "备注", "统一社会信用代码"],
        ["示例甲", "=1+1", 913205000000000012],
        ["示例乙", "#N/A", "91350100M000100Y43"],
        ["示例丙", "=HYPERLINK(1)", None],
    ]

    with pytest.raises(DataError) as caught:
        rows_of(workbook(rows), "表.xlsx")

    assert [(i.code, str(i.place)) for i in caught.value.issues] == [
        ("GF126", "表.xlsx › Sheet!B2"),
        ("GF125", "表.xlsx › Sheet!C2"),
        ("GF126", "表.xlsx › Sheet!B3"),
        ("GF126", "表.xlsx › Sheet!B4"),
    ]


@pytest.mark.parametrize(
    "number", [0.1, 10.199999999999999, 1e-7, 123456789012345, -5, 2022, 1e14, 0.30000000000000004]
)
def test_numbers_read_as_excel_shows_them(number: float) -> None:
    companies, _ = rows_of(workbook([["企业名称", "备注"], ["示例", number]]), "a.xlsx")

    assert "e" not in companies[0].note.lower()
    assert Decimal(companies[0].note) == Decimal(format(number, ".15g"))


def test_the_1904_calendar() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([["企业名称", "生效日期"], ["示例", None]])))
    book.epoch = dt.datetime(1904, 1, 1)
    sheet = book.active
    assert sheet is not None
    sheet["B2"] = dt.date(2023, 2, 10)

    companies, _ = rows_of(to_bytes(book), "a.xlsx")

    assert companies[0].effective == dt.date(2023, 2, 10)


def test_a_hidden_sheet_of_companies_is_reported_and_not_read(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook([["企业名称", "地区"], ["示例甲", "昆山"]])))
    hidden = book.create_sheet("旧数据")
    hidden.append(["企业名称", "地区", "备注"])
    hidden.append(["示例乙有限公司", "昆山", "x"])
    hidden.sheet_state = "veryHidden"

    data = load(tmp_path, to_bytes(book), "companies.xlsx")

    assert [c.name for c in data.companies] == ["示例甲"]
    assert [(i.code, str(i.place)) for i in data.issues] == [("GF128", "companies.xlsx › 旧数据")]


def test_a_workbook_written_by_another_hand() -> None:
    """XlsxWriter writes shared strings, rich text and booleans in its own way."""
    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet("甲")
    sheet.write_row(0, 0, ["企业名称", "备注", "失信被执行人", "生效日期"])
    sheet.write_rich_string(1, 0, "示例", book.add_format({"bold": True}), "粗体公司")
    sheet.write_string(1, 1, "a_x0041_b\x0bc".replace("\x0b", ""))
    sheet.write_boolean(1, 2, False)
    sheet.write_datetime(1, 3, dt.datetime(2023, 2, 10), book.add_format({"num_format": 'yyyy"年"m"月"d"日"'}))
    book.close()

    companies, _ = rows_of(stream.getvalue(), "a.xlsx")

    company = companies[0]
    assert (company.name, company.note, company.effective) == ("示例粗体公司", "a_x0041_bc", dt.date(2023, 2, 10))
    assert company.enrolment is not None
    assert company.enrolment.dishonest is False


def test_read_source_of_a_table_gives_rows_by_heading() -> None:
    raw = read_source("附件\n企业名称,地 区\n示例甲,昆山\n".encode(), "a.csv")

    assert isinstance(raw, RawList)
    row = raw.items[0]
    assert isinstance(row, RawMap)
    assert row["地 区"] == RawScalar("昆山", Place("a.csv", 3, 5), quoted=True)
    assert row.keys["地 区"] == Place("a.csv", 2, 6)


# -- returned forms, as the engine reads them ----------------------------------------------------------------------


def raw_map(sheet: str, row: int, **cells: str) -> RawMap:
    entries = {
        name: RawScalar(text, Place("附件3.xlsx", path=(f"{sheet}!{chr(65 + column)}{row}",)), kind="text")
        for column, (name, text) in enumerate(cells.items())
    }
    return RawMap(dict(entries), Place("附件3.xlsx", path=(f"{sheet}!{row}",)))


def test_records_from_what_a_form_says(tmp_path: Path) -> None:
    settings = load(tmp_path).settings
    place = Place("附件3.xlsx")
    factories = RawList(
        (
            raw_map("工厂", 5, name="示例甲", district="昆山市", index="1", credit_code=CODE),
            raw_map("工厂", 6, name="", district=""),
            raw_map("工厂", 7, name="示例乙", district="昆仑市", year="22"),
        ),
        place,
    )
    parks = RawList((raw_map("园区", 5, name="示例园区", district="SIP"),), place)
    raw = RawMap({"district": RawMap({"factories": factories, "parks": parks}, place)}, place)

    companies, issues, _ = records_from_raw(raw, settings)

    assert [(c.name, c.district, c.category) for c in companies] == [
        ("示例甲", "昆山市", Category.FACTORY),
        ("示例乙", "", Category.FACTORY),
        ("示例园区", "苏州工业园区", Category.PARK),
    ]
    assert [(i.code, str(i.place)) for i in issues] == [
        ("GF144", "附件3.xlsx › 工厂!B7"),
        ("GF137", "附件3.xlsx › 工厂!C7"),
    ]


def scalar(text: str, cell: str = "工厂!B5") -> RawScalar:
    return RawScalar(text, Place("附件3.xlsx", path=(cell,)))


def named(**entries: RawScalar | RawMap | RawList) -> RawMap:
    return RawMap(dict(entries), Place("附件3.xlsx", path=("工厂!5",)))


def test_what_a_template_adds_is_taken_back() -> None:
    """The first project and the figures by name, as docs/architecture.md has them; blank records are none."""
    company = named(
        name=scalar("示例甲"),
        index=scalar("1"),
        display_name=scalar("示例甲"),
        enrolment_verdict=scalar("待核实"),
        plan=named(text=scalar("目标")),
        main_project=named(name=scalar("光伏"), investment=scalar("1,200", "工厂!M5"), due=scalar("")),
        figures=RawMap({"绿色工厂占比": scalar("35.5"), "绿色采购额占比": scalar("")}, Place("附件3.xlsx")),
        summary=named(text=scalar(""), energy=scalar("  ")),
        contact=named(name=scalar(""), phone=scalar("")),
    )
    raw = named(groups=RawList((named(companies=RawList((company,), Place("附件3.xlsx"))),), Place("附件3.xlsx")))

    (record,), issues, _ = records_from_raw(raw)

    assert issues == ()
    assert record.plan is not None
    assert (record.plan.text, record.plan.projects[0].investment) == ("目标", Decimal(1200))
    assert [(i.name, i.current) for i in record.indicators] == [("绿色工厂占比", Decimal("35.5"))]
    assert record.summary is None


def test_a_wrong_figure_of_a_form_names_its_cell() -> None:
    project = named(name=scalar("光伏"), investment=scalar("2000万", "工厂!M5"))

    _, issues, _ = records_from_raw(
        named(companies=RawList((named(name=scalar("示例甲"), main_project=project),), Place()))
    )

    assert [(i.code, str(i.place)) for i in issues] == [("GF133", "附件3.xlsx › 工厂!M5")]


@pytest.mark.parametrize(
    ("kind", "text", "code"),
    [
        ("formula", "=1+1", "GF126"),
        ("error", "#N/A", "GF126"),
        ("number", "913205000000000012", "GF125"),
        ("number", "9.13205E+17", "GF125"),
    ],
)
def test_cells_of_a_returned_form_that_are_no_data(kind: str, text: str, code: str) -> None:
    place = Place("附件3.xlsx", path=("工厂!B5",))
    row = RawMap({"name": RawScalar("示例甲", place), "note": RawScalar(text, place, kind=kind)}, place)

    companies, issues, _ = records_from_raw(RawList((row,), place))

    assert [(c.name, c.note) for c in companies] == [("示例甲", "")]
    assert [(i.code, i.place) for i in issues] == [(code, place)]


def test_a_company_file_of_each_kind_in_one_folder(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "companies.yaml": COMPANY,
        "companies-2.csv": "企业名称,地区\n示例乙,昆山\n",
        "companies-3.xlsx": workbook([["企业名称", "地区"], ["示例丙", "昆山"]]),
        "~$companies-3.xlsx": b"lock",
        ".companies.yaml": "x",
    }

    data = load_dataset(write(tmp_path, files))

    assert [c.name for c in data.companies] == ["示例甲有限公司", "示例乙", "示例丙"]
    assert str(data.place_of("companies", 2, "name")) == "companies-3.xlsx › Sheet!A2"
