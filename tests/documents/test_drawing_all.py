"""Every built-in template, and those of the examples, drawn again are the files that are there."""

from __future__ import annotations

import importlib
import io
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from tests import ooxml
from tests.folders import EXAMPLES, ROOT

SOURCE = ROOT / "templates" / "source"


@pytest.fixture(scope="module")
def drawn() -> dict[Path, bytes]:
    before = set(sys.modules)
    sys.path.insert(0, str(SOURCE))
    try:
        built_in = importlib.import_module("draw").draw_all()
        examples = importlib.import_module("draw_examples").draw()
    finally:
        sys.path[:] = [path for path in sys.path if path != str(SOURCE)]
        for name in set(sys.modules) - before:
            if name.split(".")[0] in ("wordml", "docx_documents") or name.startswith("draw"):
                del sys.modules[name]
    return {ROOT / "templates" / name: data for name, data in built_in.items()} | {
        EXAMPLES / name: data for name, data in examples.items()
    }


def parts(data: bytes) -> dict[str, bytes]:
    """The parts of an office file: another zlib may pack the same parts otherwise."""
    if data[:2] != b"PK":
        return {"": data}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_drawn_again_they_are_the_same(drawn: dict[Path, bytes]) -> None:
    assert len(drawn) >= 16
    assert [path.name for path, data in drawn.items() if parts(path.read_bytes()) != parts(data)] == []


def test_every_template_there_is_drawn(drawn: dict[Path, bytes]) -> None:
    folders = (ROOT / "templates", ROOT / "templates" / "starter", EXAMPLES / "own-template" / "templates")
    there = {path for folder in folders for path in folder.iterdir() if path.suffix in (".docx", ".xlsx", ".svg")}
    assert there - set(drawn) == set()


def test_workbooks_name_no_author_no_date_and_no_other_program(drawn: dict[Path, bytes]) -> None:
    books = {path: data for path, data in drawn.items() if path.suffix == ".xlsx"}
    assert len(books) == 6
    for path, data in books.items():
        assert ooxml.find_validation_errors(path) == []
        properties = openpyxl.load_workbook(io.BytesIO(data)).properties
        core = parts(data)["docProps/core.xml"].decode("utf-8")
        assert properties.title and properties.language == "zh-CN"
        assert "creator" not in core and "created" not in core
        assert "<Application>gfdocs</Application>" in parts(data)["docProps/app.xml"].decode("utf-8")
