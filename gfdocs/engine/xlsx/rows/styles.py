"""Cell styles a document needs beyond the template's: added at the end of `cellXfs`, nothing else is changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from gfdocs.engine.xlsx.rows.values import VARIANT_FORMATS, StyleVariants
from gfdocs.engine.xlsx.template.workbook import child, children, local_name, namespace_of


def add_variants(root: Any, variants: StyleVariants) -> None:
    """Add the variants to a parsed styles part, in the order of their numbers."""
    from lxml import etree

    section = next(item for item in root if local_name(item) == "cellXfs")
    existing = children(section, "xf")
    formats: dict[str, str] = {}
    for (style, variant), _ in variants.found.items():
        base = existing[int(style)] if int(style) < len(existing) else existing[0]
        copy = deepcopy(base)
        if variant == "quote":
            copy.set("quotePrefix", "1")
        else:
            if variant not in formats:
                formats[variant] = _add_format(root, VARIANT_FORMATS[variant])
            copy.set("numFmtId", formats[variant])
            copy.set("applyNumberFormat", "1")
        section.append(copy)
    section.set("count", str(len(children(section, "xf"))))
    del etree


def _add_format(root: Any, code: str) -> str:
    """Return the number of a format code, added to `numFmts` where it is not there."""
    from lxml import etree

    namespace = namespace_of(root)
    section = child(root, "numFmts")
    if section is None:
        section = etree.Element(f"{namespace}numFmts")
        root.insert(0, section)
    taken = {int(item.get("numFmtId", 0)): item.get("formatCode") for item in children(section, "numFmt")}
    for number, known in taken.items():
        if known == code:
            return str(number)
    number = max([163, *taken]) + 1
    etree.SubElement(section, f"{namespace}numFmt", numFmtId=str(number), formatCode=code)
    section.set("count", str(len(children(section, "numFmt"))))
    return str(number)
