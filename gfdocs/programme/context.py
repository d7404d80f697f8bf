"""What a template of the programme sees: plain dicts, lists and scalars, built once for a round and shared by all its documents.

Numbers, counts, dates and titles that appear in more than one document are made here and nowhere else, so that they agree.
The names are listed in docs/architecture.md.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any

from gfdocs.data.indicators import TABLE_FIGURES, get_set
from gfdocs.programme.catalogue import DocumentSpec
from gfdocs.programme.eligibility import CONDITIONS, EXCLUSIONS, judge
from gfdocs.programme.indicators import add_changes

if TYPE_CHECKING:
    from gfdocs.data.load import Dataset

Plain = dict[str, Any]

NUMBER_BLANK = "【待编号】"
NO_DISTRICT = "所在地待核实"
PARK, SUPPLY_CHAIN, FACTORY = "绿色工业园区", "绿色供应链管理企业", "绿色工厂"
DEFAULT_ATTACHMENTS = ("province-notice", "list", "annual-table", "cultivation-table")
LISTED = ("在列", "更名")
_HIGHER_LEVELS = ("国家级", "省级")


@dataclass(frozen=True, slots=True)
class RoundContext:
    """The shared part (`base`), the districts by name in official order, and the units that annex 2 lists."""

    base: Plain
    districts: dict[str, Plain]
    companies: tuple[Plain, ...]
    listed: tuple[Plain, ...]
    units: tuple[Plain, ...]
    candidates: tuple[Plain, ...]

    def select(self, selection: str) -> tuple[Plain, ...]:
        """Return the companies of a selection of the catalogue: listed, units, candidates or companies."""
        found: tuple[Plain, ...] = getattr(self, selection)
        return found


_SCALARS = frozenset({str, int, float, bool, type(None), Decimal, date})


def to_plain(value: Any) -> Any:
    """Return a record as dicts, lists and scalars, in the order of its fields.

    A record of scalars alone gives its own dict, which must not be changed: a country has a hundred thousand of them.
    """
    kind: Any = type(value)
    if kind in _SCALARS:
        return value
    if _is_record(kind):
        entries: Plain = value.__dict__
        if all(type(entry) in _SCALARS for entry in entries.values()):
            return entries
        return {name: e if type(e) in _SCALARS else to_plain(e) for name, e in entries.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value


@cache
def _is_record(kind: Hashable) -> bool:
    return hasattr(kind, "model_fields")


def build_context(dataset: Dataset, specs: Sequence[DocumentSpec], titles: dict[str, str]) -> RoundContext:
    """Return the context of a whole round; `titles` holds the finished title of each document by id."""
    settings = dataset.settings
    round_ = build_round(settings)
    companies = [_build_company(company, round_) for company in dataset.companies]
    units = [c for c in companies if _is_unit(c, round_)]
    new = [c for c in units if c["level"] == round_["level"] and c["year"] == round_["year"]]
    listed = units if round_["scope"] == "all" else new
    candidates = [c for c in companies if c["is_candidate"]]
    of_listed, of_units, of_candidates = _group(listed), _group(units), _group(candidates)
    number = _Numbering()
    districts = {
        d.name: _build_district(
            d, of_listed.get(d.name, []), of_units.get(d.name, []), of_candidates.get(d.name, []), number
        )
        for d in settings.districts
    }
    groups = _build_groups(districts, listed)
    ordered = [c for group in groups for c in group["companies"]]
    base = {
        "round": round_,
        "issuer": build_issuer(settings),
        "source": to_plain(settings.source),
        **_build_attachments(settings, titles),
        "counts": {
            **_count(ordered, units, candidates),
            "new": len(new),
            "districts": len(districts),
        },
        "addressees": _build_addressees(settings.districts),
        "groups": groups,
        "districts": list(districts.values()),
        "district": None,
        "company": None,
        "watch": [{"name": s.name, "group": s.group} for s in get_set(round_["plan_year"])[1]],
        "watch_standard": get_set(round_["plan_year"])[0],
        "conditions": list(CONDITIONS.values()),
        "exclusions": list(EXCLUSIONS.values()),
        "plaque_settings": to_plain(settings.plaque),
    }
    return RoundContext(base, districts, tuple(companies), tuple(ordered), tuple(units), tuple(candidates))


def build_round(settings: Any) -> Plain:
    round_ = to_plain(settings.round)
    summary_year = round_["summary_year"] or round_["date"].year - 1
    return {
        **round_,
        "summary_year": summary_year,
        "plan_year": summary_year + 1,
        "number_or_blank": round_["number"] or NUMBER_BLANK,
    }


def build_issuer(settings: Any) -> Plain:
    issuer: Plain = to_plain(settings.issuer)
    name = issuer["name"]
    return {**issuer, "mark": issuer["mark"] or f"{name}文件", "short_name": issuer["short_name"] or name}


def _build_company(company: Any, round_: Plain) -> Plain:
    """A unit with no level or year of its own belongs to this round; a candidate has none.

    Sub-records are always there, blank where the data has none, so that `company.summary.text` is a plain path everywhere.
    """
    plain: Plain = to_plain(company)
    candidate = plain["status"] == "培育"
    level = plain["level"] or ("" if candidate else round_["level"])
    year = plain["year"] or (None if candidate else round_["year"])
    former = plain["former_name"]
    plain.update(
        level=level,
        year=year,
        display_name=f"{plain['name']}（原{former}）" if former else plain["name"],
        district_name=plain["district"] or NO_DISTRICT,
        level_text=f"{level}{plain['category']}" if level else "",
        listed_in=plain["batch"] or (f"{year}年度" if year else ""),
        indicators=add_changes(plain["indicators"]),
        main_project=_first_project(plain["plan"]),
        figures=_find_figures(plain["indicators"]) if plain["indicators"] else NO_FIGURES,
        has_report=bool(company.summary or company.plan or company.indicators),
        is_candidate=bool(candidate or company.cultivation or company.enrolment),
        **_build_enrolment(plain["enrolment"]),
    )
    for part, blank in _blanks().items():
        if plain[part] is None:
            plain[part] = blank
    return plain


@cache
def _blanks() -> Plain:
    """The sub-records of a company that gives none, one of each for all companies."""
    from gfdocs.data.fields import get_spec
    from gfdocs.data.model import Cultivation, Plan, Summary

    parts = {"summary": Summary, "plan": Plan, "cultivation": Cultivation}
    return {name: to_plain(get_spec(record).make({})) for name, record in parts.items()}


def _build_enrolment(answers: Plain | None) -> Plain:
    """Return the answers as texts, and the verdict on them."""
    if answers is None:
        return _unanswered()
    texts = {key: _yes_no(answer) for key, answer in answers.items()}
    return {"enrolment": texts, "enrolment_verdict": judge(answers).text}


@cache
def _unanswered() -> Plain:
    from gfdocs.data.fields import get_spec
    from gfdocs.data.model import Enrolment

    return _build_enrolment(to_plain(get_spec(Enrolment).make({})))


def _first_project(plan: Plain | None) -> Plain:
    """The project that annex 3 shows, blank where none is planned."""
    projects = plan["projects"] if plan else []
    return projects[0] if projects else NO_PROJECT


NO_PROJECT: Plain = {"name": "", "investment": None, "due": "", "benefit": ""}
NO_FIGURES: Plain = dict.fromkeys(TABLE_FIGURES)


def _find_figures(indicators: Iterable[Plain]) -> Plain:
    """This year's figures by the name of the indicator; those that annex 3 has columns for are always there."""
    return {**NO_FIGURES, **{row["name"]: row["current"] for row in indicators}}


