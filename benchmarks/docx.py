"""Word documents a second: gfdocs beside docxtpl and others, same template, same data, one run.

    python benchmarks/docx.py [--rows 1 30 1000] [--seconds 2] [--long] [--node node_modules]

Times are CPU seconds of this process (best of the rounds), so that a busy machine changes them little. `fresh` opens the
template for every document, as docxtpl's users must; `reused` keeps the object. gfdocs opens it once, which is counted
on a line of its own. The floor is what no engine can go below: deflate and checksum of the finished parts, the zip, and
writing it to a new file. Every output is checked first: the same text as docxtpl's, paragraph by paragraph.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# This file is called docx as python-docx is: its own folder must not be searched first.
sys.path[:] = [str(ROOT), *(path for path in sys.path if Path(path or ".").resolve() != ROOT / "benchmarks")]

COLUMNS = ("index", "name", "code", "district", "industry", "year", "value", "energy", "contact", "phone")
TITLES = (
    "序号",
    "企业名称",
    "统一社会信用代码",
    "所在地",
    "行业",
    "年度",
    "产值（万元）",
    "能耗（吨标准煤）",
    "联系人",
    "电话",
)


def make_template() -> bytes:
    """Return a notice of three pages: prose, a picture, a table of ten columns, header and footer; about 25 KB."""
    import docx
    from docx.shared import Mm

    document = docx.Document()
    _slim(document)
    section = document.sections[0]
    section.header.paragraphs[0].text = "{{ issuer }}　{{ number }}"
    section.footer.paragraphs[0].text = "{{ issuer }} {{ date }}"
    document.add_heading("关于公布{{ round }}名单的通知", 1)
    document.add_paragraph("{{ addressee }}：")
    document.add_picture(io.BytesIO(_logo()), width=Mm(20))
    for number in range(24):
        document.add_paragraph(
            f"{number + 1}. 根据《绿色工厂梯度培育及管理暂行办法》有关要求，经企业申报、属地推荐、专家评审和公示，现将名单予以公布，"
            "请各地加强指导服务，落实支持政策，推动制造业高端化、智能化、绿色化发展。"
        )
    document.add_paragraph("共 {{ rows|length }} 家，其中{{ leader.name }}等列前。")
    table = document.add_table(rows=4, cols=len(COLUMNS), style="Table Grid")
    for cell, title in zip(table.rows[0].cells, TITLES, strict=True):
        cell.text = title
    table.rows[1].cells[0].text = "{%tr for c in rows %}"
    for cell, column in zip(table.rows[2].cells, COLUMNS, strict=True):
        cell.text = f"{{{{ c.{column} }}}}"
    table.rows[3].cells[0].text = "{%tr endfor %}"
    document.add_paragraph("{{ issuer }}")
    document.add_paragraph("{{ date }}")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _slim(document: Any) -> None:
    """Keep the styles that a hand-made template has: python-docx's default file carries 350 KB of them."""
    keep = {
        "Normal",
        "Heading 1",
        "Table Grid",
        "Header",
        "Footer",
        "Normal Table",
        "Default Paragraph Font",
        "No List",
    }
    styles = document.styles.element
    for style in list(styles):
        name = style.find("{*}name")
        if (
            style.tag.endswith("}style")
            and name is not None
            and name.get(name.keys()[0]).title() not in {k.title() for k in keep}
        ):
            styles.remove(style)
    part = document.part
    for rid, relation in list(part.rels.items()):
        if relation.reltype.endswith("stylesWithEffects"):
            del part.rels[rid]


def _logo() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = 160
    rows = b"".join(b"\0" + bytes((x * y * 7 + x * 13) % 256 for x in range(size)) for y in range(size))
    head = size.to_bytes(4, "big") * 2 + b"\x08\0\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def make_context(rows: int) -> dict[str, Any]:
    """Return the data of one document: every value different, some with signs that XML must escape."""
    companies = [
        {
            "index": number,
            "name": f"示例{number * 7919 % 99991}电子（昆山）R&D 有限公司",
            "code": f"91320583MA{number * 104729 % 10**8:08d}",
            "district": ("昆山市", "张家港市", "常熟市", "太仓市", "吴江区")[number % 5],
            "industry": f"C{3900 + number % 97} 计算机、通信和其他电子设备制造业",
            "year": 2020 + number % 4,
            "value": f"{number * 1237 % 100_000}.{number % 10}",
            "energy": f"{number * 331 % 9_000}",
            "contact": ("张三", "李四", "王五")[number % 3],
            "phone": f"138{number * 48271 % 10**8:08d}",
        }
        for number in range(1, rows + 1)
    ]
    return {
        "issuer": "苏州市工业和信息化局", "number": "【待编号】", "date": "2023年2月10日", "round": "江苏省第三批绿色工厂",
        "addressee": "各县级市（区）工信局", "rows": companies, "leader": companies[0],
    }  # fmt: skip


