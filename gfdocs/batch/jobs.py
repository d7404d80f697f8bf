"""The plan: every document of a round with the place where it goes, known before anything is written.

Pure: no disk, no clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NamedTuple

from gfdocs import garbage
from gfdocs.batch import faults
from gfdocs.batch.names import LIMIT_BYTES, LIMIT_PATH, fold_name, path_length, safe_name, split_suffix, unique_names
from gfdocs.batch.source import Source, SpecLike, TargetLike
from gfdocs.errors import Issue, NotFound, Place, Text, did_you_mean

ROUND_FOLDER = "00 全市文件"
UNLOCATED_FOLDER = "所在地待核实"
_NOBODY: dict[str, Any] = {}
_TAIL = 6  # characters of a credit code that tell companies apart: the serial of the unit and its check digit


@dataclass(frozen=True, slots=True)
class Job:
    """One document to make; empty texts where a thing does not apply.

    `path` is below the output folder, with `/`, and `package` its first step. `target` is the index among the
    project's targets of the document, so that a job can travel without the data.
    """

    number: int
    document: str
    kind: str
    package: str
    path: str
    target: int
    district: str = ""
    company: str = ""
    credit_code: str = ""

    @property
    def whom(self) -> str:
        """The company or district it is for, or empty for the round."""
        return self.company or self.district

    def __reduce__(self) -> tuple[Any, ...]:
        # A tenth of the time that a dataclass takes by itself: every job goes to a worker.
        return Job, (
            self.number, self.document, self.kind, self.package, self.path, self.target,
            self.district, self.company, self.credit_code,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Job {self.number}: {self.path}>"


class Plan(NamedTuple):
    """All jobs of a project, in order, what had to be said about their names, and the targets of each document."""

    jobs: tuple[Job, ...]
    issues: tuple[Issue, ...]
    targets: dict[str, Sequence[TargetLike]]


def plan(
    project: Source,
    *,
    only: str | Collection[str] | None = None,
    districts: str | Collection[str] | None = None,
    companies: str | Collection[str] | None = None,
    kinds: str | Collection[str] | None = None,
) -> tuple[Job, ...]:
    """Return the jobs of a batch in the order in which they are made; writes nothing.

    `only` takes document ids, `districts` names of districts (their companies included), `companies` names or credit
    codes, `kinds` docx, xlsx, svg. Names of files do not depend on what is chosen. Raises NotFound for a name that is
    not there.
    """
    return select_jobs(
        project, make_plan(project).jobs, only=only, districts=districts, companies=companies, kinds=kinds
    )


def make_plan(project: Source) -> Plan:
    """Return every job of the project, with names that are safe and unique."""
    if isinstance(project, str | PurePath):
        raise TypeError(f"a batch is made of a project: gfdocs.load({str(project)!r})")
    with garbage.paused():
        return _make_plan(project)


def _make_plan(project: Source) -> Plan:
    targets = {spec.id: project.targets(spec.id) for spec in project.documents}
    drafts = sorted(_draft_jobs(project, targets), key=lambda draft: draft.order)
    names, issues = _name_files(drafts)
    jobs = [
        Job(
            number, draft.spec.id, draft.kind, draft.package, f"{draft.folder}/{name}", draft.target,
            draft.district, draft.company, draft.credit_code,
        )
        for number, (draft, name) in enumerate(zip(drafts, names, strict=True), 1)
    ]  # fmt: skip
    return Plan(tuple(jobs), tuple(issues), targets)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A job that has no file name yet."""

    order: tuple[int, int, int, int]
    spec: SpecLike
    kind: str
    package: str
    folder: str
    raw_name: str
    target: int
    district: str
    company: str
    credit_code: str


def _draft_jobs(project: Source, targets: dict[str, Sequence[TargetLike]]) -> Iterable[_Draft]:
    folders = _name_packages([district.name for district in project.settings.districts])
    last = len(folders) + 1
    positions = {name: position for position, name in enumerate(folders, 1)}
    for index, spec in enumerate(project.documents):
        group = _group_folder(spec)
        for number, target in enumerate(targets[spec.id]):
            position, package = _find_package(target, folders, positions, last)
            folder = f"{package}/{group}" if target.company is not None else package
            company = target.company if target.company is not None else _NOBODY
            for which, kind in enumerate(spec.kinds):
                yield _Draft(
                    (position, index, number, which), spec, kind, package, folder,
                    project.file_name(spec.id, kind, target), number, target.district or "",
                    company.get("name", ""), company.get("credit_code", "") or "",
                )  # fmt: skip


