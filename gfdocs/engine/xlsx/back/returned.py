"""A returned workbook read as a stream within bounds: cells with what they hold, nothing calculated, nothing believed.

The zip was checked before (`safezip`). What is asked for here is bounded again: cells, rows, shared texts, merged
ranges. A cell is kept as the text it shows in the file's own words, with its kind: text, number, date, bool, formula,
error, long (a number of more than the 15 digits a spreadsheet keeps).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from gfdocs.engine.package import Limits, read_package
from gfdocs.engine.xlsx.formulas.references import column_number, letter
from gfdocs.engine.xlsx.geometry import MAX_COLUMN
from gfdocs.engine.xlsx.template.sheet import to_utf8
from gfdocs.engine.xlsx.template.workbook import Workbook, read_workbook, unescape_x
from gfdocs.errors import Issue, PackageError, Place, ReadBackError, Text
from gfdocs.safezip.xml import make_parser

MAX_CELLS = 1_000_000
MAX_ROWS = 200_000
MAX_TEXTS = 500_000
MAX_ROW = 1_000_000
"""A form ends far above the last row a sheet has: what stands there was not typed into the form."""
MAX_MERGES = 20_000
MAX_MERGED = 1_000_000
"""Cells of one merged range."""
MAX_SHEETS = 256

#: What one cell holds: a letter for its kind (see KINDS), then its text. One text a cell, since there may be a million.
Held = str
KINDS = {"t": "text", "n": "number", "d": "date", "b": "bool", "f": "formula", "e": "error", "l": "long"}


@dataclass
class ReturnedSheet:
    """One sheet that came back: its rows in order, each a mapping from column to what the cell holds."""

    name: str
    state: str
    rows: dict[int, dict[int, Held]] = field(default_factory=dict)
    merges: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: int = 0
    filled: int = 0

    def get(self, row: int, column: int) -> Held | None:
        cells = self.rows.get(row)
        return cells.get(column) if cells is not None else None


class _TooMuch(Exception):
    def __init__(self, en: str, zh: str) -> None:
        self.text = Text(en, zh)


_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})$")
_MERGE = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6}):([A-Z]{1,3})([1-9]\d{0,6})$")


def read_returned(data: bytes, *, name: str) -> list[ReturnedSheet]:
    """Return the sheets of a returned workbook; ReadBackError with every reason why it is not read."""
    try:
        package = read_package(data, name=name, limits=Limits())
        workbook = read_workbook(package)
        entries = [entry for entry in workbook.sheets if entry.is_worksheet]
        if len(entries) > MAX_SHEETS:
            raise _TooMuch(f"more than {MAX_SHEETS} sheets", f"工作表超过 {MAX_SHEETS} 张")
        book = _Book(workbook)
        sheets = []
        for entry in entries:
            sheet = ReturnedSheet(entry.name, entry.state)
            xml = to_utf8(package.read(entry.part), name=package.name, part=entry.part)
            _read_sheet(xml, sheet, book)
            sheets.append(sheet)
    except PackageError as fault:
        raise ReadBackError(fault.issues) from fault
    except _TooMuch as fault:
        hint = Text("delete what lies outside the form and save it again", "请删除表格以外的内容后重新保存")
        raise ReadBackError(Issue("GF601", "error", Place(name), fault.text, hint)) from fault
    except (expat.ExpatError, ValueError, IndexError, OverflowError, KeyError, TypeError, AttributeError) as fault:
        fact = Text("a part of the workbook cannot be read, it is damaged", "工作簿的部件已损坏，无法读取")
        hint = Text("open it in Excel or WPS and save it again", "请用 Excel 或 WPS 打开后重新保存")
        raise ReadBackError(Issue("GF602", "error", Place(name), fact, hint)) from fault
    return sheets


class _Columns(dict[str, int]):
    """The numbers of columns by their letters, each found once."""

    def __missing__(self, letters: str) -> int:
        self[letters] = column_number(letters)
        return self[letters]


class _Book:
    """What cells need to be read: shared texts, which styles are dates, the first day."""

    def __init__(self, workbook: Workbook) -> None:
        part = workbook.find_part("sharedStrings")
        package = workbook.package
        self.texts = _read_texts(to_utf8(package.read(part), name=package.name, part=part)) if part is not None else []
        styles = workbook.styles
        self.dates = frozenset(str(index) for index in range(len(styles.formats)) if styles.is_date(str(index)))
        self.columns = _Columns()
        self.shapes: dict[Any, _Shape] = {}
        self.epoch = dt.datetime(1904, 1, 1) if workbook.is_1904 else dt.datetime(1899, 12, 30)


def _read_texts(data: bytes) -> list[str]:
    """Return the shared texts; phonetic runs are no part of them."""
    texts: list[str] = []
    pieces: list[str] = []
    state = [False, 0]  # inside <t>, depth of <rPh>

    def start(tag: str, _: dict[str, str]) -> None:
        local = tag.rpartition(":")[2]
        if local == "t":
            state[0] = not state[1]
        elif local == "rPh":
            state[1] += 1

    def end(tag: str) -> None:
        local = tag.rpartition(":")[2]
        if local == "t":
            state[0] = False
        elif local == "rPh":
            state[1] -= 1
        elif local == "si":
            texts.append(unescape_x("".join(pieces)))
            pieces.clear()
            if len(texts) > MAX_TEXTS:
                raise _TooMuch(f"more than {MAX_TEXTS:,} texts", f"文本超过 {MAX_TEXTS:,} 条")

    def characters(text: str) -> None:
        if state[0]:
            pieces.append(text)

    make_parser(start, end, characters).Parse(data, True)
    return texts


def _read_sheet(data: bytes, sheet: ReturnedSheet, book: _Book) -> None:
    """Read one worksheet part: the way Excel, WPS, LibreOffice and openpyxl write it quickly, any other way event by
    event.
    """
    if not _read_usual(data, sheet, book):
        sheet.rows, sheet.merges, sheet.hidden_rows, sheet.filled = {}, [], 0, 0
        _read_events(data, sheet, book)


# The usual form of a cell. A row is taken as a whole by the shape of a row before it (all but its values is literal),
# else cell by
# cell: where these do not add up to the row's whole text, the part is not in its usual form.
_CELL = re.compile(
    r'<c r="([A-Z]{1,3})[0-9]{1,7}"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?(?:/>|>(<f[^>]*(?:/>|>[^<]*</f>))?'
    r'(?:(?:<v>|<is><t(?: xml:space="preserve")?>)([^<]*)</(?:v|t></is)>|<v/>|<is><t/></is>)?</c>)'
)
_ROW_HIDDEN = re.compile(r'<row [^>]*\bhidden="(?:1|true)"')
_EMPTY_ROW = re.compile(r"<row [^<>]*/>")
_MERGE_CELL = re.compile(r'<mergeCell ref="([A-Z0-9:]+)"')
_BETWEEN = "\ue000"


def _unescape_all(texts: Sequence[str]) -> list[str]:
    """Return the texts with their entities read, by expat in one go (a writer in ASCII has one for each Chinese
    character).
    """
    pieces: list[str] = []
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.CharacterDataHandler = pieces.append
    parser.Parse(f"<t>{_BETWEEN.join(texts)}</t>".encode(), True)
    found = "".join(pieces).split(_BETWEEN)
    return found if len(found) == len(texts) else [_unescape_all([text])[0] for text in texts]


def _unescape(text: str) -> str:
    return _unescape_all([text])[0] if "&" in text and _BETWEEN not in text else text


def _read_usual(data: bytes, sheet: ReturnedSheet, book: _Book) -> bool:
    """Read a part in its usual form; False (and half a sheet) where it is not."""
    if b"\r" in data:
        return False
    text = data.decode("utf-8-sig")
    start, stop = text.find("<row"), text.rfind("</sheetData>")
    if start < 0 or stop < start:
        return False
    # What is not rows is read by expat, and refused where it is not well-formed; rows must be of a shape we know, else
    # all is read by expat.
    expat.ParserCreate().Parse((text[:start] + text[stop:]).encode("utf-8"), True)
    # Looked for among the bytes, which takes a fraction of the time.
    if b"/><row" in data or b"/></sheetData>" in data:
        text = text[:start] + _EMPTY_ROW.sub("", text[start:stop]) + text[stop:]
        stop = text.rfind("</sheetData>")
    if not _read_rows(text, start, stop, sheet, book):
        return False
    sheet.hidden_rows = len(_ROW_HIDDEN.findall(text, start, stop)) if b'hidden="' in data else 0
    for ref in _MERGE_CELL.findall(text, stop):
        _add_merge(sheet, ref)
    return True


def _read_rows(body: str, at: int, stop: int, sheet: ReturnedSheet, book: _Book) -> bool:
    """Read the rows between two places, those of one shape together; False where one is in no usual form."""
    shape: _Shape | None = None
    batch: list[tuple[str, ...]] = []
    while at < stop:
        match = shape.expression.match(body, at) if shape is not None else None
        if match is None or len(batch) >= 1000:
            if shape is not None and not shape.read(batch, sheet, book):
                return False
            batch = []
        if match is None:
            end = body.find("</row>", at, stop)
            if end < 0:
                return not body[at:stop].strip()
            shape = _find_shape(body[at:end], book)
            match = shape.expression.match(body, at)
            if match is None:
                return False
        batch.append(match.groups())
        at = match.end()
    return shape is None or shape.read(batch, sheet, book)


@dataclass(frozen=True)
class _Shape:
    """How a row is written: an expression whose groups are its number and its cells' values, and what each of them is."""

    expression: re.Pattern[str]
    cells: tuple[tuple[int, str], ...]

    def read(self, batch: list[tuple[str, ...]], sheet: ReturnedSheet, book: _Book) -> bool:
        """Add rows to the sheet, column by column; False where a row is there twice."""
        if not batch:
            return True
        texts, *columns = zip(*batch, strict=True)
        numbers = list(map(int, texts))
        held = [_read_column(how, values, book) for (_, how), values in zip(self.cells, columns, strict=True)]
        places = [column for column, _ in self.cells]
        rows = [dict(zip(places, row, strict=True)) for row in (zip(*held, strict=True) if held else [()] * len(batch))]
        if not all(map(all, columns)):
            rows = [{column: value for column, value in cells.items() if value is not None} for cells in rows]
        filled = [(number, cells) for number, cells in zip(numbers, rows, strict=True) if cells]
        found = dict(filled)
        if len(found) < len(filled) or not sheet.rows.keys().isdisjoint(found):
            return False
        _check_row(max(found, default=1))
        sheet.rows.update(found)
        sheet.filled += sum(map(len, rows))
        if sheet.filled > MAX_CELLS:
            raise _TooMuch(f"more than {MAX_CELLS:,} filled cells", f"有内容的单元格超过 {MAX_CELLS:,} 个")
        if len(sheet.rows) > MAX_ROWS:
            raise _TooMuch(f"more than {MAX_ROWS:,} filled rows", f"有内容的行超过 {MAX_ROWS:,} 行")
        return True


