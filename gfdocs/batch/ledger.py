"""The ledger of a run: what each job came to, gathered as results arrive, and the manifest made of it in the end."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import groupby

from gfdocs.batch import faults
from gfdocs.batch.digest import sha256
from gfdocs.batch.jobs import Job
from gfdocs.batch.make import Outcome
from gfdocs.batch.manifest import Failure, FileRecord, Manifest, PackageRecord, Report, Timing
from gfdocs.batch.options import Options, get_version
from gfdocs.batch.records import make_records
from gfdocs.batch.source import Source
from gfdocs.errors import GfdocsError, Issue

_SLOWEST = 10


class Ledger:
    """Counts and records of one run, in whatever order its results come."""

    def __init__(
        self,
        project: Source,
        shown: str,
        planned: Sequence[Job],
        jobs: Sequence[Job],
        issues: Iterable[Issue],
        options: Options,
    ) -> None:
        self.project, self.shown, self.planned, self.jobs, self.options = project, shown, planned, jobs, options
        self.issues = list(issues)
        self.records: dict[str, FileRecord] = {}
        self.zips: dict[str, PackageRecord] = {}
        self.failed: list[Failure] = []
        self.made = 0
        self.kept = 0
        self.removed = 0
        self._done = 0
        self._slowest: list[tuple[float, str]] = []

    @property
    def is_partial(self) -> bool:
        """True where only a part of the batch was asked for."""
        return len(self.jobs) != len(self.planned)

    @property
    def has_nothing(self) -> bool:
        """True where documents failed and none came out."""
        return bool(self.failed) and not self.made and not self.kept

    def open_templates(self) -> list[Job]:
        """Open every template once, before workers inherit them.

        Return the jobs that can be made, the others fail here.
        """
        found: dict[tuple[str, str], tuple[Issue, ...]] = {}
        usable = []
        for job in self.jobs:
            key = (job.document, job.kind)
            if key not in found:
                found[key] = self._open_template(job)
            if found[key]:
                self._add_failure(Outcome(job, None, found[key]))
            else:
                usable.append(job)
        return usable

    def _open_template(self, job: Job) -> tuple[Issue, ...]:
        try:
            self.project.template(job.document, job.kind)
        except GfdocsError as error:
            return error.issues
        return ()

    def add_kept(self, job: Job, record: FileRecord) -> None:
        """Note a document that an earlier run made and that is as it should be."""
        self.records[job.path] = record
        self.kept += 1
        self._show(job)

    def add_outcome(self, outcome: Outcome) -> None:
        """Note what became of a job that was made."""
        if outcome.record is None:
            self._add_failure(outcome)
            return
        self.records[outcome.job.path] = outcome.record
        self.made += 1
        if outcome.seconds is not None:
            push = heapq.heappush if len(self._slowest) < _SLOWEST else heapq.heappushpop
            push(self._slowest, (outcome.seconds, outcome.job.path))
        self._show(outcome.job)

    def _add_failure(self, outcome: Outcome) -> None:
        self.failed.append(Failure(outcome.job, outcome.issues))
        self.issues += [faults.not_made(outcome.job, issue) for issue in outcome.issues]
        self._show(outcome.job)

    def _show(self, job: Job) -> None:
        self._done += 1
        if self.options.progress:
            self.options.progress(self._done, len(self.jobs), job)

    def make_report(self) -> Report:
        """Return what the run did so far."""
        clock = self.options.clock
        return Report(
            planned=len(self.jobs), made=self.made, kept=self.kept, failed=len(self.failed), removed=self.removed,
            workers=self.options.workers, seconds=clock() - self.options.started if clock else None,
            slowest=tuple(Timing(path, seconds) for seconds, path in sorted(self._slowest, reverse=True)),
        )  # fmt: skip

    def make_manifest(self) -> Manifest:
        """Return the manifest of all that the output will hold: files in the order of the plan, then those it no
        longer has.
        """
        order = {job.path: job.number for job in self.planned}
        files = tuple(
            sorted(self.records.values(), key=lambda record: (order.get(record.path, len(order) + 1), record.path))
        )
        failed = tuple(sorted(self.failed, key=lambda failure: failure.job.number))
        return Manifest(
            self.shown, files, self._packages(files), tuple(self.jobs), tuple(self.issues), failed, self.make_report(),
            _digest_sources(files), get_version(), self.options.zip, make_records(self.project),
        )  # fmt: skip

    def _packages(self, files: Sequence[FileRecord]) -> tuple[PackageRecord, ...]:
        counts: dict[str, int] = {}
        for package, records in groupby(files, key=lambda record: record.package):
            counts[package] = counts.get(package, 0) + sum(1 for _ in records)
        if self.options.zip:
            return tuple(self.zips[package] for package in counts if package in self.zips)
        return tuple(PackageRecord(package, package, count) for package, count in counts.items())


def _digest_sources(files: Sequence[FileRecord]) -> str:
    """Return one digest of all that went into the files: equal where data, templates and version were."""
    return sha256("\n".join(f"{record.path} {record.source}" for record in files).encode("utf-8", "surrogatepass"))
