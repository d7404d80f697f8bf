"""通知: the city relays the provincial list and says what is due. Five points with run-in headings, numbered as they occur."""

from __future__ import annotations

from wordml import Docx, blank, paragraph, run, tag

from docx_documents.parts import LEVELS, attachment_list, contact, document, imprint, signature
from docx_documents.styles import MARK_LIMIT
from gfdocs.gongwen import layout


def draw() -> Docx:
    return document(
        _head()
        + _title()
        + _lead()
        + _points()
        + contact()
        + attachment_list()
        + signature("issuer.name", "round.date")
        + imprint()
    )


def _head() -> str:
    """版头 (7.2)."""
    return (
        tag(f"if issuer.mark|length <= {MARK_LIMIT}")
        + paragraph("{{ issuer.mark }}", style="IssuerMark")
        + tag("else")
        + paragraph("{{ issuer.mark }}", style="IssuerMarkLong")
        + tag("endif")
        + blank(layout.BLANK_LINES_ABOVE_NUMBER)
        + paragraph("{{ round.number_or_blank }}", style="DocumentNumber")
    )


def _title() -> str:
    """标题 (7.3.1): an inverted trapezoid whose lines break between words; a title of one's own breaks by itself."""
    return (
        blank(layout.BLANK_LINES_ABOVE_TITLE)
        + tag("if round.title")
        + paragraph("{{ round.title|zh_lines(20) }}", style="GongwenTitle")
        + tag("else")
        + paragraph(
            "{{ issuer.name }}关于转发\n{{ (round.name ~ '名单')|zh_lines(20) }}\n并做好有关工作的通知",
            style="GongwenTitle",
        )
        + tag("endif")
        + blank(layout.BLANK_LINES_ABOVE_ADDRESSEE)
        + paragraph("{{ addressees|join('，') }}：", style="Addressee")
    )


def _lead() -> str:
    return paragraph(
        "近日，{{ source.issuer }}印发《{{ source.title }}》（{{ source.number }}）"
        "{% if source.count %}，"
        "{% if round.level == '国家级' %}全国{% elif round.level == '省级' %}全省{% endif %}共{{ source.count }}家单位列入名单{% endif %}"
        "{% if round.scope == 'all' %}。截至{{ round.year }}年度，我市在列单位共{{ counts.listed }}家，其中本批{{ counts.new }}家"
        "{% elif source.count %}，其中我市{{ counts.listed }}家{% else %}，我市{{ counts.listed }}家单位列入名单{% endif %}"
        "。现将有关事项通知如下：",
        style="GongwenBody",
    )


def _point(heading: str, *text: str) -> str:
    """A first-level point whose heading stands at the head of its paragraph."""
    return paragraph(run("{{ number.next() }}、" + heading + "。", style="HeadingOneChar"), *text, style="GongwenBody")


def _second(heading: str, *text: str) -> str:
    return paragraph(run(heading + "。", style="HeadingTwoChar"), *text, style="GongwenBody")


def _points() -> str:
    return (
        tag("set number = cycler('一', '二', '三', '四', '五')")
        + _list_point()
        + _annual_point()
        + _cultivation_point()
        + _enrolment_point()
        + _watch_point()
    )


def _due(document_id: str, what: str = "报") -> str:
    """The sentence with the date, without a date where none is set."""
    return (
        f"{{% if due.{document_id} is defined %}}于{{{{ due.{document_id}|zh_date }}}}前{{% else %}}及时{{% endif %}}{what}我局"
        "{% if issuer.office %}{{ issuer.office }}{% endif %}"
    )


def _list_point() -> str:
    return _point(
        "做好名单转发",
        "{% if annex.province_notice is defined %}通知原文见{{ annex.province_notice.label }}{% endif %}"
        "{% if annex.province_notice is defined and annex.list is defined %}，{% endif %}"
        "{% if annex.list is defined %}我市名单见{{ annex.list.label }}{% endif %}"
        "{% if annex.province_notice is defined or annex.list is defined %}。{% endif %}"
        "请各地及时告知辖区内有关单位，总结推广绿色制造经验做法，发挥示范带动作用。",
    )


def _annual_point() -> str:
    return (
        tag("if annex.annual_table is defined")
        + _point(
            "报送年度总结和年度计划",
            f"列入{LEVELS}绿色工厂（园区、供应链）名单的单位（含本批，共{{{{ counts.units }}}}家）应总结"
            "{{ round.summary_year }}年度绿色化工作，制定{{ round.plan_year }}年度计划，填写"
            "《{{ annex.annual_table.title }}》（{{ annex.annual_table.label }}）。由各地审核汇总后，"
            + _due("annual_table")
            + "。",
        )
        + tag("endif")
    )


def _cultivation_point() -> str:
    return (
        tag("if annex.cultivation_table is defined")
        + _point(
            "制定年度培育计划",
            "请各地遴选基础条件好、代表性强的企业纳入培育，填写《{{ annex.cultivation_table.title }}》"
            "（{{ annex.cultivation_table.label }}），"
            + _due("cultivation_table")
            + "。列入培育计划的企业，优先推荐申报"
            "{{ round.plan_year }}年度{{ round.level }}绿色工厂。",
        )
        + tag("endif")
    )


def _enrolment_point() -> str:
    return (
        _point(
            "组织申报入库",
            "组织符合条件的企业自愿申报，严格把关"
            "{% if annex.enrolment_table is defined %}，填写《{{ annex.enrolment_table.title }}》（{{ annex.enrolment_table.label }}）{% endif %}，"
            + _due("enrolment_table", "将材料报")
            + "。",
        )
        + _second(
            "（一）基本条件",
            "{% for condition in conditions %}{{ condition }}{% if loop.last %}。{% else %}；{% endif %}{% endfor %}",
        )
        + _second("（二）不得入库的情形", "有下列情形之一的，不得入库：")
        + tag("for exclusion in exclusions")
        + paragraph("{{ loop.index }}.{{ exclusion }}{% if loop.last %}。{% else %}；{% endif %}", style="GongwenBody")
        + tag("endfor")
    )


def _watch_point() -> str:
    return _point(
        "加强指标监测和标牌管理",
        "名单内单位应通过工业节能与绿色发展管理平台（green.miit.gov.cn）填报关键指标，全年关注"
        "{% for item in watch[-4:] %}{{ item.name }}{% if not loop.last %}、{% endif %}{% endfor %}等指标的变化情况。"
        "请各地审核填报数据，对指标未达要求的组织现场评估，对不再符合条件的及时报告我局。"
        "名单内单位可按规定样式自行制作标牌。",
    )
