"""Tags of cells compiled with the one template language: values keep their type, texts are texts, lists give whole
columns.

A program can be run for one cell (`get_value`) or for all turns of a list at once (`get_column`): Jinja's own loop
then runs over the items, so that `loop.index` and its like mean what they always mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from keyword import kwlist
from typing import TYPE_CHECKING, Any, cast

from jinja2 import nodes
from jinja2.runtime import Undefined

from gfdocs.engine.bounds import ATOMS, LONG
from gfdocs.engine.budget import spend
from gfdocs.engine.language import (
    Language,
    MissingPolicy,
    MissingUsed,
    Unfit,
    describe_fault,
    make_environment,
    path_of,
    raise_issues,
)
from gfdocs.engine.xlsx.template.tags import find_tag_fault
from gfdocs.errors import Issue, Place, TemplateError, Text

if TYPE_CHECKING:
    from gfdocs.engine.template import Options

Scope = Mapping[str, Any]
Report = Callable[[Issue], None]


class _End(str):
    """Ends the pieces of one turn in a column; known by identity."""

    __slots__ = ()


_END = _End()
_ITEMS, _END_NAME = "gfdocs_items", "gfdocs_end"

MAX_ITEMS = 2_000_000

_NAME = re.compile(r"[^\W\d]\w*$")
_STEPS = r"[^\W\d]\w*(?:\.[^\W\d]\w*){0,20}"
_PLAIN_VALUE = re.compile(rf"\s*\{{\{{\s*({_STEPS})\s*\}}\}}\s*")
_PLAIN_TAG = re.compile(rf"\{{\{{\s*({_STEPS})\s*\}}\}}")
_PLAIN_LOOP = re.compile(rf"\s*([^\W\d]\w*)\s+in\s+({_STEPS})\s*")

#: Words that mean something else than a name of the data.
_RESERVED = frozenset([*kwlist, "true", "false", "none", "not", "self", "super", "caller", "varargs", "kwargs"])


def _is_plain(path: str) -> bool:
    """True where a text of this form is a path of names to Jinja as well."""
    head, *rest = path.split(".")
    return head not in _RESERVED and all(map(str.isidentifier, (head, *rest)))


def _split_path(path: str | None) -> tuple[str, ...] | None:
    """Return the names of a plain path: `c.contact.phone` → (c, contact, phone)."""
    if path is None or "[" in path:
        return None
    steps = tuple(path.split("."))
    return steps if steps[0] not in _RESERVED else None


_ABSENT = object()


def _follow(steps: tuple[str, ...], scope: Scope) -> Any:
    """Return what a dotted path is where the data are plain dicts, which need no look by the sandbox; else _ABSENT."""
    value: Any = scope
    for step in steps:
        if value.__class__ is not dict or step not in value:
            return _ABSENT
        value = value[step]
    return value


def _print_value(value: Any) -> Any:
    """Give the value itself; a missing name fails or prints as the policy says."""
    if isinstance(value, Undefined):
        if type(value).__name__ == "Missing":
            raise MissingUsed(cast(Any, value))
        return str(value)
    return value


def make_language(options: Options) -> Language:
    """Return the environment of workbook templates: nothing is escaped here, cells are escaped where they are
    written.
    """
    return make_environment(
        escape=None,
        filters=options.filters,
        base=options.environment,
        budget=options.budget,
        trusted=options.trusted,
        outlets={"value": _print_value},
    )


@dataclass
class Languages:
    """The environment under each missing policy."""

    base: Language
    cells: dict[str, CellProgram | tuple[Issue, ...]] = field(default_factory=dict)
    """What each text of a cell became: its program or its faults, so that one text in many cells is compiled once."""
    _forms: dict[MissingPolicy, Language] = field(default_factory=dict)

    @cached_property
    def reads_plainly(self) -> bool:
        """True where `{{ c.name }}` means what it says: no extension of a developer's environment rewrites it."""
        return not self.base.extensions

    def get(self, missing: MissingPolicy) -> Language:
        found = self._forms.get(missing)
        if found is None:
            found = self._forms[missing] = self.base.with_policy(missing)
        return found


def _parse(language: Language, source: str, place: Place, words: str) -> nodes.Template:
    try:
        return language.parse(source)
    except Exception as fault:
        raise_issues([find_tag_fault(source, place) or describe_fault(fault, place, words=words)], fault)
        raise


