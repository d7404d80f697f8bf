"""References in formulas: found by openpyxl's tokenizer, moved with the cells they name.

A formula becomes a tuple of plain texts and `Ref`s. What is not a reference to cells of this workbook (structured
references, names, references to other workbooks, text, errors) stays the text it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gfdocs.engine.xlsx.formulas.tokenizer import load_tokenizer
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW

_CELL = re.compile(r"(\$?)([A-Za-z]{1,3})(\$?)([1-9][0-9]{0,6})$")
_ROW = re.compile(r"(\$?)([1-9][0-9]{0,6})$")
_COLUMN = re.compile(r"(\$?)([A-Za-z]{1,3})$")

#: Functions that take many areas as arguments, so that a list in pieces stays exact.
UNION_FUNCTIONS = frozenset(
    [
        "SUM",
        "AVERAGE",
        "AVERAGEA",
        "COUNT",
        "COUNTA",
        "MIN",
        "MINA",
        "MAX",
        "MAXA",
        "PRODUCT",
        "MEDIAN",
        "STDEV",
        "STDEVP",
        "STDEV.S",
        "STDEV.P",
        "VAR",
        "VARP",
        "VAR.S",
        "VAR.P",
        "SUMSQ",
        "GEOMEAN",
        "AND",
        "OR",
        "SUBTOTAL",
        "AGGREGATE",
        "CONCAT",
        "TEXTJOIN",
        "MODE",
    ]
)

FREE = "\0free"

#: Functions that read an area; a single cell of a list, standing alone as such an argument, means the whole list.
AREA_ARGUMENTS: dict[str, frozenset[int] | None] = dict.fromkeys(UNION_FUNCTIONS) | {
    "SUBTOTAL": None,
    # What stands by itself (a defined name, a chart's range) reads an area as well.
    FREE: None,
    "COUNTIF": frozenset({0}),
    "SUMIF": frozenset({0, 2}),
    "AVERAGEIF": frozenset({0, 2}),
    "COUNTIFS": frozenset(range(0, 254, 2)),
    "SUMIFS": frozenset({0, *range(1, 254, 2)}),
    "AVERAGEIFS": frozenset({0, *range(1, 254, 2)}),
    "MAXIFS": frozenset({0, *range(1, 254, 2)}),
    "MINIFS": frozenset({0, *range(1, 254, 2)}),
    "SUMPRODUCT": None,
    "COUNTBLANK": None,
    "LARGE": frozenset({0}),
    "SMALL": frozenset({0}),
    "RANK": frozenset({1}),
    "RANK.EQ": frozenset({1}),
    "MATCH": frozenset({1}),
    "INDEX": frozenset({0}),
    "VLOOKUP": frozenset({1}),
    "HLOOKUP": frozenset({1}),
    "LOOKUP": frozenset({1, 2}),
    "XLOOKUP": frozenset({1, 2}),
    "ROWS": None,
    "COLUMNS": None,
}


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to cells: `'2022 名单'!$A$1:B2`, `C5`, `5:6`, `$A:$B`.

    `prefix` is the sheet as it was written with its `!`, `sheet` the name it means (None: the formula's own);
    `last_sheet` is the end of a reference through several sheets. Whole rows have no columns (0), whole columns no
    rows (0). `dollars` are those of column 1, row 1, column 2, row 2. `function` and `argument` tell of which call
    this is a whole argument.
    """

    sheet: str | None
    prefix: str
    column1: int
    row1: int
    column2: int
    row2: int
    dollars: tuple[str, str, str, str]
    is_range: bool
    last_sheet: str | None = None
    function: str = ""
    argument: int = 0

    @property
    def is_area(self) -> bool:
        """True where the formula reads an area here, so that the reference may grow."""
        if self.is_range:
            return True
        positions = AREA_ARGUMENTS.get(self.function, frozenset())
        return positions is None or self.argument in positions

    @property
    def is_relative(self) -> bool:
        """True where an end has no `$`: in a defined name it is then read from the cell that asks."""
        c1, r1, c2, r2 = self.dollars
        return bool((self.column1 and not (c1 and c2)) or (self.row1 and not (r1 and r2)))

    def to_text(self, columns: tuple[int, int], rows: tuple[int, int], prefix: str | None = None) -> str:
        """Return the reference to these columns and rows, with the dollars of the original."""
        head = self.prefix if prefix is None else prefix
        c1, r1, c2, r2 = self.dollars
        if not self.column1:
            return f"{head}{r1}{rows[0]}:{r2}{rows[1]}"
        if not self.row1:
            return f"{head}{c1}{letter(columns[0])}:{c2}{letter(columns[1])}"
        first = f"{head}{c1}{letter(columns[0])}{r1}{rows[0]}"
        if not self.is_range and columns[0] == columns[1] and rows[0] == rows[1]:
            return first
        return f"{first}:{c2}{letter(columns[1])}{r2}{rows[1]}"


