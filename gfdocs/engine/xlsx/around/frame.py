"""What surrounds the rows of a worksheet: views, columns, merges, filters, formats, validations, links, breaks,
headers, extensions.

`compile_frame` reads the frame of a template once and cuts out of it what can differ from one filled sheet to the next
(see `stencil`); `write_frame` fills in where its lines went.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from gfdocs.engine.language import Unfit, check_characters
from gfdocs.engine.xlsx.around.drawings import add_drawing_element
from gfdocs.engine.xlsx.around.mapping import Mapper, Rectangle, read_rectangle
from gfdocs.engine.xlsx.around.stencil import (
    Choice,
    Copies,
    Holder,
    Marker,
    Piece,
    Values,
    escape_content,
    write_pieces,
)
from gfdocs.engine.xlsx.around.texts import render_header
from gfdocs.engine.xlsx.formulas.references import letter, parse_formula, refs_of
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault, Site, formula_text
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, Path
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.memory import Recent, find_places
from gfdocs.engine.xlsx.template.compiled import Compiled, Sheet
from gfdocs.engine.xlsx.template.links import LINK_TEXTS, is_tagged
from gfdocs.engine.xlsx.template.programs import CellProgram, Scope, compile_cell
from gfdocs.engine.xlsx.template.sheet import escape_attribute
from gfdocs.engine.xlsx.template.tags import has_tags
from gfdocs.engine.xlsx.template.texts import MAX_WORD_LIST, VALIDATION_TEXTS, is_word_list, place_of_validation
from gfdocs.engine.xlsx.template.workbook import child, children, local_name
from gfdocs.errors import Issue, Place, Text

_MAX_BREAKS = 1026
_SAFE_LINK = re.compile(r"(?i)(https?|ftp)://|mailto:|tel:")
_MAX_LINK_TEXT = 255
_MAX_REMEMBERED = 65_536  # bytes
_MAX_WIDE = 2000  # a column that reaches this far stands for all that follow

#: Elements that the schema takes only with something in them.
_HOLDERS = {"dataValidations", "hyperlinks", "protectedRanges", "ignoredErrors", "sparklines", "sparklineGroup",
            "sparklineGroups", "conditionalFormattings", "cellWatches"}  # fmt: skip
_HOLLOW = {"conditionalFormatting", "rowBreaks", "colBreaks"}


Written = tuple[bytes, bytes]
"""What stands before the rows of an output sheet, and what stands after them."""


@dataclass(frozen=True)
class Frame:
    """The compiled frame of a worksheet.

    `sees_data`: the data themselves stand in it, not only where the lines went. `sees_sheets`: its formulas name
    sheets, so that it also differs by where their lines went.
    """

    head: tuple[Piece, ...]
    tail: tuple[Piece, ...]
    sees_data: bool
    sees_sheets: bool
    written: Recent[Written] = field(default_factory=Recent)

    def find_key(self, grid: Grid) -> Hashable | None:
        """Return what the written frame of a sheet depends on; None where that is the data, or too much."""
        if self.sees_data or grid.extra_merges or grid.drawing_relation is not None:
            return None
        if not self.sees_sheets:
            places = find_places([grid])
            return None if places is None else (places, grid.is_copy)
        places = find_places(grid.context.grids)
        names = tuple((seen.name, seen is grid) for seen in grid.context.grids)
        return None if places is None else (places, names)


class FrameWriter:
    """What the slots of a frame are given: one sheet of the output."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.mapper = Mapper(grid)
        self.is_faulty = False

    def report(self, name: str, fault: FormulaFault) -> None:
        """Note that a formula of an element `name` cannot follow its list."""
        self.is_faulty = True
        place = Place(self.grid.context.compiled.name, path=(self.grid.sheet.entry.name, name))
        self.grid.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))


def write_frame(frame: Frame, grid: Grid) -> Written:
    """Return the frame of an output sheet."""
    key = frame.find_key(grid)
    made = frame.written.get(key) if key is not None else None
    if made is None:
        writer = FrameWriter(grid)
        made = (_write_pieces(frame.head, writer), _write_pieces(frame.tail, writer))
        if key is not None and not writer.is_faulty and len(made[1]) <= _MAX_REMEMBERED:
            frame.written.set(key, made)
    return made


