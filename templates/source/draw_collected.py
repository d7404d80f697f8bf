"""Draws collected.xlsx: what `gfdocs collect` writes, three sheets of merged data, who has sent what, and the issues."""

from __future__ import annotations

import io

import xlsxwriter
from draw_xlsx import CREATED, FONT_TEXT, HEAD, RULE

DATA = (
    ("序号", "{{ loop.index }}", 6), ("企业（单位）名称", "{{ c.display_name }}", 40), ("统一社会信用代码", "{{ c.credit_code }}", 22),
    ("所在地", "{{ c.district_name }}", 16), ("类别", "{{ c.category }}", 18), ("名单级别", "{{ c.level }}", 10),
    ("年度", "{{ c.year }}", 8), ("状态", "{{ c.status }}", 8), ("所属行业", "{{ c.industry }}", 26),
    ("联系人", "{{ c.contact.name }}", 10), ("联系电话", "{{ c.contact.phone }}", 16),
    ("上年度总结", "{{ c.summary.text }}", 50), ("产值（万元）", "{{ c.summary.output_value }}", 14),
    ("综合能耗（吨标准煤）", "{{ c.summary.energy }}", 16), ("下年度目标", "{{ c.plan.text }}", 50),
    ("重点项目", "{{ c.main_project.name }}", 24), ("计划投资（万元）", "{{ c.main_project.investment }}", 14),
    ("完成时限", "{{ c.main_project.due }}", 12), ("培育级别", "{{ c.cultivation.level }}", 10),
    ("计划申报年度", "{{ c.cultivation.year }}", 12), ("主要创建措施", "{{ c.cultivation.measures }}", 36),
    ("入库核对", "{{ c.enrolment_verdict }}", 24), ("备注", "{{ c.note }}", 20),
)  # fmt: skip
STATUS = (
    ("县级市（区）", "{{ s.district }}", 22), ("材料", "{{ s.label }}", 60), ("截止日期", "{{ s.due }}", 14),
    ("状态", "{{ s.state }}", 44), ("文件", "{{ s.files }}", 60),
)  # fmt: skip
ISSUES = (
    ("代码", "{{ i.code }}", 10), ("程度", "{{ i.severity }}", 10), ("位置", "{{ i.place }}", 50),
    ("问题", "{{ i.fact }}", 60), ("处理建议", "{{ i.hint }}", 50),
)  # fmt: skip
SHEETS = (
    ("汇总", "c", "companies", DATA),
    ("报送情况", "s", "status", STATUS),
    ("问题", "i", "issues", ISSUES),
)


def draw() -> dict[str, bytes]:
    """Return the file by name."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"title": "报送情况汇总", "created": CREATED})
    font = {"font_name": FONT_TEXT, "font_size": 10}
    title = book.add_format({**font, "bold": True, "font_size": 14})
    head = book.add_format(
        {
            **font,
            "bold": True,
            "bg_color": HEAD,
            "border": 1,
            "border_color": RULE,
            "align": "center",
            "valign": "vcenter",
            "text_wrap": True,
        }
    )
    cell = book.add_format({**font, "border": 1, "border_color": RULE, "valign": "top", "text_wrap": True})
    day = book.add_format(
        {**font, "border": 1, "border_color": RULE, "valign": "top", "align": "center", "num_format": "yyyy-mm-dd"}
    )
    for name, variable, rows, columns in SHEETS:
        sheet = book.add_worksheet(name)
        sheet.write_string(0, 0, "{{ title }}", title)
        for number, (heading, path, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(1, number, heading, head)
            sheet.write_string(3, number, path, day if ".due }}" in path and variable == "s" else cell)
        sheet.write_string(2, 0, f"{{%tr for {variable} in {rows} %}}", cell)
        sheet.write_string(4, 0, "{%tr endfor %}", cell)
        sheet.set_row(1, 30)
        sheet.freeze_panes(2, 2 if variable == "c" else 1)
        sheet.autofilter(1, 0, 4, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(1)
        sheet.set_footer("&C&10第 &P 页，共 &N 页")
    book.close()
    return {"collected.xlsx": buffer.getvalue()}
