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

from gfdocs.engine.docx.lexer import DIGITS, STAMP, drop_unseen, escape_strings, find_end, write_stamp
from gfdocs.errors import Issue, Place, Text

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

_TAG_START = re.compile(r"\{(?=[{%#])")
_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_ENDRAW = re.compile(r"\{%[-+]?(?:(?:p|tr|tc|r)\s)?\s*endraw\s*[-+]?%\}")
_RAW = re.compile(r"\{%[-+]?(?:(?:p|tr|tc|r)\s)?\s*raw\s*[-+]?%\}")
# docxtpl's way to write braces that are none of a tag, and where a tag begins.
_START = re.compile(r"(?P<written>\{_[{%]|[}%]_\})|\{(?=[{%#])")
# After so many faults of one part no more are told.
_MAX_ISSUES = 100

# What stands for braces that are no tag's until the template is compiled (Unicode leaves these two to programs).
FROZEN = {ord("{"): "\ufdd0", ord("}"): "\ufdd1"}
THAWED = {0xFDD0: "{", 0xFDD1: "}"}
_SCOPE = re.compile(r"(\{[{%#])(?:(?<!\{)[-+])?(p|tr|tc|r)\s")

_ODD_BLANKS = {ord(char): " " for char in DIGITS + "\u200a\u202f\u205f\x85"}


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
    is_frozen: bool = False
    """Whether braces that are no tag's stand as FROZEN in the tree."""
    has_braces: bool = False
    """Whether there are braces to write though there may be no tag: `{% raw %}`, `{_{`."""

    @property
    def shown_tags(self) -> list[Tag]:
        """The tags without those of the fallback twins of drawings."""
        if next(self.root.iter(MC + "Fallback"), None) is None:
            return self.tags
        return [tag for tag in self.tags if tag.paragraph is None or not is_fallback(tag.paragraph)]

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
    if next(element.iter(W + "txbxContent"), None) is None:
        return
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

_TEXTS = {W + "t", W + "instrText"}
# What somebody has deleted while changes were tracked is no text of the template.
_DELETED = (W + "del", W + "moveFrom")


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


def _collect_slots(root: Any) -> tuple[list[list[_Slot]], list[_Slot]]:
    """Return the texts in document order, those of field codes apart, and the attributes that hold tags.

    A tag may span texts, not attributes.
    """
    texts: list[_Slot] = []
    codes: list[_Slot] = []
    attributes: list[_Slot] = []
    deleted = {element for gone in root.iter(*_DELETED) for element in gone.iter()}
    offsets = [0, 0]
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        for name, value in element.attrib.items():
            if "{{" in value or "{%" in value:
                attributes.append(_Slot(element, name, 0, value))
        if _is_text(element) and element.text and element not in deleted:
            is_code = element.tag == W + "instrText"
            (codes if is_code else texts).append(_Slot(element, None, offsets[is_code], element.text))
            offsets[is_code] += len(element.text)
    return [stream for stream in (texts, codes) if stream], attributes


def _freeze_deleted(root: Any) -> bool:
    """Make the braces of deleted text stand for themselves; True where there are any."""
    found = False
    for gone in root.iter(*_DELETED):
        for element in gone.iter():
            if isinstance(element.tag, str) and element.text and "{" in element.text:
                element.text = element.text.translate(FROZEN)
                found = True
    return found


def _without_signs(text: str, scope: re.Match[str]) -> str:
    """Return a tag for a whole paragraph, row, cell or run without `-` and `+`: beside it there is nothing to trim.

    docxtpl would join the paragraphs before or after to the one that the tag takes away, and lose their texts.
    """
    closing = text[:-3] + text[-2:] if scope[2] != "r" and text[-3] in "-+" else text
    return f"{scope[1]}{closing[scope.start(2) :]}"


def is_fallback(element: Any) -> bool:
    """True inside the twin that older programs show of a drawing: its faults are those of the drawing."""
    return any(up.tag == MC + "Fallback" for up in element.iterancestors())


def _paragraph_of(element: Any) -> Any:
    while element is not None and element.tag != W + "p":
        element = element.getparent()
    return element