def to_plain_company(company: Any, settings: Any) -> Plain:
    """Return one company as templates see it."""
    return _build_company(company, build_round(settings))


def _yes_no(answer: bool | None) -> str:
    return "" if answer is None else "是" if answer else "否"


def _is_unit(company: Plain, round_: Plain) -> bool:
    """A unit of annex 3: on a list up to this round's year; lists below the provincial level count only in a city's own round."""
    if company["status"] not in LISTED or company["year"] > round_["year"]:
        return False
    return company["level"] in _HIGHER_LEVELS or company["level"] == round_["level"]


def _count(listed: Sequence[Plain], units: Sequence[Plain], candidates: Sequence[Plain]) -> Plain:
    kinds = [c["category"] for c in listed]
    return {
        "listed": len(listed),
        "units": len(units),
        "factories": kinds.count(FACTORY),
        "parks": kinds.count(PARK),
        "supply_chains": kinds.count(SUPPLY_CHAIN),
        "candidates": len(candidates),
    }


class _Numbering:
    """Numbers companies within their lists. The same company with the same number is one dict, in however many lists."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], Plain] = {}

    def __call__(self, companies: Iterable[Plain]) -> list[Plain]:
        return [self._get(company, index) for index, company in enumerate(companies, 1)]

    def _get(self, company: Plain, index: int) -> Plain:
        key = (id(company), index)  # the companies live as long as the round: no id is given twice
        if key not in self._made:
            self._made[key] = {**company, "index": index}
        return self._made[key]


def _group(companies: Iterable[Plain]) -> dict[str, list[Plain]]:
    """Return the companies by the name of their district."""
    found: dict[str, list[Plain]] = {}
    for company in companies:
        found.setdefault(company["district"], []).append(company)
    return found


def _build_district(
    district: Any, listed: list[Plain], units: list[Plain], candidates: list[Plain], number: _Numbering
) -> Plain:
    name = district.name
    of_kind = {kind: number(c for c in units if c["category"] == kind) for kind in (FACTORY, PARK, SUPPLY_CHAIN)}
    plain: Plain = to_plain(district)
    return {
        **plain,
        "short_name": district.short_name or name,
        "addressee": district.addressee or f"{district.short_name or name}{district.body}",
        "listed": number(listed),
        "units": number(units),
        "factories": of_kind[FACTORY],
        "parks": of_kind[PARK],
        "supply_chains": of_kind[SUPPLY_CHAIN],
        "candidates": number(candidates),
        "counts": _count(listed, units, candidates),
    }


def _build_groups(districts: dict[str, Plain], listed: list[Plain]) -> list[Plain]:
    """Annex 2: the districts that have units, in official order, then the units whose district is not known."""
    named = [(name, district["listed"]) for name, district in districts.items() if district["listed"]]
    unknown = _Numbering()(c for c in listed if c["district"] not in districts)
    if unknown:
        named.append((NO_DISTRICT, unknown))
    groups, start = [], 0
    for name, members in named:
        companies = [{**c, "index_in_group": c["index"], "index": start + c["index"]} for c in members]
        groups.append({"district": name, "name": name, "companies": companies, "count": len(companies)})
        start += len(companies)
    return groups


def _key(document_id: str) -> str:
    return document_id.replace("-", "_")


def get_attachments(settings: Any) -> tuple[str, ...]:
    """Return the document ids of the annex list in order: those of gfdocs.yaml, else the usual four as far as they are made."""
    if settings.attachments:
        return tuple(settings.attachments)
    return tuple(d for d in DEFAULT_ATTACHMENTS if not settings.documents or d in settings.documents)


def attachment_labels(settings: Any) -> dict[str, str]:
    """Return the label of each attachment by document id: 附件1 … in the order of the annex list; one alone is 附件."""
    ids = get_attachments(settings)
    return {document: "附件" if len(ids) == 1 else f"附件{number}" for number, document in enumerate(ids, 1)}


def _build_attachments(settings: Any, titles: dict[str, str]) -> Plain:
    labels = attachment_labels(settings)
    due: dict[str, date] = {_key(d.document): d.date for d in settings.deadlines}
    attachments: list[Plain] = [
        {
            "number": number,
            "label": labels[document],
            "title": titles.get(document, document),
            "document": document,
            "due": due.get(_key(document)),
        }
        for number, document in enumerate(get_attachments(settings), 1)
    ]
    deadlines = [
        {
            "document": d.document,
            "label": labels.get(d.document, ""),
            "title": titles.get(d.document, d.document),
            "date": d.date,
            "note": d.note,
        }
        for d in settings.deadlines
    ]
    return {
        "attachments": attachments,
        "annex": {_key(a["document"]): a for a in attachments},
        "deadlines": deadlines,
        "due": due,
    }


def _build_addressees(districts: Iterable[Any]) -> list[str]:
    """Return the addressees as custom joins them: bodies of one kind together, in the order of the districts' first.

    各县级市（区）工信局 comes first, then one entry for each other kind, its districts joined by 、:
    `['各县级市（区）工信局', '姑苏区经科局', '工业园区、高新区经发委']`.
    """
    by_body: dict[str, list[str]] = {}
    special: list[str] = []
    for district in districts:
        if district.addressee:
            special.append(district.addressee)
        else:
            by_body.setdefault(district.body, []).append(district.short_name or district.name)
    common = max(by_body, key=lambda body: len(by_body[body]), default="")
    texts = [f"各县级市（区）{common}"] if len(by_body.get(common, ())) > 1 else []
    rest = [(body, names) for body, names in by_body.items() if not texts or body != common]
    return texts + ["、".join(names) + body for body, names in rest] + special


def build_plaque(company: Plain, base: Plain) -> Plain:
    """Return the words of a unit's plaque (标牌, 示意): the official wording is not public and all of it can be set in gfdocs.yaml."""
    words, round_, level = base["plaque_settings"], base["round"], company["level"]
    english = {PARK: "GREEN INDUSTRIAL PARK", SUPPLY_CHAIN: "GREEN SUPPLY CHAIN ENTERPRISE"}.get(
        company["category"], "GREEN FACTORY"
    )
    by_level = {
        "国家级": (company["category"], english, words["national_issuer"]),
        "市级": (
            f"{round_['city']}{company['category']}",
            f"{english} OF {words['city_english']}",
            words["city_issuer"] or base["issuer"]["name"],
        ),
    }
    provincial = (
        f"{round_['province']}{company['category']}",
        f"{english} OF {words['province_english']}",
        base["source"]["issuer"],
    )
    title, english, issuer = by_level.get(level, provincial)
    this_round = level == round_["level"] and company["year"] == round_["year"]
    issued: date = base["source"]["date"]
    return {
        "title": title,
        "english": english,
        "issuer": issuer,
        "date_text": f"{issued.year}年{issued.month}月" if this_round else f"{company['year']}年",
        "width": float(words["width"]),  # templates reckon with them in float literals
        "height": float(words["height"]),
    }
