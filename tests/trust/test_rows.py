"""Every threat of the table has a test, and the measuring of the tests measures."""

from __future__ import annotations

import re
from pathlib import Path

from tests.trust import steps
from tests.trust.child import run
from tests.trust.rows import ROWS


def test_each_of_the_49_threats_has_a_test() -> None:
    assert len(ROWS) == len(set(ROWS)) == 49
    texts = [path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")]
    named = {
        name for text in texts for call in re.findall(r"@row\(([^)]*)\)", text) for name in re.findall(r'"(\w+)"', call)
    }
    assert set(ROWS) - named == set()


def test_the_child_tells_what_a_step_costs() -> None:
    assert run(steps.hold, 200).peak > 200
    assert run(steps.spin, 1.2).seconds > 1.1
    assert run(steps.spin, 0).peak < 64


def test_the_child_tells_a_foreign_exception_from_one_of_ours() -> None:
    assert run(steps.open_only, 5, "svg").foreign
    ours = run(steps.open_only, b"", "docx")
    assert not ours.foreign and ours.codes
