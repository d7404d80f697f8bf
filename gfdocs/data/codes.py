"""Codes of Chinese administration: 统一社会信用代码, 发文字号, 区划代码. Check, normalise, say what is wrong.

Sources: GB 32100-2015 (credit code), GB 11714 (organisation code), GB/T 9704-2012 7.2.5 (document number), and the
division codes of Suzhou as published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from gfdocs.data.zh import half_width, normal_name

__all__ = [
    "CREDIT_ALPHABET", "SUZHOU", "Division", "DocumentNumber", "credit_check_character", "find_division",
    "find_document_number", "organisation_check_character", "to_credit_code",
]  # fmt: skip

# -- 统一社会信用代码, GB 32100-2015 ------------------------------------------------------------------------------

CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I O S V Z
_CREDIT_VALUES = {char: value for value, char in enumerate(CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(pow(3, index, 31) for index in range(17))
# The weighted value of every character at every place, so that a check is 17 look-ups.
_CREDIT_TERMS = tuple({c: v * weight for c, v in _CREDIT_VALUES.items()} for weight in _CREDIT_WEIGHTS)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)


def to_credit_code(text: str) -> str:
    """Return the text in the form of a credit code: half-width, upper case, without spaces and hyphens."""
    return re.sub(r"[\s\u00a0\u3000-]+", "", half_width(text)).upper()


def credit_check_character(code: str) -> str:
    """Return the 18th character that the first 17 of `code` ask for (GB 32100-2015, annex A).

    The outer remainder matters: where the sum is a multiple of 31 the check is 0, not character 31.
    KeyError where one of the 17 is outside the alphabet.
    """
    total = sum(terms[char] for terms, char in zip(_CREDIT_TERMS, code, strict=False))
    return CREDIT_ALPHABET[-total % 31]


def organisation_check_character(code: str) -> str:
    """Return the 9th character that the first 8 of an organisation code ask for (GB 11714): 0-9 or X."""
    total = sum(weight * int(char, 36) for weight, char in zip(_ORGANISATION_WEIGHTS, code, strict=False))
    check = 11 - total % 11
    return {10: "X", 11: "0"}.get(check, str(check))


class CreditFault(NamedTuple):
    """What is wrong with a credit code: `length` | `character` | `check` | `organisation`, with what belongs to it."""

    kind: str
    found: str
    expected: str
    position: int = 0


def find_credit_fault(code: str) -> CreditFault | None:
    """Return the first fault of a credit code in its normal form, None where it is right.

    A wrong `organisation` character (places 9-17) is a doubt only: some codes given out early do not keep it.

    >>> find_credit_fault("91350100M000100Y43") is None
    True
    >>> find_credit_fault("91350100M000100Y42").expected
    '3'
    """
    if len(code) != 18:
        return CreditFault("length", str(len(code)), "18")
    for position, char in enumerate(code, 1):
        if char not in _CREDIT_VALUES:
            return CreditFault("character", char, CREDIT_ALPHABET, position)
    check = credit_check_character(code)
    if check != code[17]:
        return CreditFault("check", code[17], check, 18)
    check = organisation_check_character(code[8:16])
    if check != code[16]:
        return CreditFault("organisation", code[16], check, 17)
    return None


# -- 发文字号, GB/T 9704-2012 7.2.5 --------------------------------------------------------------------------------

_NUMBER = re.compile(r"([\u4e00-\u9fff]{2,12})〔((?:19|20)\d{2})〕([1-9]\d*)号")
_NEAR_NUMBER = re.compile(
    r"\s*([\u4e00-\u9fff]{1,12}?)\s*[〔\[【(（﹝［{]\s*(\d{2}|\d{4})\s*年?\s*[〕\]】)）﹞］}]\s*第?\s*0*([1-9]\d*)\s*号?\s*"
)


class DocumentNumber(NamedTuple):
    """A 发文字号 in its parts: 机关代字, 年份, 发文顺序号."""

    mark: str
    year: int
    serial: int

    def __str__(self) -> str:
        return f"{self.mark}〔{self.year}〕{self.serial}号"


def find_document_number(text: str) -> DocumentNumber | None:
    """Return the parts of a well-formed 发文字号, None where it is not: 苏工信节能〔2023〕22号.

    Refused: brackets other than U+3014/3015, 第, leading zeros, years of two digits.
    """
    match = _NUMBER.fullmatch(text)
    return DocumentNumber(match[1], int(match[2]), int(match[3])) if match else None


def suggest_document_number(text: str) -> str:
    """Return the well-formed number that was probably meant, or "": 苏工信[2023]第022号 → 苏工信〔2023〕22号."""
    match = _NEAR_NUMBER.fullmatch(half_width(text))
    if not match:
        return ""
    year = int(match[2]) if len(match[2]) == 4 else 2000 + int(match[2])
    suggestion = str(DocumentNumber(match[1], year, int(match[3])))
    return suggestion if find_document_number(suggestion) else ""


# -- 区划代码 ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Division:
    """A county-level division: its code, its name, other names it goes by, and codes it had or is given in tables."""

    code: str
    name: str
    names: tuple[str, ...] = ()
    old_codes: tuple[str, ...] = ()


# 苏州市, in the official order, which is not the order of the codes. 320571 is a statistical code only; 320514 and
# 320501 are found in systems of the city; 320584 was 吴江市 until 2012; 姑苏区 merged 沧浪, 平江 and 金阊 in 2012.
SUZHOU: tuple[Division, ...] = (
    Division("320582", "张家港市", ("张家港",)),
    Division("320581", "常熟市", ("常熟",)),
    Division("320585", "太仓市", ("太仓",)),
    Division("320583", "昆山市", ("昆山",)),
    Division("320509", "吴江区", ("吴江", "吴江市"), ("320584",)),
    Division("320506", "吴中区", ("吴中",)),
    Division("320507", "相城区", ("相城",)),
    Division(
        "320508", "姑苏区", ("姑苏", "沧浪区", "平江区", "金阊区"), ("320501", "320502", "320503", "320504")
    ),
    Division("320571", "苏州工业园区", ("工业园区", "园区", "SIP"), ("320514",)),
    Division(
        "320505", "苏州高新区（虎丘区）", ("苏州高新区", "高新区", "虎丘区", "虎丘", "高新区（虎丘区）", "高新区虎丘区")
    ),
)  # fmt: skip


def find_division(text: str, divisions: Iterable[Division] = SUZHOU) -> Division | None:
    """Return the division that a name, short name, code or obsolete code stands for, None where there is none."""
    wanted = normal_name(text)
    for division in divisions:
        if wanted in (division.code, *division.old_codes) or wanted in map(
            normal_name, (division.name, *division.names)
        ):
            return division
    return None


def district_keys(names: Iterable[tuple[int, Iterable[str]]]) -> Mapping[str, int]:
    """Return matching key → index for districts given as (index, names and codes); a key that two share is left out."""
    keys: dict[str, int] = {}
    shared: set[str] = set()
    for index, texts in names:
        for key in {normal_name(text) for text in texts if text}:
            if keys.setdefault(key, index) != index:
                shared.add(key)
    return {key: index for key, index in keys.items() if key not in shared}
