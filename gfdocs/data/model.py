"""The records of a green-factory round, as pydantic models.

Each field has its English name (used in YAML and templates), its Chinese title, and the other headings under which
it is found in tables (`aliases`; the default ones are the variants met in six published lists). Keys of YAML and
headings of CSV/XLSX may be any of them. Records are frozen and know nothing of files: places live in `load`.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Category", "Company", "Contact", "Cultivation", "Deadline", "District", "Enrolment", "Indicator", "Issuer",
    "Plan", "PlannedProject", "Plaque", "Project", "Record", "Round", "Settings", "SourceNotice", "Status", "Summary",
]  # fmt: skip


class Record(BaseModel):
    """A frozen record that refuses keys it does not know."""

    # defer_build: records are put together by `fields`, so validators are built only for who calls them.
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False, defer_build=True)


def _field(title: str, *aliases: str, default: Any = ..., unit: str | None = None, note: str | None = None) -> Any:
    extra: dict[str, Any] = {"aliases": list(aliases)}
    if unit:
        extra["unit"] = unit
    if isinstance(default, type):  # made when asked for, so that importing this module builds no validator
        return Field(default_factory=default, title=title, description=note, json_schema_extra=extra)
    return Field(default, title=title, description=note, json_schema_extra=extra)


class Category(StrEnum):
    """What a listed unit is (名单类别)."""

    FACTORY = "绿色工厂"
    PARK = "绿色工业园区"
    SUPPLY_CHAIN = "绿色供应链管理企业"


class Status(StrEnum):
    """Where a unit stands on the list; 培育 is a candidate that is not listed yet."""

    LISTED = "在列"
    REMOVED = "移出"
    RENAMED = "更名"
    CANDIDATE = "培育"


class Contact(Record):
    name: str = _field("联系人", "联系人姓名", "姓名", default="")
    phone: str = _field("联系电话", "电话", "手机", "联系方式", default="")
    email: str = _field("电子邮箱", "邮箱", "E-mail", default="")


class Issuer(Record):
    """The body that signs the notice (发文机关)."""

    name: str = _field("发文机关", "名称", note="全称，用作署名 / full name, as signed")
    short_name: str = _field("简称", "发文机关简称", default="")
    mark: str = _field("发文机关标志", default="", note="红头；空则为全称加“文件” / red head; name + 文件 where empty")
    office: str = _field("承办处室", "处室", default="")
    address: str = _field("地址", "通讯地址", default="")
    contact: Contact = _field("联系人信息", default=Contact)
    copy_to: tuple[str, ...] = _field("抄送", default=())


class SourceNotice(Record):
    """The provincial notice that the city relays."""

    issuer: str = _field("来文机关", "发文机关")
    number: str = _field(
        "来文字号", "发文字号", "文号", note="如 苏工信节能〔2023〕22号，用六角括号 / brackets are U+3014, U+3015"
    )
    title: str = _field("来文标题", "标题")
    date: dt.date = _field("来文日期", "日期")
    count: int | None = _field(
        "全省数量", "数量", default=None, note="全省名单家数 / units in the whole provincial list"
    )


class Deadline(Record):
    """One thing that is due (报送要求): what, by when, to whom."""

    document: str = _field("文件", "document", note="须报送的文件编号 / id of the document to send back: annual-table")
    date: dt.date = _field("截止日期", "日期", "报送时间")
    note: str = _field("说明", "备注", default="")


class District(Record):
    """A county-level city or district; the order in the file is the official order."""

    name: str = _field("县级市（区）", "名称", "区县", "所在区县", "县（市、区）")
    code: str = _field("区划代码", "代码", default="")
    short_name: str = _field("简称", default="", note="用于主送机关：苏州工业园区的简称为工业园区 / as in an addressee")
    body: str = _field("主管部门", "部门", default="工信局", note="工信局、经科局、经发委或其他 / or any other body")
    addressee: str = _field("主送", "主送机关", default="", note="空则为简称加主管部门 / short name + body where empty")
    contact: Contact = _field("联系人信息", default=Contact)


class Round(Record):
    """One round of the list (批次) and the notice that carries it."""

    name: str = _field("名单名称", "批次名称", note="如 江苏省第三批绿色工厂 / as the notice names the list")
    year: int = _field("年度", note="名单所属年度，如 2022 / year of the list")
    batch: str = _field("批次", default="")
    level: str = _field("级别", "名单级别", default="省级", note="国家级、省级、市级 / national, provincial, city")
    province: str = _field("省", "省份", default="江苏省")
    city: str = _field("市", "设区市", default="苏州市")
    number: str = _field(
        "发文字号",
        "文号",
        default="",
        note="本市发文字号；空则显示【待编号】 / the city's own number; 【待编号】 where empty",
    )
    date: dt.date = _field("成文日期", "日期")
    title: str = _field(
        "通知标题", "标题", default="", note="替代默认的通知标题 / replaces the built-in title of the notice"
    )
    scope: str = _field(
        "名单范围",
        default="new",
        note="new 只列本批；all 列截至该年度的全部单位 / new: this round; all: every unit up to `year`",
    )
    summary_year: int | None = _field(
        "总结年度",
        default=None,
        note="附件3 总结的年度；空则为成文日期的上一年 / year that annex 3 sums up; the year before `date` where empty",
    )
    expected: int | None = _field(
        "应有数量", "数量", default=None, note="名单应有家数，填写则核对 / rows annex 2 must have; checked when given"
    )


class Project(Record):
    """A finished project of the year (上年度项目)."""

    name: str = _field("项目名称", "名称")
    investment: Decimal | None = _field("投资额", "投资（万元）", "投资额（万元）", default=None, unit="万元")
    benefit: str = _field("成效", "节能减排效果", default="")


class PlannedProject(Record):
    name: str = _field("项目名称", "重点项目", "名称")
    investment: Decimal | None = _field("计划投资", "计划投资（万元）", default=None, unit="万元")
    due: str = _field("完成时限", "完成时间", default="")
    benefit: str = _field("预期成效", default="")


class Summary(Record):
    """Last year's summary (上年度总结)."""

    text: str = _field("绿色化工作总结", "上年度绿色化工作总结", "总结", default="")
    output_value: Decimal | None = _field("产值", "上年度产值（万元）", default=None, unit="万元")
    energy: Decimal | None = _field("综合能耗", "上年度综合能耗（吨标准煤）", default=None, unit="吨标准煤")
    projects: tuple[Project, ...] = _field("已完成项目", default=())


