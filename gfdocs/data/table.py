"""Tables of companies: CSV text and workbook sheets as rows of cells, the heading row found by its words.

A `Table` knows its headings and yields rows; what a heading means is told by `RecordSpec.find_paths`. Rows above the
heading (titles, units of measure) are passed over; a second heading row under merged cells is joined with the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from gfdocs.data import zh
from gfdocs.data.figures import find_figure_column
from gfdocs.data.source import (
    Collector,
    MapNode,
    SourceLimits,
    TextNode,
    check_text,
    decode_text,
    to_place,
)
from gfdocs.errors import Place, Text
from gfdocs.raw import Raw, RawList, RawMap, RawScalar

__all__ = ["Cell", "Table", "column_letters", "find_table", "read_csv_rows", "read_tables"]

Cell = TextNode
Row = tuple[int, list[Cell | None]]
"""Row number from 1 (CSV: the line it begins on) and its cells by column."""

HEADING_ROWS: Final = 20
"""The heading is looked for in so many rows."""

IGNORED: Final = frozenset(map(zh.normal_heading, ("序号", "编号", "No", "No.", "#", "index", "序", "id")))


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its heading cells by column, the rows beneath, and how a cell's place reads."""

    name: str  # of the sheet; "" for CSV
    headings: tuple[Cell | None, ...]
    rows: Iterator[Row]
    placer: Callable[[Any], Place]


def column_letters(column: int) -> str:
    """Return the letters of a column counted from 0: 0 → A, 27 → AB."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


# -- CSV -----------------------------------------------------------------------------------------------------------

DELIMITERS: Final = (",", ";", "\t")


def sniff_delimiter(text: str) -> str:
    """Return the delimiter of most fields in the first lines: comma, semicolon or tab."""
    lines = [line for line in text[:20_000].splitlines() if line.strip()][:HEADING_ROWS]
    return max(DELIMITERS, key=lambda mark: max((line.count(mark) for line in lines), default=0))


def read_csv_rows(text: str, file: str, issues: Collector, limits: SourceLimits) -> Iterator[Row]:
    """Yield the rows of a CSV text; each cell knows line and column. Quotes as in RFC 4180, faults are issues."""
    mark = sniff_delimiter(text)
    cell_end = re.compile(f"[{mark}\r\n]")
    at, line, start, size = 0, 0, 0, len(text)
    while at < size:
        cells: list[Cell | None] = []
        first = line
        while True:
            if at < size and text[at] == '"':
                cell, at, line, start = _read_quoted(text, at, line, start, file, issues)
                cells.append(cell)
                rest = cell_end.search(text, at)
                after = rest.start() if rest else size
                if text[at:after].strip():
                    fact = Text("text after the closing quote", "引号结束后还有文字")
                    hint = Text('write a quote inside quotes as ""', '引号内的引号请写成两个 ""')
                    issues.add("GF124", Place(file, line + 1, at - start + 1), fact, hint)
            else:
                rest = cell_end.search(text, at)
                after = rest.start() if rest else size
                cells.append(Cell(text[at:after], line, at - start, "") if after > at else None)
            at = after
            if at < size and text[at] == mark:
                at += 1
                if len(cells) < limits.columns:
                    continue
                fact = Text(f"more than {limits.columns} columns", f"超过 {limits.columns} 列")
                issues.add("GF104", Place(file, line + 1), fact, Text("delete what is not data", "请删除多余的列"))
                return
            break
        if at < size:
            at += 2 if text.startswith("\r\n", at) else 1
            line, start = line + 1, at
        yield first + 1, cells
        if line > limits.rows:
            fact = Text(f"more than {limits.rows} rows", f"超过 {limits.rows} 行")
            issues.add("GF104", Place(file, line + 1), fact, Text("split the file", "请拆分文件"))
            return


def _read_quoted(text: str, at: int, line: int, start: int, file: str, issues: Collector) -> tuple[Cell, int, int, int]:
    """Return (cell, next index, line, index where that line starts) of a cell that begins with a quote."""
    column, first = at - start, line
    end = at + 1
    while True:
        end = text.find('"', end)
        if end < 0:
            fact = Text("a quote that opens here is not closed", "此处的引号没有配对")
            issues.add("GF124", Place(file, first + 1, column + 1), fact, Text("close it", "请补上引号"))
            newline = text.find("\n", at)
            end = len(text) if newline < 0 else newline
            return Cell(text[at + 1 : end], first, column), end, line, start
        if text.startswith('""', end):
            end += 2
            continue
        break
    value = text[at + 1 : end].replace('""', '"')
    for match in re.finditer("\r\n|\n|\r", text[at:end]):
        line, start = line + 1, at + match.end()
    return Cell(value, first, column), end + 1, line, start


# -- headings ------------------------------------------------------------------------------------------------------


def find_table(
    name: str,
    rows: Iterator[Row],
    placer: Callable[[Any], Place],
    knows: Callable[[str], bool],
    is_name: Callable[[str], bool],
) -> Table | None:
    """Return the table whose heading row has a heading for the unit's name, None where the first rows have none."""
    first: list[Row] = []
    for row in rows:
        first.append(row)
        if len(first) > HEADING_ROWS + 1:
            break
    for index, (_, cells) in enumerate(first):
        if not any(cell is not None and is_name(cell.value) for cell in cells):
            continue
        known = sum(
            1 for cell in cells if cell is not None and (knows(cell.value) or zh.normal_heading(cell.value) in IGNORED)
        )
        filled = sum(1 for cell in cells if cell is not None and cell.value.strip())
        if known < min(2, filled):
            continue
        below = first[index + 1][1] if index + 1 < len(first) else []
        headings, used = _join_headings(cells, below, knows, is_name)
        return Table(name, headings, _chain(first[index + 1 + used :], rows), placer)
    return None


