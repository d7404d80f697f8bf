"""Python's garbage collector, kept from looking again and again through hundreds of thousands of records that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 100_000  # new objects between two looks at the young: some 10 MB at most; Python has 700


def relax() -> None:
    """Look for garbage seldom, for the life of this process and of those it forks: for a command, not for a library."""
    gc.set_threshold(_YOUNG)


def leave() -> None:
    """Let this process end without looking once more through all it holds; what has to be done at the end still is."""
    gc.freeze()


@contextmanager
def paused() -> Iterator[None]:
    """Collect nothing meanwhile: for work that builds much, all of which lives on."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def frozen() -> Iterator[None]:
    """Leave what there is now out of collections meanwhile; what comes is collected as ever."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
