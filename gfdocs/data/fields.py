"""The records of `model` as compiled tables of headings and readers: light nodes in, frozen records out.

pydantic says what a field is; reading goes by tables made from it once, because a province of 20,000 companies should
not wait for a validator per value. A record made here equals the one that
pydantic makes of the same values (a test holds it).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import pairwise
from typing import Any, Final

from gfdocs.data import model, zh
from gfdocs.data.checker import BAD, Checker, describe, is_null, looks_like_pair, refuse, shape_hint, short
from gfdocs.data.source import NULLS, Collector, ListNode, MapNode
from gfdocs.data.values import READERS, SPECIAL, Reader, is_candidate, read_text, read_texts
from gfdocs.errors import Text, did_you_mean

__all__ = ["FieldSpec", "RecordSpec", "get_spec", "locate", "put_nested"]

MULTILINE: Final = frozenset(("text", "measures", "note", "benefit", "evidence", "address", "products", "title"))
SHORTHAND: Final = {"District": "name", "Project": "name", "PlannedProject": "name"}
"""Records that may be given by one text: `districts: [昆山市, 太仓市]`."""


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

    def label(self, *, table: bool = False) -> Text:
        """The field as messages name it: credit_code (统一社会信用代码). Who fills a `table` never sees the key: “统一社会信用代码”."""
        return Text(f"{self.name} ({self.title})", f"“{self.title}”" + ("" if table else f"（{self.name}）"))


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
            if name not in seen or (name not in values and is_null(node.entries[seen[name]])):
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
        check.add("GF132", node, fact, self._shape_hint(node))
        return BAD

    def _shape_hint(self, node: Any) -> Text:
        """Return how the record is written: {name: …, phone: …}."""
        if node.__class__ is ListNode or looks_like_pair(node):
            return shape_hint(node)
        keys = ", ".join(f"{name}: …" for name in [*self.fields][:2])
        return Text(f"write {{{keys}}}", f"请写成 {{{keys}}}")

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
        label = spec.label(table=check.table)
        fact = Text(f"{label} is missing", f"缺少{label.zh}")
        example = EXAMPLES.get(f"{spec.model.__name__}.{spec.name}") or EXAMPLES.get(spec.name, "…")
        check.add("GF131", node, fact, Text(f"add {spec.name}: {example}", f"请补充 {spec.title}: {example}"))

    # .. columns of tables that stand for nested fields

    def _find_flat(self, key: str) -> tuple[tuple[str, ...], ...]:
        return self.flat.get(zh.normal_heading(key), ()) if self.flat else ()

    def _nest(self, node: MapNode, check: Checker) -> MapNode:
        """Return the mapping with flat keys (联系人, 联系电话, 培育级别) put into the records they belong to."""
        headings = list(node.entries)
        paths = self.find_paths(headings, candidate=self._tells_candidate(node))
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

    def _tells_candidate(self, node: MapNode) -> bool | None:
        """Return whether the status that the mapping gives is 培育; None where it gives none."""
        for key, child in node.entries.items():
            field = self.find_field(key)
            if field is not None and field.name == "status" and child.__class__ not in (MapNode, ListNode):
                return is_candidate(child.value)
        return None

    def find_paths(self, headings: Iterable[str], *, candidate: bool | None = None) -> list[tuple[str, ...] | None]:
        """Return for each heading the path of the field it stands for, None where it is unknown.

        A heading that two records share (上年度产值) goes by the unit's status where that is known: the figures of a
        `candidate` belong to its cultivation plan, those of a listed unit to its summary. Else it goes to the record
        of which other headings are there.
        """
        found: list[tuple[tuple[str, ...], ...]] = []
        for heading in headings:
            own = self.find_field(heading)
            found.append(((own.name,),) if own else self._find_flat(heading))
        sure = [paths[0][0] for paths in found if len(paths) == 1]
        if candidate is not None:
            sure = ["cultivation" if candidate else "summary", *sure]
        return [_choose_path(paths, sure) if paths else None for paths in found]


set_slot = object.__setattr__


def _choose_path(paths: tuple[tuple[str, ...], ...], records: list[str]) -> tuple[str, ...]:
    """Return the path in the first of `records` that has one, else the first path."""
    if len(paths) == 1:
        return paths[0]
    ranked = sorted(paths, key=lambda path: records.index(path[0]) if path[0] in records else len(records))
    return ranked[0]


EXAMPLES: Final = {
    "name": "示例精密制造有限公司", "Project.name": "余热回收改造", "PlannedProject.name": "余热回收改造",
    "Indicator.name": "工业用水重复利用率", "District.name": "昆山市", "Round.name": "江苏省第三批绿色工厂",
    "Issuer.name": "苏州市工业和信息化局", "SourceNotice.issuer": "江苏省工业和信息化厅",
    "SourceNotice.title": "关于公布江苏省第三批绿色工厂名单的通知", "districts": "[昆山市, 太仓市]",
    "round": "{name: 江苏省第三批绿色工厂, year: 2022, date: 2023-02-10}", "issuer": "{name: 苏州市工业和信息化局}",
    "source": "{issuer: 江苏省工业和信息化厅, number: 苏工信节能〔2023〕22号, title: …, date: 2023-01-20}",
    "date": "2023-02-10", "year": "2022", "number": "苏工信节能〔2023〕22号",
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
    elif not is_null(child):
        if not is_null(at.entries[last]):
            return refuse(at.entries[last])
        at.entries[last], at.keys[last] = child, key
    return None


def _refuse_twice(spec: FieldSpec, key: str, first: str, node: MapNode, check: Checker) -> None:
    place = check.place(node.keys[first])
    label = spec.label(table=check.table)
    there, here = short(node.keys[first].value), short(node.keys[key].value)  # as typed, before flat keys moved
    fact = Text(
        f'{label} is given twice: as "{there}" at {place} and as "{here}"',
        f"{label.zh}重复：{place} 处为“{there}”，此处为“{here}”",
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
            return refuse(node, spec, check, "GF132", Text("a list", "列表"), _list_hint(node))
        node = ListNode([node], node.start_mark)
    built = []
    for item in node.items:
        if shorthand and item.__class__ is not MapNode and item.__class__ is not ListNode and not looks_like_pair(item):
            item = _by_name(item, shorthand)
        one = record.build(item, check)
        if one is not BAD:
            built.append(one)
    return tuple(built)


def _list_hint(node: Any) -> Text:
    if node.__class__ is MapNode or looks_like_pair(node):
        return shape_hint(node)
    return Text('begin each item with "- ", a hyphen and a blank', "每一项以“- ”开头（横线后空一格）")


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


def _punctuation_hint(key: str, known: Mapping[str, FieldSpec]) -> Text | None:
    """Return what to write where `{name：王, phone：1}` made one key of a name, a full-width colon and all that follows."""
    name, colon, _ = key.partition("：")
    if not colon or zh.normal_heading(name) not in known:
        return None
    return Text(
        "the colon or comma is full-width: write {key: value, key: value} with half-width signs and a space after each",
        "冒号或逗号用了全角：请写成 {键: 值, 键: 值}，用半角标点，后加空格",
    )


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
