"""The batch on a real project: the built-in templates, every kind, every way of making them."""

from __future__ import annotations

import io
import shutil
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import gfdocs
from gfdocs.batch import batch, diff, dispatch, plan, read_manifest, verify
from gfdocs.batch.jobs import make_plan
from gfdocs.batch.make import Maker, SourceInputs
from tests.batch.disk import hash_tree, read_tree

DEMO = Path(__file__).resolve().parents[2] / "examples/demo-district"


@pytest.fixture(scope="module")
def project() -> Any:
    return gfdocs.load(DEMO)


@pytest.fixture(scope="module")
def made(project: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "out"
    manifest = batch(project, out)
    assert manifest.ok, [str(issue) for issue in manifest.issues if issue.severity == "error"]
    return out


def test_every_file_opens_elsewhere_and_holds_no_tag(made: Path) -> None:
    import docx
    import openpyxl
    from lxml import etree

    for path, data in read_tree(made).items():
        parts = [data]
        if path.endswith(".docx"):
            assert docx.Document(io.BytesIO(data)).paragraphs
        elif path.endswith(".xlsx"):
            assert openpyxl.load_workbook(io.BytesIO(data)).worksheets
        elif path.endswith(".svg"):
            assert etree.fromstring(data).tag == "{http://www.w3.org/2000/svg}svg"
        if path.endswith((".docx", ".xlsx")):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        assert not any(b"{{" in part or b"{%" in part for part in parts), path


def test_every_company_and_district_of_the_plan_is_there(project: Any, made: Path) -> None:
    paths = set(read_tree(made))
    assert {job.path for job in plan(project)} == paths - {"manifest.json", "index.html"}
    assert verify(made) == ()
    assert all(record.content and record.template and record.source for record in read_manifest(made).files)


def test_templates_name_all_that_they_use(project: Any) -> None:
    """A document made from the names its template tells of is the one made from all there are: no digest misses data."""
    whole = make_plan(project)
    maker = Maker(SourceInputs(project, whole.targets), "1")
    for job in whole.jobs:
        template, whole = maker.inputs.get(job)
        _, narrow, _ = maker.get_input(job)
        assert set(narrow) < set(whole)
        assert template.render(narrow).to_bytes() == template.render(dict(whole)).to_bytes(), job


@pytest.mark.parametrize("how", ["workers", "processes", "threads", "zip"])
def test_the_same_bytes_however_it_is_made(
    project: Any, made: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "PAYS", 1)
    out = tmp_path / "out"
    if how == "workers":
        batch(project, out, workers=2)
    elif how == "processes":
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:  # templates and data are pickled
            batch(project, out, executor=executor)
    elif how == "threads":
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(3) as threads:
            batch(project, out, executor=threads)
    else:
        batch(project, out, zip=True)
        members = {}
        for package in read_manifest(out).packages:
            with zipfile.ZipFile(out / package.path) as archive:
                members.update({name: archive.read(name) for name in archive.namelist()})
        assert members == {path: data for path, data in read_tree(made).items() if "/" in path}
        return
    assert hash_tree(out) == hash_tree(made)


def test_a_change_of_one_company_makes_only_what_shows_it(tmp_path: Path) -> None:
    folder, out = tmp_path / "round", tmp_path / "out"
    shutil.copytree(DEMO, folder)
    batch(gfdocs.load(folder), out)
    before = read_manifest(out)
    path = folder / "companies.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("energy: 8420.5", "energy: 8399", 1), encoding="utf-8")
    manifest = batch(gfdocs.load(folder), out)
    assert 0 < manifest.report.made < manifest.report.planned / 2
    made_again = {r.path for r in manifest.files} - {r.path for r in manifest.files if r in before.files}
    assert any("年度总结 示例电子有限公司" in path for path in made_again)
    assert "示例电子有限公司：综合能耗 8420.5 → 8399" in diff(before, manifest).to_text("zh")
    batch(gfdocs.load(folder), tmp_path / "fresh")
    assert hash_tree(out) == hash_tree(tmp_path / "fresh")


def test_a_changed_template_of_the_user_makes_only_its_documents(tmp_path: Path) -> None:
    folder, out = tmp_path / "round", tmp_path / "out"
    shutil.copytree(DEMO, folder)
    batch(gfdocs.load(folder), out)
    (folder / "templates").mkdir(exist_ok=True)
    built_in = gfdocs.load(folder).get_document("plaque").templates["svg"]
    text = built_in.read_text(encoding="utf-8")
    (folder / "templates/plaque.svg").write_text(text.replace("</svg>", "<!-- own --></svg>"), encoding="utf-8")
    changed = gfdocs.load(folder)
    manifest = batch(changed, out)
    assert manifest.report.made == len([job for job in plan(changed) if job.document == "plaque"])


def test_a_broken_template_fails_alone(tmp_path: Path) -> None:
    folder = tmp_path / "round"
    shutil.copytree(DEMO, folder)
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates/plaque.svg").write_text(
        "<svg xmlns='http://www.w3.org/2000/svg'>{{ oops </svg>", encoding="utf-8"
    )
    manifest = batch(gfdocs.load(folder), tmp_path / "out")
    assert {failure.job.document for failure in manifest.failed} == {"plaque"}
    assert len(manifest.files) == len(manifest.jobs) - len(manifest.failed)
    assert all(issue.also for issue in manifest.issues if issue.code == "GF512")  # the place in the template
    assert verify(tmp_path / "out") == ()
