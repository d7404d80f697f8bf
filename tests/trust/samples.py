"""Small generators of office files, drawings and data, good ones and hostile ones. Nothing here uses gfdocs."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PR = "http://schemas.openxmlformats.org/package/2006/relationships"
CT = "http://schemas.openxmlformats.org/package/2006/content-types"
OFFICE = "application/vnd.openxmlformats-officedocument."
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

Parts = dict[str, "bytes | str"]

# ---------------------------------------------------------------------------------------------------------------------
# Zips


def zipped(parts: Mapping[str, bytes | str] | Iterable[tuple[str, bytes | str]], *, stored: bool = False) -> bytes:
    """Return a zip of these members in this order; names are written as they are, twice where given twice."""
    import warnings

    pairs = parts.items() if isinstance(parts, Mapping) else parts
    buffer = io.BytesIO()
    method = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", method) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in pairs:
            info = zipfile.ZipInfo("x", (1980, 1, 1, 0, 0, 0))
            info.filename = name  # past the constructor, which would mend it
            info.compress_type = method
            archive.writestr(info, data)
    return buffer.getvalue()


def unzipped(data: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezipped(data: bytes, **changes: bytes | str | None) -> bytes:
    """Return the package with parts changed (`xl__workbook.xml` for `xl/workbook.xml`); None takes one out."""
    parts: Parts = unzipped(data)
    for key, content in changes.items():
        name = key.replace("__", "/")
        if content is None:
            parts.pop(name)
        else:
            parts[name] = content
    return zipped(parts)


def with_parts(data: bytes, parts: Mapping[str, bytes | str]) -> bytes:
    return zipped({**unzipped(data), **parts})


def edit_part(data: bytes, part: str, old: str, new: str) -> bytes:
    """Return the package with one text in one part replaced; the text must be there."""
    parts = unzipped(data)
    text = parts[part].decode() if isinstance(parts[part], bytes) else parts[part]  # type: ignore[union-attr]
    assert old in text, f"{old!r} is not in {part}: {text[:300]}"
    return zipped({**parts, part: text.replace(old, new, 1)})


def central_offsets(data: bytes) -> list[int]:
    """Return where the entries of the central directory stand."""
    end = data.rfind(b"PK\x05\x06")
    count, _, at = struct.unpack_from("<HLL", data, end + 10)
    found = []
    for _ in range(count):
        found.append(at)
        name, extra, comment = struct.unpack_from("<3H", data, at + 28)
        at += 46 + name + extra + comment
    return found


def entry_name(data: bytes, at: int) -> str:
    length = struct.unpack_from("<H", data, at + 28)[0]
    return data[at + 46 : at + 46 + length].decode("utf-8", "replace")


def poke(data: bytes, at: int, form: str, *values: int) -> bytes:
    """Return the bytes with some numbers overwritten."""
    out = bytearray(data)
    struct.pack_into(form, out, at, *values)
    return bytes(out)


def poke_entry(data: bytes, name: str, offset: int, form: str, *values: int) -> bytes:
    """Overwrite a field of a member's line in the central directory (`offset` as in APPNOTE 4.3.12)."""
    at = next(at for at in central_offsets(data) if entry_name(data, at) == name)
    return poke(data, at + offset, form, *values)


def quine_overlap(copies: int = 300, size: int = 1 << 20) -> bytes:
    """Return a package whose directory has many members that all point at the same compressed bytes."""
    base = xlsx({"A1": "x"})
    body = zlib.compress(b" " * size, 9)[2:-4]
    crc = zlib.crc32(b" " * size)
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0x21, crc, len(body), size, 5, 0) + b"bomb0" + body
    end = base.rfind(b"PK\x05\x06")
    count, length, start = struct.unpack_from("<HLL", base, end + 10)
    members, directory = base[:start] + local, base[start : start + length]
    for number in range(copies):
        name = f"b{number:04}".encode()
        directory += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, crc, len(body), size, len(name), 0, 0, 0, 0, 0, start
        ) + name  # fmt: skip
    total = count + copies
    return (
        members
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, total, total, len(directory), len(members), 0)
    )


# ---------------------------------------------------------------------------------------------------------------------
# Word


