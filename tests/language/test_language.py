"""The template language by itself: names, policies, expressions, filters, and what a compiled text tells of its faults."""

from __future__ import annotations

import datetime as dt
import threading
from decimal import Decimal
from typing import Any

import jinja2
import pytest

from gfdocs.engine.budget import Budget
from gfdocs.engine.filters import FILTERS, zh_number
from gfdocs.engine.language import compile_expression, compile_source, compile_text, make_environment, render_text
from gfdocs.engine.names import Name, find_names, lint_names, merge_names, names_of
from gfdocs.errors import BudgetExceeded, GfdocsError, NameMissing, Place, TagError, TemplateError

PLACE = Place("f.xlsx", path=("工厂!C7",))


def evaluate(source: str, context: dict[str, Any] | None = None, **options: Any) -> Any:
    return compile_expression(make_environment(**options), source, PLACE)(context or {})


def test_an_expression_keeps_the_type_of_its_value() -> None:
    context = {"c": {"n": Decimal("1.50"), "d": dt.date(2023, 2, 10), "none": None, "rows": [1, 2]}}
    assert evaluate("c.n", context) == Decimal("1.50")
    assert evaluate("c.d", context) == dt.date(2023, 2, 10)
    assert evaluate("c.none", context) is None
    assert evaluate("c.rows|length > 1", context) is True


@pytest.mark.parametrize(
    ("source", "path"),
    [("c.name", "c.name"), ("a['b'][0].c", "a.b[0].c"), ("x", "x"), ("c.name|upper", None), ("a + b", None)],
)
def test_a_plain_path_is_known_as_one(source: str, path: str | None) -> None:
    assert compile_expression(make_environment(), source, PLACE).path == path


@pytest.mark.parametrize(("source", "error", "code"), [
    ("1 +", TagError, "GF201"), ("a }} {{ b", TagError, "GF201"), ("a|nosuch", TagError, "GF205"), ("a.nmae", NameMissing, "GF204"),
    ("a.name + 1", TemplateError, "GF208"), ("'x' * 10**8", BudgetExceeded, "GF210"), ("a.__class__", TemplateError, "GF209"),
])  # fmt: skip
def test_faults_of_an_expression_have_code_and_place(source: str, error: type[GfdocsError], code: str) -> None:
    with pytest.raises(error) as caught:
        evaluate(source, {"a": {"name": "x"}})
    assert [(issue.code, issue.place) for issue in caught.value.issues] == [(code, PLACE)]
    assert caught.value.issues[0].fact.zh  # type: ignore[attr-defined]


def test_the_three_policies() -> None:
    context = {"a": {}}
    with pytest.raises(NameMissing, match=r"a\.b"):
        evaluate("a.b", context)
    assert evaluate("a.b.c", context, missing="mark") == "【缺：a.b.c】"
    assert evaluate("a.b.c", context, missing="blank") == ""
    assert evaluate("a.b.c|default('d')", context) == "d"
    assert evaluate("a.b is defined", context) is False
    assert evaluate("'y' if a.b else 'n'", context, missing="blank") == "n"
    text = "{% for x in a.rows %}{{ x }}{% endfor %}[{{ a.b }}]"
    assert compile_text(text).render(context, missing="blank") == "[]"
    assert compile_text(text).render(context, missing="mark") == "[【缺：a.b】]"


def test_a_key_of_the_data_comes_before_a_method_of_its_type() -> None:
    order = {"order": {"items": [1, 2], "n": 3}}
    assert evaluate("order.items", order) == [1, 2]
    assert evaluate("order.items()|list", {"order": {"n": 3}}) == [("n", 3)]
    assert evaluate("order.items()|length", order) == 2, "a call is a call"


def test_render_text_escapes_nothing_and_prints_no_none() -> None:
    assert render_text("{{ a }}&{{ b }}|{{ c }}", {"a": "<x>", "b": "&", "c": None}) == "<x>&&|"


