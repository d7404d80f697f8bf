"""Files of a project folder to a Dataset: every issue of every file in one run, every value with its place.

dataset = load_dataset("suzhou-2023")               DataError with all issues where one is an error
dataset.place_of("companies", 3, "credit_code")     companies.yaml:41:16
load_companies("companies.csv")                     one file by itself
records_from_raw(raw, settings)                     what a returned form says
"""

from __future__ import annotations

import os
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gfdocs.data import codes, zh
from gfdocs.data.fields import BAD, Checker, RecordSpec, get_spec, locate, put_nested, short, to_placed
from gfdocs.data.model import Category, Company, Settings
from gfdocs.data.source import (
    SUFFIXES,
    Collector,
    ListNode,
    MapNode,
    SourceLimits,
    TooMany,
    YamlReader,
    add_empty,
    check_text,
    decode_text,
    read_bytes,
    refuse_kind,
    to_place,
)
from gfdocs.data.table import IGNORED, Cell, Table, heading_tests, read_tables
from gfdocs.errors import DataError, Issue, Place, Text, did_you_mean
from gfdocs.raw import Raw

__all__ = ["Dataset", "load_companies", "load_dataset", "records_from_raw"]

SETTINGS_FILE: Final = "gfdocs.yaml"
LIST_KEYS: Final = ("companies", "企业", "企业名单", "名单", "企业数据", "单位", "units")
"""The top-level keys of companies.yaml under which the list may stand."""


def _no_places() -> Places:
    return Places()


@dataclass(frozen=True, slots=True)
class Dataset:
    """All that the files of one project say, checked. `issues` are warnings and notes only."""

    settings: Settings
    companies: tuple[Company, ...]
    issues: tuple[Issue, ...] = ()
    places: Places = field(default_factory=_no_places, repr=False, compare=False)

    def place_of(self, *path: str | int) -> Place:
        """Return where a value stands: `place_of("companies", 3, "credit_code")`, `place_of("round", "number")`.

        A value that was not given has the place of what it would stand in; an empty Place where nothing was read from
        a file. Indexes count from 0, in the order of the records.
        """
        return self.places.find(path)

    def __repr__(self) -> str:
        return f"<Dataset {self.settings.round.name}: {len(self.companies)} companies, {len(self.issues)} issues>"


# -- places --------------------------------------------------------------------------------------------------------


class Places:
    """Where every value stands. Settings are kept as they are; a company is read again when somebody asks."""

    def __init__(self) -> None:
        self.settings: dict[tuple[Any, ...], Place] = {}
        self.starts: list[int] = []  # index of the first company of each origin
        self.origins: list[_YamlOrigin | _TableOrigin | _PlacedOrigin] = []
        self._last: tuple[int, dict[tuple[Any, ...], Place]] = (-1, {})

    def find(self, path: tuple[Any, ...]) -> Place:
        if path[:1] != ("companies",) or len(path) < 2:
            return _nearest(self.settings, path)
        index = int(path[1])
        if self._last[0] != index:
            at = bisect_right(self.starts, index) - 1
            if at < 0 or index >= self.starts[at] + self.origins[at].size:
                return Place()
            self._last = (index, self.origins[at].find(index - self.starts[at]))
        return _nearest(self._last[1], path[2:])

    def add_origin(self, origin: _YamlOrigin | _TableOrigin | _PlacedOrigin, start: int) -> None:
        self.starts.append(start)
        self.origins.append(origin)


def _nearest(places: dict[tuple[Any, ...], Place], path: tuple[Any, ...]) -> Place:
    while path not in places and path:
        path = path[:-1]
    return places.get(path, Place())


def _locate_all(spec: RecordSpec, node: Any, placer: Callable[[Any], Place]) -> dict[tuple[Any, ...], Place]:
    marks: dict[tuple[Any, ...], Any] = {}
    locate(spec, node, (), marks)
    return {path: placer(mark) for path, mark in marks.items()}


