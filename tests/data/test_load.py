"""What a user types comes out as typed, of the right type, with its place; what is wrong is told all at once."""

from __future__ import annotations

import datetime as dt
import pickle
import time
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gfdocs.data.load import Dataset, load_companies, load_dataset
from gfdocs.data.model import Category, Company, Status
from gfdocs.data.source import ILLEGAL, read_source
from gfdocs.errors import DataError, Place
from gfdocs.raw import RawMap, RawScalar
from tests.data.samples import CODE, COMPANY, SETTINGS, issues_of, load, write


def one(text: str) -> Company:
    return load_companies(text.encode(), "companies.yaml")[0]


# -- all issues in one run -----------------------------------------------------------------------------------------

TWELVE = """\
companies:
  - name: 示例一有限公司
    distirct: 昆山市
  - name: 示例二有限公司
    district: 昆山市
    credit_code: 91350100M000100Y42
  - name：示例三有限公司
    district: 昆山市
  - name: 示例四有限公司
    district: 昆仑市
    year: 22
  - name: 示例五有限公司
    district: 昆山市
    note: "不成对
  - name: 示例六有限公司
    district: 昆山市
    district: 张家港市
    summary: {energy: 2000万}
  - name: 示例七有限公司
    district: 昆山市
    effective: 2023-2-30
    category: 绿色设计产品
  - district: 昆山市
  - name: 示例八有限公司
    district: 昆山市
    note: &a x
  - name: 示例一有限公司
    district: 昆山市
"""


def test_twelve_faults_of_one_file_are_told_in_one_run_each_at_its_place(tmp_path: Path) -> None:
    found = [
        (i.code, i.place.line, i.place.column)
        for i in issues_of(tmp_path, {"companies.yaml": TWELVE})
        if i.severity == "error"
    ]

    assert found == [
        ("GF130", 3, 5),
        ("GF141", 6, 18),
        ("GF110", 7, 9),
        ("GF144", 10, 15),
        ("GF137", 11, 11),
        ("GF110", 14, 11),
        ("GF111", 17, 5),
        ("GF133", 18, 23),
        ("GF134", 21, 16),
        ("GF136", 22, 15),
        ("GF131", 23, 5),
        ("GF112", 26, 11),
        ("GF146", 27, 5),
    ]  # fmt: skip


def test_faults_of_all_files_come_together(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "gfdocs.yaml": SETTINGS.replace("year: 2022", "year: x").replace("〔2023〕", "[2023]"),
        "companies.yaml": "- {name: 甲, district: 昆仑市}\n",
        "companies-2.csv": "企业名称,所在地,年度\n乙,昆山市,22\n",
    }

    found = issues_of(tmp_path, files)

    assert [(i.place.file, i.code) for i in found if i.severity == "error"] == [
        ("gfdocs.yaml", "GF133"),
        ("gfdocs.yaml", "GF143"),
        ("companies.yaml", "GF144"),
        ("companies-2.csv", "GF137"),
    ]


def test_a_syntax_error_in_the_settings_does_not_hide_the_others(tmp_path: Path) -> None:
    broken = SETTINGS.replace("  year: 2022", "\tyear: 2022").replace("date: 2023年2月6日", "date: 2023年2月36日")

    found = issues_of(tmp_path, {"gfdocs.yaml": broken, "companies.yaml": COMPANY})

    assert [(i.code, i.place.line) for i in found if i.severity == "error"] == [("GF110", 3), ("GF134", 11)]


RECOVER = """\
companies:
  - name: 示例一
    note: a: b
  - name: 示例二
    district: 昆仑市
  - {name: 示例三, district: 昆山
  - name: 示例四
    distirct: 昆山市
    note: "x
  - name: 示例五
    district: 昆山市
compnies:
  - name: 示例六
    district
  - a
others: 1
"""


def test_reading_goes_on_after_every_syntax_error(tmp_path: Path) -> None:
    """After a list item at the next item, after the list at the next key at the margin."""
    found = issues_of(tmp_path, {"companies.yaml": RECOVER})

    assert [(i.code, i.place.line) for i in found if i.severity == "error"] == [
        ("GF110", 3), ("GF144", 5), ("GF110", 6), ("GF110", 9), ("GF110", 14), ("GF130", 16),
    ]  # fmt: skip


