"""The words themselves: clause 9 (GB/T 15834 punctuation, GB/T 15835 numerals) and what papers are sent back for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gfdocs.errors import Issue, Text
from gfdocs.gongwen.check_body import leading_spaces
from gfdocs.gongwen.paper import Paragraph
from gfdocs.gongwen.parts import Parts
from gfdocs.gongwen.rules import make_issue, quote

_HAN = "\u4e00-\u9fff"
_FULL = str.maketrans({",": "，", ";": "；", ":": "：", "?": "？", "!": "！", "(": "（", ")": "）", ".": "。"})

Wanted = Callable[[re.Match[str]], str]


def _full_width(match: re.Match[str]) -> str:
    return quote(match.group(0).translate(_FULL))


# code, pattern, what is wanted, hint
_PATTERNS: tuple[tuple[str, re.Pattern[str], Wanted], ...] = (
    ("GF771", re.compile(rf"(?<=[{_HAN}》”）])[,;:?!](?=[{_HAN}《“（\s]|$)"), _full_width),
    ("GF771", re.compile(rf"(?<=[{_HAN}])\.(?=[{_HAN}]|$)"), _full_width),
    ("GF771", re.compile(rf"\((?=[^()]*[{_HAN}])[^()]{{0,40}}\)"), _full_width),
    (
        "GF772",
        re.compile(r"(?<![\d.])\d{2}年(?=\d{1,2}月|度|底|初|上半年|下半年|第[一二三四]季度)"),
        lambda m: quote("20" + m.group(0)),
    ),
    (
        "GF773",
        re.compile(r"(?<![\d%％.])(\d+(?:\.\d+)?)\s*[～~—–-]\s*(\d+(?:\.\d+)?)[%％]"),
        lambda m: quote(f"{m[1]}%～{m[2]}%"),
    ),
    (
        "GF774",
        re.compile(r"(?<!\d)((?:19|20)\d{2})(年?)[-–~]((?:19|20)\d{2})年"),
        lambda m: quote(f"{m[1]}{m[2]}—{m[3]}年"),
    ),
    ("GF775", re.compile(r"\.{3,}|。{2,}|·{3,}|(?<!…)…(?!…)"), lambda m: quote("……")),
    ("GF776", re.compile(r"\d{1,2}月\d{1,2}号"), lambda m: quote(m.group(0)[:-1] + "日")),
    (
        "GF777",
        re.compile(r"截止(?:到|至)?(?=\s*(?:\d{2,4}年|\d{1,2}月|目前|今年|去年|本月|上月|当前))"),
        lambda m: quote("截至"),
    ),
    ("GF777", re.compile(r"截至(?=日期|时间)"), lambda m: quote("截止")),
    ("GF779", re.compile(r"([，；：、！？])\1+|[，；、：][。，；、]|。[，；、]"), lambda m: quote(m.group(0)[-1])),
    ("GF780", re.compile(rf"[\"＂](?=[{_HAN}《0-9])|(?<=[{_HAN}》0-9])[\"＂]"), lambda m: quote("“ ”")),
    ("GF781", re.compile(r"》、《|”、“"), lambda m: quote(m.group(0)[0] + m.group(0)[-1])),
    ("GF782", re.compile(r"年0\d月|月0\d日"), lambda m: quote(m.group(0).replace("0", "", 1))),
    ("GF783", re.compile(r"[０-９Ａ-Ｚａ-ｚ]+"), lambda m: quote("".join(chr(ord(c) - 0xFEE0) for c in m.group(0)))),
)
_LEFT_OVER = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|【待[^】]{1,10}】|【缺[^】]{1,40}】|[×Xx]{3,}|_{4,}")
_PAIRS = (("（", "）"), ("《", "》"), ("“", "”"), ("〔", "〕"), ("〈", "〉"))

# 1） and a） as numbers have no opening bracket
_HALF_BRACKET = re.compile(r"(?:^|(?<=[；;。，,、：:\s]))[0-9A-Za-z一二三四五六七八九十]{1,3}）")


def check_text(parts: Parts) -> Iterator[Issue]:
    for paragraph in parts.paper.all_paragraphs:
        if paragraph.words:
            yield from _check_patterns(parts, paragraph)
            yield from _check_pairs(parts, paragraph)
            yield from _check_left_over(parts, paragraph)
    yield from _check_spaces(parts)
    yield from _check_address(parts)


def _context(text: str, match: re.Match[str]) -> str:
    return quote(text[max(0, match.start() - 6) : match.end() + 6])


def _check_patterns(parts: Parts, paragraph: Paragraph) -> Iterator[Issue]:
    text = paragraph.words
    head = {parts.date.number if parts.date else 0, *(p.number for p in parts.imprint)}
    for code, pattern, wanted in _PATTERNS:
        if code in ("GF776", "GF782") and paragraph.number in head:
            continue  # the date of the paper has a rule of its own
        for match in pattern.finditer(text):
            if code == "GF771" and parts.number is not None and paragraph.number == parts.number.number:
                continue  # so have the brackets of the document number
            yield make_issue(parts.paper.name, code, paragraph, _context(text, match), wanted(match))


def _check_pairs(parts: Parts, paragraph: Paragraph) -> Iterator[Issue]:
    text = _HALF_BRACKET.sub("", paragraph.words)
    for opening, closing in _PAIRS:
        opened, closed = text.count(opening), text.count(closing)
        if opened != closed and not (opening == "“" and opened - closed == 1):  # a quotation may run on
            found = Text(f"{opened} {opening} and {closed} {closing}", f"“{opening}”{opened}个、“{closing}”{closed}个")
            yield make_issue(parts.paper.name, "GF786", paragraph, found, Text("pairs", "成对使用"))


def _check_left_over(parts: Parts, paragraph: Paragraph) -> Iterator[Issue]:
    for match in _LEFT_OVER.finditer(paragraph.words):
        wanted = Text("the real text", "正式内容")
        yield make_issue(parts.paper.name, "GF785", paragraph, quote(match.group(0)), wanted, severity="note")


def _check_spaces(parts: Parts) -> Iterator[Issue]:
    """Indents made of spaces; told once, with how many paragraphs have them."""
    spaced = [
        p for p in (*parts.body, *([parts.date] if parts.date else [])) if p and leading_spaces(p) and not p.table
    ]
    if spaced:
        found = Text(f"spaces before the text ({len(spaced)} paragraphs)", f"段首用空格（{len(spaced)}段）")
        wanted = Text("an indent of 2 characters", "首行缩进2字符")
        yield make_issue(parts.paper.name, "GF784", spaced[0], found, wanted)


def _check_address(parts: Parts) -> Iterator[Issue]:
    """你局 and 贵局 in one paper."""
    first: dict[str, tuple[str, Paragraph]] = {}
    for paragraph in parts.body:
        for match in re.finditer(r"(你|贵)(局|厅|委|市|区|县|单位|公司|办|院)", paragraph.words):
            before = first.setdefault(match[2], (match[1], paragraph))
            if before[0] != match[1]:
                from gfdocs.gongwen.rules import make_place

                also = (make_place(parts.paper.name, before[1]),)
                yield make_issue(
                    parts.paper.name, "GF778", paragraph, quote(match.group(0)), quote(before[0] + match[2]), also=also
                )
                return
