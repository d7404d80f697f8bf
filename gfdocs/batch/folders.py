"""Packages as folders: what must be carried from the old one into the new one, what may not be replaced, and the
staging.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import shutil
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from gfdocs.batch import dispatch, faults
from gfdocs.batch.jobs import Job
from gfdocs.batch.make import Chunk
from gfdocs.batch.names import fold_name
from gfdocs.batch.shelf import Found, Shelf
from gfdocs.batch.steps import Run
from gfdocs.batch.swap import is_folder, swap_in
from gfdocs.errors import Issue

_CHUNK = 64
_MAX_DEPTH = 200
_OPEN_APART = 1000  # documents; above that, opening all templates first is a small part of the work
# What a process has to do, about in ms: to load what makes a kind, to open a template of it, to make one document.
# Kinds stand in the order in which they are shared out; what is opened soonest in the middle, where it is cut in two.
_COSTS = {"docx": (25, 15, 0.8), "svg": (5, 10, 0.9), "xlsx": (35, 13, 1.3)}


class FolderRun(Run):
    """A run whose packages are folders."""

    kept: dict[str, Found]
    todo: list[Job]
    touched: tuple[str, ...]
    carried: dict[str, list[str]]

    def plan(self, usable: Sequence[Job]) -> list[Issue]:
        self._split(usable)
        self.touched = self._find_touched()
        replaced: dict[str, set[str]] = defaultdict(set)
        for job in self.jobs:
            replaced[job.package].add(job.path)
        self.carried, conflicts = {}, []
        for package in self.touched:
            removed = self.removed.get(package, set()) if not self._had_zips else set()
            carried, found = find_carried(
                self.folder, package, replaced=replaced[package], removed=removed, shelf=self.shelf
            )
            self.carried[package] = [path for path in carried if path not in self.staying.get(package, {})]
            conflicts += found
        return conflicts + self._find_edited_zips()

    @property
    def _had_zips(self) -> bool:
        return self.old is not None and self.old.zip

    def _split(self, usable: Sequence[Job]) -> None:
        """Split the jobs into those whose file is there already and those to be made."""
        sources = self.get_sources(job for job in usable if job.path in self.shelf)
        self.kept, self.todo = {}, []
        for job in usable:
            found = self.shelf.find(job.path, sources[job.path]) if job.path in sources else None
            if found is None:
                self.todo.append(job)
            else:
                self.kept[job.path] = found

    def _find_touched(self) -> tuple[str, ...]:
        """Return the packages that change, in the order of the plan, then those that the plan no longer has."""
        changing = {job.package for job in self.todo}
        changing |= {found.record.package for found in self.kept.values() if not found.placed}
        changing |= {failure.job.package for failure in self.ledger.failed}
        gone = set() if self._had_zips else set(self.removed)
        order = dict.fromkeys(job.package for job in self.planned)
        return (*(name for name in order if name in changing | gone), *sorted(gone - set(order)))

    def _find_edited_zips(self) -> list[Issue]:
        """Zips of an earlier run go when folders take their place, unless somebody changed them."""
        paths = [package.path for package in self.old.packages] if self.old is not None and self.old.zip else []
        there = [path for path in paths if os.path.lexists(os.path.join(self.folder, path))]
        return [faults.edited(path) for path in there if not self.shelf.is_ours(path)]

    def take_over(self) -> None:
        moved = []
        for job in self.jobs:
            found = self.kept.get(job.path)
            if found is None:
                continue
            if not found.placed:
                target = os.path.join(self.stage, job.path)
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.rename(found.location, target)
                moved.append(found.record)
            self.ledger.add_kept(job, found.record)
        if moved:
            self.workspace.note(moved)
        for records in self.staying.values():
            self.ledger.records.update(records)

    def count(self) -> int:
        return len(self.todo)

    @property
    def opens_first(self) -> bool:
        """False for a small fresh batch with workers: each then opens its own share of the templates at the same
        time.
        """
        options, count = self.options, len(self.jobs)
        apart = options.workers > 1 and options.executor is None and not self.shelf
        several = len({job.kind for job in self.jobs}) > 1
        return not (apart and several and dispatch.PAYS_APART <= count < _OPEN_APART)

    def chunks(self) -> Iterator[Chunk]:
        if not self.opens_first:
            for number, jobs in enumerate(split_evenly(self.todo, self.options.workers), 1):
                yield Chunk(number, "", tuple(jobs))
            return
        size = max(8, min(_CHUNK, len(self.todo) // (4 * max(self.options.workers, 1))))
        for number, start in enumerate(range(0, len(self.todo), size), 1):
            yield Chunk(number, "", tuple(self.todo[start : start + size]))

    def complete(self) -> None:
        for failure in self.ledger.failed:  # a worker may have died while it wrote
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.stage, failure.job.path))
        placed: dict[str, list[str]] = defaultdict(list)
        for path, found in self.kept.items():
            if found.placed:
                placed[found.record.package].append(path)
        for package in self.touched:
            for path in (*self.carried[package], *self.staying.get(package, ()), *placed[package]):
                source = os.path.join(self.folder, path)
                if os.path.lexists(source):
                    carry(path, source, self.stage)

    def move_packages(self) -> None:
        known = {record.path for record in (self.old.files if self.old else ())} | set(self.ledger.records)
        for package in self.touched:
            self._move_package(package, known.union(self.carried[package]))
        if self.old is not None and self.old.zip and not self.options.zip:
            for record in self.old.packages:
                if os.path.lexists(os.path.join(self.folder, record.path)):
                    self.put_aside(record.path)

    def _move_package(self, package: str, known: Collection[str]) -> None:
        staged, final = os.path.join(self.stage, package), os.path.join(self.folder, package)
        if not os.path.lexists(staged):
            if os.path.lexists(final):  # nothing is left of the package
                rescue(self.put_aside(package), package, known, self.folder)
            return
        aside = os.path.join(self.workspace.aside, package)
        swap_in(staged, final, aside)
        for old in (staged, aside):
            rescue(old, package, known, self.folder)


def split_evenly(jobs: Sequence[Job], parts: int) -> list[list[Job]]:
    """Return the jobs in at most so many parts of about the same work, each with as few templates as may be."""
    order = {kind: number for number, kind in enumerate(_COSTS)}
    found = sorted(jobs, key=lambda job: (order.get(job.kind, len(order)), job.kind, job.document))
    low, high = 0.0, sum(_cost(job, ()) for job in jobs)
    while high - low > 1:
        share = (low + high) / 2
        low, high = (low, share) if len(_cut(found, share)) <= parts else (share, high)
    return _cut(found, high)


def _cut(jobs: Iterable[Job], share: float) -> list[list[Job]]:
    """Return the jobs cut into parts that take no longer than a share, or are one job."""
    parts: list[list[Job]] = []
    load, known = math.inf, set[str]()
    for job in jobs:
        cost = _cost(job, known)
        if load + cost > share:
            load, known = 0.0, set()
            cost = _cost(job, known)
            parts.append([])
        load += cost
        known |= {job.kind, f"{job.document}.{job.kind}"}
        parts[-1].append(job)
    return parts


def _cost(job: Job, known: Collection[str]) -> float:
    """Return what a document takes where these kinds and templates are known."""
    kind, template, document = _COSTS.get(job.kind, _COSTS["docx"])
    return document + (0 if job.kind in known else kind) + (0 if f"{job.document}.{job.kind}" in known else template)


def list_files(folder: str, prefix: str, depth: int = 0) -> Iterator[str]:
    """Give every file and link below a folder as `prefix/…` with `/`, in order; links are not followed.

    Raises OSError, also for folders nested deeper than anybody's are.
    """
    if depth > _MAX_DEPTH:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), folder)
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from list_files(entry.path, path, depth + 1)
        else:
            yield path


def find_carried(
    out: str, package: str, *, replaced: Collection[str], removed: Collection[str], shelf: Shelf
) -> tuple[list[str], list[Issue]]:
    """Return the files of a package that nobody planned, which go along into its new folder, and what is in the way.

    In the way is a file that somebody changed, or did not get from us, where a new one is to go or an old one to be
    removed.
    """
    root = os.path.join(out, package)
    if not os.path.lexists(root):
        return [], []
    if not is_folder(root):
        return [], [faults.foreign(package)]
    # Links and files that stand where a planned file's folder or name (in another case) is to be are in the way as
    # well.
    taken = {fold_name(step) for path in replaced for step in _steps(path)}
    planned = {fold_name(path) for path in replaced}
    carried, issues = [], []
    for path in list_files(root, package):
        if path in replaced or path in removed:
            if not shelf.is_ours(path):
                issues.append(faults.edited(path) if shelf.is_recorded(path) else faults.foreign(path))
        elif fold_name(path) in taken or any(fold_name(step) in planned for step in _steps(path)):
            issues.append(faults.foreign(path))
        else:
            carried.append(path)
    return carried, issues


def _steps(path: str) -> Iterator[str]:
    parts = path.split("/")
    for length in range(2, len(parts) + 1):
        yield "/".join(parts[:length])


def carry(path: str, source: str, stage: str) -> None:
    """Give a file a second name in the stage: a link to the same bytes, or a copy where the disk has no links.

    Raises OSError.
    """
    target = os.path.join(stage, path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.lexists(target):
        return
    if os.path.islink(source):
        os.symlink(os.readlink(source), target)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(source, target, follow_symlinks=False)


def rescue(old: str, package: str, known: Collection[str], out: str) -> None:
    """Move files that came into the old folder at the last moment over into the new one, so that none is lost.

    But for those in a folder whose name a new file has: somebody said that it may be replaced.
    """
    if not is_folder(old):
        return
    for path in list_files(old, package):
        target = os.path.join(out, path)
        if path not in known and not os.path.lexists(target):
            with contextlib.suppress(FileExistsError, NotADirectoryError):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                os.rename(os.path.join(old, path.removeprefix(f"{package}/")), target)
