"""Pictures with their answers: a box around each digit and what was read there."""

import io
import pathlib

import PIL.Image
import PIL.ImageDraw

from digit_reader.files import write_atomically
from digit_reader.picture import Picture, upright
from digit_reader.reading import Reading


def annotated(picture: Picture, reading: Reading) -> PIL.Image.Image:
    """Return the picture with its reading's boxes and answers."""
    image = upright(picture).convert("RGB")
    pen, size = PIL.ImageDraw.Draw(image), max(12, round(0.04 * max(image.size)))
    width, height = image.size
    for digit in reading.digits:
        left, top, right, bottom = digit.box
        box = (left * width, top * height, right * width, bottom * height)
        pen.rectangle(box, outline="#0072b2", width=max(2, size // 10))
        pen.text(box[:2], digit.answer, "#d55e00", font_size=size, anchor="lb")
    return image


def save_annotated(picture: Picture, reading: Reading, folder: str | pathlib.Path) -> pathlib.Path:
    """Write the annotated picture into a folder, as PNG; return its path."""
    name = "_".join(pathlib.Path(reading.image).with_suffix("").parts).strip("._/")
    path, file = pathlib.Path(folder, f"{name} read.png"), io.BytesIO()
    annotated(picture, reading).save(file, "PNG")
    write_atomically(path, lambda temporary: temporary.write_bytes(file.getvalue()))
    return path
