"""Where a tag ends: read as Jinja's lexer reads it, strings and braces inside it looked through; and its number."""

from __future__ import annotations

import re

# Word makes curly quotes of straight ones as they are typed: docxtpl turns them back inside a tag.
_QUOTED = r"""["“”](?:[^"“”\\]|\\.)*+["“”]|['‘’](?:[^'‘’\\]|\\.)*+['‘’]"""
_STRING = re.compile(_QUOTED, re.DOTALL)
_PIECES = {
    "{{": re.compile(rf"(?P<string>{_QUOTED})|\{{[{{%#]|\}}\}}|[{{}}]", re.DOTALL),
    "{%": re.compile(rf"(?P<string>{_QUOTED})|\{{[{{%#]|%\}}", re.DOTALL),
}
_SIGN = re.compile(r"\\(.)|([{}&])", re.DOTALL)


def find_end(text: str, start: int, limit: int) -> int:
    """Return where the closing braces of the tag at `start` are, or -1 where it is not closed before the next opens.

    limit: the end of its paragraph, which no string in it passes: `{{ it's }}` is a fault of this tag only.
    """
    opener = text[start : start + 2]
    if opener == "{#":
        return text.find("#}", start + 2)
    search, at, depth = _PIECES[opener].search, start + 2, 0
    while found := search(text, at):
        piece, at = found.group(), found.end()
        if found["string"]:
            if at > limit:
                at = found.start() + 1
        elif piece == "%}" or (piece == "}}" and not depth):
            return found.start()
        elif len(piece) == 2 and piece[0] == "{":
            return -1
        elif piece == "{":
            depth += 1
        else:
            # Of `}}` in a dict inside a tag each brace closes one.
            depth = max(0, depth - 1)
            at = found.start() + 1
    return -1


def escape_strings(tag: str) -> str:
    r"""Return a tag with braces and ampersands in its strings as `\x7b`, `\x7d` and `\x26`.

    Jinja reads them as the signs themselves; nobody before it takes them for the end of a tag or an entity.
    """
    return _STRING.sub(lambda found: _SIGN.sub(_escape, found.group()), tag)


# Signs that nobody sees, which come along when a tag is copied from a page or a chat.
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]+")


def drop_unseen(tag: str) -> str:
    """Return a tag without signs that nobody sees; those in its strings are kept."""
    if _UNSEEN.search(tag) is None:
        return tag
    out, at = [], 0
    for string in _STRING.finditer(tag):
        out += [_UNSEEN.sub("", tag[at : string.start()]), string[0]]
        at = string.end()
    return "".join([*out, _UNSEEN.sub("", tag[at:])])


def _escape(found: re.Match[str]) -> str:
    char = found[1] or found[2]
    if char not in "{}&":
        return found.group()
    return ("\\\\" if found[1] else "") + f"\\x{ord(char):02x}"


# ---------------------------------------------------------------------------------------------------------------------
# Numbers

# Blanks that Jinja's lexer skips and nobody types: the ten digits of a tag's number.
DIGITS = "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009"
_TO_DIGIT = {ord(str(number)): char for number, char in enumerate(DIGITS)}
_FROM_DIGIT = {ord(char): str(number) for number, char in enumerate(DIGITS)}
STAMP = re.compile(f"[{DIGITS}]+(?=[-+]?[}}%#]}})")
_S = f"[{DIGITS}]+[-+]?"
# A tag with its number ends right after it, whatever braces it has inside; one that writing out the words has added is
# a simple one. The first brace is apart, for patterns that look for other things as well.
AFTER_BRACE = (
    rf"\{{(?:(?!\{{\{{|\{{%).)*?{_S}\}}\}}|%(?:(?!\{{\{{|\{{%).)*?{_S}%\}}"
    r"|\{.*?\}\}|%.*?%\}|\#.*?\#\}"
)
TAG = rf"\{{(?:{AFTER_BRACE})"


def write_stamp(number: int) -> str:
    """Return a tag's number as blanks, to stand right before its closing braces."""
    return str(number).translate(_TO_DIGIT)


def read_stamp(tag: str) -> int | None:
    """Return the number stamped into a tag, or None where it has none (a tag that preparing it added)."""
    found = STAMP.search(tag)
    return int(found.group().translate(_FROM_DIGIT)) if found else None
