"""A part of XML that is parsed once and written many times as text.

What can change is marked in the parsed tree: an element by a slot, its attributes and texts by holes. lxml serialises
the marked tree a single time, and what it gives is cut at the marks. From then on a part is written by putting values
between texts that stand ready: no tree is built, and all that is not marked comes out as it always would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gfdocs.engine.xlsx.template.sheet import escape_text

Values = Sequence[str]
"""What the holes of one copy of an element are filled with, escaped, in the order of their numbers."""


class Slot(Protocol):
    """A marked element."""

    pieces: tuple[Piece, ...]
    """What stands in it: a text, the number of the value that fills a hole, or a slot inside."""

    def write(self, given: Any, out: list[str]) -> int:
        """Append what the element becomes; return how many elements that is (0: it is gone, its tail with it)."""


Piece = str | int | Slot


def escape_content(text: str) -> str:
    """Escape for element content as lxml does."""
    text = escape_text(text)
    return text.replace("\r", "&#13;") if "\r" in text else text


def write_pieces(pieces: Iterable[Piece], values: Values, given: Any, out: list[str]) -> None:
    """Append pieces with their holes filled. An element left without content is closed in its opening tag."""
    is_gone = False
    for piece in pieces:
        if isinstance(piece, str):
            if is_gone and piece.startswith("</") and _opens(out[-1]):
                out[-1] = f"{out[-1][:-1]}/>"
                piece = piece[piece.index(">") + 1 :]
            out.append(piece)
        elif isinstance(piece, int):
            out.append(values[piece])
        else:
            is_gone = not piece.write(given, out)
            continue
        is_gone = False


def _opens(text: str) -> bool:
    """True where a text ends with the end of an opening tag."""
    return text.endswith(">") and not text.endswith("/>") and not text.startswith("/", text.rfind("<") + 1)


@dataclass(slots=True)
class Copies:
    """An element that is written once for each sequence of values that `give` returns."""

    give: Callable[[Any], Iterable[Values]]
    pieces: tuple[Piece, ...] = ()

    def write(self, given: Any, out: list[str]) -> int:
        count = 0
        for values in self.give(given):
            write_pieces(self.pieces, values, given, out)
            count += 1
        return count


@dataclass(slots=True)
class Choice:
    """An element whose children are chosen anew: `choose` returns its own values, and of each child its number in the
    template with its values. Without a child it is gone.
    """

    choose: Callable[[Any], tuple[Values, Sequence[tuple[int, Values]]]]
    pieces: tuple[Piece, ...] = ()

    def write(self, given: Any, out: list[str]) -> int:
        values, chosen = self.choose(given)
        if not chosen:
            return 0
        children = [piece for piece in self.pieces if not isinstance(piece, str | int)]
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, int):
                out.append(values[piece])
            elif piece is children[0]:
                for index, child_values in chosen:
                    write_pieces(children[index].pieces, child_values, given, out)
        return 1


@dataclass(slots=True)
class Holder:
    """An element that may not be empty: gone where no child is left. Its one hole is for the number of those left.

    `children` counts them in the template. `is_strict`: gone where any holder in it is gone (`ext`).
    """

    children: int
    is_strict: bool = False
    pieces: tuple[Piece, ...] = ()

    def write(self, given: Any, out: list[str]) -> int:
        start, count_at, left, is_broken = len(out), -1, self.children, False
        for piece in self.pieces:
            if isinstance(piece, str):
                out.append(piece)
            elif isinstance(piece, int):
                count_at = len(out)
                out.append("")
            else:
                written = piece.write(given, out)
                left += written - 1
                is_broken = is_broken or (not written and isinstance(piece, Holder))
        if not left or (self.is_strict and is_broken):
            del out[start:]
            return 0
        if count_at >= 0:
            out[count_at] = str(left)
        return 1


@dataclass
class Marker:
    """Marks a tree and cuts it. The marks are names that nothing in the tree has."""

    root: Any
    slots: list[Any] = field(default_factory=list)
    _name: str = ""

    def __post_init__(self) -> None:
        from lxml import etree

        text, number = etree.tostring(self.root, encoding="unicode"), 0
        while (name := f"gfdocs{number}") in text:
            number += 1
        self._name = name

    def hole(self, value: int) -> str:
        """Return what to set as an attribute or a text, to be filled with this value of the slot around it."""
        return f"{self._name}v{value};"

    def slot(self, element: Any, slot: Slot) -> None:
        """Let a slot write an element, with the text behind it."""
        from lxml import etree

        opening, closing = (etree.ProcessingInstruction(f"{self._name}{mark}{len(self.slots)}") for mark in "oc")
        self.slots.append(slot)
        element.addprevious(opening)
        following = element.getnext()
        if following is None:
            element.getparent().append(closing)
        else:
            following.addprevious(closing)

    def to_text(self) -> str:
        """Return the marked tree as lxml writes it."""
        from lxml import etree

        data = etree.tostring(self.root, encoding="UTF-8", xml_declaration=True, standalone=True)
        return str(data, "utf-8")

    def cut(self, text: str) -> tuple[Piece, ...]:
        """Return the pieces of a marked text, the slots in it complete."""
        marks = re.compile(rf"<\?{self._name}([oc])(\d+) ?\?>|{self._name}v(\d+);")
        stack: list[list[Piece]] = [[]]
        position = 0
        for match in marks.finditer(text):
            if match.start() > position:
                stack[-1].append(text[position : match.start()])
            position = match.end()
            if match[3]:
                stack[-1].append(int(match[3]))
            elif match[1] == "o":
                stack.append([])
            else:
                slot = self.slots[int(match[2])]
                slot.pieces = tuple(stack.pop())
                stack[-1].append(slot)
        if position < len(text):
            stack[-1].append(text[position:])
        return tuple(stack[0])
