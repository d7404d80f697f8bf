"""A returned form read by the template that wrote it: writing backwards.

Sheets are found by their fixed texts, columns by their headings, rows by what stands above and below the list; so a
form is read although sheets were renamed, columns moved or hidden, rows inserted and filters left on. Every value has
its cell.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from gfdocs.engine.xlsx.back.form import Field, Label, Line, Listing, Pattern, SheetForm, Steps, normalise
from gfdocs.engine.xlsx.back.returned import KINDS, Held, ReturnedSheet, read_returned
from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.engine.xlsx.template.compile import Compiled
from gfdocs.errors import Issue, Place, ReadBackError, Text
from gfdocs.raw import Raw, RawList, RawMap, RawScalar

_HEAD_ROWS = 400
#: Rows of a list that are looked at together.
_BLOCK = 500
#: So many columns a person may have inserted between a fixed text and the cell to fill in.
_MAX_INSERTED = 20
_NULLS = ("~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class ReadBack(RawMap):
    """The data of a returned form; `issues` are what was odd or wrong about it, each with its cell."""

    issues: tuple[Issue, ...] = field(default=(), compare=False)


class _Row(RawMap):
    """One item of a long list: its values are made when they are asked for. Equal to any RawMap of the same values."""

    __slots__ = ("_made", "_source")
    _made: dict[str, Raw]
    _source: tuple[_RowMaker, int, dict[int, Held]]

    def __init__(self, maker: _RowMaker, number: int, cells: dict[int, Held]) -> None:
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


class _RowMaker:
    """Makes the values of a list's items: which column holds which path."""

    def __init__(self, reader: _Reader, sheet: str, line: Line, columns: dict[int, int]) -> None:
        self.reader, self.sheet = reader, sheet
        self.fields = [(columns[f.column], f) for f in line.fields if f.column in columns]
        self.plain = all(f.is_value for _, f in self.fields)
        self.numeric = [column for column, f in self.fields if f.wants_number]
        self.columns = [column for column, _ in self.fields]
        self.first = min(self.columns, default=1)

    def place(self, row: int, column: int) -> Place:
        return self.reader.place(self.sheet, row, column)

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
            _set(entries, steps, _scalar(held[1:], self.place(row, column), KINDS[held[0]]))
        return _freeze(entries, self.place(row, self.first))


#: A cell that holds nothing or blanks among joined ones.
_HOLLOW = re.compile("\0.\\s*\0")


def _columns_of(rows: list[dict[int, Held]]) -> dict[int, Sequence[Held]]:
    """Return what rows hold by column; an empty number stands for an empty cell."""
    shapes = set(map(tuple, rows))
    if len(shapes) == 1:
        return dict(zip(shapes.pop(), zip(*map(dict.values, rows), strict=True), strict=True))
    return {column: [cells.get(column, "n") for cells in rows] for column in {c for shape in shapes for c in shape}}


@dataclass
class _Match:
    """A sheet of the form found in the returned workbook."""

    form: SheetForm
    sheet: ReturnedSheet


