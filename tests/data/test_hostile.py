"""Files made to do harm, files that are broken by chance, and random ones: named errors, within bounds."""

from __future__ import annotations

import contextlib
import io
import os
import random
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gfdocs.data.load import load_companies, load_dataset
from gfdocs.data.source import read_source
from gfdocs.errors import DataError, GfdocsError, Issue
from gfdocs.raw import Raw, RawList, RawMap, RawScalar
from tests.data.samples import COMPANY, SETTINGS, workbook, write

NIGHTLY = os.environ.get("GFDOCS_NIGHTLY") == "1"
HEAD = ["企业名称", "地区"]


def bomb_of_aliases() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


YAML_SAMPLES = {
    "alias bomb": (bomb_of_aliases(), "GF112"),
    "recursive alias": ("a: &a {b: *a}\n", "GF112"),
    "python tag": ("a: !!python/object/apply:os.system ['id']\n", "GF113"),
    "local tag": ("a: !x y\n", "GF113"),
    "verbatim tag": ("a: !<tag:yaml.org,2002:str> y\n", "GF113"),
    "duplicate keys": ("企业名称: 甲公司\n信用代码: A\n企业名称: 乙公司\n", "GF111"),
    "duplicate keys in quotes": ("a: 1\n'a': 2\n", "GF111"),
    "deep nesting": ("[" * 3000 + "]" * 3000, "GF104"),
    "deep block nesting": ("\n".join(" " * n + "a:" for n in range(3000)), "GF104"),
    "deep dashes": ("- " * 3000, "GF104"),
    "merge key": ("a: {b: 1}\nc:\n  <<: {b: 2}\n", "GF114"),
    "two documents": ("a: 1\n---\nb: 2\n", "GF115"),
    "many documents": ("---\n" * 50_000, "GF115"),
    "control character": ("a: \x00b\n", "GF107"),
    "bidi in a key": ('"a\\u202Eb": c\n', "GF107"),
    "lone surrogate": ('a: "\\uD800"\n', "GF110"),
    "many anchors": ("".join(f"- &a{n} x\n" for n in range(50_000)), "GF112"),
    "many quotes": ("- '" * 20_000, "GF110"),
    "directive": ("%YAML 9.9\n---\na: b\n", "GF110"),
    "tag directive": ("%TAG ! tag:x,2000:\n---\na: !b c\n", "GF113"),
    "null key": ("~: a\n? \n: b\n", "GF116"),
    "huge text": ("a: " + "x" * 2_000_000, "GF104"),
}  # fmt: skip


@pytest.mark.parametrize("name", YAML_SAMPLES)
def test_hostile_yaml_is_refused_by_name_and_at_once(name: str) -> None:
    text, code = YAML_SAMPLES[name]
    start = time.process_time()

    with pytest.raises(DataError) as caught:
        read_source(text.encode("utf-8"), "a.yaml")

    assert code in {issue.code for issue in caught.value.issues}
    assert all(issue.place.line for issue in caught.value.issues)
    assert time.process_time() - start < 1


def test_a_number_of_5000_digits_is_a_text_or_a_named_error() -> None:
    (company,) = load_companies(f"- {{name: 示例, note: {'9' * 5000}}}\n".encode())
    assert company.note == "9" * 5000

    for field in ("year", "summary: {energy", "effective", "credit_code"):
        with pytest.raises(DataError):
            load_companies(f"- {{name: 示例, {field}: {'9' * 5000}{'}' * field.count('{')}}}\n".encode())


def test_a_gbk_file_is_read_and_said(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "gfdocs.yaml": SETTINGS.encode("gb18030"),
        "companies.yaml": (COMPANY + "- {name: 镕𠀀厂, district: 昆山}\n").encode("gb18030"),
    }

    data = load_dataset(write(tmp_path, files))

    assert data.companies[1].name == "镕𠀀厂"
    assert [issue.code for issue in data.issues] == ["GF106", "GF106"]


