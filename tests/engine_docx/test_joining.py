"""`{%-` and `-%}` join paragraphs: what is between two texts that is no blank stays whole, and no text is lost."""

from __future__ import annotations

import io
import os
import re

import docx as python_docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gfdocs.engine.template import open_template
from tests.engine_docx.make import W, docx, p, picture, read_part, run, tbl, tr

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
WRAPPERS = {
    "link": '<w:hyperlink w:anchor="x">{}</w:hyperlink>',
    "content control": '<w:sdt><w:sdtPr><w:id w:val="5"/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>',
    "insertion": '<w:ins w:id="9" w:author="a">{}</w:ins>',
    "smart tag": '<w:smartTag w:uri="u" w:element="e">{}</w:smartTag>',
}


def filled(*inner: str, **data: object) -> bytes:
    return open_template(docx(*inner, media=True), kind="docx", name="t.docx").render(data).to_bytes()


def texts(document: bytes) -> list[str]:
    """The text of each paragraph, as its reader sees it."""
    root = etree.fromstring(read_part(document).encode())
    name = re.search('"(.*)"', W)
    assert name
    space = f"{{{name[1]}}}"
    return ["".join(text.text or "" for text in paragraph.iter(f"{space}t")) for paragraph in root.iter(f"{space}p")]


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
@pytest.mark.parametrize("yes", [True, False])
def test_what_stands_around_the_next_text_stays_around_it(wrapper: str, yes: bool) -> None:
    wrapped = wrapper.format(run("inside {{ a }}"))
    out = filled(p("one{% if yes -%}"), f"<w:p>{wrapped}</w:p>", p("{% endif %}two"), a="A", yes=yes)
    assert texts(out) == (["oneinside A", "two"] if yes else ["onetwo"])
    if yes:
        xml = read_part(out)
        start, end = wrapper.split("{}")
        assert xml.index(start) < xml.index("inside A") < xml.index(end)


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_what_stands_around_the_text_before_ends_before_the_tag(wrapper: str) -> None:
    out = filled(f"<w:p>{wrapper.format(run('inside'))}</w:p>", p("{%- if yes %}", " two{% endif %}"), yes=True)
    assert texts(out) == ["inside two"]
    assert read_part(out).index(wrapper.split("{}")[1]) < read_part(out).index(" two")


def test_no_text_beside_the_sign_is_lost() -> None:
    assert texts(filled(p("before"), p("kept {%- if yes -%} on {%- endif %}"), yes=True)) == ["before", "kepton"]
    assert texts(filled(p("{% if yes -%} kept"), p("after{% endif %}"), yes=True)) == ["kept", "after"]


def test_a_picture_between_two_texts_stays() -> None:
    out = filled(p("one{% if yes -%}"), p(picture()), p("two{% endif %}"), yes=True)
    assert texts(out) == ["onetwo"]
    assert len(python_docx.Document(io.BytesIO(out)).inline_shapes) == 1


def test_a_page_break_and_a_section_stay() -> None:
    page = '<w:r><w:br w:type="page"/></w:r>'
    assert 'w:type="page"' in read_part(filled(p("one{% if yes -%}"), p(page, "two{% endif %}"), yes=True))
    section = '<w:p><w:pPr><w:sectPr><w:pgSz w:w="16838" w:h="11906"/></w:sectPr></w:pPr></w:p>'
    out = filled(p("one{% if yes -%}"), section, p("two{% endif %}"), yes=True)
    assert len(python_docx.Document(io.BytesIO(out)).sections) == 2


def test_tables_and_cells_are_never_joined() -> None:
    table = tbl(tr("a", "{%- if yes -%}", "b"), tr("c", "{%- endif -%}", "d"))
    out = filled(p("x{% if yes -%}"), tbl(tr("a", "b", "c")), p("{% endif %}y"), table, yes=True)
    document = python_docx.Document(io.BytesIO(out))
    assert [[cell.text for cell in row.cells] for row in document.tables[1].rows] == [["a", "", "b"], ["c", "", "d"]]
    assert [paragraph.text for paragraph in document.paragraphs] == ["x", "y"]


def test_a_block_around_content_controls_joins_nothing() -> None:
    control = WRAPPERS["content control"].format(p("inside"))
    assert texts(filled(p("one {%- if yes -%}"), control, p("two{% endif %}"), yes=True)) == ["one", "inside", "two"]


def test_a_tag_that_takes_its_paragraph_away_takes_no_other_text_with_it() -> None:
    inner = [p("{%p if yes %}"), p("{%- if yes %}one{% endif -%}"), p("{%p endif %}")]
    assert texts(filled(*inner, yes=True)) == ["one"]


def test_bookmarks_that_begin_between_are_not_cut() -> None:
    start, end = '<w:bookmarkStart w:id="3" w:name="m"/>', '<w:bookmarkEnd w:id="3"/>'
    out = read_part(filled(p("one{% if yes -%}"), p(start, "two", end, "{% endif %}"), yes=True))
    assert out.count("w:bookmarkStart") == out.count("w:bookmarkEnd") == 1


FORMATS = ["", "<w:rPr><w:b/></w:rPr>"]
BETWEEN = ["", '<w:bookmarkStart w:id="9" w:name="b"/>', '<w:bookmarkEnd w:id="9"/>', '<w:proofErr w:type="spellStart"/>', "<w:r><w:tab/></w:r>", "<w:r><w:t/></w:r>"]  # fmt: skip
pieces = st.tuples(
    st.sampled_from(["{}", *WRAPPERS.values()]), st.sampled_from(FORMATS), st.sampled_from(BETWEEN),
    st.sampled_from([" {}", "{%- if yes -%}{}", "{%- if yes %}{}", "{% if yes -%}", "{}{%- if yes -%}", "{}", "{% if yes -%}\u00a0{}", "{%-p if yes -%}", "{{ v -}} {}"]),
)  # fmt: skip
paragraphs = st.lists(st.lists(pieces, min_size=1, max_size=3), min_size=1, max_size=5)


@settings(max_examples=2000 if NIGHTLY else 150, deadline=None, derandomize=not NIGHTLY)
@given(paragraphs, st.sampled_from(["plain", "cells", "control"]))
def test_no_text_is_lost_wherever_the_signs_stand(made: list[list[tuple[str, str, str, str]]], around: str) -> None:
    words, ends, inner = [], 0, []
    for paragraph in made:
        scoped = paragraph[0][3].startswith("{%-p")
        runs = ""
        for wrapper, form, between, text in paragraph[:1] if scoped else paragraph:
            if text.startswith("{%-p") and not scoped:
                continue  # it stands alone in its paragraph
            ends += "if yes" in text and not scoped
            if "{}" in text:
                words.append(f"w{len(words)}x")
            runs += between + wrapper.format(run(text.replace("{}", words[-1] if words else ""), form))
        inner += [f"<w:p>{runs}</w:p>"] + ([p("{%p endif %}")] if scoped else [])
    inner.append(p("{% endif %}" * ends + "end"))
    if around == "cells":
        inner = [tbl(*(tr(f"<w:tc><w:tcPr/>{text}</w:tc>", "x") for text in inner), columns=2), p("")]
    elif around == "control":
        inner = [WRAPPERS["content control"].format("".join(inner))]
    out = filled(*inner, yes=True, v="")
    shown = "".join(texts(out)).replace("\u00a0", "").replace(" ", "")
    assert [word for word in re.findall(r"w\d+x", shown) if word in words] == words
    assert "end" in shown
