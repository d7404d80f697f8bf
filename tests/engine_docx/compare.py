"""Two documents compared part by part, what does not show left out of account.

Left out: ids that a program may choose (docPr, cNvPr, relations), who typed what when (rsid), how a text is cut into
runs of one formatting, runs without content, blanks and comments between elements, `xml:space`, the order of the
children of `w:rPr` and `w:tcPr` (docxtpl's RichText and `{% cellbg %}` have them out of order), and the East-Asian hint
of a font, which docxtpl does not set.
"""

from __future__ import annotations

import io
import zipfile
from typing import Any

from lxml import etree

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_IDS = ("docPr", "cNvPr")


def _local(element: Any) -> str:
    return etree.QName(element).localname


def _form(run: Any) -> bytes:
    properties = run.find(W + "rPr")
    if properties is None:
        return b""
    return b"".join(sorted(etree.tostring(child, method="c14n", with_comments=False) for child in properties))


def _merge_runs(parent: Any) -> None:
    """Join neighbouring runs that look alike; drop those that show nothing."""
    for run in list(parent.findall(W + "r")):
        content = [child for child in run if child.tag != W + "rPr"]
        if all(child.tag == W + "t" and not child.text for child in content):
            parent.remove(run)
    previous = None
    for child in list(parent):
        if child.tag == W + "r" and previous is not None and _form(previous) == _form(child):
            for part in list(child):
                if part.tag != W + "rPr":
                    previous.append(part)
            parent.remove(child)
        else:
            previous = child if child.tag == W + "r" else None
    for run in parent.findall(W + "r"):
        _merge_texts(run)


def _merge_texts(run: Any) -> None:
    previous = None
    for child in list(run):
        if child.tag == W + "t":
            child.attrib.clear()
            if previous is not None or not child.text:
                if previous is not None:
                    previous.text = (previous.text or "") + (child.text or "")
                run.remove(child)
                continue
            previous = child
        else:
            previous = None


def _drop_hint(run: Any) -> None:
    properties = run.find(W + "rPr")
    fonts = None if properties is None else properties.find(W + "rFonts")
    if fonts is not None:
        fonts.attrib.pop(W + "hint", None)
        if not fonts.attrib:
            properties.remove(fonts)
    if properties is not None and not len(properties):
        run.remove(properties)


def normalise(xml: bytes) -> str:
    root = etree.fromstring(xml)
    etree.strip_tags(root, etree.Comment)
    for element in root.iter():
        if _local(element) not in ("t", "instrText") and element.text and not element.text.strip():
            element.text = None
        if element.tail and not element.tail.strip():
            element.tail = None
    for run in root.iter(W + "r"):
        _drop_hint(run)
    for element in list(root.iter()):
        if not isinstance(element.tag, str):
            continue
        if _local(element) in _IDS:
            element.attrib.pop("id", None)
            element.attrib.pop("name", None)
        if _local(element) in ("bookmarkStart", "bookmarkEnd"):
            # docxtpl repeats the id and name of a bookmark that a loop repeats; ours are unique.
            element.attrib.clear()
        for key in list(element.attrib):
            if (
                (key.endswith(("}embed", "}id")) and "relationships" in key)
                or "w14" in key
                or "2010/wordml" in key
                or "}rsid" in key
            ):
                element.attrib.pop(key)
        if element.tag == W + "p" or _local(element) in ("hyperlink", "sdtContent", "ins"):
            _merge_runs(element)
        if element.tag == W + "szCs" and element.getparent().find(W + "sz") is not None:
            element.getparent().remove(element)
        if element.tag in (W + "rPr", W + "tcPr"):
            element[:] = sorted(element, key=lambda child: etree.tostring(child, method="c14n"))
        if _local(element) == "coreProperties":
            # python-docx adds the empty properties it has been asked for.
            element[:] = sorted((child for child in element if child.text), key=lambda child: child.tag)
    etree.cleanup_namespaces(root)
    for element in list(root.iter()):
        if isinstance(element.tag, str) and _local(element) not in ("t", "instrText"):
            if element.text and not element.text.strip():
                element.text = None
            if element.tail and not element.tail.strip():
                element.tail = None
    return etree.tostring(root, method="c14n", exclusive=True).decode()


def parts_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


_COMPARED = ("word/document", "word/header", "word/footer", "word/footnotes", "docProps/core")


def differences(ours: bytes, theirs: bytes) -> list[str]:
    """Return the names of the parts that differ, each with the place where."""
    mine, other = parts_of(ours), parts_of(theirs)
    out = []
    for name in sorted(mine):
        if not name.startswith(_COMPARED) or not name.endswith(".xml") or name not in other:
            continue
        left, right = normalise(mine[name]), normalise(other[name])
        if left != right:
            at = next(
                (i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
            )
            out.append(
                f"{name}\n  ours  …{left[max(0, at - 150) : at + 200]}\n  their …{right[max(0, at - 150) : at + 200]}"
            )
    return out
