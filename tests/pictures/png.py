"""A PNG that is small, and carries a text: what the picture shows."""

import struct
import zlib
from collections import Counter

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# iTXt: a keyword; compressed, by zlib, in no language.
TEXT = b"Source\0\1\0\0\0"
COLOURS_MAX = 256


def chunks(data):
    """(type, content) of each."""
    assert data.startswith(SIGNATURE), "no PNG"
    at = len(SIGNATURE)
    while at < len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, data[at + 8:at + 8 + size]
        at += 12 + size


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def rows_of(data):
    """Width, and the rows of a picture of three bytes for a pixel, as browsers make it."""
    found = Counter()
    for kind, content in chunks(data):
        found[kind] = content if kind != b"IDAT" else (found[kind] or b"") + content
    width, height, *form = struct.unpack(">IIBBBBB", found[b"IHDR"])
    assert form == [8, 2, 0, 0, 0], "no picture of 8 bits for each of three colours"
    packed, size, rows = zlib.decompress(found[b"IDAT"]), 3 * width, []
    above = bytearray(size)
    for at in range(0, height * (size + 1), size + 1):
        how, row = packed[at], bytearray(packed[at + 1:at + 1 + size])
        if how:
            for i in range(size):
                a, b, c = (row[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
                nearest = min((a, b, c), key=lambda x: abs(x - (a + b - c)))  # the first of equals
                row[i] = (row[i] + (0, a, b, (a + b) // 2, nearest)[how]) & 255
        rows.append(bytes(row))
        above = row
    return width, rows


def small(data):
    """The same picture in its most frequent colours: of a page only the edges of letters have others."""
    width, rows = rows_of(data)
    used = Counter(row[i:i + 3] for row in rows for i in range(0, len(row), 3))
    palette = sorted(colour for colour, _ in used.most_common(COLOURS_MAX))
    index = {colour: min(range(len(palette)), key=lambda n: sum((x - y) ** 2 for x, y in zip(colour, palette[n])))
             for colour in used}
    packed = b"".join(b"\0" + bytes(index[row[i:i + 3]] for i in range(0, len(row), 3)) for row in rows)
    return (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 3, 0, 0, 0))
            + chunk(b"PLTE", b"".join(palette)) + chunk(b"IDAT", zlib.compress(packed, 9)) + chunk(b"IEND", b""))


def with_text(data, text):
    """The same picture with this text in it, in the place of another."""
    out = SIGNATURE
    for kind, content in chunks(data):
        if kind == b"IEND":
            out += chunk(b"iTXt", TEXT + zlib.compress(text.encode(), 9))
        if kind != b"iTXt":
            out += chunk(kind, content)
    return out


def text_of(data):
    """The text in it; None: there is none."""
    for kind, content in chunks(data):
        if kind == b"iTXt" and content.startswith(TEXT):
            return zlib.decompress(content.removeprefix(TEXT)).decode()
    return None
