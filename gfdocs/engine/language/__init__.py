"""The one template language: Jinja in a sandbox, escaped always, within a budget, strict about names.

All kinds use the same `Language` (a Jinja environment) and the same way to compile:

- `make_environment(...)` gives the environment; `compile_expression` one expression of it; `compile_source` a whole
  text with tags, as a `Program` whose `render` gives chunks and whose faults know their place.
- Values are escaped where they are printed (an *outlet*), whatever the template says; `|e` and `|safe` change nothing.
  None prints nothing. A mapping's keys come before its methods, so `order.items` is the data's.
- A name that is missing is an error, a visible mark `【缺：company.name】` or blank: the missing policy.

Faults are not sought while rendering is well: only when a render fails is it done again in a tracing form, which
finds every fault of that run, each with its place and the field of the data it stems from.

From below upwards, each importing only what is above it here:

characters   what may be written at all, and how it is escaped
missing      what a template gets for a name that the data does not have
tree         a parsed template looked at: guards, sizes
trace        which line and which field of the data a fault came from
lexing       its tokens, found as Jinja finds them
generator    Python code of it: outlets, rows printed many at a time
sandbox      `Language`, the environment it runs in
environment  `make_environment`: filters, tests, globals
faults       exceptions as issues, in two languages, with hints
program      `Program` and `Expression`
"""

from __future__ import annotations

from gfdocs.engine.budget import Budget, metered
from gfdocs.engine.language.characters import IllegalCharacter, Unfit, check_characters, escape_xml, find_illegal
from gfdocs.engine.language.environment import make_environment
from gfdocs.engine.language.faults import describe_fault, raise_issues
from gfdocs.engine.language.missing import Mark, Missing, MissingPolicy, MissingUsed
from gfdocs.engine.language.program import (
    Expression,
    Program,
    compile_expression,
    compile_source,
    compile_text,
    render_text,
)
from gfdocs.engine.language.sandbox import Language
from gfdocs.engine.language.tree import Index, index_tree, path_of

__all__ = [
    "Budget",
    "Expression",
    "IllegalCharacter",
    "Index",
    "Language",
    "Mark",
    "Missing",
    "MissingPolicy",
    "MissingUsed",
    "Program",
    "Unfit",
    "check_characters",
    "compile_expression",
    "compile_source",
    "compile_text",
    "describe_fault",
    "escape_xml",
    "find_illegal",
    "index_tree",
    "make_environment",
    "metered",
    "path_of",
    "raise_issues",
    "render_text",
]