class Plan(Record):
    """Next year's plan (下年度计划)."""

    text: str = _field("下年度目标", "工作计划", "目标", default="")
    projects: tuple[PlannedProject, ...] = _field("下年度重点项目", "重点项目", default=())


class Indicator(Record):
    """One figure to watch (指标): last year, this year, target, with its unit."""

    name: str = _field("指标名称", "指标", "三级指标", "名称")
    unit: str = _field("单位", "计量单位", default="")
    group: str = _field("一级指标", "指标类别", default="")
    last: Decimal | None = _field("上年度指标值", "上年度", "上年值", default=None)
    current: Decimal | None = _field("本年度指标值", "本年度", "本年值", default=None)
    target: Decimal | None = _field("下年度目标值", "目标", "目标值", default=None)
    better: str = _field(
        "指标类型", default="", note="high 正向，low 逆向；空则取指标目录 / from the catalogue where empty"
    )
    evidence: str = _field("证明材料", default="")


class Cultivation(Record):
    """A unit's entry in the cultivation plan (培育计划)."""

    products: str = _field("主要产品", default="")
    output_value: Decimal | None = _field("上年度产值（万元）", "上年度产值", "产值", default=None, unit="万元")
    energy: Decimal | None = _field("上年度综合能耗（吨标准煤）", "综合能耗", default=None, unit="吨标准煤")
    level: str = _field("培育级别", default="省级")
    year: int | None = _field("计划申报年度", "申报年度", default=None)
    measures: str = _field("主要创建措施", "创建措施", default="")


