"""A workbook template made ready: every tag parsed, every formula split, once for all documents.

`compile_workbook` finds all faults of a template in one go. What it gives is never changed by rendering.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gfdocs.engine.language import raise_issues
from gfdocs.engine.package import Member, Package, check_safe_xml, deflate, safe_xml
from gfdocs.engine.reaching import find_reaching_workbook
from gfdocs.engine.xlsx.around.recent import Recent
from gfdocs.engine.xlsx.formulas.references import Formula, Ref, parse_formula, parse_reference, refs_of
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW
from gfdocs.engine.xlsx.rows.heights import Wrap
from gfdocs.engine.xlsx.rows.values import needs_space, write_text
from gfdocs.engine.xlsx.template.layout import Assign, Block, Line, Node, Tag, build_layout, split_tags
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
from gfdocs.engine.xlsx.template.sheet import CellPart, OddSheet, RowPart, SheetPart, escape_text, scan_sheet, to_utf8
from gfdocs.engine.xlsx.template.workbook import (
    SharedText,
    SheetEntry,
    TablePart,
    TextRun,
    Workbook,
    namespace_of,
    read_table,
    read_text_item,
    read_workbook,
)
from gfdocs.errors import Issue, PackageError, Place, TemplateError, Text

if TYPE_CHECKING:
    from gfdocs.engine.template import Options
    from gfdocs.engine.xlsx.back.form import SheetForm

MARKS = ("{{", "{%", "{#")

#: Texts of formulas that a sheet remembers, some 100 bytes each.
_MAX_FORMULAS = 20_000

#: Stands before each run but the first of a rich text while it is rendered, with the run's number: `\x1e1\x1f`.
RUN_MARK = "\x1e"
_RUN_MARKS = re.compile("\x1e[0-9]+\x1f")


def without_runs(text: str) -> str:
    """Return a rich text without the marks of its runs."""
    return _RUN_MARKS.sub("", text) if RUN_MARK in text else text


@lru_cache(maxsize=64)  # a hostile workbook shows one long shared text in every cell
def has_tags(text: str) -> bool:
    return "{" in text and any(mark in text for mark in MARKS)


def formula_has_tags(text: str) -> bool:
    """True where a formula has tags outside the names of sheets (which may have them)."""
    return has_tags(text) and any(isinstance(piece, str) and has_tags(piece) for piece in parse_formula(text))


class StaticCell(NamedTuple):
    """A cell that the data does not touch. `tail` follows `<c r="B7"`; `value` is what formulas see."""

    column: int
    tail: str
    value: Any
    style: str = ""


@dataclass(frozen=True, slots=True)
class ValueCell:
    """A cell with tags. `runs` are the properties of its text runs where it is rich, with RUN_MARK between them in
    the source.
    """

    column: int
    style: str
    program: CellProgram
    runs: tuple[str, ...] = ()
    merges: bool = False
    """`{% vm %}`: equal neighbours of the list, one under the other, become one cell."""


@dataclass(frozen=True, slots=True)
class FormulaCell:
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
    is_hidden: bool = False
    height: float = 0.0
    """The height written in the template, in points; 0 where the row has none."""
    wraps: tuple[Wrap, ...] = ()

    def cell(self, column: int) -> Cell | None:
        return next((cell for cell in self.cells if cell.column == column), None)


@dataclass
class Sheet:
    """A worksheet of the template."""

    entry: SheetEntry
    part: SheetPart
    rows: dict[int, Row]
    row_nodes: list[Node]
    column_nodes: list[Node]
    name_program: CellProgram | None
    sheet_tags: tuple[Tag, ...]
    has_tags: bool
    loops: dict[int, LoopProgram] = field(default_factory=dict)
    conditions: dict[int, ConditionProgram] = field(default_factory=dict)
    assigns: dict[int, AssignProgram] = field(default_factory=dict)
    sheet_programs: dict[int, LoopProgram | ConditionProgram] = field(default_factory=dict)
    """The programs of `{%sheet for … %}` and `{%sheet if … %}`."""
    tables: tuple[TablePart, ...] = ()
    settled_rows: frozenset[int] | None = None
    """The rows that the data cannot change (see `settled`), found when the sheet is written first."""
    settled_texts: Recent[str] = field(default_factory=lambda: Recent(1024))

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
    def last_column(self) -> int:
        """The last column that has a cell; 0 where there is none."""
        return max((row.cells[-1].column for row in self.rows.values() if row.cells), default=0)

    @cached_property
    def merging_cells(self) -> list[tuple[int, ValueCell]]:
        """The cells with `{% vm %}`, each with its row."""
        return [
            (number, cell)
            for number in self.numbers
            for cell in self.rows[number].cells
            if isinstance(cell, ValueCell) and cell.merges
        ]

    @cached_property
    def row_texts(self) -> dict[int, Any]:
        """How rows are written whose columns stand still, filled in as they are written first."""
        return {}

    @cached_property
    def formula_texts(self) -> Recent[dict[tuple[int, int], str]]:
        """What the formulas that stand once become, by where all lines went; of fewer places the more they are."""
        count = sum(isinstance(cell, FormulaCell) for row in self.rows.values() for cell in row.cells)
        return Recent(max(1, min(64, _MAX_FORMULAS // max(1, count))))

    @cached_property
    def references(self) -> frozenset[str]:
        """The sheets that the formulas of this one name (casefolded)."""
        found = set()
        for row in self.rows.values():
            for cell in row.cells:
                if isinstance(cell, FormulaCell):
                    found |= {ref.sheet.casefold() for ref in refs_of(cell.formula) if ref.sheet is not None}
        return frozenset(found)

    @cached_property
    def has_formulas(self) -> bool:
        return any(isinstance(cell, FormulaCell) for row in self.rows.values() for cell in row.cells)


@dataclass
class Compiled:
    """A compiled workbook template."""

    name: str
    workbook: Workbook
    languages: Languages
    sheets: list[Sheet | None]
    issues: tuple[Issue, ...]
    tagged_texts: frozenset[int]
    text_programs: dict[tuple[str, Place], CellProgram] = field(default_factory=dict)

    @property
    def package(self) -> Package:
        return self.workbook.package

    @cached_property
    def forms(self) -> list[SheetForm]:
        """What can be read back, sheet by sheet."""
        from gfdocs.engine.xlsx.back.form import make_forms

        return make_forms(self)

    @cached_property
    def by_name(self) -> dict[str, Sheet]:
        return {sheet.entry.name.casefold(): sheet for sheet in self.sheets if sheet is not None}

    @cached_property
    def touched(self) -> frozenset[int]:
        """The sheets that are written anew: those with tags, and those whose formulas see one of them, however far."""
        touched = {sheet.entry.index for sheet in self.sheets if sheet is not None and sheet.has_tags}
        names = {sheet.entry.index: sheet.entry.name.casefold() for sheet in self.sheets if sheet is not None}
        sees = {sheet.entry.index: self._seen_by(sheet) for sheet in self.sheets if sheet is not None}
        while True:
            more = {i for i, seen in sees.items() if i not in touched and any(names[t] in seen for t in touched)}
            if not more:
                return frozenset(touched)
            touched |= more

    def sheet_sees_touched(self, sheet: Sheet) -> bool:
        """True where a sheet without tags has validations, formats or links that refer to a sheet that changes."""
        names = [entry.entry.name for entry in self.sheets if entry is not None and entry.entry.index in self.touched]
        text = sheet.part.frame.decode("utf-8", "replace")
        if "&" in text:
            from html import unescape

            text = unescape(text)
        tagged_header = has_tags(text)
        links = [f'location="{name.name}"' for name in self.workbook.names]
        return (
            tagged_header or any(name in text and "!" in text for name in names) or any(map(text.__contains__, links))
        )

    @cached_property
    def tagged_parts(self) -> frozenset[str]:
        """The parts besides sheets and shared texts whose texts have tags."""
        from gfdocs.engine.xlsx.around.texts import iter_tagged

        found = set()
        for member in self.package.members:
            name = member.name.casefold()
            if not re.match(r"xl/(drawings/[^/]*\.xml|charts/[^/]*\.xml|comments|threadedcomments/)|docprops/", name):
                continue
            data = member.read()
            if b"{" not in data or not name.endswith(".xml"):
                continue
            root = safe_xml(data, name=self.name, part=member.name)
            if next(iter_tagged(root), None) is not None:
                found.add(member.name)
        return frozenset(found)

    @cached_property
    def _part_texts(self) -> dict[str, str]:
        return {}

    def _text_of(self, part: str) -> str:
        found = self._part_texts.get(part)
        if found is None:
            found = self._part_texts[part] = self.package.read(part).decode("utf-8", "replace")
        return found

    def sees_touched(self, part: str) -> bool:
        """True where a chart names a sheet that changes."""
        text = self._text_of(part)
        return any(
            sheet is not None and sheet.entry.index in self.touched and _attribute_form(sheet.entry.name) in text
            for sheet in self.sheets
        )

    def has_links_to_cells(self, part: str) -> bool:
        return "textlink=" in self._text_of(part)

    @cached_property
    def cleaned_shared_texts(self) -> Member | None:
        """The shared texts with those blanked that hold tags; None where none does."""
        part = self.workbook.find_part("sharedStrings")
        if part is None or not self.tagged_texts:
            return None
        from lxml import etree

        root = safe_xml(self.package.read(part), name=self.name, part=part)
        namespace = namespace_of(root)
        for index, item in enumerate(item for item in root if isinstance(item.tag, str)):
            if index in self.tagged_texts:
                item[:] = [etree.Element(f"{namespace}t")]
        if "count" in root.attrib:
            del root.attrib["count"]
        return deflate(part, etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True))

    def _seen_by(self, sheet: Sheet) -> frozenset[str]:
        """Return the sheets a sheet's formulas see, through defined names too."""
        if not sheet.has_formulas:
            return frozenset()
        texts = [
            part
            for row in sheet.rows.values()
            for cell in row.cells
            if isinstance(cell, FormulaCell)
            for part in cell.formula
            if isinstance(part, str)
        ]
        joined = "\n".join(texts).casefold()
        seen = set(sheet.references)
        for name in self.workbook.names:
            if name.name.casefold() in joined:
                seen |= {ref.sheet.casefold() for ref in refs_of(parse_formula(name.text)) if ref.sheet is not None}
        if "[" in joined or "indirect" in joined or "offset" in joined:
            seen |= set(self.by_name)
        return frozenset(seen)


