"""A parsed template, looked at before code is made of it: its size, what must be guarded and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import jinja2
from jinja2 import nodes

from gfdocs.engine.budget import OverBudget

if TYPE_CHECKING:
    from gfdocs.engine.language.sandbox import Language


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


_LEAVES = frozenset((nodes.TemplateData, nodes.Name, nodes.Const))


def walk(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the node and all below it, each before its children."""
    rest = [node]
    while rest:
        found = rest.pop()
        yield found
        if found.__class__ not in _LEAVES:
            rest.extend(children(found))


def children(node: nodes.Node) -> list[nodes.Node]:
    """Return the nodes right below a node: what Jinja's `iter_child_nodes` yields, in a third of the time."""
    found: list[nodes.Node] = []
    for name in node.fields:
        value = getattr(node, name, None)
        if value.__class__ is list or value.__class__ is tuple:
            found += [item for item in cast(Any, value) if isinstance(item, nodes.Node)]
        elif isinstance(value, nodes.Node):
            found.append(value)
    return found


@dataclass(frozen=True, slots=True)
class Index:
    """All nodes of a template by their class. Jinja asks for them several times and walks the whole tree each time."""

    by_class: dict[type[nodes.Node], list[Any]]

    def find_all(self, kinds: type[nodes.Node] | tuple[type[nodes.Node], ...]) -> Iterator[Any]:
        """Yield the nodes of exactly these classes."""
        for kind in kinds if isinstance(kinds, tuple) else (kinds,):
            yield from self.by_class.get(kind, ())


def index_tree(tree: nodes.Template) -> Index:
    """Return the index of a tree, made once; it answers the tree's own `find_all` and `find` from now on."""
    made = getattr(tree.__dict__.get("find_all"), "__self__", None)
    if made is not None:
        return cast(Index, made)
    index = Index({})
    for node in walk(tree):
        index.by_class.setdefault(node.__class__, []).append(node)
    cast(Any, tree).find_all = index.find_all
    return index


# Names times branches: each branch is compiled with a copy of all names known before it.
_MAX_BRANCHING = 2_000_000


def check_size(index: Index) -> None:
    """OverBudget where a text has more names and branches than can be compiled in a second."""
    names = {node.name for node in index.find_all(nodes.Name)}
    branches = 2 * len(index.by_class.get(nodes.If, ()))
    if len(names) * branches > _MAX_BRANCHING:
        raise OverBudget(
            f"{len(names):,} names in {branches:,} branches", f"{len(names):,} 个名称、{branches:,} 个分支"
        )


def mark_nodes(index: Index, tracing: bool) -> None:
    """Tell the generator which expressions to guard: what loops run over, and, when tracing, what may fail."""
    for node in index.find_all(nodes.For):
        node.iter.guard, node.iter.cost = "iterate", _count_steps(node.body)
        if node.recursive:
            _add_step(node)
    for node in index.find_all((nodes.Macro, nodes.CallBlock, nodes.Block)):
        _add_step(node)
    for node in index.find_all(nodes.Call):
        if isinstance(node.node, nodes.Getattr):
            cast(Any, node.node).is_method = True
    for node in index.find_all(nodes.If) if tracing else ():
        node.test.guard = "test"
    for node in index.find_all(nodes.Assign) if tracing else ():
        node.node.guard = "assign"


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
            rest.extend(children(node))
    return max(1, total // 4)


def _add_step(node: Any) -> None:
    """Have a body that may be entered any number of times count itself when it is."""
    if not (node.body and hasattr(node.body[0], "steps")):
        step = nodes.ExprStmt(nodes.Const(None), lineno=node.lineno)
        cast(Any, step).steps = 32 + _count_steps(node.body)
        node.body = [step, *node.body]


def check_functions(index: Index, environment: Language) -> None:
    """Fail where `map('x')`, `select('x')` and their kin name a filter or test that does not exist."""
    for node in index.find_all(nodes.Filter):
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
