"""The pages as LibreOffice lays them out, measured on the PDF and on the picture: GB/T 9704-2012 to 0.3 mm.

Any Chinese font will do: all lines of the templates have exact pitches, so that positions don't depend on the face. What
depends on it (how wide digits are) is measured against the paper itself.
"""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pdfplumber
import pytest
from lxml import etree
from PIL import Image, ImageChops

from tests.office import require, to_pdfs
from tests.templates_docx import sample
from tests.templates_docx.rendering import TEMPLATES, render

pytestmark = [pytest.mark.office, pytest.mark.slow]

MM = 25.4 / 72
TOLERANCE = 0.3  # mm
LEFT, RIGHT, TOP, BOTTOM = 28.0, 184.0, 37.0, 262.0
DPI = 300


@dataclass(frozen=True)
class Line:
    """One printed line, mm from the page's upper left corner."""

    text: str
    left: float
    right: float
    baseline: float


def read_lines(page: Any) -> list[Line]:
    rows: dict[float, list[Any]] = {}
    for char in page.chars:
        if char["text"].strip():
            rows.setdefault(round(page.height - char["matrix"][5], 1), []).append(char)
    return [
        Line(
            "".join(c["text"] for c in chars),
            min(c["x0"] for c in chars) * MM,
            max(c["x1"] for c in chars) * MM,
            y * MM,
        )
        for y, chars in sorted(rows.items())
    ]


def read_rules(page: Any) -> list[tuple[float, float, float]]:
    """Horizontal rules: left, right, middle."""
    found = {(round(r["x0"] * MM, 2), round(r["x1"] * MM, 2), round((r["top"] + r["bottom"]) / 2 * MM, 2))
             for r in (*page.lines, *page.rects) if r["x1"] - r["x0"] > 100}  # fmt: skip
    return sorted(found, key=lambda rule: rule[2])


def take_ink(pdf: Path, page: int) -> Image.Image:
    require("pdftoppm")
    command = ["pdftoppm", "-r", str(DPI), "-png", "-f", str(page), "-l", str(page), str(pdf)]
    return Image.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)).convert("RGB")


