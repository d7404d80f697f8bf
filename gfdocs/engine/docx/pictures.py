"""Pictures put into a document while it is rendered: the media part, its relation, its content type, its drawing.

Source: ECMA-376 part 1, 20.4 (DrawingML in WordprocessingML). Sizes are EMU, 914,400 to the inch.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gfdocs.engine.language import Unfit, escape_xml
from gfdocs.engine.package import CONTENT_TYPES, Member, deflate, relationships_name, store

_IMAGE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
_HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"
_RELS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_EMPTY_RELS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>'
)

_INLINE = (
    '<wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
    ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ">"
    '<wp:extent cx="{cx}" cy="{cy}"/><wp:docPr id="{id}" name="Picture {id}"{descr}>{link}</wp:docPr>'
    '<wp:cNvGraphicFramePr><a:graphicFrameLocks noChangeAspect="1"/></wp:cNvGraphicFramePr>'
    '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
    '<pic:nvPicPr><pic:cNvPr id="{id}" name="{file}">{link}</pic:cNvPr><pic:cNvPicPr/></pic:nvPicPr>'
    '<pic:blipFill><a:blip r:embed="{rid}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
    '<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{cx}" cy="{cy}"/></a:xfrm>'
    '<a:prstGeom prst="rect"/></pic:spPr>'
    "</pic:pic></a:graphicData></a:graphic></wp:inline>"
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file: its bytes, name in the package, type, and natural size in EMU."""

    data: bytes = field(repr=False)
    name: str
    content_type: str
    width: int
    height: int


@lru_cache(maxsize=64)
def _read_picture(data: bytes, name: str) -> Picture:
    from docx.image.exceptions import InvalidImageStreamError, UnexpectedEndOfFileError, UnrecognizedImageError
    from docx.image.image import Image

    try:
        image = Image.from_blob(data)
    except (UnrecognizedImageError, InvalidImageStreamError, UnexpectedEndOfFileError) as fault:
        raise Unfit(f"not a picture that Word shows: {name}", f"不是 Word 支持的图片：{name}") from fault
    except Exception as fault:  # a damaged file fails wherever its reader trusts it
        raise Unfit(f"a damaged picture: {name}", f"图片已损坏：{name}") from fault
    if image.width <= 0 or image.height <= 0:
        raise Unfit(f"a picture without width or height: {name}", f"图片宽或高为零：{name}")
    digest = hashlib.sha256(data).hexdigest()[:16]
    return Picture(data, f"word/media/gf-{digest}.{image.ext}", image.content_type, int(image.width), int(image.height))


def load_picture(source: Any) -> Picture:
    """Return the picture of a path, of bytes or of an open file; Unfit where it is none."""
    if isinstance(source, bytes | bytearray):
        return _read_picture(bytes(source), "bytes")
    if hasattr(source, "read"):
        if hasattr(source, "seek"):
            source.seek(0)
        return _read_picture(source.read(), str(getattr(source, "name", "file")))
    path = Path(source)
    try:
        return _read_picture(path.read_bytes(), path.name)
    except OSError as fault:
        reason = fault.strerror or str(fault)
        raise Unfit(
            f"picture {str(path)!r} cannot be read: {reason}", f"图片 {str(path)!r} 无法读取：{reason}"
        ) from fault


def _scale(picture: Picture, width: Any, height: Any) -> tuple[int, int]:
    """Return the size in EMU; one given side keeps the proportions."""
    if width is None and height is None:
        return picture.width, picture.height
    if width is None:
        return round(picture.width * int(height) / picture.height), int(height)
    if height is None:
        return int(width), round(picture.height * int(width) / picture.width)
    return int(width), int(height)


@dataclass
class PartPictures:
    """The pictures and links that one part gains in one render. `known` are the relation ids it has already."""

    part: str
    known: frozenset[str]
    media: dict[str, Picture] = field(default_factory=dict)
    relations: dict[str, tuple[str, str, bool]] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    count: int = 0

    def _relate(self, kind: str, target: str, external: bool) -> str:
        found = self._ids.get(target)
        if found is None:
            number = len(self.relations) + 1
            while f"rIdGf{number}" in self.known:
                number += 1
            found = self._ids[target] = f"rIdGf{number}"
            self.relations[found] = (kind, target, external)
        return found

    def add(self, value: Any) -> str:
        """Return the drawing of an InlineImage (docxtpl's or ours)."""
        picture = load_picture(value.image_descriptor)
        self.media[picture.name] = picture
        rid = self._relate(_IMAGE, "/" + picture.name, False)
        cx, cy = _scale(picture, value.width, value.height)
        self.count += 1
        link = ""
        if getattr(value, "anchor", None):
            link = f'<a:hlinkClick r:id="{self._relate(_HYPERLINK, str(value.anchor), True)}"/>'
        descr = getattr(value, "description", None)
        return _INLINE.format(
            cx=cx, cy=cy, id=900_000 + self.count, rid=rid, link=link, file=picture.name.rpartition("/")[2],
            descr=f' descr="{escape_xml(str(descr))}"' if descr else "",
        )  # fmt: skip

    def relate_link(self, url: str) -> str:
        """Return the id of the relation to a page; links to the same page have the same one."""
        return self._relate(_HYPERLINK, url, True)

    def add_link(self, rid: str, url: str) -> None:
        self.relations[rid] = (_HYPERLINK, url, True)


def write_relations(source: bytes | None, relations: dict[str, tuple[str, str, bool]], part: str) -> Member:
    """Return the relations of a part with these added."""
    text = (source or _EMPTY_RELS.encode()).decode("utf-8-sig")
    added = "".join(
        f'<Relationship Id="{rid}" Type="{kind}" Target="{escape_xml(target)}"'
        + (' TargetMode="External"/>' if external else "/>")
        for rid, (kind, target, external) in relations.items()
    )
    if re.search(r"<Relationships\b[^>]*/>", text):
        text = re.sub(
            r"(<Relationships\b[^>]*?)\s*/>", lambda found: f"{found[1]}>{added}</Relationships>", text, count=1
        )
    else:
        head, _, tail = text.rpartition("</")
        text = f"{head}{added}</{tail}"
    return deflate(relationships_name(part), text.encode())


def write_content_types(source: bytes, pictures: Iterable[Picture]) -> Member | None:
    """Return `[Content_Types].xml` with the types of these pictures, or None where it has them all."""
    text = source.decode("utf-8-sig")
    known = {found.casefold() for found in re.findall(r'Extension="([^"]*)"', text)}
    added = ""
    for picture in pictures:
        extension = picture.name.rpartition(".")[2]
        if extension.casefold() not in known:
            known.add(extension.casefold())
            added += f'<Default Extension="{extension}" ContentType="{picture.content_type}"/>'
    if "rels" not in known:
        added += f'<Default Extension="rels" ContentType="{_RELS_TYPE}"/>'
    if not added:
        return None
    text = re.sub(r"<Types\b[^>]*>", lambda found: found.group() + added, text, count=1)
    return deflate(CONTENT_TYPES, text.encode())


def picture_members(pictures: Iterable[Picture]) -> list[Member]:
    """Return the media parts, stored as they are."""
    return [store(picture.name, picture.data) for picture in pictures]
