"""How a value is printed into Word XML, by where its tag stands.

A text inside `w:t` is escaped; its line breaks become `w:br`, its tabs `w:tab`. What brings its own XML (RichText,
Listing, pictures, sub-documents) closes the run it stands in and opens it again with the same properties. In an
attribute or in the code of a field only text may stand.

docxtpl's own objects are taken as well as ours: they are known by what they have, not by their class.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from xml.parsers.expat import ExpatError, ParserCreate

from gfdocs.engine.bounds import LONG
from gfdocs.engine.docx.prepare import Spot
from gfdocs.engine.language import Mark, Unfit, check_characters, escape_xml
from gfdocs.engine.language.characters import clip
from gfdocs.engine.reaching import is_web_link
from gfdocs.engine.written import Written
from gfdocs.errors import Text

if TYPE_CHECKING:
    from gfdocs.engine.docx.pictures import PartPictures

BREAK = '</w:t><w:br/><w:t xml:space="preserve">'
TAB = '</w:t><w:tab/><w:t xml:space="preserve">'
TEXT = '<w:t xml:space="preserve">'
PAGE_BREAK = '<w:r><w:br w:type="page"/></w:r>'

# Signs that Latin and Chinese share: Word sets them in the Latin font unless the run says otherwise.
_AMBIGUOUS = re.compile("[“”‘’…—·]")
_CJK = re.compile("[\u3400-\u9fff\uf900-\ufaff\u3000-\u303f\uff00-\uffef]")


@dataclass(slots=True)
class State:
    """What one render of one part gathers: pictures and links to relate, and which repairs its values call for."""

    pictures: PartPictures | None = None
    fixes: set[str] = field(default_factory=set)
    links: dict[str, str] = field(default_factory=dict)


STATE: ContextVar[State] = ContextVar("gfdocs_docx_state")

# Whether \a and \f in a plain text begin a paragraph and a page, as docxtpl has it: a migrant may ask for that.
BREAKS: ContextVar[bool] = ContextVar("gfdocs_docx_breaks", default=False)

# Links that a migrant's DocxTemplate has promised ids for, by id.
LINKS: ContextVar[dict[str, str]] = ContextVar("gfdocs_docx_links", default={})  # noqa: B039 - never written to


class PageBreak:
    """`{{ page_break }}`: begins a new page where it stands."""

    def __html__(self) -> str:
        return PAGE_BREAK

    def __repr__(self) -> str:
        return "page_break"


PAGE = PageBreak()


def _class_name(value: Any) -> str:
    return next((c.__name__ for c in type(value).__mro__ if c.__name__ in _MARKUP), "")


_MARKUP = ("RichText", "RichTextParagraph", "Listing", "InlineImage", "Subdoc", "PageBreak")


def escape_lines(text: str) -> str:
    """Return the text as the inside of `w:t`: escaped, line breaks as `w:br`, tabs as `w:tab`."""
    if text.isprintable():
        return _markup(text)
    return _lines(_markup(check_characters(text)))


def _markup(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _lines(text: str) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", BREAK).replace("\t", TAB)


# ---------------------------------------------------------------------------------------------------------------------
# Runs


def _run(spot: Spot, inner: str, properties: str | None = None) -> str:
    return f"<w:r>{spot.run_properties if properties is None else properties}{inner}</w:r>"


def _reopen(spot: Spot, xml: str) -> str:
    """Return runs that stand where a text stood: the text's run is closed before them and opened again after."""
    return f"</w:t></w:r>{xml}<w:r>{spot.run_properties}{TEXT}"


_RFONTS = re.compile(r"<w:rFonts\b[^>]*?(/?)>")
_ORDER_BEFORE_HIGHLIGHT = re.compile(
    r"<w:(?:u|effect|bdr|shd|fitText|vertAlign|rtl|cs|em|lang|eastAsianLayout|specVanish|oMath|rPrChange)\b"
)


