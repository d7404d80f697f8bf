"""What docxtpl renders, gfdocs renders with the same text, structure and formatting."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import docxtpl
import jinja2
import pytest

import gfdocs.docx as ours
from tests.engine_docx.compare import differences
from tests.engine_docx.make import PNG, docx, p, picture, run, tbl, tc, tr

Case = tuple[bytes, Callable[[Any, Any], dict[str, Any]]]
B, I = "<w:rPr><w:b/></w:rPr>", "<w:rPr><w:i/></w:rPr>"  # noqa: E741


def plain(**values: Any) -> Callable[[Any, Any], dict[str, Any]]:
    return lambda tpl, module: dict(values)


ROWS = [
    {"n": 1, "name": "甲", "kids": ["a", "b"]},
    {"n": 2, "name": "乙 & <丙>", "kids": []},
    {"n": 3, "name": "", "kids": ["c"]},
]

CASES: dict[str, Case] = {
    "plain": (docx(p("Dear {{ name }},"), p("{{ a }} and {{ b }}"), p("no tag")), plain(name="R&D <x> \"q\"", a=1, b=2.5)),
    "split runs": (docx(p("x {", "{ na", run("me }", B), run("} y", I))), plain(name="N")),
    "smart quotes": (docx(p("{{ “a” ~ ‘b’ ~ name }}{% if name == “N” %}yes{% endif %}")), plain(name="N")),
    "formatting kept": (docx(p(run("A {{ x }} B", B), run("{{ y }}", I))), plain(x="1", y="2")),
    "new lines and tabs": (docx(p("a{{ x }}b", run("{{ x }}", B))), plain(x="1\n2\n\n3")),
    "inline if": (docx(p("{% if a %}yes{% else %}no{% endif %} {% if b %}{{ b }}{% endif %}")), plain(a=True, b=None)),
    "inline for": (docx(p("{% for r in rows %}{{ r.name }}{% if not loop.last %}, {% endif %}{% endfor %}")), plain(rows=ROWS)),
    "paragraph tags": (
        docx(p("{%p for r in rows %}"), p("{{ r.name }}"), p("{%p if r.kids %}"), p("{{ r.kids|join(', ') }}"), p("{%p endif %}"), p("{%p endfor %}"), p("end")),
        plain(rows=ROWS),
    ),
    "for across paragraphs": (docx(p("{% for r in rows %}- {{ r.name }}"), p("second{% endfor %}"), p("end")), plain(rows=ROWS)),
    "table rows": (
        docx(tbl(tr("#", "name", "kids"), tr("{%tr for r in rows %}", "", ""), tr("{{ r.n }}", "{{ r.name }}", "{{ r.kids|length }}"), tr("{%tr endfor %}", "", ""), tr("x", "y", "z"))),
        plain(rows=ROWS),
    ),
    "nested rows": (
        docx(tbl(tr("{%tr for r in rows %}", ""), tr("{{ r.name }}", "head"), tr("{%tr for k in r.kids %}", ""), tr("{{ k }}", "{{ loop.index }}"), tr("{%tr endfor %}", ""), tr("{%tr endfor %}", ""), columns=2)),
        plain(rows=ROWS),
    ),
    "conditional row": (
        docx(tbl(tr("a"), tr("{%tr if show %}"), tr("secret"), tr("{%tr endif %}"), tr("z"), columns=1)), plain(show=False),
    ),
    "row tags in one cell of a row": (docx(tbl(tr("{%tr for r in rows %}"), tr("{{ r.name }}"), tr("{%tr endfor %}"), columns=1)), plain(rows=ROWS)),
    "columns": (
        docx(tbl(
            tr("h", tc("{%tc for c in cols %}"), tc("{{ c }}"), tc("{%tc endfor %}")),
            tr("{%tr for r in rows %}", "", "", ""),
            tr("{{ r.name }}", tc("{%tc for c in cols %}"), tc("{{ c }}{{ r.n }}"), tc("{%tc endfor %}")),
            tr("{%tr endfor %}", "", "", ""), columns=4)),
        plain(rows=ROWS, cols=["A", "B", "C", "D", "E", "F"]),
    ),
    "fewer columns": (
        docx(tbl(tr("h", tc("{%tc for c in cols %}"), tc("{{ c }}"), tc("{%tc endfor %}")), columns=4)), plain(cols=["A"]),
    ),
    "conditional column": (docx(tbl(tr("a", tc("{%tc if x %}"), tc("b"), tc("{%tc endif %}")), columns=4)), plain(x=False)),
    "colspan": (docx(tbl(tr(tc("{% colspan n %}{{ t }}")), tr("a", "b", "c"))), plain(n=3, t="title")),
    "cellbg": (docx(tbl(tr(tc("{% cellbg c %}{{ t }}"), "x", "y"))), plain(c="FFCC00", t="title")),
    "vertical merge": (
        docx(tbl(tr("{%tr for r in rows %}", ""), tr(tc("{% vm %}all"), "{{ r.name }}"), tr("{%tr endfor %}", ""), columns=2)),
        plain(rows=ROWS),
    ),
    "horizontal merge": (
        docx(tbl(tr(tc("{%tc for c in cols %}"), tc("{% hm %}head"), tc("{%tc endfor %}")), tr("a", "b", "c"))), plain(cols=["1", "2", "3"]),
    ),
    "header and footer": (
        docx(p("{{ a }}"), header=p("H {{ a }}"), footer=p("F {{ b }}", run("{{ a }}", B))), plain(a="A & B", b="<b>"),
    ),
    "footnotes": (
        docx(p("{{ a }}", '<w:r><w:footnoteReference w:id="1"/></w:r>'), footnotes=f'<w:footnote w:id="1">{p("note {{ a }}")}</w:footnote>'),
        plain(a="A"),
    ),
    "core properties": (
        docx(p("{{ a }}"), core="<dc:title>T {{ a }}</dc:title><dc:subject>{{ b }}</dc:subject><dc:creator>me</dc:creator>"), plain(a="A", b="B"),
    ),
    "escaped braces": (docx(p("{_{ kept }_} {_% also %_} {{ a }}")), plain(a=1)),
    "comments": (docx(p("{# nothing #}a{{ a }}"), p("{#p gone #}"), tbl(tr("{#tr gone #}"), tr("x"), columns=1)), plain(a=1)),
    "merging paragraphs": (docx(p("one {%- if a %}"), p("two {%- endif %}"), p("{% if a -%}"), p("three{% endif %}")), plain(a=True)),
    "set and macro": (docx(p("{% set x = a + 1 %}{{ x }}{% macro m(v) %}[{{ v }}]{% endmacro %}{{ m(a) }}")), plain(a=1)),
    "filters": (docx(p("{{ a|upper }} {{ rows|map(attribute='name')|join('/') }} {{ 3.14159|round(2) }} {{ x|default('d') }}")), plain(a="abc", rows=ROWS[:1])),
    "rich text": (
        docx(p("a", run("{{r rt }}", B), "z"), p("{{r rt }}")),
        lambda tpl, module: {"rt": rich(module)},
    ),
    "rich text with lines": (docx(p("a {{r rt }} b", style='<w:pPr><w:jc w:val="center"/></w:pPr>')), lambda tpl, module: {"rt": module.RichText("1\n2\a3\f4\tx", color="ff0000")}),
    "rich paragraphs": (docx(p("{{p rp }}"), p("end")), lambda tpl, module: {"rp": rich_paragraph(module)}),
    "listing": (
        docx(p("a {{ l }} b", style='<w:pPr><w:jc w:val="center"/></w:pPr>'), p(run("{{ l }}", B))),
        lambda tpl, module: {"l": module.Listing("1 & 2\n<3>\a4\f5")},
    ),
    "run tags": (docx(p("a {%r if x %}", run("bold", B), "{%r endif %} z")), plain(x=True)),
    "picture": (docx(p("a {{ img }} b"), p("{{ img }}")), lambda tpl, module: {"img": module.InlineImage(tpl, io.BytesIO(PNG), width=ours.Mm(20))}),
    "pictures in a loop": (
        docx(tbl(tr("{%tr for r in rows %}"), tr("{{ img }}"), tr("{%tr endfor %}"), columns=1)),
        lambda tpl, module: {"rows": [1, 2], "img": module.InlineImage(tpl, io.BytesIO(PNG), height=ours.Cm(2))},
    ),
    "static picture in a loop": (docx(p("{%p for r in rows %}"), p(picture()), p("{%p endfor %}"), media=True), plain(rows=[1, 2])),
    "text box": (
        docx(p(
            '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:docPr id="3" name="b"/><a:graphic>'
            '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:txbx><w:txbxContent>'
            f'{p("in {{ a }}")}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>'
            f'<mc:Fallback><w:pict><v:textbox><w:txbxContent>{p("in {{ a }}")}</w:txbxContent></v:textbox></w:pict></mc:Fallback>'
            "</mc:AlternateContent></w:r>"), p("{{ a }}")),
        plain(a="A"),
    ),
    "content control": (
        docx(p('<w:sdt><w:sdtPr><w:alias w:val="n"/></w:sdtPr><w:sdtContent><w:r><w:t>{{ a }}</w:t></w:r></w:sdtContent></w:sdt>')), plain(a="A"),
    ),
    "hyperlink": (docx(p('<w:hyperlink w:anchor="x"><w:r><w:t>go {{ a }}</w:t></w:r></w:hyperlink>')), plain(a="A")),
    "revision": (docx(p('<w:ins w:id="1" w:author="x"><w:r><w:t>{{ a }}</w:t></w:r></w:ins>')), plain(a="A")),
    "spelling marks": (docx(p('<w:proofErr w:type="spellStart"/>', "{{ ", '<w:proofErr w:type="spellEnd"/>', "a", " }}")), plain(a="A")),
    "dict methods": (docx(p("{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}")), plain(d={"x": 1, "y": 2})),
}  # fmt: skip


def rich(module: Any) -> Any:
    text = module.RichText("plain ")
    text.add("bold", bold=True, color="#ff0000", size=40)
    text.add(" & <i>", italic=True, underline="wave", strike=True, font="eastAsia:仿宋")
    return text


def rich_paragraph(module: Any) -> Any:
    paragraph = module.RichTextParagraph()
    paragraph.add("one")
    paragraph.add(rich(module), parastyle="Heading1")
    return paragraph


def render_theirs(data: bytes, make: Callable[[Any, Any], dict[str, Any]]) -> bytes:
    template = docxtpl.DocxTemplate(io.BytesIO(data))
    template.render(make(template, docxtpl), jinja2.Environment(autoescape=True))
    buffer = io.BytesIO()
    template.save(buffer)
    return buffer.getvalue()


def render_ours(data: bytes, make: Callable[[Any, Any], dict[str, Any]]) -> bytes:
    template = ours.DocxTemplate(io.BytesIO(data))
    template.render(make(template, ours))
    return template.to_bytes()


@pytest.mark.parametrize("name", CASES)
def test_same_words_same_result(name: str) -> None:
    data, make = CASES[name]
    assert differences(render_ours(data, make), render_theirs(data, make)) == []


@pytest.mark.parametrize("name", ["rich text", "rich paragraphs", "listing", "picture"])
def test_docxtpls_own_objects_work(name: str) -> None:
    data, make = CASES[name]
    template = ours.DocxTemplate(io.BytesIO(data))
    template.render(make(template, docxtpl))
    assert differences(template.to_bytes(), render_theirs(data, make)) == []
