"""The named styles of the docx templates, after the parts of GB/T 9704-2012."""

from __future__ import annotations

from wordml import CHAR, LINE, TEXT_WIDTH, Style, border, fonts, indent, run_properties, spacing, tabs

from gfdocs.gongwen import layout

CENTRE = '<w:jc w:val="center"/>'
BOTH = '<w:jc w:val="both"/>'
KEEP_NEXT = "<w:keepNext/>"
NO_GRID = '<w:snapToGrid w:val="0"/>'
LINE_EXACT = spacing(exact=LINE)

# The mark hangs in a line of exactly MARK_LINE whose baseline is at 80 % of it; the upper edge of a Chinese character is about
# 0.84 em above the baseline.
MARK_SIZE, MARK_LINE = 36.0, 40.0
LONG_MARK_SIZE, LONG_MARK_LINE = 26.0, 29.0
INK_TOP, EM_BOTTOM, BASELINE = 0.84, 0.12, 0.8
MARK_LIMIT = 12  # characters of 36 pt that fit 156 mm
# the red rule: distance from the lower edge of the characters to the rule
NUMBER_LINE = 17.5
NUMBER_RULE_SPACE = round(
    layout.mm_to_points(layout.RED_RULE_BELOW_NUMBER.value)
    - ((1 - BASELINE) * NUMBER_LINE - EM_BOTTOM * layout.BODY_SIZE.value)
)


def _space_above_mark(size: float, line: float) -> int:
    above_ink = BASELINE * line - INK_TOP * size
    return round((layout.mm_to_points(layout.MARK_TOP.value) - above_ink) * 20)


def _body_indent() -> str:
    return '<w:ind w:firstLineChars="200" w:firstLine="640"/>'


def _normal() -> Style:
    # overflowPunct is said aloud although it is Word's default: LibreOffice reads it the wrong way round, hangs punctuation at
    # the margin where it is off or not there, and then may leave the hanging character out of the PDF
    pieces = (
        '<w:widowControl w:val="0"/><w:overflowPunct/><w:autoSpaceDE w:val="0"/><w:autoSpaceDN w:val="0"/>'
        + NO_GRID
        + LINE_EXACT
        + BOTH
    )
    return Style("Normal", "Normal", "", pieces, run_properties(spacing=layout.CHARACTER_SPACING.value))


def _head_styles() -> tuple[Style, ...]:
    mark = run_properties(layout.FONT_MARK, MARK_SIZE, color=layout.RED, spacing=0)
    long_mark = run_properties(layout.FONT_MARK, LONG_MARK_SIZE, color=layout.RED, spacing=0)
    rule = border("bottom", layout.RED_RULE_THICKNESS.eighths, layout.RED, NUMBER_RULE_SPACE)
    above_number = LINE - round(NUMBER_LINE * 20)
    return (
        Style("IssuerMark", "发文机关标志", "Normal",
              spacing(before=_space_above_mark(MARK_SIZE, MARK_LINE), exact=round(MARK_LINE * 20)) + CENTRE, mark),
        Style("IssuerMarkLong", "发文机关标志（长）", "IssuerMark",
              spacing(before=_space_above_mark(LONG_MARK_SIZE, LONG_MARK_LINE), exact=round(LONG_MARK_LINE * 20)), long_mark),
        Style("DocumentNumber", "发文字号", "Normal",
              f"<w:pBdr>{rule}</w:pBdr>" + spacing(before=above_number, exact=round(NUMBER_LINE * 20)) + CENTRE),
    )  # fmt: skip


def _body_styles() -> tuple[Style, ...]:
    title = run_properties(layout.FONT_TITLE, layout.TITLE_SIZE.value, spacing=0)
    heading_1 = run_properties(layout.FONT_HEADING_1)
    heading_2 = run_properties(layout.FONT_HEADING_2)
    return (
        Style("GongwenTitle", "公文标题", "Normal", KEEP_NEXT + CENTRE + '<w:outlineLvl w:val="0"/>', title, next="Addressee"),
        Style("Addressee", "主送机关", "Normal", '<w:jc w:val="left"/>', next="GongwenBody"),
        Style("GongwenBody", "公文正文", "Normal", _body_indent()),
        Style("HeadingOne", "一级标题", "GongwenBody", KEEP_NEXT + '<w:outlineLvl w:val="1"/>', heading_1, next="GongwenBody"),
        Style("HeadingTwo", "二级标题", "GongwenBody", KEEP_NEXT + '<w:outlineLvl w:val="2"/>', heading_2, next="GongwenBody"),
        Style("HeadingOneChar", "一级标题（段首）", "DefaultParagraphFont", run=heading_1, type="character"),
        Style("HeadingTwoChar", "二级标题（段首）", "DefaultParagraphFont", run=heading_2, type="character"),
        Style("BlankLine", "空行", "Normal"),
    )  # fmt: skip


