"""The plaque: true size, the words of its level, every name fitted, outlines and PDF an engraver can use."""

from __future__ import annotations

import re
import shutil
import subprocess
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from gfdocs.engine.svg.drawing import add_marks, read_number
from gfdocs.engine.svg.fonts import FontSet
from gfdocs.engine.svg.outline import find_glyph_issues, outline, to_pdf
from gfdocs.engine.template import Template, open_template
from gfdocs.errors import ConvertError, TemplateError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = open_template(ROOT / "templates" / "plaque.svg")
SVG = "{http://www.w3.org/2000/svg}"
PROVINCIAL = {
    "title": "江苏省绿色工厂",
    "english": "GREEN FACTORY OF JIANGSU",
    "issuer": "江苏省工业和信息化厅",
    "date_text": "2023年2月",
}
NATIONAL = {
    "title": "绿色工厂",
    "english": "GREEN FACTORY",
    "issuer": "中华人民共和国工业和信息化部",
    "date_text": "2021年",
}
PARK = {**NATIONAL, "title": "绿色工业园区", "english": "GREEN INDUSTRIAL PARK"}
CHAIN = {**PROVINCIAL, "title": "江苏省绿色供应链管理企业", "english": "GREEN SUPPLY CHAIN ENTERPRISE OF JIANGSU"}
LONGEST = "江苏省苏州市示例高端装备制造与新能源汽车零部件集团股份有限公司"


def draw(
    name: str, plaque: dict[str, Any] = PROVINCIAL, width: int = 600, height: int = 400, template: Template = TEMPLATE
) -> bytes:
    context = {"company": {"name": name}, "plaque": {**plaque, "width": width, "height": height}}
    return template.render(context).to_bytes()


def find(data: bytes, name: str) -> etree._Element:
    (element,) = etree.fromstring(data).xpath(f"//*[@id='{name}']")
    return element


def lines_of(element: etree._Element) -> list[str]:
    return [t.text for t in element] or [element.text]


def real_names() -> list[str]:
    """The names of the public lists of the example, for lists and fitting only."""
    import csv

    found = sorted((ROOT / "examples").rglob("companies*.csv"))
    names = [
        row.get("company_name") or row.get("企业名称") or ""
        for f in found
        for row in csv.DictReader(f.open(encoding="utf-8-sig"))
    ]
    return sorted({name for name in names if name})


def test_it_is_600_by_400_mm_and_one_unit_is_one_mm() -> None:
    root = etree.fromstring(draw("示例电子有限公司"))
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == ("600mm", "400mm", "0 0 600 400")
    assert {e.tag for e in root.iter() if not e.tag.startswith(SVG)} == set()


def test_the_template_itself_is_a_drawing_that_any_program_opens() -> None:
    """At the size it is drawn, rendering changes words only."""
    drawn, rendered = (etree.fromstring(data) for data in (TEMPLATE.source, draw("示例电子有限公司")))
    for name in ("width", "height", "viewBox"):
        assert drawn.get(name) == rendered.get(name)
    for one, other in zip(
        drawn.iter("{*}path", "{*}circle", "{*}rect"), rendered.iter("{*}path", "{*}circle", "{*}rect"), strict=True
    ):
        assert {k: v for k, v in one.attrib.items() if "gfdocs" not in k} == dict(other.attrib)
    assert not TEMPLATE.issues


def test_it_says_it_is_an_example_and_bears_no_picture() -> None:
    root = etree.fromstring(draw("示例电子有限公司"))
    assert "示意" in root.findtext(f"{SVG}desc")
    assert not list(root.iter(f"{SVG}image"))


@pytest.mark.parametrize("plaque", [PROVINCIAL, NATIONAL, PARK, CHAIN])
def test_each_level_and_kind_has_its_words_in_full(plaque: dict[str, str]) -> None:
    data = draw("示例电子有限公司", plaque)
    for part, key in (("level", "title"), ("english", "english"), ("issuer", "issuer"), ("date", "date_text")):
        assert "".join(lines_of(find(data, part))) == plaque[key]


def test_a_name_of_six_and_one_of_thirty_one_characters_both_look_right() -> None:
    short, long = find(draw("示例工业园区"), "company"), find(draw(LONGEST), "company")

    assert lines_of(short) == ["示例工业园区"] and short.get("transform") is None
    assert len(lines_of(long)) == 2 and "".join(lines_of(long)) == LONGEST
    assert float(long.get("font-size")) >= 30  # still to be read from across a hall


