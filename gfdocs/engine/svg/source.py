"""From the template's text to the source Jinja compiles, line by line the same: so a fault is told with its own line.

Tags may stand in text and in attribute values. They may repeat or leave out whole elements, never open one without
closing it: the structure of the drawing is the template's alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any

from gfdocs.errors import Issue, Place, Text

_STRINGS = {
    '"': re.compile(r'"(?:\\.|[^"\\])*"', re.DOTALL),
    "'": re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL),
}
_STOPS = {"{{": re.compile(r"\}\}|[\"']"), "{%": re.compile(r"%\}|[\"']"), "{#": re.compile(r"#\}")}
_PIECE = re.compile(
    r"(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<pi><\?.*?\?>)"
    r"|(?P<markup><(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<text>[^<]+)",
    re.DOTALL,
)
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_BLOCK = re.compile(r"\{%[-+]?\s*(\w+)(.*?)[-+]?%\}", re.DOTALL)
_PAIRED = frozenset(("if", "for", "with", "filter", "call", "macro", "autoescape"))
_ROW_TAGS = frozenset(("p", "tr", "tc", "r"))
_STYLE = re.compile(r"</?[^\s<>/]*style[\s/>]")


class _Ends:
    """Where tags of one kind end in a text. What failed once is kept, so a hostile text is gone over once, not n times."""

    def __init__(self, text: str, kind: str) -> None:
        self.text = text
        self.stop = _STOPS[kind]
        self.searched = (0, -1)  # from the first place on, the next stop is at the second
        self.empty_from = len(text)  # from here on there is neither an end nor a quote
        self.strings: dict[str, tuple[int, int]] = {}  # by quote: the last string, its end 0 where it is never closed
        self.failed: set[int] = set()  # quotes after which no tag ends

    def find(self, at: int) -> int:
        """Return where the tag ends whose words begin at `at`, 0 where it does not."""
        passed: list[int] = []
        while (stop := self._find_stop(at)) >= 0:
            mark = self.text[stop]
            if mark not in _STRINGS:
                return stop + 2
            if stop in self.failed:
                break
            passed.append(stop)
            at = self._end_of_string(stop, mark)
            if not at:
                break
        self.failed.update(passed)
        return 0

    def _find_stop(self, at: int) -> int:
        """Return where the next end or quote stands, -1 where there is none."""
        start, stop = self.searched
        if start <= at <= stop:
            return stop
        found = self.stop.search(self.text, at) if at < self.empty_from else None
        if found is None:
            self.empty_from = min(self.empty_from, at)
            return -1
        self.searched = (at, found.start())
        return found.start()

    def _end_of_string(self, at: int, quote: str) -> int:
        """A quote inside a string, be it escaped, opens one that ends where that one does."""
        start, end = self.strings.get(quote, (at + 1, 0))
        if start <= at and (not end or at < end - 1):
            return end
        found = _STRINGS[quote].match(self.text, at)
        end = found.end() if found else 0
        self.strings[quote] = (at, end)
        return end


def find_tags(text: str) -> list[tuple[int, int]]:
    """Return start and end of each Jinja tag, strings within tags taken whole, in time linear in the text."""
    found: list[tuple[int, int]] = []
    ends = {kind: _Ends(text, kind) for kind in _STOPS}
    at = 0
    while live := "".join(re.escape(kind[1]) for kind in ends):
        begin = re.compile(rf"\{{[{live}]").search(text, at)
        if begin is None:
            break
        kind, start = begin.group(), begin.start()
        end = ends[kind].find(start + 2)
        if end:
            found.append((start, end))
        elif start + 2 >= ends[kind].empty_from:
            del ends[kind]
        at = end or start + 1
    return found


def without_tags(text: str) -> str:
    """Return the text with its Jinja tags taken out."""
    if "{" not in text:
        return text
    pieces, end = [], 0
    for start, next_end in find_tags(text):
        pieces.append(text[end:start])
        end = next_end
    return "".join((*pieces, text[end:]))


@dataclass(frozen=True)
class Source:
    """The Jinja source of a drawing. Each tag begins a line of its own; `tags` tells its line in the file and words.

    printing: the lines of tags that stand in the text of the drawing, so that what they print is words and no more.
    """

    text: str
    tags: dict[int, tuple[int, str]]
    printing: frozenset[int] = frozenset()

    def line_of(self, line: int) -> int:
        return self.tags[line][0] if line in self.tags else 1

    def words_of(self, line: int) -> str:
        return self.tags[line][1] if line in self.tags else ""


def read_source(text: str) -> Source:
    """Return the Jinja source of a well-formed drawing: entities within tags resolved, comments dropped."""
    pieces: list[str] = []
    tags: dict[int, tuple[int, str]] = {}
    printing: set[int] = set()
    styles = 0  # how many style sheets are open
    line = file_line = 1
    for match in _PIECE.finditer(text.lstrip("\ufeff")):
        piece = match.group()
        shown = _show_piece(piece, match.lastgroup)
        if _STYLE.match(piece) and not piece.endswith("/>"):
            styles += -1 if piece.startswith("</") else 1
        end, tag_line = 0, file_line
        for tag_start, tag_end in find_tags(shown):
            before = shown[end:tag_start]
            line += before.count("\n")
            tag_line += before.count("\n")
            start = tag_line
            words = unescape(shown[tag_start:tag_end])
            # a newline inside the tag prints nothing, and puts the next tag on another line
            close = -3 if words[-3] in "+-" else -2
            pieces += [before, words[:close], "\n", words[close:]]
            tags[line] = (start, " ".join(words.split()))
            lines = words.count("\n") + 1
            if match.lastgroup == "text" and not styles:
                printing.update(range(line, line + lines))
            line += lines
            tag_line += shown.count("\n", tag_start, tag_end)
            end = tag_end
        pieces.append(shown[end:])
        line += shown.count("\n", end)
        file_line += piece.count("\n")
    return Source("".join(pieces), tags, frozenset(printing))


def _show_piece(piece: str, kind: str | None) -> str:
    """Return a piece as Jinja sees it: nothing of comments, the escaped text of a CDATA section, the rest as it is."""
    if kind in ("comment", "pi"):
        return ""
    if kind != "cdata":
        return piece
    return piece[9:-3].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def find_tag_faults(root: Any, *, name: str) -> Iterator[Issue]:
    """Yield an issue for each tag that is cut by an element (GF241) or pairs across elements (GF242)."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        place = Place(name, element.sourceline)
        stray = [_STRAY.search(without_tags(text)) for text in _texts(element)]
        for found in filter(None, stray):
            yield _cut_tag(place, found.group())
        for value in element.attrib.values():
            yield from _find_unpaired(value, place)
        yield from _find_unpaired("".join(_content(element)), place)


