"""Chinese numerals, dates, widths; keys for matching."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfdocs.data import zh


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "零"), (1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (99, "九十九"), (101, "一百零一"), (110, "一百一十"), (1010, "一千零一十"),
     (10_001, "一万零一"), (10_010, "一万零一十"), (101_000, "十万一千"), (20_000_000, "二千万"), (100_010_000, "一亿零一万"), (-3, "负三")],
)  # fmt: skip
def test_counting(number: int, text: str) -> None:
    assert zh.to_chinese_number(number) == text


@given(st.integers(0, 10**12 - 1))
def test_counting_reads_back(number: int) -> None:
    assert zh.parse_chinese_number(zh.to_chinese_number(number)) == number


def test_digits_of_a_year() -> None:
    assert zh.to_chinese_digits(2023) == "二〇二三"
    assert zh.parse_chinese_number("二○二三") == 2023
    assert zh.parse_chinese_number("abc") is None


@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_dates_read_back_in_every_form(date: dt.date) -> None:
    for text in (
        zh.to_date_text(date),
        zh.to_chinese_date(date),
        date.isoformat(),
        f"{date.year}/{date.month}/{date.day}",
    ):
        assert zh.parse_date(text) == date


@given(st.text(max_size=12))
def test_parse_date_never_raises(text: str) -> None:
    assert zh.parse_date(text) is None or any(char.isdigit() or char in "一二三四五六七八九" for char in text)


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("甲乙", 4), ("（原）", 6), ("e\u0301", 1), ("a\u200bb", 2), ("𠀀", 2), ("", 0)]
)
def test_widths_in_half_columns(text: str, width: int) -> None:
    assert zh.display_width(text) == width


@given(st.text(), st.integers(2, 40))
def test_truncating_keeps_within_the_width(text: str, columns: int) -> None:
    assert zh.display_width(zh.truncate_width(text, columns)) <= columns


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
