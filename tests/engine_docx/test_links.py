"""Hyperlinks whose address has a tag: filled in, written as an address is, and never a way to start a program."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx as python_docx
import pytest

from gfdocs import PackageError, TemplateError
from gfdocs.docx import InlineImage, RichText
from gfdocs.engine.template import Template, open_template
from tests.engine_docx.make import PNG, docx, p, read_part

LINK = '<w:hyperlink r:id="rIdL"><w:r><w:t>{{ name }}</w:t></w:r></w:hyperlink>'
HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def edited(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return buffer.getvalue()


def linked(target: str, *body: str) -> Template:
    """The template of a paragraph with a link that leads to `target`."""
    relation = f'<Relationship Id="rIdL" Type="{HYPERLINK}" Target="{target}" TargetMode="External"/></Relationships>'

    def add(name: str, data: bytes) -> bytes:
        end = b"</Relationships>"
        return data.replace(end, relation.encode()) if name == "word/_rels/document.xml.rels" else data

    return open_template(edited(docx(f"<w:p>{LINK}</w:p>", *body), add), kind="docx", name="t.docx")


def address(data: bytes) -> str:
    document = python_docx.Document(io.BytesIO(data))
    return str(document.part.rels["rIdL"].target_ref)


@pytest.mark.parametrize("target", ["%7B%7B%20url%20%7D%7D", "{{ url }}", "%7b%7burl%7d%7d"])
def test_the_address_is_filled_in(target: str) -> None:
    template = linked(target)

    assert {"url", "name"} <= set(template.names)
    assert (
        address(template.render({"name": "n", "url": "https://a.example/b?c=1&d=2"}).to_bytes())
        == "https://a.example/b?c=1&d=2"
    )


def test_a_part_of_an_address_is_written_as_addresses_are() -> None:
    template = linked("https://a.example/%7B%7B c.code %7D%7D?q={% if c.q %}%7B%7B c.q %7D%7D{% endif %}")

    filled = template.render({"name": "n", "c": {"code": "甲 1", "q": '"<'}}).to_bytes()

    assert address(filled) == "https://a.example/%E7%94%B2%201?q=%22%3C"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JavaScript:alert(1)", "file:///etc/passwd", r"\\server\share", "C:/a.exe"]
)
def test_an_address_that_starts_a_program_is_refused(url: str) -> None:
    with pytest.raises(TemplateError) as caught:
        linked("{{ url }}").render({"name": "n", "url": url})

    (issue,) = caught.value.issues
    assert issue.code == "GF219"
    assert str(issue.place) == "t.docx › document › hyperlink"


def test_pieces_that_make_one_are_refused_too() -> None:
    with pytest.raises(TemplateError, match="GF219"):
        linked("{{ a }}{{ b }}").render({"name": "n", "a": "java", "b": "script:x()"})


def test_a_missing_address_is_told_with_its_place() -> None:
    with pytest.raises(TemplateError, match=r"document: error GF204.*url"):
        linked("{{ url }}").render({"name": "n"})


def test_pictures_and_other_links_of_the_part_are_related_beside_it() -> None:
    rich = RichText()
    rich.add("there", url_id="rIdOther")
    template = linked("{{ url }}", p("{{ picture }}"))

    filled = template.render({"name": "n", "url": "https://a.example", "picture": InlineImage(None, PNG)}).to_bytes()

    assert address(filled) == "https://a.example"
    assert read_part(filled, "word/_rels/document.xml.rels").count("relationships/image") == 1
    assert zipfile.ZipFile(io.BytesIO(filled)).namelist().count("word/_rels/document.xml.rels") == 1


def test_what_is_none_stays_as_it_is() -> None:
    plain: dict[str, Any] = {"name": "n"}
    template = linked("https://a.example/%7Bx%7D?a=%20")

    assert address(template.render(plain).to_bytes()) == "https://a.example/%7Bx%7D?a=%20"


def test_a_strict_document_is_refused_by_name() -> None:
    def to_strict(name: str, data: bytes) -> bytes:
        return data.replace(
            b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
            b"http://purl.oclc.org/ooxml/wordprocessingml/main",
        ).replace(
            b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
            b"http://purl.oclc.org/ooxml/officeDocument/relationships",
        )

    with pytest.raises(PackageError, match="GF319 it is a Strict Open XML document"):
        open_template(edited(docx(p("{{ a }}")), to_strict), kind="docx")


# ---------------------------------------------------------------------------------------------------------------------
# Templates that would reach further by a tag


def related(attributes: str, inner: str = "") -> bytes:
    """A template with a link that is filled in, and a second relation."""
    good = (
        f'<Relationship Id="rIdL" Type="{HYPERLINK}" Target="https://a.example/{{{{ url }}}}" TargetMode="External"/>'
    )
    end = f'{good}<Relationship Id="rIdM" {attributes}>{inner}</Relationship></Relationships>'.encode()

    def add(name: str, data: bytes) -> bytes:
        return data.replace(b"</Relationships>", end) if name == "word/_rels/document.xml.rels" else data

    return edited(docx(f"<w:p>{LINK}</w:p>"), add)


ATTACHED = HYPERLINK.replace("hyperlink", "attachedTemplate")


@pytest.mark.parametrize(
    "attributes",
    [
        f'Type="{{{{ \'{ATTACHED}\' }}}}" Target="https://evil.example/x.dotm" TargetMode="External"',
        f'Type="{ATTACHED}" Target="https://evil.example/x.dotm" TargetMode="{{{{ mode }}}}"',
        f'xmlns:x="urn:x" x:Target="https://a.example" Type="{HYPERLINK}" Target="{{{{ url }}}}" TargetMode="External"',
    ],
)
def test_no_tag_decides_what_kind_of_link_it_is(attributes: str) -> None:
    with pytest.raises(TemplateError) as caught:
        open_template(related(attributes), kind="docx")

    assert [issue.code for issue in caught.value.issues] == ["GF315"]


def test_no_tag_stands_between_the_relations() -> None:
    data = related(f'Type="{HYPERLINK}" Target="https://b.example" TargetMode="External"', "{{ url }}")
    with pytest.raises(TemplateError, match="GF315"):
        open_template(data, kind="docx")


def test_the_target_of_a_template_is_never_filled_in() -> None:
    data = related(f'Type="{ATTACHED}" Target="{{{{ url }}}}" TargetMode="External"')
    filled = open_template(data, kind="docx").render({"name": "n", "url": "evil"}).to_bytes()

    assert python_docx.Document(io.BytesIO(filled)).part.rels["rIdM"].target_ref == "%7B%7B url %7D%7D"


@pytest.mark.parametrize(
    "url", ["\u200bjavascript:x", "\ufefffile:///x", "/\\server\\share", "%5C/server/share", "java\tscript:x"]
)
def test_signs_that_nobody_sees_hide_no_program(url: str) -> None:
    with pytest.raises(TemplateError, match="GF219"):
        linked("{{ url }}").render({"name": "n", "url": url})


def field(*code: str) -> str:
    """A paragraph with a field whose code is in these runs."""
    runs = "".join(f'<w:r><w:instrText xml:space="preserve">{text}</w:instrText></w:r>' for text in code)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>' for kind in ("begin", "end"))
    return f"<w:p>{begin}{runs}{end}</w:p>"


FIELD_LINKS = [
    field(' HYPERLINK "{{ url }}" '),
    field("HYPERLINK ", '"', "{{ url }}", '"'),
    '<w:p><w:fldSimple w:instr="HYPERLINK &quot;{{ url }}&quot;"><w:r><w:t>a</w:t></w:r></w:fldSimple></w:p>',
]


@pytest.mark.parametrize("body", FIELD_LINKS)
def test_the_address_in_a_field_starts_no_program_either(body: str) -> None:
    template = open_template(docx(body), kind="docx")

    assert "https://a.example" in read_part(template.render({"url": "https://a.example"}).to_bytes())
    with pytest.raises(TemplateError, match="GF219"):
        template.render({"url": "javascript:alert(1)"})


@pytest.mark.parametrize("code", ["{{ 'DDE' }}AUTO c:/x", "DD{{ 'EAUTO' }} c:/x", "{% if a %}DDEAUTO{% endif %} c:/x"])
def test_a_field_whose_name_is_computed_is_told(code: str) -> None:
    assert "GF321" in {issue.code for issue in open_template(docx(field(code)), kind="docx").issues}


def test_other_fields_with_values_are_not() -> None:
    template = open_template(docx(field('IF "{{ a }}" = "b:c" "yes" "no"')), kind="docx")

    assert template.issues == ()
    assert "x:y" in read_part(template.render({"a": "x:y"}).to_bytes())
