"""Mutants of good files: bits, bytes, lengths, order, zip records, XML words. The same number gives the same mutant."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable
from pathlib import Path

from tests.trust import samples

ROOT = Path(__file__).parents[2]
EVIL = (
    b"\0",
    b"\xff",
    b"<",
    b">",
    b"&",
    b'"',
    b"'",
    b"]]>",
    b"<!DOCTYPE x>",
    b"&#0;",
    b"{{",
    b"}}",
    b"{%",
    b"%}",
    b"{#",
    b"-1",
    b"99999999999999999999",
    b"../",
    b"\r\n",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"1e999",
    b"NaN",
    b" ",
    b"*a",
    b"&a ",
    b"!!x ",
    b"<<: ",
    b"- ",
    b": ",
    b"\t",
    b"{%tr for x in y %}",
    b"{{ 9**9**9 }}",
    b"%endfor",
)
NUMBERS = (b"0", b"-1", b"1", b"65536", b"2147483648", b"99999999999999999999", b"1e9", b"x", b"", b"NaN", b"1048577")


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8, 64))):
        out[rng.randrange(len(out))] ^= 1 << rng.randrange(8)
    return bytes(out)


def put_evil(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(EVIL) * rng.choice((1, 1, 1, 50)) + data[at + rng.choice((0, 0, 1, 5)) :]


def cut_end(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def cut_middle(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 2, 16, 500, len(data) // 3)) :]


def swap_chunks(data: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def repeat_chunk(data: bytes, rng: random.Random) -> bytes:
    a = rng.randrange(len(data))
    piece = data[a : a + rng.choice((1, 10, 200))]
    return data[:a] + piece * rng.choice((2, 3, 500)) + data[a:]


def change_number(data: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb"\d+", data))
    if not found:
        return flip_bits(data, rng)
    one = rng.choice(found)
    return data[: one.start()] + rng.choice(NUMBERS) + data[one.end() :]


def change_word(data: bytes, rng: random.Random) -> bytes:
    """Put one word of the file in the place of another: names of elements, attributes, keys."""
    found = list(re.finditer(rb"[A-Za-z][\w:.-]*", data))
    if len(found) < 2:
        return flip_bits(data, rng)
    one, other = rng.choice(found), rng.choice(found)
    return data[: one.start()] + other.group() + data[one.end() :]


def move_element(data: bytes, rng: random.Random) -> bytes:
    """Take one tag away, write it twice, or move it elsewhere."""
    found = list(re.finditer(rb"<[^<>]*>", data))
    if len(found) < 2:
        return swap_chunks(data, rng)
    one, other = rng.choice(found), rng.choice(found)
    without = data[: one.start()] + data[one.end() :]
    at = min(other.start(), len(without))
    return rng.choice(
        (without, without[:at] + one.group() + without[at:], data[: one.end()] + one.group() + data[one.end() :])
    )


TEXT_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    flip_bits, put_evil, put_evil, cut_end, cut_middle, swap_chunks, repeat_chunk, change_number, change_number, change_word, change_word, move_element, move_element,
)  # fmt: skip


def change_record(data: bytes, rng: random.Random) -> bytes:
    """Overwrite a field of the zip's own records: local headers, directory lines, the end."""
    starts = [found.start() for found in re.finditer(rb"PK(\x03\x04|\x01\x02|\x05\x06)", data)]
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 3))):
        at = rng.choice(starts) + rng.randrange(4, 46)
        value = rng.choice((0, 1, 0xFF, 0x7F, 0x80, rng.randrange(256)))
        if at + 4 <= len(out):
            struct.pack_into(rng.choice(("<B", "<H", "<L")), out, at, value)
    return bytes(out)


def change_part(data: bytes, rng: random.Random) -> bytes:
    """Unpack, mutate one part as text, pack again: gets behind the checksums."""
    parts = samples.unzipped(data)
    names = [name for name in parts if name.endswith((".xml", ".rels")) and parts[name]]
    likely = [name for name in names if re.search("document|sheet|workbook|sharedStrings|styles|header|footer", name)]
    name = rng.choice(likely if rng.random() < 0.75 else names)
    content = parts[name]
    assert isinstance(content, bytes)
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        content = rng.choice(TEXT_WAYS)(content, rng) or b" "
    return samples.zipped({**parts, name: content})


def change_members(data: bytes, rng: random.Random) -> bytes:
    """Leave a part out, exchange two, rename one, write one twice."""
    parts = list(samples.unzipped(data).items())
    one, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    match rng.randrange(4):
        case 0:
            del parts[one]
        case 1:
            parts[one], parts[other] = (parts[one][0], parts[other][1]), (parts[other][0], parts[one][1])
        case 2:
            parts[one] = (
                rng.choice(("x.xml", "../x", "", "word/document.xml", "xl/workbook.xml", parts[one][0].upper())),
                parts[one][1],
            )
        case _:
            parts.append(parts[one])
    return samples.zipped(parts)


def mutate(kind: str, seed: bytes, number: int) -> bytes:
    """Return mutant `number` of a good file."""
    rng = random.Random(f"{kind}-{number}")
    if kind not in ("docx", "xlsx"):
        for _ in range(rng.choice((1, 1, 2, 4))):
            seed = rng.choice(TEXT_WAYS)(seed, rng) or b" "
        return seed
    way = rng.random()
    if way < 0.15:
        return rng.choice((flip_bits, put_evil, cut_end, cut_middle, swap_chunks, repeat_chunk))(seed, rng) or b" "
    if way < 0.3:
        return change_record(seed, rng)
    if way < 0.4:
        return change_members(seed, rng)
    return change_part(seed, rng)


def seeds(kind: str) -> list[bytes]:
    """Return the good files of a kind: the finished templates, the examples, and the small ones."""
    small = {
        "docx": [samples.docx("{{ name }}", "{% for c in companies %}{{ c.name }}{% endfor %}", header="{{ name }}", core="{{ name }}")],
        "xlsx": [samples.form(), samples.table([["甲有限公司", "示范区", samples.CREDIT_CODE]])],
        "svg": [samples.svg("{{ name }}", inside='<rect fill="{{ name }}"/>{% for c in companies %}<text>{{ c.name }}</text>{% endfor %}')],
        "yaml": [], "csv": [],
    }[kind]  # fmt: skip
    folders = ("templates", "examples")
    large = sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob(f"*.{kind}")
        if path.stat().st_size < 100_000 and "source" not in path.parts
    )
    return small + [path.read_bytes() for path in large]
