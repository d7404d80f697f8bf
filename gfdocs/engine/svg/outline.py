"""Text into outlines: the engraver's machine has no fonts, so every character becomes the path of its glyph.

The faces come from font files the caller names (fontTools, extra `pdf`). A character that no given face has is an
issue that names it (GF810); a face that stands in for another is a note (GF811), never a silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from gfdocs.engine.svg.drawing import (
    add_marks,
    find_families,
    find_property,
    find_weight,
    format_number,
    parse_drawing,
    read_number,
    read_sheet,
    write_drawing,
)
from gfdocs.engine.svg.fonts import FontSet
from gfdocs.engine.svg.safety import SVG, split_name
from gfdocs.errors import ConvertError, Issue, Place, Text, errors_of

_FONT_ATTRIBUTES = frozenset(
    (
        "font-family",
        "font-size",
        "font-weight",
        "font-style",
        "font-variant",
        "font-stretch",
        "text-anchor",
        "letter-spacing",
        "x",
        "y",
        "textLength",
        "lengthAdjust",
    )
)
_UNSUPPORTED = frozenset(("dx", "dy", "rotate", "dominant-baseline", "writing-mode", "text-decoration", "textLength"))


@dataclass(frozen=True, slots=True)
class Run:
    """One line of text at its place, with all that is inherited resolved; lengths in user units."""

    text: str
    x: float
    y: float
    size: float
    families: tuple[str, ...]
    weight: int
    anchor: str
    spacing: float
    line: int | None

    def place(self, name: str) -> Place:
        return Place(name, self.line)


def outline(svg: bytes, fonts: Sequence[str | Path] | FontSet, *, name: str = "drawing.svg") -> bytes:
    """Return the drawing with every text as paths, so that it looks the same on every machine.

    Raises ConvertError naming each character without a glyph (GF810) and each feature that is not supported (GF813).
    """
    root = parse_drawing(svg, name=name)
    faces = fonts if isinstance(fonts, FontSet) else FontSet(fonts)
    issues: list[Issue] = []
    for element in list(root.iter(f"{{{SVG}}}text")):
        runs = list(read_runs(element, name, issues))
        found = [issue for run in runs for issue in _missing_glyphs(run, faces, name)]
        issues += found
        if not errors_of(issues):
            _replace_text(element, runs, faces)
    if errors_of(issues):
        raise ConvertError(issues)
    return write_drawing(root)


def to_pdf(
    svg: bytes,
    fonts: Sequence[str | Path] | FontSet,
    *,
    name: str = "drawing.svg",
    colours: Literal["cmyk", "rgb"] = "cmyk",
    bleed: float | None = None,
    leave_out: Sequence[str] = (),
) -> bytes:
    """Return the drawing as a vector PDF at true size, text as outlines, the same bytes for the same drawing.

    `bleed` in mm adds crop marks and sets the trim and bleed boxes; `leave_out` names layers (ids) that are not
    drawn, such as `plate` for the engraver. A colour is CMYK by `data-cmyk="0 90 80 10"` (percent) on the element or
    its group, a spot colour by `data-spot="name"` beside it, else converted from its RGB.
    """
    from gfdocs.engine.svg.pdf import draw_pdf

    root = parse_drawing(svg, name=name)
    trim = read_sheet(root, name=name)
    for element in [e for e in root.iter() if e.get("id") in set(leave_out)]:
        element.getparent().remove(element)
    marked = write_drawing(root) if bleed is None else add_marks(write_drawing(root), bleed=bleed, name=name)
    outlined = parse_drawing(outline(marked, fonts, name=name), name=name)
    return draw_pdf(outlined, name=name, colours=colours, trim=trim, bleed=bleed)


def find_glyph_issues(svg: bytes, fonts: Sequence[str | Path] | FontSet, *, name: str = "drawing.svg") -> list[Issue]:
    """Return what would go wrong or be substituted: missing characters (error), faces that stand in (note)."""
    root = parse_drawing(svg, name=name)
    faces = fonts if isinstance(fonts, FontSet) else FontSet(fonts)
    issues: list[Issue] = []
    for element in root.iter(f"{{{SVG}}}text"):
        for run in read_runs(element, name, issues):
            issues += _missing_glyphs(run, faces, name)
            issues += _stand_ins(run, faces, name)
    return list(dict.fromkeys(issues))


def read_runs(element: Any, name: str, issues: list[Issue]) -> Iterator[Run]:
    """Yield the lines of a <text>: its own text, then each <tspan>; adds an issue for what is not supported."""
    unsupported = sorted(_UNSUPPORTED & {key for part in element.iter() for key in part.attrib})
    children = [child for child in element if isinstance(child.tag, str)]
    unsupported += [f"<{split_name(c.tag)[1]}>" for c in children if split_name(c.tag)[1] != "tspan" or len(c)]
    if unsupported:
        what = ", ".join(unsupported)
        fact = Text(f"{what} in a text cannot be outlined", f"文字中的 {what} 无法转为轮廓")
        issues.append(Issue("GF813", "error", Place(name, element.sourceline), fact))
        return
    parts = [(element, element.text), *((child, child.text) for child in children)]
    parts += [(element, child.tail) for child in children]
    spoken = [(part, " ".join((text or "").split())) for part, text in parts if (text or "").strip()]
    if len(spoken) > 1 and any(part.get("x") is None or part.get("y") is None for part, _ in spoken):
        fact = Text("a text of several parts needs x and y on each", "由多段组成的文字，每段都要有 x 和 y")
        issues.append(Issue("GF813", "error", Place(name, element.sourceline), fact))
        return
    for part, text in spoken:
        yield _read_run(part, element, text)


def _read_run(part: Any, element: Any, text: str) -> Run:
    return Run(
        text=text,
        x=read_number(part.get("x", element.get("x"))),
        y=read_number(part.get("y", element.get("y"))),
        size=read_number(find_property(part, "font-size") or "16"),
        families=find_families(part),
        weight=find_weight(part),
        anchor=find_property(part, "text-anchor") or "start",
        spacing=read_number(find_property(part, "letter-spacing")),
        line=element.sourceline,
    )


def _missing_glyphs(run: Run, faces: FontSet, name: str) -> Iterator[Issue]:
    preferred, _ = faces.find_face(run.families, run.weight)
    for char in dict.fromkeys(run.text):
        if faces.find_cover(char, preferred) is None:
            code = f"U+{ord(char):04X}"
            fact = Text(
                f'no given font has "{char}" ({code}) of "{run.text}"',
                f"所给字体都没有“{run.text}”中的“{char}”（{code}）",
            )
            hint = Text("add a font file that covers rare characters", "请增加包含生僻字的字体文件")
            yield Issue("GF810", "error", run.place(name), fact, hint)


def _stand_ins(run: Run, faces: FontSet, name: str) -> Iterator[Issue]:
    preferred, wanted = faces.find_face(run.families, run.weight)
    shown = min(preferred.families, default=preferred.path.name, key=lambda family: (not family.isascii(), len(family)))
    if not wanted and run.families:
        fact = Text(f"{shown} stands in for {run.families[0]}", f"以 {shown} 代替 {run.families[0]}")
        yield Issue("GF811", "note", run.place(name), fact)
    elif wanted and abs(preferred.weight - run.weight) >= 200:
        fact = Text(
            f"{shown} is of weight {preferred.weight}, not {run.weight}",
            f"{shown} 的字重为 {preferred.weight}，应为 {run.weight}",
        )
        hint = Text("give the bold font file as well", "请同时给出粗体字体文件")
        yield Issue("GF811", "note", run.place(name), fact, hint)
    others = [c for c in run.text if not preferred.has(c) and faces.find_cover(c, preferred) is not None]
    if others:
        chars = "".join(dict.fromkeys(others))
        fact = Text(f'"{chars}" comes from another face than {shown}', f"“{chars}”取自 {shown} 以外的字体")
        yield Issue("GF811", "note", run.place(name), fact)


def _replace_text(element: Any, runs: Sequence[Run], faces: FontSet) -> None:
    """Put one <path> for the whole text in its place, with its colours and transform, and the words as aria-label."""
    element.attrib.update({"aria-label": " ".join(run.text for run in runs)} if runs else {})
    for child in list(element):
        element.remove(child)
    element.text = None
    element.tag = f"{{{SVG}}}path"
    for key in _FONT_ATTRIBUTES & set(element.attrib):
        del element.attrib[key]
    if style := element.get("style"):
        kept = [d for d in style.split(";") if d.split(":")[0].strip() not in _FONT_ATTRIBUTES]
        element.set("style", ";".join(kept))
    element.set("d", "".join(_draw_run(run, faces) for run in runs))


def run_width(run: Run, faces: FontSet) -> float:
    """Return the width of a line in user units, by the advances of its glyphs."""
    preferred, _ = faces.find_face(run.families, run.weight)
    covers = [faces.find_cover(char, preferred) for char in run.text]
    advances = sum(face.advance(char) for face, char in zip(covers, run.text, strict=True) if face)
    return advances * run.size + run.spacing * max(len(run.text) - 1, 0)


def _draw_run(run: Run, faces: FontSet) -> str:
    """Return the path data of a line."""
    from fontTools.pens.svgPathPen import SVGPathPen
    from fontTools.pens.transformPen import TransformPen

    preferred, _ = faces.find_face(run.families, run.weight)
    x = run.x - {"middle": 0.5, "end": 1.0}.get(run.anchor, 0.0) * run_width(run, faces)
    commands = []
    for char in run.text:
        face = faces.find_cover(char, preferred)
        assert face is not None  # _missing_glyphs has seen to it
        scale = run.size / face.units
        pen = SVGPathPen(face.glyphs, ntos=format_number)
        face.glyphs[face.cmap[ord(char)]].draw(TransformPen(pen, (scale, 0, 0, -scale, x, run.y)))
        commands.append(pen.getCommands())
        x += face.advance(char) * run.size + run.spacing
    return "".join(commands)
