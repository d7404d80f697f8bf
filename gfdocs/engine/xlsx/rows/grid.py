"""The sheets of the output while they are made: what each is, where its lines stand, what all of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gfdocs.engine.xlsx.formulas.evaluate import parse_tree
from gfdocs.engine.xlsx.formulas.references import FREE, Ref
from gfdocs.engine.xlsx.formulas.tree import Constant, Reference, Tree, bind_names
from gfdocs.engine.xlsx.formulas.values import Unknown
from gfdocs.engine.xlsx.geometry import Path, Turn, Uniform
from gfdocs.engine.xlsx.rows.memory import SheetMemory, find_places
from gfdocs.engine.xlsx.rows.pictures import PlacedPicture
from gfdocs.engine.xlsx.rows.placing import STILL_COLUMNS, Columns, Placer, still_rows, stop_over_budget
from gfdocs.engine.xlsx.rows.values import CellFault, CellWriter
from gfdocs.engine.xlsx.template.compiled import Cell, Compiled, FormulaCell, Sheet, StaticCell, is_inside
from gfdocs.engine.xlsx.template.layout import Block
from gfdocs.engine.xlsx.template.programs import CellProgram, LoopProgram, Scope, turn_scope
from gfdocs.errors import Issue

#: Cells that formulas may look at in one rendering before their values are left to the program that opens the file.
_LOOK_BUDGET = 30_000_000
#: Tables of copied sheets are numbered from here.
_FIRST_TABLE = 10_001
#: Functions that count texts too.
_COUNT_TEXTS = ("COUNTA", "AND", "OR", "CONCAT", "TEXTJOIN")
_TABLE_COLUMN = re.compile(r"([^\[\]]*)\[(?:\[#(This Row|Data)\],)?(@?)\[?([^\[\]#@]+)\]?\]")


@dataclass
class Context:
    """What all sheets of one rendering share."""

    compiled: Compiled
    missing: Any
    report: Callable[[Issue], None]
    grids: list[Grid] = field(default_factory=list)
    needs_calculation: bool = False
    looks: int = 0
    """Cells that formulas looked at, to be computed."""
    touch_looks: int = 0
    """Cells looked at to find out which formulas keep the template's value."""
    untouched: dict[Hashable, bool] = field(default_factory=dict)
    """Which formulas, names and areas the data did not touch (see `kept`)."""
    table_id: int = _FIRST_TABLE - 1

    def close(self) -> None:
        """Let go of the sheets and of the rendering, which hold this context: so all goes at once, not when the
        garbage is collected some time.
        """
        self.grids.clear()
        del self.report

    @cached_property
    def places(self) -> Hashable | None:
        """Where the lines of all sheets went, and what the sheets are called; None where that is too much to tell."""
        places = find_places(self.grids)
        return None if places is None else (places, tuple(grid.name for grid in self.grids))

    def next_table_id(self) -> int:
        """Return a number no table of the workbook has."""
        self.table_id += 1
        return self.table_id

    def look(self, count: int) -> None:
        """Count the cells that formulas look at; Unknown where it is more than a rendering may."""
        self.looks += count
        if self.looks > _LOOK_BUDGET:
            raise Unknown

    def has_sheet(self, name: str) -> bool:
        """True where the template has a worksheet of this name."""
        return name.casefold() in self.compiled.by_name

    def find_sheets(self, name: str) -> list[Grid]:
        """Return the output sheets that a template sheet became."""
        folded = name.casefold()
        return [grid for grid in self.grids if grid.sheet.entry.name.casefold() == folded]

    # -- names in formulas --------------------------------------------------------------------------------------------

    def get_tree(self, text: str, grid: Grid, line: int) -> Tree | None:
        """Return the tree of a formula with its names and table references put in; None where it is not ours to
        compute.
        """
        tree = parse_tree(text)
        return None if tree is None else bind_names(tree, lambda name: self._find_name(name, grid, line))

    def _find_name(self, name: str, grid: Grid, line: int) -> Reference | Constant | None:
        if "[" in name:
            ref = _find_table_ref(self.compiled, name, grid.sheet, line)
            # Of a sheet that was copied another sheet sees the first: the copies' tables have names of their own.
            return None if ref is None or self._is_of_copies(ref, grid) else Reference(ref)
        found = [
            defined
            for defined in self.compiled.workbook.names
            if defined.name.casefold() == name.casefold() and defined.sheet_index in (None, grid.sheet.entry.index)
        ]
        tree = parse_tree(found[0].text) if len(found) == 1 else None
        if isinstance(tree, Reference):
            is_fixed = tree.ref.sheet is not None and not tree.ref.is_relative
            return Reference(replace(tree.ref, function=FREE)) if is_fixed else None
        return tree if isinstance(tree, Constant) else None

    def _is_of_copies(self, ref: Ref, grid: Grid) -> bool:
        grids = self.find_sheets(ref.sheet or "")
        return len(grids) > 1 and grid not in grids


