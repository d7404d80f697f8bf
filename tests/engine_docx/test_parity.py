"""What docxtpl renders, gfdocs renders with the same text, structure and formatting."""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Callable
from typing import Any

import docxtpl
import jinja2
import pytest

import gfdocs.docx as ours
from tests.engine_docx.compare import differences
from tests.engine_docx.make import PNG, docx, p, picture, read_part, run, tbl, tc, tr

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
    "merging paragraphs": (docx(p("one"), p("{%- if a %}"), p("two"), p("{%- endif %} on"), p("{% if a -%}"), p("three{% endif %}")), plain(a=True)),
    "merging runs that look otherwise": (docx(p("one ", run("{%- if a -%}", B), run(" two ", B), "{%- else -%}", "no", "{%- endif -%} "), p(run("end", B))), plain(a=True)),
    "the merged paragraphs of the manual": (docx(p("My house is {% if a -%}"), p("in town"), p("{%- else -%}"), p("in the country"), p("{%- endif %} and I love it.")), plain(a=False)),
    "names like scopes": (docx(p("{{r}} {{p}} {{-r }}| {{r}}{{rname}}"), tbl(tr("{{tr}}{{tc}}", "x"), columns=2), p("{% for p in rows %}{{p.name}}{% endfor %}")), plain(r="R", p="P", tr="TR", tc="TC", rname="RN", rows=ROWS)),
    "words without blanks": (docx(tbl(tr("{%tr for r in rows%}", ""), tr("{%vm%}{{r.name}}", "{%cellbg c%}x"), tr("{%tr endfor%}", ""), tr("{%colspan 2%}y"), columns=2), p("{%p if yes%}"), p("z"), p("{%p endif%}")), plain(rows=ROWS, c="00FF00", yes=True)),
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
    "blanks": (docx(p("[{{ s }}]", run("{{ t }}", B), "{{r rs }}", "{{r rt }}"), p(" {{ s }} "), p("a ", run(" b ", I), " {{ s }}c")), lambda tpl, module: {"s": " "*10, "t": "\t"*5, "rs": module.RichText(" "*10), "rt": module.RichText("\t"*5)}),
    "cellbg with rich text": (docx(tbl(tr("{%tr for a in rows %}", ""), tr("{{ a.d }}", tc("{% cellbg a.bg %}{{r a.rt }}")), tr("{%tr endfor %}", ""), columns=2)), lambda tpl, module: {"rows": [{"d": "x", "bg": "FF0000", "rt": module.RichText("red", color="00ff00", bold=True)}, {"d": "y", "bg": "00FF00", "rt": module.RichText("green", size=30)}]}),
    "nested vertical merge": (docx(tbl(tr("{%tr for r in rows %}","",""), tr("{%tr for k in r.kids %}","",""), tr(tc("{% vm %}{{ r.name }}"), tc("{{ k }}"), tc("{{ loop.index }}")), tr("{%tr endfor %}","",""), tr("{%tr endfor %}","","")) ), plain(rows=ROWS)),
    "hm with a span": (docx(tbl(tr(tc("{%tc for c in cols %}"), tc("{% hm %}{{ c }}", properties='<w:gridSpan w:val="2"/>'), tc("{%tc endfor %}")), tr("a","b","c","d","e","f"), columns=6)), plain(cols=["1","2","3"])),
    "fewer cells after a loop": (docx(tbl(tr("h", tc("{%tc for c in cols %}"), tc("{{ c }}"), tc("{%tc endfor %}"), "last"), tr("{%tr for r in rows %}","","","",""), tr("{{ r.n }}", tc("{%tc for c in cols %}"), tc("{{ c }}"), tc("{%tc endfor %}"), "z"), tr("{%tr endfor %}","","","",""), columns=5)), plain(cols=["1"], rows=ROWS)),
    "rich text and if": (docx(p("{%r if x %}{{r rt }}{%r endif %}"), p("{% if x %}{{r rt }}{% endif %} z"), p("{%p if x %}"), p("{{r rt }}"), p("{%p endif %}")), lambda tpl, module: {"x": True, "rt": module.RichText("r", italic=True)}),
    "rich text and if not": (docx(p("a", "{%r if x %}", "{{r rt }}", "{%r endif %}", "z")), lambda tpl, module: {"x": False, "rt": module.RichText("r", italic=True)}),
    "header with picture and rich text": (docx(p("{{ a }}"), header=p("{{ img }}") + p("{{r rt }}") + tbl(tr("{%tr for r in rows %}"), tr("{{ r.name }}"), tr("{%tr endfor %}"), columns=1)+p("é 한국어 ü {{ k }}"), footer=p("{{ img }}")), lambda tpl, module: {"a": 1, "k": "한국어 &", "rows": ROWS, "rt": module.RichText("h", bold=True), "img": module.InlineImage(tpl, io.BytesIO(PNG), width=ours.Mm(10))}),
    "items and order": (docx(p("{%p for k, v in d.items() %}"), p("{{ loop.index }}. {{ k }}: {% for i in v %}{{ i }}{% if not loop.last %}; {% endif %}{% endfor %}"), p("{%p endfor %}")), plain(d={"b":[1,2],"a":[]})),
    "modulo in a row tag": (docx(tbl(tr("{%tr for r in rows if r.n is odd %}",""), tr("{{ r.n }}","{{ r.n * 2 }}"), tr("{%tr endfor %}",""), columns=2)), plain(rows=ROWS)),
    "expressions": (docx(p("{{ (a + 2) ** 2 // 3 }} {{ a is even }} {{ [1,2,3][1:]|join('-') }} {{ 'x' if a > 1 else 'y' }} {{ a ~ 'b' }} {{ rows|selectattr('kids')|map(attribute='n')|list }} {{ not a }} {{ '%05.2f'|format(a) }} {{ 'a b'.split()|last }}")), plain(a=4, rows=ROWS)),
    "with and namespace": (docx(p("{% with x = 3 %}{{ x }}{% endwith %}{% set ns = namespace(t=0) %}{% for r in rows %}{% set ns.t = ns.t + r.n %}{% endfor %}{{ ns.t }}")), plain(rows=ROWS)),
    "else of a loop": (docx(p("{%p for r in e %}"), p("{{ r }}"), p("{%p else %}"), p("none"), p("{%p endfor %}")), plain(e=[])),
    "elif paragraphs": (docx(p("{%p if a == 1 %}"), p("one"), p("{%p elif a == 2 %}"), p("two"), p("{%p else %}"), p("many"), p("{%p endif %}")), plain(a=2)),
    "loop controls": (docx(p("{% for r in rows %}{{ loop.index0 }}/{{ loop.length }}{{ loop.cycle('a','b') }}{{ loop.previtem.n if loop.previtem }}{{ loop.changed(r.n) }} {% endfor %}")), plain(rows=ROWS)),
    "recursive loop": (docx(p("{% for n in t recursive %}{{ n.v }}({{ loop(n.k) if n.k }}){% endfor %}")), plain(t=[{"v":1,"k":[{"v":2,"k":[]},{"v":3,"k":[{"v":4,"k":[]}]}]}])),
    "call and filter blocks": (docx(p("{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}in{% endcall %} {% filter upper %}abc{{ a }}{% endfilter %}")), plain(a="d")),
    "properties": (docx(p("{{ a }}"), core="<dc:title>{{ a }}</dc:title><dc:subject>{{ a }}</dc:subject><dc:creator>{{ a }}</dc:creator><dc:description>{{ a }}</dc:description>"), plain(a="A B")),
    "picture with a link": (docx(p("{{ img }}")), lambda tpl, module: {"img": module.InlineImage(tpl, io.BytesIO(PNG), width=ours.Mm(20), anchor="https://a.example/?b=1&c=2")}),
    "listing in a row": (docx(tbl(tr("{%tr for r in rows %}"), tr("{{ l }}"), tr("{%tr endfor %}"), columns=1)), lambda tpl, module: {"rows":[1,2], "l": module.Listing("a\nb\tc\ad")}),
    "rich text made of rich text": (docx(p("{{r rt }}")), lambda tpl, module: {"rt": rich_in_rich(module)}),
    "tag over two lines": (docx(p("{{ a", '<w:r><w:br/></w:r>', " }} z")), plain(a=1)),
    "numbered text box row": (docx(p("{{ a }}%"), p("100 %"), p("{ a } % }")), plain(a=5)),
    "date": (docx(p("{{ d }} {{ d.year }} {{ d.strftime('%d/%m/%Y') }}")), plain(d=datetime.date(2023, 2, 10))),
    "entities": (docx(p("{% if a &lt; 3 and a &gt;= 1 %}yes{% endif %} &amp; {{ 'x' if a &gt; 0 }}"), header=p("R&amp;D {{ a }} &lt;b&gt;")), plain(a=2)),
}  # fmt: skip


