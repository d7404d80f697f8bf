"""docs/clerk.zh.md: its commands run in the order of the page and answer what the page says; its pictures are there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl

from tests.folders import ROOT

PAGE = ROOT / "docs" / "clerk.zh.md"
TEXT = PAGE.read_text(encoding="utf-8")


def run(command: str, folder: Path) -> str:
    words = shlex.split(command)
    environment = {**os.environ, "GFDOCS_LANG": "zh", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-m", "gfdocs.cli", *words[1:]],
        cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return done.stdout + done.stderr


def returned(folder: Path) -> None:
    """What the page tells of: one district sends annex 3 with a word where a number belongs, the other nothing."""
    (folder / "交回").mkdir()
    form = next(folder.glob("材料包/01*/附件3*.xlsx"))
    book = openpyxl.load_workbook(form)
    book["工厂"]["I6"] = "约8420"
    book.save(folder / "交回" / form.name)


def squeeze(text: str) -> list[str]:
    return [re.sub(r"\s+", " ", line).strip() for line in text.splitlines() if line.strip()]


def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path) -> None:
    commands = re.findall(r"^    (gfdocs .+)$", TEXT, re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["new", "check", "batch", "lint", "collect", "templates"]
    said: list[str] = []
    for command in commands:
        if " collect " in command:
            returned(tmp_path)
            command += " --today 2023-02-27"
        said += squeeze(run(command, tmp_path))
    shown = squeeze("\n".join(re.findall(r"^    (?!gfdocs|py |python3|source|\.venv)(.+)$", TEXT, re.MULTILINE)))
    faults = {
        line for line in shown if line.startswith(("companies.xlsx ›", "提示: 请与", "提示: 是否", "提示: 请只保"))
    }
    whole = [line for line in shown if line not in faults and "….xlsx" not in line]

    assert len(whole) >= 7
    assert [line for line in whole if line not in said] == []
    assert (tmp_path / "示例市2023" / "templates" / "notice.docx").is_file()


def test_the_faults_of_the_page_are_those_that_check_tells(tmp_path: Path) -> None:
    run("gfdocs new 示例市2023", tmp_path)
    path = tmp_path / "示例市2023" / "companies.xlsx"
    book = openpyxl.load_workbook(path)
    for cell, value in {"C2": "91320599MA0EX0018", "D3": "样版市", "A5": "示例电子有限公司"}.items():
        book["企业"][cell] = value
    book.save(path)
    said = squeeze(run("gfdocs check 示例市2023", tmp_path))

    shown = [line for line in squeeze(TEXT) if line.startswith("companies.xlsx ›")]
    assert len(shown) == 3
    assert [line for line in shown if line not in said] == []


def test_what_comes_back_may_be_the_next_list_of_companies(tmp_path: Path) -> None:
    run("gfdocs new 示例市2023", tmp_path)
    run("gfdocs batch 示例市2023 -o 材料包", tmp_path)
    form = next(tmp_path.glob("材料包/01*/附件3*.xlsx"))
    book = openpyxl.load_workbook(form)
    book["工厂"]["G6"] = "完成余热回收改造。"
    (tmp_path / "交回").mkdir()
    book.save(tmp_path / "交回" / "改了名.xlsx")
    run("gfdocs collect 交回 示例市2023 -o 示例市2023/companies.yaml", tmp_path)
    shutil.move(tmp_path / "示例市2023" / "companies.xlsx", tmp_path)
    run("gfdocs batch 示例市2023 -o 材料包2", tmp_path)

    assert [path.name for path in tmp_path.glob("材料包2/01*/年度总结/*")] == ["年度总结 示例电子有限公司.docx"]


def test_the_pictures_of_the_page_are_there() -> None:
    pictures = re.findall(r"\]\((pictures/[^)]+)\)", TEXT)
    assert len(pictures) == 4
    assert [name for name in pictures if not (PAGE.parent / name).is_file()] == []
