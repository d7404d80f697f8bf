"""The forms of a template: what can be read from each of its sheets, made from the compiled template.

It is the template read the other way round: a cell `{{ c.name }}` in a row loop says that its column holds `name` of
each item. Only plain paths can be read back; cells that compute or format are for the eye alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jinja2 import nodes

from gfdocs.engine.language import path_of
from gfdocs.engine.xlsx.around.mapping import read_rectangle
from gfdocs.engine.xlsx.back.form import Field, Label, Line, Listing, Pattern, SheetForm, Steps
from gfdocs.engine.xlsx.geometry import MAX_ROW
from gfdocs.engine.xlsx.template.compiled import Compiled, Row, Sheet, StaticCell, ValueCell
from gfdocs.engine.xlsx.template.layout import Assign, Block, Node, Stretch
from gfdocs.engine.xlsx.template.programs import LoopProgram
from gfdocs.engine.xlsx.template.tags import without_runs
from gfdocs.engine.xlsx.template.workbook import children, local_name

Roots = dict[str, Steps | None]
"""What local names mean: `c` → () is the item itself, None a value that the data do not hold under a path."""


def make_pattern(program: Any, roots: Roots) -> Pattern | None:
    """Return how a cell's text is read; None where it has statements."""
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


def _steps_of(node: nodes.Node, roots: Roots) -> Steps | None:
    path = path_of(node)
    if path is None or "[" in path:
        return None
    head, *rest = path.split(".")
    if head in roots:
        root = roots[head]
        return (*root, *rest) if rest and root is not None else None
    # Inside a list only its item is read: what else stands there is repeated in each row.
    return (head, *rest) if head != "loop" and () not in roots.values() else None


class _FormMaker:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.numeric = _numeric_ranges(sheet)
        self.steps, self.target = _find_sheet_loop(sheet)
        self.roots: Roots = dict.fromkeys(_find_local_names(sheet))
        if self.target:
            self.roots[self.target] = (self.target,)

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
        return SheetForm(self.sheet.entry.name, labels, fields, lists, self.steps, self.target)

    def walk(self, layout: list[Node], labels: list[Label], fields: list[Field], lists: list[Listing]) -> None:
        for node in layout:
            if isinstance(node, Stretch):
                for line in self.lines(node, self.roots):
                    labels += line.labels
                    fields += line.fields
            elif isinstance(node, Block):
                listing = self.listing(node, self.roots)
                if listing is not None:
                    lists.append(listing)
                elif node.kind == "if":
                    for branch in node.branches:
                        self.walk(branch.nodes, labels, fields, lists)

    def lines(self, node: Stretch, roots: Roots) -> Iterator[Line]:
        for number in self.sheet.numbers:
            if node.first <= number <= node.last:
                yield self.line(self.sheet.rows[number], roots)

    def line(self, row: Row, roots: Roots) -> Line:
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

    def listing(self, block: Block, roots: Roots, *, is_inner: bool = False) -> Listing | None:
        """Return what a row loop holds; None where it cannot be read. A list inside another one whose path cannot be told
        has no steps.
        """
        program = self.sheet.loops.get(id(block.branches[0]))
        if block.kind != "for" or program is None or "," in program.target:
            return None
        steps = () if program.is_filtered or program.path is None else _steps_of_path(program.path, roots)
        if not steps and not is_inner:
            return None
        parts = self.parts(block.branches[0].nodes, {program.target: ()})
        if parts is None:
            return None
        # Fields of the list are those of its item: what stands in its rows from elsewhere is no field.
        for part in parts:
            if isinstance(part, Line):
                part.fields = [item for item in part.fields if _is_of_item(item, program.target, self.sheet)]
        hollow = [line for branch in block.branches[1:] for line in self.lines_of(branch.nodes, roots)]
        return Listing(steps, program.target, block.first, block.last, parts, hollow=hollow)

    def parts(self, layout: list[Node], roots: Roots) -> list[Line | Listing] | None:
        """Return the lines and lists of a turn; None where rows could not be told apart."""
        found: list[Line | Listing] = []
        for node in layout:
            if isinstance(node, Stretch):
                found += self.lines(node, roots)
                continue
            more: list[Line | Listing] | None = None
            if isinstance(node, Block) and node.kind == "for":
                listing = self.listing(node, roots, is_inner=True)
                more = [listing] if listing is not None else None
            elif isinstance(node, Block):
                more = self.chosen(node, roots)
            if more is None:
                return None
            found += more
        return found

    def chosen(self, block: Block, roots: Roots) -> list[Line | Listing] | None:
        """Return the lines and lists under a condition; None where nothing but data tells that a line is there."""
        found: list[Line | Listing] = []
        for branch in block.branches:
            parts = self.parts(branch.nodes, roots)
            if parts is None or any(isinstance(part, Line) and part.fields and not part.has_words for part in parts):
                return None
            found += parts
        for part in found:
            if isinstance(part, Line):
                part.is_optional = True
        return found

    def lines_of(self, layout: list[Node], roots: Roots) -> Iterator[Line]:
        for node in layout:
            if isinstance(node, Stretch):
                yield from self.lines(node, roots)

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
                line = self.line(self.sheet.rows[number], self.roots)
                if line.labels or any(item.pattern.has_words for item in line.fields):
                    yield line


def _steps_of_path(path: str, roots: Roots) -> Steps:
    """Return the steps of the list that a loop runs over; none where the data, or the item around it, do not hold it."""
    head, *rest = path.split(".")
    if head in roots:
        root = roots[head]
        return (*root, *rest) if root is not None and rest else ()
    return () if () in roots.values() else (head, *rest)


def _find_sheet_loop(sheet: Sheet) -> tuple[Steps, str]:
    """Return (steps, target) of the list whose items the sheets are; both empty where there is none to be read."""
    loops = [sheet.sheet_programs.get(id(tag)) for tag in sheet.sheet_tags]
    loops = [loop for loop in loops if isinstance(loop, LoopProgram)]
    if len(loops) != 1 or not isinstance(loops[0], LoopProgram) or loops[0].steps is None or "," in loops[0].target:
        return (), ""
    return loops[0].steps, loops[0].target


def _find_local_names(sheet: Sheet) -> Iterator[str]:
    """Yield the names that tags of a sheet bind outside its row loops: what they hold is no value of the data's own."""
    for tag in sheet.sheet_tags:
        program = sheet.sheet_programs.get(id(tag))
        if isinstance(program, LoopProgram):
            yield from program.names
    for node in _iter_nodes(sheet.column_nodes):
        program = sheet.loops.get(id(node.branches[0])) if isinstance(node, Block) else None
        yield from program.names if program is not None else ()
    for node in _iter_nodes([*sheet.column_nodes, *sheet.row_nodes]):
        if isinstance(node, Assign):
            yield from re.findall(r"\w+", node.source.partition("=")[0])


def _iter_nodes(layout: list[Node]) -> Iterator[Node]:
    for node in layout:
        yield node
        for branch in node.branches if isinstance(node, Block) else ():
            yield from _iter_nodes(branch.nodes)


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