@dataclass(slots=True)
class _Scan:
    """The walk over one joined text: finds tags, notes those that are not closed, writes each with its number.

    A tag that Word has cut is written whole where it began, in the first of its runs; the other runs keep the rest of
    their text. So no element between them is lost or left open.
    """

    story: Story
    slots: list[_Slot]
    joined: str = ""
    edits: dict[int, list[tuple[int, int, str]]] = field(default_factory=dict)
    spans: list[tuple[int, int]] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
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
        self.joined = "".join(slot.text for slot in self.slots)
        if "{" in self.joined or "_}" in self.joined:
            self._find_paragraphs()
            at = 0
            while found := _START.search(self.joined, at):
                at = self._read_written(found) if found["written"] else self._read_tag(found.start())
                if len(self.story.issues) >= _MAX_ISSUES:
                    return
            self._write()
        self._find_strays()

    def _read_written(self, found: re.Match[str]) -> int:
        """Write the braces that `{_{` and its kin stand for."""
        self._replace(found.start(), found.end(), found.group().replace("_", "").translate(FROZEN))
        self.spans.append(found.span())
        self.story.is_frozen = self.story.has_braces = True
        return found.end()

    def _find_paragraphs(self) -> None:
        """Note for each slot the paragraph it is in, and the offset at which that ends."""
        for slot in self.slots:
            paragraph = _paragraph_of(slot.element)
            self.owners.append(slot.element if paragraph is None else paragraph)
        end = len(self.joined)
        self.ends = [0] * len(self.slots)
        for index in range(len(self.slots) - 1, -1, -1):
            if index + 1 < len(self.slots) and self.owners[index] is not self.owners[index + 1]:
                end = self.slots[index + 1].start
            self.ends[index] = end

    def _read_tag(self, start: int) -> int:
        """Note the tag that starts here; return where to look on."""
        opener, limit = self.joined[start : start + 2], self.ends[self.slot_at(start)]
        end = find_end(self.joined, start, limit)
        if end < 0:
            again = _TAG_START.search(self.joined, start + 2)
            self.spans.append((start, min(limit, again.start()) if again else limit))
            self._report_unclosed(start, opener, _CLOSERS[opener], limit)
            return start + 2
        text = drop_unseen(self.joined[start : end + 2].translate(_ODD_BLANKS))
        if _RAW.fullmatch(text):
            return self._read_raw(start, end + 2, text)
        self.spans.append((start, end + 2))
        paragraph = self.paragraph_at(start)
        number = len(self.story.tags)
        scope = _SCOPE.match(text)
        self.story.tags.append(Tag(number, text, scope[2] if scope else "", self.story.place(paragraph), paragraph))
        if scope:
            text = _without_signs(text, scope)
        if opener == "{#":
            self._replace(start, end + 2, text)
            return end + 2
        trim = -3 if text[-3] in "-+" and len(text) > 5 else -2
        self._replace(start, end + 2, escape_strings(text[:trim]) + write_stamp(number) + text[trim:])
        return end + 2

    def _read_raw(self, start: int, begin: int, text: str) -> int:
        """Make the braces between `{% raw %}` and `{% endraw %}` stand for themselves."""
        found = _ENDRAW.search(self.joined, begin)
        if found is None:
            self.spans.append((start, begin))
            self._report_unclosed(start, "{% raw %}", "{% endraw %}", self.ends[self.slot_at(start)])
            return begin
        self.spans.append((start, found.end()))
        self._replace(start, begin, text)
        for index in range(self.slot_at(begin), len(self.slots)):
            slot = self.slots[index]
            low, high = max(0, begin - slot.start), min(len(slot.text), found.start() - slot.start)
            if high <= 0:
                break
            if low < high:
                self.edits.setdefault(index, []).append((low, high, slot.text[low:high].translate(FROZEN)))
        self._replace(found.start(), found.end(), found.group())
        self.story.is_frozen = self.story.has_braces = True
        return found.end()

    def _replace(self, start: int, end: int, text: str) -> None:
        """Write `text` where the tag begins and take the tag out of the texts it runs on to."""
        first = last = self.slot_at(start)
        while last + 1 < len(self.slots) and self.slots[last + 1].start < end:
            last += 1
        if first != last:
            _drop_signs(self.slots[first].element, self.slots[last].element)
        if first != last and self._is_docxtpls(first, last, STAMP.sub("", text) == self.joined[start:end]):
            self._stamp(start, end, text)
            return
        for index in range(first, last + 1):
            slot = self.slots[index]
            low, high = max(0, start - slot.start), min(len(slot.text), end - slot.start)
            self.edits.setdefault(index, []).append((low, high, text if index == first else ""))

    def _is_docxtpls(self, first: int, last: int, is_as_typed: bool) -> bool:
        """True where docxtpl may join what the tag has cut: over paragraphs, or over nothing but neighbouring runs."""
        if self.owners[first] is not self.owners[last]:
            return True
        return is_as_typed and _are_neighbours(self.slots[first].element, self.slots[last].element)

    def _stamp(self, start: int, end: int, text: str) -> None:
        """Write only the number of a tag, right before its closing braces."""
        found = STAMP.search(text)
        if found:
            at = end - (len(text) - found.end())
            index = self.slot_at(at)
            offset = at - self.slots[index].start
            self.edits.setdefault(index, []).append((offset, offset, found.group()))

    def _write(self) -> None:
        for index, edits in self.edits.items():
            slot = self.slots[index]
            pieces, at = [], 0
            for low, high, text in edits:
                pieces += [slot.text[at:low], text]
                at = high
            left = "".join([*pieces, slot.text[at:]])
            slot.set(left)
            if not left:
                _drop_empty_run(slot.element)

    def _find_strays(self) -> None:
        """Warn of braces that make no tag: `{ name }}` and `｛｛ name ｝｝` print them."""
        rest = iter(self.spans)
        span = next(rest, None)
        count = 0
        for found in _STRAY.finditer(self.joined):
            start = found.start()
            while span is not None and span[1] <= start:
                span = next(rest, None)
            if span is not None and span[0] <= start:
                continue
            if is_fallback(self.slots[self.slot_at(start)].element):
                continue
            self.story.issues.append(self._describe_stray(found.group(), start))
            count += 1
            if count >= _MAX_ISSUES:
                return

    def _describe_stray(self, braces: str, start: int) -> Issue:
        place = self.story.place(self.paragraph_at(start))
        shown = self.joined[max(0, start - 20) : start + 2]
        if braces in ("}}", "%}"):
            fact = Text(f'"{braces}" closes nothing: …{shown}', f"“{braces}”前没有对应的开头：…{shown}")
            hint = Text('a tag begins with "{{" or "{%"', "标签应以“{{”或“{%”开头")
        else:
            half = braces.translate({ord("｛"): "{", ord("｝"): "}", ord("％"): "%", ord(" "): "", 0xA0: ""})
            fact = Text(f'"{braces}" makes no tag: …{shown}', f"“{braces}”不构成标签：…{shown}")
            hint = Text(f'write "{half}"', f"请写成半角、不带空格的“{half}”")
        return Issue("GF224", "warning", place, fact, hint)

    def _report_unclosed(self, start: int, opener: str, closer: str, limit: int) -> None:
        if is_fallback(self.slots[self.slot_at(start)].element):
            return
        shown = self.joined[start : min(start + 40, limit)].split("\n")[0]
        self.story.issues.append(
            Issue(
                "GF202",
                "error",
                self.story.place(self.paragraph_at(start)),
                Text(f'"{opener}" is not closed by "{closer}": {shown}', f"“{opener}”没有以“{closer}”结束：{shown}"),
                Text(f'write "{closer}" at the end of the tag', f"请在标签末尾补上“{closer}”"),
            )
        )


