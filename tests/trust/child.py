"""Runs one step in a child process and tells what came of it: the value or the error, seconds of CPU, peak memory.

A clean process loads gfdocs once and forks for every step, so that a step's peak is gfdocs and the step, not pytest.
A step that goes on beyond its time is killed and counts as a hang.
"""

from __future__ import annotations

import atexit
import importlib
import os
import pickle
import resource
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PRELOADED = (
    "docxtpl", "gfdocs", "gfdocs.batch", "gfdocs.collect", "gfdocs.data.load", "gfdocs.data.workbook", "gfdocs.engine.docx",
    "gfdocs.engine.svg", "gfdocs.engine.template", "gfdocs.engine.xlsx", "gfdocs.programme.project", "tests.trust.steps",
)  # fmt: skip
HANG_SECONDS = 20  # of the clock; a busy machine is slow
HANG_CPU = 3
MEMORY = 1 << 30


@dataclass(frozen=True)
class Outcome:
    """What a step came to. `error` is the class of what it raised, `issues` those of a GfdocsError."""

    value: Any = None
    error: str = ""
    text: str = ""
    foreign: bool = False
    issues: tuple[Any, ...] = field(default=())
    seconds: float = 0.0
    peak: float = 0.0
    hung: bool = False

    @property
    def codes(self) -> list[str]:
        return [issue.code for issue in self.issues]

    def __str__(self) -> str:
        if self.hung:
            return f"no end after {self.seconds:.0f} s of CPU ({self.peak:.0f} MB)"
        what = f"{self.error}: {self.text[:600]}" if self.error else f"value {str(self.value)[:300]!r}"
        return f"{what} [{self.seconds:.2f} s, {self.peak:.0f} MB]"


def run(step: Callable[..., Any], *args: Any, cpu: int = HANG_CPU, **kwargs: Any) -> Outcome:
    """Run a function of a test module in a child process; beyond `cpu` seconds it hangs."""
    zygote = _get_zygote()
    request = pickle.dumps((cpu, (step.__module__, step.__qualname__, args, kwargs)))
    assert zygote.stdin is not None and zygote.stdout is not None
    zygote.stdin.write(struct.pack("<Q", len(request)) + request)
    zygote.stdin.flush()
    (size,) = struct.unpack("<Q", zygote.stdout.read(8))
    outcome: Outcome = pickle.loads(zygote.stdout.read(size))
    return outcome


# ---------------------------------------------------------------------------------------------------------------------
# What tests say of an outcome

SECONDS = 1.0
PEAK_MB = 128.0


def within(outcome: Outcome, seconds: float = SECONDS, peak: float = PEAK_MB) -> Outcome:
    """The step ended, cheaply; assert it."""
    assert not outcome.hung, str(outcome)
    assert outcome.seconds <= seconds, str(outcome)
    assert outcome.peak <= peak, str(outcome)
    return outcome


def refused(outcome: Outcome, *codes: str, says: str = "", seconds: float = SECONDS, peak: float = PEAK_MB) -> Outcome:
    """The step was refused by a named issue that has both languages, cheaply; assert it.

    codes: one of them must be among the issues; says: words that one of the facts (in either language) must have.
    """
    within(outcome, seconds, peak)
    assert outcome.error, f"not refused: {outcome}"
    assert not outcome.foreign, f"a foreign exception: {outcome}"
    assert outcome.issues, str(outcome)
    for issue in outcome.issues:
        assert issue.fact, str(outcome)
        assert hasattr(issue.fact, "zh") and issue.fact.zh, f"no Chinese: {outcome}"
        assert "please report" not in str(issue.hint), f"nobody foresaw this: {outcome}"
    if codes:
        assert set(codes) & set(outcome.codes), f"wanted one of {codes}: {outcome}"
    if says:
        facts = [
            f"{issue.place} {issue.fact} {issue.fact.zh} {getattr(issue.hint, 'zh', '')}" for issue in outcome.issues
        ]
        assert any(says in fact for fact in facts), f"nothing says {says!r}: {outcome}"
    return outcome


def fine(outcome: Outcome, seconds: float = SECONDS, peak: float = PEAK_MB) -> Any:
    """The step gave its value, cheaply; assert it and return the value."""
    within(outcome, seconds, peak)
    assert not outcome.error, str(outcome)
    return outcome.value


# ---------------------------------------------------------------------------------------------------------------------
# The clean process

_zygote: subprocess.Popen[bytes] | None = None


def _get_zygote() -> subprocess.Popen[bytes]:
    global _zygote
    if _zygote is None or _zygote.poll() is not None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
        _zygote = subprocess.Popen(
            [sys.executable, "-c", "from tests.trust.child import serve; serve()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment,
        )  # fmt: skip
        atexit.register(_zygote.kill)
    return _zygote


def serve() -> None:
    """Answer requests until stdin ends: fork, run, tell."""
    for module in PRELOADED:
        importlib.import_module(module)
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a step prints must not get among the answers
    while head := stdin.read(8):
        request = stdin.read(struct.unpack("<Q", head)[0])
        cpu, call = pickle.loads(request)
        answer = pickle.dumps(_serve_one(call, cpu))
        stdout.write(struct.pack("<Q", len(answer)) + answer)
        stdout.flush()


def _serve_one(call: tuple[Any, ...], cpu: int) -> Outcome:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        status = 1
        try:
            os.setsid()
            resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY, 2 * MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 1))
            answer = pickle.dumps(_attempt(call))
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(answer)
            status = 0
        finally:
            os._exit(status)
    os.close(writer)
    chunks, hung = _collect(reader, time.monotonic() + HANG_SECONDS + 4 * cpu, pid)
    os.close(reader)
    _, status, usage = os.wait4(pid, 0)
    seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    if hung or (
        os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL) and seconds > cpu - 0.5
    ):
        return Outcome(error="Hang", foreign=True, hung=True, seconds=seconds, peak=peak)
    if status:
        return Outcome(error="Died", text=f"status {status}", foreign=True, seconds=seconds, peak=peak)
    found = pickle.loads(b"".join(chunks))
    return Outcome(**found, seconds=seconds, peak=peak)


def _collect(reader: int, deadline: float, pid: int) -> tuple[list[bytes], bool]:
    chunks: list[bytes] = []
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            os.killpg(pid, signal.SIGKILL)
            return chunks, True
        chunk = os.read(reader, 1 << 20)
        if not chunk:
            return chunks, False
        chunks.append(chunk)


def _attempt(call: tuple[Any, ...]) -> dict[str, Any]:
    from gfdocs.errors import GfdocsError

    module, name, args, kwargs = call
    step = getattr(importlib.import_module(module), name)
    try:
        return {"value": step(*args, **kwargs)}
    except GfdocsError as fault:
        return {"error": type(fault).__name__, "text": str(fault), "issues": fault.issues}
    except BaseException as fault:
        return {"error": type(fault).__name__, "text": str(fault)[:2000], "foreign": True}
