"""Documents as other programs write them, made here: every element that text can stand in, with a tag in each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import docx

NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:v="urn:schemas-microsoft-com:vml"'
)
FIELD = (
    '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText xml:space="preserve"> {code} </w:instrText></w:r>'
    '<w:r><w:fldChar w:fldCharType="separate"/></w:r>{result}<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)


def run(text: str, bold: bool = False) -> str:
    properties = "<w:rPr><w:b/></w:rPr>" if bold else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*runs: str) -> str:
    """Return w:p; what does not begin with `<` becomes a run of its own."""
    return "<w:p>" + "".join(item if item.startswith("<") else run(item) for item in runs) + "</w:p>"


def table(*rows: Sequence[str]) -> str:
    """Return w:tbl; a cell that does not begin with `<` is one paragraph."""

    def cell(content: str) -> str:
        inner = content if content.startswith("<") else paragraph(content)
        return f'<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/></w:tcPr>{inner}</w:tc>'

    grid = '<w:gridCol w:w="2000"/>' * max(len(row) for row in rows)
    body = "".join("<w:tr>" + "".join(map(cell, row)) + "</w:tr>" for row in rows)
    return f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{body}</w:tbl>'


def textbox(content: str) -> str:
    shape = f'<v:shape style="width:100pt;height:50pt"><v:textbox><w:txbxContent>{content}</w:txbxContent></v:textbox></v:shape>'
    return f"<w:p><w:r><w:pict>{shape}</w:pict></w:r></w:p>"


def control(content: str) -> str:
    return f"<w:sdt><w:sdtPr/><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def field(code: str, result: str) -> str:
    return FIELD.format(code=code, result=result)


def document(body: str) -> bytes:
    """Return a .docx whose body is this XML."""
    stream = io.BytesIO()
    docx.Document().save(stream)
    xml = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<w:document {NAMESPACES}><w:body>{body}<w:sectPr/></w:body></w:document>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(stream) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, xml.encode() if name == "word/document.xml" else source.read(name))
    return out.getvalue()


def read_words(data: bytes) -> str:
    """Return the text of the body: ¶ for a paragraph, ▤ for a row, ▦ for a table, ⇥ and ↵ for tab and line break."""
    from lxml import etree

    word = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
    signs = {"p": "¶", "tr": "▤", "tbl": "▦", "br": "↵"}
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        root = etree.fromstring(package.read("word/document.xml"))
    words = []
    for node in root.iter(f"{word}*"):
        local = etree.QName(node).localname
        if local == "t":
            words.append(node.text or "")
        elif local == "tab" and node.getparent().tag == f"{word}r":
            words.append("⇥")
        else:
            words.append(signs.get(local, ""))
    return "".join(words)
