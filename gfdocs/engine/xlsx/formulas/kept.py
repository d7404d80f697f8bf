"""Formulas that keep the value the template has for them.

What is not ours to compute (COS, XLOOKUP, a reference to another workbook) still has a value in the template. It stays
right where nothing the formula refers to, however far, was filled, moved, repeated or left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from gfdocs.engine.xlsx.formulas.references import Ref, parse_reference
from gfdocs.engine.xlsx.formulas.tokenizer import load_tokenizer
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW
from gfdocs.engine.xlsx.template.compiled import FormulaCell, ValueCell
from gfdocs.engine.xlsx.template.layout import Block

if TYPE_CHECKING:
    from gfdocs.engine.xlsx.rows.grid import Context, Grid

#: What their values depend on is not (only) in the cells they name.
_VOLATILE = frozenset(
    ["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "INDIRECT", "OFFSET", "CELL", "INFO", "ROW", "COLUMN", "SHEET", "SHEETS",
     "FORMULATEXT", "GETPIVOTDATA"]
)  # fmt: skip
_OTHER_WORKBOOK = re.compile(r"'?(?:[^\[\]'!]*)\[\d+\][^\[\]]*!")
#: Cells looked at in one rendering to find out what was touched.
_LOOK_BUDGET = 2_000_000


class KeptValues:
    """Tells which formulas of one rendering keep the template's value."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.looks = 0
        self._known: dict[Any, bool] = {}

    def get(self, cell: FormulaCell, grid: Grid) -> Any:
        """Return the template's value of a formula that stands once; Unknown (the class) where it may have changed."""
        try:
            if cell.cached is None or not self._is_untouched(cell, grid):
                return Unknown
        except RecursionError:
            return Unknown
        self.context.needs_calculation = True
        return cell.cached

    def _is_untouched(self, cell: FormulaCell, grid: Grid) -> bool:
        return self._remember((id(cell), id(grid)), lambda: self._reads_untouched(cell.text, grid))

    def _remember(self, key: Any, find: Any) -> bool:
        found = self._known.get(key)
        if found is None:
            self._known[key] = False  # what a formula that sees itself gets
            found = self._known[key] = find()
        return found

    def _reads_untouched(self, text: str, grid: Grid) -> bool:
        operands = list_operands(text)
        return operands is not None and all(self._is_operand_untouched(operand, grid) for operand in operands)

    def _is_operand_untouched(self, operand: str, grid: Grid) -> bool:
        ref = parse_reference(operand)
        if ref is not None:
            return self._is_area_untouched(ref, grid)
        if _OTHER_WORKBOOK.match(operand):
            return True
        names = [name for name in self.context.compiled.workbook.names if name.name.casefold() == operand.casefold()]
        return len(names) == 1 and self._remember(
            ("name", operand.casefold(), id(grid)), lambda: self._reads_untouched(names[0].text, grid)
        )

    def _is_area_untouched(self, ref: Ref, grid: Grid) -> bool:
        if ref.last_sheet is not None:
            return False
        grids = [grid] if ref.sheet is None else self.context.find_sheets(ref.sheet)
        if len(grids) != 1:
            return False
        rows = (ref.row1 or 1, ref.row2 or MAX_ROW)
        columns = (ref.column1 or 1, ref.column2 or MAX_COLUMN)
        return self._remember((id(grids[0]), rows, columns), lambda: self._are_cells_untouched(grids[0], rows, columns))

    def _are_cells_untouched(self, grid: Grid, rows: tuple[int, int], columns: tuple[int, int]) -> bool:
        sheet = grid.sheet
        if _meets_block(sheet.row_nodes, rows) or _meets_block(sheet.column_nodes, columns):
            return False
        numbers = range(rows[0], rows[1] + 1) if rows[1] - rows[0] < len(sheet.numbers) else sheet.numbers
        for number in numbers:
            row = sheet.rows.get(number)
            if row is None or not rows[0] <= number <= rows[1]:
                continue
            self.looks += len(row.cells)
            if self.looks > _LOOK_BUDGET:
                return False
            for cell in row.cells:
                if columns[0] <= cell.column <= columns[1] and (
                    isinstance(cell, ValueCell)
                    or (isinstance(cell, FormulaCell) and not self._is_untouched(cell, grid))
                ):
                    return False
        return True


def _meets_block(nodes: Any, lines: tuple[int, int]) -> bool:
    return any(isinstance(node, Block) and node.first <= lines[1] and lines[0] <= node.last for node in nodes)


@lru_cache(maxsize=4096)
def list_operands(text: str) -> tuple[str, ...] | None:
    """Return the references and names of a formula; None where its value depends on more than those."""
    try:
        return tuple(_iter_operands(text))
    except Unknown:
        return None


def _iter_operands(text: str) -> Iterator[str]:
    tokenizer = load_tokenizer()
    try:
        items = tokenizer.Tokenizer("=" + text).items
    except (tokenizer.TokenizerError, IndexError) as fault:
        raise Unknown from fault
    for item in items:
        if item.type == "OPERAND" and item.subtype == "RANGE":
            yield item.value
        elif item.type == "FUNC" and _function_name(item.value) in _VOLATILE:
            raise Unknown


_WRITTEN_CELL = re.compile(r"(?i)(?<![A-Z0-9])\$?[A-Z]{1,3}\$?[1-9][0-9]*(?![A-Z0-9(])|\bR\[?-?[0-9]+\]?C")


def find_written_addresses(text: str) -> bool:
    """True where a formula finds cells by what does not move with them: a text in INDIRECT, a distance in OFFSET."""
    tokenizer = load_tokenizer()
    try:
        items = tokenizer.Tokenizer("=" + text).items
    except (tokenizer.TokenizerError, IndexError, AttributeError):
        return False
    calls = {_function_name(item.value) for item in items if item.type == "FUNC" and item.subtype == "OPEN"}
    texts = (item.value for item in items if item.type == "OPERAND" and item.subtype == "TEXT")
    return "OFFSET" in calls or ("INDIRECT" in calls and any(map(_WRITTEN_CELL.search, texts)))


def _function_name(opening: str) -> str:
    return opening.removesuffix("(").upper().removeprefix("_XLFN.").removeprefix("_XLWS.")


__all__ = ["KeptValues", "find_written_addresses", "list_operands"]
