"""The names a workbook template asks of the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast

from jinja2 import nodes

from gfdocs.engine.names import Name, find_names, merge_names
from gfdocs.engine.xlsx.template.compiled import Compiled, Sheet, ValueCell
from gfdocs.engine.xlsx.template.layout import Assign, Block, Node, Stretch
from gfdocs.engine.xlsx.template.texts import find_hanging_texts, find_part_sources, find_sheet_texts
from gfdocs.errors import Place


class _Tree:
    """A Jinja tree of a whole workbook, built to be walked for names: a number for each tag instead of a line."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.language = compiled.languages.base
        self.places: list[Place] = [Place(compiled.name)]
        self._hanging: dict[int, list[tuple[int, str, Place]]] = {}

    def place_of(self, number: int) -> Place:
        return self.places[number] if 0 <= number < len(self.places) else self.places[0]

    def mark(self, body: Iterable[nodes.Node], place: Place) -> list[nodes.Node]:
        self.places.append(place)
        number = len(self.places) - 1
        found = list(body)
        for node in found:
            node.set_lineno(number, override=True)
        return found

    def parse(self, source: str, place: Place) -> list[nodes.Node]:
        return self.mark(self.language.parse(source).body, place)

    def sheet(self, sheet: Sheet) -> list[nodes.Node]:
        body = list(self.nodes_of(sheet, sheet.column_nodes, self.rows(sheet)))
        for source, place in find_sheet_texts(self.compiled.workbook, sheet, self.compiled.tagged_parts):
            body += self.parse(source, place)
        if sheet.name_program is not None:
            body = [*self.parse(sheet.name_program.source, sheet.name_program.place), *body]
        for tag in reversed(sheet.sheet_tags):
            if tag.word in ("for", "if"):
                (outer,) = self.parse(f"{{% {tag.word} {tag.source} %}}{{% end{tag.word} %}}", tag.place)
                cast(Any, outer).body = body
                body = [outer]
        return body

    def rows(self, sheet: Sheet) -> list[nodes.Node]:
        return list(self.nodes_of(sheet, sheet.row_nodes, None))

    def nodes_of(self, sheet: Sheet, layout: Iterable[Node], inner: list[nodes.Node] | None) -> Iterator[nodes.Node]:
        """Yield the statements of an axis. Columns wrap the rows whole: their loops bind names for all cells."""
        if inner is not None and not any(isinstance(node, Block) for node in layout):
            yield from inner
            return
        for node in layout:
            if isinstance(node, Stretch):
                if inner is None:
                    yield from self.stretch(sheet, node)
            elif isinstance(node, Assign):
                yield from self.parse(f"{{% set {node.source} %}}", node.place)
            else:
                yield self.block(sheet, node, inner)

    def stretch(self, sheet: Sheet, node: Stretch) -> Iterator[nodes.Node]:
        for number in sheet.numbers:
            if node.first <= number <= node.last:
                for cell in sheet.rows[number].cells:
                    if isinstance(cell, ValueCell):
                        yield from self.parse(cell.program.source, cell.program.place)
        for row, source, place in self.hanging(sheet):
            if node.first <= row <= node.last:
                yield from self.parse(source, place)

    def hanging(self, sheet: Sheet) -> list[tuple[int, str, Place]]:
        """Return what hangs on the cells of a sheet."""
        found = self._hanging.get(sheet.entry.index)
        if found is None:
            found = self._hanging[sheet.entry.index] = list(
                find_hanging_texts(self.compiled.workbook, sheet, self.compiled.tagged_parts)
            )
        return found

    def block(self, sheet: Sheet, node: Block, inner: list[nodes.Node] | None) -> nodes.Node:
        first = node.branches[0]
        (found,) = self.parse(f"{{% {node.kind} {first.source} %}}{{% end{node.kind} %}}", first.place)
        bodies = [
            list(self.nodes_of(sheet, branch.nodes, None)) if inner is None else inner for branch in node.branches
        ]
        cast(Any, found).body = bodies[0]
        rest = cast(Any, found)
        for branch, body in zip(node.branches[1:], bodies[1:], strict=True):
            if branch.word == "elif":
                (other,) = self.parse(f"{{% if {branch.source} %}}{{% endif %}}", branch.place)
                cast(Any, other).body = body
                rest.else_ = [other]
                rest = cast(Any, other)
            else:
                rest.else_ = body
        return found


def find_workbook_names(compiled: Compiled) -> tuple[Name, ...]:
    """Return the dotted paths that a workbook template asks of the data, each once."""
    tree = _Tree(compiled)
    body: list[nodes.Node] = []
    for sheet in compiled.worksheets:
        body += tree.sheet(sheet)
    for source, place in find_part_sources(compiled.workbook, compiled.worksheets, compiled.tagged_parts):
        body += tree.parse(source, place)
    whole = nodes.Template(body, lineno=0)
    whole.set_environment(tree.language)
    return merge_names(find_names(whole, tree.place_of, tree.language.globals))
