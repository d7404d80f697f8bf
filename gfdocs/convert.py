"""docx and xlsx to PDF and PNG through LibreOffice; svg plaques to PDF and outlines by our own writer.

LibreOffice opens many files per call (2 s for the first, about 0.3 s for each further one), exits with 0 even when it made nothing, and must not
share a profile with a running office: so one call for all files, a private profile, a time limit, and the result itself is what is tested.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gfdocs._callable import set_callable
from gfdocs.errors import ConvertError, Issue, Place, Text, describe_os_fault

if TYPE_CHECKING:
    from gfdocs.engine.svg.fonts import FontSet

OFFICE_KINDS = ("docx", "xlsx")
FORMATS = ("pdf", "png")
SECONDS_PER_CALL = 60
SECONDS_PER_FILE = 10
FILES_PER_CALL = 40


def find_soffice() -> str | None:
    """Return the path of LibreOffice's program, or None."""
    return shutil.which("soffice") or shutil.which("libreoffice")


FONT_PATTERNS = (
    "Noto Serif CJK SC:bold", "Noto Sans CJK SC:bold", "Noto Serif CJK SC", "Noto Sans CJK SC",
    "Source Han Serif SC:bold", "Source Han Sans SC:bold", "Source Han Serif SC", "Source Han Sans SC",
)  # fmt: skip


@cache
def find_fonts(patterns: tuple[str, ...] = FONT_PATTERNS) -> tuple[Path, ...]:
    """Return the files of those fonts that fontconfig has, in order of the patterns (`family` or `family:bold`); empty where it has none."""
    program = shutil.which("fc-match")
    if program is None:
        return ()
    found: list[Path] = []
    for pattern in patterns:
        done = subprocess.run([program, "-f", "%{family}\t%{file}", pattern], capture_output=True, check=False)
        names, _, file = done.stdout.decode("utf-8", "replace").partition("\t")
        if pattern.partition(":")[0] in names.split(",") and file and Path(file) not in found:
            found.append(Path(file))
    return tuple(found)


