"""What the tests of the batch look at on disk."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path


def read_tree(folder: Path, *, hidden: bool = False) -> dict[str, bytes]:
    """Return every file below a folder by its relative path; the work folder only with `hidden`."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            relative = path.relative_to(folder).as_posix()
            if hidden or not relative.startswith(".gfdocs/"):
                found[relative] = path.read_bytes()
    return found


def hash_tree(folder: Path) -> dict[str, str]:
    return {path: hashlib.sha256(data).hexdigest() for path, data in read_tree(folder).items()}


def find_broken(files: dict[str, bytes]) -> list[str]:
    """Return the files that are not whole: office files and zips must open, drawings must be closed."""
    return [path for path, data in files.items() if not is_whole(path, data)]


def is_whole(path: str, data: bytes) -> bool:
    if path.endswith((".docx", ".xlsx", ".zip")):
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                return archive.testzip() is None
        except zipfile.BadZipFile:
            return False
    if path.endswith(".svg"):
        return data.endswith(b"</svg>")
    return data.endswith(b"}\n") if path.endswith(".json") else bool(data)


def package_states(files: dict[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Give each package with its files."""
    packages: dict[str, dict[str, bytes]] = {}
    for path, data in files.items():
        if "/" in path or path.endswith(".zip"):
            packages.setdefault(path.split("/")[0], {})[path] = data
    yield from packages.items()
