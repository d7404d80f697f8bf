"""Draws the workbook templates: list.xlsx (annex 2) and the forms districts fill (annual-table, cultivation-table, enrolment-table).

The official columns are not public: these are example forms (示意). A cell a district fills holds one plain path, so that the
template reads the returned form back. Rows of a list stand between {%tr for %} and {%tr endfor %}; below it are empty
input rows, which stay even where the list is empty. What comes prefilled is locked, headings are locked, input is open; the
protection has no password.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell

from gfdocs.gongwen import layout
from gfdocs.gongwen.layout import FONT_HEADING_1, FONT_PAGE_NUMBER, FONT_TITLE, SIZES

CREATED = dt.datetime(2023, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
FONT_TEXT = FONT_PAGE_NUMBER  # 宋体: what every office has for tables
HEAD, INPUT, PREFILLED, MISSING, BAND = "#E4EFE6", "#FFFFFF", "#F4F5F4", "#FFF3C4", "#EEF4EE"
RULE = "#5B6B60"
LEVELS = ["国家级", "省级", "市级"]
YES_NO = ["是", "否"]
FAR_YEAR = 2100
NOTE_EXAMPLE = "本表为示意表样，主管部门另有正式表样的，以正式表样为准。"
FOOTER = "&C&10第 &P 页，共 &N 页&R&8示意表样"


def draw() -> dict[str, bytes]:
    """Return the files of all workbook templates by name."""
    return {
        "list.xlsx": _draw_list(),
        "annual-table.xlsx": _draw_book(ANNUAL_FORMS, ANNUAL_GUIDE),
        "cultivation-table.xlsx": _draw_book([CULTIVATION_FORM], CULTIVATION_GUIDE),
        "enrolment-table.xlsx": _draw_book([ENROLMENT_FORM], ENROLMENT_GUIDE),
    }


# --- what a form is --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Check:
    """A data validation with its message: `rule` as XlsxWriter takes it."""

    rule: dict[str, Any]
    message: str
    title: str = "填写说明"
    stop: bool = True


@dataclass(frozen=True)
class Column:
    """One column: `path` is what stands in the list's row, `formula` (with {r} for the row) where it is computed."""

    title: str
    width: float
    path: str = ""
    kind: str = "text"  # text | long | code | amount | ratio | year | choice | index
    group: str = ""
    locked: bool = False
    formula: str = ""
    check: Check | None = None
    required: bool = False
    total: str = ""  # sum | count


@dataclass(frozen=True)
class Form:
    """One sheet of a form: `rows` is the list it is prefilled with, `blank` the number of empty input rows."""

    sheet: str
    rows: str
    columns: tuple[Column, ...]
    heading: str = ""
    blank: int = 10
    notes: tuple[str, ...] = field(default=(NOTE_EXAMPLE,))

    @property
    def rows_of_head(self) -> int:
        """Two where columns stand in groups, else one."""
        return 2 if any(column.group for column in self.columns) else 1


def _choice(words: list[str], message: str) -> Check:
    return Check({"validate": "list", "source": words}, message)


AMOUNT = {"validate": "decimal", "criteria": ">=", "value": 0}
CODE = Check(
    {"validate": "length", "criteria": "=", "value": 18}, "18 位，数字与大写字母，不含 I、O、S、V、Z。", stop=False
)
PHONE = Check(
    {"validate": "length", "criteria": "between", "minimum": 7, "maximum": 25},
    "区号-号码或手机号，如 0512-12345678。",
    stop=False,
)
YEAR = Check(
    {"validate": "integer", "criteria": "between", "minimum": 2017, "maximum": FAR_YEAR}, "四位数年份，如 2023。"
)
LEVEL = _choice(LEVELS, "请从下拉列表中选择名单级别。")
ANSWER = _choice(YES_NO, "请从下拉列表中选“是”或“否”，不清楚的先留空。")


def _hint(message: str) -> Check:
    return Check({"validate": "any"}, message)


