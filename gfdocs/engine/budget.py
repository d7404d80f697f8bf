"""How much a template may do: a `Budget` says it, a `Meter` counts it during one render.

The Jinja sandbox keeps a template from reaching Python; it does not keep `'a' * 10**9` or nested loops from taking the
machine. Whatever a template can make large is counted here, and ends in `OverBudget`, which the kinds report as GF210
with its place. What the data is large in is not a fault: when a limit is met, the data of this render is counted once
and the allowance grows in proportion, so that work linear in the data passes and work quadratic in it does not.

What each operator, method, filter and test may cost is in `bounds`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from gfdocs.errors import Text

__all__ = [
    "CONTAINERS", "METER", "Budget", "Meter", "OverBudget", "check_list", "check_text", "counting", "get_meter",
    "metered", "spend",
]  # fmt: skip

MIB = 1 << 20

_VIEWS: tuple[type[Any], ...] = (type({}.keys()), type({}.values()), type({}.items()))
CONTAINERS: Final[tuple[type[Any], ...]] = (dict, list, tuple, set, frozenset, *_VIEWS)
"""What may hold other values, and is printed, compared and hashed by going through them."""

_MAX_DEPTH = 100
# Lists of fewer values than this are counted anew each time: remembering them would take more than counting.
_SMALL = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """What one render may use.

    iterations: steps of all loops together: a round is one, or more where its body is long; calls and the items that
    filters go through count as well. A step is about half a microsecond. range: items of one `range()`, and values at
    all depths of one list the template makes. characters: the output of one part. text: characters of one text that
    an operator, a method or a filter makes. digits: of one whole number. memory: bytes of all texts made on the way.
    per_item, characters_per_item: how much each item in the data adds where the data is large.
    """

    iterations: int = 1_000_000
    range: int = 100_000
    characters: int = 16 * MIB
    text: int = MIB
    digits: int = 4_000
    per_item: int = 20
    characters_per_item: int = 16 * 1024
    memory: int = 32 * MIB


class OverBudget(Exception):
    """A template asks for more than its budget. Never leaves the engine: it becomes issue GF210."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


_STEP = 1000


def _count_items(values: Any, limit: int = 20_000_000) -> Iterator[int]:
    """Yield how many values there are in these, at all depths, some thousand at a time: only as far as one asks.

    1,024 characters of text count as one more.
    """
    total, count, rest, seen = 0, 0, [values], set()
    while rest and total < limit:
        value = rest.pop()
        if value.__class__ is str:
            count += len(value) >> 10
            continue
        inner = _values_in(value)
        if id(value) in seen or not inner:
            continue
        seen.add(id(value))
        count += len(inner)
        rest.extend(
            [item for item in inner if item.__class__ not in _FLAT and (item.__class__ is not str or len(item) > 1023)]
        )
        if count > _STEP:
            yield count
            total, count = total + count, 0
    yield count


_FLAT = frozenset((int, float, bool, type(None)))


def _values_in(value: Any) -> Any:
    """Return the values that one value holds; nothing for a plain one."""
    if isinstance(value, Mapping):
        return value.values()
    if isinstance(value, list | tuple | set | frozenset):
        return value
    return () if isinstance(value, str | bytes) else getattr(value, "__dict__", {}).values()


