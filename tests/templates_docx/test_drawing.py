"""The docx templates as files: drawn again they are the same bytes, and Word, WPS and python-docx can open them."""

from __future__ import annotations

import importlib
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from docx import Document
from lxml import etree

from gfdocs.gongwen import layout
from tests.ooxml import find_validation_errors

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
NAMES = ("notice.docx", "province-notice.docx", "list.docx", "annual-summary.docx", "cover.docx")
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    monkeypatch.syspath_prepend(str(TEMPLATES / "source"))
    yield importlib.import_module("draw_docx").draw()
    for name in [n for n in sys.modules if n in ("draw_docx", "wordml") or n.startswith("docx_documents")]:
        del sys.modules[name]


def test_drawing_again_gives_the_same_files(drawn: dict[str, bytes]) -> None:
    assert sorted(drawn) == sorted(NAMES)
    for name, data in drawn.items():
        assert (TEMPLATES / name).read_bytes() == data, f"{name}: run python templates/source/draw.py {name}"


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_valid_docx(name: str) -> None:
    assert find_validation_errors(TEMPLATES / name) == []
    assert Document(str(TEMPLATES / name)).paragraphs


def _parts(name: str) -> dict[str, str]:
    with zipfile.ZipFile(TEMPLATES / name) as package:
        return {n: package.read(n).decode() for n in package.namelist()}


@pytest.mark.parametrize("name", NAMES)
def test_no_theme_font_and_only_faces_of_the_standard(name: str) -> None:
    known = {face for faces in layout.FAMILIES.values() for face in faces}
    for part, text in _parts(name).items():
        if not part.endswith((".xml",)) or part.startswith("word/theme"):
            continue
        assert not re.search(r"(ascii|hAnsi|eastAsia|cs)Theme=", text), part
        for face in re.findall(r'w:(?:ascii|hAnsi|eastAsia)="([^"]+)"', text):
            assert face in known or face == "zh-CN", (part, face)


@pytest.mark.parametrize("name", NAMES)
def test_every_run_names_the_chinese_hint_and_every_paragraph_a_style(name: str) -> None:
    root = etree.fromstring(_parts(name)["word/document.xml"].encode())
    for run in root.iter(W + "r"):
        assert run.find(f"{W}rPr/{W}rFonts").get(W + "hint") == "eastAsia"
    for paragraph in root.iter(W + "p"):
        assert paragraph.find(f"{W}pPr/{W}pStyle") is not None


@pytest.mark.parametrize("name", NAMES)
def test_styles_have_chinese_names_and_those_used_exist(name: str) -> None:
    parts = _parts(name)
    styles = etree.fromstring(parts["word/styles.xml"].encode())
    names = {s.get(W + "styleId"): s.find(W + "name").get(W + "val") for s in styles.iter(W + "style")}
    used = set(re.findall(r'w:(?:pStyle|rStyle|tblStyle) w:val="([^"]+)"', parts["word/document.xml"]))
    assert used <= set(names)
    built_in = {"Normal", "Default Paragraph Font", "Normal Table", "footer"}
    assert all(re.search("[\u4e00-\u9fff]", n) for n in names.values() if n not in built_in)


@pytest.mark.parametrize("name", NAMES)
def test_tables_repeat_their_head_and_no_row_breaks_over_pages(name: str) -> None:
    root = etree.fromstring(_parts(name)["word/document.xml"].encode())
    for table in root.iter(W + "tbl"):
        rows = table.findall(W + "tr")
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)
        columns = len(table.findall(f"{W}tblGrid/{W}gridCol"))
        first = "".join(t.text or "" for t in rows[0].iter(W + "t"))
        if columns > 1 and first.startswith("序号"):
            assert rows[0].find(f"{W}trPr/{W}tblHeader") is not None


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_that_of_the_standard(name: str) -> None:
    section = Document(str(TEMPLATES / name)).sections[0]
    assert section.page_width.mm == pytest.approx(210, abs=0.02)
    assert section.top_margin.mm == pytest.approx(37, abs=0.02)
    assert section.left_margin.mm == pytest.approx(28, abs=0.02)
    assert section.page_width.mm - section.left_margin.mm - section.right_margin.mm == pytest.approx(156, abs=0.05)
    assert section.page_height.mm - section.top_margin.mm - section.bottom_margin.mm == pytest.approx(225, abs=0.05)


def test_every_cell_of_the_list_has_room_for_what_it_says_on_one_line() -> None:
    """Chinese characters are 1 em, digits ½ em in 仿宋 and up to 0.56 em elsewhere; Word sets a quarter em between the two."""
    document = Document(str(TEMPLATES / "list.docx"))
    table = document.tables[0]
    size = next(style.font.size for style in document.styles if style.style_id == "TableText")
    margins = 2 * 85  # twips, as the table's style says
    room = [(int(column.get(f"{W}w")) - margins) / 20 / size.pt for column in table._tbl.tblGrid.findall(f"{W}gridCol")]
    words = ("091", "示例江南绿色循环智能制造装备与新型功", "国家级绿色工业园区", "2022年度")
    needed = [sum(0.56 if char.isdigit() else 1 for char in word) + (0.25 if "2年" in word else 0) for word in words]
    assert all(have >= need for have, need in zip(room, needed, strict=True)), (room, needed)


def test_long_names_and_titles_break_where_a_reader_would() -> None:
    import gfdocs

    project = gfdocs.load(ROOT / "examples/demo-district")
    name = "示例纺织印染集团样板智能化绿色生产基地有限公司"
    data = project.render("annual-summary", company=name).to_bytes()
    texts = [paragraph.text for paragraph in Document(io.BytesIO(data)).paragraphs]
    assert (
        "示例纺织印染集团样板\n智能化绿色生产基地有限公司\n（原示例样板印染厂）\n2022年度绿色化工作总结及2023年度计划"
        in texts
    )
    assert "示例纺织印染集团样板智能化\n绿色生产基地有限公司（盖章）" in texts
