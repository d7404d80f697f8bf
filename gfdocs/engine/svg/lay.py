"""Setting the texts of a rendered drawing: every <text gf:fit="…"> gets its lines, size and condensation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gfdocs.engine.svg.drawing import find_families, find_property, find_weight, format_number, read_number
from gfdocs.engine.svg.fit import Fit, Fitted, Measure, em_width, fit_text
from gfdocs.engine.svg.safety import GF, SVG, is_editor_note, split_name
from gfdocs.errors import Issue, Place, Text

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet

HOLE = "gf"
"""The processing instruction that stands in a frame where words are put in; no template has any."""
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


def is_hole(node: Any) -> bool:
    """True for what stands in a frame where words are put in."""
    return getattr(node, "target", None) == HOLE


def _parts(element: Any) -> list[Any]:
    """Return the elements that hold text: the <text> itself, or its one <tspan> as drawing programs write it."""
    children = [child for child in element if isinstance(child.tag, str)]
    holes = [child for child in element if is_hole(child)]
    has_own = holes or (element.text or "").strip() or any((child.tail or "").strip() for child in children)
    deeper = [
        child for child in children if split_name(child.tag)[1] != "tspan" or not all(is_hole(inner) for inner in child)
    ]
    return [*([element] if has_own else []), *children, *deeper]


def _read_content(element: Any) -> Iterator[str | int]:
    """Yield the pieces of a text in order: what is the same in all drawings, and the numbers of its holes."""
    yield element.text or ""
    for child in element:
        if is_hole(child):
            yield int(child.text)
        elif isinstance(child.tag, str):
            yield from _read_content(child)
        yield child.tail or ""


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


@dataclass(frozen=True, eq=False)
class Fitting:
    """How one text of a drawing is set, whatever its words are. `style` is what stays of it at another size."""

    place: Place
    content: tuple[str | int, ...]
    fit: Fit
    size: float
    measure: Measure
    x: float
    y: float
    align: str
    transform: str
    style: str | None
    spacing: float

    def set_text(self, text: str, tag: str, attributes: Mapping[str, str]) -> bytes | Issue:
        """Return the element with this text in it, or an issue (GF244) where it cannot fit.

        tag, attributes: how the element is written where the text stands as drawn, escaped.
        """
        fitted = fit_text(text, self.size, self.fit, self.measure)
        if fitted is None:
            return _cannot_fit(self.place, " ".join(text.split()), self.fit)
        baselines = [format_number(y) for y in _baselines(self.y, self.size, fitted, self.fit.leading, self.align)]
        changed = dict(attributes)
        if fitted.size != self.size:
            changed |= self._get_size(fitted.size)
        if fitted.scale != 1:
            shift = format_number(self.x * (1 - fitted.scale))
            matrix = f"matrix({format(fitted.scale, 'g')} 0 0 1 {shift} 0)"
            changed["transform"] = _escape_attribute(f"{self.transform} {matrix}".strip())
        lines = [_escape_text(line) for line in fitted.lines]
        if len(lines) == 1:
            changed["y"], inner = baselines[0], lines[0]
        else:
            tspan, x = f"{tag.rpartition(':')[0]}:tspan".lstrip(":"), format_number(self.x)
            inner = "".join(
                f'<{tspan} x="{x}" y="{y}">{line}</{tspan}>' for line, y in zip(lines, baselines, strict=True)
            )
        written = "".join([f' {key}="{value}"' for key, value in changed.items()])
        return f"<{tag}{written}>{inner}</{tag}>".encode()

    def _get_size(self, size: float) -> dict[str, str]:
        """Return the attributes that set the text at another size: its spacing grows and shrinks with it."""
        found = {"style": _escape_attribute(self.style)} if self.style is not None else {}
        found["font-size"] = format_number(size)
        if self.spacing:
            found["letter-spacing"] = format_number(self.spacing * size / self.size)
        return found


_ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_IN_TEXT = str.maketrans(_ESCAPES)
_IN_ATTRIBUTE = str.maketrans({**_ESCAPES, '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})


def _escape_text(text: str) -> str:
    return text.translate(_IN_TEXT)


def _escape_attribute(text: str) -> str:
    return text.translate(_IN_ATTRIBUTE)


def take_fitting(element: Any, place: Place, fonts: FontSet | None = None) -> Fitting:
    """Return how the text is set, and leave its element empty; ValueError (Text) where an attribute is wrong.

    What its one <tspan> has, as drawing programs write it, is from now on the text's own.
    """
    fit = read_fit(element)
    size = read_number(find_property(element, "font-size"))
    measure = fonts.measure(find_families(element), find_weight(element)) if fonts else em_width
    if spacing := read_number(find_property(element, "letter-spacing")) / size:
        measure = partial(_measure_spaced, measure, spacing)
    content = tuple(_read_content(element))
    for child in list(element):
        if isinstance(child.tag, str):
            element.attrib.update({key: value for key, value in child.attrib.items() if not is_editor_note(key)})
        element.remove(child)
    element.text = None
    return Fitting(
        place,
        content,
        fit,
        size,
        measure,
        x=read_number(element.get("x")),
        y=read_number(element.get("y")),
        align=element.get(f"{{{GF}}}align", "middle"),
        transform=element.get("transform", ""),
        style=_find_style(element),
        spacing=read_number(find_property(element, "letter-spacing")),
    )


def _measure_spaced(measure: Measure, spacing: float, char: str) -> float:
    """The letter spacing grows and shrinks with the size."""
    return measure(char) + spacing


def _find_style(element: Any) -> str | None:
    """Return the style of a text without what depends on its size; None where it has no style."""
    style = element.get("style")
    sized = ("font-size", "letter-spacing")
    return ";".join(part for part in style.split(";") if part.split(":")[0].strip() not in sized) if style else None


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
