"""A part of a document as its author sees it: paragraphs with their places, and the tags in their text.

Word cuts a text into runs wherever it likes (spelling marks, revisions, a changed font), so a tag is sought in the
joined text of the part, and may lie in several `w:t`. Each tag gets a number, written into it as blanks that Jinja
skips (`stamp_tags`): whatever is done to the XML afterwards, the tag still tells where it came from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from gfdocs.errors import Issue, Place, Text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
W_STRICT = "{http://purl.oclc.org/ooxml/wordprocessingml/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

_TAG_START = re.compile(r"\{(?=[{%#])")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_ENDRAW = re.compile(r"\{%[-+]?\s*endraw\s*[-+]?%\}")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")
_SCOPE = re.compile(r"\{[{%#](p|tr|tc|r)\s")

# Blanks that Jinja's lexer skips and nobody types: the ten digits of a tag's number.
DIGITS = "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
_TO_DIGIT = {ord(str(number)): char for number, char in enumerate(DIGITS)}
_FROM_DIGIT = {ord(char): str(number) for number, char in enumerate(DIGITS)}
_ODD_BLANKS = {ord(char): " " for char in DIGITS + "\u200a\u202f\u205f\x85"}
STAMP = re.compile(f"[{DIGITS}]+(?=[-+]?[}}%#]}})")


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag as written. `scope` is what it stands for: '' (text), p, tr, tc or r; `words` is what its author sees."""

    number: int
    text: str
    scope: str
    place: Place
    paragraph: Any = field(repr=False, compare=False)

    @property
    def words(self) -> str:
        return self.text

    @property
    def inner(self) -> str:
        """What is between the braces, without the scope and the trimming signs."""
        inner = self.text[2:-2]
        # A sign trims blanks only right at the braces: `{{ a + }}` is a fault, `{{- a -}}` is none.
        signs = ("-",) if self.text.startswith("{{") else ("-", "+")
        inner = inner[1:] if inner.startswith(signs) else inner
        inner = inner[:-1] if inner.endswith(signs) else inner
        return inner.strip()[len(self.scope) :].strip()

    @property
    def kind(self) -> str:
        return self.text[:2]


@dataclass(slots=True)
class Story:
    """All of one part: where its paragraphs are, its tags in order, and what is wrong with how they are written."""

    root: Any
    file: str
    part: str
    paths: dict[Any, tuple[str, ...]] = field(default_factory=dict)
    tags: list[Tag] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def place(self, paragraph: Any) -> Place:
        """Return the place of a paragraph: `file › part › table 2 › row 3 › cell 1 › paragraph 1`."""
        return Place(self.file, path=(self.part, *self.paths.get(paragraph, ())))


# ---------------------------------------------------------------------------------------------------------------------
# Places

_TRANSPARENT = {W + name for name in ("sdt", "sdtContent", "customXml", "smartTag", "ins", "del", "moveTo", "moveFrom")}
_NUMBERED = {W + "footnote": "footnote", W + "endnote": "endnote", W + "comment": "comment"}


def _children(element: Any) -> Iterator[Any]:
    """Yield the children, those of content controls and revisions in their stead."""
    for child in element:
        if child.tag in _TRANSPARENT:
            yield from _children(child)
        else:
            yield child


def _find_boxes(element: Any) -> Iterator[Any]:
    """Yield the text boxes in a paragraph, the fallback twin of each left out, not those inside one another."""
    for child in element:
        if child.tag == W + "txbxContent":
            yield child
        elif child.tag != MC + "Fallback" and child.tag != W + "p":
            yield from _find_boxes(child)


def _place_block(container: Any, path: tuple[str, ...], paths: dict[Any, tuple[str, ...]]) -> None:
    """Give every paragraph under `container` its steps."""
    paragraphs = tables = 0
    for child in _children(container):
        if child.tag == W + "p":
            paragraphs += 1
            here = (*path, f"paragraph {paragraphs}")
            paths[child] = here
            for number, box in enumerate(_find_boxes(child), 1):
                _place_block(box, (*here, f"text box {number}"), paths)
        elif child.tag == W + "tbl":
            tables += 1
            _place_table(child, (*path, f"table {tables}"), paths)
        elif child.tag in _NUMBERED:
            _place_block(child, (*path, f"{_NUMBERED[child.tag]} {child.get(W + 'id')}"), paths)


def _place_table(table: Any, path: tuple[str, ...], paths: dict[Any, tuple[str, ...]]) -> None:
    rows = (child for child in _children(table) if child.tag == W + "tr")
    for row_number, row in enumerate(rows, 1):
        cells = (child for child in _children(row) if child.tag == W + "tc")
        for cell_number, cell in enumerate(cells, 1):
            _place_block(cell, (*path, f"row {row_number}", f"cell {cell_number}"), paths)


