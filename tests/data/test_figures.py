"""Indicators in a flat table: a column for each figure, as clerks keep them in Excel."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from gfdocs.data.figures import FigureColumn, find_figure_column
from tests.data.samples import issues_of, load, workbook
from tests.data.test_tables import rows_of

ENERGY, WATER = "单位产品综合能耗", "工业用水重复利用率"


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        (f"{ENERGY}（千克标准煤/件）上年度", (ENERGY, "千克标准煤/件", "last")),
        (f"{ENERGY}上年度（千克标准煤/件）", (ENERGY, "千克标准煤/件", "last")),
        (f"上年度{ENERGY}（千克标准煤/件）", (ENERGY, "千克标准煤/件", "last")),
        ("单位产值取水量\n（m³/万元）·本年度", ("单位产值取水量", "m³/万元", "current")),
        (f"{WATER} (%) 下年度目标", (WATER, "%", "target")),
        (WATER, (WATER, "", "current")),
        ("指标：吨纸耗水量（吨）目标值", ("吨纸耗水量", "吨", "target")),
        ("指标:目标完成率（%）", ("目标完成率", "%", "current")),
    ],
)
def test_headings_that_name_a_figure(heading: str, column: tuple[str, str, str]) -> None:
    assert find_figure_column(heading) == FigureColumn(*column)


@pytest.mark.parametrize(
    "heading",
    [
        "",
        "目标",
        "上年度",
        "指标名称",
        "指标",
        "本年度研发投入（万元）",
        "上年度产值（万元）",
        f"上年度{ENERGY}目标",
        "指标：",
    ],
)
def test_headings_that_name_none(heading: str) -> None:
    assert find_figure_column(heading) is None


def test_each_figure_goes_to_its_indicator_and_an_empty_cell_makes_none() -> None:
    head = f"企业名称,所在地,{ENERGY}（千克标准煤/件）上年度,{ENERGY}（千克标准煤/件）本年度,{WATER}（%）,指标：吨纸耗水量（吨）目标"
    (first, second, third), issues = rows_of(
        f"{head}\n示例甲,昆山,2.86,2.71,91.5,\n示例乙,昆山,,,  ,7\n示例丙,昆山,,,,\n"
    )

    assert [(i.name, i.unit, i.last, i.current, i.target) for i in first.indicators] == [
        (ENERGY, "千克标准煤/件", Decimal("2.86"), Decimal("2.71"), None),
        (WATER, "%", None, Decimal("91.5"), None),
    ]
    assert [(i.name, i.target) for i in second.indicators] == [("吨纸耗水量", Decimal(7))]
    assert third.indicators == ()
    assert not issues


def test_a_figure_that_is_none_is_told_at_its_cell(tmp_path: Path) -> None:
    rows = f"企业名称,所在地,{WATER}（%）本年度,{ENERGY}（吨/件）本年度\n示例甲,昆山市,,约两吨\n示例乙,昆山市,一半,3\n"

    issues = issues_of(tmp_path, {"companies.csv": rows})

    assert [(issue.place.line, issue.place.column) for issue in issues] == [(2, 10), (3, 9)]
    assert all("本年度指标值" in issue.fact.zh for issue in issues)


def test_places_of_figures_are_those_of_their_cells(tmp_path: Path) -> None:
    head = ["企业名称", "所在地", f"{WATER}（%）上年度", f"{ENERGY}（吨/件）", "备注"]
    rows = [head, ["示例甲", "昆山市", 90, 3], ["示例乙", "昆山市", " ", 4, "迁址"]]

    dataset = load(tmp_path, workbook(rows), "companies.xlsx")

    assert [[i.name for i in c.indicators] for c in dataset.companies] == [[WATER, ENERGY], [ENERGY]]
    assert dataset.place_of("companies", 0, "indicators", 1, "current").path == ("Sheet!D2",)
    assert dataset.place_of("companies", 1, "indicators", 0, "current").path == ("Sheet!D3",)
    assert dataset.place_of("companies", 0, "indicators", 0, "target").path == ("Sheet!C2",)


def test_a_text_in_a_column_for_all_indicators_is_told_and_hides_nothing(tmp_path: Path) -> None:
    rows = f"企业名称,所在地,关键指标,{WATER}（%）\n示例甲,昆山市,见附表,91\n示例乙,昆山市,,92\n"

    issues = issues_of(tmp_path, {"companies.csv": rows})

    assert [(issue.severity, issue.place.line, issue.place.column) for issue in issues] == [("error", 2, 9)]


def test_two_heading_rows_name_indicator_and_year() -> None:
    rows = [
        ["企业名称", "所在地", f"{ENERGY}（千克标准煤/件）", "", "", f"{WATER}（%）", ""],
        ["", "", "上年度", "本年度", "下年度目标", "上年度", "本年度"],
        ["示例甲", "昆山市", 2.86, 2.71, 2.6, 90, 91],
    ]
    (company,), issues = rows_of(workbook(rows), "companies.xlsx")

    assert [(i.name, i.last, i.current, i.target) for i in company.indicators] == [
        (ENERGY, Decimal("2.86"), Decimal("2.71"), Decimal("2.6")),
        (WATER, Decimal(90), Decimal(91), None),
    ]
    assert not issues


def test_two_columns_for_one_figure_are_refused_and_a_column_meant_so_is_told_how(tmp_path: Path) -> None:
    rows = f"企业名称,所在地,{WATER}（%）本年度,{WATER}本年度,本年度用气量（立方米）\n示例甲,昆山市,1,2,3\n"

    issues = issues_of(tmp_path, {"companies.csv": rows})

    assert [issue.code for issue in issues] == ["GF122", "GF121"]
    assert f"indicators.{WATER}.current" in issues[0].fact
    assert "指标：" in issues[1].hint
