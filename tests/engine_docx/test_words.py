"""What gfdocs adds to docxtpl's words, and what its documents never are: gapped, invalid, unlike from run to run."""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import docx as python_docx
import pytest
from openxml_audit import OpenXmlValidator

from gfdocs.docx import InlineImage, Listing, Mm, RichText
from gfdocs.engine import package
from gfdocs.engine.template import Template, open_template
from tests.engine_docx.make import PNG, W, docx, p, read_part, run, tbl, tc, tr

ROWS = [
    {"district": "昆山市", "kind": "工厂", "name": "甲", "n": 1},
    {"district": "昆山市", "kind": "工厂", "name": "乙", "n": 2},
    {"district": "昆山市", "kind": "园区", "name": "丙", "n": 4},
    {"district": "吴江区", "kind": "园区", "name": "丁", "n": 8},
]


def render(data: bytes, context: dict[str, Any], **options: Any) -> bytes:
    return open_template(data, kind="docx", name="t.docx").render(context, **options).to_bytes()


def opened(data: bytes) -> Any:
    return python_docx.Document(io.BytesIO(data))


def merges(data: bytes) -> list[list[str]]:
    table = re.search(r"<w:tbl>.*</w:tbl>", read_part(data), re.DOTALL)
    assert table
    rows = re.findall(r"<w:tr[ >].*?</w:tr>", table.group(), re.DOTALL)
    cells = [re.findall(r"<w:tc>.*?</w:tc>", row, re.DOTALL) for row in rows]
    return [[(re.search(r'<w:vMerge w:val="(\w+)"', cell) or [None, "-"])[1] for cell in row] for row in cells]


def test_equal_cells_are_merged_down_a_column_by_group() -> None:
    data = docx(tbl(
        tr("{%tr for r in rows %}", "", ""),
        tr(tc("{% vmerge r.district %}{{ r.district }}"), tc(p(run("{{ r.kind }}{% vmerge r.district ~ r.kind %}"))), "{{ r.name }}"),
        tr("{%tr endfor %}", "", ""),
    ))  # fmt: skip
    out = render(data, {"rows": ROWS})
    assert merges(out) == [
        ["restart", "restart", "-"],
        ["continue", "continue", "-"],
        ["continue", "restart", "-"],
        ["restart", "restart", "-"],
    ]
    table = opened(out).tables[0]
    assert [cell.text for cell in table.columns[0].cells] == ["昆山市"] * 3 + ["吴江区"]
    assert read_part(out).count("昆山市") == 1


def test_groups_with_subtotals() -> None:
    data = docx(tbl(
        tr("{%tr for district, members in rows|groupby('district') %}", "", ""),
        tr("{%tr for r in members %}", "", ""),
        tr(tc("{% vmerge district %}{{ district }}"), "{{ r.name }}", "{{ r.n }}"),
        tr("{%tr endfor %}", "", ""),
        tr("小计", "{{ members|length }}", "{{ members|sum(attribute='n') }}"),
        tr("{%tr endfor %}", "", ""),
        tr("合计", "{{ rows|length }}", "{{ rows|sum(attribute='n') }}"),
    ))  # fmt: skip
    rows = [[cell.text for cell in row.cells] for row in opened(render(data, {"rows": ROWS})).tables[0].rows]
    assert rows[1] == ["小计", "1", "8"]
    assert rows[-2:] == [["小计", "3", "7"], ["合计", "4", "15"]]


def test_no_blank_paragraph_row_or_cell_is_left_behind() -> None:
    data = docx(
        p("{%p for r in rows %}"), p("{{ r }}"), p("{%p endfor %}"),
        tbl(tr("{%tr for r in rows %}"), tr("{{ r }}"), tr("{%tr endfor %}"), columns=1),
        tbl(tr("a", tc("{%tc if x %}"), tc("b"), tc("{%tc endif %}")), columns=4),
        tbl(tr(tc(p("{%p if x %}"), p("y"), p("{%p endif %}"))), columns=1),
    )  # fmt: skip
    out = render(data, {"rows": [], "x": False})
    document = opened(out)
    assert [paragraph.text for paragraph in document.paragraphs] == []
    assert len(document.tables) == 2, "a table without rows is not written"
    assert len(document.tables[0].columns) == 1
    assert read_part(out).count("<w:p/>") == 1, "the cell that lost its paragraph got an empty one"


