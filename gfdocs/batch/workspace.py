"""`.gfdocs` in the output folder: the lock, the stage where packages are built, and the journal of what stands there.

It is there while a run goes on, and stays where one was interrupted. A stage is never written into by two runs: each
makes its own.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict

from gfdocs.batch import faults
from gfdocs.batch.manifest import MANIFEST, FileRecord, PackageRecord, _only, dump_record, is_inside
from gfdocs.batch.swap import is_folder, put_back

WORK = ".gfdocs"
_LOCK, _JOURNAL, _ASIDE = "lock", "journal.jsonl", "aside"
_STAGE = "stage-"


class Workspace:
    """The work folder of one run, locked. Use as a context manager; `close(keep=False)` removes it."""

    def __init__(self, out: str) -> None:
        self.out = out
        self.root = os.path.join(out, WORK)
        self.aside = os.path.join(self.root, _ASIDE)
        self._lock = -1
        self._journal = -1
        self.stage = ""
        self.old_stages: tuple[str, ...] = ()

    def open(self) -> None:
        """Make the folder, take the lock, repair an interrupted swap.

        Raises OutputError, also where another run has the lock.
        """
        try:
            self._lock = self._take_lock()
            self.old_stages = tuple(sorted(name for name in os.listdir(self.root) if name.startswith(_STAGE)))
            if self._is_half_moved():
                put_back(self.aside, self.out)
            self.stage = self._make_stage()
        except OSError as error:
            self.close(keep=True)
            raise faults.unwritable(self.root, error) from error

    def _is_half_moved(self) -> bool:
        """True where an interrupted run had not moved its manifest in yet.

        After that what stands aside is what the new manifest no longer names.
        """
        return any(os.path.lexists(os.path.join(self.root, name, MANIFEST)) for name in self.old_stages)

    def put_back(self) -> None:
        """Rename what stands aside back to where it was, as far as the disk lets us; the next start tries again."""
        with contextlib.suppress(OSError):
            put_back(self.aside, self.out)

    def _take_lock(self) -> int:
        if os.path.islink(self.root):
            os.unlink(self.root)  # a link would lead the stage out of the output folder
        for _ in range(20):
            # A run that just ended may remove the folder under us, between any two of these calls.
            with contextlib.suppress(FileExistsError, FileNotFoundError):
                os.makedirs(self.root, exist_ok=True)
                return _take_lock(os.path.join(self.root, _LOCK), self.out)
        raise FileExistsError(errno.EEXIST, "a file has the name of the work folder")

    def _make_stage(self) -> str:
        """Make a stage of a new name: a worker of a killed run may still be writing its last file into the old one."""
        last = max(
            (int(n.removeprefix(_STAGE)) for n in self.old_stages if n.removeprefix(_STAGE).isdigit()), default=0
        )
        stage = os.path.join(self.root, f"{_STAGE}{last + 1}")
        os.mkdir(stage)
        return stage

    @property
    def handles(self) -> tuple[int, ...]:
        """Open files that a forked worker must close, so that it doesn't hold the lock when this process is gone."""
        return tuple(handle for handle in (self._lock, self._journal) if handle >= 0)

    def note(self, files: Iterable[FileRecord], package: PackageRecord | None = None) -> None:
        """Add finished files to the journal, so that a next run need not make them again."""
        stage, zipped = json.dumps(os.path.basename(self.stage)), json.dumps(asdict(package) if package else None)
        text = f'{{"stage":{stage},"package":{zipped},"files":[{",".join(map(dump_record, files))}]}}\n'
        line = text.encode("utf-8", "backslashreplace")
        if self._journal < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
            self._journal = os.open(os.path.join(self.root, _JOURNAL), flags, 0o666)
        os.write(self._journal, line)

    def read_journal(self) -> Iterator[tuple[str, list[FileRecord], PackageRecord | None]]:
        """Give stage, files and zip of each entry that an interrupted run left.

        A last line cut short is passed over.
        """
        try:
            with open(os.path.join(self.root, _JOURNAL), "rb") as file:
                lines = file.read().split(b"\n")
        except FileNotFoundError:
            return
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
                entry = json.loads(line)
                files = [FileRecord(**_only(FileRecord, item)) for item in entry["files"]]
                package = entry["package"] and PackageRecord(**_only(PackageRecord, entry["package"]))
                # The stage may be gone (a second run was cut short too) while its files stand at their final place.
                if all(is_inside(path) for path in (entry["stage"], *(record.path for record in files))):
                    yield entry["stage"], files, package or None

    def remove_old_stages(self) -> None:
        """Remove what interrupted runs left; what of it is wanted has been moved into this run's stage by now."""
        for name in self.old_stages:
            _remove(os.path.join(self.root, name))
        self.old_stages = ()

    def close(self, *, keep: bool) -> None:
        """Give the lock back; unless `keep`, remove the folder with all that is in it."""
        if self._journal >= 0:
            os.close(self._journal)
            self._journal = -1
        if self._lock < 0:
            return
        if not keep:
            for name in os.listdir(self.root):
                path = os.path.join(self.root, name)
                if name != _LOCK:
                    _remove(path)
            # The lock goes last, still held: who waits for it finds its file gone and makes a new one.
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.root, _LOCK))
                os.rmdir(self.root)
        os.close(self._lock)
        self._lock = -1


def _remove(path: str) -> None:
    """Remove a file, a link or a folder; a link is never followed."""
    if is_folder(path):
        # By another name: a worker that outlived its run finds its stage gone, and puts nothing more into it.
        gone = f"{path}.gone"
        with contextlib.suppress(OSError):
            os.rename(path, gone)
        shutil.rmtree(gone, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def _take_lock(path: str, out: str) -> int:
    """Return the handle of the lock file, held until it is closed or the process dies.

    Raises OutputError where another holds it.
    """
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        if not _lock(handle):
            holder = os.read(handle, 20).decode("ascii", "replace").strip()
            os.close(handle)
            raise faults.locked(out, holder)
        try:
            same = os.path.samestat(os.fstat(handle), os.stat(path))
        except FileNotFoundError:
            same = False
        if same:
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0) if hasattr(os, "pwrite") else None
            return handle
        os.close(handle)  # its owner removed it between our opening and locking


if sys.platform == "win32":

    def _lock(handle: int) -> bool:
        import msvcrt

        try:
            os.lseek(handle, 64, os.SEEK_SET)  # beyond the text, which others may read
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(handle: int) -> bool:
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
