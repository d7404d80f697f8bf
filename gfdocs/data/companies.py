"""Companies one by one, from YAML items and table rows: records, districts, duplicates."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, cast

from gfdocs.data import codes, zh
from gfdocs.data.checker import BAD, Checker, short
from gfdocs.data.fields import RecordSpec, get_spec, put_nested
from gfdocs.data.figures import find_figure_column, mentions_year
from gfdocs.data.model import Category, Company, Settings
from gfdocs.data.places import Places, TableOrigin, YamlOrigin
from gfdocs.data.source import (
    Collector,
    ListNode,
    MapNode,
    SourceLimits,
    add_empty,
    check_text,
    decode_text,
)
from gfdocs.data.table import IGNORED, Cell, Table, heading_tests, read_tables
from gfdocs.data.values import is_candidate
from gfdocs.data.yaml_reader import YamlReader
from gfdocs.errors import Text, did_you_mean

__all__ = ["LIST_KEYS", "CompanyLoader", "normalise_cell"]

LIST_KEYS: Final = ("companies", "企业", "企业名单", "名单", "企业数据", "单位", "units")
"""The top-level keys of companies.yaml under which the list may stand."""


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
            self._add_twice(company, at[0], node, check, f"credit code {code}", f"统一社会信用代码 {code} ")

    def _add_twice(self, company: Company, first: int, node: MapNode, check: Checker, en: str, chinese: str) -> None:
        other = self.companies[first]
        place = self.places.find(("companies", first))
        same = other.name == company.name
        fact = Text(
            f"{en} is given twice, first at {place}"
            + ("" if same else f' as "{other.name}", here as "{company.name}"'),
            f"{chinese}重复，首次出现在 {place}" + ("" if same else f"（“{other.name}”，此处为“{company.name}”）"),
        )
        hint = Text("keep one of them", "请只保留一个")
        if place.file != check.file:
            hint = Text(
                f"keep one of them; if {check.file} lists the same units as {place.file}, keep one of the two files",
                f"请只保留一个；如 {check.file} 与 {place.file} 是同一份名单，请只留一个文件",
            )
        check.add("GF146", node, fact, hint, also=(place,))

    # .. one file

    def read_yaml(self, data: bytes, file: str, limits: SourceLimits) -> None:
        text = decode_text(data, file, self.issues)
        if text is None:
            return
        check = self.checker(file)
        reader = YamlReader(text, file, self.issues, limits)
        origin = YamlOrigin(file, reader.text)
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
        others = _candidate_paths(self.spec, table, paths)
        origin = TableOrigin(file, table.name, paths, others)
        self.places.add_origin(origin, len(self.companies))
        category = _category_of(table, paths, check)
        named = paths.index(("name",))
        status = paths.index(("status",)) if ("status",) in paths else len(paths)
        for number, cells in table.rows:
            filled = [i for i, cell in enumerate(cells) if cell is not None and zh.strip_outer(cell.value)]
            if not filled or not _is_company_row(cells, filled, named, paths, number, check):
                continue
            stated = cells[status] if status < len(cells) else None
            meant = others if stated is not None and is_candidate(stated.value) else paths
            node = _row_node(number, cells, meant, table, check)
            if named not in filled and table.name:  # the cell to fill in, not the first of the row
                node.entries["name"] = node.keys["name"] = Cell("", number - 1, named)
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


_HAN: Final = "\u3400-\u9fff"
_GAP = re.compile(rf"(?<=[{_HAN}（）])[ \u3000\u00a0]+(?=[{_HAN}（）])")
_HALF_BRACKETS = re.compile(rf"\(([^()]*[{_HAN}][^()]*)\)")


def _check_is_name(company: Company, node: MapNode, check: Checker) -> None:
    """Tell a name of digits and signs alone: a number or a date stands in the column of names."""
    if not any(char.isalpha() for char in company.name):
        fact = Text(f'"{short(company.name)}" does not look like a name', f"“{short(company.name)}”不像单位名称")
        hint = Text("is it in the right column?", "是否填错了列？")
        check.add("GF157", node.entries.get("name", node), fact, hint, severity="warning")


def _check_name(company: Company, node: MapNode, check: Checker) -> None:
    """Tell blanks between Chinese characters and half-width brackets around them: no licence prints a name so."""
    better = _GAP.sub("", _HALF_BRACKETS.sub(r"（\1）", company.name))
    if better != company.name:
        fact = Text(
            f'the name "{short(company.name)}" has blanks or half-width brackets among Chinese characters',
            f"名称“{short(company.name)}”中有空格或半角括号",
        )
        hint = Text(
            f'it is printed so in every document: "{short(better)}"?', f"各文件将照此印出，是否应为“{short(better)}”？"
        )
        check.add("GF155", node.entries.get("name", node), fact, hint, severity="warning")


def _check_company(company: Company, node: MapNode, check: Checker) -> None:
    if not check.wants_district:  # a returned form: its names and its district are those we sent
        return
    if not company.name[0].isalpha():
        _check_is_name(company, node, check)
    if " " in company.name or "(" in company.name or "\u3000" in company.name:
        _check_name(company, node, check)
    if not company.district and check.districts and not check.refused_district:
        fact = Text(f"{short(company.name)}: no district", f"{short(company.name)}：没有县级市（区）")
        hint = Text("it stands in the city's list only; add district:", "只列入全市名单；请补充 district（所在地）")
        check.add("GF145", node, fact, hint, severity="warning")


# -- rows ----------------------------------------------------------------------------------------------------------

_TOTAL = re.compile(r"(合计|小计|总计|共计|累计)([:：(]?.{0,8})|共\d+家")


def _column_paths(spec: RecordSpec, table: Table, check: Checker) -> list[tuple[str, ...] | None]:
    """Return the field of each column; unknown headings are warnings, two for one field an error (districts aside)."""
    headings = [cell.value if cell is not None else "" for cell in table.headings]
    paths = spec.find_paths(headings)
    if ("status",) in paths:
        paths = spec.find_paths(headings, candidate=False)
    paths = _add_figures(paths, headings)
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
                hint = did_you_mean(cell.value, known) or (_FIGURE_HINT if mentions_year(cell.value) else "")
                check.add("GF121", cell, fact, hint, severity="warning")
        elif path in first and path != ("district",):
            place = check.place(first[path])
            fact = Text(
                f'columns "{short(first[path].value)}" and "{short(cell.value)}" are both {".".join(path).replace("#", "")}',
                f"列“{short(first[path].value)}”和“{short(cell.value)}”是同一项",
            )
            check.add("GF122", cell, fact, Text("take one of them out", "请删除其中一列"), also=(place,))
            paths[index] = None
        else:
            first[path] = cell
    return paths


_FIGURE_HINT: Final = Text(
    "for an indicator write 指标：name（unit）本年度 (or 上年度, 目标)",
    "若为指标，请写成：指标：名称（单位）本年度（或上年度、目标）",
)


def _add_figures(paths: list[tuple[str, ...] | None], headings: list[str]) -> list[tuple[str, ...] | None]:
    """Return the paths with those of columns that hold an indicator's figures: indicators, # and its name, the field."""
    figures = [
        find_figure_column(heading) if path is None else None for path, heading in zip(paths, headings, strict=True)
    ]
    return [
        ("indicators", f"#{figure.name}", figure.field) if figure else path
        for path, figure in zip(paths, figures, strict=True)
    ]


