"""Row heights for wrapped text, estimated by the width of the characters: a CJK character is as wide as two Latin
ones.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

MAX_HEIGHT = 409.0


@dataclass(frozen=True, slots=True)
class Wrap:
    """A wrapped cell of a row of given height: how many Latin characters a line of it takes, and how high a line is
    (pt).
    """

    column: int
    capacity: float
    line: float


def text_width(text: str) -> int:
    """Return the width of a text in Latin characters."""
    return (
        len(text) + sum(unicodedata.east_asian_width(char) in "WFA" for char in text)
        if not text.isascii()
        else len(text)
    )


def count_lines(text: str, capacity: float) -> int:
    """Return how many lines a text takes in a cell of that many Latin characters."""
    return sum(max(1, math.ceil(text_width(part) / capacity)) for part in text.split("\n"))


def needed_height(value: Any, wrap: Wrap) -> float:
    """Return the height in points that a value needs in its cell."""
    text = value if isinstance(value, str) else ""
    return count_lines(text, wrap.capacity) * wrap.line + 3 if text else 0.0


def grown_heights(columns: Sequence[tuple[Wrap, Sequence[Any]]], height: float) -> list[float] | None:
    """Return the height of each row where one of them needs more than `height`; None where none does."""
    suspects = []
    for wrap, values in columns:
        lines = max(1, int((height - 3) // wrap.line))
        if any(isinstance(v, str) and (len(v) * 2 > wrap.capacity * lines or "\n" in v) for v in values):
            suspects.append((wrap, values))
    if not suspects:
        return None
    wraps = [wrap for wrap, _ in suspects]
    rows = zip(*(values for _, values in suspects), strict=True)
    needed = [max(height, *(needed_height(v, w) for w, v in zip(wraps, row, strict=True))) for row in rows]
    return [min(MAX_HEIGHT, found) for found in needed] if max(needed) > height else None


_HEIGHT = re.compile(r' ht="[^"]*"')


def with_height(attributes: str, height: float) -> str:
    """Return a row's attributes with another height."""
    changed = _HEIGHT.sub(f' ht="{height:g}"', attributes)
    return changed if "customHeight" in changed else f'{changed} customHeight="1"'
