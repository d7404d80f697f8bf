"""`Language`, the Jinja environment that templates run in: data before methods, everything bounded, nothing escapes."""

from __future__ import annotations

import math
import re
import sys
import types
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import chain, islice
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.lexer import TokenStream
from jinja2.parser import Parser
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
    check_call,
    check_comparison,
    check_format,
    check_operation,
    check_printed,
    check_result,
    check_shown,
    count_iterator,
    count_made,
    mix_numbers,
    use,
    write_out,
)
from gfdocs.engine.budget import CONTAINERS, METER, Budget, OverBudget, check_text, spend
from gfdocs.engine.language.characters import clip
from gfdocs.engine.language.generator import Generator
from gfdocs.engine.language.lexing import find_tokens
from gfdocs.engine.language.missing import UNDEFINED, Blank, Mark, Missing, MissingPolicy
from gfdocs.engine.language.trace import TRACE
from gfdocs.engine.language.tree import check_functions, check_size, index_tree, mark_nodes
from gfdocs.engine.written import Written, to_text, to_texts

CHUNK = 256 * 1024


# How many rows of a loop are printed at once.
_ROWS = 256


Writers = tuple[Callable[[Any], bytes], ...]
FillRows = Callable[[tuple[bytes, ...], Writers, tuple[Any, ...]], Iterator[bytes]]
PickValues = Callable[[tuple[str, ...], tuple[Any, ...]], tuple[Any, ...] | None]


@lru_cache(maxsize=1024)
def _is_mapping(kind: type) -> bool:
    return issubclass(kind, Mapping)


_INNER = frozenset((types.FrameType, types.CodeType, types.TracebackType))


# What changes the data and Jinja's sandbox lets pass: one document's template would change the next document.
_CHANGING: tuple[tuple[type, frozenset[str]], ...] = (
    (deque, frozenset(("appendleft", "extendleft", "popleft", "rotate"))),
    (OrderedDict, frozenset(("move_to_end",))),
    (types.GeneratorType, frozenset(("close", "send", "throw"))),
)


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


class NoLoader(Exception):
    """A template asks for another one, and there is nowhere to look for it. It becomes issue GF218."""


class OpaqueNamespace(Namespace):
    """`namespace()`: a place for values, and no value itself, since what is in it may grow without end."""

    def __repr__(self) -> str:
        raise TypeError("a namespace is no value to print")


