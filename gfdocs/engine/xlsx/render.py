"""A compiled workbook filled with data: which parts change, and what they become.

What the data does not touch is copied as the compressed bytes it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import unquote

from gfdocs.engine.budget import metered
from gfdocs.engine.language import raise_issues
from gfdocs.engine.package import Relationship
from gfdocs.engine.xlsx.compile import Compiled, Sheet, formula_has_tags, has_tags
from gfdocs.engine.xlsx.frame import write_frame
from gfdocs.engine.xlsx.grid import Context, Grid, Stop
from gfdocs.engine.xlsx.mapping import map_any
from gfdocs.engine.xlsx.objects import render_objects, render_pivot_source
from gfdocs.engine.xlsx.parts import Parts
from gfdocs.engine.xlsx.pictures import write_pictures
from gfdocs.engine.xlsx.programs import compile_condition, compile_loop, turn_scope
from gfdocs.engine.xlsx.references import parse_formula, quote_sheet, refs_of
from gfdocs.engine.xlsx.resolve import FormulaFault
from gfdocs.engine.xlsx.styles import add_variants
from gfdocs.engine.xlsx.texts import get_program, render_texts
from gfdocs.engine.xlsx.values import CellWriter, StyleVariants
from gfdocs.engine.xlsx.workbook import RELATIONS, STRICT_RELATIONS, child, children, local_name
from gfdocs.errors import Issue, Place, Text

MAX_ISSUES = 200


class Rendering:
    """One document in the making."""

    def __init__(self, compiled: Compiled, scope: Mapping[str, Any], missing: Any) -> None:
        self.compiled = compiled
        self.issues: list[Issue] = []
        self._known: set[tuple[str, str, str]] = set()
        self.variants = StyleVariants(len(compiled.workbook.styles.formats))
        self.context = Context(compiled, missing, self.report)
        self.scope = scope
        self.parts = Parts(compiled.package, compiled.workbook.types)

    def report(self, issue: Issue) -> None:
        key = (issue.code, str(issue.place), str(issue.fact))
        if key not in self._known and len(self.issues) < MAX_ISSUES:
            self._known.add(key)
            self.issues.append(issue)

    def fail_if_faulty(self) -> None:
        raise_issues(issue for issue in self.issues if issue.severity == "error")

    def render(self) -> bytes:
        """Return the file; TemplateError with every fault of the run."""
        with metered(self.compiled.languages.base.budget, self.scope):
            try:
                self.place_sheets()
                self.fail_if_faulty()
                self.write_parts()
            except Stop:
                pass
            self.fail_if_faulty()
        return self.parts.to_bytes()

    def write_parts(self) -> None:
        """Write all parts that change."""
        for grid in self.context.grids:
            self.write_sheet(grid)
        self.write_pivots()
        self.write_workbook()
        self.write_shared_texts()
        self.write_styles()
        self.write_properties()

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
        return Grid(self.context, sheet, scope, name, writer)

    def _sheet_scopes(self, sheet: Sheet) -> list[Mapping[str, Any]]:
        """Return the scopes of the sheets that one becomes: one an item of `{%sheet for %}`, none where `{%sheet if
        %}` fails.
        """
        scopes: list[Mapping[str, Any]] = [self.scope]
        for tag in sheet.sheet_tags:
            found: list[Mapping[str, Any]] = []
            for scope in scopes:
                try:
                    if tag.word == "for":
                        loop = sheet.sheet_program(
                            tag, lambda t: compile_loop(self.compiled.languages, t.source, t.place)
                        )
                        items = loop.get_items(scope, self.context.missing)
                        found += [turn_scope(loop, items, index, scope) for index in range(len(items))]
                    elif tag.word == "if":
                        test = sheet.sheet_program(
                            tag, lambda t: compile_condition(self.compiled.languages, t.source, t.place)
                        )
                        found += [scope] if test.get_truth(scope, self.context.missing) else []
                    else:
                        found.append(scope)
                except Exception as fault:
                    self._report_tag(tag, fault, scope)
            scopes = found
        return scopes

    def _report_tag(self, tag: Any, fault: Exception, scope: Mapping[str, Any]) -> None:
        from gfdocs.engine.language import describe_fault
        from gfdocs.errors import TemplateError

        if isinstance(fault, TemplateError):
            for issue in fault.issues:
                self.report(issue)
        else:
            self.report(describe_fault(fault, tag.place, words=f"{tag.word} {tag.source}"))

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
        touched = grid.sheet.entry.index in self.compiled.touched
        if touched or grid.is_copy or self.compiled.sheet_sees_touched(grid.sheet):
            grid.find_merges()
            self.find_link_targets(grid)
            rows = grid.write_rows()
            head, tail = write_frame(grid)

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
            head, tail = write_frame(grid)
            before = self.parts.read(grid.part)
            start = before.index(b"<" + grid.writer.prefix.encode() + b"sheetData>")
            stop = before.rindex(b"</" + grid.writer.prefix.encode() + b"sheetData>")
            rows = before[start + len(grid.writer.prefix) + len(b"<sheetData>") : stop]
            self.parts.write(grid.part, b"".join([head, rows, tail]))

    def find_link_targets(self, grid: Grid) -> None:
        """Find the links of a sheet whose target has tags (Excel writes the braces as %7B)."""
        for relation in self.parts.relations(grid.sheet.entry.part):
            target = relation.target.replace("%7B", "{").replace("%7D", "}").replace("%7b", "{").replace("%7d", "}")
            if relation.type == "hyperlink" and relation.external and has_tags(target):
                place = Place(self.compiled.name, path=(grid.sheet.entry.name, "hyperlink"))
                grid.link_targets[relation.id] = get_program(self.compiled, unquote(target), place)

    def add_links(self, grid: Grid) -> None:
        kept = [r for r in self.parts.relations(grid.part) if r.id not in grid.link_targets]
        uri = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
        made = [Relationship(name, "hyperlink", target, True, uri) for name, target in grid.links]
        self.parts.set_relations(grid.part, [*kept, *made])

    def write_pivots(self) -> None:
        for relation in self.compiled.workbook.relations:
            if relation.type == "pivotCacheDefinition" and relation.target in self.parts.package:
                render_pivot_source(self.parts, self.context, relation.target)

    # -- the workbook part --------------------------------------------------------------------------------------------

    def write_workbook(self) -> None:
        compiled = self.compiled
        if not compiled.touched and not any(formula_has_tags(name.text) for name in compiled.workbook.names):
            return
        root = deepcopy(compiled.workbook.root)
        before = _to_bytes(root)
        self._write_sheet_list(root)
        self._write_names(root)
        if self.context.needs_calculation:
            self._mark_calculation(root)
        if _to_bytes(root) != before:
            self.parts.write_tree(compiled.workbook.part, root)
        self._drop_calculation_chain()

    def _write_sheet_list(self, root: Any) -> None:
        section: Any = child(root, "sheets")
        grids: dict[int, list[Grid]] = {}
        for grid in self.context.grids:
            grids.setdefault(grid.sheet.entry.index, []).append(grid)
        entries = children(section, "sheet")
        new_index: dict[int, int] = {}
        position, next_id = 0, max((int(e.get("sheetId") or 0) for e in entries), default=0) + 1
        for index, element in enumerate(entries):
            if self.compiled.sheets[index] is None:
                new_index[index] = position
                position += 1
                continue
            own = grids.get(index, [])
            if not own:
                self._remove_sheet(index, element)
                new_index[index] = max(0, position - 1)
                continue
            new_index[index] = position
            for number, grid in enumerate(own):
                grid.index = position
                position += 1
                if number == 0:
                    if element.get("name") != grid.name:
                        element.set("name", grid.name)
                    continue
                copy = deepcopy(element)
                copy.set("name", grid.name)
                copy.set("sheetId", str(next_id))
                next_id += 1
                relation = self.parts.relate(self.compiled.workbook.part, "worksheet", grid.part)
                for key in (f"{{{RELATIONS}}}id", f"{{{STRICT_RELATIONS}}}id"):
                    if copy.get(key):
                        copy.set(key, relation)
                section.insert(section.index(element) + number, copy)
        self.new_index = new_index
        if len(entries) != position or any(old != new for old, new in new_index.items()):
            for view in root.iter():
                if local_name(view) == "workbookView":
                    for attribute in ("activeTab", "firstSheet"):
                        if view.get(attribute):
                            view.set(attribute, str(new_index.get(int(view.get(attribute)), 0)))
            self.parts_changed_sheets = True

    parts_changed_sheets = False

    def _remove_sheet(self, index: int, element: Any) -> None:
        sheet = self.compiled.sheets[index]
        assert sheet is not None
        element.getparent().remove(element)
        part = self.compiled.workbook.part
        relations = self.parts.relations(part)
        self.parts.set_relations(part, [r for r in relations if r.id != sheet.entry.relation])
        self._remove_part(sheet.entry.part)

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

    def _write_names(self, root: Any) -> None:
        section = child(root, "definedNames")
        if section is None:
            return
        for element in children(section, "definedName"):
            local = element.get("localSheetId")
            if local is None:
                element.text = self._name_text(element, None)
                continue
            index = int(local)
            own = [grid for grid in self.context.grids if grid.sheet.entry.index == index]
            if not own and index < len(self.compiled.sheets) and self.compiled.sheets[index] is not None:
                section.remove(element)
                continue
            source = deepcopy(element)
            for number, grid in enumerate(own):
                target = element if number == 0 else deepcopy(source)
                target.text = self._name_text(source, grid)
                target.set("localSheetId", str(grid.index))
                if number:
                    section.insert(section.index(element) + number, target)
            if not own:
                element.set("localSheetId", str(self.new_index.get(index, index)))
        if not len(section):
            root.remove(section)

    def _name_text(self, element: Any, grid: Grid | None) -> str:
        text, name = element.text or "", element.get("name") or ""
        place = Place(self.compiled.name, path=(name,))
        if formula_has_tags(text):
            return self._fill_name(text, place)
        try:
            moved = map_any(self.context, text, grid)
        except FormulaFault as fault:
            self.report(Issue("GF266", "error", place, fault.fact, fault.hint))
            return text
        if grid is not None and grid.is_copy:
            old = grid.sheet.entry.name.casefold()
            for ref in refs_of(parse_formula(moved)):
                first = next(g for g in self.context.grids if g.sheet is grid.sheet)
                if ref.prefix and ref.sheet is not None and ref.sheet.casefold() in (old, first.name.casefold()):
                    moved = moved.replace(ref.prefix, quote_sheet(grid.name))
        return moved

    def _fill_name(self, text: str, place: Place) -> str:
        program = get_program(self.compiled, text, place)
        try:
            value = str(program.get_value(self.scope, self.context.missing))
        except Exception as fault:
            self.report(program.describe(fault, self.scope))
            return text
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            return '"' + value[1:-1].replace('"', '""') + '"'
        return value

    def _mark_calculation(self, root: Any) -> None:
        from lxml import etree

        calculation = child(root, "calcPr")
        if calculation is None:
            namespace = root.tag.rpartition("}")[0] + "}"
            calculation = etree.Element(f"{namespace}calcPr")
            before = ("definedNames", "externalReferences", "functionGroups", "sheets")
            after = next(item for name in before for item in [child(root, name)] if item is not None)
            root.insert(root.index(after) + 1, calculation)
        calculation.set("fullCalcOnLoad", "1")

    def _drop_calculation_chain(self) -> None:
        """The chain names every formula's cell; without it the program builds it anew."""
        part = self.compiled.workbook.find_part("calcChain")
        if part is None:
            return
        self.parts.remove(part)
        workbook = self.compiled.workbook.part
        relations = self.parts.relations(workbook)
        self.parts.set_relations(workbook, [r for r in relations if r.type != "calcChain"])

    # -- texts, styles, properties ------------------------------------------------------------------------------------

    def write_shared_texts(self) -> None:
        """Blank the shared texts that held tags: their cells have texts of their own now."""
        member = self.compiled.cleaned_shared_texts
        if member is not None:
            self.parts.changed[member.name] = member
        elif self.compiled.touched and not self.compiled.workbook.shared_texts:
            self._add_shared_texts()

    def _add_shared_texts(self) -> None:
        """Give a workbook of inline texts a table of shared ones: some programs expect the part, with something in
        it.
        """
        workbook = self.compiled.workbook
        part = workbook.find_part("sharedStrings")
        if part is None:
            part = self.parts.new_name("xl/sharedStrings{}.xml").replace("Strings1.", "Strings.")
            if self.parts.package.find_name(part) is not None:
                return
            kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
            self.parts.add(part, b"", kind)
            self.parts.relate(workbook.part, "sharedStrings", part)
        namespace = workbook.root.tag.rpartition("}")[0][1:]
        head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        self.parts.write(part, f'{head}<sst xmlns="{namespace}"><si><t></t></si></sst>'.encode())

    def write_styles(self) -> None:
        if self.variants.found:
            part = self.compiled.workbook.styles.part
            root = self.parts.parse(part)
            add_variants(root, self.variants)
            self.parts.write_tree(part, root)

    def write_properties(self) -> None:
        for name in ("docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"):
            part = self.parts.package.find_name(name)
            if part is None:
                continue
            tagged = part in self.compiled.tagged_parts
            renamed = name.endswith("app.xml") and (
                self.parts_changed_sheets or any(grid.is_renamed for grid in self.context.grids)
            )
            if not tagged and not renamed:
                continue
            root = self.parts.parse(part)
            if renamed:
                for element in [e for e in root if local_name(e) in ("TitlesOfParts", "HeadingPairs")]:
                    root.remove(element)
            render_texts(self.context, root, self.scope, part)
            self.parts.write_tree(part, root)


def _to_bytes(root: Any) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(root))


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