class _Reader:
    def __init__(self, name: str, aliases: Mapping[str, Sequence[str]]) -> None:
        self.name = name
        self.aliases = _read_aliases(aliases)
        self.issues: list[Issue] = []
        self.keys: set[str] = set()
        self.root: dict[str, Any] = {}
        self.places: dict[Steps, Place] = {}

    def place(self, sheet: str, row: int, column: int) -> Place:
        return Place(self.name, path=(f"{sheet}!{letter(column)}{row}",))

    def report(self, code: str, severity: Any, place: Place, fact: Text, hint: Text, *also: Place) -> None:
        if len(self.issues) < 1000:
            self.issues.append(Issue(code, severity, place, fact, hint, tuple(also)))

    # -- which sheet is which -----------------------------------------------------------------------------------------

    def match(self, forms: list[SheetForm], sheets: list[ReturnedSheet]) -> list[_Match]:
        """Pair the form's sheets with the returned ones by the fixed texts they share; the name decides between
        equals.
        """
        texts = {id(sheet): _texts_of(sheet) for sheet in sheets}
        scored = []
        for form in forms:
            for sheet in sheets:
                keys = form.keys
                shared = len(keys & texts[id(sheet)]) / len(keys) if keys else 0.0
                named = normalise(form.name) == normalise(sheet.name)
                scored.append((shared + 0.25 * named, named, form, sheet))
        scored.sort(key=lambda entry: (-entry[0], not entry[1]))
        pairs: list[_Match] = []
        taken: set[int] = set()
        for score, named, form, sheet in scored:
            if (
                id(form) in taken
                or id(sheet) in taken
                or (score < 0.4 and not (named and (score > 0.25 or not form.keys)))
            ):
                continue
            taken |= {id(form), id(sheet)}
            pairs.append(_Match(form, sheet))
        for form in forms:
            if id(form) not in taken:
                fact = Text(f"the sheet {form.name!r} of the form is not there", f"缺少工作表“{form.name}”")
                hint = Text("send back the whole workbook as it was sent", "请将下发的工作簿整体报送")
                self.report("GF611", "error", Place(self.name), fact, hint)
        return sorted(pairs, key=lambda pair: forms.index(pair.form))

    # -- one sheet ----------------------------------------------------------------------------------------------------

    def read(self, pair: _Match) -> None:
        form, sheet = pair.form, pair.sheet
        self.keys = form.keys
        if sheet.state != "visible":
            self._note(sheet, Text("the sheet is hidden and was read", "工作表已隐藏，仍已读取"))
        if sheet.hidden_rows:
            count = sheet.hidden_rows
            self._note(
                sheet,
                Text(f"{count} rows are hidden (a filter?) and were read", f"{count} 行被隐藏（可能为筛选），仍已读取"),
            )
        if normalise(form.name) != normalise(sheet.name):
            fact = Text(
                f"the sheet {form.name!r} is called {sheet.name!r} here", f"工作表“{form.name}”被改名为“{sheet.name}”"
            )
            self._note(sheet, fact)
        ends: list[tuple[Listing, int, int]] = []
        floor = 0
        for listing in form.lists:
            first, last = self.read_list(listing, sheet, floor)
            ends.append((listing, first, last))
            floor = last
        self.read_fields(form, sheet, ends)

    def _note(self, sheet: ReturnedSheet, fact: Text) -> None:
        self.report("GF612", "note", Place(self.name, path=(sheet.name,)), fact, Text(""))

    # -- single fields ------------------------------------------------------------------------------------------------

    def read_fields(self, form: SheetForm, sheet: ReturnedSheet, ends: list[tuple[Listing, int, int]]) -> None:
        found = [(item, self.find_field(item, form, sheet, ends)) for item in form.fields]
        taken = {where for _, where in found if where is not None}
        for item, where in found:
            if where is None:
                continue
            if not self._is_filled(sheet, where):
                where = next(
                    (at for at in _beside(item, where, form, sheet, taken) if self._is_filled(sheet, at)), where
                )
            if min(where) < 1:
                continue
            for steps, scalar in self.read_cell(item, sheet.get(*where), self.place(sheet.name, *where)):
                self.set_value(steps, scalar)

    def _is_filled(self, sheet: ReturnedSheet, where: tuple[int, int]) -> bool:
        """True where a cell holds something that is no fixed text of the form."""
        held = sheet.get(*where)
        return held is not None and bool(held[1:].strip()) and normalise(held[1:]) not in self.keys

    def find_field(
        self, item: Field, form: SheetForm, sheet: ReturnedSheet, ends: list[tuple[Listing, int, int]]
    ) -> tuple[int, int] | None:
        """Return where a field stands: where its words are, else as far from a fixed text near it as in the template."""
        if item.pattern.has_words:
            for read in (item.pattern.read, item.pattern.read_loosely):
                for row, column, text in _iter_texts(sheet):
                    if read(text) is not None:
                        return row, column
            place = Place(self.name, path=(sheet.name,))
            words = re.sub(r"\\(.)", r"\1", item.pattern.expression.pattern.replace("(.*?)", "…"))
            fact = Text(f"the line {words!r} of the form is not there", f"表中没有“{words}”一栏")
            self.report("GF614", "warning", place, fact, Text("fill in only the blank part", "请只填写空白部分"))
            return None
        for label in sorted(form.labels, key=lambda one: _distance(one, item)):
            if label.row != item.row and _separated(label.row, item.row, ends):
                continue
            if _distance(label, item) > 400:
                break
            found = _find_text(sheet, label)
            if len(found) == 1 or (found and (label.row, label.column) in found):
                at = (label.row, label.column) if (label.row, label.column) in found else found[0]
                return at[0] + item.row - label.row, at[1] + item.column - label.column
        before = [last - listing.last for listing, _, last in ends if listing.last < item.row]
        return item.row + (before[-1] if before else 0), item.column

    def set_value(self, steps: Steps, scalar: RawScalar) -> None:
        known = self.places.get(steps)
        if known is not None:
            old = _get(self.root, steps)
            if isinstance(old, RawScalar) and old.text != scalar.text and scalar.text and old.text:
                path = ".".join(steps)
                fact = Text(
                    f"{path} is {old.text!r} in one place and {scalar.text!r} in another",
                    f"{path} 前后不一致：“{old.text}”与“{scalar.text}”",
                )
                self.report(
                    "GF613", "warning", scalar.place, fact, Text("the first one counts", "以前者为准"), old.place
                )
            if not (isinstance(old, RawScalar) and not old.text):
                return
        self.places[steps] = scalar.place
        _set(self.root, steps, scalar)

    # -- a cell -------------------------------------------------------------------------------------------------------

    def read_cell(self, item: Field, held: Held | None, place: Place) -> list[tuple[Steps, RawScalar]]:
        """Return the values of one cell's fields, empty where the cell is."""
        kind, text = (KINDS[held[0]], held[1:]) if held is not None else ("text", "")
        if not item.is_value:
            found = item.pattern.read(text)
            if found is None:
                found = item.pattern.read_loosely(text)
            if found is None:
                if text:
                    fact = Text(
                        f"the fixed text of the cell was changed: {text!r}", f"单元格的固定文字被改动：“{text}”"
                    )
                    self.report(
                        "GF614", "warning", place, fact, Text("fill in only the blank part", "请只填写空白部分")
                    )
                return []
            return [(steps, _scalar(value, place)) for steps, value in found]
        (steps,) = item.pattern.steps
        assert steps is not None
        if kind == "formula":
            hint = Text("type the value itself", "请直接填写数值或文字")
            self.report(
                "GF615",
                "error",
                place,
                Text(f"a formula where a value belongs: {text}", f"应填数值处为公式：{text}"),
                hint,
            )
        elif kind == "error":
            self.report(
                "GF615",
                "error",
                place,
                Text(f"an error value: {text}", f"单元格为错误值：{text}"),
                Text("type the value", "请填写数值"),
            )
        elif kind == "text" and item.wants_number and text.strip():
            text, kind = self.read_number(text, place)
        return [(steps, _scalar(text, place, kind))]

    def read_number(self, text: str, place: Place) -> tuple[str, str]:
        """Return a text in a number's cell as the number it is; told where blanks, commas or full-width digits were
        taken off.
        """
        plain = unicodedata.normalize("NFKC", text).replace("\u00a0", "").replace(" ", "").replace(",", "")
        if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
            if plain != text:
                fact = Text(f"{text!r} is read as {plain}", f"“{text}”按 {plain} 读取")
                self.report("GF616", "note", place, fact, Text("type plain digits", "请填写半角数字"))
            return plain, "number"
        fact = Text(f"expected a number, found {text!r}", f"应填数字，实为“{text}”")
        found = re.search(r"\d+(\.\d+)?", plain)
        example = found[0] if found else "123.45"
        hint = Text(
            f"digits only, without units or words, such as {example}", f"只填数字，不带单位和“约”等文字，例如 {example}"
        )
        self.report("GF617", "error", place, fact, hint)
        return text, "text"

    # -- lists --------------------------------------------------------------------------------------------------------

    def read_list(self, listing: Listing, sheet: ReturnedSheet, floor: int) -> tuple[int, int]:
        """Read a list into the data; return its first and last row (first > last where it is empty)."""
        top, columns = self.find_columns(listing, sheet, floor)
        rows = sorted(number for number in sheet.rows if number > top)
        merged = _Merges(sheet, top)
        cursor = _Cursor(rows, sheet, columns, merged)
        before = cursor.at
        items = self.read_items(listing, cursor, sheet, listing.footers)
        first = rows[before] if before < len(rows) else top + 1
        last = rows[cursor.at - 1] if cursor.at > before else top
        place = self.place(sheet.name, first, min(columns.values(), default=1))
        if listing.steps not in self.places:
            self.places[listing.steps] = place
            _set(self.root, listing.steps, RawList(tuple(items), place))
        else:
            old = _get(self.root, listing.steps)
            known = old.items if isinstance(old, RawList) else ()
            _set(self.root, listing.steps, RawList((*known, *items), old.place if isinstance(old, RawList) else place))
        return first, last

    def read_items(self, listing: Listing, cursor: _Cursor, sheet: ReturnedSheet, after: list[Line]) -> list[RawMap]:
        """Read turns of a list until a row that belongs to what follows it."""
        items: list[RawMap] = []
        lead = listing.parts[0] if listing.parts else None
        if isinstance(lead, Line) and len(listing.parts) == 1 and not cursor.merges.by_column:
            return self._read_simple(listing, lead, cursor, sheet, after)
        while (number := cursor.peek()) is not None:
            if cursor.is_any(number, after) or (isinstance(lead, Line) and _is_other(cursor, number, lead, after)):
                break
            if not cursor.is_filled(number, listing):
                cursor.at += 1
                continue
            start = cursor.at
            item = self.read_turn(listing, cursor, sheet, after)
            if item is not None:
                items.append(item)
            if cursor.at == start:
                cursor.at += 1
        return items

    def _read_simple(
        self, listing: Listing, line: Line, cursor: _Cursor, sheet: ReturnedSheet, after: list[Line]
    ) -> list[RawMap]:
        """Read a list of one row a turn."""
        maker = _RowMaker(self, sheet.name, line, cursor.columns)
        items: list[RawMap] = []
        rows = sheet.rows
        signed = [one for one in after if cursor.signs_of(one) is not None]
        plain = [one for one in after if cursor.signs_of(one) is None and one.fields]
        known = [cursor.signs_of(one) for one in signed]
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
                    items += [_Row(maker, one, rows[one]) for one in block]
                    cursor.at = looked_at
                    continue
            cells = rows[number]
            if _may_begin(cells, starts) and cursor.is_any(number, signed):
                break
            if plain and _is_other(cursor, number, line, plain):
                break
            if cursor.is_filled(number, listing):
                items.append(self._read_row(maker, line, number, cursor, sheet))
            cursor.at += 1
        return items

    def _read_row(self, maker: _RowMaker, line: Line, number: int, cursor: _Cursor, sheet: ReturnedSheet) -> RawMap:
        cells = sheet.rows[number]
        if maker.plain and maker.is_plain(cells):
            return _Row(maker, number, cells)
        entries: dict[str, Any] = {}
        self.read_line(line, number, cursor, sheet, entries)
        place = maker.place(number, maker.first)
        return RawMap(_freeze(entries, place), place)

    def read_turn(self, listing: Listing, cursor: _Cursor, sheet: ReturnedSheet, after: list[Line]) -> RawMap | None:
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
                found = self.read_items(part, cursor, sheet, stops)
                at = self.place(sheet.name, number, min((i.column for i in part.fields), default=1))
                _set(entries, part.steps, RawList(tuple(found), at))
                continue
            if cursor.is_any(number, after) and not cursor.fits(number, part):
                continue
            place = place or self.place(sheet.name, number, cursor.column_of(part))
            self.read_line(part, number, cursor, sheet, entries)
            cursor.at += 1
        return RawMap(_freeze(entries, place), place) if place is not None else None

    def read_line(
        self, line: Line, number: int, cursor: _Cursor, sheet: ReturnedSheet, entries: dict[str, Any]
    ) -> None:
        for item in line.fields:
            column = cursor.columns.get(item.column)
            if column is None:
                continue
            held = cursor.get(number, column)
            for steps, scalar in self.read_cell(item, held, self.place(sheet.name, number, column)):
                _set(entries, steps, scalar)

    # -- columns ------------------------------------------------------------------------------------------------------

    def find_columns(self, listing: Listing, sheet: ReturnedSheet, floor: int) -> tuple[int, dict[int, int]]:
        """Return the last row of the heading, and where each column of the template stands in the returned sheet."""
        wanted = listing.headings
        spots = _heading_spots(sheet, floor)
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
        self._guess_columns(listing, sheet, columns, top)
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

    def _guess_columns(self, listing: Listing, sheet: ReturnedSheet, columns: dict[int, int], top: int) -> None:
        """Place the columns whose heading is not there: by a similar heading, else between the neighbours they had."""
        missing = [item.column for item in listing.all_fields if item.column not in columns]
        for column in dict.fromkeys(missing):
            labels = listing.headings.get(column, ())
            taken = set(columns.values())
            at = self._similar(labels, sheet, top, taken) if labels else None
            if at is None:
                at = _between(columns, column, taken)
                held = sheet.get(top, at) if at is not None else None
                if held is not None and normalise(held[1:]) in self.keys:
                    at = None  # another column of the form stands there
                elif held is None and not any(at in cells for row, cells in sheet.rows.items() if row > top):
                    at = None  # nothing stands there
            if at is None:
                if labels:
                    fact = Text(f"the column {labels[0].text!r} is not there", f"缺少“{labels[0].text}”列")
                    hint = Text("keep the headings as they were sent", "请保留表头原样")
                    self.report("GF618", "error", Place(self.name, path=(sheet.name,)), fact, hint)
                elif not listing.headings:
                    columns[column] = column
                continue
            columns[column] = at
            if labels:
                now = sheet.get(top, at) or "t"
                fact = Text(
                    f"the heading {labels[0].text!r} reads {now[1:]!r} here", f"表头“{labels[0].text}”被改为“{now[1:]}”"
                )
                hint = Text("read as the same column", "按原列读取")
                self.report("GF619", "warning", self.place(sheet.name, top, at), fact, hint)

    @staticmethod
    def _similar(labels: tuple[Label, ...], sheet: ReturnedSheet, top: int, taken: set[int]) -> int | None:
        best, at = 0.6, None
        for row in range(max(1, top - 3), top + 1):
            for column, held in (sheet.rows.get(row) or {}).items():
                if column in taken or held[0] != "t":
                    continue
                key, wanted = normalise(held[1:]), labels[0].key
                score = 0.9 if wanted in key or (key and key in wanted) else SequenceMatcher(None, key, wanted).ratio()
                if score > best:
                    best, at = score, column
        return at


