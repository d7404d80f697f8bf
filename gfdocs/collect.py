"""Returned annexes become data again: each workbook is read by the template that wrote it, merged by company, and the late ones named."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gfdocs._callable import set_callable
from gfdocs.errors import GfdocsError, Issue, Language, Place, ReadBackError, Text, errors_of
from gfdocs.raw import Raw, RawMap, RawScalar

if TYPE_CHECKING:
    from gfdocs.data.load import Dataset
    from gfdocs.data.model import Company
    from gfdocs.data.places import Places
    from gfdocs.programme.context import Plain
    from gfdocs.programme.project import Project

SUFFIX = ".xlsx"
MAX_FILES = 10_000
MAX_DEPTH = 50
TABLES = frozenset((".xls", ".xlsm", ".xlsb", ".et", ".ett", ".ods", ".csv", ".zip", ".rar", ".7z"))
_OF_THE_SYSTEM = frozenset(("Thumbs.db", "desktop.ini"))
FORMATS = ("xlsx", "yaml", "yml", "json")
NOT_THIS_FORM = "GF610"
MISFITS = (
    "GF611",
    "GF612",
    "GF615",
    "GF617",
    "GF618",
    "GF619",
)  # sheets, headings and fields that the form has and the file has not
_IDENTITY = ("name", "district", "category")


Sent = dict[tuple[int, str], tuple[Any, Place]]
"""What the returns said so far: by company and field, the value and the cell it came from."""


@dataclass(frozen=True, slots=True)
class Return:
    """One returned workbook: which document of which district it is, and the companies it gives."""

    file: str
    document: str
    district: str
    companies: tuple[Company, ...] = field(repr=False)
    places: Places | None = field(default=None, repr=False, compare=False)

    def place_of(self, *path: str | int) -> Place:
        """Return the cell of a value, `place_of(3, "summary", "energy")`; that of its company where it has none of its own."""
        found = self.places.find(("companies", *path)) if self.places is not None else Place()
        return found if found.file else Place(self.file)


@dataclass(frozen=True, slots=True)
class Status:
    """What one district owes: a document by a date, and the files that came, with how many errors are in them.

    `late` is None where no day was given to judge by.
    """

    district: str
    document: str
    label: str
    due: dt.date | None
    files: tuple[str, ...]
    late: bool | None
    errors: int = 0

    @property
    def received(self) -> bool:
        return bool(self.files)


@dataclass(frozen=True, slots=True)
class Collected:
    """The merged data, every issue with its cell, and what each district sent."""

    dataset: Dataset
    issues: tuple[Issue, ...]
    status: tuple[Status, ...]
    returns: tuple[Return, ...] = ()

    def __repr__(self) -> str:
        missing = sum(not row.received for row in self.status)
        return f"<Collected {len(self.returns)} returns, {len(self.dataset.companies)} companies, {missing} missing, {len(self.issues)} issues>"

    def to_bytes(self, kind: str) -> bytes:
        """Return the merged data as xlsx (with sheets of issues and status), yaml or json."""
        if kind == "xlsx":
            return _to_workbook(self)
        if kind == "json":
            return json.dumps(_to_plain(self), ensure_ascii=False, indent=1, default=str).encode() + b"\n"
        if kind in ("yaml", "yml"):
            from gfdocs.data.dump import dump_companies

            return dump_companies(self.dataset.companies).encode()
        fact = Text(f'cannot write the merged data as "{kind}"', f"汇总数据不能写成“{kind}”")
        raise ReadBackError(Issue("GF690", "error", Place(), fact, Text("use .xlsx, .yaml or .json", "请用 .xlsx、.yaml 或 .json")))  # fmt: skip

    def status_lines(self, language: Language = "en") -> Iterator[str]:
        """Yield a line for each district and document: received, missing or late."""
        for row in self.status:
            files = Text(f": {', '.join(row.files)}", f"：{'、'.join(row.files)}") if row.files else Text("")
            yield f"{row.district}  {row.label or row.document}  {_state(row).to(language)}{files.to(language)}"


def _state(row: Status) -> Text:
    if row.received and row.errors:
        faults = "1 error" if row.errors == 1 else f"{row.errors} errors"
        return Text(f"received, {faults} to correct", f"已交，有 {row.errors} 处待更正")
    if row.received:
        return Text("received", "已交")
    due = f" {row.due}" if row.due else ""
    return (
        Text(f"late, was due{due}", f"逾期未交，应于{due} 前报送")
        if row.late
        else Text(f"missing, due{due}", f"未交，截止{due}")
    )


def collect(returns: str | Path, project: Project, *, today: dt.date | None = None) -> Collected:
    """Return what the workbooks of a folder say, merged into the project's data; the files and the project stay as they are.

    `today` decides who is late; without it nobody is, only missing. Every workbook that can be read is read; the faults of all of them are
    in `.issues`, each with its cell. Raises ReadBackError where the folder itself is not there.
    """
    folder = Path(returns)
    if not os.path.isdir(folder):  # unlike Path.is_dir, false also for a name the system cannot take
        fact = Text("there is no such folder", "没有这个文件夹")
        if os.path.isfile(folder):
            fact = Text("this is a file: give the folder it is in", "这是文件，请指定其所在的文件夹")
        raise ReadBackError(Issue("GF691", "error", Place(str(folder)), fact, Text("look at the path", "请检查路径")))
    issues: list[Issue] = []
    found = [
        entry
        for path in _bounded(_list_workbooks(folder), folder, issues)
        if (entry := _read_return(path, folder, project, issues))
    ]
    companies = _merge(project, found, issues)
    issues.extend(_tell_unread(folder))
    status = tuple(_build_status(project, found, today, issues))
    dataset = replace(project.dataset, companies=companies)
    issues.sort(key=lambda issue: issue.place.file)  # what one district has to correct stands together
    return Collected(dataset, tuple(issues), status, tuple(found))


def _walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder with the names of what in it is no folder; `os.walk` passes over those that vanish or may not be
    looked into. What lies deeper than anybody puts a return is yielded as the name of its folder.
    """
    top = str(folder)
    for root, folders, names in os.walk(top):
        if root[len(top) :].count(os.sep) >= MAX_DEPTH:
            names += folders
            folders.clear()
        yield root, names


