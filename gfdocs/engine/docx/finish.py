"""What a rendered part needs after all: columns that came or went, ids that repeat, cells that became empty.

None of it runs for a part whose template and values cannot cause it (`Prepared.fixes`, `State.fixes`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from gfdocs.engine.docx.story import W
from gfdocs.engine.package import safe_xml

DOCUMENT_PR = re.compile(r'(<wp:docPr\b[^>]*?\bid=")([^"]*)(")')
_BOOKMARK = re.compile(r"<w:bookmark(Start|End)\b[^>]*?/?>")
_EMPTY_CELL = re.compile(
    r"(<w:tc(?: [^>]*)?>(?:<w:tcPr>(?:(?!</w:tcPr>).)*</w:tcPr>|<w:tcPr/>)?)\s*(</w:tc>)", re.DOTALL
)
_CELL_END = re.compile(r"(</w:tbl>)\s*(</w:tc>)")
_EMPTY_TABLE = re.compile(
    r"<w:tbl>\s*(?:<w:tblPr>(?:(?!</w:tblPr>|<w:tr[ >]).)*</w:tblPr>|<w:tblPr/>)?\s*"
    r"(?:<w:tblGrid>(?:(?!</w:tblGrid>|<w:tr[ >]).)*</w:tblGrid>|<w:tblGrid/>)?\s*</w:tbl>",
    re.DOTALL,
)
_EMPTY_ROW = re.compile(
    r"<w:tr(?: [^>]*)?>\s*(?:<w:tblPrEx>(?:(?!</w:tblPrEx>).)*</w:tblPrEx>)?"
    r"\s*(?:<w:trPr>(?:(?!</w:trPr>).)*</w:trPr>|<w:trPr/>)?\s*</w:tr>",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Drawings:
    """Which ids the drawings (`wp:docPr`) of one part may have, so that no other part of the document has them."""

    own: frozenset[str] = frozenset()
    """Those that this part has in the template, and no other."""
    first: int = 1
    """The first that no part has; the next is `step` further, as other parts take those between."""
    step: int = 1


def fix_drawings(xml: str, drawings: Drawings = Drawings()) -> str:
    """Give every `wp:docPr` an id of its own: what is repeated or new gets a fresh one."""
    left = set(drawings.own)
    fresh = drawings.first

    def number(found: re.Match[str]) -> str:
        nonlocal fresh
        if found[2] in left:
            left.discard(found[2])
            return found.group()
        text = f"{found[1]}{fresh}{found[3]}"
        fresh += drawings.step
        return text

    return DOCUMENT_PR.sub(number, xml)


def share_ids(parts: Mapping[str, bytes]) -> dict[str, Drawings]:
    """Return for each part of a document (name -> XML) which ids its drawings may have."""
    seen = {name: re.findall(rb'<wp:docPr\b[^>]*?\bid="(\d{1,9})"', data) for name, data in parts.items()}
    count = Counter(number for numbers in seen.values() for number in set(numbers))
    first = max((int(number) for number in count), default=0) + 1
    return {
        name: Drawings(frozenset(n.decode() for n in numbers if count[n] == 1), first + index, len(parts))
        for index, (name, numbers) in enumerate(seen.items())
    }


def fix_ids(xml: str) -> str:
    """Give every bookmark an id of its own; a name that a loop repeats gets a number."""
    open_ids: dict[str, list[int]] = {}
    names: dict[str, int] = {}
    count = 0

    def renumber(found: re.Match[str]) -> str:
        nonlocal count
        element = found.group()
        old = re.search(r'\bw:id="([^"]*)"', element)
        if old is None:
            return element
        if found[1] == "Start":
            open_ids.setdefault(old[1], []).append(count)
            element = re.sub(r'\bw:name="([^"]*)"', lambda name: _number_name(name[1], names), element)
            fresh, count = count, count + 1
        else:
            pending = open_ids.get(old[1])
            if not pending:
                return ""
            fresh = pending.pop()
        return re.sub(r'\bw:id="[^"]*"', f'w:id="{fresh}"', element)

    return _BOOKMARK.sub(renumber, xml)


def _number_name(name: str, names: dict[str, int]) -> str:
    seen = names[name] = names.get(name, 0) + 1
    return f'w:name="{name}"' if seen == 1 else f'w:name="{name[:34]}_{seen}"'


def fix_cells(xml: str) -> str:
    """Give a cell that lost all its paragraphs an empty one: Word takes no cell without."""
    xml = _EMPTY_CELL.sub(r"\1<w:p/>\2", xml)
    return _CELL_END.sub(r"\1<w:p/>\2", xml)


def fix_rows(xml: str) -> str:
    """Take away rows without cells and tables without rows."""
    return _EMPTY_TABLE.sub("", _EMPTY_ROW.sub("", xml))


def _span(cell: Any) -> int:
    span = cell.find(f"{W}tcPr/{W}gridSpan")
    try:
        return max(1, int(span.get(W + "val"))) if span is not None else 1
    except ValueError:
        return 1


def _skipped(row: Any) -> int:
    properties = row.find(W + "trPr")
    if properties is None:
        return 0
    total = 0
    for name in ("gridBefore", "gridAfter"):
        found = properties.find(W + name)
        if found is not None:
            total += int(found.get(W + "val") or 0)
    return total


def _width(column: Any) -> float:
    try:
        return float(column.get(W + "w") or 0)
    except ValueError:
        return 0.0


def fix_tables(xml: str, name: str, part: str) -> str:
    """Make the grid of each table as wide as its widest row; the width of the table stays."""
    head = xml[: xml.index("<w:")] if xml.startswith("<?xml") else ""
    root = safe_xml(xml.encode(), name=name, part=part)
    for table in root.iter(W + "tbl"):
        grid = table.find(W + "tblGrid")
        rows = [row for row in table.iter(W + "tr") if next(row.iterancestors(W + "tbl")) is table]
        if grid is None or not rows:
            continue
        columns = grid.findall(W + "gridCol")
        needed = max(
            sum(_span(cell) for cell in row.iter(W + "tc") if _row_of(cell) is row) + _skipped(row) for row in rows
        )
        if needed and needed != len(columns):
            _set_columns(grid, columns, needed)
    text: str = etree.tostring(root, encoding="unicode")
    return head + text


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(W + "tr"))


def _set_columns(grid: Any, columns: list[Any], needed: int) -> None:
    total = sum(_width(column) for column in columns)
    if needed > len(columns):
        average = total / needed
        shrink = len(columns) / needed
        for column in columns:
            column.set(W + "w", str(int(_width(column) * shrink)))
        for _ in range(needed - len(columns)):
            etree.SubElement(grid, W + "gridCol").set(W + "w", str(int(average)))
        return
    gone = columns[needed:]
    extra = int(sum(_width(column) for column in gone) / needed)
    for column in gone:
        grid.remove(column)
    for column in columns[:needed]:
        column.set(W + "w", str(int(_width(column)) + extra))


_FIXES: tuple[tuple[str, Callable[[str], str]], ...] = (
    ("rows", fix_rows),
    ("cells", fix_cells),
    ("ids", fix_ids),
)


def finish(xml: str, fixes: set[str], *, name: str, part: str, drawings: Drawings = Drawings()) -> str:
    """Return the part with the named repairs made. PackageError GF313 where `check` is asked and it is not XML."""
    for fix, function in _FIXES:
        if fix in fixes:
            xml = function(xml)
    if "drawings" in fixes:
        xml = fix_drawings(xml, drawings)
    if "tables" in fixes:
        return fix_tables(xml, name, part)
    if "check" in fixes:
        safe_xml(xml.encode(), name=name, part=part)
    return xml
