"""Each example runs, and what comes out is opened by eyes that are not ours."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gfdocs
from tests import office, ooxml
from tests.folders import EXAMPLES, ROOT, copy_example

PROJECTS = ["suzhou-2023", "demo-district", "own-template"]


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages of every example, made once."""
    out = tmp_path_factory.mktemp("packages")
    for name in PROJECTS:
        manifest = gfdocs.batch(gfdocs.load(EXAMPLES / name), out / name)
        assert not manifest.failed, [str(issue) for failure in manifest.failed for issue in failure.issues]
    return {name: out / name for name in PROJECTS}


def files(packages: dict[str, Path], *suffixes: str) -> Iterator[Path]:
    for folder in packages.values():
        yield from sorted(path for path in folder.rglob("*") if path.suffix in suffixes)


def test_suzhou_has_a_package_for_each_of_ten_districts_in_official_order(packages: dict[str, Path]) -> None:
    folders = sorted(path.name for path in packages["suzhou-2023"].iterdir() if path.is_dir())

    assert folders[:11] == [
        "00 全市文件", "01 张家港市", "02 常熟市", "03 太仓市", "04 昆山市", "05 吴江区", "06 吴中区", "07 相城区", "08 姑苏区",
        "09 苏州工业园区", "10 苏州高新区（虎丘区）",
    ]  # fmt: skip


def test_no_tag_is_left_in_any_part(packages: dict[str, Path]) -> None:
    left = {
        path.name: parts for path in files(packages, ".docx", ".xlsx") if (parts := ooxml.find_left_over_tags(path))
    }
    svgs = [path.name for path in files(packages, ".svg") if ooxml.LEFT_OVER.search(path.read_bytes())]

    assert left == {}
    assert svgs == []


def test_the_validator_finds_no_error(packages: dict[str, Path]) -> None:
    faults = {
        path.name: errors[:3]
        for path in files(packages, ".docx", ".xlsx")
        if (errors := ooxml.find_validation_errors(path))
    }

    assert faults == {}


def test_other_libraries_open_every_file_and_find_the_names(packages: dict[str, Path]) -> None:
    opened = {path: ooxml.read_text(path) for path in files(packages, ".docx", ".xlsx")}

    assert len(opened) > 60
    names = [company.name for company in gfdocs.load(EXAMPLES / "demo-district").dataset.companies]
    everything = "\n".join(text for path, text in opened.items() if "demo-district" in path.parts)
    assert [name for name in names if name not in everything] == []


def test_attachment_titles_of_the_notice_are_those_on_the_attachments(packages: dict[str, Path]) -> None:
    folder = packages["demo-district"]
    notice = ooxml.read_text(next(folder.glob("00*/关于*.docx")))
    for path in folder.rglob("附件*.xlsx"):
        label, title = re.match(r"(附件\d) (.+?)(?:（示范区）|（样板市）| 示范区| 样板市)?$", path.stem).groups()  # type: ignore[union-attr]

        text = ooxml.read_text(path)

        assert title in text, path.name
        assert label in text, path.name
        assert title in notice, title


def test_the_count_in_prose_is_the_count_of_rows_and_plaques(packages: dict[str, Path]) -> None:
    folder = packages["suzhou-2023"]
    listed = len(list(folder.rglob("标牌/*.svg")))
    listing = ooxml.read_text(next(folder.glob("00*/附件2*.xlsx")))

    assert listed == 43
    assert sum(line.isdigit() and int(line) == listed for line in listing.splitlines()) >= 1
    assert f"{listed}家" in ooxml.read_text(next(folder.glob("00*/关于*.docx"))).replace(" ", "")


def test_an_own_template_takes_the_place_of_the_built_in_one(packages: dict[str, Path]) -> None:
    letter = ooxml.read_text(next(packages["own-template"].rglob("致*.docx")))
    memos = sorted(path.stem for path in packages["own-template"].rglob("备忘/*.docx"))

    assert "简函" in letter
    assert memos == ["备忘 示例电子有限公司", "备忘 示例食品有限公司"]


def test_the_script_runs_as_it_stands(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(EXAMPLES / "script" / "render.py"), str(tmp_path / "out")], capture_output=True, encoding="utf-8", cwd=tmp_path)  # fmt: skip

    assert done.returncode == 0, done.stderr
    made = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert made == ["letter.docx", "packages", "plaque.svg", "通知.docx", "附件2.xlsx"]
    assert "letter.docx needs:" in done.stdout


