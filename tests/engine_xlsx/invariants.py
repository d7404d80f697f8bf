"""What a workbook must hold to that no schema says and Excel insists on."""

from __future__ import annotations

import io
import re
import zipfile
from itertools import combinations
from typing import Any

from lxml import etree
from openpyxl.utils import range_boundaries

from gfdocs.engine.xlsx.formulas.references import split_cell

_BAD_NAME = re.compile(r"[:\\/?*\[\]]")


def find_broken(data: bytes) -> list[str]:
    """Return what Excel would repair or refuse: order of rows and cells, overlaps, names, lengths, relations without a part."""
    found: list[str] = []
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        names = package.namelist()
        if len(set(names)) != len(names):
            found.append("a member twice")
        for name in names:
            if name.endswith(".rels"):
                found += _check_relations(name, package.read(name), set(names))
            elif re.match(r"xl/worksheets/[^/]+\.xml", name):
                styles = etree.fromstring(package.read("xl/styles.xml"))
                count = len(styles.find("{*}cellXfs"))
                found += [f"{name}: {fault}" for fault in _check_sheet(etree.fromstring(package.read(name)), count)]
        titles = [s.get("name") for s in etree.fromstring(package.read("xl/workbook.xml")).iter("{*}sheet")]
        if len({t.casefold() for t in titles}) != len(titles):
            found.append("two sheets of one name")
        found += [f"sheet name {t!r}" for t in titles if len(t) > 31 or _BAD_NAME.search(t)]
        tables = [etree.fromstring(package.read(n)) for n in names if n.startswith("xl/tables/table")]
        found += _check_tables(tables)
    return found


def _check_relations(name: str, data: bytes, names: set[str]) -> list[str]:
    folder = name.replace("_rels/", "").rpartition("/")[0]
    found = []
    ids = set()
    for relation in etree.fromstring(data):
        if relation.get("Id") in ids:
            found.append(f"{name}: {relation.get('Id')} twice")
        ids.add(relation.get("Id"))
        if relation.get("TargetMode") == "External":
            continue
        target = relation.get("Target")
        path = target.lstrip("/") if target.startswith("/") else f"{folder}/{target}"
        steps: list[str] = []
        for step in path.split("/"):
            steps = steps[:-1] if step == ".." else [*steps, step] if step not in ("", ".") else steps
        if "/".join(steps) not in names:
            found.append(f"{name}: no part {target}")
    return found


def _check_sheet(root: Any, styles: int) -> list[str]:
    found = []
    last_row = 0
    for row in root.iter("{*}row"):
        number, last = int(row.get("r")), 0
        if number <= last_row or number > 1_048_576:
            found.append(f"row {number} after {last_row}")
        last_row = number
        for cell in row:
            column, at = split_cell(cell.get("r"))
            if at != number or column <= last:
                found.append(f"cell {cell.get('r')} in row {number}")
            last = column
            if int(cell.get("s", 0)) >= styles:
                found.append(f"style of {cell.get('r')}")
            if len("".join(cell.itertext())) > 32_767 * 2:
                found.append(f"text of {cell.get('r')}")
    merges = [range_boundaries(m.get("ref")) for m in root.iter("{*}mergeCell")]
    found += [f"merges {a} {b}" for a, b in combinations(merges[:400], 2) if _overlap(a, b)]
    for rule in root.iter("{*}dataValidation"):
        text = rule.findtext("{*}formula1") or ""
        if rule.get("type") == "list" and text.startswith('"') and len(text) > 257:
            found.append("a list longer than 255")
    for element in root.iter():
        if (
            isinstance(element.tag, str)
            and element.tag.endswith(("}mergeCells", "}hyperlinks", "}dataValidations"))
            and not len(element)
        ):
            found.append(f"empty {element.tag}")
    return found


def _overlap(a: Any, b: Any) -> bool:
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def _check_tables(tables: list[Any]) -> list[str]:
    found = []
    if len({t.get("id") for t in tables}) != len(tables) or len({t.get("displayName") for t in tables}) != len(tables):
        found.append("tables of one id or name")
    for table in tables:
        left, top, right, bottom = range_boundaries(table.get("ref"))
        columns = table.find("{*}tableColumns")
        if bottom <= top or len(columns) != right - left + 1:
            found.append(f"table {table.get('ref')}")
    return found