def _list_workbooks(folder: Path) -> list[Path]:
    """Return the workbooks below the folder in order of name; Excel's own lock files (~$…) are none."""
    return sorted(
        path
        for root, names in _walk(folder)
        for path in (Path(root, name) for name in names)
        if path.suffix.lower() == SUFFIX and os.path.isfile(path) and not path.name.startswith(("~$", "."))
    )


def _list_others(folder: Path) -> Iterator[str]:
    """Yield the other files below the folder that a person may have sent, by their path in it."""
    for root, names in _walk(folder):
        for name in names:
            is_workbook = name.lower().endswith(SUFFIX) and os.path.isfile(os.path.join(root, name))
            if not is_workbook and not name.startswith(("~$", ".")) and name not in _OF_THE_SYSTEM:
                yield str(Path(root, name).relative_to(folder))


def _tell_unread(folder: Path) -> Iterator[Issue]:
    """Yield a warning for each table of another format, and a note for all other files together: none of them is read."""
    others = sorted(_list_others(folder))
    tables = [name for name in others if Path(name).suffix.lower() in TABLES]
    for name in tables[:MAX_FILES]:
        fact = Text("not read: returned forms are read as .xlsx", "未读取：交回的表应为 .xlsx 格式")
        hint = Text(
            "unpack it, or save it as .xlsx in Excel or WPS, and collect again",
            "请解压，或用 Excel、WPS 另存为 .xlsx 后重新汇总",
        )
        yield Issue("GF697", "warning", Place(name), fact, hint)
    if rest := [name for name in others if name not in tables]:
        shown, more = rest[:10], len(rest) - 10
        fact = Text(
            f"not read, being no workbooks: {', '.join(shown)}" + (f" and {more} more" if more > 0 else ""),
            f"以下文件不是工作簿，未读取：{'、'.join(shown)}" + (f"等 {len(rest)} 个" if more > 0 else ""),
        )
        yield Issue("GF698", "note", Place(str(folder)), fact)


