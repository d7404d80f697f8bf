"""The values of formulas, so that viewers that do not calculate show the right ones.

Only what is certain is computed: arithmetic, comparison, text joins and the functions of `_FUNCTIONS`, with the rules
of Excel for empty cells, texts and errors. Everything else raises `Unknown`: such a cell gets no value and the
workbook is marked for calculation on loading.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import lru_cache
from itertools import accumulate
from typing import Any

from gfdocs.engine.xlsx.formulas.references import Ref, parse_reference
from gfdocs.engine.xlsx.formulas.tokenizer import load_tokenizer


class Unknown(Exception):
    """The value is not ours to compute."""


class CellError(str):
    """An error value such as `#DIV/0!`."""

    __slots__ = ()


DIV0, VALUE, NA, NUM = CellError("#DIV/0!"), CellError("#VALUE!"), CellError("#N/A"), CellError("#NUM!")

Value = Any  # int | float | str | bool | None | CellError
Column = Sequence[Value]


@dataclass(frozen=True, slots=True)
class Cells:
    """The values of an area: one sequence a column. `marks` tells which cells hold a SUBTOTAL of their own, where
    asked for.
    """

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
        raise NotImplementedError

    def get_position(self, ref: Ref | None) -> tuple[int, int]:
        """Return (row, column) of the first cell of the reference, or of the formula itself."""
        raise NotImplementedError


# -- the tree of a formula ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    value: Value


@dataclass(frozen=True, slots=True)
class Reference:
    ref: Ref


@dataclass(frozen=True, slots=True)
class Operation:
    operator: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """A part of a formula whose value in each turn of a list is known already."""

    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Named:
    """A defined name."""

    name: str


Tree = Constant | Reference | Operation | Call | Series | Named

_PRIORITY = {"^": 5, "*": 4, "/": 4, "+": 3, "-": 3, "&": 2, "=": 1, "<": 1, ">": 1, "<=": 1, ">=": 1, "<>": 1}


class _Parser:
    """Precedence climbing over openpyxl's tokens."""

    def __init__(self, text: str) -> None:
        self.items = [item for item in load_tokenizer().Tokenizer("=" + text).items if item.type != "WHITE-SPACE"]
        self.at = 0

    def peek(self) -> Any:
        return self.items[self.at] if self.at < len(self.items) else None

    def take(self) -> Any:
        item = self.peek()
        if item is None:
            raise Unknown
        self.at += 1
        return item

    def expression(self, lowest: int = 0) -> Tree:
        left = self.unary()
        while (item := self.peek()) is not None and item.type == "OPERATOR-INFIX":
            priority = _PRIORITY.get(item.value)
            if priority is None:
                raise Unknown
            if priority <= lowest:
                break
            self.take()
            left = Operation(item.value, left, self.expression(priority))
        return left

    def unary(self) -> Tree:
        item = self.peek()
        if item is not None and item.type == "OPERATOR-PREFIX":
            self.take()
            inner = self.unary()
            return Operation("-", Constant(0), inner) if item.value == "-" else inner
        tree = self.primary()
        while (item := self.peek()) is not None and item.type == "OPERATOR-POSTFIX":
            self.take()
            tree = Operation("/", tree, Constant(100))
        return tree

    def primary(self) -> Tree:
        item = self.take()
        if item.type == "OPERAND":
            return _operand(item)
        if item.subtype == "OPEN" and item.type == "PAREN":
            inner = self.expression()
            if (closing := self.take()).subtype != "CLOSE":
                raise Unknown
            del closing
            return inner
        if item.subtype == "OPEN" and item.type == "FUNC":
            return self.call(item.value[:-1].upper().removeprefix("_XLFN."))
        raise Unknown

    def call(self, name: str) -> Tree:
        arguments: list[Tree] = []
        expects = True
        while True:
            item = self.peek()
            if item is None:
                raise Unknown
            if item.type == "FUNC" and item.subtype == "CLOSE":
                self.take()
                if expects and arguments:
                    arguments.append(Constant(None))
                return Call(name, tuple(arguments))
            if item.type == "SEP":
                self.take()
                if expects:
                    arguments.append(Constant(None))
                expects = True
                continue
            argument = self.expression()
            if isinstance(argument, Reference):
                argument = Reference(replace(argument.ref, function=name, argument=len(arguments)))
            arguments.append(argument)
            expects = False


