"""Rows filled by compiled code, by Python, and value by value are the same bytes; misuse is an exception, never a crash.

After a change of `_rows.c`, once under the sanitizers:

    gcc -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover -shared -fPIC $(python3-config --includes) \
        gfdocs/engine/docx/_rows.c -o gfdocs/engine/docx/_rows$(python3-config --extension-suffix)
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0 \
        PYTHONMALLOC=malloc GFDOCS_NIGHTLY=1 python -m pytest tests/engine_docx/test_rows.py
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import docx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gfdocs.engine.docx import rows
from gfdocs.engine.docx.prepare import Spot
from gfdocs.engine.docx.values import STATE, State, make_raw
from gfdocs.engine.language import IllegalCharacter
from gfdocs.engine.template import open_template

NIGHTLY = os.environ.get("GFDOCS_NIGHTLY") == "1"

if rows.compiled is None and os.environ.get("GFDOCS_CI") != "1":
    pytest.skip("gfdocs was installed without a C compiler", allow_module_level=True)


class Shouting(str):
    """A text of another class: what prints it decides."""


_write_text = make_raw(Spot(1, 1, "{{ c }}", "text", run_properties="<w:rPr/>"), lambda value: value)


def write(value: Any) -> bytes:
    """Print as a text of a Word document is printed; what is refused is told apart from all that is printed."""
    try:
        return _write_text(value)
    except IllegalCharacter:
        return b"\x00refused"


@pytest.fixture(autouse=True)
def _of_one_part() -> Iterator[None]:
    token = STATE.set(State())
    yield
    STATE.reset(token)


def one_by_one(fixed: tuple[bytes, ...], writers: rows.Writers, values: rows.Rows) -> bytes:
    out = []
    for row in values:
        for before, writer, value in zip(fixed, writers, row, strict=False):
            out += [before, writer(value)]
        out.append(fixed[-1])
    return b"".join(out)


def compiled(fixed: tuple[bytes, ...], writers: rows.Writers, values: rows.Rows) -> bytes:
    assert rows.is_compiled()
    return rows.fill_rows(fixed, writers, values)


def test_every_character_comes_out_as_it_does_alone() -> None:
    last = 0x110000 if NIGHTLY else 0x10000
    fixed = (b"<", b">")
    for start in (*range(0, last, 16), 0x10000, 0x1FFF0, 0x20000, 0x10FFF0):
        signs = [chr(number) for number in range(start, start + 16)]
        values = tuple((text,) for sign in signs for text in (sign, f"甲&{sign}乙"))

        expected = one_by_one(fixed, (write,), values)

        assert compiled(fixed, (write,), values) == expected, hex(start)
        assert rows.fill_in_python(fixed, (write,), values) == expected, hex(start)


VALUES = st.one_of(
    st.text(),
    st.text(st.characters(max_codepoint=0x7F)),
    st.text(st.sampled_from('一二“”·…\n\t\x1f\x00&<>"é𠀀\ud800\ufffe')),
    st.integers(),
    st.integers(min_value=10**18, max_value=10**40) | st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1]),
    st.floats(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.sampled_from([None, True, False, "", Shouting("甲"), Shouting("<"), Markup("&amp;"), (), "x" * 999, '"' * 999]),
)


@settings(max_examples=2000 if NIGHTLY else 300, deadline=None)
@given(st.data(), st.integers(min_value=1, max_value=5))
def test_any_rows_come_out_as_their_values_do_alone(data: st.DataObject, width: int) -> None:
    values = tuple(data.draw(st.lists(st.tuples(*[VALUES] * width), max_size=12)))
    fixed = tuple(data.draw(st.lists(st.binary(max_size=30), min_size=width + 1, max_size=width + 1)))
    writers = (write,) * width

    expected = one_by_one(fixed, writers, values)

    assert compiled(fixed, writers, values) == expected
    assert rows.fill_in_python(fixed, writers, values) == expected


@example(10_000, '"')
@given(st.integers(min_value=1, max_value=3000), st.sampled_from('"&甲a\n'))
@settings(max_examples=20, deadline=None)
def test_rows_far_longer_than_most_find_room(count: int, sign: str) -> None:
    values = tuple((sign * (number % 999), number) for number in range(count))
    fixed = (b"", b"", b"")

    assert compiled(fixed, (write, write), values) == one_by_one(fixed, (write, write), values)


def bad_calls() -> Iterator[Any]:
    good: Any = ((b"a", b"b"), (write,), (("x",),), frozenset(), 1000)
    yield from ((*good[:at], odd, *good[at + 1 :]) for at in range(5) for odd in (None, [], "text", 3.5))
    yield (b"a",), *good[1:]
    yield (b"a", "b"), *good[1:]
    yield *good[:2], (["x"],), *good[3:]
    yield *good[:2], ((),), *good[3:]
    yield *good[:2], (("x", "y"),), *good[3:]
    yield *good[:1], (lambda value: "text",), (("\n",),), *good[3:]
    yield *good[:1], (None,), (("\n",),), *good[3:]
    yield good[:4]
    yield ()


@pytest.mark.parametrize("arguments", list(bad_calls()), ids=lambda arguments: str(len(str(arguments))))
def test_what_is_not_as_agreed_is_a_type_error(arguments: Any) -> None:
    with pytest.raises(TypeError):
        rows.compiled.fill(*arguments)


def test_a_fault_of_a_writer_passes() -> None:
    def fail(value: Any) -> bytes:
        raise ValueError(value)

    for fill in (compiled, rows.fill_in_python):
        with pytest.raises(ValueError, match=r"甲|乙"):
            fill((b"", b""), (fail,), (("甲",), ("乙\n",)) * 9)


def test_a_number_whose_text_fails_passes_its_fault() -> None:
    class Odd(Decimal):
        def __str__(self) -> str:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        rows.compiled.fill((b"", b""), (write,), ((Odd(1),),), frozenset((Odd,)), 1000)


def test_nothing_is_kept() -> None:
    text, number, moment, fixed = "一段\n文字", 10**30, datetime(2023, 1, 1), b"fixed text"
    values = tuple((text, number, moment, 2.5) for _ in range(50))
    kept: tuple[Any, ...] = (text, number, moment, fixed, write, values)
    before = [sys.getrefcount(value) for value in kept]
    for _ in range(100):
        compiled((fixed,) * 5, (write,) * 4, values)
        with pytest.raises(TypeError):
            rows.compiled.fill((fixed,) * 5, (write, write, write, str), (*values, values[0][:3]), frozenset(), 1000)

    assert [sys.getrefcount(value) for value in kept] == before


@pytest.fixture
def in_python() -> Iterator[Callable[[], None]]:
    yield lambda: rows.use_compiled(False)
    rows.use_compiled(True)


@pytest.mark.parametrize("count", [1, 3, 300])
def test_a_document_is_the_same_bytes_with_and_without_the_compiled_part(
    count: int, in_python: Callable[[], None]
) -> None:
    document = docx.Document()
    table = document.add_table(rows=3, cols=4)
    table.rows[0].cells[0].text = "{%tr for c in rows %}"
    for cell, text in zip(
        table.rows[1].cells, ("{{ c.name }}", "{{ c.n }}", "{{ c.n * 2 }}", "{{ c.note }}"), strict=True
    ):
        cell.text = text
    table.rows[2].cells[0].text = "{%tr endfor %}"
    buffer = io.BytesIO()
    document.save(buffer)
    notes = ["", "行一\n行二", "R&D", "“引号”", None, date(2023, 2, 10), Decimal("1.50"), 2.5, True]
    data = {"rows": [{"name": f"示例{n}有限公司", "n": n, "note": notes[n % len(notes)]} for n in range(count)]}

    with_it = open_template(buffer.getvalue(), kind="docx").render(data).to_bytes()
    in_python()
    without = open_template(buffer.getvalue(), kind="docx").render(data).to_bytes()

    assert with_it == without
    cells = [cell.text for row in docx.Document(io.BytesIO(with_it)).tables[0].rows for cell in row.cells]
    assert cells[:4] == ["示例0有限公司", "0", "0", ""]
