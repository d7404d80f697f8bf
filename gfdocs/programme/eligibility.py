"""The gates of 申报入库: three basic conditions that must hold, five exclusions that must not.

Source: the city's notice of 2023 (申报入库 conditions). An unanswered question is neither met nor failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CONDITIONS = {
    "independent": "在本市注册、具有独立法人资格的工业企业",
    "sound": "生产经营状况良好",
    "no_accident": "近三年无重大及以上安全、环保、质量等事故",
}
EXCLUSIONS = {
    "safety_accident": "发生较大及以上生产安全和质量事故",
    "environment_event": "发生Ⅲ级（较大）及以上突发环境污染事件",
    "inspection_problem": "在国家、省级有关督查检查中被发现存在严重问题",
    "energy_rectification": "被列入节能监察整改名单且未按要求完成整改",
    "dishonest": "被列为失信被执行人",
}


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The verdict on one candidate, each part a tuple of the texts of conditions or exclusions."""

    unmet: tuple[str, ...]
    excluded: tuple[str, ...]
    unanswered: tuple[str, ...]

    @property
    def eligible(self) -> bool | None:
        """True or False, None while questions are open and nothing fails."""
        if self.unmet or self.excluded:
            return False
        return None if self.unanswered else True

    @property
    def text(self) -> str:
        """符合, 不符合（reasons）or 待核实."""
        if self.eligible is False:
            return f"不符合（{'；'.join((*self.unmet, *self.excluded))}）"
        return "符合" if self.eligible else "待核实"


def judge(answers: dict[str, Any] | None) -> Eligibility:
    """Return the verdict on the answers of one candidate; None or absent answers are open."""
    found = answers or {}
    return Eligibility(
        unmet=tuple(text for key, text in CONDITIONS.items() if found.get(key) is False),
        excluded=tuple(text for key, text in EXCLUSIONS.items() if found.get(key) is True),
        unanswered=tuple(text for key, text in {**CONDITIONS, **EXCLUSIONS}.items() if found.get(key) is None),
    )
