"""Hyperlinks whose address has tags: it stands in the relations of a part, where Word writes `{{` as `%7B%7B`.

Their addresses are taken out of the relations when the template is opened, and written where the links stand: so each
round of a loop fills in its own. What it comes to is related while the part is rendered (`relate`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lxml import etree

from gfdocs.engine.docx.values import STATE
from gfdocs.engine.language import Unfit
from gfdocs.engine.package import Package, Relationship, deflate, read_relationships, relationships_name, safe_xml
from gfdocs.engine.reaching import is_web_link
from gfdocs.engine.written import to_text
from gfdocs.errors import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["drop_links", "find_links", "relate", "write_addresses"]

_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_QUOTED = re.compile(r"%7B(?:%7B.*?%7D%7D|%25.*?%25%7D)", re.IGNORECASE)


def find_links(package: Package, part: str) -> dict[str, str]:
    """Return the addresses with tags that hyperlinks of a part lead to, by the id of their relation, as typed."""
    if relationships_name(part) not in package:
        return {}
    return {
        relation.id: _QUOTED.sub(lambda found: unquote(found.group()), relation.target)
        for relation in read_relationships(package, part)
        if _is_filled(relation)
    }


def _is_filled(relation: Relationship) -> bool:
    """Tell whether this is a hyperlink to outside whose address has a tag; one of any other relation is none."""
    if not relation.external or relation.type != "hyperlink":
        return False
    target = relation.target
    return "{{" in target or "{%" in target or _QUOTED.search(target) is not None


def drop_links(package: Package, links: Mapping[str, Mapping[str, str]]) -> Package:
    """Return the package without these relations (part -> id -> address): each render brings its own."""
    dropped = {relationships_name(part): ids for part, ids in links.items() if ids}

    def change(name: str, data: bytes) -> bytes:
        root = safe_xml(data, name=package.name, part=name)
        for relation in [child for child in root if child.get("Id") in dropped[name]]:
            root.remove(relation)
        changed: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
        return changed

    members = (
        deflate(member.name, change(member.name, member.read())) if member.name in dropped else member
        for member in package.members
    )
    return replace(package, members=tuple(members)) if dropped else package


def write_addresses(root: Any, links: Mapping[str, str]) -> None:
    """Put the address of each of these links (by id) where the link stands; `gf` names the attribute it is in."""
    for element in root.iter():
        names = [name for name, value in element.attrib.items() if name.startswith(_R) and value in links]
        for name in names:
            element.set(name, links[element.get(name)])
            element.set("gf", etree.QName(name).localname)


def relate(address: Any) -> str:
    """Return the id of the relation to an address that data has filled in.

    Unfit where it does more than open a web page, a mail, or a file beside the document.
    """
    url = str(to_text(address))
    if not is_web_link(url):
        shown = url[:120]
        raise Unfit(
            f"the hyperlink {shown!r} opens a file or program",
            f"超链接 {shown!r} 会打开文件或程序",
            Text("give a web address", "请提供网址"),
        )
    pictures = STATE.get().pictures
    if pictures is None:
        raise Unfit("a hyperlink cannot stand in this part", "此部件不能含超链接")
    return pictures.relate_link(url)
