"""File names: what a disk somewhere would not take never comes out, and no two are one file on any of them."""

from __future__ import annotations

import os
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gfdocs.batch.names import LIMIT_BYTES, fold_name, path_length, safe_name, split_suffix, unique_names

EXAMPLES = 10_000 if os.environ.get("GFDOCS_NIGHTLY") else 500
NASTY = [
    "../../escape", "/etc/passwd", "C:\\x", "甲/乙公司", "CON", "con.txt", "nul", "COM1", "LPT¹", "结尾点.", "结尾空格 ", "a\x00b",
    "-rf", "x\ny", "", ".", "..", "...", " ", "~$文件", "a:b", 'q"q', "a*b?c", "<x>|y", "\u202egpj.exe", "\ud800", "\ufffe", "\u200b",
    "某" * 90, "e\u0301", "é", "ﬀ", "ff", "ß", "ẞ", "SS", "İ", "ı", "i", "Ａ", "𠀀" * 60, "🏭" * 60, "a\u0300" * 120, ".hidden", "CONIN$",
    "aux.2022", "con .x", "\u3000", "名\u2028称", "\ue000", "%00", "~", "$HOME", "`id`", "x" * 300,
]  # fmt: skip
anything = st.one_of(st.sampled_from(NASTY), st.text(max_size=150), st.text(alphabet="ab.AB /\\é\u0301 ", max_size=12))


def is_good_on_windows(name: str) -> bool:
    """What Windows says of a file name, by its own documented rules and by pathlib, which are not ours."""
    device = PureWindowsPath(name).is_reserved()
    parts = PureWindowsPath("D:\\out", name).parts
    forbidden = any(char in '<>:"/\\|?*' or ord(char) < 32 for char in name)
    return not device and not forbidden and len(parts) == 3 and parts[-1] == name and name[-1] not in " ."


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(anything, st.sampled_from(["", "1A2B3C", "x/..", "é"])), min_size=1, max_size=12))
@example([(name, "") for name in NASTY])
@example([("示例.", "1A2B3C"), ("示例", "1A2B3C"), ("示例_1A2B3C", "")])
@example([("a", ""), ("a", ""), ("a_1", ""), ("a_2", "")])
def test_names_are_safe_and_unique(wanted: list[tuple[str, str]]) -> None:
    names, _ = unique_names([(text, tail, ".docx") for text, tail in wanted])
    assert len(names) == len(wanted)
    assert len({fold_name(name) for name in names}) == len(names)
    for form in ("NFC", "NFD", "NFKC"):
        normal = [unicodedata.normalize(form, name) for name in names]
        assert form == "NFKC" or len({name.casefold() for name in normal}) == len(names)
    for name in names:
        assert len(name.encode()) <= LIMIT_BYTES
        assert is_good_on_windows(name), name
        assert PurePosixPath("/out", name).parent == PurePosixPath("/out")
        assert name.endswith(".docx")
        assert name[0] not in "-~. "
        assert name == unicodedata.normalize("NFC", name)
        assert all(unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn") for char in name)


@settings(max_examples=EXAMPLES // 5, deadline=None)
@given(anything)
def test_a_name_can_be_written_and_read_back_on_this_disk(text: str) -> None:
    import tempfile

    name = safe_name(text, suffix=".svg")
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, name), "xb"):
            pass
        assert os.listdir(folder) == [name]


def test_words_that_are_fine_stay_as_they_are() -> None:
    for text in (
        "附件2 江苏省第三批绿色工厂名单（苏州市） 昆山市",
        "示例电子（苏州）有限公司",
        "A&B 公司'甲'",
        "Müller 制造",
        "𠀀公司",
    ):
        assert safe_name(text, suffix=".xlsx") == f"{text}.xlsx"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("甲/乙公司", "甲_乙公司"), ("CON", "_CON"), ("con.2022", "_con.2022"), ("结尾点.", "结尾点"), ("../../escape", "_.._escape"),
        ("-rf", "_rf"), ("x\ny", "x y"), ("", "未命名"), ("...", "未命名"), ("a\x00b", "a_b"), ("~$x", "_$x"),
    ],
)  # fmt: skip
def test_what_becomes_of_bad_names(text: str, name: str) -> None:
    assert safe_name(text) == name


def test_equal_names_all_get_the_end_of_their_credit_codes() -> None:
    wanted = [
        ("标牌 示例有限公司", "AAAA01", ".svg"),
        ("标牌 示例有限公司", "BBBB02", ".svg"),
        ("标牌 另一", "CCCC03", ".svg"),
    ]
    assert unique_names(wanted)[0] == ["标牌 示例有限公司_AAAA01.svg", "标牌 示例有限公司_BBBB02.svg", "标牌 另一.svg"]


def test_equal_names_without_codes_are_all_numbered() -> None:
    assert unique_names([("甲", "", ".svg"), ("甲", "", ".svg")]) == (["甲_1.svg", "甲_2.svg"], [[0, 1]])


def test_names_that_only_a_mac_or_windows_takes_for_one_are_told_apart() -> None:
    names, _ = unique_names([("Caf\u00e9", "", ".svg"), ("CAFE\u0301", "", ".svg"), ("café", "", ".svg")])
    assert len({name.casefold() for name in names}) == 3


def test_a_long_name_is_cut_between_characters_and_keeps_its_code() -> None:
    name = unique_names([("某" * 90, "1A2B3C", ".docx")])[0][0]
    assert name.endswith("某_1A2B3C.docx")
    assert LIMIT_BYTES - 3 < len(name.encode()) <= LIMIT_BYTES


def test_marks_stay_with_their_character_when_a_name_is_cut() -> None:
    name = safe_name("x\u0332" * 120)
    assert name.endswith("x\u0332")


def test_the_suffix_is_that_of_the_kind() -> None:
    assert split_suffix("a.DOCX", "docx") == ("a", ".docx")
    assert split_suffix("a.exe", "docx") == ("a.exe", ".docx")


def test_length_of_a_path_counts_as_windows_does() -> None:
    assert path_length("a𠀀") == 3
