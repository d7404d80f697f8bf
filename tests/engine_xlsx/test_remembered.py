"""What documents of one template share is shared rightly: nothing of one document's data stands in the next one."""

from __future__ import annotations

import io
import pickle
import threading
import zipfile
from collections.abc import Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import Template, open_template
from gfdocs.engine.xlsx.rows.memory import Recent
from gfdocs.errors import TemplateError
from tests.engine_xlsx import growth
from tests.engine_xlsx.test_language import draw

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl")


def paint_form(book: Any) -> None:
    """A form: a list, empty rows with checks, totals, rules around them, tags in the header and the properties."""
    book.set_properties({"title": "{{ title }}"})
    sheet = book.add_worksheet("表")
    sheet.set_header("&C{{ title }}")
    sheet.merge_range("A1:C1", "{{ title }}（{{ year }}）")
    sheet.write_row("A2", ["{%tr for x in xs %}{{ x.name }}", "{{ x.amount }}"])
    sheet.write_formula("C2", '=IF(B2>5,"大","")')
    sheet.write("D2", "{%tr endfor %}")
    for row in (3, 4):
        sheet.write_blank(f"B{row}", None, book.add_format({"bold": True}))
        sheet.write_formula(f"C{row}", f'=IF(B{row}>5,"大","")')
    sheet.write("A5", "共")
    sheet.write_formula("B5", "=SUM(B2:B4)")
    sheet.data_validation("B2:B4", {"validate": "decimal", "criteria": ">=", "value": "=$B$5"})
    sheet.conditional_format("A2:C4", {"type": "formula", "criteria": "=$B2>9", "format": book.add_format()})
    other = book.add_worksheet("汇总")
    other.write_formula("A1", "=表!B5")
    other.data_validation("A2", {"validate": "list", "source": "=表!$A$2:$A$4"})


@cache
def form() -> Template:
    return open_template(draw(paint_form), kind="xlsx", name="form.xlsx")


def data(count: int, title: str = "甲", year: Any = 2023) -> dict[str, Any]:
    return {"title": title, "year": year, "xs": [{"name": f"{title}{i}", "amount": i * 4} for i in range(1, count + 1)]}


def fresh(context: Any) -> bytes:
    """Render with a template that has made nothing before."""
    return open_template(form().source, kind="xlsx", name="form.xlsx").render(context).to_bytes()


@pytest.mark.parametrize("counts", [(0, 1, 3, 1, 0), (3, 3, 3), (7, 2, 7)])
def test_a_document_is_the_same_whatever_was_made_before(counts: tuple[int, ...]) -> None:
    for turn, count in enumerate(counts):
        context = data(count, title=f"第{turn}份<&>", year=2020 + turn)
        assert form().render(context).to_bytes() == fresh(context)


def test_rules_totals_and_checks_stand_where_the_rows_went() -> None:
    book = openpyxl.load_workbook(io.BytesIO(form().render(data(3)).to_bytes()))
    sheet = book["表"]

    assert [(str(d.sqref), d.formula1) for d in sheet.data_validations.dataValidation] == [("B2:B6", "$B$7")]
    assert [(str(a.sqref), a.rules[0].formula) for a in sheet.conditional_formatting] == [("A2:C6", ["$B2>9"])]
    assert [sheet[f"C{row}"].value for row in range(2, 7)] == [f'=IF(B{row}>5,"大","")' for row in range(2, 7)]
    assert sheet["B7"].value == "=SUM(B2:B6)"
    assert book["汇总"].data_validations.dataValidation[0].formula1 == "表!$A$2:$A$6"
    values = openpyxl.load_workbook(io.BytesIO(form().render(data(3)).to_bytes()), data_only=True)["表"]
    assert [values[f"C{row}"].value or "" for row in range(2, 7)] == ["", "大", "大", "", ""]


def test_headers_titles_and_properties_are_each_documents_own() -> None:
    for title in ("甲公司", "乙公司"):
        book = openpyxl.load_workbook(io.BytesIO(form().render(data(2, title)).to_bytes()))
        assert book["表"].oddHeader.center.text == title
        assert book["表"]["A1"].value == f"{title}（2023）"
        assert book.properties.title == title


def test_threads_share_a_template() -> None:
    expected = {count: fresh(data(count)) for count in range(6)}
    template = open_template(form().source, kind="xlsx", name="form.xlsx")
    wrong: list[int] = []

    def work(first: int) -> None:
        for turn in range(30):
            count = (first + turn) % 6
            if template.render(data(count)).to_bytes() != expected[count]:
                wrong.append(count)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_template_that_has_rendered_can_be_sent_to_another_process() -> None:
    template = open_template(growth.draw_template(), kind="xlsx", name="growth.xlsx")
    before = template.render(growth.make_data(3)).to_bytes()

    assert pickle.loads(pickle.dumps(template)).render(growth.make_data(3)).to_bytes() == before


class Record(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, **values: Any) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> Any:
        return self.values_[key]

    def __iter__(self) -> Any:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


