"""Names that headings of tables go by: what `data.model` knows of each field, for forms that come back changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache

from gfdocs.data import model
from gfdocs.data.fields import get_spec


@cache
def get_heading_aliases() -> Mapping[str, tuple[str, ...]]:
    """Return the other names of each heading of a company's fields; a name that two fields have is no one's alias."""
    groups = list(dict.fromkeys(_iter_headings(model.Company)))
    times = Counter(name for group in groups for name in group)
    return {
        name: others
        for group in groups
        for name in group
        if (others := tuple(other for other in group if other != name and times[other] == 1))
    }


def _iter_headings(record: type[model.Record]) -> Iterator[tuple[str, ...]]:
    for field in get_spec(record).fields.values():
        yield field.headings[1:]
        if field.record is not None:
            yield from _iter_headings(field.record)


__all__ = ["get_heading_aliases"]
