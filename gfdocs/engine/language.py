"""The one template language: Jinja in a sandbox, escaped always, within a budget, strict about names.

All kinds use the same `Language` (a Jinja environment) and the same way to compile:

- `make_environment(...)` gives the environment; `compile_expression` one expression of it; `compile_source` a whole
  text with tags, as a `Program` whose `render` gives chunks and whose faults know their place.
- Values are escaped where they are printed (an *outlet*), whatever the template says; `|e` and `|safe` change nothing.
  None prints nothing. A mapping's keys come before its methods, so `order.items` is the data's.
- A name that is missing is an error, a visible mark `【缺：company.name】` or blank: the missing policy.

Faults are not sought while rendering is well: only when a render fails is it done again in a tracing form, which
finds every fault of that run, each with its place and the field of the data it stems from.
"""

from __future__ import annotations

import math
import re
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from operator import itemgetter
from typing import Any, Literal, cast

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, find_undeclared, operators
from jinja2.exceptions import SecurityError
from jinja2.optimizer import Optimizer
from jinja2.runtime import BlockReference, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import Namespace
from jinja2.utils import missing as jinja_missing
from markupsafe import Markup

from gfdocs.engine.bounds import (
    ATOMS,
    COMPARISONS,
    LONG,
    OPERATORS,
    SIZED,
    Unprintable,
    bound_filter,
    bound_range,
    bound_test,
    check_call,
    check_comparison,
    check_format,
    check_operation,
    check_printed,
    check_result,
    count_iterator,
    count_made,
    mix_numbers,
    use,
    write_out,
)
from gfdocs.engine.budget import (
    CONTAINERS,
    METER,
    Budget,
    Meter,
    OverBudget,
    check_text,
    counting,
    metered,
    spend,
)
from gfdocs.engine.filters import FILTERS
from gfdocs.engine.written import Marked, Written, to_text, to_texts
from gfdocs.errors import (
    BudgetExceeded,
    Issue,
    NameMissing,
    PackageError,
    Place,
    TagError,
    TemplateError,
    Text,
    did_you_mean,
)

__all__ = [
    "Budget",
    "Expression",
    "IllegalCharacter",
    "Language",
    "Missing",
    "MissingPolicy",
    "Program",
    "Unfit",
    "compile_expression",
    "compile_source",
    "compile_text",
    "describe_fault",
    "escape_xml",
    "find_illegal",
    "make_environment",
    "metered",
    "path_of",
    "raise_issues",
    "render_text",
]

MissingPolicy = Literal["error", "mark", "blank"]

# ---------------------------------------------------------------------------------------------------------------------
# Characters

# What XML 1.0 forbids (2.2 Char), lone surrogates and U+FFFE/F among it, and the bidi overrides and isolates that make
# a text read otherwise than it is written (UAX 9; CVE-2021-42574).
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")


class IllegalCharacter(ValueError):
    """A text has a character that no office file may hold. Never leaves the engine: it becomes issue GF211."""

    def __init__(self, character: str, index: int, text: str) -> None:
        super().__init__(f"U+{ord(character):04X} at position {index + 1}")
        self.character, self.index, self.value = character, index, text


class Unfit(ValueError):
    """A value cannot stand where its tag stands. Never leaves the engine: it becomes issue GF219."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


def find_illegal(text: str) -> int | None:
    """Return the index of the first character that must not be written (XML 1.0 2.2, bidi overrides), or None."""
    if text.isprintable():
        return None
    found = _ILLEGAL.search(text)
    return found.start() if found else None


def check_characters(text: str) -> str:
    """Return the text itself; IllegalCharacter where it has one that must not be written."""
    if not text.isprintable():
        found = _ILLEGAL.search(text)
        if found:
            raise IllegalCharacter(found.group(), found.start(), text)
    return text


def escape_xml(text: str) -> str:
    """Return the text as XML text or attribute value: `& < > "` escaped, carriage returns kept as `&#13;`.

    IllegalCharacter where XML cannot hold it.
    """
    if not text.isprintable():
        check_characters(text)
        if "\r" in text:
            return _replace_markup(text).replace("\r", "&#13;")
    return _replace_markup(text)


def _replace_markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


# ---------------------------------------------------------------------------------------------------------------------
# Missing names


def _step_of(key: Any) -> str:
    """Return how one step of a path reads: `.name`, `[3]`; what is large or of another kind is not spelled out."""
    if isinstance(key, str):
        return f".{key}" if key.isidentifier() and len(key) <= 60 else f"[{_clip(key)!r}]"
    return f"[{key}]" if isinstance(key, int) and abs(key) < 10**18 else "[…]"


class Missing(Undefined):
    """What a template gets for a name that the data does not have: fails when used, and knows its dotted path.

    `a.b.c|default('')` works where `a` is missing; printing, looping, comparing and testing fail.
    """

    __slots__ = ("path",)

    def __init__(
        self,
        hint: str | None = None,
        obj: Any = jinja_missing,
        name: str | None = None,
        exc: Any = jinja2.UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        self.path: str = name if isinstance(name, str) else _step_of(name)

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._further(f".{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._further(_step_of(key))

    def _further(self, step: str) -> Missing:
        further = type(self)(self._undefined_hint, self._undefined_obj, self._undefined_name, self._undefined_exception)
        further.path = self.path + step
        return further

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise MissingUsed(self)

    __iter__ = __str__ = __repr__ = __len__ = __bool__ = __eq__ = __ne__ = __hash__ = __contains__ = _fail
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = _fail
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __pow__ = __rpow__ = __pos__ = __neg__ = __call__ = _fail
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail
    _fail_with_undefined_error = _fail


class MissingUsed(jinja2.UndefinedError):
    """A missing name was used. Never leaves the engine: it becomes issue GF204."""

    def __init__(self, undefined: Missing) -> None:
        super().__init__(f"{undefined.path} is missing")
        self.path = undefined.path


class Blank(Missing):
    """A missing name that prints nothing, is false, and loops over nothing."""

    __slots__ = ()

    def __str__(self) -> str:
        return ""

    def __repr__(self) -> str:
        return str(self)

    def __bool__(self) -> bool:
        return False

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __contains__(self, item: Any) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined) or other is None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return id(type(self))

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __lt__(self, other: object) -> Any:
        return False

    __le__ = __gt__ = __ge__ = __lt__


class Mark(Blank):
    """A missing name that prints `【缺：company.name】`."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"【缺：{self.path}】"


_UNDEFINED: dict[MissingPolicy, type[Missing]] = {"error": Missing, "mark": Mark, "blank": Blank}


# ---------------------------------------------------------------------------------------------------------------------
# The environment


def path_of(node: nodes.Node | None) -> str | None:
    """Return the dotted path that an expression is (`c.contact.phone`, `rows[0].name`), or None where it is more."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        head = path_of(node.node)
        return None if head is None else f"{head}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        head, key = path_of(node.node), node.arg.value
        if head is None:
            return None
        return f"{head}.{key}" if isinstance(key, str) and key.isidentifier() else f"{head}[{key!r}]"
    return None


def _walk(node: nodes.Node) -> Iterator[nodes.Node]:
    rest = [node]
    while rest:
        found = rest.pop()
        yield found
        rest.extend(found.iter_child_nodes())


def _mark_nodes(tree: nodes.Template, tracing: bool) -> None:
    """Tell the generator which expressions to guard: what loops run over, and, when tracing, what may fail."""
    for node in _walk(tree):
        if isinstance(node, nodes.For):
            cast(Any, node.iter).guard = "iterate"
            cast(Any, node.iter).cost = _count_steps(node.body)
            if node.recursive:
                _add_step(node)
        elif isinstance(node, nodes.Macro | nodes.CallBlock | nodes.Block):
            _add_step(node)
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            cast(Any, node.node).is_method = True
        elif tracing and isinstance(node, nodes.If):
            cast(Any, node.test).guard = "test"
        elif tracing and isinstance(node, nodes.Assign):
            cast(Any, node.node).guard = "assign"


class _Optimizer(Optimizer):
    """Jinja's folding of constants; what is printed keeps the outlet it was given, text outside tags stays text."""

    def visit_TemplateData(self, node: nodes.TemplateData, *args: Any) -> nodes.Node:  # noqa: N802
        return node

    def generic_visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> nodes.Node:
        found = super().generic_visit(node, *args, **kwargs)
        if found is not node and hasattr(node, "outlet"):
            cast(Any, found).outlet = node.outlet
        return found


# Names times branches: each branch is compiled with a copy of all names known before it.
_MAX_BRANCHING = 2_000_000


