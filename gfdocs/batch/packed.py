"""Packages as zips: one file a district, kept or made anew as a whole, put into place by one rename."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence

from gfdocs.batch import faults
from gfdocs.batch.folders import find_carried
from gfdocs.batch.jobs import Job
from gfdocs.batch.make import Chunk
from gfdocs.batch.manifest import FileRecord
from gfdocs.batch.shelf import FoundZip
from gfdocs.batch.steps import Run
from gfdocs.batch.zips import read_zip
from gfdocs.errors import Issue


class ZipRun(Run):
    """A run whose packages are zips."""

    todo: dict[str, list[Job]]
    whole: dict[str, FoundZip]
    carried: dict[str, list[str]]

    def plan(self, usable: Sequence[Job]) -> list[Issue]:
        wanted: dict[str, list[Job]] = defaultdict(list)
        for job in usable:
            wanted[job.package].append(job)
        self.todo, self.whole = {}, {}
        broken = {failure.job.package for failure in self.ledger.failed}
        for package, jobs in wanted.items():
            found = None if package in broken else self._find_whole(package, jobs)
            if found is None:
                self.todo[package] = jobs
            else:
                self.whole[package] = found
        # A package of which every document fails is made of what stays in it, or goes.
        self.todo.update({package: [] for package in broken - set(wanted)})
        return self._find_conflicts() + self._plan_old_folders()

    def _find_whole(self, package: str, jobs: Sequence[Job]) -> FoundZip | None:
        """Return an earlier zip that holds just what this run would put into it."""
        sources: dict[str, str] | None = None
        staying = self.staying.get(package, {})
        for found in self.shelf.find_zips(package):
            sources = self.get_sources(jobs) if sources is None else sources
            have = {path: record.source for path, record in found.files.items() if path not in staying}
            same = have == sources and {path: found.files.get(path) for path in staying} == staying
            if same:
                return found
        return None

    @property
    def _gone(self) -> list[str]:
        """The packages of an earlier run that the plan no longer has."""
        if self.old is None or not self.old.zip:
            return []
        return [package for package in self.removed if package not in self.todo and package not in self.whole]

    def _find_conflicts(self) -> list[Issue]:
        paths = [f"{package}.zip" for package in (*self.todo, *self._gone)]
        there = [path for path in paths if os.path.lexists(os.path.join(self.folder, path))]
        strange = [path for path in there if not self.shelf.is_ours(path)]
        return [faults.edited(path) if self.shelf.is_recorded(path) else faults.foreign(path) for path in strange]

    def _plan_old_folders(self) -> list[Issue]:
        """Folders of an earlier run go when zips take their place; what was put into them by hand stays."""
        self.carried, issues = {}, []
        if self.old is not None and not self.old.zip:
            for package, paths in self.removed.items():
                carried, found = find_carried(self.folder, package, replaced=(), removed=paths, shelf=self.shelf)
                self.carried[package] = carried
                issues += found
        return issues

    def take_over(self) -> None:
        for package, found in self.whole.items():
            if not found.placed:
                os.rename(found.location, os.path.join(self.stage, found.record.path))
                self.workspace.note(found.files.values(), found.record)
            self.ledger.zips[package] = found.record
        for job in self.jobs:
            kept = self.whole.get(job.package)
            if kept is not None:
                self.ledger.add_kept(job, kept.files[job.path])
        self._take_staying()

    def _take_staying(self) -> None:
        for package, records in self.staying.items():
            if package not in self.todo:
                self.ledger.records.update(records)
                if package not in self.whole and self.old is not None:
                    self.ledger.zips.update({p.name: p for p in self.old.packages if p.name == package})

    def count(self) -> int:
        return sum(len(jobs) for jobs in self.todo.values())

    def chunks(self) -> Iterator[Chunk]:
        for number, (package, jobs) in enumerate(self.todo.items(), 1):
            kept = self._read_staying(package)
            wanted = {job.path for job in jobs} | set(kept)
            members = tuple(job for job in self.planned if job.path in wanted)
            if members:
                yield Chunk(number, package, members, True, kept)

    def _read_staying(self, package: str) -> dict[str, tuple[FileRecord, bytes]]:
        """Return the files of the old zip that go along into the new one, by path."""
        planned = {job.path for job in self.planned}
        staying = {path: record for path, record in self.staying.get(package, {}).items() if path in planned}
        for found in self.shelf.find_zips(package) if staying else ():
            with open(found.location, "rb") as file:
                files = read_zip(file.read())
            kept = {path: (record, files[path]) for path, record in staying.items() if found.files.get(path) == record}
            self.ledger.records.update({path: record for path, (record, _) in kept.items()})
            return kept
        return {}

    def complete(self) -> None:
        """Each zip is whole as it is made."""

    def move_packages(self) -> None:
        for path in (f"{package}.zip" for package in (*self.todo, *self.whole)):
            staged, final = os.path.join(self.stage, path), os.path.join(self.folder, path)
            if os.path.lexists(staged):
                if os.path.isdir(final) and not os.path.islink(final):
                    self.put_aside(path)
                os.replace(staged, final)
            elif path.removesuffix(".zip") in self.todo and os.path.lexists(final):
                self.put_aside(path)  # nothing is left of the package
        for package in self._gone:
            if os.path.lexists(os.path.join(self.folder, f"{package}.zip")):
                self.put_aside(f"{package}.zip")
        for package, carried in self.carried.items():
            self._remove_folder(package, carried)

    def _remove_folder(self, package: str, carried: Sequence[str]) -> None:
        """Remove the folder of an earlier run, all but what somebody put into it."""
        if not os.path.lexists(os.path.join(self.folder, package)):
            return
        aside = self.put_aside(package)
        for path in carried:
            target = os.path.join(self.folder, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.rename(os.path.join(aside, path.removeprefix(f"{package}/")), target)
