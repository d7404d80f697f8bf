"""Whether what a template writes is well-formed whatever the data is: its elements are followed through its blocks.

A block that may be left out or repeated must leave the elements open that were open where it began; of an `if` with an
`else`, all branches must leave the same. Where that holds at every tag, and each element is closed by its own name,
every way through the template gives well-formed XML, as far as its values do. Where it does not hold, the filled-in
part is parsed before it is delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gfdocs.engine.docx.prepare import Spot

Event = tuple[Literal["open", "close"], str] | tuple[Literal["tag"], "Spot"]

_LOOPS = ("for",)
_CAPTURES = ("set", "macro", "call", "filter")
_THROUGH = ("with", "block", "autoescape", "trans")
_BEGIN = {"if", *_LOOPS, *_CAPTURES, *_THROUGH}
_WORD = re.compile(r"\{%[-+]?\s*([A-Za-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Crossing:
    """A block whose tags stand in different elements: leaving it out would cut an element in two.

    Where `end` is the same as `start`, the elements after that tag do not fit those before it.
    """

    start: Spot | None
    end: Spot | None


@dataclass(slots=True)
class _Block:
    word: str
    spot: Spot
    start: tuple[str, ...]
    ends: list[tuple[str, ...]] = field(default_factory=list)
    has_else: bool = False


def word_of(tag: str) -> str:
    """Return the keyword of a block tag, or an empty text; that of `{% set x = 1 %}` is none, as it holds nothing."""
    found = _WORD.match(tag)
    if found is None or (found[1] == "set" and "=" in tag.partition("|")[0]):
        return ""
    return found[1]


def find_crossings(events: Iterable[Event]) -> Iterator[Crossing]:
    """Yield every place where some way through the template may leave an element open or close another."""
    stack: list[str] = []
    blocks: list[_Block] = []
    last: Spot | None = None
    for event in events:
        if event[0] == "open":
            stack.append(event[1])
        elif event[0] == "close":
            if stack and stack[-1] == event[1]:
                stack.pop()
                continue
            yield Crossing(last, last)
            if event[1] in stack:
                del stack[len(stack) - 1 - stack[::-1].index(event[1]) :]
        else:
            last = event[1]
            yield from _follow(last, stack, blocks)
    if stack:
        yield Crossing(last, last)


def _follow(spot: Spot, stack: list[str], blocks: list[_Block]) -> Iterator[Crossing]:
    word, here = word_of(spot.text), tuple(stack)
    if word in _BEGIN:
        blocks.append(_Block(word, spot, here))
    elif word in ("break", "continue"):
        loop = next((block for block in reversed(blocks) if block.word in _LOOPS), None)
        if loop is not None and loop.start != here:
            yield Crossing(loop.spot, spot)
    elif word in ("else", "elif") and blocks and blocks[-1].word in ("if", *_LOOPS):
        block = blocks[-1]
        block.ends.append(here)
        block.has_else |= word == "else"
        stack[:] = block.start
    elif word[:3] == "end" and blocks and word[3:] == blocks[-1].word:
        block = blocks.pop()
        if block.word in _THROUGH:
            return
        if not (block.word == "if" and block.has_else):
            block.ends.append(block.start)
        if any(end != here for end in block.ends):
            yield Crossing(block.spot, spot)
