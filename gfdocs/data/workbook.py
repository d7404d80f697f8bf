"""Sheets of an .xlsx as rows of cells, read as a stream within bounds.

The zip is checked by `safezip` before a byte of a sheet is looked at (bombs, DTDs, macros, encrypted and old files).
A cell is the text it holds, with its kind: text, number, date, bool, formula, error, long (a number of more than the
15 digits Excel keeps). A value merged down several rows belongs to each of them. Nothing is calculated, no cached
result of a formula is believed.

Source: ECMA-376 part 1, 18.3 (worksheets), 18.4 (shared strings), 18.8 (styles).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from xml.parsers import expat

from gfdocs.data.source import Collector, SourceLimits, TextNode
from gfdocs.data.table import Cell, Row, column_letters
from gfdocs.errors import PackageError, Place, Text
from gfdocs.safezip import Package, get_main_part, read_package, read_relationships, safe_xml
from gfdocs.safezip.xml import UnsafeXml, make_parser

__all__ = ["read_sheets"]

SMALL_PART: Final = 16 << 20  # bytes of workbook.xml and styles.xml, which are read as a tree
CHUNK: Final = 1 << 16
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_ROW_NUMBER: Final = re.compile(r"0*[1-9][0-9]{0,6}")
_MERGE: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})"')
_HIDDEN_COLUMN: Final = re.compile(rb'<(?:\w+:)?col\s(?=[^>]*?hidden="(?:1|true)")[^>]*?min="(\d{1,5})"')
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_DATE_IDS: Final = frozenset((*range(14, 18), 22, *range(27, 32), *range(34, 37), *range(50, 59)))
_QUOTED: Final = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|\*.')


@dataclass(slots=True)
class _Workbook:
    """What cells need to be read: shared strings, which styles are dates, which day is 0."""

    strings: list[str] = field(default_factory=list)
    dates: frozenset[int] = frozenset()
    epoch: dt.date = dt.date(1899, 12, 30)


class _Unreadable(Exception):
    """A part is no XML (GF127), or over budget (GF104); the text says which."""

    def __init__(self, text: Text, code: str = "GF127") -> None:
        self.text, self.code = text, code


class _OverBudget(_Unreadable):
    def __init__(self, en: str, zh: str) -> None:
        super().__init__(Text(en, zh), "GF104")


def read_sheets(
    data: bytes, file: str, issues: Collector, limits: SourceLimits
) -> Iterator[tuple[str, Iterator[Row], Callable[[Any], Place]]]:
    """Yield (name, rows, placer) of each visible sheet; whatever is wrong with the file becomes issues."""
    try:
        package = read_package(data, name=file)
        for warning in package.issues:
            issues.issues.append(warning)
        sheets, book = _open(package, limits)
    except PackageError as fault:
        for issue in fault.issues:
            issues.add(issue.code, issue.place, _text(issue.fact), issue.hint, severity=issue.severity)
        return
    except _Unreadable as fault:
        _add_unreadable(issues, Place(file), fault)
        return
    if len(sheets) > limits.sheets:
        issues.add(
            "GF104",
            Place(file),
            Text(f"more than {limits.sheets} sheets", f"超过 {limits.sheets} 个工作表"),
            Text("delete sheets that are not data", "请删除多余的工作表"),
        )
        return
    for name, part, hidden in sheets:
        rows = _guard(_read_rows(package.read(part), book, limits), Place(file, path=(name,)), issues)
        if hidden:
            if any(cell is not None and len(cell.value) > 3 for _, cells in rows for cell in cells if len(cells) > 2):
                fact = Text("a hidden sheet is not read", "隐藏的工作表未读取")
                hint = Text("show it, or delete it", "请取消隐藏或删除")
                issues.add("GF128", Place(file, path=(name,)), fact, hint, severity="warning")
            continue
        placer = _placer(file, name)
        _report_hidden(package.read(part), file, name, issues)
        yield name, rows, placer


def _text(fact: str) -> Text:
    return fact if isinstance(fact, Text) else Text(fact, fact)


def _placer(file: str, sheet: str) -> Callable[[Any], Place]:
    def place(mark: Any) -> Place:
        return Place(file, path=(f"{sheet}!{column_letters(mark.column)}{mark.line + 1}",))

    return place


def _guard(rows: Iterator[Row], place: Place, issues: Collector) -> Iterator[Row]:
    try:
        yield from rows
    except _Unreadable as fault:
        _add_unreadable(issues, place, fault)


def _add_unreadable(issues: Collector, place: Place, fault: _Unreadable) -> None:
    hint = Text("open it in Excel or WPS and save it again", "请用 Excel 或 WPS 打开后重新保存")
    if fault.code == "GF104":
        hint = Text("delete what is not data, or split the file", "请删除多余内容，或拆分文件")
    issues.add(fault.code, place, fault.text, hint)


_SHOW: Final = Text("show them, or delete what is not meant", "请取消隐藏，或删除不需要的内容")


def _report_hidden(data: bytes, file: str, sheet: str, issues: Collector) -> None:
    columns = [column_letters(int(match[1]) - 1) for match in _HIDDEN_COLUMN.finditer(data[:CHUNK])]
    if columns:
        fact = Text(f"hidden columns {', '.join(columns)} are read as well", f"隐藏列 {'、'.join(columns)} 也一并读取")
        issues.add("GF128", Place(file, path=(sheet,)), fact, _SHOW, severity="warning")
    rows = re.findall(rb'<(?:\w+:)?row\s(?=[^>]*?hidden="(?:1|true)")[^>]*?\br="(\d{1,7})"', data)
    if rows:
        listed = ", ".join(row.decode() for row in rows[:10]) + (" …" if len(rows) > 10 else "")
        fact = Text(f"hidden rows {listed} are read as well", f"隐藏行 {listed} 也一并读取")
        issues.add("GF128", Place(file, path=(sheet,)), fact, _SHOW, severity="warning")


# -- the parts beside the sheets -----------------------------------------------------------------------------------


def _open(package: Package, limits: SourceLimits) -> tuple[list[tuple[str, str, bool]], _Workbook]:
    """Return the sheets as (name, part, hidden), in their order, and what their cells need."""
    main = get_main_part(package)
    root = _tree(package, main)
    relations = {relation.id: relation for relation in read_relationships(package, main)}
    by_type = {relation.type: relation.target for relation in relations.values() if relation.target in package}
    sheets: list[tuple[str, str, bool]] = []
    for sheet in root.iter("{*}sheet"):
        identity = next((value for key, value in sheet.attrib.items() if str(key).endswith("}id")), "")
        relation = relations.get(str(identity))
        if relation is not None and relation.type == "worksheet" and relation.target in package:
            hidden = sheet.get("state", "visible") != "visible"
            sheets.append((sheet.get("name") or f"Sheet{len(sheets) + 1}", relation.target, hidden))
    book = _Workbook()
    properties = next(root.iter("{*}workbookPr"), None)
    if properties is not None and properties.get("date1904") in ("1", "true"):
        book.epoch = dt.date(1904, 1, 1)
    if "sharedStrings" in by_type:
        book.strings = _read_strings(package.read(by_type["sharedStrings"]), limits)
    if "styles" in by_type:
        book.dates = _date_styles(_tree(package, by_type["styles"]))
    return sheets, book


def _tree(package: Package, part: str) -> Any:
    if package.member(part).size > SMALL_PART:
        raise _OverBudget(f"the part {part} is too large", f"部件 {part} 过大")
    return safe_xml(package.read(part), name=package.name, part=part)


def _date_styles(root: Any) -> frozenset[int]:
    """Return the cell style indexes whose number format is a date."""
    custom = {fmt.get("numFmtId"): fmt.get("formatCode") or "" for fmt in root.iter("{*}numFmt")}
    formats = next(root.iter("{*}cellXfs"), None)
    found = set()
    for index, style in enumerate(formats if formats is not None else ()):
        number = style.get("numFmtId") or "0"
        code = _QUOTED.sub("", custom.get(number, "")).lower()
        if (number.isdigit() and int(number) in _DATE_IDS and number not in custom) or re.search("[yd年月日]", code):
            found.add(index)
    return frozenset(found)


def _read_strings(data: bytes, limits: SourceLimits) -> list[str]:
    """Return the shared strings; text of phonetic runs (rPh) is not part of them."""
    strings: list[str] = []
    text: list[str] = []
    state = {"t": False, "phonetic": 0}

    def start(tag: str, _: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "si":
            text.clear()
        elif tag == "rPh":
            state["phonetic"] += 1
        state["t"] = tag == "t" and not state["phonetic"]

    def end(tag: str) -> None:
        tag = tag.rpartition(":")[2]
        state["t"] = False
        if tag == "rPh":
            state["phonetic"] -= 1
        elif tag == "si":
            strings.append(_unescape("".join(text)))
            if len(strings) > 20 * limits.rows:
                raise _OverBudget("too many shared strings", "共享字符串过多")

    def characters(part: str) -> None:
        if state["t"]:
            text.append(part)

    for _ in _parse(data, start, end, characters):
        pass
    return strings


def _unescape(text: str) -> str:
    """Return the text with Excel's _xHHHH_ as the characters they stand for."""
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _parse(data: bytes, start: Any, end: Any, characters: Any) -> Iterator[None]:
    """Drive expat over the bytes, piece by piece, so that who asks for rows gets them as they come."""
    parser = make_parser(start, end, characters)
    try:
        for at in range(0, len(data), CHUNK):
            parser.Parse(data[at : at + CHUNK], False)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as exc:
        fact = Text(f"a part is not well-formed XML: {exc}", f"部件不是格式良好的 XML：{exc}")
        raise _Unreadable(fact) from exc
    except UnsafeXml as exc:
        raise _Unreadable(exc.text) from exc


