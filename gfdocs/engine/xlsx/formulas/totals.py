"""Functions of whole areas: SUM and its like, COUNT and its like, SUBTOTAL, SUMPRODUCT, ROWS."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

from gfdocs.engine.xlsx.formulas.arguments import (
    Arguments,
    Failed,
    Source,
    areas_of,
    columns_of,
    is_whole,
    numbers_of,
    value_of,
)
from gfdocs.engine.xlsx.formulas.tree import Function, Reference
from gfdocs.engine.xlsx.formulas.values import DIV0, CellError, Unknown, Value, is_number


def total(numbers: Sequence[Any]) -> Any:
    """Return the sum, exact for whole numbers and correctly rounded for others."""
    if set(map(type, numbers)) <= {int}:
        whole = sum(numbers)
        return whole if abs(whole) < 10**15 else float(whole)
    return math.fsum(numbers)


def mean(numbers: Sequence[Any]) -> Value:
    """Return the average, #DIV/0! of none."""
    return total(numbers) / len(numbers) if numbers else DIV0


def _product(numbers: Sequence[Any]) -> Value:
    return math.prod(map(float, numbers)) if numbers else 0


_AGGREGATES: dict[str, Callable[[Sequence[Any]], Value]] = {
    "SUM": total,
    "AVERAGE": mean,
    "MIN": lambda numbers: min(numbers, default=0),
    "MAX": lambda numbers: max(numbers, default=0),
    "PRODUCT": _product,
}


def _aggregate(name: str) -> Function:
    return lambda arguments, source: _AGGREGATES[name](numbers_of(arguments, source))


def _count(arguments: Arguments, source: Source) -> Value:
    count = 0
    for argument in arguments:
        areas = areas_of(argument, source)
        if areas is None:
            value = value_of(argument, source)
            if isinstance(value, str) and not isinstance(value, CellError):
                raise Unknown
            count += isinstance(value, int | float)
            continue
        count += sum(is_number(value) for cells in areas for value in cells)
    return count


def _counta(arguments: Arguments, source: Source) -> Value:
    count = 0
    for argument in arguments:
        areas = areas_of(argument, source)
        count += 1 if areas is None else sum(value is not None for cells in areas for value in cells)
    return count


def _countblank(arguments: Arguments, source: Source) -> Value:
    (argument,) = arguments
    areas = areas_of(argument, source)
    if areas is None or is_whole(argument):
        raise Unknown
    return sum(value is None or value == "" for cells in areas for value in cells)


_SUBTOTALS = {1: "AVERAGE", 2: "COUNT", 3: "COUNTA", 4: "MAX", 5: "MIN", 6: "PRODUCT", 9: "SUM"}


def _subtotal(arguments: Arguments, source: Source) -> Value:
    number = value_of(arguments[0], source)
    # 101… leaves out hidden rows, 1… those that a filter hides: which of them are is for the opening program to tell.
    leaves_hidden = isinstance(number, int) and 100 < number < 112
    name = _SUBTOTALS.get(number - 100 if leaves_hidden else number)
    refs = [argument.ref for argument in arguments[1:] if isinstance(argument, Reference)]
    if name is None or len(refs) < len(arguments) - 1:
        raise Unknown
    if any(source.hides_rows(ref, by_filter=not leaves_hidden) for ref in refs):
        raise Unknown
    if name not in ("COUNT", "COUNTA"):
        return _AGGREGATES[name](numbers_of(arguments[1:], source, without_subtotals=True))
    values = [value for ref in refs for cells in source.get_cells_without_subtotals(ref) for value in cells]
    return sum(value is not None for value in values) if name == "COUNTA" else sum(map(is_number, values))


def _sumproduct(arguments: Arguments, source: Source) -> Value:
    factors = [[value for column in columns_of(argument, source) for value in column] for argument in arguments]
    if len({len(factor) for factor in factors}) != 1:
        raise Unknown

    def number(value: Value) -> Any:
        if isinstance(value, CellError):
            raise Failed(value)
        return value if is_number(value) else 0

    return total([math.prod(map(number, row)) for row in zip(*factors, strict=True)])


def _rows(arguments: Arguments, source: Source) -> Value:
    if is_whole(arguments[0]):
        raise Unknown
    return len(columns_of(arguments[0], source)[0])


def running(name: str, values: Sequence[Any]) -> list[Any] | None:
    """Return SUM, COUNT, COUNTA, MIN or MAX of values[:1], values[:2] …; None where that is not certain."""
    if name in ("COUNT", "COUNTA"):
        counts = (value is not None if name == "COUNTA" else type(value) in (int, float) for value in values)
        return list(accumulate(map(int, counts)))
    if not set(map(type, values)) <= {int, float}:
        return None
    functions: dict[str, Any] = {"SUM": None, "MIN": min, "MAX": max}
    return list(accumulate(values, functions[name])) if name in functions else None


AREA_FUNCTIONS: dict[str, Function] = {
    **{name: _aggregate(name) for name in _AGGREGATES},
    "COUNT": _count,
    "COUNTA": _counta,
    "COUNTBLANK": _countblank,
    "SUBTOTAL": _subtotal,
    "SUMPRODUCT": _sumproduct,
    "ROWS": _rows,
}
