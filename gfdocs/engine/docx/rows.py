"""Rows of a table, hundreds at a time: the values of a loop set between the texts that never change.

`fill_rows` is compiled (`_rows.c`) where gfdocs was installed with a C compiler at hand, and Python else. Both give the
same bytes; the compiled one takes a fifth of the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from gfdocs.engine.bounds import LONG

try:
    from gfdocs.engine.docx import _rows as compiled
except ImportError:  # no compiler was there, or this is a checkout that nobody installed
    compiled = None  # type: ignore[assignment]

__all__ = ["fill_in_python", "fill_rows", "is_compiled", "use_compiled"]

Writers = tuple[Callable[[Any], bytes], ...]
Rows = tuple[tuple[Any, ...], ...]

# Values whose text is `str` of them. Exactly these kinds: a str of another class may bring markup of its own.
_NUMBERS = frozenset((int, float, Decimal, bool, date))
_SIMPLE = _NUMBERS | {str, type(None)}

_state = {"compiled": compiled is not None}


def is_compiled() -> bool:
    """True where rows are filled by compiled code."""
    return _state["compiled"]


def use_compiled(wanted: bool) -> None:
    """Fill rows by compiled code from now on, or in Python: for measuring. ImportError where nothing was compiled."""
    if wanted and compiled is None:
        raise ImportError("gfdocs was installed without a C compiler", name="gfdocs.engine.docx._rows")
    _state["compiled"] = wanted


def fill_rows(fixed: tuple[bytes, ...], writers: Writers, rows: Rows) -> bytes:
    """Return the rows: `fixed` stands before each value and after the last of a row, `writers` print what is not plain.

    rows: a tuple of values for each row, as many as there are writers.
    """
    if _state["compiled"]:
        return compiled.fill(fixed, writers, rows, _NUMBERS, LONG)
    return fill_in_python(fixed, writers, rows)


# A few values are printed sooner one by one than together.
_FEW = 4


def fill_in_python(fixed: tuple[bytes, ...], writers: Writers, rows: Rows) -> bytes:
    """See `fill_rows`. The values of one column are mostly of one kind, and are printed together."""
    if not rows:
        return b""
    count, step = len(rows), 2 * len(writers)
    out = [fixed[0]] * (step * count + 1)
    # The end of one row and the beginning of the next are one piece.
    out[2::2] = [*fixed[1:-1], fixed[-1] + fixed[0]] * count
    out[-1] = fixed[-1]
    for at, (column, write) in enumerate(zip(zip(*rows, strict=True), writers, strict=True)):
        printed = _print_column(column) if count > _FEW else None
        out[1 + 2 * at :: step] = printed or [write(value) for value in column]
    return b"".join(out)


# Stands between values that are printed together: no value may have it, and a text of ASCII stays one.
_SEPARATOR = "\x1f"
# What no bulk can do: the ambiguous signs, and what must be refused. All of it is rare.
_BY_ITSELF = re.compile("[\u00b7\u2010-\u206f\ufffe\uffff]").search
_CONTROLS = bytes(number for number in range(0x20) if number != ord(_SEPARATOR))


def _print_column(values: Sequence[Any]) -> list[bytes] | None:
    """Return the values as the insides of `w:t`, or None where one of them needs more than escaping.

    Joined, they are encoded, looked at and escaped in a few steps whatever their number.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        joined = _SEPARATOR.join(values)
    elif kinds <= _SIMPLE:
        joined = _SEPARATOR.join(["" if value is None else str(value) for value in values])
    else:
        return None
    try:
        data = joined.encode()
    except UnicodeEncodeError:
        return None  # half a character, which is refused
    if len(data.translate(None, _CONTROLS)) != len(data) or _is_odd(joined, data):
        return None
    data = data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b'"', b"&quot;")
    printed = data.split(b"\x1f")
    return printed if len(printed) == len(values) else None


def _is_odd(joined: str, data: bytes) -> bool:
    """True where a text (and its UTF-8) has what no bulk can do: asked in the cheapest order."""
    if len(joined) == len(data):
        return False
    # Only U+2000 to U+2FFF begin with this byte.
    if b"\xe2" in data and _BY_ITSELF(joined):
        return True
    return "·" in joined or "\ufffe" in joined or "\uffff" in joined
