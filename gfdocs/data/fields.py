"""The records of `model` as compiled tables of headings and readers: light nodes in, frozen records out.

pydantic says what a field is; reading goes by tables made from it once, because a province of 20,000 companies should
not wait for a validator per value. A record made here equals the one that
pydantic makes of the same values (a test holds it).
"""

from __future__ import annotations

import datetime as dt
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import cache, partial
from itertools import pairwise
from typing import Any, Final

from gfdocs.data import codes, model, zh
from gfdocs.data.source import NULLS, Collector, ListNode, MapNode, PlacedNode, to_place
from gfdocs.errors import Place, Severity, Text, did_you_mean

__all__ = ["BAD", "Checker", "FieldSpec", "RecordSpec", "get_spec", "locate"]

BAD: Final = object()
"""What a reader returns for a value it has refused."""

# What fields expect; made once, since every value is asked.
NUMBER: Final = Text("a number", "数字")
WHOLE: Final = Text("a whole number", "整数")
DATE: Final = Text("a date", "日期")
YES_OR_NO: Final = Text("yes or no", "是或否")
CODE: Final = Text("18 characters", "18 位代码")
DOCUMENT_NUMBER: Final = Text("a document number", "发文字号")
DISTRICT: Final = Text("a district", "县级市（区）")

Reader = Callable[[Any, "FieldSpec", "Checker"], Any]

MULTILINE: Final = frozenset(("text", "measures", "note", "benefit", "evidence", "address", "products", "title"))
SHORTHAND: Final = {"District": "name", "Project": "name", "PlannedProject": "name"}
"""Records that may be given by one text: `districts: [昆山市, 太仓市]`."""


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


class FieldSpec:
    """One field, compiled: how it is found and how it is read."""

    __slots__ = (
        "default", "headings", "many", "model", "multiline", "name", "note", "plain", "read", "record", "required",
        "single", "title", "unit",
    )  # fmt: skip

    def __init__(self, owner: type[model.Record], name: str, info: Any) -> None:
        extra = info.json_schema_extra or {}
        self.name, self.model = name, owner
        self.title: str = info.title
        self.note: str | None = info.description
        self.unit: str | None = extra.get("unit")
        self.headings: tuple[str, ...] = (name, self.title, *extra.get("aliases", ()))
        self.required: bool = info.is_required()
        self.multiline = name in MULTILINE
        self.many, self.record, self.read = _reader_of(owner, name, info.annotation)
        self.default: Any = ("" if info.annotation is str else None) if self.required else info.default
        if info.default_factory is not None:
            assert self.record is not None
            self.default = get_spec(self.record).make({})
        self.plain = self.read is read_text and self.multiline
        self.single = self.read is read_text and not self.multiline

    def label(self) -> Text:
        """The field as messages name it: credit_code (统一社会信用代码)."""
        return Text(f"{self.name} ({self.title})", f"“{self.title}”（{self.name}）")


