"""Data that came from somebody: YAML that asks for too much, says two things at once, or wants to be code."""

from __future__ import annotations

import pytest

from tests.trust import steps
from tests.trust.child import Outcome, fine, refused, run
from tests.trust.rows import row

GOOD = "companies:\n- name: 甲厂\n  district: 示范区\n"


def load(text: str | bytes, name: str = "companies.yaml") -> Outcome:
    return run(steps.load_project, {name: text})


def names(text: str | bytes, name: str = "companies.yaml") -> list[str]:
    return [company["name"] for company in fine(load(text, name))["companies"]]


def line_of(outcome: Outcome, code: str) -> int | None:
    return next(issue.place.line for issue in outcome.issues if issue.code == code)


# ---------------------------------------------------------------------------------------------------------------------
# Aliases, anchors, merge keys


def alias_bomb(levels: int, wide: int, key: str = "a{}") -> str:
    lines = [f"{key.format(0)}: &a0 [x]"]
    lines += [f"{key.format(n)}: &a{n} [{', '.join([f'*a{n - 1}'] * wide)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


@row("yaml_alias_bomb")
@pytest.mark.parametrize(
    "text",
    [
        GOOD + alias_bomb(9, 9),
        GOOD + alias_bomb(60, 2),
        "companies:\n- &c\n  name: 甲\n  district: 示范区\n" + "- *c\n" * 1000,
        "companies:\n- name: &n 甲\n  district: *n\n",
        "companies:\n- name: 甲\n  district: 示范区\n  <<: &m {industry: x}\n",
        "? &k name\n: *k\n",
    ],
    ids=["nine levels", "doubling", "a company a thousand times", "scalar", "merge", "key"],
)
def test_no_alias_is_followed(text: str) -> None:
    outcome = refused(load(text), "GF112", "GF114")
    assert all(issue.place.line for issue in outcome.issues if issue.code == "GF112")


@row("yaml_recursive_alias")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("&a\ncompanies: *a\n", 2),
        ("companies: &a [*a]\n", 1),
        ("companies:\n- &a\n  name: 甲\n  plan: *a\n", 4),
        ("- &x\n  - *x\n", 2),
    ],
)
def test_an_alias_of_itself_is_refused_at_its_line(text: str, line: int) -> None:
    outcome = refused(load(text), "GF112")
    assert line in [issue.place.line for issue in outcome.issues if issue.code == "GF112"]


@row("yaml_python_tag_loader")
@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch /tmp/gfdocs-was-here']",
        "!!python/object/new:os.system ['id']",
        "!!python/name:os.system",
        "!!python/module:os",
        "!<tag:yaml.org,2002:python/object/apply:os.system> ['id']",
        "!!binary 5L2g",
        "!!str 甲",
        "!!int 5",
        "!Ref x",
        "!",
        "!!timestamp 2023-01-01",
        "!!set {a, b}",
        "!!omap [a: 1]",
    ],
)  # fmt: skip
def test_no_tag_is_obeyed(value: str) -> None:
    outcome = refused(load(f"companies:\n- name: {value}\n  district: 示范区\n"), "GF113")
    assert line_of(outcome, "GF113") == 2


@pytest.mark.parametrize(
    "text",
    [
        f"%TAG ! tag:yaml.org,2002:\n---\n{GOOD}- name: !python/name:os.system ''\n",
        f"%YAML 9.9\n---\n{GOOD}",
        f"{GOOD}---\n{GOOD}",
        f"{GOOD}...\n!!python/name:os.system x",
        "&a !!python/name:os.system\ncompanies: []",
        "? !!python/name:os.system x\n: y\n",
    ],
)
def test_directives_and_second_documents_are_refused(text: str) -> None:
    refused(load(text), "GF110", "GF113", "GF115", "GF116")


# ---------------------------------------------------------------------------------------------------------------------
# Keys