# ---------------------------------------------------------------------------------------------------------------------
# Engines: each returns the bytes of one document


def docxtpl_fresh(data: bytes) -> Callable[[dict[str, Any]], bytes]:
    import docxtpl

    def make(context: dict[str, Any]) -> bytes:
        template = docxtpl.DocxTemplate(io.BytesIO(data))
        template.render(context, autoescape=True)
        buffer = io.BytesIO()
        template.save(buffer)
        return buffer.getvalue()

    return make


def docxtpl_reused(data: bytes) -> Callable[[dict[str, Any]], bytes]:
    import docxtpl

    template = docxtpl.DocxTemplate(io.BytesIO(data))

    def make(context: dict[str, Any]) -> bytes:
        template.render(context, autoescape=True)
        buffer = io.BytesIO()
        template.save(buffer)
        return buffer.getvalue()

    return make


def gfdocs_with(deflater: str, *, compiled: bool = True) -> Callable[[bytes], Callable[[dict[str, Any]], bytes]]:
    """gfdocs with one of its deflaters; `compiled` False is what an installation without a C compiler runs."""

    def engine(data: bytes) -> Callable[[dict[str, Any]], bytes]:
        from gfdocs.engine import package
        from gfdocs.engine.docx import rows
        from gfdocs.engine.template import open_template

        package.use_deflater(deflater)
        rows.use_compiled(compiled)
        template = open_template(data, kind="docx")
        return lambda context: template.render(context).to_bytes()

    return engine


def mailmerge(data: bytes) -> Callable[[dict[str, Any]], bytes]:
    """docx-mailmerge has no tags but merge fields: the same table and prose with fields in their place."""
    from mailmerge import MailMerge

    source = zipfile.ZipFile(io.BytesIO(data))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml" or re.match(r"word/(header|footer)\d*\.xml", name):
                content = _to_fields(content.decode()).encode()
            out.writestr(name, content)
    fields = buffer.getvalue()

    def make(context: dict[str, Any]) -> bytes:
        with MailMerge(io.BytesIO(fields)) as document:
            rows = [{f"c_{key}": str(value) for key, value in row.items()} for row in context["rows"]]
            document.merge_rows("c_index", rows)
            document.merge(
                count=str(len(rows)),
                leader=context["leader"]["name"],
                **{k: context[k] for k in ("issuer", "number", "date", "round", "addressee")},
            )
            out = io.BytesIO()
            document.write(out)
            return out.getvalue()

    return make


def _to_fields(xml: str) -> str:
    xml = re.sub(r"<w:tr>(?:(?!</w:tr>).)*\{%tr (?:(?!</w:tr>).)*</w:tr>", "", xml, flags=re.DOTALL)
    names = {"rows|length": "count", "leader.name": "leader"}

    def field(found: re.Match[str]) -> str:
        name = names.get(found[1], found[1].replace(".", "_"))
        return (
            f'</w:t></w:r><w:fldSimple w:instr=" MERGEFIELD {name} "><w:r><w:t>«{name}»</w:t></w:r></w:fldSimple>'
            '<w:r><w:t xml:space="preserve">'
        )  # fmt: skip

    return re.sub(r"\{\{ ([\w.|]+) \}\}", field, xml)


# ---------------------------------------------------------------------------------------------------------------------
# Node: the same template in each engine's own words, measured inside node by its own CPU time

