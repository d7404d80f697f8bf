"""The manifest: what a batch made, from what, with digests.

`manifest.json` holds it, one line a file, the same bytes for the same input.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from json.encoder import encode_basestring
from pathlib import Path
from typing import Any

from gfdocs.batch import faults
from gfdocs.batch.jobs import Job
from gfdocs.errors import Issue, Text

MANIFEST = "manifest.json"
INDEX = "index.html"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file that was made.

    `sha256` is that of the file, `content` that of what it holds, whichever deflater packed it. `source` is the digest
    of all that went into it: context, template, version. In a zipped package `path` is below the output folder as if
    it were not zipped: `01 张家港市/…` is the member of that name in `01 张家港市.zip`.
    """

    path: str
    document: str
    kind: str
    district: str
    company: str
    credit_code: str
    template: str
    source: str
    content: str
    sha256: str
    size: int

    @property
    def package(self) -> str:
        return self.path.split("/", 1)[0]


@dataclass(frozen=True, slots=True)
class PackageRecord:
    """One package: a folder, or a zip with its own digest. `sha256` is empty for a folder."""

    name: str
    path: str
    files: int
    sha256: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A document that could not be made, with the issues as the template gave them."""

    job: Job
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one document took, in seconds of the caller's clock."""

    path: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did.

    Seconds are None where the caller gave no clock; `slowest` holds at most ten documents, the slowest first.
    """

    planned: int = 0
    made: int = 0
    kept: int = 0
    failed: int = 0
    removed: int = 0
    workers: int = 1
    seconds: float | None = None
    slowest: tuple[Timing, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a batch made.

    `files` are all that the output holds, in the order of the plan; `jobs` those of this run; `issues` those of project
    and run. `path` is the output folder or URL as it was given, or empty for a dry run, whose `files` are empty.
    `index` is the sha256 of index.html.
    """

    path: str
    files: tuple[FileRecord, ...]
    packages: tuple[PackageRecord, ...]
    jobs: tuple[Job, ...]
    issues: tuple[Issue, ...]
    failed: tuple[Failure, ...]
    report: Report
    data: str = ""
    version: str = ""
    zip: bool = False
    records: Mapping[str, Any] = field(default_factory=dict)
    index: str = ""

    def __repr__(self) -> str:
        where = self.path or "dry run"
        made = len(self.files) if self.path else len(self.jobs)
        errors = sum(issue.severity == "error" for issue in self.issues)
        counts = f"{made} files in {len(self.packages)} packages, {len(self.failed)} failed, {errors} errors"
        return f"<Manifest {where!r}: {counts}>"

    @property
    def ok(self) -> bool:
        """True where every document was made and nothing is wrong with the data."""
        return not self.failed and not any(issue.severity == "error" for issue in self.issues)

    def to_json(self) -> bytes:
        """Return manifest.json: UTF-8, one line a file, nothing in it that differs from run to run."""
        return b"".join(self.to_json_blocks())

    def to_json_blocks(self) -> Iterator[bytes]:
        """Give manifest.json in blocks, so that a country's need not be in memory as a whole."""
        head = {
            "format": FORMAT,
            "generator": f"gfdocs {self.version}",
            "data": self.data,
            "zip": self.zip,
            "index": self.index,
            "count": len(self.files),
        }
        yield _encode("{\n" + "".join(f'"{key}":{_dump(value)},\n' for key, value in head.items()))
        yield from _list_blocks("packages", (_dump(asdict(package)) for package in self.packages))
        yield from _list_blocks("failed", (_dump(_failure_record(failure)) for failure in self.failed))
        yield from _list_blocks("files", map(dump_record, self.files))
        yield _encode(f'"round":{_dump(self.records.get("round", {}))},\n')
        yield from _list_blocks("companies", map(_dump, self.records.get("companies", ())), end="\n}\n")


_TEXTS = tuple(f.name for f in fields(FileRecord) if f.type == "str")


def dump_record(record: FileRecord) -> str:
    """Return a record as a line of JSON; by hand, for there may be 45,000."""
    texts = ",".join([f'"{name}":{encode_basestring(getattr(record, name))}' for name in _TEXTS])
    return f'{{{texts},"size":{record.size}}}'


def _failure_record(failure: Failure) -> dict[str, Any]:
    job = failure.job
    return {
        "path": job.path,
        "document": job.document,
        "for": job.whom,
        "codes": sorted({i.code for i in failure.issues}),
    }


