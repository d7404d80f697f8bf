"""What reading a form has found: the values by their path, and what was odd about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from gfdocs.engine.xlsx.back.form import Steps
from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.errors import Issue, Place, Severity, Text
from gfdocs.raw import Raw, RawList, RawMap, RawScalar

_MAX_ISSUES = 1000


@dataclass
class Findings:
    """The data of one form as far as they are read, and its issues. `name` is the file's."""

    name: str
    issues: list[Issue] = field(default_factory=list)
    root: dict[str, Any] = field(default_factory=dict)
    places: dict[Steps, Place] = field(default_factory=dict)

    def place(self, sheet: str, row: int, column: int) -> Place:
        return Place(self.name, path=(f"{sheet}!{letter(column)}{row}",))

    def place_of_sheet(self, sheet: str) -> Place:
        return Place(self.name, path=(sheet,))

    def report(self, code: str, severity: Severity, place: Place, fact: Text, hint: Text, *also: Place) -> None:
        if len(self.issues) < _MAX_ISSUES:
            self.issues.append(Issue(code, severity, place, fact, hint, tuple(also)))

    def set_value(self, steps: Steps, scalar: RawScalar) -> None:
        """Set the value of a path; the first one that is not empty counts, another one is told."""
        old = get_entry(self.root, steps) if steps in self.places else None
        if isinstance(old, RawScalar):
            self._report_difference(".".join(steps), old, scalar)
        if steps in self.places and not (isinstance(old, RawScalar) and not old.text):
            return
        self.places[steps] = scalar.place
        set_entry(self.root, steps, scalar)

    def add_items(self, steps: Steps, items: list[RawMap], place: Place) -> None:
        """Add the items of a list. One list in several places of a form has the same items: what each of them tells is
        joined, the first value counts, another one is told.
        """
        old = get_entry(self.root, steps) if steps in self.places else None
        if isinstance(old, RawList):
            known, place = cast(tuple[RawMap, ...], old.items), old.place
            path = ".".join(steps)
            joined = [
                self._join(one, other, f"{path}[{at}]")
                for at, (one, other) in enumerate(zip(known, items, strict=False))
            ]
            items = [*joined, *known[len(joined) :], *items[len(joined) :]]
        self.places.setdefault(steps, place)
        set_entry(self.root, steps, RawList(tuple(items), place))

    def add_findings(self, other: Findings, target: str) -> RawMap:
        """Add what stands on a sheet for one item of a list; return what it tells of the item, named `target`."""
        for steps, place in other.places.items():
            found = get_entry(other.root, steps)
            if steps[0] == target:
                continue
            if isinstance(found, RawScalar):
                self.set_value(steps, found)
            elif isinstance(found, RawList):
                self.add_items(steps, list(cast(tuple[RawMap, ...], found.items)), place)
        place = next((place for steps, place in other.places.items() if steps[0] == target), Place(self.name))
        return RawMap(freeze(other.root.get(target) or {}, place), place)

    def _join(self, one: RawMap, other: RawMap, path: str) -> RawMap:
        entries = dict(one.entries)
        for key, value in other.entries.items():
            old = entries.get(key)
            if isinstance(old, RawMap) and isinstance(value, RawMap):
                entries[key] = self._join(old, value, f"{path}.{key}")
            elif isinstance(old, RawScalar) and isinstance(value, RawScalar):
                self._report_difference(f"{path}.{key}", old, value)
                entries[key] = old if old.text else value
            else:
                entries.setdefault(key, value)
        return RawMap(entries, one.place)

    def _report_difference(self, path: str, one: RawScalar, other: RawScalar) -> None:
        if one.text and other.text and one.text != other.text:
            fact = Text(
                f"{path} is {one.text!r} in one place and {other.text!r} in another",
                f"{path} 前后不一致：“{one.text}”与“{other.text}”",
            )
            hint = Text("the first one counts", "以前者为准")
            self.report("GF613", "warning", other.place, fact, hint, one.place)


def set_entry(root: dict[str, Any], steps: Steps, value: Any) -> None:
    """Put a value under its path, making the mappings on the way."""
    for step in steps[:-1]:
        inner = root.get(step)
        if not isinstance(inner, dict):
            inner = root[step] = {}
        root = inner
    root[steps[-1]] = value


def get_entry(root: dict[str, Any], steps: Steps) -> Any:
    """Return what stands under a path, None where nothing does."""
    found: Any = root
    for step in steps:
        found = found.get(step) if isinstance(found, dict) else None
    return found


def freeze(entries: dict[str, Any], place: Place | None) -> dict[str, Raw]:
    """Return the entries with inner mappings as RawMaps, each at the place of its first value."""
    at = place or Place()
    frozen: dict[str, Raw] = {}
    for key, value in entries.items():
        if isinstance(value, dict):
            inner = freeze(value, at)
            first = next((item.place for item in inner.values()), at)
            frozen[key] = RawMap(inner, first)
        else:
            frozen[key] = value
    return frozen
