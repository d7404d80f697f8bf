"""The tags that repeat lines: `{%tr for … %}` over rows, `{%tc for … %}` over columns, read into a tree of blocks.

A line that holds nothing but tags is taken out; a tag beside other content belongs to its line. Both of these repeat
row 5:

    row 4  {%tr for c in companies %}                     row 5  {%tr for c in companies %}{{ c.name }} | … | {{ c.note }}{%tr endfor %}
    row 5  {{ c.name }} | …
    row 6  {%tr endfor %}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gfdocs.errors import Issue, Place, Text

TAG = re.compile(r"\{%[-+]?\s*(tr|tc|sheet)\s+(.*?)[-+]?%\}", re.DOTALL)
_ANY_TAG = re.compile(r"\{%[-+]?\s*(\w+)(.*?)[-+]?%\}", re.DOTALL)
_OPENERS = {"for", "if"}
_CLOSERS = {"endfor": "for", "endif": "if"}
_BRANCHES = {"else", "elif"}


@dataclass(frozen=True, slots=True)
class Tag:
    """A line tag: `word` (for, endfor, if, elif, else, endif, set), the source after it, where it stands."""

    word: str
    source: str
    place: Place
    column: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """The tags of one row or column; `is_bare` where the line has nothing else."""

    number: int
    tags: tuple[Tag, ...]
    is_bare: bool


@dataclass(slots=True)
class Stretch:
    """Template lines first…last that stand as they are."""

    first: int
    last: int


@dataclass(slots=True)
class Assign:
    """`{%tr set x = … %}`: names for the lines after it."""

    source: str
    place: Place


@dataclass(slots=True)
class Branch:
    """One way of a block: the turns of a `for`, or what an `if`, `elif` or `else` chooses. `source` is empty for
    `else`.
    """

    word: str
    source: str
    place: Place
    nodes: list[Stretch | Block | Assign] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """A `for` or an `if` over the template lines first…last (its tags included)."""

    kind: str
    first: int
    last: int
    branches: list[Branch]
    column: int = 0
    keep_one: bool = False
    """Whether an empty list leaves one blank turn (the body of an Excel table must not vanish)."""

    @property
    def is_uniform(self) -> bool:
        """True where every turn of the loop has the same lines."""
        return self.kind == "for" and all(isinstance(node, Stretch) for node in self.branches[0].nodes)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The template lines of one turn of a uniform loop."""
        return tuple(
            number
            for node in self.branches[0].nodes
            if isinstance(node, Stretch)
            for number in range(node.first, node.last + 1)
        )


Node = Stretch | Block | Assign


def split_tags(text: str, place: Place) -> tuple[str, dict[str, list[Tag]]]:
    """Take the line tags out of a cell's text: the text that is left, and the tags by kind (tr, tc, sheet)."""
    found: dict[str, list[Tag]] = {}

    def take(match: re.Match[str]) -> str:
        word, _, source = match[2].partition(" ")
        found.setdefault(match[1], []).append(Tag(word.strip(), source.strip(), place))
        return ""

    if "{%" not in text or "%}" not in text:
        return text, found
    end = text.rindex("%}") + 2  # behind it no tag ends: looking for one from each "{%" there would take long
    rest = TAG.sub(take, text[:end]) + text[end:]
    if not found and "{%" in rest:
        loose = find_loose_tags(rest, place)
        if loose:
            return "", {"tr": loose}
    return rest, found


def find_loose_tags(text: str, place: Place) -> list[Tag]:
    """Return the tags of a cell that is nothing but block tags which do not close in it: `{% if x %}` alone means the
    row.
    """
    if not text.rstrip().endswith("%}") or _ANY_TAG.sub("", text).strip():
        return []
    tags = [Tag(match[1], match[2].strip(), place) for match in _ANY_TAG.finditer(text)]
    depth = sum((tag.word in _OPENERS) - (tag.word in _CLOSERS) for tag in tags)
    known = all(tag.word in _OPENERS or tag.word in _CLOSERS or tag.word in _BRANCHES for tag in tags)
    return tags if known and (depth or tags[0].word in _BRANCHES) else []


