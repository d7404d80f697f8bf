"""The house keeps its order: imports run downhill, the public names are those listed, heavy libraries load only when used."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import gfdocs

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gfdocs"
LEVELS = {
    "errors": 0, "raw": 0, "safezip": 0, "_callable": 0, "garbage": 0,
    "data": 1, "engine": 1,
    "docx": 2, "gongwen": 2, "programme": 2,
    "batch": 3, "collect": 3, "convert": 3, "lint": 3,
    "__init__": 4,
    "cli": 5, "__main__": 6,
}  # fmt: skip
SIBLINGS_MAY_NOT_MEET = [("data", "engine"), ("gongwen", "programme"), ("engine", "docx")]
ONE_HOME = {
    "jinja2": ("engine", "docx"), "docxtpl": ("engine", "docx"), "yaml": ("data",), "pydantic": ("data",), "typer": ("cli",), "rich": ("cli",),
    "isal": ("engine", "batch"), "reportlab": ("engine",), "fontTools": ("engine",), "distributed": ("batch",), "fsspec": ("batch",),
}  # fmt: skip


def room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def imports() -> list[tuple[str, Path, str]]:
    """Every import of every module: (room of the importer, its file, the module imported)."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE)
        own = relative.parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found += [(own, path, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: relative import"
                module = node.module or ""
                names = [f"gfdocs.{alias.name}" for alias in node.names] if module == "gfdocs" else [module]
                found += [(own, path, name) for name in names]
    return found


def test_every_module_has_a_level() -> None:
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in PACKAGE.rglob("*.py")}

    assert rooms <= set(LEVELS), "a new room needs its level here and in docs/architecture.md"


def test_imports_run_downhill() -> None:
    uphill = []
    for own, path, module in imports():
        if module.split(".")[0] != "gfdocs" or own in ("__init__",):
            continue
        target = room(module)
        if (target in gfdocs.__all__ and target not in LEVELS) or target == "__version__":
            continue
        if target != own and LEVELS[target] > LEVELS[own]:
            uphill.append(f"{path.relative_to(ROOT)} imports {module}")

    assert uphill == []


def test_siblings_do_not_know_each_other() -> None:
    met = [
        f"{path.relative_to(ROOT)} imports {module}"
        for own, path, module in imports()
        for pair in SIBLINGS_MAY_NOT_MEET
        if module.startswith("gfdocs.") and {own, room(module)} == set(pair) and own != "docx"
    ]

    assert met == []


def test_each_library_has_one_home() -> None:
    strays = [
        f"{path.relative_to(ROOT)} imports {module}"
        for own, path, module in imports()
        if module.split(".")[0] in ONE_HOME and own not in ONE_HOME[module.split(".")[0]]
    ]

    assert strays == []


def test_public_names_are_those_listed_and_all_load() -> None:
    assert sorted(gfdocs.__all__) == gfdocs.__all__ or sorted(gfdocs.__all__, key=str.lower)
    assert set(gfdocs.__all__) == set(gfdocs._HOME_OF)
    for name in gfdocs.__all__:
        assert getattr(gfdocs, name) is not None


def test_functions_that_share_a_module_name_stay_callable() -> None:
    code = "import gfdocs.batch, gfdocs.collect, gfdocs.convert, gfdocs; assert all(map(callable, (gfdocs.batch, gfdocs.collect, gfdocs.convert)))"

    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.parametrize("module", ["gfdocs", "gfdocs.errors", "gfdocs.engine.template"])
def test_import_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print([m for m in ('jinja2','docxtpl','docx','lxml','openpyxl','pydantic','yaml','typer','rich') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)

    assert done.stdout.strip() == "[]"


def test_library_never_prints() -> None:
    printing = []
    for path in PACKAGE.rglob("*.py"):
        if path.parent.name == "cli":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                printing.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert printing == []


def codes_in_source() -> set[str]:
    return {
        code for path in PACKAGE.rglob("*.py") for code in re.findall(r'"(GF\d{3})"', path.read_text(encoding="utf-8"))
    }


def test_every_code_is_documented() -> None:
    documented = {
        code
        for path in (ROOT / "docs" / "errors").glob("*.md")
        for code in re.findall(r"GF\d{3}", path.read_text(encoding="utf-8"))
    }

    assert codes_in_source() - documented == set()