class _Compiler:
    """Compiles one workbook; faults are gathered, not raised."""

    def __init__(self, workbook: Workbook, languages: Languages) -> None:
        self.workbook = workbook
        self.languages = languages
        self.issues: list[Issue] = []
        self.tagged_texts: set[int] = set()
        self.values = 0  # cells with tags

    def place(self, *path: str) -> Place:
        return Place(self.workbook.package.name, path=path)

    def attempt(self, make: Callable[[], Any]) -> Any:
        """Return what `make` makes; note the issues and return None where it cannot."""
        try:
            return make()
        except TemplateError as fault:
            self.issues += fault.issues
            return None

    def compile_sheet(self, entry: SheetEntry) -> Sheet | None:
        if not entry.is_worksheet:
            return None
        package = self.workbook.package
        data = package.read(entry.part)
        check_safe_xml(data, name=package.name, part=entry.part)
        try:
            part = scan_sheet(to_utf8(data, name=package.name, part=entry.part))
        except OddSheet as fault:
            raise PackageError(_odd_sheet(self.place(entry.name), fault.text)) from fault
        tables = self.read_tables(entry)
        widths = _Widths(part)
        row_lines: list[Line] = []
        column_tags: dict[int, list[Tag]] = {}
        sheet_tags: list[Tag] = []
        rows: dict[int, Row] = {}
        tagged, values_before = False, self.values
        untagged: list[tuple[Cell, ...]] = []
        full_columns: set[int] = set()
        for row_part in part.rows:
            cells, tags = self.compile_row(entry, row_part, part.prefix)
            height, wraps = self.read_height(row_part, cells, widths) if row_part.attributes else (0.0, ())
            number = row_part.number
            rows[number] = Row(number, row_part.attributes, cells, row_part.is_hidden, height, wraps)
            if not tags:
                untagged.append(cells)
                continue
            tagged = True
            row_tags = [tag for _, kind, tag in tags if kind == "tr"]
            for column, kind, tag in tags:
                if kind == "tc":
                    column_tags.setdefault(column, []).append(tag)
                elif kind != "tr":
                    sheet_tags.append(tag)
            content = _find_content(cells, {c for t in tables if t.first <= number <= t.last for c in t.computed})
            full_columns |= content
            is_bare = not content and ({kind for _, kind, _ in tags} in ({"tr"}, {"sheet"}))
            if row_tags or is_bare:
                row_lines.append(Line(number, tuple(row_tags), is_bare))
        if column_tags:
            full_columns |= {column for cells in untagged for column in _find_content(cells)}
        column_lines = [
            Line(column, tuple(tags), column not in full_columns) for column, tags in sorted(column_tags.items())
        ]
        sheet = Sheet(
            entry,
            part,
            rows,
            build_layout(row_lines, MAX_ROW, self.issues.append),
            build_layout(column_lines, MAX_COLUMN, self.issues.append),
            self.compile_name(entry),
            tuple(sheet_tags),
            tagged or self.values > values_before or has_tags(entry.name),
            tables=tables,
        )
        self.keep_tables(sheet)
        self.compile_sheet_tags(sheet)
        self.compile_nodes(sheet, sheet.row_nodes)
        self.compile_nodes(sheet, sheet.column_nodes)
        self.refuse_side_by_side(sheet, sheet.row_nodes)
        return sheet

    def read_tables(self, entry: SheetEntry) -> tuple[TablePart, ...]:
        package = self.workbook.package
        found = [
            read_table(package, relation.target)
            for relation in self.workbook.relations_of(entry.part)
            if relation.type == "table" and relation.target in package
        ]
        return tuple(table for table in found if table is not None)

    def keep_tables(self, sheet: Sheet) -> None:
        """A table must keep a data row: a list that is all of one leaves a blank row where it is empty."""
        for table in sheet.tables:
            for node in sheet.row_nodes:
                if isinstance(node, Block) and node.first <= table.first and table.last <= node.last:
                    node.keep_one = True
            self.refuse_repeated_heading(sheet, table, sheet.row_nodes)
            for node in sheet.column_nodes:
                if isinstance(node, Block) and node.first <= table.column2 and table.column1 <= node.last:
                    self.issues.append(_table_columns(node.branches[0].place))

    def refuse_repeated_heading(self, sheet: Sheet, table: TablePart, nodes: list[Node]) -> None:
        """A table has one heading: a list that repeats its row would make data of the others."""
        row = sheet.rows.get(table.first - 1)
        if row is None or not any(_is_heading(cell, table) for cell in row.cells):
            return
        for node in nodes:
            if not isinstance(node, Block) or not node.first <= row.number <= node.last:
                continue
            if node.kind == "for":
                self.issues.append(_table_heading(node.branches[0].place, table.name))
            for branch in node.branches if node.kind == "if" else ():
                self.refuse_repeated_heading(sheet, table, branch.nodes)

    def compile_name(self, entry: SheetEntry) -> CellProgram | None:
        if not has_tags(entry.name):
            return None
        text, _ = split_tags(entry.name, self.place(entry.name))
        program: CellProgram | None = self.attempt(lambda: compile_cell(self.languages, text, self.place(entry.name)))
        return program

    # -- rows ---------------------------------------------------------------------------------------------------------

    def compile_row(
        self, entry: SheetEntry, row: RowPart, prefix: str
    ) -> tuple[tuple[Cell, ...], list[tuple[int, str, Tag]]]:
        cells: list[Cell] = []
        tags: list[tuple[int, str, Tag]] = []
        for part in row.cells:
            cell = self.compile_cell(entry, part, prefix, tags)
            if cell is not None:
                cells.append(cell)
        return tuple(cells), tags

    def read_height(self, row: RowPart, cells: tuple[Cell, ...], widths: _Widths) -> tuple[float, tuple[Wrap, ...]]:
        """Return a row's own height, and its cells with tags whose text is wrapped in it."""
        match = _HEIGHT.search(row.attributes)
        if match is None:
            return 0.0, ()
        styles = self.workbook.styles
        wraps = [
            Wrap(
                cell.column,
                max(1.0, widths.get(row.number, cell.column) * 11 / styles.font_size(cell.style) - 1.2),
                styles.font_size(cell.style)
                * 1.45,  # stand-in fonts are taller than 宋体, and a cut line is worse than a gap
            )
            for cell in cells
            if isinstance(cell, ValueCell) and styles.is_wrapped(cell.style)
        ]
        return float(match[1]), tuple(wraps)

    def compile_cell(
        self, entry: SheetEntry, part: CellPart, prefix: str, tags: list[tuple[int, str, Tag]]
    ) -> Cell | None:
        if part.formula is not None:
            return self.compile_formula(entry, part)
        text = self.text_of(part) if part.kind else None
        if text is None or not has_tags(text.text):
            return StaticCell(part.column, static_tail(part, prefix), self.value_of(part, text), part.style)
        if part.kind == "s":
            self.tagged_texts.add(int(part.value or 0))
        place = self.place(f"{entry.name}!{part.name}")
        return self.compile_text(part, text, place, prefix, tags)

    def compile_text(
        self, part: CellPart, text: SharedText, place: Place, prefix: str, tags: list[tuple[int, str, Tag]]
    ) -> Cell | None:
        runs = join_tags(text.runs)
        source = text.text
        if len(runs) > 1:
            source = runs[0].text + "".join(f"{RUN_MARK}{i}\x1f{run.text}" for i, run in enumerate(runs[1:], 1))
        merges = _VERTICAL_MERGE.search(source) is not None
        rest, found = split_tags(_VERTICAL_MERGE.sub("", source) if merges else source, place)
        for kind, kind_tags in found.items():
            tags += [(part.column, kind, Tag(tag.word, tag.source, tag.place, part.column)) for tag in kind_tags]
        if not without_runs(rest).strip():
            return StaticCell(part.column, empty_tail(part.style), None, part.style)
        if not has_tags(rest):
            return self.plain_cell(part, without_runs(rest), prefix)
        program = self.attempt(lambda: compile_cell(self.languages, rest, place))
        if program is None:
            return None
        properties = tuple(run.properties for run in runs) if RUN_MARK in rest else ()
        self.values += 1
        return ValueCell(part.column, part.style, program, properties, merges)

    def plain_cell(self, part: CellPart, text: str, prefix: str) -> StaticCell:
        """A cell whose line tags were taken out and that has fixed text left."""
        space = ' xml:space="preserve"' if needs_space(text) else ""
        style = f' s="{part.style}"' if part.style else ""
        p = prefix
        tail = f'{style} t="inlineStr"><{p}is><{p}t{space}>{write_text(text)}</{p}t></{p}is></{p}c>'
        return StaticCell(part.column, tail, text, part.style)

    def compile_formula(self, entry: SheetEntry, part: CellPart) -> Cell:
        assert part.formula is not None
        text = part.formula.text
        if formula_has_tags(text):
            self.issues.append(
                Issue(
                    "GF261",
                    "error",
                    self.place(f"{entry.name}!{part.name}"),
                    Text("a tag stands inside a formula", "公式中含有标签"),
                    Text("put the tag into a cell of its own and refer to that cell", "请把标签放在单独的单元格，再在公式中引用"),
                )
            )  # fmt: skip
        ref = parse_reference(part.formula.ref) if part.formula.ref else None
        subtotal = "SUBTOTAL(" in text.upper() or "AGGREGATE(" in text.upper()
        return FormulaCell(
            part.column,
            part.style,
            text,
            parse_formula(text),
            part.formula.kind,
            ref,
            part.formula.extra,
            part.extra,
            subtotal,
            None if part.kind == "s" else self.value_of(part, self.text_of(part)),
        )

    def text_of(self, part: CellPart) -> SharedText | None:
        if part.kind == "s":
            texts = self.workbook.shared_texts
            value = (part.value or "0").strip()
            if not (value.isascii() and value.isdigit() and len(value) < 10):
                fact = Text(f"{part.name} points to no text: {value[:20]!r}", f"{part.name} 指向不存在的共享字符串")
                raise PackageError(_odd_sheet(self.place(part.name), fact))
            index = int(value)
            return texts[index] if index < len(texts) else SharedText("")
        if part.kind == "inlineStr" and part.inline:
            from lxml import etree

            wrapped = _unprefixed(part.inline)
            return read_text_item(etree.fromstring(wrapped.encode()))
        if part.kind == "str":
            return SharedText(part.value or "")
        return None

    def value_of(self, part: CellPart, text: SharedText | None) -> Any:
        """Return what a formula sees in a static cell."""
        if text is not None:
            return text.text or (None if part.kind != "s" else "")
        if part.value is None or part.value == "":
            return None
        if part.kind == "b":
            return part.value in ("1", "true")
        if part.kind == "e":
            from gfdocs.engine.xlsx.formulas.values import CellError

            return CellError(part.value)
        try:
            number = float(part.value)
        except ValueError:
            return part.value
        return int(number) if number.is_integer() and abs(number) < 1e15 else number

    # -- blocks -------------------------------------------------------------------------------------------------------

    def compile_nodes(self, sheet: Sheet, nodes: list[Node]) -> None:
        for node in nodes:
            if isinstance(node, Assign):
                program = self.attempt(partial(compile_assign, self.languages, node.source, node.place))
                if program is not None:
                    sheet.assigns[id(node)] = program
            elif isinstance(node, Block):
                for branch in node.branches:
                    self.compile_branch(sheet, branch)
                    self.compile_nodes(sheet, branch.nodes)

    def compile_sheet_tags(self, sheet: Sheet) -> None:
        for tag in sheet.sheet_tags:
            if tag.word in ("for", "if"):
                make: Callable[..., Any] = compile_loop if tag.word == "for" else compile_condition
                program = self.attempt(partial(make, self.languages, tag.source, tag.place))
                if program is not None:
                    sheet.sheet_programs[id(tag)] = program
            elif tag.word not in ("endfor", "endif"):
                self.issues.append(_odd_sheet_tag(tag))

    def compile_branch(self, sheet: Sheet, branch: Any) -> None:
        if branch.word == "for":
            loop = self.attempt(lambda: compile_loop(self.languages, branch.source, branch.place))
            if loop is not None:
                sheet.loops[id(branch)] = loop
        elif branch.word in ("if", "elif"):
            condition = self.attempt(lambda: compile_condition(self.languages, branch.source, branch.place))
            if condition is not None:
                sheet.conditions[id(branch)] = condition

    def refuse_side_by_side(self, sheet: Sheet, nodes: list[Node], outer: Block | None = None) -> None:
        """Two lists beside one another, both over rows, would multiply: refused with both places."""
        from jinja2 import nodes as jinja

        for node in nodes:
            if not isinstance(node, Block):
                continue
            loop = sheet.loops.get(id(node.branches[0]))
            if outer is not None and loop is not None and outer.kind == "for":
                surrounding = sheet.loops.get(id(outer.branches[0]))
                beside = node.first == outer.first and node.last == outer.last and node.column != outer.column
                used = {name.name for name in loop.tree.find_all(jinja.Name) if name.ctx == "load"}
                if beside and surrounding is not None and not used & {*surrounding.names, "loop"}:
                    self.issues.append(_side_by_side(loop.place, surrounding.place))
            for branch in node.branches:
                self.refuse_side_by_side(sheet, branch.nodes, node)