ATTACHMENT_NAME = 6.5  # 字: two blank, 附件：, number and dot


def _end_styles() -> tuple[Style, ...]:
    first = layout.ATTACHMENT_INDENT.value
    label = run_properties(layout.FONT_HEADING_1)
    right = f'<w:ind w:rightChars="{int(layout.DATE_RIGHT_INDENT.value) * 100}" w:right="{int(layout.DATE_RIGHT_INDENT.value) * CHAR}"/>'
    return (
        Style("AttachmentList", "附件说明", "Normal",
              KEEP_NEXT + tabs(("left", first + 3), ("left", ATTACHMENT_NAME)) + indent(left=ATTACHMENT_NAME, hanging=ATTACHMENT_NAME - first)
              + '<w:jc w:val="left"/>'),
        Style("AttachmentSingle", "附件说明（单件）", "Normal", KEEP_NEXT + indent(left=first + 3, hanging=3) + '<w:jc w:val="left"/>'),
        Style("IssuerSignature", "发文机关署名", "Normal", KEEP_NEXT + indent(left=signature_indent()) + CENTRE),
        Style("IssuerSignatureLong", "发文机关署名（长）", "Normal", KEEP_NEXT + indent(right=2) + '<w:jc w:val="right"/>'),
        Style("IssueDate", "成文日期", "Normal", indent(left=signature_indent()) + CENTRE),
        Style("IssueDateRight", "成文日期（居右）", "Normal", right + '<w:jc w:val="right"/>'),
        Style("Remark", "附注", "GongwenBody"),
        Style("SourceNumber", "来文字号", "Normal", CENTRE),
        Style("UnitSeal", "单位盖章", "Normal", KEEP_NEXT + indent(right=2) + '<w:jc w:val="right"/>'),
        Style("AttachmentLabel", "附件标识", "Normal", '<w:jc w:val="left"/>', label, next="BlankLine"),
        Style("AttachmentTitle", "附件标题", "GongwenTitle"),
    )  # fmt: skip


SIGNATURE_LIMIT = 14  # characters that can stand centred above the date


def signature_indent(date_length: int = 10) -> float:
    """The left indent (字) that puts the centre of a line above the middle of a date that ends 4 字 from the right.

    A date is three Chinese characters and its digits, half as wide.
    """
    width = 3 + (date_length - 3) / 2
    line = TEXT_WIDTH / CHAR
    return 2 * (line - layout.DATE_RIGHT_INDENT.value - width / 2) - line


IMPRINT_LINE, IMPRINT_ROW = 460, 540  # the text stands in the middle of its row


def _imprint_styles() -> tuple[Style, ...]:
    size = layout.IMPRINT_SIZE.value
    char = round(size * 20)
    thick, thin = layout.IMPRINT_RULE_THICK.eighths, layout.IMPRINT_RULE_THIN.eighths
    return (
        Style("Imprint", "版记", "Normal", spacing(exact=IMPRINT_LINE) + indent(left=4, right=1, hanging=3, unit=char), run_properties(size=size, spacing=0)),
        Style("ImprintLine", "版记（印发）", "Imprint", f'<w:tabs><w:tab w:val="right" w:pos="{TEXT_WIDTH - char}"/></w:tabs>'
              + f'<w:ind w:left="{char}" w:right="0" w:firstLine="0"/>' + '<w:jc w:val="left"/>'),
        Style("ImprintTable", "版记表格", "TableNormal", type="table", extra="<w:tblPr><w:tblBorders>"
              + border("top", thick) + border("bottom", thick) + border("insideH", thin) + "</w:tblBorders>"
              + '<w:tblCellMar><w:top w:w="0" w:type="dxa"/><w:left w:w="0" w:type="dxa"/><w:bottom w:w="0" w:type="dxa"/><w:right w:w="0" w:type="dxa"/></w:tblCellMar></w:tblPr>'),
        Style("ImprintAnchor", "版记位置", "Normal", spacing(exact=20), run_properties(size=1, spacing=0)),
        Style("Footer", "footer", "Normal", spacing(exact=round(layout.PAGE_NUMBER_SIZE.value * 20)),
              run_properties(layout.FONT_PAGE_NUMBER, layout.PAGE_NUMBER_SIZE.value, spacing=0)),
        Style("FooterOdd", "页码（单页）", "Footer", f'<w:ind w:rightChars="100" w:right="{char}"/><w:jc w:val="right"/>'),
        Style("FooterEven", "页码（双页）", "Footer", f'<w:ind w:leftChars="100" w:left="{char}"/><w:jc w:val="left"/>'),
    )  # fmt: skip


