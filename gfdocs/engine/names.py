"""What a template asks of the data: the dotted paths in its tags, with kind and place.

Names inside a loop are told by the list they come from: in `{% for c in companies %}{{ c.name }}{% endfor %}` the
paths are `companies` (a list) and `companies[].name` (a value). Names the template makes itself (`set`, `loop`, macro
arguments) are none of the data's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, Self

from jinja2 import nodes

from gfdocs.errors import Issue, Place, Text, did_you_mean

__all__ = ["Name", "NameKind", "find_names", "lint_names", "merge_names", "names_of"]

NameKind = Literal["value", "list", "condition"]
_RANK: dict[str, int] = {"list": 0, "value": 1, "condition": 2}


class Name(str):
    """A dotted path the template asks for: the str is the path, `companies[].name`.

    kind: `list` (looped over), `value` (printed or computed with) or `condition` (only tested). place: where it first
    stands. optional: True where every use says what to do without it (`|default(…)`, `is defined`) or stands where
    a test vouches for it (`{% if district %}{{ district.name }}{% endif %}`).
    """

    kind: NameKind
    place: Place
    optional: bool
    __slots__ = ("kind", "optional", "place")

    def __new__(cls, path: str, kind: NameKind = "value", place: Place | None = None, optional: bool = False) -> Self:
        self = super().__new__(cls, path)
        self.kind, self.place, self.optional = kind, place or Place(), optional
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (str(self), self.kind, self.place, self.optional))


def merge_names(names: Iterable[Name]) -> tuple[Name, ...]:
    """Return each path once, at its first place: a list where it is ever looped over, optional where it always is."""
    found: dict[str, Name] = {}
    for name in names:
        known = found.get(name)
        if known is None:
            found[name] = name
            continue
        kind = min(known.kind, name.kind, key=lambda k: _RANK[k])
        found[name] = Name(name, kind, known.place, known.optional and name.optional)
    return tuple(found.values())


_OWN = {"loop", "self", "super", "caller", "varargs", "kwargs", "range", "dict", "namespace", "cycler", "joiner"}
_SAME_ITEMS = {"sort", "list", "reverse", "unique", "select", "reject", "selectattr", "rejectattr", "default", "d"}
_IN_LISTS = {"batch", "slice"}
_DICT_METHODS = {"items", "keys", "values", "get", "copy"}

Scope = dict[str, str | None]
"""Local names and the path in the data each one means; None where it means none."""


class _Finder:
    """Walks a tree with the scope of local names; collects (path, kind, line, optional)."""

    def __init__(self, place_of: Callable[[int], Place], known_globals: Iterable[str]) -> None:
        self.place_of = place_of
        self.own = _OWN | set(known_globals)
        self.found: list[Name] = []
        self.guards: tuple[str, ...] = ()

    def resolve(self, node: nodes.Node | None, scope: Scope) -> str | None:
        """Return the path in the data that an expression is, or None where it is something else."""
        if isinstance(node, nodes.Name):
            if node.name in scope:
                return scope[node.name]
            return None if node.name in self.own else node.name
        if isinstance(node, nodes.Getattr):
            head = self.resolve(node.node, scope)
            return None if head is None else f"{head}.{node.attr}"
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            head, key = self.resolve(node.node, scope), node.arg.value
            if head is None:
                return None
            return f"{head}.{key}" if isinstance(key, str) else f"{head}[]"
        if isinstance(node, nodes.Filter) and node.name in ("first", "last", "random"):
            head = self.resolve_items(node.node, scope)
            return None if head is None else f"{head}[]"
        return None

    def resolve_items(self, node: nodes.Node | None, scope: Scope) -> str | None:
        """Return the path of the list that is looped over; filters that keep its items are looked through."""
        while isinstance(node, nodes.Filter) and node.name in _SAME_ITEMS:
            node = node.node
        return self.resolve(node, scope)

    def add(self, path: str | None, kind: NameKind, line: int, optional: bool) -> None:
        if path is not None:
            optional = optional or any(path == guard or path.startswith(f"{guard}.") for guard in self.guards)
            self.found.append(Name(path, kind, self.place_of(line), optional))

    @contextmanager
    def guarded(self, test: nodes.Node, scope: Scope, holds: bool = True) -> Iterator[None]:
        """What stands here is reached only where the test holds (or not): names that this vouches for are optional here."""
        before = self.guards
        self.guards = (*before, *self._guards_of(test, scope, holds))
        try:
            yield
        finally:
            self.guards = before

    def _guards_of(self, test: nodes.Node, scope: Scope, holds: bool) -> Iterator[str]:
        """Yield the paths that are there wherever the test holds: `x`, `x is defined`, `x and y`; or fails: `not x`, `not x or y`."""
        if isinstance(test, nodes.Not):
            yield from self._guards_of(test.node, scope, not holds)
        elif isinstance(test, nodes.And if holds else nodes.Or):
            yield from self._guards_of(test.left, scope, holds)
            yield from self._guards_of(test.right, scope, holds)
        elif holds:
            path = self.resolve(test.node if isinstance(test, nodes.Test) and test.name == "defined" else test, scope)
            if path is not None:
                yield path

    # Expressions -----------------------------------------------------------------------------------------------------

    def expression(self, node: nodes.Node | None, scope: Scope, line: int, kind: NameKind, optional: bool) -> None:
        if node is None:
            return
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            self.expression(node.node.node, scope, line, kind, optional)
            self._children(node, scope, line, kind, optional, skip=node.node)
            return
        path = self.resolve(node, scope)
        if path is not None:
            self.add(path, kind, line, optional)
            return
        if isinstance(node, nodes.Test) and node.name in ("defined", "undefined", "none"):
            optional = True
        if isinstance(node, nodes.Filter):
            self._filtered(node, scope, line, kind, optional or node.name in ("default", "d"))
            return
        if isinstance(node, nodes.And | nodes.Or):
            self.expression(node.left, scope, line, kind, optional)
            with self.guarded(node.left, scope, holds=isinstance(node, nodes.And)):
                self.expression(node.right, scope, line, kind, optional)
            return
        if isinstance(node, nodes.CondExpr):
            self.expression(node.test, scope, line, "condition", optional)
            with self.guarded(node.test, scope):
                self.expression(node.expr1, scope, line, kind, optional)
            with self.guarded(node.test, scope, holds=False):
                self.expression(node.expr2, scope, line, kind, optional)
            return
        self._children(node, scope, line, kind, optional)

    def _children(
        self, node: nodes.Node, scope: Scope, line: int, kind: NameKind, optional: bool, skip: nodes.Node | None = None
    ) -> None:
        for child in node.iter_child_nodes():
            if child is not skip:
                self.expression(child, scope, line, kind, optional)

    def _filtered(self, node: nodes.Filter, scope: Scope, line: int, kind: NameKind, optional: bool) -> None:
        """`rows|sum(attribute='x.y')` asks for `rows` and for `rows[].x.y`."""
        self.expression(node.node, scope, line, kind, optional)
        for arg in node.args:
            self.expression(arg, scope, line, kind, optional)
        for pair in node.kwargs:
            self.expression(pair.value, scope, line, kind, optional)
        attribute = _attribute_of(node)
        items = self.resolve_items(node.node, scope)
        if attribute and items is not None:
            self.add(f"{items}[].{attribute}", kind, line, optional)

    # Statements ------------------------------------------------------------------------------------------------------

    def body(self, statements: Iterable[nodes.Node], scope: Scope) -> None:
        for node in statements:
            self.statement(node, scope)

    def statement(self, node: nodes.Node, scope: Scope) -> None:
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is not None:
            method(node, scope)
        elif isinstance(node, nodes.Expr):
            self.expression(node, scope, node.lineno, "value", False)
        else:
            self.body(node.iter_child_nodes(), scope)

    def _output(self, node: nodes.Output, scope: Scope) -> None:
        for piece in node.nodes:
            if not isinstance(piece, nodes.TemplateData):
                self.expression(piece, scope, piece.lineno, "value", False)

    def _if(self, node: nodes.If, scope: Scope) -> None:
        self.expression(node.test, scope, node.lineno, "condition", False)
        with self.guarded(node.test, scope):
            self.body(node.body, scope)
        with self.guarded(node.test, scope, holds=False):
            self.body(node.elif_, scope)
            self.body(node.else_, scope)

    def _for(self, node: nodes.For, scope: Scope) -> None:
        inner = {**scope, "loop": None}
        self._bind_loop(node, scope, inner)
        if node.test is not None:
            self.expression(node.test, inner, node.lineno, "condition", False)
        self.body(node.body, inner)
        self.body(node.else_, scope)

    def _bind_loop(self, node: nodes.For, scope: Scope, inner: Scope) -> None:
        """Say what the loop's variables mean in the data."""
        source: nodes.Node | None = node.iter
        method = ""
        if isinstance(source, nodes.Call) and isinstance(source.node, nodes.Getattr):
            method = source.node.attr if source.node.attr in _DICT_METHODS else ""
        items = self.resolve_items(source.node.node, scope) if method else self.resolve_items(source, scope)  # type: ignore[union-attr]
        name = source.name if isinstance(source, nodes.Filter) else ""
        if name in _IN_LISTS or name == "groupby":
            items = self.resolve_items(source.node, scope)  # type: ignore[union-attr]
        if items is None:
            self.expression(source, scope, node.lineno, "list", False)
        else:
            self.add(items, "list", node.lineno, _is_optional(source))
            if isinstance(source, nodes.Filter) and (attribute := _attribute_of(source)):
                self.add(f"{items}[].{attribute}", "value", node.lineno, False)
        targets = _target_names(node.target)
        inner.update(dict.fromkeys(targets))
        if items is None:
            return
        if name == "groupby" and len(targets) == 2:
            inner[targets[1]] = items
        elif name in _IN_LISTS and len(targets) == 1:
            inner[targets[0]] = items
        elif method in ("items", "values"):
            inner[targets[-1]] = f"{items}.*"
        elif not method and isinstance(node.target, nodes.Name):
            inner[targets[0]] = f"{items}[]"

    def _assign(self, node: nodes.Assign, scope: Scope) -> None:
        self.expression(node.node, scope, node.lineno, "value", False)
        targets = _target_names(node.target)
        scope.update(dict.fromkeys(targets))
        if isinstance(node.target, nodes.Name):
            scope[targets[0]] = self.resolve_items(node.node, scope)

    def _assignblock(self, node: nodes.AssignBlock, scope: Scope) -> None:
        self.body(node.body, dict(scope))
        scope.update(dict.fromkeys(_target_names(node.target)))

    def _with(self, node: nodes.With, scope: Scope) -> None:
        inner = dict(scope)
        for target, value in zip(node.targets, node.values, strict=True):
            self.expression(value, scope, node.lineno, "value", False)
            inner.update(dict.fromkeys(_target_names(target), self.resolve_items(value, scope)))
        self.body(node.body, inner)

    def _macro(self, node: nodes.Macro, scope: Scope) -> None:
        scope[node.name] = None
        inner = {**scope, **dict.fromkeys(arg.name for arg in node.args)}
        for value in node.defaults:
            self.expression(value, scope, node.lineno, "value", True)
        self.body(node.body, inner)

    def _filterblock(self, node: nodes.FilterBlock, scope: Scope) -> None:
        """`{% filter upper %}…`: what the filter is given besides the text, and what the text asks for."""
        self.body(node.body, dict(scope))
        for argument in node.filter.iter_child_nodes():
            self.expression(argument, scope, node.lineno, "value", False)

    def _callblock(self, node: nodes.CallBlock, scope: Scope) -> None:
        self.expression(node.call, scope, node.lineno, "value", False)
        self.body(node.body, {**scope, **dict.fromkeys(arg.name for arg in node.args)})

    def _import(self, node: nodes.Import, scope: Scope) -> None:
        scope[node.target] = None

    def _fromimport(self, node: nodes.FromImport, scope: Scope) -> None:
        for name in node.names:
            scope[name if isinstance(name, str) else name[1]] = None


