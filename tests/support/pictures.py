"""Pictures of digits as files and arrays, for the tests of the reader."""

import io
import struct
import zlib

import PIL.Image
from support.images import five_thousand


def five(side=120):
    """Return a 5 as MNIST has them, bright on black, enlarged: PIL image."""
    image = five_thousand()[0][0][2_060]
    return PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)


def encoded(image, **settings):
    """Return an image file's bytes."""
    file = io.BytesIO()
    image.save(file, **{"format": "PNG"} | settings)
    return file.getvalue()


def huge():
    """Return a PNG's beginning that promises 50,000×50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
