"""Change of indicators from one year to the next: how much, which way, whether it is an improvement."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from gfdocs.data.indicators import find_indicator


@lru_cache(1024)
def _change(last: Decimal | None, current: Decimal | None) -> tuple[Decimal | None, str]:
    change = change_percent(last, current)
    return change, _change_text(change)


def change_percent(last: Decimal | None, current: Decimal | None) -> Decimal | None:
    """Return the change from last to current year in percent, to one decimal; None where either is missing or last is 0."""
    if last is None or current is None or last == 0:
        return None
    return ((current - last) / abs(last) * 100).quantize(Decimal("0.1"))


def add_changes(indicators: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the indicators with `change` (Decimal, %), `change_text` (`下降 3.2%`) and `improved` (bool or None) added."""
    out = []
    for row in indicators:
        change, change_text = _change(row["last"], row["current"])
        spec = find_indicator(row["name"])
        better = {"正向": "high", "逆向": "low", "正向定量": "high", "逆向定量": "low"}.get(
            row["better"], row["better"]
        )
        better = better or (spec.better if spec else "")
        improved = None if change is None or change == 0 or not better else (change > 0) == (better == "high")
        group = row["group"] or (spec.group if spec else "")
        out.append({**row, "group": group, "change": change, "change_text": change_text, "improved": improved})
    return out


def _change_text(change: Decimal | None) -> str:
    if change is None:
        return "—"
    if change == 0:
        return "持平"
    return f"{'上升' if change > 0 else '下降'}{abs(change)}%"
