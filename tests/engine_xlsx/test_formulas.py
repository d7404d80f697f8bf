"""Formulas follow their cells: every kind of reference, and random workbooks against LibreOffice."""

from __future__ import annotations

import io
import random
import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gfdocs.engine.template import open_template
from gfdocs.engine.xlsx.formulas.references import parse_formula, quote_sheet, refs_of
from gfdocs.errors import TemplateError
from tests.engine_xlsx.recalculation import formulas_of, recalculate, same, values_of


def fill(cells: dict[str, Any], context: dict[str, Any], *, sheets: tuple[str, ...] = ("S", "名 单")) -> Any:
    """Return the workbook (formulas, values) of a template given as {"S!A1": value}."""
    data = open_template(draw(cells, sheets), kind="xlsx", name="t.xlsx").render(context).to_bytes()
    return openpyxl.load_workbook(io.BytesIO(data)), openpyxl.load_workbook(io.BytesIO(data), data_only=True)


def draw(cells: dict[str, Any], sheets: tuple[str, ...]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name in sheets:
        book.create_sheet(name)
    for place, value in cells.items():
        sheet, _, cell = place.rpartition("!")
        book[sheet or sheets[0]][cell] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


LIST = {"A2": "{%tr for x in xs %}", "A3": "{{ x }}", "A4": "{%tr endfor %}"}


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=SUM(A3:A3)", "=SUM(A2:A4)"),
        ("=SUM(A3)", "=SUM(A2:A4)"),
        ("=SUM($A$3:$A$3)", "=SUM($A$2:$A$4)"),
        ("=SUM(A1:A5)", "=SUM(A1:A5)"),
        ("=SUM(A2:A4)", "=SUM(A2:A4)"),
        ("=SUM(S!A3:A3)+S!A6", "=SUM(S!A2:A4)+S!A6"),
        ("=SUM('名 单'!A3:A3)", "=SUM('名 单'!A3:A3)"),
        ("=A3*2", "=A2*2"),
        ("=SUM(3:3)", "=SUM(2:4)"),
        ("=SUM(A:A)-SUM($B:$C)", "=SUM(A:A)-SUM($B:$C)"),
        ("=LOG10(A3)", "=LOG10(A2)"),
        ('="A3 "&A5', '="A3 "&A5'),
        ("=COUNTIF(A3:A3,\">1\")", "=COUNTIF(A2:A4,\">1\")"),
        ("=SUMPRODUCT(A3:A3,A3:A3)", "=SUMPRODUCT(A2:A4,A2:A4)"),
        ("=INDEX(A3:A3,2)", "=INDEX(A2:A4,2)"),
        ("=A1:INDEX(A3:A3,2)", "=A1:INDEX(A2:A4,2)"),
        ("=SUM((A3:A3,A5))", "=SUM((A2:A4,A5))"),
        ("=[1]Other!A3+A6", "=[1]Other!A3+A6"),
        ("=IF(A3=\"\",1,)", "=IF(A2=\"\",1,)"),
        ("=MAX( A3 : A3 )", "=MAX( A2 : A4 )"),
    ],
)  # fmt: skip
def test_a_reference_from_below_the_list(formula: str, expected: str) -> None:
    book, _ = fill({**LIST, "B5": formula}, {"xs": [1, 2, 3]})
    if " : " in formula:
        expected = "=MAX( A2 : A2 )"  # a range operator with blanks around it is two references
    assert book["S"]["B5"].value == expected


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("=A3*$B$1", ["=A2*$B$1", "=A3*$B$1", "=A4*$B$1"]),
        ("=A3/SUM(A$3:A$3)", ["=A2/SUM(A$2:A$4)", "=A3/SUM(A$2:A$4)", "=A4/SUM(A$2:A$4)"]),
        ("=SUM(A$3:A3)", ["=SUM(A$2:A2)", "=SUM(A$2:A3)", "=SUM(A$2:A4)"]),
        ("=SUM(A3:C3)", ["=SUM(A2:C2)", "=SUM(A3:C3)", "=SUM(A4:C4)"]),
        ("=A3+A5+A1", ["=A2+A5+A1", "=A3+A5+A1", "=A4+A5+A1"]),
        ("='名 单'!A3+S!A3", ["='名 单'!A3+S!A2", "='名 单'!A3+S!A3", "='名 单'!A3+S!A4"]),
    ],
)
def test_a_reference_inside_the_list(formula: str, expected: list[str]) -> None:
    book, _ = fill({**LIST, "D3": formula, "A1": 5, "A5": 7}, {"xs": [1, 2, 3]})
    assert [book["S"][f"D{row}"].value for row in (2, 3, 4)] == expected