def test_sizes_from_settings_are_decimals() -> None:
    from decimal import Decimal

    root = etree.fromstring(draw("示例电子有限公司", PROVINCIAL, Decimal("900"), Decimal("600")))  # type: ignore[arg-type]
    assert (root.get("width"), root.get("viewBox")) == ("900mm", "0 0 900 600")


@pytest.mark.parametrize("size", [(600, 400), (800, 600), (400, 300), (1200, 800), (450, 450)])
def test_other_sizes_are_scaled_to_fit(size: tuple[int, int]) -> None:
    data = draw("示例电子有限公司", PROVINCIAL, *size)
    scale = min(size[0] / 600, size[1] / 400)
    assert f"scale({scale:g})" in find(data, "words").get("transform")
    assert etree.fromstring(data).get("viewBox") == f"0 0 {size[0]} {size[1]}"


def test_a_name_that_cannot_fit_is_an_issue_that_names_it() -> None:
    with pytest.raises(TemplateError) as fault:
        draw("示例" * 80)
    assert fault.value.issues[0].code == "GF244" and "示例" * 80 in fault.value.issues[0].fact


def check_fits(data: bytes, fonts: FontSet | None = None) -> None:
    """Each line of the name, at its size and condensed, is no wider than its room, and the block stands clear of its neighbours."""
    from gfdocs.engine.svg.fit import em_width

    element = find(data, "company")
    size = read_number(element.get("font-size"))
    matrix = re.search(r"matrix\(([\d.]+)", element.get("transform", ""))
    scale = float(matrix.group(1)) if matrix else 1.0
    measure = fonts.measure(["Noto Sans CJK SC"], 700) if fonts else em_width
    assert all(sum(map(measure, line)) * size * scale <= 490.3 for line in lines_of(element))
    tops = [read_number(part.get("y", element.get("y"))) for part in (list(element) or [element])]
    assert min(tops) - 0.88 * size >= 180.5  # the lozenge ends at 180
    assert max(tops) + 0.12 * size <= 299  # the issuer begins at 299
    assert all(b - a >= size for a, b in pairwise(tops))


def test_every_name_of_the_public_list_fits() -> None:
    names = real_names()
    if not names:
        pytest.skip("the example with the public names is not there")
    for name in names:
        data = draw(name)
        check_fits(data)
        assert "".join(lines_of(find(data, "company"))) == name


