"""The rows of a sheet as XML, as they come: rows that stand once are written here, lists by `lists`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import Body, Path, Placed, Uniform
from gfdocs.engine.xlsx.rows.cells import formula_tail, value_tail
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.heights import RowHeight, find_grown, with_height
from gfdocs.engine.xlsx.rows.lists import write_turns
from gfdocs.engine.xlsx.rows.placing import ColumnAt
from gfdocs.engine.xlsx.rows.seen import get_formula_value, get_values
from gfdocs.engine.xlsx.template.compiled import FormulaCell, Row, StaticCell, ValueCell

#: Rows are given away in pieces of some such size.
_PIECE = 65_536


def write_rows(grid: Grid) -> Iterator[bytes]:
    """Yield the `<row>` elements of a sheet."""
    pieces: list[str] = []
    size = 0
    for piece in _write_body(grid, grid.rows, (grid.rows,)):
        if isinstance(piece, str):
            pieces.append(piece)
            size += len(piece)
        if size > _PIECE or not isinstance(piece, str):
            yield "".join(pieces).encode()
            pieces, size = [], 0
        if isinstance(piece, bytes):
            yield piece
    yield "".join(pieces).encode()


def _write_body(grid: Grid, body: Body, path: Path) -> Iterator[str | bytes]:
    """Yield the rows of one turn: those that stand once as texts, those of lists as bytes."""
    sheet = grid.sheet
    for part in body.parts:
        if isinstance(part, Placed):
            numbers = sheet.numbers[bisect_left(sheet.numbers, part.first) : bisect_right(sheet.numbers, part.last)]
            settled = grid.memory.settled_rows if body is grid.rows else ()
            for number in numbers:
                write = _write_settled if number in settled else _write_row
                yield write(grid, sheet.rows[number], part.start + number - part.first, body, path)
        elif isinstance(part, Uniform):
            yield from write_turns(grid, part, path)
        else:
            for inner in part.bodies:
                yield from _write_body(grid, inner, (*path, inner) if inner.is_loop else path)


def _write_settled(grid: Grid, row: Row, number: int, body: Body, path: Path) -> str:
    """Write a row that the data cannot change; where all its values are known it is written once for each place."""
    texts = grid.memory.settled_texts
    text = texts.get((row.number, number))
    if text is None:
        text = _write_row(grid, row, number, body, path)
        if all(grid.values.get((id(body), row.number, cell.column)) is not Unknown for cell in row.cells):
            texts.set((row.number, number), text)
    return text


# -- rows that stand once ----------------------------------------------------------------------------------------------


class RowText(NamedTuple):
    """A row of the template as text: `first` and what follows each cell that is written anew are to be joined by the
    row's number.
    """

    height: RowHeight
    first: list[str]
    cells: list[tuple[ValueCell | FormulaCell, ColumnAt, list[str]]]


def _get_row_text(grid: Grid, row: Row) -> RowText:
    """Return how a row is written; where the columns stand still, all documents of the template share it."""
    found: RowText | None = grid.row_texts.get(row.number)
    if found is None:
        found = grid.row_texts[row.number] = _make_row_text(grid, row)
    return found


def _make_row_text(grid: Grid, row: Row) -> RowText:
    found = RowText(grid.memory.get_height(row), [""], [])
    pieces = found.first
    for cell, column in grid.output_columns.place_cells(row):
        pieces[-1] += f'<{grid.writer.prefix}c r="{letter(column.out)}'
        if isinstance(cell, StaticCell):
            pieces.append(f'"{cell.tail}')
        else:
            pieces.append('"')
            pieces = [""]
            found.cells.append((cell, column, pieces))
    pieces[-1] += f"</{grid.writer.prefix}row>"
    return found


def _write_row(grid: Grid, row: Row, number: int, body: Body, path: Path) -> str:
    found = _get_row_text(grid, row)
    text = str(number)
    out = ["", text.join(found.first)]
    height, wraps = found.height
    for cell, column, following in found.cells:
        if isinstance(cell, FormulaCell):
            value = get_formula_value(grid, cell, row.number, column, body, path)
            out.append(formula_tail(grid, cell, row, column, path, value))
        else:
            tail, value = _fill_cell(grid, cell, column, body, number)
            out.append(tail)
            height = find_grown(height, wraps, cell.column, value) if wraps else height
        out.append(text.join(following))
    attributes = row.attributes if height == found.height.height else with_height(row.attributes, height)
    out[0] = f'<{grid.writer.prefix}row r="{text}"{attributes}>'
    return "".join(out)


def _fill_cell(grid: Grid, cell: ValueCell, column: ColumnAt, body: Body, number: int) -> tuple[str, Any]:
    """Return the tail of a cell and its value; the cell is empty where that has a fault (which is reported)."""
    scope = column.widen(body.scope)
    try:
        value = cell.program.get_value(scope, grid.context.missing)
        return value_tail(grid, cell, value, (column.out, number)), value
    except Exception as fault:
        grid.report(cell.program, fault, scope)
        return grid.writer.content_tail(None, cell.style), None


# -- cells that become one ---------------------------------------------------------------------------------------------


def find_merges(grid: Grid) -> list[str]:
    """Return the ranges that `{% vm %}` joins: equal neighbours of a list, one under the other."""
    return [
        merge
        for number, cell in grid.sheet.merging_cells
        for column in grid.output_columns.get_all(cell.column)
        for merge in _merge_equal(grid, number, column)
    ]


def _merge_equal(grid: Grid, line: int, column: ColumnAt) -> Iterator[str]:
    letters = letter(column.out)
    rows = [row for a, b in grid.rows.image(line, line) for row in range(a, b + 1)]
    start, known = 0, None
    for index in range(len(rows) + 1):
        value = None
        if index < len(rows):
            try:
                (value,) = get_values(grid, column.out, rows[index], rows[index])
            except Unknown:
                value = None
        if index == len(rows) or value is None or value != known or rows[index] != rows[index - 1] + 1:
            if known is not None and index - start > 1:
                yield f"{letters}{rows[start]}:{letters}{rows[index - 1]}"
            start, known = index, value
