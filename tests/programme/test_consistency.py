"""Before anything is written, figures, attachments and dates must agree; each fault names both places."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gfdocs
from gfdocs.errors import DataError, Issue
from gfdocs.programme.project import check_project
from tests.folders import EXAMPLES, copy_example

ATTACHMENTS = "attachments: [province-notice, list, annual-table, cultivation-table, enrolment-table]"


def find(issues: tuple[Issue, ...], code: str) -> Issue:
    found = [issue for issue in issues if issue.code == code]
    assert len(found) == 1, [str(issue) for issue in issues]
    return found[0]


@pytest.mark.parametrize(
    ("old", "new", "code", "place", "also"),
    [
        ("expected: 6", "expected: 7", "GF411", "gfdocs.yaml:13:13", "附件2"),
        ("count: 301", "count: 3", "GF412", "gfdocs.yaml:28:10", "附件2"),
        (ATTACHMENTS, ATTACHMENTS.replace("list", "lists"), "GF430", "gfdocs.yaml:30:", ""),
        (ATTACHMENTS, f"documents: [notice, list]\n{ATTACHMENTS}", "GF431", "gfdocs.yaml:31:", "gfdocs.yaml:30:"),
        ("annual-table, date: 2023-02-24", "annual-table, date: 2023-02-10", "GF440", "gfdocs.yaml:33:", "gfdocs.yaml:12:"),
        ("annual-table, date:", "anual-table, date:", "GF441", "gfdocs.yaml:33:", ""),
        ("date: 2023-01-20", "date: 2023-02-20", "GF442", "gfdocs.yaml:27:", "gfdocs.yaml:12:"),
        (ATTACHMENTS, f"documents: [notise]\n{ATTACHMENTS}", "GF420", "gfdocs.yaml:30:", ""),
    ],
)  # fmt: skip
def test_a_contradiction_is_an_issue_with_both_places(
    tmp_path: Path, old: str, new: str, code: str, place: str, also: str
) -> None:
    folder = copy_example("demo-district", tmp_path, (old, new))

    issues = check_project(folder).issues

    issue = next(issue for issue in issues if issue.code == code)
    assert issue.severity == "error"
    assert str(issue.place).startswith(place)
    assert any(also in str(other) for other in issue.also) or not also
    with pytest.raises(DataError) as raised:
        gfdocs.load(folder)
    assert code in [issue.code for issue in raised.value.issues]


def test_all_contradictions_come_in_one_run(tmp_path: Path) -> None:
    folder = copy_example(
        "demo-district", tmp_path, ("expected: 6", "expected: 7"), ("annual-table, date: 2023-02-24", "annual-table, date: 2023-01-01"),
        ("date: 2023-01-20", "date: 2023-03-20"), (ATTACHMENTS, ATTACHMENTS.replace("list", "lists")),
    )  # fmt: skip

    with pytest.raises(DataError) as raised:
        gfdocs.load(folder)

    assert {"GF411", "GF440", "GF442", "GF430"} <= {issue.code for issue in raised.value.issues}


def test_a_round_without_companies_says_so(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path, ("year: 2022", "year: 2030"), ("expected: 6\n", ""))
    text = (folder / "companies.yaml").read_text(encoding="utf-8")
    (folder / "companies.yaml").write_text(text.replace("  district: 示范区\n", "  district: 示范区\n  year: 2021\n").replace("  district: 样板市\n", "  district: 样板市\n  year: 2021\n").replace("  year: 2020\n", "", 1).replace("  year: 2021\n  district: 样板市\n", "  district: 样板市\n").replace("  year: 2019\n", ""), encoding="utf-8")  # fmt: skip

    assert find(check_project(folder).issues, "GF413").severity == "warning"


def test_a_unit_without_a_district_is_an_issue_and_stands_in_the_list() -> None:
    project = gfdocs.load(EXAMPLES / "suzhou-2023")

    unplaced = [issue for issue in project.issues if issue.code == "GF145"]
    groups = project.context("list")["groups"]

    assert len(unplaced) == 19
    assert groups[-1]["name"] == "所在地待核实"
    assert groups[-1]["count"] == len(unplaced)


def test_counts_agree_everywhere() -> None:
    for name in ("suzhou-2023", "demo-district"):
        project = gfdocs.load(EXAMPLES / name)
        context = project.context("list")

        rows = sum(len(group["companies"]) for group in context["groups"])

        assert context["counts"]["listed"] == rows == len(project.targets("plaque"))
        assert [c["index"] for g in context["groups"] for c in g["companies"]] == list(range(1, rows + 1))


def test_a_deadline_for_what_is_not_made_is_told(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path, (ATTACHMENTS, "documents: [notice, list]"))

    late = [issue for issue in check_project(folder).issues if issue.code == "GF443"]

    assert [str(issue.place) for issue in late] == ["gfdocs.yaml:33:16", "gfdocs.yaml:34:16", "gfdocs.yaml:35:16"]
    assert all(str(issue.also[0]).startswith("gfdocs.yaml:30:") for issue in late)


def test_what_a_document_needs_and_the_data_lacks_is_told(tmp_path: Path) -> None:
    folder = copy_example("own-template", tmp_path)
    catalogue = folder / "templates" / "catalogue.yaml"
    catalogue.write_text(
        catalogue.read_text(encoding="utf-8").replace(
            "    for: company\n", "    for: company\n    needs: [deadlines]\n"
        ),
        encoding="utf-8",
    )
    settings = folder / "gfdocs.yaml"
    settings.write_text(re.sub(r"deadlines:.*\n", "", settings.read_text(encoding="utf-8")), encoding="utf-8")

    assert "memo" in find(check_project(folder).issues, "GF421").fact


def test_a_unit_that_is_in_no_document_is_told() -> None:
    project = gfdocs.load(EXAMPLES / "suzhou-2023")

    unused = [issue for issue in project.issues if issue.code == "GF452"]

    assert len(unused) == 3
    assert all(issue.severity == "note" for issue in unused)


def test_every_contradiction_has_a_remedy_in_both_languages(tmp_path: Path) -> None:
    folder = copy_example(
        "demo-district", tmp_path, ("expected: 6", "expected: 7"), ("annual-table, date: 2023-02-24", "annual-table, date: 2023-01-01"),
        ("date: 2023-01-20", "date: 2023-03-20"), ("count: 301", "count: 3"),
    )  # fmt: skip

    for issue in check_project(folder).issues:
        assert issue.hint, issue
        assert issue.hint.zh != issue.hint  # type: ignore[attr-defined]


def test_a_round_without_districts_is_told(tmp_path: Path) -> None:
    folder = copy_example("own-template", tmp_path, ("districts:\n  - {name: 示范区}", "districts: []"))

    assert find(check_project(folder).issues, "GF415").severity == "warning"
