"""A form that comes back is data again: what was printed is read, and so is what a district typed into its empty rows."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from gfdocs.raw import RawList, RawMap, RawScalar
from tests.templates_xlsx.sample import context, template

LISTS = {
    "annual-table": {"factories": "工厂", "parks": "园区", "supply_chains": "供应链"},
    "cultivation-table": {"candidates": "培育计划"},
    "enrolment-table": {"candidates": "申报入库"},
}


def plain(raw: Any) -> Any:
    """Return raw data as dicts, lists and texts; what is empty is left out."""
    if isinstance(raw, RawMap):
        found = {key: plain(value) for key, value in raw.entries.items()}
        return {key: value for key, value in found.items() if value not in ("", None, {}, [])}
    if isinstance(raw, RawList):
        return [plain(item) for item in raw.items]
    assert isinstance(raw, RawScalar)
    return raw.text


def pick(value: Any, like: Any) -> Any:
    """Return of a record what stands in `like`, as texts."""
    if isinstance(like, dict):
        return {key: pick(value[key], like[key]) for key in like}
    return str(value)


@pytest.mark.parametrize("name", LISTS)
def test_what_was_written_is_read_back(name: str) -> None:
    data = context(3)
    read = plain(template(name).read(template(name).render(data).to_bytes(), name="返回.xlsx"))

    for key in LISTS[name]:
        rows = read["district"][key]
        assert len(rows) == 3
        for row, company in zip(rows, data["district"][key], strict=True):
            assert {"name", "credit_code"} & set(row) and "contact" in row
            assert row == pick(company, row)


@pytest.mark.parametrize(("name", "key", "sheet"), [(n, k, s) for n, lists in LISTS.items() for k, s in lists.items()])
@pytest.mark.parametrize("count", [0, 2])
def test_a_unit_typed_into_an_empty_row_is_read_with_its_cell(name: str, key: str, sheet: str, count: int) -> None:
    book = openpyxl.load_workbook(io.BytesIO(template(name).render(context(count)).to_bytes()))
    row = (4 if name == "cultivation-table" else 5) + count + 1
    book[sheet].cell(row, 2).value = "示例新增有限公司"
    out = io.BytesIO()
    book.save(out)
    raw = template(name).read(out.getvalue(), name="返回.xlsx")
    rows = raw["district"][key]  # type: ignore[index]
    added = [item for item in rows if plain(item).get("name") == "示例新增有限公司"]

    assert len(added) == 1
    assert f"{sheet}!B{row}" in str(added[0]["name"].place)
