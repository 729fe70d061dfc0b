"""Pictures with their answers: a box around each digit and its class."""

import io
import itertools
import pathlib

import numpy as np
import PIL.Image
import PIL.ImageDraw

from digit_reader.files import write_atomically
from digit_reader.picture import Picture, brightness, on_paper, upright
from digit_reader.reading import Reading

LONGEST = 150  # bytes of a file's name; a file system takes 255


def in_colours(picture: Picture) -> PIL.Image.Image:
    """Return the picture as RGB, on paper where it is transparent."""
    image = upright(picture)
    if image.mode.startswith("I") or image.mode == "F":
        return PIL.Image.fromarray((255 * brightness(image)).astype(np.uint8)).convert("RGB")
    return (on_paper(image) if image.has_transparency_data else image).convert("RGB")


def annotated(picture: Picture, reading: Reading) -> PIL.Image.Image:
    """Return the picture with its reading's boxes and answers."""
    image = in_colours(picture)
    pen, size = PIL.ImageDraw.Draw(image), max(12, round(0.04 * max(image.size)))
    width, height = image.size
    for digit in reading.digits:
        left, top, right, bottom = digit.box
        box = (left * width, top * height, right * width, bottom * height)
        pen.rectangle(box, outline="#0072b2", width=max(2, size // 10))
        pen.text(box[:2], digit.answer, "#d55e00", font_size=size, anchor="lb")
    return image


def save_annotated(picture: Picture, reading: Reading, folder: str | pathlib.Path) -> pathlib.Path:
    """Write the annotated picture into a folder, as PNG, beside what is there; return its path."""
    name = "_".join(pathlib.Path(reading.image).with_suffix("").parts).strip("._/\\")
    name = name.encode(errors="ignore")[-LONGEST:].decode(errors="ignore")
    numbered = (
        f"{name} read{n}.png" for n in itertools.chain([""], (f" {i}" for i in itertools.count(2)))
    )
    path = next(path for path in (pathlib.Path(folder, n) for n in numbered) if not path.exists())
    file = io.BytesIO()
    annotated(picture, reading).save(file, "PNG")
    write_atomically(path, lambda temporary: temporary.write_bytes(file.getvalue()))
    return path
