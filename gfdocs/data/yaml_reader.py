"""YAML by libyaml's events with our own construction: no tags, anchors, aliases, merge keys or second documents.

Every scalar stays the text that was typed. The nodes are libyaml's own ScalarEvent for a text, MapNode and ListNode;
items of long lists are handed over one by one and not kept, so that a province costs no memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from yaml import YAMLError
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from gfdocs.data.source import (
    ILLEGAL,
    Collector,
    ListNode,
    MapNode,
    SourceLimits,
    TextNode,
    TooMany,
    check_text,
    describe_character,
    to_place,
)
from gfdocs.errors import Place, Text

__all__ = ["MAX_SEGMENTS", "YamlReader", "explain_syntax"]

_BAD_IN_YAML: Final = re.compile(ILLEGAL.pattern[:-1] + "\ufeff]")
_LINE_END: Final = re.compile("\r\n|\n|\r")

_NO_KEYS: Final = frozenset(("<<", ""))
MAX_SEGMENTS: Final = 100
"""After so many syntax errors a file is not read on: each costs a look at all the lines that follow."""

Each = Callable[[str, Any], None]
"""Takes one item of a streamed list: the key the list stands under ("" for a list that is the whole file), the node."""


class _Ends:
    """The mark of an item's end, for who keeps spans."""

    __slots__ = ("column", "line")

    def __init__(self, line: int, column: int) -> None:
        self.line, self.column = line, column


