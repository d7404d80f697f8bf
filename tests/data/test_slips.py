"""Slips of a clerk: each is told with what to do about it, not only refused."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from tests.data.samples import SETTINGS, issues_of, load, workbook

FULL_WIDTH = SETTINGS.replace("- {name: 吴江区}", "- {name：吴江区，code：320584}")


@pytest.mark.parametrize("code", ["9.13205E+17", "9.13205e+17", "9E17"])
def test_a_credit_code_that_excel_made_a_number_is_told_as_such(tmp_path: Path, code: str) -> None:
    table = f"企业名称,统一社会信用代码,所在地\n示例甲有限公司,{code},昆山市\n"
    (issue,) = [i for i in issues_of(tmp_path, {"companies.csv": table}) if i.code == "GF140"]
    assert issue.hint is not None
    assert "Excel" in issue.hint and "文本格式" in issue.hint.zh


@pytest.mark.parametrize("code", ["91350100M000100Y4", "9135E", "E17"])
def test_a_short_code_is_not_taken_for_a_number(tmp_path: Path, code: str) -> None:
    table = f"企业名称,统一社会信用代码,所在地\n示例甲有限公司,{code},昆山市\n"
    (issue,) = [i for i in issues_of(tmp_path, {"companies.csv": table}) if i.code == "GF140"]
    assert issue.hint is not None and "Excel" not in issue.hint


def test_full_width_punctuation_in_braces_is_told_as_such(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"gfdocs.yaml": FULL_WIDTH, "companies.yaml": "[]"}
    (issue,) = [i for i in issues_of(tmp_path, files) if i.code == "GF130"]
    assert issue.place.line == 16
    assert issue.hint is not None
    assert "full-width" in issue.hint and "全角" in issue.hint.zh


def test_an_unknown_key_is_no_slip_of_punctuation(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"companies.yaml": "- {name: 示例甲有限公司, distirct: 昆山市}\n"}
    (issue,) = [i for i in issues_of(tmp_path, files) if i.code == "GF130"]
    assert issue.hint is not None and "district" in issue.hint


HINTS_OF_FIGURES = [
    ("1.2亿", "请写 12000：单位为万元"),
    ("1.2亿元", "请写 12000：单位为万元"),
    ("2000万", "只写 2000，单位已是万元"),
    ("35000000元", "请写 3500：单位为万元"),
    ("2,000万元", "只写 2,000，单位已是万元"),
    ("2000斤", "请去掉“斤”，只填数字，单位为万元"),
]


@pytest.mark.parametrize(("typed", "hint"), HINTS_OF_FIGURES, ids=[typed for typed, _ in HINTS_OF_FIGURES])
def test_a_figure_in_another_unit_is_told_with_what_it_is_in_ours(tmp_path: Path, typed: str, hint: str) -> None:
    rows = workbook([["企业名称", "所在地", "绿色化工作总结", "产值"], ["示例甲有限公司", "昆山市", "", typed]])
    (issue,) = issues_of(tmp_path, {"companies.xlsx": rows})
    assert issue.code == "GF133" and str(issue.place) == "companies.xlsx › Sheet!D2"
    assert issue.hint is not None and issue.hint.zh == hint


YEARS = [
    (dt.date(2022, 5, 1), "“常规”，再填 2022"),  # a date where a year belongs
    (dt.date(1905, 7, 14), "“常规”，再填 2022"),  # 2022 typed into a cell with a date format
    ("2022.12.31", "请只填年份：2022"),
    ("2022年5月1日", "请只填年份：2022"),
    ("明年", "请填四位年份，如 2023"),
]


@pytest.mark.parametrize(("typed", "hint"), YEARS, ids=[str(typed) for typed, _ in YEARS])
def test_a_date_for_a_year_is_told_with_the_year(tmp_path: Path, typed: object, hint: str) -> None:
    rows = workbook([["企业名称", "所在地", "列入年度"], ["示例甲有限公司", "昆山市", typed]])
    (issue,) = issues_of(tmp_path, {"companies.xlsx": rows})
    assert issue.code == "GF133"
    assert issue.hint is not None and hint in issue.hint.zh


def test_a_choice_inside_other_words_is_proposed(tmp_path: Path) -> None:
    table = "企业名称,所在地,名单级别\n示例甲有限公司,昆山市,省级绿色工厂\n"
    (issue,) = issues_of(tmp_path, {"companies.csv": table})
    assert issue.code == "GF136" and issue.hint is not None and issue.hint.zh == "是否应为“省级”？"


def test_a_row_without_a_name_is_told_at_the_cell_to_fill_in(tmp_path: Path) -> None:
    rows = workbook([["序号", "企业名称", "所在地", "行业"], [1, None, "昆山市", "纺织业"]])
    (issue,) = issues_of(tmp_path, {"companies.xlsx": rows})
    assert issue.code == "GF131" and str(issue.place) == "companies.xlsx › Sheet!B2"


def test_a_project_without_a_name_is_not_told_to_be_called_like_a_company(tmp_path: Path) -> None:
    text = "- {name: 示例甲有限公司, district: 昆山市, plan: {projects: [{due: 2023年底}]}}\n"
    (issue,) = issues_of(tmp_path, {"companies.yaml": text})
    assert issue.code == "GF131" and issue.hint is not None and "有限公司" not in issue.hint.zh


def test_names_are_told_that_no_licence_prints(tmp_path: Path) -> None:
    text = "".join(
        f"- {{name: {name}, district: 昆山市}}\n"
        for name in ("示例 甲有限公司", "示例(昆山)有限公司", "示例 （ 昆山 ） 电梯有限公司", "ABB China (Kunshan) 有限公司", "示例·甲（昆山）厂")
    )  # fmt: skip
    found = [issue for issue in issues_of(tmp_path, {"companies.yaml": text}) if issue.code == "GF155"]
    hints = [issue.hint.zh for issue in found if issue.hint is not None]
    assert [hint.split("“")[1].split("”")[0] for hint in hints] == [
        "示例甲有限公司",
        "示例（昆山）有限公司",
        "示例（昆山）电梯有限公司",
    ]
    assert {issue.severity for issue in found} == {"warning"}


@pytest.mark.parametrize("code", ["32058", "3205833", "32058A", "032058"])
def test_a_district_code_that_is_not_six_digits_is_refused(tmp_path: Path, code: str) -> None:
    settings = SETTINGS.replace("code: 320583", f"code: {code}")
    found = issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": "[]"})
    assert [issue.code for issue in found] == ["GF156"]


def test_output_and_energy_belong_to_the_summary_of_a_listed_unit_and_to_the_plan_of_a_candidate(
    tmp_path: Path,
) -> None:
    """The starter's own sheet has columns of both and a status; 产值 is a heading of either record."""
    head = ["企业名称", "所在地", "状态", "主要产品", "产值", "综合能耗"]
    rows = [["示例甲有限公司", "昆山市", None, None, 100, 5], ["示例乙有限公司", "昆山市", "培育", "电梯", 200, 7]]
    dataset = load(tmp_path, workbook([head, *rows]), "companies.xlsx")

    listed, candidate = dataset.companies
    assert listed.cultivation is None and listed.summary is not None
    assert listed.summary.output_value == Decimal(100)
    assert candidate.summary is None and candidate.cultivation is not None
    assert candidate.cultivation.energy == Decimal(7)
    assert str(dataset.place_of("companies", 0, "summary", "output_value")) == "companies.xlsx › Sheet!E2"
    assert str(dataset.place_of("companies", 1, "cultivation", "energy")) == "companies.xlsx › Sheet!F3"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("60cm", "请写 600：单位为毫米"), ("0.6米", "请写 600：单位为毫米"), ("600毫米", "只写 600，单位已是毫米")],
)
def test_the_size_of_a_plaque_is_asked_for_in_millimetres(tmp_path: Path, typed: str, hint: str) -> None:
    settings = SETTINGS + f"plaque: {{width: {typed}}}\n"
    (issue,) = issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": "[]"})
    assert issue.hint is not None and issue.hint.zh == hint


