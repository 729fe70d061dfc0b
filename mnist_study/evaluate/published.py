"""The published arrays of MNIST-C, for those who have them: read, identified, evaluated."""

import pathlib
from collections.abc import Iterator

import numpy as np

from mnist_study.arrays import Examples
from mnist_study.backend import keras
from mnist_study.data import digest, normalise
from mnist_study.errors import ImagesError
from mnist_study.evaluate.accuracy import accuracy
from mnist_study.evaluate.mnist_c import CORRUPTIONS


def arrays(place: pathlib.Path) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield the name, images and labels of each corruption of MNIST-C found at a place.

    place: the published folder, which has a folder for each corruption with test_images.npy and
    test_labels.npy; or an .npz file, or a folder with one, of an array for each, and "labels".
    Raises ImagesError when there is none.
    """
    packed = [place] if place.suffix == ".npz" else sorted(place.glob("*.npz"))
    for name in CORRUPTIONS:
        folder = place / name
        if (folder / "test_images.npy").is_file():
            yield name, *(np.load(folder / f"test_{kind}.npy") for kind in ("images", "labels"))
        elif packed and packed[0].is_file():
            with np.load(packed[0]) as file:
                if name in file and "labels" in file:
                    yield name, file[name], file["labels"]


def examples(images: np.ndarray, labels: np.ndarray) -> Examples:
    """Return images, uint8 (n, 28, 28) or with a channel, and labels as networks take them."""
    return normalise(np.reshape(images, (-1, 28, 28)).astype(np.uint8)), labels.astype(int)


def report(model: keras.Model, place: pathlib.Path) -> Iterator[str]:
    """Yield a line for each corruption: error rate, and which images it was measured on."""
    rates = []
    for name, images, labels in arrays(place):
        rates.append(1 - accuracy(model, *examples(images, labels)))
        used = f"{len(labels):,} images, SHA-256 {digest([images])[:12]}"
        yield f"{name:14} {rates[-1]:7.2%}   {used}"
    if not rates:
        advice = "give the published folder mnist_c, or an .npz file with its arrays"
        raise ImagesError(f"{place} holds no array of MNIST-C: {advice}")
    yield f"{'mean':14} {np.mean(rates):7.2%}   over {len(rates)} corruptions"