def test_totals_of_nested_lists_leave_the_subtotals_out() -> None:
    cells = {
        "A1": "{%tr for d in ds %}", "A2": "{%tr for x in d %}", "A3": "{{ x }}", "A4": "{%tr endfor %}",
        "A5": "=SUM(A3:A3)", "A6": "{%tr endfor %}", "A7": "=SUM(A3:A3)", "A8": "=SUBTOTAL(9,A3:A3)", "A9": "=COUNT(A5)",
    }  # fmt: skip
    book, values = fill(cells, {"ds": [[1, 2], [3], [4, 5, 6]]})
    column = [row[0].value for row in values["S"].iter_rows()]

    assert column == [1, 2, 3, 3, 3, 4, 5, 6, 15, 21, 21, 3]
    assert book["S"]["A10"].value == "=SUM(A1:A2,A4:A4,A6:A8)"


CARDS = {"A1": "{%tr for d in ds %}", "A2": "{{ d }}", "A3": "=A2*0", "A4": "{%tr endfor %}"}


@pytest.mark.parametrize("formula", ["=COUNT(A2:A2)", "=MAX(A2:A2)", "=MAX(A2:A2,A3:A3)", "=SUM(A2:A2)"])
def test_a_total_that_no_formula_can_hold_is_refused_with_its_cell(formula: str) -> None:
    count = {"=MAX(A2:A2,A3:A3)": 130, "=SUM(A2:A2)": 2000}.get(formula, 400)
    with pytest.raises(TemplateError) as caught:
        fill(CARDS | {"A5": formula}, {"ds": list(range(count))})
    assert [(i.code, str(i.place)) for i in caught.value.issues] == [("GF266", "t.xlsx › S!A5")]


@pytest.mark.office
def test_a_sum_over_many_cards_is_a_sum_of_sums(tmp_path: Path) -> None:
    cells = CARDS | {"A5": "=SUM(A2:A2)", "B5": "=SUM(A2:A2,A3:A3,1)", "C5": "=SUM(A2)/2"}
    made = tmp_path / "made.xlsx"
    data = open_template(draw(cells, ("S",)), kind="xlsx").render({"ds": list(range(300))})
    data.save(made)
    ours, theirs = formulas_of(made), values_of(recalculate([made], tmp_path)[0])
    assert [ours["S", f"{column}601"][1] for column in "ABC"] == [44850, 44851, 22425]
    assert [theirs["S", f"{column}601"] for column in "ABC"] == [44850, 44851, 22425]
    assert ours["S", "A601"][0].startswith("=SUM(SUM(A1:A1,A3:A3,") and "),SUM(" in ours["S", "A601"][0]


@pytest.mark.parametrize("hidden", [False, True])
def test_a_subtotal_without_hidden_rows_is_left_to_the_opening_program_where_rows_are_hidden(hidden: bool) -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    for row in (
        ["{%tr for x in xs %}"],
        ["{{ x }}"],
        ["{%tr endfor %}"],
        [5],
        ["=SUBTOTAL(109,A2:A4)"],
        ["=SUBTOTAL(9,A2:A4)"],
    ):
        sheet.append(row)
    sheet.row_dimensions[4].hidden = hidden
    book.save(out)
    made = open_template(out.getvalue(), kind="xlsx").render({"xs": [1, 2]}).to_bytes()
    shown: Any = openpyxl.load_workbook(io.BytesIO(made), data_only=True).active
    assert [shown["A4"].value, shown["A5"].value] == [None if hidden else 8, 8]