class RecordSpec:
    """One record, compiled from its pydantic model."""

    def __init__(self, cls: type[model.Record]) -> None:
        self.model = cls
        self.fields = {name: FieldSpec(cls, name, info) for name, info in cls.model_fields.items()}
        self.blank = self._make_blank()
        self.required = tuple(spec for spec in self.fields.values() if spec.required)
        self.lookup: dict[str, FieldSpec] = {}
        for spec in self.fields.values():
            for heading in spec.headings:
                self.lookup.setdefault(heading, spec)
        self.normal = {zh.normal_heading(heading): spec for heading, spec in reversed(self.lookup.items())}
        self.fields_sets: dict[tuple[str, ...], set[str]] = {}
        self.flat_headings = tuple(_flat_headings(self))
        self.flat = _group_paths(self.flat_headings)

    def find_field(self, key: str) -> FieldSpec | None:
        """Return the field of a key or heading, None where there is none."""
        return self.lookup.get(key) or self.normal.get(zh.normal_heading(key))

    def build(self, node: Any, check: Checker) -> Any:
        """Return the record of a mapping, BAD where it is none. A faulty value is reported and left at its default."""
        if node.__class__ is not MapNode:
            return self._refuse_shape(node, check)
        values: dict[str, Any] = {}
        seen: dict[str, str] = {}
        lookup, same = self.lookup, check.texts.setdefault
        for key, child in node.entries.items():
            spec = lookup.get(key) or self.normal.get(zh.normal_heading(key))
            if spec is None:
                if self._find_flat(key):
                    return self.build(self._nest(node, check), check)
                self._refuse_key(key, node, check)
                continue
            name = spec.name
            if name in seen:
                _refuse_twice(spec, key, seen[name], node, check)
                continue
            seen[name] = key
            kind = child.__class__
            if kind is MapNode or kind is ListNode:
                pass
            elif not child.style and child.value in NULLS:
                continue
            elif spec.plain or (spec.single and "\n" not in child.value and "\r" not in child.value):
                values[name] = same(child.value, child.value)
                continue
            value = spec.read(child, spec, check)
            if value is not BAD:
                values[name] = value
        for spec in self.required:
            name = spec.name
            if name not in seen or (name not in values and _is_null(node.entries[seen[name]])):
                self._add_missing(spec, node, check)
            elif values.get(name) == "" or (isinstance(values.get(name), str) and not zh.strip_outer(values[name])):
                self._add_missing(spec, node.entries[seen[name]], check)
        return self.make(values)

    def make(self, values: dict[str, Any]) -> Any:
        """Return the record with these values, each of its field's type; the rest are defaults.

        The values are checked already, so the record is put together as pydantic's own `model_construct` does it.
        """
        record = self.model.__new__(self.model)
        entries = self.blank.copy()
        entries.update(values)
        set_slot(record, "__dict__", entries)
        given = tuple(values)
        fields_set = self.fields_sets.get(given)
        if fields_set is None:  # most records give the same fields: one set for all of them
            fields_set = self.fields_sets[given] = set(given)
        set_slot(record, "__pydantic_fields_set__", fields_set)
        set_slot(record, "__pydantic_extra__", None)
        set_slot(record, "__pydantic_private__", None)
        return record

    def _make_blank(self) -> dict[str, Any]:
        """Return the defaults as the dict of a record: its copies share their table of keys, which halves a record."""
        blank = self.model.__new__(self.model)
        for name, spec in self.fields.items():
            set_slot(blank, name, spec.default)
        return blank.__dict__

    # .. faults

    def _refuse_shape(self, node: Any, check: Checker) -> Any:
        found = describe(node)
        fact = Text(f"expected keys and values, found {found}", f"应为“键: 值”，实际为{found.zh}")
        check.add("GF132", node, fact, shape_hint(node))
        return BAD

    def _refuse_key(self, key: str, node: MapNode, check: Checker) -> None:
        known = dict.fromkeys([*self.fields, *(spec.title for spec in self.fields.values()), *self.lookup])
        hint = (
            _punctuation_hint(key, self.normal)
            or did_you_mean(key, known)
            or Text(
                "known here: " + ", ".join(self.fields),
                "可用的键：" + "、".join(spec.title for spec in self.fields.values()),
            )
        )
        check.add("GF130", node.keys[key], Text(f'no field "{short(key)}" here', f"没有“{short(key)}”这一项"), hint)

    def _add_missing(self, spec: FieldSpec, node: Any, check: Checker) -> None:
        label = spec.label()
        fact = Text(f"{label} is missing", f"缺少{label.zh}")
        example = EXAMPLES.get(spec.name, "…")
        check.add("GF131", node, fact, Text(f"add {spec.name}: {example}", f"请补充 {spec.title}: {example}"))

    # .. columns of tables that stand for nested fields

    def _find_flat(self, key: str) -> tuple[tuple[str, ...], ...]:
        return self.flat.get(zh.normal_heading(key), ()) if self.flat else ()

    def _nest(self, node: MapNode, check: Checker) -> MapNode:
        """Return the mapping with flat keys (联系人, 联系电话, 培育级别) put into the records they belong to."""
        headings = list(node.entries)
        paths = self.find_paths(headings)
        nested = MapNode(node.start_mark)
        nested.end_mark = node.end_mark
        for key, path in zip(headings, paths, strict=True):
            child = node.entries[key]
            own = self.find_field(key)
            if path is None or own is not None:
                target: tuple[str, ...] = (key,)
            else:  # 联系人: {姓名: …}: the word for the field stands for the record
                target = path[:1] if child.__class__ is MapNode else path
            put_nested(nested, target, child, node.keys[key], partial(_refuse_both, key, node, check))
        return nested

    def find_paths(self, headings: Iterable[str]) -> list[tuple[str, ...] | None]:
        """Return for each heading the path of the field it stands for, None where it is unknown.

        A heading that two records share (上年度产值) goes to the record of which other headings are there.
        """
        found: list[tuple[tuple[str, ...], ...]] = []
        for heading in headings:
            own = self.find_field(heading)
            found.append(((own.name,),) if own else self._find_flat(heading))
        sure = [paths[0][0] for paths in found if len(paths) == 1]
        return [
            next((path for path in paths if len(paths) > 1 and path[0] in sure), paths[0]) if paths else None
            for paths in found
        ]


