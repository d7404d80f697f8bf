"""The directory of a zip and where its members lie (APPNOTE.TXT 4.3, zip64 too)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from gfdocs.errors import Text
from gfdocs.safezip.model import Limits

EOCD = struct.Struct("<4s4H2LH")
EOCD64_LOCATOR = struct.Struct("<4sLQL")
EOCD64 = struct.Struct("<4sQ2H2L4Q")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the zip directory; `start` is where its local header begins."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    start: int


class Damaged(Exception):
    """The zip structure does not hold together; the text says where."""

    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)


def _find_directory(data: bytes) -> tuple[int, int, int]:
    """Return (start, size, number of entries) of the central directory, zip64 or not."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65557))
    if at < 0 or at + 22 > len(data):
        raise Damaged("the zip directory is missing", "缺少压缩包目录")
    _, disk, _, _, count, size, start, _ = EOCD.unpack_from(data, at)
    end = at
    locator = at - EOCD64_LOCATOR.size
    if (count == 0xFFFF or size == 0xFFFFFFFF or start == 0xFFFFFFFF) and data[locator : locator + 4] == b"PK\x06\x07":
        end = EOCD64_LOCATOR.unpack_from(data, locator)[2]
        if data[end : end + 4] != b"PK\x06\x06" or end + EOCD64.size > len(data):
            raise Damaged("the zip64 directory is missing", "缺少 zip64 目录")
        count, size, start = EOCD64.unpack_from(data, end)[7:10]
    elif disk not in (0, 0xFFFF):
        raise Damaged("the zip has several volumes", "压缩包分卷")
    if start + size > end:
        raise Damaged("the zip directory points outside the file", "压缩包目录越界")
    # Bytes before the first member (a self-extractor's) shift every offset by as much.
    return end - size, size, count


def _read_extra(extra: bytes, size: int, compressed: int, start: int) -> tuple[int, int, int]:
    """Return (size, compressed, start) with the 64-bit values of the zip64 extra field in place of the full ones."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == 1:
            values = list(struct.unpack_from(f"<{length // 8}Q", extra, at + 4))
            try:
                size = values.pop(0) if size == 0xFFFFFFFF else size
                compressed = values.pop(0) if compressed == 0xFFFFFFFF else compressed
                start = values.pop(0) if start == 0xFFFFFFFF else start
            except IndexError:
                raise Damaged("a zip64 field is cut off", "zip64 字段不完整") from None
        at += 4 + length
    return size, compressed, start


def read_directory(data: bytes, limits: Limits) -> Iterator[Entry]:
    at, size, count = _find_directory(data)
    end, shift = at + size, 0
    declared = EOCD.unpack_from(data, data.rfind(b"PK\x05\x06"))[6]
    if declared != 0xFFFFFFFF:
        shift = at - declared
    for _ in range(min(count, limits.members + 1)):
        if at + CENTRAL.size > end or data[at : at + 4] != b"PK\x01\x02":
            raise Damaged("the zip directory is damaged", "压缩包目录已损坏")
        row = CENTRAL.unpack_from(data, at)
        flags, method, crc, compressed, full = row[3], row[4], row[7], row[8], row[9]
        name_length, extra_length, comment_length, start = row[10], row[11], row[12], row[16]
        raw = data[at + 46 : at + 46 + name_length]
        extra = data[at + 46 + name_length : at + 46 + name_length + extra_length]
        try:
            name = raw.decode("utf-8" if flags & 0x800 or raw.isascii() else "cp437")
        except UnicodeDecodeError:
            raise Damaged("a member name is not UTF-8", "成员文件名编码有误") from None
        full, compressed, start = _read_extra(extra, full, compressed, start)
        yield Entry(name, flags, method, crc, compressed, full, start + shift)
        at += 46 + name_length + extra_length + comment_length


def find_data(data: bytes, entry: Entry) -> int:
    """Return where the member's bytes begin; the local header must tell the same name as the directory."""
    if entry.start < 0 or entry.start + 30 > len(data) or data[entry.start : entry.start + 4] != b"PK\x03\x04":
        raise Damaged("the member's header is missing", "成员文件头缺失")
    row: tuple[int, ...] = LOCAL.unpack_from(data, entry.start)[1:]
    name_length, extra_length = row[8], row[9]
    raw = data[entry.start + 30 : entry.start + 30 + name_length]
    if raw != entry.name.encode("utf-8") and raw != entry.name.encode("cp437", "replace"):
        raise Damaged("header and directory name different members", "成员文件头与目录不一致")
    start = entry.start + 30 + name_length + extra_length
    if start + entry.compressed > len(data):
        raise Damaged("the member runs past the end of the file", "成员超出文件末尾")
    return start
