"""Types of the compiled `_rows.c`."""

from collections.abc import Callable
from typing import Any

def fill(
    fixed: tuple[bytes, ...],
    writers: tuple[Callable[[Any], bytes], ...],
    rows: tuple[tuple[Any, ...], ...],
    plain: frozenset[type],
    longest: int,
    /,
) -> bytes: ...
