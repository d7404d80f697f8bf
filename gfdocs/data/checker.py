"""What readers of values need beside the value: where it stands, where faults go, and the words for "expected …, found …"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from gfdocs.data.source import NULLS, Collector, ListNode, MapNode, to_place
from gfdocs.errors import Place, Severity, Text

if TYPE_CHECKING:
    from gfdocs.data.fields import FieldSpec

__all__ = ["BAD", "Checker", "describe", "is_null", "looks_like_pair", "refuse", "scalar_text", "shape_hint", "short"]

BAD: Final = object()
"""What a reader returns for a value it has refused."""

# What fields expect; made once, since every value is asked.
NUMBER: Final = Text("a number", "数字")
WHOLE: Final = Text("a whole number", "整数")
DATE: Final = Text("a date", "日期")
YES_OR_NO: Final = Text("yes or no", "是或否")
CODE: Final = Text("18 characters", "18 位代码")
DOCUMENT_NUMBER: Final = Text("a document number", "发文字号")
DIVISION_CODE: Final = Text("a code of six digits", "六位数字的区划代码")
DISTRICT: Final = Text("a district", "县级市（区）")


class Checker:
    """What readers need beside the value: where it stands, where faults go, which districts there are."""

    def __init__(self, issues: Collector, file: str) -> None:
        self.issues, self.file = issues, file
        self.texts: dict[str, str] = {}  # each text once: units, names of figures, whole sentences are often the same
        self.numbers: dict[str, Decimal] = {}
        self.table = False  # a row of a table, where "/" may stand for nothing
        self.placer: Callable[[Any], Place] | None = None
        self.districts: Mapping[str, str] = {}  # matching key → name as in gfdocs.yaml
        self.old_districts: Mapping[str, str] = {}  # matching key of an obsolete code → name
        self.regions: frozenset[str] = frozenset()  # province and city: they tell no district
        self.wants_district = True  # a company without one is told
        self.refused_district = False  # the company being read names a district that is none

    def place(self, node: Any) -> Place:
        return self.placer(node.start_mark) if self.placer else to_place(node.start_mark, self.file)

    def add(
        self,
        code: str,
        node: Any,
        fact: Text,
        hint: str = "",
        *,
        severity: Severity = "error",
        also: Iterable[Place] = (),
    ) -> None:
        self.issues.add(code, self.place(node), fact, hint, severity=severity, also=also)


def scalar_text(node: Any, spec: FieldSpec, check: Checker, expected: Text) -> Any:
    if node.__class__ is MapNode or node.__class__ is ListNode:
        return refuse(node, spec, check, "GF132", expected)
    return node.value


def refuse(node: Any, spec: FieldSpec, check: Checker, code: str, expected: Text, hint: str = "") -> Any:
    """Add "expected X, found Y" for a field and return BAD."""
    found, label = describe(node), spec.label(table=check.table)
    fact = Text(f"{label}: expected {expected}, found {found}", f"{label.zh}应为{expected.zh}，实际为{found.zh}")
    check.add(code, node, fact, hint)
    return BAD


def add_normalised(text: str, better: str, node: Any, spec: FieldSpec, check: Checker) -> None:
    label = spec.label(table=check.table)
    fact = Text(f'{label}: "{short(text)}" read as {better}', f"{label.zh}“{short(text)}”按 {better} 处理")
    check.add("GF108", node, fact, severity="note")


def describe(node: Any) -> Text:
    """Return what a node is, for "found …"."""
    if node.__class__ is MapNode:
        return Text("keys and values", "键和值")
    if node.__class__ is ListNode:
        return Text(f"a list of {len(node.items)}", f"{len(node.items)} 项的列表")
    if is_null(node):
        return Text("nothing", "空值")
    return Text(f'"{short(node.value)}"', f"“{short(node.value)}”")


def looks_like_pair(node: Any) -> bool:
    """Whether a text was probably meant as a key and a value: name:甲, 名称：甲."""
    return re.match(r"[\w（）()]+(:\S|：)", getattr(node, "value", "")) is not None


def shape_hint(node: Any) -> Text:
    if looks_like_pair(node):
        return Text('write "key: value", with ": " (half-width colon and space)', "请写成“键: 值”（半角冒号加空格）")
    if node.__class__ is MapNode:
        return Text('begin each item with "- "', "每一项以“- ”开头")
    return Text("look at the indentation", "请检查缩进")


def short(text: str, length: int = 40) -> str:
    """Return the text on one line, cut where it is long."""
    text = " ".join(text.split()) if len(text) < 10 * length else " ".join(text[: 10 * length].split())
    return text if len(text) <= length else text[: length - 1] + "…"


def is_null(node: Any) -> bool:
    return node.__class__ is not MapNode and node.__class__ is not ListNode and not node.style and node.value in NULLS
