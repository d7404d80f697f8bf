"""What the manifest keeps of the data, so that two batches can be compared in words.

No contacts: a manifest travels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, overload

from gfdocs.batch.source import Source

_WORDS = ("name", "former_name", "credit_code", "district", "category", "level", "status", "year")
_PARTS = ("summary", "plan", "cultivation")
_ROUND = ("name", "year", "batch", "level", "number", "date", "title", "scope")


def make_records(project: Source) -> dict[str, Any]:
    """Return `round` (name, number, date, deadlines, counts by district) and `companies` (names, status, figures)."""
    companies = CompanyRecords(project.dataset.companies)
    settings = project.settings
    counts: dict[str, int] = {district.name: 0 for district in settings.districts}
    for company in project.dataset.companies:
        counts[company.district] = counts.get(company.district, 0) + 1
    deadlines = {entry.document: _word(entry.date) for entry in settings.deadlines}
    round_ = {name: _word(getattr(settings.round, name)) for name in _ROUND}
    return {"round": {**round_, "deadlines": deadlines, "districts": counts}, "companies": companies}


class CompanyRecords(Sequence[dict[str, Any]]):
    """The companies as the manifest has them, each made when it is asked for: a country's would take 60 MB."""

    def __init__(self, companies: Sequence[Any]) -> None:
        self._companies = companies

    def __len__(self) -> int:
        return len(self._companies)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...

    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...

    def __getitem__(self, index: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        found = self._companies[index]
        return [_company(company) for company in found] if isinstance(index, slice) else _company(found)


def _company(company: Any) -> dict[str, Any]:
    words = {name: _word(getattr(company, name)) for name in _WORDS}
    figures: dict[str, str] = {}
    for part in _PARTS:
        figures.update(_figures(getattr(company, part, None)))
    for indicator in company.indicators:
        for field, title in (("last", "上年度"), ("current", "本年度"), ("target", "目标")):
            value = getattr(indicator, field)
            if value is not None:
                figures[f"{indicator.name}（{title}）"] = str(value)
    return {key: value for key, value in {**words, "figures": figures}.items() if value not in ("", {}, None)}


def _figures(record: Any) -> Iterable[tuple[str, str]]:
    """Return the numbers of a record by the Chinese titles of their fields."""
    if record is None:
        return
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            yield field.title or name, str(value)
        elif isinstance(value, tuple):
            for entry in value:
                label = getattr(entry, "name", "")
                yield from ((f"{label} {title}".strip(), number) for title, number in _figures(entry))


def _word(value: Any) -> Any:
    """Return a scalar as JSON has it."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, Decimal)):
        return str(value)
    return value


def company_key(company: Mapping[str, Any]) -> str:
    """Return what a company is known by from one batch to the next: its credit code, else category and name."""
    code = company.get("credit_code")
    return str(code) if code else f"{company.get('category', '')}/{company.get('name', '')}"
