"""A compiled workbook as data: its sheets, their rows and cells, and which of it changes with the data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from gfdocs.engine.package import Package
from gfdocs.engine.xlsx.formulas.references import Formula, Ref, parse_formula, refs_of
from gfdocs.engine.xlsx.template.layout import Assign, Node, Tag
from gfdocs.engine.xlsx.template.programs import AssignProgram, CellProgram, ConditionProgram, Languages, LoopProgram
from gfdocs.engine.xlsx.template.sheet import SheetPart
from gfdocs.engine.xlsx.template.tags import has_tags
from gfdocs.engine.xlsx.template.workbook import SheetEntry, TablePart, Workbook
from gfdocs.errors import Issue

# -- cells and rows ----------------------------------------------------------------------------------------------------


class StaticCell(NamedTuple):
    """A cell that the data does not touch. `tail` follows `<c r="B7"`; `value` is what formulas see."""

    column: int
    tail: str
    value: Any
    style: str = ""


class ValueCell(NamedTuple):
    """A cell with tags. `runs` are the properties of its text runs where it is rich, with RUN_MARK between them in
    the source.
    """

    column: int
    style: str
    program: CellProgram
    runs: tuple[str, ...] = ()
    merges: bool = False
    """`{% vm %}`: equal neighbours of the list, one under the other, become one cell."""


class FormulaCell(NamedTuple):
    """A cell with a formula. `text` is the template's; `formula` its parts; `kind` is "", array or dataTable."""

    column: int
    style: str
    text: str
    formula: Formula
    kind: str = ""
    ref: Ref | None = None
    extra: str = ""
    cell_extra: str = ""
    has_subtotal: bool = False
    cached: Any = None
    """The value the template has for it; None where it has none."""


Cell = StaticCell | ValueCell | FormulaCell


class Row(NamedTuple):
    """A row of the template: its attributes as written, its cells in order."""

    number: int
    attributes: str
    cells: tuple[Cell, ...]

    def cell(self, column: int) -> Cell | None:
        return next((cell for cell in self.cells if cell.column == column), None)


# -- sheets ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sheet:
    """A worksheet of the template. The programs of its line tags are found by the id of their branch or node, those of
    its `{%sheet %}` tags by the id of the tag.
    """

    entry: SheetEntry
    part: SheetPart
    rows: Mapping[int, Row]
    row_nodes: list[Node]
    column_nodes: list[Node]
    name_program: CellProgram | None
    sheet_tags: tuple[Tag, ...]
    has_tags: bool
    loops: Mapping[int, LoopProgram]
    conditions: Mapping[int, ConditionProgram]
    assigns: Mapping[int, AssignProgram]
    sheet_programs: Mapping[int, LoopProgram | ConditionProgram]
    tables: tuple[TablePart, ...]

    @property
    def moves_rows(self) -> bool:
        return any(not isinstance(node, Assign) for node in self.row_nodes) and len(self.row_nodes) > 1

    @property
    def moves_columns(self) -> bool:
        return len(self.column_nodes) > 1

    @cached_property
    def numbers(self) -> list[int]:
        """The rows that the part has, in order."""
        return sorted(self.rows)

    @cached_property
    def cells(self) -> dict[tuple[int, int], Cell]:
        """The cells by row and column; the first where one stands twice."""
        return {(number, cell.column): cell for number, row in self.rows.items() for cell in reversed(row.cells)}

    @cached_property
    def last_row(self) -> int:
        """The last row that the part has; 0 where there is none."""
        return self.numbers[-1] if self.numbers else 0

    @cached_property
    def last_column(self) -> int:
        """The last column that has a cell; 0 where there is none."""
        return max((row.cells[-1].column for row in self.rows.values() if row.cells), default=0)

    @cached_property
    def hides_rows(self) -> bool:
        """True where rows are hidden, by hand or by a filter."""
        return any('hidden="1"' in row.attributes or 'hidden="true"' in row.attributes for row in self.rows.values())

    @cached_property
    def filters_rows(self) -> bool:
        """True where a filter may hide rows."""
        return self.hides_rows and (bool(self.tables) or b"filterColumn" in self.part.frame)

    @cached_property
    def merging_cells(self) -> list[tuple[int, ValueCell]]:
        """The cells with `{% vm %}`, each with its row."""
        return [(row.number, cell) for row, cell in self.iter_cells() if isinstance(cell, ValueCell) and cell.merges]

    @cached_property
    def formulas(self) -> list[FormulaCell]:
        return [cell for row in self.rows.values() for cell in row.cells if isinstance(cell, FormulaCell)]

    def iter_cells(self) -> Iterator[tuple[Row, Cell]]:
        """Yield the cells in order of rows, each with its row."""
        for number in self.numbers:
            row = self.rows[number]
            for cell in row.cells:
                yield row, cell


