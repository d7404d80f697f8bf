"""Thirty faults planted in ten templates: each is found in one run of its template, at the place where its author looks."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError, Issue, Text
from tests.engine_docx.make import docx, p, run, tbl, tc, tr

Fault = tuple[str, str, str]  # code, place after the file name, a word of the message

TEMPLATES: dict[str, tuple[bytes, list[Fault]]] = {
    "syntax": (
        docx(p("{{ a + }}"), p("ok {{ b }}"), p("{{ c|uper }}"), p("{% if x = 1 %}y{% endif %}")),
        [
            ("GF201", "document › paragraph 1", "a +"),
            ("GF205", "document › paragraph 3", 'did you mean "upper"'),
            ("GF201", "document › paragraph 4", "x = 1"),
        ],
    ),
    "unclosed": (
        docx(p("{{ name and more"), p("{% if a"), p("{{ ok }}"), p("{% for r in rows %}{{ r }}")),
        [
            ("GF202", "document › paragraph 1", "}}"),
            ("GF202", "document › paragraph 2", "%}"),
            ("GF203", "document › paragraph 4", "never closed"),
        ],
    ),
    "nesting": (
        docx(p("{% for r in rows %}{% if r %}"), p("{% endfor %}"), p("{% endif %}"), p("{% else %}"), p("{% endwhile %}")),
        [
            ("GF203", "document › paragraph 1", '"if" is never closed'),
            ("GF203", "document › paragraph 3", "closes nothing"),
            ("GF203", "document › paragraph 4", "else"),
            ("GF203", "document › paragraph 5", "endwhile"),
        ],
    ),
    "rows": (
        docx(
            p("x"),
            tbl(tr("a", "b", "c"), tr("{%tr for r in rows %}", "swallowed", ""), tr("{{ r }}", "", ""), tr("{%tr endfor %}", "", "")),
            tbl(tr("{%tr for r in rows %}", "{%tr if r %}", ""), tr("{{ r }}", "", ""), tr("{%tr endif %}", "", ""), tr("{%tr endfor %}", "", "")),
            p("{%tr if x %}"),
        ),
        [
            ("GF206", "document › table 1 › row 2 › cell 1 › paragraph 1", "swallowed"),
            ("GF206", "document › table 2 › row 1 › cell 2 › paragraph 1", "second"),
            ("GF207", "document › paragraph 2", "stands in none"),
            ("GF203", "document › paragraph 2", "never closed"),
        ],
    ),
    "paragraphs": (
        docx(p("{%p if a %} lost words"), p("{%p endif %}"), p("{{p x }}{{ y }}")),
        [
            ("GF206", "document › paragraph 1", "lost words"),
            ("GF206", "document › paragraph 3", "{{ y }}"),
        ],
    ),
    "header and footer": (
        docx(p("{{ fine }}"), header=p("{{ head| }}"), footer=p("{% iff x %}")),
        [("GF201", "header › paragraph 1", "head|"), ("GF203", "footer › paragraph 1", 'did you mean "if"')],
    ),
    "notes": (
        docx(
            p("{{ fine }}"),
            footnotes=f'<w:footnote w:id="2">{p("{{ 1x }}")}</w:footnote>',
            endnotes=f'<w:endnote w:id="3">{p("{{ x|nosuch }}")}</w:endnote>',
            comments=f'<w:comment w:id="4" w:author="a">{p("{{ y")}</w:comment>',
        ),
        [
            ("GF201", "footnotes › footnote 2 › paragraph 1", "1x"),
            ("GF205", "endnotes › endnote 3 › paragraph 1", "nosuch"),
            ("GF202", "comments › comment 4 › paragraph 1", "}}"),
        ],
    ),
    "text box, once": (
        docx(p(
            '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:inline><wp:docPr id="3" name="b"/><a:graphic>'
            '<a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp><wps:txbx><w:txbxContent>'
            f'{p("{{ box+ }}")}</w:txbxContent></wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:inline></w:drawing></mc:Choice>'
            f'<mc:Fallback><w:pict><v:textbox><w:txbxContent>{p("{{ box+ }}")}</w:txbxContent></v:textbox></w:pict></mc:Fallback>'
            "</mc:AlternateContent></w:r>")),
        [("GF201", "document › paragraph 1 › text box 1 › paragraph 1", "box+")],
    ),
    "split over runs": (
        docx(p(run("{{ na"), run("me | low", "<w:rPr><w:b/></w:rPr>"), run("e }}")), tbl(tr("x", tc(tbl(tr("{{ deep) }}"), columns=1), p(""))), columns=2)),
        [
            ("GF205", "document › paragraph 1", 'did you mean "lower"'),
            ("GF201", "document › table 1 › row 1 › cell 2 › table 1 › row 1 › cell 1 › paragraph 1", "deep)"),
        ],
    ),
    "tests and includes": (
        docx(p("{% if a is definned %}{% endif %}"), p("{{ range(3 }}"), p("{% set %}"), p("{{ {'a': 1 }}"), p("{{ 'open }}"), p("{% endif %}")),
        [
            ("GF205", "document › paragraph 1", 'did you mean "defined"'),
            ("GF201", "document › paragraph 2", "range(3"),
            ("GF201", "document › paragraph 3", "set"),
            ("GF202", "document › paragraph 4", "}}"),
            ("GF201", "document › paragraph 5", "'open"),
            ("GF203", "document › paragraph 6", "closes nothing"),
        ],
    ),
}  # fmt: skip


def faults_of(data: bytes) -> tuple[Issue, ...]:
    with pytest.raises(GfdocsError) as caught:
        open_template(data, kind="docx", name="t.docx")
    return caught.value.issues


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_fault_is_found_at_its_place(name: str) -> None:
    data, planted = TEMPLATES[name]
    faults = [issue for issue in faults_of(data) if issue.severity != "note"]
    found = [(issue.code, str(issue.place), f"{issue.fact} {issue.hint}") for issue in faults]
    left = list(found)
    for code, place, word in planted:
        match = next((f for f in left if f[0] == code and f[1] == f"t.docx › {place}" and word in f[2]), None)
        assert match, f"{code} at {place} ({word}) is not among\n" + "\n".join(map(str, found))
        left.remove(match)
    assert left == [], "told more than was planted"


def test_there_are_thirty() -> None:
    assert len(TEMPLATES) == 10
    assert sum(len(planted) for _, planted in TEMPLATES.values()) >= 30


RENDER: list[tuple[bytes, dict[str, Any], list[Fault]]] = [
    (
        docx(p("{{ company.name }}"), p("{{ company.nmae }}"), tbl(tr("{%tr for c in rows %}", ""), tr("{{ c.x + 1 }}", "{{ c.y }}"), tr("{%tr endfor %}", ""), columns=2), header=p("{{ issuer }}")),
        {"company": {"name": "a"}, "rows": [{"x": 1, "y": 2}, {"x": "t", "y": 3}, {"x": 3, "y": "a\x0bb"}]},
        [
            ("GF204", "document › paragraph 2", 'did you mean "name"'),
            ("GF208", "document › table 1 › row 2 › cell 1 › paragraph 1", "rows[1].x"),
            ("GF211", "document › table 1 › row 2 › cell 2 › paragraph 1", "rows[2].y"),
            ("GF204", "header › paragraph 1", "issuer"),
        ],
    ),
    (
        docx(p("{% for c in missing_rows %}{{ c }}{% endfor %}"), p("{% if flag %}x{% endif %}"), p("{{ 1 / zero }}")),
        {"zero": 0},
        [
            ("GF204", "document › paragraph 1", "missing_rows"),
            ("GF204", "document › paragraph 2", "flag"),
            ("GF208", "document › paragraph 3", "ZeroDivisionError"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("data", "context", "planted"), RENDER)
def test_every_fault_of_a_render_is_told_in_one_run(data: bytes, context: dict[str, Any], planted: list[Fault]) -> None:
    template = open_template(data, kind="docx", name="t.docx")
    with pytest.raises(GfdocsError) as caught:
        template.render(context)
    found = [(issue.code, str(issue.place), f"{issue.fact} {issue.hint}") for issue in caught.value.issues]
    assert [(code, place) for code, place, _ in found] == [(code, f"t.docx › {place}") for code, place, _ in planted]
    for (_, _, text), (_, _, word) in zip(found, planted, strict=True):
        assert word in text


def test_messages_come_in_chinese_too() -> None:
    data, _ = TEMPLATES["rows"]
    texts = [issue.to_text("zh") for issue in faults_of(data)]
    assert any("会丢失" in text for text in texts)
    assert all("错误 GF2" in text or "提示 GF2" in text for text in texts)


def test_blocks_that_cross_elements_are_warned_of_and_never_give_broken_xml() -> None:
    data = docx(p("{% if a %}x", '<w:hyperlink w:anchor="l"><w:r><w:t>link{% endif %}</w:t></w:r></w:hyperlink>'))
    template = open_template(data, kind="docx", name="t.docx")
    assert [issue.code for issue in template.issues] == ["GF215"]
    assert template.render({"a": True}).to_bytes()
    with pytest.raises(GfdocsError, match=r"t\.docx › document › paragraph 1: error GF216"):
        template.render({"a": False})


def test_braces_that_nothing_opens_are_warned_of() -> None:
    template = open_template(docx(p("{ name }} and {{ a }}")), kind="docx", name="t.docx")
    assert [(issue.code, issue.severity) for issue in template.issues] == [("GF224", "warning")]


def test_a_tag_alone_in_its_paragraph_is_noted() -> None:
    template = open_template(
        docx(p("{% for r in rows %}"), p("{{ r }}"), p("{% endfor %}")), kind="docx", name="t.docx"
    )
    assert [(issue.code, issue.severity) for issue in template.issues] == [("GF225", "note")] * 2
    assert "{%p for r in rows %}" in template.issues[0].hint


@pytest.mark.parametrize(
    "tag",
    ["{{ q == 'x' }}", "{% if q == 'x' %}y{% endif %}", "{{ 'x' in q }}", "{{ q.n > 1 }}", "{% set z = q == 1 %}", "{% if a and q != 2 %}y{% endif %}"],
)  # fmt: skip
def test_a_comparison_fails_at_its_own_tag(tag: str) -> None:
    template = open_template(docx(p("{{ a }}"), p(tag), p("{{ a }}")), kind="docx", name="t.docx")
    with pytest.raises(GfdocsError) as caught:
        template.render({"a": 1})
    (issue,) = caught.value.issues
    assert (issue.code, issue.place.path) == ("GF204", ("document", "paragraph 2"))
    assert tag.partition("%}")[0] in issue.fact


@pytest.mark.parametrize(
    ("body", "code", "place", "hint"),
    [
        (p("{{{ a }}}"), "GF201", "paragraph 1", "two braces"),
        (p("{ { a } }"), "GF224", "paragraph 1", 'write "{{"'),
        (p("{% if a &amp;&amp; b %}x{% endif %}"), "GF201", "paragraph 1", 'write "and"'),
        (p("{% if a &lt;&gt; b %}x{% endif %}"), "GF201", "paragraph 1", 'write "!="'),
        (p("{{ company name }}"), "GF201", "paragraph 1", "no blanks"),
        (p("{{ a|default('x) }}"), "GF201", "paragraph 1", "quotation mark"),
        (p("{{r }}"), "GF201", "paragraph 1", "{{ r }}"),
        (p("{% if a %}{% elseif b %}{% endif %}"), "GF203", "paragraph 1", 'write "elif"'),
        (p("{% if a %}x{% endfor %}"), "GF203", "paragraph 1", 'ends with "endif"'),
        (p("{% vm %}x"), "GF207", "paragraph 1", ""),
        (p("{% cellbg 'FF0000' %}x"), "GF207", "paragraph 1", ""),
        (tbl(tr("{% for r in rows %}", ""), tr("{{ r }}", ""), tr("{% endfor %}", "")), "GF225", "table 1 › row 1 › cell 1 › paragraph 1", "{%tr for"),
    ],
)  # fmt: skip
def test_what_is_often_mistyped_is_told_with_what_to_write(body: str, code: str, place: str, hint: str) -> None:
    try:
        issues = open_template(docx(body), kind="docx", name="t.docx").issues
    except GfdocsError as fault:
        issues = fault.issues
    first = issues[0]
    assert (first.code, str(first.place)) == (code, f"t.docx › document › {place}")
    assert hint in first.hint


def test_an_unclosed_tag_is_shown_without_the_next_paragraph() -> None:
    with pytest.raises(GfdocsError) as caught:
        open_template(docx(p("{{ a"), p("another")), kind="docx")
    assert caught.value.issues[0].fact.endswith("{{ a")


def test_a_block_that_ends_elsewhere_is_told_in_words() -> None:
    link = '<w:hyperlink w:anchor="l"><w:r><w:t>link{% endif %}</w:t></w:r></w:hyperlink>'
    (issue,) = open_template(docx(p("{% if a %}x", link)), kind="docx").issues
    assert "begins in a text and ends in a hyperlink" in issue.fact
    assert isinstance(issue.fact, Text)
    assert "始于文字，止于超链接" in issue.fact.zh


@pytest.mark.parametrize("tag", ["{% vm %}x", "{% hm %}x", "{% vmerge 1 %}x"])
def test_a_merge_outside_of_a_loop_is_told_at_its_tag(tag: str) -> None:
    with pytest.raises(GfdocsError) as caught:
        open_template(docx(tbl(tr("a", tag))), kind="docx").render({})
    assert {issue.place.path for issue in caught.value.issues} == {("document", "table 1", "row 1", "cell 2", "paragraph 1")}  # fmt: skip
    assert all(tag[:8] in issue.fact for issue in caught.value.issues)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("word/charts/chart1.xml", "application/vnd.openxmlformats-officedocument.drawingml.chart+xml", "a chart"),
        ("word/diagrams/data1.xml", "application/vnd.openxmlformats-officedocument.drawingml.diagramData+xml", "in SmartArt"),
        ("docProps/custom.xml", "application/vnd.openxmlformats-officedocument.custom-properties+xml", "a property of your own"),
    ],
)  # fmt: skip
def test_tags_where_nothing_is_filled_in_are_told(name: str, kind: str, words: str) -> None:
    override = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'
    plain = docx(p("{{ a }}"), extra={name: "<x><y>{{ title }} { no }</y></x>"})
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(plain)) as old, zipfile.ZipFile(buffer, "w") as new:
        for member in old.namelist():
            new.writestr(member, old.read(member).replace(b"</Types>", override.encode()))
    template = open_template(buffer.getvalue(), kind="docx", name="t.docx")
    (issue,) = template.issues
    assert (issue.code, issue.severity, issue.place.path) == ("GF226", "warning", (name.rpartition("/")[2][:-4],))
    assert words in issue.fact
    assert "{{ title }}" in issue.fact
    assert template.names == ("a",)


def test_faults_come_in_the_order_of_the_document_whatever_they_are() -> None:
    inner = [p("{{ a + }}"), p("{{ b"), tbl(tr("{% iff %}", "{{ c"), tr("{{ d| }}", "x")), p("{ e }}"), p("{{ f f }}")]
    with pytest.raises(GfdocsError) as caught:
        open_template(docx(*inner), kind="docx")
    places = [" › ".join(issue.place.path[1:]) for issue in caught.value.issues]
    assert places == [
        "paragraph 1", "paragraph 2", "table 1 › row 1 › cell 1 › paragraph 1", "table 1 › row 1 › cell 2 › paragraph 1",
        "table 1 › row 2 › cell 1 › paragraph 1", "paragraph 3", "paragraph 4",
    ]  # fmt: skip
