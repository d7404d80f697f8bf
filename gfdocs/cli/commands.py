"""The commands: parse, call one function of the library, show what it says. No logic of their own."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from gfdocs.cli import words
from gfdocs.cli.show import MessageFormat, pad, progress, show_issues, show_manifest
from gfdocs.cli.words import example, in_own_language, say
from gfdocs.errors import Issue, OutputExists, Place, Text, errors_of

if TYPE_CHECKING:
    from datetime import date

    from gfdocs.batch import Manifest
    from gfdocs.programme.catalogue import DocumentSpec
    from gfdocs.programme.project import Project, Target


class Schema(StrEnum):
    project = "project"
    companies = "companies"


SCOPES = {"round": ("round", "全市"), "district": ("district", "县级市（区）"), "company": ("company", "单位")}
FORMATS = ("docx", "xlsx", "svg", "pdf", "png")


class Command(TyperCommand):
    """A command whose help page is in one language."""

    def get_help(self, ctx: Any) -> str:
        return in_own_language(super().get_help(ctx))


class Group(TyperGroup):
    """The list of commands, in one language."""

    def get_help(self, ctx: Any) -> str:
        return in_own_language(super().get_help(ctx))


app = typer.Typer(
    cls=Group,
    name="gfdocs",
    help=say(
        "Documents from data: the papers of a green-factory round, and any docx, xlsx or svg template.",
        "由数据生成文件：绿色工厂批次的通知、附表、总结与标牌，以及任意 docx、xlsx、svg 模板。",
    ),
    epilog=example("gfdocs new suzhou", "gfdocs check suzhou", "gfdocs batch suzhou -o out"),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

ProjectFolder = Annotated[
    Path, typer.Argument(metavar="PROJECT", help=say("folder with gfdocs.yaml", "含 gfdocs.yaml 的文件夹"))
]
Messages = Annotated[
    MessageFormat, typer.Option("--format", help=say("form of the messages on stderr", "stderr 上消息的格式"))
]
Force = Annotated[bool, typer.Option("--force", "-f", help=say("replace what is there", "覆盖已有文件"))]
Districts = Annotated[
    list[str] | None,
    typer.Option("--district", metavar="NAME", help=say("only this district (repeatable)", "仅此县级市（区），可重复")),
]


def _fail_on(issues: Iterable[Issue]) -> None:
    if errors_of(issues):
        raise typer.Exit(1)


def _refuse_existing(paths: Iterable[Path], force: bool) -> None:
    """Raise with every file that is there already, before any is written."""
    taken = [path for path in paths if not force and os.path.lexists(path)]
    fact, hint = Text("it is there already", "文件已存在"), Text("add --force to replace it", "如需覆盖请加 --force")
    if taken:
        raise OutputExists(Issue("GF508", "error", Place(str(path)), fact, hint) for path in taken)


def _version(value: bool) -> None:
    if value:
        from gfdocs import __version__

        print(f"gfdocs {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=say("show the version", "显示版本"))
    ] = False,
) -> None:
    pass


@app.command(
    cls=Command,
    help=say("Make a starter folder that `batch` runs on at once.", "新建可直接运行 batch 的起步文件夹。"),
    epilog=example("gfdocs new suzhou && gfdocs batch suzhou -o out"),
)
def new(folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("folder to make", "要新建的文件夹"))]) -> None:
    from gfdocs.programme.starter import write_starter

    for path in write_starter(folder):
        print(path)


@app.command(
    cls=Command,
    short_help=say("Report all issues of a project; write nothing.", "检查数据、模板与一致性，不写任何文件。"),
    help=say(
        "Report all issues of data, templates and consistency; write nothing.", "检查数据、模板与一致性，不写任何文件。"
    ),
    epilog=example("gfdocs check examples/suzhou-2023"),
)
def check(project: ProjectFolder, form: Messages = MessageFormat.text) -> None:
    from gfdocs.programme.project import check_folder

    found, issues = check_folder(project)
    show_issues(issues, form)
    _fail_on(issues)
    if found is not None and form is MessageFormat.text:
        counts = found.context_of_round.base["counts"]
        print(
            say(
                f"ready: {counts['listed']} listed units, {counts['districts']} districts, {len(found.documents)} kinds of document",
                f"可以制作：名单 {counts['listed']} 家，县级市（区）{counts['districts']} 个，文件 {len(found.documents)} 种",
            )
        )


@app.command(
    cls=Command,
    short_help=say("Render one document for one or for all.", "生成一种文件。"),
    help=say("Render one document; the format is the suffix of -o, or --to where -o is a folder.", "生成一种文件；格式由 -o 的扩展名决定，-o 为文件夹时由 --to 决定。"),
    epilog=example(
        "gfdocs render list examples/suzhou-2023 -o 附件2.xlsx --district 昆山市",
        "gfdocs render plaque examples/demo-district -o plaques --all --to pdf --bleed 3",
    ),
)  # fmt: skip
def render(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help=say("id of the document (gfdocs templates)", "文件编号（见 gfdocs templates）"))],
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE|DIR", help=say("file or folder to write; - is stdout", "输出文件或文件夹；- 为标准输出"))],
    district: Annotated[str | None, typer.Option(metavar="NAME", help=say("name, short name or code", "名称、简称或区划代码"))] = None,
    company: Annotated[str | None, typer.Option(metavar="NAME", help=say("credit code or name", "信用代码或名称"))] = None,
    all_: Annotated[bool, typer.Option("--all", help=say("for everyone it is made for", "为全部对象制作"))] = False,
    to: Annotated[str | None, typer.Option(metavar="FORMAT", help=" | ".join(FORMATS))] = None,
    outline: Annotated[bool, typer.Option("--outline", help=say("svg: text as paths, for the engraver", "svg：文字转曲线，供雕刻"))] = False,
    bleed: Annotated[float | None, typer.Option(metavar="MM", min=0, max=100, help=say("plaque as pdf: crop marks, so far beyond the edge", "标牌 pdf：出血宽度（毫米），带裁切线"))] = None,
    leave_out: Annotated[list[str] | None, typer.Option("--leave-out", metavar="LAYER", help=say("plaque as pdf: without this layer (plate: lines and words only)", "标牌 pdf：不画此图层（plate：只留线条与文字）"))] = None,
    missing: Annotated[str, typer.Option(metavar="error|mark|blank", help=say("what a name without data does", "数据中没有的名称如何处理"))] = "error",
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.programme.project import load

    if missing not in ("error", "mark", "blank"):
        raise typer.BadParameter(
            say("expected error, mark or blank", "应为 error、mark 或 blank"), param_hint="--missing"
        )
    if all_ and (district or company):
        raise typer.BadParameter(
            say("--all stands alone", "--all 不能与 --district、--company 同用"), param_hint="--all"
        )
    found = load(project)
    spec = found.get_document(document)
    targets: Sequence[Target] = found.targets(document) if all_ else [found.get_target(document, district, company)]
    suffix = output.suffix[1:].lower()
    to_pipe = str(output) == "-"
    if to_pipe and all_:
        raise typer.BadParameter(say("--all needs a folder", "--all 需要文件夹"), param_hint="-o")
    is_folder = output.is_dir() or not suffix or (all_ and suffix not in FORMATS)
    if all_ and not is_folder:
        raise typer.BadParameter(say("--all needs a folder", "--all 需要文件夹"), param_hint="-o")
    wanted = (to or spec.kinds[0]) if is_folder else suffix
    if to and to != wanted:
        raise typer.BadParameter(
            say(f"-o says {wanted}, --to says {to}", f"-o 为 {wanted}，--to 为 {to}"), param_hint="--to"
        )
    kind = _source_kind(spec, wanted)
    if (bleed is not None or leave_out) and (kind, wanted) != ("svg", "pdf"):
        raise typer.BadParameter(
            say("only for a drawing as pdf", "只用于图形输出为 pdf"), param_hint="--bleed/--leave-out"
        )
    names = _file_names(found, spec, kind, wanted, targets) if is_folder else [output.name]
    folder = output if is_folder else output.parent
    _refuse_existing((folder / name for name in names if not to_pipe), force)
    show_issues(found.issues, form)
    for target, name in zip(targets, names, strict=True):
        data = found.render_target(spec, target, kind=kind, missing=missing).to_bytes()  # type: ignore[arg-type]
        if kind == "svg" and wanted == "pdf":
            data = _drawing_as_pdf(data, name, bleed, leave_out or [])
        else:
            data = _converted(data, kind, wanted, outline, name)
        if to_pipe:
            sys.stdout.buffer.write(data)
            continue
        _write(folder / name, data)
        print(folder / name)


def _source_kind(spec: DocumentSpec, wanted: str) -> str:
    """Return the kind to render: the one wanted, or the default one where it is to be converted."""
    if wanted in spec.kinds:
        return wanted
    if wanted in ("pdf", "png"):
        return spec.kinds[0]
    choices = ", ".join((*spec.kinds, "pdf", "png"))
    raise typer.BadParameter(
        say(f"{spec.id} comes as {choices}, not {wanted}", f"{spec.id} 可为 {choices}，不可为 {wanted}"),
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


def _drawing_as_pdf(data: bytes, name: str, bleed: float | None, leave_out: Sequence[str]) -> bytes:
    from gfdocs.convert import to_pdf

    return to_pdf(data, "svg", name=name, bleed=bleed, leave_out=leave_out)


def _write(path: Path, data: bytes) -> None:
    from gfdocs.engine.template import write_file

    write_file(path, data, parents=True)


@app.command(
    cls=Command,
    short_help=say("Make the packages of all districts.", "制作全部县级市（区）材料包和全市文件。"),
    help=say(
        "Make the packages of all districts and the round's own documents.", "制作全部县级市（区）材料包和全市文件。"
    ),
    epilog=example("gfdocs batch examples/suzhou-2023 -o out", "gfdocs batch suzhou -o out --district 昆山市 --zip"),
)
def batch(
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help=say("folder of the packages", "输出文件夹"))],
    only: Annotated[list[str] | None, typer.Option(metavar="DOCUMENT", help=say("only this document (repeatable)", "仅此文件，可重复"))] = None,
    district: Districts = None,
    zip_: Annotated[bool, typer.Option("--zip", help=say("one .zip per district instead of a folder", "每个县级市（区）一个 .zip"))] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help=say("also a PDF of each file, in DIR-pdf", "另存每个文件的 PDF，放入 DIR-pdf"))] = False,
    jobs: Annotated[int | None, typer.Option("-j", "--jobs", metavar="N", min=1, help=say("worker processes (default: one a processor)", "并行进程数（默认与处理器数相同）"))] = None,
    executor: Annotated[str | None, typer.Option(metavar="URL", help=say("machines to work on: dask://HOST:PORT", "用于计算的机器：dask://HOST:PORT"))] = None,
    strict: Annotated[bool, typer.Option("--strict", help=say("stop at the first document that fails", "任一文件失败即停止"))] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help=say("replace files that were changed since", "覆盖此后被改动的文件"))] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=say("show the plan, write nothing", "只显示计划，不写文件"))] = False,
    log_format: Annotated[str, typer.Option(metavar="text|json", help=say("progress as a bar or as JSON lines", "进度显示：进度条或 JSON 行"))] = "text",
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    import time

    from gfdocs.batch import batch as run_batch
    from gfdocs.programme.project import load

    if log_format not in ("text", "json"):
        raise typer.BadParameter(say("expected text or json", "应为 text 或 json"), param_hint="--log-format")
    if str(output) == "-":
        raise typer.BadParameter(say("a batch needs a folder", "batch 需要一个文件夹"), param_hint="-o")
    if output.exists() and project.exists() and output.samefile(project):
        raise typer.BadParameter(
            say("the data are there: name another folder", "数据在该文件夹中，请换一个文件夹"), param_hint="-o"
        )
    found = load(project)
    folder = _pdf_folder(output, force) if pdf and not dry_run else None
    with progress(log_format) as report:
        manifest = run_batch(
            found, output, only=only or None, districts=district or None, zip=zip_, workers=jobs or _count_processors(), executor=executor,
            strict=strict, replace=force, dry_run=dry_run, progress=report, clock=time.perf_counter, date=_source_date(),
        )  # fmt: skip
    show_issues(manifest.issues, form)
    if log_format == "json":
        print(json.dumps({"report": manifest.report.to_dict()}, ensure_ascii=False), file=sys.stderr)
    show_manifest(manifest, output, dry_run)
    if folder is not None:
        _make_pdfs(manifest, output, folder)
    _fail_on(manifest.issues)


def _count_processors() -> int:
    """Return how many processors this process may use; workers are started only where they pay."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _pdf_folder(output: Path, force: bool) -> Path:
    """Return the folder of the PDFs, beside the packages, before anything is made: it is free and LibreOffice is there."""
    from gfdocs.convert import get_soffice

    folder = output.with_name(f"{output.name}-pdf")
    _refuse_existing([folder], force)
    get_soffice()
    return folder


