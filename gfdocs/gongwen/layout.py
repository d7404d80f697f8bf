"""The numbers of GB/T 9704-2012 (党政机关公文格式) as data, each with its clause and how binding it is.

Lengths are in millimetres, type sizes and line pitches in points, as the standard and Word give them. The templates
are drawn from these numbers and the checker compares with them, so the two can't drift.

What the standard leaves open and this module settles is marked `derived` or `practice` in its comment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STANDARD: Final = "GB/T 9704-2012"


class Strength(StrEnum):
    """How binding a clause is; only 规 can make a document wrong."""

    SHALL = "规"
    NORMALLY = "般"
    RECOMMENDED = "荐"
    MAY = "可"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of the standard: `value` in `unit` (mm, pt or 字), `tolerance` in the same unit."""

    value: float
    unit: str
    clause: str
    strength: Strength = Strength.SHALL
    tolerance: float = 0.0

    @property
    def twips(self) -> int:
        """The length in twentieths of a point."""
        if self.unit == "mm":
            return mm_to_twips(self.value)
        return round(self.value * 20)

    @property
    def half_points(self) -> int:
        """The size as `w:sz` counts it."""
        return round(self.value * 2)

    @property
    def eighths(self) -> int:
        """The thickness of a rule as the border's `w:sz` counts it (eighths of a point)."""
        return round(self.value / 25.4 * 72 * 8)


def mm_to_twips(mm: float) -> int:
    return round(mm / 25.4 * 1440)


def twips_to_mm(twips: float) -> float:
    return twips / 1440 * 25.4


def mm_to_points(mm: float) -> float:
    return mm / 25.4 * 72


def points_to_mm(points: float) -> float:
    return points / 72 * 25.4


# 5.1 幅面, 5.2.1 页边与版心尺寸 ----------------------------------------
PAPER_WIDTH = Measure(210, "mm", "5.1", tolerance=0.5)
PAPER_HEIGHT = Measure(297, "mm", "5.1", tolerance=0.5)
TOP_MARGIN = Measure(37, "mm", "5.2.1", tolerance=1)  # 天头
LEFT_MARGIN = Measure(28, "mm", "5.2.1", tolerance=1)  # 订口
TYPE_AREA_WIDTH = Measure(156, "mm", "5.2.1", tolerance=1)  # 版心
TYPE_AREA_HEIGHT = Measure(225, "mm", "5.2.1", tolerance=1)
# derived: what is left of A4
RIGHT_MARGIN = Measure(210 - 28 - 156, "mm", "5.2.1", tolerance=1)
BOTTOM_MARGIN = Measure(297 - 37 - 225, "mm", "5.2.1", tolerance=1)

# 5.2.3 行数和字数 ----------------------------------------
LINES_PER_PAGE: Final = 22
CHARACTERS_PER_LINE: Final = 28
LINES_CLAUSE: Final = "5.2.3"
# derived: 225 mm / 22 = 28.99 pt; 580 twips × 22 = 12760 overflow the 12756 of the type area, 579 keep 22 lines in
LINE_PITCH = Measure(28.95, "pt", "5.2.3", Strength.NORMALLY, tolerance=0.06)
# derived: 28 × 16 pt = 448 pt are 158.0 mm; −0.25 pt a character makes it 441 pt = 155.6 mm
CHARACTER_SPACING = Measure(-0.25, "pt", "5.2.3", Strength.NORMALLY)

# Word's names of type sizes (字号), in points
SIZES: Final[dict[str, float]] = {
    "初号": 42, "小初": 36, "一号": 26, "小一": 24, "二号": 22, "小二": 18, "三号": 16, "小三": 15,
    "四号": 14, "小四": 12, "五号": 10.5, "小五": 9,
}  # fmt: skip
BODY_SIZE = Measure(16, "pt", "5.2.2", Strength.NORMALLY)  # 3号
TITLE_SIZE = Measure(22, "pt", "7.3.1", Strength.NORMALLY)  # 2号
IMPRINT_SIZE = Measure(14, "pt", "7.4.2", Strength.NORMALLY)  # 4号
PAGE_NUMBER_SIZE = Measure(14, "pt", "7.5", Strength.NORMALLY)  # 4号
# derived (clause 3: 一字 = the width of one Chinese character), at 3号 with the spacing above
CHARACTER_WIDTH: Final = BODY_SIZE.value + CHARACTER_SPACING.value