set_slot = object.__setattr__

EXAMPLES: Final = {
    "name": "示例精密制造有限公司", "date": "2023-02-10", "year": "2022", "number": "苏工信节能〔2023〕22号",
    "document": "annual-table",
}  # fmt: skip


def put_nested(nested: MapNode, path: tuple[str, ...], child: Any, key: Any, refuse: Callable[[Any], None]) -> None:
    """Put a value at a path of mappings (`*`: the one item of a list); `refuse(first)` where the place is taken."""
    at = nested
    for step, following in pairwise(path):
        if step == "*":
            continue
        if step not in at.entries:
            inner = MapNode(child.start_mark)
            at.entries[step] = ListNode([inner], child.start_mark) if following == "*" else inner
            at.keys[step] = key
        deeper = at.entries[step]
        at = deeper.items[0] if isinstance(deeper, ListNode) and deeper.items else deeper
        if not isinstance(at, MapNode):
            return refuse(at)
    last = path[-1]
    if last not in at.entries:
        at.entries[last], at.keys[last] = child, key
    elif isinstance(at.entries[last], MapNode) and isinstance(child, MapNode):
        for name, value in child.entries.items():
            put_nested(at.entries[last], (name,), value, child.keys[name], refuse)
    elif not _is_null(child):
        if not _is_null(at.entries[last]):
            return refuse(at.entries[last])
        at.entries[last], at.keys[last] = child, key
    return None


def _refuse_twice(spec: FieldSpec, key: str, first: str, node: MapNode, check: Checker) -> None:
    place = check.place(node.keys[first])
    there, here = short(node.keys[first].value), short(node.keys[key].value)  # as typed, before flat keys moved
    fact = Text(
        f'{spec.label()} is given twice: as "{there}" at {place} and as "{here}"',
        f"{spec.label().zh}重复：{place} 处为“{there}”，此处为“{here}”",
    )
    check.add("GF139", node.keys[key], fact, Text("keep one of them", "请只保留一个"), also=(place,))


def _refuse_both(key: str, node: MapNode, check: Checker, first: Any) -> None:
    place = check.place(first)
    fact = Text(f'"{short(key)}" is given already at {place}', f"“{short(key)}”已在 {place} 给出")
    check.add("GF139", node.keys[key], fact, Text("keep one of them", "请只保留一个"), also=(place,))