class Enrolment(Record):
    """The gates of 申报入库: the basic conditions must hold, the exclusions must not."""

    independent: bool | None = _field("在苏州注册的独立法人工业企业", "独立法人", default=None)
    sound: bool | None = _field("经营状况良好", default=None)
    no_accident: bool | None = _field("近三年无较大及以上事故", default=None)
    safety_accident: bool | None = _field("发生较大及以上安全、质量事故", default=None)
    environment_event: bool | None = _field("发生Ⅲ级及以上突发环境事件", default=None)
    inspection_problem: bool | None = _field("国家、省检查发现严重问题", default=None)
    energy_rectification: bool | None = _field("节能监察整改未完成", default=None)
    dishonest: bool | None = _field("失信被执行人", default=None)


class Company(Record):
    """A unit on the list, or a candidate for it. Identity: the credit code, else the name within its category."""

    name: str = _field(
        "企业名称", "公司名称", "单位名称", "工厂名称", "园区名称", "企业（单位）名称", "名称", "company_name"
    )
    former_name: str = _field("原名称", "曾用名", "原企业名称", default="")
    credit_code: str = _field(
        "统一社会信用代码", "信用代码", "组织机构代码", default="", note="18 位，GB 32100-2015 / 18 characters"
    )
    district: str = _field(
        "所在地", "地区", "县级市（区）", "所在区县", "所在县（市、区）", "区县", "属地",
        "县（市、区）", "区（市、县）", "县市区", "县区", "所属区县", "所在市（区）", default="",
        note="县级市（区）的名称、简称或代码；空则提示，不推测 / name, short name or code; never guessed",
    )  # fmt: skip
    category: Category = _field("名单类别", "类别", "单位类别", default=Category.FACTORY)
    level: str = _field("名单级别", "级别", default="", note="国家级、省级、市级 / national, provincial, city")
    batch: str = _field("批次", default="")
    year: int | None = _field("年度", "列入年度", "批次年度", default=None)
    industry: str = _field("所属行业", "行业", default="", note="按 GB/T 4754 填写 / by GB/T 4754")
    english_name: str = _field("英文名称", "英文名", default="")
    status: Status = _field("状态", "名单状态", default=Status.LISTED)
    effective: dt.date | None = _field("生效日期", default=None, note="移出或更名的生效日期 / of a removal or renaming")
    contact: Contact = _field("联系人信息", default=Contact)
    summary: Summary | None = _field("上年度总结", default=None)
    plan: Plan | None = _field("下年度计划", default=None)
    indicators: tuple[Indicator, ...] = _field("关键指标", "指标", default=())
    cultivation: Cultivation | None = _field("培育计划", default=None)
    enrolment: Enrolment | None = _field("申报入库", default=None)
    source_url: str = _field("来源", default="")
    note: str = _field("备注", default="")


class Plaque(Record):
    """What the plaque says and how large it is; all of it 示意, since the official drawing is not public."""

    width: Decimal = _field("宽度（毫米）", default=Decimal(600), unit="mm")
    height: Decimal = _field("高度（毫米）", default=Decimal(400), unit="mm")
    province_english: str = _field("省英文名", default="JIANGSU")
    city_english: str = _field("市英文名", default="SUZHOU")
    national_issuer: str = _field("国家级落款", default="中华人民共和国工业和信息化部")
    city_issuer: str = _field("市级落款", default="", note="空则为发文机关 / the issuer of the notice where empty")


class Settings(Record):
    """gfdocs.yaml: all of a round but its companies."""

    round: Round = _field("批次")
    issuer: Issuer = _field("发文机关")
    source: SourceNotice = _field("来文", "source_notice")
    districts: tuple[District, ...] = _field("县级市（区）")
    attachments: tuple[str, ...] = _field(
        "附件",
        default=(),
        note="文件编号，按附件次序；附件号由此得出 / document ids in the order of the annex list; numbers follow",
    )
    deadlines: tuple[Deadline, ...] = _field("报送要求", default=())
    documents: tuple[str, ...] = _field(
        "文件", default=(), note="要制作的文件；空则全部 / which documents to make; all that apply where empty"
    )
    plaque: Plaque = _field("标牌", default=Plaque)
    companies: tuple[str, ...] = _field(
        "企业数据", default=(), note="企业数据文件；空则为 companies*.yaml、.csv、.xlsx / files of companies"
    )