NAMES = st.lists(
    st.sampled_from(
        [
            "江苏",
            "苏州市",
            "（昆山）",
            "示例",
            "精密",
            "ABC",
            "电子",
            "新材料",
            "-",
            "·",
            "科技",
            "股份有限公司",
            "集团",
            "𬬭",
            "é",
            " Co., Ltd.",
        ]
    ),
    min_size=1,
    max_size=16,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(NAMES)
def test_any_name_fits_or_is_told(name: str) -> None:
    name = " ".join(name.split()) or "示例"
    fault, data = None, b""
    try:
        data = draw(name)
    except TemplateError as found:
        fault = found
    if fault is not None:
        assert {issue.code for issue in fault.issues} == {"GF244"}
        assert name in fault.issues[0].fact
        return
    check_fits(data)
    assert "".join(lines_of(find(data, "company"))).replace(" ", "") == name.replace(" ", "")


def test_no_tag_is_left() -> None:
    assert b"{{" not in draw(LONGEST) and b"{%" not in draw(LONGEST)


# --- outlines and PDF --------------------------------------------------------------------------------------------------

pytest.importorskip("fontTools")
pytest.importorskip("reportlab")


@pytest.fixture(scope="module")
def fonts() -> FontSet:
    """A serif and a sans face with Chinese glyphs, as fontconfig knows them."""
    if shutil.which("fc-match") is None:
        pytest.skip("fontconfig is not installed")
    files = []
    for family in ("Noto Serif CJK SC:bold", "Noto Sans CJK SC:bold"):
        file = subprocess.run(
            ["fc-match", "-f", "%{family}|%{file}", family], capture_output=True, text=True, check=True
        ).stdout
        if "CJK" not in file:
            pytest.skip("Noto CJK fonts are not installed")
        files.append(file.partition("|")[2])
    return FontSet(files)


def test_outlined_drawings_hold_no_text_and_keep_the_words_for_readers(fonts: FontSet) -> None:
    root = etree.fromstring(outline(draw(LONGEST), fonts))

    assert not list(root.iter(f"{SVG}text"))
    assert LONGEST in {e.get("aria-label", "").replace(" ", "") for e in root.iter()}
    assert outline(draw(LONGEST), fonts) == outline(draw(LONGEST), fonts)


def test_outlines_stand_where_the_text_stood(fonts: FontSet) -> None:
    from fontTools.pens.boundsPen import BoundsPen
    from fontTools.svgLib.path import parse_path

    pen = BoundsPen(None)
    parse_path(find(outline(draw("示例电子有限公司"), fonts), "company").get("d"), pen)
    left, top, right, bottom = pen.bounds

    assert (left + right) / 2 == pytest.approx(300, abs=2)
    assert right - left == pytest.approx(8 * 37, abs=8)
    assert 252 - 0.9 * 37 < top < bottom < 252 + 0.15 * 37


def test_the_real_faces_are_no_wider_than_the_table(fonts: FontSet) -> None:
    for name in (
        "示例电子有限公司",
        LONGEST,
        "霍尼韦尔-码捷（示例）科技有限公司",
        "SAMPLE Precision Manufacturing (Suzhou) Co., Ltd.",
    ):
        check_fits(draw(name), fonts)


def test_texts_can_be_measured_by_the_faces_themselves(fonts: FontSet) -> None:
    from dataclasses import replace

    compiled = replace(TEMPLATE.compiled, fonts=fonts)
    context = {"company": {"name": "W" * 14}, "plaque": {**PROVINCIAL, "width": 600, "height": 400}}
    check_fits(compiled.render(context), fonts)


def test_a_character_no_face_has_is_named(fonts: FontSet) -> None:
    with pytest.raises(ConvertError) as fault:
        outline(draw("示例\U00020000有限公司\u4dff\ue000"), fonts)

    assert {issue.code for issue in fault.value.issues} == {"GF810"}
    assert any("U+E000" in issue.fact and "示例" in issue.fact for issue in fault.value.issues)


def test_a_face_that_stands_in_for_another_is_told(fonts: FontSet) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><text font-family="No Such Face" x="1" y="2">ab</text></svg>'
    (issue,) = find_glyph_issues(svg, fonts)
    assert issue.code == "GF811" and issue.severity == "note" and "No Such Face" in issue.fact


def test_a_regular_face_in_place_of_a_bold_one_is_told(fonts: FontSet) -> None:
    heavy = b'<svg xmlns="http://www.w3.org/2000/svg"><text font-family="Noto Sans CJK SC" font-weight="300" x="1" y="2">ab</text></svg>'
    (issue,) = find_glyph_issues(heavy, fonts)
    assert issue.code == "GF811" and "700" in issue.fact and "300" in issue.fact


def test_text_that_cannot_be_outlined_faithfully_is_refused(fonts: FontSet) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><text x="1" y="2" dx="1 2">ab</text></svg>'
    with pytest.raises(ConvertError) as fault:
        outline(svg, fonts)
    assert [issue.code for issue in fault.value.issues] == ["GF813"]


def test_no_font_and_a_broken_font_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConvertError):
        outline(draw("示例电子有限公司"), [])
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(ConvertError) as fault:
        FontSet([broken])
    assert fault.value.issues[0].code == "GF812"


def pages(data: bytes) -> Any:
    pdfium = pytest.importorskip("pypdfium2")
    return pdfium.PdfDocument(data)


def test_the_pdf_is_one_page_of_true_size_without_text_or_fonts(fonts: FontSet) -> None:
    data = to_pdf(draw(LONGEST), fonts)
    document = pages(data)

    assert len(document) == 1
    assert [round(n / 72 * 25.4, 2) for n in document[0].get_size()] == [600, 400]
    assert document[0].get_textpage().get_text_range().strip() == ""
    assert b"/FontFile" not in data
    assert to_pdf(draw(LONGEST), fonts) == data


def test_the_pdf_looks_like_the_drawing(fonts: FontSet) -> None:
    """Where the drawing has ink the page has ink: the frame at 14 mm, the name's block, and bare ground between them."""
    bitmap = pages(to_pdf(draw(LONGEST), fonts))[0].render(scale=0.5)
    scale, pixels = bitmap.width / 600, bytes(bitmap.buffer)

    def dark(x: float, y: float, w: float, h: float) -> float:
        """The share of dark pixels in a rectangle given in mm."""
        columns, rows = (
            range(round(x * scale), round((x + w) * scale) + 1),
            range(round(y * scale), round((y + h) * scale) + 1),
        )
        starts = [row * bitmap.stride + column * bitmap.n_channels for row in rows for column in columns]
        return sum(sum(pixels[start : start + 3]) < 3 * 110 for start in starts) / len(starts)

    assert dark(60, 200, 480, 80) > 0.15
    assert dark(30, 100, 15, 200) == 0
    assert dark(12, 100, 4, 200) > 0.3