def _amount(unit: str) -> Check:
    return Check(AMOUNT, f"只填数字，单位为{unit}，不要写“约”“万”等文字。")


def _percent(what: str) -> Check:
    return Check(
        {"validate": "decimal", "criteria": "between", "minimum": 0, "maximum": 100},
        f"{what}，只填 0～100 的数字，不写 %。",
    )


INDEX = Column("序号", 4.5, "c.index", kind="index", locked=True)
CONTACTS = (
    Column("联系人", 8, "c.contact.name", kind="choice", required=True),
    Column("联系电话", 13.5, "c.contact.phone", kind="code", required=True, check=PHONE),
    Column("备注", 8, "c.note"),
)


def _identity(name: str, *, code: bool = True) -> tuple[Column, ...]:
    """The columns that say which unit it is; prefilled and locked but for the code, which may be missing in the list."""
    columns = [
        INDEX,
        Column(name, 20, "c.name", locked=True, total="count", check=_hint("填全称，与营业执照（批复文件）一致。")),
    ]
    if code:
        columns.append(Column("统一社会信用代码", 18, "c.credit_code", kind="code", required=True, check=CODE))
    columns.append(Column("所在地", 8.5, "c.district", locked=True, kind="choice"))
    return tuple(columns)


_LISTING = (
    Column("名单级别", 7, "c.level", kind="choice", locked=True, check=LEVEL),
    Column("列入年度", 6.5, "c.year", kind="year", locked=True, check=YEAR),
)


def _plan(target: str) -> tuple[Column, ...]:
    return (
        Column("下年度目标", 18, "c.plan.text", kind="long", group="下年度计划", required=True, check=_hint(target)),
        Column(
            "重点项目",
            16,
            "c.main_project.name",
            kind="long",
            group="下年度计划",
            check=_hint("下年度最主要的一个绿色化改造项目名称。"),
        ),
        Column(
            "计划投资\n（万元）",
            10,
            "c.main_project.investment",
            kind="amount",
            group="下年度计划",
            total="sum",
            check=_amount("万元"),
        ),
        Column("完成时限", 10, "c.main_project.due", kind="choice", group="下年度计划", check=_hint("如 2023年12月。")),
    )


_WORK = Column(
    "绿色化工作总结",
    24,
    "c.summary.text",
    kind="long",
    group="上年度总结",
    required=True,
    check=_hint("上年度绿色化工作主要做法与成效，300 字以内。"),
)


def _figure(title: str, name: str, check: Check, width: float = 10.5) -> Column:
    return Column(title, width, f"c.figures.{name}", kind="amount", group="上年度关键指标", check=check)


