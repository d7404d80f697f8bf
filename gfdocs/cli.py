"""The command line: parse, call one function of the library, show what it says. No logic of its own.

Exit codes: 0 clean, 1 issues in the user's files, 2 wrong usage, 3 a bug of ours. Results go to stdout, messages to stderr.
"""

from __future__ import annotations

import json
import locale
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gfdocs.errors import GfdocsError, Issue, Language, OutputExists, Place, Text, errors_of

if TYPE_CHECKING:
    from datetime import date

    from gfdocs.batch import Manifest
    from gfdocs.programme.catalogue import DocumentSpec
    from gfdocs.programme.project import Project, Target


def find_language(environment: Mapping[str, str] = os.environ, system: str | None = None) -> Language:
    """Return zh where GFDOCS_LANG or the locale is Chinese, else en; Windows has its locale in no variable (`system`)."""
    values = [environment.get(name, "") for name in ("GFDOCS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    spoken = next(filter(None, values), None) or (system if system is not None else locale.getlocale()[0]) or ""
    return "zh" if spoken.lower().startswith(("zh", "chinese")) else "en"


LANGUAGE: Language = find_language()


def _(en: str, zh: str) -> str:
    return zh if LANGUAGE == "zh" else en


def _example(*lines: str) -> str:
    # click folds an epilog into one paragraph; \b keeps its lines
    return "\b\n" + _("Example:", "示例：") + "\n" + "\n".join(f"  {line}" for line in lines)


class MessageFormat(StrEnum):
    text = "text"
    json = "json"


class Schema(StrEnum):
    project = "project"
    companies = "companies"


FORMATS = ("docx", "xlsx", "svg", "pdf", "png")


app = typer.Typer(
    name="gfdocs",
    help=_(
        "Documents from data: the papers of a green-factory round, and any docx, xlsx or svg template.",
        "由数据生成文件：绿色工厂批次的通知、附表、总结与标牌，以及任意 docx、xlsx、svg 模板。",
    ),
    epilog=_example("gfdocs new suzhou", "gfdocs check suzhou", "gfdocs batch suzhou -o out"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

ProjectFolder = Annotated[
    Path, typer.Argument(metavar="PROJECT", help=_("folder with gfdocs.yaml", "含 gfdocs.yaml 的文件夹"))
]
Messages = Annotated[
    MessageFormat, typer.Option("--format", help=_("form of the messages on stderr", "stderr 上消息的格式"))
]
Force = Annotated[bool, typer.Option("--force", "-f", help=_("replace what is there", "覆盖已有文件"))]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", metavar="NAME", help=_("only this district (repeatable)", "仅此县级市（区），可重复")),
]


def show_issues(issues: Iterable[Issue], form: MessageFormat = MessageFormat.text) -> None:
    """Write the issues to stderr, as text with a closing count, or as one JSON object."""
    found = list(issues)
    if form is MessageFormat.json:
        print(json.dumps({"issues": [issue.to_dict(LANGUAGE) for issue in found]}, ensure_ascii=False), file=sys.stderr)
        return
    for issue in found:
        print(issue.to_text(LANGUAGE), file=sys.stderr)
    if found:
        print(_summary(found), file=sys.stderr)


def _summary(issues: Sequence[Issue]) -> str:
    """Return how many there are of each severity, those that there are: `1 error, 19 warnings`."""
    words = {"error": ("error", "个错误"), "warning": ("warning", "个警告"), "note": ("note", "个提示")}
    numbers = {severity: sum(issue.severity == severity for issue in issues) for severity in words}
    told = [(n, *words[severity]) for severity, n in numbers.items() if n]
    return _(
        ", ".join(f"{n} {en}{'s' if n > 1 else ''}" for n, en, _zh in told),
        "，".join(f"{n} {zh}" for n, _en, zh in told),
    )


def _fail_on(issues: Iterable[Issue]) -> None:
    if errors_of(issues):
        raise typer.Exit(1)


def _refuse_existing(path: Path, force: bool) -> None:
    if not force and (path.exists() or path.is_symlink()):
        fact = Text("it is there already", "文件已存在")
        raise OutputExists(Issue("GF508", "error", Place(str(path)), fact, Text("add --force to replace it", "如需覆盖请加 --force")))  # fmt: skip


# the class of all wrong usage; Typer brings its own click or takes an installed one, so only its public subclass is named
_UsageError: Any = typer.BadParameter.__bases__[0]


def _version(value: bool) -> None:
    if value:
        from gfdocs import __version__

        print(f"gfdocs {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=_("show the version", "显示版本"))
    ] = False,
) -> None:
    pass


@app.command(
    help=_("Make a starter folder that `batch` runs on at once.", "新建可直接运行 batch 的起步文件夹。"),
    epilog=_example("gfdocs new suzhou && gfdocs batch suzhou -o out"),
)
def new(folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("folder to make", "要新建的文件夹"))]) -> None:
    from gfdocs.programme.starter import write_starter

    for path in write_starter(folder):
        print(path)


