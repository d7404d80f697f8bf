"""References of the template written for the filled workbook.

A `Site` is where a formula stands: its sheet and the turns of the lists around it. From there each reference of the
template is seen at its place in the output: cells of the same turn in that turn, a list from outside as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from gfdocs.engine.xlsx.formulas.references import UNION_FUNCTIONS, Formula, Ref, quote_sheet
from gfdocs.engine.xlsx.geometry import MAX_COLUMN, MAX_ROW, Body, Ends, Path, Run, get_ends
from gfdocs.errors import Text

#: Excel takes 255 arguments in a call and 8,192 characters in a formula.
MAX_ARGUMENTS = 240
#: Pieces of a list that stand in a SUM by themselves; more of them are summed first.
MAX_PIECES = 60
MAX_FORMULA = 8_192

#: Marks in a text where the row numbers of a turn are filled in.
FIRST, LAST = "\x01", "\x02"

Piece = str | int


_HINT_PIECES = Text(
    "use SUBTOTAL(9,…) both in the sub-totals and in the total, or SUMIF by the words beside the cells",
    "请在小计与总计中均使用 SUBTOTAL(9,…)，或用 SUMIF 按旁边的文字汇总",
)


class FormulaFault(Exception):
    """A formula that cannot follow its list; the text says why."""

    def __init__(self, fact: Text, hint: Text) -> None:
        self.fact, self.hint = fact, hint


class PlacedSheet(Protocol):
    """What the resolver needs to know of a sheet of the output."""

    @property
    def name(self) -> str: ...
    @property
    def is_renamed(self) -> bool: ...
    @property
    def is_still(self) -> bool: ...
    @property
    def rows(self) -> Body: ...
    @property
    def columns(self) -> Body: ...

    def is_hull_safe(self, ref: Ref) -> bool: ...


class Places(Protocol):
    """What the resolver needs to know of the output workbook."""

    def find_sheets(self, name: str) -> Sequence[PlacedSheet]: ...

    def has_sheet(self, name: str) -> bool: ...


class Site(NamedTuple):
    """Where a formula stands. `rows` and `columns` are the frames around it, outermost (the whole axis) first."""

    places: Places
    sheet: Any
    rows: Path
    columns: Path


class Area(NamedTuple):
    """A rectangle of output cells; 0 stands for no rows or no columns (whole columns, whole rows)."""

    sheet: Any
    columns: Run
    rows: Run


class Resolved(NamedTuple):
    """Where a reference went: its areas in the order of sheet, row, column, and which of its row ends differ from
    turn to turn. `is_gone`: every cell it names is; its one area is then empty cells at the foot of the sheet.
    """

    areas: list[Area]
    moving: tuple[bool, bool]
    is_gone: bool = False


def resolve(ref: Ref, site: Site) -> Resolved:
    """Return the output areas of a reference; none where the output has no such sheet."""
    sheets = [site.sheet] if ref.sheet is None else site.places.find_sheets(ref.sheet)
    if site.sheet in sheets:
        sheets = [site.sheet]
    areas: list[Area] = []
    moving = (False, False)
    for sheet in sheets:
        here = sheet is site.sheet
        rows, columns = _get_rows(ref, sheet, site, here), _get_columns(ref, sheet, site, here)
        if here:
            moving = rows.moving
        if not rows.runs or not columns.runs:
            continue
        row_runs, column_runs = rows.runs, columns.runs
        if not ref.is_area:
            row_runs = [(row_runs[0][0], row_runs[0][0])]
            column_runs = [(column_runs[0][0], column_runs[0][0])]
        elif (len(row_runs) > 1 or len(column_runs) > 1) and (
            ref.function not in UNION_FUNCTIONS or sheet.is_hull_safe(ref)
        ):
            row_runs, column_runs = [_hull(row_runs)], [_hull(column_runs)]
        areas += [Area(sheet, column_run, row_run) for row_run in row_runs for column_run in column_runs]
        if not ref.is_area:
            break
    if not areas and sheets:
        return Resolved([_find_nothing(ref, sheets[0])], (False, False), is_gone=True)
    return Resolved(areas, moving)


def _find_nothing(ref: Ref, sheet: Any) -> Area:
    """Return empty cells for those that are gone (an empty list): sums over them are 0 and nothing is `#REF!`."""
    columns = (ref.column1, ref.column2)
    if ref.column1 and not sheet.is_still:
        runs = list(sheet.columns.image(ref.column1, ref.column2))
        columns = (runs[0][0], runs[-1][1]) if runs else (MAX_COLUMN, MAX_COLUMN)
    return Area(sheet, columns, (MAX_ROW, MAX_ROW) if ref.row1 else (0, 0))


def _hull(runs: list[Run]) -> Run:
    return runs[0][0], runs[-1][1]


def _get_rows(ref: Ref, sheet: Any, site: Site, here: bool) -> Ends:
    if not ref.row1:
        return Ends([(0, 0)])
    path = site.rows if here else (sheet.rows,)
    fixed = (bool(ref.dollars[1]), bool(ref.dollars[3])) if ref.is_range else (False, False)
    return get_ends(path, ref.row1, ref.row2, fixed=fixed, narrow=ref.column1 == ref.column2)


def _get_columns(ref: Ref, sheet: Any, site: Site, here: bool) -> Ends:
    if not ref.column1:
        return Ends([(0, 0)])
    path = site.columns if here else (sheet.columns,)
    fixed = (bool(ref.dollars[0]), bool(ref.dollars[2])) if ref.is_range else (False, False)
    return get_ends(path, ref.column1, ref.column2, fixed=fixed, narrow=ref.row1 == ref.row2)


def get_prefix(ref: Ref, sheet: Any) -> str:
    """Return the sheet prefix a reference has in the output."""
    if not ref.prefix or ref.last_sheet is not None or not sheet.is_renamed:
        return ref.prefix
    return quote_sheet(sheet.name)


def write_reference(ref: Ref, site: Site) -> list[Piece]:
    """Return a reference as it reads in the output, as texts and row numbers (numbers differ from turn to turn)."""
    targets = [site.sheet] if ref.sheet is None else site.places.find_sheets(ref.sheet)
    if not targets and ref.sheet is not None and site.places.has_sheet(ref.sheet):
        return ["#REF!"]  # the sheet was left out by its condition
    if not targets or (ref.last_sheet is not None and all(sheet.is_still for sheet in targets)):
        return [ref.to_text((ref.column1, ref.column2), (ref.row1, ref.row2))]
    found = resolve(ref, site)
    if ref.function == "SUM" and len(found.areas) > MAX_PIECES:
        return _write_sums(ref, found)
    pieces = _write_areas(ref, found.areas, found.moving)
    if len(found.areas) > 1 and ref.function not in UNION_FUNCTIONS:
        return ["(", *pieces, ")"]
    return pieces


def _write_areas(ref: Ref, areas: Sequence[Area], moving: tuple[bool, bool]) -> list[Piece]:
    pieces: list[Piece] = []
    for index, area in enumerate(areas):
        if index:
            pieces.append(",")
        pieces += _write_area(ref, area, moving)
    return pieces


def _write_sums(ref: Ref, found: Resolved) -> list[Piece]:
    """Return many pieces as sums of their own, each one argument of the SUM they are written in."""
    pieces: list[Piece] = []
    for at in range(0, len(found.areas), MAX_ARGUMENTS):
        chunk = _write_areas(ref, found.areas[at : at + MAX_ARGUMENTS], found.moving)
        pieces += [*([","] if at else []), "SUM(", *chunk, ")"]
    return pieces


def _write_area(ref: Ref, area: Area, moving: tuple[bool, bool]) -> list[Piece]:
    prefix = get_prefix(ref, area.sheet)
    if not any(moving) or not ref.row1:
        return [ref.to_text(area.columns, area.rows, prefix)]
    rows: tuple[Any, Any] = (FIRST if moving[0] else area.rows[0], LAST if moving[1] else area.rows[1])
    if area.rows[0] == area.rows[1] and all(moving):
        rows = (FIRST, FIRST)
    text = ref.to_text(area.columns, rows, prefix)
    pieces: list[Piece] = []
    for chunk in text.replace(FIRST, f"\0{FIRST}\0").replace(LAST, f"\0{LAST}\0").split("\0"):
        if chunk:
            pieces.append(area.rows[0] if chunk == FIRST else area.rows[1] if chunk == LAST else chunk)
    return pieces


def write_formula(formula: Formula, site: Site) -> list[Piece]:
    """Return a formula of the template as it reads at `site`; FormulaFault where it cannot follow its list."""
    pieces: list[Piece] = []
    count = 0
    for part in formula:
        if isinstance(part, str):
            pieces.append(part)
            continue
        written = write_reference(part, site)
        count += written.count(",") if "SUM(" not in written else 0
        pieces += written
    if count > MAX_ARGUMENTS:
        raise FormulaFault(
            Text(f"a total over {count + 1:,} separate pieces does not fit a formula", f"公式需引用 {count + 1:,} 个不连续区域，超出上限"),
            _HINT_PIECES,
        )  # fmt: skip
    return pieces


def formula_text(formula: Formula, site: Site) -> str:
    """Return a formula of the template as one text, as it reads at `site`."""
    text = "".join(map(str, write_formula(formula, site)))
    if len(text) > MAX_FORMULA:
        raise FormulaFault(
            Text(f"the formula grows to {len(text):,} characters, Excel takes {MAX_FORMULA:,}", f"公式长 {len(text):,} 字符，超出上限 {MAX_FORMULA:,}"),
            _HINT_PIECES,
        )  # fmt: skip
    return text
