"""Output to an object store, by any fsspec URL: `s3://bucket/round`, `memory://round`.

A store has no folders to exchange, but each object appears whole or not at all: so a zipped package does, and
manifest.json, which is written last, names what belongs together. `.gfdocs-begun-…` names, while a run goes on, what
it may have put already: where one was interrupted the next knows those objects for ours, and makes them again. One run
at a time: `lease` keeps them apart.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from gfdocs.batch import faults
from gfdocs.batch.digest import sha256
from gfdocs.batch.dispatch import run_chunks
from gfdocs.batch.folders import list_files
from gfdocs.batch.index import make_index
from gfdocs.batch.jobs import Job, Plan
from gfdocs.batch.lease import Lease
from gfdocs.batch.ledger import Ledger
from gfdocs.batch.make import Chunk, FolderSink, Maker, MemorySink, Result, Sink, SourceInputs
from gfdocs.batch.manifest import INDEX, MANIFEST, FileRecord, Manifest, PackageRecord, is_inside, parse_manifest
from gfdocs.batch.options import Options, get_version
from gfdocs.batch.source import Source
from gfdocs.batch.zips import zip_date
from gfdocs.errors import GfdocsError, Issue, OutputError, OutputExists, TemplateError

BEGUN = ".gfdocs-begun-"
_CHUNK = 64


class StoreSink:
    """Puts objects into a store; opened anew in each process it comes to."""

    def __init__(self, url: str, storage: dict[str, object]) -> None:
        self.url, self.storage = url, storage
        self._store: Any = None
        self._root = ""
        self._process = 0

    def __getstate__(self) -> dict[str, Any]:
        return StoreSink(self.url, self.storage).__dict__

    @property
    def store(self) -> Any:
        """The fsspec file system. Raises OutputError where it can't be had."""
        if self._store is None or self._process != os.getpid():  # connections do not live through a fork
            try:
                from fsspec.core import url_to_fs
            except ImportError as error:
                raise faults.no_extra("cloud", "fsspec") from error
            try:
                self._store, root = url_to_fs(self.url, **self.storage)
            except (ImportError, ValueError, OSError) as error:
                raise faults.no_store(self.url, error) from error
            self._root, self._process = str(root).rstrip("/"), os.getpid()
        return self._store

    def locate(self, path: str) -> str:
        """Return the full key of a path below the URL."""
        self.store  # noqa: B018 - finds the root
        return f"{self._root}/{path}"

    def put(self, path: str, data: bytes) -> None:
        key = self.locate(path)
        with _translated(f"{self.url}/{path}"):
            try:
                self.store.pipe_file(key, data)
            except FileNotFoundError:  # a store with real folders, such as sftp
                self.store.makedirs(key.rsplit("/", 1)[0], exist_ok=True)
                self.store.pipe_file(key, data)

    def take(self) -> tuple[tuple[str, bytes], ...]:
        return ()

    def find(self, path: str) -> bytes | None:
        """Return an object, or None where there is none."""
        with _translated(f"{self.url}/{path}"):
            try:
                return bytes(self.store.cat_file(self.locate(path)))
            except FileNotFoundError:
                return None

    def list_sizes(self) -> dict[str, int]:
        """Return the size of each object below the URL by its path."""
        with _translated(self.url):
            try:
                self.store.invalidate_cache()
                found = self.store.find(self.locate("").rstrip("/"), detail=True)
            except FileNotFoundError:
                return {}
        start = len(self._root.lstrip("/")) + 1
        return {key.lstrip("/")[start:]: int(info["size"] or 0) for key, info in found.items()}

    def list_names(self) -> set[str]:
        """Return the names of the objects right below the URL, as the store has them now."""
        with _translated(self.url):
            try:
                self.store.invalidate_cache()
                return {str(key).rsplit("/", 1)[-1] for key in self.store.ls(self.locate("").rstrip("/"), detail=False)}
            except FileNotFoundError:
                return set()

    def find_age(self, path: str, newer: str) -> float | None:
        """Return by how many seconds an object is older than another, by the store's own times; None where it has none."""
        with _translated(f"{self.url}/{path}"):
            try:
                gap = self.store.modified(self.locate(newer)) - self.store.modified(self.locate(path))
            except (FileNotFoundError, NotImplementedError):
                return None
        return gap.total_seconds() if isinstance(gap, timedelta) else float(gap)

    def remove(self, path: str) -> None:
        with _translated(f"{self.url}/{path}"):
            try:
                self.store.rm_file(self.locate(path))
            except FileNotFoundError:
                return


