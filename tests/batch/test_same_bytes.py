"""The same input gives the same bytes, wherever, whenever and by however many it is made."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gfdocs.batch import batch
from gfdocs.batch.digest import ContentDigest, ContextDigest
from tests.batch.disk import hash_tree
from tests.batch.fakes import FakeProject

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import os, sys
os.umask(int(sys.argv[2], 8))
from gfdocs.batch import batch, dispatch
from tests.batch.fakes import FakeProject
dispatch.PAYS = 1
batch(FakeProject(each=20), sys.argv[1], workers=int(sys.argv[3]), zip=sys.argv[4] == "zip", durable=sys.argv[5] == "durable")
"""
WORLDS = [
    ({"TZ": "UTC", "PYTHONHASHSEED": "0", "LANG": "C", "LC_ALL": "C"}, "022", "1", "durable"),
    ({"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "1", "LANG": "zh_CN.UTF-8"}, "077", "2", "durable"),
    ({"TZ": "America/New_York", "PYTHONHASHSEED": "12345", "LC_ALL": "POSIX"}, "002", "3", "no"),
]


@pytest.mark.parametrize("form", ["folders", "zip"])
def test_same_bytes_in_any_world(tmp_path: Path, form: str) -> None:
    trees = []
    for number, (environment, umask, workers, durable) in enumerate(WORLDS):
        out = tmp_path / f"out{number}"
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SOURCE_DATE_EPOCH": str(10**9 * number),
            **environment,
        }
        command = [sys.executable, "-c", SCRIPT, str(out), umask, workers, form, durable]
        subprocess.run(command, check=True, env=env, cwd=tmp_path, capture_output=True)
        trees.append(hash_tree(out))
    assert len(trees[0]) > 100 or form == "zip"
    assert trees[0] == trees[1] == trees[2]


def test_a_system_that_cannot_write_chinese_names_is_told(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "POSIX",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
    }
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "out"), "022", "1", "folders", "no"]
    ended = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, check=False)
    assert b"GF507" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_the_manifest_says_nothing_of_the_run(tmp_path: Path) -> None:
    project = FakeProject()
    batch(project, tmp_path / "a")
    batch(project, tmp_path / "b")
    batch(project, tmp_path / "b")  # kept
    assert (tmp_path / "a/manifest.json").read_bytes() == (tmp_path / "b/manifest.json").read_bytes()


def test_content_is_the_same_whichever_deflater_packed_it() -> None:
    import io
    import zipfile

    def pack(level: int, order: int, method: int = zipfile.ZIP_DEFLATED) -> bytes:
        buffer = io.BytesIO()
        parts = [("word/document.xml", b"<w>" + b"abc " * 999 + b"</w>"), ("[Content_Types].xml", b"<t/>")]
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in parts[::order]:
                archive.writestr(zipfile.ZipInfo(name), data, method, level)
        return buffer.getvalue()

    digest = ContentDigest()
    kinds = [pack(1, 1), pack(9, 1), pack(9, -1), pack(0, 1, zipfile.ZIP_STORED)]
    assert len(set(kinds)) == 4
    assert len({digest.of(data) for data in kinds}) == 1
    assert digest.of(pack(9, 1).replace(b"word/document", b"word/documens")) != digest.of(kinds[0])


def test_values_that_differ_have_digests_that_differ() -> None:
    import datetime as dt
    from decimal import Decimal

    values = [
        1,
        1.0,
        "1",
        True,
        None,
        Decimal("1"),
        Decimal("1.0"),
        [1],
        {"1": 1},
        dt.date(2023, 1, 1),
        "2023-01-01",
        [[]],
        "",
        "None",
    ]
    digest = ContextDigest(keep=3)
    contexts = [{"x": value} for value in (*values, [values], [[values]], {"a": values}, {"a": [values]}, (values,))]
    assert len({digest.of(context) for context in contexts}) == len(contexts)
    assert [digest.of(context) for context in contexts] == [ContextDigest().of(context) for context in contexts]
    assert digest.of({"x": "\ud800"}) == digest.of({"x": "\ud800"})
