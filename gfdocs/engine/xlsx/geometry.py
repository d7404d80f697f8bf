"""Where the lines of a template go when its lists are filled: one axis (rows or columns) of one sheet.

A template axis is a tree: stretches of lines that stand once, and blocks (`for`, `if`) that repeat or vanish. Filling
it places each line at zero, one or many output positions. `image` answers the one question everything else asks: at
which output positions do the template lines lo…hi stand, seen from here? All numbers count from 1; both ends are
included.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384

Run = tuple[int, int]


@dataclass(slots=True)
class Placed:
    """A stretch of template lines that stands once: lines first…last begin at output position `start`."""

    first: int
    last: int
    start: int

    @property
    def stop(self) -> int:
        return self.start + self.last - self.first + 1

    def image(self, lo: int, hi: int) -> Iterator[Run]:
        lo, hi = max(lo, self.first), min(hi, self.last)
        if lo <= hi:
            yield lo - self.first + self.start, hi - self.first + self.start


@dataclass(slots=True)
class Uniform:
    """A loop whose every turn has the same lines: `count` turns of the template lines `numbers`, one under the other.

    `items` are the values of the turns, `scope` what surrounds them; both belong to the renderer.
    """

    first: int
    last: int
    numbers: tuple[int, ...]
    start: int
    count: int
    block: Any = None
    items: Any = ()
    scope: Any = None
    blank: bool = False
    is_plain: bool | None = None
    columns: dict[Any, Any] = field(default_factory=dict)

    @property
    def height(self) -> int:
        return len(self.numbers)

    @property
    def stop(self) -> int:
        return self.start + self.count * len(self.numbers)

    def image(self, lo: int, hi: int) -> Iterator[Run]:
        a, b = bisect_left(self.numbers, lo), bisect_right(self.numbers, hi)
        if a >= b or not self.count:
            return
        if b - a == len(self.numbers):
            yield self.start, self.stop - 1
            return
        for base in range(self.start, self.stop, len(self.numbers)):
            yield base + a, base + b - 1

    def turn(self, index: int) -> Turn:
        """Return the frame of one turn."""
        return Turn(self.first, self.last, self.numbers, self.start + index * len(self.numbers), self, index)


@dataclass(slots=True)
class Turn:
    """One turn of a `Uniform`, as a frame to look from."""

    first: int
    last: int
    numbers: tuple[int, ...]
    start: int
    run: Uniform
    index: int

    def image(self, lo: int, hi: int) -> Iterator[Run]:
        a, b = bisect_left(self.numbers, lo), bisect_right(self.numbers, hi)
        if a < b:
            yield self.start + a, self.start + b - 1

    def is_plain(self, lo: int, hi: int) -> bool:
        return True


@dataclass(slots=True)
class Repeat:
    """A block whose turns differ in height (nested lists, conditions): one `Body` a turn."""

    first: int
    last: int
    start: int
    bodies: list[Body]
    stop: int = 0
    block: Any = None

    def image(self, lo: int, hi: int) -> Iterator[Run]:
        for body in self.bodies:
            yield from body.image(lo, hi)


@dataclass(slots=True)
class Body:
    """One turn of a block, or the whole axis: its parts in order; `scope` belongs to the renderer."""

    first: int
    last: int
    start: int
    parts: list[Placed | Uniform | Repeat] = field(default_factory=list)
    stop: int = 0
    scope: Any = None
    is_loop: bool = False

    def image(self, lo: int, hi: int) -> Iterator[Run]:
        for part in self.parts:
            if part.first <= hi and lo <= part.last:
                yield from part.image(lo, hi)

    def runs(self, lo: int, hi: int) -> list[Run]:
        """Return the image with runs that touch joined."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Placed) and self.parts[0].start == 1:
            return [(lo, hi)]  # an axis on which nothing moves
        return merge_runs(self.image(lo, hi))

    def is_plain(self, lo: int, hi: int) -> bool:
        """True where the lines lo…hi stand once in this turn, in no block inside it."""
        return not any(part.first <= hi and lo <= part.last and not isinstance(part, Placed) for part in self.parts)


Frame = Body | Turn
Path = tuple[Frame, ...]


def measure(body: Body, limit: int) -> tuple[int, ...] | None:
    """Return numbers that tell an axis from every other one of the same template; None for more than about `limit`."""
    found: list[int] = []
    waiting = [body]
    for inner in waiting:
        for part in inner.parts:
            found += (part.first, part.start, part.stop)
            if isinstance(part, Repeat):
                found.append(len(part.bodies))
                waiting += part.bodies
        if len(found) > limit:
            return None
    return tuple(found)


def merge_runs(runs: Iterator[Run]) -> list[Run]:
    """Join runs that touch; the input is in ascending order."""
    merged: list[Run] = []
    for a, b in runs:
        if merged and merged[-1][1] + 1 == a:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    return merged


def whole_axis(length: int) -> Body:
    """Return an axis on which nothing moves."""
    return Body(1, length, 1, [Placed(1, length, 1)], length + 1)


class Ends(NamedTuple):
    """Where a pair of template lines went, seen from one place.

    `moving` tells for each end whether it lies in the turn one looks from (and so differs from turn to turn).
    """

    runs: list[Run]
    moving: tuple[bool, bool] = (False, False)


def find_frame(path: Path, lo: int, hi: int) -> int:
    """Return the index of the innermost frame of `path` that holds the template lines lo…hi."""
    for index in range(len(path) - 1, 0, -1):
        if path[index].first <= lo and hi <= path[index].last:
            return index
    return 0


def get_ends(path: Path, lo: int, hi: int, *, fixed: tuple[bool, bool] = (False, False), narrow: bool = False) -> Ends:
    """Return where the template lines lo…hi went, seen from `path` (the frames around the line that asks, outermost
    first).

    Lines of the same turn are seen in that turn alone; lines of a list are seen from outside as the whole list.
    `fixed` tells which end of a range was written with `$`, `narrow` that the range is one line wide the other way: a
    range whose ends are both fixed (`C$5:C$5`) then means the whole list even from inside it, and one with one fixed
    end (`C$5:C5`) grows from turn to turn.
    """
    whole = path[0]
    if len(path) == 1 and isinstance(whole, Body):
        return Ends(whole.runs(lo, hi))
    index = find_frame(path, lo, hi)
    frame = path[index]
    own = merge_runs(frame.image(lo, hi))
    inside = index == len(path) - 1 and index > 0 and frame.is_plain(lo, hi)
    moving = isinstance(frame, Turn)
    if not inside or not any(fixed) or (all(fixed) and not narrow):
        return Ends(own, (moving, moving))
    around = merge_runs(path[index - 1].image(lo, hi))
    if all(fixed):
        return Ends(around)
    if not own or not around:
        return Ends(own, (moving, moving))
    if fixed[0]:
        return Ends([(around[0][0], own[-1][1])], (False, moving))
    return Ends([(own[0][0], around[-1][1])], (moving, False))
