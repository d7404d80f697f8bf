"""致各地的函: what is in a district's package, and the dates to keep."""

from __future__ import annotations

from wordml import Docx, blank, cell, paragraph, row, table, tag, tag_row

from docx_documents.parts import document, signature, table_gap

WIDTHS = (800, 6045, 2000)
HEIGHT = 454


def draw() -> Docx:
    return document(
        paragraph("{{ document.title }}", style="GongwenTitle")
        + blank()
        + paragraph("{{ district.addressee }}：", style="Addressee")
        + tag("set number = cycler('一', '二', '三')")
        + _lead()
        + _package()
        + _deadlines()
        + _contact()
        + signature("issuer.name", "round.date", blank_lines=1)
    )


def _lead() -> str:
    return paragraph(
        "根据{{ source.issuer }}《{{ source.title }}》（{{ source.number }}）要求，现将{{ round.name }}有关材料印送你单位。"
        "{% if district.counts.listed %}你地列入名单的单位共{{ district.counts.listed }}家"
        "{% if district.counts.units %}，需报送年度总结和年度计划的单位共{{ district.counts.units }}家{% endif %}。"
        "{% elif district.counts.units %}你地需报送年度总结和年度计划的单位共{{ district.counts.units }}家。{% endif %}"
        "请组织有关单位认真填报，审核汇总后按时报送。",
        style="GongwenBody",
    )


def _heading(text: str) -> str:
    return paragraph("{{ number.next() }}、" + text, style="HeadingOne")


def _cell(text: str, style: str, width: int) -> str:
    return cell(paragraph(text, style=style), width=width)


def _package() -> str:
    head = row(
        *(_cell(t, "TableHead", w) for t, w in zip(("序号", "材料", "报送期限"), WIDTHS, strict=True)),
        header=True,
        height=HEIGHT,
    )
    return (
        tag("if package")
        + _heading("材料清单")
        + table_gap()
        + table(
            head,
            tag_row("for item in package", WIDTHS),
            row(
                _cell("{{ loop.index }}", "TableCentre", WIDTHS[0]),
                _cell("{{ item.file }}", "TableText", WIDTHS[1]),
                _cell("{% if item.due %}{{ item.due|zh_date }}{% else %}—{% endif %}", "TableCentre", WIDTHS[2]),
                height=HEIGHT,
            ),
            tag_row("endfor", WIDTHS),
            widths=WIDTHS,
        )
        + tag("endif")
    )


def _deadlines() -> str:
    return (
        tag("if deadlines")
        + _heading("报送要求")
        + tag("for d in deadlines")
        + paragraph(
            "{{ loop.index }}.{% if d.label %}{{ d.label }}{% else %}《{{ d.title }}》{% endif %}，{{ d.date|zh_date }}前报送"
            "{% if d.note %}，{{ d.note }}{% endif %}{% if loop.last %}。{% else %}；{% endif %}",
            style="GongwenBody",
            properties="<w:keepNext/>",
        )
        + tag("endfor")
        + tag("endif")
    )


def _contact() -> str:
    return (
        tag("if issuer.contact.name or issuer.contact.phone")
        + _heading("联系方式")
        + paragraph(
            "联系人：{{ issuer.contact.name }}{% if issuer.office %}（{{ issuer.office }}）{% endif %}，联系电话：{{ issuer.contact.phone }}"
            "{% if issuer.contact.email %}，电子邮箱：{{ issuer.contact.email }}{% endif %}"
            "{% if issuer.address %}，地址：{{ issuer.address }}{% endif %}。",
            style="GongwenBody",
            properties="<w:keepNext/>",
        )
        + tag("endif")
    )
