"""Draws collected.xlsx: what `gfdocs collect` writes, three sheets of merged data, who has sent what, and the issues."""

from __future__ import annotations

from draw_xlsx import HEAD, Book


def _either(field: str) -> str:
    """A figure of annex 3, else the one of annex 4: a unit that is not listed yet has its figures there."""
    return f"{{{{ c.cultivation.{field} if c.summary.{field} is none else c.summary.{field} }}}}"


DATA = (
    ("序号", "{{ loop.index }}", 6), ("企业（单位）名称", "{{ c.display_name }}", 30), ("统一社会信用代码", "{{ c.credit_code }}", 20),
    ("所在地", "{{ c.district_name }}", 12), ("类别", "{{ c.category }}", 13), ("名单级别", "{{ c.level }}", 10),
    ("年度", "{{ c.year }}", 8), ("状态", "{{ c.status }}", 8), ("所属行业", "{{ c.industry }}", 18),
    ("联系人", "{{ c.contact.name }}", 10), ("联系电话", "{{ c.contact.phone }}", 16),
    ("上年度总结", "{{ c.summary.text }}", 36), ("产值（万元）", _either("output_value"), 14),
    ("综合能耗（吨标准煤）", _either("energy"), 16), ("下年度目标", "{{ c.plan.text }}", 30),
    ("重点项目", "{{ c.main_project.name }}", 24), ("计划投资（万元）", "{{ c.main_project.investment }}", 14),
    ("完成时限", "{{ c.main_project.due }}", 12), ("主要产品", "{{ c.cultivation.products }}", 20),
    ("培育级别", "{{ c.cultivation.level if c.is_candidate else None }}", 10),
    ("计划申报年度", "{{ c.cultivation.year }}", 12), ("主要创建措施", "{{ c.cultivation.measures }}", 30),
    ("入库核对", "{{ c.enrolment_verdict if c.is_candidate else None }}", 24), ("备注", "{{ c.note }}", 20),
)  # fmt: skip
STATUS = (
    ("县级市（区）", "{{ s.district }}", 22), ("材料", "{{ s.label }}", 46), ("截止日期", "{{ s.due }}", 14),
    ("状态", "{{ s.state }}", 44), ("文件", "{{ s.files }}", 46),
)  # fmt: skip
GRAVE = "{{ {'error': '错误', 'warning': '警告', 'note': '提示'}[i.severity] }}"
ISSUES = (
    ("代码", "{{ i.code }}", 10), ("程度", GRAVE, 8), ("位置", "{{ i.place }}", 50),
    ("问题", "{{ i.fact }}", 60), ("处理建议", "{{ i.hint }}", 50),
)  # fmt: skip
CENTRED = frozenset((
    "序号", "统一社会信用代码", "所在地", "类别", "名单级别", "年度", "状态", "联系人", "联系电话", "完成时限", "培育级别", "计划申报年度",
    "代码", "程度",
))  # fmt: skip
AMOUNTS = frozenset(("产值（万元）", "综合能耗（吨标准煤）", "计划投资（万元）"))
SHEETS = (
    ("汇总", "c", "companies", DATA),
    ("报送情况", "s", "status", STATUS),
    ("问题", "i", "issues", ISSUES),
)


LINE = 17.0  # pt; a row with longer text grows when the table is made


def draw() -> dict[str, bytes]:
    """Return the file by name."""
    book = Book()
    title = book.format(bold=True, font_size=14)
    head = book.cell(bold=True, align="center", bg_color=HEAD)
    cell = book.cell(valign="top")
    centred = book.cell(valign="top", align="center")
    amount = book.cell(valign="top", align="right", num_format="#,##0.00", text_wrap=False, shrink=True)
    day = book.cell(valign="top", align="center", num_format="yyyy-mm-dd")
    for name, variable, rows, columns in SHEETS:
        sheet = book.book.add_worksheet(name)
        sheet.write_string(0, 0, "{{ title }}", title)
        for number, (heading, path, width) in enumerate(columns):
            sheet.set_column(number, number, width)
            sheet.write_string(1, number, heading, head)
            look = centred if heading in CENTRED and variable != "s" else amount if heading in AMOUNTS else cell
            sheet.write_string(3, number, path, day if heading == "截止日期" else look)
        sheet.write_string(2, 0, f"{{%tr for {variable} in {rows} %}}", cell)
        sheet.set_row(3, LINE)
        sheet.write_string(4, 0, "{%tr endfor %}", cell)
        sheet.set_row(0, 24)
        sheet.set_row(1, 30)
        sheet.freeze_panes(2, 2 if variable == "c" else 1)
        sheet.autofilter(1, 0, 4, len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.repeat_rows(1)
        if variable == "c":  # too wide to be read on one page: two side by side, the names on both
            sheet.fit_to_pages(2, 0)
            sheet.repeat_columns(0, 1)
        else:
            sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.63, bottom=0.63)
        sheet.set_footer("&C&10第 &P 页，共 &N 页", {"margin": 0.3})
    return {"collected.xlsx": book.close(lambda name, text: text.replace("{{ document.title }}", "{{ title }}"))}
