"""The run: plan, check, make, stage, move into place. Nothing shows in the output folder before all of it is ready."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Collection, Iterable, Sequence
from datetime import date as Date  # noqa: N812 - `date` is the argument
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from gfdocs import garbage
from gfdocs.batch import faults
from gfdocs.batch.jobs import Job, Plan, make_plan, select_jobs
from gfdocs.batch.make import Clock
from gfdocs.batch.manifest import Manifest, PackageRecord, Report
from gfdocs.batch.options import Options, Progress
from gfdocs.batch.source import Source
from gfdocs.batch.workspace import Workspace
from gfdocs.errors import Issue, OutputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from gfdocs.batch.steps import Run

Some = str | Collection[str] | None


def batch(
    project: Source,
    out: str | Path,
    *,
    only: Some = None,
    districts: Some = None,
    companies: Some = None,
    kinds: Some = None,
    zip: bool = False,  # noqa: A002 - the word of the command line
    workers: int = 1,
    executor: Executor | str | None = None,
    strict: bool = False,
    replace: bool = False,
    dry_run: bool = False,
    durable: bool = True,
    date: Date | None = None,
    progress: Progress | None = None,
    clock: Clock | None = None,
    storage: dict[str, object] | None = None,
) -> Manifest:
    """Make every document of a round, one package a district, and return what was made.

    `out` is a folder, or any fsspec URL (extra `cloud`, `storage` are its options). A package is a folder, with `zip`
    one .zip, and appears whole or not at all. What an earlier run made from the same data and templates is kept;
    files that somebody changed since are replaced only with `replace`. `only`, `districts`, `companies`, `kinds`
    choose a part; the rest stays as it is.

    `workers` processes share the work where it pays; `executor` is any concurrent.futures.Executor or
    `dask://host:port` instead. A document that cannot be made is in `.failed` and `.issues`, the others come out;
    with `strict` nothing is written then.
    `date` is carried by the members of zips; `clock` (seconds, such as time.perf_counter) gives times to the report;
    `progress` is called with done, total and the job. `durable` waits until the disk has it all, before anything old
    is given up.

    Raises NotFound for a choice that is not there, OutputExists where something of somebody else is in the way,
    OutputError where the folder can't be written (what was there is untouched) or another run is at work in it,
    TemplateError with `strict`.
    """
    options = Options(
        zip=zip, workers=workers, executor=executor, strict=strict, replace=replace, durable=durable, date=date,
        progress=progress, clock=clock, storage=dict(storage or {}), started=clock() if clock else 0.0,
    )  # fmt: skip
    whole = make_plan(project)
    jobs = select_jobs(project, whole.jobs, only=only, districts=districts, companies=companies, kinds=kinds)
    issues = (*project.issues, *whole.issues)
    if dry_run:
        return _show_plan(project, jobs, issues, zipped=zip)
    with garbage.frozen():
        return _run(project, _local_path(out), whole, jobs, issues, options)


def _run(
    project: Source, out: str | Path, whole: Plan, jobs: Sequence[Job], issues: Iterable[Issue], options: Options
) -> Manifest:
    """Make the documents into a store where `out` is a URL, else into a folder."""
    if "://" not in str(out):
        return _run_in_folder(project, Path(out), whole, jobs, issues, options)
    from gfdocs.batch.cloud import run_in_store

    return run_in_store(project, str(out), whole, jobs, issues, options)


def _local_path(out: str | Path) -> str | Path:
    """Return the path that a file URL means, and a URL that was made a Path (`s3:/bucket`) as it was; else what it is."""
    if isinstance(out, Path) and (found := re.fullmatch(r"([a-z][a-z0-9+]+):/([^/].*)", out.as_posix())):
        out = f"{found[1]}://{found[2]}"
    if not str(out).startswith("file://"):
        return out
    from urllib.parse import unquote, urlsplit
    from urllib.request import url2pathname

    return url2pathname(unquote(urlsplit(str(out)).path))


def _show_plan(project: Source, jobs: Sequence[Job], issues: tuple[Issue, ...], *, zipped: bool) -> Manifest:
    suffix = ".zip" if zipped else ""
    by_package = groupby(jobs, key=lambda job: job.package)
    packages = tuple(PackageRecord(name, name + suffix, sum(1 for _ in group)) for name, group in by_package)
    return Manifest("", (), packages, tuple(jobs), issues, (), Report(planned=len(jobs)), zip=zipped)


def _run_in_folder(
    project: Source, out: Path, whole: Plan, jobs: Sequence[Job], issues: Iterable[Issue], options: Options
) -> Manifest:
    """Run with the lock of the folder held; leave no work folder behind unless the next run can go on from it."""
    from gfdocs.batch.folders import FolderRun
    from gfdocs.batch.packed import ZipRun

    folder, made_folders = _make_folder(out)
    workspace = Workspace(folder)
    run: Run | None = None
    keep = True  # where it is interrupted, at whatever moment, the next run goes on from here
    try:
        workspace.open()
        run = (ZipRun if options.zip else FolderRun)(
            project, folder, str(out), whole, jobs, issues, options, workspace
        )  # fmt: skip
        manifest = run.run()
        keep = False
        return manifest
    except Exception as error:
        moving = run is not None and run.is_moving
        keep = moving or (isinstance(error, OutputError) and any(issue.code == "GF523" for issue in error.issues))
        if moving:
            workspace.put_back()
        if isinstance(error, OSError):
            raise (faults.half_moved if moving else faults.unwritable)(str(out), error) from error
        raise
    finally:
        workspace.close(keep=keep)
        for path in made_folders:
            _remove_if_empty(path)


def _make_folder(out: Path) -> tuple[str, list[str]]:
    """Make the output folder; return its real path and the folders that were not there before, the innermost first."""
    try:
        real = os.path.realpath(out)
        os.fsencode(real)
    except ValueError as error:  # a NUL in it, or half a surrogate pair
        raise faults.unwritable(str(out), OSError(errno.EINVAL, os.strerror(errno.EINVAL))) from error
    if os.path.exists(real) and not os.path.isdir(real):
        raise faults.not_a_folder(str(out))
    made, path = [], real
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        made.append(path)
        path = os.path.dirname(path)
    try:
        os.makedirs(real, exist_ok=True)
    except OSError as error:
        raise faults.unwritable(str(out), error) from error
    return real, made


def _remove_if_empty(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:
        return