def _make_pdfs(manifest: Manifest, output: Path, folder: Path) -> None:
    """Put a PDF of every file into the folder, in the same order of folders; those of an earlier batch are removed."""
    from gfdocs.convert import convert_all, read_package_files

    for old in folder.rglob("*.pdf"):
        old.unlink()
    paths = [file.path for file in manifest.files]
    made = convert_all(read_package_files(output, paths, zipped=manifest.zip), "pdf", folder)
    print(say(f"{len(made)} PDF files in {folder}", f"PDF 共 {len(made)} 个：{folder}"))


def _source_date() -> date | None:
    """Return the day of SOURCE_DATE_EPOCH for the entries of archives, or None for the fixed one."""
    from datetime import UTC

    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(value), UTC).date() if value.isdigit() else None


@app.command(
    cls=Command,
    short_help=say("Check that packages are as they were made.", "核对材料包有无改动。"),
    help=say(
        "Check that packages are as they were made: nothing changed, missing or extra.",
        "核对材料包：有无改动、缺失或多余文件。",
    ),
    epilog=example("gfdocs verify out"),
)
def verify(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help=say("folder of the packages", "材料包所在文件夹"))],
    form: Messages = MessageFormat.text,
) -> None:
    from gfdocs.batch import verify as run_verify

    issues = run_verify(folder)
    show_issues(issues, form)
    _fail_on(issues)
    if form is MessageFormat.text:
        print(say("all files are as they were made", "全部文件与制作时一致"))


