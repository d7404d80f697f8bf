"""WordprocessingML by hand: the few pieces that the built-in docx templates are made of.

Every function returns a piece of XML named after its element or after the GB/T 9704 part it draws. Lengths are twips
unless the name says otherwise. The file that comes out depends on the arguments alone, so drawing twice gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape, quoteattr

from gfdocs.gongwen import layout

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

CHAR = round(layout.CHARACTER_WIDTH * 20)  # 一字 at 3号 with its spacing
LINE = layout.LINE_PITCH.twips
TEXT_WIDTH = layout.PAPER_WIDTH.twips - layout.LEFT_MARGIN.twips - layout.RIGHT_MARGIN.twips
LEFT_MARGIN = layout.LEFT_MARGIN.twips
FONTS_ALTERNATIVE = {
    layout.FONT_BODY: "仿宋",
    layout.FONT_HEADING_2: "楷体",
    layout.FONT_HEADING_1: "SimHei",
    layout.FONT_PAGE_NUMBER: "SimSun",
    layout.FONT_TITLE: "华文中宋",
}


# -- runs and paragraphs --------------------------------------------------------------------------------------------------------
def fonts(name: str) -> str:
    """All four slots of one face, so that no theme and no default of the machine decides; quotes and dashes count as Chinese."""
    return f'<w:rFonts w:hint="eastAsia" w:ascii="{name}" w:hAnsi="{name}" w:eastAsia="{name}" w:cs="{name}"/>'


def run(text: str, *, style: str = "", properties: str = "") -> str:
    """A `w:r`; `\\t` in the text is a tab, `\\n` a line break. Its quotes and dashes are set in the Chinese face."""
    style_xml = f"<w:rStyle w:val={quoteattr(style)}/>" if style else ""
    hint = "" if "<w:rFonts" in properties else '<w:rFonts w:hint="eastAsia"/>'
    return f"<w:r><w:rPr>{style_xml}{hint}{properties}</w:rPr>{_pieces(text)}</w:r>"


def _pieces(text: str) -> str:
    out = []
    for index, line in enumerate(text.split("\n")):
        out.append("<w:br/>" if index else "")
        for position, piece in enumerate(line.split("\t")):
            out.append("<w:tab/>" if position else "")
            if piece:
                space = ' xml:space="preserve"' if piece != piece.strip() else ""
                out.append(f"<w:t{space}>{escape(piece)}</w:t>")
    return "".join(out)


def paragraph(*content: str, style: str = "", properties: str = "") -> str:
    """A `w:p`; a content that is not XML becomes a run."""
    style_xml = f"<w:pStyle w:val={quoteattr(style)}/>" if style else ""
    p_pr = f"<w:pPr>{style_xml}{properties}</w:pPr>" if style or properties else ""
    return f"<w:p>{p_pr}{''.join(c if c.startswith('<') else run(c) for c in content if c)}</w:p>"


def tag(source: str) -> str:
    """A paragraph that holds only a template tag, `{%p … %}`; it is gone in the finished paper."""
    return paragraph(run("{%p " + source + " %}"), style="TemplateTag")


def blank(count: int = 1, style: str = "BlankLine") -> str:
    """空行."""
    return paragraph(style=style) * count


def page_number_field() -> str:
    """`PAGE` as a complex field, so that every program updates it."""
    parts = ['<w:fldChar w:fldCharType="begin"/>', '<w:instrText xml:space="preserve"> PAGE </w:instrText>',
             '<w:fldChar w:fldCharType="separate"/>', "<w:t>1</w:t>", '<w:fldChar w:fldCharType="end"/>']  # fmt: skip
    return "".join(f'<w:r><w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr>{part}</w:r>' for part in parts)


EMU_MM, EMU_TWIP = 36000, 635


def side_text(content: str, number: int) -> str:
    """A run with a text box at the left of a landscape page, as long as the type area is high, its text turned to the right.

    On the sheet it is the line of the page number below the type area (8: 页码位置与竖排页一致). Word and WPS edit it as any
    text box. `number` tells it from other drawings of the document.
    """
    across, down = FOOTER_DISTANCE * EMU_TWIP, round(layout.LEFT_MARGIN.value * EMU_MM)
    wide, high = PAGE_NUMBER_LINE * EMU_TWIP, round(layout.TYPE_AREA_WIDTH.value * EMU_MM)
    return (
        '<w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><mc:Choice Requires="wps"><w:drawing>'
        '<wp:anchor distT="0" distB="0" distL="0" distR="0" simplePos="0" relativeHeight="1" behindDoc="0" locked="0" '
        'layoutInCell="1" allowOverlap="1"><wp:simplePos x="0" y="0"/>'
        f'<wp:positionH relativeFrom="page"><wp:posOffset>{across}</wp:posOffset></wp:positionH>'
        f'<wp:positionV relativeFrom="page"><wp:posOffset>{down}</wp:posOffset></wp:positionV>'
        f'<wp:extent cx="{wide}" cy="{high}"/><wp:effectExtent l="0" t="0" r="0" b="0"/><wp:wrapNone/>'
        f'<wp:docPr id="{number}" name="页码"/><wp:cNvGraphicFramePr/>'
        '<a:graphic><a:graphicData uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"><wps:wsp>'
        f'<wps:cNvSpPr txBox="1"/><wps:spPr><a:xfrm><a:off x="0" y="0"/><a:ext cx="{wide}" cy="{high}"/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/><a:ln><a:noFill/></a:ln></wps:spPr>'
        f"<wps:txbx><w:txbxContent>{content}</w:txbxContent></wps:txbx>"
        '<wps:bodyPr vert="vert" wrap="square" lIns="0" tIns="0" rIns="0" bIns="0" anchor="t"><a:noAutofit/></wps:bodyPr>'
        "</wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice></mc:AlternateContent></w:r>"
    )


# -- styles ---------------------------------------------------------------------------------------------------------------------
def run_properties(
    font: str = "", size: float | None = None, *, color: str = "", bold: bool = False, spacing: float | None = None
) -> str:
    """`w:rPr` children in the order of the schema; `size` and `spacing` in points."""
    parts = [fonts(font) if font else ""]
    parts.append("<w:b/>" if bold else "")
    parts.append(f'<w:color w:val="{color}"/>' if color else "")
    parts.append(f'<w:spacing w:val="{round(spacing * 20)}"/>' if spacing is not None else "")
    parts.append(f'<w:sz w:val="{round(size * 2)}"/><w:szCs w:val="{round(size * 2)}"/>' if size else "")
    return "".join(parts)


def spacing(*, before: int = 0, after: int = 0, exact: int = 0, at_least: int = 0) -> str:
    """`w:spacing`; `exact` makes the line pitch independent of the face that is installed."""
    rule = f' w:line="{exact}" w:lineRule="exact"' if exact else ""
    rule = rule or (f' w:line="{at_least}" w:lineRule="atLeast"' if at_least else ' w:line="240" w:lineRule="auto"')
    return f'<w:spacing w:before="{before}" w:after="{after}"{rule}/>'


def indent(*, left: float = 0, right: float = 0, first: float = 0, hanging: float = 0, unit: int = CHAR) -> str:
    """`w:ind` in characters (字) of `unit` twips."""
    names = (("left", left), ("right", right), ("firstLine", first), ("hanging", hanging))
    return "<w:ind" + "".join(f' w:{name}="{round(value * unit)}"' for name, value in names if value) + "/>"


def tabs(*stops: tuple[str, float]) -> str:
    """`w:tabs`; each stop is (left | center | right, position in 字 of 3号)."""
    return (
        "<w:tabs>"
        + "".join(f'<w:tab w:val="{kind}" w:pos="{round(position * CHAR)}"/>' for kind, position in stops)
        + "</w:tabs>"
    )


@dataclass(frozen=True, slots=True)
class Style:
    """A named style: `id` stable and English, `name` what the user reads in the style list."""

    id: str
    name: str
    based_on: str = "Normal"
    paragraph: str = ""
    run: str = ""
    type: str = "paragraph"
    next: str = ""
    extra: str = ""

    def to_xml(self) -> str:
        default = ' w:default="1"' if self.id in ("Normal", "TableNormal", "DefaultParagraphFont") else ""
        custom = "" if default or self.id in ("Footer",) else ' w:customStyle="1"'
        parts = [f"<w:name w:val={quoteattr(self.name)}/>"]
        parts.append(f'<w:basedOn w:val="{self.based_on}"/>' if self.based_on and not default else "")
        parts.append(f'<w:next w:val="{self.next}"/>' if self.next else "")
        parts.append('<w:uiPriority w:val="99"/><w:semiHidden/>' if self.id in ("TableNormal",) else "")
        parts.append('<w:uiPriority w:val="1"/><w:semiHidden/>' if self.id == "DefaultParagraphFont" else "")
        parts.append("" if "semiHidden" in "".join(parts) else "<w:qFormat/>" if self.type == "paragraph" else "")
        parts.append(f"<w:pPr>{self.paragraph}</w:pPr>" if self.paragraph else "")
        parts.append(f"<w:rPr>{self.run}</w:rPr>" if self.run else "")
        parts.append(self.extra)
        return f'<w:style w:type="{self.type}"{default}{custom} w:styleId="{self.id}">{"".join(parts)}</w:style>'


def styles_part(styles: Iterable[Style]) -> str:
    """`word/styles.xml`: the defaults are 3号仿宋 at 22 lines of 28 characters, and no theme."""
    defaults = (
        fonts(layout.FONT_BODY)
        + '<w:sz w:val="32"/><w:szCs w:val="32"/><w:lang w:val="en-US" w:eastAsia="zh-CN" w:bidi="ar-SA"/>'
    )
    return (
        DECLARATION + f'<w:styles xmlns:w="{W}"><w:docDefaults><w:rPrDefault><w:rPr>{defaults}</w:rPr></w:rPrDefault>'
        f"<w:pPrDefault/></w:docDefaults>{''.join(style.to_xml() for style in styles)}</w:styles>"
    )


# -- tables ---------------------------------------------------------------------------------------------------------------------
def border(side: str, eighths: int, color: str = "000000", space: int = 0) -> str:
    return f'<w:{side} w:val="single" w:sz="{eighths}" w:space="{space}" w:color="{color}"/>'


def no_border(side: str) -> str:
    return f'<w:{side} w:val="nil"/>'


def cell(*content: str, width: int, span: int = 1, align: str = "center", borders: str = "", merge: str = "") -> str:
    """A `w:tc`; `merge` is restart | continue for cells merged downwards."""
    parts = [f'<w:tcW w:w="{width}" w:type="dxa"/>', f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""]
    parts.append(f'<w:vMerge w:val="{merge}"/>' if merge else "")
    parts.append(f"<w:tcBorders>{borders}</w:tcBorders>" if borders else "")
    parts.append(f'<w:vAlign w:val="{align}"/>')
    return f"<w:tc><w:tcPr>{''.join(parts)}</w:tcPr>{''.join(content) or paragraph(style='TableText')}</w:tc>"


def row(*cells: str, header: bool = False, height: int = 0) -> str:
    """A `w:tr` that never breaks over pages; a heading row repeats on each page."""
    parts = ["<w:cantSplit/>", f'<w:trHeight w:val="{height}" w:hRule="atLeast"/>' if height else ""]
    parts.append("<w:tblHeader/>" if header else "")
    return f"<w:tr><w:trPr>{''.join(parts)}</w:trPr>{''.join(cells)}</w:tr>"


def tag_row(source: str, widths: Iterable[int]) -> str:
    """A row that holds only a template tag, `{%tr … %}`; it is gone in the finished paper."""
    all_widths = list(widths)
    only = cell(
        paragraph(run("{%tr " + source + " %}"), style="TemplateTag"), width=sum(all_widths), span=len(all_widths)
    )
    return row(only)


def table(*rows: str, widths: Iterable[int], style: str = "GongwenTable", floating: str = "") -> str:
    """A `w:tbl` of fixed columns."""
    all_widths = list(widths)
    grid = "".join(f'<w:gridCol w:w="{w}"/>' for w in all_widths)
    return (
        f'<w:tbl><w:tblPr><w:tblStyle w:val="{style}"/>{floating}<w:tblW w:w="{sum(all_widths)}" w:type="dxa"/><w:jc w:val="center"/>'
        '<w:tblLayout w:type="fixed"/><w:tblLook w:val="0620" w:firstRow="1" w:lastRow="0" w:firstColumn="0" w:lastColumn="0" '
        f'w:noHBand="1" w:noVBand="1"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


# -- the package ----------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Docx:
    """A whole document: the XML between `w:body` and its section, the styles, the footers by type."""

    body: str
    styles: tuple[Style, ...]
    title: str
    footers: dict[str, str] = field(default_factory=dict)
    landscape: bool = False

    def to_bytes(self) -> bytes:
        """The package; members in a fixed order, dated 1980-01-01."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package:
            for name, text in self._parts().items():
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.compress_type = zipfile.ZIP_DEFLATED
                info.create_system = 0
                package.writestr(info, text.encode("utf-8"))
        return buffer.getvalue()

    def _parts(self) -> dict[str, str]:
        parts = {
            "[Content_Types].xml": self._content_types(),
            "_rels/.rels": _relationships([
                ("rId1", "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument", "word/document.xml"),
                ("rId2", "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties", "docProps/core.xml"),
                ("rId3", "http://schemas.openxmlformats.org/officeDocument/2006/relationships/extended-properties", "docProps/app.xml"),
            ]),
            "word/document.xml": self._document(),
            "word/_rels/document.xml.rels": self._document_relationships(),
            "word/styles.xml": styles_part(self.styles),
            "word/settings.xml": settings_part(even_and_odd="even" in self.footers),
            "word/fontTable.xml": font_table_part(),
            "word/theme/theme1.xml": theme_part(),
            "docProps/core.xml": core_part(self.title),
            "docProps/app.xml": APP_PART,
        }  # fmt: skip
        for kind, footer in self.footers.items():
            parts[f"word/footer-{kind}.xml"] = DECLARATION + f'<w:ftr xmlns:w="{W}" xmlns:r="{R}">{footer}</w:ftr>'
        return parts

    def _document(self) -> str:
        return (
            DECLARATION
            + f'<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{self.body}{self._section()}</w:body></w:document>'
        )

    def _section(self) -> str:
        references = "".join(f'<w:footerReference w:type="{kind}" r:id="rIdFooter{kind}"/>' for kind in self.footers)
        return f"<w:sectPr>{references}{page_geometry(landscape=self.landscape)}</w:sectPr>"

    def _document_relationships(self) -> str:
        base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
        rows = [
            ("rIdStyles", base + "styles", "styles.xml"),
            ("rIdSettings", base + "settings", "settings.xml"),
            ("rIdFonts", base + "fontTable", "fontTable.xml"),
            ("rIdTheme", base + "theme", "theme/theme1.xml"),
        ]
        rows += [(f"rIdFooter{kind}", base + "footer", f"footer-{kind}.xml") for kind in self.footers]
        return _relationships(rows)

    def _content_types(self) -> str:
        base = "application/vnd.openxmlformats-officedocument.wordprocessingml."
        overrides = [
            ("/word/document.xml", base + "document.main+xml"),
            ("/word/styles.xml", base + "styles+xml"),
            ("/word/settings.xml", base + "settings+xml"),
            ("/word/fontTable.xml", base + "fontTable+xml"),
            ("/word/theme/theme1.xml", "application/vnd.openxmlformats-officedocument.theme+xml"),
            *((f"/word/footer-{kind}.xml", base + "footer+xml") for kind in self.footers),
            ("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml"),
            ("/docProps/app.xml", "application/vnd.openxmlformats-officedocument.extended-properties+xml"),
        ]
        return (
            DECLARATION + '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            + "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in overrides)
            + "</Types>"
        )


