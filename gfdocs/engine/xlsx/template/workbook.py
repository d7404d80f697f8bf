"""The parts of a workbook that the engine needs to understand: sheets, names, shared strings, styles."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from gfdocs.engine.package import (
    ContentTypes,
    Package,
    Relationship,
    get_main_part,
    read_content_types,
    read_relationships,
    safe_xml,
)
from gfdocs.engine.xlsx.formulas.references import parse_reference

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STRICT_RELATIONS = "http://purl.oclc.org/ooxml/officeDocument/relationships"


def local_name(element: Any) -> str:
    """Return an element's name without its namespace; empty for comments and instructions."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def namespace_of(element: Any) -> str:
    """Return what stands before an element's local name in lxml's names: `{http://…}`, or nothing."""
    return str(element.tag[: -len(local_name(element))])


def children(element: Any, *names: str) -> list[Any]:
    """Return the child elements of these local names, in order."""
    return [child for child in element if local_name(child) in names]


def child(element: Any, name: str) -> Any | None:
    return next(iter(children(element, name)), None)


def to_whole(text: str | None, otherwise: int) -> int:
    """Return the whole number of an attribute; `otherwise` where there is none, or something that is no number."""
    return int(text) if text is not None and text.isdecimal() and len(text) < 10 else otherwise


def _to_size(text: str | None) -> float:
    """Return the size of a font in points; 11 where it is missing or none that Excel has (1 to 409)."""
    try:
        size = float(text or 11)
    except ValueError:
        return 11.0
    return size if 1 <= size <= 409 else 11.0


@dataclass(frozen=True, slots=True)
class TextRun:
    """A piece of a rich text: `properties` is the serialized inside of `<rPr>`, empty where the run has none."""

    text: str
    properties: str = ""


@dataclass(frozen=True, slots=True)
class SharedText:
    """One `<si>` or `<is>`: its text, and its runs where it is rich."""

    text: str
    runs: tuple[TextRun, ...] = ()


def write_properties(element: Any | None) -> str:
    """Serialize the inside of `<rPr>`, each element as `{P}name` for a prefix filled in later."""
    if element is None:
        return ""
    out = []
    for item in element:
        name = local_name(item)
        if name:
            attributes = "".join(f' {key.rpartition("}")[2]}="{value}"' for key, value in item.attrib.items())
            out.append(f"<\x00{name}{attributes}/>")
    return "".join(out)


def read_text_item(item: Any) -> SharedText:
    """Read an `<si>` or `<is>` element; phonetic runs (拼音) are no part of the text."""
    runs = []
    plain: list[str] = []
    for part in item:
        name = local_name(part)
        if name == "t":
            plain.append(unescape_x(part.text or ""))
        elif name == "r":
            text = "".join(unescape_x(t.text or "") for t in children(part, "t"))
            runs.append(TextRun(text, write_properties(child(part, "rPr"))))
    if runs:
        return SharedText("".join(plain) + "".join(run.text for run in runs), tuple(runs))
    return SharedText("".join(plain))


