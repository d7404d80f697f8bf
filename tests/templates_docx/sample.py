"""A round to try the docx templates on: real-looking lists of plainly fictitious companies, in the shape templates see."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

DISTRICTS = (
    ("张家港市", "张家港市", "工信局", 12), ("常熟市", "常熟市", "工信局", 9), ("太仓市", "太仓市", "工信局", 8),
    ("昆山市", "昆山市", "工信局", 17), ("吴江区", "吴江区", "工信局", 13), ("吴中区", "吴中区", "工信局", 7),
    ("相城区", "相城区", "工信局", 6), ("姑苏区", "姑苏区", "经科局", 0), ("苏州工业园区", "工业园区", "经发委", 12),
    ("苏州高新区（虎丘区）", "高新区", "经发委", 7),
)  # fmt: skip
TRADES = ("精密机械", "新材料", "电子", "纺织", "汽车部件", "生物医药", "包装", "电缆")
LONG_NAME = "示例江南绿色循环智能制造装备与新型功能材料（集团）股份有限公司"  # 31 characters


def company(district: str, number: int) -> dict[str, Any]:
    name = f"示例{district.split('（')[0]}{TRADES[number % len(TRADES)]}{number}厂有限公司"
    if number == 3:
        name = LONG_NAME
    kind = {5: "绿色工业园区", 6: "绿色供应链管理企业"}.get(number, "绿色工厂")
    return {
        "name": name, "display_name": name if number != 4 else f"{name}（原示例{TRADES[0]}厂）", "category": kind,
        "district": district, "district_name": district, "level": "省级", "level_text": f"省级{kind}", "listed_in": "2022年度",
        "industry": "", "credit_code": "", "contact": {"name": "", "phone": "", "email": ""}, "summary": None, "plan": None,
    }  # fmt: skip


def groups() -> list[dict[str, Any]]:
    out, index = [], 0
    for name, _short, _body, count in DISTRICTS:
        members = []
        for number in range(1, count + 1):
            index += 1
            members.append({**company(name, number), "index": index, "index_in_group": number})
        if members:
            out.append({"district": name, "name": name, "companies": members, "count": len(members)})
    return out


def attachments() -> list[dict[str, Any]]:
    titles = (
        ("province-notice", "关于公布江苏省第三批绿色工厂名单的通知", None),
        ("list", "江苏省第三批绿色工厂名单（苏州市）", None),
        ("annual-table", "绿色工厂（园区、供应链）2022年度总结及2023年度计划汇总表", dt.date(2023, 2, 24)),
        ("cultivation-table", "2023年度绿色工厂培育计划表", dt.date(2023, 2, 24)),
    )
    return [
        {"number": n, "label": f"附件{n}", "title": title, "document": document, "due": due}
        for n, (document, title, due) in enumerate(titles, 1)
    ]


def counts(listed: list[dict[str, Any]]) -> dict[str, int]:
    kinds = [c["category"] for c in listed]
    return {
        "listed": len(listed), "units": len(listed) + 41, "new": len(listed), "districts": 10, "candidates": 30,
        "factories": kinds.count("绿色工厂"), "parks": kinds.count("绿色工业园区"), "supply_chains": kinds.count("绿色供应链管理企业"),
    }  # fmt: skip


def context() -> dict[str, Any]:
    """The shared part of a round, as `programme/context.py` builds it."""
    all_groups = groups()
    listed = [c for g in all_groups for c in g["companies"]]
    files = attachments()
    due = {a["document"].replace("-", "_"): a["due"] for a in files if a["due"]}
    due["enrolment_table"] = dt.date(2023, 2, 24)
    enrolment = {"document": "enrolment-table", "label": "", "title": "苏州市绿色工厂培育库申报入库汇总表",
                 "date": dt.date(2023, 2, 24), "note": "一式一份，附电子版"}  # fmt: skip
    return {
        "round": {
            "name": "江苏省第三批绿色工厂", "year": 2022, "batch": "第三批", "level": "省级", "province": "江苏省", "city": "苏州市",
            "number": "", "number_or_blank": "【待编号】", "date": dt.date(2023, 2, 10), "title": "", "scope": "new",
            "summary_year": 2022, "plan_year": 2023, "expected": len(listed),
        },
        "issuer": {
            "name": "苏州市工业和信息化局", "short_name": "苏州市工信局", "mark": "苏州市工业和信息化局文件", "office": "节能与综合利用处",
            "address": "苏州市姑苏区示例路1号", "copy_to": ["江苏省工业和信息化厅", "苏州市生态环境局"],
            "contact": {"name": "示例联系人", "phone": "0512-00000000", "email": "jieneng@example.com"},
        },
        "source": {
            "issuer": "江苏省工业和信息化厅", "number": "苏工信节能〔2023〕22号", "title": "关于公布江苏省第三批绿色工厂名单的通知",
            "date": dt.date(2023, 1, 18), "count": 301,
        },
        "attachments": files,
        "annex": {a["document"].replace("-", "_"): a for a in files},
        "deadlines": [{"document": a["document"], "label": a["label"], "title": a["title"], "date": a["due"], "note": ""}
                      for a in files if a["due"]] + [enrolment],
        "due": due,
        "counts": counts(listed),
        "addressees": ["各县级市（区）工信局", "姑苏区经科局", "工业园区、高新区经发委"],
        "groups": all_groups,
        "district": None, "company": None,
        "watch": [{"name": n, "group": ""} for n in ("容积率", "建筑密度", "单位用地面积产值", "绿色物料使用率", "单位产品主要污染物产生量",
                  "工业固体废物综合利用率", "废水处理回用率", "单位产品综合能耗", "单位产品碳排放量")],
        "conditions": ["在本市注册、具有独立法人资格的工业企业", "生产经营状况良好", "近三年无重大及以上安全、环保、质量等事故"],
        "exclusions": ["发生较大及以上生产安全和质量事故", "发生Ⅲ级（较大）及以上突发环境污染事件", "在国家、省级有关督查检查中被发现存在严重问题",
                       "被列入节能监察整改名单且未按要求完成整改", "被列为失信被执行人"],
    }  # fmt: skip


def notice() -> dict[str, Any]:
    return {
        **context(),
        "document": {"id": "notice", "label": "", "title": "关于转发江苏省第三批绿色工厂名单并做好有关工作的通知"},
    }


def attachment(document: str, **more: Any) -> dict[str, Any]:
    """The context of a document that is an attachment of the notice."""
    base = context()
    found = base["annex"][document.replace("-", "_")]
    return {**base, "document": {"id": document, "label": found["label"], "title": found["title"]}, **more}


def district_list() -> dict[str, Any]:
    return attachment("list", district=district("昆山市"))


def district(name: str) -> dict[str, Any]:
    listed = [c for g in groups() if g["district"] == name for c in g["companies"]]
    short, body = next((s, b) for n, s, b, _ in DISTRICTS if n == name)
    return {
        "name": name,
        "short_name": short,
        "body": body,
        "addressee": short + body,
        "listed": listed,
        "counts": counts(listed),
    }


def cover() -> dict[str, Any]:
    enrolment = "苏州市绿色工厂培育库申报入库汇总表"
    package = [
        *({"number": a["number"] - 1, "title": a["title"], "label": a["label"], "file": f"{a['label']} {a['title']}（昆山市）.xlsx", "copies": 1, "due": a["due"]}
          for a in attachments()[1:]),
        {"number": 4, "title": enrolment, "label": "", "file": f"{enrolment}（昆山市）.xlsx", "copies": 1, "due": dt.date(2023, 12, 24)},
        {"number": 5, "title": "标牌（示意样式）", "label": "", "file": "标牌（示意样式），共17份", "copies": 17, "due": None},
    ]  # fmt: skip
    base = context()
    return {**base, "district": district("昆山市"), "package": package,
            "document": {"id": "cover", "label": "", "title": f"关于印送{base['round']['name']}有关材料的函"}}  # fmt: skip


def _indicator(
    name: str, unit: str, last: str | None, current: str | None, target: str | None, change: str
) -> dict[str, Any]:
    figures = {key: None if value is None else Decimal(value) for key, value in
               (("last", last), ("current", current), ("target", target))}  # fmt: skip
    return {
        "name": name,
        "unit": unit,
        "group": "",
        "better": "",
        "evidence": "",
        "change_text": change,
        "change": None,
        **figures,
    }


def annual_summary() -> dict[str, Any]:
    full = company("昆山市", 1)
    full.update(
        name="示例精密制造（昆山）有限公司", display_name="示例精密制造（昆山）有限公司", credit_code="91320583MA000000X1",
        industry="C3484 机械零部件加工", contact={"name": "示例联系人", "phone": "0512-00000000", "email": "green@example.com"},
        summary={
            "text": "建成光伏屋顶1.2兆瓦，全年自发自用绿电110万千瓦时；完成空压系统节能改造，单位产品电耗下降6.5%。\n"
                    "健全能源管理体系，建成能耗在线监测平台，主要用能设备全部接入；开展清洁生产审核，落实方案12项。\n推行绿色采购，对32家供应商提出环保要求。",
            "output_value": Decimal("128600"), "energy": Decimal("5230.5"),
            "projects": [
                {"name": "空压系统节能改造", "investment": Decimal("320"), "benefit": "年节电86万千瓦时"},
                {"name": "屋顶分布式光伏（一期）", "investment": Decimal("580.5"), "benefit": "年发电110万千瓦时，减排二氧化碳约630吨"},
            ],
        },
        plan={
            "text": "单位产品综合能耗比上年下降3%，废水处理回用率提高到62%。\n完成产品碳足迹核算，申报绿色供应链管理企业。",
            "projects": [
                {"name": "冷却水循环利用改造", "investment": Decimal("210"), "due": "2023年9月", "benefit": "年节水3.2万吨"},
                {"name": "屋顶分布式光伏（二期）", "investment": Decimal("450"), "due": "2023年12月", "benefit": "年发电90万千瓦时"},
            ],
        },
    )  # fmt: skip
    indicators = [
        _indicator("单位产品综合能耗", "千克标准煤/件", "4.21", "4.07", "3.95", "下降3.3%"),
        _indicator("单位产品碳排放量", "千克/件", "10.8", "10.1", "9.7", "下降6.5%"),
        _indicator("工业固体废物综合利用率", "%", "92.5", "94.1", "95", "上升1.7%"),
        _indicator("废水处理回用率", "%", "54", "58.5", "62", "上升8.3%"),
        _indicator("绿色物料使用率", "%", None, "31.2", "35", ""),
        _indicator("单位产品主要原材料消耗量", "千克/件", "1205.4", "1180", None, "下降2.1%"),
    ]
    return {**context(), "district": district("昆山市"), "company": full, "indicators": indicators,
            "document": {"id": "annual-summary", "label": "", "title": "2022年度绿色化工作总结及2023年度计划"}}  # fmt: skip


def bare_summary() -> dict[str, Any]:
    """The same for a unit of which nothing but the name is known."""
    full = annual_summary()
    blank = {
        "summary": {"text": "", "output_value": None, "energy": None, "projects": []},
        "plan": {"text": "", "projects": []},
    }
    return {**full, "company": {**company("昆山市", 2), **blank}, "indicators": []}


CASES = {
    "notice": ("notice.docx", notice),
    "province-notice": ("province-notice.docx", lambda: attachment("province-notice")),
    "list": ("list.docx", lambda: attachment("list")),
    "list-district": ("list.docx", district_list),
    "annual-summary": ("annual-summary.docx", annual_summary),
    "annual-summary-bare": ("annual-summary.docx", bare_summary),
    "cover": ("cover.docx", cover),
}
