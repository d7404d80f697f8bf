"""Where the lines of a sheet go: the loops and conditions of both axes run, and each line that comes out has its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from gfdocs.engine.budget import OverBudget
from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW, Body, Path, Placed, Repeat, Uniform, whole_axis
from gfdocs.engine.xlsx.template.compiled import Cell, Row, Sheet
from gfdocs.engine.xlsx.template.layout import Assign, Block, Branch, Node, Stretch
from gfdocs.engine.xlsx.template.programs import LoopProgram, Scope, turn_scope
from gfdocs.errors import Issue, Place, Text

#: The columns of every sheet in which none repeats. Nothing changes them.
STILL_COLUMNS = whole_axis(MAX_COLUMN)

_ROWS, _COLUMNS, _LINES = ("rows", "行"), ("columns", "列"), ("lines", "行")
#: Lines that a list may have beyond the end of its sheet before it is not gone on with.
_LEEWAY = 1_000_000


class Stop(Exception):
    """The sheet cannot be written; its issues are noted already."""


def stop_over_budget(fault: BaseException) -> None:
    """A template over its budget is not gone on with: each further tag would cost as much again."""
    if isinstance(fault, OverBudget | MemoryError | RecursionError):
        raise Stop


class Placer:
    """Places the lines of one sheet of the output."""

    def __init__(self, sheet: Sheet, template: str, missing: Any, report: Callable[[Issue], None]) -> None:
        self.sheet = sheet
        self.template = template
        self.missing = missing
        self.report = report

    def place_columns(self, scope: dict[str, Any]) -> Body:
        """Return the columns; names that are set go into `scope`."""
        if not self.sheet.moves_columns:
            return STILL_COLUMNS
        return self._expand(self.sheet.column_nodes, 1, MAX_COLUMN, 1, scope, MAX_COLUMN)

    def place_rows(self, scope: dict[str, Any]) -> Body:
        """Return the rows; names that are set go into `scope`."""
        sheet = self.sheet
        if sheet.moves_rows or any(isinstance(node, Assign) for node in sheet.row_nodes):
            return self._expand(sheet.row_nodes, 1, MAX_ROW, 1, scope, MAX_ROW)
        return still_rows(scope)

    def refuse_overflow(self, rows: Body, columns: Body) -> None:
        """Report GF265 and stop where the lines do not fit a sheet."""
        sheet = self.sheet
        if (last := _last_image(rows, sheet.last_row)) > MAX_ROW:
            self._refuse_stray(self._find_stray_row(rows), _ROWS)
            self._refuse_length(last, MAX_ROW, _ROWS)
        if (last := _last_image(columns, sheet.last_column)) > MAX_COLUMN:
            self._refuse_stray(self._find_stray_column(columns), _COLUMNS)
            self._refuse_length(last, MAX_COLUMN, _COLUMNS)

    # -- loops and conditions -----------------------------------------------------------------------------------------

    def _expand(
        self, nodes: Sequence[Node], first: int, last: int, start: int, scope: dict[str, Any], limit: int
    ) -> Body:
        body = Body(first, last, start, scope=scope)
        position = start
        for node in nodes:
            if isinstance(node, Assign):
                scope.update(self._assign(node, scope))
                continue
            part: Placed | Uniform | Repeat
            if isinstance(node, Stretch):
                part = Placed(node.first, node.last, position)
            else:
                part = self._expand_block(node, position, scope, limit)
            body.parts.append(part)
            position = part.stop
        body.stop = position
        return body

    def _assign(self, node: Assign, scope: Scope) -> dict[str, Any]:
        program = self.sheet.assigns[id(node)]
        try:
            return program.get_names(scope, self.missing)
        except Exception as fault:
            self.report(program.cell.describe(fault, scope))
            return dict.fromkeys(program.names)

    def _expand_block(self, block: Block, start: int, scope: dict[str, Any], limit: int) -> Uniform | Repeat:
        if block.kind == "for":
            program = self.sheet.loops[id(block.branches[0])]
            items = self._get_items(program, scope)
            if items or len(block.branches) == 1:
                return self._expand_loop(block, program, items, start, scope, limit)
            chosen: Branch | None = block.branches[1]
        else:
            chosen = self._choose(block, scope)
        repeat = Repeat(block.first, block.last, start, [], start, block)
        if chosen is not None:
            body = self._expand(chosen.nodes, block.first, block.last, start, dict(scope), limit)
            repeat.bodies.append(body)
            repeat.stop = body.stop
        return repeat

    def _get_items(self, program: LoopProgram, scope: Scope) -> Sequence[Any]:
        try:
            return program.get_items(scope, self.missing)
        except Exception as fault:
            self.report(program.describe(fault, scope))
            stop_over_budget(fault)
            return ()

    def _choose(self, block: Block, scope: Scope) -> Branch | None:
        """Return the branch of a condition that comes out, None where none does."""
        for branch in block.branches:
            if branch.word == "else":
                return branch
            condition = self.sheet.conditions[id(branch)]
            try:
                if condition.get_truth(scope, self.missing):
                    return branch
            except Exception as fault:
                self.report(condition.cell.describe(fault, scope))
                stop_over_budget(fault)
                return None
        return None

    def _expand_loop(
        self, block: Block, program: LoopProgram, items: Sequence[Any], start: int, scope: dict[str, Any], limit: int
    ) -> Uniform | Repeat:
        if block.is_uniform:
            blank = block.keep_one and not items
            count = 1 if blank else len(items)
            run = Uniform(block.first, block.last, block.numbers, start, count, block, items, scope, blank=blank)
            if run.stop - 1 > limit + _LEEWAY:
                self._refuse_length(run.stop, limit, _LINES)
            return run
        repeat = Repeat(block.first, block.last, start, [], start, block)
        for index in range(len(items)):
            inner = turn_scope(program, items, index, scope)
            body = self._expand(block.branches[0].nodes, block.first, block.last, repeat.stop, inner, limit)
            body.is_loop = True
            repeat.bodies.append(body)
            repeat.stop = body.stop
            if repeat.stop > limit + _LEEWAY:
                self._refuse_length(repeat.stop, limit, _LINES)
        return repeat

    # -- lines that do not fit a sheet --------------------------------------------------------------------------------

    def _find_stray_row(self, rows: Body) -> str | None:
        """Return the cell at the foot of the template that alone leaves no room for its lists, None where none does."""
        last = self.sheet.last_row
        if not _is_stray(self.sheet.row_nodes, rows, last, MAX_ROW):
            return None
        return f"{letter(max((cell.column for cell in self.sheet.rows[last].cells), default=1))}{last}"

    def _find_stray_column(self, columns: Body) -> str | None:
        last = self.sheet.last_column
        if not _is_stray(self.sheet.column_nodes, columns, last, MAX_COLUMN):
            return None
        row = next(number for number in self.sheet.numbers if self.sheet.rows[number].cell(last) is not None)
        return f"{letter(last)}{row}"

    def _refuse_stray(self, cell: str | None, word: tuple[str, str]) -> None:
        if cell is None:
            return
        fact = Text(
            f"the list has no room to grow: the cell {cell} of the template stands at the very end of the sheet",
            f"列表无法扩展：模板的单元格 {cell} 位于工作表末端",
        )
        hint = Text(
            f"delete the {word[0]} with this cell in the template (a format counts as well) and save it",
            f"请在模板中删除该单元格所在的{word[1]}（仅有格式也算）后保存",
        )
        self._stop(f"{self.sheet.entry.name}!{cell}", fact, hint)

    def _refuse_length(self, last: int, limit: int, word: tuple[str, str]) -> None:
        fact = Text(
            f"the sheet grows to {last:,} {word[0]}, it holds {limit:,}",
            f"工作表需要 {last:,} {word[1]}，上限为 {limit:,}",
        )
        self._stop(self.sheet.entry.name, fact, Text("split the list over several sheets", "请把列表拆分到多张工作表"))

    def _stop(self, place: str, fact: Text, hint: Text) -> None:
        self.report(Issue("GF265", "error", Place(self.template, path=(place,)), fact, hint))
        raise Stop


def still_rows(scope: dict[str, Any]) -> Body:
    """Return the rows of a sheet in which none moves."""
    body = whole_axis(MAX_ROW)
    body.scope = scope
    return body


def _last_image(body: Body, used: int) -> int:
    """Return the last line that the template lines 1…used became, 0 where there is none."""
    return max((b for _, b in body.image(1, used)), default=0)


def _is_stray(nodes: Sequence[Node], body: Body, used: int, limit: int) -> bool:
    """True where the lists of an axis would fit it, but for what stands below them."""
    lists_end = max((node.last for node in nodes if isinstance(node, Block)), default=used)
    return lists_end < used and _last_image(body, lists_end) <= limit


# -- the output columns ------------------------------------------------------------------------------------------------


class ColumnAt(NamedTuple):
    """An output column: the template column it comes from, the frames around it, the names its column loops bind."""

    out: int
    template: int
    path: Path
    names: Mapping[str, Any] | None

    def widen(self, scope: Scope) -> Scope:
        """Return the names that a cell of this column sees where its row sees `scope`."""
        return {**scope, **self.names} if self.names else scope


class Columns:
    """The output columns of a sheet in order, as far as the template has cells."""

    def __init__(self, sheet: Sheet, body: Body) -> None:
        self.sheet = sheet
        self.body = body

    def __iter__(self) -> Iterator[ColumnAt]:
        return iter(self._all)

    @property
    def last(self) -> int:
        """The last output column; 1 where there is none."""
        return self._all[-1].out if self._all else 1

    def find(self, out: int) -> ColumnAt | None:
        """Return an output column; None where the template has no cells for it."""
        if not self.sheet.moves_columns:
            return self._get_still(out)
        return self._by_output.get(out)

    def get_all(self, template: int) -> Sequence[ColumnAt]:
        """Return the columns that a template column became."""
        return self._by_template.get(template, ())

    def place_cells(self, row: Row) -> list[tuple[Cell, ColumnAt]]:
        """Return the cells of a template row at their output columns, in order."""
        if not self.sheet.moves_columns:
            return [(cell, self._get_still(cell.column)) for cell in row.cells]
        placed = [(cell, at) for cell in row.cells for at in self.get_all(cell.column)]
        return sorted(placed, key=lambda pair: pair[1].out)

    def _get_still(self, number: int) -> ColumnAt:
        return ColumnAt(number, number, (self.body,), None)

    @cached_property
    def _all(self) -> list[ColumnAt]:
        return list(self._list(self.body, (self.body,), {}))

    @cached_property
    def _by_output(self) -> dict[int, ColumnAt]:
        return {column.out: column for column in self._all}

    @cached_property
    def _by_template(self) -> dict[int, list[ColumnAt]]:
        found: dict[int, list[ColumnAt]] = {}
        for column in self._all:
            found.setdefault(column.template, []).append(column)
        return found

    def _list(self, body: Body, path: Path, names: dict[str, Any]) -> Iterator[ColumnAt]:
        for part in body.parts:
            if isinstance(part, Placed):
                for number in range(part.first, min(part.last, self.sheet.last_column) + 1):
                    yield ColumnAt(part.start + number - part.first, number, path, names or None)
            elif isinstance(part, Uniform):
                yield from self._list_turns(part, path, names)
            else:
                for inner in part.bodies:
                    bound = {
                        key: inner.scope[key] for key in inner.scope if inner.scope[key] is not body.scope.get(key)
                    }
                    yield from self._list(inner, (*path, inner) if inner.is_loop else path, {**names, **bound})

    def _list_turns(self, run: Uniform, path: Path, names: dict[str, Any]) -> Iterator[ColumnAt]:
        program = self.sheet.loops[id(run.block.branches[0])]
        for index in range(run.count):
            inner = turn_scope(program, run.items, index, run.scope)
            bound = {**names, **{name: inner[name] for name in (*program.names, "loop")}}
            turn = run.turn(index)
            for offset, number in enumerate(run.numbers):
                yield ColumnAt(turn.start + offset, number, (*path, turn), bound)