def _operand(item: Any) -> Tree:
    if item.subtype == "NUMBER":
        number = float(item.value)
        return Constant(int(number) if number.is_integer() and abs(number) < 1e15 else number)
    if item.subtype == "TEXT":
        return Constant(item.value[1:-1].replace('""', '"'))
    if item.subtype == "LOGICAL":
        return Constant(item.value.upper() == "TRUE")
    if item.subtype == "RANGE":
        ref = parse_reference(item.value)
        if ref is not None and ref.last_sheet is None:
            return Reference(ref)
        if ref is None and not set(item.value) & set("!:{}"):
            return Named(item.value)
    raise Unknown


@lru_cache(maxsize=4096)
def parse_tree(text: str) -> Tree | None:
    """Return the tree of a formula, None where it holds something we do not compute."""
    try:
        parser = _Parser(text)
        tree = parser.expression()
        if parser.peek() is not None or not _is_known(tree):
            return None
    except (Unknown, ValueError, IndexError, RecursionError):
        return None
    except Exception as fault:
        if type(fault).__name__ == "TokenizerError":
            return None
        raise
    return tree


def _is_known(tree: Tree) -> bool:
    if isinstance(tree, Operation):
        return _is_known(tree.left) and _is_known(tree.right)
    if isinstance(tree, Call):
        return tree.name in _FUNCTIONS and all(map(_is_known, tree.arguments))
    return True


def bind_names(tree: Tree, get: Callable[[str], Tree | None]) -> Tree | None:
    """Return the tree with its defined names replaced by what they stand for; None where one is not known."""
    if isinstance(tree, Named):
        return get(tree.name)
    if isinstance(tree, Operation):
        left, right = bind_names(tree.left, get), bind_names(tree.right, get)
        return Operation(tree.operator, left, right) if left is not None and right is not None else None
    if isinstance(tree, Call):
        arguments: list[Tree] = []
        for index, argument in enumerate(tree.arguments):
            bound = bind_names(argument, get)
            if bound is None:
                return None
            if isinstance(argument, Named) and isinstance(bound, Reference):
                bound = Reference(replace(bound.ref, function=tree.name, argument=index))
            arguments.append(bound)
        return Call(tree.name, tuple(arguments))
    return tree


def running(name: str, values: Sequence[Any]) -> list[Any] | None:
    """Return SUM, COUNT, COUNTA, MIN or MAX of values[:1], values[:2] …; None where that is not certain."""
    if name in ("COUNT", "COUNTA"):
        counts = (value is not None if name == "COUNTA" else type(value) in (int, float) for value in values)
        return list(accumulate(map(int, counts)))
    if not set(map(type, values)) <= {int, float}:
        return None
    functions: dict[str, Any] = {"SUM": None, "MIN": min, "MAX": max}
    return list(accumulate(values, functions[name])) if name in functions else None


# -- scalars -----------------------------------------------------------------------------------------------------------


def to_number(value: Value) -> Any:
    """Return a value as a number, as an operator sees it; a CellError where it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if value is None:
        return 0
    if isinstance(value, CellError):
        return value
    # What Excel makes of a text here depends on the reader's language: only plain digits are certain.
    if re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", value):
        return float(value)
    if re.search(r"\d", value):
        raise Unknown
    return VALUE


def to_text(value: Value) -> str:
    """Return a value as a text, as `&` sees it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        text = f"{value:.15g}"
        if "e" in text:
            raise Unknown
        return text
    return str(value)


def _truth(value: Value) -> Any:
    if isinstance(value, CellError):
        return value
    if isinstance(value, str):
        upper = value.upper()
        return VALUE if upper not in ("TRUE", "FALSE") else upper == "TRUE"
    return bool(value)


