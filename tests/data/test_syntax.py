"""A fault of YAML is told at the place where a person must mend it, in words for people who do not write parsers."""

from __future__ import annotations

import pytest

from gfdocs.data.source import read_source
from gfdocs.errors import DataError

CASES = [
    ("a:\n\tb: 1\n", "2:1", "tab", "spaces"),
    ("a:\n  b: 1\n  \tc: 2\n", "3:3", "tab", "spaces"),
    ("name:示例\nyear: 2022\n", "1:5", "no space after the colon", "key: value"),
    ("名称：示例\n年度: 2022\n", "1:3", "full-width colon", "key: value"),
    ("a: 1\n名称：示例\nb: 2\n", "2:3", "full-width colon", "key: value"),
    ('a: "不成对\nb: 1\n', "1:4", 'quote " that opens here', "close it"),
    ("a: '不成对\nb: 1\n", "1:4", "quote ' that opens here", "close it"),
    ("a: 'it's'\n", "1:8", "quote ends too early", "align"),
    ("a: [1, 2\nb: 3\n", "1:4", '"[" or "{" is not closed', "close it"),
    ("a: {b: c\nd: e\n", "1:4", '"[" or "{" is not closed', "close it"),
    ("a: [未完\n", "1:4", '"[" or "{" is not closed', "quotes"),
    ("note: 注: 说明\n", "1:8", 'a ": " that cannot stand here', "quotes"),
    ("a: @home\n", "1:4", 'cannot begin with "@"', "quotes"),
    ("a: %5\n", "1:4", 'cannot begin with "%"', "quotes"),
    ("a: `x`\n", "1:4", 'cannot begin with "`"', "quotes"),
    ('a: "C:\\目录"\n', "1:7", "backslash", "single quotes"),
    ("a: - b\n", "1:4", '"- " that cannot stand here', "next line"),
    ("- a\nb: c\n", "2:1", "indented otherwise", "align"),
    ("a: 1\nb\nc: 2\n", "2:1", "key without a colon", "key: value"),
]


@pytest.mark.parametrize(("text", "place", "fact", "hint"), CASES)
def test_faults_in_plain_words(text: str, place: str, fact: str, hint: str) -> None:
    with pytest.raises(DataError) as caught:
        read_source(text.encode(), "a.yaml")

    issue = caught.value.issues[0]
    assert (issue.code, str(issue.place)) == ("GF110", f"a.yaml:{place}")
    assert fact in issue.fact
    assert hint in issue.hint
    assert "{" not in issue.hint.replace("[ or {", "")


def test_a_pair_without_a_space_where_no_parser_complains() -> None:
    from gfdocs.data.load import load_companies

    with pytest.raises(DataError, match="key: value"):
        load_companies("- name:示例\n".encode())


def test_what_is_not_looked_at_after_a_fault_is_told() -> None:
    text = "a:\n- b: 1\n- c 2\n  d: [\n# note\n\n- e: 3\nf: 4\n"
    with pytest.raises(DataError) as caught:
        read_source(text.encode(), "a.yaml")

    hint = caught.value.issues[0].hint
    assert "lines 5" not in hint
    assert hint.endswith("to 7 are checked once this is mended")
    assert "至 7 行" in getattr(hint, "zh", "")