@app.command(
    short_help=_("Report all issues of a project; write nothing.", "检查数据、模板与一致性，不写任何文件。"),
    help=_(
        "Report all issues of data, templates and consistency; write nothing.", "检查数据、模板与一致性，不写任何文件。"
    ),
    epilog=_example("gfdocs check examples/suzhou-2023"),
)
def check(project: ProjectFolder, form: Messages = MessageFormat.text) -> None:
    from gfdocs.programme.project import check_folder

    found, issues = check_folder(project)
    show_issues(issues, form)
    _fail_on(issues)
    if found is not None and form is MessageFormat.text:
        counts = found.context_of_round.base["counts"]
        print(
            _(
                f"ready: {counts['listed']} listed units, {counts['districts']} districts, {len(found.documents)} kinds of document",
                f"可以制作：名单 {counts['listed']} 家，县级市（区）{counts['districts']} 个，文件 {len(found.documents)} 种",
            )
        )


@app.command(
    short_help=_("Render one document for one or for all.", "生成一种文件。"),
    help=_("Render one document; the format is the suffix of -o, or --to where -o is a folder.", "生成一种文件；格式由 -o 的扩展名决定，-o 为文件夹时由 --to 决定。"),
    epilog=_example(
        "gfdocs render list examples/suzhou-2023 -o 附件2.xlsx --district 昆山市",
        "gfdocs render plaque examples/demo-district -o plaques --all --to pdf",
    ),
)  # fmt: skip
def render(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help=_("id of the document (gfdocs templates)", "文件编号（见 gfdocs templates）"))],
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE|DIR", help=_("file or folder to write", "输出文件或文件夹"))],
    district: Annotated[str | None, typer.Option(metavar="NAME", help=_("name, short name or code", "名称、简称或区划代码"))] = None,
    company: Annotated[str | None, typer.Option(metavar="NAME", help=_("credit code or name", "信用代码或名称"))] = None,
    all_: Annotated[bool, typer.Option("--all", help=_("for everyone it is made for", "为全部对象制作"))] = False,
    to: Annotated[str | None, typer.Option(metavar="FORMAT", help=" | ".join(FORMATS))] = None,
    outline: Annotated[bool, typer.Option("--outline", help=_("svg: text as paths, for the engraver", "svg：文字转曲线，供雕刻"))] = False,
    missing: Annotated[str, typer.Option(metavar="error|mark|blank", help=_("what a name without data does", "数据中没有的名称如何处理"))] = "error",
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.programme.project import load

    if missing not in ("error", "mark", "blank"):
        raise typer.BadParameter(
            _("expected error, mark or blank", "应为 error、mark 或 blank"), param_hint="--missing"
        )
    if all_ and (district or company):
        raise typer.BadParameter(_("--all stands alone", "--all 不能与 --district、--company 同用"), param_hint="--all")
    found = load(project)
    spec = found.get_document(document)
    targets: Sequence[Target] = found.targets(document) if all_ else [found.get_target(document, district, company)]
    suffix = output.suffix[1:].lower()
    is_folder = output.is_dir() or not suffix or (all_ and suffix not in FORMATS)
    if all_ and not is_folder:
        raise typer.BadParameter(_("--all needs a folder", "--all 需要文件夹"), param_hint="-o")
    wanted = (to or spec.kinds[0]) if is_folder else suffix
    if to and to != wanted:
        raise typer.BadParameter(
            _(f"-o says {wanted}, --to says {to}", f"-o 为 {wanted}，--to 为 {to}"), param_hint="--to"
        )
    kind = _source_kind(spec, wanted)
    names = _file_names(found, spec, kind, wanted, targets) if is_folder else [output.name]
    folder = output if is_folder else output.parent
    for name in names:
        _refuse_existing(folder / name, force)
    show_issues(found.issues, form)
    for target, name in zip(targets, names, strict=True):
        data = found.render_target(spec, target, kind=kind, missing=missing).to_bytes()  # type: ignore[arg-type]
        _write(folder / name, _converted(data, kind, wanted, outline, name))
        print(folder / name)


