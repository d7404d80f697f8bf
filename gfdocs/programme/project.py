"""A project: one folder of data, checked, with its documents. What a script and the command line hold in hand."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from gfdocs import garbage
from gfdocs.errors import DataError, Issue, NotFound, PackageError, Place, TemplateError, Text, did_you_mean, errors_of
from gfdocs.programme.catalogue import SELECTIONS, DocumentSpec, get_spec, read_catalogue
from gfdocs.programme.consistency import check_consistency, check_ids, check_targets
from gfdocs.programme.context import (
    Plain,
    RoundContext,
    attachment_labels,
    build_context,
    build_issuer,
    build_plaque,
    build_round,
    to_plain,
)

if TYPE_CHECKING:
    from gfdocs.data.load import Dataset
    from gfdocs.data.model import Settings
    from gfdocs.engine.language import Expression, Program
    from gfdocs.engine.template import Document, Template

Missing = Literal["error", "mark", "blank"]
T = TypeVar("T")


class Target(NamedTuple):
    """For whom a document is made: neither for the round, a district's name, or a company of the context (with its district)."""

    district: str | None = None
    company: Plain | None = None


ROUND = Target()


@dataclass(frozen=True, eq=False)
class Project:
    """A checked project folder. `issues` are the warnings and notes; faults never get this far.

    >>> project = load("examples/demo-district")               # doctest: +SKIP
    >>> project.render("plaque", company="示例电子有限公司").save("plaque.svg")  # doctest: +SKIP
    """

    folder: Path
    dataset: Dataset
    documents: tuple[DocumentSpec, ...]
    context_of_round: RoundContext
    issues: tuple[Issue, ...]

    def __repr__(self) -> str:
        counts = self.context_of_round.base["counts"]
        return f"<Project {self.folder.name!r}: {counts['listed']} listed, {counts['districts']} districts, {len(self.issues)} issues>"

    @property
    def settings(self) -> Settings:
        return self.dataset.settings

    @cached_property
    def digest(self) -> str:
        """The sha256 of all data that documents can show, as hex."""
        context = self.context_of_round
        text = json.dumps(
            [context.base, list(context.districts.values()), context.companies], default=str, sort_keys=True
        )
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    def find_document(self, document: str) -> DocumentSpec | None:
        return next((spec for spec in self.documents if spec.id == document), None)

    def get_document(self, document: str) -> DocumentSpec:
        """Return the catalogue entry of that id; NotFound lists those there are."""
        return get_spec(self.documents, document)

    def get_district(self, name: str) -> Plain:
        """Return the district of that name, short name or code."""
        districts = self.context_of_round.districts
        for district in districts.values():
            if name in (district["name"], district["short_name"], district["code"]):
                return district
        raise NotFound(_not_found("district", "县级市（区）", name, list(districts), "GF461"))

    def get_company(self, name: str) -> Plain:
        """Return the company of that credit code, name or former name."""
        companies = self.context_of_round.companies
        found = [
            c for c in companies if name and name in (c["credit_code"], c["name"], c["former_name"], c["display_name"])
        ]
        if len(found) > 1:
            listed = [c for c in found if c in self.context_of_round.listed]
            found = listed if len(listed) == 1 else found
        if len(found) == 1:
            return found[0]
        if found:
            fact = Text(f'{len(found)} companies answer to "{name}"', f"有 {len(found)} 家单位对应“{name}”")
            raise NotFound(
                Issue("GF463", "error", Place(), fact, Text("give the credit code", "请给出统一社会信用代码"))
            )
        raise NotFound(_not_found("company", "单位", name, [c["name"] for c in companies], "GF462"))

    def targets(self, document: str) -> tuple[Target, ...]:
        """Return for whom the document is made, in official order."""
        spec = self.get_document(document)
        found: list[Target] = []
        if "round" in spec.scopes:
            found.append(ROUND)
        if "district" in spec.scopes:
            found.extend(Target(district=name) for name in self.context_of_round.districts)
        if "company" in spec.scopes:
            found.extend(self._company_targets(spec))
        return tuple(target for target in found if self._applies(spec, target))

    def _company_targets(self, spec: DocumentSpec) -> list[Target]:
        order = {name: index for index, name in enumerate(self.context_of_round.districts)}
        companies = self.context_of_round.select(spec.selection)
        placed = sorted(companies, key=lambda c: order.get(c["district"], len(order)))
        return [Target(company["district"] or None, company) for company in placed]

    def _applies(self, spec: DocumentSpec, target: Target) -> bool:
        """True where the catalogue's `when` holds; it sees the round, `district` and `company`."""
        if not spec.when:
            return True
        district = self.context_of_round.districts.get(target.district or "")
        return bool(
            self._conditions[spec.id]({**self.context_of_round.base, "district": district, "company": target.company})
        )

    @cached_property
    def _conditions(self) -> dict[str, Expression]:
        return {spec.id: _compile_condition(spec) for spec in self.documents if spec.when}

    def context(self, document: str, *, district: str | None = None, company: str | Plain | None = None) -> Plain:
        """Return the data that the document's template sees, as plain dicts and lists that must not be changed."""
        spec = self.get_document(document)
        return self.context_of(spec, self.get_target(document, district, company))

    def context_of(self, spec: DocumentSpec, target: Target) -> Plain:
        """Return the data that the document's template sees for one of its targets; it must not be changed."""
        base = self.context_of_round.base
        context = {**base, "document": self._describe(spec)}
        if target.district is not None:
            context["district"] = self.context_of_round.districts.get(target.district)
        if target.company is not None:
            company = target.company
            context["company"] = company
            context["indicators"] = company["indicators"]
            context["plaque"] = build_plaque(company, base) if company["level"] else None
        elif target.district is not None:
            context["package"] = self._get_package(target.district)
            context["groups"] = self._groups_of.get(target.district, [])
            context["counts"] = {**base["counts"], **context["district"]["counts"]}
        return context

    @cached_property
    def _groups_of(self) -> dict[str, list[Plain]]:
        """The group of each district in annex 2, as the list that its documents see."""
        return {group["district"]: [group] for group in self.context_of_round.base["groups"]}

    @cached_property
    def _packages(self) -> dict[str, list[Plain]]:
        return {}

    def _get_package(self, district: str) -> list[Plain]:
        """Return what the district's package holds, put together once for all its documents."""
        if district not in self._packages:
            self._packages[district] = self._package(district)
        return self._packages[district]

    def _describe(self, spec: DocumentSpec) -> Plain:
        return {"id": spec.id, "title": self._titles[spec.id], "label": self._labels.get(spec.id, "")}

    @cached_property
    def _titles(self) -> dict[str, str]:
        return build_titles(self.documents, self.settings)

    @cached_property
    def _labels(self) -> dict[str, str]:
        return attachment_labels(self.settings)

    def _package(self, district: str) -> list[Plain]:
        """What a district's package holds: its own documents in the order of their attachment numbers, then how many of each company document."""
        due = self.context_of_round.base["due"]
        own = (spec for spec in self.documents if "district" in spec.scopes and spec.enclosed)
        specs = [spec for spec in own if self._applies(spec, Target(district))]
        specs.sort(key=lambda spec: self._labels.get(spec.id, "附件~"))
        files = [(spec, self._describe_files(spec, district), 1) for spec in specs]
        for document, counts in self._company_counts.items():
            if counts[district]:
                spec = self.get_document(document)
                files.append((spec, f"{self._titles[document]}，共{counts[district]}份", counts[district]))
        return [
            {
                "number": number,
                **self._describe(spec),
                "file": file,
                "copies": copies,
                "due": due.get(spec.id.replace("-", "_")),
            }
            for number, (spec, file, copies) in enumerate(files, 1)
        ]

    def _describe_files(self, spec: DocumentSpec, district: str) -> str:
        """Return the file's name; further kinds of it by their suffix alone: `附件2 ….xlsx、.docx`."""
        first, *others = spec.kinds
        return "、".join((self.file_name(spec.id, first, Target(district)), *(f".{kind}" for kind in others)))

    @cached_property
    def _company_counts(self) -> dict[str, Counter[str]]:
        """How many documents of each kind are made for the companies of a district."""
        specs = (spec for spec in self.documents if "company" in spec.scopes)
        return {spec.id: Counter(t.district for t in self.targets(spec.id) if t.district) for spec in specs}

    def file_name(self, document: str, kind: str, target: Target = ROUND) -> str:
        """Return the file name that the catalogue's pattern gives, with its suffix; not yet made safe for a disk."""
        spec = self.get_document(document)
        base = self.context_of_round.base
        district = self.context_of_round.districts.get(target.district or "")
        context = {**base, "document": self._describe(spec), "district": district, "company": target.company}
        return f"{self._patterns[spec.id].render(context)}.{kind}"

    @cached_property
    def _patterns(self) -> dict[str, Program]:
        return {spec.id: compile_text(spec.file, spec.place) for spec in self.documents}

    def template(self, document: str, kind: str | None = None) -> Template:
        """Return the compiled template of the document, compiled once for the life of the project."""
        spec = self.get_document(document)
        kind = kind or spec.kinds[0]
        if kind not in spec.templates:
            fact = Text(f'"{document}" does not come as {kind}', f"“{document}”没有 {kind} 格式")
            hint = Text(f"it comes as {', '.join(spec.kinds)}", f"可用格式：{'、'.join(spec.kinds)}")
            raise NotFound(Issue("GF464", "error", spec.place, fact, hint))
        return self._get_template(spec.templates[kind])

    @cached_property
    def _compiled(self) -> dict[Path, Template]:
        return {}

    def _get_template(self, path: Path) -> Template:
        if path not in self._compiled:
            from gfdocs.engine.template import open_template

            self._compiled[path] = open_template(path)
        return self._compiled[path]

    def render(
        self, document: str, *, district: str | None = None, company: str | Plain | None = None, kind: str | None = None,
        missing: Missing = "error",
    ) -> Document:  # fmt: skip
        """Return the finished document for the round, a district or a company.

        `district` is a name, short name or code; `company` a credit code or name; `kind` docx, xlsx or svg where the document comes in more
        than one. Raises NotFound for a name that is not there, TemplateError with all issues where the template asks for more than the data has.
        """
        spec = self.get_document(document)
        return self.render_target(spec, self.get_target(document, district, company), kind=kind, missing=missing)

    def render_target(
        self, spec: DocumentSpec, target: Target, *, kind: str | None = None, missing: Missing = "error"
    ) -> Document:
        """Return the finished document for one of its targets."""
        return self.template(spec.id, kind).render(self.context_of(spec, target), missing=missing)

    def get_target(self, document: str, district: str | None = None, company: str | Plain | None = None) -> Target:
        """Return the target that a district's or company's name stands for; NotFound where the document is not made for such."""
        spec = self.get_document(document)
        if company is not None:
            found = self.get_company(company) if isinstance(company, str) else company
            target = Target(found["district"] or None, found)
            wanted = "company"
        elif district is not None:
            target, wanted = Target(self.get_district(district)["name"]), "district"
        else:
            target, wanted = ROUND, "round"
        if wanted not in spec.scopes:
            raise NotFound(_wrong_scope(spec, wanted, self.context_of_round))
        if target.company is not None:
            _check_district(target.company, district and self.get_district(district)["name"])
            self._check_is_among(spec, target.company)
        return target

    def _check_is_among(self, spec: DocumentSpec, company: Plain) -> None:
        """Raise NotFound where the document is not made for this unit: one that was removed gets no plaque."""
        if (company["name"], company["category"]) not in self._members[spec.selection]:
            what = _SELECTIONS[spec.selection]
            fact = Text(
                f'"{spec.id}" is made for {what}; {company["name"]} is none of them (status {company["status"]})',
                f"“{spec.id}”只为{what.zh}制作，{company['name']} 不在其中（状态：{company['status']}）",
            )
            hint = Text("look at its status, level and year", "请核对该单位的状态、级别和年度")
            raise NotFound(Issue("GF468", "error", spec.place, fact, hint))

    @cached_property
    def _members(self) -> dict[str, frozenset[tuple[str, str]]]:
        """Who is in each selection of the catalogue, by name and category."""
        select = self.context_of_round.select
        return {key: frozenset((c["name"], c["category"]) for c in select(key)) for key in SELECTIONS}

    def check(self) -> tuple[Issue, ...]:
        """Return every issue of data, consistency and templates: each template is opened and its names held against the data."""
        issues = list(self.issues)
        for spec in self.documents:
            for kind in spec.kinds:
                issues.extend(self._check_template(spec, kind))
        return tuple(issues)

    def _check_template(self, spec: DocumentSpec, kind: str) -> tuple[Issue, ...]:
        try:
            template = self.template(spec.id, kind)
        except (TemplateError, PackageError) as error:
            return error.issues
        found = list(template.issues)
        for target in self._samples(spec):
            try:
                template.render(self.context_of(spec, target))
            except TemplateError as error:
                found.extend(error.issues)
        return tuple(dict.fromkeys(found))

    def _samples(self, spec: DocumentSpec) -> tuple[Target, ...]:
        """Return the first target of each scope: a template may see a round well and a district not."""
        first: dict[tuple[bool, bool], Target] = {}
        for target in self.targets(spec.id):
            first.setdefault((target.district is None, target.company is None), target)
        return tuple(first.values())


