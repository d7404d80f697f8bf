"""Draws the built-in .docx templates: every number comes from `gfdocs.gongwen.layout`, every word is this project's own."""

from __future__ import annotations

from docx_documents import annual_summary, cover, list_, notice, province_notice

DRAWINGS = {
    "notice.docx": notice.draw,
    "province-notice.docx": province_notice.draw,
    "list.docx": list_.draw,
    "annual-summary.docx": annual_summary.draw,
    "cover.docx": cover.draw,
}


def draw() -> dict[str, bytes]:
    """Return the finished templates by file name."""
    return {name: drawing().to_bytes() for name, drawing in DRAWINGS.items()}