def test_escaping_cannot_be_switched_off() -> None:
    source = "{{ a }}{{ a|safe }}{{ a|e }}{% autoescape false %}{{ a }}{% endautoescape %}{% set b %}{{ a }}{% endset %}{{ b }}"
    program = compile_source(make_environment(), source, place_of=lambda line: Place())
    assert program.render({"a": "<&>"}) == "&lt;&amp;&gt;" * 5


def test_every_fault_of_a_text_is_told_with_line_and_field() -> None:
    source = "{% for c in rows\n%}{{ c.a\n}}{{ c.b\n}}{% endfor\n%}{{ x.y\n}}"
    program = compile_source(make_environment(), source, place_of=lambda line: Place("t", line))
    with pytest.raises(TemplateError) as caught:
        program.render({"rows": [{"a": "ok", "b": 1}, {"a": "b\x01d"}], "x": {}})
    found = [(issue.code, issue.place.line) for issue in caught.value.issues]
    assert found == [("GF211", 2), ("GF204", 3), ("GF204", 5)]
    assert "rows[1].a" in caught.value.issues[0].fact


def test_base_environments_give_filters_but_not_their_undefined_or_escaping() -> None:
    base = jinja2.Environment(undefined=jinja2.Undefined, autoescape=False)
    base.filters["shout"] = lambda value: f"{value}!"
    program = compile_source(make_environment(base=base), "{{ a|shout }}", place_of=lambda line: Place())
    assert program.render({"a": "<"}) == "&lt;!"
    with pytest.raises(NameMissing):
        program.render({})


