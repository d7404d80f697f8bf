"""The links of cells: where they lead, and the tags in what they say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from gfdocs.engine.package import safe_xml
from gfdocs.engine.xlsx.formulas.references import split_cell
from gfdocs.engine.xlsx.template.compile import Compiled, Sheet, formula_has_tags, has_tags
from gfdocs.engine.xlsx.template.workbook import local_name
from gfdocs.errors import Place

#: Attributes of `hyperlink` that may hold tags.
LINK_TEXTS = ("location", "tooltip", "display")


@dataclass(frozen=True, slots=True)
class TaggedLink:
    """A `hyperlink` with tags: its cell, the address it leads to (id of the relation and source), its other texts."""

    cell: str
    relation: str
    target: str
    texts: tuple[str, ...]

    @property
    def row(self) -> int:
        return split_cell(self.cell)[1]

    def place(self, compiled: Compiled, sheet: Sheet) -> Place:
        return Place(compiled.name, path=(f"{sheet.entry.name}!{self.cell}",))


def find_tagged_links(compiled: Compiled, sheet: Sheet) -> Iterator[TaggedLink]:
    """Yield the links of a sheet that have tags (in an address Excel writes the braces as %7B)."""
    targets = {}
    for relation in compiled.workbook.relations_of(sheet.entry.part):
        target = relation.target.replace("%7B", "{").replace("%7D", "}").replace("%7b", "{").replace("%7d", "}")
        if relation.type == "hyperlink" and relation.external and has_tags(target):
            targets[relation.id] = unquote(target)
    if not targets and b"{" not in sheet.part.frame:
        return
    root = safe_xml(sheet.part.frame, name=compiled.name, part=sheet.entry.part)
    for element in root.iter():
        if local_name(element) == "hyperlink":
            found = {str(key): str(value) for key, value in element.attrib.items()}
            relation_id = next((value for key, value in found.items() if key.endswith("}id")), "")
            target = targets.get(relation_id, "")
            texts = tuple(found[key] for key in LINK_TEXTS if is_tagged(key, found.get(key, "")))
            if target or texts:
                yield TaggedLink(found.get("ref", "").partition(":")[0], relation_id, target, texts)


def is_tagged(key: str, text: str) -> bool:
    """True where an attribute of a link has tags; the sheet that a location names may be called by one."""
    return formula_has_tags(text) if key == "location" else has_tags(text)


__all__ = ["LINK_TEXTS", "TaggedLink", "find_tagged_links", "is_tagged"]
