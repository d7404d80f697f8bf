"""Files that come in: what is not safe or not whole is refused by name, quickly, and never half."""

from __future__ import annotations

import contextlib
import io
import os
import random
import struct
import time
import tracemalloc
import zipfile
import zlib

import pytest

from gfdocs.engine.package import (
    Limits,
    Member,
    check_xml,
    deflate,
    get_main_part,
    make_frame,
    read_content_types,
    read_package,
    read_relationships,
    resolve_target,
    safe_xml,
    store,
    use_deflater,
    write_package,
)
from gfdocs.errors import PackageError

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/>{}</Types>'
RELS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
TYPE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"


def zipped(*files: tuple[str, bytes | str], types: str = "", method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out:
        out.writestr("[Content_Types].xml", TYPES.format(types))
        for name, data in files:
            out.writestr(name, data)
    return buffer.getvalue()


def codes(data: bytes, **options: int | bool) -> set[str]:
    with pytest.raises(PackageError) as caught:
        read_package(data, name="f.xlsx", limits=Limits(**options))  # type: ignore[arg-type]
    assert all(issue.place.file == "f.xlsx" and issue.fact.zh for issue in caught.value.issues)  # type: ignore[attr-defined]
    return {issue.code for issue in caught.value.issues}


GOOD = zipped(("xl/workbook.xml", "<workbook/>"), ("xl/media/a.png", b"png"))
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


NOT_WHOLE = {
    "empty": (b"", "GF301"),
    "pdf": (b"%PDF-1.7 ...", "GF302"),
    "web page": (b"\xef\xbb\xbf  <HTML><table>", "GF302"),
    "text": (b"hello", "GF302"),
    "encrypted": (OLE + utf16("EncryptedPackage"), "GF303"),
    "old xls": (OLE + utf16("Workbook"), "GF304"),
    "old doc": (OLE + utf16("WordDocument"), "GF304"),
    "cut off": (GOOD[: len(GOOD) // 2], "GF305"),
    "cut at the end": (GOOD[:-10], "GF305"),
    "only the first bytes": (b"PK\x03\x04", "GF305"),
    "no types": (zipped(("a.xml", "<a/>")).replace(b"[Content_Types].xml", b"[Content_Typos].xml"), "GF318"),
}


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_what_is_no_office_file_is_named(name: str) -> None:
    data, code = NOT_WHOLE[name]
    assert codes(data) == {code}


def test_sizes_are_counted_not_believed() -> None:
    bomb = zipped(("xl/a.xml", b"<a>" + b" " * 40_000_000))
    assert codes(bomb) == {"GF308"}
    assert codes(bomb, part=1_000_000) == {"GF307"}
    assert codes(bomb, file=100) == {"GF306"}
    assert codes(zipped(*[(f"{n}.xml", b"<a/>" + b" " * 1000) for n in range(20)]), total=15_000) == {"GF307"}
    # The directory says 10 bytes, the stream gives 40 million.
    lying = bytearray(bomb)
    at = lying.rindex(b"PK\x01\x02")
    lying[at + 24 : at + 28] = struct.pack("<L", 10)
    tracemalloc.start()
    assert codes(bytes(lying)) == {"GF316"}
    assert tracemalloc.get_traced_memory()[1] < 4_000_000
    tracemalloc.stop()


def test_pictures_may_be_out_of_proportion() -> None:
    assert read_package(zipped(("media/white.bmp", bytes(8_000_000))), name="f.docx")


def test_members_that_lie_over_one_another() -> None:
    data = bytearray(zipped(("a.xml", b"<a/>"), ("b.xml", b"<a/>")))
    first = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 1)
    second = data.index(b"PK\x01\x02", first + 1)
    data[second + 42 : second + 46] = data[first + 42 : first + 46]
    assert codes(bytes(data)) == {"GF305"}


@pytest.mark.parametrize(
    "name", ["../evil.xml", "/etc/passwd", "a\\b.xml", "C:/x.xml", "a/../../b.xml", "a\x01b.xml", "./a.xml"]
)
def test_names_that_lead_out(name: str) -> None:
    data = zipped(("x" * len(name), b"<a/>")).replace(b"x" * len(name), name.encode())
    assert codes(data) == {"GF311"}


def test_two_members_of_one_name() -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = zipped(("xl/a.xml", "<a/>"), ("xl/a.xml", "<b/>"))
    assert codes(data) == {"GF310"}
    assert codes(zipped(("xl/a.xml", "<a/>"), ("XL/A.xml", "<b/>"))) == {"GF310"}


def test_too_many_members() -> None:
    assert codes(zipped(*[(f"{n}.xml", "") for n in range(30)]), members=20) == {"GF309"}


DTDS = [
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a SYSTEM "http://x"><a/>'.encode("utf-16"),
    b"\n<!DOCTYPE a><a/>",
]


@pytest.mark.parametrize("xml", DTDS)
def test_any_dtd_is_refused(xml: bytes) -> None:
    assert codes(zipped(("xl/a.xml", xml))) == {"GF312"}
    with pytest.raises(PackageError, match="GF312"):
        safe_xml(xml, name="f", part="p")


def test_other_encodings_are_refused_and_faults_of_xml_have_their_line() -> None:
    assert [issue.code for issue in check_xml(b'<?xml version="1.0" encoding="UTF-7"?><a/>', name="f", part="p")] == [
        "GF313"
    ]
    with pytest.raises(PackageError, match=r"GF313") as caught:
        safe_xml(b"<a>\n<b></a>", name="f", part="p")
    assert "line 2" in caught.value.issues[0].place.path
    with pytest.raises(PackageError, match="GF313"):
        safe_xml(b"<a>" * 5000 + b"</a>" * 5000, name="f", part="p")


def test_macros() -> None:
    assert codes(zipped(("xl/vbaProject.bin", b"x"))) == {"GF314"}
    assert codes(
        zipped(
            ("xl/workbook.xml", "<a/>"),
            types='<Override PartName="/xl/workbook.xml" ContentType="application/vnd.ms-excel.sheet.macroEnabled.main+xml"/>',
        )
    ) == {"GF314"}
    assert read_package(zipped(("xl/vbaProject.bin", b"x")), name="f", limits=Limits(macros=True))


def test_links_are_listed() -> None:
    rel = '<Relationship Id="r" Type="{}{}" Target="{}" TargetMode="External"/>'
    data = zipped(
        (
            "xl/externalLinks/_rels/externalLink1.xml.rels",
            RELS.format(rel.format(TYPE, "externalLinkPath", "\\\\server\\a.xlsx")),
        ),
        (
            "xl/externalLinks/_rels/externalLink2.xml.rels",
            RELS.format(rel.format(TYPE, "externalLinkPath", "file:///c:/b.xlsx")),
        ),
    )
    with pytest.raises(PackageError) as caught:
        read_package(data, name="f.xlsx")
    assert [issue.code for issue in caught.value.issues] == ["GF315", "GF315"]
    assert "server" in caught.value.issues[0].fact
    hyper = RELS.format(rel.format(TYPE, "hyperlink", "https://example.com"))
    own = RELS.format(rel.format(TYPE, "attachedTemplate", "file:///C:\\Users\\a\\Normal.dotm"))
    assert (
        read_package(
            zipped(("word/_rels/document.xml.rels", hyper), ("word/_rels/settings.xml.rels", own)), name="f.docx"
        ).issues
        == ()
    )
    picture = RELS.format(rel.format(TYPE, "image", "https://tracker/x.png"))
    assert [
        issue.code for issue in read_package(zipped(("word/_rels/document.xml.rels", picture)), name="f.docx").issues
    ] == ["GF320"]


def test_damage() -> None:
    broken = bytearray(zipped(("xl/a.xml", b"<a>" + os.urandom(500).hex().encode() + b"</a>")))
    broken[broken.index(b"xl/a.xml") + 100] ^= 0xFF
    assert codes(bytes(broken)) == {"GF316"}
    encrypted = bytearray(GOOD)
    at = encrypted.index(b"PK\x01\x02")
    encrypted[at + 8] |= 1
    assert codes(bytes(encrypted)) == {"GF317"}


def test_mutated_files_end_in_one_error_class_without_hanging() -> None:
    rng = random.Random(2023)
    count = 20_000 if os.environ.get("GFDOCS_NIGHTLY") else 1500
    worst = 0.0
    for _ in range(count):
        data = bytearray(GOOD)
        for _ in range(rng.randint(1, 6)):
            if rng.random() < 0.5:
                at = len(data) - rng.randrange(1, min(len(data), 300))
                data[at] = rng.randrange(256)
            elif rng.random() < 0.7:
                data[rng.randrange(len(data))] = rng.randrange(256)
            else:
                at = rng.randrange(len(data))
                del data[at : at + rng.randrange(40)]
        start = time.perf_counter()
        with contextlib.suppress(PackageError):
            read_package(bytes(data), name="m.xlsx")
        worst = max(worst, time.perf_counter() - start)
    assert worst < 2


def test_relations_find_their_targets_however_they_are_written() -> None:
    data = zipped(
        ("_rels/.rels", RELS.format(f'<Relationship Id="r" Type="{TYPE}officeDocument" Target="/xl/Workbook.xml"/>')),
        ("xl/workbook.xml", "<a/>"),
        (
            "xl/_rels/workbook.xml.rels",
            RELS.format(
                f'<Relationship Id="r1" Type="{TYPE}worksheet" Target="worksheets/../worksheets/sheet%201.xml"/>'
            ),
        ),
        ("xl/worksheets/sheet 1.xml", "<a/>"),
        types='<Override PartName="/xl/workbook.xml" ContentType="main"/>',
    )
    package = read_package(data, name="f.xlsx")
    assert get_main_part(package) == "xl/workbook.xml"
    assert [relation.target for relation in read_relationships(package, "xl/workbook.xml")] == [
        "xl/worksheets/sheet 1.xml"
    ]
    assert read_content_types(package).of("XL/WORKBOOK.XML") == "main"
    assert read_content_types(package).of("xl/worksheets/sheet 1.xml") == "application/xml"
    assert resolve_target("", "/a/./b.xml") == "a/b.xml"


# Writing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deflater", ["zlib", "isal"])
def test_what_is_written_is_a_zip_like_any_other(deflater: str) -> None:
    from gfdocs.engine import package

    use_deflater(deflater)
    try:
        chunks = [os.urandom(70_000), b"", b"x" * 1000]
        members = [
            deflate("a.xml", b"".join(chunks)),
            deflate("名单.xml", iter(chunks)),
            store("b.png", b"png"),
            deflate("empty", b""),
        ]
    finally:
        package._deflaters.clear()
    data = write_package(members)
    with zipfile.ZipFile(io.BytesIO(data)) as out:
        assert out.testzip() is None
        assert out.namelist() == ["a.xml", "名单.xml", "b.png", "empty"]
        assert out.read("a.xml") == out.read("名单.xml") == b"".join(chunks)
    assert [member.read() for member in members] == [b"".join(chunks)] * 2 + [b"png", b""]
    assert data == make_frame(members[:2]).write(members[2:]) == write_package(members)


def test_a_frame_gives_way_to_replaced_members_at_their_place() -> None:
    frame = make_frame([store("a", b"1"), store("b", b"2")])
    data = frame.write([store("c", b"3")], {"a": store("a", b"new")})
    with zipfile.ZipFile(io.BytesIO(data)) as out:
        assert [(name, out.read(name)) for name in out.namelist()] == [("a", b"new"), ("b", b"2"), ("c", b"3")]


def test_zip64_where_there_are_many_members_or_a_large_one() -> None:
    many = write_package(store(f"{n}", b"") for n in range(66_000))
    with zipfile.ZipFile(io.BytesIO(many)) as out:
        assert len(out.namelist()) == 66_000
    assert (
        len(
            read_package(
                write_package(
                    [
                        store("[Content_Types].xml", TYPES.format("").encode()),
                        *(store(f"m/{n}", b"") for n in range(66_000)),
                    ]
                ),
                name="f",
                limits=Limits(members=70_000),
            ).members
        )
        == 66_001
    )
    # 5 GiB said, nothing written: the headers are what is looked at.
    large = Member("big", 8, zlib.crc32(b""), 5 << 30, zlib.compress(b"")[2:-4])
    data = write_package([large, store("after", b"x")])
    with zipfile.ZipFile(io.BytesIO(data)) as out:
        assert out.getinfo("big").file_size == 5 << 30
        assert out.read("after") == b"x"
