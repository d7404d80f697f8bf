"""What a template says about where data stands: the fixed texts to find one's way by, the fields, the lists.

It is the template read the other way round: a cell `{{ c.name }}` in a row loop says that its column holds `name` of
each item. Only plain paths can be read back; cells that compute or format are for the eye alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from gfdocs.engine.language import path_of
from gfdocs.engine.xlsx.around.mapping import read_rectangle
from gfdocs.engine.xlsx.geometry import MAX_ROW
from gfdocs.engine.xlsx.template.compiled import Compiled, Row, Sheet, StaticCell, ValueCell
from gfdocs.engine.xlsx.template.layout import Assign, Block, Node, Stretch
from gfdocs.engine.xlsx.template.tags import without_runs
from gfdocs.engine.xlsx.template.workbook import children, local_name

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


@dataclass
class Listing:
    """A row loop that can be read: where it begins, its lines and the lists inside it, in order."""

    steps: Steps
    target: str
    first: int
    last: int
    parts: list[Line | Listing]
    headings: dict[int, tuple[Label, ...]] = field(default_factory=dict)
    """For each column with fields: the fixed texts above it, nearest first."""
    footers: list[Line] = field(default_factory=list)

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
    """What can be read from one sheet."""

    name: str
    labels: list[Label]
    fields: list[Field]
    lists: list[Listing]

    @property
    def keys(self) -> set[str]:
        return {label.key for label in self.labels}


def make_pattern(program: Any, roots: dict[str, Steps]) -> Pattern | None:
    """Return how a cell's text is read; None where it has statements. `roots` says what local names mean: `c` → ()."""
    texts, steps = [""], []
    for node in program.tree.body:
        if not isinstance(node, nodes.Output):
            return None
        for piece in node.nodes:
            if isinstance(piece, nodes.TemplateData):
                texts[-1] += without_runs(piece.data)
            else:
                texts.append("")
                steps.append(_steps_of(piece, roots))
    if not steps:
        return None
    return Pattern(tuple(texts), tuple(steps))


def _steps_of(node: nodes.Node, roots: dict[str, Steps]) -> Steps | None:
    path = path_of(node)
    if path is None or "[" in path:
        return None
    head, *rest = path.split(".")
    if head in roots:
        return (*roots[head], *rest) if rest else None
    return (head, *rest) if head != "loop" and None not in roots.values() else None