def find_places(root: Any) -> dict[Any, tuple[str, ...]]:
    """Return the steps to each paragraph of a part: `("table 2", "row 3", "cell 1", "paragraph 1")`."""
    paths: dict[Any, tuple[str, ...]] = {}
    body = root.find(W + "body")
    _place_block(root if body is None else body, (), paths)
    # Paragraphs in odd corners (the fallback of a drawing) get the place of the paragraph they are in.
    for paragraph in root.iter(W + "p"):
        if paragraph not in paths:
            outer = next((up for up in paragraph.iterancestors(W + "p") if up in paths), None)
            paths[paragraph] = paths.get(outer, ())
    return paths


# ---------------------------------------------------------------------------------------------------------------------
# Tags

_TEXTS = {W + "t", W + "instrText", W + "delText", W + "delInstrText"}


@dataclass(slots=True)
class _Slot:
    """A piece of text: the `.text` of an element, or an attribute. `start` is its offset in the joined text."""

    element: Any
    attribute: str | None
    start: int
    text: str

    def set(self, text: str) -> None:
        if self.attribute is None:
            self.element.text = text
        else:
            self.element.set(self.attribute, text)


def _is_text(element: Any) -> bool:
    """True for elements whose own text is shown: `w:t` and its kin, and those of drawings, formulas and properties."""
    tag = element.tag
    if not isinstance(tag, str):
        return False
    return tag in _TEXTS or (bool(element.text) and "{" in element.text and len(element) == 0)


def _collect_slots(root: Any) -> tuple[list[_Slot], list[_Slot]]:
    """Return the texts in document order, and the attributes that hold tags. A tag may span texts, not attributes."""
    texts: list[_Slot] = []
    attributes: list[_Slot] = []
    offset = 0
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        for name, value in element.attrib.items():
            if "{{" in value or "{%" in value:
                attributes.append(_Slot(element, name, 0, value))
        if _is_text(element) and element.text:
            texts.append(_Slot(element, None, offset, element.text))
            offset += len(element.text)
    return texts, attributes


def is_fallback(element: Any) -> bool:
    """True inside the twin that older programs show of a drawing: its faults are those of the drawing."""
    return any(up.tag == MC + "Fallback" for up in element.iterancestors())


def _paragraph_of(element: Any) -> Any:
    while element is not None and element.tag != W + "p":
        element = element.getparent()
    return element


@dataclass(slots=True)
class _Scan:
    """The walk over one joined text: finds tags, notes those that are not closed, stamps numbers into the slots."""

    story: Story
    slots: list[_Slot]
    inserts: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    _cursor: int = 0

    def slot_at(self, offset: int) -> int:
        """Return the index of the slot that holds this offset; offsets only grow."""
        while self._cursor + 1 < len(self.slots) and self.slots[self._cursor + 1].start <= offset:
            self._cursor += 1
        while self._cursor and self.slots[self._cursor].start > offset:
            self._cursor -= 1
        return self._cursor

    def paragraph_at(self, offset: int) -> Any:
        return _paragraph_of(self.slots[self.slot_at(offset)].element)

    def run(self) -> None:
        joined = "".join(slot.text for slot in self.slots)
        at = 0
        while found := _TAG_START.search(joined, at):
            at = self._read_tag(joined, found.start())
        for index, inserts in self.inserts.items():
            slot = self.slots[index]
            text = slot.text
            for offset, stamp in reversed(inserts):
                text = text[:offset] + stamp + text[offset:]
            slot.set(text)

    def _read_tag(self, joined: str, start: int) -> int:
        """Note the tag that starts here; return where to look on."""
        opener = joined[start : start + 2]
        closer = _CLOSERS[opener]
        end = _find_end(joined, start + 2, closer)
        again = next((m.start() for m in re.finditer(r"\{[{%#]", joined[start + 2 : end if end >= 0 else None])), None)
        if opener != "{#" and again is not None and not _in_quotes(joined, start, start + 2 + again):
            end = -1
        if end < 0:
            self._report_unclosed(joined, start, opener, closer)
            return start + 2
        text = joined[start : end + 2].translate(_ODD_BLANKS)
        if _RAW.fullmatch(text):
            raw_end = _ENDRAW.search(joined, end + 2)
            if raw_end is None:
                self._report_unclosed(joined, start, "{% raw %}", "{% endraw %}")
                return end + 2
            return raw_end.end()
        paragraph = self.paragraph_at(start)
        number = len(self.story.tags)
        scope = _SCOPE.match(text)
        self.story.tags.append(Tag(number, text, scope[1] if scope else "", self.story.place(paragraph), paragraph))
        if opener != "{#":
            trim = end - 1 if joined[end - 1] in "-+" and end - 1 > start + 1 else end
            self._stamp(trim, number)
        return end + 2

    def _stamp(self, offset: int, number: int) -> None:
        index = self.slot_at(offset)
        slot = self.slots[index]
        self.inserts.setdefault(index, []).append((offset - slot.start, write_stamp(number)))

    def _report_unclosed(self, joined: str, start: int, opener: str, closer: str) -> None:
        if is_fallback(self.slots[self.slot_at(start)].element):
            return
        shown = joined[start : start + 40].split("\n")[0]
        self.story.issues.append(
            Issue(
                "GF202",
                "error",
                self.story.place(self.paragraph_at(start)),
                Text(f'"{opener}" is not closed by "{closer}": {shown}', f"“{opener}”没有以“{closer}”结束：{shown}"),
                Text(f'write "{closer}" at the end of the tag', f"请在标签末尾补上“{closer}”"),
            )
        )


