"""A whole round in one run: Suzhou's size beside docxtpl and openpyxl file by file, and a synthetic country.

    python benchmarks/batch.py                    Suzhou: 10 districts, 91 companies
    python benchmarks/batch.py --country          also 1,300 districts, 20,000 companies, with 1, 2 workers and as zips
    python benchmarks/batch.py --country --steps 1000 5000 20000      how time and memory grow

Every company and figure is fictitious. Each measurement is a process of its own, from the start of the interpreter to the
files on disk (`cold`: the command `gfdocs batch`), data loaded and checked, everything flushed; `warm` is a second batch in the same process. CPU seconds stand
beside wall seconds, for the machine may be shared. The peer does less: it checks nothing, and its workbooks are rows
written at the place of the tags, with no formula, validation or print area moved, its drawings texts with no line fitted.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
ROOT = HERE.parent.parent
# A script beside this one is called docx as python-docx is: this folder must not be searched.
sys.path[:] = [str(ROOT), *(path for path in sys.path if Path(path or ".").resolve() != HERE.parent)]

CITY = (
    "张家港市",
    "常熟市",
    "太仓市",
    "昆山市",
    "吴江区",
    "吴中区",
    "相城区",
    "姑苏区",
    "苏州工业园区",
    "苏州高新区（虎丘区）",
)
SETTINGS = """\
round: {{name: 示例省第三批绿色工厂, year: 2022, batch: 第三批, level: 省级, province: 示例省, city: 示例市, date: 2023-02-10}}
issuer:
  name: 示例市工业和信息化局
  office: 节能与综合利用处
  contact: {{name: 王示例, phone: 0500-12345678}}
source:
  issuer: 示例省工业和信息化厅
  number: 示工信节能〔2023〕22号
  title: 关于公布示例省第三批绿色工厂名单的通知
  date: 2023-01-20
attachments: [province-notice, list, annual-table, cultivation-table, enrolment-table]
deadlines:
  - {{document: annual-table, date: 2023-02-24}}
  - {{document: cultivation-table, date: 2023-02-24}}
  - {{document: enrolment-table, date: 2023-02-24}}
districts:
{districts}
"""
COMPANY = """\
- name: 示例{number:05}精密制造有限公司
  credit_code: {code}
  district: {district}
  industry: 通用设备制造业
  contact: {{name: 张示例, phone: 0500-{phone}}}
  summary:
    text: 全年完成余热回收改造，厂房屋顶光伏并网运行，单位产品综合能耗连续三年下降；危险废物全部交由有资质单位处置。
    output_value: {value}
    energy: {energy}
    projects:
    - {{name: 屋顶分布式光伏, investment: 2900, benefit: 年发电约560万千瓦时}}
    - {{name: 空压机余热回收, investment: 180, benefit: 年节约标准煤约210吨}}
  plan:
    text: 单位产品综合能耗再下降3%，完成主要产品碳足迹核算。
    projects:
    - {{name: 中水回用二期, investment: 420, due: 2023-12, benefit: 废水回用率提高到65%}}
  indicators:
  - {{name: 单位产品综合能耗, unit: 千克标准煤/件, last: 2.86, current: 2.71, target: 2.62}}
  - {{name: 单位产品废水产生量, unit: 吨/件, last: 0.85, current: 0.79, target: 0.72}}
  - {{name: 工业固体废物综合利用率, unit: '%', last: 91.5, current: 93.2, target: 95.0}}
