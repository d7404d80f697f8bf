"""What a formula looks at: its references and names, and whether it finds cells in other ways."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from gfdocs.engine.xlsx.formulas.tokenizer import load_tokenizer
from gfdocs.engine.xlsx.formulas.values import Unknown

#: Functions whose value depends on more than the cells that are named.
_VOLATILE = frozenset(
    ["NOW", "TODAY", "RAND", "RANDBETWEEN", "RANDARRAY", "INDIRECT", "OFFSET", "CELL", "INFO", "ROW", "COLUMN", "SHEET", "SHEETS",
     "FORMULATEXT", "GETPIVOTDATA"]
)  # fmt: skip
#: An address in a text: `B7` or `R2C3`.
_WRITTEN_CELL = re.compile(r"(?i)(?<![A-Z0-9])\$?[A-Z]{1,3}\$?[1-9][0-9]*(?![A-Z0-9(])|\bR\[?-?[0-9]+\]?C")


@lru_cache(maxsize=4096)
def list_operands(text: str) -> tuple[str, ...] | None:
    """Return the references and names of a formula; None where its value depends on more than those."""
    try:
        return tuple(_iter_operands(text))
    except Unknown:
        return None


def _iter_operands(text: str) -> Iterator[str]:
    tokenizer = load_tokenizer()
    try:
        items = tokenizer.Tokenizer("=" + text).items
    except (tokenizer.TokenizerError, IndexError) as fault:
        raise Unknown from fault
    for item in items:
        if item.type == "OPERAND" and item.subtype == "RANGE":
            yield item.value
        elif item.type == "FUNC" and _function_name(item.value) in _VOLATILE:
            raise Unknown


def find_written_addresses(text: str) -> bool:
    """True where a formula finds cells by what does not move with them: a text in INDIRECT, a distance in OFFSET."""
    tokenizer = load_tokenizer()
    try:
        items = tokenizer.Tokenizer("=" + text).items
    except (tokenizer.TokenizerError, IndexError, AttributeError):
        return False
    calls = {_function_name(item.value) for item in items if item.type == "FUNC" and item.subtype == "OPEN"}
    texts = (item.value for item in items if item.type == "OPERAND" and item.subtype == "TEXT")
    return "OFFSET" in calls or ("INDIRECT" in calls and any(map(_WRITTEN_CELL.search, texts)))


def _function_name(opening: str) -> str:
    return opening.removesuffix("(").upper().removeprefix("_XLFN.").removeprefix("_XLWS.")
