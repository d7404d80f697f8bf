"""The faults of a template, all of them: syntax, nesting, unknown filters, and tags where they cannot stand.

Jinja stops at its first fault. Here each tag is parsed by itself and the blocks are matched by hand, so that one run
tells everything, each at its place in the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import jinja2
from jinja2 import nodes

from gfdocs.engine.docx.balance import Crossing
from gfdocs.engine.docx.lexer import STAMP
from gfdocs.engine.docx.story import Story, Tag, W, is_fallback
from gfdocs.engine.language import Index, Language, describe_fault, index_tree
from gfdocs.engine.package import ContentTypes, Package
from gfdocs.errors import Issue, Place, Text, did_you_mean

_PAIRS = {
    "if": "endif", "for": "endfor", "macro": "endmacro", "call": "endcall", "filter": "endfilter", "with": "endwith",
    "block": "endblock", "autoescape": "endautoescape", "raw": "endraw", "trans": "endtrans",
}  # fmt: skip
_MIDDLE = {"else": ("if", "for"), "elif": ("if",), "pluralize": ("trans",)}
_SINGLE = {"set", "include", "import", "from", "extends", "do", "break", "continue", "debug"}
_OURS = {"vm", "hm", "colspan", "cellbg", "vmerge"}
_ENDS = {end: start for start, end in _PAIRS.items()}


def word_of(tag: Tag) -> str:
    """Return the keyword of a `{% … %}` tag, or an empty text."""
    found = re.match(r"[A-Za-z_]\w*", tag.inner)
    return found.group() if found and tag.kind == "{%" else ""


def _opens(tag: Tag, word: str) -> bool:
    """True for a tag that begins a block; `{% set x %}` without `=` does, `{% set x = 1 %}` does not."""
    if word == "set":
        return "=" not in tag.inner and len(tag.inner) > len("set")
    return word in _PAIRS


# ---------------------------------------------------------------------------------------------------------------------
# Blocks


def check_blocks(tags: Iterable[Tag], known: Iterable[str]) -> Iterator[Issue]:
    """Yield an issue for each block that is not closed, closes nothing, or has a word Jinja does not know."""
    opened: list[tuple[Tag, str]] = []
    words = {*_PAIRS, *_ENDS, *_MIDDLE, *_SINGLE, *_OURS, *known}
    for tag in tags:
        word = word_of(tag)
        if tag.kind != "{%":
            continue
        if word == "endset":
            yield from _close(tag, "set", opened)
        elif word in _ENDS:
            yield from _close(tag, _ENDS[word], opened)
        elif word in _MIDDLE:
            if not opened or opened[-1][1] not in _MIDDLE[word]:
                yield _issue(
                    "GF203", tag, f'"{word}" stands in no "{_MIDDLE[word][0]}"', f"“{word}”不在“{_MIDDLE[word][0]}”之内"
                )
        elif _opens(tag, word):
            opened.append((tag, word))
        elif word not in words:
            hint = _hint_scope(tag, word, words) or _hint_word(word, words)
            if word == "end" and opened:
                # `{% end for %}` ends what is open, so that its fault is told once.
                _, start = opened.pop()
                end = _PAIRS.get(start, "endset")
                hint = Text(f'write "{end}"', f"请写成“{end}”")
            yield _issue("GF203", tag, f'there is no tag "{word}"', f"没有标签“{word}”", hint)
    for tag, word in opened:
        end = _PAIRS.get(word, "endset")
        yield _issue("GF203", tag, f'"{word}" is never closed by "{end}"', f"“{word}”没有以“{end}”结束")


def _hint_word(word: str, words: set[str]) -> Text:
    if word in ("elseif", "elsif"):
        return Text('write "elif"', "请写成“elif”")
    return did_you_mean(word, words) if word else Text("")


def _hint_scope(tag: Tag, word: str, words: set[str]) -> Text | None:
    """Return the hint for `{% p for x in xs %}` and `{%pfor x in xs %}`: the letter stands at the sign, with a blank."""
    found = re.match(r"(tr|tc|p|r)\s*([a-z]+)\b", tag.inner)
    if tag.scope or found is None or found[2] not in words:
        return None
    right = f"{{%{found[1]} {tag.inner[found.start(2) :]} %}}"
    return Text(f"write {right}", f"请写成 {right}")


def _close(tag: Tag, wanted: str, opened: list[tuple[Tag, str]]) -> Iterator[Issue]:
    if opened and opened[-1][1] == wanted:
        opened.pop()
        return
    depth = next((i for i in range(len(opened) - 1, -1, -1) if opened[i][1] == wanted), None)
    if depth is None:
        hint = None
        if opened:
            inner, word = opened[-1]
            end = _PAIRS.get(word, "endset")
            hint = Text(f'"{word}" is open here, and ends with "{end}"', f"此处未结束的是“{word}”，应以“{end}”结束")
        yield _issue("GF203", tag, f'"{word_of(tag)}" closes nothing', f"“{word_of(tag)}”没有对应的“{wanted}”", hint)
        return
    for inner, word in opened[depth + 1 :]:
        end = _PAIRS.get(word, "endset")
        yield _issue(
            "GF203", inner, f'"{word}" is never closed by "{end}"', f"“{word}”没有以“{end}”结束", also=tag.place
        )
    del opened[depth:]


def _issue(code: str, tag: Tag, en: str, zh: str, hint: Text | None = None, also: Place | None = None) -> Issue:
    words = " ".join(tag.words.split())
    return Issue(
        code, "error", tag.place, Text(f"{en}: {words}", f"{zh}：{words}"), hint or Text(""), (also,) if also else ()
    )


# ---------------------------------------------------------------------------------------------------------------------
# Syntax


def check_syntax(tags: Iterable[Tag], language: Language) -> Iterator[Issue]:
    """Yield an issue for each tag that does not parse by itself, and for each filter or test that does not exist."""
    for tag in tags:
        probe = _probe(tag)
        if probe is None:
            continue
        try:
            tree = language.parse(probe)
        except (jinja2.TemplateSyntaxError, RecursionError) as fault:
            yield describe_fault(fault, tag.place, words=tag.words)
            continue
        for kind, name, hint in _find_unknown(index_tree(tree), language):
            kind_zh = "过滤器" if kind == "filter" else "测试"
            yield _issue("GF205", tag, f'there is no {kind} "{name}"', f"没有{kind_zh}“{name}”", hint)


_CLEAN = {"“": '"', "”": '"', "‘": "'", "’": "'"}


def _probe(tag: Tag) -> str | None:
    """Return a text in which the tag stands alone and is whole, or None where it says nothing by itself."""
    inner = "".join(_CLEAN.get(char, char) for char in tag.inner)
    if tag.kind == "{{":
        return f"{{{{ {inner} }}}}"
    word = word_of(tag)
    if tag.kind == "{#" or word in _ENDS or word in ("endset", "raw", "vm", "hm", "else"):
        return None
    if word in ("colspan", "cellbg", "vmerge"):
        return f"{{{{ {inner[len(word) :]} }}}}"
    if word == "elif":
        return f"{{% if 1 %}}{{% {inner} %}}{{% endif %}}"
    if _opens(tag, word):
        return f"{{% {inner} %}}{{% {_PAIRS.get(word, 'endset')} %}}"
    return f"{{% {inner} %}}" if word in ("set", "do", "include") else None


def _find_unknown(index: Index, language: Language) -> Iterator[tuple[str, str, Text]]:
    """Yield what kind of function there is not by this name, and what may be meant."""
    tables: tuple[tuple[str, type[nodes.Node], dict[str, Any]], ...] = (
        ("filter", nodes.Filter, language.filters),
        ("test", nodes.Test, language.tests),
    )
    for kind, node_class, table in tables:
        for node in index.find_all(node_class):
            if node.name not in table:
                yield kind, node.name, did_you_mean(node.name, table)


def check_functions(index: Index, language: Language) -> None:
    """Fail where a filter or test does not exist: Jinja would only do so when it comes by."""
    for kind, name, _ in _find_unknown(index, language):
        raise jinja2.TemplateAssertionError(f"No {kind} named {name!r}.", 1)


# ---------------------------------------------------------------------------------------------------------------------
# Places

_CONTAINER = {"tr": W + "tr", "tc": W + "tc", "p": W + "p"}
_CONTAINER_NAME = {"tr": ("table row", "表格行"), "tc": ("table cell", "单元格"), "p": ("paragraph", "段落")}


def _visible_text(container: Any) -> str:
    texts = (element for element in container.iter(W + "t") if not is_fallback(element))
    return STAMP.sub("", "".join(element.text or "" for element in texts))


_TAG = re.compile(r"\{\{.*?\}\}+|\{%.*?%\}|\{#.*?#\}", re.DOTALL)


def check_scopes(story: Story) -> Iterator[Issue]:
    """Yield an issue for each `{%tr` outside a row and its kin, and for each that would swallow what is beside it."""
    containers: dict[tuple[int, str], list[Tag]] = {}
    found: dict[tuple[int, str], Any] = {}
    for tag in story.shown_tags:
        if word_of(tag) in _OURS and not tag.scope and _find_cell(tag) is None:
            yield _issue(
                "GF207", tag, "the tag is for a table cell and stands in none", "该标签用于单元格，但不在单元格内"
            )
        if tag.scope not in _CONTAINER:
            continue
        container = _find_container(tag)
        if container is None:
            name, name_zh = _CONTAINER_NAME[tag.scope]
            yield _issue(
                "GF207", tag, f"the tag is for a {name} and stands in none", f"该标签用于{name_zh}，但不在{name_zh}内"
            )
            continue
        containers.setdefault((id(container), tag.scope), []).append(tag)
        found[id(container), tag.scope] = container
    for key, tags in containers.items():
        yield from _check_alone(found[key], tags)


def _find_container(tag: Tag) -> Any:
    wanted = _CONTAINER[tag.scope]
    if tag.paragraph is None:
        return None
    if wanted == W + "p":
        return tag.paragraph
    return next(tag.paragraph.iterancestors(wanted), None)


def _find_cell(tag: Tag) -> Any:
    return None if tag.paragraph is None else next(tag.paragraph.iterancestors(W + "tc"), None)


def _check_alone(container: Any, tags: list[Tag]) -> Iterator[Issue]:
    if all(tag.kind == "{#" for tag in tags):
        return  # `{#tr … #}` takes its row out with all that is in it: that is what it is written for.
    name, name_zh = _CONTAINER_NAME[tags[0].scope]
    left = _TAG.sub(lambda m: m.group() if _is_value(m.group()) else "", _visible_text(container)).strip()
    if len(tags) > 1:
        second = tags[1]
        yield _issue(
            "GF206", second, f"two tags for one {name}: the second would be lost",
            f"同一{name_zh}有两个标签，后者会丢失",
            Text(f"give each a {name} of its own", f"请各占一个{name_zh}"), also=tags[0].place,
        )  # fmt: skip
    elif left:
        shown = left if len(left) <= 30 else left[:29] + "…"
        yield _issue(
            "GF206", tags[0], f'the {name} has other text, which would be lost: "{shown}"',
            f"该{name_zh}另有文字会丢失：“{shown}”",
            Text(f"give the tag a {name} of its own", f"请让标签独占一个{name_zh}"),
        )  # fmt: skip


def find_lonely(story: Story) -> Iterator[Issue]:
    """Yield a note for each block tag alone in its paragraph: that paragraph stays, empty, in every round."""
    seen: set[Any] = set()
    for tag in story.shown_tags:
        if tag.kind != "{%" or tag.scope or tag.paragraph is None or tag.paragraph in seen:
            continue
        seen.add(tag.paragraph)
        if tag.text.startswith("{%-") or tag.text.endswith("-%}"):
            continue  # the sign joins it to the paragraph beside it
        word = word_of(tag)
        if word not in ("for", "endfor", "if", "elif", "else", "endif") or (word == "else" and tag.inner != "else"):
            continue
        if _is_bare(tag.paragraph):
            yield _describe_lonely(tag)


def _is_bare(container: Any) -> bool:
    """True where nothing is left to see once the tags that print nothing are gone."""
    text = _visible_text(container)
    return "{{" not in text and not _TAG.sub("", text).strip()


def _describe_lonely(tag: Tag) -> Issue:
    """Return the note; in a row of a table that has nothing else, it is the row that stays."""
    row = next(tag.paragraph.iterancestors(W + "tr"), None)
    scope, name, name_zh = ("tr", "row", "空行") if row is not None and _is_bare(row) else ("p", "paragraph", "空段落")
    return Issue(
        "GF225",
        "note",
        tag.place,
        Text(f"leaves an empty {name}: {tag.words}", f"会留下{name_zh}：{tag.words}"),
        Text(f"write {{%{scope} {tag.inner} %}}", f"请写成 {{%{scope} {tag.inner} %}}"),
    )


def _is_value(text: str) -> bool:
    """True for a tag that prints: it would be lost as text is."""
    return text.startswith("{{") and not re.match(r"\{\{(?:p|tr|tc)\s", text)


# ---------------------------------------------------------------------------------------------------------------------
# Other parts

# Parts whose texts an author sees and may write tags in, which are not filled in, by the end of their content type.
_UNFILLED = {
    "chart+xml": ("a chart", "图表"), "chartex+xml": ("a chart", "图表"), "diagramData+xml": ("SmartArt", "SmartArt 图形"),
    "custom-properties+xml": ("a property of your own", "自定义属性"), "extended-properties+xml": ("a property", "文档属性"),
}  # fmt: skip
_TAG_IN_BYTES = re.compile(rb"\{\{[^{}<>]{1,200}\}\}|\{%[^{}<>]{1,200}%\}")


def find_unfilled(package: Package, types: ContentTypes) -> Iterator[Issue]:
    """Yield a warning for each chart, SmartArt or property of one's own that has a tag: it is printed as it is."""
    for name in package.names:
        kind = _UNFILLED.get(re.split(r"[./]", types.of(name))[-1])
        found = _TAG_IN_BYTES.search(package.read(name)) if kind else None
        if kind and found:
            words = found[0].decode("utf-8", "replace")
            yield Issue(
                "GF226",
                "warning",
                Place(package.name, path=(name.rpartition("/")[2].rpartition(".")[0],)),
                Text(f"a tag in {kind[0]} is not filled in: {words}", f"{kind[1]}中的标签不会填充：{words}"),
                Text("write it in the text of the document", "请写在文档正文中"),
            )


