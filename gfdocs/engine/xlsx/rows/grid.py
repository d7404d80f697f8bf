"""One sheet of the output: where its lines went, its rows as XML, the values its formulas see."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from gfdocs.engine.budget import OverBudget
from gfdocs.engine.language import check_characters
from gfdocs.engine.xlsx.around.pictures import Picture, PlacedPicture, place_picture
from gfdocs.engine.xlsx.formulas.arguments import Cells, Source
from gfdocs.engine.xlsx.formulas.evaluate import evaluate, evaluate_columns, parse_tree
from gfdocs.engine.xlsx.formulas.kept import KeptValues
from gfdocs.engine.xlsx.formulas.references import FREE, Ref, letter
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault, Site, formula_text, resolve, write_formula
from gfdocs.engine.xlsx.formulas.totals import running
from gfdocs.engine.xlsx.formulas.tree import Call, Constant, Operation, Reference, Series, bind_names
from gfdocs.engine.xlsx.formulas.values import CellError, Unknown
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW, Body, Path, Placed, Repeat, Turn, Uniform, whole_axis
from gfdocs.engine.xlsx.rows.heights import MAX_HEIGHT, Wrap, grown_heights, needed_height, with_height
from gfdocs.engine.xlsx.rows.memory import SheetMemory, find_places
from gfdocs.engine.xlsx.rows.turns import Column, Piece, TurnWriter, literal
from gfdocs.engine.xlsx.rows.values import CellFault, CellWriter, number_text, write_plain_numbers
from gfdocs.engine.xlsx.template.compiled import (
    Cell,
    Compiled,
    FormulaCell,
    Row,
    Sheet,
    StaticCell,
    ValueCell,
    is_inside,
)
from gfdocs.engine.xlsx.template.layout import Assign, Block, Node, Stretch
from gfdocs.engine.xlsx.template.programs import CellProgram, LoopProgram, Scope, turn_scope
from gfdocs.engine.xlsx.template.sheet import escape_text
from gfdocs.engine.xlsx.template.tags import without_runs
from gfdocs.errors import Issue, Place, Text

#: Rows of a list whose values are gathered and looked at together.
_BATCH = 500
#: Cells that formulas may look at in one rendering before their values are left to the program that opens the file.
_LOOK_BUDGET = 30_000_000


@dataclass(frozen=True, slots=True)
class ColumnAt:
    """An output column: the template column it comes from, the frames around it, the names its column loops bind."""

    out: int
    template: int
    path: Path
    names: Mapping[str, Any] | None


_SAFE_LINK = re.compile(r"(?i)(https?|ftp)://|mailto:|tel:")


#: The columns of every sheet in which none repeats. Nothing changes them.
_STILL_COLUMNS = whole_axis(MAX_COLUMN)


class Stop(Exception):
    """The sheet cannot be written; its issues are noted already."""


def stop_over_budget(fault: BaseException) -> None:
    """A template over its budget is not gone on with: each further tag would cost as much again."""
    if isinstance(fault, OverBudget | MemoryError | RecursionError):
        raise Stop


@dataclass
class Context:
    """What all sheets of one rendering share."""

    compiled: Compiled
    missing: Any
    report: Any
    grids: list[Grid] = field(default_factory=list)
    needs_calculation: bool = False
    looks: int = 0
    table_id: int = 0

    @cached_property
    def kept(self) -> KeptValues:
        """The formulas that keep the template's value."""
        return KeptValues(self)

    def close(self) -> None:
        """Let go of the sheets and of the rendering, which hold this context: so all goes at once, not when the
        garbage is collected some time.
        """
        self.grids.clear()
        self.report = None
        self.__dict__.pop("kept", None)

    @cached_property
    def places(self) -> Hashable | None:
        """Where the lines of all sheets went, and what the sheets are called; None where that is too much to tell."""
        places = find_places(self.grids)
        return None if places is None else (places, tuple(grid.name for grid in self.grids))

    def next_table_id(self) -> int:
        """Return a number no table of the workbook has."""
        if not self.table_id:
            self.table_id = 10_000
        self.table_id += 1
        return self.table_id

    def look(self, count: int) -> None:
        """Count the cells that formulas look at; Unknown where it is more than a rendering may."""
        self.looks += count
        if self.looks > _LOOK_BUDGET:
            raise Unknown

    def get_tree(self, text: str, grid: Grid, line: int) -> Any:
        """Return the tree of a formula with its names and table references put in; None where it is not ours to
        compute.
        """
        tree = parse_tree(text)
        return None if tree is None else bind_names(tree, lambda name: self._get_name(name, grid, line))

    def _get_name(self, name: str, grid: Grid, line: int) -> Any:
        if "[" in name:
            ref = find_table_ref(self.compiled, name, grid.sheet, line)
            # Of a sheet that was copied another sheet sees the first: the copies' tables have names of their own.
            return None if ref is None or self._is_of_copies(ref, grid) else Reference(ref)
        found = [
            defined
            for defined in self.compiled.workbook.names
            if defined.name.casefold() == name.casefold() and defined.sheet_index in (None, grid.sheet.entry.index)
        ]
        if len(found) != 1:
            return None
        tree = parse_tree(found[0].text)
        if isinstance(tree, Reference):
            return Reference(replace(tree.ref, function=FREE)) if tree.ref.sheet is not None else None
        return tree if isinstance(tree, Constant) else None

    def _is_of_copies(self, ref: Ref, grid: Grid) -> bool:
        grids = self.find_sheets(ref.sheet or "")
        return len(grids) > 1 and grid not in grids

    def has_sheet(self, name: str) -> bool:
        """True where the template has a worksheet of this name."""
        return name.casefold() in self.compiled.by_name

    def find_sheets(self, name: str) -> list[Grid]:
        """Return the output sheets that a template sheet became."""
        folded = name.casefold()
        return [grid for grid in self.grids if grid.sheet.entry.name.casefold() == folded]


class RowText(NamedTuple):
    """A row of the template as text: `first` and what follows each cell that is written anew are to be joined by the
    row's number.
    """

    first: list[str]
    cells: list[tuple[Cell, ColumnAt, list[str]]]


def make_row_text(cells: list[tuple[Cell, ColumnAt]], prefix: str) -> RowText:
    """Return the text of a row whose cells stand at these columns."""
    found = RowText([""], [])
    pieces = found.first
    for cell, column in cells:
        pieces[-1] += f'<{prefix}c r="{letter(column.out)}'
        if isinstance(cell, StaticCell):
            pieces.append(f'"{cell.tail}')
        else:
            pieces.append('"')
            pieces = [""]
            found.cells.append((cell, column, pieces))
    pieces[-1] += f"</{prefix}row>"
    return found


