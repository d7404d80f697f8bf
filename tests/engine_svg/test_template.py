"""A drawing as a template: data is text and only text, structure is the template's, faults have a line."""

from __future__ import annotations

import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from markupsafe import Markup

from gfdocs.engine.budget import Budget
from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError, NameMissing, PackageError, TagError, TemplateError

SVG = "{http://www.w3.org/2000/svg}"


def drawing(body: str, head: str = 'width="100mm" height="50mm" viewBox="0 0 100 50"') -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:gf="urn:gfdocs:svg" {head}>\n{body}\n</svg>'.encode()


def render(body: str, context: dict[str, Any], **more: Any) -> etree._Element:
    return etree.fromstring(open_template(drawing(body), name="a.svg").render(context, **more).to_bytes())


def codes(fault: pytest.ExceptionInfo[GfdocsError]) -> list[str]:
    return [issue.code for issue in fault.value.issues]


def test_text_and_attributes_are_filled() -> None:
    root = render(
        '<text x="{{ x }}">{{ name }}</text><rect fill="{% if ok %}red{% else %}blue{% endif %}"/>',
        {"x": 5, "name": "甲厂", "ok": True},
    )

    assert root.find(f"{SVG}text").text == "甲厂"
    assert root.find(f"{SVG}text").get("x") == "5"
    assert root.find(f"{SVG}rect").get("fill") == "red"


def test_elements_repeat_and_disappear_as_a_whole() -> None:
    root = render(
        '{% for n in names %}<text y="{{ loop.index }}">{{ n }}</text>{% endfor %}{% if no %}<g/>{% endif %}',
        {"names": ["甲", "乙"], "no": 0},
    )

    assert [t.text for t in root.iter(f"{SVG}text")] == ["甲", "乙"]
    assert root.find(f"{SVG}g") is None


@pytest.mark.parametrize(
    "value",
    ["R&D <节能> 公司", "</text><script>alert(1)</script>", "{{ 7*7 }}", "]]> &lt; &#65;", '"\' onload="x', "a\nb"],
)
def test_data_is_printed_as_typed(value: str) -> None:
    root = render('<text id="{{ v }}">{{ v }}</text><title>{{ v }}</title>', {"v": value})

    assert root.find(f"{SVG}text").text == value
    assert [child.tag for child in root] == [f"{SVG}text", f"{SVG}title"]


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=30
)


@settings(max_examples=150)
@given(TEXT)
def test_any_text_survives(value: str) -> None:
    # the overrides that make a text read otherwise than it is written are refused by name
    if any(0x202A <= ord(char) <= 0x202E or 0x2066 <= ord(char) <= 0x2069 for char in value):
        with pytest.raises(TemplateError) as fault:
            _PLAIN.render({"v": value})
        assert codes(fault) == ["GF211"]
        return
    root = etree.fromstring(_PLAIN.render({"v": value}).to_bytes())
    assert (root.find(f"{SVG}text").text or "") == value


_PLAIN = open_template(drawing("<text>{{ v }}</text>"), name="plain.svg")


def test_a_character_no_file_can_hold_is_refused_by_name() -> None:
    with pytest.raises(TemplateError) as fault:
        render("<text>{{ v }}</text>", {"v": "甲\x0b乙"})

    assert codes(fault) == ["GF211"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<script>1</script>", "script"),
        ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>', "foreignObject"),
        ('<h:script xmlns:h="http://www.w3.org/1999/xhtml"/>', "script"),
        ('<rect onclick="x()"/>', "onclick"),
        ('<image href="https://evil.example/x.png"/>', "https://evil.example"),
        ('<use xmlns:x="http://www.w3.org/1999/xlink" x:href="other.svg#a"/>', "other.svg"),
        ('<a href="javascript:alert(1)"/>', "javascript:"),
        ('<rect fill="url(http://evil.example/a#b)"/>', "evil.example"),
        ('<rect style="fill:url(//evil.example)"/>', "evil.example"),
        ('<style>@import "x.css";</style>', "@import"),
        ('<animate attributeName="href" to="x"/>', "animate"),
        ('<set attributeName="onclick" to="x"/>', "set"),
        ('<rect xml:base="http://evil.example/"/>', "xml:base"),
    ],
)
def test_a_template_that_would_run_or_fetch_is_refused(body: str, said: str) -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(drawing(f"<g/>\n{body}"), name="a.svg")

    issue = fault.value.issues[0]
    assert issue.code == "GF240" and said in issue.fact and said in issue.fact.zh
    assert issue.place.line == 3