def _check_size(tree: nodes.Template) -> None:
    """OverBudget where a text has more names and branches than can be compiled in a second."""
    names, branches = set(), 0
    for node in _walk(tree):
        if isinstance(node, nodes.Name):
            names.add(node.name)
        elif isinstance(node, nodes.If):
            branches += 2
    if len(names) * branches > _MAX_BRANCHING:
        raise OverBudget(
            f"{len(names):,} names in {branches:,} branches", f"{len(names):,} 个名称、{branches:,} 个分支"
        )


# What a node costs, in quarters of a step; all others one quarter.
_COSTS: dict[type[nodes.Node], int] = {nodes.Filter: 12, nodes.Call: 12, nodes.Test: 6, nodes.Include: 64, nodes.For: 6}


def _count_steps(body: Iterable[nodes.Node]) -> int:
    """Return the steps that one round of a body takes; loops and macros in it count their own bodies."""
    total, rest = 0, list(body)
    while rest:
        node = rest.pop()
        total += _COSTS.get(type(node), 1)
        if isinstance(node, nodes.For):
            rest += [node.target, node.iter, *node.else_]
        elif not isinstance(node, nodes.Macro | nodes.Block):
            rest.extend(node.iter_child_nodes())
    return max(1, total // 4)


def _add_step(node: Any) -> None:
    """Have a body that may be entered any number of times count itself when it is."""
    if not (node.body and hasattr(node.body[0], "steps")):
        step = nodes.ExprStmt(nodes.Const(None), lineno=node.lineno)
        cast(Any, step).steps = 32 + _count_steps(node.body)
        node.body = [step, *node.body]


def _check_functions(tree: nodes.Template, environment: Language) -> None:
    """Fail where `map('x')`, `select('x')` and their kin name a filter or test that does not exist."""
    for node in tree.find_all(nodes.Filter):
        place, table = _NAMED.get(node.name, (0, ""))
        if not table or len(node.args) <= place or not isinstance(node.args[place], nodes.Const):
            continue
        name = cast(nodes.Const, node.args[place]).value
        known = environment.filters if table == "filter" else environment.tests
        if isinstance(name, str) and name not in known:
            raise jinja2.TemplateAssertionError(f"No {table} named {name!r}.", node.lineno)


_NAMED = {
    "map": (0, "filter"),
    "select": (0, "test"),
    "reject": (0, "test"),
    "selectattr": (1, "test"),
    "rejectattr": (1, "test"),
}


# How many pieces are joined in one step at most: Python compiles a tuple of any length, but not fast.
_GROUP = 256
# How many rows of a loop are printed at once.
_ROWS = 256
_FEW = 4


class _Generator(CodeGenerator):
    """Jinja's code generator with our outlets, guards and bounds. `tracing` makes the form that tells all faults."""

    environment: Language
    has_long: bool
    has_written: bool

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        constants = node.find_all(nodes.Const)
        self.has_written = next(node.find_all(_WRITING), None) is not None
        self.has_long = any(isinstance(found.value, str) and len(found.value) >= LONG for found in constants)
        super().visit_Template(node, frame)

    def write_commons(self) -> None:
        for name in self.environment.outlets:
            self.writeline(f"out_{name} = environment.outlets[{name!r}]")
            if self.environment.binary:
                self.writeline(f"raw_{name} = environment.get_raw({name!r})")
        for name in ("atoms", "printable", "hold", "compare"):
            self.writeline(f"gf_{name} = environment.{name}")
        super().write_commons()
        # What a buffer gathered is escaped already: see `written`.
        self.writeline("Markup = environment.written")

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        guard = getattr(node, "guard", None)
        if guard is None:
            return super().visit(node, *args, **kwargs)
        tracing = self.environment.tracing
        if tracing:
            default = {"iterate": "()", "test": "False", "assign": "environment.make_silent()"}[guard]
            self.write("environment.attempt(lambda: ")
        # A test is made inside the attempt: a missing name fails when it is asked whether it is true.
        self.write({"iterate": "environment.iterate(", "test": "bool("}.get(guard, "("))
        super().visit(node, *args, **kwargs)
        if guard == "iterate":
            self.write(f", {cast(Any, node).cost}")
        self.write(f"), {node.lineno}, {default})" if tracing else ")")
        return None

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        """Write all that stands between two block tags as one joined piece: a row of a table is one step."""
        if frame.require_output_check:
            if self.has_known_extends:
                return
            self.writeline("if parent_template is None:")
            self.indent()
        pieces = [piece for piece in node.nodes if not isinstance(piece, nodes.TemplateData) or piece.data]
        for start in range(0, len(pieces), _GROUP):
            self._write_group(pieces[start : start + _GROUP], frame)
        if frame.require_output_check:
            self.outdent()

    def _is_binary(self, frame: Frame) -> bool:
        # What goes into a buffer (a macro, a set block) is text still: it may pass through filters.
        return self.environment.binary and frame.buffer is None

    def _write_group(self, pieces: list[nodes.Expr], frame: Frame) -> None:
        binary = self._is_binary(frame)
        if not binary and frame.buffer is None:
            # A kind may print other things than text (a cell with its type): each is yielded by itself.
            for piece in pieces:
                self._write_piece(piece, frame)
            return
        self.writeline('yield b"".join((' if binary else f"{frame.buffer}.extend(gf_hold((")
        self.indent()
        for piece in pieces:
            if isinstance(piece, nodes.TemplateData):
                self.newline()
                self.write(repr(piece.data.encode() if binary else piece.data))
            else:
                self.newline(piece)
                self._write_value(piece, frame, binary)
            self.write(",")
        self.outdent()
        self.writeline("))" if binary else ")))")

    def _write_piece(self, piece: nodes.Expr, frame: Frame) -> None:
        if isinstance(piece, nodes.TemplateData):
            self.writeline(f"yield {piece.data!r}")
            return
        self.writeline("yield ", piece)
        self._write_value(piece, frame, binary=False)

    def _write_value(self, piece: nodes.Expr, frame: Frame, binary: bool) -> None:
        if self.environment.tracing:
            self.write("environment.attempt(lambda: ")
        outlet = getattr(piece, "outlet", "text")
        counts = self.environment.is_plain and frame.buffer is None and outlet == "text"
        self.write(f"{'environment.count_piece(' if counts else ''}{'raw' if binary else 'out'}_{outlet}(")
        # A short text or a number is printed as it is; all else is looked at first.
        self.write("gf_v if (gf_k := (gf_v := ")
        super().visit(piece, frame)
        self.write(f").__class__) is str and len(gf_v) < {LONG} or gf_k in gf_atoms else gf_printable(gf_v))")
        self.write(")" if counts else "")
        self.write(f", {piece.lineno}, '')" if self.environment.tracing else "")

    # Rows ------------------------------------------------------------------------------------------------------------

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802
        """Write a loop whose body only prints as a stream of value tuples, which are printed many rows at a time."""
        pieces = self._find_row(node, frame)
        if pieces is None:
            super().visit_For(node, frame)
            return
        uses_loop = "loop" in find_undeclared(node.iter_child_nodes(only=("body",)), ("loop",))
        loop_frame = frame.inner()
        loop_frame.loop_frame = True
        loop_ref = loop_frame.symbols.declare_parameter("loop") if uses_loop else ""
        loop_frame.symbols.analyze_node(node, for_branch="body")
        # Names of the context that only the body uses are the same in every round: they are looked up before it.
        self.enter_frame(loop_frame)
        if uses_loop:
            self.writeline(f"{loop_ref} = missing")
        if uses_loop:
            self._write_stream(node, pieces, frame, loop_frame, loop_ref)
        else:
            self._write_items(node, pieces, frame, loop_frame)
        self.leave_frame(loop_frame)

    def _write_stream(
        self, node: nodes.For, pieces: list[nodes.Expr], frame: Frame, inner: Frame, loop_ref: str
    ) -> None:
        """Rows that ask for `loop` are computed one by one: it only knows where it is now."""
        self.writeline("yield from environment.print_rows(", node)
        self._write_static(pieces)
        self.write("(")
        self._write_tuple(pieces, inner)
        self.write(" for ")
        self.visit(node.target, inner)
        self.write(f", {loop_ref} in LoopContext(")
        self.visit(node.iter, frame)
        self.write(", undefined)))")

    def _write_items(self, node: nodes.For, pieces: list[nodes.Expr], frame: Frame, inner: Frame) -> None:
        """Other rows are taken some dozens at a time; those of plain keys (`c.name`) not even one by one."""
        self.writeline("yield from environment.print_items(", node)
        self._write_static(pieces)
        self.write("(lambda items: (")
        self._write_tuple(pieces, inner)
        self.write(" for ")
        self.visit(node.target, inner)
        self.write(f" in items)), {self._find_keys(node, pieces)!r}, ")
        self.visit(node.iter, frame)
        self.write(")")

    @staticmethod
    def _find_keys(node: nodes.For, pieces: list[nodes.Expr]) -> tuple[str, ...] | None:
        """Return the keys a row prints, or None where it prints more than keys of its own item."""
        printed = [piece for piece in pieces if not isinstance(piece, nodes.TemplateData)]
        target = node.target.name if isinstance(node.target, nodes.Name) else None
        keys = [
            piece.attr
            for piece in printed
            if isinstance(piece, nodes.Getattr) and isinstance(piece.node, nodes.Name) and piece.node.name == target
        ]
        return tuple(keys) if len(keys) == len(printed) else None

    def _find_row(self, node: nodes.For, frame: Frame) -> list[nodes.Expr] | None:
        """Return what the body prints, or None for a loop that must be written in full."""
        packable = self.environment.packable
        if (
            not packable
            or not self._is_binary(frame)
            or node.recursive
            or node.test
            or node.else_
            or self.has_long
            or self._assign_stack
        ):
            return None
        if len(node.body) != 1 or not isinstance(node.body[0], nodes.Output) or frame.require_output_check:
            return None
        if any(name.ctx == "store" and name.name == "loop" for name in node.find_all(nodes.Name)):
            return None
        pieces = [p for p in node.body[0].nodes if not isinstance(p, nodes.TemplateData) or p.data]
        printed = [p for p in pieces if not isinstance(p, nodes.TemplateData)]
        # A call gets the loop's own variables from Jinja, which a stream of tuples does not have.
        simple = not any(isinstance(n, nodes.Call) for piece in printed for n in _walk(piece))
        fits = 0 < len(printed) <= _GROUP and all(getattr(piece, "outlet", "text") in packable for piece in printed)
        return pieces if simple and fits else None

    def _write_static(self, pieces: list[nodes.Expr]) -> None:
        """Write what stands before, between and after the values of a row, and what prints each value."""
        static, writers = [b""], []
        for piece in pieces:
            if isinstance(piece, nodes.TemplateData):
                static[-1] += piece.data.encode()
            else:
                static.append(b"")
                writers.append(f"raw_{getattr(piece, 'outlet', 'text')}")
        self.write(f"{tuple(static)!r}, ({', '.join(writers)},), ")

    def _write_tuple(self, pieces: list[nodes.Expr], frame: Frame) -> None:
        """Write the values of one row."""
        self.write("(")
        for piece in pieces:
            if not isinstance(piece, nodes.TemplateData):
                self.newline(piece)
                super().visit(piece, frame)
                self.write(",")
        self.write(")")

    def start_write(self, frame: Frame, node: nodes.Node | None = None) -> None:
        super().start_write(frame, node)
        if self._is_binary(frame):
            self.write("environment.to_bytes(")

    def end_write(self, frame: Frame) -> None:
        if self._is_binary(frame):
            self.write(")")
        super().end_write(frame)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802
        is_method = getattr(node, "is_method", False)
        inline = isinstance(node.node, nodes.Name) and not is_method
        if inline:
            # Most of what templates do: a key of a plain dict, which needs no call.
            ref = frame.symbols.ref(cast(nodes.Name, node.node).name)
            self.write(f"({ref}[{node.attr!r}] if {ref}.__class__ is dict and {node.attr!r} in {ref} else ")
        self.write("environment.getmethod(" if is_method else "environment.getattr(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}, {path_of(node)!r})" + (")" if inline else ""))

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802
        if isinstance(node.arg, nodes.Slice):
            self.write("environment.cut(")
            self.visit(node.node, frame)
            for bound in (node.arg.start, node.arg.stop, node.arg.step):
                self.write(", ")
                self.visit(bound or nodes.Const(None), frame)
            self.write(")")
            return
        self.write("environment.getitem(")
        self.visit(node.node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(f", {path_of(node)!r})")

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802
        self.write("environment.concat_values((")
        for arg in node.nodes:
            self.visit(arg, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Frame) -> None:  # noqa: N802
        self.write("environment.count_made(")
        super().visit_List(node, frame)
        self.write(")")

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:  # noqa: N802
        if node.ctx != "load":
            super().visit_Tuple(node, frame)
            return
        self.write("environment.count_made(")
        super().visit_Tuple(node, frame)
        self.write(")")

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:  # noqa: N802
        self.write("environment.count_made({")
        for item in node.items:
            self.write("environment.key(")
            self.visit(item.key, frame)
            self.write("): ")
            self.visit(item.value, frame)
            self.write(", ")
        self.write("})")

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        if all(isinstance(child, nodes.Const) for child in (node.expr, *(op.expr for op in node.ops))):
            super().visit_Compare(node, frame)
        elif len(node.ops) == 1:
            self._write_comparison(node.expr, node.ops[0], frame)
        else:
            # Each middle value is asked for once, and only if what is before it holds.
            self.write("environment.compare_all(")
            self.visit(node.expr, frame)
            for op in node.ops:
                self.write(f", ({operators[op.op]!r}, lambda: ")
                self.visit(op.expr, frame)
                self.write(")")
            self.write(")")

    def _write_comparison(self, left: nodes.Expr, op: nodes.Operand, frame: Frame) -> None:
        sign = operators[op.op]
        if op.op not in ("in", "notin") and _is_short(op.expr) and not self.has_written:
            self.write("(")
            self.visit(left, frame)
            self.write(f" {sign} ")
            self.visit(op.expr, frame)
            self.write(")")
            return
        if op.op not in ("in", "notin") and path_of(op.expr) is not None:
            # Comparing a short text or a number with anything costs nothing.
            name = self.temporary_identifier()
            self.write("(")
            self.write(f"{name} {sign} ")
            self.visit(op.expr, frame)
            self.write(f" if ({name}k := ({name} := ")
            self.visit(left, frame)
            self.write(f").__class__) is str and len({name}) < {LONG} or {name}k in gf_atoms else ")
            self.write(f"gf_compare({sign!r}, {name}, ")
            self.visit(op.expr, frame)
            self.write("))")
            return
        self.write(f"gf_compare({sign!r}, ")
        self.visit(left, frame)
        self.write(", ")
        self.visit(op.expr, frame)
        self.write(")")

    def visit_FilterBlock(self, node: nodes.FilterBlock, frame: Frame) -> None:  # noqa: N802
        """Write what the filter gives through the outlet: it is a text, computed of the text that was written."""
        inner = frame.inner()
        inner.symbols.analyze_node(node)
        self.enter_frame(inner)
        self.buffer(inner)
        self.blockvisit(node.body, inner)
        self._start_outlet(node, frame)
        self.visit_Filter(node.filter, inner)
        self._end_outlet(frame)
        self.leave_frame(inner)

    def visit_CallBlock(self, node: nodes.CallBlock, frame: Frame) -> None:  # noqa: N802
        """Write what is called through the outlet: it need not be a macro, whose markup passes as it is."""
        call_frame, macro_ref = self.macro_body(node, frame)
        self.writeline("caller = ")
        self.macro_def(macro_ref, call_frame)
        self._start_outlet(node, frame)
        self.visit_Call(node.call, frame, forward_caller=True)
        self._end_outlet(frame)

    def _start_outlet(self, node: nodes.Node, frame: Frame) -> None:
        self.start_write(frame, node)
        self.write(f"environment.outlets[{getattr(node, 'outlet', 'text')!r}](gf_printable(")

    def _end_outlet(self, frame: Frame) -> None:
        self.write("))")
        self.end_write(frame)

    def visit_AssignBlock(self, node: nodes.AssignBlock, frame: Frame) -> None:  # noqa: N802
        """Write a set block as Jinja does; what its filter gives is a plain text."""
        self.push_assign_tracking()
        inner = frame.inner()
        inner.require_output_check = False
        inner.symbols.analyze_node(node)
        self.enter_frame(inner)
        self.buffer(inner)
        self.blockvisit(node.body, inner)
        self.newline(node)
        self.visit(node.target, frame)
        self.write(" = ")
        if node.filter is not None:
            self.visit_Filter(node.filter, inner)
        else:
            self.write(f"concat({inner.buffer})")
        self.pop_assign_tracking(frame)
        self.leave_frame(inner)

    def visit_ExprStmt(self, node: nodes.ExprStmt, frame: Frame) -> None:  # noqa: N802
        steps = getattr(node, "steps", None)
        if steps is None:
            super().visit_ExprStmt(node, frame)
        else:
            self.writeline(f"environment.step({steps})", node)


def _count_characters(columns: list[tuple[Any, ...]]) -> int:
    return sum(len(value) for column in columns for value in column if isinstance(value, str))


_WRITING = (
    nodes.AssignBlock,
    nodes.Macro,
    nodes.CallBlock,
    nodes.FilterBlock,
    nodes.Block,
    nodes.Import,
    nodes.FromImport,
)


def _is_short(node: nodes.Expr) -> bool:
    return isinstance(node, nodes.Const) and (not isinstance(node.value, str) or len(node.value) < LONG)


@lru_cache(maxsize=1024)
def _is_mapping(kind: type) -> bool:
    return issubclass(kind, Mapping)


_INNER = frozenset((types.FrameType, types.CodeType, types.TracebackType))
_PLAIN = frozenset((str, int, float, bool, Decimal))
_ABSENT = object()


class _Formatter(SandboxedFormatter):
    """`str.format` of the sandbox with widths bounded; for one text."""

    _env: Language

    def __init__(self, env: Language) -> None:
        super().__init__(env)
        self.size = 0

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return super().convert_field(self._env.printable(to_text(value)) if conversion else value, conversion)

    def format_field(self, value: Any, format_spec: str) -> Any:
        budget = self._env.budget
        check_format(format_spec, budget)
        spend(6)
        text = super().format_field(self._env.printable(to_text(value)), format_spec)
        self.size += len(text)
        check_text(self.size, budget)
        return text


_MAX_DIGITS = 1000
_LONG_NUMBER = re.compile(r"[\da-fA-F_]{1000}|[eE]\+?\d{3}")


class _NoLoader(Exception):
    """A template asks for another one, and there is nowhere to look for it. It becomes issue GF218."""


class _Namespace(Namespace):
    """`namespace()`: a place for values, and no value itself, since what is in it may grow without end."""

    def __repr__(self) -> str:
        raise TypeError("a namespace is no value to print")


class Language(ImmutableSandboxedEnvironment):
    """The Jinja environment of all kinds. Made by `make_environment`, not by hand."""

    code_generator_class = _Generator
    intercepted_binops = frozenset(OPERATORS)
    missing_policy: MissingPolicy = "error"
    budget: Budget = Budget()
    tracing: bool = False
    trusted: bool = False
    is_plain: bool = False
    """Whether pieces are printed as they are, and counted one by one."""
    atoms = ATOMS
    binary: bool = False
    """Whether programs yield UTF-8 bytes: the text of the template is encoded once, when it is compiled."""
    packable: frozenset[str] = frozenset()
    """The outlets whose values `pack` may print many at a time."""
    pack: Callable[[tuple[Any, ...]], list[bytes] | None]
    outlets: dict[str, Callable[[Any], str]]
    raw_outlets: dict[str, Callable[[Any], bytes]]

    def _generate(self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False) -> str:
        _check_size(source)
        _check_functions(source, self)
        source = _Optimizer(self).visit(source)
        _mark_nodes(source, self.tracing)
        return super()._generate(source, name, filename, defer_init)

    # Names -----------------------------------------------------------------------------------------------------------

    def getattr(self, obj: Any, attribute: str, path: str | None = None) -> Any:
        """Return the value of a mapping's key, else the attribute: the data comes before the methods of its type."""
        kind = obj.__class__
        if kind is Written:
            obj, kind = obj.to_plain(), str
        if kind is dict or _is_mapping(kind):
            try:
                return obj[attribute]
            except LookupError:
                pass
        elif attribute[0] != "_" and kind not in _INNER:
            # What is no more than a text or a number needs no look by the sandbox.
            value = getattr(obj, attribute, _ABSENT)
            if value.__class__ in _PLAIN:
                return value
            if value is not _ABSENT:
                return self._with_path(self._get_safe(obj, attribute, value), path)
        return self._with_path(super().getattr(obj, attribute), path)

    def _get_safe(self, obj: Any, attribute: str, value: Any) -> Any:
        """Return an attribute that is there, as the sandbox gives it: a format bounded, what is unsafe refused."""
        bounded = self.wrap_str_format(value)
        if bounded is not None:
            return bounded
        return value if self.is_safe_attribute(obj, attribute, value) else self.unsafe_undefined(obj, attribute)

    def getmethod(self, obj: Any, attribute: str, path: str | None = None) -> Any:
        """Return what is called by this name: the method of a mapping where it has one, else as `getattr`."""
        if _is_mapping(obj.__class__) and hasattr(type(obj), attribute):
            return self._with_path(super().getattr(obj, attribute), path)
        return self.getattr(obj, attribute, path)

    def getitem(self, obj: Any, argument: Any, path: str | None = None) -> Any:
        if argument.__class__ is not str and argument.__class__ not in ATOMS:
            argument = to_text(argument)
            use(argument, self.budget)
        obj = to_text(obj)
        try:
            return obj[argument]
        except (TypeError, LookupError, AttributeError):
            return self._with_path(super().getitem(obj, argument), path)

    @staticmethod
    def _with_path(value: Any, path: str | None) -> Any:
        if path is not None and type(value) in (Missing, Blank, Mark):
            value.path = path
        return value

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        raise SecurityError(f"{attribute!r} of a {type(obj).__name__!r} is out of bounds")

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        return self.trusted or super().is_safe_attribute(obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, Missing):
            # A name that is missing is told by the name, not as something that may not be called.
            return isinstance(obj, Blank) or bool(obj)
        return self.trusted or super().is_safe_callable(obj)

    # Output ----------------------------------------------------------------------------------------------------------

    def get_raw(self, name: str) -> Callable[[Any], bytes]:
        """Return what prints into bytes: the outlet's own fast way, or its text encoded."""
        found = self.raw_outlets.get(name)
        if found is None:
            outlet = self.outlets[name]
            return lambda value: outlet(value).encode()
        return found

    def print_rows(
        self,
        static: tuple[bytes, ...],
        writers: tuple[Callable[[Any], bytes], ...],
        rows: Iterator[tuple[Any, ...]],
    ) -> Iterator[bytes]:
        """Yield the printed rows of a loop, some dozens at a time: `static` stands before, between and after values."""
        while chunk := list(islice(rows, _ROWS)):
            yield from self._print_columns(static, writers, list(zip(*chunk, strict=True)))

    def print_items(
        self,
        static: tuple[bytes, ...],
        writers: tuple[Callable[[Any], bytes], ...],
        make_rows: Callable[[list[Any]], Iterator[tuple[Any, ...]]],
        keys: tuple[str, ...] | None,
        items: Iterable[Any],
    ) -> Iterator[bytes]:
        """Yield the printed rows of these items; `keys` are what a row prints where it prints nothing else."""
        pick = itemgetter(*keys) if keys else None
        rest = iter(items)
        while chunk := list(islice(rest, _ROWS)):
            columns: list[tuple[Any, ...]] | None = None
            if pick is not None and set(map(type, chunk)) == {dict}:
                try:
                    picked = map(pick, chunk)
                    columns = [tuple(picked)] if len(writers) == 1 else list(zip(*picked, strict=True))
                except KeyError:
                    columns = None  # a name is missing: the long way knows what to do
            if columns is None:
                columns = list(zip(*make_rows(chunk), strict=True))
            yield from self._print_columns(static, writers, columns)

    def _print_columns(
        self,
        static: tuple[bytes, ...],
        writers: tuple[Callable[[Any], bytes], ...],
        columns: list[tuple[Any, ...]],
    ) -> Iterator[bytes]:
        """Yield the rows whose values these columns are. The values of one column are mostly of one kind."""
        meter = METER.get()
        # Only where the template has made texts of its own can these rows be more than it may write at once.
        if meter is not None and meter.has_texts and _count_characters(columns) > _CHUNK:
            yield from self._print_long_rows(static, writers, columns)
            return
        rows, step = len(columns[0]), 2 * len(writers)
        out = [static[0]] * (step * rows + 1)
        # The end of one row and the beginning of the next are one piece.
        out[2::2] = [*static[1:-1], static[-1] + static[0]] * rows
        out[-1] = static[-1]
        for at, (column, write) in enumerate(zip(columns, writers, strict=True)):
            # A few values are printed sooner one by one than together.
            out[1 + 2 * at :: step] = (self.pack(column) if rows > _FEW else None) or [
                write(value if value.__class__ is str else self.printable(value)) for value in column
            ]
        yield b"".join(out)

    def _print_long_rows(
        self,
        static: tuple[bytes, ...],
        writers: tuple[Callable[[Any], bytes], ...],
        columns: list[tuple[Any, ...]],
    ) -> Iterator[bytes]:
        """Yield rows one by one, each long value counted before it is escaped."""
        for row in zip(*columns, strict=True):
            out = [static[0]]
            for write, value, after in zip(writers, row, static[1:], strict=True):
                out += [write(self.printable(value)), after]
            yield b"".join(out)

    @staticmethod
    def to_bytes(value: Any) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()

    def concat(self, values: Iterable[Any]) -> str:
        """Join what a buffer gathered; a block inside a macro may have given bytes."""
        pieces = list(values)
        try:
            return self.written("".join(pieces))
        except TypeError:
            return self.written("".join([piece.decode() if isinstance(piece, bytes) else piece for piece in pieces]))

    def written(self, text: str) -> str:
        """Return what a block has written: markup, but where nothing is escaped a plain text."""
        return text if self.is_plain else Written(text)

    def printable(self, value: Any) -> Any:
        """Return a value that is neither short nor plain, if it may be printed; Unfit where it is none.

        What is long is counted before it is escaped and joined.
        """
        if isinstance(value, str):
            meter = METER.get()
            if meter is not None and len(value) >= LONG and not self.trusted:
                meter.write_ahead(4 * len(value))
            return value
        if not self.trusted and isinstance(value, CONTAINERS):
            use(value, self.budget)
        check_printed(value)
        return value

    @staticmethod
    def hold(pieces: tuple[str, ...]) -> tuple[str, ...]:
        """Return what goes into a buffer (a macro, a set block), its characters counted."""
        meter = METER.get()
        if meter is not None:
            meter.keep(2 * sum(map(len, pieces)))
        return pieces

    @staticmethod
    def count_piece(piece: Any) -> Any:
        meter = METER.get()
        if meter is not None:
            meter.write(len(piece))
        return piece

    # Bounds ----------------------------------------------------------------------------------------------------------

    def _load_template(self, name: Any, globals: Any) -> jinja2.Template:  # noqa: A002 - Jinja's word
        if self.loader is None:
            raise _NoLoader(_clip(str(name)))
        return super()._load_template(name, globals)

    def _tokenize(self, source: str, name: Any, filename: Any = None, state: Any = None) -> Any:
        """Refuse numbers that Python cannot read or write; else as Jinja."""
        if _LONG_NUMBER.search(source):
            for line, kind, text in self.lexer.tokeniter(
                self.preprocess(source, name, filename), name, filename, state
            ):
                if kind == "integer" and len(text) > _MAX_DIGITS:
                    raise jinja2.TemplateSyntaxError(f"a number of {len(text):,} digits", line, name, filename)
                if kind == "float" and math.isinf(float(text.replace("_", ""))):
                    raise jinja2.TemplateSyntaxError(f"the number {_clip(text)} is too large", line, name, filename)
        return super()._tokenize(source, name, filename, state)

    def step(self, count: int) -> None:
        """Pay for entering a body once."""
        if not self.trusted:
            spend(count)

    def count_made(self, values: Any) -> Any:
        """Return a list or mapping that the template has put together."""
        meter = METER.get()
        return values if meter is None or self.trusted else count_made(values, meter)

    def key(self, value: Any) -> Any:
        """Return the key of a mapping that the template puts together."""
        value = to_text(value)
        if value.__class__ not in ATOMS:
            use(value, self.budget)
        return value

    def cut(self, values: Any, start: Any, stop: Any, step: Any) -> Any:
        """Return a slice."""
        found = to_text(values)[start:stop:step]
        if self.trusted:
            return found
        if isinstance(found, list | tuple):
            spend(len(found) >> 2)
        return check_result(found, self.budget)

    def iterate(self, values: Any, cost: int = 1) -> Any:
        """Return what a loop runs over; its rounds are counted before it runs, or one by one while it does.

        cost: the steps of a round.
        """
        if isinstance(values, SIZED):
            values = to_text(values)
            spend(len(values) * cost)
            return values
        if isinstance(values, Undefined):
            return iter(values)
        return count_iterator(iter(values), cost)

    def compare(self, sign: str, left: Any, right: Any) -> Any:
        """Return `left sign right`, `in` and `not in` among the signs."""
        left, right = to_text(left), to_text(right)
        if not self.trusted:
            check_comparison(left, right, self.budget)
        return COMPARISONS[sign](left, right)

    def compare_all(self, left: Any, *rest: tuple[str, Callable[[], Any]]) -> Any:
        """Return `a < b < c`: whether each holds between what stands beside it."""
        found: Any = True
        for sign, get_right in rest:
            right = get_right()
            found = self.compare(sign, left, right)
            if not found:
                break
            left = right
        return found

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        kind, other = left.__class__, right.__class__
        if kind is not other and (kind is Decimal or other is Decimal):
            left, right = mix_numbers(left, right)
        elif kind is int and other is int and operator in "+-":
            result = left + right if operator == "+" else left - right
            return result if -_WORD < result < _WORD else check_result(result, self.budget)
        elif kind is Written or other is Written or (operator == "%" and isinstance(right, tuple | dict)):
            left, right = to_text(left), _to_values(right)
        if self.trusted:
            return OPERATORS[operator](left, right)
        check_operation(operator, left, right, self.budget)
        result = OPERATORS[operator](left, right)
        if result.__class__ is Decimal:
            return write_out(result)
        return result if result.__class__ in _SMALL_RESULTS else check_result(result, self.budget)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        if isinstance(__obj, Macro | LoopContext | BlockReference):
            return __self.written(__self._enter(__context, __obj, args, kwargs))
        args = to_texts(args)
        if __self.trusted:
            return super().call(__context, __obj, *args, **kwargs)
        spend(4)
        check_call(__obj, args, _without_scopes(kwargs), __self.budget)
        return check_result(super().call(__context, __obj, *args, **kwargs), __self.budget)

    def _enter(self, context: Any, obj: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call what has a body of its own, which counts itself."""
        if not self.trusted:
            if isinstance(obj, LoopContext) and args:
                args = (self.iterate(args[0]), *args[1:])
            elif isinstance(obj, Macro) and (obj.catch_varargs or obj.catch_kwargs):
                check_call(obj, args, _without_scopes(kwargs), self.budget)
        return super().call(context, obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None or self.trusted:
            return wrapped
        text = value.__self__
        is_map = value.__name__ == "format_map"

        def wrapper(*args: Any, **kwargs: Any) -> str:
            formatter = _Formatter(self)
            if is_map:
                return str(formatter.vformat(str(text), (), args[0]))
            return str(formatter.vformat(str(text), args, kwargs))

        return wrapper

    def concat_values(self, values: tuple[Any, ...]) -> Any:
        """`a ~ b`: texts joined; markup of ours stays markup, and what stands beside it is escaped."""
        if set(map(type, values)) <= _SHORT:
            text = "".join(map(str, values))
            return text if len(text) <= 64 or self.trusted else check_result(text, self.budget)
        values = tuple([self._text_in(value) for value in values])
        if any(hasattr(value, "__html__") for value in values):
            joined: Any = self.written(Markup("").join(values))
        else:
            joined = "".join(["" if value is None else str(value) for value in values])
        return joined if self.trusted else check_result(joined, self.budget)

    def _text_in(self, value: Any) -> Any:
        if value.__class__ is str or value.__class__ in ATOMS:
            return value
        if not self.trusted:
            use(value, self.budget)
        check_printed(value)
        return value

    # Tracing ---------------------------------------------------------------------------------------------------------

    def attempt(self, thunk: Callable[[], Any], line: int, default: Any) -> Any:
        """Return what the expression gives; note its fault and go on with `default` where it fails."""
        try:
            return thunk()
        except OverBudget:
            raise
        except Exception as fault:
            trace = _TRACE.get()
            if trace is None:
                raise
            trace.add(fault, line, sys._getframe(1).f_locals)
            return default

    def make_silent(self) -> Undefined:
        return Blank(name="")

    def with_policy(self, missing: MissingPolicy, *, tracing: bool = False) -> Language:
        """Return this environment under another missing policy (and in its tracing form)."""
        if missing == self.missing_policy and tracing == self.tracing:
            return self
        other = self.overlay(undefined=_UNDEFINED[missing])
        other.missing_policy, other.tracing = missing, tracing
        other.binary = self.binary and not tracing
        return other

    def with_outlets(
        self,
        outlets: Mapping[str, Callable[[Any], str]],
        raw: Mapping[str, Callable[[Any], bytes]] | None = None,
        *,
        binary: bool = False,
        pack: Callable[[tuple[Any, ...]], list[bytes] | None] | None = None,
        packable: Iterable[str] = (),
    ) -> Language:
        """Return this environment with further ways to print.

        raw: their fast forms for bytes. pack: prints a column of values of a `packable` outlet all at once, or gives
        None where one of them needs the outlet itself.
        """
        other = self.overlay()
        if pack is not None:
            other.pack, other.packable = pack, frozenset(packable)
        other.outlets = {**self.outlets, **outlets}
        other.raw_outlets = {**self.raw_outlets, **(raw or {})}
        other.binary = binary
        return other


_SMALL_RESULTS = frozenset((float, Decimal, bool))
_SHORT = frozenset((str, int, float))
_WORD = 1 << 63


def _to_values(value: Any) -> Any:
    """Return the value or values of a `%` as texts to compute with."""
    if isinstance(value, dict):
        return {key: to_text(item) for key, item in value.items()}
    return to_texts(value) if value.__class__ is tuple else to_text(value)


def _without_scopes(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that the template gave: Jinja adds those of its own to a call inside a loop or block."""
    return {name: value for name, value in kwargs.items() if name not in ("_loop_vars", "_block_vars", "caller")}


def _keep(value: Any, *_: Any, **__: Any) -> Any:
    """`|e`, `|safe`, `|urlize`: the value as it is, since it is escaped where it is printed."""
    return value


def _strict_test(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the test failing for a missing name, as every use of it does; only `defined` asks whether it is there."""
    if name in ("defined", "undefined") or hasattr(function, "jinja_pass_arg"):
        return function

    def test(value: Any = None, *args: Any, **kwargs: Any) -> Any:
        if value.__class__ is Missing:
            raise MissingUsed(value)
        return function(to_text(value), *to_texts(args), **kwargs)

    return test


# ---------------------------------------------------------------------------------------------------------------------
# Making an environment


def _make_outlet(escape: Callable[[str], str] | None) -> Callable[[Any], str]:
    """Return what prints a value: escaped text, nothing for None, the markup of an object that brings its own."""
    if escape is None:
        return lambda value: "" if value is None else str(value)

    def outlet(value: Any) -> str:
        if value.__class__ is str:
            return escape(value)
        if value is None:
            return ""
        markup = getattr(value, "__html__", None)
        if markup is not None:
            return check_characters(str(markup()))
        return escape(str(value))

    return outlet


def make_environment(
    *,
    escape: Callable[[str], str] | None = escape_xml,
    missing: MissingPolicy = "error",
    filters: Mapping[str, Callable[..., Any]] | None = None,
    base: jinja2.Environment | None = None,
    budget: Budget | None = None,
    trusted: bool = False,
    outlets: Mapping[str, Callable[[Any], str]] | None = None,
) -> Language:
    """Return the environment that templates are compiled in.

    escape: what text goes through when printed (None: as it is). filters: more filters, by name. base: a Jinja
    environment whose loader, filters, tests, globals and extensions are taken over; its sandbox, escaping, undefined
    and delimiters are not. trusted: lifts the sandbox and the bounds, for templates that are as good as code.
    outlets: further ways to print, by name, which a kind chooses by setting `.outlet` on a printed node.
    """
    language = Language(
        undefined=_UNDEFINED[missing],
        autoescape=escape is not None,
        keep_trailing_newline=True,
        loader=base.loader if base else None,
        extensions=[type(extension) for extension in base.extensions.values()] if base else [],
        trim_blocks=base.trim_blocks if base else False,
        lstrip_blocks=base.lstrip_blocks if base else False,
        cache_size=50,
        # Constants are folded once for the whole tree (see _Optimizer), not again at each level of an expression.
        optimized=False,
    )
    language.missing_policy, language.budget, language.trusted = missing, budget or Budget(), trusted
    language.outlets = {"text": _make_outlet(escape), **(outlets or {})}
    language.raw_outlets = {}
    if base:
        language.tests.update(base.tests)
        language.globals.update(base.globals)
        language.policies.update(base.policies)
    language.is_plain = escape is None
    if not trusted:
        # The same template and data give the same bytes.
        language.filters.pop("random", None)
    own = {**_own_filters(base), **(filters or {})}
    language.filters.update({**FILTERS, **own})
    language.filters.update(dict.fromkeys(("e", "escape", "forceescape", "safe", "urlize"), _keep))
    if not trusted:
        _bound(language, own)
    tests: dict[str, Any] = language.tests
    language.tests = {name: _strict_test(name, function) for name, function in tests.items()}
    return language


def _bound(language: Language, own: Mapping[str, Any]) -> None:
    """Count what filters, tests and `range` do; `lipsum` makes texts of any length."""
    budget = language.budget
    language.globals.update(range=bound_range(budget), namespace=_Namespace)
    language.globals.pop("lipsum", None)
    language.filters = {
        name: bound_filter(name, function, budget, is_own=name in own) for name, function in language.filters.items()
    }
    tests: dict[str, Any] = language.tests
    language.tests = {name: bound_test(name, function, budget) for name, function in tests.items()}


def _own_filters(base: jinja2.Environment | None) -> dict[str, Callable[..., Any]]:
    """Return the filters that somebody added to, or changed in, an environment."""
    from jinja2.filters import FILTERS as BUILTIN

    if base is None:
        return {}
    return {name: function for name, function in base.filters.items() if BUILTIN.get(name) is not function}


# ---------------------------------------------------------------------------------------------------------------------
# Faults


@dataclass(slots=True)
class _Trace:
    """The faults of one traced render: (fault, line, field of the data), each once."""

    found: dict[tuple[str, int, str], tuple[Exception, int, str | None]] = field(default_factory=dict)
    locate: Callable[[int, Exception, Mapping[str, Any]], str | None] = lambda line, fault, names: None
    limit: int = 500

    def add(self, fault: Exception, line: int, names: Mapping[str, Any]) -> None:
        if len(self.found) >= self.limit:
            return
        where = None if isinstance(fault, MissingUsed) else self.locate(line, fault, names)
        self.found.setdefault((type(fault).__name__ + str(fault)[:200], line, where or ""), (fault, line, where))


_TRACE: ContextVar[_Trace | None] = ContextVar("gfdocs_trace", default=None)


def _clip(text: str, length: int = 60) -> str:
    text = " ".join(text.split())
    return text if len(text) <= length else text[: length - 1] + "…"


def describe_fault(
    fault: BaseException, place: Place, *, words: str = "", where: str | None = None, known: Iterable[str] = ()
) -> Issue:
    """Return the issue that a fault of compiling or rendering is.

    words: the tag as its author sees it. where: the field of the data it stems from. known: names for "did you mean".
    """
    code, fact, hint = _read_fault(fault, words, where, known)
    return Issue(code, "error", place, fact, hint)


def _read_fault(fault: BaseException, words: str, where: str | None, known: Iterable[str]) -> tuple[str, Text, Text]:
    """Return (code, fact, hint) of a fault."""
    tag = f" in {_clip(words)}" if words else ""
    tag_zh = f"（{_clip(words)}）" if words else ""
    if isinstance(fault, MissingUsed):
        fact = Text(f'the data has no "{fault.path}"{tag}', f"数据中没有“{fault.path}”{tag_zh}")
        return "GF204", fact, _hint_missing(fault.path, known)
    if isinstance(fault, IllegalCharacter | Unfit | Unprintable | Marked):
        return _read_value_fault(fault, where or _clip(words) or "?")
    if isinstance(fault, OverBudget):
        hint = Text("pass a larger Budget if the template is meant to do this", "如确有需要，请传入更大的 Budget")
        return "GF210", Text(f"over budget: {fault.text}{tag}", f"超出限额：{fault.text.zh}{tag_zh}"), hint
    if isinstance(fault, MemoryError):
        return "GF210", Text(f"over budget: out of memory{tag}", f"超出限额：内存不足{tag_zh}"), Text("")
    if isinstance(fault, _NoLoader):
        return _read_no_loader(fault, tag, tag_zh)
    if isinstance(fault, RecursionError | SyntaxError):
        return "GF210", Text(f"over budget: nested too deep{tag}", f"超出限额：嵌套过深{tag_zh}"), Text("")
    if isinstance(fault, SecurityError):
        hint = Text("pass trusted=True only for templates you wrote yourself", "仅对自己编写的模板使用 trusted=True")
        return "GF209", Text(f"a template may not do this: {fault}{tag}", f"模板不得执行此操作：{fault}{tag_zh}"), hint
    if isinstance(fault, jinja2.TemplateNotFound):
        fact = Text(f"no template named {fault.name!r}{tag}", f"没有名为 {fault.name!r} 的模板{tag_zh}")
        return "GF218", fact, Text("")
    if isinstance(fault, jinja2.TemplateSyntaxError):
        return _read_syntax(fault, tag, tag_zh)
    told = f"{type(fault).__name__}: {_clip(str(fault), 200)}"
    hint = Text(f"the value is {where}", f"取值：{where}") if where else Text("")
    return "GF208", Text(f"cannot be computed{tag}: {told}", f"无法计算{tag_zh}：{told}"), hint


def _hint_missing(path: str, known: Iterable[str]) -> Text:
    last = path.rpartition(".")[2]
    return did_you_mean(last, {name for name in known if name != last}) or Text(
        'give it a value, or write "|default(…)", or render with missing="mark" or "blank"',
        '请补充该值，或写 |default(…)，或用 missing="mark"/"blank" 渲染',
    )


def _read_no_loader(fault: _NoLoader, tag: str, tag_zh: str) -> tuple[str, Text, Text]:
    return (
        "GF218",
        Text(f'no template named "{fault}"{tag}: there is nowhere to look for it', f"没有名为“{fault}”的模板{tag_zh}"),
        Text("pass environment=jinja2.Environment(loader=…)", "请传入 environment=jinja2.Environment(loader=…)"),
    )


def _read_value_fault(fault: IllegalCharacter | Unfit | Unprintable | Marked, name: str) -> tuple[str, Text, Text]:
    if isinstance(fault, Unfit | Unprintable | Marked):
        return "GF219", Text(f"{name}: {fault.text}", f"{name}：{fault.text.zh}"), Text("")
    number = f"U+{ord(fault.character):04X}"
    fact = Text(
        f"{name} has the character {number} at position {fault.index + 1}, which no office file can hold",
        f"{name} 第 {fault.index + 1} 个字符 {number} 不能写入文件",
    )
    if fault.character in "\a\f":
        hint = Text("for paragraphs and pages in data use Listing(text)", "数据内需要分段、分页时请用 Listing(text)")
        return "GF211", fact, hint
    return "GF211", fact, Text("remove it from the data", "请在数据中删除该字符")


def _read_syntax(fault: jinja2.TemplateSyntaxError, tag: str, tag_zh: str) -> tuple[str, Text, Text]:
    message = fault.message or ""
    found = re.search(r"[Nn]o (filter|test) named '([^']*)'", message)
    if found:
        from jinja2 import filters, tests

        table: Any = filters.FILTERS if found[1] == "filter" else tests.TESTS
        hint = did_you_mean(found[2], [*table, *(FILTERS if found[1] == "filter" else ())])
        kind_zh = "过滤器" if found[1] == "filter" else "测试"
        return "GF205", Text(f'there is no {found[1]} "{found[2]}"{tag}', f"没有{kind_zh}“{found[2]}”{tag_zh}"), hint
    code = "GF203" if re.search(r"unknown tag|end of template|innermost block", message) else "GF201"
    hint = _hint_syntax(message, tag)
    return code, Text(f"{message}{tag}", f"标签有误{tag_zh}：{_translate_syntax(message)}"), hint


# Signs as a Chinese keyboard gives them, and those that Jinja knows.
_HALF = {
    "（": "(", "）": ")", "，": ",", "＝": "=", "｜": "|", "【": "[", "】": "]", "［": "[", "］": "]", "：": ":", "．": ".",
    "＋": "+", "－": "-", "＊": "*", "／": "/", "！": "!", "＜": "<", "＞": ">", "％": "%", "｛": "{", "｝": "}", "、": ",",
    "。": ".", "＂": '"', "＇": "'", "～": "~",
}  # fmt: skip


def _hint_syntax(message: str, tag: str) -> Text:
    """Return what its author most likely meant, where that can be told."""
    found = re.search(r"unexpected char '(.)'", message)
    if found and found[1] in _HALF:
        half = _HALF[found[1]]
        return Text(f'write the half-width "{half}" for "{found[1]}"', f"请将全角的“{found[1]}”改为半角的“{half}”")
    if re.search(r"got '='", message) and re.search(r"\{%[-+]?\s*(?:p |tr |tc |r )?\s*(?:el)?if\b", tag):
        return Text('write "==" to compare', "比较请写“==”")
    if "got 'if'" in message and re.search(r"\belse\s+if\b", tag):
        return Text('write "elif" for "else if"', "“else if”请写成“elif”")
    return Text("")


# Jinja's messages, for those who do not read English. Each pattern keeps the words of the template as they are.
_SYNTAX_ZH = (
    (r"expected token '(.+?)', got '(.+?)'", r"应为“\1”，实为“\2”"),
    (r"unexpected '(.+?)'", r"多余或位置不对的“\1”"),
    (r"Expected an expression, got '(.+?)'", r"应为表达式，实为“\1”"),
    (r"Expected an expression", "缺少表达式"),
    (r"Encountered unknown tag '(.+?)'", r"未知的标签“\1”"),
    (r"Unexpected end of template", "模板提前结束，有标签块没有结束"),
    (r"unexpected char '(.+?)' at \d+", r"不能使用字符“\1”"),
    (r"tag name expected", "缺少标签名"),
    (r"a number of ([\d,]+) digits", r"数字有 \1 位，过长"),
    (r"the number (.+) is too large", r"数字 \1 过大"),
    (r"can't assign to '(.+?)'", r"不能给“\1”赋值"),
    (r"non-default argument follows default argument", "有默认值的参数之后不能有无默认值的参数"),
    (r"block '(.+?)' defined twice", r"块“\1”重复定义"),
    (r"expected one expression", "应为一个表达式"),
    ("end of print statement", "标签结尾"),
    ("end of statement block", "标签结尾"),
)


def _translate_syntax(message: str) -> str:
    for pattern, chinese in _SYNTAX_ZH:
        message = re.sub(pattern, chinese, message)
    return message


_CLASSES = {
    "GF201": TagError, "GF202": TagError, "GF203": TagError, "GF205": TagError, "GF206": TagError, "GF207": TagError,
    "GF204": NameMissing, "GF210": BudgetExceeded, "GF315": PackageError,
}  # fmt: skip


def raise_issues(issues: Iterable[Issue], cause: BaseException | None = None) -> None:
    """Raise the error class that all of these issues have in common; nothing where there are none."""
    found = tuple(issues)
    if not found:
        return
    classes = {_CLASSES.get(issue.code, TemplateError) for issue in found if issue.severity == "error"}
    raise (classes.pop() if len(classes) == 1 else TemplateError)(found) from cause


# ---------------------------------------------------------------------------------------------------------------------
# Expressions


@dataclass(frozen=True)
class Expression:
    """One compiled expression: call it on a context (any mapping) to get its value, not printed but as it is.

    `path` is the dotted path where the expression is nothing else (`c.name`), so that it can be read back; else None.
    Faults are TemplateError with the place; a missing name is NameMissing, a mark, or blank as the policy says.
    """

    source: str
    place: Place
    path: str | None
    tree: nodes.Template = field(repr=False, compare=False)
    environment: Language = field(repr=False, compare=False)
    _run: Callable[[Any], Any] = field(repr=False, compare=False)
    _globals: Mapping[str, Any] = field(repr=False, compare=False)

    def __call__(self, context: Mapping[str, Any]) -> Any:
        try:
            return self.evaluate(context)
        except Exception as fault:
            raise_issues([describe_fault(fault, self.place, words=self.source)], fault)

    def evaluate(self, context: Mapping[str, Any]) -> Any:
        """Return the value; faults are left as they come, for a caller that places them itself."""
        environment = self.environment
        scope = environment.context_class(environment, {**self._globals, **context}, None, {})
        for _ in self._run(scope):
            pass
        value = scope.vars["result"]
        if isinstance(value, Undefined):
            if environment.missing_policy == "error":
                raise MissingUsed(cast(Missing, value))
            return str(value)
        return value


def compile_expression(environment: Language, source: str, place: Place) -> Expression:
    """Return the compiled expression; TagError with `place` where it does not parse or names an unknown filter."""
    try:
        parser = environment._parse(f"{{{{ {source} }}}}", None, None)
        output = cast(nodes.Output, parser.body[0])
        if len(parser.body) != 1 or len(output.nodes) != 1 or isinstance(output.nodes[0], nodes.TemplateData):
            raise jinja2.TemplateSyntaxError("expected one expression", 1)
        expression = output.nodes[0]
        path = path_of(expression)
        body = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
        tree = nodes.Template(body, lineno=1)
        tree.set_environment(environment)
        template = environment.from_string(tree)
    except Exception as fault:
        raise_issues([describe_fault(fault, place, words=source)], fault)
        raise
    return Expression(source, place, path, tree, environment, template.root_render_func, template.globals)


def render_text(
    pattern: str, context: Mapping[str, Any], *, place: Place | None = None, missing: MissingPolicy = "error"
) -> str:
    """Return a short text with its tags filled in, as it is (nothing is escaped): a file name, a title.

    >>> render_text("关于{{ round.year }}年度的通知", {"round": {"year": 2022}})
    '关于2022年度的通知'
    """
    return compile_text(pattern, place, missing=missing).render(context)


# ---------------------------------------------------------------------------------------------------------------------
# Programs: a whole text with tags


_CHUNK = 256 * 1024


def _take(pieces: Iterator[Any], meter: Meter) -> list[Any]:
    """Return the next pieces, about a quarter of a million characters of them, counted as they come."""
    chunk, size = [], 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            break
    meter.settle(size)
    return chunk


class Program:
    """A compiled text with tags. Immutable; the forms for other policies and for tracing are made when first needed."""

    def __init__(
        self,
        environment: Language,
        source: str,
        place_of: Callable[[int], Place],
        words_of: Callable[[int], str],
        prepare: Callable[[nodes.Template], None] | None,
    ) -> None:
        self.environment = environment
        self.source = source
        self.place_of, self.words_of, self._prepare = place_of, words_of, prepare
        self._forms: dict[tuple[MissingPolicy, bool], jinja2.Template] = {}
        self._globals: dict[str, Any] | None = None
        self.tree = self._parse(environment)
        self._form(environment.missing_policy, False)

    def _parse(self, environment: Language) -> nodes.Template:
        tree = environment.parse(self.source)
        if self._prepare is not None:
            self._prepare(tree)
        return tree

    def _form(self, missing: MissingPolicy, tracing: bool) -> jinja2.Template:
        found = self._forms.get((missing, tracing))
        if found is None:
            environment = self.environment.with_policy(missing, tracing=tracing)
            found = environment.from_string(self._parse(environment))
            self._forms[missing, tracing] = found
        return found

    def _new_context(self, template: jinja2.Template, context: Mapping[str, Any]) -> Any:
        """Return the scope of one render. Jinja would merge two chained maps of globals anew each time."""
        if self._globals is None:
            self._globals = dict(template.globals)
        values = {**self._globals, **context}
        environment = template.environment
        return environment.context_class(environment, values, template.name, template.blocks, self._globals)

    def generate(self, context: Mapping[str, Any], *, missing: MissingPolicy | None = None) -> Iterator[Any]:
        """Yield the output in chunks, within the budget; TemplateError with every fault of the run.

        Chunks are texts, or UTF-8 bytes where the environment is binary.
        """
        missing = missing or self.environment.missing_policy
        meter = Meter(self.environment.budget, context)
        joiner: Any = b"" if self.environment.binary else ""
        try:
            template = self._form(missing, False)
            pieces = iter(template.root_render_func(self._new_context(template, context)))
            while True:
                with counting(meter):
                    chunk = _take(pieces, meter)
                if not chunk:
                    break
                yield joiner.join(chunk)
        except Exception as fault:
            self._explain(fault, context, missing)

    def render(self, context: Mapping[str, Any], *, missing: MissingPolicy | None = None) -> str:
        """Return the output as one text; TemplateError with every fault of the run."""
        chunks = self.generate(context, missing=missing)
        return b"".join(chunks).decode() if self.environment.binary else "".join(chunks)

    def _explain(self, fault: Exception, context: Mapping[str, Any], missing: MissingPolicy) -> None:
        """Raise all faults of this render: do it again in the tracing form, and describe what it finds."""
        if isinstance(fault, OverBudget | MemoryError | RecursionError):
            raise_issues([self._describe(fault, _line_of(fault), None, context)], fault)
        template = self._form(missing, True)
        trace = _Trace(locate=lambda line, fault, names: locate_value(self.tree, line, names))
        token = _TRACE.set(trace)
        last: Exception | None = None
        try:
            with metered(self.environment.budget, context):
                for _ in template.root_render_func(self._new_context(template, context)):
                    pass
        except Exception as found:
            last = found
        finally:
            _TRACE.reset(token)
        issues = [self._describe(*entry, context) for entry in trace.found.values()]
        if last is not None and not isinstance(last, OverBudget):
            issues.append(self._describe(last, _line_of(last), None, context))
        raise_issues(issues or [self._describe(fault, _line_of(fault), None, context)], fault)

    def _describe(self, fault: Exception, line: int, where: str | None, context: Mapping[str, Any]) -> Issue:
        known = _known_names(context) if isinstance(fault, MissingUsed) else ()
        return describe_fault(fault, self.place_of(line), words=self.words_of(line), where=where, known=known)


def _known_names(values: Any, depth: int = 3) -> list[str]:
    if isinstance(values, Mapping) and depth:
        names = [str(key) for key in values]
        for value in islice(values.values(), 200):
            names += _known_names(value, depth - 1)
        return names
    if isinstance(values, list | tuple) and values and depth:
        return _known_names(values[0], depth)
    return []


def _line_of(fault: BaseException) -> int:
    """Return the template line that was running when the fault came."""
    line, trace = 1, fault.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if template is None and "debug_info" in trace.tb_frame.f_globals:
            template = trace.tb_frame.f_globals
        if isinstance(template, jinja2.Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        elif isinstance(template, dict):
            line = _debug_line(str(template["debug_info"]), trace.tb_lineno)
        trace = trace.tb_next
    return getattr(fault, "lineno", None) or line


def _debug_line(debug_info: str, line: int) -> int:
    pairs = [tuple(map(int, pair.split("="))) for pair in debug_info.split("&") if pair]
    found = 1
    for template_line, code_line in pairs:
        if code_line <= line:
            found = template_line
    return found


def locate_value(tree: nodes.Template, line: int, names: Mapping[str, Any]) -> str | None:
    """Return the field of the data that the tag on this line prints, with its indexes: `companies[3].name`.

    `names` are the local variables of the running template, by Jinja's own naming `l_<depth>_<name>`.
    """
    loops: list[nodes.For] = []
    expression = _find_printed(tree, line, loops)
    path = next((found for found in map(path_of, _walk(expression)) if found), None) if expression else None
    if path is None:
        return None
    for loop in reversed(loops):
        head, _, rest = path.partition(".")
        source = next((found for found in map(path_of, _walk(loop.iter)) if found), None)
        if not isinstance(loop.target, nodes.Name) or loop.target.name != head or source is None:
            continue
        index = _find_index(_local(names, head), _follow_path(source, names))
        path = f"{source}[{'' if index is None else index}]" + (f".{rest}" if rest else "")
    return path


def _find_printed(node: nodes.Node, line: int, loops: list[nodes.For]) -> nodes.Node | None:
    """Return the expression printed on a line; `loops` gets the loops around it, outermost first."""
    if isinstance(node, nodes.Output):
        return next((n for n in node.nodes if n.lineno == line and not isinstance(n, nodes.TemplateData)), None)
    if isinstance(node, nodes.If | nodes.For | nodes.Assign) and node.lineno == line:
        return cast(nodes.Node, node.test if isinstance(node, nodes.If) else getattr(node, "iter", None) or node.node)  # type: ignore[union-attr]
    if isinstance(node, nodes.For):
        loops.append(node)
    for child in node.iter_child_nodes():
        found = _find_printed(child, line, loops)
        if found is not None:
            return found
    if isinstance(node, nodes.For):
        loops.pop()
    return None


def _local(names: Mapping[str, Any], name: str) -> Any:
    best, value = -1, None
    for key, found in names.items():
        prefix, _, rest = key.partition("_")
        depth, _, known = rest.partition("_")
        if prefix == "l" and known == name and depth.isdigit() and int(depth) > best and found is not jinja_missing:
            best, value = int(depth), found
    if best < 0 and "context" in names:
        value = names["context"].resolve(name)
    return value


def _follow_path(path: str, names: Mapping[str, Any]) -> Any:
    head, *steps = path.split(".")
    value = _local(names, head)
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value


def _find_index(item: Any, values: Any) -> int | None:
    if isinstance(values, list | tuple):
        return next((index for index, value in enumerate(values) if value is item), None)
    return None


def compile_source(
    environment: Language,
    source: str,
    *,
    place_of: Callable[[int], Place],
    words_of: Callable[[int], str] = lambda line: "",
    prepare: Callable[[nodes.Template], None] | None = None,
) -> Program:
    """Return the compiled text; TagError where it does not parse.

    Lines are how a tag is told from another: give each tag its own line by a newline *inside* it
    (`{{ name\\n}}` prints no newline), and `place_of(line)` and `words_of(line)` say where it stands and how it reads.
    `prepare` sees the parsed tree before it is compiled, each time it is parsed.
    """
    try:
        return Program(environment, source, place_of, words_of, prepare)
    except (jinja2.TemplateSyntaxError, RecursionError, MemoryError, SyntaxError, OverBudget) as fault:
        line = getattr(fault, "lineno", None) or 1
        raise_issues([describe_fault(fault, place_of(line), words=words_of(line))], fault)
        raise


def compile_text(
    pattern: str, place: Place | None = None, *, missing: MissingPolicy = "error", budget: Budget | None = None
) -> Program:
    """Return a short text with tags, compiled: a file name, a title. Nothing is escaped; all faults are at `place`."""
    environment = make_environment(escape=None, missing=missing, budget=budget)
    return compile_source(environment, pattern, place_of=lambda line: place or Place(), words_of=lambda line: pattern)
