"""The faces of font files, for measuring and outlining (fontTools, extra `pdf`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gfdocs.engine.svg.fit import Measure, em_width
from gfdocs.errors import ConvertError, Issue, Place, Text


@dataclass(frozen=True)
class Face:
    """One face of a font file; `families` are its names in every language, in lower case."""

    path: Path
    index: int
    families: frozenset[str]
    weight: int
    font: Any = field(repr=False)

    @cached_property
    def cmap(self) -> dict[int, str]:
        found: dict[int, str] = self.font.getBestCmap()
        return found

    @cached_property
    def glyphs(self) -> Any:
        return self.font.getGlyphSet()

    @property
    def units(self) -> int:
        return int(self.font["head"].unitsPerEm)

    def has(self, char: str) -> bool:
        return ord(char) in self.cmap

    def advance(self, char: str) -> float:
        """Return the advance width of a character in em."""
        return float(self.font["hmtx"][self.cmap[ord(char)]][0]) / self.units


class FontSet:
    """The faces of some font files, opened once; pass it in place of the paths when there are many drawings."""

    def __init__(self, fonts: Iterable[str | Path]) -> None:
        self.faces: tuple[Face, ...] = tuple(face for path in fonts for face in _read_faces(Path(path)))
        if not self.faces:
            fact = Text("no font file was given", "没有给出字体文件")
            hint = Text(
                "name at least one .ttf, .otf or .ttc with Chinese glyphs",
                "请至少给出一个含中文字形的 .ttf、.otf 或 .ttc 文件",
            )
            raise ConvertError(Issue("GF812", "error", Place(), fact, hint))

    def __repr__(self) -> str:
        return f"FontSet({len(self.faces)} faces)"

    def find_face(self, families: Sequence[str], weight: int) -> tuple[Face, bool]:
        """Return the face of the first family that is there, nearest in weight, and whether any asked for was there."""
        for family in families:
            matching = [face for face in self.faces if family.lower() in face.families]
            if matching:
                return min(matching, key=lambda face: abs(face.weight - weight)), True
        first = self.faces[0].families
        kin = [face for face in self.faces if face.families & first]
        return min(kin, key=lambda face: abs(face.weight - weight)), False

    def measure(self, families: Sequence[str], weight: int) -> Measure:
        """Return what measures a character in em, in the face that would draw it; by the table where none has it."""
        preferred, _ = self.find_face(families, weight)

        def width(char: str) -> float:
            face = self.find_cover(char, preferred)
            return face.advance(char) if face else em_width(char)

        return width

    def find_cover(self, char: str, preferred: Face) -> Face | None:
        """Return the preferred face if it has the character, else the first that has, else None."""
        if preferred.has(char):
            return preferred
        others = sorted(self.faces, key=lambda face: abs(face.weight - preferred.weight))
        return next((face for face in others if face.has(char)), None)


def _read_faces(path: Path) -> Iterator[Face]:
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        fonts = TTCollection(path, lazy=True).fonts if _is_collection(path) else [TTFont(path, lazy=True)]
        for index, font in enumerate(fonts):
            names = {record.toUnicode().lower() for record in font["name"].names if record.nameID in (1, 4, 16)}
            weight = int(font["OS/2"].usWeightClass) if "OS/2" in font else 400
            yield Face(path, index, frozenset(names), weight, font)
    except (OSError, TTLibError, KeyError, UnicodeDecodeError) as fault:
        fact = Text(f"cannot read the font {path.name}: {fault}", f"无法读取字体文件 {path.name}：{fault}")
        raise ConvertError(Issue("GF812", "error", Place(str(path)), fact)) from fault


def _is_collection(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"ttcf"
