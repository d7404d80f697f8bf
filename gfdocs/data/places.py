"""Where every value of a Dataset stands, at next to no cost until somebody asks.

Settings keep their places. Of a company in YAML only start and end are kept, and its lines are read once more when its
places are wanted; of a row the places of its cells; of a returned form the places its reader gave.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable
from typing import Any

from gfdocs.data.fields import RecordSpec, get_spec, locate
from gfdocs.data.model import Company
from gfdocs.data.source import Collector, MapNode
from gfdocs.data.table import Cell, column_letters
from gfdocs.data.yaml_reader import YamlReader
from gfdocs.errors import Place

__all__ = ["PlacedOrigin", "Places", "TableOrigin", "YamlOrigin", "locate_all", "nearest"]


class Places:
    """Where every value stands. Settings are kept as they are; a company is read again when somebody asks."""

    def __init__(self) -> None:
        self.settings: dict[tuple[Any, ...], Place] = {}
        self.starts: list[int] = []  # index of the first company of each origin
        self.origins: list[YamlOrigin | TableOrigin | PlacedOrigin] = []
        self._last: tuple[int, dict[tuple[Any, ...], Place]] = (-1, {})

    def find(self, path: tuple[Any, ...]) -> Place:
        if path[:1] != ("companies",) or len(path) < 2:
            return nearest(self.settings, path)
        index = int(path[1])
        if self._last[0] != index:
            at = bisect_right(self.starts, index) - 1
            if at < 0 or index >= self.starts[at] + self.origins[at].size:
                return Place()
            self._last = (index, self.origins[at].find(index - self.starts[at]))
        return nearest(self._last[1], path[2:])

    def add_origin(self, origin: YamlOrigin | TableOrigin | PlacedOrigin, start: int) -> None:
        self.starts.append(start)
        self.origins.append(origin)


def nearest(places: dict[tuple[Any, ...], Place], path: tuple[Any, ...]) -> Place:
    while path not in places and path:
        path = path[:-1]
    return places.get(path, Place())


def locate_all(spec: RecordSpec, node: Any, placer: Callable[[Any], Place]) -> dict[tuple[Any, ...], Place]:
    marks: dict[tuple[Any, ...], Any] = {}
    locate(spec, node, (), marks)
    return {path: placer(mark) for path, mark in marks.items()}


class YamlOrigin:
    """The items of one list in a YAML text: start and end of each, four numbers."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        self.spans = array("I")
        self._lines: list[str] | None = None

    @property
    def size(self) -> int:
        return len(self.spans) // 4

    def add(self, node: MapNode) -> None:
        start, end = node.start_mark, node.end_mark
        self.spans.extend((start.line, start.column, end.line, end.column))

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        """Read the item's lines once more; they read well, since they did before."""
        line, column, end_line, end_column = self.spans[4 * index : 4 * index + 4]
        if self._lines is None:
            self._lines = re.split("\r\n|\n|\r", self.text)
        lines = [*self._lines[line:end_line], self._lines[end_line][:end_column] if end_line < len(self._lines) else ""]
        lines[0] = " " * column + lines[0][column:]
        node = YamlReader("\n".join(lines), self.file, Collector()).read()

        def placer(mark: Any) -> Place:
            return Place(self.file, line + mark.line + 1, mark.column + 1)

        return locate_all(get_spec(Company), node, placer)

    def __getstate__(self) -> tuple[Any, ...]:
        return self.file, self.text, self.spans

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        (self.file, self.text, self.spans), self._lines = state, None


class PlacedOrigin:
    """Records whose places are kept one by one: rows of tables, returned forms."""

    def __init__(self) -> None:
        self.places: list[dict[tuple[Any, ...], Place]] = []

    @property
    def size(self) -> int:
        return len(self.places)

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        return self.places[index]


class TableOrigin:
    """Rows of a table: the line or row of each and the marks of its cells by path."""

    def __init__(
        self, file: str, sheet: str, paths: list[tuple[str, ...] | None], others: list[tuple[str, ...] | None]
    ) -> None:
        self.file, self.sheet = file, sheet
        self.paths, self.others = (
            paths,
            others,
        )  # by column: what it stands for in a listed unit's row, in a candidate's
        self.figures = [index for index, path in enumerate(paths) if path is not None and _is_figure(path)]
        self.marks = array("I")  # for each row: for each column line and column, 0 0 where empty

    @property
    def size(self) -> int:
        return len(self.marks) // (2 * len(self.paths) + 2)

    def add(self, number: int, cells: list[Cell | None]) -> None:
        marks = [max(number - 1, 0), 0]  # a damaged sheet may number its rows from 0
        for index in range(len(self.paths)):
            cell = cells[index] if index < len(cells) else None
            marks += (cell.line + 1, cell.column) if cell is not None else (0, 0)
        for index in self.figures:
            if index < len(cells) and (cell := cells[index]) is not None and not cell.value:
                marks[2 * index + 2] = 0  # no indicator is made of it
        self.marks.extend(marks)

    def find(self, index: int) -> dict[tuple[Any, ...], Place]:
        width = 2 * len(self.paths) + 2
        marks = self.marks[width * index : width * (index + 1)]
        places: dict[tuple[Any, ...], Place] = {(): self._place(marks[0], None)}
        figures: dict[str, int] = {}
        for position, (path, other) in enumerate(zip(self.paths, self.others, strict=True)):
            line, column = marks[2 * position + 2 : 2 * position + 4]
            if path is None or not line:
                continue
            place = self._place(line - 1, column)
            for found in dict.fromkeys((path, other)):
                _add_steps(places, found or path, place, figures)
        return places

    def _place(self, line: int, column: int | None) -> Place:
        if not self.sheet:
            return Place(self.file, line + 1, None if column is None else column + 1)
        cell = f"{line + 1}" if column is None else f"{column_letters(column)}{line + 1}"
        return Place(self.file, path=(f"{self.sheet}!{cell}",))


def _is_figure(path: tuple[str, ...]) -> bool:
    """Whether a column holds figures of an indicator that its heading names."""
    return len(path) == 3 and path[1].startswith("#")


def _add_steps(
    places: dict[tuple[Any, ...], Place], path: tuple[str, ...], place: Place, figures: dict[str, int]
) -> None:
    """Note the place of a cell for its field and all above it. `figures` numbers the row's indicators by `#name`."""
    steps: tuple[str | int, ...] = tuple(0 if step == "*" else step for step in path)
    if _is_figure(path):
        index = figures.setdefault(path[1], len(figures))
        steps = (path[0], index, path[2])
    for depth in range(1, len(steps) + 1):
        places.setdefault(steps[:depth], place)