def test_a_thousand_syntax_errors_end_soon(tmp_path: Path) -> None:
    start = time.process_time()

    found = issues_of(tmp_path, {"companies.yaml": "- a: b: c\n" * 50_000})

    assert [issue.code for issue in found] == ["GF110"] * 100 + ["GF104"]
    assert time.process_time() - start < 3


# -- values --------------------------------------------------------------------------------------------------------

COERCED = ["0512", "010", "yes", "no", "on", "12:30:45", "1.10", ".inf", ".nan", "1_000", "0x1F", "913205E05", "2024-01-05",
           "913205051234567890", "+86", "1e3", "0o17", "TRUE", "=1+1"]  # fmt: skip


@pytest.mark.parametrize("text", COERCED)
def test_bare_words_stay_the_text_that_was_typed(text: str) -> None:
    assert one(f"- name: 示例\n  note: {text}\n  contact: {{phone: {text}}}\n").note == text
    raw = read_source(f"a: {text}\n".encode(), "a.yaml")
    assert isinstance(raw, RawMap)
    assert raw["a"] == RawScalar(text, Place("a.yaml", 1, 4))


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("甲\u2028乙").via("line separator")
@example("a\x85b").via("next line")
@example("\ufeff").via("byte order mark")
@example("R&D <节能> ]]> \U00020000 '\"").via("markup")
def test_any_text_in_quotes_survives_or_is_refused_by_name(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    quoted = "".join(c if c.isprintable() else f"\\U{ord(c):08X}" for c in quoted)
    data = f'- name: 示例\n  note: "{quoted}"\n'.encode()

    try:
        (company,) = load_companies(data)
    except DataError as error:
        assert ILLEGAL.search(text)
        codes = {issue.code for issue in error.issues}
        assert codes == {"GF107"}
    else:
        assert company.note == text


@pytest.mark.parametrize(
    "text",
    [
        "2023-2-10",
        "2023-02-10",
        "2023/2/10",
        "2023.2.10",
        "2023年2月10日",
        "二〇二三年二月十日",
        "２０２３年２月１０日",
    ],
)
def test_dates_in_all_usual_forms(text: str) -> None:
    assert one(f"- name: 示例\n  effective: {text}\n").effective == dt.date(2023, 2, 10)


@pytest.mark.parametrize(
    "text", ["2023-2-30", "23-2-10", "10/2/2023", "20230210", "2023-2", "2023年2月", "明天", "0000-01-01"]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="GF134"):
        one(f"- name: 示例\n  effective: {text}\n")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1234.5", "1234.5"),
        ("'1,234.50'", "1234.50"),
        ("-3", "-3"),
        ("１２．５", "12.5"),
        ("0.10", "0.10"),
        ("'12，345'", "12345"),
    ],
)
def test_numbers_keep_their_digits(text: str, number: str) -> None:
    company = one(f"- name: 示例\n  summary: {{energy: {text}}}\n")

    assert company.summary is not None
    assert str(company.summary.energy) == number


@pytest.mark.parametrize(
    "text",
    ["2000万", "5%", "约100", "1e5", "NaN", "Infinity", "1_000", "0x10", "'1,23'", "一百", "9" * 40, "--1", "'1 2'"],
)
def test_what_is_no_plain_number_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(DataError) as caught:
        one(f"- name: 示例\n  summary: {{energy: {text}}}\n")

    assert caught.value.issues[0].code in ("GF133", "GF137")
    assert "energy" in caught.value.issues[0].fact


def test_the_unit_is_named_in_the_hint() -> None:
    with pytest.raises(DataError, match="write 2000 alone, the unit is 万元 already"):
        one("- name: 示例\n  summary: {output_value: 2000万元}\n")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("是", True),
        ("否", False),
        ("yes", True),
        ("no", False),
        ("√", True),
        ("×", False),
        ("TRUE", True),
        ("off", False),
    ],
)
def test_yes_and_no_in_many_words(word: str, value: bool) -> None:
    company = one(f"- name: 示例\n  enrolment: {{sound: {word}}}\n")

    assert company.enrolment is not None
    assert company.enrolment.sound is value


