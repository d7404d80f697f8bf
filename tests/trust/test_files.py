"""Files going out: names from hostile data, links in the way, a full disk, a kill, two runs at once."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import gfdocs
from tests.trust import samples, steps
from tests.trust.child import fine, run
from tests.trust.rows import row

NIGHTLY = bool(os.environ.get("GFDOCS_NIGHTLY"))
RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}


def check_path(path: str) -> None:
    """Assert that a path is inside, and valid on Linux, macOS and Windows."""
    for step in path.split("/"):
        assert step not in ("", ".", ".."), path
        assert len(step.encode()) <= 255 and len(step.encode("utf-16-le")) // 2 <= 255, path
        assert not any(char in '\\/:*?"<>|' or ord(char) < 32 or 0x7F <= ord(char) < 0xA0 for char in step), path
        assert step[-1] not in " ." and step[0] != " ", path
        assert step.split(".")[0].strip().lower() not in RESERVED, path
        assert not any(
            char in "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff" for char in step
        ), path


def project_of(*names: str) -> dict[str, bytes | str]:
    """Return the files of a project in which each company has documents of its own."""
    import json

    lines = ["companies:"]
    for name in names:
        lines += [
            f"- name: {json.dumps(name, ensure_ascii=False)}",
            "  district: 示范区",
            "  summary: {text: 全年完成改造。}",
        ]
    return {"companies.yaml": "\n".join(lines) + "\n"}


HOSTILE = (
    "../../escape", "..", ".", "/etc/cron.d/evil", "甲/乙公司", "C:\\Windows\\evil", "CON", "nul.txt", "COM1", "LPT9.docx", "结尾点.", "结尾空格 ", "-rf", "~root", "~$甲",
    "某" * 300, "😀" * 100, "a" * 300, "*?", '"<>|', "$(id)", "`id`", "; rm -rf /", "%2e%2e%2f", "甲\u200b乙", "甲\u200e乙", "AUX.", "甲:乙", "…", "．．／", "..／..／x", "\\\\evil\\share", "{{ 7*7 }}", "{% x %}", "index", "manifest", ".gfdocs",
    "CLOCK$", "COM²", "甲\tb", "é", "ﬁle", "A" * 190 + "/../../../x",
)  # fmt: skip


@row("filename_from_company")
def test_hostile_company_names_make_safe_file_names_inside() -> None:
    found = fine(run(steps.batch_names, project_of(*HOSTILE), cpu=30), seconds=20, peak=256)
    assert not [path for path in found if path.startswith("ESCAPED")]
    summaries = [path for path in found if "年度总结" in path and path.endswith(".docx")]
    assert len(summaries) >= len(HOSTILE), f"{len(summaries)} documents of {len(HOSTILE)} companies"
    for path in found:
        check_path(path)


@row("filename_from_company")
@pytest.mark.parametrize(
    "name",
    ["../x", "..", "/etc", "甲/乙", "CON", "区" * 200, "甲\\乙", "-rf", ".gfdocs", "区.", "a:b", "~", "{{ 7*7 }}"],
)
def test_a_district_of_a_hostile_name_makes_a_safe_folder_inside(name: str) -> None:
    import json

    text = (
        (steps.EXAMPLE / "gfdocs.yaml")
        .read_text(encoding="utf-8")
        .replace("  expected: 6\n", "")
        .replace("{name: 示范区,", f"{{name: {json.dumps(name, ensure_ascii=False)},")
    )
    files = {
        "gfdocs.yaml": text,
        "companies.yaml": f"companies:\n- name: 甲厂\n  district: {json.dumps(name, ensure_ascii=False)}\n  summary: {{text: x}}\n",
    }
    outcome = run(steps.batch_names, files, cpu=20)
    assert not outcome.foreign, str(outcome)
    if not outcome.error:
        assert not [path for path in outcome.value if path.startswith("ESCAPED")]
        for path in outcome.value:
            check_path(path)


@row("filename_from_company")
@pytest.mark.parametrize(
    "pattern",
    [
        "../../{{ company.name }}",
        "/tmp/gfdocs-was-here",
        "{{ '../' * 50 }}x",
        "a/b/c/{{ company.name }}",
        "{{ company.__class__ }}",
        "{{ 'x' * 100000000 }}",
        "",
        "..",
        "CON",
        "{{ cycler.__init__.__globals__ }}",
    ],
)
def test_a_hostile_pattern_of_a_catalogue_stays_inside_or_is_refused(pattern: str) -> None:
    import json

    catalogue = (steps.EXAMPLE.parents[1] / "examples" / "own-template" / "templates" / "catalogue.yaml").read_text(
        encoding="utf-8"
    )
    lines = [
        f"{line[: line.index('file:')]}file: {json.dumps(pattern)}" if line.strip().startswith("file:") else line
        for line in catalogue.splitlines()
    ]
    folder = steps.EXAMPLE.parents[1] / "examples" / "own-template" / "templates"
    files: dict[str, bytes | str] = {f"templates/{path.name}": path.read_bytes() for path in folder.glob("*.docx")}
    outcome = run(steps.batch_names, {**files, "templates/catalogue.yaml": "\n".join(lines)}, cpu=20)
    assert not outcome.foreign, str(outcome)
    assert not Path("/tmp/gfdocs-was-here").exists()
    if not outcome.error:
        assert not [path for path in outcome.value if path.startswith("ESCAPED")]
        for path in outcome.value:
            check_path(path)


@row("filename_from_company")
@pytest.mark.parametrize(
    "template",
    [
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "memo.docx/../../../etc/passwd",
        "C:\\x.docx",
        "\\\\evil\\x.docx",
        "http://evil/x.docx",
    ],
)
def test_a_template_of_a_catalogue_is_read_from_its_own_folder_only(template: str) -> None:
    import json

    own = f"own-paper:\n  title: x\n  file: x\n  template: {json.dumps(template)}\n  for: round\n"
    catalogue = (steps.EXAMPLE.parents[1] / "examples" / "own-template" / "templates" / "catalogue.yaml").read_text(
        encoding="utf-8"
    )
    for text in (own, catalogue.replace("memo.docx", template)):
        outcome = run(steps.batch_names, {"templates/catalogue.yaml": text}, cpu=8)
        assert not outcome.foreign, str(outcome)
        assert outcome.error, str(outcome)


@row("filename_collisions")
def test_names_that_one_disk_takes_for_one_are_told_apart_or_refused() -> None:
    import unicodedata

    names = [
        "A公司",
        "a公司",
        "甲/乙厂",
        "甲:乙厂",
        "甲*乙厂",
        "é厂",
        "é厂",
        "ﬀ厂",
        "ff厂",
        "ß厂",
        "SS厂",
        "K厂",
        "K厂",
        "甲 厂",
        "甲\u3000厂",
        "甲厂.",
        "甲厂",
        "İ厂",
        "i̇厂",
        "ſ厂",
        "s厂",
    ]
    outcome = run(steps.batch_names, project_of(*names), cpu=30)
    assert not outcome.foreign, str(outcome)
    if outcome.error:
        assert set(outcome.codes) & {"GF146"}, str(outcome)  # companies whose names differ in nothing that counts
        names = [name for number, name in enumerate(names) if not any(_alike(name, other) for other in names[:number])]
        outcome = run(steps.batch_names, project_of(*names), cpu=30)
    found = fine(outcome, seconds=20, peak=256)
    summaries = [path for path in found if "年度总结" in path and path.endswith(".docx")]
    assert len(summaries) == len(names)
    folded = {unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold()) for path in found}
    assert len(folded) == len(found)


def _alike(one: str, other: str) -> bool:
    import unicodedata

    def key(text: str) -> str:
        return "".join(unicodedata.normalize("NFKC", text).casefold().split())

    return key(one) == key(other)


@row("filename_from_company", "filename_collisions")
@settings(deadline=None, max_examples=10_000 if NIGHTLY else 200, derandomize=not NIGHTLY)
@given(names=st.lists(st.one_of(st.text(max_size=300), st.sampled_from(HOSTILE)), min_size=1, max_size=8))
@example(names=["CON", "con", "Con."])
@example(names=["A" * 300, "a" * 300, "A" * 299 + "b"])
@example(names=["\u0345", "ͅ", "ι"])
def test_any_names_become_unique_valid_names(names: list[str]) -> None:
    import unicodedata

    from gfdocs.batch.names import unique_names

    found, _ = unique_names([(name, "", ".docx") for name in names])
    assert len(found) == len(names)
    assert len({unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()) for name in found}) == len(
        found
    )
    for name in found:
        assert "/" not in name
        check_path(name)
        assert name.endswith(".docx")


# ---------------------------------------------------------------------------------------------------------------------
# Links


@row("symlink_followed")
def test_a_link_in_the_place_of_a_file_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    target = tmp_path / "out.docx"
    target.symlink_to(victim)
    gfdocs.open_template(samples.docx("{{ name }}"), kind="docx").render({"name": "甲"}).save(target)
    assert victim.read_bytes() == b"precious"
    assert not target.is_symlink() and zipfile.is_zipfile(target)


@row("symlink_followed")
@pytest.mark.parametrize(
    "where",
    [
        "out/01 示范区",
        "out/.gfdocs",
        "out/manifest.json",
        "out/index.html",
        "out/00 全市文件",
        "out/01 示范区/cover.docx",
        "out/.gfdocs/lock",
        "out/.gfdocs/stage-1",
    ],
)
def test_a_link_planted_in_the_output_folder_leads_nothing_out(tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_bytes(b"precious")
    link = tmp_path / where
    link.parent.mkdir(parents=True)
    aim = outside if "." not in link.name[1:] and link.name != "lock" else outside / "precious"
    link.symlink_to(aim)
    with suppress(gfdocs.GfdocsError):
        gfdocs.batch(gfdocs.load(steps.EXAMPLE), tmp_path / "out")
    assert (outside / "precious").read_bytes() == b"precious"
    assert [path.name for path in outside.iterdir()] == ["precious"]


# ---------------------------------------------------------------------------------------------------------------------
# What goes wrong in the middle

WHOLE = 30  # files of the example's batch, at least


def broken(out: Path) -> list[str]:
    """Return the office files under their final names that do not open."""
    found = []
    # os.walk passes over a folder that is moved away while it looks.
    paths = (Path(folder, name) for folder, _, names in os.walk(out) for name in names)
    for path in paths:
        if ".gfdocs" in path.relative_to(out).parts or path.suffix not in (".docx", ".xlsx"):
            continue
        try:
            with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
                if archive.testzip() is not None:
                    found.append(path.name)
        except FileNotFoundError:
            continue  # replaced while we looked: the next look sees the new one
        except zipfile.BadZipFile:
            found.append(path.name)
    return found


def command(*words: str, **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "import sys; from gfdocs.cli import main; sys.exit(main())", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace",
        cwd=steps.EXAMPLE.parents[1], **more,
    )  # fmt: skip


def snapshot(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@row("disk_full")
def test_a_full_disk_leaves_the_old_package(tmp_path: Path) -> None:
    out = tmp_path / "out"
    gfdocs.batch(gfdocs.load(steps.EXAMPLE), out)
    before = snapshot(out)
    project = tmp_path / "project"
    project.mkdir()
    for name in ("gfdocs.yaml", "companies.yaml"):
        (project / name).write_text(
            (steps.EXAMPLE / name).read_text(encoding="utf-8").replace("示例电子", "示例新电子"), encoding="utf-8"
        )
    outcome = run(steps.batch_with_little_disk, str(project), str(out), 4000, cpu=20)
    assert outcome.error and not outcome.foreign, str(outcome)
    assert outcome.error == "OutputError", str(outcome)
    after = snapshot(out)
    assert {name: data for name, data in after.items() if not name.startswith(".gfdocs")} == before


@row("disk_full")
def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.docx"
    target.write_bytes(b"old")
    outcome = run(steps.save_with_little_disk, samples.docx("{{ name }}"), str(target), 300)
    assert outcome.error == "OutputError", str(outcome)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.docx"]


@row("kill9_mid_batch")
def test_a_kill_at_any_moment_leaves_no_broken_file_and_the_next_run_makes_it_whole(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted"
    gfdocs.batch(gfdocs.load(steps.EXAMPLE), wanted)
    out = tmp_path / "out"
    for number in range(60 if NIGHTLY else 4):
        process = command("batch", str(steps.EXAMPLE), "-o", str(out))
        time.sleep(0.25 + 0.11 * (number % 12))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if out.exists():
            assert broken(out) == []
    process = command("batch", str(steps.EXAMPLE), "-o", str(out))
    process.communicate()
    assert process.returncode == 0
    assert snapshot(out) == snapshot(wanted)


@row("concurrent_runs")
def test_two_runs_at_once_and_a_reader_see_only_whole_files(tmp_path: Path) -> None:
    out = tmp_path / "out"
    stop, looks, bad = threading.Event(), [0], []

    def look() -> None:
        while not stop.is_set():
            if out.exists():
                bad.extend(broken(out))
                looks[0] += 1

    reader = threading.Thread(target=look)
    reader.start()
    for _ in range(20 if NIGHTLY else 2):
        runs = [command("batch", str(steps.EXAMPLE), "-o", str(out), "-j", "1") for _ in range(2)]
        ends = [(process.communicate(), process.returncode) for process in runs]
        assert 0 in [code for _, code in ends], ends
        assert all(code in (0, 1) for _, code in ends), ends
        assert not any("Traceback" in text for texts, _ in ends for text in texts), ends
    stop.set()
    reader.join()
    assert bad == [] and looks[0] > 5
    assert broken(out) == [] and len(list(out.rglob("*.docx"))) > 5


@row("read_only_dir")
@pytest.mark.parametrize("out", ["/proc/gfdocs-out", "/dev/null/out", "/sys/gfdocs-out"])
def test_a_folder_that_cannot_be_written_is_told_once_before_anything_is_made(out: str) -> None:
    outcome = run(steps.batch_to, out, cpu=20)
    assert outcome.error == "OutputError", str(outcome)
    assert len(outcome.issues) == 1


@row("read_only_dir")
@pytest.mark.parametrize(
    "target",
    [
        "/proc/x.docx",
        "/dev/null/x.docx",
        "/nothere/x.docx",
        "",
        "/",
        "\0.docx",
        "/tmp/" + "x" * 300 + ".docx",
        "/tmp/" + "x/" * 3000,
    ],
)
def test_a_file_that_cannot_be_written_is_told(target: str) -> None:
    outcome = run(steps.save_to, samples.docx("{{ name }}"), target)
    assert outcome.error == "OutputError", str(outcome)


@row("read_only_dir")
@pytest.mark.parametrize(
    "path", ["/nothere", "/dev/zero", "\0", "/proc/self/fdinfo", "/proc/self/mem", "x" * 5000, "/etc/passwd/x.docx"]
)
def test_a_file_that_cannot_be_read_is_told(path: str) -> None:
    for step in (steps.open_path, steps.load_path, steps.collect_path):
        outcome = run(step, path)
        assert not outcome.foreign, f"{step.__name__}: {outcome}"
        # a folder without any form is no fault: nothing has come back yet
        assert outcome.error or (step is steps.collect_path and os.path.isdir(path)), f"{step.__name__}: {outcome}"


# ---------------------------------------------------------------------------------------------------------------------
# The same bytes


@row("same_bytes_twice")
def test_a_batch_gives_the_same_bytes_in_any_surroundings(tmp_path: Path) -> None:
    surroundings = [
        {"PYTHONHASHSEED": "0", "TZ": "UTC", "LANG": "C", "LC_ALL": "C"},
        {
            "PYTHONHASHSEED": "1",
            "TZ": "Asia/Shanghai",
            "LANG": "zh_CN.GB18030",
            "LC_ALL": "zh_CN.GB18030",
            "SOURCE_DATE_EPOCH": "",
        },
    ]
    found = []
    for number, environment in enumerate(surroundings):
        out = tmp_path / f"out{number}"
        words = [] if number == 0 else ["-j", "2"]
        mask = os.umask(0o022 if number else 0o077)
        try:
            process = command(
                "batch",
                str(steps.EXAMPLE),
                "-o",
                str(out),
                *words,
                env={**os.environ, **{k: v for k, v in environment.items() if v}},
            )
            texts = process.communicate()
        finally:
            os.umask(mask)
        assert process.returncode == 0, texts
        found.append(snapshot(out))
        time.sleep(1.1)
    assert sorted(found[0]) == sorted(found[1])
    assert [name for name in found[0] if found[0][name] != found[1][name]] == []


# ---------------------------------------------------------------------------------------------------------------------
# The console


@row("locale_gbk_console")
@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_no_console_makes_the_command_fail(tmp_path: Path, encoding: str) -> None:
    project = tmp_path / "项目㛃"
    project.mkdir()
    (project / "gfdocs.yaml").write_text(
        (steps.EXAMPLE / "gfdocs.yaml").read_text(encoding="utf-8").replace("  expected: 6\n", ""), encoding="utf-8"
    )
    (project / "companies.yaml").write_text(
        "companies:\n- name: 璟喆㛃䶮𠀀😀厂\n  district: 没有的区㛃\n  x㛃: 1\n", encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "GFDOCS_LANG": "zh", "LC_ALL": "C", "PYTHONUTF8": "0"}
    process = command("check", str(project), env=environment)
    out, err = process.communicate()
    assert process.returncode == 1, (out, err)
    assert "Traceback" not in out + err and "UnicodeEncodeError" not in out + err
    assert "GF144" in out + err


@row("locale_gbk_console")
def test_files_are_utf8_whatever_the_locale(tmp_path: Path) -> None:
    environment = {**os.environ, "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    process = command("new", str(tmp_path / "新项目"), env=environment)
    out, err = process.communicate()
    assert process.returncode == 0, (out, err)
    for path in (tmp_path / "新项目").rglob("*.yaml"):
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words",
    [["batch", "\udcff", "-o", "x"], ["check", "/dev/null"], ["lint", "/etc/passwd"], ["render", "../../etc", ".", "-o", "x"], ["collect", "/proc/self", ".", "-o", "/proc/x.xlsx"], ["templates", "../../../etc/passwd"], ["lint", "/dev/zero"], ["verify", "/etc"]],
)  # fmt: skip
def test_odd_arguments_are_told_not_crashed_on(words: list[str]) -> None:
    process = command(*words)
    try:
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()
    assert process.returncode in (0, 1, 2), (process.returncode, out, err)
    assert "Traceback" not in out + err
