"""The clause checker: a right paper passes, each fault is found by itself and all of them together."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from gfdocs.engine.template import open_template
from gfdocs.errors import Issue, PackageError, errors_of
from gfdocs.gongwen.check import check_docx
from gfdocs.gongwen.reading import read_docx
from gfdocs.gongwen.rules import RULES
from tests.gongwen.papers import FAULTS, Fault, bad_notice, good_notice, open_docx, to_bytes
from tests.templates_docx import sample
from tests.templates_docx.rendering import TEMPLATES, render


def says(issue: Issue, fault: Fault) -> bool:
    fact_zh = getattr(issue.fact, "zh", "")
    return issue.code == fault.code and any(fault.words in text for text in (issue.fact, fact_zh, str(issue.place)))


def test_the_built_in_notice_has_no_error_and_no_warning() -> None:
    assert [str(i) for i in check_docx(good_notice(), "通知.docx")] == []


@pytest.mark.parametrize("case", sample.CASES)
def test_every_built_in_paper_has_no_error(case: str) -> None:
    template, context = sample.CASES[case]
    issues = check_docx(render(template, context()), template)
    assert [str(i) for i in issues if i.severity != "note"] == []


def test_a_number_not_given_yet_is_only_a_note() -> None:
    issues = check_docx(render("notice.docx", sample.notice()), "通知.docx")
    assert [(i.code, i.severity) for i in issues] == [("GF785", "note")]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f"{f.code} {f.name}")
def test_each_fault_is_found_by_itself(fault: Fault) -> None:
    document = open_docx(good_notice())
    fault.plant(document)
    issues = check_docx(to_bytes(document), "通知.docx")
    found = [i for i in issues if says(i, fault)]
    assert found, f"not found; said: {[str(i) for i in issues]}"
    assert found[0].severity == fault.severity
    assert found[0].place.file == "通知.docx"


def test_all_faults_of_a_bad_paper_in_one_run_each_with_its_place() -> None:
    data, planted = bad_notice()
    issues = check_docx(data, "通知.docx")
    missed = [f"{f.code} {f.name}" for f in planted if not any(says(i, f) for i in issues)]
    assert missed == []
    assert len(planted) >= 24
    placeless = [
        str(i) for i in issues if not i.place.path and i.code not in ("GF702", "GF701", "GF741", "GF796", "GF799")
    ]
    assert placeless == []


def test_every_rule_has_a_fault_that_triggers_it() -> None:
    assert set(RULES) - {fault.code for fault in FAULTS} == set()


def test_issues_name_the_clause_in_both_languages() -> None:
    data, _ = bad_notice()
    issue = next(i for i in check_docx(data, "通知.docx") if i.code == "GF717")
    assert "GB/T 9704-2012 7.2.5" in issue.to_text("en") and "GB/T 9704-2012 7.2.5" in issue.to_text("zh")
    assert "“[2023]”" in issue.to_text("zh") and "应为〔2023〕15号" in issue.to_text("zh")
    assert str(issue.place).startswith("通知.docx › document › paragraph 4 › “苏工信发[2023]15号”")


def test_what_is_not_shall_is_never_an_error() -> None:
    data, _ = bad_notice()
    for issue in errors_of(check_docx(data)):
        assert RULES[issue.code].strength == "规"


def test_a_paper_of_python_docx_is_read_as_it_is() -> None:
    document = Document()
    document.add_heading("关于开展培训的通知", 0)
    document.add_paragraph("各有关单位：")
    document.add_paragraph("现将有关事项通知如下。")
    issues = check_docx(to_bytes(document), "培训.docx")
    codes = {i.code for i in issues}
    assert {"GF701", "GF702", "GF706", "GF724", "GF761", "GF791"} <= codes


def test_automatic_numbers_of_word_count_as_written() -> None:
    def codes(numbered: bool) -> set[str]:
        document = Document()
        root = document.part.numbering_part.element
        root.insert(0, parse_xml(
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="77"><w:lvl w:ilvl="0"><w:start w:val="2"/>'
            '<w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl></w:abstractNum>'))  # fmt: skip
        root.append(parse_xml(f'<w:num {nsdecls("w")} w:numId="77"><w:abstractNumId w:val="77"/></w:num>'))
        document.add_paragraph("一、提高认识。")
        second = document.add_paragraph("落实责任。")
        document.add_paragraph("三、按时报送。")
        if numbered:
            second._p.get_or_add_pPr().append(
                parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="0"/><w:numId w:val="77"/></w:numPr>')
            )
        return {i.code for i in check_docx(to_bytes(document))}

    assert "GF728" in codes(numbered=False)
    assert "GF728" not in codes(numbered=True)


def test_an_empty_document_is_no_crash() -> None:
    assert check_docx(to_bytes(Document()), "空.docx")


@pytest.mark.parametrize("data", [b"", b"not a docx", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_docx_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(PackageError) as caught:
        check_docx(data, "坏.docx")
    assert caught.value.issues[0].place.file == "坏.docx"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40), max_size=12))
def test_any_text_is_checked_without_a_crash(lines: list[str]) -> None:
    document = Document()
    for line in lines:
        document.add_paragraph(line)
    out = io.BytesIO()
    document.save(out)
    for issue in check_docx(out.getvalue()):
        assert issue.to_text("zh") and issue.to_text("en")


@pytest.mark.parametrize("name", ["notice.docx", "list.docx"])
def test_places_are_counted_as_the_engine_counts_them(name: str) -> None:
    data = (TEMPLATES / name).read_bytes()
    ours = {p.place: p.text for p in read_docx(data, name).all_paragraphs}
    theirs = {n.place.path for n in open_template(TEMPLATES / name).names if n.place.path[0] == "document"}
    assert len(theirs) > 5
    for place in theirs:
        assert "{{" in ours[place] or "{%" in ours[place], place


def test_every_code_is_in_the_list_of_errors_with_its_clause() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/errors/GF7xx.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].strip("| "): line for line in page.splitlines() if line.startswith("| GF7")}
    assert set(rows) == set(RULES)
    for code, rule in RULES.items():
        assert rule.clause in rows[code] and rule.title in rows[code] and rule.title.zh in rows[code]


def test_a_letter_has_its_number_at_the_right_and_needs_no_red_rule_under_it() -> None:
    """信函格式 (10.1)."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    from tests.gongwen.papers import _border_off, blank_before, find, remove, replace

    document = open_docx(good_notice())
    replace(find(document, "苏州市工业和信息化局文件"), "文件", "")
    for _ in range(2):
        remove(blank_before(document, "苏工信发"))
    find(document, "苏工信发").paragraph_format.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _border_off(document)
    assert [str(i) for i in errors_of(check_docx(to_bytes(document)))] == []