def convert(files: Iterable[str | Path], to: str, folder: str | Path) -> tuple[Path, ...]:
    """Return the converted files (`to` is pdf or png) in `folder`, in the order given; png shows the first page.

    Each has the name of its source with the new suffix; where two would have the same, the old suffix stays in it
    (`名单.xlsx.pdf`). Raises ConvertError with an issue for every file that did not come out, or cannot be read, and
    where LibreOffice is missing.
    """
    return convert_all([(Path(file).name, _read(Path(file))) for file in files], to, folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = describe_os_fault(error)
        fact = Text(f"cannot be read: {reason}", f"无法读取：{reason.zh}")
        raise ConvertError(
            Issue("GF806", "error", Place(str(path)), fact, Text("look at the path", "请检查路径"))
        ) from error


def read_package_files(
    folder: str | Path, paths: Iterable[str], *, zipped: bool = False
) -> Iterator[tuple[str, bytes]]:
    """Yield (path, bytes) of the files of a batch, out of its folders or its zips (`01 张家港市/…` is in `01 张家港市.zip`)."""
    import zipfile

    for path in paths:
        package, _, inner = path.partition("/")
        if zipped:
            with zipfile.ZipFile(Path(folder) / f"{package}.zip") as archive:
                names = set(archive.namelist())
                yield path, archive.read(path if path in names else inner)
        else:
            yield path, (Path(folder) / path).read_bytes()


def convert_all(files: Iterable[tuple[str, bytes]], to: str, folder: str | Path) -> tuple[Path, ...]:
    """Return the conversions of many files given as (path below `folder`, bytes), in chunks of one LibreOffice call each.

    Raises ConvertError with an issue for every file that did not come out, after writing the others; OutputError where
    one cannot be written.
    """
    from gfdocs.engine.template import write_file

    _check_format(to)
    rows = list(files)
    targets = _name_targets([path for path, _ in rows], to)
    made: list[Path] = []
    issues: list[Issue] = []
    for start in range(0, len(rows), FILES_PER_CALL):
        chunk = slice(start, start + FILES_PER_CALL)
        for result, target in zip(_convert_chunk(rows[chunk], to), targets[chunk], strict=True):
            if isinstance(result, bytes):
                made.append(write_file(Path(folder) / target, result, parents=True))
            else:
                issues.extend(result)
    if issues:
        raise ConvertError(issues)
    return tuple(made)


def _name_targets(paths: Sequence[str], to: str) -> list[str]:
    """Return the new path of each file; of those that would get the same one each keeps its old suffix before the new."""
    short = [str(PurePosixPath(path).with_suffix(f".{to}")) for path in paths]
    taken = Counter(path.casefold() for path in short)
    return [new if taken[new.casefold()] == 1 else f"{path}.{to}" for path, new in zip(paths, short, strict=True)]


def _convert_chunk(rows: Sequence[tuple[str, bytes]], to: str) -> list[bytes | tuple[Issue, ...]]:
    """Return what each file became, or why not, in order."""
    results: list[bytes | tuple[Issue, ...]] = [() for _ in rows]
    with tempfile.TemporaryDirectory(prefix="gfdocs-convert-") as scratch:
        sources: dict[int, Path] = {}
        for number, (path, data) in enumerate(rows):
            kind = PurePosixPath(path).suffix[1:].lower()
            if kind not in OFFICE_KINDS:
                results[number] = _convert_drawing(data, kind, to, path)
                continue
            sources[number] = Path(scratch) / f"{number:04d}.{kind}"
            sources[number].write_bytes(data)
        made = _convert_numbered(list(sources.values()), to, Path(scratch) / "run") if sources else []
        for number, file in zip(sources, made, strict=True):
            results[number] = file.read_bytes() if file.is_file() else (_failure(rows[number][0], to),)
    return results


def _convert_drawing(data: bytes, kind: str, to: str, name: str) -> bytes | tuple[Issue, ...]:
    if kind != "svg":
        fact = Text(f'a ".{kind}" cannot be converted', f"不能转换 .{kind} 文件")
        hint = Text("give .docx, .xlsx or .svg", "请给出 .docx、.xlsx 或 .svg 文件")
        return (Issue("GF807", "error", Place(name), fact, hint),)
    try:
        return _convert_one(data, "svg", to, name)
    except ConvertError as error:
        return error.issues


def to_pdf(
    data: bytes, kind: str, *, name: str = "document", bleed: float | None = None, leave_out: Sequence[str] = ()
) -> bytes:
    """Return one document as PDF: docx and xlsx by LibreOffice, svg as vectors with outlined text at true size.

    For a drawing: `bleed` in mm adds crop marks, `leave_out` names layers that are not drawn (`plate`: lines and words alone).
    """
    if kind == "svg":
        return _drawing_to_pdf(data, name, bleed, leave_out)
    return _convert_one(data, kind, "pdf", name)


def to_png(data: bytes, kind: str, *, name: str = "document") -> bytes:
    """Return the first page of one document as PNG."""
    return _convert_one(data, kind, "png", name)


def _convert_one(data: bytes, kind: str, to: str, name: str) -> bytes:
    _check_format(to)
    if kind == "svg":
        pdf = _drawing_to_pdf(data, name)
        return pdf if to == "pdf" else _draw_page(pdf, name)
    (result,) = _convert_chunk([(f"document.{kind}", data)], to)
    if not isinstance(result, bytes):
        raise ConvertError(_failure(name, to))
    return result


def _drawing_to_pdf(data: bytes, name: str, bleed: float | None = None, leave_out: Sequence[str] = ()) -> bytes:
    from gfdocs.engine.svg.outline import to_pdf as outline_to_pdf

    return outline_to_pdf(data, _get_fonts(name), name=name, bleed=bleed, leave_out=leave_out)


def _check_format(to: str) -> None:
    if to not in FORMATS:
        fact = Text(f'cannot convert to "{to}"', f"不能转换为“{to}”")
        raise ConvertError(Issue("GF807", "error", Place(), fact, Text("convert to pdf or png", "可转换为 pdf 或 png")))


def _draw_page(pdf: bytes, name: str, dpi: int = 150) -> bytes:
    """Return the first page of a PDF as PNG."""
    try:
        import pypdfium2
    except ImportError as error:
        raise ConvertError(_needs_extra("a picture of a drawing", "由图形生成图片", name)) from error
    from io import BytesIO

    picture = BytesIO()
    pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil().save(picture, "PNG")
    return picture.getvalue()


def outline(data: bytes, *, name: str = "document") -> bytes:
    """Return an svg whose text is paths, for the engraver; needs the extra `pdf` and a font that has all characters."""
    from gfdocs.engine.svg.outline import outline as outline_svg

    return outline_svg(data, _get_fonts(name), name=name)


def _get_fonts(name: str) -> FontSet:
    """Return the fonts of this machine, opened once; what is missing is told as an issue of the file."""
    if find_spec("fontTools") is None:
        raise ConvertError(_needs_extra("text as outlines", "文字转曲线", name))
    fonts = find_fonts()
    if not fonts:
        fact = Text("no Chinese font was found on this machine", "本机未找到中文字体")
        hint = Text("install Noto Serif CJK SC (fonts-noto-cjk)", "请安装 Noto Serif CJK SC（fonts-noto-cjk）")
        raise ConvertError(Issue("GF802", "error", Place(name), fact, hint))
    return _open_fonts(fonts)


@cache
def _open_fonts(fonts: tuple[Path, ...]) -> FontSet:
    from gfdocs.engine.svg.fonts import FontSet

    return FontSet(fonts)


def _needs_extra(what: str, what_zh: str, name: str) -> Issue:
    fact = Text(f'{what} needs the extra "pdf", which is not installed', f"{what_zh}需要附加组件 pdf，尚未安装")
    hint = Text("pip install 'gfdocs[pdf]'", "请运行 pip install 'gfdocs[pdf]'")
    return Issue("GF804", "error", Place(name), fact, hint)


def get_soffice() -> str:
    """Return the path of LibreOffice's program; ConvertError GF801 where it is not installed."""
    program = find_soffice()
    if program is None:
        fact = Text("LibreOffice is not installed", "未安装 LibreOffice")
        hint = Text(
            "install it (Debian: libreoffice-writer-nogui libreoffice-calc-nogui), or keep docx and xlsx",
            "请安装 LibreOffice，或直接使用 docx、xlsx 文件",
        )
        raise ConvertError(Issue("GF801", "error", Place(), fact, hint))
    return program


def _convert_numbered(sources: list[Path], to: str, scratch: Path) -> list[Path]:
    """Convert copies named 0001.docx …, so that no name can upset the program or collide; return where each result should be."""
    program = get_soffice()
    inbox, outbox = scratch / "in", scratch / "out"
    inbox.mkdir(parents=True)
    copies = []
    for number, source in enumerate(sources):
        copy = inbox / f"{number:04d}{source.suffix.lower()}"
        shutil.copyfile(source, copy)
        copies.append(copy)
    _run_soffice(program, copies, to, outbox, scratch / "profile")
    results = [outbox / f"{copy.stem}.{to}" for copy in copies]
    for copy, result in zip(copies, results, strict=True):
        if not result.is_file() and len(copies) > 1:  # one bad file can end the whole call: the others get their own
            _run_soffice(program, [copy], to, outbox, scratch / f"profile-{copy.stem}")
    return results


def _run_soffice(program: str, files: list[Path], to: str, outbox: Path, profile: Path) -> None:
    command = [
        program, "--headless", "--norestore", "--nolockcheck", f"-env:UserInstallation={profile.as_uri()}",
        "--convert-to", to, "--outdir", str(outbox), *map(str, files),
    ]  # fmt: skip
    try:
        limit = SECONDS_PER_CALL + SECONDS_PER_FILE * len(files)
        subprocess.run(command, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return  # what is missing afterwards is reported file by file


def _failure(source: str, to: str) -> Issue:
    fact = Text(f"LibreOffice made no {to} of it", f"LibreOffice 未能转换为 {to}")
    hint = Text("open the file in Word or Excel to see whether it is whole", "请先用 Word 或 Excel 打开，确认文件完好")
    return Issue("GF803", "error", Place(source), fact, hint)


set_callable(__name__)
