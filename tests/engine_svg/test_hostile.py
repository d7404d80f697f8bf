"""Drawings somebody else made: whatever is in them, the answer is a drawing, a PDF or an error of ours, and soon."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfdocs.engine.svg.fonts import FontSet
from gfdocs.engine.svg.outline import outline, to_pdf
from gfdocs.engine.template import open_template
from gfdocs.errors import ConvertError, GfdocsError

ROOT = Path(__file__).resolve().parents[2]
PLAQUE = (ROOT / "templates" / "plaque.svg").read_bytes()
WORDS = {
    "title": "江苏省绿色工厂",
    "english": "GREEN FACTORY",
    "issuer": "江苏省工业和信息化厅",
    "date_text": "2023年2月",
    "width": 600,
    "height": 400,
}
CONTEXT = {"company": {"name": "示例电子有限公司"}, "plaque": WORDS}
MANY = 2000 if os.environ.get("GFDOCS_NIGHTLY") == "1" else 150


@pytest.fixture(scope="module")
def fonts() -> FontSet:
    if shutil.which("fc-match") is None:
        pytest.skip("fontconfig is not installed")
    found = subprocess.run(
        ["fc-match", "-f", "%{file}", "Noto Sans CJK SC:bold"], capture_output=True, text=True, check=True
    )
    return FontSet([found.stdout])


@settings(max_examples=MANY, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(PLAQUE) - 1),
            st.sampled_from([b"", b"<", b">", b'"', b"{{", b"%}", b"&", b"\x00", b"gf:", b"9", b"-", b"e"]),
            st.integers(0, 40),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_a_damaged_template_is_opened_or_refused_never_more(edits: list[tuple[int, bytes, int]]) -> None:
    data = PLAQUE
    for at, what, cut in edits:
        data = data[:at] + what + data[at + cut :]
    try:
        open_template(data, kind="svg", name="a.svg").render(CONTEXT)
    except GfdocsError as fault:
        if not fault.issues:
            raise


NUMBERS = st.sampled_from(["0", "1", "-5", "1e3", "1e400", "NaN", "", "x", "5%", "5mm", "1 2", "٣"])
PATHS = st.sampled_from(
    [
        "M0 0L5 5z",
        "",
        "M",
        "M1",
        "L 1 1",
        "m0 0a1 1 0 0 1 2 2",
        "M0 0Q1",
        "M0,0 C1 2 3",
        "xyz",
        "M0 0A0 0 0 1 1 5 5",
        "Z",
        "M1e999 0L0 0",
    ]
)
SHAPES = st.one_of(
    st.builds('<rect x="{}" width="{}" height="{}" rx="{}"/>'.format, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    st.builds('<circle cx="{}" r="{}" fill="url(#g)"/>'.format, NUMBERS, NUMBERS),
    st.builds('<path d="{}" stroke="#zz" stroke-width="{}" stroke-dasharray="{}"/>'.format, PATHS, NUMBERS, NUMBERS),
    st.builds('<g transform="{}({})" opacity="{}"><polygon points="{}"/></g>'.format, st.sampled_from(["matrix", "scale", "rotate", "skewX", "what"]), NUMBERS, NUMBERS, NUMBERS),
    st.builds('<text x="{}" y="1" font-size="{}" font-weight="{}">示a</text>'.format, NUMBERS, NUMBERS, NUMBERS),
    st.builds('<linearGradient id="g" x1="{}"><stop offset="{}"/></linearGradient>'.format, NUMBERS, NUMBERS),
    st.just('<use href="#u" id="u"/>'),
)  # fmt: skip


@settings(max_examples=MANY, deadline=None)
@given(body=st.lists(SHAPES, max_size=4).map("".join))
def test_any_drawing_becomes_a_pdf_or_an_error_of_ours(fonts: FontSet, body: str) -> None:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="20mm" height="20mm" viewBox="0 0 20 20">{body}</svg>'.encode()
    )
    try:
        assert to_pdf(svg, fonts)[:5] == b"%PDF-"
    except GfdocsError as fault:
        if not fault.issues:
            raise


def test_uses_within_uses_end_soon(fonts: FontSet) -> None:
    levels = "".join(f'<g id="l{n}">' + f'<use href="#l{n + 1}"/>' * 10 + "</g>" for n in range(12))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="9mm" height="9mm" viewBox="0 0 9 9"><defs>{levels}<rect id="l12"/></defs><use href="#l0"/></svg>'
    start = time.perf_counter()
    with pytest.raises(ConvertError) as fault:
        to_pdf(svg.encode(), fonts)
    assert fault.value.issues[0].code == "GF817"
    assert time.perf_counter() - start < 60


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<html/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
        b"\xff\xfe",
    ],
)
def test_what_is_no_drawing_is_one_error(fonts: FontSet, data: bytes) -> None:
    with pytest.raises(ConvertError) as fault:
        outline(data, fonts)
    assert [issue.code for issue in fault.value.issues] == ["GF814"]


@pytest.mark.parametrize(
    "source", ["{% for a in range(10**9) %}x{% endfor %}", "{{ 'a' * 10**10 }}", "{{ ''.__class__.__mro__ }}"]
)
def test_a_template_cannot_take_the_machine(source: str) -> None:
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><text>{source}</text></svg>'.encode()
    start = time.perf_counter()
    with pytest.raises(GfdocsError):
        open_template(svg, kind="svg", name="a.svg").render({})
    assert time.perf_counter() - start < 10
