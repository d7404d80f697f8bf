"""A copy of a template with a Word comment at each fault, for its author to go through.

Source: ECMA-376 part 1, 17.13.4 (comments). Word takes comments in the body only; what is wrong in a header, a footer or
the properties is told at the first paragraph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from gfdocs.engine.docx.pictures import write_relations
from gfdocs.engine.docx.story import W, find_places
from gfdocs.engine.package import (
    CONTENT_TYPES,
    Member,
    Package,
    deflate,
    get_main_part,
    read_package,
    read_relationships,
    relationships_name,
    safe_xml,
    write_package,
)
from gfdocs.errors import Issue, Language

_COMMENTS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/comments"
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"
_EMPTY = f'<w:comments xmlns:w="{W[1:-1]}"/>'.encode()


def annotate(data: bytes, issues: Iterable[Issue], *, name: str = "template.docx", language: Language = "zh") -> bytes:
    """Return the document with a comment for each issue, at the paragraph of its place; PackageError as when opened."""
    package = read_package(data, name=name)
    part = get_main_part(package)
    root = safe_xml(package.read(part), name=name, part=part)
    comments_part, comments = _read_comments(package, part)
    used = [int(found.get(W + "id") or 0) for found in comments]
    number = max(used, default=-1) + 1
    by_place = {steps: paragraph for paragraph, steps in reversed(find_places(root).items())}
    first = next(root.iter(W + "p"), None)
    for issue in issues:
        paragraph = by_place.get(issue.place.path[1:]) if issue.place.path[:1] == ("document",) else None
        paragraph = first if paragraph is None else paragraph
        if paragraph is None:
            continue
        _add_range(paragraph, number)
        comments.append(_make_comment(issue, number, language))
        number += 1
    changed = {
        part: deflate(part, _to_bytes(root)),
        comments_part: deflate(comments_part, _to_bytes(comments)),
    }
    return _write(package, part, comments_part, changed)


def _read_comments(package: Package, part: str) -> tuple[str, Any]:
    """Return name and tree of the comments part, an empty one where the document has none."""
    for relation in read_relationships(package, part):
        if relation.type == "comments" and relation.target in package:
            root = safe_xml(package.read(relation.target), name=package.name, part=relation.target)
            return relation.target, root
    folder = part.rpartition("/")[0]
    return f"{folder}/comments.xml" if folder else "comments.xml", etree.fromstring(_EMPTY)


def _add_range(paragraph: Any, number: int) -> None:
    start = etree.Element(W + "commentRangeStart", {W + "id": str(number)})
    paragraph.insert(1 if paragraph.find(W + "pPr") is not None else 0, start)
    etree.SubElement(paragraph, W + "commentRangeEnd", {W + "id": str(number)})
    run = etree.SubElement(paragraph, W + "r")
    etree.SubElement(run, W + "commentReference", {W + "id": str(number)})


def _make_comment(issue: Issue, number: int, language: Language) -> Any:
    comment = etree.Element(W + "comment", {W + "id": str(number), W + "author": "gfdocs", W + "initials": "gf"})
    for line in issue.to_text(language).split("\n"):
        paragraph = etree.SubElement(comment, W + "p")
        text = etree.SubElement(etree.SubElement(paragraph, W + "r"), W + "t")
        text.text = line.strip()
    return comment


def _to_bytes(root: Any) -> bytes:
    data: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
    return data


def _write(package: Package, part: str, comments_part: str, changed: dict[str, Member]) -> bytes:
    if comments_part not in package:
        relations = relationships_name(part)
        found = package.find_name(relations)
        member = write_relations(
            package.read(found) if found else None, {"rIdGfComments": (_COMMENTS, f"/{comments_part}", False)}, part
        )
        changed[found or relations] = Member(found or relations, member.method, member.crc, member.size, member.data)
        types = package.read(CONTENT_TYPES).decode("utf-8-sig")
        override = f'<Override PartName="/{comments_part}" ContentType="{_TYPE}"/></Types>'
        changed[CONTENT_TYPES] = deflate(CONTENT_TYPES, types.replace("</Types>", override).encode())
    kept = [changed.pop(member.name, member) for member in package.members]
    return write_package([*kept, *changed.values()])
