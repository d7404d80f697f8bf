"""A batch that is killed, starved or raced: nothing half-made under a final name, nothing old lost, the next run completes it."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, swap, verify, workspace
from gfdocs.errors import OutputError
from tests.batch.disk import find_broken, hash_tree, package_states, read_tree
from tests.batch.fakes import FakeProject

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
KILLS = 200 if NIGHTLY else 15
LOOKS = 1000 if NIGHTLY else 250
ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")

SLOW = {"plaque": {"slow": 0.002}}


def old_project() -> FakeProject:
    return FakeProject()


def new_project() -> FakeProject:
    """Other figures, one company renamed, one district more: every package changes."""
    return FakeProject(
        districts=("张家港市", "常熟市", "昆山市", "太仓市"),
        names={2: "改名有限公司"},
        round_name="示例省第四批",
        templates=SLOW,
    )


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, tuple[dict[str, str], dict[str, str]]]:
    """The digests of the old and the new output as uninterrupted runs make them, as folders and as zips."""
    found = {}
    for zipped in (False, True):
        root = tmp_path_factory.mktemp("wanted")
        batch(old_project(), root / "old", zip=zipped)
        batch(new_project(), root / "new", zip=zipped)
        found[zipped] = (hash_tree(root / "old"), hash_tree(root / "new"))
    return found


def fork(work: Callable[[], Any]) -> int:
    """Do the work in a process of its own; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def check_between(out: Path, old: dict[str, str], new: dict[str, str]) -> None:
    """Every package is the old one or the new one, whole."""
    files = read_tree(out)
    assert find_broken(files) == []
    hashes = hash_tree(out)
    for package, _ in package_states(files):
        mine = {p: h for p, h in hashes.items() if p.split("/")[0] == package}
        states = [{p: h for p, h in want.items() if p.split("/")[0] == package} for want in (old, new)]
        assert mine in states, package


def run_killed_at(out: Path, moment: float, **options: Any) -> None:
    child = fork(lambda: batch(new_project(), out, **options))
    time.sleep(moment)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.parametrize("zipped", [False, True])
def test_killed_at_any_moment(tmp_path: Path, wanted: Any, zipped: bool) -> None:
    old, new = wanted[zipped]
    batch(old_project(), tmp_path / "start", zip=zipped)
    began = time.perf_counter()
    os.waitpid(fork(lambda: batch(new_project(), tmp_path / "timed", zip=zipped)), 0)
    lasts = time.perf_counter() - began
    chance = random.Random(20221231)
    completed = 0
    for number in range(KILLS):
        out = tmp_path / f"out{number}"
        shutil.copytree(tmp_path / "start", out)
        workers = 2 if number % 5 == 4 else 1
        run_killed_at(out, chance.uniform(0, lasts * 1.2), zip=zipped, workers=workers)
        check_between(out, old, new)
        completed += hash_tree(out) == new
        batch(new_project(), out, zip=zipped)
        assert hash_tree(out) == new
        assert verify(out) == ()
        assert not (out / ".gfdocs").exists()
        shutil.rmtree(out)
    assert completed < KILLS  # the moments were not all after the end


class Killer:
    """Ends the process before, or just after, the n-th call of the functions that change names on disk."""

    def __init__(self, at: int, after: bool) -> None:
        self.at, self.after, self.calls = at, after, 0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.calls == self.at and not self.after:
                os.kill(os.getpid(), signal.SIGKILL)
            mine = self.calls == self.at
            try:
                return function(*args, **kwargs)
            finally:
                if mine:
                    os.kill(os.getpid(), signal.SIGKILL)

        return wrapped


