"""Rows whose text the data cannot change: fixed cells, and formulas that see fixed cells of the same stretch alone.

The empty rows of a form are such: each has its check or verdict, and all of it only depends on where the row stands.
"""

from __future__ import annotations

from typing import Any

from gfdocs.engine.xlsx.formulas.evaluate import parse_tree
from gfdocs.engine.xlsx.formulas.references import Ref, refs_of
from gfdocs.engine.xlsx.formulas.tree import Call, Constant, Operation, Reference
from gfdocs.engine.xlsx.template.compiled import FormulaCell, Row, Sheet, StaticCell
from gfdocs.engine.xlsx.template.layout import Stretch

#: Functions whose value depends on where the formula stands.
_PLACED = frozenset(["ROW", "COLUMN"])


def find_settled_rows(sheet: Sheet) -> frozenset[int]:
    """Return the rows with formulas whose text follows from their row number alone."""
    if sheet.moves_columns:
        return frozenset()
    stretches = [node for node in sheet.row_nodes if isinstance(node, Stretch)]
    return frozenset(
        number
        for stretch in stretches
        for number in sheet.numbers
        if stretch.first <= number <= stretch.last and _is_settled(sheet, sheet.rows[number], stretch)
    )


def _is_settled(sheet: Sheet, row: Row, stretch: Stretch) -> bool:
    formulas = [cell for cell in row.cells if isinstance(cell, FormulaCell)]
    if not formulas or len(formulas) + sum(isinstance(cell, StaticCell) for cell in row.cells) < len(row.cells):
        return False
    return all(
        _is_plain(cell) and all(_is_fixed(sheet, ref, stretch) for ref in refs_of(cell.formula)) for cell in formulas
    )


def _is_plain(cell: FormulaCell) -> bool:
    return not cell.kind and _is_free(parse_tree(cell.text))


def _is_free(tree: Any) -> bool:
    """True where a formula is made of values, references and functions that look at nothing else."""
    if isinstance(tree, Operation):
        return _is_free(tree.left) and _is_free(tree.right)
    if isinstance(tree, Call):
        return tree.name not in _PLACED and all(map(_is_free, tree.arguments))
    return isinstance(tree, Constant | Reference)


def _is_fixed(sheet: Sheet, ref: Ref, stretch: Stretch) -> bool:
    """True where a reference names cells of the same stretch, all of them fixed."""
    if ref.sheet is not None or not ref.row1 or not ref.column1:
        return False
    if not (stretch.first <= ref.row1 and ref.row2 <= stretch.last) or ref.row2 - ref.row1 > 100:
        return False
    rows = (sheet.rows[number] for number in range(ref.row1, ref.row2 + 1) if number in sheet.rows)
    cells = (cell for row in rows for cell in row.cells if ref.column1 <= cell.column <= ref.column2)
    return all(isinstance(cell, StaticCell) for cell in cells)