@pytest.mark.parametrize("make", [Record, SimpleNamespace, dict])
def test_plain_names_mean_the_same_in_every_kind_of_data(make: Any) -> None:
    xs = [make(name=f"甲{i}", amount=i * 4) for i in (1, 2)]
    found = form().render({"title": "甲", "year": 2023, "xs": xs}).to_bytes()

    assert found == fresh(data(2))


def test_a_plain_name_that_is_missing_is_told_with_its_cell() -> None:
    with pytest.raises(TemplateError) as fault:
        form().render({"title": "甲", "xs": [{"name": "a"}]})
    found = {(issue.code, str(issue.place)) for issue in fault.value.issues}
    assert found == {("GF204", "form.xlsx › 表!A1"), ("GF204", "form.xlsx › 表!B2")}


def test_the_last_calculation_chain_is_gone_and_all_else_stays() -> None:
    template = growth.draw_template()
    with zipfile.ZipFile(io.BytesIO(template)) as source:
        names = set(source.namelist())
    made = open_template(template, kind="xlsx", name="g.xlsx").render(growth.make_data(2)).to_bytes()
    with zipfile.ZipFile(io.BytesIO(made)) as result:
        types = result.read("[Content_Types].xml").decode()
        assert set(result.namelist()) == names - {"xl/calcChain.xml"}
        assert "calcChain" not in types


def test_what_was_made_lately_is_kept_and_no_more() -> None:
    recent: Recent[str] = Recent(2)
    recent.set("a", "A")
    recent.set("b", "B")
    assert recent.get("a") == "A"
    recent.set("c", "C")
    assert [recent.get(key) for key in "abc"] == ["A", None, "C"]


@pytest.mark.parametrize(("formulas", "kept"), [(3, 64), (5_000, 4), (30_000, 1)])
def test_sheets_of_many_formulas_remember_fewer_places(formulas: int, kept: int) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("表")
        for number in range(formulas):
            sheet.write_formula(number // 100, number % 100, "=1")
        sheet.write_row(formulas // 100 + 1, 0, ["{%tr for x in xs %}{{ x }}{%tr endfor %}"])

    compiled: Any = open_template(draw(paint), kind="xlsx", name="f.xlsx").compiled
    assert compiled.prepared.get_memory(compiled.workbook.sheets[0]).formula_texts.count == kept


AROUND = (
    '<protectedRanges><protectedRange sqref="A2:B2" name="p"/></protectedRanges>'
    '<autoFilter ref="A1:B2"><sortState ref="A1:B2"><sortCondition ref="A2"/></sortState></autoFilter>'
)
BEHIND = (
    '<ignoredErrors><ignoredError sqref="A2" numberStoredAsText="1"/></ignoredErrors>'
    '<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
    'uri="{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}"><x14:dataValidations '
    'xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" count="2">'
    '<x14:dataValidation type="list"><x14:formula1><xm:f>汇总!$A$1:$A$3</xm:f></x14:formula1><xm:sqref>A2</xm:sqref>'
    '</x14:dataValidation><x14:dataValidation type="list"><x14:formula1><xm:f>$B2:$C2</xm:f></x14:formula1>'
    "<xm:sqref>A2:B2</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst>"
)


def draw_frame() -> bytes:
    """Return a list with rules around it that Excel writes and the drawing library does not."""

    def paint(book: Any) -> None:
        sheet = book.add_worksheet("表")
        sheet.write_row("A1", ["名", "数"])
        sheet.write_row("A2", ["{%tr for x in xs %}{{ x.name }}", "{{ x.amount }}{%tr endfor %}"])
        book.add_worksheet("汇总")

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(draw(paint))) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            text = source.read(name)
            if name.endswith("sheet1.xml"):
                text = text.replace(b"</sheetData>", b"</sheetData>" + AROUND.encode())
                text = text.replace(b"</worksheet>", BEHIND.encode() + b"</worksheet>")
            target.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("count", [0, 1, 3])
def test_what_holds_nothing_any_more_is_gone_and_the_rest_grows(count: int) -> None:
    template = open_template(draw_frame(), kind="xlsx", name="frame.xlsx")
    made = template.render(data(count)).to_bytes()
    with zipfile.ZipFile(io.BytesIO(made)) as package:
        text = package.read("xl/worksheets/sheet1.xml").decode()

    assert len(openpyxl.load_workbook(io.BytesIO(made)).sheetnames) == 2
    if not count:
        assert '<autoFilter ref="A1:B1"><sortState ref="A1:B1"/></autoFilter>' in text
        for name in ("protectedRange", "ignoredError", "extLst", "x14:", "sortCondition"):
            assert f"<{name}" not in text
        return
    column, area = ("A2", "A2:B2") if count == 1 else (f"A2:A{count + 1}", f"A2:B{count + 1}")
    assert f'<protectedRange sqref="{area}" name="p"/>' in text
    assert f'<sortCondition ref="{column}"/></sortState></autoFilter>' in text
    assert f'<ignoredError sqref="{column}" numberStoredAsText="1"/>' in text
    assert "<xm:f>汇总!$A$1:$A$3</xm:f>" in text and "<xm:f>$B2:$C2</xm:f>" in text
    assert f"<xm:sqref>{column}</xm:sqref>" in text and f"<xm:sqref>{area}</xm:sqref>" in text
    assert ' count="2">' in text