def run_killed_at_step(out: Path, step: int, *, after: bool, exchange: bool, **options: Any) -> bool:
    """Run until the n-th change of names; return whether it ended before that."""

    def work() -> None:
        killer = Killer(step, after)
        for name in ("rename", "replace", "unlink", "rmdir", "mkdir"):
            setattr(os, name, killer.wrap(getattr(os, name)))
        real = swap.exchange if exchange else (lambda one, other: False)
        swap.exchange = killer.wrap(real)  # type: ignore[assignment]
        shutil.rmtree.__globals__["os"].unlink = os.unlink
        batch(new_project(), out, durable=False, **options)

    child = fork(work)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL)
    return status == 0


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("exchange", [True, False])
def test_killed_at_every_step_of_moving_in(tmp_path: Path, wanted: Any, zipped: bool, exchange: bool) -> None:
    old, new = wanted[zipped]
    batch(old_project(), tmp_path / "start", zip=zipped)
    steps = range(1, 400) if NIGHTLY else range(1, 400, 3)
    for step in steps:
        out = tmp_path / f"out{step}"
        shutil.copytree(tmp_path / "start", out)
        ended = run_killed_at_step(out, step, after=bool(step % 2), exchange=exchange, zip=zipped)
        check_between(out, old, new)
        present = {path.split("/")[0] for path in hash_tree(out)} | set(os.listdir(out))
        if exchange or zipped:
            assert {path.split("/")[0] for path in old} <= present  # no package is ever gone, not for a moment
        batch(new_project(), out, zip=zipped)
        assert hash_tree(out) == new, step
        assert verify(out) == ()
        assert not (out / ".gfdocs").exists()
        shutil.rmtree(out)
        if ended:
            return
    pytest.fail("the run has more steps than were tried")