def _order(value: Value) -> tuple[int, Any]:
    if isinstance(value, bool):
        return 2, value
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, value or 0


def _compare(operator: str, left: Value, right: Value) -> Value:
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


def _round15(number: float) -> float:
    return float(f"{number:.15g}") if isinstance(number, float) else number


def _operate(operator: str, left: Value, right: Value) -> Value:
    for value in (left, right):
        if isinstance(value, CellError):
            return value
    if operator == "&":
        return to_text(left) + to_text(right)
    if operator in ("=", "<>", "<", ">", "<=", ">="):
        return _compare(operator, left, right)
    a, b = to_number(left), to_number(right)
    for value in (a, b):
        if isinstance(value, CellError):
            return value
    return calculate(operator, a, b)


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


# -- evaluation --------------------------------------------------------------------------------------------------------


def evaluate(tree: Tree, source: Source) -> Value:
    """Return the value of a formula; Unknown where it is not ours to compute."""
    value = _value(tree, source)
    return 0 if value is None else value


def _value(tree: Tree, source: Source) -> Value:
    if isinstance(tree, Constant):
        return tree.value
    if isinstance(tree, Reference):
        return _single(source.get_cells(tree.ref))
    if isinstance(tree, Operation):
        return _operate(tree.operator, _value(tree.left, source), _value(tree.right, source))
    if isinstance(tree, Series):
        return tree.values[source.turn]
    if isinstance(tree, Named):
        raise Unknown
    return _FUNCTIONS[tree.name](tree.arguments, source)


def _single(areas: list[Cells]) -> Value:
    if not areas:
        return None
    columns = areas[0].columns
    if len(areas) > 1 or len(columns) != 1 or len(columns[0]) != 1:
        raise Unknown  # an implicit intersection or a spilled array
    return columns[0][0]


def _areas(tree: Tree, source: Source) -> list[Cells] | None:
    return source.get_cells(tree.ref) if isinstance(tree, Reference) else None


def _numbers(arguments: Iterable[Tree], source: Source, *, without_subtotals: bool = False) -> list[Any]:
    """Return the numbers that SUM and its like see: numbers of areas, and arguments made to numbers. CellError is
    raised as such.
    """
    found: list[Any] = []
    for argument in arguments:
        if isinstance(argument, Reference):
            get = source.get_cells_without_subtotals if without_subtotals else source.get_cells
            for cells in get(argument.ref):
                for column in cells.columns:
                    found += _numbers_in(column)
        else:
            value = _value(argument, source)
            if value is None:
                continue
            number = to_number(value)
            if isinstance(number, CellError):
                raise _Failed(number)
            found.append(number)
    return found


class _Failed(Exception):
    def __init__(self, error: CellError) -> None:
        self.error = error


def _numbers_in(column: Column) -> Sequence[Any]:
    kinds = set(map(type, column))
    if kinds <= {int, float}:
        return column
    for value in column:
        if isinstance(value, CellError):
            raise _Failed(value)
    return [value for value in column if isinstance(value, int | float) and not isinstance(value, bool)]


def total(numbers: Sequence[Any]) -> Any:
    """Return the sum, exact for whole numbers and correctly rounded for others."""
    if set(map(type, numbers)) <= {int}:
        whole = sum(numbers)
        return whole if abs(whole) < 10**15 else float(whole)
    return math.fsum(numbers)


def _guard(function: Callable[[tuple[Tree, ...], Source], Value]) -> Callable[[tuple[Tree, ...], Source], Value]:
    def guarded(arguments: tuple[Tree, ...], source: Source) -> Value:
        try:
            return function(arguments, source)
        except _Failed as failed:
            return failed.error

    return guarded


def _mean(numbers: Sequence[Any]) -> Value:
    return total(numbers) / len(numbers) if numbers else DIV0


def _product(numbers: Sequence[Any]) -> Value:
    return math.prod(map(float, numbers)) if numbers else 0


_AGGREGATES: dict[str, Callable[[Sequence[Any]], Value]] = {
    "SUM": total,
    "AVERAGE": _mean,
    "MIN": lambda numbers: min(numbers, default=0),
    "MAX": lambda numbers: max(numbers, default=0),
    "PRODUCT": _product,
}


