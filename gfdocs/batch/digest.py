"""Digests: of what goes into a document, and of what it holds whichever deflater packed it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Any

try:
    from isal.isal_zlib import decompress as _decompress  # three times as quick
except ImportError:
    from zlib import decompress as _decompress

_END = Struct("<4s4H2LH")
_ENTRY = Struct("<4s6H3L5H2L")
_LOCAL_FIXED = 30
_ZIP64 = 0xFFFFFFFF


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class ContextDigest:
    """Digests of the values of contexts.

    Lists and dicts are shared by many documents and never changed, so each is digested once, and what holds it goes by
    its digest: a company with another number costs its few own values.
    """

    def __init__(self, keep: int = 4096) -> None:
        self._seen: dict[int, tuple[Any, str]] = {}
        self._seen_before: dict[int, tuple[Any, str]] = {}
        self._keep = keep

    def of(self, context: Mapping[str, Any]) -> str:
        """Return the digest of a context, hex; the order of its names does not matter."""
        return sha256("\n".join([f"{name}={self._describe(context[name])}" for name in sorted(context)]).encode(*_UTF8))

    def _describe(self, value: Any) -> str:
        """Return a text that is equal for equal plain values only: 1, 1.0, "1", Decimal("1") and True all differ.

        It is their repr, or `#` and a digest. Dicts whose keys come in another order differ, which costs a document
        made once more and never one that is stale.
        """
        if type(value) not in _HOLDERS:
            return repr(value)
        items = value.values() if type(value) is dict else value
        if _HOLDERS.isdisjoint(map(type, items)):
            return repr(value)  # quicker than to look it up
        key = id(value)
        seen = self._seen.get(key) or self._seen_before.get(key)
        if seen is None:
            # The value is kept beside its digest: an id may be given again only once its object is gone.
            seen = (value, self._digest(value, items))
        if len(self._seen) >= self._keep:  # a country has more values than memory should hold twice
            self._seen_before, self._seen = self._seen, {}
        self._seen[key] = seen
        return seen[1]

    def _digest(self, value: Any, items: Iterable[Any]) -> str:
        parts = [self._describe(v) if type(v) in _HOLDERS else repr(v) for v in items]
        names = repr(list(value)) if type(value) is dict else type(value).__name__
        return "#" + sha256(f"{names}:{','.join(parts)}".encode(*_UTF8))


_HOLDERS = frozenset((dict, list, tuple))
_UTF8 = ("utf-8", "surrogatepass")


class ContentDigest:
    """The sha256 of what a document holds: of a docx or xlsx its parts, uncompressed, of anything else the bytes.

    The same for zlib, zlib-ng and ISA-L, and for any order of members. Parts that all documents of a template share
    are inflated once.
    """

    def __init__(self, keep: int = 4096) -> None:
        self._parts: dict[tuple[bytes, int, int], tuple[bytes, bytes]] = {}
        self._once: set[tuple[bytes, int, int]] = set()
        self._keep = keep

    def of(self, data: bytes) -> str:
        """Return the digest of the document as hex; an empty text where it is that of the file's bytes."""
        members = _read_members(data) if data[:4] == b"PK\x03\x04" else None
        if members is None:
            return ""
        lines = sorted(name + b"\0" + self._of_part(name, method, crc, packed) for name, method, crc, packed in members)
        return sha256(b"\n".join(lines))

    def _of_part(self, name: bytes, method: int, crc: int, packed: bytes) -> bytes:
        key = (name, crc, len(packed))
        seen = self._parts.get(key)
        if seen is not None and seen[0] == packed:
            return seen[1]
        found = hashlib.sha256(_inflate(method, packed)).digest()
        if key in self._once:  # seen before: a part of the template, not of one document
            self._parts.setdefault(key, (packed, found))
        elif len(self._once) < self._keep:
            self._once.add(key)
        else:
            self._once.clear()
        return found


def _inflate(method: int, packed: bytes) -> bytes:
    return _decompress(packed, -15) if method == 8 else packed


def _read_members(data: bytes) -> list[tuple[bytes, int, int, bytes]] | None:
    """Return (name, method, crc, packed bytes) of each member of a zip that we wrote.

    None where it isn't such a zip.
    """
    end = data.rfind(b"PK\x05\x06")
    if end < 0:
        return None
    _, _, _, _, count, _, start, _ = _END.unpack_from(data, end)
    if start == _ZIP64 or count == 0xFFFF:
        return None
    members = []
    position = start
    for _ in range(count):
        entry = _ENTRY.unpack_from(data, position)
        method, crc, size, offset = entry[4], entry[7], entry[8], entry[16]
        name_length, extra_length, note_length = entry[10], entry[11], entry[12]
        name = data[position + 46 : position + 46 + name_length]
        local = offset + _LOCAL_FIXED + sum(Struct("<2H").unpack_from(data, offset + 26))
        members.append((name, method, crc, data[local : local + size]))
        position += 46 + name_length + extra_length + note_length
    return members
