"""Renders a docx template with docxtpl; the filters are those of every gfdocs environment, written a second time but for zh_lines."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

from docxtpl import DocxTemplate
from jinja2 import Environment, StrictUndefined

from gfdocs.engine.filters import zh_lines

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


def zh_date(value: dt.date) -> str:
    return f"{value.year}年{value.month}月{value.day}日"


def zh_number(value: int) -> str:
    return "〇一二三四五六七八九十"[value]


def amount(value: Decimal | int) -> str:
    return f"{value:,}"


def environment() -> Environment:
    env = Environment(undefined=StrictUndefined, autoescape=True)
    env.filters.update(zh_date=zh_date, zh_number=zh_number, amount=amount, zh_lines=zh_lines)
    return env


def render(template: str | Path, context: dict[str, Any]) -> bytes:
    """Return the finished docx as docxtpl makes it."""
    document = DocxTemplate(str(TEMPLATES / template))
    document.render(context, environment(), autoescape=True)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()