def _not_found(en: str, zh: str, name: str, known: list[str], code: str) -> Issue:
    hint = did_you_mean(name, known)
    if not hint and len(known) <= 20:
        hint = Text(f"there are: {', '.join(known)}", f"可选：{'、'.join(known)}")
    return Issue(code, "error", Place(), Text(f'there is no {en} "{name}"', f"没有{zh}“{name}”"), hint)


def _check_district(company: Plain, district: str | None) -> None:
    """Raise NotFound where a district was named with the company and is not its own."""
    if district and district != company["district"]:
        fact = Text(
            f"{company['name']} is not in {district} but in {company['district_name']}",
            f"{company['name']} 不在{district}，所在地为{company['district_name']}",
        )
        raise NotFound(Issue("GF465", "error", Place(), fact, Text("name the company alone", "只指明单位即可")))


_SCOPES = {
    "round": Text("the round as a whole", "全市"),
    "district": Text("each district", "县级市（区）"),
    "company": Text("each company", "单位"),
}
_SELECTIONS = {
    "listed": Text("the units that annex 2 lists", "附件2 所列单位"),
    "units": Text("the units on the lists", "在列单位"),
    "candidates": Text("candidates", "培育单位"),
    "companies": Text("companies of the project", "项目中的单位"),
}


def _wrong_scope(spec: DocumentSpec, wanted: str, context: RoundContext) -> Issue:
    """The document is not made for what was asked: the whole round, a district, a company."""
    made = [_SCOPES[scope] for scope in spec.scopes]
    fact = Text(
        f'"{spec.id}" is made for {" and for ".join(made)}, not for {_SCOPES[wanted].replace("each", "a")}',
        f"“{spec.id}”按{'、'.join(text.zh for text in made)}制作，不按{_SCOPES[wanted].zh}制作",
    )
    if spec.scopes == ("round",):
        hint = Text("name no district and no company", "不需要指明县级市（区）或单位")
    else:
        hint = _scope_hint(spec, context)
    return Issue("GF465", "error", spec.place, fact, hint)


