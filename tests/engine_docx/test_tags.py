"""Tags that Word has cut, deleted or wrapped: what is printed, and that the document opens."""

from __future__ import annotations

import re

import docxtpl
import pytest
from lxml import etree
from markupsafe import Markup

from gfdocs.docx import Listing, RichText
from gfdocs.engine.language import MissingPolicy
from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError, TagError
from tests.engine_docx.make import W, docx, p, picture, read_part, run, tbl, tc, tr

DATA = {"v": "A&B", "rows": [1, 2]}


def body(*inner: str, data: dict[str, object] | None = None) -> str:
    """The body of the filled-in document, which is well-formed."""
    document = open_template(docx(*inner), kind="docx", name="t.docx").render(DATA if data is None else data)
    xml = read_part(document.to_bytes())
    etree.fromstring(xml.encode())
    return xml[xml.index("<w:body>") + 8 : xml.index("<w:sectPr")]


def text(xml: str) -> str:
    return "".join(re.findall(r"<w:t(?: [^>]*)?>([^<]*)</w:t>", xml)).replace("&amp;", "&")


HALF = run("{{ "), run("v }}tail")


@pytest.mark.parametrize(
    ("paragraph", "kept"),
    [
        (f'<w:p><w:ins w:id="1" w:author="a">{HALF[0]}</w:ins>{HALF[1]}</w:p>', "w:ins"),
        (f'<w:p>{HALF[0]}<w:ins w:id="1" w:author="a">{HALF[1]}</w:ins></w:p>', "w:ins"),
        (f'<w:p>{HALF[0]}<w:hyperlink w:anchor="x">{HALF[1]}</w:hyperlink></w:p>', "w:hyperlink"),
        (f"<w:p>{HALF[0]}<w:sdt><w:sdtContent>{HALF[1]}</w:sdtContent></w:sdt></w:p>", "w:sdt"),
        (f'<w:p>{HALF[0]}<w:bookmarkStart w:id="0" w:name="b"/>{HALF[1]}<w:bookmarkEnd w:id="0"/></w:p>', "w:bookmarkStart"),
        (
            f'<w:p><w:ins w:id="1" w:author="a">{run("{")}</w:ins><w:ins w:id="2" w:author="a">{run("{ v")}</w:ins>{run(" }}tail")}</w:p>',
            "w:ins",
        ),
    ],
)  # fmt: skip
def test_a_tag_cut_by_an_element_prints_where_it_began(paragraph: str, kept: str) -> None:
    xml = body(paragraph)
    assert text(xml) == "A&Btail"
    assert f"<{kept}" in xml


@pytest.mark.parametrize("inner", ["{{ nothere }}", "{{ ", "{% if", "}}", "{% raw %}"])
@pytest.mark.parametrize(
    "deleted",
    [
        '<w:del w:id="1" w:author="a"><w:r><w:delText>{}</w:delText></w:r></w:del>',
        '<w:del w:id="1" w:author="a"><w:r><w:delInstrText>{}</w:delInstrText></w:r></w:del>',
        '<w:moveFrom w:id="1" w:author="a"><w:r><w:t>{}</w:t></w:r></w:moveFrom>',
    ],
)
def test_deleted_text_is_no_text_of_the_template(deleted: str, inner: str) -> None:
    xml = body(f"<w:p>{deleted.format(inner)}{run('{{ v }}')}</w:p>")
    assert f">{inner}</w:" in xml
    assert ">A&amp;B</w:t>" in xml