def _compile(language: Language, body: list[nodes.Node]) -> Any:
    tree = nodes.Template(body, lineno=1)
    tree.set_environment(language)
    return language.from_string(tree)


def _run(template: Any, scope: Scope) -> Iterator[Any]:
    return cast(Iterator[Any], template.root_render_func(template.new_context({**scope})))


def _compile_result(language: Language, expression: nodes.Expr) -> Any:
    """Compile an expression that is computed, not printed: a list, a condition, a name."""
    return _compile(language, [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)])


def _compute(template: Any, scope: Scope) -> Any:
    """Return the value of an expression; a missing name fails, or is blank, as the policy says."""
    context = template.new_context({**scope})
    for _ in template.root_render_func(context):
        pass
    return context.vars["result"]


def _output(tree: nodes.Template) -> list[nodes.Node]:
    return list(tree.body)


def _mark_values(body: list[nodes.Node]) -> list[nodes.Node]:
    for node in body:
        for output in (
            [node, *node.find_all(nodes.Output)] if isinstance(node, nodes.Output) else node.find_all(nodes.Output)
        ):
            for piece in cast(Any, output).nodes:
                piece.outlet = "value"
    return body


@dataclass
class CellProgram:
    """The tags of one cell. `is_value`: the cell is exactly one `{{ }}` and keeps the value's type.

    `path` is the dotted path where the expression is nothing else, `words` the texts and plain paths where a text has
    no other tags. Such are filled in without Jinja as long as the data are plain too, and else as all are.
    """

    languages: Languages
    source: str
    place: Place
    is_value: bool
    path: str | None = None
    words: tuple[str | tuple[str, ...], ...] = ()
    _singles: dict[MissingPolicy, Any] = field(default_factory=dict)
    _columns: dict[tuple[MissingPolicy, str], Any] = field(default_factory=dict)
    _computed: dict[MissingPolicy, Any] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[str, ...] | None:
        """The names of a plain path."""
        return _split_path(self.path)

    @cached_property
    def tree(self) -> nodes.Template:
        """The parsed text."""
        return _parse(self.languages.base, self.source, self.place, self.source)

    def _body(self, language: Language) -> list[nodes.Node]:
        body = _output(_parse(language, self.source, self.place, self.source))
        return _mark_values(body) if self.is_value else body

    def get_value(self, scope: Scope, missing: MissingPolicy) -> Any:
        """Return the cell's value; faults come as they are (see `describe`)."""
        if self.is_value and self.steps is not None:
            value = _follow(self.steps, scope)
            if value.__class__ in ATOMS or (value.__class__ is str and len(value) < LONG):
                return value
        elif self.words and (text := self._join_words(scope)) is not None:
            return text
        template = self._singles.get(missing)
        if template is None:
            language = self.languages.get(missing)
            template = self._singles[missing] = _compile(language, self._body(language))
        pieces = list(_run(template, scope))
        if not self.is_value:
            return "".join(pieces)
        return next((piece for piece in pieces if piece is not None), None)

    def _join_words(self, scope: Scope) -> str | None:
        """Return the text with its paths filled in; None where one of them is no short text and no whole number."""
        found = []
        for word in self.words:
            value = word if word.__class__ is str else _follow(cast(tuple[str, ...], word), scope)
            if value.__class__ is int:
                value = str(value)
            elif value.__class__ is not str or (word.__class__ is not str and len(value) >= LONG):
                return None
            found.append(value)
        return "".join(found)

    def compute(self, scope: Scope, missing: MissingPolicy) -> Any:
        """Return the value of the cell's one expression, not as it is printed but as it is."""
        template = self._computed.get(missing)
        if template is None:
            language = self.languages.get(missing)
            (output,) = _output(_parse(language, self.source, self.place, self.source))
            (expression,) = cast(nodes.Output, output).nodes
            template = self._computed[missing] = _compile_result(language, expression)
        return _compute(template, scope)

    def get_column(self, target: str, items: Sequence[Any], scope: Scope, missing: MissingPolicy) -> list[Any]:
        """Return the cell's value in each turn of `for target in items`."""
        template = self._columns.get((missing, target))
        if template is None:
            language = self.languages.get(missing)
            loop = language.parse(f"{{% for {target} in {_ITEMS} %}}{{% endfor %}}").body[0]
            end = language.parse(f"{{{{ {_END_NAME} }}}}").body
            cast(nodes.For, loop).body = [*self._body(language), *_mark_values(cast(Any, end))]
            template = self._columns[missing, target] = _compile(language, [loop])
        pieces = _run(template, {**scope, _ITEMS: items, _END_NAME: _END})
        return self._group(pieces)

    def _group(self, pieces: Iterator[Any]) -> list[Any]:
        found: list[Any] = []
        turn: list[Any] = []
        for piece in pieces:
            if piece is _END:
                found.append((turn[0] if turn else None) if self.is_value else "".join(turn))
                turn = []
            else:
                turn.append(piece)
        return found

    def describe(self, fault: BaseException, scope: Scope, where: str | None = None) -> Issue:
        """Return the issue that a fault of this cell is."""
        known = _known_names(scope) if isinstance(fault, MissingUsed) else ()
        return describe_fault(fault, self.place, words=self.source, where=where or self.path, known=known)