def docx(
    *texts: str,
    body: str = "",
    header: str | None = None,
    relations: str = "",
    types: str = "",
    parts: Mapping[str, bytes | str] | None = None,
    prolog: str = HEAD,
    core: str | None = None,
) -> bytes:
    """Return a small Word document: paragraphs of these texts, then `body` as it is; more relations and parts."""
    paragraphs = "".join(f'<w:p><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>' for text in texts)
    reference = f'<w:headerReference w:type="default" r:id="rIdH" xmlns:r="{R}"/>' if header is not None else ""
    section = f'<w:sectPr>{reference}<w:pgSz w:w="11906" w:h="16838"/></w:sectPr>'
    files: Parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{CT}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="{OFFICE}wordprocessingml.document.main+xml"/>'
        + (f'<Override PartName="/word/header1.xml" ContentType="{OFFICE}wordprocessingml.header+xml"/>' if header is not None else "")
        + ('<Override PartName="/docProps/core.xml" ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>' if core is not None else "")
        + f"{types}</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PR}"><Relationship Id="rId1" Type="{R}/officeDocument" Target="word/document.xml"/>'
        + ('<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties" Target="docProps/core.xml"/>' if core is not None else "")
        + "</Relationships>",
        "word/document.xml": f'{prolog}<w:document xmlns:w="{W}" xmlns:r="{R}"><w:body>{paragraphs}{body}{section}</w:body></w:document>',
        "word/_rels/document.xml.rels": f'{HEAD}<Relationships xmlns="{PR}">'
        + (f'<Relationship Id="rIdH" Type="{R}/header" Target="header1.xml"/>' if header is not None else "")
        + f"{relations}</Relationships>",
    }  # fmt: skip
    if header is not None:
        files["word/header1.xml"] = (
            f'{HEAD}<w:hdr xmlns:w="{W}"><w:p><w:r><w:t>{escape(header)}</w:t></w:r></w:p></w:hdr>'
        )
    if core is not None:
        files["docProps/core.xml"] = (
            f'{HEAD}<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
            f' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{escape(core)}</dc:title></cp:coreProperties>'
        )
    return zipped({**files, **(parts or {})})


def relation(kind: str, target: str, *, external: bool = True, identity: str = "rIdX") -> str:
    mode = ' TargetMode="External"' if external else ""
    return f'<Relationship Id="{identity}" Type="{R}/{kind}" Target="{escape(target)}"{mode}/>'


def docx_text(data: bytes) -> list[str]:
    """Return the paragraphs as python-docx reads them."""
    import docx as python_docx

    return [paragraph.text for paragraph in python_docx.Document(io.BytesIO(data)).paragraphs]


# ---------------------------------------------------------------------------------------------------------------------
# Excel


def cell(reference: str, value: object, style: int = 0) -> str:
    """Return a `<c>`: text inline, a number, or a formula with its cached value given as a pair."""
    if isinstance(value, tuple):
        formula, cached = value
        return f'<c r="{reference}" s="{style}"><f>{escape(str(formula))}</f><v>{escape(str(cached))}</v></c>'
    if isinstance(value, bool | int | float):
        return f'<c r="{reference}" s="{style}"><v>{value}</v></c>'
    return f'<c r="{reference}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{escape(str(value))}</t></is></c>'


