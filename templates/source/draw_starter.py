"""Draws starter/companies.xlsx: the list of companies that `gfdocs new` gives, ready to be filled in Excel or WPS.

Headings are those that docs/data.md lists; columns that keep digits are text; words to choose from are drop-downs. The
companies are made up.
"""

from __future__ import annotations

from typing import Any

from draw_xlsx import HEAD, LEVELS, Book, Check

LAST_ROW = 500  # prompts and formats reach so far; rows below are read as well
CATEGORIES = ["绿色工厂", "绿色工业园区", "绿色供应链管理企业"]
STATES = ["在列", "更名", "移出", "培育"]
TEXT: dict[str, Any] = {"num_format": "@"}


def _choice(words: list[str], message: str) -> Check:
    return Check({"validate": "list", "source": words}, message)


COLUMNS: tuple[tuple[str, float, dict[str, Any], Check | None], ...] = (
    ("企业名称", 36, {}, Check({"validate": "any"}, "必填。填全称，与营业执照一致；更名的填新名称。")),
    ("原名称", 20, {}, Check({"validate": "any"}, "更名的填旧名称，其他留空。")),
    ("统一社会信用代码", 22, TEXT, Check({"validate": "length", "criteria": "=", "value": 18}, "18 位；本列为文本格式，请勿改成数字。", stop=False)),
    ("所在地", 14, {}, Check({"validate": "any"}, "县级市（区）的名称，与 gfdocs.yaml 中的一致；不清楚的留空。")),
    ("名单类别", 18, {}, _choice(CATEGORIES, "从下拉列表中选择；空着的按绿色工厂。")),
    ("名单级别", 10, {}, _choice(LEVELS, "从下拉列表中选择；空着的按本批级别。")),
    ("列入年度", 10, {}, Check({"validate": "integer", "criteria": "between", "minimum": 2017, "maximum": 2100}, "四位数年份；空着的按本批年度。")),
    ("批次", 10, {}, None),
    ("所属行业", 26, {}, None),
    ("联系人", 10, {}, None),
    ("联系电话", 18, TEXT, None),
    ("状态", 8, {}, _choice(STATES, "在列（可空着）、更名、移出；还没有列入、准备培育的选“培育”。")),
    ("主要产品", 20, {}, Check({"validate": "any"}, "培育对象填写。")),
    ("培育级别", 10, {}, _choice(LEVELS, "培育对象填写，从下拉列表中选择。")),
    ("计划申报年度", 13, {}, Check({"validate": "any"}, "培育对象填写，四位数年份。")),
    ("备注", 20, {}, None),
)  # fmt: skip
COMPANIES: tuple[dict[str, str | int], ...] = (
    {"企业名称": "示例电子有限公司", "统一社会信用代码": "91320599MA0EX0018Q", "所在地": "示范区", "所属行业": "计算机、通信和其他电子设备制造业"},
    {"企业名称": "示例食品有限公司", "统一社会信用代码": "91320599MA0EX00504", "所在地": "样板市", "所属行业": "食品制造业"},
    {"企业名称": "示例绿能电池（样板）有限公司", "统一社会信用代码": "91320599MA0EX00691", "所在地": "样板市", "所属行业": "电气机械和器材制造业"},
    {"企业名称": "示例包装制品有限公司", "统一社会信用代码": "91320599MA0EX01067", "所在地": "示范区", "状态": "培育", "主要产品": "瓦楞纸箱",
     "培育级别": "省级", "计划申报年度": 2023},
)  # fmt: skip


def draw() -> dict[str, bytes]:
    """Return the file by its path below templates/."""
    book = Book()
    sheet = book.book.add_worksheet("企业")
    head = book.cell(bold=True, align="center", bg_color=HEAD, font_size=11)
    sheet.set_row(0, 26)
    for number, (title, width, look, check) in enumerate(COLUMNS):
        sheet.set_column(number, number, width, book.format(font_size=11, **look))
        sheet.write_string(0, number, title, head)
        if check is not None:
            sheet.data_validation(1, number, LAST_ROW - 1, number, _rule(check))
        for row, company in enumerate(COMPANIES, 1):
            if title in company:
                sheet.write(row, number, company[title], book.format(font_size=11, **look))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(COMPANIES), len(COLUMNS) - 1)
    sheet.set_selection(1, 0, 1, 0)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    return {"starter/companies.xlsx": book.close(lambda name, text: text.replace("{{ document.title }}", "企业名单"))}


def _rule(check: Check) -> dict[str, Any]:
    return {
        **check.rule,
        "input_title": check.title,
        "input_message": check.message,
        "error_title": "请核对",
        "error_message": check.message,
        "error_type": "stop" if check.stop else "warning",
    }
