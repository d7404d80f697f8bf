"""Where the columns of a list stand in a returned sheet: by their headings, else by similar ones or the neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from gfdocs.engine.xlsx.back.findings import Findings
from gfdocs.engine.xlsx.back.form import Label, Listing, normalise
from gfdocs.engine.xlsx.back.returned import ReturnedSheet
from gfdocs.engine.xlsx.geometry import MAX_COLUMN
from gfdocs.errors import Text

_HEAD_ROWS = 400
#: A text of so many characters is no heading.
_MAX_HEADING = 300


class ColumnFinder:
    """Finds the columns of the lists of one sheet. `keys` are the fixed texts of the form's sheet, `aliases` further
    names of headings.
    """

    def __init__(
        self, sheet: ReturnedSheet, keys: set[str], aliases: Mapping[str, tuple[str, ...]], findings: Findings
    ) -> None:
        self.sheet, self.keys, self.aliases, self.findings = sheet, keys, aliases, findings

    def find(self, listing: Listing, floor: int) -> tuple[int, dict[int, int]]:
        """Return the last row of the heading, and where each column of the template stands in the returned sheet."""
        wanted = listing.headings
        spots = _find_texts(self.sheet, floor)
        found: dict[int, tuple[int, int]] = {}
        used: set[tuple[int, int]] = set()
        for column in sorted(wanted):
            at = self._find_heading(wanted[column], column, spots, used)
            if at is not None:
                found[column] = at
                used.add(at)
        if found:
            # The heading's rows are those most headings stand in: a word that occurs once more elsewhere does not
            # count.
            rows = sorted(row for row, _ in found.values())
            middle = rows[len(rows) // 2]
            found = {column: at for column, at in found.items() if abs(at[0] - middle) <= 6}
        columns = {column: at[1] for column, at in found.items()}
        low = max((label[0].row for label in wanted.values()), default=0)
        top = max((at[0] for at in found.values()), default=0)
        bottoms = [at[0] + low - wanted[column][0].row for column, at in found.items() if wanted[column]]
        top = max([top, *_most(bottoms)])
        if not found:
            top = listing.first - 1 if not wanted else 0
        self._guess_columns(listing, columns, top)
        return top, columns

    def _find_heading(
        self,
        labels: tuple[Label, ...],
        column: int,
        spots: dict[str, list[tuple[int, int]]],
        used: set[tuple[int, int]],
    ) -> tuple[int, int] | None:
        nearest = labels[0]
        # Another name is taken for this heading only where it is no other word of the form.
        others = [other for other in self.aliases.get(nearest.key, ()) if other not in self.keys]
        for key in (nearest.key, *others):
            free = [at for at in spots.get(key, ()) if at not in used]
            if len(free) > 1 and len(labels) > 1:
                above = [c for _, c in spots.get(labels[1].key, ())]
                if above:
                    free.sort(key=lambda at: min(abs(at[1] - c) + (0 if at[1] >= c else 100) for c in above))
                    return free[0]
            if free:
                return min(free, key=lambda at: (abs(at[1] - column), at[0]))
        return None

    def _guess_columns(self, listing: Listing, columns: dict[int, int], top: int) -> None:
        """Place the columns whose heading is not there: by a similar heading, else between the neighbours they had."""
        missing = [item.column for item in listing.all_fields if item.column not in columns]
        for column in dict.fromkeys(missing):
            labels = listing.headings.get(column, ())
            taken = set(columns.values())
            at = self._find_similar(labels, top, taken) if labels else None
            if at is None:
                at = self._find_between(columns, column, top)
            if at is not None:
                columns[column] = at
            if labels:
                self._report_heading(labels[0], top, at)
            elif at is None:
                columns[column] = column if not listing.headings else next(_iter_between(columns, column), column)

    def _find_between(self, columns: dict[int, int], column: int, top: int) -> int | None:
        """Return the column beside the neighbours of a template column that holds something and no other heading."""
        for at in _iter_between(columns, column):
            held = self.sheet.get(top, at)
            is_other = held is not None and normalise(held[1:]) in self.keys
            if not is_other and (
                held is not None or any(at in cells for row, cells in self.sheet.rows.items() if row > top)
            ):
                return at
        return None

    def _report_heading(self, label: Label, top: int, at: int | None) -> None:
        """Tell that a heading is gone, or reads otherwise."""
        if at is None:
            fact = Text(f"the column {label.text!r} is not there", f"缺少“{label.text}”列")
            hint = Text("keep the headings as they were sent", "请保留表头原样")
            self.findings.report("GF618", "error", self.findings.place_of_sheet(self.sheet.name), fact, hint)
            return
        now = (self.sheet.get(top, at) or "t")[1:]
        fact = Text(f"the heading {label.text!r} reads {now!r} here", f"表头“{label.text}”被改为“{now}”")
        hint = Text("read as the same column", "按原列读取")
        self.findings.report("GF619", "warning", self.findings.place(self.sheet.name, top, at), fact, hint)

    def _find_similar(self, labels: tuple[Label, ...], top: int, taken: set[int]) -> int | None:
        best, at = 0.6, None
        for row in range(max(1, top - 3), top + 1):
            for column, held in (self.sheet.rows.get(row) or {}).items():
                if column in taken or held[0] != "t" or len(held) >= _MAX_HEADING:
                    continue
                score = _compare(normalise(held[1:]), labels[0].key, best)
                if score > best:
                    best, at = score, column
        return at


def _compare(key: str, wanted: str, least: float) -> float:
    """Return how alike two headings are, from 0 to 1; 0 for texts whose lengths alone make them less alike than asked."""
    if wanted in key or (key and key in wanted):
        return 0.9
    matcher = SequenceMatcher(None, key, wanted)
    return matcher.ratio() if matcher.real_quick_ratio() > least else 0.0


def _most(rows: list[int]) -> list[int]:
    return [max(set(rows), key=rows.count)] if rows else []


def _iter_between(columns: dict[int, int], column: int) -> Iterator[int]:
    """Yield the free columns that are as far from a neighbour of the template column as it was there, the left one
    first.
    """
    taken = set(columns.values())
    left = max((c for c in columns if c < column), default=None)
    right = min((c for c in columns if c > column), default=None)
    low = columns[left] if left is not None else 0
    high = columns[right] if right is not None else MAX_COLUMN + 1
    guesses = [low + column - left] if left is not None else []
    guesses += [high - (right - column)] if right is not None else []
    yield from (at for at in dict.fromkeys(guesses) if low < at < high and at not in taken)


def _find_texts(sheet: ReturnedSheet, floor: int) -> dict[str, list[tuple[int, int]]]:
    """Return where each short text stands below row `floor`."""
    spots: dict[str, list[tuple[int, int]]] = {}
    seen = 0
    for row in sorted(sheet.rows):
        if row <= floor:
            continue
        seen += 1
        if seen > _HEAD_ROWS:
            break
        for column, held in sheet.rows[row].items():
            if held[0] in "tn" and len(held) < _MAX_HEADING:
                spots.setdefault(normalise(held[1:]), []).append((row, column))
    return spots
