"""The tags of a workbook: columns, sheets, rich text, pictures, merges, links, heights; and what is refused, with its cell."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from gfdocs.engine.template import open_template
from gfdocs.engine.xlsx import Picture
from gfdocs.errors import TemplateError
from tests import ooxml
from tests.engine_xlsx.growth import PICTURE
from tests.engine_xlsx.invariants import find_broken


def make(rows: list[list[str]]) -> bytes:
    """Return a workbook of one sheet, 表, with these rows."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.title = "表"
    for row in rows:
        sheet.append(row)
    book.save(out)
    return out.getvalue()


def draw(paint: Callable[[Any], None]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    paint(book)
    book.close()
    return out.getvalue()


def fill(paint: Callable[[Any], None], context: dict[str, Any], tmp_path: Any, **more: Any) -> tuple[Any, Any]:
    """Return (formulas, values) of the filled workbook, after checking that it is whole."""
    data = open_template(draw(paint), kind="xlsx", name="t.xlsx").render(context, **more).to_bytes()
    path = tmp_path / "t.xlsx"
    path.write_bytes(data)
    assert find_broken(data) == []
    assert ooxml.find_left_over_tags(path) == []
    assert ooxml.find_validation_errors(path) == []
    return openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)


def rows(sheet: Any) -> list[list[Any]]:
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_columns_repeat_and_totals_grow_both_ways(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("M")
        sheet.write_row("A1", ["名", "{%tc for m in months %}{{ m }}{%tc endfor %}", "合计"])
        sheet.write_row("A2", ["{%tr for x in xs %}{{ x.n }}", "{{ x.v[loop.index0] }}"])
        sheet.write_formula("C2", "=SUM(B2:B2)")
        sheet.write("D2", "{%tr endfor %}")
        sheet.write_row("A3", ["总"])
        sheet.write_formula("B3", "=SUM(B2:B2)")
        sheet.write_formula("C3", "=SUM(B3:B3)")
        sheet.set_column(1, 1, 21)
        sheet.print_area("A1:C3")

    context = {"months": ["一", "二", "三"], "xs": [{"n": "a", "v": [1, 2, 3]}, {"n": "b", "v": [4, 5, 6]}]}
    book, values = fill(paint, context, tmp_path)
    assert [row[:5] for row in rows(values["M"])] == [
        ["名", "一", "二", "三", "合计"], ["a", 1, 2, 3, 6], ["b", 4, 5, 6, 15], ["总", 5, 7, 9, 21],
    ]  # fmt: skip
    assert book["M"]["E4"].value == "=SUM(B4:D4)"
    assert book["M"].print_area == "'M'!$A$1:$E$4"
    assert [round(book["M"].column_dimensions[c].width) for c in "BCD"] == [22, 22, 22]


def test_a_running_total_over_columns_that_repeat_takes_them_all(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("M")
        sheet.write_row("A1", ["{%tc for m in [1, 2, 3] %}{{ m }}{%tc endfor %}", "累计"])
        sheet.write("A2", "{%tr for x in xs %}{{ x * m }}")
        sheet.write_formula("B2", "=SUM(A$2:A2)")
        sheet.write("C2", "{%tr endfor %}")

    book, values = fill(paint, {"xs": [1, 2]}, tmp_path)
    assert [book["M"][c].value for c in ("D2", "D3")] == ["=SUM(A$2:C2)", "=SUM(A$2:C3)"]
    assert [values["M"][c].value for c in ("D2", "D3")] == [6, 18]


def test_a_sheet_for_each_item(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("{{ d.name }}")
        sheet.write("A1", "{%sheet for d in ds %}{{ d.name }}")
        sheet.write("A2", "{%tr for x in d.xs %}{{ x }}{%tr endfor %}")
        sheet.write_formula("A3", "=SUM(A2:A2)")
        sheet.print_area("A1:B3")
        sheet.write_comment("A3", "批注")
        sheet.add_table("D1:D2", {"columns": [{"header": "h"}]})
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "='{{ d.name }}'!$A$2:$A$2"})
        sheet.insert_chart("F2", chart)
        total = book.add_worksheet("总")
        total.write_formula("A1", "=SUM('{{ d.name }}'!A3)")
        book.add_worksheet("可选").write("A1", "{%sheet if more %}x")

    context = {
        "ds": [{"name": "甲/区", "xs": [1, 2]}, {"name": "乙区", "xs": []}, {"name": "乙区", "xs": [5]}],
        "more": False,
    }
    with pytest.raises(TemplateError):
        open_template(draw(lambda b: b.add_worksheet("S").write("A1", "{%sheet for d in ds %}")), kind="xlsx").render(
            {}
        )
    book, values = fill(paint, context, tmp_path)
    assert book.sheetnames == ["甲_区", "乙区", "乙区(2)", "总"]
    assert book["总"]["A1"].value == "=SUM(甲_区!A4,乙区!A3,'乙区(2)'!A3)"
    assert values["总"]["A1"].value == 8
    with zipfile.ZipFile(tmp_path / "t.xlsx") as package:
        charts = [package.read(n).decode() for n in sorted(package.namelist()) if "charts/chart" in n]
    assert len(charts) == 3 and "'乙区(2)'!$A$2:$A$2" in "".join(charts)


def test_copies_of_a_sheet_have_tables_links_and_a_selection_of_their_own(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("{{ d }}")
        sheet.activate()
        sheet.write("H1", "{%sheet for d in ds %}")
        sheet.write_url("A1", "internal:'{{ d }}'!B4", string="去")
        columns = [{"header": "名"}, {"header": "数"}, {"header": "倍", "formula": "=表[[#This Row],[数]]*2"}]
        sheet.add_table("A3:C4", {"name": "表", "columns": columns, "data": [["{{ d }}", "{{ loop.index }}"]]})
        sheet.write_formula("A6", "=SUM(表[数])")
        other = book.add_worksheet("汇总")
        other.write_formula("A1", "=SUM(表[数])")
        other.write_url("A2", "internal:'{{ d }}'!B4", string="去")

    book, values = fill(paint, {"ds": ["甲", "乙"]}, tmp_path)
    names = [table.displayName for sheet in book for table in sheet.tables.values()]
    assert names[0] == "表" and len(set(names)) == 2
    for name, sheet in zip(names, book, strict=False):
        assert sheet["A6"].value == f"=SUM({name}[数])"
        assert sheet["C4"].value == f"={name}[[#This Row],[数]]*2"
        assert sheet["A1"].hyperlink.location == f"{sheet.title}!B4"
    assert [values[name]["A6"].value for name in "甲乙"] == [1, 2]
    assert [values[name]["C4"].value for name in "甲乙"] == [2, 4]
    assert [sheet.sheet_view.tabSelected for sheet in book][:2] == [True, False]
    assert book["汇总"]["A1"].value == "=SUM(表[数])" and values["汇总"]["A1"].value in (None, 1)
    assert book["汇总"]["A2"].hyperlink.location == "甲!B4"


def test_rich_text_keeps_its_fonts_and_tags_may_be_split(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet, bold, red = (
            book.add_worksheet("R"),
            book.add_format({"bold": True}),
            book.add_format({"font_color": "red"}),
        )
        sheet.write_rich_string(
            "A1", "名：", bold, "{{ na", red, "me }}", "，", bold, "{% if x %}是{% else %}否{% endif %}"
        )
        sheet.write_rich_string("A2", bold, "{{ nu", red, "m }}")

    fill(paint, {"name": "A&B <x>", "num": 12, "x": True}, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "t.xlsx", rich_text=True)
    pieces = [(str(p), bool(getattr(getattr(p, "font", None), "b", False))) for p in book["R"]["A1"].value]
    assert pieces == [("名：", False), ("A&B <x>", True), ("，", False), ("是", True)]
    assert book["R"]["A2"].value == 12


def test_rows_by_condition_loop_words_and_the_empty_list(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("S")
        sheet.write_column("A1", ["{%tr if a %}", "是", "{%tr elif b %}", "又", "{%tr else %}", "否", "{%tr endif %}"])
        sheet.write_column(
            "A8",
            [
                "{%tr for x in xs if x > 1 %}",
                "{{ loop.index }}/{{ loop.length }}:{{ x }}",
                "{%tr else %}",
                "无",
                "{%tr endfor %}",
            ],
        )
        sheet.write_column(
            "A13", ["{%tr for k, v in pairs %}{{ k }}={{ v }}{%tr endfor %}", "{%tr set t = xs|sum %}", "{{ t }}"]
        )

    _, values = fill(paint, {"a": False, "b": True, "xs": [1, 2, 3], "pairs": [("p", 1), ("q", 2)]}, tmp_path)
    assert [row[0] for row in rows(values["S"])] == ["又", "1/2:2", "2/2:3", "p=1", "q=2", 6]
    _, values = fill(paint, {"a": False, "b": False, "xs": [], "pairs": []}, tmp_path)
    assert [row[0] for row in rows(values["S"])] == ["否", "无", 0]


def test_pictures_merges_links_and_heights(tmp_path: Any) -> None:
    def paint(book: Any) -> None:
        sheet, wrap = book.add_worksheet("V"), book.add_format({"text_wrap": True})
        sheet.set_column("B:B", 10)
        sheet.set_row(1, 20)
        sheet.write_column("A1", ["{%tr for d in ds %}", "{{ d.g }}{% vm %}", "{%tr endfor %}", "{{ logo }}"])
        sheet.write("B2", "{{ d.t }}", wrap)
        sheet.write("C2", "{{ d.p }}")
        sheet.write_url("D2", "https://example.com/{{ d.g }}", string="看")
        sheet.write_comment("B2", "{{ d.g }}的批注")

    picture = Picture(PICTURE, width=10)
    long = "很长的文字需要换行显示的一段说明很长的文字需要换行"
    context = {
        "ds": [
            {"g": "a", "t": "短", "p": picture},
            {"g": "a", "t": long, "p": None},
            {"g": "b", "t": "短", "p": picture},
        ],
        "logo": picture,
    }
    book, _ = fill(paint, context, tmp_path)
    sheet = book["V"]
    assert [str(area) for area in sheet.merged_cells.ranges] == ["A1:A2"]
    assert sorted((i.anchor._from.row, i.anchor._from.col) for i in sheet._images) == [(0, 2), (2, 2), (3, 0)]
    assert sheet["D3"].hyperlink.target == "https://example.com/b"
    assert [sheet[f"B{row}"].comment.text for row in (1, 2, 3)] == ["a的批注", "a的批注", "b的批注"]
    assert sheet.row_dimensions[2].height > 60 > sheet.row_dimensions[1].height


def test_a_picture_of_a_class_of_ones_own_stands_in_a_list_as_well(tmp_path: Any) -> None:
    class Logo(Picture):
        pass

    def paint(book: Any) -> None:
        book.add_worksheet("V").write_row("A1", ["{%tr for x in xs %}{{ x }}", "{{ loop.index }}", "{%tr endfor %}"])

    sheet = fill(paint, {"xs": [Logo(PICTURE), "无", Logo(PICTURE)]}, tmp_path)[0]["V"]
    assert [row[:2] for row in rows(sheet)] == [[None, 1], ["无", 2], [None, 3]]
    assert [image.anchor._from.row for image in sheet._images] == [0, 2]


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ({"A1": "{%tr for x in xs %}", "A2": "{{ x. }}"}, {"GF260", "GF201"}),
        ({"A1": "{%tr endfor %}"}, {"GF260"}),
        ({"A1": "{{ x|nof }}", "B1": "{{ y"}, {"GF205", "GF202"}),
        ({"A1": "{%tr for a in p %}", "E1": "{%tr for b in q %}", "A2": "{{ a }}", "E2": "{{ b }}", "A3": "{%tr endfor %}", "E3": "{%tr endfor %}"}, {"GF262"}),
        ({"A1": '=A2&"{{ x }}"'}, {"GF261"}),
        ({"A1": "{%tr frob x %}"}, {"GF260"}),
        ({"A1": "{%sheet for x %}", "A2": "{{ y"}, {"GF201", "GF202"}),
        ({"A1": "{%sheet if %}"}, {"GF201"}),
        ({"A1": "{%sheet else %}"}, {"GF260"}),
        ({"A1": "{%tr set a %}"}, {"GF260"}),
    ],
)  # fmt: skip
def test_all_faults_of_a_template_are_told_with_their_cells(cells: dict[str, str], codes: set[str]) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("S")
        for place, text in cells.items():
            (sheet.write_formula if text.startswith("=") else sheet.write_string)(place, text)

    with pytest.raises(TemplateError) as caught:
        open_template(draw(paint), kind="xlsx", name="t.xlsx")
    assert {issue.code for issue in caught.value.issues} == codes
    assert all(str(issue.place).startswith("t.xlsx › S!") for issue in caught.value.issues)


@pytest.mark.parametrize("items", [[5], [(1, 2), (1, 2, 3)], [(1,)], ["abc"], [None]])
@pytest.mark.parametrize("tags", [("{%tr for a, b in xs %}", "{%tr endfor %}"), ("{%tc for a, b in xs %}", "{%tc endfor %}"), ("{%sheet for a, b in xs %}", "")])  # fmt: skip
def test_items_that_do_not_give_all_names_are_told_with_the_cell_of_the_loop(tags: tuple[str, str], items: Any) -> None:
    template = open_template(
        draw(lambda book: book.add_worksheet("S").write("A1", f"{tags[0]}{{{{ a }}}}{tags[1]}")),
        kind="xlsx",
        name="t.xlsx",
    )
    with pytest.raises(TemplateError) as caught:
        template.render({"xs": items})
    assert ("GF219", "t.xlsx › S!A1") in {(issue.code, str(issue.place)) for issue in caught.value.issues}
    template.render({"xs": [(1, 2), [3, 4], "ab"]})


@pytest.mark.parametrize("cut", [30, 12, 0])
def test_a_picture_that_was_cut_off_is_refused(cut: int) -> None:
    template = open_template(
        draw(lambda book: book.add_worksheet("S").write("A1", "{{ p }}")), kind="xlsx", name="t.xlsx"
    )
    with pytest.raises(TemplateError) as caught:
        template.render({"p": Picture(PICTURE[:cut])})
    assert [(issue.code, str(issue.place)) for issue in caught.value.issues] == [("GF270", "t.xlsx › S!A1")]


@pytest.mark.parametrize(
    "column",
    [
        ["{%tr for a in range(90000) %}", "{%tr for b in range(90000) %}", "{%tr endfor %}", "{%tr endfor %}"],
        ["{%tr for a in range(90000) %}", "{%tr for b in range(90000) %}", "x", "{%tr endfor %}", "{%tr endfor %}"],
        ["{%tr for a in range(99999999) %}", "{{ a }}", "{%tr endfor %}"],
        ["{{ 'x' * 999999999 }}"],
        ["{{ ''.__class__.__mro__ }}"],
        ["{%tr if ''.__class__ %}", "x", "{%tr endif %}"],
    ],
)
def test_a_hostile_template_ends_in_a_named_error(column: list[str]) -> None:
    template = open_template(
        draw(lambda book: book.add_worksheet("S").write_column("A1", column)), kind="xlsx", name="t.xlsx"
    )
    start = time.process_time()
    with pytest.raises(TemplateError) as caught:
        template.render({})
    assert {issue.code for issue in caught.value.issues} <= {"GF209", "GF210", "GF265"}
    assert time.process_time() - start < 4


def test_objects_are_data_as_well(tmp_path: Any) -> None:
    @dataclass
    class Unit:
        name: str
        size: int

    def paint(book: Any) -> None:
        book.add_worksheet("S").write_column(
            "A1",
            [
                "{%tr for u in units if u.size > 1 %}",
                "{{ u.name }}",
                "{%tr endfor %}",
                "{%tr if units %}",
                "{{ units[0].name|upper }}",
                "{%tr endif %}",
            ],
        )

    _, values = fill(paint, {"units": [Unit("a", 1), Unit("b", 2), Unit("c", 3)]}, tmp_path)
    assert [row[0] for row in rows(values["S"])] == ["b", "c", "A"]


def test_faults_outside_the_cells_are_told_when_the_template_is_opened() -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("S")
        sheet.set_header("&C{{ a|nof }}")
        sheet.insert_textbox("B2", "{{ b. }}")
        sheet.write_comment("A1", "{{ c")
        sheet.write("A2", "{{ d|nof }}")

    with pytest.raises(TemplateError) as caught:
        open_template(draw(paint), kind="xlsx", name="t.xlsx")
    assert len(caught.value.issues) == 4
    assert {str(issue.place) for issue in caught.value.issues} >= {"t.xlsx › S!A2", "t.xlsx › S › oddHeader"}


def test_lint_tells_what_a_template_may_regret() -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("S")
        sheet.write_column(
            "A1",
            [
                "{%tr for d in ds %}",
                "{{ d.n * 2 }}",
                "{%tr for x in d.xs %}",
                "{{ x.v }}",
                "{%tr endfor %}",
                "小计",
                "{%tr endfor %}",
            ],
        )
        sheet.write_formula("A8", "=COUNTIF(A4:A4,1)")
        sheet.write_formula("A9", "=VLOOKUP(1,A4:B4,2)")

    issues = open_template(draw(paint), kind="xlsx", name="t.xlsx").lint({"ds": [{"n": 1, "xs": [{"v": 1}]}]})
    assert {(i.code, str(i.place)) for i in issues} >= {
        ("GF272", "t.xlsx › S!A2"), ("GF276", "t.xlsx › S!A8"), ("GF275", "t.xlsx › S!A9"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stray", "paint_stray"),
    [
        ("C1048570", lambda sheet, book: sheet.write("C1048570", "x")),
        ("A1048576", lambda sheet, book: sheet.set_row(1_048_575, 30, book.add_format({"bold": True}))),
        ("XFD1", lambda sheet, book: sheet.write("XFD1", "x")),
    ],
)
def test_a_stray_cell_at_the_end_of_the_sheet_is_named(stray: str, paint_stray: Callable[[Any, Any], None]) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("名单")
        sheet.write_column("A1", ["{%tr for x in xs %}", "{{ x }}", "{%tr endfor %}"])
        sheet.write_row("B5", ["{%tc for x in xs %}", "{{ x }}", "{%tc endfor %}"])
        paint_stray(sheet, book)

    template = open_template(draw(paint), kind="xlsx", name="t.xlsx")
    with pytest.raises(TemplateError) as caught:
        template.render({"xs": list(range(50))})
    (issue,) = caught.value.issues
    assert (issue.code, str(issue.place)) == ("GF265", f"t.xlsx › 名单!{stray}")
    assert stray in issue.fact.zh
    assert "删除" in issue.hint.zh


@pytest.mark.parametrize(
    ("text", "code", "fact", "hint"),
    [
        ("甲 {{ v", "GF202", "“{{”没有以“}}”结束：{{ v", "}}"),
        ("{% if v", "GF202", "“{%”没有以“%}”结束", "%}"),
        ("{{ a }} {# b", "GF202", "“{#”没有以“#}”结束", "#}"),
        ("{%p for x in xs %}", "GF203", "Word", "{%tr for x in xs %}"),
        ("{%p endfor %}", "GF203", "Word", "{%tr endfor %}"),
        ("{% iff x %}", "GF203", "iff", ""),
    ],
)
def test_a_tag_that_does_not_parse_is_told_with_its_remedy(text: str, code: str, fact: str, hint: str) -> None:
    with pytest.raises(TemplateError) as caught:
        open_template(draw(lambda book: book.add_worksheet("表").write("B2", text)), kind="xlsx", name="t.xlsx")
    (issue,) = caught.value.issues
    assert (issue.code, str(issue.place)) == (code, "t.xlsx › 表!B2")
    assert fact in issue.fact.zh
    assert hint in issue.hint.zh


@pytest.mark.parametrize(("tag", "is_refused"), [("D1", True), ("D2", False)])
def test_a_list_that_repeats_the_heading_of_a_table_is_refused(tag: str, is_refused: bool) -> None:
    def paint(book: Any) -> None:
        sheet = book.add_worksheet("表")
        sheet.add_table("A1:B2", {"name": "城市", "columns": [{"header": "名"}, {"header": "数"}]})
        sheet.write_row("A2", ["{{ x.n }}", "{{ x.v }}"])
        sheet.write(tag, "{%tr for x in xs %}")
        sheet.write("E2", "{%tr endfor %}")
        sheet.write_formula("A5", "=COUNTA(城市[名])")

    if not is_refused:
        made = (
            open_template(draw(paint), kind="xlsx")
            .render({"xs": [{"n": "甲", "v": 1}, {"n": "乙", "v": 2}]})
            .to_bytes()
        )
        assert openpyxl.load_workbook(io.BytesIO(made), data_only=True)["表"]["A6"].value == 2
        return
    with pytest.raises(TemplateError) as caught:
        open_template(draw(paint), kind="xlsx", name="t.xlsx")
    (issue,) = caught.value.issues
    assert (issue.code, str(issue.place)) == ("GF278", "t.xlsx › 表!D1")
    assert "城市" in issue.fact.zh


@pytest.mark.parametrize(
    ("value", "fact", "hint"),
    [
        (None, "xs: expected a list, but it is empty", 'give an empty list, or allow it: "for x in xs or []"'),
        (3, "xs: expected a list, found a number", "give a list"),
        (True, "xs: expected a list, found true or false", "give a list"),
        ("甲", "xs: expected a list, found a text", "give a list"),
    ],
)
def test_what_is_no_list_is_told_in_plain_words(value: Any, fact: str, hint: str) -> None:
    template = open_template(
        make([["{%tr for x in xs %}"], ["{{ x }}"], ["{%tr endfor %}"]]), kind="xlsx", name="t.xlsx"
    )
    with pytest.raises(TemplateError) as failed:
        template.render({"xs": value})
    (issue,) = failed.value.issues
    assert (issue.code, str(issue.fact), str(issue.hint)) == ("GF219", fact, hint)
    allowed = open_template(make([["{%tr for x in xs or [] %}"], ["{{ x }}"], ["{%tr endfor %}"]]), kind="xlsx")
    assert allowed.render({"xs": None if value is None else []})


@pytest.mark.parametrize(
    ("formula", "is_told"),
    [
        ('INDIRECT("A5")', True), ('SUM(INDIRECT("表!$A$1:$A$9"))', True), ("OFFSET(A1,4,0)", True),
        ('INDIRECT("R5C1",FALSE)', True), ('INDIRECT("A"&ROW())', False), ("INDEX(A1:A9,5)", False), ('"A5"', False),
    ],
)  # fmt: skip
def test_lint_tells_of_cells_that_are_found_by_a_text_or_a_distance(formula: str, is_told: bool) -> None:
    rows = [["{%tr for x in xs %}"], ["{{ x }}"], ["{%tr endfor %}"], ["", "=" + formula]]
    issues = open_template(make(rows), kind="xlsx", name="t.xlsx").lint({"xs": []})
    assert [str(issue.place).rpartition("!")[2] for issue in issues if issue.code == "GF279"] == ["B4"] * is_told
    still = open_template(make([["{{ x }}", "=" + formula]]), kind="xlsx").lint({"x": 1})
    assert not [issue for issue in still if issue.code == "GF279"]  # nothing grows here


@pytest.mark.parametrize(
    "options",
    [{"filters": ["x"]}, {"filters": {"x": 1}}, {"environment": "x"}, {"budget": 5}, {"trusted": "no"}],
    ids=str,
)
def test_options_of_a_wrong_type_are_refused_by_name(options: Any) -> None:
    name = next(iter(options))
    with pytest.raises(TypeError, match=name.removesuffix("s")):
        open_template(make([["{{ x }}"]]), kind="xlsx", **options)


@pytest.mark.parametrize("names", [None, 1, "xs", b"xs", [1], {1: 2}, [None]], ids=str)
def test_names_of_a_wrong_type_are_refused(names: Any) -> None:
    with pytest.raises(TypeError, match="names are "):
        open_template(make([["{{ x }}"]]), kind="xlsx").lint(names)