def test_page_breaks_between_sections() -> None:
    data = docx(
        p("{%p for r in rows %}"),
        p("{{ r.name }}{% if not loop.last %}{{ page_break }}{% endif %}"),
        p("{%p endfor %}"),
    )
    assert read_part(render(data, {"rows": ROWS})).count('<w:br w:type="page"/>') == 3


def test_quotes_and_dashes_between_chinese_are_set_in_the_chinese_font() -> None:
    fonts = '<w:rPr><w:rFonts w:ascii="Times New Roman" w:eastAsia="仿宋"/><w:b/></w:rPr>'
    data = docx(p(run("{{ a }} tail", fonts)))
    chinese = read_part(render(data, {"a": "所谓“绿色”……—"}))
    assert re.search(
        r'<w:rFonts w:hint="eastAsia" w:ascii="Times New Roman" w:eastAsia="仿宋"/><w:b/></w:rPr><w:t xml:space="preserve">所谓“绿色”……—',
        chinese,
    )
    assert chinese.count("w:hint") == 1, "only the value's own run"
    assert "w:hint" not in read_part(render(data, {"a": "a “quoted” word"})), "English quotes stay English"


def test_a_marked_name_is_highlighted_and_the_rest_keeps_its_formatting() -> None:
    bold = '<w:rPr><w:b/><w:u w:val="single"/></w:rPr>'
    out = render(docx(p(run("a {{ c.name }} b", bold))), {"c": {}}, missing="mark")
    runs = opened(out).paragraphs[0].runs
    assert [r.text for r in runs] == ["a ", "【缺：c.name】", " b"]
    assert [r.font.highlight_color for r in runs] == [None, 7, None]
    assert all(r.bold for r in runs)


def test_fields_and_content_controls_are_ready_for_word() -> None:
    toc = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC \\o "1-3"</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="separate"/></w:r><w:r><w:t>old</w:t></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
    )
    control = (
        '<w:sdt><w:sdtPr><w:showingPlcHdr/><w:dataBinding w:xpath="/x" w:storeItemID="{{1}}"/></w:sdtPr><w:sdtContent>'
        + tbl(tr("{%tr for r in rows %}"), tr("{{ r.name }}"), tr("{%tr endfor %}"), columns=1)
        + "</w:sdtContent></w:sdt>"
    )
    xml = read_part(render(docx(p(toc), control.replace("{{1}}", "1")), {"rows": ROWS}))
    assert 'w:fldCharType="begin" w:dirty="true"' in xml
    assert "showingPlcHdr" not in xml
    assert "dataBinding" not in xml
    assert xml.count("<w:tr>") == 4


def test_data_cannot_leave_the_code_of_a_field() -> None:
    data = docx(
        p(
            '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>HYPERLINK "{{ url }}"</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'
        )
    )
    assert 'HYPERLINK "https://x/?a=1&amp;b"' in read_part(render(data, {"url": "https://x/?a=1&b"})).replace(
        "&quot;", '"'
    )
    with pytest.raises(Exception, match="GF219"):
        render(data, {"url": 'x" \\o "y'})


def test_attributes_take_text() -> None:
    data = docx(
        p(
            '<w:sdt><w:sdtPr><w:alias w:val="{{ a }}"/></w:sdtPr><w:sdtContent><w:r><w:t>x</w:t></w:r></w:sdtContent></w:sdt>'
        )
    )
    assert 'w:val="a &lt;&quot;b&quot;&gt;"' in read_part(render(data, {"a": 'a <"b">'}))


def test_ids_in_loops_stay_unique() -> None:
    body = p('<w:bookmarkStart w:id="0" w:name="here"/>', "{{ r.name }}", '<w:bookmarkEnd w:id="0"/>')
    xml = read_part(
        render(
            docx(
                p("{%p for r in rows %}"),
                body.replace("<w:p>", '<w:p w14:paraId="1A2B3C4D" w14:textId="77777777">'),
                p("{%p endfor %}"),
            ),
            {"rows": ROWS},
        )
    )
    assert re.findall(r'w:bookmarkStart w:id="(\d+)" w:name="(\w+)"', xml) == [
        ("0", "here"),
        ("1", "here_2"),
        ("2", "here_3"),
        ("3", "here_4"),
    ]
    assert "paraId" not in xml


