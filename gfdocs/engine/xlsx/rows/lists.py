"""A list whose turns are alike as XML: what is the same in each turn is made once, what differs comes as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault, Site, write_formula
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import Path, Uniform
from gfdocs.engine.xlsx.rows.cells import formula_tail, report_formula, value_tail, write_cached
from gfdocs.engine.xlsx.rows.filled import fill_turns, find_field, find_name, gather_names
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.heights import Wrap, grown_heights, with_height
from gfdocs.engine.xlsx.rows.pictures import Picture
from gfdocs.engine.xlsx.rows.placing import ColumnAt
from gfdocs.engine.xlsx.rows.seen import get_formula_vector
from gfdocs.engine.xlsx.rows.turns import Column, Piece, TurnWriter, literal
from gfdocs.engine.xlsx.rows.values import write_plain_numbers
from gfdocs.engine.xlsx.template.compiled import FormulaCell, Row, StaticCell, ValueCell
from gfdocs.engine.xlsx.template.sheet import escape_text

#: Rows of a list whose values are gathered and looked at together, and the fewest turns.
_BATCH, _FEWEST = 500, 16


class Batch(NamedTuple):
    """Some turns of a list that are written together, first…last-1, and the values of their cells by output column."""

    first: int
    last: int
    values: dict[int, Sequence[Any]]


#: A part of a line: what is the same in each turn, or what gives it for a batch of turns.
Part = Piece | Callable[[Batch], Sequence[Piece]]


class Line(NamedTuple):
    """One line of the turns of a list, and its cells that the data fills."""

    row: Row
    parts: Sequence[Part]
    filled: Sequence[tuple[ValueCell, ColumnAt]]
    names: Mapping[int, str]
    """The output columns that hold nothing but one name of the item: `{{ c.name }}`."""


def write_turns(grid: Grid, run: Uniform, path: Path) -> Iterator[bytes]:
    """Yield the rows of a list; `path` are the frames around it."""
    rows = [(grid.sheet.rows.get(number), offset) for offset, number in enumerate(run.numbers)]
    lines = [_prepare_line(grid, run, path, row, offset) for row, offset in rows if row is not None]
    if not run.count or not lines:
        return
    writer = TurnWriter(run.start, run.height)
    for first, last in writer.get_batches(run.count, max(_FEWEST, _BATCH // len(lines))):
        pieces = [piece for line in lines for piece in _fill_line(grid, run, line, first, last)]
        yield from writer.write(pieces, first, last)


# -- lines -------------------------------------------------------------------------------------------------------------


def _prepare_line(grid: Grid, run: Uniform, path: Path, row: Row, offset: int) -> Line:
    """Return one line of the turns with all that is the same in each."""
    p, placed = grid.writer.prefix, grid.output_columns.place_cells(row)
    filled = [(cell, column) for cell, column in placed if isinstance(cell, ValueCell)]
    parts: list[Part] = [literal(f'<{p}row r="'), offset, b'"', _prepare_attributes(grid, row, filled), b">"]
    for cell, column in placed:
        parts += [literal(f'<{p}c r="{letter(column.out)}'), offset, b'"']
        if isinstance(cell, StaticCell):
            parts.append(literal(cell.tail))
        elif isinstance(cell, FormulaCell):
            parts.append(_prepare_formula(grid, run, path, row, cell, column))
        else:
            parts.append(partial(_give_values, grid, run, cell, column, offset))
    loop = grid.get_loop(run)
    names = {at.out: name for cell, at in filled if (name := find_name(loop, cell, at)) is not None}
    return Line(row, [*parts, literal(f"</{p}row>")], filled, names)


def _fill_line(grid: Grid, run: Uniform, line: Line, first: int, last: int) -> Iterator[Piece]:
    """Yield one line of the turns first…last-1."""
    # A column that a formula has asked for is there as a whole.
    names = {out: name for out, name in line.names.items() if ("raw", line.row.number, out) not in run.columns}
    batch = Batch(first, last, gather_names(run, names, first, last))
    for cell, column in line.filled:
        if column.out not in batch.values:
            batch.values[column.out] = _get_values(grid, run, line.row, cell, column, first, last)
    for part in line.parts:
        if callable(part):
            yield from part(batch)
        else:
            yield part


def _get_values(
    grid: Grid, run: Uniform, row: Row, cell: ValueCell, column: ColumnAt, first: int, last: int
) -> Sequence[Any]:
    if run.blank:
        return [None] * (last - first)
    whole: Sequence[Any] | None = run.columns.get(("raw", row.number, column.out))
    return whole[first:last] if whole is not None else fill_turns(grid, run, cell, column, first, last)


def _prepare_attributes(grid: Grid, row: Row, filled: Sequence[tuple[ValueCell, ColumnAt]]) -> Part:
    height, found = grid.memory.get_height(row)
    wraps = [(wrap, at.out) for cell, at in filled for wrap in found if wrap.column == cell.column]
    return partial(_give_attributes, row, height, wraps) if wraps else literal(row.attributes)


def _give_attributes(row: Row, height: float, wraps: Sequence[tuple[Wrap, int]], batch: Batch) -> Sequence[Piece]:
    """Return the attributes of the rows: higher where a wrapped text (in these output columns) needs it."""
    heights = grown_heights([(wrap, batch.values[column]) for wrap, column in wraps], height)
    if heights is None:
        return [literal(row.attributes)]
    written = {grown: with_height(row.attributes, grown).encode() for grown in set(heights)}
    written[height] = row.attributes.encode()
    return [Column(b"%b", [written[grown] for grown in heights])]


# -- values ------------------------------------------------------------------------------------------------------------


def _give_values(
    grid: Grid, run: Uniform, cell: ValueCell, column: ColumnAt, offset: int, batch: Batch
) -> Sequence[Piece]:
    writer = grid.writer
    if run.blank:
        return [literal(writer.content_tail(None, cell.style))]
    values = batch.values[column.out]
    if not cell.runs:
        plain = writer.plain_column(values, cell.style)
        if plain is not None:
            return [plain]

    def report(index: int, fault: Exception) -> None:
        field = find_field(grid.get_loop(run), cell, batch.first + index)
        grid.report(cell.program, fault, run.scope, field)

    def write(index: int, value: Any) -> str:
        row = run.start + offset + (batch.first + index) * run.height
        return value_tail(grid, cell, value, (column.out, row))

    has_pictures = any(issubclass(kind, Picture) for kind in set(map(type, values)))
    return [writer.mixed_column(values, cell.style, report, write if cell.runs or has_pictures else None)]


# -- formulas ----------------------------------------------------------------------------------------------------------


def _prepare_formula(grid: Grid, run: Uniform, path: Path, row: Row, cell: FormulaCell, column: ColumnAt) -> Part:
    """Return a formula as it is in each turn: its text with row numbers to fill in, its value to come."""
    try:
        written = write_formula(cell.formula, Site(grid.context, grid, (*path, run.turn(0)), column.path))
    except FormulaFault as fault:
        report_formula(grid, cell, row, fault)
        return literal(grid.writer.content_tail(None, cell.style))
    if cell.kind:
        return partial(_give_array_formulas, grid, run, path, row, cell, column)
    text = [
        literal(escape_text(grid.rename_tables(piece))) if isinstance(piece, str) else piece - run.start
        for piece in written
    ]
    return partial(_give_formulas, grid, run, path, row, cell, column, text)


def _give_formulas(
    grid: Grid,
    run: Uniform,
    path: Path,
    row: Row,
    cell: FormulaCell,
    column: ColumnAt,
    text: Sequence[Piece],
    batch: Batch,
) -> Sequence[Piece]:
    p = grid.writer.prefix
    style = literal(f' s="{cell.style}"') if cell.style else b""
    before, after = literal(f"{cell.cell_extra}><{p}f{cell.extra}>"), literal(f"</{p}f>")
    values = get_formula_vector(grid, run, path, row.number, cell, column)[batch.first : batch.last]
    numbers = write_plain_numbers(values)
    if numbers is not None:
        return [style, before, *text, after, literal(f"<{p}v>"), numbers, literal(f"</{p}v></{p}c>")]
    cached = [write_cached(grid, value) for value in values]
    kinds = Column(b"%b", [kind.encode() for kind, _ in cached])
    shown = Column(b"%b", [content.encode() for _, content in cached])
    return [style, kinds, before, *text, after, shown, literal(f"</{p}c>")]


def _give_array_formulas(
    grid: Grid, run: Uniform, path: Path, row: Row, cell: FormulaCell, column: ColumnAt, batch: Batch
) -> Sequence[Piece]:
    """Return array formulas: the range of each is another, their values are not computed."""
    paths = [(*path, run.turn(index)) for index in range(batch.first, batch.last)]
    return [Column(b"%b", [formula_tail(grid, cell, row, column, at, Unknown).encode() for at in paths])]
