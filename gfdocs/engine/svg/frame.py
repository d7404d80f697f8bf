"""A rendered drawing without its words: parsed, checked and written once, filled with other words each time.

The words of a drawing are what its tags print in its text; all else is its frame. Frames are told apart by their whole
text, so that nothing a tag prints into an attribute, and no element it leaves out or repeats, goes unseen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from gfdocs.engine.language import raise_issues
from gfdocs.engine.language.tree import Index, children
from gfdocs.engine.svg.drawing import write_drawing
from gfdocs.engine.svg.lay import HOLE, Fitting, bad_fit, take_fitting
from gfdocs.engine.svg.safety import settle
from gfdocs.engine.written import Written
from gfdocs.errors import Issue, Place, TemplateError, Text

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet

# What a template prints as words stands between these two. No XML can hold them, and the outlets refuse them in data.
_OPEN, _CLOSE = "\x01", "\x02"
_WORDS = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")

# What is longer is not remembered.
_SHORT_FRAME = 16 * 1024
_LONGEST_TEXT = 1000
_TEXTS = 256


# ---------------------------------------------------------------------------------------------------------------------
# What is printed as words


def make_outlet(outlet: Callable[[Any], str]) -> Callable[[Any], str]:
    """Return what prints a value as words. What brings its own markup, or is none, is a part of the frame."""

    def show(value: Any) -> str:
        text = outlet(value)
        # What is blank may decide whether an element is empty, or has one piece of text.
        return f"{_OPEN}{text}{_CLOSE}" if value.__class__ in _PLAIN and text.strip() else text

    return show


_PLAIN = frozenset((str, int, float))
_PRINTING = (nodes.Template, nodes.If, nodes.With)
_FOREIGN = frozenset((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends))


def mark_words(index: Index, printing: frozenset[int]) -> None:
    """Have the tags of these lines print words.

    What a block, a macro or a filter gathers is not yet what the drawing says, and what other templates print stays
    theirs.
    """
    rest: list[nodes.Node] = [] if index.by_class.keys() & _FOREIGN else index.by_class[nodes.Template][:]
    while rest:
        node = rest.pop()
        if isinstance(node, nodes.Output):
            for piece in node.nodes:
                if not isinstance(piece, nodes.TemplateData) and piece.lineno in printing:
                    piece.outlet = "words"  # type: ignore[attr-defined]
        elif isinstance(node, _PRINTING) or (isinstance(node, nodes.For) and not node.recursive):
            rest.extend(children(node))


def split_words(rendered: str) -> tuple[str, list[str]]:
    """Return the text of the frame, with a mark for each hole, and the words of the holes, escaped."""
    pieces = _WORDS.split(rendered)
    return _OPEN.join(pieces[::2]), pieces[1::2]


# ---------------------------------------------------------------------------------------------------------------------
# The frame

Hole = Callable[[list[str]], "bytes | Issue"]
"""What stands in a hole, of the words of the whole drawing."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A drawing with holes: its bytes before, between and after them. `issues` is what keeps it from being written."""

    issues: tuple[Issue, ...]
    pieces: tuple[bytes, ...]
    holes: tuple[Hole, ...]

    def write(self, words: list[str]) -> bytes:
        """Return the drawing with these words; TemplateError with all that is wrong with it (GF240, GF243, GF244)."""
        written = [hole(words) for hole in self.holes]
        issues = [*self.issues, *(found for found in written if isinstance(found, Issue))]
        if issues:
            raise TemplateError(issues)
        filled: list[Any] = [self.pieces[0]] * (2 * len(written) + 1)
        filled[::2], filled[1::2] = self.pieces, written
        return b"".join(filled)


class _FittedText:
    """A text to be fitted, and how its element is written where it stands as drawn. Each is one of its own."""

    __slots__ = ("attributes", "fitting", "tag")

    def __init__(self, fitting: Fitting, tag: str, attributes: dict[str, str]) -> None:
        self.fitting, self.tag, self.attributes = fitting, tag, attributes


