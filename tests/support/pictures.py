"""Pictures of digits as files and arrays, and parts of ink, for the tests of the recogniser."""

import io
import struct
import zlib

import numpy as np
import PIL.ExifTags
import PIL.Image
import PIL.ImageOps
import pillow_heif
import scipy.ndimage
from support.images import five_thousand

from digit_reader.parts import Part

USUAL = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "AVIF")
FORMATS = USUAL, ("TGA", "PCX", "SGI", "DDS", "ICNS", "EPS", "JPEG2000")


def five(side=120):
    """Return a 5 as MNIST has them, bright on black, enlarged: PIL image."""
    image = five_thousand()[0][0][2_060]
    return PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)


def encoded(image, **settings):
    """Return an image file's bytes."""
    file = io.BytesIO()
    image.save(file, **{"format": "PNG"} | settings)
    return file.getvalue()


def kinds():
    """Return the same digit in many kinds of images."""
    plain = five()
    array = np.asarray(plain)
    clear = PIL.Image.new("RGBA", plain.size, (0, 0, 120, 0))
    clear.putalpha(plain)
    light = PIL.Image.new("LA", plain.size, (255, 0))
    light.putalpha(plain)
    turned = PIL.Image.Exif()
    turned[PIL.ExifTags.Base.Orientation] = 6
    return {
        "RGB": plain.convert("RGB"),
        "palette": plain.convert("RGB").quantize(64),
        "1 bit": plain.point(lambda value: 255 * (value > 127), mode="1"),
        "transparent, dark": clear,
        "transparent, light": light,
        "16 bits": array.astype(np.uint16) * 257,
        "16 bits, PNG": encoded(PIL.Image.fromarray(array.astype(np.uint16) * 257)),
        "32 bits": PIL.Image.fromarray(array.astype(np.int32) * 1_000),
        "floats to 1": array / 255,
        "floats to 255": array * 1.0000001,
        "as UCI's, to 16": array * (16 / 255),
        "12 bits": (array * (4_095 / 255)).astype(np.int64),
        "channels last": array[..., np.newaxis],
        "dark on light": 255 - array,
        "grey on grey": (90 + array * 0.4).astype(np.uint8),
        "off-centre": np.pad(array, ((20, 160), (350, 30))),
        "EXIF-rotated": encoded(plain.rotate(90, expand=True), exif=turned),
        "large JPEG": encoded(plain.resize((4_000, 4_000)), format="JPEG"),
        "very wide": PIL.ImageOps.expand(plain.resize((900, 900)), (4_500, 50, 4_600, 50)),
        "28×28": plain.resize((28, 28)),
    }


def sheet(places, digits, shape=(300, 500)):
    """Return a page with one of other people's digits at each place, 100 pixels high."""
    (images, labels), page = five_thousand()[1], np.full(shape, 250, np.uint8)
    for digit, (top, left) in zip(digits, places, strict=True):
        image = PIL.Image.fromarray(images[np.flatnonzero(labels == digit)[1]]).resize((100, 100))
        page[top : top + 100, left : left + 100] -= (np.asarray(image) * 0.8).astype(np.uint8)
    return page


def touching(one, other):
    """Return two digits side by side, moved together until they touch: dark ink on white paper."""
    one, other = (image[:, image.any(0)] for image in (one, other))
    for over in range(min(one.shape[1], other.shape[1])):
        page = np.zeros((28, one.shape[1] + other.shape[1] - over), np.uint8)
        page[:, : one.shape[1]] = one
        right = page[:, one.shape[1] - over :]
        np.maximum(right, other, out=right)
        if scipy.ndimage.label(page > 127, np.ones((3, 3)))[1] == 1:
            break
    large = PIL.Image.fromarray(page).resize((8 * page.shape[1], 224))
    return 255 - np.pad(np.asarray(large), 60)


def in_formats():
    """Return a 5 in usual formats, HEIC too, and in unusual ones: two lists of bytes."""
    heic = io.BytesIO()
    pillow_heif.from_pillow(five().convert("RGB")).save(heic)
    usual, unusual = ([encoded(five(), format=kind) for kind in kinds] for kinds in FORMATS)
    return [*usual, heic.getvalue()], unusual


def mutated(content, generator):
    """Return a file with some bytes changed, now and then cut."""
    changed = bytearray(content)
    for place in generator.integers(0, min(len(changed), 600), generator.integers(1, 12)):
        changed[place] = generator.integers(0, 256)
    is_cut = generator.random() < 0.2
    return bytes(changed[: generator.integers(1, len(changed))] if is_cut else changed)


def huge():
    """Return a PNG's beginning that promises 50,000×50,000 pixels."""
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def part(left, top, right, bottom, *linked, labels=(1,)):
    """Return a part of ink at that place."""
    return Part(top, bottom, left, right, labels, frozenset(linked))


TALL = part(100, 100, 150, 200)  # 100 high
TOGETHER = {  # two parts, and whether they are of one digit
    "linked by faint ink, 29 apart": (part(0, 100, 40, 200, 7), part(69, 100, 99, 200, 7), True),
    "linked by faint ink, 31 apart": (part(0, 100, 40, 200, 7), part(71, 100, 99, 200, 7), False),
    "two digits side by side": (TALL, part(155, 100, 205, 200), False),
    "a stroke beside, 11 apart": (TALL, part(161, 130, 190, 180), True),
    "a stroke beside, 13 apart": (TALL, part(163, 130, 190, 180), False),
    "as high as two thirds beside": (TALL, part(161, 130, 190, 196), False),
    "a bar above, 25 apart": (TALL, part(100, 65, 150, 75), True),
    "a bar above, 45 apart": (TALL, part(100, 45, 150, 55), False),
    "two halves, 9 apart": (part(0, 0, 50, 40), part(0, 49, 50, 89), True),
    "two halves, 20 apart": (part(0, 0, 50, 40), part(0, 60, 50, 100), False),
    "a bar above to one side": (TALL, part(140, 80, 240, 90), False),
    "two tall ones, one above the other": (part(0, 0, 50, 90), part(0, 95, 50, 185), False),
    "a 4's stem, half as low as its corner": (part(0, 0, 60, 80), part(75, 40, 90, 120), True),
    "a 1 after a 6 in a sloping line": (part(0, 0, 60, 80), part(75, 15, 90, 95), False),
    "a comma after a 6": (part(0, 0, 60, 80), part(75, 66, 86, 98), False),
    "a narrow digit of the line below": (part(0, 0, 60, 80), part(75, 75, 95, 155), False),
    "a digit and a lower one as wide": (part(0, 0, 60, 80), part(75, 40, 120, 120), False),
    "side by side, overlapping half across": (TALL, part(125, 110, 175, 210), True),
    "side by side, overlapping a third": (TALL, part(133, 110, 183, 210), False),
}
