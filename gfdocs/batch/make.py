"""Making documents: one job, a chunk of jobs, and where the bytes go.

This is what runs in worker processes and on clusters.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gfdocs.batch import faults
from gfdocs.batch.digest import ContentDigest, ContextDigest, sha256
from gfdocs.batch.jobs import Job
from gfdocs.batch.manifest import FileRecord, PackageRecord
from gfdocs.batch.source import Source, TargetLike, TemplateLike
from gfdocs.batch.zips import ZipDate, ZipWriter
from gfdocs.errors import GfdocsError, Issue, NameMissing

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one job: a record, or issues. `seconds` is None without a clock."""

    job: Job
    record: FileRecord | None
    issues: tuple[Issue, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """Jobs that are made together.

    With `zipped`, all jobs of one package; `kept` has the bytes of those that need no making.
    """

    number: int
    package: str
    jobs: tuple[Job, ...]
    zipped: bool = False
    kept: Mapping[str, tuple[FileRecord, bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a chunk. `payload` has paths and bytes where the sink could not write them itself."""

    chunk: int
    outcomes: tuple[Outcome, ...]
    package: PackageRecord | None = None
    payload: tuple[tuple[str, bytes], ...] = ()


class Sink(Protocol):
    """Where bytes go: a folder, a store, or back to the caller."""

    def put(self, path: str, data: bytes) -> None:
        """Write one new file. Raises OutputError."""

    def take(self) -> tuple[tuple[str, bytes], ...]:
        """Return, once, what could not be written here."""


class FolderSink:
    """Writes new files below a folder; never over a file that is there, never through a link.

    The folder itself is not made anew where it is gone: a worker that outlived its run may still be at its last chunk.
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def put(self, path: str, data: bytes) -> None:
        write_new(os.path.join(self.root, path), data, self.root)

    def take(self) -> tuple[tuple[str, bytes], ...]:
        return ()


class MemorySink:
    """Keeps the bytes, so that they travel back with the result."""

    def __init__(self) -> None:
        self.files: list[tuple[str, bytes]] = []

    def put(self, path: str, data: bytes) -> None:
        self.files.append((path, data))

    def take(self) -> tuple[tuple[str, bytes], ...]:
        taken, self.files = tuple(self.files), []
        return taken


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def write_new(path: str, data: bytes | Iterable[bytes], root: str = "") -> None:
    """Write a file in a stage, its folders made as needed. Raises OutputError; a half-written file is removed.

    What a worker that died left under that name is removed, never written into.
    """
    try:
        handle = _open_new(path, root)
        try:
            for block in (data,) if isinstance(data, bytes) else data:
                view = memoryview(block)
                while view:
                    view = view[os.write(handle, view) :]
        except OSError:
            os.unlink(path)
            raise
        finally:
            os.close(handle)
    except OSError as error:
        raise faults.unwritable(path, error) from error


def _open_new(path: str, root: str) -> int:
    try:
        return os.open(path, _NEW, 0o666)
    except FileNotFoundError:
        if root and not os.path.isdir(root):
            raise
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except FileExistsError:
        os.unlink(path)
    return os.open(path, _NEW, 0o666)


class Inputs(Protocol):
    """Gives a job its template and its data."""

    def get(self, job: Job) -> tuple[TemplateLike, Mapping[str, Any]]: ...


class SourceInputs:
    """Inputs from the project itself, in this process or one forked from it. `targets` are those of the plan."""

    def __init__(self, source: Source, targets: Mapping[str, Sequence[TargetLike]]) -> None:
        self.source = source
        self._targets = targets
        self._specs = {spec.id: spec for spec in source.documents}
        self._faults: dict[tuple[str, str], GfdocsError] = {}

    def get(self, job: Job) -> tuple[TemplateLike, Mapping[str, Any]]:
        target = self._targets[job.document][job.target]
        template = self._get_template(job.document, job.kind)
        return template, self.source.context_of(self._specs[job.document], target)

    def _get_template(self, document: str, kind: str) -> TemplateLike:
        """Return the template; one that can't be opened is tried once, not for each of its documents."""
        fault = self._faults.get((document, kind))
        if fault is not None:
            raise fault
        try:
            return self.source.template(document, kind)
        except GfdocsError as error:
            self._faults[document, kind] = error
            raise


class Maker:
    """Makes documents and knows the digest of what goes into each."""

    def __init__(self, inputs: Inputs, version: str, clock: Clock | None = None, date: ZipDate | None = None) -> None:
        self.inputs = inputs
        self.version = version
        self.clock = clock
        self.date = date
        self._contexts = ContextDigest()
        self._contents = ContentDigest()
        self._roots: dict[str, frozenset[str]] = {}

    def __getstate__(self) -> dict[str, Any]:
        fresh = Maker(self.inputs, self.version, self.clock, self.date)
        return fresh.__dict__  # digests are worked out again where it arrives

    def get_input(self, job: Job) -> tuple[TemplateLike, dict[str, Any], str]:
        """Return template, context and digest of what goes into the document.

        The context holds exactly the names that the template asks for, so that the digest can't miss one that is used.
        """
        template, context = self.inputs.get(job)
        used = self.narrow(template, context)
        digest = sha256(f"{self.version}\n{template.digest}\n{job.kind}\n{self._contexts.of(used)}".encode())
        return template, used, digest

    def narrow(self, template: TemplateLike, context: Mapping[str, Any]) -> dict[str, Any]:
        """Return the part of a context that the template asks for."""
        roots = self._roots.get(template.digest)
        if roots is None:
            roots = self._roots[template.digest] = frozenset(_root(name) for name in template.names)
        return {name: value for name, value in context.items() if name in roots}

    def make(self, job: Job) -> tuple[Outcome, bytes]:
        """Return the outcome and the bytes of one document; bytes are empty where it could not be made."""
        started = self.clock() if self.clock else 0.0
        try:
            template, context, source = self.get_input(job)
            try:
                document = template.render(context)
            except NameMissing:
                if not self._widen(job, len(context)):
                    raise
                template, context, source = self.get_input(job)
                document = template.render(context)
            data = document.to_bytes()
            seconds = self.clock() - started if self.clock else None
            return Outcome(job, self._record(job, template, source, data), (), seconds), data
        except GfdocsError as error:
            return Outcome(job, None, error.issues), b""
        except Exception as error:
            return Outcome(job, None, (faults.broke(job, error),)), b""

    def _widen(self, job: Job, tried: int) -> bool:
        """Let the job's template see every name there is from now on: it asks for one in a way not seen beforehand.

        Return False where there are no more names than were tried.
        """
        template, context = self.inputs.get(job)
        self._roots[template.digest] = frozenset(context)
        return len(context) > tried

    def _record(self, job: Job, template: TemplateLike, source: str, data: bytes) -> FileRecord:
        digest = sha256(data)
        content = self._contents.of(data) or digest
        return make_record(job, template.digest, source, content, digest, len(data))


def make_record(job: Job, template: str, source: str, content: str, digest: str, size: int) -> FileRecord:
    """Return the record of a job's file."""
    return FileRecord(
        job.path, job.document, job.kind, job.district, job.company, job.credit_code,
        template, source, content, digest, size,
    )  # fmt: skip


def _root(name: str) -> str:
    return name.split(".", 1)[0].split("[", 1)[0]


def make_chunk(maker: Maker, sink: Sink, chunk: Chunk) -> Result:
    """Make the documents of a chunk and put them where they go. Raises OutputError where they can't be written."""
    return _make_zip(maker, sink, chunk) if chunk.zipped else _make_files(maker, sink, chunk)


def _make_files(maker: Maker, sink: Sink, chunk: Chunk) -> Result:
    outcomes = []
    for job in chunk.jobs:
        outcome, data = maker.make(job)
        if outcome.record is not None:
            sink.put(job.path, data)
        outcomes.append(outcome)
    return Result(chunk.number, tuple(outcomes), payload=sink.take())


def _make_zip(maker: Maker, sink: Sink, chunk: Chunk) -> Result:
    writer = ZipWriter(maker.date)
    outcomes = []
    for job in chunk.jobs:
        kept = chunk.kept.get(job.path)
        outcome, data = (Outcome(job, kept[0]), kept[1]) if kept is not None else maker.make(job)
        if outcome.record is not None:
            writer.add(job.path, data)
        outcomes.append(outcome)
    files = sum(outcome.record is not None for outcome in outcomes)
    path = f"{chunk.package}.zip"
    if not files:
        return Result(chunk.number, tuple(outcomes))
    data = writer.finish()
    sink.put(path, data)
    record = PackageRecord(chunk.package, path, files, sha256(data), len(data))
    return Result(chunk.number, tuple(outcomes), record, sink.take())
