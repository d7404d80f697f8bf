"""Hyperlinks whose address has tags: it stands in the relations of a part, where Word writes `{{` as `%7B%7B`.

An address is filled in once for a document. Where each round of a loop has one of its own, the data brings a RichText.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from gfdocs.engine.package import Package, read_relationships, relationships_name
from gfdocs.engine.reaching import is_web_link
from gfdocs.errors import Issue, Place, TemplateError, Text

__all__ = ["check_links", "find_link_parts", "unquote_tags"]

_QUOTED = re.compile(r"%7B(?:%7B.*?%7D%7D|%25.*?%25%7D)", re.IGNORECASE)


def find_link_parts(package: Package, parts: Iterable[str]) -> Iterator[str]:
    """Yield the relation parts of these parts in which a hyperlink's address has a tag."""
    for part in parts:
        name = package.find_name(relationships_name(part))
        if name and any(map(_has_tag, _addresses(package, part).values())):
            yield name


def _addresses(package: Package, part: str) -> dict[str, str]:
    """Return the addresses of a part's hyperlinks by id."""
    return {
        relation.id: relation.target
        for relation in read_relationships(package, part)
        if relation.external and relation.type == "hyperlink"
    }


def _has_tag(target: str) -> bool:
    return "{{" in target or "{%" in target or _QUOTED.search(target) is not None


def unquote_tags(root: Any) -> None:
    """Write the tags in addresses as their author typed them."""
    for relation in root:
        target = relation.get("Target", "")
        relation.set("Target", _QUOTED.sub(lambda found: unquote(found.group()), target))


def check_links(package: Package, relations: str, xml: str) -> None:
    """TemplateError GF219 where an address that data has filled in does more than open a page, a mail or a file here.

    relations: the name of the relation part that `xml` is, filled in.
    """
    part = re.sub(r"_rels/(.*)\.rels$", r"\1", relations)
    issues = []
    for number, target in _addresses(package, part).items():
        if not _has_tag(target):
            continue
        found = re.search(rf'<[^<>]*\bId="{re.escape(number)}"[^<>]*>', xml)
        filled = re.search(r'\bTarget="([^"]*)"', found.group()) if found else None
        if filled is None or not is_web_link(filled[1]):
            place = Place(package.name, path=(part.rpartition("/")[2].rpartition(".")[0], "hyperlink"))
            shown = filled[1][:120] if filled else ""
            fact = Text(f"the hyperlink {shown!r} opens a file or program", f"超链接 {shown!r} 会打开文件或程序")
            issues.append(Issue("GF219", "error", place, fact, Text("give a web address", "请提供网址")))
    if issues:
        raise TemplateError(issues)
