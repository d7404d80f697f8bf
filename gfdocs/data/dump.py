"""Records back to YAML, as a person would write it: Chinese text as it is, every scalar safe to read again as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gfdocs.data.model import Company


def dump_companies(companies: Iterable[Company]) -> str:
    """Return companies.yaml; fields at their defaults are left out. Reading it again gives equal records."""
    import yaml

    rows = [company.model_dump(mode="json", exclude_defaults=True) for company in companies]
    return str(yaml.safe_dump({"companies": rows}, allow_unicode=True, sort_keys=False, width=1000))
