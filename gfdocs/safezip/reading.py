"""Reading a zip within bounds: what a header declares is not believed, faults are told together."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from gfdocs.errors import Issue, PackageError, Text
from gfdocs.safezip.contents import check_contents
from gfdocs.safezip.directory import Damaged, Entry, find_data, read_directory
from gfdocs.safezip.faults import MIB, in_words, make_issue
from gfdocs.safezip.foreign import describe_foreign
from gfdocs.safezip.model import DEFLATED, STORED, Limits, Member, Package
from gfdocs.safezip.xml import check_xml


def _unsafe_name(name: str) -> bool:
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or ":" in name
        or any(ord(char) < 32 for char in name)
        or any(step in ("..", ".") for step in name.split("/"))
    )


def _check_entries(entries: list[Entry], name: str, limits: Limits) -> Iterator[Issue]:
    if len(entries) > limits.members:
        yield make_issue(
            "GF309",
            name,
            "",
            Text(f"the zip has more than {limits.members} members", f"压缩包成员超过 {limits.members} 个"),
        )
        return
    seen: dict[str, str] = {}
    for entry in entries:
        if _unsafe_name(entry.name):
            yield make_issue(
                "GF311",
                name,
                repr(entry.name),
                Text("the member's name leads out of the package", "成员文件名越出压缩包（路径穿越）"),
            )
        folded = entry.name.casefold()
        if folded in seen:
            yield make_issue(
                "GF310",
                name,
                entry.name,
                Text("the zip has two members of this name", "压缩包内有同名成员"),
                Text("nobody can tell which of the two counts; save it again", "无法判断以哪个为准，请另存"),
            )
        seen[folded] = entry.name
        if entry.flags & 0x2041:
            yield make_issue("GF317", name, entry.name, Text("the member is encrypted", "成员已加密"))
        elif entry.method not in (STORED, DEFLATED):
            yield make_issue(
                "GF316",
                name,
                entry.name,
                Text(
                    f"compression method {entry.method} is not one of an office file",
                    f"不支持的压缩方式 {entry.method}",
                ),
            )
        if entry.size > limits.part:
            yield _too_large(name, entry.name, entry.size, limits.part)
    total = sum(entry.size for entry in entries)
    if total > limits.total:
        yield _too_large(name, "", total, limits.total)


def _too_large(name: str, part: str, size: int, limit: int) -> Issue:
    return make_issue(
        "GF307",
        name,
        part,
        Text(
            f"unpacks to {in_words(size)}, more than {in_words(limit)}",
            f"解压后 {in_words(size)}，超过上限 {in_words(limit)}",
        ),
        Text("this is how a zip bomb looks", "疑似压缩炸弹"),
    )


_STEP = 64 << 10


def _inflate_in_steps(raw: bytes, method: int) -> Iterator[bytes]:
    """Yield the inflated bytes, at most 1 MiB at a time; zlib.error where the data is damaged or cut off."""
    if method == STORED:
        yield raw
        return
    stream = zlib.decompressobj(-15)
    for at in range(0, len(raw), _STEP):
        waiting = raw[at : at + _STEP]
        while True:
            piece = stream.decompress(waiting, MIB)
            waiting = stream.unconsumed_tail
            if piece:
                yield piece
            if stream.eof:
                return
            if not waiting and len(piece) < MIB:
                break
    raise zlib.error("cut off")


def _inflate(raw: bytes, entry: Entry, name: str, limits: Limits) -> bytes | Issue:
    """Return the inflated bytes of an XML part, of another part nothing; the Issue where it is refused.

    The bytes are counted while they come and no more are asked for once a bound is passed: what a header declares is
    not believed.
    """
    keep = _is_xml(entry.name)
    # A picture of one colour is out of all proportion too, and nobody parses it here: it may be larger.
    ratio_from = limits.ratio_from if keep else 8 * limits.ratio_from
    pieces: list[bytes] = []
    size = crc = 0
    try:
        for piece in _inflate_in_steps(raw, entry.method):
            size += len(piece)
            if size > limits.part:
                return _too_large(name, entry.name, size, limits.part)
            if size > ratio_from and size > limits.ratio * max(1, len(raw)):
                return _out_of_proportion(name, entry.name, len(raw), size, limits)
            if size > entry.size:
                return _damaged_member(name, entry.name)
            crc = zlib.crc32(piece, crc)
            if keep:
                pieces.append(piece)
    except zlib.error:
        return _damaged_member(name, entry.name)
    if size != entry.size or crc != entry.crc:
        return _damaged_member(name, entry.name)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _out_of_proportion(name: str, part: str, packed: int, size: int, limits: Limits) -> Issue:
    return make_issue(
        "GF308",
        name,
        part,
        Text(
            f"{in_words(packed)} unpack to {in_words(size)} or more, more than {limits.ratio} times as much",
            f"{in_words(packed)} 解压后至少 {in_words(size)}，超过 {limits.ratio} 倍",
        ),
        Text("this is how a zip bomb looks", "疑似压缩炸弹"),
    )


def _damaged_member(name: str, part: str) -> Issue:
    return make_issue(
        "GF316",
        name,
        part,
        Text("the member is damaged: size or checksum do not agree", "成员已损坏：大小或校验和不符"),
        Text("copy or download the file again", "请重新复制或下载"),
    )


def _is_xml(name: str) -> bool:
    return name.casefold().endswith((".xml", ".rels", ".vml"))


_BOMBS = ("GF307", "GF308")


def _read_members(data: bytes, entries: list[Entry], name: str, limits: Limits) -> tuple[list[Member], list[Issue]]:
    members: list[Member] = []
    issues: list[Issue] = []
    total, last_end = 0, 0
    xml, xml_packed = 0, 0
    for entry in sorted(entries, key=lambda e: e.start):
        try:
            start = find_data(data, entry)
        except Damaged as fault:
            issues.append(make_issue("GF305", name, entry.name, fault.text))
            continue
        if entry.start < last_end:
            # Members lying over one another is how a small zip unpacks to petabytes.
            issues.append(
                make_issue("GF305", name, entry.name, Text("members overlap in the zip", "压缩包成员相互重叠"))
            )
            continue
        last_end = start + entry.compressed
        raw = data[start:last_end]
        inflated = _inflate(raw, entry, name, limits)
        if isinstance(inflated, Issue):
            issues.append(inflated)
            if inflated.code in _BOMBS:
                break  # each further one would cost as much again
            continue
        total += entry.size
        if total > limits.total:
            issues.append(_too_large(name, "", total, limits.total))
            break
        if _is_xml(entry.name):
            issues += check_xml(inflated, name=name, part=entry.name)
            xml += entry.size
            xml_packed += len(raw)
            if xml > 8 * limits.ratio_from and xml > limits.ratio * xml_packed:
                issues.append(_out_of_proportion(name, "", xml_packed, xml, limits))
                break
        members.append(Member(entry.name, entry.method, entry.crc, entry.size, raw))
    order = {entry.name: place for place, entry in enumerate(entries)}
    members.sort(key=lambda member: order[member.name])
    return members, issues


def read_package(data: bytes, *, name: str, limits: Limits | None = None) -> Package:
    """Return the checked members of an office file.

    `name` is what the file is called in messages. Refused, all faults together, as PackageError: not a zip (with what
    it is instead), cut off, encrypted, old binary formats, more or larger members than `limits`, a part that inflates
    out of proportion (by declared and by counted size), two members of one name, names that lead out of the package,
    overlapping members, any DTD, VBA projects, links to other workbooks, no `[Content_Types].xml`. Folders are
    dropped. What is only odd (a picture or template fetched when the file is opened) is in `.issues`.
    """
    limits = limits or Limits()
    if len(data) > limits.file:
        raise PackageError(
            make_issue(
                "GF306",
                name,
                "",
                Text(
                    f"the file has {in_words(len(data))}, more than {in_words(limits.file)}",
                    f"文件 {in_words(len(data))}，超过上限 {in_words(limits.file)}",
                ),
                Text("make its pictures smaller, or split the file", "请压缩图片，或拆分文件"),
            )
        )
    if not data.startswith(b"PK") and b"PK\x05\x06" not in data[-65557:]:
        raise PackageError(describe_foreign(data, name))
    try:
        entries = [entry for entry in read_directory(data, limits) if not entry.name.endswith("/")]
    except (Damaged, struct.error) as fault:
        if isinstance(fault, Damaged) and b"PK\x05\x06" in data[-65557:]:
            raise PackageError(make_issue("GF305", name, "", fault.text)) from fault
        raise PackageError(describe_foreign(data, name)) from fault
    issues = list(_check_entries(entries, name, limits))
    if issues:
        raise PackageError(issues)
    members, issues = _read_members(data, entries, name, limits)
    package = Package(tuple(members), name)
    if not issues:
        issues += check_contents(package, limits)
    if any(issue.severity == "error" for issue in issues):
        raise PackageError(issues)
    return Package(package.members, name, tuple(issues))
