"""Compile `gfdocs/engine/docx/_rows.c` when gfdocs is installed: where that fails, the wheel is pure Python, and slower.

Run by hatchling (`[tool.hatch.build.targets.wheel.hooks.custom]` in pyproject.toml).
"""

from __future__ import annotations

import platform
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "gfdocs.engine.docx._rows"
SOURCE = "gfdocs/engine/docx/_rows.c"


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled module to a wheel; an editable one has it beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if platform.python_implementation() != "CPython":
            return
        try:
            built = compile_module(Path(self.root), in_place=version == "editable")
        except (Exception, SystemExit) as fault:
            self.app.display_warning(f"gfdocs is installed without its compiled part, which is slower: {fault}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version != "editable":
            build_data["force_include"][str(built)] = f"{Path(SOURCE).parent.as_posix()}/{built.name}"


def compile_module(root: Path, *, in_place: bool) -> Path:
    """Return the compiled module: beside its source, or in a new temporary folder. Any fault of the compiler passes."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    scratch = mkdtemp()
    extension = Extension(MODULE, [str(root / SOURCE)])
    command = build_ext(Distribution({"ext_modules": [extension]}))
    command.build_temp = scratch
    command.build_lib = str(root) if in_place else scratch
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(MODULE))
