"""A worksheet part as rows of cells and the frame around them.

The part is scanned once with expat: `<sheetData>` becomes `RowPart`s, everything before and after it stays as it is
(the frame), with an empty `<sheetData/>` marking the place. Attributes we don't know are carried along.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple
from xml.parsers import expat

from gfdocs.engine.package import safe_xml
from gfdocs.engine.xlsx.formulas.references import letter, split_cell, translate_shared
from gfdocs.errors import Text

Attributes = dict[str, str]

_BLANKS = " \t\r\n\u00a0\u3000"
_X_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True, slots=True)
class FormulaPart:
    """`<f>`: its text without `=`, its kind ("" | array | dataTable), the range it fills, other attributes as
    written.
    """

    text: str
    kind: str = ""
    ref: str = ""
    extra: str = ""


class CellPart(NamedTuple):
    """`<c>` as the template has it. `value` is the text of `<v>`, `inline` the raw `<is>` element, `extra` other
    attributes.
    """

    column: int
    row: int
    style: str = ""
    kind: str = ""
    value: str | None = None
    inline: str = ""
    formula: FormulaPart | None = None
    extra: str = ""

    @property
    def name(self) -> str:
        return f"{letter(self.column)}{self.row}"


class RowPart(NamedTuple):
    """`<row>`: its number, its attributes but `r` and `spans` (as written, with a leading space), its cells in order."""

    number: int
    attributes: str
    cells: tuple[CellPart, ...]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A worksheet part. `prefix` is the namespace prefix its elements carry (`x:` or empty); `frame` marks the rows'
    place.
    """

    frame: bytes
    prefix: str
    rows: tuple[RowPart, ...]

    @property
    def marker(self) -> bytes:
        return f"<{self.prefix}sheetData/>".encode()


def escape_text(text: str) -> str:
    """Escape for element content."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def write_text(text: str) -> str:
    """Escape a text for `<t>`: XML, and `_x` of what would be read as `_xHHHH_`."""
    if "_x" in text:
        text = _X_ESCAPE.sub("_x005F_", text)
    text = escape_text(text)
    return text.replace("\r", "_x000D_") if "\r" in text else text


def needs_space(text: str) -> bool:
    """True where a program may take blanks away from a text without `xml:space="preserve"`."""
    return text != text.strip(_BLANKS) or "\n" in text or "\t" in text or "  " in text


def escape_attribute(text: str) -> str:
    """Escape for an attribute in double quotes."""
    text = escape_text(text).replace('"', "&quot;")
    return text.replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")


def write_attributes(attributes: Attributes) -> str:
    if not attributes:
        return ""
    return "".join(f' {key}="{escape_attribute(value)}"' for key, value in attributes.items())


_COLUMN = attrgetter("column")


class OddSheet(ValueError):
    """A worksheet is well-formed XML, and still says what no sheet can mean."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.text = Text(en, zh)


