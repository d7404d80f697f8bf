"""A drawing as a template: checked and compiled once, rendered many times.

Rendering is one pass of Jinja over the drawing's own text, one strict parse, the fitting of texts, and one writing.
Data is escaped wherever it is printed, so it can never become an element; where a tag stands in an attribute, the
result is checked again for anything that would run or fetch (GF240).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfdocs.engine.language import MissingPolicy, Program, compile_source, make_environment, raise_issues
from gfdocs.engine.names import Name, find_names, merge_names
from gfdocs.engine.package import safe_xml
from gfdocs.engine.svg.drawing import write_drawing
from gfdocs.engine.svg.lay import bad_fit, find_fit_texts, fit_texts, read_fit
from gfdocs.engine.svg.safety import GF, SVG, find_unsafe, is_editor_note, split_name
from gfdocs.engine.svg.source import find_tag_faults, has_dynamic_markup, read_source, without_tags
from gfdocs.errors import Issue, PackageError, Place, TemplateError, Text, errors_of

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet
    from gfdocs.engine.template import Options


@dataclass(frozen=True)
class SvgTemplate:
    """A compiled drawing. Immutable; texts are measured by a table, or by `fonts` where they are given."""

    name: str
    program: Program = field(repr=False)
    dynamic: bool
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
        root = _parse_rendered(self.program.render(context, missing=missing), self.name)
        apply_sets(root)
        issues = list(find_unsafe(root, name=self.name)) if self.dynamic else []
        issues += fit_texts(root, name=self.name, fonts=self.fonts)
        if issues:
            raise TemplateError(issues)
        strip_notes(root)
        return write_drawing(root)


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

    program = compile_source(environment, source.text, place_of=place_of, words_of=source.words_of)
    return SvgTemplate(name, program, has_dynamic_markup(text), issues=tuple(issues))


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
    apply_sets(bare)
    lines = [element.sourceline for element in root.iter()]
    for element, line in zip(bare.iter(), lines, strict=True):
        element.sourceline = line
    return list(find_unsafe(bare, name=name))


def _find_bad_fits(root: Any, name: str) -> list[Issue]:
    """Return an issue for each gf:fit that cannot be meant, where no tag stands in its attributes."""
    issues = []
    for element in find_fit_texts(root):
        if any("{{" in value for value in element.attrib.values()):
            continue
        try:
            read_fit(element)
        except ValueError as fault:
            issues.append(bad_fit(Place(name, element.sourceline), fault.args[0]))
    return issues


def _parse_rendered(text: str, name: str) -> Any:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=len(text) > 8 << 20)
    try:
        return etree.fromstring(text.strip().encode("utf-8"), parser)
    except etree.XMLSyntaxError as fault:
        fact = Text("the rendered drawing is not well-formed", "渲染后的图形不是合法的 XML")
        raise_issues([Issue("GF245", "error", Place(name), fact, Text(str(fault.msg)))], fault)
        raise


def apply_sets(root: Any) -> None:
    """Put the value of each `gf:set-width="…"` in place of `width`: so the template itself stays a drawing with fixed numbers."""
    start = f"{{{GF}}}set-"
    for element in root.iter("*"):
        for key in [key for key in element.attrib if key.startswith(start)]:
            element.set(key[len(start) :], element.attrib.pop(key))


def strip_notes(root: Any) -> None:
    """Take out what only the template's author and drawing programs use: gf:* attributes, editors' elements."""
    from lxml import etree

    for element in list(root.iter(etree.Element)):
        if is_editor_note(element.tag):
            parent = element.getparent()
            if parent is not None:
                parent.remove(element)
            continue
        for key in [key for key in element.attrib if split_name(key)[0] == GF or is_editor_note(key)]:
            del element.attrib[key]