def _bounded(paths: list[Path], folder: Path, issues: list[Issue]) -> list[Path]:
    """Return as many workbooks as one run reads; where there are more, that is an error, and the first ones are read."""
    if len(paths) > MAX_FILES:
        fact = Text(
            f"{len(paths)} workbooks: only the first {MAX_FILES} are read",
            f"共 {len(paths)} 个工作簿，只读取前 {MAX_FILES} 个",
        )
        hint = Text("give the folder of one round's returns", "请只指定本批次交回表格所在的文件夹")
        issues.append(Issue("GF696", "error", Place(str(folder)), fact, hint))
    return paths[:MAX_FILES]


def _read_return(path: Path, folder: Path, project: Project, issues: list[Issue]) -> Return | None:
    """Return what the workbook gives by the template that fits it best, or None with the reasons in `issues`.

    Forms of one round share headings, so each is tried and the one with the fewest of its own words missing is taken.
    """
    name = str(path.relative_to(folder))
    refused: list[Issue] = []
    readings: list[tuple[int, str, Raw]] = []
    from gfdocs.data.headings import get_heading_aliases
    from gfdocs.engine.template import read_source

    for document in _returned_documents(project, path.name):
        try:
            form: Any = project.template(document, "xlsx").compiled
            data, _ = read_source(path, name)
            result = form.read(data, name=name, aliases=get_heading_aliases())
        except GfdocsError as error:
            refused.extend(error.issues)
            continue
        readings.append((_count_misfits(result), document, result))
    if not readings:
        found = list(dict.fromkeys(refused))
        issues.extend(found if any(issue.code != NOT_THIS_FORM for issue in found) else [_no_form(name)])
        return None
    _, document, result = min(readings, key=lambda reading: reading[0])
    noted = len(issues)
    returned = _to_return(name, document, result, project, issues)
    told = {issue.place for issue in issues[noted:]}  # the record's own fault says more than the cell's
    issues.extend(issue for issue in getattr(result, "issues", ()) if issue.place not in told)
    return returned


def _count_misfits(result: Raw) -> int:
    return sum(issue.code in MISFITS for issue in getattr(result, "issues", ()))


def _returned_documents(project: Project, file_name: str) -> list[str]:
    """Return the documents a district sends back, those whose title is in the file's name first."""
    from gfdocs.programme.project import ROUND

    specs = [s for s in project.documents if "district" in s.scopes and "xlsx" in s.kinds and s.returned]
    described = {spec.id: project.context_of(spec, ROUND)["document"] for spec in specs}
    return sorted(described, key=lambda d: [word not in file_name for word in _words_of(described[d])])


def _words_of(document: Plain) -> tuple[str, str]:
    """Return the title and the label of a document; without a label the title is all there is to find."""
    return document["title"], document["label"] or document["title"]


def _no_form(name: str) -> Issue:
    fact = Text("it is none of the forms that were sent out", "不是下发的任何一种表")
    return Issue("GF692", "error", Place(name), fact, Text("send back the form that was sent", "请使用下发的表格填报"))


def _to_return(name: str, document: str, raw: Raw, project: Project, issues: list[Issue]) -> Return | None:
    from gfdocs.data.load import records_from_raw

    district = _find_district(raw, name, project)
    if district is None:
        fact = Text("it does not say which district it is from", "看不出是哪个县级市（区）的表")
        hint = Text(
            "keep the title of the form, or put the district's name into the file's name",
            "请保留表头，或在文件名中写明县级市（区）",
        )
        issues.append(Issue("GF693", "error", Place(name), fact, hint))
        return None
    records = records_from_raw(raw, project.settings)
    issues.extend(records.issues)
    return Return(name, document, district, records.companies, records.places)


