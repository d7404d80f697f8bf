"""The links of cells that have tags: in the address they lead to, in what they say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote

from gfdocs.engine.package import safe_xml
from gfdocs.engine.xlsx.formulas.references import split_cell
from gfdocs.engine.xlsx.template.compiled import Sheet
from gfdocs.engine.xlsx.template.tags import formula_has_tags, has_tags
from gfdocs.engine.xlsx.template.workbook import Workbook, local_name
from gfdocs.errors import Place

#: Attributes of `hyperlink` that may hold tags.
LINK_TEXTS = ("location", "tooltip", "display")


class TaggedLink(NamedTuple):
    """A `hyperlink` with tags: its row and place, the address it leads to (id of the relation and source), its other
    texts.
    """

    row: int
    place: Place
    relation: str
    target: str
    texts: tuple[str, ...]


def find_tagged_links(workbook: Workbook, sheet: Sheet) -> Iterator[TaggedLink]:
    """Yield the links of a sheet that have tags."""
    targets = _find_targets(workbook, sheet)
    if not targets and b"{" not in sheet.part.frame:
        return
    root = safe_xml(sheet.part.frame, name=workbook.package.name, part=sheet.entry.part)
    for element in root.iter():
        if local_name(element) != "hyperlink":
            continue
        found = {str(key): str(value) for key, value in element.attrib.items()}
        relation = next((value for key, value in found.items() if key.endswith("}id")), "")
        target = targets.get(relation, "")
        texts = tuple(found[key] for key in LINK_TEXTS if is_tagged(key, found.get(key, "")))
        if target or texts:
            cell = found.get("ref", "").partition(":")[0]
            place = Place(workbook.package.name, path=(f"{sheet.entry.name}!{cell}",))
            yield TaggedLink(split_cell(cell)[1], place, relation, target, texts)


def _find_targets(workbook: Workbook, sheet: Sheet) -> dict[str, str]:
    """Return the addresses with tags, by the ids of their relations. Excel writes the braces as %7B and %7D."""
    found = {}
    for relation in workbook.relations_of(sheet.entry.part):
        target = relation.target.replace("%7B", "{").replace("%7D", "}").replace("%7b", "{").replace("%7d", "}")
        if relation.type == "hyperlink" and relation.external and has_tags(target):
            found[relation.id] = unquote(target)
    return found


def is_tagged(key: str, text: str) -> bool:
    """True where an attribute of a link has tags; the sheet that a location names may be called by one."""
    return formula_has_tags(text) if key == "location" else has_tags(text)
