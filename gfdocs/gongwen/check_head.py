"""版头, 标题, 主送机关: clauses 7.2, 7.3.1 and 7.3.2."""

from __future__ import annotations

from collections.abc import Iterator

from gfdocs.errors import Issue, Text
from gfdocs.gongwen import layout
from gfdocs.gongwen.check_page import describe, is_family
from gfdocs.gongwen.layout import points_to_mm
from gfdocs.gongwen.paper import Paper, Paragraph, Table
from gfdocs.gongwen.parts import NUMBER, NUMBER_BLANK, Parts
from gfdocs.gongwen.rules import characters, make_issue, plain

_CENTRED, _CENTRE = Text("centred", "居中"), "center"
_ALIGNMENTS = {"left": "居左", "center": "居中", "right": "居右", "both": "两端对齐"}


def check_head(parts: Parts) -> Iterator[Issue]:
    yield from _check_marks_above(parts)
    yield from _check_mark(parts)
    yield from _check_number(parts)
    yield from _check_signer(parts)
    yield from _check_red_rule(parts)
    yield from _check_title(parts)
    yield from _check_addressee(parts)


def alignment(value: str) -> Text:
    return Text(value, _ALIGNMENTS.get(value, value))


def blank_lines_between(paper: Paper, upper: Paragraph, lower: Paragraph) -> float:
    """Empty lines between two paragraphs outside tables; space before and after counts by the line of 28.95 pt."""
    between = [p for p in paper.paragraphs if upper.number < p.number < lower.number]
    blanks = sum(1 for p in between if not p.words)
    space = upper.after + lower.before + sum(p.before + p.after for p in between)
    if lower.line.rule == "exact":  # a low line with space above it stands where a full line would
        space += min(0.0, lower.line.value - layout.LINE_PITCH.value)
    return blanks + max(0.0, space) / layout.LINE_PITCH.value


def _lines(value: float) -> Text:
    number = f"{value:.1f}".removesuffix(".0")
    return Text(f"{number} blank lines", f"空{number}行")


# -- 份号, 密级, 紧急程度 ------------------------------------------------------------
def _check_marks_above(parts: Parts) -> Iterator[Issue]:
    name = parts.paper.name
    if parts.copy_number is not None and len(parts.copy_number.words) != 6:
        yield make_issue(name, "GF711", parts.copy_number, f"“{parts.copy_number.words}”", "“000001”")
    for paragraph in (parts.secrecy, parts.urgency):
        if paragraph is None:
            continue
        look = paragraph.look
        if abs(look.size - 16) > 0.3 or not is_family(look.east, "黑体") or paragraph.align in (_CENTRE, "right"):
            yield make_issue(
                name, "GF712", paragraph, describe(look), Text("黑体 16 pt, flush left", "黑体 16 pt，顶格")
            )
    order = [p for p in (parts.copy_number, parts.secrecy, parts.urgency) if p is not None]
    if order != sorted(order, key=lambda p: p.number):
        found = " → ".join(p.words for p in sorted(order, key=lambda p: p.number))
        yield make_issue(name, "GF713", order[0], found, Text("份号 → 密级 → 紧急程度"))


# -- 发文机关标志 ------------------------------------------------------------
def _check_mark(parts: Parts) -> Iterator[Issue]:
    mark, name = parts.mark, parts.paper.name
    if mark is None:
        return
    look = mark.look
    if not _is_red(look.color):
        found = Text(f"colour {look.color or 'automatic'}", f"颜色{look.color or '自动（黑）'}")
        yield make_issue(name, "GF714", mark, found, Text("red (FF0000)", "红色（FF0000）"))
    if mark.align not in (_CENTRE, "both") and not mark.table:
        yield make_issue(name, "GF714", mark, alignment(mark.align), _CENTRED)
    if not is_family(look.east, "小标宋体"):
        yield make_issue(name, "GF715", mark, look.east or "—", layout.FONT_MARK)
    top = None if mark.table or parts.form != "文件" else _estimate_top(parts.paper, mark)
    if top is not None and abs(top - layout.MARK_TOP.value) > 5:
        yield make_issue(
            name, "GF716", mark, Text(f"about {top:.0f} mm", f"约{top:.0f}毫米"), "35 mm", severity="warning",
            hint=Text("set the space before the mark's paragraph", "用段前距调整发文机关标志的位置"),
        )  # fmt: skip


def _is_red(color: str) -> bool:
    try:
        red, green, blue = (int(color[i : i + 2], 16) for i in (0, 2, 4))
    except ValueError:
        return False
    return red >= 0xC0 and green <= 0x40 and blue <= 0x40