_HEIGHT = re.compile(r' ht="([0-9.]+)"')
_VERTICAL_MERGE = re.compile(r"\{%[-+]?\s*vm\s*[-+]?%\}")


class _Widths:
    """Column widths of a sheet in Latin characters, merged cells as wide as all their columns."""

    def __init__(self, part: SheetPart) -> None:
        self.part = part

    @cached_property
    def found(self) -> tuple[dict[int, float], float, dict[tuple[int, int], int]]:
        from lxml import etree

        from gfdocs.engine.xlsx.around.mapping import read_rectangle

        root = etree.fromstring(
            self.part.frame, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        )
        widths: dict[int, float] = {}
        default, merged = 8.43, {}
        for element in root.iter("{*}sheetFormatPr"):
            default = float(element.get("defaultColWidth") or default)
        for element in root.iter("{*}col"):
            if element.get("width"):
                last = min(int(element.get("max", "1")), 1000)
                widths |= dict.fromkeys(
                    range(int(element.get("min", "1")), last + 1), float(element.get("width", "8.43"))
                )
        for element in root.iter("{*}mergeCell"):
            if (box := read_rectangle(element.get("ref", ""))) is not None:
                merged[box.row1, box.column1] = box.column2
        return widths, default, merged

    def get(self, row: int, column: int) -> float:
        widths, default, merged = self.found
        last = merged.get((row, column), column)
        return sum(widths.get(number, default) for number in range(column, min(last, column + 500) + 1))


