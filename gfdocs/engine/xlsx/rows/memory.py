"""What was made lately, kept for the documents that follow: most of a round differ in few numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Generic, TypeVar

from gfdocs.engine.xlsx.geometry import measure
from gfdocs.engine.xlsx.rows.heights import RowHeight, Widths, find_height
from gfdocs.engine.xlsx.rows.settled import find_settled_rows
from gfdocs.engine.xlsx.template.compiled import Row, Sheet
from gfdocs.engine.xlsx.template.workbook import Styles

Made = TypeVar("Made")

#: By how many numbers the places of an axis may be told.
_MEASURES = 256
#: Texts of formulas that a sheet remembers, some 100 bytes each.
_MAX_FORMULAS = 20_000
#: Rows that the data cannot change, remembered as they are written.
_MAX_SETTLED = 1024


class Recent(Generic[Made]):
    """The last things made, by their keys, at most `count` of them. Threads share it."""

    def __init__(self, count: int = 64) -> None:
        self.count = count
        self._found: dict[Hashable, Made] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> Made | None:
        with self._lock:
            found = self._found.pop(key, None)
            if found is not None:
                self._found[key] = found  # the last one is the newest
            return found

    def set(self, key: Hashable, made: Made) -> None:
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = made
            if len(self._found) > self.count:
                del self._found[next(iter(self._found))]


def find_places(grids: Sequence[Any]) -> Hashable | None:
    """Return where the lines of these output sheets went, as a key; None where that is too much to tell."""
    found = []
    for grid in grids:
        rows, columns = measure(grid.rows, _MEASURES), measure(grid.columns, _MEASURES)
        if rows is None or columns is None:
            return None
        found.append((grid.sheet.entry.index, rows, columns))
    return tuple(found)


class SheetMemory:
    """What the documents of a template remember of one sheet. Threads share it."""

    def __init__(self, sheet: Sheet, styles: Styles) -> None:
        self.sheet = sheet
        self.row_texts: dict[int, Any] = {}
        """How rows are written whose columns stand still, by their numbers."""
        self.settled_texts: Recent[str] = Recent(_MAX_SETTLED)
        """The rows that the data cannot change, by their numbers here and there."""
        self.formula_texts: Recent[dict[tuple[int, int], str]] = Recent(
            max(1, min(64, _MAX_FORMULAS // max(1, len(sheet.formulas))))
        )
        """What the formulas that stand once become, by where all lines went; of fewer places the more they are."""
        self._styles = styles
        self._widths = Widths(sheet.part.frame)
        self._heights: dict[int, RowHeight] = {}

    @cached_property
    def settled_rows(self) -> frozenset[int]:
        """The rows that the data cannot change."""
        return find_settled_rows(self.sheet)

    def get_height(self, row: Row) -> RowHeight:
        found = self._heights.get(row.number)
        if found is None:
            found = self._heights[row.number] = find_height(row, self._widths, self._styles)
        return found
