"""JSON Schema of the project files, for editors: English keys and Chinese ones, with titles and notes.

Made from the same tables as reading (`fields`), so that an editor accepts what `load` accepts. The schema is wider
than the check where JSON Schema cannot say it (check digits, districts); it is never narrower.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from gfdocs.data import model, values
from gfdocs.data.fields import SHORTHAND, FieldSpec, RecordSpec, get_spec
from gfdocs.data.load import LIST_KEYS

__all__ = ["json_schema"]

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
TITLES: Final = {"project": "gfdocs.yaml 批次设置", "companies": "companies.yaml 企业数据"}
_DATE: Final = r"^\s*\d{4}([-/.年])\d{1,2}([-/.月])\d{1,2}日?\s*$"


def json_schema(which: Literal["project", "companies"] | str = "project") -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of gfdocs.yaml (`project`) or companies.yaml (`companies`).

    ValueError for any other word.

    >>> json_schema("companies")["title"]
    'companies.yaml 企业数据'
    """
    if which not in TITLES:
        raise ValueError(f'expected "project" or "companies", found {which!r}')
    definitions: dict[str, Any] = {}
    root = _record_schema(get_spec(model.Settings if which == "project" else model.Company), definitions)
    if which == "companies":
        definitions["Company"] = root
        listed = {"type": "array", "items": {"$ref": "#/$defs/Company"}}
        keys = {key: {**listed, "title": "企业名单"} for key in LIST_KEYS}
        root = {"oneOf": [listed, {"type": "object", "properties": keys, "additionalProperties": False}]}
    return {"$schema": DRAFT, "title": TITLES[which], **root, "$defs": dict(sorted(definitions.items()))}


def _record_schema(spec: RecordSpec, definitions: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for field in spec.fields.values():
        schema = _field_schema(field, definitions)
        for heading in field.headings:
            properties.setdefault(heading, schema)
    for heading, path in spec.flat_headings:
        properties.setdefault(heading, _field_schema(_inner_field(spec, path), definitions))
    whole: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    needed = [{"anyOf": [{"required": [heading]} for heading in field.headings]} for field in spec.required]
    if needed:
        whole["allOf"] = needed
    doc = (spec.model.__doc__ or "").strip().partition("\n")[0]
    return {"description": doc, **whole} if doc else whole


def _inner_field(spec: RecordSpec, path: tuple[str, ...]) -> FieldSpec:
    """Return the field that a flat path ends in."""
    field = spec.fields[path[0]]
    for step in path[1:]:
        if step != "*":
            assert field.record is not None
            field = get_spec(field.record).fields[step]
    return field


def _field_schema(field: FieldSpec, definitions: dict[str, Any]) -> dict[str, Any]:
    about: dict[str, Any] = {"title": field.title}
    notes = [note for note in (field.note, field.unit and f"单位：{field.unit}") if note]
    if notes:
        about["description"] = "; ".join(notes)
    return {**about, **_value_schema(field, definitions)}


def _value_schema(field: FieldSpec, definitions: dict[str, Any]) -> dict[str, Any]:
    if field.record is not None:
        reference = _reference(field.record, definitions)
        if not field.many:
            return {"anyOf": [reference, {"type": "null"}]}
        items = reference
        if field.record.__name__ in SHORTHAND:
            items = {"anyOf": [reference, {"type": "string"}]}
        choices: list[dict[str, Any]] = [{"type": "array", "items": items}, {"type": "null"}]
        if field.record is model.Deadline:
            value = {"anyOf": [_scalar("date"), {"type": "object"}]}
            choices.append({"type": "object", "additionalProperties": value})
        return {"anyOf": choices}
    if field.many:
        return {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}, {"type": "null"}]}
    words = getattr(field.read, "words", None)
    if words:
        return {"anyOf": [{"enum": list(words)}, {"type": ["integer", "null"]}]}
    return _scalar(_kind(field))


def _kind(field: FieldSpec) -> str:
    readers: dict[Any, str] = {
        values.read_date: "date", values.read_bool: "bool", values.read_int: "number", values.read_decimal: "number",
        values.read_credit_code: "code",
    }  # fmt: skip
    return readers.get(field.read, "text")


def _scalar(kind: str) -> dict[str, Any]:
    """Return the schema of a scalar. An editor types bare YAML words itself, so 2022 and 0512 are let in as numbers."""
    if kind == "date":
        return {"type": ["string", "null"], "pattern": _DATE}
    if kind == "number":
        return {"type": ["number", "string", "null"]}
    if kind == "bool":
        return {"type": ["boolean", "string", "number", "null"]}
    if kind == "code":
        return {"type": ["string", "number", "null"], "pattern": "^[0-9A-Za-z０-９Ａ-Ｚａ-ｚ \\-]*$"}
    return {"type": ["string", "number", "boolean", "null"]}


def _reference(record: type[model.Record], definitions: dict[str, Any]) -> dict[str, Any]:
    name = record.__name__
    if name not in definitions:
        definitions[name] = {}  # taken, in case a record holds itself
        definitions[name] = _record_schema(get_spec(record), definitions)
    return {"$ref": f"#/$defs/{name}"}
