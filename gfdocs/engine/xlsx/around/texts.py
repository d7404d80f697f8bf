"""Tags in the other texts of a workbook: text boxes, chart titles, comments, headers and footers, properties."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gfdocs.engine.language import check_characters
from gfdocs.engine.xlsx.around.links import find_tagged_links
from gfdocs.engine.xlsx.formulas.references import split_cell
from gfdocs.engine.xlsx.template.compile import Compiled, Sheet, formula_has_tags, has_tags, join_tags
from gfdocs.engine.xlsx.template.programs import CellProgram, Scope, compile_cell
from gfdocs.engine.xlsx.template.workbook import TextRun, local_name
from gfdocs.errors import Issue, Place, Text

#: Elements whose `t` descendants are one text for the reader.
_PARAGRAPHS = {"p", "si", "text", "is"}
_MAX_HEADER = 255


def find_text_groups(root: Any) -> Iterator[list[Any]]:
    """Yield the text elements of each paragraph; texts outside any paragraph stand alone."""
    seen: set[Any] = set()
    for element in root.iter():
        if local_name(element) in _PARAGRAPHS:
            group = [item for item in element.iter() if local_name(item) == "t" and item not in seen]
            if group:
                seen.update(group)
                yield group
    for element in root.iter():
        if (
            isinstance(element.tag, str)
            and local_name(element) not in ("f", "sqref")
            and element not in seen
            and element.text
            and not len(element)
            and has_tags(element.text)
        ):
            yield [element]


def join_group(group: list[Any]) -> None:
    """Bring each tag together into the text element it begins in."""
    texts = [element.text or "" for element in group]
    if len(group) < 2 or not any("{" in text for text in texts) or not has_tags("".join(texts)):
        return
    joined = join_tags(tuple(TextRun(text, str(index)) for index, text in enumerate(texts)))
    found = {int(run.properties): run.text for run in joined}
    for index, element in enumerate(group):
        element.text = found.get(index, "")


def get_program(compiled: Compiled, source: str, place: Place) -> CellProgram:
    """Return the program of a text with tags, which tells its faults with this place."""
    program = compiled.text_programs.get((source, place))
    if program is None:
        program = compiled.text_programs[source, place] = compile_cell(compiled.languages, source, place)
    return program


def iter_tagged(root: Any) -> Iterator[Any]:
    """Yield the elements whose text has tags, each tag whole."""
    for group in find_text_groups(root):
        join_group(group)
        for element in group:
            if element.text and has_tags(element.text):
                yield element


def render_texts(context: Any, root: Any, scope: Scope, where: str) -> bool:
    """Fill the tags of a part's texts in place; True where there were any. where: the part, or the cell it hangs on."""
    compiled = context.compiled
    found = False
    for element in list(iter_tagged(root)):
        found = True
        program = get_program(compiled, element.text, Place(compiled.name, path=(where,)))
        try:
            value = program.get_value(scope, context.missing)
            element.text = check_characters("" if value is None else str(value))
        except Exception as fault:
            context.report(program.describe(fault, scope))
    return found


_FONT_SIZE_END = re.compile(r"&\d+$")


def render_header(grid: Any, text: str, name: str) -> str:
    """Fill the tags of a header or footer: `&` of the data is doubled, digits are kept apart from a font size before
    them.
    """
    context = grid.context
    place = Place(context.compiled.name, path=(grid.sheet.entry.name, name))
    pieces = re.split(r"(\{\{.*?\}\})", text)
    if any(has_tags(piece) for piece in pieces[::2]):
        pieces = [text]
    out = ""
    for piece in pieces:
        if not has_tags(piece):
            out += piece
            continue
        program = get_program(context.compiled, piece, place)
        try:
            value = program.get_value(grid.scope, context.missing)
            filled = check_characters("" if value is None else str(value))
        except Exception as fault:
            context.report(program.describe(fault, grid.scope))
            continue
        if len(pieces) > 1:
            filled = filled.replace("&", "&&")
            if _FONT_SIZE_END.search(out) and filled[:1].isdigit():
                out += " "
        out += filled
    if len(out) > _MAX_HEADER:
        fact = Text(
            f"a header or footer of {len(out)} characters, it may have {_MAX_HEADER}",
            f"页眉页脚长 {len(out)} 字符，上限 {_MAX_HEADER}",
        )
        context.report(Issue("GF267", "error", place, fact, Text("shorten the text", "请缩短文字")))
    return out


def find_part_sources(compiled: Compiled) -> Iterator[tuple[str, Place]]:
    """Yield the texts with tags that hang on no cell, each with its place: headers, drawings, names, properties."""
    from gfdocs.engine.package import safe_xml

    for sheet in compiled.sheets:
        if sheet is None or b"{" not in sheet.part.frame:
            continue
        root = safe_xml(sheet.part.frame, name=compiled.name, part=sheet.entry.part)
        for element in root.iter():
            if isinstance(element.tag, str) and element.text and formula_has_tags(element.text):
                yield element.text, Place(compiled.name, path=(sheet.entry.name, local_name(element)))
    hanging = {part for sheet in compiled.sheets if sheet is not None for part in _find_comments(compiled, sheet)}
    for part in sorted(compiled.tagged_parts - hanging):
        root = safe_xml(compiled.package.read(part), name=compiled.name, part=part)
        for element in iter_tagged(root):
            yield element.text, Place(compiled.name, path=(part,))
    for name in compiled.workbook.names:
        if formula_has_tags(name.text):
            yield name.text, Place(compiled.name, path=(name.name,))


def _find_comments(compiled: Compiled, sheet: Sheet) -> list[str]:
    """Return the parts of a sheet's comments that have tags."""
    relations = compiled.workbook.relations_of(sheet.entry.part)
    found = (item.target for item in relations if item.type in ("comments", "threadedComment") and not item.external)
    return [part for part in found if part in compiled.tagged_parts]


def find_hanging_texts(compiled: Compiled, sheet: Sheet) -> Iterator[tuple[int, str, Place]]:
    """Yield the texts with tags that hang on a cell (links, comments), each with its row and place: they see the names
    that the cell sees.
    """
    from gfdocs.engine.package import safe_xml

    for link in find_tagged_links(compiled, sheet):
        for source in (link.target, *link.texts):
            if source:
                yield link.row, source, link.place(compiled, sheet)
    for part in _find_comments(compiled, sheet):
        root = safe_xml(compiled.package.read(part), name=compiled.name, part=part)
        for comment in root.iter():
            if local_name(comment) in ("comment", "threadedComment"):
                cell = comment.get("ref", "")
                for element in iter_tagged(comment):
                    yield split_cell(cell)[1], element.text, Place(compiled.name, path=(f"{sheet.entry.name}!{cell}",))
