"""What hangs on a sheet: drawings, charts, comments and their shapes, tables, pivot sources. They follow the cells
they name.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from gfdocs.engine.xlsx.around.frame import shift_anchor
from gfdocs.engine.xlsx.around.mapping import Mapper, Rectangle, map_any, read_rectangle
from gfdocs.engine.xlsx.around.parts import Parts
from gfdocs.engine.xlsx.around.texts import render_texts
from gfdocs.engine.xlsx.formulas.references import parse_formula, refs_of, split_cell
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault
from gfdocs.engine.xlsx.formulas.values import CellError, Unknown
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.seen import get_values
from gfdocs.engine.xlsx.rows.values import number_text
from gfdocs.engine.xlsx.template.tags import formula_has_tags
from gfdocs.engine.xlsx.template.workbook import child, children, local_name, namespace_of
from gfdocs.errors import Issue, Place

_ANCHORS = {"twoCellAnchor", "oneCellAnchor"}


def render_objects(parts: Parts, grid: Grid, part: str) -> None:
    """Bring all that hangs on one output sheet into line with it. `part` is the sheet's part."""
    for relation in list(parts.relations(part)):
        if relation.external or not _has_part(parts, relation.target):
            continue
        if relation.type == "drawing":
            _render_drawing(parts, grid, relation.target)
        elif relation.type in ("comments", "threadedComment"):
            _render_comments(parts, grid, relation.target)
        elif relation.type == "vmlDrawing":
            _render_vml(parts, grid, relation.target)
        elif relation.type == "table":
            _render_table(parts, grid, relation.target)
        elif relation.type == "pivotTable":
            _render_pivot_table(parts, grid, relation.target)


def _has_part(parts: Parts, name: str) -> bool:
    return name in parts.changed or parts.package.find_name(name) is not None


def _guarded(grid: Grid, part: str, text: str, make: Any) -> str:
    """Return the moved formula; a fault is noted and the text kept."""
    try:
        return str(make(text))
    except FormulaFault as fault:
        place = Place(grid.context.compiled.name, path=(part,))
        grid.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))
        return text


# -- drawings ----------------------------------------------------------------------------------------------------------


def _render_drawing(parts: Parts, grid: Grid, name: str) -> None:
    compiled = grid.context.compiled
    for relation in parts.relations(name):
        if relation.type in ("chart", "chartEx") and _has_part(parts, relation.target):
            _render_chart(parts, grid, relation.target)
    if (
        grid.is_still
        and parts.origin(name) not in compiled.tagged_parts
        and not compiled.has_links_to_cells(parts.origin(name))
    ):
        return
    root = parts.parse(name)
    mapper = Mapper(grid)
    changed = False
    for anchor in root:
        if local_name(anchor) in _ANCHORS and anchor.get("editAs") != "absolute" and not grid.is_still:
            shift_anchor(mapper, anchor)
            changed = True
    for element in root.iter():
        link = element.get("textlink")
        if link:
            moved = _guarded(grid, name, link, lambda text: map_any(grid.context, text, grid))
            changed = changed or moved != link
            element.set("textlink", moved)
    changed = render_texts(grid.context, root, grid.scope, name) or changed
    if changed:
        parts.write_tree(name, root)


# -- charts ------------------------------------------------------------------------------------------------------------


def _render_chart(parts: Parts, grid: Grid, name: str) -> None:
    compiled = grid.context.compiled
    if not compiled.chart_sees_touched(parts.origin(name)) and parts.origin(name) not in compiled.tagged_parts:
        return
    root = parts.parse(name)
    for element in list(root.iter()):
        if local_name(element) == "f" and element.text and not formula_has_tags(element.text):
            element.text = _guarded(grid, name, element.text, lambda text: map_any(grid.context, text, grid))
    for element in list(root.iter()):
        if local_name(element) in ("numRef", "strRef", "multiLvlStrRef"):
            _refresh_cache(grid, element)
    render_texts(grid.context, root, grid.scope, name)
    parts.write_tree(name, root)


