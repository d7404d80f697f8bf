"""Numbers of mixed kinds, objects of any kind, what is no value, and what lint knows of names."""

from __future__ import annotations

import collections
import dataclasses
import io
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import jinja2
import pydantic
import pytest

import gfdocs
from gfdocs.engine.filters import FILTERS
from gfdocs.engine.language import compile_source, compile_text, make_environment
from gfdocs.engine.names import find_names, lint_names, merge_names
from gfdocs.errors import GfdocsError, Issue, NameMissing, PackageError, Place, TagError, TemplateError
from tests.trust import samples

KINDS = ("docx", "xlsx", "svg")


def make(kind: str, text: str) -> bytes:
    return {"docx": samples.docx, "xlsx": lambda text: samples.xlsx({"A1": text}), "svg": samples.svg}[kind](text)


def shown(kind: str, text: str, context: Mapping[str, Any]) -> str:
    data = gfdocs.open_template(make(kind, text), kind=cast(Any, kind)).render(context).to_bytes()
    if kind == "docx":
        return "\n".join(samples.docx_text(data)).strip()
    if kind == "svg":
        return samples.svg_text(data).strip()
    import openpyxl

    return str(openpyxl.load_workbook(io.BytesIO(data)).worksheets[0]["A1"].value)


def issues_of(text: str, **context: Any) -> tuple[Issue, ...]:
    with pytest.raises(GfdocsError) as caught:
        compile_text(text).render(context)
    return caught.value.issues


# ---------------------------------------------------------------------------------------------------------------------
# Numbers


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("text", "expected"), [
    ("{{ w - 19.5 }}", "580.5"), ("{{ 19.5 - w }}", "-580.5"), ("{{ w * 0.1 }}", "60"), ("{{ w / 2.5 }}", "240"), ("{{ w + 0.1 + 0.2 }}", "600.3"),
    ("{{ w // 2.5 }}", "240"), ("{{ w % 7.5 }}", "0"), ("{{ w ** 0.5 > 24 }}", "True"), ("{{ [w, 0.5]|sum }}", "600.5"),
    ("{{ [{'a': w}, {'a': 0.5}, {'a': 1}]|sum(attribute='a') }}", "601.5"), ("{{ (w - 0.25)|round(1) }}", "599.8"),
    ("{{ (w / 7)|round(2, 'ceil') }}", "85.72"), ("{{ (w - 0.5)|amount(2) }}", "599.50"), ("{{ w < 600.5 }}", "True"),
])  # fmt: skip
def test_a_float_beside_a_decimal_is_the_number_it_reads_as(kind: str, text: str, expected: str) -> None:
    found = shown(kind, text, {"w": Decimal(600)})
    assert (
        found == expected or (kind != "xlsx" and Decimal(found) == Decimal(expected)) or float(found) == float(expected)
    )


@pytest.mark.parametrize(("value", "arguments", "expected"), [
    ("1e30", (12,), "1" + ",000" * 10 + "." + "0" * 12), ("1e-99999999", (), "1e-99999999"), ("1e99999999", (2,), "1e99999999"), (1.5, (), "1.5"),
    (Decimal("1234.5"), (1.0,), "1,234.5"), ("nan", (), "nan"), ("1" * 200, (), "1" * 200),
])  # fmt: skip
def test_an_amount_is_a_number_or_the_text_as_it_was(value: Any, arguments: Any, expected: str) -> None:
    assert FILTERS["amount"](value, *arguments) == expected


def test_a_percentage_keeps_all_digits_of_a_large_number() -> None:
    assert FILTERS["percent"]("1234567890123456789012345678.125") == "1234567890123456789012345678.13%"
    assert FILTERS["percent"]("1e-99999999") == "1e-99999999"


@pytest.mark.parametrize(
    "text", ["{{ " + "9" * 5000 + " }}", "{{ 0x" + "f" * 100_000 + " }}", "{{ 1e400 }}", "{{ [1e999] }}"]
)
def test_a_number_that_cannot_be_written_is_refused_at_its_tag(text: str) -> None:
    for kind in KINDS:
        with pytest.raises(TagError) as caught:
            gfdocs.open_template(make(kind, text), kind=cast(Any, kind))
        (issue,) = caught.value.issues
        assert issue.code == "GF201"
        assert issue.place.path or issue.place.line


# ---------------------------------------------------------------------------------------------------------------------
# Objects


class Plain:
    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)


class Asked:
    """Counts how often its property is asked for."""

    count = 0

    @property
    def rows(self) -> list[int]:
        self.count += 1
        return [1, 2]


class Lookup(Mapping[str, Any]):
    def __init__(self, **values: Any) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> Any:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


