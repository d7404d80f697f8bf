"""docs/data.md says what is so: its examples load, its tables are those of the records.

GFDOCS_UPDATE=1 writes the tables anew.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from gfdocs.data.fields import FieldSpec, RecordSpec, get_spec
from gfdocs.data.load import load_dataset
from gfdocs.data.model import Company, Record, Settings
from gfdocs.data.values import CATEGORIES, LEVELS, STATUSES
from tests.data.samples import write

PAGE = Path(__file__).resolve().parents[2] / "docs" / "data.md"
START, END = "<!-- fields: written by tests/data/test_docs.py -->\n", "<!-- end of fields -->"


def tables() -> str:
    parts: list[str] = []
    seen: set[type[Record]] = set()

    def add(record: type[Record], key: str, title: str, many: bool) -> None:
        spec = get_spec(record)
        named = f"`{key}` {title}" + (" (list / 列表)" if many else "")
        parts.append(
            f"### {named}\n\n| key | 键 | also / 别名 | |\n|---|---|---|---|\n"
            + "".join(map(row, spec.fields.values()))
        )
        inner(spec)

    def inner(spec: RecordSpec) -> None:
        for field in spec.fields.values():
            if field.record is not None and field.record not in seen:
                seen.add(field.record)
                add(field.record, field.name, field.title, field.many)

    parts.append(
        "## gfdocs.yaml\n\n| key | 键 | also / 别名 | |\n|---|---|---|---|\n"
        + "".join(map(row, get_spec(Settings).fields.values()))
    )
    inner(get_spec(Settings))
    add(Company, "companies", "企业", True)
    parts.append(words())
    return "\n".join(parts)


def row(field: FieldSpec) -> str:
    also = "、".join(heading for heading in field.headings[2:] if heading != field.name)
    notes = [note for note in (field.note, f"单位 {field.unit}" if field.unit else None) if note]
    name = f"**`{field.name}`**" if field.required else f"`{field.name}`"
    return f"| {name} | {field.title} | {also} | {'; '.join(notes).replace('|', '/')} |\n"


def words() -> str:
    lines = ["### Words for choices / 可选值\n\n| value / 值 | also / 别名 |\n|---|---|\n"]
    for choices in (CATEGORIES, LEVELS, STATUSES):
        lines += [f"| {value} | {'、'.join(aliases)} |\n" for value, aliases in choices.items()]
    return "".join(lines)


def test_the_tables_are_those_of_the_records() -> None:
    page = PAGE.read_text(encoding="utf-8")
    head, _, rest = page.partition(START)
    old, _, tail = rest.partition(END)
    new = "\n" + tables() + "\n"
    if os.environ.get("GFDOCS_UPDATE") == "1":
        PAGE.write_text(head + START + new + END + tail, encoding="utf-8")
        old = new

    assert old == new, "run GFDOCS_UPDATE=1 pytest tests/data/test_docs.py"


def test_the_examples_of_the_page_load(tmp_path: Path) -> None:
    settings, companies = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    data = load_dataset(write(tmp_path, {"gfdocs.yaml": settings, "companies.yaml": companies}))

    assert [c.district for c in data.companies] == ["昆山市", "苏州工业园区"]
    assert data.companies[1].contact.phone == "0512-00000001"
    assert data.issues == ()
