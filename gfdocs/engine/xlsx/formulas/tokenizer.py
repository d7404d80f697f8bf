"""openpyxl's formula tokenizer, without the rest of openpyxl.

Importing any part of openpyxl imports all of it: about 150 ms of code for reading, charts and drawings, more than a
whole render. The tokenizer's own file needs nothing but `re`, so it is loaded by its path; where the package is
loaded already, its own module is used.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any


@cache
def load_tokenizer() -> Any:
    """Return the module openpyxl.formula.tokenizer, with Tokenizer, Token and TokenizerError."""
    if "openpyxl" not in sys.modules:
        package = find_spec("openpyxl")
        for folder in (package.submodule_search_locations or ()) if package else ():
            spec = spec_from_file_location("gfdocs.engine.xlsx._tokenizer", Path(folder) / "formula" / "tokenizer.py")
            if spec is not None and spec.loader is not None and spec.origin and Path(spec.origin).is_file():
                module = module_from_spec(spec)
                spec.loader.exec_module(module)
                return module
    from openpyxl.formula import tokenizer

    return tokenizer