def test_names_with_kinds_and_places() -> None:
    template = open_template(
        docx(
            p("{{ a.b }}{% if flag %}{% endif %}"),
            tbl(tr("{%tr for r in rows %}"), tr("{{ r.name|default('') }}"), tr("{%tr endfor %}"), columns=1),
        ),
        kind="docx",
        name="t.docx",
    )
    assert [(str(name), name.kind, str(name.place), name.optional) for name in template.names] == [
        ("a.b", "value", "t.docx › document › paragraph 1", False),
        ("flag", "condition", "t.docx › document › paragraph 1", False),
        ("rows", "list", "t.docx › document › table 1 › row 1 › cell 1 › paragraph 1", False),
        ("rows[].name", "value", "t.docx › document › table 1 › row 2 › cell 1 › paragraph 1", True),
    ]
    issues = template.lint({"a": {"b": 1}, "rows": [{"nmae": 1}], "spare": 1}, unused=True)
    assert [(issue.code, issue.severity) for issue in issues] == [
        ("GF204", "error"),
        ("GF204", "note"),
        ("GF213", "note"),
        ("GF213", "note"),
    ]


def everything() -> tuple[bytes, dict[str, Any]]:
    data = docx(
        p("{{ title }}"), p("{{r rich }}"), p("{{ listing }}"), p("{{ img }}"),
        tbl(tr("{%tr for r in rows %}", "", ""), tr(tc("{% vmerge r.district %}{{ r.district }}"), "{{ r.name }}", "{{ r.n }}"), tr("{%tr endfor %}", "", "")),
        p("end"), header=p("{{ title }}"),
    )  # fmt: skip
    rich = RichText(
        "x & y", bold=True, color="ff0000", font="eastAsia:仿宋", size=28, underline="wave", highlight="ffff00"
    )
    return data, {
        "title": "R&D“甲”\n<b>\t", "rich": rich, "listing": Listing("1\a2\f3"), "rows": ROWS,
        "img": InlineImage(None, PNG, width=Mm(10)),
    }  # fmt: skip


def test_the_result_is_valid_ooxml(tmp_path: Any) -> None:
    data, context = everything()
    blank = docx(p("x"), header=p("y"))
    found = []
    for name, content in (("blank.docx", blank), ("out.docx", render(data, context))):
        (tmp_path / name).write_bytes(content)
        found.append({error.description for error in OpenXmlValidator().validate(str(tmp_path / name)).errors})
    assert found[1] - found[0] == set(), "nothing beyond what the bare test file lacks (styles, settings)"


