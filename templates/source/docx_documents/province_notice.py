"""附件1: the provincial notice. The real text is not ours: this paper holds its place and says so."""

from __future__ import annotations

from wordml import Docx, blank, paragraph, run, tag

from docx_documents.parts import LEVELS, attachment_head, document, signature


def draw() -> Docx:
    return document(
        attachment_head()
        + paragraph("{{ source.title|zh_lines(20) }}", style="AttachmentTitle")
        + paragraph("（{{ source.number }}）", style="SourceNumber")
        + blank()
        + paragraph("各设区市工业和信息化局：", style="Addressee")
        + _body()
        + signature("source.issuer", "source.date", blank_lines=1)
        + paragraph(
            "示意文本，按转印式样编排，文字为自拟；正式印发时请换成来文原件。",
            style="FormNote",
        )
    )


def _point(heading: str, text: str) -> str:
    return paragraph(run("{{ number.next() }}、" + heading + "。", style="HeadingOneChar"), text, style="GongwenBody")


def _body() -> str:
    return (
        tag("set number = cycler('一', '二', '三', '四')")
        + paragraph(
            "为推进工业绿色低碳转型，现将{{ round.name }}名单予以公布，并就有关事项通知如下：", style="GongwenBody"
        )
        + _point(
            "公布名单",
            "{% if source.count %}列入{{ round.name }}名单的单位共{{ source.count }}家。{% endif %}"
            "请各地及时通知有关单位，做好宣传推广。",
        )
        + _point(
            "报送总结和计划",
            LEVELS
            + "名单内单位应总结{{ round.summary_year }}年度绿色化工作，提出{{ round.plan_year }}年度计划，由所在地主管部门审核汇总后报送。",
        )
        + _point(
            "持续开展培育",
            "各地要指导企业对照评价要求补齐短板，制定{{ round.plan_year }}年度培育计划，按程序推荐。",
        )
        + _point(
            "实行动态管理",
            "名单内单位应按时填报关键指标；指标未达要求的，由所在地主管部门组织现场评估。名单内单位可按规定样式自行制作标牌。",
        )
    )