def _find_district(raw: Raw, name: str, project: Project) -> str | None:
    """Return the district that the form's own title names, else the one whose name is in the file's path."""
    text = ""
    if isinstance(raw, RawMap) and isinstance(inner := raw.entries.get("district"), RawMap):
        scalar = inner.entries.get("name")
        text = scalar.text if isinstance(scalar, RawScalar) else ""
    districts = project.context_of_round.districts
    if text in districts:
        return text
    named = [key for key, d in districts.items() if key in name or (d["short_name"] and d["short_name"] in name)]
    return named[0] if len(named) == 1 else None


def _merge(project: Project, returns: Iterable[Return], issues: list[Issue]) -> tuple[Company, ...]:
    """Return the project's companies with what came back laid over them; rows of unknown companies are added."""
    from gfdocs.data.zh import normal_name

    merged = list(project.dataset.companies)
    by_code = {c.credit_code: i for i, c in enumerate(merged) if c.credit_code}
    by_name = {(normal_name(c.name), c.category): i for i, c in enumerate(merged)}
    sent: Sent = {}
    for returned in returns:
        for row, company in enumerate(returned.companies):
            index = by_code.get(company.credit_code) if company.credit_code else None
            index = by_name.get((normal_name(company.name), company.category)) if index is None else index
            if index is None:
                index = len(merged)
                merged.append(_new_company(company, returned))
                by_name[normal_name(company.name), company.category] = index
                issues.extend(_unknown(company, returned, row))
            else:
                merged[index] = _lay_company_over(merged[index], company, _written(project, index))
            issues.extend(_find_differences(company, index, returned, row, sent))
    return tuple(merged)


def _written(project: Project, index: int) -> Plain:
    """What the form said of a company when it was sent out: level and year are those of the round where it has none of its own."""
    companies = project.context_of_round.companies
    return companies[index] if index < len(companies) else {}


def _new_company(company: Company, returned: Return) -> Company:
    from gfdocs.data.model import Status as ListStatus

    changes: dict[str, Any] = {} if company.district else {"district": returned.district}
    if company.cultivation is not None or company.enrolment is not None:
        changes["status"] = ListStatus.CANDIDATE
    return company.model_copy(update=changes)


def _unknown(company: Company, returned: Return, row: int) -> Iterator[Issue]:
    if returned.document == "annual-table":
        fact = Text(f"{company.name} is not on the list", f"{company.name} 不在名单内")
        hint = Text("check the name, or add the company to the project", "请核对名称，或在项目中补充该单位")
        yield Issue("GF694", "warning", returned.place_of(row, "name"), fact, hint)


def _lay_company_over(base: Company, new: Company, written: Plain) -> Company:
    """Return the company with every field of the return that somebody filled; what the form itself had filled in is no change."""
    changes = {
        name: _lay_over(getattr(base, name), value)
        for name, value in _filled(new).items()
        if name not in _IDENTITY and value != written.get(name)
    }
    return base.model_copy(update=changes)


def _filled(record: Any) -> dict[str, Any]:
    """Return the fields of a record that hold something."""
    values = {name: getattr(record, name) for name in type(record).model_fields if name in record.model_fields_set}
    return {name: value for name, value in values.items() if value not in ("", None, ())}


def _lay_over(base: Any, new: Any) -> Any:
    """Return a value of a return laid over what was there: a record field by field, a list item by item; nothing is lost."""
    if isinstance(new, tuple) and base:
        return _lay_items_over(base, new)
    if hasattr(new, "model_fields_set") and base is not None:
        return base.model_copy(update={name: _lay_over(getattr(base, name), v) for name, v in _filled(new).items()})
    return new


def _lay_items_over(base: tuple[Any, ...], new: tuple[Any, ...]) -> tuple[Any, ...]:
    """Indicators go by their name; of projects a form shows the first ones, so those are replaced and the others stay."""
    from gfdocs.data.model import Indicator

    items = list(base)
    for index, item in enumerate(new):
        at = next((i for i, old in enumerate(items) if old.name == item.name), None)
        if at is None and (isinstance(item, Indicator) or index >= len(items)):
            items.append(item)
        elif at is None:
            items[index] = item
        else:
            items[at] = _lay_over(items[at], item)
    return tuple(items)


