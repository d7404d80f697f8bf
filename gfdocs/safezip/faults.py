"""How the faults of an office file are told."""

from __future__ import annotations

from gfdocs.errors import Issue, Place, Severity, Text

MIB = 1 << 20

SAVE_AGAIN = Text(
    "save it again as .docx or .xlsx in Word, Excel or WPS, or ask the sender to",
    "请用 Word、Excel 或 WPS 重新另存为 .docx 或 .xlsx，或请对方重新发送",
)


def make_issue(
    code: str, name: str, path: str, fact: Text, hint: Text | None = None, severity: Severity = "error"
) -> Issue:
    return Issue(code, severity, Place(name, path=(path,) if path else ()), fact, SAVE_AGAIN if hint is None else hint)


def missing_part(name: str, part: str) -> Issue:
    return make_issue(
        "GF318",
        name,
        "",
        Text(f"the package has no part {part!r}", f"文件包内没有部件 {part!r}"),
        Text("save the file again in Word, WPS or Excel", "请用 Word、WPS 或 Excel 重新保存该文件"),
    )


def in_words(number: int) -> str:
    return f"{number / MIB:.1f} MiB" if number >= MIB else f"{number} bytes"
