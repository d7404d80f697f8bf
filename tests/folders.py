"""Project folders for tests: an example copied, with words replaced."""

from __future__ import annotations

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"


def copy_example(name: str, target: Path, *replaced: tuple[str, str], file: str = "gfdocs.yaml") -> Path:
    """Return a copy of an example in `target`, each (old, new) replaced once in `file`; the old words must be there."""
    folder = target / name
    shutil.copytree(EXAMPLES / name, folder)
    path = folder / file
    text = path.read_text(encoding="utf-8")
    for old, new in replaced:
        assert old in text, f"{old!r} is not in {file}"
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    return folder
