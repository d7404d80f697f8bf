"""Small Word documents for tests, written part by part, so that a test shows the XML it is about."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
NAMESPACES = (
    f'{W} xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
    ' xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    ' xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    ' xmlns:v="urn:schemas-microsoft-com:vml" xmlns:w14="http://schemas.microsoft.com/office/word/2010/wordml"'
    ' mc:Ignorable="w14"'
)
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml."
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)
_ROOTS = {
    "header": "w:hdr", "footer": "w:ftr", "footnotes": "w:footnotes", "endnotes": "w:endnotes", "comments": "w:comments",
}  # fmt: skip


def run(text: str, properties: str = "") -> str:
    return f'<w:r>{properties}<w:t xml:space="preserve">{text}</w:t></w:r>'


def p(*texts: str, style: str = "") -> str:
    """A paragraph; each text is a run, each beginning with `<` is XML as it is."""
    inner = "".join(text if text.startswith("<w:") else run(text) for text in texts)
    return f"<w:p>{style}{inner}</w:p>"


def tc(*texts: str, properties: str = "") -> str:
    inner = "".join(text if text.startswith("<w:") else p(text) for text in texts)
    return f'<w:tc><w:tcPr><w:tcW w:w="2000" w:type="dxa"/>{properties}</w:tcPr>{inner}</w:tc>'


def tr(*cells: str) -> str:
    return "<w:tr>" + "".join(cell if cell.startswith("<w:tc") else tc(cell) for cell in cells) + "</w:tr>"


def tbl(*rows: str, columns: int = 3) -> str:
    grid = '<w:gridCol w:w="2000"/>' * columns
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="0" w:type="auto"/></w:tblPr><w:tblGrid>{grid}</w:tblGrid>{"".join(rows)}</w:tbl>'
    )


def docx(
    *body: str, core: str = "", media: bool = False, extra: Mapping[str, str] | None = None, **parts: str
) -> bytes:
    """A document with this body and these parts (`header`, `footer`, `footnotes`, `endnotes`, `comments`)."""
    types = [
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>',
        '<Default Extension="xml" ContentType="application/xml"/>',
        f'<Override PartName="/word/document.xml" ContentType="{_TYPE}document.main+xml"/>',
        '<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>',
    ]
    relations, files, references = [], {}, ""
    for number, (name, inner) in enumerate(parts.items(), 1):
        kind = name.rstrip("0123456789")
        root = _ROOTS[kind]
        files[f"word/{name}.xml"] = f"{_HEAD}<{root} {NAMESPACES}>{inner}</{root}>"
        types.append(f'<Override PartName="/word/{name}.xml" ContentType="{_TYPE}{kind}+xml"/>')
        relations.append(f'<Relationship Id="rId{number}" Type="{_REL}{kind}" Target="{name}.xml"/>')
        if kind in ("header", "footer"):
            references += f'<w:{kind}Reference w:type="default" r:id="rId{number}"/>'
    if media:
        types.append('<Default Extension="png" ContentType="image/png"/>')
        relations.append(f'<Relationship Id="rIdPic" Type="{_REL}image" Target="media/image1.png"/>')
    section = f'<w:sectPr>{references}<w:pgSz w:w="11906" w:h="16838"/></w:sectPr>'
    document = f"{_HEAD}<w:document {NAMESPACES}><w:body>{''.join(body)}{section}</w:body></w:document>"
    wrap = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
    files = {
        "[Content_Types].xml": f'{_HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">{"".join(types)}</Types>',
        "_rels/.rels": _HEAD + wrap.format(
            f'<Relationship Id="rId1" Type="{_REL}officeDocument" Target="word/document.xml"/>'
            '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"'
            ' Target="docProps/core.xml"/>'
        ),
        "word/document.xml": document,
        "word/_rels/document.xml.rels": _HEAD + wrap.format("".join(relations)),
        "docProps/core.xml": _HEAD + '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
        f' xmlns:dc="http://purl.org/dc/elements/1.1/">{core}</cp:coreProperties>',
        **files,
        **(extra or {}),
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, text in files.items():
            zipped.writestr(name, text)
        if media:
            zipped.writestr("word/media/image1.png", PNG)
    return buffer.getvalue()


def picture(name: str = "dummy.png", rid: str = "rIdPic", number: int = 1) -> str:
    return (
        '<w:r><w:drawing><wp:inline distT="0" distB="0" distL="0" distR="0"><wp:extent cx="9525" cy="9525"/>'
        f'<wp:docPr id="{number}" name="Picture {number}"/><a:graphic>'
        '<a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic><pic:nvPicPr>'
        f'<pic:cNvPr id="0" name="{name}"/><pic:cNvPicPr/></pic:nvPicPr><pic:blipFill><a:blip r:embed="{rid}"/>'
        '<a:stretch><a:fillRect/></a:stretch></pic:blipFill><pic:spPr><a:xfrm><a:off x="0" y="0"/>'
        '<a:ext cx="9525" cy="9525"/></a:xfrm><a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic>'
        "</a:graphicData></a:graphic></wp:inline></w:drawing></w:r>"
    )


def read_part(data: bytes, name: str = "word/document.xml") -> str:
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return zipped.read(name).decode("utf-8")