_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def unescape_x(text: str) -> str:
    """Read `_xHHHH_` (ST_Xstring): a control character in workbook text."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """One `<sheet>` of the workbook."""

    name: str
    part: str
    sheet_id: int
    relation: str
    state: str
    index: int
    is_worksheet: bool


@dataclass(frozen=True, slots=True)
class DefinedName:
    name: str
    text: str
    sheet_index: int | None
    position: int


@dataclass(frozen=True, slots=True)
class TablePart:
    """An Excel table: its data rows, its columns, and which of them are computed (column number → formula)."""

    part: str
    name: str
    first: int
    last: int
    column1: int
    column2: int
    computed: dict[int, str]
    columns: dict[str, int]
    """Column numbers by their headings (casefolded)."""


def read_table(package: Package, part: str) -> TablePart | None:
    """Return the table of a part; None where its range cannot be read."""
    root = safe_xml(package.read(part), name=package.name, part=part)
    ref = parse_reference(root.get("ref") or "")
    section = child(root, "tableColumns")
    if ref is None or section is None:
        return None
    computed, columns = {}, {}
    for offset, column in enumerate(children(section, "tableColumn")):
        columns[(column.get("name") or "").casefold()] = ref.column1 + offset
        formula = child(column, "calculatedColumnFormula")
        if formula is not None and formula.text:
            computed[ref.column1 + offset] = formula.text
    first = ref.row1 + to_whole(root.get("headerRowCount"), 1)
    last = ref.row2 - to_whole(root.get("totalsRowCount"), 0)
    name = root.get("displayName") or root.get("name") or ""
    return TablePart(part, name, first, last, ref.column1, ref.column2, computed, columns)


_DATE_LETTERS = re.compile(r"[ymdhs]", re.IGNORECASE)
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|_.|\*.', re.DOTALL)
_BUILTIN_DATES = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])


def is_date_format(code: str) -> bool:
    """True where a number format shows a date, time or duration."""
    first = code.split(";")[0]
    return bool(re.search(r"\[[hms]+\]", first, re.IGNORECASE) or _DATE_LETTERS.search(_NOT_FORMAT.sub("", first)))


@dataclass(frozen=True)
class Styles:
    """`cellXfs` and number formats, as far as values need them."""

    part: str
    formats: tuple[int, ...] = ()
    codes: dict[int, str] = field(default_factory=dict)
    wraps: tuple[bool, ...] = ()
    sizes: tuple[float, ...] = ()
    """The font size of each cell style, in points."""

    def _format(self, style: str) -> int:
        index = int(style or 0)
        return self.formats[index] if index < len(self.formats) else 0

    def code(self, style: str) -> str:
        """Return the number format code of a cell style, empty for General and unknown built-in ones."""
        return self.codes.get(self._format(style), "")

    def is_date(self, style: str) -> bool:
        number = self._format(style)
        return is_date_format(self.codes[number]) if number in self.codes else number in _BUILTIN_DATES

    def is_text(self, style: str) -> bool:
        number = self._format(style)
        return number == 49 or self.codes.get(number) == "@"

    def is_wrapped(self, style: str) -> bool:
        index = int(style or 0)
        return index < len(self.wraps) and self.wraps[index]

    def font_size(self, style: str) -> float:
        """Return the font size of a cell style in points."""
        index = int(style or 0)
        return self.sizes[index] if index < len(self.sizes) else 11.0


def read_styles(package: Package, part: str) -> Styles:
    root = safe_xml(package.read(part), name=package.name, part=part)
    codes: dict[int, str] = {}
    formats: list[int] = []
    wraps: list[bool] = []
    sizes: list[float] = []
    fonts: list[float] = []
    for section in root:
        if local_name(section) == "numFmts":
            codes |= {to_whole(f.get("numFmtId"), 0): f.get("formatCode", "") for f in children(section, "numFmt")}
        elif local_name(section) == "cellXfs":
            for xf in children(section, "xf"):
                formats.append(to_whole(xf.get("numFmtId"), 0))
                alignment = child(xf, "alignment")
                wraps.append(alignment is not None and alignment.get("wrapText") in ("1", "true"))
                font = to_whole(xf.get("fontId"), 0)
                sizes.append(fonts[font] if font < len(fonts) else 11.0)
        elif local_name(section) == "fonts":
            for font_element in children(section, "font"):
                size = child(font_element, "sz")
                fonts.append(_to_size(size.get("val")) if size is not None else 11.0)
    return Styles(part, tuple(formats), codes, tuple(wraps), tuple(sizes))


@dataclass(frozen=True)
class Workbook:
    """A package read as a workbook. Parts are read when they are asked for."""

    package: Package
    part: str
    relations: tuple[Relationship, ...]

    @cached_property
    def root(self) -> Any:
        return safe_xml(self.package.read(self.part), name=self.package.name, part=self.part)

    @cached_property
    def types(self) -> ContentTypes:
        return read_content_types(self.package)

    @cached_property
    def sheets(self) -> tuple[SheetEntry, ...]:
        section = child(self.root, "sheets")
        targets = {relation.id: relation for relation in self.relations}
        found = []
        for index, sheet in enumerate(children(section, "sheet") if section is not None else ()):
            relation_id = sheet.get(f"{{{RELATIONS}}}id") or sheet.get(f"{{{STRICT_RELATIONS}}}id") or ""
            relation = targets.get(relation_id)
            part = relation.target if relation is not None and relation.target in self.package else ""
            found.append(
                SheetEntry(
                    sheet.get("name") or "",
                    part,
                    to_whole(sheet.get("sheetId"), index + 1),
                    relation_id,
                    sheet.get("state") or "visible",
                    index,
                    relation is not None and relation.type == "worksheet" and bool(part),
                )
            )
        return tuple(found)

    @cached_property
    def names(self) -> tuple[DefinedName, ...]:
        section = child(self.root, "definedNames")
        found = []
        for position, name in enumerate(children(section, "definedName") if section is not None else ()):
            local = name.get("localSheetId")
            sheet = int(local) if local is not None and local.isdecimal() else None
            found.append(DefinedName(name.get("name") or "", name.text or "", sheet, position))
        return tuple(found)

    @cached_property
    def is_1904(self) -> bool:
        properties = child(self.root, "workbookPr")
        return properties is not None and properties.get("date1904") in ("1", "true")

    def find_part(self, kind: str) -> str | None:
        """Return the part of the workbook's relation of this type (`styles`, `sharedStrings`, `calcChain`), if it is
        there.
        """
        for relation in self.relations:
            if relation.type == kind and not relation.external and relation.target in self.package:
                return relation.target
        return None

    @cached_property
    def shared_texts(self) -> tuple[SharedText, ...]:
        part = self.find_part("sharedStrings")
        if part is None:
            return ()
        root = safe_xml(self.package.read(part), name=self.package.name, part=part)
        return tuple(read_text_item(item) for item in children(root, "si"))

    @cached_property
    def styles(self) -> Styles:
        part = self.find_part("styles")
        return read_styles(self.package, part) if part is not None else Styles("")

    def relations_of(self, part: str) -> tuple[Relationship, ...]:
        return read_relationships(self.package, part)


def read_workbook(package: Package) -> Workbook:
    """Return the workbook in a package; PackageError where there is none."""
    part = get_main_part(package)
    return Workbook(package, part, read_relationships(package, part))
