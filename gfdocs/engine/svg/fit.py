"""Text fitting: how a text of unknown length is set in a given width, and never clipped.

The order is the sign maker's: set it as drawn; condense it, down to a limit; break it at a sensible place into at most
so many lines; only then set it smaller, down to a limit. What does not fit even then is told to the caller (None).

All lengths are in user units (mm in a plaque); text widths are in em until multiplied by the font size.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

Measure = Callable[[str], float]
"""The width of one character in em."""

# The widest of Noto Sans CJK SC Bold, Noto Serif CJK SC Bold and Noto Sans CJK SC, rounded up to 0.01 em, so that a
# text fits whichever of the usual faces the reader's machine has.
_LATIN_WIDTHS = {
    char: width
    for width, chars in {
        0.25: " ", 0.33: "'", 0.34: ",.:;j|", 0.35: "i", 0.36: "l", 0.37: "!-", 0.38: "[]{}", 0.40: "()/\\", 0.41: "f",
        0.43: "It", 0.50: "rs", 0.51: "*", 0.52: "?z", 0.57: "Jc", 0.58: '"v', 0.59: "$17ey", 0.60: "02345689_agx",
        0.61: "+<=>^~", 0.62: "#", 0.63: "SZ`o", 0.65: "FLq", 0.66: "dk", 0.67: "E", 0.68: "Pbpu", 0.69: "hn",
        0.70: "T", 0.71: "BCY", 0.73: "X", 0.74: "V", 0.75: "A", 0.76: "GR", 0.77: "K", 0.79: "DOQ", 0.81: "&",
        0.82: "NU", 0.87: "H", 0.88: "w", 0.97: "%", 1.01: "@Mm", 1.10: "W",
    }.items()
    for char in chars
}  # fmt: skip


@lru_cache(8192)
def em_width(char: str) -> float:
    """Return the width of one character in em: 1 for CJK and full-width forms, a table for Latin, 0 for marks."""
    if char in _LATIN_WIDTHS:
        return _LATIN_WIDTHS[char]
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Mn", "Me"):
        return 0.0
    shape = unicodedata.east_asian_width(char)
    if shape == "H":
        return 0.5
    if shape in ("W", "F", "A"):  # ambiguous ones (“”·…) are a full em in Chinese faces
        return 1.0
    return 0.9 if char.isupper() else 0.75


@dataclass(frozen=True, slots=True)
class Fit:
    """What a text may do to fit: `width`, `height` and `smallest` in user units, `leading` in em, `condense` 0…1."""

    width: float
    lines: int = 1
    smallest: float = 0.0
    condense: float = 0.8
    leading: float = 1.3
    height: float | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The text as it will be set: lines with their widths in user units at `size`, all condensed by `scale`."""

    lines: tuple[str, ...]
    widths: tuple[float, ...]
    size: float
    scale: float


def fit_text(text: str, size: float, fit: Fit, measure: Measure = em_width) -> Fitted | None:
    """Return how `text` is set, or None where it can't fit: the fewest lines that keep the size, else the largest."""
    text = " ".join(text.split())
    widths = [0.0, *accumulate(map(measure, text))]
    best: Fitted | None = None
    for count in range(1, fit.lines + 1):
        lines = _break_into(text, count, widths)
        if lines is None:
            continue
        found = _set_lines(lines, size, fit, measure)
        if best is None or found.size > best.size:
            best = found
        if best.size == size:
            break
    return best if best is not None and best.size >= min(fit.smallest, size) and best.size > 0 else None


def _set_lines(lines: tuple[str, ...], size: float, fit: Fit, measure: Measure) -> Fitted:
    """Return the lines at the largest size ≤ `size` at which the widest, condensed to the limit, takes the width."""
    ems = [sum(map(measure, line)) for line in lines]
    widest = max(ems)
    limits = [size]
    if widest:
        limits.append(fit.width / (widest * fit.condense))
    if fit.height is not None:
        limits.append(fit.height / (1 + (len(lines) - 1) * fit.leading))
    largest = min(limits)
    fitted = size if largest == size else _floor(largest, 3)
    scale = min(1.0, fit.width / (widest * fitted)) if widest and fitted > 0 else 1.0
    return Fitted(lines, tuple(em * fitted for em in ems), fitted, scale if scale == 1.0 else _floor(scale, 4))


def _floor(number: float, digits: int) -> float:
    """Round down, so that rounding never makes a text wider than it may be."""
    step = float(10**digits)
    return int(number * step + 1e-9) / step


# --- where a line may end ------------------------------------------------------------------------------------------