def add_hint(properties: str) -> str:
    """Return run properties with the East-Asian hint, so that `“”‘’…—` are set in the Chinese font."""
    if not properties:
        return '<w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr>'
    found = _RFONTS.search(properties)
    if found is None:
        style = re.search(r"<w:rStyle\b[^>]*/>", properties)
        at = style.end() if style else properties.index(">") + 1
        if properties.startswith("<w:rPr/>"):
            return '<w:rPr><w:rFonts w:hint="eastAsia"/></w:rPr>'
        return f'{properties[:at]}<w:rFonts w:hint="eastAsia"/>{properties[at:]}'
    if "w:hint=" in found.group():
        return properties
    return properties.replace("<w:rFonts", '<w:rFonts w:hint="eastAsia"', 1)


def add_highlight(properties: str) -> str:
    """Return run properties with a yellow highlight, where the schema wants it."""
    highlight = '<w:highlight w:val="yellow"/>'
    if not properties or properties.startswith("<w:rPr/>"):
        return f"<w:rPr>{highlight}</w:rPr>"
    properties = re.sub(r"<w:highlight\b[^>]*/>", "", properties)
    later = _ORDER_BEFORE_HIGHLIGHT.search(properties)
    at = later.start() if later else properties.rindex("</w:rPr>")
    return properties[:at] + highlight + properties[at:]


# ---------------------------------------------------------------------------------------------------------------------
# Objects


def _listing_text(value: Any) -> str:
    """Return the plain text of a Listing: ours keeps it, docxtpl's keeps it escaped."""
    text = getattr(value, "text", None)
    return text if isinstance(text, str) else unescape(str(value.xml))


def _check_breaks(spot: Spot, text: str) -> bool:
    """True where the text begins new paragraphs; Unfit where the spot is in something that no paragraph may break."""
    if "\a" not in text and "\f" not in text:
        return False
    inside = spot.stack[len(spot.stack) - spot.stack[::-1].index("w:p") :] if "w:p" in spot.stack else ()
    wrapper = next((name for name in inside if name not in ("w:r", "w:t")), None)
    if wrapper and spot.outlet != "block":
        raise Unfit(f"no new paragraph can begin inside {wrapper}", f"{wrapper} 之内不能另起段落")
    return True


def _listing(spot: Spot, value: Any) -> str:
    """Return a Listing as the inside of `w:t`: \\n a line, \\t a tab, \\a a paragraph, \\f a page."""
    return _break_text(spot, _listing_text(value))


def _break_text(spot: Spot, text: str) -> str:
    """Return a text as the inside of `w:t`, \\a and \\f in it as new paragraphs that look like the one around it."""
    _check_breaks(spot, text)
    pieces = re.split("([\a\f])", text)
    paragraph = f"</w:t></w:r></w:p><w:p>{spot.paragraph_properties}<w:r>{spot.run_properties}{TEXT}"
    page = f"</w:t></w:r></w:p><w:p>{PAGE_BREAK}</w:p><w:p>{spot.paragraph_properties}<w:r>{spot.run_properties}{TEXT}"
    return "".join({"\a": paragraph, "\f": page}.get(piece) or escape_lines(piece) for piece in pieces)


_RICH_TEXT = re.compile(r"(<w:r>(?:<w:rPr>.*?</w:rPr>)?)<w:t(?: [^>]*)?>([^<]*)</w:t></w:r>", re.DOTALL)


def rich_xml(spot: Spot, value: Any) -> str:
    """Return the runs of a RichText: line breaks and tabs in its texts made real, \\a and \\f new paragraphs."""
    xml = str(value.xml if hasattr(value, "xml") else value.__html__())
    plain = check_characters(xml.replace("\a", "").replace("\f", ""))
    _relate_links(value)
    # What is put together elsewhere may be put together badly; a paragraph may end inside a link.
    is_foreign = type(value).__module__ != "gfdocs.docx" or getattr(value, "is_foreign", False)
    if is_foreign:
        _check_whole(spot, plain)
    if _check_breaks(spot, xml) or is_foreign:
        STATE.get().fixes.add("check")
    return _break_runs(xml, spot.paragraph_properties)