class Meter:
    """The count of one render. Not shared: each render makes its own.

    has_made: whether the template has put values into a list of its own making, so that lists must be weighed.
    """

    __slots__ = ("_ahead", "_counted", "_counter", "_weights", "budget", "characters", "has_made", "iterations",
                 "memory")  # fmt: skip

    def __init__(self, budget: Budget, values: Any = None) -> None:
        self.budget = budget
        self.iterations = budget.iterations
        self.characters = budget.characters
        self.memory = budget.memory
        self.has_made = False
        self._ahead = 0
        self._counter = _count_items(values)
        self._counted = 0
        self._weights: dict[int, tuple[int, int, Any]] = {}

    @property
    def items(self) -> int:
        """How many values the data of this render has."""
        while not self._counter_is_done():
            pass
        return self._counted

    def spend(self, count: int) -> None:
        """Take `count` steps; OverBudget where none are left."""
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

    def write_ahead(self, count: int) -> None:
        """Take characters of a long text before it is printed; `settle` counts the output of which it is a part."""
        self._ahead += count
        self.write(count)

    def settle(self, count: int) -> None:
        """Take `count` characters of finished output, less those taken ahead."""
        self.write(count - self._ahead)
        self._ahead = 0

    def keep(self, count: int) -> None:
        """Take `count` bytes of texts made on the way; OverBudget where none are left."""
        self.memory -= count
        if self.memory < 0 and not self._grow():
            limit = self.budget.memory
            raise OverBudget(
                f"the template makes texts of more than {limit:,} bytes", f"模板生成的文本超过 {limit:,} 字节"
            )

    def _grow(self) -> bool:
        """Allow for as much of the data as it takes; True where it is enough."""
        while self.iterations < 0 or self.characters < 0 or self.memory < 0:
            if self._counter_is_done():
                return False
        return True

    def _counter_is_done(self) -> bool:
        """Count some more of the data and allow for it; True where there is no more."""
        items = next(self._counter, None)
        if items is None:
            return True
        self._counted += items
        self._allow(items)
        return False

    def _allow(self, items: int) -> None:
        self.iterations += items * self.budget.per_item
        self.characters += items * self.budget.characters_per_item
        self.memory += items * self.budget.characters_per_item // 2

    # Weights ---------------------------------------------------------------------------------------------------------

    def weigh(self, value: Any) -> int:
        """Return how many values this is at all depths, each as often as it is met; 64 characters count as one more.

        That is what printing, comparing, hashing or sorting it costs: a list that holds the same list twice, which
        holds the same list twice … is small in memory and takes for ever. OverBudget where it is too much.
        """
        return self._weigh(value, 0)[0]

    def _weigh(self, value: Any, depth: int) -> tuple[int, int]:
        if isinstance(value, str | bytes):
            return 1 + (len(value) >> 6), 0
        if not isinstance(value, CONTAINERS):
            return 1 + len(getattr(value, "__dict__", ())), 0
        known = self._weights.get(id(value))
        if known is not None:
            return known[:2]
        if depth > _MAX_DEPTH:
            raise _too_deep()
        # Until it is counted it counts as one: a list in the data may hold itself.
        self._weights[id(value)] = (1, 0, value)
        total, deepest = self._weigh_items(value, depth)
        if deepest >= _MAX_DEPTH:
            raise _too_deep()
        if total > _SMALL:
            self._weights[id(value)] = (total, deepest + 1, value)
        else:
            del self._weights[id(value)]
        return total, deepest + 1

    def _weigh_items(self, value: Any, depth: int) -> tuple[int, int]:
        total, deepest = 1 + len(value), 0
        for inner in (value, value.values()) if isinstance(value, dict) else (value,):
            for item in inner:
                if item.__class__ is int or item is None:
                    continue
                weight, below = self._weigh(item, depth + 1)
                total += weight
                if below > deepest:
                    deepest = below
                if total > self.budget.range:
                    self.check_list(total)
        return total, deepest

    def check_list(self, size: int) -> None:
        """OverBudget where a list of this many values is too long."""
        if size > self.budget.range and size > self.budget.range + self.items * self.budget.per_item:
            raise OverBudget(f"a list of {size:,} items", f"单个列表多达 {size:,} 项")

    def check_text(self, size: int) -> None:
        """OverBudget where a text of this many characters is too long."""
        if size > self.budget.text and size > self.budget.text + (self.items << 10):
            raise OverBudget(f"a text of {size:,} characters", f"单个文本长达 {size:,} 个字符")


def _too_deep() -> OverBudget:
    return OverBudget(f"lists nested deeper than {_MAX_DEPTH}", f"列表嵌套超过 {_MAX_DEPTH} 层")


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


def get_meter(budget: Budget) -> Meter:
    """Return the meter of this render, or a fresh one where nobody counts (a constant folded at compile time)."""
    return METER.get() or Meter(budget)


def spend(count: int) -> None:
    """Take `count` steps from the meter of this render; nothing where nobody counts."""
    meter = METER.get()
    if meter is not None:
        meter.spend(count)


def check_text(size: int, budget: Budget) -> None:
    """OverBudget where a text of this many characters is too long."""
    if size > budget.text:
        get_meter(budget).check_text(size)


def check_list(size: int, budget: Budget) -> None:
    """OverBudget where a list of this many items is too long."""
    if size > budget.range:
        get_meter(budget).check_list(size)
