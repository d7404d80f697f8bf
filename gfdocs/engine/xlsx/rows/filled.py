"""The values that the data give to the cells of a list: a whole column at once where that is possible, else turn by turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from gfdocs.engine.xlsx.geometry import Uniform
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.placing import ColumnAt
from gfdocs.engine.xlsx.template.compiled import ValueCell
from gfdocs.engine.xlsx.template.programs import LoopProgram, turn_scope


def fill_turns(grid: Grid, run: Uniform, cell: ValueCell, column: ColumnAt, first: int, last: int) -> Sequence[Any]:
    """Return the values of a cell in the turns first…last-1; faults are reported, their values None."""
    program = grid.get_loop(run)
    items = run.items if first == 0 and last == len(run.items) else run.items[first:last]
    if column.names is None and "," not in program.target:
        found = _follow_steps(cell.program.steps, program.target, items, plain=_has_plain_items(run))
        if found is not None:
            return found
        if cell.program.path == "loop.index":
            return range(first + 1, last + 1)
    if "loop" not in cell.program.source:
        try:
            scope = column.widen(run.scope)
            return cell.program.get_column(program.target, items, scope, grid.context.missing)
        except Exception as fault:
            del fault  # told one by one below
    return [_fill_turn(grid, run, cell, column, index) for index in range(first, last)]


def _fill_turn(grid: Grid, run: Uniform, cell: ValueCell, column: ColumnAt, index: int) -> Any:
    scope = column.widen(turn_scope(grid.get_loop(run), run.items, index, run.scope))
    try:
        return cell.program.get_value(scope, grid.context.missing)
    except Exception as fault:
        grid.report(cell.program, fault, scope, find_field(grid.get_loop(run), cell, index))
        return None


def gather_names(run: Uniform, names: Mapping[int, str], first: int, last: int) -> dict[int, Sequence[Any]]:
    """Return the values of these names of the items, all of an item's at once, by the keys the names have; nothing
    where an item is no plain mapping or lacks a name: that is looked into one cell after the other.
    """
    if len(names) < 2 or run.blank or not _has_plain_items(run):
        return {}
    get = itemgetter(*names.values())
    try:
        return dict(zip(names, zip(*map(get, run.items[first:last]), strict=True), strict=True))
    except KeyError:
        return {}


def find_name(loop: LoopProgram, cell: ValueCell, column: ColumnAt) -> str | None:
    """Return the name of the item that a cell shows as it is: `{{ c.name }}`; None where it is anything else."""
    steps = cell.program.steps
    is_name = column.names is None and steps is not None and len(steps) == 2 and steps[0] == loop.target
    return steps[1] if is_name and steps is not None else None


def find_field(loop: LoopProgram, cell: ValueCell, index: int) -> str | None:
    """Return the field of the data that a cell shows in one turn: `companies[3].name`."""
    steps = cell.program.steps
    if steps is None or steps[0] != loop.target or loop.path is None:
        return None
    return ".".join([f"{loop.path}[{index}]", *steps[1:]])


def _has_plain_items(run: Uniform) -> bool:
    """True where all items of a list are dicts."""
    if run.is_plain is None:
        run.is_plain = set(map(type, run.items)) == {dict}
    return run.is_plain


def _follow_steps(steps: tuple[str, ...] | None, target: str, items: Sequence[Any], *, plain: bool) -> list[Any] | None:
    """Return the values of a plain path in each item, None where an item is no plain mapping or lacks it.

    `plain` tells that the items are dicts all.
    """
    if steps is None or steps[0] != target:
        return None
    values: Any = items
    try:
        for step in steps[1:]:
            if not plain and set(map(type, values)) != {dict}:
                return None
            values = list(map(itemgetter(step), values))
            plain = False
    except KeyError:
        return None
    return values if isinstance(values, list) else list(values)