@app.command(
    cls=Command,
    short_help=say("Say in words what changed between two batches.", "用文字说明两次制作之间的变化。"),
    help=say("Say in words what changed between two batches: companies in, out, renamed; figures.", "用文字说明两次制作之间的变化：新增、移出、更名的单位和数字。"),
    epilog=example("gfdocs diff out-draft out"),
)  # fmt: skip
def diff(
    before: Annotated[Path, typer.Argument(metavar="OUT1", help=say("the earlier batch", "较早的一次"))],
    after: Annotated[Path, typer.Argument(metavar="OUT2", help=say("the later batch", "较晚的一次"))],
) -> None:
    from gfdocs.batch import diff as run_diff

    print(run_diff(before, after).to_text(words.LANGUAGE) or say("nothing changed", "没有变化"))


@app.command(
    cls=Command,
    short_help=say("Merge returned annexes; say what is wrong and who is late.", "合并交回的附表，列出问题和未交、逾期的。"),
    help=say("Merge returned annexes into one table: data, issues with their cell, who is late.", "合并各地交回的附表：数据、问题（到单元格）、谁未交、谁逾期。"),
    epilog=example("gfdocs collect returns suzhou -o 汇总.xlsx"),
)  # fmt: skip
def collect(
    returns: Annotated[Path, typer.Argument(metavar="RETURNS", help=say("folder of returned workbooks", "交回的表格所在文件夹"))],
    project: ProjectFolder,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help=".xlsx | .yaml | .json")],
    today: Annotated[datetime | None, typer.Option(metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], show_default=False, help=say("the day that decides who is late (default: today)", "以此日判断是否逾期（默认今天）"))] = None,
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.collect import FORMATS as MERGED_FORMATS
    from gfdocs.collect import collect as run_collect
    from gfdocs.programme.project import load

    if output.suffix[1:].lower() not in MERGED_FORMATS:
        raise typer.BadParameter(say("expected .xlsx, .yaml or .json", "应为 .xlsx、.yaml 或 .json"), param_hint="-o")
    _refuse_existing([output], force)
    collected = run_collect(returns, load(project), today=(today or datetime.now()).date())
    _write(output, collected.to_bytes(output.suffix[1:].lower()))
    show_issues(collected.issues, form)
    for line in collected.status_lines(words.LANGUAGE):
        print(line)
    print(output)
    _fail_on(collected.issues)


