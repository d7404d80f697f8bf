"""Pictures, embedded files and members that are replaced in a finished document, as docxtpl's `replace_*` do."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from gfdocs.engine.package import (
    Member,
    Package,
    deflate,
    read_package,
    read_relationships,
    safe_xml,
    store,
    write_package,
)
from gfdocs.errors import Issue, Place, TemplateError, Text

_PIC = "{http://schemas.openxmlformats.org/drawingml/2006/picture}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_STORED = (".png", ".jpg", ".jpeg", ".gif", ".docx", ".xlsx", ".pptx", ".zip")


@dataclass
class Replacements:
    """What is replaced: pictures by name, media and embedded files by the checksum of the old, members by name."""

    pictures: dict[str, bytes] = field(default_factory=dict)
    media: dict[int, bytes] = field(default_factory=dict)
    embedded: dict[int, bytes] = field(default_factory=dict)
    members: dict[str, bytes] = field(default_factory=dict)

    def add_media(self, old: bytes, new: bytes) -> None:
        self.media[zlib.crc32(old)] = new

    def add_embedded(self, old: bytes, new: bytes) -> None:
        self.embedded[zlib.crc32(old)] = new

    def apply(self, data: bytes, name: str, *, allow_missing: bool = False) -> bytes:
        """Return the document with all replaced; TemplateError GF217 for a picture it does not have."""
        if not (self.pictures or self.media or self.embedded or self.members):
            return data
        package = read_package(data, name=name)
        by_name = dict(self.members)
        found = self._find_pictures(package)
        for wanted, new in self.pictures.items():
            targets = found.get(wanted, [])
            if not targets and not allow_missing:
                raise TemplateError(_no_picture(name, wanted))
            by_name.update(dict.fromkeys(targets, new))
        return write_package(self._member(member, by_name) for member in package.members)

    def _find_pictures(self, package: Package) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if self.pictures:
            for keys, target in _picture_parts(package):
                for key in keys:
                    found.setdefault(key, []).append(target)
        return found

    def _member(self, member: Member, by_name: dict[str, bytes]) -> Member:
        new = by_name.get(member.name)
        if new is None and member.name.startswith("word/media/"):
            new = self.media.get(member.crc)
        if new is None and member.name.startswith("word/embeddings/"):
            new = self.embedded.get(member.crc)
        if new is None:
            return member
        return (store if member.name.lower().endswith(_STORED) else deflate)(member.name, new)


def _picture_parts(package: Package) -> Iterator[tuple[list[str], str]]:
    """Yield (name, title and description, media part) of every picture in document, headers and footers."""
    for part in package.names:
        if not (part.startswith("word/") and part.endswith(".xml")) or b"<pic:pic" not in (data := package.read(part)):
            continue
        targets = {relation.id: relation.target for relation in read_relationships(package, part)}
        for picture in safe_xml(data, name=package.name, part=part).iter(_PIC + "pic"):
            blip = picture.find(f"{_PIC}blipFill/{_A}blip")
            properties = picture.find(f"{_PIC}nvPicPr/{_PIC}cNvPr")
            target = targets.get(blip.get(_R + "embed") or "") if blip is not None else None
            if target and properties is not None:
                keys = [properties.get(key) or "" for key in ("name", "title", "descr")]
                yield [key for key in keys if key], target


def _no_picture(name: str, wanted: str) -> Issue:
    return Issue(
        "GF217", "error", Place(name), Text(f'there is no picture "{wanted}"', f"文档中没有图片“{wanted}”")
    )  # fmt: skip
