"""Filling a workbook template: gfdocs beside its peers, the same template and data, in one run.

    python benchmarks/xlsx.py [--rows 100 10000 100000] [--limit 120] [--peers PATH]

Each engine runs in a process of its own: CPU seconds are the least of several runs, memory is the highest
resident size above the process before its first run. The template has 12 columns, a merged two-row heading, a drop-down, a
conditional format, a filter, print titles and area, frozen panes, row heights, number formats, a formula in each row, totals and
signatures below the list.

openpyxl's script makes the same workbook as gfdocs, which `--check` (and each run, at 100 rows) proves cell by cell: values, formulas, styles,
row heights, merges, the ranges of the drop-down, format, filter and print area, the totals and the signatures moved down. Each row gets the
template row's look by `cell._style = copy(…)`, the quickest way there is: copying font, border, fill and number format one by one, as the
documentation has it, takes more than ten times as long. What openpyxl cannot do is left out: the values of the formulas (gfdocs computes
them), and texts that begin with `=` kept as texts.

XlsxWriter and rustpy-xlsxwriter write a fresh sheet without any of that: they do less, and are here as the floor of writing.
xltpl and xlsx-template fill the template but leave totals and formulas behind. What is not installed is left out and said so.
`--peers` is a folder with further packages (rustpy-xlsxwriter) and `node_modules` (xlsx-template).
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

COLUMNS = ("no", "name", "code", "district", "industry", "output", "energy", "year", "level", "contact", "phone")
HEADINGS = (
    "序号",
    "企业名称",
    "统一社会信用代码",
    "所在区县",
    "所属行业",
    "产值",
    "综合能耗",
    "年度",
    "级别",
    "联系人",
    "联系电话",
    "单位能耗",
)
ENGINES = ("gfdocs", "gfdocs (zlib)", "openpyxl", "XlsxWriter", "rustpy-xlsxwriter", "xltpl", "xlsx-template")


def make_rows(count: int) -> list[dict[str, Any]]:
    """Return `count` companies of the benchmark: texts, codes, numbers."""
    return [
        {
            "no": i + 1,
            "name": f"示例第{i}节能装备制造有限公司",
            "code": f"91320500MA{i:08d}",
            "district": f"示例区{i % 10}",
            "industry": "通用设备制造业",
            "output": 1000 + i * 1.25,
            "energy": 10 + i % 977,
            "year": 2020 + i % 4,
            "level": "省级" if i % 3 else "国家级",
            "contact": f"联系人{i % 500}",
            "phone": f"0512-{60000000 + i}",
        }
        for i in range(count)
    ]


def draw_template(style: str) -> bytes:
    """Return the template with the tags of one engine: gfdocs, xltpl, xlsx-template or none (openpyxl fills it by code)."""
    import openpyxl
    from openpyxl.formatting.rule import CellIsRule
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.worksheet.datavalidation import DataValidation

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "名单"
    side = Side(style="thin")
    border = Border(side, side, side, side)
    sheet["A1"] = "绿色工厂名单"
    sheet.merge_cells("A1:L1")
    for column, heading in enumerate(HEADINGS, 1):
        sheet.cell(2, column, heading).font = Font(bold=True)
        sheet.merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)
    item = 4 if style != "gfdocs" else 5
    for column, name in enumerate(COLUMNS, 1):
        tag = {
            "gfdocs": f"{{{{ c.{name} }}}}",
            "xltpl": f"{{{{ c.{name} }}}}",
            "xlsx-template": f"${{table:rows.{name}}}",
        }.get(style)
        sheet.cell(item, column, tag)
    sheet.cell(item, 12, f"=G{item}/F{item}")
    for column in range(1, 13):
        cell = sheet.cell(item, column)
        cell.border = border
        cell.alignment = Alignment(horizontal="left" if column in (2, 5) else "center", vertical="center")
        cell.number_format = {6: "#,##0.00", 12: "0.0000"}.get(column, "General")
    sheet.row_dimensions[item].height = 21
    total = item + (2 if style == "gfdocs" else 1)
    if style == "gfdocs":
        sheet.cell(4, 1, "{%tr for c in rows %}")
        sheet.cell(6, 1, "{%tr endfor %}")
    sheet.cell(total, 1, "合计")
    sheet.cell(total, 6, f"=SUM(F{item}:F{item})")
    sheet.cell(total, 7, f"=SUM(G{item}:G{item})")
    for column in range(1, 13):
        sheet.cell(total, column).border = border
        sheet.cell(total, column).font = Font(bold=True)
    sheet.row_dimensions[total].height = 26
    sheet.cell(total + 2, 1, "填表人：").font = Font(italic=True)
    sheet.merge_cells(start_row=total + 2, end_row=total + 2, start_column=1, end_column=4)
    choice = DataValidation("list", formula1='"国家级,省级,市级"')
    choice.add(f"I{item}:I{item}")
    sheet.add_data_validation(choice)
    sheet.conditional_formatting.add(
        f"G{item}:G{item}", CellIsRule("greaterThan", ["900"], fill=PatternFill("solid", bgColor="FFF3C4"))
    )
    sheet.auto_filter.ref = f"A3:L{item}"
    sheet.print_title_rows = "1:3"
    sheet.print_area = f"A1:L{total}"
    sheet.freeze_panes = "C4"
    if style == "xltpl":
        from openpyxl.comments import Comment

        sheet.cell(item, 1).comment = Comment("beforerow{% for c in rows %}", "x")
        sheet.cell(total, 1).comment = Comment("beforerow{% endfor %}", "x")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# -- the engines: each gives a function that makes one file ------------------------------------------------------------


def prepare_gfdocs(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    from gfdocs.engine.template import open_template

    template = open_template(draw_template("gfdocs"), kind="xlsx")
    return lambda out: out.write_bytes(template.render({"rows": rows}).to_bytes()) and None  # type: ignore[func-returns-value]


def prepare_zlib(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    sys.modules["isal"] = None  # type: ignore[assignment]
    return prepare_gfdocs(folder, rows)


def prepare_openpyxl(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    from copy import copy

    import openpyxl
    from openpyxl.formatting.formatting import ConditionalFormattingList

    path = folder / "template.xlsx"
    path.write_bytes(draw_template(""))

    def run(out: Path) -> None:
        book = openpyxl.load_workbook(path)
        sheet = book.active
        last = 3 + len(rows)
        heights = [sheet.row_dimensions[number].height for number in (4, 5, 6, 7)]
        looks = [copy(sheet.cell(4, column)._style) for column in range(1, 13)]
        # The tail: openpyxl moves its cells, not its merges, heights and formulas.
        sheet.unmerge_cells("A7:D7")
        sheet.insert_rows(5, len(rows) - 1)
        sheet.merge_cells(start_row=last + 3, end_row=last + 3, start_column=1, end_column=4)
        for offset, height in enumerate(heights[1:], 1):
            sheet.row_dimensions[last + offset].height = height
        sheet.cell(last + 1, 6, f"=SUM(F4:F{last})")
        sheet.cell(last + 1, 7, f"=SUM(G4:G{last})")
        for number, row in enumerate(rows, 4):
            for column, name in enumerate(COLUMNS, 1):
                sheet.cell(number, column, row[name])._style = copy(looks[column - 1])
            sheet.cell(number, 12, f"=G{number}/F{number}")._style = copy(looks[11])
            sheet.row_dimensions[number].height = heights[0]
        for choice in sheet.data_validations.dataValidation:
            choice.sqref = openpyxl.worksheet.cell_range.MultiCellRange(f"I4:I{last}")
        formats, sheet.conditional_formatting = sheet.conditional_formatting, ConditionalFormattingList()
        for area in formats:
            for rule in area.rules:
                sheet.conditional_formatting.add(f"G4:G{last}", rule)
        sheet.auto_filter.ref = f"A3:L{last}"
        sheet.print_area = f"A1:L{last + 1}"
        book.save(out)

    return run


def find_differences(count: int = 100) -> list[str]:
    """Return where openpyxl's workbook differs from gfdocs's, both read by openpyxl; none if the two do the same work."""
    import openpyxl

    described = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for prepare in (prepare_gfdocs, prepare_openpyxl):
            prepare(folder, make_rows(count))(folder / "out.xlsx")
            described.append(_describe(openpyxl.load_workbook(folder / "out.xlsx")))
    ours, theirs = described
    return [
        f"{key}: {ours.get(key)} | {theirs.get(key)}" for key in {**ours, **theirs} if ours.get(key) != theirs.get(key)
    ]


def _describe(book: Any) -> dict[str, Any]:
    sheet = book.active
    found: dict[str, Any] = {
        f"{cell.coordinate}": (cell.value, cell.number_format, cell.font.b, cell.font.i, cell.border.left.style,
                               cell.alignment.horizontal, cell.alignment.vertical, cell.fill.fgColor.rgb)
        for row in sheet.iter_rows() for cell in row if cell.value is not None or cell.has_style
    }  # fmt: skip
    found["heights"] = {n: d.height for n, d in sheet.row_dimensions.items() if d.height}
    found["merges"] = sorted(map(str, sheet.merged_cells.ranges))
    found["validations"] = [(str(v.sqref), v.formula1) for v in sheet.data_validations.dataValidation]
    found["formats"] = [
        (str(area.sqref), [rule.operator for rule in area.rules]) for area in sheet.conditional_formatting
    ]
    found["page"] = (sheet.auto_filter.ref, sheet.print_area, sheet.print_title_rows, sheet.freeze_panes)
    return found


def prepare_xlsxwriter(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    import xlsxwriter

    def run(out: Path) -> None:
        book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False})
        sheet = book.add_worksheet("名单")
        sheet.write_row(0, 0, HEADINGS)
        for number, row in enumerate(rows, 1):
            for column, name in enumerate(COLUMNS):
                sheet.write(number, column, row[name])
            sheet.write_formula(number, 11, f"=G{number + 1}/F{number + 1}")
        book.close()

    return run


def prepare_rustpy(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    from rustpy_xlsxwriter import FastExcel

    def run(out: Path) -> None:
        FastExcel(str(out)).sheet("名单", [{**row, "ratio": row["energy"] / row["output"]} for row in rows]).save()

    return run


def prepare_xltpl(folder: Path, rows: list[dict[str, Any]]) -> Callable[[Path], None]:
    from xltpl.writerx import BookWriter

    path = folder / "template.xlsx"
    path.write_bytes(draw_template("xltpl"))

    def run(out: Path) -> None:
        writer = BookWriter(str(path))
        writer.render_sheet({"rows": rows, "tpl_name": "名单", "sheet_name": "名单"})
        writer.save(str(out))

    return run


PREPARE: dict[str, Callable[[Path, list[dict[str, Any]]], Callable[[Path], None]]] = {
    "gfdocs": prepare_gfdocs,
    "gfdocs (zlib)": prepare_zlib,
    "openpyxl": prepare_openpyxl,
    "XlsxWriter": prepare_xlsxwriter,
    "rustpy-xlsxwriter": prepare_rustpy,
    "xltpl": prepare_xltpl,
}


# -- measuring ---------------------------------------------------------------------------------------------------------


def run_child(engine: str, count: int, folder: Path) -> dict[str, Any]:
    """Run one engine in this process and return what it took."""
    rows = make_rows(count)
    out = folder / "out.xlsx"
    make = PREPARE[engine](folder, rows)
    PREPARE[engine](folder, make_rows(20))(out)  # warm: imports and caches
    base = _resident()
    runs = 20 if count <= 100 else 7 if count <= 10_000 else 3
    cpu, wall = [], []
    for _ in range(runs):
        a, b = time.process_time(), time.perf_counter()
        make(out)
        cpu.append(time.process_time() - a)
        wall.append(time.perf_counter() - b)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu": min(cpu), "wall": min(wall), "memory": max(0.0, peak - base), "size": out.stat().st_size / 1e6}


def _resident() -> float:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


NODE = """
const XlsxTemplate = require('xlsx-template'), fs = require('fs');
const [template, data, out, runs] = process.argv.slice(2);
const source = fs.readFileSync(template), values = JSON.parse(fs.readFileSync(data));
let best = 1e9; const base = process.memoryUsage.rss();
for (let i = 0; i < +runs; i++) {
  const a = process.cpuUsage();
  const t = new XlsxTemplate(source); t.substitute(1, values);
  fs.writeFileSync(out, t.generate({type: 'nodebuffer'}));
  const b = process.cpuUsage(a); best = Math.min(best, (b.user + b.system) / 1e6);
}
const m = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({cpu: best, wall: best, memory: m - base / 1048576, size: fs.statSync(out).size / 1e6}));
"""


def measure(engine: str, count: int, limit: float, peers: Path | None) -> dict[str, Any] | str:
    """Return what one engine took in a process of its own, or why it did not."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = dict(os.environ)
        if engine == "xlsx-template":
            if shutil.which("node") is None:
                return "no Node"
            (folder / "run.js").write_text(NODE, encoding="utf-8")
            template = _for_xlsx_template(draw_template("xlsx-template"))
            (folder / "t.xlsx").write_bytes(template)
            (folder / "d.json").write_text(json.dumps({"rows": make_rows(count)}), encoding="utf-8")
            environment["NODE_PATH"] = str((peers or Path()) / "node_modules")
            command = ["node", "--max-old-space-size=6000", str(folder / "run.js"), str(folder / "t.xlsx"), str(folder / "d.json"), str(folder / "o.xlsx"), "3"]  # fmt: skip
        else:
            parts = [str(Path(__file__).resolve().parents[1]), environment.get("PYTHONPATH", "")]
            environment["PYTHONPATH"] = os.pathsep.join([*parts, str(peers or "")])
            command = [sys.executable, __file__, "--child", engine, str(count), str(folder)]
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return f"> {limit:.0f} s"
        if done.returncode:
            lines = [line for line in done.stderr.strip().splitlines() if "Error" in line]
            last = (lines or done.stderr.strip().splitlines() or ["failed"])[-1]
            return "not installed" if "No module named" in last or "Cannot find module" in done.stderr else last[:60]
        return json.loads(done.stdout.strip().splitlines()[-1])  # type: ignore[no-any-return]


