"""Pictures from data in the drawing of their sheet."""

from __future__ import annotations

from typing import Any

from gfdocs.engine.xlsx.around.parts import Parts
from gfdocs.engine.xlsx.rows.pictures import PlacedPicture
from gfdocs.engine.xlsx.template.sheet import escape_attribute

_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing"
_MAIN = "http://schemas.openxmlformats.org/drawingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DRAWING_TYPE = "application/vnd.openxmlformats-officedocument.drawing+xml"
_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif"}


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