Formula = tuple[str | Ref, ...]


@lru_cache(maxsize=MAX_COLUMN)
def letter(column: int) -> str:
    """Return the letters of a column: 1 → A, 27 → AA."""
    text = ""
    while column > 0:  # a place left of column A has no letters, and no end
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


@lru_cache(maxsize=MAX_COLUMN)
def column_number(letters: str) -> int:
    """Return the number of a column: A → 1, AA → 27."""
    number = 0
    for char in letters.upper():
        number = number * 26 + ord(char) - 64
    return number


def split_cell(text: str) -> tuple[int, int]:
    """Return (column, row) of `B7`; (0, 0) where it is no cell."""
    match = _CELL.match(text)
    return (column_number(match[2]), int(match[4])) if match else (0, 0)


def unquote_sheet(prefix: str) -> str:
    """Return the sheet name that a prefix such as `'it''s'!` means."""
    name = prefix.removesuffix("!")
    return name[1:-1].replace("''", "'") if name.startswith("'") and name.endswith("'") and len(name) > 1 else name


def quote_sheet(name: str) -> str:
    """Return the prefix for a sheet, in quotes wherever they could be needed."""
    plain = name.isidentifier() and not _CELL.match(name) and not re.match(r"(?i)(r|c|r\d*c\d*)$", name)
    return f"{name}!" if plain else "'" + name.replace("'", "''") + "'!"


@lru_cache(maxsize=8192)
def parse_reference(text: str) -> Ref | None:
    """Read one reference; None where the text names no cells of this workbook."""
    prefix, body = "", text
    if "!" in text:
        pieces = _split_double_prefix(text)
        prefix, body = pieces if pieces else (text[: text.rindex("!") + 1], text[text.rindex("!") + 1 :])
    if "[" in prefix or "#" in prefix:
        return None
    sheet: str | None = unquote_sheet(prefix) if prefix else None
    last_sheet = None
    if sheet is not None and ":" in sheet:
        sheet, last_sheet = sheet.split(":", 1)
    ends = body.split(":")
    if len(ends) > 2:
        return None
    parsed = _parse_ends(ends)
    if parsed is None:
        return None
    columns, rows, dollars = parsed
    return Ref(sheet, prefix, columns[0], rows[0], columns[1], rows[1], dollars, len(ends) == 2, last_sheet)


def _split_double_prefix(text: str) -> tuple[str, str] | None:
    """`Sheet1!A1:Sheet1!B2` is `Sheet1!A1:B2`."""
    half = text.find(":", text.find("!"))
    if text.count("!") != 2 or half < 0:
        return None
    first, second = text[:half], text[half + 1 :]
    prefix = first[: first.rindex("!") + 1]
    return (prefix, f"{first[len(prefix) :]}:{second[len(prefix) :]}") if second.startswith(prefix) else None


