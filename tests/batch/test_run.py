"""A batch on disk: whole packages, kept where nothing changed, nothing of anybody else's lost."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

import gfdocs.batch as room
from gfdocs.batch import batch, read_manifest, verify
from gfdocs.errors import OutputError, OutputExists, TemplateError
from tests.batch.disk import find_broken, hash_tree, read_tree
from tests.batch.fakes import FakeProject

LIST = "01 张家港市/附件1 名单.xlsx"
PLAQUE = "01 张家港市/标牌/标牌 示例000有限公司.svg"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_every_document_comes_out_whole(out: Path) -> None:
    manifest = batch(FakeProject(), out)
    files = read_tree(out, hidden=True)
    assert set(files) == {record.path for record in manifest.files} | {"manifest.json", "index.html"}
    assert find_broken(files) == []
    assert manifest.ok
    assert verify(out) == ()
    assert repr(manifest) == f"<Manifest '{out}': 44 files in 5 packages, 0 failed, 0 errors>"


def test_the_package_is_the_function() -> None:
    import gfdocs

    assert room(FakeProject(), "unused", dry_run=True).report.planned == 44
    assert gfdocs.batch(FakeProject(), "unused", dry_run=True).report.planned == 44


def test_a_second_run_makes_nothing_and_touches_nothing(out: Path) -> None:
    batch(FakeProject(), out)
    before = {path: os.stat(out / path).st_ino for path in read_tree(out) if "/" in path}
    report = batch(FakeProject(), out).report
    assert (report.made, report.kept) == (0, 44)
    assert {path: os.stat(out / path).st_ino for path in before} == before


def test_only_what_is_missing_is_made_again(out: Path, tmp_path: Path) -> None:
    batch(FakeProject(), out)
    whole = hash_tree(out)
    (out / PLAQUE).unlink()
    report = batch(FakeProject(), out).report
    assert (report.made, report.kept) == (1, 43)
    assert hash_tree(out) == whole


def test_only_what_a_change_of_data_concerns_is_made_again(out: Path, tmp_path: Path) -> None:
    batch(FakeProject(), out)
    changed = FakeProject(names={0: "改名有限公司"})
    report = batch(changed, out).report
    assert (report.made, report.kept, report.removed) == (2, 42, 2)
    batch(changed, tmp_path / "fresh")
    assert hash_tree(out) == hash_tree(tmp_path / "fresh")
    assert not (out / PLAQUE).exists()


def test_only_what_a_change_of_template_concerns_is_made_again(out: Path) -> None:
    batch(FakeProject(), out)
    report = batch(FakeProject(templates={"notice": {"padding": 10}}), out).report
    assert (report.made, report.kept) == (1, 43)


def test_another_version_makes_everything_again(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import gfdocs

    batch(FakeProject(), out)
    monkeypatch.setattr(gfdocs, "__version__", "99.0")
    assert batch(FakeProject(), out).report.made == 44


def test_a_district_that_left_takes_its_package_along(out: Path, tmp_path: Path) -> None:
    batch(FakeProject(), out)
    smaller = FakeProject(districts=("张家港市", "常熟市"), unlocated=0)
    batch(smaller, out)
    batch(smaller, tmp_path / "fresh")
    assert hash_tree(out) == hash_tree(tmp_path / "fresh")
    assert not (out / "03 昆山市").exists()


@pytest.mark.parametrize("zipped", [False, True])
def test_parts_made_one_after_the_other_are_the_whole(out: Path, tmp_path: Path, zipped: bool) -> None:
    project = FakeProject()
    batch(project, tmp_path / "whole", zip=zipped)
    batch(project, out, districts="昆山市", zip=zipped)
    assert {record.district for record in read_manifest(out).files} == {"昆山市"}
    batch(project, out, only=["notice", "list"], zip=zipped)
    report = batch(project, out, only=["annual-table", "annual-summary", "plaque"], zip=zipped).report
    assert report.planned == len([j for j in room.plan(project) if j.document not in ("notice", "list")])
    assert hash_tree(out) == hash_tree(tmp_path / "whole")
    assert verify(out) == ()


def test_a_part_leaves_the_rest_alone(out: Path) -> None:
    batch(FakeProject(), out)
    before = hash_tree(out)
    manifest = batch(FakeProject(templates={"plaque": {"padding": 1}}), out, only="plaque", districts="昆山市")
    after = hash_tree(out)
    assert manifest.report.made == 5
    assert len(manifest.files) == 44
    assert {p for p in before if "/" in p and before[p] != after[p]} == set()  # the padding does not show in a drawing
    assert verify(out) == ()


# -- what is not ours --


def test_a_file_somebody_changed_is_not_replaced_without_a_word(out: Path) -> None:
    batch(FakeProject(), out)
    (out / LIST).write_bytes("我的修改".encode())
    (out / PLAQUE).write_bytes(b"mine")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), out)
    assert [(issue.code, issue.place.file) for issue in caught.value.issues] == [
        ("GF503", f"{out}/{PLAQUE}"), ("GF503", f"{out}/{LIST}"),
    ]  # fmt: skip
    assert (out / LIST).read_bytes() == "我的修改".encode()
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_a_changed_file_of_a_company_that_left_is_not_removed_without_a_word(out: Path) -> None:
    batch(FakeProject(), out)
    (out / PLAQUE).write_bytes(b"mine")
    with pytest.raises(OutputExists):
        batch(FakeProject(names={0: "改名有限公司"}), out)
    assert (out / PLAQUE).read_bytes() == b"mine"


def test_what_was_put_beside_our_files_stays(out: Path) -> None:
    batch(FakeProject(), out)
    (out / "01 张家港市/回执.txt").write_text("收到", encoding="utf-8")
    (out / "01 张家港市/照片").mkdir()
    (out / "01 张家港市/照片/大门.jpg").write_bytes(b"jpg")
    (out / "说明.txt").write_text("说明", encoding="utf-8")
    (out / "03 昆山市/留言.txt").write_text("留言", encoding="utf-8")
    batch(FakeProject(energy=7, names={0: "改名有限公司"}, districts=("张家港市", "常熟市"), unlocated=0), out)
    assert (out / "01 张家港市/回执.txt").read_text(encoding="utf-8") == "收到"
    assert (out / "01 张家港市/照片/大门.jpg").read_bytes() == b"jpg"
    assert (out / "说明.txt").exists()
    assert [path for path in read_tree(out) if path.startswith("03")] == ["03 昆山市/留言.txt"]
    assert {issue.code for issue in verify(out)} == {"GF533"}


def test_a_folder_that_is_not_ours_is_not_taken_over(out: Path) -> None:
    (out / "01 张家港市").mkdir(parents=True)
    (out / LIST).write_bytes(b"theirs")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), out)
    assert [issue.code for issue in caught.value.issues] == ["GF504"]
    assert read_tree(out, hidden=True) == {LIST: b"theirs"}
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_a_name_in_another_case_is_in_the_way_too(out: Path) -> None:
    (out / "01 张家港市").mkdir(parents=True)
    (out / "01 张家港市/附件1 名单.XLSX").write_bytes(b"theirs")
    with pytest.raises(OutputExists):
        batch(FakeProject(), out)


def test_a_damaged_manifest_stops_the_run_unless_told_to_replace(out: Path) -> None:
    batch(FakeProject(), out)
    (out / "manifest.json").write_bytes(b'{"format":1,')
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), out)
    assert caught.value.issues[0].code == "GF530"
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_output_that_is_a_file_is_refused(out: Path) -> None:
    out.write_bytes(b"x")
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), out)
    assert caught.value.issues[0].code == "GF505"


# -- links --


def test_links_are_replaced_never_followed(out: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "附件1 名单.xlsx").write_bytes(b"precious")
    out.mkdir()
    (out / "01 张家港市").symlink_to(victim)
    (out / "manifest.json").symlink_to(victim / "附件1 名单.xlsx")
    (out / ".gfdocs").symlink_to(victim)
    with pytest.raises(OutputExists):
        batch(FakeProject(), out)
    batch(FakeProject(), out, replace=True)
    assert read_tree(victim) == {"附件1 名单.xlsx": b"precious"}
    assert not (out / "01 张家港市").is_symlink()
    assert not (out / "manifest.json").is_symlink()
    assert verify(out) == ()


def test_a_link_put_into_a_package_is_not_followed(out: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim.svg"
    victim.write_bytes(b"precious")
    batch(FakeProject(), out)
    (out / PLAQUE).unlink()
    (out / PLAQUE).symlink_to(victim)
    assert [issue.code for issue in verify(out)] == ["GF532"]
    with pytest.raises(OutputExists):
        batch(FakeProject(), out)
    batch(FakeProject(), out, replace=True)
    assert victim.read_bytes() == b"precious"
    assert not (out / PLAQUE).is_symlink()


def test_a_link_instead_of_a_group_folder_is_in_the_way(out: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    (out / "01 张家港市").mkdir(parents=True)
    (out / "01 张家港市/标牌").symlink_to(victim)
    with pytest.raises(OutputExists):
        batch(FakeProject(), out)
    batch(FakeProject(), out, replace=True)
    assert list(victim.iterdir()) == []
    assert verify(out) == ()


# -- faults --


def test_one_bad_company_does_not_keep_the_others(out: Path) -> None:
    project = FakeProject(
        templates={"annual-summary": {"fail": "示例007有限公司"}, "plaque": {"crash": "示例011有限公司"}}
    )
    manifest = batch(project, out)
    assert len(manifest.files) == 42
    assert [(failure.job.company, failure.issues[0].code) for failure in manifest.failed] == [
        ("示例007有限公司", "GF204"), ("示例011有限公司", "GF513"),
    ]  # fmt: skip
    wrapped = [issue for issue in manifest.issues if issue.code == "GF512"]
    assert wrapped[0].place.file == "02 常熟市/年度总结/年度总结 示例007有限公司.docx"
    assert str(wrapped[0].also[0]) == "annual-summary › table 2 › row 3"
    assert "GF204" in wrapped[0].fact
    assert "示例007有限公司" in wrapped[0].to_text("zh")
    assert not manifest.ok
    assert verify(out) == ()
    assert b"GF204" in (out / "manifest.json").read_bytes()
    assert "示例007有限公司" in (out / "index.html").read_text(encoding="utf-8")


def test_strict_writes_nothing_where_one_fails(out: Path) -> None:
    batch(FakeProject(), out)
    before = hash_tree(out)
    broken = FakeProject(energy=3, templates={"annual-summary": {"fail": "示例007有限公司", "padding": 5}})
    with pytest.raises(TemplateError) as caught:
        batch(broken, out, strict=True)
    assert "GF512" in {issue.code for issue in caught.value.issues}
    assert hash_tree(out) == before
    assert not (out / ".gfdocs").exists()


def test_nothing_is_given_up_where_nothing_could_be_made(out: Path) -> None:
    documents = FakeProject().documents[:1]
    batch(FakeProject(documents=documents), out)
    before = hash_tree(out)

    class Broken(FakeProject):
        def template(self, document: str, kind: str):  # type: ignore[no-untyped-def]
            from gfdocs.errors import Issue, Place

            raise TemplateError(Issue("GF201", "error", Place("notice.docx"), "a tag does not parse"))

    manifest = batch(Broken(documents=documents), out)
    assert len(manifest.failed) == 1
    assert hash_tree(out) == before
    assert not (out / ".gfdocs").exists()


def test_a_package_loses_a_document_that_can_no_longer_be_made(out: Path) -> None:
    batch(FakeProject(), out)
    broken = FakeProject(templates={"plaque": {"fail": "示例000有限公司", "padding": 9}})
    manifest = batch(broken, out)
    assert not (out / PLAQUE).exists()  # a stale figure would be worse than a gap that the report names
    assert len(manifest.files) == 43
    assert verify(out) == ()


def test_the_manifest_travels_with_the_names_of_issues_that_were_there(out: Path) -> None:
    from gfdocs.errors import Issue, Place

    issue = Issue("GF120", "warning", Place("companies.yaml", 3), "no district")
    assert batch(FakeProject(issues=(issue,)), out).issues == (issue,)


# -- zips --


def test_one_zip_for_each_district(out: Path) -> None:
    import zipfile

    manifest = batch(FakeProject(), out, zip=True)
    assert {package.path for package in manifest.packages} == {p for p in os.listdir(out) if p.endswith(".zip")}
    with zipfile.ZipFile(out / "01 张家港市.zip") as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {r.path for r in manifest.files if r.package == "01 张家港市"}
        assert all(info.date_time == (1980, 1, 1, 0, 0, 0) for info in archive.infolist())
        assert all(info.flag_bits & 0x800 for info in archive.infolist())  # names are UTF-8 and say so
    assert verify(out) == ()


def test_the_date_that_was_given_is_the_date_in_the_zip(out: Path) -> None:
    import datetime as dt
    import zipfile

    batch(FakeProject(), out, zip=True, date=dt.date(2023, 2, 10))
    with zipfile.ZipFile(out / "01 张家港市.zip") as archive:
        assert {info.date_time for info in archive.infolist()} == {(2023, 2, 10, 0, 0, 0)}


def test_zips_are_kept_where_nothing_changed(out: Path) -> None:
    batch(FakeProject(), out, zip=True)
    before = {name: os.stat(out / name).st_ino for name in os.listdir(out) if name.endswith(".zip")}
    report = batch(FakeProject(names={0: "改名有限公司"}), out, zip=True).report
    assert report.made == 13  # the package of that company, as a whole
    after = {name: os.stat(out / name).st_ino for name in before}
    assert {name for name in before if before[name] != after[name]} == {"01 张家港市.zip"}


def test_a_zip_somebody_changed_is_not_replaced_without_a_word(out: Path) -> None:
    batch(FakeProject(), out, zip=True)
    (out / "02 常熟市.zip").write_bytes(b"mine")
    with pytest.raises(OutputExists):
        batch(FakeProject(), out, zip=True)
    assert (out / "02 常熟市.zip").read_bytes() == b"mine"
    batch(FakeProject(), out, zip=True, replace=True)
    assert verify(out) == ()


def test_folders_and_zips_take_each_others_place(out: Path, tmp_path: Path) -> None:
    batch(FakeProject(), out)
    (out / "01 张家港市/回执.txt").write_text("收到", encoding="utf-8")
    batch(FakeProject(), out, zip=True)
    assert [path for path in read_tree(out) if "/" in path] == ["01 张家港市/回执.txt"]
    batch(FakeProject(), out)
    batch(FakeProject(), tmp_path / "fresh")
    assert hash_tree(out) == {
        **hash_tree(tmp_path / "fresh"),
        "01 张家港市/回执.txt": hash_tree(out)["01 张家港市/回执.txt"],
    }


def test_a_part_in_the_other_form_is_refused(out: Path) -> None:
    batch(FakeProject(), out)
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), out, districts="昆山市", zip=True)
    assert caught.value.issues[0].code == "GF506"


# -- the report --


def test_progress_tells_every_document_once(out: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    batch(FakeProject(), out, progress=lambda done, total, job: seen.append((done, total, job.path)))
    assert [done for done, _, _ in seen] == list(range(1, 45))
    assert {total for _, total, _ in seen} == {44}
    assert len({path for _, _, path in seen}) == 44
    again: list[int] = []
    batch(FakeProject(), out, progress=lambda done, total, job: again.append(done))
    assert again == list(range(1, 45))


def test_the_report_names_the_slowest(out: Path) -> None:
    project = FakeProject(templates={"notice": {"slow": 0.02}})
    report = batch(project, out, clock=time.perf_counter).report
    assert report.slowest[0].path.startswith("00 全市文件/关于")
    assert report.slowest[0].seconds >= 0.02
    assert report.seconds is not None
    assert report.seconds >= 0.02
    assert len(report.slowest) == 10
    assert report.to_dict()["made"] == 44


def test_without_a_clock_nothing_is_timed(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("time", "perf_counter", "monotonic", "localtime"):
        monkeypatch.setattr(time, name, lambda *a: pytest.fail("the clock was read"))
    report = batch(FakeProject(), out).report
    assert report.seconds is None
    assert report.slowest == ()


def test_template_that_hides_what_it_asks_for_gets_all_names(out: Path) -> None:
    class Hidden(FakeProject):
        def template(self, document: str, kind: str):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            template = super().template(document, kind)
            return (
                _Hidden(**{f: getattr(template, f) for f in template.__dataclass_fields__})
                if document == "plaque"
                else replace(template)
            )

    assert batch(Hidden(), out).ok
    assert "示例000有限公司" in (out / PLAQUE).read_text(encoding="utf-8")


from tests.batch.fakes import FakeTemplate  # noqa: E402


class _Hidden(FakeTemplate):
    """Asks for the company without saying so."""

    def render(self, context):  # type: ignore[no-untyped-def]
        if "round" not in context:
            from gfdocs.errors import Issue, NameMissing, Place

            raise NameMissing(Issue("GF204", "error", Place("x"), "no name round"))
        return super().render(context)


# -- what stands where the page and the manifest go --


def test_a_page_that_is_not_ours_is_not_replaced_without_a_word(out: Path) -> None:
    out.mkdir()
    (out / "index.html").write_text("my site")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), out)
    assert [issue.code for issue in caught.value.issues] == ["GF504"]
    assert os.listdir(out) == ["index.html"]
    assert (out / "index.html").read_text() == "my site"
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_a_page_that_somebody_edited_stops_the_run(out: Path) -> None:
    batch(FakeProject(), out)
    with (out / "index.html").open("a") as file:
        file.write("<p>my notes</p>")
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(energy=3), out)
    assert [issue.code for issue in caught.value.issues] == ["GF503"]
    assert "my notes" in (out / "index.html").read_text(encoding="utf-8")
    (out / "index.html").unlink()
    batch(FakeProject(energy=3), out)
    assert verify(out) == ()


@pytest.mark.parametrize("name", ["index.html", "manifest.json"])
def test_a_folder_of_that_name_is_told_before_anything_is_moved(out: Path, name: str) -> None:
    (out / name).mkdir(parents=True)
    with pytest.raises(OutputExists) as caught:
        batch(FakeProject(), out)
    assert [(issue.code, Path(issue.place.file).name) for issue in caught.value.issues] == [("GF504", name)]
    assert os.listdir(out) == [name]
    batch(FakeProject(), out, replace=True)
    assert verify(out) == ()


def test_folders_nested_out_of_all_bounds_are_told(out: Path) -> None:
    batch(FakeProject(), out)
    deep = out / "01 张家港市"
    for _ in range(300):
        deep /= "d"
    deep.mkdir(parents=True)
    (deep / "x").write_bytes(b"theirs")
    before = hash_tree(out)
    for call in (lambda: verify(out), lambda: batch(FakeProject(energy=4), out)):
        with pytest.raises(OutputError) as caught:
            call()
        assert caught.value.issues[0].code == "GF501"
    assert hash_tree(out) == before


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_is_no_path_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError) as caught:
        batch(FakeProject(), tmp_path / name)
    assert caught.value.issues[0].code == "GF501"