def test_colours_are_the_printers_and_spot_colours_have_their_name(fonts: FontSet) -> None:
    import zlib

    svg = draw("示例电子有限公司").replace(b'data-cmyk="58 60 78 72"', b'data-cmyk="58 60 78 72" data-spot="INK 1"')
    data = to_pdf(svg, fonts)
    assert b"/Separation" in data and b"INK" in data

    body = b"".join(_streams(to_pdf(draw("示例电子有限公司"), fonts), zlib.decompress))
    assert b".9 .36 .82 .32 K" in body  # the frame's stroke
    assert b" rg\n" not in body


def _streams(data: bytes, inflate: Any) -> list[bytes]:
    import base64

    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)endstream", data, re.DOTALL):
        raw = match.group(1).strip()
        found.append(inflate(base64.a85decode(raw.removesuffix(b"~>"))))
    return found


def test_crop_marks_stand_outside_the_bleed_and_the_boxes_say_so(fonts: FontSet) -> None:
    pypdfium2 = pytest.importorskip("pypdfium2")
    page = pypdfium2.PdfDocument(to_pdf(draw("示例电子有限公司"), fonts, bleed=3))[0]
    mm = [
        [round(n / 72 * 25.4, 2) for n in box] for box in (page.get_mediabox(), page.get_bleedbox(), page.get_trimbox())
    ]

    assert mm == [[0, 0, 630, 430], [12, 12, 618, 418], [15, 15, 615, 415]]
    marks = find(add_marks(draw("示例电子有限公司"), bleed=3), "marks")
    assert "示意" in "".join(marks.itertext())


def test_a_layer_can_be_left_out_for_the_engraver(fonts: FontSet) -> None:
    whole, bare = (len(to_pdf(draw("示例电子有限公司"), fonts, leave_out=out)) for out in ((), ("plate",)))
    assert bare < whole


def test_what_the_pdf_cannot_draw_is_named(fonts: FontSet) -> None:
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="10mm" height="10mm" viewBox="0 0 10 10">'
        b'<image href="data:image/png;base64,AA=="/><rect filter="url(#a)" width="1" height="1"/></svg>'
    )
    with pytest.raises(ConvertError) as fault:
        to_pdf(svg, fonts)
    assert [issue.code for issue in fault.value.issues] == ["GF816", "GF816"]


def test_a_drawing_not_in_mm_has_no_true_size(fonts: FontSet) -> None:
    with pytest.raises(ConvertError) as fault:
        to_pdf(b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>', fonts)
    assert fault.value.issues[0].code == "GF815"


def test_basic_shapes_and_transforms_are_drawn(fonts: FontSet) -> None:
    body = (
        '<defs><circle id="c" r="2"/></defs><use href="#c" x="5" y="5"/><rect x="1" y="1" width="5" height="4" rx="1" fill="#c00" opacity=".5"/>'
        '<g transform="rotate(45 10 10) scale(1 2) skewX(3)"><ellipse cx="10" cy="10" rx="3" ry="2" stroke="gold" stroke-dasharray="1 1"/></g>'
        '<line x1="0" y1="0" x2="5" y2="5" stroke="rgb(1,2,3)"/><polyline points="0 0 5 5 5 0"/><polygon points="0,0 5,5 5,0" fill="white"/>'
        '<path d="M0 0q5 5 9 0a3 3 0 0 1 2 2z" fill-rule="evenodd"/><rect style="fill:#00f;display:none" width="3" height="3"/>'
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="20mm" viewBox="0 0 20 20">{body}</svg>'.encode()
    )
    for colours in ("cmyk", "rgb"):
        assert len(pages(to_pdf(svg, fonts, colours=colours))) == 1  # type: ignore[arg-type]
    assert BytesIO(to_pdf(svg, fonts)).read(5) == b"%PDF-"


# --- the file ------------------------------------------------------------------------------------------------------------


def test_drawing_the_template_again_gives_the_same_file() -> None:
    import sys

    sys.path.insert(0, str(ROOT / "templates" / "source"))
    try:
        import draw_plaque
    finally:
        sys.path.pop(0)
    assert draw_plaque.draw() == {"plaque.svg": (ROOT / "templates" / "plaque.svg").read_bytes()}
