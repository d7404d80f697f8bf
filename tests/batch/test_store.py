"""Output to an object store: each object whole, the manifest last, nothing of anybody else's replaced."""

from __future__ import annotations

import json
import uuid
import zipfile
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, dispatch, verify
from gfdocs.errors import OutputError, OutputExists, TemplateError
from tests.batch.disk import hash_tree, read_tree
from tests.batch.fakes import FakeProject

fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed (extra cloud)")


@pytest.fixture
def url() -> str:
    return f"memory://rounds/{uuid.uuid4()}"


def read_store(url: str) -> dict[str, bytes]:
    store, root = fsspec.core.url_to_fs(url)
    return {path[len(root) + 1 :]: store.cat_file(path) for path in store.find(root)}


@pytest.mark.parametrize("zipped", [False, True])
def test_a_store_holds_what_a_folder_would(tmp_path: Path, url: str, zipped: bool) -> None:
    batch(FakeProject(), tmp_path / "out", zip=zipped)
    manifest = batch(FakeProject(), url, zip=zipped)
    assert read_store(url) == read_tree(tmp_path / "out")
    assert manifest.path == url
    assert repr(manifest).startswith(f"<Manifest '{url}': 44 files")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_second_run_makes_only_what_changed(tmp_path: Path, url: str, zipped: bool) -> None:
    batch(FakeProject(), url, zip=zipped)
    assert batch(FakeProject(), url, zip=zipped).report.kept == 44
    changed = FakeProject(names={0: "改名有限公司"}, districts=("张家港市", "常熟市"), unlocated=0)
    report = batch(changed, url, zip=zipped).report
    assert zipped or report.kept > 0  # each zip holds a list of all units, which changed
    batch(changed, tmp_path / "out", zip=zipped)
    assert read_store(url) == read_tree(tmp_path / "out")


def test_a_url_that_was_made_a_path_is_still_a_url(url: str) -> None:
    assert batch(FakeProject(), Path(url)).path == url
    assert "manifest.json" in read_store(url)


def test_the_manifest_is_written_after_all_that_it_names(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from gfdocs.batch.cloud import StoreSink

    order: list[str] = []
    real = StoreSink.put
    monkeypatch.setattr(StoreSink, "put", lambda self, path, data: (order.append(path), real(self, path, data))[1])
    batch(FakeProject(), url)
    assert order[-1] == "manifest.json"
    named = {record["path"] for record in json.loads(read_store(url)["manifest.json"])["files"]}
    assert named <= set(order)


def test_objects_of_others_are_not_replaced_without_a_word(url: str) -> None:
    store, root = fsspec.core.url_to_fs(url)
    store.pipe_file(f"{root}/01 张家港市/附件1 名单.xlsx", b"theirs")
    store.pipe_file(f"{root}/note.txt", b"theirs")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), url)
    assert [issue.code for issue in caught.value.issues] == ["GF504"]
    batch(FakeProject(), url, replace=True)
    assert read_store(url)["note.txt"] == b"theirs"


def test_parts_add_up(tmp_path: Path, url: str) -> None:
    batch(FakeProject(), url, districts="昆山市")
    batch(FakeProject(), url)
    batch(FakeProject(), tmp_path / "out")
    assert read_store(url) == read_tree(tmp_path / "out")


def test_a_file_url_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAYS", 1)
    batch(FakeProject(each=30), f"file://{tmp_path}/store", workers=2, zip=True)
    assert verify(tmp_path / "store") == ()
    batch(FakeProject(each=30), tmp_path / "out", zip=True)
    assert hash_tree(tmp_path / "store") == hash_tree(tmp_path / "out")
    with zipfile.ZipFile(BytesIO((tmp_path / "store/01 张家港市.zip").read_bytes())) as archive:
        assert archive.testzip() is None


def test_a_store_that_refuses_is_told_and_leaves_the_old_manifest(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    batch(FakeProject(), url)
    before = read_store(url)["manifest.json"]

    def refuse(self: Any, path: str, data: bytes, **kwargs: Any) -> None:
        raise PermissionError("403 AccessDenied")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "pipe_file", refuse)
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(energy=3, round_name="新"), url)
    assert caught.value.issues[0].code == "GF524"
    monkeypatch.undo()
    assert read_store(url)["manifest.json"] == before


def test_a_store_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), "nosuch://bucket/x")
    assert caught.value.issues[0].code == "GF524"


# -- interrupted runs, and what somebody changed --


def find_work(url: str) -> list[str]:
    return [path for path in read_store(url) if path.startswith(".gfdocs")]


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("fresh", [False, True])
def test_an_interrupted_run_is_run_again_without_force(tmp_path: Path, url: str, zipped: bool, fresh: bool) -> None:
    """What it had put is known for ours, though no manifest names it; a run of the old data is not misled by it either."""
    if not fresh:
        batch(FakeProject(), url, zip=zipped)

    def stop(done: int, total: int, job: Any) -> None:
        if done == 30:
            raise KeyboardInterrupt

    longer = FakeProject(each=40, energy=3)
    for project in (longer, FakeProject(energy=555)):  # the second makes objects of the same size
        with pytest.raises(KeyboardInterrupt):
            batch(project, url, zip=zipped, progress=stop)
    assert find_work(url)
    batch(FakeProject(), url, zip=zipped)
    batch(FakeProject(), tmp_path / "out", zip=zipped)
    assert read_store(url) == read_tree(tmp_path / "out")


