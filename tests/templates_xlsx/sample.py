"""Made-up data for the workbook templates, in the shape of docs/architecture.md: nothing here is a real company's figure."""

from __future__ import annotations

import csv
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from gfdocs.engine.template import Template, open_template

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
LONGEST = "江苏省苏州市示例高端装备制造与新能源汽车零部件集团股份有限公司"  # 31 characters, the longest met in published lists
FIGURES = (
    "单位工业增加值综合能耗",
    "工业用水重复利用率",
    "一般工业固体废物综合利用率",
    "绿色工厂占比",
    "绿色供应商占比",
    "绿色评价供应商数",
    "绿色采购额占比",
)
FORMS = ("annual-table", "cultivation-table", "enrolment-table")
GATES = (
    "independent",
    "sound",
    "no_accident",
    "safety_accident",
    "environment_event",
    "inspection_problem",
    "energy_rectification",
    "dishonest",
)


@cache
def template(name: str) -> Template:
    return open_template(TEMPLATES / f"{name}.xlsx")


def company(index: int, *, full: bool = True) -> dict[str, Any]:
    """A unit with every field, or one of which only the list's own fields are known."""
    text = lambda value: value if full else ""  # noqa: E731
    number = lambda value: Decimal(value) if full else None  # noqa: E731
    answers = dict.fromkeys(GATES[:3], text("是")) | dict.fromkeys(GATES[3:], text("否"))
    name = LONGEST if index == 2 else f"示例第{index}电子有限公司"
    return {
        "index": index,
        "name": name,
        "display_name": name,
        "credit_code": text(f"9132059900000{index:04d}X"),
        "district": "示范区",
        "district_name": "示范区",
        "level": "省级",
        "level_text": "省级绿色工厂",
        "listed_in": "2022年度",
        "year": 2022,
        "industry": text("通用设备制造业"),
        "contact": {"name": text("张示例"), "phone": text("0500-12345678"), "email": ""},
        "summary": {
            "text": text("完成余热回收和屋顶光伏两个项目，单位产品能耗下降。"),
            "output_value": number("128600.5"),
            "energy": number("8420.25"),
        },
        "plan": {"text": text("单位产值能耗再下降3%。"), "projects": []},
        "main_project": {
            "name": text("储能电站一期"),
            "investment": number("1500"),
            "due": text("2023年10月"),
            "benefit": "",
        },
        "figures": {name: number("85.5") for name in FIGURES},
        "cultivation": {
            "products": text("连接器"),
            "output_value": number("45200"),
            "energy": number("2106"),
            "level": "省级",
            "year": 2023,
            "measures": text("开展自评价，建设能碳管理平台。"),
        },
        "enrolment": answers,
        "note": "",
    }


def context(
    count: int = 3, *, full: bool = True, label: str = "附件3", groups: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    companies = [company(index, full=full) for index in range(1, count + 1)]
    return {
        "document": {"id": "x", "title": "绿色工厂（园区、供应链）2022年度总结及2023年度计划汇总表", "label": label},
        "round": {"summary_year": 2022, "plan_year": 2023, "level": "省级"},
        "district": {
            "name": "示范区",
            "factories": companies,
            "parks": companies,
            "supply_chains": companies,
            "candidates": companies,
        },
        "groups": groups if groups is not None else [group("示范区", companies)],
    }


def group(name: str, companies: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": name, "district": name, "companies": companies, "count": len(companies)}


def public_groups() -> list[dict[str, Any]]:
    """The public names of the Suzhou example by district: names only, as they stand in lists."""
    (path,) = (ROOT / "examples" / "suzhou-2023").glob("companies*.csv")
    by_district: dict[str, list[dict[str, Any]]] = {}
    for index, row in enumerate(csv.DictReader(path.open(encoding="utf-8-sig")), 1):
        name, district = row["企业名称"], row["所在地"] or "所在地待核实"
        unit = {
            "index": index,
            "name": name,
            "display_name": name,
            "district_name": district,
            "level_text": "国家级绿色工厂",
            "listed_in": "第三批",
        }
        by_district.setdefault(district, []).append(unit)
    groups, number = [], 0
    for district, units in by_district.items():
        groups.append(group(district, [{**unit, "index": number + k} for k, unit in enumerate(units, 1)]))
        number += len(units)
    return groups