class _YamlOrigin:
    """The items of one list in a YAML text: start and end of each, four numbers."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.spans = array("I")
        self._lines: list[str] | None = None

    @property
    def size(self) -> int:
        return len(self.spans) // 4

    def add(self, node: MapNode) -> None:
        start, end = node.start_mark, node.end_mark
        self.spans.extend((start.line, start.column, end.line, end.column))

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        """Read the item's lines once more; they read well, since they did before."""
        line, column, end_line, end_column = self.spans[4 * index : 4 * index + 4]
        if self._lines is None:
            self._lines = re.split("\r\n|\n|\r", self.text)
        lines = [*self._lines[line:end_line], self._lines[end_line][:end_column] if end_line < len(self._lines) else ""]
        lines[0] = " " * column + lines[0][column:]
        node = YamlReader("\n".join(lines), self.file, Collector()).read()

        def placer(mark: Any) -> Place:
            return Place(self.file, line + mark.line + 1, mark.column + 1)

        return _locate_all(get_spec(Company), node, placer)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.file, self.text, self.spans

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        (self.file, self.text, self.spans), self._lines = state, None


class _PlacedOrigin:
    """Records whose places are kept one by one: rows of tables, returned forms."""

    def __init__(self) -> None:
        self.places: list[dict[tuple[Any, ...], Place]] = []

    @property
    def size(self) -> int:
        return len(self.places)

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        return self.places[index]


class _TableOrigin:
    """Rows of a table: the line or row of each and the marks of its cells by path."""

    def __init__(self, file: str, sheet: str, paths: list[tuple[str, ...] | None]) -> None:
        self.file, self.sheet = file, sheet
        self.paths = paths
        self.marks = array("I")  # for each row: for each column line and column, 0 0 where empty

    @property
    def size(self) -> int:
        return len(self.marks) // (2 * len(self.paths) + 2)

    def add(self, number: int, cells: list[Cell | None]) -> None:
        marks = [number - 1, 0]
        for index in range(len(self.paths)):
            cell = cells[index] if index < len(cells) else None
            marks += (cell.line + 1, cell.column) if cell is not None else (0, 0)
        self.marks.extend(marks)

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        width = 2 * len(self.paths) + 2
        marks = self.marks[width * index : width * (index + 1)]
        places: dict[tuple[Any, ...], Place] = {(): self._place(marks[0], None)}
        for position, path in enumerate(self.paths):
            line, column = marks[2 * position + 2 : 2 * position + 4]
            if path is None or not line:
                continue
            steps = tuple(0 if step == "*" else step for step in path)
            place = self._place(line - 1, column)
            for depth in range(1, len(steps)):
                places.setdefault(steps[:depth], place)
            places.setdefault(steps, place)
        return places

    def _place(self, line: int, column: int | None) -> Place:
        from gfdocs.data.table import column_letters

        if not self.sheet:
            return Place(self.file, line + 1, None if column is None else column + 1)
        cell = f"{line + 1}" if column is None else f"{column_letters(column)}{line + 1}"
        return Place(self.file, path=(f"{self.sheet}!{cell}",))


# -- companies -----------------------------------------------------------------------------------------------------


