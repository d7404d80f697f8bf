"""A worksheet part as rows of cells and the frame around them.

The part is scanned once with expat: `<sheetData>` becomes `RowPart`s, everything before and after it stays as it is
(the frame), with an empty `<sheetData/>` marking the place. Attributes we don't know are carried along.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any
from xml.parsers import expat

from gfdocs.engine.xlsx.references import letter, split_cell, translate_shared
from gfdocs.errors import Text

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class FormulaPart:
    """`<f>`: its text without `=`, its kind ("" | array | dataTable), the range it fills, other attributes as
    written.
    """

    text: str
    kind: str = ""
    ref: str = ""
    extra: str = ""


@dataclass(frozen=True, slots=True)
class CellPart:
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


@dataclass(frozen=True, slots=True)
class RowPart:
    """`<row>`: its number, its attributes but `r` and `spans` (as written, with a leading space), its cells in order."""

    number: int
    attributes: str
    cells: tuple[CellPart, ...]
    is_hidden: bool = False


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
    """The expat handlers of one worksheet."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.rows: list[RowPart] = []
        self.prefix = ""
        self.start = self.stop = -1
        self.shared: dict[str, tuple[str, str]] = {}
        self._depth = 0
        self._row_attributes: Attributes = {}
        self._row = 0
        self._cells: list[CellPart] = []
        self._cell: dict[str, Any] | None = None
        self._text: list[str] | None = None
        self._inline_start = -1
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._open
        self.parser.EndElementHandler = self._close
        self.parser.CharacterDataHandler = self._characters

    def _open(self, name: str, attributes: Attributes) -> None:
        self._depth += 1
        local = name.rpartition(":")[2] if ":" in name else name
        if self._depth == 2 and local == "sheetData":
            self.prefix = name[: -len(local)]
            self.start = self.parser.CurrentByteIndex
        elif self.start < 0 or self.stop >= 0:
            return
        elif self._depth == 3 and local == "row":
            self._row = self._read_row_number(attributes.pop("r", ""))
            attributes.pop("spans", None)
            self._row_attributes, self._cells = attributes, []
        elif self._depth == 4 and local == "c":
            self._open_cell(attributes)
        elif self._cell is not None and self._depth == 5:
            if local in ("v", "f"):
                self._text = []
                if local == "f":
                    self._cell["f"] = attributes
            elif local == "is":
                self._inline_start = self.parser.CurrentByteIndex

    def _read_row_number(self, text: str) -> int:
        if not text:
            return self._row + 1
        if not (text.isascii() and text.isdigit() and len(text) < 8 and int(text)):
            raise OddSheet(f"a row has the number {text[:20]!r}", f"行号 {text[:20]!r} 有误")
        return int(text)

    def _open_cell(self, attributes: Attributes) -> None:
        column, _ = split_cell(attributes.pop("r", ""))
        column = column or (self._cells[-1].column if self._cells else 0) + 1
        self._cell = {
            "column": column, "style": attributes.pop("s", ""), "kind": attributes.pop("t", ""), "extra": write_attributes(attributes),
        }  # fmt: skip

    def _characters(self, text: str) -> None:
        if self._text is not None:
            self._text.append(text)

    def _close(self, name: str) -> None:
        depth, self._depth = self._depth, self._depth - 1
        if self.start < 0 or self.stop >= 0:
            return
        local = name.rpartition(":")[2] if ":" in name else name
        if depth == 2 and local == "sheetData":
            self.stop = self._end_of_tag(self.start)
        elif depth == 3 and local == "row":
            hidden = self._row_attributes.get("hidden", "") in ("1", "true")
            cells = tuple(sorted(self._cells, key=_COLUMN) if len(self._cells) > 1 else self._cells)
            self.rows.append(RowPart(self._row, write_attributes(self._row_attributes), cells, hidden))
        elif depth == 4 and local == "c" and self._cell is not None:
            self._close_cell(self._cell)
        elif depth == 5 and self._cell is not None:
            if local in ("v", "f"):
                self._cell["v" if local == "v" else "f_text"] = "".join(self._text or ())
                self._text = None
            elif local == "is":
                self._cell["is"] = self.data[self._inline_start : self._end_of_tag(self._inline_start)].decode("utf-8")

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

    def _close_cell(self, found: dict[str, Any]) -> None:
        self._cell = None
        formula = None
        if "f" in found:
            name = CellPart(found["column"], self._row).name
            formula = self._get_formula(found["f"], found.get("f_text", ""), name)
        self._cells.append(
            CellPart(
                found["column"], self._row, found["style"], found["kind"], found.get("v"), found.get("is", ""), formula, found["extra"]
            )
        )  # fmt: skip

    def _get_formula(self, attributes: Attributes, text: str, name: str) -> FormulaPart | None:
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


def to_utf8(data: bytes) -> bytes:
    """Return the part in UTF-8: other encodings are rare and are written again by lxml."""
    head = data[:200]
    if head[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" not in head[:8] and b"UTF-16" not in head.upper():
        return data
    from lxml import etree

    parser: Any = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return bytes(
        etree.tostring(etree.fromstring(data, parser), xml_declaration=True, encoding="UTF-8", standalone=True)
    )