def test_same_input_same_bytes_and_untouched_parts_are_copied() -> None:
    data, context = everything()
    template = open_template(data, kind="docx")
    first = template.render(context).to_bytes()
    assert (
        first == template.render(context).to_bytes() == pickle.loads(pickle.dumps(template)).render(context).to_bytes()
    )
    with zipfile.ZipFile(io.BytesIO(first)) as zipped:
        assert zipped.testzip() is None
        assert zipped.namelist()[0] == "[Content_Types].xml"
        assert {info.date_time for info in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("deflater", ["zlib", "isal"])
def test_the_content_is_the_same_whatever_deflates_it(deflater: str) -> None:
    data, context = everything()
    expected = render(data, context)
    package.use_deflater(deflater)
    try:
        again = render(data, context)
    finally:
        package._deflaters.clear()
    with zipfile.ZipFile(io.BytesIO(expected)) as left, zipfile.ZipFile(io.BytesIO(again)) as right:
        assert left.namelist() == right.namelist()
        assert all(left.read(name) == right.read(name) for name in left.namelist())


def test_threads_share_one_template() -> None:
    template = open_template(
        docx(p("{% for r in rows %}{{ r.name }}{{ who }}{% endfor %}"), header=p("{{ who }}")), kind="docx"
    )

    def job(number: int) -> bool:
        document = opened(template.render({"rows": ROWS * 20, "who": f"<{number}>"}).to_bytes())
        return (
            document.sections[0].header.paragraphs[0].text == f"<{number}>"
            and document.paragraphs[0].text.count(f"<{number}>") == 80
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(job, range(60)))


def test_a_template_never_changes() -> None:
    template: Template = open_template(docx(p("{{ a }}")), kind="docx", name="t.docx")
    with pytest.raises(AttributeError):
        template.name = "x"  # type: ignore[misc]
    assert repr(template) == "<Template 't.docx': docx, 1 names>"
    assert re.fullmatch(r"<Document 't.docx': docx, [\d,]+ bytes>", repr(template.render({"a": 1})))


class Odd(str):
    """A text that brings markup of its own."""

    __slots__ = ()

    def __html__(self) -> str:
        return "<w:r><w:t>odd</w:t></w:r>"


def test_every_kind_of_row_prints_alike() -> None:
    """Rows of plain keys are printed in bulk; one odd value, an object or a missing key takes the long way."""
    from types import SimpleNamespace

    data = docx(
        tbl(tr("{%tr for r in rows %}", ""), tr("{{ r.a }}", "[{{ r.b }}]"), tr("{%tr endfor %}", ""), columns=2)
    )

    def cells(rows: Any, **options: Any) -> list[list[str]]:
        table = opened(render(data, {"rows": rows}, **options)).tables[0]
        return [[cell.text for cell in row.cells] for row in table.rows]

    plain = [{"a": f"甲&{n}", "b": n} for n in range(600)]
    expected = [[f"甲&{n}", f"[{n}]"] for n in range(600)]
    assert cells(plain) == expected
    assert cells([SimpleNamespace(**row) for row in plain]) == expected
    assert cells(iter(plain)) == expected
    assert cells(plain[:1]) == expected[:1]
    mixed = [
        *plain[:300],
        {"a": "“x”\n\ty", "b": None},
        {"a": Odd("?"), "b": 1.5},
        {"a": "\ua9c1", "b": True},
        *plain[300:],
    ]
    assert cells(mixed) == [
        *expected[:300],
        ["“x”\n\ty", "[]"],
        ["odd", "[1.5]"],
        ["\ua9c1", "[True]"],
        *expected[300:],
    ]
    assert cells([*plain, {"a": "z"}], missing="mark")[-1] == ["z", "[【缺：r.b】]"]


def rewritten(data: bytes, change: Any) -> bytes:
    """The document with its body part changed by a function of its bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content.decode()) if name == "word/document.xml" else content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "change",
    [
        lambda xml: re.sub(r"(</?| |xmlns:)w([:=])", r"\1ns0\2", xml),
        lambda xml: (
            re.sub(r"(</?)w:", r"\1", xml)
            .replace(" w:", " x:")
            .replace(W, W.replace(":w", "") + " " + W.replace(":w", ":x"))
        ),
        lambda xml: "\ufeff" + xml,
        lambda xml: xml.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        lambda xml: xml.replace("><", ">\n  <"),
        lambda xml: xml.replace('"', "'"),
        lambda xml: re.sub(r"(\{\{ r\.name \}\})", r"<![CDATA[\1]]>", xml),
        lambda xml: xml.replace("<w:body>", "<!-- {{ no tag }} --><w:body>"),
    ],
    ids=["other prefix", "no prefix", "byte order mark", "UTF-16", "indented", "single quotes", "CDATA", "comment"],
)
def test_xml_however_it_is_written(change: Any) -> None:
    data = docx(
        p("{{ a }}", "{%r if a %}", "b", "{%r endif %}"),
        tbl(tr("{%tr for r in rows %}"), tr("{{ r.name }}"), tr("{%tr endfor %}"), columns=1),
    )
    document = opened(render(rewritten(data, change), {"a": "x & y", "rows": ROWS}))
    assert document.paragraphs[0].text == "x & yb"
    assert [row.cells[0].text for row in document.tables[0].rows] == ["甲", "乙", "丙", "丁"]
