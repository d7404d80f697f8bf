"""Who makes the chunks: this process, a few workers, an executor, or a cluster."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from gfdocs.batch import faults
from gfdocs.batch.make import Chunk, Maker, Result, Sink, make_chunk
from gfdocs.batch.options import Options

PAYS = 150  # documents; below that, starting workers takes longer than they save
PAYS_APART = 40  # the same where each worker opens its own share of the templates, which takes longer than rendering


def run_chunks(
    chunks: Iterator[Chunk],
    count: int,
    maker: Maker,
    sink: Sink,
    options: Options,
    *,
    handles: tuple[int, ...] = (),
    remote: Sink | None = None,
    least: int = PAYS,
) -> Generator[Result, None, None]:
    """Give the result of each chunk, in whatever order they are ready.

    `remote` is a sink that works from any machine; without one, what an executor makes comes back with its result.
    Workers are started for `least` documents or more.
    """
    if isinstance(options.executor, str):
        yield from _run_on_cluster(chunks, maker, options.executor, remote)
    elif options.executor is not None:
        from gfdocs.batch.executors import ExecutorPool

        yield from ExecutorPool(options.executor, maker, sink=remote).run(chunks)
    elif options.workers > 1 and count >= least:
        yield from _run_in_workers(chunks, maker, sink, options.workers, handles)
    else:
        for chunk in chunks:
            yield make_chunk(maker, sink, chunk)


def _run_in_workers(
    chunks: Iterator[Chunk], maker: Maker, sink: Sink, workers: int, handles: tuple[int, ...]
) -> Iterator[Result]:
    from gfdocs.batch.pool import Pool

    pool = Pool(workers, maker, sink, handles)
    try:
        yield from pool.run(chunks)
    finally:
        pool.close()


def _run_on_cluster(chunks: Iterator[Chunk], maker: Maker, address: str, remote: Sink | None) -> Iterator[Result]:
    if not address.startswith(("dask://", "dask+tls://")):
        raise faults.bad_executor(address)
    from gfdocs.batch.executors import ExecutorPool, open_dask

    with open_dask(address) as (executor, workers):
        yield from ExecutorPool(executor, maker, sink=remote, window=4 * workers).run(chunks)
