"""A .docx as the checker sees it: paragraphs with their effective look, tables, sections, footers; nothing of rules.

Sizes, spacings and line pitches are in points, indents in 字 (the width of one character of the paragraph), lengths on
the page in millimetres.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Look:
    """How a run looks after styles: `east` is the face of its Chinese characters, `latin` that of the others."""

    east: str = ""
    latin: str = ""
    size: float = 10.0
    color: str = ""
    bold: bool = False
    spacing: float = 0.0
    hint: str = ""
    themed: bool = False
    language: str = ""
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    text: str
    look: Look


@dataclass(frozen=True, slots=True)
class Border:
    """One border line: `thickness` in millimetres, `color` as RRGGBB or `auto`."""

    kind: str
    thickness: float
    color: str


@dataclass(frozen=True, slots=True)
class Line:
    """行距: `rule` is auto (a multiple of single), exact or atLeast (points)."""

    rule: str = "auto"
    value: float = 1.0


@dataclass(frozen=True, slots=True)
class Paragraph:
    """`number` counts all paragraphs of the body from 1; `text` begins with the automatic number where there is one.

    `is_turned`: in a header or footer, it stands in a text box or cell whose lines run downwards.
    """

    number: int
    runs: tuple[Run, ...]
    place: tuple[str, ...]
    label: str = ""
    style: str = ""
    align: str = "left"
    first: float = 0.0
    left: float = 0.0
    right: float = 0.0
    line: Line = field(default_factory=Line)
    before: float = 0.0
    after: float = 0.0
    new_page: bool = False
    ends_page: bool = False
    borders: dict[str, Border] = field(default_factory=dict)
    drawings: int = 0
    section: int = 0
    on_grid: bool = True
    mark: Look = field(default_factory=Look)
    table: int = 0
    is_page_number: bool = False
    is_turned: bool = False

    @property
    def text(self) -> str:
        return self.label + "".join(run.text for run in self.runs)

    @property
    def words(self) -> str:
        """The text without white space at its ends."""
        return self.text.strip(" \t\n\u3000\xa0")

    @property
    def is_blank(self) -> bool:
        return not self.words and not self.drawings

    @property
    def look(self) -> Look:
        """The look of most of its characters."""
        weights: dict[Look, int] = {}
        for run in self.runs:
            weights[run.look] = weights.get(run.look, 0) + len(run.text.strip())
        return max(weights, key=lambda look: weights[look]) if any(weights.values()) else self.mark

    @property
    def opening(self) -> Look:
        """The look of its first character."""
        return next((run.look for run in self.runs if run.text.strip()), self.mark)


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` holds the paragraphs of each cell; `width` in millimetres, None where it is automatic."""

    number: int
    place: tuple[str, ...]
    rows: tuple[tuple[tuple[Paragraph, ...], ...], ...]
    width: float | None = None
    repeats_header: bool = False
    floating: bool = False
    borders: tuple[Border, ...] = ()
    section: int = 0

    @property
    def paragraphs(self) -> Iterator[Paragraph]:
        for row in self.rows:
            for cell in row:
                yield from cell


Block = Paragraph | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A section's page, lengths in millimetres; `footers` and `headers` hold the paragraphs by type: default, even, first."""

    number: int
    width: float = 210.0
    height: float = 297.0
    top: float = 25.4
    bottom: float = 25.4
    left: float = 25.4
    right: float = 25.4
    footer_distance: float = 12.7
    grid: str = ""
    line_pitch: float = 0.0
    character_space: float = 0.0
    title_page: bool = False
    footers: dict[str, tuple[Paragraph, ...]] = field(default_factory=dict)
    headers: dict[str, tuple[Paragraph, ...]] = field(default_factory=dict)

    @property
    def is_landscape(self) -> bool:
        return self.width > self.height

    @property
    def text_width(self) -> float:
        return self.width - self.left - self.right

    @property
    def text_height(self) -> float:
        return self.height - self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole document. `oddities` names things that are not text: wordart, revisions, comments, textbox."""

    name: str
    blocks: tuple[Block, ...]
    sections: tuple[Section, ...]
    even_and_odd: bool = False
    oddities: frozenset[str] = frozenset()
    loose_texts: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[Paragraph, ...]:
        """Paragraphs outside tables, in order."""
        return tuple(block for block in self.blocks if isinstance(block, Paragraph))

    @property
    def all_paragraphs(self) -> Iterator[Paragraph]:
        """All paragraphs of the body, those of tables too."""
        for block in self.blocks:
            if isinstance(block, Table):
                yield from block.paragraphs
            else:
                yield block

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Table))
