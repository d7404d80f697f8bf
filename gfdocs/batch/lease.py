"""The lease of a prefix in an object store: one run at a time, with nothing but put, list and remove.

A run puts an object with a name of its own (`.gfdocs-lease-<token>-<turn>`) beside the packages and lists: it has the
lease where no other is there. Of two runs the one that put later sees the other in every list, so never both have it,
however slow the one or the other is; which of them leaves is decided by the tokens. While it works a run gives signs of
life: it puts the next turn, sees that the one before is still there, and removes that. A lease without a sign for
`SECONDS` is removed by the next run, whose last list must show no newer turn; its holder, where it lives, finds its
turn gone and stops before it writes the manifest. Ages are differences of the store's own times: no clock of ours
decides. Needs a store whose lists show at once what was put (S3, OSS, GCS, Azure, MinIO do).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from contextlib import suppress
from platform import node
from typing import Any, NamedTuple, Protocol

from gfdocs.batch import faults
from gfdocs.batch.options import Clock
from gfdocs.errors import OutputError

PREFIX = ".gfdocs-lease-"
SECONDS = 600  # without a sign of life before the next run may take over
_LOOKS, _PAUSE = 12, 0.25  # how often, and how far apart in seconds, a run looks whether the others have left


class LeaseStore(Protocol):
    """What a lease asks of a store. `find_age`: by how many seconds an object is older than another, None where the
    store does not tell.
    """

    url: str

    def put(self, path: str, data: bytes) -> None: ...
    def find(self, path: str) -> bytes | None: ...
    def remove(self, path: str) -> None: ...
    def list_names(self) -> set[str]: ...
    def find_age(self, path: str, newer: str) -> float | None: ...


class _Other(NamedTuple):
    path: str
    age: float | None

    @property
    def is_dead(self) -> bool:
        return self.age is not None and self.age > SECONDS


class Lease:
    """The lease of one run: `take` it before anything is read, `renew` it as work goes on, `release` it in any case."""

    def __init__(self, store: LeaseStore, clock: Clock | None) -> None:
        self._store, self._clock = store, clock
        self.token = secrets.token_hex(8)
        self._own = f"{PREFIX}{self.token}-"
        self._turn = 0
        self._renewed = 0.0

    @property
    def path(self) -> str:
        """The object that is the lease now."""
        return f"{self._own}{self._turn}"

    def take(self) -> None:
        """Take the lease. Raises OutputError GF525 where another run has it."""
        self._put()
        others: list[_Other] = []
        for _ in range(_LOOKS):
            others = self._find_others()
            if not others:
                return
            for other in others:
                if other.is_dead:
                    self._store.remove(other.path)
            living = [other for other in others if not other.is_dead]
            if any(other.path < self.path for other in living):
                break
            if living:
                time.sleep(_PAUSE)  # they leave, unless they had the lease before
        raise self._describe(max(others, key=lambda other: other.age or 0))

    def renew(self, *, at_once: bool = False) -> None:
        """Give a sign of life, where the clock says that it is time or there is none.

        Raises OutputError GF526 where another run took over.
        """
        # A clock that goes back tells nothing: then it is time.
        if self._clock and not at_once and 0 <= self._clock() - self._renewed < SECONDS / 20:
            return
        before = self.path
        self._turn += 1
        self._put()
        if before not in self._store.list_names():
            raise faults.overtaken(self._store.url)
        self._store.remove(before)

    def release(self) -> None:
        """Give the lease back. Where the store does not answer it ends by itself."""
        with suppress(OutputError):
            for name in self._store.list_names():
                if name.startswith(self._own):
                    self._store.remove(name)

    def _put(self) -> None:
        self._renewed = self._clock() if self._clock else 0.0
        self._store.put(self.path, json.dumps({"process": os.getpid(), "host": node()}).encode())

    def _find_others(self) -> list[_Other]:
        names = self._store.list_names()
        if self.path not in names:
            raise faults.overtaken(self._store.url)
        paths = sorted(name for name in names if name.startswith(PREFIX) and not name.startswith(self._own))
        return [_Other(path, self._store.find_age(path, self.path)) for path in paths]

    def _describe(self, other: _Other) -> OutputError:
        left = None if other.age is None else max(SECONDS - int(other.age), 0)
        return faults.leased(self._store.url, _read_holder(self._store.find(other.path)), other.path, left)


def _read_holder(data: bytes | None) -> str:
    """Return `4711@host` of a lease's object, or an empty text: anybody may have written it."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        entry: Any = json.loads((data or b"")[:1000])
        holder = f"{entry['process']}@{entry['host']}"
        return holder if re.fullmatch(r"[0-9]{1,10}@[\w.-]{0,100}", holder) else ""
    return ""
