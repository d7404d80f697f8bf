"""Small faults that hostile or damaged files once turned into crashes."""

from __future__ import annotations

import io
from pathlib import Path

import openpyxl
import pytest

import gfdocs
from tests.trust import samples


def test_a_word_document_given_as_a_workbook_is_called_one() -> None:
    with pytest.raises(gfdocs.GfdocsError) as raised:
        gfdocs.open_template(samples.docx("x"), kind="xlsx")
    assert [issue.code for issue in raised.value.issues] == ["GF319"]
    assert "Word document" in str(raised.value)


def test_a_template_name_too_long_for_the_system_is_told(tmp_path: Path) -> None:
    from gfdocs.programme.catalogue import read_catalogue

    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "catalogue.yaml").write_text(
        f"documents:\n- id: long\n  templates: {{docx: {'x' * 300}.docx}}\n", encoding="utf-8"
    )
    with pytest.raises(gfdocs.GfdocsError, match="there is no template"):
        read_catalogue(tmp_path)


def test_a_row_numbered_zero_has_a_place() -> None:
    from gfdocs.data.places import TableOrigin

    origin = TableOrigin("f.xlsx", "工厂", [("name",)], [("name",)])
    origin.add(0, [None])
    assert str(origin.find(0)[()]).endswith("工厂!1")
    assert origin.size == 1


def test_the_cells_of_one_text_tell_their_own_place() -> None:
    with pytest.raises(gfdocs.GfdocsError) as raised:
        gfdocs.open_template(samples.xlsx({"A1": "{{ a b }}", "A2": "{{ a b }}"}), kind="xlsx")
    places = [str(issue.place) for issue in raised.value.issues]
    assert [place.rpartition("!")[2] for place in places] == ["A1", "A2"], places


def test_strings_within_tags_of_a_drawing_are_taken_whole() -> None:
    from gfdocs.engine.svg.source import find_tags

    for text, tags in {
        "a{{ '}}' }}b{% if \"%}\" %}{# ' #}": ["{{ '}}' }}", '{% if "%}" %}', "{# ' #}"],
        "{{ 'open }} {{ x }}": ["{{ x }}"],
        r"{{ '\'}}' }}": [r"{{ '\'}}' }}"],
        "{{{ x }}}": ["{{{ x }}"],
        "}} {{ {% x": [],
    }.items():
        assert [text[start:end] for start, end in find_tags(text)] == tags


SHEET = "xl/worksheets/sheet1.xml"


def workbook_form() -> bytes:
    """A form as openpyxl writes it, with styles and shared texts."""
    book = openpyxl.Workbook()
    for row in (["企业名称"], ["{%tr for c in companies %}"], ["{{ c.name }}"], ["{%tr endfor %}"]):
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        ("xl/styles.xml", '<sz val="11"', '<sz val="x"'),
        ("xl/styles.xml", '<sz val="11"', '<sz val="inf"'),
        ("xl/styles.xml", 'numFmtId="0"', 'numFmtId="zero"'),
        ("xl/workbook.xml", 'sheetId="1"', 'sheetId="one"'),
    ],
)
def test_a_number_in_the_workings_that_is_none_is_passed_over(part: str, old: str, new: str) -> None:
    template = gfdocs.open_template(samples.edit_part(workbook_form(), part, old, new), kind="xlsx", name="form.xlsx")

    filled = template.render({"companies": [{"name": "示例电子有限公司"}]}).to_bytes()
    assert "示例电子有限公司" in samples.unzipped(filled)[SHEET].decode()


def test_a_part_that_says_utf_16_and_is_not_is_refused_by_name() -> None:
    form = workbook_form()
    parts = samples.unzipped(form)
    broken = samples.with_parts(form, {SHEET: b"<\0s" + parts[SHEET]})

    with pytest.raises(gfdocs.GfdocsError, match="GF313"):
        gfdocs.open_template(form, kind="xlsx", name="form.xlsx").read(broken)


def test_a_prefix_that_nobody_declared_is_refused_with_its_line() -> None:
    data = samples.edit_part(workbook_form(), SHEET, "<sheetData", '<sheetData A1:E5="x"')

    with pytest.raises(gfdocs.PackageError, match=r"sheet1\.xml › line 1.*GF313"):
        gfdocs.open_template(data, kind="xlsx", name="form.xlsx")