class Language(ImmutableSandboxedEnvironment):
    """The Jinja environment of all kinds. Made by `make_environment`, not by hand."""

    code_generator_class = Generator
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
    fillable: frozenset[str] = frozenset()
    """The outlets whose values `fill_rows` may print many at a time."""
    fill_rows: FillRows
    pick_values: PickValues
    outlets: dict[str, Callable[[Any], str]]
    raw_outlets: dict[str, Callable[[Any], bytes]]

    def _generate(self, source: nodes.Template, name: Any, filename: Any, defer_init: bool = False) -> str:
        index = index_tree(source)
        check_size(index)
        check_functions(index, self)
        mark_nodes(index, self.tracing)
        return super()._generate(source, name, filename, defer_init)

    # Names -----------------------------------------------------------------------------------------------------------

    def getattr(self, obj: Any, attribute: str, path: str | None = None) -> Any:
        """Return the value of a mapping's key, else the attribute: the data comes before the methods of its type."""
        kind = obj.__class__
        if obj is jinja_missing:
            # Only where the path is known: its first step is what the data does not have.
            obj = self.undefined(name=cast(str, path).partition(".")[0])
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
            if kind is LoopContext and isinstance(value, Missing):
                # Before the first round and after the last there is no item: that is no fault of the data.
                return Blank(name=attribute)
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
        if self.trusted:
            return True
        changes = any(attr in names for kind, names in _CHANGING if isinstance(obj, kind))
        return not changes and super().is_safe_attribute(obj, attr, value)

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, Missing):
            # A name that is missing is told by the name, not as something that may not be called.
            return isinstance(obj, Blank) or bool(obj)
        return self.trusted or super().is_safe_callable(obj)

    # Output ----------------------------------------------------------------------------------------------------------

    def get_printer(self, name: str, binary: bool) -> Callable[[Any], Any]:
        """Return what prints any value at this outlet, as text or as bytes: the outlet's own fast way where it has one."""
        found = self.raw_outlets.get(name) if binary else None
        if found is not None:
            return found
        outlet, printable = self.outlets[name], self.printable

        def show(value: Any) -> Any:
            # A short text or a number is printed as it is; all else is looked at first.
            kind = value.__class__
            text = outlet(value if (kind is str and len(value) < LONG) or kind in ATOMS else printable(value))
            return text.encode() if binary else text

        return show

    def print_rows(
        self, fixed: tuple[bytes, ...], writers: Writers, rows: Iterator[tuple[Any, ...]]
    ) -> Iterator[bytes]:
        """Yield the printed rows of a loop, some hundreds at a time: `fixed` stands before, between and after values."""
        while values := tuple(chain.from_iterable(islice(rows, _ROWS))):
            yield from self.fill_rows(fixed, writers, values)

    def print_items(
        self,
        fixed: tuple[bytes, ...],
        writers: Writers,
        make_rows: Callable[[Iterable[Any]], Iterator[tuple[Any, ...]]],
        keys: tuple[str, ...] | None,
        items: Iterable[Any],
    ) -> Iterator[bytes]:
        """Yield the printed rows of these items; `keys` are what a row prints where it prints nothing else."""
        rest = iter(items)
        while chunk := tuple(islice(rest, _ROWS)):
            values = self.pick_values(keys, chunk) if keys else None
            if values is None:  # a name is missing, or what has it is no dict: the long way knows what to do
                values = tuple(chain.from_iterable(make_rows(chunk)))
            yield from self.fill_rows(fixed, writers, values)

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
        if isinstance(value, CONTAINERS):
            if not self.trusted:
                use(value, self.budget)
            check_shown(value)
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
            raise NoLoader(clip(str(name)))
        return super()._load_template(name, globals)

    def _parse(self, source: str, name: Any, filename: Any) -> nodes.Template:
        """Return the tree of a template. Only constants that are folded, and extensions, ask a node for us: Jinja
        would walk the whole tree to tell each of them.
        """
        if self.extensions:
            return super()._parse(source, name, filename)
        return nodes.Template(Parser(self, source, name, filename).subparse(), lineno=1, environment=self)

    def _tokenize(self, source: str, name: Any, filename: Any = None, state: Any = None) -> Any:
        """Refuse numbers that Python cannot read or write; else as Jinja."""
        if _LONG_NUMBER.search(source):
            for line, kind, text in self.lexer.tokeniter(
                self.preprocess(source, name, filename), name, filename, state
            ):
                if kind == "integer" and len(text) > _MAX_DIGITS:
                    raise jinja2.TemplateSyntaxError(f"a number of {len(text):,} digits", line, name, filename)
                if kind == "float" and math.isinf(float(text.replace("_", ""))):
                    raise jinja2.TemplateSyntaxError(f"the number {clip(text)} is too large", line, name, filename)
        if state is None and self._is_usual:
            tokens = find_tokens(source)
            if tokens is not None:
                return TokenStream(iter(tokens), name, filename)
        return super()._tokenize(source, name, filename, state)

    @property
    def _is_usual(self) -> bool:
        """Whether tags look as they usually do, and nobody else reads them first."""
        return not (self.extensions or self.trim_blocks or self.lstrip_blocks)

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
        check_shown(value)
        return value

    # Tracing ---------------------------------------------------------------------------------------------------------

    def attempt(self, thunk: Callable[[], Any], line: int, default: Any) -> Any:
        """Return what the expression gives; note its fault and go on with `default` where it fails."""
        try:
            return thunk()
        except OverBudget:
            raise
        except Exception as fault:
            trace = TRACE.get()
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
        other = self.overlay(undefined=UNDEFINED[missing])
        other.missing_policy, other.tracing = missing, tracing
        other.binary = self.binary and not tracing
        return other

    def with_outlets(
        self,
        outlets: Mapping[str, Callable[[Any], str]],
        raw: Mapping[str, Callable[[Any], bytes]] | None = None,
        *,
        binary: bool = False,
        fill_rows: FillRows | None = None,
        pick_values: PickValues | None = None,
        fillable: Iterable[str] = (),
    ) -> Language:
        """Return this environment with further ways to print.

        raw: their fast forms for bytes. fill_rows: prints rows of values of `fillable` outlets all at once; pick_values:
        picks them from mappings.
        """
        other = self.overlay()
        if fill_rows is not None and pick_values is not None:
            other.fill_rows, other.pick_values, other.fillable = fill_rows, pick_values, frozenset(fillable)
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