def test_budgets_are_of_one_render_and_of_one_thread() -> None:
    program = compile_text("{% for i in range(60) %}x{% endfor %}", budget=Budget(iterations=150, per_item=0))
    results: list[str] = []
    threads = [threading.Thread(target=lambda: results.append(program.render({}))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == ["x" * 60] * 8
    with pytest.raises(BudgetExceeded):
        compile_text("{% for i in range(80) %}x{% endfor %}", budget=Budget(iterations=150, per_item=0)).render({})


@pytest.mark.parametrize(("name", "value", "expected"), [
    ("zh_date", dt.date(2023, 2, 10), "2023年2月10日"), ("zh_date", "2023-02-10", "2023年2月10日"), ("zh_date", "待定", "待定"),
    ("zh_year", dt.date(2023, 2, 10), "2023年"), ("zh_digits", 2023, "二〇二三"), ("zh_number", 12, "十二"), ("zh_number", 305, "三百零五"),
    ("zh_count", 2, "二"), ("amount", Decimal("1234567.5"), "1,234,567.5"), ("percent", Decimal("12.345"), "12.35%"), ("amount", None, None),
    ("zh_number", None, None), ("zh_date", None, None), ("zh_lines", None, None), ("zh_lines", 5, 5), ("zh_lines", "", ""),
    ("zh_lines", "示例电子有限公司", "示例电子有限公司"), ("zh_lines", "示" * 500, "示" * 500), ("zh_lines", "a" * 60, "a" * 60),
    ("zh_lines", "示例国际先进新能源动力电池材料科技（苏州工业园区）股份有限公司", "示例国际先进新能源动力电池材料科技\n（苏州工业园区）股份有限公司"),
    ("zh_lines", "示例纺织印染集团样板智能化绿色生产基地有限公司（原示例样板印染厂）", "示例纺织印染集团样板\n智能化绿色生产基地有限公司\n（原示例样板印染厂）"),
])  # fmt: skip
def test_filters(name: str, value: Any, expected: Any) -> None:
    assert FILTERS[name](value) == expected


def test_the_data_reads_the_numerals_that_are_printed() -> None:
    from gfdocs.data.zh import parse_chinese_number

    for number in [*range(12_000), 100_001, 1_000_000, 10_000_001, 120_000_000, 100_000_010]:
        assert parse_chinese_number(zh_number(number)) == number


# Names ------------------------------------------------------------------------------------------------------------------


def names(source: str) -> dict[str, str]:
    environment = make_environment()
    return {
        str(n): n.kind
        for n in merge_names(find_names(environment.parse(source), lambda line: Place(), environment.globals))
    }


@pytest.mark.parametrize(("source", "expected"), [
    ("{{ a.b.c }}", {"a.b.c": "value"}),
    ("{% for c in xs %}{{ c.n }}{% for d in c.ys %}{{ d }}{% endfor %}{% endfor %}", {"xs": "list", "xs[].n": "value", "xs[].ys": "list", "xs[].ys[]": "value"}),
    ("{% if a.b and not c %}{{ loop }}{% endif %}", {"a.b": "condition", "c": "condition"}),
    ("{% set x = a.b %}{{ x.c }}{% set y = 1 %}{{ y }}", {"a.b": "value", "a.b.c": "value"}),
    ("{{ xs|sum(attribute='n') }}{% for g, m in xs|groupby('d') %}{{ g }}{% for i in m %}{{ i.e }}{% endfor %}{% endfor %}", {"xs": "list", "xs[].n": "value", "xs[].d": "value", "xs[].e": "value"}),
    ("{% for k, v in d.items() %}{{ k }}{{ v.x }}{% endfor %}", {"d": "list", "d.*.x": "value"}),
    ("{% macro m(a) %}{{ a.x }}{{ b }}{% endmacro %}{{ m(c) }}", {"b": "value", "c": "value"}),
    ("{{ xs[0].n }}{{ xs|first }}{{ s.upper() }}{{ range(3) }}", {"xs[].n": "value", "xs[]": "value", "s": "value"}),
    ("{% with a = b.c %}{{ a.d }}{% endwith %}", {"b.c": "value", "b.c.d": "value"}),
])  # fmt: skip
def test_names_are_told_by_the_list_they_come_from(source: str, expected: dict[str, str]) -> None:
    assert names(source) == expected


def test_unknown_and_unused_names() -> None:
    data = {"company": {"name": "x", "note": None}, "rows": [{"n": 1}], "empty": [], "unused": 1}
    used = [
        Name("company.nmae"),
        Name("rows", "list"),
        Name("rows[].n"),
        Name("empty[].anything"),
        Name("zzz", optional=True),
    ]
    issues = lint_names(used, data, unused=True)
    assert [(issue.code, issue.severity) for issue in issues[:2]] == [("GF204", "error"), ("GF204", "note")]
    assert 'did you mean "name"' in issues[0].hint
    assert [str(issue.fact).split('"')[1] for issue in issues[2:]] == ["company.name", "company.note", "unused"]
    assert names_of(data) >= {"company.name", "rows[].n", "empty[].*"}


@pytest.mark.parametrize(("source", "needed"), [
    ("{% if a %}{{ a.x }}{% endif %}", ["a"]),
    ("{% if a is defined %}{{ a.x }}{{ a }}{% endif %}", []),
    ("{% if a %}{{ a.x }}{% endif %}{{ a.x }}", ["a", "a.x"]),
    ("{% if not a %}-{% else %}{{ a.x }}{% endif %}", ["a"]),
    ("{% if not a %}{{ a.x }}{% endif %}", ["a", "a.x"]),
    ("{{ a.x if a else b.y }}", ["a", "b.y"]),
    ("{% for r in rows if not a or r.d == a.n %}{{ r.z }}{% endfor %}", ["a", "rows", "rows[].d", "rows[].z"]),
    ("{% if a or b %}{{ a.x }}{% endif %}", ["a", "a.x", "b"]),
])  # fmt: skip
def test_a_name_that_a_test_vouches_for_is_optional(source: str, needed: list[str]) -> None:
    environment = make_environment()
    found = merge_names(find_names(environment.parse(source), lambda line: Place(), environment.globals))

    assert sorted(name for name in found if not name.optional) == needed


def test_the_items_of_a_list_of_texts_are_known() -> None:
    assert lint_names([Name("texts", "list"), Name("texts[]")], {"texts": ["一", "二"]}) == []
