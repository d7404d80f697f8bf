"""verify finds every file that is not as it was made; diff says in words what changed between two rounds."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, diff, read_manifest, verify
from gfdocs.errors import OutputError
from tests.batch.fakes import FakeProject

LIST = "01 张家港市/附件1 名单.xlsx"
PLAQUE = "01 张家港市/标牌/标牌 示例000有限公司.svg"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    batch(FakeProject(), tmp_path / "out")
    return tmp_path / "out"


def test_every_changed_missing_and_extra_file_is_found(out: Path) -> None:
    data = (out / LIST).read_bytes()
    (out / LIST).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    (out / "02 常熟市/附件1 名单.xlsx").write_bytes(data + b"x")
    (out / PLAQUE).unlink()
    (out / "01 张家港市/新.txt").write_bytes(b"new")
    (out / "Thumbs.db").write_bytes(b"windows")
    issues = verify(out)
    assert {(issue.code, issue.place.file.removeprefix(f"{out}/")) for issue in issues} == {
        ("GF532", LIST), ("GF532", "02 常熟市/附件1 名单.xlsx"), ("GF531", PLAQUE), ("GF533", "01 张家港市/新.txt"),
    }  # fmt: skip
    assert list(issues) == sorted(issues, key=lambda issue: issue.place)
    assert all(issue.to_text("zh") != issue.to_text("en") for issue in issues)


def test_a_page_that_no_longer_says_what_is_there_is_found(out: Path) -> None:
    page = out / "index.html"
    page.write_bytes(page.read_bytes().replace(b"01", b"99"))
    assert [(issue.code, issue.place.file) for issue in verify(out)] == [("GF532", str(page))]
    page.unlink()
    assert [issue.code for issue in verify(out)] == ["GF531"]


def test_every_single_bit_counts(out: Path) -> None:
    for record in read_manifest(out).files[::7]:
        path = out / record.path
        good = path.read_bytes()
        path.write_bytes(bytes([good[0] ^ 128]) + good[1:])
        assert [issue.code for issue in verify(out)] == ["GF532"], record.path
        path.write_bytes(good)
    assert verify(out) == ()


def test_zips_are_verified_as_files(tmp_path: Path) -> None:
    batch(FakeProject(), tmp_path / "z", zip=True)
    assert verify(tmp_path / "z") == ()
    path = tmp_path / "z/01 张家港市.zip"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    (tmp_path / "z/02 常熟市.zip").unlink()
    assert [issue.code for issue in verify(tmp_path / "z")] == ["GF532", "GF531"]


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw["files"][0].update(path="../../etc/passwd"),
        lambda raw: raw["files"][0].update(path="/etc/passwd"),
        lambda raw: raw["files"][0].update(path="C:\\x"),
        lambda raw: raw["files"][0].update(size="1"),
        lambda raw: raw["files"][0].pop("sha256"),
        lambda raw: raw.update(files=3),
        lambda raw: raw.update(format=99),
        lambda raw: raw["packages"][0].update(path="a/../../b"),
        lambda raw: raw.update(round=[1]),
        lambda raw: raw.update(companies="x"),
    ],
)
def test_a_manifest_is_not_believed(out: Path, change) -> None:  # type: ignore[no-untyped-def]
    raw = json.loads((out / "manifest.json").read_bytes())
    change(raw)
    (out / "manifest.json").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(OutputError) as caught:
        verify(out)
    assert caught.value.issues[0].code == "GF530"


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[]", b"null", b"[" * 100_000, b'{"format":1}', b"\x00" * 100])
def test_a_manifest_that_is_none_is_told(out: Path, data: bytes) -> None:
    (out / "manifest.json").write_bytes(data)
    with pytest.raises(OutputError):
        read_manifest(out)


def test_no_manifest_at_all(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        verify(tmp_path / "nowhere")
    assert caught.value.issues[0].code == "GF530"


def test_the_manifest_reads_back_as_it_was_written(out: Path) -> None:
    manifest = batch(FakeProject(), out)
    again = read_manifest(out)
    assert again.files == manifest.files
    assert again.packages == manifest.packages
    assert again.to_json() == manifest.to_json()


def test_the_manifest_names_no_contact(tmp_path: Path) -> None:
    from gfdocs.data.model import Contact

    project = FakeProject()
    contact = Contact(name="张三丰", phone="13800138000", email="z@example.com")
    project.companies[0] = project.companies[0].model_copy(update={"contact": contact})
    batch(project, tmp_path / "out")
    text = (tmp_path / "out/manifest.json").read_text(encoding="utf-8")
    assert "13800138000" not in text
    assert "张三丰" not in text


# -- diff --


def make(tmp_path: Path, name: str, project: FakeProject) -> Path:
    batch(project, tmp_path / name)
    return tmp_path / name


def test_nothing_changed(tmp_path: Path, out: Path) -> None:
    found = diff(out, make(tmp_path, "b", FakeProject()))
    assert not found
    assert found.lines == ()


def test_companies_in_out_and_renamed(tmp_path: Path, out: Path) -> None:
    project = FakeProject(names={2: "改名有限公司"})
    removed = project.companies.pop(7)
    added = removed.model_copy(
        update={"name": "新来有限公司", "credit_code": "91320500MA00000X99", "district": "昆山市"}
    )
    project.companies.append(added)
    found = diff(out, make(tmp_path, "b", project))
    assert [line.zh for line in found.added] == ["新增 1 家", "  新来有限公司（昆山市）"]
    assert str(found.added[0]) == "added: 1 company" and str(found.removed[0]) == "removed: 1 company"
    assert [line.zh for line in found.removed] == ["移出 1 家", "  示例007有限公司（常熟市）"]
    assert [line.zh for line in found.renamed] == ["更名：示例002有限公司 → 改名有限公司"]
    assert [str(line) for line in found.renamed] == ["renamed: 示例002有限公司 → 改名有限公司"]
    assert "昆山市 单位数：5 → 6" in found.to_text("zh")
    assert repr(found) == "<Difference: 2 in, 2 out, 1 renamed, 0 figures>"


def test_a_rename_is_seen_without_a_credit_code(tmp_path: Path) -> None:
    before, after = FakeProject(), FakeProject()
    for project in (before, after):
        project.companies[:] = [c.model_copy(update={"credit_code": ""}) for c in project.companies]
    after.companies[0] = after.companies[0].model_copy(
        update={"name": "改名有限公司", "former_name": "示例000有限公司"}
    )
    found = diff(make(tmp_path, "a", before), make(tmp_path, "b", after))
    assert [line.zh for line in found.renamed] == ["更名：示例000有限公司 → 改名有限公司"]
    assert found.added == found.removed == ()


def test_figures_dates_and_files(tmp_path: Path, out: Path) -> None:
    import datetime as dt

    project = FakeProject(energy=150, templates={"notice": {"padding": 7}})
    project.settings.deadlines[0].date = dt.date(2023, 3, 1)
    found = diff(out, make(tmp_path, "b", project))
    assert "示例000有限公司：综合能耗 100 → 150" in [line.zh for line in found.figures]
    assert "annual-table 截止日期：2023-02-24 → 2023-03-01" in [line.zh for line in found.round]
    assert [line.zh for line in found.files if "通知" in line] == [
        "内容变化的文件：00 全市文件/关于做好有关工作的通知.docx"
    ]


def test_a_file_that_was_only_packed_otherwise_has_not_changed(out: Path) -> None:
    from dataclasses import replace

    manifest = read_manifest(out)
    other = replace(manifest, files=tuple(replace(record, sha256="0" * 64, size=1) for record in manifest.files))
    assert not diff(manifest, other)


# -- the page --


def test_the_page_lists_every_file_and_links_to_it(out: Path) -> None:
    from html.parser import HTMLParser
    from urllib.parse import unquote

    links: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            assert tag not in ("script", "iframe", "img", "link")
            links.extend(value or "" for name, value in attrs if name == "href")

    Links().feed((out / "index.html").read_text(encoding="utf-8"))
    assert {unquote(link) for link in links} == {record.path for record in read_manifest(out).files} | {"manifest.json"}
    assert all((out / unquote(link)).is_file() for link in links)


def test_a_name_cannot_put_markup_into_the_page(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>'\"&"
    batch(FakeProject(names={0: evil}, round_name=evil), tmp_path / "out")
    page = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


# -- manifests that somebody edited, or made --

JUNK = (
    None,
    0,
    -1,
    1e308,
    "",
    [],
    {},
    "../x",
    "/etc",
    [[]],
    {"a": 1},
    True,
    "\ud800",
    "x" * 5000,
    ["a"],
    [{"name": ["a"]}],
    [{}],
)


def mutate(manifest: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """Return a copy in which one value somewhere is another or gone."""
    found = json.loads(json.dumps(manifest))
    node = found
    while True:
        key = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if isinstance(node[key], dict | list) and node[key] and chance.random() < 0.75:
            node = node[key]
            continue
        if chance.random() < 0.2:
            del node[key]
        else:
            node[key] = chance.choice(JUNK)
        return found  # type: ignore[no-any-return]


def test_a_manifest_that_was_tampered_with_is_refused_or_read(out: Path, tmp_path: Path) -> None:
    """By verify, diff and the next batch; with force a batch makes the folder whole again, whatever the manifest says."""
    good, chance = json.loads((out / "manifest.json").read_bytes()), random.Random(5)
    batch(FakeProject(), tmp_path / "good")
    refused = 0
    for number in range(1500 if os.environ.get("GFDOCS_NIGHTLY") else 250):
        (out / "manifest.json").write_text(json.dumps(mutate(good, chance)))
        try:
            verify(out)
            diff(out, tmp_path / "good").to_text("zh")
            diff(tmp_path / "good", out).to_text("en")
        except OutputError:
            refused += 1
        if number % 10 == 0:
            with contextlib.suppress(OutputError):
                batch(FakeProject(energy=5), out, durable=False)
            batch(FakeProject(energy=number), out, durable=False, replace=True)
            assert {issue.code for issue in verify(out)} <= {"GF533"}
            assert {record.path for record in read_manifest(out).files} == {r["path"] for r in good["files"]}
            shutil.rmtree(out)
            shutil.copytree(tmp_path / "good", out)
    assert refused > 50


def test_a_manifest_of_a_newer_version_is_named_and_force_replaces_it(out: Path) -> None:
    newer = (out / "manifest.json").read_bytes().replace(b'"format":1', b'"format":2')
    (out / "manifest.json").write_bytes(newer)
    for call in (lambda: verify(out), lambda: batch(FakeProject(), out)):
        with pytest.raises(OutputError) as caught:
            call()
        assert "its format is 2, this version of gfdocs reads 1" in str(caught.value)
        assert "--force" in str(caught.value)
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_a_folder_where_a_file_of_ours_was_is_told_as_an_edit(out: Path) -> None:
    (out / LIST).unlink()
    (out / LIST).mkdir()
    (out / LIST / "theirs.txt").write_text("x")
    assert "GF532" in {issue.code for issue in verify(out)}
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), out)
    assert {issue.code for issue in caught.value.issues} <= {"GF503", "GF504"}
    assert (out / LIST / "theirs.txt").read_text() == "x"
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()
