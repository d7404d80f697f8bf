"""LibreOffice and poppler for tests: skip with a reason where they are missing; in CI (GFDOCS_CI=1) fail instead."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from gfdocs.convert import convert, find_soffice


def require(program: str) -> str:
    """Return the path of the program; skip the test, or fail it in CI, where it is missing."""
    found = find_soffice() if program == "soffice" else shutil.which(program)
    if found:
        return found
    reason = f"{program} is not installed"
    if os.environ.get("GFDOCS_CI") == "1":
        pytest.fail(f"{reason}, and CI must not skip")
    pytest.skip(reason)


def to_pdfs(files: list[Path], folder: Path) -> tuple[Path, ...]:
    """Return the PDFs LibreOffice makes of the files, in one call."""
    require("soffice")
    return convert(files, "pdf", folder)


def to_pngs(pdf: Path, folder: Path, dpi: int = 60) -> list[Path]:
    """Return the pages of a PDF as PNG files."""
    require("pdftoppm")
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["pdftoppm", "-r", str(dpi), "-png", str(pdf), str(folder / pdf.stem)], check=True)
    return sorted(folder.glob(f"{pdf.stem}*.png"))


def resave(file: Path, to: str, folder: Path) -> Path:
    """Return the file as LibreOffice saves it in another format (ods, xlsx …)."""
    program = require("soffice")
    folder.mkdir(parents=True, exist_ok=True)
    profile = (folder / "profile").as_uri()
    command = [
        program,
        "--headless",
        f"-env:UserInstallation={profile}",
        "--convert-to",
        to,
        "--outdir",
        str(folder),
        str(file),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return folder / f"{file.stem}.{to}"


def save_again(files: list[Path], folder: Path) -> list[Path]:
    """Return the files as LibreOffice opens and saves them in their own format, in one call for each format."""
    program = require("soffice")
    folder.mkdir(parents=True, exist_ok=True)
    for kind in {file.suffix[1:] for file in files}:
        command = [program, "--headless", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--convert-to", kind,
                   "--outdir", str(folder), *(str(file) for file in files if file.suffix == f".{kind}")]  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    return [folder / file.name for file in files]
