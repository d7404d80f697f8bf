"""What can go wrong, and where: one error tree and the Issue.

    GfdocsError                 the root; carries .issues
    ├── DataError               the user's YAML, CSV or XLSX
    ├── TemplateError           a template, at opening or at rendering
    │   ├── TagError              a tag that does not parse, nest or fit its place
    │   ├── NameMissing           a name or field the data does not have
    │   └── BudgetExceeded        a template that asks for more than its budget
    ├── PackageError            a file that is not a safe docx, xlsx or zip
    ├── ReadBackError           a returned form that cannot be read
    ├── NotFound                no document, district or company of that name
    ├── OutputError             a file or folder that cannot be written
    │   └── OutputExists          it is there already
    └── ConvertError            LibreOffice or a font is missing, or a conversion failed

Nothing here prints. Every text is a `Text`: English as the str itself, Chinese as `.zh`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

Severity = Literal["error", "warning", "note"]
Language = Literal["en", "zh"]


class Text(str):
    """A message in both languages: the str is English, `.zh` is Chinese."""

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, en: str, zh: str | None = None) -> Self:
        self = super().__new__(cls, en)
        self.zh = en if zh is None else zh
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.zh))

    def to(self, language: Language) -> str:
        return self.zh if language == "zh" else str(self)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something stands: `file:line:column`, `notice.docx › table 2 › row 3`, `附件3.xlsx › 工厂!C7`.

    `line` and `column` count from 1; `path` holds the steps inside an office file.
    """

    file: str = ""
    line: int | None = None
    column: int | None = None
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self._join(self.path)

    def to_text(self, language: Language = "en") -> str:
        """The place as a reader of that language takes it: `通知.docx › 正文 › 表2 › 第3行`. Names stay as they are."""
        if language == "zh" and self.path and self.file.lower().endswith(".docx"):
            return self._join(tuple(_to_chinese_step(step) for step in self.path))
        return str(self)

    def _join(self, path: tuple[str, ...]) -> str:
        head = ":".join([self.file, *(str(n) for n in (self.line, self.column) if n is not None)])
        return " › ".join(filter(None, (head, *path)))


_STEPS = {
    "document": "正文", "header": "页眉", "footer": "页脚", "footnotes": "脚注", "endnotes": "尾注", "comments": "批注",
    "hyperlink": "超链接", "paragraph": "第{}段", "table": "表{}", "row": "第{}行", "cell": "第{}格", "line": "第{}行",
}  # fmt: skip


def _to_chinese_step(step: str) -> str:
    """Return a step inside a Word file in Chinese: paragraph 3 → 第3段; what is no word of ours stays."""
    word = step.rstrip("0123456789")
    told = _STEPS.get(word.rstrip())
    if told is None:
        return step
    number = step[len(word) :]
    return told.format(number) if "{}" in told else told + number