@row("yaml_duplicate_keys")
@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("companies:\n- name: 甲\n  district: 示范区\n  name: 乙\n", 2, 4),
        ('companies:\n- name: 甲\n  district: 示范区\n  "n\\x61me": 乙\n', 2, 4),
        ("companies:\n- name: 甲\n  企业名称: 乙\n  district: 示范区\n", 2, 3),
        ("companies:\n- name: 甲\n  district: 示范区\n  ｎａｍｅ: 乙\n", 2, 4),
        (GOOD + GOOD, 1, 4),
        ("companies:\n- {name: 甲, district: 示范区,\n   name: 乙}\n", 2, 3),
        ("companies:\n- name: 甲\n  district: 示范区\n  contact: {name: 王,\n    name: 李}\n", 4, 5),
    ],
)
def test_a_key_given_twice_is_told_with_both_lines(text: str, first: int, second: int) -> None:
    outcome = refused(load(text), "GF111", "GF139")
    issue = next(issue for issue in outcome.issues if issue.code in ("GF111", "GF139"))
    assert issue.place.line == second
    assert [place.line for place in issue.also] == [first]


@pytest.mark.parametrize(
    "key", ["? [a, b]\n:", "? {a: b}\n:", "<<:", "'<<':", "'':", "? |\n  a\n  b\n:", "__class__:", "name.x:"]
)
def test_a_key_is_a_field_or_refused(key: str) -> None:
    text = "companies:\n- name: 甲\n  district: 示范区\n" + "".join(f"  {line}\n" for line in f"{key} x".split("\n"))
    outcome = refused(load(text))
    assert all(issue.place.line for issue in outcome.issues)


# ---------------------------------------------------------------------------------------------------------------------
# Scalars stay what was typed

SCALARS = (
    "913205051234567890", "913205E05", "0512", "010", "yes", "no", "on", "off", "True", "12:30:45", "1.10", ".inf", ".nan",
    "1_000", "~", "0x1F", "0o17", "0b11", "2023-01-01", "1e3", "+1", "-0", "null", "NULL", "=1+1", "1,000", "12.", ".5",
    "1:2", "<<", "y", "n", "N", "08", "1e400", "2023-02-30", "001", "1.0", "Infinity", "NaN", "−1", "１２３", "٣", "0777",
)  # fmt: skip


@row("yaml_scalar_coercion")
def test_every_scalar_is_the_text_that_was_typed() -> None:
    text = "companies:\n" + "".join(
        f"- name: 厂{n}\n  district: 示范区\n  industry: {scalar}\n" for n, scalar in enumerate(SCALARS)
    )
    found = [company["industry"] for company in fine(load(text))["companies"]]
    assert found == ["" if scalar in ("~", "null", "NULL") else scalar for scalar in SCALARS]


@row("yaml_scalar_coercion")
def test_every_scalar_is_a_name_as_typed() -> None:
    typed = [
        scalar for scalar in SCALARS if scalar not in ("~", "null", "NULL", "N")
    ]  # N is n to who looks for a name given twice
    assert names("companies:\n" + "".join(f"- name: {scalar}\n  district: 示范区\n" for scalar in typed)) == typed


def test_null_in_quotes_is_a_text() -> None:
    assert names("companies:\n- name: 'null'\n  district: 示范区\n- name: '~'\n  district: 示范区\n") == ["null", "~"]


def test_a_number_is_a_number_only_where_the_field_says_so_and_only_a_plain_one() -> None:
    for value in (".nan", ".inf", "1e999999999", "1e-999999999", "0x1F", "1_000", "٣", "NaN", "12:30:45", "yes"):
        outcome = load(f"companies:\n- name: 甲\n  district: 示范区\n  summary: {{text: x, energy: {value}}}\n")
        refused(outcome, "GF133")
        assert line_of(outcome, "GF133") == 4


# ---------------------------------------------------------------------------------------------------------------------
# Depth and size

NESTED = {
    "flow lists": "companies: " + "[" * 3000 + "]" * 3000,
    "flow maps": "companies: " + "{a: " * 3000 + "}" * 3000,
    "block maps": "\n".join(" " * n + "a:" for n in range(2000)),
    "dashes": "companies:\n" + "- " * 3000 + "x",
    "never closed": "companies: " + "[" * 100_000,
    "complex keys": "? " * 3000 + "x",
    "inside one company": "companies:\n- name: 甲\n  district: 示范区\n  plan: " + "[" * 65 + "]" * 65,
    "mixed": "companies: " + "[{a: " * 2000 + "}]" * 2000,
    "key of keys": "companies: " + "{" * 5000 + "x" + "}: 1" * 5000,
}