def _attribute_form(name: str) -> str:
    """Return a sheet's name as it stands in XML texts, quotes doubled as in references."""
    return name.replace("'", "''").replace("&", "&amp;").replace("<", "&lt;")


def _odd_sheet(place: Place, fact: Text) -> Issue:
    hint = Text("open it in Excel or WPS and save it again", "请用 Excel 或 WPS 打开后重新保存")
    return Issue("GF313", "error", place, fact, hint)


def _odd_sheet_tag(tag: Tag) -> Issue:
    return Issue(
        "GF260",
        "error",
        tag.place,
        Text(f"unknown tag {tag.word!r} for a sheet", f"工作表不支持标签 {tag.word!r}"),
        Text("write {%sheet for item in items %} or {%sheet if … %}", "可用：{%sheet for item in items %}、{%sheet if … %}"),
    )  # fmt: skip


def _side_by_side(place: Place, other: Place) -> Issue:
    return Issue(
        "GF262",
        "error",
        place,
        Text("two lists stand side by side in the same rows", "同一行内有两个并排的列表"),
        Text("put one list below the other, or join them in the data", "请把两个列表上下排列，或先在数据中合并"),
        (other,),
    )


def _is_heading(cell: Cell, table: TablePart) -> bool:
    return isinstance(cell, StaticCell) and table.columns.get(str(cell.value).casefold()) == cell.column