def _read_column(how: str, values: Sequence[str | None], book: _Book) -> Sequence[Held | None]:
    """Return what the cells of one column hold; None for empty ones."""
    if how == "formula":
        return [_read_formula(_unescape(value or "")) for value in values]
    if not all(values):
        found = iter(_read_filled(how, [value for value in values if value], book))
        return [next(found) if value else None for value in values]
    return _read_filled(how, values, book)  # type: ignore[arg-type]


def _read_filled(how: str, values: Sequence[str], book: _Book) -> Sequence[Held]:
    if how == "s":
        texts = book.texts
        return ["t" + texts[int(value)] for value in values]
    if how == "inlineStr":
        joined = "".join(values)
        if "&" in joined:
            values = _unescape_all(values)
        if "_x" in joined:
            values = list(map(unescape_x, values))
        return ["t" + value for value in values]
    if how == "n":
        epoch = book.epoch
        return [
            "n" + value if value.isdigit() and len(value) <= 15 else _read_number(value, False, epoch)
            for value in values
        ]
    if how == "date":
        return [_read_number(value, True, book.epoch) for value in values]
    return [_read_other(how, _unescape(value)) for value in values]


def _find_shape(piece: str, book: _Book) -> _Shape:
    """Return the shape of a row's text, as far as its cells are in their usual form."""
    if piece.count("<c ") > MAX_COLUMN:
        raise _TooMuch(f"more than {MAX_COLUMN:,} cells in a row", f"一行超过 {MAX_COLUMN:,} 个单元格")
    found = [
        (book.columns[m[1]], m[1], m[2], m[3] or "n", "formula" if m[4] else "inline" if "<is>" in m[0] else "value")
        for m in _CELL.finditer(piece)
    ]
    key = tuple(found)
    shape = book.shapes.get(key)
    if shape is not None:
        return shape
    expression = r'\s*<row (?:[^<>"]*?"[^<"]*")*?\s*\br="([0-9]{1,7})"[^<>]*(?:/>|>)\s*'
    cells: list[tuple[int, str]] = []
    for column, letters, style, kind, content in found:
        expression += rf'<c r="{letters}\1"' + (f' s="{style}"' if style else "")
        if content == "formula":
            expression += r'(?: t="[A-Za-z]+")?><f[^<>]*(?:/>|>([^<]*)</f>)(?:<v>[^<]*</v>|<v/>)?</c>'
            cells.append((column, "formula"))
            continue
        # An empty cell may have no kind; one that holds something has this kind, and no other one is taken for it.
        own = f' t="{kind}"'
        value = (
            r'<is>(?:<t(?: xml:space="preserve")?>([^<]*)</t>|<t/>)</is>'
            if content == "inline"
            else r"(?:<v>([^<]*)</v>|<v/>)"
        )
        filled = f"(?:{own})?>" if kind == "n" else f"{own}>"
        expression += f"(?:{filled}{value}</c>|(?:{own})?(?:/>|></c>))"
        cells.append((column, "date" if kind == "n" and style in book.dates else kind))
    shape = book.shapes[key] = _Shape(re.compile(expression + "</row>"), tuple(cells))
    return shape


