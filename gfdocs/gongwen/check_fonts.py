"""Faces and the traps of files: what makes 仿宋 come out as another face in Word, WPS or LibreOffice."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from gfdocs.errors import Issue, Text
from gfdocs.gongwen import layout
from gfdocs.gongwen.paper import Paragraph, Run
from gfdocs.gongwen.parts import Parts
from gfdocs.gongwen.rules import make_issue

_HAN = re.compile(r"[\u3400-\u9fff]")
# characters that Word sets in the Latin face unless told otherwise
_AMBIGUOUS = re.compile(r"[“”‘’…—·]")
_KNOWN = {face for faces in layout.FAMILIES.values() for face in faces}


def check_fonts(parts: Parts) -> Iterator[Issue]:
    yield from _check_runs(
        parts, "GF791", lambda run: run.look.themed and bool(_HAN.search(run.text)),
        Text("theme fonts", "使用主题字体"), Text("the face named", "直接指定字体名称"),
        Text("WPS and LibreOffice have no such theme face and take another", "WPS 等软件会提示缺少字体并自行替换"),
    )  # fmt: skip
    yield from _check_runs(
        parts, "GF793", lambda run: not run.look.east and bool(_HAN.search(run.text)),
        Text("no East Asian face (w:eastAsia)", "未指定中文字体（w:eastAsia）"), layout.FONT_BODY,
        Text("without it the machine decides, often MS Mincho or a Japanese face", "由系统决定，常变成日文字体"),
    )  # fmt: skip
    yield from _check_runs(
        parts, "GF794", _loses_hint, Text("set in the Latin face", "引号、破折号等用了西文字体"),
        Text("w:hint=\"eastAsia\", or the same face for both", "加 w:hint=\"eastAsia\" 或中西文用同一字体"), Text(""),
    )  # fmt: skip
    yield from _check_runs(
        parts, "GF795", _is_other_language,
        Text("language other than zh-CN", "语言不是中文（zh-CN）"), "zh-CN",
        Text("LibreOffice takes Japanese glyphs for text without it", "缺少时 LibreOffice 会用日文字形"),
    )  # fmt: skip
    yield from _check_faces(parts)
    yield from _check_oddities(parts)


def _is_other_language(run: Run) -> bool:
    return run.look.language.lower() not in ("zh-cn", "zh-hans-cn") and bool(_HAN.search(run.text))


def _loses_hint(run: Run) -> bool:
    look = run.look
    return bool(_AMBIGUOUS.search(run.text)) and look.hint != "eastAsia" and look.latin != look.east and not look.themed


def _check_runs(
    parts: Parts, code: str, is_wrong: Callable[[Run], bool], found: Text, wanted: str, hint: Text
) -> Iterator[Issue]:
    """One issue for the whole document: at the first paragraph, with how many have it."""
    wrong: list[Paragraph] = [p for p in parts.paper.all_paragraphs if any(is_wrong(run) for run in p.runs)]
    if wrong:
        counted = Text(f"{found} ({len(wrong)} paragraphs)", f"{found.zh}（{len(wrong)}段）")
        yield make_issue(parts.paper.name, code, wrong[0], counted, wanted, hint=hint)


def _check_faces(parts: Parts) -> Iterator[Issue]:
    """Each face that the standard does not know, once."""
    seen: dict[str, list[Paragraph]] = {}
    for paragraph in parts.paper.all_paragraphs:
        for face in {run.look.east for run in paragraph.runs if _HAN.search(run.text)}:
            if face and face not in _KNOWN:
                seen.setdefault(face, []).append(paragraph)
    for face, paragraphs in seen.items():
        found = Text(f"{face} ({len(paragraphs)} paragraphs)", f"{face}（{len(paragraphs)}段）")
        wanted = Text("小标宋, 仿宋, 黑体, 楷体 or 宋体", "小标宋体、仿宋体、黑体、楷体或宋体")
        yield make_issue(parts.paper.name, "GF792", paragraphs[0], found, wanted)


def _check_oddities(parts: Parts) -> Iterator[Issue]:
    paper = parts.paper
    for kind, found in (("wordart", Text("WordArt", "艺术字")), ("textbox", Text("a text box", "文本框"))):
        if kind in paper.oddities:
            said = f" “{paper.loose_texts[0][:12]}”" if paper.loose_texts else ""
            hint = Text("it is lost in some conversions", "转换为 PDF 时可能丢失")
            yield make_issue(
                paper.name, "GF796", (), Text(found + said, found.zh + said), Text("a paragraph", "普通段落"), hint=hint
            )
    for kind, found in (("revisions", Text("tracked changes", "修订")), ("comments", Text("comments", "批注"))):
        if kind in paper.oddities:
            yield make_issue(paper.name, "GF799", (), found, Text("accepted or removed", "接受或删除"))
