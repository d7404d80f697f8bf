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

_STRING = r'"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*'"
TAG = re.compile(rf"\{{\{{(?:{_STRING}|[^\"'])*?\}}\}}|\{{%(?:{_STRING}|[^\"'])*?%\}}|\{{\#.*?\#\}}", re.DOTALL)
_PIECE = re.compile(
    r"(?P<comment><!--.*?-->)|(?P<cdata><!\[CDATA\[.*?\]\]>)|(?P<pi><\?.*?\?>)"
    r"|(?P<markup><(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>)|(?P<text>[^<]+)",
    re.DOTALL,
)
_STRAY = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_BLOCK = re.compile(r"\{%[-+]?\s*(\w+)(.*?)[-+]?%\}", re.DOTALL)
_PAIRED = frozenset(("if", "for", "with", "filter", "call", "macro", "autoescape"))
_ROW_TAGS = frozenset(("p", "tr", "tc", "r"))
_DYNAMIC_MARKUP = re.compile(r"\{\{|\{%")


def without_tags(text: str) -> str:
    """Return the text with its Jinja tags taken out."""
    return TAG.sub("", text)


@dataclass(frozen=True)
class Source:
    """The Jinja source of a drawing. Each tag begins a line of its own; `tags` tells its line in the file and words."""

    text: str
    tags: dict[int, tuple[int, str]]

    def line_of(self, line: int) -> int:
        return self.tags[line][0] if line in self.tags else 1

    def words_of(self, line: int) -> str:
        return self.tags[line][1] if line in self.tags else ""


def read_source(text: str) -> Source:
    """Return the Jinja source of a well-formed drawing: entities within tags resolved, comments dropped."""
    pieces: list[str] = []
    tags: dict[int, tuple[int, str]] = {}
    line = file_line = 1
    for match in _PIECE.finditer(text.lstrip("\ufeff")):
        piece = match.group()
        shown = _show_piece(piece, match.lastgroup)
        end = 0
        for tag in TAG.finditer(shown):
            before = shown[end : tag.start()]
            line += before.count("\n")
            start = file_line + shown.count("\n", 0, tag.start())
            words = unescape(tag.group())
            # a newline inside the tag prints nothing, and puts the next tag on another line
            close = -3 if words[-3] in "+-" else -2
            pieces += [before, words[:close], "\n", words[close:]]
            tags[line] = (start, " ".join(words.split()))
            line += words.count("\n") + 1
            end = tag.end()
        pieces.append(shown[end:])
        line += shown.count("\n", end)
        file_line += piece.count("\n")
    return Source("".join(pieces), tags)


def _show_piece(piece: str, kind: str | None) -> str:
    """Return a piece as Jinja sees it: nothing of comments, the escaped text of a CDATA section, the rest as it is."""
    if kind in ("comment", "pi"):
        return ""
    if kind != "cdata":
        return piece
    return piece[9:-3].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def has_dynamic_markup(text: str) -> bool:
    """True where a tag stands in an attribute or a style sheet, so that data might reach a reference."""
    if re.search(r"<(\w+:)?style\b", text):
        return True
    return any(m.lastgroup == "markup" and _DYNAMIC_MARKUP.search(m.group()) for m in _PIECE.finditer(text))


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
    for match in (found for tag in TAG.findall(text) if (found := _BLOCK.match(tag))):
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
