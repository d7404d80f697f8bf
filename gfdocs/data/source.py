"""Files to raw data: bounded, every scalar the text that was typed, all faults of a file in one run.

    read_source(path)                       .yaml .yml .csv .xlsx → Raw (gfdocs.raw), for who wants it whole
    decode_text(data, …)                    UTF-8 (BOM or not) or GB18030, said aloud

The light nodes between a file and its records are ScalarEvent (YAML), TextNode (cells), PlacedNode (returned forms),
MapNode and ListNode; they cost a tenth of Raw, which matters for a province of 20,000 companies. `yaml_reader`, `table`
and `workbook` make them, `fields` reads them, `to_raw` turns them into Raw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from gfdocs.errors import DataError, Issue, Place, Severity, Text, describe_os_fault
from gfdocs.raw import Raw, RawList, RawMap, RawScalar

__all__ = [
    "Collector",
    "ListNode",
    "MapNode",
    "SourceLimits",
    "TextNode",
    "decode_text",
    "read_source",
    "to_raw",
]

MIB: Final = 1024 * 1024
SUFFIXES: Final = (".yaml", ".yml", ".csv", ".xlsx")


@dataclass(frozen=True, slots=True)
class SourceLimits:
    """What a file of data may ask for. 20,000 companies with full data are about 20 MB, 2 million nodes."""

    file: int = 64 * MIB  # bytes
    depth: int = 64  # nesting of lists and mappings
    nodes: int = 6_000_000  # texts, lists and mappings in a file
    record: int = 50_000  # of them in one company, or in all that is not a list of companies
    text: int = 1_000_000  # characters of one text
    issues: int = 1_000  # a file with more stops being read
    sheets: int = 64
    rows: int = 100_000  # of one sheet
    columns: int = 512  # of one sheet


class TooMany(Exception):
    """The issues or nodes of a file are used up."""


class Collector:
    """The issues of one run, in the order of finding; `sorted()` gives them by place.

    A file with more than `limit` errors is not read to its end. Warnings and notes never stop anything: of one code in
    one file the first `shown` are kept and the rest counted.
    """

    def __init__(self, limit: int = 1_000, shown: int = 200) -> None:
        self.issues: list[Issue] = []
        self.limit, self.shown = limit, shown
        self._errors: dict[str, int] = {}
        self._mild: dict[tuple[str, str, Severity], int] = {}

    def add(
        self,
        code: str,
        place: Place,
        fact: Text,
        hint: str = "",
        *,
        severity: Severity = "error",
        also: Iterable[Place] = (),
    ) -> None:
        """Keep one issue; TooMany when its file has had `limit` errors."""
        if severity != "error":
            kind = (code, place.file, severity)
            self._mild[kind] = self._mild.get(kind, 0) + 1
            if self._mild[kind] > self.shown:
                return
        self.issues.append(Issue(code, severity, place, fact, hint or Text(""), tuple(also)))
        if severity == "error":
            self._errors[place.file] = count = self._errors.get(place.file, 0) + 1
            if count == self.limit:
                fact = Text(
                    f"{count} errors: reading of this file stops here", f"已有 {count} 个错误，本文件不再继续读取"
                )
                self.issues.append(Issue("GF104", "error", place, fact, Text("mend these first", "请先修正以上错误")))
                raise TooMany

    def sorted(self) -> list[Issue]:
        """The issues by file (in order of reading) and line."""
        issues = [*self.issues]
        for (code, file, severity), count in self._mild.items():
            if count > self.shown:
                more = count - self.shown
                fact = Text(f"{more} more of {code} in this file", f"本文件另有 {more} 条 {code}")
                issues.append(Issue(code, severity, Place(file, 1 << 31), fact))
        files = {file: index for index, file in enumerate(dict.fromkeys(issue.place.file for issue in issues))}
        issues.sort(key=lambda issue: (files[issue.place.file], *_order(issue.place)))
        return [replace(i, place=Place(i.place.file)) if i.place.line == 1 << 31 else i for i in issues]

    @property
    def has_errors(self) -> bool:
        return bool(self._errors)


_CELL: Final = re.compile(r"(.*)!([A-Z]+)([0-9]+)")


def _order(place: Place) -> tuple[int, int, str, int, int]:
    """Return the key of a place within its file: line and column, or sheet, row and column."""
    cell = _CELL.fullmatch(place.path[-1]) if place.path else None
    if cell is None:
        return place.line or 0, place.column or 0, "".join(place.path), 0, 0
    column = int.from_bytes(cell[2].encode(), "big")
    return 0, 0, cell[1], int(cell[3]), column


# -- light nodes ---------------------------------------------------------------------------------------------------


class TextNode:
    """A text with its place, in the shape of libyaml's ScalarEvent; cells and Raw texts come as this.

    `line` and `column` count from 0, as libyaml's marks do. `style` is "" where a bare word may mean nothing (`~`).
    """

    __slots__ = ("column", "kind", "line", "style", "value")

    def __init__(self, value: str, line: int, column: int, style: str = '"', kind: str = "text") -> None:
        self.value, self.line, self.column, self.style, self.kind = value, line, column, style, kind

    @property
    def start_mark(self) -> TextNode:
        return self


class PlacedNode:
    """A text, list or mapping that knows its Place: what a returned form gives."""

    __slots__ = ("kind", "place", "style", "value")

    def __init__(self, value: str, place: Place, style: str = '"', kind: str = "text") -> None:
        self.value, self.place, self.style, self.kind = value, place, style, kind

    @property
    def start_mark(self) -> Place:
        return self.place


class MapNode:
    """A mapping: values and key nodes by key text, in the order of the file."""

    __slots__ = ("end_mark", "entries", "keys", "start_mark")

    def __init__(self, start_mark: Any) -> None:
        self.entries: dict[str, Any] = {}
        self.keys: dict[str, Any] = {}
        self.start_mark = start_mark
        self.end_mark: Any = None


class ListNode:
    __slots__ = ("items", "start_mark")

    def __init__(self, items: list[Any], start_mark: Any) -> None:
        self.items = items
        self.start_mark = start_mark


NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))


def to_place(mark: Any, file: str) -> Place:
    """Return the Place of a node's mark."""
    return mark if isinstance(mark, Place) else Place(file, mark.line + 1, mark.column + 1)


