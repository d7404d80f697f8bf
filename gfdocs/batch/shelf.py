"""What an earlier run left that can be used again: files whose bytes are what a manifest or journal says of them."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from gfdocs.batch.manifest import FileRecord, Manifest, PackageRecord
from gfdocs.batch.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is there, whole, with its record. `placed` is True where it stands at its final place already."""

    record: FileRecord
    location: str
    placed: bool


@dataclass(frozen=True, slots=True)
class FoundZip:
    """A zipped package that is there, whole, with the records of its files by path."""

    record: PackageRecord
    files: dict[str, FileRecord]
    location: str
    placed: bool


class Shelf:
    """Looks up earlier files of an output folder. A file's bytes are read at most once, and only when asked for."""

    def __init__(self, out: str, old: Manifest | None, workspace: Workspace) -> None:
        self.out = out
        self._files: dict[str, list[tuple[FileRecord, str, bool]]] = defaultdict(list)
        self._zips: dict[str, list[FoundZip]] = defaultdict(list)
        self._digests: dict[str, str] = {}
        if old is not None:
            self._add_manifest(old)
        for stage, files, package in workspace.read_journal():
            self._add_entry(os.path.join(workspace.root, stage), files, package)

    def _add_manifest(self, old: Manifest) -> None:
        if not old.zip:
            for record in old.files:
                self._files[record.path].append((record, os.path.join(self.out, record.path), True))
            return
        files: dict[str, dict[str, FileRecord]] = defaultdict(dict)
        for record in old.files:
            files[record.package][record.path] = record
        for package in old.packages:
            location = os.path.join(self.out, package.path)
            self._zips[package.name].append(FoundZip(package, files[package.name], location, True))

    def _add_entry(self, stage: str, files: list[FileRecord], package: PackageRecord | None) -> None:
        """Note an entry of the journal: its files are in the stage, or, where the swap had begun, at their final
        place.
        """
        for root, placed in ((self.out, True), (stage, False)):
            if package is not None:
                by_path = {record.path: record for record in files}
                self._zips[package.name].append(FoundZip(package, by_path, os.path.join(root, package.path), placed))
                continue
            for record in files:
                self._files[record.path].append((record, os.path.join(root, record.path), placed))

    def __contains__(self, path: str) -> bool:
        return path in self._files

    def __bool__(self) -> bool:
        return bool(self._files or self._zips)

    def find(self, path: str, source: str) -> Found | None:
        """Return the file of that path that was made from that source, at its final place if it is there too."""
        for record, location, placed in sorted(self._files.get(path, ()), key=lambda entry: not entry[2]):
            if record.source == source and self.digest(location) == record.sha256:
                return Found(record, location, placed)
        return None

    def find_zips(self, package: str) -> Iterator[FoundZip]:
        """Give the zips of a package that are whole, those at their final place first."""
        for found in sorted(self._zips.get(package, ()), key=lambda entry: not entry.placed):
            if self.digest(found.location) == found.record.sha256:
                yield found

    def is_ours(self, path: str) -> bool:
        """True where the file below the output folder is, byte for byte, one that a run made."""
        digest = self.digest(os.path.join(self.out, path))
        known = {record.sha256 for record, _, _ in self._files.get(path, ())}
        known |= {found.record.sha256 for found in self._zips.get(path.removesuffix(".zip"), ())}
        return digest in known

    def is_recorded(self, path: str) -> bool:
        return path in self._files or path.removesuffix(".zip") in self._zips

    def digest(self, location: str) -> str:
        """Return the sha256 of a plain file, or an empty text where there is none (a link is none)."""
        if location not in self._digests:
            self._digests[location] = hash_file(location)
        return self._digests[location]


_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)


def hash_file(path: str) -> str:
    """Return the sha256 of a plain file as hex, an empty text for anything else.

    Never follows a link, never waits for a pipe.
    """
    try:
        handle = os.open(path, _READ)
    except OSError:
        return ""
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        with os.fdopen(handle, "rb", buffering=0, closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
    finally:
        os.close(handle)