def _estimate_top(paper: Paper, mark: Paragraph) -> float | None:
    """Millimetres from the type area's edge to the upper edge of the mark; None where it cannot be told."""
    above = [p for p in paper.paragraphs if p.number < mark.number]
    if any(p.drawings for p in above) or any(t for t in paper.tables if _stands_before(t, mark)):
        return None
    points = sum(p.before + p.after + _height(p) for p in above) + mark.before
    line = mark.line
    baseline = 0.8 * line.value if line.rule == "exact" else 1.05 * mark.look.size
    return points_to_mm(points + baseline - 0.84 * mark.look.size)


def _stands_before(table: Table, mark: Paragraph) -> bool:
    return any(p.number < mark.number for p in table.paragraphs)


def _height(paragraph: Paragraph) -> float:
    if paragraph.line.rule == "exact":
        return paragraph.line.value
    return max(layout.LINE_PITCH.value, paragraph.look.size * 1.3)


# -- 发文字号, 签发人 ------------------------------------------------------------
def _check_number(parts: Parts) -> Iterator[Issue]:
    number, name = parts.number, parts.paper.name
    if number is None:
        if parts.mark is not None and parts.form in ("文件", "信函"):
            yield make_issue(name, "GF717", parts.mark, Text("none", "无发文字号"), "×××〔2023〕1号")
        return
    if number.words != NUMBER_BLANK:
        yield from _check_number_text(name, number)
    look = number.look
    if abs(look.size - 16) > 0.3 or not is_family(look.east, "仿宋体"):
        yield make_issue(name, "GF718", number, describe(look), "仿宋_GB2312 16 pt")
    if parts.form == "信函":
        return
    if parts.signer is None and number.align != _CENTRE and not number.table:
        yield make_issue(name, "GF718", number, alignment(number.align), _CENTRED)
    mark = parts.mark
    if mark is not None and not mark.table and not number.table and number.number > mark.number:
        blanks = blank_lines_between(parts.paper, mark, number)
        if abs(blanks - layout.BLANK_LINES_ABOVE_NUMBER) > 0.6:
            yield make_issue(name, "GF718", number, _lines(blanks), _lines(layout.BLANK_LINES_ABOVE_NUMBER))


def _check_number_text(name: str, number: Paragraph) -> Iterator[Issue]:
    """Each fault of the number by itself: brackets, year, 第, leading zeros."""
    match = NUMBER.search(number.words)
    if match is None:
        return
    year = match["year"] if len(match["year"]) == 4 else "20" + match["year"][-2:]
    right = f"〔{year}〕{match['serial'].lstrip('0') or '1'}号"
    brackets = match["open"] + match["close"]
    if brackets != "〔〕":
        hint = Text("U+3014 and U+3015, 六角括号", "使用六角括号〔〕（U+3014、U+3015）")
        yield make_issue(name, "GF717", number, f"“{brackets[0]}{match['year']}{brackets[1]}”", right, hint=hint)
    if len(match["year"]) != 4:
        found = Text(f"year {match['year']}", f"年份“{match['year']}”")
        yield make_issue(name, "GF717", number, found, Text("four digits", "四位数字全称"))
    if match["ordinal"]:
        yield make_issue(name, "GF717", number, f"“第{match['serial']}号”", right, hint=Text("no 第", "不加“第”字"))
    if match["serial"].startswith("0"):
        hint = Text("no leading zeros", "序号不编虚位")
        yield make_issue(name, "GF717", number, f"“{match['serial']}号”", right, hint=hint)


def _check_signer(parts: Parts) -> Iterator[Issue]:
    """签发人： in 仿宋, the name in 楷体, 3号; only upward papers have it."""
    signer = parts.signer
    if signer is None:
        return
    name = parts.paper.name
    if "签发人：" not in signer.words:
        yield make_issue(name, "GF720", signer, f"“{signer.words[-8:]}”", "“签发人：×××”")
    last = [r for r in signer.runs if r.text.strip()][-1]
    if not is_family(last.look.east, "楷体"):
        found = Text(f"name in {last.look.east or '—'}", f"姓名为{last.look.east or '—'}")
        yield make_issue(name, "GF720", signer, found, layout.FONT_HEADING_2)


