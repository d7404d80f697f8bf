"""A finished drawing as a tree: reading it, its true size, crop marks and bleed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gfdocs.engine.svg.safety import SVG
from gfdocs.errors import ConvertError, Issue, Place, Text


def parse_drawing(svg: bytes, *, name: str) -> Any:
    """Return the root of a drawing; ConvertError where it is not SVG."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(svg, parser)
    except etree.XMLSyntaxError as fault:
        fact = Text(f"not well-formed: {fault.msg}", f"不是合法的 XML：{fault.msg}")
        raise ConvertError(Issue("GF814", "error", Place(name), fact)) from fault
    if root.tag != f"{{{SVG}}}svg" or root.getroottree().docinfo.internalDTD is not None:
        fact = Text("expected an SVG drawing without a DTD", "应为不含 DTD 的 SVG 图形")
        raise ConvertError(Issue("GF814", "error", Place(name), fact))
    return root


def find_property(element: Any, name: str) -> str | None:
    """Return a presentation property of an element, by its style, its attribute or inheritance."""
    while element is not None and isinstance(element.tag, str):
        style = element.get("style")
        found = re.search(rf"(?:^|;)\s*{re.escape(name)}\s*:\s*([^;]+)", style) if style else None
        value = found.group(1).strip() if found else element.get(name)
        if value is not None and value != "inherit":
            return str(value)
        element = element.getparent()
    return None


_WEIGHTS = {"normal": 400, "bold": 700, "lighter": 300, "bolder": 700}
_GENERIC = frozenset(("serif", "sans-serif", "monospace", "cursive", "fantasy", "system-ui"))


def find_families(element: Any) -> tuple[str, ...]:
    """Return the font families asked for, in order, without the generic ones."""
    names = [name.strip().strip("'\"") for name in (find_property(element, "font-family") or "").split(",")]
    return tuple(name for name in names if name and name not in _GENERIC)


def find_weight(element: Any) -> int:
    """Return the font weight, 100 to 900."""
    weight = find_property(element, "font-weight") or "normal"
    return _WEIGHTS.get(weight) or int(read_number(weight)) or 400


@lru_cache(1024)
def read_number(text: str | None) -> float:
    """Return a plain number or one in px as user units; 0 for none, normal and what is not finite."""
    found = re.fullmatch(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(?:px)?\s*", text or "", re.IGNORECASE)
    number = float(found.group(1)) if found else 0.0
    return number if abs(number) < 1e9 else 0.0


def format_number(number: float) -> str:
    """A length to 0.001 user unit, without trailing zeros."""
    text = f"{number:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def write_drawing(root: Any) -> bytes:
    """Return the drawing as UTF-8 with an XML declaration and no namespace that it does not use."""
    from lxml import etree

    etree.cleanup_namespaces(root)
    serialised: bytes = etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")
    return serialised + b"\n"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The trim size of a drawing in mm, and its origin in user units; one user unit is 1 mm."""

    width: float
    height: float
    x: float = 0.0
    y: float = 0.0


def read_sheet(root: Any, *, name: str = "drawing.svg") -> Sheet:
    """Return the trim size; ConvertError unless the drawing is 1:1 in mm (width and height equal to the viewBox)."""
    sizes = [re.fullmatch(r"\s*([\d.]+)\s*mm\s*", root.get(key, "")) for key in ("width", "height")]
    box = [float(number) for number in re.findall(r"[-+]?[\d.]+", root.get("viewBox", ""))]
    width, height = (float(size.group(1)) if size else 0.0 for size in sizes)
    if len(box) != 4 or abs(box[2] - width) > 1e-6 or abs(box[3] - height) > 1e-6 or not width or not height:
        found = f'width="{root.get("width")}" height="{root.get("height")}" viewBox="{root.get("viewBox")}"'
        fact = Text(f"the drawing is not 1:1 in mm: {found}", f"图形不是以毫米为单位的 1:1 尺寸：{found}")
        hint = Text(
            'use width="600mm" height="400mm" viewBox="0 0 600 400"',
            "应为 width=“600mm” height=“400mm” viewBox=“0 0 600 400”",
        )
        raise ConvertError(Issue("GF815", "error", Place(name), fact, hint))
    return Sheet(width, height, box[0], box[1])


def add_marks(svg: bytes, *, bleed: float = 3.0, mark: float = 10.0, name: str = "drawing.svg") -> bytes:
    """Return the drawing on a larger sheet: `bleed` mm shown beyond the trim, crop marks of `mark` mm, a slug line.

    The template must draw its ground beyond the trim for the bleed to be filled. The slug, outside the trim, is the
    drawing's <title> and true size.
    """
    from lxml import etree

    root = parse_drawing(svg, name=name)
    trim = read_sheet(root, name=name)
    margin = bleed + 2 + mark
    left, top = trim.x - margin, trim.y - margin
    width, height = trim.width + 2 * margin, trim.height + 2 * margin
    root.set("width", f"{format_number(width)}mm")
    root.set("height", f"{format_number(height)}mm")
    root.set("viewBox", " ".join(map(format_number, (left, top, width, height))))
    group = etree.SubElement(root, f"{{{SVG}}}g", id="marks", fill="none", stroke="#000000")
    group.set("stroke-width", "0.25")
    group.set("data-cmyk", "0 0 0 100")
    _add_frame(group, trim, bleed, margin)
    etree.SubElement(group, f"{{{SVG}}}path", d=_mark_lines(trim, bleed + 2, mark))
    _add_slug(group, root, trim, bleed + 2 + mark / 2)
    return write_drawing(root)


def _add_slug(group: Any, root: Any, trim: Sheet, gap: float) -> None:
    """Write the title, the note and the true size below the trim."""
    from lxml import etree

    said = [root.findtext(f"{{{SVG}}}{tag}", "").strip() for tag in ("title", "desc")]
    words = [*filter(None, said), f"{format_number(trim.width)} × {format_number(trim.height)} mm"]
    slug = etree.SubElement(group, f"{{{SVG}}}text", fill="#000000", stroke="none")
    slug.attrib.update(
        {"x": format_number(trim.x + 15), "y": format_number(trim.y + trim.height + gap + 1), "font-size": "4"}
    )
    slug.text = "　".join(words)


def _add_frame(group: Any, trim: Sheet, bleed: float, margin: float) -> None:
    """Cover in white what the drawing has beyond its bleed, so that marks stand on clean paper."""
    from lxml import etree

    def ring(grow: float) -> str:
        x, y, width, height = (
            format_number(n) for n in (trim.x - grow, trim.y - grow, trim.width + 2 * grow, trim.height + 2 * grow)
        )
        return f"M{x} {y}h{width}v{height}H{x}Z"

    frame = etree.SubElement(group, f"{{{SVG}}}path", d=ring(margin) + ring(bleed), fill="#ffffff", stroke="none")
    frame.set("data-cmyk", "0 0 0 0")
    frame.set("fill-rule", "evenodd")


def _mark_lines(trim: Sheet, gap: float, mark: float) -> str:
    """Return the eight crop marks at the corners of the trim, beginning `gap` mm outside it."""
    lines = []
    for x, out_x in ((trim.x, -1), (trim.x + trim.width, 1)):
        for y, out_y in ((trim.y, -1), (trim.y + trim.height, 1)):
            lines.append(f"M{format_number(x + out_x * gap)} {format_number(y)}h{format_number(out_x * mark)}")
            lines.append(f"M{format_number(x)} {format_number(y + out_y * gap)}v{format_number(out_y * mark)}")
    return "".join(lines)
