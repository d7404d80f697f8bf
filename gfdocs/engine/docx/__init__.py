"""Word documents: docxtpl's template words, compiled once, rendered fast and safely.

story      a part as its author sees it: paragraphs, places, tags
lexer      where a tag ends, and its number
check      every fault of the tags, with its place
words      docxtpl's own words written out for Jinja
prepare    the source that Jinja compiles; where each tag stands
balance    whether every way through it is well-formed
values     how a value is printed there
links      tags in the addresses of hyperlinks, each link related as it is filled in
pictures   media, relations and content types that values bring
finish     what the rendered XML needs after all
compiled   the template that comes of it
comments   a copy with Word comments at the faults
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gfdocs.engine.docx.comments import annotate
    from gfdocs.engine.docx.compiled import CompiledDocx
    from gfdocs.engine.template import Options

__all__ = ["annotate", "compile"]


def __getattr__(name: str) -> Any:
    if name == "annotate":
        from importlib import import_module

        return import_module("gfdocs.engine.docx.comments").annotate
    raise AttributeError(f"module 'gfdocs.engine.docx' has no attribute {name!r}")


def compile(data: bytes, *, name: str, options: Options) -> CompiledDocx:  # noqa: A001 - the Kind protocol's word
    """Return the compiled template; PackageError or TemplateError with every fault of the file."""
    from gfdocs.engine.docx.compiled import compile_docx

    return compile_docx(data, name=name, options=options)