def _find_differences(company: Company, index: int, returned: Return, row: int, sent: Sent) -> Iterator[Issue]:
    """Yield an issue for each field that an earlier return gave another value; the later one counts."""
    for label, path, value in _leaves(company, Text("", ""), ()):
        place = returned.place_of(row, *path)
        before, where = sent.get((index, label), (value, place))
        sent[index, label] = (value, place)
        if before != value and where.file != place.file:
            fact = Text(
                f'{company.name}: {label} is "{value}", in {where} "{before}"',
                f"{company.name}：{label.zh}为“{value}”，{where} 中为“{before}”",
            )
            hint = Text("this file counts; ask the district which is right", "以本文件为准，请向县级市（区）核实")
            yield Issue("GF695", "warning", place, fact, hint, also=(where,))


def _leaves(value: Any, label: Text, path: tuple[str | int, ...]) -> Iterator[tuple[Text, tuple[str | int, ...], Any]]:
    """Yield every filled text and figure of a record with its label (`summary.output_value`, 上年度总结·产值) and path; items go by name."""
    if hasattr(value, "model_fields_set"):
        fields = type(value).model_fields
        for name, inner in _filled(value).items():
            if label or name not in _IDENTITY:
                yield from _leaves(inner, _step(label, name, fields[name].title or name), (*path, name))
    elif isinstance(value, tuple) and all(hasattr(item, "name") for item in value):
        for index, item in enumerate(value):
            yield from _leaves(item, _step(label, item.name, item.name), (*path, index))
    else:
        yield label, path, value


def _step(path: Text, name: str, title: str) -> Text:
    return Text(f"{path}.{name}", f"{path.zh}·{title}") if path else Text(name, title)


def _build_status(
    project: Project, returns: Iterable[Return], today: dt.date | None, issues: Iterable[Issue]
) -> Iterator[Status]:
    faults = Counter(issue.place.file for issue in errors_of(issues))
    came: dict[tuple[str, str], list[str]] = {}
    for entry in returns:
        came.setdefault((entry.district, entry.document), []).append(entry.file)
    for deadline in project.context_of_round.base["deadlines"]:
        for district in project.context_of_round.districts:
            files = tuple(came.get((district, deadline["document"]), ()))
            late = None if today is None else not files and today > deadline["date"]
            label = f"{deadline['label']} {deadline['title']}".strip()
            errors = sum(faults[file] for file in files)
            yield Status(district, deadline["document"], label, deadline["date"], files, late, errors)


def _to_plain(collected: Collected) -> dict[str, Any]:
    return {
        "companies": [
            company.model_dump(mode="json", exclude_defaults=True) for company in collected.dataset.companies
        ],
        "status": [
            {"district": s.district, "document": s.document, "due": s.due, "files": list(s.files), "late": s.late}
            for s in collected.status
        ],
        "issues": [issue.to_dict("zh") for issue in collected.issues],
        "errors": len(errors_of(collected.issues)),
    }


def _to_workbook(collected: Collected) -> bytes:
    """Return the merged workbook, made by the template `collected.xlsx` like any other document."""
    from gfdocs.engine.template import open_template
    from gfdocs.programme.catalogue import templates_folder
    from gfdocs.programme.context import to_plain_company

    round_ = collected.dataset.settings.round
    context = {
        "title": f"{round_.city}{round_.name}报送情况汇总",
        "companies": [to_plain_company(c, collected.dataset.settings) for c in collected.dataset.companies],
        "status": [
            {"district": s.district, "label": s.label, "due": s.due, "state": _state(s).zh, "files": "、".join(s.files)}
            for s in collected.status
        ],
        "issues": [issue.to_dict("zh") for issue in collected.issues],
    }
    return open_template(templates_folder() / "collected.xlsx").render(context).to_bytes()


set_callable(__name__)
