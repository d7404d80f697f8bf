"""A clerk opens a template in LibreOffice, saves it, and the papers made with it say what they said before."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document

import gfdocs
from gfdocs.engine.template import Template, open_template
from tests import ooxml
from tests.folders import EXAMPLES, ROOT
from tests.office import save_again

pytestmark = pytest.mark.office

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TARGETS: dict[str, dict[str, str]] = {
    "notice.docx": {},
    "province-notice.docx": {},
    "list.docx": {},
    "list.xlsx": {},
    "cover.docx": {"district": "样板市"},
    "annual-summary.docx": {"company": "示例电子有限公司"},
    "annual-table.xlsx": {"district": "示范区"},
    "cultivation-table.xlsx": {"district": "示范区"},
    "enrolment-table.xlsx": {"district": "示范区"},
}


@pytest.fixture(scope="module")
def project() -> gfdocs.Project:
    return gfdocs.load(EXAMPLES / "demo-district")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every template as LibreOffice saves it, by file name."""
    folder = tmp_path_factory.mktemp("saved")
    made = {}
    for kind in ("docx", "xlsx"):
        files = [ROOT / "templates" / name for name in TARGETS if name.endswith(kind)]
        made |= {path.name: path for path in save_again(files, folder / kind)}
    return made


def render(template: Template, project: gfdocs.Project, name: str) -> bytes:
    context = project.context(name.rpartition(".")[0], **TARGETS[name])
    return template.render(context).to_bytes()


def read(data: bytes, name: str) -> list[Any]:
    return read_paragraphs(data) if name.endswith("docx") else read_cells(data)


def read_paragraphs(data: bytes) -> list[str]:
    """The words of all paragraphs, those of tables as well, in the order of the file; floating tables may stand elsewhere."""
    document = Document(io.BytesIO(data))
    words = ("".join(t.text or "" for t in p.iter(f"{W}t")) for p in document.element.body.iter(f"{W}p"))
    return sorted(filter(None, (re.sub(r"\s", "", text) for text in words)))


def read_cells(data: bytes) -> list[tuple[str, str, Any]]:
    book = openpyxl.load_workbook(io.BytesIO(data))
    return [
        (sheet.title, cell.coordinate, _plain(cell.value))
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value not in (None, "")
    ]


def _plain(value: Any) -> Any:
    """LibreOffice writes numbers of formulas and line ends in its own way."""
    return re.sub(r"\s+", "", value) if isinstance(value, str) else float(value)


@pytest.mark.parametrize("name", TARGETS)
def test_a_template_saved_by_libreoffice_says_the_same(
    name: str, saved: dict[str, Path], project: gfdocs.Project, tmp_path: Path
) -> None:
    wanted = render(open_template(ROOT / "templates" / name), project, name)
    found = render(open_template(saved[name]), project, name)

    assert read(found, name) == read(wanted, name)
    path = tmp_path / name
    path.write_bytes(found)
    assert ooxml.find_left_over_tags(path) == []


@pytest.mark.parametrize("name", [name for name in TARGETS if name.endswith("-table.xlsx")])
def test_a_form_saved_by_libreoffice_keeps_what_guides_its_users(
    name: str, saved: dict[str, Path], project: gfdocs.Project
) -> None:
    books = [
        openpyxl.load_workbook(io.BytesIO(render(open_template(path), project, name)))
        for path in (ROOT / "templates" / name, saved[name])
    ]
    for drawn, kept in zip(*books, strict=True):
        assert kept.protection.sheet
        assert kept.print_title_rows == drawn.print_title_rows  # panes need a window, which a conversion has not
        assert kept.page_setup.orientation == drawn.page_setup.orientation
        lists = [
            {(str(rule.sqref), rule.formula1) for rule in sheet.data_validations.dataValidation if rule.type == "list"}
            for sheet in (drawn, kept)
        ]
        assert lists[0] == lists[1]
        locks = [{c.coordinate: c.protection.locked for r in sheet.iter_rows() for c in r} for sheet in (drawn, kept)]
        assert {cell: lock for cell, lock in locks[1].items() if locks[0].get(cell, lock) != lock} == {}


@pytest.mark.parametrize("name", [name for name in TARGETS if name.endswith("-table.xlsx")])
def test_a_filled_form_is_read_back_by_the_saved_template(
    name: str, saved: dict[str, Path], project: gfdocs.Project
) -> None:
    template = open_template(saved[name])
    wanted = open_template(ROOT / "templates" / name)
    data = render(wanted, project, name)

    assert _texts(template.read(data, name="返回.xlsx")) == _texts(wanted.read(data, name="返回.xlsx"))


def _texts(raw: Any) -> Any:
    if hasattr(raw, "entries"):
        return {key: _texts(value) for key, value in raw.entries.items()}
    return [_texts(item) for item in raw.items] if hasattr(raw, "items") else raw.text


def test_the_saved_templates_are_whole_packages(saved: dict[str, Path]) -> None:
    assert {zipfile.ZipFile(path).testzip() for path in saved.values()} == {None}