def _aggregate(name: str) -> Callable[[tuple[Tree, ...], Source], Value]:
    return _guard(lambda arguments, source: _AGGREGATES[name](_numbers(arguments, source)))


def _count(arguments: tuple[Tree, ...], source: Source) -> Value:
    count = 0
    for argument in arguments:
        areas = _areas(argument, source)
        if areas is None:
            value = _value(argument, source)
            if isinstance(value, str) and not isinstance(value, CellError):
                raise Unknown
            count += isinstance(value, int | float)
            continue
        count += sum(
            isinstance(value, int | float) and not isinstance(value, bool) for cells in areas for value in cells
        )
    return count


def _counta(arguments: tuple[Tree, ...], source: Source) -> Value:
    count = 0
    for argument in arguments:
        areas = _areas(argument, source)
        count += 1 if areas is None else sum(value is not None for cells in areas for value in cells)
    return count


def _is_whole(tree: Tree) -> bool:
    """True where an argument is whole columns or rows: what lies beyond the sheet's last cell is not in its areas."""
    return isinstance(tree, Reference) and not (tree.ref.row1 and tree.ref.column1)


def _countblank(arguments: tuple[Tree, ...], source: Source) -> Value:
    (argument,) = arguments
    areas = _areas(argument, source)
    if areas is None or _is_whole(argument):
        raise Unknown
    return sum(value is None or value == "" for cells in areas for value in cells)


_SUBTOTALS = {1: "AVERAGE", 2: "COUNT", 3: "COUNTA", 4: "MAX", 5: "MIN", 6: "PRODUCT", 9: "SUM"}