def _flat_headings(owner: RecordSpec) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield (heading, path) of the nested fields that a flat key or column may stand for."""
    if owner.model is not model.Company:
        return
    for spec in owner.fields.values():
        if spec.record is None or spec.many:
            continue
        for inner in get_spec(spec.record).fields.values():
            path = (spec.name, inner.name)
            headings = (".".join(path), "_".join(path))
            if inner.record is None:
                yield from ((heading, path) for heading in (*headings, *inner.headings[1:]))
                continue
            for leaf in get_spec(inner.record).fields.values():
                words = inner.headings[1:] if leaf.name == "name" else leaf.headings[1:]
                yield from ((heading, (*path, "*", leaf.name)) for heading in (".".join((*path, leaf.name)), *words))


def _group_paths(headings: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, tuple[tuple[str, ...], ...]]:
    """Return normal heading → the paths it may stand for, in order."""
    paths: dict[str, dict[tuple[str, ...], None]] = {}
    for heading, path in headings:
        paths.setdefault(zh.normal_heading(heading), {})[path] = None
    return {heading: tuple(found) for heading, found in paths.items()}


# -- readers -------------------------------------------------------------------------------------------------------


def _reader_of(owner: type[model.Record], name: str, annotation: Any) -> tuple[bool, type[model.Record] | None, Reader]:
    """Return (is a list, record of its items or None, reader) for a field's annotation."""
    if typing.get_origin(annotation) in (types.UnionType, typing.Union):
        annotation = next(part for part in typing.get_args(annotation) if part is not type(None))
    if typing.get_origin(annotation) is tuple:
        item = typing.get_args(annotation)[0]
        return (True, item, read_records) if item is not str else (True, None, read_texts)
    if isinstance(annotation, type) and issubclass(annotation, model.Record):
        return False, annotation, read_record
    special = SPECIAL.get((owner.__name__, name)) or SPECIAL.get(("", name))
    return False, None, special or READERS[annotation]


def read_record(node: Any, spec: FieldSpec, check: Checker) -> Any:
    assert spec.record
    return get_spec(spec.record).build(node, check)