# Fonts: the standard says 小标宋体, 仿宋体, 黑体, 楷体, 宋体; these are the faces offices have (practice)
FONT_MARK: Final = "方正小标宋简体"
FONT_TITLE: Final = "方正小标宋简体"
FONT_BODY: Final = "仿宋_GB2312"
FONT_HEADING_1: Final = "黑体"
FONT_HEADING_2: Final = "楷体_GB2312"
FONT_PAGE_NUMBER: Final = "宋体"
# every face that counts as the standard's face
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    "小标宋体": (
        "方正小标宋简体", "方正小标宋_GBK", "方正小标宋_GB2312", "方正小标宋GB18030", "小标宋体",
        "FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "华文中宋", "STZhongsong", "汉仪小标宋简",
    ),
    "仿宋体": (
        "仿宋_GB2312", "仿宋", "FangSong", "FangSong_GB2312", "方正仿宋_GBK", "方正仿宋简体",
        "方正仿宋_GB2312", "方正仿宋_GB18030", "华文仿宋", "STFangsong",
    ),
    "黑体": ("黑体", "SimHei", "方正黑体_GBK", "方正黑体简体", "华文黑体", "STHeiti"),
    "楷体": (
        "楷体_GB2312", "楷体", "KaiTi", "KaiTi_GB2312", "方正楷体_GBK", "方正楷体简体",
        "方正楷体_GB2312", "华文楷体", "STKaiti",
    ),
    "宋体": ("宋体", "SimSun", "NSimSun", "新宋体", "方正书宋_GBK", "方正书宋简体", "华文宋体", "STSong"),
}  # fmt: skip

# 7.2 版头 ----------------------------------------
MARK_TOP = Measure(35, "mm", "7.2.4", tolerance=1)  # 发文机关标志 上边缘 below the type area's top edge
BLANK_LINES_ABOVE_NUMBER: Final = 2  # 7.2.5
RED_RULE_BELOW_NUMBER = Measure(4, "mm", "7.2.7", tolerance=0.5)
RED_RULE_WIDTH = Measure(156, "mm", "7.2.7", tolerance=1)
RED_RULE_THICKNESS = Measure(0.44, "mm", "7.2.7", Strength.MAY)  # practice: 0.35 to 0.5 mm
RED: Final = "FF0000"

# 7.3 主体 ----------------------------------------
BLANK_LINES_ABOVE_TITLE: Final = 2  # 7.3.1, below the red rule
BLANK_LINES_ABOVE_ADDRESSEE: Final = 1  # 7.3.2
FIRST_LINE_INDENT = Measure(2, "字", "7.3.3")
BLANK_LINES_ABOVE_ATTACHMENTS: Final = 1  # 7.3.4
ATTACHMENT_INDENT = Measure(2, "字", "7.3.4")
DATE_RIGHT_INDENT = Measure(4, "字", "7.3.5.1", Strength.NORMALLY)  # with a seal
SIGNATURE_RIGHT_INDENT = Measure(2, "字", "7.3.5.2")  # without one
NOTE_INDENT = Measure(2, "字", "7.3.6")  # 附注

# 7.4 版记 ----------------------------------------
IMPRINT_RULE_THICK = Measure(0.35, "mm", "7.4.1", Strength.RECOMMENDED)
IMPRINT_RULE_THIN = Measure(0.25, "mm", "7.4.1", Strength.RECOMMENDED)
IMPRINT_INDENT = Measure(1, "字", "7.4.2")

# 7.5 页码 ----------------------------------------
PAGE_NUMBER_BELOW_TYPE_AREA = Measure(7, "mm", "7.5", tolerance=0.5)  # 一字线 below the type area's bottom edge
PAGE_NUMBER_INDENT = Measure(1, "字", "7.5", Strength.NORMALLY)
PAGE_NUMBER_DASH: Final = "\u2014"

# 10.1 信函格式 ----------------------------------------
LETTER_MARK_TOP = Measure(30, "mm", "10.1", tolerance=1)
LETTER_RULE_WIDTH = Measure(170, "mm", "10.1", tolerance=1)
LETTER_RULE_BOTTOM = Measure(20, "mm", "10.1", tolerance=1)