def _name_packages(districts: Sequence[str]) -> dict[str, str]:
    """Return the folder of each district by its name: `01 张家港市` … in official order, as many digits as it takes."""
    width = max(2, len(str(len(districts))))
    return {name: f"{number:0{width}} {safe_name(name, limit=60)}" for number, name in enumerate(districts, 1)}


def _find_package(target: Any, folders: dict[str, str], positions: dict[str, int], last: int) -> tuple[int, str]:
    if target.district is None and target.company is None:
        return 0, ROUND_FOLDER
    if target.district in folders:
        return positions[target.district], folders[target.district]
    return last, UNLOCATED_FOLDER


def _group_folder(spec: SpecLike) -> str:
    """Return the folder that holds a district's copies of a company document: the words its file names begin with
    (年度总结, 标牌).
    """
    head = spec.file.split("{", 1)[0].strip(" （(_-—、，")
    title = spec.title.split("{", 1)[0].strip()
    return safe_name(head or title or spec.id, limit=60)


def _name_files(drafts: Sequence[_Draft]) -> tuple[list[str], list[Issue]]:
    """Return a file name for each draft, unique in its folder, and an issue for each that several wanted."""
    folders: dict[str, list[int]] = defaultdict(list)
    for index, draft in enumerate(drafts):
        folders[fold_name(draft.folder)].append(index)
    names, issues = [""] * len(drafts), list[Issue]()
    for indices in folders.values():
        wanted = [(*split_suffix(drafts[i].raw_name, drafts[i].kind), drafts[i].credit_code[-_TAIL:]) for i in indices]
        limit = min(LIMIT_BYTES, LIMIT_PATH - path_length(drafts[indices[0]].folder) - 1)
        found, same = unique_names([(stem, tail, suffix) for stem, suffix, tail in wanted], limit=limit)
        for index, name in zip(indices, found, strict=True):
            names[index] = name
        folder = drafts[indices[0]].folder
        issues.extend(faults.renamed(f"{folder}/{found[group[0]]}", len(group)) for group in same)
    return names, issues


def select_jobs(
    project: Source,
    jobs: Sequence[Job],
    *,
    only: str | Collection[str] | None = None,
    districts: str | Collection[str] | None = None,
    companies: str | Collection[str] | None = None,
    kinds: str | Collection[str] | None = None,
) -> tuple[Job, ...]:
    """Return the jobs that were chosen; None chooses all. Raises NotFound, with every name that is not there."""
    issues: list[Issue] = []
    known_districts = {name: d.name for d in project.settings.districts for name in _names_of(d)}
    wanted_documents = _check(only, {spec.id: spec.id for spec in project.documents}, ("document", "文件"), issues)
    wanted_districts = _check(districts, known_districts, ("district", "县级市（区）"), issues)
    wanted_kinds = _check(kinds, {k: k for spec in project.documents for k in spec.kinds}, ("kind", "类型"), issues)
    by_company = {key: job.company for job in jobs for key in (job.company, job.credit_code) if key}
    wanted_companies = _check(companies, by_company, ("company", "单位"), issues)
    if issues:
        raise NotFound(issues)
    return tuple(
        job
        for job in jobs
        if (wanted_documents is None or job.document in wanted_documents)
        and (wanted_districts is None or job.district in wanted_districts)
        and (wanted_kinds is None or job.kind in wanted_kinds)
        and (wanted_companies is None or job.company in wanted_companies)
    )


def _names_of(district: Any) -> tuple[str, ...]:
    return tuple(filter(None, (district.code, district.short_name, district.name)))


def _check(
    wanted: str | Collection[str] | None, known: dict[str, str], what: tuple[str, str], issues: list[Issue]
) -> set[str] | None:
    """Return the known names that were asked for, None for all; notes each that is not there as GF500."""
    if wanted is None:
        return None
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    for name in names:
        if name not in known:
            fact = Text(f'this batch has no {what[0]} "{name}"', f"本批次没有{what[1]}“{name}”")
            hint = did_you_mean(name, known, means=known) or _list_choices(list(dict.fromkeys(known.values())))
            issues.append(Issue("GF500", "error", Place(), fact, hint))
    return {known[name] for name in names if name in known}


def _list_choices(names: list[str]) -> Text:
    """Return the names that there are; of many only the first."""
    shown, more = names[:20], len(names) > 20
    return Text(
        f"there are: {', '.join(shown)}{', …' if more else ''}", f"可选：{'、'.join(shown)}{'……' if more else ''}"
    )