_NODE = r"""
const [engine, template, data, seconds] = process.argv.slice(1);
const fs = require("fs");
const bytes = fs.readFileSync(template), values = JSON.parse(fs.readFileSync(data, "utf8"));
const engines = {
  "docxtemplater": () => {
    const PizZip = require("pizzip"), Docxtemplater = require("docxtemplater");
    return async () => new Docxtemplater(new PizZip(bytes)).render(values).getZip()
      .generate({type: "nodebuffer", compression: "DEFLATE"});
  },
  "easy-template-x": () => {
    const {TemplateHandler} = require("easy-template-x");
    return async () => await new TemplateHandler().process(bytes, values);
  },
  "carbone": () => {
    const carbone = require("carbone");
    return () => new Promise((done, fail) => carbone.render(template, values, (e, out) => e ? fail(e) : done(out)));
  },
};
(async () => {
  const make = engines[engine]();
  const out = await make();
  fs.writeFileSync(template + ".out.docx", out);
  await make();
  let best = Infinity, until = Date.now() + 1000 * seconds, rounds = 0;
  while (rounds < 3 || Date.now() < until) {
    const start = process.cpuUsage();
    for (let n = 0; n < 3; n++) await make();
    const spent = process.cpuUsage(start);
    best = Math.min(best, (spent.user + spent.system) / 3e6);
    rounds++;
  }
  console.log(best);
  process.exit(0);
})();
"""


def _to_braces(data: bytes, carbone: bool) -> bytes:
    """Return the template in the words of docxtemplater and easy-template-x, or of carbone."""
    source = zipfile.ZipFile(io.BytesIO(data))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            content = source.read(name)
            if re.match(r"word/(document|header|footer)\d*\.xml", name):
                content = _in_braces(content.decode(), carbone).encode()
            out.writestr(name, content)
    return buffer.getvalue()


def _in_braces(xml: str, carbone: bool) -> str:
    xml = re.sub(r"<w:tr>(?:(?!</w:tr>).)*\{%tr (?:(?!</w:tr>).)*</w:tr>", "", xml, flags=re.DOTALL)
    xml = xml.replace("{{ rows|length }}", "{{ count }}").replace("{{ leader.name }}", "{{ leader_name }}")
    if not carbone:
        xml = xml.replace("{{ c.index }}", "{#rows}{index}").replace("{{ c.phone }}", "{phone}{/rows}")
        return re.sub(r"\{\{ (?:c\.)?(\w+) \}\}", r"{\1}", xml)
    row = re.search(r"<w:tr>(?:(?!</w:tr>).)*\{\{ c\.index(?:(?!</w:tr>).)*</w:tr>", xml, re.DOTALL)
    if row:
        first, second = (re.sub(r"\{\{ c\.(\w+) \}\}", rf"{{d.rows[{i}].\1}}", row.group()) for i in ("i", "i+1"))
        xml = xml.replace(row.group(), first + second)
    return re.sub(r"\{\{ (\w+) \}\}", r"{d.\1}", xml)


def node_engine(name: str, data: bytes, context: dict[str, Any], seconds: float, modules: str) -> tuple[float, bytes]:
    """Return (CPU seconds, document) of a node engine; FileNotFoundError where it is not installed in `modules`."""
    if not (Path(modules) / name).exists():
        raise FileNotFoundError(f"{name} is not in {modules}")
    folder = Path(tempfile.mkdtemp())
    template, values = folder / "t.docx", folder / "c.json"
    template.write_bytes(_to_braces(data, name == "carbone"))
    values.write_text(
        json.dumps({**context, "count": len(context["rows"]), "leader_name": context["leader"]["name"]}),
        encoding="utf-8",
    )
    command = ["node", "-e", _NODE, name, str(template), str(values), str(seconds)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "NODE_PATH": modules}, timeout=300
    )
    document = (folder / "t.docx.out.docx").read_bytes()
    shutil.rmtree(folder)
    return float(done.stdout.split()[-1]), document


# ---------------------------------------------------------------------------------------------------------------------
# Measuring


def best_cpu(function: Callable[[], object], seconds: float) -> float:
    """Return the CPU seconds of the best of at least three rounds."""
    function()
    once = time.process_time()
    function()
    once = max(time.process_time() - once, 1e-6)
    count = max(1, int(0.05 / once))
    best, until, rounds = float("inf"), time.perf_counter() + seconds, 0
    while rounds < 3 or time.perf_counter() < until:
        start = time.process_time()
        for _ in range(count):
            function()
        best = min(best, (time.process_time() - start) / count)
        rounds += 1
    return best


