"""From the XML of a part to the text that Jinja compiles, and what each tag of it stands in.

Before docxtpl's words are written out (`words`) ours are (`{% vmerge %}`), and what would undo a filled-in value is
repaired (placeholders and data bindings of content controls). Then the result is looked at: for each tag, the element
it stands in decides how a value is printed there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal

from lxml import etree

from gfdocs.engine.docx.balance import Crossing, Event, find_crossings
from gfdocs.engine.docx.lexer import AFTER_BRACE, STAMP, TAG, read_stamp, write_stamp
from gfdocs.engine.docx.story import Story, W, serialize
from gfdocs.engine.docx.words import write_words

Outlet = Literal[
    "text", "attribute", "span", "colour", "address", "field", "link", "plain", "run", "block", "other"
]  # fmt: skip

DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one tag stands in the prepared source, one a line: what a value becomes there, and what is around it."""

    line: int
    number: int | None
    text: str
    outlet: Outlet
    run_properties: str = ""
    paragraph_properties: str = ""
    is_sure: bool = True
    """Whether the run around it is surely this one, not one that a block has left or a loop has come back from."""
    stack: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Prepared:
    """The source of one part, each tag on its own line, and what the finished XML needs looking after."""

    source: str
    spots: tuple[Spot, ...]
    fixes: frozenset[str]
    """Of `tables` (columns come and go), `drawings` (ids repeat), `cells` and `rows` (may become empty), `ids`."""
    crossings: tuple[Crossing, ...] = ()
    """Where some way through the template may give XML that is not well-formed; `line` of their spots is that here."""


# ---------------------------------------------------------------------------------------------------------------------
# On the tree


def _mark_vmerge(story: Story) -> None:
    """`{% vmerge key %}`: the cell is merged with the one above while the key stays the same.

    The tag goes out of the text; the cell's `w:tcPr` gets a `w:vMerge` that asks, and its paragraphs are written only
    where a group begins.
    """
    for tag in story.tags:
        if tag.kind != "{%" or not tag.inner.startswith("vmerge"):
            continue
        cell = next(iter(tag.paragraph.iterancestors(W + "tc")), None) if tag.paragraph is not None else None
        key = tag.inner[len("vmerge") :].strip()
        if cell is None or not key:
            continue
        if not _remove_tag_text(cell, tag.number):
            continue
        first = f"gf_first_{tag.number}"
        properties = cell.find(W + "tcPr")
        if properties is None:
            properties = etree.Element(W + "tcPr")
            cell.insert(0, properties)
        stamp = write_stamp(tag.number)
        _set_vmerge(properties, f"{{{{ 'restart' if {first} else 'continue' {stamp}}}}}")
        cell.set("gf", f"{{% set {first} = gf_first(loop, {tag.number}, {key}) {stamp}%}}")
        properties.tail = f"{{% if {first} {stamp}%}}"
        last = cell[-1]
        last.tail = "{% else %}"
        blank = etree.SubElement(cell, W + "p")
        kept = last.find(W + "pPr") if last.tag == W + "p" else None
        if kept is not None:
            blank.append(etree.fromstring(etree.tostring(kept)))
        blank.tail = "{% endif %}"


def _set_vmerge(properties: Any, value: str) -> None:
    """Put `w:vMerge` where the schema wants it: after the width, span and hMerge, before the borders."""
    for old in properties.findall(W + "vMerge"):
        properties.remove(old)
    at = 0
    for index, child in enumerate(properties):
        if child.tag in (W + "cnfStyle", W + "tcW", W + "gridSpan", W + "hMerge"):
            at = index + 1
    merge = etree.Element(W + "vMerge")
    merge.set(W + "val", value)
    properties.insert(at, merge)


def _remove_tag_text(cell: Any, number: int) -> bool:
    """Take the tag with this stamp out of the texts of a cell; True where it was there."""
    texts = [element for element in cell.iter(W + "t") if element.text]
    joined = "".join(element.text for element in texts)
    for found in re.finditer(r"\{%.*?%\}", joined, re.DOTALL):
        if read_stamp(found.group()) != number:
            continue
        offset = 0
        for element in texts:
            start, end = offset, offset + len(element.text)
            offset = end
            low, high = max(start, found.start()), min(end, found.end())
            if low < high:
                element.text = element.text[: low - start] + element.text[high - start :]
        return True
    return False


def _free_content_controls(root: Any) -> None:
    """A content control with a tag is filled by us: it shows no placeholder and is bound to no other store."""
    for control in root.iter(W + "sdt"):
        content = control.find(W + "sdtContent")
        properties = control.find(W + "sdtPr")
        if content is None or properties is None or "{" not in "".join(content.itertext()):
            continue
        for child in list(properties):
            if child.tag in (W + "showingPlcHdr", W + "placeholder") or etree.QName(child).localname == "dataBinding":
                properties.remove(child)