def _candidate_paths(
    spec: RecordSpec, table: Table, paths: list[tuple[str, ...] | None]
) -> list[tuple[str, ...] | None]:
    """Return what the columns stand for in the row of a candidate: 产值 and 综合能耗 are those of its cultivation plan."""
    if ("status",) not in paths:
        return paths
    headings = [cell.value if cell is not None else "" for cell in table.headings]
    others = _add_figures(spec.find_paths(headings, candidate=True), headings)
    return [other if path is not None else None for path, other in zip(paths, others, strict=True)]


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
    figures: dict[str, MapNode] = {}
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
        normalise_cell(cell, check)
        if len(path) == 1 and path[0] not in node.entries:
            node.entries[path[0]] = node.keys[path[0]] = cell
        elif path == ("district",):
            _choose_district(node, cell, check)
        elif path[1].startswith("#"):
            _put_figure(figures, path[2], cell, cast(Cell, table.headings[index]))
        else:
            put_nested(node, path, cell, cell, lambda first: None)
    if figures and ("indicators" not in node.entries or not node.entries["indicators"].value):
        node.entries["indicators"] = ListNode([*figures.values()], node.start_mark)
        node.keys["indicators"] = node.start_mark
    return node


def _put_figure(figures: dict[str, MapNode], field: str, cell: Cell, heading: Cell) -> None:
    """Add a figure to the indicator that the heading names; an empty cell says nothing."""
    column = find_figure_column(heading.value)
    if column is None or not cell.value:
        return
    indicator = figures.setdefault(column.name, MapNode(cell))
    for key, text in (("name", column.name), ("unit", column.unit)):
        if text and key not in indicator.entries:
            indicator.entries[key] = indicator.keys[key] = Cell(text, heading.line, heading.column, '"')
    indicator.entries[field] = indicator.keys[field] = cell


def _choose_district(node: MapNode, cell: Cell, check: Checker) -> None:
    """Of two columns for the district (地区: 江苏省, 所在区县: 昆山市), keep the one that names a district."""
    if zh.normal_name(cell.value) in check.districts or not zh.strip_outer(node.entries["district"].value):
        node.entries["district"] = cell


_LONG: Final = re.compile(r"-?[1-9]\d{15,}|-?\d\.\d+E\+(1[5-9]|[2-9]\d)", re.IGNORECASE)


def normalise_cell(cell: Cell, check: Checker) -> None:
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