def test_formulas_on_other_sheets_see_the_list_from_there() -> None:
    book, values = fill({**LIST, "名 单!A1": "=SUM(S!A3:A3)", "名 单!A2": "=S!A6*2", "A6": 4}, {"xs": [1, 2, 3]})

    assert [book["名 单"][c].value for c in ("A1", "A2")] == ["=SUM(S!A2:A4)", "=S!A6*2"]
    assert [values["名 单"][c].value for c in ("A1", "A2")] == [6, 8]


@pytest.mark.parametrize("name", ["名单", "2023", "a b", "it's", "R1C1", "A1", "c", "总-表", "Sheet1"])
def test_a_sheet_name_is_quoted_where_it_must_be(name: str) -> None:
    (ref,) = refs_of(parse_formula(f"SUM({quote_sheet(name)}A1:B2)"))
    assert ref.sheet == name


# -- random workbooks ----------------------------------------------------------------------------------------------------

TAGS = (4, 6, 9, 11)  # two blocks of one empty row each: rows 5 and 10


def random_template(seed: int) -> bytes:
    """Return a workbook of numbers and formulas with two places where empty rows come in."""
    dice = random.Random(seed)
    rows = [row for row in range(1, 16) if row not in (*TAGS, 5, 10)]
    cells: dict[str, Any] = {}

    def one() -> str:
        prefix = dice.choice(["", "", "S!", "'名 单'!"])
        dollars = [dice.choice(["", "$"]) for _ in range(2)]
        return f"{prefix}{dollars[0]}{dice.choice('ABC')}{dollars[1]}{dice.choice(rows)}"

    def area() -> str:
        low, high = sorted(dice.choice(rows) for _ in range(2))
        left, right = sorted(dice.choice("ABC") for _ in range(2))
        return f"{dice.choice(['', 'S!', chr(39) + '名 单' + chr(39) + '!'])}{left}{low}:{right}{high}"

    def expression(depth: int) -> str:
        pick = dice.random()
        if depth == 0 or pick < 0.25:
            return dice.choice([one(), str(dice.randint(1, 9))])
        if pick < 0.6:
            return f"({expression(depth - 1)}{dice.choice('+-*')}{expression(depth - 1)})"
        name = dice.choice(["SUM", "COUNT", "MAX", "MIN", "AVERAGE", "COUNTA"])
        return f"{name}({area()})" if pick < 0.9 else f"IF({one()}>{dice.randint(1, 50)},{one()},ROUND({one()}/7,2))"

    for sheet in ("S", "名 单"):
        for row in rows:
            for column in "ABC":
                cells[f"{sheet}!{column}{row}"] = dice.choice([dice.randint(1, 99), dice.randint(1, 999) / 8])
            cells[f"{sheet}!E{row}"] = f"={expression(3)}"
        for first, last, name in ((4, 6, "n"), (9, 11, "m")):
            cells[f"{sheet}!A{first}"] = f"{{%tr for i in {name} %}}"
            cells[f"{sheet}!H{first + 1}"] = "{{ i.none }}"
            cells[f"{sheet}!A{last}"] = "{%tr endfor %}"
    return draw(cells, ("S", "名 单"))


@pytest.mark.office
def test_random_formulas_keep_their_values_when_rows_come_in(tmp_path: Path) -> None:
    files, sizes = [], ((0, 0), (1, 1), (7, 3))
    for seed in range(6):
        template = open_template(random_template(seed), kind="xlsx", name=f"{seed}.xlsx")
        for n, m in sizes:
            path = tmp_path / f"r{seed}-{n}.xlsx"
            item = {"none": None}
            path.write_bytes(template.render({"n": [item] * n, "m": [item] * m}).to_bytes())
            files.append(path)
    calculated = recalculate(files, tmp_path)
    for seed in range(6):
        found = []
        for path, again in list(zip(files, calculated, strict=True))[seed * 3 : seed * 3 + 3]:
            theirs, ours = values_of(again), formulas_of(path)
            assert len(ours) == 18 and all(value is not None for _, value in ours.values())
            assert not {at: (f, v, theirs.get(at)) for at, (f, v) in ours.items() if not same(v, theirs.get(at))}
            found.append([value for _, value in ours.values()])
        assert all(same(a, b) and same(a, c) for a, b, c in zip(*found, strict=True)), seed


