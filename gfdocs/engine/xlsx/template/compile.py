"""A workbook template made ready once for all documents: its sheets are laid out, and all of its faults told in one go."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gfdocs.engine.language import raise_issues
from gfdocs.engine.package import Package, check_safe_xml
from gfdocs.engine.reaching import find_reaching_workbook
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW
from gfdocs.engine.xlsx.template.cells import CellCompiler, Faults
from gfdocs.engine.xlsx.template.compiled import Cell, Compiled, FormulaCell, Row, Sheet, StaticCell
from gfdocs.engine.xlsx.template.layout import Assign, Block, Branch, Line, Node, Tag, build_layout, split_tags
from gfdocs.engine.xlsx.template.programs import (
    AssignProgram,
    CellProgram,
    ConditionProgram,
    Languages,
    LoopProgram,
    compile_assign,
    compile_cell,
    compile_condition,
    compile_loop,
    make_language,
)
from gfdocs.engine.xlsx.template.refused import find_broken_tables, find_side_by_side, refuse_sheet_tag
from gfdocs.engine.xlsx.template.sheet import OddSheet, SheetPart, scan_sheet, to_utf8
from gfdocs.engine.xlsx.template.tags import has_tags
from gfdocs.engine.xlsx.template.texts import (
    find_hanging_texts,
    find_part_sources,
    find_sheet_texts,
    find_tagged_parts,
)
from gfdocs.engine.xlsx.template.workbook import SheetEntry, TablePart, Workbook, read_table, read_workbook
from gfdocs.errors import Issue, PackageError, Place, Text

if TYPE_CHECKING:
    from gfdocs.engine.template import Options


def compile_workbook(package: Package, *, options: Options) -> Compiled:
    """Return the compiled template; TemplateError with all of its faults."""
    workbook, languages, faults = read_workbook(package), Languages(make_language(options)), Faults()
    compilers = [_SheetCompiler(workbook, languages, faults, entry) for entry in workbook.sheets]
    sheets = tuple(compiler.compile() if compiler.entry.is_worksheet else None for compiler in compilers)
    worksheets = [sheet for sheet in sheets if sheet is not None]
    if not worksheets:
        faults.issues.append(_no_worksheet(Place(package.name)))
    tagged_parts = find_tagged_parts(package)
    hanging = (text[1:] for sheet in worksheets for text in find_hanging_texts(workbook, sheet, tagged_parts))
    own = (text for sheet in worksheets for text in find_sheet_texts(workbook, sheet, tagged_parts))
    for source, place in (*own, *find_part_sources(workbook, worksheets, tagged_parts), *hanging):
        faults.attempt(partial(compile_cell, languages, source, place))
    raise_issues(issue for issue in faults.issues if issue.severity == "error")
    reaching = find_reaching_workbook(package, {entry.part: entry.name for entry in workbook.sheets})
    tagged_texts = frozenset[int]().union(*(compiler.tagged_texts for compiler in compilers))
    return Compiled(workbook, languages, sheets, tagged_parts, tagged_texts, (*faults.issues, *reaching))


class _SheetCompiler:
    """Compiles one sheet: its cells, its line tags as the tree of each axis, the programs of those tags."""

    def __init__(self, workbook: Workbook, languages: Languages, faults: Faults, entry: SheetEntry) -> None:
        self.workbook = workbook
        self.languages = languages
        self.faults = faults
        self.entry = entry
        self.place = Place(workbook.package.name, path=(entry.name,))
        self.tagged_texts: set[int] = set()
        self.loops: dict[int, LoopProgram] = {}
        self.conditions: dict[int, ConditionProgram] = {}
        self.assigns: dict[int, AssignProgram] = {}
        self.sheet_programs: dict[int, LoopProgram | ConditionProgram] = {}

    def compile(self) -> Sheet:
        part, rows, lines, has_values = self.read_rows()
        report = self.faults.issues.append
        row_nodes = build_layout(lines.rows, MAX_ROW, report)
        column_nodes = build_layout(lines.get_columns(), MAX_COLUMN, report)
        name_program = self.compile_name()
        keep_tables(lines.tables, row_nodes)
        self.faults.issues += find_broken_tables(lines.tables, rows, row_nodes, column_nodes)
        self.compile_sheet_tags(lines.sheet_tags)
        self.compile_nodes(row_nodes)
        self.compile_nodes(column_nodes)
        self.faults.issues += find_side_by_side(row_nodes, self.loops)
        return Sheet(
            self.entry,
            part,
            rows,
            row_nodes,
            column_nodes,
            name_program,
            tuple(lines.sheet_tags),
            lines.has_tags or has_values or has_tags(self.entry.name),
            self.loops,
            self.conditions,
            self.assigns,
            self.sheet_programs,
            lines.tables,
        )

    def read_rows(self) -> tuple[SheetPart, dict[int, Row], _Lines, bool]:
        """Return the part, its rows by number, its lines with tags, and whether a cell has tags of its own."""
        package = self.workbook.package
        data = package.read(self.entry.part)
        check_safe_xml(data, name=package.name, part=self.entry.part)
        try:
            part = scan_sheet(to_utf8(data, name=package.name, part=self.entry.part))
            lines = _Lines(self.read_tables())
            cells = CellCompiler(self.workbook, self.languages, self.faults, self.entry.name, part.prefix)
            rows: dict[int, Row] = {}
            for row_part in part.rows:
                row, tags = cells.compile_row(row_part)
                rows[row.number] = row
                lines.add_row(row, tags)
        except OddSheet as fault:
            raise PackageError(_odd_sheet(self.place, fault.text)) from fault
        self.tagged_texts = cells.tagged_texts
        return part, rows, lines, bool(cells.values)

    def read_tables(self) -> tuple[TablePart, ...]:
        package = self.workbook.package
        found = [
            read_table(package, relation.target)
            for relation in self.workbook.relations_of(self.entry.part)
            if relation.type == "table" and relation.target in package
        ]
        return tuple(table for table in found if table is not None)

    def compile_name(self) -> CellProgram | None:
        if not has_tags(self.entry.name):
            return None
        text, _ = split_tags(self.entry.name, self.place)
        return self.faults.attempt(lambda: compile_cell(self.languages, text, self.place))

    def compile_sheet_tags(self, tags: Sequence[Tag]) -> None:
        for tag in tags:
            if tag.word in ("for", "if"):
                make: Callable[..., Any] = compile_loop if tag.word == "for" else compile_condition
                program = self.faults.attempt(partial(make, self.languages, tag.source, tag.place))
                if program is not None:
                    self.sheet_programs[id(tag)] = program
            elif tag.word not in ("endfor", "endif"):
                self.faults.issues.append(refuse_sheet_tag(tag))

    def compile_nodes(self, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if isinstance(node, Assign):
                assign = self.faults.attempt(partial(compile_assign, self.languages, node.source, node.place))
                if assign is not None:
                    self.assigns[id(node)] = assign
            elif isinstance(node, Block):
                for branch in node.branches:
                    self.compile_branch(branch)
                    self.compile_nodes(branch.nodes)

    def compile_branch(self, branch: Branch) -> None:
        if branch.word == "for":
            loop = self.faults.attempt(partial(compile_loop, self.languages, branch.source, branch.place))
            if loop is not None:
                self.loops[id(branch)] = loop
        elif branch.word in ("if", "elif"):
            condition = self.faults.attempt(partial(compile_condition, self.languages, branch.source, branch.place))
            if condition is not None:
                self.conditions[id(branch)] = condition


class _Lines:
    """The rows and columns of a sheet that have tags for whole lines, gathered row by row."""

    def __init__(self, tables: tuple[TablePart, ...]) -> None:
        self.tables = tables
        self.has_tags = False
        self.rows: list[Line] = []
        self.sheet_tags: list[Tag] = []
        self._column_tags: dict[int, list[Tag]] = {}
        self._full_columns: set[int] = set()
        self._untagged: list[Row] = []

    def add_row(self, row: Row, tags: Sequence[tuple[str, Tag]]) -> None:
        if not tags:
            self._untagged.append(row)
            return
        self.has_tags = True
        row_tags = tuple(tag for kind, tag in tags if kind == "tr")
        for kind, tag in tags:
            if kind == "tc":
                self._column_tags.setdefault(tag.column, []).append(tag)
            elif kind != "tr":
                self.sheet_tags.append(tag)
        content = _find_content(row, self._find_computed(row.number))
        self._full_columns |= content
        is_bare = not content and {kind for kind, _ in tags} in ({"tr"}, {"sheet"})
        if row_tags or is_bare:
            self.rows.append(Line(row.number, row_tags, is_bare))

    def _find_computed(self, number: int) -> set[int]:
        """Return the columns that a table computes in this row."""
        return {c for table in self.tables if table.first <= number <= table.last for c in table.computed}

    def get_columns(self) -> list[Line]:
        """Return the columns with tags; to be asked for when all rows are there."""
        if not self._column_tags:
            return []
        full = self._full_columns.union(*map(_find_content, self._untagged))
        return [Line(column, tuple(tags), column not in full) for column, tags in sorted(self._column_tags.items())]


def _find_content(row: Row, computed: Container[int] = ()) -> set[int]:
    """Return the columns of the cells with something in them; formulas that a table computes are none."""
    return {c.column for c in row.cells if not (_is_empty(c) or (isinstance(c, FormulaCell) and c.column in computed))}


def _is_empty(cell: Cell) -> bool:
    return isinstance(cell, StaticCell) and (cell.value is None or cell.value == "")


def keep_tables(tables: Sequence[TablePart], nodes: Sequence[Node]) -> None:
    """A table must keep a data row: a list that is all of one leaves a blank row where it is empty."""
    for table in tables:
        for node in nodes:
            if isinstance(node, Block) and node.first <= table.first and table.last <= node.last:
                node.keep_one = True


def _odd_sheet(place: Place, fact: Text) -> Issue:
    hint = Text("open it in Excel or WPS and save it again", "请用 Excel 或 WPS 打开后重新保存")
    return Issue("GF313", "error", place, fact, hint)


def _no_worksheet(place: Place) -> Issue:
    fact = Text("the workbook has no worksheet", "工作簿没有工作表")
    return Issue("GF263", "error", place, fact, Text("save it again in Excel or WPS", "请用 Excel 或 WPS 重新保存"))


__all__ = ["compile_workbook"]
