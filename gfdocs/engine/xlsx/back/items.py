"""The items of a long list, made when they are asked for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gfdocs.engine.xlsx.back.cells import make_scalar
from gfdocs.engine.xlsx.back.findings import Findings, freeze, set_entry
from gfdocs.engine.xlsx.back.form import Line
from gfdocs.engine.xlsx.back.returned import KINDS, Held
from gfdocs.errors import Place
from gfdocs.raw import Raw, RawMap


class Row(RawMap):
    """One item of a long list: its values are made when they are asked for. Equal to any RawMap of the same values."""

    __slots__ = ("_made", "_source")
    _made: dict[str, Raw]
    _source: tuple[RowMaker, int, dict[int, Held]]

    def __init__(self, maker: RowMaker, number: int, cells: dict[int, Held]) -> None:
        object.__setattr__(self, "_source", (maker, number, cells))

    @property
    def entries(self) -> dict[str, Raw]:
        try:
            return self._made
        except AttributeError:
            maker, number, cells = self._source
            object.__setattr__(self, "_made", maker.make_entries(number, cells))
            return self._made

    @property
    def place(self) -> Place:
        maker, number, _ = self._source
        return maker.place(number, maker.first)

    @property
    def keys(self) -> dict[str, Place]:
        return {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RawMap) and (self.entries, self.place) == (other.entries, other.place)

    def __hash__(self) -> int:
        return hash((self.place,))

    def __repr__(self) -> str:
        return f"RawMap(entries={self.entries!r}, place={self.place!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return RawMap, (self.entries, self.place)


class RowMaker:
    """Makes the values of a list's items: which column holds which path."""

    def __init__(self, findings: Findings, sheet: str, line: Line, columns: dict[int, int]) -> None:
        self.findings, self.sheet = findings, sheet
        self.fields = [(columns[f.column], f) for f in line.fields if f.column in columns]
        self.plain = all(f.is_value for _, f in self.fields)
        self.numeric = [column for column, f in self.fields if f.wants_number]
        self.columns = [column for column, _ in self.fields]
        self.first = min(self.columns, default=1)

    def place(self, row: int, column: int) -> Place:
        return self.findings.place(self.sheet, row, column)

    def is_plain(self, cells: dict[int, Held]) -> bool:
        """True where nothing in the row needs to be told: no formula, no error, no text in a number's cell."""
        get = cells.get
        for column in self.columns:
            if get(column, "t")[0] in "fe":
                return False
        return all(column not in cells or cells[column][0] != "t" for column in self.numeric)

    def are_plain(self, rows: list[dict[int, Held]], starts: set[str], telling: Sequence[int]) -> bool:
        """True where all rows hold data, nothing in them needs to be told and no text begins as a fixed one does."""
        if not self.plain:
            return False
        is_filled = False
        for column, values in _columns_of(rows).items():
            joined = "\0" + "\0".join(values) + "\0"
            if any(f"\0t{start}" in joined for start in starts):
                return False
            if column in self.columns and ("\0f" in joined or "\0e" in joined):
                return False
            if column in self.numeric and "\0t" in joined:
                return False
            is_filled = is_filled or (column in telling and _HOLLOW.search(joined) is None)
        return is_filled

    def make_entries(self, row: int, cells: dict[int, Held]) -> dict[str, Raw]:
        entries: dict[str, Any] = {}
        for column, item in self.fields:
            held = cells.get(column, "t")
            (steps,) = item.pattern.steps
            assert steps is not None
            set_entry(entries, steps, make_scalar(held[1:], self.place(row, column), KINDS[held[0]]))
        return freeze(entries, self.place(row, self.first))


#: A cell that holds nothing or blanks among joined ones.
_HOLLOW = re.compile("\0.\\s*\0")


def _columns_of(rows: list[dict[int, Held]]) -> dict[int, Sequence[Held]]:
    """Return what rows hold by column; an empty number stands for an empty cell."""
    shapes = set(map(tuple, rows))
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), zip(*map(dict.values, rows), strict=True), strict=True))
    return {column: [cells.get(column, "n") for cells in rows] for column in {c for shape in shapes for c in shape}}