class CompanyLoader:
    """Takes companies node by node, from all files of a run; keeps records, places and who is there already."""

    def __init__(self, issues: Collector, settings: Settings | None) -> None:
        self.issues = issues
        self.companies: list[Company] = []
        self.places = Places()
        self.spec = get_spec(Company)
        self.districts, self.old_districts, self.regions = _district_tables(settings)
        self._codes: dict[tuple[str, str], tuple[int, str]] = {}
        self._names: dict[tuple[str, str], int] = {}

    def checker(self, file: str) -> Checker:
        check = Checker(self.issues, file)
        check.districts, check.old_districts, check.regions = self.districts, self.old_districts, self.regions
        return check

    def add(self, node: Any, check: Checker, keep: Callable[[], None]) -> None:
        """Check one company; `keep` notes its place, just before the record is added."""
        check.refused_district = False
        company = self.spec.build(node, check)
        if company is BAD or not company.name:
            return
        company = _split_name(company, node, check)
        keep()
        self.companies.append(company)
        _check_company(company, node, check)
        self._check_twice(company, node, check)

    def _check_twice(self, company: Company, node: MapNode, check: Checker) -> None:
        index = len(self.companies) - 1
        name = zh.normal_name(company.name)
        category = company.category.value
        first = self._names.setdefault((category, name), index) if name else index
        if first != index:
            self._add_twice(company, first, node, check, f'"{company.name}"', f"“{company.name}”")
        if not company.credit_code:
            return
        at = self._codes.setdefault((company.credit_code, ""), (index, name))
        if at[0] == index or first != index:
            return
        if self.companies[at[0]].category is company.category or at[1] != name:
            code = company.credit_code
            self._add_twice(company, at[0], node, check, f"credit code {code}", f"统一社会信用代码 {code}")

    def _add_twice(self, company: Company, first: int, node: MapNode, check: Checker, en: str, chinese: str) -> None:
        other = self.companies[first]
        place = self.places.find(("companies", first))
        same = other.name == company.name
        fact = Text(
            f"{en} is given twice, first at {place}"
            + ("" if same else f' as "{other.name}", here as "{company.name}"'),
            f"{chinese}重复，首次出现在 {place}" + ("" if same else f"（“{other.name}”，此处为“{company.name}”）"),
        )
        check.add("GF146", node, fact, Text("keep one of them", "请只保留一个"), also=(place,))

    # .. one file

    def read_yaml(self, data: bytes, file: str, limits: SourceLimits) -> None:
        text = decode_text(data, file, self.issues)
        if text is None:
            return
        check = self.checker(file)
        reader = YamlReader(text, file, self.issues, limits)
        origin = _YamlOrigin(file, reader.text)
        self.places.add_origin(origin, len(self.companies))

        def each(key: str, node: Any) -> None:
            self.add(node, check, lambda: origin.add(node))

        self._check_rest(reader.read(each, LIST_KEYS), reader, text, check)

    def _check_rest(self, root: Any, reader: YamlReader, text: str, check: Checker) -> None:
        """Look at what stands beside the list of companies."""
        if root is None:
            if not reader.broken:
                add_empty(check.file, self.issues)
        elif isinstance(root, MapNode):
            for key, node in root.entries.items():
                if key not in LIST_KEYS:
                    hint = did_you_mean(key, LIST_KEYS) or Text(
                        'companies stand under "companies:"', "企业列表写在 companies: 下"
                    )
                    check.add(
                        "GF130",
                        root.keys[key],
                        Text(f'no field "{short(key)}" here', f"没有“{short(key)}”这一项"),
                        hint,
                    )
                elif not isinstance(node, ListNode) and (node.__class__ is MapNode or node.value.strip()):
                    fact = Text(f'"{key}" must be a list of companies', f"“{key}”应为企业列表")
                    check.add("GF132", node, fact, Text('begin each company with "- "', "每家企业以“- ”开头"))
        elif not isinstance(root, ListNode):
            fact = Text("expected a list of companies, found a text", "应为企业列表，实际为一段文字")
            check.add("GF132", root, fact, Text('begin with "companies:"', "请以 companies: 开头"))

    def read_table(self, data: bytes, file: str, limits: SourceLimits) -> None:
        for table in read_tables(data, file, self.issues, limits, *heading_tests(self.spec)):
            self._read_rows(table, file)

    def _read_rows(self, table: Table, file: str) -> None:
        check = self.checker(file)
        check.table, check.placer = True, table.placer
        paths = _column_paths(self.spec, table, check)
        origin = _TableOrigin(file, table.name, paths)
        self.places.add_origin(origin, len(self.companies))
        category = _category_of(table, paths, check)
        named = paths.index(("name",))
        for number, cells in table.rows:
            filled = [i for i, cell in enumerate(cells) if cell is not None and zh.strip_outer(cell.value)]
            if not filled or not _is_company_row(cells, filled, named, paths, number, check):
                continue
            node = _row_node(number, cells, paths, table, check)
            if category is not None:
                node.entries["category"] = node.keys["category"] = category
            self.add(node, check, lambda number=number, cells=cells: origin.add(number, cells))  # type: ignore[misc]


def _district_tables(settings: Settings | None) -> tuple[dict[str, str], dict[str, str], frozenset[str]]:
    """Return (matching key → district), (key of an old code or name → district), (keys of province and city)."""
    if settings is None:
        return {}, {}, frozenset()
    listed = settings.districts
    old: list[tuple[int, tuple[str, ...]]] = []
    names: list[tuple[int, tuple[str, ...]]] = []
    for index, district in enumerate(listed):
        division = codes.find_division(district.code) if district.code else None
        division = division or codes.find_division(district.name)
        known = (division.code, division.name, *division.names) if division else ()
        names.append((index, (district.name, district.short_name, district.code, *known)))
        old.append((index, division.old_codes if division else ()))
    current = {key: listed[index].name for key, index in codes.district_keys(names).items()}
    exact = {text: listed[index].name for index, d in enumerate(listed) for text in (d.name,)}
    former = {key: listed[index].name for key, index in codes.district_keys(old).items() if key not in current}
    city, province = settings.round.city, settings.round.province
    regions = {province, city, province + city, province.removesuffix("省"), city.removesuffix("市")}
    keys = sorted({zh.normal_name(region) for region in regions if region} - set(current), key=len, reverse=True)
    return {**current, **exact}, former, frozenset(keys)