class YamlReader:
    """One YAML text, read once. `read()` gives the light nodes; all faults go to the collector.

    After a syntax error inside a streamed list reading goes on at the next item, elsewhere at the next key at the
    margin, so that one run finds them all; `broken` then tells that parts are missing.
    """

    def __init__(self, text: str, file: str, issues: Collector, limits: SourceLimits | None = None) -> None:
        self.file, self.issues, self.limits = file, issues, limits or SourceLimits()
        self.broken = False
        self.text = self._check_characters(text)
        self._get: Callable[[], Any] = lambda: None
        self._nodes = 0
        self._kept = 0
        self._streamed: tuple[str, ...] = ()
        self._each: Each | None = None
        self._list: tuple[str, int] | None = None  # the streamed list being read: its key, the column of its dashes
        self._escapes = "\\" in text
        self._checked = self._escapes or "!" in text or "&" in text  # else no scalar has a tag or an anchor
        self._segments = 0

    def read(self, each: Each | None = None, streamed: Iterable[str] = ()) -> MapNode | ListNode | Any | None:
        """Return the one document, None where the text is empty or nothing of it can be read.

        With `each`, the items of a top-level list, and of lists under the top-level keys `streamed`, are handed over
        one by one and not kept.
        """
        self._each, self._streamed = each, tuple(streamed)
        root: Any = None
        line: int = 0
        end: int | None = None
        while True:
            self._get = CParser(self._segment(line, end)).get_event
            after: int | None = None if end is None else end - 1
            try:
                found = self._resume() if line and self._list else self._document()
            except YAMLError as exc:
                self.broken, found = True, self._partial
                after = self._add_syntax_error(exc)
                self._tell_skipped(after)
            else:
                self._list = None
            root = _merge(root, found)
            rest = None if after is None else self._rest_after(after)
            if rest is None:
                return root
            line, end = rest

    def _segment(self, line: int, end: int | None) -> str:
        """Return the text from `line` to before `end`, with empty lines before it so that places stay right."""
        if not line and end is None:
            return self.text
        self._segments += 1
        if self._segments >= MAX_SEGMENTS:
            fact = Text(
                f"{MAX_SEGMENTS} syntax errors: reading of this file stops here",
                f"已有 {MAX_SEGMENTS} 处语法错误，本文件不再继续读取",
            )
            self.issues.add("GF104", Place(self.file, line + 1), fact, Text("mend these first", "请先修正以上错误"))
            raise TooMany
        return "\n" * line + "\n".join(self._lines()[line:end])

    # .. building

    _partial: Any = None

    def _document(self) -> Any:
        self._partial = None
        self._get()  # stream start
        event = self._get()
        if type(event) is StreamEndEvent:
            return None
        assert type(event) is DocumentStartEvent
        event = self._get()
        root: Any
        if type(event) is SequenceStartEvent and self._each:
            self._check_plain(event)
            root = self._partial = ListNode([], event.start_mark)
            self._stream_list("", event)
        elif type(event) is MappingStartEvent and self._each:
            self._check_plain(event)
            root = self._partial = MapNode(event.start_mark)
            self._fill_map(root, 1, top=True)
        elif type(event) is MappingStartEvent:
            self._check_plain(event)
            root = self._partial = MapNode(event.start_mark)
            self._fill_map(root, 1)
        else:
            root = self._build(event, 0)
        self._partial = root
        event = self._get()
        assert type(event) is DocumentEndEvent
        event = self._get()
        if type(event) is not StreamEndEvent:
            place = to_place(event.start_mark, self.file)
            fact = Text("a second document begins here", "此处开始了第二个文档")
            hint = Text('one file holds one document: take the line "---" out', "一个文件只能有一个文档，请删除“---”")
            self.issues.add("GF115", place, fact, hint)
        return root

    def _resume(self) -> Any:
        """Read the rest of a streamed list, which begins the (padded) text anew."""
        assert self._list
        key = self._list[0]
        self._get(), self._get()
        event = self._get()
        if type(event) is not SequenceStartEvent:
            return None
        self._stream_list(key, event)
        self._get()
        return None

    def _stream_list(self, key: str, start: Any) -> None:

        assert self._each
        self._list = (key, start.start_mark.column) if not start.flow_style else None
        kept = self._kept
        event = self._get()
        while type(event) is not SequenceEndEvent:
            self._kept = kept
            node = self._build(event, 2)
            if node.__class__ is MapNode:
                self._each(key, node)
                event = self._get()
            else:  # a text may be the first half of a line that does not parse: then that is told, and only that
                event = self._get()
                self._each(key, node)
        self._list = None
        self._kept = kept

    def _build(self, event: Any, depth: int) -> Any:

        kind = type(event)
        if kind is ScalarEvent:
            if event.tag is not None or event.anchor is not None or len(event.value) > self.limits.text:
                self._check_plain(event)
            if self._escapes and event.style == '"':
                check_text(event.value, to_place(event.start_mark, self.file), self.issues)
            return event
        if kind is AliasEvent:
            return self._refuse_alias(event)
        if depth >= self.limits.depth:
            self._stop(
                event, Text(f"nested deeper than {self.limits.depth} levels", f"嵌套超过 {self.limits.depth} 层")
            )
        if event.tag is not None or event.anchor is not None:
            self._check_plain(event)
        if kind is MappingStartEvent:
            node = MapNode(event.start_mark)
            self._fill_map(node, depth + 1)
            return node
        assert kind is SequenceStartEvent
        return self._build_list(event, depth + 1)

    def _build_list(self, start: Any, depth: int) -> ListNode:

        get, most = self._get, self.limits.text
        items: list[Any] = []
        while True:
            event = get()
            kind = type(event)
            if kind is SequenceEndEvent:
                break
            plain = kind is ScalarEvent and not self._checked and len(event.value) <= most
            items.append(event if plain else self._build(event, depth))
            if len(items) % 1000 == 0:
                self._count(1000, event)
        self._count(len(items) % 1000 + 1, start)
        return ListNode(items, start.start_mark)

    def _fill_map(self, node: MapNode, depth: int, *, top: bool = False) -> None:

        get, entries, keys, checked = self._get, node.entries, node.keys, self._checked
        most = self.limits.text
        while True:
            key = get()
            if type(key) is not ScalarEvent:
                if type(key) is MappingEndEvent:
                    node.end_mark = key.end_mark
                    break
                self._refuse_key(key, depth)
                self._build(get(), depth)
                continue
            if checked:
                self._build(key, depth)
            name = key.value
            value = get()
            if type(value) is not ScalarEvent:
                if top and type(value) is SequenceStartEvent and name in self._streamed and name not in entries:
                    self._check_plain(value)
                    self._partial.keys[name], self._partial.entries[name] = key, ListNode([], value.start_mark)
                    self._stream_list(name, value)
                    continue
                value = self._build(value, depth)
            elif checked or len(value.value) > most:
                value = self._build(value, depth)
            if name in entries or name in _NO_KEYS:
                self._refuse_pair(name, key, keys)
            else:
                entries[name] = value
                keys[name] = key
            if len(entries) % 1000 == 999:
                self._count(1000, key)
        self._count(2 * (len(entries) % 1000) + 1, node)

    def _count(self, nodes: int, node: Any) -> None:
        self._nodes += nodes
        self._kept += nodes
        if self._kept > self.limits.record:
            n = self.limits.record
            self._stop(node, Text(f"more than {n} values in one record", f"一条记录超过 {n} 个值"))
        if self._nodes > self.limits.nodes:
            n = self.limits.nodes
            self._stop(node, Text(f"more than {n} values in one file", f"一个文件超过 {n} 个值"))

    def _stop(self, node: Any, fact: Text) -> None:
        hint = Text("split the data into several files", "请拆分为多个文件")
        self.issues.add("GF104", to_place(node.start_mark, self.file), fact, hint)
        raise TooMany

    # .. refusals

    def _check_plain(self, event: Any) -> None:
        place = to_place(event.start_mark, self.file)
        if event.anchor is not None:
            fact = Text(f'anchor "&{event.anchor}" is not allowed', f"不允许使用锚点“&{event.anchor}”")
            hint = Text(
                "write the value out; put a text that begins with & in quotes",
                "请写出完整内容；以 & 开头的文字请加引号",
            )
            self.issues.add("GF112", place, fact, hint)
        if event.tag is not None:
            fact = Text(f'tag "{_short(event.tag)}" is not allowed', f"不允许使用标签“{_short(event.tag)}”")
            hint = Text("take it out; put a text that begins with ! in quotes", "请删除标签；以 ! 开头的文字请加引号")
            self.issues.add("GF113", place, fact, hint)
        if len(getattr(event, "value", "")) > self.limits.text:
            n = self.limits.text
            self.issues.add(
                "GF104",
                place,
                Text(f"a text of more than {n} characters", f"文字超过 {n} 个字符"),
                Text("shorten the text", "请缩短该文字"),
            )

    def _refuse_alias(self, event: Any) -> Any:
        place = to_place(event.start_mark, self.file)
        fact = Text(f'alias "*{event.anchor}" is not allowed', f"不允许使用别名“*{event.anchor}”")
        hint = Text(
            "write the value out; put a text that begins with * in quotes", "请写出完整内容；以 * 开头的文字请加引号"
        )
        self.issues.add("GF112", place, fact, hint)
        return TextNode("", event.start_mark.line, event.start_mark.column, style="")

    def _refuse_key(self, event: Any, depth: int) -> None:
        node = self._build(event, depth)
        fact = Text("a key must be a text, found a list, mapping or alias", "键必须是文字，此处是列表、映射或别名")
        hint = Text("is a ? or { too many?", "是否多写了 ? 或 {？")
        self.issues.add("GF116", to_place(node.start_mark, self.file), fact, hint)

    def _refuse_pair(self, name: str, key: Any, keys: dict[str, Any]) -> None:
        place = to_place(key.start_mark, self.file)
        if name in keys:
            first = to_place(keys[name].start_mark, self.file)
            fact = Text(
                f'key "{_short(name)}" is given twice, first at {first}', f"键“{_short(name)}”重复，首次出现在 {first}"
            )
            hint = Text(
                "keep one of them; or is the dash of a new item missing?", "请只保留一个；或者是否漏写了新条目的“-”？"
            )
            self.issues.add("GF111", place, fact, hint, also=(first,))
        elif name == "<<" and key.style == "":
            fact = Text('merge key "<<" is not allowed', "不允许使用合并键“<<”")
            self.issues.add("GF114", place, fact, Text("write the values out", "请写出完整内容"))
        else:
            fact = Text(f'a key must be a text, found "{name}"', f"键不能是“{name}”")
            self.issues.add("GF116", place, fact, Text('write "key: value"', "请写成“键: 值”"))

    def _check_characters(self, text: str) -> str:
        """Name every character that cannot stand in a document; put a space in its place so that reading goes on."""
        if not _BAD_IN_YAML.search(text):
            return text
        for number, line in enumerate(_LINE_END.split(text)):
            for match in _BAD_IN_YAML.finditer(line):
                char = describe_character(match[0])
                self.issues.add(
                    "GF107", Place(self.file, number + 1, match.start() + 1),
                    Text(f"character {char} cannot stand in a document", f"字符 {char.zh} 不能写入文件"),
                    Text("delete it", "请删除"),
                )  # fmt: skip
        return _BAD_IN_YAML.sub(" ", text)

    # .. syntax errors

    def _lines(self) -> list[str]:
        if not hasattr(self, "_line_cache"):
            self._line_cache = _LINE_END.split(self.text)
        return self._line_cache

    def _add_syntax_error(self, exc: Any) -> int:
        """Add libyaml's complaint in our words; return the line (from 0) after which reading may go on."""
        context = str(getattr(exc, "context", "") or "")
        problem = str(getattr(exc, "problem", "") or getattr(exc, "reason", "") or exc)
        mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
        quoted = "quoted scalar" in context and "end of stream" in problem
        start = getattr(exc, "context_mark", None)
        unclosed = "flow" in context and start and mark and start.line < mark.line
        if start and (
            quoted or unclosed or "simple key" in context
        ):  # what opens there swallows the lines up to the place of the complaint
            mark = start
        if mark is None:
            mark = _Ends(max(0, len(self._lines()) - 1), 0)
        line = min(mark.line, max(0, len(self._lines()) - 1))
        opened = _find_open_quote(self._lines(), line) if "did not find expected" in problem else None
        if opened is not None:  # the complaint is of the line where the quote found its partner
            self._add_open_quote(*opened)
            return opened[0]
        place, fact, hint = explain_syntax(problem, context, line, mark.column, self._lines(), self.file)
        self.issues.add("GF110", place, fact, hint)
        return max(line, (place.line or 1) - 1)

    def _add_open_quote(self, line: int, column: int) -> None:
        quote = self._lines()[line][column]
        fact = Text(f"the quote {quote} that opens here is not closed", f"此处的引号 {quote} 没有配对")
        hint = Text(f"close it with {quote} on the same line", f"请在同一行补上 {quote}")
        self.issues.add("GF110", Place(self.file, line + 1, column + 1), fact, hint)

    def _tell_skipped(self, line: int) -> None:
        """Say in the syntax error just told which lines after it are not looked at in this run."""
        before = self._list
        rest = self._rest_after(line)
        self._list = before
        last = rest[0] if rest is not None else len(self._lines())
        skipped = [
            n
            for n in range(line + 1, last)
            if self._lines()[n].strip() and not self._lines()[n].lstrip().startswith("#")
        ]
        if not skipped:
            return
        first, end = skipped[0] + 1, skipped[-1] + 1
        error = self.issues.issues[-1]
        hint = Text(
            f"{error.hint}; lines {first} to {end} are checked once this is mended",
            f"{getattr(error.hint, 'zh', error.hint)}；第 {first} 至 {end} 行待更正后再检查",
        )
        self.issues.issues[-1] = replace(error, hint=hint)

    def _rest_after(self, line: int) -> tuple[int, int | None] | None:
        """Return where reading goes on after an error in `line`: the lines from, and before which; None at the end.

        Inside a streamed list that is its next item, up to the line that leaves the list; elsewhere the next key at
        the margin.
        """
        lines = self._lines()
        if self._list is None:
            first = next((n for n in range(line + 1, len(lines)) if _MARGIN_KEY.match(lines[n])), None)
            return None if first is None else (first, None)
        column = self._list[1]
        begins = re.compile(f" {{{column}}}-( |$)")
        leaves = re.compile(f" {{0,{column - 1}}}[^\\s#]" if column else r"[^\s#\-]")
        items = (n for n in range(line + 1, len(lines)) if begins.match(lines[n]) or leaves.match(lines[n]))
        first = next(items, None)
        if first is None:
            return None
        if not begins.match(lines[first]):
            self._list = None
            return self._rest_after(first - 1)
        return first, next((n for n in range(first + 1, len(lines)) if leaves.match(lines[n])), None)