def rich_in_rich(module: Any) -> Any:
    inner = module.RichText("in", bold=True)
    outer = module.RichText("out ")
    outer.add(inner)
    outer.add(" end", underline="single", subscript=True)
    return outer


def rich(module: Any) -> Any:
    text = module.RichText("plain ")
    text.add("bold", bold=True, color="#ff0000", size=40)
    text.add(" & <i>", italic=True, underline="wave", strike=True, font="eastAsia:仿宋")
    return text


def rich_paragraph(module: Any) -> Any:
    paragraph = module.RichTextParagraph()
    paragraph.add("one")
    paragraph.add(rich(module), parastyle="Heading1")
    paragraph.add("three\afour\nlines", parastyle="Heading2")
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


@pytest.mark.parametrize("properties", ["", "<w:tcPr/>", "<w:tcPr />", '<w:tcPr><w:tcW w:w="1"/></w:tcPr>'])
@pytest.mark.parametrize(
    ("word", "element"),
    [
        ("{% cellbg 'FFCC00' %}", "w:shd"),
        ("{% colspan 2 %}", "w:gridSpan"),
        ("{% vm %}", "w:vMerge"),
        ("{% hm %}", "w:gridSpan"),
    ],
)
def test_words_for_a_cell_work_whatever_its_properties(properties: str, word: str, element: str) -> None:
    """docxtpl 0.20 puts what they write beside `<w:tcPr/>`, where Word ignores it; its master does as we do."""
    cell = f"<w:tc>{properties}{p(word + 'x')}</w:tc>"
    if word in ("{% vm %}", "{% hm %}"):
        cells = tr(tc("{%tc for c in [1, 2] %}"), cell, tc("{%tc endfor %}"))
    else:
        cells = tr(cell)

    filled = read_part(render_ours(docx(tbl(cells)), plain()))

    assert re.search(rf"<w:tcPr>[^/]*(<[^>]*/>)*<{element} [^>]*/>.*?</w:tcPr><w:p>", filled)


@pytest.mark.parametrize(
    ("tags", "printed"),
    [
        (["{%p set x = 7 % 4 %}", "{{ x }}"], ["3"]),
        (["{%p set d = {'a': {'b': 1}} %}", "{{ d.a.b }}"], ["1"]),
        (["{%p for r in [1, 2, 3] if r % 2 %}", "{{ r }}", "{%p endfor %}"], ["1", "3"]),
        (["{%p if '}' in '{}' %}", "y", "{%p endif %}"], ["y"]),
    ],
)
def test_signs_of_tags_inside_a_tag_for_a_paragraph(tags: list[str], printed: list[str]) -> None:
    """docxtpl 0.20 leaves such a tag where it is; its master does as we do."""
    filled = read_part(render_ours(docx(*map(p, tags)), plain()))

    assert re.findall("<w:t[^>]*>([^<]*)", filled) == printed
