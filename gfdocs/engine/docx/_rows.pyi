"""Types of the compiled `_rows.c`."""

from collections.abc import Callable
from typing import Any

SOURCE: int

def fill(
    fixed: tuple[bytes, ...],
    writers: tuple[Callable[[Any], bytes], ...],
    values: tuple[Any, ...],
    numbers: tuple[type, ...],
    longest: int,
    room: int,
    /,
) -> bytes | None: ...
def pick(keys: tuple[str, ...], items: tuple[Any, ...], /) -> tuple[Any, ...] | None: ...
