"""What a clerk may write instead is told with the fault."""

from __future__ import annotations

from pathlib import Path

import pytest

import gfdocs
from tests.folders import copy_example

ATTACHMENTS = "attachments: [province-notice, list, annual-table"


def test_a_label_among_the_attachments_is_answered_with_the_ids(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path, (ATTACHMENTS, ATTACHMENTS.replace("list", "附件3")))
    with pytest.raises(gfdocs.DataError) as raised:
        gfdocs.load(folder).check()
    (issue,) = [i for i in raised.value.issues if i.code == "GF430"]
    assert issue.hint is not None
    assert issue.hint.zh == "是否应为“annual-table”？"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("附件9", "annual-table（附件3）"),
        ("list，annual-table", "半角逗号"),
        ("anual-table", "是否应为“annual-table”？"),
    ],
)
def test_what_is_no_id_is_answered_with_what_it_should_be(tmp_path: Path, typed: str, told: str) -> None:
    folder = copy_example("demo-district", tmp_path, (ATTACHMENTS, ATTACHMENTS.replace("list", typed)))
    with pytest.raises(gfdocs.DataError) as raised:
        gfdocs.load(folder)
    (issue,) = [i for i in raised.value.issues if i.code == "GF430"]
    assert issue.hint is not None and told in issue.hint.zh


def test_unknown_ids_are_told_together_with_faults_of_the_data(tmp_path: Path) -> None:
    """One run tells all: an attachment that does not exist is no less wrong while a company's code is."""
    folder = copy_example(
        "demo-district", tmp_path,
        (ATTACHMENTS, ATTACHMENTS.replace("list", "lst")),
        ("document: annual-table", "document: anual-table"),
    )  # fmt: skip
    companies = folder / "companies.yaml"
    text = companies.read_text(encoding="utf-8")
    companies.write_text(text.rstrip() + "\n- {name: 示例坏码有限公司, credit_code: 123}\n", encoding="utf-8")
    with pytest.raises(gfdocs.DataError) as raised:
        gfdocs.load(folder)
    found = {issue.code: issue for issue in raised.value.issues}
    assert {"GF140", "GF430", "GF441"} <= set(found)
    assert str(found["GF430"].place).startswith("gfdocs.yaml:") and "list" in found["GF430"].hint
    assert "annual-table" in found["GF441"].hint


def test_a_settings_file_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path)
    (folder / "gfdocs.yaml").write_text("round: {name: 甲\n", encoding="utf-8")
    with pytest.raises(gfdocs.DataError) as raised:
        gfdocs.load(folder)
    assert len(raised.value.issues) == len(set(raised.value.issues))