def _break_runs(xml: str, paragraph_properties: str) -> str:
    """Return runs with the signs in their texts made real; a new paragraph takes the properties given."""
    if not any(char in xml for char in "\n\t\a\f\r"):
        return xml

    def resolve(found: re.Match[str]) -> str:
        start, text = found[1], _lines(found[2])
        again = f"</w:t></w:r></w:p><w:p>{paragraph_properties}{start}{TEXT}"
        page = f"</w:t></w:r></w:p><w:p>{PAGE_BREAK}</w:p><w:p>{paragraph_properties}{start}{TEXT}"
        return f"{start}{TEXT}{text.replace(chr(7), again).replace(chr(12), page)}</w:t></w:r>"

    return _RICH_TEXT.sub(resolve, xml)


def _relate_links(value: Any) -> None:
    links = getattr(value, "links", None)
    if links:
        STATE.get().links.update(links)
    promised = LINKS.get()
    if promised:
        xml = str(getattr(value, "xml", ""))
        STATE.get().links.update({rid: url for rid, url in promised.items() if f'"{rid}"' in xml})


def _picture(value: Any) -> str:
    state = STATE.get()
    if state.pictures is None:
        raise Unfit("a picture cannot stand in this part", "此部件不能插入图片")
    state.fixes.add("drawings")
    return state.pictures.add(value)


def _object_runs(spot: Spot, value: Any, name: str) -> str:
    """Return an object as runs of a paragraph."""
    if name in ("RichText", "PageBreak"):
        return rich_xml(spot, value)
    if name == "InlineImage":
        return _run(spot, f"<w:drawing>{_picture(value)}</w:drawing>")
    if name == "Listing":
        return _run(spot, f"{TEXT}{_listing(spot, value)}</w:t>")
    if name in ("Subdoc", "RichTextParagraph"):
        raise Unfit(f"a {name} needs a paragraph of its own: write {{{{p …}}}}", f"{name} 须独占一段：请写 {{{{p …}}}}")
    STATE.get().fixes.add("check")
    markup = _read_markup(spot, value)
    names = _outer_names(markup)
    if names is None:
        return markup if markup.lstrip().startswith("<") else _run(spot, f"{TEXT}{markup}</w:t>")
    if names & _BLOCK_LEVEL:
        raise Unfit(
            "it holds paragraphs and needs one of its own: write {{p …}}", "其中含段落，须独占一段：请写 {{p …}}"
        )
    return _put_in_runs(spot, markup)


def _read_markup(spot: Spot, value: Any) -> str:
    """Return the XML that an object brings; Unfit where it would leave an element open, or close another."""
    markup = check_characters(str(value.__html__()))
    if value.__class__ is not Written:
        _check_whole(spot, markup)
    return markup


def _check_whole(spot: Spot, markup: str) -> None:
    """Unfit where the markup does not fit in here: it may close the run that it stands in, if it opens another."""
    if "<" not in markup and "&" not in markup:
        return
    around = [f"<{name}>" for name in spot.stack] + [markup] + [f"</{name}>" for name in reversed(spot.stack)]
    try:
        ParserCreate().Parse(f"<w:x>{''.join(around)}</w:x>", True)
    except ExpatError as fault:
        raise Unfit(f"it brings broken XML: {clip(markup)}", f"取值带有错误的 XML：{clip(markup)}") from fault
    html = next((found[0] for found in _ELEMENT.finditer(markup) if ":" not in found["name"]), "")
    if html:
        raise Unfit(
            f"it brings markup that is not Word's: {clip(html)}",
            f"取值带有 Word 不识别的标记：{clip(html)}",
            Text("give a text, or RichText for its formatting", "请改为纯文本，需要格式时用 RichText"),
        )


# ---------------------------------------------------------------------------------------------------------------------
# Outlets: each prints a value at one spot


Writer = Callable[[Any], str]


