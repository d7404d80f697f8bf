"""Reads any .docx, from Word, WPS, LibreOffice or a library, into a `Paper`, its styles and numbering resolved.

Source: ECMA-376 part 1, 17.7.2 (style hierarchy), 17.3.2.26 (rFonts), 17.3.1.12 (ind), 17.9 (numbering).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gfdocs.engine.package import Package, get_main_part, read_package, read_relationships, safe_xml
from gfdocs.gongwen.layout import points_to_mm, twips_to_mm
from gfdocs.gongwen.paper import Block, Border, Line, Look, Paper, Paragraph, Run, Section, Table

_TRANSITIONAL = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_STRICT = "http://purl.oclc.org/ooxml/wordprocessingml/main"
_HOLDERS = {"sdt", "sdtContent", "smartTag", "customXml", "ins", "moveTo", "hyperlink", "fldSimple", "bdo", "dir"}
_DROPPED = {"del", "moveFrom"}
_LARGEST = 1e7  # twips; nothing on paper is longer, and nan and inf are not numbers

Properties = dict[str, Any]


def read_docx(data: bytes, name: str) -> Paper:
    """Return the document. PackageError where it is not a whole, safe .docx."""
    package = read_package(data, name=name)
    main = get_main_part(package)
    return _Reader(package, main).read()


def _tag(element: Any) -> str:
    """The local name of a WordprocessingML element, of either flavour; others keep their namespace."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    space, _, local = tag[1:].partition("}")
    return local if space in (_TRANSITIONAL, _STRICT) else tag


def _get(element: Any, name: str) -> str | None:
    for space in (_TRANSITIONAL, _STRICT):
        value: str | None = element.get(f"{{{space}}}{name}")
        if value is not None:
            return value
    return None


def _child(element: Any, name: str) -> Any:
    if element is not None:
        for child in element:
            if _tag(child) == name:
                return child
    return None


def _number(text: str | None, default: float = 0.0) -> float:
    """The number of twips, eighths or half-points; universal measures (`2.5cm`) become twips."""
    if text is None:
        return default
    units = {"mm": 1440 / 25.4, "cm": 1440 / 2.54, "in": 1440.0, "pt": 20.0, "pc": 240.0, "pi": 240.0}
    try:
        value = float(text[:-2]) * units[text[-2:]] if text[-2:] in units else float(text)
    except ValueError:
        return default
    return value if abs(value) < _LARGEST else default


def _is_on(element: Any) -> bool:
    return (_get(element, "val") or "true").lower() not in ("0", "false", "off", "none")


# -- properties ------------------------------------------------------------
def _read_run_properties(element: Any) -> Properties:
    found: Properties = {}
    for child in element if element is not None else ():
        name = _tag(child)
        value = _get(child, "val")
        if name == "rFonts":
            found.update(_read_fonts(child))
        elif name in ("b", "vanish"):
            found[name] = _is_on(child)
        elif name == "sz":
            found["size"] = _number(value, 20) / 2
        elif name == "color":
            found["color"] = (value or "").upper()
        elif name == "spacing":
            found["spacing"] = _number(value) / 20
        elif name == "rStyle":
            found["style"] = value
        elif name == "lang":
            found["language"] = _get(child, "eastAsia") or found.get("language", "")
    return found


def _read_fonts(element: Any) -> Properties:
    """The four slots; a theme reference wins over a name in the same element (17.3.2.26)."""
    found: Properties = {}
    for slot, theme in (("eastAsia", "eastAsiaTheme"), ("ascii", "asciiTheme")):
        name = _get(element, theme)
        if name is not None:
            found[slot] = f"theme:{name}"
        elif _get(element, slot) is not None:
            found[slot] = _get(element, slot)
    if _get(element, "hint") is not None:
        found["hint"] = _get(element, "hint")
    return found


def _read_paragraph_properties(element: Any) -> Properties:
    found: Properties = {}
    for child in element if element is not None else ():
        name = _tag(child)
        if name in ("jc", "pStyle"):
            found[name] = _get(child, "val")
        elif name == "ind":
            found.update(_read_indents(child))
        elif name == "spacing":
            found.update(_read_spacing(child))
        elif name in ("pageBreakBefore", "snapToGrid"):
            found[name] = _is_on(child)
        elif name == "pBdr":
            borders = ((_tag(side), _read_border(side)) for side in child)
            found["borders"] = {side: border for side, border in borders if border}
        elif name == "numPr":
            found["numId"] = _get_child_value(child, "numId", found.get("numId"))
            found["ilvl"] = _get_child_value(child, "ilvl", found.get("ilvl", "0"))
    return found