@dataclasses.dataclass
class Row:
    name: str
    rows: list[Any] = dataclasses.field(default_factory=list)

    @property
    def title(self) -> str:
        return f"《{self.name}》"

    def greet(self, word: str) -> str:
        return word + self.name


class Model(pydantic.BaseModel):
    name: str
    width: Decimal = Decimal(600)


Pair = collections.namedtuple("Pair", "name number")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("text", "expected"), [
    ("{{ d.name }}{{ d.title }}{{ d.greet('你好') }}", "甲《甲》你好甲"), ("{% for r in d.rows %}{{ r.name }}{% endfor %}", "乙丙"), ("{{ o.child.name }}", "子"),
    ("{{ m['items'] }}{{ m.items }}{{ m.name }}{{ m.get }}", "[1][1]名g"), ("{% for k, v in m.items() %}{{ k }}{% endfor %}", "itemsnameget"),
    ("{{ p.name }}{{ p.width - 0.5 }}", "型599.5"), ("{{ t.name }}{{ t[1] }}", "对5"), ("{{ s.name }}", "间"), ("{{ u.items }}{{ u.name }}", "[7]用"),
    ("{{ d.rows|map(attribute='name')|join('、') }}", "乙、丙"), ("{{ dump.name }}", "型"), ("{{ c.name }}", "链"),
])  # fmt: skip
def test_a_context_may_hold_objects_of_any_kind(kind: str, text: str, expected: str) -> None:
    context = Lookup(
        d=Row("甲", [Row("乙"), Row("丙")]), o=Plain(child=Plain(name="子")), m=Lookup(items=[1], name="名", get="g"), p=Model(name="型"),
        t=Pair("对", 5), s=types.SimpleNamespace(name="间"), u=collections.UserDict(name="用", items=[7]), dump=Model(name="型").model_dump(),
        c=collections.ChainMap({"name": "链"}),
    )  # fmt: skip
    assert shown(kind, text, context) == expected


def test_a_property_is_asked_for_once() -> None:
    asked = Asked()
    assert compile_text("{% for r in a.rows %}{{ r }}{% endfor %}").render({"a": asked}) == "12"
    assert asked.count == 1


# ---------------------------------------------------------------------------------------------------------------------
# What is no value


@pytest.mark.parametrize("text", [
    "{{ range }}", "{{ c.items }}", "{{ rows|select }}", "{{ [range] }}", "{{ {'a': range} }}", "{{ range ~ '' }}", "{{ '%s' % range }}", "{{ '{}'.format(range) }}",
    "{{ range|string }}", "{{ [range]|join }}", "{{ o }}", "{{ [o]|string }}", "{{ namespace() }}", "{{ [namespace()] }}", "{{ cycler(1) }}",
])  # fmt: skip
def test_where_something_lies_in_memory_is_never_printed(text: str) -> None:
    (issue,) = issues_of(text, c={"a": 1}, rows=[1], o=Plain())
    assert issue.code in ("GF219", "GF208")


@pytest.mark.parametrize("text", [
    "{{ [nothere] }}", "{{ [c]|map(attribute='nothere')|list }}", "{{ {'a': nothere} }}", "{{ '%r' % nothere }}", "{{ (nothere,) ~ '' }}", "{{ [nothere]|string }}",
    "{{ nothere is none }}", "{{ nothere is string }}", "{{ [nothere]|sum }}",
])  # fmt: skip
def test_a_missing_name_is_missing_wherever_it_hides(text: str) -> None:
    with pytest.raises(NameMissing):
        compile_text(text).render({"c": {}})
    assert compile_text("{{ [c.a] }}", missing="mark").render({"c": {}}) == "[【缺：c.a】]"
    assert compile_text("{{ nothere is defined }}{{ nothere is undefined }}").render({}) == "FalseTrue"


@pytest.mark.parametrize("text", ["{{ [1]|random }}", "{{ [1]|map('nope')|list }}", "{{ [1]|select('nope')|list }}"])
def test_an_unknown_filter_or_test_is_told_at_opening(text: str) -> None:
    with pytest.raises(TagError) as caught:
        compile_text(text)
    assert caught.value.issues[0].code == "GF205"


@pytest.mark.parametrize(
    "text", ["{% include 'x' %}", "{% include 'x' ignore missing %}", "{% import 'x' as x %}", "{% extends 'x' %}"]
)
def test_another_template_is_refused_by_name_where_there_is_no_loader(text: str) -> None:
    (issue,) = issues_of(text)
    assert issue.code == "GF218"
    assert '"x"' in issue.fact


def test_another_template_is_included_where_there_is_a_loader() -> None:
    base = jinja2.Environment(loader=jinja2.DictLoader({"x": "[{{ a }}]"}))
    environment = make_environment(base=base, escape=None)
    program = compile_source(
        environment, "{% include 'x' %}{% include 'y' ignore missing %}", place_of=lambda line: Place()
    )
    assert program.render({"a": 1}) == "[1]"


