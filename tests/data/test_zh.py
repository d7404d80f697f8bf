"""Chinese numerals and dates; keys for matching."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfdocs.data import zh
from gfdocs.engine.filters import FILTERS


@given(st.integers(0, 10**12 - 1))
def test_counting_reads_back(number: int) -> None:
    assert zh.parse_chinese_number(FILTERS["zh_number"](number)) == number


def test_digits_of_a_year() -> None:
    assert zh.parse_chinese_number("二〇二三") == zh.parse_chinese_number("二○二三") == 2023
    assert zh.parse_chinese_number("abc") is None


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_dates_read_back_in_every_form(date: dt.date) -> None:
    year = "".join("〇一二三四五六七八九"[int(digit)] for digit in str(date.year))
    month, day = (FILTERS["zh_number"](number) for number in (date.month, date.day))
    for text in (
        f"{date.year}年{date.month}月{date.day}日",
        f"{year}年{month}月{day}日",
        date.isoformat(),
        f"{date.year}/{date.month}/{date.day}",
    ):
        assert zh.parse_date(text) == date


@given(st.text(max_size=12))
def test_parse_date_never_raises(text: str) -> None:
    assert zh.parse_date(text) is None or any(char.isdigit() or char in "一二三四五六七八九" for char in text)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("日立电梯 （ 成都 ） 有限公司", "日立电梯(成都)有限公司", True),
        ("ＴＣＬ集团", "tcl集团", True),
        ("甲·乙公司", "甲•乙公司", True),
        ("甲-乙公司", "甲乙公司", False),
        ("苏州电瓷厂", "苏州电瓷厂（宿迁）", False),
        ("甲公司（二车间）", "甲公司", False),
    ],
)
def test_names_that_are_the_same(first: str, second: str, same: bool) -> None:
    assert (zh.normal_name(first) == zh.normal_name(second)) is same


@pytest.mark.parametrize("heading", ["地 区", "地区", "地\n区", "地　区", " 地区* ", "地区："])
def test_headings_through_spaces(heading: str) -> None:
    assert zh.normal_heading(heading) == "地区"


@given(st.text())
def test_keys_are_stable(text: str) -> None:
    assert zh.normal_name(zh.normal_name(text)) == zh.normal_name(text)
