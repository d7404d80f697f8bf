"""A project answers to names, codes and credit codes, makes what applies, and says what it does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

import gfdocs
from gfdocs.errors import DataError, NotFound
from gfdocs.programme.context import attachment_labels
from tests.folders import EXAMPLES, copy_example


@pytest.fixture(scope="module")
def suzhou() -> gfdocs.Project:
    return gfdocs.load(EXAMPLES / "suzhou-2023")


@pytest.fixture(scope="module")
def demo() -> gfdocs.Project:
    return gfdocs.load(EXAMPLES / "demo-district")


def test_the_salutation_names_three_kinds_of_bodies(suzhou: gfdocs.Project) -> None:
    assert suzhou.context("notice")["addressees"] == ["各县级市（区）工信局", "姑苏区经科局", "工业园区、高新区经发委"]


@pytest.mark.parametrize(
    ("district", "addressee"),
    [
        ("昆山市", "昆山市工信局"),
        ("姑苏区", "姑苏区经科局"),
        ("工业园区", "工业园区经发委"),
        ("320505", "高新区经发委"),
    ],
)
def test_a_district_answers_to_name_short_name_and_code(suzhou: gfdocs.Project, district: str, addressee: str) -> None:
    assert suzhou.context("cover", district=district)["district"]["addressee"] == addressee


@pytest.mark.parametrize("name", ["91320599MA0EX0018Q", "示例电子有限公司"])
def test_a_company_answers_to_credit_code_and_name(demo: gfdocs.Project, name: str) -> None:
    assert demo.context("plaque", company=name)["company"]["name"] == "示例电子有限公司"


def test_a_former_name_finds_the_renamed_company(demo: gfdocs.Project) -> None:
    company = demo.context("plaque", company="示例样板印染厂")["company"]

    assert company["display_name"] == "示例纺织印染集团样板智能化绿色生产基地有限公司（原示例样板印染厂）"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ({"document": "plaqe"}, "GF460", 'did you mean "plaque"'),
        ({"document": "cover", "district": "示范"}, "GF461", "示范区"),
        ({"document": "plaque", "company": "示例电子公司"}, "GF462", "示例电子有限公司"),
        ({"document": "plaque"}, "GF465", "made for each company"),
        ({"document": "notice", "district": "示范区"}, "GF465", "made for the round as a whole"),
        ({"document": "plaque", "district": "示范区"}, "GF465", "not for a district"),
        ({"document": "plaque", "company": "示例食品有限公司", "district": "示范区"}, "GF465", "but in 样板市"),
        ({"document": "plaque", "company": "示例包装制品有限公司"}, "GF468", "培育"),
        ({"document": "notice", "kind": "xlsx"}, "GF464", "comes as docx"),
    ],
)
def test_an_unknown_name_says_what_there_is(
    demo: gfdocs.Project, arguments: dict[str, str], code: str, words: str
) -> None:
    with pytest.raises(NotFound) as raised:
        demo.render(**arguments)  # type: ignore[arg-type]

    assert raised.value.issues[0].code == code
    assert words in str(raised.value)


def test_attachment_numbers_follow_the_annex_list(tmp_path: Path) -> None:
    folder = copy_example(
        "demo-district", tmp_path,
        ("[province-notice, list, annual-table, cultivation-table, enrolment-table]", "[list, annual-table]"),
    )  # fmt: skip

    project = gfdocs.load(folder)

    assert attachment_labels(project.settings) == {"list": "附件1", "annual-table": "附件2"}
    assert project.file_name("annual-table", "xlsx", project.targets("annual-table")[0]).startswith("附件2 ")


def test_one_attachment_alone_has_no_number(tmp_path: Path) -> None:
    folder = copy_example(
        "demo-district",
        tmp_path,
        ("[province-notice, list, annual-table, cultivation-table, enrolment-table]", "[list]"),
    )

    assert attachment_labels(gfdocs.load(folder).settings) == {"list": "附件"}


def test_a_district_without_listed_units_gets_no_empty_list(suzhou: gfdocs.Project) -> None:
    assert suzhou.context_of_round.districts["姑苏区"]["listed"] == []
    assert "姑苏区" not in [target.district for target in suzhou.targets("list")]
    assert "list" not in [row["id"] for row in suzhou.context("cover", district="姑苏区")["package"]]


def test_real_companies_get_no_figures(suzhou: gfdocs.Project) -> None:
    for company in suzhou.dataset.companies:
        assert company.indicators == ()
        assert company.summary is None
        assert company.plan is None


def test_a_catalogue_with_faults_names_them_all(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path)
    (folder / "templates").mkdir()
    (folder / "templates" / "catalogue.yaml").write_text(
        "documents:\n"
        "  - {id: memo, title: 备忘, templates: {docx: ../../etc/passwd}, for: round}\n"
        "  - {id: note, title: 便函, templates: {odt: x.odt}, for: planet, colour: red}\n",
        encoding="utf-8",
    )

    with pytest.raises(DataError) as raised:
        gfdocs.load(folder)

    text = str(raised.value)
    assert {issue.code for issue in raised.value.issues} == {"GF401"}
    for words in ("plain file name", 'unknown kind of template "odt"', "expected one of round, district, company", 'unknown key "colour"'):  # fmt: skip
        assert words in text


def test_a_removed_unit_is_in_no_list_and_gets_no_plaque(tmp_path: Path) -> None:
    folder = copy_example(
        "demo-district",
        tmp_path,
        ("name: 示例食品有限公司\n", "name: 示例食品有限公司\n  status: 移出\n"),
        file="companies.yaml",
    )
    (folder / "gfdocs.yaml").write_text(
        (folder / "gfdocs.yaml").read_text(encoding="utf-8").replace("expected: 6", "expected: 5"), encoding="utf-8"
    )

    project = gfdocs.load(folder)

    context = project.context_of_round
    assert "示例食品有限公司" not in [c["name"] for c in (*context.listed, *context.units)]
    assert "示例食品有限公司" not in [t.company["name"] for t in project.targets("plaque") if t.company]
    with pytest.raises(NotFound) as raised:
        project.render("plaque", company="示例食品有限公司")
    assert "移出" in raised.value.issues[0].fact.zh  # type: ignore[attr-defined]


def test_faults_of_the_data_do_not_hide_those_of_the_catalogue(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path, ("count: 301", "count: many"))
    (folder / "templates").mkdir()
    (folder / "templates" / "catalogue.yaml").write_text("documents: [{id: memo}]\n", encoding="utf-8")

    with pytest.raises(DataError) as raised:
        gfdocs.load(folder)

    assert {issue.code for issue in raised.value.issues} == {"GF133", "GF401"}


def test_messages_about_scope_are_chinese_throughout(demo: gfdocs.Project) -> None:
    with pytest.raises(NotFound) as raised:
        demo.render("list", company="示例食品有限公司")

    assert "“list”按全市、县级市（区）制作，不按单位制作" in raised.value.issues[0].to_text("zh")


def test_the_cover_lists_all_that_is_in_the_package(demo: gfdocs.Project) -> None:
    rows = demo.context("cover", district="示范区")["package"]

    made = [job for job in gfdocs.plan(demo) if job.district == "示范区" and job.document != "cover"]
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["id"] for row in rows} == {job.document for job in made}
    for document in ("plaque", "annual-summary"):
        count = sum(job.document == document for job in made)
        (row,) = (row for row in rows if row["id"] == document)
        assert row["file"].endswith(f"，共{count}份")
    assert next(row for row in rows if row["id"] == "list")["file"].endswith(".xlsx、.docx")


def test_records_stay_as_they_were_read_though_templates_see_their_own_values() -> None:
    project = gfdocs.load(EXAMPLES / "demo-district")
    before = [company.model_dump() for company in project.dataset.companies]

    for spec in project.documents:
        for target in project.targets(spec.id):
            project.render_target(spec, target)

    again = gfdocs.load(EXAMPLES / "demo-district")
    assert [company.model_dump() for company in project.dataset.companies] == before
    assert project.dataset.companies == again.dataset.companies
    assert project.digest == again.digest
