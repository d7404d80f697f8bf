"""How long a province of companies takes to load and check, beside PyYAML's C loader alone on the same file.

    python benchmarks/data.py                 20,000 companies, list and full data
    python benchmarks/data.py 2000 --rounds 3

Each measurement is a process of its own: CPU seconds (best of the rounds), wall seconds, memory. `gfdocs` is
`load_dataset`: decoding, parsing with positions, duplicate keys, types, credit codes, districts, duplicate companies.
`CSafeLoader` is `yaml.load(text, Loader=yaml.CSafeLoader)`, which checks nothing and keeps no positions; once as it is
used, once with the garbage collector switched off.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

DISTRICTS = (
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
round: {name: 示例省第三批绿色工厂, year: 2022, date: 2023-02-10}
issuer: {name: 苏州市工业和信息化局}
source: {issuer: 江苏省工业和信息化厅, number: 苏工信节能〔2023〕22号, title: 关于公布名单的通知, date: 2023-02-06}
districts: [%s]
"""


def credit_code(number: int) -> str:
    """A fictitious code with right check characters."""
    from gfdocs.data.codes import credit_check_character, organisation_check_character

    body = f"M{number:07d}"
    head = "91320500" + body + organisation_check_character(body)
    return head + credit_check_character(head)


def list_entry(number: int) -> str:
    return f"""\
  - name: 示例第{number}精密制造有限公司
    credit_code: {credit_code(number)}
    district: {DISTRICTS[number % 10]}
    category: 绿色工厂
    level: 省级
    batch: 第三批
    year: 2022
    industry: 通用设备制造业
    contact: {{name: 张三, phone: 0512-{60000000 + number}}}
"""


def full_entry(number: int) -> str:
    return (
        list_entry(number)
        + f"""\
    summary:
      text: 建成屋顶光伏，完成空压机节能改造，单位产值综合能耗比上年下降 3%。
      output_value: {10_000 + number}
      energy: {1000 + number % 50}
      projects:
        - {{name: 屋顶光伏, investment: 1200, benefit: 年发电 80 万千瓦时}}
    plan:
      text: 单位产值能耗再降 3%。
      projects:
        - {{name: 余热回收, investment: 500, due: 2023年12月}}
    indicators:
      - {{name: 单位产值综合能耗, unit: kgce/万元, last: 10.5, current: 9.8, target: 9.5}}
      - {{name: 工业用水重复利用率, unit: "%", last: 90, current: 92, target: 93}}
      - {{name: 一般工业固体废物综合利用率, unit: "%", last: 95.1, current: 96.2, target: 97}}
"""
    )


def write_project(folder: Path, count: int, kind: str) -> Path:
    entry = list_entry if kind == "list" else full_entry
    (folder / "gfdocs.yaml").write_text(SETTINGS % ", ".join(DISTRICTS), encoding="utf-8")
    with (folder / "companies.yaml").open("w", encoding="utf-8") as stream:
        stream.write("companies:\n")
        stream.writelines(entry(number) for number in range(count))
    return folder / "companies.yaml"


def run_one(engine: str, file: Path) -> None:
    """Load once, in this process, and print what it took as JSON."""
    if engine == "gfdocs":
        from gfdocs.data.load import load_dataset

        start, wall = time.process_time(), time.perf_counter()
        size = len(load_dataset(file.parent).companies)
    else:
        import gc

        import yaml

        text = file.read_text(encoding="utf-8")
        if engine.endswith("no gc"):
            gc.disable()
        start, wall = time.process_time(), time.perf_counter()
        size = len(yaml.load(text, Loader=yaml.CSafeLoader)["companies"])
    cpu, wall = time.process_time() - start, time.perf_counter() - wall
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"cpu": cpu, "wall": wall, "memory": memory, "size": size}))


def measure(engine: str, file: Path, rounds: int) -> dict[str, float]:
    runs = []
    for _ in range(rounds):
        done = subprocess.run(
            [sys.executable, __file__, "--one", engine, str(file)], capture_output=True, text=True, check=True
        )
        runs.append(json.loads(done.stdout))
    return min(runs, key=lambda run: run["cpu"])


ENGINES = ("gfdocs", "CSafeLoader", "CSafeLoader, no gc")


def compare(count: int, rounds: int) -> Iterator[str]:
    for kind in ("list", "full"):
        with tempfile.TemporaryDirectory() as folder:
            file = write_project(Path(folder), count, kind)
            yield f"{kind}: {count} companies, {file.stat().st_size / 1e6:.1f} MB"
            found = {engine: measure(engine, file, rounds) for engine in ENGINES}
        ours = found["gfdocs"]["cpu"]
        for engine, run in found.items():
            ratio = "" if engine == "gfdocs" else f"  gfdocs takes {ours / run['cpu']:.2f} of it"
            yield (
                f"  {engine:20} cpu {run['cpu']:7.2f} s  wall {run['wall']:7.2f} s  {run['memory']:6.0f} MB"
                f"  {1e6 * run['cpu'] / count:7.1f} µs/company{ratio}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", nargs="?", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--one", nargs=2, metavar=("ENGINE", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        run_one(options.one[0], Path(options.one[1]))
        return
    for line in compare(options.count, options.rounds):
        print(line, flush=True)


if __name__ == "__main__":
    main()
