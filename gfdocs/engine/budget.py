"""How much a template may do: a `Budget` says it, a `Meter` counts it during one render.

The Jinja sandbox keeps a template from reaching Python; it does not keep `'a' * 10**9` or nested loops from taking the
machine. Whatever a template can make large is counted here, and ends in `OverBudget`, which the kinds report as GF210
with its place. What the data is large in is not a fault: when a limit is met, the data of this render is counted once
and the allowance grows in proportion, so that work linear in the data passes and work quadratic in it does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from gfdocs.errors import Text

__all__ = ["METER", "Budget", "Meter", "OverBudget", "check_format", "counting", "metered"]

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Budget:
    """What one render may use.

    iterations: rounds of all loops together, calls and the items that filters go through among them.
    range: items of one `range()` or of one list made by `*` or `+`. characters: the output of one part.
    text: characters of one text that an operator, a method or a filter makes. digits: of one whole number.
    per_item, characters_per_item: how much each item in the data adds where the data is large.
    """

    iterations: int = 1_000_000
    range: int = 100_000
    characters: int = 64 * MIB
    text: int = MIB
    digits: int = 4_000
    per_item: int = 20
    characters_per_item: int = 16 * 1024


class OverBudget(Exception):
    """A template asks for more than its budget. Never leaves the engine: it becomes issue GF210."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


_CONTAINERS = frozenset((dict, list, tuple))
_STEP = 1000


def _count_items(values: Any) -> Iterator[int]:
    """Yield how many values there are in these, at all depths, some thousand at a time: only as far as one asks."""
    count, rest, seen = 0, [values], set()
    while rest:
        value = rest.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        inner = value.values() if isinstance(value, Mapping) else value
        count += len(value)
        rest.extend(item for item in inner if item.__class__ in _CONTAINERS)
        if count > _STEP:
            yield count
            count = 0
    yield count


class Meter:
    """The count of one render. Not shared: each render makes its own."""

    __slots__ = ("_items", "budget", "characters", "iterations")

    def __init__(self, budget: Budget, values: Any = None) -> None:
        self.budget = budget
        self.iterations = budget.iterations
        self.characters = budget.characters
        self._items = _count_items(values) if isinstance(values, Mapping | list | tuple) else iter(())

    def spend(self, count: int) -> None:
        """Take `count` rounds; OverBudget where none are left."""
        self.iterations -= count
        if self.iterations < 0 and not self._grow():
            limit = self.budget.iterations
            raise OverBudget(f"the template makes more than {limit:,} rounds", f"模板循环超过 {limit:,} 次")

    def write(self, count: int) -> None:
        """Take `count` characters of output; OverBudget where none are left."""
        self.characters -= count
        if self.characters < 0 and not self._grow():
            limit = self.budget.characters
            raise OverBudget(f"the template writes more than {limit:,} characters", f"模板输出超过 {limit:,} 个字符")

    def _grow(self) -> bool:
        """Allow for as much of the data as it takes; True where it is enough."""
        while self.iterations < 0 or self.characters < 0:
            items = next(self._items, None)
            if items is None:
                return False
            self.iterations += items * self.budget.per_item
            self.characters += items * self.budget.characters_per_item
        return True


METER: ContextVar[Meter | None] = ContextVar("gfdocs_meter", default=None)


@contextmanager
def counting(meter: Meter) -> Iterator[Meter]:
    """Count all that is rendered inside the `with` on this meter."""
    token = METER.set(meter)
    try:
        yield meter
    finally:
        METER.reset(token)


@contextmanager
def metered(budget: Budget, values: Any = None) -> Iterator[Meter]:
    """Count all that is rendered inside the `with`, against one budget. `values` is the data it may grow with."""
    with counting(Meter(budget, values)) as meter:
        yield meter


def spend(count: int) -> None:
    """Take `count` rounds from the meter of this render; nothing where nobody counts."""
    meter = METER.get()
    if meter is not None:
        meter.spend(count)


def check_text(size: int, budget: Budget) -> None:
    """OverBudget where a text of this many characters is too long; else its making is counted."""
    if size > budget.text:
        raise OverBudget(f"a text of {size:,} characters", f"单个文本长达 {size:,} 个字符")
    if size > 4096:
        spend(size >> 8)


def check_list(size: int, budget: Budget) -> None:
    """OverBudget where a list of this many items is too long; else its making is counted."""
    if size > budget.range:
        raise OverBudget(f"a list of {size:,} items", f"单个列表多达 {size:,} 项")
    spend(size)


_WIDTH = re.compile(r"\d{5,}|\*")


def check_format(spec: str) -> None:
    """OverBudget where a format asks for a width or precision of five digits or more."""
    found = _WIDTH.search(spec)
    if found:
        raise OverBudget(f"a format as wide as {found.group()}", f"格式宽度 {found.group()} 过大")


def _check_numbers(operator: str, left: Any, right: Any, budget: Budget) -> None:
    bits = 4 * budget.digits
    size = abs(left).bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()
    if size > bits:
        raise OverBudget(f"a number of about {size * 3 // 10:,} digits", f"数字约有 {size * 3 // 10:,} 位")


def check_operation(operator: str, left: Any, right: Any, budget: Budget) -> None:
    """OverBudget where `left operator right` (one of `+ * ** %`) would make something too large."""
    if isinstance(left, int) and isinstance(right, int):
        if operator in ("*", "**"):
            _check_numbers(operator, left, right, budget)
        return
    if operator == "%":
        if isinstance(left, str | bytes):
            check_format(left if isinstance(left, str) else left.decode("latin-1"))
        return
    if operator == "*":
        sequence, times = (right, left) if isinstance(left, int) else (left, right)
        if isinstance(times, int) and isinstance(sequence, str | bytes | list | tuple):
            _check_size(sequence, len(sequence) * max(times, 0), budget)
    elif operator == "+" and isinstance(left, str | bytes | list | tuple) and isinstance(right, type(left)):
        _check_size(left, len(left) + len(right), budget)


def _check_size(sequence: Any, size: int, budget: Budget) -> None:
    if isinstance(sequence, str | bytes):
        check_text(size, budget)
    else:
        check_list(size, budget)


_PADDING = {"ljust", "rjust", "center", "zfill", "expandtabs", "to_bytes"}


def check_method(name: str, owner: Any, args: tuple[Any, ...], budget: Budget) -> None:
    """OverBudget where a method of a text or number would make something too large."""
    if name in _PADDING:
        width = next((arg for arg in args if isinstance(arg, int)), 0)
        repeat = max(1, owner.count("\t")) if name == "expandtabs" else 1
        check_text(width * repeat, budget)
    elif name == "replace" and len(args) >= 2 and isinstance(args[0], str) and isinstance(args[1], str):
        check_text(len(owner) + owner.count(args[0]) * len(args[1]), budget)
    elif name == "join" and args and isinstance(args[0], list | tuple):
        check_text(sum(len(item) for item in args[0] if isinstance(item, str)) + len(owner) * len(args[0]), budget)
    elif name in ("translate", "splitlines", "split", "upper", "lower") and isinstance(owner, str):
        spend(len(owner) >> 8)
