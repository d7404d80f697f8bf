"""Ranges of a template sheet as ranges of the filled one: for everything around the cells (merges, formats,
validations, drawings …).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gfdocs.engine.xlsx.formulas.references import FREE, Ref, letter, parse_formula, parse_reference, translate_shared
from gfdocs.engine.xlsx.formulas.resolve import Site, formula_text, get_prefix, resolve
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW, Body, Path, Placed, Repeat, Run, Uniform, merge_runs
from gfdocs.engine.xlsx.rows.grid import Grid


def find_first_path(body: Body, path: Path, line: int) -> Path | None:
    """Return the frames around the first place a template line has, None where it is gone."""
    for part in body.parts:
        if not part.first <= line <= part.last:
            continue
        if isinstance(part, Placed):
            return path
        if isinstance(part, Uniform):
            return (*path, part.turn(0)) if part.count and line in part.numbers else None
        for inner in part.bodies:
            found = find_first_path(inner, (*path, inner) if inner.is_loop else path, line)
            if found is not None:
                return found
    return None


def iter_paths(body: Body, path: Path, first: int, last: int) -> Iterator[Path]:
    """Yield the frames around each place of the template lines first…last, as far as a list holds them all."""
    for part in body.parts:
        if isinstance(part, Placed) or not (part.first <= first and last <= part.last):
            continue
        if isinstance(part, Uniform):
            for index in range(part.count):
                yield (*path, part.turn(index))
        else:
            for inner in part.bodies:
                yield from iter_paths(inner, (*path, inner) if inner.is_loop else path, first, last)
        return
    yield path


@dataclass(frozen=True)
class Rectangle:
    """A range of the template: columns and rows, both ends included."""

    column1: int
    row1: int
    column2: int
    row2: int


@lru_cache(maxsize=8192)
def read_rectangle(text: str) -> Rectangle | None:
    """Read `A1`, `A1:B2`, `A:B` or `1:2`."""
    ref = parse_reference(text.replace("$", ""))
    if ref is None or ref.sheet is not None:
        return None
    return Rectangle(
        ref.column1 or 1,
        ref.row1 or 1,
        ref.column2 or MAX_COLUMN,
        ref.row2 or MAX_ROW,
    )


def write_rectangle(columns: Run, rows: Run) -> str:
    if rows == (1, MAX_ROW) and columns != (1, MAX_COLUMN):
        return f"{letter(columns[0])}:{letter(columns[1])}"
    if columns == (1, MAX_COLUMN):
        return f"{rows[0]}:{rows[1]}"
    first = f"{letter(columns[0])}{rows[0]}"
    return first if columns[0] == columns[1] and rows[0] == rows[1] else f"{first}:{letter(columns[1])}{rows[1]}"


def _find_runs(body: Body, first: int, last: int, limit: int) -> list[Run]:
    if last >= limit and first == 1:
        return [(1, limit)]
    return [(a, min(b, limit)) for a, b in merge_runs(body.image(first, last)) if a <= limit]


def _cell_name(column: int, row: int) -> str:
    return f"{letter(column)}{row}"


class Mapper:
    """Maps ranges of one sheet. Where lines went is looked up once for each pair of lines."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self._rows: dict[Run, list[Run]] = {}
        self._columns: dict[Run, list[Run]] = {}
        self._merges: dict[tuple[int, Run], list[Run]] = {}
        self._alive: dict[tuple[int, Run], int] = {}

    @property
    def is_still(self) -> bool:
        return self.grid.is_still

    def rows(self, first: int, last: int) -> list[Run]:
        found = self._rows.get((first, last))
        if found is None:
            found = self._rows[first, last] = _find_runs(self.grid.rows, first, last, MAX_ROW)
        return found

    def columns(self, first: int, last: int) -> list[Run]:
        found = self._columns.get((first, last))
        if found is None:
            found = self._columns[first, last] = _find_runs(self.grid.columns, first, last, MAX_COLUMN)
        return found

    def areas(self, text: str) -> list[str]:
        """Return the ranges that one range became; none where all of it is gone."""
        box = read_rectangle(text)
        if box is None or self.is_still:
            return [text]
        return [
            write_rectangle(columns, rows)
            for rows in self.rows(box.row1, box.row2)
            for columns in self.columns(box.column1, box.column2)
        ]

    def sqref(self, text: str) -> str:
        """Return a list of ranges as it is in the output; empty where all of it is gone."""
        return text if self.is_still else " ".join(area for item in text.split() for area in self.areas(item))

    def hull(self, text: str) -> str:
        """Return the smallest range around what a range became; empty where all of it is gone."""
        box = read_rectangle(text)
        if box is None or self.is_still:
            return text
        rows, columns = self.rows(box.row1, box.row2), self.columns(box.column1, box.column2)
        if not rows or not columns:
            return ""
        return write_rectangle((columns[0][0], columns[-1][1]), (rows[0][0], rows[-1][1]))

    def row_position(self, line: int) -> int:
        """Return the output row of a template row; where it is gone, the row that follows it."""
        return self._position(self.grid.rows, line)

    def column_position(self, line: int) -> int:
        return self._position(self.grid.columns, line)

    def _position(self, body: Body, line: int) -> int:
        if self.is_still:
            return line
        for part in body.parts:
            if part.last < line:
                continue
            if isinstance(part, Placed):
                return part.start + max(0, line - part.first)
            found = next(part.image(line, part.last), None)
            if found is not None:
                return found[0]
        return body.stop

    # -- formulas that are read relative to a cell --------------------------------------------------------------------

    def site(self, row: int = 0, column: int = 0) -> Site | None:
        """Return the site of a template cell at its first place, of the whole sheet without one; None where it is
        gone.
        """
        grid = self.grid
        rows: Path | None = (grid.rows,)
        columns: Path | None = (grid.columns,)
        if row and not self.is_still:
            rows = find_first_path(grid.rows, (grid.rows,), row)
            columns = find_first_path(grid.columns, (grid.columns,), column)
        return Site(grid.context, grid, rows, columns) if rows is not None and columns is not None else None

    def anchored_formula(self, text: str, boxes: Sequence[Rectangle]) -> str:
        """Return a formula that is read relative to the first cell of these areas of the template."""
        anchor = self._find_anchor(boxes)
        if anchor is None:
            return text
        (column, row), (new_column, new_row) = anchor
        site = self.site(new_row, new_column)
        if site is None:
            return text
        origin, target = (column, row), (new_column, new_row)
        moved = text if origin == target else translate_shared(text, _cell_name(*origin), _cell_name(*target))
        return formula_text(parse_formula(moved), site)

    def _find_anchor(self, boxes: Sequence[Rectangle]) -> tuple[tuple[int, int], tuple[int, int]] | None:
        """Return the first cell of the areas, and the first of them that is still there."""
        if not boxes:
            return None
        first = (boxes[0].column1, boxes[0].row1)
        if self.is_still:
            return first, first
        for box in boxes:
            row = self._first_alive(self.grid.rows, box.row1, box.row2)
            column = self._first_alive(self.grid.columns, box.column1, box.column2)
            if row and column:
                return first, (column, row)
        return None

    def _first_alive(self, body: Body, first: int, last: int) -> int:
        key = (id(body), (first, last))
        if key not in self._alive:
            lines = range(first, min(last, first + 100_000) + 1)
            self._alive[key] = next((line for line in lines if next(body.image(line, line), None) is not None), 0)
        return self._alive[key]

    def free_formula(self, text: str) -> str:
        """Return a formula that belongs to no cell (names, charts): lists are seen from outside."""
        site = Site(self.grid.context, self.grid, (self.grid.rows,), (self.grid.columns,))
        parts = [
            replace(part, function=FREE) if isinstance(part, Ref) and not part.function else part
            for part in parse_formula(text)
        ]
        return formula_text(tuple(parts), site)

    def link_location(self, text: str) -> str:
        """Return where a link within the workbook leads: of a list's cell, and of a sheet's copies, to the first; of
        cells that are gone, to what follows them. Empty where the sheet was left out.
        """
        site = Site(self.grid.context, self.grid, (self.grid.rows,), (self.grid.columns,))
        ref = self._find_linked(text)
        if ref is not None:
            found = resolve(ref, site)
            if found.is_gone:
                sheet = found.areas[0].sheet
                first = Rectangle(ref.column1 or 1, ref.row1 or 1, ref.column1 or 1, ref.row1 or 1)
                return get_prefix(ref, sheet) + Mapper(sheet).find_cell(first)
            if not found.areas and ref.sheet is not None and self.grid.context.has_sheet(ref.sheet):
                return ""
        return formula_text(parse_formula(text), site)

    def _find_linked(self, text: str) -> Ref | None:
        """Return the cells that a link leads to, by themselves or by a defined name; None for anything else."""
        names = self.grid.context.compiled.workbook.names
        meant = next((name.text for name in names if name.name.casefold() == text.casefold()), text)
        parts = parse_formula(meant)
        return parts[0] if len(parts) == 1 and isinstance(parts[0], Ref) else None

    def find_cell(self, box: Rectangle | None) -> str:
        """Return the output cell of a template cell; where it is gone, the one that follows; A1 for none."""
        if box is None:
            return "A1"
        row, column = self.row_position(box.row1), self.column_position(box.column1)
        return _cell_name(min(column, MAX_COLUMN), min(row, MAX_ROW))

    # -- merges -------------------------------------------------------------------------------------------------------

    def merges(self, text: str) -> Iterator[str]:
        """Yield the merged ranges that one became: one in each turn of the list that holds it."""
        box = read_rectangle(text)
        if box is None or self.is_still:
            yield text
            return
        for rows in self._turns(self.grid.rows, (box.row1, box.row2)):
            for columns in self._turns(self.grid.columns, (box.column1, box.column2)):
                found = write_rectangle(columns, rows)
                if ":" in found:
                    yield found

    def _turns(self, body: Body, lines: Run) -> list[Run]:
        """Return the stretch that these lines became in each turn of the list that holds them all."""
        key = (id(body), lines)
        found = self._merges.get(key)
        if found is None:
            images = (merge_runs(path[-1].image(*lines)) for path in iter_paths(body, (body,), *lines))
            found = self._merges[key] = [(runs[0][0], runs[-1][1]) for runs in images if runs]
        return found

    def cells(self, text: str) -> Iterator[tuple[str, Path, Path]]:
        """Yield each output cell that one template cell became, with the frames around it."""
        box = read_rectangle(text)
        if box is None:
            return
        grid = self.grid
        for path in iter_paths(grid.rows, (grid.rows,), box.row1, box.row1):
            for rows in path[-1].image(box.row1, box.row1):
                for column_path in iter_paths(grid.columns, (grid.columns,), box.column1, box.column1):
                    for columns in column_path[-1].image(box.column1, box.column1):
                        yield f"{letter(columns[0])}{rows[0]}", path, column_path

    def breaks(self, line: int, *, is_column: bool = False) -> list[int]:
        """Return the output lines after which a page breaks, for a break after one template line."""
        if self.is_still:
            return [line]
        body = self.grid.columns if is_column else self.grid.rows
        found = [b for _, b in self._line_ends(body, line)]
        if not found:
            before = max((b for _, b in body.image(1, line)), default=0)
            found = [before] if before else []
        return found

    def _line_ends(self, body: Body, line: int) -> Iterator[Run]:
        """Yield where a line stands; a list of one-line turns counts as a whole."""
        for part in body.parts:
            if not part.first <= line <= part.last:
                continue
            if isinstance(part, Repeat):
                for inner in part.bodies:
                    yield from self._line_ends(inner, line)
            else:
                yield from part.image(line, line)


def has_sheet(ref: Ref) -> bool:
    return ref.sheet is not None


def map_any(context: Any, text: str, home: Grid | None = None) -> str:
    """Return a formula of no sheet (a defined name, a chart's range) as it reads in the output."""
    grid = home or (context.grids[0] if context.grids else None)
    return Mapper(grid).free_formula(text) if grid is not None else text