def _get_child_value(element: Any, name: str, default: Any) -> Any:
    child = _child(element, name)
    return default if child is None else _get(child, "val")


def _read_indents(element: Any) -> Properties:
    """Indents in twips and in hundredths of a character, which win; a hanging indent is a negative first line."""
    found: Properties = {}
    for key, names in (("left", ("left", "start")), ("right", ("right", "end"))):
        for name in names:
            if _get(element, name) is not None:
                found[key] = _number(_get(element, name))
            if _get(element, name + "Chars") is not None:
                found[key + "Chars"] = _number(_get(element, name + "Chars"))
    for name, sign in (("firstLine", 1), ("hanging", -1)):
        if _get(element, name) is not None:
            found["first"] = sign * _number(_get(element, name))
        if _get(element, name + "Chars") is not None:
            found["firstChars"] = sign * _number(_get(element, name + "Chars"))
    return found


def _read_spacing(element: Any) -> Properties:
    found: Properties = {}
    for name in ("before", "after"):
        if _get(element, name + "Lines") is not None and _number(_get(element, name + "Lines")):
            found[name] = _number(_get(element, name + "Lines")) / 100 * 15.6
        elif _get(element, name) is not None:
            found[name] = _number(_get(element, name)) / 20
    if _get(element, "line") is not None:
        rule = _get(element, "lineRule") or "auto"
        value = _number(_get(element, "line"), 240)
        found["line"] = Line("auto", value / 240) if rule == "auto" else Line(rule, value / 20)
    return found


def _read_border(element: Any) -> Border | None:
    kind = _get(element, "val") or "none"
    if kind in ("nil", "none"):
        return None
    return Border(kind, points_to_mm(_number(_get(element, "sz"), 4) / 8), (_get(element, "color") or "auto").upper())


def _read_borders(holders: list[Any]) -> tuple[Border, ...]:
    found = [_read_border(side) for holder in holders if holder is not None for side in holder]
    return tuple(border for border in found if border)


# -- styles and numbering ------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    based_on: str | None
    paragraph: Properties
    run: Properties
    borders: tuple[Border, ...] = ()


@dataclass(slots=True)
class _Styles:
    """`word/styles.xml`: looks a style up with all it is based on."""

    run: Properties = field(default_factory=dict)
    paragraph: Properties = field(default_factory=dict)
    styles: dict[str, _Style] = field(default_factory=dict)
    default_paragraph: str = ""

    def chain(self, style_id: str | None) -> Iterator[_Style]:
        """The style and its ancestors, eldest first; a loop of `basedOn` ends where it would begin again."""
        chain: list[_Style] = []
        seen: set[str] = set()
        while style_id and style_id in self.styles and style_id not in seen:
            seen.add(style_id)
            chain.append(self.styles[style_id])
            style_id = self.styles[style_id].based_on
        yield from reversed(chain)


def _read_styles(root: Any) -> _Styles:
    styles = _Styles()
    for element in root if root is not None else ():
        if _tag(element) == "docDefaults":
            styles.run = _read_run_properties(_child(_child(element, "rPrDefault"), "rPr"))
            styles.paragraph = _read_paragraph_properties(_child(_child(element, "pPrDefault"), "pPr"))
        elif _tag(element) == "style":
            style_id = _get(element, "styleId") or ""
            styles.styles[style_id] = _Style(
                _get_child_value(element, "name", style_id),
                _get_child_value(element, "basedOn", None),
                _read_paragraph_properties(_child(element, "pPr")),
                _read_run_properties(_child(element, "rPr")),
                _read_borders([_child(_child(element, "tblPr"), "tblBorders")]),
            )
            if _get(element, "type") == "paragraph" and (_get(element, "default") or "0") in ("1", "true", "on"):
                styles.default_paragraph = style_id
    return styles


@dataclass(frozen=True, slots=True)
class _Level:
    format: str
    text: str
    start: int
    paragraph: Properties


