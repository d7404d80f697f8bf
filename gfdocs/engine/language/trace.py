"""Where a fault came from: the line of the template, the field of the data. Asked only when a render has failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.utils import missing as jinja_missing

from gfdocs.engine.language.missing import MissingUsed
from gfdocs.engine.language.tree import path_of, walk


@dataclass(slots=True)
class Trace:
    """The faults of one traced render: (fault, line, field of the data), each once."""

    found: dict[tuple[str, int, str], tuple[Exception, int, str | None]] = field(default_factory=dict)
    locate: Callable[[int, Exception, Mapping[str, Any]], str | None] = lambda line, fault, names: None
    limit: int = 500

    def add(self, fault: Exception, line: int, names: Mapping[str, Any]) -> None:
        if len(self.found) >= self.limit:
            return
        where = None if isinstance(fault, MissingUsed) else self.locate(line, fault, names)
        self.found.setdefault((type(fault).__name__ + str(fault)[:200], line, where or ""), (fault, line, where))


TRACE: ContextVar[Trace | None] = ContextVar("gfdocs_trace", default=None)


def line_of(fault: BaseException) -> int:
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
    path = next((found for found in map(path_of, walk(expression)) if found), None) if expression else None
    if path is None:
        return None
    for loop in reversed(loops):
        head, _, rest = path.partition(".")
        source = next((found for found in map(path_of, walk(loop.iter)) if found), None)
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