def _table_heading(place: Place, table: str) -> Issue:
    return Issue(
        "GF278",
        "error",
        place,
        Text(f"the list repeats the heading of the table {table!r}", f"列表把表格“{table}”的标题行也重复了"),
        Text("begin the list below the heading, or turn the table into a plain range", "请从标题行的下一行开始列表，或将表格转换为普通区域"),
    )  # fmt: skip


def _table_columns(place: Place) -> Issue:
    return Issue(
        "GF269",
        "error",
        place,
        Text("columns cannot repeat inside an Excel table", "Excel 表格（ListObject）内不能按列循环"),
        Text("turn the table into a plain range first (Table › Convert to Range)", "请先将表格转换为普通区域"),
    )


def _find_content(cells: tuple[Cell, ...], computed: Container[int] = ()) -> set[int]:
    """Return the columns of the cells with something in them; formulas that a table computes are none."""
    return {c.column for c in cells if not (_is_empty(c) or (isinstance(c, FormulaCell) and c.column in computed))}


def _is_empty(cell: Cell) -> bool:
    return isinstance(cell, StaticCell) and (cell.value is None or cell.value == "")


def _unprefixed(inline: str) -> str:
    """Return an `<is>` element without a namespace prefix, to be parsed alone."""
    return re.sub(r"(</?)[A-Za-z_][\w.-]*:", r"\1", inline).replace("xml:space", "space").replace(" x14ac:", " ")


