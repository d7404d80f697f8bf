"""Python values as cells: the right type, the text exactly as typed, never a formula.

A cell's tail is all that follows `<c r="B7"`: style, type and value. Whole columns of a list are written at once
where their values are alike, one by one where they are not.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal

from gfdocs.engine.language import IllegalCharacter, check_characters, find_illegal
from gfdocs.engine.xlsx.sheet import escape_text
from gfdocs.engine.xlsx.workbook import Styles
from gfdocs.errors import Text

MAX_TEXT = 32_767
MAX_DIGITS = 15
_DIGIT_LIMIT = 10**MAX_DIGITS

#: First characters that a spreadsheet may read as the start of a formula, full-width forms included.
FORMULA_STARTS = "=+-@\t\r＝＋－＠"

_ODD_START = re.compile(f"\n[ \u00a0\u3000{re.escape(FORMULA_STARTS)}]")
_X_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")

Variant = Literal["quote", "date", "datetime", "time", "duration"]
Content = int | float | str | bool | None

_EPOCH_1900 = dt.date(1899, 12, 30).toordinal()
_EPOCH_1904 = dt.date(1904, 1, 1).toordinal()
VARIANT_FORMATS = {
    "date": "yyyy\\-mm\\-dd",
    "datetime": "yyyy\\-mm\\-dd\\ hh:mm:ss",
    "time": "hh:mm:ss",
    "duration": "[h]:mm:ss",
}


class CellFault(Exception):
    """A value that no cell can hold; the text says why."""

    def __init__(self, code: str, fact: Text, hint: Text | None = None) -> None:
        self.code, self.fact, self.hint = code, fact, hint or Text("")


@dataclass
class StyleVariants:
    """Cell styles that a rendering needs beyond the template's: the same with `quotePrefix`, or with a date format."""

    count: int
    found: dict[tuple[str, Variant], str] = field(default_factory=dict)

    def get(self, style: str, variant: Variant) -> str:
        """Return the style index for `style` in this variant; the same style where the workbook has none to vary."""
        if not self.count:
            return style
        key = (style or "0", variant)
        if key not in self.found:
            self.found[key] = str(self.count + len(self.found))
        return self.found[key]


def date_serial(day: dt.date, *, is_1904: bool) -> int | None:
    """Return the day's number in the workbook's calendar; None before its first day (1900-01-01 or 1904-01-01).

    The 1900 calendar counts a 29 February 1900 that never was, so days before 1900-03-01 are one less.
    """
    if is_1904:
        serial = day.toordinal() - _EPOCH_1904
        return serial if serial >= 0 else None
    serial = day.toordinal() - _EPOCH_1900
    if serial < 61:
        serial -= 1
    return serial if serial >= 1 else None


def _day_fraction(moment: dt.time | dt.datetime) -> float:
    return (moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6) / 86400


def number_text(number: float) -> str:
    """Return a number as `<v>` has it: shortest form that reads back the same."""
    if isinstance(number, float) and number.is_integer() and abs(number) < _DIGIT_LIMIT:
        return str(int(number))
    return repr(number) if isinstance(number, float) else str(int(number))


def check_text(text: str) -> None:
    """Raise CellFault where a cell cannot hold the text: more than 32,767 characters (GF264); IllegalCharacter for
    characters no office file may hold.
    """
    check_characters(text)
    units = len(text) + sum(ord(char) > 0xFFFF for char in text) if len(text) * 2 > MAX_TEXT else len(text)
    if units > MAX_TEXT:
        raise CellFault(
            "GF264",
            Text(
                f"the text has {units:,} characters, a cell holds {MAX_TEXT:,}",
                f"文本长 {units:,} 字，单元格上限 {MAX_TEXT:,} 字",
            ),
            Text("shorten it or split it over several cells", "请缩短或分到多个单元格"),
        )


def write_text(text: str) -> str:
    """Escape a text for `<t>`: XML, and `_x` of what would be read as `_xHHHH_`."""
    if "_x" in text:
        text = _X_ESCAPE.sub("_x005F_", text)
    text = escape_text(text)
    return text.replace("\r", "_x000D_") if "\r" in text else text


def needs_space(text: str) -> bool:
    return text != text.strip() or "\n" in text or "\t" in text or "  " in text


