"""Rows filled by compiled code, by Python, and value by value are the same bytes; misuse is an exception, never a crash.

After a change of `_rows.c`, once under the sanitizers:

    gcc -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover -shared -fPIC $(python3-config --includes) \
        gfdocs/engine/docx/_rows.c -o gfdocs/engine/docx/_rows$(python3-config --extension-suffix)
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 \
        PYTHONMALLOC=malloc GFDOCS_NIGHTLY=1 python -m pytest tests/engine_docx/test_rows.py
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
import tempfile
import tracemalloc
import types
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import compress, crc32

import docx
import pytest
from docx.oxml.ns import qn
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from gfdocs.docx import InlineImage, Mm
from gfdocs.engine.bounds import LONG
from gfdocs.engine.budget import Budget
from gfdocs.engine.docx import rows
from gfdocs.engine.docx.prepare import Spot
from gfdocs.engine.docx.values import STATE, State, make_raw
from gfdocs.engine.language import IllegalCharacter
from gfdocs.engine.template import open_template
from gfdocs.errors import TemplateError

ROOT = Path(__file__).parents[2]
NIGHTLY = os.environ.get("GFDOCS_NIGHTLY") == "1"

# Where nothing is compiled, Python is tested alone; CI must have both.
needs_compiled = pytest.mark.skipif(
    rows.compiled is None and os.environ.get("GFDOCS_CI") != "1",
    reason="gfdocs was installed without a C compiler, or its source has changed: pip install -e .",
)
ROOM = 1 << 30
NUMBERS: Any = tuple(rows._NUMBERS)


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


Fill = Callable[..., bytes | None]
Rows = tuple[tuple[Any, ...], ...]


def flat(values: Rows) -> rows.Values:
    """Return the values of rows one after another, as they are filled in."""
    return tuple(value for row in values for value in row)


def one_by_one(fixed: tuple[bytes, ...], writers: rows.Writers, values: Rows) -> bytes:
    out = []
    for row in values:
        for before, writer, value in zip(fixed, writers, row, strict=False):
            out += [before, writer(value)]
        out.append(fixed[-1])
    return b"".join(out)


def in_c(fixed: tuple[bytes, ...], writers: rows.Writers, values: Rows, room: int = ROOM) -> Any:
    return rows.compiled.fill(fixed, writers, flat(values), NUMBERS, LONG, room)


def in_python(fixed: tuple[bytes, ...], writers: rows.Writers, values: Rows, room: int = ROOM) -> Any:
    return rows.fill_in_python(fixed, writers, flat(values), room)


both_ways = pytest.mark.parametrize("fill", [pytest.param(in_c, marks=needs_compiled), in_python])


@both_ways
def test_every_character_comes_out_as_it_does_alone(fill: Fill) -> None:
    last = 0x110000 if NIGHTLY else 0x10000
    fixed = (b"<", b">")
    for start in (*range(0, last, 16), 0x10000, 0x1FFF0, 0x20000, 0x10FFF0):
        signs = [chr(number) for number in range(start, start + 16)]
        values = tuple((text,) for sign in signs for text in (sign, f"甲&{sign}乙"))

        assert fill(fixed, (write,), values) == one_by_one(fixed, (write,), values), hex(start)


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


@both_ways
@settings(max_examples=2000 if NIGHTLY else 200, deadline=None)
@given(data=st.data(), width=st.integers(min_value=1, max_value=5))
def test_any_rows_come_out_as_their_values_do_alone(fill: Fill, data: st.DataObject, width: int) -> None:
    values = tuple(data.draw(st.lists(st.tuples(*[VALUES] * width), max_size=12)))
    fixed = tuple(data.draw(st.lists(st.binary(max_size=30), min_size=width + 1, max_size=width + 1)))
    writers = (write,) * width

    assert fill(fixed, writers, values) == one_by_one(fixed, writers, values)


@needs_compiled
@example(10_000, '"')
@given(st.integers(min_value=1, max_value=3000), st.sampled_from('"&甲a\n'))
@settings(max_examples=20, deadline=None)
def test_rows_far_longer_than_most_find_room(count: int, sign: str) -> None:
    values = tuple((sign * (number % 999), number) for number in range(count))
    fixed = (b"", b"", b"")

    assert in_c(fixed, (write, write), values) == one_by_one(fixed, (write, write), values)


def bad_calls() -> Iterator[Any]:
    good: Any = ((b"a", b"b"), (write,), ("x",), (), 1000, ROOM)
    yield from ((*good[:at], odd, *good[at + 1 :]) for at in range(6) for odd in (None, [], "text", 3.5))
    yield (b"a",), *good[1:]
    yield (b"a", "b"), *good[1:]
    yield (b"a",), (), *good[2:]
    yield (b"a",) * 3, (write, write), ("x", "y", "z"), *good[3:]
    yield *good[:1], (lambda value: "text",), ("\n",), *good[3:]
    yield *good[:1], (None,), ("\n",), *good[3:]
    yield good[:5]
    yield ()


@needs_compiled
@pytest.mark.parametrize("arguments", list(bad_calls()), ids=lambda arguments: str(len(str(arguments))))
def test_what_is_not_as_agreed_is_a_type_error(arguments: Any) -> None:
    with pytest.raises(TypeError):
        rows.compiled.fill(*arguments)


@both_ways
def test_a_fault_of_a_writer_passes(fill: Fill) -> None:
    def fail(value: Any) -> bytes:
        raise ValueError(value)

    for count in (1, 9):
        with pytest.raises(ValueError, match=r"^乙\n$"):
            fill((b"", b""), (fail,), (("乙\n",),) * count)


@needs_compiled
def test_a_number_whose_text_fails_passes_its_fault() -> None:
    class Odd(Decimal):
        def __str__(self) -> str:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        rows.compiled.fill((b"", b""), (write,), (Odd(1),), (Odd,), 1000, ROOM)


@needs_compiled
def test_more_than_there_can_be_room_for_is_a_memory_error() -> None:
    text, many = b"x" * 2**23, 2**20
    with pytest.raises(MemoryError):
        in_c((text,) * (many + 1), (write,) * many, (("",) * many,))


@needs_compiled
def test_every_failing_allocation_is_a_memory_error() -> None:
    testcapi = pytest.importorskip("_testcapi", reason="a Python without its own tests")

    def give(value: Any) -> bytes:
        return b"written" * 99

    values = flat(tuple((f"行{number}" * 9, 10**30, 2.5, object()) for number in range(40)))
    call = ((b"<", b"", b"", b"", b">"), (give,) * 4, values, NUMBERS, LONG, ROOM)
    expected = rows.compiled.fill(*call)
    failed = 0
    for start in range(1, 400):
        testcapi.set_nomemory(start, start + 1)
        try:
            found = rows.compiled.fill(*call)
        except MemoryError:
            failed += 1
            found = expected
        finally:
            testcapi.remove_mem_hooks()
        assert found == expected
    assert failed > 40


@needs_compiled
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_text_that_an_extension_made_the_old_way_comes_out() -> None:
    testcapi = pytest.importorskip("_testcapi", reason="a Python without its own tests")
    if not hasattr(testcapi, "unicode_legacy_string"):
        pytest.skip("this Python has no such texts")
    text = testcapi.unicode_legacy_string("旧法 & old")

    assert in_c((b"<", b">"), (write,), ((text,),)) == "<旧法 &amp; old>".encode()


@both_ways
@pytest.mark.parametrize("count", [1, 3, 40])
def test_writers_are_called_row_by_row(fill: Fill, count: int) -> None:
    seen: list[Any] = []

    def number(value: Any) -> bytes:
        if isinstance(value, list):
            seen.append(value[0])
        return b"%d " % len(seen)

    values = tuple(([row, 1], "甲", "x" * LONG, [row, 2]) for row in range(count))

    found = fill((b"",) * 5, (number, write, number, number), values)

    assert seen == [at for row in range(count) for at in (row, row)]
    seen.clear()
    assert found == one_by_one((b"",) * 5, (number, write, number, number), values)


@both_ways
def test_a_long_text_goes_to_its_writer_and_a_shorter_one_does_not(fill: Fill) -> None:
    values = tuple(("甲" * (LONG - (number != 7)),) for number in range(9))
    seen: list[int] = []

    def count(value: Any) -> bytes:
        if len(value) >= LONG:
            seen.append(len(value))
        return write(value)

    assert fill((b"", b""), (count,), values) == one_by_one((b"", b""), (write,), values)
    assert seen == [LONG]


class Lying(str):
    """A text that says it is long."""

    def __len__(self) -> int:
        return 10**9


class Posing:
    """A value that says it is a text."""

    __class__ = property(lambda self: str)  # type: ignore[assignment]

    def __str__(self) -> str:
        return "a text & more"

    def isalnum(self) -> bool:
        return False


@both_ways
def test_values_that_say_they_are_texts_are_printed_as_they_are_alone(fill: Fill) -> None:
    values = tuple((value,) for value in (Posing(), Lying("甲"), "乙", 1, 2, 3))

    def show(value: Any) -> bytes:
        return str(value).encode()

    assert fill((b"<", b">"), (show,), values) == one_by_one((b"<", b">"), (show,), values)
    assert fill((b"<", b">"), (show,), values, room=6 * 2 + 2) is not None


def refuse(value: Any) -> bytes:
    raise AssertionError("a writer is called before it is known whether there is room")


@both_ways
@given(values=st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=9), text=st.binary(max_size=9))
@settings(max_examples=100, deadline=None)
def test_how_much_rows_are_is_reckoned_alike(fill: Fill, values: list[tuple[Any, ...]], text: bytes) -> None:
    size = len(values) * 2 * len(text) + sum(len(v) for row in values for v in row if isinstance(v, str))
    fixed, given_rows = (text, b"", text), tuple(values)

    assert fill(fixed, (refuse, refuse), given_rows, room=size - 1) is None
    assert fill(fixed, (write, write), given_rows, room=size) == one_by_one(fixed, (write, write), given_rows)


@pytest.mark.parametrize("wanted", [pytest.param(True, marks=needs_compiled), False])
def test_much_text_comes_in_pieces(wanted: bool, use: Callable[[bool], None]) -> None:
    use(wanted)
    values = (("甲" * 300_000, 1),) * 100
    fixed = (b"<", b"|", b">")

    pieces = list(rows.fill_rows(fixed, (write, write), flat(values)))

    assert b"".join(pieces) == one_by_one(fixed, (write, write), values)
    assert [len(piece) for piece in pieces] == [900_004 * count for count in _halve(100)]
    assert list(rows.fill_rows(fixed, (write, write), ())) == [b""]


def _halve(count: int) -> Iterator[int]:
    if count <= 3:
        yield count
    else:
        yield from _halve(count // 2)
        yield from _halve(count - count // 2)


@needs_compiled
def test_what_an_older_source_was_compiled_to_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Path(rows.__file__).with_name("_rows.c")
    if not source.exists():
        pytest.skip("an installed wheel, where nothing can be older than another")
    current = crc32(source.read_bytes()) & 0x7FFFFFFF
    for known, is_used in ((current, True), (current ^ 1, False), (None, False), (0, True)):
        monkeypatch.setattr(rows.compiled, "SOURCE", known)
        assert (rows._load_compiled() is not None) == is_used
    monkeypatch.delattr(rows.compiled, "SOURCE")
    assert rows._load_compiled() is None


@pytest.fixture
def building(monkeypatch: pytest.MonkeyPatch) -> Any:
    """hatch_build.py of this checkout; hatchling is asked for no more than the class of a hook."""
    pytest.importorskip("setuptools", reason="what finds the C compiler is not there")
    interface = types.ModuleType("interface")
    interface.BuildHookInterface = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "hatchling.builders.hooks.plugin.interface", interface)
    return load_module("hatch_build", ROOT / "hatch_build.py")


def load_module(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@needs_compiled
@pytest.mark.filterwarnings("ignore")
def test_what_is_compiled_knows_its_source_and_nothing_of_where_it_was_made(building: Any, tmp_path: Path) -> None:
    made = []
    for name in ("one", "an other 文件夹"):
        source = tmp_path / name / "_rows.c"
        source.parent.mkdir()
        source.write_bytes((ROOT / building.SOURCE).read_bytes())
        with tempfile.TemporaryDirectory() as scratch:
            building.put_beside(building.compile_module(source, Path(scratch)), source)
            # Once more: what is there already is replaced.
            building.put_beside(building.compile_module(source, Path(scratch)), source)
        built = [path for path in source.parent.iterdir() if path != source]
        assert [path.suffix for path in built] in ([".so"], [".pyd"])
        made.append(built[0])

    assert made[0].read_bytes() == made[1].read_bytes()
    assert b"other" not in made[1].read_bytes()
    compiled = load_module("_rows", made[0])
    assert crc32(source.read_bytes()) & 0x7FFFFFFF == compiled.SOURCE


@needs_compiled
def test_nothing_is_kept() -> None:
    text, number, moment, fixed = "一段\n文字", 10**30, datetime(2023, 1, 1), b"fixed text"
    values = tuple((text, number, moment, 2.5) for _ in range(50))
    kept: tuple[Any, ...] = (text, number, moment, fixed, write, values)
    before = [sys.getrefcount(value) for value in kept]
    for _ in range(100):
        in_c((fixed,) * 5, (write,) * 4, values)
        with pytest.raises(TypeError):
            rows.compiled.fill((fixed,) * 5, (write,) * 4, flat((*values, values[0][:3])), (), 1000, ROOM)
        with pytest.raises(TypeError):
            rows.compiled.fill((fixed,) * 5, (write, write, write, str), flat(values), (), 1000, ROOM)
        items = tuple({"a": text, "b": number} for _ in range(3))
        assert rows.compiled.pick(("b", "a"), items) == (number, text) * 3
        assert rows.compiled.pick(("b", "c"), items) is None
        del items

    assert [sys.getrefcount(value) for value in kept] == before


@needs_compiled
def test_texts_made_on_the_way_are_let_go() -> None:
    values = tuple((number + 0.5, Decimal(number), date(2023, 1, 1), 2**70) for number in range(50))
    tracemalloc.start()
    try:
        for _ in range(50):
            in_c((b"",) * 5, (write,) * 4, values)
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "pick", [pytest.param(lambda *given: rows.compiled.pick(*given), marks=needs_compiled), rows.pick_in_python]
)
def test_values_are_picked_of_plain_dicts_that_have_them_all(pick: Callable[..., Any]) -> None:
    class Own(dict[str, Any]):
        """A mapping that may do anything when it is asked."""

    first, second = {"a": 1, "b": None, "c": "x"}, {"b": "二", "a": []}

    assert pick(("a",), (first, second)) == (1, [])
    assert pick(("b", "a", "b"), (first, second)) == (None, 1, None, "二", [], "二")
    assert pick(("a", "c"), (first, second)) is None
    assert pick(("a",), (first, Own(a=1))) is None
    assert pick(("a",), (first, "text")) is None
    assert pick(("a",), ()) == ()


@needs_compiled
def test_picking_passes_faults_and_refuses_what_is_not_as_agreed() -> None:
    class Key(str):
        def __hash__(self) -> int:
            return hash("a")

        def __eq__(self, other: object) -> bool:
            raise ArithmeticError

    with pytest.raises(ArithmeticError):
        rows.compiled.pick(("a",), ({Key("k"): 1},))
    for bad in ((["a"], ()), (("a",), [{}]), (("a",),), ()):
        with pytest.raises(TypeError):
            rows.compiled.pick(*bad)
    with pytest.raises(TypeError):
        rows.compiled.pick(([],), ({"a": 1},))


@both_ways
def test_a_row_alone_is_never_too_much(fill: Fill) -> None:
    assert fill((b"<", b">"), (write,), (("甲",),), room=0) == "<甲>".encode()
    assert fill((b"<", b">"), (write,), (), room=0) == b""


@pytest.fixture
def use() -> Iterator[Callable[[bool], None]]:
    yield rows.use_compiled
    rows.use_compiled(rows.compiled is not None)


def make_template(*cells: str) -> bytes:
    document = docx.Document()
    table = document.add_table(rows=3, cols=len(cells))
    table.rows[0].cells[0].text = "{%tr for c in rows %}"
    for cell, text in zip(table.rows[1].cells, cells, strict=True):
        cell.text = text
    table.rows[2].cells[0].text = "{%tr endfor %}"
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def render(template: bytes, data: dict[str, Any], **options: Any) -> bytes | str:
    """Return the document, or what is wrong, with its place."""
    try:
        return open_template(template, kind="docx", **options).render(data).to_bytes()
    except TemplateError as fault:
        return "\n".join(map(str, fault.issues))


@needs_compiled
@pytest.mark.parametrize("count", [1, 3, 300])
def test_a_document_is_the_same_bytes_with_and_without_the_compiled_part(
    count: int, use: Callable[[bool], None]
) -> None:
    template = make_template("{{ c.name }}", "{{ c.n }}", "{{ c.n * 2 }}", "{{ c.note }}")
    notes = ["", "行一\n行二", "R&D", "“引号”", None, date(2023, 2, 10), Decimal("1.50"), 2.5, True]
    data = {"rows": [{"name": f"示例{n}有限公司", "n": n, "note": notes[n % len(notes)]} for n in range(count)]}

    with_it = render(template, data)
    use(False)

    assert render(template, data) == with_it
    assert isinstance(with_it, bytes)
    cells = [cell.text for row in docx.Document(io.BytesIO(with_it)).tables[0].rows for cell in row.cells]
    assert cells[:4] == ["示例0有限公司", "0", "0", ""]


@needs_compiled
@pytest.mark.parametrize("count", [2, 9])
def test_pictures_are_numbered_alike(count: int, use: Callable[[bool], None]) -> None:
    template = make_template("{{ c.first }}", "{{ c.n }}", "{{ c.second }}")
    names = [f"{side}{n}" for n in range(count) for side in ("first", "second")]
    pictures = {name: InlineImage(None, io.BytesIO(draw_picture(name)), width=Mm(9)) for name in names}
    data = {"rows": [{"first": pictures[f"first{n}"], "n": n, "second": pictures[f"second{n}"]} for n in range(count)]}

    with_it = render(template, data)
    use(False)

    assert render(template, data) == with_it
    assert isinstance(with_it, bytes)
    part = docx.Document(io.BytesIO(with_it)).part
    ids = [drawing.get(qn("r:embed")) for drawing in part.element.iter(qn("a:blip"))]
    assert [part.related_parts[rid].blob for rid in ids] == [draw_picture(name) for name in names]


def draw_picture(name: str) -> bytes:
    """Return a PNG of one dot, told apart by its comment."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + crc32(kind + data).to_bytes(4, "big")

    head = (1).to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    comment = chunk(b"tEXt", b"Comment\0" + name.encode())
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + comment + chunk(b"IDAT", compress(b"\0\0")) + chunk(b"IEND", b"")
    )


