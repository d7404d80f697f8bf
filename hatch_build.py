"""Compile `gfdocs/engine/docx/_rows.c` when gfdocs is installed: where that fails, the wheel is pure Python, and slower.

Run by hatchling (`[tool.hatch.build.targets.wheel.hooks.custom]` in pyproject.toml).
"""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODULE = "gfdocs.engine.docx._rows"
SOURCE = "gfdocs/engine/docx/_rows.c"


class CompileHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the compiled module to a wheel; an editable one has it beside its source."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if platform.python_implementation() != "CPython":
            return
        self.scratch = TemporaryDirectory()
        try:
            built = compile_module(Path(self.root) / SOURCE, Path(self.scratch.name))
            if version == "editable":
                put_beside(built, Path(self.root) / SOURCE)
        except (Exception, SystemExit) as fault:
            self.app.display_warning(f"gfdocs is installed without its compiled part, which is slower: {fault}")
            return
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        if version != "editable":
            build_data["force_include"][str(built)] = f"{Path(SOURCE).parent.as_posix()}/{built.name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if hasattr(self, "scratch"):
            self.scratch.cleanup()


def compile_module(source: Path, scratch: Path) -> Path:
    """Return the compiled module, made in a folder of its own. Any fault of the compiler passes."""
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    # rows.py asks for the check sum: what an older source was compiled to is not used with a newer one.
    known = str(crc32(source.read_bytes()) & 0x7FFFFFFF)
    extension = Extension(MODULE, [str(source)], define_macros=[("SOURCE", known)])
    if os.name == "posix":
        extension.extra_compile_args = ["-g0"]  # no symbols for a debugger, which name the folder it was made in
    command = build_ext(Distribution({"ext_modules": [extension]}))
    command.build_temp = command.build_lib = str(scratch)
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(MODULE))


def put_beside(built: Path, source: Path) -> None:
    """Put the module beside its source in one step: who imports it meanwhile has the old one or the new one whole."""
    unfinished = source.with_name(f"{os.getpid()}-{built.name}")
    try:
        shutil.copy(built, unfinished)
        os.replace(unfinished, source.with_name(built.name))
    finally:
        unfinished.unlink(missing_ok=True)
