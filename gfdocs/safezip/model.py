"""What a checked office file is made of: members, content types, relations; and the limits it came in under."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from gfdocs.errors import Issue, PackageError
from gfdocs.safezip.faults import MIB, missing_part

CONTENT_TYPES = "[Content_Types].xml"
STORED, DEFLATED = 0, 8


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file that comes in may ask of us. Sizes in bytes; `ratio` is inflated over compressed size.

    A part under `ratio_from` bytes may have any ratio: small XML of many equal rows compresses a thousandfold. So may
    a part that is not XML, and all XML parts together, under eight times as much.
    """

    file: int = 64 * MIB
    part: int = 64 * MIB
    total: int = 256 * MIB
    ratio: int = 100
    ratio_from: int = 4 * MIB
    members: int = 5000
    macros: bool = False
    """Whether VBA projects are let in."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a zip. `data` is as the zip has it (raw deflate, or the bytes themselves); `size` is inflated."""

    name: str
    method: int
    crc: int
    size: int
    data: bytes = field(repr=False)

    def read(self) -> bytes:
        """Return the inflated bytes; the size was checked when the member was made."""
        if self.method == STORED:
            return self.data
        return zlib.decompress(self.data, -15, self.size or 1)


@dataclass(frozen=True)
class Package:
    """A checked zip. `issues` holds what was let in with a warning."""

    members: tuple[Member, ...] = field(repr=False)
    name: str
    issues: tuple[Issue, ...] = ()

    @cached_property
    def _index(self) -> dict[str, Member]:
        return {member.name: member for member in self.members}

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {member.name.casefold(): member.name for member in self.members}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(member.name for member in self.members)

    def __contains__(self, name: str) -> bool:
        return name in self._index

    def find_name(self, name: str) -> str | None:
        """Return the member's own spelling of `name`, or None. OPC names are the same in any case."""
        return name if name in self._index else self._folded.get(name.casefold())

    def member(self, name: str) -> Member:
        """Return the member of that name; PackageError GF318 where there is none."""
        found = self.find_name(name)
        if found is None:
            raise PackageError(missing_part(self.name, name))
        return self._index[found]

    def read(self, name: str) -> bytes:
        """Return the inflated bytes of a member; PackageError GF318 where there is none."""
        return self.member(name).read()

    def __repr__(self) -> str:
        return f"<Package {self.name!r}: {len(self.members)} members>"


@dataclass(frozen=True, slots=True)
class ContentTypes:
    """`[Content_Types].xml`: types by extension and by part name (without the leading slash, as written)."""

    defaults: Mapping[str, str]
    overrides: Mapping[str, str]

    def of(self, name: str) -> str:
        """Return the content type of a part, or an empty text where it has none."""
        found = self.overrides.get(name.casefold())
        return found if found is not None else self.defaults.get(name.rpartition(".")[2].casefold(), "")

    def find(self, content_type: str) -> tuple[str, ...]:
        """Return the names (casefolded) of the parts that have this type by an override."""
        return tuple(name for name, kind in self.overrides.items() if kind == content_type)


@dataclass(frozen=True, slots=True)
class Relationship:
    """One `<Relationship>`: `type` is the last step of its URI (`image`), `target` a member, or a URL if `external`."""

    id: str
    type: str
    target: str
    external: bool
    uri: str = ""
