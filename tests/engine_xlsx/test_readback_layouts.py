"""Templates of many shapes are read back to the data they were filled with: cards, conditions, sheets, lists twice."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest
import xlsxwriter

from gfdocs.engine.template import open_template
from gfdocs.raw import RawList, RawMap

Sheets = dict[str, list[list[Any]]]


def draw(sheets: Sheets) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, value in enumerate(row):
                    sheet.write(number, column, value)
    return out.getvalue()


def plain(raw: Any) -> Any:
    if isinstance(raw, RawMap):
        return {key: plain(value) for key, value in raw.entries.items()}
    return [plain(item) for item in raw.items] if isinstance(raw, RawList) else raw.text


def companies(count: int) -> list[dict[str, Any]]:
    return [{"n": f"示例{k}有限公司", "v": str(k * 10), "ok": k % 2 == 1} for k in range(count)]


LAYOUTS: dict[str, Sheets] = {
    "a formula in the row of the tag": {
        "表": [["名称", "产值", "=1+1"], ["{%tr for c in cs %}", None, "=1+2"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"], ["合计", "=SUM(B3:B3)"]]
    },
    "a card whose first line is a title": {
        "表": [["卡片"], ["{%tr for c in cs %}"], ["企业信息"], ["名称", "{{ c.n }}"], ["产值", "{{ c.v }}"], ["{%tr endfor %}"], ["完", "完"]]
    },
    "a card with an empty line": {
        "表": [["卡片"], ["{%tr for c in cs %}"], ["名称", "{{ c.n }}"], [None, "——"], ["产值", "{{ c.v }}"], [None, "=1"], ["{%tr endfor %}"], ["完", "完"]]
    },
    "a line for the empty list": {
        "表": [["名称", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr else %}"], ["（暂无）", 0], ["{%tr endfor %}"], ["合计", "=SUM(B3:B3)"]]
    },
    "a line under a condition": {
        "表": [["名称", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr if c.ok %}"], ["　已核", None], ["{%tr else %}"], ["　未核"], ["{%tr endif %}"], ["{%tr endfor %}"], ["合计", "=SUM(B3:B3)"]]
    },
    "columns that repeat": {
        "表": [["名称", "{%tc for m in ms %}{{ m.t }}{%tc endfor %}", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}", "x", "{{ c.v }}"], ["{%tr endfor %}"], ["合计"]]
    },
    "the same list twice": {
        "甲": [["名称", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"]],
        "乙": [["单位", "备注"], ["{%tr for x in cs %}"], ["{{ x.n }}", "无"], ["{%tr endfor %}"]],
    },
    "groups with a title": {
        "表": [["名称", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}"], [None, "{{ c.v }}"], [None, "——"], ["{%tr endfor %}"], ["合计"]],
    },
    "a value set by a tag": {
        "表": [["{%tr set total = cs|length %}"], ["共", "{{ total }}"], ["名称", "产值"], ["{%tr for c in cs %}"], ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"]]
    },
}  # fmt: skip


@pytest.mark.parametrize("count", [0, 1, 2, 5])
@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_what_was_written_is_read(layout: str, count: int) -> None:
    form = open_template(draw(LAYOUTS[layout]), kind="xlsx", name="t.xlsx")
    made = form.render({"cs": companies(count), "ms": [{"t": "一月"}, {"t": "二月"}]}).to_bytes()
    raw: Any = form.read(made, name="返回.xlsx")
    assert [str(issue) for issue in raw.issues] == []
    assert plain(raw) == {"cs": [{"n": c["n"], "v": c["v"]} for c in companies(count)]}


NESTED: Sheets = {
    "表": [
        ["名称", "产值"], ["{%tr for d in ds %}"], ["{{ d.name }}"], ["{%tr if d.cs %}"], ["{%tr for c in d.cs %}"],
        ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"], ["小计", "=SUM(B6:B6)"], ["{%tr else %}"], ["　无"],
        ["{%tr endif %}"], ["{%tr endfor %}"], ["合计", "=SUM(B6:B6)"],
    ]
}  # fmt: skip
SHEETS: Sheets = {
    "说明": [["标题", "{{ title }}"]],
    "{{ d.name }}": [
        ["{%sheet for d in ds %}"], ["区", "{{ d.name }}"], ["年度", "{{ year }}"], ["名称", "产值"], ["{%tr for c in d.cs %}"],
        ["{{ c.n }}", "{{ c.v }}"], ["{%tr endfor %}"], ["合计", "=SUM(B6:B6)"],
    ],
}  # fmt: skip


def districts(*counts: int) -> list[dict[str, Any]]:
    return [{"name": f"第{k}区", "cs": companies(count)} for k, count in enumerate(counts)]


@pytest.mark.parametrize("counts", [(), (0,), (2, 0, 3), (0, 0), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("layout", [NESTED, SHEETS], ids=["rows", "sheets"])
def test_lists_in_lists_are_read(layout: Sheets, counts: tuple[int, ...]) -> None:
    form = open_template(draw(layout), kind="xlsx", name="t.xlsx")
    data = {"ds": districts(*counts), "title": "名单", "year": "2023"}
    raw: Any = form.read(form.render(data).to_bytes(), name="返回.xlsx")
    assert [str(issue) for issue in raw.issues] == []
    wanted = [{"name": d["name"], "cs": [{"n": c["n"], "v": c["v"]} for c in d["cs"]]} for d in data["ds"]]
    assert plain(raw)["ds"] == wanted
    assert plain(raw).keys() <= {"ds", "title", "year"}


def test_a_list_in_two_places_that_differ_is_told() -> None:
    form = open_template(draw(LAYOUTS["the same list twice"]), kind="xlsx", name="t.xlsx")
    other = open_template(draw({"甲": LAYOUTS["the same list twice"]["甲"], "乙": [["单位", "备注"], ["示例0有限公司"], ["另一公司"]]}), kind="xlsx")  # fmt: skip
    raw: Any = form.read(other.render({"cs": companies(2)}).to_bytes(), name="返回.xlsx")
    (issue,) = raw.issues
    assert (issue.code, str(issue.place), [str(place) for place in issue.also]) == (
        "GF613", "返回.xlsx › 乙!A3", ["返回.xlsx › 甲!A3"],
    )  # fmt: skip
    assert [item["n"] for item in plain(raw)["cs"]] == ["示例0有限公司", "示例1有限公司"]


def test_lines_that_only_their_data_could_tell_are_not_read() -> None:
    rows = [["名称"], ["{%tr for c in cs %}"], ["{{ c.n }}"], ["{%tr if c.ok %}"], ["{{ c.v }}"], ["{%tr endif %}"], ["{%tr endfor %}"], ["单位", "{{ unit }}"]]  # fmt: skip
    form = open_template(draw({"表": rows}), kind="xlsx", name="t.xlsx")
    raw: Any = form.read(form.render({"cs": companies(3), "unit": "市局"}).to_bytes(), name="返回.xlsx")
    assert plain(raw) == {"unit": "市局"}


LIST: Sheets = {
    "表": [
        ["名称", "产值", "备注"],
        ["{%tr for c in cs %}"],
        ["{{ c.n }}", "{{ c.v }}", "{{ c.z }}"],
        ["{%tr endfor %}"],
    ]
}


@pytest.mark.parametrize(
    ("below", "told"),
    [
        ([[], ["另：以上数据已核实。"]], ["返回.xlsx › 表!A5"]), ([[], [None, "5"]], ["返回.xlsx › 表!B5"]),
        ([["丙厂"]], []), ([[], ["丙厂", 5]], []), ([[]], []),
    ],
)  # fmt: skip
def test_a_note_below_a_list_is_told(below: list[list[Any]], told: list[str]) -> None:
    form = open_template(draw(LIST), kind="xlsx", name="t.xlsx")
    rows = [LIST["表"][0], ["甲厂", 1], ["乙厂", 2], *below]
    raw: Any = form.read(draw({"表": rows}), name="返回.xlsx")
    assert [(issue.code, str(issue.place)) for issue in raw.issues] == [("GF620", place) for place in told]
    assert len(plain(raw)["cs"]) == 2 + any(map(any, below))


def test_a_column_whose_heading_is_changed_is_found_beside_either_neighbour() -> None:
    form = open_template(draw(LIST), kind="xlsx", name="t.xlsx")
    rows = [["名称", None, "年度数值", "备注"], ["甲厂", None, 1, "无"], ["乙厂", None, 2, "无"]]
    raw: Any = form.read(draw({"表": rows}), name="返回.xlsx")
    assert [issue.code for issue in raw.issues] == ["GF619"]
    assert [item["v"] for item in plain(raw)["cs"]] == ["1", "2"]


def test_many_long_texts_in_the_heading_take_no_time() -> None:
    headings = [f"标题{number}" for number in range(10)]
    tags = [f"{{{{ c.f{number} }}}}" for number in range(10)]
    form = open_template(draw({"表": [headings, ["{%tr for c in cs %}"], tags, ["{%tr endfor %}"]]}), kind="xlsx")
    hostile = draw({"表": [["标题0", *(("题标" * 16_000) + str(number) for number in range(40))], ["x"] * 5]})
    started = time.process_time()
    raw: Any = form.read(hostile, name="返回.xlsx")
    assert time.process_time() - started < 1.5
    assert [issue.code for issue in raw.issues] == ["GF619"] * 9  # each is taken for the column that stood there


def test_many_long_texts_beside_many_fields_take_no_time() -> None:
    fields = [[f"标签{number}：", f"{{{{ f{number} }}}}"] for number in range(60)]
    form = open_template(draw({"表": [*fields, ["填报{{ a }}年{{ b }}月"]]}), kind="xlsx")
    hostile = draw({"表": [["标签0：", "x"], *([["年月" * 8_000] * 20] * 200)]})
    started = time.process_time()
    raw: Any = form.read(hostile, name="返回.xlsx")
    assert time.process_time() - started < 3
    assert plain(raw)["f0"] == "x"