def _mark_links(root: Any) -> None:
    """Have the address of a hyperlink (`links.write_addresses`) become the id of a relation to it."""
    for element in root.iter():
        for name in [name for name in element.attrib if name == "gf"]:
            key = next(key for key in element.attrib if key.endswith("}" + element.get(name)))
            address = element.get(key)
            stamp = next((found for found in map(read_stamp, _INNER_TAG.findall(address)) if found is not None), None)
            begin = f"{{% filter gf_link {'' if stamp is None else write_stamp(stamp)}%}}"
            element.set(key, f"{begin}{address}{{% endfilter %}}")
            del element.attrib[name]


# Fields whose result is drawn from the rest of the document: Word is asked to compute them anew.
_DERIVED = {
    "TOC",
    "INDEX",
    "TOA",
    "SEQ",
    "REF",
    "PAGEREF",
    "NOTEREF",
    "STYLEREF",
    "DOCPROPERTY",
    "TITLE",
    "SUBJECT",
    "=",
}


def _is_derived(code: str | None) -> bool:
    word = (code or "").strip().partition(" ")[0].partition("\\")[0].upper()
    return word in _DERIVED or word.startswith("=")


def _mark_fields(root: Any) -> None:
    """Tables of contents, references and sums are marked so that Word builds them anew when the document is opened."""
    starts: list[Any] = []
    for element in root.iter(W + "fldChar", W + "instrText", W + "fldSimple"):
        if element.tag == W + "fldSimple":
            if _is_derived(element.get(W + "instr")):
                element.set(W + "dirty", "true")
        elif element.tag == W + "instrText":
            if starts and _is_derived(element.text):
                starts[-1].set(W + "dirty", "true")
        elif element.get(W + "fldCharType") == "begin":
            starts.append(element)
        elif element.get(W + "fldCharType") == "end" and starts:
            starts.pop()


# ---------------------------------------------------------------------------------------------------------------------
# On the source

# Each alternative begins with a sign of its own: the search then goes from one of them to the next.
_TOKEN = re.compile(
    r"<(?:(?P<close>/?)(?P<name>[\w:.\-]+)(?P<rest>[^<>{]*)>"
    r"|(?P<note>!--.*?-->|\?.*?\?>)"
    rf"|(?P<filled>[\w:.\-]+)(?:{TAG}|[^<>{{]|\{{)*?(?P<empty>/?)>)"
    rf"|\{{(?P<tag>{AFTER_BRACE})",
    re.DOTALL,
)
_INNER_TAG = re.compile(TAG, re.DOTALL)

_RUN_PARENTS = {
    "w:p", "w:hyperlink", "w:ins", "w:del", "w:smartTag", "w:fldSimple", "w:sdtContent", "w:customXml", "w:moveTo",
    "w:moveFrom", "w:dir", "w:bdo",
}  # fmt: skip
_BLOCK_PARENTS = {
    "w:body", "w:tc", "w:hdr", "w:ftr", "w:footnote", "w:endnote", "w:comment", "w:txbxContent", "w:sdtContent",
    "w:customXml", "w:ins", "w:del",
}  # fmt: skip


# The code of a field may be an attribute.
_IN_INSTR = re.compile(r'\bw:instr="[^"]*\Z')
# After this the code of a field has the address of a hyperlink.
_BEFORE_LINK = re.compile(r'\bHYPERLINK\s+(?:"|&quot;)?\s*\Z', re.IGNORECASE)


def _outlet_of(stack: list[str]) -> Outlet:
    inner = stack[-1] if stack else ""
    if inner == "w:t" and stack[-2:-1] == ["w:r"]:
        return "text"
    if inner in ("w:instrText", "w:delInstrText"):
        return "field"
    if inner in _RUN_PARENTS and "w:p" in stack and _depth(stack, "w:p") > _depth(stack, "w:txbxContent"):
        return "run"
    if inner in _BLOCK_PARENTS:
        return "block"
    if inner in ("w:r", "w:tr", "w:tbl", "w:sdt"):
        return "other"
    return "plain"


def _depth(stack: list[str], name: str) -> int:
    return max((index for index, found in enumerate(stack) if found == name), default=-1)


# What a table, a row and a cell must have at least one of, and the repair where a block may leave them without.
_HELD = {"w:tbl": ("w:tr", "rows"), "w:tr": ("w:tc", "rows"), "w:tc": ("w:p", "cells")}


@dataclass(slots=True)
class _Holder:
    """A table, row or cell that is open: whether it surely keeps a child, and whether a block is inside it at all."""

    name: str
    number: int
    blocks: int
    has_child: bool = False
    has_block: bool = False