def test_what_would_fetch_is_refused_when_it_comes_from_data() -> None:
    with pytest.raises(TemplateError) as fault:
        render(
            '<a href="{{ v }}"><rect style="{{ s }}"/></a>', {"v": "javascript:alert(1)", "s": "fill:url(http://x/)"}
        )
    assert codes(fault) == ["GF240", "GF240"]

    picture = "data:image/png;base64,iVBORw0KGgo="
    root = render('<image href="{{ v }}"/>', {"v": picture})
    assert root.find(f"{SVG}image").get("href") == picture


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not xml",
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg">&a;</svg>',
        "<svg xmlns='http://www.w3.org/2000/svg'><text>甲</text></svg>".encode("gbk"),
        b"<svg xmlns='http://www.w3.org/2000/svg'><text></svg>",
    ],
)
def test_what_is_no_safe_xml_is_one_clear_error(data: bytes) -> None:
    with pytest.raises(PackageError):
        open_template(data, kind="svg", name="a.svg")


def test_another_root_and_a_style_sheet_beside_it_are_refused() -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(b'<?xml-stylesheet href="x.css"?>\n<html/>', kind="svg", name="a.svg")
    assert set(codes(fault)) == {"GF240", "GF245"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{% if a %}<g>{% endif %}</g>", "GF242"),
        ("<g>{% for a in b %}</g>", "GF242"),
        ('<g id="{% if a %}" class="{% endif %}"/>', "GF242"),
        ("<text>{{ a<tspan>b }}</tspan></text>", "GF241"),
        ("{%tr for a in b %}<g/>{%tr endfor %}", "GF242"),
        ("{% else %}<g/>", "GF242"),
    ],
)
def test_tags_cannot_cut_elements(body: str, code: str) -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(drawing(body), name="a.svg")

    assert code in codes(fault)
    assert all(issue.place.line and issue.hint for issue in fault.value.issues)


def test_faults_are_told_with_the_line_of_the_file_and_all_at_once() -> None:
    body = "<!-- a\nb -->\n<text>{{ company.nmae }}</text>\n<g\n  id='x'>\n<text>{{ company.title }} {{ company.name }}</text></g>"
    with pytest.raises(NameMissing) as fault:
        render(body, {"company": {"name": "甲"}})

    places = [(issue.place.line, issue.fact) for issue in fault.value.issues]
    assert [line for line, _ in places] == [4, 7]
    assert "nmae" in places[0][1] and '"name"' in fault.value.issues[0].hint
    assert "company.title" in places[1][1]


def test_a_tag_that_does_not_parse_has_its_line() -> None:
    with pytest.raises(TagError) as fault:
        open_template(drawing("<g/>\n<text>{{ a b }}</text>"), name="a.svg")
    assert fault.value.issues[0].place.line == 3


def test_missing_names_follow_the_policy() -> None:
    assert render("<text>{{ x.y }}</text>", {}, missing="mark").find(f"{SVG}text").text == "【缺：x.y】"
    assert not render("<text>{{ x.y }}</text>", {}, missing="blank").find(f"{SVG}text").text


def test_the_names_a_drawing_needs_are_known() -> None:
    template = open_template(drawing('<text x="{{ a.x }}">{% for n in b %}{{ n.c }}{% endfor %}</text>'), name="a.svg")
    assert [str(name) for name in template.names] == ["a.x", "b", "b[].c"]


def test_an_ampersand_and_less_than_in_a_tag_are_written_as_xml_has_them() -> None:
    root = render('<text>{{ "是" if a &lt; 2 and "&amp;" == b else "否" }}</text>', {"a": 1, "b": "&"})
    assert root.find(f"{SVG}text").text == "是"


def test_an_attribute_may_be_set_beside_what_is_drawn() -> None:
    root = render('<rect width="5" gf:set-width="{{ w }}" gf:set-fill="{{ c }}"/>', {"w": 7, "c": "red"})
    assert dict(root.find(f"{SVG}rect").attrib) == {"width": "7", "fill": "red"}


@pytest.mark.parametrize(
    "attribute", ['gf:set-onclick="x()"', 'gf:set-href="http://x/"', 'gf:set-style="fill:url(http://x)"']
)
def test_what_is_set_is_checked_as_what_is_drawn(attribute: str) -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(drawing(f"<a {attribute}/>"), name="a.svg")
    assert codes(fault) == ["GF240"]