def page_geometry(*, landscape: bool = False) -> str:
    """The page of GB/T 9704-2012 5.2 and 7.5: 22 lines of 28 characters, page number 7 mm below the type area.

    A landscape page (8) is the sheet turned to the right: its upper edge is the sheet's left one, where the binding is.
    """
    width, height, turned = layout.PAPER_WIDTH.twips, layout.PAPER_HEIGHT.twips, ""
    top, right = layout.TOP_MARGIN.twips, layout.RIGHT_MARGIN.twips
    bottom, left = layout.BOTTOM_MARGIN.twips, layout.LEFT_MARGIN.twips
    if landscape:
        width, height, turned = height, width, ' w:orient="landscape"'
        top, right, bottom, left = left, top, right, bottom
    return (
        f'<w:pgSz w:w="{width}" w:h="{height}"{turned}/>'
        f'<w:pgMar w:top="{top}" w:right="{right}" w:bottom="{bottom}" w:left="{left}" '
        f'w:header="851" w:footer="{851 if landscape else FOOTER_DISTANCE}" w:gutter="0"/>'
        f'<w:cols w:space="425"/><w:docGrid w:type="lines" w:linePitch="{LINE}"/>'
    )


# The dash of the page number hangs in a line of exactly 14 pt whose baseline is at 80 % of it; the dash is about 0.30 em above
# the baseline, so the line's lower edge is 7 mm and half an em below the type area. Measured in the tests, not assumed.
PAGE_NUMBER_LINE = 280
_DASH_ABOVE_LINE_BOTTOM = 14 * (0.2 + 0.30)
FOOTER_DISTANCE = round(
    layout.BOTTOM_MARGIN.twips - layout.PAGE_NUMBER_BELOW_TYPE_AREA.twips - _DASH_ABOVE_LINE_BOTTOM * 20
)


