"""docxtpl's words written out for Jinja: `{%tr %}`, `{{r }}`, `{% colspan %}`, `{% vm %}` and their kin.

What each of them means in Word XML is docxtpl's (its documentation, "Jinja2-like syntax"); the tests hold the outcome
against docxtpl's own `patch_xml`. It works on the text of a part, as some of these words reach over elements: `{%-` and
`-%}` join paragraphs. A word that the part does not have costs one look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from gfdocs.engine.docx.lexer import DIGITS, STAMP, TAG

_TAG = re.compile(TAG, re.DOTALL)
# A blank that somebody typed: in `{{r}}` the number of the tag follows the name, which makes no `{{r …}}` of it.
_BLANK = rf"[^\S{DIGITS}]"
_SPACE = ' xml:space="preserve"'
_TEXT = f"<w:t{_SPACE}>"


def write_words(source: str) -> str:
    """Return the XML of a part with docxtpl's words replaced by what Jinja knows, each tag whole and in plain signs."""
    source = _join_braces(source)
    source = _join_tags(source)
    if "colspan" in source:
        source = _set_cells(source, _COLSPAN, "w:gridSpan", '<w:gridSpan w:val="{{%s}}"/>')
    if "cellbg" in source:
        source = _set_cells(source, _CELLBG, "w:shd", '<w:shd w:val="clear" w:color="auto" w:fill="{{%s}}"/>')
    source = _keep_blanks(source)
    source = _set_runs_apart(source)
    source = _join_paragraphs(source)
    for scope in ("tr", "tc", "p", "r"):
        source = _take_out(source, scope)
    source = _change_cells(source, _VM, _merge_down)
    source = _change_cells(source, _HM, _merge_across)
    source = _CELL_PROPERTIES.sub(_order, source)
    return _TAG.sub(_straighten, source)


# ---------------------------------------------------------------------------------------------------------------------
# A tag in one piece

_CUT = re.compile(r"(?<=\{)(?:<[^>]*>)+(?=[{%#])|(?<=[%}#])(?:<[^>]*>)+(?=\})")
_BETWEEN = re.compile(r"</w:t>.*?<w:t(?: [^>]*)?>", re.DOTALL)
_BROKEN = re.compile(r"\{%(?:(?!%\}).)*|\{#(?:(?!#\}).)*|\{\{(?:(?!\}\}).)*", re.DOTALL)


def _join_braces(source: str) -> str:
    """Take away the elements between the two signs that open or close a tag."""
    return _CUT.sub("", source) if "{<" in source or ">}" in source else source


def _join_tags(source: str) -> str:
    """Take away what is between the texts that a tag lies in."""
    return _BROKEN.sub(lambda tag: _BETWEEN.sub("", tag[0]) if "</w:t>" in tag[0] else tag[0], source)