def _may_begin(cells: dict[int, Held], starts: set[str] | None) -> bool:
    """True where a text of the row begins as one of the fixed texts does (None: they may begin in any way)."""
    if starts is None:
        return True
    for held in cells.values():  # noqa: SIM110 - a loop is twice as fast as any() here
        if held[1:2] in starts:
            return True
    return False


def _most(rows: list[int]) -> list[int]:
    return [max(set(rows), key=rows.count)] if rows else []


def _between(columns: dict[int, int], column: int, taken: set[int]) -> int | None:
    """Return the one free column between where the neighbours of the template column stand, if there is exactly that."""
    left = max((c for c in columns if c < column), default=None)
    right = min((c for c in columns if c > column), default=None)
    if left is not None and columns[left] + column - left not in taken:
        guess = columns[left] + column - left
        if right is None or guess < columns[right]:
            return guess
    if right is not None and columns[right] - (right - column) > 0 and columns[right] - (right - column) not in taken:
        return columns[right] - (right - column)
    return None


class _Merges:
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
class _Cursor:
    """Where reading stands in the rows below a heading."""

    rows: list[int]
    sheet: ReturnedSheet
    columns: dict[int, int]
    merges: _Merges
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


def _is_other(cursor: _Cursor, row: int, lead: Line, after: list[Line]) -> bool:
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


