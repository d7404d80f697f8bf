"""附件2 名单: the units by district in official order, with sub-totals and a total."""

from __future__ import annotations

from wordml import Docx, blank, cell, paragraph, row, run, table, tag, tag_row

from docx_documents.parts import attachment_head, document

WIDTHS = (650, 4565, 2350, 1280)  # 国家级绿色工业园区 and 2022年度 on one line
HEIGHT = 425
GROUPS = "groups if not district or g.district == district.name"


def draw() -> Docx:
    return document(
        attachment_head()
        + paragraph("{{ document.title|zh_lines(20) }}", style="AttachmentTitle")
        + tag("if district")
        + paragraph("（{{ district.name }}）", style="SourceNumber")
        + tag("endif")
        + blank()
        + _table()
        + paragraph("表头为示意；单位名称以公布的名单为准。", style="FormNote")
    )


def _text(text: str, style: str, width: int, span: int = 1) -> str:
    return cell(paragraph(text, style=style), width=width, span=span)


def _table() -> str:
    head = row(
        *(_text(title, "TableHead", width) for title, width in zip(("序号", "单位名称", "名单类别", "列入批次"), WIDTHS, strict=True)),
        header=True, height=HEIGHT,
    )  # fmt: skip
    return table(
        head,
        tag_row(f"for g in {GROUPS}", WIDTHS),
        row(_text("{{ g.name }}", "TableGroup", sum(WIDTHS), 4), height=HEIGHT),
        tag_row("for c in g.companies", WIDTHS),
        row(
            _text("{{ c.index }}", "TableCentre", WIDTHS[0]),
            _text("{{ c.display_name }}", "TableText", WIDTHS[1]),
            _text("{{ c.level_text }}", "TableCentre", WIDTHS[2]),
            _text("{{ c.listed_in }}", "TableCentre", WIDTHS[3]),
            height=HEIGHT,
        ),
        tag_row("endfor", WIDTHS),
        tag_row("if not district", WIDTHS),
        row(
            _text("小计", "TableSubtotalHead", WIDTHS[0]),
            _text("{{ g.count }}家", "TableSubtotal", sum(WIDTHS[1:]), 3),
            height=HEIGHT,
        ),
        tag_row("endif", WIDTHS),
        tag_row("else", WIDTHS),
        row(_text("（无）", "TableCentre", sum(WIDTHS), 4), height=HEIGHT),
        tag_row("endfor", WIDTHS),
        row(
            _text("合计", "TableHead", WIDTHS[0]),
            cell(_total(), width=sum(WIDTHS[1:]), span=3),
            height=HEIGHT,
        ),
        widths=WIDTHS,
    )


def _total() -> str:
    return paragraph(
        "{% set n = district.counts if district else counts %}",
        run("{{ n.listed }}家"),
        "{% if n.parks or n.supply_chains %}（绿色工厂{{ n.factories }}家、绿色工业园区{{ n.parks }}家、绿色供应链管理企业{{ n.supply_chains }}家）{% endif %}",
        style="TableGroup",
    )
