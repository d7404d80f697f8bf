"""Rows of a table, hundreds at a time: the values of a loop set between the texts that never change.

`fill_rows` is compiled (`_rows.c`) where gfdocs was installed with a C compiler at hand, and Python else. Both give the
same bytes, call the same writers in the same order, and so come to the same faults; the compiled one takes a fifth of
the time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any
from zlib import crc32

from gfdocs.engine.bounds import LONG

__all__ = ["fill_in_python", "fill_rows", "is_compiled", "pick_in_python", "pick_values", "use_compiled"]

Writers = tuple[Callable[[Any], bytes], ...]
Values = tuple[Any, ...]
"""The values of rows, row by row, one after another: as many for each as it has writers."""


def _load_compiled() -> Any:
    """Return the compiled part; None where no compiler was there, or where its source is another one by now.

    The source lies beside it in a checkout only: who pulls a newer one there goes on in Python until he installs again.
    """
    try:
        from gfdocs.engine.docx import _rows
    except ImportError:
        return None
    source = Path(__file__).with_name("_rows.c")
    known = getattr(_rows, "SOURCE", None)
    is_current = known == 0 or not source.exists() or known == crc32(source.read_bytes()) & 0x7FFFFFFF
    return _rows if is_current else None


compiled = _load_compiled()
_state = {"compiled": compiled is not None}


def is_compiled() -> bool:
    """True where rows are filled by compiled code."""
    return _state["compiled"]


def use_compiled(wanted: bool) -> None:
    """Fill rows by compiled code from now on, or in Python: for measuring. ImportError where nothing was compiled."""
    if wanted and compiled is None:
        raise ImportError("gfdocs was installed without a C compiler", name="gfdocs.engine.docx._rows")
    _state["compiled"] = wanted


# Values whose text is `str` of them. Exactly these kinds: a str of another class may bring markup of its own.
_NUMBERS = frozenset((int, float, Decimal, bool, date))
_SIMPLE = _NUMBERS | {str, type(None)}
_NUMBER_KINDS = tuple(_NUMBERS)
# How many bytes and characters are printed at once.
_ROOM = 1 << 20


def pick_values(keys: tuple[str, ...], items: tuple[Any, ...]) -> Values | None:
    """Return the values of these keys of each mapping; None where one has not all of them, or is no plain dict."""
    return compiled.pick(keys, items) if _state["compiled"] else pick_in_python(keys, items)


def pick_in_python(keys: tuple[str, ...], items: tuple[Any, ...]) -> Values | None:
    """See `pick_values`."""
    if not set(map(type, items)) <= {dict}:
        return None
    picked = map(itemgetter(*keys), items)
    try:
        return tuple(picked) if len(keys) == 1 else tuple(chain.from_iterable(picked))
    except KeyError:
        return None


def fill_rows(fixed: tuple[bytes, ...], writers: Writers, values: Values) -> Iterator[bytes]:
    """Yield the rows: `fixed` stands before each value and after the last of a row, `writers` print what is not plain.

    What is much is yielded in pieces, so that each is counted before the next is made.
    """
    if _state["compiled"]:
        piece = compiled.fill(fixed, writers, values, _NUMBER_KINDS, LONG, _ROOM)
    else:
        piece = fill_in_python(fixed, writers, values, _ROOM)
    if piece is not None:
        yield piece
        return
    half = len(values) // len(writers) // 2 * len(writers)
    yield from fill_rows(fixed, writers, values[:half])
    yield from fill_rows(fixed, writers, values[half:])


# A few values are printed sooner one by one than together.
_FEW = 4


def fill_in_python(fixed: tuple[bytes, ...], writers: Writers, values: Values, room: int) -> bytes | None:
    """Return the rows; None, before any writer is called, where they are several and more than `room`.

    What they are is reckoned by the bytes of fixed texts and the characters of values. The values of one column are
    mostly of one kind, and are printed together; where one of them needs its writer, all go to theirs, row by row:
    writers count and number what they print.
    """
    width = len(writers)
    columns = [values[at::width] for at in range(width)]
    kinds = [set(map(type, column)) for column in columns]
    sizes = list(map(_get_sizes, columns, kinds))
    count, step = len(values) // width, 2 * width
    if count > 1 and count * sum(map(len, fixed)) + sum(map(sum, sizes)) > room:
        return None
    if not values:
        return b""
    out = [fixed[0]] * (step * count + 1)
    # The end of one row and the beginning of the next are one piece.
    out[2::2] = [*fixed[1:-1], fixed[-1] + fixed[0]] * count
    out[-1] = fixed[-1]
    odd = []
    for at, column in enumerate(columns):
        is_usual = count > _FEW and max(sizes[at], default=0) < LONG
        printed = _print_column(column, kinds[at]) if is_usual else None
        if printed is None:
            odd.append(at)
        else:
            out[1 + 2 * at :: step] = printed
    written = [writers[at](values[first + at]) for first in range(0, len(values), width) for at in odd]
    for nth, at in enumerate(odd):
        out[1 + 2 * at :: step] = written[nth :: len(odd)]
    return b"".join(out)


def _get_sizes(values: Sequence[Any], kinds: set[type]) -> list[int]:
    """Return how many characters each of the texts has."""
    if kinds == {str}:
        return list(map(len, values))
    if kinds <= _NUMBERS:
        return []
    # What a value says of its class and length may be anything.
    return [str.__len__(value) for value in values if issubclass(type(value), str)]


# Stands between values that are printed together: no value may have it, and a text of ASCII stays one.
_SEPARATOR = "\x1f"
# What no bulk can do: the ambiguous signs, and what must be refused. All of it is rare.
_BY_ITSELF = re.compile("[\u00b7\u2010-\u206f\ufffe\uffff]").search
_CONTROLS = bytes(number for number in range(0x20) if number != ord(_SEPARATOR))


def _print_column(values: Sequence[Any], kinds: set[type]) -> list[bytes] | None:
    """Return the values as the insides of `w:t`, or None where one of them needs its writer.

    Joined, they are encoded, looked at and escaped in a few steps whatever their number.
    """
    if not kinds <= _SIMPLE:
        return None
    try:
        texts = values if kinds == {str} else ["" if value is None else str(value) for value in values]
        joined = _SEPARATOR.join(texts)
        data = joined.encode()
    except ValueError:
        return None  # half a character, or a number of too many digits: both are refused
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
