"""Links of cells lead where they led, their tags are filled, and their faults name the cell they stand in."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.hyperlink import Hyperlink

from gfdocs.engine.template import open_template
from gfdocs.errors import GfdocsError


def make_template(links: dict[str, dict[str, str]], change: Any = None) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = "名单"
    sheet.append(["名称", "数"])
    sheet.append(["{%tr for c in cs %}{{ c.n }}", "{{ c.v }}{%tr endfor %}"])
    sheet.append(["合计", "=SUM(B2:B2)"])
    for index in range(4, 9):
        sheet.append([f"第{index}行"])
    more = book.create_sheet("附")
    more["A1"], more["A2"] = "{%sheet if more %}", "附注"
    book.create_sheet("目录")["A1"] = "返回"
    book.defined_names["清单"] = DefinedName("清单", attr_text="名单!$A$2:$B$2")
    for where, link in links.items():
        name, cell = where.split("!")
        book[name][cell].hyperlink = Hyperlink(ref=cell, **link)
    if change is not None:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def find_links(template: bytes, count: int, **data: Any) -> dict[str, dict[str, str]]:
    """Return the attributes of each link of the filled workbook, by sheet and cell."""
    made = open_template(template, kind="xlsx", name="t.xlsx").render(
        {"cs": [{"n": f"甲{i}", "v": i, "u": f"u{i}"} for i in range(count)], "more": True} | data
    )
    book = openpyxl.load_workbook(io.BytesIO(made.to_bytes()))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    return {
        f"{cell.parent.title}!{cell.coordinate}": {
            name: getattr(cell.hyperlink, name) for name in ("location", "tooltip", "display")
        }
        for cell in cells
    }


def test_a_link_to_an_empty_list_leads_to_what_follows_it() -> None:
    links = {"名单!A4": {"location": "名单!A2"}, "名单!A5": {"location": "清单"}, "目录!A1": {"location": "名单!B2"}}
    empty, filled = find_links(make_template(links), 0), find_links(make_template(links), 2)
    assert [link["location"] for link in empty.values()] == ["名单!A2", "名单!A2", "名单!B2"]
    assert [link["location"] for link in filled.values()] == ["名单!A2", "清单", "名单!B2"]


def test_a_link_to_a_sheet_that_was_left_out_is_no_link() -> None:
    template = make_template({"名单!A4": {"location": "附!A2"}})
    assert find_links(template, 1, more=True)["名单!A4"]["location"] == "附!A2"
    assert find_links(template, 1, more=False) == {}


def test_a_link_on_a_sheet_without_tags_follows_a_sheet_whose_name_is_chinese() -> None:
    links = {"目录!A1": {"location": "名单!A3"}}
    assert find_links(make_template(links), 5)["目录!A1"]["location"] == "名单!A7"


def test_the_part_of_an_address_after_its_sign_is_no_cell_of_this_workbook() -> None:
    links = {"名单!A4": {"target": "other.xlsx", "location": "名单!A3"}}
    assert find_links(make_template(links), 5)["名单!A8"]["location"] == "名单!A3"


def test_what_a_link_says_is_filled_for_each_row() -> None:
    links = {"名单!A2": {"location": "名单!B3", "tooltip": "查看{{ c.n }}", "display": "{{ c.n }}"},
             "名单!A4": {"location": "'{{ t }}'!{{ at }}", "tooltip": "“{{ t }}”&"}}  # fmt: skip
    found = find_links(make_template(links), 2, t="名单", at="B1")
    assert [found[f"名单!A{row}"]["tooltip"] for row in (2, 3, 5)] == ["查看甲0", "查看甲1", "“名单”&"]
    assert (found["名单!A3"]["location"], found["名单!A5"]["location"]) == ("名单!B4", "'名单'!B1")


def test_faults_of_links_and_comments_name_the_cell() -> None:
    def add(book: Any) -> None:
        book["名单"]["B2"].comment = Comment("{{ c.n }} {{ c.bad }}", "甲")
        book["名单"]["A2"].hyperlink = "https://example.com/{{ c.u }}/{{ c.worse }}"
        book["名单"]["A4"].hyperlink = "https://example.com/{{ nope }}"

    template = open_template(make_template({}, add), kind="xlsx", name="t.xlsx")
    data = {"cs": [{"n": "甲", "v": 1, "u": "x"}], "more": True}
    with pytest.raises(GfdocsError) as failed:
        template.render(data)
    wanted = {("GF204", f"t.xlsx › 名单!{cell}") for cell in ("A2", "B2", "A4")}
    assert {(issue.code, str(issue.place)) for issue in failed.value.issues} == wanted
    told = [issue for issue in template.lint(data) if issue.code == "GF204"]
    assert {(issue.code, str(issue.place)) for issue in told} == wanted  # and nothing about c.n and c.u


def test_a_fault_in_the_words_of_a_link_is_told_when_the_template_is_opened() -> None:
    with pytest.raises(GfdocsError) as failed:
        open_template(make_template({"名单!A4": {"location": "名单!A2", "tooltip": "{{ a b }}"}}), kind="xlsx")
    assert str(failed.value.issues[0].place).endswith("名单!A4")


def test_words_of_a_link_that_are_too_long_are_refused() -> None:
    template = make_template({"名单!A4": {"location": "名单!A2", "tooltip": "{{ t }}"}})
    assert find_links(template, 1, t="甲" * 255)
    with pytest.raises(GfdocsError) as failed:
        find_links(template, 1, t="甲" * 256)
    assert (failed.value.issues[0].code, str(failed.value.issues[0].place)) == ("GF219", "t.xlsx › 名单!A4")