def _is_plain(value: Any) -> bool:
    return not hasattr(value, "__html__")


# What needs a second look in a text: markup, control characters, line separators, bidi signs, and the ambiguous signs.
_SPECIAL = re.compile('[&<>"\x00-\x1f\u00b7\u2010-\u206f\ud800-\udfff\ufffe\uffff]').search


def _make_text(spot: Spot) -> Writer:
    """Inside `w:t`."""
    hinted = _reopen_around(spot, add_hint(spot.run_properties) if spot.is_sure else spot.run_properties)

    def write(value: Any) -> str:
        if type(value) is str:  # a proxy may say that it is one
            if value.isalnum() or not _SPECIAL(value):
                return value
            if ("\a" in value or "\f" in value) and BREAKS.get():
                return _break_text(spot, value)
            if _AMBIGUOUS.search(value) and _CJK.search(value):
                return hinted(escape_lines(value))
            return escape_lines(value)
        if value is None:
            return ""
        if isinstance(value, Mark):
            return _mark(spot, value)
        if _is_plain(value):
            return escape_lines(str(value))
        name = _class_name(value)
        if name == "Listing":
            return _listing(spot, value)
        if not name:
            return _foreign(spot, value)
        return _reopen(spot, _object_runs(spot, value, name))

    return write


def make_raw(spot: Spot, printable: Callable[[Any], Any]) -> Callable[[Any], bytes]:
    """Return what prints a value at this spot as UTF-8: most values need nothing but encoding.

    printable: looks at a value that is neither short nor plain, before it is printed.
    """
    write = make_writer(spot)
    if spot.outlet != "text":
        return lambda value: write(printable(value)).encode()

    def write_raw(value: Any) -> bytes:
        if type(value) is str:
            if len(value) < LONG and (value.isalnum() or not _SPECIAL(value)):
                return value.encode()
        elif type(value) is int:
            return b"%d" % value
        return write(printable(value)).encode()

    return write_raw


def _foreign(spot: Spot, value: Any) -> str:
    """Return the markup of an object that is none of ours: what a macro gives, or a `Markup` of the caller's."""
    markup = _read_markup(spot, value)
    if "<" not in markup:
        if "&" in markup:
            STATE.get().fixes.add("check")
        return _lines(markup)
    STATE.get().fixes.add("check")
    names = _outer_names(markup)
    if names is None or not names & (_RUN_LEVEL | _BLOCK_LEVEL):
        return markup
    if names & _BLOCK_LEVEL:
        raise Unfit(
            "it holds paragraphs and needs one of its own: write {{p …}}", "其中含段落，须独占一段：请写 {{p …}}"
        )
    return _reopen(spot, _put_in_runs(spot, markup))


_RUN_LEVEL = frozenset(("w:r", "w:hyperlink", "w:ins", "w:sdt", "w:smartTag", "w:fldSimple"))
_BLOCK_LEVEL = frozenset(("w:p", "w:tbl", "w:tr", "w:tc"))
_ELEMENT = re.compile(r"<(?P<close>/)?(?P<name>[\w:.\-]+)[^<>]*?(?P<empty>/)?>")


def _outer_pieces(markup: str) -> Iterator[tuple[str, str]]:
    """Yield (name, XML) of the outermost elements and of the texts between them, whose name is empty.

    ValueError where an element is closed that was opened before this markup: it ends one text and begins another.
    """
    depth = start = at = 0
    name = ""
    for found in _ELEMENT.finditer(markup):
        if not depth and not found["close"]:
            if found.start() > at:
                yield "", markup[at : found.start()]
            start, name = found.start(), found["name"]
        depth += 0 if found["empty"] else -1 if found["close"] else 1
        if depth < 0:
            raise ValueError(found.group())
        if not depth:
            yield name, markup[start : found.end()]
            at = found.end()
    if depth:
        raise ValueError(name)
    if at < len(markup):
        yield "", markup[at:]


