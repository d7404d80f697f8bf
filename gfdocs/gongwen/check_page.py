"""Page, type, colour, page numbers: clauses 5, 7.5 and 8."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator

from gfdocs.errors import Issue, Text
from gfdocs.gongwen import layout
from gfdocs.gongwen.paper import Look, Paper, Paragraph, Section
from gfdocs.gongwen.parts import Parts
from gfdocs.gongwen.rules import characters, make_issue, plain

_BLACK_AT_MOST = 0x30
# a line of auto spacing is about this many times its type size (Chinese faces, measured between 1.14 and 1.45)
_NATURAL_LINE = 1.3


def check_page(parts: Parts) -> Iterator[Issue]:
    paper = parts.paper
    for section in paper.sections:
        yield from _check_size(paper, section)
        yield from _check_margins(paper, section)
    yield from _check_grid(parts)
    yield from _check_colours(parts)
    yield from _check_type(parts)
    yield from _check_page_numbers(paper)
    yield from _check_tables(paper)


def _where(paper: Paper, section: Section) -> tuple[str, ...]:
    return (f"section {section.number}",) if len(paper.sections) > 1 else ()


def _mm(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0") + " mm"


def _check_size(paper: Paper, section: Section) -> Iterator[Issue]:
    short, long = sorted((section.width, section.height))
    wide, high = layout.PAPER_WIDTH, layout.PAPER_HEIGHT
    if abs(short - wide.value) > wide.tolerance or abs(long - high.value) > high.tolerance:
        found = f"{_mm(short)} × {_mm(long)}"
        yield make_issue(paper.name, "GF701", _where(paper, section), found, "210 mm × 297 mm")


def _check_margins(paper: Paper, section: Section) -> Iterator[Issue]:
    """A landscape page is the portrait page turned: its type area has the same edges of the paper."""
    wanted: tuple[tuple[float, layout.Measure], ...]
    names: tuple[Text, ...]
    if section.is_landscape:
        wanted = ((section.text_width, layout.TYPE_AREA_HEIGHT), (section.text_height, layout.TYPE_AREA_WIDTH))
        names = (Text("width of the type area", "版心长度"), Text("height of the type area", "版心宽度"))
    else:
        wanted = (
            (section.top, layout.TOP_MARGIN), (section.left, layout.LEFT_MARGIN),
            (section.text_width, layout.TYPE_AREA_WIDTH), (section.text_height, layout.TYPE_AREA_HEIGHT),
        )  # fmt: skip
        names = (
            Text("top margin", "天头（上边距）"), Text("binding margin", "订口（左边距）"),
            Text("width of the type area", "版心宽度"), Text("height of the type area", "版心高度"),
        )  # fmt: skip
    hint = Text("margins: top 37, left 28, right 26, bottom 35 mm", "页边距：上37毫米、左28毫米、右26毫米、下35毫米")
    for (value, measure), what in zip(wanted, names, strict=True):
        if abs(value - measure.value) > measure.tolerance + 0.05:
            found = Text(f"{what} {_mm(value)}", f"{what.zh}{_mm(value)}")
            yield make_issue(
                paper.name, "GF702", _where(paper, section), found, f"{_mm(measure.value)} ± 1 mm", hint=hint
            )


def is_running_text(parts: Parts, paragraph: Paragraph) -> bool:
    """A paragraph of the text: not in a table, not centred or right, and no small note under a table or at the end."""
    if paragraph.table or paragraph.align in ("center", "right"):
        return False
    return bool(paragraph.words) and not (paragraph.look.size < 14 and paragraph.number in parts.note_places)


# -- lines and characters ------------------------------------------------------------
def find_line_pitch(paragraph: Paragraph, section: Section) -> float:
    """The distance of its lines in points; an estimate where it depends on the face (行距 auto off the grid)."""
    line = paragraph.line
    if line.rule == "exact":
        return line.value
    natural = paragraph.look.size * _NATURAL_LINE * (line.value if line.rule == "auto" else 1)
    if line.rule == "atLeast":
        natural = max(natural, line.value)
    if section.grid in ("lines", "linesAndChars") and paragraph.on_grid and section.line_pitch:
        return section.line_pitch * max(1, math.ceil(round(natural / section.line_pitch, 2)))
    return natural


def _section_of(paper: Paper, paragraph: Paragraph) -> Section:
    return paper.sections[min(paragraph.section, len(paper.sections) - 1)]


def _check_grid(parts: Parts) -> Iterator[Issue]:
    """Lines a page and characters a line of most paragraphs of the text."""
    paper = parts.paper
    counts: Counter[tuple[int, int, bool]] = Counter()
    first: dict[tuple[int, int, bool], Paragraph] = {}
    for paragraph in parts.body:
        section = _section_of(paper, paragraph)
        if section.is_landscape or not is_running_text(parts, paragraph):
            continue
        pitch = find_line_pitch(paragraph, section)
        space = section.character_space if section.grid == "linesAndChars" else 0.0
        look = paragraph.look
        width = look.size + look.spacing + space
        lines = math.floor(layout.mm_to_points(section.text_height) / max(pitch, 1) + 0.01)
        characters = math.floor(layout.mm_to_points(section.text_width) / max(width, 1) + 0.001)
        key = (lines, characters, paragraph.line.rule == "auto" and not section.grid)
        counts[key] += len(paragraph.words)
        first.setdefault(key, paragraph)
    if not counts:
        return
    key = counts.most_common(1)[0][0]
    lines, characters, estimated = key
    if lines != layout.LINES_PER_PAGE:
        about = Text("about ", "约") if estimated else Text("")
        yield make_issue(
            paper.name, "GF703", first[key], Text(f"{about}{lines} lines", f"{about.zh}{lines}行"),
            Text("22 lines", "22行"),
            hint=Text("set the line pitch to exactly 28.95 pt", "行距设为固定值28.95磅"),
        )  # fmt: skip
    if characters != layout.CHARACTERS_PER_LINE:
        yield make_issue(
            paper.name, "GF704", first[key], Text(f"{characters} characters", f"{characters}字"),
            Text("28 characters", "28字"),
            hint=Text("16 pt needs −0.25 pt character spacing", "3号字（16磅）字符间距须紧缩0.25磅"),
        )  # fmt: skip


# -- colour and type ------------------------------------------------------------
def _is_black(color: str) -> bool:
    if color in ("", "AUTO"):
        return True
    try:
        return all(int(color[i : i + 2], 16) <= _BLACK_AT_MOST for i in (0, 2, 4))
    except ValueError:
        return True


def _check_colours(parts: Parts) -> Iterator[Issue]:
    for paragraph in parts.paper.all_paragraphs:
        if parts.mark is not None and paragraph.number == parts.mark.number:
            continue
        coloured = [r for r in paragraph.runs if r.text.strip() and not _is_black(r.look.color)]
        if coloured:
            found = Text(
                f"#{coloured[0].look.color} in “{coloured[0].text.strip()[:12]}”",
                f"“{coloured[0].text.strip()[:12]}”颜色#{coloured[0].look.color}",
            )
            yield make_issue(parts.paper.name, "GF705", paragraph, found, Text("black", "黑色"))


def describe(look: Look) -> str:
    """`仿宋_GB2312 16 pt`."""
    return f"{look.east or '—'} {look.size:g} pt"


def is_family(face: str, *families: str) -> bool:
    return any(face in layout.FAMILIES[family] for family in families)


def _check_type(parts: Parts) -> Iterator[Issue]:
    """Body text in 3号仿宋; each other look is told once, with how many paragraphs have it."""
    by_look: dict[str, list[Paragraph]] = {}
    for paragraph in parts.body:
        look = paragraph.look
        if not is_running_text(parts, paragraph):
            continue
        if abs(look.size - layout.BODY_SIZE.value) > 0.3 or not is_family(look.east, "仿宋体", "黑体", "楷体"):
            by_look.setdefault(describe(look), []).append(paragraph)
    for found, paragraphs in by_look.items():
        count = Text(f"{found} ({len(paragraphs)} paragraphs)", f"{found}（{len(paragraphs)}段）")
        yield make_issue(parts.paper.name, "GF706", paragraphs[0], count, "仿宋_GB2312 16 pt")


# -- page numbers ------------------------------------------------------------
def _check_page_numbers(paper: Paper) -> Iterator[Issue]:
    numbered = [s for s in paper.sections if any(p.is_page_number for p in _footer_paragraphs(s))]
    turned = (p for s in paper.sections for p in _header_paragraphs(s) if p.is_page_number and p.is_turned)
    if not numbered and any(turned):
        return
    if not numbered:
        yield make_issue(paper.name, "GF761", ("footer",), Text("none", "无页码"), Text("page numbers", "编排页码"))
        return
    section = numbered[0]
    for kind, paragraphs in section.footers.items():
        for paragraph in paragraphs:
            if paragraph.is_page_number:
                yield from _check_page_number(paper, section, kind, paragraph)
    if not paper.even_and_odd:
        yield make_issue(
            paper.name, "GF763", ("footer",), Text("the same on odd and even pages", "单双页相同"),
            Text("right on odd, left on even pages, one character in", "单页码居右空一字，双页码居左空一字"),
        )  # fmt: skip
    for other in paper.sections:
        if other.is_landscape:
            yield from _check_landscape_number(paper, other)


def _check_landscape_number(paper: Paper, section: Section) -> Iterator[Issue]:
    """Clause 8: where portrait pages have it, so turned and at the side. A number in a plain footer stands at the wrong edge."""
    numbers = [p for p in (*_footer_paragraphs(section), *_header_paragraphs(section)) if p.is_page_number]
    if numbers and all(p.is_turned for p in numbers):
        return
    found = Text("at the upper or lower edge", "在页面上端或下端") if numbers else Text("none", "无页码")
    yield make_issue(
        paper.name, "GF765", _where(paper, section), found,
        Text("turned, at the left edge, where portrait pages have it", "转向置于左侧，与竖排页位置一致"), severity="warning",
        hint=Text(
            "put it into a text box with vertical text at the page's left; on paper, odd pages have the table's head at the binding edge",
            "放入页面左侧、文字竖排的文本框；打印后核对：单页表头在订口一边，双页表头在切口一边",
        ),
    )  # fmt: skip


def _footer_paragraphs(section: Section) -> Iterable[Paragraph]:
    for paragraphs in section.footers.values():
        yield from paragraphs


def _header_paragraphs(section: Section) -> Iterable[Paragraph]:
    for paragraphs in section.headers.values():
        yield from paragraphs


def _check_page_number(paper: Paper, section: Section, kind: str, paragraph: Paragraph) -> Iterator[Issue]:
    words = paragraph.words.replace(" ", "")
    if not (words.startswith("—") and words.endswith("—")) or words.count("—") != 2:
        yield make_issue(paper.name, "GF762", paragraph, f"“{paragraph.words}”", "“— 1 —”")
    look = paragraph.look
    if abs(look.size - layout.PAGE_NUMBER_SIZE.value) > 0.3 or not is_family(look.east or look.latin, "宋体"):
        yield make_issue(paper.name, "GF762", paragraph, describe(look), "宋体 14 pt")
    if paper.even_and_odd and kind in ("default", "even"):
        side, indent = ("right", paragraph.right) if kind == "default" else ("left", paragraph.left + paragraph.first)
        if paragraph.align not in (side, "both" if side == "left" else side) or abs(indent - 1) > 0.35:
            found = Text(f"{paragraph.align}, {characters(indent)} in", f"{paragraph.align}，空{plain(indent)}字")
            wanted = Text(f"{side}, 1 character in", f"居{'右' if side == 'right' else '左'}空一字")
            yield make_issue(paper.name, "GF763", paragraph, found, wanted)
    if paragraph.is_turned:
        return  # where its text box stands is for the eye
    distance = _find_dash_distance(section, paragraph)
    if kind == "default" and abs(distance - layout.PAGE_NUMBER_BELOW_TYPE_AREA.value) > 2:
        yield make_issue(
            paper.name, "GF764", paragraph, Text(f"about {distance:.0f} mm", f"约{distance:.0f}毫米"), "7 mm",
            severity="warning",
            hint=Text(
                "footer 25.5 mm from the paper's edge, its line exactly 14 pt",
                "页脚距边界25.5毫米，页码行距固定值14磅",
            ),
        )  # fmt: skip


def _find_dash_distance(section: Section, paragraph: Paragraph) -> float:
    """Millimetres from the type area to the middle of the number's line: it stands on the footer's lower edge."""
    pitch = find_line_pitch(paragraph, section)
    return section.bottom - section.footer_distance - layout.points_to_mm(pitch / 2)


# -- tables ------------------------------------------------------------
_LONG_TABLE = 22  # rows that cannot stand on one page with the lines around them


def _check_tables(paper: Paper) -> Iterator[Issue]:
    for table in paper.tables:
        if len(table.rows) > _LONG_TABLE and not table.repeats_header:
            yield make_issue(
                paper.name, "GF797", table, Text(f"{len(table.rows)} rows without", f"{len(table.rows)}行，未重复"),
                Text("the heading row repeated on each page", "每页重复标题行"),
                hint=Text("select the first row: Table, Repeat Header Rows", "选中首行，设置“重复标题行”"),
            )  # fmt: skip
        section = paper.sections[min(table.section, len(paper.sections) - 1)]
        if table.width is not None and table.width > section.text_width + 2:
            yield make_issue(paper.name, "GF798", table, _mm(table.width), f"≤ {_mm(section.text_width)}")
