"""File names that every disk takes, unique among their neighbours, decided before the first byte is written.

A name is what the catalogue's pattern gives, made safe: characters that Windows, macOS or a shell would trip over
become `_`, names of devices get one in front, and what is longer than `LIMIT_BYTES` is cut in the middle of the text,
never of a character, keeping the tail that tells companies apart. Two names are the same when a disk that folds case or
normalises (NFC) takes them for the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

LIMIT_BYTES = 200  # UTF-8; disks take 255, and copies get a suffix such as "（1）" or ".tmp"
LIMIT_PATH = 180  # UTF-16 units below the output folder; Windows Explorer takes 259 with the folder itself
WINDOWS_PATH = 259
EMPTY = "未命名"

_FORBIDDEN = re.compile(r'[\\/:*?"<>|]')
# CON, COM1, COM¹ … are devices on Windows with any suffix; CLOCK$ was one on older systems.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|clock\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.IGNORECASE)
# Letters, digits and the punctuation of most names: nothing among them is in _NEVER.
_HARMLESS = re.compile(r"[\w （）()、，．.·&+-]*")
# Cc control, Cf invisible or direction-changing, Cs half a surrogate pair, Cn not a character (APFS refuses it).
_NEVER = frozenset({"Cc", "Cf", "Cs", "Cn"})


def fold_name(name: str) -> str:
    """Return what a disk that ignores case and normal form may take the name for; equal keys would be one file."""
    composed = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFC", composed.upper().casefold())


def safe_name(text: str, *, suffix: str = "", tail: str = "", limit: int = LIMIT_BYTES) -> str:
    """Return the text as one file or folder name of at most `limit` UTF-8 bytes, `tail` and `suffix` at its end.

    `suffix` is written as given (`.docx`). `tail` is added to tell equal names apart and is never cut. An empty text
    becomes 未命名.
    """
    stem = _clean(text)
    end = f"_{_clean(tail)}" if tail else ""
    room = limit - len((end + suffix).encode())
    stem = _cut(stem, max(room, 1)).rstrip(" .")
    name = f"{stem or EMPTY}{end}{suffix}"
    return f"_{_cut(stem, max(room - 1, 1)).rstrip(' .')}{end}{suffix}" if _DEVICE.match(name) else name


def _clean(text: str) -> str:
    """Return the text in NFC with every character that some disk or shell would trip over replaced."""
    if not _HARMLESS.fullmatch(text):
        spaced = re.sub(r"[\t\n\r\v\f\u0085\u2028\u2029]+", " ", text)
        text = "".join("_" if unicodedata.category(char) in _NEVER else char for char in spaced)
    stem = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", text)).strip(" .\u00a0\u3000")
    # "-rf" would be an option in a shell, "~$x.docx" is taken for an owner file by Word.
    return f"_{stem[1:]}" if stem[:1] in ("-", "~") else stem


def _cut(text: str, limit: int) -> str:
    """Return the longest head of the text within `limit` UTF-8 bytes that doesn't part a character from its marks."""
    if len(text.encode()) <= limit:
        return text
    head = text.encode()[:limit].decode(errors="ignore")
    while head and unicodedata.combining(text[len(head)]):
        head = head[:-1]
    return head


def split_suffix(file_name: str, kind: str) -> tuple[str, str]:
    """Return stem and suffix of a raw file name; the suffix is always the one of the kind."""
    suffix = f".{kind}"
    return (file_name[: -len(suffix)] if file_name.lower().endswith(suffix) else file_name), suffix


def unique_names(
    wanted: Sequence[tuple[str, str, str]], *, limit: int = LIMIT_BYTES
) -> tuple[list[str], list[list[int]]]:
    """Return a safe name for each `(text, tail, suffix)` of one folder, and which of them wanted the same one.

    Names are in order, and no two fold to the same.

    Where several would be the same, each of them gets its tail (a credit code's end), and where tails don't help, a
    number: all of them, so that nobody takes the first for the only one. A name that had to be cut gets its tail too.
    """
    names = [_first_name(text, tail, suffix, limit) for text, tail, suffix in wanted]
    same = groups = _collisions(names)
    for attempt in range(2):
        for group in groups:
            for number, index in enumerate(group, 1):
                text, tail, suffix = wanted[index]
                mark = tail if not attempt and tail else "_".join(filter(None, (tail, str(number))))
                names[index] = safe_name(text, suffix=suffix, tail=mark, limit=limit)
        groups = _collisions(names) if groups else []
    return (_number_rest(names, wanted, limit) if same else names), same


def _first_name(text: str, tail: str, suffix: str, limit: int) -> str:
    name = safe_name(text, suffix=suffix, limit=limit)
    was_cut = len((_clean(text) + suffix).encode()) > limit
    return safe_name(text, suffix=suffix, tail=tail, limit=limit) if was_cut and tail else name


def _collisions(names: Iterable[str]) -> list[list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        groups[fold_name(name)].append(index)
    return [group for group in groups.values() if len(group) > 1]


def _number_rest(names: list[str], wanted: Sequence[tuple[str, str, str]], limit: int) -> list[str]:
    """Return the names with those that still meet (a name that ends as another's number does) counted on until they
    are free.
    """
    taken: set[str] = set()
    for index, name in enumerate(names):
        free, number = name, 1
        while fold_name(free) in taken:
            number += 1
            text, tail, suffix = wanted[index]
            free = safe_name(text, suffix=suffix, tail="_".join(filter(None, (tail, str(number)))), limit=limit)
        taken.add(fold_name(free))
        names[index] = free
    return names


def path_length(path: str) -> int:
    """Return the length of a path in UTF-16 units, as Windows counts it."""
    return len(path.encode("utf-16-le", "surrogatepass")) // 2
