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

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any, Literal, cast

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, find_undeclared
from jinja2.exceptions import SecurityError
from jinja2.runtime import Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, SandboxedFormatter
from jinja2.utils import missing as jinja_missing
from jinja2.utils import pass_context
from markupsafe import Markup

from gfdocs.engine.budget import (
    Budget,
    Meter,
    OverBudget,
    check_format,
    check_method,
    check_operation,
    check_text,
    counting,
    metered,
    spend,
)
from gfdocs.engine.filters import FILTERS
from gfdocs.errors import BudgetExceeded, Issue, NameMissing, Place, TagError, TemplateError, Text, did_you_mean

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
        self.path: str = name if isinstance(name, str) else f"[{name!r}]"

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._further(f".{name}")

    def __getitem__(self, key: Any) -> Any:
        return self._further(f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]")

    def _further(self, step: str) -> Missing:
        further = type(self)(self._undefined_hint, self._undefined_obj, self._undefined_name, self._undefined_exception)
        further.path = self.path + step
        return further

    def _fail(self, *_: Any, **__: Any) -> Any:
        raise MissingUsed(self)

    __iter__ = __str__ = __len__ = __bool__ = __eq__ = __ne__ = __hash__ = __contains__ = _fail
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
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            cast(Any, node.node).is_method = True
        elif tracing and isinstance(node, nodes.If):
            cast(Any, node.test).guard = "test"
        elif tracing and isinstance(node, nodes.Assign):
            cast(Any, node.node).guard = "assign"


# How many pieces are joined in one step at most: Python compiles a tuple of any length, but not fast.
_GROUP = 256
# How many rows of a loop are printed at once.
_ROWS = 256


class _Generator(CodeGenerator):
    """Jinja's code generator with our outlets, guards and bounds. `tracing` makes the form that tells all faults."""

    environment: Language

    def write_commons(self) -> None:
        for name in self.environment.outlets:
            self.writeline(f"out_{name} = environment.outlets[{name!r}]")
            if self.environment.binary:
                self.writeline(f"raw_{name} = environment.get_raw({name!r})")
        super().write_commons()

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
        self.writeline('yield b"".join((' if binary else f"{frame.buffer}.extend((")
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
        self.writeline("))")

    def _write_piece(self, piece: nodes.Expr, frame: Frame) -> None:
        if isinstance(piece, nodes.TemplateData):
            self.writeline(f"yield {piece.data!r}")
            return
        self.writeline("yield ", piece)
        self._write_value(piece, frame, binary=False)

    def _write_value(self, piece: nodes.Expr, frame: Frame, binary: bool) -> None:
        if self.environment.tracing:
            self.write("environment.attempt(lambda: ")
        self.write(f"{'raw' if binary else 'out'}_{getattr(piece, 'outlet', 'text')}(")
        super().visit(piece, frame)
        self.write(f"), {piece.lineno}, '')" if self.environment.tracing else ")")

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
            super().visit_Getitem(node, frame)
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

    def visit_Compare(self, node: nodes.Compare, frame: Frame) -> None:  # noqa: N802
        if len(node.ops) == 1 and node.ops[0].op in ("in", "notin"):
            self.write("environment.contains(" if node.ops[0].op == "in" else "(not environment.contains(")
            self.visit(node.ops[0].expr, frame)
            self.write(", ")
            self.visit(node.expr, frame)
            self.write(")" if node.ops[0].op == "in" else "))")
            return
        super().visit_Compare(node, frame)


class _Formatter(SandboxedFormatter):
    """`str.format` of the sandbox with widths bounded."""

    def format_field(self, value: Any, format_spec: str) -> Any:
        check_format(format_spec)
        return super().format_field(value, format_spec)


_SIZED = (list, tuple, dict, str, set, frozenset, range)


