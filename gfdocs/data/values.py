"""Readers of single values: a light node in, a text, number, date, choice or code out, or BAD with the fault told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from gfdocs.data import codes, model, zh
from gfdocs.data.checker import (
    BAD,
    CODE,
    DATE,
    DISTRICT,
    DIVISION_CODE,
    DOCUMENT_NUMBER,
    NUMBER,
    WHOLE,
    YES_OR_NO,
    Checker,
    add_normalised,
    is_null,
    refuse,
    scalar_text,
    short,
)  # fmt: skip
from gfdocs.data.source import ListNode, MapNode
from gfdocs.errors import Text, did_you_mean

if TYPE_CHECKING:
    from gfdocs.data.fields import FieldSpec

Reader = Callable[[Any, "FieldSpec", "Checker"], Any]


def read_texts(node: Any, spec: FieldSpec, check: Checker) -> Any:
    if node.__class__ is MapNode:
        return refuse(node, spec, check, "GF132", Text("a list of texts", "文字列表"))
    items = node.items if node.__class__ is ListNode else [node]
    texts = [read_text(item, spec, check) for item in items if not is_null(item)]
    return tuple(text for text in texts if text is not BAD)


def read_text(node: Any, spec: FieldSpec, check: Checker) -> Any:
    if node.__class__ is MapNode or node.__class__ is ListNode:
        return refuse(node, spec, check, "GF132", Text("a text", "文字"), Text("put it in quotes", "请加引号"))
    text = node.value
    if not spec.multiline and ("\n" in text or "\r" in text):
        label = spec.label(table=check.table)
        check.add(
            "GF138",
            node,
            Text(f"{label} has a line break in it", f"{label.zh}中有换行"),
            Text("write it on one line", "请写在一行内"),
        )
        return BAD
    return text


_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_GROUPED = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_LEADING = re.compile(r"(-?[0-9][0-9,]*(?:\.[0-9]+)?)\s*(\D.*)")
_NOTHING = frozenset(("/", "-", "--", "—", "——", "／", "无"))
MAX_DIGITS: Final = 30
_SCALES: Final = {
    "万元": {"元": "0.0001", "千元": "0.1", "万": "1", "百万": "100", "百万元": "100", "千万": "1000", "千万元": "1000", "亿": "10000", "亿元": "10000"},
    "mm": {"毫米": "1", "cm": "10", "厘米": "10", "m": "1000", "米": "1000"},
    "吨标准煤": {"吨标煤": "1", "tce": "1", "万吨标准煤": "10000", "万吨标煤": "10000", "万tce": "10000"},
}  # fmt: skip
"""By the field's unit: how many of it one of the units is that people write."""
_UNITS_ZH: Final = {"mm": "毫米"}


def read_decimal(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, NUMBER)
    if text is BAD:
        return BAD
    if not _NUMBER.fullmatch(text):
        if check.table and text.strip() in _NOTHING:
            return None
        text = to_number_text(text, node, spec, check)
        if text is BAD:
            return BAD
    if len(text) > MAX_DIGITS:
        return refuse(node, spec, check, "GF137", Text(f"at most {MAX_DIGITS} digits", f"不超过 {MAX_DIGITS} 位的数字"))
    number = check.numbers.get(text)
    if number is None:
        number = check.numbers[text] = Decimal(text)
    if spec.unit == "mm" and number <= 0:
        return refuse(node, spec, check, "GF137", Text("a size above 0", "大于 0 的尺寸"))
    return number


def to_number_text(text: str, node: Any, spec: FieldSpec, check: Checker) -> Any:
    """Return full-width digits and thousands separators as a plain number, with a note; BAD for all else."""
    half = zh.half_width(text).strip().replace("，", ",")
    plain = half.replace(",", "") if _GROUPED.fullmatch(half) else half
    if _NUMBER.fullmatch(plain):
        if text != half:
            add_normalised(text, plain, node, spec, check)
        return plain
    return refuse(node, spec, check, "GF133", NUMBER, _number_hint(half, spec))


def _number_hint(half: str, spec: FieldSpec) -> Text:
    """Return what to write in place of a text that is no plain number: 1.2亿 in 万元 is 12000."""
    own = Text(spec.unit or "", _UNITS_ZH.get(spec.unit or ""))
    unit = Text(f" in {own}", f"，单位为{own.zh}") if own else Text("")
    match = _LEADING.fullmatch(half)
    if match is None and spec.name.endswith("year"):
        return Text("give the year in four digits, for example 2023", "请填四位年份，如 2023")
    if match is None:
        return Text(f"give the plain number{unit}, or leave it empty", f"请只填数字{unit.zh}，没有则留空")
    number, words = match[1], match[2].strip("() ")
    scale = "1" if words == spec.unit else _SCALES.get(spec.unit or "", {}).get(words, "")
    if scale == "1":
        return Text(f"write {number} alone, the unit is {spec.unit} already", f"只写 {number}，单位已是{own.zh}")
    if scale:
        value = f"{(Decimal(number.replace(',', '')) * Decimal(scale)).normalize():f}"
        return Text(f"write {value}: the unit is {spec.unit}", f"请写 {value}：单位为{own.zh}")
    return Text(f'take "{match[2]}" away and give the plain number{unit}', f"请去掉“{match[2]}”，只填数字{unit.zh}")