"""


def credit_code(number: int) -> str:
    """Return a fictitious code with right check characters."""
    from gfdocs.data.codes import credit_check_character, organisation_check_character

    body = f"M{number:07d}"
    head = "91320500" + body + organisation_check_character(body)
    return head + credit_check_character(head)


def write_round(folder: Path, districts: tuple[str, ...], companies: int) -> None:
    """Write the project folder of a round: the companies dealt out over the districts, most of them full of data."""
    folder.mkdir(parents=True)
    lines = "\n".join(f'  - {{name: {name}, code: "{100000 + i}"}}' for i, name in enumerate(districts))
    (folder / "gfdocs.yaml").write_text(SETTINGS.format(districts=lines), encoding="utf-8")
    entries = (
        COMPANY.format(
            number=number, code=credit_code(number), district=districts[number * len(districts) // companies],
            phone=10_000_000 + number, value=10_000 + number, energy=1_000 + number % 500,
        )
        for number in range(companies)
    )  # fmt: skip
    (folder / "companies.yaml").write_text("companies:\n" + "".join(entries), encoding="utf-8")


def country(companies: int) -> tuple[str, ...]:
    """Return the districts of thirteen made-up provinces, a hundred each where there are 20,000 companies."""
    each = max(1, companies * 100 // 20_000)
    return tuple(f"示例{province:02}省{number:03}区" for province in range(1, 14) for number in range(1, each + 1))


# -- the children --


def run_gfdocs(folder: str, out: str, workers: int, zipped: bool, rounds: int) -> dict[str, Any]:
    """Load, check and make everything; report times since the interpreter began and the phases."""
    import gfdocs

    loaded_at = time.perf_counter()
    project = gfdocs.load(folder)
    load = time.perf_counter() - loaded_at
    times, spent, report = [], [], None
    for number in range(rounds):
        target = f"{out}-{number}"
        began, used = time.perf_counter(), cpu_seconds()
        manifest = gfdocs.batch(project, target, workers=workers, zip=zipped, clock=time.perf_counter)
        times.append(time.perf_counter() - began)
        spent.append(cpu_seconds() - used)
        report = manifest.report
        assert manifest.ok, [issue for issue in manifest.issues if issue.severity == "error"][:3]
    assert report is not None
    return {"load": load, "batch": times, "cpus": spent, "files": report.made}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def run_peer(folder: str, out: str, limit: int) -> dict[str, Any]:
    """Make the same documents as docxtpl's and openpyxl's manuals show: open, fill, save, file by file."""
    import docxtpl
    import jinja2
    import openpyxl

    import gfdocs
    from gfdocs.batch import plan
    from gfdocs.engine.filters import FILTERS

    project = gfdocs.load(folder)
    jobs = plan(project)
    step = max(1, len(jobs) // limit) if limit else 1
    spent: dict[str, list[float]] = {}
    for job in jobs[::step]:
        target = project.targets(job.document)[job.target]
        context = project.context_of(project.get_document(job.document), target)
        template = project.get_document(job.document).templates[job.kind]
        path = Path(out, job.path)
        path.parent.mkdir(parents=True, exist_ok=True)
        began = time.process_time()
        if job.kind == "docx":
            document = docxtpl.DocxTemplate(template)
            environment = jinja2.Environment(autoescape=True)
            environment.filters.update(FILTERS)
            document.render(context, environment)
            document.save(path)
        elif job.kind == "xlsx":
            fill_workbook(openpyxl.load_workbook(template), context).save(path)
        else:
            environment = jinja2.Environment(autoescape=True)
            text = environment.from_string(template.read_text(encoding="utf-8")).render(context)
            path.write_text(text, encoding="utf-8")
        spent.setdefault(job.kind, []).append(time.process_time() - began)
    counts = {kind: sum(job.kind == kind for job in jobs) for kind in spent}
    whole = sum(sum(times) / len(times) * counts[kind] for kind, times in spent.items())
    done = sum(len(times) for times in spent.values())
    return {
        "seconds": whole,
        "files": len(jobs),
        "measured": done,
        "each": {k: sum(t) / len(t) for k, t in spent.items()},
    }


def fill_workbook(book: Any, context: dict[str, Any]) -> Any:
    """Write titles and one row a company at the place of the tags."""
    companies = (context.get("district") or {}).get("listed") or [c for g in context["groups"] for c in g["companies"]]
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                value = cell.value
                if isinstance(value, str) and "{%tr for" in value:
                    for index, company in enumerate(companies):
                        for column, name in enumerate(
                            ("name", "credit_code", "district", "industry", "level", "batch"), 2
                        ):
                            below = sheet.cell(cell.row + index, column)
                            if (
                                not isinstance(below, type(None))
                                and hasattr(below, "value")
                                and below.coordinate not in sheet.merged_cells
                            ):
                                below.value = company[name]
                elif isinstance(value, str) and "{" in value:
                    cell.value = str(context["document"]["title"])
    return book


# -- the parent --


def measure(*arguments: str) -> dict[str, Any]:
    """Run a child; return what it reports, with its wall and CPU seconds and peak memory, its own children included."""
    wall, cpu, said = run_timed([sys.executable, str(HERE), *arguments])
    return {**json.loads(said.splitlines()[-1]), "wall": wall, "cpu": cpu}


def measure_command(folder: str, out: str, workers: str) -> dict[str, Any]:
    """Run `gfdocs batch` as a user does; return wall and CPU seconds from the start of the interpreter to its end."""
    wall, cpu, _ = run_timed([sys.executable, "-m", "gfdocs", "batch", folder, "-o", out, "-j", workers])
    return {"wall": wall, "cpu": cpu}


def run_timed(command: list[str]) -> tuple[float, float, str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    ended = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        sys.exit(ended.stderr[-3000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, ended.stdout


def show_suzhou(work: Path) -> None:
    write_round(work / "city", CITY, 91)
    city = str(work / "city")
    peer = measure("--child", "peer", city, str(work / "peer"), "0")
    warm = measure("--child", "gfdocs", city, str(work / "warm"), "1", "", "5")
    cold = {
        workers: min(
            (measure_command(city, str(work / f"c{workers}{n}"), workers) for n in range(5)),
            key=lambda r: r["wall"],
        )
        for workers in ("1", "2")
    }
    files = warm["files"]
    print(f"\nSuzhou's size: 10 districts, 91 companies, {files} files; CPU seconds, ratio by them, and wall seconds")
    each = ", ".join(f"{kind} {seconds * 1000:.1f} ms" for kind, seconds in sorted(peer["each"].items()))
    print(f"  docxtpl + openpyxl, file by file     {peer['seconds']:6.2f} s ({each}; imports and data not counted)")
    rows = [("a batch in a running script", min(warm["cpus"][1:]), min(warm["batch"][1:]))]
    rows += [
        (f"cold start to disk, -j {workers}", min(found["cpu"] for found in [cold[workers]]), cold[workers]["wall"])
        for workers in cold
    ]
    for name, cpu, wall in rows:
        print(
            f"  gfdocs, {name:28} {cpu:6.2f} s {peer['seconds'] / cpu:6.1f} x   wall {wall:5.2f} s, {files / wall:6.0f} files/s"
        )


def show_country(work: Path, steps: list[int]) -> None:
    print("\nA synthetic country, cold start to files on disk")
    for companies in steps:
        folder = work / f"country{companies}"
        write_round(folder, country(companies), companies)
        for workers, zipped in ((1, ""), (2, ""), (2, "zip")):
            if companies != max(steps) and (workers, zipped) != (2, ""):
                continue
            # Outputs are kept until the end: ext4 is slow to give out inodes just after many were given back.
            out = work / f"out{companies}-{workers}{zipped}"
            found = measure("--child", "gfdocs", str(folder), str(out), str(workers), zipped, "1")
            rate = found["files"] / found["batch"][0]
            print(
                f"  {companies:6} companies {found['files']:6} files {'zips   ' if zipped else 'folders'} {workers} workers: "
                f"load {found['load']:6.2f} s, batch {found['batch'][0]:6.2f} s = {rate:6.0f} files/s; "
                f"batch cpu {found['cpus'][0]:6.1f} s = {found['cpus'][0] / found['files'] * 1000:.2f} ms a file, memory {found['own']} MB + {found['worker']} MB a worker"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--country", action="store_true", help="also a country of 20,000 companies")
    parser.add_argument("--only-country", action="store_true")
    parser.add_argument("--steps", type=int, nargs="+", default=[20_000], help="numbers of companies")
    parser.add_argument("--folder", help="where to write (a folder on the disk to measure); a temporary one by default")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, *rest = options.child
        if what == "peer":
            found = run_peer(rest[0], rest[1], int(rest[2]))
        else:
            found = run_gfdocs(rest[0], rest[1], int(rest[2]), rest[3] == "zip", int(rest[4]))
        found["own"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        found["worker"] = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(json.dumps(found, ensure_ascii=False))
        return
    # As pip does when it installs: what starts cold reads bytecode, however this machine treats a checkout.
    compileall.compile_dir(ROOT / "gfdocs", quiet=1)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        if not options.only_country:
            show_suzhou(Path(folder))
        if options.country or options.only_country:
            show_country(Path(folder), options.steps)


if __name__ == "__main__":
    main()