def _is_optional(node: nodes.Node | None) -> bool:
    return isinstance(node, nodes.Filter) and (node.name in ("default", "d") or _is_optional(node.node))


def _attribute_of(node: nodes.Filter) -> str | None:
    """Return the attribute that a filter looks at: `sum(attribute='x')`, `map(attribute='x')`, `selectattr('x')`."""
    for pair in node.kwargs:
        if pair.key == "attribute" and isinstance(pair.value, nodes.Const) and isinstance(pair.value.value, str):
            return pair.value.value
    if node.name in ("selectattr", "rejectattr", "groupby") and node.args and isinstance(node.args[0], nodes.Const):
        value = node.args[0].value
        return value if isinstance(value, str) else None
    return None


def _target_names(node: nodes.Node) -> list[str]:
    if isinstance(node, nodes.Name):
        return [node.name]
    return [child.name for child in node.find_all(nodes.Name)]


def find_names(tree: nodes.Template, place_of: Callable[[int], Place], known_globals: Iterable[str] = ()) -> list[Name]:
    """Return every name the tree asks of the data, in order, repeated as it is used (see `merge_names`)."""
    finder = _Finder(place_of, known_globals)
    finder.body(tree.body, {})
    return finder.found


# ---------------------------------------------------------------------------------------------------------------------
# Names against the data


