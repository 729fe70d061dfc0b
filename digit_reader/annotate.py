"""Pictures with their answers: a box around each digit and what was read there."""

import io
import pathlib

import PIL.ImageDraw

from digit_reader.files import write_atomically
from digit_reader.picture import upright
from digit_reader.reader import in_words


def annotated(picture, reading):
    """Return the picture (as read takes it) with its reading's boxes and answers: PIL image."""
    image = upright(picture).convert("RGB")
    pen, size = PIL.ImageDraw.Draw(image), max(12, round(0.04 * max(image.size)))
    for digit in reading["digits"]:
        box = [share * image.size[side % 2] for side, share in enumerate(digit["box"])]
        pen.rectangle(box, outline="#0072b2", width=max(2, size // 10))
        pen.text(box[:2], in_words(digit), "#d55e00", font_size=size, anchor="lb")
    return image


def save_annotated(picture, reading, folder):
    """Write the annotated picture into a folder, as PNG; return its path."""
    name = "_".join(pathlib.Path(reading["image"]).with_suffix("").parts).strip("._/")
    path, file = pathlib.Path(folder, f"{name} read.png"), io.BytesIO()
    annotated(picture, reading).save(file, "PNG")
    write_atomically(path, lambda temporary: temporary.write_bytes(file.getvalue()))
    return path
