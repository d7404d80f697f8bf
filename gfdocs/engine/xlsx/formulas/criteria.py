"""Functions that choose cells by a criterion: COUNTIF(S), SUMIF(S), AVERAGEIF(S)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from gfdocs.engine.xlsx.formulas.arguments import Arguments, Source, columns_of, is_whole, numbers_in, value_of
from gfdocs.engine.xlsx.formulas.operators import compare
from gfdocs.engine.xlsx.formulas.totals import mean, total
from gfdocs.engine.xlsx.formulas.tree import Function, Tree
from gfdocs.engine.xlsx.formulas.values import CellError, Unknown, Value, is_number

Test = Callable[[Value], bool]


def make_criterion(criterion: Value) -> Test:
    """Return the test that COUNTIF and SUMIF make of a criterion; Unknown for wildcards with operators and orders of
    texts.
    """
    if isinstance(criterion, CellError):
        raise Unknown
    if isinstance(criterion, bool):
        return lambda value: value is criterion
    if isinstance(criterion, int | float):
        return lambda value: is_number(value) and value == criterion
    text = "" if criterion is None else criterion
    operator = next((sign for sign in ("<=", ">=", "<>", "<", ">", "=") if text.startswith(sign)), "")
    operand = text[len(operator) :]
    if criterion is None:
        return lambda value: isinstance(value, int | float) and value == 0
    number = _plain_number(operand)
    if number is not None:
        return _number_test(operator or "=", number)
    if operator not in ("", "=", "<>") or (operand == "" and operator == ""):
        raise Unknown
    return _text_test(operand, negative=operator == "<>")


def _plain_number(text: str) -> float | None:
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"[\d.,%/:+\-eE ]+", text) and re.search(r"\d", text):
        raise Unknown  # a date, a time or a number to some readers
    return None


def _number_test(operator: str, number: float) -> Test:
    def test(value: Value) -> bool:
        if operator in ("=", "<>") and isinstance(value, str):
            same = bool(re.fullmatch(r"[+-]?\d+(\.\d+)?", value)) and float(value) == number
            return same is (operator == "=")
        if operator == "<>":
            return not is_number(value) or value != number
        return is_number(value) and bool(compare(operator, value, number))

    return test


def _text_test(text: str, *, negative: bool) -> Test:
    if text == "":
        return (lambda value: value is not None) if negative else (lambda value: value is None)
    if any(char in text for char in "*?~"):
        pattern = _wildcards(text)

        def matches(value: Value) -> bool:
            return isinstance(value, str) and pattern.fullmatch(value) is not None
    else:
        folded = text.casefold()

        def matches(value: Value) -> bool:
            return isinstance(value, str) and value.casefold() == folded

    return (lambda value: not matches(value)) if negative else matches


def _wildcards(text: str) -> re.Pattern[str]:
    """Return the pattern of a criterion with `*` and `?`. What stands between two `*` is taken where it first fits, for
    good (an atomic group): so the time is bounded by the length of pattern times text.
    """
    pieces = [""]
    for char in re.findall(r"~.|.", text, re.DOTALL):
        if char == "*":
            pieces.append("")
        else:
            pieces[-1] += "." if char == "?" else re.escape(char[-1])
    first, *middle = pieces
    last = middle.pop() if middle else None
    between = "".join(f"(?>.*?{piece})" for piece in middle if piece)
    tail = "" if last is None else f".*{last}"
    return re.compile(f"{first}{between}{tail}", re.IGNORECASE | re.DOTALL)


def _matching(pairs: Sequence[Tree], source: Source) -> list[list[bool]]:
    """Return which cells meet all criteria of (area, criterion, area, criterion …)."""
    result: list[list[bool]] | None = None
    for area, criterion in zip(pairs[::2], pairs[1::2], strict=True):
        test = make_criterion(value_of(criterion, source))
        found = [[test(value) for value in column] for column in columns_of(area, source)]
        if result is not None:
            if [len(c) for c in result] != [len(c) for c in found]:
                raise Unknown
            found = [[a and b for a, b in zip(x, y, strict=True)] for x, y in zip(result, found, strict=True)]
        result = found
    return result or []


def _chosen(area: Tree, pairs: Sequence[Tree], source: Source) -> list[Any]:
    columns = columns_of(area, source)
    matches = _matching(pairs, source)
    if [len(c) for c in columns] != [len(c) for c in matches]:
        raise Unknown
    chosen = [
        value
        for column, marks in zip(columns, matches, strict=True)
        for value, mark in zip(column, marks, strict=True)
        if mark
    ]
    return list(numbers_in(chosen))


def _countif(arguments: Arguments, source: Source) -> Value:
    if len(arguments) % 2:
        raise Unknown
    if is_whole(arguments[0]) and all(make_criterion(value_of(c, source))(None) for c in arguments[1::2]):
        raise Unknown  # all that is empty beyond the sheet's last cell counts
    return sum(sum(column) for column in _matching(arguments, source))


def _sumif(arguments: Arguments, source: Source) -> Value:
    area = arguments[2] if len(arguments) > 2 else arguments[0]
    return total(_chosen(area, arguments[:2], source))


def _averageif(arguments: Arguments, source: Source) -> Value:
    area = arguments[2] if len(arguments) > 2 else arguments[0]
    return mean(_chosen(area, arguments[:2], source))


def _sumifs(arguments: Arguments, source: Source) -> Value:
    return total(_chosen(arguments[0], arguments[1:], source))


def _averageifs(arguments: Arguments, source: Source) -> Value:
    return mean(_chosen(arguments[0], arguments[1:], source))


CRITERIA_FUNCTIONS: dict[str, Function] = {
    "COUNTIF": _countif,
    "COUNTIFS": _countif,
    "SUMIF": _sumif,
    "SUMIFS": _sumifs,
    "AVERAGEIF": _averageif,
    "AVERAGEIFS": _averageifs,
}