@app.command(
    cls=Command,
    help=say("Check a template, or any .docx against GB/T 9704.", "检查模板，或按 GB/T 9704 检查任意 .docx。"),
    epilog=example("gfdocs lint notice.docx", "gfdocs lint my.docx --document notice --project suzhou"),
)
def lint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("a template, or a .docx", "模板，或 .docx 文件"))],
    document: Annotated[str | None, typer.Option(metavar="DOCUMENT", help=say("hold its names against this document's data", "与该文件的数据核对名称"))] = None,
    project: Annotated[Path | None, typer.Option(metavar="PROJECT", help=say("project whose data to use", "所用项目"))] = None,
    data: Annotated[Path | None, typer.Option(metavar="FILE", help=say("YAML with the template's data", "模板数据（YAML）"))] = None,
    gongwen: Annotated[bool | None, typer.Option("--gongwen/--no-gongwen", help=say("check against GB/T 9704 (default: a .docx without tags)", "按 GB/T 9704 检查（默认：无标签的 .docx）"))] = None,
    annotate: Annotated[Path | None, typer.Option(metavar="FILE", help=say("write a copy with comments at the faults", "另存带批注的副本"))] = None,
    force: Force = False,
    form: Messages = MessageFormat.text,
) -> None:  # fmt: skip
    from gfdocs.lint import lint_file

    if annotate is not None:
        _refuse_existing([annotate], force)
    report = lint_file(
        file, document=document, project=project, data=data, gongwen=gongwen, annotate=annotate is not None
    )
    show_issues(report.issues, form)
    if annotate is not None and report.annotated is not None:
        _write(annotate, report.annotated)
        print(annotate)
    _fail_on(report.issues)
    if form is MessageFormat.text and not report.issues:
        print(say("no issues", "未发现问题"))


