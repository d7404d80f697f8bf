"""Draws templates/plaque.svg: the plaque of a listed unit, 600 × 400 mm by default, in an example style (示意样式).

The official drawing is not public. The file is a drawing of 600 × 400 that any drawing program opens; for another size the words
are scaled as a whole and the frame keeps its distance from the edge (`gf:set-…` attributes). The ground reaches 5 mm beyond the
trim for the bleed. No seal and no emblem is drawn.
"""

from __future__ import annotations

import re

WIDTH, HEIGHT = 600, 400  # the field, mm
BLEED = 5
CORNER = 14  # the centre of the corner cuts, mm from both edges
INK, GREEN = "#2b2416", "#0f5a3c"
INK_CMYK, GREEN_CMYK = "58 60 78 72", "90 36 82 32"  # percent, for the printer
SONG = "'方正小标宋简体', 'FZXiaoBiaoSong-B05S', 'Source Han Serif SC', 'Noto Serif CJK SC', 'STZhongsong', 'SimSun', serif"
HEI = "'Source Han Sans SC', 'Noto Sans CJK SC', 'Microsoft YaHei', 'SimHei', sans-serif"

# titanium gold (钛金), brushed from the upper left: position, colour
GROUND = (
    (0, "#efe0b4"),
    (0.18, "#f8eecd"),
    (0.36, "#e3cd93"),
    (0.55, "#f6eac4"),
    (0.74, "#dcc486"),
    (0.9, "#f3e4b9"),
    (1, "#d9bf7f"),
)


def draw() -> dict[str, bytes]:
    """Return the file of the plaque by name."""
    return {"plaque.svg": _draw_plaque().encode("utf-8")}


def _draw_plaque() -> str:
    scale = f"{{{{ '%g'|format([plaque.width|float / {WIDTH}, plaque.height|float / {HEIGHT}]|min) }}}}"
    middle = f"translate({_dynamic('<w/2> <h/2>')}) scale({scale}) translate({-WIDTH // 2} {-HEIGHT // 2})"
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!-- 标牌（示意样式）。1 个用户单位 = 1 毫米。gf:fit 为该行文字可用宽度（毫米）：先压缩到 gf:condense，
     再折成至多 gf:lines 行，最后缩小，但不小于 gf:smallest；绝不截断。
     gf:set-width 等为数据给出其他尺寸时代替 width 等属性的值。
     图层 plate 为底板效果，engraving 为需要刻蚀的线条与文字。 -->
<svg xmlns="http://www.w3.org/2000/svg" xmlns:gf="urn:gfdocs:svg" {_sized("width", "<w>mm")} {_sized("height", "<h>mm")} {_sized("viewBox", "0 0 <w> <h>")}>
  <title>{{{{ plaque.title }}}} {{{{ company.name }}}}</title>
  <desc>标牌示意样式，并非主管部门公布的正式式样；制作前请以正式式样为准。不含印章与徽标。</desc>
  <defs>
    <linearGradient id="ground" gradientUnits="userSpaceOnUse" x1="0" y1="0" {_sized("x2", "<w>")} {_sized("y2", "<h>")}>
{_stops(GROUND, 6)}
    </linearGradient>
    <radialGradient id="cap" cx="0.38" cy="0.34" r="0.75">
{_stops(((0, "#fffdf4"), (0.45, "#d8c48d"), (1, "#8f7a43")), 6)}
    </radialGradient>
  </defs>
  <g id="plate">
    <rect x="{-BLEED}" y="{-BLEED}" {_sized("width", f"<w+{2 * BLEED}>")} {_sized("height", f"<h+{2 * BLEED}>")} fill="url(#ground)"/>
    {_caps()}
  </g>
  <g id="engraving">
    {_border(14, 17, 2.4, GREEN)}
    {_border(19.5, 22.5, 0.8, GREEN)}
    <g id="words" text-anchor="middle" fill="{INK}" data-cmyk="{INK_CMYK}" gf:set-transform="{middle}">
      <text id="level" x="300" y="117" font-family="{SONG}" font-weight="700" font-size="65" fill="{GREEN}" data-cmyk="{GREEN_CMYK}" gf:fit="500" gf:condense="0.88" gf:smallest="32">{{{{ plaque.title }}}}</text>
      <text id="english" x="300" y="153" font-family="{HEI}" font-weight="500" font-size="17.5" letter-spacing="2.4" fill="{GREEN}" data-cmyk="{GREEN_CMYK}" gf:fit="490" gf:condense="0.9" gf:smallest="9">{{{{ plaque.english }}}}</text>
      <path id="rule" d="M160 175H288M312 175H440" fill="none" stroke="{GREEN}" data-cmyk="{GREEN_CMYK}" stroke-width="0.9"/>
      <path id="lozenge" d="M300 170L305 175L300 180L295 175Z" fill="{GREEN}" data-cmyk="{GREEN_CMYK}"/>
      <text id="company" x="300" y="252" font-family="{HEI}" font-weight="700" font-size="37" gf:fit="490" gf:lines="3" gf:height="84" gf:condense="0.85" gf:leading="1.25" gf:smallest="14">{{{{ company.name }}}}</text>
      <text id="issuer" x="300" y="320" font-family="{SONG}" font-weight="700" font-size="24" gf:fit="470" gf:condense="0.85" gf:smallest="12">{{{{ plaque.issuer }}}}</text>
      <text id="date" x="300" y="350" font-family="{SONG}" font-weight="700" font-size="19" gf:fit="300" gf:smallest="10">{{{{ plaque.date_text }}}}</text>
    </g>
  </g>
