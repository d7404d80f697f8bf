"""A damaged or odd document is checked or refused by name; it never breaks the checker."""

from __future__ import annotations

import io
import os
import random
import zipfile

import pytest
from lxml import etree

from gfdocs.errors import GfdocsError
from gfdocs.gongwen.check import check_docx
from tests.gongwen.papers import bad_notice

PARTS = ("word/document.xml", "word/styles.xml", "word/settings.xml", "word/footer-default.xml", "word/numbering.xml")
GARBAGE = (
    "",
    "abc",
    "-1",
    "99999999999999999999",
    "inf",
    "nan",
    "1e400",
    "2.5cm",
    "%9",
    "true",
    "ZZZZZZ",
    "一",
    "0x1F",
)
ROUNDS = 1500 if os.environ.get("GFDOCS_NIGHTLY") == "1" else 60


def spoil(data: bytes, seed: int) -> bytes:
    """Remove, double, move or garble elements and attributes of the parts the checker reads."""
    dice = random.Random(seed)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name in PARTS and dice.random() < 0.7:
                content = _spoil_part(content, dice)
            target.writestr(name, content)
    return out.getvalue()


def _spoil_part(content: bytes, dice: random.Random) -> bytes:
    root = etree.fromstring(content)
    elements = [e for e in root.iter() if e is not root]
    for element in dice.sample(elements, min(len(elements), dice.randint(1, 60))):
        choice = dice.randint(0, 4)
        parent = element.getparent()
        if choice == 0 and parent is not None:
            parent.remove(element)
        elif choice == 1 and parent is not None:
            parent.append(element)
        elif element.attrib and choice == 2:
            del element.attrib[dice.choice(list(element.attrib))]
        elif element.attrib:
            element.set(dice.choice(list(element.attrib)), dice.choice(GARBAGE))
        elif element.text:
            element.text = dice.choice(GARBAGE)
    return etree.tostring(root)


def test_a_spoilt_document_is_checked_or_refused() -> None:
    data, _ = bad_notice()
    for seed in range(ROUNDS):
        spoilt = spoil(data, seed)
        try:
            issues = check_docx(spoilt, "坏.docx")
        except GfdocsError:
            continue
        except Exception as fault:  # the point of the test: nothing else may come out
            pytest.fail(f"seed {seed}: {fault!r}")
        assert all(issue.to_text("zh") for issue in issues)


@pytest.mark.parametrize(
    "missing", ["word/styles.xml", "word/settings.xml", "word/numbering.xml", "word/theme/theme1.xml"]
)
def test_a_part_may_be_missing(missing: str) -> None:
    data, _ = bad_notice()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            if name != missing:
                target.writestr(name, source.read(name))
    assert check_docx(out.getvalue(), "缺.docx")


def test_styles_based_on_one_another_end() -> None:
    data, _ = bad_notice()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/styles.xml":
                content = content.replace(b'<w:basedOn w:val="Normal"/>', b'<w:basedOn w:val="GongwenBody"/>')
            target.writestr(name, content)
    assert check_docx(out.getvalue(), "环.docx")