def _read_events(data: bytes, sheet: ReturnedSheet, book: _Book) -> None:
    """Read one worksheet part by its events. Elements are told by their names without prefix."""
    _Events(sheet, book).read(data)


class _Events:
    """Where the parser stands in a worksheet part: in which row and cell, and which characters are wanted."""

    def __init__(self, sheet: ReturnedSheet, book: _Book) -> None:
        self.sheet, self.book = sheet, book
        self.columns: dict[str, int] = {}
        self.row: dict[int, Held] = {}
        self.number = self.column = self.count = 0
        self.is_numbered = self.has_formula = False
        self.kind = self.style = ""
        self.value: list[str] = []
        self.formula: list[str] = []
        self.keep: list[str] | None = None
        self.phonetic = 0
        self.starts = {
            "c": self._start_cell, "v": self._start_value, "row": self._start_row, "t": self._start_text,
            "f": self._start_formula, "rPh": self._start_phonetic, "mergeCell": self._start_merge,
        }  # fmt: skip
        self.ends = {"c": self._end_cell, "row": self._end_row, "rPh": self._end_phonetic}

    def read(self, data: bytes) -> None:
        try:
            make_parser(self._start, self._end, self._characters).Parse(data, True)
        except IndexError:
            place = f"{self.sheet.name}!{letter(self.column)}{self.number}"
            raise ValueError(f"{place} points to no text") from None

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        found = self.starts.get(tag.rpartition(":")[2] if ":" in tag else tag)
        if found is not None:
            found(attributes)

    def _characters(self, text: str) -> None:
        if self.keep is not None:
            self.keep.append(text)

    def _end(self, tag: str) -> None:
        self.keep = None
        found = self.ends.get(tag.rpartition(":")[2] if ":" in tag else tag)
        if found is not None:
            found()

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r", "")
        self.is_numbered = bool(text)
        if text and not (text.isascii() and text.isdigit() and len(text) < 8 and int(text)):
            raise ValueError(f"{self.sheet.name!r} has a row {text[:20]!r}")
        self.number = int(text) if text else self.number + 1
        self.row, self.column = {}, 0
        if attributes.get("hidden") in ("1", "true"):
            self.sheet.hidden_rows += 1

    def _end_row(self) -> None:
        if not self.row:
            return
        if len(self.sheet.rows) >= MAX_ROWS:
            raise _TooMuch(f"more than {MAX_ROWS:,} filled rows", f"有内容的行超过 {MAX_ROWS:,} 行")
        _check_row(self.number)
        self.sheet.rows[self.number] = self.row

    def _start_cell(self, attributes: dict[str, str]) -> None:
        name = attributes.get("r", "")
        self.column = self._find_column(name) if name else self.column + 1
        self.kind, self.style = attributes.get("t", "n"), attributes.get("s", "")
        self.value.clear()
        self.has_formula = False

    def _find_column(self, name: str) -> int:
        """Return the column of a cell of that name. A row that has no number takes that of its first cell."""
        letters = name.rstrip("0123456789")
        digits = name[len(letters) :]
        if not self.is_numbered and not self.row and digits.isdigit() and len(name) < 11:
            self.number = max(self.number, int(digits))
        found = self.columns.get(letters)
        if found is None:
            found = self.columns[letters] = _read_letters(letters)
        if not found or digits != str(self.number):
            raise ValueError(f"row {self.number} of {self.sheet.name!r} has a cell {name[:20]!r}")
        return found

    def _end_cell(self) -> None:
        if not self.value and not self.has_formula:
            return
        self.count += 1
        if self.count > MAX_CELLS:
            raise _TooMuch(f"more than {MAX_CELLS:,} filled cells", f"有内容的单元格超过 {MAX_CELLS:,} 个")
        if self.has_formula:
            self.row[self.column] = _read_formula("".join(self.formula))
            return
        text = self.value[0] if len(self.value) == 1 else "".join(self.value)
        if self.kind == "s":
            self.row[self.column] = "t" + self.book.texts[int(text)]
        elif self.kind == "n":
            self.row[self.column] = _read_number(text, self.style in self.book.dates, self.book.epoch)
        else:
            self.row[self.column] = _read_other(self.kind, text)

    def _start_value(self, _: dict[str, str]) -> None:
        self.keep = self.value

    def _start_text(self, _: dict[str, str]) -> None:
        self.keep = None if self.phonetic else self.value

    def _start_formula(self, _: dict[str, str]) -> None:
        self.has_formula = True
        self.formula.clear()
        self.keep = self.formula

    def _start_phonetic(self, _: dict[str, str]) -> None:
        self.phonetic += 1

    def _end_phonetic(self) -> None:
        self.phonetic -= 1

    def _start_merge(self, attributes: dict[str, str]) -> None:
        _add_merge(self.sheet, attributes.get("ref", ""))


