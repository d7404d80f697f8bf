"""The tree of a formula, and the parser that reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gfdocs.engine.xlsx.formulas.references import Ref, parse_reference
from gfdocs.engine.xlsx.formulas.tokenizer import load_tokenizer
from gfdocs.engine.xlsx.formulas.values import Unknown, Value

Function = Callable[[Any, Any], Value]
"""What a function's name means: it takes the trees of the arguments and the Source, and gives the value."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, text or truth value; None is an argument left out."""

    value: Value


@dataclass(frozen=True, slots=True)
class Reference:
    """Cells."""

    ref: Ref


@dataclass(frozen=True, slots=True)
class Operation:
    """`left operator right`."""

    operator: str
    left: Any
    right: Any


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments."""

    name: str
    arguments: tuple[Any, ...]
    function: Function


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


def read_tree(text: str, functions: Mapping[str, Function]) -> Tree | None:
    """Return the tree of a formula; None where it cannot be read or calls a function that is not among these."""
    try:
        parser = _Parser(text, functions)
        tree = parser.expression()
        return tree if parser.peek() is None else None
    except (Unknown, ValueError, IndexError, RecursionError):
        return None
    except Exception as fault:
        if type(fault).__name__ == "TokenizerError":
            return None
        raise


class _Parser:
    """Precedence climbing over openpyxl's tokens."""

    def __init__(self, text: str, functions: Mapping[str, Function]) -> None:
        self.functions = functions
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
            if self.take().subtype != "CLOSE":
                raise Unknown
            return inner
        if item.subtype == "OPEN" and item.type == "FUNC":
            return self.call(item.value[:-1].upper().removeprefix("_XLFN."))
        raise Unknown

    def call(self, name: str) -> Tree:
        function = self.functions.get(name)
        if function is None:
            raise Unknown
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
                return Call(name, tuple(arguments), function)
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
        return replace(tree, arguments=tuple(arguments))
    return tree
