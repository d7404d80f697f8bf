"""What a template says about where data stands: the fixed texts to find one's way by, the fields, the lists.

It is the template read the other way round: a cell `{{ c.name }}` in a row loop says that its column holds `name` of
each item. Only plain paths can be read back; cells that compute or format are for the eye alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

Steps = tuple[str, ...]


def normalise(text: str) -> str:
    """Return a text as headings are compared: NFKC, without blanks and line breaks, lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


@dataclass(frozen=True)
class Pattern:
    """A cell's text with tags, turned round so that it reads: the fixed `texts` around its tags (one more than there are
    tags), and the path of each tag (None: not to be read back).
    """

    texts: tuple[str, ...]
    steps: tuple[Steps | None, ...]

    @property
    def has_words(self) -> bool:
        return any(text.strip() for text in self.texts)

    @property
    def words(self) -> str:
        """The fixed words as a person is told them: `填报日期：…年…月`."""
        return "…".join(self.texts)

    def read(self, text: str) -> list[tuple[Steps, str]] | None:
        """Return the values that a text of this form holds; None where it has not this form."""
        return self._read(_compile_texts(self.texts, False), text)

    def read_loosely(self, text: str) -> list[tuple[Steps, str]] | None:
        """Read a text whose colons, commas and brackets may be half-width where they were full-width, or the other
        way round.
        """
        return self._read(_compile_texts(self.texts, True), text)

    def _read(self, expression: re.Pattern[str], text: str) -> list[tuple[Steps, str]] | None:
        match = expression.fullmatch(text)
        if match is None:
            return None
        return [(steps, match[index + 1]) for index, steps in enumerate(self.steps) if steps is not None]


_WIDTHS = {char: f"[{re.escape(pair)}]" for pair in ("：:", "，,", "；;", "（(", "）)") for char in pair}


@lru_cache(maxsize=1024)
def _compile_texts(texts: tuple[str, ...], is_loose: bool) -> re.Pattern[str]:
    """Return the expression of a text with tags. A fixed text is taken where it first fits, for good (an atomic group),
    which finds the same values and takes no more time than the text is long.
    """

    def escape(text: str) -> str:
        return "".join(_WIDTHS.get(char) or re.escape(char) for char in text) if is_loose else re.escape(text)

    first, *between, last = map(escape, texts)
    return re.compile(first + "".join(f"(?>(.*?){text})" for text in between) + f"(.*?){last}", re.DOTALL)


@dataclass(frozen=True)
class Field:
    """One cell that holds data. `path` steps begin at the root, in a list at the item."""

    row: int
    column: int
    pattern: Pattern
    is_value: bool
    wants_number: bool


@dataclass(frozen=True)
class Label:
    """A fixed text of the template."""

    row: int
    column: int
    text: str

    @property
    def key(self) -> str:
        return normalise(self.text)


@dataclass
class Line:
    """One template row of a list's turn."""

    row: int
    fields: list[Field]
    labels: list[Label]
    others: frozenset[int]
    """Columns with formulas or computed cells: they are filled, but not with data."""
    is_optional: bool = False
    """Whether it stands under a condition, so that a turn may be without it."""

    @property
    def has_words(self) -> bool:
        """True where fixed words tell its row from others."""
        return bool(self.labels) or any(item.pattern.has_words for item in self.fields)


@dataclass
class Listing:
    """A row loop: where it begins, its lines and the lists inside it, in order.

    `steps` is the path of what it runs over; empty where that cannot be told (a filtered list inside another), so that
    its rows are passed over.
    """

    steps: Steps
    target: str
    first: int
    last: int
    parts: list[Line | Listing]
    headings: dict[int, tuple[Label, ...]] = field(default_factory=dict)
    """For each column with fields: the fixed texts above it, nearest first."""
    footers: list[Line] = field(default_factory=list)
    hollow: list[Line] = field(default_factory=list)
    """The lines that stand in its place where it is empty (`{%tr else %}`)."""

    @property
    def lines(self) -> list[Line]:
        return [part for part in self.parts if isinstance(part, Line)]

    @property
    def fields(self) -> list[Field]:
        """The fields of its own lines."""
        return [item for line in self.lines for item in line.fields]

    @property
    def all_fields(self) -> list[Field]:
        """Its fields and those of the lists inside it."""
        return [f for part in self.parts for f in (part.fields if isinstance(part, Line) else part.all_fields)]


@dataclass
class SheetForm:
    """What can be read from one sheet. `steps` and `target` are those of its `{%sheet for %}`: each sheet of the form
    is then one item.
    """

    name: str
    labels: list[Label]
    fields: list[Field]
    lists: list[Listing]
    steps: Steps = ()
    target: str = ""

    @property
    def keys(self) -> set[str]:
        return {label.key for label in self.labels}


__all__ = ["Field", "Label", "Line", "Listing", "Pattern", "SheetForm", "normalise"]
