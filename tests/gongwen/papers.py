"""A right notice, and the ways colleagues get one wrong: each fault planted by python-docx, with what the checker must say."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from docx import Document
from docx.document import Document as DocumentType
from docx.enum.section import WD_ORIENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from tests.templates_docx import sample
from tests.templates_docx.rendering import render


@cache
def good_notice() -> bytes:
    """The built-in notice with a number, its attachment pages bound in: 0 errors."""
    context = sample.notice()
    context["round"]["number_or_blank"] = "苏工信发〔2023〕15号"
    document = open_docx(render("notice.docx", context))
    for annex in context["attachments"]:
        append_annex(document, annex["label"], annex["title"])
    return to_bytes(document)


def open_docx(data: bytes) -> DocumentType:
    return Document(io.BytesIO(data))


def to_bytes(document: DocumentType) -> bytes:
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def style_id(document: DocumentType, name: str) -> str:
    return next(s.style_id for s in document.styles if s.name == name)


def append_annex(document: DocumentType, label: str, title: str) -> None:
    """An attachment page before the imprint: label, empty line, title, a line of text."""
    imprint = document.tables[-1]._tbl
    for text, style in (
        (label, "附件标识"),
        ("", "空行"),
        (title, "附件标题"),
        ("", "空行"),
        ("本表由各地汇总填报。", "公文正文"),
    ):
        element = parse_xml(f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="{style_id(document, style)}"/></w:pPr></w:p>')
        imprint.addprevious(element)
        paragraph = Paragraph(element, document._body)
        paragraph.add_run(text) if text else None
        if text == label:
            paragraph.paragraph_format.page_break_before = True


def find(document: DocumentType, start: str) -> Paragraph:
    """The first paragraph that begins with these words."""
    return next(p for p in document.paragraphs if p.text.strip().startswith(start))


def insert_before(paragraph: Paragraph, text: str, style: str | None = None) -> Paragraph:
    new = paragraph.insert_paragraph_before(text)
    if style:
        new.style = next(s for s in paragraph.part.document.styles if s.name == style)
    return new


def replace(paragraph: Paragraph, old: str, new: str) -> None:
    """Replace words wherever the runs end; the text goes into the first run."""
    text = paragraph.text
    assert old in text, (old, text)
    for run in paragraph.runs:
        if old in run.text:
            run.text = run.text.replace(old, new)
            return
    paragraph.runs[0].text = text.replace(old, new)
    for run in paragraph.runs[1:]:
        run.text = ""


def set_face(paragraph: Paragraph, face: str, size: float | None = None) -> None:
    for run in paragraph.runs:
        run.font.name = face
        fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
        for slot in ("ascii", "hAnsi", "eastAsia"):
            fonts.set(qn(f"w:{slot}"), face)
        if size:
            run.font.size = Pt(size)


def remove(paragraph: Paragraph) -> None:
    paragraph._p.getparent().remove(paragraph._p)


def blank_before(document: DocumentType, start: str) -> Paragraph:
    paragraphs = document.paragraphs
    at = next(i for i, p in enumerate(paragraphs) if p.text.strip().startswith(start))
    return paragraphs[at - 1]


@dataclass(frozen=True)
class Fault:
    """`plant` spoils the document; the checker must answer with `code`, and say `words` in place or fact."""

    name: str
    code: str
    plant: Callable[[DocumentType], object]
    words: str
    severity: str = "error"


def _body_text(text: str) -> Callable[[DocumentType], object]:
    """Put a sentence into the text as a paragraph of its own."""
    return lambda d: insert_before(find(d, "联系人"), text, "公文正文")


def _number(text: str) -> Callable[[DocumentType], object]:
    return lambda d: replace(find(d, "苏工信发"), "苏工信发〔2023〕15号", text)


def _date(text: str) -> Callable[[DocumentType], object]:
    return lambda d: replace(find(d, "2023年2月10日"), "2023年2月10日", text)


def _attachment(old: str, new: str) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        at = next(p for p in d.paragraphs if p.style.name == "附件说明" and old in p.text)
        replace(at, old, new)

    return plant


def _landscape(d: DocumentType) -> None:
    d.sections[0].orientation = WD_ORIENT.LANDSCAPE
    d.sections[0].page_width, d.sections[0].page_height = d.sections[0].page_height, d.sections[0].page_width


def _line_spacing(d: DocumentType) -> None:
    for p in d.paragraphs:
        if p.style.name == "公文正文":
            p.paragraph_format.line_spacing = Pt(24)


def _character_spacing(d: DocumentType) -> None:
    for p in d.paragraphs:
        for run in p.runs:
            spacing = OxmlElement("w:spacing")
            spacing.set(qn("w:val"), "0")
            run._r.get_or_add_rPr().append(spacing)


def _border_off(d: DocumentType) -> None:
    style = next(s for s in d.styles if s.name == "发文字号")
    border = style.element.find(".//" + qn("w:pBdr"))
    border.getparent().remove(border)


def _imprint_rules_off(d: DocumentType) -> None:
    borders = next(s for s in d.styles if s.name == "版记表格").element.find(".//" + qn("w:tblBorders"))
    borders.getparent().remove(borders)


def _page_break_off(d: DocumentType) -> None:
    find(d, "附件2").paragraph_format.page_break_before = False


def _second_title_line(d: DocumentType) -> None:
    paragraphs = d.paragraphs
    at = next(i for i, p in enumerate(paragraphs) if p.text == "附件3")
    remove(paragraphs[at + 1])


def _annex_title(d: DocumentType) -> None:
    title = next(p for p in d.paragraphs if p.style.name == "附件标题" and "汇总表" in p.text)
    replace(title, "计划汇总表", "计划")


def _footer(change: Callable[[Paragraph], object]) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        for footer in (d.sections[0].footer, d.sections[0].even_page_footer):
            for p in footer.paragraphs:
                change(p)

    return plant


def _empty(p: Paragraph) -> None:
    for run in list(p._p):
        if run.tag == qn("w:r"):
            p._p.remove(run)


def _hyphens(p: Paragraph) -> None:
    for run in p.runs:
        if "—" in run.text:
            run.text = run.text.replace("—", "-")


def _theme(d: DocumentType) -> None:
    fonts = find(d, "近日").runs[0]._r.get_or_add_rPr().get_or_add_rFonts()
    for slot in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme"):
        fonts.set(qn(f"w:{slot}"), "minorEastAsia")


def _latin_quotes(d: DocumentType) -> None:
    p = insert_before(find(d, "联系人"), "", "公文正文")
    run = p.add_run("请用好“绿色制造”平台。")
    fonts = run._r.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:ascii"), "Times New Roman")
    fonts.set(qn("w:hAnsi"), "Times New Roman")


def _no_east_face(d: DocumentType) -> None:
    for holder in (d.styles.element, find(d, "近日")._p):
        for fonts in holder.iter(qn("w:rFonts")):
            fonts.attrib.pop(qn("w:eastAsia"), None)


def _japanese(d: DocumentType) -> None:
    lang = OxmlElement("w:lang")
    lang.set(qn("w:eastAsia"), "ja-JP")
    find(d, "近日").runs[0]._r.get_or_add_rPr().append(lang)


_WORDART = (
    '<w:r {ns} xmlns:v="urn:schemas-microsoft-com:vml"><w:pict><v:shape id="a" style="width:400pt;height:40pt">'
    '<v:textpath string="红头文件" on="t"/></v:shape></w:pict></w:r>'
)


def _wordart(d: DocumentType) -> None:
    find(d, "近日")._p.append(parse_xml(_WORDART.format(ns=nsdecls("w"))))


def _revision(d: DocumentType) -> None:
    run = find(d, "近日").runs[0]._r
    inserted = OxmlElement("w:ins")
    inserted.set(qn("w:id"), "900")
    inserted.set(qn("w:author"), "甲")
    run.addprevious(inserted)
    inserted.append(run)


def _long_table(d: DocumentType) -> None:
    table = d.add_table(30, 2)
    d.tables[-2]._tbl.addprevious(table._tbl)


def _wide_table(d: DocumentType) -> None:
    table = d.add_table(2, 2)
    for column in table.columns:
        column.width = Mm(100)
    d.tables[-2]._tbl.addprevious(table._tbl)


def _hang_off(d: DocumentType) -> None:
    p = next(p for p in d.paragraphs if p.style.name == "附件说明" and "汇总表" in p.text)
    p.paragraph_format.left_indent, p.paragraph_format.first_line_indent = Pt(0), Pt(80)


def _signer(d: DocumentType) -> None:
    find(d, "苏工信发").add_run("　　签发人：王示例")


def _style_size(name: str, size: float) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        for p in (*d.paragraphs, *(p for t in d.tables for row in t.rows for c in row.cells for p in c.paragraphs)):
            if p.style.name == name:
                for run in p.runs:
                    run.font.size = Pt(size)

    return plant


def _copy_to(d: DocumentType, text: str) -> None:
    p = d.tables[-1].rows[0].cells[0].paragraphs[0]
    replace(p, p.text, text)


def _issued(d: DocumentType) -> None:
    p = d.tables[-1].rows[-1].cells[0].paragraphs[0]
    replace(p, "2023年2月10日印发", "2023年02月10日印发")


def _title(text: str) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        title = find(d, "苏州市工业和信息化局关于")
        title.runs[0].text = text

    return plant


def _remark(d: DocumentType) -> None:
    date = find(d, "2023年2月10日")
    new = copy.deepcopy(date._p)
    date._p.addnext(new)
    p = Paragraph(new, date._parent)
    replace(p, "2023年2月10日", "此件公开发布")
    p.style = next(s for s in d.styles if s.name == "附注")


def _centre(align: WD_ALIGN_PARAGRAPH, start: str) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        find(d, start).paragraph_format.alignment = align

    return plant


def _indent(start: str, points: float) -> Callable[[DocumentType], object]:
    def plant(d: DocumentType) -> None:
        p = find(d, start)
        p_pr = p._p.get_or_add_pPr()
        ind = OxmlElement("w:ind")
        ind.set(qn("w:firstLineChars"), "0")
        ind.set(qn("w:firstLine"), str(int(points * 20)))
        old = p_pr.find(qn("w:ind"))
        p_pr.remove(old) if old is not None else None
        p_pr.append(ind)

    return plant


def _right_indent_off(d: DocumentType) -> None:
    find(d, "2023年2月10日").paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT


def _date_in_the_middle(d: DocumentType) -> None:
    find(d, "2023年2月10日").paragraph_format.left_indent = Pt(0)


def _secrecy(d: DocumentType) -> None:
    insert_before(find(d, "苏州市工业和信息化局文件"), "秘密★1年", "主送机关")


def _marks_in_wrong_order(d: DocumentType) -> None:
    for text in ("特急", "机密★5年", "000123"):
        set_face(insert_before(find(d, "苏州市工业和信息化局文件"), text, "附件标识"), "黑体")


LEFT = WD_ALIGN_PARAGRAPH.LEFT

FAULTS = (
    Fault("letter paper", "GF701", lambda d: setattr(d.sections[0], "page_width", Mm(215.9)), "215.9 mm"),
    Fault("Word's default margins", "GF702", lambda d: setattr(d.sections[0], "top_margin", Mm(25.4)), "25.4 mm"),
    Fault("24 pt lines", "GF703", _line_spacing, "22 lines", "warning"),
    Fault("no character spacing", "GF704", _character_spacing, "27 characters", "warning"),
    Fault("blue words", "GF705", lambda d: setattr(find(d, "近日").runs[0].font.color, "rgb", RGBColor(0, 0, 255)), "#0000FF"),
    Fault("body in 小四宋体", "GF706", lambda d: set_face(find(d, "近日"), "宋体", 14), "宋体 14 pt", "warning"),
    Fault("copy number of 3 digits", "GF711", lambda d: insert_before(find(d, "苏州市工业和信息化局文件"), "123", "主送机关"), "“123”", "warning"),
    Fault("secrecy in 仿宋", "GF712", _secrecy, "秘密★1年", "warning"),
    Fault("urgency above secrecy", "GF713", _marks_in_wrong_order, "特急 → 机密★5年 → 000123"),
    Fault("mark in black", "GF714", lambda d: setattr(find(d, "苏州市工业和信息化局文件").runs[0].font.color, "rgb", RGBColor(0, 0, 0)), "000000"),
    Fault("mark flush left", "GF714", _centre(LEFT, "苏州市工业和信息化局文件"), "left"),
    Fault("mark in 黑体", "GF715", lambda d: set_face(find(d, "苏州市工业和信息化局文件"), "黑体"), "黑体", "warning"),
    Fault("mark at the top", "GF716", lambda d: setattr(find(d, "苏州市工业和信息化局文件").paragraph_format, "space_before", Pt(0)), "about 1 mm", "warning"),
    Fault("square brackets", "GF717", _number("苏工信发[2023]15号"), "“[2023]”"),
    Fault("black brackets", "GF717", _number("苏工信发【2023】15号"), "“【2023】”"),
    Fault("small tortoise brackets", "GF717", _number("苏工信发﹝2023﹞15号"), "“﹝2023﹞”"),
    Fault("第 in the number", "GF717", _number("苏工信发〔2023〕第15号"), "“第15号”"),
    Fault("leading zero in the number", "GF717", _number("苏工信发〔2023〕015号"), "“015号”"),
    Fault("two-digit year in the number", "GF717", _number("苏工信发〔23〕15号"), "year 23"),
    Fault("number right below the mark", "GF718", lambda d: remove(blank_before(d, "苏工信发")), "1 blank lines"),
    Fault("number flush left", "GF718", _centre(LEFT, "苏工信发"), "left"),
    Fault("no red rule", "GF719", _border_off, "found none"),
    Fault("signer's name in 仿宋", "GF720", _signer, "仿宋_GB2312"),
    Fault("title in 三号", "GF721", lambda d: set_face(find(d, "苏州市工业和信息化局关于"), "方正小标宋简体", 16), "16 pt", "warning"),
    Fault("title flush left", "GF722", _centre(LEFT, "苏州市工业和信息化局关于"), "left"),
    Fault("title one line below the rule", "GF722", lambda d: remove(blank_before(d, "苏州市工业和信息化局关于")), "1 blank lines"),
    Fault("half-width colon after the addressee", "GF723", lambda d: replace(find(d, "各县级市"), "：", ":"), "经发委:"),
    Fault("addressee indented", "GF723", _indent("各县级市", 32), "2 characters"),
    Fault("no empty line above the addressee", "GF723", lambda d: remove(blank_before(d, "各县级市")), "0 blank lines"),
    Fault("paragraph without indent", "GF724", _indent("近日", 0), "0 characters"),
    Fault("first level in 仿宋", "GF725", lambda d: set_face(find(d, "一、"), "仿宋_GB2312"), "黑体", "warning"),
    Fault("second level in 仿宋", "GF725", lambda d: set_face(find(d, "（一）"), "仿宋_GB2312"), "楷体_GB2312", "warning"),
    Fault("bold words", "GF726", lambda d: setattr(find(d, "二、").runs[1].font, "bold", True), "bold", "warning"),
    Fault("（1） right below 一、", "GF727", lambda d: insert_before(find(d, "二、"), "（1）各地明确专人。", "公文正文"), "“一、”下直接用“（1）”", "warning"),
    Fault("一、 then 三、", "GF728", lambda d: remove(find(d, "二、")), "“三”"),
    Fault("a level number twice", "GF728", lambda d: replace(find(d, "3.在国家"), "3.", "2."), "2 after 2"),
    Fault("1、 for 1.", "GF729", lambda d: replace(find(d, "1.发生"), "1.", "1、"), "“1、”", "warning"),
    Fault("（一）、", "GF729", lambda d: replace(find(d, "（一）"), "（一）", "（一）、"), "“（一）、”", "warning"),
    Fault("title of equal lines", "GF730", _title("苏州市工信局关于转发\n绿色工厂名单的通知一"), "2 lines of one length", "warning"),
    Fault("title as an hourglass", "GF730", _title("苏州市工信局关于转发江苏省\n绿色工厂名单\n并做好有关工作的通知"), "hourglass", "warning"),
    Fault("two characters of the title left over", "GF730", _title("关于转发江苏省第三批绿色工厂名单并做好相关通知"), "characters left", "warning"),
    Fault("attachment list right below the text", "GF731", lambda d: remove(blank_before(d, "附件：")), "0 blank lines"),
    Fault("full stop after an attachment's name", "GF732", _attachment("培育计划表", "培育计划表。"), "培育计划表。"),
    Fault("semicolon after an attachment's name", "GF732", _attachment("（苏州市）", "（苏州市）；"), "（苏州市）；"),
    Fault("1、 in the attachment list", "GF733", _attachment("2.", "2、"), "“2、”"),
    Fault("number said twice", "GF733", _attachment("江苏省第三批绿色工厂名单（", "附件2.江苏省第三批绿色工厂名单（"), "附件2.江苏省"),
    Fault("long name not aligned", "GF734", _hang_off, "following lines", "warning"),
    Fault("附件7 cited, not listed", "GF735", _body_text("具体要求见附件7。"), "附件7"),
    Fault("attachment never cited", "GF736", lambda d: [replace(find(d, "三、"), "（附件4）", ""), replace(find(d, "三、"), "《2023年度绿色工厂培育计划表》", "培育计划")], "附件4", "warning"),
    Fault("colon after the attachment label", "GF737", lambda d: replace(find(d, "附件2"), "附件2", "附件 2"), "附件 2"),
    Fault("attachment label in 仿宋", "GF737", lambda d: set_face(find(d, "附件3"), "仿宋_GB2312"), "仿宋_GB2312"),
    Fault("attachment title on line 2", "GF738", _second_title_line, "line 2"),
    Fault("attachment title differs from the list", "GF739", _annex_title, "2023年度计划"),
    Fault("attachment on the same page", "GF740", _page_break_off, "附件2"),
    Fault("no date", "GF741", lambda d: remove(find(d, "2023年2月10日")), "no date"),
    Fault("date in Chinese numerals", "GF742", _date("二〇二三年二月十日"), "应为“2023年2月10日”"),
    Fault("leading zero in the date", "GF742", _date("2023年02月10日"), "“2023年2月10日”"),
    Fault("two-digit year in the date", "GF742", _date("23年2月10日"), "“23年2月10日”"),
    Fault("号 in the date", "GF742", _date("2023年2月10号"), "“2023年2月10号”"),
    Fault("date at the margin", "GF743", _right_indent_off, "0 characters", "warning"),
    Fault("date in the middle of the line", "GF743", _date_in_the_middle, "居中", "warning"),
    Fault("此页无正文", "GF744", _body_text("（此页无正文）"), "此页无正文"),
    Fault("remark without brackets", "GF745", _remark, "此件公开发布"),
    Fault("imprint without rules", "GF751", _imprint_rules_off, "none", "warning"),
    Fault("抄送 without full stop", "GF752", lambda d: _copy_to(d, "抄送：江苏省工业和信息化厅"), "息化厅"),
    Fault("half-width colon after 抄送", "GF752", lambda d: _copy_to(d, "抄送:江苏省工业和信息化厅。"), "抄送:"),
    Fault("leading zero in 印发日期", "GF753", _issued, "2023年02月10日"),
    Fault("imprint in 三号", "GF754", _style_size("版记", 16), "16 pt", "warning"),
    Fault("no page number", "GF761", _footer(_empty), "none", "warning"),
    Fault("page number with hyphens", "GF762", _footer(_hyphens), "- 1 -", "warning"),
    Fault("one footer for all pages", "GF763", lambda d: setattr(d.settings, "odd_and_even_pages_header_footer", False), "odd and even", "warning"),
    Fault("page number too low", "GF764", lambda d: setattr(d.sections[0], "footer_distance", Mm(10)), "about 23 mm", "warning"),
    Fault("landscape page", "GF765", _landscape, "landscape", "warning"),
    Fault("half-width comma", "GF771", _body_text("请各地高度重视,认真组织。"), "重视,认真"),
    Fault("half-width brackets", "GF771", _body_text("请各地(含园区)组织填报。"), "(含园区)"),
    Fault("26年", "GF772", _body_text("截至26年底完成。"), "“2026年”"),
    Fault("10～20%", "GF773", _body_text("能耗下降10～20%。"), "“10%～20%”"),
    Fault("2026-2027年", "GF774", _body_text("2026-2027年分步实施。"), "“2026—2027年”", "warning"),
    Fault("three dots", "GF775", _body_text("水泥、钢铁...等行业。"), "……"),
    Fault("号 for 日", "GF776", _body_text("请于3月5号前完成。"), "“3月5日”", "warning"),
    Fault("截止 for 截至", "GF777", _body_text("截止2022年底，共有132家。"), "“截至”", "warning"),
    Fault("你局 and 贵局", "GF778", _body_text("请你局支持。感谢贵局配合。"), "“贵局”", "warning"),
    Fault("two commas", "GF779", _body_text("请各地重视，，认真组织。"), "，，"),
    Fault("straight quotation marks", "GF780", _body_text('推进"绿色制造"工程。'), '"绿色制造'),
    Fault("、 between book titles", "GF781", _body_text("按照《甲办法》、《乙细则》执行。"), "》、《", "warning"),
    Fault("leading zero in the text", "GF782", _body_text("2023年02月前完成。"), "年02月", "warning"),
    Fault("full-width digits", "GF783", _body_text("共有１３２家。"), "“132”", "warning"),
    Fault("indent by spaces", "GF784", lambda d: (_indent("近日", 0)(d), replace(find(d, "近日"), "近日", "　　近日")), "spaces", "warning"),
    Fault("a tag left over", "GF785", _body_text("{{ company.name }}"), "{{ company.name }}", "note"),
    Fault("bracket not closed", "GF786", _body_text("请各地（含园区组织填报。"), "1 （ and 0 ）"),
    Fault("theme font", "GF791", _theme, "近日", "warning"),
    Fault("微软雅黑", "GF792", lambda d: set_face(find(d, "近日"), "微软雅黑"), "微软雅黑", "warning"),
    Fault("no East Asian face", "GF793", _no_east_face, "no East Asian face", "warning"),
    Fault("quotation marks in Times", "GF794", _latin_quotes, "绿色制造", "warning"),
    Fault("marked as Japanese", "GF795", _japanese, "近日", "warning"),
    Fault("WordArt", "GF796", _wordart, "红头文件", "warning"),
    Fault("long table without repeated head", "GF797", _long_table, "30 rows", "warning"),
    Fault("table wider than the text", "GF798", _wide_table, "200 mm", "warning"),
    Fault("tracked change", "GF799", _revision, "tracked changes", "warning"),
)  # fmt: skip

# those that can stand in one paper without hiding one another
TOGETHER = (
    "Word's default margins", "24 pt lines", "blue words", "mark flush left", "mark in 黑体", "square brackets", "no red rule",
    "title in 三号", "title flush left", "half-width colon after the addressee", "addressee indented", "second level in 仿宋", "bold words",
    "a level number twice", "1、 for 1.", "full stop after an attachment's name", "1、 in the attachment list", "number said twice",
    "附件7 cited, not listed", "attachment label in 仿宋", "attachment title on line 2", "attachment title differs from the list",
    "attachment on the same page", "leading zero in the date", "此页无正文", "抄送 without full stop", "leading zero in 印发日期",
    "page number with hyphens", "one footer for all pages", "half-width comma", "half-width brackets", "26年", "10～20%", "2026-2027年",
    "three dots", "号 for 日", "截止 for 截至", "你局 and 贵局", "two commas", "straight quotation marks", "、 between book titles",
    "full-width digits", "bracket not closed", "quotation marks in Times", "long table without repeated head",
)  # fmt: skip


def bad_notice() -> tuple[bytes, tuple[Fault, ...]]:
    """One paper with all of TOGETHER, and the faults planted."""
    document = open_docx(good_notice())
    by_name = {fault.name: fault for fault in FAULTS}
    planted = tuple(by_name[name] for name in TOGETHER)
    for fault in planted:
        fault.plant(document)
    return to_bytes(document), planted
