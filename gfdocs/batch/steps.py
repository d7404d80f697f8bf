"""What a run into a folder does step by step, whichever form its packages have."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from gfdocs.batch import dispatch, faults
from gfdocs.batch.index import make_index_blocks
from gfdocs.batch.jobs import Job, Plan
from gfdocs.batch.ledger import Ledger
from gfdocs.batch.make import Chunk, FolderSink, Maker, Result, SourceInputs, write_new
from gfdocs.batch.manifest import INDEX, MANIFEST, FileRecord, Manifest, find_manifest
from gfdocs.batch.names import WINDOWS_PATH, path_length
from gfdocs.batch.options import Options, get_version
from gfdocs.batch.shelf import Shelf, hash_file
from gfdocs.batch.source import Source
from gfdocs.batch.swap import is_folder, sync
from gfdocs.batch.workspace import Workspace
from gfdocs.batch.zips import zip_date
from gfdocs.errors import Issue, OutputError, OutputExists, TemplateError


class Run(ABC):
    """One run into a folder. The steps that depend on the form of packages are the subclass's."""

    def __init__(
        self, project: Source, folder: str, shown: str, whole: Plan, jobs: Sequence[Job],
        issues: Iterable[Issue], options: Options, workspace: Workspace,
    ) -> None:  # fmt: skip
        self.folder, self.shown, self.planned, self.jobs = folder, shown, whole.jobs, jobs
        self.options, self.workspace, self.stage = options, workspace, workspace.stage
        self.ledger = Ledger(project, shown, whole.jobs, jobs, (*issues, *_find_long_paths(folder, jobs)), options)
        self.maker = Maker(SourceInputs(project, whole.targets), get_version(), options.clock, zip_date(options.date))
        _check_encoding(jobs)
        self.old = self._find_old()
        self.shelf = Shelf(folder, self.old, workspace)
        self.asked = frozenset(job.path for job in jobs)
        self.staying = self._find_staying()
        self.removed = self._find_removed()
        self.is_moving = False

    def run(self) -> Manifest:
        """Do all steps; raises as `batch` says, with the output folder as it was."""
        conflicts = self.plan(self.ledger.open_templates() if self.opens_first else list(self.jobs))
        conflicts += self._find_taken_papers()
        if conflicts and not self.options.replace:
            raise OutputExists([faults.at_output(issue, self.shown) for issue in conflicts])
        self.take_over()
        self.workspace.remove_old_stages()
        self._make()
        if self.ledger.failed and self.options.strict:
            raise TemplateError(self.ledger.issues)
        if self.ledger.has_nothing:
            return self._leave_as_is()
        self.complete()
        self.ledger.removed = sum(len(paths) for paths in self.removed.values())
        manifest = self.ledger.make_manifest()
        manifest = self._write_papers(manifest)
        self._move_in()
        return replace(manifest, report=self.ledger.make_report())

    @property
    def opens_first(self) -> bool:
        """True where all templates are opened before anything is made, so that workers inherit them."""
        return True

    # -- the steps of the form --

    @abstractmethod
    def plan(self, usable: Sequence[Job]) -> list[Issue]:
        """Decide what is made, what is kept and which packages change; return what is in the way.

        Changes nothing on disk.
        """

    @abstractmethod
    def take_over(self) -> None:
        """Move what is kept from an interrupted run's stage into this one's."""

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """Give the work in chunks."""

    @abstractmethod
    def count(self) -> int:
        """Return how many documents are to be made."""

    @abstractmethod
    def complete(self) -> None:
        """Bring into the stage what stays as it is, so that each package there is whole."""

    @abstractmethod
    def move_packages(self) -> None:
        """Move each package from the stage into place."""

    # -- the steps that are the same --

    def _find_old(self) -> Manifest | None:
        try:
            old = find_manifest(self.folder)
        except OutputError:
            if not self.options.replace:
                raise
            return None
        if old is not None and self.ledger.is_partial and old.zip != self.options.zip:
            raise faults.mixed(self.shown, zipped=old.zip)
        return old

    def _find_taken_papers(self) -> list[Issue]:
        """Return what stands where the page and the manifest go and is not ours, or was changed."""
        found = [faults.foreign(MANIFEST)] if os.path.isdir(os.path.join(self.folder, MANIFEST)) else []
        page = os.path.join(self.folder, INDEX)
        # An interrupted run may have exchanged the manifest and not yet the page.
        if os.path.islink(page) or not os.path.lexists(page) or (self.workspace.old_stages and os.path.isfile(page)):
            return found
        if self.old is None:
            return [*found, faults.foreign(INDEX)]
        changed = bool(self.old.index) and hash_file(page) != self.old.index
        return [*found, faults.edited(INDEX)] if changed else found

    def _find_staying(self) -> dict[str, dict[str, FileRecord]]:
        """Return, by package, the records of files that this run was not asked about and leaves as they are."""
        found: dict[str, dict[str, FileRecord]] = defaultdict(dict)
        if self.old is not None and self.ledger.is_partial:
            for record in self.old.files:
                if record.path not in self.asked:
                    found[record.package][record.path] = record
        return found

    def _find_removed(self) -> dict[str, set[str]]:
        """Return, by package, the files of an earlier run that the plan no longer has.

        A part of a batch removes nothing.
        """
        found: dict[str, set[str]] = defaultdict(set)
        if self.old is not None and not self.ledger.is_partial:
            same_form = self.old.zip == self.options.zip
            for record in self.old.files:
                if not same_form or record.path not in self.asked:
                    found[record.package].add(record.path)
        return found

    def get_sources(self, jobs: Iterable[Job]) -> dict[str, str]:
        """Return by path the digest of what goes into each job.

        One whose data can't be had has none, and fails when it is made.
        """
        sources = {}
        for job in jobs:
            try:
                sources[job.path] = self.maker.get_input(job)[2]
            except Exception:  # noqa: S112 - it is reported, with its place, where the document is made
                continue
        return sources

    def _make(self) -> None:
        results = dispatch.run_chunks(
            self.chunks(),
            self.count(),
            self.maker,
            FolderSink(self.stage),
            self.options,
            handles=self.workspace.handles,
            least=dispatch.PAYS if self.opens_first else dispatch.PAYS_APART,
        )
        with closing(results):  # workers end before the stage is removed, whatever happens here
            for result in results:
                self._note(result)

    def _note(self, result: Result) -> None:
        for path, data in result.payload:
            write_new(os.path.join(self.stage, path), data)
        for outcome in result.outcomes:
            if outcome.job.path in self.asked:
                self.ledger.add_outcome(outcome)
        if result.package is not None:
            self.ledger.zips[result.package.name] = result.package
        self.workspace.note((o.record for o in result.outcomes if o.record is not None), result.package)

    def _leave_as_is(self) -> Manifest:
        """Return the manifest of a run of which nothing came out: the folder stays what it was."""
        self.ledger.records = {record.path: record for record in self.old.files} if self.old else {}
        self.ledger.zips = {package.name: package for package in self.old.packages} if self.old else {}
        return self.ledger.make_manifest()

    def _write_papers(self, manifest: Manifest) -> Manifest:
        """Write index.html and manifest.json; return the manifest, which knows the digest of the page."""
        digest = hashlib.sha256()

        def hashed(blocks: Iterable[bytes]) -> Iterator[bytes]:
            for block in blocks:
                digest.update(block)
                yield block

        write_new(os.path.join(self.stage, INDEX), hashed(make_index_blocks(manifest)))
        manifest = replace(manifest, index=digest.hexdigest())
        write_new(os.path.join(self.stage, MANIFEST), manifest.to_json_blocks())
        return manifest

    def _move_in(self) -> None:
        """Move packages, then the manifest, into place.

        What is moved is on the disk by then, and nothing is left but renames.
        """
        if self.options.durable:
            sync(self.workspace.root)
        self.is_moving = True
        self.move_packages()
        for name in (MANIFEST, INDEX):
            if is_folder(os.path.join(self.folder, name)):
                self.put_aside(name)
            os.replace(os.path.join(self.stage, name), os.path.join(self.folder, name))
        if self.options.durable:
            sync(self.folder)

    def put_aside(self, name: str) -> str:
        """Move something out of the output folder to where it is removed at the end; return where it is then."""
        aside = os.path.join(self.workspace.aside, name)
        os.makedirs(self.workspace.aside, exist_ok=True)
        os.rename(os.path.join(self.folder, name), aside)
        return aside


def _check_encoding(jobs: Sequence[Job]) -> None:
    """Raise OutputError where this system has no way to write a file's name, as under an ASCII locale without UTF-8
    mode.
    """
    try:
        os.fsencode("".join(job.path for job in jobs))
    except UnicodeEncodeError as error:
        raise faults.no_encoding(error.object[error.start : error.end][:20], error.encoding) from error


def _find_long_paths(folder: str, jobs: Sequence[Job]) -> Iterator[Issue]:
    """Give an issue for the longest path where it is more than many Windows programs take."""
    longest = max((job.path for job in jobs), key=path_length, default="")
    length = path_length(folder) + 1 + path_length(longest)
    if length > WINDOWS_PATH:
        yield faults.too_long(longest, length)