def _parse_ends(
    ends: list[str],
) -> tuple[tuple[int, int], tuple[int, int], tuple[str, str, str, str]] | None:
    cells = [_CELL.match(end) for end in ends]
    if all(cells):
        first, last = cells[0], cells[-1]
        assert first is not None
        assert last is not None
        columns, rows = [column_number(m[2]) for m in (first, last)], [int(m[4]) for m in (first, last)]
        if max(columns) > MAX_COLUMN or max(rows) > MAX_ROW:
            return None
        order_c, order_r = sorted(columns), sorted(rows)
        c_dollars = (first[1], last[1]) if columns[0] <= columns[1] else (last[1], first[1])
        r_dollars = (first[3], last[3]) if rows[0] <= rows[1] else (last[3], first[3])
        dollars = (c_dollars[0], r_dollars[0], c_dollars[1], r_dollars[1])
        return (order_c[0], order_c[1]), (order_r[0], order_r[1]), dollars
    if len(ends) != 2:
        return None
    lines = [_ROW.match(end) for end in ends]
    if lines[0] and lines[1]:
        return (0, 0), (int(lines[0][2]), int(lines[1][2])), ("", lines[0][1], "", lines[1][1])
    bands = [_COLUMN.match(end) for end in ends]
    if bands[0] and bands[1]:
        numbers = (column_number(bands[0][2]), column_number(bands[1][2]))
        return (numbers, (0, 0), (bands[0][1], "", bands[1][1], "")) if max(numbers) <= MAX_COLUMN else None
    return None


@lru_cache(maxsize=4096)
def parse_formula(text: str) -> Formula:
    """Split a formula (without its `=`) into texts and references; a formula that cannot be read stays one text."""
    tokenizer = load_tokenizer()
    try:
        items: list[Any] = tokenizer.Tokenizer("=" + text).items
    except (tokenizer.TokenizerError, IndexError, AttributeError):
        return (text,)
    parts: list[str | Ref] = []
    calls: list[tuple[str, int]] = []
    for index, item in enumerate(items):
        ref: Ref | None = None
        tail = item.value
        if item.type == "OPERAND" and item.subtype == "RANGE":
            ref, tail = parse_reference(item.value), ""
            if ref is not None and calls and _stands_alone(items, index):
                ref = _with_call(ref, *calls[-1])
        elif item.type == "FUNC" and item.subtype == "OPEN" and ":" in item.value:
            head, tail = item.value.rsplit(":", 1)
            ref = parse_reference(head)
            tail = f":{tail}" if ref is not None else item.value
        _follow_calls(calls, item)
        parts.append(ref if ref is not None else item.value)
        if ref is not None and tail:
            parts.append(tail)
    return _join_texts(parts)


def _with_call(ref: Ref, function: str, argument: int) -> Ref:
    return Ref(
        ref.sheet, ref.prefix, ref.column1, ref.row1, ref.column2, ref.row2, ref.dollars, ref.is_range, ref.last_sheet,
        function, argument,
    )  # fmt: skip


def _follow_calls(calls: list[tuple[str, int]], item: Any) -> None:
    if item.subtype == "OPEN":
        name = item.value[:-1].upper().rsplit(":", 1)[-1].removeprefix("_XLFN.") if item.type == "FUNC" else ""
        calls.append((name, 0))
    elif item.subtype == "CLOSE" and calls:
        calls.pop()
    elif item.type == "SEP" and item.subtype == "ARG" and calls:
        calls[-1] = (calls[-1][0], calls[-1][1] + 1)


def _stands_alone(items: list[Any], index: int) -> bool:
    """True where the operand is a whole argument of its call."""

    def neighbour(step: int) -> Any:
        at = index + step
        while 0 <= at < len(items) and items[at].type == "WHITE-SPACE":
            at += step
        return items[at] if 0 <= at < len(items) else None

    before, after = neighbour(-1), neighbour(1)
    opens = before is not None and (before.type == "SEP" or (before.type == "FUNC" and before.subtype == "OPEN"))
    return opens and after is not None and (after.type == "SEP" or (after.type == "FUNC" and after.subtype == "CLOSE"))


def _join_texts(parts: list[str | Ref]) -> Formula:
    joined: list[str | Ref] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return tuple(joined)


def refs_of(formula: Formula) -> list[Ref]:
    """Return the references of a formula, in order."""
    return [part for part in formula if isinstance(part, Ref)]


def translate_shared(text: str, origin: str, target: str) -> str:
    """Return the formula that a cell of a shared formula has: the master's text at `origin`, moved to `target`.

    A formula that cannot be read stays as it is, as with `parse_formula`.
    """
    from openpyxl.formula.translate import Translator, TranslatorError

    try:
        moved = Translator("=" + text, origin=origin).translate_formula(target)
    except TranslatorError:
        return "#REF!"
    except (load_tokenizer().TokenizerError, IndexError, AttributeError):
        return text
    return str(moved)[1:]