_FORMER = re.compile(r"(.+?)[（(]原(?:名)?[:：]?(.+)[)）]\s*")


def _split_name(company: Company, node: MapNode, check: Checker) -> Company:
    """Part 新名（原旧名） into name and former name, as published lists print renamed units."""
    match = None if "原" not in company.name or company.former_name else _FORMER.fullmatch(company.name)
    if not match:
        return company
    fact = Text(
        f'"{short(company.name)}" read as {match[1]}, formerly {match[2]}',
        f"“{short(company.name)}”按{match[1]}（曾用名{match[2]}）处理",
    )
    check.add("GF149", node, fact, severity="note")
    return company.model_copy(update={"name": match[1], "former_name": match[2]})


def _check_company(company: Company, node: MapNode, check: Checker) -> None:
    if check.wants_district and not company.district and check.districts and not check.refused_district:
        fact = Text(f"{short(company.name)}: no district", f"{short(company.name)}：没有县级市（区）")
        hint = Text("it stands in the city's list only; add district:", "只列入全市名单；请补充 district（所在地）")
        check.add("GF145", node, fact, hint, severity="warning")


# -- rows ----------------------------------------------------------------------------------------------------------

_TOTAL = re.compile(r"(合计|小计|总计|共计|累计)([:：(]?.{0,8})|共\d+家")


def _column_paths(spec: RecordSpec, table: Table, check: Checker) -> list[tuple[str, ...] | None]:
    """Return the field of each column; unknown headings are warnings, two for one field an error (districts aside)."""
    headings = [cell.value if cell is not None else "" for cell in table.headings]
    paths = spec.find_paths(headings)
    first: dict[tuple[str, ...], Any] = {}
    for index, (cell, path) in enumerate(zip(table.headings, paths, strict=True)):
        if cell is None or not cell.value.strip():
            paths[index] = None
        elif path is None:
            if zh.normal_heading(cell.value) not in IGNORED | _PASSED:
                known = [title for field_spec in spec.fields.values() for title in field_spec.headings]
                fact = Text(
                    f'column "{short(cell.value)}" is not known and not read', f"列“{short(cell.value)}”未识别，不读取"
                )
                check.add("GF121", cell, fact, did_you_mean(cell.value, known), severity="warning")
        elif path in first and path != ("district",):
            place = check.place(first[path])
            fact = Text(
                f'columns "{short(first[path].value)}" and "{short(cell.value)}" are both {".".join(path)}',
                f"列“{short(first[path].value)}”和“{short(cell.value)}”是同一项",
            )
            check.add("GF122", cell, fact, Text("take one of them out", "请删除其中一列"), also=(place,))
            paths[index] = None
        else:
            first[path] = cell
    return paths


_PASSED: Final = frozenset(
    map(zh.normal_heading, ("省", "省份", "省市", "市", "设区市", "所在地市", "province", "city", "company_name_raw"))
)


def _category_of(table: Table, paths: list[tuple[str, ...] | None], check: Checker) -> Cell | None:
    """Return the category that the sheet's name or the heading 园区名称 tells, where there is no column for it."""
    if ("category",) in paths:
        return None
    heading = table.headings[paths.index(("name",))]
    assert heading is not None
    by_sheet = {"工厂": Category.FACTORY, "园区": Category.PARK, "供应链": Category.SUPPLY_CHAIN}
    found = next((c for word, c in by_sheet.items() if word in table.name), None)
    if found is None and zh.normal_heading(heading.value) == "园区名称":
        found = Category.PARK
    if found is None:
        return None
    fact = Text(f"no column 名单类别: all rows are {found.value}", f"没有“名单类别”列：各行按{found.value}处理")
    check.add("GF109", heading, fact, severity="note")
    return Cell(found.value, heading.line, heading.column)


def _is_company_row(
    cells: list[Cell | None],
    filled: list[int],
    named: int,
    paths: list[tuple[str, ...] | None],
    number: int,
    check: Checker,
) -> bool:
    """Whether a row is a company: not a total, a group heading or a remark under the table."""
    texts = [cell for i in filled if (cell := cells[i]) is not None]
    if any(_TOTAL.fullmatch(zh.normal_name(text.value)) for text in texts[:3]):
        return False
    if named in filled:
        return True
    known = [i for i in filled if i < len(paths) and paths[i] is not None]
    if known and len(filled) > 1:
        return True
    if not texts[0].value.strip().isdigit():
        fact = Text(
            f'row {number} "{short(texts[0].value)}" has no name and is passed over',
            f"第 {number} 行“{short(texts[0].value)}”没有名称，已跳过",
        )
        check.add("GF123", texts[0], fact, severity="note")
    return False


