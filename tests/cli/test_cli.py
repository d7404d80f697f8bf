"""The command line as a person meets it: exit codes, where messages go, nothing overwritten, help with an example."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gfdocs import cli
from gfdocs.cli import words
from tests.folders import EXAMPLES, copy_example

words.LANGUAGE = "en"
COMMANDS = ["new", "check", "render", "batch", "verify", "diff", "collect", "lint", "templates", "schema"]


def run(*arguments: object) -> int:
    return cli.run([str(argument) for argument in arguments])


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_and_ends_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "--help") == 0

    lines = capsys.readouterr().out.rstrip().splitlines()
    assert len(lines) <= 40
    assert lines[-1].strip().startswith("gfdocs ")
    assert max(map(len, lines)) <= 100


def test_every_command_of_the_contract_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0

    text = capsys.readouterr().out
    assert all(f"  {command} " in text for command in COMMANDS)


@pytest.mark.parametrize("arguments", [["render"], ["nonsense"], ["check"], ["batch", "x", "--jobs", "0", "-o", "y"], ["render", "plaque", ".", "-o", "x.svg", "--missing", "some"]])  # fmt: skip
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Error" in captured.err or "Usage" in captured.err


def test_no_arguments_show_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() in (0, 2)

    captured = capsys.readouterr()
    assert "gfdocs batch suzhou -o out" in captured.out + captured.err


def test_check_of_a_sound_project_is_0_and_says_what_is_ready(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", EXAMPLES / "demo-district") == 0

    captured = capsys.readouterr()
    assert "6 listed units, 2 districts" in captured.out
    assert captured.err == ""


def test_check_reports_all_issues_on_stderr_and_is_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_example(
        "demo-district", tmp_path, ("expected: 6", "expected: 7\n  colour: red"), ("count: 301", "count: many")
    )

    assert run("check", folder) == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "gfdocs.yaml:14:3" in captured.err
    assert "many" in captured.err


def test_messages_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_example("demo-district", tmp_path, ("expected: 6", "expected: 7"))

    assert run("check", folder, "--format", "json") == 1

    (issue,) = json.loads(capsys.readouterr().err)["issues"]
    assert issue["code"] == "GF411"
    assert issue["line"] == 13


def test_messages_are_chinese_where_the_locale_is(tmp_path: Path) -> None:
    folder = copy_example("demo-district", tmp_path, ("expected: 6", "expected: 7"))

    def check(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "gfdocs.cli", "check", str(folder)], capture_output=True, encoding="utf-8",
            env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "utf-8", **environment},
        )  # fmt: skip
        assert done.returncode == 1
        return done.stderr

    assert "批次应有 7 家" in check(LANG="zh_CN.UTF-8")
    assert "批次应有 7 家" in check(LANG="C", GFDOCS_LANG="zh")
    assert "the round expects 7" in check(LANG="en_US.UTF-8")
    assert "the round expects 7" in check(LANG="zh_CN.UTF-8", GFDOCS_LANG="en")


def test_a_console_that_cannot_show_chinese_does_not_break(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gfdocs.cli", "templates"], capture_output=True, encoding="ascii",
        env={"PATH": os.environ["PATH"], "PYTHONIOENCODING": "ascii", "LANG": "C"},
    )  # fmt: skip

    assert done.returncode == 0
    assert "plaque" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["notice"], "docx"), (["list"], "xlsx"), (["list"], "docx"), (["list", "--district", "示范区"], "xlsx"),
        (["annual-table", "--district", "样板市"], "xlsx"), (["cover", "--district", "320598"], "docx"),
        (["plaque", "--company", "91320599MA0EX0018Q"], "svg"), (["annual-summary", "--company", "示例食品有限公司"], "docx"),
    ],
)  # fmt: skip
def test_render_writes_the_document_in_the_format_of_the_suffix(
    tmp_path: Path, arguments: list[str], kind: str
) -> None:
    target = tmp_path / f"out.{kind}"

    assert run("render", arguments[0], EXAMPLES / "demo-district", "-o", target, *arguments[1:]) == 0

    assert target.read_bytes()[:2] == (b"PK" if kind != "svg" else target.read_bytes()[:2])
    assert target.stat().st_size > 1000


def test_render_all_into_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("render", "plaque", EXAMPLES / "demo-district", "-o", tmp_path / "plaques", "--all") == 0

    names = sorted(path.name for path in (tmp_path / "plaques").iterdir())
    assert len(names) == 6
    assert "标牌 示例电子有限公司.svg" in names


def test_render_refuses_a_format_the_document_does_not_have(tmp_path: Path) -> None:
    assert run("render", "notice", EXAMPLES / "demo-district", "-o", tmp_path / "notice.xlsx") == 2
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten_without_saying_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "notice.docx"
    target.write_bytes(b"mine")

    assert run("render", "notice", EXAMPLES / "demo-district", "-o", target) == 1
    assert target.read_bytes() == b"mine"
    assert "GF508" in capsys.readouterr().err
    assert run("render", "notice", EXAMPLES / "demo-district", "-o", target, "--force") == 0
    assert target.read_bytes()[:2] == b"PK"


def test_new_makes_a_folder_that_batch_runs_on_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("new", tmp_path / "round") == 0
    assert run("check", tmp_path / "round") == 0
    assert run("batch", tmp_path / "round", "-o", tmp_path / "out") == 0

    assert (tmp_path / "out" / "manifest.json").is_file()
    assert run("verify", tmp_path / "out") == 0


def test_new_leaves_a_full_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")

    assert run("new", tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.txt"]


def test_dry_run_shows_the_plan_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("batch", EXAMPLES / "demo-district", "-o", tmp_path / "out", "--dry-run") == 0

    assert "01 示范区/标牌/标牌 示例电子有限公司.svg" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_templates_lists_shows_and_copies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("templates") == 0
    assert "annual-table" in capsys.readouterr().out
    assert run("templates", "plaque") == 0
    assert "plaque.title" in capsys.readouterr().out
    assert run("templates", "notice", "--copy", tmp_path) == 0
    assert (tmp_path / "notice.docx").is_file()
    assert run("templates", "notice", "--copy", tmp_path) == 1


def test_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    assert "round" in json.dumps(json.loads(capsys.readouterr().out))


def test_a_missing_folder_is_an_issue_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["check", tmp_path / "no"], ["batch", tmp_path / "no", "-o", tmp_path / "out"], ["collect", tmp_path / "no", EXAMPLES / "demo-district", "-o", tmp_path / "x.xlsx"]):  # fmt: skip
        assert run(*command) == 1
        assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_fault_of_ours_is_3(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import gfdocs.programme.project

    def broken(_folder: Path) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(gfdocs.programme.project, "check_project", broken)

    assert run("check", EXAMPLES / "demo-district") == 3
    assert "please report" in capsys.readouterr().err


def test_an_unwritable_place_is_an_issue_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")

    for command in (
        ["render", "notice", EXAMPLES / "demo-district", "-o", blocked / "notice.docx"],
        ["templates", "notice", "--copy", blocked],
        ["new", blocked / "round"],
    ):
        assert run(*command) == 1
        message = capsys.readouterr().err
        assert "Traceback" not in message
        assert "hint" in message


@pytest.mark.parametrize(
    "arguments",
    [
        ["--all", "-o", "plaques.pdf"],
        ["--all", "--company", "示例电子有限公司", "-o", "plaques"],
        ["--company", "示例电子有限公司", "-o", "plaque.doc"],
    ],
)
def test_options_that_contradict_each_other_are_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert run("render", "plaque", EXAMPLES / "demo-district", *arguments) == 2
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_schema_and_an_unknown_kind_of_merged_data_are_wrong_usage(tmp_path: Path) -> None:
    assert run("schema", "company") == 2
    assert run("collect", tmp_path, EXAMPLES / "demo-district", "-o", tmp_path / "merged.doc") == 2


def test_the_closing_line_counts_each_severity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_example("demo-district", tmp_path, ("expected: 6", "expected: 7"))
    assert run("check", folder) == 1
    assert capsys.readouterr().err.endswith("\n1 error\n")

    assert run("check", EXAMPLES / "suzhou-2023") == 0
    assert capsys.readouterr().err.endswith("\n19 warnings, 3 notes\n")


def test_check_tells_the_faults_of_data_catalogue_and_templates_in_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copy_example("demo-district", tmp_path, ("count: 301", "count: many"))
    (folder / "templates").mkdir()
    (folder / "templates" / "notice.docx").write_bytes(b"not a document")
    (folder / "templates" / "cover.docx").write_bytes(b"not a document")
    assert run("check", folder) == 1
    message = capsys.readouterr().err
    assert all(words in message for words in ("many", "notice.docx", "cover.docx", "3 errors"))

    (folder / "templates" / "catalogue.yaml").write_text("documents: [{id: memo}]\n", encoding="utf-8")
    assert run("check", folder) == 1
    message = capsys.readouterr().err
    assert all(words in message for words in ("many", "GF401"))


def test_collect_says_who_is_late_on_a_day(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "returns").mkdir()
    command = ["collect", tmp_path / "returns", EXAMPLES / "demo-district", "-f", "-o", tmp_path / "merged.xlsx"]

    assert run(*command, "--today", "2023-02-24") == 0
    assert "late," not in capsys.readouterr().out
    assert run(*command, "--today", "2023-02-25") == 0
    assert capsys.readouterr().out.count("late, was due 2023-02-24") == 6
    assert run(*command) == 0
    assert "late, was due" in capsys.readouterr().out


def test_templates_of_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("templates", "--project", tmp_path / "no") == 1
    assert "no such folder" in capsys.readouterr().err


def test_every_option_and_argument_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        run(command, "--help")
        text = capsys.readouterr().out
        assert "list[str]" not in text
        assert "int range" not in text


@pytest.mark.parametrize("template", ["notice", "cover", "list", "annual-summary", "province-notice"])
def test_a_built_in_template_fits_the_data_it_is_made_for(template: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(cli.__file__).parents[2] / "templates" / f"{template}.docx"

    assert run("lint", path, "--document", template, "--project", EXAMPLES / "demo-district") == 0


@pytest.mark.parametrize(
    ("environment", "system", "language"),
    [
        ({}, "Chinese (Simplified)_China", "zh"), ({}, "zh_CN", "zh"), ({}, "en_US", "en"), ({}, "", "en"),
        ({"LANG": "C.UTF-8"}, "zh_CN", "en"), ({"GFDOCS_LANG": "zh", "LANG": "C"}, "en_US", "zh"),
    ],
)  # fmt: skip
def test_the_language_is_that_of_the_system_unless_a_variable_says_otherwise(
    environment: dict[str, str], system: str, language: str
) -> None:
    assert cli.find_language(environment, system) == language


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "gfdocs", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("gfdocs ")


LATIN = re.compile(r"[A-Za-z]{2,}(?: [a-z]{2,}){2,}")
"""Three English words after each other: a sentence, not the name of an option or a document."""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_in_one_language(command: str) -> None:
    told = spoken_in_chinese(*([command] if command else []), "--help")

    assert "用法：" in told and "选项：" in told
    assert not [line for line in told.splitlines() if LATIN.search(line) and not line.strip().startswith("gfdocs ")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("batch x", "错误：缺少选项 --output / -o。"), ("check", "错误：缺少参数 PROJECT。"),
        ("nonsense", "错误：没有命令“nonsense”。"), ("check . --nope", "错误：没有选项 --nope"),
        ("check a b", "错误：多余的参数：b"), ("batch x -o", "错误：选项 -o 需要一个值。"),
        ("batch x -o y -j 0", "错误：-j / --jobs 的值无效：应不小于 1"),
        ("batch x -o y -j a", "错误：-j / --jobs 的值无效：应为整数"),
        ("collect a b -o c.xlsx --today 3", "错误：--today 的值无效：“3”不是日期，写法如 2023-02-10"),
    ],
)  # fmt: skip
def test_wrong_usage_is_told_in_one_language(arguments: str, said: str) -> None:
    assert spoken_in_chinese(*arguments.split()).splitlines()[-1] == said


def spoken_in_chinese(*arguments: str) -> str:
    """Return all that a call says where the language is Chinese."""
    done = subprocess.run(
        [sys.executable, "-m", "gfdocs", *arguments], capture_output=True, encoding="utf-8", check=False,
        env={**os.environ, "GFDOCS_LANG": "zh", "PYTHONUTF8": "1"},
    )  # fmt: skip
    return done.stdout + done.stderr


def test_a_log_of_json_lines_ends_with_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("batch", EXAMPLES / "own-template", "-o", tmp_path / "out", "--log-format", "json", "--format", "json") == 0
    )

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    report = next(line["report"] for line in lines if "report" in line)
    assert [line["done"] for line in lines if "done" in line] == list(range(1, report["made"] + 1))
    assert report["planned"] == report["made"] == len([*(tmp_path / "out").glob("*/**/*.*")])
    assert report["failed"] == 0 < report["seconds"]


def test_what_has_to_be_done_at_the_end_of_a_command_is_done() -> None:
    script = "import atexit; atexit.register(print, 'tidied'); from gfdocs.cli import main; main(['doctor', 'x'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (2, "tidied\n")


def test_a_form_of_log_that_there_is_not_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("batch", EXAMPLES / "own-template", "-o", tmp_path / "out", "--log-format", "xml") == 2
    assert not (tmp_path / "out").exists()
    assert "--log-format" in capsys.readouterr().err


def test_packages_are_not_put_among_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project = copy_example("own-template", tmp_path)
    before = sorted(path.name for path in project.iterdir())

    assert run("batch", project, "-o", project) == 2
    assert sorted(path.name for path in project.iterdir()) == before


def test_each_line_of_the_log_names_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("batch", EXAMPLES / "own-template", "-o", tmp_path / "out", "--log-format", "json") == 0

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith('{"done"')]
    assert lines
    assert all((tmp_path / "out" / line["path"]).is_file() for line in lines)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_help_has_no_words_of_a_programmer(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    words.LANGUAGE = "zh" if language == "zh" else "en"
    try:
        for command in COMMANDS:
            assert run(command, "--help") == 0
    finally:
        words.LANGUAGE = "en"
    told = capsys.readouterr().out
    assert not re.search(r"<path>|<str>|[{}]", told)
    assert "--format text|json" in told


def test_every_file_in_the_way_is_told_before_any_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("list.docx", "plaque.svg"):
        (tmp_path / name).write_text("mine")
    assert run("templates", "--copy", tmp_path) == 1
    told = capsys.readouterr().err
    assert "list.docx" in told and "plaque.svg" in told and "2 errors" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.docx", "plaque.svg"]


def test_a_document_goes_into_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gfdocs", "render", "list", str(EXAMPLES / "demo-district"), "-o", "-", "--to", "docx"]  # fmt: skip
    root = str(EXAMPLES.parent)
    made = subprocess.run(
        command, capture_output=True, check=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}
    )
    assert made.stdout.startswith(b"PK") and b"word/document.xml" in made.stdout
    assert list(tmp_path.iterdir()) == []
    assert run("batch", EXAMPLES / "demo-district", "-o", "-") == 2
    assert run("render", "plaque", EXAMPLES / "demo-district", "-o", "-", "--all") == 2


@pytest.mark.parametrize("name", ["file", "link", "x" * 300])
def test_new_says_what_is_in_the_way(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert run("new", tmp_path / name) == 1
    told = capsys.readouterr().err
    expected = {"file": "a file of this name is there", "link": "it is a link, not a folder"}.get(
        name, "cannot be written"
    )
    assert expected in told and "Traceback" not in told


def test_lint_of_data_sends_to_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (EXAMPLES / "demo-district", EXAMPLES / "demo-district/gfdocs.yaml", tmp_path / "x.yaml"):
        assert run("lint", path) == 1
        folder = path if path.is_dir() else path.parent
        assert f"gfdocs check {folder}" in capsys.readouterr().err
    assert run("lint", EXAMPLES.parent / "README.md") == 1
    assert "open_template" not in capsys.readouterr().err


def test_lint_with_a_project_knows_the_document_by_its_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from docx import Document

    own = Document()
    own.add_paragraph("{{ issuer.nmae }}")
    own.save(str(tmp_path / "notice.docx"))
    assert run("lint", tmp_path / "notice.docx", "--project", EXAMPLES / "demo-district") == 1
    assert 'did you mean "name"?' in capsys.readouterr().err
    own.save(str(tmp_path / "other.docx"))
    assert run("lint", tmp_path / "other.docx", "--project", EXAMPLES / "demo-district") == 1
    assert "--document" in capsys.readouterr().err


def test_what_was_mistyped_is_told_with_what_there_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    demo = EXAMPLES / "demo-district"
    assert run("batch", demo, "-o", tmp_path / "out", "--only", "nothing-like-it", "--district", "无") == 1
    told = capsys.readouterr().err
    assert "annual-table" in told and "示范区, 样板市" in told
    assert run("render", "annual-table", demo, "-o", tmp_path / "a.xlsx") == 1
    assert "--district 示范区" in capsys.readouterr().err


def test_faults_of_data_end_with_what_became_of_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("batch", tmp_path, "-o", tmp_path / "out") == 1
    assert capsys.readouterr().err.endswith("nothing was written\n")


def test_reasons_and_places_are_chinese_among_chinese_messages(tmp_path: Path) -> None:
    from docx import Document

    assert "文件或文件夹不存在" in spoken_in_chinese("lint", str(tmp_path / "无.docx"))
    own = Document()
    own.add_table(1, 2).cell(0, 1).text = "{{ a + }}"
    own.save(str(tmp_path / "甲.docx"))
    assert "甲.docx › 正文 › 表1 › 第1行 › 第2格" in spoken_in_chinese("lint", str(tmp_path / "甲.docx"))
    told = spoken_in_chinese("templates")
    assert "县级市（区）" in told and "district" not in told and "example" not in told


def test_one_fault_of_a_template_is_told_once_for_all_its_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from docx import Document

    folder = copy_example("demo-district", tmp_path)
    (folder / "templates").mkdir()
    own = Document()
    own.add_paragraph("{{ company.indusrty }}")
    own.save(str(folder / "templates/annual-summary.docx"))

    assert run("batch", folder, "-o", tmp_path / "out", "--only", "annual-summary", "-j", 1) == 1

    told = capsys.readouterr().err
    assert told.count("GF512") == 1 and told.count("did you mean") == 1
    assert "the same for 8 more: " in told and told.endswith("9 errors\n")


def test_who_stops_a_command_is_told_that_it_goes_on_from_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_folder: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gfdocs.programme.project.load", stop)
    assert run("batch", EXAMPLES / "demo-district", "-o", tmp_path / "out") == 130
    assert capsys.readouterr().err == "stopped; the same command goes on from here\n"


def test_a_plaque_for_the_workshop_has_crop_marks_and_no_ground(tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    demo, size = EXAMPLES / "demo-district", {}
    for name, words_ in {"plain": [], "etched": ["--bleed", "3", "--leave-out", "plate"]}.items():
        path = tmp_path / f"{name}.pdf"
        assert run("render", "plaque", demo, "-o", path, "--company", "示例电子有限公司", *words_) == 0
        size[name] = pdfium.PdfDocument(path)[0].get_size()
    assert size["plain"] == pytest.approx((600 / 25.4 * 72, 400 / 25.4 * 72), abs=0.1)
    assert size["etched"][0] > size["plain"][0] + 2 * 3 / 25.4 * 72  # the marks stand beyond the bleed
    picture = pdfium.PdfDocument(tmp_path / "etched.pdf")[0].render(scale=0.2).to_pil()
    assert picture.getpixel((picture.width // 2, picture.height // 8)) == (255, 255, 255)  # no gold beside the words
    assert run("render", "list", demo, "-o", tmp_path / "list.xlsx", "--bleed", "3") == 2
    assert run("render", "plaque", demo, "-o", tmp_path / "p.pdf", "--company", "示例电子有限公司", "--bleed", "x") == 2


def test_an_own_document_is_listed_by_its_title_where_it_has_no_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("templates", "--project", EXAMPLES / "own-template") == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("memo"))
    assert len(line.split()) > 3, line


def test_a_document_is_annotated_whether_it_is_a_template_or_finished(tmp_path: Path) -> None:
    from docx import Document

    own = Document()
    own.add_paragraph("各区县工信局:")
    own.save(str(tmp_path / "finished.docx"))
    own.add_paragraph("{{ issuer.name | upper }}，{{ nothing }}")
    own.save(str(tmp_path / "template.docx"))
    own.add_paragraph("{{ broken + }}")
    own.save(str(tmp_path / "broken.docx"))
    for name in ("finished", "template", "broken"):
        words_ = ["--document", "notice"] if name == "template" else []
        assert run("lint", tmp_path / f"{name}.docx", "--annotate", tmp_path / f"{name}-2.docx", *words_) == 1
        told = [comment.text for comment in Document(str(tmp_path / f"{name}-2.docx")).comments]
        assert told and any("GF" in text for text in told), name
    assert run("lint", EXAMPLES.parent / "templates/list.xlsx", "--annotate", tmp_path / "x.xlsx") == 1
    assert not (tmp_path / "x.xlsx").exists()