def _refresh_cache(grid: Grid, holder: Any) -> None:
    """Write the values a chart remembers anew; where they are not known they are left out."""
    formula = child(holder, "f")
    cache = next((item for item in holder if local_name(item) in ("numCache", "strCache", "multiLvlStrCache")), None)
    if cache is None or formula is None:
        return
    values = None if local_name(cache) == "multiLvlStrCache" else _output_values(grid, formula.text or "")
    if values is None:
        holder.remove(cache)
        return
    namespace = namespace_of(cache)
    for item in list(cache):
        if local_name(item) in ("ptCount", "pt"):
            cache.remove(item)
    from lxml import etree

    # formatCode, if any, stands first; extLst last.
    place = 1 if len(cache) and local_name(cache[0]) == "formatCode" else 0
    items = [etree.Element(f"{namespace}ptCount", val=str(len(values)))]
    is_number = local_name(cache) == "numCache"
    for index, value in enumerate(values):
        if value is None or (is_number and not isinstance(value, int | float)):
            continue
        point = etree.Element(f"{namespace}pt", idx=str(index))
        text = etree.SubElement(point, f"{namespace}v")
        text.text = number_text(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
        items.append(point)
    for offset, item in enumerate(items):
        cache.insert(place + offset, item)


def _output_values(grid: Grid, formula: str) -> list[Any] | None:
    """Return the values in the output cells that a chart's (already moved) formula names, None where not known."""
    found: list[Any] = []
    body = formula.strip()
    if body.startswith("(") and body.endswith(")"):
        body = body[1:-1]
    parsed = parse_formula(body)
    refs = refs_of(parsed)
    if not refs or any(isinstance(part, str) and part.strip(" ,") for part in parsed):
        return None
    for ref in refs:
        sheet = next(
            (g for g in grid.context.grids if ref.sheet is not None and g.name.casefold() == ref.sheet.casefold()), None
        )
        if sheet is None or not ref.row1 or not ref.column1 or ref.row2 - ref.row1 > 20_000:
            return None
        try:
            columns = [
                get_values(sheet, c, ref.row1, ref.row2)
                for c in range(ref.column1, min(ref.column2, ref.column1 + 500) + 1)
            ]
        except Unknown:
            return None
        for column in columns:
            column += [None] * (ref.row2 - ref.row1 + 1 - len(column))
        found += [column[i] for i in range(len(columns[0])) for column in columns]
    return [None if isinstance(value, CellError) else value for value in found]


# -- comments ----------------------------------------------------------------------------------------------------------


def _render_comments(parts: Parts, grid: Grid, name: str) -> None:
    compiled = grid.context.compiled
    if grid.is_still and parts.origin(name) not in compiled.tagged_parts:
        return
    root = parts.parse(name)
    mapper = Mapper(grid)
    for comment in [item for item in root.iter() if local_name(item) in ("comment", "threadedComment")]:
        parent = comment.getparent()
        place = parent.index(comment)
        copies: list[Any] = []
        for cell, rows, _ in (
            mapper.cells(comment.get("ref", "")) if not grid.is_still else [(comment.get("ref"), None, None)]
        ):
            if copies and local_name(comment) == "threadedComment":
                break  # a thread has an identity of its own; its note stands in each turn all the same
            copy = deepcopy(comment)
            copy.set("ref", cell)
            _fill_comment(grid, copy, comment.get("ref", ""), rows, parts.origin(name))
            copies.append(copy)
        parent.remove(comment)
        for offset, copy in enumerate(copies):
            parent.insert(place + offset, copy)
    for holder in root.iter():
        if local_name(holder) == "commentList":
            holder[:] = sorted(holder, key=lambda item: split_cell(item.get("ref", ""))[::-1])
    parts.write_tree(name, root)


def _fill_comment(grid: Grid, comment: Any, cell: str, rows: Any, name: str) -> None:
    if name in grid.context.compiled.tagged_parts:
        where = f"{grid.sheet.entry.name}!{cell}"
        render_texts(grid.context, comment, grid.scope_at(rows) if rows else grid.scope, where)


_VML_ROW = re.compile(r"(<x:Row>)\s*(\d+)\s*(</x:Row>)")
_VML_COLUMN = re.compile(r"(<x:Column>)\s*(\d+)\s*(</x:Column>)")
_VML_ANCHOR = re.compile(r"(<x:Anchor>)\s*([-\d,\s]+?)\s*(</x:Anchor>)")


def _render_vml(parts: Parts, grid: Grid, name: str) -> None:
    """Move the shapes of comments and form controls; a comment in a list gets a shape in each turn."""
    if grid.is_still:
        return
    data = parts.read(name).decode("utf-8", "replace")
    mapper = Mapper(grid)
    pieces = re.split(r"(<v:shape\b.*?</v:shape>)", data, flags=re.DOTALL)
    used = [int(found) for found in re.findall(r'id="_x0000_s(\d+)"', data)]
    following = max(used, default=1024) + 1
    out = []
    for piece in pieces:
        if not piece.startswith("<v:shape") or piece.startswith("<v:shapetype"):
            out.append(piece)
            continue
        row, column = _VML_ROW.search(piece), _VML_COLUMN.search(piece)
        if row is None or column is None:
            out.append(_move_vml(piece, mapper, None))
            continue
        from gfdocs.engine.xlsx.formulas.references import letter

        cell = f"{letter(int(column[2]) + 1)}{int(row[2]) + 1}"
        for index, (target, _, _) in enumerate(mapper.cells(cell)):
            new = _move_vml(piece, mapper, (cell, target))
            if index:
                new = re.sub(r'(<v:shape\b[^>]*?\bid=")[^"]*', rf"\g<1>_x0000_s{following}", new, count=1)
                following += 1
            out.append(new)
    parts.write(name, "".join(out).encode())


def _move_vml(shape: str, mapper: Mapper, cells: tuple[str, str] | None) -> str:
    """Return a shape moved: its anchor by as much as its cell, or as the cell under its corner."""
    anchor = _VML_ANCHOR.search(shape)
    numbers = [int(float(n)) for n in anchor[2].replace("\n", "").split(",")] if anchor is not None else []
    if cells is not None:
        old, new = split_cell(cells[0]), split_cell(cells[1])
        columns, rows = new[0] - old[0], new[1] - old[1]
        shape = _VML_ROW.sub(rf"\g<1>{new[1] - 1}\g<3>", shape)
        shape = _VML_COLUMN.sub(rf"\g<1>{new[0] - 1}\g<3>", shape)
    elif len(numbers) == 8:
        rows = mapper.row_position(numbers[2] + 1) - 1 - numbers[2]
        columns = mapper.column_position(numbers[0] + 1) - 1 - numbers[0]
    else:
        return shape
    if len(numbers) == 8:
        for at, step in ((0, columns), (2, rows), (4, columns), (6, rows)):
            numbers[at] = max(0, numbers[at] + step)
        moved = ", ".join(map(str, numbers))
        shape = _VML_ANCHOR.sub(rf"\g<1>{moved}\g<3>", shape)
    return shape


# -- tables ------------------------------------------------------------------------------------------------------------


def _render_table(parts: Parts, grid: Grid, name: str) -> None:
    root = parts.parse(name)
    mapper = Mapper(grid)
    old_ref = root.get("ref", "")
    before = parts.read(name)
    box = read_rectangle(old_ref)

    def move(text: str) -> str:
        if box is None:
            return text
        return grid.rename_tables(mapper.anchored_formula(text, (Rectangle(1, box.row1 + 1, 1, box.row1 + 1),)))

    for element in root.iter():
        if local_name(element) in ("table", "autoFilter", "sortState", "sortCondition") and element.get("ref"):
            element.set("ref", mapper.hull(element.get("ref")) or element.get("ref"))
        elif local_name(element) in ("calculatedColumnFormula", "totalsRowFormula") and element.text:
            element.text = _guarded(grid, name, element.text, move)
    _rename_columns(grid, root, old_ref)
    if grid.is_copy:
        known = grid.table_names.get((root.get("displayName") or root.get("name") or "").casefold())
        number = known[0] if known is not None else grid.context.next_table_id()
        root.set("id", str(number))
        for attribute in ("name", "displayName"):
            if root.get(attribute):
                root.set(attribute, f"{root.get(attribute)}_{number}")
    from lxml import etree

    after = etree.tostring(root, encoding="UTF-8", xml_declaration=True, standalone=True)
    if grid.is_copy or _canonical(before) != _canonical(after):
        parts.write(name, after)


def _canonical(data: bytes) -> bytes:
    from lxml import etree

    return bytes(etree.tostring(etree.fromstring(data), method="c14n"))


def _rename_columns(grid: Grid, root: Any, old_ref: str) -> None:
    """A table's column is called what its heading says; headings may have tags."""
    box = read_rectangle(old_ref)
    row = grid.sheet.rows.get(box.row1) if box is not None else None
    section = child(root, "tableColumns")
    if box is None or row is None or section is None or root.get("headerRowCount") == "0":
        return
    taken: set[str] = set()
    for offset, column in enumerate(children(section, "tableColumn")):
        cell = row.cell(box.column1 + offset)
        if cell is not None and hasattr(cell, "program"):
            try:
                out = Mapper(grid).column_position(box.column1 + offset)
                at = Mapper(grid).row_position(box.row1)
                value = get_values(grid, out, at, at)[0]
            except Unknown:
                continue
            text = "" if value is None else str(value)
            while text.casefold() in taken:
                text += "_"
            column.set("name", text)
        taken.add((column.get("name") or "").casefold())


# -- pivots ------------------------------------------------------------------------------------------------------------


def _render_pivot_table(parts: Parts, grid: Grid, name: str) -> None:
    if grid.is_still:
        return
    root = parts.parse(name)
    location = child(root, "location")
    if location is not None and location.get("ref"):
        box = read_rectangle(location.get("ref"))
        if box is not None:
            mapper = Mapper(grid)
            rows, columns = mapper.row_position(box.row1) - box.row1, mapper.column_position(box.column1) - box.column1
            from gfdocs.engine.xlsx.around.mapping import write_rectangle

            location.set(
                "ref",
                write_rectangle((box.column1 + columns, box.column2 + columns), (box.row1 + rows, box.row2 + rows)),
            )
            parts.write_tree(name, root)


def render_pivot_source(parts: Parts, context: Any, name: str) -> None:
    """Let a pivot's cache read the range its list has become, and be read anew on loading."""
    root = parts.parse(name)
    for source in [item for item in root.iter() if local_name(item) == "worksheetSource"]:
        sheet = source.get("sheet")
        grids = context.find_sheets(sheet) if sheet else []
        if not grids or not source.get("ref") or grids[0].sheet.entry.index not in context.compiled.touched:
            continue
        source.set("ref", Mapper(grids[0]).hull(source.get("ref")) or source.get("ref"))
        source.set("sheet", grids[0].name)
        root.set("refreshOnLoad", "1")
        parts.write_tree(name, root)


__all__ = ["render_objects", "render_pivot_source"]