_MARGIN_KEY: Final = re.compile(r"[^\s#\-\]}][^#]*?:(\s|$)")


def _merge(root: Any, found: Any) -> Any:
    """Join what was read before and after a syntax error."""
    if isinstance(root, MapNode) and isinstance(found, MapNode):
        for key, value in found.entries.items():
            if key not in root.entries:
                root.entries[key], root.keys[key] = value, found.keys[key]
        return root
    return found if root is None else root


def _short(text: str, length: int = 40) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


_NO_SPACE = re.compile(r"\s*(?:- )?\s*[\w（）()]+(?P<colon>:(?=[^\s:/])|：)")


_OPEN_QUOTE = re.compile(r"""\s*(?:- +)?[^"'#]*:\s+(?P<quote>["'])(?:(?!(?P=quote)).)*$""")


def _find_open_quote(lines: list[str], complaint: int) -> tuple[int, int] | None:
    """Return line and column of a quote that is not closed on its line and swallowed all up to the line complained of."""
    for number in range(complaint - 1, -1, -1):
        found = _OPEN_QUOTE.match(lines[number])
        if found is not None:
            partner = next((n for n in range(number + 1, complaint + 1) if found["quote"] in lines[n]), None)
            return (number, found.start("quote")) if partner == complaint else None
    return None


