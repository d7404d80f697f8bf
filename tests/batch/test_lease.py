"""Two runs into one prefix of a store: one works, the other is told; what a dead one left is taken over."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, lease
from gfdocs.batch.lease import PREFIX, Lease
from gfdocs.errors import OutputError
from tests.batch.racer import make_project, run

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed (extra cloud)")

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
RACES = 50 if NIGHTLY else 8
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The digests of each project's files, as a folder has them."""
    found = {}
    for name in ("old", "new"):
        folder = tmp_path_factory.mktemp(name)
        batch(make_project(name), folder)
        found[name] = {record["path"]: record["sha256"] for record in read_manifest(folder.as_uri(), {})["files"]}
    return found


def read_store(url: str, storage: dict[str, Any]) -> dict[str, bytes]:
    store, root = fsspec.core.url_to_fs(url, **storage)
    return {path[len(root) + 1 :]: store.cat_file(path) for path in list_store(url, storage)}


def list_store(url: str, storage: dict[str, Any]) -> list[str]:
    store, root = fsspec.core.url_to_fs(url, **storage)
    store.invalidate_cache()
    return list(store.find(root))


def read_manifest(url: str, storage: dict[str, Any]) -> dict[str, Any]:
    return json.loads(read_store(url, storage)["manifest.json"])


def check_whole(url: str, storage: dict[str, Any], wanted: dict[str, dict[str, str]]) -> str:
    """Every object is what the manifest says, and that is the one project or the other; return which."""
    objects = read_store(url, storage)
    manifest = json.loads(objects["manifest.json"])
    named = {record["path"]: record["sha256"] for record in manifest["files"]}
    assert named in wanted.values()
    found = {path: hashlib.sha256(data).hexdigest() for path, data in objects.items() if "/" in path}
    assert found == named
    assert hashlib.sha256(objects["index.html"]).hexdigest() == manifest["index"]
    assert set(objects) == {*named, "manifest.json", "index.html"}
    return next(name for name in wanted if wanted[name] == named)