def _source_kind(spec: DocumentSpec, wanted: str) -> str:
    """Return the kind to render: the one wanted, or the default one where it is to be converted."""
    if wanted in spec.kinds:
        return wanted
    if wanted in ("pdf", "png"):
        return spec.kinds[0]
    choices = ", ".join((*spec.kinds, "pdf", "png"))
    raise typer.BadParameter(
        _(f"{spec.id} comes as {choices}, not {wanted}", f"{spec.id} 可为 {choices}，不可为 {wanted}"),
        param_hint="-o/--to",
    )


def _file_names(project: Project, spec: DocumentSpec, kind: str, wanted: str, targets: Iterable[Target]) -> list[str]:
    from gfdocs.batch.names import unique_names

    stems = [project.file_name(spec.id, kind, target).removesuffix(f".{kind}") for target in targets]
    return unique_names([(stem, "", f".{wanted}") for stem in stems])[0]


def _converted(data: bytes, kind: str, wanted: str, outline: bool, name: str) -> bytes:
    from gfdocs.convert import outline as outline_svg
    from gfdocs.convert import to_pdf, to_png

    if wanted == kind:
        return outline_svg(data, name=name) if outline and kind == "svg" else data
    return to_pdf(data, kind, name=name) if wanted == "pdf" else to_png(data, kind, name=name)


def _write(path: Path, data: bytes) -> None:
    from gfdocs.engine.template import write_file

    write_file(path, data, parents=True)


@app.command(
    short_help=_("Make the packages of all districts.", "制作全部县级市（区）材料包和全市文件。"),
    help=_(
        "Make the packages of all districts and the round's own documents.", "制作全部县级市（区）材料包和全市文件。"
    ),
    epilog=_example("gfdocs batch examples/suzhou-2023 -o out", "gfdocs batch suzhou -o out --district 昆山市 --zip"),
)
def batch(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help=_("folder of the packages", "输出文件夹"))],
    only: Annotated[list[str] | None, typer.Option(metavar="DOCUMENT", help=_("only this document (repeatable)", "仅此文件，可重复"))] = None,
    district: Districts = None,
    zip_: Annotated[bool, typer.Option("--zip", help=_("one .zip per district instead of a folder", "每个县级市（区）一个 .zip"))] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help=_("also a PDF of each file, in DIR-pdf", "另存每个文件的 PDF，放入 DIR-pdf"))] = False,
    jobs: Annotated[int, typer.Option("-j", "--jobs", metavar="N", min=1, help=_("worker processes", "并行进程数"))] = 1,
    executor: Annotated[str | None, typer.Option(metavar="URL", help=_("machines to work on: dask://HOST:PORT", "用于计算的机器：dask://HOST:PORT"))] = None,
    strict: Annotated[bool, typer.Option("--strict", help=_("stop at the first document that fails", "任一文件失败即停止"))] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help=_("replace files that were changed since", "覆盖此后被改动的文件"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("show the plan, write nothing", "只显示计划，不写文件"))] = False,
    log_format: Annotated[str, typer.Option(metavar="text|json", help=_("progress as a bar or as JSON lines", "进度显示：进度条或 JSON 行"))] = "text",
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    import time

    from gfdocs.batch import batch as run_batch
    from gfdocs.programme.project import load

    found = load(project)
    folder = _pdf_folder(output, force) if pdf and not dry_run else None
    with _progress(log_format) as report:
        manifest = run_batch(
            found, output, only=only or None, districts=district or None, zip=zip_, workers=jobs, executor=executor,
            strict=strict, replace=force, dry_run=dry_run, progress=report, clock=time.perf_counter, date=_source_date(),
        )  # fmt: skip
    show_issues(manifest.issues, form)
    if log_format == "json":
        print(json.dumps({"report": manifest.report.to_dict()}, ensure_ascii=False), file=sys.stderr)
    _show_manifest(manifest, output, dry_run)
    if folder is not None:
        _make_pdfs(manifest, output, folder)
    _fail_on(manifest.issues)