@dataclass(slots=True)
class _Numbering:
    """`word/numbering.xml` with its counters: gives the number a list paragraph shows."""

    levels: dict[str, dict[int, _Level]] = field(default_factory=dict)
    abstract: dict[str, str] = field(default_factory=dict)
    counters: dict[str, dict[int, int]] = field(default_factory=dict)

    def find_level(self, num_id: str | None, ilvl: str | None) -> _Level | None:
        levels = self.levels.get(self.abstract.get(num_id or "", ""), {})
        return levels.get(int(_number(ilvl)))

    def next_label(self, num_id: str, ilvl: str | None) -> str:
        level = self.find_level(num_id, ilvl)
        if level is None or level.format == "bullet":
            return ""
        at = int(_number(ilvl))
        abstract = self.abstract[num_id]
        counters = self.counters.setdefault(abstract, {})
        counters[at] = counters.get(at, level.start - 1) + 1
        for deeper in [key for key in counters if key > at]:
            del counters[deeper]
        text = level.text
        for index, other in self.levels[abstract].items():
            text = text.replace(f"%{index + 1}", _format_number(counters.get(index, other.start), other.format))
        return text


_CHINESE_FORMATS = {
    "chineseCounting", "chineseCountingThousand", "chineseLegalSimplified", "ideographDigital", "japaneseCounting",
    "taiwaneseCountingThousand",
}  # fmt: skip


def _format_number(number: int, kind: str) -> str:
    if kind in _CHINESE_FORMATS:
        from gfdocs.engine.filters import zh_number

        return str(zh_number(number))
    return "" if kind == "none" else str(number)


def _read_numbering(root: Any) -> _Numbering:
    numbering = _Numbering()
    for element in root if root is not None else ():
        if _tag(element) == "abstractNum":
            levels = {}
            for level in element:
                if _tag(level) == "lvl":
                    levels[int(_number(_get(level, "ilvl")))] = _Level(
                        _get_child_value(level, "numFmt", "decimal"),
                        _get_child_value(level, "lvlText", "") or "",
                        int(_number(_get_child_value(level, "start", "1"), 1)),
                        _read_paragraph_properties(_child(level, "pPr")),
                    )
            numbering.levels[_get(element, "abstractNumId") or ""] = levels
        elif _tag(element) == "num":
            numbering.abstract[_get(element, "numId") or ""] = _get_child_value(element, "abstractNumId", "")
    return numbering


_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def _read_theme(root: Any) -> dict[str, str]:
    """The faces behind majorEastAsia, minorEastAsia, majorAscii, minorAscii …"""
    faces: dict[str, str] = {}
    if root is None:
        return faces
    for kind in ("major", "minor"):
        font = root.find(f".//{_A}{kind}Font")
        if font is None:
            continue
        latin, east = font.find(f"{_A}latin"), font.find(f"{_A}ea")
        hans = font.find(f"{_A}font[@script='Hans']")
        chinese = (east.get("typeface") if east is not None else "") or (
            hans.get("typeface") if hans is not None else ""
        )
        faces[f"{kind}EastAsia"] = chinese or ""
        for name in ("Ascii", "HAnsi"):
            faces[kind + name] = (latin.get("typeface") if latin is not None else "") or ""
    return faces


