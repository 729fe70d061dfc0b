"""What a caller may give to be read: paths, folders, patterns, open files, stacks of arrays."""

import glob
import os
import pathlib
import re
import sys
from typing import Any

import numpy as np

from digit_reader.errors import PictureError
from digit_reader.picture import MOST_FILE, is_stack, printable

ROW = 784  # pixels of an image of 28×28 in a row
URL = re.compile(r"(?i)[a-z][a-z0-9+.-]+:/|data:")
DOWNLOAD = "this is a URL: download the picture, then give the file"
Named = tuple[str, Any]  # a picture, or the PictureError in its place, by name


def named_pictures(images: Any) -> list[Named]:
    """Return what to read, each with its name: a picture, or what is wrong; see read."""
    pictures: list[Named] = []
    images = images if isinstance(images, (list, tuple)) else [images]
    for place, image in enumerate(images, 1):
        name = f"image {place}"
        if isinstance(image, (str, os.PathLike)):
            pictures += named_files(os.fspath(image))
        elif callable(getattr(image, "read", None)):
            pictures.append((name, content_read(image)))
        elif isinstance(image, np.ndarray) and image.ndim in (1, 2) and image.shape[-1] == ROW:
            rows = image.reshape(-1, 28, 28)
            pictures += [(f"{name}, {number}", one) for number, one in enumerate(rows, 1)]
        elif isinstance(image, np.ndarray) and is_stack(image):
            pictures += [(f"{name}, {number}", one) for number, one in enumerate(image, 1)]
        else:
            pictures.append((name, image))
    return pictures


def named_files(path: str) -> list[Named]:
    """Return the pictures that a path, a folder, a pattern or "-" names, each with its name."""
    if path == "-":
        return [("standard input", content_read(getattr(sys.stdin, "buffer", None)))]
    path = os.path.expanduser(path)  # noqa: PTH111  (a Path would make "" the folder here)
    try:
        if URL.match(path) and not pathlib.Path(path).exists():
            return [(printable(path), PictureError(DOWNLOAD))]
        if path and pathlib.Path(path).is_dir():
            files = sorted(p for p in pathlib.Path(path).glob("[!.]*") if p.is_file())
            wrong = "the folder holds no files: put pictures there"
        elif glob.has_magic(path) and not pathlib.Path(path).exists():
            found = glob.glob(path, recursive=True)  # noqa: PTH207  (absolute patterns, too)
            files = sorted(p for p in found if pathlib.Path(p).is_file())
            wrong = "no file fits this pattern: check the path"
        else:
            return [(printable(path), path)]
        return [(printable(p), p) for p in files] or [(printable(path), PictureError(wrong))]
    except (OSError, ValueError):
        return [(printable(path), PictureError("this may not be read: check path and rights"))]


def content_read(file: Any) -> bytes | PictureError:
    """Return what is left in an open file; the error in its place if it is too much or no bytes."""
    if file is None:
        return PictureError("standard input is closed: give the names of files")
    try:
        content = file.read(MOST_FILE + 1)
    except Exception as error:
        return PictureError(f"the file cannot be read ({type(error).__name__}): open it anew")
    if not isinstance(content, bytes):
        return PictureError("the file gives text: open it in binary mode")
    return content if len(content) <= MOST_FILE else PictureError("the file is too large")