def names_of(data: Any, path: str = "", depth: int = 8) -> set[str]:
    """Return the dotted paths that a mapping has; the items of a list are told as `list[]`, all of them together.

    >>> sorted(names_of({"a": {"b": 1}, "c": [{"d": 1}]}))
    ['a', 'a.b', 'c', 'c[]', 'c[].d']

    What a list that is empty would hold, and what an object may have, is not known: `list[].*`, `object.*`.
    """
    found: set[str] = set()
    if depth == 0:
        return {f"{path}.*"}
    if isinstance(data, Mapping):
        for key, value in data.items():
            step = f"{path}.{key}" if path else str(key)
            found.add(step)
            found |= names_of(value, step, depth - 1)
    elif isinstance(data, list | tuple):
        if not data:
            return {f"{path}[].*"}
        found.add(f"{path}[]")
        for item in data[:50]:
            found |= names_of(item, f"{path}[]", depth - 1)
    elif not isinstance(data, str | int | float | bool | type(None)) and hasattr(data, "__dict__"):
        found.add(f"{path}.*")
    return found


def _is_known(name: str, known: set[str]) -> bool:
    name = name.removesuffix("[]")  # an item of a list of texts has no name of its own
    if name in known or any(item.startswith((f"{name}.", f"{name}[")) for item in known):
        return True
    head = name
    while head:
        cut = max(head.rfind("."), head.rfind("["))
        if cut < 0:
            return False
        head = head[:cut]
        if f"{head}.*" in known or f"{head}[].*" in known:
            return True
    return False