class _FormMaker:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.numeric = _numeric_ranges(sheet)

    def make(self) -> SheetForm:
        labels: list[Label] = []
        fields: list[Field] = []
        lists: list[Listing] = []
        self.walk(self.sheet.row_nodes, labels, fields, lists)
        for index, listing in enumerate(lists):
            floor = lists[index - 1].last if index else 0
            listing.headings = self.find_headings(listing, floor)
            stop = lists[index + 1].first if index + 1 < len(lists) else MAX_ROW
            listing.footers = list(self.find_footers(listing.last, stop))
        return SheetForm(self.sheet.entry.name, labels, fields, lists)

    def walk(self, layout: list[Node], labels: list[Label], fields: list[Field], lists: list[Listing]) -> None:
        for node in layout:
            if isinstance(node, Stretch):
                for line in self.lines(node, {}):
                    labels += line.labels
                    fields += line.fields
            elif isinstance(node, Block):
                listing = self.listing(node, {})
                if listing is not None:
                    lists.append(listing)
                elif node.kind == "if":
                    for branch in node.branches:
                        self.walk(branch.nodes, labels, fields, lists)

    def lines(self, node: Stretch, roots: dict[str, Steps]) -> Iterator[Line]:
        for number in self.sheet.numbers:
            if node.first <= number <= node.last:
                yield self.line(self.sheet.rows[number], roots)

    def line(self, row: Row, roots: dict[str, Steps]) -> Line:
        fields: list[Field] = []
        labels: list[Label] = []
        others: set[int] = set()
        for cell in row.cells:
            if isinstance(cell, StaticCell):
                if isinstance(cell.value, str) and cell.value.strip():
                    labels.append(Label(row.number, cell.column, cell.value))
            elif isinstance(cell, ValueCell):
                pattern = make_pattern(cell.program, roots)
                if pattern is not None and any(steps is not None for steps in pattern.steps):
                    number = self.wants_number(row.number, cell)
                    fields.append(Field(row.number, cell.column, pattern, cell.program.is_value, number))
                else:
                    others.add(cell.column)
            else:
                others.add(cell.column)
        return Line(row.number, fields, labels, frozenset(others))

    def wants_number(self, row: int, cell: ValueCell) -> bool:
        return cell.program.is_value and any(
            box.row1 <= row <= box.row2 and box.column1 <= cell.column <= box.column2 for box in self.numeric
        )

    def listing(self, block: Block, roots: dict[str, Steps]) -> Listing | None:
        program = self.sheet.loops.get(id(block.branches[0]))
        if (
            block.kind != "for"
            or program is None
            or program.path is None
            or program.is_filtered
            or "," in program.target
        ):
            return None
        head, *rest = program.path.split(".")
        steps = (*roots.get(head, (head,)), *rest) if head in roots else (head, *rest)
        if head in roots and not rest:
            return None
        inner: dict[str, Steps] = {program.target: ()}
        parts: list[Line | Listing] = []
        for node in block.branches[0].nodes:
            if isinstance(node, Stretch):
                parts += self.lines(node, inner)
            elif isinstance(node, Block):
                listing = self.listing(node, inner)
                if listing is not None:
                    parts.append(listing)
            elif isinstance(node, Assign):
                return None
        # Fields of the list are those of its item: what stands in its rows from elsewhere is no field.
        for part in parts:
            if isinstance(part, Line):
                part.fields = [item for item in part.fields if _is_of_item(item, program.target, self.sheet)]
        return Listing(steps, program.target, block.first, block.last, parts)

    def find_headings(self, listing: Listing, floor: int) -> dict[int, tuple[Label, ...]]:
        found: dict[int, list[Label]] = {}
        columns = {item.column for item in listing.all_fields}
        first = min((line.row for line in listing.lines), default=listing.first)
        for number in reversed([n for n in self.sheet.numbers if floor < n < first and n >= first - 8]):
            row = self.sheet.rows[number]
            texts = {
                c.column: c.value
                for c in row.cells
                if isinstance(c, StaticCell) and isinstance(c.value, str) and c.value.strip()
            }
            if len(texts) < min(2, len(columns)) and found:
                break
            for column in columns:
                if column in texts:
                    found.setdefault(column, []).append(Label(number, column, str(texts[column])))
        return {column: tuple(labels) for column, labels in found.items()}

    def find_footers(self, last: int, stop: int) -> Iterator[Line]:
        for number in self.sheet.numbers:
            if last < number < stop:
                line = self.line(self.sheet.rows[number], {})
                if line.labels or any(item.pattern.has_words for item in line.fields):
                    yield line


def _is_of_item(item: Field, target: str, sheet: Sheet) -> bool:
    cell = sheet.rows[item.row].cell(item.column)
    return isinstance(cell, ValueCell) and re.search(rf"\b{re.escape(target)}\b", cell.program.source) is not None


def _numeric_ranges(sheet: Sheet) -> list[Any]:
    """Return the ranges whose validation asks for a number."""
    from lxml import etree

    if b"dataValidation" not in sheet.part.frame:
        return []
    root = etree.fromstring(sheet.part.frame, etree.XMLParser(resolve_entities=False, no_network=True))
    found = []
    for element in root.iter():
        if local_name(element) == "dataValidation" and element.get("type") in ("decimal", "whole"):
            sqref = element.get("sqref") or "".join(item.text or "" for item in children(element, "sqref"))
            found += [box for box in map(read_rectangle, sqref.split()) if box is not None]
    return found


def make_forms(compiled: Compiled) -> list[SheetForm]:
    """Return what can be read from each sheet that holds a field."""
    forms = [_FormMaker(sheet).make() for sheet in compiled.sheets if sheet is not None]
    return [form for form in forms if form.fields or form.lists]


__all__ = ["Field", "Label", "Line", "Listing", "Pattern", "SheetForm", "make_forms", "normalise"]