TABLE_SIZE = 12.0  # 小四


def _table_styles() -> tuple[Style, ...]:
    text = run_properties(size=TABLE_SIZE, spacing=0)
    head = run_properties(layout.FONT_HEADING_1, TABLE_SIZE, spacing=0)
    cell_margins = '<w:tblCellMar><w:top w:w="30" w:type="dxa"/><w:left w:w="85" w:type="dxa"/><w:bottom w:w="30" w:type="dxa"/><w:right w:w="85" w:type="dxa"/></w:tblCellMar>'
    lines = "".join(border(side, 4) for side in ("top", "left", "bottom", "right", "insideH", "insideV"))
    none = '<w:tblInd w:w="0" w:type="dxa"/>'
    return (
        Style("TableText", "表格文字", "Normal", spacing(exact=340) + '<w:jc w:val="left"/>', text),
        Style("TableCentre", "表格文字（居中）", "TableText", CENTRE),
        Style("TableFigure", "表格数字", "TableText", '<w:jc w:val="right"/>'),
        Style("TableHead", "表头", "TableText", CENTRE, head),
        Style("TableRemark", "表格说明", "TableText", "", run_properties(layout.FONT_HEADING_2, 10.5, spacing=0)),
        Style("TableGroup", "表格分组", "TableText", KEEP_NEXT, head),
        Style("TableGap", "表前间距", "Normal", KEEP_NEXT + spacing(exact=120), run_properties(size=2)),
        Style("TableSubtotal", "表格小计", "TableText", KEEP_NEXT + '<w:jc w:val="left"/>'),
        Style("TableSubtotalHead", "表格小计（居中）", "TableText", KEEP_NEXT + CENTRE),
        Style("TableCaption", "表题", "Normal", KEEP_NEXT + CENTRE, run_properties(layout.FONT_HEADING_1, 14, spacing=0)),
        Style("FormNote", "示意说明", "Normal", spacing(before=60, exact=300) + '<w:jc w:val="left"/>',
              run_properties(layout.FONT_HEADING_2, 10.5, spacing=0)),
        Style("TableNormal", "Normal Table", "", type="table", extra=f"<w:tblPr>{none}{cell_margins}</w:tblPr>"),
        Style("GongwenTable", "公文表格", "TableNormal", type="table", extra=f"<w:tblPr><w:tblBorders>{lines}</w:tblBorders></w:tblPr>"),
    )  # fmt: skip


def _tag_style() -> Style:
    look = '<w:color w:val="808080"/><w:sz w:val="18"/><w:szCs w:val="18"/>'
    return Style("TemplateTag", "模板标记", "Normal", spacing(exact=260) + '<w:jc w:val="left"/>', look)


def all_styles() -> tuple[Style, ...]:
    """Every style of the templates; each template carries them all, so that clerks can use any of them."""
    return (
        _normal(),
        Style("DefaultParagraphFont", "Default Paragraph Font", "", type="character"),
        *_head_styles(),
        *_body_styles(),
        *_end_styles(),
        *_imprint_styles(),
        *_table_styles(),
        _tag_style(),
    )


__all__ = ["ATTACHMENT_NAME", "MARK_LIMIT", "SIGNATURE_LIMIT", "all_styles", "fonts"]
