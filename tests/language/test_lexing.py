"""Tokens are those that Jinja's own lexer finds, whatever is written."""

from __future__ import annotations

import os

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfdocs.engine.language.lexing import find_tokens

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
ENVIRONMENT = jinja2.Environment(keep_trailing_newline=True)

pieces = st.sampled_from([
    "{{", "}}", "{%", "%}", "{#", "#}", "{{-", "-}}", "{%-", "-%}", "{%+", "{", "}", " ", "\n", "\r", "\t", "a", "名称", "_x1", "9", "0", "07",
    "1.5", "1e3", "12_000", "'t'", '"十"', "'a\\n'", "'", '"', "(", ")", "[", "]", ".", "|", ",", ":", "~", "==", "=", "!", "!=", "<", ">=", "*",
    "**", "/", "//", "%", "-", "+", ";", "raw", "endraw", "if", "for", "in", "²", "‘", "\u2001", "text <w:t>", "\x00", "$",
])  # fmt: skip
tags = st.lists(
    st.sampled_from(
        [
            " a",
            "|f",
            ".b",
            "[0]",
            "['k']",
            "(x, 1)",
            " == 2",
            " if",
            " 'é'",
            " \n",
            "-1",
            " ~ b",
            "0.25",
            " 10.5 ",
            ".5",
        ]
    ),
    min_size=1,
).map("".join)
texts = st.one_of(
    st.lists(pieces, max_size=12).map("".join),
    st.lists(
        st.one_of(
            tags.map(lambda t: f"{{{{{t} }}}}"),
            tags.map(lambda t: f"{{% if{t} %}}"),
            st.just("{# n #}"),
            st.text(max_size=5),
        ),
        max_size=5,
    ).map("".join),
)


@settings(max_examples=20_000 if NIGHTLY else 1_000, deadline=None, derandomize=not NIGHTLY)
@given(texts)
def test_the_tokens_are_jinjas(source: str) -> None:
    found = find_tokens(source)
    if found is not None:
        assert found == list(ENVIRONMENT._tokenize(source, None))


@pytest.mark.parametrize(
    "source", ["{{ a.b }}", "x {% if a == 'b' and c[0] %}\n{# n #}{{ n|f(1, k=2.5) }}{% endif %} y", "", "{", "no tags"]
)
def test_what_templates_mostly_say_is_read(source: str) -> None:
    assert find_tokens(source) is not None