class Racer:
    """A process that runs batches when it is told to."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.racer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )  # fmt: skip

    def start(self, **order: Any) -> None:
        assert self.process.stdin
        print(json.dumps(order), file=self.process.stdin, flush=True)

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())  # type: ignore[no-any-return]

    def end(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe
            pipe.close()


@pytest.fixture
def racers() -> Iterator[tuple[Racer, Racer]]:
    both = (Racer(), Racer())
    yield both
    for racer in both:
        if racer.process.returncode is None:
            racer.process.send_signal(signal.SIGCONT)
            racer.end()


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, Any]]:
    """Options for an S3 server of this machine that has the bucket `rounds`."""
    s3fs = pytest.importorskip("s3fs", reason="s3fs is not installed")
    server = pytest.importorskip("moto.server", reason="moto[server] is not installed")
    threaded = server.ThreadedMotoServer(port=0)
    threaded.start()
    host, port = threaded.get_host_and_port()
    client = {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-west-1"}
    options = {"key": "k", "secret": "s", "client_kwargs": client, "skip_instance_cache": True}
    store = s3fs.S3FileSystem(**options)
    if not store.exists("rounds"):
        store.mkdir("rounds", region_name="eu-west-1")
    yield options
    threaded.stop()


def check_answers(answers: list[dict[str, Any]]) -> bool:
    """One of two runs wins, or both one after the other; return whether one was turned away."""
    codes = sorted(answer["code"] for answer in answers)
    assert codes in (["", ""], ["", "GF525"]), answers
    spans = sorted(answer["held"] for answer in answers if answer["held"])
    assert all(before[1] <= after[0] for before, after in pairwise(spans)), "both held the lease"
    return "GF525" in codes


def race(racers: tuple[Racer, Racer], url: str, **order: Any) -> list[dict[str, Any]]:
    begin = time.monotonic() + 0.02
    for racer, project in zip(racers, ("old", "new"), strict=True):
        racer.start(url=url, project=project, start=begin, **order)
    return [racer.answer() for racer in racers]


@pytest.mark.slow
def test_two_processes_race_for_a_bucket(racers: tuple[Racer, Racer], bucket: dict[str, Any], wanted: Any) -> None:
    url, turned_away, last = "s3://rounds/race", 0, set()
    for _ in range(RACES if NIGHTLY else 3):
        turned_away += check_answers(race(racers, url, storage=bucket))
        last.add(check_whole(url, bucket, wanted))
    assert not NIGHTLY or (turned_away > RACES // 2 and last == {"old", "new"})


def test_two_processes_race_for_a_folder_that_is_a_store(racers: Any, tmp_path: Path, wanted: Any) -> None:
    turned_away = 0
    for _ in range(RACES):
        turned_away += check_answers(race(racers, f"local://{tmp_path}/out"))
        check_whole(f"local://{tmp_path}/out", {}, wanted)
    assert turned_away


def test_two_threads_race_for_a_store_in_memory(wanted: Any) -> None:
    url = f"memory://rounds/{uuid.uuid4()}"
    for _ in range(RACES):
        with ThreadPoolExecutor(2) as pool:
            orders = [{"url": url, "project": name} for name in ("old", "new")]
            codes = sorted(answer["code"] for answer in pool.map(run, orders))
        assert codes in (["", ""], ["", "GF525"])
        check_whole(url, {}, wanted)


# -- runs that die --


def wait_for_lease(url: str, storage: dict[str, Any]) -> None:
    deadline = time.monotonic() + 20
    while sum("/01 " in path for path in list_store(url, storage)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM] if NIGHTLY else [signal.SIGKILL])
def test_what_a_killed_run_left_is_taken_over(racers: Any, bucket: dict[str, Any], wanted: Any, number: int) -> None:
    first, second = racers
    url = f"s3://rounds/killed-{number}"
    first.start(url=url, project="slow", storage=bucket)
    wait_for_lease(url, bucket)
    first.end(number)
    second.start(url=url, project="new", storage=bucket)
    refused = second.answer()
    assert refused["code"] == "GF525"
    assert f"({first.process.pid}@" in refused["said"]  # who has it
    left = [name for name in read_store(url, bucket) if name.startswith(PREFIX)]
    assert f"remove {left[0]}" in refused["said"]  # and what to do
    assert "run again in 59" in refused["said"] or "run again in 600" in refused["said"]
    time.sleep(2.1)  # the times of the store are whole seconds
    second.start(url=url, project="new", storage=bucket, seconds=1)
    assert second.answer()["code"] == ""
    assert check_whole(url, bucket, wanted) == "new"  # nothing of the dead run is left


@pytest.mark.slow
def test_a_run_that_was_stopped_and_wakes_finds_its_lease_gone(
    racers: Any, bucket: dict[str, Any], wanted: Any
) -> None:
    """SIGSTOP, the other takes over and finishes, SIGCONT: the manifest stays the other's."""
    first, second = racers
    url = "s3://rounds/stopped"
    first.start(url=url, project="slow", storage=bucket, seconds=1)
    wait_for_lease(url, bucket)
    first.process.send_signal(signal.SIGSTOP)
    time.sleep(2.1)
    second.start(url=url, project="new", storage=bucket, seconds=1)
    assert second.answer()["code"] == ""
    manifest = read_store(url, bucket)["manifest.json"]
    first.process.send_signal(signal.SIGCONT)
    assert first.answer()["code"] == "GF526"
    assert read_store(url, bucket)["manifest.json"] == manifest
    # What it put before it noticed may lie over the other's objects: the next run knows which, and makes them again.
    second.start(url=url, project="new", storage=bucket)
    assert second.answer()["code"] == ""
    assert check_whole(url, bucket, wanted) == "new"


def test_a_lease_removed_by_hand_ends_the_run_that_had_it() -> None:
    url = f"memory://rounds/{uuid.uuid4()}"
    store, root = fsspec.core.url_to_fs(url)

    def remove(done: int, total: int, job: Any) -> None:
        for path in store.find(root):
            if PREFIX in path:
                store.rm_file(path)

    with pytest.raises(OutputError) as caught:
        batch(make_project("old"), url, progress=remove)
    assert caught.value.issues[0].code == "GF526"
    assert "manifest.json" not in read_store(url, {})
    batch(make_project("old"), url)


