"""Any text comes out exactly as typed, or its place is named: nothing in between."""

from __future__ import annotations

import io
import os
import re
from typing import Any

import docx as python_docx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gfdocs.docx import Listing
from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError
from tests.engine_docx.make import docx, p, run, tbl, tr

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
COUNT = 10_000 if NIGHTLY else 300

FONTS = '<w:rPr><w:rFonts w:ascii="Times New Roman" w:eastAsia="仿宋"/></w:rPr>'
TEMPLATE = open_template(
    docx(
        p("[{{ a }}]"), p("x", run("[{{ a }}]", FONTS)), p("[{% for r in rows %}{{ r.v }}{% endfor %}]"), p("{{p a }}"), p("{{r a }}"),
        tbl(tr("{%tr for r in rows %}"), tr("[{{ r.v }}]"), tr("{%tr endfor %}"), columns=1),
        header=p("[{{ a }}]"), core="<dc:title>[{{ a }}]</dc:title>",
    ),
    kind="docx", name="t.docx",
)  # fmt: skip

ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
NASTY = [
    "&", "<", ">", '"', "'", "]]>", "&lt;", "&#65;", "<w:t>", "</w:t></w:r>", "{{ a }}", "{% if %}", "{#", "{_{", "%_}", "\n", "\r\n", "\r",
    "\t", " ", "  ", "\u3000", "\u00a0", "\u200b", "\ufeff", "“”", "‘’", "……", "——", "中文", "㛃䶮", "𠀀", "e\u0301", "R&D", "\x85", "\u2028",
    "\x00", "\x0b", "\x07", "\x0c", "\x1f", "\ufffe", "\ud800", "\u202e", "\u2066", "_x0041_", "=1+1", "\u2000", "\u2009",
]  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(NASTY), min_size=1, max_size=6).map("".join),
    st.text(alphabet=st.characters(), max_size=20),
)