def _row_node(
    number: int, cells: list[Cell | None], paths: list[tuple[str, ...] | None], table: Table, check: Checker
) -> MapNode:
    first = next((cell for cell in cells if cell is not None), None)
    node = MapNode(Cell("", number - 1, first.column if first is not None else 0))
    for index, cell in enumerate(cells):
        if cell is None:
            continue
        if index >= len(paths):
            if cell.value.strip():
                fact = Text(
                    f'"{short(cell.value)}" stands right of the last heading',
                    f"“{short(cell.value)}”在表头最后一列之外",
                )
                check.add("GF129", cell, fact, Text("is a comma in a text without quotes?", "是否有未加引号的逗号？"))
            continue
        path = paths[index]
        if path is None:
            continue
        _normalise_cell(cell, check)
        if len(path) == 1 and path[0] not in node.entries:
            node.entries[path[0]] = node.keys[path[0]] = cell
        elif path == ("district",):
            _choose_district(node, cell, check)
        else:
            put_nested(node, path, cell, cell, lambda first: None)
    return node


def _choose_district(node: MapNode, cell: Cell, check: Checker) -> None:
    """Of two columns for the district (地区: 江苏省, 所在区县: 昆山市), keep the one that names a district."""
    if zh.normal_name(cell.value) in check.districts or not zh.strip_outer(node.entries["district"].value):
        node.entries["district"] = cell


_LONG: Final = re.compile(r"-?[1-9]\d{15,}|-?\d\.\d+E\+(1[5-9]|[2-9]\d)", re.IGNORECASE)


def _normalise_cell(cell: Cell, check: Checker) -> None:
    """Take blanks off a cell's ends, NBSP among them, and refuse characters and formulas that cannot stand."""
    value = cell.value
    if cell.kind == "number" and _LONG.fullmatch(value):
        cell.kind = "long"
    if cell.kind in ("formula", "error", "long"):
        _refuse_cell(cell, check)
        cell.value, cell.style = "", ""
        return
    if not value.isprintable():
        if not check_text(value, check.place(cell), check.issues):
            cell.value, cell.style = "", ""
            return
        if "\u00a0" in value:
            fact = Text("a no-break space is read as a space", "不间断空格按普通空格处理")
            check.add("GF108", cell, fact, severity="note")
            value = value.replace("\u00a0", " ")
    cell.value = zh.strip_outer(value)
    cell.style = '"' if cell.value else ""


def _refuse_cell(cell: Cell, check: Checker) -> None:
    """Add why a workbook cell cannot be data: a formula, an error value, a number of more than 15 digits."""
    found = short(cell.value)
    if cell.kind == "long":
        fact = Text(
            f"the number {found} has more than 15 digits: the last ones are lost already",
            f"数字 {found} 超过 15 位：末尾几位已失真",
        )
        hint = Text("format the cell as text and type it again", "请把单元格设为文本格式后重新录入")
        check.add("GF125", cell, fact, hint)
        return
    if cell.kind == "error":
        fact = Text(f"the cell holds the error {found}", f"单元格为错误值 {found}")
    else:
        fact = Text(f"a formula in a data cell: {found}", f"数据单元格中有公式：{found}")
    check.add("GF126", cell, fact, Text("paste it as a value", "请改为粘贴数值"))


# -- the folder ----------------------------------------------------------------------------------------------------


def load_dataset(folder: str | Path, *, limits: SourceLimits | None = None) -> Dataset:
    """Return the Dataset of a project folder: gfdocs.yaml and the files of companies.

    All issues of all files are found in one run. DataError with every one of them where one is an error; warnings and
    notes of a good folder are in `Dataset.issues`.
    """
    limits = limits or SourceLimits()
    issues = Collector(limits.issues)
    path = Path(folder)
    if not _is_folder(path, issues):
        raise DataError(issues.sorted())
    settings, located = _guard(lambda: _load_settings(path, issues, limits)) or (None, {})
    loader = CompanyLoader(issues, settings)
    files = _guard(lambda: list(_company_files(path, settings, located, issues))) or []
    for file in files:
        _guard(lambda file=file: _load_file(loader, path / file, file, limits))  # type: ignore[misc]
    loader.places.settings = located
    found = issues.sorted()
    if issues.has_errors or settings is None:
        raise DataError(found)
    return Dataset(settings, tuple(loader.companies), tuple(found), loader.places)


