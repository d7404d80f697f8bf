"""A landscape page (GB/T 9704-2012, 8): turned back, its page number is where a portrait page has it; the checker knows it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pdfplumber
import pytest

from gfdocs.engine.template import open_template
from gfdocs.errors import Issue
from gfdocs.gongwen.check import check_docx
from tests import ooxml
from tests.folders import EXAMPLES
from tests.office import save_again, to_pdfs
from tests.templates_docx import sample

TEMPLATE = EXAMPLES / "own-template" / "templates" / "roster.docx"
MM = 25.4 / 72
CHAR = 14 * MM


@pytest.fixture(scope="module")
def roster() -> bytes:
    return open_template(TEMPLATE).render(sample.attachment("list")).to_bytes()


def change(data: bytes, edit: Callable[[str], str], part: str = "word/footer") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode("utf-8")
            new.writestr(name, edit(text) if name.startswith(part) else text)
    return out.getvalue()


def landscape(issues: tuple[Issue, ...]) -> list[Issue]:
    return [issue for issue in issues if issue.code in ("GF765", "GF796", "GF761", "GF762", "GF763", "GF764")]


def test_it_is_a_valid_document(roster: bytes, tmp_path: Path) -> None:
    (tmp_path / "roster.docx").write_bytes(roster)
    assert ooxml.find_validation_errors(tmp_path / "roster.docx") == []
    assert ooxml.find_left_over_tags(tmp_path / "roster.docx") == []


@pytest.mark.office
def test_turned_back_the_numbers_stand_as_on_portrait_pages(roster: bytes, tmp_path: Path) -> None:
    (tmp_path / "roster.docx").write_bytes(roster)
    (pdf,) = to_pdfs([tmp_path / "roster.docx"], tmp_path / "out")
    with pdfplumber.open(pdf) as document:
        assert len(document.pages) >= 3
        for number, page in enumerate(document.pages, 1):
            assert (round(page.width * MM), round(page.height * MM)) == (297, 210)
            side = [c for c in page.chars if c["x1"] * MM < 34 and c["text"].strip()]
            assert "".join(c["text"] for c in sorted(side, key=lambda c: c["top"])) == f"—{number}—"
            # the sheet's lower edge is the page's left one: the dashes are 7 mm outside the type area, which begins at 35 mm
            dash = min(side, key=lambda c: c["top"])
            assert (dash["x0"] + dash["x1"]) / 2 * MM == pytest.approx(28, abs=1.5)
            if number % 2:  # right on the sheet is down on the page, one character in from 28 + 156 mm
                assert max(c["bottom"] for c in side) * MM == pytest.approx(184 - CHAR, abs=1)
            else:
                assert min(c["top"] for c in side) * MM == pytest.approx(28 + CHAR, abs=1)


def test_the_checker_has_nothing_to_say_of_a_number_at_the_side(roster: bytes) -> None:
    assert landscape(check_docx(roster)) == []


def test_the_checker_tells_of_a_number_at_the_upper_or_lower_edge_and_of_none(roster: bytes) -> None:
    upright = check_docx(change(roster, lambda text: text.replace(' vert="vert"', "")))
    assert ["在页面上端或下端" in issue.fact.zh for issue in upright if issue.code == "GF765"] == [True]
    assert "GF761" in [issue.code for issue in check_docx(change(roster, lambda text: text.replace("PAGE", "DATE")))]


@pytest.mark.office
def test_the_checker_knows_the_side_number_as_libreoffice_writes_it(tmp_path: Path) -> None:
    """With a fallback for old programs that says the same once more, unturned."""
    (saved,) = save_again([TEMPLATE], tmp_path)
    with zipfile.ZipFile(saved) as package:
        assert any(b"Fallback" in package.read(name) for name in package.namelist() if "footer" in name)
    data = open_template(saved).render(sample.attachment("list")).to_bytes()
    assert [issue for issue in landscape(check_docx(data)) if issue.code in ("GF765", "GF761")] == []


def test_a_frame_and_a_cell_with_text_running_down_count_as_well(roster: bytes) -> None:
    """As Word makes them by hand: paragraph in a frame, cell of a table."""
    for holder in (
        "<w:p><w:pPr><w:framePr/>{d}</w:pPr>{n}</w:p>",
        "<w:tbl><w:tr><w:tc><w:tcPr>{d}</w:tcPr><w:p>{n}</w:p></w:tc></w:tr></w:tbl>",
    ):
        number = '<w:r><w:t>— </w:t></w:r><w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple><w:r><w:t> —</w:t></w:r>'
        body = holder.format(d='<w:textDirection w:val="tbRl"/>', n=number)

        def edit(text: str, body: str = body) -> str:
            head = text[: text.index("<w:p>")]
            return f"{head}{body}<w:p/></w:ftr>"

        assert [issue.code for issue in check_docx(change(roster, edit)) if issue.code in ("GF765", "GF761")] == []
