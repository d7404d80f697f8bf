"""docxtpl's names, for those who come from it: change `from docxtpl import …` to `from gfdocs.docx import …`.

>>> from gfdocs.docx import DocxTemplate, InlineImage, Mm, RichText     # doctest: +SKIP
>>> template = DocxTemplate("contract.docx")                            # doctest: +SKIP
>>> template.render({"name": "示例电子有限公司"})                          # doctest: +SKIP
>>> template.save("out.docx")                                           # doctest: +SKIP

What differs is listed in docs/migration.md: values are always escaped, templates cannot run code, a missing name is an
error unless you say `missing="blank"`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from typing import IO, TYPE_CHECKING, Any, Literal

from gfdocs.engine.template import Document, Template, open_template, read_source, write_file

if TYPE_CHECKING:
    import jinja2

__all__ = [
    "RP",
    "Cm",
    "DocxTemplate",
    "Emu",
    "Inches",
    "InlineImage",
    "Listing",
    "Mm",
    "Pt",
    "R",
    "RichText",
    "RichTextParagraph",
]  # fmt: skip

Source = str | os.PathLike[str] | bytes | IO[bytes]
MissingPolicy = Literal["error", "mark", "blank"]

_EMU = {"Mm": 36_000, "Cm": 360_000, "Inches": 914_400, "Pt": 12_700}


class Emu(int):
    """A length in English Metric Units, 914,400 to the inch."""

    @property
    def mm(self) -> float:
        return self / 36_000

    @property
    def cm(self) -> float:
        return self / 360_000

    @property
    def inches(self) -> float:
        return self / 914_400

    @property
    def pt(self) -> float:
        return self / 12_700


def Mm(length: float) -> Emu:  # noqa: N802 - docxtpl's name
    """Return a length given in millimetres."""
    return Emu(length * _EMU["Mm"])


def Cm(length: float) -> Emu:  # noqa: N802
    """Return a length given in centimetres."""
    return Emu(length * _EMU["Cm"])


def Inches(length: float) -> Emu:  # noqa: N802
    """Return a length given in inches."""
    return Emu(length * _EMU["Inches"])


def Pt(length: float) -> Emu:  # noqa: N802
    """Return a length given in points."""
    return Emu(length * _EMU["Pt"])


# ---------------------------------------------------------------------------------------------------------------------
# Values


_UNDERLINES = ("single", "double", "thick", "dotted", "dash", "dotDash", "dotDotDash", "wave")


class RichText:
    """Formatted text inside a paragraph: `{{r value}}`, or `{{ value }}` in the middle of a text."""

    def __init__(self, text: Any = None, **properties: Any) -> None:
        self.xml = ""
        self.links: dict[str, str] = {}
        self.is_foreign = False
        if text:
            self.add(text, **properties)

    def add(
        self,
        text: Any,
        style: str | None = None,
        color: str | None = None,
        highlight: str | None = None,
        size: int | str | None = None,
        subscript: bool | None = None,
        superscript: bool | None = None,
        bold: bool = False,
        italic: bool = False,
        underline: bool | str = False,
        strike: bool = False,
        font: str | None = None,
        url_id: str | None = None,
        rtl: bool = False,
        lang: str | None = None,
    ) -> None:
        """Append text. size: half-points. color, highlight: RRGGBB. font: `name`, or `eastAsia:name`.

        url_id: what `DocxTemplate.build_url_id` gave. `\\n` is a new line, `\\t` a tab, `\\a` a paragraph, `\\f` a page.
        """
        if hasattr(text, "xml") and not isinstance(text, str):
            self.xml += text.xml
            self.links.update(getattr(text, "links", {}))
            self.is_foreign |= not isinstance(text, RichText) or text.is_foreign
            return
        if isinstance(text, bytes):
            text = text.decode("utf-8", errors="ignore")
        properties = _run_properties(
            style=style, font=font, bold=bold, italic=italic, strike=strike, color=color, size=size,
            underline=underline, highlight=highlight, subscript=subscript, superscript=superscript, rtl=rtl, lang=lang,
        )  # fmt: skip
        xml = f'<w:r>{properties}<w:t xml:space="preserve">{escape(str(text))}</w:t></w:r>'
        if url_id:
            xml = f'<w:hyperlink r:id="{escape(str(url_id))}" w:tgtFrame="_blank">{xml}</w:hyperlink>'
            if isinstance(url_id, LinkId):
                self.links[str(url_id)] = url_id.url
        self.xml += xml

    def __html__(self) -> str:
        return self.xml

    def __str__(self) -> str:
        return self.xml

    def __repr__(self) -> str:
        return f"<RichText: {len(self.xml)} characters of XML>"


def _run_properties(
    *, style: Any, font: Any, bold: Any, italic: Any, strike: Any, color: Any, size: Any, underline: Any,
    highlight: Any, subscript: Any, superscript: Any, rtl: Any, lang: Any,
) -> str:  # fmt: skip
    """Return `w:rPr` with its children in the order of the schema (ECMA-376 part 1, 17.3.2.28), or an empty text."""
    align = "superscript" if superscript else "subscript" if subscript else ""
    line = underline if underline in _UNDERLINES else "single"
    children = (
        f'<w:rStyle w:val="{_attribute(style)}"/>' if style else "",
        _fonts(str(font)) if font else "",
        "<w:b/>" + ("<w:bCs/>" if rtl else "") if bold else "",
        "<w:i/>" + ("<w:iCs/>" if rtl else "") if italic else "",
        "<w:strike/>" if strike else "",
        f'<w:color w:val="{_attribute(color).lstrip("#")}"/>' if color else "",
        f'<w:sz w:val="{_attribute(size)}"/><w:szCs w:val="{_attribute(size)}"/>' if size else "",
        f'<w:u w:val="{line}"/>' if underline else "",
        f'<w:shd w:val="clear" w:color="auto" w:fill="{_attribute(highlight).lstrip("#")}"/>' if highlight else "",
        f'<w:vertAlign w:val="{align}"/>' if align else "",
        '<w:rtl w:val="true"/>' if rtl else "",
        f'<w:lang w:val="{_attribute(lang)}"/>' if lang else "",
    )
    inner = "".join(children)
    return f"<w:rPr>{inner}</w:rPr>" if inner else ""


def _attribute(value: Any) -> str:
    return escape(str(value), quote=True)


def _fonts(font: str) -> str:
    """Return the fonts of a run: one for all signs but the East-Asian, or `eastAsia:name` for those too."""
    region, _, name = font.rpartition(":")
    fonts = dict.fromkeys(("ascii", "eastAsia", "hAnsi", "cs"), _attribute(name))
    if region != "eastAsia":
        del fonts["eastAsia"]
    hint = ' w:hint="eastAsia"' if region == "eastAsia" else ""
    attributes = "".join(f' w:{key}="{value}"' for key, value in fonts.items())
    return f"<w:rFonts{hint}{attributes}/>"


class RichTextParagraph:
    """Paragraphs of formatted text: `{{p value}}`."""

    def __init__(self, text: Any = None, **properties: Any) -> None:
        self.xml = ""
        self.links: dict[str, str] = {}
        if text:
            self.add(text, **properties)

    def add(self, text: Any, parastyle: str | None = None) -> None:
        """Append one paragraph of text or RichText, in the style of this id."""
        rich = text if hasattr(text, "xml") and not isinstance(text, str) else RichText(text)
        properties = f'<w:pPr><w:pStyle w:val="{_attribute(parastyle)}"/></w:pPr>' if parastyle else ""
        self.xml += f"<w:p>{properties}{rich.xml}</w:p>"
        self.links.update(getattr(rich, "links", {}))

    def __html__(self) -> str:
        return self.xml

    def __str__(self) -> str:
        return self.xml


class Listing:
    """Plain text in the formatting of its tag: `\\n` is a new line, `\\t` a tab, `\\a` a paragraph, `\\f` a page."""

    def __init__(self, text: Any) -> None:
        self.text = str(text)

    def __html__(self) -> str:
        return escape(self.text)

    def __str__(self) -> str:
        return self.text


class InlineImage:
    """A picture in a line of text: `{{ value }}`. One of width and height keeps the proportions; see `Mm`.

    tpl: taken for docxtpl's sake, and not used. image_descriptor: a path, bytes, or an open file. anchor: a URL that
    the picture links to. description: the text read to those who cannot see it.
    """

    def __init__(
        self,
        tpl: Any,
        image_descriptor: Any,
        width: int | None = None,
        height: int | None = None,
        anchor: str | None = None,
        description: str | None = None,
    ) -> None:
        self.tpl, self.image_descriptor = tpl, image_descriptor
        self.width, self.height, self.anchor, self.description = width, height, anchor, description

    def __html__(self) -> str:
        raise TypeError("a picture can only be printed by a template: {{ value }}")


class LinkId(str):
    """The id of a hyperlink, which knows where it leads."""

    __slots__ = ("url",)
    url: str


R = RichText
RP = RichTextParagraph


def __getattr__(name: str) -> Any:
    if name == "Subdoc":
        from docxtpl.subdoc import Subdoc

        return Subdoc
    raise AttributeError(f"module 'gfdocs.docx' has no attribute {name!r}")


# ---------------------------------------------------------------------------------------------------------------------
# The template


class DocxTemplate:
    """docxtpl's DocxTemplate over a compiled template: `render`, then `save`; may be rendered again and again.

    missing: what a name that the data does not have does: `error`, `mark` or `blank` (docxtpl's way).
    trusted: lifts sandbox and budget. breaks: `\\a` and `\\f` in any text of the data begin a paragraph and a page (docxtpl's
    way); else they are refused, and only a Listing or RichText may have them.
    """

    def __init__(
        self,
        template_file: Source,
        *,
        missing: MissingPolicy = "error",
        trusted: bool = False,
        breaks: bool = False,
    ) -> None:
        self.template_file = template_file
        self.allow_missing_pics = False
        self.is_rendered = False
        self.is_saved = False
        self._missing: MissingPolicy = missing
        self._trusted = trusted
        self._breaks = breaks
        self._compiled: dict[Any, Template] = {}
        self._document: Document | None = None
        self._inner: Any = None
        self._live: Any = None
        self._links: dict[str, LinkId] = {}
        self.reset_replacements()

    # Rendering -------------------------------------------------------------------------------------------------------

    def _read(self) -> bytes:
        source = self.template_file
        if not isinstance(source, bytes | str | os.PathLike):
            source.seek(0)
        return _read_file(source)

    def _name(self) -> str:
        source = self.template_file
        return os.path.basename(os.fspath(source)) if isinstance(source, str | os.PathLike) else "template.docx"

    def template(self, jinja_env: jinja2.Environment | None = None) -> Template:
        """Return the compiled template: made once for each environment."""
        key = None if jinja_env is None else id(jinja_env)
        if self._inner is not None:
            # Sub-documents brought parts of their own: what is compiled is the document that has them.
            return self._open(_save_inner(self._inner), jinja_env)
        if key not in self._compiled:
            data = _save_inner(self._live) if self._live is not None and not self.is_rendered else self._read()
            self._compiled[key] = self._open(data, jinja_env)
        return self._compiled[key]

    def _open(self, data: bytes, jinja_env: jinja2.Environment | None) -> Template:
        return open_template(data, kind="docx", name=self._name(), environment=jinja_env, trusted=self._trusted)

    def render(
        self,
        context: Mapping[str, Any],
        jinja_env: jinja2.Environment | None = None,
        autoescape: bool = True,
        *,
        missing: MissingPolicy | None = None,
    ) -> None:
        """Fill the template. `autoescape` is taken for docxtpl's sake: escaping is always on."""
        from contextvars import copy_context

        template = self.template(jinja_env)
        self._document = copy_context().run(self._render_aside, template, context, missing or self._missing)
        self._live = None
        self.is_rendered, self.is_saved = True, False

    def _render_aside(self, template: Template, context: Mapping[str, Any], missing: MissingPolicy) -> Document:
        """Render in a context of its own, which knows this document's links and how its texts break."""
        from gfdocs.engine.docx.values import BREAKS, LINKS

        LINKS.set({str(found): url for url, found in self._links.items()})
        BREAKS.set(self._breaks)
        return template.render(context, missing=missing)

    def save(self, filename: str | os.PathLike[str] | IO[bytes], *args: Any, **kwargs: Any) -> None:
        """Write the filled document, with the pictures and files that were to be replaced."""
        data = self.to_bytes()
        if hasattr(filename, "write"):
            filename.write(data)
        else:
            write_file(filename, data)
        self.is_saved = True

    def to_bytes(self) -> bytes:
        """Return the filled document (the template itself where it was not rendered)."""
        if self._live is not None:
            data = _save_inner(self._live)
        else:
            data = self._document.to_bytes() if self._document is not None else self._read()
        return self._replacements.apply(data, self._name(), allow_missing=self.allow_missing_pics)

    # The python-docx document ----------------------------------------------------------------------------------------

    @property
    def docx(self) -> Any:
        """The document as python-docx sees it: the filled one after `render`, the template before. Changes are kept."""
        if self._live is None:
            import io

            import docx

            data = self._document.to_bytes() if self._document is not None else self._read()
            self._live = docx.Document(io.BytesIO(data))
            self._compiled.clear()
        return self._live

    def get_docx(self) -> Any:
        """Return the document as python-docx sees it."""
        return self.docx

    def init_docx(self, reload: bool = True) -> None:
        """Forget what was rendered."""
        if self.is_rendered and reload:
            self._document, self._live, self.is_rendered = None, None, False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.docx, name)

    # Links, sub-documents, names -------------------------------------------------------------------------------------

    def build_url_id(self, url: str) -> str:
        """Return the id by which a RichText links to `url`: `rt.add("text", url_id=tpl.build_url_id(url))`."""
        found = self._links.get(url)
        if found is None:
            found = LinkId(f"rIdGfLink{len(self._links) + 1}")
            found.url = url
            self._links[url] = found
        return found

    def new_subdoc(self, docpath: str | os.PathLike[str] | IO[bytes] | None = None) -> Any:
        """Return a sub-document, empty or read from a file, to be put in by `{{p value}}` (needs docxcompose)."""
        import io

        from docxtpl import DocxTemplate as Original

        if self._inner is None:
            self._inner = Original(io.BytesIO(self._read()))
        return self._inner.new_subdoc(docpath)

    def get_undeclared_template_variables(
        self, jinja_env: jinja2.Environment | None = None, context: Mapping[str, Any] | None = None
    ) -> set[str]:
        """Return the top names that the template needs (and that `context` does not have). See `Template.names`."""
        roots = {name.partition(".")[0].partition("[")[0] for name in self.template(jinja_env).names}
        return roots - set(context or ())

    # Replacing -------------------------------------------------------------------------------------------------------

    def reset_replacements(self) -> None:
        """Forget all pictures and files that were to be replaced."""
        from gfdocs.engine.docx.replace import Replacements

        self._replacements = Replacements()

    def replace_pic(self, embedded_file: str, dst_file: Source) -> None:
        """Replace the picture of this name, title or description by another file of the same format."""
        self._replacements.pictures[embedded_file] = _read_file(dst_file)

    def replace_media(self, src_file: Source, dst_file: Source) -> None:
        """Replace the media whose content is that of `src_file`."""
        self._replacements.add_media(_read_file(src_file), _read_file(dst_file))

    def replace_embedded(self, src_file: Source, dst_file: Source) -> None:
        """Replace the embedded file whose content is that of `src_file`."""
        self._replacements.add_embedded(_read_file(src_file), _read_file(dst_file))

    def replace_zipname(self, zipname: str, dst_file: Source) -> None:
        """Replace the member of this name in the file."""
        self._replacements.members[zipname] = _read_file(dst_file)


def _save_inner(document: Any) -> bytes:
    import io

    buffer = io.BytesIO()
    (document.docx if hasattr(document, "template_file") else document).save(buffer)
    return buffer.getvalue()


def _read_file(source: Source) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str | os.PathLike):
        return read_source(source, None)[0]
    return source.read()