def _known_names(values: Any, depth: int = 3) -> list[str]:
    if isinstance(values, Mapping) and depth:
        names = [str(key) for key in list(values)[:500]]
        for value in list(values.values())[:200]:
            names += _known_names(value, depth - 1)
        return names
    if isinstance(values, list | tuple) and values and depth:
        return _known_names(values[0], depth)
    return []


def compile_cell(languages: Languages, source: str, place: Place) -> CellProgram:
    """Return the program of a cell's text; TagError where a tag does not parse."""
    known = languages.cells.get(source)
    if known is None:
        try:
            program = languages.cells[source] = _compile_cell(languages, source, place)
        except TemplateError as fault:
            languages.cells[source] = fault.issues
            raise
        return program
    if isinstance(known, CellProgram):
        return replace(known, place=place)
    raise_issues([replace(issue, place=place) for issue in known])
    raise AssertionError("a text that did not compile has faults")


def _compile_cell(languages: Languages, source: str, place: Place) -> CellProgram:
    plain = _PLAIN_VALUE.fullmatch(source) if languages.reads_plainly else None
    if plain is not None and _is_plain(plain[1]):
        return CellProgram(languages, source.strip(), place, True, plain[1])
    words = _split_words(source) if languages.reads_plainly else ()
    if words:
        return CellProgram(languages, source, place, False, words=words)
    tree = _parse(languages.base, source, place, source)
    printed = [piece for node in tree.body if isinstance(node, nodes.Output) for piece in node.nodes]
    printed = [piece for piece in printed if not (isinstance(piece, nodes.TemplateData) and not piece.data.strip())]
    only_output = all(isinstance(node, nodes.Output) for node in tree.body)
    is_value = only_output and len(printed) == 1 and not isinstance(printed[0], nodes.TemplateData)
    if is_value and source != source.strip():
        source = source.strip()
        tree = _parse(languages.base, source, place, source)
    program = CellProgram(languages, source, place, is_value, path_of(printed[0]) if is_value else None)
    program._singles[languages.base.missing_policy] = _check(languages, program, tree)
    return program


def _split_words(source: str) -> tuple[str | tuple[str, ...], ...]:
    """Return the texts and plain paths that a text of one line is made of; none where it has other tags."""
    texts, paths = _PLAIN_TAG.split(source)[::2], _PLAIN_TAG.findall(source)
    rest = "".join(texts)
    if not rest.strip() or any(char in rest for char in "{}\r\n") or not all(map(_is_plain, paths)):
        return ()
    words: list[str | tuple[str, ...]] = [texts[0]]
    for path, text in zip(paths, texts[1:], strict=True):
        words += (tuple(path.split(".")), text)
    return tuple(word for word in words if word)


def _check(languages: Languages, program: CellProgram, tree: nodes.Template) -> Any:
    """Compile once, so that an unknown filter is found when the template is opened."""
    try:
        body = _output(tree)
        return _compile(languages.base, _mark_values(body) if program.is_value else body)
    except Exception as fault:
        raise_issues([describe_fault(fault, program.place, words=program.source)], fault)
        raise


