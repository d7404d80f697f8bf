"""What is wrong with tags that do not parse, told in the words of workbooks."""

from __future__ import annotations

import re

from gfdocs.errors import Issue, Place, Text

_PAIRS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENING = re.compile(r"\{[{%#]")
#: Tags of Word templates for a paragraph, a run, a table's row or cell.
_OF_WORD = re.compile(r"\{%[-+]?\s*(p|r)\s+((?:for|if|elif|else|endfor|endif|set)\b[^%]*)")


def find_tag_fault(source: str, place: Place) -> Issue | None:
    """Return what is wrong with a text that does not parse, where it is a tag without its end or one of Word's, else
    None.
    """
    unclosed = _find_unclosed(source)
    if unclosed is not None:
        opener, closer = source[unclosed : unclosed + 2], _PAIRS[source[unclosed : unclosed + 2]]
        shown = source[unclosed : unclosed + 40].split("\n")[0]
        fact = Text(f'"{opener}" is not closed by "{closer}": {shown}', f"“{opener}”没有以“{closer}”结束：{shown}")
        return Issue("GF202", "error", place, fact, Text(f'write "{closer}" at the end of the tag', f"请在标签末尾补上“{closer}”"))  # fmt: skip
    found = _OF_WORD.search(source)
    if found is None:
        return None
    kind, inner = found[1], found[2].strip(" -+")
    fact = Text(
        f"{{%{kind} … %}} is a tag of Word documents: {found[0].strip()} %}}",
        f"{{%{kind} … %}} 是 Word 模板的标签：{found[0].strip()} %}}",
    )
    hint = Text(
        f"write {{%tr {inner} %}} for rows, {{%tc {inner} %}} for columns",
        f"按行请写 {{%tr {inner} %}}，按列请写 {{%tc {inner} %}}",
    )
    return Issue("GF203", "error", place, fact, hint)


def _find_unclosed(text: str) -> int | None:
    """Return where a tag begins that does not end, None where each ends."""
    at = 0
    while (opening := _OPENING.search(text, at)) is not None:
        end = text.find(_PAIRS[opening[0]], opening.end())
        if end < 0:
            return opening.start()
        at = end + 2
    return None


__all__ = ["find_tag_fault"]
