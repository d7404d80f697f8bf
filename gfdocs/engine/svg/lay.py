"""Setting the texts of a rendered drawing: every <text gf:fit="…"> gets its lines, size and condensation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gfdocs.engine.svg.drawing import find_families, find_property, find_weight, format_number, read_number
from gfdocs.engine.svg.fit import Fit, Fitted, em_width, fit_text
from gfdocs.engine.svg.safety import GF, SVG, is_editor_note, split_name
from gfdocs.errors import Issue, Place, Text

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet

_NUMBERS = {
    "fit": "width",
    "min": "smallest",
    "smallest": "smallest",
    "condense": "condense",
    "leading": "leading",
    "height": "height",
}
_ALIGNS = ("middle", "top", "bottom")
# The middle of a CJK character lies 0.38 em above the baseline (em box from −0.12 to 0.88).
_MIDDLE_EM = 0.38


def find_fit_texts(root: Any) -> Iterator[Any]:
    """Yield each element that asks to be fitted."""
    yield from (element for element in root.iter() if isinstance(element.tag, str) and f"{{{GF}}}fit" in element.attrib)


def read_fit(element: Any) -> Fit:
    """Return what a text may do to fit; ValueError with both languages (Text) where an attribute is wrong."""
    if split_name(element.tag) != (SVG, "text") or len(_parts(element)) > 1:
        raise ValueError(Text("gf:fit is for a <text> with one piece of text", "gf:fit 只能用于仅含一段文字的 <text>"))
    if read_number(find_property(element, "font-size")) <= 0:
        raise ValueError(
            Text(
                "gf:fit needs a font-size in user units on the text or its group",
                "使用 gf:fit 时，文字或其组须给出以用户单位表示的 font-size",
            )
        )
    values: dict[str, Any] = {"width": 0.0}
    for key, value in element.attrib.items():
        namespace, local = split_name(key)
        if namespace == GF and local != "align" and not local.startswith("set-"):
            values |= _read_number(local, value)
    if element.get(f"{{{GF}}}align", "middle") not in _ALIGNS:
        raise ValueError(Text("gf:align is middle, top or bottom", "gf:align 只能是 middle、top 或 bottom"))
    return Fit(**values)


def _read_number(local: str, value: str) -> dict[str, float | int]:
    if local == "lines" and value.strip().isascii() and value.strip().isdigit() and 1 <= int(value) <= 6:
        return {"lines": int(value)}
    number = read_number(value)
    if local not in _NUMBERS or number <= 0 or (local == "condense" and number > 1):
        fact = Text(f'gf:{local}="{value}" is not an amount gf:fit knows', f"gf:{local}=“{value}”不是有效的取值")
        raise ValueError(fact)
    return {_NUMBERS[local]: number}


def _parts(element: Any) -> list[Any]:
    """Return the elements that hold text: the <text> itself, or its one <tspan> as drawing programs write it."""
    children = [child for child in element if isinstance(child.tag, str)]
    own = [element] if (element.text or "").strip() or any((child.tail or "").strip() for child in children) else []
    deeper = [child for child in children if len(child) or split_name(child.tag)[1] != "tspan"]
    return [*own, *children, *deeper]


def fit_texts(root: Any, *, name: str, fonts: FontSet | None = None) -> list[Issue]:
    """Set every text that asks for it, in place; return an issue (GF244) for each that cannot fit, with the text."""
    issues = []
    for element in list(find_fit_texts(root)):
        place = Place(name, element.sourceline)
        try:
            fit = read_fit(element)
        except ValueError as fault:
            issues.append(bad_fit(place, fault.args[0]))
            continue
        text = " ".join("".join(element.itertext()).split())
        size = read_number(find_property(element, "font-size"))
        fitted = _fit(text, size, fit, element, fonts)
        if fitted is None:
            issues.append(_cannot_fit(place, text, fit))
        else:
            _set_text(element, fitted, size, fit)
    return issues


def bad_fit(place: Place, fact: Text) -> Issue:
    hint = Text(
        'e.g. gf:fit="500" gf:lines="2" gf:condense="0.85" gf:smallest="14"',
        "例如 gf:fit=“500” gf:lines=“2” gf:condense=“0.85” gf:smallest=“14”",
    )
    return Issue("GF243", "error", place, fact, hint)


def _cannot_fit(place: Place, text: str, fit: Fit) -> Issue:
    width, lines = format_number(fit.width), fit.lines
    fact = Text(
        f'"{text}" does not fit {width} mm in {lines} line(s)', f"“{text}”在 {width} 毫米宽、{lines} 行之内放不下"
    )
    hint = Text(
        "shorten it, or give gf:fit more width, lines or a smaller gf:smallest",
        "请缩短文字，或放宽 gf:fit、gf:lines、gf:smallest",
    )
    return Issue("GF244", "error", place, fact, hint)


def _fit(text: str, size: float, fit: Fit, element: Any, fonts: FontSet | None) -> Fitted | None:
    """Fit with the letter spacing, which grows and shrinks with the size."""
    measure = fonts.measure(find_families(element), find_weight(element)) if fonts else em_width
    spacing = read_number(find_property(element, "letter-spacing")) / size
    return fit_text(text, size, fit, (lambda char: measure(char) + spacing) if spacing else measure)


def _set_text(element: Any, fitted: Fitted, size: float, fit: Fit) -> None:
    """Write the lines into the element: the size where it changed, one <tspan> a line, the condensation as a matrix."""
    from lxml import etree

    for child in [child for child in element if isinstance(child.tag, str)]:
        element.attrib.update({key: value for key, value in child.attrib.items() if not is_editor_note(key)})
    x, y = read_number(element.get("x")), read_number(element.get("y"))
    align = element.get(f"{{{GF}}}align", "middle")
    for child in list(element):
        element.remove(child)
    if fitted.size != size:
        _set_size(element, fitted.size, size)
    if fitted.scale != 1:
        matrix = f"matrix({format(fitted.scale, 'g')} 0 0 1 {format_number(x * (1 - fitted.scale))} 0)"
        element.set("transform", f"{element.get('transform', '')} {matrix}".strip())
    baselines = _baselines(y, size, fitted, fit.leading, align)
    if len(fitted.lines) == 1:
        element.text = fitted.lines[0]
        element.set("y", format_number(baselines[0]))
        return
    element.text = None
    for line, baseline in zip(fitted.lines, baselines, strict=True):
        tspan = etree.SubElement(element, f"{{{SVG}}}tspan", x=format_number(x), y=format_number(baseline))
        tspan.text = line


def _set_size(element: Any, size: float, drawn: float) -> None:
    style = [
        part
        for part in element.get("style", "").split(";")
        if part.split(":")[0].strip() not in ("font-size", "letter-spacing")
    ]
    spacing = read_number(find_property(element, "letter-spacing"))
    if element.get("style"):
        element.set("style", ";".join(style))
    element.set("font-size", format_number(size))
    if spacing:
        element.set("letter-spacing", format_number(spacing * size / drawn))


def _baselines(y: float, size: float, fitted: Fitted, leading: float, align: str) -> list[float]:
    """Return the baseline of each line: the block keeps the middle, the top or the last baseline of the text."""
    count, step = len(fitted.lines), leading * fitted.size
    if align == "bottom":
        first = y - (count - 1) * step
    elif align == "top":
        first = y - (size - fitted.size) * (0.5 + _MIDDLE_EM)
    else:
        first = y - _MIDDLE_EM * (size - fitted.size) - (count - 1) / 2 * step
    return [first + index * step for index in range(count)]
