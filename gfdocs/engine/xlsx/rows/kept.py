"""Formulas that keep the value the template has for them.

What is not ours to compute (COS, XLOOKUP, a reference to another workbook) still has a value in the template. It stays
right where nothing the formula refers to, however far, was filled, moved, repeated or left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Any

from gfdocs.engine.xlsx.formulas.operands import list_operands
from gfdocs.engine.xlsx.formulas.references import Ref, parse_formula, parse_reference, refs_of
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW, Run
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.template.compiled import FormulaCell, Row, ValueCell
from gfdocs.engine.xlsx.template.layout import Block, Node

_OTHER_WORKBOOK = re.compile(r"'?(?:[^\[\]'!]*)\[\d+\][^\[\]]*!")
#: Cells looked at in one rendering to find out what was touched.
_LOOK_BUDGET = 2_000_000


def get_kept_value(cell: FormulaCell, grid: Grid) -> Any:
    """Return the template's value of a formula that stands once; Unknown (the class) where it may have changed."""
    try:
        if cell.cached is None or not _is_untouched(cell, grid):
            return Unknown
    except RecursionError:
        return Unknown
    grid.context.needs_calculation = True
    return cell.cached


def _is_untouched(cell: FormulaCell, grid: Grid) -> bool:
    return _remember(grid, (id(cell), id(grid)), lambda: _reads_untouched(cell.text, grid))


def _remember(grid: Grid, key: Hashable, find: Callable[[], bool]) -> bool:
    known = grid.context.untouched
    found = known.get(key)
    if found is None:
        known[key] = False  # what a formula that sees itself gets
        found = known[key] = find()
    return found


def _reads_untouched(text: str, grid: Grid) -> bool:
    operands = list_operands(text)
    return operands is not None and all(_is_operand_untouched(operand, grid) for operand in operands)


def _is_operand_untouched(operand: str, grid: Grid) -> bool:
    ref = parse_reference(operand)
    if ref is not None:
        return _is_area_untouched(ref, grid)
    if _OTHER_WORKBOOK.match(operand):
        return True
    name = operand.casefold()
    names = [defined for defined in grid.context.compiled.workbook.names if defined.name.casefold() == name]
    if len(names) != 1 or any(ref.is_relative for ref in refs_of(parse_formula(names[0].text))):
        return False
    return _remember(grid, ("name", name, id(grid)), lambda: _reads_untouched(names[0].text, grid))


def _is_area_untouched(ref: Ref, grid: Grid) -> bool:
    grids = [grid] if ref.sheet is None else grid.context.find_sheets(ref.sheet)
    if len(grids) != 1 or ref.last_sheet is not None:
        return False
    rows = (ref.row1 or 1, ref.row2 or MAX_ROW)
    columns = (ref.column1 or 1, ref.column2 or MAX_COLUMN)
    return _remember(grid, (id(grids[0]), rows, columns), lambda: _are_cells_untouched(grids[0], rows, columns))


def _are_cells_untouched(grid: Grid, rows: Run, columns: Run) -> bool:
    sheet = grid.sheet
    if _meets_block(sheet.row_nodes, rows) or _meets_block(sheet.column_nodes, columns):
        return False
    numbers = range(rows[0], rows[1] + 1) if rows[1] - rows[0] < len(sheet.numbers) else sheet.numbers
    found = (sheet.rows[number] for number in numbers if number in sheet.rows and rows[0] <= number <= rows[1])
    return all(_is_row_untouched(grid, row, columns) for row in found)


def _is_row_untouched(grid: Grid, row: Row, columns: Run) -> bool:
    grid.context.touch_looks += len(row.cells)
    if grid.context.touch_looks > _LOOK_BUDGET:
        return False
    return not any(
        isinstance(cell, ValueCell) or (isinstance(cell, FormulaCell) and not _is_untouched(cell, grid))
        for cell in row.cells
        if columns[0] <= cell.column <= columns[1]
    )


def _meets_block(nodes: Sequence[Node], lines: Run) -> bool:
    return any(isinstance(node, Block) and node.first <= lines[1] and lines[0] <= node.last for node in nodes)
