"""What surrounds the rows of a worksheet: views, columns, merges, filters, formats, validations, links, breaks,
headers, extensions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from gfdocs.engine.xlsx.compile import Compiled, has_tags
from gfdocs.engine.xlsx.geometry import MAX_COLUMN
from gfdocs.engine.xlsx.grid import Grid
from gfdocs.engine.xlsx.mapping import Mapper, read_rectangle
from gfdocs.engine.xlsx.pictures import add_drawing_element
from gfdocs.engine.xlsx.references import letter, parse_formula
from gfdocs.engine.xlsx.resolve import FormulaFault, Site, formula_text
from gfdocs.engine.xlsx.texts import render_header
from gfdocs.engine.xlsx.workbook import children, local_name
from gfdocs.errors import Issue, Place

_MERGES = "gfdocs-merges"
_MAX_BREAKS = 1026


def write_frame(grid: Grid) -> tuple[bytes, Iterator[bytes]]:
    """Return what stands before the rows, and the pieces of what stands after them."""
    from lxml import etree

    part = grid.sheet.part
    root = etree.fromstring(part.frame, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    merges = _FrameWriter(grid).write(root)
    head, _, tail = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True).partition(part.marker)
    open_tag = f"<{part.prefix}sheetData>".encode()
    close_tag = f"</{part.prefix}sheetData>".encode()

    def pieces() -> Iterator[bytes]:
        yield close_tag
        before, marker, after = tail.partition(etree.tostring(etree.ProcessingInstruction(_MERGES)))
        yield before
        if marker:
            yield from _write_merges(merges, part.prefix)
            yield after

    return head + open_tag, pieces()


def _write_merges(merges: list[str], prefix: str) -> Iterator[bytes]:
    if not merges:
        return
    yield f'<{prefix}mergeCells count="{len(merges)}">'.encode()
    for first in range(0, len(merges), 1000):
        yield "".join(f'<{prefix}mergeCell ref="{ref}"/>' for ref in merges[first : first + 1000]).encode()
    yield f"</{prefix}mergeCells>".encode()


class _FrameWriter:
    """Rewrites one frame in place."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        self.mapper = Mapper(grid)
        self.handlers: dict[str, Callable[[Any], None]] = {
            "dimension": self.set_dimension,
            "sheetView": self.set_view,
            "customSheetView": self.set_view,
            "pane": self.set_pane,
            "selection": self.set_selection,
            "cols": self.set_columns,
            "autoFilter": self.set_ref,
            "sortState": self.set_ref,
            "sortCondition": self.set_ref,
            "protectedRange": self.set_sqref,
            "ignoredError": self.set_sqref,
            "conditionalFormatting": self.set_formatting,
            "dataValidation": self.set_validation,
            "sparkline": self.set_sparkline,
            "hyperlink": self.set_hyperlink,
            "rowBreaks": self.set_breaks,
            "colBreaks": self.set_breaks,
            "inputCells": self.set_cell,
            "cellWatch": self.set_cell,
            "anchor": self.set_anchor,
            "headerFooter": self.set_header,
        }

    def write(self, root: Any) -> list[str]:
        """Rewrite the tree; return the merged ranges, whose place is marked in it."""
        for element in list(root.iter()):
            name = local_name(element)
            handler = self.handlers.get(name)
            if handler is not None and element.getparent() is not None:
                try:
                    handler(element)
                except FormulaFault as fault:
                    place = Place(self.grid.context.compiled.name, path=(self.grid.sheet.entry.name, name))
                    self.grid.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))
        self._drop_empty(root)
        if self.grid.drawing_relation is not None:
            add_drawing_element(root, self.grid.drawing_relation)
        return self._take_merges(root)

    def _take_merges(self, root: Any) -> list[str]:
        from lxml import etree

        found: list[str] = []
        for element in root:
            if local_name(element) == "mergeCells":
                for merge in children(element, "mergeCell"):
                    found += self.mapper.merges(merge.get("ref", ""))
                found += self.grid.extra_merges
                root.replace(element, etree.ProcessingInstruction(_MERGES))
                return found
        if self.grid.extra_merges:
            marker = next(element for element in root if local_name(element) == "sheetData")
            _place_after_data(root, marker, etree.ProcessingInstruction(_MERGES))
        return list(self.grid.extra_merges)

    @staticmethod
    def _drop_empty(root: Any) -> None:
        """Remove containers that lost all they held; schema allows none of them empty."""
        names = {"conditionalFormatting", "dataValidations", "hyperlinks", "protectedRanges", "ignoredErrors", "rowBreaks",
                 "colBreaks", "sparklines", "sparklineGroup", "sparklineGroups", "conditionalFormattings", "cellWatches"}  # fmt: skip
        for element in reversed(list(root.iter())):
            if local_name(element) in names and not any(
                local_name(item)
                for item in (children(element, "sparklines") if local_name(element) == "sparklineGroup" else element)
            ):
                parent = element.getparent()
                if parent is not None:
                    parent.remove(element)
                    if local_name(parent) == "ext":
                        holder = parent.getparent()
                        holder.remove(parent)
                        if not len(holder) and holder.getparent() is not None:
                            holder.getparent().remove(holder)
            elif local_name(element) == "dataValidations" and element.get("count"):
                element.set("count", str(len(children(element, "dataValidation"))))

    # -- one element each ---------------------------------------------------------------------------------------------

    def set_dimension(self, element: Any) -> None:
        grid = self.grid
        columns = [column.out for column in grid.output_columns]
        last_row, last_column = grid.last_row, max(columns, default=1)
        if self.mapper.is_still:
            return
        first = (
            min((a for a, _ in grid.rows.image(grid.sheet.numbers[0], grid.sheet.numbers[-1])), default=1)
            if grid.sheet.numbers
            else 1
        )
        element.set("ref", f"A{first}:{letter(last_column)}{max(last_row, first)}" if last_row else "A1")

    def set_view(self, element: Any) -> None:
        if element.get("topLeftCell"):
            element.set("topLeftCell", self._cell_or_first(element.get("topLeftCell")))

    def _cell_or_first(self, name: str) -> str:
        if self.mapper.is_still:
            return name
        box = read_rectangle(name)
        if box is None:
            return "A1"
        row, column = self.mapper.row_position(box.row1), self.mapper.column_position(box.column1)
        return f"{letter(min(column, MAX_COLUMN))}{min(row, 1_048_576)}"

    def set_pane(self, element: Any) -> None:
        if self.mapper.is_still or element.get("state") not in ("frozen", "frozenSplit"):
            return
        for attribute, count in (("ySplit", self.mapper.rows), ("xSplit", self.mapper.columns)):
            split = element.get(attribute)
            if split and float(split) >= 1:
                runs = count(1, int(float(split)))
                element.set(attribute, str(runs[-1][1] if runs else 0))
        if element.get("topLeftCell"):
            element.set("topLeftCell", self._cell_or_first(element.get("topLeftCell")))

    def set_selection(self, element: Any) -> None:
        if self.mapper.is_still:
            return
        cell = self._cell_or_first(element.get("activeCell") or "A1")
        element.set("activeCell", cell)
        element.set("sqref", cell)
        element.attrib.pop("activeCellId", None)

    def set_columns(self, element: Any) -> None:
        if not self.grid.sheet.moves_columns:
            return
        from copy import deepcopy

        old = {}
        for column in children(element, "col"):
            for number in range(int(column.get("min", 1)), min(int(column.get("max", 1)), 2000) + 1):
                old[number] = column
        tail = next((c for c in children(element, "col") if int(c.get("max", 1)) >= 2000), None)
        outputs = {column.out: column.template for column in self.grid.output_columns}
        last = max(outputs, default=0)
        for child in list(element):
            element.remove(child)
        for out in range(1, last + 1):
            source = old.get(outputs.get(out, 0))
            if source is not None:
                copy = deepcopy(source)
                copy.set("min", str(out))
                copy.set("max", str(out))
                element.append(copy)
        if tail is not None and last < MAX_COLUMN:
            copy = deepcopy(tail)
            copy.set("min", str(last + 1))
            copy.set("max", str(MAX_COLUMN))
            element.append(copy)
        if not len(element):
            element.getparent().remove(element)

    def set_ref(self, element: Any) -> None:
        ref = element.get("ref")
        if ref and not (moved := self.mapper.hull(ref)):
            element.getparent().remove(element)
        elif ref:
            element.set("ref", moved)

    def set_cell(self, element: Any) -> None:
        if element.get("r"):
            element.set("r", self._cell_or_first(element.get("r")))

    def set_sqref(self, element: Any) -> None:
        if element.get("sqref") and not self._move_sqref(element):
            element.getparent().remove(element)

    def _move_sqref(self, element: Any) -> bool:
        moved = self.mapper.sqref(element.get("sqref"))
        if moved:
            element.set("sqref", moved)
        return bool(moved)

    def _move_area(self, element: Any) -> str | None:
        """Move the area of a rule, an attribute or a child by version, and return the old one; a rule left without an area goes: None."""
        inner = next((item for item in children(element, "sqref")), None)
        sqref = element.get("sqref") or (inner.text if inner is not None else "") or ""
        moved = self.mapper.sqref(sqref)
        if not moved:
            element.getparent().remove(element)
            return None
        if inner is not None:
            inner.text = moved
        else:
            element.set("sqref", moved)
        return sqref

    def set_formatting(self, element: Any) -> None:
        sqref = self._move_area(element)
        if sqref is None:
            return
        for item in element.iter():
            if local_name(item) in ("formula", "f") and item.text:
                item.text = self.mapper.anchored_formula(item.text, sqref)
            elif local_name(item) == "cfvo" and item.get("val") and item.get("type") == "formula":
                item.set("val", self.mapper.anchored_formula(item.get("val"), sqref))

    def set_validation(self, element: Any) -> None:
        sqref = self._move_area(element)
        if sqref is None:
            return
        for item in element.iter():
            if local_name(item) in ("formula1", "formula2", "f") and item.text and item.text.strip():
                item.text = self.mapper.anchored_formula(item.text, sqref)

    def set_sparkline(self, element: Any) -> None:
        from copy import deepcopy

        data, at = (next(iter(children(element, name)), None) for name in ("f", "sqref"))
        if at is None or at.text is None or (self.mapper.is_still and data is None):
            return
        copies = []
        for cell, rows, columns in self.mapper.cells(at.text):
            copy = deepcopy(element)
            copy_at = next(iter(children(copy, "sqref")))
            copy_at.text = cell
            copy_data = next(iter(children(copy, "f")), None)
            if copy_data is not None and copy_data.text:
                site = Site(self.grid.context, self.grid, rows, columns)
                copy_data.text = formula_text(parse_formula(copy_data.text), site)
            copies.append(copy)
        parent = element.getparent()
        place = parent.index(element)
        parent.remove(element)
        for offset, copy in enumerate(copies):
            parent.insert(place + offset, copy)

    def set_hyperlink(self, element: Any) -> None:
        from copy import deepcopy

        if element.get("location"):
            element.set("location", self._location(element.get("location")))
        if self._add_links(element):
            return
        areas = self.mapper.areas(element.get("ref", ""))
        parent = element.getparent()
        if not areas:
            parent.remove(element)
            return
        element.set("ref", areas[0])
        for area in reversed(areas[1:]):
            copy = deepcopy(element)
            copy.set("ref", area)
            parent.insert(parent.index(element) + 1, copy)

    def _add_links(self, element: Any) -> bool:
        """Write a link of its own for each cell where the target has tags; False where it has none."""
        from copy import deepcopy

        key = next((key for key in element.attrib if key.endswith("}id")), "")
        program = self.grid.link_targets.get(element.get(key, "")) if key else None
        if program is None:
            return False
        parent = element.getparent()
        place = parent.index(element)
        parent.remove(element)
        for offset, (cell, rows, _) in enumerate(self.mapper.cells(element.get("ref", "").partition(":")[0])):
            target = self.grid.get_link(program, rows)
            if target:
                copy = deepcopy(element)
                copy.set("ref", cell)
                copy.set(key, target)
                parent.insert(place + offset, copy)
        return True

    def _location(self, text: str) -> str:
        return text if has_tags(text) else self.mapper.free_formula(text)

    def set_breaks(self, element: Any) -> None:
        from copy import deepcopy

        is_column = local_name(element) == "colBreaks"
        if self.mapper.is_still:
            return
        found: dict[int, Any] = {}
        for item in children(element, "brk"):
            for line in self.mapper.breaks(int(item.get("id", 0)), is_column=is_column):
                found.setdefault(line, item)
            element.remove(item)
        for line in sorted(found)[:_MAX_BREAKS]:
            copy = deepcopy(found[line])
            copy.set("id", str(line))
            element.append(copy)
        element.set("count", str(len(element)))
        element.set("manualBreakCount", str(sum(item.get("man") in ("1", "true") for item in element)))

    def set_anchor(self, element: Any) -> None:
        shift_anchor(self.mapper, element)

    def set_header(self, element: Any) -> None:
        for item in element:
            if isinstance(item.tag, str) and item.text and has_tags(item.text):
                item.text = render_header(self.grid, item.text, local_name(item))


def _place_after_data(root: Any, marker: Any, node: Any) -> None:
    """Put the merges where the schema wants them: after sheetData, sheetCalcPr, sheetProtection, … scenarios,
    autoFilter, dataConsolidate …
    """
    before = {"sheetData", "sheetCalcPr", "sheetProtection", "protectedRanges", "scenarios", "autoFilter", "sortState",
              "dataConsolidate", "customSheetViews"}  # fmt: skip
    place = root.index(marker)
    for index, element in enumerate(root):
        if local_name(element) in before:
            place = max(place, index)
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


__all__ = ["Compiled", "shift_anchor", "write_frame"]