# -- a sheet -------------------------------------------------------------------------------------------------------


class _Sheet:
    """The handlers of one sheet's XML; finished rows wait in `rows`."""

    def __init__(self, book: _Workbook, limits: SourceLimits) -> None:
        self.book, self.limits = book, limits
        self.rows: list[Row] = []
        self.number = 0
        self.numbered = False
        self.cells: list[Cell | None] = []
        self.count = 0
        self.column = -1
        self.type = self.style = ""
        self.value: list[str] = []
        self.formula: list[str] | None = None
        self.inside = ""
        self.phonetic = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2]
        if tag == "row":
            number = attributes.get("r", "")
            self.numbered = bool(number)
            if self.numbered and not _ROW_NUMBER.fullmatch(number):
                raise _Unreadable(Text(f"a row has the number {number[:20]!r}", f"行号 {number[:20]!r} 有误"))
            self.number = int(number) if self.numbered else self.number + 1
            self.cells, self.column = [], -1
        elif tag == "c":
            self.column = self._place(attributes["r"]) if attributes.get("r") else self.column + 1
            self.type, self.style = attributes.get("t", "n"), attributes.get("s", "0")
            self.value, self.formula = [], None
        elif tag == "f":
            self.inside, self.formula = "f", []
        elif tag == "v" or (tag == "t" and not self.phonetic):
            self.inside = tag
        elif tag == "rPh":
            self.phonetic += 1

    def _place(self, reference: str) -> int:
        """Return the column of a cell's reference, which must be of this row; it tells the row where `<row>` doesn't."""
        match = _REFERENCE.fullmatch(reference)
        if match is not None and not self.numbered and not self.cells:
            self.number = max(self.number, int(match[2]))
        if match is None or int(match[2]) != self.number:
            shown = repr(reference[:20])
            raise _Unreadable(
                Text(f"row {self.number} has a cell {shown}", f"第 {self.number} 行的单元格编号 {shown} 有误")
            )
        return _column_index(match[1])

    def characters(self, text: str) -> None:
        if self.inside == "f" and self.formula is not None:
            self.formula.append(text)
        elif self.inside:
            self.value.append(text)

    def end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        self.inside = ""
        if tag == "c":
            self._add_cell()
        elif tag == "rPh":
            self.phonetic -= 1
        elif tag == "row":
            if self.number > self.limits.rows and any(cell is not None for cell in self.cells):
                n = self.limits.rows
                raise _OverBudget(f"a value below row {n}", f"第 {n} 行以下还有内容")
            self.rows.append((self.number, self.cells))
            self.cells = []

    def _add_cell(self) -> None:
        if not self.value and self.formula is None:
            return
        if self.column >= self.limits.columns:
            n = self.limits.columns
            raise _OverBudget(f"a value right of column {n}", f"第 {n} 列以外还有内容")
        self.count += 1
        if self.count > 20 * self.limits.rows:
            raise _OverBudget("too many cells", "单元格过多")
        text, kind = self._read_value()
        while len(self.cells) <= self.column:
            self.cells.append(None)
        self.cells[self.column] = TextNode(text, self.number - 1, self.column, '"', kind)

    def _read_value(self) -> tuple[str, str]:
        if self.formula is not None:
            return "=" + "".join(self.formula), "formula"
        text = "".join(self.value)
        if self.type == "s":
            index = int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 10 else -1
            if not 0 <= index < len(self.book.strings):
                raise _Unreadable(
                    Text(
                        f"{column_letters(self.column)}{self.number} points to no text", "单元格指向不存在的共享字符串"
                    )
                )
            return self.book.strings[index], "text"
        if self.type in ("inlineStr", "str"):
            return _unescape(text), "text"
        if self.type == "b":
            return ("是" if text.strip() == "1" else "否"), "bool"
        if self.type == "e":
            return text, "error"
        if self.type == "d":
            return text[:10], "date"
        is_date = self.style.isdigit() and len(self.style) < 7 and int(self.style) in self.book.dates
        return number_text(text.strip(), self.book.epoch if is_date else None)