_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _list_blocks(name: str, lines: Iterable[str], end: str = ",\n") -> Iterator[bytes]:
    """Give a list, one item a line, in blocks of a thousand."""
    block, start = [], f'"{name}":['
    for line in lines:
        block.append(f"{start}\n{line}")
        start = ","
        if len(block) == 1000:
            yield _encode("".join(block))
            block = []
    tail = "\n]" if start == "," else f"{start}]"
    yield _encode("".join(block) + tail + end)


def find_manifest(folder: str | Path) -> Manifest | None:
    """Return the manifest of an output folder, or None where there is none.

    Raises OutputError where it can't be read.
    """
    path = Path(folder) / MANIFEST
    try:
        if path.is_symlink() or not path.is_file():
            return None
        data = path.read_bytes()
    except OSError as error:
        raise faults.unreadable(str(path), error) from error
    return parse_manifest(data, str(folder))


def read_manifest(folder: str | Path) -> Manifest:
    """Return the manifest of an output folder. Raises OutputError where there is none or it can't be read."""
    found = find_manifest(folder)
    if found is None:
        raise faults.no_manifest(str(Path(folder) / MANIFEST), Text("there is none", "文件不存在"))
    return found


def parse_manifest(data: bytes, folder: str) -> Manifest:
    """Return the manifest that the bytes of a manifest.json hold.

    It may come from anywhere and is believed in nothing but digests.
    """
    name = f"{folder}/{MANIFEST}"
    try:
        raw = json.loads(data.decode())
        if not isinstance(raw, dict) or raw.get("format") != FORMAT:
            raise faults.no_manifest(name, _other_format(raw))
        files = tuple(FileRecord(**_only(FileRecord, entry)) for entry in raw["files"])
        packages = tuple(PackageRecord(**_only(PackageRecord, entry)) for entry in raw["packages"])
        if any(package.path != package.name + (".zip" if raw["zip"] else "") for package in packages):
            raise ValueError("a package is not of the form that all have")
        manifest = Manifest(
            str(folder), files, packages, (), (), (), Report(planned=len(files)), str(raw["data"]),
            str(raw["generator"]).removeprefix("gfdocs "), bool(raw["zip"]), _read_records(raw), str(raw.get("index", "")),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise faults.no_manifest(name, Text("it is damaged", "文件已损坏")) from error
    paths = [record.path for record in files] + [package.path for package in packages]
    bad = next((path for path in paths if not is_inside(path)), None)
    if bad is not None:
        raise faults.no_manifest(
            name, Text(f'it names "{bad[:200]}", outside the folder', f"含有文件夹之外的路径“{bad[:200]}”")
        )
    return manifest


def _other_format(raw: Any) -> Text:
    found = raw.get("format") if isinstance(raw, dict) else None
    if type(found) is int:
        return Text(
            f"its format is {found}, this version of gfdocs reads {FORMAT}", f"格式为 {found}，本版本只能读取 {FORMAT}"
        )
    return Text("another format", "格式不符")


_PLAIN = frozenset((str, int, float, bool, type(None)))


def _read_records(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest keeps of the data. Raises TypeError where it has another shape than `make_records` gives."""
    round_ = _check_plain(raw["round"], holders=("deadlines", "districts"))
    return {"round": round_, "companies": [_check_plain(entry, holders=("figures",)) for entry in raw["companies"]]}


def _check_plain(entry: dict[str, Any], holders: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a dict whose values are plain; those of `holders` are dicts of plain values."""
    for key, value in entry.items():
        if key in holders:
            _check_plain(value)
        elif type(value) not in _PLAIN:
            raise TypeError(f"{key} is {type(value).__name__}")
    return dict(entry)


def _only(kind: type, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return those keys of an entry that the record has, each of the right type."""
    found = {}
    for f in fields(kind):
        value = entry[f.name]
        wanted: type = int if f.type == "int" else str
        if type(value) is not wanted:
            raise TypeError(f"{f.name} is {type(value).__name__}")
        found[f.name] = value
    return found


def is_inside(path: str) -> bool:
    """True for a plain relative path that a disk can have: no empty step, no `.` or `..`, no backslash, drive or control
    character.
    """
    try:
        steps = path.encode().split(b"/")
    except UnicodeEncodeError:
        return False
    plain = all(step not in (b"", b".", b"..") and len(step) <= 255 for step in steps)
    return plain and len(path) <= 1000 and not any(c in path for c in "\\:\0")