FACTORY_FORM = Form(
    "工厂",
    "district.factories",
    (
        *_identity("企业名称"),
        *_LISTING,
        _WORK,
        Column("产值\n（万元）", 11, "c.summary.output_value", kind="amount", group="上年度关键指标", required=True, total="sum", check=_amount("万元")),
        Column("综合能耗\n（吨标准煤）", 11, "c.summary.energy", kind="amount", group="上年度关键指标", required=True, total="sum", check=_amount("吨标准煤（当量值）")),
        Column("单位产值能耗\n（吨标准煤\n/万元）", 10.5, kind="ratio", group="上年度关键指标", locked=True, formula='=IF(COUNT(H{r}:I{r})=2,IF(H{r}>0,I{r}/H{r},""),"")'),
        *_plan("下年度绿色化工作目标，尽量量化。"),
        *CONTACTS,
    ),
    heading="绿色工厂",
)  # fmt: skip
PARK_FORM = Form(
    "园区",
    "district.parks",
    (
        *_identity("园区名称", code=False),
        Column("园区级别", 9, "c.level", kind="choice", locked=True, check=LEVEL),
        _LISTING[1],
        _WORK,
        _figure("单位工业增加值\n综合能耗（吨标\n准煤/万元）", "单位工业增加值综合能耗", _amount("吨标准煤/万元"), 12.5),
        _figure("工业用水重复\n利用率（%）", "工业用水重复利用率", _percent("工业用水重复利用率")),
        _figure("一般工业固体\n废物综合利用率\n（%）", "一般工业固体废物综合利用率", _percent("一般工业固体废物综合利用率"), 12.5),
        _figure("绿色工厂占比\n（%）", "绿色工厂占比", _percent("园区内绿色工厂数占规模以上工业企业数的比例")),
        *_plan("下年度园区绿色化目标，尽量量化。"),
        *CONTACTS,
    ),
    heading="绿色工业园区",
    blank=5,
)  # fmt: skip
SUPPLY_CHAIN_FORM = Form(
    "供应链",
    "district.supply_chains",
    (
        *_identity("企业名称"),
        *_LISTING,
        _WORK,
        _figure("绿色供应商占比\n（%）", "绿色供应商占比", _percent("绿色供应商数占供应商总数的比例")),
        _figure("开展绿色评价的\n供应商（家）", "绿色评价供应商数", Check({"validate": "integer", "criteria": ">=", "value": 0}, "上年度开展绿色评价的供应商数，只填整数。"), 12),
        _figure("绿色采购额占比\n（%）", "绿色采购额占比", _percent("绿色采购额占采购总额的比例")),
        *_plan("下年度绿色供应链建设目标，尽量量化。"),
        *CONTACTS,
    ),
    heading="绿色供应链管理企业",
    blank=5,
)  # fmt: skip
ANNUAL_FORMS = [FACTORY_FORM, PARK_FORM, SUPPLY_CHAIN_FORM]

CULTIVATION_FORM = Form(
    "培育计划",
    "district.candidates",
    (
        *_identity("企业名称"),
        Column("所属行业", 13, "c.industry", check=_hint("按 GB/T 4754 行业大类或中类填写。")),
        Column("主要产品", 16, "c.cultivation.products", required=True),
        Column("上年度产值\n（万元）", 12, "c.cultivation.output_value", kind="amount", required=True, total="sum", check=_amount("万元")),
        Column("上年度综合能耗\n（吨标准煤）", 12.5, "c.cultivation.energy", kind="amount", required=True, total="sum", check=_amount("吨标准煤（当量值）")),
        Column("培育级别", 8.5, "c.cultivation.level", kind="choice", required=True, check=LEVEL),
        Column("计划申报\n年度", 8.5, "c.cultivation.year", kind="year", required=True, check=YEAR),
        Column("主要创建措施", 30, "c.cultivation.measures", kind="long", required=True, check=_hint("拟采取的主要措施，200 字以内。")),
        *CONTACTS,
    ),
    blank=12,
)  # fmt: skip

_GATES = (
    ("independent", "在本市注册的独立法人工业企业", "基本条件（是/否）"),
    ("sound", "生产经营状况良好", "基本条件（是/否）"),
    ("no_accident", "近三年无重大及以上安全、环保、质量等事故", "基本条件（是/否）"),
    ("safety_accident", "发生较大及以上生产安全和质量事故", "不予入库情形（是/否）"),
    ("environment_event", "发生Ⅲ级及以上突发环境事件", "不予入库情形（是/否）"),
    ("inspection_problem", "国家、省级督查检查发现严重问题", "不予入库情形（是/否）"),
    ("energy_rectification", "节能监察整改未按要求完成", "不予入库情形（是/否）"),
    ("dishonest", "被列为失信被执行人", "不予入库情形（是/否）"),
)
_VERDICT = '=IF(COUNTA(B{r})=0,"",IF(COUNTIF(F{r}:H{r},"否")+COUNTIF(I{r}:M{r},"是")>0,"不符合",IF(COUNTIF(F{r}:H{r},"是")+COUNTIF(I{r}:M{r},"否")=8,"符合","待核实")))'
ENROLMENT_FORM = Form(
    "申报入库",
    "district.candidates",
    (
        *_identity("企业名称"),
        Column("所属行业", 12, "c.industry", check=_hint("按 GB/T 4754 行业大类或中类填写。")),
        *(
            Column(title, 11, f"c.enrolment.{name}", kind="choice", group=group, required=True, check=ANSWER)
            for name, title, group in _GATES
        ),
        Column("核对结果", 9, kind="choice", locked=True, formula=_VERDICT),
        *CONTACTS,
    ),
    blank=12,
    notes=("核对结果自动给出：基本条件有“否”或不予入库情形有“是”的为不符合，未填全的为待核实。", NOTE_EXAMPLE),
)  # fmt: skip