class Language(ImmutableSandboxedEnvironment):
    """The Jinja environment of all kinds. Made by `make_environment`, not by hand."""

    code_generator_class = _Generator
    intercepted_binops = frozenset(["+", "*", "**", "%"])
    missing_policy: MissingPolicy = "error"
    budget: Budget = Budget()
    tracing: bool = False
    trusted: bool = False
    binary: bool = False
    """Whether programs yield UTF-8 bytes: the text of the template is encoded once, when it is compiled."""
    packable: frozenset[str] = frozenset()
    """The outlets whose values `pack` may print many at a time."""
    pack: Callable[[tuple[Any, ...]], list[bytes] | None]
    outlets: dict[str, Callable[[Any], str]]
    raw_outlets: dict[str, Callable[[Any], bytes]]

    def _generate(self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False) -> str:
        _mark_nodes(source, self.tracing)
        return super()._generate(source, name, filename, defer_init)

    # Names -----------------------------------------------------------------------------------------------------------

    def getattr(self, obj: Any, attribute: str, path: str | None = None) -> Any:
        """Return the value of a mapping's key, else the attribute: the data comes before the methods of its type."""
        if isinstance(obj, dict):
            try:
                return obj[attribute]
            except KeyError:
                pass
        return self._with_path(super().getattr(obj, attribute), path)

    def getmethod(self, obj: Any, attribute: str, path: str | None = None) -> Any:
        """Return what is called by this name: the method of a mapping where it has one, else as `getattr`."""
        if isinstance(obj, dict) and hasattr(type(obj), attribute):
            return self._with_path(super().getattr(obj, attribute), path)
        return self.getattr(obj, attribute, path)

    def getitem(self, obj: Any, argument: Any, path: str | None = None) -> Any:
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
        self, static: tuple[bytes, ...], writers: tuple[Callable[[Any], bytes], ...], rows: Iterator[tuple[Any, ...]]
    ) -> Iterator[bytes]:
        """Yield the printed rows of a loop, some dozens at a time: `static` stands before, between and after values."""
        while chunk := list(islice(rows, _ROWS)):
            yield self._print_columns(static, writers, list(zip(*chunk, strict=True)))

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
            yield self._print_columns(static, writers, columns)

    def _print_columns(
        self,
        static: tuple[bytes, ...],
        writers: tuple[Callable[[Any], bytes], ...],
        columns: list[tuple[Any, ...]],
    ) -> bytes:
        """Return the rows whose values these columns are. The values of one column are mostly of one kind."""
        rows, step = len(columns[0]), 2 * len(writers)
        out = [static[0]] * (step * rows + 1)
        # The end of one row and the beginning of the next are one piece.
        out[2::2] = [*static[1:-1], static[-1] + static[0]] * rows
        out[-1] = static[-1]
        for at, (column, write) in enumerate(zip(columns, writers, strict=True)):
            out[1 + 2 * at :: step] = self.pack(column) or map(write, column)
        return b"".join(out)

    @staticmethod
    def to_bytes(value: Any) -> bytes:
        return value if isinstance(value, bytes) else str(value).encode()

    @staticmethod
    def concat(values: Iterable[Any]) -> str:
        """Join what a buffer gathered; a block inside a macro may have given bytes."""
        pieces = list(values)
        try:
            return "".join(pieces)
        except TypeError:
            return "".join(piece.decode() if isinstance(piece, bytes) else piece for piece in pieces)

    # Bounds ----------------------------------------------------------------------------------------------------------

    def iterate(self, values: Any) -> Any:
        """Return what a loop runs over; its length is counted before it runs, or its items while it does."""
        if isinstance(values, _SIZED):
            spend(len(values))
            return values
        if isinstance(values, Undefined):
            return iter(values)
        return _count_iterator(iter(values))

    def contains(self, values: Any, item: Any) -> bool:
        if isinstance(values, _SIZED) and not isinstance(values, dict | set | frozenset | range):
            spend(len(values) >> 8)
        return item in values

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if not self.trusted:
            check_operation(operator, left, right, self.budget)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        if not __self.trusted:
            # A macro is a whole template again; a method is one step.
            spend(16 if isinstance(__obj, Macro) else 1)
            owner = getattr(__obj, "__self__", None)
            if isinstance(owner, str | bytes | int):
                check_method(getattr(__obj, "__name__", ""), owner, args, __self.budget)
        return super().call(__context, __obj, *args, **kwargs)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        wrapped = super().wrap_str_format(value)
        if wrapped is None or self.trusted:
            return wrapped
        text, formatter = value.__self__, _Formatter(self)
        is_map = value.__name__ == "format_map"

        def wrapper(*args: Any, **kwargs: Any) -> str:
            if is_map:
                return str(formatter.vformat(str(text), (), args[0]))
            return str(formatter.vformat(str(text), args, kwargs))

        return wrapper

    def concat_values(self, values: tuple[Any, ...]) -> Any:
        """`a ~ b`: texts joined; markup of ours stays markup, and what stands beside it is escaped."""
        if any(hasattr(value, "__html__") for value in values):
            joined: Any = Markup("").join(values)
        else:
            joined = "".join(["" if value is None else str(value) for value in values])
        check_text(len(joined), self.budget)
        return joined

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


def _count_iterator(values: Iterator[Any]) -> Iterator[Any]:
    for value in values:
        spend(1)
        yield value


# ---------------------------------------------------------------------------------------------------------------------
# Filters and functions, bounded

_CONSUMING = frozenset(
    ("batch", "dictsort", "groupby", "join", "list", "map", "max", "min", "pprint", "random", "reject", "rejectattr",
     "reverse", "select", "selectattr", "slice", "sort", "sum", "unique")
)  # fmt: skip
_WIDE = frozenset(("batch", "center", "indent", "slice", "wordwrap", "truncate"))


