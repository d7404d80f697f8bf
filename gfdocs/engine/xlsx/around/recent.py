"""What was made lately, kept for the documents that follow: most of a round differ in few numbers."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

from gfdocs.engine.xlsx.geometry import measure

Made = TypeVar("Made")

#: By how many numbers the places of an axis may be told.
_MEASURES = 256


@dataclass
class Recent(Generic[Made]):
    """The last things made, by their keys, at most `count` of them. Threads share it."""

    count: int = 64
    _found: dict[Hashable, Made] = field(default_factory=dict)
    _lock: Any = field(default_factory=Lock)

    def get(self, key: Hashable) -> Made | None:
        with self._lock:
            found = self._found.pop(key, None)
            if found is not None:
                self._found[key] = found  # the last one is the newest
            return found

    def set(self, key: Hashable, made: Made) -> None:
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = made
            if len(self._found) > self.count:
                del self._found[next(iter(self._found))]


def find_places(grids: Sequence[Any]) -> Hashable | None:
    """Return where the lines of these output sheets went, as a key; None where that is too much to tell."""
    found = []
    for grid in grids:
        rows, columns = measure(grid.rows, _MEASURES), measure(grid.columns, _MEASURES)
        if rows is None or columns is None:
            return None
        found.append((grid.sheet.entry.index, rows, columns))
    return tuple(found)
