"""Pictures from data: a logo, a QR code, set at the corner of a cell."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

from gfdocs.engine.xlsx.rows.values import CellFault
from gfdocs.errors import Text

_EMU_MM = 36_000
_MM_PIXEL = 25.4 / 96


@dataclass(frozen=True)
class Picture:
    """A PNG, JPEG or GIF for a cell that is one `{{ }}`: the bytes of the file, or its path.

    `width` and `height` are in mm; where one is missing it follows from the other, where both are, 96 pixels make an
    inch.
    """

    source: bytes | str | Path = field(repr=False)
    width: float | None = None
    height: float | None = None
    description: str = ""

    def read(self) -> bytes:
        """Return the bytes of the file; CellFault GF270 where it cannot be read."""
        if isinstance(self.source, bytes):
            return self.source
        try:
            return Path(self.source).read_bytes()
        except OSError as fault:
            reason = fault.strerror or str(fault)
            raise CellFault("GF270", Text(f"the picture {str(self.source)!r} cannot be read: {reason}", f"图片“{self.source}”无法读取：{reason}")) from None  # fmt: skip

    def __str__(self) -> str:
        return ""


def read_size(data: bytes) -> tuple[str, int, int]:
    """Return (kind, width, height in pixels) of a picture; CellFault GF270 where it is no PNG, JPEG or GIF, or a PNG
    that was cut off.
    """
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and b"IEND" in data[-64:]:
            return "png", *struct.unpack(">II", data[16:24])
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return "gif", *struct.unpack("<HH", data[6:10])
        if data.startswith(b"\xff\xd8"):
            return "jpeg", *_read_jpeg_size(data)
    except (struct.error, IndexError):
        pass
    fact = Text("the picture is no whole PNG, JPEG or GIF", "图片不是完整的 PNG、JPEG 或 GIF")
    raise CellFault("GF270", fact, Text("convert it to PNG", "请转换为 PNG"))


def _read_jpeg_size(data: bytes) -> tuple[int, int]:
    at = 2
    while data[at] == 0xFF:
        marker, length = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[at + 5 : at + 9])
            return width, height
        at += 2 + length
    raise IndexError


def get_extent(picture: Picture, width: int, height: int) -> tuple[int, int]:
    """Return the size on the sheet in EMU."""
    w, h = picture.width, picture.height
    if w is None and h is None:
        w, h = width * _MM_PIXEL, height * _MM_PIXEL
    elif w is None:
        assert h is not None
        w = h * width / max(1, height)
    elif h is None:
        h = w * height / max(1, width)
    assert h is not None
    return max(1, round(w * _EMU_MM)), max(1, round(h * _EMU_MM))


@dataclass(frozen=True)
class PlacedPicture:
    column: int
    row: int
    picture: Picture
    data: bytes
    kind: str
    extent: tuple[int, int]


def place_picture(picture: Picture, column: int, row: int) -> PlacedPicture:
    """Return the picture at an output cell (counting from 1); CellFault where it is none."""
    data = picture.read()
    kind, width, height = read_size(data)
    return PlacedPicture(column, row, picture, data, kind, get_extent(picture, width, height))