def read_records(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """A list of mappings. Also: deadlines by document, records by their name alone, one record from a table row."""
    assert spec.record
    record = get_spec(spec.record)
    if node.__class__ is MapNode and spec.record is model.Deadline:
        node = _deadlines_of(node)
    shorthand = SHORTHAND.get(spec.record.__name__)
    if node.__class__ is not ListNode:
        if not (shorthand and check.table and node.__class__ is not MapNode):
            return refuse(node, spec, check, "GF132", Text("a list", "列表"), shape_hint(node))
        node = ListNode([node], node.start_mark)
    built = []
    for item in node.items:
        if shorthand and item.__class__ is not MapNode and item.__class__ is not ListNode and not looks_like_pair(item):
            item = _by_name(item, shorthand)
        one = record.build(item, check)
        if one is not BAD:
            built.append(one)
    return tuple(built)


def _by_name(item: Any, field: str) -> MapNode:
    node = MapNode(item.start_mark)
    node.entries[field] = node.keys[field] = item
    return node


def _deadlines_of(node: MapNode) -> ListNode:
    """Return `annual-table: 2023-02-24` and `annual-table: {date: …}` as a list of deadlines."""
    items = []
    for key, child in node.entries.items():
        item = MapNode(node.keys[key].start_mark)
        item.entries["document"] = item.keys["document"] = node.keys[key]
        if child.__class__ is MapNode:
            item.entries.update(child.entries)
            item.keys.update(child.keys)
        else:
            item.entries["date"] = item.keys["date"] = child
        items.append(item)
    return ListNode(items, node.start_mark)


def read_texts(node: Any, spec: FieldSpec, check: Checker) -> Any:
    if node.__class__ is MapNode:
        return refuse(node, spec, check, "GF132", Text("a list of texts", "文字列表"))
    items = node.items if node.__class__ is ListNode else [node]
    texts = [read_text(item, spec, check) for item in items if not _is_null(item)]
    return tuple(text for text in texts if text is not BAD)


def read_text(node: Any, spec: FieldSpec, check: Checker) -> Any:
    if node.__class__ is MapNode or node.__class__ is ListNode:
        return refuse(node, spec, check, "GF132", Text("a text", "文字"), Text("put it in quotes", "请加引号"))
    text = node.value
    if not spec.multiline and ("\n" in text or "\r" in text):
        label = spec.label()
        check.add(
            "GF138",
            node,
            Text(f"{label} has a line break in it", f"{label.zh}中有换行"),
            Text("write it on one line", "请写在一行内"),
        )
        return BAD
    return text


_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_LEADING = re.compile(r"(-?[0-9][0-9,]*(?:\.[0-9]+)?)\s*(\D.*)")
_NOTHING = frozenset(("/", "-", "--", "—", "——", "／", "无"))
MAX_DIGITS: Final = 30


def read_decimal(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, NUMBER)
    if text is BAD:
        return BAD
    if not _NUMBER.fullmatch(text):
        if check.table and text.strip() in _NOTHING:
            return None
        text = to_number_text(text, node, spec, check)
        if text is BAD:
            return BAD
    if len(text) > MAX_DIGITS:
        return refuse(node, spec, check, "GF137", Text(f"at most {MAX_DIGITS} digits", f"不超过 {MAX_DIGITS} 位的数字"))
    number = check.numbers.get(text)
    if number is None:
        number = check.numbers[text] = Decimal(text)
    return number


def to_number_text(text: str, node: Any, spec: FieldSpec, check: Checker) -> Any:
    """Return full-width digits and thousands separators as a plain number, with a note; BAD for all else."""
    half = zh.half_width(text).strip().replace("，", ",")
    plain = half.replace(",", "") if _GROUPED.fullmatch(half) else half
    if _NUMBER.fullmatch(plain):
        if text != half:
            add_normalised(text, plain, node, spec, check)
        return plain
    expected = NUMBER
    unit = Text(f" in {spec.unit}", f"，单位为{spec.unit}") if spec.unit else Text("")
    match = _LEADING.fullmatch(half)
    if match and spec.unit and match[2] in (spec.unit, f"({spec.unit})"):
        hint = Text(f"write {match[1]} alone, the unit is {spec.unit} already", f"只写 {match[1]}，单位已是{spec.unit}")
    elif match:
        hint = Text(f'take "{match[2]}" away and give the plain number{unit}', f"请去掉“{match[2]}”，只填数字{unit.zh}")
    else:
        hint = Text(f"give the plain number{unit}, or leave it empty", f"请只填数字{unit.zh}，没有则留空")
    return refuse(node, spec, check, "GF133", expected, hint)


def read_int(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, WHOLE)
    if text is BAD:
        return BAD
    if not (text.isascii() and text.isdigit()):
        year = spec.name.endswith("year")
        stripped = re.sub(r"\s*(年度|年)$", "", text) if year else text
        if check.table and stripped.strip() in _NOTHING:
            return None
        text = to_number_text(stripped, node, spec, check)
        if text is BAD:
            return BAD
        if re.fullmatch(r"[0-9]+\.0+", text):  # a workbook's 2022.0
            text = text.split(".")[0]
    if not text.isdigit():
        return refuse(node, spec, check, "GF133", WHOLE)
    if len(text) > 9:
        return refuse(node, spec, check, "GF137", Text("at most 9 digits", "不超过 9 位的整数"))
    number = int(text)
    if spec.name.endswith("year") and not 1949 <= number <= 2100:
        return refuse(
            node, spec, check, "GF137", Text("a year of four digits, 1949 to 2100", "1949 至 2100 之间的四位年份")
        )
    return number


def read_date(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, DATE)
    if text is BAD:
        return BAD
    date = zh.parse_date(text)
    if date is not None:
        return date
    hint = Text("write it as 2023-02-10, 2023/2/10 or 2023年2月10日", "请写成 2023-02-10、2023/2/10 或 2023年2月10日")
    if re.fullmatch(r"(19|20)\d{6}", text) and (guess := zh.parse_date(f"{text[:4]}-{text[4:6]}-{text[6:]}")):
        hint = Text(f"write it as {guess.isoformat()}", f"请写成 {guess.isoformat()}")
    return refuse(node, spec, check, "GF134", DATE, hint)


_YES = frozenset(("是", "yes", "true", "y", "√", "✓", "✔", "☑", "有", "符合", "1", "on"))
_NO = frozenset(("否", "no", "false", "n", "×", "✗", "✘", "☐", "无", "不符合", "0", "off", "x"))


def read_bool(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, YES_OR_NO)
    if text is BAD:
        return BAD
    word = zh.half_width(text).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if check.table and word in _NOTHING:
        return None
    return refuse(
        node,
        spec,
        check,
        "GF135",
        YES_OR_NO,
        Text("是 | 否, yes | no, √ | ×", "请填 是 或 否（或 √、×）"),
    )


def _choice_reader(choices: Mapping[Any, Iterable[str]]) -> Reader:
    """Return a reader of one of `choices`: canonical value → the other words for it."""
    words = {}
    for value, aliases in choices.items():
        for word in (str(value), *aliases):
            words[zh.normal_heading(word)] = value
    exact = {str(value): value for value in choices} | {word: v for v, aliases in choices.items() for word in aliases}

    def read_choice(node: Any, spec: FieldSpec, check: Checker) -> Any:
        if node.__class__ is not MapNode and node.__class__ is not ListNode:
            value = exact.get(node.value)
            if value is None and node.value:
                value = words.get(zh.normal_heading(node.value))
            if value is not None:
                return value
            if not zh.strip_outer(node.value):
                return spec.default
        listed = "、".join(map(str, choices))
        hint = did_you_mean(node.value, words) if hasattr(node, "value") else ""
        return refuse(node, spec, check, "GF136", Text(f"one of {listed}", f"{listed}之一"), hint)

    read_choice.words = tuple(dict.fromkeys(exact))  # type: ignore[attr-defined]
    return read_choice


def read_credit_code(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """统一社会信用代码: 18 characters with a right check character; lower case, full width and spaces are set right."""
    text = scalar_text(node, spec, check, CODE)
    if text is BAD:
        return BAD
    code = text
    fault = codes.find_credit_fault(code) if len(code) == 18 else None
    if len(code) != 18 or fault:
        code = codes.to_credit_code(text)
        if not code or (check.table and text.strip() in _NOTHING):
            return ""
        fault = codes.find_credit_fault(code)
        if code != text and fault is None:
            add_normalised(text, code, node, spec, check)
    if fault is None:
        return code
    return _add_credit_fault(fault, code, node, check)


_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
"""9.13205E+17: what a spreadsheet makes of a code of digits alone."""


def _add_credit_fault(fault: codes.CreditFault, code: str, node: Any, check: Checker) -> Any:
    if fault.kind == "organisation":
        fact = Text(
            f"credit code {code}: character 17 is {fault.found}, the organisation code in it asks for {fault.expected}",
            f"统一社会信用代码 {code} 第 17 位为 {fault.found}，按组织机构代码规则应为 {fault.expected}",
        )
        hint = Text("compare it with the business licence", "请与营业执照核对")
        check.add("GF142", node, fact, hint, severity="warning")
        return code
    if fault.kind == "check":
        fact = Text(
            f"credit code {short(code)}: the check character is {fault.found}, the others ask for {fault.expected}",
            f"统一社会信用代码 {short(code)} 校验位为 {fault.found}，按前 17 位应为 {fault.expected}",
        )
        hint = Text(
            "a digit or letter is mistyped: compare it with the business licence", "有一位录入错误，请与营业执照核对"
        )
        check.add("GF141", node, fact, hint)
        return BAD
    if fault.kind == "character":
        fact = Text(
            f'credit code {short(code)}: "{fault.found}" at place {fault.position} is not used in credit codes',
            f"统一社会信用代码 {short(code)} 第 {fault.position} 位“{fault.found}”不是代码字符",
        )
        hint = Text(
            "I, O, S, V and Z are never used: 1, 0, 5, U, 2?", "代码不使用 I、O、S、V、Z：是否为 1、0、5、U、2？"
        )
    else:
        fact = Text(
            f"credit code has {fault.found} characters, expected 18", f"统一社会信用代码为 {fault.found} 位，应为 18 位"
        )
        hint = Text("compare it with the business licence", "请与营业执照核对")
        if _SCIENTIFIC.fullmatch(code):
            hint = Text(
                "Excel has made a number of it and lost its digits: format the column as text and type the code again",
                "Excel 已将代码变成科学记数，末尾几位已丢失：请把该列设为文本格式后重新录入",
            )
        elif len(code) == 9:
            hint = Text(
                "9 characters are an organisation code: give the 18, or leave it empty",
                "9 位是组织机构代码：请填 18 位代码，或留空",
            )
    check.add("GF140", node, fact, hint)
    return BAD


def read_document_number(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """发文字号 by GB/T 9704-2012 7.2.5; empty where a number is still to be given."""
    text = scalar_text(node, spec, check, DOCUMENT_NUMBER)
    if text is BAD or not text or codes.find_document_number(text):
        return text
    better = codes.suggest_document_number(text)
    hint = Text(f"write {better}", f"请写成 {better}") if better else Text(
        "write it as 苏工信节能〔2023〕22号: brackets 〔 〕, year of four digits, no 第, no leading zero",
        "格式为 苏工信节能〔2023〕22号：六角括号〔 〕、四位年份，不加“第”，不编虚位",
    )  # fmt: skip
    return refuse(node, spec, check, "GF143", Text("a document number", "规范的发文字号"), hint)


def read_district(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """A district's name, short name or code → its name as in gfdocs.yaml; "" where the text tells no district."""
    text = scalar_text(node, spec, check, DISTRICT)
    if text is BAD:
        return BAD
    if not check.districts:
        return text
    found = check.districts.get(text)
    if found is None:
        found = _find_district(text, node, check)
    return found


def _find_district(text: str, node: Any, check: Checker) -> Any:
    key = zh.normal_name(text)
    for region in ("", *check.regions):
        rest = key.removeprefix(region)
        if not rest or rest in check.regions or (check.table and rest in _NOTHING):
            return ""
        if rest in check.districts:
            return check.districts[rest]
        if rest in check.old_districts:
            name = check.old_districts[rest]
            fact = Text(
                f"{short(text)} is an old code or name, read as {name}", f"{short(text)} 为旧代码或旧称，按{name}处理"
            )
            check.add("GF148", node, fact, severity="note")
            return name
    names = list(dict.fromkeys(check.districts.values()))
    hint = did_you_mean(text, names) or Text("one of " + "、".join(names), "应为：" + "、".join(names))
    check.refused_district = True
    check.add("GF144", node, Text(f'no district "{short(text)}"', f"没有“{short(text)}”这个县级市（区）"), hint)
    return BAD


def scalar_text(node: Any, spec: FieldSpec, check: Checker, expected: Text) -> Any:
    if node.__class__ is MapNode or node.__class__ is ListNode:
        return refuse(node, spec, check, "GF132", expected)
    return node.value


def refuse(node: Any, spec: FieldSpec, check: Checker, code: str, expected: Text, hint: str = "") -> Any:
    """Add "expected X, found Y" for a field and return BAD."""
    found, label = describe(node), spec.label()
    fact = Text(f"{label}: expected {expected}, found {found}", f"{label.zh}应为{expected.zh}，实际为{found.zh}")
    check.add(code, node, fact, hint)
    return BAD


def add_normalised(text: str, better: str, node: Any, spec: FieldSpec, check: Checker) -> None:
    label = spec.label()
    fact = Text(f'{label}: "{short(text)}" read as {better}', f"{label.zh}“{short(text)}”按 {better} 处理")
    check.add("GF108", node, fact, severity="note")


def describe(node: Any) -> Text:
    """Return what a node is, for "found …"."""
    if node.__class__ is MapNode:
        return Text("keys and values", "键和值")
    if node.__class__ is ListNode:
        return Text(f"a list of {len(node.items)}", f"{len(node.items)} 项的列表")
    if _is_null(node):
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


def _punctuation_hint(key: str, known: Mapping[str, FieldSpec]) -> Text | None:
    """Return what to write where `{name：王, phone：1}` made one key of a name, a full-width colon and all that follows."""
    name, colon, _ = key.partition("：")
    if not colon or zh.normal_heading(name) not in known:
        return None
    return Text(
        "the colon or comma is full-width: write {key: value, key: value} with half-width signs and a space after each",
        "冒号或逗号用了全角：请写成 {键: 值, 键: 值}，用半角标点，后加空格",
    )


def short(text: str, length: int = 40) -> str:
    """Return the text on one line, cut where it is long."""
    text = " ".join(text.split()) if len(text) < 10 * length else " ".join(text[: 10 * length].split())
    return text if len(text) <= length else text[: length - 1] + "…"


def _is_null(node: Any) -> bool:
    return node.__class__ is not MapNode and node.__class__ is not ListNode and not node.style and node.value in NULLS


LEVELS: Final = {
    "国家级": ("国家", "national", "部级", "工信部"),
    "省级": ("省", "provincial", "province"),
    "市级": ("市", "municipal", "city"),
}  # fmt: skip
CATEGORIES: Final = {
    model.Category.FACTORY: ("工厂", "factory", "3A级绿色工厂", "2A级绿色工厂", "A级绿色工厂", "绿色工厂名单", "企业"),
    model.Category.PARK: ("绿色园区", "园区", "工业园区", "park", "绿色园区名单"),
    model.Category.SUPPLY_CHAIN: (
        "绿色供应链", "供应链", "供应链管理企业", "绿色供应链企业", "绿色供应链管理示范企业", "绿色供应链管理企业名单",
        "supply_chain", "supply-chain", "supply chain",
    ),
}  # fmt: skip
STATUSES: Final = {
    model.Status.LISTED: ("listed", "列入", "在册"),
    model.Status.REMOVED: ("removed", "撤销", "移除"),
    model.Status.RENAMED: ("renamed", "变更名称", "名称变更"),
    model.Status.CANDIDATE: ("candidate", "拟申报", "培育对象", "培育库"),
}  # fmt: skip
SPECIAL: Final[dict[tuple[str, str], Reader]] = {
    ("", "level"): _choice_reader(LEVELS),
    ("Round", "scope"): _choice_reader({"new": ("新增", "本批", "本批次"), "all": ("全部", "累计", "历年")}),
    ("Indicator", "better"): _choice_reader(
        {"high": ("正向", "正向定量", "正向定性", "越高越好"), "low": ("逆向", "逆向定量", "越低越好")}
    ),
    ("Company", "credit_code"): read_credit_code,
    ("Company", "district"): read_district,
    ("Round", "number"): read_document_number,
    ("SourceNotice", "number"): read_document_number,
}
READERS: Final[dict[Any, Reader]] = {
    str: read_text, int: read_int, Decimal: read_decimal, dt.date: read_date, bool: read_bool,
    model.Category: _choice_reader(CATEGORIES), model.Status: _choice_reader(STATUSES),
}  # fmt: skip


@cache
def get_spec(cls: type[model.Record]) -> RecordSpec:
    """Return the compiled tables of a record."""
    return RecordSpec(cls)


def locate(spec: RecordSpec, node: Any, path: tuple[Any, ...], found: dict[tuple[Any, ...], Any]) -> None:
    """Write the mark of every field under `node` into `found`, by path: ("companies", 3, "contact", "phone")."""
    found[path] = node.start_mark
    if node.__class__ is not MapNode:
        return
    if any(spec.find_field(key) is None for key in node.entries) and spec.flat:
        node = spec._nest(node, Checker(Collector(1 << 30), ""))
    for key, child in node.entries.items():
        field = spec.find_field(key)
        if field is None:
            continue
        here = (*path, field.name)
        if field.record is None:
            found[here] = child.start_mark
            for index, item in enumerate(getattr(child, "items", ())):
                found[*here, index] = item.start_mark
        elif not field.many:
            locate(get_spec(field.record), child, here, found)
        else:
            found[here] = child.start_mark
            items = _deadlines_of(child) if child.__class__ is MapNode else child
            for index, item in enumerate(getattr(items, "items", ())):
                locate(get_spec(field.record), item, (*here, index), found)


def to_placed(raw: Any) -> Any:
    """Return Raw (a returned form) as light nodes that keep their Place."""
    from gfdocs.raw import RawList, RawMap

    if isinstance(raw, RawMap):
        node = MapNode(raw.place)
        node.entries = {key: to_placed(value) for key, value in raw.entries.items()}
        node.keys = {key: PlacedNode(key, raw.keys.get(key, node.entries[key].start_mark)) for key in raw.entries}
        return node
    if isinstance(raw, RawList):
        return ListNode([to_placed(item) for item in raw.items], raw.place)
    return PlacedNode(raw.text, raw.place, '"' if raw.quoted else "", raw.kind)