_COMMON_GUIDE = (
    "表头和已列出的单位名称等灰色单元格已锁定，请勿改动；白色单元格可以填写，淡黄色的为已列单位中还没有填的必填项。",
    "名单中漏列或新增的单位，请填在合计行上方的空行；空行不够时，在空行之间插入行。请勿合并单元格、删除列或改动工作表名称。",
    "带单位的数字只填数字本身，不写“约”“万”“%”；统一社会信用代码、联系电话按文本填写。",
    "有下拉箭头的单元格请从列表中选择。",
    "工作表保护未设密码，仅为防止误改。",
    NOTE_EXAMPLE,
)
ANNUAL_GUIDE = (
    "本表由各县级市（区）组织辖区内列入国家级、省级{% if round.level == '市级' %}、市级{% endif %}绿色制造名单的单位填写，工厂、园区、供应链管理企业分别填在三张工作表。",
    "“上年度”指 {{ round.summary_year }} 年，“下年度”指 {{ round.plan_year }} 年。",
    "产值、综合能耗与统计报表口径一致；单位产值能耗自动计算。",
    "重点项目填最主要的一个，其余可在下年度目标中说明。",
    *_COMMON_GUIDE,
)
CULTIVATION_GUIDE = (
    "本表由各县级市（区）填报 {{ round.plan_year }} 年度绿色工厂培育对象，已列出的为已有培育记录的企业。",
    "培育级别指计划申报的名单级别；计划申报年度填四位数年份。",
    "“上年度”指 {{ round.summary_year }} 年。",
    *_COMMON_GUIDE,
)
ENROLMENT_GUIDE = (
    "本表用于核对申报入库企业是否符合条件：三项基本条件应全部为“是”，五项不予入库情形应全部为“否”。",
    "请逐项选择“是”或“否”，不清楚的先留空，核实后再填。",
    *_COMMON_GUIDE,
)


# --- drawing ---------------------------------------------------------------------------------------------------------------


class Book:
    """A workbook being drawn, with its formats by name."""

    def __init__(self) -> None:
        self.out = io.BytesIO()
        self.book = xlsxwriter.Workbook(
            self.out, {"in_memory": True, "default_format_properties": {"font_name": FONT_TEXT, "font_size": 11}}
        )
        self.book.set_properties({"created": CREATED})
        self.book.set_calc_mode("auto")
        self.missing = self.book.add_format({"bg_color": MISSING})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format({"font_name": FONT_TEXT, "valign": "vcenter", **properties})
        return self._formats[key]

    def cell(self, **properties: Any) -> Any:
        return self.format(**{"border": 1, "border_color": RULE, "font_size": 10, "text_wrap": True, **properties})

    def close(self, mend: Callable[[str, str], str] = lambda name, text: text) -> bytes:
        """Return the file; `mend` may change the text of a part."""
        self.book.close()
        return _rewrite(self.out.getvalue(), lambda name, text: mend(name, _set_properties(name, text)))


CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{{ document.title }}</dc:title><dc:language>zh-CN</dc:language>'
    "</cp:coreProperties>"
)


def _set_properties(name: str, text: str) -> str:
    """The title of the document, no author and no date that is not true, and the program that made the file."""
    if name == "docProps/core.xml":
        return CORE
    if name == "docProps/app.xml":
        text = re.sub("<(AppVersion|Company)>.*?</\\1>", "", text)
        return text.replace("Microsoft Excel", "gfdocs")
    return text