_NO_START = frozenset("，。、；：？！）》」』】〕”’·…—%％℃,.;:?!)]}")
_NO_END = frozenset("（《「『【〔“‘([{")
_LEGAL_FORM = re.compile(
    "(?:集团)?(?:控股)?(?:股份)?有限(?:责任)?公司|(?:集团|总|分)公司|合伙企业|管理委员会|产业开发区|开发区|工业园区?"
)
_WORDS = re.compile(
    "绿色工业园区|绿色供应链管理企业|绿色供应链|绿色工厂|新材料|半导体|自动化|智能化|信息化|数字化|化妆品|零组件|零部件|印刷|电路|技术|科技|汽车|电子|机械|机器|精密|工业|电气|能源|光伏|设备|制造|系统|材料|"
    "纤维|纺织|食品|家具|玻璃|建材|钢铁|模具|电力|电池|动力|清洁|阳光|特种|驱动|环保|高新|高科|国际|实业|经济|国家|生物|医药|"
    "医疗|器械|智能|装备|信息|通信|网络|光电|微电|集成|塑料|橡胶|化工|化学|涂料|造纸|纸业|包装|彩印|服饰|制衣|金属|铝业|铜业|"
    "重工|轻工|电器|电缆|线缆|仪器|仪表|航空|船舶|轨道|交通|照明|显示|空调|压缩|轴承|阀门|饰件|超威|防爆|高端|绿色|供应链|管理"
)
_PLACE = re.compile("^.{1,6}?(?:自治区|省|市)(?:.{1,4}?(?:市|县|区))?")


def break_penalties(text: str) -> list[float | None]:
    """Return for each index what it costs to begin a new line there: 0 at a joint (less before a former name), more
    inside a phrase, None never.

    A joint is a space, a bracket, the end of the place name, the start of the legal form (有限公司). Latin words and
    numbers are never split; closing punctuation never begins a line (GB/T 15834), opening punctuation never ends one.
    """
    costs: list[float | None] = [None, *(_plain_cost(before, after) for before, after in pairwise(text)), None]
    for pattern, inside, edge in ((_WORDS, 0.4, 0.08), (_LEGAL_FORM, 0.8, 0.0)):
        for match in pattern.finditer(text):
            _add_costs(costs, match.start(), match.end(), inside, edge)
    if (former := text.find("（原")) > 0:  # （原××有限公司） stands best on a line of its own
        costs[former] = -0.35
    place = _PLACE.match(text)
    if place:
        _add_costs(costs, 0, place.end(), 0.4, 0.0)
    return costs[: len(text) + 1] if text else [None]


def _plain_cost(before: str, after: str) -> float | None:
    """Return the cost of a break between two characters, seen by themselves."""
    if after in _NO_START or before in _NO_END or after.isspace():
        return None
    if unicodedata.combining(after) or unicodedata.category(after) in ("Cf", "Mn", "Me"):
        return None
    if before.isspace() or before in "）》」』】〕”·、，,;；：/&-－—)" or after in "（《「『【〔“(":
        return 0.0
    latin = [unicodedata.east_asian_width(char) not in ("W", "F", "A") for char in (before, after)]
    if all(latin):
        return None
    return 0.05 if any(latin) else 0.2


def _add_costs(costs: list[float | None], start: int, end: int, inside: float, edge: float) -> None:
    """Raise the cost within start…end, and lower it at both edges where a break is allowed at all."""
    for index in range(start + 1, end):
        if (cost := costs[index]) is not None:
            costs[index] = max(cost, inside)
    for index in (start, end):
        if (cost := costs[index]) is not None:
            costs[index] = min(cost, edge) if cost <= 0.2 else cost


def _break_into(text: str, count: int, widths: list[float]) -> tuple[str, ...] | None:
    """Return `text` in exactly `count` lines of the least cost (unevenness + penalties), or None where it cannot be."""
    if count == 1:
        return (text,)
    costs = break_penalties(text)
    joints = [index for index in range(1, len(text)) if costs[index] is not None]
    if len(joints) < count - 1:
        return None
    mean = widths[-1] / count or 1.0

    def unevenness(start: int, end: int) -> float:
        return ((widths[end] - widths[start]) / mean - 1) ** 2

    # best[k] maps an end index to (cost, breaks so far) of the best setting of text[:end] in k lines
    best: dict[int, tuple[float, tuple[int, ...]]] = {j: (unevenness(0, j) + (costs[j] or 0.0), (j,)) for j in joints}
    for _ in range(count - 2):
        best = dict(_next_line(best, joints, costs, unevenness))
    ends = [(cost + unevenness(index, len(text)), breaks) for index, (cost, breaks) in best.items()]
    if not ends:
        return None
    edges = (0, *min(ends)[1], len(text))
    return tuple(text[a:b].strip() for a, b in pairwise(edges))


def _next_line(
    best: dict[int, tuple[float, tuple[int, ...]]],
    joints: list[int],
    costs: list[float | None],
    unevenness: Callable[[int, int], float],
) -> Iterator[tuple[int, tuple[float, tuple[int, ...]]]]:
    for end in joints:
        ways = [
            (cost + unevenness(start, end) + (costs[end] or 0.0), (*breaks, end))
            for start, (cost, breaks) in best.items()
            if start < end
        ]
        if ways:
            yield end, min(ways)
