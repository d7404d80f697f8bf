"""Making every document of a round: plan, run, verify, compare.

    plan      the jobs of a batch, with safe and unique names; pure
    batch     makes them: whole packages, resumable, in parallel
    verify    is an output folder what its manifest says?
    diff      what changed between two batches, in words

The package can be called as the function: `gfdocs.batch(project, "out")` holds whichever of the two the name was
bound to.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gfdocs.batch.differ import Difference, diff
    from gfdocs.batch.jobs import Job, plan
    from gfdocs.batch.manifest import Failure, FileRecord, Manifest, PackageRecord, Report, read_manifest
    from gfdocs.batch.run import batch
    from gfdocs.batch.verifying import verify

__all__ = [
    "Difference", "Failure", "FileRecord", "Job", "Manifest", "PackageRecord", "Report", "batch", "diff", "plan",
    "read_manifest", "verify",
]  # fmt: skip

_HOMES = {
    "batch": "run", "diff": "differ", "Difference": "differ", "Failure": "manifest", "FileRecord": "manifest",
    "Manifest": "manifest", "PackageRecord": "manifest", "Report": "manifest", "read_manifest": "manifest",
    "Job": "jobs", "plan": "jobs", "verify": "verifying",
}  # fmt: skip


class _Batch(ModuleType):
    """The package itself, callable: a submodule that is imported takes the place of a function of its name in its
    parent.
    """

    def __getattr__(self, name: str) -> Any:
        if name in _HOMES:
            return _get(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _get("batch")(*args, **kwargs)


def _get(name: str) -> Any:
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


sys.modules[__name__].__class__ = _Batch
