"""Templates that ask for the machine in roundabout ways: each ends in a named refusal, soon and small.

Every operator, method, filter and test that can make much of little has its line here, with its arguments by place and
by name. They run in a child process, so that time and memory are those of one render.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from tests.trust import samples, steps
from tests.trust.child import fine, refused, run

CONTEXT: dict[str, Any] = {
    "name": "示例有限公司", "c": {"name": "甲", "items": [1, 2, 3]}, "rows": [{"n": n} for n in range(50)], "w": Decimal(600),
    "day": dt.date(2023, 2, 10), "long": "描述" * 5000,
}  # fmt: skip

MEGA = "{% set l='a'*1000000 %}"
LONG = "{% set l=range(100000)|list %}"
GROW = "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}"

GREEDY = {
    "odd": "{{ '%999999999d' is odd }}",
    "div": "{{ '%999999999d' is divisibleby(3) }}",
    "filters in loop": "{% for i in range(100000) %}{{ i"+"|abs"*300+" }}{% endfor %}",
    "tests in loop": "{% for i in range(100000) %}{% if "+" or ".join(["i is string"]*300)+" %}x{% endif %}{% endfor %}",
    "compares in loop": "{% for i in range(100000) %}{% if "+" or ".join(["i == c"]*300)+" %}x{% endif %}{% endfor %}",
    "getattrs in loop": "{% for i in range(100000) %}"+"{% set q = c.name %}"*300+"{% endfor %}",
    "map of text": MEGA + "{{ l|map('upper')|list|length }}",
    "map chain": "{{ range(100000)"+"|map('abs')"*300+"|list|length }}",
    "rfind": MEGA + "{{ l.rfind('b' ~ 'a'*500000) }}",
    "strip": MEGA + "{{ l.strip('b'*999999 ~ 'a') }}",
    "trim": MEGA + "{{ l|trim('b'*999999 ~ 'a') }}",
    "rsplit": MEGA + "{{ l.rsplit('b' ~ 'a'*500000)|length }}",
    "punycode": "{{ ('é'*1000000).encode('punycode')|length }}",
    "idna": "{{ ('é.'*500000).encode('idna')|length }}",
    "namereplace": "{{ ('ﷺ'*1000000).encode('ascii','namereplace')|length }}",
    "split": "{{ ('中 '*500000).split()|length }}",
    "list of text": "{{ ('中'*1000000)|list|length }}",
    "splitlines": "{{ ('中\\n'*500000).splitlines()|length }}",
    "tojson indent": "{{ [1,[2]]|tojson(indent=1000000000) }}",
    "tojson indent text": "{{ range(10000)|list|tojson(indent='x'*100000) }}",
    "striptags": "{{ ('<!---->'*140000)|striptags|length }}",
    "striptags2": "{{ ('<'*1000000)|striptags|length }}",
    "urlize": "{{ ('<'*1000000)|urlize|length }}",
    "urlize2": "{{ ('('*500000)|urlize|length }}",
    "urlize3": "{{ ('http://a.b '*90000)|urlize|length }}",
    "title": "{{ ('a '*500000)|title|length }}",
    "pprint": "{{ ('a '*500000)|pprint|length }}",
    "pprint list": LONG + "{% for i in range(100) %}{{ (l|pprint)|length }}{% endfor %}",
    "wordwrap": MEGA + "{{ l|wordwrap(1)|length }}",
    "wordcount": "{{ ('a '*500000)|wordcount }}",
    "xmlattr": "{{ dict.fromkeys(range(100000)|map('string'), 'a')|xmlattr|length }}",
    "urlencode": "{{ ('中'*1000000)|urlencode|length }}",
    "set block": "{% set a='\"'*999 %}{% set x %}{% for i in range(300000) %}{{ a }}{% endfor %}{% endset %}",
    "set block long": "{% set a='\"'*1000000 %}{% set x %}{% for i in range(1000) %}{{ a }}{% endfor %}{% endset %}",
    "many prints": "{% set a='\"'*1000000 %}"+"{{ a }}"*250,
    "many prints loop": "{% set a='\"'*100000 %}{% for i in range(1000) %}"+"{{ a }}"*250+"{% endfor %}",
    "prints 999": "{% set a='\"'*999 %}{% for i in range(100000) %}"+"{{ a }}"*250+"{% endfor %}",
    "data prints": "{% for i in range(100000) %}"+"{{ long }}"*250+"{% endfor %}",
    "macro prints": "{% set a='\"'*999 %}{% macro m() %}"+"{{ a }}"*250+"{% endmacro %}{% for i in range(100000) %}{% set x = m() %}{% endfor %}",
    "named percent": "{{ ('%(a)s'*100000) % {'a': 'x'*1000000} }}",
    "format same": "{{ ('{0}'*100000).format('x'*1000000) }}",
    "format 0": "{{ ('{0}'*300000).format('x') }}",
    "percent text": "{{ ('%s'*100000) % (('x'*100000,)*100000) }}",
    "percent key": "{{ ('%('+'a'*300+')999999999d') % {'a'*300: 1} }}",
    "percent parens": "{{ ('%('*500000) % {} }}",
    "strftime": "{{ day.strftime('%255Y'*200000)|length }}",
    "strftime fmt": "{{ ('{:' ~ '%255Y'*200000 ~ '}').format(day)|length }}",
    "ints kept": "{% set ns=namespace(x=[],i=('f'*1000000)|int(base=16)) %}{% for i in range(1000) %}{% set ns.x=[ns.x, ns.i+i] %}{% endfor %}",
    "from_bytes": "{{ (1).from_bytes(('a'*1000000).encode(),'big') }}",
    "int dec": "{{ w.scaleb(999999)|int }}",
    "dec f": "{% for i in range(1000) %}{% set x = '{:f}'.format(w.scaleb(999990)) %}{% endfor %}",
    "dec pow": "{{ w ** 99999999 }}",
    "sum int": "{% set ns=namespace(i=1) %}{% for i in range(1000000) %}{% set ns.i=ns.i+ns.i %}{% endfor %}",
    "varargs": "{% set ns=namespace(x=[1]) %}{% macro m() %}{% set ns.x = varargs %}{% endmacro %}{% for i in range(60) %}{{ m(ns.x, ns.x) }}{% endfor %}{{ ns.x }}",
    "kwargs": "{% set ns=namespace(x=[1]) %}{% macro m() %}{% set ns.x = kwargs %}{% endmacro %}{% for i in range(60) %}{{ m(a=ns.x, b=ns.x) }}{% endfor %}{{ ns.x }}",
    "ns in lists": "{% set l=namespace() %}"+"".join(f"{{% set n{i}=namespace(x=1) %}}{{% set l{i}=[n{i},n{i}] %}}" for i in range(60))+"".join(f"{{% set n{i+1}.x=l{i} %}}" for i in range(59))+"{{ l59 }}",
    "cycler": "{% set ns=namespace(x=1) %}{% for i in range(60) %}{% set ns.x = cycler(ns.x, ns.x).items %}{% endfor %}{{ ns.x }}",
    "batch fill": "{% set ns=namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = [1]|batch(1000, ns.x)|list %}{% endfor %}{{ ns.x }}",
    "deep tuple": "{% set ns=namespace(x=(1,)) %}{% for i in range(90000) %}{% set ns.x = (ns.x,) %}{% endfor %}{{ {ns.x: 1}|length }}",
    "deep list": "{% set ns=namespace(x=1) %}{% for i in range(90000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
    "sort texts": "{{ ([range(100000)|join]*100000)|sort|length }}",
    "sort texts by default": "{% set l='a'*1000000 %}{{ rows|map(attribute='zz', default=l)|sort|length }}",
    "sort default big": "{% set l='a'*900000 %}{{ range(100000)|map(attribute='zz', default=l)|sort|list|length }}",
    "unique default": "{% set l='a'*900000 %}{{ range(100000)|map(attribute='zz', default=l)|map('string')|map('replace','b','c')|unique|list|length }}",
    "changed": MEGA + "{% for i in range(100000) %}{{ loop.changed(l ~ i) }}{% endfor %}",
    "changed2": MEGA + "{% set k='a'*1000000 %}{% for i in range(100000) %}{{ loop.changed(l, k) }}{% endfor %}",
    "dict get": MEGA + "{% for i in range(100000) %}{% set x = c.get(l[1:]) %}{% endfor %}",
    "startswith": MEGA + "{% for i in range(100000) %}{% set x = l.startswith(l) %}{% endfor %}",
    "in text": MEGA + "{% for i in range(100000) %}{% set x = 'b' in l %}{% endfor %}",
    "attr path": "{{ range(100000)|map(attribute='"+"real."*300+"real')|list|length }}",
    "groupby": "{{ range(100000)|groupby('real')|length }}",
    "loop recursive": "{% for i in [50] recursive %}{% if i %}{{ loop([i-1,i-1]) }}{% endif %}{% endfor %}",
    "loop rec wide": "{% for i in range(100000) recursive %}{% if i < 99999 %}{{ loop(range(100000)) }}{% endif %}{% endfor %}",
    "dictsort": "{% for i in range(1000) %}{{ dict.fromkeys(range(10000))|dictsort|length }}{% endfor %}",
    "min": LONG + "{% for i in range(10000) %}{{ l|min }}{% endfor %}",
    "strlist": LONG + "{% for i in range(10000) %}{% set x = l|string %}{% endfor %}",
    "tilde list": LONG + "{% for i in range(10000) %}{% set x = l ~ '' %}{% endfor %}",
    "print list": LONG + "{% for i in range(10000) %}{{ l }}{% endfor %}",
    "hash": "{% set l=(0,)*100000 %}{% for i in range(10000) %}{% set x = {l: 1} %}{% endfor %}",
    "reverse": MEGA + "{% for i in range(100000) %}{% set x = l|reverse %}{% endfor %}",
    "slices": MEGA + "{% for i in range(100000) %}{% set x = l[1:] %}{% endfor %}",
    "list slices": LONG + "{% for i in range(100000) %}{% set x = l[1:] %}{% endfor %}",
    "upper": MEGA + "{% for i in range(100000) %}{% set x = l.upper() %}{% endfor %}",
    "astral": "{% set ns=namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x=[ns.x, '𠀀'*1000000] %}{% endfor %}",
    "short kept": "{% set ns=namespace(x=[]) %}{% for i in range(1000000) %}{% set ns.x=[ns.x, '𠀀'*60] %}{% endfor %}",
    "sets": "{% set l=dict.fromkeys(range(100000)) %}{% for i in range(100000) %}{% set x = l.keys() - l.keys() %}{% endfor %}",
    "filter blocks": "{% macro m() %}{% filter upper %}{% for i in range(1000) %}{{ 'a'*1000 }}{% endfor %}{% endfilter %}{% endmacro %}{% for i in range(1000) %}{{ m() }}{% endfor %}",
    "macro in loops": "{% macro m() %}"+"{% set q = c.name %}"*1000+"{% endmacro %}{% for i in range(100000) %}{{ m() }}{% endfor %}",
    "missing key": GROW+"{{ c.get(ns.x) }}{{ nothere[ns.x].x }}",
    "tojson": GROW+"{{ ns|tojson }}",
    "round f": "{{ w|round(10**8) }}{{ 1.5|round(-10**8,'ceil') }}",
    "round big": "{{ 1.5|round(399,'ceil') }}{{ 15|round(-399, 'floor') }}",
    "filesize": "{{ (9**4000)|filesizeformat }}",
    "long if": "{% if 1 %}"*300+"{% endif %}"*300,
    "nested for": "".join(f"{{% for a{i} in [1,2] %}}" for i in range(60))+"{% endfor %}"*60,
    "sets n": "".join(f"{{% set a{i}=1 %}}" for i in range(3000))+"".join(f"{{% if a{i} %}}x{{% endif %}}" for i in range(3000)),
    "translate": "{{ ('a'*1000000).translate(dict.fromkeys(range(100), 'b'*1000)) }}",
    "maketrans": "{{ ('a'*1000000).translate(''.maketrans({'a':'b'*1000000})) }}",
    "casefold": "{{ ('ΐ'*1000000).upper()|length }}",
    "replace count": "{{ ('a'*1000000).replace('a','b'*1000, 1)|length }}",
    "hex": "{{ ('a'*1000000).encode().hex()|length }}",
    "bytes": "{% for i in range(1000) %}{% set x = ('a'*1000000).encode('utf-32') %}{% endfor %}",
}  # fmt: skip


@pytest.mark.parametrize("text", GREEDY.values(), ids=GREEDY)
def test_a_greedy_template_is_refused_soon_and_small(text: str) -> None:
    refused(run(steps.render, samples.svg(text), "svg", CONTEXT), "GF210", "GF201", "GF208")


SOME = (
    "many prints loop",
    "prints 999",
    "data prints",
    "set block long",
    "varargs",
    "slices",
    "sort texts",
    "macro in loops",
)


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
@pytest.mark.parametrize("name", SOME)
def test_so_it_is_in_every_kind(kind: str, name: str) -> None:
    data = samples.docx(GREEDY[name]) if kind == "docx" else samples.xlsx({"A1": GREEDY[name]})
    refused(run(steps.render, data, kind, CONTEXT), "GF210", "GF201", "GF208", "GF264")


MODEST = {
    "text of one part": ("{{ 'a' * 1000000 }}", "a" * 1_000_000),
    "list of many": ("{{ range(90000)|list|length }}", "90000"),
    "two lists": ("{{ (rows + rows)|length }}", "100"),
    "rows twice": ("{% for i in range(300) %}{% for r in rows %}{{ r.n if r.n > 48 }}{% endfor %}{% endfor %}", "49" * 300),
    "wide format": ("{{ '%9d' % 5 }}{{ '{:>9}'.format(5) }}", " " * 8 + "5" + " " * 8 + "5"),
    "number in a format": ("{{ '编号2023000001：%s' % name }}", "编号2023000001：示例有限公司"),
    "star in a format": ("{{ '3*4cm %s' % name }}", "3*4cm 示例有限公司"),
    "chain": ("{{ 1 < 2 in [2] }}", "True"),
    "sum of mixed": ("{{ [w, 1.5, 2]|sum }}", "603.5"),
    "join of many": ("{{ range(20000)|join(',')|length }}", "108889"),
    "dict": ("{{ dict(a=rows)|length }}", "1"),
    "loop of loops": ("{% for i in [[1, [2, 3]], [4]] recursive %}{{ loop(i) if i is iterable else i }}{% endfor %}", "1234"),
}  # fmt: skip


@pytest.mark.parametrize("name", MODEST)
def test_a_modest_template_is_not_kept_from_its_work(name: str) -> None:
    text, expected = MODEST[name]
    shown = samples.svg_text(fine(run(steps.render, samples.svg(text), "svg", CONTEXT)))
    assert shown.strip() == expected.strip()


def test_large_data_may_be_gone_through() -> None:
    """What is large in the data is no fault of the template: 120,000 rows pass filters, loops and joins."""
    rows = [{"n": n, "name": f"企业{n}"} for n in range(120_000)]
    text = "{{ rows|sort(attribute='n')|map(attribute='name')|join('、')|length }} {{ (rows + rows)|length }} {{ [rows, rows]|length }}"
    shown = samples.svg_text(fine(run(steps.render, samples.svg(text), "svg", {"rows": rows}), seconds=4, peak=400))
    assert shown.strip() == f"{sum(len(row['name']) for row in rows) + len(rows) - 1} 240000 2"
