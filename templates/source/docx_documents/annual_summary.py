"""年度总结: what a unit did last year, its figures, and its plan for the next. Parts without data leave no trace."""

from __future__ import annotations

from collections.abc import Callable

from wordml import LINE, Docx, blank, cell, paragraph, row, table, tag, tag_row

from docx_documents.parts import attachment_head, document, table_gap

HEIGHT = 454
NONE = "—"


def draw() -> Docx:
    return document(
        attachment_head()
        + paragraph("{{ company.display_name|zh_lines(20) }}\n{{ document.title }}", style="AttachmentTitle")
        + blank()
        + tag("set number = cycler('一', '二', '三')")
        + _basics()
        + _summary()
        + _indicators()
        + _plan()
        + _close()
    )


def _cell(text: str, style: str, width: int, span: int = 1) -> str:
    return cell(paragraph(text, style=style), width=width, span=span)


def _kept(text: str, style: str, width: int) -> str:
    """A cell of a row that stays with the next one, so that the seal never stands alone on a page."""
    return cell(paragraph(text, style=style, properties="<w:keepNext/>"), width=width)


def _head(titles: tuple[str, ...], widths: tuple[int, ...], make: Callable[[str, str, int], str] = _cell) -> str:
    cells = (make(title, "TableHead", width) for title, width in zip(titles, widths, strict=True))
    return row(*cells, header=True, height=HEIGHT)


def _or_none(expression: str) -> str:
    return f"{{{{ {expression} or '{NONE}' }}}}"


def _amount(expression: str) -> str:
    """A figure with thousands separators, a dash where there is none; zero is a figure."""
    return f"{{% if {expression} is none %}}{NONE}{{% else %}}{{{{ {expression}|amount }}}}{{% endif %}}"


def _basics() -> str:
    widths = (2100, 2900, 1620, 2225)  # a credit code on one line, whatever the font

    def line(*pairs: tuple[str, str]) -> str:
        cells = []
        for index, (label, value) in enumerate(pairs):
            cells += [_cell(label, "TableHead", widths[2 * index])]
            span = 3 if len(pairs) == 1 else 1
            width = sum(widths[1:]) if span == 3 else widths[2 * index + 1]
            cells += [_cell(value, "TableText", width, span)]
        return row(*cells, height=HEIGHT)

    return table(
        line(("单位名称", "{{ company.display_name }}")),
        line(("统一社会信用代码", _or_none("company.credit_code")), ("所在地", "{{ company.district_name }}")),
        line(("名单类别", _or_none("company.level_text")), ("列入批次", _or_none("company.listed_in"))),
        line(("所属行业", _or_none("company.industry")), ("联系人", _or_none("company.contact.name"))),
        line(("联系电话", _or_none("company.contact.phone")), ("电子邮箱", _or_none("company.contact.email"))),
        tag_row("if company.summary and (company.summary.output_value is not none or company.summary.energy is not none)", widths),
        line(
            ("产值（万元）", _amount("company.summary.output_value")),
            ("综合能耗\n（吨标准煤）", _amount("company.summary.energy")),
        ),
        tag_row("endif", widths),
        widths=widths,
    )  # fmt: skip


def _heading(text: str) -> str:
    return paragraph(
        "{{ number.next() }}、" + text,
        style="HeadingOne",
        properties=f'<w:spacing w:before="{LINE // 2}" w:after="{LINE // 4}" w:line="{LINE}" w:lineRule="exact"/>',
    )


def _lines_of(expression: str) -> str:
    """Each line of a text as a paragraph of its own."""
    return (
        tag(f"for line in {expression}.splitlines() if line.strip()")
        + paragraph("{{ line.strip() }}", style="GongwenBody")
        + tag("endfor")
    )


def _summary() -> str:
    widths = (700, 3445, 1400, 3300)
    projects = table(
        _head(("序号", "已完成项目", "投资额\n（万元）", "成效"), widths),
        tag_row("for project in company.summary.projects", widths),
        row(
            _cell("{{ loop.index }}", "TableCentre", widths[0]),
            _cell("{{ project.name }}", "TableText", widths[1]),
            _cell(_amount("project.investment"), "TableFigure", widths[2]),
            _cell(_or_none("project.benefit"), "TableText", widths[3]),
            height=HEIGHT,
        ),
        tag_row("endfor", widths),
        widths=widths,
    )
    return (
        tag("if company.summary and (company.summary.text or company.summary.projects)")
        + _heading("{{ round.summary_year }}年度绿色化工作总结")
        + _lines_of("company.summary.text")
        + tag("if company.summary.projects")
        + table_gap()
        + projects
        + tag("endif")
        + tag("endif")
    )


def _indicators() -> str:
    """The figures stay together with their heading as long as they fit a page."""
    widths = (700, 2345, 1300, 1000, 1000, 1400, 1100)
    titles = (
        "序号",
        "指标名称",
        "单位",
        "{{ round.summary_year - 1 }}年",
        "{{ round.summary_year }}年",
        "变化",
        "{{ round.plan_year }}年\n目标",
    )
    return (
        tag("if indicators")
        + _heading("关键指标")
        + table(
            _head(titles, widths, _kept),
            tag_row("for i in indicators", widths),
            row(
                _kept("{{ loop.index }}", "TableCentre", widths[0]),
                _kept("{{ i.name }}", "TableText", widths[1]),
                _kept(_or_none("i.unit"), "TableCentre", widths[2]),
                _kept(_amount("i.last"), "TableFigure", widths[3]),
                _kept(_amount("i.current"), "TableFigure", widths[4]),
                _kept(_or_none("i.change_text"), "TableFigure", widths[5]),
                _kept(_amount("i.target"), "TableFigure", widths[6]),
                height=HEIGHT,
            ),
            tag_row("endfor", widths),
            widths=widths,
        )
        + tag("endif")
    )  # fmt: skip


def _plan() -> str:
    widths = (700, 2745, 1300, 1600, 2500)
    projects = table(
        _head(("序号", "重点项目", "计划投资\n（万元）", "完成时限", "预期成效"), widths, _kept),
        tag_row("for project in company.plan.projects", widths),
        row(
            _kept("{{ loop.index }}", "TableCentre", widths[0]),
            _kept("{{ project.name }}", "TableText", widths[1]),
            _kept(_amount("project.investment"), "TableFigure", widths[2]),
            _kept(_or_none("project.due"), "TableCentre", widths[3]),
            _kept(_or_none("project.benefit"), "TableText", widths[4]),
            height=HEIGHT,
        ),
        tag_row("endfor", widths),
        widths=widths,
    )
    return (
        tag("if company.plan and (company.plan.text or company.plan.projects)")
        + _heading("{{ round.plan_year }}年度工作计划")
        + _lines_of("company.plan.text")
        + tag("if company.plan.projects")
        + table_gap()
        + projects
        + tag("endif")
        + tag("endif")
    )


def _close() -> str:
    return (
        paragraph(style="BlankLine", properties="<w:keepNext/>")
        + paragraph("{{ (company.name ~ '（盖章）')|zh_lines(23) }}", style="UnitSeal")
        + paragraph("年　　月　　日", style="IssueDateRight")
        + paragraph("格式为示意，可换成主管部门印发的正式表样。", style="FormNote")
    )