@dataclass
class CellWriter:
    """Writes values as cells of one worksheet. `prefix` is the namespace prefix of its elements."""

    styles: Styles
    is_1904: bool
    variants: StyleVariants
    prefix: str = ""

    def get_content(self, value: Any, style: str) -> Content:
        """Return what the cell will hold: a number, a text, a truth value or nothing. Dates are numbers."""
        return self._classify(value, style)[0]

    def _classify(self, value: Any, style: str) -> tuple[Content, Variant | None]:
        kind = type(value)
        if kind is str:
            return (value or None), None
        if value is None:
            return None, None
        if kind is bool:
            return value, None
        if isinstance(value, str):
            return (str.__str__(value) or None), None
        if isinstance(value, dt.date | dt.time | dt.timedelta):
            return self._classify_time(value, style)
        if self.styles.is_text(style):
            return (str(value) or None), None
        if isinstance(value, Decimal):
            return _classify_decimal(value), None
        if isinstance(value, Integral):
            number = int(value)
            return (number if abs(number) < _DIGIT_LIMIT else str(number)), None
        if isinstance(value, Real):
            real = float(value)
            return (real if math.isfinite(real) else str(value)), None
        if hasattr(value, "item") and callable(value.item):
            return self._classify(value.item(), style)
        return (str(value) or None), None

    def _classify_time(self, value: dt.date | dt.time | dt.timedelta, style: str) -> tuple[Content, Variant | None]:
        if self.styles.is_text(style):
            return (value.isoformat() if not isinstance(value, dt.timedelta) else str(value)), None
        variant: Variant = "date"
        number: float | None
        if isinstance(value, dt.timedelta):
            number, variant = value.total_seconds() / 86400, "duration"
        elif isinstance(value, dt.time):
            number, variant = _day_fraction(value), "time"
        else:
            number = date_serial(value, is_1904=self.is_1904)
            if isinstance(value, dt.datetime):
                variant = "datetime"
                number = None if number is None else number + _day_fraction(value)
        if number is None or number < 0:
            return (value.isoformat() if not isinstance(value, dt.timedelta) else str(value)), None
        return number, None if self.styles.is_date(style) else variant

    def tail(self, value: Any, style: str) -> str:
        """Return the tail of a cell that holds `value`; CellFault where no cell can hold it."""
        content, variant = self._classify(value, style)
        if variant is not None:
            style = self.variants.get(style, variant)
        if isinstance(content, str):
            return self.text_tail(content, style)
        return self.content_tail(content, style)

    def content_tail(self, content: Content, style: str) -> str:
        p = self.prefix
        s = f' s="{style}"' if style else ""
        if content is None:
            return f"{s}/>"
        if isinstance(content, bool):
            return f'{s} t="b"><{p}v>{int(content)}</{p}v></{p}c>'
        if isinstance(content, str):
            return self.text_tail(content, style)
        return f"{s}><{p}v>{number_text(content)}</{p}v></{p}c>"

    def text_tail(self, text: str, style: str) -> str:
        check_text(text)
        p = self.prefix
        if text[0] in FORMULA_STARTS:
            style = self.variants.get(style, "quote")
        s = f' s="{style}"' if style else ""
        space = ' xml:space="preserve"' if needs_space(text) else ""
        return f'{s} t="inlineStr"><{p}is><{p}t{space}>{write_text(text)}</{p}t></{p}is></{p}c>'

    # -- whole columns ------------------------------------------------------------------------------------------------

    def column(
        self, values: Sequence[Any], style: str, report: Callable[[int, Exception], None]
    ) -> list[str | list[Any]]:
        """Return the tails of a column of cells as pieces to be set side by side: a text is the same for each cell.

        `report` is told the index of a value that no cell can hold; its cell stays empty.
        """
        kinds = set(map(type, values))
        if len(kinds) == 1:
            kind = kinds.pop()
            if kind is str:
                texts = write_plain_texts(values)
                if texts is not None:
                    p, s = self.prefix, f' s="{style}"' if style else ""
                    return [f'{s} t="inlineStr"><{p}is><{p}t>', texts, f"</{p}t></{p}is></{p}c>"]
            elif kind in (int, float) and not self.styles.is_text(style):
                numbers = write_plain_numbers(values, kind)
                if numbers is not None:
                    p, s = self.prefix, f' s="{style}"' if style else ""
                    return [f"{s}><{p}v>", numbers, f"</{p}v></{p}c>"]
        return [self._mixed(values, style, report)]

    def _mixed(self, values: Sequence[Any], style: str, report: Callable[[int, Exception], None]) -> list[str]:
        tails = []
        for index, value in enumerate(values):
            try:
                tails.append(self.tail(value, style))
            except (CellFault, IllegalCharacter) as fault:
                report(index, fault)
                tails.append(self.content_tail(None, style))
        return tails


def _classify_decimal(value: Decimal) -> Content:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        number = int(value)
        return number if abs(number) < _DIGIT_LIMIT else format(value, "f")
    return float(value)


def write_plain_texts(texts: Sequence[str]) -> list[bytes] | None:
    """Return the texts ready for `<t>` in UTF-8 where none needs a closer look, else None.

    A closer look: empty texts, spaces at the ends, line breaks, starts of formulas, control characters, great length.
    """
    joined = "\n".join(texts)
    if joined.count("\n") != len(texts) - 1 or (len(joined) > MAX_TEXT // 2 and max(map(len, texts)) * 2 > MAX_TEXT):
        return None
    bare = joined.replace("\n", "")
    framed = f"\n{joined}\n"
    if "\n\n" in framed:
        return None
    if not bare.isalnum():  # letters, ideographs and digits alone are plain; anything else is looked at
        if "_x" in bare or "  " in bare or " \n" in framed or _ODD_START.search(framed):
            return None
        if not bare.isprintable() and (find_illegal(joined) is not None or "\t" in bare or "\r" in bare):
            return None
        if "&" in bare or "<" in bare or ">" in bare:
            joined = escape_text(joined)
    return joined.encode().split(b"\n")


def write_plain_numbers(numbers: Sequence[Any], kind: type) -> list[bytes] | None:
    """Return the numbers as texts where all can stand in a cell as they are, else None."""
    if kind is int:
        plain = min(numbers) > -_DIGIT_LIMIT and max(numbers) < _DIGIT_LIMIT
        return list(map(b"%d".__mod__, numbers)) if plain else None
    if not all(map(math.isfinite, numbers)):
        return None
    shown = ",".join(map(repr, numbers)) + ","
    if ".0," in shown:
        shown = shown.replace(".0,", ",")
    return shown[:-1].encode().split(b",")
