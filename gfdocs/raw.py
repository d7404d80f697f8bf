"""Raw data: what a file says, before anybody gives it a type. Every scalar is the text that was typed, with its place.

It lies below both `data` (which reads YAML, CSV and tables into it) and `engine` (which reads a returned form into it).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gfdocs.errors import Place


@dataclass(frozen=True, slots=True)
class RawScalar:
    """A text as it was typed. `quoted` tells `""` from nothing; `kind` says what a workbook cell held."""

    text: str
    place: Place
    quoted: bool = False
    kind: str = "text"  # text | number | date | bool | formula (workbook cells only; YAML and CSV are always text)

    @property
    def is_null(self) -> bool:
        """True for an empty value, `~` and `null` that nobody put in quotes."""
        return not self.quoted and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True)
class RawList:
    items: tuple[Raw, ...]
    place: Place

    def __iter__(self) -> Iterator[Raw]:
        return iter(self.items)


@dataclass(frozen=True, slots=True)
class RawMap:
    """A mapping; `keys` gives the place of each key."""

    entries: dict[str, Raw]
    place: Place
    keys: dict[str, Place] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Raw:
        return self.entries[key]

    def __contains__(self, key: str) -> bool:
        return key in self.entries


Raw = RawScalar | RawList | RawMap