def _guard(step: Callable[[], Any]) -> Any:
    """Run the reading of one file; None where it ended for too many issues."""
    try:
        return step()
    except TooMany:
        return None


def _is_folder(path: Path, issues: Collector) -> bool:
    file = str(path)
    try:
        if path.is_dir():
            return True
        exists = path.exists()
    except (OSError, ValueError):
        exists = False
    if exists:
        fact = Text("not a folder", "不是文件夹")
        issues.add(
            "GF102",
            Place(file),
            fact,
            Text("give the folder that holds gfdocs.yaml", "请给出 gfdocs.yaml 所在的文件夹"),
        )
    else:
        issues.add("GF101", Place(file), Text("no such folder", "文件夹不存在"), Text("look at the path", "请检查路径"))
    return False


def _load_settings(
    folder: Path, issues: Collector, limits: SourceLimits
) -> tuple[Settings | None, dict[tuple[Any, ...], Place]]:
    names = _names_in(folder, issues)
    if names is None:
        return None, {}
    file = next((name for name in (SETTINGS_FILE, "gfdocs.yml") if name in names), None)
    if file is None:
        fact = Text("no gfdocs.yaml in this folder", "文件夹中没有 gfdocs.yaml")
        hint = did_you_mean(SETTINGS_FILE, names) or Text(
            '"gfdocs new DIR" makes a folder to start from', "可用 gfdocs new 目录 建立起始文件夹"
        )
        issues.add("GF150", Place(str(folder / SETTINGS_FILE)), fact, hint)
        return None, {}
    data = read_bytes(folder / file, file, issues, limits)
    text = None if data is None else decode_text(data, file, issues)
    if text is None:
        return None, {}
    reader = YamlReader(text, file, issues, limits)
    node = reader.read()
    if node is None:
        if not reader.broken:
            add_empty(file, issues)
        return None, {}
    return _build_settings(node, file, reader.broken, issues)


def _build_settings(
    node: Any, file: str, broken: bool, issues: Collector
) -> tuple[Settings | None, dict[tuple[Any, ...], Place]]:
    spec = get_spec(Settings)
    check = Checker(issues, file)
    before = len(issues.issues)
    settings = spec.build(node, check)
    if broken:  # what is missing was perhaps in the lines that could not be read
        issues.issues[before:] = [issue for issue in issues.issues[before:] if issue.code != "GF131"]
    if settings is BAD:
        return None, {}
    located = _locate_all(spec, node, lambda mark: to_place(mark, file))
    whole = all(
        hasattr(settings, name) and getattr(settings, name) is not None
        for name in ("round", "issuer", "source", "districts")
    )
    if not whole:
        return None, located
    _check_settings(settings, located, issues)
    return settings, located


def _check_settings(settings: Settings, located: dict[tuple[Any, ...], Place], issues: Collector) -> None:
    """Check what one field alone cannot tell: districts and documents given twice, codes that belong to others."""
    seen: dict[str, int] = {}
    for index, district in enumerate(settings.districts):
        place = _nearest(located, ("districts", index, "name"))
        for text in filter(None, (district.name, district.code)):
            first = seen.setdefault(zh.normal_name(text), index)
            if first != index:
                _add_double(issues, "GF147", place, _nearest(located, ("districts", first, "name")), text)
        division = codes.find_division(district.name)
        if division and district.code and district.code != division.code:
            fact = Text(
                f"{district.name} has the code {district.code}, known is {division.code}",
                f"{district.name}的区划代码为 {district.code}，已知为 {division.code}",
            )
            issues.add("GF154", _nearest(located, ("districts", index, "code")), fact, severity="warning")
    for name in ("attachments", "documents"):
        texts = getattr(settings, name)
        _check_doubles([(text, _nearest(located, (name, index))) for index, text in enumerate(texts)], issues)
    due = [(d.document, _nearest(located, ("deadlines", i, "document"))) for i, d in enumerate(settings.deadlines)]
    _check_doubles(due, issues)


def _check_doubles(texts: Iterable[tuple[str, Place]], issues: Collector) -> None:
    seen: dict[str, Place] = {}
    for text, place in texts:
        if text in seen:
            _add_double(issues, "GF147", place, seen[text], text)
        seen.setdefault(text, place)