def _row_of(reference: str) -> int:
    return int(reference.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def sheet_xml(cells: Mapping[str, object], *, before: str = "", after: str = "", attributes: str = "") -> str:
    rows: dict[int, list[str]] = {}
    for reference, value in cells.items():
        rows.setdefault(_row_of(reference), []).append(cell(reference, value))
    data = "".join(f'<row r="{number}">{"".join(found)}</row>' for number, found in sorted(rows.items()))
    return f'{HEAD}<worksheet xmlns="{S}" xmlns:r="{R}"{attributes}>{before}<sheetData>{data}</sheetData>{after}</worksheet>'


def xlsx(
    cells: Mapping[str, object] | None = None,
    *,
    sheet: str | bytes | None = None,
    title: str = "工厂",
    names: str = "",
    relations: str = "",
    sheet_relations: str = "",
    types: str = "",
    strings: str | bytes | None = None,
    parts: Mapping[str, bytes | str] | None = None,
    before: str = "",
    after: str = "",
) -> bytes:
    """Return a small workbook of one sheet: cells by reference, or the sheet's XML as it is."""
    files: Parts = {
        "[Content_Types].xml": f'{HEAD}<Types xmlns="{CT}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="{OFFICE}spreadsheetml.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{OFFICE}spreadsheetml.worksheet+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{OFFICE}spreadsheetml.styles+xml"/>'
        + (f'<Override PartName="/xl/sharedStrings.xml" ContentType="{OFFICE}spreadsheetml.sharedStrings+xml"/>' if strings is not None else "")
        + f"{types}</Types>",
        "_rels/.rels": f'{HEAD}<Relationships xmlns="{PR}"><Relationship Id="rId1" Type="{R}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'{HEAD}<workbook xmlns="{S}" xmlns:r="{R}"><sheets><sheet name="{escape(title)}" sheetId="1" r:id="rId1"/></sheets>'
        + (f"<definedNames>{names}</definedNames>" if names else "") + "</workbook>",
        "xl/_rels/workbook.xml.rels": f'{HEAD}<Relationships xmlns="{PR}"><Relationship Id="rId1" Type="{R}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{R}/styles" Target="styles.xml"/>'
        + (f'<Relationship Id="rId3" Type="{R}/sharedStrings" Target="sharedStrings.xml"/>' if strings is not None else "")
        + f"{relations}</Relationships>",
        "xl/worksheets/sheet1.xml": sheet if sheet is not None else sheet_xml(cells or {}, before=before, after=after),
        "xl/styles.xml": f'{HEAD}<styleSheet xmlns="{S}"><fonts count="1"><font><sz val="11"/><name val="宋体"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
        "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>',
    }  # fmt: skip
    if sheet_relations:
        files["xl/worksheets/_rels/sheet1.xml.rels"] = (
            f'{HEAD}<Relationships xmlns="{PR}">{sheet_relations}</Relationships>'
        )
    if strings is not None:
        files["xl/sharedStrings.xml"] = strings
    return zipped({**files, **(parts or {})})


def fill_empty(data: bytes, value: object) -> bytes:
    """Return a rendered form with this value in each cell that has a style and no content, below the headings."""
    import re

    parts = unzipped(data)
    for name in parts:
        if name.startswith("xl/worksheets/sheet"):
            text = parts[name].decode() if isinstance(parts[name], bytes) else str(parts[name])  # type: ignore[union-attr]
            found = re.compile(r'<c r="([A-Z]+)(\d+)"( s="\d+")?/>')
            parts[name] = found.sub(lambda c: cell(c[1] + c[2], value) if int(c[2]) > 3 else c[0], text)
    return zipped(parts)


HEADINGS = ("企业名称", "所在地", "统一社会信用代码")


def table(rows: Iterable[Iterable[object]] = (), **more: object) -> bytes:
    """Return a workbook as a clerk sends it: headings in row 1, companies below."""
    cells: dict[str, object] = {f"{'ABCDEFGH'[i]}1": text for i, text in enumerate(HEADINGS)}
    for number, row in enumerate(rows, 2):
        cells |= {f"{'ABCDEFGH'[i]}{number}": value for i, value in enumerate(row)}
    return xlsx(cells, **more)  # type: ignore[arg-type]


def form() -> bytes:
    """Return a workbook template that can be read back: a list of companies below a heading."""
    return xlsx({
        "A1": "{{ district.name }}", "A2": "企业名称", "B2": "统一社会信用代码", "C2": "能耗",
        "A3": "{%tr for c in companies %}", "A4": "{{ c.name }}", "B4": "{{ c.credit_code }}", "C4": "{{ c.energy }}",
        "A5": "{%tr endfor %}",
    })  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Drawings


def svg(text: str = "", *, inside: str = "", prolog: str = "", attributes: str = "", style: str = "") -> bytes:
    """Return a small drawing: one text, then `inside` as it is."""
    sheet = f"<style>{style}</style>" if style else ""
    return (
        f'{prolog}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="100mm" height="50mm"'
        f' viewBox="0 0 100 50" {attributes}>{sheet}<text x="1" y="10">{escape(text)}</text>{inside}</svg>'
    ).encode()


def svg_text(data: bytes) -> str:
    """Return all text of the drawing as expat reads it."""
    import xml.etree.ElementTree as ET

    root = ET.fromstring(data)
    return "".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))


# ---------------------------------------------------------------------------------------------------------------------
# Data


CREDIT_CODE = "91320599MA0EX0018Q"  # of a made-up company, its check digits right


def companies_yaml(*names: str) -> str:
    """Return a companies.yaml of companies of these names, quoted so that any text is that text."""
    import json

    lines = ["companies:"]
    for name in names:
        lines += [f"- name: {json.dumps(name)}", "  district: 示范区", "  industry: 通用设备制造业"]
    return "\n".join(lines) + "\n"