def read_int(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, WHOLE)
    if text is BAD:
        return BAD
    if not (text.isascii() and text.isdigit()):
        year = spec.name.endswith("year")
        stripped = re.sub(r"\s*(年度|年)$", "", text) if year else text
        if check.table and stripped.strip() in _NOTHING:
            return None
        if year and (date := zh.parse_date(text)) is not None:
            return _refuse_date_for_year(date, node, spec, check)
        text = to_number_text(stripped, node, spec, check)
        if text is BAD:
            return BAD
        if re.fullmatch(r"[0-9]+\.0+", text):  # a workbook's 2022.0
            text = text.split(".")[0]
    if not text.isdigit():
        return refuse(node, spec, check, "GF133", WHOLE)
    if len(text) > 9:
        return refuse(node, spec, check, "GF137", Text("at most 9 digits", "不超过 9 位的整数"))
    number = int(text)
    if spec.name.endswith("year") and not 1949 <= number <= 2100:
        return refuse(
            node, spec, check, "GF137", Text("a year of four digits, 1949 to 2100", "1949 至 2100 之间的四位年份")
        )
    return number


_EPOCH: Final = dt.date(1899, 12, 30)
"""Day 0 of a workbook's dates."""


def _refuse_date_for_year(date: dt.date, node: Any, spec: FieldSpec, check: Checker) -> Any:
    """A date where a year belongs. 2022 typed into a cell with a date format is day 2022 of the workbook: 1905-07-14."""
    year = (date - _EPOCH).days if date.year < 1949 else date.year
    hint = Text(f"write the year alone: {year}", f"请只填年份：{year}")
    if getattr(node, "kind", "") == "date":
        hint = Text(
            f"give the cell the number format General, then type {year}", f"请把单元格格式改为“常规”，再填 {year}"
        )
    return refuse(node, spec, check, "GF133", Text("a year", "年份"), hint)


def read_date(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, DATE)
    if text is BAD:
        return BAD
    date = zh.parse_date(text)
    if date is not None:
        return date
    hint = Text("write it as 2023-02-10, 2023/2/10 or 2023年2月10日", "请写成 2023-02-10、2023/2/10 或 2023年2月10日")
    if re.fullmatch(r"(19|20)\d{6}", text) and (guess := zh.parse_date(f"{text[:4]}-{text[4:6]}-{text[6:]}")):
        hint = Text(f"write it as {guess.isoformat()}", f"请写成 {guess.isoformat()}")
    elif check.table and re.fullmatch(r"[1-6]\d{4}", text):  # 1927 to 2091 as the number of a day
        guess = _EPOCH + dt.timedelta(days=int(text))
        hint = Text(
            f"the cell shows a date as a number: write it as {guess.isoformat()}",
            f"单元格把日期显示成了数字：请写成 {guess.isoformat()}",
        )
    return refuse(node, spec, check, "GF134", DATE, hint)


_YES = frozenset(("是", "yes", "true", "y", "√", "✓", "✔", "☑", "有", "符合", "1", "on"))
_NO = frozenset(("否", "no", "false", "n", "×", "✗", "✘", "☐", "无", "不符合", "0", "off", "x"))


def read_bool(node: Any, spec: FieldSpec, check: Checker) -> Any:
    text = scalar_text(node, spec, check, YES_OR_NO)
    if text is BAD:
        return BAD
    word = zh.half_width(text).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    if check.table and word in _NOTHING:
        return None
    return refuse(
        node,
        spec,
        check,
        "GF135",
        YES_OR_NO,
        Text("是 | 否, yes | no, √ | ×", "请填 是 或 否（或 √、×）"),
    )