def test_a_drawing_without_a_true_size_is_noted() -> None:
    template = open_template(drawing("<g/>", 'width="100" height="50" viewBox="0 0 100 50"'), name="a.svg")
    assert [(issue.code, issue.severity) for issue in template.issues] == [("GF246", "note")]
    template = open_template(drawing("<g/>", 'width="100mm" height="50mm" viewBox="0 0 10 5"'), name="a.svg")
    assert [(issue.code, issue.severity) for issue in template.issues] == [("GF246", "note")]


def test_what_only_authors_need_is_left_out() -> None:
    body = (
        '<!-- {{ note }} --><g xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" inkscape:label="x">'
        '<inkscape:grid/><text font-size="5" gf:fit="50">{{ v }}</text></g>'
    )
    data = open_template(drawing(body), name="a.svg").render({"v": "甲"}).to_bytes()

    assert b"gfdocs" not in data and b"inkscape" not in data and b"<!--" not in data


def test_a_drawing_is_the_same_bytes_every_time_and_survives_pickling() -> None:
    template = open_template(drawing('<text font-size="5" gf:fit="50">{{ v }}</text>'), name="a.svg")
    first = template.render({"v": "甲厂"}).to_bytes()

    assert template.render({"v": "甲厂"}).to_bytes() == first
    assert pickle.loads(pickle.dumps(template)).render({"v": "甲厂"}).to_bytes() == first


# --- fitting within a drawing ----------------------------------------------------------------------------------------


def test_lines_keep_their_middle_and_share_size_and_width() -> None:
    body = '<text x="50" y="20" font-size="10" text-anchor="middle" gf:fit="60" gf:lines="2" gf:smallest="4">{{ v }}</text>'
    root = render(body, {"v": "示例精密电子（苏州）有限公司"})
    text = root.find(f"{SVG}text")
    lines = [(t.text, float(t.get("x")), float(t.get("y"))) for t in text]

    assert [line for line, _, _ in lines] == ["示例精密电子", "（苏州）有限公司"]
    assert {x for _, x, _ in lines} == {50.0}
    size = float(text.get("font-size", "10"))
    middle = sum(y for _, _, y in lines) / 2 - 0.38 * size
    assert middle == pytest.approx(20 - 3.8, abs=0.01)


def test_a_condensed_line_stays_where_it_was() -> None:
    root = render(
        '<text x="50" y="20" font-size="10" gf:fit="54" gf:condense="0.8">{{ v }}</text>', {"v": "六个字的名称"}
    )
    assert root.find(f"{SVG}text").get("transform") == "matrix(0.9 0 0 1 5 0)"


def test_a_tspan_as_drawing_programs_write_it_is_fitted_too() -> None:
    body = '<text font-size="10" gf:fit="40" gf:smallest="3"><tspan x="7" y="9">{{ v }}</tspan></text>'
    text = render(body, {"v": "示例电子有限公司"}).find(f"{SVG}text")
    assert text.get("x") == "7" and float(text.get("font-size")) < 10 and text.text == "示例电子有限公司"


def test_what_cannot_fit_is_an_issue_that_names_the_company() -> None:
    name = "示例" * 60 + "有限公司"
    with pytest.raises(TemplateError) as fault:
        render('<text font-size="10" gf:fit="50" gf:lines="2" gf:smallest="5">{{ v }}</text>', {"v": name})

    (issue,) = fault.value.issues
    assert issue.code == "GF244" and name in issue.fact and name in issue.fact.zh


@pytest.mark.parametrize(
    "attributes",
    [
        'gf:fit="wide"',
        'gf:fit="50" gf:lines="0"',
        'gf:fit="50" gf:condense="2"',
        'gf:fit="50" gf:colour="1"',
        'gf:fit="50" gf:align="left"',
    ],
)
def test_a_wrong_fit_is_told_at_opening(attributes: str) -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(drawing(f'<text font-size="5" {attributes}>{{{{ v }}}}</text>'), name="a.svg")
    assert codes(fault) == ["GF243"]


def test_a_fit_without_a_size_is_told_at_opening() -> None:
    with pytest.raises(TemplateError) as fault:
        open_template(drawing('<text gf:fit="50">{{ v }}</text>'), name="a.svg")
    assert codes(fault) == ["GF243"]


