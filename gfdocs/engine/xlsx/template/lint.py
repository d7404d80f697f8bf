"""What a workbook template may regret: told with the sheet and cell, before there is any data."""

from __future__ import annotations

from collections.abc import Iterator

from gfdocs.engine.xlsx.formulas.evaluate import parse_tree
from gfdocs.engine.xlsx.formulas.operands import find_written_addresses
from gfdocs.engine.xlsx.formulas.references import AREA_ARGUMENTS, UNION_FUNCTIONS, Ref, letter, refs_of
from gfdocs.engine.xlsx.template.compiled import Compiled, FormulaCell, Row, Sheet, ValueCell
from gfdocs.engine.xlsx.template.layout import Block
from gfdocs.errors import Issue, Place, Severity, Text


def lint_workbook(compiled: Compiled) -> list[Issue]:
    """Return the oddities of a template, in order of sheet and cell."""
    found: list[Issue] = []
    for sheet in compiled.worksheets:
        for row, cell in sheet.iter_cells():
            place = Place(compiled.name, path=(f"{sheet.entry.name}!{letter(cell.column)}{row.number}",))
            if isinstance(cell, FormulaCell):
                found += _lint_formula(compiled, sheet, cell, place)
            elif isinstance(cell, ValueCell):
                found += _lint_value(sheet, row, cell, place)
    return found


def _issue(code: str, severity: Severity, place: Place, fact: Text, hint: Text) -> Issue:
    return Issue(code, severity, place, fact, hint)


def _lint_value(sheet: Sheet, row: Row, cell: ValueCell, place: Place) -> Iterator[Issue]:
    block = find_block(sheet, row.number)
    if block is not None and block.kind == "for" and cell.program.is_value and cell.program.path is None:
        fact = Text(
            f"{cell.program.source} is for the eye only: it cannot be read back",
            f"{cell.program.source} 只能输出，不能回读",
        )
        hint = Text("a plain path such as {{ c.name }} can be read back", "简单路径（如 {{ c.name }}）可以回读")
        yield _issue("GF272", "note", place, fact, hint)


def _lint_formula(compiled: Compiled, sheet: Sheet, cell: FormulaCell, place: Place) -> Iterator[Issue]:
    refs = refs_of(cell.formula)
    if len(cell.formula) == 1 and not refs and any(char in cell.text for char in "#@"):
        fact = Text("the formula cannot be read, so its references do not follow", "公式无法解析，其引用不会随列表移动")
        yield _issue("GF273", "warning", place, fact, Text("write it without # and @", "请不要使用 # 和 @"))
    for ref in refs:
        target = sheet if ref.sheet is None else compiled.by_name.get(ref.sheet.casefold())
        if ref.sheet is not None and target is None:
            fact = Text(f"there is no sheet {ref.sheet!r}", f"没有工作表“{ref.sheet}”")
            yield _issue("GF274", "warning", place, fact, Text("check the name", "请核对名称"))
        elif target is not None:
            yield from _lint_reference(target, ref, place)
    if find_written_addresses(cell.text) and any(one.moves_rows or one.moves_columns for one in compiled.worksheets):
        fact = Text(
            "cells that INDIRECT and OFFSET find by a text or a distance do not follow a list",
            "INDIRECT、OFFSET 按文字或偏移量定位的单元格不随列表移动",
        )
        hint = Text("refer to the cells themselves, or find them with INDEX", "请直接引用单元格，或改用 INDEX")
        yield _issue("GF279", "warning", place, fact, hint)
    if parse_tree(cell.text) is None and refs:
        fact = Text(
            "the value of this formula is left to the program that opens the file", "此公式的值由打开文件的程序计算"
        )
        hint = Text("viewers that do not calculate show it blank", "不计算公式的查看器将显示为空")
        yield _issue("GF275", "note", place, fact, hint)


def _lint_reference(target: Sheet, ref: Ref, place: Place) -> Iterator[Issue]:
    """A function that takes one area sees the whole stretch of a nested list, sub-totals and headings with it."""
    if not ref.row1 or ref.function in UNION_FUNCTIONS or ref.function not in AREA_ARGUMENTS or not ref.is_area:
        return
    block = find_block(target, ref.row1)
    if block is not None and not block.is_uniform and block.last >= ref.row2 and block.kind == "for":
        fact = Text(
            f"{ref.function} sees all rows of the nested list between its first and its last",
            f"{ref.function} 会把嵌套列表首末行之间的所有行计入",
        )
        hint = Text("SUM, COUNT, AVERAGE, MIN, MAX and SUBTOTAL take the pieces exactly", "SUM、COUNT、AVERAGE、MIN、MAX、SUBTOTAL 能精确取各段")  # fmt: skip
        yield _issue("GF276", "warning", place, fact, hint)
    if ref.last_sheet is not None:
        fact = Text("a reference through several sheets does not follow a list", "跨多张工作表的引用不随列表移动")
        yield _issue("GF277", "warning", place, fact, Text("add the sheets up one by one", "请逐张相加"))


def find_block(sheet: Sheet, row: int) -> Block | None:
    """Return the outermost block of rows that a row is in."""
    return next((node for node in sheet.row_nodes if isinstance(node, Block) and node.first <= row <= node.last), None)


__all__ = ["lint_workbook"]