def _choice_reader(choices: Mapping[Any, Iterable[str]]) -> Reader:
    """Return a reader of one of `choices`: canonical value → the other words for it."""
    words = {}
    for value, aliases in choices.items():
        for word in (str(value), *aliases):
            words[zh.normal_heading(word)] = value
    exact = {str(value): value for value in choices} | {word: v for v, aliases in choices.items() for word in aliases}

    def read_choice(node: Any, spec: FieldSpec, check: Checker) -> Any:
        if node.__class__ is not MapNode and node.__class__ is not ListNode:
            value = exact.get(node.value)
            if value is None and node.value:
                value = words.get(zh.normal_heading(node.value))
            if value is not None:
                return value
            if not zh.strip_outer(node.value):
                return spec.default
        listed = "、".join(map(str, choices))
        hint = _choice_hint(node.value, words) if hasattr(node, "value") else ""
        return refuse(node, spec, check, "GF136", Text(f"one of {listed}", f"{listed}之一"), hint)

    read_choice.words = tuple(dict.fromkeys(exact))  # type: ignore[attr-defined]
    return read_choice


def _choice_hint(text: str, words: Mapping[str, Any]) -> Text:
    """Return which choice was probably meant: the one that stands in the text (省级绿色工厂: 省级), else the nearest."""
    key = zh.normal_heading(text)
    inside = {words[word] for word in words if len(word) > 1 and word in key}
    if len(inside) == 1:
        meant = inside.pop()
        return Text(f'did you mean "{meant}"?', f"是否应为“{meant}”？")
    return did_you_mean(text, words, means=words)


