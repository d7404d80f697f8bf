"""What a template reaches for is told; what only looks like it is not."""

from __future__ import annotations

import pytest

import gfdocs
from gfdocs.engine.reaching import is_reaching
from gfdocs.errors import PackageError
from tests.trust import samples


def codes(data: bytes, kind: str = "docx") -> list[str]:
    return [issue.code for issue in gfdocs.open_template(data, kind=kind, name=f"a.{kind}").issues]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "formula",
    [
        "Table[a]+S!A1",
        "SUM(Table1[[#All],[x]])",
        'IF(A1="a|b [c]d!",1)',
        "'x|y'!A1",
        "'2023年'!A1",
        "MYCALL(1)",
        '"WEBSERVICE(1)"',
    ],
)
def test_a_formula_that_stays_in_the_file_is_no_fault(formula: str) -> None:
    assert not is_reaching(formula)


@pytest.mark.parametrize(
    "formula",
    [
        '\'a"\'!A1+WEBSERVICE("x")',
        "Table['#]+WEBSERVICE(\"u\")+Table['#]",
        '_xlfn.IMAGE("x")',
        "'C:\\a\\b.xlsx'!n",
        "'C:\\it''s\\[b.xlsx]a'!A1",
        "[1]!n",
        "'cmd'|'/c calc'!A0",
    ],
)
def test_quotes_hide_no_call(formula: str) -> None:
    assert is_reaching(formula)


def test_a_formula_is_told_with_its_cell_however_it_is_written() -> None:
    data = samples.xlsx({"A1": "{{ name }}", "A2": ("WEBSERVICE(1)", 1)})
    for written in ("WEBSERVICE(1)", "<![CDATA[WEBSERVICE(1)]]>", "WEB<!-- -->SERVICE(1)", "&#87;EBSERVICE(1)"):
        changed = samples.edit_part(data, "xl/worksheets/sheet1.xml", "WEBSERVICE(1)", written)
        template = gfdocs.open_template(changed, kind="xlsx", name="a.xlsx")
        found = [issue for issue in template.issues if issue.code == "GF323"]
        assert len(found) == 1 and str(found[0].place).endswith("!A2"), written


@pytest.mark.parametrize(
    "target",
    ["file:///C:\\Users\\wang\\Normal.dotm", "C:\\a\\Normal.dotm", "file:///home/a/Normal.dotm", "Normal.dotm"],
)
def test_a_template_on_the_authors_disk_is_no_fault(target: str) -> None:
    assert codes(samples.docx("x", relations=samples.relation("attachedTemplate", target))) == []


@pytest.mark.parametrize(
    "target", ["file:///\\\\evil\\x.dotm", "file:////evil/x.dotm", "//evil/x", "%5C%5Cevil%5Cx", "file://evil/x"]
)
def test_a_template_on_a_server_is_refused_once(target: str) -> None:
    with pytest.raises(PackageError) as caught:
        codes(samples.docx("x", relations=samples.relation("attachedTemplate", target)))
    assert [issue.code for issue in caught.value.issues] == ["GF315"]


def test_a_linked_picture_is_told_once() -> None:
    assert codes(samples.docx("x", relations=samples.relation("image", "https://example.cn/a.png"))) == ["GF320"]


def field(inside: str) -> str:
    return f'<w:r><w:fldChar w:fldCharType="begin"/></w:r>{inside}<w:r><w:fldChar w:fldCharType="end"/></w:r>'


def instruction(text: str) -> str:
    return f"<w:r><w:instrText>{text}</w:instrText></w:r>"


@pytest.mark.parametrize(
    "code", ["PAGE", ' TOC \\o "1-3"', 'HYPERLINK "https://a.cn"', "MACROBUTTON NoMacro [x]", "= 1 + 2", "REF a"]
)
def test_an_ordinary_field_is_no_fault(code: str) -> None:
    assert codes(samples.docx("x", body=f"<w:p>{field(instruction(code))}</w:p>")) == []


def test_a_field_within_a_field_hides_nothing() -> None:
    hidden = field(field(instruction("QUOTE 68 68 69")) + instruction(" cmd"))
    within = field(instruction("IF ") + field(instruction("DDE cmd x")) + instruction(" = 1"))
    usual = field(instruction("IF ") + field(instruction("PAGE")) + instruction(" = 1"))
    for inside, expected in ((hidden, ["GF321"]), (within, ["GF321"]), (usual, [])):
        assert codes(samples.docx("x", body=f"<w:p>{inside}</w:p>")) == expected
    assert codes(samples.docx("x", body=f"<w:p>{field(instruction('HYPERLINK &quot;file:///C:/a.exe&quot;'))}</w:p>")) == ["GF322"]  # fmt: skip
