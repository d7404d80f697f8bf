"""The zip that an office file is: raw copying, deterministic writing.

Reading and all its refusals are in `gfdocs.safezip`, whose names are here as well. `write_package` and `Frame` are the
way out: same members, same bytes.

Sources: APPNOTE.TXT 6.3.10 (zip).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gfdocs.safezip import (
    CONTENT_TYPES,
    ContentTypes,
    Limits,
    Member,
    Package,
    Relationship,
    check_safe_xml,
    check_xml,
    get_main_part,
    read_content_types,
    read_package,
    read_relationships,
    relationships_name,
    resolve_target,
    safe_xml,
)
from gfdocs.safezip.directory import CENTRAL, EOCD, EOCD64, EOCD64_LOCATOR, LOCAL
from gfdocs.safezip.model import DEFLATED, STORED

__all__ = [
    "CONTENT_TYPES",
    "ContentTypes",
    "Frame",
    "Limits",
    "Member",
    "Package",
    "Relationship",
    "check_safe_xml",
    "check_xml",
    "deflate",
    "get_main_part",
    "make_frame",
    "read_content_types",
    "read_package",
    "read_relationships",
    "relationships_name",
    "resolve_target",
    "safe_xml",
    "store",
    "use_deflater",
    "write_package",
]

# ---------------------------------------------------------------------------------------------------------------------
# Compressing

_LEVEL_ZLIB = 6
_LEVEL_ISAL = 1


def _find_isal() -> Any:
    """Return ISA-L's zlib look-alike, or None where the `fast` extra is not installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        return None
    return isal_zlib


_deflaters: dict[str, tuple[Any, int]] = {}


def use_deflater(name: str) -> None:
    """Deflate with `zlib` or `isal` from now on, in this process: for measuring, and to pin the bytes of an archive.

    ImportError where `isal` is not installed.
    """
    if name == "isal" and _find_isal() is None:
        raise ImportError("isal is not installed: pip install gfdocs[fast]", name="isal")
    _deflaters["used"] = (_find_isal(), _LEVEL_ISAL) if name == "isal" else (zlib, _LEVEL_ZLIB)


def _deflater() -> tuple[Any, int]:
    found = _deflaters.get("used")
    if found is None:
        use_deflater("zlib" if _find_isal() is None else "isal")
        found = _deflaters["used"]
    return found


def deflate(name: str, data: bytes | Iterable[bytes], *, level: int | None = None) -> Member:
    """Return a deflated member of these bytes, or of these chunks (streamed: only the compressed bytes are held).

    ISA-L does it where the `fast` extra is installed, else zlib. The two give different bytes for the same content:
    compare what is inside, not the zip. `level` None takes the engine's own: 1 for ISA-L, 6 for zlib.
    """
    library, usual = _deflater()
    stream = library.compressobj(usual if level is None else level, zlib.DEFLATED, -15)
    if isinstance(data, bytes | bytearray | memoryview):
        return Member(name, DEFLATED, library.crc32(data), len(data), stream.compress(data) + stream.flush())
    crc, size, out = 0, 0, []
    for chunk in data:
        crc = library.crc32(chunk, crc)
        size += len(chunk)
        packed = stream.compress(chunk)
        if packed:
            out.append(packed)
    out.append(stream.flush())
    return Member(name, DEFLATED, crc, size, b"".join(out))


def store(name: str, data: bytes) -> Member:
    """Return a member that is not compressed: for pictures, which are already."""
    return Member(name, STORED, zlib.crc32(data), len(data), data)


# ---------------------------------------------------------------------------------------------------------------------
# Writing

_DOS_DATE = 0x21  # 1980-01-01, the first day a zip knows
_FULL = 0xFFFFFFFF


def _write_member(member: Member, offset: int) -> tuple[bytes, bytes]:
    """Return (local header, directory entry) of a member whose local header stands at `offset`."""
    raw = member.name.encode("utf-8")
    flags = 0 if raw.isascii() else 0x800
    packed, size = len(member.data), member.size
    extra_local = extra_central = b""
    version = 20
    if packed >= _FULL or size >= _FULL:
        extra_local = struct.pack("<2H2Q", 1, 16, size, packed)
        version = 45
    if packed >= _FULL or size >= _FULL or offset >= _FULL:
        values = [value for value in (size, packed, offset) if value >= _FULL]
        if extra_local:
            values = [size, packed] + ([offset] if offset >= _FULL else [])
        extra_central = struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)
        version = 45
    sizes = (_FULL, _FULL) if extra_local else (packed, size)
    local = LOCAL.pack(
        b"PK\x03\x04", version, flags, member.method, 0, _DOS_DATE, member.crc, *sizes, len(raw), len(extra_local)
    )
    central = CENTRAL.pack(
        b"PK\x01\x02",
        version,
        version,
        flags,
        member.method,
        0,
        _DOS_DATE,
        member.crc,
        *sizes,
        len(raw),
        len(extra_central),
        0,
        0,
        0,
        0,
        min(offset, _FULL),
    )
    return local + raw + extra_local, central + raw + extra_central


def _write_end(start: int, size: int, count: int) -> bytes:
    end = b""
    if start >= _FULL or size >= _FULL or count >= 0xFFFF:
        end = EOCD64.pack(b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
        end += EOCD64_LOCATOR.pack(b"PK\x06\x07", 0, start + size, 1)
    few = min(count, 0xFFFF)
    return end + EOCD.pack(b"PK\x05\x06", 0, 0, few, few, min(size, _FULL), min(start, _FULL), 0)


def write_package(members: Iterable[Member]) -> bytes:
    """Return the zip of these members in this order, dated 1980-01-01: same members, same bytes. zip64 where needed."""
    return make_frame(()).write(members)


@dataclass(frozen=True)
class Frame:
    """All of a package that never changes, ready to be copied: `prefix` is the local part, `directory` its entries.

    Made once for a template; `write(changed)` then costs one join and one directory entry for each changed member.
    """

    members: tuple[Member, ...] = field(repr=False)
    prefix: bytes = field(repr=False)
    directory: bytes = field(repr=False)

    def write(self, changed: Iterable[Member], replaced: Mapping[str, Member] | None = None) -> bytes:
        """Return the zip of the frame and of `changed`, in this order.

        Members of the frame named in `replaced` give way to the new ones at their own place (the slow way: relations
        and content types of a document that gained a picture).
        """
        frame = self if not replaced else make_frame(replaced.get(m.name, m) for m in self.members)
        out, entries = [frame.prefix], [frame.directory]
        offset, count = len(frame.prefix), len(frame.members)
        for member in changed:
            local, central = _write_member(member, offset)
            out += (local, member.data)
            entries.append(central)
            offset += len(local) + len(member.data)
            count += 1
        directory = b"".join(entries)
        out += (directory, _write_end(offset, len(directory), count))
        return b"".join(out)


def make_frame(members: Iterable[Member]) -> Frame:
    """Return the frame of these members, in this order."""
    kept = tuple(members)
    out: list[bytes] = []
    entries: list[bytes] = []
    offset = 0
    for member in kept:
        local, central = _write_member(member, offset)
        out += (local, member.data)
        entries.append(central)
        offset += len(local) + len(member.data)
    return Frame(kept, b"".join(out), b"".join(entries))