def test_name_and_date_in_a_table_are_found() -> None:
    from tests.gongwen.papers import remove

    document = open_docx(render("notice.docx", sample.notice()))
    for start in ("2023年2月10日", "苏州市工业和信息化局"):
        remove([p for p in document.paragraphs if p.text == start or (start == p.text)][-1])
    table = document.add_table(2, 1)
    table.rows[0].cells[0].text, table.rows[1].cells[0].text = "苏州市工业和信息化局", "2023年2月10日"
    document.tables[0]._tbl.addprevious(table._tbl)
    assert "GF741" not in {i.code for i in check_docx(to_bytes(document))}


@pytest.mark.parametrize(
    "text",
    [
        "按照《甲办法》（苏府〔2022〕1号）执行，投资1.5亿元。",
        "1）明确专人；2）按时报送。",
        "登录平台（https://example.com/a?b=1）下载名单.xlsx。",
        "上午9:30在301会议室开会……",
        "能耗下降10%～20%，2021—2025年分步实施。",
        "成立26年来，企业累计投资3.5亿元。",
        "截至2022年底共132家，报名截止日期为3月5日。",
        "他说：“请支持‘绿色制造’工作。”",
    ],
)
def test_right_sentences_are_left_alone(text: str) -> None:
    from tests.gongwen.papers import _body_text

    document = open_docx(good_notice())
    _body_text(text)(document)
    assert [str(i) for i in check_docx(to_bytes(document))] == []
