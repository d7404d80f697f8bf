"""Indicators of green factories (绿色工厂指标) as versioned data: which there are, their unit, which direction is better.

Source: GB/T 36132-2018 annex A (names corroborated, formulas not re-read) and the indicator table of GB/T 36132-2025 as entered on the
national platform (second-hand). They check names and units and fill the notice's list of figures to watch; no limit is taken from them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

__all__ = ["SETS", "TABLE_FIGURES", "IndicatorSpec", "find_indicator", "get_set"]

Better = Literal["high", "low", ""]


@dataclass(frozen=True, slots=True)
class IndicatorSpec:
    """An indicator of a standard: `units` are those its figures are usually given in, the first the most usual."""

    name: str
    group: str
    units: tuple[str, ...]
    better: Better


def _set(rows: Iterable[tuple[str, str, tuple[str, ...], Better]]) -> tuple[IndicatorSpec, ...]:
    return tuple(IndicatorSpec(name, group, units, better) for group, name, units, better in rows)


GBT36132_2018 = _set([
    ("用地集约化", "容积率", ("", "/"), "high"),
    ("用地集约化", "建筑密度", ("%",), "high"),
    ("用地集约化", "单位用地面积产值", ("万元/公顷", "万元/ha", "万元/m²"), "high"),
    ("原料无害化", "绿色物料使用率", ("%",), "high"),
    ("生产洁净化", "单位产品主要污染物产生量", (), "low"),
    ("生产洁净化", "单位产品废气产生量", (), "low"),
    ("生产洁净化", "单位产品废水产生量", (), "low"),
    ("废物资源化", "单位产品主要原材料消耗量", (), "low"),
    ("废物资源化", "工业固体废物综合利用率", ("%",), "high"),
    ("废物资源化", "废水处理回用率", ("%",), "high"),
    ("能源低碳化", "单位产品综合能耗", (), "low"),
    ("能源低碳化", "单位产品碳排放量", (), "low"),
])  # fmt: skip

GBT36132_2025 = _set([
    ("能源低碳化", "单位产品综合能耗", (), "low"),
    ("能源低碳化", "单位产值综合能耗", ("千克标准煤/万元", "kgce/万元", "吨标准煤/万元"), "low"),
    ("能源低碳化", "单位产值碳排放量", ("kgCO₂/万元", "千克二氧化碳/万元", "吨二氧化碳/万元"), "low"),
    ("能源低碳化", "可再生能源利用率", ("%",), "high"),
    ("能源低碳化", "能碳管理系统平台功能符合数量", ("项",), "high"),
    ("资源高效化", "单位产值取水量", ("m³/万元", "立方米/万元"), "low"),
    ("资源高效化", "工业用水重复利用率", ("%",), "high"),
    ("资源高效化", "一般工业固体废物综合利用率", ("%",), "high"),
    ("生产洁净化", "采用目录内先进技术和设备的数量", ("项",), "high"),
    ("生产洁净化", "近3年绿色低碳改造升级年平均项目数量", ("项",), "high"),
    ("生产洁净化", "绿色低碳改造升级项目投资额占比", ("%",), "high"),
    ("产品绿色化", "开展碳足迹核算产品类别占比", ("%",), "high"),
    ("用地集约化", "单位用地面积产值", ("万元/m²", "万元/公顷"), "high"),
    ("用地集约化", "建筑系数", ("%",), "high"),
    ("用地集约化", "容积率", ("", "/"), "high"),
])  # fmt: skip

PARKS = _set([
    ("园区", "单位工业增加值综合能耗", ("吨标准煤/万元",), "low"),
    ("园区", "单位工业增加值二氧化碳排放量", ("吨二氧化碳/万元",), "low"),
    ("园区", "非化石能源消费占比", ("%",), "high"),
    ("园区", "绿色工厂占比", ("%",), "high"),
])  # fmt: skip

SUPPLY_CHAINS = _set([
    ("供应链", "绿色供应商占比", ("%",), "high"),
    ("供应链", "绿色评价供应商数", ("家",), "high"),
    ("供应链", "绿色采购额占比", ("%",), "high"),
])  # fmt: skip

TABLE_FIGURES = (
    "单位工业增加值综合能耗", "工业用水重复利用率", "一般工业固体废物综合利用率", "绿色工厂占比",
    "绿色供应商占比", "绿色评价供应商数", "绿色采购额占比",
)  # fmt: skip
"""The figures that annex 3 has columns for, on its sheets 园区 and 供应链."""

SETS: dict[str, tuple[IndicatorSpec, ...]] = {"GB/T 36132-2018": GBT36132_2018, "GB/T 36132-2025": GBT36132_2025}


def get_set(year: int) -> tuple[str, tuple[IndicatorSpec, ...]]:
    """Return the standard in use for figures of `year` and its indicators: the 2025 edition counts from 2026 on."""
    name = "GB/T 36132-2025" if year >= 2026 else "GB/T 36132-2018"
    return name, SETS[name]


@cache
def _by_name() -> dict[str, IndicatorSpec]:
    return {spec.name: spec for specs in (*SETS.values(), PARKS, SUPPLY_CHAINS) for spec in specs}


def find_indicator(name: str) -> IndicatorSpec | None:
    """Return the indicator of that name in any edition, or None."""
    return _by_name().get(name)
