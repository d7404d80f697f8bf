"""Tags in the texts of a workbook: whether a text has any, the runs they are split over, what is wrong with those that
do not parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gfdocs.engine.xlsx.formulas.references import parse_formula
from gfdocs.engine.xlsx.template.workbook import TextRun
from gfdocs.errors import Issue, Place, Text

_PAIRS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENING = re.compile(r"\{[{%#]")
#: Tags of Word templates for a paragraph, a run, a table's row or cell.
_OF_WORD = re.compile(r"\{%[-+]?\s*(p|r)\s+((?:for|if|elif|else|endfor|endif|set)\b[^%]*)")

#: Stands before each run but the first of a rich text while it is rendered, with the run's number: `\x1e1\x1f`.
RUN_MARK = "\x1e"
_RUN_MARKS = re.compile("\x1e[0-9]+\x1f")


@lru_cache(maxsize=64)  # a hostile workbook shows one long shared text in every cell
def has_tags(text: str) -> bool:
    return "{" in text and any(mark in text for mark in _PAIRS)


def formula_has_tags(text: str) -> bool:
    """True where a formula has tags outside the names of sheets (which may have them)."""
    return has_tags(text) and any(isinstance(piece, str) and has_tags(piece) for piece in parse_formula(text))


# -- runs --------------------------------------------------------------------------------------------------------------


def mark_runs(runs: tuple[TextRun, ...]) -> str:
    """Return the runs of a rich text as one text, with the mark of each run but the first before it."""
    return runs[0].text + "".join(f"{RUN_MARK}{number}\x1f{run.text}" for number, run in enumerate(runs[1:], 1))


def split_runs(text: str) -> Iterator[tuple[int, str]]:
    """Yield the runs of a text with marks that have something in them, each with its number."""
    first, *rest = text.split(RUN_MARK)
    if first:
        yield 0, first
    for piece in rest:
        number, _, inner = piece.partition("\x1f")
        if inner:
            yield int(number), inner


def without_runs(text: str) -> str:
    """Return a rich text without the marks of its runs."""
    return _RUN_MARKS.sub("", text) if RUN_MARK in text else text


def join_tags(runs: tuple[TextRun, ...]) -> tuple[TextRun, ...]:
    """Join the runs that a tag is split over: the whole tag goes to the run it begins in."""
    joined: list[TextRun] = []
    open_text = False
    for run in runs:
        if open_text and joined:
            before = joined[-1]
            end = _end_of_tag(before.text + run.text, len(before.text))
            taken = end - len(before.text)
            joined[-1] = TextRun(before.text + run.text[:taken], before.properties)
            open_text = _is_open(joined[-1].text)
            if run.text[taken:]:
                joined.append(TextRun(run.text[taken:], run.properties))
                open_text = _is_open(run.text[taken:])
        else:
            joined.append(run)
            open_text = _is_open(run.text)
    return tuple(joined)


def _find_tag(text: str, at: int) -> tuple[int, int] | None:
    """Return where the first tag from `at` on begins and ends, its end 0 where it has none; None where no tag begins."""
    opening = _OPENING.search(text, at)
    if opening is None:
        return None
    end = text.find(_PAIRS[opening[0]], opening.end())
    return opening.start(), 0 if end < 0 else end + 2


def _find_unclosed(text: str) -> int | None:
    """Return where a tag begins that does not end, None where each ends."""
    at = 0
    while (found := _find_tag(text, at)) is not None:
        start, at = found
        if not at:
            return start
    return None


def _is_open(text: str) -> bool:
    """True where a tag begins in the text and does not end in it (a lone `{` at the end counts)."""
    return _find_unclosed(text) is not None or (text.endswith("{") and not text.endswith("{{"))


def _end_of_tag(text: str, minimum: int) -> int:
    """Return how much of the text the tag that is open before `minimum` takes; all of it where it does not end."""
    at = 0
    while at <= minimum and (found := _find_tag(text, at)) is not None and found[0] < minimum:
        at = found[1] or len(text)
    return max(at, minimum)


# -- what is wrong with a tag ------------------------------------------------------------------------------------------


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