@dataclass
class LoopProgram:
    """`for target in expression [if test]`: gives the items of the turns."""

    languages: Languages
    source: str
    place: Place
    target: str
    names: tuple[str, ...]
    path: str | None
    is_filtered: bool = False
    _forms: dict[MissingPolicy, tuple[Any, Any]] = field(default_factory=dict)

    @cached_property
    def steps(self) -> tuple[str, ...] | None:
        """The names of a plain path that gives the items as they are."""
        return None if self.is_filtered else _split_path(self.path)

    @cached_property
    def tree(self) -> nodes.Template:
        """The parsed tag."""
        source = f"{{% for {self.source} %}}{{% endfor %}}"
        return _parse(self.languages.base, source, self.place, f"for {self.source}")

    def get_items(self, scope: Scope, missing: MissingPolicy) -> Sequence[Any]:
        """Return the items the loop runs over, those that fail its `if` left out; faults come as they are."""
        if self.steps is not None:
            found = _follow(self.steps, scope)
            if found.__class__ is list and "," not in self.target:
                spend(len(found))
                return found
        forms = self._forms.get(missing)
        if forms is None:
            forms = self._forms[missing] = self._compile(self.languages.get(missing))
        values = _compute(forms[0], scope)
        if isinstance(values, Undefined):
            values = list(values)  # fails, or is empty, as the policy says
        elif values is None or isinstance(values, int | float | bool | str):
            raise _not_a_list(values, self)
        items = values if isinstance(values, list | tuple) else list(islice(values, MAX_ITEMS))
        spend(len(items))
        if "," in self.target:
            items = [self._unpack(item) for item in items]
        if forms[1] is None:
            return items
        return [item for item in items if _compute(forms[1], {**scope, **self.bind(item)})]

    def _unpack(self, item: Any) -> tuple[Any, ...]:
        """Return the values of an item that gives several names; Unfit where it has not as many."""
        values = tuple(item) if isinstance(item, Iterable) else ()
        if len(values) != len(self.names):
            count, shown = len(self.names), ", ".join(self.names)
            raise Unfit(f"expected items of {count} values for {shown}", f"每一项应有 {count} 个值，对应 {shown}")
        return values

    def bind(self, item: Any) -> dict[str, Any]:
        """Return the names that one item gives."""
        return {self.names[0]: item} if "," not in self.target else dict(zip(self.names, item, strict=True))

    def _compile(self, language: Language) -> tuple[Any, Any]:
        loop = cast(nodes.For, language.parse(f"{{% for {self.source} %}}{{% endfor %}}").body[0])
        test = None if loop.test is None else _compile_result(language, cast(nodes.Expr, loop.test))
        return _compile_result(language, cast(nodes.Expr, loop.iter)), test

    def describe(self, fault: BaseException, scope: Scope) -> Issue:
        known = _known_names(scope) if isinstance(fault, MissingUsed) else ()
        return describe_fault(fault, self.place, words=f"for {self.source}", where=self.path, known=known)


def _not_a_list(value: Any, loop: LoopProgram) -> Unfit:
    """Return what is wrong with a value that a loop cannot run over."""
    head = f"{loop.source.partition(' in ')[0]} in {loop.path or '…'} or []"
    if value is None:
        return Unfit(
            "expected a list, but it is empty",
            "应为列表，但取值为空",
            Text(f'give an empty list, or allow it: "for {head}"', f"请给出空列表；允许为空时请写 for {head}"),
        )
    kind, kind_zh = (
        ("a text", "文字") if isinstance(value, str)
        else ("true or false", "是或否") if isinstance(value, bool)
        else ("a number", "数字")
    )  # fmt: skip
    return Unfit(f"expected a list, found {kind}", f"应为列表，实为{kind_zh}", Text("give a list", "请给出列表"))


def compile_loop(languages: Languages, source: str, place: Place) -> LoopProgram:
    """Return the program of a `for` tag; TagError where it does not parse."""
    plain = _PLAIN_LOOP.fullmatch(source) if languages.reads_plainly else None
    if plain is not None and _is_plain(plain[2]) and plain[1] not in (*_RESERVED, "loop") and plain[1].isidentifier():
        return LoopProgram(languages, source, place, plain[1], (plain[1],), plain[2])
    words = f"for {source}"
    tree = _parse(languages.base, f"{{% for {source} %}}{{% endfor %}}", place, words)
    loop = tree.body[0]
    if not isinstance(loop, nodes.For) or loop.recursive:
        raise_issues([_unsupported(place, words)])
        raise AssertionError
    targets = [loop.target] if isinstance(loop.target, nodes.Name) else list(getattr(loop.target, "items", ()))
    if not all(isinstance(target, nodes.Name) for target in targets):
        raise_issues([_unsupported(place, words)])
    names = tuple(cast(nodes.Name, target).name for target in targets)
    target = names[0] if isinstance(loop.target, nodes.Name) else ", ".join(names) + ","
    program = LoopProgram(languages, source, place, target, names, path_of(loop.iter), loop.test is not None)
    try:
        program._forms[languages.base.missing_policy] = program._compile(languages.base)
    except Exception as fault:
        raise_issues([describe_fault(fault, place, words=words)], fault)
    return program


