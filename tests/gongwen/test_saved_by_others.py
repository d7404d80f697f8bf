"""A paper that another program has saved again is still understood."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gfdocs.errors import errors_of
from gfdocs.gongwen.check import check_docx
from tests.gongwen.papers import bad_notice, good_notice
from tests.office import require


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The right and the wrong notice, opened and saved by LibreOffice."""
    soffice = require("soffice")
    folder = tmp_path_factory.mktemp("saved")
    (folder / "good.docx").write_bytes(good_notice())
    (folder / "bad.docx").write_bytes(bad_notice()[0])
    out = folder / "out"
    command = [
        soffice,
        f"-env:UserInstallation={(folder / 'profile').as_uri()}",
        "--headless",
        "--convert-to",
        "docx",
        "--outdir",
        str(out),
    ]
    subprocess.run(
        [*command, str(folder / "good.docx"), str(folder / "bad.docx")], check=True, capture_output=True, timeout=120
    )
    return out


@pytest.mark.office
def test_a_right_paper_saved_by_libreoffice_has_no_error(saved: Path) -> None:
    assert [str(issue) for issue in errors_of(check_docx(saved / "good.docx"))] == []


@pytest.mark.office
def test_faults_survive_saving_by_libreoffice(saved: Path) -> None:
    before = {issue.code for issue in errors_of(check_docx(bad_notice()[0]))}
    after = {issue.code for issue in errors_of(check_docx(saved / "bad.docx"))}
    assert len(before) >= 20
    assert before - after == set()
