"""A run in a process of its own, started when it is told to: `python -m tests.batch.racer`, orders and answers as lines of JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from gfdocs.batch import batch, cloud, lease
from gfdocs.errors import GfdocsError
from tests.batch.fakes import FakeProject

PROJECTS = {
    "old": {"each": 2},
    "new": {"each": 2, "districts": ("张家港市", "常熟市", "昆山市", "太仓市"), "round_name": "示例省第四批", "energy": 7},
    "slow": {"each": 2, "round_name": "示例省第五批", "templates": {"plaque": {"slow": 0.5}}},
}  # fmt: skip


def make_project(name: str) -> FakeProject:
    return FakeProject(**PROJECTS[name])  # type: ignore[arg-type]


def run(order: dict[str, Any]) -> dict[str, Any]:
    """Make the batch that is ordered; return its code and the times between which it had the lease."""
    held: list[float] = []
    real = cloud._StoreRun.run

    def timed(self: Any) -> Any:
        held.append(time.monotonic())
        try:
            return real(self)
        finally:
            held.append(time.monotonic())

    cloud._StoreRun.run = timed  # type: ignore[method-assign]
    try:
        batch(make_project(order["project"]), order["url"], zip=order.get("zip", False), storage=order.get("storage"))
        return {"code": "", "held": held}
    except GfdocsError as error:
        return {"code": error.issues[0].code, "held": held, "said": str(error)}
    finally:
        cloud._StoreRun.run = real  # type: ignore[method-assign]


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        lease.SECONDS = order.get("seconds", lease.SECONDS)
        while time.monotonic() < order.get("start", 0):
            pass
        print(json.dumps(run(order)), flush=True)


if __name__ == "__main__":
    main()
