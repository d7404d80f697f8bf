"""Districts fill in what we sent; what comes back is merged, each fault has its cell, and the late ones are named."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import subprocess
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import gfdocs
from gfdocs import cli
from gfdocs.collect import Collected, collect
from gfdocs.errors import Issue
from tests.folders import EXAMPLES

FACTORIES = "工厂"


@pytest.fixture(scope="module")
def project() -> gfdocs.Project:
    return gfdocs.load(EXAMPLES / "demo-district")


def find_cell(sheet: Any, text: str) -> Any:
    """The cell that holds exactly this text."""
    return next(cell for row in sheet.iter_rows() for cell in row if cell.value == text)


def column_of(sheet: Any, heading: str) -> int:
    """The column whose heading begins with these words."""
    cells = (cell for row in sheet.iter_rows(max_row=8) for cell in row)
    return next(cell.column for cell in cells if str(cell.value or "").replace("\n", "").startswith(heading))


def send_back(project: gfdocs.Project, folder: Path, district: str, fill: Any, document: str = "annual-table") -> Path:
    """What a district does: opens the form in a spreadsheet, fills cells, saves it under a name of its own."""
    folder.mkdir(exist_ok=True)
    target = folder / f"{district}-{document}-已填.xlsx"
    project.render(document, district=district).save(target)
    book = openpyxl.load_workbook(target)
    fill(book)
    book.save(target)
    return target


def nothing(_book: Any) -> None:
    pass


def company(collected: Collected, name: str) -> Any:
    return next(c for c in collected.dataset.companies if c.name == name)


def test_what_was_not_touched_comes_back_as_it_was(project: gfdocs.Project, tmp_path: Path) -> None:
    for district in ("示范区", "样板市"):
        send_back(project, tmp_path / "returns", district, nothing)

    collected = collect(tmp_path / "returns", project)

    assert [str(issue) for issue in collected.issues] == []
    assert len(collected.dataset.companies) == len(project.dataset.companies)
    assert collected.dataset.companies == project.dataset.companies


def test_filled_cells_replace_the_data(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book[FACTORIES]
        row = find_cell(sheet, "示例电子有限公司").row
        sheet.cell(row, column_of(sheet, "产值")).value = 131000.5
        sheet.cell(row, column_of(sheet, "绿色化工作总结")).value = "更新后的总结 & <节能>"
        sheet.cell(row, column_of(sheet, "联系电话")).value = "0512-7654321"

    send_back(project, tmp_path / "returns", "示范区", fill)

    collected = collect(tmp_path / "returns", project)

    changed = company(collected, "示例电子有限公司")
    assert changed.summary.output_value == Decimal("131000.5")
    assert changed.summary.text == "更新后的总结 & <节能>"
    assert changed.summary.projects == project.dataset.companies[0].summary.projects
    assert changed.contact.phone == "0512-7654321"
    assert project.dataset.companies[0].contact.phone == "0500-10000001"


def test_a_row_that_a_district_added_is_read_and_noted(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book[FACTORIES]
        row = find_cell(sheet, "示例光学有限公司").row + 1
        sheet.cell(row, column_of(sheet, "企业名称")).value = "示例新增有限公司"
        sheet.cell(row, column_of(sheet, "产值")).value = 5000

    send_back(project, tmp_path / "returns", "示范区", fill)

    collected = collect(tmp_path / "returns", project)

    added = company(collected, "示例新增有限公司")
    assert added.district == "示范区"
    assert added.summary.output_value == 5000
    assert [issue.code for issue in collected.issues] == ["GF694"]
    sheet, cell = collected.issues[0].place.path[-1].split("!")
    book = openpyxl.load_workbook(tmp_path / "returns" / collected.issues[0].place.file)
    assert book[sheet][cell].value == "示例新增有限公司"


@pytest.mark.parametrize("value", ["2000万", "约3000", "十二"])
def test_text_in_a_number_cell_is_an_issue_with_its_cell(project: gfdocs.Project, tmp_path: Path, value: str) -> None:
    where = {}

    def fill(book: Any) -> None:
        sheet = book[FACTORIES]
        cell = sheet.cell(find_cell(sheet, "示例电子有限公司").row, column_of(sheet, "产值"))
        cell.value = value
        where["cell"] = cell.coordinate

    send_back(project, tmp_path / "returns", "示范区", fill)

    issues = [issue for issue in collect(tmp_path / "returns", project).issues if issue.severity == "error"]

    assert len(issues) == 1
    assert f"{FACTORIES}!{where['cell']}" in str(issues[0].place)
    assert value in issues[0].fact


def test_who_has_not_sent_is_named_and_late_when_the_day_has_passed(project: gfdocs.Project, tmp_path: Path) -> None:
    send_back(project, tmp_path / "returns", "示范区", nothing)

    early = collect(tmp_path / "returns", project, today=dt.date(2023, 2, 24))
    late = collect(tmp_path / "returns", project, today=dt.date(2023, 2, 25))

    assert not any(row.late for row in early.status)
    assert {(row.district, row.document) for row in late.status if not row.late} == {("示范区", "annual-table")}
    assert {(row.district, row.document) for row in late.status if row.late and row.district == "样板市"} == {
        ("样板市", "annual-table"), ("样板市", "cultivation-table"), ("样板市", "enrolment-table"),
    }  # fmt: skip


def test_forms_of_several_kinds_are_told_apart_whatever_they_are_called(
    project: gfdocs.Project, tmp_path: Path
) -> None:
    for number, document in enumerate(("annual-table", "cultivation-table", "enrolment-table")):
        path = send_back(project, tmp_path / "returns", "示范区", nothing, document)
        path.rename(path.with_name(f"新建 Microsoft Excel 工作表 ({number}).xlsx"))

    collected = collect(tmp_path / "returns", project)

    assert sorted(r.document for r in collected.returns) == ["annual-table", "cultivation-table", "enrolment-table"]
    assert {r.district for r in collected.returns} == {"示范区"}


def test_answers_of_a_candidate_come_back(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book.worksheets[0]
        sheet.cell(find_cell(sheet, "示例智能装备有限公司").row, _last_answer(sheet)).value = "否"

    def _last_answer(sheet: Any) -> int:
        cells = [cell for row in sheet.iter_rows(max_row=8) for cell in row if "失信" in str(cell.value or "")]
        return int(cells[0].column)

    send_back(project, tmp_path / "returns", "示范区", fill, "enrolment-table")

    collected = collect(tmp_path / "returns", project)

    assert company(collected, "示例智能装备有限公司").enrolment.dishonest is False


def test_a_file_that_is_no_form_is_an_issue_and_the_others_are_read(project: gfdocs.Project, tmp_path: Path) -> None:
    send_back(project, tmp_path / "returns", "示范区", nothing)
    (tmp_path / "returns" / "broken.xlsx").write_bytes(b"PK\x03\x04nonsense")
    openpyxl.Workbook().save(tmp_path / "returns" / "other.xlsx")
    (tmp_path / "returns" / "~$lock.xlsx").write_bytes(b"x")

    collected = collect(tmp_path / "returns", project)

    assert len(collected.returns) == 1
    assert {issue.place.file for issue in collected.issues} == {"broken.xlsx", "other.xlsx"}


def test_the_command_writes_the_merged_workbook_and_says_who_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], project: gfdocs.Project
) -> None:
    send_back(project, tmp_path / "returns", "示范区", nothing)

    for name in ("汇总.xlsx", "merged.yaml", "merged.json"):
        assert (
            cli.run(["collect", str(tmp_path / "returns"), str(EXAMPLES / "demo-district"), "-o", str(tmp_path / name)])
            == 0
        )

    assert "样板市" in capsys.readouterr().out
    book = openpyxl.load_workbook(tmp_path / "汇总.xlsx")
    assert book.sheetnames == ["汇总", "报送情况", "问题"]
    texts = {cell.value for row in book["汇总"].iter_rows() for cell in row}
    assert {c.name for c in project.dataset.companies if not c.former_name} <= texts
    assert len(json.loads((tmp_path / "merged.json").read_text(encoding="utf-8"))["companies"]) == len(
        project.dataset.companies
    )
    again = gfdocs.load(_as_project(tmp_path))
    assert again.dataset.companies == collect(tmp_path / "returns", project).dataset.companies


def _as_project(tmp_path: Path) -> Path:
    """The merged YAML put in the place of the project's companies."""
    folder = tmp_path / "again"
    folder.mkdir()
    (folder / "gfdocs.yaml").write_bytes((EXAMPLES / "demo-district" / "gfdocs.yaml").read_bytes())
    (folder / "companies.yaml").write_bytes((tmp_path / "merged.yaml").read_bytes())
    return folder


