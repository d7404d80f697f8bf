"""Codes are judged as the standards say; python-stdnum is the second opinion."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from gfdocs.data.codes import (
    CREDIT_ALPHABET,
    SUZHOU,
    credit_check_character,
    district_keys,
    find_credit_fault,
    find_division,
    find_document_number,
    organisation_check_character,
    suggest_document_number,
    to_credit_code,
)

BODY = st.text(CREDIT_ALPHABET, min_size=15, max_size=15).map(lambda tail: "91" + tail)


@given(BODY)
def test_the_check_character_is_the_oracles(body: str) -> None:
    assert credit_check_character(body) == uscc.calc_check_digit(body)


@given(BODY, st.sampled_from(CREDIT_ALPHABET))
def test_exactly_one_check_character_passes(body: str, last: str) -> None:
    fault = find_credit_fault(body + last)

    passes = fault is None or fault.kind == "organisation"
    assert passes == (last == credit_check_character(body))


@given(BODY, st.integers(0, 16), st.sampled_from(CREDIT_ALPHABET))
def test_one_wrong_character_is_always_seen(body: str, place: int, char: str) -> None:
    code = body + credit_check_character(body)
    wrong = code[:place] + char + code[place + 1 :]

    fault = find_credit_fault(wrong)

    assert wrong == code or (fault is not None and fault.kind == "check")


def test_a_sum_that_31_divides_gives_the_check_0() -> None:
    bodies = (f"91320500M{number:08d}" for number in range(2000))
    zero = [body for body in bodies if credit_check_character(body) == "0"]

    assert zero
    assert all(uscc.calc_check_digit(body) == "0" for body in zero)


def test_the_worked_example() -> None:
    assert find_credit_fault("91350100M000100Y43") is None
    assert uscc.is_valid("91350100M000100Y43")
    fault = find_credit_fault("91350100M000100Y4Z")
    assert fault is not None
    assert (fault.kind, fault.position) == ("character", 18)


@pytest.mark.parametrize(("code", "check"), [("D2143569", "X"), ("00000000", "0"), ("M000100Y", "4")])
def test_organisation_codes(code: str, check: str) -> None:
    assert organisation_check_character(code) == check


@pytest.mark.parametrize("text", ["９１３50100m000100y43", " 9135 0100 M000 100Y43 ", "91350100-M000100Y4-3"])
def test_spellings_of_a_code(text: str) -> None:
    assert to_credit_code(text) == "91350100M000100Y43"


REAL = [
    "苏工信节能〔2021〕607号",
    "苏工信节能〔2025〕56号",
    "工信厅节函〔2023〕202号",
    "渝经信节能〔2023〕23号",
    "徐工信节能发〔2023〕26号",
]


@pytest.mark.parametrize("text", REAL)
def test_real_document_numbers_pass(text: str) -> None:
    number = find_document_number(text)

    assert number is not None
    assert str(number) == text


@pytest.mark.parametrize(
    ("text", "better"),
    [
        ("苏工信节能[2023]22号", "苏工信节能〔2023〕22号"),
        ("苏工信节能【2023】22号", "苏工信节能〔2023〕22号"),
        ("苏工信节能（2023）第022号", "苏工信节能〔2023〕22号"),
        ("苏工信节能﹝2023﹞22号", "苏工信节能〔2023〕22号"),
        ("苏工信节能［2023］22号", "苏工信节能〔2023〕22号"),
        ("苏工信节能〔23〕22号", "苏工信节能〔2023〕22号"),
        ("苏工信节能〔2023〕22", "苏工信节能〔2023〕22号"),
        ("二十二号文", ""),
        ("", ""),
    ],
)
def test_wrong_document_numbers_are_seen_and_set_right(text: str, better: str) -> None:
    assert find_document_number(text) is None
    assert suggest_document_number(text) == better


def test_suzhou_in_official_order_which_is_not_the_order_of_codes() -> None:
    codes = [division.code for division in SUZHOU]

    assert len(set(codes)) == 10
    assert codes != sorted(codes)
    assert all(re.fullmatch(r"3205\d\d", code) for division in SUZHOU for code in (division.code, *division.old_codes))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("园区", "320571"),
        ("320514", "320571"),
        ("虎丘区", "320505"),
        ("平江区", "320508"),
        ("吴江市", "320509"),
        ("无锡市", ""),
    ],
)
def test_divisions_by_name_and_old_code(text: str, code: str) -> None:
    division = find_division(text)

    assert (division.code if division else "") == code


def test_a_name_that_two_districts_share_means_neither() -> None:
    keys = district_keys([(0, ("甲市高新区", "高新区")), (1, ("乙市高新区", "高新区"))])

    assert keys == {"甲市高新区": 0, "乙市高新区": 1}