def test_a_part_after_an_interrupted_run_leaves_the_rest_known(tmp_path: Path, url: str) -> None:
    def stop(done: int, total: int, job: Any) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch(FakeProject(), url, progress=stop)
    batch(FakeProject(), url, districts="常熟市")
    assert find_work(url)
    batch(FakeProject(), url)
    batch(FakeProject(), tmp_path / "out")
    assert read_store(url) == read_tree(tmp_path / "out")


@pytest.mark.parametrize("zipped", [False, True])
def test_strict_writes_nothing_into_a_store_where_one_fails(url: str, zipped: bool, tmp_path: Path) -> None:
    batch(FakeProject(), url, zip=zipped)
    before = read_store(url)
    broken = FakeProject(energy=7, templates={"plaque": {"fail": "示例011有限公司"}})
    with pytest.raises(TemplateError):
        batch(broken, url, zip=zipped, strict=True)
    assert read_store(url) == before
    batch(FakeProject(energy=7), url, zip=zipped, strict=True)
    batch(FakeProject(energy=7), tmp_path / "out", zip=zipped)
    assert read_store(url) == read_tree(tmp_path / "out")


def test_where_nothing_comes_out_the_store_stays_as_it_was(url: str) -> None:
    batch(FakeProject(), url)
    before = read_store(url)
    broken = FakeProject(documents=(FakeProject().documents[4],), each=1, districts=("张家港市",), unlocated=0, energy=9,
                         templates={"plaque": {"fail": "示例000有限公司"}})  # fmt: skip
    assert batch(broken, url).failed
    assert read_store(url) == before


def test_an_edited_object_is_not_removed_without_a_word(url: str) -> None:
    batch(FakeProject(), url)
    store, root = fsspec.core.url_to_fs(url)
    store.pipe_file(f"{root}/03 昆山市/附件1 名单.xlsx", b"somebody's work")
    fewer = FakeProject(districts=("张家港市", "常熟市"))
    with pytest.raises(OutputExists) as caught:
        batch(fewer, url)
    assert [issue.code for issue in caught.value.issues] == ["GF503"]
    batch(fewer, url, replace=True)
    assert not [path for path in read_store(url) if path.startswith("03")]


def test_a_forged_list_of_what_was_begun_leads_nowhere(url: str, tmp_path: Path) -> None:
    store, root = fsspec.core.url_to_fs(url)
    for number, data in enumerate((b"\xff", b"[[" * 9000, b"{}", b'["../../x", "/etc/passwd", 7, "a\\u0000b", ""]')):
        store.pipe_file(f"{root}/.gfdocs-begun-{number}", data)
    store.pipe_file("/rounds/x", b"theirs")
    batch(FakeProject(), url)
    assert store.cat_file("/rounds/x") == b"theirs"
    batch(FakeProject(), tmp_path / "out")
    assert read_store(url) == read_tree(tmp_path / "out")


def test_a_copy_of_a_store_with_a_run_at_work_is_told_as_unfinished(tmp_path: Path) -> None:
    batch(FakeProject(), tmp_path / "out")
    (tmp_path / "out/.gfdocs-begun-0123").write_text("[]")
    assert [issue.code for issue in verify(tmp_path / "out")] == ["GF534"]


def test_a_page_in_the_store_that_is_not_ours_is_not_replaced_without_a_word(url: str) -> None:
    store, root = fsspec.core.url_to_fs(url)
    store.pipe_file(f"{root}/index.html", b"my site")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), url)
    assert [issue.code for issue in caught.value.issues] == ["GF504"]
    batch(FakeProject(), url, replace=True)
    store.pipe_file(f"{root}/index.html", b"my site")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(energy=3), url)
    assert [issue.code for issue in caught.value.issues] == ["GF503"]
    assert store.cat_file(f"{root}/index.html") == b"my site"


def test_nothing_is_put_any_more_once_an_interrupted_run_has_given_its_lease_back(tmp_path: Path) -> None:
    """Chunks that an executor has at hand are waited for, the others taken back."""
    url = f"local://{tmp_path}/out"
    project = FakeProject(each=120, templates={"plaque": {"slow": 0.003}, "annual-summary": {"slow": 0.003}})

    def stop(done: int, total: int, job: Any) -> None:
        raise KeyboardInterrupt

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(KeyboardInterrupt):
            batch(project, url, executor=pool, progress=stop)
        after = len(read_store(url))
    assert len(read_store(url)) == after
    assert not any(path.startswith(".gfdocs-lease") for path in read_store(url))
    batch(project, url)
    batch(project, tmp_path / "fresh")
    assert read_store(url) == read_tree(tmp_path / "fresh")