def _find_end(joined: str, start: int, closer: str) -> int:
    """Return where the closing braces are; `}}` of a dict inside a tag is looked through, as Jinja's lexer does."""
    end = joined.find(closer, start)
    while closer == "}}" and end >= 0 and joined.count("{", start, end) > joined.count("}", start, end):
        end = joined.find(closer, end + 1)
    return end


def _in_quotes(joined: str, start: int, at: int) -> bool:
    inside = joined[start:at]
    return inside.count('"') % 2 == 1 or inside.count("'") % 2 == 1


def _with_usual_prefix(root: Any) -> Any:
    """Return the tree with the main namespace under its usual prefix: docxtpl's patterns know no other than `w:`."""
    namespace = W[1:-1]
    if root.nsmap.get("w") == namespace or namespace not in root.nsmap.values():
        return root
    others = {prefix: uri for prefix, uri in root.nsmap.items() if uri != namespace}
    again = etree.Element(root.tag, dict(root.attrib), nsmap={**others, "w": namespace})
    again.text = root.text
    # Moved into a tree that declares their namespace, elements take the prefix it has there.
    again.extend(list(root))
    return again


def read_story(root: Any, file: str, part: str) -> Story:
    """Return the tags of a part with their places, their numbers stamped into the tree."""
    etree.strip_tags(root, etree.Comment, etree.ProcessingInstruction)
    root = _with_usual_prefix(root)
    story = Story(root, file, part, find_places(root))
    texts, attributes = _collect_slots(root)
    if texts:
        _Scan(story, texts).run()
    for slot in attributes:
        _Scan(story, [slot]).run()
    _find_strays(story, texts)
    return story


_STRAY = re.compile(r"(?<![}{%#])\}\}|%\}")


def _find_strays(story: Story, texts: list[_Slot]) -> None:
    """Warn of closing braces that nothing opens: `{ name }}` prints its braces."""
    joined = "".join(slot.text for slot in texts)
    if "}}" not in joined and "%}" not in joined:
        return
    scan = _Scan(story, texts)
    taken = 0
    for found in re.finditer(r"\{\{.*?\}\}+|\{%.*?%\}|\{#.*?#\}|\}\}|%\}", joined, re.DOTALL):
        taken = found.start()
        if found.group() not in ("}}", "%}") or is_fallback(texts[scan.slot_at(taken)].element):
            continue
        shown = joined[max(0, taken - 20) : taken + 2]
        story.issues.append(
            Issue(
                "GF224",
                "warning",
                story.place(scan.paragraph_at(taken)),
                Text(f'"{found.group()}" closes nothing: …{shown}', f"“{found.group()}”前没有对应的开头：…{shown}"),
                Text('a tag begins with "{{" or "{%"', "标签应以“{{”或“{%”开头"),
            )
        )


def write_stamp(number: int) -> str:
    """Return a tag's number as blanks, to stand right before its closing braces."""
    return str(number).translate(_TO_DIGIT)


def read_stamp(tag: str) -> int | None:
    """Return the number stamped into a tag, or None where it has none (a tag that preparing it added)."""
    found = STAMP.search(tag)
    return int(found.group().translate(_FROM_DIGIT)) if found else None


def serialize(root: Any) -> str:
    """Return the XML of a tree as text, without a declaration."""
    text: str = etree.tostring(root, encoding="unicode")
    return text
