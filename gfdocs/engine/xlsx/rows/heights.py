"""Row heights for wrapped text, estimated by the width of the characters: a CJK character is as wide as two Latin
ones. Which cells of the template are wrapped, and how wide they are, is found once.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from gfdocs.engine.xlsx.formulas.references import parse_reference
from gfdocs.engine.xlsx.template.compiled import Row, ValueCell
from gfdocs.engine.xlsx.template.workbook import Styles, to_whole

MAX_HEIGHT = 409.0
_DEFAULT_WIDTH = 8.43
#: Columns of one `<col>`, and of one merged cell, that are looked at.
_MAX_COLUMNS = 1000
_MAX_MERGED = 500
_HEIGHT = re.compile(r' ht="([0-9.]+)"')


class Wrap(NamedTuple):
    """A wrapped cell of a row of given height: how many Latin characters a line of it takes, and how high a line is
    (pt).
    """

    column: int
    capacity: float
    line: float


class RowHeight(NamedTuple):
    """The height that a row of the template has (pt), 0 where it has none, and its cells with tags that are wrapped."""

    height: float = 0.0
    wraps: tuple[Wrap, ...] = ()


def find_height(row: Row, widths: Widths, styles: Styles) -> RowHeight:
    """Return the height written in a row, and what may make it higher."""
    match = _HEIGHT.search(row.attributes) if row.attributes else None
    if match is None:
        return RowHeight()
    cells = [cell for cell in row.cells if isinstance(cell, ValueCell) and styles.is_wrapped(cell.style)]
    wraps = [_make_wrap(cell, widths.get(row.number, cell.column), styles.font_size(cell.style)) for cell in cells]
    return RowHeight(_to_number(match[1], 0.0), tuple(wraps))


def _make_wrap(cell: ValueCell, width: float, size: float) -> Wrap:
    # Stand-in fonts are taller than 宋体, and a cut line is worse than a gap.
    return Wrap(cell.column, max(1.0, width * 11 / size - 1.2), size * 1.45)


class Widths:
    """Column widths of a sheet in Latin characters, merged cells as wide as all their columns."""

    def __init__(self, frame: bytes) -> None:
        self.frame = frame

    def get(self, row: int, column: int) -> float:
        widths, default, merged = self._found
        last = merged.get((row, column), column)
        return sum(widths.get(number, default) for number in range(column, min(last, column + _MAX_MERGED) + 1))

    @cached_property
    def _found(self) -> tuple[dict[int, float], float, dict[tuple[int, int], int]]:
        """The widths by column, the width of all others, the last columns of merged cells by their first cell."""
        from lxml import etree

        root = etree.fromstring(self.frame, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
        widths: dict[int, float] = {}
        default, merged = _DEFAULT_WIDTH, {}
        for element in root.iter("{*}sheetFormatPr"):
            default = _to_number(element.get("defaultColWidth"), default)
        for element in root.iter("{*}col"):
            if element.get("width"):
                first, last = to_whole(element.get("min"), 1), min(to_whole(element.get("max"), 1), _MAX_COLUMNS)
                widths |= dict.fromkeys(range(first, last + 1), _to_number(element.get("width"), _DEFAULT_WIDTH))
        for element in root.iter("{*}mergeCell"):
            ref = parse_reference(element.get("ref", "").replace("$", ""))
            if ref is not None:
                merged[ref.row1 or 1, ref.column1 or 1] = ref.column2 or 1
        return widths, default, merged


def _to_number(text: str | None, otherwise: float) -> float:
    """Return the number of an attribute; `otherwise` where there is none, or something that no length is."""
    try:
        number = float(text or otherwise)
    except ValueError:
        return otherwise
    return number if math.isfinite(number) else otherwise


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


def find_grown(height: float, wraps: Sequence[Wrap], column: int, value: Any) -> float:
    """Return the height of a row that a value of this column may need more of than `height`."""
    wrap = next((wrap for wrap in wraps if wrap.column == column), None)
    return height if wrap is None else max(height, min(MAX_HEIGHT, needed_height(value, wrap)))


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
    needed = [max(needed_height(v, w) for w, v in zip(wraps, row, strict=True)) for row in rows]
    grown = [max(height, min(MAX_HEIGHT, found)) for found in needed]
    return grown if max(grown) > height else None


def with_height(attributes: str, height: float) -> str:
    """Return a row's attributes with another height."""
    changed = _HEIGHT.sub(f' ht="{height:g}"', attributes)
    return changed if "customHeight" in changed else f'{changed} customHeight="1"'
