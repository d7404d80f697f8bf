"""Files of a project folder to a Dataset: every issue of every file in one run, every value with its place.

dataset = load_dataset("suzhou-2023")               DataError with all issues where one is an error
dataset.place_of("companies", 3, "credit_code")     companies.yaml:41:16
load_companies("companies.csv")                     one file by itself
records_from_raw(raw, settings)                     what a returned form says
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gfdocs import garbage
from gfdocs.data import codes, zh
from gfdocs.data.checker import BAD, Checker, short
from gfdocs.data.companies import LIST_KEYS, CompanyLoader
from gfdocs.data.fields import get_spec
from gfdocs.data.model import Company, Settings
from gfdocs.data.places import Places, locate_all, nearest
from gfdocs.data.returned import records_from_raw
from gfdocs.data.source import (
    SUFFIXES,
    Collector,
    SourceLimits,
    TooMany,
    add_empty,
    decode_text,
    read_bytes,
    refuse_kind,
    to_place,
)
from gfdocs.data.yaml_reader import YamlReader
from gfdocs.errors import DataError, Issue, Place, Text, describe_os_fault, did_you_mean

__all__ = ["LIST_KEYS", "Dataset", "load_companies", "load_dataset", "read_settings", "records_from_raw"]

SETTINGS_FILE: Final = "gfdocs.yaml"


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


def load_dataset(folder: str | Path, *, limits: SourceLimits | None = None) -> Dataset:
    """Return the Dataset of a project folder: gfdocs.yaml and the files of companies.

    All issues of all files are found in one run. DataError with every one of them where one is an error; warnings and
    notes of a good folder are in `Dataset.issues`.
    """
    with garbage.paused():
        return _load_dataset(Path(folder), limits or SourceLimits())


def _load_dataset(path: Path, limits: SourceLimits) -> Dataset:
    issues = Collector(limits.issues)
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


def read_settings(folder: str | Path) -> tuple[Settings | None, Callable[..., Place]]:
    """Return what could be read of gfdocs.yaml whatever its faults, and where each value stands; None where nothing could.

    For who wants to check more of it in a run that `load_dataset` has ended already: no fault is told twice.
    """
    limits = SourceLimits()
    issues = Collector(limits.issues)
    settings, located = _guard(lambda: _load_settings(Path(folder), issues, limits)) or (None, {})
    return settings, lambda *path: nearest(located, path)


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
    located = locate_all(spec, node, lambda mark: to_place(mark, file))
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
        place = nearest(located, ("districts", index, "name"))
        for text in filter(None, (district.name, district.code)):
            first = seen.setdefault(zh.normal_name(text), index)
            if first != index:
                _add_double(issues, "GF147", place, nearest(located, ("districts", first, "name")), text)
        division = codes.find_division(district.name)
        if division and district.code and district.code != division.code:
            fact = Text(
                f"{district.name} has the code {district.code}, known is {division.code}",
                f"{district.name}的区划代码为 {district.code}，已知为 {division.code}",
            )
            issues.add(
                "GF154",
                nearest(located, ("districts", index, "code")),
                fact,
                Text("correct the code, or leave it out", "请更正代码，或留空"),
                severity="warning",
            )
    for name in ("attachments", "documents"):
        texts = getattr(settings, name)
        _check_doubles([(text, nearest(located, (name, index))) for index, text in enumerate(texts)], issues)
    due = [(d.document, nearest(located, ("deadlines", i, "document"))) for i, d in enumerate(settings.deadlines)]
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
        reason = describe_os_fault(exc)
        fact = Text(f"the folder cannot be read: {reason}", f"文件夹无法读取：{reason.zh}")
        issues.add("GF102", Place(str(folder)), fact, Text("look at the permissions of the folder", "请检查文件夹权限"))
        return None


def _company_files(
    folder: Path, settings: Settings | None, located: dict[tuple[Any, ...], Place], issues: Collector
) -> Iterator[str]:
    """Yield the files of companies by name, inside the folder only."""
    listed = settings.companies if settings is not None else ()
    names = _names_in(folder, issues) or []
    found = listed or _default_files(names)
    for index, name in enumerate(found):
        place = nearest(located, ("companies", index)) if listed else Place(name)
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
        hint = _name_candidates(names) or Text(
            'add one, or name the files under "companies:" in gfdocs.yaml',
            "请添加，或在 gfdocs.yaml 的 companies: 下列出文件名",
        )
        issues.add("GF151", Place(str(folder)), fact, hint)


def _name_candidates(names: Iterable[str]) -> Text | None:
    """Return what to do with the files that are there and may be meant: 企业名单.xlsx, companies.xls."""
    others = [name for name in names if not name.startswith(("~$", ".")) and name not in (SETTINGS_FILE, "gfdocs.yml")]
    readable = [name for name in others if name.lower().endswith(SUFFIXES)]
    if readable:
        listed = ", ".join(readable[:3])
        return Text(
            f'is it {readable[0]}? call it companies{Path(readable[0]).suffix}, or write "companies: [{listed}]" in gfdocs.yaml',
            f"是否为 {readable[0]}？请改名为 companies{Path(readable[0]).suffix}，或在 gfdocs.yaml 中写 companies: [{listed}]",
        )
    old = next((name for name in others if name.lower().endswith((".xls", ".et", ".ods", ".doc", ".docx"))), None)
    return Text(f"save {old} as companies.xlsx", f"请把 {old} 另存为 companies.xlsx") if old else None


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
