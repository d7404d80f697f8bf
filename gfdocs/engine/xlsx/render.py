"""A compiled workbook filled with data: which parts change, and what they become.

What the data does not touch is copied as the compressed bytes it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gfdocs.engine.budget import metered
from gfdocs.engine.language import describe_fault, raise_issues
from gfdocs.engine.package import Relationship
from gfdocs.engine.xlsx.around.book import SheetList, write_book
from gfdocs.engine.xlsx.around.drawings import write_pictures
from gfdocs.engine.xlsx.around.frame import write_frame
from gfdocs.engine.xlsx.around.objects import render_objects, render_pivot_source
from gfdocs.engine.xlsx.around.parts import Parts
from gfdocs.engine.xlsx.around.prepared import Prepared
from gfdocs.engine.xlsx.around.properties import write_properties
from gfdocs.engine.xlsx.rows.grid import Context, Grid
from gfdocs.engine.xlsx.rows.placing import Stop
from gfdocs.engine.xlsx.rows.styles import add_variants
from gfdocs.engine.xlsx.rows.values import CellWriter, StyleVariants
from gfdocs.engine.xlsx.rows.write import find_merges, write_rows
from gfdocs.engine.xlsx.template.compiled import Sheet
from gfdocs.engine.xlsx.template.programs import LoopProgram, turn_scope
from gfdocs.engine.xlsx.template.workbook import SheetEntry
from gfdocs.errors import Issue, Place, Text

MAX_ISSUES = 200


class Rendering:
    """One document in the making."""

    def __init__(self, prepared: Prepared, scope: Mapping[str, Any], missing: Any) -> None:
        self.prepared = prepared
        self.compiled = compiled = prepared.compiled
        self.issues: list[Issue] = []
        self._known: set[tuple[str, str, str]] = set()
        self.variants = StyleVariants(len(compiled.workbook.styles.formats))
        self.context = Context(compiled, missing, self.report)
        self.scope = scope
        self.parts = Parts(prepared.package, prepared.types, prepared.relations_of)
        self.sheets = SheetList([], {}, False)

    def report(self, issue: Issue) -> None:
        key = (issue.code, str(issue.place), str(issue.fact))
        if key not in self._known and len(self.issues) < MAX_ISSUES:
            self._known.add(key)
            self.issues.append(issue)

    def fail_if_faulty(self) -> None:
        raise_issues(issue for issue in self.issues if issue.severity == "error")

    def render(self) -> bytes:
        """Return the file; TemplateError with every fault of the run. To be called once."""
        try:
            with metered(self.compiled.languages.base.budget, self.scope):
                try:
                    self.place_sheets()
                    self.fail_if_faulty()
                    self.write_parts()
                except Stop:
                    pass
                self.fail_if_faulty()
            return self.parts.to_bytes()
        finally:
            self.context.close()

    def write_parts(self) -> None:
        """Write all parts that change."""
        for grid in self.context.grids:
            self.write_sheet(grid)
        self.write_pivots()
        self.sheets = self.list_sheets()
        if self.prepared.writes_book:
            write_book(self.prepared.book, self)
        self.write_styles()
        write_properties(self.prepared.properties, self)

    # -- which sheets, and where their lines go -----------------------------------------------------------------------

    def place_sheets(self) -> None:
        taken: set[str] = set()
        for sheet in self.compiled.sheets:
            for index, scope in enumerate(self._sheet_scopes(sheet) if sheet is not None else ()):
                assert sheet is not None
                grid = self._make_grid(sheet, scope, self._sheet_name(sheet, scope, taken))
                if index:
                    grid.is_copy = True
                    grid.part = self.parts.copy_part(sheet.entry.part)
                self.context.grids.append(grid)
        for grid in self.context.grids:
            if grid.sheet.has_tags:
                try:
                    grid.expand()
                except Stop:
                    continue
        if not any(grid.sheet.entry.state == "visible" for grid in self.context.grids):
            fact = Text("no sheet is left to show", "没有可显示的工作表")
            hint = Text("keep one sheet without a condition", "请至少保留一张无条件的工作表")
            self.report(Issue("GF268", "error", Place(self.compiled.name), fact, hint))

    def _make_grid(self, sheet: Sheet, scope: Mapping[str, Any], name: str) -> Grid:
        workbook = self.compiled.workbook
        writer = CellWriter(workbook.styles, workbook.is_1904, self.variants, sheet.part.prefix)
        return Grid(self.context, self.prepared.get_memory(sheet), scope, name, writer)

    def _sheet_scopes(self, sheet: Sheet) -> list[Mapping[str, Any]]:
        """Return the scopes of the sheets that one becomes: one an item of `{%sheet for %}`, none where `{%sheet if
        %}` fails.
        """
        scopes: list[Mapping[str, Any]] = [self.scope]
        for tag in sheet.sheet_tags:
            found: list[Mapping[str, Any]] = []
            for scope in scopes:
                try:
                    program = sheet.sheet_programs.get(id(tag))
                    if isinstance(program, LoopProgram):
                        items = program.get_items(scope, self.context.missing)
                        found += [turn_scope(program, items, index, scope) for index in range(len(items))]
                    elif program is None or program.get_truth(scope, self.context.missing):
                        found.append(scope)
                except Exception as fault:
                    self.report(describe_fault(fault, tag.place, words=f"{tag.word} {tag.source}"))
            scopes = found
        return scopes

    def _sheet_name(self, sheet: Sheet, scope: Mapping[str, Any], taken: set[str]) -> str:
        name = sheet.entry.name
        if sheet.name_program is not None:
            try:
                name = clean_sheet_name(str(sheet.name_program.get_value(scope, self.context.missing) or ""))
            except Exception as fault:
                self.report(sheet.name_program.describe(fault, scope))
        unique, number = name, 1
        while unique.casefold() in taken:
            number += 1
            suffix = f"({number})"
            unique = cut_utf16(name, 31 - len(suffix)) + suffix
        taken.add(unique.casefold())
        return unique

    # -- sheets -------------------------------------------------------------------------------------------------------

    def write_sheet(self, grid: Grid) -> None:
        if grid.is_copy or grid.sheet.entry.index in self.prepared.written_sheets:
            grid.extra_merges = find_merges(grid)
            grid.link_targets = self.prepared.get_links(grid.sheet)
            rows = write_rows(grid)
            head, tail = write_frame(self.prepared.get_frame(grid.sheet), grid)

            def pieces() -> Iterator[bytes]:
                yield head
                yield from rows
                yield tail

            self.parts.write(grid.part, pieces())
        render_objects(self.parts, grid, grid.part)
        if grid.pictures:
            self.add_pictures(grid)
        if grid.links:
            self.add_links(grid)

    def add_pictures(self, grid: Grid) -> None:
        """Add the pictures met while the rows were written; a sheet that had no drawing is written again with one."""
        relation = write_pictures(self.parts, grid.part, grid.pictures)
        if relation is not None:
            grid.drawing_relation = relation
            grid.links.clear()
            head, tail = write_frame(self.prepared.get_frame(grid.sheet), grid)
            before = self.parts.read(grid.part)
            start = before.index(b"<" + grid.writer.prefix.encode() + b"sheetData>")
            stop = before.rindex(b"</" + grid.writer.prefix.encode() + b"sheetData>")
            rows = before[start + len(grid.writer.prefix) + len(b"<sheetData>") : stop]
            self.parts.write(grid.part, b"".join([head, rows, tail]))

    def add_links(self, grid: Grid) -> None:
        kept = [r for r in self.parts.relations(grid.part) if r.id not in grid.link_targets]
        uri = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
        made = [Relationship(name, "hyperlink", target, True, uri) for name, target in grid.links]
        self.parts.set_relations(grid.part, [*kept, *made])

    def write_pivots(self) -> None:
        for relation in self.compiled.workbook.relations:
            if relation.type == "pivotCacheDefinition" and relation.target in self.parts.package:
                render_pivot_source(self.parts, self.context, relation.target)

    # -- the list of sheets -------------------------------------------------------------------------------------------

    @property
    def renames_sheets(self) -> bool:
        """Whether the document's sheets are not those of the template, name by name."""
        return self.sheets.is_changed or any(grid.is_renamed for grid in self.context.grids)

    def list_sheets(self) -> SheetList:
        """Return the sheets of the document, the copies with a relation of their own, those left out removed."""
        entries: list[tuple[int, str, int, str]] = []
        new_index: dict[int, int] = {}
        grids: dict[int, list[Grid]] = {}
        for grid in self.context.grids:
            grids.setdefault(grid.sheet.entry.index, []).append(grid)
        workbook = self.compiled.workbook
        next_id = max((entry.sheet_id for entry in workbook.sheets), default=0) + 1
        for entry, sheet in zip(workbook.sheets, self.compiled.sheets, strict=True):
            own = grids.get(entry.index, [])
            new_index[entry.index] = len(entries) if own or sheet is None else max(0, len(entries) - 1)
            if sheet is None:
                entries.append((entry.index, entry.name, entry.sheet_id, entry.relation))
            elif not own:
                self._remove_sheet(entry)
            for number, grid in enumerate(own):
                grid.index = len(entries)
                if number == 0:
                    entries.append((entry.index, grid.name, entry.sheet_id, entry.relation))
                else:
                    relation = self.parts.relate(workbook.part, "worksheet", grid.part)
                    entries.append((entry.index, grid.name, next_id, relation))
                    next_id += 1
        is_changed = len(entries) != len(workbook.sheets) or any(old != new for old, new in new_index.items())
        return SheetList(entries, new_index, is_changed)

    def _remove_sheet(self, entry: SheetEntry) -> None:
        part = self.compiled.workbook.part
        self.parts.set_relations(part, [r for r in self.parts.relations(part) if r.id != entry.relation])
        self._remove_part(entry.part)

    def _remove_part(self, name: str) -> None:
        from gfdocs.engine.package import relationships_name

        self.parts.remove(name)
        relations = self.parts.package.find_name(relationships_name(name))
        if relations is not None:
            self.parts.remove(relations)
        for relation in self.parts.relations(name):
            if relation.external or relation.type in ("image", "theme", "pivotCacheDefinition", "customXml"):
                continue
            if self.parts.package.find_name(relation.target) is not None and relation.target not in self.parts.removed:
                self._remove_part(relation.target)

    # -- styles -------------------------------------------------------------------------------------------------------

    def write_styles(self) -> None:
        if self.variants.found:
            part = self.compiled.workbook.styles.part
            root = self.parts.parse(part)
            add_variants(root, self.variants)
            self.parts.write_tree(part, root)


_SHEET_NAME = re.compile(r"[:\\/?*\[\]]")


def cut_utf16(text: str, limit: int) -> str:
    """Return the longest beginning of a text that has at most `limit` UTF-16 units."""
    units = 0
    for index, char in enumerate(text):
        units += 2 if ord(char) > 0xFFFF else 1
        if units > limit:
            return text[:index]
    return text


def clean_sheet_name(name: str) -> str:
    """Return a name Excel takes for a sheet: none of `: \\ / ? * [ ]`, no quote at the ends, at most 31 UTF-16 units.

    What it does not take becomes `_`; quotes and spaces at the ends are dropped. An empty name becomes `Sheet`, the
    reserved `History` becomes `History_`.
    """
    cleaned = (
        "".join(char if ord(char) >= 32 else "_" for char in _SHEET_NAME.sub("_", name)).strip().strip("'").strip()
    )
    cleaned = cut_utf16(cleaned, 31).rstrip("'").strip() or "Sheet"
    return cleaned + "_" if cleaned.casefold() == "history" else cleaned
