"""A returned form read by the template that wrote it: writing backwards.

Sheets are found by their fixed texts, columns by their headings, rows by what stands above and below the list; so a
form is read although sheets were renamed, columns moved or hidden, rows inserted and filters left on. Every value has
its cell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gfdocs.engine.xlsx.back.columns import ColumnFinder
from gfdocs.engine.xlsx.back.fields import FieldReader
from gfdocs.engine.xlsx.back.findings import Findings, freeze
from gfdocs.engine.xlsx.back.form import Listing, SheetForm, Steps, normalise
from gfdocs.engine.xlsx.back.lists import ListReader
from gfdocs.engine.xlsx.back.returned import read_returned
from gfdocs.engine.xlsx.back.sheets import Match, match_sheets, note_oddities
from gfdocs.errors import Issue, Place, ReadBackError, Text
from gfdocs.raw import RawMap

Aliases = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ReadBack(RawMap):
    """The data of a returned form; `issues` are what was odd or wrong about it, each with its cell."""

    issues: tuple[Issue, ...] = field(default=(), compare=False)


def _read_aliases(aliases: Any) -> Aliases:
    """Return the further names of headings as headings are compared; TypeError where they are of another shape."""
    if not isinstance(aliases, Mapping):
        raise TypeError(f"aliases are a mapping of headings to lists of names, not {type(aliases).__name__}")
    for key, names in aliases.items():
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise TypeError(f"the aliases of {key!r} are a list of texts, not {names!r}")
    found = {key: tuple(names) for key, names in aliases.items()}
    odd = [text for key, names in found.items() for text in (key, *names) if not isinstance(text, str)]
    if odd:
        raise TypeError(f"headings and their aliases are texts, not {odd[0]!r}")
    return {normalise(key): tuple(map(normalise, names)) for key, names in found.items()}


def read_back(
    forms: list[SheetForm],
    data: bytes,
    *,
    template: str,
    name: str,
    aliases: Mapping[str, Sequence[str]] | None = None,
) -> ReadBack:
    """Return the data of a returned form, with its issues; ReadBackError where it cannot be read or is not this form.

    `forms` is what can be read from each sheet of the template, `template` and `name` are the names of the two files.
    `aliases` are further names of headings: heading of the template → names it may have in the form; TypeError for
    anything else.
    """
    if not forms:
        fact = Text("the template has no field that could be read back", "模板中没有可回读的字段")
        raise ReadBackError(
            Issue(
                "GF610",
                "error",
                Place(template),
                fact,
                Text("use plain paths: {{ c.name }}", "请使用简单路径，如 {{ c.name }}"),
            )
        )
    names = _read_aliases({} if aliases is None else aliases)
    findings = Findings(name)
    matches = match_sheets(forms, read_returned(data, name=name), findings)
    if not matches and not all(form.steps for form in forms):
        fact = Text("it is not this form: none of its sheets is there", "不是本表：没有找到对应的工作表")
        hint = Text("send back the form that was sent", "请使用下发的表格填报")
        raise ReadBackError(Issue("GF610", "error", Place(name), fact, hint))
    _read_sheets(matches, forms, names, findings)
    return ReadBack(freeze(findings.root, Place(name)), Place(name), {}, tuple(findings.issues))


def _read_sheets(matches: list[Match], forms: list[SheetForm], aliases: Aliases, findings: Findings) -> None:
    """Read all sheets; those of a `{%sheet for %}` are the items of its list."""
    items: dict[Steps, list[RawMap]] = {form.steps: [] for form in forms if form.steps}
    for match in matches:
        form = match.form
        if not form.steps:
            _read_sheet(match, aliases, findings)
            continue
        own = Findings(findings.name, findings.issues)
        _read_sheet(match, aliases, own)
        items[form.steps].append(findings.add_findings(own, form.target))
    for steps, found in items.items():
        findings.add_items(steps, found, found[0].place if found else Place(findings.name))


def _read_sheet(match: Match, aliases: Aliases, findings: Findings) -> None:
    """Read the lists of a sheet, then its fields, which may stand below them."""
    form, sheet = match.form, match.sheet
    note_oddities(match, findings)
    finder, reader = ColumnFinder(sheet, form.keys, aliases, findings), ListReader(sheet, findings)
    ends: list[tuple[Listing, int, int]] = []
    floor = 0
    for listing in form.lists:
        top, columns = finder.find(listing, floor)
        first, floor = reader.read(listing, top, columns)
        ends.append((listing, first, floor))
    FieldReader(form, sheet, ends, findings).read()


__all__ = ["ReadBack", "read_back"]