def _check_filter(name: str, value: Any, args: tuple[Any, ...], kwargs: dict[str, Any], budget: Budget) -> None:
    """OverBudget where a filter would take or make too much."""
    if isinstance(value, str):
        spend(len(value) >> 8)
    elif name in _CONSUMING and isinstance(value, _SIZED):
        spend(1 + (len(value) >> 2))
    numbers = [arg for arg in (*args, *kwargs.values()) if isinstance(arg, int)]
    if name in _WIDE and numbers and max(numbers) > budget.range:
        raise OverBudget(f"{name}({max(numbers):,})", f"{name}({max(numbers):,})")
    if name == "indent" and isinstance(value, str) and numbers:
        check_text(len(value) + value.count("\n") * max(numbers), budget)
    elif name == "format":
        check_format(str(value))
    elif name == "replace" and len(args) >= 2:
        check_method("replace", str(value), (str(args[0]), str(args[1])), budget)
    elif name == "join" and isinstance(value, list | tuple):
        size = sum(len(item) for item in value if isinstance(item, str))
        check_text(size + len(str(args[0] if args else "")) * len(value), budget)


def _bound_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the filter with its work counted, called the way Jinja calls the bare one."""
    passed = getattr(getattr(function, "jinja_pass_arg", None), "name", None)

    @pass_context
    def bounded(context: Any, value: Any = None, *args: Any, **kwargs: Any) -> Any:
        environment = context.environment
        _check_filter(name, value, args, kwargs, environment.budget)
        if passed == "context":
            return function(context, value, *args, **kwargs)
        if passed == "eval_context":
            return function(context.eval_ctx, value, *args, **kwargs)
        if passed == "environment":
            return function(environment, value, *args, **kwargs)
        return function(value, *args, **kwargs)

    return bounded


def _bounded_range(budget: Budget) -> Callable[..., range]:
    def bounded(*args: int) -> range:
        found = range(*args)
        try:
            size = len(found)
        except OverflowError:
            size = sys.maxsize
        if size > budget.range:
            raise OverBudget(f"a range of {size:,} items", f"range 多达 {size:,} 项")
        spend(size)
        return found

    bounded.__name__ = "range"
    return bounded


def _keep(value: Any) -> Any:
    """`|e`, `|safe`: the value as it is, since it is escaped where it is printed."""
    return value


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
        autoescape=True,
        keep_trailing_newline=True,
        loader=base.loader if base else None,
        extensions=[type(extension) for extension in base.extensions.values()] if base else [],
        trim_blocks=base.trim_blocks if base else False,
        lstrip_blocks=base.lstrip_blocks if base else False,
        cache_size=50,
    )
    language.missing_policy, language.budget, language.trusted = missing, budget or Budget(), trusted
    language.outlets = {"text": _make_outlet(escape), **(outlets or {})}
    language.raw_outlets = {}
    if base:
        language.tests.update(base.tests)
        language.globals.update(base.globals)
        language.policies.update(base.policies)
    language.filters.update({**FILTERS, **_own_filters(base), **(filters or {})})
    language.filters.update(dict.fromkeys(("e", "escape", "forceescape", "safe"), _keep))
    if not trusted:
        _bound(language)
    return language


def _bound(language: Language) -> None:
    """Count what filters and `range` do; `lipsum` makes texts of any length."""
    language.globals["range"] = _bounded_range(language.budget)
    language.globals.pop("lipsum", None)
    language.filters = {name: _bound_filter(name, function) for name, function in language.filters.items()}


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
    if isinstance(fault, IllegalCharacter | Unfit):
        return _read_value_fault(fault, where or _clip(words) or "?")
    if isinstance(fault, OverBudget):
        hint = Text("pass a larger Budget if the template is meant to do this", "如确有需要，请传入更大的 Budget")
        return "GF210", Text(f"over budget: {fault.text}{tag}", f"超出限额：{fault.text.zh}{tag_zh}"), hint
    if isinstance(fault, RecursionError | MemoryError):
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


def _read_value_fault(fault: IllegalCharacter | Unfit, name: str) -> tuple[str, Text, Text]:
    if isinstance(fault, Unfit):
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
    return code, Text(f"{message}{tag}", f"标签有误{tag_zh}：{_translate_syntax(message)}"), Text("")


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
    "GF204": NameMissing, "GF210": BudgetExceeded,
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


_TAG = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_CHUNK = 256 * 1024


def _take(pieces: Iterator[Any], meter: Meter) -> list[Any]:
    """Return the next pieces, about a quarter of a million characters of them, counted as they come."""
    chunk, size = [], 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            break
    meter.write(size)
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

    def generate(self, context: Mapping[str, Any], *, missing: MissingPolicy | None = None) -> Iterator[Any]:
        """Yield the output in chunks, within the budget; TemplateError with every fault of the run.

        Chunks are texts, or UTF-8 bytes where the environment is binary.
        """
        missing = missing or self.environment.missing_policy
        meter = Meter(self.environment.budget, context)
        joiner: Any = b"" if self.environment.binary else ""
        try:
            template = self._form(missing, False)
            pieces = iter(template.root_render_func(template.new_context({**context})))
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
                for _ in template.root_render_func(template.new_context({**context})):
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