</svg>
"""


def _sized(name: str, pattern: str) -> str:
    """An attribute that depends on the size: as drawn, and beside it what gives another size. `<w-18>` is 18 mm from the right edge."""
    return f'{name}="{_static(pattern)}" gf:set-{name}="{_dynamic(pattern)}"'


def _static(pattern: str) -> str:
    return re.sub(
        "<([wh])([-+][0-9.]+)?>", lambda m: f"{(WIDTH if m[1] == 'w' else HEIGHT) + float(m[2] or 0):g}", pattern
    )


def _dynamic(pattern: str) -> str:
    """Tags that print lengths to six digits without trailing zeros, whether sizes are whole numbers or decimals."""
    sides = {"w": "plaque.width|float", "h": "plaque.height|float"}
    return re.sub(
        "<([wh])(.*?)>", lambda m: f"{{{{ '%g'|format({sides[m[1]]} {m[2][:1]} {m[2][1:]}".rstrip() + ") }}", pattern
    )


def _stops(stops: tuple[tuple[float, str], ...], indent: int) -> str:
    return "\n".join(f'{" " * indent}<stop offset="{offset:g}" stop-color="{colour}"/>' for offset, colour in stops)


def _caps() -> str:
    """The caps of the four mounting screws, 18 mm from both edges (hole M6)."""
    places = [(x, y) for y in ("18", "<h-18>") for x in ("18", "<w-18>")]
    return "\n    ".join(
        f'<circle {_at("cx", x)} {_at("cy", y)} r="6" fill="url(#cap)" stroke="#7c6a3a" stroke-width="0.4"/>'
        for x, y in places
    )


def _at(name: str, pattern: str) -> str:
    return _sized(name, pattern) if "<" in pattern else f'{name}="{pattern}"'


def _border(inset: float, radius: float, width: float, colour: str) -> str:
    """A frame `inset` mm from the trim, its corners cut in by a circle of `radius` round the point 14 mm from both edges."""
    reach = round(CORNER + (radius**2 - (inset - CORNER) ** 2) ** 0.5, 3)
    near, after = f"{inset:g}", f"{reach:g}"
    far_x, far_y, before_x, before_y = f"<w-{inset:g}>", f"<h-{inset:g}>", f"<w-{reach:g}>", f"<h-{reach:g}>"
    arc = f"A{radius:g} {radius:g} 0 0 0"
    d = (
        f"M{after} {near}H{before_x}{arc} {far_x} {after}V{before_y}{arc} {before_x} {far_y}"
        f"H{after}{arc} {near} {before_y}V{after}{arc} {after} {near}Z"
    )
    return f'<path {_sized("d", d)} fill="none" stroke="{colour}" data-cmyk="{GREEN_CMYK}" stroke-width="{width:g}"/>'
