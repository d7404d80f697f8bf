"""Python code of a template: Jinja's own generator with our outlets, guards and bounds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, find_undeclared, operators

from gfdocs.engine.bounds import LONG
from gfdocs.engine.language.tree import path_of, walk

if TYPE_CHECKING:
    from gfdocs.engine.language.sandbox import Language

# How many pieces are joined in one step at most: Python compiles a tuple of any length, but not fast.
_GROUP = 256


class Generator(CodeGenerator):
    """Jinja's code generator with our outlets, guards and bounds. `tracing` makes the form that tells all faults."""

    environment: Language
    has_long: bool
    has_written: bool
    outlets: list[str]
    functions: dict[str, list[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._visitors: dict[type[nodes.Node], Any] = {}

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
        constants = node.find_all(nodes.Const)
        self.has_written = next(node.find_all(_WRITING), None) is not None
        self.has_long = any(isinstance(found.value, str) and len(found.value) >= LONG for found in constants)
        printed = [piece for output in node.find_all(nodes.Output) for piece in output.nodes]
        blocks = node.find_all((nodes.FilterBlock, nodes.CallBlock))
        self.outlets = sorted({getattr(found, "outlet", "text") for found in (*printed, *blocks)})
        self.functions = {
            "filters": sorted({found.name for found in node.find_all(nodes.Filter)}),
            "tests": sorted({found.name for found in node.find_all(nodes.Test)}),
        }
        super().visit_Template(node, frame)

    def write_commons(self) -> None:
        for name in self.outlets:
            self.writeline(f"out_{name} = environment.get_printer({name!r}, False)")
            if self.environment.binary:
                self.writeline(f"raw_{name} = environment.get_printer({name!r}, True)")
        for name, what in (("atoms", "atoms"), ("get", "getattr"), ("hold", "hold"), ("compare", "compare")):
            self.writeline(f"gf_{name} = environment.{what}")
        super().write_commons()
        # What a buffer gathered is escaped already: see `written`.
        self.writeline("Markup = environment.written")

    def pull_dependencies(self, nodes: Iterable[nodes.Node]) -> None:
        """Name the filters and tests of the whole template, where all are there; else as Jinja does, who looks later."""
        tables: dict[str, Any] = {"filters": self.environment.filters, "tests": self.environment.tests}
        if not all(name in tables[kind] for kind, names in self.functions.items() for name in names):
            super().pull_dependencies(nodes)
            return
        for kind, known in (("filters", self.filters), ("tests", self.tests)):
            for name in self.functions[kind]:
                if name not in known:
                    known[name] = self.temporary_identifier()
                self.writeline(f"{known[name]} = environment.{kind}[{name!r}]")

    def visit(self, node: nodes.Node, *args: Any, **kwargs: Any) -> Any:
        guard = node.__dict__.get("guard")
        if guard is None:
            visitor = self._visitors.get(node.__class__)
            if visitor is None:
                visitor = self._visitors[node.__class__] = self.get_visitor(node) or self.generic_visit
            return visitor(node, *args, **kwargs)
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
        if binary and len(pieces) == 1 and isinstance(pieces[0], nodes.TemplateData):
            self.writeline(f"yield {pieces[0].data.encode()!r}")
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
        super().visit(piece, frame)
        self.write("))" if counts else ")")
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
        self._write_fixed(pieces)
        self.write("(")
        self._write_tuple(pieces, inner)
        self.write(" for ")
        self.visit(node.target, inner)
        self.write(f", {loop_ref} in LoopContext(")
        self.visit(node.iter, frame)
        self.write(", undefined)))")

    def _write_items(self, node: nodes.For, pieces: list[nodes.Expr], frame: Frame, inner: Frame) -> None:
        """Other rows are taken some hundreds at a time; those of plain keys (`c.name`) not even one by one."""
        self.writeline("yield from environment.print_items(", node)
        self._write_fixed(pieces)
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
        fillable = self.environment.fillable
        if (
            not fillable
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
        simple = not any(isinstance(n, nodes.Call) for piece in printed for n in walk(piece))
        fits = 0 < len(printed) <= _GROUP and all(getattr(piece, "outlet", "text") in fillable for piece in printed)
        return pieces if simple and fits else None

    def _write_fixed(self, pieces: list[nodes.Expr]) -> None:
        """Write what stands before, between and after the values of a row, and what prints each value."""
        fixed, writers = [b""], []
        for piece in pieces:
            if isinstance(piece, nodes.TemplateData):
                fixed[-1] += piece.data.encode()
            else:
                fixed.append(b"")
                writers.append(f"raw_{getattr(piece, 'outlet', 'text')}")
        self.write(f"{tuple(fixed)!r}, ({', '.join(writers)},), ")

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
        if isinstance(node.node, nodes.Name) and not is_method:
            # Most of what templates do: a key of a plain dict, which needs no call.
            ref, key = frame.symbols.ref(node.node.name), repr(node.attr)
            self.write(f"({ref}[{key}] if {ref}.__class__ is dict and {key} in {ref} else ")
            self.write(f"gf_get({ref}, {key}, {path_of(node)!r}))")
            return
        self.write("environment.getmethod(" if is_method else "gf_get(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}, {path_of(node)!r})")

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
        self.write(f"out_{getattr(node, 'outlet', 'text')}(")

    def _end_outlet(self, frame: Frame) -> None:
        self.write(")")
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
