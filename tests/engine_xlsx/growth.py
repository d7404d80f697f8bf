"""One workbook that holds everything that must follow a growing list, and what it must come to, computed apart from the engine."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import xlsxwriter

LIST, OVERVIEW, NESTED, TABLE, STILL = "名单 2023", "汇总", "分区", "表格", "不动"

PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cf500f0003830181b5c1a2f50000000049454e44ae426082"
)


def draw_template() -> bytes:
    """Return the growth workbook: a list at row 5 between its tags, things beside, below and on other sheets that refer to it."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"created": dt.datetime(2023, 1, 1), "title": "{{ title }}"})
    bold = book.add_format({"bold": True, "border": 1})
    _draw_list(book, bold)
    _draw_overview(book)
    _draw_nested(book, bold)
    _draw_table(book)
    still = book.add_worksheet(STILL)
    still.write("A1", "原样")
    still.write_formula("B1", "=1+1", None, 2)
    book.define_name("金额", f"='{LIST}'!$C$5:$C$5")
    book.define_name("单价", f"='{LIST}'!$B$2")
    book.define_name("合计行", f"='{LIST}'!$A$7:$H$7")
    book.define_name("中文名", f"={NESTED}!$B$5:$B$5")
    book.close()
    return out.getvalue()


def _draw_list(book: Any, bold: Any) -> None:
    sheet = book.add_worksheet(LIST)
    date = book.add_format({"num_format": "yyyy/m/d"})
    sheet.merge_range("A1:H1", "{{ title }}", bold)
    sheet.write_row("A2", ["单价", "{{ price }}"])
    for column, text in enumerate(["序号", "名称", "数量", "金额", "占比", "累计", "日期", "备注"]):
        sheet.write(2, column, text, bold)
    sheet.write("A4", "{%tr for x in xs %}")
    sheet.set_row(4, 22.5)
    sheet.write("A5", "{{ loop.index }}")
    sheet.write("B5", "{{ x.name }}", bold)
    sheet.write("C5", "{{ x.amount }}")
    sheet.write_formula("D5", "=C5*$B$2")
    sheet.write_formula("E5", "=C5/SUM(C$5:C$5)")
    sheet.write_formula("F5", "=SUM(C$5:C5)")
    sheet.write("G5", "{{ x.date }}", date)
    sheet.merge_range("H5:I5", "{{ x.note }}", bold)
    sheet.write("A6", "{%tr endfor %}")
    sheet.write("A7", "合计", bold)
    sheet.merge_range("A7:B7", "合计", bold)
    sheet.write_formula("C7", "=SUM(C5:C5)", bold)
    sheet.write_formula("D7", "=SUM(D5)", bold)
    sheet.write_formula("E7", '=COUNTIF(B5:B5,"甲*")')
    sheet.write_formula("F7", "=IF(C7>0,ROUND(D7/C7,2),0)")
    sheet.write_formula("G7", "=MAX(G5:G5)", date)
    sheet.set_row(6, 30)
    sheet.merge_range("A9:C9", "负责人：{{ person }}", bold)
    sheet.write("A10", "注")
    sheet.write_formula("B10", '=C7&"/"&COUNTA(B5:B5)')
    sheet.write_array_formula("C10:C10", "{=SUM(C5:C5*2)}")
    sheet.write_formula("D10", "=SUM(5:5)-SUM(5:5)")
    sheet.write_formula("E10", "=SUM(C:C)")
    sheet.write_url("B12", "https://example.com/", string="链接")
    sheet.write_url("C12", f"internal:'{LIST}'!A7", string="去合计")
    sheet.write_comment("C7", "合计的批注")
    sheet.write_comment("B5", "每行的批注")
    sheet.data_validation("H5:H5", {"validate": "list", "source": ["是", "否"]})
    sheet.data_validation("J5", {"validate": "list", "source": f"={OVERVIEW}!$D$1:$D$3"})
    sheet.data_validation("C9", {"validate": "decimal", "criteria": ">=", "value": "=$C$7"})
    sheet.conditional_format("C5:C5", {"type": "cell", "criteria": ">", "value": "$B$2", "format": bold})
    sheet.conditional_format("B5:C5", {"type": "formula", "criteria": "=$C5>$C$7/2", "format": bold})
    sheet.conditional_format("C7", {"type": "cell", "criteria": ">", "value": 100, "format": bold})
    sheet.conditional_format("D5:D5", {"type": "data_bar", "data_bar_2010": True})
    sheet.autofilter("A3:I5")
    sheet.print_area("A1:I10")
    sheet.repeat_rows(0, 2)
    sheet.set_h_pagebreaks([7])
    sheet.freeze_panes(3, 1)
    sheet.ignore_errors({"number_stored_as_text": "B5:B5"})
    sheet.unprotect_range("C5:C5", "输入")
    sheet.protect()
    sheet.set_header('&L&"宋体"&10{{ title }}&R第&P页')
    sheet.add_sparkline("J7", {"range": f"'{LIST}'!C5:C5"})
    sheet.add_sparkline("K5", {"range": f"'{LIST}'!C5:D5"})
    sheet.insert_image("B14", "dot.png", {"image_data": io.BytesIO(PICTURE)})
    sheet.insert_textbox("D14", "文本框：{{ title }}", {"width": 120, "height": 40})
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {"categories": f"='{LIST}'!$B$5:$B$5", "values": f"='{LIST}'!$C$5:$C$5", "name": f"='{LIST}'!$C$3"}
    )
    chart.set_title({"name": "图：{{ title }}"})
    sheet.insert_chart("F14", chart)