def _find_table_ref(compiled: Compiled, text: str, sheet: Sheet, line: int) -> Ref | None:
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


class Grid:
    """One worksheet of the output."""

    def __init__(self, context: Context, memory: SheetMemory, scope: Scope, name: str, writer: CellWriter) -> None:
        self.context = context
        self.memory = memory
        self.sheet = memory.sheet
        self.scope = dict(scope)
        self.name = name
        self.writer = writer
        self.rows = still_rows(self.scope)
        self.columns = STILL_COLUMNS
        self.is_still = True
        self.is_copy = False
        self.part = self.sheet.entry.part
        self.index = 0
        self.extra_merges: list[str] = []
        self.pictures: list[PlacedPicture] = []
        self.drawing_relation: str | None = None
        self.link_targets: dict[str, CellProgram] = {}
        self.links: list[tuple[str, str]] = []
        self.values: dict[tuple[int, int, int], Any] = {}
        """What formulas see in cells that stand once, by frame, template row and output column."""
        self.busy: set[tuple[int, int, int]] = set()
        """The formulas that are being computed."""

    @property
    def is_renamed(self) -> bool:
        return self.name != self.sheet.entry.name

    # -- where lines stand --------------------------------------------------------------------------------------------

    def expand(self) -> None:
        """Run the loops and conditions of both axes: after this every line has its place. Stop where they do not fit."""
        placer = Placer(self.sheet, self.context.compiled.name, self.context.missing, self.context.report)
        self.columns = placer.place_columns(self.scope)
        self.rows = placer.place_rows(self.scope)
        self.is_still = not (self.sheet.moves_columns or self.sheet.moves_rows)
        placer.refuse_overflow(self.rows, self.columns)

    @cached_property
    def output_columns(self) -> Columns:
        """The output columns as far as the template has cells; to be asked for when all lines have their place."""
        return Columns(self.sheet, self.columns)

    @cached_property
    def last_row(self) -> int:
        """The last output row that has cells."""
        return max((b for _, b in self.rows.image(1, self.sheet.last_row)), default=0)

    def scope_at(self, path: Path) -> Scope:
        """Return the names that a place sees: those of the innermost turn around it."""
        frame = path[-1]
        if not isinstance(frame, Turn):
            return frame.scope or self.scope
        run = frame.run
        if run.blank:
            return self.scope
        return turn_scope(self.get_loop(run), run.items, frame.index, run.scope)

    def get_loop(self, run: Uniform) -> LoopProgram:
        """Return the program of a list."""
        return self.sheet.loops[id(run.block.branches[0])]

    def is_hull_safe(self, ref: Ref) -> bool:
        """True where the rows between the pieces of a list hold nothing that a total over the columns would count."""
        if not ref.column1 or not ref.row1:
            return True
        block = self._find_outermost_block(ref.row1, ref.row2)
        if block is None or self.sheet.moves_columns:
            return False
        for number in range(block.first, block.last + 1):
            if ref.row1 <= number <= ref.row2 or number not in self.sheet.rows:
                continue
            for cell in self.sheet.rows[number].cells:
                if ref.column1 <= cell.column <= ref.column2 and not _counts_nothing(cell, ref.function):
                    return False
        return True

    def _find_outermost_block(self, first: int, last: int) -> Block | None:
        for node in self.sheet.row_nodes:
            if isinstance(node, Block) and node.first <= first and last <= node.last:
                return node
        return None

    # -- what is remembered for the documents that follow -------------------------------------------------------------

    @cached_property
    def row_texts(self) -> dict[int, Any]:
        """How rows that stand once are written; where the columns stand still, all documents share it."""
        return {} if self.sheet.moves_columns else self.memory.row_texts

    @cached_property
    def formula_texts(self) -> dict[tuple[int, int], str]:
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

    # -- tables of copies ---------------------------------------------------------------------------------------------

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

    # -- faults -------------------------------------------------------------------------------------------------------

    def report(self, program: CellProgram, fault: BaseException, scope: Scope, where: str | None = None) -> None:
        """Report the fault of a cell; Stop where the budget is spent. `where` is the field of the data."""
        if isinstance(fault, CellFault):
            self.context.report(Issue(fault.code, "error", program.place, fault.fact, fault.hint))
        else:
            self.context.report(program.describe(fault, scope, where))
            stop_over_budget(fault)


def _counts_nothing(cell: Cell, function: str) -> bool:
    if isinstance(cell, StaticCell):
        return cell.value is None or (isinstance(cell.value, str) and function not in _COUNT_TEXTS)
    return isinstance(cell, FormulaCell) and function == "SUBTOTAL" and cell.text.upper().startswith("SUBTOTAL(")