def _texts(element: Any) -> Iterator[str]:
    yield from element.attrib.values()
    yield element.text or ""
    yield from (child.tail or "" for child in element)


def _content(element: Any) -> Iterator[str]:
    """Yield the text of an element at its own level: the children count as one piece each."""
    yield element.text or ""
    yield from (child.tail or "" for child in element)


def _find_unpaired(text: str, place: Place) -> Iterator[Issue]:
    """Yield an issue for each block tag that has no partner within `text`."""
    open_tags: list[str] = []
    tags = (text[start:end] for start, end in find_tags(text))
    for match in (found for tag in tags if (found := _BLOCK.match(tag))):
        word, rest = match.group(1), match.group(2)
        if word in _ROW_TAGS or word in ("raw", "endraw"):
            yield _unknown_tag(place, word)
        elif word in _PAIRED or (word == "set" and "=" not in rest):
            open_tags.append(word)
        elif word.startswith("end"):
            if not open_tags or open_tags.pop() != word[3:]:
                yield _unpaired(place, word)
                return
        elif word in ("elif", "else") and (not open_tags or open_tags[-1] not in ("if", "for")):
            yield _unpaired(place, word)
            return
    if open_tags:
        yield _unpaired(place, open_tags[-1])


def _cut_tag(place: Place, mark: str) -> Issue:
    fact = Text(f'"{mark}" without its other half', f"“{mark}”缺少另一半")
    hint = Text(
        "an element inside the tag cuts it in two: type the whole tag into one piece of text",
        "标签被图形元素切断：请把整个标签写在同一段文字里",
    )
    return Issue("GF241", "error", place, fact, hint)


def _unpaired(place: Place, word: str) -> Issue:
    fact = Text(f"{{% {word} %}} has no partner here", f"{{% {word} %}} 在此处没有配对")
    hint = Text(
        "a block begins and ends within the same element, or within the same attribute value",
        "同一标签块的开始与结束必须位于同一元素内，或同一属性值内",
    )
    return Issue("GF242", "error", place, fact, hint)


def _unknown_tag(place: Place, word: str) -> Issue:
    fact = Text(f"{{%{word} %}} is not for drawings", f"图形模板中不能使用 {{%{word} %}}")
    hint = Text(
        "write {% if %}, {% for %} around the element, {{ '{{' }} for a brace",
        "请在元素前后写 {% if %}、{% for %}；要写花括号请用 {{ '{{' }}",
    )
    return Issue("GF242", "error", place, fact, hint)