def empty_tail(style: str) -> str:
    return f' s="{style}"/>' if style else "/>"


def static_tail(part: CellPart, prefix: str) -> str:
    """Return what follows `<c r="B7"` of a cell that stays as it is."""
    style = f' s="{part.style}"' if part.style else ""
    kind = f' t="{part.kind}"' if part.kind else ""
    text = part.value
    if text is None and not part.inline:
        return f"{style}{part.extra}/>"
    value = f"<{prefix}v>{text if text.isalnum() else escape_text(text)}</{prefix}v>" if text is not None else ""
    return f"{style}{kind}{part.extra}>{value}{part.inline}</{prefix}c>"


def join_tags(runs: tuple[TextRun, ...]) -> tuple[TextRun, ...]:
    """Join the runs that a tag is split over: the whole tag goes to the run it begins in."""
    joined: list[TextRun] = []
    open_text = False
    for run in runs:
        if open_text and joined:
            before = joined[-1]
            end = _end_of_tag(before.text + run.text, len(before.text))
            taken = end - len(before.text)
            joined[-1] = TextRun(before.text + run.text[:taken], before.properties)
            open_text = _is_open(joined[-1].text)
            if run.text[taken:]:
                joined.append(TextRun(run.text[taken:], run.properties))
                open_text = _is_open(run.text[taken:])
        else:
            joined.append(run)
            open_text = _is_open(run.text)
    return tuple(joined)


