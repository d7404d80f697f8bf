"""What a block has written is printed as it is, and computed with as the text its reader sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

import gfdocs
from gfdocs.engine.language import compile_source as compile_program
from gfdocs.engine.language import compile_text, escape_xml, make_environment
from gfdocs.errors import GfdocsError, Place
from tests.engine_docx.make import docx, p
from tests.trust import samples

NOTES = ("R&D <节能>", '&&&"', "&lt;b&gt;", "a'b]]>", "甲")
SET = "{% set x %}{{ note }}{% endset %}"
MACRO = "{% macro m() %}{{ note }}{% endmacro %}"

COMPUTED: dict[str, tuple[str, Callable[[str], Any]]] = {
    "as it is": (SET + "{{ x }}", str), "upper": (SET + "{{ x|upper }}", str.upper), "method": (SET + "{{ x.upper() }}", str.upper),
    "slice": (SET + "{{ x[:2] }}", lambda note: note[:2]), "index": (SET + "{{ x[0] }}", lambda note: note[0]),
    "length": (SET + "{{ x|length }}", len), "reverse": (SET + "{{ x|reverse }}", lambda note: note[::-1]),
    "loop": (SET + "{% for c in x %}{{ c }}.{% endfor %}", lambda note: ".".join(note) + "."), "tilde": (SET + "{{ x ~ note }}", lambda note: note * 2),
    "plus": (SET + "{{ x + note }}", lambda note: note * 2), "times": (SET + "{{ x * 2 }}", lambda note: note * 2), "percent": (SET + "{{ '%s+' % x }}", lambda note: note + "+"),
    "percent tuple": (SET + "{{ '%s+%s' % (x, 1) }}", lambda note: note + "+1"), "format": (SET + "{{ '{}+{a}'.format(x, a=x) }}", lambda note: f"{note}+{note}"),
    "equal": (SET + "{{ x == note }}{{ x != note }}{{ x == 'R&D <节能>' }}", lambda note: f"TrueFalse{note == NOTES[0]}"),
    "in": (SET + "{{ x in [note] }}{{ '&' in x }}", lambda note: f"True{'&' in note}"), "key": (SET + "{{ {x: 1}[note] }}{{ {note: 1}[x] }}", lambda note: "11"),
    "test": (SET + "{{ x is eq note }}", lambda note: "True"), "join": (SET + "{{ [x, note]|join('+') }}", lambda note: f"{note}+{note}"),
    "joined, upper": (SET + "{{ [x, note]|join('&')|upper }}", lambda note: f"{note}&{note}".upper()), "default": (SET + "{{ x|default('-') }}", str),
    "filtered set": ("{% set x | upper %}{{ note }}{% endset %}{{ x }}", str.upper), "filter block": ("{% filter upper %}{{ note }}{% endfilter %}", str.upper),
    "filter block, cut": ("{% filter truncate(2, true, '', 0) %}{{ note }}{% endfilter %}", lambda note: note[:2]),
    "macro": (MACRO + "{{ m() }}{{ m()|lower }}", lambda note: note + note.lower()), "macro's argument": ("{% macro m(a) %}{{ a }}{{ a|upper }}{% endmacro %}" + SET + "{{ m(x) }}", lambda note: note + note.upper()),
    "caller": ("{% macro m() %}{{ caller()|upper }}{% endmacro %}{% call m() %}{{ note }}{% endcall %}", str.upper),
    "autoescape off": ("{% autoescape false %}{% set x %}{{ note }}{% endset %}{{ x }}{{ x|upper }}{% endautoescape %}", lambda note: note + note.upper()),
    "urlize": ("{{ note|urlize }}", str), "json": ("{{ [1]|tojson }}{{ 'x'|tojson }}", lambda note: '[1]"x"'),
}  # fmt: skip


@pytest.mark.parametrize("name", COMPUTED)
def test_markup_is_escaped_once_and_computed_with_as_text(name: str) -> None:
    text, compute = COMPUTED[name]
    escaped = compile_program(make_environment(), text, place_of=lambda line: Place())
    plain = compile_text(text)
    for note in NOTES:
        found = escaped.render({"note": note}).replace("&#34;", "&quot;").replace("&#39;", "'")
        assert found == escape_xml(str(compute(note)))
        assert plain.render({"note": note}) == str(compute(note))


@pytest.mark.parametrize("name", [name for name in COMPUTED if name not in ("equal", "in", "joined, upper")])
def test_so_it_is_in_a_word_document(name: str) -> None:
    text, compute = COMPUTED[name]
    for note in NOTES[:2]:
        data = gfdocs.open_template(samples.docx(text), kind="docx").render({"note": note}).to_bytes()
        assert "".join(samples.docx_text(data)) == str(compute(note))


def test_what_holds_more_than_text_is_printed_but_not_computed_with() -> None:
    body = (p("{% set x %}{{ note }}{% endset %}[{{ x }}]"),)
    data = gfdocs.open_template(docx(*body), kind="docx").render({"note": "甲\n乙"}).to_bytes()
    assert "".join(samples.docx_text(data)).replace("\n", "") == "[甲乙]"
    paragraphs = p("{% set x %}{{ note }}"), p("{% endset %}{{ x|upper }}")
    template = gfdocs.open_template(docx(*paragraphs), kind=cast(Any, "docx"))
    with pytest.raises(GfdocsError) as caught:
        template.render({"note": "甲"})
    assert [issue.code for issue in caught.value.issues] == ["GF219"]
