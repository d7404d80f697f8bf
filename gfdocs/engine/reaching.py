"""What a template would have its readers' Word or Excel fetch or run: looked for once, when the template is opened.

Word obeys a remote attached template, frame, sub document, altChunk or linked object before its reader has clicked on
anything: those are refused (GF315). All else that reaches out of the file, or starts another program, may be meant,
and is told as a warning: relations (GF320), fields (GF321), hyperlinks (GF322), formulas (GF323), embedded objects
(GF324). Where a file lies on the author's own disk (Word notes its Normal.dotm) is nobody's business.

Sources: ECMA-376 part 1 §17.16 (fields), §18.17 (formulas); part 2 §9.3 (relationships).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from gfdocs.errors import Issue, Place, Severity, Text
from gfdocs.safezip import Package, Relationship, read_content_types, read_relationships, safe_xml

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["find_reaching_document", "find_reaching_workbook", "is_web_link"]

_W: Final = "{*}"
_OBEYED: Final = frozenset({"attachedTemplate", "frame", "subDocument", "aFChunk", "oleObject"})
_CLICKED: Final = frozenset({"http", "https", "mailto", "ftp", "ftps", "tel", "sms"})
_SHOWN: Final = 120


def find_reaching_document(package: Package) -> list[Issue]:
    """Return what a Word template reaches for, with the package's own issues; what Word would obey is an error."""
    return [
        *(issue for issue in package.issues if issue.code != "GF320"),  # told again below, or refused
        *_find_relations(package, _OBEYED),
        *_find_embedded(package),
        *_find_fields(package),
    ]


def find_reaching_workbook(package: Package, sheets: Mapping[str, str]) -> list[Issue]:
    """Return what an Excel template reaches for, with the package's own issues. sheets: names by part."""
    return [
        *(issue for issue in package.issues if issue.code != "GF320"),
        *_find_relations(package, frozenset()),
        *_find_embedded(package),
        *_find_formulas(package, sheets),
    ]


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _issue(code: str, place: Place, fact: Text, hint: Text, severity: Severity = "warning") -> Issue:
    return Issue(code, severity, place, fact, hint)


def _has(data: bytes, word: str) -> bool:
    """Tell whether a part has an ASCII word in it, in UTF-8 or UTF-16."""
    return word.encode() in data or word.encode("utf-16-le") in data or word.encode("utf-16-be") in data


# ---------------------------------------------------------------------------------------------------------------------
# Targets


