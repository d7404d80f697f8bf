"""A package as one zip: the same bytes for the same files, whatever the machine."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime

ZipDate = tuple[int, int, int, int, int, int]
EPOCH: ZipDate = (1980, 1, 1, 0, 0, 0)
_PACKED = (".docx", ".xlsx", ".zip", ".png", ".jpg")


def zip_date(when: date | None) -> ZipDate:
    """Return the date that members of a zip carry: 1980-01-01, the earliest there is, where none is given."""
    if when is None or when.year < 1980:
        return EPOCH
    if isinstance(when, datetime):
        return (when.year, when.month, when.day, when.hour, when.minute, when.second - when.second % 2)
    return (when.year, when.month, when.day, 0, 0, 0)


class ZipWriter:
    """Collects files into a zip in the order given.

    Office files are stored as they are, for they are packed already.
    """

    def __init__(self, when: ZipDate | None = None) -> None:
        self._buffer = io.BytesIO()
        self._zip = zipfile.ZipFile(self._buffer, "w")
        self._when = when or EPOCH

    def add(self, path: str, data: bytes) -> None:
        info = zipfile.ZipInfo(path, self._when)
        info.create_system = 3  # Unix on every system, so that Windows gives the same bytes
        info.external_attr = 0o100644 << 16
        info.compress_type = zipfile.ZIP_STORED if path.endswith(_PACKED) else zipfile.ZIP_DEFLATED
        self._zip.writestr(info, data, compresslevel=6)

    def finish(self) -> bytes:
        """Return the whole zip."""
        self._zip.close()
        return self._buffer.getvalue()


def read_zip(data: bytes) -> dict[str, bytes]:
    """Return the files of a zip that we wrote and whose digest was found right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}