def test_two_returns_that_differ_are_an_issue_naming_both(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(value: float) -> Any:
        def set_value(book: Any) -> None:
            sheet = book[FACTORIES]
            sheet.cell(find_cell(sheet, "示例电子有限公司").row, column_of(sheet, "产值")).value = value

        return set_value

    first = send_back(project, tmp_path / "returns", "示范区", fill(1))
    first.rename(first.with_name("a.xlsx"))
    second = send_back(project, tmp_path / "returns", "示范区", fill(2))
    second.rename(second.with_name("b.xlsx"))

    issues: list[Issue] = [i for i in collect(tmp_path / "returns", project).issues if i.code == "GF695"]

    assert len(issues) == 1
    assert {issues[0].place.file, issues[0].also[0].file} == {"a.xlsx", "b.xlsx"}
    for place, value in ((issues[0].also[0], 1), (issues[0].place, 2)):
        sheet, cell = place.path[-1].split("!")
        assert openpyxl.load_workbook(tmp_path / "returns" / place.file)[sheet][cell].value == value


def test_no_more_workbooks_are_read_than_one_run_should(
    project: gfdocs.Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        send_back(project, tmp_path / "returns", "示范区", lambda book: None).rename(tmp_path / f"{name}.xlsx")
    for name in "abc":
        (tmp_path / f"{name}.xlsx").rename(tmp_path / "returns" / f"{name}.xlsx")
    monkeypatch.setattr("gfdocs.collect.MAX_FILES", 2)

    collected = collect(tmp_path / "returns", project)

    assert [issue.code for issue in collected.issues] == ["GF696"]
    assert [entry.file for entry in collected.returns] == ["a.xlsx", "b.xlsx"]


def test_projects_and_figures_that_the_form_does_not_show_are_kept(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book[FACTORIES]
        row = find_cell(sheet, "示例电子有限公司").row
        sheet.cell(row, column_of(sheet, "产值")).value = 131000
        sheet.cell(find_cell(sheet, "储能电站一期").row, find_cell(sheet, "储能电站一期").column + 1).value = 1600
        other = find_cell(sheet, "能碳管理平台")
        other.value = "能碳管理中心"
        park = find_cell(book["园区"], "示范绿色产业园").row
        book["园区"].cell(park, column_of(book["园区"], "绿色工厂占比")).value = 77

    send_back(project, tmp_path / "returns", "示范区", fill)
    collected = collect(tmp_path / "returns", project)
    before = {c.name: c for c in project.dataset.companies}

    projects = company(collected, "示例电子有限公司").plan.projects
    assert projects[0].investment == 1600
    assert projects[0].benefit == "削峰填谷，年节约电费约180万元"
    assert projects[1:] == before["示例电子有限公司"].plan.projects[1:]
    renamed = company(collected, "示例精密机械制造（示范）有限公司").plan.projects
    assert [p.name for p in renamed] == ["能碳管理中心", "喷漆线水性化改造"]
    assert renamed[0].benefit == ""
    park, old = company(collected, "示范绿色产业园").indicators, before["示范绿色产业园"].indicators
    assert [i.name for i in park][: len(old)] == [i.name for i in old]
    for new_figure, old_figure in zip(park, old, strict=False):
        current = Decimal(77) if old_figure.name == "绿色工厂占比" else old_figure.current
        assert new_figure == old_figure.model_copy(update={"current": current})


def test_returns_that_fill_different_fields_do_not_contradict_each_other(
    project: gfdocs.Project, tmp_path: Path
) -> None:
    def one(book: Any) -> None:
        sheet = book[FACTORIES]
        sheet.cell(find_cell(sheet, "示例电子有限公司").row, column_of(sheet, "联系电话")).value = None

    def other(book: Any) -> None:
        sheet = book[FACTORIES]
        sheet.cell(find_cell(sheet, "示例电子有限公司").row, column_of(sheet, "联系人")).value = None

    send_back(project, tmp_path / "returns", "示范区", one).rename(tmp_path / "returns" / "示范区-1.xlsx")
    send_back(project, tmp_path / "returns", "示范区", other)

    assert [str(issue) for issue in collect(tmp_path / "returns", project).issues] == []


def test_headings_may_go_by_the_names_that_tables_know_them_by(project: gfdocs.Project, tmp_path: Path) -> None:
    def rename_and_move(book: Any) -> None:
        sheet = book[FACTORIES]
        person, phone = column_of(sheet, "联系人"), column_of(sheet, "联系电话")
        find_cell(sheet, "联系电话").value = "手机"
        find_cell(sheet, "企业名称").value = "单位名称"
        for row in range(4, sheet.max_row + 1):
            first, second = sheet.cell(row, person), sheet.cell(row, phone)
            if "MergedCell" not in {type(first).__name__, type(second).__name__}:
                first.value, second.value = second.value, first.value
        find_cell(sheet, "示例电子有限公司").offset(0, person - 2).value = "0512-66668888"

    send_back(project, tmp_path / "returns", "示范区", rename_and_move)
    collected = collect(tmp_path / "returns", project)

    assert company(collected, "示例电子有限公司").contact.phone == "0512-66668888"
    assert company(collected, "示例电子有限公司").contact.name == "陈一"
    assert not {issue.code for issue in collected.issues} & {"GF618", "GF619"}


def test_a_table_of_another_format_is_told_and_scans_are_listed(project: gfdocs.Project, tmp_path: Path) -> None:
    send_back(project, tmp_path / "returns", "示范区", nothing)
    for name in ("样板市 附件3.xls", "样板市.zip", "盖章扫描件.pdf", "照片.jpg", ".hidden", "~$lock.xls", "Thumbs.db"):
        (tmp_path / "returns" / name).write_bytes(b"x")

    issues = collect(tmp_path / "returns", project).issues

    assert [(i.code, i.severity, str(i.place)) for i in issues if i.code == "GF697"] == [
        ("GF697", "warning", "样板市 附件3.xls"),
        ("GF697", "warning", "样板市.zip"),
    ]
    (note,) = [i for i in issues if i.code == "GF698"]
    assert note.severity == "note" and note.fact.endswith("照片.jpg, 盖章扫描件.pdf")


def test_the_state_of_a_form_with_faults_says_how_many(project: gfdocs.Project, tmp_path: Path) -> None:
    def fill(book: Any) -> None:
        sheet = book["工厂"]
        row = find_cell(sheet, "示例电子有限公司").row
        sheet.cell(row, column_of(sheet, "综合能耗")).value = "约8420"
        sheet.cell(row, column_of(sheet, "产值")).value = "2亿"

    path = send_back(project, tmp_path / "returns", "示范区", fill)
    collected = collect(tmp_path / "returns", project)

    (line,) = [line for line in collected.status_lines("zh") if path.name in line]
    assert line.endswith(f"已交，有 2 处待更正：{path.name}")
    sheet = openpyxl.load_workbook(io.BytesIO(collected.to_bytes("xlsx")))["报送情况"]
    states = [row[3] for row in sheet.iter_rows(min_row=3, values_only=True)]
    assert "已交，有 2 处待更正" in states and not any(path.name in str(state) for state in states)


def test_figures_of_annex_4_are_in_the_merged_table_and_only_candidates_have_a_verdict(
    project: gfdocs.Project, tmp_path: Path
) -> None:
    def fill(book: Any) -> None:
        sheet = book.worksheets[0]
        sheet.cell(find_cell(sheet, "示例智能装备有限公司").row, column_of(sheet, "上年度产值")).value = 4321

    send_back(project, tmp_path / "returns", "示范区", fill, "cultivation-table")
    data = collect(tmp_path / "returns", project).to_bytes("xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(data))["汇总"]
    rows = {row[1]: dict(zip([c.value for c in sheet[2]], row, strict=True)) for row in sheet.iter_rows(min_row=3, values_only=True)}  # fmt: skip
    assert rows["示例智能装备有限公司"]["产值（万元）"] == 4321
    assert rows["示例智能装备有限公司"]["培育级别"] == "省级"
    assert rows["示例电子有限公司"]["培育级别"] is None and rows["示例电子有限公司"]["入库核对"] is None


def test_a_form_given_as_bytes_is_not_called_a_template(project: gfdocs.Project) -> None:
    form = project.render("annual-table", district="示范区").to_bytes()
    read = project.template("annual-table").read(form)
    assert read.entries["district"].place.file == "returned.xlsx"  # type: ignore[attr-defined]
    with pytest.raises(gfdocs.ReadBackError, match=r"returned\.xlsx"):
        project.template("annual-table").read(b"x")


def test_a_file_given_for_the_folder_of_returns_is_told_as_such(project: gfdocs.Project, tmp_path: Path) -> None:
    path = send_back(project, tmp_path / "returns", "示范区", nothing)
    with pytest.raises(gfdocs.ReadBackError, match="this is a file"):
        collect(path, project)


def test_what_stands_in_a_folder_of_returns_and_is_no_file_is_told_and_never_waited_for(
    project: gfdocs.Project, tmp_path: Path
) -> None:
    """A pipe, a socket, a link to a device or to nothing, folders nested without end: each answered at once."""
    folder = tmp_path / "returns"
    send_back(project, folder, next(iter(project.context_of_round.districts)), lambda book: None)
    os.mkfifo(folder / "pipe.xlsx")
    (folder / "zero.xlsx").symlink_to("/dev/zero")
    (folder / "gone.xlsx").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    with (folder / "sparse.xlsx").open("wb") as file:
        file.truncate(20 << 30)
    home = os.getcwd()
    os.chdir(folder)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    os.chdir(home)
    collected = collect(folder, project)
    assert len(collected.returns) == 1
    issues = {issue.code: issue for issue in collected.issues}
    assert set(issues) == {"GF306", "GF698"}
    for name in ("pipe.xlsx", "zero.xlsx", "gone.xlsx", "d/d/d"):
        assert name in issues["GF698"].fact
    subprocess.run(["rm", "-rf", str(folder)], check=True)  # deeper than Python removes


def test_a_binary_workbook_is_not_said_to_have_macros(project: gfdocs.Project, tmp_path: Path) -> None:
    kind = "application/vnd.ms-excel.sheet.binary.macroEnabled.main"
    types = f'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.bin" ContentType="{kind}"/></Types>'
    with zipfile.ZipFile(tmp_path / "附件.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("xl/workbook.bin", b"\x83\x01")
    (issue,) = collect(tmp_path, project).issues
    assert issue.code == "GF304"
    assert ".xlsb" in issue.fact


def test_the_name_of_a_returned_file_cannot_drive_the_terminal_or_forge_a_line(
    project: gfdocs.Project, tmp_path: Path
) -> None:
    (tmp_path / "\x1b[2J\u202eevil\nx.xlsx: error GF692.xls").write_bytes(b"x")
    (issue,) = collect(tmp_path, project).issues
    for language in ("en", "zh"):
        shown = issue.to_text(language)
        assert all(char.isprintable() or char in "\n\u3000" for char in shown)
        assert shown.startswith("\\x1b[2J\\u202eevil\\nx.xlsx: error GF692.xls: ")
