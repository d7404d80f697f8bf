"""Worker processes of this machine, forked where the system can: they inherit the data and the compiled templates.

Not concurrent.futures.ProcessPoolExecutor: its workers outlive a parent that was killed, and would keep the lock of
the output folder.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gfdocs.batch import faults
from gfdocs.batch.make import Chunk, Maker, Outcome, Result, Sink, make_chunk, make_record
from gfdocs.batch.manifest import PackageRecord

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import BaseContext
    from multiprocessing.process import BaseProcess

ATTEMPTS = 3


class Pool:
    """A few processes that make chunks. `handles` are open files of this process that a forked worker must let go.

    A worker holds one chunk at a time: nobody sends while the other side does, so the two never wait for each other.
    """

    def __init__(self, workers: int, maker: Maker, sink: Sink, handles: tuple[int, ...] = ()) -> None:
        self._maker, self._sink, self._handles = maker, sink, handles
        self._context = _get_context()
        self._workers: dict[Connection[Any, Any], tuple[BaseProcess, Chunk | None]] = {}
        for _ in range(workers):
            self._add_worker()

    def _add_worker(self) -> None:
        ours, theirs = self._context.Pipe()
        # A fork has the parent's ends too; while it holds them, no worker would see the parent die.
        others = [*self._workers, ours]
        forked = self._context.get_start_method() == "fork"
        arguments = (theirs, self._maker, self._sink, others if forked else [], self._handles if forked else ())
        process = self._context.Process(target=_serve, args=arguments, daemon=True)  # type: ignore[attr-defined]
        process.start()
        theirs.close()
        self._workers[ours] = (process, None)

    def run(self, chunks: Iterator[Chunk]) -> Iterator[Result]:
        """Give the results as they come.

        A chunk whose worker died is made again by another, then job by job, then given up.
        """
        from multiprocessing.connection import wait

        waiting: deque[Chunk] = deque()
        attempts: dict[int, int] = {}
        self._feed(waiting, chunks)
        while busy := [connection for connection, (_, chunk) in self._workers.items() if chunk is not None]:
            for ready in wait(busy):
                connection: Any = ready
                process, chunk = self._workers[connection]
                try:
                    answer = connection.recv()
                except (EOFError, OSError):
                    yield from self._bury(connection, waiting, attempts)
                    continue
                if isinstance(answer, BaseException):
                    raise answer
                self._workers[connection] = (process, None)
                assert chunk is not None
                yield _unpack(answer, chunk)
            self._feed(waiting, chunks)

    def _feed(self, waiting: deque[Chunk], chunks: Iterator[Chunk]) -> None:
        for connection, (process, held) in self._workers.items():
            if held is not None:
                continue
            chunk = waiting.popleft() if waiting else next(chunks, None)
            if chunk is None:
                return
            self._workers[connection] = (process, chunk)
            with contextlib.suppress(OSError):  # it just died; the next wait sees that
                connection.send(chunk)

    def _bury(self, connection: Any, waiting: deque[Chunk], attempts: dict[int, int]) -> Iterator[Result]:
        """Put another worker in the place of one that died, and its chunk back."""
        process, chunk = self._workers.pop(connection)
        connection.close()
        process.join()
        if chunk is not None:
            attempts[chunk.number] = attempts.get(chunk.number, 0) + 1
            again, lost = retry(chunk, attempts[chunk.number])
            waiting.extend(again)
            if lost is not None:
                yield lost
        self._add_worker()

    def close(self) -> None:
        """End the workers: those at work are killed, the others leave by themselves."""
        for connection, (process, chunk) in self._workers.items():
            if chunk is not None:
                process.kill()
            connection.close()
        for process, _ in self._workers.values():
            process.join()
        self._workers.clear()


def retry(chunk: Chunk, attempts: int) -> tuple[list[Chunk], Result | None]:
    """Return what to try after a worker died over a chunk: the chunk again, at last its jobs one by one.

    Or the result that gives it up.
    """
    if attempts >= ATTEMPTS:
        outcomes = tuple(Outcome(job, None, (faults.worker_lost(job),)) for job in chunk.jobs)
        return [], Result(chunk.number, outcomes)
    if attempts == ATTEMPTS - 1 and len(chunk.jobs) > 1 and not chunk.zipped:
        # Numbers below zero are free: each job is a chunk of its own from now on, with attempts of its own.
        return [replace(chunk, number=-job.number, jobs=(job,)) for job in chunk.jobs], None
    return [chunk], None


_Packed = tuple[PackageRecord | None, tuple[tuple[str, bytes], ...], list[tuple[Any, ...]]]


def _pack(result: Result) -> _Packed:
    """Return a result without what the parent knows by its chunk, for each job in order: a country's are 30 MB."""
    rows = [
        (o.seconds, o.issues)
        if (r := o.record) is None
        else (o.seconds, r.template, r.source, r.content, r.sha256, r.size)
        for o in result.outcomes
    ]
    return result.package, result.payload, rows


def _unpack(packed: _Packed, chunk: Chunk) -> Result:
    package, payload, rows = packed
    outcomes = []
    for job, (seconds, *rest) in zip(chunk.jobs, rows, strict=True):
        if len(rest) == 1:
            outcomes.append(Outcome(job, None, rest[0], seconds))
        else:
            outcomes.append(Outcome(job, make_record(job, *rest), (), seconds))
    return Result(chunk.number, tuple(outcomes), package, payload)


def _get_context() -> BaseContext:
    import multiprocessing

    # macOS has fork, but its system libraries do not survive it.
    can_fork = sys.platform not in ("win32", "darwin") and "fork" in multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("fork" if can_fork else "spawn")


def _serve(connection: Any, maker: Maker, sink: Sink, others: list[Any], handles: tuple[int, ...]) -> None:
    """Make the chunks that come, until the parent closes its end or is gone."""
    import gc
    import signal

    gc.freeze()  # what was inherited stays shared: a collection would write to every page of it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    for other in others:
        other.close()
    for handle in handles:
        os.close(handle)
    with contextlib.suppress(EOFError, OSError):
        while True:
            chunk = connection.recv()
            try:
                answer: Any = _pack(make_chunk(maker, sink, chunk))
            except Exception as error:
                answer = error
            connection.send(answer)
