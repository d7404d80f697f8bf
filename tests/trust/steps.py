"""What runs in the child process: each step uses gfdocs as a script would, by its public names alone."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import gfdocs

EXAMPLE = Path(__file__).parents[2] / "examples" / "demo-district"


def render(data: bytes, kind: str, context: dict[str, Any], missing: Any = "error") -> bytes:
    """Open a template from its bytes, render it, give the file."""
    return gfdocs.open_template(data, kind=kind, name=f"sample.{kind}").render(context, missing=missing).to_bytes()


def open_only(data: bytes, kind: str) -> list[str]:
    return [str(name) for name in gfdocs.open_template(data, kind=kind, name=f"sample.{kind}").names]


def read_back(template: bytes, returned: bytes) -> Any:
    """Open a workbook template and read a returned form with it."""
    return gfdocs.open_template(template, kind="xlsx", name="form.xlsx").read(returned, name="return.xlsx")


def write_project(files: dict[str, bytes | str]) -> Path:
    """Return a folder with the example's settings and these files in it (by relative path); the caller's to remove."""
    folder = Path(tempfile.mkdtemp(prefix="gfdocs-trust-"))
    settings = (EXAMPLE / "gfdocs.yaml").read_text(encoding="utf-8")
    (folder / "gfdocs.yaml").write_text(settings.replace("  expected: 6\n", ""), encoding="utf-8")
    if not any(name.startswith("companies") for name in files):
        shutil.copy(EXAMPLE / "companies.yaml", folder / "companies.yaml")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    return folder


def load_project(files: dict[str, bytes | str]) -> dict[str, Any]:
    """Load a project of these files; return its companies and issues as plain values."""
    folder = write_project(files)
    try:
        project = gfdocs.load(folder)
        companies = [company.model_dump(mode="python") for company in project.dataset.companies]
        return {"companies": companies, "codes": [issue.code for issue in project.issues],
                "issues": [issue.to_text("zh") for issue in project.issues]}  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def batch_names(files: dict[str, bytes | str]) -> list[str]:
    """Make a whole batch of a project; return every path that is in the output folder, and what escaped from it."""
    folder = write_project(files)
    try:
        out = folder / "deep" / "er" / "out"
        out.parent.mkdir(parents=True)
        before = {path for path in folder.rglob("*") if out not in path.parents}
        gfdocs.batch(gfdocs.load(folder), out)
        after = {path for path in folder.rglob("*") if path != out and out not in path.parents}
        escaped = [f"ESCAPED {os.fspath(path)}" for path in after - before]
        return escaped + sorted(path.relative_to(out).as_posix() for path in out.rglob("*"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def collect(returns: dict[str, bytes]) -> dict[str, Any]:
    """Collect returned workbooks into the example project; return issues and companies."""
    folder = Path(tempfile.mkdtemp(prefix="gfdocs-trust-"))
    try:
        for name, data in returns.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        collected = gfdocs.collect(folder, gfdocs.load(EXAMPLE))
        return {
            "codes": [issue.code for issue in collected.issues],
            "issues": [issue.to_text("zh") for issue in collected.issues],
            "companies": [company.model_dump(mode="python") for company in collected.dataset.companies],
            "returns": [entry.file for entry in collected.returns],
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def hold(megabytes: int) -> int:
    """Use so much memory: shows that the peak is really measured."""
    return len(bytearray(os.urandom(1)) * (megabytes << 20))


def spin(seconds: float) -> None:
    """Use so much time: shows that the seconds are really measured."""
    import time

    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def load_sparse(size: int) -> None:
    """Load a project whose companies.yaml is a file of so many bytes that takes no disk."""
    folder = write_project({"companies.yaml": b""})
    try:
        with open(folder / "companies.yaml", "r+b") as file:
            file.truncate(size)
        gfdocs.load(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def render_list(files: dict[str, bytes | str]) -> dict[str, list[str]]:
    """Render the list of a project as docx and xlsx; return every text that python-docx and openpyxl find in them."""
    import io

    import docx
    import openpyxl

    folder = write_project(files)
    try:
        project = gfdocs.load(folder)
        word = docx.Document(io.BytesIO(project.render("list", kind="docx").to_bytes()))
        book = openpyxl.load_workbook(io.BytesIO(project.render("list", kind="xlsx").to_bytes()))
        cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
        return {
            "docx": [paragraph.text for paragraph in word.paragraphs] + cells,
            "xlsx": [str(cell.value) for sheet in book for row in sheet.iter_rows() for cell in row],
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def render_beside(data: bytes) -> tuple[int, int]:
    """Render good and greedy data in many threads; return how many came out and how many met the budget."""
    from concurrent.futures import ThreadPoolExecutor

    template = gfdocs.open_template(data, kind="svg", name="sample.svg")

    def attempt(size: int) -> bool:
        try:
            template.render({"name": "甲", "n": size})
        except gfdocs.BudgetExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, ([1] * 20 + [5000]) * 2))
    return results.count(True), results.count(False)


def issues_of(data: bytes, kind: Any) -> list[str]:
    """Open a template and return what it says of it without refusing it, as text."""
    template = gfdocs.open_template(data, kind=kind, name=f"sample.{kind}")
    return [
        issue.to_text("zh") for issue in (*template.issues, *template.lint({"name": "甲"})) if issue.severity != "note"
    ]


def collect_tampered(document: str, value: Any) -> dict[str, Any]:
    """Render a form of the example for its first district, put a value into every cell of data that was empty, collect it.

    value: a text, or (formula, cached value).
    """
    from tests.trust import samples

    project = gfdocs.load(EXAMPLE)
    district = next(iter(project.context_of_round.districts))
    data = project.render(document, district=district, kind="xlsx").to_bytes()
    return collect({f"{document} {district}.xlsx": samples.fill_empty(data, value)})


def load_companies(yaml: bytes) -> list[dict[str, Any]]:
    """Return the companies of a companies.yaml, as the project has them; the fault of the file is raised."""
    companies: list[dict[str, Any]] = load_project({"companies.yaml": yaml})["companies"]
    return companies


def save_over(data: bytes, kind: Any, context: dict[str, Any]) -> tuple[bytes, list[str], str]:
    """Render into a file that is there; return what it holds then, all files of the folder, and the code of the fault."""
    folder = Path(tempfile.mkdtemp(prefix="gfdocs-trust-"))
    try:
        target = folder / f"out.{kind}"
        target.write_bytes(b"old")
        code = ""
        try:
            gfdocs.open_template(data, kind=kind, name=f"sample.{kind}").render(context).save(target)
        except gfdocs.GfdocsError as fault:
            code = fault.issues[0].code
        return target.read_bytes(), sorted(path.name for path in folder.iterdir()), code
    finally:
        shutil.rmtree(folder, ignore_errors=True)


BLANK = {"name": "甲", "companies": [{"name": "乙"}], "district": {"name": "示范区"}}


def meet_mutants(kind: str, start: int, stop: int) -> dict[str, Any]:
    """Open, render and read mutants of a kind, in one process; return what they came to.

    foreign: (number, error) of those that ended in another exception than ours. slow: (number, seconds). ours: how many were refused.
    """
    import time
    import traceback

    from tests.trust import mutants

    good = mutants.seeds(kind)
    forms = [gfdocs.open_template(samples_form(), kind="xlsx", name="form.xlsx")] if kind == "xlsx" else []
    found: dict[str, Any] = {"foreign": [], "slow": [], "ours": 0, "fine": 0, "unforeseen": []}
    for number in range(start, stop):
        data = mutants.mutate(kind, good[number % len(good)], number)
        begun = time.process_time()
        refused = False
        for act in _acts(kind, data, forms):
            try:
                act()
            except gfdocs.GfdocsError as fault:
                refused = True
                found["unforeseen"] += [(number, str(issue.fact)) for issue in fault.issues if issue.code == "GF223"]
            except Exception as fault:
                last = traceback.extract_tb(fault.__traceback__)[-1]
                found["foreign"].append(
                    (number, f"{type(fault).__name__}: {str(fault)[:120]} at {Path(last.filename).name}:{last.lineno}")
                )
        seconds = time.process_time() - begun
        found["ours" if refused else "fine"] += 1
        if seconds > 1.0:
            found["slow"].append((number, round(seconds, 2)))
    return found


def samples_form() -> bytes:
    from tests.trust import samples

    return samples.form()


def _acts(kind: str, data: bytes, forms: list[Any]) -> Any:
    """Return all that can be done with a file of this kind."""
    if kind in ("docx", "xlsx", "svg"):
        yield (
            lambda: (
                gfdocs.open_template(data, kind=kind, name=f"mutant.{kind}").render(BLANK, missing="blank").to_bytes()
            )
        )  # type: ignore[arg-type]
        for form in forms:
            yield lambda form=form: form.read(data, name="mutant.xlsx")
    if kind == "docx":
        yield lambda: gfdocs.check_docx(data)
    if kind in ("yaml", "csv", "xlsx"):
        yield lambda: load_project({f"companies.{kind}": data})
    if kind == "yaml":
        yield lambda: load_project({"gfdocs.yaml": data})
        yield lambda: load_project({"templates/catalogue.yaml": data})


def batch_with_little_disk(project: str, out: str, limit: int) -> None:
    """Run a batch where no file may grow beyond so many bytes."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    loaded = gfdocs.load(project)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    gfdocs.batch(loaded, out)


def save_with_little_disk(data: bytes, target: str, limit: int) -> None:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    document = gfdocs.open_template(data, kind="docx").render({"name": "甲"})
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    document.save(target)


def batch_to(out: str) -> None:
    gfdocs.batch(gfdocs.load(EXAMPLE), out)


def save_to(data: bytes, target: str) -> None:
    gfdocs.open_template(data, kind="docx").render({"name": "甲"}).save(target)


def open_path(path: str) -> None:
    gfdocs.open_template(path)


def load_path(path: str) -> None:
    gfdocs.load(path)


def collect_path(path: str) -> None:
    gfdocs.collect(path, gfdocs.load(EXAMPLE))