_IN_RUN = {W + "rPr", W + "t", W + "lastRenderedPageBreak"}
_MARKS = {W + "proofErr", W + "bookmarkStart", W + "bookmarkEnd"}


def _are_neighbours(first: Any, last: Any) -> bool:
    """True where from one text to the other there are only runs of text, marks of spelling and whole bookmarks."""
    at, end = first.getparent(), last.getparent()
    if first.tag != W + "t" or last.tag != W + "t":
        return False
    begun: list[str] = []
    ended: list[str] = []
    while at is not None and at.tag in {W + "r", *_MARKS}:
        if at.tag == W + "r" and any(child.tag not in _IN_RUN for child in at):
            return False
        if at is end:
            return sorted(begun) == sorted(ended)
        if at.tag == W + "bookmarkStart":
            begun.append(at.get(W + "id") or "")
        elif at.tag == W + "bookmarkEnd":
            ended.append(at.get(W + "id") or "")
        at = at.getnext()
    return False


_SIGNS = {W + "tab", W + "br", W + "cr"}


def _drop_signs(first: Any, last: Any) -> None:
    """Take away the tabs and line breaks in the midst of a tag: beside its texts, and in runs between them."""
    after, before = list(first.itersiblings()), list(last.itersiblings(preceding=True))
    if last in after:
        after, before = after[: after.index(last)], []
    inner = [child for run in _runs_between(first.getparent(), last.getparent()) for child in run]
    for element in (*after, *before, *inner):
        if element.tag in _SIGNS and element.getparent().tag == W + "r":
            element.getparent().remove(element)


def _runs_between(first: Any, last: Any) -> Iterator[Any]:
    """Yield the runs between two runs of one paragraph."""
    if first is last or first is None or last is None or first.getparent() is not last.getparent():
        return
    at = first.getnext()
    while at is not None and at is not last:
        if at.tag == W + "r":
            yield at
        at = at.getnext()


_WRAPPERS = {W + name for name in ("smartTag", "ins", "customXml", "hyperlink", "sdtContent", "sdt")}


def _drop_empty_run(element: Any) -> None:
    """Take away a run that has nothing but its properties, now that a tag's text is out of it, and what was around it.

    An empty content control would ask its reader to click and type.
    """
    run = element.getparent()
    if element.tag != W + "t" or run is None or run.tag != W + "r" or run.getparent() is None:
        return
    if all(child.tag == W + "rPr" or (child.tag == W + "t" and not child.text) for child in run):
        around = run.getparent()
        around.remove(run)
        while around.tag in _WRAPPERS and all(child.tag in _OF_WRAPPERS for child in around):
            around, empty = around.getparent(), around
            around.remove(empty)


_OF_WRAPPERS = {W + name for name in ("smartTagPr", "customXmlPr", "sdtPr", "sdtEndPr")}


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
    story.is_frozen = _freeze_deleted(root)
    for stream in texts:
        _Scan(story, stream).run()
    for slot in attributes:
        _Scan(story, [slot]).run()
    return story


_STRAY = re.compile(r"\}\}|%\}|｛[｛%％]|[｝%％]｝|\{｛|｛\{|｝\}|\}｝|\{[ \u00a0]+[{%](?=[^{}%]*[}%][ \u00a0]+\})")


def serialize(root: Any) -> str:
    """Return the XML of a tree as text, without a declaration."""
    text: str = etree.tostring(root, encoding="unicode")
    return text