def _beside(
    item: Field, where: tuple[int, int], form: SheetForm, sheet: ReturnedSheet, taken: set[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield where else a field may stand whose cell is empty: columns that were inserted move a value away from the
    fixed text it is known by, and from the first cell of the cells it is merged with.
    """
    row, column = where
    for column1, row1, column2, row2 in sheet.merges:
        if row1 <= row <= row2 and column1 <= column <= column2 and (row1, column1) not in taken:
            yield row1, column1
    if (row, item.column) not in taken:
        yield row, item.column
    if any(label.row == item.row and label.column < item.column for label in form.labels):
        for at in range(column + 1, column + 1 + _MAX_INSERTED):
            held = sheet.get(row, at)
            if (row, at) in taken or (held is not None and normalise(held[1:]) in form.keys):
                return
            yield row, at


def _iter_texts(sheet: ReturnedSheet) -> Iterator[tuple[int, int, str]]:
    for count, (row, cells) in enumerate(sheet.rows.items()):
        if count > 5_000:
            return
        for column, held in cells.items():
            if held[0] == "t":
                yield row, column, held[1:]


def _texts_of(sheet: ReturnedSheet) -> set[str]:
    """Return the texts of a sheet's first and last rows, where the fixed ones are."""
    numbers = list(sheet.rows)
    if len(numbers) > 400:
        numbers = numbers[:200] + numbers[-200:]
    return {normalise(h[1:]) for n in numbers for h in sheet.rows[n].values() if h[0] == "t" and len(h) < 500}


def _heading_spots(sheet: ReturnedSheet, floor: int) -> dict[str, list[tuple[int, int]]]:
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
            if held[0] in "tn" and len(held) < 300:
                spots.setdefault(normalise(held[1:]), []).append((row, column))
    return spots


def _find_text(sheet: ReturnedSheet, label: Label) -> list[tuple[int, int]]:
    held = sheet.get(label.row, label.column)
    if held is not None and normalise(held[1:]) == label.key:
        return [(label.row, label.column)]
    return [(row, column) for row, column, text in _iter_texts(sheet) if normalise(text) == label.key]


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


def _scalar(text: str, place: Place, kind: str = "text") -> RawScalar:
    return RawScalar(text, place, quoted=kind == "text" and text in _NULLS, kind=kind)


def _set(root: dict[str, Any], steps: Steps, value: Any) -> None:
    for step in steps[:-1]:
        inner = root.get(step)
        if not isinstance(inner, dict):
            inner = root[step] = {}
        root = inner
    root[steps[-1]] = value


def _get(root: dict[str, Any], steps: Steps) -> Any:
    found: Any = root
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _freeze(entries: dict[str, Any], place: Place | None) -> dict[str, Raw]:
    """Return the entries with inner mappings as RawMaps, each at the place of its first value."""
    at = place or Place()
    frozen: dict[str, Raw] = {}
    for key, value in entries.items():
        if isinstance(value, dict):
            inner = _freeze(value, at)
            first = next((item.place for item in inner.values()), at)
            frozen[key] = RawMap(inner, first)
        else:
            frozen[key] = value
    return frozen


def _read_aliases(aliases: Any) -> dict[str, tuple[str, ...]]:
    """Return the further names of headings as headings are compared; TypeError where they are of another shape."""
    if not isinstance(aliases, Mapping):
        raise TypeError(f"aliases are a mapping of headings to lists of names, not {type(aliases).__name__}")
    for key, names in aliases.items():
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise TypeError(f"the aliases of {key!r} are a list of texts, not {names!r}")
    found = {key: tuple(names) for key, names in aliases.items()}
    odd = [text for key, names in found.items() for text in (key, *names) if not isinstance(text, str)]
    if odd:
        raise TypeError(f"headings and their aliases are texts, not {odd[0]!r}")
    return {normalise(key): tuple(map(normalise, names)) for key, names in found.items()}


def read_back(
    compiled: Compiled, data: bytes, *, name: str, aliases: Mapping[str, Sequence[str]] | None = None
) -> ReadBack:
    """Return the data of a returned form, with its issues; ReadBackError where it cannot be read or is not this form.

    `aliases` are further names of headings: heading of the template → names it may have in the form; TypeError for
    anything else.
    """
    forms = compiled.forms
    if not forms:
        fact = Text("the template has no field that could be read back", "模板中没有可回读的字段")
        raise ReadBackError(
            Issue(
                "GF610",
                "error",
                Place(compiled.name),
                fact,
                Text("use plain paths: {{ c.name }}", "请使用简单路径，如 {{ c.name }}"),
            )
        )
    sheets = read_returned(data, name=name)
    reader = _Reader(name, {} if aliases is None else aliases)
    pairs = reader.match(forms, sheets)
    if not pairs:
        fact = Text("it is not this form: none of its sheets is there", "不是本表：没有找到对应的工作表")
        hint = Text("send back the form that was sent", "请使用下发的表格填报")
        raise ReadBackError(Issue("GF610", "error", Place(name), fact, hint))
    for pair in pairs:
        reader.read(pair)
    return ReadBack(_freeze(reader.root, Place(name)), Place(name), {}, tuple(reader.issues))


__all__ = ["ReadBack", "read_back"]