@row("yaml_deep_nesting")
@pytest.mark.parametrize("text", NESTED.values(), ids=NESTED)
def test_deep_nesting_is_refused_at_its_place(text: str) -> None:
    outcome = refused(load(text), "GF104", "GF110", "GF116")
    assert outcome.issues[0].place.line


@row("yaml_huge_int")
@pytest.mark.parametrize(
    "digits", ["9" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "9" * 400_000, "0." + "9" * 5000, "9" * 5000 + "e5"]
)
def test_a_huge_number_is_a_text_or_a_named_fault(digits: str) -> None:
    for field in ("year", "summary: {text: x, energy"):
        close = "}" if "{" in field else ""
        refused(load(f"companies:\n- name: 甲\n  district: 示范区\n  {field}: {digits}{close}\n"), "GF133", "GF137")
    assert names(f"companies:\n- name: '{digits[:300]}'\n  district: 示范区\n") == [digits[:300]]


LARGE = {
    "a text of two million characters": "companies:\n- name: " + "甲" * 2_000_000 + "\n  district: 示范区\n",
    "a key of a hundred thousand": "companies:\n- name: 甲\n  " + "k" * 100_000 + ": 1\n",
    "fifty thousand faults": "companies:\n" + "- x\n" * 50_000,
    "twenty thousand anchors": "companies:\n" + "".join(f"- &a{n} x\n" for n in range(20_000)),
    "many values in one company": "companies:\n- name: 甲\n  plan: [" + "x," * 200_000 + "]\n",
    "many keys in one company": "companies:\n- name: 甲\n" + "".join(f"  k{n}: 1\n" for n in range(60_000)),
    "quotes": "companies: '" + "''" * 500_000,
    "open brackets, line by line": "companies:\n" + "- [\n" * 20_000,
    "colons in every line": "companies:\n" + "- name: a: b\n" * 2000,
    "open quotes in every line": "companies:\n" + '- name: "a\n' * 2000,
    "faults of all kinds": "companies:\n" + "- name: [a\n  x: y: z\n" * 2000,
    "faults at the margin": "a: b: c\n" * 5000,
    "percent signs": "%" * 100_000,
    "exclamation marks": "!" * 100_000,
    "blanks": " " * 1_000_000 + "x",
    "line ends": "\n" * 1_000_000 + "x",
    "next line signs": "\x85" * 100_000,
    "NULs": "\0" * 1_000_000,
    "tabs": "\t" * 1_000_000 + "x: y",
    "block text without end": "companies: >\n" + " a\n\n" * 200_000,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE)
def test_a_large_file_is_read_or_refused_within_a_second(text: str) -> None:
    refused(load(text))


def test_a_file_beyond_the_limit_is_refused_before_it_is_read() -> None:
    refused(run(steps.load_sparse, 80 << 20), "GF104", says="64 MiB")


# ---------------------------------------------------------------------------------------------------------------------
# Encodings and characters


@row("yaml_gbk_file")
def test_a_gbk_file_is_read_and_said_to_be_one() -> None:
    found = fine(load(GOOD.encode("gbk")))
    assert [company["name"] for company in found["companies"]] == ["甲厂"]
    assert "GF106" in found["codes"]
    assert any("GB18030" in text for text in found["issues"])


def test_gb18030_has_every_character_of_a_name() -> None:
    assert names("companies:\n- name: 璟喆堃犇㛃䶮𠀀厂\n  district: 示范区\n".encode("gb18030")) == ["璟喆堃犇㛃䶮𠀀厂"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "euc_jp", "shift_jis"])
def test_other_encodings_are_refused_not_guessed(encoding: str) -> None:
    text = "companies:\n- name: 国営工場\n  district: 示範区\n"
    refused(load(text.encode(encoding)))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\0",
        b"\x80",
        b"\xc0\xbc",
        b"\xed\xa0\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04",
    ],
)
def test_what_is_no_text_is_refused(data: bytes) -> None:
    refused(load(data * 50))