def _scope_hint(spec: DocumentSpec, context: RoundContext) -> Text:
    """Return what to name, with one that there is: `name a district: --district 张家港市`."""
    examples = {
        "district": next(iter(context.districts), ""),
        "company": next((c["name"] for c in context.select(spec.selection)), ""),
    }
    asked = [(scope, examples[scope]) for scope in spec.scopes if scope in examples]
    return Text(
        "name " + " or ".join(f"a {scope}" + (f" (--{scope} {name})" if name else "") for scope, name in asked),
        "请指明" + "或".join(_SCOPES[scope].zh + (f"（--{scope} {name}）" if name else "") for scope, name in asked),
    )


def build_titles(specs: tuple[DocumentSpec, ...], settings: Settings) -> dict[str, str]:
    """Return the finished title of each document by id, from the patterns of the catalogue."""
    context = {"round": build_round(settings), "issuer": build_issuer(settings), "source": to_plain(settings.source)}
    return {spec.id: compile_text(spec.title, spec.place).render(context) for spec in specs}


def compile_text(pattern: str, place: Place) -> Program:
    """Return a short text with tags (a title, a file name) compiled; it prints values as they are."""
    from gfdocs.engine.language import compile_source, make_environment

    return compile_source(make_environment(escape=None), pattern, place_of=lambda line: place)


