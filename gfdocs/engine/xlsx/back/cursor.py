"""Where reading stands in the rows below a heading, and what tells one template row from another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gfdocs.engine.xlsx.back.form import Line, Listing, Pattern, normalise
from gfdocs.engine.xlsx.back.returned import Held, ReturnedSheet


class Merges:
    """The vertical merges of a list: their value belongs to each of their rows."""

    def __init__(self, sheet: ReturnedSheet, top: int) -> None:
        self.by_column: dict[int, list[tuple[int, int]]] = {}
        for column1, row1, _, row2 in sheet.merges:
            if row2 > row1 > top:
                self.by_column.setdefault(column1, []).append((row1, row2))

    def first_row(self, row: int, column: int) -> int:
        for first, last in self.by_column.get(column, ()):
            if first < row <= last:
                return first
        return row


@dataclass
class Cursor:
    """Where reading stands in the rows below a heading."""

    rows: list[int]
    sheet: ReturnedSheet
    columns: dict[int, int]
    merges: Merges
    at: int = 0
    signs: dict[int, Any] = field(default_factory=dict)
    telling: dict[int, list[int]] = field(default_factory=dict)

    def peek(self) -> int | None:
        return self.rows[self.at] if self.at < len(self.rows) else None

    def get(self, row: int, column: int) -> Held | None:
        held = self.sheet.get(row, column)
        if held is None and self.merges.by_column:
            held = self.sheet.get(self.merges.first_row(row, column), column)
        return held

    def column_of(self, line: Line) -> int:
        return min((self.columns[i.column] for i in line.fields if i.column in self.columns), default=1)

    def is_filled(self, row: int, listing: Listing) -> bool:
        """True where a field of the list holds something a person or the data put there."""
        cells = self.sheet.rows[row]
        for column in self.telling_of(listing):
            held = cells.get(column)
            if held is not None and held[0] != "f" and held[1:].strip():
                return True
        return False

    def telling_of(self, listing: Listing) -> list[int]:
        """Return the columns of a list's fields that tell a filled row from an empty one: a running number is in the
        empty rows of a form as well.
        """
        telling = self.telling.get(id(listing))
        if telling is None:
            telling = [self.columns.get(i.column, 0) for i in listing.fields if i.pattern.steps[-1:] != (("index",),)]
            self.telling[id(listing)] = telling
        return telling

    def is_any(self, row: int, lines: list[Line]) -> bool:
        return any(self.fits(row, line) for line in lines)

    def fits(self, row: int, line: Line) -> bool:
        """True where a row has the fixed words of a template row, and no text beside them."""
        signs = self.signs_of(line)
        if signs is None:
            return False
        starts, keys, patterns = signs
        texts = [held[1:] for held in self.sheet.rows[row].values() if held[0] == "t"]
        if starts is not None and not any(text.lstrip()[:1] in starts for text in texts):
            return False
        texts = [text for text in texts if text.strip()]
        hits = sum(normalise(text) in keys or any(p.read(text) is not None for p in patterns) for text in texts)
        return hits > 0 and len(texts) - hits <= len(line.fields)

    def signs_of(self, line: Line) -> tuple[set[str] | None, set[str], list[Pattern]] | None:
        """Return what a line is known by: first characters, fixed texts, patterns with words; None where it has none."""
        found = self.signs.get(id(line))
        if found is None:
            keys = {label.key for label in line.labels}
            patterns = [item.pattern for item in line.fields if item.pattern.has_words]
            starts = (
                None if patterns else {label.text.lstrip()[:1] for label in line.labels} | {key[:1] for key in keys}
            )
            found = self.signs[id(line)] = (starts, keys, patterns)
        return found if found[1] or found[2] else None


def is_other(cursor: Cursor, row: int, lead: Line, after: list[Line]) -> bool:
    """True where a row fits a line without fixed words that follows better than the line a turn begins with."""
    filled = {column for column, held in cursor.sheet.rows[row].items() if held[1:].strip()}

    def misfit(line: Line) -> int:
        own = {cursor.columns.get(i.column, i.column) for i in line.fields} | {
            cursor.columns.get(c, c) for c in line.others
        }
        return len(filled - own) * 2 + len({cursor.columns.get(i.column, i.column) for i in line.fields} - filled)

    plain = [
        line for line in after if not line.labels and not any(i.pattern.has_words for i in line.fields) and line.fields
    ]
    return any(misfit(line) < misfit(lead) for line in plain)


def may_begin(cells: dict[int, Held], starts: set[str] | None) -> bool:
    """True where a text of the row begins as one of the fixed texts does (None: they may begin in any way)."""
    if starts is None:
        return True
    for held in cells.values():  # noqa: SIM110 - a loop is twice as fast as any() here
        if held[1:2] in starts:
            return True
    return False