# Names of files and texts of data are anybody's: what would drive a terminal or turn the reading order is shown, not sent.
_VISIBLE = {n: f"\\x{n:02x}" for n in (*range(9), *range(11, 32), *range(127, 160))} | {
    n: f"\\u{n:04x}" for n in (0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault: a code that never changes meaning, how grave, where, what is so, what to do.

    `also` names the other places that belong to it (the first of two duplicates, the figure that disagrees).
    """

    code: str
    severity: Severity
    place: Place
    fact: str
    hint: str = ""
    also: tuple[Place, ...] = ()

    def to_text(self, language: Language = "en") -> str:
        """The issue on one line, its hint and other places on indented lines after it."""
        fact, hint = (t.to(language) if isinstance(t, Text) else t for t in (self.fact, self.hint))
        grave = {"error": ("error", "错误"), "warning": ("warning", "警告"), "note": ("note", "提示")}[self.severity]
        place, *also = (place.to_text(language).replace("\n", "\\n") for place in (self.place, *self.also))
        where = f"{place}: " if place else ""
        lines = [f"{where}{grave[language == 'zh']} {self.code} {fact}"]
        lines += [f"  {'另见' if language == 'zh' else 'also'}: {other}" for other in also]
        if hint:
            lines.append(f"  {'提示' if language == 'zh' else 'hint'}: {hint}")
        return "\n".join(lines).translate(_VISIBLE)

    def to_dict(self, language: Language = "en") -> dict[str, Any]:
        """The issue as plain JSON values."""
        fact, hint = (t.to(language) if isinstance(t, Text) else str(t) for t in (self.fact, self.hint))
        return {
            "code": self.code,
            "severity": self.severity,
            "place": str(self.place),
            "file": self.place.file,
            "line": self.place.line,
            "column": self.place.column,
            "path": list(self.place.path),
            "fact": fact,
            "hint": hint,
            "also": [str(place) for place in self.also],
        }

    def __str__(self) -> str:
        return self.to_text()


class GfdocsError(Exception):
    """The root of all errors that leave gfdocs; `.issues` holds every fault that was found, in order of place."""

    def __init__(self, issues: Iterable[Issue] | Issue) -> None:
        self.issues: tuple[Issue, ...] = (issues,) if isinstance(issues, Issue) else tuple(issues)
        super().__init__(self.issues)

    def __str__(self) -> str:
        return "\n".join(str(issue) for issue in self.issues)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.issues,))


class DataError(GfdocsError):
    """The user's data has faults; nothing was written."""


class TemplateError(GfdocsError):
    """A template cannot be compiled, or cannot be rendered with this data."""


class TagError(TemplateError):
    """A tag does not parse, is not closed, or stands where it cannot."""


class NameMissing(TemplateError):
    """A template asks for a name that the data does not have."""


class BudgetExceeded(TemplateError):
    """A template asks for more iterations, characters or digits than it may."""


class PackageError(GfdocsError):
    """A file is not a whole, safe office package."""


class ReadBackError(GfdocsError):
    """A returned form cannot be read."""


class NotFound(GfdocsError):
    """No document, district or company answers to that name."""


class OutputError(GfdocsError):
    """A file or folder cannot be written."""


class OutputExists(OutputError):
    """The file or folder is there already, and nobody said to replace it."""


class ConvertError(GfdocsError):
    """A document cannot be converted: a program or font is missing, or it failed."""


def describe_os_fault(fault: Exception) -> Text:
    """Return why the system refuses: in English in its own words, in Chinese in ours where we have them."""
    import errno

    reason = getattr(fault, "strerror", None) or str(fault) or type(fault).__name__
    known = {
        errno.ENOENT: "文件或文件夹不存在",
        errno.EACCES: "没有权限，或文件正被其他程序打开",
        errno.EPERM: "没有权限",
        errno.EISDIR: "这是文件夹，不是文件",
        errno.ENOTDIR: "路径中有一段是文件，不是文件夹",
        errno.EEXIST: "文件已存在",
        errno.ENOSPC: "磁盘空间已满",
        errno.EDQUOT: "磁盘配额已用完",
        errno.EFBIG: "文件超过允许的大小",
        errno.EROFS: "磁盘为只读",
        errno.ENAMETOOLONG: "名称或路径过长",
        errno.ELOOP: "链接循环",
        errno.EMFILE: "打开的文件过多",
        errno.EBUSY: "文件正被使用",
        errno.EIO: "磁盘读写出错",
    }
    return Text(reason, known.get(getattr(fault, "errno", None) or 0, reason))


def errors_of(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return those issues that are errors, in their order."""
    return tuple(issue for issue in issues if issue.severity == "error")


def did_you_mean(word: str, known: Iterable[str], means: Mapping[str, object] | None = None) -> Text:
    """Return the hint `did you mean "…"?` with the nearest known word, or an empty Text where none is near.

    means: what to write for a word that is only another name.
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    if not near:
        return Text("")
    told = means[near[0]] if means else near[0]
    return Text(f'did you mean "{told}"?', f"是否应为“{told}”？")
