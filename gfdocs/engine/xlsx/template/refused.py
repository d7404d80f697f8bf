"""Layouts that no filled workbook can have: tables taken apart by a list, lists side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gfdocs.engine.xlsx.template.compiled import Cell, Row, StaticCell
from gfdocs.engine.xlsx.template.layout import Block, Node, Tag
from gfdocs.engine.xlsx.template.programs import LoopProgram
from gfdocs.engine.xlsx.template.workbook import TablePart
from gfdocs.errors import Issue, Place, Text


def find_broken_tables(
    tables: Sequence[TablePart], rows: Mapping[int, Row], row_nodes: Sequence[Node], column_nodes: Sequence[Node]
) -> Iterator[Issue]:
    """Yield what is wrong with lists that would repeat a table's heading (GF278) or its columns (GF269)."""
    for table in tables:
        heading = rows.get(table.first - 1)
        if heading is not None and any(_is_heading(cell, table) for cell in heading.cells):
            yield from _find_repeated_heading(heading.number, table, row_nodes)
        for node in column_nodes:
            if isinstance(node, Block) and node.first <= table.column2 and table.column1 <= node.last:
                yield _table_columns(node.branches[0].place)


def _find_repeated_heading(number: int, table: TablePart, nodes: Sequence[Node]) -> Iterator[Issue]:
    """A table has one heading: a list that repeats its row would make data of the others."""
    for node in nodes:
        if not isinstance(node, Block) or not node.first <= number <= node.last:
            continue
        if node.kind == "for":
            yield _table_heading(node.branches[0].place, table.name)
        for branch in node.branches if node.kind == "if" else ():
            yield from _find_repeated_heading(number, table, branch.nodes)


def _is_heading(cell: Cell, table: TablePart) -> bool:
    return isinstance(cell, StaticCell) and table.columns.get(str(cell.value).casefold()) == cell.column


def find_side_by_side(
    nodes: Sequence[Node], loops: Mapping[int, LoopProgram], outer: Block | None = None
) -> Iterator[Issue]:
    """Yield two lists beside one another, both over rows: they would multiply (GF262, with both places)."""
    for node in nodes:
        if not isinstance(node, Block):
            continue
        loop = loops.get(id(node.branches[0]))
        if outer is not None and loop is not None and outer.kind == "for":
            around = loops.get(id(outer.branches[0]))
            beside = node.first == outer.first and node.last == outer.last and node.column != outer.column
            if beside and around is not None and not _uses(loop, around):
                yield _side_by_side(loop.place, around.place)
        for branch in node.branches:
            yield from find_side_by_side(branch.nodes, loops, node)


def _uses(loop: LoopProgram, around: LoopProgram) -> bool:
    """True where the items of a loop follow from the turn of the one around it."""
    from jinja2 import nodes as jinja

    used = {name.name for name in loop.tree.find_all(jinja.Name) if name.ctx == "load"}
    return bool(used & {*around.names, "loop"})


# -- what is told ------------------------------------------------------------------------------------------------------


def refuse_sheet_tag(tag: Tag) -> Issue:
    """Return what is wrong with a `{%sheet %}` tag that is neither a list nor a condition (GF260)."""
    fact = Text(f"unknown tag {tag.word!r} for a sheet", f"工作表不支持标签 {tag.word!r}")
    hint = Text("write {%sheet for item in items %} or {%sheet if … %}", "可用：{%sheet for item in items %}、{%sheet if … %}")  # fmt: skip
    return Issue("GF260", "error", tag.place, fact, hint)


def _side_by_side(place: Place, other: Place) -> Issue:
    fact = Text("two lists stand side by side in the same rows", "同一行内有两个并排的列表")
    hint = Text("put one list below the other, or join them in the data", "请把两个列表上下排列，或先在数据中合并")
    return Issue("GF262", "error", place, fact, hint, (other,))


def _table_heading(place: Place, table: str) -> Issue:
    fact = Text(f"the list repeats the heading of the table {table!r}", f"列表把表格“{table}”的标题行也重复了")
    hint = Text("begin the list below the heading, or turn the table into a plain range", "请从标题行的下一行开始列表，或将表格转换为普通区域")  # fmt: skip
    return Issue("GF278", "error", place, fact, hint)


def _table_columns(place: Place) -> Issue:
    fact = Text("columns cannot repeat inside an Excel table", "Excel 表格（ListObject）内不能按列循环")
    hint = Text("turn the table into a plain range first (Table › Convert to Range)", "请先将表格转换为普通区域")
    return Issue("GF269", "error", place, fact, hint)
