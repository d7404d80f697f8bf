"""Which paragraph is which part (公文要素) of an official paper, told from its words and its place.

A paper need not be right to be understood: the patterns here are looser than the rules, so that a wrong number is still
found to be the number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from gfdocs.gongwen.paper import Block, Paper, Paragraph, Table

OPEN_BRACKETS, CLOSE_BRACKETS = "〔[【(（﹝［〈<", "〕]】)）﹞］〉>"
NUMBER = re.compile(
    rf"(?P<code>[\u4e00-\u9fff]{{2,14}}|[A-Za-z\u4e00-\u9fff]{{2,14}})?\s*(?P<open>[{re.escape(OPEN_BRACKETS)}])\s*(?P<year>\d{{2,4}})\s*年?"
    rf"\s*(?P<close>[{re.escape(CLOSE_BRACKETS)}])\s*(?P<ordinal>第?)\s*(?P<serial>\d+)\s*号"
)
NUMBER_BLANK = "【待编号】"
DATE = re.compile(
    r"(?P<year>[\d〇○零一二三四五六七八九]{2,4})\s*年\s*(?P<month>[\d〇○零一二三四五六七八九十]{1,3})\s*月\s*(?P<day>[\d〇○零一二三四五六七八九十]{1,3})\s*(?P<unit>[日号])"
)
ATTACHMENT_LABEL = re.compile(r"附\s*件\s*(?P<number>\d*|[一二三四五六七八九十]*)\s*(?P<tail>[:：]?)")
ATTACHMENT_ITEM = re.compile(
    r"(?P<number>\d+|[一二三四五六七八九十]+)\s*(?P<mark>[.．、:：)）]|\t)\s*(?P<name>.*)", re.DOTALL
)
MARK_ENDS = ("文件", "令", "纪要")
SECRECY = re.compile(r"(绝密|机密|秘密)\s*(★.*)?")
URGENCY = re.compile(r"特急|加急|特提|平急")
COPY_NUMBER = re.compile(r"\d{1,8}")


@dataclass(frozen=True, slots=True)
class Attachment:
    """One name of the 附件说明, as listed: `number` and `mark` are empty for one alone."""

    paragraph: Paragraph
    number: str
    mark: str
    name: str


@dataclass(slots=True)
class Parts:
    """The parts found; None or empty where a paper has none. Blocks of `body` are in order."""

    paper: Paper
    copy_number: Paragraph | None = None
    secrecy: Paragraph | None = None
    urgency: Paragraph | None = None
    mark: Paragraph | None = None
    number: Paragraph | None = None
    signer: Paragraph | None = None
    red_rule: Paragraph | Table | None = None
    label: Paragraph | None = None
    title: tuple[Paragraph, ...] = ()
    addressee: Paragraph | None = None
    body: tuple[Paragraph, ...] = ()
    attachments_head: Paragraph | None = None
    attachments: tuple[Attachment, ...] = ()
    signature: Paragraph | None = None
    date: Paragraph | None = None
    remark: Paragraph | None = None
    annexes: tuple[tuple[Paragraph, Paragraph | None], ...] = ()
    imprint: tuple[Paragraph, ...] = ()
    imprint_tables: tuple[Table, ...] = ()
    used: set[int] = field(default_factory=set)
    note_places: frozenset[int] = frozenset()

    @property
    def form(self) -> str:
        """文件, 信函 (10.1: a name without 文件, the number at the right), 命令 or 纪要 (10.2, 10.3)."""
        words = self.mark.words if self.mark else ""
        if words.endswith("令"):
            return "命令"
        if words.endswith("纪要"):
            return "纪要"
        at_right = self.number is not None and self.number.align == "right"
        return "信函" if at_right and words and not words.endswith("文件") else "文件"

    @property
    def is_official(self) -> bool:
        """True where there is a 版头: a red mark or a number of a document."""
        return self.mark is not None or self.number is not None


def find_parts(paper: Paper) -> Parts:
    """Return the parts of a paper; each paragraph belongs to one part at most."""
    parts = Parts(paper)
    blocks = [b for b in paper.blocks if isinstance(b, Table) or b.words or b.drawings]
    at = _find_head(parts, blocks)
    at = _find_title(parts, blocks, at)
    rest = blocks[at:]
    _find_imprint(parts, rest)
    annex_at = _find_annexes(parts, rest)
    main = [b for b in rest[:annex_at] if isinstance(b, Paragraph) and b.number not in parts.used]
    main = _find_end(parts, main)
    if parts.date is None:
        _find_date_in_tables(parts, rest[:annex_at])
    main = _find_attachments(parts, main)
    parts.body = tuple(p for p in main if p.words)
    parts.note_places = frozenset(_find_note_places(blocks))
    return parts


def _find_note_places(blocks: list[Block]) -> Iterator[int]:
    """Where a note in small type may stand: right below a table, and at the very end of a paper that has tables."""
    for above, below in pairwise(blocks):
        if isinstance(above, Table) and isinstance(below, Paragraph):
            yield below.number
    if blocks and isinstance(blocks[-1], Paragraph) and any(isinstance(b, Table) for b in blocks):
        yield blocks[-1].number


def _paragraphs(blocks: list[Block]) -> Iterator[Paragraph]:
    for block in blocks:
        if isinstance(block, Table):
            yield from (p for p in block.paragraphs if p.words)
        else:
            yield block


# -- 版头 ------------------------------------------------------------
def _find_head(parts: Parts, blocks: list[Block]) -> int:
    """Fill in the parts of the head; return the index of the block after it."""
    end = 0
    if blocks and isinstance(blocks[0], Paragraph) and _is_label(blocks[0]):
        return 0
    for index, block in enumerate(blocks[:12]):
        if _holds_number(parts, block):
            end = index + 1
            break
        if isinstance(block, Paragraph) and (end_of_head := _is_mark(block)):
            parts.mark = parts.mark or block
            end = index + end_of_head
    for block in blocks[:end]:
        for paragraph in _paragraphs([block]):
            _name_head_part(parts, paragraph)
    if end and _find_red_rule(parts, blocks, end):
        end += 1 if isinstance(parts.red_rule, Paragraph) and not parts.red_rule.words else 0
    return end


def _holds_number(parts: Parts, block: Block) -> bool:
    for paragraph in _paragraphs([block]):
        words = paragraph.words
        short = len(words) <= 60 and "，" not in words and "。" not in words and words[:1] not in "（("
        if short and (words == NUMBER_BLANK or (NUMBER.search(words) and "《" not in words and "关于" not in words)):
            parts.number = paragraph
            return True
    return False


def _is_red(color: str) -> bool:
    if not re.fullmatch("[0-9A-Fa-f]{6}", color):
        return False
    red, green, blue = (int(color[i : i + 2], 16) for i in (0, 2, 4))
    return red >= 150 and green <= 90 and blue <= 90


def _is_mark(paragraph: Paragraph) -> bool:
    look = paragraph.look
    return bool(paragraph.words) and (
        _is_red(look.color) or (paragraph.words.endswith(MARK_ENDS) and look.size >= 22 and len(paragraph.words) <= 40)
    )


def _name_head_part(parts: Parts, paragraph: Paragraph) -> None:
    words = paragraph.words
    if SECRECY.fullmatch(words):
        parts.secrecy = paragraph
    elif URGENCY.fullmatch(words):
        parts.urgency = paragraph
    elif COPY_NUMBER.fullmatch(words):
        parts.copy_number = paragraph
    elif "签发人" in words:
        parts.signer = paragraph
    elif parts.mark is None and paragraph is not parts.number and _is_mark(paragraph):
        parts.mark = paragraph


def _find_red_rule(parts: Parts, blocks: list[Block], end: int) -> bool:
    """The rule is a border of the number's paragraph or of the next one, of a table, or a drawing."""
    candidates: list[Block] = list(blocks[max(0, end - 2) : end + 1])
    start = parts.number.number if parts.number else parts.mark.number if parts.mark else 0
    blanks = [p for p in parts.paper.paragraphs if start < p.number <= start + 3 and (p.is_blank or p.drawings)]
    for block in [*candidates, *blanks]:
        borders = block.borders.values() if isinstance(block, Paragraph) else block.borders
        if any(_is_red(b.color) for b in borders) or (isinstance(block, Paragraph) and block.drawings):
            parts.red_rule = block
            return block in blocks[end : end + 1]
    return False


