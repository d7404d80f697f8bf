"""The door for office files that come in: a zip read within bounds, its parts as safe XML.

It stands beside `errors`, because both rooms that read office files use it: `engine` (templates and returned forms)
and `data` (tables of companies). A `Package` holds its members as the compressed bytes they were read as, so what
nobody changes is copied and never inflated again. What `read_package` refuses, it refuses by name, and all faults of
one file are told together. The way out (deflate, write) is `engine/package.py`.

Sources: APPNOTE.TXT 6.3.10 (zip), ECMA-376 part 2 (OPC: names, content types, relationships).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gfdocs.errors import Issue, PackageError, Place, Severity, Text

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = [
    "CONTENT_TYPES",
    "ContentTypes",
    "Limits",
    "Member",
    "Package",
    "Relationship",
    "check_safe_xml",
    "check_xml",
    "get_main_part",
    "read_content_types",
    "read_package",
    "read_relationships",
    "relationships_name",
    "resolve_target",
    "safe_xml",
]

CONTENT_TYPES = "[Content_Types].xml"
STORED, DEFLATED = 0, 8
MIB = 1 << 20


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
            raise PackageError(_missing_part(self.name, name))
        return self._index[found]

    def read(self, name: str) -> bytes:
        """Return the inflated bytes of a member; PackageError GF318 where there is none."""
        return self.member(name).read()

    def __repr__(self) -> str:
        return f"<Package {self.name!r}: {len(self.members)} members>"


# ---------------------------------------------------------------------------------------------------------------------
# Issues of this room


_SAVE_AGAIN = Text(
    "save it again as .docx or .xlsx in Word, Excel or WPS, or ask the sender to",
    "请用 Word、Excel 或 WPS 重新另存为 .docx 或 .xlsx，或请对方重新发送",
)


def _issue(
    code: str, name: str, path: str, fact: Text, hint: Text | None = None, severity: Severity = "error"
) -> Issue:
    return Issue(code, severity, Place(name, path=(path,) if path else ()), fact, _SAVE_AGAIN if hint is None else hint)


def _missing_part(name: str, part: str) -> Issue:
    return _issue(
        "GF318",
        name,
        "",
        Text(f"the package has no part {part!r}", f"文件包内没有部件 {part!r}"),
        Text("save the file again in Word, WPS or Excel", "请用 Word、WPS 或 Excel 重新保存该文件"),
    )


def _size(number: int) -> str:
    return f"{number / MIB:.1f} MiB" if number >= MIB else f"{number} bytes"


# ---------------------------------------------------------------------------------------------------------------------
# What a file is by its first bytes

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _ole_issue(data: bytes, name: str) -> Issue:
    if _utf16("EncryptedPackage") in data or _utf16("EncryptionInfo") in data:
        return _issue(
            "GF303",
            name,
            "",
            Text("the file is encrypted with a password", "文件已加密（设有打开密码）"),
            Text("open it in Word, WPS or Excel, remove the password and save it", "请打开后取消密码，另存后再提交"),
        )
    if _utf16("Workbook") in data or _utf16("Book\0") in data:
        old, new, kind = ".xls", ".xlsx", "Excel"
    elif _utf16("WordDocument") in data:
        old, new, kind = ".doc", ".docx", "Word"
    else:
        old, new, kind = ".xls/.doc", ".xlsx/.docx", "Office"
    return _issue(
        "GF304",
        name,
        "",
        Text(f"the file is in the old binary {kind} format ({old})", f"文件为旧版二进制格式（{old}）"),
        Text(f"save it as {new}", f"请另存为 {new} 后再提交"),
    )


_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"%pdf", "a PDF", "PDF 文件"),
    (b"{\\rtf", "an RTF text", "RTF 文件"),
    (b"<!doctype html", "a web page", "网页（HTML）"),
    (b"<html", "a web page", "网页（HTML）"),
    (b"<table", "a web page", "网页（HTML）"),
    (b"mime-version", "a web page in one file (MHTML)", "网页归档（MHTML）"),
    (b"<?xml", "plain XML", "单个 XML 文件"),
    (b"rar!", "a RAR archive", "RAR 压缩包"),
    (b"7z\xbc\xaf", "a 7z archive", "7z 压缩包"),
    (b"\x1f\x8b", "a gzip archive", "gzip 压缩包"),
)


def _not_a_zip(data: bytes, name: str) -> Issue:
    if not data:
        return _issue("GF301", name, "", Text("the file is empty", "文件为空（0 字节）"))
    if data.startswith(_OLE):
        return _ole_issue(data, name)
    if data.startswith(b"PK"):
        return _issue(
            "GF305",
            name,
            "",
            Text("the file is cut off: its zip directory is missing", "文件不完整：缺少压缩包目录"),
            Text("copy or download it again", "请重新复制或下载"),
        )
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, en, zh in _OTHERS:
        if head.startswith(magic):
            return _issue(
                "GF302",
                name,
                "",
                Text(f"expected an office file (zip), found {en}", f"应为 Office 文件，实为{zh}"),
                Text("open it and save it as .docx or .xlsx", "请打开后另存为 .docx 或 .xlsx"),
            )
    return _issue(
        "GF302", name, "", Text("expected an office file (zip), found something else", "不是 Office 文件（zip 格式）")
    )


# ---------------------------------------------------------------------------------------------------------------------
# The zip directory

EOCD = struct.Struct("<4s4H2LH")
EOCD64_LOCATOR = struct.Struct("<4sLQL")
EOCD64 = struct.Struct("<4sQ2H2L4Q")
CENTRAL = struct.Struct("<4s6H3L5H2L")
LOCAL = struct.Struct("<4s5H3L2H")


@dataclass(frozen=True, slots=True)
class _Entry:
    """One line of the zip directory; `start` is where its local header begins."""

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    start: int


class _Damaged(Exception):
    """The zip structure does not hold together; the text says where."""

    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)


def _find_directory(data: bytes) -> tuple[int, int, int]:
    """Return (start, size, number of entries) of the central directory, zip64 or not."""
    at = data.rfind(b"PK\x05\x06", max(0, len(data) - 65557))
    if at < 0 or at + 22 > len(data):
        raise _Damaged("the zip directory is missing", "缺少压缩包目录")
    _, disk, _, _, count, size, start, _ = EOCD.unpack_from(data, at)
    end = at
    locator = at - EOCD64_LOCATOR.size
    if (count == 0xFFFF or size == 0xFFFFFFFF or start == 0xFFFFFFFF) and data[locator : locator + 4] == b"PK\x06\x07":
        end = EOCD64_LOCATOR.unpack_from(data, locator)[2]
        if data[end : end + 4] != b"PK\x06\x06" or end + EOCD64.size > len(data):
            raise _Damaged("the zip64 directory is missing", "缺少 zip64 目录")
        count, size, start = EOCD64.unpack_from(data, end)[7:10]
    elif disk not in (0, 0xFFFF):
        raise _Damaged("the zip has several volumes", "压缩包分卷")
    if start + size > end:
        raise _Damaged("the zip directory points outside the file", "压缩包目录越界")
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
                raise _Damaged("a zip64 field is cut off", "zip64 字段不完整") from None
        at += 4 + length
    return size, compressed, start


def _read_directory(data: bytes, limits: Limits) -> Iterator[_Entry]:
    at, size, count = _find_directory(data)
    end, shift = at + size, 0
    declared = EOCD.unpack_from(data, data.rfind(b"PK\x05\x06"))[6]
    if declared != 0xFFFFFFFF:
        shift = at - declared
    for _ in range(min(count, limits.members + 1)):
        if at + CENTRAL.size > end or data[at : at + 4] != b"PK\x01\x02":
            raise _Damaged("the zip directory is damaged", "压缩包目录已损坏")
        row = CENTRAL.unpack_from(data, at)
        flags, method, crc, compressed, full = row[3], row[4], row[7], row[8], row[9]
        name_length, extra_length, comment_length, start = row[10], row[11], row[12], row[16]
        raw = data[at + 46 : at + 46 + name_length]
        extra = data[at + 46 + name_length : at + 46 + name_length + extra_length]
        try:
            name = raw.decode("utf-8" if flags & 0x800 or raw.isascii() else "cp437")
        except UnicodeDecodeError:
            raise _Damaged("a member name is not UTF-8", "成员文件名编码有误") from None
        full, compressed, start = _read_extra(extra, full, compressed, start)
        yield _Entry(name, flags, method, crc, compressed, full, start + shift)
        at += 46 + name_length + extra_length + comment_length


def _data_start(data: bytes, entry: _Entry) -> int:
    """Return where the member's bytes begin; the local header must tell the same name as the directory."""
    if entry.start < 0 or entry.start + 30 > len(data) or data[entry.start : entry.start + 4] != b"PK\x03\x04":
        raise _Damaged("the member's header is missing", "成员文件头缺失")
    row: tuple[int, ...] = LOCAL.unpack_from(data, entry.start)[1:]
    name_length, extra_length = row[8], row[9]
    raw = data[entry.start + 30 : entry.start + 30 + name_length]
    if raw != entry.name.encode("utf-8") and raw != entry.name.encode("cp437", "replace"):
        raise _Damaged("header and directory name different members", "成员文件头与目录不一致")
    start = entry.start + 30 + name_length + extra_length
    if start + entry.compressed > len(data):
        raise _Damaged("the member runs past the end of the file", "成员超出文件末尾")
    return start