@pytest.mark.parametrize(
    "data",
    [b"\xff\xfea\x00", b"\xfe\xff\x00a", "名称: 甲".encode("utf-16"), b"\x81" * 9, "企业名称: 示例".encode()[:-1]],
)
def test_other_encodings_are_refused_by_name(data: bytes) -> None:
    with pytest.raises(DataError, match="GF105"):
        read_source(data, "a.yaml")


# -- the YAML reader against PyYAML --------------------------------------------------------------------------------


def plain(raw: Raw) -> object:
    if isinstance(raw, RawMap):
        return {key: plain(value) for key, value in raw.entries.items()}
    if isinstance(raw, RawList):
        return [plain(item) for item in raw.items]
    assert isinstance(raw, RawScalar)
    return raw.text


VALUES = st.recursive(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Cn", "Zl", "Zp"]), max_size=20)
    | st.integers().map(str),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(VALUES, st.booleans())
@settings(deadline=None, max_examples=2000 if NIGHTLY else 150)
def test_what_a_dumper_writes_is_read_as_pyyaml_reads_it(value: object, flow: bool) -> None:
    text = yaml.safe_dump({"a": value}, allow_unicode=True, default_flow_style=flow)

    assert plain(read_source(text.encode(), "a.yaml")) == yaml.load(text, Loader=yaml.CBaseLoader)


PIECES = st.lists(
    st.sampled_from(["- ", "a", ": ", "\n", "  ", '"', "'", "{", "}", "[", "]", ",", "#", "|", ">", "&a ", "*a", "!!x ", "<<", "---\n", "? ",
                     "\t", "：", "甲", "\\", "%", "@", "~", "\u2028", "\x07", "\ufeff", "name", "企业名称", "companies:\n", "\r", "\x85"]),
    max_size=30,
).map("".join)  # fmt: skip


@given(PIECES | st.text(max_size=60))
@settings(deadline=None, max_examples=20_000 if NIGHTLY else 400)
@example("- name: 甲\n  \tb: c\n- d: [\n- e: f\n")
@example("companies:\n- a: 'b\n- c: d\n  c: e\n")
@example("a: b\n- c\nd: e: f\ng: h\n")
def test_any_yaml_ends_in_raw_or_in_named_errors_with_places(text: str) -> None:
    data = text.encode("utf-8", "replace")
    found: list[Issue] = []
    try:
        raw = read_source(data, "a.yaml")
    except GfdocsError as error:
        found = list(error.issues)
    if found:
        lines = text.count("\n") + text.count("\r") + 2
        assert all(issue.place.line is None or 1 <= issue.place.line <= lines for issue in found)
        return
    try:
        expected = yaml.load(data.decode("utf-8-sig"), Loader=yaml.CBaseLoader)
    except yaml.YAMLError as exc:
        raise AssertionError(f"PyYAML refuses what was read: {exc}") from exc
    assert plain(raw) == expected


@given(st.binary(max_size=200), st.sampled_from(["a.yaml", "a.csv", "a.xlsx", "a.doc", "gfdocs.yaml"]))
@settings(deadline=None, max_examples=10_000 if NIGHTLY else 300)
def test_any_bytes_end_in_records_or_in_named_errors(data: bytes, name: str) -> None:
    for read in (read_source, load_companies):
        with suppress(GfdocsError):
            read(data, name)


@given(PIECES)
@settings(
    deadline=None, max_examples=5_000 if NIGHTLY else 100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_settings_end_in_a_dataset_or_in_named_errors(tmp_path: Path, text: str) -> None:
    for name in ("gfdocs.yaml", "companies.yaml", "companies.csv"):
        files: dict[str, str | bytes] = {
            "gfdocs.yaml": SETTINGS + "\n",
            "companies.yaml": COMPANY,
            "companies.csv": "企业名称,地区\n甲,昆山\n",
        }
        files[name] = str(files[name]) + text
        with contextlib.suppress(GfdocsError):
            load_dataset(write(tmp_path, files))


@given(st.text(st.sampled_from(list('ab,;\t"\n\r甲 ')), max_size=40))
@settings(deadline=None, max_examples=5000 if NIGHTLY else 300)
def test_csv_is_read_as_the_standard_library_reads_it(text: str) -> None:
    """Where both agree that the quotes are well-formed, the cells are the same."""
    import csv

    from gfdocs.data.source import Collector, SourceLimits
    from gfdocs.data.table import read_csv_rows, sniff_delimiter

    issues = Collector()
    rows = [
        [cell.value if cell else "" for cell in cells]
        for _, cells in read_csv_rows(text, "a.csv", issues, SourceLimits())
    ]

    if issues.issues:
        return
    try:
        expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=sniff_delimiter(text), strict=True))
    except csv.Error:
        return  # it refuses a blank after a closing quote
    # The library drops a lone carriage return's line, and gives [] where a line is empty.
    assert [row for row in rows if row != [""]] == [row for row in expected if row not in ([], [""])]


