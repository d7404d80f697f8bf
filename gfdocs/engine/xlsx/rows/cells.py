"""One cell of the output as XML: what follows `<c r="B7"` of a value, a picture, a rich text, a formula."""

from __future__ import annotations

from typing import Any

from gfdocs.engine.xlsx.formulas.references import letter
from gfdocs.engine.xlsx.formulas.resolve import FormulaFault, Site, formula_text, resolve
from gfdocs.engine.xlsx.formulas.values import CellError, Unknown
from gfdocs.engine.xlsx.geometry import Path
from gfdocs.engine.xlsx.rows.grid import Grid
from gfdocs.engine.xlsx.rows.pictures import Picture, place_picture
from gfdocs.engine.xlsx.rows.placing import ColumnAt
from gfdocs.engine.xlsx.rows.values import number_text
from gfdocs.engine.xlsx.template.compiled import FormulaCell, Row, ValueCell
from gfdocs.engine.xlsx.template.sheet import escape_text
from gfdocs.errors import Issue, Place


def value_tail(grid: Grid, cell: ValueCell, value: Any, at: tuple[int, int]) -> str:
    """Return the tail of a cell that the data fill; `at` is its output column and row. A picture is noted, its cell
    stays empty. Faults come as they are.
    """
    if isinstance(value, Picture):
        grid.pictures.append(place_picture(value, *at))
        return grid.writer.content_tail(None, cell.style)
    if cell.runs:
        return grid.writer.rich_tail(str(value), cell.runs, cell.style)
    return grid.writer.tail(value, cell.style)


# -- formulas ----------------------------------------------------------------------------------------------------------


def formula_tail(grid: Grid, cell: FormulaCell, row: Row, column: ColumnAt, path: Path, value: Any) -> str:
    """Return the tail of a formula that stands at `path`, with its value; Unknown (the class) where it has none."""
    formula = find_formula(grid, cell, row, column, path)
    if formula is None:
        return grid.writer.content_tail(None, cell.style)
    kind, content = write_cached(grid, value)
    style = f' s="{cell.style}"' if cell.style else ""
    return f"{style}{kind}{formula}{content}</{grid.writer.prefix}c>"


def find_formula(grid: Grid, cell: FormulaCell, row: Row, column: ColumnAt, path: Path) -> str | None:
    """Return a formula from the end of its cell's attributes to `</f>`; None where it cannot follow its list (which is
    reported). What stands once is remembered: it is the same for all documents whose lines go to the same places.
    """
    known = grid.formula_texts if len(path) == 1 else {}
    formula = known.get((row.number, column.out))
    if formula is None:
        site = Site(grid.context, grid, path, column.path)
        try:
            text = escape_text(grid.rename_tables(formula_text(cell.formula, site)))
        except FormulaFault as fault:
            report_formula(grid, cell, row, fault)
            return None
        p = grid.writer.prefix
        formula = f"{cell.cell_extra}><{p}f{_formula_attributes(cell, site)}>{text}</{p}f>"
        known[row.number, column.out] = formula
    return formula


def _formula_attributes(cell: FormulaCell, site: Site) -> str:
    if not cell.kind:
        return cell.extra
    areas = resolve(cell.ref, site).areas if cell.ref is not None else []
    ref = f' ref="{cell.ref.to_text(areas[0].columns, areas[0].rows)}"' if cell.ref is not None and areas else ""
    return f' t="{cell.kind}"{ref}{cell.extra}'


def write_cached(grid: Grid, value: Any) -> tuple[str, str]:
    """Return (type attribute, `<v>` element) of a formula's value; both empty where it is not known."""
    p = grid.writer.prefix
    if value is Unknown:
        grid.context.needs_calculation = True
        return "", ""
    if isinstance(value, bool):
        return ' t="b"', f"<{p}v>{int(value)}</{p}v>"
    if isinstance(value, CellError):
        return ' t="e"', f"<{p}v>{value}</{p}v>"
    if isinstance(value, str):
        return ' t="str"', f"<{p}v>{escape_text(value)}</{p}v>"
    return "", f"<{p}v>{number_text(value)}</{p}v>"


def report_formula(grid: Grid, cell: FormulaCell, row: Row, fault: FormulaFault) -> None:
    """Report GF266: a formula that cannot follow its list."""
    place = Place(grid.context.compiled.name, path=(f"{grid.sheet.entry.name}!{letter(cell.column)}{row.number}",))
    grid.context.report(Issue("GF266", "error", place, fault.fact, fault.hint))
