"""Mutated files: whatever is done to them, what comes out is a document, data, or our own named refusal, soon.

150 mutants of each kind by default, GFDOCS_NIGHTLY=1: 2,000. A found case is kept by its number in FOUND.
"""

from __future__ import annotations

import os

import pytest

from tests.trust import steps
from tests.trust.child import run
from tests.trust.rows import row

KINDS = ("docx", "xlsx", "svg", "yaml", "csv")
COUNT = 2000 if os.environ.get("GFDOCS_NIGHTLY") else 150
BLOCK = 50
FOUND: dict[str, tuple[int, ...]] = {"docx": (), "xlsx": (), "svg": (), "yaml": (), "csv": ()}


@row("mutated_1000")
@pytest.mark.parametrize("kind", KINDS)
def test_no_mutant_brings_a_foreign_exception_or_a_hang(kind: str) -> None:
    foreign, slow, unforeseen, refused, whole, peak = [], [], [], 0, 0, 0.0
    blocks = [(start, start + BLOCK) for start in range(0, COUNT, BLOCK)] + [
        (number, number + 1) for number in FOUND[kind]
    ]
    for start, stop in blocks:
        outcome = run(steps.meet_mutants, kind, start, stop, cpu=150)
        assert not outcome.error, f"mutants {start} to {stop}: {outcome}"
        foreign += outcome.value["foreign"]
        slow += outcome.value["slow"]
        unforeseen += outcome.value["unforeseen"]
        refused += outcome.value["ours"]
        whole += outcome.value["fine"]
        peak = max(peak, outcome.peak)
    assert refused + whole >= COUNT
    assert foreign == [], f"{len(foreign)} foreign exceptions"
    assert [found for found in slow if found[1] > 2.0] == []
    assert unforeseen == [], f"{len(unforeseen)} that nobody foresaw"
    assert peak < 256
    assert refused > COUNT // 10, "these mutants prove nothing"
