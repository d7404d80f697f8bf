"""Checks of one file: a template held against the data it is meant for, or any .docx against GB/T 9704."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfdocs.errors import GfdocsError, Issue, Place, TemplateError, Text
from gfdocs.raw import Raw, RawList, RawMap

if TYPE_CHECKING:
    from gfdocs.engine.template import Template


@dataclass(frozen=True, slots=True)
class LintReport:
    """Every issue of the file, and the annotated copy where one was asked for and the kind can carry comments."""

    issues: tuple[Issue, ...]
    annotated: bytes | None = None


def lint_file(
    file: str | Path, *, document: str | None = None, project: str | Path | None = None, data: str | Path | None = None,
    gongwen: bool | None = None, annotate: bool = False,
) -> LintReport:  # fmt: skip
    """Return all issues of a template or of a finished .docx; nothing is changed.

    `document` holds the template's names against what that document of `project` (or of the built-in starter) sees; without it the document
    of `project` whose template has this file's name; `data` against a YAML file. `gongwen` checks a .docx against GB/T 9704: None does so where it has no tags. `annotate` also returns a copy with comments at the faults.
    """
    from gfdocs.engine.template import open_template

    path = Path(file)
    _refuse_data(path)
    document = document or (_find_document(path, project) if project is not None else None)
    try:
        template = open_template(path)
    except TemplateError as error:
        return LintReport(error.issues, _annotate_source(path, error.issues) if annotate else None)
    if project is not None and document is None and data is None and template.names:
        raise GfdocsError(_no_document_of(path))
    context = _find_context(document, project, data)
    issues = list(template.issues) if context is None else list(template.lint(context, unused=data is not None))
    is_plain = not template.names
    if path.suffix.lower() == ".docx" and (gongwen or (gongwen is None and is_plain)):
        from gfdocs.gongwen.check import check_docx

        issues.extend(check_docx(path))
    return LintReport(tuple(issues), _annotate(template, issues) if annotate else None)


_DATA = (".yaml", ".yml", ".csv")


def _refuse_data(path: Path) -> None:
    """Raise where the file is a project or its data: those are checked as a whole, by another command."""
    is_folder = path.is_dir()
    if is_folder or path.suffix.lower() in _DATA:
        fact = Text("expected a template or a .docx, found data", "应为模板或 .docx 文件，实为数据")
        if is_folder:
            fact = Text("expected a template or a .docx, found a folder", "应为模板或 .docx 文件，实为文件夹")
        folder = path if is_folder else path.parent
        hint = Text(
            f"data are checked with their project: gfdocs check {folder}", f"检查数据请用：gfdocs check {folder}"
        )
        raise TemplateError(Issue("GF212", "error", Place(str(path)), fact, hint))


def _find_document(path: Path, project: str | Path) -> str | None:
    """Return the document of the project that is made from a template of this file name, None where there is none."""
    from gfdocs.programme.catalogue import read_catalogue

    specs = read_catalogue(Path(project))
    return next((spec.id for spec in specs for own in spec.templates.values() if own.name == path.name), None)


def _no_document_of(path: Path) -> Issue:
    fact = Text(f"no document of the project is made from {path.name}", f"项目中没有由 {path.name} 制作的文件")
    hint = Text("say which document's data it gets: --document ID", "请用 --document 指明与哪一种文件的数据核对")
    return Issue("GF466", "error", Place(path.name), fact, hint)


def _find_context(
    document: str | None, project: str | Path | None, data: str | Path | None
) -> Mapping[str, Any] | None:
    if data is not None:
        return read_data(data)
    if document is None:
        return None
    from gfdocs.programme.catalogue import templates_folder
    from gfdocs.programme.project import load

    found = load(project if project is not None else templates_folder() / "starter")
    spec = found.get_document(document)
    targets = found.targets(document)
    if not targets:
        fact = Text(f'this project makes no "{document}"', f"本项目不制作“{document}”")
        raise GfdocsError(
            Issue(
                "GF466", "error", spec.place, fact, Text("choose another document or project", "请换一种文件或一个项目")
            )
        )
    return found.context_of(spec, targets[0])


def read_data(path: str | Path) -> Mapping[str, Any]:
    """Return a YAML file as plain dicts, lists and texts; DataError with every fault."""
    from gfdocs.data.source import read_source

    plain = to_plain(read_source(path))
    return plain if isinstance(plain, dict) else {"data": plain}


def to_plain(raw: Raw) -> Any:
    """Return raw data without its places; an empty value is None."""
    if isinstance(raw, RawMap):
        return {key: to_plain(value) for key, value in raw.entries.items()}
    if isinstance(raw, RawList):
        return [to_plain(item) for item in raw]
    return None if raw.is_null else raw.text


def _annotate(template: Template, issues: list[Issue]) -> bytes:
    """Return a copy of the file with comments at the faults; a kind without comments is an error of its own."""
    if template.kind != "docx":
        fact = Text(f"a {template.kind} cannot carry comments", f"{template.kind} 不支持批注")
        hint = Text(
            "leave --annotate out: the issues are told with their places", "请去掉 --annotate，问题及位置会直接列出"
        )
        raise GfdocsError(Issue("GF467", "error", Place(template.name), fact, hint))
    from gfdocs.engine.docx.comments import annotate

    return bytes(annotate(template.source, issues, name=template.name))


def _annotate_source(path: Path, issues: tuple[Issue, ...]) -> bytes | None:
    """A template that does not compile is annotated from its bytes."""
    if path.suffix.lower() != ".docx":
        return None
    from gfdocs.engine.docx.comments import annotate

    return bytes(annotate(path.read_bytes(), issues))
