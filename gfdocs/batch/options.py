"""How a batch is run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date as Date  # noqa: N812 - `date` is the field
from typing import TYPE_CHECKING

from gfdocs.batch.jobs import Job

if TYPE_CHECKING:  # it brings logging and threads with it
    from concurrent.futures import Executor

Progress = Callable[[int, int, Job], None]
Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of one call; `batch` says what each means. `started` is the clock at its beginning."""

    zip: bool = False
    workers: int = 1
    executor: Executor | str | None = None
    strict: bool = False
    replace: bool = False
    durable: bool = True
    date: Date | None = None
    progress: Progress | None = None
    clock: Clock | None = None
    storage: dict[str, object] = field(default_factory=dict)
    started: float = 0.0


def get_version() -> str:
    """Return the version of gfdocs; it is part of what a document is made from."""
    return str(sys.modules["gfdocs"].__version__)  # not an import: this room lies below the package's own face