# -- the document ------------------------------------------------------------
class _Reader:
    """Walks the body once. Numbering has state, so paragraphs are read in their order."""

    def __init__(self, package: Package, main: str) -> None:
        self.package, self.main = package, main
        self.targets = {r.id: r.target for r in read_relationships(package, main) if not r.external}
        kinds = {r.type: r.target for r in read_relationships(package, main) if not r.external}
        self.styles = _read_styles(self._find_root(kinds.get("styles")))
        self.numbering = _read_numbering(self._find_root(kinds.get("numbering")))
        self.theme = _read_theme(self._find_root(kinds.get("theme")))
        self.settings = self._find_root(kinds.get("settings"))
        self.count = self.tables = self.section = 0
        self.oddities: set[str] = {"comments"} if "comments" in kinds else set()
        self.loose: list[str] = []
        self.break_pending = False

    def _find_root(self, part: str | None) -> Any:
        if part is None or part not in self.package:
            return None
        return safe_xml(self.package.read(part), name=self.package.name, part=part)

    def read(self) -> Paper:
        body = _child(self._find_root(self.main), "body")
        sections: list[Section] = []
        blocks: list[Block] = []
        for element, where in _placed(body, ("document",)):
            kind = _tag(element)
            if kind == "p":
                blocks.append(self._read_paragraph(element, where))
                inner = _child(_child(element, "pPr"), "sectPr")
                if inner is not None:
                    sections.append(self._read_section(inner, sections))
                    self.section += 1
                    self.break_pending = _get_child_value(inner, "type", "nextPage") != "continuous"
            elif kind == "tbl":
                blocks.append(self._read_table(element, where))
            elif kind == "sectPr":
                sections.append(self._read_section(element, sections))
        odd = self.settings is not None and _child(self.settings, "evenAndOddHeaders")
        even_and_odd = odd is not None and odd is not False and _is_on(odd)
        return Paper(
            self.package.name, tuple(blocks), tuple(sections) or (Section(1),), even_and_odd,
            frozenset(self.oddities), tuple(self.loose),
        )  # fmt: skip

    # .. paragraphs
    def _read_paragraph(self, element: Any, where: tuple[str, ...], table: int = 0) -> Paragraph:
        self.count += 1
        own = _read_paragraph_properties(_child(element, "pPr"))
        style_id = own.get("pStyle") or self.styles.default_paragraph
        properties, run_base = dict(self.styles.paragraph), dict(self.styles.run)
        for style in self.styles.chain(style_id):
            properties.update(style.paragraph)
            run_base.update(style.run)
        level = self.numbering.find_level((properties | own).get("numId"), (properties | own).get("ilvl"))
        properties.update({**(level.paragraph if level else {}), **own})
        mark = self._make_look({**run_base, **_read_run_properties(_child(_child(element, "pPr"), "rPr"))})
        content = _Content()
        self._read_runs(element, run_base, content)
        label = ""
        if properties.get("numId") and (content.runs or content.drawings):
            label = self.numbering.next_label(str(properties["numId"]), properties.get("ilvl"))
        starts = content.breaks_before or bool(properties.get("pageBreakBefore")) or self.break_pending
        self.break_pending = content.breaks_after
        base = content.runs[0].look if content.runs else mark
        char = max(1.0, (base.size + base.spacing) * 20)
        name = self.styles.styles[style_id].name if style_id in self.styles.styles else ""
        return Paragraph(
            number=self.count, runs=tuple(content.runs), place=where, label=label,
            style=name, align=_alignment(properties.get("jc")),
            first=_in_characters(properties, "first", char), left=_in_characters(properties, "left", char),
            right=_in_characters(properties, "right", char), line=properties.get("line", Line()),
            before=properties.get("before", 0.0), after=properties.get("after", 0.0), new_page=starts,
            ends_page=content.breaks_after, borders=properties.get("borders", {}), drawings=content.drawings,
            section=self.section, on_grid=properties.get("snapToGrid", True), mark=mark, table=table,
            is_page_number="PAGE" in content.fields,
        )  # fmt: skip

    def _read_runs(self, element: Any, base: Properties, content: _Content) -> None:
        for child in element:
            kind = _tag(child)
            if kind == "r":
                self._read_run(child, base, content)
            elif kind == "fldSimple":
                content.fields.add((_get(child, "instr") or "").strip().split(" ")[0].upper())
                self._read_runs(child, base, content)
            elif kind in _HOLDERS:
                if kind in ("ins", "moveTo"):
                    self.oddities.add("revisions")
                self._read_runs(child, base, content)
            elif kind in _DROPPED:
                self.oddities.add("revisions")

    def _read_run(self, element: Any, base: Properties, content: _Content) -> None:
        own = _read_run_properties(_child(element, "rPr"))
        merged = dict(base)
        for style in self.styles.chain(own.get("style")):
            merged.update(style.run)
        # whether Word heeds a hint that stands in a style is not documented: only the run's own counts
        merged.update({"hint": "", **own})
        text = "".join(self._read_piece(child, content) for child in element)
        if text and not content.in_instruction:
            content.runs.append(Run(text, self._make_look(merged)))

    def _read_piece(self, element: Any, content: _Content) -> str:
        kind = _tag(element)
        if kind == "t":
            return element.text or ""
        if kind in ("tab", "ptab"):
            return "\t"
        if kind in ("br", "cr"):
            return self._read_break(element, content)
        if kind == "noBreakHyphen":
            return "-"
        if kind == "fldChar":
            content.in_instruction = _get(element, "fldCharType") == "begin"
        elif kind == "instrText":
            content.fields.add((element.text or "").strip().split(" ")[0].upper())
        elif kind in ("drawing", "pict", "object") or kind.endswith("AlternateContent"):
            self._note_drawing(element, content)
        return ""

    @staticmethod
    def _read_break(element: Any, content: _Content) -> str:
        if _get(element, "type") != "page":
            return "" if _get(element, "type") == "column" else "\n"
        if content.runs:
            content.breaks_after = True
        else:
            content.breaks_before = True
        return ""

    def _note_drawing(self, element: Any, content: _Content) -> None:
        content.drawings += 1
        texts = []
        for node in element.iter():
            local = node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""
            if local == "textpath":
                self.oddities.add("wordart")
                texts.append(node.get("string") or "")
            elif local == "prstTxWarp" and node.get("prst") != "textNoShape":
                self.oddities.add("wordart")
            elif local == "txbxContent":
                self.oddities.add("textbox")
                texts.append("".join(t.text or "" for t in node.iter() if _tag(t) == "t"))
        self.loose += [text for text in texts if text]

    def _make_look(self, properties: Properties) -> Look:
        east, latin = properties.get("eastAsia", ""), properties.get("ascii", "")
        themed = east.startswith("theme:") or latin.startswith("theme:")
        return Look(
            east=self._face(east), latin=self._face(latin), size=properties.get("size", 10.0),
            color=properties.get("color", ""), bold=properties.get("b", False), spacing=properties.get("spacing", 0.0),
            hint=properties.get("hint", ""), themed=themed, language=properties.get("language", ""),
            hidden=properties.get("vanish", False),
        )  # fmt: skip

    def _face(self, font: str) -> str:
        return self.theme.get(font[6:], "") if font.startswith("theme:") else font

    # .. tables
    def _read_table(self, element: Any, where: tuple[str, ...]) -> Table:
        self.tables += 1
        number = self.tables
        properties = _child(element, "tblPr")
        rows = []
        repeats = False
        for index, row in enumerate((r for r in _flatten(element) if _tag(r) == "tr"), 1):
            header = _child(_child(row, "trPr"), "tblHeader")
            repeats = repeats or (index == 1 and header is not None and _is_on(header))
            cells = [c for c in _flatten(row) if _tag(c) == "tc"]
            steps = (*where, f"row {index}")
            rows.append(tuple(self._read_cell(c, (*steps, f"cell {n}"), number) for n, c in enumerate(cells, 1)))
        return Table(
            number, where, tuple(rows), self._find_table_width(element, properties), repeats,
            _child(properties, "tblpPr") is not None, self._read_table_borders(element, properties), self.section,
        )  # fmt: skip

    def _read_cell(self, cell: Any, where: tuple[str, ...], number: int) -> tuple[Paragraph, ...]:
        found: list[Paragraph] = []
        for element, steps in _placed(cell, where):
            if _tag(element) == "p":
                found.append(self._read_paragraph(element, steps, number))
            elif _tag(element) == "tbl":
                found += self._read_table(element, steps).paragraphs
        return tuple(found)

    @staticmethod
    def _find_table_width(element: Any, properties: Any) -> float | None:
        grid = _child(element, "tblGrid")
        columns = [_number(_get(c, "w")) for c in grid if _tag(c) == "gridCol"] if grid is not None else []
        width = _child(properties, "tblW")
        if width is not None and _get(width, "type") == "dxa" and _number(_get(width, "w")):
            return twips_to_mm(_number(_get(width, "w")))
        return twips_to_mm(sum(columns)) if columns and sum(columns) else None

    def _read_table_borders(self, element: Any, properties: Any) -> tuple[Border, ...]:
        """All rules of the table: of its style, its own, its cells'."""
        holders = [_child(properties, "tblBorders")]
        holders += [c for c in element.iter() if _tag(c) == "tcBorders"]
        styled = [b for s in self.styles.chain(_get_child_value(properties, "tblStyle", None)) for b in s.borders]
        return (*styled, *_read_borders(holders))

    # .. sections
    def _read_section(self, element: Any, before: list[Section]) -> Section:
        """A section without headers and footers of its own has those of the one before."""
        size, margins, grid = _child(element, "pgSz"), _child(element, "pgMar"), _child(element, "docGrid")
        edges = {
            "footerReference": dict(before[-1].footers) if before else {},
            "headerReference": dict(before[-1].headers) if before else {},
        }
        for child in element:
            found = edges.get(_tag(child))
            if found is not None:
                ids = [value for key, value in child.attrib.items() if key.endswith("}id")]
                root = self._find_root(self.targets.get(ids[0])) if ids else None
                if root is not None:
                    found[_get(child, "type") or "default"] = self._read_edge(root, _tag(child)[:6])
        lengths = {"width": 11906.0, "height": 16838.0}
        for key, holder, name in (
            ("width", size, "w"), ("height", size, "h"), ("top", margins, "top"), ("bottom", margins, "bottom"),
            ("left", margins, "left"), ("right", margins, "right"), ("footer_distance", margins, "footer"),
        ):  # fmt: skip
            if holder is not None and _get(holder, name) is not None:
                lengths[key] = abs(_number(_get(holder, name)))
        gutter = _number(_get(margins, "gutter")) if margins is not None else 0.0
        lengths["left"] = lengths.get("left", 1440.0) + gutter
        return Section(
            len(before) + 1, **{key: twips_to_mm(value) for key, value in lengths.items()},
            grid=(_get(grid, "type") or "") if grid is not None else "",
            line_pitch=_number(_get(grid, "linePitch")) / 20 if grid is not None else 0.0,
            character_space=_number(_get(grid, "charSpace")) / 4096 if grid is not None else 0.0,
            title_page=_child(element, "titlePg") is not None,
            footers=edges["footerReference"], headers=edges["headerReference"],
        )  # fmt: skip

    def _read_edge(self, root: Any, edge: str) -> tuple[Paragraph, ...]:
        """The paragraphs of a header or footer, with those in its tables and text boxes; the body does not count them.

        A text box that holds the number of a landscape page is no oddity: there is no other way to turn it.
        """
        kept = (self.count, self.break_pending)
        oddities, loose = set(self.oddities), list(self.loose)
        paragraphs = [p for p in root.iter() if _tag(p) == "p" and not _is_fallback(p)]
        found = [
            replace(self._read_paragraph(p, (edge, f"paragraph {n}")), is_turned=_is_turned(p))
            for n, p in enumerate(paragraphs, 1)
        ]
        self.count, self.break_pending = kept
        if any(p.is_page_number and p.is_turned for p in found):
            self.oddities, self.loose = oddities, loose
        return tuple(found)


