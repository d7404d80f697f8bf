"""Every code of this room is explained, and every code that is explained can happen."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_is_explained_in_both_languages() -> None:
    used = set()
    for path in (ROOT / "gfdocs").rglob("*.py"):
        used |= set(re.findall(r'"(GF5\d\d)"', path.read_text(encoding="utf-8")))
    rows = re.findall(
        r"^\| (GF5\d\d) \| (.+?) \| (.+?) \|", (ROOT / "docs/errors/GF5xx.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {code for code, _, _ in rows} == used
    assert all(re.search(r"[\u4e00-\u9fff]", zh) and not re.search(r"[\u4e00-\u9fff]{4}", en) for _, en, zh in rows)
    assert [code for code, _, _ in rows] == sorted(code for code, _, _ in rows)
