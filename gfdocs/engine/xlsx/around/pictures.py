"""Pictures from data: a logo, a QR code, set at the corner of a cell."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gfdocs.engine.xlsx.around.parts import Parts
from gfdocs.engine.xlsx.rows.values import CellFault
from gfdocs.engine.xlsx.template.sheet import escape_attribute
from gfdocs.errors import Text

_EMU_MM = 36_000
_MM_PIXEL = 25.4 / 96
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.drawing+xml"
_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}


@dataclass(frozen=True)
class Picture:
    """A PNG, JPEG or GIF for a cell that is one `{{ }}`: the bytes of the file, or its path.

    `width` and `height` are in mm; where one is missing it follows from the other, where both are, 96 pixels make an
    inch.
    """

    source: bytes | str | Path = field(repr=False)
    width: float | None = None
    height: float | None = None
    description: str = ""

    def read(self) -> bytes:
        """Return the bytes of the file; CellFault GF270 where it cannot be read."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            return Path(self.source).read_bytes()
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise CellFault("GF270", Text(f"the picture {str(self.source)!r} cannot be read: {reason}", f"图片“{self.source}”无法读取：{reason}")) from None  # fmt: skip

    def __str__(self) -> str:
        return ""


def read_size(data: bytes) -> tuple[str, int, int]:
    """Return (kind, width, height in pixels) of a picture; CellFault GF270 where it is no PNG, JPEG or GIF, or a PNG
    that was cut off.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and b"IEND" in data[-64:]:
            return "png", *struct.unpack(">II", data[16:24])
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return "gif", *struct.unpack("<HH", data[6:10])
        if data.startswith(b"\xff\xd8"):
            return "jpeg", *_read_jpeg_size(data)
    except (struct.error, IndexError):
        pass
    fact = Text("the picture is no whole PNG, JPEG or GIF", "图片不是完整的 PNG、JPEG 或 GIF")
    raise CellFault("GF270", fact, Text("convert it to PNG", "请转换为 PNG"))


def _read_jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise IndexError


def get_extent(picture: Picture, width: int, height: int) -> tuple[int, int]:
    """Return the size on the sheet in EMU."""
    w, h = picture.width, picture.height
    if w is None and h is None:
        w, h = width * _MM_PIXEL, height * _MM_PIXEL
    elif w is None:
        assert h is not None
        w = h * width / max(1, height)
    elif h is None:
        h = w * height / max(1, width)
    assert h is not None
    return max(1, round(w * _EMU_MM)), max(1, round(h * _EMU_MM))


@dataclass(frozen=True)
class PlacedPicture:
    column: int
    row: int
    picture: Picture
    data: bytes
    kind: str
    extent: tuple[int, int]


def place_picture(picture: Picture, column: int, row: int) -> PlacedPicture:
    """Return the picture at an output cell (counting from 1); CellFault where it is none."""
    data = picture.read()
    kind, width, height = read_size(data)
    return PlacedPicture(column, row, picture, data, kind, get_extent(picture, width, height))


def write_pictures(parts: Parts, sheet_part: str, pictures: list[PlacedPicture]) -> str | None:
    """Add the pictures to the sheet's drawing; return the relation id of a drawing that had to be made, else None."""
    from lxml import etree

    drawing = next((r.target for r in parts.relations(sheet_part) if r.type == "drawing"), None)
    new_id = None
    if drawing is None:
        drawing = parts.new_name("xl/drawings/drawing{}.xml")
        text = f'<xdr:wsDr xmlns:xdr="{_DRAWING}" xmlns:a="{_MAIN}"/>'
        parts.add(drawing, text.encode(), DRAWING_TYPE)
        new_id = parts.relate(sheet_part, "drawing", drawing)
    root = parts.parse(drawing)
    used = [
        int(e.get("id", "0"))
        for e in root.iter()
        if isinstance(e.tag, str) and e.tag.endswith("}cNvPr") and e.get("id", "0").isdigit()
    ]
    number = max(used, default=1)
    images: dict[bytes, str] = {}
    for placed in pictures:
        number += 1
        relation = images.get(placed.data)
        if relation is None:
            extension = "jpg" if placed.kind == "jpeg" else placed.kind
            name = parts.new_name("xl/media/image{}." + extension)
            parts.add(name, placed.data, _TYPES[placed.kind], is_picture=True)
            parts.extensions[extension] = _TYPES[placed.kind]
            relation = images[placed.data] = parts.relate(drawing, "image", name)
        root.append(etree.fromstring(_anchor(placed, relation, number)))
    parts.write_tree(drawing, root)
    return new_id


def _anchor(placed: PlacedPicture, relation: str, number: int) -> str:
    width, height = placed.extent
    words = escape_attribute(placed.picture.description)
    return (
        f'<xdr:oneCellAnchor xmlns:xdr="{_DRAWING}" xmlns:a="{_MAIN}" xmlns:r="{_OFFICE}">'
        f"<xdr:from><xdr:col>{placed.column - 1}</xdr:col><xdr:colOff>0</xdr:colOff>"
        f"<xdr:row>{placed.row - 1}</xdr:row><xdr:rowOff>0</xdr:rowOff></xdr:from>"
        f'<xdr:ext cx="{width}" cy="{height}"/><xdr:pic><xdr:nvPicPr>'
        f'<xdr:cNvPr id="{number}" name="Picture {number}" descr="{words}"/>'
        '<xdr:cNvPicPr><a:picLocks noChangeAspect="1"/></xdr:cNvPicPr></xdr:nvPicPr>'
        f'<xdr:blipFill><a:blip r:embed="{relation}"/><a:stretch><a:fillRect/></a:stretch></xdr:blipFill>'
        f'<xdr:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{width}" cy="{height}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/></xdr:oneCellAnchor>'
    )


def add_drawing_element(root: Any, relation: str) -> Any:
    """Put `<drawing r:id>` where the schema wants it in a worksheet, and return it."""
    from lxml import etree

    from gfdocs.engine.xlsx.template.workbook import local_name, namespace_of

    namespace = namespace_of(root)
    element = etree.Element(f"{namespace}drawing", {f"{{{_OFFICE}}}id": relation})
    after = {
        "drawingHF",
        "legacyDrawing",
        "legacyDrawingHF",
        "picture",
        "oleObjects",
        "controls",
        "webPublishItems",
        "tableParts",
        "extLst",
    }
    place = next((i for i, item in enumerate(root) if local_name(item) in after), len(root))
    root.insert(place, element)
    return element
