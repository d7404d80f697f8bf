"""The properties of a workbook (`docProps`): tags in them, and titles of sheets that are no longer so called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gfdocs.engine.language import check_characters
from gfdocs.engine.package import safe_xml
from gfdocs.engine.xlsx.around.stencil import Copies, Marker, Piece, Values, escape_content, write_pieces
from gfdocs.engine.xlsx.template.compiled import Compiled
from gfdocs.engine.xlsx.template.programs import compile_cell
from gfdocs.engine.xlsx.template.texts import iter_tagged
from gfdocs.engine.xlsx.template.workbook import local_name
from gfdocs.errors import Place

if TYPE_CHECKING:
    from gfdocs.engine.xlsx.render import Rendering

_PARTS = ("docProps/core.xml", "docProps/app.xml", "docProps/custom.xml")


@dataclass(frozen=True)
class PropertyPart:
    """A compiled part of properties. `names_sheets`: it lists the sheets by their names."""

    part: str
    pieces: tuple[Piece, ...]
    is_tagged: bool
    names_sheets: bool


def compile_properties(compiled: Compiled) -> tuple[PropertyPart, ...]:
    """Return the compiled parts of properties that a template has."""
    found = [(compiled.package.find_name(name), name.endswith("app.xml")) for name in _PARTS]
    return tuple(_compile_part(compiled, part, is_list) for part, is_list in found if part is not None)


def _compile_part(compiled: Compiled, part: str, names_sheets: bool) -> PropertyPart:
    is_tagged = part in compiled.tagged_parts
    if not (is_tagged or names_sheets):
        return PropertyPart(part, (), False, False)
    root = safe_xml(compiled.package.read(part), name=compiled.name, part=part)
    marker = Marker(root)
    for element in [item for item in root if names_sheets and local_name(item) in ("TitlesOfParts", "HeadingPairs")]:
        marker.slot(element, Copies(_give_titles))
    for element in list(iter_tagged(root)):
        source, element.text = element.text, marker.hole(0)
        marker.slot(element, Copies(partial(_give_text, source, part)))
    return PropertyPart(part, marker.cut(marker.to_text()), is_tagged, names_sheets)


def _give_titles(rendering: Rendering) -> Sequence[Values]:
    return () if rendering.renames_sheets else ((),)


def _give_text(source: str, part: str, rendering: Rendering) -> Sequence[Values]:
    program = compile_cell(rendering.compiled.languages, source, Place(rendering.compiled.name, path=(part,)))
    try:
        value = program.get_value(rendering.scope, rendering.context.missing)
        return ((escape_content(check_characters("" if value is None else str(value))),),)
    except Exception as fault:
        rendering.report(program.describe(fault, rendering.scope))
        return ((escape_content(source),),)


def write_properties(properties: tuple[PropertyPart, ...], rendering: Rendering) -> None:
    """Write the parts of properties that change."""
    for found in properties:
        if found.is_tagged or (found.names_sheets and rendering.renames_sheets):
            out: list[str] = []
            write_pieces(found.pieces, (), rendering, out)
            rendering.parts.write(found.part, "".join(out).encode())