def _rewrite(data: bytes, mend: Callable[[str, str], str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as drawn, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for member in drawn.infolist():
            package.writestr(member, mend(member.filename, drawn.read(member).decode("utf-8")))
    return out.getvalue()


def _draw_book(forms: list[Form], guide: tuple[str, ...]) -> bytes:
    book = Book()
    for form in forms:
        _draw_form(book, form)
    _draw_guide(book, guide)
    return book.close()


LABEL_ROW, TITLE_ROW, UNIT_ROW, GROUP_ROW = range(4)


def _item_row(form: Form) -> int:
    """The row of the list; the tags that open and close it stand above and below."""
    return GROUP_ROW + form.rows_of_head + 1


def _draw_form(book: Book, form: Form) -> None:
    sheet = book.book.add_worksheet(form.sheet)
    last, item = len(form.columns) - 1, _item_row(form)
    first_blank = item + 2
    total = first_blank + form.blank
    for number, column in enumerate(form.columns):
        sheet.set_column(number, number, column.width)
    _draw_head(book, sheet, form, last)
    sheet.set_row(item, 42)
    sheet.write_string(item - 1, 0, f"{{%tr for c in {form.rows} %}}")
    sheet.write_string(item + 1, 0, "{%tr endfor %}")
    for number, column in enumerate(form.columns):
        _draw_item(book, sheet, item, number, column)
        for row in range(first_blank, total):
            _draw_blank(book, sheet, row, number, column)
    for row in range(first_blank, total):
        sheet.set_row(row, 30)
    _add_checks(sheet, form, item, total - 1)
    _mark_missing(book, sheet, form, item)
    _draw_total(book, sheet, form, total)
    note = book.format(font_size=9, font_color="#555555")
    for offset, words in enumerate(form.notes, 1):
        sheet.write_string(total + offset, 0, f"注：{words}", note)  # runs on over the empty cells beside it: no merge
    _set_page(sheet, landscape=True, repeat=(GROUP_ROW, item - 2))
    sheet.freeze_panes(item - 1, 2)
    first_open = next(number for number, column in enumerate(form.columns) if not column.locked)
    sheet.set_selection(item, first_open, item, first_open)
    _protect(sheet)


def _draw_head(book: Book, sheet: Any, form: Form, last: int) -> None:
    title = "{{ document.title }}" + (f"（{form.heading}）" if form.heading else "")
    half = last // 2
    sheet.set_row(LABEL_ROW, 22)
    sheet.write_string(
        LABEL_ROW, 0, "{{ document.label }}", book.format(font_name=FONT_HEADING_1, font_size=SIZES["四号"])
    )
    sheet.set_row(TITLE_ROW, 36)
    sheet.merge_range(
        TITLE_ROW, 0, TITLE_ROW, last, title, book.format(font_name=FONT_TITLE, font_size=SIZES["小二"], align="center")
    )
    sheet.set_row(UNIT_ROW, 24)
    # the words come from the number format, so that the cell is the plain name and can be read back
    unit = book.format(font_size=11, num_format='"填报单位："@')
    sheet.write_string(UNIT_ROW, 0, "{{ district.name }}", unit)
    sheet.merge_range(
        UNIT_ROW,
        half + 1,
        UNIT_ROW,
        last,
        "填报日期：　　　年　　月　　日",
        book.format(font_size=11, align="right", locked=False),
    )
    if form.rows_of_head == 1:
        sheet.set_row(GROUP_ROW, 46)
        head = book.cell(bold=True, align="center", bg_color=HEAD)
        for number, column in enumerate(form.columns):
            sheet.write_string(GROUP_ROW, number, column.title, head)
        return
    sheet.set_row(GROUP_ROW, 22)
    sheet.set_row(GROUP_ROW + 1, 62)
    start = 0
    while start <= last:
        group = form.columns[start].group
        end = start
        while group and end < last and form.columns[end + 1].group == group:
            end += 1
        _draw_heading(book, sheet, form, start, end)
        start = end + 1


def _draw_heading(book: Book, sheet: Any, form: Form, start: int, end: int) -> None:
    head = book.cell(bold=True, align="center", bg_color=HEAD)
    group = form.columns[start].group
    if not group:
        sheet.merge_range(GROUP_ROW, start, GROUP_ROW + 1, start, form.columns[start].title, head)
        return
    if end > start:
        sheet.merge_range(GROUP_ROW, start, GROUP_ROW, end, group, head)
    else:
        sheet.write_string(GROUP_ROW, start, group, head)
    for number in range(start, end + 1):
        sheet.write_string(GROUP_ROW + 1, number, form.columns[number].title, head)


_KINDS: dict[str, dict[str, Any]] = {
    "text": {"align": "left", "indent": 1},
    "long": {"align": "left", "valign": "top", "indent": 1},  # of a text longer than its row, the beginning shows
    "code": {"num_format": "@", "align": "center"},
    # a figure that is too wide grows smaller instead of turning into ####
    "amount": {"num_format": "#,##0.00", "align": "right", "text_wrap": False, "shrink": True},
    "ratio": {"num_format": "0.0000", "align": "right", "text_wrap": False, "shrink": True},
    "year": {"num_format": "0", "align": "center"},
    "choice": {"align": "center"},
    "index": {"num_format": "0", "align": "center"},
}


def _draw_item(book: Book, sheet: Any, row: int, number: int, column: Column) -> None:
    look = book.cell(locked=column.locked, bg_color=PREFILLED if column.locked else INPUT, **_KINDS[column.kind])
    if column.formula:
        sheet.write_formula(row, number, column.formula.format(r=row + 1), look, "")
    else:
        sheet.write_string(row, number, f"{{{{ {column.path} }}}}", look)


def _draw_blank(book: Book, sheet: Any, row: int, number: int, column: Column) -> None:
    locked = bool(column.formula)
    look = book.cell(locked=locked, bg_color=PREFILLED if locked else INPUT, **_KINDS[column.kind])
    if column.formula:
        sheet.write_formula(row, number, column.formula.format(r=row + 1), look, "")
    else:
        sheet.write_blank(row, number, None, look)


def _add_checks(sheet: Any, form: Form, first_row: int, last_row: int) -> None:
    """Drop-downs and limits with their messages, from the list's row to the last empty one; columns of one check share it."""
    columns_of: dict[int, list[int]] = {}
    for number, column in enumerate(form.columns):
        if column.check is not None:
            same = next(
                (n for n, (first, *_) in columns_of.items() if form.columns[first].check == column.check), number
            )
            columns_of.setdefault(same, []).append(number)
    for numbers in columns_of.values():
        check = form.columns[numbers[0]].check
        assert check is not None
        spans = [[first_row, left, last_row, right] for left, right in _join(numbers)]
        top, left, bottom, right = spans[0]
        sheet.data_validation(top, left, bottom, right, {**_rule_of(check), "other_cells": spans[1:]})


def _rule_of(check: Check) -> dict[str, Any]:
    rule = {**check.rule, "input_title": check.title, "input_message": check.message, "ignore_blank": True}
    if check.rule["validate"] == "any":
        return rule
    error = {"error_title": "请核对", "error_message": check.message, "error_type": "stop" if check.stop else "warning"}
    return {**rule, **error}


def _join(numbers: list[int]) -> list[tuple[int, int]]:
    """Neighbouring columns as (first, last)."""
    spans: list[tuple[int, int]] = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return spans


def _mark_missing(book: Book, sheet: Any, form: Form, row: int) -> None:
    """Pale yellow where a listed unit has not filled what it must: one rule for all such columns."""
    spans = _join([number for number, column in enumerate(form.columns) if column.required])
    areas = [f"{xl_rowcol_to_cell(row, left)}:{xl_rowcol_to_cell(row + 1, right)}" for left, right in spans]
    first = spans[0][0]
    rule = {"type": "formula", "criteria": f'=AND($B{row + 1}<>"",{xl_rowcol_to_cell(row, first)}="")'}
    sheet.conditional_format(row, first, row, first, {**rule, "format": book.missing, "multi_range": " ".join(areas)})


def _draw_total(book: Book, sheet: Any, form: Form, row: int) -> None:
    """The totals: SUM and COUNTA from the list's row to the last empty row, so that they grow with the list."""
    sheet.set_row(row, 26)
    for number, column in enumerate(form.columns):
        look = {"bold": True, "bg_color": BAND, "align": "center"}
        name = xl_col_to_name(number)
        span = f"{name}{_item_row(form) + 1}:{name}{row}"
        if column.total == "count":
            sheet.write_formula(row, number, f"=COUNTA({span})", book.cell(**look, num_format='0"家"'), 0)
        elif column.total == "sum":
            sheet.write_formula(row, number, f"=SUM({span})", book.cell(**{**look, **_KINDS["amount"]}), 0)
        else:
            sheet.write(row, number, "合计" if number == 0 else None, book.cell(**look))


def _draw_guide(book: Book, lines: tuple[str, ...]) -> None:
    sheet = book.book.add_worksheet("填表说明")
    sheet.set_column(0, 0, 5)
    sheet.set_column(1, 1, 92)
    sheet.set_row(0, 36)
    sheet.merge_range(
        0, 0, 0, 1, "填　表　说　明", book.format(font_name=FONT_TITLE, font_size=SIZES["小二"], align="center")
    )
    for row, line in enumerate(lines, 1):
        shown = re.sub("{{.*?}}", "2022", line)
        sheet.set_row(row, 24 if len(shown) <= 45 else 40)
        sheet.write_number(row, 0, row, book.format(font_size=12, align="center", valign="top", num_format='0"."'))
        sheet.write_string(row, 1, line, book.format(font_size=12, valign="top", text_wrap=True))
    _set_page(sheet, landscape=False, repeat=None)
    _protect(sheet)


def _set_page(sheet: Any, *, landscape: bool, repeat: tuple[int, int] | None) -> None:
    sheet.set_paper(9)  # A4
    if landscape:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.63, bottom=0.63)
    sheet.center_horizontally()
    sheet.set_footer(FOOTER, {"margin": 0.3})
    sheet.hide_gridlines(2)
    if repeat:
        sheet.repeat_rows(*repeat)


def _protect(sheet: Any) -> None:
    """Protect without a password: rows can be added, columns and rows resized, lists filtered."""
    allowed = ("format_columns", "format_rows", "insert_rows", "delete_rows", "autofilter", "sort")
    sheet.protect("", dict.fromkeys(allowed, True))


# --- annex 2 ---------------------------------------------------------------------------------------------------------------


LIST_COLUMNS = (
    ("序号", 5, "c.index"), ("单位名称", 34, "c.display_name"), ("所在地", 12.5, "c.district_name"),
    ("名单类别", 19, "c.level_text"), ("列入批次", 10, "c.listed_in"),
)  # fmt: skip
LAST = len(LIST_COLUMNS) - 1


def _draw_list() -> bytes:
    """Annex 2: the units by district, numbered through, with sub-totals and a total.

    It is bound in with the notice: the page, the page numbers and the places of 附件N and title are those of GB/T 9704.
    """
    book = Book()
    sheet = book.book.add_worksheet("名单")
    for number, (_, width, _) in enumerate(LIST_COLUMNS):
        sheet.set_column(number, number, width)
    line = layout.LINE_PITCH.value
    sheet.set_row(0, line)
    sheet.write_string(0, 0, "{{ document.label }}", book.format(font_name=FONT_HEADING_1, font_size=SIZES["三号"]))
    sheet.set_row(1, line)
    sheet.set_row(2, 2.5 * line)
    title = book.format(font_name=FONT_TITLE, font_size=SIZES["二号"], align="center", valign="top", text_wrap=True)
    sheet.merge_range(
        2, 0, 2, LAST, "{{ document.title|zh_lines(20) }}{% if district %}\n（{{ district.name }}）{% endif %}", title
    )
    head = book.cell(bold=True, align="center", bg_color=HEAD, font_size=12)
    sheet.set_row(3, 30)
    for number, (word, _, _) in enumerate(LIST_COLUMNS):
        sheet.write_string(3, number, word, head)
    _draw_groups(book, sheet)
    _set_page(sheet, landscape=False, repeat=(3, 3))
    _set_official_page(sheet)
    sheet.freeze_panes(4, 0)
    return book.close(_set_footers)


def _draw_groups(book: Book, sheet: Any) -> None:
    """The districts: a row with the name and its sub-total, then the units; the total last."""
    text, centred = book.cell(font_size=11, align="left"), book.cell(font_size=11, align="center")
    district = book.cell(font_size=11, bold=True, bg_color=BAND, align="left")
    subtotal = book.cell(font_size=11, bold=True, bg_color=BAND, align="center", num_format='0" 家"')
    total = {"font_size": 12, "bold": True, "align": "center", "bg_color": HEAD}
    sheet.write_string(4, 0, "{%tr for g in groups %}")
    sheet.set_row(5, 26)
    sheet.merge_range(5, 0, 5, LAST - 1, "{{ g.name }}", district)
    # the serial numbers are the only numbers of column A: counting them counts the units
    sheet.write_formula(5, LAST, "=COUNT(A8:A8)", subtotal, 0)
    sheet.write_string(6, 0, "{%tr for c in g.companies %}")
    sheet.set_row(7, 29)
    for number, (_, _, path) in enumerate(LIST_COLUMNS):
        sheet.write_string(7, number, f"{{{{ {path} }}}}", text if path == "c.display_name" else centred)
    sheet.write_string(8, 0, "{%tr endfor %}")
    sheet.write_string(9, 0, "{%tr endfor %}")
    sheet.set_row(10, 30)
    sheet.merge_range(10, 0, 10, LAST - 1, "合　计", book.cell(**total))
    sheet.write_formula(10, LAST, "=COUNT(A6:A9)", book.cell(**total, num_format='0" 家"'), 0)
    note = book.format(font_size=9, font_color="#555555")
    sheet.write_string(11, 0, "注：表头为示意；单位名称以公布的名单为准。", note)


def _inches(mm: float) -> float:
    return round(mm / 25.4, 4)


def _set_official_page(sheet: Any) -> None:
    """版心 (5.2.1); the footer's line stands so that its dashes are 7 mm below it (7.5)."""
    number = layout.PAGE_NUMBER_BELOW_TYPE_AREA.value + layout.points_to_mm(layout.PAGE_NUMBER_SIZE.value / 2)
    sheet.set_margins(
        left=_inches(layout.LEFT_MARGIN.value), right=_inches(layout.RIGHT_MARGIN.value),
        top=_inches(layout.TOP_MARGIN.value), bottom=_inches(layout.BOTTOM_MARGIN.value),
    )  # fmt: skip
    sheet.set_footer(PAGE_NUMBER_ODD, {"margin": _inches(layout.BOTTOM_MARGIN.value - number)})


_NUMBER = f'&"{FONT_PAGE_NUMBER}"&14{layout.PAGE_NUMBER_DASH} &P {layout.PAGE_NUMBER_DASH}'
PAGE_NUMBER_ODD = f"&R{_NUMBER}\u3000"  # 单页码居右空一字, 双页码居左空一字
PAGE_NUMBER_EVEN = f'&L&"{FONT_PAGE_NUMBER}"&14\u3000{_NUMBER.partition("&14")[2]}'


def _set_footers(name: str, text: str) -> str:
    """XlsxWriter knows one footer for all pages; the standard wants the number right on odd and left on even ones."""
    if not name.startswith("xl/worksheets/"):
        return text
    even = PAGE_NUMBER_EVEN.replace("&", "&amp;")
    text = text.replace("<headerFooter>", '<headerFooter differentOddEven="1">')
    return text.replace("</oddFooter>", f"</oddFooter><evenFooter>{even}</evenFooter>")