class _Scanner:
    """The expat handlers of one worksheet: those that look for its rows, and those that read them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.rows: list[RowPart] = []
        self.prefix = ""
        self.start = self.stop = -1
        self.shared: dict[str, tuple[str, str]] = {}
        self._depth = 0
        self._locals: dict[str, str] = {}
        self._row_attributes: Attributes = {}
        self._row = 0
        self._cells: list[CellPart] = []
        self._cell: Attributes | None = None
        self._column = 0
        self._value: str | None = None
        self._inline = ""
        self._inline_start = -1
        self._formula: Attributes | None = None
        self._formula_text = ""
        self._text: list[str] = []
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._open_outside
        self.parser.EndElementHandler = self._close_outside

    def _local(self, name: str) -> str:
        found = self._locals.get(name)
        if found is None:
            found = self._locals[name] = name.rpartition(":")[2]
        return found

    # -- before and after the rows ------------------------------------------------------------------------------------

    def _open_outside(self, name: str, attributes: Attributes) -> None:
        del attributes
        self._depth += 1
        if self._depth == 2 and self.start < 0 and self._local(name) == "sheetData":
            self.prefix = name.removesuffix("sheetData")
            self.start = self.parser.CurrentByteIndex
            self._depth = 0
            self.parser.StartElementHandler = self._open
            self.parser.EndElementHandler = self._close

    def _close_outside(self, name: str) -> None:
        del name
        self._depth -= 1

    def _end_rows(self) -> None:
        self.stop = self._end_of_tag(self.start)
        self._depth = 1
        self.parser.StartElementHandler = self._open_outside
        self.parser.EndElementHandler = self._close_outside

    # -- rows (depth 1), cells (depth 2) and what they hold (depth 3) -------------------------------------------------

    def _open(self, name: str, attributes: Attributes) -> None:
        depth = self._depth = self._depth + 1
        local = self._local(name)
        if depth == 3:
            if self._cell is not None:
                self._open_content(local, attributes)
        elif depth == 2:
            if local == "c":
                self._open_cell(attributes)
        elif depth == 1 and local == "row":
            self._row = self._read_row_number(attributes.pop("r", ""))
            attributes.pop("spans", None)
            self._row_attributes, self._cells, self._column = attributes, [], 0

    def _read_row_number(self, text: str) -> int:
        if not text:
            return self._row + 1
        if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text)):
            raise OddSheet(f"a row has the number {text[:20]!r}", f"行号 {text[:20]!r} 有误")
        return int(text)

    def _open_cell(self, attributes: Attributes) -> None:
        self._column = split_cell(attributes.pop("r", ""))[0] or self._column + 1
        self._cell = attributes
        self._value, self._inline, self._formula, self._formula_text = None, "", None, ""

    def _open_content(self, local: str, attributes: Attributes) -> None:
        if local == "is":
            self._inline_start = self.parser.CurrentByteIndex
        elif local in ("v", "f"):
            self._text = []
            self.parser.CharacterDataHandler = self._text.append
            if local == "f":
                self._formula = attributes

    def _close(self, name: str) -> None:
        depth = self._depth
        self._depth = depth - 1
        if depth == 3:
            if self._cell is not None:
                self._close_content(self._local(name))
        elif depth == 2:
            if self._cell is not None and self._local(name) == "c":
                self._close_cell(self._cell)
        elif depth == 1:
            if self._local(name) == "row":
                self._close_row()
        elif depth == 0:
            self._end_rows()

    def _close_content(self, local: str) -> None:
        if local == "is":
            self._inline = self.data[self._inline_start : self._end_of_tag(self._inline_start)].decode("utf-8")
        elif local in ("v", "f"):
            self.parser.CharacterDataHandler = None
            if local == "v":
                self._value = "".join(self._text)
            else:
                self._formula_text = "".join(self._text)

    def _close_cell(self, attributes: Attributes) -> None:
        self._cell = None
        style, kind = attributes.pop("s", ""), attributes.pop("t", "")
        formula = None if self._formula is None else self._get_formula(self._formula)
        extra = write_attributes(attributes) if attributes else ""
        self._cells.append(CellPart(self._column, self._row, style, kind, self._value, self._inline, formula, extra))

    def _close_row(self) -> None:
        attributes, cells = self._row_attributes, self._cells
        if len(cells) > 1:
            cells.sort(key=_COLUMN)
        self.rows.append(RowPart(self._row, write_attributes(attributes), tuple(cells)))

    def _end_of_tag(self, start: int) -> int:
        """Return where the element that is closing and began at `start` ends; `<is/>` and `<sheetData/>` end where
        they begin.
        """
        first = self.data.index(b">", start)
        return (
            first + 1
            if self.data[first - 1 : first] == b"/"
            else self.data.index(b">", self.parser.CurrentByteIndex) + 1
        )

    def _get_formula(self, attributes: Attributes) -> FormulaPart | None:
        text, name = self._formula_text, f"{letter(self._column)}{self._row}"
        kind, ref = attributes.pop("t", ""), attributes.pop("ref", "")
        if kind == "shared":
            index = attributes.pop("si", "")
            if text:
                self.shared[index] = (text, name)
            else:
                master = self.shared.get(index)
                if master is None:
                    return None
                text = translate_shared(*master, name)
            return FormulaPart(text)
        return FormulaPart(text, "" if kind == "normal" else kind, ref, write_attributes(attributes))


def scan_sheet(data: bytes) -> SheetPart:
    """Return the rows and the frame of a worksheet part (UTF-8, known to be well-formed and free of a DTD).

    Shared formulas are written out, each cell its own. OddSheet where a row has no number.
    """
    scanner = _Scanner(data)
    scanner.parser.Parse(data, True)
    if scanner.start < 0:
        return SheetPart(data, "", ())
    marker = f"<{scanner.prefix}sheetData/>".encode()
    rows = tuple(sorted(scanner.rows, key=lambda row: row.number))
    return SheetPart(data[: scanner.start] + marker + data[scanner.stop :], scanner.prefix, rows)


def to_utf8(data: bytes, *, name: str, part: str) -> bytes:
    """Return the part in UTF-8: other encodings are rare and are written again by lxml.

    PackageError GF313 where it is not what it says it is.
    """
    head = data[:200]
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" not in head[:8] and b"UTF-16" not in head.upper():
        return data
    from lxml import etree

    root = safe_xml(data, name=name, part=part)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))