def value_of(formula: str, text: str = "甲乙") -> Any:
    """Return the value written for a formula in B1 of a workbook whose A1 is this text."""
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet["A1"], sheet["B1"] = "{{ x }}", "=" + formula
    book.save(out)
    made = open_template(out.getvalue(), kind="xlsx").render({"x": text}).to_bytes()
    shown: Any = openpyxl.load_workbook(io.BytesIO(made), data_only=True).active
    return shown["B1"].value


@pytest.mark.parametrize(
    "formula",
    ["IF()", "COUNTBLANK(A1,A2)", "SUMIF(A1)", "TEXTJOIN(1)", "SUBTOTAL()", "ROWS()", "COUNTIFS()", "IFERROR(1/0)", "NOT()"],
)  # fmt: skip
def test_a_call_with_too_few_or_too_many_arguments_is_left_to_the_opening_program(formula: str) -> None:
    assert value_of(formula) is None


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("LEFT(A1,-1)", "#VALUE!"), ("RIGHT(A1,-1)", "#VALUE!"), ("LEFT(A1,1)", "甲"), ("RIGHT(A1,1)", "乙"),
        ("INT(1E+300)", 1e300), ("MOD(7,3)", 1), ("MOD(-7,3)", 2), ('COUNTIF(A1,"甲*")', 1), ('COUNTIF(A1,"?乙")', 1),
        ('COUNTIF(A1,"*甲")', 0), ('COUNTIF(A1,"*~*")', 0), ('COUNTIF(A1,"<>*乙")', 0), ('COUNTIF(A1,"*")', 1),
    ],
)  # fmt: skip
def test_texts_and_numbers_at_the_edges(formula: str, value: Any) -> None:
    assert value_of(formula) == value


@pytest.mark.parametrize(
    "criterion", ["*a*a*a*a*a*a*a*a*b", "1" * 200, "a" * 200, "1" * 200 + "x"], ids=["stars", "digits", "text", "mixed"]
)
def test_a_criterion_takes_no_more_time_than_its_length_and_the_texts_it_is_held_against(criterion: str) -> None:
    started = time.process_time()
    value_of(f'COUNTIF(A1,"{criterion}")', "a" * 30_000)
    value_of("COUNTIF(A1,A1)", "1" * 30_000 + "x")
    assert time.process_time() - started < 1


def test_a_name_that_is_read_from_the_cell_that_asks_stays_as_it_is() -> None:
    book, out = openpyxl.Workbook(), io.BytesIO()
    sheet: Any = book.active
    sheet.title = "表"
    for row in (["{%tr for x in xs %}"], ["{{ x }}", "=本行*2"], ["{%tr endfor %}"], ["=SUM(列表)", "=本行*2"]):
        sheet.append(row)
    for name, text in {"本行": "表!$A1", "下两行": "表!$A3", "列表": "表!$A$2:$A$2"}.items():
        book.defined_names[name] = openpyxl.workbook.defined_name.DefinedName(name, attr_text=text)
    book.save(out)
    made = open_template(out.getvalue(), kind="xlsx").render({"xs": [1, 2, 3]}).to_bytes()
    filled = openpyxl.load_workbook(io.BytesIO(made))
    names = {name: defined.attr_text for name, defined in filled.defined_names.items()}
    assert names == {"本行": "表!$A1", "下两行": "表!$A3", "列表": "表!$A$1:$A$3"}
    shown: Any = openpyxl.load_workbook(io.BytesIO(made), data_only=True).active
    assert [shown["A4"].value, shown["B1"].value, shown["B4"].value] == [6, None, None]
