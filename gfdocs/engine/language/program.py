"""What is compiled: an `Expression` of one value, a `Program` of a whole text with tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.runtime import Undefined

from gfdocs.engine.budget import Budget, Meter, OverBudget, counting, metered
from gfdocs.engine.language.environment import make_environment
from gfdocs.engine.language.faults import describe_fault, raise_issues
from gfdocs.engine.language.missing import Missing, MissingPolicy, MissingUsed
from gfdocs.engine.language.sandbox import CHUNK, Language
from gfdocs.engine.language.trace import TRACE, Trace, line_of, locate_value
from gfdocs.engine.language.tree import Index, index_tree, path_of
from gfdocs.errors import Issue, Place


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


def _take(pieces: Iterator[Any], meter: Meter) -> list[Any]:
    """Return the next pieces, about a quarter of a million characters of them, counted as they come."""
    chunk, size = [], 0
    for piece in pieces:
        chunk.append(piece)
        size += len(piece)
        if size >= CHUNK:
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
        prepare: Callable[[Index], None] | None,
    ) -> None:
        self.environment = environment
        self.source = source
        self.place_of, self.words_of, self._prepare = place_of, words_of, prepare
        self._forms: dict[tuple[MissingPolicy, bool], jinja2.Template] = {}
        self._globals: dict[str, Any] | None = None
        self._form(environment.missing_policy, False)

    @cached_property
    def tree(self) -> nodes.Template:
        """The parsed text, for who asks which names it has: code is made of a tree of its own, which that changes."""
        return self._parse(self.environment)

    def _parse(self, environment: Language) -> nodes.Template:
        tree = environment.parse(self.source)
        index = index_tree(tree)
        for node in index.find_all(nodes.Compare):
            # Jinja notes the line of what comes after a comparison: the next tag, where each has a line of its own.
            node.lineno = node.expr.lineno
        if self._prepare is not None:
            self._prepare(index)
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
            raise_issues([self._describe(fault, line_of(fault), None, context)], fault)
        template = self._form(missing, True)
        trace = Trace(locate=lambda line, fault, names: locate_value(self.tree, line, names))
        token = TRACE.set(trace)
        last: Exception | None = None
        try:
            with metered(self.environment.budget, context):
                for _ in template.root_render_func(self._new_context(template, context)):
                    pass
        except Exception as found:
            last = found
        finally:
            TRACE.reset(token)
        issues = [self._describe(*entry, context) for entry in trace.found.values()]
        if last is not None and not isinstance(last, OverBudget):
            issues.append(self._describe(last, line_of(last), None, context))
        raise_issues(issues or [self._describe(fault, line_of(fault), None, context)], fault)

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


def compile_source(
    environment: Language,
    source: str,
    *,
    place_of: Callable[[int], Place],
    words_of: Callable[[int], str] = lambda line: "",
    prepare: Callable[[Index], None] | None = None,
) -> Program:
    """Return the compiled text; TagError where it does not parse.

    Lines are how a tag is told from another: give each tag its own line by a newline *inside* it
    (`{{ name\\n}}` prints no newline), and `place_of(line)` and `words_of(line)` say where it stands and how it reads.
    `prepare` sees the nodes of the parsed tree before it is compiled, each time it is parsed.
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


def render_text(
    pattern: str, context: Mapping[str, Any], *, place: Place | None = None, missing: MissingPolicy = "error"
) -> str:
    """Return a short text with its tags filled in, as it is (nothing is escaped): a file name, a title.

    >>> render_text("关于{{ round.year }}年度的通知", {"round": {"year": 2022}})
    '关于2022年度的通知'
    """
    return compile_text(pattern, place, missing=missing).render(context)
