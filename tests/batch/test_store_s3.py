"""Output to an S3-compatible server of this machine; where s3fs and moto are installed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gfdocs.batch import batch, dispatch
from tests.batch.disk import read_tree
from tests.batch.fakes import FakeProject

pytestmark = pytest.mark.slow
pytest.importorskip("s3fs", reason="s3fs is not installed")
server = pytest.importorskip("moto.server", reason="moto[server] is not installed")


@pytest.fixture
def storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    threaded = server.ThreadedMotoServer(port=0)
    threaded.start()
    host, port = threaded.get_host_and_port()
    options = {
        "key": "k",
        "secret": "s",
        "client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-west-1"},
    }
    import s3fs

    store = s3fs.S3FileSystem(**options, skip_instance_cache=True)
    if not store.exists("rounds"):
        store.mkdir("rounds", region_name="eu-west-1")
    if store.find("rounds"):
        store.rm(store.find("rounds"))
    yield {**options, "skip_instance_cache": True}
    threaded.stop()


def read_bucket(storage: dict[str, Any], prefix: str) -> dict[str, bytes]:
    import s3fs

    store = s3fs.S3FileSystem(**storage)
    return {path[len(prefix) + 1 :]: store.cat_file(path) for path in store.find(prefix)}


@pytest.mark.parametrize("zipped", [False, True])
def test_a_bucket_holds_what_a_folder_would(tmp_path: Path, storage: dict[str, Any], zipped: bool) -> None:
    batch(FakeProject(), tmp_path / "out", zip=zipped)
    batch(FakeProject(), "s3://rounds/2023", zip=zipped, storage=storage)
    assert read_bucket(storage, "rounds/2023") == read_tree(tmp_path / "out")
    assert batch(FakeProject(), "s3://rounds/2023", zip=zipped, storage=storage).report.made == 0
    changed = FakeProject(names={0: "改名有限公司"})
    assert batch(changed, "s3://rounds/2023", zip=zipped, storage=storage).report.made in (2, 13)


def test_workers_write_to_the_bucket_themselves(storage: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "PAYS", 1)
    manifest = batch(FakeProject(each=20), "s3://rounds/w", zip=True, workers=2, storage=storage)
    found = read_bucket(storage, "rounds/w")
    assert {package.path for package in manifest.packages} < set(found)
    for package in manifest.packages:
        with zipfile.ZipFile(BytesIO(found[package.path])) as archive:
            assert archive.testzip() is None