def _outer_names(markup: str) -> set[str] | None:
    """Return the names of the outermost elements, or None where they are not whole."""
    try:
        return {name for name, _ in _outer_pieces(markup)}
    except ValueError:
        return None


def _put_in_runs(spot: Spot, markup: str) -> str:
    """Return runs, with the texts that stand beside them in runs of their own."""
    return "".join(xml if name else _run(spot, f"{TEXT}{_lines(xml)}</w:t>") for name, xml in _outer_pieces(markup))


def _reopen_around(spot: Spot, properties: str) -> Callable[[str], str]:
    if properties == spot.run_properties:
        return lambda inner: inner
    before = f"</w:t></w:r><w:r>{properties}{TEXT}"
    after = f"</w:t></w:r><w:r>{spot.run_properties}{TEXT}"
    return lambda inner: f"{before}{inner}{after}"


def _mark(spot: Spot, value: Mark) -> str:
    inner = f"{TEXT}{escape_xml(str(value))}</w:t>"
    return _reopen(spot, _run(spot, inner, add_highlight(spot.run_properties)))


def _make_run(spot: Spot) -> Writer:
    """Between the runs of a paragraph (`{{r …}}`)."""

    def write(value: Any) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, Mark):
            return _run(spot, f"{TEXT}{escape_xml(str(value))}</w:t>", add_highlight(""))
        if _is_plain(value):
            text = escape_lines(str(value))
            return _run(spot, f"{TEXT}{text}</w:t>") if text else ""
        return _object_runs(spot, value, _class_name(value))

    return write


def _make_block(spot: Spot) -> Writer:
    """Between paragraphs (`{{p …}}`)."""

    def paragraph(inner: str) -> str:
        return f"<w:p>{spot.paragraph_properties}{inner}</w:p>"

    def write(value: Any) -> str:
        if value is None or value == "":
            return ""
        if isinstance(value, Mark):
            return paragraph(_run(spot, f"{TEXT}{escape_xml(str(value))}</w:t>", add_highlight("")))
        if _is_plain(value):
            text = escape_lines(str(value))
            return paragraph(_run(spot, f"{TEXT}{text}</w:t>")) if text else ""
        name = _class_name(value)
        if name in ("Subdoc", "RichTextParagraph"):
            STATE.get().fixes.add("check")
            return check_characters(_paragraphs(value))
        if not name:
            STATE.get().fixes.add("check")
            markup = _read_markup(spot, value)
            names = _outer_names(markup)
            is_block = names is None or bool(names & _BLOCK_LEVEL)
            return markup if is_block else paragraph(_object_runs(spot, value, name))
        return paragraph(_object_runs(spot, value, name))

    return write


_PARAGRAPH_START = re.compile(r"<w:p(?: [^>]*)?>(<w:pPr>.*?</w:pPr>)?", re.DOTALL)


def _paragraphs(value: Any) -> str:
    """Return the paragraphs of a value; \\a and \\f in a text begin another one with the properties of its own."""
    xml = str(value.__html__())
    _relate_links(value)
    out, at, properties = [], 0, ""
    for found in _PARAGRAPH_START.finditer(xml):
        out.append(_break_runs(xml[at : found.start()], properties))
        at, properties = found.start(), found[1] or ""
    out.append(_break_runs(xml[at:], properties))
    return "".join(out)


def _make_attribute(spot: Spot) -> Writer:
    """Inside an attribute: text only."""

    def write(value: Any) -> str:
        if value is None:
            return ""
        if not _is_plain(value) and _class_name(value):
            raise Unfit("only text can stand in an attribute", "属性中只能是文本")
        # A parser makes a blank of a line break in an attribute, unless it is written as a reference.
        return escape_xml(_plain_text(value)).replace("\n", "&#10;").replace("\t", "&#9;")

    return write


# As many columns as a table of Word can have.
_MAX_COLUMNS = 63


