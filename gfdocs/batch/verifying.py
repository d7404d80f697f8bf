"""Is an output folder what its manifest says? Every changed, missing or extra file, and a run that was cut short."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from gfdocs.batch import faults
from gfdocs.batch.folders import list_files
from gfdocs.batch.manifest import INDEX, MANIFEST, Manifest, read_manifest
from gfdocs.batch.shelf import hash_file
from gfdocs.batch.workspace import WORK
from gfdocs.errors import Issue, Text

STORE_WORK = f"{WORK}-"  # what a run into a store keeps there, in a copy of that store
# What file managers and office programs leave behind by themselves.
_PASSING = ("Thumbs.db", "desktop.ini", ".DS_Store")


def verify(out: str | Path) -> tuple[Issue, ...]:
    """Return what is wrong with an output folder, in order of paths; empty where every file is as it was made.

    Changed and missing files and an interrupted run are errors, files that the manifest doesn't know are warnings.
    Links are not followed. Raises OutputError where there is no manifest that can be read.
    """
    manifest = read_manifest(out)
    try:
        issues = [
            *_find_unfinished(str(out)), *_check_files(manifest, str(out)), *_check_index(manifest, str(out)),
            *_find_extra(manifest, str(out)),
        ]  # fmt: skip
    except OSError as error:
        raise faults.unreadable(str(out), error) from error
    return tuple(sorted(issues, key=lambda issue: issue.place))


def _find_unfinished(out: str) -> Iterator[Issue]:
    work = os.path.join(out, WORK)
    if os.path.isdir(work) and any(name != "lock" for name in os.listdir(work)):
        yield faults.at_output(faults.unfinished(WORK), out)
    for name in sorted(os.listdir(out)):
        if name.startswith(STORE_WORK):
            yield faults.at_output(faults.unfinished(name), out)


def _expected(manifest: Manifest) -> dict[str, tuple[str, int]]:
    """Return sha256 and size of each file that must be on disk, by path."""
    if manifest.zip:
        return {package.path: (package.sha256, package.size) for package in manifest.packages}
    return {record.path: (record.sha256, record.size) for record in manifest.files}


def _check_files(manifest: Manifest, out: str) -> Iterator[Issue]:
    for path, (digest, size) in _expected(manifest).items():
        location = os.path.join(out, path)
        if not os.path.lexists(location):
            yield faults.at_output(faults.missing(path), out)
        elif os.path.islink(location) or not os.path.isfile(location):
            yield faults.at_output(faults.changed(path, Text("it is no longer a plain file", "已不是普通文件")), out)
        elif (found := os.stat(location).st_size) != size:
            said = Text(f"expected {size} bytes, found {found}", f"应为 {size} 字节，实为 {found} 字节")
            yield faults.at_output(faults.changed(path, said), out)
        elif hash_file(location) != digest:
            said = Text("same size, other content", "大小相同而内容不同")
            yield faults.at_output(faults.changed(path, said), out)


def _check_index(manifest: Manifest, out: str) -> Iterator[Issue]:
    """The page says what is in the packages: one that was changed would mislead. Older manifests do not know it."""
    location = os.path.join(out, INDEX)
    if not manifest.index:
        return
    if not os.path.lexists(location):
        yield faults.at_output(faults.missing(INDEX), out)
    elif hash_file(location) != manifest.index:
        yield faults.at_output(faults.changed(INDEX, Text("other content", "内容不同")), out)


def _find_extra(manifest: Manifest, out: str) -> Iterator[Issue]:
    known = {*_expected(manifest), MANIFEST, INDEX}
    for path in list_files(out, ""):
        name = path.rsplit("/", 1)[-1]
        if path in known or path.startswith((f"{WORK}/", STORE_WORK)) or name in _PASSING or name.startswith("~$"):
            continue
        yield faults.at_output(faults.unknown(path), out)