# -- 标题, 主送 ------------------------------------------------------------
def _find_title(parts: Parts, blocks: list[Block], at: int) -> int:
    """Fill in 附件 label of a paper that is an attachment, title and addressee; return the index of what follows."""
    if at < len(blocks) and not parts.is_official:
        first = blocks[at]
        if isinstance(first, Paragraph) and _is_label(first):
            parts.label, at = first, at + 1
    title: list[Paragraph] = []
    while at < len(blocks) and isinstance(block := blocks[at], Paragraph) and _continues_title(title, block):
        title.append(block)
        at += 1
    parts.title = tuple(title)
    while at < len(blocks) and isinstance(block := blocks[at], Paragraph) and _is_under_title(block):
        at += 1
    if at < len(blocks) and isinstance(block := blocks[at], Paragraph) and _is_addressee(block):
        parts.addressee, at = block, at + 1
    return at


def _continues_title(title: list[Paragraph], block: Paragraph) -> bool:
    words = block.words
    if not words or len(words) > 80 or words.endswith(("：", ":", "。", "；")) or _is_label(block):
        return False
    if title:
        return block.number - title[-1].number == 1 and (
            block.look.size >= title[0].look.size - 0.5 and block.align == title[0].align
        )
    return block.align == "center" or block.look.size >= 18 or words.endswith(_KINDS)


