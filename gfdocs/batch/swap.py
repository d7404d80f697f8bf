"""Moving folders into place: exchanged in one step where the system can, so that a reader sees the old or the new,
never neither.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Callable
from functools import cache

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h
_UNSUPPORTED = frozenset({errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


def exchange(one: str, other: str) -> bool:
    """Exchange two folders that are both there, in one step.

    Return False where system or disk can't; raises OSError.
    """
    call = _find_exchange()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = ctypes.get_errno()
    if number in _UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), one)


@cache
def _find_exchange() -> Callable[[bytes, bytes], int] | None:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            renameat2 = library.renameat2  # glibc 2.28, musl 1.2.4
            return lambda one, other: int(renameat2(_AT_FDCWD, one, _AT_FDCWD, other, _RENAME_EXCHANGE))
        if sys.platform == "darwin":
            renamex_np = library.renamex_np
            return lambda one, other: int(renamex_np(one, other, _RENAME_SWAP))
    except (OSError, AttributeError, TypeError):
        pass
    return None


def swap_in(staged: str, final: str, aside: str) -> None:
    """Put the staged folder in place of the final one. What was there is under `staged` or `aside` afterwards.

    Without an exchange the old folder is renamed aside first; `put_back` repairs what an interruption leaves between
    the two renames.
    """
    if not os.path.lexists(final):
        os.rename(staged, final)
    elif not exchange(staged, final):
        os.makedirs(os.path.dirname(aside), exist_ok=True)
        os.rename(final, aside)
        os.rename(staged, final)


def is_folder(path: str) -> bool:
    """True for a folder that is no link to one."""
    return os.path.isdir(path) and not os.path.islink(path)


def put_back(aside: str, out: str) -> None:
    """Rename each folder that stands aside back to where it was, unless something is there again."""
    for name in sorted(os.listdir(aside)) if os.path.isdir(aside) else ():
        final = os.path.join(out, name)
        if not os.path.lexists(final):
            os.rename(os.path.join(aside, name), final)


def sync(folder: str) -> None:
    """Wait until all that was written to the disk of this folder is on it: one call, not one a file."""
    if sys.platform == "linux":
        handle = os.open(folder, os.O_RDONLY)
        try:
            if _syncfs(handle) == 0:
                return
        finally:
            os.close(handle)
    if hasattr(os, "sync"):
        os.sync()
    else:
        _sync_each(folder)


def _syncfs(handle: int) -> int:
    """Call syncfs(2): 10 ms for 222 files where an fsync of each takes 60 ms. Raises OSError where the disk failed."""
    try:
        code = int(ctypes.CDLL(None, use_errno=True).syncfs(handle))
    except (OSError, AttributeError):
        return -1
    if code != 0 and ctypes.get_errno() != errno.ENOSYS:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return code


def _sync_each(folder: str) -> None:
    """Flush each file: Windows has no call for a whole disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            handle = os.open(os.path.join(place, name), os.O_RDWR | getattr(os, "O_BINARY", 0))
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