def test_one_list_in_two_files_is_told_as_such(tmp_path: Path) -> None:
    """Merged returns were saved as companies.yaml beside the companies.xlsx they came from."""
    table = "企业名称,所在地\n示例甲有限公司,昆山市\n"
    files: dict[str, str | bytes] = {
        "companies.csv": table,
        "companies.yaml": "- {name: 示例甲有限公司, district: 昆山市}\n",
    }
    (issue,) = issues_of(tmp_path, files)
    assert issue.code == "GF146" and issue.hint is not None
    assert issue.hint.zh == "请只保留一个；如 companies.yaml 与 companies.csv 是同一份名单，请只留一个文件"


def test_a_quote_that_is_not_closed_is_told_where_it_opens(tmp_path: Path) -> None:
    """YAML itself complains of the line with the next quote, half a page below."""
    settings = SETTINGS.replace("name: 苏州市工业和信息化局", 'name: "苏州市工业和信息化局').replace(
        "name: 张家港市", 'name: "张家港市"'
    )
    found = issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": "[]"})
    assert [(issue.code, issue.place.line, issue.place.column) for issue in found] == [("GF110", 6, 9)]
    assert found[0].hint is not None and "请在同一行补上" in found[0].hint.zh


def test_a_contact_on_one_line_and_a_list_without_blanks_are_told_how_they_are_written(tmp_path: Path) -> None:
    settings = SETTINGS.replace("issuer:\n", "issuer:\n  contact: 王示例 0512-65000000\n", 1)
    (issue,) = issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": "[]"})
    assert issue.code == "GF132" and issue.hint is not None and issue.hint.zh == "请写成 {name: …, phone: …}"
    settings = SETTINGS[: SETTINGS.index("  - {name: 张家港市")] + "  -张家港市\n"
    (issue,) = issues_of(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": "[]"})
    assert issue.code == "GF132" and issue.hint is not None and "横线后空一格" in issue.hint.zh


@pytest.mark.parametrize(
    ("file", "hint"),
    [
        (
            "企业名单.xlsx",
            "是否为 企业名单.xlsx？请改名为 companies.xlsx，或在 gfdocs.yaml 中写 companies: [企业名单.xlsx]",
        ),
        ("companies.xls", "请把 companies.xls 另存为 companies.xlsx"),
        ("~$companies.xlsx", "请添加，或在 gfdocs.yaml 的 companies: 下列出文件名"),
    ],
)
def test_a_list_under_another_name_is_told_how_it_is_found(tmp_path: Path, file: str, hint: str) -> None:
    (issue,) = issues_of(tmp_path, {file: workbook([["企业名称"], ["示例甲有限公司"]])})
    assert issue.code == "GF151" and issue.hint is not None and issue.hint.zh == hint


def test_a_date_shown_as_a_number_is_told_as_the_date(tmp_path: Path) -> None:
    rows = workbook([["企业名称", "所在地", "生效日期"], ["示例甲有限公司", "昆山市", 44986]])
    (issue,) = issues_of(tmp_path, {"companies.xlsx": rows})
    assert issue.code == "GF134" and issue.hint is not None and "2023-03-01" in issue.hint.zh


@pytest.mark.parametrize("heading", ["县（市、区）", "县 (市、区)", "区县", "县市区", "所在区县"])
def test_the_district_stands_under_the_headings_that_lists_use(tmp_path: Path, heading: str) -> None:
    dataset = load(tmp_path, workbook([["企业名称", heading], ["示例甲有限公司", "昆山市"]]), "companies.xlsx")
    assert dataset.companies[0].district == "昆山市" and not dataset.issues


def test_who_fills_a_table_is_not_told_the_keys_of_yaml(tmp_path: Path) -> None:
    rows = workbook([["企业名称", "所在地", "列入年度", "产值"], ["示例甲有限公司", "昆山市", "某年", "约5"]])
    found = issues_of(tmp_path, {"companies.xlsx": rows})
    assert [issue.fact.zh for issue in found] == [  # type: ignore[attr-defined]
        "“年度”应为数字，实际为“某年”",
        "“产值”应为数字，实际为“约5”",
    ]
    text = "- {name: 示例甲有限公司, district: 昆山市, year: 某年}\n"
    (issue,) = issues_of(tmp_path / "b", {"companies.yaml": text})
    assert "（year）" in issue.fact.zh  # type: ignore[attr-defined]