def _column_index(letters: str) -> int:
    index = 0
    for letter in letters:
        index = 26 * index + ord(letter) - 64
    return index - 1


def number_text(text: str, epoch: dt.date | None) -> tuple[str, str]:
    """Return (what a person reads in the cell, kind) of a stored number: 15 digits, no exponent; an ISO date."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text, "text"
    if not number.is_finite() or abs(number.adjusted()) > 40:
        return text, "text"
    if epoch is not None and 0 < number < 2_958_466:
        return (epoch + dt.timedelta(days=int(number))).isoformat(), "date"
    if number == number.to_integral_value():
        plain = f"{number.to_integral_value():f}"
        return plain, "long" if len(plain.lstrip("-")) > 15 else "number"
    return f"{Decimal(format(float(number), '.15g')):f}", "number"


def _read_rows(data: bytes, book: _Workbook, limits: SourceLimits) -> Iterator[Row]:
    """Yield the rows that are there; a value merged down is repeated in the rows under it."""
    if data.count(b"<row ") > limits.rows or data.count(b"<c ") > 20 * limits.rows:
        n = limits.rows
        raise _OverBudget(f"more than {n} rows or {20 * n} cells", f"超过 {n} 行或 {20 * n} 个单元格")
    merges = _down_merges(data)
    sheet = _Sheet(book, limits)
    running: dict[int, tuple[int, Cell]] = {}
    for _ in _parse(data, sheet.start, sheet.end, sheet.characters):
        rows, sheet.rows = sheet.rows, []
        for number, cells in rows:
            _fill_merged(number, cells, merges, running)
            yield number, cells


def _down_merges(data: bytes) -> dict[tuple[int, int], int]:
    """Return (row, column) → last row, of merges one column wide."""
    merges = {}
    for match in _MERGE.finditer(data):
        if match[1] == match[3] and int(match[4]) > int(match[2]):
            merges[int(match[2]), _column_index(match[1].decode())] = int(match[4])
    return merges


def _fill_merged(
    number: int, cells: list[Cell | None], merges: dict[tuple[int, int], int], running: dict[int, tuple[int, Cell]]
) -> None:
    if not merges:
        return
    for column, cell in enumerate(cells):
        last = merges.get((number, column))
        if last is not None and cell is not None:
            running[column] = (last, cell)
    for column, (last, cell) in list(running.items()):
        if number > last:
            del running[column]
        elif number > cell.line + 1 and any(other is not None for other in cells):
            while len(cells) <= column:
                cells.append(None)
            if cells[column] is None:
                cells[column] = TextNode(cell.value, cell.line, cell.column, cell.style, cell.kind)