_PAIRS = {"{{": "}}", "{%": "%}", "{#": "#}"}


def _is_open(text: str) -> bool:
    """True where a tag begins in the text and does not end in it (a lone `{` at the end counts)."""
    at = 0
    while True:
        starts = [(text.find(mark, at), mark) for mark in MARKS if text.find(mark, at) >= 0]
        if not starts:
            return text.endswith("{") and not text.endswith("{{")
        start, mark = min(starts)
        end = text.find(_PAIRS[mark], start + 2)
        if end < 0:
            return True
        at = end + 2


def _end_of_tag(text: str, minimum: int) -> int:
    """Return how much of the text the tag that is open before `minimum` takes; all of it where it does not end."""
    at = 0
    while True:
        starts = [(text.find(mark, at), mark) for mark in MARKS if text.find(mark, at) >= 0]
        if not starts:
            return minimum
        start, mark = min(starts)
        if start >= minimum:
            return minimum
        end = text.find(_PAIRS[mark], start + 2)
        if end < 0:
            return len(text)
        at = end + 2
        if at > minimum:
            return at


def iter_cells(sheet: Sheet) -> Iterator[tuple[Row, Cell]]:
    for number in sheet.numbers:
        row = sheet.rows[number]
        for cell in row.cells:
            yield row, cell


