"""Makes the pictures of README from the examples: `python docs/pictures/make.py`.

Needs LibreOffice, poppler, Chromium and Pillow (which reportlab brings). Fonts that stand in for 仿宋_GB2312 and the like come from the machine's
fontconfig; FONTCONFIG_FILE may name better ones.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageOps

import gfdocs
from gfdocs.convert import convert

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
WIDTH = 640


def render(folder: Path) -> dict[str, Path]:
    """Render one of each document that README shows, and return the files by picture name."""
    suzhou, demo = gfdocs.load(EXAMPLES / "suzhou-2023"), gfdocs.load(EXAMPLES / "demo-district")
    documents = {
        "notice": demo.render("notice"),
        "list": suzhou.render("list"),
        "annual-summary": demo.render("annual-summary", company="示例电子有限公司"),
        "annual-table": demo.render("annual-table", district="示范区"),
        "cover": demo.render("cover", district="示范区"),
        "plaque": demo.render("plaque", company="示例电子有限公司"),
    }
    return {name: document.save(folder / f"{name}.{document.kind}") for name, document in documents.items()}


def picture_office(files: dict[str, Path], folder: Path) -> dict[str, Image.Image]:
    """Return the first page of each office file."""
    names = list(files)
    pdfs = convert([files[name] for name in names], "pdf", folder / "pdf")
    for name, pdf in zip(names, pdfs, strict=True):
        subprocess.run(
            ["pdftoppm", "-r", "110", "-f", "1", "-l", "1", "-singlefile", "-png", str(pdf), str(folder / name)],
            check=True,
        )
    return {name: Image.open(folder / f"{name}.png").convert("RGB") for name in names}


def picture_svg(file: Path, folder: Path) -> Image.Image:
    """Return the plaque as the browser shows it, with the true size in mm scaled to the picture."""
    page = folder / "plaque.html"
    page.write_text(
        f"<body style='margin:0'><img src='{file.name}' style='width:900px;display:block'>", encoding="utf-8"
    )
    target = folder / "plaque.png"
    command = [shutil.which("chromium") or "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
               f"--user-data-dir={folder / 'browser'}", "--window-size=900,600", f"--screenshot={target}", page.as_uri()]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return Image.open(target).convert("RGB")


def frame(picture: Image.Image, width: int) -> Image.Image:
    """Return the picture at that width, with a thin grey edge."""
    scaled = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    return ImageOps.expand(scaled, 1, "#c8ccc9")


def compose(pictures: dict[str, Image.Image]) -> Image.Image:
    """Return one picture of several papers side by side."""
    canvas = Image.new("RGB", (1500, 560), "#f4f6f4")
    for name, x, y, width in (
        ("notice", 25, 25, 355), ("list", 400, 25, 355), ("annual-summary", 775, 25, 250), ("annual-table", 1045, 25, 430),
        ("plaque", 1045, 345, 270), ("cover", 1335, 345, 140),
    ):  # fmt: skip
        canvas.paste(frame(pictures[name], width), (x, y))
    return canvas


def save(picture: Image.Image, name: str) -> None:
    picture.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(HERE / f"{name}.png", optimize=True)
    sys.stdout.write(f"{name}.png {(HERE / f'{name}.png').stat().st_size // 1024} KiB\n")


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files = render(folder)
        pictures = picture_office({name: path for name, path in files.items() if path.suffix != ".svg"}, folder)
        pictures["plaque"] = picture_svg(files["plaque"], folder)
        for name, picture in pictures.items():
            save(frame(picture, WIDTH), name)
        save(compose(pictures), "overview")


if __name__ == "__main__":
    main()
