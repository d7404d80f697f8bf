"""Templates made to do harm end in a named error within a second; whoever wrote them reaches nothing."""

from __future__ import annotations

import time
import zipfile
from collections import OrderedDict, deque
from io import BytesIO

import pytest

from gfdocs.engine.budget import Budget
from gfdocs.engine.template import open_template
from gfdocs.errors import BudgetExceeded, GfdocsError
from tests.engine_docx.make import docx, p, read_part, tbl, tr

ESCAPES = [
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ self.__init__.__globals__ }}", "{{ ''['__cla' ~ 'ss__'] }}", "{{ a|attr('__class__') }}",
    "{{ '{0.__class__}'.format(a) }}", "{{ '{0.__class__}'|format(a) }}{{ a.__class__ }}", "{{ [].append(1) }}",
    "{{ d.update({'x': 1}) }}", "{{ d.clear() }}", "{{ joiner.__call__.__globals__ }}", "{{ loop.__init__ }}",
    "{% set x = namespace() %}{{ x.__class__ }}", "{{ range.__self__ }}", "{{ f.__globals__ }}", "{{ f.__code__ }}",
    "{{ (a|string).__class__ }}", "{% include '/etc/passwd' %}", "{{ rows|map(attribute='__class__')|list }}",
    "{{ rows|groupby('__class__')|list }}", "{{ rows|sort(attribute='__class__') }}{{ rows|selectattr('__class__')|list }}",
]  # fmt: skip

BOMBS = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "{{ 'a' * 10**9 }}", "{{ [0] * 10**9 }}",
    "{{ range(10**12)|list }}", "{{ 'a'.ljust(10**9) }}", "{{ '%1000000000d'|format(1) }}", "{{ '{:>1000000000}'.format(1) }}",
    "{{ '%*d' % (10**9, 1) }}", "{{ 9999999 ** 9999999 }}",
    "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x.replace('a', 'aa') %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% for i in range(90000) %}{{ 'x' * 100000 }}{% endfor %}", "{{ 'a'|center(10**9) }}", "{{ [1]|batch(10**9, 0)|list }}",
    "{{ ('a\\n' * 100000)|indent(100000) }}", "{{ (1).to_bytes(10**9, 'big') }}",
    "{% for i in range(99999) %}{{ range(9999)|map('string')|join }}{% endfor %}",
    "{% for i in range(99999) %}{% for j in rows if 'zz' in 'y' * 900000 %}{% endfor %}{% endfor %}",
    "{{ rows|sum(start=[0] * 10**9) }}", "{% for i in rows recursive %}{{ loop(rows) }}{% endfor %}",
]  # fmt: skip

CONTEXT = {"a": 1, "d": {"k": 1}, "rows": [{"x": 1}, {"x": 2}], "f": len}


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_reaches_python(source: str) -> None:
    data = docx(p(source), core=f"<dc:title>{source}</dc:title>")
    before = str(CONTEXT)
    with pytest.raises(GfdocsError) as caught:
        print(read_part(open_template(data, kind="docx", name="t.docx").render(CONTEXT).to_bytes())[-300:])
    assert all(issue.code.startswith("GF2") for issue in caught.value.issues)
    assert str(CONTEXT) == before, "the data is as it was"


@pytest.mark.parametrize("source", BOMBS)
def test_no_template_takes_the_machine(source: str) -> None:
    start = time.process_time()
    with pytest.raises(GfdocsError) as caught:
        open_template(docx(p(source)), kind="docx", name="t.docx").render(CONTEXT)
    assert {issue.code for issue in caught.value.issues} <= {"GF210", "GF208"}
    assert time.process_time() - start < 3, "about a second, on a machine that others use too"


def test_a_budget_can_be_given_and_data_may_be_large() -> None:
    data = docx(p("{% for r in rows %}{{ r.x }}{% endfor %}"))
    small = Budget(iterations=10, per_item=0)
    with pytest.raises(BudgetExceeded, match="10 rounds"):
        open_template(data, kind="docx", budget=small).render({"rows": [{"x": 1}] * 11})
    many = [{"x": str(n)} for n in range(1_200_000)]
    assert open_template(data, kind="docx").render({"rows": many}).to_bytes(), "linear in the data is no fault"


def test_trusted_templates_may_do_all() -> None:
    data = docx(p("{{ ''.__class__.__name__ }}{{ ('x' * 2000000)|length }}"))
    assert "str2000000" in read_part(open_template(data, kind="docx", trusted=True).render({}).to_bytes())


def test_a_part_with_a_dtd_is_refused() -> None:
    data = docx(p("x"))
    buffer = BytesIO()
    with zipfile.ZipFile(BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == "word/document.xml":
                text = text.replace("?>", '?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', 1)
            new.writestr(name, text)
    with pytest.raises(GfdocsError, match="GF312"):
        open_template(buffer.getvalue(), kind="docx")


def test_preparing_is_not_slow_whatever_the_template_has() -> None:
    """Thousands of tags, and braces that never close, in one document."""
    start = time.process_time()
    open_template(docx(*[p(f"{{{{ a{n} }}}} text") for n in range(1500)]), kind="docx")
    with pytest.raises(GfdocsError):
        open_template(docx(p("{{ " * 3000)), kind="docx")
    with pytest.raises(GfdocsError):
        open_template(docx(tbl(*[tr("{%tr for") for _ in range(300)])), kind="docx")
    assert time.process_time() - start < 12


@pytest.mark.parametrize(
    "source",
    [
        "{{ queue.appendleft(3) }}",
        "{{ queue.popleft() }}",
        "{{ ordered.move_to_end('a') }}",
        "{{ gf_first(thing, 1) }}",
    ],
)
def test_the_next_document_gets_the_same_data(source: str) -> None:
    class Thing:
        pass

    thing = Thing()
    context = {"queue": deque([1, 2]), "ordered": OrderedDict(a=1, b=2), "thing": thing}
    with pytest.raises(GfdocsError):
        open_template(docx(p(source)), kind="docx").render(context)

    assert list(context["queue"]) == [1, 2]
    assert list(context["ordered"]) == ["a", "b"]
    assert vars(thing) == {}


@pytest.mark.parametrize("source", ["{{ x² }}", "{{ a.x² }}", "{{ a|f² }}"])
def test_a_name_with_other_signs_is_told_as_such(source: str) -> None:
    with pytest.raises(GfdocsError, match="GF201 Invalid character in identifier"):
        open_template(docx(p(source)), kind="docx")
