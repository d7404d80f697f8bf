"""The clause checker: any .docx against GB/T 9704-2012, every fault in one run, each with clause, finding and place.

It reads what the file says and does not lay pages out: positions that depend on that are estimated and only warned of.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gfdocs.errors import Issue, PackageError, Place, Text, describe_os_fault
from gfdocs.gongwen.check_body import check_body
from gfdocs.gongwen.check_fonts import check_fonts
from gfdocs.gongwen.check_head import check_head
from gfdocs.gongwen.check_page import check_page
from gfdocs.gongwen.check_text import check_text
from gfdocs.gongwen.parts import find_parts
from gfdocs.gongwen.reading import read_docx

__all__ = ["check_docx"]

_CHECKS = (check_page, check_head, check_body, check_text, check_fonts)


def check_docx(source: str | Path | bytes, name: str | None = None) -> tuple[Issue, ...]:
    """Return every fault of a .docx, in order of code and place; empty where there is none.

    Errors are what the standard says shall be (规); what is 一般, 推荐 or 可 is a warning. `name` is what the file is
    called in messages. PackageError where the file is not a whole, safe .docx.
    """
    data = source if isinstance(source, bytes) else _read(Path(source))
    called = name or ("document.docx" if isinstance(source, bytes) else Path(source).name)
    parts = find_parts(read_docx(data, called))
    issues = [issue for check in _CHECKS for issue in check(parts)]
    return tuple(_without_repeats(issues))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        reason = describe_os_fault(fault)
        why = Text(f"cannot be read: {reason}", f"无法读取：{reason.zh}")
        raise PackageError(Issue("GF300", "error", Place(str(path)), why)) from fault


def _without_repeats(issues: list[Issue]) -> Iterator[Issue]:
    seen: set[tuple[str, str, str]] = set()
    for issue in issues:
        key = (issue.code, str(issue.place), str(issue.fact))
        if key not in seen:
            seen.add(key)
            yield issue