# Control characters, and signs that nobody sees.
_UNSEEN: Final = re.compile("[\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def _clean(target: str) -> str:
    """Return a target as programs take it: without blanks and control characters around it and escapes in it."""
    return _UNSEEN.sub("", unquote(target)).strip().casefold()


def _find_scheme(target: str) -> str:
    """Return the scheme of a cleaned target; empty for a path, `file` for a drive letter or a server's share."""
    if re.match(r"[\\/]{2}", target) or re.match(r"[a-z]:", target):
        return "file"
    found = re.match(r"([a-z][a-z0-9+.-]*):", target)
    return found[1] if found else ""


def _is_local(target: str) -> bool:
    """Tell whether a relation's target is a path on the author's own disk, or beside the document."""
    target = _clean(target)
    scheme = _find_scheme(target)
    if scheme != "file":
        return not scheme
    rest = target.removeprefix("file:")
    slashes = len(rest) - len(rest.lstrip("/\\"))
    return slashes == 0 or (rest != target and slashes in (1, 3))


def _find_relations(package: Package, refused: frozenset[str]) -> Iterator[Issue]:
    for name in package.names:
        if not name.casefold().endswith(".rels") or not _has(package.read(name), "External"):
            continue
        folder, _, file = f"/{name}".rpartition("/_rels/")
        place = Place(package.name, path=(name,))
        for relation in read_relationships(package, f"{folder}/{file[:-5]}".strip("/")):
            if not relation.external:
                continue
            if relation.type == "hyperlink":
                yield from check_link(relation.target, place)
            elif not _is_local(relation.target):
                yield _fetched(relation, place, relation.type in refused)


def _fetched(relation: Relationship, place: Place, is_refused: bool) -> Issue:
    target = _shown(relation.target)
    fact = Text(
        f"the file fetches {target!r} ({relation.type}) when it is opened",
        f"打开时会读取外部内容 {target!r}（{relation.type}）",
    )
    hint = Text("embed it, or remove the link", "请改为嵌入，或删除链接")
    return _issue("GF315" if is_refused else "GF320", place, fact, hint, "error" if is_refused else "warning")


def is_web_link(target: str) -> bool:
    """Tell whether a click on this opens no more than a web page, a mail, or a file beside the document."""
    scheme = _find_scheme(_clean(target))
    return not scheme or scheme in _CLICKED


def check_link(target: str, place: Place) -> Iterator[Issue]:
    """Yield GF322 where a click does more than open a web page, a mail, or a file beside the document."""
    if not is_web_link(target):
        shown = _shown(target)
        fact = Text(f"the hyperlink {shown!r} opens a file or program", f"超链接 {shown!r} 会打开文件或程序")
        yield _issue("GF322", place, fact, Text("link to a web page, or remove it", "请改为网页链接，或删除"))


# ---------------------------------------------------------------------------------------------------------------------
# Embedded objects


def _find_embedded(package: Package) -> Iterator[Issue]:
    """Yield GF324 for OLE objects and altChunks inside the file, and for links by DDE or OLE without a relation.

    A chart's workbook is a `package`, not an OLE object.
    """
    types = read_content_types(package)
    found = {name for name in package.names if "oleobject" in types.of(name).casefold()}
    for name in package.names:
        if name.casefold().endswith(".rels"):
            data = package.read(name)
            if _has(data, "oleObject") or _has(data, "aFChunk"):
                folder, _, file = f"/{name}".rpartition("/_rels/")
                relations = read_relationships(package, f"{folder}/{file[:-5]}".strip("/"))
                found |= {r.target for r in relations if r.type in ("oleObject", "aFChunk") and not r.external}
        elif "externallink" in types.of(name).casefold() and _has(package.read(name), "ddeLink"):
            found.add(name)
    for name in sorted(found):
        fact = Text(
            f"an object of another program is embedded: {_shown(name)}", f"嵌入了其他程序的对象：{_shown(name)}"
        )
        hint = Text("put a picture of it in its place", "请改为图片")
        yield _issue("GF324", Place(package.name, path=(name,)), fact, hint)


# ---------------------------------------------------------------------------------------------------------------------
# Fields of Word

_FIELDS: Final = frozenset(
    {"DDE", "DDEAUTO", "INCLUDETEXT", "INCLUDE", "INCLUDEPICTURE", "IMPORT", "LINK", "RD", "DATABASE", "MACROBUTTON"}
)
_NESTED: Final = "\ufffc"
"""Where a field, or a tag of ours, stands within the instruction of a field."""
_TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)


def _find_fields(package: Package) -> Iterator[Issue]:
    types = read_content_types(package)
    for name in package.names:
        if "wordprocessingml" not in types.of(name):
            continue
        data = package.read(name)
        if not _has(data, "instr"):
            continue
        place = Place(package.name, path=(name.rpartition("/")[2].rpartition(".")[0],))
        told: set[str] = set()
        for code in _iter_fields(safe_xml(data, name=package.name, part=name)):
            if code not in told:
                told.add(code)
                yield from _check_field(code, place)


def _iter_fields(root: _Element) -> Iterator[str]:
    """Yield the instruction of every field, put together from its runs; inner fields before outer ones."""
    open_fields: list[list[str]] = []
    for element in root.iter(_W + "fldChar", _W + "instrText", _W + "fldSimple"):
        kind = str(element.tag).rpartition("}")[2]
        attributes = {str(key).rpartition("}")[2]: str(value) for key, value in element.attrib.items()}
        if kind == "fldSimple":
            yield attributes.get("instr", "")
        elif kind == "instrText":
            if open_fields:
                open_fields[-1].append(str(element.xpath("string()")))
        elif attributes.get("fldCharType") == "begin":
            if open_fields:
                open_fields[-1].append(_NESTED)
            open_fields.append([])
        elif attributes.get("fldCharType") == "end" and open_fields:
            yield "".join(open_fields.pop())
    # What never ends is told as well: programs differ in what they make of it.
    yield from ("".join(field) for field in open_fields)


