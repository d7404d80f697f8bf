"""The XML of a part, parsed without DTD, entities or network, and bounded in depth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gfdocs.errors import Issue, PackageError, Place, Text
from gfdocs.safezip.faults import MIB, SAVE_AGAIN, make_issue

if TYPE_CHECKING:
    from lxml.etree import _Element


def to_probe(data: bytes) -> bytes:
    """Return the text as ASCII-compatible bytes, so that a DTD in UTF-16 is seen too."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or data[:4] in (b"<\0?\0", b"\0<\0?"):
        little = data[:2] == b"\xff\xfe" or data[:1] == b"<"
        return data.decode("utf-16-le" if little else "utf-16-be", "replace").encode("utf-8", "replace")
    return data


MAX_DEPTH = 256
"""How deep elements may lie in one another where expat reads them; libxml2 has the same bound."""

_UTF_32 = (b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"<\0\0\0", b"\0\0\0<")
_ENCODINGS = ("utf-8", "utf8", "us-ascii", "ascii", "utf-16", "utf-16le", "utf-16be")


def check_xml(data: bytes, *, name: str, part: str) -> list[Issue]:
    """Return the faults that make an XML part unsafe to parse: any DTD, any encoding but UTF-8 and UTF-16."""
    if data[:4] in _UTF_32:
        return [_wrong_encoding(name, part, "utf-32")]
    probe = to_probe(data)
    issues = []
    if b"<!DOCTYPE" in probe or b"<!ENTITY" in probe:
        issues.append(
            make_issue(
                "GF312",
                name,
                part,
                Text("the XML has a DTD", "XML 含有 DTD 声明"),
                Text(
                    "no office program writes one; the file was made to do harm",
                    "Office 程序不会写入 DTD，文件可能被恶意构造",
                ),
            )
        )
    head = probe[:200]
    if head.lstrip(b"\xef\xbb\xbf").startswith(b"<?xml") and b"encoding" in head:
        declared = head.partition(b"encoding")[2].partition(b"?>")[0].strip(b" =\r\n\t")
        quote = declared[:1] or b'"'
        encoding = declared[1:].partition(quote)[0].decode("ascii", "replace").casefold()
        if encoding not in _ENCODINGS:
            issues.append(_wrong_encoding(name, part, encoding))
    return issues


def _wrong_encoding(name: str, part: str, encoding: str) -> Issue:
    return make_issue(
        "GF313",
        name,
        part,
        Text(
            f"expected UTF-8 or UTF-16, found the encoding {encoding!r}",
            f"XML 编码应为 UTF-8 或 UTF-16，实为 {encoding!r}",
        ),
    )


def safe_xml(data: bytes, *, name: str, part: str) -> _Element:
    """Return the root of an XML part. No DTD, no entity, no network, depth at most 256.

    PackageError: GF312 for a DTD, GF313 with the line where it is not well-formed.
    """
    root: _Element = _parse(data, None, name, part)
    return root


class _Nothing:
    """A parser's target that keeps nothing."""

    def close(self) -> None:
        return None


def check_safe_xml(data: bytes, *, name: str, part: str) -> None:
    """Refuse what `safe_xml` refuses, without holding the tree: it takes twenty times the part's size."""
    _parse(data, _Nothing(), name, part)


class UnsafeXml(ValueError):
    """What `make_parser` met: `.text` says what. Whoever drives the parser tells it with the place."""

    def __init__(self, text: Text) -> None:
        super().__init__(text)
        self.text = text


def make_parser(
    start: Callable[[str, dict[str, str]], None], end: Callable[[str], None], characters: Callable[[str], None]
) -> Any:
    """Return an expat parser that calls these; UnsafeXml for a DTD and for what is nested too deep."""
    from xml.parsers import expat

    depth = 0

    def opened(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnsafeXml(Text("the XML is nested too deep", "XML 嵌套过深"))
        start(tag, attributes)

    def closed(tag: str) -> None:
        nonlocal depth
        depth -= 1
        end(tag)

    def refuse(*_: Any) -> None:
        raise UnsafeXml(Text("the XML has a DTD", "XML 含有 DTD 声明"))

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = refuse
    return parser


def _parse(data: bytes, target: Any, name: str, part: str) -> Any:
    from lxml import etree

    issues = check_xml(data, name=name, part=part)
    if issues:
        raise PackageError(issues)
    # huge_tree only lifts the size of one text (10 MB); the parts' own size is bounded by Limits, the depth below.
    parser: Any = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=len(data) > 8 * MIB,
        remove_blank_text=False,
        target=target,
    )
    try:
        found = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise PackageError(_malformed(name, part, str(fault), getattr(fault, "lineno", None))) from fault
    # Prefixes that nobody declared are faults of a tree; with a target of our own they are in the log alone.
    for entry in parser.error_log if target is not None else ():
        if entry.level_name != "WARNING":
            raise PackageError(_malformed(name, part, entry.message, entry.line))
    return found


def _malformed(name: str, part: str, words: str, line: int | None) -> Issue:
    return Issue(
        "GF313",
        "error",
        Place(name, path=(part, f"line {line}") if line else (part,)),
        Text(f"the part is not well-formed XML: {words}", f"部件不是格式良好的 XML：{words}"),
        SAVE_AGAIN,
    )
