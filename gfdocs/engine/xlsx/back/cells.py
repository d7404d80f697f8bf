"""One cell of a form: what it holds for its fields, and whether a person filled it in as it was meant."""

from __future__ import annotations

import re
import unicodedata

from gfdocs.engine.xlsx.back.findings import Findings
from gfdocs.engine.xlsx.back.form import Field, Steps
from gfdocs.engine.xlsx.back.returned import KINDS, Held
from gfdocs.errors import Place, Text
from gfdocs.raw import RawScalar

_NULLS = ("~", "null", "Null", "NULL")


def make_scalar(text: str, place: Place, kind: str = "text") -> RawScalar:
    """Return a value with its cell; a text that reads as nothing in YAML is quoted."""
    return RawScalar(text, place, quoted=kind == "text" and text in _NULLS, kind=kind)


def read_cell(item: Field, held: Held | None, place: Place, findings: Findings) -> list[tuple[Steps, RawScalar]]:
    """Return the values of one cell's fields, empty where the cell is."""
    kind, text = (KINDS[held[0]], held[1:]) if held is not None else ("text", "")
    if not item.is_value:
        return _read_worded(item, text, place, findings)
    (steps,) = item.pattern.steps
    assert steps is not None
    if kind in ("formula", "error"):
        _report_computed(kind, text, place, findings)
    elif kind == "text" and item.wants_number and text.strip():
        text, kind = _read_number(text, place, findings)
    return [(steps, make_scalar(text, place, kind))]


def _read_worded(item: Field, text: str, place: Place, findings: Findings) -> list[tuple[Steps, RawScalar]]:
    """Return the values that stand among fixed words; told where the words were changed."""
    found = item.pattern.read(text)
    if found is None:
        found = item.pattern.read_loosely(text)
    if found is None:
        if text:
            fact = Text(f"the fixed text of the cell was changed: {text!r}", f"单元格的固定文字被改动：“{text}”")
            findings.report("GF614", "warning", place, fact, Text("fill in only the blank part", "请只填写空白部分"))
        return []
    return [(steps, make_scalar(value, place)) for steps, value in found]


def _report_computed(kind: str, text: str, place: Place, findings: Findings) -> None:
    """Tell of a formula or an error where a value belongs."""
    fact = Text(f"a formula where a value belongs: {text}", f"应填数值处为公式：{text}")
    hint = Text("type the value itself", "请直接填写数值或文字")
    if kind == "error":
        fact = Text(f"an error value: {text}", f"单元格为错误值：{text}")
        hint = Text("type the value", "请填写数值")
    findings.report("GF615", "error", place, fact, hint)


def _read_number(text: str, place: Place, findings: Findings) -> tuple[str, str]:
    """Return a text in a number's cell as the number it is; told where blanks, commas or full-width digits were
    taken off.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u00a0", "").replace(" ", "").replace(",", "")
    if re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        if plain != text:
            fact = Text(f"{text!r} is read as {plain}", f"“{text}”按 {plain} 读取")
            findings.report("GF616", "note", place, fact, Text("type plain digits", "请填写半角数字"))
        return plain, "number"
    fact = Text(f"expected a number, found {text!r}", f"应填数字，实为“{text}”")
    found = re.search(r"\d+(\.\d+)?", plain)
    example = found[0] if found else "123.45"
    hint = Text(
        f"digits only, without units or words, such as {example}", f"只填数字，不带单位和“约”等文字，例如 {example}"
    )
    findings.report("GF617", "error", place, fact, hint)
    return text, "text"
