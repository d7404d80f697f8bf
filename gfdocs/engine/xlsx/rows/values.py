"""Python values as cells: the right type, the text exactly as typed, never a formula.

A cell's tail is all that follows `<c r="B7"`: style, type and value. Whole columns of a list are written at once
where their values are alike, one by one where they are not.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal

from gfdocs.engine.bounds import check_printed
from gfdocs.engine.language import check_characters, find_illegal
from gfdocs.engine.xlsx.rows.turns import Column, literal
from gfdocs.engine.xlsx.template.sheet import needs_space, write_text
from gfdocs.engine.xlsx.template.tags import split_runs, without_runs
from gfdocs.engine.xlsx.template.workbook import Styles
from gfdocs.errors import Text

MAX_TEXT = 32_767
MAX_DIGITS = 15
_DIGIT_LIMIT = 10**MAX_DIGITS

#: First characters that a spreadsheet may read as the start of a formula, full-width forms included.
FORMULA_STARTS = "=+-@\t\r＝＋－＠"

_PLAIN_KINDS = frozenset({str, int, bool, type(None), dt.date})
_CELL_KINDS = frozenset({float, Decimal, dt.datetime, dt.time, dt.timedelta})

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
    if not isinstance(number, float):
        return str(int(number))
    return repr(number + 0.0).removesuffix(".0")  # + 0.0 makes 0 of -0.0


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


@dataclass
class CellWriter:
    """Writes values as cells of one worksheet. `prefix` is the namespace prefix of its elements."""

    styles: Styles
    is_1904: bool
    variants: StyleVariants
    prefix: str = ""
    _forms: dict[tuple[str, str, tuple[str, ...], bytes], bytes] = field(default_factory=dict)

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
        """Return the tail of a cell that holds `value`; CellFault where no cell can hold it, Unprintable where it has
        no text. An object of the developer's own may raise what it likes.
        """
        if type(value) not in _PLAIN_KINDS:
            if type(value) not in _CELL_KINDS:
                check_printed(value)
            self._refuse_odd(value, style)
        content, variant = self._classify(value, style)
        if variant is not None:
            style = self.variants.get(style, variant)
        if isinstance(content, str):
            return self.text_tail(content, style)
        return self.content_tail(content, style)

    def _refuse_odd(self, value: Any, style: str) -> None:
        """Raise CellFault for what a cell would hold otherwise than it is: no number at all, a time of some zone."""
        if isinstance(value, Decimal | Real) and not (
            value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
        ):
            raise CellFault(
                "GF219",
                Text(f"{value} is no number that a cell can hold", f"“{value}”不是单元格可以保存的数值"),
                Text("give None where there is no value", "没有数值时请用 None（留空）"),
            )
        if isinstance(value, dt.datetime | dt.time) and value.tzinfo is not None and not self.styles.is_text(style):
            raise CellFault(
                "GF219",
                Text(f"{value.isoformat()} has a time zone, cells have none", f"“{value.isoformat()}”带有时区，单元格不能保存时区"),
                Text("give local time: value.astimezone(zone).replace(tzinfo=None)", "请先换算为当地时间：value.astimezone(zone).replace(tzinfo=None)"),
            )  # fmt: skip

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

    def rich_tail(self, text: str, runs: tuple[str, ...], style: str) -> str:
        """Return the tail of a rich cell: the runs of the template keep their fonts (`runs` are their properties), in
        `text` a mark with the run's number stands where one begins.
        """
        p = self.prefix
        plain = without_runs(text)
        if not plain:
            return self.content_tail(None, style)
        check_text(plain)
        out = []
        for number, piece in split_runs(text):
            properties = runs[number].replace("\0", p)
            font = f"<{p}rPr>{properties}</{p}rPr>" if properties else ""
            space = ' xml:space="preserve"' if needs_space(piece) else ""
            out.append(f"<{p}r>{font}<{p}t{space}>{write_text(piece)}</{p}t></{p}r>")
        s = f' s="{style}"' if style else ""
        return f'{s} t="inlineStr"><{p}is>{"".join(out)}</{p}is></{p}c>'

    # -- whole columns ------------------------------------------------------------------------------------------------

    def plain_column(self, values: Sequence[Any], style: str) -> Column | None:
        """Return a column of cells written at once, None where its values are not alike."""
        return self._alike(values, style) or self._sparse(values, style)

    def _alike(self, values: Sequence[Any], style: str) -> Column | None:
        """Return the column where all values are plain texts, all are numbers or all are days, else None."""
        texts = write_plain_texts(values)
        if texts is not None:
            return self._cells(style, ' t="inlineStr"', ("is", "t"), texts)
        if self.styles.is_text(style):
            return None
        numbers = write_plain_numbers(values)
        if numbers is not None:
            return self._cells(style, "", ("v",), numbers)
        days = write_plain_days(values, is_1904=self.is_1904)
        if days is None:
            return None
        return self._cells(style if self.styles.is_date(style) else self.variants.get(style, "date"), "", ("v",), days)

    def _cells(self, style: str, kind: str, tags: tuple[str, ...], content: Column) -> Column:
        key = (style, kind, tags, content.form)
        form = self._forms.get(key)
        if form is None:
            s = f' s="{style}"' if style else ""
            opening = "".join(f"<{self.prefix}{tag}>" for tag in tags)
            closing = "".join(f"</{self.prefix}{tag}>" for tag in reversed(("c", *tags)))
            form = self._forms[key] = literal(f"{s}{kind}>{opening}") + content.form + literal(closing)
        return Column(form, content.values)

    def _sparse(self, values: Sequence[Any], style: str) -> Column | None:
        """Return the column where it is alike but for cells that stay empty, else None."""
        if not set(map(type, values)) & {str, type(None)}:
            return None
        blank = [value is None or (type(value) is str and not value) for value in values]
        if True not in blank:
            return None
        empty = self.content_tail(None, style).encode()
        if False not in blank:
            return Column(b"%b", [empty] * len(values))
        column = self._alike([value for value, is_blank in zip(values, blank, strict=True) if not is_blank], style)
        if column is None:
            return None
        filled = map(column.form.__mod__, column.values)
        return Column(b"%b", [empty if is_blank else next(filled) for is_blank in blank])

    def mixed_column(
        self,
        values: Sequence[Any],
        style: str,
        report: Callable[[int, Exception], None],
        write: Callable[[int, Any], str] | None = None,
    ) -> Column:
        """Return a column of cells written one by one.

        `report` is told the index of a value that no cell can hold; its cell stays empty. `write` gives the tail of a
        value, by its index, where there is more to it than the value.
        """
        tails = []
        for index, value in enumerate(values):
            try:
                tail = self.tail(value, style) if write is None else write(index, value)
                tails.append(tail.encode())
            except Exception as fault:
                report(index, fault)
                tails.append(self.content_tail(None, style).encode())
        return Column(b"%b", tails)


def _classify_decimal(value: Decimal) -> Content:
    if not value.is_finite():
        return str(value)
    if value == value.to_integral_value():
        number = int(value)
        return number if abs(number) < _DIGIT_LIMIT else format(value, "f")
    return float(value)


#: The first bytes of the characters that must not be written; surrogates have no UTF-8 at all.
_ILLEGAL_BYTES = frozenset({*range(0x20), 0xE2, 0xEF} - {0x09, 0x0A, 0x0D})
#: What a byte may be the first of that one text of a column cannot hold as it is: spaces at its ends and in rows,
#: starts of formulas, `_x` of an escape, tabs and carriage returns. Texts have a line break before and after them.
_ODD_PLACES: dict[int, tuple[bytes, ...]] = {
    0x09: (b"\t",),
    0x0D: (b"\r",),
    0x20: (b"\n ", b" \n", b"  "),
    0x5F: (b"_x",),
    0xC2: ("\n\u00a0".encode(), "\u00a0\n".encode()),
    0xE3: ("\n\u3000".encode(), "\u3000\n".encode()),
    0xEF: tuple(f"\n{char}".encode() for char in FORMULA_STARTS if char > "\u7fff"),
    **{ord(char): (f"\n{char}".encode(),) for char in FORMULA_STARTS if " " < char < "\x7f"},
}
#: The bytes of UTF-8 that want no look at all.
_PLAIN_BYTES = bytes(set(range(256)) - _ILLEGAL_BYTES - _ODD_PLACES.keys() - {*b"&<>"})
_LONG = MAX_TEXT // 4


def write_plain_texts(texts: Sequence[Any]) -> Column | None:
    """Return the texts as a column of `<t>` where all are texts and none needs a closer look, else None.

    A closer look: empty texts, spaces at the ends, line breaks, starts of formulas, control characters, great length.
    """
    try:
        joined = "\n".join(texts)
        written = joined.encode()
    except (TypeError, UnicodeEncodeError):
        return None
    framed = b"\n%b\n" % written
    if written.count(b"\n") != len(texts) - 1 or b"\n\n" in framed or _may_be_long(written):
        return None
    rare = set(written.translate(None, _PLAIN_BYTES))
    if rare:
        if any(place in framed for byte in rare & _ODD_PLACES.keys() for place in _ODD_PLACES[byte]):
            return None
        if rare & _ILLEGAL_BYTES and find_illegal(joined) is not None:
            return None
        written = written.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    return Column(b"%b", written.split(b"\n"))


def _may_be_long(written: bytes) -> bool:
    """True where there are `_LONG` bytes without a line break that begin at a multiple of as many: a text of twice
    that has such a stretch wherever it begins.
    """
    whole = len(written) // _LONG * _LONG
    return any(written.find(b"\n", at, at + _LONG) < 0 for at in range(0, whole, _LONG))


def write_plain_numbers(numbers: Sequence[Any]) -> Column | None:
    """Return the numbers as a column of `<v>` where all can stand in a cell as they are, else None."""
    kinds = set(map(type, numbers))
    if kinds == {int}:
        return Column(b"%d", numbers) if min(numbers) > -_DIGIT_LIMIT and max(numbers) < _DIGIT_LIMIT else None
    if not kinds or not kinds <= {int, float, Decimal}:
        return None
    try:
        reals = numbers if kinds == {float} else list(map(float, numbers))
    except (ValueError, OverflowError):
        return None
    if not all(map(math.isfinite, reals)):
        return None
    if kinds != {float} and not -_DIGIT_LIMIT < min(reals) <= max(reals) < _DIGIT_LIMIT:
        return None
    if not any(map(float.is_integer, reals)):
        return Column(b"%r", reals)
    shown = repr([*reals, 0.5])[1:-4]  # 0.5 leaves ", " after the last
    return Column(b"%b", shown.replace("-0.0, ", "0.0, ").replace(".0, ", ", ")[:-2].encode().split(b", "))


def write_plain_days(days: Sequence[Any], *, is_1904: bool) -> Column | None:
    """Return the days as a column of `<v>` where all are days after the calendar's odd beginning, else None."""
    if set(map(type, days)) != {dt.date}:
        return None
    epoch = _EPOCH_1904 if is_1904 else _EPOCH_1900
    serials = [day.toordinal() - epoch for day in days]
    return Column(b"%d", serials) if min(serials) >= (0 if is_1904 else 61) else None
