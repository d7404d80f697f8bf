"""What the command line shows: issues, progress, the closing table. Results go to stdout, messages to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfdocs.cli import words
from gfdocs.cli.words import say
from gfdocs.errors import Issue

if TYPE_CHECKING:
    from gfdocs.batch import Manifest


class MessageFormat(StrEnum):
    text = "text"
    json = "json"


def show_issues(issues: Iterable[Issue], form: MessageFormat = MessageFormat.text) -> None:
    """Write the issues to stderr, as text with a closing count, or as one JSON object."""
    found = list(issues)
    if form is MessageFormat.json:
        print(
            json.dumps({"issues": [issue.to_dict(words.LANGUAGE) for issue in found]}, ensure_ascii=False),
            file=sys.stderr,
        )
        return
    for issue, others in _group_by_cause(found):
        print(issue.to_text(words.LANGUAGE), file=sys.stderr)
        if others:
            print(_name_others(others), file=sys.stderr)
    if found:
        print(_summary(found), file=sys.stderr)


NOT_MADE, THERE_ALREADY = "GF512", "GF508"
SHOWN = 3


def _group_by_cause(issues: Sequence[Issue]) -> list[tuple[Issue, list[Issue]]]:
    """Return each issue with those that say the same of other files: one fault of a template fails every file made of it."""
    groups: dict[object, tuple[Issue, list[Issue]]] = {}
    for number, issue in enumerate(issues):
        key: object = number
        if issue.code == NOT_MADE and issue.also:
            key = (issue.also, issue.hint)
        elif issue.code == THERE_ALREADY:
            key = (issue.fact, issue.hint)
        if key in groups:
            groups[key][1].append(issue)
        else:
            groups[key] = (issue, [])
    return list(groups.values())


def _name_others(issues: Sequence[Issue]) -> str:
    """Return a line with the first of the other files that have the same fault."""
    paths, more = [str(issue.place) for issue in issues[:SHOWN]], len(issues) > SHOWN
    return say(
        f"  the same for {len(issues)} more: {', '.join(paths)}{', …' if more else ''}",
        f"  另有 {len(issues)} 个文件情况相同：{'、'.join(paths)}{'……' if more else ''}",
    )


def _summary(issues: Sequence[Issue]) -> str:
    """Return how many there are of each severity, those that there are: `1 error, 19 warnings`."""
    words = {"error": ("error", "个错误"), "warning": ("warning", "个警告"), "note": ("note", "个提示")}
    numbers = {severity: sum(issue.severity == severity for issue in issues) for severity in words}
    told = [(n, *words[severity]) for severity, n in numbers.items() if n]
    return say(
        ", ".join(f"{n} {en}{'s' if n > 1 else ''}" for n, en, _zh in told),
        "，".join(f"{n} {zh}" for n, _en, zh in told),
    )


class progress:  # noqa: N801 - reads as a function
    """Reports progress on stderr: a bar on a terminal, JSON lines where asked for, else nothing."""

    def __init__(self, log_format: str) -> None:
        self.log_format = log_format
        self.bar: Any = None

    def __enter__(self) -> Callable[..., None] | None:
        if self.log_format == "json":
            return self._log
        if not sys.stderr.isatty():
            return None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"), TimeRemainingColumn())  # fmt: skip
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        self.task = self.bar.add_task(say("documents", "文件"), total=None, rate="")
        return self._advance

    def _advance(self, done: int, total: int, _job: object = None) -> None:
        speed = self.bar.tasks[0].speed
        self.bar.update(self.task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")

    def _log(self, done: int, total: int, job: Any = None) -> None:
        path = getattr(job, "path", None)
        print(json.dumps({"done": done, "total": total, "path": path}, ensure_ascii=False), file=sys.stderr)

    def __exit__(self, *_exc: object) -> None:
        if self.bar is not None:
            self.bar.stop()


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def pad(text: str, width: int) -> str:
    """Return the text with blanks up to that many columns of a terminal."""
    return text + " " * (width - _width(text))


def show_manifest(manifest: Manifest, output: Path, dry_run: bool) -> None:
    """Show the closing table: each package with its files and what could not be made."""
    from collections import Counter

    if dry_run:
        for job in manifest.jobs:
            print(job.path)
    failed = Counter(failure.job.package for failure in manifest.failed)
    rows = [(say("package", "材料包"), say("files", "文件"), say("issues", "问题"))]
    rows += [(package.path, str(package.files), str(failed[package.name] or "")) for package in manifest.packages]
    widths = [max(_width(row[column]) for row in rows) for column in range(3)]
    for name, files, issues in rows:
        first, second, third = (
            " " * (width - _width(text)) for width, text in zip(widths, (name, files, issues), strict=True)
        )
        print(f"{name}{first}  {second}{files}  {third}{issues}".rstrip())
    total = sum(package.files for package in manifest.packages)
    print(
        say(
            f"{total} files {'planned for' if dry_run else 'in'} {output}",
            f"共 {total} 个文件{'（计划）' if dry_run else ''}：{output}",
        )
    )
