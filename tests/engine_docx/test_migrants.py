"""docxtpl's programs run with one changed import: sub-documents, links, replaced pictures, own environments."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import docx as python_docx
import jinja2
import pytest

from gfdocs.docx import Cm, DocxTemplate, Inches, InlineImage, Listing, Mm, Pt, R, RichText
from gfdocs.errors import GfdocsError
from tests.engine_docx.compare import differences
from tests.engine_docx.make import PNG, docx, p, picture, read_part, tbl, tr


def open_result(template: DocxTemplate) -> Any:
    return python_docx.Document(io.BytesIO(template.to_bytes()))


def test_path_in_path_out(tmp_path: Path) -> None:
    (tmp_path / "t.docx").write_bytes(docx(p("Hello {{ name }}")))
    template = DocxTemplate(tmp_path / "t.docx")
    template.render({"name": "R&D"})
    template.save(tmp_path / "out.docx")
    assert python_docx.Document(tmp_path / "out.docx").paragraphs[0].text == "Hello R&D"


def test_one_template_many_documents() -> None:
    template = DocxTemplate(docx(p("Hello {{ name }}")))
    texts = []
    for name in ("a", "b", "c"):
        template.render({"name": name})
        texts.append(open_result(template).paragraphs[0].text)
    assert texts == ["Hello a", "Hello b", "Hello c"]


def test_a_subdocument_brings_its_text_and_pictures() -> None:
    template = DocxTemplate(docx(p("before"), p("{{p sub }}"), p("after")))
    sub = template.new_subdoc()
    sub.add_paragraph("inside")
    sub.add_picture(io.BytesIO(PNG), width=Mm(10))
    template.render({"sub": sub})
    document = open_result(template)
    assert [paragraph.text for paragraph in document.paragraphs] == ["before", "inside", "", "after"]
    assert len(document.inline_shapes) == 1


def test_a_subdocument_from_a_file(tmp_path: Path) -> None:
    inner = python_docx.Document()
    inner.add_paragraph("from a file")
    inner.add_picture(io.BytesIO(PNG))
    inner.save(tmp_path / "sub.docx")
    outer = python_docx.Document()
    outer.add_paragraph("{{p sub }}")
    outer.save(tmp_path / "t.docx")
    template = DocxTemplate(tmp_path / "t.docx")
    template.render({"sub": template.new_subdoc(tmp_path / "sub.docx")})
    document = open_result(template)
    assert document.paragraphs[0].text == "from a file"
    assert len(document.inline_shapes) == 1


def test_links_lead_where_they_should_in_body_and_header() -> None:
    template = DocxTemplate(docx(p("see {{r link }}"), header=p("{{r link }}")))
    link = RichText("the site", url_id=template.build_url_id("https://example.com/?a=1&b=2"))
    template.render({"link": link})
    document = open_result(template)
    for part in (document.part, document.sections[0].header.part):
        targets = [rel.target_ref for rel in part.rels.values() if rel.reltype.endswith("/hyperlink")]
        assert targets == ["https://example.com/?a=1&b=2"]


def test_pictures_in_header_and_loop_share_one_media_part() -> None:
    template = DocxTemplate(docx(p("{% for r in rows %}{{ img }}{% endfor %}"), header=p("{{ img }}")))
    template.render(
        {"rows": [1, 2, 3], "img": InlineImage(template, io.BytesIO(PNG), width=Cm(1), anchor="https://example.com")}
    )
    document = open_result(template)
    assert len(document.inline_shapes) == 3
    assert [shape.width for shape in document.inline_shapes] == [Cm(1)] * 3
    with zipfile.ZipFile(io.BytesIO(template.to_bytes())) as zipped:
        assert sum(name.startswith("word/media/") for name in zipped.namelist()) == 1
    xml = read_part(template.to_bytes())
    ids = [part.split('"')[0] for part in xml.split('<wp:docPr id="')[1:]]
    assert len(set(ids)) == 3


def test_a_picture_that_is_none_is_told_with_its_place(tmp_path: Path) -> None:
    template = DocxTemplate(docx(p("x"), p("{{ img }}")))
    with pytest.raises(GfdocsError, match=r"paragraph 2.*GF219.*nowhere\.png"):
        template.render({"img": InlineImage(template, str(tmp_path / "nowhere.png"))})
    with pytest.raises(GfdocsError, match="not a picture"):
        template.render({"img": InlineImage(template, io.BytesIO(b"text"))})


def test_a_damaged_picture_is_told_as_one() -> None:
    good = PNG[:40]
    for data in (good, PNG[:16] + b"\0\0\0\0" * 2 + PNG[24:], b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(3), b"GIF89a"):
        template = DocxTemplate(docx(p("{{ img }}")))
        with pytest.raises(
            GfdocsError, match=r"paragraph 1.*GF219 img: (a damaged picture|a picture without width|not a picture)"
        ):
            template.render({"img": InlineImage(template, data)})


def test_replacing_pictures_media_files_and_members() -> None:
    new = PNG + b"new"
    data = docx(
        p("{{ a }}"), p(picture("dummy.png")), media=True, extra={"word/embeddings/e.txt": "old", "word/other.bin": "o"}
    )

    def media(template: DocxTemplate, name: str = "word/media/image1.png") -> bytes:
        with zipfile.ZipFile(io.BytesIO(template.to_bytes())) as zipped:
            return zipped.read(name)

    template = DocxTemplate(data)
    template.replace_pic("dummy.png", io.BytesIO(new))
    template.render({"a": 1})
    assert media(template) == new
    template.reset_replacements()
    assert media(template) == PNG
    template.replace_media(io.BytesIO(PNG), io.BytesIO(new))
    template.replace_embedded(io.BytesIO(b"old"), io.BytesIO(b"fresh"))
    template.replace_zipname("word/other.bin", io.BytesIO(b"replaced"))
    assert media(template) == new
    assert media(template, "word/embeddings/e.txt") == b"fresh"
    assert media(template, "word/other.bin") == b"replaced"
    template.replace_pic("nothing.png", io.BytesIO(new))
    with pytest.raises(GfdocsError, match=r"GF217.*nothing\.png"):
        template.to_bytes()
    template.allow_missing_pics = True
    assert template.to_bytes()


def test_an_own_environment_keeps_filters_globals_loader_and_stays_sandboxed() -> None:
    environment = jinja2.Environment(loader=jinja2.DictLoader({"part": "[{{ a }}]"}))
    environment.filters["twice"] = lambda value: value * 2
    environment.globals["company"] = "C"
    environment.tests["big"] = lambda value: value > 5
    template = DocxTemplate(docx(p('{{ a|twice }} {{ company }} {% if 9 is big %}big{% endif %} {% include "part" %}')))
    template.render({"a": "x<"}, environment)
    assert open_result(template).paragraphs[0].text == "x<x< C big [x<]"
    template = DocxTemplate(docx(p("{{ a.__class__.__mro__ }}")))
    with pytest.raises(GfdocsError, match="GF209"):
        template.render({"a": "x"}, environment)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("variable_start_string", "[["), ("block_end_string", "%]"), ("comment_start_string", "<#"), ("line_statement_prefix", "##"),
        ("line_comment_prefix", "//"), ("finalize", str), ("enable_async", True),
    ],
)  # fmt: skip
def test_options_of_an_environment_that_are_not_followed_are_refused_by_name(option: str, value: Any) -> None:
    options: dict[str, Any] = {option: value}
    environment = jinja2.Environment(**options)

    with pytest.raises(ValueError, match="is_async" if option == "enable_async" else option):
        DocxTemplate(docx(p("{{ a }}"))).render({"a": 1}, environment)


def test_a_context_whose_keys_are_no_texts_is_refused_by_the_key() -> None:
    odd: Any = {1: 2, "a": 3}

    with pytest.raises(TypeError, match="texts, not 1"):
        DocxTemplate(docx(p("{{ a }}"))).render(odd)


@pytest.mark.parametrize("value", [b"abc", bytearray(b"abc"), [b"abc"]])
def test_bytes_are_no_text(value: Any) -> None:
    with pytest.raises(GfdocsError, match=r"GF219 a: a byte(s|array) is"):
        DocxTemplate(docx(p("{{ a }}"))).render({"a": value})


def test_names_needed() -> None:
    template = DocxTemplate(docx(p("{{ a.b }} {% for r in rows %}{{ r.x }}{% endfor %}"), header=p("{{ h }}")))
    assert template.get_undeclared_template_variables() == {"a", "rows", "h"}
    assert template.get_undeclared_template_variables(context={"a": 1}) == {"rows", "h"}


def test_the_python_docx_document_behind_it_can_be_changed() -> None:
    template = DocxTemplate(docx(p("{{ a }}")))
    template.get_docx().add_paragraph("{{ b }}")
    template.render({"a": 1, "b": 2})
    template.docx.add_paragraph("later")
    assert [paragraph.text for paragraph in open_result(template).paragraphs] == ["1", "2", "later"]
    assert len(template.sections) == 1


def test_missing_names_as_docxtpl_had_them() -> None:
    template = DocxTemplate(docx(p("[{{ a }}{% if b.c %}x{% endif %}]")), missing="blank")
    template.render({})
    assert open_result(template).paragraphs[0].text == "[]"
    with pytest.raises(GfdocsError, match="GF204"):
        template.render({}, missing="error")


def test_lengths() -> None:
    assert (Mm(10), Cm(1), Inches(1), Pt(72)) == (360_000, 360_000, 914_400, 914_400)
    assert Mm(10).cm == 1


def test_rich_text_is_valid_where_docxtpls_is_not() -> None:
    rich = RichText(
        "x", bold=True, font="eastAsia:仿宋", color="#ff0000", highlight="ffff00", size=32, style="s", underline=True
    )
    order = [
        part.split("/>")[0].split()[0] for part in rich.xml.split("<w:rPr>")[1].split("</w:rPr>")[0].split("<w:")[1:]
    ]
    assert order == ["rStyle", "rFonts", "b", "color", "sz", "szCs", "u", "shd"]
    assert R is RichText


def test_listing_in_a_table_keeps_the_formatting_of_the_cell() -> None:
    bold = '<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">{{ l }}</w:t></w:r>'
    template = DocxTemplate(docx(tbl(tr(f"<w:tc><w:tcPr/>{p(bold)}</w:tc>"), columns=1)))
    template.render({"l": Listing("a\nb\ac")})
    cell = open_result(template).tables[0].rows[0].cells[0]
    assert [paragraph.text for paragraph in cell.paragraphs] == ["a\nb", "c"]
    assert all(run.bold for paragraph in cell.paragraphs for run in paragraph.runs if run.text)


def test_who_gathers_values_in_a_list_is_told_how() -> None:
    with pytest.raises(GfdocsError, match=r"GF209 .*\n.*ns\.xs = ns\.xs \+ \[x\]"):
        DocxTemplate(docx(p("{% set xs = [] %}{% set _ = xs.append(1) %}{{ xs }}"))).render({})
    template = DocxTemplate(docx(p("{% set ns = namespace(xs=[]) %}{% for r in rows %}{% set ns.xs = ns.xs + [r * 2] %}{% endfor %}{{ ns.xs|join('-') }}")))  # fmt: skip
    template.render({"rows": [1, 2, 3]})
    assert open_result(template).paragraphs[0].text == "2-4-6"


@pytest.mark.parametrize("text", ["a\ab", "a\fb\n\tc\a", "\aR&D <b>\f"])
def test_signs_for_paragraphs_and_pages_in_plain_texts_on_demand(text: str) -> None:
    import docxtpl

    bold = '<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">x {{ v }} y</w:t></w:r>'
    data = docx(p(bold, style='<w:pPr><w:jc w:val="center"/></w:pPr>'), tbl(tr("{%tr for r in rows %}"), tr("{{ r }}"), tr("{%tr endfor %}"), columns=1), p("z"))  # fmt: skip
    context = {"v": text, "rows": [text] * 9}
    ours, theirs = DocxTemplate(data, breaks=True), docxtpl.DocxTemplate(io.BytesIO(data))
    ours.render(context)
    theirs.render(context, autoescape=True)
    saved = io.BytesIO()
    theirs.save(saved)
    assert differences(ours.to_bytes(), saved.getvalue()) == []
    with pytest.raises(GfdocsError, match=r"GF211 .*\n.*breaks=True"):
        DocxTemplate(data).render(context)


@pytest.mark.parametrize(
    "font", ["Arial", "eastAsia:微软雅黑", "cs:Arial", "hAnsi:Arial", "ascii:Arial", 'odd:A"<r>ial', ":x"]
)
def test_a_font_for_any_signs_is_written_once(font: str) -> None:
    template = DocxTemplate(docx(p("{{r v }}")))
    template.render({"v": RichText("中a", font=font)})
    (run,) = [run for run in open_result(template).paragraphs[0].runs if run.text]
    assert run.text == "中a"
    assert run.font.name == font.rpartition(":")[2]