def box_mm(mask: Image.Image, area: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the ink in an area, mm."""
    scale = DPI / 25.4
    left, top, right, bottom = (round(v * scale) for v in area)
    found = mask.crop((left, top, right, bottom)).getbbox()
    assert found is not None, f"no ink in {area}"
    return tuple((v + o) / scale for v, o in zip(found, (left, top, left, top), strict=True))  # type: ignore[return-value]


def dark(image: Image.Image) -> Image.Image:
    return image.convert("L").point(lambda v: 255 if v < 128 else 0)


def red(image: Image.Image) -> Image.Image:
    r, g, _ = image.split()
    return ImageChops.multiply(r.point(lambda v: 255 if v > 150 else 0), g.point(lambda v: 255 if v < 110 else 0))


def draw_grid() -> bytes:
    """Two pages of nothing but 国, in the body's style."""
    sys.path.insert(0, str(TEMPLATES / "source"))
    try:
        from docx_documents.parts import document
        from wordml import paragraph

        return document(paragraph("国" * 28 * 44, style="Addressee")).to_bytes()
    finally:
        sys.path.pop(0)
        for name in [n for n in sys.modules if n == "wordml" or n.startswith("docx_documents")]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def pdfs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All papers of these tests, made by one call of LibreOffice."""
    require("soffice")
    folder = tmp_path_factory.mktemp("geometry")
    context = sample.notice()
    many = {
        **context["issuer"],
        "copy_to": ["江苏省工业和信息化厅", "苏州市生态环境局", "苏州市市场监督管理局", "各县级市（区）人民政府办公室"],
    }
    papers = {
        "notice": render("notice.docx", context),
        "copies": render("notice.docx", {**context, "issuer": many}),
        "list": render("list.docx", sample.attachment("list")),
        "summary": render("annual-summary.docx", sample.annual_summary()),
        "cover": render("cover.docx", sample.cover()),
        "grid": draw_grid(),
    }
    files = []
    for name, data in papers.items():
        files.append(folder / f"{name}.docx")
        files[-1].write_bytes(data)
    made = to_pdfs(files, folder)
    return {path.stem: path for path in made}


@pytest.fixture(scope="module")
def notice(pdfs: dict[str, Path]) -> Iterator[list[Any]]:
    with pdfplumber.open(pdfs["notice"]) as pdf:
        yield pdf.pages


def near(value: float) -> Any:
    return pytest.approx(value, abs=TOLERANCE)


def test_a_page_holds_22_lines_of_28_characters(pdfs: dict[str, Path]) -> None:
    with pdfplumber.open(pdfs["grid"]) as pdf:
        assert len(pdf.pages) == 2
        for page in pdf.pages:
            lines = [line for line in read_lines(page) if "国" in line.text]
            assert [len(line.text) for line in lines] == [28] * 22
            assert all(line.left == near(LEFT) for line in lines)
            assert all(line.right <= RIGHT and line.right == near(LEFT + 28 * 15.75 * MM) for line in lines)
            pitches = [(b.baseline - a.baseline) / MM for a, b in pairwise(lines)]
            assert sum(pitches) / len(pitches) == pytest.approx(28.95, abs=0.1)
            assert max(pitches) - min(pitches) < 0.3
            # the line box is 28.95 pt with its baseline at 80 %: the first and last stand inside the type area
            assert lines[0].baseline - 0.8 * 28.95 * MM == near(TOP)
            assert lines[-1].baseline + 0.2 * 28.95 * MM <= BOTTOM + TOLERANCE


def test_the_mark_stands_35_mm_below_the_type_area_and_is_centred(pdfs: dict[str, Path]) -> None:
    image = take_ink(pdfs["notice"], 1)
    left, top, right, _ = box_mm(red(image), (0, 60, 210, 100))
    assert top == near(TOP + 35)
    assert (left + right) / 2 == pytest.approx((LEFT + RIGHT) / 2, abs=1)


def test_number_and_red_rule(notice: list[Any]) -> None:
    lines = read_lines(notice[0])
    mark, number = lines[0], lines[1]
    assert (number.left + number.right) / 2 == near((LEFT + RIGHT) / 2)
    left, right, middle = next(rule for rule in read_rules(notice[0]) if rule[2] < 140)
    assert (left, right) == (near(LEFT), near(RIGHT))
    # 4 mm from the lower edge of the characters (0.12 em below the baseline) to the rule's upper edge
    assert middle - 0.44 / 2 - (number.baseline + 0.12 * 16 * MM) == near(4)
    # two empty lines between: the third line below the mark's own
    assert number.baseline - mark.baseline == pytest.approx(3 * 28.95 * MM, abs=3)


def test_title_and_addressee_are_two_and_one_empty_lines_down(notice: list[Any]) -> None:
    lines = read_lines(notice[0])
    rule = read_rules(notice[0])[0][2]
    title = [line for line in lines if rule < line.baseline][:3]
    pitch = 28.95 * MM
    assert title[0].baseline - rule == pytest.approx(2 * pitch + 0.8 * pitch, abs=0.6)
    assert all((line.left + line.right) / 2 == near((LEFT + RIGHT) / 2) for line in title)
    addressee = next(line for line in lines if line.text.startswith("各县级市"))
    assert addressee.baseline - title[2].baseline == near(2 * pitch)
    assert addressee.left == near(LEFT)
    lead = next(line for line in lines if line.text.startswith("近日"))
    assert lead.left == near(LEFT + 2 * 15.75 * MM)


def test_page_one_shows_body_text(notice: list[Any]) -> None:
    assert any(line.text.startswith("一、") for line in read_lines(notice[0]))


def test_attachments_align_with_the_first_character_of_their_names(notice: list[Any]) -> None:
    lines = read_lines(notice[-1])
    at = next(i for i, line in enumerate(lines) if line.text.startswith("附件："))
    assert lines[at].left == near(LEFT + 2 * 15.75 * MM)
    chars = [c for c in notice[-1].chars if c["text"].strip()]
    third = next(i for i, line in enumerate(lines) if line.text.startswith("3."))
    wrapped = lines[third + 1]
    assert not wrapped.text.startswith("4.")
    second = next(line for line in lines if line.text.startswith("2.江苏省"))
    name = min(
        c["x0"]
        for c in chars
        if abs(notice[-1].height - c["matrix"][5] - second.baseline / MM) < 0.5 and c["text"] == "江"
    )
    assert wrapped.left == near(name * MM)


def test_name_is_centred_on_the_date(notice: list[Any]) -> None:
    lines = read_lines(notice[-1])
    date = next(line for line in lines if line.text == "2023年2月10日")
    name = lines[lines.index(date) - 1]
    assert name.text == "苏州市工业和信息化局"
    assert (name.left + name.right) / 2 == near((date.left + date.right) / 2)
    assert (date.left + date.right) / 2 == near(RIGHT - (4 + 6.5 / 2) * 15.75 * MM)


@pytest.mark.parametrize("paper", ["notice", "copies"])
def test_the_imprint_ends_on_the_lower_edge_of_the_type_area(pdfs: dict[str, Path], paper: str) -> None:
    with pdfplumber.open(pdfs[paper]) as pdf:
        rules = [rule for rule in read_rules(pdf.pages[-1]) if rule[2] > 150]
        assert len(rules) == 3
        assert all((left, right) == (near(LEFT), near(RIGHT)) for left, right, _ in rules)
        assert rules[-1][2] == near(BOTTOM)
        lines = [line for line in read_lines(pdf.pages[-1]) if rules[0][2] < line.baseline < BOTTOM]
        assert lines[0].left == near(LEFT + 14 * MM)
        assert lines[-1].right == near(RIGHT - 14 * MM)
        if len(lines) > 2:  # following lines align with the first character after 抄送：
            assert lines[1].left == near(LEFT + 4 * 14 * MM)


def test_page_numbers_lie_7_mm_below_right_on_odd_left_on_even_pages(pdfs: dict[str, Path], notice: list[Any]) -> None:
    for index, page in enumerate(notice[:2], 1):
        number = read_lines(page)[-1]
        assert number.text == f"—{index}—"
        if index % 2:
            assert number.right == near(RIGHT - 14 * MM)
        else:
            assert number.left == near(LEFT + 14 * MM)
        ink = dark(take_ink(pdfs["notice"], index))
        _, top, _, bottom = box_mm(ink, (number.left - 0.2, BOTTOM + 2, number.left + 3, BOTTOM + 15))
        assert (top + bottom) / 2 == near(BOTTOM + 7)


def test_the_heading_of_the_list_is_on_every_page_and_nothing_is_cut(pdfs: dict[str, Path]) -> None:
    with pdfplumber.open(pdfs["list"]) as pdf:
        assert len(pdf.pages) > 2
        for page in pdf.pages:
            lines = read_lines(page)
            assert any(line.text == "序号单位名称名单类别列入批次" for line in lines)
            assert all(line.left > LEFT - TOLERANCE and line.right < RIGHT + TOLERANCE for line in lines)
        printed = "".join(line.text for page in pdf.pages for line in read_lines(page))
        rows = sum(printed.count(f"省级{kind}") for kind in ("绿色工厂", "绿色工业园区", "绿色供应链"))
        assert rows == 91
        # a name of 31 characters takes two lines of its cell: all of it is printed
        assert printed.count("示例江南绿色循环智能制造装备与新型功") == 9
        assert printed.count("（集团）股份有限公司") == 9


def test_the_seal_of_a_summary_never_stands_alone(pdfs: dict[str, Path]) -> None:
    with pdfplumber.open(pdfs["summary"]) as pdf:
        last = [line.text for line in read_lines(pdf.pages[-1])]
    assert any("盖章" in text for text in last)
    assert any("工作计划" in text for text in last)


def test_the_cover_letter_is_one_page_and_no_date_in_its_table_wraps(pdfs: dict[str, Path]) -> None:
    with pdfplumber.open(pdfs["cover"]) as pdf:
        assert len(pdf.pages) == 1
        lines = [line.text for line in read_lines(pdf.pages[0])]
    assert any("2023年12月24日" in line for line in lines)
    assert lines[-2] == "2023年2月10日"


def test_no_punctuation_hangs_over_the_edge_and_none_is_lost(pdfs: dict[str, Path]) -> None:
    """LibreOffice may leave hanging punctuation out of the PDF; with the template's setting it hangs none."""
    marks = "、，。；："
    wanted = sum(text.count(mark) for text in _texts(render("notice.docx", sample.notice())) for mark in marks)
    with pdfplumber.open(pdfs["notice"]) as pdf:
        chars = [c for page in pdf.pages for c in page.chars if c["text"] in marks]
    assert len(chars) == wanted
    assert all(c["x0"] * MM < RIGHT for c in chars)


def _texts(data: bytes) -> list[str]:
    root = etree.fromstring(zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml"))
    return [t.text or "" for t in root.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}t")]
