"""The cells of one template sheet compiled: what stays is ready to be written, tags become programs, formulas are split."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from gfdocs.engine.xlsx.formulas.references import parse_formula, parse_reference
from gfdocs.engine.xlsx.template.compiled import Cell, FormulaCell, Row, StaticCell, ValueCell
from gfdocs.engine.xlsx.template.layout import Tag, split_tags
from gfdocs.engine.xlsx.template.programs import Languages, compile_cell
from gfdocs.engine.xlsx.template.sheet import CellPart, OddSheet, RowPart, escape_text, needs_space, write_text
from gfdocs.engine.xlsx.template.tags import RUN_MARK, formula_has_tags, has_tags, join_tags, mark_runs, without_runs
from gfdocs.engine.xlsx.template.workbook import SharedText, Workbook, read_text_item
from gfdocs.errors import Issue, Place, TemplateError, Text

_VERTICAL_MERGE = re.compile(r"\{%[-+]?\s*vm\s*[-+]?%\}")
Made = TypeVar("Made")


class Faults:
    """The faults of a template, gathered so that one run tells them all."""

    def __init__(self) -> None:
        self.issues: list[Issue] = []

    def attempt(self, make: Callable[[], Made]) -> Made | None:
        """Return what `make` makes; note the issues and return None where it cannot."""
        try:
            return make()
        except TemplateError as fault:
            self.issues += fault.issues
            return None


class CellCompiler:
    """Compiles the cells of one sheet. `values` counts those with tags, `tagged_texts` are the shared texts they show."""

    def __init__(self, workbook: Workbook, languages: Languages, faults: Faults, sheet: str, prefix: str) -> None:
        self.workbook = workbook
        self.languages = languages
        self.faults = faults
        self.sheet = sheet
        self.prefix = prefix
        self.values = 0
        self.tagged_texts: set[int] = set()

    def compile_row(self, part: RowPart) -> tuple[Row, list[tuple[str, Tag]]]:
        """Return the row and the line tags of its cells, each with its kind (tr, tc, sheet)."""
        tags: list[tuple[str, Tag]] = []
        cells: list[Cell] = []
        for cell_part in part.cells:
            cell = self._compile_cell(cell_part, tags)
            if cell is not None:
                cells.append(cell)
        return Row(part.number, part.attributes, tuple(cells)), tags

    def _compile_cell(self, part: CellPart, tags: list[tuple[str, Tag]]) -> Cell | None:
        if part.formula is not None:
            return self._compile_formula(part)
        text = self._find_text(part) if part.kind else None
        if text is None or not has_tags(text.text):
            return StaticCell(part.column, _static_tail(part, self.prefix), read_value(part, text), part.style)
        if part.kind == "s":
            self.tagged_texts.add(int(part.value or 0))
        return self._compile_text(part, text, self._place(part), tags)

    def _place(self, part: CellPart) -> Place:
        return Place(self.workbook.package.name, path=(f"{self.sheet}!{part.name}",))

    def _find_text(self, part: CellPart) -> SharedText | None:
        """Return the text of a cell, None where it has none."""
        if part.kind == "s":
            return self._get_shared_text(part)
        if part.kind == "inlineStr" and part.inline:
            from lxml import etree

            return read_text_item(etree.fromstring(_unprefixed(part.inline).encode()))
        return SharedText(part.value or "") if part.kind == "str" else None

    def _get_shared_text(self, part: CellPart) -> SharedText:
        number, texts = (part.value or "0").strip(), self.workbook.shared_texts
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise OddSheet(f"{part.name} points to no text: {number[:20]!r}", f"{part.name} 指向不存在的共享字符串")
        return texts[int(number)] if int(number) < len(texts) else SharedText("")

    def _compile_text(
        self, part: CellPart, text: SharedText, place: Place, tags: list[tuple[str, Tag]]
    ) -> StaticCell | ValueCell | None:
        runs = join_tags(text.runs)
        source = mark_runs(runs) if len(runs) > 1 else text.text
        merges = _VERTICAL_MERGE.search(source) is not None
        rest, found = split_tags(_VERTICAL_MERGE.sub("", source) if merges else source, place)
        for kind, kind_tags in found.items():
            tags += [(kind, Tag(tag.word, tag.source, tag.place, part.column)) for tag in kind_tags]
        if not has_tags(rest):
            return self._fixed_cell(part, without_runs(rest))
        program = self.faults.attempt(lambda: compile_cell(self.languages, rest, place))
        if program is None:
            return None
        self.values += 1
        properties = tuple(run.properties for run in runs) if RUN_MARK in rest else ()
        return ValueCell(part.column, part.style, program, properties, merges)

    def _fixed_cell(self, part: CellPart, text: str) -> StaticCell:
        """Return a cell whose line tags were taken out, with the text that is left."""
        style = f' s="{part.style}"' if part.style else ""
        if not text.strip():
            return StaticCell(part.column, f"{style}/>", None, part.style)
        space = ' xml:space="preserve"' if needs_space(text) else ""
        p = self.prefix
        tail = f'{style} t="inlineStr"><{p}is><{p}t{space}>{write_text(text)}</{p}t></{p}is></{p}c>'
        return StaticCell(part.column, tail, text, part.style)

    def _compile_formula(self, part: CellPart) -> FormulaCell:
        assert part.formula is not None
        text, upper = part.formula.text, part.formula.text.upper()
        if formula_has_tags(text):
            self.faults.issues.append(_tag_in_formula(self._place(part)))
        return FormulaCell(
            part.column,
            part.style,
            text,
            parse_formula(text),
            part.formula.kind,
            parse_reference(part.formula.ref) if part.formula.ref else None,
            part.formula.extra,
            part.extra,
            "SUBTOTAL(" in upper or "AGGREGATE(" in upper,
            None if part.kind == "s" else read_value(part, self._find_text(part)),
        )


def read_value(part: CellPart, text: SharedText | None) -> Any:
    """Return what a formula sees in a cell that holds this text, or no text."""
    if text is not None:
        return text.text or (None if part.kind != "s" else "")
    if part.value is None or part.value == "":
        return None
    if part.kind == "b":
        return part.value in ("1", "true")
    if part.kind == "e":
        from gfdocs.engine.xlsx.formulas.values import CellError

        return CellError(part.value)
    try:
        number = float(part.value)
    except ValueError:
        return part.value
    return int(number) if number.is_integer() and abs(number) < 1e15 else number


def _static_tail(part: CellPart, prefix: str) -> str:
    """Return what follows `<c r="B7"` of a cell that stays as it is."""
    style = f' s="{part.style}"' if part.style else ""
    kind = f' t="{part.kind}"' if part.kind else ""
    text = part.value
    if text is None and not part.inline:
        return f"{style}{part.extra}/>"
    value = f"<{prefix}v>{text if text.isalnum() else escape_text(text)}</{prefix}v>" if text is not None else ""
    return f"{style}{kind}{part.extra}>{value}{part.inline}</{prefix}c>"


def _unprefixed(inline: str) -> str:
    """Return an `<is>` element without a namespace prefix, to be parsed alone."""
    return re.sub(r"(</?)[A-Za-z_][\w.-]*:", r"\1", inline).replace("xml:space", "space").replace(" x14ac:", " ")


def _tag_in_formula(place: Place) -> Issue:
    fact = Text("a tag stands inside a formula", "公式中含有标签")
    hint = Text("put the tag into a cell of its own and refer to that cell", "请把标签放在单独的单元格，再在公式中引用")
    return Issue("GF261", "error", place, fact, hint)
