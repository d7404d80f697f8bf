"""What an SVG may hold: drawing and text. Nothing that runs, fetches or opens anything: templates are untrusted.

The same check is made on the template when it is opened and on what is rendered, as data may stand in attributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from gfdocs.errors import Issue, Place, Text

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
GF = "urn:gfdocs:svg"

_DRAWING = frozenset(
    (
        "svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "style", "path", "rect", "circle",
        "ellipse", "line", "polyline", "polygon", "text", "tspan", "textPath", "linearGradient",
        "radialGradient", "stop", "pattern", "clipPath", "mask", "marker", "image", "switch", "a", "view",
        "filter", "feGaussianBlur", "feOffset", "feBlend", "feFlood", "feComposite", "feMerge",
        "feMergeNode", "feColorMatrix", "feTurbulence", "feDropShadow", "feComponentTransfer", "feFuncR",
        "feFuncG", "feFuncB", "feFuncA", "feSpecularLighting", "feDiffuseLighting", "feDistantLight",
        "fePointLight", "feMorphology", "feTile",
    )
)  # fmt: skip
_EDITORS = re.compile(
    "inkscape|sodipodi|rdf-syntax|purl.org/dc|creativecommons|ns.adobe.com|bohemiancoding|boxy-svg|serif.com|figma"
)
_SAFE_URL = re.compile(r"""url\(\s*(['"]?)#[^'"()\s]+\1\s*\)""", re.IGNORECASE)
_ANY_URL = re.compile(r"url\s*\(", re.IGNORECASE)
_SAFE_HREF = re.compile(r"\s*(#|data:image/(png|jpeg);base64,)", re.IGNORECASE)
_SPEAKING = ("data-", "aria-", "id", "class")  # attributes that only name or describe; nothing reads a url in them
_STYLE_ACTIVE = re.compile(r"@import|@font-face|expression\s*\(|javascript:|-moz-binding|\\", re.IGNORECASE)


@lru_cache(1024)  # the names of elements and attributes are the template's: few, and never the data's
def split_name(tag: str) -> tuple[str, str]:
    """Return (namespace, local name) of an lxml name."""
    namespace, _, local = tag.rpartition("}")
    return namespace[1:], local


@lru_cache(1024)
def is_editor_note(name: str) -> bool:
    """True for elements and attributes that only a drawing program uses; they never leave the house."""
    return bool(_EDITORS.search(split_name(name)[0]))


def find_unsafe(root: Any, *, name: str) -> Iterator[Issue]:
    """Yield an issue (GF240) for each element or attribute that could run, fetch or open something."""
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        place = Place(name, element.sourceline)
        yield from _find_unsafe_element(element, place)
        for key, value in element.attrib.items():
            if (reason := _attribute_fault(key, value)) is not None:
                yield _refuse(place, reason)
        if split_name(element.tag)[1] == "style" and (reason := _style_fault(element.text or "")) is not None:
            yield _refuse(place, reason)


def _find_unsafe_element(element: Any, place: Place) -> Iterator[Issue]:
    namespace, local = split_name(element.tag)
    if (namespace == SVG and local in _DRAWING) or is_editor_note(element.tag):
        return
    shown = local if namespace in (SVG, "") else f"{local} ({namespace})"
    yield _refuse(place, Text(f"element <{shown}> is not allowed in a drawing", f"图形中不允许出现元素 <{shown}>"))


@lru_cache(4096)  # most are the template's own, the same in every document
def _attribute_fault(key: str, value: str) -> Text | None:
    namespace, local = split_name(key)
    lowered = local.lower()
    if lowered.startswith("on") and not is_editor_note(key):
        return Text(f"event handler {local} is not allowed", f"不允许使用事件属性 {local}")
    if lowered in ("href", "src") and value.strip() and not _SAFE_HREF.match(value):
        return Text(f'outside reference {local}="{value[:60]}"', f"引用了外部资源 {local}=“{value[:60]}”")
    if (namespace, lowered) == (XML, "base"):
        return Text("xml:base is not allowed", "不允许使用 xml:base")
    if lowered == "style":
        return _style_fault(value)
    return None if namespace or lowered.startswith(_SPEAKING) else _url_fault(value)


def _style_fault(value: str) -> Text | None:
    if found := _STYLE_ACTIVE.search(value):
        return Text(f'"{found.group()}" is not allowed in a style', f"样式中不允许出现 “{found.group()}”")
    return _url_fault(value)


def _url_fault(value: str) -> Text | None:
    if _ANY_URL.search(_SAFE_URL.sub("", value)):
        return Text(f'outside reference in "{value.strip()[:60]}"', f"样式引用了外部资源：“{value.strip()[:60]}”")
    return None


def _refuse(place: Place, reason: Text) -> Issue:
    hint = Text(
        "keep drawing elements only; embed pictures as data:image/png;base64,…",
        "只保留绘图元素；图片请以 data:image/png;base64,… 嵌入",
    )
    return Issue("GF240", "error", place, reason, hint)