# --- words in a frame ------------------------------------------------------------------------------------------------

FRAMED = drawing(
    '<title>{{ a }} – {{ b }}</title><g id="{{ b }}"><text x="5" y="9" font-size="4" gf:fit="30" gf:lines="2">{{ a }}</text>'
    '{% if c %}<text gf:set-fill="{{ c }}">{{ b }}</text>{% endif %}</g>'
)
WORDS = st.one_of(
    TEXT,
    st.sampled_from(
        ["", " ", "甲厂", "R&D <节能>", '"', "&amp;", "a\r\nb", "<?gf 0?>", "]]>", "url(#a)", "url(http://x/)"]
    ),
)


@settings(max_examples=150)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=2, max_size=6))
def test_a_drawing_never_shows_what_was_drawn_before(contexts: list[tuple[str, str, str]]) -> None:
    def outcome(template: Any, values: tuple[str, str, str]) -> Any:
        try:
            return template.render(dict(zip("abc", values, strict=True))).to_bytes()
        except TemplateError as fault:
            return [(issue.code, issue.fact, issue.place) for issue in fault.issues]

    shared = open_template(FRAMED, name="a.svg")
    found = [outcome(shared, values) for values in (*contexts, *contexts)]
    assert found == [outcome(open_template(FRAMED, name="a.svg"), values) for values in (*contexts, *contexts)]


def test_threads_share_a_template() -> None:
    template = open_template(FRAMED, name="a.svg")
    contexts = [{"a": f"示例{n}厂", "b": f"B{n % 3}", "c": "red" if n % 2 else ""} for n in range(200)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda context: template.render(context).to_bytes(), contexts))

    assert found == [template.render(context).to_bytes() for context in contexts]
    assert all(f"示例{n}厂" in data.decode() for n, data in enumerate(found))


def test_what_the_last_drawings_left_is_bounded() -> None:
    template = open_template(
        drawing('<g id="{{ v }}"><text font-size="4" gf:fit="90">{{ w }}</text></g>'), name="a.svg"
    )
    tracemalloc.start()
    for n in range(1000):
        template.render({"v": f"{n}" + "甲" * 4000, "w": f"{n}"})
        template.render({"v": "", "w": f"{n}" + " " * 3000})
    used = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert used < 6_000_000  # the drawings alone are 12 MB


@pytest.mark.parametrize(
    "body",
    [
        "<style>{% if v %}{{ v }}{% endif %}</style>",
        "<style>a {}<title/>{{ v }}</style>",
        "<style><style/>{{ v }}</style>",
        "<style><style></style>{{ v }}</style>",
        '<s-x:style a="/>" xmlns:s-x="http://www.w3.org/2000/svg">{{ v }}</s-x:style>',
        "<style><![CDATA[{{ v }}]]></style>",
    ],
)
def test_a_style_sheet_is_never_mere_words(body: str) -> None:
    template = open_template(drawing(body), name="a.svg")
    template.render({"v": "a { fill: red }"})
    with pytest.raises(TemplateError) as fault:
        template.render({"v": '@import "http://evil.example/x.css";'})
    assert codes(fault) == ["GF240"]


def test_markup_of_its_own_is_checked_like_the_template() -> None:
    body = '<text font-size="5" gf:fit="50">{{ v }}</text>'
    assert render(body, {"v": Markup("<tspan>a</tspan>")}).find(f"{SVG}text").text == "a"
    with pytest.raises(TemplateError) as fault:
        render("<g>{{ v }}</g>", {"v": Markup("<script/>")})
    assert codes(fault) == ["GF240"]
    with pytest.raises(TemplateError) as fault:
        render("<g>{{ v }}</g>", {"v": Markup("<?gf 0?>")})
    assert codes(fault) == ["GF245"]


def test_words_beside_an_editors_element_stay() -> None:
    body = '<text xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"><inkscape:grid/>甲{{ v }}<inkscape:grid/>丙</text>'
    assert render(body, {"v": "乙"}).find(f"{SVG}text").text == "甲乙丙"


def test_words_are_counted_as_they_are_written() -> None:
    def make(times: int) -> Any:
        return open_template(drawing(f"<text>{{{{ '&amp;' * {times} }}}}</text>"), budget=Budget(characters=1000))

    make(150).render({})
    with pytest.raises(GfdocsError) as fault:
        make(300).render({})
    assert codes(fault) == ["GF210"]