class _translated:  # noqa: N801 - reads as a word
    """Turns whatever a store raises into GF524; every library behind fsspec has errors of its own."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, GfdocsError):
            raise faults.no_store(self.place, error) from error


def run_in_store(
    project: Source, url: str, whole: Plan, jobs: Sequence[Job], issues: Iterable[Issue], options: Options
) -> Manifest:
    """Make the documents and put them into the store; raises as `batch` says, and where another run is at it."""
    lease = Lease(StoreSink(url.rstrip("/"), options.storage), options.clock)
    try:
        lease.take()
        return _StoreRun(project, url, whole, jobs, issues, options, lease).run()
    except OSError as error:  # of the folder where all is made first
        raise faults.unwritable(tempfile.gettempdir(), error) from error
    finally:
        lease.release()


class _StoreRun:
    def __init__(
        self,
        project: Source,
        url: str,
        whole: Plan,
        jobs: Sequence[Job],
        issues: Iterable[Issue],
        options: Options,
        lease: Lease,
    ) -> None:
        self.url, self.jobs, self.options, self.lease = url.rstrip("/"), jobs, options, lease
        self.sink = StoreSink(self.url, options.storage)
        self.ledger = Ledger(project, self.url, whole.jobs, jobs, issues, options)
        self.maker = Maker(SourceInputs(project, whole.targets), get_version(), options.clock, zip_date(options.date))
        self.old = self._find_old()
        self.begun = self._find_begun()
        self.sizes = self.sink.list_sizes()
        self.asked = frozenset(job.path for job in jobs)

    def _find_old(self) -> Manifest | None:
        data = self.sink.find(MANIFEST)
        if data is None:
            return None
        try:
            old = parse_manifest(data, self.url)
        except OutputError:
            if not self.options.replace:
                raise
            return None
        if self.ledger.is_partial and (old.zip or self.options.zip):
            raise faults.mixed(self.url, zipped=old.zip)
        return old

    def _find_begun(self) -> frozenset[str]:
        """Return what interrupted runs may have put: neither somebody else's, nor what the manifest says of it."""
        self._begun_before = sorted(name for name in self.sink.list_names() if name.startswith(BEGUN))
        return frozenset(path for name in self._begun_before for path in _read_begun(self.sink.find(name)))

    def run(self) -> Manifest:
        before = self.begun
        usable = self.ledger.open_templates()
        todo = self._keep_packages(usable) if self.options.zip else self._keep_files(usable)
        self._refuse(todo)
        if self.options.strict:
            self._make_all_first(todo)
        else:
            self._begin(todo)
            self._make(todo, MemorySink() if self._is_local else self.sink)
        if self.ledger.has_nothing:
            self._write_begun(before)
        else:
            self._finish()
        return replace(self.ledger.make_manifest(), report=self.ledger.make_report())

    @property
    def _is_local(self) -> bool:
        """True where the store is memory of this process, which can't be seen from another one."""
        return "memory" in _protocols(self.sink.store)

    def _begin(self, todo: Sequence[Job]) -> None:
        """Name what is going to be put, before the first of it is."""
        self._write_begun(self.begun | self._paths_of(todo) | {INDEX})

    def _write_begun(self, paths: frozenset[str]) -> None:
        """Write which objects are neither somebody's nor whole: in an object of this run's own, in place of earlier ones."""
        own = f"{BEGUN}{self.lease.token}"
        if paths:
            self.sink.put(own, json.dumps(sorted(paths)).encode())
        elif self.begun:
            self.sink.remove(own)
        for name in self._begun_before:
            self.sink.remove(name)
        self.begun, self._begun_before = paths, []

    def _renew(self, *, at_once: bool = False) -> None:
        try:
            self.lease.renew(at_once=at_once)
        except OutputError:
            with suppress(OutputError):  # what was put meanwhile may lie over the objects of who took over
                self._write_begun(self.begun)
            raise

    def _old_objects(self) -> dict[str, int]:
        """Return the size of each object that the old manifest names, by path."""
        if self.old is None:
            return {}
        if self.old.zip:
            return {package.path: package.size for package in self.old.packages}
        return {record.path: record.size for record in self.old.files}

    def _paths_of(self, jobs: Iterable[Job]) -> set[str]:
        """Return the objects that jobs become."""
        return {f"{job.package}.zip" for job in jobs} if self.options.zip else {job.path for job in jobs}

    def _is_there(self, record: FileRecord | PackageRecord) -> bool:
        return self.sizes.get(record.path) == record.size and record.path not in self.begun

    def _keep_files(self, usable: Sequence[Job]) -> list[Job]:
        """Note the files that need no making; return the jobs that are left."""
        old = {record.path: record for record in self.old.files} if self.old is not None and not self.old.zip else {}
        if self.ledger.is_partial:
            self.ledger.records.update({path: record for path, record in old.items() if path not in self.asked})
        todo = []
        for job in usable:
            record = old.get(job.path)
            if record is not None and self._is_there(record) and self._source(job) == record.source:
                self.ledger.add_kept(job, record)
            else:
                todo.append(job)
        return todo

    def _keep_packages(self, usable: Sequence[Job]) -> list[Job]:
        """Note the zips that need no making; return the jobs of the others."""
        old_files: dict[str, dict[str, FileRecord]] = defaultdict(dict)
        old_zips: dict[str, PackageRecord] = {}
        if self.old is not None and self.old.zip:
            for record in self.old.files:
                old_files[record.package][record.path] = record
            old_zips = {package.name: package for package in self.old.packages}
        broken = {failure.job.package for failure in self.ledger.failed}
        todo = []
        for package, jobs in _by_package(usable).items():
            sources = {path: record.source for path, record in old_files[package].items()}
            known = package in old_zips and package not in broken and self._is_there(old_zips[package])
            if known and sources == {job.path: self._source(job) for job in jobs}:
                self.ledger.zips[package] = old_zips[package]
                for job in jobs:
                    self.ledger.add_kept(job, old_files[package][job.path])
            else:
                todo.extend(jobs)
        return todo

    def _source(self, job: Job) -> str:
        """Return the digest of what goes into a job, or an empty text where it can't be had: making it will say why."""
        try:
            return self.maker.get_input(job)[2]
        except Exception:
            return ""

    def _refuse(self, todo: Sequence[Job]) -> None:
        """Refuse to replace or remove objects that are not ours, as far as their size tells."""
        paths, known = self._paths_of(todo), self._old_objects()
        if not self.ledger.is_partial:
            paths |= set(known) - self._paths_of(self.jobs)
        issues = [
            faults.foreign(path) if path not in known else faults.edited(path)
            for path in sorted(paths - self.begun)
            if path in self.sizes and self.sizes[path] != known.get(path)
        ]
        if INDEX in self.sizes and INDEX not in self.begun and not self.options.replace:
            issues += self._find_taken_page()
        if issues and not self.options.replace:
            raise OutputExists([faults.at_output(issue, self.url) for issue in issues])

    def _find_taken_page(self) -> list[Issue]:
        """Return that index.html is somebody else's, or was changed."""
        if self.old is None:
            return [faults.foreign(INDEX)]
        changed = bool(self.old.index) and sha256(self.sink.find(INDEX) or b"") != self.old.index
        return [faults.edited(INDEX)] if changed else []

    def _make_all_first(self, todo: Sequence[Job]) -> None:
        """Make everything into a folder of this machine, and put it into the store only where nothing failed."""
        with tempfile.TemporaryDirectory(prefix="gfdocs-batch-") as folder:
            self._make(todo, FolderSink(folder))
            if self.ledger.failed:
                raise TemplateError(self.ledger.issues)
            self._begin(todo)
            for path in list_files(folder, ""):
                with open(os.path.join(folder, path), "rb") as file:
                    self.sink.put(path, file.read())
                self._renew()

    def _make(self, todo: Sequence[Job], sink: Sink) -> None:
        remote = sink if sink is self.sink else None
        results = run_chunks(self._chunks(todo), len(todo), self.maker, sink, self.options, remote=remote)
        with closing(results):
            for result in results:
                self._note(result, self.sink if isinstance(sink, MemorySink) else sink)

    def _chunks(self, todo: Sequence[Job]) -> Iterator[Chunk]:
        if self.options.zip:
            for number, (package, jobs) in enumerate(_by_package(todo).items(), 1):
                yield Chunk(number, package, tuple(jobs), True)
        else:
            for number, start in enumerate(range(0, len(todo), _CHUNK), 1):
                yield Chunk(number, "", tuple(todo[start : start + _CHUNK]))

    def _note(self, result: Result, sink: Sink) -> None:
        for path, data in result.payload:
            sink.put(path, data)
        for outcome in result.outcomes:
            self.ledger.add_outcome(outcome)
        if result.package is not None:
            self.ledger.zips[result.package.name] = result.package
        self._renew()

    def _finish(self) -> None:
        """Write the manifest over the old one, then remove the objects that it no longer names."""
        manifest = self.ledger.make_manifest()
        named = {INDEX, *(entry.path for entry in (manifest.packages if manifest.zip else manifest.files))}
        gone = sorted(set(self._old_objects()) - named)
        page = make_index(manifest)
        self._renew(at_once=True)
        self.sink.put(INDEX, page)
        self.sink.put(MANIFEST, replace(manifest, index=sha256(page)).to_json())
        for path in gone:
            self.sink.remove(path)
        self.ledger.removed = len(gone)
        self._forget(named)

    def _forget(self, named: set[str]) -> None:
        """Remove the list of what was begun, and what the manifest does not name of it; a part of a batch leaves the rest."""
        left = self.begun - named
        if not self.ledger.is_partial:
            for path in sorted(left & set(self.sizes)):
                self.sink.remove(path)
            left = frozenset()
        self._write_begun(left)


def _read_begun(data: bytes | None) -> list[str]:
    """Return the paths of such an object; anybody may have written it."""
    with suppress(ValueError, RecursionError):
        found = json.loads(data or b"[]")
        if isinstance(found, list):
            return [path for path in found if isinstance(path, str) and is_inside(path)]
    return []


def _by_package(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    found: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        found[job.package].append(job)
    return found


def _protocols(store: Any) -> tuple[str, ...]:
    return (store.protocol,) if isinstance(store.protocol, str) else tuple(store.protocol)