def _add_double(issues: Collector, code: str, place: Place, first: Place, text: str) -> None:
    fact = Text(f'"{short(text)}" is given twice', f"“{short(text)}”重复")
    issues.add(code, place, fact, Text("keep one of them", "请只保留一个"), also=(first,) if first != place else ())


def _names_in(folder: Path, issues: Collector) -> list[str] | None:
    """Return the names in a folder, None with an issue where it cannot be looked into."""
    try:
        return sorted(os.listdir(folder))
    except OSError as exc:
        fact = Text(f"the folder cannot be read: {exc.strerror}", f"文件夹无法读取：{exc.strerror}")
        issues.add("GF102", Place(str(folder)), fact)
        return None


def _company_files(
    folder: Path, settings: Settings | None, located: dict[tuple[Any, ...], Place], issues: Collector
) -> Iterator[str]:
    """Yield the files of companies by name, inside the folder only."""
    listed = settings.companies if settings is not None else ()
    names = _names_in(folder, issues) or []
    found = listed or _default_files(names)
    for index, name in enumerate(found):
        place = _nearest(located, ("companies", index)) if listed else Place(name)
        if not _is_inside(folder, name):
            fact = Text(f'"{short(name)}" is outside the project folder', f"“{short(name)}”不在项目文件夹内")
            issues.add("GF152", place, fact, Text("copy the file into the folder", "请把文件复制到项目文件夹"))
        elif not os.path.lexists(folder / name):
            fact = Text(f'no such file: "{short(name)}"', f"文件不存在：“{short(name)}”")
            issues.add("GF101", place, fact, did_you_mean(name, names))
        else:
            yield name
    if not found and settings is not None:
        fact = Text("no companies*.yaml, .csv or .xlsx in this folder", "文件夹中没有 companies*.yaml、.csv 或 .xlsx")
        hint = Text(
            'add one, or name the files under "companies:" in gfdocs.yaml',
            "请添加，或在 gfdocs.yaml 的 companies: 下列出文件名",
        )
        issues.add("GF151", Place(str(folder)), fact, hint)


def _default_files(names: Iterable[str]) -> tuple[str, ...]:
    """Return companies*.yaml|yml|csv|xlsx by stem, so that companies.yaml comes before companies-2.yaml."""
    found = (name for name in names if name.lower().startswith("companies") and name.lower().endswith(SUFFIXES))
    return tuple(sorted(found, key=lambda name: (Path(name).stem, name)))


def _is_inside(folder: Path, name: str) -> bool:
    """Whether the file is inside the folder, symbolic links followed; Windows' paths are seen through anywhere."""
    if "\x00" in name or re.match(r"[A-Za-z]:|[\\/]", name) or ".." in re.split(r"[\\/]", name):
        return False
    try:
        return (folder / name).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def _load_file(loader: CompanyLoader, path: Path, file: str, limits: SourceLimits) -> None:
    data = read_bytes(path, file, loader.issues, limits)
    if data is not None:
        _load_bytes(loader, data, file, limits)


def _load_bytes(loader: CompanyLoader, data: bytes, file: str, limits: SourceLimits) -> None:
    suffix = Path(file).suffix.lower()
    if suffix not in SUFFIXES:
        refuse_kind(file, loader.issues)
    elif not data.strip():
        add_empty(file, loader.issues)
    elif suffix in (".yaml", ".yml"):
        loader.read_yaml(data, file, limits)
    else:
        loader.read_table(data, file, limits)


def load_companies(
    source: str | Path | bytes,
    name: str | None = None,
    *,
    settings: Settings | None = None,
    issues: list[Issue] | None = None,
    limits: SourceLimits | None = None,
) -> tuple[Company, ...]:
    """Return the companies of one .yaml, .csv or .xlsx file.

    With `settings` districts are looked up in it. Warnings and notes are added to `issues`. DataError where one issue
    is an error.
    """
    limits = limits or SourceLimits()
    collector = Collector(limits.issues)
    loader = CompanyLoader(collector, settings)
    file = name or ("companies.yaml" if isinstance(source, bytes) else Path(source).name)
    if isinstance(source, bytes):
        _guard(lambda: _load_bytes(loader, source, file, limits))
    else:
        _guard(lambda: _load_file(loader, Path(source), file, limits))
    found = collector.sorted()
    if collector.has_errors:
        raise DataError(found)
    if issues is not None:
        issues.extend(found)
    return tuple(loader.companies)


# -- returned forms ------------------------------------------------------------------------------------------------

