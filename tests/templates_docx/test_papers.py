"""What the docx templates say, with all of the data and with little of it; docxtpl and gfdocs render the same."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path
from typing import Any

import pytest
from docx import Document

from gfdocs.engine.template import open_template
from gfdocs.errors import errors_of
from gfdocs.gongwen.check import check_docx
from tests.ooxml import find_left_over_tags, find_validation_errors
from tests.templates_docx import sample
from tests.templates_docx.rendering import TEMPLATES, render


def texts(data: bytes) -> list[str]:
    """The paragraphs in reading order, those of tables too; a line break is |, a tab >."""
    body = Document(io.BytesIO(data)).element.body
    out = []
    for p in body.iter("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}p"):
        words = ""
        for node in p.iter():
            tag = node.tag.rpartition("}")[2]
            words += (
                (node.text or "")
                if tag == "t"
                else ">"
                if tag == "tab" and node.getparent().tag.endswith("}r")
                else "|"
                if tag == "br"
                else ""
            )
        out.append(words)
    return out


def notice(**changes: Any) -> list[str]:
    context = sample.notice()
    for key, value in changes.items():
        context[key] = {**context[key], **value} if isinstance(value, dict) and value else value
    return texts(render("notice.docx", context))


@pytest.mark.parametrize("case", sample.CASES)
def test_docxtpl_and_gfdocs_render_the_same_words(case: str) -> None:
    template, context = sample.CASES[case]
    ours = open_template(TEMPLATES / template)
    assert errors_of(ours.issues) == ()
    assert texts(ours.render(context()).to_bytes()) == texts(render(template, context()))


@pytest.mark.parametrize("case", sample.CASES)
def test_a_finished_paper_is_valid_and_has_no_tag_left(case: str, tmp_path: Path) -> None:
    template, context = sample.CASES[case]
    path = tmp_path / "paper.docx"
    path.write_bytes(open_template(TEMPLATES / template).render(context()).to_bytes())
    assert find_left_over_tags(path) == []
    assert find_validation_errors(path) == []


def test_the_notice_says_counts_dates_and_attachments_of_the_data() -> None:
    text = "\n".join(notice())
    assert "全省共301家单位列入名单，其中我市91家。现将有关事项通知如下：" in text
    assert "通知原文见附件1，我市名单见附件2。" in text
    assert "《绿色工厂（园区、供应链）2022年度总结及2023年度计划汇总表》（附件3）" in text
    assert "于2023年2月24日前报我局节能与综合利用处" in text
    assert "附件：1.>关于公布江苏省第三批绿色工厂名单的通知" in text
    assert ">4.>2023年度绿色工厂培育计划表" in text
    assert [line[0] for line in notice() if re.match("[一二三四五六]、", line)] == list("一二三四五")


def test_the_notice_of_all_units_tells_how_many_are_new() -> None:
    text = "\n".join(notice(round={"scope": "all"}, counts={"listed": 132, "new": 91}))
    assert "截至2022年度，我市在列单位共132家，其中本批91家。现将有关事项通知如下：" in text


def test_points_without_their_attachment_are_left_out_and_the_rest_counted_on() -> None:
    context = sample.notice()
    kept = context["attachments"][:2]
    context["attachments"] = kept
    context["annex"] = {"province_notice": kept[0], "list": kept[1]}
    lines = texts(render("notice.docx", context))
    assert [line[0] for line in lines if re.match("[一二三四五六]、", line)] == list("一二三")
    assert not any("培育计划表" in line for line in lines)
    assert errors_of(check_docx(render("notice.docx", context))) == ()


def test_a_date_not_set_is_not_invented() -> None:
    text = "\n".join(notice(due={}))
    assert "由各地审核汇总后，及时报我局节能与综合利用处。" in text
    assert "月24日" not in text


def test_one_attachment_has_no_number_and_none_leaves_no_line() -> None:
    context = sample.notice()
    context["attachments"] = [{**context["attachments"][1], "number": 1, "label": "附件"}]
    context["annex"] = {"list": context["attachments"][0]}
    lines = texts(render("notice.docx", context))
    assert "附件：江苏省第三批绿色工厂名单（苏州市）" in lines
    context["attachments"], context["annex"] = [], {}
    assert not any(line.startswith("附件：") for line in texts(render("notice.docx", context)))


def test_nobody_to_copy_to_and_no_contact() -> None:
    issuer = {
        **sample.context()["issuer"],
        "copy_to": [],
        "contact": {"name": "", "phone": "", "email": ""},
        "office": "",
    }
    context = {**sample.notice(), "issuer": issuer}
    data = render("notice.docx", context)
    lines = texts(data)
    assert not any("抄送" in line or "联系人" in line for line in lines)
    assert lines[-2] == "苏州市工业和信息化局办公室>2023年2月10日印发"
    assert errors_of(check_docx(data)) == ()


@pytest.mark.parametrize("date", [dt.date(2023, 2, 1), dt.date(2023, 2, 10), dt.date(2023, 12, 31)])
def test_name_and_date_stand_on_one_centre_four_characters_from_the_right(date: dt.date) -> None:
    context = sample.notice()
    context["round"]["date"] = date
    document = Document(io.BytesIO(render("notice.docx", context)))
    words = f"{date.year}年{date.month}月{date.day}日"
    at = next(i for i, p in enumerate(document.paragraphs) if p.text == words)
    name, line = document.paragraphs[at - 1], document.paragraphs[at]
    lefts = [p.paragraph_format.left_indent or p.style.paragraph_format.left_indent for p in (name, line)]
    assert lefts[0] == lefts[1]
    width = 3 * 15.75 + (len(words) - 3) * 15.75 / 2
    right = (442.2 - lefts[0].pt - width) / 2
    assert right == pytest.approx(4 * 15.75, abs=0.6)


def test_a_long_issuer_still_has_its_name_above_the_date() -> None:
    long = "示例省示例市工业和信息化与大数据管理局"
    context = sample.notice()
    context["issuer"] = {**context["issuer"], "name": long, "mark": long + "文件"}
    data = render("notice.docx", context)
    document = Document(io.BytesIO(data))
    at = next(i for i, p in enumerate(document.paragraphs) if p.text == "2023年2月10日")
    assert document.paragraphs[at - 1].text == long
    assert document.paragraphs[0].style.name == "发文机关标志（长）"
    assert errors_of(check_docx(data)) == ()


def test_a_title_of_ones_own_replaces_the_built_in_one() -> None:
    lines = notice(round={"title": "关于做好示例工作的通知"})
    assert "关于做好示例工作的通知" in lines
    assert not any("并做好有关工作的通知" in line for line in lines)


def test_the_list_counts_by_district_and_in_all() -> None:
    lines = texts(render("list.docx", sample.attachment("list")))
    assert lines[:3] == ["附件2", "", "江苏省第三批绿色工厂名单（苏州市）"]
    numbers = [int(line) for line in lines if line.isdigit()]
    assert numbers == list(range(1, 92))
    sub_totals = [int(lines[i + 1][:-1]) for i, line in enumerate(lines) if line == "小计"]
    assert sub_totals == [n for *_, n in sample.DISTRICTS if n] and sum(sub_totals) == 91
    assert lines[lines.index("合计") + 1].startswith("91家（绿色工厂")


def test_a_district_sees_its_own_units_under_the_numbers_of_the_city_list() -> None:
    lines = texts(render("list.docx", sample.district_list()))
    assert "（昆山市）" in lines
    assert [int(line) for line in lines if line.isdigit()] == list(range(30, 47))
    assert "张家港市" not in lines and "小计" not in lines
    assert lines[lines.index("合计") + 1].startswith("17家")


def test_an_empty_list_says_so() -> None:
    context = sample.attachment("list")
    context["groups"], context["counts"] = [], {**context["counts"], "listed": 0, "parks": 0, "supply_chains": 0}
    lines = texts(render("list.docx", context))
    assert "（无）" in lines and lines[lines.index("合计") + 1] == "0家"


def test_a_summary_with_all_data_and_with_none() -> None:
    full = texts(render("annual-summary.docx", sample.annual_summary()))
    assert [line for line in full if re.match("[一二三]、", line)] == [
        "一、2022年度绿色化工作总结",
        "二、关键指标",
        "三、2023年度工作计划",
    ]
    assert "健全能源管理体系，建成能耗在线监测平台，主要用能设备全部接入；开展清洁生产审核，落实方案12项。" in full
    assert "128,600" in full and "5,230.5" in full and "下降3.3%" in full
    data = render("annual-summary.docx", sample.bare_summary())
    bare = texts(data)
    assert not any(re.match("[一二三]、", line) for line in bare)
    assert len(Document(io.BytesIO(data)).tables) == 1
    assert "None" not in "".join(bare)
    context = sample.bare_summary()
    context["company"] |= {"summary": None, "plan": None}  # as a script of one's own may give it
    assert texts(render("annual-summary.docx", context)) == bare


def test_a_figure_of_zero_is_shown_and_a_missing_one_is_a_dash() -> None:
    context = sample.annual_summary()
    context["indicators"] = [{**context["indicators"][0], "last": 0, "current": None, "change_text": ""}]
    lines = texts(render("annual-summary.docx", context))
    at = lines.index("单位产品综合能耗")
    assert lines[at + 2 : at + 5] == ["0", "—", "—"]


def test_the_cover_lists_the_package_and_the_dates() -> None:
    lines = texts(render("cover.docx", sample.cover()))
    assert "昆山市工信局：" in lines
    assert any(
        "你地列入名单的单位共17家，需报送年度总结和年度计划的单位共58家，请组织填报并审核汇总。清单如下：" in line
        for line in lines
    )
    at = lines.index("附件3　绿色工厂（园区、供应链）2022年度总结及2023年度计划汇总表")
    assert lines[at - 1 : at + 3] == ["2", lines[at], "1", "2023年2月24日"]
    at = lines.index("标牌（示意样式）")
    assert lines[at : at + 3] == ["标牌（示意样式）", "17", "—"]
    due = "请于2023年2月24日前将附件3、附件4、《苏州市绿色工厂培育库申报入库汇总表》（一式一份，附电子版）报我局节能与综合利用处。"
    assert due in lines


def test_the_cover_has_one_sentence_for_each_date() -> None:
    context = sample.cover()
    context["deadlines"][0] = {**context["deadlines"][0], "date": dt.date(2023, 12, 31)}
    lines = texts(render("cover.docx", context))
    assert [line for line in lines if line.startswith("请于")] == [
        "请于2023年2月24日前将附件4、《苏州市绿色工厂培育库申报入库汇总表》（一式一份，附电子版）报我局节能与综合利用处。",
        "请于2023年12月31日前将附件3报我局节能与综合利用处。",
    ]


@pytest.mark.parametrize(
    ("level", "lists", "whole"),
    [
        ("省级", "国家级、省级绿色工厂", "全省共301家"),
        ("国家级", "国家级、省级绿色工厂", "全国共301家"),
        ("市级", "国家级、省级、市级绿色工厂", "，共301家"),
    ],
)
def test_the_notice_names_the_lists_of_its_level(level: str, lists: str, whole: str) -> None:
    text = "".join(notice(round={"level": level}))
    assert f"列入{lists}（园区、供应链）名单的单位" in text
    assert whole in text
    context = sample.attachment("province-notice")
    context["round"]["level"] = level
    provincial = "".join(texts(render("province-notice.docx", context)))
    assert lists.removesuffix("绿色工厂") + "名单内单位应总结" in provincial


@pytest.mark.parametrize("name", ["province-notice", "list", "annual-summary"])
def test_a_form_whose_official_text_is_not_public_says_it_is_an_example(name: str) -> None:
    template, context = sample.CASES[name]
    assert any("示意" in line for line in texts(render(template, context())))


def test_the_provincial_notice_carries_the_title_and_number_of_its_source() -> None:
    lines = texts(render("province-notice.docx", sample.attachment("province-notice")))
    assert lines[:4] == ["附件1", "", "关于公布江苏省第三批绿色工厂名单的通知", "（苏工信节能〔2023〕22号）"]