def test_the_blocks_of_readme_run(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert blocks

    for block in blocks:
        code = block.replace('"examples/', f'"{EXAMPLES}/')
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})  # fmt: skip
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["suzhou-2023", "demo-district"])
def test_the_same_input_gives_the_same_bytes_whatever_the_machine(tmp_path: Path, name: str) -> None:
    def make(out: str, **environment: str) -> dict[str, bytes]:
        command = [sys.executable, "-m", "gfdocs.cli", "batch", str(EXAMPLES / name), "-o", str(tmp_path / out)]
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", env={"PATH": os.environ["PATH"], **environment}
        )
        assert done.returncode == 0, done.stderr
        folder = tmp_path / out
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    one = make("one", TZ="UTC", PYTHONHASHSEED="0", LANG="C.UTF-8")
    two = make("two", TZ="Asia/Shanghai", PYTHONHASHSEED="1", LANG="C.UTF-8", GFDOCS_LANG="zh")

    assert sorted(one) == sorted(two)
    assert [path for path in one if one[path] != two[path]] == []


@pytest.mark.office
def test_libreoffice_converts_one_of_each_kind(packages: dict[str, Path], tmp_path: Path) -> None:
    import pypdfium2

    folder = packages["demo-district"]
    found = {
        path.stem.split("（")[0].split(" ")[0] + path.suffix: path
        for path in folder.rglob("*")
        if path.suffix in (".docx", ".xlsx")
    }
    sources = list(found.values())

    pdfs = office.to_pdfs(sources, tmp_path)

    assert len(pdfs) >= 8
    for pdf in pdfs:
        document = pypdfium2.PdfDocument(pdf)
        assert "".join(page.get_textpage().get_text_range() for page in document).strip(), pdf.name


@pytest.mark.parametrize(
    ("file", "content", "code"),
    [
        ("gfdocs.yaml", b"", "GF1"),
        ("gfdocs.yaml", b"- just\n- a list\n", "GF1"),
        ("gfdocs.yaml", b"round: {name: x, name: y}\n", "GF1"),
        ("gfdocs.yaml", b"round: [unclosed\n", "GF1"),
        ("companies.yaml", b"companies:\n  - {name: \xff\xfe\x00}\n", "GF1"),
        ("companies.yaml", "companies:\n  - {name: 甲厂, colour: red}\n".encode(), "GF1"),
    ],
)
def test_bad_input_is_an_issue_exit_1_and_nothing_written(tmp_path: Path, file: str, content: bytes, code: str) -> None:
    folder = copy_example("demo-district", tmp_path)
    (folder / file).write_bytes(content)

    done = subprocess.run([sys.executable, "-m", "gfdocs.cli", "batch", str(folder), "-o", str(tmp_path / "out")], capture_output=True, encoding="utf-8")  # fmt: skip

    assert done.returncode == 1
    assert re.search(rf"{file}(:\d+:\d+)?: error {code}", done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_gbk_file_is_read_and_said_so(tmp_path: Path) -> None:
    folder = copy_example("own-template", tmp_path)
    text = (folder / "companies.csv").read_text(encoding="utf-8")
    (folder / "companies.csv").write_bytes(text.encode("gb18030"))

    project = gfdocs.load(folder)

    assert [company.name for company in project.dataset.companies] == ["示例电子有限公司", "示例食品有限公司"]
    assert any("GB18030" in issue.fact for issue in project.issues)


def test_a_missing_template_is_an_issue(tmp_path: Path) -> None:
    folder = copy_example("own-template", tmp_path)
    (folder / "templates" / "memo.docx").unlink()

    with pytest.raises(gfdocs.DataError) as raised:
        gfdocs.load(folder)

    assert "memo.docx" in str(raised.value)


def test_a_folder_that_cannot_be_written_is_an_issue(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")

    with pytest.raises(gfdocs.OutputError):
        gfdocs.batch(gfdocs.load(EXAMPLES / "demo-district"), tmp_path / "file" / "out")


def test_the_manifest_names_every_file_with_its_digest(packages: dict[str, Path]) -> None:
    import hashlib

    folder = packages["demo-district"]
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    listed = {entry["path"]: entry for entry in manifest["files"]}

    on_disk = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        "manifest.json",
        "index.html",
    }

    assert set(listed) == on_disk
    for path, entry in listed.items():
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == entry["sha256"]
    assert gfdocs.verify(folder) == ()
