"""Chinese text: numerals, dates, and the forms under which names and headings are compared.

Nothing here changes what is printed: `normal_name` and `normal_heading` give keys for matching only.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

__all__ = [
    "half_width", "normal_heading", "normal_name", "parse_chinese_number", "parse_date", "strip_outer",
]  # fmt: skip

_DIGITS = "〇一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_VALUES = {char: value for value, char in enumerate(_DIGITS)} | {"零": 0, "○": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3}
_CHINESE_NUMBER = re.compile(r"[〇零○一二两三四五六七八九十百千万亿]+")


def parse_chinese_number(text: str) -> int | None:
    """Return the value of 二〇二三 (digit by digit) or 二百零五 (counting); None for anything else."""
    if not _CHINESE_NUMBER.fullmatch(text):
        return None
    if all(char in _VALUES for char in text):
        return int("".join(str(_VALUES[char]) for char in text)) if len(text) <= 18 else None
    total = group = digit = 0
    for char in text:
        if char in _VALUES:
            digit = _VALUES[char]
        elif char in "十百千":
            group += (digit or 1) * 10 ** _UNITS.index(char)
            digit = 0
        else:
            total += (group + digit or 1) * (10_000 if char == "万" else 10**8)
            group = digit = 0
    return total + group + digit


_DATE = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
)
_CHINESE_DATE = re.compile(
    r"([〇零○一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
_SPACES_IN_DATE = re.compile(r"(?<=[\d年月])[ \u3000](?=[\d年月日])")


def parse_date(text: str) -> dt.date | None:
    """Return the date that 2023-2-10, 2023/2/10, 2023.2.10, 2023年2月10日 or 二〇二三年二月十日 says; None else.

    Full-width digits are read as digits. Two-digit years and day-first order are never guessed.
    """
    text = _SPACES_IN_DATE.sub("", half_width(text.strip()))
    match = _DATE.fullmatch(text)
    if match:
        year, month, day = (int(part) for part in match.groups() if part is not None)
    elif match := _CHINESE_DATE.fullmatch(text):
        year, month, day = (parse_chinese_number(part) or 0 for part in match.groups())
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


_HALF = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20, 0xA0: 0x20}


def half_width(text: str) -> str:
    """Return the text with full-width letters, digits, signs and spaces as their ASCII twins; all else as it is."""
    return text if text.isascii() else text.translate(_HALF)


_BRACKETS = str.maketrans("[]{}【】〔〕﹝﹞（）", "()()()()()()")
_DOTS = str.maketrans("•・‧∙⋅", "·····")
_GAPS = re.compile(r"[\s\u00a0\u3000\u200b\u200c\u200d\u2060\ufeff]+")


def normal_name(name: str) -> str:
    """Return the key under which two spellings of a unit's name are the same: brackets, widths and inner spaces.

    Middle dots are one dot, Latin letters fold case. For matching only; what is printed stays as typed.

    >>> normal_name("日立电梯 ( 成都 ) 有限公司") == normal_name("日立电梯（成都）有限公司")
    True
    """
    text = unicodedata.normalize("NFKC", name).translate(_BRACKETS)
    text = _GAPS.sub("", text).casefold().translate(_DOTS)
    return unicodedata.normalize("NFKC", text)  # what stood on both sides of a gap may combine


def normal_heading(heading: str) -> str:
    """Return a heading or key as it is looked up: NFKC, no spaces or line breaks, lower case, plain brackets.

    >>> normal_heading("地 区") == normal_heading("地区")
    True
    """
    text = unicodedata.normalize("NFKC", heading).translate(_BRACKETS)
    return _GAPS.sub("", text).casefold().strip("*:：")


def strip_outer(text: str) -> str:
    """Return the text without the blanks around it, NBSP and the ideographic space among them."""
    return text.strip(" \t\r\n\u00a0\u3000\u200b\ufeff")