_LISTS: Final = {
    "companies": None, "factories": Category.FACTORY, "parks": Category.PARK, "supply_chains": Category.SUPPLY_CHAIN,
    "listed": None, "candidates": None, "units": None,
}  # fmt: skip


def records_from_raw(raw: Raw, settings: Settings | None = None) -> tuple[tuple[Company, ...], tuple[Issue, ...]]:
    """Return the companies that a returned form (`Template.read`) gives, and every issue, errors among them.

    Lists are found by the names templates use (companies, factories, parks, supply_chains, candidates …) at any depth;
    the category follows from the list where the form has no column for it. Nothing is raised: a returned form with
    faults is half useful, so what could be read comes out beside the issues.
    """
    issues = Collector()
    loader = CompanyLoader(issues, settings)
    origin = _PlacedOrigin()
    loader.places.add_origin(origin, 0)

    def walk(node: Any, key: str) -> None:
        if isinstance(node, MapNode):
            for name, child in node.entries.items():
                walk(child, name)
        elif isinstance(node, ListNode):
            for item in node.items:
                if key in _LISTS:
                    _add_returned(loader, origin, item, _LISTS[key])
                else:  # groups of companies, districts with their lists
                    walk(item, "")

    node = to_placed(raw)
    _guard(lambda: walk(node, "companies"))
    return tuple(loader.companies), tuple(issues.sorted())


def _add_returned(loader: CompanyLoader, origin: _PlacedOrigin, node: Any, category: Category | None) -> None:
    """Add one row of a returned form; a row in which nothing is filled is none."""
    place = node.start_mark
    check = loader.checker(place.file)
    check.table = True
    check.wants_district = False  # who sent the form tells it
    if not isinstance(node, MapNode):
        return loader.add(node, check, _keep_nothing)
    cells = list(_scalars(node))
    if not any(zh.strip_outer(cell.value) for cell in cells):
        return None
    for cell in cells:
        _normalise_cell(cell, check)
    node = _undo_context(node)
    if category is not None and "category" not in node.entries:
        node.entries["category"] = node.keys["category"] = Cell(category.value, 0, 0)

    def keep() -> None:
        origin.places.append(_locate_all(loader.spec, node, lambda mark: mark if isinstance(mark, Place) else place))

    return loader.add(node, check, keep)


def _keep_nothing() -> None:
    pass


_OUTPUT_ONLY: Final = frozenset(
    ("index", "index_in_group", "display_name", "district_name", "level_text", "listed_in", "has_report", "is_candidate",
     "enrolment_verdict")
)  # fmt: skip


def _undo_context(node: MapNode) -> MapNode:
    """Return a company as a template sees it as one that users write (docs/architecture.md: main_project, figures).

    The first project of the plan goes back into `plan.projects`, figures by name into `indicators`; records in which
    nothing is filled and what is only printed are left out.
    """
    plain = MapNode(node.start_mark)
    for key, child in node.entries.items():
        if key not in _OUTPUT_ONLY | {"main_project", "figures"} and not _is_blank(child):
            plain.entries[key], plain.keys[key] = child, node.keys[key]
    project = node.entries.get("main_project")
    if isinstance(project, MapNode) and not _is_blank(project):
        plan = plain.entries.setdefault("plan", MapNode(project.start_mark))
        plain.keys.setdefault("plan", node.keys["main_project"])
        if isinstance(plan, MapNode) and "projects" not in plan.entries:
            plan.entries["projects"] = ListNode([project], project.start_mark)
            plan.keys["projects"] = node.keys["main_project"]
    figures = node.entries.get("figures")
    if isinstance(figures, MapNode) and not _is_blank(figures) and "indicators" not in plain.entries:
        items = [_indicator_of(figures.keys[key], cell) for key, cell in figures.entries.items() if not _is_blank(cell)]
        plain.entries["indicators"] = ListNode(items, figures.start_mark)
        plain.keys["indicators"] = node.keys["figures"]
    return plain


def _is_blank(node: Any) -> bool:
    return not any(zh.strip_outer(cell.value) for cell in _scalars(node))


def _indicator_of(name: Any, figure: Any) -> MapNode:
    item = MapNode(figure.start_mark)
    item.entries = {"name": name, "current": figure}
    item.keys = {"name": name, "current": figure}
    return item


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, MapNode):
        for child in node.entries.values():
            yield from _scalars(child)
    elif isinstance(node, ListNode):
        for child in node.items:
            yield from _scalars(child)
    else:
        yield node
