"""The two languages of the command line: its own texts, and those of the library that parses it."""

from __future__ import annotations

import locale
import os
import re
from collections.abc import Callable, Mapping

from gfdocs.errors import Language


def find_language(environment: Mapping[str, str] = os.environ, system: str | None = None) -> Language:
    """Return zh where GFDOCS_LANG or the locale is Chinese, else en; Windows has its locale in no variable (`system`)."""
    values = [environment.get(name, "") for name in ("GFDOCS_LANG", "LC_ALL", "LC_MESSAGES", "LANG")]
    spoken = next(filter(None, values), None) or (system if system is not None else locale.getlocale()[0]) or ""
    return "zh" if spoken.lower().startswith(("zh", "chinese")) else "en"


LANGUAGE: Language = find_language()


def say(en: str, zh: str) -> str:
    """Return the text in the language of the command line."""
    return zh if LANGUAGE == "zh" else en


def example(*lines: str) -> str:
    """Return the closing example of a help page."""
    # click folds an epilog into one paragraph; \b keeps its lines
    return "\b\n" + say("Example:", "示例：") + "\n" + "\n".join(f"  {line}" for line in lines)


def _one_of(found: re.Match[str]) -> str:
    words = "、".join(found[2].split("', '"))
    return f"应为 {words}，实为“{found[1]}”"


Replacements = tuple[tuple[str, "str | Callable[[re.Match[str]], str]"], ...]

# What Typer says by itself, in English only: pattern and what stands for it.
_TYPER: Replacements = (
    (r"(?m)^Usage: ", "用法："),
    (r"(?m)^Options:$", "选项："),
    (r"(?m)^Arguments:$", "参数："),
    (r"(?m)^Commands:$", "命令："),
    (r"\[OPTIONS\]", "[选项]"),
    (r"COMMAND \[ARGS\]\.\.\.", "命令 [参数]…"),
    (r"Show this message\s+and exit\.", "显示本帮助。"),
    (r"\[default: ", "[默认："),
    (r"\[required\]", "[必填]"),
    (r"; required\]", "；必填]"),
    (r"(?m)^Try '(.+)' for help\.$", r"可用 \1 查看帮助。"),
    (r"(?m)^Error: ", "错误："),
    (r"' / '", " / "),
    (r"Missing option '(.+?)'(?: \(.+?\))?\.", r"缺少选项 \1。"),
    (r"Missing argument '(.+?)'\.", r"缺少参数 \1。"),
    (r"Missing command\.", "缺少命令。"),
    (r"No such command '(.+?)'\.", r"没有命令“\1”。"),
    (r"No such option: (\S+)", r"没有选项 \1"),
    (r" ?\(Possible options: (.+?)\)", r"（是否应为：\1）"),
    (r" ?Did you mean '?(.+?)'?\?", r"是否应为“\1”？"),
    (r"Got unexpected extra argument(?:s|\(s\))? \((.+)\)", r"多余的参数：\1"),
    (r"Option '(.+?)' requires an argument\.", r"选项 \1 需要一个值。"),
    (r"Invalid value for '?(.+?)'?: ", r"\1 的值无效："),
    (r"Input should be greater than or equal to (\d+)", r"应不小于 \1"),
    (r"Input should be a valid integer.*", "应为整数"),
    (r"[^\s：]+ is not in the range x>=(\d+)\.", r"应不小于 \1"),  # typer before 0.29
    (r"'.*?' is not a valid integer(?: range)?\.", "应为整数"),
    (r"'(.*?)' is not one of '(.+)'\.", _one_of),
    (r"'(.*?)' does not match the formats? '%Y-%m-%d'\.", r"“\1”不是日期，写法如 2023-02-10"),
)


# Words of a programmer: `DIR <path>`, `--format <text|json>`, `{DIR}` for what must be given. Columns keep their place.
_TYPES: Replacements = (
    (r" <(path|str)>(?=\s|$)", lambda found: " " * len(found[0])),
    (r"<(\w+(?:\|\w+)+)>(?=  )", r"\1  "),
    (r"<(\w+(?:\|\w+)+)>", r"\1"),
    (r"\{([A-Z]+\d?)\}", r"\1"),
    (r"Value error, ", ""),
)


def in_own_language(text: str) -> str:
    """Return a help page or a message of Typer in the language of the command line, without words of a programmer."""
    for pattern, meaning in _TYPES:
        text = re.sub(pattern, meaning, text)
    if LANGUAGE == "zh":
        for pattern, meaning in _TYPER:
            text = re.sub(pattern, meaning, text)
    return text