def read_frame(text: str, *, name: str, fonts: FontSet | None = None) -> Frame:
    """Return the frame of this text: checked, its texts to be fitted known."""
    root = _parse(text, name)
    settled = settle(root, name=name, is_short=len(text) <= _SHORT_FRAME)
    issues = settled.issues
    fittings: list[Fitting] = []
    for element in settled.fits:
        place = Place(name, element.sourceline)
        try:
            fitting = take_fitting(element, place, fonts)
        except ValueError as fault:
            issues.append(bad_fit(place, fault.args[0]))
            continue
        element.append(_make_hole(f"fit{len(fittings)}"))
        fittings.append(fitting)
    settled.strip_notes()
    return Frame(tuple(issues), *_cut(write_drawing(root), fittings))


def _make_hole(number: str) -> Any:
    from lxml import etree

    return etree.ProcessingInstruction(HOLE, number)


_HOLE = re.compile(rb"<\?gf (fit)?(\d+)\?>")
_ATTRIBUTE = re.compile(r'([^\s="]+)="([^"]*)"')


def _cut(drawing: bytes, fittings: list[Fitting]) -> tuple[tuple[bytes, ...], tuple[Hole, ...]]:
    """Return what stands around the holes of a drawing, and its holes."""
    pieces: list[bytes] = []
    holes: list[Hole] = []
    end = 0
    for found in _HOLE.finditer(drawing):
        start, after, number = found.start(), found.end(), int(found[2])
        if found[1]:
            # Its whole element is set anew: in what is written, no attribute holds a < or >.
            start, after = drawing.rindex(b"<", end, start), drawing.index(b">", after) + 1
            tag, _, attributes = drawing[start + 1 : found.start() - 1].decode().partition(" ")
            fitted = _FittedText(fittings[number], tag, dict(_ATTRIBUTE.findall(attributes)))
            holes.append(partial(_write_fitted, fitted))
        else:
            holes.append(partial(_write_plain, number))
        pieces.append(drawing[end:start])
        end = after
    return (*pieces, drawing[end:]), tuple(holes)


def _write_plain(number: int, words: list[str]) -> bytes:
    # In a text, quotes stand for themselves.
    return words[number].replace("&quot;", '"').encode()


def _write_fitted(fitted: _FittedText, words: list[str]) -> bytes | Issue:
    content = fitted.fitting.content
    text = "".join([piece if isinstance(piece, str) else _unescape(words[piece]) for piece in content])
    return (_set_again if len(text) <= _LONGEST_TEXT else _set_text)(fitted, text)


def _set_text(fitted: _FittedText, text: str) -> bytes | Issue:
    return fitted.fitting.set_text(text, fitted.tag, fitted.attributes)


_set_again = lru_cache(_TEXTS)(_set_text)  # most texts of a drawing are the same in all drawings of a round


def _unescape(word: str) -> str:
    return Written(word).to_plain() if "&" in word else word


def _parse(text: str, name: str) -> Any:
    from lxml import etree

    first, *rest = text.split(_OPEN)
    source = "".join([first, *(f"<?{HOLE} {number}?>{piece}" for number, piece in enumerate(rest))])
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, huge_tree=len(source) > 8 << 20
    )
    try:
        root: Any = etree.fromstring(source.strip().encode("utf-8"), parser)
    except etree.XMLSyntaxError as fault:
        raise_issues([_not_well_formed(name, str(fault.msg))], fault)
        raise
    # What brings its own markup may bring instructions: to nobody, or to us.
    notes = [root.getprevious(), root.getnext(), *root.iter(etree.ProcessingInstruction)]
    if [node if node is None else node.text for node in notes] != [None, None, *map(str, range(len(rest)))]:
        raise TemplateError(_not_well_formed(name, "processing instruction"))
    return root


def _not_well_formed(name: str, reason: str) -> Issue:
    fact = Text("the rendered drawing is not well-formed", "渲染后的图形不是合法的 XML")
    return Issue("GF245", "error", Place(name), fact, Text(reason))
