"""Functions of single values: conditions, rounding, texts, kinds of values, positions."""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP
from typing import Any

from gfdocs.engine.xlsx.formulas.arguments import (
    Arguments,
    Source,
    areas_of,
    is_whole,
    number_of,
    text_of,
    texts_of,
    value_of,
)
from gfdocs.engine.xlsx.formulas.operators import round_half_up
from gfdocs.engine.xlsx.formulas.references import Ref
from gfdocs.engine.xlsx.formulas.tree import Function, Reference
from gfdocs.engine.xlsx.formulas.values import DIV0, VALUE, CellError, Unknown, Value, to_text, to_truth

# -- conditions --------------------------------------------------------------------------------------------------------


def _if(arguments: Arguments, source: Source) -> Value:
    condition = to_truth(value_of(arguments[0], source))
    if isinstance(condition, CellError):
        return condition
    if condition:
        value = value_of(arguments[1], source) if len(arguments) > 1 else True
    else:
        value = value_of(arguments[2], source) if len(arguments) > 2 else False
    return 0 if value is None else value


def _iferror(arguments: Arguments, source: Source) -> Value:
    value = value_of(arguments[0], source)
    chosen = value_of(arguments[1], source) if isinstance(value, CellError) else value
    return 0 if chosen is None else chosen


def _logical(every: bool) -> Function:
    def function(arguments: Arguments, source: Source) -> Value:
        truths: list[bool] = []
        for argument in arguments:
            areas = areas_of(argument, source)
            values = (
                [value_of(argument, source)]
                if areas is None
                else [v for cells in areas for v in cells if not isinstance(v, str)]
            )
            for value in values:
                truth = to_truth(value)
                if isinstance(truth, CellError):
                    return truth
                if value is not None:
                    truths.append(truth)
        if not truths:
            return VALUE
        return all(truths) if every else any(truths)

    return function


def _not(arguments: Arguments, source: Source) -> Value:
    truth = to_truth(value_of(arguments[0], source))
    return truth if isinstance(truth, CellError) else not truth


# -- numbers -----------------------------------------------------------------------------------------------------------


def _rounding(mode: str) -> Function:
    def function(arguments: Arguments, source: Source) -> Value:
        number, digits = number_of(arguments, 0, source), int(number_of(arguments, 1, source, 0))
        if abs(digits) > 20 or abs(number) > 1e15:
            raise Unknown
        way = mode
        if mode == "UP":
            way = ROUND_CEILING if number >= 0 else ROUND_FLOOR
        return round_half_up(number, digits, way)

    return function


def _int(arguments: Arguments, source: Source) -> Value:
    number = number_of(arguments, 0, source)
    return math.floor(number) if abs(number) < 1e15 else number


def _abs(arguments: Arguments, source: Source) -> Value:
    return abs(number_of(arguments, 0, source))


def _mod(arguments: Arguments, source: Source) -> Value:
    a, b = number_of(arguments, 0, source), number_of(arguments, 1, source)
    if b == 0:
        return DIV0
    if abs(a / b) > 1e12:
        raise Unknown  # programs differ
    return a - b * math.floor(a / b)


# -- texts -------------------------------------------------------------------------------------------------------------


def _concatenate(arguments: Arguments, source: Source) -> Value:
    return "".join(texts_of(arguments, source))


def _textjoin(arguments: Arguments, source: Source) -> Value:
    separator, skip = to_text(value_of(arguments[0], source)), to_truth(value_of(arguments[1], source))
    if not skip and any(map(is_whole, arguments[2:])):
        raise Unknown
    return separator.join(text for text in texts_of(arguments[2:], source) if text or not skip)


def _len(arguments: Arguments, source: Source) -> Value:
    return len(text_of(arguments, source))


def _left(arguments: Arguments, source: Source) -> Value:
    text, count = text_of(arguments, source), int(number_of(arguments, 1, source, 1))
    return VALUE if count < 0 else text[:count]


def _right(arguments: Arguments, source: Source) -> Value:
    text, count = text_of(arguments, source), int(number_of(arguments, 1, source, 1))
    return VALUE if count < 0 else text[-count:] if count else ""


def _mid(arguments: Arguments, source: Source) -> Value:
    text, start, count = (
        text_of(arguments, source),
        int(number_of(arguments, 1, source)),
        int(number_of(arguments, 2, source)),
    )
    return VALUE if start < 1 or count < 0 else text[start - 1 : start - 1 + count]


def _trim(arguments: Arguments, source: Source) -> Value:
    return re.sub(" +", " ", text_of(arguments, source).strip(" "))


# -- kinds of values and positions -------------------------------------------------------------------------------------


def _n(arguments: Arguments, source: Source) -> Value:
    value = value_of(arguments[0], source)
    return int(value) if isinstance(value, bool) else value if isinstance(value, int | float | CellError) else 0


def _isblank(arguments: Arguments, source: Source) -> Value:
    return value_of(arguments[0], source) is None


def _is_kind(kinds: Any, *, bools: bool) -> Function:
    def function(arguments: Arguments, source: Source) -> Value:
        value = value_of(arguments[0], source)
        return isinstance(value, kinds) and not isinstance(value, CellError) and (bools or not isinstance(value, bool))

    return function


def _iserror(arguments: Arguments, source: Source) -> Value:
    return isinstance(value_of(arguments[0], source), CellError)


def _row(arguments: Arguments, source: Source) -> Value:
    return source.get_position(_position_of(arguments))[0]


def _column(arguments: Arguments, source: Source) -> Value:
    return source.get_position(_position_of(arguments))[1]


def _position_of(arguments: Arguments) -> Ref | None:
    if not arguments:
        return None
    if not isinstance(arguments[0], Reference):
        raise Unknown
    return arguments[0].ref


SCALAR_FUNCTIONS: dict[str, Function] = {
    "IF": _if, "IFERROR": _iferror, "AND": _logical(True), "OR": _logical(False), "NOT": _not,
    "TRUE": lambda arguments, source: True, "FALSE": lambda arguments, source: False,
    "ROUND": _rounding(ROUND_HALF_UP), "ROUNDUP": _rounding("UP"), "ROUNDDOWN": _rounding(ROUND_DOWN),
    "TRUNC": _rounding(ROUND_DOWN), "INT": _int, "ABS": _abs, "MOD": _mod, "N": _n,
    "CONCATENATE": _concatenate, "CONCAT": _concatenate, "TEXTJOIN": _textjoin,
    "LEN": _len, "LEFT": _left, "RIGHT": _right, "MID": _mid, "TRIM": _trim,
    "ISBLANK": _isblank, "ISNUMBER": _is_kind((int, float), bools=False), "ISTEXT": _is_kind(str, bools=True),
    "ISERROR": _iserror, "ROW": _row, "COLUMN": _column,
}  # fmt: skip
