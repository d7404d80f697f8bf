"""The starter folder of `gfdocs new`: a small round of fictitious companies on which every command runs at once."""

from __future__ import annotations

from pathlib import Path

from gfdocs.errors import Issue, OutputError, OutputExists, Place, Text
from gfdocs.programme.catalogue import templates_folder


def write_starter(folder: str | Path) -> tuple[Path, ...]:
    """Write the starter files into a new or empty folder and return their paths.

    Raises OutputExists where the folder holds anything, OutputError where it cannot be written.
    """
    target = Path(folder)
    if target.is_symlink() or target.is_file() or (target.is_dir() and any(target.iterdir())):
        fact = Text("the folder is there and not empty", "文件夹已存在且不为空")
        raise OutputExists(Issue("GF508", "error", Place(str(target)), fact, Text("choose a new name", "请换一个名称")))
    source = templates_folder() / "starter"
    written = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
            written.append(copy)
    except OSError as error:
        fact = Text(f"cannot be written: {error.strerror}", f"无法写入：{error.strerror}")
        hint = Text("check that the folder may be written to, or choose another place", "请检查是否可写，或换一个位置")
        raise OutputError(Issue("GF501", "error", Place(str(target)), fact, hint)) from error
    return tuple(written)