@pytest.mark.parametrize(
    ("word", "category"),
    [("绿色工厂", Category.FACTORY), ("factory", Category.FACTORY), ("3A级绿色工厂", Category.FACTORY), ("绿色园区", Category.PARK),
     ("PARK", Category.PARK), ("绿色供应链", Category.SUPPLY_CHAIN), ("supply_chain", Category.SUPPLY_CHAIN)],
)  # fmt: skip
def test_categories_by_all_their_names(word: str, category: Category) -> None:
    assert one(f"- name: 示例\n  category: {word}\n").category is category


@pytest.mark.parametrize(
    ("word", "level"),
    [("国家级", "国家级"), ("国家", "国家级"), ("省", "省级"), ("city", "市级"), ("~", ""), ('""', "")],
)
def test_levels_have_one_spelling(word: str, level: str) -> None:
    assert one(f"- name: 示例\n  level: {word}\n").level == level


def test_nothing_is_not_a_text() -> None:
    company = one("- {name: 示例, note: ~, industry: null, former_name: , batch: '~', english_name: 'null'}\n")

    assert (company.note, company.industry, company.former_name) == ("", "", "")
    assert (company.batch, company.english_name) == ("~", "null")


# -- keys ----------------------------------------------------------------------------------------------------------


def test_chinese_keys_mean_what_english_keys_mean() -> None:
    english = one(
        f"- {{name: 示例, credit_code: {CODE}, contact: {{name: 张三, phone: 1}}, status: removed, plan: {{text: x}}}}\n"
    )
    chinese = one(
        f"- {{企业名称: 示例, 统一社会信用代码: {CODE}, 联系人: 张三, 联系电话: 1, 状态: 移出, 下年度计划: {{下年度目标: x}}}}\n"
    )

    assert english == chinese
    assert english.status is Status.REMOVED


@pytest.mark.parametrize(
    "key", ["名 称", "企 业 名 称", "企业（单位）名称", "企业(单位)名称", "NAME", "Company_Name", "名称："]
)
def test_keys_are_found_through_spaces_widths_and_case(key: str) -> None:
    assert one(f'- {{"{key}": 示例}}\n').name == "示例"


def test_flat_keys_go_into_the_record_they_belong_to() -> None:
    company = one(
        "- {name: 示例, 培育级别: 国家, 上年度产值（万元）: 5, 联系人: {姓名: 张三}, 计划投资: 3, 下年度重点项目: 光伏}\n"
    )

    assert company.cultivation is not None
    assert (company.cultivation.level, company.cultivation.output_value) == ("国家级", Decimal(5))
    assert company.contact.name == "张三"
    assert company.plan is not None
    assert [(p.name, p.investment) for p in company.plan.projects] == [("光伏", Decimal(3))]


@pytest.mark.parametrize(
    "text",
    ["deadlines:\n  annual-table: 2023-02-24\n  cover: {date: 2023年2月25日, note: 盖章}\n",
     "deadlines:\n  - {document: annual-table, date: 2023-02-24}\n  - {文件: cover, 截止日期: 2023-02-25, 说明: 盖章}\n"],
)  # fmt: skip
def test_deadlines_by_document_or_as_a_list(tmp_path: Path, text: str) -> None:
    data = load(tmp_path, **{"gfdocs.yaml": SETTINGS + text})  # type: ignore[arg-type]

    assert [(d.document, d.date.day, d.note) for d in data.settings.deadlines] == [
        ("annual-table", 24, ""),
        ("cover", 25, "盖章"),
    ]
    assert str(data.place_of("deadlines", 1, "date")).startswith("gfdocs.yaml:1")


def test_districts_may_be_names_alone(tmp_path: Path) -> None:
    head = SETTINGS.partition("districts:")[0]

    data = load(tmp_path, **{"gfdocs.yaml": head + "districts: [昆山市, 张家港市]\n"})  # type: ignore[arg-type]

    assert [d.name for d in data.settings.districts] == ["昆山市", "张家港市"]


# -- districts and companies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name"),
    [("昆山市", "昆山市"), ("昆山", "昆山市"), ("320583", "昆山市"), ("苏州市昆山市", "昆山市"), ("江苏省苏州市昆山", "昆山市"),
     ("工业园区", "苏州工业园区"), ("SIP", "苏州工业园区"), ("320514", "苏州工业园区"), ("320584", "吴江区"), ("吴江市", "吴江区"),
     ("苏州市", ""), ("江苏", ""), ("", "")],
)  # fmt: skip
def test_a_district_answers_to_its_names_and_codes(tmp_path: Path, text: str, name: str) -> None:
    assert load(tmp_path, f'- {{name: 示例, district: "{text}"}}\n').companies[0].district == name


