"""A name is condensed, then broken at a sensible place, then set smaller; never clipped."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfdocs.engine.svg.fit import Fit, break_penalties, em_width, fit_text

NAME = Fit(width=490, lines=3, smallest=14, condense=0.85, leading=1.25, height=84)


def width_of(line: str, size: float, scale: float) -> float:
    return sum(map(em_width, line)) * size * scale


def test_a_short_name_stays_as_drawn() -> None:
    fitted = fit_text("示例电子有限公司", 37, NAME)

    assert fitted is not None
    assert (fitted.lines, fitted.size, fitted.scale) == (("示例电子有限公司",), 37, 1.0)


def test_a_name_a_little_too_long_is_condensed_before_it_is_broken() -> None:
    fitted = fit_text("张家港市示例纺织实业有限公司", 37, NAME)  # 14 × 37 = 518 > 490

    assert fitted is not None
    assert len(fitted.lines) == 1 and fitted.size == 37
    assert 0.85 <= fitted.scale < 1


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("三菱电机自动化机器制造（常熟）有限公司", ("三菱电机自动化机器制造", "（常熟）有限公司")),
        ("霍尼韦尔-码捷（苏州）科技有限公司示例", None),
        ("示例高端装备制造科技（苏州工业园区）有限公司", ("示例高端装备制造科技", "（苏州工业园区）有限公司")),
        (
            "示例样板智能化绿色生产基地有限公司（原示例样板印染厂）",
            ("示例样板智能化绿色生产基地有限公司", "（原示例样板印染厂）"),
        ),
        ("SAMPLE Precision Components Manufacturing (Suzhou) Co., Ltd.", None),
    ],
)
def test_a_long_name_is_broken_where_a_reader_would(name: str, lines: tuple[str, ...] | None) -> None:
    fitted = fit_text(name, 37, NAME)

    assert fitted is not None and len(fitted.lines) == 2
    assert "".join(fitted.lines).replace(" ", "") == name.replace(" ", "")
    if lines:
        assert fitted.lines == lines


def test_a_line_never_begins_with_a_closing_mark_nor_splits_a_word() -> None:
    costs = break_penalties("示例（苏州）ABC有限公司")

    assert costs[2] == 0  # before （
    assert costs[3] is None  # after （
    assert costs[5] is None  # before ）
    assert costs[6] == 0  # after ）
    assert costs[7] is costs[8] is None  # within ABC
    assert costs[9] == 0  # before the legal form
    assert (costs[10] or 0) > 0.5  # within it


def test_what_cannot_fit_is_told_not_clipped() -> None:
    assert fit_text("示" * 200, 37, NAME) is None
    assert fit_text("W" * 60, 37, NAME) is None  # one word: no place to break, too long at the smallest size


def test_a_text_without_limits_keeps_its_size() -> None:
    assert fit_text("", 37, NAME) is not None
    fitted = fit_text("   ", 37, NAME)
    assert fitted is not None and fitted.lines == ("",)


NAMES = st.text(
    st.sampled_from("江苏省苏州市昆山张家港示例精密电子新材料科技（）·-—，ABCWi 19&有限公司股份集团é̈한カ"),
    min_size=1,
    max_size=80,
)


@settings(max_examples=400)
@given(NAMES, st.floats(5, 80), st.floats(60, 600), st.integers(1, 4), st.floats(0.6, 1))
def test_no_line_is_ever_wider_than_its_room_and_nothing_is_lost(
    text: str, size: float, width: float, lines: int, condense: float
) -> None:
    fit = Fit(width=width, lines=lines, smallest=2, condense=condense)
    fitted = fit_text(text, size, fit)
    if fitted is None:
        return

    assert len(fitted.lines) <= lines
    assert 2 <= fitted.size <= size or fitted.size == size
    assert condense - 1e-3 <= fitted.scale <= 1
    assert all(width_of(line, fitted.size, fitted.scale) <= width * 1.0005 for line in fitted.lines)
    assert "".join("".join(fitted.lines).split()) == "".join(text.split())


@settings(max_examples=300)
@given(st.text(min_size=1, max_size=40))
def test_any_text_can_be_measured_and_broken(text: str) -> None:
    fitted = fit_text(text, 10, Fit(width=40, lines=3))

    assert fitted is None or all(not unicodedata.combining(line[0]) for line in fitted.lines[1:] if line)


def test_latin_is_measured_by_its_letters_and_chinese_by_the_em() -> None:
    assert em_width("苏") == em_width("（") == em_width("“") == 1
    assert em_width("i") < em_width("n") < em_width("W")
    assert em_width("\u0301") == 0
    assert em_width("ｱ") == 0.5
