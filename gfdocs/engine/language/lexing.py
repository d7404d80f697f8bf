"""The tokens of a template, found as Jinja's lexer finds them, in a fifth of its time.

Only what templates mostly say is read here: plain tags and comments, names, numbers, texts, operators. Wherever anything
else is met (a sign that trims, a raw block, a fault), Jinja's own lexer reads the whole template and tells the fault.
"""

from __future__ import annotations

import re
from typing import cast

from jinja2.lexer import Token, operators

__all__ = ["find_tokens"]

_OPEN = re.compile(r"\{[{%#]")
_PIECE = re.compile(
    r"(?P<blank>\s+)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<float>(?<!\.)(?:0|[1-9][0-9]{0,15})\.[0-9]{1,15}(?![\w.]))"
    r"|(?P<integer>(?:0|[1-9][0-9]{0,15})(?![\w.]))"
    r"|(?P<operator>//|\*\*|[=!<>]=|[-+*/%~<>=.:|,;()\[\]])"
    r"|(?P<string>'[^'\\]*'|\"[^\"\\]*\")"
)
_PAIRS = {"(": ")", "[": "]"}
_ENDS = {"{{": ("}}", "variable_begin", "variable_end"), "{%": ("%}", "block_begin", "block_end")}
_RAW = re.compile(r"\{%\s*raw\b")


def find_tokens(source: str) -> list[Token] | None:
    """Return the tokens of a template with Jinja's own delimiters; None where it takes Jinja's lexer to read it."""
    if "\r" in source or _RAW.search(source):
        return None
    tokens: list[Token] = []
    at, line = 0, 1
    while found := _OPEN.search(source, at):
        start, opener = found.start(), found.group()
        if source[start + 2 : start + 3] in ("-", "+"):
            return None
        if start > at:
            tokens.append(Token(line, "data", source[at:start]))
            line += source.count("\n", at, start)
        at = _read_note(source, start) if opener == "{#" else _read_tag(source, start, line, opener, tokens)
        if at < 0:
            return None
        line += source.count("\n", start, at)
    if at < len(source):
        tokens.append(Token(line, "data", source[at:]))
    return tokens


def _read_note(source: str, start: int) -> int:
    """Return where the comment that begins here ends; -1 where it is not a plain one."""
    end = source.find("#}", start + 2)
    return -1 if end < 0 or source[end - 1] in "-+" else end + 2


def _read_tag(source: str, start: int, line: int, opener: str, tokens: list[Token]) -> int:
    """Add the tokens of the tag that begins here and return where it ends; -1 where it is not a plain one."""
    closer, begin, last = _ENDS[opener]
    tokens.append(Token(line, begin, opener))
    at = start + 2
    open_brackets: list[str] = []
    match = _PIECE.match
    while True:
        if not open_brackets and source.startswith(closer, at):
            if source[at - 1] in "-+":
                return -1
            tokens.append(Token(line, last, closer))
            return at + 2
        found = match(source, at)
        if found is None:
            return -1
        kind, text, at = found.lastgroup, found.group(), found.end()
        if kind == "name":
            if not text.isidentifier():  # `x²`: letters and digits of Unicode that no name may have
                return -1
            tokens.append(Token(line, "name", text))
        elif kind == "operator":
            if text in _PAIRS:
                open_brackets.append(_PAIRS[text])
            elif text in ")]" and (not open_brackets or open_brackets.pop() != text):
                return -1
            tokens.append(Token(line, operators[text], text))
        elif kind == "string":
            tokens.append(Token(line, "string", text[1:-1]))
            line += text.count("\n")
        elif kind == "integer" or kind == "float":
            # As Jinja's lexer does, whatever its types say.
            tokens.append(Token(line, kind, cast(str, int(text) if kind == "integer" else float(text))))
        else:
            line += text.count("\n")
