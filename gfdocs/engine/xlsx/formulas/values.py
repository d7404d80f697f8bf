"""What formulas compute with: numbers, texts, truth values, errors, and how one becomes another.

Only what is certain is computed, with the rules of Excel for empty cells, texts and errors. Everything else raises
`Unknown`: such a cell gets no value and the workbook is marked for calculation on loading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, TypeGuard


class Unknown(Exception):
    """The value is not ours to compute."""


class CellError(str):
    """An error value such as `#DIV/0!`."""

    __slots__ = ()


DIV0, VALUE, NA, NUM = CellError("#DIV/0!"), CellError("#VALUE!"), CellError("#N/A"), CellError("#NUM!")

_NUMBERS = (int, float)
Value = Any  # int | float | str | bool | None | CellError
Column = Sequence[Value]


def is_number(value: Value) -> TypeGuard[int | float]:
    """True for a number, which a truth value is not."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)


def to_number(value: Value) -> Any:
    """Return a value as a number, as an operator sees it; a CellError where it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if isinstance(value, CellError):
        return value
    # What Excel makes of a text here depends on the reader's language: only plain digits are certain.
    if re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", value):
        return float(value)
    if re.search(r"\d", value):
        raise Unknown
    return VALUE


def to_text(value: Value) -> str:
    """Return a value as a text, as `&` sees it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        text = f"{value:.15g}"
        if "e" in text:
            raise Unknown
        return text
    return str(value)


def to_truth(value: Value) -> Any:
    """Return a value as a condition; a CellError where it is none."""
    if isinstance(value, CellError):
        return value
    if isinstance(value, str):
        upper = value.upper()
        return VALUE if upper not in ("TRUE", "FALSE") else upper == "TRUE"
    return bool(value)
