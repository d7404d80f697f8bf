"""The starter folder of `gfdocs new`: a small round of fictitious companies on which every command runs at once."""

from __future__ import annotations

from pathlib import Path

from gfdocs.errors import Issue, OutputError, OutputExists, Place, Text, describe_os_fault
from gfdocs.programme.catalogue import templates_folder


def write_starter(folder: str | Path) -> tuple[Path, ...]:
    """Write the starter files into a new or empty folder and return their paths.

    Raises OutputExists where the folder holds anything, OutputError where it cannot be written.
    """
    target = Path(folder)
    source = templates_folder() / "starter"
    written = []
    try:
        if taken := _find_taken(target):
            hint = Text("choose a new name", "请换一个名称")
            raise OutputExists(Issue("GF508", "error", Place(str(target)), taken, hint))
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
            written.append(copy)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = describe_os_fault(error)
        fact = Text(f"cannot be written: {reason}", f"无法写入：{reason.zh}")
        hint = Text("check that the folder may be written to, or choose another place", "请检查是否可写，或换一个位置")
        raise OutputError(Issue("GF501", "error", Place(str(target)), fact, hint)) from error
    return tuple(written)


def _find_taken(target: Path) -> Text | None:
    """Return what is in the way of a new folder, None where nothing is."""
    if target.is_symlink():
        return Text("it is a link, not a folder", "这是链接，不是文件夹")
    if target.exists() and not target.is_dir():
        return Text("a file of this name is there", "已有同名文件")
    if target.is_dir() and any(target.iterdir()):
        return Text("the folder is there and not empty", "文件夹已存在且不为空")
    return None