def compile_workbook(package: Package, *, options: Options) -> Compiled:
    """Return the compiled template; TemplateError with all of its faults."""
    workbook = read_workbook(package)
    languages = Languages(make_language(options))
    compiler = _Compiler(workbook, languages)
    sheets = [compiler.compile_sheet(entry) for entry in workbook.sheets]
    if not any(sheets):
        compiler.issues.append(
            Issue(
                "GF263",
                "error",
                compiler.place(),
                Text("the workbook has no worksheet", "工作簿没有工作表"),
                Text("save it again in Excel or WPS", "请用 Excel 或 WPS 重新保存"),
            )
        )
    compiled = Compiled(package.name, workbook, languages, sheets, (), frozenset(compiler.tagged_texts))
    _compile_other_texts(compiler, compiled)
    raise_issues(issue for issue in compiler.issues if issue.severity == "error")
    reaching = find_reaching_workbook(package, {entry.part: entry.name for entry in workbook.sheets})
    compiled.issues = (*compiler.issues, *reaching)
    return compiled


def _compile_other_texts(compiler: _Compiler, compiled: Compiled) -> None:
    """Compile the tags of headers, text boxes, charts, comments, links and names, so that their faults are found at
    once.
    """
    from gfdocs.engine.xlsx.around.texts import find_hanging_texts, find_part_sources, get_program

    hanging = (
        text[1:] for sheet in compiled.sheets if sheet is not None for text in find_hanging_texts(compiled, sheet)
    )
    for source, place in (*find_part_sources(compiled), *hanging):
        compiler.attempt(partial(get_program, compiled, source, place))


__all__ = ["Compiled", "FormulaCell", "Row", "Sheet", "StaticCell", "ValueCell", "compile_workbook"]