def _join_headings(
    upper: list[Cell | None], lower: list[Cell | None], knows: Callable[[str], bool], is_name: Callable[[str], bool]
) -> tuple[tuple[Cell | None, ...], bool]:
    """Join a heading row with the one under it, where that is a second heading row: 联系人 over 姓名 | 电话."""
    named = next(i for i, cell in enumerate(upper) if cell is not None and is_name(cell.value))
    # A heading merged down over both rows is repeated in the second one, with its own place: that is no text there.
    merged = {(cell.line, cell.column) for cell in upper if cell is not None}
    lower = [None if cell is not None and (cell.line, cell.column) in merged else cell for cell in lower]
    filled = [i for i, cell in enumerate(lower) if cell is not None and cell.value.strip()]
    at_name = lower[named] if named < len(lower) else None
    if not filled or (at_name is not None and at_name.value.strip()):
        return tuple(upper), False
    if not all(_is_heading(lower[i], upper, i, knows) for i in filled):
        return tuple(upper), False
    joined: list[Cell | None] = []
    above = ""
    for i in range(max(len(upper), len(lower))):
        top = upper[i] if i < len(upper) else None
        low = lower[i] if i < len(lower) else None
        above = top.value if top is not None and top.value.strip() else above
        if low is None or not low.value.strip():
            joined.append(top)
            continue
        both = above + low.value
        text = both if knows(both) else low.value
        joined.append(Cell(text, low.line, low.column))
    return tuple(joined), True


def _is_heading(low: Cell | None, upper: list[Cell | None], column: int, knows: Callable[[str], bool]) -> bool:
    above = next((c.value for c in reversed(upper[: column + 1]) if c is not None and c.value.strip()), "")
    return low is not None and (knows(low.value) or knows(above + low.value))


def _chain(first: list[Row], rest: Iterable[Row]) -> Iterator[Row]:
    yield from first
    yield from rest


# -- the two kinds -------------------------------------------------------------------------------------------------


def read_tables(
    data: bytes,
    file: str,
    issues: Collector,
    limits: SourceLimits,
    knows: Callable[[str], bool],
    is_name: Callable[[str], bool],
) -> Iterator[Table]:
    """Yield the tables of a .csv (one) or .xlsx (one a sheet); sheets without a heading row are reported."""
    found = False
    for name, rows, placer in _read_sheets(data, file, issues, limits):
        before = len(issues.issues)
        table = find_table(name, rows, placer, knows, is_name)
        if table is not None:
            found = True
            yield table
        elif name and len(issues.issues) == before:
            place = Place(file, path=(name,))
            fact = Text("a sheet without a heading row, passed over", "工作表中未找到表头行，已跳过")
            issues.add("GF120", place, fact, severity="note")
    if not found and not issues.has_errors:
        fact = Text(
            f"no heading row with a unit's name in the first {HEADING_ROWS} rows",
            f"前 {HEADING_ROWS} 行中没有含“企业名称”的表头行",
        )
        issues.add(
            "GF120", Place(file), fact, Text("add a heading row: 企业名称, 所在地, …", "请加上表头：企业名称、所在地……")
        )


def _read_sheets(
    data: bytes, file: str, issues: Collector, limits: SourceLimits
) -> Iterator[tuple[str, Iterator[Row], Callable[[Any], Place]]]:
    if file.lower().endswith(".xlsx"):
        from gfdocs.data.workbook import read_sheets

        yield from read_sheets(data, file, issues, limits)
        return
    text = decode_text(data, file, issues)
    if text is not None:
        yield "", read_csv_rows(text, file, issues, limits), lambda mark: to_place(mark, file)


def read_table_raw(data: bytes, file: str, issues: Collector, limits: SourceLimits) -> Raw | None:
    """Return all rows of all tables as a list of mappings by heading."""
    from gfdocs.data.fields import get_spec
    from gfdocs.data.model import Company

    spec = get_spec(Company)
    rows: list[Any] = []
    for table in read_tables(data, file, issues, limits, *heading_tests(spec)):
        for number, cells in table.rows:
            node = MapNode(Cell("", number - 1, 0))
            for heading, cell in zip(table.headings, cells, strict=False):
                if heading is not None and cell is not None and heading.value not in node.entries:
                    node.entries[heading.value], node.keys[heading.value] = cell, heading
                    check_text(cell.value, table.placer(cell), issues)
            if node.entries:
                rows.append(to_raw_row(node, table))
    return None if issues.has_errors else RawList(tuple(rows), Place(file))


def to_raw_row(node: MapNode, table: Table) -> Raw:
    entries: dict[str, Raw] = {
        key: RawScalar(cell.value, table.placer(cell), quoted=True, kind=cell.kind)
        for key, cell in node.entries.items()
    }
    return RawMap(entries, table.placer(node.start_mark), {key: table.placer(cell) for key, cell in node.keys.items()})


def heading_tests(spec: Any) -> tuple[Callable[[str], bool], Callable[[str], bool]]:
    """Return (is this a heading we know, is it the heading of the unit's name)."""

    def knows(text: str) -> bool:
        return bool(text.strip()) and (spec.find_paths([text])[0] or find_figure_column(text)) is not None

    def is_name(text: str) -> bool:
        field = spec.find_field(text) if text.strip() else None
        return field is not None and field.name == "name"

    return knows, is_name
