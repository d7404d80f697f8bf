"""The single fields of a returned sheet: where each stands now, and its value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from gfdocs.engine.xlsx.back.cells import read_cell
from gfdocs.engine.xlsx.back.findings import Findings
from gfdocs.engine.xlsx.back.form import Field, Label, Listing, SheetForm, normalise
from gfdocs.engine.xlsx.back.returned import ReturnedSheet
from gfdocs.errors import Text

#: So many columns a person may have inserted between a fixed text and the cell to fill in.
_MAX_INSERTED = 20

Spot = tuple[int, int]
"""Row and column."""


class FieldReader:
    """Reads the fields of one sheet. `ends` are the lists with their first and last row."""

    def __init__(
        self, form: SheetForm, sheet: ReturnedSheet, ends: list[tuple[Listing, int, int]], findings: Findings
    ) -> None:
        self.form, self.sheet, self.ends, self.findings = form, sheet, ends, findings
        self.keys = form.keys

    def read(self) -> None:
        """Read all fields into the findings."""
        sheet = self.sheet
        found = [(item, self.find(item)) for item in self.form.fields]
        taken = {where for _, where in found if where is not None}
        for item, where in found:
            if where is None:
                continue
            if not self._is_filled(where):
                where = next((at for at in self._iter_beside(item, where, taken) if self._is_filled(at)), where)
            if min(where) < 1:
                continue
            place = self.findings.place(sheet.name, *where)
            for steps, scalar in read_cell(item, sheet.get(*where), place, self.findings):
                self.findings.set_value(steps, scalar)

    def _is_filled(self, where: Spot) -> bool:
        """True where a cell holds something that is no fixed text of the form."""
        held = self.sheet.get(*where)
        return held is not None and bool(held[1:].strip()) and normalise(held[1:]) not in self.keys

    def find(self, item: Field) -> Spot | None:
        """Return where a field stands: where its words are, else as far from a fixed text near it as in the template."""
        if item.pattern.has_words:
            return self._find_words(item)
        for label in sorted(self.form.labels, key=lambda one: _distance(one, item)):
            if label.row != item.row and _separated(label.row, item.row, self.ends):
                continue
            if _distance(label, item) > 400:
                break
            found = self._find_label(label)
            if len(found) == 1 or (found and (label.row, label.column) in found):
                at = (label.row, label.column) if (label.row, label.column) in found else found[0]
                return at[0] + item.row - label.row, at[1] + item.column - label.column
        before = [last - listing.last for listing, _, last in self.ends if listing.last < item.row]
        return item.row + (before[-1] if before else 0), item.column

    def _find_label(self, label: Label) -> Sequence[Spot]:
        """Return where a fixed text stands: in its own cell, else wherever it is."""
        held = self.sheet.get(label.row, label.column)
        if held is not None and normalise(held[1:]) == label.key:
            return [(label.row, label.column)]
        return self.spots.get(label.key, ())

    @cached_property
    def spots(self) -> dict[str, list[Spot]]:
        """The places of the texts that are not much longer than the fixed ones, by what they are compared as."""
        longest = 2 * max((len(label.text) for label in self.form.labels), default=0) + 100
        spots: dict[str, list[Spot]] = {}
        for row, column, text in _iter_texts(self.sheet):
            if len(text) <= longest:
                spots.setdefault(normalise(text), []).append((row, column))
        return spots

    def _find_words(self, item: Field) -> Spot | None:
        """Return the cell with the fixed words of a field; told where there is none."""
        for read in (item.pattern.read, item.pattern.read_loosely):
            for row, column, text in _iter_texts(self.sheet):
                if read(text) is not None:
                    return row, column
        words = item.pattern.words
        fact = Text(f"the line {words!r} of the form is not there", f"表中没有“{words}”一栏")
        hint = Text("fill in only the blank part", "请只填写空白部分")
        self.findings.report("GF614", "warning", self.findings.place_of_sheet(self.sheet.name), fact, hint)
        return None

    def _iter_beside(self, item: Field, where: Spot, taken: set[Spot]) -> Iterator[Spot]:
        """Yield where else a field may stand whose cell is empty: columns that were inserted move a value away from the
        fixed text it is known by, and from the first cell of the cells it is merged with.
        """
        row, column = where
        for column1, row1, column2, row2 in self.sheet.merges:
            if row1 <= row <= row2 and column1 <= column <= column2 and (row1, column1) not in taken:
                yield row1, column1
        if (row, item.column) not in taken:
            yield row, item.column
        if any(label.row == item.row and label.column < item.column for label in self.form.labels):
            for at in range(column + 1, column + 1 + _MAX_INSERTED):
                held = self.sheet.get(row, at)
                if (row, at) in taken or (held is not None and normalise(held[1:]) in self.keys):
                    return
                yield row, at


def _iter_texts(sheet: ReturnedSheet) -> Iterator[tuple[int, int, str]]:
    for count, (row, cells) in enumerate(sheet.rows.items()):
        if count > 5_000:
            return
        for column, held in cells.items():
            if held[0] == "t":
                yield row, column, held[1:]


def _distance(label: Label, item: Field) -> int:
    same_row = label.row == item.row
    return (
        abs(label.row - item.row) * 20
        + abs(label.column - item.column)
        + (0 if same_row and label.column < item.column else 5)
    )


def _separated(first: int, second: int, ends: list[tuple[Listing, int, int]]) -> bool:
    """True where a list lies between two template rows."""
    low, high = min(first, second), max(first, second)
    return any(low <= listing.first and listing.last <= high for listing, _, _ in ends)