class Grid:
    """One worksheet of the output."""

    def __init__(self, context: Context, memory: SheetMemory, scope: Scope, name: str, writer: CellWriter) -> None:
        self.context = context
        self.memory = memory
        self.sheet = sheet = memory.sheet
        self.scope = dict(scope)
        self.name = name
        self.writer = writer
        self.rows = whole_axis(MAX_ROW)
        self.columns = _STILL_COLUMNS
        self.rows.scope = self.scope
        self.is_still = True
        self.is_copy = False
        self.part = sheet.entry.part
        self.index = 0
        self.extra_merges: list[str] = []
        self.pictures: list[PlacedPicture] = []
        self.drawing_relation: str | None = None
        self.link_targets: dict[str, CellProgram] = {}
        self.links: list[tuple[str, str]] = []
        self._at = (0, 0)
        self._last_value: Any = None
        self._values: dict[tuple[int, int, int], Any] = {}
        self._busy: set[tuple[int, int, int]] = set()

    @property
    def is_renamed(self) -> bool:
        return self.name != self.sheet.entry.name

    @cached_property
    def table_names(self) -> dict[str, tuple[int, str]]:
        """The numbers and names that the tables of a copied sheet get, by the template's names (casefolded)."""
        found = {}
        for table in self.sheet.tables if self.is_copy else ():
            number = self.context.next_table_id()
            found[table.name.casefold()] = (number, f"{table.name}_{number}")
        return found

    def rename_tables(self, text: str) -> str:
        """Return (a piece of) a formula of a copied sheet with the names that the tables have there."""
        if not self.table_names or "[" not in text:
            return text
        return self._table_words.sub(lambda match: self.table_names[match[1].casefold()][1], text)

    @cached_property
    def _table_words(self) -> re.Pattern[str]:
        names = "|".join(map(re.escape, self.table_names))
        return re.compile(rf"(?<![\w.\\])({names})(?=\[)", re.IGNORECASE)

    def get_link(self, program: CellProgram, path: Path) -> str:
        """Return the relation id of the link that one place has; empty where the data gives none (or none that is
        safe).
        """
        scope = self.scope_at(path)
        try:
            target = str(program.get_value(scope, self.context.missing) or "")
            check_characters(target)
        except Exception as fault:
            self._report(program, fault, scope)
            return ""
        if not target:
            return ""
        if not _SAFE_LINK.match(target):
            fact = Text(f"a link to {target!r}", f"链接目标“{target}”不被允许")
            hint = Text("http, https, mailto and tel are allowed", "只允许 http、https、mailto、tel")
            self.context.report(Issue("GF271", "error", program.place, fact, hint))
            return ""
        self.links.append((f"rIdLink{len(self.links) + 1}", target))
        return self.links[-1][0]

    def find_merges(self) -> None:
        """Find the cells that `{% vm %}` joins: equal neighbours of a list, one under the other."""
        for number, cell in self.sheet.merging_cells:
            for column in self._columns_by_template.get(cell.column, ()):
                self.extra_merges += self._merge_equal(number, column)

    def _merge_equal(self, line: int, column: ColumnAt) -> Iterator[str]:
        letters = letter(column.out)
        rows = [row for a, b in self.rows.image(line, line) for row in range(a, b + 1)]
        start, known = 0, None
        for index in range(len(rows) + 1):
            value = None
            if index < len(rows):
                try:
                    (value,) = self.get_values(column.out, rows[index], rows[index])
                except Unknown:
                    value = None
            if index == len(rows) or value is None or value != known or rows[index] != rows[index - 1] + 1:
                if known is not None and index - start > 1:
                    yield f"{letters}{rows[start]}:{letters}{rows[index - 1]}"
                start, known = index, value

    def scope_at(self, path: Path) -> Scope:
        """Return the names that a place sees: those of the innermost turn around it."""
        frame = path[-1]
        if isinstance(frame, Turn):
            program = self.sheet.loops[id(frame.run.block.branches[0])]
            return (
                turn_scope(program, frame.run.items, frame.index, frame.run.scope)
                if not frame.run.blank
                else self.scope
            )
        return frame.scope or self.scope

    # -- where lines go -----------------------------------------------------------------------------------------------

    def expand(self) -> None:
        """Run the loops and conditions of both axes: after this every line has its place."""
        if self.sheet.moves_columns:
            self.columns = self._expand(self.sheet.column_nodes, 1, MAX_COLUMN, 1, self.scope, MAX_COLUMN)
            self.is_still = False
        if self.sheet.moves_rows or any(isinstance(node, Assign) for node in self.sheet.row_nodes):
            self.rows = self._expand(self.sheet.row_nodes, 1, MAX_ROW, 1, self.scope, MAX_ROW)
            self.is_still = self.is_still and not self.sheet.moves_rows
        for body, used, limit, word in (
            (self.rows, self._last_template_row(), MAX_ROW, ("rows", "行")),
            (self.columns, self._last_template_column(), MAX_COLUMN, ("columns", "列")),
        ):
            last = max((b for _, b in body.image(1, used)), default=0)
            if last > limit:
                stray = self._find_stray(body, used, limit)
                if stray is not None:
                    self._refuse_stray(stray, word)
                self._refuse_overflow(last, limit, word)

    def _find_stray(self, body: Body, used: int, limit: int) -> str | None:
        """Return the cell at the foot of the template that alone leaves no room for its lists, None where none does."""
        is_row = body is self.rows
        nodes = self.sheet.row_nodes if is_row else self.sheet.column_nodes
        lists_end = max((node.last for node in nodes if isinstance(node, Block)), default=used)
        if lists_end >= used or max((b for _, b in body.image(1, lists_end)), default=0) > limit:
            return None
        if is_row:
            return f"{letter(max((cell.column for cell in self.sheet.rows[used].cells), default=1))}{used}"
        row = next(number for number in self.sheet.numbers if self.sheet.rows[number].cell(used) is not None)
        return f"{letter(used)}{row}"

    def _refuse_stray(self, cell: str, word: tuple[str, str]) -> None:
        place = Place(self.context.compiled.name, path=(f"{self.sheet.entry.name}!{cell}",))
        fact = Text(
            f"the list has no room to grow: the cell {cell} of the template stands at the very end of the sheet",
            f"列表无法扩展：模板的单元格 {cell} 位于工作表末端",
        )
        hint = Text(
            f"delete the {word[0]} with this cell in the template (a format counts as well) and save it",
            f"请在模板中删除该单元格所在的{word[1]}（仅有格式也算）后保存",
        )
        self.context.report(Issue("GF265", "error", place, fact, hint))
        raise Stop

    def _refuse_overflow(self, last: int, limit: int, word: tuple[str, str]) -> None:
        place = Place(self.context.compiled.name, path=(self.sheet.entry.name,))
        fact = Text(
            f"the sheet grows to {last:,} {word[0]}, it holds {limit:,}",
            f"工作表需要 {last:,} {word[1]}，上限为 {limit:,}",
        )
        self.context.report(
            Issue("GF265", "error", place, fact, Text("split the list over several sheets", "请把列表拆分到多张工作表"))
        )
        raise Stop

    def _last_template_row(self) -> int:
        numbers = self.sheet.numbers
        return numbers[-1] if numbers else 0

    def _last_template_column(self) -> int:
        return self.sheet.last_column

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
            return program.get_names(scope, self.context.missing)
        except Exception as fault:
            self.context.report(program.cell.describe(fault, scope))
            return dict.fromkeys(program.names)

    def _expand_block(self, block: Block, start: int, scope: dict[str, Any], limit: int) -> Uniform | Repeat:
        if block.kind == "for":
            program = self.sheet.loops[id(block.branches[0])]
            items = self._get_items(program, scope)
            if items or len(block.branches) == 1:
                return self._expand_loop(block, program, items, start, scope, limit)
            chosen = block.branches[1]
        else:
            chosen = self._choose(block, scope)
        repeat_ = Repeat(block.first, block.last, start, [], start, block)
        if chosen is not None:
            body = self._expand(chosen.nodes, block.first, block.last, start, dict(scope), limit)
            repeat_.bodies.append(body)
            repeat_.stop = body.stop
        return repeat_

    def _get_items(self, program: LoopProgram, scope: Scope) -> Sequence[Any]:
        try:
            return program.get_items(scope, self.context.missing)
        except Exception as fault:
            self.context.report(program.describe(fault, scope))
            stop_over_budget(fault)
            return ()

    def _choose(self, block: Block, scope: Scope) -> Any:
        for branch in block.branches:
            if branch.word == "else":
                return branch
            condition = self.sheet.conditions[id(branch)]
            try:
                if condition.get_truth(scope, self.context.missing):
                    return branch
            except Exception as fault:
                self.context.report(condition.cell.describe(fault, scope))
                stop_over_budget(fault)
                return None
        return None

    def _expand_loop(
        self, block: Block, program: LoopProgram, items: Sequence[Any], start: int, scope: dict[str, Any], limit: int
    ) -> Uniform | Repeat:
        if block.is_uniform:
            numbers = block.numbers
            blank = block.keep_one and not items
            run = Uniform(
                block.first, block.last, numbers, start, 1 if blank else len(items), block, items, scope, blank=blank
            )
            if run.stop - 1 > limit + 1_000_000:
                self._refuse_overflow(run.stop, limit, ("lines", "行"))
            return run
        repeat_ = Repeat(block.first, block.last, start, [], start, block)
        position = start
        for index in range(len(items)):
            inner = turn_scope(program, items, index, scope)
            body = self._expand(block.branches[0].nodes, block.first, block.last, position, inner, limit)
            body.is_loop = True
            repeat_.bodies.append(body)
            position = body.stop
            if position > limit + 1_000_000:
                self._refuse_overflow(position, limit, ("lines", "行"))
        repeat_.stop = position
        return repeat_

    # -- columns ------------------------------------------------------------------------------------------------------

    @cached_property
    def output_columns(self) -> list[ColumnAt]:
        """The output columns in order, as far as the template has cells."""
        found: list[ColumnAt] = []
        self._list_columns(self.columns, (self.columns,), {}, found, self._last_template_column())
        return found

    def _list_columns(self, body: Body, path: Path, names: dict[str, Any], found: list[ColumnAt], used: int) -> None:
        for part in body.parts:
            if isinstance(part, Placed):
                for number in range(part.first, min(part.last, used) + 1):
                    found.append(ColumnAt(part.start + number - part.first, number, path, names or None))
            elif isinstance(part, Uniform):
                program = self.sheet.loops[id(part.block.branches[0])]
                for index in range(part.count):
                    bound = {**names, **_bound_names(program, part.items, index, part.scope)}
                    turn = part.turn(index)
                    for offset, number in enumerate(part.numbers):
                        found.append(ColumnAt(turn.start + offset, number, (*path, turn), bound))
            else:
                for inner in part.bodies:
                    bound = {
                        **names,
                        **{key: inner.scope[key] for key in inner.scope if inner.scope[key] is not body.scope.get(key)},
                    }
                    self._list_columns(inner, (*path, inner) if inner.is_loop else path, bound, found, used)

    @cached_property
    def _columns_by_template(self) -> dict[int, list[ColumnAt]]:
        found: dict[int, list[ColumnAt]] = {}
        for column in self.output_columns:
            found.setdefault(column.template, []).append(column)
        return found

    @cached_property
    def _columns_by_output(self) -> dict[int, ColumnAt]:
        return {column.out: column for column in self.output_columns}

    def find_column(self, out: int) -> ColumnAt | None:
        if not self.sheet.moves_columns:
            return ColumnAt(out, out, (self.columns,), None)
        return self._columns_by_output.get(out)

    def place_cells(self, row: Row) -> list[tuple[Cell, ColumnAt]]:
        """Return the cells of a template row at their output columns, in order."""
        if not self.sheet.moves_columns:
            return [(cell, ColumnAt(cell.column, cell.column, (self.columns,), None)) for cell in row.cells]
        placed = [(cell, at) for cell in row.cells for at in self._columns_by_template.get(cell.column, ())]
        return sorted(placed, key=lambda pair: pair[1].out)

    def _scope(self, scope: Scope, column: ColumnAt) -> Scope:
        return scope if not column.names else {**scope, **column.names}

    # -- rows as XML --------------------------------------------------------------------------------------------------

    def write_rows(self) -> Iterator[bytes]:
        """Yield the `<row>` elements in pieces of some 100 kB."""
        pieces: list[str] = []
        size = 0
        for piece in self._write_body(self.rows, (self.rows,)):
            if isinstance(piece, str):
                pieces.append(piece)
                size += len(piece)
            if size > 65536 or not isinstance(piece, str):
                yield "".join(pieces).encode()
                pieces, size = [], 0
            if isinstance(piece, bytes):
                yield piece
        yield "".join(pieces).encode()

    def _write_body(self, body: Body, path: Path) -> Iterator[str | bytes]:
        numbers = self.sheet.numbers
        for part in body.parts:
            if isinstance(part, Placed):
                for number in numbers[bisect_left(numbers, part.first) : bisect_right(numbers, part.last)]:
                    out = part.start + number - part.first
                    is_settled = body is self.rows and number in self._settled_rows
                    write = self._write_settled if is_settled else self._write_row
                    yield write(self.sheet.rows[number], out, body, path)
            elif isinstance(part, Uniform):
                yield from self._write_uniform(part, path)
            else:
                for inner in part.bodies:
                    yield from self._write_body(inner, (*path, inner) if inner.is_loop else path)

    @cached_property
    def _row_texts(self) -> dict[int, RowText]:
        """How each row is written; where the columns stand still, all documents of the template share it."""
        return {} if self.sheet.moves_columns else self.memory.row_texts

    @cached_property
    def _settled_rows(self) -> frozenset[int]:
        return self.memory.settled_rows

    def _write_settled(self, row: Row, number: int, body: Body, path: Path) -> str:
        """Write a row that the data cannot change; where all its values are known it is written once for each place."""
        text = self.memory.settled_texts.get((row.number, number))
        if text is None:
            text = self._write_row(row, number, body, path)
            if all(self._values.get((id(body), row.number, cell.column)) is not Unknown for cell in row.cells):
                self.memory.settled_texts.set((row.number, number), text)
        return text

    def _write_row(self, row: Row, number: int, body: Body, path: Path) -> str:
        found = self._row_texts.get(row.number)
        if found is None:
            found = self._row_texts[row.number] = make_row_text(self.place_cells(row), self.writer.prefix)
        text = str(number)
        out = ["", text.join(found.first)]
        height, wraps = known = self.memory.get_height(row)
        for cell, column, following in found.cells:
            self._at = (column.out, number)
            out.append(self._cell_tail(cell, row, column, body, path))
            if wraps and isinstance(cell, ValueCell):
                wrap = next((w for w in wraps if w.column == cell.column), None)
                height = max(height, needed_height(self._last_value, wrap)) if wrap is not None else height
            out.append(text.join(following))
        attributes = row.attributes if height == known.height else with_height(row.attributes, min(height, MAX_HEIGHT))
        out[0] = f'<{self.writer.prefix}row r="{text}"{attributes}>'
        return "".join(out)

    def _cell_tail(self, cell: Cell, row: Row, column: ColumnAt, body: Body, path: Path) -> str:
        if isinstance(cell, StaticCell):
            return cell.tail
        if isinstance(cell, FormulaCell):
            return self._formula_tail(cell, row, column, body, path)
        scope = self._scope(body.scope, column)
        try:
            value = cell.program.get_value(scope, self.context.missing)
            return self._value_tail(cell, value)
        except Exception as fault:
            self._report(cell.program, fault, scope)
            return self.writer.content_tail(None, cell.style)

    def _value_tail(self, cell: ValueCell, value: Any) -> str:
        self._last_value = value
        if isinstance(value, Picture):
            self.pictures.append(place_picture(value, *self._at))
            return self.writer.content_tail(None, cell.style)
        if cell.runs:
            return self._rich_tail(cell, str(value))
        return self.writer.tail(value, cell.style)

    def _rich_tail(self, cell: ValueCell, text: str) -> str:
        return self.writer.rich_tail(text, cell.runs, cell.style)

    def _report(self, program: CellProgram, fault: BaseException, scope: Scope, where: str | None = None) -> None:
        if isinstance(fault, CellFault):
            self.context.report(Issue(fault.code, "error", program.place, fault.fact, fault.hint))
        else:
            self.context.report(program.describe(fault, scope, where))
            stop_over_budget(fault)

    # -- formulas -----------------------------------------------------------------------------------------------------

    @cached_property
    def _formula_texts(self) -> dict[tuple[int, int], str]:
        """Formulas that stand once, as they read where all lines are now: the same for all such documents."""
        places = self.context.places
        if places is None:
            return {}
        key = (self.context.grids.index(self), places)
        found = self.memory.formula_texts.get(key)
        if found is None:
            found = {}
            self.memory.formula_texts.set(key, found)
        return found

    def _formula_tail(self, cell: FormulaCell, row: Row, column: ColumnAt, body: Body, path: Path) -> str:
        site = Site(self.context, self, path, column.path)
        known = self._formula_texts if len(path) == 1 else {}
        text = known.get((row.number, column.out))
        if text is None:
            try:
                text = self.rename_tables(formula_text(cell.formula, site))
                known[row.number, column.out] = text
            except FormulaFault as fault:
                self._report_formula(cell, row, fault)
                return self.writer.content_tail(None, cell.style)
        value = self._formula_value(cell, row.number, column, body, path)
        kind, v = self._cached(value)
        p = self.writer.prefix
        style = f' s="{cell.style}"' if cell.style else ""
        attributes = self._formula_attributes(cell, site)
        return f"{style}{kind}{cell.cell_extra}><{p}f{attributes}>{escape_text(text)}</{p}f>{v}</{p}c>"

    def _formula_attributes(self, cell: FormulaCell, site: Site) -> str:
        if not cell.kind:
            return cell.extra
        ref = ""
        if cell.ref is not None:
            found = resolve(cell.ref, site).areas
            area = found[0] if found else None
            if area is not None:
                ref = f' ref="{cell.ref.to_text(area.columns, area.rows)}"'
        return f' t="{cell.kind}"{ref}{cell.extra}'

    def _cached(self, value: Any) -> tuple[str, str]:
        """Return (type attribute, `<v>` element) of a formula's value; both empty where it is not known."""
        p = self.writer.prefix
        if value is Unknown:
            self.context.needs_calculation = True
            return "", ""
        if isinstance(value, bool):
            return ' t="b"', f"<{p}v>{int(value)}</{p}v>"
        if isinstance(value, CellError):
            return ' t="e"', f"<{p}v>{value}</{p}v>"
        if isinstance(value, str):
            return ' t="str"', f"<{p}v>{escape_text(value)}</{p}v>"
        return "", f"<{p}v>{number_text(value)}</{p}v>"

    def _report_formula(self, cell: FormulaCell, row: Row, fault: FormulaFault) -> None:
        place = Place(self.context.compiled.name, path=(f"{self.sheet.entry.name}!{letter(cell.column)}{row.number}",))
        self.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))

    def _formula_value(self, cell: FormulaCell, line: int, column: ColumnAt, frame: Any, path: Path) -> Any:
        """Return the value of a formula in one turn, `Unknown` (the class) where it is not computed."""
        key = (id(frame), line, column.out)
        if key in self._values:
            return self._values[key]
        if key in self._busy:
            return Unknown
        self._busy.add(key)
        try:
            tree = None if cell.kind else self.context.get_tree(cell.text, self, line)
            value = Unknown if tree is None else evaluate(tree, _Seen(self, path, column, line))
        except (Unknown, RecursionError, OverflowError):
            value = Unknown
        finally:
            self._busy.discard(key)
        if value is Unknown and len(path) == len(column.path) == 1:
            value = self.context.kept.get(cell, self)
        self._values[key] = value
        return value

    # -- a list whose turns are alike ---------------------------------------------------------------------------------

    def _write_uniform(self, run: Uniform, path: Path) -> Iterator[bytes]:
        lines = [
            self._prepare_line(run, path, self.sheet.rows[number], offset)
            for offset, number in enumerate(run.numbers)
            if number in self.sheet.rows
        ]
        if not run.count or not lines:
            return
        writer = TurnWriter(run.start, run.height)
        for first, last in writer.get_batches(run.count, max(16, _BATCH // len(lines))):
            pieces = [piece for line in lines for piece in self._fill_line(run, line, first, last)]
            yield from writer.write(pieces, first, last)

    def _prepare_line(self, run: Uniform, path: Path, row: Row, offset: int) -> _Line:
        """Return one line of the turns with all that is the same in each."""
        p, placed = self.writer.prefix, self.place_cells(row)
        filled = [(cell, column) for cell, column in placed if isinstance(cell, ValueCell)]
        height, found = self.memory.get_height(row)
        wraps = [(wrap, at.out) for cell, at in filled for wrap in found if wrap.column == cell.column]
        attributes = partial(_grown_attributes, row, height, wraps) if wraps else literal(row.attributes)
        parts: list[Part] = [literal(f'<{p}row r="'), offset, b'"', attributes, b">"]
        for cell, column in placed:
            parts += [literal(f'<{p}c r="{letter(column.out)}'), offset, b'"']
            if isinstance(cell, StaticCell):
                parts.append(literal(cell.tail))
            elif isinstance(cell, FormulaCell):
                parts += self._prepare_formula(run, path, row, cell, column)
            else:
                parts.append(partial(self._value_pieces, run, cell, column, offset))
        program = self.sheet.loops[id(run.block.branches[0])]
        names = {at.out: name for cell, at in filled if (name := _plain_name(cell, at, program.target)) is not None}
        return _Line(row, [*parts, literal(f"</{p}row>")], filled, names)

    def _fill_line(self, run: Uniform, line: _Line, first: int, last: int) -> list[Piece]:
        """Return one line of the turns first…last-1."""
        batch = _Batch(first, last, self._gather_plain(run, line, first, last))
        for cell, column in line.filled:
            if column.out not in batch.values:
                batch.values[column.out] = self._values_of(run, line.row, cell, column, first, last)
        pieces: list[Piece] = []
        for part in line.parts:
            if callable(part):
                pieces += part(batch)
            else:
                pieces.append(part)
        return pieces

    @staticmethod
    def _gather_plain(run: Uniform, line: _Line, first: int, last: int) -> dict[int, Sequence[Any]]:
        """Return the values of the cells that are a name of the item, all of an item's at once, by output column;
        nothing where an item is no plain mapping or lacks a name: that is looked into one cell after the other.
        """
        # A column that a formula has asked for is there as a whole.
        names = {out: name for out, name in line.names.items() if ("raw", line.row.number, out) not in run.columns}
        if len(names) < 2 or run.blank or not _has_plain_items(run):
            return {}
        get = itemgetter(*names.values())
        try:
            return dict(zip(names, zip(*map(get, run.items[first:last]), strict=True), strict=True))
        except KeyError:
            return {}

    def _values_of(
        self, run: Uniform, row: Row, cell: ValueCell, column: ColumnAt, first: int, last: int
    ) -> Sequence[Any]:
        if run.blank:
            return [None] * (last - first)
        whole = run.columns.get(("raw", row.number, column.out))
        return whole[first:last] if whole is not None else self._raw_values(run, cell, column, first, last)

    def _value_pieces(
        self, run: Uniform, cell: ValueCell, column: ColumnAt, offset: int, batch: _Batch
    ) -> Sequence[Piece]:
        if run.blank:
            return [literal(self.writer.content_tail(None, cell.style))]

        def report(index: int, fault: Exception) -> None:
            self._report(cell.program, fault, run.scope, self._where(run, cell, batch.first + index))

        values = batch.values[column.out]
        if cell.runs:
            return [Column(b"%b", self._rich_tails(cell, values, report))]
        column_ = self.writer.plain_column(values, cell.style)
        if column_ is None:
            if Picture in set(map(type, values)):
                row = run.start + offset + batch.first * run.height
                values = self._take_pictures(values, column, range(row, self.last_row + 1, run.height), report)
            column_ = self.writer.mixed_column(values, cell.style, report)
        return [column_]

    def _take_pictures(self, values: Sequence[Any], column: ColumnAt, rows: Sequence[int], report: Any) -> list[Any]:
        """Note the pictures among the values; their cells stay empty."""
        for index, value in enumerate(values):
            if isinstance(value, Picture):
                try:
                    self.pictures.append(place_picture(value, column.out, rows[index]))
                except CellFault as fault:
                    report(index, fault)
        return [None if isinstance(value, Picture) else value for value in values]

    def _rich_tails(self, cell: ValueCell, values: Sequence[Any], report: Any) -> list[bytes]:
        tails = []
        for index, value in enumerate(values):
            try:
                tails.append(self._rich_tail(cell, str(value)).encode())
            except Exception as fault:
                report(index, fault)
                tails.append(self.writer.content_tail(None, cell.style).encode())
        return tails

    def _where(self, run: Uniform, cell: ValueCell, index: int) -> str | None:
        """Return the field of the data: `companies[3].name`."""
        program = self.sheet.loops[id(run.block.branches[0])]
        steps = cell.program.steps
        if steps is None or steps[0] != program.target or program.path is None:
            return None
        return ".".join([f"{program.path}[{index}]", *steps[1:]])

    def _raw_values(self, run: Uniform, cell: ValueCell, column: ColumnAt, first: int, last: int) -> Sequence[Any]:
        """Return the values of a cell in the turns first…last-1, at once where that is possible."""
        program = self.sheet.loops[id(run.block.branches[0])]
        items = run.items if first == 0 and last == len(run.items) else run.items[first:last]
        if column.names is None and "," not in program.target:
            found = _follow_steps(cell.program.steps, program.target, items, plain=_has_plain_items(run))
            if found is not None:
                return found
            if cell.program.path == "loop.index":
                return range(first + 1, last + 1)
        scope = self._scope(run.scope, column)
        if not _uses_loop(cell.program):
            try:
                return cell.program.get_column(program.target, items, scope, self.context.missing)
            except Exception as fault:
                del fault  # told one by one below
        values = []
        for index in range(first, last):
            inner = turn_scope(program, run.items, index, run.scope)
            inner = {**inner, **column.names} if column.names else inner
            try:
                values.append(cell.program.get_value(inner, self.context.missing))
            except Exception as fault:
                self._report(cell.program, fault, inner, self._where(run, cell, index))
                values.append(None)
        return values

    def _prepare_formula(
        self, run: Uniform, path: Path, row: Row, cell: FormulaCell, column: ColumnAt
    ) -> Sequence[Part]:
        """Return a formula as it is in each turn: its text with row numbers to fill in, its value to come."""
        site = Site(self.context, self, (*path, run.turn(0)), column.path)
        try:
            written = write_formula(cell.formula, site)
        except FormulaFault as fault:
            self._report_formula(cell, row, fault)
            return [literal(self.writer.content_tail(None, cell.style))]
        if cell.kind:
            return [partial(self._array_pieces, run, path, row, cell, column)]
        text = [
            literal(escape_text(self.rename_tables(piece))) if isinstance(piece, str) else piece - run.start
            for piece in written
        ]
        return [partial(self._formula_pieces, run, path, row, cell, column, text)]

    def _array_pieces(
        self, run: Uniform, path: Path, row: Row, cell: FormulaCell, column: ColumnAt, batch: _Batch
    ) -> Sequence[Piece]:
        tails = [
            self._formula_tail(cell, row, column, _Anchor(run, index), (*path, run.turn(index)))  # type: ignore[arg-type]
            for index in range(batch.first, batch.last)
        ]
        return [Column(b"%b", [tail.encode() for tail in tails])]

    def _formula_pieces(
        self,
        run: Uniform,
        path: Path,
        row: Row,
        cell: FormulaCell,
        column: ColumnAt,
        text: Sequence[Piece],
        batch: _Batch,
    ) -> Sequence[Piece]:
        p = self.writer.prefix
        style = literal(f' s="{cell.style}"') if cell.style else b""
        before, after = literal(f"{cell.cell_extra}><{p}f{cell.extra}>"), literal(f"</{p}f>")
        values = self._formula_vector(run, path, row.number, cell, column)[batch.first : batch.last]
        numbers = write_plain_numbers(values)
        if numbers is not None:
            closing = literal(f"</{p}v></{p}c>")
            return [style, before, *text, after, literal(f"<{p}v>"), numbers, closing]
        cached = [self._cached(value) for value in values]
        kinds = Column(b"%b", [kind.encode() for kind, _ in cached])
        shown = Column(b"%b", [v.encode() for _, v in cached])
        return [style, kinds, before, *text, after, shown, literal(f"</{p}c>")]

    # -- values that formulas see -------------------------------------------------------------------------------------

    def _formula_vector(self, run: Uniform, path: Path, line: int, cell: FormulaCell, column: ColumnAt) -> list[Any]:
        """Return the values of a formula in all turns of a list."""
        key = ("formula", line, column.out)
        found = run.columns.get(key)
        if found is None:
            run.columns[key] = [Unknown] * run.count  # what a formula that sees itself gets
            found = run.columns[key] = self._compute_vector(run, path, line, cell, column)
        return found

    def _compute_vector(self, run: Uniform, path: Path, line: int, cell: FormulaCell, column: ColumnAt) -> list[Any]:
        tree = self.context.get_tree(cell.text, self, line)
        if tree is None or cell.kind:
            return [Unknown] * run.count
        seen = _Seen(self, (*path, run.turn(0)), column, line)
        try:
            tree = _fold(tree, seen)
        except (Unknown, RecursionError):
            return [Unknown] * run.count

        def get_column(ref: Ref) -> Any:
            # What is not folded by now differs from turn to turn; one cell of this very list is a whole column.
            if ref.is_range or seen.is_fixed(ref) or ref.row1 not in run.numbers:
                return None
            at = self.find_column_for(ref, column)
            return None if at is None else self._run_values(run, path, ref.row1, at)

        try:
            vector = evaluate_columns(tree, get_column, run.count)
        except (Unknown, RecursionError):
            vector = None
        if vector is not None:
            return vector
        return [self._turn_value(run, path, line, column, tree, index) for index in range(run.count)]

    def _turn_value(self, run: Uniform, path: Path, line: int, column: ColumnAt, tree: Any, index: int) -> Any:
        try:
            seen = _Seen(self, (*path, run.turn(index)), column, line)
            seen.turn = index
            return evaluate(tree, seen)
        except (Unknown, RecursionError, OverflowError):
            return Unknown

    def find_column_for(self, ref: Ref, column: ColumnAt) -> ColumnAt | None:
        """Return the output column that a single-cell reference names, seen from `column`."""
        from gfdocs.engine.xlsx.geometry import get_ends

        runs = get_ends(column.path, ref.column1, ref.column2).runs
        return self.find_column(runs[0][0]) if runs else None

    def _run_values(self, run: Uniform, path: Path, line: int, column: ColumnAt) -> list[Any]:
        """Return what formulas see in one cell of a list, in all its turns."""
        cell = self.sheet.cells.get((line, column.template))
        if cell is None or (run.blank and isinstance(cell, ValueCell)):
            return [None] * run.count
        if isinstance(cell, StaticCell):
            return [cell.value] * run.count
        if isinstance(cell, FormulaCell):
            return self._formula_vector(run, path, line, cell, column)
        key = ("seen", line, column.out)
        found = run.columns.get(key)
        if found is None:
            raw = self._raw_values(run, cell, column, 0, run.count)
            run.columns["raw", line, column.out] = raw
            found = run.columns[key] = self._contents(raw, cell)
        return found

    def get_turn_value(self, turn: Turn, path: Path, line: int, column: int, skip: bool) -> Any:
        """Return what formulas see in one cell of a turn, its column standing still."""
        cell = self.sheet.cells.get((line, column))
        if cell is None or isinstance(cell, StaticCell):
            return None if cell is None else cell.value
        if isinstance(cell, FormulaCell) and skip and cell.has_subtotal:
            return None
        value = self._run_values(turn.run, path, line, ColumnAt(column, column, (self.columns,), None))[turn.index]
        if value is Unknown:
            raise Unknown
        return value

    def _contents(self, raw: Sequence[Any], cell: ValueCell) -> list[Any]:
        if cell.runs:
            return [without_runs(str(value)) or None for value in raw]
        kinds = set(map(type, raw))
        if kinds == {float} or (kinds == {str} and "" not in raw):
            return raw if isinstance(raw, list) else list(raw)
        if (
            kinds == {int}
            and raw
            and max(raw) < 10**15
            and min(raw) > -(10**15)
            and not self.writer.styles.is_text(cell.style)
        ):
            return raw if isinstance(raw, list) else list(raw)
        try:
            return [self.writer.get_content(value, cell.style) for value in raw]
        except Exception as fault:  # an object of the developer's own: its cell tells what is wrong
            raise Unknown from fault

    @cached_property
    def last_row(self) -> int:
        """The last output row that has cells."""
        return max((b for _, b in self.rows.image(1, self._last_template_row())), default=0)

    def get_values(self, out_column: int, first: int, last: int, *, skip_subtotals: bool = False) -> list[Any]:
        """Return what formulas see in the output rows first…last of an output column (None: nothing)."""
        column = self.find_column(out_column)
        last = min(last, self.last_row)
        if column is None or last < first:
            return [None] * max(0, last - first + 1)
        self.context.look(last - first + 1)
        found: list[Any] = []
        self._collect(self.rows, (self.rows,), column, first, last, found, skip_subtotals)
        found += [None] * (last - first + 1 - len(found))
        return found

    def _collect(
        self, body: Body, path: Path, column: ColumnAt, first: int, last: int, found: list[Any], skip: bool
    ) -> None:
        for part in body.parts:
            a, b = max(first, part.start), min(last, part.stop - 1)
            if a > b:
                continue
            if isinstance(part, Placed):
                for position in range(a, b + 1):
                    found.append(self._cell_value(part.first + position - part.start, column, body, path, skip))
            elif isinstance(part, Uniform):
                found += self._collect_uniform(part, path, column, a, b, skip)
            else:
                for inner in part.bodies:
                    if inner.start <= last and first < inner.stop:
                        self._collect(
                            inner, (*path, inner) if inner.is_loop else path, column, first, last, found, skip
                        )

    def _collect_uniform(self, run: Uniform, path: Path, column: ColumnAt, a: int, b: int, skip: bool) -> list[Any]:
        vectors = []
        has_formula = False
        for number in run.numbers:
            cell = self.sheet.cells.get((number, column.template))
            has_formula = has_formula or isinstance(cell, FormulaCell)
            if skip and isinstance(cell, FormulaCell) and cell.has_subtotal:
                vectors.append([None] * run.count)
            else:
                vectors.append(self._run_values(run, path, number, column))
        whole = vectors[0] if len(vectors) == 1 else list(chain.from_iterable(zip(*vectors, strict=True)))
        part = whole if a == run.start and b == run.stop - 1 else whole[a - run.start : b - run.start + 1]
        if has_formula and Unknown in part:
            raise Unknown
        return part

    def _cell_value(self, line: int, column: ColumnAt, body: Body, path: Path, skip: bool) -> Any:
        cell = self.sheet.cells.get((line, column.template))
        if cell is None:
            return None
        if isinstance(cell, StaticCell):
            return cell.value
        if isinstance(cell, FormulaCell):
            if skip and cell.has_subtotal:
                return None
            value = self._formula_value(cell, line, column, body, path)
            if value is Unknown:
                raise Unknown
            return value
        key = (id(body), line, column.out)
        if key not in self._values:
            try:
                value = cell.program.get_value(self._scope(body.scope, column), self.context.missing)
            except Exception:
                raise Unknown from None
            self._values[key] = self._contents([value], cell)[0]
        return self._values[key]

    # -- for the resolver ---------------------------------------------------------------------------------------------

    def is_hull_safe(self, ref: Ref) -> bool:
        """True where the rows between the pieces of a list hold nothing that a total over the columns would count."""
        if not ref.column1 or not ref.row1:
            return True
        block = self._outermost_block(ref.row1, ref.row2)
        if block is None or self.sheet.moves_columns:
            return False
        for number in range(block.first, block.last + 1):
            if ref.row1 <= number <= ref.row2 or number not in self.sheet.rows:
                continue
            for cell in self.sheet.rows[number].cells:
                if ref.column1 <= cell.column <= ref.column2 and not _counts_nothing(cell, ref.function):
                    return False
        return True

    def _outermost_block(self, first: int, last: int) -> Block | None:
        for node in self.sheet.row_nodes:
            if isinstance(node, Block) and node.first <= first and last <= node.last:
                return node
        return None


_TABLE_COLUMN = re.compile(r"([^\[\]]*)\[(?:\[#(This Row|Data)\],)?(@?)\[?([^\[\]#@]+)\]?\]")


def find_table_ref(compiled: Compiled, text: str, sheet: Sheet, line: int) -> Ref | None:
    """Return the cells of `Items[数]`, `Items[[#This Row],[数]]` or `[@数]` in the template; None for other forms."""
    match = _TABLE_COLUMN.fullmatch(text)
    if match is None:
        return None
    name, part, at, heading = match.groups()
    found = compiled.find_table_column(name, heading, sheet, line)
    if found is None:
        return None
    home, table, column = found
    is_this_row = part == "This Row" or bool(at)
    if is_this_row and not is_inside(table, home, sheet, line):
        return None
    first, last = (line, line) if is_this_row else (table.first, table.last)
    return Ref(home.entry.name, "", column, first, column, last, ("", "", "", ""), not is_this_row)


@dataclass(frozen=True)
class _Anchor:
    """A frame of one turn that outlives the turn object, for keys."""

    run: Uniform
    index: int


def _counts_nothing(cell: Cell, function: str) -> bool:
    if isinstance(cell, StaticCell):
        return cell.value is None or (
            isinstance(cell.value, str) and function not in ("COUNTA", "AND", "OR", "CONCAT", "TEXTJOIN")
        )
    return isinstance(cell, FormulaCell) and function == "SUBTOTAL" and cell.text.upper().startswith("SUBTOTAL(")


def _uses_loop(program: CellProgram) -> bool:
    return "loop" in program.source


def _bound_names(program: LoopProgram, items: Sequence[Any], index: int, scope: Scope) -> dict[str, Any]:
    inner = turn_scope(program, items, index, scope)
    return {name: inner[name] for name in (*program.names, "loop")}


def _has_plain_items(run: Uniform) -> bool:
    """True where all items of a list are dicts."""
    if run.is_plain is None:
        run.is_plain = set(map(type, run.items)) == {dict}
    return run.is_plain


def _plain_name(cell: ValueCell, column: ColumnAt, target: str) -> str | None:
    steps = cell.program.steps
    return steps[1] if column.names is None and steps is not None and len(steps) == 2 and steps[0] == target else None


def _follow_steps(steps: tuple[str, ...] | None, target: str, items: Sequence[Any], *, plain: bool) -> list[Any] | None:
    """Return the values of a plain path in each item, None where an item is no plain mapping or lacks it.

    `plain` tells that the items are dicts all.
    """
    if steps is None or steps[0] != target:
        return None
    values: Any = items
    try:
        for step in steps[1:]:
            if not plain and set(map(type, values)) != {dict}:
                return None
            values = list(map(itemgetter(step), values))
            plain = False
    except KeyError:
        return None
    return values if isinstance(values, list) else list(values)


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some turns of a list that are written together, first…last-1, and the values of their cells by output column."""

    first: int
    last: int
    values: dict[int, Sequence[Any]]


#: A part of a line: what is the same in each turn, or what gives it for a batch of turns.
Part = Piece | Callable[[_Batch], Sequence[Piece]]


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the turns of a list, and its cells that the data fills."""

    row: Row
    parts: Sequence[Part]
    filled: Sequence[tuple[ValueCell, ColumnAt]]
    names: Mapping[int, str]
    """The output columns that hold nothing but one name of the item: `{{ c.name }}`."""


def _grown_attributes(row: Row, height: float, wraps: Sequence[tuple[Wrap, int]], batch: _Batch) -> Sequence[Piece]:
    """Return the attributes of the rows: higher where a wrapped text (in these output columns) needs it."""
    heights = grown_heights([(wrap, batch.values[column]) for wrap, column in wraps], height)
    if heights is None:
        return [literal(row.attributes)]
    written = {grown: with_height(row.attributes, grown).encode() for grown in set(heights)}
    written[height] = row.attributes.encode()
    return [Column(b"%b", [written[grown] for grown in heights])]


class _Seen(Source):
    """The values a formula sees from its place."""

    def __init__(self, grid: Grid, path: Path, column: ColumnAt, line: int) -> None:
        self.grid, self.path, self.column, self.line = grid, path, column, line
        self.site = Site(grid.context, grid, path, column.path)

    def is_fixed(self, ref: Ref) -> bool:
        """True where the reference means the same cells in every turn of the innermost list."""
        return not any(resolve(ref, self.site).moving)

    def get_cells(self, ref: Ref) -> list[Cells]:
        return self._cells(ref, skip=False)

    def get_cells_without_subtotals(self, ref: Ref) -> list[Cells]:
        return self._cells(ref, skip=True)

    def _cells(self, ref: Ref, *, skip: bool) -> list[Cells]:
        if ref.sheet is not None and not self.grid.context.find_sheets(ref.sheet):
            raise Unknown
        turn = self.path[-1]
        if isinstance(turn, Turn) and self._is_of_turn(ref, turn):
            return self._turn_cells(ref, turn, skip)
        found = []
        for area in resolve(ref, self.site).areas:
            grid: Grid = area.sheet
            columns = area.columns if ref.column1 else (1, max((c.out for c in grid.output_columns), default=1))
            rows = area.rows if ref.row1 else (1, grid.last_row)
            if columns[1] - columns[0] > 500:
                raise Unknown
            found.append(
                Cells(
                    tuple(
                        self._same_length(grid.get_values(c, rows[0], rows[1], skip_subtotals=skip), rows, ref)
                        for c in range(columns[0], columns[1] + 1)
                    )
                )
            )
        return found

    def _is_of_turn(self, ref: Ref, turn: Turn) -> bool:
        """True where a reference names cells of the turn one looks from, in columns that stand still."""
        if ref.sheet is not None or not ref.column1 or self.grid.sheet.moves_columns:
            return False
        is_fixed = ref.is_range and (ref.dollars[1] or ref.dollars[3])
        return turn.first <= ref.row1 and ref.row2 <= turn.last and not is_fixed

    def _turn_cells(self, ref: Ref, turn: Turn, skip: bool) -> list[Cells]:
        """Return the cells of one turn: there is no need to look where the others went."""
        numbers = turn.numbers[bisect_left(turn.numbers, ref.row1) : bisect_right(turn.numbers, ref.row2)]
        last = ref.column2
        if not ref.is_area:
            numbers, last = numbers[:1], ref.column1
        if last - ref.column1 > 500:
            raise Unknown
        if not numbers:  # rows of nothing but tags: the formula is given empty cells in their stead
            return [Cells(tuple([None] for _ in range(ref.column1, last + 1)))]
        around, get = self.path[:-1], self.grid.get_turn_value
        columns = [[get(turn, around, line, at, skip) for line in numbers] for at in range(ref.column1, last + 1)]
        self.grid.context.look(len(columns) * len(numbers))
        return [Cells(tuple(columns))]

    @staticmethod
    def _same_length(values: list[Any], rows: tuple[int, int], ref: Ref) -> list[Any]:
        wanted = rows[1] - rows[0] + 1
        if len(values) < wanted <= 100_000:
            return values + [None] * (wanted - len(values))
        return values

    def get_position(self, ref: Ref | None) -> tuple[int, int]:
        if ref is None:
            rows = list(self.path[-1].image(self.line, self.line))
            return rows[0][0], self.column.out
        areas = resolve(ref, self.site).areas
        if not areas:
            raise Unknown
        return areas[0].rows[0], areas[0].columns[0]


def _fold(tree: Any, seen: _Seen) -> Any:
    """Compute the parts of a formula that are the same in every turn."""
    if isinstance(tree, Constant | Series):
        return tree
    if _is_fixed(tree, seen):
        value = evaluate(tree, seen) if not isinstance(tree, Reference) else _fixed_reference(tree, seen)
        return tree if value is Unknown else Constant(value)
    if isinstance(tree, Operation):
        return Operation(tree.operator, _fold(tree.left, seen), _fold(tree.right, seen))
    if isinstance(tree, Call):
        grown = _fold_running(tree, seen)
        if grown is not None:
            return grown
        # A reference that is an argument stays one: SUM of a cell and SUM of its value differ.
        arguments = tuple(a if isinstance(a, Reference) else _fold(a, seen) for a in tree.arguments)
        return replace(tree, arguments=arguments)
    return tree


def _fold_running(tree: Call, seen: _Seen) -> Series | None:
    """`SUM(C$5:C5)` grows from turn to turn: all its values in one go."""
    if len(tree.arguments) != 1 or not isinstance(tree.arguments[0], Reference):
        return None
    ref = tree.arguments[0].ref
    frame = seen.path[-1]
    if not isinstance(frame, Turn) or ref.row1 != ref.row2 or ref.column1 != ref.column2 or frame.run.height != 1:
        return None
    found = resolve(ref, seen.site)
    if found.moving != (False, True) or frame.run.blank:
        return None
    if any(area.columns[0] != area.columns[1] for area in found.areas):
        return None  # its column repeats: it stands for several
    at = seen.grid.find_column_for(ref, seen.column)
    if at is None:
        return None
    values = running(tree.name, seen.grid._run_values(frame.run, seen.path[:-1], ref.row1, at))
    return None if values is None else Series(values)


def _fixed_reference(tree: Reference, seen: _Seen) -> Any:
    cells = seen.get_cells(tree.ref)
    if len(cells) == 1 and len(cells[0].columns) == 1 and len(cells[0].columns[0]) == 1:
        return cells[0].columns[0][0]
    return Unknown


def _is_fixed(tree: Any, seen: _Seen) -> bool:
    if isinstance(tree, Constant):
        return True
    if isinstance(tree, Reference):
        return seen.is_fixed(tree.ref)
    if isinstance(tree, Operation):
        return _is_fixed(tree.left, seen) and _is_fixed(tree.right, seen)
    if not isinstance(tree, Call):
        return False
    return tree.name not in ("ROW", "COLUMN") and all(_is_fixed(argument, seen) for argument in tree.arguments)


__all__ = ["Context", "Grid", "Stop"]
