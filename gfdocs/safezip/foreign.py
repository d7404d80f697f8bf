"""What a file is that is no zip, by its first bytes: empty, encrypted, an old format, something else."""

from __future__ import annotations

from gfdocs.errors import Issue, Text
from gfdocs.safezip.faults import make_issue

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
    if _utf16("Workbook") in data or _utf16("Book\0") in data:
        old, new, kind = ".xls", ".xlsx", "Excel"
    elif _utf16("WordDocument") in data:
        old, new, kind = ".doc", ".docx", "Word"
    else:
        old, new, kind = ".xls/.doc", ".xlsx/.docx", "Office"
    return make_issue(
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
    for magic, en, zh in _OTHERS:
        if head.startswith(magic):
            return make_issue(
                "GF302",
                name,
                "",
                Text(f"expected an office file (zip), found {en}", f"应为 Office 文件，实为{zh}"),
                Text("open it and save it as .docx or .xlsx", "请打开后另存为 .docx 或 .xlsx"),
            )
    return make_issue(
        "GF302", name, "", Text("expected an office file (zip), found something else", "不是 Office 文件（zip 格式）")
    )