_KINDS = ("通知", "通报", "通告", "公告", "意见", "决定", "请示", "报告", "批复", "函", "办法", "方案", "名单", "纪要")


def _is_under_title(block: Paragraph) -> bool:
    """A line of its own under the title, in round brackets or a number of a document: （征求意见稿）."""
    return block.align == "center" and (block.words[:1] in "（(" or NUMBER.search(block.words) is not None)


def _is_addressee(block: Paragraph) -> bool:
    words = block.words
    if len(words) > 300 or "。" in words or words.startswith(("附件", "一、", "（")):
        return False
    bodies = re.search(r"[局厅委府院会司校企业单位部门室中心团队]$", words.rstrip("：:"))
    if words.endswith(("：", ":")):
        return bool(bodies) and not words.startswith(("近日", "根据", "为"))
    return bool(bodies) and block.first < 0.5 and block.align != "center" and len(words) <= 80


def _is_label(block: Paragraph) -> bool:
    return ATTACHMENT_LABEL.fullmatch(block.words) is not None


# -- 版记, 附件 ------------------------------------------------------------
_IMPRINT = re.compile(r"^(抄送|主送|分送|抄报|抄发)\s*[:：]|印发$")


def _find_imprint(parts: Parts, blocks: list[Block]) -> None:
    """The last lines that begin with 抄送 or end with 印发; they may stand in a table."""
    found = [p for p in _paragraphs(blocks[-12:]) if _IMPRINT.search(p.words) and len(p.words) < 400]
    dated = [p for p in found if not p.words.endswith("印发") or DATE.search(p.words) or "\t" in p.text]
    parts.imprint = tuple(dated)
    numbers = {p.number for p in dated}
    parts.used |= numbers
    parts.imprint_tables = tuple(
        b for b in blocks if isinstance(b, Table) and any(p.number in numbers for p in b.paragraphs)
    )


def _find_annexes(parts: Parts, blocks: list[Block]) -> int:
    """Attachment pages: a label of its own and the title under it; return the index of the first, or the length."""
    annexes: list[tuple[Paragraph, Paragraph | None]] = []
    first = len(blocks)
    for index, block in enumerate(blocks):
        if not isinstance(block, Paragraph) or not _is_label(block) or block.words.endswith(("：", ":")):
            continue
        first = min(first, index)
        following = blocks[index + 1] if index + 1 < len(blocks) else None
        title = following if isinstance(following, Paragraph) and following.number not in parts.used else None
        annexes.append((block, title))
    parts.annexes = tuple(annexes)
    return first


def _find_end(parts: Parts, main: list[Paragraph]) -> list[Paragraph]:
    """署名, 成文日期 and 附注 at the end of the text; return what stands before them."""
    for index in range(len(main) - 1, max(-1, len(main) - 8), -1):
        match = DATE.fullmatch(main[index].words)
        if not match:
            continue
        parts.date = main[index]
        before = main[index - 1] if index else None
        if before is not None and len(before.words) <= 40 and not re.search("[。；：:;]$", before.words):
            is_attachment = re.match(r"附件|\d+\s*[.．、]", before.words)
            parts.signature = None if is_attachment else before
        after = [p for p in main[index + 1 :] if p.words]
        if after and len(after[0].words) <= 60 and (after[0].words[0] in "（(" or after[0].words.startswith("此件")):
            parts.remark = after[0]
        return [p for p in main[:index] if p is not parts.signature]
    return main


def _find_date_in_tables(parts: Parts, blocks: list[Block]) -> None:
    """署名 and 成文日期 laid out by a table."""
    for block in blocks[-3:]:
        if isinstance(block, Table):
            dates = [p for p in block.paragraphs if DATE.fullmatch(p.words) and p.number not in parts.used]
            parts.date = dates[-1] if dates else parts.date


def _find_attachments(parts: Parts, main: list[Paragraph]) -> list[Paragraph]:
    """附件说明: from the line that begins with 附件： to the end of the text; return what stands before it."""
    heads = [i for i, p in enumerate(main) if re.match(r"附\s*件\s*[:：]", p.words)]
    if not heads:
        return main
    at = heads[-1]
    parts.attachments_head = main[at]
    items = []
    for index, paragraph in enumerate(main[at:]):
        words = re.sub(r"^附\s*件\s*[:：]\s*", "", paragraph.words) if index == 0 else paragraph.words
        for line in words.split("\n"):
            item = ATTACHMENT_ITEM.match(line.strip())
            if item:
                items.append(Attachment(paragraph, item["number"], item["mark"].strip(), item["name"].strip()))
            elif line.strip() and index == 0:
                items.append(Attachment(paragraph, "", "", line.strip()))
            elif line.strip() and items and len(line) <= 60:
                last = items.pop()
                items.append(Attachment(last.paragraph, last.number, last.mark, last.name + line.strip()))
    parts.attachments = tuple(items)
    return main[:at]
