"""What a function is given: the value of an argument, the cells of its areas, its numbers and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gfdocs.engine.xlsx.formulas.operators import operate
from gfdocs.engine.xlsx.formulas.references import Ref
from gfdocs.engine.xlsx.formulas.tree import Call, Constant, Function, Operation, Reference, Series, Tree
from gfdocs.engine.xlsx.formulas.values import CellError, Column, Unknown, Value, is_number, to_number, to_text

Arguments = tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of an area: one sequence a column."""

    columns: tuple[Column, ...]

    def __iter__(self) -> Iterator[Value]:
        for column in self.columns:
            yield from column


class Source:
    """Where values come from: the sheets of the output, seen from one formula. `turn` is the turn of the innermost
    list.
    """

    turn: int = 0

    def get_cells(self, ref: Ref) -> list[Cells]:
        """Return the values of each area of the reference."""
        raise NotImplementedError

    def get_cells_without_subtotals(self, ref: Ref) -> list[Cells]:
        """Return the values of each area, None for the cells that hold a SUBTOTAL of their own."""
        raise NotImplementedError

    def hides_rows(self, ref: Ref, *, by_filter: bool) -> bool:
        """True where rows of the sheets that the reference names are hidden; by_filter: where a filter may do it."""
        raise NotImplementedError

    def get_position(self, ref: Ref | None) -> tuple[int, int]:
        """Return (row, column) of the first cell of the reference, or of the formula itself."""
        raise NotImplementedError


class Failed(Exception):
    """An argument is an error value, which is then the value of the call."""

    def __init__(self, error: CellError) -> None:
        self.error = error


def guard(function: Function) -> Function:
    """Return the function with an error value among its arguments given as its value; Unknown where they are not as
    many as it takes.
    """

    def guarded(arguments: Arguments, source: Source) -> Value:
        try:
            return function(arguments, source)
        except Failed as failed:
            return failed.error
        except (IndexError, ValueError) as fault:
            raise Unknown from fault

    return guarded


def value_of(tree: Tree, source: Source) -> Value:
    """Return the value of one argument, None where it is empty; Unknown where it is not ours to compute."""
    if isinstance(tree, Constant):
        return tree.value
    if isinstance(tree, Reference):
        return _single(source.get_cells(tree.ref))
    if isinstance(tree, Operation):
        return operate(tree.operator, value_of(tree.left, source), value_of(tree.right, source))
    if isinstance(tree, Series):
        return tree.values[source.turn]
    if isinstance(tree, Call):
        return tree.function(tree.arguments, source)
    raise Unknown


def _single(areas: list[Cells]) -> Value:
    if not areas:
        return None
    columns = areas[0].columns
    if len(areas) > 1 or len(columns) != 1 or len(columns[0]) != 1:
        raise Unknown  # an implicit intersection or a spilled array
    return columns[0][0]


def areas_of(tree: Tree, source: Source) -> list[Cells] | None:
    """Return the areas that an argument names; None where it is no reference."""
    return source.get_cells(tree.ref) if isinstance(tree, Reference) else None


def is_whole(tree: Tree) -> bool:
    """True where an argument is whole columns or rows: what lies beyond the sheet's last cell is not in its areas."""
    return isinstance(tree, Reference) and not (tree.ref.row1 and tree.ref.column1)


def columns_of(tree: Tree, source: Source) -> list[Column]:
    """Return the columns of an argument that must be areas; several areas one under the other, if equally wide."""
    areas = areas_of(tree, source)
    if areas is None:
        raise Unknown
    if not areas:
        return [()]
    if len({len(cells.columns) for cells in areas}) != 1:
        raise Unknown
    return [[value for cells in areas for value in cells.columns[at]] for at in range(len(areas[0].columns))]


def numbers_of(arguments: Iterable[Tree], source: Source, *, without_subtotals: bool = False) -> list[Any]:
    """Return the numbers that SUM and its like see: numbers of areas, and arguments made to numbers."""
    found: list[Any] = []
    for argument in arguments:
        if isinstance(argument, Reference):
            get = source.get_cells_without_subtotals if without_subtotals else source.get_cells
            for cells in get(argument.ref):
                for column in cells.columns:
                    found += numbers_in(column)
        else:
            value = value_of(argument, source)
            if value is None:
                continue
            number = to_number(value)
            if isinstance(number, CellError):
                raise Failed(number)
            found.append(number)
    return found


def numbers_in(column: Column) -> Sequence[Any]:
    """Return the numbers among the values of cells; Failed where one is an error."""
    kinds = set(map(type, column))
    if kinds <= {int, float}:
        return column
    for value in column:
        if isinstance(value, CellError):
            raise Failed(value)
    return [value for value in column if is_number(value)]


def number_of(arguments: Arguments, index: int, source: Source, default: Any = None) -> Any:
    """Return one argument as a number; Failed where it is none."""
    if index >= len(arguments):
        if default is None:
            raise Unknown
        return default
    number = to_number(value_of(arguments[index], source))
    if isinstance(number, CellError):
        raise Failed(number)
    return number


def text_of(arguments: Arguments, source: Source) -> str:
    """The first argument as text; an empty cell is an empty text."""
    return next(iter(texts_of(arguments[:1], source)), "")


def texts_of(arguments: Iterable[Tree], source: Source) -> list[str]:
    """Return the values of arguments and of the cells of their areas as texts."""
    found: list[str] = []
    for argument in arguments:
        areas = areas_of(argument, source)
        values = [value_of(argument, source)] if areas is None else [value for cells in areas for value in cells]
        for value in values:
            if isinstance(value, CellError):
                raise Failed(value)
            found.append(to_text(value))
    return found
