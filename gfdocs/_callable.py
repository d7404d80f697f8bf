"""Lets `gfdocs.batch(…)` work whether `gfdocs.batch` is at that moment the function or the module of the same name.

Importing a submodule binds its name in the package, over a function of that name; so the module answers calls itself.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class _CallableModule(ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, self.__name__.rpartition(".")[2])(*args, **kwargs)


def set_callable(module: str) -> None:
    """Make the module of that full name call its function of the same last name."""
    sys.modules[module].__class__ = _CallableModule
