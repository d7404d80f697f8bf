"""Making the environment: which filters, tests and globals a template has, and how it prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jinja2

from gfdocs.engine.bounds import bound_filter, bound_range, bound_test
from gfdocs.engine.budget import Budget
from gfdocs.engine.filters import FILTERS
from gfdocs.engine.language.characters import check_characters, escape_xml
from gfdocs.engine.language.missing import UNDEFINED, Missing, MissingPolicy, MissingUsed
from gfdocs.engine.language.sandbox import Language, OpaqueNamespace
from gfdocs.engine.written import to_text, to_texts


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
    if base is None and not filters:
        language = _make_usual(missing, budget or Budget(), trusted).overlay(autoescape=escape is not None)
        language.globals = dict(language.globals)
    else:
        language = _make_language(missing, budget or Budget(), trusted, filters or {}, base)
        language.autoescape = escape is not None
    language.outlets = {"text": _make_outlet(escape), **(outlets or {})}
    language.raw_outlets = {}
    language.is_plain = escape is None
    return language


@lru_cache(maxsize=16)
def _make_usual(missing: MissingPolicy, budget: Budget, trusted: bool) -> Language:
    """Return the environment that most templates share: wrapping a hundred filters and tests is done once."""
    return _make_language(missing, budget, trusted, {}, None)


def _make_language(
    missing: MissingPolicy,
    budget: Budget,
    trusted: bool,
    filters: Mapping[str, Callable[..., Any]],
    base: jinja2.Environment | None,
) -> Language:
    language = Language(
        undefined=UNDEFINED[missing],
        keep_trailing_newline=True,
        loader=base.loader if base else None,
        extensions=[type(extension) for extension in base.extensions.values()] if base else [],
        trim_blocks=base.trim_blocks if base else False,
        lstrip_blocks=base.lstrip_blocks if base else False,
        cache_size=50,
        # Constants are not computed while compiling: nothing counts there what they cost.
        optimized=False,
    )
    language.missing_policy, language.budget, language.trusted = missing, budget, trusted
    if base:
        language.tests.update(base.tests)
        language.globals.update(base.globals)
        language.policies.update(base.policies)
    if not trusted:
        # The same template and data give the same bytes.
        language.filters.pop("random", None)
    own = {**_own_filters(base), **filters}
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
    language.globals.update(range=bound_range(budget), namespace=OpaqueNamespace)
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


def _make_outlet(escape: Callable[[str], str] | None) -> Callable[[Any], str]:
    """Return what prints a value: escaped text, nothing for None, the markup of an object that brings its own."""
    if escape is None:
        return lambda value: "" if value is None else str(value)

    def outlet(value: Any) -> str:
        if type(value) is str:  # a proxy may say that it is one
            return escape(value)
        if value is None:
            return ""
        markup = getattr(value, "__html__", None)
        if markup is not None:
            return check_characters(str(markup()))
        return escape(str(value))

    return outlet


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