def _for_xlsx_template(data: bytes) -> bytes:
    """xlsx-template reads neither the absolute targets nor the inline texts that openpyxl writes: give it what Excel writes."""
    import re
    import zipfile

    texts: list[bytes] = []

    def share(match: re.Match[bytes]) -> bytes:
        texts.append(match[2])
        return match[1] + b' t="s"><v>%d</v></c>' % (len(texts) - 1)

    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = source.read(name)
            if name.startswith("xl/worksheets/sheet"):
                part = re.sub(rb'(<c [^>]*?) t="inlineStr"><is><t>(.*?)</t></is></c>', share, part)
            elif name.endswith("workbook.xml.rels"):
                part = part.replace(b'Target="/xl/', b'Target="')
                kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
                shared = b'<Relationship Id="rId99" Type="%s" Target="sharedStrings.xml"/></Relationships>' % kind
                part = part.replace(b"</Relationships>", shared)
            elif name == "[Content_Types].xml":
                kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
                part = part.replace(
                    b"</Types>", b'<Override PartName="/xl/sharedStrings.xml" ContentType="%s"/></Types>' % kind
                )
            if name != "xl/sharedStrings.xml":
                target.writestr(name, part)
        items = b"".join(b"<si><t>%s</t></si>" % text for text in texts)
        namespace = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        target.writestr(
            "xl/sharedStrings.xml",
            b'<sst xmlns="%s" count="%d" uniqueCount="%d">%s</sst>' % (namespace, len(texts), len(texts), items),
        )
    return out.getvalue()


