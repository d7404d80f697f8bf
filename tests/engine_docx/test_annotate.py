"""A copy of the template with a comment at each fault, which Word and LibreOffice open."""

from __future__ import annotations

import io

import docx as python_docx
import pytest

from gfdocs.engine.docx import annotate
from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError
from tests.engine_docx.make import docx, p, read_part, tbl, tr


def test_comments_stand_at_the_faults() -> None:
    data = docx(p("fine"), p("{{ a|uper }}"), tbl(tr("x", "{{ b + }}"), columns=2), header=p("{{ c"))
    with pytest.raises(GfdocsError) as caught:
        open_template(data, kind="docx", name="t.docx")
    out = annotate(data, caught.value.issues, name="t.docx")
    document = python_docx.Document(io.BytesIO(out))
    texts = [comment.text for comment in document.comments]
    assert len(texts) == 3
    assert "GF205" in texts[0]
    assert "是否应为“upper”" in texts[0]
    xml = read_part(out)
    second = xml.split("<w:p>")[2]
    assert 'commentRangeStart w:id="0"' in second
    assert 'commentReference w:id="0"' in second
    cell = xml.split("<w:tc>")[2]
    assert 'commentRangeStart w:id="1"' in cell
    assert 'commentRangeStart w:id="2"' in xml.split("<w:p>")[1], "a fault of the header is told at the first paragraph"


def test_comments_that_are_there_already_stay() -> None:
    data = docx(p("{{ a|uper }}"), comments=f'<w:comment w:id="7" w:author="x">{p("mine")}</w:comment>')
    with pytest.raises(GfdocsError) as caught:
        open_template(data, kind="docx", name="t.docx")
    out = annotate(data, caught.value.issues, name="t.docx", language="en")
    comments = read_part(out, "word/comments.xml")
    assert "mine" in comments
    assert 'w:id="8"' in comments
    assert "did you mean" in comments