def settings_part(*, even_and_odd: bool) -> str:
    return (
        DECLARATION
        + f'<w:settings xmlns:w="{W}"><w:zoom w:percent="100"/><w:defaultTabStop w:val="420"/>'
        + ("<w:evenAndOddHeaders/>" if even_and_odd else "")
        + '<w:characterSpacingControl w:val="doNotCompress"/><w:compat><w:doNotExpandShiftReturn/><w:useFELayout/>'
        '<w:compatSetting w:name="compatibilityMode" w:uri="http://schemas.microsoft.com/office/word" w:val="15"/>'
        '</w:compat><w:themeFontLang w:val="en-US" w:eastAsia="zh-CN"/><w:decimalSymbol w:val="."/><w:listSeparator w:val=","/></w:settings>'
    )


def font_table_part() -> str:
    rows = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/><w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
        for name, other in FONTS_ALTERNATIVE.items()
    )
    return DECLARATION + f'<w:fonts xmlns:w="{W}">{rows}</w:fonts>'


def theme_part() -> str:
    """A theme that nothing refers to: Word wants one in the package, and programs that add a chart take its colours."""
    colours = (("dk1", "000000"), ("lt1", "FFFFFF"), ("dk2", "44546A"), ("lt2", "E7E6E6"), ("accent1", "2E75B6"),
               ("accent2", "548235"), ("accent3", "7F7F7F"), ("accent4", "BF9000"), ("accent5", "C55A11"),
               ("accent6", "1F4E79"), ("hlink", "0563C1"), ("folHlink", "954F72"))  # fmt: skip
    scheme = "".join(f'<a:{name}><a:srgbClr val="{value}"/></a:{name}>' for name, value in colours)
    faces = "".join(
        f'<a:{kind}><a:latin typeface="{layout.FONT_BODY}"/><a:ea typeface="{layout.FONT_BODY}"/><a:cs typeface=""/></a:{kind}>'
        for kind in ("majorFont", "minorFont")
    )
    fill = '<a:solidFill><a:schemeClr val="phClr"/></a:solidFill>'
    lines = "".join(f'<a:ln w="{width}">{fill}<a:prstDash val="solid"/></a:ln>' for width in (6350, 12700, 19050))
    effect = "<a:effectStyle><a:effectLst/></a:effectStyle>"
    return (
        DECLARATION
        + '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" name="gfdocs"><a:themeElements>'
        f'<a:clrScheme name="gfdocs">{scheme}</a:clrScheme><a:fontScheme name="gfdocs">{faces}</a:fontScheme>'
        f'<a:fmtScheme name="gfdocs"><a:fillStyleLst>{fill * 3}</a:fillStyleLst><a:lnStyleLst>{lines}</a:lnStyleLst>'
        f"<a:effectStyleLst>{effect * 3}</a:effectStyleLst><a:bgFillStyleLst>{fill * 3}</a:bgFillStyleLst></a:fmtScheme>"
        "</a:themeElements></a:theme>"
    )


def core_part(title: str) -> str:
    return (
        DECLARATION
        + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><dc:title>{escape(title)}</dc:title><dc:language>zh-CN</dc:language>'
        "</cp:coreProperties>"
    )


APP_PART = (
    DECLARATION + '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">'
    "<Application>gfdocs</Application></Properties>"
)


def _relationships(rows: Iterable[tuple[str, str, str]]) -> str:
    return (
        DECLARATION
        + '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        + "".join(f'<Relationship Id="{id_}" Type="{kind}" Target="{target}"/>' for id_, kind, target in rows)
        + "</Relationships>"
    )
