"""Every message of an error says what to do, in both languages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "gfdocs"
ROOMS = ("safezip", "collect.py", "convert.py", "lint.py", "cli", "data", "programme")
FILES = [path for room in ROOMS for path in ([PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).glob("*.py")))]  # fmt: skip


def issues_without_hint(path: Path) -> Iterator[str]:
    """Calls of Issue(code, severity, place, fact) and issues.add(code, place, fact) that end there; notes may."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or any(keyword.arg == "hint" for keyword in node.keywords):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        has_code = (
            bool(node.args) and isinstance(node.args[0], ast.Constant) and str(node.args[0].value).startswith("GF")
        )
        enough = {"Issue": 5, "add": 4}.get(name)
        if has_code and enough and len(node.args) < enough and "note" not in ast.dump(node):
            yield f"{path.name}:{node.lineno}"


def texts_in_one_language(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Text" and len(node.args) == 1:
            value = node.args[0]
            if not (isinstance(value, ast.Constant) and value.value == ""):
                yield f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_error_says_what_to_do_in_both_languages(path: Path) -> None:
    assert [*issues_without_hint(path), *texts_in_one_language(path)] == []