@dataclass(slots=True)
class _Block:
    """An `if` or `for` that is open, and the run and cell it began in. A loop that ends in another run comes back there."""

    is_loop: bool
    run: int
    cell: int
    comes_back: bool = False


class _Reader:
    """Walks the patched source once: knows the open elements at each tag, puts each tag on its own line."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.done = 0
        self.out: list[str] = []
        self.spots: list[Spot] = []
        self.events: list[Event] = []
        self.stack: list[str] = []
        self.line = 1 + DECLARATION.count("\n")
        self.number: int | None = None
        self.loops = 0
        self.open: list[_Block] = []
        self.loops_here: list[list[_Block]] = []
        self.run = 0
        # The depth of blocks at which the open run began, and the lowest since.
        self.run_depth = self.run_low = 0
        self.holders: list[_Holder] = []
        self.held = 0
        self.fixes: set[str] = set()
        # Where the properties of the runs and paragraphs that are open begin and end in the source.
        self.properties: dict[str, list[str]] = {"w:rPr": [], "w:pPr": []}
        self._property_start: dict[str, int] = {}

    def read(self) -> Prepared:
        for token in _TOKEN.finditer(self.source):
            kind = token.lastgroup
            if kind == "rest":
                self._element(token)
            elif kind == "tag":
                self._keep_to(token.start())
                self._tag(token.group(), self._outlet_at(token.start()))
                self.done = token.end()
            elif kind == "empty":
                self._keep_to(token.start())
                self._attributes(token)
                self.done = token.end()
                self._enter(token["filled"], token, bool(token["empty"]))
        self._keep_to(len(self.source))
        spots = (
            replace(spot, is_sure=False) if any(block.comes_back for block in blocks) else spot
            for spot, blocks in zip(self.spots, self.loops_here, strict=True)
        )
        return Prepared(
            "".join(self.out), tuple(spots), frozenset(self.fixes), tuple(islice(find_crossings(self.events), 20))
        )

    @property
    def blocks(self) -> int:
        return len(self.open)

    def _keep(self, text: str) -> None:
        self.out.append(text)
        self.line += text.count("\n")

    def _keep_to(self, end: int) -> None:
        """Keep the source as it is up to here."""
        if end > self.done:
            self._keep(self.source[self.done : end])
            self.done = end

    def _tag(self, tag: str, outlet: Outlet) -> None:
        number = read_stamp(tag)
        self.number = self.number if number is None else number
        tag = STAMP.sub("", tag)
        if not tag.startswith("{#"):
            self._note(tag, outlet)
        # The newline is inside the tag: it prints nothing, and tells Jinja's line numbers apart.
        closing = 3 if tag[-3] in "-+" and len(tag) > 5 else 2
        inner = tag[:-closing].replace("\n", " ").replace("\r", " ")
        self.out.append(f"{inner}\n{tag[-closing:]}")
        self.line += 1

    def _outlet_at(self, at: int) -> Outlet:
        """Return how a tag in a text prints; the code of a field may be in pieces since the field began."""
        outlet = _outlet_of(self.stack)
        if outlet == "field":
            code = self.source[max(self.source.rfind('w:fldCharType="begin"', 0, at), 0) : at]
            if _BEFORE_LINK.search(re.sub(r"<[^>]*>", "", code)):
                return "link"
        return outlet

    def _note(self, tag: str, outlet: Outlet) -> None:
        word = tag[2:].lstrip("-+ ").split(None, 1)[0].rstrip("-+%}") if tag.startswith("{%") else ""
        self.loops += {"for": 1, "endfor": -1}.get(word, 0)
        if (word in ("for", "if") or tag.startswith("{{")) and self.stack[-1:] == ["w:tr"]:
            self.fixes.add("tables")
        if outlet in ("attribute", "span") and self.element == "w:gridSpan":
            self.fixes.add("tables")
        if word in ("for", "if"):
            self.open.append(_Block(word == "for", self.run, self._cell()))
            for holder in self.holders:
                holder.has_block = True
        elif word in ("endfor", "endif") and self.open:
            block = self.open.pop()
            block.comes_back = block.is_loop and block.run != self.run
            if block.cell != self._cell():
                self.fixes.add("tables")
        # An `else` leaves its branch before it enters the next.
        self.run_low = min(self.run_low, self.blocks - (word in ("else", "elif")))
        self.loops_here.append([block for block in self.open if block.run == self.run])
        self.spots.append(
            Spot(
                self.line, self.number, tag, outlet,
                self._around("w:rPr", "w:r"), self._around("w:pPr", "w:p"), self.run_low >= self.run_depth,
                tuple(self.stack),
            )
        )  # fmt: skip
        self.events.append(("tag", self.spots[-1]))

    def _cell(self) -> int:
        """Return the number of the cell that is open, 0 outside of tables."""
        return next((holder.number for holder in reversed(self.holders) if holder.name == "w:tc"), 0)

    def _around(self, properties: str, owner: str) -> str:
        """Return the properties of the run or paragraph a tag is in; empty where they have tags themselves."""
        if owner not in self.stack:
            return ""
        found = self.properties[properties]
        return found[-1] if found and "{" not in found[-1] else ""

    element = ""

    def _element(self, token: re.Match[str]) -> None:
        close, name, rest = token.group("close", "name", "rest")
        if self.loops > 0 and name in ("w:p", "w:tr") and "w14:" in rest:
            # What is repeated must not repeat its identity.
            self._keep_to(token.start())
            self._keep(re.sub(r' w14:(?:paraId|textId)="[^"]*"', "", token.group()))
            self.done = token.end()
        if close:
            self._close(name, token.end())
        else:
            self._enter(name, token, rest[-1:] == "/")

    def _enter(self, name: str, token: re.Match[str], is_empty: bool) -> None:
        if is_empty:
            self._hold(name)
        else:
            self._open(name, token.start())
        if self.loops > 0 and name in ("wp:docPr", "w:bookmarkStart"):
            self.fixes.add("drawings" if name == "wp:docPr" else "ids")

    def _attributes(self, token: re.Match[str]) -> None:
        self.element = token["filled"]
        text, at = token.group(), 0
        for found in _INNER_TAG.finditer(text):
            self._keep(text[at : found.start()])
            at = found.end()
            self._tag(found.group(), self._outlet_in(text, found))
        self._keep(text[at:])
        self.element = ""

    def _outlet_in(self, text: str, tag: re.Match[str]) -> Outlet:
        """Return how a tag in an attribute prints. text: the element with its attributes."""
        before = text[: tag.start()]
        if before.rfind("gf_link") > before.rfind("endfilter"):
            return "address"
        if self.element == "w:fldSimple" and _IN_INSTR.search(_INNER_TAG.sub("", before)):
            return "link" if _BEFORE_LINK.search(before) else "field"
        if text[tag.end() : tag.end() + 1] == '"':
            if self.element == "w:gridSpan" and before.endswith(' w:val="'):
                return "span"
            if self.element == "w:shd" and before.endswith(' w:fill="'):
                return "colour"
        return "attribute"

    def _open(self, name: str, start: int) -> None:
        self.stack.append(name)
        self.events.append(("open", name))
        self._hold(name)
        if name == "w:r":
            self.run += 1
            self.run_depth = self.run_low = self.blocks
        if name in _HELD:
            self.held += 1
            self.holders.append(_Holder(name, self.held, self.blocks))
        if name in ("w:r", "w:p"):
            self.properties["w:rPr" if name == "w:r" else "w:pPr"].append("")
        elif name in ("w:rPr", "w:pPr") and self.stack[-2:-1] == ["w:r" if name == "w:rPr" else "w:p"]:
            self._property_start[name] = start

    def _hold(self, name: str) -> None:
        """Note a child that its table, row or cell keeps whatever the data is."""
        if self.holders:
            holder = self.holders[-1]
            if _HELD[holder.name][0] == name and holder.blocks == self.blocks:
                holder.has_child = True

    def _release(self, name: str) -> None:
        holder = self.holders.pop() if self.holders and self.holders[-1].name == name else None
        if holder and holder.has_block and not holder.has_child:
            self.fixes.add(_HELD[name][1])
        if name == "w:tbl" and self.holders and self.holders[-1].name == "w:tc":
            # A cell must end with a paragraph, so one before the inner table does not count.
            self.holders[-1].has_child = False

    def _close(self, name: str, end: int) -> None:
        self.events.append(("close", name))
        if name in _HELD:
            self._release(name)
        if name in self.stack:
            while self.stack.pop() != name:
                pass
        if name in ("w:r", "w:p"):
            kind = "w:rPr" if name == "w:r" else "w:pPr"
            del self.properties[kind][-1:]
        elif name in ("w:rPr", "w:pPr") and self.stack and self.stack[-1] == ("w:r" if name == "w:rPr" else "w:p"):
            found = self.properties[name]
            if found:
                found[-1] = self.source[self._property_start.get(name, end) : end]


def prepare(story: Story) -> Prepared:
    """Return what Jinja is to compile of a part whose tags have been read (and stamped)."""
    _mark_links(story.root)
    _mark_vmerge(story)
    _free_content_controls(story.root)
    _mark_fields(story.root)
    source = serialize(story.root)
    # `gf` carries what `_mark_vmerge` wants before the cell; it is no attribute of Word's.
    source = re.sub(r'<w:tc gf="([^"]*)"', lambda found: _unescape(found[1]) + "<w:tc", source)
    prepared = _Reader(write_words(source)).read()
    return replace(prepared, source=DECLARATION + prepared.source)


def _unescape(text: str) -> str:
    for entity, char in (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text
