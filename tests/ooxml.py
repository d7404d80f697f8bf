"""Independent eyes on what we write: openpyxl, python-docx, an OOXML validator, and the words that must not be left in any part."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path

from openxml_audit import OpenXmlValidator

LEFT_OVER = re.compile(rb"\{\{|\{%|%\}|\}\}")


def read_text(path: Path) -> str:
    """Return all text of a .docx (body, tables, headers, footers) or .xlsx (cells of all sheets) as other libraries read it."""
    if path.suffix == ".docx":
        import docx

        document = docx.Document(str(path))
        parts = [document.element.body, *(p._element for s in document.sections for p in (s.header, s.footer))]
        return "\n".join("".join(node.itertext()) for part in parts for node in part.iter() if node.tag.endswith("}p"))
    import openpyxl

    book = openpyxl.load_workbook(path)
    return "\n".join(
        str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None
    )


def find_left_over_tags(path: Path) -> list[str]:
    """Return the names of parts in which a tag of the template is left."""
    with zipfile.ZipFile(path) as package:
        return [
            name
            for name in package.namelist()
            if name.endswith((".xml", ".rels")) and LEFT_OVER.search(package.read(name))
        ]


def find_validation_errors(path: Path) -> list[str]:
    """Return what the validator has against the file; none is expected, and no fault is allowed for."""
    return [f"{error.part_uri}: {error.description}" for error in _validator().validate(str(path)).errors]


@cache
def _validator() -> OpenXmlValidator:
    return OpenXmlValidator()
