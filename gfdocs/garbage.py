"""Python's garbage collector, kept from looking again and again through hundreds of thousands of records that stay."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
