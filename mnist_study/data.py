"""MNIST: loaded, identified, split by writers and normalised, for the whole study."""

import enum
import hashlib
from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Integer, Shaped, UInt8

from mnist_study.arrays import Examples, Images, Indices, Labels, Pixels, Targets
from mnist_study.errors import ImagesError

SHA256 = {  # of the arrays: training images and labels, test images and labels
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "mnist-5k": "6f1dec24eae41a252e3fca6a88ec181b02f7b1216ac93dfe6f7b9ad531d0aaef",
}
# Test images whose label fewer than three of five people backed (Northcutt et al. 2021,
# arXiv 2103.14749).
CONTESTED = [947, 1621, 1901, 2130, 2462, 2597, 2654, 3520]
CONTESTED += [3558, 5937, 6651, 6783, 8527, 9679, 9729]

Pair = tuple[UInt8[np.ndarray, "_ 28 28"], Integer[np.ndarray, "_"]]  # images and their labels
Writers = Shaped[np.ndarray, "n"]  # a Population each


class Population(enum.StrEnum):
    """Who wrote a digit. Source: QMNIST (Yadav and Bottou 2019, arXiv 1905.10498)."""

    STUDENTS = "students"
    CENSUS = "Census"
    UNKNOWN = "unknown"


class Split(enum.StrEnum):
    """Which of the 60,000 images train, and which validate."""

    STUDY = "study"  # the last images of each population validate, all others train
    STUDENTS = "students"  # of these others students' alone,
    CENSUS = "Census"  # Census employees' alone, or
    BOTH = "both"  # half of each train: equally many images each time
    FROM_STUDENTS = "from students"  # all students' images train, all others validate
    FROM_CENSUS = "from Census"  # and the other way round: all validation writers are new


TEST_SHARES = {Population.STUDENTS: 0.5001, Population.CENSUS: 0.4999}  # of the test set
TRAINED_ON = {
    Split.STUDENTS: [Population.STUDENTS],
    Split.CENSUS: [Population.CENSUS],
    Split.BOTH: [Population.STUDENTS, Population.CENSUS],
}
ALONE = {Split.FROM_STUDENTS: Population.STUDENTS, Split.FROM_CENSUS: Population.CENSUS}


def digest(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 of the arrays' bytes, one after the other, as hexadecimal text."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()


def identify(train: Pair, test: Pair) -> dict[str, str]:
    """Return the name ("mnist" or "mnist-5k") and the SHA-256 of two pairs (images, labels).

    Raises ImagesError when they are neither.
    """
    sha256 = digest([*train, *test])
    for name, known in SHA256.items():
        if known == sha256:
            return {"name": name, "sha256": sha256}
    raise ImagesError(f"these images are not MNIST's (SHA-256 {sha256}): delete Keras's mnist.npz")


def load() -> tuple[Pair, Pair]:
    """Return MNIST's training and test pairs; raise ImagesError when Keras has other images."""
    from mnist_study.backend import keras  # late: it takes seconds

    train, test = keras.datasets.mnist.load_data()
    if identify(train, test)["name"] != "mnist":
        raise ImagesError("Keras's MNIST holds other images than this study is about")
    return train, test


def training_writers() -> Writers:
    """Return the Population that wrote each of MNIST's 60,000 training images."""
    indices = np.arange(60_000)
    students = (indices % 2 == 0) & (indices < 58_100)
    return np.where(students, Population.STUDENTS, Population.CENSUS)


def test_writers() -> Writers:
    """Return the Population that wrote each of MNIST's 10,000 test images."""
    return np.where(np.arange(10_000) <= 5_000, Population.STUDENTS, Population.CENSUS)


def normalise(images: Pixels) -> Images:
    """Return images with pixels from 0 to 255 as networks take them, from 0 to 1."""
    return images[..., np.newaxis].astype("float32") / 255


def one_hot(labels: Labels) -> Targets:
    """Return a vector for each label: ten numbers, 1 at the digit's place among zeros."""
    return np.eye(10, dtype="float32")[labels]


def last_of_each(
    strata: Shaped[np.ndarray, "n"], shares: Mapping[object, float], size: int
) -> Indices:
    """Return the last indices of each stratum, size in all, sorted; shares: each one's of size."""
    parts = [np.flatnonzero(strata == s)[-round(size * share) :] for s, share in shares.items()]
    return np.sort(np.concatenate(parts))


def split(
    writers: Writers, kind: Split = Split.STUDY, size: int = 6_000, seed: int = 1
) -> tuple[Indices, Indices]:
    """Return the indices of the images that train and of those that validate, both sorted.

    size: how many validate, in the test set's proportion of the populations, where kind does not
    say that all of one do. seed: of the draw where equally many images are to train.
    """
    if kind in ALONE:
        training = writers == ALONE[kind]
        return np.flatnonzero(training), np.flatnonzero(~training)
    validation = last_of_each(writers, TEST_SHARES, size)  # pyright: ignore[reportArgumentType]
    indices = np.setdiff1d(np.arange(len(writers)), validation)
    if kind in TRAINED_ON:
        indices = equally_many(indices, writers, TRAINED_ON[kind], np.random.default_rng(seed))
    return indices, validation


def equally_many(
    indices: Indices, writers: Writers, groups: list[Population], generator: np.random.Generator
) -> Indices:
    """Return as many of the indices as students wrote, drawn equally from each group, sorted."""
    of_each = np.sum(writers[indices] == Population.STUDENTS) // len(groups)
    parts = [indices[writers[indices] == group] for group in groups]
    drawn = [generator.choice(part, of_each, replace=False) for part in parts]
    return np.sort(np.concatenate(drawn))


def examples(kind: Split = Split.STUDY, seed: int = 1) -> dict[str, Examples]:
    """Return MNIST as the study uses it: images and labels to train, to validate and to test."""
    (images, labels), (test_images, test_labels) = load()
    inputs = normalise(images)
    training, validation = split(training_writers(), kind, seed=seed)
    parts = {
        "train": (inputs[training], labels[training]),
        "validation": (inputs[validation], labels[validation]),
    }
    return parts | {"test": (normalise(test_images), test_labels)}
