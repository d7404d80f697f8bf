"""致各地的函: what is in a district's package, and the dates to keep. One page for the usual package."""

from __future__ import annotations

from wordml import Docx, blank, cell, paragraph, row, table, tag, tag_row

from docx_documents.parts import contact, document, signature, table_gap

WIDTHS = (700, 4945, 700, 2500)  # the last takes 2023年12月31日 on one line, in a stand-in face as well
HEIGHT = 425


def draw() -> Docx:
    return document(
        paragraph("{{ document.title|zh_lines(20) }}", style="GongwenTitle")
        + blank()
        + paragraph("{{ district.addressee }}：", style="Addressee")
        + _lead()
        + _package()
        + _deadlines()
        + contact()
        + signature("issuer.name", "round.date", blank_lines=1)
    )


def _lead() -> str:
    return paragraph(
        "根据{{ source.issuer }}《{{ source.title }}》（{{ source.number }}），现将有关材料印送你单位。"
        "{% if district.counts.listed %}你地列入名单的单位共{{ district.counts.listed }}家"
        "{% if district.counts.units %}，需报送年度总结和年度计划的单位共{{ district.counts.units }}家{% endif %}，"
        "{% elif district.counts.units %}你地需报送年度总结和年度计划的单位共{{ district.counts.units }}家，{% endif %}"
        "请组织填报并审核汇总。{% if package %}清单如下：{% endif %}",
        style="GongwenBody",
    )


def _cell(text: str, style: str, width: int) -> str:
    return cell(paragraph(text, style=style), width=width)


def _package() -> str:
    titles = ("序号", "材料", "份数", "报送期限")
    head = row(
        *(_cell(t, "TableHead", w) for t, w in zip(titles, WIDTHS, strict=True)),
        header=True,
        height=HEIGHT,
    )
    return (
        tag("if package")
        + table_gap()
        + table(
            head,
            tag_row("for item in package", WIDTHS),
            row(
                _cell("{{ loop.index }}", "TableCentre", WIDTHS[0]),
                _cell("{% if item.label %}{{ item.label }}　{% endif %}{{ item.title }}", "TableText", WIDTHS[1]),
                _cell("{{ item.copies }}", "TableCentre", WIDTHS[2]),
                _cell("{% if item.due %}{{ item.due|zh_date }}{% else %}—{% endif %}", "TableCentre", WIDTHS[3]),
                height=HEIGHT,
            ),
            tag_row("endfor", WIDTHS),
            widths=WIDTHS,
        )
        + table_gap()
        + tag("endif")
    )


def _deadlines() -> str:
    """One sentence for each date, with all that is due then."""
    return (
        tag("for date, items in deadlines|groupby('date')")
        + paragraph(
            "请于{{ date|zh_date }}前将{% for d in items %}{% if d.label %}{{ d.label }}{% else %}《{{ d.title }}》{% endif %}"
            "{% if d.note %}（{{ d.note }}）{% endif %}{% if not loop.last %}、{% endif %}{% endfor %}"
            "报我局{% if issuer.office %}{{ issuer.office }}{% endif %}。",
            style="GongwenBody",
        )
        + tag("endfor")
    )
