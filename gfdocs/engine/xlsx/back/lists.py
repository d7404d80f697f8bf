"""The lists of a returned sheet: their items, turn by turn, until what follows the list."""

from __future__ import annotations

from typing import Any

from gfdocs.engine.xlsx.back.cells import read_cell
from gfdocs.engine.xlsx.back.cursor import Cursor, Merges, is_other, may_begin
from gfdocs.engine.xlsx.back.findings import Findings, freeze, set_entry
from gfdocs.engine.xlsx.back.form import Line, Listing
from gfdocs.engine.xlsx.back.items import Row, RowMaker
from gfdocs.engine.xlsx.back.returned import ReturnedSheet
from gfdocs.errors import Place, Text
from gfdocs.raw import RawList, RawMap

#: Rows of a list that are looked at together.
_BLOCK = 500


class ListReader:
    """Reads the lists of one sheet."""

    def __init__(self, sheet: ReturnedSheet, findings: Findings) -> None:
        self.sheet, self.findings = sheet, findings

    def read(self, listing: Listing, top: int, columns: dict[int, int]) -> tuple[int, int]:
        """Read the list below row `top` into the findings; return its first and last row (first > last where it is
        empty). columns: where those of the template stand.
        """
        sheet = self.sheet
        rows = sorted(number for number in sheet.rows if number > top)
        cursor = Cursor(rows, sheet, columns, Merges(sheet, top))
        items = self._read_items(listing, cursor, listing.footers)
        first = rows[0] if rows else top + 1
        last = rows[cursor.at - 1] if cursor.at else top
        self._note_lonely(listing, cursor)
        place = self.findings.place(sheet.name, first, min(columns.values(), default=1))
        self.findings.add_items(listing.steps, items, place)
        return first, last

    def _note_lonely(self, listing: Listing, cursor: Cursor) -> None:
        """Tell where the last item is one text in a row apart from the others: it may be a note below the list."""
        if len(listing.parts) > 1 or len(listing.all_fields) < 2:
            return
        filled = (at for at in range(cursor.at - 1, -1, -1) if cursor.is_filled(cursor.rows[at], listing))
        last, before = next(filled, None), next(filled, None)
        if last is None or before is None:
            return
        number = cursor.rows[last]
        cells = {column: held for column, held in self.sheet.rows[number].items() if held[1:].strip()}
        if len(cells) > 1 or number - cursor.rows[before] < 2:
            return
        for column, held in cells.items():
            place = self.findings.place(self.sheet.name, number, column)
            fact = Text(
                f"the only text in a row apart from the list was read as an item: {held[1:]!r}",
                f"与列表隔开的一行只有一格文字，已按一项读取：“{held[1:]}”",
            )
            hint = Text("delete notes below the list, or fill in the row", "请删除列表下方的说明，或将该行填写完整")
            self.findings.report("GF620", "warning", place, fact, hint)

    def _read_items(self, listing: Listing, cursor: Cursor, after: list[Line]) -> list[RawMap]:
        """Read turns of a list until a row that belongs to what follows it."""
        items: list[RawMap] = []
        lead = listing.parts[0] if listing.parts else None
        if isinstance(lead, Line) and len(listing.parts) == 1 and not cursor.merges.by_column:
            return self._read_simple(listing, lead, cursor, after)
        while (number := cursor.peek()) is not None:
            if cursor.is_any(number, after) or (isinstance(lead, Line) and is_other(cursor, number, lead, after)):
                break
            is_lead = isinstance(lead, Line) and cursor.fits(number, lead)
            if not (is_lead or cursor.is_filled(number, listing)) or self._is_hollow(number, items, listing, cursor):
                cursor.at += 1
                continue
            start = cursor.at
            item = self._read_turn(listing, cursor, after)
            if item is not None:
                items.append(item)
            if cursor.at == start:
                cursor.at += 1
        return items

    @staticmethod
    def _is_hollow(number: int, items: list[RawMap], listing: Listing, cursor: Cursor) -> bool:
        """True for a row that stands in the place of an empty list."""
        return not items and cursor.is_any(number, listing.hollow)

    def _read_simple(self, listing: Listing, line: Line, cursor: Cursor, after: list[Line]) -> list[RawMap]:
        """Read a list of one row a turn."""
        maker = RowMaker(self.findings, self.sheet.name, line, cursor.columns)
        items: list[RawMap] = []
        rows = self.sheet.rows
        signed = [one for one in after if cursor.signs_of(one) is not None]
        plain = [one for one in after if cursor.signs_of(one) is None and one.fields]
        known = [cursor.signs_of(one) for one in (*signed, *(line for line in listing.hollow if line.has_words))]
        starts = (
            None
            if any(k is None or k[0] is None for k in known)
            else {" ", "\u3000", *(c for k in known if k for c in k[0] or ())}
        )
        looked_at = 0
        while (number := cursor.peek()) is not None:
            if cursor.at >= looked_at and starts is not None and not plain:
                block = cursor.rows[cursor.at : cursor.at + _BLOCK]
                looked_at = cursor.at + len(block)
                if maker.are_plain([rows[one] for one in block], starts, cursor.telling_of(listing)):
                    items += [Row(maker, one, rows[one]) for one in block]
                    cursor.at = looked_at
                    continue
            cells = rows[number]
            if may_begin(cells, starts):
                if cursor.is_any(number, signed):
                    break
                if self._is_hollow(number, items, listing, cursor):
                    cursor.at += 1
                    continue
            if plain and is_other(cursor, number, line, plain):
                break
            if cursor.is_filled(number, listing):
                items.append(self._read_row(maker, line, number, cursor))
            cursor.at += 1
        return items

    def _read_row(self, maker: RowMaker, line: Line, number: int, cursor: Cursor) -> RawMap:
        cells = self.sheet.rows[number]
        if maker.plain and maker.is_plain(cells):
            return Row(maker, number, cells)
        entries: dict[str, Any] = {}
        self._read_line(line, number, cursor, entries)
        place = maker.place(number, maker.first)
        return RawMap(freeze(entries, place), place)

    def _read_turn(self, listing: Listing, cursor: Cursor, after: list[Line]) -> RawMap | None:
        """Read one item: its rows and the lists inside it, in the order of the template."""
        entries: dict[str, Any] = {}
        place: Place | None = None
        for index, part in enumerate(listing.parts):
            number = cursor.peek()
            if number is None:
                break
            following = [p for p in listing.parts[index + 1 :] if isinstance(p, Line)]
            if isinstance(part, Listing):
                lead = listing.parts[0]
                stops = [*following, *([lead] if isinstance(lead, Line) else []), *after]
                found = self._read_items(part, cursor, stops)
                if not part.steps:
                    continue
                at = self.findings.place(self.sheet.name, number, min((i.column for i in part.fields), default=1))
                set_entry(entries, part.steps, RawList(tuple(found), at))
                continue
            if not cursor.fits(number, part) and (
                cursor.is_any(number, after) or _is_absent(part, number, following, listing, cursor)
            ):
                continue
            place = place or self.findings.place(self.sheet.name, number, cursor.column_of(part))
            self._read_line(part, number, cursor, entries)
            cursor.at += 1
        return RawMap(freeze(entries, place), place) if place is not None else None

    def _read_line(self, line: Line, number: int, cursor: Cursor, entries: dict[str, Any]) -> None:
        for item in line.fields:
            column = cursor.columns.get(item.column)
            if column is None:
                continue
            held, place = cursor.get(number, column), self.findings.place(self.sheet.name, number, column)
            for steps, scalar in read_cell(item, held, place, self.findings):
                set_entry(entries, steps, scalar)


def _is_absent(part: Line, number: int, following: list[Line], listing: Listing, cursor: Cursor) -> bool:
    """True where a row that has not the words of a line cannot be that line: it is another one of the turn, or the line
    stands under a condition, or is one that nobody fills in.
    """
    if part.has_words and cursor.is_any(number, following):
        return True
    is_filled = cursor.is_filled(number, listing)
    return (part.is_optional and (part.has_words or is_filled)) or (is_filled and not part.fields and not part.labels)