def _read_letters(letters: str) -> int:
    """Return the column these letters name; 0 where they name none."""
    if not (letters.isascii() and letters.isalpha() and letters.isupper() and len(letters) < 4):
        return 0
    number = column_number(letters)
    return number if number <= MAX_COLUMN else 0


def _check_row(number: int) -> None:
    if number > MAX_ROW:
        raise _TooMuch(f"a value below row {MAX_ROW:,}", f"第 {MAX_ROW:,} 行以下还有内容")


def _add_merge(sheet: ReturnedSheet, ref: str) -> None:
    match = _MERGE.match(ref)
    if match is None:
        return
    if len(sheet.merges) >= MAX_MERGES:
        raise _TooMuch(f"more than {MAX_MERGES:,} merged ranges", f"合并单元格超过 {MAX_MERGES:,} 处")
    merge = (column_number(match[1]), int(match[2]), column_number(match[3]), int(match[4]))
    if (merge[2] - merge[0] + 1) * (merge[3] - merge[1] + 1) > MAX_MERGED:
        raise _TooMuch(f"a merged range {ref} of more than {MAX_MERGED:,} cells", f"合并单元格 {ref} 范围过大")
    sheet.merges.append(merge)


#: What LibreOffice makes of a truth value.
_TRUTHS = {"TRUE()": "b是", "FALSE()": "b否"}


