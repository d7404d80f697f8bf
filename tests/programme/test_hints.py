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
    assert "annual-table" in issue.hint and "可选：" in issue.hint.zh