def _compile_condition(spec: DocumentSpec) -> Expression:
    from gfdocs.engine.language import compile_expression, make_environment

    return compile_expression(make_environment(escape=None), spec.when, spec.place)


def _collect(step: Callable[[], T], issues: list[Issue]) -> T | None:
    """Return what the step gives, or None with its issues added: a fault of one file does not hide those of another."""
    try:
        return step()
    except DataError as error:
        issues.extend(error.issues)
        return None


def load(folder: str | Path) -> Project:
    """Return the project of a folder with gfdocs.yaml and its companies.

    Raises DataError with every issue of data, catalogue and consistency, each with its place, where any of them is an error.
    """
    project = check_project(folder)
    if errors_of(project.issues):
        raise DataError(project.issues)
    return project


def check_project(folder: str | Path) -> Project:
    """Return the project with all issues of consistency in `.issues`, errors too; raises DataError only where data cannot be read at all."""
    from gfdocs.data.load import load_dataset, read_settings

    issues: list[Issue] = []
    dataset = _collect(lambda: load_dataset(folder), issues)
    own = Path(folder) if os.path.isdir(folder) else None  # that there is no folder is told with the data
    specs = _collect(lambda: read_catalogue(own), issues)
    if dataset is None and own is not None and specs is not None:
        settings, place_of = read_settings(own)
        if settings is not None:
            issues.extend(check_ids(settings, place_of, specs))
    if dataset is None or specs is None:
        raise DataError(issues)
    chosen = dataset.settings.documents
    titles = build_titles(specs, dataset.settings)
    with garbage.paused():
        context = build_context(dataset, specs, titles)
    issues.extend((*dataset.issues, *check_consistency(dataset, specs, context)))
    made = tuple(spec for spec in specs if not chosen or spec.id in chosen)
    project = Project(Path(folder), dataset, made, context, tuple(issues))
    if errors_of(issues) or project.find_document("plaque") is None:
        return project
    extra = tuple(check_targets(len(project.targets("plaque")), context, dataset))
    return Project(Path(folder), dataset, made, context, (*issues, *extra))


def check_folder(folder: str | Path) -> tuple[Project | None, tuple[Issue, ...]]:
    """Return the project and every issue of its data, templates and consistency; None for a project that cannot be put together.

    Templates are opened even where the data cannot be read, so that all that is wrong comes in one run.
    """
    try:
        project = check_project(folder)
    except DataError as error:
        return None, (*error.issues, *_open_templates(Path(folder)))
    return project, project.check()


def _open_templates(folder: Path) -> tuple[Issue, ...]:
    from gfdocs.engine.template import open_template

    try:
        specs = read_catalogue(folder)
    except DataError:
        return ()
    issues: list[Issue] = []
    for path in dict.fromkeys(path for spec in specs for path in spec.templates.values()):
        try:
            issues.extend(open_template(path).issues)
        except (TemplateError, PackageError) as error:
            issues.extend(error.issues)
    return tuple(issues)
