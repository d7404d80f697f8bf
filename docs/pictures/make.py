"""Makes the pictures of README and of docs/clerk.zh.md from the examples and the starter: `python docs/pictures/make.py`.

Needs LibreOffice, poppler, Chromium and Pillow (which reportlab brings). Fonts that stand in for 仿宋_GB2312 and the like come from the machine's
fontconfig; FONTCONFIG_FILE may name better ones.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import openpyxl
from PIL import Image, ImageChops, ImageOps

import gfdocs
from gfdocs.convert import convert

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
WIDTH = 640
CLERK_WIDTH = 1000


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


PAGES = {"clerk-collected": 3}  # the sheet of who has sent what; the merged data before it take two


def picture_office(files: dict[str, Path], folder: Path) -> dict[str, Image.Image]:
    """Return the first page of each office file, or that of `PAGES`."""
    names = list(files)
    pdfs = convert([files[name] for name in names], "pdf", folder / "pdf")
    for name, pdf in zip(names, pdfs, strict=True):
        page = str(PAGES.get(name, 1))
        subprocess.run(
            ["pdftoppm", "-r", "110", "-f", page, "-l", page, "-singlefile", "-png", str(pdf), str(folder / name)],
            check=True,
        )
    return {name: Image.open(folder / f"{name}.png").convert("RGB") for name in names}


def make_clerk_files(folder: Path) -> dict[str, Path]:
    """Go the way of docs/clerk.zh.md on the starter, and return what a clerk sees on it by picture name."""
    project, out, returned = folder / "示例市2023", folder / "材料包", folder / "交回"
    run("new", project)
    run("batch", project, "-o", out)
    form = next(out.glob("01*/附件3*.xlsx"))
    returned.mkdir()
    book = openpyxl.load_workbook(form)
    answers = {"G6": "完成余热回收改造，屋顶光伏并网运行。", "H6": 128600, "I6": "约8420", "K6": "单位产值能耗再下降3%。",
               "O6": "陈一", "P6": "0500-10000001"}  # fmt: skip
    for cell, answer in answers.items():
        book["工厂"][cell] = answer
    book.save(returned / form.name)
    shutil.copy(next(out.glob("01*/附件4*.xlsx")), returned)
    run("collect", returned, project, "-o", folder / "汇总.xlsx", "--today", "2023-02-27", expect=1)
    return {"clerk-companies": project / "companies.xlsx", "clerk-form": form, "clerk-collected": folder / "汇总.xlsx"}


def run(*arguments: object, expect: int = 0) -> None:
    """Run gfdocs as on the command line, in Chinese; 1 is the answer to faults in what came back."""
    command = [sys.executable, "-m", "gfdocs.cli", *map(str, arguments)]
    root = HERE.parents[1]
    environment = {**os.environ, "GFDOCS_LANG": "zh", "PYTHONPATH": os.environ.get("PYTHONPATH", str(root))}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", check=False)
    if done.returncode != expect:
        raise SystemExit(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")


def trim(picture: Image.Image) -> Image.Image:
    """Return the picture without its white margins and without the page number below."""
    upper = picture.crop((0, 0, picture.width, round(picture.height * 0.92)))
    left, top, right, bottom = ImageChops.invert(upper.convert("L")).getbbox() or (0, 0, *upper.size)
    return upper.crop((max(left - 12, 0), max(top - 12, 0), right + 12, bottom + 12))


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
        files = render(folder) | make_clerk_files(folder)
        pictures = picture_office({name: path for name, path in files.items() if path.suffix != ".svg"}, folder)
        pictures["plaque"] = picture_svg(files["plaque"], folder)
        for name, picture in pictures.items():
            clerk = name.startswith("clerk-")
            save(frame(trim(picture), CLERK_WIDTH) if clerk else frame(picture, WIDTH), name)
        save(compose(pictures), "overview")


if __name__ == "__main__":
    main()