def test_an_interrupted_run_gives_its_lease_back() -> None:
    url = f"memory://rounds/{uuid.uuid4()}"

    def stop(done: int, total: int, job: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(make_project("old"), url, progress=stop)
    batch(make_project("old"), url)


def test_anybody_may_write_a_lease_and_nothing_of_it_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_PAUSE", 0)
    for data in (b"", b"\xff", b"[[" * 5000, b'{"process": "\\u001b[2J", "host": "x\\ny"}', b'{"process": 1}', b"7"):
        url = f"memory://rounds/{uuid.uuid4()}"
        fsspec.open(f"{url}/{PREFIX}0-0", "wb").open().close()
        store, root = fsspec.core.url_to_fs(url)
        store.pipe_file(f"{root}/{PREFIX}0-0", data)
        with pytest.raises(OutputError) as caught:
            batch(make_project("old"), url)
        assert caught.value.issues[0].code == "GF525"
        assert str(caught.value).isprintable() or "\n  hint" in str(caught.value)
        assert "\x1b" not in str(caught.value)


def test_signs_of_life_come_by_the_clock_also_where_it_goes_back() -> None:
    from gfdocs.batch.cloud import StoreSink

    url, now = f"memory://rounds/{uuid.uuid4()}", [1000.0]
    mine = Lease(StoreSink(url, {}), lambda: now[0])
    mine.take()
    turns = []
    for step in (1, 28, 2, 5, -5000, 29, 2):
        now[0] += step
        mine.renew()
        (name,) = list_store(url, {})
        turns.append(int(name.rpartition("-")[2]))
    assert turns == [0, 0, 1, 1, 2, 2, 3]
    mine.release()
    assert list_store(url, {}) == []


# -- the protocol, with every order of its steps that chance finds --


class Steps:
    """Lets one thread at a time make one request to the store, in an order that chance decides; `times` are the store's."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.turn = threading.Condition()
        self.waiting: dict[int, bool] = {}
        self.objects: dict[str, float] = {}
        self.now = 0.0
        self.looks = 0
        self.looked: dict[int, int] = {}
        self.url = "test://"

    def step(self) -> None:
        """Wait until this thread is let go on."""
        me = threading.get_ident()
        with self.turn:
            self.waiting[me] = False
            self.turn.notify_all()
            self.turn.wait_for(lambda: self.waiting[me])
            del self.waiting[me]
            self.now += self.chance.choice((1, 1, 400, 700))

    def drive(self, threads: list[threading.Thread]) -> None:
        while any(thread.is_alive() for thread in threads):
            with self.turn:
                alive = sum(thread.is_alive() for thread in threads)
                if len(self.waiting) == alive and not any(self.waiting.values()):
                    self.waiting[self.chance.choice(sorted(self.waiting))] = True
                    self.turn.notify_all()
                self.turn.wait(0.001)

    def put(self, path: str, data: bytes) -> None:
        self.step()
        self.objects[path] = self.now

    def find(self, path: str) -> bytes | None:
        return b""

    def remove(self, path: str) -> None:
        self.step()
        self.objects.pop(path, None)

    def list_names(self) -> set[str]:
        self.step()
        self.looks += 1
        self.looked[threading.get_ident()] = self.looks
        return set(self.objects)

    def find_age(self, path: str, newer: str) -> float | None:
        if path not in self.objects or newer not in self.objects:
            return None
        return self.objects[newer] - self.objects[path]


def work(store: Steps, log: list[tuple[int, int, str]], number: int) -> None:
    """Note what a run hears of its lease, and with which look at the store it found that out."""
    mine, me = Lease(store, None), threading.get_ident()
    try:
        mine.take()
        log.append((store.looked[me], number, "has"))
        for _ in range(4):
            mine.renew()
            log.append((store.looked[me], number, "has"))
    except OutputError as error:
        log.append((store.looked[me], number, error.issues[0].code))
    mine.release()


@pytest.mark.parametrize("start", range(0, 2000 if NIGHTLY else 200, 50))
def test_no_order_of_requests_lets_two_have_the_lease(start: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are as slow as they like, so that each may be taken for dead at any moment: who was overtaken never again
    hears that it has the lease.
    """
    monkeypatch.setattr(lease, "_PAUSE", 0)
    overtaken = had = 0
    for seed in range(start, start + 50):
        store, log = Steps(seed), list[tuple[int, int, str]]()
        store.objects = {f"{PREFIX}dead-0": -1000.0} if seed % 2 else {}
        threads = [threading.Thread(target=work, args=(store, log, number)) for number in range(3)]
        for thread in threads:
            thread.start()
        store.drive(threads)
        check_log(log)
        overtaken += sum(code == "GF526" for _, _, code in log)
        had += any(code == "has" for _, _, code in log)
        assert all(name.startswith(f"{PREFIX}dead") for name in store.objects)
    assert overtaken
    assert had > 40


def check_log(log: list[tuple[int, int, str]]) -> None:
    """Once another has found that it has the lease, the one before finds it no more."""
    past: set[int] = set()
    holder = -1
    for _, number, code in sorted(log):
        if code == "has":
            assert number not in past, log
            past |= {holder} - {number}
            holder = number
