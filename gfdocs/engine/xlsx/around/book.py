"""The workbook part: which sheets there are, what the defined names mean, whether all is to be calculated anew.

Like the frame of a sheet it is read once for a template (see `stencil`).
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from gfdocs.engine.package import Member, deflate
from gfdocs.engine.xlsx.around.mapping import map_any
from gfdocs.engine.xlsx.around.stencil import (
    Choice,
    Copies,
    Holder,
    Marker,
    Piece,
    Values,
    escape_content,
    write_pieces,
)
from gfdocs.engine.xlsx.formulas.references import Ref, parse_formula, quote_sheet, refs_of
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault, get_prefix
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.memory import Recent, find_places
from gfdocs.engine.xlsx.template.compiled import Compiled
from gfdocs.engine.xlsx.template.programs import compile_cell
from gfdocs.engine.xlsx.template.sheet import escape_attribute
from gfdocs.engine.xlsx.template.tags import formula_has_tags
from gfdocs.engine.xlsx.template.workbook import RELATIONS, STRICT_RELATIONS, child, children, local_name, namespace_of
from gfdocs.errors import Issue, Place

if TYPE_CHECKING:
    from gfdocs.engine.xlsx.render import Rendering

_RELATION_KEYS = (f"{{{RELATIONS}}}id", f"{{{STRICT_RELATIONS}}}id")


@dataclass(frozen=True)
class Book:
    """The compiled workbook part. `text` is the template's own, `sees_data` tells of tags in defined names."""

    pieces: tuple[Piece, ...]
    text: str
    sees_data: bool
    written: Recent[Member] = field(default_factory=Recent)


@dataclass
class SheetList:
    """The sheets of an output workbook: of each its entry in the template, its name, its id, its relation."""

    entries: list[tuple[int, str, int, str]]
    new_index: dict[int, int]
    """Where each sheet of the template went; of one that is gone, the one before it."""
    is_changed: bool
    """Whether sheets were copied or left out."""


def write_book(book: Book, rendering: Rendering) -> None:
    """Write the workbook part where it changes."""
    context, sheets = rendering.context, rendering.sheets
    places = None if book.sees_data or sheets.is_changed else find_places(context.grids)
    key = (places, context.needs_calculation, tuple(grid.name for grid in context.grids))
    member = book.written.get(key) if places is not None else None
    if member is None:
        member = _make_member(book, rendering)
        if places is not None and not rendering.issues:
            book.written.set(key, member)
    rendering.parts.changed[member.name] = member


def _make_member(book: Book, rendering: Rendering) -> Member:
    """Return the workbook part anew; the template's own where nothing in it is different."""
    out: list[str] = []
    write_pieces(book.pieces, (), _BookWriter(rendering), out)
    text, part = "".join(out), rendering.compiled.workbook.part
    return rendering.parts.package.member(part) if text == book.text else deflate(part, text.encode())


class _BookWriter:
    """What the slots of a workbook part are given: one rendering."""

    def __init__(self, rendering: Rendering) -> None:
        self.rendering = rendering
        self.context = rendering.context
        self.compiled = rendering.compiled
        self.sheets = rendering.sheets

    def choose_sheets(self) -> tuple[Values, list[tuple[int, Values]]]:
        return (), [
            (index, (escape_attribute(name), str(sheet_id), escape_attribute(relation)))
            for index, name, sheet_id, relation in self.sheets.entries
        ]

    def find_tabs(self, tabs: tuple[str, ...]) -> Sequence[Values]:
        if not self.sheets.is_changed:
            return (tabs,)
        return ([str(self.sheets.new_index.get(int(tab), 0)) for tab in tabs],)

    # -- defined names ------------------------------------------------------------------------------------------------

    def find_name(self, name: str, text: str) -> Sequence[Values]:
        return ((self._name_text(name, text, None),),)

    def find_local_names(self, name: str, text: str, index: int) -> Sequence[Values]:
        """Return the names of each sheet that the sheet `index` became."""
        own = [grid for grid in self.context.grids if grid.sheet.entry.index == index]
        if own:
            return [(str(grid.index), self._name_text(name, text, grid)) for grid in own]
        if index < len(self.compiled.sheets) and self.compiled.sheets[index] is not None:
            return ()
        return ((str(self.sheets.new_index.get(index, index)), escape_content(text)),)

    def _name_text(self, name: str, text: str, grid: Grid | None) -> str:
        place = Place(self.compiled.name, path=(name,))
        if formula_has_tags(text):
            return escape_content(self._fill_name(text, place))
        refs = refs_of(parse_formula(text))
        if any(ref.is_relative for ref in refs) and not name.startswith("_xlnm."):
            return escape_content(self._rename_sheets(text, refs, grid))
        try:
            moved = map_any(self.context, text, grid)
        except FormulaFault as fault:
            self.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))
            return escape_content(text)
        return escape_content(self._to_copy(moved, grid) if grid is not None and grid.is_copy else moved)

    def _rename_sheets(self, text: str, refs: list[Ref], grid: Grid | None) -> str:
        """Return a name's text that is read from the cell that asks: where lines went does not change it, only what the
        sheets are called.
        """
        for ref in refs:
            sheets = self.context.find_sheets(ref.sheet) if ref.sheet is not None else []
            if sheets:
                text = text.replace(ref.prefix, get_prefix(ref, grid if grid in sheets else sheets[0]))
        return text

    def _to_copy(self, text: str, grid: Grid) -> str:
        """Return a name's text for the copy of a sheet: the sheet it names is the copy."""
        old = grid.sheet.entry.name.casefold()
        first = next(g for g in self.context.grids if g.sheet is grid.sheet)
        for ref in refs_of(parse_formula(text)):
            if ref.prefix and ref.sheet is not None and ref.sheet.casefold() in (old, first.name.casefold()):
                text = text.replace(ref.prefix, quote_sheet(grid.name))
        return text

    def _fill_name(self, text: str, place: Place) -> str:
        program = compile_cell(self.compiled.languages, text, place)
        try:
            value = str(program.get_value(self.rendering.scope, self.context.missing))
        except Exception as fault:
            self.context.report(program.describe(fault, self.rendering.scope))
            return text
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            return '"' + value[1:-1].replace('"', '""') + '"'
        return value


