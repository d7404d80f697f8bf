"""Documents from data: the papers of a green-factory round (绿色工厂), and any docx, xlsx or svg template.

>>> import gfdocs
>>> project = gfdocs.load("examples/demo-district")            # doctest: +SKIP
>>> project.render("plaque", company="示例电子有限公司").save("plaque.svg")  # doctest: +SKIP
>>> gfdocs.open_template("my.docx").render({"name": "甲厂"}).save("out.docx")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gfdocs.batch import Manifest, batch, diff, plan, verify
    from gfdocs.collect import Collected, collect
    from gfdocs.convert import convert
    from gfdocs.data.schema import json_schema
    from gfdocs.engine.template import Document, Template, open_template
    from gfdocs.errors import (
        BudgetExceeded,
        ConvertError,
        DataError,
        GfdocsError,
        Issue,
        NameMissing,
        NotFound,
        OutputError,
        OutputExists,
        PackageError,
        Place,
        ReadBackError,
        TagError,
        TemplateError,
    )
    from gfdocs.gongwen.check import check_docx
    from gfdocs.programme.project import Project, load

__version__ = "0.1.0"

_HOMES = {
    "gfdocs.errors": (
        "BudgetExceeded", "ConvertError", "DataError", "GfdocsError", "Issue", "NameMissing", "NotFound", "OutputError",
        "OutputExists", "PackageError", "Place", "ReadBackError", "TagError", "TemplateError",
    ),
    "gfdocs.engine.template": ("Document", "Template", "open_template"),
    "gfdocs.programme.project": ("Project", "load"),
    "gfdocs.batch": ("Manifest", "batch", "diff", "plan", "verify"),
    "gfdocs.collect": ("Collected", "collect"),
    "gfdocs.convert": ("convert",),
    "gfdocs.gongwen.check": ("check_docx",),
    "gfdocs.data.schema": ("json_schema",),
}  # fmt: skip
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "BudgetExceeded", "Collected", "ConvertError", "DataError", "Document", "GfdocsError", "Issue", "Manifest", "NameMissing",
    "NotFound", "OutputError", "OutputExists", "PackageError", "Place", "Project", "ReadBackError", "TagError", "Template",
    "TemplateError", "batch", "check_docx", "collect", "convert", "diff", "json_schema", "load", "open_template", "plan", "verify",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'gfdocs' has no attribute {name!r}")
    # `gfdocs.batch` is the function and also the name of a module: the import puts the module into our namespace, so set the name after it.
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
