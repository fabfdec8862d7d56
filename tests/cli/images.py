"""Makes the images and the broken files of the command-line tests, with the standard library alone.

  images.py cloth PATH HEIGHT WIDTH [SEED [CHANNELS [BITS]]]   a woven pattern with noise, PNG
  images.py flat PATH HEIGHT WIDTH [VALUE]                     one value everywhere, PNG
  images.py mask PATH HEIGHT WIDTH                             a white square on black, PNG
  images.py huge PATH HEIGHT WIDTH                             a header that promises this size, PNG
  images.py cut PATH BYTES                                     keep the first BYTES bytes
  images.py flip PATH OFFSET                                   change one byte (negative: from the end)
  images.py replace PATH OLD NEW                               change text of equal length, once
"""

import pathlib
import random
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(height, width, channels, bits, rows):
    header = struct.pack(">IIBBBBB", width, height, bits, 2 if channels == 3 else 0, 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def write(path, content):
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def cloth(path, height, width, seed=1, channels=1, bits=8):
    noise = random.Random(seed)
    rows = []
    for y in range(height):
        row = []
        for x in range(width):
            value = 100 + 60 * ((x // 4 + y // 4) % 2) + noise.randrange(16)
            row += [value * 257 if bits == 16 else value] * channels
        rows.append(struct.pack(">%dH" % len(row), *row) if bits == 16 else bytes(row))
    write(path, png(height, width, channels, bits, rows))


def flat(path, height, width, value=128):
    write(path, png(height, width, 1, 8, [bytes([value] * width)] * height))


def mask(path, height, width):
    top, left = height // 4, width // 4
    inside = b"\0" * left + b"\xff" * (width // 4) + b"\0" * (width - left - width // 4)
    rows = [inside if top <= y < top + height // 4 else b"\0" * width for y in range(height)]
    write(path, png(height, width, 1, 8, rows))


def huge(path, height, width):
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    write(path, b"\x89PNG\r\n\x1a\n" + body)


def cut(path, size):
    write(path, pathlib.Path(path).read_bytes()[:size])


def flip(path, offset):
    content = bytearray(pathlib.Path(path).read_bytes())
    content[offset] ^= 0x10
    write(path, bytes(content))


def replace(path, old, new):
    content = pathlib.Path(path).read_bytes()
    if len(old) != len(new) or old.encode() not in content:
        sys.exit("%s: cannot replace %s by %s" % (path, old, new))
    write(path, content.replace(old.encode(), new.encode(), 1))


def main():
    action = {f.__name__: f for f in (cloth, flat, mask, huge, cut, flip, replace)}[sys.argv[1]]
    rest = sys.argv[3:]
    action(sys.argv[2], *(rest if action is replace else map(int, rest)))


main()