def test_what_a_killed_run_made_is_not_made_again(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def work() -> None:
        seen = []

        def count(done: int, total: int, job: Any) -> None:
            seen.append(done)
            if done == 40:
                os.kill(os.getpid(), signal.SIGKILL)

        batch(new_project(), out, progress=count)

    os.waitpid(fork(work), 0)
    assert {issue.code for issue in _verify_or_none(out)} <= {"GF534"}
    report = batch(new_project(), out).report
    assert report.kept >= 24
    assert report.made + report.kept == report.planned
    batch(new_project(), tmp_path / "fresh")
    assert hash_tree(out) == hash_tree(tmp_path / "fresh")


def _verify_or_none(out: Path) -> tuple[Any, ...]:
    try:
        return verify(out)
    except OutputError:
        return ()


@pytest.mark.parametrize("zipped", [False, True])
def test_a_package_that_a_killed_run_had_removed_does_not_come_back_as_somebody_elses(
    tmp_path: Path, wanted: Any, zipped: bool
) -> None:
    """Killed after the manifest had moved in and before what stood aside was removed."""
    out = tmp_path / "out"
    batch(new_project(), out, zip=zipped)

    def work() -> None:
        real = os.replace

        def replace(source: str, target: str) -> None:
            real(source, target)
            if target.endswith("index.html"):
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = replace  # type: ignore[assignment]
        batch(old_project(), out, zip=zipped, durable=False)

    os.waitpid(fork(work), 0)
    assert hash_tree(out) == wanted[zipped][0]
    batch(new_project(), out, zip=zipped)
    assert hash_tree(out) == wanted[zipped][1]


def test_verify_says_that_a_run_was_cut_short(tmp_path: Path) -> None:
    out = tmp_path / "out"
    batch(old_project(), out)
    run_killed_at_step(out, 6, after=True, exchange=True)
    assert "GF534" in {issue.code for issue in verify(out)}


def test_a_run_killed_twice_still_goes_on_from_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for limit in (20, 45):

        def work(limit: int = limit) -> None:
            def count(done: int, total: int, job: Any) -> None:
                if done >= limit:
                    os.kill(os.getpid(), signal.SIGKILL)

            batch(new_project(), out, progress=count)

        os.waitpid(fork(work), 0)
    assert batch(new_project(), out).report.kept >= 40
    assert verify(out) == ()


@pytest.mark.parametrize("zipped", [False, True])
def test_killed_while_moving_in_and_then_again(tmp_path: Path, wanted: Any, zipped: bool) -> None:
    """What the first run had moved into place is still known as ours to the third."""
    old, new = wanted[zipped]
    moved_in = 0
    for step in range(20, 90, 4):
        out = tmp_path / f"out{step}"
        batch(old_project(), out, zip=zipped)
        run_killed_at_step(out, step, after=True, exchange=True, zip=zipped)
        moved_in += hash_tree(out) != old
        os.waitpid(fork(lambda out=out: run_killed_before_moving_in(out, zipped)), 0)  # type: ignore[misc]
        check_between(out, old, new)
        batch(new_project(), out, zip=zipped)
        assert hash_tree(out) == new, step
        assert verify(out) == ()
    assert moved_in


def run_killed_before_moving_in(out: Path, zipped: bool) -> None:
    """Run until all is staged, the stages of earlier runs are gone and nothing is moved yet."""
    from gfdocs.batch.steps import Run

    Run._move_in = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    batch(new_project(), out, zip=zipped)


def test_workers_of_a_killed_run_leave_and_give_the_lock_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    project = FakeProject(each=120, templates=SLOW)
    child = fork(lambda: batch(project, out, workers=2))
    time.sleep(0.5)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    deadline = time.monotonic() + 5
    while True:  # a worker may finish the chunk at hand before it sees that its parent is gone
        try:
            batch(project, out)
            break
        except OutputError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert verify(out) == ()


# -- two at once --


def test_a_second_run_is_told_that_there_is_a_first(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = workspace.Workspace(str(out))
    out.mkdir()
    first.open()
    with pytest.raises(OutputError) as caught:
        batch(old_project(), out)
    assert caught.value.issues[0].code == "GF502"
    assert str(os.getpid()) in caught.value.issues[0].fact
    first.close(keep=False)
    batch(old_project(), out)
    assert verify(out) == ()


def look_at(out: Path, both: list[dict[str, str]]) -> tuple[set[str], list[str]]:
    """Look at every file of the first state again and again; return the digests seen and the looks that went wrong."""
    known = {digest for state in both for digest in state.values()}
    seen, broken, looks, end = set[str](), list[str](), 0, time.monotonic() + 2
    while looks < LOOKS or time.monotonic() < end:
        for path in (path for path in both[0] if "/" in path):
            try:
                digest = hashlib.sha256((out / path).read_bytes()).hexdigest()
            except FileNotFoundError:
                broken += [path] if path in both[1] else []  # both rounds have it: it is never gone
                continue
            broken += [path] if digest not in known else []
            seen.add(digest)
        looks += 1
    return seen, broken


def test_two_runs_and_a_reader(tmp_path: Path, wanted: Any) -> None:
    """Two processes make different rounds into one folder again and again; a reader never sees anything half-made."""
    out = tmp_path / "out"
    batch(old_project(), out)
    both = [hash_tree(out), wanted[False][1]]

    def work(project: FakeProject) -> None:
        while True:
            try:
                batch(project, out, durable=False)
            except OutputError as error:
                if {issue.code for issue in error.issues} != {"GF502"}:
                    raise
                time.sleep(0.002)

    children = [fork(lambda: work(old_project())), fork(lambda: work(new_project()))]
    try:
        seen, broken = look_at(out, both)
    finally:
        for child in children:
            os.kill(child, signal.SIGKILL)
        ends = [os.waitpid(child, 0)[1] for child in children]
    assert ends == [signal.SIGKILL, signal.SIGKILL]  # neither gave up before
    assert broken == []
    assert len(seen) > len([path for path in both[0] if "/" in path])  # both rounds were seen
    batch(new_project(), out)
    assert hash_tree(out) == wanted[False][1]


# -- disks --


def test_a_full_disk_leaves_the_old_package(tmp_path: Path) -> None:
    """The largest file may have 2,500 bytes: writing stops in the middle of a document."""
    out = tmp_path / "out"
    batch(old_project(), out)
    before = hash_tree(out)

    def work() -> None:
        big = FakeProject(energy=9, templates={"annual-summary": {"padding": 10}}, round_name="某" * 2000)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2500, 2500))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            batch(big, out)
        except OutputError as error:
            os._exit(7 if error.issues[0].code == "GF501" and "磁盘" not in str(error) else 8)
        os._exit(9)

    _, status = os.waitpid(fork(work), 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert hash_tree(out) == before
    assert not (out / ".gfdocs").exists()
    assert verify(out) == ()


def test_a_full_disk_in_a_worker_is_told_by_the_run(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        try:
            batch(FakeProject(each=150, round_name="某" * 3000), out, workers=2)
        except OutputError as error:
            os._exit(7 if error.issues[0].code == "GF501" else 8)
        os._exit(9)

    _, status = os.waitpid(fork(work), 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert not out.exists()


def test_a_folder_that_may_not_be_written_is_told_before_anything_is_made(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    made: list[str] = []

    def work() -> None:
        if os.getuid() == 0:
            os.setuid(65534)
        out.chmod(0o555) if os.getuid() != 65534 else None
        try:
            batch(old_project(), out, progress=lambda *a: made.append("x"))
        except OutputError as error:
            os._exit(7 if error.issues[0].code == "GF501" and not made else 8)
        os._exit(9)

    out.chmod(0o555)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/") and "pytest" in folder.name:
            folder.chmod(0o755)
    tmp_path.chmod(0o755)
    _, status = os.waitpid(fork(work), 0)
    assert os.waitstatus_to_exitcode(status) == 7
    assert os.listdir(out) == []


def test_an_output_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError) as caught:
        batch(old_project(), tmp_path / "file" / "out")
    assert caught.value.issues[0].code in ("GF501", "GF505")


def test_ctrl_c_keeps_what_was_made_and_gives_the_lock_back(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(done: int, total: int, job: Any) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(old_project(), out, progress=stop)
    assert (out / ".gfdocs").is_dir()
    assert read_tree(out) == {}
    assert batch(old_project(), out).report.kept >= 20
    assert verify(out) == ()


def test_file_modes_follow_the_umask_not_the_temporary_folder(tmp_path: Path) -> None:
    script = (
        "import os,sys; os.umask(0o027)\n"
        "from gfdocs.batch import batch; from tests.batch.fakes import FakeProject\n"
        "batch(FakeProject(), sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=True, cwd=ROOT)
    assert (tmp_path / "out/01 张家港市").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "out/manifest.json").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("exchange", [True, False])
def test_a_disk_that_refuses_a_move_leaves_every_package_and_the_next_run_goes_on(
    tmp_path: Path, wanted: Any, monkeypatch: pytest.MonkeyPatch, zipped: bool, exchange: bool
) -> None:
    """Remounted read-only between any two moves: nothing is lost, and nothing is taken for somebody's edit afterwards."""
    old, new = wanted[zipped]
    refused = 0
    for at in range(1, 60):
        out, calls = tmp_path / f"out{at}", [0]
        batch(old_project(), out, zip=zipped)

        def refusing(function: Callable[..., Any], at: int = at, calls: list[int] = calls) -> Callable[..., Any]:
            def wrapped(*args: Any, **kwargs: Any) -> Any:
                calls[0] += 1
                if calls[0] == at:
                    raise OSError(errno.EROFS, "read-only")
                return function(*args, **kwargs)

            return wrapped

        with monkeypatch.context() as patch:
            patch.setattr(swap, "exchange", refusing(swap.exchange if exchange else (lambda one, other: False)))
            for name in ("rename", "replace"):
                patch.setattr(os, name, refusing(getattr(os, name)))
            try:
                batch(new_project(), out, zip=zipped, durable=False)
                ended = True
            except OutputError as error:
                codes, ended = {issue.code for issue in error.issues}, False
        assert ended or codes == {"GF501"}
        check_between(out, old, new)
        gone = {path.split("/")[0] for path in old} - {path.split("/")[0] for path in hash_tree(out)}
        assert not gone
        batch(new_project(), out, zip=zipped)
        assert hash_tree(out) == new
        assert not (out / ".gfdocs").exists()
        if ended:
            break
        refused += 1
    assert ended
    assert refused > 4


SIGNALLED = """
import sys
from tests.batch.fakes import FakeProject
from gfdocs.batch import batch
batch(FakeProject(each=100, templates={"plaque": {"slow": 0.002}}), sys.argv[1], workers=int(sys.argv[2]))
"""


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT], [signal.SIGINT, signal.SIGINT]])
def test_signals_at_odd_moments_leave_a_folder_that_the_next_run_completes(
    tmp_path: Path, workers: int, signals: list[signal.Signals]
) -> None:
    """SIGTERM, Ctrl-C, Ctrl-C while the first is answered; between them the process is stopped and goes on."""
    project = FakeProject(each=100)
    out = tmp_path / "out"
    chance = random.Random(len(signals) * 10 + workers)
    for _ in range(8 if NIGHTLY else 2):
        child = subprocess.Popen(
            [sys.executable, "-c", SIGNALLED, str(out), str(workers)], cwd=ROOT, stderr=subprocess.DEVNULL
        )
        time.sleep(0.35 + chance.uniform(0, 0.8))
        for number in (signal.SIGSTOP, signal.SIGCONT, *signals):
            child.send_signal(number)
            time.sleep(0.01)
        child.wait(20)
    assert find_broken(read_tree(out)) == []
    deadline = time.monotonic() + 10
    while True:  # a worker may finish the chunk at hand
        try:
            batch(project, out)
            break
        except OutputError as error:
            if error.issues[0].code != "GF502" or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    batch(project, tmp_path / "fresh")
    assert hash_tree(out) == hash_tree(tmp_path / "fresh")
    assert verify(out) == ()
