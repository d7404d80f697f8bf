"""正文, 附件说明, 署名与日期, 附件, 版记: clauses 7.3.3 to 7.4."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gfdocs.data.zh import parse_chinese_number
from gfdocs.errors import Issue, Text
from gfdocs.gongwen import layout
from gfdocs.gongwen.check_head import alignment, blank_lines_between
from gfdocs.gongwen.check_page import describe, is_family, is_running_text
from gfdocs.gongwen.paper import Paragraph
from gfdocs.gongwen.parts import ATTACHMENT_LABEL, DATE, Parts
from gfdocs.gongwen.rules import characters, make_issue, make_place, plain, quote

_CHINESE = "一二三四五六七八九十"
LEVELS = (
    re.compile(r"(?P<n>[一二三四五六七八九十]{1,3})(?P<mark>[、.．，,])"),
    re.compile(r"[（(](?P<n>[一二三四五六七八九十]{1,3})[)）](?P<mark>[、.．，,]?)"),
    re.compile(r"(?P<n>\d{1,2})(?P<mark>[.．、，])(?!\d)"),
    re.compile(r"[（(](?P<n>\d{1,2})[)）](?P<mark>[、.．，,]?)"),
)
_WANTED_MARKS = ("、", "", ".．", "")
_FORMS = ("一、", "（一）", "1.", "（1）")


def check_body(parts: Parts) -> Iterator[Issue]:
    yield from _check_indents(parts)
    yield from _check_heading_faces(parts)
    yield from _check_bold(parts)
    yield from _check_levels(parts)
    yield from _check_attachment_list(parts)
    yield from _check_citations(parts)
    yield from _check_annexes(parts)
    yield from _check_end(parts)
    yield from _check_imprint(parts)


# -- 自然段 ------------------------------------------------------------
def leading_spaces(paragraph: Paragraph) -> float:
    """White space before its first word, in 字: a full-width space is one, a half-width one a half."""
    text = paragraph.text
    lead = text[: len(text) - len(text.lstrip(" \u3000\xa0"))]
    return sum(1.0 if char == "\u3000" else 0.5 for char in lead)


def _is_running_text(parts: Parts, paragraph: Paragraph) -> bool:
    return is_running_text(parts, paragraph) and "\t" not in paragraph.words[:4]


def _check_indents(parts: Parts) -> Iterator[Issue]:
    for paragraph in parts.body:
        if not _is_running_text(parts, paragraph):
            continue
        indent = paragraph.left + paragraph.first + leading_spaces(paragraph)
        if abs(indent - layout.FIRST_LINE_INDENT.value) > 0.35:
            found = Text(f"{characters(indent)}", f"左空{plain(indent)}字")
            yield make_issue(parts.paper.name, "GF724", paragraph, found, Text("2 characters", "左空二字"))
        elif abs(paragraph.left) > 0.35:
            found = Text(f"following lines {characters(paragraph.left)} in", f"回行左空{plain(paragraph.left)}字")
            yield make_issue(parts.paper.name, "GF724", paragraph, found, Text("flush left", "回行顶格"))


# -- 层次 ------------------------------------------------------------
def find_level(words: str) -> tuple[int, re.Match[str]] | None:
    """The level (0…3) of a paragraph that begins with a level number, and the match."""
    for level, pattern in enumerate(LEVELS):
        match = pattern.match(words)
        if match:
            return level, match
    return None


def _value(text: str) -> int:
    if text.isdigit():
        return int(text)
    if text.startswith("十"):
        return 10 + (_CHINESE.index(text[1]) + 1 if len(text) > 1 else 0)
    tens, _, ones = text.partition("十")
    if "十" in text:
        return (_CHINESE.index(tens) + 1) * 10 + (_CHINESE.index(ones) + 1 if ones else 0)
    return _CHINESE.index(text[0]) + 1


def _check_heading_faces(parts: Parts) -> Iterator[Issue]:
    for paragraph in parts.body:
        found = find_level(paragraph.words)
        if found is None or found[0] > 1 or paragraph.table:
            continue
        family, wanted = (("黑体", layout.FONT_HEADING_1), ("楷体", layout.FONT_HEADING_2))[found[0]]
        look = paragraph.opening
        if not is_family(look.east, family):
            yield make_issue(parts.paper.name, "GF725", paragraph, look.east or "—", wanted)


def _check_bold(parts: Parts) -> Iterator[Issue]:
    for paragraph in (*parts.title, *parts.body):
        bold = "".join(r.text for r in paragraph.runs if r.look.bold).strip()
        if bold and not paragraph.table:
            found = Text(f"“{bold[:12]}” bold", f"“{bold[:12]}”加粗")
            yield make_issue(parts.paper.name, "GF726", paragraph, found, Text("not bold", "不加粗"))


def _check_levels(parts: Parts) -> Iterator[Issue]:
    """Gaps, repetitions, skips and wrong marks of the level numbers, in reading order."""
    counters = [0, 0, 0, 0]
    uses_second = any((f := find_level(p.words)) and f[0] == 1 for p in parts.body)
    deepest = -1
    for paragraph in parts.body:
        found = find_level(paragraph.words)
        if found is None or paragraph.table:
            continue
        level, match = found
        value = _value(match["n"])
        yield from _check_mark(parts, paragraph, level, match)
        skipped = level - deepest > 1 and not (level == 2 and deepest in (0, -1) and not uses_second)
        if skipped and value == 1 and deepest >= 0:
            yield make_issue(
                parts.paper.name, "GF727", paragraph,
                Text(f"{_FORMS[level]} below {_FORMS[deepest]}", f"“{_FORMS[deepest]}”下直接用“{_FORMS[level]}”"),
                f"“{_FORMS[deepest + 1]}”",
            )  # fmt: skip
        if value != counters[level] + 1 and not (value == 1 and level >= 1):
            was = counters[level]
            found_text = (
                Text(f"{match['n']} after {was}", f"“{match['n']}”前一序号为{was}") if was else quote(match["n"])
            )
            wanted = Text(f"number {was + 1}", f"第{was + 1}项")
            yield make_issue(parts.paper.name, "GF728", paragraph, found_text, wanted)
        counters[level] = value
        counters[level + 1 :] = [0] * (3 - level)
        deepest = level


def _check_mark(parts: Parts, paragraph: Paragraph, level: int, match: re.Match[str]) -> Iterator[Issue]:
    mark = match["mark"]
    text = match.group(0)
    if level in (0, 2) and mark in _WANTED_MARKS[level] and mark:
        return
    if level in (1, 3) and not mark and text[0] == "（" and text.rstrip(mark)[-1] == "）":
        return
    yield make_issue(parts.paper.name, "GF729", paragraph, quote(text), f"“{_FORMS[level]}”")


# -- 附件说明 ------------------------------------------------------------
def _check_attachment_list(parts: Parts) -> Iterator[Issue]:
    head, name = parts.attachments_head, parts.paper.name
    if head is None:
        return
    before = [p for p in parts.body if p.number < head.number]
    if before and not before[-1].table:
        blanks = blank_lines_between(parts.paper, before[-1], head)
        if abs(blanks - layout.BLANK_LINES_ABOVE_ATTACHMENTS) > 0.6:
            found = Text(f"{blanks:.0f} blank lines above", f"上空{blanks:.0f}行")
            yield make_issue(name, "GF731", head, found, Text("1 blank line", "正文下空一行"))
    indent = head.left + head.first + leading_spaces(head)
    if abs(indent - layout.ATTACHMENT_INDENT.value) > 0.35:
        yield make_issue(
            name,
            "GF731",
            head,
            Text(f"{characters(indent)} in", f"左空{plain(indent)}字"),
            Text("2 characters", "左空二字"),
        )
    if not re.match(r"附件：", head.words):
        yield make_issue(name, "GF731", head, quote(head.words[:3]), "“附件：”")
    yield from _check_attachment_names(parts)
    yield from _check_attachment_numbers(parts)


def _check_attachment_names(parts: Parts) -> Iterator[Issue]:
    width = layout.CHARACTERS_PER_LINE
    for item in parts.attachments:
        ending = re.search(r"[。；;，,、.．]$", item.name)
        if ending:
            yield make_issue(
                parts.paper.name, "GF732", item.paragraph, quote("…" + item.name[-6:]), quote("…" + item.name[-6:-1])
            )
        start = item.paragraph.left + max(item.paragraph.first, 0) + leading_spaces(item.paragraph)
        if len(item.name) + 6.5 > width and item.paragraph.first >= 0 and "\n" not in item.paragraph.words:
            found = Text(f"following lines {characters(start)} in", f"回行左空{plain(item.paragraph.left)}字")
            yield make_issue(
                parts.paper.name, "GF734", item.paragraph, found,
                Text("aligned with the name's first character", "与附件名称首字对齐"), severity="warning",
                hint=Text("use a hanging indent", "设置悬挂缩进"),
            )  # fmt: skip


def _check_attachment_numbers(parts: Parts) -> Iterator[Issue]:
    name, items = parts.paper.name, parts.attachments
    if len(items) == 1 and items[0].number:
        yield make_issue(
            name, "GF733", items[0].paragraph, quote(items[0].number + items[0].mark),
            Text("no number for one alone", "单个附件不编序号"),
        )  # fmt: skip
        return
    for index, item in enumerate(items, 1):
        if len(items) > 1 and item.number != str(index):
            found = quote(item.number + item.mark) if item.number else Text("no number", "无序号")
            yield make_issue(name, "GF733", item.paragraph, found, f"“{index}.”")
        elif item.number and item.mark not in (".", "．"):
            yield make_issue(name, "GF733", item.paragraph, quote(item.number + item.mark), f"“{item.number}.”")
        repeated = re.match(r"附\s*件\s*\d*\s*[.．:：、]?", item.name)
        if repeated and item.number:
            hint = Text("the number is said already", "序号已有，附件名称中不再写“附件N”")
            yield make_issue(
                name, "GF733", item.paragraph, quote(item.name[:8]), quote(item.name[repeated.end() :][:8]), hint=hint
            )


_CITED = re.compile(r"附件\s*(\d{1,2})(?:\s*[、和及与]\s*(?:附件)?\s*(\d{1,2}))*")
_RANGE = re.compile(r"附件\s*(\d{1,2})\s*[-~～—至到]\s*(?:附件)?\s*(\d{1,2})")


def _check_citations(parts: Parts) -> Iterator[Issue]:
    """附件N in the text against the list; a paper that is itself an attachment has no list."""
    cited: dict[int, Paragraph] = {}
    for paragraph in parts.body:
        for first, last in _RANGE.findall(paragraph.words):
            for number in range(int(first), min(int(last), int(first) + 50) + 1):
                cited.setdefault(number, paragraph)
        for match in _CITED.finditer(paragraph.words):
            for number in re.findall(r"\d{1,2}", match.group(0)):
                cited.setdefault(int(number), paragraph)
    if parts.label is not None or not (parts.attachments or parts.is_official):
        return
    name = parts.paper.name
    count = len(parts.attachments)
    numbered = {int(a.number) for a in parts.attachments if a.number.isdigit()}
    listed = numbered or ({1} if count == 1 else set())
    for number, paragraph in sorted(cited.items()):
        if number not in listed and number > count:
            also = (make_place(name, parts.attachments_head),) if parts.attachments_head else ()
            found = Text(f"附件{number} is cited, {count} are listed", f"正文提到附件{number}，附件说明共列{count}个")
            yield make_issue(name, "GF735", paragraph, found, Text("every one listed", "逐一列出"), also=also)
    for item in parts.attachments:
        if cited and item.number.isdigit() and int(item.number) not in cited and not _is_named(parts, item.name):
            found = Text(f"附件{item.number} is not mentioned", f"正文未提到附件{item.number}")
            yield make_issue(name, "GF736", item.paragraph, found, Text("cited where it belongs", "在正文相应处注明"))


def _is_named(parts: Parts, name: str) -> bool:
    return any(name and name in p.words for p in parts.body)


# -- 附件页 ------------------------------------------------------------
def _check_annexes(parts: Parts) -> Iterator[Issue]:
    name = parts.paper.name
    own = [(parts.label, parts.title[0] if parts.title else None)] if parts.label else []
    for label, title in (*own, *parts.annexes):
        assert label is not None
        yield from _check_annex_label(parts, label)
        if title is not None:
            blanks = blank_lines_between(parts.paper, label, title)
            if abs(blanks - 1) > 0.6 or title.align != "center":
                found = Text(
                    f"line {blanks + 2:.0f}, {title.align}", f"第{blanks + 2:.0f}行，{alignment(title.align).zh}"
                )
                yield make_issue(name, "GF738", title, found, Text("line 3, centred", "第三行居中"))
        if parts.attachments and title is not None:
            yield from _check_annex_title(parts, label, title)
    for label, _ in parts.annexes:
        if not label.new_page and not _follows_page_end(parts, label):
            hint = Text("set “page break before”", "设置“段前分页”")
            yield make_issue(
                name, "GF740", label, Text("on the same page", "与前文同页"), Text("a new page", "另面编排"), hint=hint
            )


def _follows_page_end(parts: Parts, label: Paragraph) -> bool:
    before = [p for p in parts.paper.paragraphs if p.number < label.number]
    for paragraph in reversed(before):
        if paragraph.ends_page or (paragraph.new_page and not paragraph.words):
            return True
        if paragraph.words:
            return False
    return False


def _check_annex_label(parts: Parts, label: Paragraph) -> Iterator[Issue]:
    name, look = parts.paper.name, label.look
    match = ATTACHMENT_LABEL.fullmatch(label.words)
    if match and (match["tail"] or " " in label.words or not match["number"].isdigit() * bool(match["number"])):
        number = match["number"]
        if match["tail"] or " " in label.words or (number and not number.isdigit()):
            yield make_issue(
                name,
                "GF737",
                label,
                quote(label.words),
                Text("附件 and its Arabic number", "“附件”及阿拉伯数字序号，后不加标点"),
            )
    if abs(look.size - 16) > 0.3 or not is_family(look.east, "黑体"):
        yield make_issue(name, "GF737", label, describe(look), "黑体 16 pt")
    if abs(label.left + label.first) > 0.3 or leading_spaces(label) or label.align in ("center", "right"):
        yield make_issue(name, "GF737", label, Text("not flush left", "未顶格"), Text("flush left", "顶格"))


def _check_annex_title(parts: Parts, label: Paragraph, title: Paragraph) -> Iterator[Issue]:
    match = ATTACHMENT_LABEL.fullmatch(label.words)
    number = match["number"] if match else ""
    listed = {a.number: a for a in parts.attachments}
    item = listed.get(number) or (parts.attachments[0] if len(parts.attachments) == 1 else None)
    name = parts.paper.name
    if item is None:
        wanted = Text("a number of the list", "附件说明中的序号")
        yield make_issue(name, "GF739", label, quote(label.words), wanted)
        return
    if _plain(item.name) != _plain(title.words):
        also = (make_place(name, item.paragraph),)
        yield make_issue(name, "GF739", title, quote(title.words), quote(item.name), also=also)


def _plain(text: str) -> str:
    return re.sub(r"\s|[。；;，,]$", "", text)


# -- 署名, 日期, 附注 ------------------------------------------------------------
def _check_end(parts: Parts) -> Iterator[Issue]:
    name = parts.paper.name
    for paragraph in parts.paper.all_paragraphs:
        if "此页无正文" in paragraph.words:
            yield make_issue(
                name, "GF744", paragraph, "“此页无正文”", Text("line or character spacing adjusted", "调整行距、字距")
            )
    if parts.date is None:
        if parts.is_official:
            yield make_issue(name, "GF741", (), Text("no date", "无成文日期"), Text("a date", "标注成文日期"))
        return
    if parts.is_official and parts.signature is None and not parts.date.table:
        yield make_issue(
            name,
            "GF741",
            parts.date,
            Text("no signature above the date", "日期上方无署名"),
            Text("the issuer's name", "发文机关署名"),
        )
    yield from _check_date_text(name, parts.date)
    yield from _check_date_place(parts)
    yield from _check_remark(parts)


def _check_date_text(name: str, paragraph: Paragraph) -> Iterator[Issue]:
    match = DATE.search(paragraph.words)
    if match is None:
        return
    numbers = (match["year"], match["month"], match["day"])
    are_digits = all(n.isdigit() for n in numbers)
    if not are_digits or any(n.startswith("0") for n in numbers[1:]):
        year, month, day = (int(n) if n.isdigit() else parse_chinese_number(n) for n in numbers)
        is_told = year is not None and year >= 1000 and month and day
        right = quote(f"{year}年{month}月{day}日") if is_told else Text("Arabic digits", "阿拉伯数字")
        yield make_issue(name, "GF742", paragraph, quote(match.group(0)), right)
    if are_digits and len(numbers[0]) != 4:
        yield make_issue(name, "GF742", paragraph, quote(match.group(0)), Text("four digits of the year", "年份标全称"))
    if match["unit"] != "日":
        yield make_issue(name, "GF742", paragraph, quote(match.group(0)), quote(match.group(0)[:-1] + "日"))


def _check_date_place(parts: Parts) -> Iterator[Issue]:
    date, signature = parts.date, parts.signature
    if date is None or date.table:
        return
    right = date.right
    trailing = len(date.text) - len(date.text.rstrip("\u3000"))
    if date.align == "right":
        right += trailing
        # without a seal: 署名 right by two characters, the date two characters further right of its beginning
        sealed = abs(right - layout.DATE_RIGHT_INDENT.value) <= 0.6
        unsealed = signature is not None and signature.align == "right" and abs(signature.right - 2) <= 0.6
        if not sealed and not unsealed:
            yield make_issue(
                parts.paper.name, "GF743", date, Text(f"{characters(right)} from the right", f"右空{plain(right)}字"),
                Text("4 characters", "右空四字"),
            )  # fmt: skip
    elif date.align == "center":
        right = _right_of_centred(parts, date)
        if abs(right - layout.DATE_RIGHT_INDENT.value) > 0.8:
            found = Text(f"centred, {characters(right)} from the right", f"居中，右空{plain(right)}字")
            yield make_issue(parts.paper.name, "GF743", date, found, Text("4 characters", "右空四字"))
    elif "\t" not in date.text and date.left + date.first + leading_spaces(date) < 10:
        yield make_issue(
            parts.paper.name, "GF743", date, alignment(date.align), Text("right, 4 characters in", "右空四字")
        )


def _right_of_centred(parts: Parts, date: Paragraph) -> float:
    """How far a centred line ends from the right, in 字; its digits are half as wide as its Chinese characters."""
    sections = parts.paper.sections
    section = sections[min(date.section, len(sections) - 1)]
    char = date.look.size + date.look.spacing
    line = layout.mm_to_points(section.text_width) / char
    width = sum(0.5 if c.isascii() else 1.0 for c in date.words)
    return date.right + (line - date.left - date.right - width) / 2


def _check_remark(parts: Parts) -> Iterator[Issue]:
    remark, name = parts.remark, parts.paper.name
    if remark is None:
        return
    if not (remark.words.startswith("（") and remark.words.endswith("）")):
        yield make_issue(name, "GF745", remark, quote(remark.words[:12]), Text("in （ ）", "加圆括号"))
    indent = remark.left + remark.first + leading_spaces(remark)
    if abs(indent - layout.NOTE_INDENT.value) > 0.35:
        yield make_issue(
            name,
            "GF745",
            remark,
            Text(f"{characters(indent)} in", f"左空{plain(indent)}字"),
            Text("2 characters", "左空二字"),
        )


# -- 版记 ------------------------------------------------------------
def _check_imprint(parts: Parts) -> Iterator[Issue]:
    for paragraph in parts.imprint:
        words = paragraph.words
        if re.match(r"抄送|抄报|抄发|分送", words):
            yield from _check_copy_to(parts, paragraph)
        if words.endswith("印发"):
            yield from _check_issued(parts, paragraph)
        look = paragraph.look
        if abs(look.size - layout.IMPRINT_SIZE.value) > 0.3 or not is_family(look.east, "仿宋体"):
            yield make_issue(parts.paper.name, "GF754", paragraph, describe(look), "仿宋_GB2312 14 pt")
        indent = paragraph.left + paragraph.first + leading_spaces(paragraph)
        if abs(indent - layout.IMPRINT_INDENT.value) > 0.5:
            yield make_issue(
                parts.paper.name,
                "GF754",
                paragraph,
                Text(f"{characters(indent)} in", f"左空{plain(indent)}字"),
                Text("1 character", "左空一字"),
            )
    if parts.imprint:
        yield from _check_imprint_rules(parts)


def _check_copy_to(parts: Parts, paragraph: Paragraph) -> Iterator[Issue]:
    name, words = parts.paper.name, paragraph.words
    if not words.endswith("。"):
        yield make_issue(name, "GF752", paragraph, quote("…" + words[-6:]), Text("ending with 。", "末尾标句号"))
    if words[2:3] != "：":
        yield make_issue(name, "GF752", paragraph, quote(words[:3]), quote(words[:2] + "："))


def _check_issued(parts: Parts, paragraph: Paragraph) -> Iterator[Issue]:
    name = parts.paper.name
    match = DATE.search(paragraph.words)
    if match is None:
        yield make_issue(
            name, "GF753", paragraph, quote(paragraph.words[-10:]), Text("date and 印发", "印发日期加“印发”")
        )
        return
    numbers = (match["year"], match["month"], match["day"])
    wrong = any(not n.isdigit() for n in numbers) or len(numbers[0]) != 4 or any(n.startswith("0") for n in numbers[1:])
    if wrong or match["unit"] != "日":
        yield make_issue(name, "GF753", paragraph, quote(match.group(0)), "“2023年2月10日”")


def _check_imprint_rules(parts: Parts) -> Iterator[Issue]:
    borders = [b for t in parts.imprint_tables for b in t.borders if not _is_invisible(b.color)]
    borders += [b for p in parts.imprint for b in p.borders.values()]
    drawn = any(p.drawings for p in parts.paper.paragraphs[-8:])
    if not borders and not drawn:
        wanted = Text(
            "rules as wide as the type area, 0.35, 0.25 and 0.35 mm", "与版心等宽的分隔线，首末0.35毫米，中间0.25毫米"
        )
        yield make_issue(parts.paper.name, "GF751", parts.imprint[0], Text("none", "无"), wanted)
        return
    thickest = max((b.thickness for b in borders), default=layout.IMPRINT_RULE_THICK.value)
    if abs(thickest - layout.IMPRINT_RULE_THICK.value) > 0.12:
        yield make_issue(parts.paper.name, "GF751", parts.imprint[0], f"{thickest:.2f} mm", "0.35 mm")


def _is_invisible(color: str) -> bool:
    return color == "FFFFFF"
