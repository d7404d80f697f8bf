"""Draws every built-in template again: `python templates/source/draw.py [NAME …]`. The same code always gives the same bytes.

A kind of template adds its module to `REGISTRY`: a module with `draw() -> {file name: bytes}`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TEMPLATES = HERE.parent
REGISTRY = ("draw_docx", "draw_xlsx", "draw_collected", "draw_starter", "draw_plaque")


def draw_all() -> dict[str, bytes]:
    """Return all templates by file name."""
    for folder in (HERE, TEMPLATES.parent):  # the drawing modules, and gfdocs of this checkout
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    drawn: dict[str, bytes] = {}
    for module in REGISTRY:
        if importlib.util.find_spec(module) is not None:
            drawn.update(importlib.import_module(module).draw())
    return drawn


def main(names: list[str]) -> int:
    """Write the templates (all, or those named) beside this folder."""
    drawn = draw_all()
    unknown = set(names) - set(drawn)
    if unknown:
        sys.stderr.write(f"no such template: {', '.join(sorted(unknown))}; there are {', '.join(sorted(drawn))}\n")
        return 2
    for name in names or sorted(drawn):
        (TEMPLATES / name).write_bytes(drawn[name])
        sys.stdout.write(f"{name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