def _unsupported(place: Place, words: str) -> Issue:
    fact = Text(f"a row loop cannot be written so: {words}", f"行循环不支持这种写法：{words}")
    hint = Text(
        "write {%tr for item in items %}, with names only before the 'in'",
        "请写成 {%tr for item in items %}，in 之前只能是变量名",
    )
    return Issue("GF260", "error", place, fact, hint)


def _unsupported_set(place: Place, words: str) -> Issue:
    fact = Text(f"a name cannot be set so: {words}", f"变量不能这样定义：{words}")
    return Issue("GF260", "error", place, fact, Text("write {%tr set name = … %}", "请写成 {%tr set 变量名 = … %}"))


@dataclass
class ConditionProgram:
    """The test of an `if`."""

    cell: CellProgram

    def get_truth(self, scope: Scope, missing: MissingPolicy) -> bool:
        return bool(self.cell.compute(scope, missing))


def compile_condition(languages: Languages, source: str, place: Place) -> ConditionProgram:
    """Return the program of a condition; TagError where it does not parse."""
    _parse(languages.base, f"{{% if {source} %}}{{% endif %}}", place, f"if {source}".strip())
    return ConditionProgram(compile_cell(languages, f"{{{{ ({source}) }}}}", place))


@dataclass
class AssignProgram:
    """`set name = expression`."""

    names: tuple[str, ...]
    cell: CellProgram

    def get_names(self, scope: Scope, missing: MissingPolicy) -> dict[str, Any]:
        value = self.cell.compute(scope, missing)
        return {self.names[0]: value} if len(self.names) == 1 else dict(zip(self.names, value, strict=True))


def compile_assign(languages: Languages, source: str, place: Place) -> AssignProgram:
    """Return the program of a `set` tag; TagError where it does not parse."""
    head, _, expression = source.partition("=")
    names = tuple(name.strip() for name in head.split(","))
    if not expression or not all(_NAME.match(name) for name in names):
        raise_issues([_unsupported_set(place, f"set {source}")])
    return AssignProgram(names, compile_cell(languages, f"{{{{ ({expression}) }}}}", place))


class Loop:
    """What `loop` is for rows that are written one turn at a time: Jinja's words."""

    __slots__ = ("depth0", "index0", "items")

    def __init__(self, items: Sequence[Any], index0: int, depth0: int = 0) -> None:
        self.items, self.index0, self.depth0 = items, index0, depth0

    @property
    def index(self) -> int:
        return self.index0 + 1

    @property
    def length(self) -> int:
        return len(self.items)

    @property
    def revindex(self) -> int:
        return len(self.items) - self.index0

    @property
    def revindex0(self) -> int:
        return len(self.items) - self.index0 - 1

    @property
    def first(self) -> bool:
        return self.index0 == 0

    @property
    def last(self) -> bool:
        return self.index0 + 1 == len(self.items)

    @property
    def depth(self) -> int:
        return self.depth0 + 1

    @property
    def previtem(self) -> Any:
        return self.items[self.index0 - 1] if self.index0 else None

    @property
    def nextitem(self) -> Any:
        return self.items[self.index0 + 1] if self.index0 + 1 < len(self.items) else None

    def cycle(self, *values: Any) -> Any:
        return values[self.index0 % len(values)]


def turn_scope(program: LoopProgram, items: Sequence[Any], index: int, scope: Scope) -> dict[str, Any]:
    """Return the names that one turn of a loop sees."""
    bound = program.bind(items[index])
    outer = scope.get("loop")
    depth = outer.depth0 + 1 if isinstance(outer, Loop) else 0
    return {**scope, **bound, "loop": Loop(items, index, depth)}