def to_raw(node: Any, file: str) -> Raw:
    """Return a light node as Raw."""
    place = to_place(node.start_mark, file)
    if isinstance(node, MapNode):
        keys = {key: to_place(mark.start_mark, file) for key, mark in node.keys.items()}
        return RawMap({key: to_raw(value, file) for key, value in node.entries.items()}, place, keys)
    if isinstance(node, ListNode):
        return RawList(tuple(to_raw(item, file) for item in node.items), place)
    return RawScalar(node.value, place, quoted=bool(node.style), kind=getattr(node, "kind", "text"))


# -- text ----------------------------------------------------------------------------------------------------------

# Not in XML 1.0, or bidi controls that make a text look like another, or line ends that editors do not count.
ILLEGAL: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def describe_character(char: str) -> Text:
    """Return U+202E (bidi control), U+0007 (control character) …, in both languages."""
    code = ord(char)
    if 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069:
        return Text(
            f"U+{code:04X} (a bidi control: it reorders what is shown)", f"U+{code:04X}（双向控制符，会改变显示顺序）"
        )
    if code in (0x2028, 0x2029, 0x85):
        return Text(f"U+{code:04X} (an unusual line end)", f"U+{code:04X}（非常规换行符）")
    if code == 0xFEFF:
        return Text("U+FEFF (a byte order mark inside the text)", "U+FEFF（正文中的字节序标记）")
    if 0xD800 <= code <= 0xDFFF:
        return Text(f"U+{code:04X} (half a character)", f"U+{code:04X}（半个字符）")
    return Text(f"U+{code:04X} (a control character)", f"U+{code:04X}（控制字符）")


def check_text(value: str, place: Place, issues: Collector) -> bool:
    """Return True where every character may stand in a document; else add an issue that names the first one."""
    match = ILLEGAL.search(value)
    if not match:
        return True
    char = describe_character(match[0])
    issues.add(
        "GF107", place,
        Text(f"character {char} cannot stand in a document", f"字符 {char.zh} 不能写入文件"),
        Text("delete it and type the text again", "请删除该字符后重新录入"),
    )  # fmt: skip
    return False