@app.command(
    cls=Command,
    short_help=say("List the documents, show or copy a template.", "列出文件种类，显示或复制模板。"),
    help=say("List the documents, show what one needs, copy its template for editing.", "列出文件种类，显示所需数据，或复制模板以便修改。"),
    epilog=example("gfdocs templates", "gfdocs templates notice --copy suzhou/templates"),
)  # fmt: skip
def templates(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help=say("id of a document", "文件编号"))] = None,
    copy: Annotated[Path | None, typer.Option(metavar="DIR", help=say("copy the template here", "复制到此文件夹"))] = None,
    project: Annotated[Path | None, typer.Option(metavar="PROJECT", help=say("with this project's own catalogue", "包含该项目自己的目录"))] = None,
    force: Force = False,
) -> None:  # fmt: skip
    from gfdocs.programme.catalogue import copy_templates, get_spec, read_catalogue

    specs = read_catalogue(project)
    chosen = [get_spec(specs, name)] if name else list(specs)
    if copy is not None:
        copies = copy_templates(chosen, copy)
        _refuse_existing((target for _, target in copies), force)
        for source, target in copies:
            _write(target, source.read_bytes())
            print(target)
        return
    if name:
        _show_spec(chosen[0])
        return
    for spec in chosen:
        note = _in_one_language(spec.note) or ("" if "{" in spec.title else spec.title)
        mark = say(" (example form)", "（示意）") if spec.example and not re.search("示意|example", note) else ""
        scopes = "/".join(say(*SCOPES[scope]) for scope in spec.scopes)
        print(f"{spec.id:20} {'/'.join(spec.kinds):10} {pad(scopes, 16)} {note}{mark}")


def _in_one_language(note: str) -> str:
    """Return the part of a note in the language of the command line; `中文 / English` where it is in both."""
    chinese, _, english = note.partition(" / ")
    return say(english or chinese, chinese)


def _show_spec(spec: DocumentSpec) -> None:
    from gfdocs.engine.template import open_template

    print(f"{spec.id}: {spec.title}")
    for kind, path in spec.templates.items():
        print(f"  {kind}: {path}")
        for name in open_template(path).names:
            print(f"    {name}")


@app.command(
    cls=Command,
    help=say(
        "Print the JSON Schema of the project files, for the editor.", "输出项目文件的 JSON Schema，供编辑器使用。"
    ),
    epilog=example("gfdocs schema > gfdocs.schema.json"),
)
def schema(
    which: Annotated[Schema, typer.Argument(metavar="WHICH", help=say("which file", "哪一种文件"))] = Schema.project,
) -> None:
    from gfdocs.data.schema import json_schema

    print(json.dumps(json_schema(which.value), ensure_ascii=False, indent=2))