@pytest.mark.parametrize("text", ["江苏省南京市", "昆山市玉山镇", "高新区", "320502", "宿迁"])
def test_a_district_is_never_guessed(tmp_path: Path, text: str) -> None:
    found = issues_of(tmp_path, {"companies.yaml": f"- {{name: 苏州示例（昆山）有限公司, district: {text}}}\n"})

    assert [issue.code for issue in found] == ["GF144"]


def test_no_district_is_a_warning_and_the_company_stays(tmp_path: Path) -> None:
    data = load(tmp_path, "- {name: 昆山示例有限公司}\n")

    assert [(i.code, i.severity) for i in data.issues] == [("GF145", "warning")]
    assert data.companies[0].district == ""


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("name: 示例（苏州）有限公司", "name: 示例 ( 苏州 ) 有限公司", "GF146"),
        (f"name: 甲, credit_code: {CODE}", f"name: 乙, credit_code: {CODE}", "GF146"),
        (f"name: 甲, credit_code: {CODE}", f"name: 甲, credit_code: {CODE}", "GF146"),
        (f"name: 甲, credit_code: {CODE}", f"name: 乙, credit_code: {CODE}, category: park", "GF146"),
        (f"name: 甲, credit_code: {CODE}", f"name: 甲, credit_code: {CODE}, category: supply_chain", None),
        ("name: 甲", "name: 甲, category: park", None),
        ("name: 甲公司", "name: 甲分公司", None),
    ],
)
def test_the_same_company_twice_names_both_places(tmp_path: Path, first: str, second: str, code: str | None) -> None:
    text = f"- {{{first}, district: 昆山}}\n"
    files: dict[str, str | bytes] = {"companies.yaml": text, "companies-b.yaml": f"\n- {{{second}, district: 昆山}}\n"}

    found = [issue for issue in issues_of(tmp_path, files) if issue.severity == "error"]

    assert [issue.code for issue in found] == ([code] if code else [])
    if code:
        assert str(found[0].place) == "companies-b.yaml:2:3"
        assert found[0].also == (Place("companies.yaml", 1, 3),)


def test_warnings_do_not_stop_a_large_file_and_are_counted(tmp_path: Path) -> None:
    data = load(tmp_path, "".join(f"- name: 示例{n}有限公司\n" for n in range(1500)))

    assert len(data.companies) == 1500
    assert len(data.issues) == 201
    assert data.issues[-1].fact == "1300 more of GF145 in this file"


# -- places --------------------------------------------------------------------------------------------------------

