"""What a file is that is no zip, by its first bytes: empty, encrypted, an old format, something else."""

from __future__ import annotations

import codecs

from gfdocs.errors import Issue, Text
from gfdocs.safezip.faults import make_issue
from gfdocs.safezip.model import Package

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def _ole_issue(data: bytes, name: str) -> Issue:
    if _utf16("EncryptedPackage") in data or _utf16("EncryptionInfo") in data:
        return make_issue(
            "GF303",
            name,
            "",
            Text("the file is encrypted with a password", "文件已加密（设有打开密码）"),
            Text("open it in Word, WPS or Excel, remove the password and save it", "请打开后取消密码，另存后再提交"),
        )
    named = (row for streams, row in _OLE_KINDS if any(_utf16(stream) in data for stream in streams))
    old, new, kind = next(named, (".xls/.doc", ".xlsx/.docx", "Office"))
    return make_issue(
        "GF304",
        name,
        "",
        Text(f"the file is in the old binary {kind} format ({old})", f"文件为旧版二进制格式（{old}）"),
        Text(f"open it in Office or WPS and save it as {new}", f"请用 Office 或 WPS 打开，另存为 {new} 后再提交"),
    )


# What the directory of an old file names; WPS writes the same streams into .et and .wps.
_OLE_KINDS: tuple[tuple[tuple[str, ...], tuple[str, str, str]], ...] = (
    (("PowerPoint Document",), (".ppt/.dps", ".xlsx/.docx", "PowerPoint")),
    (("WordDocument",), (".doc/.wps", ".docx", "Word")),
    (("Workbook", "Book\0"), (".xls/.et", ".xlsx", "Excel")),
)

_SAVE = Text("open it and save it as .docx or .xlsx", "请打开后另存为 .docx 或 .xlsx")
_UNPACK = Text("unpack it and give the files in it", "请解压后使用其中的文件")
_ORIGINAL = Text(
    "ask the sender for the office file itself, not a print or picture of it",
    "请对方发送 Office 原文件，而非打印件或图片",
)

_OTHERS: tuple[tuple[bytes, str, str, Text], ...] = (
    (b"%pdf", "a PDF", "PDF 文件", _ORIGINAL),
    (b"\xff\xd8\xff", "a photograph (JPEG)", "照片（JPEG）", _ORIGINAL),
    (b"\x89png", "a picture (PNG)", "图片（PNG）", _ORIGINAL),
    (b"gif8", "a picture (GIF)", "图片（GIF）", _ORIGINAL),
    (b"{\\rtf", "an RTF text", "RTF 文件", _SAVE),
    (b"<!doctype html", "a web page", "网页（HTML）", _SAVE),
    (b"<html", "a web page", "网页（HTML）", _SAVE),
    (b"<table", "a web page", "网页（HTML）", _SAVE),
    (b"mime-version", "a web page in one file (MHTML)", "网页归档（MHTML）", _SAVE),
    (b"<?xml", "plain XML", "单个 XML 文件", _SAVE),
    (b"rar!", "a RAR archive", "RAR 压缩包", _UNPACK),
    (b"7z\xbc\xaf", "a 7z archive", "7z 压缩包", _UNPACK),
    (b"\x1f\x8b", "a gzip archive", "gzip 压缩包", _UNPACK),
)


def describe_foreign(data: bytes, name: str) -> Issue:
    if not data:
        return make_issue("GF301", name, "", Text("the file is empty", "文件为空（0 字节）"))
    if data.startswith(_OLE):
        return _ole_issue(data, name)
    if data.startswith(b"PK"):
        return make_issue(
            "GF305",
            name,
            "",
            Text("the file is cut off: its zip directory is missing", "文件不完整：缺少压缩包目录"),
            Text("copy or download it again", "请重新复制或下载"),
        )
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    for magic, en, zh, hint in _OTHERS:
        if head.startswith(magic):
            return _found_other(name, en, zh, hint)
    if _is_text(data[:512]):
        return _found_other(name, "plain text (CSV?)", "纯文本（可能是 CSV）", _SAVE)
    return make_issue(
        "GF302", name, "", Text("expected an office file (zip), found something else", "不是 Office 文件（zip 格式）")
    )


def _found_other(name: str, en: str, zh: str, hint: Text) -> Issue:
    fact = Text(f"expected an office file (zip), found {en}", f"应为 Office 文件，实为{zh}")
    return make_issue("GF302", name, "", fact, hint)


def _is_text(head: bytes) -> bool:
    """True where the bytes read as text in UTF-8 or GB 18030; the last character may be cut."""
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(encoding)().decode(head)
        except UnicodeDecodeError:
            continue
        return True
    return False


def describe_archive(package: Package) -> Issue:
    """Return what a zip is that has no `[Content_Types].xml`."""
    kind = package.read("mimetype")[:100] if "mimetype" in package else b""
    inner = [
        name for name in package.names if name.casefold().endswith((".xlsx", ".docx", ".xls", ".doc", ".et", ".wps"))
    ]
    if kind.startswith(b"application/vnd.oasis.opendocument."):
        found, hint = Text("an OpenDocument file (.ods, .odt)", "OpenDocument 文件（.ods、.odt）"), _SAVE
    elif "OFD.xml" in package:
        found, hint = Text("an OFD", "OFD 版式文件"), _ORIGINAL
    elif any(name.endswith(".iwa") for name in package.names):
        found, hint = Text("an Apple Numbers or Pages file", "苹果 Numbers 或 Pages 文件"), _SAVE
    elif inner:
        found, hint = Text(f"a zip with {inner[0]!r} in it", f"内有 {inner[0]!r} 的压缩包"), _UNPACK
    else:
        found, hint = Text("[Content_Types].xml is missing", "缺少 [Content_Types].xml"), None
    fact = Text(f"the zip is not an office file: {found}", f"不是 Office 文件：{found.zh}")
    return make_issue("GF318", package.name, "", fact, hint)