def _is_fallback(element: Any) -> bool:
    """True in what programs that don't know a drawing show instead of it: the same words once more."""
    return any(isinstance(e.tag, str) and e.tag.endswith("}Fallback") for e in element.iterancestors())


_TURNED = ("vert", "eaVert", "vert270", "wordArtVert", "mongolianVert", "tbRl", "tbRlV", "btLr", "tbLr", "tbLrV")


def _is_turned(paragraph: Any) -> bool:
    """True in a text box (`bodyPr vert`, VML's layout-flow), cell or frame (`textDirection`) whose lines run down or up the page."""
    own = (
        _get_child_value(_child(paragraph, "pPr"), "textDirection", "") if _child(paragraph, "pPr") is not None else ""
    )
    if own in _TURNED:
        return True
    for holder in paragraph.iterancestors():
        local = holder.tag.rpartition("}")[2] if isinstance(holder.tag, str) else ""
        if local == "wsp":
            bodies = (node for node in holder if isinstance(node.tag, str) and node.tag.endswith("}bodyPr"))
            return any(node.get("vert") in _TURNED for node in bodies)
        if local == "textbox":
            return "vertical" in (holder.get("style") or "")
        if local == "tc" and _child(holder, "tcPr") is not None:
            return _get_child_value(_child(holder, "tcPr"), "textDirection", "") in _TURNED
    return False


