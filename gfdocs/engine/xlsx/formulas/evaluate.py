"""The values of formulas, so that viewers that do not calculate show the right ones: one cell, or a whole column."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gfdocs.engine.xlsx.formulas.arguments import Source, guard, value_of
from gfdocs.engine.xlsx.formulas.criteria import CRITERIA_FUNCTIONS
from gfdocs.engine.xlsx.formulas.operators import calculate, round_half_up
from gfdocs.engine.xlsx.formulas.references import Ref
from gfdocs.engine.xlsx.formulas.scalars import SCALAR_FUNCTIONS
from gfdocs.engine.xlsx.formulas.totals import AREA_FUNCTIONS
from gfdocs.engine.xlsx.formulas.tree import Call, Constant, Operation, Reference, Series, Tree, read_tree
from gfdocs.engine.xlsx.formulas.values import Column, Value

_FUNCTIONS = {
    name: guard(function) for name, function in (AREA_FUNCTIONS | CRITERIA_FUNCTIONS | SCALAR_FUNCTIONS).items()
}


@lru_cache(maxsize=4096)
def parse_tree(text: str) -> Tree | None:
    """Return the tree of a formula, None where it holds something we do not compute."""
    return read_tree(text, _FUNCTIONS)


def evaluate(tree: Tree, source: Source) -> Value:
    """Return the value of a formula; Unknown where it is not ours to compute."""
    value = value_of(tree, source)
    return 0 if value is None else value


# -- whole columns -----------------------------------------------------------------------------------------------------


def evaluate_columns(tree: Tree, get_column: Callable[[Ref], Column | Value], count: int) -> list[Value] | None:
    """Return the values of a formula in each turn of a list at once, None where that way is not open.

    `get_column` gives a list for a reference that differs from turn to turn and a single value for one that does not.
    Only arithmetic on numbers goes this way; the caller falls back to one cell at a time.
    """
    found = _vector(tree, get_column)
    if found is None:
        return None
    return found if isinstance(found, list) else [found] * count


def _vector(tree: Tree, get_column: Callable[[Ref], Column | Value]) -> Any:
    if isinstance(tree, Constant):
        return tree.value if isinstance(tree.value, int | float) and not isinstance(tree.value, bool) else None
    if isinstance(tree, Reference):
        found = get_column(tree.ref)
        if isinstance(found, list):
            return found if set(map(type, found)) <= {int, float} else None
        return found if type(found) in (int, float) else None
    if isinstance(tree, Series):
        return list(tree.values) if set(map(type, tree.values)) <= {int, float} else None
    if isinstance(tree, Operation) and tree.operator in ("+", "-", "*", "/"):
        left = _vector(tree.left, get_column)
        right = _vector(tree.right, get_column) if left is not None else None
        return None if right is None else _vector_operation(tree.operator, left, right)
    if isinstance(tree, Call) and tree.name == "ROUND" and len(tree.arguments) == 2:
        inner, digits = _vector(tree.arguments[0], get_column), _vector(tree.arguments[1], get_column)
        if isinstance(inner, list) and isinstance(digits, int) and abs(digits) <= 15:
            return [round_half_up(number, digits) for number in inner]
    return None


def _vector_operation(operator: str, left: Any, right: Any) -> Any:
    if not isinstance(left, list) and not isinstance(right, list):
        return calculate(operator, left, right)
    size = len(left) if isinstance(left, list) else len(right)
    a = left if isinstance(left, list) else [left] * size
    b = right if isinstance(right, list) else [right] * size
    try:
        if operator == "*":
            result = [x * y for x, y in zip(a, b, strict=True)]
        elif operator == "/":
            result = [x / y for x, y in zip(a, b, strict=True)]
        else:
            return [calculate(operator, x, y) for x, y in zip(a, b, strict=True)]
    except (ZeroDivisionError, OverflowError):
        return None
    if not result:
        return result
    return result if min(result) > -1e15 and max(result) < 1e15 else None