def _subtotal(arguments: tuple[Tree, ...], source: Source) -> Value:
    number = _value(arguments[0], source)
    # 101… leaves out hidden rows; the engine refuses to guess which are hidden, so it is left to the program that
    # opens the file.
    name = _SUBTOTALS.get(number % 100 if isinstance(number, int) and 100 < number < 112 else number)
    if name is None or not all(isinstance(argument, Reference) for argument in arguments[1:]):
        raise Unknown
    if name in ("COUNT", "COUNTA"):
        values = [
            value
            for argument in arguments[1:]
            if isinstance(argument, Reference)
            for cells in source.get_cells_without_subtotals(argument.ref)
            for value in cells
        ]
        if name == "COUNTA":
            return sum(value is not None for value in values)
        return sum(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return _AGGREGATES[name](_numbers(arguments[1:], source, without_subtotals=True))


def make_criterion(criterion: Value) -> Callable[[Value], bool]:
    """Return the test that COUNTIF and SUMIF make of a criterion; Unknown for wildcards with operators and orders of
    texts.
    """
    if isinstance(criterion, CellError):
        raise Unknown
    if isinstance(criterion, bool):
        return lambda value: value is criterion
    if isinstance(criterion, int | float):
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value == criterion
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
    return _text_test(operand, negative=operator == "<>", with_operator=bool(operator))


def _plain_number(text: str) -> float | None:
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        return float(text)
    if re.fullmatch(r"[+-]?[\d.,%/:\-eE ]*\d[\d.,%/:\-eE ]*", text):
        raise Unknown
    return None


def _number_test(operator: str, number: float) -> Callable[[Value], bool]:
    def test(value: Value) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if operator in ("=", "<>") and isinstance(value, str):
            same = bool(re.fullmatch(r"[+-]?\d+(\.\d+)?", value)) and float(value) == number
            return same is (operator == "=")
        if operator == "<>":
            return not is_number or value != number
        return is_number and bool(_compare(operator, value, number))

    return test


def _text_test(text: str, *, negative: bool, with_operator: bool) -> Callable[[Value], bool]:
    if text == "":
        return (lambda value: value is not None) if negative else (lambda value: value is None)
    if any(char in text for char in "*?~"):
        pattern = re.compile(_wildcards(text), re.IGNORECASE | re.DOTALL)

        def matches(value: Value) -> bool:
            return isinstance(value, str) and pattern.fullmatch(value) is not None
    else:
        folded = text.casefold()

        def matches(value: Value) -> bool:
            return isinstance(value, str) and value.casefold() == folded

    return (lambda value: not matches(value)) if negative else matches


def _wildcards(text: str) -> str:
    out, index = [], 0
    while index < len(text):
        char = text[index]
        if char == "~" and index + 1 < len(text):
            index += 1
            out.append(re.escape(text[index]))
        else:
            out.append({"*": ".*", "?": "."}.get(char, re.escape(char)))
        index += 1
    return "".join(out)


def _one_area(tree: Tree, source: Source) -> list[Column]:
    """Return the columns of an argument that must be areas; several areas one under the other, if equally wide."""
    areas = _areas(tree, source)
    if areas is None:
        raise Unknown
    if not areas:
        return [()]
    if len({len(cells.columns) for cells in areas}) != 1:
        raise Unknown
    return [[value for cells in areas for value in cells.columns[at]] for at in range(len(areas[0].columns))]


def _matching(pairs: Sequence[Tree], source: Source) -> list[list[bool]]:
    """Return which cells meet all criteria of (area, criterion, area, criterion …)."""
    result: list[list[bool]] | None = None
    for area, criterion in zip(pairs[::2], pairs[1::2], strict=True):
        test = make_criterion(_value(criterion, source))
        found = [[test(value) for value in column] for column in _one_area(area, source)]
        if result is not None:
            if [len(c) for c in result] != [len(c) for c in found]:
                raise Unknown
            found = [[a and b for a, b in zip(x, y, strict=True)] for x, y in zip(result, found, strict=True)]
        result = found
    return result or []


def _countif(arguments: tuple[Tree, ...], source: Source) -> Value:
    if len(arguments) % 2:
        raise Unknown
    if _is_whole(arguments[0]) and all(make_criterion(_value(c, source))(None) for c in arguments[1::2]):
        raise Unknown  # all that is empty beyond the sheet's last cell counts
    return sum(sum(column) for column in _matching(arguments, source))


def _chosen(area: Tree, pairs: Sequence[Tree], source: Source) -> list[Any]:
    columns = _one_area(area, source)
    matches = _matching(pairs, source)
    if [len(c) for c in columns] != [len(c) for c in matches]:
        raise Unknown
    chosen = [
        value
        for column, marks in zip(columns, matches, strict=True)
        for value, mark in zip(column, marks, strict=True)
        if mark
    ]
    return list(_numbers_in(chosen))


def _sumif(arguments: tuple[Tree, ...], source: Source) -> Value:
    area = arguments[2] if len(arguments) > 2 else arguments[0]
    return total(_chosen(area, arguments[:2], source))


def _averageif(arguments: tuple[Tree, ...], source: Source) -> Value:
    area = arguments[2] if len(arguments) > 2 else arguments[0]
    return _mean(_chosen(area, arguments[:2], source))


def _sumifs(arguments: tuple[Tree, ...], source: Source) -> Value:
    return total(_chosen(arguments[0], arguments[1:], source))


def _averageifs(arguments: tuple[Tree, ...], source: Source) -> Value:
    return _mean(_chosen(arguments[0], arguments[1:], source))


def _sumproduct(arguments: tuple[Tree, ...], source: Source) -> Value:
    factors = [[value for column in _one_area(argument, source) for value in column] for argument in arguments]
    if len({len(factor) for factor in factors}) != 1:
        raise Unknown

    def number(value: Value) -> Any:
        if isinstance(value, CellError):
            raise _Failed(value)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else 0

    return total([math.prod(map(number, row)) for row in zip(*factors, strict=True)])


def _if(arguments: tuple[Tree, ...], source: Source) -> Value:
    condition = _truth(_value(arguments[0], source))
    if isinstance(condition, CellError):
        return condition
    if condition:
        value = _value(arguments[1], source) if len(arguments) > 1 else True
    else:
        value = _value(arguments[2], source) if len(arguments) > 2 else False
    return 0 if value is None else value


def _iferror(arguments: tuple[Tree, ...], source: Source) -> Value:
    value = _value(arguments[0], source)
    chosen = _value(arguments[1], source) if isinstance(value, CellError) else value
    return 0 if chosen is None else chosen


def _logical(every: bool) -> Callable[[tuple[Tree, ...], Source], Value]:
    def function(arguments: tuple[Tree, ...], source: Source) -> Value:
        truths: list[bool] = []
        for argument in arguments:
            areas = _areas(argument, source)
            values = (
                [_value(argument, source)]
                if areas is None
                else [v for cells in areas for v in cells if not isinstance(v, str)]
            )
            for value in values:
                truth = _truth(value)
                if isinstance(truth, CellError):
                    return truth
                if value is not None:
                    truths.append(truth)
        if not truths:
            return VALUE
        return all(truths) if every else any(truths)

    return function


def _not(arguments: tuple[Tree, ...], source: Source) -> Value:
    truth = _truth(_value(arguments[0], source))
    return truth if isinstance(truth, CellError) else not truth


def _number(arguments: tuple[Tree, ...], index: int, source: Source, default: Any = None) -> Any:
    if index >= len(arguments):
        if default is None:
            raise Unknown
        return default
    number = to_number(_value(arguments[index], source))
    if isinstance(number, CellError):
        raise _Failed(number)
    return number


def round_half_up(number: float, digits: int, mode: str = ROUND_HALF_UP) -> Any:
    """Return the number rounded as spreadsheets do: halves away from zero, judged on the 15 digits one sees."""
    step = Decimal(1).scaleb(-digits)
    shown = Decimal(f"{number:.15g}") if isinstance(number, float) else Decimal(number)
    rounded = shown.quantize(step, rounding=mode) if digits >= 0 else (shown / step).quantize(Decimal(1), mode) * step
    result = float(rounded)
    return int(result) if result.is_integer() and abs(result) < 1e15 else result


def _rounding(mode: str) -> Callable[[tuple[Tree, ...], Source], Value]:
    def function(arguments: tuple[Tree, ...], source: Source) -> Value:
        number, digits = _number(arguments, 0, source), int(_number(arguments, 1, source, 0))
        if abs(digits) > 20 or abs(number) > 1e15:
            raise Unknown
        way = mode
        if mode == "UP":
            way = ROUND_CEILING if number >= 0 else ROUND_FLOOR
        return round_half_up(number, digits, way)

    return _guard(function)


def _int(arguments: tuple[Tree, ...], source: Source) -> Value:
    return math.floor(_number(arguments, 0, source))


def _abs(arguments: tuple[Tree, ...], source: Source) -> Value:
    return abs(_number(arguments, 0, source))


def _mod(arguments: tuple[Tree, ...], source: Source) -> Value:
    a, b = _number(arguments, 0, source), _number(arguments, 1, source)
    return DIV0 if b == 0 else a - b * math.floor(a / b)


def _text(arguments: tuple[Tree, ...], source: Source) -> str:
    """The first argument as text; an empty cell is an empty text."""
    return next(iter(_texts(arguments[:1], source)), "")


def _texts(arguments: Iterable[Tree], source: Source) -> list[str]:
    found: list[str] = []
    for argument in arguments:
        areas = _areas(argument, source)
        values = [_value(argument, source)] if areas is None else [value for cells in areas for value in cells]
        for value in values:
            if isinstance(value, CellError):
                raise _Failed(value)
            found.append(to_text(value))
    return found


def _concatenate(arguments: tuple[Tree, ...], source: Source) -> Value:
    return "".join(_texts(arguments, source))


def _textjoin(arguments: tuple[Tree, ...], source: Source) -> Value:
    separator, skip = to_text(_value(arguments[0], source)), _truth(_value(arguments[1], source))
    if not skip and any(map(_is_whole, arguments[2:])):
        raise Unknown
    return separator.join(text for text in _texts(arguments[2:], source) if text or not skip)


def _len(arguments: tuple[Tree, ...], source: Source) -> Value:
    return len(_text(arguments, source))


def _left(arguments: tuple[Tree, ...], source: Source) -> Value:
    return _text(arguments, source)[: max(0, int(_number(arguments, 1, source, 1)))]


def _right(arguments: tuple[Tree, ...], source: Source) -> Value:
    text, count = _text(arguments, source), int(_number(arguments, 1, source, 1))
    return text[-count:] if count > 0 else ""


def _mid(arguments: tuple[Tree, ...], source: Source) -> Value:
    text, start, count = (
        _text(arguments, source),
        int(_number(arguments, 1, source)),
        int(_number(arguments, 2, source)),
    )
    return VALUE if start < 1 or count < 0 else text[start - 1 : start - 1 + count]


def _trim(arguments: tuple[Tree, ...], source: Source) -> Value:
    return re.sub(" +", " ", _text(arguments, source).strip(" "))


def _n(arguments: tuple[Tree, ...], source: Source) -> Value:
    value = _value(arguments[0], source)
    return int(value) if isinstance(value, bool) else value if isinstance(value, int | float | CellError) else 0


def _isblank(arguments: tuple[Tree, ...], source: Source) -> Value:
    return _value(arguments[0], source) is None


def _is_kind(kinds: Any, *, bools: bool) -> Callable[[tuple[Tree, ...], Source], Value]:
    def function(arguments: tuple[Tree, ...], source: Source) -> Value:
        value = _value(arguments[0], source)
        return isinstance(value, kinds) and not isinstance(value, CellError) and (bools or not isinstance(value, bool))

    return function


def _iserror(arguments: tuple[Tree, ...], source: Source) -> Value:
    return isinstance(_value(arguments[0], source), CellError)


def _row(arguments: tuple[Tree, ...], source: Source) -> Value:
    return source.get_position(_position_of(arguments))[0]


def _column(arguments: tuple[Tree, ...], source: Source) -> Value:
    return source.get_position(_position_of(arguments))[1]


def _position_of(arguments: tuple[Tree, ...]) -> Ref | None:
    if not arguments:
        return None
    if not isinstance(arguments[0], Reference):
        raise Unknown
    return arguments[0].ref


def _rows(arguments: tuple[Tree, ...], source: Source) -> Value:
    if _is_whole(arguments[0]):
        raise Unknown
    return len(_one_area(arguments[0], source)[0])


_FUNCTIONS: dict[str, Callable[[tuple[Tree, ...], Source], Value]] = {
    **{name: _aggregate(name) for name in _AGGREGATES},
    **{
        name: _guard(function)
        for name, function in {
            "COUNT": _count, "COUNTA": _counta, "COUNTBLANK": _countblank, "SUBTOTAL": _subtotal,
            "COUNTIF": _countif, "COUNTIFS": _countif, "SUMIF": _sumif, "SUMIFS": _sumifs,
            "AVERAGEIF": _averageif, "AVERAGEIFS": _averageifs, "SUMPRODUCT": _sumproduct,
            "IF": _if, "IFERROR": _iferror, "AND": _logical(True), "OR": _logical(False), "NOT": _not,
            "INT": _int, "ABS": _abs, "MOD": _mod, "N": _n,
            "CONCATENATE": _concatenate, "CONCAT": _concatenate, "TEXTJOIN": _textjoin,
            "LEN": _len, "LEFT": _left, "RIGHT": _right, "MID": _mid, "TRIM": _trim,
            "ISBLANK": _isblank, "ISNUMBER": _is_kind((int, float), bools=False), "ISTEXT": _is_kind(str, bools=True),
            "ISERROR": _iserror, "ROW": _row, "COLUMN": _column, "ROWS": _rows, "TRUE": lambda arguments, source:
            True, "FALSE": lambda arguments, source: False, }.items() }, "ROUND": _rounding(ROUND_HALF_UP), "ROUNDUP":
            _rounding("UP"), "ROUNDDOWN": _rounding(ROUND_DOWN), "TRUNC": _rounding(ROUND_DOWN), }  # fmt: skip


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