PLACES = """\
companies:
# a comment
  - name: 示例一有限公司

    district: 昆山市
  -   企业名称: 示例二有限公司
      district: 昆山市
      联系电话: 0512
      indicators:
        - {name: 能耗, current: 1}
        -   name: 水耗
            current: 2
  - {name: "示例三", district: 昆山市,
     note: x}
"""
TABLE = """\
企业名称,地区,联系电话
示例四,昆山市,1

"示例五",昆山,2
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("companies", 0), "companies.yaml:3:5"),
        (("companies", 0, "district"), "companies.yaml:5:15"),
        (("companies", 0, "credit_code"), "companies.yaml:3:5"),
        (("companies", 1, "name"), "companies.yaml:6:13"),
        (("companies", 1, "contact", "phone"), "companies.yaml:8:13"),
        (("companies", 1, "indicators", 1, "current"), "companies.yaml:12:22"),
        (("companies", 1, "indicators", 0, "current"), "companies.yaml:10:31"),
        (("companies", 2, "note"), "companies.yaml:14:12"),
        (("companies", 3, "name"), "companies-2.csv:2:1"),
        (("companies", 4, "contact", "phone"), "companies-2.csv:4:10"),
        (("round", "year"), "gfdocs.yaml:3:9"),
        (("districts", 1, "code"), "gfdocs.yaml:14:23"),
        (("source", "count"), "gfdocs.yaml:8:3"),
    ],
)
def test_every_value_knows_where_it_stands(tmp_path: Path, path: tuple[str | int, ...], place: str) -> None:
    data = load(tmp_path, PLACES, **{"companies-2.csv": TABLE})  # type: ignore[arg-type]

    assert str(data.place_of(*path)) == place
    assert str(pickle.loads(pickle.dumps(data)).place_of(*path)) == str(data.place_of(*path))


def test_places_are_right_after_a_windows_line_end_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeff" + PLACES.replace("\n", "\r\n")

    data = load(tmp_path, text.encode())

    assert str(data.place_of("companies", 1, "indicators", 1, "current")) == "companies.yaml:12:22"


# -- folders -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", ["missing", "", "a\x00b", "gfdocs.yaml"])
def test_a_folder_that_is_none(tmp_path: Path, folder: str) -> None:
    (tmp_path / "gfdocs.yaml").touch()

    with pytest.raises(DataError) as caught:
        load_dataset(tmp_path / folder)

    assert caught.value.issues[0].code in ("GF101", "GF102", "GF103")


@pytest.mark.parametrize("text", ["", "   \n", "# x\n", "x", "- a\n", "~", "42", "companies", '""'])
def test_settings_of_the_wrong_kind(tmp_path: Path, text: str) -> None:
    found = issues_of(tmp_path, {"gfdocs.yaml": text, "companies.yaml": COMPANY})

    assert {issue.code for issue in found if issue.severity == "error"} <= {"GF103", "GF132"}
    assert found


def test_company_files_named_in_the_settings(tmp_path: Path) -> None:
    settings = SETTINGS + "companies: [data/b.yaml, data/a.csv]\n"

    data = load(
        tmp_path,
        "- {name: 不读, district: 昆山}\n",
        **{
            "gfdocs.yaml": settings,
            "data/a.csv": "名称,地区\n甲,昆山\n",
            "data/b.yaml": "企业: [{name: 乙, district: 昆山}]\n",
        },
    )  # type: ignore[arg-type]

    assert [company.name for company in data.companies] == ["乙", "甲"]


@pytest.mark.parametrize("name", ["../secret.yaml", "/etc/passwd", "C:\\x.yaml", "link.yaml", "a\\0b"])
def test_company_files_stay_inside_the_folder(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "secret.yaml"
    outside.write_text(COMPANY, encoding="utf-8")
    folder = tmp_path / "project"
    settings = SETTINGS + f"companies: ['{name}']\n".replace("'a\\0b'", '"a\\0b"')
    write(folder, {"gfdocs.yaml": settings})
    (folder / "link.yaml").symlink_to(outside)

    with pytest.raises(DataError) as caught:
        load_dataset(folder)

    assert {issue.code for issue in caught.value.issues} <= {"GF152", "GF107"}


def test_records_equal_those_that_pydantic_makes(tmp_path: Path) -> None:
    text = f"""\
- {{name: 示例, credit_code: {CODE}, district: 昆山, contact: {{name: a}}, summary: {{energy: 1.50, projects: [{{name: x}}]}},
   plan: {{projects: [光伏]}}, indicators: [{{name: i, current: 3}}], cultivation: {{year: 2024}}, enrolment: {{sound: 是}}}}
""".replace("[光伏]", "[{name: 光伏}]")
    data = load(tmp_path, text)

    for record in (data.settings, *data.companies):
        assert type(record).model_validate(record.model_dump()) == record
        assert record.model_fields_set <= set(type(record).model_fields)


def test_the_dataset_is_frozen_and_says_what_it_is(tmp_path: Path) -> None:
    data = load(tmp_path)

    assert repr(data) == "<Dataset 示例省第三批绿色工厂: 1 companies, 0 issues>"
    assert isinstance(data, Dataset)
    with pytest.raises(AttributeError):
        data.companies = ()  # type: ignore[misc]


def test_hints_name_what_may_be_written(tmp_path: Path) -> None:
    settings = SETTINGS + '  - {code: "320584"}\nplaque: {width: -5}\n'
    companies = "- {name: 示例甲, district: 无此区, level: 省极}\n"
    found = {issue.code: issue for issue in issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": companies})}

    assert found["GF136"].hint == 'did you mean "省级"?'
    assert found["GF144"].hint.zh == "应为：张家港市、昆山市、苏州工业园区、吴江区"
    assert "大于 0" in found["GF137"].fact.zh