# ---------------------------------------------------------------------------------------------------------------------
# Elements


def describe_crossing(crossing: Crossing, start: Place, end: Place) -> Issue:
    """Return the warning that a crossing is."""
    if crossing.start is None or crossing.end is None or crossing.start is crossing.end:
        words = " ".join(crossing.start.text.split()) if crossing.start else ""
        return Issue(
            "GF215",
            "warning",
            start,
            Text(f"from here on the elements do not close as they open: {words}", f"此处之后的元素起止不配对：{words}"),
            Text("type the tag anew in one paragraph, at one go", "请在同一段落内重新键入该标签"),
        )
    inside, outside = _name_elements(crossing.start.stack, crossing.end.stack)
    words = " ".join(crossing.start.text.split())
    return Issue(
        "GF215",
        "warning",
        start,
        Text(
            f"the block begins in {inside} and ends in {outside}: {words}",
            f"标签块始于{inside.zh}，止于{outside.zh}：{words}",
        ),
        Text(
            "begin and end it alike: both in a text, both with p, or both with tr",
            "起止标签应同在文字内，或同用 p，或同用 tr",
        ),
        (end,),
    )


_ELEMENTS = {
    "w:t": ("a text", "文字"), "w:r": ("a text", "文字"), "w:p": ("a paragraph", "段落"), "w:body": ("the body", "正文"),
    "w:tbl": ("a table", "表格"), "w:tr": ("a table row", "表格行"), "w:tc": ("a table cell", "单元格"),
    "w:hyperlink": ("a hyperlink", "超链接"), "w:sdt": ("a content control", "内容控件"),
    "w:sdtContent": ("a content control", "内容控件"), "w:ins": ("an insertion", "修订插入"),
    "w:smartTag": ("a smart tag", "智能标记"), "w:txbxContent": ("a text box", "文本框"), "w:fldSimple": ("a field", "域"),
}  # fmt: skip


def _name_elements(inside: Sequence[str], outside: Sequence[str]) -> tuple[Text, Text]:
    """Return what two tags stand in, by the elements that only one of them is in."""
    common = 0
    while common < min(len(inside), len(outside)) and inside[common] == outside[common]:
        common += 1
    pair = (inside[-1:], outside[-1:])
    if pair[0] == pair[1]:
        pair = (inside[common : common + 1], outside[common : common + 1])
    first, second = (_name_element(found[0] if found else "w:body") for found in pair)
    return first, second


def _name_element(element: str) -> Text:
    return Text(*_ELEMENTS.get(element, (element, element)))
