"""What an SVG may hold: drawing and text. Nothing that runs, fetches or opens anything: templates are untrusted.

The same check is made on the template when it is opened and on what is rendered, as data may stand in attributes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from gfdocs.errors import Issue, Place, Text

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
GF = "urn:gfdocs:svg"
FIT = f"{{{GF}}}fit"
_SET = f"{{{GF}}}set-"

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


@dataclass(slots=True)
class Settled:
    """What was found in a drawing whose `gf:set-…` were put in place."""

    issues: list[Issue] = field(default_factory=list)
    """What could run, fetch or open something (GF240)."""
    fits: list[Any] = field(default_factory=list)
    """The elements that ask to be fitted."""
    notes: list[tuple[Any, tuple[str, ...]]] = field(default_factory=list)
    """Elements and those of their attributes that only the author and drawing programs use; none: the whole element."""

    def strip_notes(self) -> None:
        """Take out what only the template's author and drawing programs use."""
        for element, keys in self.notes:
            for key in keys:
                del element.attrib[key]
            if not keys and (parent := element.getparent()) is not None:
                _remove(element, parent)


def _remove(element: Any, parent: Any) -> None:
    """Take an element out; words that follow it stay."""
    tail, before = element.tail or "", element.getprevious()
    parent.remove(element)
    if tail.strip():
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail


def settle(root: Any, *, name: str, is_short: bool = False) -> Settled:
    """Put the value of each `gf:set-width="…"` in place of `width`, and return what there is in the drawing then.

    So the template itself stays a drawing with fixed numbers. is_short: its elements are remembered: most are the
    template's own, the same in every drawing.
    """
    found = Settled()
    look_at = _look_again if is_short else _look
    for element in root.iter("*"):
        look = look_at(element.tag, *element.items())
        for key, target, value in look.sets:
            element.set(target, value)
            del element.attrib[key]
        reasons = look.reasons
        if look.is_style and (reason := _style_fault("".join(element.itertext()))) is not None:
            reasons = (*reasons, reason)
        for reason in reasons:
            found.issues.append(_refuse(Place(name, element.sourceline), reason))
        if look.is_fit:
            found.fits.append(element)
        if look.notes or look.is_note:
            found.notes.append((element, look.notes))
    return found


class _Look(NamedTuple):
    """What there is to do about an element."""

    sets: tuple[tuple[str, str, str], ...]
    reasons: tuple[Text, ...]
    notes: tuple[str, ...]
    is_note: bool
    is_fit: bool
    is_style: bool


def _look(tag: str, *items: tuple[str, str]) -> _Look:
    """Return what there is to do about an element with these attributes."""
    sets = tuple([(key, key[len(_SET) :], value) for key, value in items if key.startswith(_SET)])
    attributes = dict(items)
    for key, target, value in sets:
        attributes[target] = value
        del attributes[key]
    reasons = [_element_fault(tag), *[_attribute_fault(key, value) for key, value in attributes.items()]]
    is_note = is_editor_note(tag)
    notes = () if is_note else tuple([key for key in attributes if _is_note(key)])
    is_style = split_name(tag)[1] == "style"
    return _Look(sets, tuple(filter(None, reasons)), notes, is_note, FIT in attributes, is_style)


@lru_cache(1024)
def _is_note(key: str) -> bool:
    return split_name(key)[0] == GF or is_editor_note(key)


_look_again = lru_cache(256)(_look)


def _element_fault(tag: str) -> Text | None:
    namespace, local = split_name(tag)
    if (namespace == SVG and local in _DRAWING) or is_editor_note(tag):
        return None
    shown = local if namespace in (SVG, "") else f"{local} ({namespace})"
    return Text(f"element <{shown}> is not allowed in a drawing", f"图形中不允许出现元素 <{shown}>")


def _attribute_fault(key: str, value: str) -> Text | None:
    kind = _find_kind(key)
    if kind == "told":
        return _url_fault(value)
    local = split_name(key)[1]
    if kind == "handler":
        return Text(f"event handler {local} is not allowed", f"不允许使用事件属性 {local}")
    if kind == "base":
        return Text("xml:base is not allowed", "不允许使用 xml:base")
    if kind == "reference" and value.strip() and not _SAFE_HREF.match(value):
        return Text(f'outside reference {local}="{value[:60]}"', f"引用了外部资源 {local}=“{value[:60]}”")
    if kind == "style":
        return _style_fault(value)
    return None


@lru_cache(1024)
def _find_kind(key: str) -> Literal["handler", "reference", "base", "style", "told", "named"]:
    """Return what an attribute is: `told` ones may hold a url, those of `named` things are read by nobody."""
    namespace, local = split_name(key)
    lowered = local.lower()
    if lowered.startswith("on") and not is_editor_note(key):
        return "handler"
    if lowered in ("href", "src"):
        return "reference"
    if (namespace, lowered) == (XML, "base"):
        return "base"
    if lowered == "style":
        return "style"
    return "named" if namespace or lowered.startswith(_SPEAKING) else "told"


def _style_fault(value: str) -> Text | None:
    if found := _STYLE_ACTIVE.search(value):
        return Text(f'"{found.group()}" is not allowed in a style', f"样式中不允许出现 “{found.group()}”")
    return _url_fault(value)


def _url_fault(value: str) -> Text | None:
    if "(" in value and _ANY_URL.search(_SAFE_URL.sub("", value)):
        return Text(f'outside reference in "{value.strip()[:60]}"', f"样式引用了外部资源：“{value.strip()[:60]}”")
    return None


def _refuse(place: Place, reason: Text) -> Issue:
    hint = Text(
        "keep drawing elements only; embed pictures as data:image/png;base64,…",
        "只保留绘图元素；图片请以 data:image/png;base64,… 嵌入",
    )
    return Issue("GF240", "error", place, reason, hint)
