"""Several at work: processes, executors, a cluster. What comes out is what one alone makes, also when some of them die."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, dispatch, executors, folders, pool, verify
from gfdocs.batch.jobs import make_plan
from gfdocs.errors import OutputError
from tests.batch.disk import hash_tree
from tests.batch.fakes import FakeProject


@pytest.fixture(autouse=True)
def _pays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAYS", 1)


@pytest.fixture
def alone(tmp_path: Path) -> dict[str, str]:
    batch(FakeProject(each=40), tmp_path / "alone")
    return hash_tree(tmp_path / "alone")


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("workers", [2, 3])
def test_workers_make_the_same(tmp_path: Path, alone: dict[str, str], workers: int, zipped: bool) -> None:
    manifest = batch(FakeProject(each=40), tmp_path / "out", workers=workers, zip=zipped)
    if zipped:
        batch(FakeProject(each=40), tmp_path / "alone_zip", zip=True)
        alone = hash_tree(tmp_path / "alone_zip")
    assert hash_tree(tmp_path / "out") == alone
    assert manifest.report.workers == workers
    assert verify(tmp_path / "out") == ()


def test_spawned_workers_make_the_same(tmp_path: Path, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", root)
    monkeypatch.setattr(pool, "_get_context", lambda: get_context("spawn"))
    batch(FakeProject(each=40), tmp_path / "out", workers=2)
    assert hash_tree(tmp_path / "out") == alone


def test_few_documents_are_made_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAYS", 300)
    monkeypatch.setattr(dispatch, "PAYS_APART", 300)
    monkeypatch.setattr(pool, "Pool", lambda *a, **k: pytest.fail("workers were started"))
    assert batch(FakeProject(), tmp_path / "out", workers=2).ok


@pytest.mark.parametrize("parts", [1, 2, 3, 5, 8])
def test_workers_that_open_their_own_templates_share_the_work(parts: int) -> None:
    jobs = make_plan(FakeProject(each=40)).jobs
    shares = folders.split_evenly(jobs, parts)
    assert sorted(job.number for share in shares for job in share) == [job.number for job in jobs]
    assert 0 < len(shares) <= parts
    opened = [{(job.document, job.kind) for job in share} for share in shares]
    assert (
        sum(map(len, opened)) < len(set[object]().union(*opened)) + parts
    )  # each cut opens one template twice at most


def test_workers_with_one_template_get_as_many_documents_each() -> None:
    plaques = [job for job in make_plan(FakeProject(each=40)).jobs if job.document == "plaque"]
    lengths = [len(share) for share in folders.split_evenly(plaques, 3)]
    assert len(lengths) == 3
    assert max(lengths) - min(lengths) <= 5


def test_faults_come_back_from_workers(tmp_path: Path) -> None:
    project = FakeProject(
        each=40, templates={"annual-summary": {"fail": "示例007有限公司"}, "plaque": {"crash": "示例011有限公司"}}
    )
    manifest = batch(project, tmp_path / "out", workers=2)
    assert [failure.job.company for failure in manifest.failed] == ["示例007有限公司", "示例011有限公司"]
    assert manifest.issues[-1].fact.zh  # both languages survive the journey
    assert len(manifest.files) == len(manifest.jobs) - 2


def test_a_document_that_kills_its_worker_is_reported_and_the_others_come_out(tmp_path: Path) -> None:
    project = FakeProject(each=40, templates={"plaque": {"kill": "示例011有限公司"}})
    manifest = batch(project, tmp_path / "out", workers=2)
    assert [(failure.job.company, failure.issues[0].code) for failure in manifest.failed] == [
        ("示例011有限公司", "GF514")
    ]
    assert len(manifest.files) == len(manifest.jobs) - 1
    assert verify(tmp_path / "out") == ()


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, alone: dict[str, str]) -> None:
    project = FakeProject(each=40, templates={"plaque": {"slow": 0.005}})
    killed: list[int] = []

    def kill_one(done: int, total: int, job: Any) -> None:
        if done > 30 and not killed:
            import multiprocessing

            children = multiprocessing.active_children()
            killed.append(children[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    manifest = batch(project, tmp_path / "out", workers=2, progress=kill_one)
    assert killed
    assert manifest.ok
    assert {p: h for p, h in hash_tree(tmp_path / "out").items() if "/" in p} == {
        p: h for p, h in alone.items() if "/" in p
    }


@pytest.mark.parametrize("zipped", [False, True])
def test_any_executor_makes_the_same(tmp_path: Path, alone: dict[str, str], zipped: bool) -> None:
    if zipped:
        batch(FakeProject(each=40), tmp_path / "alone_zip", zip=True)
        alone = hash_tree(tmp_path / "alone_zip")
    with ThreadPoolExecutor(2) as threads:
        batch(FakeProject(each=40), tmp_path / "threads", executor=threads, zip=zipped)
    with ProcessPoolExecutor(2, mp_context=get_context("fork")) as processes:
        batch(FakeProject(each=40), tmp_path / "processes", executor=processes, zip=zipped)
    assert hash_tree(tmp_path / "threads") == alone
    assert hash_tree(tmp_path / "processes") == alone


def test_an_executor_that_broke_keeps_what_was_made(tmp_path: Path, alone: dict[str, str]) -> None:
    project = FakeProject(each=40, templates={"plaque": {"kill": "示例111有限公司"}})
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as processes, pytest.raises(OutputError) as caught:
        batch(project, tmp_path / "out", executor=processes)
    assert caught.value.issues[0].code == "GF523"
    assert batch(FakeProject(each=40), tmp_path / "out").report.kept > 0
    assert hash_tree(tmp_path / "out") == alone


def test_an_executor_we_do_not_know(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), tmp_path / "out", executor="spark://host:1")
    assert caught.value.issues[0].code == "GF521"
    assert not (tmp_path / "out").exists()


def test_the_window_of_an_executor_keeps_memory_flat(tmp_path: Path) -> None:
    """No more chunks are under way than the window allows, however many there are."""
    flying = peak = 0
    lock = threading.Lock()

    class Counting(ThreadPoolExecutor):
        def submit(self, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
            nonlocal flying, peak
            with lock:
                flying += 1
                peak = max(peak, flying)
            future = super().submit(*args, **kwargs)
            future.add_done_callback(lambda _: leave())
            return future

    def leave() -> None:
        nonlocal flying
        with lock:
            flying -= 1

    with Counting(1) as executor:
        batch(FakeProject(each=300), tmp_path / "out", executor=executor)
    assert peak <= 5


# -- a cluster --


@pytest.fixture
def cluster() -> Any:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed (extra dask)")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as made:
        yield made


@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_still_makes_the_whole_package(
    tmp_path: Path, cluster: Any, alone: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = FakeProject(each=40, templates={"plaque": {"slow": 0.01}})
    killed: list[int] = []

    def kill_one(done: int, total: int, job: Any) -> None:
        if done > 20 and not killed:
            worker = next(iter(cluster.workers.values()))
            killed.append(worker.process.process.pid if hasattr(worker.process, "process") else worker.process.pid)
            os.kill(killed[0], signal.SIGKILL)

    address = cluster.scheduler_address.replace("tcp://", "dask://")
    manifest = batch(project, tmp_path / "out", executor=address, progress=kill_one)
    assert killed
    assert manifest.ok
    assert {p: h for p, h in hash_tree(tmp_path / "out").items() if "/" in p} == {
        p: h for p, h in alone.items() if "/" in p
    }
    assert verify(tmp_path / "out") == ()
    again = batch(project, tmp_path / "out", executor=address)
    assert again.report.made == 0


@pytest.mark.slow
def test_a_cluster_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed (extra dask)")
    monkeypatch.setattr(executors, "CONNECT_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), tmp_path / "out", executor="dask://127.0.0.1:9")
    assert caught.value.issues[0].code == "GF522"
    assert time.monotonic() - began < 30
    assert not (tmp_path / "out").exists()


def test_a_small_fresh_batch_opens_its_templates_in_the_workers(tmp_path: Path, alone: dict[str, str]) -> None:
    """Opening takes longer than making there: each worker opens those of its own kinds, and the parent none."""
    opened: list[str] = []

    class Watched(FakeProject):
        def template(self, document: str, kind: str) -> Any:
            opened.append(kind)
            return super().template(document, kind)

    assert batch(Watched(each=40), tmp_path / "out", workers=2).ok
    assert opened == []
    assert hash_tree(tmp_path / "out") == alone


def test_a_template_that_cannot_be_opened_fails_its_documents_in_workers_too(tmp_path: Path) -> None:
    from gfdocs.errors import Issue, Place, TemplateError

    class Broken(FakeProject):
        def template(self, document: str, kind: str) -> Any:
            if document == "plaque":
                raise TemplateError(Issue("GF201", "error", Place("plaque.svg"), "a tag does not parse"))
            return super().template(document, kind)

    manifest = batch(Broken(each=40), tmp_path / "out", workers=2)
    assert {failure.job.document for failure in manifest.failed} == {"plaque"}
    assert len(manifest.failed) == 121
    assert verify(tmp_path / "out") == ()