def as_read(text: str) -> str:
    """The text as any reader of XML gives it back: line ends are one."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@settings(max_examples=COUNT, deadline=None, derandomize=not NIGHTLY)
@given(TEXTS)
@example("所谓“绿色”<&>\n\t末")
@example("\u2003{{ a }}")
def test_every_text_comes_out_as_typed_or_is_named(text: str) -> None:
    context = {"a": text, "rows": [{"v": text}, {"v": "z"}]}
    if ILLEGAL.search(text):
        with pytest.raises(GfdocsError) as caught:
            TEMPLATE.render(context)
        assert {issue.code for issue in caught.value.issues} == {"GF211"}
        facts = [str(issue.fact) for issue in caught.value.issues]
        assert any(fact.startswith("a has the character") for fact in facts)
        assert any(fact.startswith("rows[0].v has the character") for fact in facts)
        return
    data = TEMPLATE.render(context).to_bytes()
    document = python_docx.Document(io.BytesIO(data))
    wanted = as_read(text)
    texts = [paragraph.text for paragraph in document.paragraphs]
    assert texts[:3] == [f"[{wanted}]", f"x[{wanted}]", f"[{wanted}z]"]
    assert texts[3:] == ([wanted, wanted] if text else [""]) or (not text and texts[3:] in ([], [""]))
    assert [row.cells[0].text for row in document.tables[0].rows] == [f"[{wanted}]", "[z]"]
    assert document.sections[0].header.paragraphs[0].text == f"[{wanted}]"
    assert document.core_properties.title == f"[{wanted}]" or "\r" in text


@pytest.mark.parametrize("value", [0, 1.5, True, None, -3, 10**30])
def test_values_that_are_no_text(value: Any) -> None:
    document = python_docx.Document(io.BytesIO(TEMPLATE.render({"a": value, "rows": []}).to_bytes()))
    assert document.paragraphs[0].text == f"[{'' if value is None else value}]"


def test_only_a_listing_makes_paragraphs_of_data() -> None:
    with pytest.raises(GfdocsError, match=r"U\+0007"):
        TEMPLATE.render({"a": "one\atwo", "rows": []})
    data = open_template(docx(p("{{ a }}")), kind="docx").render({"a": Listing("one\atwo\nthree")}).to_bytes()
    assert [paragraph.text for paragraph in python_docx.Document(io.BytesIO(data)).paragraphs] == ["one", "two\nthree"]


def test_data_is_never_a_template() -> None:
    evil = "{{ cycler.__init__.__globals__ }}"
    data = TEMPLATE.render({"a": evil, "rows": []}).to_bytes()
    assert python_docx.Document(io.BytesIO(data)).paragraphs[0].text == f"[{evil}]"


@pytest.mark.parametrize(
    "field",
    [
        'x" \\o',
        '</w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDEAUTO c:\\\\x</w:instrText></w:r>',
    ],
)
def test_no_element_comes_from_data(field: str) -> None:
    xml = TEMPLATE.render({"a": field, "rows": []}).to_bytes()
    document = python_docx.Document(io.BytesIO(xml))
    assert document.paragraphs[0].text == f"[{field}]"
    assert not list(document.element.body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}fldChar"))


@pytest.mark.parametrize("value", [["a\x07b"], {"k": "a\x00"}, {"a\x0b": 1}, [["x", {"k": ("\x1f",)}]], {"a\u202e"}])
@pytest.mark.parametrize(
    "tag", ["{{ a }}", "{{ a ~ '' }}", "{{ a|string }}", "{{r a }}", "{% for r in [1] %}{{ a }}{% endfor %}"]
)
def test_a_list_printed_whole_hides_no_character(value: Any, tag: str) -> None:
    with pytest.raises(GfdocsError, match=r"paragraph 1: error GF211 a has the character U\+"):
        open_template(docx(p(tag)), kind="docx").render({"a": value})


class Proxy:
    """What werkzeug's LocalProxy is: it stands for another value, says that it is of its class, and is not."""

    def __init__(self, value: Any) -> None:
        object.__setattr__(self, "_value", value)

    def __getattr__(self, name: str) -> Any:
        return getattr(object.__getattribute__(self, "_value"), name)

    @property
    def __class__(self) -> Any:
        return type(object.__getattribute__(self, "_value"))

    @__class__.setter
    def __class__(self, kind: Any) -> None:
        raise TypeError(kind)

    def __str__(self) -> str:
        return str(object.__getattribute__(self, "_value"))

    def __len__(self) -> int:
        return len(object.__getattribute__(self, "_value"))


@pytest.mark.parametrize("value", ["R&D <甲>", "所谓“绿色”\n末", "", 5, 2.5, True])
@pytest.mark.parametrize(
    "tag", ["{{ a }}", "{{ a|e }}", "{{r a }}", "{% for r in rows %}{{ a }}{% endfor %}", "{{ a|default('') }}"]
)
def test_what_stands_for_a_text_prints_it(value: Any, tag: str) -> None:
    template = open_template(docx(p(tag)), kind="docx")
    paragraphs = [
        python_docx.Document(io.BytesIO(template.render({"a": given, "rows": [1] * 9}).to_bytes())).paragraphs[0].text
        for given in (Proxy(value), value)
    ]
    assert paragraphs[0] == paragraphs[1]


def test_a_sign_for_paragraphs_in_a_plain_text_is_refused_with_the_remedy() -> None:
    for text in ("a\ab", "a\fb"):
        with pytest.raises(GfdocsError) as caught:
            TEMPLATE.render({"a": text, "rows": []})
        assert all("Listing(text)" in issue.hint for issue in caught.value.issues)
    out = open_template(docx(p("{{ a }}")), kind="docx").render({"a": Listing("a\ab\fc")}).to_bytes()
    assert [paragraph.text.strip() for paragraph in python_docx.Document(io.BytesIO(out)).paragraphs] == [
        "a",
        "b",
        "",
        "c",
    ]