def test_a_broken_byte_in_utf8_is_told_at_its_place() -> None:
    outcome = refused(load(GOOD.encode() + b"- name: \xe7\x94 x\n  district: x\n"), "GF105")
    assert (outcome.issues[0].place.line, outcome.issues[0].place.column) == (4, 9)


ILLEGAL = (
    "\0",
    "\x01",
    "\x08",
    "\x0b",
    "\x0c",
    "\x1f",
    "\x7f",
    "\x85",
    "\x9f",
    "\u2028",
    "\u2029",
    "\u202a",
    "\u202e",
    "\u2066",
    "\u2069",
    "\ufffe",
    "\uffff",
)


@pytest.mark.parametrize("char", ILLEGAL, ids=[f"U+{ord(char):04X}" for char in ILLEGAL])
def test_a_character_no_document_holds_is_named_as_typed_and_as_escaped(char: str) -> None:
    for name in (f"甲{char}乙", f'"甲\\u{ord(char):04x}乙"'):
        outcome = refused(
            load(f"companies:\n- name: {name}\n  district: 示范区\n"), "GF107", "GF110", says=f"U+{ord(char):04X}"
        )
        assert outcome.issues[0].place.line == 2


@pytest.mark.parametrize("name", ["companies.csv", "companies.yaml", "gfdocs.yaml"])
def test_half_a_surrogate_pair_is_refused_in_every_file(name: str) -> None:
    text = {
        "companies.csv": "企业名称,所在地\n甲\ud800,示范区\n",
        "companies.yaml": "companies:\n- name: 甲\ud800\n  district: 示范区\n",
    }
    refused(load(text.get(name, "round:\n  name: 甲\ud800\n"), name))


# ---------------------------------------------------------------------------------------------------------------------
# The other files of a project

FILES = ("gfdocs.yaml", "templates/catalogue.yaml")
HOSTILE = {
    "bomb": alias_bomb(9, 9),
    "recursive": "&a\nround: *a\n",
    "tag": "round: !!python/object/apply:os.system ['id']\n",
    "twice": "round: {name: a}\nround: {name: b}\n",
    "deep": "round: " + "[" * 3000,
    "number": "round: {year: " + "9" * 5000 + "}\n",
    "utf16": "round: {name: 甲}\n".encode("utf-16"),
    "nul": "round: {name: \0}\n",
    "list": "- a\n- b\n",
    "text": "x",
    "empty": "",
}


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_settings_and_catalogue_are_as_untrusted(file: str, text: str | bytes) -> None:
    outcome = load(text, file)
    if text == "" and file != "gfdocs.yaml":
        return  # an empty catalogue adds nothing
    refused(outcome)
    assert any(issue.place.file.endswith(file.rpartition("/")[2]) for issue in outcome.issues)


CSV = {
    "quote never closed": '企业名称,所在地\n"' + "甲" * 100_000,
    "many columns": "企业名称" + ",x" * 5000 + "\n",
    "many rows": "企业名称,所在地\n" + "甲,示范区\n" * 200_000,
    "quotes in quotes": "企业名称,所在地\n" + '"' * 300_001,
    "text after a quote": "企业名称,所在地\n" + '"甲"x,示范区\n' * 3000,
    "open quotes": "企业名称,所在地\n" + '"甲,\n' * 20_000 + "x",
    "only delimiters": ",;\t" * 100_000,
    "nul": "企业名称,所在地\n甲\0乙,示范区\n",
    "bidi": "企业名称,所在地\n甲\u202e乙,示范区\n",
    "no heading": "a,b\n" * 1000,
    "two names": "企业名称,企业名称,所在地\n甲,乙,示范区\n",
    "utf16": "企业名称,所在地\n甲,示范区\n".encode("utf-16"),
}


@pytest.mark.parametrize("text", CSV.values(), ids=CSV)
def test_a_hostile_csv_is_refused_within_a_second(text: str | bytes) -> None:
    refused(load(text, "companies.csv"))


def test_cells_that_look_like_formulas_are_the_names_they_are() -> None:
    typed = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A0", "＝1", "'=1", "0512", "1E5", "TRUE"]
    assert names("企业名称,所在地\n" + "".join(f'"{name}",示范区\n' for name in typed), "companies.csv") == typed