def beside_floor(make: Callable[[], bytes], seconds: float) -> tuple[float, float]:
    """Return the CPU seconds of making a document and writing it to a new file, and those of its floor.

    The floor has the same output ready but for the end: what the data changes (the parts with tags, as XML) is
    deflated and summed with the deflater in use, set into the rest of the package, and written to a new file. The two
    are measured in turns, best round of each, so that what a busy disk costs is the same for both.
    """
    from gfdocs.engine.package import deflate, make_frame, read_package

    package = read_package(make(), name="floor.docx")
    names = [name for name in package.names if name.startswith(("word/document", "word/header", "word/footer"))]
    changed = {name: package.read(name) for name in names}
    frame = make_frame(member for member in package.members if member.name not in changed)

    def at_the_floor() -> bytes:
        return frame.write(deflate(name, content) for name, content in changed.items())

    folder = Path(tempfile.mkdtemp())
    count = max(1, int(0.02 / max(best_cpu(make, 0), 1e-6)))
    best = [float("inf"), float("inf")]
    until, rounds = time.perf_counter() + seconds, 0
    try:
        while rounds < 5 or time.perf_counter() < until:
            for index, work in enumerate((make, at_the_floor)):
                best[index] = min(best[index], _write_files(work, folder, count))
            rounds += 1
    finally:
        shutil.rmtree(folder)
    return best[0], best[1]


def _write_files(make: Callable[[], bytes], folder: Path, count: int) -> float:
    """Return the CPU seconds of making and writing one of `count` new files, which are then taken away."""
    start = time.process_time()
    for number in range(count):
        (folder / f"{number}.docx").write_bytes(make())
    spent = (time.process_time() - start) / count
    for number in range(count):
        (folder / f"{number}.docx").unlink()
    return spent


def texts(data: bytes) -> list[str]:
    import docx

    document = docx.Document(io.BytesIO(data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells] if data else []
    section = document.sections[0]
    return [p.text for p in (*document.paragraphs, *section.header.paragraphs, *section.footer.paragraphs)] + cells


def peak_memory(engine: str, rows: int) -> float:
    """Return the MB of memory that a process of its own gains by rendering one document."""
    code = f"import runpy; print(runpy.run_path({str(Path(__file__))!r})['_peak']({engine!r}, {rows}))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(out.stdout.strip().splitlines()[-1])


def _peak(engine: str, rows: int) -> float:
    data = make_template()
    context = make_context(rows)
    make = ENGINES[engine](data)
    make(make_context(1))
    gc.collect()
    status = Path("/proc/self/status")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
    before = _megabytes(status, "VmRSS")
    make(context)
    return _megabytes(status, "VmHWM") - before


def _megabytes(status: Path, key: str) -> float:
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


ENGINES: dict[str, Callable[[bytes], Callable[[dict[str, Any]], bytes]]] = {
    "docxtpl fresh": docxtpl_fresh,
    "docxtpl reused": docxtpl_reused,
    "docx-mailmerge": mailmerge,
    "gfdocs zlib": gfdocs_with("zlib"),
    "gfdocs isal": gfdocs_with("isal"),
    "  in Python, zlib": gfdocs_with("zlib", compiled=False),
    "  in Python, isal": gfdocs_with("isal", compiled=False),
}


def startup() -> dict[str, float]:
    """Return wall milliseconds, best of 6, of starting: the interpreter alone, with imports, the command line, one document."""
    folder = Path(tempfile.mkdtemp())
    (folder / "t.docx").write_bytes(make_template())
    (folder / "c.json").write_text(json.dumps(make_context(30)), encoding="utf-8")
    one = (
        "import json, gfdocs; t = gfdocs.open_template('t.docx'); "
        "t.render(json.load(open('c.json', encoding='utf-8'))).save('o.docx')"
    )
    theirs = (
        one.replace("gfdocs;", "docxtpl;")
        .replace("gfdocs.open_template", "docxtpl.DocxTemplate")
        .replace(").save", "); t.save")
    )
    commands = {
        "python alone": [sys.executable, "-c", "pass"],
        "import gfdocs": [sys.executable, "-c", "import gfdocs"],
        "import docxtpl": [sys.executable, "-c", "import docxtpl"],
        "gfdocs --help": [
            sys.executable,
            "-c",
            "import sys; sys.argv=['gfdocs','--help']; from gfdocs.cli import main; main()",
        ],
        "one document, gfdocs": [sys.executable, "-c", one],
        "one document, docxtpl": [sys.executable, "-c", theirs],
    }
    found = {}
    for name, command in commands.items():
        best = float("inf")
        for _ in range(6):
            start = time.perf_counter()
            subprocess.run(
                command,
                cwd=folder,
                check=False,
                capture_output=True,
                env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
            )
            best = min(best, time.perf_counter() - start)
        found[name] = best * 1000
    shutil.rmtree(folder)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 30, 1000])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES))
    parser.add_argument(
        "--node", metavar="DIR", help="a node_modules folder with docxtemplater, pizzip, easy-template-x, carbone"
    )
    parser.add_argument("--long", action="store_true", help="also 10,000 and 100,000 rows, memory and start-up")
    arguments = parser.parse_args()
    data = make_template()
    print(f"{dt.date.today()}, Python {sys.version.split()[0]}, template {len(data):,} bytes")
    start = time.process_time()
    from gfdocs.engine.docx import rows as filling
    from gfdocs.engine.template import open_template

    open_template(data, kind="docx")
    if not filling.is_compiled():
        print("the compiled part is not here: `pip install -e .` makes it where a C compiler is")
    print(f"gfdocs opens the template once: {(time.process_time() - start) * 1000:.0f} ms CPU (imports included)\n")
    for rows in arguments.rows:
        print_table(data, rows, arguments)
    if arguments.long:
        print_growth(data)
        print_memory()
        print_startup()