@dataclass(slots=True)
class _Content:
    """What a paragraph holds, gathered while its runs are read."""

    runs: list[Run] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)
    drawings: int = 0
    breaks_before: bool = False
    breaks_after: bool = False
    in_instruction: bool = False


def _flatten(element: Any) -> Iterator[Any]:
    """The children, those of content controls and revisions in their place."""
    for child in element if element is not None else ():
        kind = _tag(child)
        if kind in _HOLDERS:
            yield from _flatten(child)
        elif kind not in _DROPPED:
            yield child


def _placed(container: Any, inside: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """The children with their places; paragraphs and tables are counted each for themselves, as in all of gfdocs."""
    counts = {"p": 0, "tbl": 0}
    names = {"p": "paragraph", "tbl": "table"}
    for child in _flatten(container):
        kind = _tag(child)
        if kind in counts:
            counts[kind] += 1
            yield child, (*inside, f"{names[kind]} {counts[kind]}")
        else:
            yield child, inside


def _alignment(value: str | None) -> str:
    return {"start": "left", "end": "right", None: "left", "distribute": "both"}.get(value, value or "left")


def _in_characters(properties: Properties, key: str, char: float) -> float:
    if properties.get(key + "Chars"):
        return float(properties[key + "Chars"]) / 100
    return float(properties.get(key, 0.0)) / char
