"""What gfdocs writes, LibreOffice opens, with the text that was put in."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest

from gfdocs.engine.docx.comments import annotate
from gfdocs.engine.template import open_template
from gfdocs.errors import Issue, Place
from tests import office
from tests.engine_docx.make import docx, p, picture
from tests.engine_docx.test_words import everything, render


@pytest.mark.office
@pytest.mark.slow
def test_libreoffice_opens_what_is_written(tmp_path: Path) -> None:
    data, context = everything()
    (tmp_path / "all.docx").write_bytes(render(data, context))
    empty = docx(p("{%p for r in rows %}"), p("{{ r }}"), p("{%p endfor %}"), p("the end"), p(picture()), media=True)
    (tmp_path / "empty.docx").write_bytes(render(empty, {"rows": []}))
    issue = Issue("GF204", "error", Place("t.docx", path=("document", "paragraph 1")), "a fault")
    (tmp_path / "noted.docx").write_bytes(annotate(docx(p("{{ a }}")), [issue]))
    pdfs = office.to_pdfs([tmp_path / name for name in ("all.docx", "empty.docx", "noted.docx")], tmp_path / "pdf")
    texts = {
        pdf.stem: "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)) for pdf in pdfs
    }
    assert all(word in texts["all"] for word in ("R&D“甲”", "x & y", "昆山市", "丁"))
    assert "the end" in texts["empty"]
    assert "{{ a }}" in texts["noted"]


@pytest.mark.office
@pytest.mark.slow
def test_templates_that_libreoffice_has_rewritten_still_work(tmp_path: Path) -> None:
    import subprocess

    data, context = everything()
    (tmp_path / "t.docx").write_bytes(data)
    command = [
        office.require("soffice"),
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        "--convert-to",
        "docx",
        "--outdir",
        str(tmp_path / "out"),
        str(tmp_path / "t.docx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    template = open_template(tmp_path / "out" / "t.docx")
    assert {str(name) for name in template.names} >= {"title", "rich", "listing", "img", "rows", "rows[].name"}
    assert template.render(context).to_bytes()