def decode_text(data: bytes, file: str, issues: Collector) -> str | None:
    """Return the text of a file in UTF-8 (with or without BOM) or GB18030, None with an issue where it is neither.

    GB18030 is stated by a note (GF106). A UTF-8 file with a broken byte is not taken for GB18030.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        _add_encoding(issues, Place(file, 1, 1), Text("the file is UTF-16", "文件编码为 UTF-16"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        bad = exc.start
    if not _is_broken_utf8(data):
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as exc:
            bad = exc.start
        else:
            fact = Text("read as GB18030 (GBK), it is not UTF-8", "文件不是 UTF-8，按 GB18030（GBK）读取")
            issues.add("GF106", Place(file), fact, Text("save it as UTF-8", "建议另存为 UTF-8"), severity="note")
            return text
    head = data[:bad]
    line = head.count(b"\n") + 1
    column = len(head[head.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    fact = Text(
        f"byte 0x{data[bad]:02X} is neither UTF-8 nor GB18030", f"字节 0x{data[bad]:02X} 既不是 UTF-8 也不是 GB18030"
    )
    _add_encoding(issues, Place(file, line, column), fact)
    return None


def _add_encoding(issues: Collector, place: Place, fact: Text) -> None:
    hint = Text("save the file as UTF-8 in the editor", "请在编辑器中另存为 UTF-8 编码")
    issues.add("GF105", place, fact, hint)


def _is_broken_utf8(data: bytes) -> bool:
    """Whether what does decode as UTF-8 outnumbers what does not, which Chinese in GBK hardly ever does."""
    text = data[: 4 * MIB].decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for char in text if char > "\u07ff") - broken
    return whole > 2 * broken


# -- the whole file ------------------------------------------------------------------------------------------------


def read_bytes(path: Path, file: str, issues: Collector, limits: SourceLimits) -> bytes | None:
    """Return the bytes of a file, None with an issue where it cannot be read or is too large."""
    try:
        size = path.stat().st_size
        if not path.is_file():
            fact = Text("not a file", "不是文件")
            issues.add(
                "GF102", Place(file), fact, Text("give a .yaml, .csv or .xlsx file", "请提供 .yaml、.csv 或 .xlsx 文件")
            )
            return None
        if size > limits.file:
            _refuse_size(file, size, issues, limits)
            return None
        with path.open("rb") as stream:
            data = stream.read(limits.file + 1)
    except FileNotFoundError:
        issues.add("GF101", Place(file), Text("no such file", "文件不存在"), Text("look at the name", "请检查文件名"))
    except (OSError, ValueError) as exc:
        reason = describe_os_fault(exc)
        issues.add(
            "GF102",
            Place(file),
            Text(f"cannot be read: {reason}", f"无法读取：{reason.zh}"),
            Text("look at the file and its permissions", "请检查文件及其权限"),
        )
    else:
        if len(data) <= limits.file:
            return data
        _refuse_size(file, len(data), issues, limits)
    return None


def _refuse_size(file: str, size: int, issues: Collector, limits: SourceLimits) -> None:
    found, most = f"{size / MIB:.1f}", f"{limits.file / MIB:.0f}"
    fact = Text(f"the file has {found} MiB, the limit is {most} MiB", f"文件 {found} MiB，超过上限 {most} MiB")
    issues.add("GF104", Place(file), fact, Text("split it into several files", "请拆分为多个文件"))


def read_source(
    source: str | Path | bytes,
    name: str | None = None,
    *,
    issues: list[Issue] | None = None,
    limits: SourceLimits | None = None,
) -> Raw:
    """Return what a .yaml, .csv or .xlsx file says, as Raw: texts with places, no types.

    A table becomes a list of mappings, one a row, by the headings as they stand. `name` is the file name in places, and
    decides the kind where `source` is bytes. Warnings and notes are added to `issues`.
    DataError with every issue of the file where one of them is an error.
    """
    limits = limits or SourceLimits()
    collector = Collector(limits.issues)
    file = name or ("data.yaml" if isinstance(source, bytes) else Path(source).name)
    root: Raw | None = None
    try:
        data = source if isinstance(source, bytes) else read_bytes(Path(source), file, collector, limits)
        if data is not None and len(data) > limits.file:
            _refuse_size(file, len(data), collector, limits)
        elif data is not None:
            root = _read_raw(data, file, collector, limits)
    except TooMany:
        pass
    found = collector.sorted()
    if collector.has_errors or root is None:
        raise DataError(found)
    if issues is not None:
        issues.extend(found)
    return root


def _read_raw(data: bytes, file: str, issues: Collector, limits: SourceLimits) -> Raw | None:
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        refuse_kind(file, issues)
        return None
    if suffix in (".csv", ".xlsx"):
        from gfdocs.data.table import read_table_raw

        return read_table_raw(data, file, issues, limits)
    from gfdocs.data.yaml_reader import YamlReader

    text = decode_text(data, file, issues)
    node = None if text is None else YamlReader(text, file, issues, limits).read()
    if node is None:
        if text is not None and not issues.has_errors:
            add_empty(file, issues)
        return None
    return to_raw(node, file)


def refuse_kind(file: str, issues: Collector) -> None:
    """Add the issue that a file is of no kind we read."""
    fact = Text(f'cannot read a "{Path(file).suffix}" file', f"无法读取“{Path(file).suffix}”文件")
    issues.add("GF102", Place(file), fact, Text("save it as .yaml, .csv or .xlsx", "请另存为 .yaml、.csv 或 .xlsx"))


def add_empty(file: str, issues: Collector) -> None:
    """Add the issue that a file holds nothing."""
    fact = Text("the file is empty", "文件为空")
    issues.add("GF103", Place(file), fact, Text("see docs/data.md for what it holds", "内容格式见 docs/data.md"))


def iterate_nodes(node: Any) -> Iterator[Any]:
    """Walk a light node and all beneath it."""
    yield node
    children: Iterable[Any] = ()
    if isinstance(node, MapNode):
        children = node.entries.values()
    elif isinstance(node, ListNode):
        children = node.items
    for child in children:
        yield from iterate_nodes(child)
