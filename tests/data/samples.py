"""A good project folder in the least words, and helpers that load it with something changed."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import openpyxl

from gfdocs.data.load import Dataset, load_dataset
from gfdocs.errors import DataError, Issue

SETTINGS = """\
round:
  name: 示例省第三批绿色工厂
  year: 2022
  date: 2023-02-10
issuer:
  name: 苏州市工业和信息化局
source:
  issuer: 江苏省工业和信息化厅
  number: 苏工信节能〔2023〕22号
  title: 关于公布第三批绿色工厂名单的通知
  date: 2023年2月6日
districts:
  - {name: 张家港市, code: 320582}
  - {name: 昆山市, code: 320583}
  - {name: 苏州工业园区, short_name: 工业园区, code: 320571, body: 经发委}
  - {name: 吴江区}
"""
COMPANY = "- {name: 示例甲有限公司, district: 昆山市}\n"
CODE = "91350100M000100Y43"
"""A credit code that is right (the worked example of public texts on GB 32100)."""


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in ({"gfdocs.yaml": SETTINGS} | files).items():
        data = content if isinstance(content, bytes) else content.encode()
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def load(folder: Path, companies: str | bytes = COMPANY, name: str = "companies.yaml", **files: str | bytes) -> Dataset:
    return load_dataset(write(folder, {name: companies, **files}))


def issues_of(folder: Path, files: dict[str, str | bytes]) -> list[Issue]:
    """All issues of a folder, whether it loads or not."""
    try:
        return list(load_dataset(write(folder, files)).issues)
    except DataError as error:
        return list(error.issues)


def workbook(rows: Iterable[Iterable[Any]], title: str = "Sheet", **more: Iterable[Iterable[Any]]) -> bytes:
    """An .xlsx with these rows, written by openpyxl."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for name, others in more.items():
        extra = book.create_sheet(name)
        for row in others:
            extra.append(list(row))
    return to_bytes(book)


def to_bytes(book: openpyxl.Workbook) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()