def _check_red_rule(parts: Parts) -> Iterator[Issue]:
    if parts.form != "文件" or parts.number is None:
        return
    name, rule = parts.paper.name, parts.red_rule
    if rule is None:
        hint = Text("a red border under the number's paragraph", "可为发文字号段落加红色下边框")
        wanted = Text("a red rule 156 mm wide, 4 mm below", "与版心等宽的红色分隔线，距发文字号4毫米")
        yield make_issue(name, "GF719", parts.number, Text("none", "无"), wanted, hint=hint)
    elif isinstance(rule, Paragraph) and rule.borders and (abs(rule.left) > 0.3 or abs(rule.right) > 0.3):
        found = Text(f"{characters(rule.left + rule.right)} shorter", f"短{plain(rule.left + rule.right)}字")
        yield make_issue(name, "GF719", rule, found, "156 mm")


# -- 标题, 主送机关 ------------------------------------------------------------
def _check_title(parts: Parts) -> Iterator[Issue]:
    name, paper = parts.paper.name, parts.paper
    if not parts.title:
        if parts.is_official:
            yield make_issue(name, "GF722", (), Text("no title", "无标题"), Text("a title", "编排标题"))
        return
    title = parts.title[0]
    look = title.look
    if abs(look.size - layout.TITLE_SIZE.value) > 0.3 or not is_family(look.east, "小标宋体"):
        yield make_issue(name, "GF721", title, describe(look), f"{layout.FONT_TITLE} 22 pt")
    for paragraph in parts.title:
        if paragraph.align != _CENTRE:
            yield make_issue(name, "GF722", paragraph, alignment(paragraph.align), _CENTRED)
    yield from _check_title_shape(parts)
    above = parts.red_rule if isinstance(parts.red_rule, Paragraph) else parts.number
    if parts.form == "文件" and above is not None and not above.table and parts.signer is None:
        blanks = blank_lines_between(paper, above, title)
        if abs(blanks - layout.BLANK_LINES_ABOVE_TITLE) > 0.6:
            yield make_issue(name, "GF722", title, _lines(blanks), _lines(layout.BLANK_LINES_ABOVE_TITLE))


def _width(text: str) -> float:
    """The width of a line in characters; half-width ones count a half."""
    return sum(0.5 if char.isascii() else 1.0 for char in text.strip())


def _check_title_shape(parts: Parts) -> Iterator[Issue]:
    """Lines broken by hand: no rectangle, no hourglass. Lines that wrap by themselves: no word or two left over."""
    lines = [line for p in parts.title for line in p.words.split("\n") if line.strip()]
    widths = [_width(line) for line in lines]
    name, title = parts.paper.name, parts.title[0]
    wanted = Text("a trapezoid or a diamond, broken between words", "梯形或菱形，词意完整")
    fit = layout.mm_to_points(layout.TYPE_AREA_WIDTH.value) // max(title.look.size, 1.0)
    found: Text | None = None
    if len(widths) > 1 and max(widths) <= fit:
        if max(widths) == min(widths):
            found = Text(f"{len(widths)} lines of one length", f"{len(widths)}行等长（长方形）")
        elif len(widths) > 2 and max(widths[1:-1]) < min(widths[0], widths[-1]):
            found = Text("an hourglass", "沙漏形")
    elif len(widths) == 1 and widths[0] > fit and 0 < widths[0] % fit <= 3:
        found = Text(f"{widths[0] % fit:g} characters left for the last line", f"末行仅{widths[0] % fit:g}字")
    if found is not None:
        yield make_issue(name, "GF730", title, found, wanted)


def _check_addressee(parts: Parts) -> Iterator[Issue]:
    addressee, name = parts.addressee, parts.paper.name
    if addressee is None:
        return
    if not addressee.words.endswith("："):
        yield make_issue(
            name, "GF723", addressee, f"“{addressee.words[-6:]}”", Text("ending with ：", "末尾标全角冒号“：”")
        )
    if abs(addressee.left + addressee.first) > 0.3 or addressee.text.startswith(("\u3000", " ")):
        found = Text(
            f"{characters(addressee.left + addressee.first)} in", f"左空{plain(addressee.left + addressee.first)}字"
        )
        if addressee.text.startswith(("\u3000", " ")):
            found = Text("spaces before it", "前有空格")
        yield make_issue(name, "GF723", addressee, found, Text("flush left", "顶格"))
    if parts.title:
        blanks = blank_lines_between(parts.paper, parts.title[-1], addressee)
        if abs(blanks - layout.BLANK_LINES_ABOVE_ADDRESSEE) > 0.6 and not _has_line_between(parts, addressee):
            yield make_issue(name, "GF723", addressee, _lines(blanks), _lines(layout.BLANK_LINES_ABOVE_ADDRESSEE))


def _has_line_between(parts: Parts, addressee: Paragraph) -> bool:
    last = parts.title[-1].number
    return any(last < p.number < addressee.number and p.words for p in parts.paper.paragraphs)
