"""Hyperlinks whose address has tags: it stands in the relations of a part, where Word writes `{{` as `%7B%7B`.

An address is filled in once for a document. Where each round of a loop has one of its own, the data brings a RichText.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from gfdocs.engine.package import Package, Relationship, read_relationships, relationships_name, safe_xml
from gfdocs.engine.reaching import is_web_link
from gfdocs.errors import Issue, Place, TemplateError, Text

__all__ = ["check_links", "find_link_parts", "unquote_tags"]

_QUOTED = re.compile(r"%7B(?:%7B.*?%7D%7D|%25.*?%25%7D)", re.IGNORECASE)


def find_link_parts(package: Package, parts: Iterable[str]) -> Iterator[str]:
    """Yield the relation parts of these parts in which a hyperlink's address has a tag."""
    for part in parts:
        name = package.find_name(relationships_name(part))
        if name and any(map(_is_filled, read_relationships(package, part))):
            yield name


def _is_filled(relation: Relationship) -> bool:
    """Tell whether this is a hyperlink to outside whose address has a tag."""
    if not relation.external or relation.type != "hyperlink":
        return False
    target = relation.target
    return "{{" in target or "{%" in target or _QUOTED.search(target) is not None


def unquote_tags(root: Any, place: Place) -> None:
    """Write the tags in the addresses of hyperlinks as their author typed them.

    TemplateError GF315 where a tag stands anywhere else: it would decide what the file fetches, behind the back of
    who looked at the template when it was opened. Braces in the target of another relation are no tag.
    """
    for element in root.iter():
        attributes = dict(element.attrib) if isinstance(element.tag, str) else {}
        target = attributes.pop("Target", "")
        if attributes.get("Type", "").endswith("/hyperlink") and attributes.get("TargetMode") == "External":
            element.set("Target", _QUOTED.sub(lambda found: unquote(found.group()), target))
        elif "{" in target:
            element.set("Target", target.replace("{", "%7B").replace("}", "%7D"))
        # The name of an attribute with a prefix begins with a brace too: nothing else may pass for an address.
        if any("{" in text for text in (*attributes, *attributes.values(), element.text or "", element.tail or "")):
            fact = Text("a tag decides what the file is linked to", "标签会决定文件链接到的内容")
            hint = Text("only the address of a hyperlink may have a tag", "标签只能写在超链接的地址中")
            raise TemplateError(Issue("GF315", "error", place, fact, hint))


def check_links(package: Package, relations: str, xml: str) -> None:
    """TemplateError GF219 where an address that data has filled in does more than open a page, a mail or a file here.

    relations: the name of the relation part that `xml` is, filled in.
    """
    part = re.sub(r"_rels/(.*)\.rels$", r"\1", relations)
    filled = safe_xml(xml.encode(), name=package.name, part=relations).iterchildren(tag="{*}Relationship")
    issues = []
    for relation, element in zip(read_relationships(package, part), filled, strict=True):
        address = element.get("Target", "")
        if _is_filled(relation) and not is_web_link(address):
            place = Place(package.name, path=(part.rpartition("/")[2].rpartition(".")[0], "hyperlink"))
            shown = address[:120]
            fact = Text(f"the hyperlink {shown!r} opens a file or program", f"超链接 {shown!r} 会打开文件或程序")
            issues.append(Issue("GF219", "error", place, fact, Text("give a web address", "请提供网址")))
    if issues:
        raise TemplateError(issues)
