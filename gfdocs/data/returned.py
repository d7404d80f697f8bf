"""What a returned form says, as companies: the way back from the names that templates use to the fields users write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from gfdocs.data import zh
from gfdocs.data.companies import CompanyLoader, normalise_cell
from gfdocs.data.model import Category, Company, Settings
from gfdocs.data.places import PlacedOrigin, Places, locate_all
from gfdocs.data.source import Collector, ListNode, MapNode, PlacedNode, TooMany
from gfdocs.data.table import Cell
from gfdocs.errors import Issue, Place
from gfdocs.raw import Raw, RawList, RawMap

__all__ = ["Records", "records_from_raw"]

_LISTS: Final = {
    "companies": None, "factories": Category.FACTORY, "parks": Category.PARK, "supply_chains": Category.SUPPLY_CHAIN,
    "listed": None, "candidates": None, "units": None,
}  # fmt: skip


class Records(NamedTuple):
    """The companies of a returned form, every issue, and where each value stands: `places.find(("companies", 0, "name"))`."""

    companies: tuple[Company, ...]
    issues: tuple[Issue, ...]
    places: Places


def records_from_raw(raw: Raw, settings: Settings | None = None) -> Records:
    """Return the companies that a returned form (`Template.read`) gives, and every issue, errors among them.

    Lists are found by the names templates use (companies, factories, parks, supply_chains, candidates …) at any depth;
    the category follows from the list where the form has no column for it. Nothing is raised: a returned form with
    faults is half useful, so what could be read comes out beside the issues.
    """
    issues = Collector()
    loader = CompanyLoader(issues, settings)
    origin = PlacedOrigin()
    loader.places.add_origin(origin, 0)

    def walk(node: Any, key: str) -> None:
        if isinstance(node, MapNode):
            for name, child in node.entries.items():
                walk(child, name)
        elif isinstance(node, ListNode):
            for item in node.items:
                if key in _LISTS:
                    _add_returned(loader, origin, item, _LISTS[key])
                else:  # groups of companies, districts with their lists
                    walk(item, "")

    node = _to_placed(raw)
    with suppress(TooMany):
        walk(node, "companies")
    return Records(tuple(loader.companies), tuple(issues.sorted()), loader.places)


def _add_returned(loader: CompanyLoader, origin: PlacedOrigin, node: Any, category: Category | None) -> None:
    """Add one row of a returned form; a row in which nothing is filled is none."""
    place = node.start_mark
    check = loader.checker(place.file)
    check.table = True
    check.wants_district = False  # who sent the form tells it
    if not isinstance(node, MapNode):
        return loader.add(node, check, _keep_nothing)
    cells = list(_scalars(node))
    if not any(zh.strip_outer(cell.value) for cell in cells):
        return None
    for cell in cells:
        normalise_cell(cell, check)
    node = _undo_context(node)
    if category is not None and "category" not in node.entries:
        node.entries["category"] = node.keys["category"] = Cell(category.value, 0, 0)

    def keep() -> None:
        origin.places.append(locate_all(loader.spec, node, lambda mark: mark if isinstance(mark, Place) else place))

    return loader.add(node, check, keep)


def _keep_nothing() -> None:
    pass


_OUTPUT_ONLY: Final = frozenset(
    ("index", "index_in_group", "display_name", "district_name", "level_text", "listed_in", "has_report", "is_candidate",
     "enrolment_verdict")
)  # fmt: skip


def _undo_context(node: MapNode) -> MapNode:
    """Return a company as a template sees it as one that users write (docs/architecture.md: main_project, figures).

    The first project of the plan goes back into `plan.projects`, figures by name into `indicators`; records in which
    nothing is filled and what is only printed are left out.
    """
    plain = MapNode(node.start_mark)
    for key, child in node.entries.items():
        if key not in _OUTPUT_ONLY | {"main_project", "figures"} and not _is_blank(child):
            plain.entries[key], plain.keys[key] = child, node.keys[key]
    project = node.entries.get("main_project")
    if isinstance(project, MapNode) and not _is_blank(project):
        plan = plain.entries.setdefault("plan", MapNode(project.start_mark))
        plain.keys.setdefault("plan", node.keys["main_project"])
        if isinstance(plan, MapNode) and "projects" not in plan.entries:
            plan.entries["projects"] = ListNode([project], project.start_mark)
            plan.keys["projects"] = node.keys["main_project"]
    figures = node.entries.get("figures")
    if isinstance(figures, MapNode) and not _is_blank(figures) and "indicators" not in plain.entries:
        items = [_indicator_of(figures.keys[key], cell) for key, cell in figures.entries.items() if not _is_blank(cell)]
        plain.entries["indicators"] = ListNode(items, figures.start_mark)
        plain.keys["indicators"] = node.keys["figures"]
    return plain


def _is_blank(node: Any) -> bool:
    return not any(zh.strip_outer(cell.value) for cell in _scalars(node))


def _indicator_of(name: Any, figure: Any) -> MapNode:
    item = MapNode(figure.start_mark)
    item.entries = {"name": name, "current": figure}
    item.keys = {"name": name, "current": figure}
    return item


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, MapNode):
        for child in node.entries.values():
            yield from _scalars(child)
    elif isinstance(node, ListNode):
        for child in node.items:
            yield from _scalars(child)
    else:
        yield node


def _to_placed(raw: Any) -> Any:
    """Return Raw (a returned form) as light nodes that keep their Place."""
    if isinstance(raw, RawMap):
        node = MapNode(raw.place)
        node.entries = {key: _to_placed(value) for key, value in raw.entries.items()}
        node.keys = {key: PlacedNode(key, raw.keys.get(key, node.entries[key].start_mark)) for key in raw.entries}
        return node
    if isinstance(raw, RawList):
        return ListNode([_to_placed(item) for item in raw.items], raw.place)
    return PlacedNode(raw.text, raw.place, '"' if raw.quoted else "", raw.kind)
