"""What LibreOffice makes of a workbook's formulas when it has no cached values to lean on."""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import openpyxl

from tests import office

_CACHED = re.compile(rb"(</f>|<f[^>]*/>)<v>[^<]*</v>")


def recalculate(files: list[Path], folder: Path) -> list[Path]:
    """Return the files as LibreOffice saves them, every formula computed anew."""
    soffice = office.require("soffice")
    bare, out = folder / "bare", folder / "calculated"
    bare.mkdir()
    for path in files:
        with zipfile.ZipFile(path) as source, zipfile.ZipFile(bare / path.name, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                data = source.read(name)
                target.writestr(name, _CACHED.sub(rb"\1", data) if name.startswith("xl/worksheets/") else data)
    command = [
        soffice,
        "--headless",
        f"-env:UserInstallation=file://{folder}/profile",
        "--convert-to",
        "xlsx:Calc MS Excel 2007 XML",
    ]
    subprocess.run(
        [*command, "--outdir", str(out), *(str(bare / path.name) for path in files)],
        check=True,
        capture_output=True,
        timeout=240,
    )
    return [out / path.name for path in files]


def formulas_of(path: Path) -> dict[tuple[str, str], tuple[str, Any]]:
    """Return (formula, cached value) by sheet and cell."""
    texts, values = openpyxl.load_workbook(path), openpyxl.load_workbook(path, data_only=True)
    return {
        (sheet.title, cell.coordinate): (
            getattr(cell.value, "text", cell.value),
            values[sheet.title][cell.coordinate].value,
        )
        for sheet in texts
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f"
    }


def values_of(path: Path) -> dict[tuple[str, str], Any]:
    return {
        (sheet.title, cell.coordinate): cell.value
        for sheet in openpyxl.load_workbook(path, data_only=True)
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return abs(ours - theirs) <= 1e-9 * max(1.0, abs(ours))
    return ours == theirs or (ours in ("", None) and theirs in ("", None))
