"""Texts with tags outside the cells filled with data: text boxes, titles of charts, comments, headers and footers."""

from __future__ import annotations

import re
from typing import Any

from gfdocs.engine.language import check_characters
from gfdocs.engine.xlsx.template.programs import Scope, compile_cell
from gfdocs.engine.xlsx.template.tags import has_tags
from gfdocs.engine.xlsx.template.texts import iter_tagged
from gfdocs.errors import Issue, Place, Text

_MAX_HEADER = 255


def render_texts(context: Any, root: Any, scope: Scope, where: str) -> bool:
    """Fill the tags of a part's texts in place; True where there were any. where: the part, or the cell it hangs on."""
    compiled = context.compiled
    found = False
    for element in list(iter_tagged(root)):
        found = True
        program = compile_cell(compiled.languages, element.text, Place(compiled.name, path=(where,)))
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
        program = compile_cell(context.compiled.languages, piece, place)
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