# A word of libyaml's context, one of its problem, the fact, the hint: the first that fits is told. {} is the character.
_EXPLANATIONS: Final = (
    ("quoted scalar", "end of stream", Text("the quote {} that opens here is not closed", "此处的引号 {} 没有配对"),
     Text("close it with {} on the same line", "请在同一行补上 {}")),
    ("", "escape", Text("a backslash that means nothing in double quotes", "双引号中的反斜杠转义无效"),
     Text("use single quotes, or write \\\\", "请改用单引号，或写成 \\\\")),
    ("flow", "", Text('a "[" or "{{" is not closed, or a comma is missing in it', "“[”或“{{”没有配对，或其中缺少逗号"),
     Text("close it, or put a text that begins with [ or {{ in quotes", "请补上“]”或“}}”；以 [ 或 {{ 开头的文字请加引号")),
    ("", "could not find expected ':'", Text("a key without a colon", "键后缺少冒号"),
     Text('write "key: value"', "请写成“键: 值”")),
    ("", "mapping values are not allowed", Text('a ": " that cannot stand here', "此处不应出现“: ”"),
     Text("put a text with a colon in quotes; or is the line above indented otherwise?",
          "含冒号的文字请加引号；或检查本行与上一行的缩进")),
    ("", "cannot start any token", Text('a value cannot begin with "{}"', "值不能以“{}”开头"),
     Text("put it in quotes", "请加引号")),
    ("", "did not find expected", Text("this line is indented otherwise than its neighbours, or a quote ends too early",
                                       "本行缩进与相邻行不一致，或引号提前结束"),
     Text("align it with the lines above", "请与上面的行对齐")),
    ("", "block sequence entries", Text('a "- " that cannot stand here', "此处不应出现“- ”"),
     Text("begin the list on the next line", "列表请另起一行")),
)  # fmt: skip