@pytest.mark.parametrize(
    ("tags", "printed"),
    [
        ("{{ '}}' }} {{ '{{' }}", "}} {{"),
        ("{{ '{{ cycler }}' }}", "{{ cycler }}"),
        ("{{ '%}' }}{% set x = '{% if' %}{{ x }}", "%}{% if"),
        (r"{{ 'a\\{b' }}", r"a\{b"),
        (r"{{ 'a\{b}' }}", r"a\{b}"),
        ("{{ “}}” }}", "}}"),
        ("{{ {'a': {'b': v}}['a']['b'] }}", "A&B"),
        ("{{ {'a': v}}}", "{'a': 'A&B'}"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{_{ x }_}", "{{ x }}"),
        ("{% raw %}{% if %}{% endraw %}{{ v }}{% raw %}#}{# {%{% endraw %}", "{% if %}A&B#}{# {%"),
    ],
)
def test_braces_in_strings_and_raw_blocks_are_text(tags: str, printed: str) -> None:
    assert text(body(p(tags))) == printed


def test_a_raw_block_over_runs_and_links() -> None:
    xml = body(
        f'<w:p>{run("{% raw %}{{ x")}<w:hyperlink w:anchor="x">{run(" }}{% end")}</w:hyperlink>{run("raw %}.")}</w:p>'
    )
    assert text(xml) == "{{ x }}."


def test_full_width_braces_are_told() -> None:
    template = open_template(docx(p("｛｛ v ｝｝")), kind="docx", name="t.docx")
    assert [issue.code for issue in template.issues] == ["GF224", "GF224"]
    assert template.issues[0].hint is not None and "{{" in str(template.issues[0].hint)


@pytest.mark.parametrize(
    "written",
    ["{{ " * 100_000, "{" * 300_000, "{%" * 100_000, "{# " * 100_000, "{%-" * 100_000, "{% raw %}" * 30_000, "{{ '\"" * 30_000],
)  # fmt: skip
def test_ever_so_many_broken_tags_are_refused_at_once(written: str) -> None:
    with pytest.raises(TagError) as found:
        open_template(docx(p(written)), kind="docx", name="t.docx")
    assert 0 < len(found.value.issues) <= 101


@pytest.mark.parametrize("tag", ["{{ 1" + "|int" * 5000 + " }}", "{{ v" + ".x" * 5000 + " }}"])
def test_a_tag_nested_too_deep_is_over_budget(tag: str) -> None:
    with pytest.raises(GfdocsError) as found:
        open_template(docx(p(tag)), kind="docx", name="t.docx").render(DATA)
    assert found.value.issues[-1].code == "GF210"


def test_odd_blanks_in_a_tag_are_blanks() -> None:
    assert text(body(p("{{ v" + "\u2000" * 200_000 + "}}"))) == "A&B"


TABLE = tbl(tr("x{% endif %}y"), columns=1)


@pytest.mark.parametrize(
    ("inner", "data", "holds"),
    [
        ([p("{% if v %}a"), p("b{% endif %}")], {"v": 0}, True),
        ([p("{% if v %}a"), TABLE], {"v": 0}, False),
        ([p("{% if v %}a"), TABLE], {"v": 1}, True),
        ([p("{{ v"), tbl(tr("}}y"), columns=1)], {"v": 1}, False),
        ([p("{# v"), tbl(tr("#}y"), columns=1)], {"v": 1}, False),
        ([p("{% set x %}a"), tbl(tr("x{% endset %}y"), columns=1)], {"v": 1}, False),
        ([p("{% macro m() %}a"), tbl(tr("x{% endmacro %}y"), columns=1)], {"v": 1}, False),
        ([p("{% filter upper %}a"), tbl(tr("x{% endfilter %}y"), columns=1)], {"v": 1}, False),
        ([p("{% for i in v %}a"), tbl(tr("x{% else %}y"), columns=1), p("{% endfor %}")], {"v": []}, False),
    ],
)
def test_a_file_that_is_not_well_formed_is_never_delivered(
    inner: list[str], data: dict[str, object], holds: bool
) -> None:
    template = open_template(docx(*inner), kind="docx", name="t.docx")
    if holds:
        body(*inner, data=data)
        return
    with pytest.raises(GfdocsError) as found:
        template.render(data)
    assert {issue.code for issue in found.value.issues} & {"GF216", "GF219"}
    assert {issue.code for issue in template.issues} <= {"GF215", "GF225"}


@pytest.mark.parametrize("value", ['x" \\o "http://evil', "a\\l b", "} { DDEAUTO x", 'a"'])
def test_a_value_in_a_simple_field_cannot_end_its_argument(value: str) -> None:
    field = '<w:p><w:fldSimple w:instr="HYPERLINK &quot;{{ v }}&quot;"><w:r><w:t>x</w:t></w:r></w:fldSimple></w:p>'
    assert 'instr="HYPERLINK &quot;http://x/?a&amp;b&quot;"' in body(field, data={"v": "http://x/?a&b"})
    with pytest.raises(GfdocsError) as found:
        body(field, data={"v": value})
    assert [issue.code for issue in found.value.issues] == ["GF219"]


@pytest.mark.parametrize(
    ("tags", "printed"),
    [
        ("{% filter upper %}a{{ v }}{% endfilter %}", "AA&amp;B &lt;C&gt;“好”X"),
        ("{% set x %}{{ v }}{% endset %}{{ x[:3] }}|{{ x|length }}|{{ x|upper }}", "A&amp;B|11|A&amp;B &lt;C&gt;“好”X"),
        ("{% macro m() %}{{ v }}{% endmacro %}{{ m()|upper }}", "A&amp;B &lt;C&gt;“好”X"),
        (
            "{% macro m() %}{{ caller()|upper }}{% endmacro %}{% call m() %}{{ v }}{% endcall %}",
            "A&amp;B &lt;C&gt;“好”X",
        ),
        ("{% call dict(a='&lt;b') %}{% endcall %}", "{'a': '&lt;b', 'caller': &lt;Macro anonymous&gt;}"),
        ("{% set x %}{{ lines }}{% endset %}{{ x|length }}{{ x }}", "3a<w:br/>&amp;"),
    ],
)
def test_what_a_block_has_written_is_computed_with_as_it_reads(tags: str, printed: str) -> None:
    xml = body(p(tags), data={"v": "A&B <c>“好”x", "lines": "a\n&"})
    assert re.sub(r"</?w:(?:p|r|t|rPr|rFonts)(?: [^>]*)?>|<w:rPr>.*?</w:rPr>", "", xml) == printed


@pytest.mark.parametrize("tag", ["{{ page_break ~ v }}", "{{ v ~ page_break }}", "{{r v ~ page_break }}"])
def test_text_beside_a_page_break_is_in_a_run(tag: str) -> None:
    paragraph = etree.fromstring(body(p("x", tag)).replace("<w:p>", f"<w:p {W}>", 1))
    name = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    assert {child.tag for child in paragraph} == {name + "r"}
    assert not any(child.tail for child in paragraph)
    assert "".join(found.text or "" for found in paragraph.iter(name + "t")) == "xA&B"
    assert len(list(paragraph.iter(name + "br"))) == 1


def test_paragraphs_in_the_middle_of_a_text_are_refused() -> None:
    macro = p("{%p macro m() %}"), p("{{ v }}"), p("{%p endmacro %}")
    assert text(body(*macro, p("{{p m() }}"))) == "A&B"
    with pytest.raises(GfdocsError) as found:
        body(*macro, p("{{ m() }}"))
    assert [issue.code for issue in found.value.issues] == ["GF219"]


@pytest.mark.parametrize("value", [Listing("a\ab"), Listing("a\fb"), RichText("a\ab")])
@pytest.mark.parametrize("tag", ["x{{ v }}", "x{{r v }}"])
def test_no_paragraph_begins_inside_a_link(value: object, tag: str) -> None:
    assert body(p(tag), data={"v": value}).count("<w:p>") >= 2
    with pytest.raises(GfdocsError) as found:
        body(f'<w:p><w:hyperlink w:anchor="x">{run(tag)}</w:hyperlink></w:p>', data={"v": value})
    assert [issue.code for issue in found.value.issues] == ["GF219"]


@pytest.mark.parametrize(
    "value",
    [
        docxtpl.RichText("x", style="a&b"),
        RichText(docxtpl.RichText("x", color='a"/><w:b')),
        Markup("a&b"),
        Markup("a<b"),
    ],
)
@pytest.mark.parametrize("tag", ["{{ v }}", "{{r v }}", "{{p v }}"])
def test_broken_markup_of_a_value_is_refused(value: object, tag: str) -> None:
    with pytest.raises(GfdocsError) as found:
        body(p(tag), data={"v": value})
    (issue,) = found.value.issues
    assert issue.code == "GF219"
    assert issue.place.path == ("document", "paragraph 1")
    assert issue.fact.startswith("v: it brings broken XML: ")


def test_ids_of_drawings_are_unique_over_all_parts() -> None:
    header = p(picture(number=1)) + p(picture(number=9)) + p(picture(number=8))
    pictures = [p(picture(number=number)) for number in (3, 16, 19)]
    data = docx(
        *pictures, p("{%p for r in rows %}"), p(picture(number=2)), p("{%p endfor %}"), media=True, header=header
    )
    rendered = open_template(data, kind="docx", name="t.docx").render(DATA).to_bytes()
    ids = [
        re.findall(r'<wp:docPr id="(\d+)"', read_part(rendered, part))
        for part in ("word/document.xml", "word/header.xml")
    ]
    assert ids[1] == ["1", "9", "8"]
    assert ids[0][:4] == ["3", "16", "19", "2"]
    assert len({*ids[0], *ids[1]}) == len(ids[0]) + len(ids[1]) == 8
    both = docx(p("{%p for r in rows %}"), pictures[0], p("{%p endfor %}"), media=True, header=(
        p("{%p for r in rows %}") + pictures[0] + p("{%p endfor %}")
    ))  # fmt: skip
    rendered = open_template(both, kind="docx", name="t.docx").render(DATA).to_bytes()
    found = [
        re.findall(r'<wp:docPr id="(\d+)"', read_part(rendered, f"word/{part}.xml")) for part in ("document", "header")
    ]
    assert len({*found[0], *found[1]}) == 4


@pytest.mark.parametrize(
    ("paragraphs", "printed"),
    [
        ([p("a{# note #}b")], "ab"),
        ([p("a"), p("{#p gone #}"), p("b")], "ab"),
        ([tbl(tr("a"), tr("{#tr gone #}"), columns=1)], "a"),
        ([p("{", "_", "{")], "{{"),
        ([p("{", "_", "{ x }", "_}"), p("{_{")], "{{ x }}{{"),
        ([p("{_% if %_}", "{a_{hello")], "{% if %}{a_{hello"),
        ([p("{{ '&amp;' }}{{ v|replace('&amp;', '&amp;amp;') }}")], "&A&amp;B"),
    ],
)
def test_comments_and_written_braces_alone_in_a_part(paragraphs: list[str], printed: str) -> None:
    assert text(body(*paragraphs)).replace("&lt;", "<") == printed


def test_a_comment_for_a_row_or_a_paragraph_takes_it_out_with_its_text() -> None:
    xml = body(
        tbl(tr("kept"), tr("gone", "{#tr this row goes #} also gone")),
        p("before {#p this paragraph goes #}"),
        p("{{ v }}"),
    )
    assert text(xml) == "keptA&B"


@pytest.mark.parametrize("sign", ["<w:tab/>", "<w:br/>"])
def test_a_tab_in_the_midst_of_a_tag_goes_with_it(sign: str) -> None:
    xml = body(f"<w:p><w:r><w:t>{{{{</w:t>{sign}<w:t>v }}}}</w:t></w:r></w:p>")
    assert text(xml) == "A&B"
    assert sign not in xml


@pytest.mark.parametrize(
    ("tags", "code", "hint"),
    [
        ("{{ v|default（'x'） }}", "GF201", 'write the half-width "(" for "（"'),
        ("{{ v｜upper }}", "GF201", 'write the half-width "|" for "｜"'),
        ("{% p for x in rows %}", "GF203", "write {%p for x in rows %}"),
        ("{%pfor x in rows %}", "GF203", "write {%p for x in rows %}"),
        ("{% if v %}{% else if v %}{% endif %}", "GF201", 'write "elif" for "else if"'),
        ("{% for a in rows %}{% end for %}", "GF203", 'write "endfor"'),
        ("{% if v = 1 %}{% endif %}", "GF201", 'write "==" to compare'),
    ],
)
def test_what_its_author_meant_is_told(tags: str, code: str, hint: str) -> None:
    with pytest.raises(TagError) as found:
        open_template(docx(p("x", tags)), kind="docx", name="t.docx")
    errors = [issue for issue in found.value.issues if issue.severity == "error"]
    assert [(issue.code, str(issue.hint)) for issue in errors] == [(code, hint)]
    assert not any("else if" in str(issue.hint) for issue in found.value.issues if issue.code == "GF225")


def test_a_method_that_a_text_does_not_have_is_a_missing_name() -> None:
    with pytest.raises(GfdocsError) as found:
        body(p("{{ v.uper() }}"))
    assert 'the data has no "v.uper" in' in str(found.value)
    document = open_template(docx(p("{{ v.uper() }}")), kind="docx").render(DATA, missing="mark")
    assert "【缺：v.uper】" in read_part(document.to_bytes())


@pytest.mark.parametrize("begin", ["{%p if x %}", "{%-p if x %}", "{%p if x -%}", "{%-p if x -%}", "{%+p if x %}"])
@pytest.mark.parametrize("end", ["{%p endif %}", "{%-p endif %}", "{%p endif -%}"])
def test_signs_that_trim_do_nothing_at_a_tag_for_a_paragraph(begin: str, end: str) -> None:
    """docxtpl joins the paragraphs beside it and then takes their texts away with it."""
    found = body(p("before"), p(begin), p("in"), p(end), p("after"), data={"x": 1})

    assert re.findall(r"<w:t[^>]*>([^<]*)", found) == ["before", "in", "after"]


def test_quotes_in_a_tag_of_an_attribute() -> None:
    mark = '<w:bookmarkStart w:id="1" w:name="{{ x|default(&quot;n&quot;) }}-{{ y[&apos;k&apos;] }}"/><w:bookmarkEnd w:id="1"/>'

    assert 'w:name="n-&quot;v&quot;"' in body(f"<w:p>{mark}</w:p>", data={"y": {"k": '"v"'}})


def test_paragraphs_of_a_value_may_have_attributes() -> None:
    """A sub-document read from a file that Word saved: its paragraphs have revision ids."""

    class Subdoc:
        def __html__(self) -> str:
            return (
                '<w:p w:rsidR="00AB12CD"><w:r><w:t xml:space="preserve">one\ttwo</w:t></w:r></w:p>'
                '<w:p w:rsidR="00AB12CD"/><w:p><w:r><w:t>three</w:t></w:r></w:p>'
            )

    xml = body(p("{{p sub }}"), data={"sub": Subdoc()})
    assert text(xml) == "onetwothree"
    assert xml.count("<w:tab/>") == 1 and xml.count("<w:p") >= 3


@pytest.mark.parametrize(
    "wrapper",
    [
        '<w:smartTag w:uri="u" w:element="e">{}</w:smartTag>', '<w:ins w:id="1" w:author="a">{}</w:ins>', '<w:hyperlink w:anchor="x">{}</w:hyperlink>',
        '<w:sdt><w:sdtPr><w:id w:val="1"/></w:sdtPr><w:sdtContent>{}</w:sdtContent></w:sdt>',
    ],
)  # fmt: skip
def test_what_stood_around_a_piece_of_a_tag_goes_with_it(wrapper: str) -> None:
    cut = f"<w:p>{run('{{ ')}{wrapper.format(run('na'))}{run('me }} on')}</w:p>"
    kept = f"<w:p>{run('{{ ')}{wrapper.format(run('name }} inside'))}{run(' on')}</w:p>"
    name = wrapper[1 : wrapper.index(" ")].partition(">")[0]

    assert name not in body(cut, data={"name": "n"})
    assert f"</{name}>" in body(kept, data={"name": "n"})
    assert "inside" in body(kept, data={"name": "n"})


def test_properties_that_tags_give_a_cell_stand_in_the_order_of_the_schema() -> None:
    rest = '<w:tcBorders/><w:vAlign w:val="center"/>'
    table = tbl(
        tr(tc("{% colspan n %}{% cellbg c %}a", properties=rest), "b"),
        tr("{%tr for r in rows %}", ""), tr(tc("{% vm %}{{ r }}", properties=rest), "x"), tr("{%tr endfor %}", ""),
        tr(tc("{%tc for r in rows %}"), tc("{% hm %}h", properties=rest), tc("{%tc endfor %}")),
    )  # fmt: skip
    out = body(table, p("z"), data={"n": 2, "c": "FF0000", "rows": [1, 2]})
    for properties in re.findall("<w:tcPr>(.*?)</w:tcPr>", out):
        names = re.findall(r"<w:(\w+)", properties)
        order = ["tcW", "gridSpan", "vMerge", "tcBorders", "shd", "vAlign"]
        assert names == sorted(names, key=order.index)
    assert {"gridSpan", "vMerge", "shd"} <= set(
        re.findall(r"<w:(\w+)", "".join(re.findall("<w:tcPr>.*?</w:tcPr>", out)))
    )


def test_a_block_that_begins_and_ends_in_other_cells_changes_the_grid() -> None:
    out = body(tbl(tr("{% for r in rows %}{{ r }}", "x{% endfor %}"), columns=2), p("z"), data={"rows": [1, 2, 3]})
    assert out.count("<w:tc>") == out.count("<w:gridCol ") == 4


@pytest.mark.parametrize(("value", "span"), [(2, 2), ("3", 3), (2.0, 2), (0, 1), (None, 1), ("", 1)])
def test_a_span_is_a_number_of_columns(value: object, span: int) -> None:
    out = body(tbl(tr("{% colspan n %}a", "b"), columns=2), p("z"), data={"n": value})
    assert f'<w:gridSpan w:val="{span}"/>' in out
    assert out.count("<w:gridCol ") == span + 1


@pytest.mark.parametrize(("value", "fill"), [("FF0000", "FF0000"), ("#00ff00", "00ff00"), ("auto", "auto"), ("", "auto"), (None, "auto")])  # fmt: skip
def test_a_background_is_a_colour(value: object, fill: str) -> None:
    assert f'w:fill="{fill}"' in body(tbl(tr("{% cellbg c %}a", "b"), columns=2), p("z"), data={"c": value})


@pytest.mark.parametrize("tag", ["{% cellbg v %}", "{% colspan v %}"])
@pytest.mark.parametrize("value", ["red", "#12345", 64, 10**9, -1e400, "1 or 2"])
def test_what_word_would_not_open_is_refused_in_a_cell(tag: str, value: object) -> None:
    with pytest.raises(GfdocsError, match=r"table 1 › row 1 › cell 1 › paragraph 1: error GF219"):
        body(tbl(tr(f"{tag}a", "b"), columns=2), data={"v": value})


@pytest.mark.parametrize("tag", ["{% cellbg v %}", "{% colspan v %}"])
@pytest.mark.parametrize("missing", ["blank", "mark"])
def test_a_missing_name_leaves_a_valid_cell(tag: str, missing: MissingPolicy) -> None:
    template = open_template(docx(tbl(tr(f"{tag}a", "b"), columns=2)), kind="docx")
    assert re.search('w:fill="auto"|w:gridSpan w:val="1"', read_part(template.render({}, missing=missing).to_bytes()))


@pytest.mark.parametrize("markup", ["<b>x</b>", "a <br/> b", "<w:r><w:t><i>x</i></w:t></w:r>"])
@pytest.mark.parametrize("tag", ["{{ v }}", "{{r v }}", "{{p v }}"])
def test_html_is_not_words_markup(markup: str, tag: str) -> None:
    with pytest.raises(GfdocsError, match=r"paragraph 1: error GF219 v: it brings markup that is not Word's"):
        body(p(tag), data={"v": Markup(markup)})


@pytest.mark.parametrize("tag", ["{{p nothing }}", "{{p '' }}", "{{p none }}"])
def test_a_paragraph_of_nothing_goes(tag: str) -> None:
    document = open_template(docx(p("a"), p(tag), p("z")), kind="docx").render({}, missing="blank")
    assert read_part(document.to_bytes()).count("<w:p>") == 2


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u200e"])
def test_signs_that_nobody_sees_do_not_spoil_a_tag(sign: str) -> None:
    cut = f"<w:p>{run('{{ na')}{run(sign + 'me ')}{run('}}')}</w:p>"
    inner = p(f"{{{{{sign} na{sign}me{sign} }}}}"), p(f"{{%{sign}p if name %}}"), cut, p(f"{{%p endif{sign} %}}")
    xml = body(*inner, p(f"{{{{ '{sign}x' }}}}"), data={"name": "n"})
    assert text(xml) == f"nn{sign}x"