def _write_pieces(pieces: tuple[Piece, ...], writer: FrameWriter) -> bytes:
    out: list[str] = []
    write_pieces(pieces, (), writer, out)
    return "".join(out).encode()


def compile_frame(compiled: Compiled, sheet: Sheet, links: Mapping[str, CellProgram]) -> Frame:
    """Return the compiled frame of a sheet. links: the programs of the addresses that have tags, by relation."""
    from lxml import etree

    part = sheet.part
    root = etree.fromstring(part.frame, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    marker = _FrameMarker(compiled, sheet, root, links)
    marker.mark()
    text = marker.to_text()
    head, found, tail = text.partition(part.marker.decode())
    open_tag, close_tag = (f"<{part.prefix}sheetData>", f"</{part.prefix}sheetData>") if found else ("", "")
    return Frame((*marker.cut(head), open_tag), (close_tag, *marker.cut(tail)), marker.sees_data, marker.sees_sheets)


# -- what the slots do, each once for an output sheet ------------------------------------------------------------------

Give = Callable[[FrameWriter], Sequence[Values]]


@dataclass(frozen=True, slots=True)
class _Formula:
    """A formula that is read relative to the first cell of an area."""

    text: str
    boxes: tuple[Rectangle, ...]
    escape: Callable[[str], str]

    def write(self, writer: FrameWriter) -> str:
        return self.escape(writer.mapper.anchored_formula(self.text, self.boxes))


@dataclass(frozen=True, slots=True)
class _Words:
    """A text of a validation that has tags: what it tells, or the list of words to choose from (in quotes)."""

    program: CellProgram
    limit: int
    is_list: bool

    def write(self, writer: FrameWriter) -> str:
        grid = writer.grid
        quotes = 2 if self.is_list else 0
        text = _fill_text(grid, self.program, grid.scope, self.limit + quotes, Text("a validation", "数据验证"))
        if not self.is_list:
            return escape_attribute(text)
        words = text.removeprefix('"').removesuffix('"').replace('""', '"')
        return escape_content('"' + words.replace('"', '""') + '"')


@dataclass(frozen=True, slots=True)
class _Rule:
    """`conditionalFormatting`, `dataValidation`: an area, and formulas that are read relative to its first cell."""

    area: str
    formulas: tuple[_Formula | _Words, ...]
    escape: Callable[[str], str]

    def give(self, writer: FrameWriter) -> Sequence[Values]:
        area = writer.mapper.sqref(self.area)
        if not area:
            return ()
        return ([self.escape(area), *[formula.write(writer) for formula in self.formulas]],)


@dataclass(frozen=True, slots=True)
class _Link:
    """`hyperlink`: its cells, the place in the workbook it leads to, the address and the texts of it that have tags."""

    ref: str
    location: str
    target: CellProgram | None
    texts: tuple[CellProgram, ...]

    def give(self, writer: FrameWriter) -> Sequence[Values]:
        location = writer.mapper.link_location(self.location) if self.location else ""
        if self.location and not location:
            return ()  # the sheet it leads to was left out
        where = (escape_attribute(location),) if self.location else ()
        if self.target is None and not self.texts:
            return [(escape_attribute(area), *where) for area in writer.mapper.areas(self.ref)]
        return list(self._give_each(writer, where))

    def _give_each(self, writer: FrameWriter, where: tuple[str, ...]) -> Iterator[Values]:
        """Yield each cell that has a link of its own, with the id of its relation and its texts."""
        for cell, rows, _ in writer.mapper.cells(self.ref.partition(":")[0]):
            relation = _relate_link(writer.grid, self.target, rows) if self.target is not None else None
            if relation != "":
                scope = writer.grid.scope_at(rows)
                texts = [
                    escape_attribute(_fill_text(writer.grid, program, scope, _MAX_LINK_TEXT, Text("a link", "链接")))
                    for program in self.texts
                ]
                yield (cell, *([relation] if relation is not None else ()), *where, *texts)


def _relate_link(grid: Grid, program: CellProgram, rows: Path) -> str:
    """Return the relation id of the link that one place has; empty where the data give none (or none that is safe)."""
    scope = grid.scope_at(rows)
    try:
        target = str(program.get_value(scope, grid.context.missing) or "")
        check_characters(target)
    except Exception as fault:
        grid.report(program, fault, scope)
        return ""
    if not target:
        return ""
    if not _SAFE_LINK.match(target):
        fact = Text(f"a link to {target!r}", f"链接目标“{target}”不被允许")
        hint = Text("http, https, mailto and tel are allowed", "只允许 http、https、mailto、tel")
        grid.context.report(Issue("GF271", "error", program.place, fact, hint))
        return ""
    grid.links.append((f"rIdLink{len(grid.links) + 1}", target))
    return grid.links[-1][0]


def _fill_text(grid: Grid, program: CellProgram, scope: Scope, limit: int, what: Text) -> str:
    """Return a filled text; what is wrong with it, or that it is longer than `what` may have, is reported."""
    try:
        value = program.get_value(scope, grid.context.missing)
        text = check_characters("" if value is None else str(value))
        if len(text) > limit:
            raise Unfit(
                f"a text of {len(text):,} characters, {what} may have {limit}",
                f"文字长 {len(text):,} 字符，{what.zh}上限 {limit}",
            )
    except Exception as fault:
        grid.context.report(program.describe(fault, scope))
        return ""
    return text


@dataclass(frozen=True, slots=True)
class _Sparkline:
    """`sparkline`: the cell it stands in, the cells it draws; one in each turn of a list."""

    cell: str
    data: str | None

    def give(self, writer: FrameWriter) -> Sequence[Values]:
        copies: list[Values] = []
        for cell, rows, columns in writer.mapper.cells(self.cell):
            if self.data is None:
                copies.append((cell,))
            else:
                site = Site(writer.grid.context, writer.grid, rows, columns)
                copies.append((cell, escape_content(formula_text(parse_formula(self.data), site))))
        return copies


@dataclass(frozen=True, slots=True)
class _Anchor:
    """`from` and `to` of a control: the lines (counting from 0) of its corners, row and column; None where it has none."""

    rows: tuple[int | None, int | None]
    columns: tuple[int | None, int | None]

    def give(self, writer: FrameWriter) -> Sequence[Values]:
        found: list[str] = []
        for (begin, end), position in (
            (self.rows, writer.mapper.row_position),
            (self.columns, writer.mapper.column_position),
        ):
            if begin is not None:
                new = position(begin + 1) - 1
                found.append(str(new))
                if end is not None:
                    found.append(str(end + new - begin))
        return (found,)


@dataclass(frozen=True, slots=True)
class _Columns:
    """`cols`, where columns repeat: which of its columns each template column has, and which stands for the rest."""

    by_number: dict[int, int]
    rest: int | None

    def choose(self, writer: FrameWriter) -> tuple[Values, list[tuple[int, Values]]]:
        outputs = {column.out: column.template for column in writer.grid.output_columns}
        last = max(outputs, default=0)
        chosen: list[tuple[int, Values]] = []
        for out in range(1, last + 1):
            index = self.by_number.get(outputs.get(out, 0))
            if index is not None:
                chosen.append((index, (str(out), str(out))))
        if self.rest is not None and last < MAX_COLUMN:
            chosen.append((self.rest, (str(last + 1), str(MAX_COLUMN))))
        return (), chosen


@dataclass(frozen=True, slots=True)
class _Breaks:
    """`rowBreaks`, `colBreaks`: the template lines after which a page breaks, and which of them were set by hand."""

    lines: tuple[int, ...]
    manual: tuple[bool, ...]
    is_column: bool

    def choose(self, writer: FrameWriter) -> tuple[Values, list[tuple[int, Values]]]:
        found: dict[int, int] = {}
        for index, line in enumerate(self.lines):
            for out in writer.mapper.breaks(line, is_column=self.is_column):
                found.setdefault(out, index)
        chosen: list[tuple[int, Values]] = [(found[out], (str(out),)) for out in sorted(found)[:_MAX_BREAKS]]
        return (str(len(chosen)), str(sum(self.manual[index] for index, _ in chosen))), chosen


@dataclass(slots=True)
class _Merges:
    """`mergeCells`: those of the template, each where it went, and those that `{% vm %}` made."""

    refs: tuple[str, ...]
    prefix: str
    pieces: tuple[Piece, ...] = ()

    def write(self, writer: FrameWriter, out: list[str]) -> int:
        merges = [found for ref in self.refs for found in writer.mapper.merges(ref)]
        merges += writer.grid.extra_merges
        if not merges:
            return 0
        prefix = self.prefix
        out.append(f'<{prefix}mergeCells count="{len(merges)}">')
        out += [f'<{prefix}mergeCell ref="{ref}"/>' for ref in merges]
        out.append(f"</{prefix}mergeCells>")
        return 1


def _give_dimension(writer: FrameWriter) -> Sequence[Values]:
    grid = writer.grid
    numbers = grid.sheet.numbers
    if not grid.last_row:
        return (("A1",),)
    first = next((a for a, _ in grid.rows.image(numbers[0], numbers[-1])), 1) if numbers else 1
    last = grid.output_columns.last
    return ((f"A{first}:{letter(last)}{max(grid.last_row, first)}",),)


def _give_split(splits: tuple[tuple[str, int], ...], box: Rectangle | None, writer: FrameWriter) -> Sequence[Values]:
    """Return where a frozen pane ends: after the last of the lines that it held."""
    found = []
    for axis, count in splits:
        runs = (writer.mapper.rows if axis == "ySplit" else writer.mapper.columns)(1, count)
        found.append(str(runs[-1][1] if runs else 0))
    return ([*found, writer.mapper.find_cell(box)],)


def _give_cell(box: Rectangle | None, writer: FrameWriter) -> Sequence[Values]:
    return ((writer.mapper.find_cell(box),),)


def _give_view(box: Rectangle | None, is_selected: bool, writer: FrameWriter) -> Sequence[Values]:
    """Return the first cell shown and whether the sheet is selected: a copy is not, or one would type into both."""
    return ([writer.mapper.find_cell(box), str(int(is_selected and not writer.grid.is_copy))],)


def _give_area(text: str, writer: FrameWriter) -> Sequence[Values]:
    area = writer.mapper.sqref(text)
    return ((escape_attribute(area),),) if area else ()


def _give_hull(text: str, writer: FrameWriter) -> Sequence[Values]:
    hull = writer.mapper.hull(text)
    return ((escape_attribute(hull),),) if hull else ()


def _give_headers(headers: tuple[tuple[str, str], ...], writer: FrameWriter) -> Sequence[Values]:
    return ([escape_content(render_header(writer.grid, text, name)) for name, text in headers],)


def _give_drawing(writer: FrameWriter) -> Sequence[Values]:
    relation = writer.grid.drawing_relation
    return ((relation,),) if relation is not None else ()


def _guarded(name: str, give: Give, writer: FrameWriter) -> Sequence[Values]:
    try:
        return give(writer)
    except FormulaFault as fault:
        writer.report(name, fault)
        return ()


# -- what is marked ----------------------------------------------------------------------------------------------------


class _FrameMarker(Marker):
    """Marks what can change in one frame."""

    def __init__(self, compiled: Compiled, sheet: Sheet, root: Any, links: Mapping[str, CellProgram]) -> None:
        super().__init__(root)
        self.compiled = compiled
        self.sheet = sheet
        self.moves = sheet.moves_rows or sheet.moves_columns
        self.links = links
        self.held: set[Any] = set()
        self.sees_data = False
        self.sees_sheets = False
        self.markers: dict[str, Callable[[Any], None]] = {
            "conditionalFormatting": self.mark_formatting,
            "dataValidation": self.mark_validation,
            "sparkline": self.mark_sparkline,
            "hyperlink": self.mark_hyperlink,
            "headerFooter": self.mark_headers,
            "sheetView": self.mark_view,
        } | dict.fromkeys(_HOLDERS, self.mark_holder)
        if self.moves:
            self.markers |= {
                "dimension": self.mark_dimension,
                "customSheetView": partial(self.mark_cell, key="topLeftCell"),
                "pane": self.mark_pane,
                "selection": self.mark_selection,
                "autoFilter": self.mark_ref,
                "sortState": self.mark_ref,
                "sortCondition": self.mark_ref,
                "protectedRange": self.mark_area,
                "ignoredError": self.mark_area,
                "rowBreaks": self.mark_breaks,
                "colBreaks": self.mark_breaks,
                "inputCells": partial(self.mark_cell, key="r"),
                "cellWatch": partial(self.mark_cell, key="r"),
                "anchor": self.mark_anchor,
            }
        if sheet.moves_columns:
            self.markers["cols"] = self.mark_columns

    def mark(self) -> None:
        self._drop_hollow()
        self.mark_merges()
        self.mark_drawing()
        for element in list(self.root.iter()):
            marker = self.markers.get(local_name(element))
            if marker is not None:
                marker(element)

    def _drop_hollow(self) -> None:
        """Remove elements that hold nothing in the template itself."""
        for element in list(self.root.iter()):
            if local_name(element) in _HOLLOW and not any(map(local_name, element)):
                element.getparent().remove(element)

    def note(self, formula: str) -> None:
        """Note whether a formula that moves names sheets."""
        self.sees_sheets = self.sees_sheets or "!" in formula

    def copies(self, element: Any, give: Give) -> None:
        self.slot(element, Copies(partial(_guarded, local_name(element), give)))

    def mark_merges(self) -> None:
        """Mark the merges, or the place where the schema wants them."""
        from lxml import etree

        element = child(self.root, "mergeCells")
        refs: tuple[str, ...] = ()
        place = etree.ProcessingInstruction("gfdocs-merges")
        if element is not None:
            refs = tuple(merge.get("ref", "") for merge in children(element, "mergeCell"))
            self.root.replace(element, place)
        else:
            _place_after_data(self.root, place)
        self.slot(place, _Merges(refs, self.sheet.part.prefix))
        self.root.remove(place)

    def mark_drawing(self) -> None:
        """Mark where a drawing goes if the data have pictures and the sheet has none."""
        self.copies(add_drawing_element(self.root, self.hole(0)), _give_drawing)

    def mark_holder(self, element: Any) -> None:
        name = local_name(element)
        needed = "sparklines" if name == "sparklineGroup" else None
        if name == "dataValidations" and element.get("count"):
            element.set("count", self.hole(0))
        self.slot(element, Holder(_count_children(element, needed)))
        self._mark_extension(element.getparent())

    def _mark_extension(self, parent: Any) -> None:
        """An extension goes with what it holds, and the last of them with its list."""
        if local_name(parent) != "ext" or parent in self.held:
            return
        self.held.add(parent)
        self.slot(parent, Holder(_count_children(parent), is_strict=True))
        holder = parent.getparent()
        if holder not in self.held and holder.getparent() is not None:
            self.held.add(holder)
            self.slot(holder, Holder(_count_children(holder)))

    # -- one element each ---------------------------------------------------------------------------------------------

    def mark_dimension(self, element: Any) -> None:
        element.set("ref", self.hole(0))
        self.copies(element, _give_dimension)

    def mark_cell(self, element: Any, *, key: str) -> None:
        if element.get(key):
            box = read_rectangle(element.get(key))
            element.set(key, self.hole(0))
            self.copies(element, partial(_give_cell, box))

    def mark_view(self, element: Any) -> None:
        """Mark the cell at the corner of the window where lines move, the selection where the sheet may be copied."""
        corner = element.get("topLeftCell") if self.moves else None
        selected = element.get("tabSelected") if self.sheet.sheet_tags else None
        if corner:
            element.set("topLeftCell", self.hole(0))
        if selected:
            element.set("tabSelected", self.hole(1))
        if corner or selected:
            box = read_rectangle(corner) if corner else None
            self.copies(element, partial(_give_view, box, selected in ("1", "true")))

    def mark_pane(self, element: Any) -> None:
        if element.get("state") not in ("frozen", "frozenSplit"):
            return
        splits: list[tuple[str, int]] = []
        for key in ("ySplit", "xSplit"):
            split = element.get(key)
            if split and float(split) >= 1:
                element.set(key, self.hole(len(splits)))
                splits.append((key, int(float(split))))
        box = read_rectangle(element.get("topLeftCell") or "A1")
        if element.get("topLeftCell"):
            element.set("topLeftCell", self.hole(len(splits)))
        self.copies(element, partial(_give_split, tuple(splits), box))

    def mark_selection(self, element: Any) -> None:
        box = read_rectangle(element.get("activeCell") or "A1")
        element.set("activeCell", self.hole(0))
        element.set("sqref", self.hole(0))
        element.attrib.pop("activeCellId", None)
        self.copies(element, partial(_give_cell, box))

    def mark_columns(self, element: Any) -> None:
        by_number: dict[int, int] = {}
        columns = children(element, "col")
        _keep_only(element, "col")
        rest = None
        for index, column in enumerate(columns):
            first, last = int(column.get("min", 1)), int(column.get("max", 1))
            by_number |= dict.fromkeys(range(first, min(last, _MAX_WIDE) + 1), index)
            if rest is None and last >= _MAX_WIDE:
                rest = index
            column.set("min", self.hole(0))
            column.set("max", self.hole(1))
            self.slot(column, Copies(lambda _: ()))
        self.slot(element, Choice(_Columns(by_number, rest).choose))

    def mark_breaks(self, element: Any) -> None:
        breaks = children(element, "brk")
        _keep_only(element, "brk")
        lines = tuple(int(item.get("id", 0)) for item in breaks)
        manual = tuple(item.get("man") in ("1", "true") for item in breaks)
        for item in breaks:
            item.set("id", self.hole(0))
            self.slot(item, Copies(lambda _: ()))
        element.set("count", self.hole(0))
        element.set("manualBreakCount", self.hole(1))
        self.slot(element, Choice(_Breaks(lines, manual, local_name(element) == "colBreaks").choose))

    def mark_ref(self, element: Any) -> None:
        if element.get("ref"):
            ref = element.get("ref")
            element.set("ref", self.hole(0))
            self.copies(element, partial(_give_hull, ref))

    def mark_area(self, element: Any) -> None:
        if element.get("sqref"):
            sqref = element.get("sqref")
            element.set("sqref", self.hole(0))
            self.copies(element, partial(_give_area, sqref))

    def mark_formatting(self, element: Any) -> None:
        items = [item for item in element.iter() if local_name(item) in ("formula", "f") and item.text]
        values = [item for item in element.iter() if local_name(item) == "cfvo" and item.get("type") == "formula"]
        self.mark_rule(element, items, [item for item in values if item.get("val")])

    def mark_validation(self, element: Any) -> None:
        items = [item for item in element.iter() if local_name(item) in ("formula1", "formula2", "f") and item.text]
        self.mark_rule(element, [item for item in items if item.text.strip()], [])

    def find_words(self, text: str, limit: int, sqref: str, *, is_list: bool = False) -> _Words:
        self.sees_data = True
        place = place_of_validation(self.compiled.name, self.sheet, sqref)
        return _Words(compile_cell(self.compiled.languages, text, place), limit, is_list)

    def mark_rule(self, element: Any, items: list[Any], values: list[Any]) -> None:
        """Mark a rule: its area, an attribute or a child by version, its formulas, texts or attributes `val`, and the
        words of a validation that have tags.
        """
        inner = child(element, "sqref")
        sqref = element.get("sqref") or (inner.text if inner is not None else "") or ""
        boxes = tuple(box for box in map(read_rectangle, sqref.split()) if box is not None)
        if inner is not None:
            inner.text = self.hole(0)
        else:
            element.set("sqref", self.hole(0))
        formulas: list[_Formula | _Words] = []
        for name, limit in VALIDATION_TEXTS.items():
            if has_tags(element.get(name) or ""):
                formulas.append(self.find_words(element.get(name), limit, sqref))
                element.set(name, self.hole(len(formulas)))
        for item in items:
            if is_word_list(item.text):
                formulas.append(self.find_words(item.text, MAX_WORD_LIST, sqref, is_list=True))
                item.text = self.hole(len(formulas))
            elif is_fixed(item.text):
                item.text = "".join(map(str, parse_formula(item.text))) if boxes else item.text
            else:
                formulas.append(_Formula(item.text, boxes, escape_content))
                self.note(item.text)
                item.text = self.hole(len(formulas))
        for item in values:
            formulas.append(_Formula(item.get("val"), boxes, escape_attribute))
            self.note(item.get("val"))
            item.set("val", self.hole(len(formulas)))
        rule = _Rule(sqref, tuple(formulas), escape_content if inner is not None else escape_attribute)
        self.copies(element, rule.give)

    def mark_sparkline(self, element: Any) -> None:
        data, at = child(element, "f"), child(element, "sqref")
        if at is None or at.text is None or (not self.moves and data is None):
            return
        sparkline = _Sparkline(at.text, data.text if data is not None and data.text else None)
        at.text = self.hole(0)
        if sparkline.data is not None and data is not None:
            self.note(sparkline.data)
            data.text = self.hole(1)
        self.copies(element, sparkline.give)

    def mark_hyperlink(self, element: Any) -> None:
        ref, location = element.get("ref", ""), element.get("location") or ""
        key = next((key for key in element.attrib if key.endswith("}id")), "")
        target = self.links.get(element.get(key, "")) if key else None
        if key or is_tagged("location", location):
            location = ""  # a part of the address, or filled by the data: no cell to follow
        holes = 0
        for name in ("ref", *([key] if target is not None else ()), *(["location"] if location else ())):
            element.set(name, self.hole(holes))
            holes += 1
        texts = self._mark_link_texts(element, ref.partition(":")[0], holes)
        self.sees_data = self.sees_data or target is not None or bool(texts)
        if location:
            self.note(location if "!" in location else "!")  # a defined name may mean cells of any sheet
        self.copies(element, _Link(ref, location, target, texts).give)

    def _mark_link_texts(self, element: Any, cell: str, holes: int) -> tuple[CellProgram, ...]:
        """Mark the texts of a link that have tags; return their programs."""
        place = Place(self.compiled.name, path=(f"{self.sheet.entry.name}!{cell}",))
        programs: list[CellProgram] = []
        for name in LINK_TEXTS:
            text = element.get(name) or ""
            if is_tagged(name, text):
                element.set(name, self.hole(holes + len(programs)))
                programs.append(compile_cell(self.compiled.languages, text, place))
        return tuple(programs)

    def mark_anchor(self, element: Any) -> None:
        start, stop = child(element, "from"), child(element, "to")
        if start is None:
            return
        lines: list[tuple[int | None, int | None]] = []
        holes = 0
        for name in ("row", "col"):
            begin, end = child(start, name), child(stop, name) if stop is not None else None
            numbers: list[int | None] = [None, None]
            if begin is not None and begin.text is not None:
                for index, corner in enumerate((begin, end)):
                    if corner is not None and corner.text is not None:
                        numbers[index], corner.text = int(corner.text), self.hole(holes)
                        holes += 1
            lines.append((numbers[0], numbers[1]))
        self.copies(element, _Anchor(lines[0], lines[1]).give)

    def mark_headers(self, element: Any) -> None:
        headers: list[tuple[str, str]] = []
        for item in element:
            if isinstance(item.tag, str) and item.text and has_tags(item.text):
                headers.append((local_name(item), item.text))
                item.text = self.hole(len(headers) - 1)
        if headers:
            self.sees_data = True
            self.copies(element, partial(_give_headers, tuple(headers)))


def is_fixed(formula: str) -> bool:
    """True where a formula names no cells, so that it reads the same everywhere."""
    return "!" not in formula and len(formula) < 8_000 and not refs_of(parse_formula(formula))


def _count_children(element: Any, name: str | None = None) -> int:
    return sum(local_name(item) == name if name else bool(local_name(item)) for item in element)


def _keep_only(element: Any, name: str) -> None:
    for item in list(element):
        if local_name(item) != name:
            element.remove(item)


def _place_after_data(root: Any, node: Any) -> None:
    """Put the merges where the schema wants them: after sheetData, sheetCalcPr, sheetProtection, … scenarios,
    autoFilter, dataConsolidate …
    """
    before = {"sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState",
              "dataConsolidate", "customSheetViews"}  # fmt: skip
    place = max((index for index, element in enumerate(root) if local_name(element) in before), default=len(root) - 1)
    root.insert(place + 1, node)


def shift_anchor(mapper: Mapper, anchor: Any) -> None:
    """Move the `from` and `to` of a drawing's anchor with the cell it begins at; its size stays."""
    if mapper.is_still:
        return
    start, stop = (next(iter(children(anchor, name)), None) for name in ("from", "to"))
    if start is None:
        return
    for name, position in (("row", mapper.row_position), ("col", mapper.column_position)):
        begin = next(iter(children(start, name)), None)
        if begin is None or begin.text is None:
            continue
        old = int(begin.text)
        new = position(old + 1) - 1
        begin.text = str(new)
        end = next(iter(children(stop, name)), None) if stop is not None else None
        if end is not None and end.text is not None:
            end.text = str(int(end.text) + new - old)


__all__ = ["Frame", "compile_frame", "shift_anchor", "write_frame"]