# -- the workbook ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compiled:
    """A compiled workbook template. `sheets` has None for what is no worksheet; `tagged_parts` are the parts besides
    sheets and shared texts whose texts have tags, `tagged_texts` the numbers of the shared texts that have.
    """

    workbook: Workbook
    languages: Languages
    sheets: tuple[Sheet | None, ...]
    tagged_parts: frozenset[str]
    tagged_texts: frozenset[int]
    issues: tuple[Issue, ...]

    @property
    def package(self) -> Package:
        return self.workbook.package

    @property
    def name(self) -> str:
        return self.workbook.package.name

    @cached_property
    def worksheets(self) -> tuple[Sheet, ...]:
        return tuple(sheet for sheet in self.sheets if sheet is not None)

    @cached_property
    def by_name(self) -> dict[str, Sheet]:
        """The worksheets by their names (casefolded)."""
        return {sheet.entry.name.casefold(): sheet for sheet in self.worksheets}

    @cached_property
    def touched(self) -> frozenset[int]:
        """The sheets that are written anew: those with tags, and those whose formulas see one of them, however far."""
        touched = {sheet.entry.index for sheet in self.worksheets if sheet.has_tags}
        names = {sheet.entry.index: sheet.entry.name.casefold() for sheet in self.worksheets}
        sees = {sheet.entry.index: self._find_seen(sheet) for sheet in self.worksheets}
        while True:
            more = {i for i, seen in sees.items() if i not in touched and any(names[t] in seen for t in touched)}
            if not more:
                return frozenset(touched)
            touched |= more

    def _find_seen(self, sheet: Sheet) -> frozenset[str]:
        """Return the sheets (casefolded) that a sheet's formulas see, through defined names too."""
        if not sheet.formulas:
            return frozenset()
        joined = "\n".join(part for cell in sheet.formulas for part in cell.formula if isinstance(part, str)).casefold()
        if "[" in joined or "indirect" in joined or "offset" in joined:
            return frozenset(self.by_name)
        names = [name.text for name in self.workbook.names if name.name.casefold() in joined]
        seen = [*(cell.formula for cell in sheet.formulas), *map(parse_formula, names)]
        return frozenset(ref.sheet.casefold() for formula in seen for ref in refs_of(formula) if ref.sheet is not None)

    def sheet_sees_touched(self, sheet: Sheet) -> bool:
        """True where a sheet without tags has validations, formats or links that refer to a sheet that changes."""
        text = sheet.part.frame.decode("utf-8", "replace")
        if "&" in text:
            from html import unescape

            text = unescape(text)
        return (
            has_tags(text)
            or ("!" in text and any(name in text for name in self._touched_names))
            or any(f'location="{name.name}"' in text for name in self.workbook.names)
        )

    def chart_sees_touched(self, part: str) -> bool:
        """True where a chart names a sheet that changes."""
        return any(_attribute_form(name) in self._text_of(part) for name in self._touched_names)

    @cached_property
    def _touched_names(self) -> list[str]:
        return [sheet.entry.name for sheet in self.worksheets if sheet.entry.index in self.touched]

    def has_links_to_cells(self, part: str) -> bool:
        """True where a drawing shows the value of a cell."""
        return "textlink=" in self._text_of(part)

    def _text_of(self, part: str) -> str:
        found = self._part_texts.get(part)
        if found is None:
            found = self._part_texts[part] = self.package.read(part).decode("utf-8", "replace")
        return found

    @cached_property
    def _part_texts(self) -> dict[str, str]:
        return {}

    def find_table_column(
        self, table: str, column: str, sheet: Sheet, line: int
    ) -> tuple[Sheet, TablePart, int] | None:
        """Return the column of a table by its heading, with the table and its sheet; the table around a line of
        `sheet` where no name is given. None where there is no such column.
        """
        for home in self.worksheets:
            for found in home.tables:
                is_meant = found.name.casefold() == table.casefold() if table else is_inside(found, home, sheet, line)
                number = found.columns.get(column.casefold())
                if is_meant and number is not None:
                    return home, found, number
        return None


def is_inside(table: TablePart, home: Sheet, sheet: Sheet, line: int) -> bool:
    """True where a line of `sheet` is one of the rows of data that a table of `home` has."""
    return home is sheet and table.first <= line <= table.last


def _attribute_form(name: str) -> str:
    """Return a sheet's name as it stands in XML texts, quotes doubled as in references."""
    return name.replace("'", "''").replace("&", "&amp;").replace("<", "&lt;")