_ENTITIES = (("&#8216;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'))
_CURLY = str.maketrans("“”‘’", "\"\"''")


def _straighten(found: re.Match[str]) -> str:
    """Return a tag as Jinja reads it: without entities, the curly quotes that Word makes straight again."""
    tag = found[0]
    if "&" in tag:
        for entity, sign in _ENTITIES:
            tag = tag.replace(entity, sign)
    return tag if tag.isascii() else tag.translate(_CURLY)


# ---------------------------------------------------------------------------------------------------------------------
# Elements around a tag


def _find_open(source: str, name: str, at: int) -> int:
    """Return where the innermost element of this name begins that is open at `at`, or -1."""
    closed = 0
    while (at := source.rfind(name, 0, at)) >= 0:
        after = source[at + len(name)]
        if after not in " >":
            continue
        if source[at - 1] == "/":
            closed += 1
        elif source[at - 1] == "<" and source[source.find(">", at) - 1] != "/":
            if not closed:
                return at - 1
            closed -= 1
    return -1


def _find_close(source: str, name: str, at: int) -> int:
    """Return where the element of this name that is open at `at` ends, its closing tag included, or -1."""
    opened = 0
    while (at := source.find(name, at)) >= 0:
        after = source[at + len(name)]
        end = source.find(">", at)
        if after in " >" and source[at - 1] == "/":
            if not opened:
                return end + 1
            opened -= 1
        elif after in " >" and source[at - 1] == "<" and source[end - 1] != "/":
            opened += 1
        at = end
    return -1


def _take_out(source: str, scope: str) -> str:
    """Put each tag for a row, cell, paragraph or run in the place of the element that it stands in."""
    name, tags, out, done = f"w:{scope}", list(_find_scoped(source, scope)), [], 0
    start = end = last = -1
    for tag, following in pairwise([*tags, None]):
        assert tag is not None
        if end < tag.end() or name in source[last : tag.start()]:  # else it is in the same element as the tag before
            start, end = _find_open(source, name, tag.start()), _find_close(source, name, tag.end())
        last = tag.end()
        if start < done or end < 0:
            continue
        if following is not None and following.start() < end:
            continue  # Of several tags for one element the last is kept; that the others would be lost has been told.
        out += [source[done:start], tag[0][:2], tag[0][2 + len(scope) :]]
        done = end
    return "".join([*out, source[done:]]) if out else source


def _find_scoped(source: str, scope: str) -> Iterator[re.Match[str]]:
    for begin in re.finditer(rf"\{{[{{%{'' if scope == 'r' else '#'}]{scope}{_BLANK}", source):
        tag = _TAG.match(source, begin.start())
        if tag is not None:
            yield tag


# ---------------------------------------------------------------------------------------------------------------------
# Texts, runs and paragraphs


def _keep_blanks(source: str) -> str:
    """Have Word keep the blanks around what is filled in."""
    head, *texts = source.split("<w:t>")
    return head + "".join((_TEXT if "{{" in text or "{%" in text else "<w:t>") + text for text in texts)


_RUN_TAG = re.compile(rf"\{{\{{r{_BLANK}.*?\}}\}}|\{{%r{_BLANK}.*?%\}}", re.DOTALL)


def _set_runs_apart(source: str) -> str:
    """Give each `{{r }}` and `{%r %}` a run of its own."""
    if "{{r" not in source and "{%r" not in source:
        return source
    end = "</w:t></w:r>"
    return _RUN_TAG.sub(lambda tag: f"{end}<w:r>{_TEXT}{tag[0]}{end}<w:r>{_TEXT}", source)


_NEXT_TEXT = re.compile(r"<w:t(?: [^>]*)?(?<!/)>")
_SCOPED = re.compile(rf"\{{[{{%#](?:p|tr|tc){_BLANK}")


def _join_paragraphs(source: str) -> str:
    """`{%-` goes on in the text before it, `-%}` has the text after it go on: paragraphs between are joined.

    Where there is a text right beside the sign it trims the blanks of that, as Jinja does.
    """
    source = _edit(source, (_join_back(source, found.start()) for found in re.finditer(r"\{%-", source)))
    return _edit(source, (_join_on(source, found.end()) for found in re.finditer(r"-%\}", source)))


Edit = tuple[int, int, str]
"""A stretch of the source, from and up to, and what is to stand there."""


def _edit(source: str, edits: Iterable[Edit | None]) -> str:
    """Return the source with these stretches replaced; they come in order and never overlap."""
    out, done = [], 0
    for start, end, text in filter(None, edits):
        out += [source[done:start], text]
        done = end
    return "".join([*out, source[done:]]) if out else source


def _join_back(source: str, at: int) -> Edit | None:
    """Return the edit that joins the tag `{%-` that begins here to the text before it, if only blanks are between."""
    last = _skip_blanks(source, at - 1, -1)
    opened = _NEXT_TEXT.match(source, source.rfind("<", 0, last)) if source[last] == ">" else None
    end = source.rfind("</w:t>", 0, last) if opened else -1
    if opened is None or end < 0:
        return None
    between = _join(source[end : opened.end()])
    if between is None or _SCOPED.search(source, source.rfind("<w:t", 0, end), end):
        return None
    return end, at + 3, f"{between}{{%"


def _skip_blanks(source: str, at: int, step: int) -> int:
    """Return where the first sign is that is no blank, forwards or backwards: XML begins and ends with one."""
    while source[at].isspace():
        at += step
    return at


def _join_on(source: str, at: int) -> Edit | None:
    """Return the edit by which the text after a tag that ends here with `-%}` goes on beside it."""
    end = _skip_blanks(source, at, 1)
    following = _NEXT_TEXT.search(source, end) if source.startswith("</w:t>", end) else None
    if following is None:
        return None
    between = _join(source[end : following.end()])
    if between is None or _SCOPED.search(source, following.end(), source.find("<", following.end())):
        return None
    return at - 3, following.end(), f"%}}{between}"


_STEP = re.compile(r"<(/?)([\w:.\-]+)[^<>]*?(/?)>")
_FORMAT = re.compile(r"<w:([rp])Pr(?: [^>]*)?(?:/>|(?<!/)>.*?</w:\1Pr>)", re.DOTALL)
_PARAGRAPH = re.compile(r"</?w:p(?: [^>]*)?/?>|<w:pPr(?: [^>]*)?(?:/>|(?<!/)>.*?</w:pPr>)", re.DOTALL)
_RANGE = re.compile(r'<w:(bookmark|commentRange|perm)(Start|End)\b[^>]*?w:id="([^"]*)"[^>]*>')
# What nobody sees between two texts, and what parts them for good.
_BLANKS = {"w:p", "w:r", "w:t", "w:proofErr", "w:lastRenderedPageBreak", "w:tab", "w:cr", "w:br"}
_WALLS = ("<w:tbl>", "<w:tbl ", "<w:txbxContent", "<w:sectPr", "<w:altChunk", "{{", "{%")


def _join(between: str) -> str | None:
    """Return what stays between two texts that are made one, or None where something parts them: a table, a section.

    between: from the end of one text to the beginning of the other. Where there are only blanks and ends of paragraphs
    in it, nothing stays, and the second text looks like the first. Pictures, links and content controls stay whole:
    then only the ends of the paragraphs go.
    """
    if any(wall in between for wall in _WALLS):
        return None
    closed: list[str] = []
    opened: list[str] = []
    seen = set()
    for close, name, empty in _STEP.findall(_FORMAT.sub("", _without_whole_ranges(between))):
        seen.add(name)
        if close:
            (opened.pop() if opened else closed.append(name))
        elif not empty:
            opened.append(name)
    if seen <= _BLANKS and closed == opened[::-1] and 'w:type="page"' not in between:
        return ""
    return _PARAGRAPH.sub("", between) if closed[-1] == "w:p" == opened[0] else None


def _without_whole_ranges(between: str) -> str:
    """Return the XML without the bookmarks and comments that begin and end in it."""
    ends: dict[str, set[tuple[str, str]]] = {"Start": set(), "End": set()}
    for kind, end, number in _RANGE.findall(between):
        ends[end].add((kind, number))
    return _RANGE.sub("", between) if ends["Start"] == ends["End"] else between


# ---------------------------------------------------------------------------------------------------------------------
# Cells

_COLSPAN = re.compile(r"\{%\s*colspan\s+((?:(?!%\}).)*)%\}")
_CELLBG = re.compile(r"\{%\s*cellbg\s+((?:(?!%\}).)*)%\}")
_VM = re.compile(r"\{%\s*vm\s*%\}")
_HM = re.compile(r"\{%\s*hm\s*%\}")
_PROPERTIES = re.compile(r"<w:tcPr(?: [^>]*)?>")
_EMPTY_RUN = re.compile(r"<w:r[ >](?:(?!<w:r[ >]).)*<w:t></w:t>.*?</w:r>", re.DOTALL)
_ONE = re.compile(r"<w:t(?: [^>]*)?>")


def _change_cells(source: str, tag: re.Pattern[str], change: Callable[[str, re.Match[str]], str]) -> str:
    """Change each cell in which this tag stands: `change` gets the XML of the cell and the tag in it."""
    done, out = 0, []
    while (found := tag.search(source, done)) is not None:
        before = done
        start = max(source.rfind("<w:tc ", done, found.start()), source.rfind("<w:tc>", done, found.start()))
        end = source.find("</w:tc>", found.end())
        if start < 0 or end < 0:
            out.append(source[done : found.end()])
            done = found.end()
            continue
        done, cell = end + len("</w:tc>"), _with_properties(source[start : end + len("</w:tc>")])
        inside = tag.search(cell)
        assert inside is not None
        out += [source[before:start], change(cell, inside)]
    return "".join([*out, source[done:]]) if out else source


_NO_PROPERTIES = re.compile(r"(<w:tc(?: [^>]*)?>)(?!<w:tcPr)")
_EMPTY_PROPERTIES = re.compile(r"^(<w:tc(?: [^>]*)?>)<w:tcPr( [^>]*?)? ?/>")


def _with_properties(cell: str) -> str:
    """Return a cell with properties that others can be put in: docxtpl 0.20 puts them beside `<w:tcPr/>`."""
    cell = _NO_PROPERTIES.sub(r"\1<w:tcPr/>", cell, count=1)
    return _EMPTY_PROPERTIES.sub(lambda found: f"{found[1]}<w:tcPr{found[2] or ''}></w:tcPr>", cell)


def _set_cells(source: str, tag: re.Pattern[str], element: str, written: str) -> str:
    """Give the cells with this tag a property of that value, in place of the one they have."""
    own = re.compile(rf"<{element}[^/]*/>")

    def change(cell: str, found: re.Match[str]) -> str:
        cell = _EMPTY_RUN.sub("", cell[: found.start()] + cell[found.end() :])
        cell = own.sub("", cell, count=1)
        return _PROPERTIES.sub(lambda properties: properties[0] + written % found[1], cell)

    return _change_cells(source, tag, change)


def _merge_down(cell: str, tag: re.Match[str]) -> str:
    """`{% vm %}`: the cells of a loop are one, whose text the first has."""
    places = _find_text(cell, tag)
    if places is None:
        return cell
    properties, text, end = places
    first = f"{{% if loop.first {_stamp_of(tag)}%}}"
    merge = f'<w:vMerge w:val="{first}restart{{% else %}}continue{{% endif %}}"/>'
    inner = cell[text : tag.start()] + cell[tag.end() : end]
    return f"{cell[:properties]}{merge}{cell[properties:text]}{first}{inner}{{% endif %}}{cell[end:]}"


def _stamp_of(tag: re.Match[str]) -> str:
    """Return the number of a tag, for those that stand for it."""
    found = STAMP.search(tag[0])
    return found[0] if found else ""


def _find_text(cell: str, tag: re.Match[str]) -> tuple[int, int, int] | None:
    """Return where the cell's properties end, where its text begins, and where the text with the tag ends."""
    properties = cell.find("</w:tcPr>")
    text = _ONE.search(cell, max(properties, 0), tag.start())
    end = cell.find("</w:t>", tag.end())
    return None if properties < 0 or text is None or end < 0 else (properties, text.end(), end)


_SPAN = re.compile(r'(w:gridSpan w:val=")(\d+)(")')


def _merge_across(cell: str, tag: re.Match[str]) -> str:
    """`{% hm %}`: the cells of a loop are one, as wide as all of them."""
    if "w:gridSpan" in cell:
        cell = _SPAN.sub(r"\1{{ \2 * loop.length }}\3", _HM.sub("", cell))
    else:
        places = _find_text(cell, tag)
        if places is not None:
            at = places[0]
            span = f'<w:gridSpan w:val="{{{{ loop.length {_stamp_of(tag)}}}}}"/>'
            cell = cell[:at] + span + cell[at : tag.start()] + cell[tag.end() :]
    return f"{{% if loop.first {_stamp_of(tag)}%}}{cell}{{% endif %}}"


_CELL_PROPERTIES = re.compile(r"(<w:tcPr(?: [^>]*)?(?<!/)>)((?:(?!</w:tcPr>).)*\{[{%].*?)(</w:tcPr>)", re.DOTALL)
_CHILD = re.compile(r"<w:(\w+)(?: [^<>]*)?(?:/>|>.*?</w:\1>)", re.DOTALL)
# ECMA-376 part 1, 17.4.69.
_ORDER = ("cnfStyle", "tcW", "gridSpan", "hMerge", "vMerge", "tcBorders", "shd", "noWrap")


def _order(found: re.Match[str]) -> str:
    """Return the properties of a cell in the order of the schema: those that a tag gave it stand first or last."""
    children = list(_CHILD.finditer(found[2]))
    if "".join(child[0] for child in children) != found[2]:
        return found[0]
    ranks = {name: rank for rank, name in enumerate(_ORDER)}
    children.sort(key=lambda child: ranks.get(child[1], len(ranks)))
    return f"{found[1]}{''.join(child[0] for child in children)}{found[3]}"