def print_table(data: bytes, rows: int, arguments: argparse.Namespace) -> None:
    context = make_context(rows)
    expected = texts(docxtpl_fresh(data)(context))
    print(f"{rows:,} rows{'':14} ms CPU   docs/s   x docxtpl      bytes")
    base = 0.0
    for name in arguments.engines:
        try:
            make = ENGINES[name](data)
            document = make(context)
        except ImportError as missing:
            print(f"  {name:18} not installed ({missing.name})")
            continue
        if name != "docx-mailmerge" and rows <= 100:
            assert texts(document) == expected, f"{name} gives another text"
        best = best_cpu(lambda make=make: make(context), arguments.seconds)  # type: ignore[misc]
        base = base or best
        print(f"  {name:18} {best * 1000:10.3f} {1 / best:8.0f} {base / best:10.1f} {len(document):11,}")
        if name.startswith(("gfdocs", "  in")):
            whole, low = beside_floor(lambda make=make: make(context), arguments.seconds)  # type: ignore[misc]
            print(f"    written to a file {whole * 1000:7.3f}; its floor {low * 1000:.3f}; distance {whole / low:.2f}x")
    for name in ("docxtemplater", "easy-template-x", "carbone") if arguments.node else ():
        try:
            best, document = node_engine(name, data, context, arguments.seconds, arguments.node)
        except (OSError, subprocess.SubprocessError) as missing:
            print(f"  {name:18} not measured ({str(missing).splitlines()[0][:60]})")
            continue
        same = "same text" if rows > 100 or texts(document) == expected else "ANOTHER TEXT"
        print(f"  {name:18} {best * 1000:10.3f} {1 / best:8.0f} {base / best:10.1f} {len(document):11,} {same}")
    print()


def print_growth(data: bytes) -> None:
    from gfdocs.engine.docx import rows as filling
    from gfdocs.engine.template import open_template

    filling.use_compiled(filling.compiled is not None)
    template = open_template(data, kind="docx")
    print("growth: rows, CPU seconds, microseconds a row")
    for count in (1_000, 10_000, 100_000):
        context = make_context(count)
        start = time.process_time()
        document = template.render(context)
        spent = time.process_time() - start
        print(f"  {count:>7,} {spent:8.3f} {spent / count * 1e6:8.2f}   {len(document.to_bytes()):,} bytes")
    print()


def print_memory() -> None:
    print("peak memory above the warm engine, MB")
    for rows in (30, 1000, 10_000):
        found = {name: peak_memory(name, rows) for name in ("docxtpl fresh", "gfdocs isal")}
        print(f"  {rows:>6,} rows  " + "  ".join(f"{name} {value:.1f}" for name, value in found.items()))
    print()


def print_startup() -> None:
    print("start-up, ms wall, best of 6")
    for name, value in startup().items():
        print(f"  {name:24} {value:7.0f}")


if __name__ == "__main__":
    main()
