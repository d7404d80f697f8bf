"""Any `concurrent.futures.Executor`, and a Dask cluster through its own: chunks travel with their contexts and
templates.
"""

from __future__ import annotations

import contextlib
import pickle
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass
from typing import Any

from gfdocs.batch import faults
from gfdocs.batch.digest import sha256
from gfdocs.batch.jobs import Job
from gfdocs.batch.make import Chunk, Maker, MemorySink, Result, Sink, make_chunk
from gfdocs.batch.pool import retry
from gfdocs.batch.source import TemplateLike
from gfdocs.errors import GfdocsError

_TEMPLATES: OrderedDict[str, TemplateLike] = OrderedDict()  # of this process; compiled once, used for all its chunks
_KEEP = 64
CONNECT_SECONDS = 10


class ShippedTemplate:
    """A template that travels as bytes and is compiled once in each process that it comes to."""

    def __init__(self, template: TemplateLike) -> None:
        self.template = template
        self._blob = b""

    def __getstate__(self) -> bytes:
        if not self._blob:
            self._blob = pickle.dumps(self.template)
        return self._blob

    def __setstate__(self, blob: bytes) -> None:
        self._blob, digest = blob, sha256(blob)
        found = _TEMPLATES.get(digest)
        if found is None:
            found = _TEMPLATES[digest] = pickle.loads(blob)  # noqa: S301 - the executor sent it
            while len(_TEMPLATES) > _KEEP:
                _TEMPLATES.popitem(last=False)
        self.template = found


@dataclass(frozen=True, slots=True)
class ShippedInputs:
    """Template and context of each job of a chunk, by the job's path."""

    items: Mapping[str, tuple[ShippedTemplate, Mapping[str, Any]] | Exception]

    def get(self, job: Job) -> tuple[TemplateLike, Mapping[str, Any]]:
        item = self.items[job.path]
        if isinstance(item, Exception):
            raise item
        template, context = item
        return template.template, context


def make_shipped(maker: Maker, sink: Sink, chunk: Chunk) -> Result:
    """Make a chunk wherever this runs."""
    return make_chunk(maker, sink, chunk)


class ExecutorPool:
    """Runs chunks on an executor, a window of them at a time, so that memory stays flat however many there are."""

    def __init__(self, executor: Executor, maker: Maker, *, sink: Sink | None = None, window: int = 0) -> None:
        self._executor, self._maker, self._sink = executor, maker, sink
        self._shipped: dict[str, ShippedTemplate] = {}
        self._window = window or 4 * (getattr(executor, "_max_workers", None) or 4)

    def run(self, chunks: Iterator[Chunk]) -> Iterator[Result]:
        """Give the results as they come. A chunk whose future failed is tried again, then job by job, then given up.

        A GfdocsError (a full disk) is raised at once.
        """
        flying: dict[Future[Result], Chunk] = {}
        waiting: deque[Chunk] = deque()
        attempts: dict[int, int] = {}
        try:
            self._feed(flying, waiting, chunks)
            while flying:
                done, _ = wait(flying, return_when=FIRST_COMPLETED)
                for future in done:
                    yield from self._read(future, flying.pop(future), waiting, attempts)
                self._feed(flying, waiting, chunks)
        finally:
            self._recall(flying)

    def _read(
        self, future: Future[Result], chunk: Chunk, waiting: deque[Chunk], attempts: dict[int, int]
    ) -> Iterator[Result]:
        """Give the result of a chunk that is done, or put it back among the waiting ones."""
        try:
            yield future.result()
        except GfdocsError:
            raise
        except Exception:
            attempts[chunk.number] = attempts.get(chunk.number, 0) + 1
            again, lost = retry(chunk, attempts[chunk.number])
            waiting.extend(again)
            if lost is not None:
                yield lost

    def _recall(self, flying: Iterable[Future[Result]]) -> None:
        """Take back what has not begun; where chunks write to a store themselves, wait for those that have."""
        running = [future for future in flying if not future.cancel()]
        if self._sink is not None:
            wait(running)

    def _feed(self, flying: dict[Future[Result], Chunk], waiting: deque[Chunk], chunks: Iterator[Chunk]) -> None:
        while len(flying) < self._window:
            chunk = waiting.popleft() if waiting else next(chunks, None)
            if chunk is None:
                return
            flying[self._submit(chunk)] = chunk

    def _submit(self, chunk: Chunk) -> Future[Result]:
        maker = Maker(
            ShippedInputs(self._get_inputs(chunk.jobs)), self._maker.version, self._maker.clock, self._maker.date
        )
        try:
            return self._executor.submit(make_shipped, maker, self._sink or MemorySink(), chunk)
        except Exception as error:
            raise faults.executor_gone(error) from error

    def _get_inputs(self, jobs: Iterable[Job]) -> dict[str, tuple[ShippedTemplate, Mapping[str, Any]] | Exception]:
        """Return the input of each job, or why there is none, for its worker to report."""
        items: dict[str, tuple[ShippedTemplate, Mapping[str, Any]] | Exception] = {}
        for job in jobs:
            try:
                template, context = self._maker.inputs.get(job)
            except Exception as error:
                items[job.path] = error
                continue
            shipped = self._shipped.get(template.digest)
            if shipped is None:
                shipped = self._shipped[template.digest] = ShippedTemplate(template)
            items[job.path] = (shipped, self._maker.narrow(template, context))
        return items

    def close(self) -> None:
        """The executor is its owner's; nothing of it is shut here."""


@contextlib.contextmanager
def open_dask(address: str, retries: int = 3) -> Iterator[tuple[Executor, int]]:
    """Give the executor of the Dask cluster at `dask://host:port` (`dask+tls://`), and how many threads it has.

    Raises OutputError where Dask isn't installed or the cluster doesn't answer. The cluster runs what it is sent:
    connect only to one you trust, over TLS or in a network of your own.
    """
    try:
        import distributed
    except ImportError as error:
        raise faults.no_extra("dask", "dask.distributed") from error
    try:
        address_there = address.replace("dask+tls://", "tls://", 1).replace("dask://", "tcp://", 1)
        client: Any = distributed.Client(address_there, set_as_default=False, timeout=CONNECT_SECONDS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise faults.no_cluster(address, error) from error
    try:
        yield client.get_executor(pure=False, retries=retries), max(sum(client.nthreads().values()), 1)
    finally:
        client.close()
