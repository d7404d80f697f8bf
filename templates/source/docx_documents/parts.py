"""The parts of an official paper (公文要素) that several templates share."""

from __future__ import annotations

from wordml import (
    LEFT_MARGIN,
    TEXT_WIDTH,
    Docx,
    blank,
    cell,
    indent,
    page_number_field,
    paragraph,
    row,
    run,
    side_text,
    table,
    tag,
    tag_row,
)

from docx_documents.styles import IMPRINT_ROW, SIGNATURE_LIMIT, all_styles, signature_indent
from gfdocs.gongwen import layout

DASH = layout.PAGE_NUMBER_DASH
LEVELS = "国家级、省级{% if round.level == '市级' %}、市级{% endif %}"  # whose units report: a city's own list only in its own round


def document(body: str, title: str = "{{ document.title }}") -> Docx:
    """A docx with the styles of all templates and page numbers after 7.5."""
    return Docx(body, all_styles(), title, {"default": footer("FooterOdd"), "even": footer("FooterEven")})


def footer(style: str) -> str:
    """页码: `— 1 —`."""
    return paragraph(run(f"{DASH} "), page_number_field(), run(f" {DASH}"), style=style)


def landscape_document(body: str, title: str = "{{ document.title }}") -> Docx:
    """A docx of landscape pages (8): the page number stands turned at the side, where portrait pages have it."""
    footers = {
        kind: paragraph(side_text(footer(style), number), style="Footer")
        for number, (kind, style) in enumerate((("default", "FooterOdd"), ("even", "FooterEven")), 1)
    }
    return Docx(body, all_styles(), title, footers, landscape=True)


def attachment_head() -> str:
    """附件N on line 1, 顶格; the title on line 3 (7.3.7). A paper that is no attachment begins with its title."""
    return (
        tag("if document.label") + paragraph("{{ document.label }}", style="AttachmentLabel") + blank() + tag("endif")
    )


def table_gap() -> str:
    """The space between a paragraph and the table below it."""
    return paragraph(style="TableGap")


def attachment_list() -> str:
    """附件说明 (7.3.4), numbers and titles from `attachments`; one alone has no number, none leaves nothing."""
    many = (
        tag("for a in attachments")
        + paragraph(
            "{% if loop.first %}附件：{% else %}", run("\t"), "{% endif %}{{ a.number }}.", run("\t"), "{{ a.title }}",
            style="AttachmentList",
        )
        + tag("endfor")
    )  # fmt: skip
    one = paragraph("附件：{{ attachments[0].title }}", style="AttachmentSingle")
    return (
        tag("if attachments") + paragraph(style="BlankLine", properties="<w:keepNext/>")
        + tag("if attachments|length == 1") + one + tag("else") + many + tag("endif")
        + tag("endif")
    )  # fmt: skip


def contact() -> str:
    """联系方式 on lines of its own: name and number together, so that no number breaks at its hyphen; the rest below."""

    def line(text: str) -> str:
        return paragraph(text, style="GongwenBody", properties="<w:keepNext/>")

    return (
        tag("if issuer.contact.name or issuer.contact.phone")
        + line(
            "{% if issuer.contact.name %}联系人：{{ issuer.contact.name }}{% if issuer.contact.phone %}，{% endif %}{% endif %}"
            "{% if issuer.contact.phone %}联系电话：{{ issuer.contact.phone }}{% endif %}"
        )
        + tag("if issuer.contact.email")
        + line("电子邮箱：{{ issuer.contact.email }}")
        + tag("endif")
        + tag("endif")
    )


def signature(name: str, date: str, blank_lines: int = 2) -> str:
    """署名 and 成文日期 on one centre, the date ending 4 字 from the right (7.3.5.1, with a seal).

    Where the centre is depends on how many digits the date has: one pair of paragraphs for each length. A name too long
    to stand above the date goes to the right.
    """

    def pair(first: str, second: str, properties: str = "") -> str:
        return paragraph(f"{{{{ {name} }}}}", style=first, properties=properties) + paragraph(
            f"{{{{ {date}|zh_date }}}}", style=second, properties=properties
        )

    branches = tag(f"if {name}|length > {SIGNATURE_LIMIT}") + pair("IssuerSignatureLong", "IssueDateRight")
    for length in (9, 11):
        branches += tag(f"elif {date}|zh_date|length == {length}")
        branches += pair("IssuerSignature", "IssueDate", indent(left=signature_indent(length)))
    branches += tag("else") + pair("IssuerSignature", "IssueDate")
    return paragraph(style="BlankLine", properties="<w:keepNext/>") * blank_lines + branches + tag("endif")


def imprint() -> str:
    """版记 (7.4): rules as wide as the type area, thick, thin, thick; the last lies on the bottom edge of the type area.

    A floating table stands at the bottom of the type area wherever the text before it ends. It hangs on the paper's left edge
    and not on the margin because LibreOffice lets a table as wide as the text float only so.
    """
    floating = (
        f'<w:tblpPr w:leftFromText="0" w:rightFromText="0" w:vertAnchor="margin" w:horzAnchor="page" w:tblpX="{LEFT_MARGIN}" '
        'w:tblpYSpec="bottom"/><w:tblOverlap w:val="never"/>'
    )
    copy_to = paragraph("抄送：{{ issuer.copy_to|join('，') }}。", style="Imprint")
    issued = paragraph("{{ issuer.name }}办公室", run("\t"), "{{ round.date|zh_date }}印发", style="ImprintLine")
    widths = [TEXT_WIDTH]
    return table(
        tag_row("if issuer.copy_to", widths), row(cell(copy_to, width=TEXT_WIDTH), height=IMPRINT_ROW), tag_row("endif", widths),
        row(cell(issued, width=TEXT_WIDTH), height=IMPRINT_ROW),
        widths=widths, style="ImprintTable", floating=floating,
    ) + paragraph(style="ImprintAnchor")  # fmt: skip