def _make_span(spot: Spot) -> Writer:
    """Where a cell is told how many columns it spans: a whole number, 1 where there is none."""

    def write(value: Any) -> str:
        text = "" if isinstance(value, Mark) else _attribute_text(value)
        try:
            columns = max(1, int(float(text))) if text else 1
        except (ValueError, OverflowError):
            columns = 0
        if not 0 < columns <= _MAX_COLUMNS:
            raise Unfit(
                f"a cell spans 1 to {_MAX_COLUMNS} columns, not {clip(text)!r}",
                f"单元格可跨 1 至 {_MAX_COLUMNS} 列，而非 {clip(text)!r}",
            )
        return str(columns)

    return write


_COLOUR = re.compile("#?([0-9A-Fa-f]{6})|auto")


def _make_colour(spot: Spot) -> Writer:
    """Where a cell is told its background: RRGGBB, `auto` where there is none."""

    def write(value: Any) -> str:
        text = "" if isinstance(value, Mark) else _attribute_text(value)
        found = _COLOUR.fullmatch(text or "auto")
        if found is None:
            raise Unfit(
                f"{clip(text)!r} is no colour that Word knows",
                f"{clip(text)!r} 不是 Word 支持的颜色",
                Text('write it RRGGBB: "FF0000" is red', "请写成 RRGGBB，如红色为“FF0000”"),
            )
        return found[1] or "auto"

    return write


def _attribute_text(value: Any) -> str:
    return "" if value is None else _plain_text(value).strip()


def _make_address(spot: Spot) -> Writer:
    """Inside the address of a hyperlink: text, with what no address may have written as `%20` and its like."""

    def write(value: Any) -> str:
        text = "" if value is None else check_characters(_plain_text(value))
        return escape_xml(quote(text.strip(), safe="!#$%&'()*+,-./:;=?@[]_~"))

    return write


def _plain_text(value: Any) -> str:
    return str(value) if _is_plain(value) else unescape(str(value.__html__()))


def _make_field(spot: Spot) -> Writer:
    """Inside the code of a field: text that cannot end its argument or begin a switch."""

    def write(value: Any) -> str:
        if value is None:
            return ""
        text = _plain_text(value)
        if any(char in text for char in '"\\{}\x13\x14\x15'):
            raise Unfit('a value in the code of a field cannot have " \\ { or }', '域代码中的取值不能含有 " \\ { }')
        return escape_xml(text)

    return write


def _make_link(spot: Spot) -> Writer:
    """Where the code of a field has the address of a hyperlink."""
    write_code = _make_field(spot)

    def write(value: Any) -> str:
        if value is not None and not is_web_link(_plain_text(value)):
            raise Unfit("the hyperlink opens a file or program", "超链接会打开文件或程序")
        return write_code(value)

    return write


def _make_plain(spot: Spot) -> Writer:
    """Inside any other text: of a drawing, a formula, a property."""

    def write(value: Any) -> str:
        if value is None:
            return ""
        if _class_name(value) not in ("", "Listing"):
            raise Unfit("only text can stand here", "此处只能是文本")
        return escape_xml(_listing_text(value) if _class_name(value) == "Listing" else _plain_text(value))

    return write


def _make_other(spot: Spot) -> Writer:
    """Between rows, cells or the parts of a run: only what brings its own XML."""

    def write(value: Any) -> str:
        if value is None or value == "":
            return ""
        if _is_plain(value):
            raise Unfit("text cannot stand between rows or cells", "行或单元格之间不能是文本")
        STATE.get().fixes.add("check")
        return _read_markup(spot, value)

    return write


_MAKERS: dict[str, Callable[[Spot], Writer]] = {
    "text": _make_text,
    "run": _make_run,
    "block": _make_block,
    "attribute": _make_attribute,
    "span": _make_span,
    "colour": _make_colour,
    "address": _make_address,
    "field": _make_field,
    "link": _make_link,
    "plain": _make_plain,
    "other": _make_other,
}


def make_writer(spot: Spot) -> Writer:
    """Return what prints a value at this spot."""
    return _MAKERS[spot.outlet](spot)
