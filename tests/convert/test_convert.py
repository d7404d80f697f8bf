"""Conversion says what is missing before it begins, loses no file to another of the same name, and leaks no foreign error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import gfdocs
from gfdocs import cli
from gfdocs.cli import words
from gfdocs.errors import ConvertError, OutputError
from tests.folders import EXAMPLES
from tests.office import require

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="60mm" height="40mm" viewBox="0 0 60 40"><rect width="9" height="9"/></svg>'
words.LANGUAGE = "en"
convert = sys.modules["gfdocs.convert"]  # `gfdocs.convert` itself is the function of that name


def codes(raised: pytest.ExceptionInfo[ConvertError]) -> list[str]:
    return [issue.code for issue in raised.value.issues]


def test_files_that_would_get_one_name_keep_their_suffix() -> None:
    named = convert._name_targets(["甲/名单.docx", "甲/名单.xlsx", "乙/名单.docx", "A.B公司.svg"], "pdf")

    assert named == ["甲/名单.docx.pdf", "甲/名单.xlsx.pdf", "乙/名单.pdf", "A.B公司.pdf"]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "find_spec", lambda _name: None)

    with pytest.raises(ConvertError) as raised:
        convert.to_pdf(DRAWING.encode(), "svg", name="plaque.svg")

    assert codes(raised) == ["GF804"]
    assert "gfdocs[pdf]" in raised.value.issues[0].hint


@pytest.mark.parametrize(
    ("name", "to", "code"),
    [("none.docx", "pdf", "GF806"), ("plaque.svg", "docx", "GF807"), ("notes.txt", "pdf", "GF807")],
)
def test_what_cannot_be_converted_is_an_issue(tmp_path: Path, name: str, to: str, code: str) -> None:
    (tmp_path / "plaque.svg").write_text(DRAWING, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")

    with pytest.raises(ConvertError) as raised:
        gfdocs.convert([tmp_path / name], to, tmp_path / "out")

    assert codes(raised) == [code]


def test_an_unwritable_folder_is_an_issue(tmp_path: Path) -> None:
    pytest.importorskip("fontTools")
    (tmp_path / "plaque.svg").write_text(DRAWING, encoding="utf-8")

    with pytest.raises(OutputError):
        gfdocs.convert([tmp_path / "plaque.svg"], "pdf", tmp_path / "plaque.svg" / "out")


def test_a_drawing_is_converted_without_libreoffice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fontTools")
    monkeypatch.setattr(convert, "find_soffice", lambda: None)
    (tmp_path / "plaque.svg").write_text(DRAWING, encoding="utf-8")

    (made,) = gfdocs.convert([tmp_path / "plaque.svg"], "pdf", tmp_path / "out")

    assert made == tmp_path / "out" / "plaque.pdf"
    assert made.read_bytes().startswith(b"%PDF")


def test_pdfs_are_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["batch", str(EXAMPLES / "demo-district"), "-o", str(tmp_path / "out"), "--pdf"]
    monkeypatch.setattr(convert, "find_soffice", lambda: None)
    assert cli.run(command) == 1
    assert "GF801" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []

    (tmp_path / "out-pdf").mkdir()
    (tmp_path / "out-pdf" / "mine.pdf").write_bytes(b"mine")
    assert cli.run(command) == 1
    assert "GF508" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["out-pdf"]


@pytest.mark.office
def test_a_pdf_of_every_file_of_a_district(tmp_path: Path) -> None:
    require("soffice")
    command = ["batch", str(EXAMPLES / "demo-district"), "-o", str(tmp_path / "out"), "--pdf", "--zip"]

    assert cli.run([*command, "--district", "示范区", "--only", "list", "--only", "plaque"]) == 0

    names = sorted(path.relative_to(tmp_path / "out-pdf").as_posix() for path in (tmp_path / "out-pdf").rglob("*.pdf"))
    assert len(names) == 5
    assert [name.rpartition(" ")[2] for name in names if "附件2" in name] == ["示范区.docx.pdf", "示范区.xlsx.pdf"]