def _pdf_folder(output: Path, force: bool) -> Path:
    """Return the folder of the PDFs, beside the packages, before anything is made: it is free and LibreOffice is there."""
    from gfdocs.convert import get_soffice

    folder = output.with_name(f"{output.name}-pdf")
    _refuse_existing(folder, force)
    get_soffice()
    return folder


def _make_pdfs(manifest: Manifest, output: Path, folder: Path) -> None:
    """Put a PDF of every file into the folder, in the same order of folders; those of an earlier batch are removed."""
    from gfdocs.convert import convert_all, read_package_files

    for old in folder.rglob("*.pdf"):
        old.unlink()
    paths = [file.path for file in manifest.files]
    made = convert_all(read_package_files(output, paths, zipped=manifest.zip), "pdf", folder)
    print(_(f"{len(made)} PDF files in {folder}", f"PDF 共 {len(made)} 个：{folder}"))


def _source_date() -> date | None:
    """Return the day of SOURCE_DATE_EPOCH for the entries of archives, or None for the fixed one."""
    from datetime import UTC

    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(value), UTC).date() if value.isdigit() else None


class _progress:  # noqa: N801 - reads as a function
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
        self.task = self.bar.add_task(_("documents", "文件"), total=None, rate="")
        return self._advance

    def _advance(self, done: int, total: int, _job: object = None) -> None:
        speed = self.bar.tasks[0].speed
        self.bar.update(self.task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")

    def _log(self, done: int, total: int, job: object = None) -> None:
        print(json.dumps({"done": done, "total": total, "job": str(job)}, ensure_ascii=False), file=sys.stderr)

    def __exit__(self, *_exc: object) -> None:
        if self.bar is not None:
            self.bar.stop()


def _width(text: str) -> int:
    """Return how many columns of a terminal a text takes: a Chinese character takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def _show_manifest(manifest: Manifest, output: Path, dry_run: bool) -> None:
    """Show the closing table: each package with its files and what could not be made."""
    from collections import Counter

    if dry_run:
        for job in manifest.jobs:
            print(job.path)
    failed = Counter(failure.job.package for failure in manifest.failed)
    rows = [(_("package", "材料包"), _("files", "文件"), _("issues", "问题"))]
    rows += [(package.path, str(package.files), str(failed[package.name] or "")) for package in manifest.packages]
    widths = [max(_width(row[column]) for row in rows) for column in range(3)]
    for name, files, issues in rows:
        first, second, third = (
            " " * (width - _width(text)) for width, text in zip(widths, (name, files, issues), strict=True)
        )
        print(f"{name}{first}  {second}{files}  {third}{issues}".rstrip())
    total = sum(package.files for package in manifest.packages)
    print(
        _(
            f"{total} files {'planned for' if dry_run else 'in'} {output}",
            f"共 {total} 个文件{'（计划）' if dry_run else ''}：{output}",
        )
    )


@app.command(
    short_help=_("Check that packages are as they were made.", "核对材料包有无改动。"),
    help=_(
        "Check that packages are as they were made: nothing changed, missing or extra.",
        "核对材料包：有无改动、缺失或多余文件。",
    ),
    epilog=_example("gfdocs verify out"),
)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=_("folder of the packages", "材料包所在文件夹"))],
    form: Messages = MessageFormat.text,
) -> None:
    from gfdocs.batch import verify as run_verify

    issues = run_verify(folder)
    show_issues(issues, form)
    _fail_on(issues)
    if form is MessageFormat.text:
        print(_("all files are as they were made", "全部文件与制作时一致"))


@app.command(
    short_help=_("Say in words what changed between two batches.", "用文字说明两次制作之间的变化。"),
    help=_("Say in words what changed between two batches: companies in, out, renamed; figures.", "用文字说明两次制作之间的变化：新增、移出、更名的单位和数字。"),
    epilog=_example("gfdocs diff out-draft out"),
)  # fmt: skip
def diff(
    before: Annotated[Path, typer.Argument(metavar="OUT1", help=_("the earlier batch", "较早的一次"))],
    after: Annotated[Path, typer.Argument(metavar="OUT2", help=_("the later batch", "较晚的一次"))],
) -> None:
    from gfdocs.batch import diff as run_diff

    print(run_diff(before, after).to_text(LANGUAGE) or _("nothing changed", "没有变化"))


@app.command(
    short_help=_("Merge returned annexes; say what is wrong and who is late.", "合并交回的附表，列出问题和未交、逾期的。"),
    help=_("Merge returned annexes into one table: data, issues with their cell, who is late.", "合并各地交回的附表：数据、问题（到单元格）、谁未交、谁逾期。"),
    epilog=_example("gfdocs collect returns suzhou -o 汇总.xlsx"),
)  # fmt: skip
def collect(
    returns: Annotated[Path, typer.Argument(metavar="RETURNS", help=_("folder of returned workbooks", "交回的表格所在文件夹"))],
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help=".xlsx | .yaml | .json")],
    today: Annotated[datetime | None, typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], show_default=False, help=_("the day that decides who is late (default: today)", "以此日判断是否逾期（默认今天）"))] = None,
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.collect import FORMATS as MERGED_FORMATS
    from gfdocs.collect import collect as run_collect
    from gfdocs.programme.project import load

    if output.suffix[1:].lower() not in MERGED_FORMATS:
        raise typer.BadParameter(_("expected .xlsx, .yaml or .json", "应为 .xlsx、.yaml 或 .json"), param_hint="-o")
    _refuse_existing(output, force)
    collected = run_collect(returns, load(project), today=(today or datetime.now()).date())
    _write(output, collected.to_bytes(output.suffix[1:].lower()))
    show_issues(collected.issues, form)
    for line in collected.status_lines(LANGUAGE):
        print(line)
    print(output)
    _fail_on(collected.issues)


@app.command(
    help=_("Check a template, or any .docx against GB/T 9704.", "检查模板，或按 GB/T 9704 检查任意 .docx。"),
    epilog=_example("gfdocs lint notice.docx", "gfdocs lint my.docx --document notice --project suzhou"),
)
def lint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=_("a template, or a .docx", "模板，或 .docx 文件"))],
    document: Annotated[str | None, typer.Option(metavar="DOCUMENT", help=_("hold its names against this document's data", "与该文件的数据核对名称"))] = None,
    project: Annotated[Path | None, typer.Option(metavar="PROJECT", help=_("project whose data to use", "所用项目"))] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help=_("YAML with the template's data", "模板数据（YAML）"))] = None,
    gongwen: Annotated[bool | None, typer.Option("--gongwen/--no-gongwen", help=_("check against GB/T 9704 (default: a .docx without tags)", "按 GB/T 9704 检查（默认：无标签的 .docx）"))] = None,
    annotate: Annotated[Path | None, typer.Option(metavar="FILE", help=_("write a copy with comments at the faults", "另存带批注的副本"))] = None,
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.lint import lint_file

    if annotate is not None:
        _refuse_existing(annotate, force)
    report = lint_file(
        file, document=document, project=project, data=data, gongwen=gongwen, annotate=annotate is not None
    )
    show_issues(report.issues, form)
    if annotate is not None and report.annotated is not None:
        _write(annotate, report.annotated)
        print(annotate)
    _fail_on(report.issues)
    if form is MessageFormat.text and not report.issues:
        print(_("no issues", "未发现问题"))


@app.command(
    short_help=_("List the documents, show or copy a template.", "列出文件种类，显示或复制模板。"),
    help=_("List the documents, show what one needs, copy its template for editing.", "列出文件种类，显示所需数据，或复制模板以便修改。"),
    epilog=_example("gfdocs templates", "gfdocs templates notice --copy suzhou/templates"),
)  # fmt: skip
def templates(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=_("id of a document", "文件编号"))] = None,
    copy: Annotated[Path | None, typer.Option(metavar="DIR", help=_("copy the template here", "复制到此文件夹"))] = None,
    project: Annotated[Path | None, typer.Option(metavar="PROJECT", help=_("with this project's own catalogue", "包含该项目自己的目录"))] = None,
    force: Force = False,
) -> None:  # fmt: skip
    from gfdocs.programme.catalogue import copy_templates, get_spec, read_catalogue

    specs = read_catalogue(project)
    chosen = [get_spec(specs, name)] if name else list(specs)
    if copy is not None:
        for source, target in copy_templates(chosen, copy):
            _refuse_existing(target, force)
            _write(target, source.read_bytes())
            print(target)
        return
    if name:
        _show_spec(chosen[0])
        return
    for spec in chosen:
        mark = _(" (example form)", "（示意）") if spec.example and "示意" not in spec.note else ""
        print(f"{spec.id:20} {'/'.join(spec.kinds):10} {'/'.join(spec.scopes):16} {spec.note}{mark}")


def _show_spec(spec: DocumentSpec) -> None:
    from gfdocs.engine.template import open_template

    print(f"{spec.id}: {spec.title}")
    for kind, path in spec.templates.items():
        print(f"  {kind}: {path}")
        for name in open_template(path).names:
            print(f"    {name}")


@app.command(
    help=_("Print the JSON Schema of the project files, for the editor.", "输出项目文件的 JSON Schema，供编辑器使用。"),
    epilog=_example("gfdocs schema > gfdocs.schema.json"),
)
def schema(
    which: Annotated[Schema, typer.Argument(metavar="WHICH", help=_("which file", "哪一种文件"))] = Schema.project,
) -> None:
    from gfdocs.data.schema import json_schema

    print(json.dumps(json_schema(which.value), ensure_ascii=False, indent=2))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 clean, 1 issues, 2 usage, 3 our bug."""
    form = _message_format(sys.argv[1:] if arguments is None else arguments)
    try:
        result = app(args=list(arguments) if arguments is not None else None, standalone_mode=False)
        return int(result or 0)
    except typer.Exit as leaving:
        return leaving.exit_code
    except _UsageError as error:
        error.show()
        return 2
    except (typer.Abort, KeyboardInterrupt):
        print(_("stopped", "已中止"), file=sys.stderr)
        return 130
    except GfdocsError as error:
        show_issues(error.issues, form)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception:  # the one place where a fault of ours ends
        import traceback

        traceback.print_exc()
        print(_("this is a fault of gfdocs, please report it with the lines above", "这是 gfdocs 的缺陷，请附上以上内容反馈"), file=sys.stderr)  # fmt: skip
        return 3


def _message_format(arguments: Sequence[str]) -> MessageFormat:
    words = " ".join(arguments)
    return MessageFormat.json if "--format json" in words or "--format=json" in words else MessageFormat.text


if __name__ == "__main__":
    main()
