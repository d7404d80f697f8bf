"""What a template has written into a block of its own: escaped already, and yet a text to compute with."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from gfdocs.errors import Text

__all__ = ["Marked", "Written", "to_text", "to_texts"]


# As `escape_xml` and markupsafe write them; the ampersand last, so that none is undone twice.
_ESCAPES = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#34;", '"'),
    ("&#39;", "'"),
    ("&#13;", "\r"),
    ("&amp;", "&"),
)


class Marked(TypeError):
    """A written piece holds elements, so that it is no text. Never leaves the engine: it becomes issue GF219."""

    def __init__(self) -> None:
        en = "it holds paragraphs, pictures or links: it can be printed, but not computed with"
        super().__init__(en)
        self.text = Text(en, "其中含段落、图片或链接，只能输出，不能参与计算")


class Written(Markup):
    """What a set block, a macro, a filter block or a call block has written: printed as it is.

    As soon as somebody computes with it, it is the text that its reader sees (`to_text`): `&amp;` is one character.
    """

    __slots__ = ()

    def to_plain(self) -> str:
        """Return the text as it reads; Marked where there is more in it than text."""
        text = str.__str__(self)
        if "<" in text:
            text = _read_runs(text)
        if "&" not in text:
            return text
        for escaped, char in _ESCAPES:
            text = text.replace(escaped, char)
        return text


# Where Word's runs begin and end is nobody's business but Word's; its line breaks and tabs are signs of the text.
_PROPERTIES = re.compile(r"<w:rPr>.*?</w:rPr>|<w:rPr/>", re.DOTALL)
_ELEMENT = re.compile(r"</?([\w:.\-]+)[^<>]*>")
_OF_RUNS = {"w:r", "w:t", "w:proofErr", "w:lastRenderedPageBreak"}
_SIGNS = {"<w:br/>": "\n", "<w:tab/>": "\t"}


def _read_runs(markup: str) -> str:
    """Return the text of markup that has only runs of text in it, escaped still; Marked where there is more."""

    def read(found: re.Match[str]) -> str:
        sign = _SIGNS.get(found.group(), "")
        if not sign and found[1] not in _OF_RUNS:
            raise Marked
        return sign

    return _ELEMENT.sub(read, _PROPERTIES.sub("", markup))


def to_text(value: Any) -> Any:
    """Return a value to compute with: the text of what was written, all else as it is."""
    return value.to_plain() if value.__class__ is Written else value


def to_texts(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return values to compute with."""
    return tuple(map(to_text, values)) if Written in map(type, values) else values