def read_credit_code(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """统一社会信用代码: 18 characters with a right check character; lower case, full width and spaces are set right."""
    text = scalar_text(node, spec, check, CODE)
    if text is BAD:
        return BAD
    code = text
    fault = codes.find_credit_fault(code) if len(code) == 18 else None
    if len(code) != 18 or fault:
        code = codes.to_credit_code(text)
        if not code or (check.table and text.strip() in _NOTHING):
            return ""
        fault = codes.find_credit_fault(code)
        if code != text and fault is None:
            add_normalised(text, code, node, spec, check)
    if fault is None:
        return code
    return _add_credit_fault(fault, code, node, check)


_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+?[0-9]{1,2}", re.IGNORECASE)
"""9.13205E+17: what a spreadsheet makes of a code of digits alone."""


def _add_credit_fault(fault: codes.CreditFault, code: str, node: Any, check: Checker) -> Any:
    if fault.kind == "organisation":
        fact = Text(
            f"credit code {code}: character 17 is {fault.found}, the organisation code in it asks for {fault.expected}",
            f"统一社会信用代码 {code} 第 17 位为 {fault.found}，按组织机构代码规则应为 {fault.expected}",
        )
        hint = Text("compare it with the business licence", "请与营业执照核对")
        check.add("GF142", node, fact, hint, severity="warning")
        return code
    if fault.kind == "check":
        fact = Text(
            f"credit code {short(code)}: the check character is {fault.found}, the others ask for {fault.expected}",
            f"统一社会信用代码 {short(code)} 校验位为 {fault.found}，按前 17 位应为 {fault.expected}",
        )
        hint = Text(
            "a digit or letter is mistyped: compare it with the business licence", "有一位录入错误，请与营业执照核对"
        )
        check.add("GF141", node, fact, hint)
        return BAD
    if fault.kind == "character":
        fact = Text(
            f'credit code {short(code)}: "{fault.found}" at place {fault.position} is not used in credit codes',
            f"统一社会信用代码 {short(code)} 第 {fault.position} 位“{fault.found}”不是代码字符",
        )
        hint = Text(
            "I, O, S, V and Z are never used: 1, 0, 5, U, 2?", "代码不使用 I、O、S、V、Z：是否为 1、0、5、U、2？"
        )
    else:
        fact = Text(
            f"credit code has {fault.found} characters, expected 18", f"统一社会信用代码为 {fault.found} 位，应为 18 位"
        )
        hint = Text("compare it with the business licence", "请与营业执照核对")
        if _SCIENTIFIC.fullmatch(code):
            hint = Text(
                "Excel has made a number of it and lost its digits: format the column as text and type the code again",
                "Excel 已将代码变成科学记数，末尾几位已丢失：请把该列设为文本格式后重新录入",
            )
        elif len(code) == 9:
            hint = Text(
                "9 characters are an organisation code: give the 18, or leave it empty",
                "9 位是组织机构代码：请填 18 位代码，或留空",
            )
    check.add("GF140", node, fact, hint)
    return BAD


def read_division_code(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """区划代码 (GB/T 2260): six digits, or nothing; full-width digits and blanks are set right."""
    text = scalar_text(node, spec, check, DIVISION_CODE)
    if text is BAD:
        return BAD
    code = re.sub(r"[\s\u3000]+", "", zh.half_width(text))
    if code and not re.fullmatch(r"[1-9][0-9]{5}", code):
        hint = Text("for example 320583, or leave it out", "如 320583，也可以不填")
        return refuse(node, spec, check, "GF156", DIVISION_CODE, hint)
    if code != text:
        add_normalised(text, code, node, spec, check)
    return code


def read_document_number(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """发文字号 by GB/T 9704-2012 7.2.5; empty where a number is still to be given."""
    text = scalar_text(node, spec, check, DOCUMENT_NUMBER)
    if text is BAD or not text or codes.find_document_number(text):
        return text
    better = codes.suggest_document_number(text)
    hint = Text(f"write {better}", f"请写成 {better}") if better else Text(
        "write it as 苏工信节能〔2023〕22号: brackets 〔 〕, year of four digits, no 第, no leading zero",
        "格式为 苏工信节能〔2023〕22号：六角括号〔 〕、四位年份，不加“第”，不编虚位",
    )  # fmt: skip
    return refuse(node, spec, check, "GF143", Text("a document number", "规范的发文字号"), hint)


def read_district(node: Any, spec: FieldSpec, check: Checker) -> Any:
    """A district's name, short name or code → its name as in gfdocs.yaml; "" where the text tells no district."""
    text = scalar_text(node, spec, check, DISTRICT)
    if text is BAD:
        return BAD
    if not check.districts:
        return text
    found = check.districts.get(text)
    if found is None:
        found = _find_district(text, node, check)
    return found


def _find_district(text: str, node: Any, check: Checker) -> Any:
    key = zh.normal_name(text)
    for region in ("", *check.regions):
        rest = key.removeprefix(region)
        if not rest or rest in check.regions or (check.table and rest in _NOTHING):
            return ""
        if rest in check.districts:
            return check.districts[rest]
        if rest in check.old_districts:
            name = check.old_districts[rest]
            fact = Text(
                f"{short(text)} is an old code or name, read as {name}", f"{short(text)} 为旧代码或旧称，按{name}处理"
            )
            check.add("GF148", node, fact, severity="note")
            return name
    names = [name for name in dict.fromkeys(check.districts.values()) if name]
    hint = did_you_mean(text, names) or Text("one of " + "、".join(names), "应为：" + "、".join(names))
    check.refused_district = True
    check.add("GF144", node, Text(f'no district "{short(text)}"', f"没有“{short(text)}”这个县级市（区）"), hint)
    return BAD


LEVELS: Final = {
    "国家级": ("国家", "national", "部级", "工信部"),
    "省级": ("省", "provincial", "province"),
    "市级": ("市", "municipal", "city"),
}  # fmt: skip
CATEGORIES: Final = {
    model.Category.FACTORY: ("工厂", "factory", "3A级绿色工厂", "2A级绿色工厂", "A级绿色工厂", "绿色工厂名单", "企业"),
    model.Category.PARK: ("绿色园区", "园区", "工业园区", "park", "绿色园区名单"),
    model.Category.SUPPLY_CHAIN: (
        "绿色供应链", "供应链", "供应链管理企业", "绿色供应链企业", "绿色供应链管理示范企业", "绿色供应链管理企业名单",
        "supply_chain", "supply-chain", "supply chain",
    ),
}  # fmt: skip
STATUSES: Final = {
    model.Status.LISTED: ("listed", "列入", "在册"),
    model.Status.REMOVED: ("removed", "撤销", "移除"),
    model.Status.RENAMED: ("renamed", "变更名称", "名称变更"),
    model.Status.CANDIDATE: ("candidate", "拟申报", "培育对象", "培育库"),
}  # fmt: skip
_CANDIDATE: Final = frozenset(
    zh.normal_heading(word) for word in (model.Status.CANDIDATE.value, *STATUSES[model.Status.CANDIDATE])
)


@lru_cache(maxsize=64)  # a province of rows says one of a few words
def is_candidate(status: str) -> bool:
    """Whether a word for the status (状态) says that the unit is a candidate (培育)."""
    return zh.normal_heading(status) in _CANDIDATE


SPECIAL: Final[dict[tuple[str, str], Reader]] = {
    ("", "level"): _choice_reader(LEVELS),
    ("Round", "scope"): _choice_reader({"new": ("新增", "本批", "本批次"), "all": ("全部", "累计", "历年")}),
    ("Indicator", "better"): _choice_reader(
        {"high": ("正向", "正向定量", "正向定性", "越高越好"), "low": ("逆向", "逆向定量", "越低越好")}
    ),
    ("Company", "credit_code"): read_credit_code,
    ("Company", "district"): read_district,
    ("District", "code"): read_division_code,
    ("Round", "number"): read_document_number,
    ("SourceNotice", "number"): read_document_number,
}
READERS: Final[dict[Any, Reader]] = {
    str: read_text, int: read_int, Decimal: read_decimal, dt.date: read_date, bool: read_bool,
    model.Category: _choice_reader(CATEGORIES), model.Status: _choice_reader(STATUSES),
}  # fmt: skip