def measure_reading(count: int) -> None:
    """Reading back: a filled form of `count` rows, by its template and by openpyxl's full load."""
    import openpyxl

    from gfdocs.engine.template import open_template

    template = open_template(draw_template("gfdocs"), kind="xlsx")
    data = template.render({"rows": make_rows(count)}).to_bytes()
    ways: dict[str, Callable[[], Any]] = {
        "gfdocs": lambda: template.read(data, name="form.xlsx"),
        "openpyxl": lambda: openpyxl.load_workbook(io.BytesIO(data)),
    }
    taken = {}
    for name, way in ways.items():
        best = 1e9
        for _ in range(7):
            start = time.process_time()
            way()
            best = min(best, time.process_time() - start)
        taken[name] = best
    ratio = taken["openpyxl"] / taken["gfdocs"]
    print(
        f"\nreading {count:,} rows back: gfdocs {taken['gfdocs']:.3f} s, openpyxl {taken['openpyxl']:.3f} s CPU: {ratio:.1f}x"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, nargs="+", default=[100, 10_000, 100_000])
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument("--limit", type=float, default=180)
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--check", action="store_true", help="only compare openpyxl's workbook with gfdocs's")
    parser.add_argument("--child", nargs=3)
    arguments = parser.parse_args()
    if arguments.child:
        engine, count, folder = arguments.child
        print(json.dumps(run_child(engine, int(count), Path(folder))))
        return
    differences = find_differences()
    if differences or arguments.check:
        print("\n".join(differences[:20]) or "gfdocs and openpyxl make the same workbook (100 rows)")
        sys.exit(1 if differences else 0)
    print(f"{dt.date.today()} Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for count in arguments.rows:
        print(
            f"\n{count:,} rows x 12 columns\n{'engine':<20}{'CPU s':>9}{'wall s':>9}{'ratio':>8}{'MB above':>10}{'file MB':>9}"
        )
        results = {engine: measure(engine, count, arguments.limit, arguments.peers) for engine in arguments.engines}
        base = results.get("openpyxl")
        for engine, found in results.items():
            if isinstance(found, str):
                print(f"{engine:<20}  {found}")
                continue
            ratio = f"{base['cpu'] / found['cpu']:.1f}x" if isinstance(base, dict) else ""
            print(
                f"{engine:<20}{found['cpu']:>9.3f}{found['wall']:>9.3f}{ratio:>8}{found['memory']:>10.0f}{found['size']:>9.1f}"
            )
    measure_reading(10_000)


if __name__ == "__main__":
    main()
