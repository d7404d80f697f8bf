"""Texts with tags besides the cells' own: text boxes, titles of charts, headers, properties, defined names; and those
that hang on cells, links and comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gfdocs.engine.package import Package, safe_xml
from gfdocs.engine.xlsx.formulas.references import split_cell
from gfdocs.engine.xlsx.template.compiled import Sheet
from gfdocs.engine.xlsx.template.links import find_tagged_links
from gfdocs.engine.xlsx.template.tags import formula_has_tags, has_tags, join_tags
from gfdocs.engine.xlsx.template.workbook import TextRun, Workbook, children, local_name
from gfdocs.errors import Place

#: Parts that may have texts with tags, their names casefolded.
_PARTS = re.compile(r"(xl/(drawings/[^/]*|charts/[^/]*|(comments|threadedcomments/).*)|docprops/.*)\.xml", re.DOTALL)
#: Attributes of `dataValidation` that people read, with the characters that Excel takes.
VALIDATION_TEXTS = {"promptTitle": 32, "prompt": 255, "errorTitle": 32, "error": 255}
#: Characters of the words to choose from that stand in a validation itself.
MAX_WORD_LIST = 255
#: Elements whose `t` descendants are one text for the reader.
_PARAGRAPHS = {"p", "si", "text", "is"}


def iter_tagged(root: Any) -> Iterator[Any]:
    """Yield the elements whose text has tags, each tag whole."""
    for group in _find_text_groups(root):
        _join_group(group)
        for element in group:
            if element.text and has_tags(element.text):
                yield element


def _find_text_groups(root: Any) -> Iterator[list[Any]]:
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


def _join_group(group: list[Any]) -> None:
    """Bring each tag together into the text element it begins in."""
    texts = [element.text or "" for element in group]
    if len(group) < 2 or not any("{" in text for text in texts) or not has_tags("".join(texts)):
        return
    joined = join_tags(tuple(TextRun(text, str(index)) for index, text in enumerate(texts)))
    found = {int(run.properties): run.text for run in joined}
    for index, element in enumerate(group):
        element.text = found.get(index, "")


def find_tagged_parts(package: Package) -> frozenset[str]:
    """Return the parts besides sheets and shared texts whose texts have tags."""
    found = set()
    for member in package.members:
        if _PARTS.fullmatch(member.name.casefold()) is None:
            continue
        data = member.read()
        if b"{" in data:
            root = safe_xml(data, name=package.name, part=member.name)
            if next(iter_tagged(root), None) is not None:
                found.add(member.name)
    return frozenset(found)


def find_part_sources(
    workbook: Workbook, sheets: Sequence[Sheet], tagged_parts: frozenset[str]
) -> Iterator[tuple[str, Place]]:
    """Yield the texts with tags that belong to no sheet, each with its place: names, properties."""
    name = workbook.package.name
    of_sheets = {part for sheet in sheets for part in (*_find_comments(workbook, sheet), *_find_drawn(workbook, sheet))}
    yield from _find_part_texts(workbook, sorted(tagged_parts - of_sheets))
    for defined in workbook.names:
        if formula_has_tags(defined.text):
            yield defined.text, Place(name, path=(defined.name,))


def find_sheet_texts(workbook: Workbook, sheet: Sheet, tagged_parts: frozenset[str]) -> Iterator[tuple[str, Place]]:
    """Yield the texts with tags of a sheet that hang on none of its cells, each with its place: headers, validations,
    drawings. They see the names of its `{%sheet for %}`.
    """
    name = workbook.package.name
    if b"{" in sheet.part.frame:
        root = safe_xml(sheet.part.frame, name=name, part=sheet.entry.part)
        for element in root.iter():
            if local_name(element) == "dataValidation":
                sqref = element.get("sqref") or "".join(item.text or "" for item in children(element, "sqref"))
                lists = [item.text for item in element.iter() if local_name(item) in ("formula1", "f")]
                for text in (*map(element.get, VALIDATION_TEXTS), *filter(is_word_list, lists)):
                    if text and has_tags(text):
                        yield text, place_of_validation(name, sheet, sqref)
            elif isinstance(element.tag, str) and element.text and _is_words(element):
                yield element.text, Place(name, path=(sheet.entry.name, local_name(element)))
    yield from _find_part_texts(workbook, [part for part in _find_drawn(workbook, sheet) if part in tagged_parts])


def _is_words(element: Any) -> bool:
    return local_name(element) not in ("formula1", "f") and formula_has_tags(element.text)


def place_of_validation(name: str, sheet: Sheet, sqref: str) -> Place:
    return Place(name, path=(f"{sheet.entry.name}!{sqref.partition(' ')[0]}",))


def is_word_list(formula: str | None) -> bool:
    """True where the words to choose from stand in a validation itself, with tags among them: `"甲,{{ b }}"`."""
    return formula is not None and formula.startswith('"') and has_tags(formula)


def _find_part_texts(workbook: Workbook, parts: Iterable[str]) -> Iterator[tuple[str, Place]]:
    for part in parts:
        root = safe_xml(workbook.package.read(part), name=workbook.package.name, part=part)
        for element in iter_tagged(root):
            # The names of the sheets stand among the properties once more.
            if not any(local_name(around) == "TitlesOfParts" for around in element.iterancestors()):
                yield element.text, Place(workbook.package.name, path=(part,))


def _find_drawn(workbook: Workbook, sheet: Sheet) -> list[str]:
    """Return the parts of a sheet's drawings and of the charts in them."""
    drawings = [item.target for item in workbook.relations_of(sheet.entry.part) if item.type == "drawing"]
    charts = [item for part in drawings for item in workbook.relations_of(part) if not item.external]
    return [*drawings, *(item.target for item in charts if item.type in ("chart", "chartEx"))]


def find_hanging_texts(
    workbook: Workbook, sheet: Sheet, tagged_parts: frozenset[str]
) -> Iterator[tuple[int, str, Place]]:
    """Yield the texts with tags that hang on a cell (links, comments), each with its row and place: they see the names
    that the cell sees.
    """
    name = workbook.package.name
    for link in find_tagged_links(workbook, sheet):
        for source in (link.target, *link.texts):
            if source:
                yield link.row, source, link.place
    for part in _find_comments(workbook, sheet):
        if part not in tagged_parts:
            continue
        root = safe_xml(workbook.package.read(part), name=name, part=part)
        for comment in root.iter():
            if local_name(comment) in ("comment", "threadedComment"):
                cell = comment.get("ref", "")
                for element in iter_tagged(comment):
                    yield split_cell(cell)[1], element.text, Place(name, path=(f"{sheet.entry.name}!{cell}",))


def _find_comments(workbook: Workbook, sheet: Sheet) -> list[str]:
    """Return the parts of a sheet's comments."""
    relations = workbook.relations_of(sheet.entry.part)
    return [item.target for item in relations if item.type in ("comments", "threadedComment") and not item.external]