def test_a_filter_block_works() -> None:
    assert compile_text("{% filter upper %}x{{ a }}{% endfilter %}").render({"a": "y"}) == "XY"


# ---------------------------------------------------------------------------------------------------------------------
# Names against data


def lint(text: str, data: Mapping[str, Any], **options: Any) -> list[str]:
    tree = compile_text(text).tree
    names = merge_names(find_names(tree, lambda line: Place("x", line), ("range",)))
    return [f"{issue.code} {issue.fact} {issue.hint}".strip() for issue in lint_names(names, data, **options)]


def test_the_items_of_a_list_of_texts_are_known() -> None:
    text = "{% for c in conditions %}{{ c }}{% endfor %}{{ conditions[0] }}{{ conditions|first }}"
    assert lint(text, {"conditions": ["a"]}) == []
    assert lint(text, {"conditions": ("a",)}) == []
    assert lint("{% for c in conditions %}{{ c.name }}{% endfor %}", {"conditions": ["a"]}) == [
        'GF204 the data has no "conditions[].name"'
    ]


def test_nothing_is_said_of_what_an_empty_list_would_hold() -> None:
    text = "{% for c in rows %}{{ c }}{{ c.a.b }}{% for d in c.e %}{{ d.f }}{% endfor %}{% endfor %}{{ rows[0].x }}"
    assert lint(text, {"rows": []}) == []


def test_the_names_in_a_filter_block_are_asked_for() -> None:
    assert lint("{% filter truncate(n) %}{{ a }}{% endfilter %}", {"a": 1, "n": 2}) == []
    assert len(lint("{% filter truncate(n) %}{{ b }}{% endfilter %}", {"a": 1})) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_lint_tells_every_unknown_name_with_place_and_the_nearest_name(kind: str) -> None:
    texts = [
        "{{ name }}{{ nmae }}",
        "{% for r in rows %}{{ r.code }}{{ r.coed }}{% endfor %}",
        "{% for t in tags %}{{ t }}{% endfor %}{{ tgas }}",
    ]
    if kind == "docx":
        data = samples.docx(*texts)
    elif kind == "xlsx":
        data = samples.xlsx({f"A{number}": text for number, text in enumerate(texts, 1)})
    else:
        data = samples.svg("", inside="".join(f"\n<text>{text}</text>" for text in texts))
    template = gfdocs.open_template(data, kind=cast(Any, kind), name="x")
    issues = [
        issue for issue in template.lint({"name": 1, "rows": [{"code": 1}], "tags": ["a"]}) if issue.code == "GF204"
    ]
    assert [issue.fact for issue in issues] == [f'the data has no "{name}"' for name in ("nmae", "rows[].coed", "tgas")]
    assert [str(issue.hint) for issue in issues] == [f'did you mean "{name}"?' for name in ("name", "code", "tags")]
    assert len({str(issue.place) for issue in issues}) == 3


# ---------------------------------------------------------------------------------------------------------------------
# Opening


def test_a_template_is_opened_from_whatever_holds_its_bytes(tmp_path: Path) -> None:
    data = samples.docx("{{ name }}")
    path = tmp_path / "a.docx"
    path.write_bytes(data)
    (tmp_path / "a.bak").write_bytes(data)
    end = io.BytesIO(data)
    end.read()
    with path.open("rb") as file:
        sources: list[Any] = [data, bytearray(data), memoryview(data), path, str(path), file, end, tmp_path / "a.bak"]
        for source in sources:
            assert gfdocs.open_template(source).render({"name": "甲"}).kind == "docx"
    assert gfdocs.open_template(data, kind="docx").name == "template"


def test_what_is_no_template_is_refused_by_name(tmp_path: Path) -> None:
    other = tmp_path / "a.txt"
    other.write_text("x", encoding="utf-8")
    for source, code in (
        (tmp_path, "GF300"),
        (tmp_path / "none.docx", "GF300"),
        ("a\0.docx", "GF300"),
        (other, "GF212"),
        (b"", "GF212"),
    ):
        with pytest.raises((PackageError, TemplateError)) as caught:
            gfdocs.open_template(source)
        assert caught.value.issues[0].code == code
    with other.open(encoding="utf-8") as file, pytest.raises(PackageError, match="open for text"):
        gfdocs.open_template(cast(Any, file))
    with pytest.raises(TypeError, match="a path, bytes or an open file"):
        gfdocs.open_template(cast(Any, None))
    with pytest.raises(ValueError, match="kind is"):
        gfdocs.open_template(b"", kind=cast(Any, "pdf"))
