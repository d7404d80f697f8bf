"""What may be written at all, and how it is escaped."""

from __future__ import annotations

import re

from gfdocs.errors import Text

# What XML 1.0 forbids (2.2 Char), lone surrogates and U+FFFE/F among it, and the bidi overrides and isolates that make
# a text read otherwise than it is written (UAX 9; CVE-2021-42574).
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")


class IllegalCharacter(ValueError):
    """A text has a character that no office file may hold. Never leaves the engine: it becomes issue GF211."""

    def __init__(self, character: str, index: int, text: str) -> None:
        super().__init__(f"U+{ord(character):04X} at position {index + 1}")
        self.character, self.index, self.value = character, index, text


class Unfit(ValueError):
    """A value cannot stand where its tag stands. Never leaves the engine: it becomes issue GF219."""

    def __init__(self, en: str, zh: str, hint: Text | None = None) -> None:
        super().__init__(en)
        self.text = Text(en, zh)
        self.hint = hint or Text("")


def find_illegal(text: str) -> int | None:
    """Return the index of the first character that must not be written (XML 1.0 2.2, bidi overrides), or None."""
    if text.isprintable():
        return None
    found = _ILLEGAL.search(text)
    return found.start() if found else None


def check_characters(text: str) -> str:
    """Return the text itself; IllegalCharacter where it has one that must not be written."""
    if not text.isprintable():
        found = _ILLEGAL.search(text)
        if found:
            raise IllegalCharacter(found.group(), found.start(), text)
    return text


def escape_xml(text: str) -> str:
    """Return the text as XML text or attribute value: `& < > "` escaped, carriage returns kept as `&#13;`.

    IllegalCharacter where XML cannot hold it.
    """
    if not text.isprintable():
        check_characters(text)
        if "\r" in text:
            return _replace_markup(text).replace("\r", "&#13;")
    return _replace_markup(text)


def _replace_markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def clip(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"
