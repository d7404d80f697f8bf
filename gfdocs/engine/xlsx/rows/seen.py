"""The values that formulas see in the cells of the output: what is fixed, what the data give, what other formulas come to.

A formula of a list is computed for all turns at once where that is possible. Unknown (the class) is the value of one
that is not ours to compute; whoever looks at it raises Unknown.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from gfdocs.engine.xlsx.formulas.arguments import Cells, Source
from gfdocs.engine.xlsx.formulas.evaluate import evaluate, evaluate_columns
from gfdocs.engine.xlsx.formulas.references import Ref
from gfdocs.engine.xlsx.formulas.resolve import Area, Site, resolve
from gfdocs.engine.xlsx.formulas.totals import running
from gfdocs.engine.xlsx.formulas.tree import Call, Constant, Operation, Reference, Series, Tree
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import Body, Path, Placed, Turn, Uniform, get_ends
from gfdocs.engine.xlsx.rows.filled import fill_turns
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.kept import get_kept_value
from gfdocs.engine.xlsx.rows.placing import ColumnAt
from gfdocs.engine.xlsx.template.compiled import FormulaCell, StaticCell, ValueCell
from gfdocs.engine.xlsx.template.tags import without_runs

#: Columns of one reference that are looked at.
_MAX_COLUMNS = 500
#: An area is filled up with empty cells to this many rows.
_MAX_FILLED = 100_000
#: Numbers from here on are texts in a cell.
_DIGIT_LIMIT = 10**15


# -- any stretch of a column -------------------------------------------------------------------------------------------


def get_values(grid: Grid, out_column: int, first: int, last: int, *, skip_subtotals: bool = False) -> list[Any]:
    """Return what formulas see in the output rows first…last of an output column (None: nothing)."""
    column = grid.output_columns.find(out_column)
    last = min(last, grid.last_row)
    if column is None or last < first:
        return [None] * max(0, last - first + 1)
    grid.context.look(last - first + 1)
    found: list[Any] = []
    _collect(grid, grid.rows, (grid.rows,), column, (first, last), found, skip_subtotals)
    found += [None] * (last - first + 1 - len(found))
    return found


def _collect(
    grid: Grid, body: Body, path: Path, column: ColumnAt, rows: tuple[int, int], found: list[Any], skip: bool
) -> None:
    """Add the values of these output rows, as far as they lie in `body`."""
    first, last = rows
    for part in body.parts:
        a, b = max(first, part.start), min(last, part.stop - 1)
        if a > b:
            continue
        if isinstance(part, Placed):
            lines = range(part.first + a - part.start, part.first + b - part.start + 1)
            found += [_get_single(grid, line, column, body, path, skip) for line in lines]
        elif isinstance(part, Uniform):
            found += _get_stretch(grid, part, path, column, (a, b), skip)
        else:
            for inner in part.bodies:
                if inner.start <= last and first < inner.stop:
                    _collect(grid, inner, (*path, inner) if inner.is_loop else path, column, rows, found, skip)


def _get_stretch(
    grid: Grid, run: Uniform, path: Path, column: ColumnAt, rows: tuple[int, int], skip: bool
) -> Sequence[Any]:
    """Return the values of some output rows of a list."""
    vectors = []
    has_formula = False
    for number in run.numbers:
        cell = grid.sheet.cells.get((number, column.template))
        has_formula = has_formula or isinstance(cell, FormulaCell)
        if skip and isinstance(cell, FormulaCell) and cell.has_subtotal:
            vectors.append([None] * run.count)
        else:
            vectors.append(_get_vector(grid, run, path, number, column))
    whole = vectors[0] if len(vectors) == 1 else list(chain.from_iterable(zip(*vectors, strict=True)))
    if rows != (run.start, run.stop - 1):
        whole = whole[rows[0] - run.start : rows[1] - run.start + 1]
    if has_formula and Unknown in whole:
        raise Unknown
    return whole


# -- cells that stand once ---------------------------------------------------------------------------------------------


def _get_single(grid: Grid, line: int, column: ColumnAt, body: Body, path: Path, skip: bool) -> Any:
    """Return what formulas see in a cell that stands once in `body`."""
    cell = grid.sheet.cells.get((line, column.template))
    if cell is None or isinstance(cell, StaticCell):
        return None if cell is None else cell.value
    if isinstance(cell, FormulaCell):
        value = None if skip and cell.has_subtotal else get_formula_value(grid, cell, line, column, body, path)
        if value is Unknown:
            raise Unknown
        return value
    key = (id(body), line, column.out)
    if key not in grid.values:
        try:
            value = cell.program.get_value(column.widen(body.scope), grid.context.missing)
        except Exception:
            raise Unknown from None
        grid.values[key] = _get_contents(grid, [value], cell)[0]
    return grid.values[key]


def get_formula_value(grid: Grid, cell: FormulaCell, line: int, column: ColumnAt, body: Body, path: Path) -> Any:
    """Return the value of a formula that stands once in `body`, Unknown (the class) where it is not computed."""
    key = (id(body), line, column.out)
    if key in grid.values:
        return grid.values[key]
    if key in grid.busy:
        return Unknown
    grid.busy.add(key)
    try:
        tree = None if cell.kind else grid.context.get_tree(cell.text, grid, line)
        value = Unknown if tree is None else evaluate(tree, Seen(grid, path, column, line))
    except (Unknown, RecursionError, OverflowError):
        value = Unknown
    finally:
        grid.busy.discard(key)
    if value is Unknown and len(path) == len(column.path) == 1:
        value = get_kept_value(cell, grid)
    grid.values[key] = value
    return value


# -- cells of a list, in all its turns ---------------------------------------------------------------------------------


def _get_vector(grid: Grid, run: Uniform, path: Path, line: int, column: ColumnAt) -> list[Any]:
    """Return what formulas see in one cell of a list, in all its turns."""
    cell = grid.sheet.cells.get((line, column.template))
    if cell is None or (run.blank and isinstance(cell, ValueCell)):
        return [None] * run.count
    if isinstance(cell, StaticCell):
        return [cell.value] * run.count
    if isinstance(cell, FormulaCell):
        return get_formula_vector(grid, run, path, line, cell, column)
    key = ("seen", line, column.out)
    found: list[Any] | None = run.columns.get(key)
    if found is None:
        raw = fill_turns(grid, run, cell, column, 0, run.count)
        run.columns["raw", line, column.out] = raw
        found = run.columns[key] = _get_contents(grid, raw, cell)
    return found


def _get_contents(grid: Grid, raw: Sequence[Any], cell: ValueCell) -> list[Any]:
    """Return what cells hold that are given these values."""
    if cell.runs:
        return [without_runs(str(value)) or None for value in raw]
    kinds = set(map(type, raw))
    is_plain = kinds == {float} or (kinds == {str} and "" not in raw)
    if is_plain or (
        kinds == {int} and -_DIGIT_LIMIT < min(raw) <= max(raw) < _DIGIT_LIMIT and not _is_text(grid, cell)
    ):
        return raw if isinstance(raw, list) else list(raw)
    try:
        return [grid.writer.get_content(value, cell.style) for value in raw]
    except Exception as fault:  # an object of the developer's own: its cell tells what is wrong
        raise Unknown from fault


def _is_text(grid: Grid, cell: ValueCell) -> bool:
    return grid.writer.styles.is_text(cell.style)


def get_formula_vector(
    grid: Grid, run: Uniform, path: Path, line: int, cell: FormulaCell, column: ColumnAt
) -> list[Any]:
    """Return the values of a formula in all turns of a list."""
    key = ("formula", line, column.out)
    found: list[Any] | None = run.columns.get(key)
    if found is None:
        run.columns[key] = [Unknown] * run.count  # what a formula that sees itself gets
        found = run.columns[key] = _compute_vector(grid, run, path, line, cell, column)
    return found


def _compute_vector(grid: Grid, run: Uniform, path: Path, line: int, cell: FormulaCell, column: ColumnAt) -> list[Any]:
    tree = None if cell.kind else grid.context.get_tree(cell.text, grid, line)
    if tree is None:
        return [Unknown] * run.count
    seen = Seen(grid, (*path, run.turn(0)), column, line)
    try:
        tree = _fold(tree, seen)
    except (Unknown, RecursionError):
        return [Unknown] * run.count

    def get_column(ref: Ref) -> list[Any] | None:
        # What is not folded by now differs from turn to turn; one cell of this very list is a whole column.
        if ref.is_range or seen.is_fixed(ref) or ref.row1 not in run.numbers:
            return None
        at = _find_column(ref, seen)
        return None if at is None else _get_vector(grid, run, path, ref.row1, at)

    try:
        vector = evaluate_columns(tree, get_column, run.count)
    except (Unknown, RecursionError):
        vector = None
    if vector is not None:
        return vector
    return [_compute_turn(grid, run, path, line, column, tree, index) for index in range(run.count)]


def _compute_turn(grid: Grid, run: Uniform, path: Path, line: int, column: ColumnAt, tree: Tree, index: int) -> Any:
    try:
        seen = Seen(grid, (*path, run.turn(index)), column, line)
        seen.turn = index
        return evaluate(tree, seen)
    except (Unknown, RecursionError, OverflowError):
        return Unknown


def _get_of_turn(grid: Grid, turn: Turn, path: Path, line: int, column: int, skip: bool) -> Any:
    """Return what formulas see in one cell of a turn, its column standing still."""
    cell = grid.sheet.cells.get((line, column))
    if cell is None or isinstance(cell, StaticCell):
        return None if cell is None else cell.value
    if isinstance(cell, FormulaCell) and skip and cell.has_subtotal:
        return None
    value = _get_vector(grid, turn.run, path, line, ColumnAt(column, column, (grid.columns,), None))[turn.index]
    if value is Unknown:
        raise Unknown
    return value


# -- what one formula sees ---------------------------------------------------------------------------------------------


class Seen(Source):
    """The values a formula sees from its place."""

    def __init__(self, grid: Grid, path: Path, column: ColumnAt, line: int) -> None:
        self.grid, self.path, self.column, self.line = grid, path, column, line
        self.site = Site(grid.context, grid, path, column.path)

    def is_fixed(self, ref: Ref) -> bool:
        """True where the reference means the same cells in every turn of the innermost list."""
        return not any(resolve(ref, self.site).moving)

    def get_cells(self, ref: Ref) -> list[Cells]:
        return self._cells(ref, skip=False)

    def get_cells_without_subtotals(self, ref: Ref) -> list[Cells]:
        return self._cells(ref, skip=True)

    def hides_rows(self, ref: Ref, *, by_filter: bool) -> bool:
        grids = [self.grid] if ref.sheet is None else self.grid.context.find_sheets(ref.sheet)
        return any(grid.sheet.filters_rows if by_filter else grid.sheet.hides_rows for grid in grids)

    def get_position(self, ref: Ref | None) -> tuple[int, int]:
        if ref is None:
            rows = list(self.path[-1].image(self.line, self.line))
            return rows[0][0], self.column.out
        areas = resolve(ref, self.site).areas
        if not areas:
            raise Unknown
        return areas[0].rows[0], areas[0].columns[0]

    def _cells(self, ref: Ref, *, skip: bool) -> list[Cells]:
        if ref.sheet is not None and not self.grid.context.find_sheets(ref.sheet):
            raise Unknown
        turn = self.path[-1]
        if isinstance(turn, Turn) and self._is_of_turn(ref, turn):
            return self._turn_cells(ref, turn, skip)
        return [_get_area(ref, area, skip) for area in resolve(ref, self.site).areas]

    def _is_of_turn(self, ref: Ref, turn: Turn) -> bool:
        """True where a reference names cells of the turn one looks from, in columns that stand still."""
        if ref.sheet is not None or not ref.column1 or self.grid.sheet.moves_columns:
            return False
        is_fixed = ref.is_range and (ref.dollars[1] or ref.dollars[3])
        return turn.first <= ref.row1 and ref.row2 <= turn.last and not is_fixed

    def _turn_cells(self, ref: Ref, turn: Turn, skip: bool) -> list[Cells]:
        """Return the cells of one turn: there is no need to look where the others went."""
        numbers = turn.numbers[bisect_left(turn.numbers, ref.row1) : bisect_right(turn.numbers, ref.row2)]
        last = ref.column2
        if not ref.is_area:
            numbers, last = numbers[:1], ref.column1
        if last - ref.column1 > _MAX_COLUMNS:
            raise Unknown
        columns = range(ref.column1, last + 1)
        if not numbers:  # rows of nothing but tags: the formula is given empty cells in their stead
            return [Cells(tuple([None] for _ in columns))]
        grid, around = self.grid, self.path[:-1]
        values = tuple([_get_of_turn(grid, turn, around, line, at, skip) for line in numbers] for at in columns)
        grid.context.look(len(columns) * len(numbers))
        return [Cells(values)]


def _get_area(ref: Ref, area: Area, skip: bool) -> Cells:
    """Return the values of an area of the output that a reference became."""
    grid: Grid = area.sheet
    columns = area.columns if ref.column1 else (1, grid.output_columns.last)
    first, last = area.rows if ref.row1 else (1, grid.last_row)
    if columns[1] - columns[0] > _MAX_COLUMNS:
        raise Unknown
    found = []
    for column in range(columns[0], columns[1] + 1):
        values = get_values(grid, column, first, last, skip_subtotals=skip)
        missing = last - first + 1 - len(values)
        found.append(values + [None] * missing if 0 < missing <= _MAX_FILLED - len(values) else values)
    return Cells(tuple(found))


def _find_column(ref: Ref, seen: Seen) -> ColumnAt | None:
    """Return the output column that a reference of a single cell names; None where it is gone."""
    runs = get_ends(seen.column.path, ref.column1, ref.column2).runs
    return seen.grid.output_columns.find(runs[0][0]) if runs else None


# -- what is the same in every turn ------------------------------------------------------------------------------------


def _fold(tree: Tree, seen: Seen) -> Tree:
    """Compute the parts of a formula that are the same in every turn."""
    if isinstance(tree, Constant | Series):
        return tree
    if _is_fixed(tree, seen):
        value = _look_up(tree, seen) if isinstance(tree, Reference) else evaluate(tree, seen)
        return tree if value is Unknown else Constant(value)
    if isinstance(tree, Operation):
        return Operation(tree.operator, _fold(tree.left, seen), _fold(tree.right, seen))
    if isinstance(tree, Call):
        grown = _fold_running(tree, seen)
        if grown is not None:
            return grown
        # A reference that is an argument stays one: SUM of a cell and SUM of its value differ.
        arguments = tuple(a if isinstance(a, Reference) else _fold(a, seen) for a in tree.arguments)
        return replace(tree, arguments=arguments)
    return tree


def _is_fixed(tree: Tree, seen: Seen) -> bool:
    if isinstance(tree, Constant):
        return True
    if isinstance(tree, Reference):
        return seen.is_fixed(tree.ref)
    if isinstance(tree, Operation):
        return _is_fixed(tree.left, seen) and _is_fixed(tree.right, seen)
    if not isinstance(tree, Call):
        return False
    return tree.name not in ("ROW", "COLUMN") and all(_is_fixed(argument, seen) for argument in tree.arguments)


def _look_up(tree: Reference, seen: Seen) -> Any:
    """Return the value of a reference to one cell, Unknown (the class) for more of them."""
    cells = seen.get_cells(tree.ref)
    if len(cells) == 1 and len(cells[0].columns) == 1 and len(cells[0].columns[0]) == 1:
        return cells[0].columns[0][0]
    return Unknown


def _fold_running(tree: Call, seen: Seen) -> Series | None:
    """`SUM(C$5:C5)` grows from turn to turn: all its values in one go."""
    frame = seen.path[-1]
    if len(tree.arguments) != 1 or not isinstance(tree.arguments[0], Reference) or not isinstance(frame, Turn):
        return None
    ref, run = tree.arguments[0].ref, frame.run
    if ref.row1 != ref.row2 or ref.column1 != ref.column2 or run.height != 1 or run.blank:
        return None
    found = resolve(ref, seen.site)
    if found.moving != (False, True) or any(area.columns[0] != area.columns[1] for area in found.areas):
        return None  # it does not grow, or its column repeats: it stands for several
    at = _find_column(ref, seen)
    values = None if at is None else running(tree.name, _get_vector(seen.grid, run, seen.path[:-1], ref.row1, at))
    return None if values is None else Series(values)
