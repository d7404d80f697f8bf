"""What went wrong, told in two languages: every exception of Jinja's and ours as an issue with its code."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import jinja2
from jinja2.exceptions import SecurityError

from gfdocs.engine.bounds import Unprintable
from gfdocs.engine.budget import OverBudget
from gfdocs.engine.filters import FILTERS
from gfdocs.engine.language.characters import IllegalCharacter, Unfit, clip
from gfdocs.engine.language.missing import MissingUsed
from gfdocs.engine.language.sandbox import NoLoader
from gfdocs.engine.written import Marked
from gfdocs.errors import (
    BudgetExceeded,
    Issue,
    NameMissing,
    PackageError,
    Place,
    TagError,
    TemplateError,
    Text,
    did_you_mean,
)


def describe_fault(
    fault: BaseException, place: Place, *, words: str = "", where: str | None = None, known: Iterable[str] = ()
) -> Issue:
    """Return the issue that a fault of compiling or rendering is.

    words: the tag as its author sees it. where: the field of the data it stems from. known: names for "did you mean".
    """
    code, fact, hint = _read_fault(fault, words, where, known)
    return Issue(code, "error", place, fact, hint)


def _read_fault(fault: BaseException, words: str, where: str | None, known: Iterable[str]) -> tuple[str, Text, Text]:
    """Return (code, fact, hint) of a fault."""
    tag = f" in {clip(words)}" if words else ""
    tag_zh = f"（{clip(words)}）" if words else ""
    if isinstance(fault, MissingUsed):
        fact = Text(f'the data has no "{fault.path}"{tag}', f"数据中没有“{fault.path}”{tag_zh}")
        return "GF204", fact, _hint_missing(fault.path, known)
    if isinstance(fault, IllegalCharacter | Unfit | Unprintable | Marked):
        return _read_value_fault(fault, where or clip(words) or "?")
    if isinstance(fault, OverBudget):
        hint = Text("pass a larger Budget if the template is meant to do this", "如确有需要，请传入更大的 Budget")
        return "GF210", Text(f"over budget: {fault.text}{tag}", f"超出限额：{fault.text.zh}{tag_zh}"), hint
    if isinstance(fault, MemoryError):
        return "GF210", Text(f"over budget: out of memory{tag}", f"超出限额：内存不足{tag_zh}"), Text("")
    if isinstance(fault, NoLoader):
        return _read_no_loader(fault, tag, tag_zh)
    if isinstance(fault, RecursionError | SyntaxError):
        return "GF210", Text(f"over budget: nested too deep{tag}", f"超出限额：嵌套过深{tag_zh}"), Text("")
    if isinstance(fault, SecurityError):
        hint = _hint_security(str(fault))
        return "GF209", Text(f"a template may not do this: {fault}{tag}", f"模板不得执行此操作：{fault}{tag_zh}"), hint
    if isinstance(fault, jinja2.TemplateNotFound):
        fact = Text(f"no template named {fault.name!r}{tag}", f"没有名为 {fault.name!r} 的模板{tag_zh}")
        return "GF218", fact, Text("")
    if isinstance(fault, jinja2.TemplateSyntaxError):
        return _read_syntax(fault, tag, tag_zh)
    told = f"{type(fault).__name__}: {clip(str(fault), 200)}"
    hint = Text(f"the value is {where}", f"取值：{where}") if where else Text("")
    return "GF208", Text(f"cannot be computed{tag}: {told}", f"无法计算{tag_zh}：{told}"), hint


def _hint_security(message: str) -> Text:
    """Return how to gather values without changing a list, or what lifts the sandbox."""
    if re.match(r"'(append|extend|insert|update|add|setdefault)' of a '(list|dict|set)'", message):
        return Text(
            "gather them so: {% set ns = namespace(xs=[]) %} … {% set ns.xs = ns.xs + [x] %}",
            "请这样收集：{% set ns = namespace(xs=[]) %} … {% set ns.xs = ns.xs + [x] %}",
        )
    return Text("pass trusted=True only for templates you wrote yourself", "仅对自己编写的模板使用 trusted=True")


def _hint_missing(path: str, known: Iterable[str]) -> Text:
    last = path.rpartition(".")[2]
    return did_you_mean(last, {name for name in known if name != last}) or Text(
        'give it a value, or write "|default(…)", or render with missing="mark" or "blank"',
        '请补充该值，或写 |default(…)，或用 missing="mark"/"blank" 渲染',
    )


def _read_no_loader(fault: NoLoader, tag: str, tag_zh: str) -> tuple[str, Text, Text]:
    return (
        "GF218",
        Text(f'no template named "{fault}"{tag}: there is nowhere to look for it', f"没有名为“{fault}”的模板{tag_zh}"),
        Text("pass environment=jinja2.Environment(loader=…)", "请传入 environment=jinja2.Environment(loader=…)"),
    )


def _read_value_fault(fault: IllegalCharacter | Unfit | Unprintable | Marked, name: str) -> tuple[str, Text, Text]:
    if isinstance(fault, Unfit | Unprintable | Marked):
        hint = fault.hint if isinstance(fault, Unfit) else Text("")
        return "GF219", Text(f"{name}: {fault.text}", f"{name}：{fault.text.zh}"), hint
    number = f"U+{ord(fault.character):04X}"
    fact = Text(
        f"{name} has the character {number} at position {fault.index + 1}, which no office file can hold",
        f"{name} 第 {fault.index + 1} 个字符 {number} 不能写入文件",
    )
    if fault.character in "\a\f":
        hint = Text(
            "for paragraphs and pages in data use Listing(text), or DocxTemplate(…, breaks=True)",
            "数据内需要分段、分页时请用 Listing(text)，或 DocxTemplate(…, breaks=True)",
        )
        return "GF211", fact, hint
    return "GF211", fact, Text("remove it from the data", "请在数据中删除该字符")


def _read_syntax(fault: jinja2.TemplateSyntaxError, tag: str, tag_zh: str) -> tuple[str, Text, Text]:
    message = fault.message or ""
    found = re.search(r"[Nn]o (filter|test) named '([^']*)'", message)
    if found:
        from jinja2 import filters, tests

        table: Any = filters.FILTERS if found[1] == "filter" else tests.TESTS
        hint = did_you_mean(found[2], [*table, *(FILTERS if found[1] == "filter" else ())])
        kind_zh = "过滤器" if found[1] == "filter" else "测试"
        return "GF205", Text(f'there is no {found[1]} "{found[2]}"{tag}', f"没有{kind_zh}“{found[2]}”{tag_zh}"), hint
    code = "GF203" if re.search(r"unknown tag|end of template|innermost block", message) else "GF201"
    hint = _hint_syntax(message, tag)
    return code, Text(f"{message}{tag}", f"标签有误{tag_zh}：{_translate_syntax(message)}"), hint


# Signs as a Chinese keyboard gives them, and those that Jinja knows.
_HALF = {
    "（": "(", "）": ")", "，": ",", "＝": "=", "｜": "|", "【": "[", "】": "]", "［": "[", "］": "]", "：": ":", "．": ".",
    "＋": "+", "－": "-", "＊": "*", "／": "/", "！": "!", "＜": "<", "＞": ">", "％": "%", "｛": "{", "｝": "}", "、": ",",
    "。": ".", "＂": '"', "＇": "'", "～": "~",
}  # fmt: skip


def _hint_syntax(message: str, tag: str) -> Text:
    """Return what its author most likely meant, where that can be told."""
    found = re.search(r"unexpected char '(.)'", message)
    if found and found[1] in _HALF:
        half = _HALF[found[1]]
        return Text(f'write the half-width "{half}" for "{found[1]}"', f"请将全角的“{found[1]}”改为半角的“{half}”")
    if re.search(r"got '='", message) and re.search(r"\{%[-+]?\s*(?:p |tr |tc |r )?\s*(?:el)?if\b", tag):
        return Text('write "==" to compare', "比较请写“==”")
    if "got 'if'" in message and re.search(r"\belse\s+if\b", tag):
        return Text('write "elif" for "else if"', "“else if”请写成“elif”")
    if re.search(r"""unexpected char ["']['"]""", message):
        return Text("close the quotation mark with the same one", "引号须成对使用")
    for sign, word in _SIGNS:
        if sign in tag:
            return Text(f'write "{word}" for "{sign}"', f"“{sign}”请写成“{word}”")
    if re.search(r"\{\{\{", tag):
        return Text("write two braces: {{ name }}", "请只写两个大括号：{{ name }}")
    letter = re.search(r"\{\{(p|tr|tc|r)\s+\}\}", tag)
    if letter:
        return Text(
            f"write {{{{ {letter[1]} }}}} for the value of that name", f"输出该名称的值请写 {{{{ {letter[1]} }}}}"
        )
    name = re.search(r"got '(\w+)'", message)
    if name and re.search(rf"\{{\{{\s*[\w.]+\s+{name[1]}\b", tag):
        return Text('a name has no blanks: write "_" or "."', "名称中不能有空格：请用“_”或“.”")
    return Text("")


# What other languages write, and Jinja's word for it.
_SIGNS = (("&&", "and"), ("||", "or"), ("<>", "!="), ("===", "=="))


# Jinja's messages, for those who do not read English. Each pattern keeps the words of the template as they are.
_SYNTAX_ZH = (
    (r"expected token '(.+?)', got '(.+?)'", r"应为“\1”，实为“\2”"),
    (r"unexpected '(.+?)'", r"多余或位置不对的“\1”"),
    (r"Expected an expression, got '(.+?)'", r"应为表达式，实为“\1”"),
    (r"Expected an expression", "缺少表达式"),
    (r"Encountered unknown tag '(.+?)'", r"未知的标签“\1”"),
    (r"Unexpected end of template", "模板提前结束，有标签块没有结束"),
    (r"unexpected char '(.+?)' at \d+", r"不能使用字符“\1”"),
    (r"tag name expected", "缺少标签名"),
    (r"a number of ([\d,]+) digits", r"数字有 \1 位，过长"),
    (r"the number (.+) is too large", r"数字 \1 过大"),
    (r"can't assign to '(.+?)'", r"不能给“\1”赋值"),
    (r"non-default argument follows default argument", "有默认值的参数之后不能有无默认值的参数"),
    (r"block '(.+?)' defined twice", r"块“\1”重复定义"),
    (r"expected one expression", "应为一个表达式"),
    ("end of print statement", "标签结尾"),
    ("end of statement block", "标签结尾"),
)


def _translate_syntax(message: str) -> str:
    for pattern, chinese in _SYNTAX_ZH:
        message = re.sub(pattern, chinese, message)
    return message


_CLASSES = {
    "GF201": TagError, "GF202": TagError, "GF203": TagError, "GF205": TagError, "GF206": TagError, "GF207": TagError,
    "GF204": NameMissing, "GF210": BudgetExceeded, "GF315": PackageError,
}  # fmt: skip


def raise_issues(issues: Iterable[Issue], cause: BaseException | None = None) -> None:
    """Raise the error class that all of these issues have in common; nothing where there are none."""
    found = tuple(issues)
    if not found:
        return
    classes = {_CLASSES.get(issue.code, TemplateError) for issue in found if issue.severity == "error"}
    raise (classes.pop() if len(classes) == 1 else TemplateError)(found) from cause