def explain_syntax(
    problem: str, context: str, line: int, column: int, lines: list[str], file: str
) -> tuple[Place, Text, Text]:
    """Return place, fact and hint of a YAML syntax error in words for people who do not write parsers."""
    here = lines[line] if line < len(lines) else ""
    tab = re.match(r" *\t", here)
    if tab and ("cannot start any token" in problem or "tab character" in problem):
        fact = Text("a tab in the indentation", "缩进中有制表符（Tab）")
        return Place(file, line + 1, tab.end()), fact, Text("indent with spaces", "请改用空格缩进")
    if any(word in problem for word in ("not allowed", "could not find", "did not find expected key")):
        for number in (line, line - 1):
            match = _NO_SPACE.match(lines[number]) if 0 <= number < len(lines) else None
            if match:
                return _explain_colon(match, Place(file, number + 1, match.start("colon") + 1))
    char = here[column] if column < len(here) else '"'
    place = Place(file, line + 1, column + 1)
    for in_context, in_problem, fact, hint in _EXPLANATIONS:
        if in_context in context and in_problem in problem:
            return place, _with(fact, char), _with(hint, char)
    fact = Text(f"not YAML: {problem or context}", f"不符合 YAML 语法：{problem or context}")
    return place, fact, Text("look at the indentation and the quotes of this line", "请检查本行的缩进和引号")


def _with(text: Text, char: str) -> Text:
    return Text(text.format(char), text.zh.format(char))


def _explain_colon(match: re.Match[str], place: Place) -> tuple[Place, Text, Text]:
    if match["colon"] == "：":
        fact = Text('a full-width colon "：" does not part key and value', "键和值之间用了全角冒号“：”")
    else:
        fact = Text("no space after the colon", "冒号后缺少空格")
    return place, fact, Text('write "key: value", with ": " (colon and space)', "请写成“键: 值”（半角冒号加空格）")
