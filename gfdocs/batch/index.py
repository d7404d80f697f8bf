"""index.html: what is in the output, by package, for a person with a browser.

Self-contained, no script, every text escaped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from urllib.parse import quote

from gfdocs.batch.manifest import FileRecord, Manifest, PackageRecord

_STYLE = (
    "body{font:15px/1.6 'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',sans-serif;max-width:60em;margin:2em auto;"
    "padding:0 1em;color:#222}h1{font-size:1.4em}h2{font-size:1.1em;margin:1.4em 0 .3em;border-bottom:1px solid #ccc}"
    "table{border-collapse:collapse;width:100%}td{padding:.15em .8em .15em 0;vertical-align:top}"
    "td{border-bottom:1px solid #eee}"
    "td.n{text-align:right;white-space:nowrap;color:#666}a{color:#0b5394;text-decoration:none}.bad{color:#a40000}"
    "@media print{a{color:#000}}"
)


def make_index(manifest: Manifest) -> bytes:
    """Return the page as UTF-8."""
    return b"".join(make_index_blocks(manifest))


def make_index_blocks(manifest: Manifest) -> Iterator[bytes]:
    """Give the page in blocks, a package each."""
    title = escape(str(manifest.records.get("round", {}).get("name", "")) or "gfdocs")
    by_package: dict[str, list[FileRecord]] = defaultdict(list)
    for record in manifest.files:
        by_package[record.package].append(record)
    head = [
        "<!DOCTYPE html>",
        f'<html lang="zh-CN"><head><meta charset="utf-8"><title>{title} 文件目录</title>',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>',
        f"<h1>{title} 文件目录</h1>",
        f"<p>共 {len(manifest.packages)} 个材料包、{len(manifest.files)} 个文件。",
        "清单见 <a href='manifest.json'>manifest.json</a>。<br>",
        f"<span lang='en'>{len(manifest.files)} files in {len(manifest.packages)} packages.</span></p>",
        *_failures(manifest),
    ]
    yield _encode("\n".join(head))
    for package in manifest.packages:
        yield _encode("\n" + _package(package, by_package[package.name], zipped=manifest.zip))
    yield b"\n</body></html>\n"


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _failures(manifest: Manifest) -> list[str]:
    if not manifest.failed:
        return []
    rows = "".join(f"<li>{escape(failure.job.path)}</li>" for failure in manifest.failed)
    return [f"<p class='bad'>以下 {len(manifest.failed)} 个文件未能生成 / not made：</p><ul class='bad'>{rows}</ul>"]


def _package(package: PackageRecord, files: Sequence[FileRecord], *, zipped: bool) -> str:
    head = f"<a href='{_link(package.path)}'>{escape(package.path)}</a>" if zipped else escape(package.name)
    rows = "\n".join(_row(record, zipped=zipped) for record in files)
    return f"<h2>{head}（{len(files)}）</h2>\n<table>\n{rows}\n</table>"


def _row(record: FileRecord, *, zipped: bool) -> str:
    name = escape(record.path.split("/", 1)[1])
    cell = name if zipped else f"<a href='{_link(record.path)}'>{name}</a>"
    company = "" if record.company in record.path else escape(record.company)  # cut or made safe in the name
    return f"<tr><td>{cell}</td><td>{company}</td><td class='n'>{record.size / 1024:.1f} KB</td></tr>"


def _link(path: str) -> str:
    return quote(path, safe="/")