def _draw_overview(book: Any) -> None:
    sheet = book.add_worksheet(OVERVIEW)
    for row, formula in enumerate(OVERVIEW_FORMULAS):
        sheet.write_formula(row, 0, formula)
    sheet.write_column("D1", ["甲", "乙", "丙"])


OVERVIEW_FORMULAS = [
    f"='{LIST}'!C7",
    f"=SUM('{LIST}'!C5:C5)",
    f"=SUMIF('{LIST}'!B5:B5,\"甲*\",'{LIST}'!C5:C5)",
    f"=COUNTA('{LIST}'!B5:B5)",
    "=SUM(金额)*单价",
    f"=AVERAGE('{LIST}'!C3:C7)",
    f"={NESTED}!C10",
    "=COUNTA(中文名)",
    "=SUM(A1:A2)",
    f"=SUM({TABLE}!B3:B3)",
    f"=SUBTOTAL(9,'{LIST}'!C5:C5)",
    f"=MIN('{LIST}'!$C5:$C$5)",
    f"=SUM('{LIST}'!C:C)",
]


def _draw_nested(book: Any, bold: Any) -> None:
    sheet = book.add_worksheet(NESTED)
    sheet.write_row("A1", ["{{ title }}"])
    sheet.write("A2", "{%tr for d in districts %}")
    sheet.write("A3", "{{ d.name }}", bold)
    sheet.write("A4", "{%tr for c in d.companies %}")
    sheet.write_row("A5", ["{{ loop.index }}", "{{ c.name }}", "{{ c.amount }}"])
    sheet.write_formula("D5", "=C5/SUM(C$5:C$5)")
    sheet.write("A6", "{%tr endfor %}")
    sheet.write("A7", "小计：{{ d.name }}")
    sheet.write_formula("C7", "=SUM(C5:C5)", bold)
    sheet.merge_range("A7:B7", "小计：{{ d.name }}", bold)
    sheet.write("A8", "{%tr endfor %}")
    sheet.write("A9", "{%tr if note %}")
    sheet.write("A10", "总计{%tr endif %}")
    sheet.write_formula("C10", "=SUM(C5:C5)", bold)
    sheet.write_formula("C11", "=SUM(C7)", bold)
    sheet.write_formula("C12", "=COUNT(C5)")


def _draw_table(book: Any) -> None:
    sheet = book.add_worksheet(TABLE)
    sheet.write("A2", "{%tr for x in xs %}")
    sheet.add_table(
        "A1:C4",
        {
            "name": "Items",
            "columns": [{"header": "名"}, {"header": "数"}, {"header": "倍", "formula": "=Items[[#This Row],[数]]*2"}],
        },
    )
    sheet.write_row("A2", ["{%tr for x in xs %}", "", ""])
    sheet.write_row("A3", ["{{ x.name }}", "{{ x.amount }}"])
    sheet.write_formula("C3", "=Items[[#This Row],[数]]*2")
    sheet.write_row("A4", ["{%tr endfor %}", "", ""])
    sheet.write_formula("E1", "=SUM(Items[数])")


def make_data(count: int) -> dict[str, Any]:
    """Return data for `count` items: texts that look like formulas, numbers, dates, empty notes."""
    xs = [
        {
            "name": f"甲{i}" if i % 2 else f"=乙&{i}",
            "amount": i * 3 + 1 if i % 3 else i + 0.25,
            "date": dt.date(2023, 1, 1) + dt.timedelta(days=i),
            "note": None if i % 4 else f"备注 <{i}>",
        }
        for i in range(count)
    ]
    companies = [{"name": x["name"], "amount": x["amount"]} for x in xs[:40]]
    thirds = [companies[0::3], companies[1::3], companies[2::3]]
    districts = [{"name": f"区{i}", "companies": part} for i, part in enumerate(thirds)] if count else []
    return {"title": "名单&表", "price": 2.5, "person": "张示例", "note": True, "xs": xs, "districts": districts}


def expect_overview(data: dict[str, Any]) -> list[Any]:
    """Return what the overview's formulas must come to, by plain arithmetic on the data."""
    amounts = [x["amount"] for x in data["xs"]]
    total = sum(amounts)
    nested = sum(c["amount"] for d in data["districts"] for c in d["companies"])
    inner = [total, *amounts]  # rows 3..7: heading, list, total
    named = sum(len(d["companies"]) for d in data["districts"])
    extra = total + total * 2  # the total below the list, and the array formula
    return [
        total,
        total,
        sum(x["amount"] for x in data["xs"] if x["name"].startswith("甲")),
        len(amounts),
        total * data["price"],
        sum(inner) / len(inner),
        nested,
        named,
        2 * total,
        total,
        total,
        min(amounts, default=0),
        total + extra,
    ]
