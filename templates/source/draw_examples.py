"""Draws the small templates of the examples: `python templates/source/draw_examples.py`. The same code always gives the same bytes."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT)]


def draw() -> dict[str, bytes]:
    """Return the files by their path below examples/."""
    return {
        "script/letter.docx": _draw_letter(),
        "own-template/templates/cover.docx": _draw_cover(),
        "own-template/templates/memo.docx": _draw_memo(),
        "own-template/templates/roster.docx": _draw_roster(),
    }


def _draw_letter() -> bytes:
    from docx_documents.parts import document
    from wordml import blank, paragraph, tag

    return document(
        paragraph("关于提交材料的函", style="GongwenTitle")
        + blank()
        + paragraph("{{ to }}：", style="Addressee")
        + paragraph("请提交以下{{ items|length }}项材料：", style="GongwenBody")
        + tag("for item in items")
        + paragraph("{{ loop.index }}.{{ item }}", style="GongwenBody")
        + tag("endfor"),
        title="关于提交材料的函",
    ).to_bytes()


def _draw_cover() -> bytes:
    from docx_documents.parts import document
    from wordml import blank, paragraph, tag

    return document(
        paragraph("致{{ district.addressee }}的简函", style="GongwenTitle")
        + blank()
        + paragraph("{{ district.addressee }}：", style="Addressee")
        + paragraph("{{ round.name }}材料一套，共{{ package|length }}件，请查收。", style="GongwenBody")
        + tag("for item in package")
        + paragraph("{{ item.number }}.{{ item.title }}", style="GongwenBody")
        + tag("endfor")
        + paragraph("{{ issuer.name }}", style="GongwenBody")
        + paragraph("{{ round.date|zh_date }}", style="GongwenBody")
    ).to_bytes()


def _draw_memo() -> bytes:
    from docx_documents.parts import document
    from wordml import blank, paragraph

    return document(
        paragraph("上门服务备忘", style="GongwenTitle")
        + blank()
        + paragraph("单位：{{ company.display_name }}", style="GongwenBody")
        + paragraph("联系人：{{ company.contact.name or '（未填）' }}", style="GongwenBody")
        + paragraph("下年度目标：{{ company.plan.text or '（未填）' }}", style="GongwenBody")
    ).to_bytes()


ROSTER = (
    ("序号", "{{ c.index }}", 700), ("单位名称", "{{ c.display_name }}", 4056), ("所在地", "{{ c.district_name }}", 1500),
    ("名单类别", "{{ c.level_text }}", 2400), ("列入批次", "{{ c.listed_in }}", 1200), ("联系人", "{{ c.contact.name }}", 1100),
    ("联系电话", "{{ c.contact.phone }}", 1800),
)  # fmt: skip


def _draw_roster() -> bytes:
    """A table on landscape pages, its page numbers where those of portrait pages are (GB/T 9704, 8)."""
    from docx_documents.parts import landscape_document
    from wordml import blank, cell, paragraph, row, table, tag_row

    widths = [width for *_, width in ROSTER]

    def line(texts: list[str], style: str, *, header: bool = False) -> str:
        cells = (cell(paragraph(text, style=style), width=width) for text, width in zip(texts, widths, strict=True))
        return row(*cells, header=header, height=454)

    return landscape_document(
        paragraph("{{ document.title }}", style="GongwenTitle")
        + blank()
        + table(
            line([title for title, *_ in ROSTER], "TableHead", header=True),
            tag_row("for g in groups", widths),
            tag_row("for c in g.companies", widths),
            line([path for _, path, _ in ROSTER], "TableCentre"),
            tag_row("endfor", widths),
            tag_row("endfor", widths),
            widths=widths,
        )
    ).to_bytes()


if __name__ == "__main__":
    for name, data in draw().items():
        target = ROOT / "examples" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        sys.stdout.write(f"{name}\n")