def lint_names(names: Iterable[Name], data: Iterable[str] | Mapping[str, Any], *, unused: bool = False) -> list[Issue]:
    """Return an issue for each name the data does not have (GF204), and, if asked, for each it has in vain (GF213).

    data: a context, or the dotted paths that there are (`companies[].name`).
    """
    known = names_of(data) if isinstance(data, Mapping) else set(data)
    names = list(names)
    issues = [_unknown(name, known) for name in names if not _is_known(name, known) and "*" not in name]
    if unused:
        issues += _find_unused(names, known)
    return issues


def _unknown(name: Name, known: set[str]) -> Issue:
    head, _, last = name.rpartition(".")
    beside = {item.rpartition(".")[2] for item in known if item.rpartition(".")[0] == head and "*" not in item}
    hint = did_you_mean(last or name, beside)
    if not hint and beside and len(beside) <= 20:
        listed = sorted(beside)
        hint = Text(f"there are: {', '.join(listed)}", f"可用：{'、'.join(listed)}")
    return Issue(
        "GF204",
        "note" if name.optional else "error",
        name.place,
        Text(f'the data has no "{name}"', f"数据中没有“{name}”"),
        hint,
    )


def _find_unused(names: list[Name], known: set[str]) -> Iterator[Issue]:
    for path in sorted(known):
        if (
            "*" in path
            or path.endswith("[]")
            or any(name == path or name.startswith((f"{path}.", f"{path}[")) for name in names)
        ):
            continue
        # What is printed or passed on whole is used whole; a list that is looped over is not.
        if any(path.startswith((f"{name}.", f"{name}[")) for name in names if name.kind == "value"):
            continue
        yield Issue(
            "GF213", "note", Place(), Text(f'the template does not use "{path}"', f"模板未使用“{path}”")
        )  # fmt: skip