# ---------------------------------------------------------------------------------------------------------------------
# Reading


def _unsafe_name(name: str) -> bool:
    return (
        not name
        or name.startswith("/")
        or "\\" in name
        or ":" in name
        or any(ord(char) < 32 for char in name)
        or any(step in ("..", ".") for step in name.split("/"))
    )


def _check_entries(entries: list[_Entry], name: str, limits: Limits) -> Iterator[Issue]:
    if len(entries) > limits.members:
        yield _issue(
            "GF309",
            name,
            "",
            Text(f"the zip has more than {limits.members} members", f"压缩包成员超过 {limits.members} 个"),
        )
        return
    seen: dict[str, str] = {}
    for entry in entries:
        if _unsafe_name(entry.name):
            yield _issue(
                "GF311",
                name,
                repr(entry.name),
                Text("the member's name leads out of the package", "成员文件名越出压缩包（路径穿越）"),
            )
        folded = entry.name.casefold()
        if folded in seen:
            yield _issue(
                "GF310",
                name,
                entry.name,
                Text("the zip has two members of this name", "压缩包内有同名成员"),
                Text("nobody can tell which of the two counts; save it again", "无法判断以哪个为准，请另存"),
            )
        seen[folded] = entry.name
        if entry.flags & 0x2041:
            yield _issue("GF317", name, entry.name, Text("the member is encrypted", "成员已加密"))
        elif entry.method not in (STORED, DEFLATED):
            yield _issue(
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
    return _issue(
        "GF307",
        name,
        part,
        Text(f"unpacks to {_size(size)}, more than {_size(limit)}", f"解压后 {_size(size)}，超过上限 {_size(limit)}"),
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


def _inflate(raw: bytes, entry: _Entry, name: str, limits: Limits) -> bytes | Issue:
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
    return _issue(
        "GF308",
        name,
        part,
        Text(
            f"{_size(packed)} unpack to {_size(size)} or more, more than {limits.ratio} times as much",
            f"{_size(packed)} 解压后至少 {_size(size)}，超过 {limits.ratio} 倍",
        ),
        Text("this is how a zip bomb looks", "疑似压缩炸弹"),
    )


def _damaged_member(name: str, part: str) -> Issue:
    return _issue(
        "GF316",
        name,
        part,
        Text("the member is damaged: size or checksum do not agree", "成员已损坏：大小或校验和不符"),
        Text("copy or download the file again", "请重新复制或下载"),
    )


def _is_xml(name: str) -> bool:
    return name.casefold().endswith((".xml", ".rels", ".vml"))


_BOMBS = ("GF307", "GF308")


def _read_members(data: bytes, entries: list[_Entry], name: str, limits: Limits) -> tuple[list[Member], list[Issue]]:
    members: list[Member] = []
    issues: list[Issue] = []
    total, last_end = 0, 0
    xml, xml_packed = 0, 0
    for entry in sorted(entries, key=lambda e: e.start):
        try:
            start = _data_start(data, entry)
        except _Damaged as fault:
            issues.append(_issue("GF305", name, entry.name, fault.text))
            continue
        if entry.start < last_end:
            # Members lying over one another is how a small zip unpacks to petabytes.
            issues.append(_issue("GF305", name, entry.name, Text("members overlap in the zip", "压缩包成员相互重叠")))
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
            _issue(
                "GF306",
                name,
                "",
                Text(
                    f"the file has {_size(len(data))}, more than {_size(limits.file)}",
                    f"文件 {_size(len(data))}，超过上限 {_size(limits.file)}",
                ),
                Text("make its pictures smaller, or split the file", "请压缩图片，或拆分文件"),
            )
        )
    if not data.startswith(b"PK") and b"PK\x05\x06" not in data[-65557:]:
        raise PackageError(_not_a_zip(data, name))
    try:
        entries = [entry for entry in _read_directory(data, limits) if not entry.name.endswith("/")]
    except (_Damaged, struct.error) as fault:
        if isinstance(fault, _Damaged) and b"PK\x05\x06" in data[-65557:]:
            raise PackageError(_issue("GF305", name, "", fault.text)) from fault
        raise PackageError(_not_a_zip(data, name)) from fault
    issues = list(_check_entries(entries, name, limits))
    if issues:
        raise PackageError(issues)
    members, issues = _read_members(data, entries, name, limits)
    package = Package(tuple(members), name)
    if not issues:
        issues += _check_contents(package, limits)
    if any(issue.severity == "error" for issue in issues):
        raise PackageError(issues)
    return Package(package.members, name, tuple(issues))


# ---------------------------------------------------------------------------------------------------------------------
# What is inside: types, relations, macros, links


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


def read_content_types(package: Package) -> ContentTypes:
    """Return the content types; PackageError where the part is missing or is not XML."""
    root = safe_xml(package.read(CONTENT_TYPES), name=package.name, part=CONTENT_TYPES)
    defaults: dict[str, str] = {}
    overrides: dict[str, str] = {}
    for child in root.iterchildren(tag="{*}Default"):
        defaults[(child.get("Extension") or "").casefold()] = child.get("ContentType") or ""
    for child in root.iterchildren(tag="{*}Override"):
        overrides[(child.get("PartName") or "").lstrip("/").casefold()] = child.get("ContentType") or ""
    return ContentTypes(defaults, overrides)


def relationships_name(part: str) -> str:
    """Return the name of the part that holds the relations of `part`; of the package itself for an empty text."""
    folder, _, file = part.rpartition("/")
    return f"{folder}/_rels/{file}.rels" if folder else f"_rels/{file}.rels"


def resolve_target(part: str, target: str) -> str:
    """Return the member name a relation's target means: absolute (`/xl/a.xml`) or relative to the folder of `part`."""
    from urllib.parse import unquote

    target = target.partition("#")[0]
    if "%" in target:
        target = unquote(target)
    steps = target.split("/") if target.startswith("/") else part.split("/")[:-1] + target.split("/")
    out: list[str] = []
    for step in steps:
        if step == "..":
            del out[-1:]
        elif step not in ("", "."):
            out.append(step)
    return "/".join(out)


def read_relationships(package: Package, part: str = "") -> tuple[Relationship, ...]:
    """Return the relations of a part (of the package for an empty name), in their order; empty where it has none."""
    name = package.find_name(relationships_name(part))
    if name is None:
        return ()
    root = safe_xml(package.read(name), name=package.name, part=name)
    found = []
    for child in root.iterchildren(tag="{*}Relationship"):
        uri = child.get("Type") or ""
        external = child.get("TargetMode") == "External"
        target = child.get("Target") or ""
        if not external:
            target = resolve_target(part, target)
            target = package.find_name(target) or target
        found.append(Relationship(child.get("Id") or "", uri.rpartition("/")[2], target, external, uri))
    return tuple(found)


def get_main_part(package: Package) -> str:
    """Return the name of the part that is the document or workbook; PackageError GF318 where there is none."""
    for relation in read_relationships(package):
        if relation.type == "officeDocument" and relation.target in package:
            return relation.target
    raise PackageError(_missing_part(package.name, "officeDocument"))


_LINKS = {"externalLinkPath", "externalLink", "xlExternalLinkPath"}
_FETCHED = {"attachedTemplate", "subDocument", "frame", "oleObject", "aFChunk", "image"}


def _check_contents(package: Package, limits: Limits) -> Iterator[Issue]:
    if CONTENT_TYPES not in package:
        yield _issue(
            "GF318",
            package.name,
            "",
            Text(
                "the zip is not an office file: [Content_Types].xml is missing",
                "不是 Office 文件：缺少 [Content_Types].xml",
            ),
        )
        return
    try:
        types = read_content_types(package)
        if not limits.macros:
            yield from _find_macros(package, types)
        yield from _find_links(package)
    except PackageError as fault:
        yield from fault.issues


_MACRO_TYPES = ("vbaproject", "vbadata", "macroenabled", "macrosheet", "activex")
_MACRO_RELATIONS = ("vbaproject", "wordvbadata", "xlmacrosheet", "xlintlmacrosheet", "activexcontrolbinary")


def _find_macros(package: Package, types: ContentTypes) -> Iterator[Issue]:
    """Macros are found by the type of a part, by its name, and by the relations that lead to it."""
    related = {target for name in package.names for target in _macro_targets(package, name)}
    for name in package.names:
        kind, folded = types.of(name).casefold(), name.casefold()
        named = folded.endswith("vbaproject.bin") or "/macrosheets/" in folded or "/activex/" in folded
        if named or name in related or any(word in kind for word in _MACRO_TYPES):
            yield _issue(
                "GF314",
                package.name,
                name,
                Text("the file contains macros (VBA, macro sheets or ActiveX)", "文件含宏（VBA、宏表或 ActiveX 控件）"),
                Text("save it as .docx or .xlsx without macros", "请另存为不含宏的 .docx 或 .xlsx"),
            )


def _macro_targets(package: Package, name: str) -> Iterator[str]:
    """Yield the parts that a part of relations calls macros."""
    if not name.casefold().endswith(".rels"):
        return
    text = _decode_probe(package.read(name)).lower()
    # A character reference may hide the word.
    if not any(word in text for word in (b"vba", b"macrosheet", b"activex", b"&#")):
        return
    folder, _, file = f"/{name}".rpartition("/_rels/")
    for relation in read_relationships(package, f"{folder}/{file[:-5]}".strip("/")):
        if relation.type.casefold() in _MACRO_RELATIONS:
            yield relation.target


def _is_remote(target: str) -> bool:
    lowered = target.casefold()
    return lowered.startswith(("http:", "https:", "ftp:", "\\\\", "//", "mhtml:", "file://///", "file:////")) or (
        lowered.startswith("file://") and not lowered.startswith("file:///")
    )


def _find_links(package: Package) -> Iterator[Issue]:
    """Every link to another workbook is refused and listed; what Office would fetch from the net is warned of."""
    for name in package.names:
        if not name.endswith(".rels") or "TargetMode" not in package.read(name).decode("utf-8", "replace"):
            continue
        folder, _, file = f"/{name}".rpartition("/_rels/")
        part = f"{folder}/{file[:-5]}".strip("/")
        for relation in read_relationships(package, part):
            if not relation.external:
                continue
            if relation.type in _LINKS:
                yield _issue(
                    "GF315",
                    package.name,
                    name,
                    Text(f"the file is linked to {relation.target!r}", f"文件链接到外部文件 {relation.target!r}"),
                    Text(
                        "break the link (Data › Edit Links) and save it again",
                        "请断开链接（数据 › 编辑链接）后重新保存",
                    ),
                )
            elif relation.type in _FETCHED and _is_remote(relation.target):
                # Word also writes where the author's own Normal.dotm is; that is nobody's business.
                yield _issue(
                    "GF320",
                    package.name,
                    name,
                    Text(
                        f"the file fetches {relation.target!r} when it is opened",
                        f"打开时会读取外部内容 {relation.target!r}",
                    ),
                    Text("embed it, or remove the link", "请改为嵌入，或删除链接"),
                    severity="warning",
                )


# ---------------------------------------------------------------------------------------------------------------------
# XML


def _decode_probe(data: bytes) -> bytes:
    """Return the text as ASCII-compatible bytes, so that a DTD in UTF-16 is seen too."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] in (b"<\0?\0", b"\0<\0?"):
        little = data[:2] == b"\xff\xfe" or data[:1] == b"<"
        return data.decode("utf-16-le" if little else "utf-16-be", "replace").encode("utf-8", "replace")
    return data


_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"<\0\0\0", b"\0\0\0<")
_ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be")


def check_xml(data: bytes, *, name: str, part: str) -> list[Issue]:
    """Return the faults that make an XML part unsafe to parse: any DTD, any encoding but UTF-8 and UTF-16."""
    if data[:4] in _UTF_32:
        return [_wrong_encoding(name, part, "utf-32")]
    probe = _decode_probe(data)
    issues = []
    if b"<!DOCTYPE" in probe or b"<!ENTITY" in probe:
        issues.append(
            _issue(
                "GF312",
                name,
                part,
                Text("the XML has a DTD", "XML 含有 DTD 声明"),
                Text(
                    "no office program writes one; the file was made to do harm",
                    "Office 程序不会写入 DTD，文件可能被恶意构造",
                ),
            )
        )
    head = probe[:200]
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") and b"encoding" in head:
        declared = head.partition(b"encoding")[2].partition(b"?>")[0].strip(b" =\r\n\t")
        quote = declared[:1] or b'"'
        encoding = declared[1:].partition(quote)[0].decode("ascii", "replace").casefold()
        if encoding not in _ENCODINGS:
            issues.append(_wrong_encoding(name, part, encoding))
    return issues


def _wrong_encoding(name: str, part: str, encoding: str) -> Issue:
    return _issue(
        "GF313",
        name,
        part,
        Text(
            f"expected UTF-8 or UTF-16, found the encoding {encoding!r}",
            f"XML 编码应为 UTF-8 或 UTF-16，实为 {encoding!r}",
        ),
    )


def safe_xml(data: bytes, *, name: str, part: str) -> _Element:
    """Return the root of an XML part. No DTD, no entity, no network, depth at most 256.

    PackageError: GF312 for a DTD, GF313 with the line where it is not well-formed.
    """
    root: _Element = _parse(data, None, name, part)
    return root


class _Nothing:
    """A parser's target that keeps nothing."""

    def close(self) -> None:
        return None


def check_safe_xml(data: bytes, *, name: str, part: str) -> None:
    """Refuse what `safe_xml` refuses, without holding the tree: it takes twenty times the part's size."""
    _parse(data, _Nothing(), name, part)


def _parse(data: bytes, target: Any, name: str, part: str) -> Any:
    from lxml import etree

    issues = check_xml(data, name=name, part=part)
    if issues:
        raise PackageError(issues)
    # huge_tree only lifts the size of one text (10 MB); the parts' own size is bounded by Limits, the depth below.
    parser: Any = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=len(data) > 8 * MIB,
        remove_blank_text=False,
        target=target,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        line = getattr(fault, "lineno", None)
        raise PackageError(
            Issue(
                "GF313",
                "error",
                Place(name, path=(part, f"line {line}") if line else (part,)),
                Text(f"the part is not well-formed XML: {fault}", f"部件不是格式良好的 XML：{fault}"),
                _SAVE_AGAIN,
            )
        ) from fault