class _Builder:
    """Builds the tree of one axis, line by line."""

    def __init__(self, length: int, report: Callable[[Issue], None]) -> None:
        self.length = length
        self.report = report
        self.root: list[Node] = []
        self.stack: list[tuple[Block, Place]] = []
        self.cursor = 1

    @property
    def nodes(self) -> list[Node]:
        return self.stack[-1][0].branches[-1].nodes if self.stack else self.root

    def flush(self, last: int) -> None:
        if self.cursor <= last:
            self.nodes.append(Stretch(self.cursor, last))
            self.cursor = last + 1

    def add_line(self, line: Line) -> None:
        closed = False
        for tag in line.tags:
            closes = tag.word in _CLOSERS
            if closed and not closes and not line.is_bare:
                self.refuse(
                    tag.place,
                    Text(
                        "a tag that opens stands after one that closes, in a row with other content",
                        "同一行内既有结束标签又有其后的开始标签，且该行有其他内容",
                    ),
                    Text("give each tag a row of its own", "请将标签放在单独的行"),
                )
                continue
            # Before the content of its line a tag acts at the line's top, after it (closing) at its bottom.
            self.flush(line.number if closes and not line.is_bare else line.number - 1)
            closed = closed or closes
            self.add_tag(tag, line)
        if line.is_bare:
            self.flush(line.number - 1)
            self.cursor = max(self.cursor, line.number + 1)

    def add_tag(self, tag: Tag, line: Line) -> None:
        if tag.word in _OPENERS:
            block = Block(tag.word, line.number, line.number, [Branch(tag.word, tag.source, tag.place)], tag.column)
            self.nodes.append(block)
            self.stack.append((block, tag.place))
        elif tag.word in _CLOSERS:
            self.close(tag, line)
        elif tag.word in _BRANCHES:
            self.add_branch(tag)
        elif tag.word == "set":
            self.nodes.append(Assign(tag.source, tag.place))
        else:
            self.refuse(
                tag.place,
                Text(f"unknown tag {tag.word!r}", f"无法识别的标签 {tag.word!r}"),
                Text("known: for, endfor, if, elif, else, endif, set", "可用：for、endfor、if、elif、else、endif、set"),
            )

    def close(self, tag: Tag, line: Line) -> None:
        kind = _CLOSERS[tag.word]
        if not self.stack or self.stack[-1][0].kind != kind:
            opened = f" ({self.stack[-1][0].kind} at {self.stack[-1][1]})" if self.stack else ""
            self.refuse(
                tag.place,
                Text(f"{tag.word!r} closes nothing that is open{opened}", f"{tag.word!r} 没有对应的开始标签{opened}"),
                Text(f"put {{%tr {kind} … %}} before it", f"请在其前面加上 {{%tr {kind} … %}}"),
            )
            return
        block, _ = self.stack.pop()
        block.last = line.number

    def add_branch(self, tag: Tag) -> None:
        if not self.stack or (tag.word == "elif" and self.stack[-1][0].kind == "for"):
            self.refuse(tag.place, Text(f"{tag.word!r} stands outside an if", f"{tag.word!r} 不在 if 之内"), Text(""))
            return
        self.stack[-1][0].branches.append(Branch(tag.word, tag.source, tag.place))

    def finish(self) -> list[Node]:
        for block, place in self.stack:
            self.refuse(
                place,
                Text(f"{block.kind!r} is never closed", f"{block.kind!r} 没有结束标签"),
                Text(f"add {{%tr end{block.kind} %}}", f"请加上 {{%tr end{block.kind} %}}"),
            )
        self.stack.clear()
        self.flush(self.length)
        return self.root

    def refuse(self, place: Place, fact: Text, hint: Text) -> None:
        self.report(Issue("GF260", "error", place, fact, hint))


def build_layout(lines: Iterable[Line], length: int, report: Callable[[Issue], None]) -> list[Node]:
    """Return the tree of an axis of `length` lines; `lines` are those with tags, in order. Faults go to `report`
    (GF260).
    """
    builder = _Builder(length, report)
    for line in lines:
        builder.add_line(line)
    return builder.finish()
