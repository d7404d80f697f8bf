"""Rich text cells: the runs of the template keep their fonts, the data fills their texts."""

from __future__ import annotations

from collections.abc import Iterator

from gfdocs.engine.xlsx.rows.values import CellWriter, check_text, needs_space, write_text
from gfdocs.engine.xlsx.template.compile import RUN_MARK, without_runs


def rich_tail(writer: CellWriter, text: str, runs: tuple[str, ...], style: str) -> str:
    """Return the tail of a rich cell. In `text` a mark with the run's number stands where a run of the template
    begins.
    """
    p = writer.prefix
    plain = without_runs(text)
    if not plain:
        return writer.content_tail(None, style)
    check_text(plain)
    out = []
    for number, piece in _split_runs(text):
        if not piece:
            continue
        properties = runs[number].replace("\0", p)
        font = f"<{p}rPr>{properties}</{p}rPr>" if properties else ""
        space = ' xml:space="preserve"' if needs_space(piece) else ""
        out.append(f"<{p}r>{font}<{p}t{space}>{write_text(piece)}</{p}t></{p}r>")
    s = f' s="{style}"' if style else ""
    return f'{s} t="inlineStr"><{p}is>{"".join(out)}</{p}is></{p}c>'


def _split_runs(text: str) -> Iterator[tuple[int, str]]:
    first, *rest = text.split(RUN_MARK)
    yield 0, first
    for piece in rest:
        number, _, inner = piece.partition("\x1f")
        yield int(number), inner
