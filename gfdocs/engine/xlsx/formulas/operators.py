"""The operators of formulas on single values: arithmetic, comparison, joins of texts, and rounding as spreadsheets do."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from gfdocs.engine.xlsx.formulas.values import DIV0, NUM, CellError, Unknown, Value, to_number, to_text

_COMPARISONS = frozenset(["=", "<>", "<", ">", "<=", ">="])


def operate(operator: str, left: Value, right: Value) -> Value:
    """Return `left operator right` for two values of any kind."""
    for value in (left, right):
        if isinstance(value, CellError):
            return value
    if operator == "&":
        return to_text(left) + to_text(right)
    if operator in _COMPARISONS:
        return compare(operator, left, right)
    a, b = to_number(left), to_number(right)
    for value in (a, b):
        if isinstance(value, CellError):
            return value
    return calculate(operator, a, b)


def compare(operator: str, left: Value, right: Value) -> Value:
    """Return whether two values compare so; Unknown for the order of texts."""
    if left is None:
        left = "" if isinstance(right, str) else False if isinstance(right, bool) else 0
    if right is None:
        right = "" if isinstance(left, str) else False if isinstance(left, bool) else 0
    a, b = _order(left), _order(right)
    if a[0] == b[0] == 1 and operator not in ("=", "<>"):
        raise Unknown  # the order of texts is the reader's language's
    if a[0] == b[0] == 0 and isinstance(a[1], float | int):
        a, b = (0, _round15(a[1])), (0, _round15(b[1]))
    return {
        "=": a == b, "<>": a != b, "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b,
    }[operator]  # fmt: skip


def _order(value: Value) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, value or 0


def _round15(number: float) -> float:
    return float(f"{number:.15g}") if isinstance(number, float) else number


def calculate(operator: str, a: float, b: float) -> Value:
    """Return `a operator b` for two numbers."""
    try:
        if operator == "+":
            result: Any = a + b
        elif operator == "-":
            result = a - b
        elif operator == "*":
            result = a * b
        elif operator == "/":
            if b == 0:
                return DIV0
            result = a / b
        else:
            result = _power(a, b)
    except OverflowError:
        return NUM
    if isinstance(result, CellError):
        return result
    if isinstance(result, int):
        return result if abs(result) < 10**15 else float(result)
    return _cancel(operator, a, b, result) if math.isfinite(result) else NUM


def _cancel(operator: str, a: float, b: float, result: float) -> float:
    """A difference that is only rounding noise is 0, as spreadsheets have it (0.3 - 0.1 - 0.2)."""
    if operator in "+-" and result and abs(result) < 1e-15 * max(abs(a), abs(b)):
        return 0.0
    return result


def _power(a: float, b: float) -> Value:
    if a == 0 and b <= 0:
        return NUM if b == 0 else DIV0
    if a < 0 and b != int(b):
        return NUM
    return float(a) ** b


def round_half_up(number: float, digits: int, mode: str = ROUND_HALF_UP) -> Any:
    """Return the number rounded as spreadsheets do: halves away from zero, judged on the 15 digits one sees."""
    step = Decimal(1).scaleb(-digits)
    shown = Decimal(f"{number:.15g}") if isinstance(number, float) else Decimal(number)
    rounded = shown.quantize(step, rounding=mode) if digits >= 0 else (shown / step).quantize(Decimal(1), mode) * step
    result = float(rounded)
    return int(result) if result.is_integer() and abs(result) < 1e15 else result
