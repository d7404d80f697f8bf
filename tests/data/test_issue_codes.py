"""Every code of this room is met by a file that a person might send, and is in the list users read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gfdocs.data.source import SourceLimits, read_source
from gfdocs.errors import DataError
from tests.data.samples import COMPANY, SETTINGS, issues_of, workbook

ROOT = Path(__file__).resolve().parents[2]
HEAD = ["企业名称", "所在地"]


def company(**fields: str) -> str:
    """One company as YAML: the name on line 1, the district on line 2, the fields from line 3."""
    lines = [f"{key}: {value}" for key, value in {"name": "示例甲有限公司", "district": "昆山市", **fields}.items()]
    return "- " + "\n  ".join(lines) + "\n"


def settings(old: str, new: str) -> dict[str, str | bytes]:
    assert old in SETTINGS
    return {"gfdocs.yaml": SETTINGS.replace(old, new), "companies.yaml": COMPANY}


def yaml(text: str) -> dict[str, str | bytes]:
    return {"companies.yaml": text}


def csv(text: str) -> dict[str, str | bytes]:
    return {"companies.csv": text}


def xlsx(rows: list[list[object]]) -> dict[str, str | bytes]:
    return {"companies.xlsx": workbook(rows)}


# code, files, the place of the issue, a word of the fact
CASES = [
    ("GF101", settings("districts:", "companies: [compnies.yaml]\ndistricts:"), "gfdocs.yaml:12:13", "compnies"),
    (
        "GF102",
        settings("districts:", "companies: [companies.doc]\ndistricts:") | {"companies.doc": b"x"},
        "companies.doc",
        ".doc",
    ),
    ("GF103", yaml("# nothing\n"), "companies.yaml", "empty"),
    ("GF104", yaml("- " + "[" * 70 + "]" * 70), "companies.yaml:1:65", "64 levels"),
    ("GF105", yaml(b"- name: \xe7\xa4\xba\xe4\xbe\x8b\xe7\xa4\xba\xe4\xbe\x8b\xff\n"), "companies.yaml:1:13", "0xFF"),
    ("GF106", yaml(COMPANY.encode("gb18030")), "companies.yaml", "GB18030"),
    ("GF107", yaml(company(note='"a\\u202Eb"')), "companies.yaml:3:9", "U+202E"),
    ("GF107", yaml("- name: 示例\x07厂\n"), "companies.yaml:1:11", "U+0007"),
    ("GF108", yaml(company(year="２０２２")), "companies.yaml:3:9", "2022"),
    ("GF109", csv("园区名称,地区\n示例园区,昆山市\n"), "companies.csv:1:1", "绿色工业园区"),
    ("GF110", yaml(COMPANY + "- name: 甲: 乙\n"), "companies.yaml:2:10", ": "),
    ("GF111", yaml(company(note="a") + "  note: b\n"), "companies.yaml:4:3", "companies.yaml:3:3"),
    ("GF112", yaml(company(note="&x a")), "companies.yaml:3:9", "&x"),
    ("GF112", yaml(company(note="*x")), "companies.yaml:3:9", "*x"),
    ("GF113", yaml(company(year="!!int 3")), "companies.yaml:3:9", "int"),
    ("GF114", yaml(COMPANY + "- name: 示例乙\n  <<: {a: b}\n"), "companies.yaml:3:3", "<<"),
    ("GF115", yaml(COMPANY + "---\n" + COMPANY), "companies.yaml:2:1", "second document"),
    ("GF116", yaml(COMPANY + "- {[a]: b, name: 示例乙, district: 昆山市}\n"), "companies.yaml:2:4", "key"),
    ("GF120", csv("a,b\n1,2\n"), "companies.csv", "heading"),
    ("GF121", csv("企业名称,所在地,电化\n示例甲,昆山市,1\n"), "companies.csv:1:10", "电化"),
    ("GF122", csv("企业名称,所在地,电话,手机\n示例甲,昆山市,1,2\n"), "companies.csv:1:13", "电话"),
    ("GF123", csv("企业名称,所在地\n示例甲,昆山市\n,填表人：张三\n"), "companies.csv:3:2", "passed over"),
    ("GF124", csv('企业名称,所在地\n"示例甲,昆山市\n'), "companies.csv:2:1", "quote"),
    ("GF124", csv('企业名称,所在地\n"示例"甲,昆山市\n'), "companies.csv:2:5", "closing quote"),
    (
        "GF125",
        xlsx([[*HEAD, "备注"], ["示例甲", "昆山市", 913205000000000012]]),
        "companies.xlsx › Sheet!C2",
        "15 digits",
    ),
    ("GF126", xlsx([[*HEAD, "备注"], ["示例甲", "昆山市", "=1+1"]]), "companies.xlsx › Sheet!C2", "=1+1"),
    ("GF128", {"companies.xlsx": b"hidden"}, "companies.xlsx › Sheet", "2"),
    ("GF127", {"companies.xlsx": b"broken"}, "companies.xlsx › Sheet", "well-formed"),
    ("GF129", csv("企业名称,所在地\n示例甲,昆山市,x\n"), "companies.csv:2:9", '"x"'),
    ("GF130", yaml(company(distirct="昆山市")), "companies.yaml:3:3", "distirct"),
    ("GF131", yaml("- {district: 昆山市}\n"), "companies.yaml:1:3", "name"),
    ("GF131", yaml('- {name: "", district: 昆山市}\n'), "companies.yaml:1:10", "name"),
    ("GF132", yaml(company(contact="张三")), "companies.yaml:3:12", "张三"),
    ("GF132", yaml("companies:\n  name: 甲\n"), "companies.yaml:2:3", "list"),
    ("GF133", yaml(company(year="二二年")), "companies.yaml:3:9", "二二年"),
    ("GF134", yaml(company(effective="2023-2-30")), "companies.yaml:3:14", "2023-2-30"),
    ("GF135", yaml(company(enrolment="{sound: 也许}")), "companies.yaml:3:22", "也许"),
    ("GF136", yaml(company(category="绿色设计产品")), "companies.yaml:3:13", "绿色设计产品"),
    ("GF137", yaml(company(year="22")), "companies.yaml:3:9", "22"),
    ("GF138", yaml(company(industry='"a\\nb"')), "companies.yaml:3:13", "line break"),
    ("GF139", yaml(company(企业名称="示例乙有限公司")), "companies.yaml:3:3", "companies.yaml:1:3"),
    ("GF140", yaml(company(credit_code="91350100M000100Y4")), "companies.yaml:3:16", "17"),
    ("GF140", yaml(company(credit_code="91350100M000I00Y43")), "companies.yaml:3:16", "I"),
    ("GF141", yaml(company(credit_code="91350100M000100Y42")), "companies.yaml:3:16", "3"),
    ("GF142", yaml(company(credit_code="91350100M0001000XH")), "companies.yaml:3:16", "licence"),
    ("GF143", settings("苏工信节能〔2023〕22号", "苏工信节能[2023]第022号"), "gfdocs.yaml:9:11", "[2023]"),
    ("GF144", yaml(company().replace("昆山市", "昆仑市")), "companies.yaml:2:13", "昆仑市"),
    ("GF145", yaml("- name: 示例甲有限公司\n"), "companies.yaml:1:3", "district"),
    ("GF146", yaml(COMPANY + COMPANY), "companies.yaml:2:3", "companies.yaml:1:3"),
    ("GF147", settings("  - {name: 吴江区}", "  - {name: 昆山市}"), "gfdocs.yaml:16:12", "昆山市"),
    ("GF148", yaml(company().replace("昆山市", "320584")), "companies.yaml:2:13", "吴江区"),
    ("GF149", yaml("- {name: 示例新厂（原示例旧厂）, district: 昆山市}\n"), "companies.yaml:1:3", "示例旧厂"),
    ("GF150", {"gfdocs.yaml": b"absent"}, "gfdocs.yaml", "gfdocs.yaml"),
    ("GF151", {}, "", "companies*"),
    ("GF152", settings("districts:", "companies: [../x.yaml]\ndistricts:"), "gfdocs.yaml:12:13", "../x.yaml"),
    ("GF154", settings("code: 320583", "code: 320581"), "gfdocs.yaml:14:23", "320583"),
    ("GF155", yaml("- {name: 示例 甲有限公司, district: 昆山市}\n"), "companies.yaml:1:10", "示例甲有限公司"),
    ("GF157", yaml("- {name: 2022-01-01, district: 昆山市}\n"), "companies.yaml:1:10", "2022-01-01"),
    ("GF156", settings("code: 320583", "code: 32058"), "gfdocs.yaml:14:23", "six digits"),
]


@pytest.mark.parametrize(("code", "files", "place", "word"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_each_code_is_met_with_its_place(
    tmp_path: Path, code: str, files: dict[str, str | bytes], place: str, word: str
) -> None:
    files = prepare(files)
    found = issues_of(tmp_path, files)
    if files.get("gfdocs.yaml") == b"absent":
        (tmp_path / "gfdocs.yaml").unlink()
        found = issues_without_settings(tmp_path)

    same = [issue for issue in found if issue.code == code]

    assert same, [str(issue) for issue in found]
    assert str(same[0].place).endswith(place)
    assert word in str(same[0])


def prepare(files: dict[str, str | bytes]) -> dict[str, str | bytes]:
    """Make the two workbooks that openpyxl does not write by itself."""
    if files.get("companies.xlsx") == b"hidden":
        import io

        import openpyxl

        from tests.data.samples import to_bytes

        book = openpyxl.load_workbook(io.BytesIO(workbook([HEAD, ["示例甲", "昆山市"]])))
        assert book.active is not None
        book.active.row_dimensions[2].hidden = True
        return {"companies.xlsx": to_bytes(book)}
    if files.get("companies.xlsx") == b"broken":
        from gfdocs.engine.package import deflate, write_package
        from gfdocs.safezip import read_package

        good = read_package(workbook([HEAD, ["示例甲", "昆山市"]]), name="x")
        members = [
            deflate(m.name, m.read().replace(b"</row>", b"</rwo>", 1)) if "sheet1" in m.name else m
            for m in good.members
        ]
        return {"companies.xlsx": write_package(members)}
    return files


def issues_without_settings(folder: Path) -> list[object]:
    from gfdocs.data.load import load_dataset

    with pytest.raises(DataError) as caught:
        load_dataset(folder)
    return list(caught.value.issues)


def codes_in_source() -> set[str]:
    sources = (ROOT / "gfdocs" / "data").glob("*.py")
    return {code for path in sources for code in re.findall(r'"(GF1\d\d)"', path.read_text(encoding="utf-8"))}


def test_every_code_in_the_source_has_a_case() -> None:
    assert codes_in_source() == {case[0] for case in CASES}


def test_the_list_for_users_has_exactly_these_codes() -> None:
    listed = re.findall(r"^\| (GF1\d\d) \|", (ROOT / "docs/errors/GF1xx.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert sorted(codes_in_source()) == sorted(listed)


def test_every_issue_is_told_in_chinese_as_well(tmp_path: Path) -> None:
    for number, (code, files, *_) in enumerate(CASES):
        if files.get("gfdocs.yaml") == b"absent":
            continue
        for issue in issues_of(tmp_path / str(number), prepare(files)):
            chinese = issue.to_text("zh")
            assert re.search("[\u4e00-\u9fff]", getattr(issue.fact, "zh", "")), (code, issue)
            assert chinese != issue.to_text("en")


@pytest.mark.parametrize(
    ("limits", "data", "name", "word"),
    [
        (SourceLimits(file=100), b"a: " + b"x" * 200, "a.yaml", "MiB"),
        (SourceLimits(text=100), b"a: " + b"x" * 200, "a.yaml", "100 characters"),
        (SourceLimits(record=10), b"a: [1,2,3,4,5,6,7,8,9,10,11]", "a.yaml", "10 values"),
        (SourceLimits(nodes=10), b"a: [1,2,3,4,5,6,7,8,9,10,11]", "a.yaml", "10 values"),
        (SourceLimits(depth=3), b"[[[[1]]]]", "a.yaml", "3 levels"),
        (SourceLimits(issues=3), b"{a: &b 1, c: &d 2, e: &f 3, g: &h 4}", "a.yaml", "3 errors"),
        (SourceLimits(columns=2), "企业名称,地区,c,d".encode(), "a.csv", "2 columns"),
        (SourceLimits(rows=2), "企业名称,地区\n甲,\n乙,\n丙,\n丁,\n".encode(), "a.csv", "2 rows"),
        (SourceLimits(rows=2), workbook([HEAD, *[["甲", str(i)] for i in range(9)]]), "a.xlsx", "more than 2 rows"),
        (SourceLimits(columns=3), workbook([HEAD, ["甲", "", "", "", "x"]]), "a.xlsx", "column 3"),
        (SourceLimits(sheets=1), workbook([HEAD], 二=[HEAD]), "a.xlsx", "1 sheets"),
    ],
)
def test_every_limit_holds_and_is_named(limits: SourceLimits, data: bytes, name: str, word: str) -> None:
    with pytest.raises(DataError) as caught:
        read_source(data, name, limits=limits)

    assert word in str(caught.value)