@needs_compiled
@pytest.mark.parametrize("characters", [100_000, 200_000, 1_000_000, 3_000_000])
@pytest.mark.parametrize("rows_", [3, 50, 300])
def test_what_is_over_budget_is_told_at_the_same_place(
    characters: int, rows_: int, use: Callable[[bool], None]
) -> None:
    template = make_template("{{ c.n }}", "{{ big }}", "{{ c.t }}")
    budget = Budget(characters=characters, characters_per_item=0)
    data = {"big": "字" * 5_000, "rows": [{"n": n, "t": "行\n" if n % 7 else "行"} for n in range(rows_)]}

    with_it = render(template, data, budget=budget)
    use(False)

    assert render(template, data, budget=budget) == with_it
    assert isinstance(with_it, bytes) or "GF210" in with_it


@pytest.mark.parametrize("wanted", [pytest.param(True, marks=needs_compiled), False])
def test_rows_of_much_text_are_counted_before_they_are_made(wanted: bool, use: Callable[[bool], None]) -> None:
    use(wanted)
    template = make_template(*["{{ big }}"] * 8)
    data = {"big": "字" * 1_000_000, "rows": list(range(10_000))}
    tracemalloc.start()
    try:
        found = render(template, data)
        assert tracemalloc.get_traced_memory()[1] < 200 << 20
    finally:
        tracemalloc.stop()
    assert "GF210" in found
