"""The filters every kind of template has beside Jinja's own: dates, numbers, amounts as Chinese papers write them.

None stays None, so that it prints nothing; a text that is not a date or number comes back as it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from jinja2.utils import pass_environment

__all__ = [
    "FILTERS",
    "amount",
    "percent",
    "round_number",
    "sum_items",
    "zh_count",
    "zh_date",
    "zh_digits",
    "zh_lines",
    "zh_number",
    "zh_year",
]

_DIGITS = "〇一二三四五六七八九"
_COUNTING = "零一二三四五六七八九"
_UNITS = ("", "十", "百", "千")
_GROUPS = ("", "万", "亿", "万亿")


def _to_date(value: Any) -> dt.date | None:
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, str):
        try:
            return dt.date.fromisoformat(value.strip()[:10])
        except ValueError:
            return None
    return None


def zh_date(value: Any, digits: bool = False) -> Any:
    """Return 2023年2月10日 (GB/T 9704 7.3.5.4: Arabic, no leading zeros); with `digits`, 二〇二三年二月十日."""
    date = _to_date(value)
    if date is None:
        return value
    if digits:
        return f"{zh_digits(date.year)}年{zh_number(date.month)}月{zh_number(date.day)}日"
    return f"{date.year}年{date.month}月{date.day}日"


def zh_year(value: Any) -> Any:
    """Return 2023年 of a date or of a year."""
    date = _to_date(value)
    if date is not None:
        return f"{date.year}年"
    return f"{value}年" if isinstance(value, int) else value


def zh_digits(value: Any) -> Any:
    """Return each digit as a Chinese numeral: 2023 → 二〇二三."""
    if value is None:
        return None
    return "".join(_DIGITS[int(char)] if char in "0123456789" else char for char in str(value))


def zh_number(value: Any) -> Any:
    """Return a whole number as Chinese numerals: 12 → 十二, 305 → 三百零五. Others come back as they are."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**16:
        return value
    if value < 0:
        return "负" + zh_number(-value)
    if value == 0:
        return "零"
    text = _write_groups(value)
    return text[1:] if text.startswith("一十") else text


def _write_groups(value: int) -> str:
    groups = [value // 10_000**place % 10_000 for place in (3, 2, 1, 0)]
    text = ""
    for place, group in enumerate(groups):
        if not group:
            continue
        # 零 stands for what is skipped between two groups: 一万零五, 一亿零三万.
        gap = bool(text) and (group < 1000 or groups[place - 1] == 0)
        text += ("零" if gap else "") + _write_group(group) + _GROUPS[3 - place]
    return text


def _write_group(group: int) -> str:
    text, zero = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            text += ("零" if zero and text else "") + _COUNTING[digit] + _UNITS[place]
            zero = False
        else:
            zero = True
    return text


def zh_count(value: Any, unit: str = "") -> Any:
    """Return a count as the prose of a notice writes it: 两 for 2 before a unit, else Chinese numerals."""
    if value == 2 and unit and not isinstance(value, bool):
        return f"两{unit}"
    text = zh_number(value)
    return text if text is None else f"{text}{unit}"


def _to_decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


# Numbers of more digits than this before or after the point are no amounts: they come back as they are.
_WIDEST = 30
# Wide enough for any of them with its places.
_EXACT = Context(prec=100)


def _is_amount(number: Decimal | None) -> bool:
    return number is not None and abs(number.adjusted()) <= _WIDEST and len(number.as_tuple().digits) <= 3 * _WIDEST


def _round(number: Decimal, places: Any, rounding: str = ROUND_HALF_UP) -> Decimal:
    step = Decimal(1).scaleb(-max(0, min(int(places), 12)))
    return number.quantize(step, rounding=rounding, context=_EXACT)


def amount(value: Any, places: int | None = None) -> Any:
    """Return a number with a comma every three digits: 1234567.5 → 1,234,567.5; `places` rounds half up."""
    number = _to_decimal(value)
    if number is None or not _is_amount(number):
        return value
    return f"{number if places is None else _round(number, places):,f}"


def percent(value: Any, places: int = 2) -> Any:
    """Return a number of hundredths with its sign, rounded half up: 12.345 → 12.35%."""
    number = _to_decimal(value)
    if number is None or not _is_amount(number):
        return value
    return f"{_round(number, places).normalize(_EXACT):f}%"


def round_number(value: Any, precision: int = 0, method: str = "common") -> Any:
    """Return the number rounded: Jinja's `round`, which for a Decimal is exact and stays a Decimal."""
    from jinja2.filters import do_round

    if isinstance(value, Decimal) and value.is_finite() and method in ("ceil", "floor"):
        rounding = ROUND_CEILING if method == "ceil" else ROUND_FLOOR
        return value.quantize(Decimal(1).scaleb(-precision), rounding=rounding, context=Context(prec=1000))
    return do_round(value, precision, method)  # type: ignore[arg-type]


@pass_environment
def sum_items(environment: Any, iterable: Any, attribute: Any = None, start: Any = 0) -> Any:
    """Return the sum: Jinja's `sum`, where floats stand beside Decimals as the numbers they read as."""
    from jinja2.filters import make_attrgetter

    get = None if attribute is None else make_attrgetter(environment, attribute)
    items = list(iterable) if get is None else list(map(get, iterable))
    kinds = {start.__class__, *map(type, items)}
    if kinds <= {int, float, bool} or kinds <= {int, Decimal, bool}:
        return sum(items, start)
    for item in items:
        start = environment.call_binop(None, "+", start, item)
    return start


LONGEST_LINE = 400
"""A text of more characters is no title and no name: it is left to break by itself."""


def zh_lines(value: Any, width: float = 20) -> Any:
    """Return a title or a name as lines of at most `width` Chinese characters, broken where a reader would break it.

    The fewest lines, as even as they can be: before a bracket, after the name of a place, before 有限公司, never inside
    a Latin word or a number (GB/T 9704-2012 7.3.1: 回行时词意完整、排列对称). A text that has room stays as it is.
    """
    if not isinstance(value, str) or width < 1 or len(value) <= width:  # hardly a character is wider than 1 em
        return value
    from gfdocs.engine.svg.fit import Fit, em_width, fit_text

    lines: list[str] = []
    for line in value.split("\n"):
        needed = sum(map(em_width, line)) if len(line) <= LONGEST_LINE else 0
        fitted = None
        if needed > width:
            fitted = fit_text(line, 1.0, Fit(width=width, condense=1.0, lines=int(needed / width) + 3))
        lines.extend(fitted.lines if fitted is not None and fitted.size == 1.0 else [line])
    return "\n".join(lines)


FILTERS: dict[str, Callable[..., Any]] = {
    "zh_date": zh_date,
    "zh_year": zh_year,
    "zh_digits": zh_digits,
    "zh_number": zh_number,
    "zh_count": zh_count,
    "zh_lines": zh_lines,
    "amount": amount,
    "percent": percent,
    "round": round_number,
    "sum": sum_items,
}
