"""Columns of a table that hold figures of an indicator: `单位产品综合能耗（千克标准煤/件）上年度`, `指标：吨纸耗水量（吨）目标`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from gfdocs.data.indicators import find_indicator

__all__ = ["FigureColumn", "find_figure_column", "mentions_year"]

_YEARS = {
    "last": ("上年度指标值", "上年度值", "上年度", "上一年度", "上一年", "上年值", "上年", "去年"),
    "current": ("本年度指标值", "本年度值", "本年度", "本年值", "本年", "当年", "今年"),
    "target": ("下年度目标值", "下年度目标", "下年目标值", "下年目标", "下年度", "目标值", "目标"),
}
_FIELDS = {word: field for field, words in _YEARS.items() for word in words}
_YEAR = "|".join(sorted(_FIELDS, key=len, reverse=True))
# 目标 at the beginning is a name's own: 目标完成率.
_BEFORE = "|".join(word for word in _YEAR.split("|") if not word.startswith("目标"))
_MARK = r"[·・\-—_:：]?"
_HEADING = re.compile(
    rf"(?P<marked>指标[:：])?(?P<before>{_BEFORE})?{_MARK}(?P<name>..+?){_MARK}(?P<within>{_YEAR})?"
    rf"(?:[（(](?P<unit>[^（）()]*)[)）])?{_MARK}(?P<after>{_YEAR})?"
)
_GAPS = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class FigureColumn:
    """What a column holds: the figures of one indicator for one year. `field` is last, current or target."""

    name: str
    unit: str
    field: str


@lru_cache(maxsize=4096)
def find_figure_column(heading: str) -> FigureColumn | None:
    """Return what a heading says, None where it is no indicator's.

    An indicator of GB/T 36132 (绿色工厂评价通则) is known by its name; any other is written `指标：name（unit）year`. Without
    a word for the year the figures are this year's.

    >>> find_figure_column("上年度 单位产值取水量（m³/万元）")
    FigureColumn(name='单位产值取水量', unit='m³/万元', field='last')
    """
    found = _HEADING.fullmatch(_GAPS.sub("", heading))
    if found is None:
        return None
    years = [found[group] for group in ("before", "within", "after") if found[group]]
    if len(years) > 1 or not (found["marked"] or find_indicator(found["name"])):
        return None
    return FigureColumn(found["name"], found["unit"] or "", _FIELDS[years[0]] if years else "current")


def mentions_year(heading: str) -> bool:
    """True where a heading has a word for last year, this year or a target: it may be meant as an indicator's."""
    return re.search(_YEAR, heading) is not None
