"""Hyperlinks whose address has a tag: filled in, written as an address is, and never a way to start a program."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import docx as python_docx
import pytest
from lxml import etree

from gfdocs import PackageError, TemplateError
from gfdocs.docx import InlineImage, RichText
from gfdocs.engine.template import Template, open_template
from tests.engine_docx.make import PNG, docx, p, picture, read_part, run, tbl, tc, tr

LINK = '<w:hyperlink r:id="rIdL"><w:r><w:t>{{ name }}</w:t></w:r></w:hyperlink>'
HYPERLINK = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink"


def edited(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return buffer.getvalue()


def linked(target: str, *body: str, first: str = f"<w:p>{LINK}</w:p>") -> Template:
    """The template of a paragraph with a link that leads to `target`, and more."""
    relation = f'<Relationship Id="rIdL" Type="{HYPERLINK}" Target="{target}" TargetMode="External"/></Relationships>'

    def add(name: str, data: bytes) -> bytes:
        end = b"</Relationships>"
        return data.replace(end, relation.encode()) if name == "word/_rels/document.xml.rels" else data

    return open_template(edited(docx(first, *body), add), kind="docx", name="t.docx")


def addresses(data: bytes) -> list[str]:
    """Where the links of a document lead, in their order."""
    relations = etree.fromstring(read_part(data, "word/_rels/document.xml.rels").encode())
    targets = {str(relation.get("Id")): str(relation.get("Target")) for relation in relations}
    assert len(targets) == len(relations)
    return [targets[rid] for rid in re.findall('<w:hyperlink r:id="(.*?)"', read_part(data))]


def address(data: bytes) -> str:
    (found,) = addresses(data)
    return found


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
    assert str(issue.place) == "t.docx › document › paragraph 1"
    assert issue.fact.startswith("{{ url }}: the hyperlink")


def test_pieces_that_make_one_are_refused_too() -> None:
    with pytest.raises(TemplateError, match="GF219"):
        linked("{{ a }}{{ b }}").render({"name": "n", "a": "java", "b": "script:x()"})


def test_a_missing_address_is_told_with_its_place() -> None:
    with pytest.raises(TemplateError, match=r"document › paragraph 1: error GF204.*url"):
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
    ("attributes", "inner"),
    [
        (f'Type="{{{{ \'{ATTACHED}\' }}}}" Target="https://evil.example/x.dotm" TargetMode="External"', ""),
        (f'Type="{HYPERLINK}" Target="https://b.example" TargetMode="{{{{ url }}}}"', ""),
        (f'Type="{HYPERLINK}" Target="https://b.example" TargetMode="External"', "{{ url }}"),
        (f'Type="{ATTACHED}" Target="{{{{ url }}}}" TargetMode="External"', ""),
    ],
)
def test_no_tag_decides_what_is_related(attributes: str, inner: str) -> None:
    filled = open_template(related(attributes, inner), kind="docx").render({"name": "n", "url": "evil"}).to_bytes()

    assert "{{" in read_part(filled, "word/_rels/document.xml.rels")
    assert addresses(filled) == ["https://a.example/evil"]


IN_ROUND = LINK.replace("name", "c.name")
LOOPS = {
    "paragraphs": (p("{%p for c in rows %}"), f"<w:p>{IN_ROUND}</w:p>", p("{%p endfor %}")),
    "rows": (tbl(tr("{%tr for c in rows %}", ""), tr(tc(f"<w:p>{IN_ROUND}</w:p>"), "{{ c.name }}"), tr("{%tr endfor %}", ""), columns=2), p("")),
    "a text": (f"<w:p>{run('{% for c in rows %}')}{IN_ROUND}{run('{% endfor %}')}</w:p>",),
}  # fmt: skip


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_each_round_of_a_loop_has_its_own_address(loop: tuple[str, ...]) -> None:
    template = linked("%7B%7B%20c.url%20%7D%7D?q={{ c.name }}", *loop, first="")
    assert "rows[].url" in template.names

    filled = template.render({"rows": [{"name": name, "url": f"https://{name}.example"} for name in "abca"]}).to_bytes()

    assert addresses(filled) == [f"https://{name}.example?q={name}" for name in "abca"]
    relations = read_part(filled, "word/_rels/document.xml.rels")
    assert relations.count("relationships/hyperlink") == 3
    assert "{{" not in read_part(template.render({"rows": []}).to_bytes(), "word/_rels/document.xml.rels")


def test_the_fault_of_one_round_is_told() -> None:
    template = linked("{{ c.url }}", *LOOPS["paragraphs"], first="")
    with pytest.raises(TemplateError, match=r"paragraph 2: error GF219 .*the hyperlink 'javascript:x"):
        template.render({"rows": [{"name": "n", "url": "https://a.example"}, {"name": "n", "url": "javascript:x"}]})


def test_the_link_of_a_picture_and_those_of_a_header_are_filled_in_too() -> None:
    linked_picture = picture().replace("<a:graphic>", "", 1).replace('name="Picture 1"/>', 'name="Picture 1"><a:hlinkClick r:id="rIdL"/></wp:docPr><a:graphic>')  # fmt: skip
    template = linked("{{ url }}", first=p(linked_picture))
    out = template.render({"url": "https://a.example"}).to_bytes()
    rid = re.findall('hlinkClick r:id="(.*?)"', read_part(out))[0]
    assert python_docx.Document(io.BytesIO(out)).part.rels[rid].target_ref == "https://a.example"


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
