"""An outlined drawing as a vector PDF at true size (reportlab, extra `pdf`).

What is drawn: groups, paths and basic shapes, `use`, fills, strokes, opacity, linear and radial gradients. What is not
(filters, masks, patterns, clip paths, pictures, style sheets) is an issue that names it (GF816): nothing is left out in
silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from gfdocs.engine.svg.drawing import Sheet, find_property, format_number, read_number, read_sheet
from gfdocs.engine.svg.safety import SVG, XLINK, split_name
from gfdocs.errors import ConvertError, Issue, Place, Text, errors_of

Colours = Literal["cmyk", "rgb"]
Rgb = tuple[float, float, float]

POINTS_PER_MM = 72 / 25.4
MOST_ELEMENTS = 20_000  # a few nested <use> can ask for billions
_SILENT = frozenset(("defs", "title", "desc", "metadata", "linearGradient", "radialGradient", "symbol", "view"))
_SHAPES = frozenset(("path", "rect", "circle", "ellipse", "line", "polyline", "polygon"))
_UNDRAWN = frozenset(("filter", "mask", "clip-path", "marker-start", "marker-mid", "marker-end"))
_NAMED = {
    "black": "#000000", "white": "#ffffff", "red": "#ff0000", "green": "#008000", "blue": "#0000ff", "gray": "#808080",
    "grey": "#808080", "silver": "#c0c0c0", "gold": "#ffd700", "currentcolor": "#000000",
}  # fmt: skip


def draw_pdf(root: Any, *, name: str, colours: Colours, trim: Sheet, bleed: float | None) -> bytes:
    """Return the PDF of an outlined drawing in mm; ConvertError (GF816) names what cannot be drawn."""
    from io import BytesIO

    from reportlab.pdfgen.canvas import Canvas

    sheet = read_sheet(root, name=name)
    issues = list(_find_undrawn(root, name))
    if errors_of(issues):
        raise ConvertError(issues)
    out = BytesIO()
    size = (sheet.width * POINTS_PER_MM, sheet.height * POINTS_PER_MM)
    canvas = Canvas(out, pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle(root.findtext(f"{{{SVG}}}title", "").strip())
    canvas.setSubject(root.findtext(f"{{{SVG}}}desc", "").strip())
    canvas.setCreator("gfdocs")
    _set_boxes(canvas, sheet, trim, bleed)
    canvas.transform(
        POINTS_PER_MM, 0, 0, -POINTS_PER_MM, -sheet.x * POINTS_PER_MM, (sheet.height + sheet.y) * POINTS_PER_MM
    )
    try:
        _draw_children(root, Painter(canvas, root, colours, iter(range(MOST_ELEMENTS))))
        canvas.showPage()
        canvas.save()
    except (ValueError, LookupError, TypeError, ArithmeticError, RecursionError) as fault:
        # path data, a transform or a number that means nothing; a <use> that contains itself
        fact = Text(f"cannot be drawn: {fault}", f"无法绘制：{fault}")
        raise ConvertError(Issue("GF817", "error", Place(name), fact)) from fault
    return out.getvalue()


def _set_boxes(canvas: Any, sheet: Sheet, trim: Sheet, bleed: float | None) -> None:
    """Set the trim box, and the bleed box where there is a bleed; PDF boxes count from the lower left, in points."""
    for setter, grow in ((canvas.setTrimBox, 0.0), (canvas.setBleedBox, bleed or 0.0)):
        left, right = trim.x - grow - sheet.x, trim.x + trim.width + grow - sheet.x
        bottom = sheet.y + sheet.height - trim.y - trim.height - grow
        top = bottom + trim.height + 2 * grow
        setter(tuple(round(edge * POINTS_PER_MM, 4) for edge in (left, bottom, right, top)))


def _find_undrawn(root: Any, name: str) -> Iterator[Issue]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        local = split_name(element.tag)[1]
        root_or_group = local in ("g", "use", "a", "stop") or element is root
        known = local in _SILENT or local in _SHAPES or root_or_group
        what = [] if known else [f"<{local}>"]
        what += [
            key
            for key in sorted(_UNDRAWN)
            if element.get(key, "none") != "none" or key + ":" in element.get("style", "")
        ]
        for thing in what:
            fact = Text(f"{thing} cannot be drawn in a PDF", f"PDF 中无法绘制 {thing}")
            hint = Text("use paths, basic shapes and gradients", "请改用路径、基本图形和渐变")
            yield Issue("GF816", "error", Place(name, element.sourceline), fact, hint)


@dataclass(frozen=True, slots=True)
class Painter:
    """What drawing needs: the canvas in user units, the tree for references, the colour space."""

    canvas: Any
    root: Any
    colours: Colours
    steps: Iterator[int]

    def find(self, reference: str) -> Any | None:
        """Return the element of `#id` or `url(#id)`, or None."""
        found = re.search(r"#([^'\")\s]+)", reference)
        return next((e for e in self.root.iter() if found and e.get("id") == found.group(1)), None)


def _draw_children(element: Any, painter: Painter) -> None:
    for child in element:
        if isinstance(child.tag, str):
            _draw_element(child, painter)


def _draw_element(element: Any, painter: Painter) -> None:
    local = split_name(element.tag)[1]
    if (
        local in _SILENT
        or find_property(element, "display") == "none"
        or find_property(element, "visibility") == "hidden"
    ):
        return
    if next(painter.steps, None) is None:
        raise ValueError(f"more than {MOST_ELEMENTS} elements")
    canvas = painter.canvas
    canvas.saveState()
    for matrix in read_transform(element.get("transform", "")):
        canvas.transform(*matrix)
    if local in _SHAPES:
        _draw_shape(element, painter)
    elif local == "use":
        target = painter.find(element.get("href") or element.get(f"{{{XLINK}}}href") or "")
        if target is not None:
            canvas.translate(read_number(element.get("x")), read_number(element.get("y")))
            _draw_element(target, painter)
    else:
        _draw_children(element, painter)
    canvas.restoreState()


def read_transform(text: str) -> Iterator[tuple[float, float, float, float, float, float]]:
    """Yield the matrices of an SVG transform list, outermost first."""
    from math import cos, radians, sin, tan

    for kind, inner in re.findall(r"(\w+)\s*\(([^)]*)\)", text):
        n = [float(number) for number in re.findall(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", inner)]
        if kind == "matrix":
            yield (n[0], n[1], n[2], n[3], n[4], n[5])
        elif kind == "translate":
            yield (1, 0, 0, 1, n[0], n[1] if len(n) > 1 else 0)
        elif kind == "scale":
            yield (n[0], 0, 0, n[-1], 0, 0)
        elif kind == "rotate":
            turn, x, y = radians(n[0]), *(n[1:] or [0.0, 0.0])
            c, s = cos(turn), sin(turn)
            yield (c, s, -s, c, x - x * c + y * s, y - x * s - y * c)
        elif kind in ("skewX", "skewY"):
            slant = tan(radians(n[0]))
            yield (1, 0, slant, 1, 0, 0) if kind == "skewX" else (1, slant, 0, 1, 0, 0)


# --- shapes --------------------------------------------------------------------------------------------------------


def shape_path(element: Any) -> str:
    """Return the path data of a shape."""
    local = split_name(element.tag)[1]

    def get(*keys: str) -> list[float]:
        return [read_number(element.get(key)) for key in keys]

    if local == "path":
        return str(element.get("d", ""))
    if local == "rect":
        return _rect_path(*get("x", "y", "width", "height", "rx", "ry"))
    if local in ("circle", "ellipse"):
        x, y, rx, ry = get("cx", "cy", "r", "r") if local == "circle" else get("cx", "cy", "rx", "ry")
        f = format_number
        return f"M{f(x - rx)} {f(y)}A{f(rx)} {f(ry)} 0 0 1 {f(x + rx)} {f(y)}A{f(rx)} {f(ry)} 0 0 1 {f(x - rx)} {f(y)}Z"
    if local == "line":
        x1, y1, x2, y2 = get("x1", "y1", "x2", "y2")
        return f"M{x1} {y1}L{x2} {y2}"
    points = element.get("points", "").strip()
    return f"M{points}{'Z' if local == 'polygon' else ''}" if points else ""


def _rect_path(x: float, y: float, width: float, height: float, rx: float, ry: float) -> str:
    rx, ry = min(rx or ry, width / 2), min(ry or rx, height / 2)
    f = format_number
    if not rx or not ry:
        return f"M{f(x)} {f(y)}H{f(x + width)}V{f(y + height)}H{f(x)}Z"
    arc = f"A{f(rx)} {f(ry)} 0 0 1 "
    return (
        f"M{f(x + rx)} {f(y)}H{f(x + width - rx)}{arc}{f(x + width)} {f(y + ry)}V{f(y + height - ry)}"
        f"{arc}{f(x + width - rx)} {f(y + height)}H{f(x + rx)}{arc}{f(x)} {f(y + height - ry)}V{f(y + ry)}"
        f"{arc}{f(x + rx)} {f(y)}Z"
    )


def _read_path(d: str, canvas: Any) -> tuple[Any, tuple[float, float, float, float]]:
    """Return the reportlab path of SVG path data, and its bounding box (of the control points)."""
    from fontTools.pens.basePen import BasePen
    from fontTools.svgLib.path import parse_path

    if d.strip()[:1] not in ("", "M", "m"):
        raise ValueError(f"path data begins with a move (M): {d.strip()[:20]}")
    path = canvas.beginPath()
    seen: list[tuple[float, float]] = []

    class Pen(BasePen):  # type: ignore[misc]
        """Hands the segments on; quadratic ones arrive here as cubic."""

        def _moveTo(self, point: Any) -> None:  # noqa: N802
            seen.append(point)
            path.moveTo(*point)

        def _lineTo(self, point: Any) -> None:  # noqa: N802
            seen.append(point)
            path.lineTo(*point)

        def _curveToOne(self, first: Any, second: Any, point: Any) -> None:  # noqa: N802
            seen.extend((first, second, point))
            path.curveTo(*first, *second, *point)

        def _closePath(self) -> None:  # noqa: N802
            path.close()

    parse_path(d, Pen(None))
    xs, ys = [x for x, _ in seen] or [0.0], [y for _, y in seen] or [0.0]
    return path, (min(xs), min(ys), max(xs), max(ys))


def _draw_shape(element: Any, painter: Painter) -> None:
    canvas = painter.canvas
    path, box = _read_path(shape_path(element), canvas)
    even_odd = find_property(element, "fill-rule") == "evenodd"
    fill, stroke = find_property(element, "fill") or "#000000", find_property(element, "stroke") or "none"
    opacity = _opacity(element)
    if fill.startswith("url("):
        _fill_gradient(path, box, painter, fill, even_odd)
        fill = "none"
    if fill != "none":
        canvas.setFillColor(_colour(fill, element, painter.colours))
        canvas.setFillAlpha(opacity * read_number(find_property(element, "fill-opacity") or "1"))
    if stroke != "none":
        canvas.setStrokeColor(_colour(stroke, element, painter.colours))
        canvas.setStrokeAlpha(opacity * read_number(find_property(element, "stroke-opacity") or "1"))
        canvas.setLineWidth(read_number(find_property(element, "stroke-width") or "1"))
        canvas.setLineCap({"round": 1, "square": 2}.get(find_property(element, "stroke-linecap") or "", 0))
        canvas.setLineJoin({"round": 1, "bevel": 2}.get(find_property(element, "stroke-linejoin") or "", 0))
        dash = [float(n) for n in re.findall(r"[\d.]+", find_property(element, "stroke-dasharray") or "")]
        canvas.setDash(dash)
    if fill != "none" or stroke != "none":
        canvas.drawPath(path, fill=int(fill != "none"), stroke=int(stroke != "none"), fillMode=int(not even_odd))


def _opacity(element: Any) -> float:
    """Return the product of the opacities of an element and its groups."""
    opacity = 1.0
    while element is not None:
        opacity *= float(element.get("opacity", "1"))
        element = element.getparent()
    return opacity


# --- colours -------------------------------------------------------------------------------------------------------


def read_rgb(text: str) -> Rgb:
    """Return a colour (#rgb, #rrggbb, rgb(…), a few names) as three numbers 0…1; black where it is none of these."""
    word = _NAMED.get(text.strip().lower(), text.strip())
    if re.fullmatch("#[0-9a-fA-F]{3}", word):
        word = "#" + "".join(digit * 2 for digit in word[1:])
    if re.fullmatch("#[0-9a-fA-F]{6}", word):
        return (int(word[1:3], 16) / 255, int(word[3:5], 16) / 255, int(word[5:7], 16) / 255)
    numbers = [float(n) / 255 for n in re.findall(r"[\d.]+", word)[:3]] if word.startswith("rgb") else []
    return (numbers[0], numbers[1], numbers[2]) if len(numbers) == 3 else (0.0, 0.0, 0.0)


def _colour(text: str, element: Any, colours: Colours) -> Any:
    """Return the reportlab colour: a spot colour, the CMYK that is named, or what the RGB converts to."""
    from reportlab.lib.colors import CMYKColor, CMYKColorSep, Color

    named = find_property(element, "data-cmyk")
    spot = find_property(element, "data-spot")
    if colours == "rgb":
        return Color(*read_rgb(text))
    cmyk = [float(n) / 100 for n in (named or "").split()]
    c, m, y, k = cmyk if len(cmyk) == 4 else to_cmyk(read_rgb(text))
    return CMYKColorSep(c, m, y, k, spotName=spot) if spot else CMYKColor(c, m, y, k)


def to_cmyk(rgb: Rgb) -> tuple[float, float, float, float]:
    """Return RGB as CMYK with full black replacement: a grey is black ink alone. No colour profile is applied."""
    k = 1 - max(rgb)
    if k == 1:
        return (0.0, 0.0, 0.0, 1.0)
    c, m, y = (round((1 - part - k) / (1 - k), 4) for part in rgb)
    return (c, m, y, round(k, 4))


def _fill_gradient(
    path: Any, box: tuple[float, float, float, float], painter: Painter, reference: str, even_odd: bool
) -> None:
    """Fill a path with a linear or radial gradient; nothing where the reference leads nowhere."""
    gradient = painter.find(reference)
    if gradient is None:
        return
    stops = [stop for stop in gradient if split_name(stop.tag)[1] == "stop"]
    positions = [_fraction(stop.get("offset", "0")) for stop in stops]
    shades = [_colour(find_property(stop, "stop-color") or "#000000", stop, painter.colours) for stop in stops]
    canvas = painter.canvas
    canvas.saveState()
    canvas.clipPath(path, stroke=0, fill=0, fillMode=int(not even_odd))
    if gradient.get("gradientUnits") != "userSpaceOnUse":
        canvas.transform(box[2] - box[0], 0, 0, box[3] - box[1], box[0], box[1])
    for matrix in read_transform(gradient.get("gradientTransform", "")):
        canvas.transform(*matrix)
    if split_name(gradient.tag)[1] == "linearGradient":
        ends = [
            _fraction(gradient.get(key, default)) for key, default in zip(("x1", "y1", "x2", "y2"), "0010", strict=True)
        ]
        canvas.linearGradient(*ends, shades, positions, extend=True)
    else:
        x, y, radius = (_fraction(gradient.get(key, "0.5")) for key in ("cx", "cy", "r"))
        canvas.radialGradient(x, y, radius, shades, positions, extend=True)
    canvas.restoreState()


def _fraction(text: str) -> float:
    return read_number(text[:-1]) / 100 if text.endswith("%") else read_number(text)
