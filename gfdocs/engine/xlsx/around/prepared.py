"""What the documents of one template share besides its cells, made ready when the first of them is rendered."""

from __future__ import annotations

from functools import cached_property

from gfdocs.engine.package import (
    ContentTypes,
    Member,
    Package,
    Relationship,
    deflate,
    read_content_types,
    read_relationships,
    safe_xml,
)
from gfdocs.engine.xlsx.around.book import Book, compile_book
from gfdocs.engine.xlsx.around.frame import Frame, compile_frame
from gfdocs.engine.xlsx.around.parts import Parts
from gfdocs.engine.xlsx.around.properties import PropertyPart, compile_properties
from gfdocs.engine.xlsx.rows.memory import SheetMemory
from gfdocs.engine.xlsx.template.compiled import Compiled, Sheet
from gfdocs.engine.xlsx.template.links import find_tagged_links
from gfdocs.engine.xlsx.template.programs import CellProgram, compile_cell
from gfdocs.engine.xlsx.template.tags import formula_has_tags
from gfdocs.engine.xlsx.template.workbook import namespace_of


class Prepared:
    """A compiled workbook with all that is written anew cut out of its parts. Shared by threads."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self._frames: dict[int, Frame] = {}
        self._links: dict[int, dict[str, CellProgram]] = {}
        self._memories: dict[int, SheetMemory] = {}
        self._relations: dict[str, tuple[Relationship, ...]] = {}

    @cached_property
    def package(self) -> Package:
        """The package that every document starts from: shared texts without tags, no calculation chain."""
        compiled = self.compiled
        parts = Parts(compiled.package, compiled.workbook.types, compiled.workbook.relations_of)
        cleaned = _blank_tagged_texts(compiled)
        if self.writes_book:
            _drop_calculation_chain(parts, compiled)
        if cleaned is not None:
            parts.changed[cleaned.name] = cleaned
        elif compiled.touched and not compiled.workbook.shared_texts:
            _add_shared_texts(parts, compiled)
        return Package(tuple(parts.to_members()), compiled.package.name)

    @cached_property
    def types(self) -> ContentTypes:
        return read_content_types(self.package)

    def relations_of(self, part: str) -> tuple[Relationship, ...]:
        """Return the relations of a part of `package`, read once."""
        found = self._relations.get(part)
        if found is None:
            found = self._relations[part] = read_relationships(self.package, part)
        return found

    @cached_property
    def writes_book(self) -> bool:
        """Whether the workbook part may change."""
        compiled = self.compiled
        return bool(compiled.touched) or any(formula_has_tags(name.text) for name in compiled.workbook.names)

    @cached_property
    def written_sheets(self) -> frozenset[int]:
        """The sheets that are written anew: those that the data touch, and those whose rules or links see one."""
        compiled = self.compiled
        return compiled.touched | {s.entry.index for s in compiled.worksheets if compiled.sheet_sees_touched(s)}

    @cached_property
    def book(self) -> Book:
        return compile_book(self.compiled)

    @cached_property
    def properties(self) -> tuple[PropertyPart, ...]:
        return compile_properties(self.compiled)

    def get_frame(self, sheet: Sheet) -> Frame:
        """Return what surrounds the rows of a sheet."""
        found = self._frames.get(sheet.entry.index)
        if found is None:
            found = self._frames[sheet.entry.index] = compile_frame(self.compiled, sheet, self.get_links(sheet))
        return found

    def get_memory(self, sheet: Sheet) -> SheetMemory:
        """Return what the documents remember of how a sheet is written."""
        found = self._memories.get(sheet.entry.index)
        if found is None:
            found = self._memories[sheet.entry.index] = SheetMemory(sheet, self.compiled.workbook.styles)
        return found

    def get_links(self, sheet: Sheet) -> dict[str, CellProgram]:
        """Return the programs of a sheet's links whose address has tags, by the id of the relation."""
        found = self._links.get(sheet.entry.index)
        if found is None:
            found = self._links[sheet.entry.index] = self._find_links(sheet)
        return found

    def _find_links(self, sheet: Sheet) -> dict[str, CellProgram]:
        compiled = self.compiled
        return {
            link.relation: compile_cell(compiled.languages, link.target, link.place)
            for link in find_tagged_links(compiled.workbook, sheet)
            if link.target
        }


def _blank_tagged_texts(compiled: Compiled) -> Member | None:
    """Return the part of shared texts with those blanked that hold tags; None where none does."""
    part = compiled.workbook.find_part("sharedStrings")
    if part is None or not compiled.tagged_texts:
        return None
    from lxml import etree

    root = safe_xml(compiled.package.read(part), name=compiled.name, part=part)
    namespace = namespace_of(root)
    for index, item in enumerate(item for item in root if isinstance(item.tag, str)):
        if index in compiled.tagged_texts:
            item[:] = [etree.Element(f"{namespace}t")]
    if "count" in root.attrib:
        del root.attrib["count"]
    return deflate(part, etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True))


def _drop_calculation_chain(parts: Parts, compiled: Compiled) -> None:
    """The chain names every formula's cell; without it the program builds it anew."""
    part = compiled.workbook.find_part("calcChain")
    if part is None:
        return
    parts.remove(part)
    workbook = compiled.workbook.part
    parts.set_relations(workbook, [r for r in parts.relations(workbook) if r.type != "calcChain"])


def _add_shared_texts(parts: Parts, compiled: Compiled) -> None:
    """Give a workbook of inline texts a table of shared ones: some programs expect the part, with something in it."""
    workbook = compiled.workbook
    part = workbook.find_part("sharedStrings")
    if part is None:
        part = parts.new_name("xl/sharedStrings{}.xml").replace("Strings1.", "Strings.")
        if parts.package.find_name(part) is not None:
            return
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        parts.add(part, b"", kind)
        parts.relate(workbook.part, "sharedStrings", part)
    namespace = namespace_of(workbook.root)[1:-1]
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    parts.write(part, f'{head}<sst xmlns="{namespace}"><si><t></t></si></sst>'.encode())