# -- workbooks -----------------------------------------------------------------------------------------------------


def repacked(change: Callable[[dict[str, bytes]], None], good: bytes | None = None) -> bytes:
    """A good workbook with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(good or workbook([HEAD, ["示例甲", "昆山"]]))) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    change(parts)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return stream.getvalue()


def with_shared_strings() -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream)
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, [*HEAD, "年度", "备注"])
    sheet.write_row(1, 0, ["示例甲", "昆山", 2022, "a"])
    sheet.merge_range("D3:D4", "并")
    sheet.write_row(2, 0, ["示例乙", "昆山", 2022])
    book.close()
    return stream.getvalue()


SHEET = "xl/worksheets/sheet1.xml"


def in_sheet(old: bytes, new: bytes) -> Callable[[dict[str, bytes]], None]:
    def change(parts: dict[str, bytes]) -> None:
        assert old in parts[SHEET]
        parts[SHEET] = parts[SHEET].replace(old, new)

    return change


def bomb(parts: dict[str, bytes]) -> None:
    parts[SHEET] = parts[SHEET].replace(b"<sheetData>", b"<sheetData>" + b" " * 40_000_000)


def many_cells(parts: dict[str, bytes]) -> None:
    row = b'<row r="%d"><c r="A%d" t="inlineStr"><is><t>x%d</t></is></c></row>'
    parts[SHEET] = parts[SHEET].replace(
        b"</sheetData>", b"".join(row % (n, n, n * 7919 % 999_983) for n in range(3, 150_000)) + b"</sheetData>"
    )


def dtd(parts: dict[str, bytes]) -> None:
    parts[SHEET] = b'<!DOCTYPE a [<!ENTITY x "y">]>' + parts[SHEET].partition(b"?>")[2]


def macros(parts: dict[str, bytes]) -> None:
    parts["xl/vbaProject.bin"] = b"x"


def slip(parts: dict[str, bytes]) -> None:
    parts["../x.xml"] = b"<a/>"


def external(parts: dict[str, bytes]) -> None:
    name = "xl/_rels/workbook.xml.rels"
    link = b'<Relationship Id="rId99" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/externalLinkPath" Target="\\\\host\\x.xlsx" TargetMode="External"/>'
    parts[name] = parts[name].replace(b"</Relationships>", link + b"</Relationships>")


HOSTILE: dict[str, tuple[bytes, str]] = {
    "zip bomb": (repacked(bomb), "GF308"),
    "cell bomb": (repacked(many_cells), "GF104"),
    "far cell": (repacked(in_sheet(b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')), "GF104"),
    "far row": (repacked(in_sheet(b"</sheetData>", b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>')), "GF104"),
    "DTD": (repacked(dtd), "GF312"),
    "external link": (repacked(external), "GF315"),
    "macros": (repacked(macros), "GF314"),
    "zip slip": (repacked(slip), "GF311"),
    "not closed": (repacked(in_sheet(b"</sheetData>", b"")), "GF127"),
    "no such string": (repacked(in_sheet(b"</sheetData>", b'<row r="3"><c r="A3" t="s"><v>99999</v></c></row></sheetData>')), "GF127"),
    "forged result": (repacked(in_sheet(b"</sheetData>", b'<row r="3"><c r="A3"><f>1+1</f><v>999999</v></c></row></sheetData>')), "GF126"),
    "old file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "GF304"),
    "web page": (b"<html><table>", "GF302"),
    "cut off": (workbook([HEAD])[:-40], "GF305"),
    "empty": (b"", "GF103"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_workbooks_are_refused_by_name_and_at_once(name: str) -> None:
    data, code = HOSTILE[name]
    start = time.process_time()

    with pytest.raises(DataError) as caught:
        load_companies(data, "a.xlsx")

    assert code in {issue.code for issue in caught.value.issues}
    assert time.process_time() - start < 1.5


def test_a_merge_over_the_whole_sheet_costs_nothing() -> None:
    data = repacked(
        in_sheet(
            b"</sheetData>",
            b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/><mergeCell ref="B2:B1048576"/></mergeCells>',
        )
    )
    start = time.process_time()

    companies = load_companies(data, "a.xlsx")

    assert len(companies) == 1
    assert time.process_time() - start < 0.5


SHARED = with_shared_strings()


def mutate(data: bytes, seed: int) -> bytes:
    """Bytes flipped, cut, doubled or swapped; for a zip also inside its parts."""
    rng = random.Random(seed)
    out = bytearray(data)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(out) or 1)
        match rng.randrange(5):
            case 0:
                out[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                del out[at : at + rng.randint(1, 40)]
            case 2:
                out[at:at] = out[at : at + rng.randint(1, 40)]
            case 3:
                out[at:at] = rng.choice(
                    [b"<", b"&", b'"', b"\x00", b"]]>", b"<f>", b": ", b"\n", b"\t", b"- ", b"9" * 30]
                )
            case _:
                out = out[: max(1, at)] if rng.random() < 0.1 else out
    return bytes(out)


def mutated_workbook(seed: int) -> bytes:
    rng = random.Random(seed)

    def change(parts: dict[str, bytes]) -> None:
        name = rng.choice([SHEET, SHEET, "xl/sharedStrings.xml", *parts])
        parts[name] = mutate(parts[name], seed)

    data = repacked(change, SHARED)
    return mutate(data, seed) if rng.random() < 0.3 else data


@pytest.mark.parametrize("kind", ["xlsx", "yaml", "csv"])
def test_mutated_files_end_in_records_or_in_named_errors(kind: str) -> None:
    worst = 0.0
    good = {
        "yaml": (SETTINGS + "companies:\n" + COMPANY * 2).encode(),
        "csv": '企业名称,地区,备注\n示例甲,昆山,"a,b"\n'.encode(),
    }
    for seed in range(20_000 if NIGHTLY else 1000):
        data = mutated_workbook(seed) if kind == "xlsx" else mutate(good[kind], seed)
        start = time.process_time()
        with contextlib.suppress(GfdocsError):
            load_companies(data, f"a.{kind}")
        worst = max(worst, time.process_time() - start)
    assert worst < 2


MEASURE = """
import sys
from gfdocs.data.load import load_companies
from gfdocs.errors import DataError
try:
    load_companies(open(sys.argv[1], "rb").read(), sys.argv[1].rsplit("/")[-1])
except DataError as error:
    peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print(error.issues[0].code, int(peak.split()[1]) // 1024)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.yaml", bomb_of_aliases().encode()),
        ("b.yaml", YAML_SAMPLES["many anchors"][0].encode()),
        ("c.xlsx", HOSTILE["zip bomb"][0]),
        ("d.xlsx", HOSTILE["cell bomb"][0]),
    ],
)
def test_hostile_files_stay_small_in_memory(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)

    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path / name)], capture_output=True, text=True, check=True
    )

    code, megabytes = done.stdout.split()
    assert code.startswith("GF")
    assert int(megabytes) <= 128