# -- what is marked ----------------------------------------------------------------------------------------------------


def compile_book(compiled: Compiled) -> Book:
    """Return the compiled workbook part of a template."""
    root = deepcopy(compiled.workbook.root)
    marker = _BookMarker(root)
    text = marker.to_text()
    marker.mark()
    sees_data = any(formula_has_tags(name.text) for name in compiled.workbook.names)
    return Book(marker.cut(marker.to_text()), text, sees_data)


class _BookMarker(Marker):
    """Marks what can change in a workbook part."""

    def mark(self) -> None:
        self.mark_calculation()
        self.mark_sheets(child(self.root, "sheets"))
        for view in [item for item in self.root.iter() if local_name(item) == "workbookView"]:
            self.mark_view(view)
        names = child(self.root, "definedNames")
        if names is not None:
            for name in children(names, "definedName"):
                self.mark_name(name)
            self.slot(names, Holder(sum(bool(local_name(item)) for item in names)))

    def mark_sheets(self, section: Any) -> None:
        for item in list(section):
            if local_name(item) != "sheet":
                section.remove(item)
                continue
            item.set("name", self.hole(0))
            item.set("sheetId", self.hole(1))
            for key in _RELATION_KEYS:
                if item.get(key):
                    item.set(key, self.hole(2))
            self.slot(item, Copies(lambda _: ()))
        self.slot(section, Choice(_BookWriter.choose_sheets))

    def mark_view(self, view: Any) -> None:
        tabs: list[str] = []
        for key in ("activeTab", "firstSheet"):
            if view.get(key):
                tabs.append(view.get(key))
                view.set(key, self.hole(len(tabs) - 1))
        if tabs:
            found = tuple(tabs)
            self.slot(view, Copies(lambda writer: writer.find_tabs(found)))

    def mark_name(self, element: Any) -> None:
        name, text, local = element.get("name") or "", element.text or "", element.get("localSheetId")
        if local is None or not local.isdecimal():
            element.text = self.hole(0)
            self.slot(element, Copies(lambda writer: writer.find_name(name, text)))
            return
        element.set("localSheetId", self.hole(0))
        element.text = self.hole(1)
        self.slot(element, Copies(lambda writer: writer.find_local_names(name, text, int(local))))

    def mark_calculation(self) -> None:
        """Mark `calcPr` twice: as it is, and with all to be calculated when the file is loaded."""
        from lxml import etree

        element = child(self.root, "calcPr")
        if element is None:
            element = etree.Element(f"{namespace_of(self.root)}calcPr")
            before = ("definedNames", "externalReferences", "functionGroups", "sheets")
            after = next(item for name in before for item in [child(self.root, name)] if item is not None)
            self.root.insert(self.root.index(after) + 1, element)
        else:
            usual = deepcopy(element)
            self.root.insert(self.root.index(element), usual)
            self.slot(usual, Copies(partial(_give_once, False)))
        element.set("fullCalcOnLoad", "1")
        self.slot(element, Copies(partial(_give_once, True)))


def _give_once(needed: bool, writer: _BookWriter) -> Sequence[Values]:
    return ((),) if writer.context.needs_calculation == needed else ()