def _read_formula(text: str) -> Held:
    return _TRUTHS.get(text) or f"f={text}"


def _read_other(kind: str, text: str) -> Held:
    if kind in ("inlineStr", "str"):
        return "t" + unescape_x(text)
    if kind == "b":
        return "b是" if text.strip() in ("1", "true") else "b否"
    if kind == "e":
        return "e" + text
    if kind == "d":
        return "d" + text
    return "t" + text


def _read_number(text: str, is_date: bool, epoch: dt.datetime) -> Held:
    """Return a number as people write it: no exponent, no trace of binary rounding; a date as ISO text."""
    if text.isdigit() and not is_date:
        return ("n" if len(text) <= 15 else "l") + text
    if not is_date and len(text) <= 15 and "e" not in text and "E" not in text and text.isascii() and "_" not in text:
        number = float(text)
        if "." in text and text[-1] not in "0." and not text.startswith((".", "+", "-.")):
            return "n" + text
    number = float(text)
    if is_date:
        return _read_date(number, epoch)
    if number != number or number in (float("inf"), float("-inf")):
        return "e" + text
    if number.is_integer():
        whole = int(number)
        return ("n" if abs(whole) < 10**15 else "l") + str(whole)
    shown = f"{number:.15g}"
    if float(shown) != number:
        # More digits than a spreadsheet keeps: rounding noise where a shorter number is as near, else the number
        # itself.
        shown = shown if abs(float(shown) - number) <= abs(number) * 1e-15 else repr(number)
    return "n" + (format(_decimal(shown), "f") if "e" in shown else shown)


def _decimal(text: str) -> Any:
    from decimal import Decimal

    return Decimal(text)


def _read_date(number: float, epoch: dt.datetime) -> Held:
    if not 0 <= number < 2_958_466:
        return f"n{number:.15g}"
    days, seconds = divmod(round(number * 86400), 86400)
    if epoch.year == 1899 and days < 60:
        days += 1  # the calendar of 1900 counts a 29 February that never was
    if number < 1:
        return "d" + (dt.datetime.min + dt.timedelta(seconds=seconds)).time().isoformat()
    moment = epoch + dt.timedelta(days=days, seconds=seconds)
    return "d" + (moment.date().isoformat() if not seconds else moment.isoformat(sep=" "))
