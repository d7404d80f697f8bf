"""docx and xlsx to PDF and PNG through LibreOffice; svg plaques to PDF and outlines by our own writer.

LibreOffice opens many files per call (2 s for the first, about 0.3 s for each further one), exits with 0 even when it made nothing, and must not
share a profile with a running office: so one call for all files, a private profile, a time limit, and the result itself is what is tested.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gfdocs._callable import set_callable
from gfdocs.errors import ConvertError, Issue, Place, Text

OFFICE_KINDS = ("docx", "xlsx")
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


def find_fonts(patterns: Sequence[str] = FONT_PATTERNS) -> tuple[Path, ...]:
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

    Raises ConvertError with an issue for every file that did not come out, and where LibreOffice is missing.
    """
    sources = [Path(file) for file in files]
    if not sources:
        return ()
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gfdocs-convert-") as scratch:
        made = _convert_numbered(sources, to, Path(scratch))
        failed = [source for source, out in zip(sources, made, strict=True) if not out.is_file()]
        if failed:
            raise ConvertError(_failure(source, to) for source in failed)
        results = []
        for source, out in zip(sources, made, strict=True):
            result = target / f"{source.stem}.{to}"
            shutil.copyfile(out, result)
            results.append(result)
    return tuple(results)


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

    Raises ConvertError with an issue for every file that did not come out; the others are written.
    """
    rows = list(files)
    made: list[Path] = []
    issues: list[Issue] = []
    for start in range(0, len(rows), FILES_PER_CALL):
        for path, result in _convert_chunk(rows[start : start + FILES_PER_CALL], to):
            target = (Path(folder) / path).with_suffix(f".{to}")
            if result is None:
                issues.append(_failure(Path(path), to))
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(result)
            made.append(target)
    if issues:
        raise ConvertError(issues)
    return tuple(made)


def _convert_chunk(rows: Sequence[tuple[str, bytes]], to: str) -> list[tuple[str, bytes | None]]:
    office = [(path, data) for path, data in rows if Path(path).suffix[1:] in OFFICE_KINDS]
    out = [(path, _convert_one(data, "svg", to, path)) for path, data in rows if path.endswith(".svg")]
    with tempfile.TemporaryDirectory(prefix="gfdocs-convert-") as scratch:
        sources = []
        for number, (path, data) in enumerate(office):
            source = Path(scratch) / f"{number:04d}{Path(path).suffix}"
            source.write_bytes(data)
            sources.append(source)
        made = _convert_numbered(sources, to, Path(scratch) / "run") if sources else []
        results = [file.read_bytes() if file.is_file() else None for file in made]
    return [*out, *((path, result) for (path, _), result in zip(office, results, strict=True))]


def to_pdf(data: bytes, kind: str, *, name: str = "document") -> bytes:
    """Return one document as PDF: docx and xlsx by LibreOffice, svg as vectors with outlined text at true size."""
    return _convert_one(data, kind, "pdf", name)


def to_png(data: bytes, kind: str, *, name: str = "document") -> bytes:
    """Return the first page of one document as PNG."""
    return _convert_one(data, kind, "png", name)


def _convert_one(data: bytes, kind: str, to: str, name: str) -> bytes:
    if kind == "svg":
        from gfdocs.engine.svg.outline import to_pdf as outline_to_pdf

        pdf = outline_to_pdf(data, _get_fonts(name), name=name)
        return pdf if to == "pdf" else _draw_page(pdf, name)
    with tempfile.TemporaryDirectory(prefix="gfdocs-convert-") as scratch:
        source = Path(scratch) / f"document.{kind}"
        source.write_bytes(data)
        (result,) = convert([source], to, Path(scratch) / "out")
        return result.read_bytes()


def _draw_page(pdf: bytes, name: str, dpi: int = 150) -> bytes:
    """Return the first page of a PDF as PNG."""
    try:
        import pypdfium2
    except ImportError as error:
        fact = Text("drawing a picture needs pypdfium2", "生成图片需要 pypdfium2")
        raise ConvertError(Issue("GF804", "error", Place(name), fact, Text("pip install gfdocs[pdf]"))) from error
    from io import BytesIO

    picture = BytesIO()
    pypdfium2.PdfDocument(pdf)[0].render(scale=dpi / 72).to_pil().save(picture, "PNG")
    return picture.getvalue()


def outline(data: bytes, *, name: str = "document") -> bytes:
    """Return an svg whose text is paths, for the engraver; needs the extra `pdf` and a font that has all characters."""
    from gfdocs.engine.svg.outline import outline as outline_svg

    return outline_svg(data, _get_fonts(name), name=name)


def _get_fonts(name: str) -> tuple[Path, ...]:
    fonts = find_fonts()
    if not fonts:
        fact = Text("no Chinese font was found on this machine", "本机未找到中文字体")
        hint = Text("install Noto Serif CJK SC (fonts-noto-cjk)", "请安装 Noto Serif CJK SC（fonts-noto-cjk）")
        raise ConvertError(Issue("GF802", "error", Place(name), fact, hint))
    return fonts


def _convert_numbered(sources: list[Path], to: str, scratch: Path) -> list[Path]:
    """Convert copies named 0001.docx …, so that no name can upset the program or collide; return where each result should be."""
    program = find_soffice()
    if program is None:
        fact = Text("LibreOffice is not installed", "未安装 LibreOffice")
        hint = Text(
            "install it (Debian: libreoffice-writer-nogui libreoffice-calc-nogui), or keep docx and xlsx",
            "请安装 LibreOffice，或直接使用 docx、xlsx 文件",
        )
        raise ConvertError(Issue("GF801", "error", Place(), fact, hint))
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


def _failure(source: Path, to: str) -> Issue:
    fact = Text(f"LibreOffice made no {to} of it", f"LibreOffice 未能转换为 {to}")
    hint = Text("open the file in Word or Excel to see whether it is whole", "请先用 Word 或 Excel 打开，确认文件完好")
    return Issue("GF803", "error", Place(str(source)), fact, hint)


set_callable(__name__)