def _check_field(code: str, place: Place) -> Iterator[Issue]:
    code = _TAG.sub(_NESTED, code)
    words = re.match(rf"[^\w={_NESTED}]*([A-Za-z]+|{_NESTED})({_NESTED})?\s*(\S*)", code)
    if words is None:
        return
    word = words[1].upper()
    if word == "HYPERLINK":
        target = re.search(r'"([^"]*)"', code)
        # A field doubles its backslashes.
        yield from check_link((target[1] if target else words[3]).replace("\\\\", "\\"), place)
        return
    is_computed = word == _NESTED or words[2] is not None
    if not is_computed and (word not in _FIELDS or (word == "MACROBUTTON" and words[3].casefold() == "nomacro")):
        return
    shown = _shown(code.replace(_NESTED, "{…}").strip())
    fact = Text(
        f"the field {{ {shown} }} fetches or runs something in the reader's Word",
        f"域 {{ {shown} }} 会在打开者的 Word 中读取外部内容或运行程序",
    )
    yield _issue("GF321", place, fact, Text("remove the field, or turn it into text", "请删除该域，或转换为普通文本"))


# ---------------------------------------------------------------------------------------------------------------------
# Formulas of Excel

_FORMULAS: Final = ("f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula")
_SUSPECT: Final = (
    b"webservice", b"rtd", b"call", b"register", b"image", b"exec", b"dde", b"sql.", b"[", b"|", b"&#", b"<!--",
)  # fmt: skip
_SUSPECT_PATH: Final = re.compile(rb"<\?[^x]|'[^'<>]{0,300}[\\/]")
"""What a sheet must have, in lower case, for any of the below to be in it; `&#`, CDATA and comments may hide it."""
_CALLS: Final = re.compile(
    r"(?<![\w.])(?:_xlfn\.|_xlws\.)*(WEBSERVICE|RTD|CALL|REGISTER(?:\.ID)?|IMAGE|EXEC|DDE|SQL\.REQUEST)\s*\(",
    re.IGNORECASE,
)
_PIECES: Final = re.compile(r""""[^"]*"|'[^']*'""")
_STRING: Final = re.compile(r'"[^"]*"')
_OUTSIDE: Final = re.compile(r"'\\'(?:'\\?')*!|\[[^\[\]]*\][\w.]*!")
"""A quoted name with a path or a book in it (see `_blank`), or `[book]sheet!`."""


def _blank(piece: re.Match[str]) -> str:
    """Return a text or quoted sheet name without what is in it; a path leaves one backslash, as no sheet has it."""
    if piece[0].startswith('"'):
        return '""'
    return r"'\'" if re.search(r"[\[\\/]", piece[0]) else "''"


def is_reaching(formula: str) -> bool:
    """Tell whether a formula calls programs or servers, or takes cells of another file."""
    bare = _PIECES.sub(_blank, formula)
    # An apostrophe is an escape in the columns of a table: what stands between two of them is no name there.
    called = _CALLS.search(bare) or _CALLS.search(_STRING.sub('""', formula))
    return bool(called or _OUTSIDE.search(bare) or "|" in bare)


def _is_suspect(data: bytes) -> bool:
    lowered = data.lower()
    return any(word in lowered for word in _SUSPECT) or _SUSPECT_PATH.search(lowered) is not None


def _find_formulas(package: Package, sheets: Mapping[str, str]) -> Iterator[Issue]:
    types = read_content_types(package)
    for name in package.names:
        kind = types.of(name)
        if "spreadsheetml" not in kind or not kind.endswith(("sheet+xml", "main+xml", "table+xml")):
            continue
        data = package.read(name)
        if data[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\0" not in data[:4] and not _is_suspect(data):
            continue
        label = sheets.get(name, name.rpartition("/")[2].rpartition(".")[0])
        root = safe_xml(data, name=package.name, part=name)
        for element in root.iter(*(f"{{*}}{tag}" for tag in _FORMULAS)):
            formula = str(element.xpath("string()")).strip()
            if is_reaching(formula):
                yield _reaching(formula, Place(package.name, path=(_formula_place(element, label),)))


def _formula_place(element: _Element, label: str) -> str:
    """Return `sheet!A2` for a cell's formula, the name for a defined one, the sheet for rules and validations."""
    if str(element.tag).endswith("}definedName"):
        return element.get("name") or label
    parent = element.getparent()
    cell = parent.get("r") if parent is not None and str(parent.tag).endswith("}c") else None
    return f"{label}!{cell}" if cell else label


def _reaching(formula: str, place: Place) -> Issue:
    shown = _shown(formula)
    fact = Text(f"the formula ={shown} reaches out of the file", f"公式 ={shown} 会读取外部内容或运行程序")
    return _issue("GF323", place, fact, Text("put its value in its place", "请改为数值"))
