"""The plan: what a clerk finds where, before anything is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfdocs.batch import batch, plan
from gfdocs.batch.jobs import make_plan
from gfdocs.errors import NotFound
from tests.batch.fakes import FakeProject, FakeSpec


def test_each_district_has_a_folder_in_official_order() -> None:
    jobs = plan(FakeProject())
    packages = list(dict.fromkeys(job.package for job in jobs))
    assert packages == ["00 全市文件", "01 张家港市", "02 常熟市", "03 昆山市", "所在地待核实"]
    assert [job.number for job in jobs] == list(range(1, len(jobs) + 1))


def test_papers_of_companies_stand_together_in_the_district() -> None:
    paths = [job.path for job in plan(FakeProject(each=1, unlocated=1))]
    assert "01 张家港市/年度总结/年度总结 示例000有限公司.docx" in paths
    assert "01 张家港市/标牌/标牌 示例000有限公司.svg" in paths
    assert "所在地待核实/标牌/标牌 示例003有限公司.svg" in paths
    assert "00 全市文件/附件1 名单.xlsx" in paths
    assert "02 常熟市/附件1 名单.docx" in paths


def test_a_hundred_districts_still_sort_in_order() -> None:
    project = FakeProject(districts=tuple(f"示例{i}区" for i in range(120)), each=0, unlocated=0)
    packages = list(dict.fromkeys(job.package for job in plan(project)))
    assert packages == sorted(packages)
    assert packages[1] == "001 示例0区"


def test_planning_is_pure_and_quick_to_repeat() -> None:
    project = FakeProject()
    assert plan(project) == plan(project)


def test_choices_leave_the_names_as_they_are() -> None:
    project = FakeProject(names={0: "同名公司", 1: "同名公司"})
    whole = {(job.document, job.target, job.kind): job.path for job in plan(project)}
    part = plan(project, only="plaque", districts=["张家港市"], companies=project.companies[0].credit_code)
    assert [job.path for job in part] == [whole[("plaque", 0, "svg")], whole[("plaque", 1, "svg")]][: len(part)]
    assert part
    assert "_" in part[0].path  # it has its ending although the other one was not chosen


def test_choices_by_document_district_and_kind() -> None:
    project = FakeProject()
    assert {job.document for job in plan(project, only=["notice", "list"])} == {"notice", "list"}
    assert {job.district for job in plan(project, districts="昆山市")} == {"昆山市"}
    assert {job.kind for job in plan(project, kinds="xlsx")} == {"xlsx"}


def test_a_choice_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        plan(FakeProject(), only=["notce"], districts=["昆山"], companies="没有的公司")
    assert [issue.code for issue in caught.value.issues] == ["GF500"] * 3
    assert "notice" in caught.value.issues[0].hint


def test_equal_names_are_reported() -> None:
    made = make_plan(FakeProject(names={0: "同名公司", 1: "同名公司"}))
    assert {issue.code for issue in made.issues} == {"GF510"}
    assert len({job.path for job in made.jobs}) == len(made.jobs)


def test_companies_called_like_paths_stay_in_their_folder() -> None:
    project = FakeProject(names={0: "../../../etc", 1: "/root", 2: "C:\\Windows", 3: "..", 4: "CON"})
    for job in plan(project):
        assert ".." not in job.path.split("/")
        assert len(job.path.split("/")) <= 3
        assert job.path.split("/")[0] == job.package


def test_no_path_is_longer_than_windows_takes() -> None:
    project = FakeProject(names={0: "a" * 400, 1: "某" * 200}, districts=("b" * 200,), each=2)
    assert all(len(job.path) <= 180 for job in plan(project))


def test_a_district_with_a_strange_name_gets_a_safe_folder() -> None:
    packages = {job.package for job in plan(FakeProject(districts=("甲/乙区", "CON", "..")))}
    assert {"01 甲_乙区", "02 _CON", "03 未命名"} <= packages


def test_a_company_document_without_words_in_its_name_goes_by_its_title() -> None:
    spec = FakeSpec("own", "自有文件", "{{ company.name }}", "company")
    jobs = plan(FakeProject(documents=(spec,)))
    assert jobs[0].path == "01 张家港市/自有文件/示例000有限公司.docx" or jobs[0].path.startswith(
        "01 张家港市/自有文件/"
    )


def test_a_dry_run_writes_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]
    manifest = batch(FakeProject(), tmp_path / "out", dry_run=True)
    assert not (tmp_path / "out").exists()
    assert len(manifest.jobs) == manifest.report.planned == len(plan(FakeProject()))
    assert next(package.name for package in manifest.packages) == "00 全市文件"
    assert repr(manifest) == f"<Manifest 'dry run': {len(manifest.jobs)} files in 5 packages, 0 failed, 0 errors>"


@pytest.mark.parametrize("folder", ["examples/demo-district", Path("examples/demo-district")])
def test_a_folder_given_for_a_project_is_answered_with_the_word_to_write(folder: object) -> None:
    with pytest.raises(TypeError, match=r"gfdocs\.load\('examples/demo-district'\)"):
        plan(folder)  # type: ignore[arg-type]
