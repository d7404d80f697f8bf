"""Who looks for something in the workbook engine finds it by the names of folders: imports run downhill through them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

PACKAGE = "gfdocs.engine.xlsx"
ROOT = Path(__file__).resolve().parents[2] / "gfdocs" / "engine" / "xlsx"
LEVELS = {"geometry": 0, "formulas": 1, "template": 2, "rows": 3, "around": 4, "back": 5, "render": 5, "__init__": 6}
#: Imports for types alone that run uphill.
KNOWN = {("around.book", "render"), ("around.properties", "render")}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def modules() -> dict[str, ast.Module]:
    return {name_of(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.rglob("*.py"))}


def imports(tree: ast.Module, names: set[str], *, everywhere: bool) -> Iterator[str]:
    """The modules of the engine that one imports: at its head, or everywhere (in functions, for types)."""
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            module = (node.module or "").removeprefix(f"{PACKAGE}.")
            if module in names:
                yield module
            else:
                yield from (f"{module}.{alias.name}" for alias in node.names)


def test_imports_run_downhill_through_the_folders() -> None:
    found = modules()
    uphill = {
        (name, target.split(".")[0])
        for name, tree in found.items()
        for target in imports(tree, set(found), everywhere=True)
        if LEVELS[target.split(".")[0]] > LEVELS[name.split(".")[0]]
    }

    assert uphill <= KNOWN


def test_no_module_imports_itself_in_a_circle() -> None:
    found = modules()
    graph = {
        name: {
            target
            for target in imports(tree, set(found), everywhere=True)
            if LEVELS[target.split(".")[0]] <= LEVELS[name.split(".")[0]]
        }
        for name, tree in found.items()
    }
    circles = []

    def walk(name: str, path: tuple[str, ...]) -> None:
        if name in path:
            circles.append((*path[path.index(name) :], name))
            return
        if name not in done:
            for target in sorted(graph.get(name, ())):
                walk(target, (*path, name))
            done.add(name)

    done: set[str] = set()
    for name in graph:
        walk(name, ())

    assert circles == []


def test_every_module_says_at_its_head_what_it_is_for() -> None:
    silent = [name for name, tree in modules().items() if not ast.get_docstring(tree)]

    assert silent == []
