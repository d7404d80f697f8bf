"""A drawing as a template: checked and compiled once, rendered many times.

Rendering is one pass of Jinja over the drawing's own text. What comes out is words in a frame (`frame`): a strict parse
and the check for anything that would run or fetch (GF240) are made of each new frame, the words are fitted and put in.
Data is escaped wherever it is printed, so it can never become an element.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfdocs.engine.language import MissingPolicy, Program, compile_source, make_environment
from gfdocs.engine.names import Name, find_names, merge_names
from gfdocs.engine.package import safe_xml
from gfdocs.engine.svg.frame import Frame, make_outlet, mark_words, read_frame, split_words
from gfdocs.engine.svg.lay import bad_fit, read_fit
from gfdocs.engine.svg.safety import FIT, SVG, settle, split_name
from gfdocs.engine.svg.source import find_tag_faults, read_source, without_tags
from gfdocs.errors import Issue, PackageError, Place, TemplateError, Text, errors_of

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet
    from gfdocs.engine.template import Options


_FRAMES = 16
_LONGEST_FRAME = 128 * 1024


@dataclass(frozen=True)
class SvgTemplate:
    """A compiled drawing. Immutable; texts are measured by a table, or by `fonts` where they are given."""

    name: str
    program: Program = field(repr=False)
    fonts: FontSet | None = field(repr=False, default=None)
    issues: tuple[Issue, ...] = ()

    @cached_property
    def names(self) -> tuple[Name, ...]:
        program = self.program
        return merge_names(find_names(program.tree, program.place_of, program.environment.globals))

    def with_fonts(self, fonts: Sequence[str | Path]) -> SvgTemplate:
        """Return the same template that measures its texts by the faces of these files (extra `pdf`)."""
        from gfdocs.engine.svg.fonts import FontSet

        return replace(self, fonts=FontSet(fonts))

    def render(self, context: Mapping[str, Any], missing: MissingPolicy = "error") -> bytes:
        """Return the drawing of this data; TemplateError with every text that cannot fit (GF244) or is unsafe."""
        text, words = split_words(self.program.render(context, missing=missing))
        read = self._read_again if len(text) <= _LONGEST_FRAME else self._read
        return read(text).write(words)

    def _read(self, text: str) -> Frame:
        return read_frame(text, name=self.name, fonts=self.fonts)

    @cached_property
    def _read_again(self) -> Callable[[str], Frame]:
        """Return the frame of this text; those of the last drawings are kept, most have the same."""
        return lru_cache(_FRAMES)(self._read)


def compile(data: bytes, *, name: str, options: Options) -> SvgTemplate:  # noqa: A001 - the word of the Kind protocol
    """Return the compiled drawing; PackageError or TemplateError with every fault of the file."""
    root = _read(data, name)
    text = data.decode("utf-8-sig")
    issues = _find_file_faults(root, name)
    issues += find_tag_faults(root, name=name)
    issues += _find_unsafe_template(root, name)
    issues += _find_bad_fits(root, name)
    issues += _find_size_fault(root, name)
    if errors_of(issues):
        raise TemplateError(issues)
    source = read_source(text)
    environment = make_environment(
        filters=options.filters, base=options.environment, budget=options.budget, trusted=options.trusted
    )

    def place_of(line: int) -> Place:
        return Place(name, source.line_of(line))

    program = compile_source(
        environment.with_outlets({"words": make_outlet(environment.outlets["text"])}),
        source.text,
        place_of=place_of,
        words_of=source.words_of,
        prepare=lambda index: mark_words(index, source.printing),
    )
    return SvgTemplate(name, program, issues=tuple(issues))


def _read(data: bytes, name: str) -> Any:
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        fact = Text(f"not UTF-8 text at byte {fault.start}", f"第 {fault.start} 字节处不是 UTF-8 文本")
        hint = Text("save the drawing as plain SVG in UTF-8", "请另存为 UTF-8 编码的普通 SVG")
        raise PackageError(Issue("GF245", "error", Place(name), fact, hint)) from fault
    return safe_xml(data, name=name, part="")


def _find_file_faults(root: Any, name: str) -> list[Issue]:
    """Return what is wrong with the file as a whole: not a drawing, another encoding, a style sheet beside it."""
    tree = root.getroottree()
    issues = []
    if root.tag != f"{{{SVG}}}svg":
        found = split_name(root.tag)[1]
        fact = Text(f"expected the root <svg>, found <{found}>", f"根元素应为 <svg>，实为 <{found}>")
        issues.append(Issue("GF245", "error", Place(name, 1), fact))
    if (tree.docinfo.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
        fact = Text(f"the drawing is declared as {tree.docinfo.encoding}", f"图形声明的编码为 {tree.docinfo.encoding}")
        issues.append(Issue("GF245", "error", Place(name, 1), fact, Text("save it in UTF-8", "请另存为 UTF-8")))
    for note in tree.xpath("//processing-instruction()"):
        fact = Text(f"processing instruction {note.target} is not allowed", f"不允许使用处理指令 {note.target}")
        issues.append(Issue("GF240", "error", Place(name, note.sourceline), fact))
    return issues


def _find_size_fault(root: Any, name: str) -> list[Issue]:
    """Return a note where the drawing is not 1:1 in mm, so that it has no true size for print."""
    sizes = [str(root.get(key, "")).strip() for key in ("width", "height")]
    box = str(root.get("viewBox", "")).replace(",", " ").split()
    if (
        root.tag != f"{{{SVG}}}svg"
        or any("{" in text for text in (*sizes, *box))
        or [f"{side}mm" for side in box[2:]] == sizes
    ):
        return []
    fact = Text("the drawing is not 1:1 in mm", "图形不是以毫米为单位的 1:1 尺寸")
    hint = Text(
        'use width="600mm" height="400mm" viewBox="0 0 600 400"',
        "应为 width=“600mm” height=“400mm” viewBox=“0 0 600 400”",
    )
    return [Issue("GF246", "note", Place(name, root.sourceline), fact, hint)]


def _find_unsafe_template(root: Any, name: str) -> list[Issue]:
    """Check the template with its tags taken out: what they print is checked again when it is known."""
    bare = deepcopy(root)
    for element in bare.iter():
        if isinstance(element.tag, str):
            for key, value in element.attrib.items():
                element.set(key, without_tags(value))
            if element.text and split_name(element.tag)[1] == "style":
                element.text = without_tags(element.text)
    for element, drawn in zip(bare.iter(), root.iter(), strict=True):
        element.sourceline = drawn.sourceline
    return settle(bare, name=name).issues


def _find_bad_fits(root: Any, name: str) -> list[Issue]:
    """Return an issue for each gf:fit that cannot be meant, where no tag stands in its attributes."""
    issues = []
    for element in root.iter("*"):
        if FIT not in element.attrib or any("{{" in value for value in element.attrib.values()):
            continue
        try:
            read_fit(element)
        except ValueError as fault:
            issues.append(bad_fit(Place(name, element.sourceline), fault.args[0]))
    return issues
