"""MNIST-C's corruptions do what the paper defines; statistics estimated anew; published arrays."""

import numpy as np
import pytest
from support.trainings import model_of

from mnist_study import data, models
from mnist_study.errors import ImagesError
from mnist_study.evaluate import batch_statistics, mnist_c, published
from mnist_study.evaluate.mnist_c import CORRUPTIONS, corrupted

SQUARE = np.zeros((400, 28, 28, 1), np.float32)
SQUARE[:, 10:18, 9:17] = 1
BLANK = np.zeros_like(SQUARE)
CENTRE = np.array([13.5, 12.5])  # of the square
# Of 2,000 test digits, mean ink and mean change, as the published program gives them.
PUBLISHED = {"shot_noise": (0.1083, 0.0449), "impulse_noise": (0.1942, 0.0847)}
PUBLISHED |= {"glass_blur": (0.1311, 0.086), "motion_blur": (0.1307, 0.0992)}
PUBLISHED |= {"shear": (0.1318, 0.1074), "scale": (0.0646, 0.1138), "rotate": (0.1318, 0.1144)}
PUBLISHED |= {"brightness": (0.581, 0.4492), "translate": (0.1312, 0.1875)}
PUBLISHED |= {"stripe": (0.6102, 0.494), "fog": (0.4052, 0.3551), "spatter": (0.1475, 0.0346)}
PUBLISHED |= {"dotted_line": (0.1554, 0.0235), "zigzag": (0.1786, 0.0467)}
PUBLISHED |= {"canny_edges": (0.1083, 0.1639)}


def middle(images):
    """Return the centres of the images' ink: (n, 2), rows and columns."""
    ink = images[..., 0]
    places = np.moveaxis(np.indices((28, 28)), 0, -1)
    return np.einsum("nij,ijk->nk", ink, places) / ink.sum((1, 2))[:, np.newaxis]


def test_there_are_fifteen_in_six_families_that_repeat():
    assert len(CORRUPTIONS) == 15
    assert sorted(name for of in mnist_c.FAMILIES.values() for name in of) == sorted(CORRUPTIONS)
    for name in CORRUPTIONS:
        once, again, other = (corrupted(name, SQUARE[:20], seed) for seed in (0, 0, 1))
        assert once.shape == (20, 28, 28, 1) and once.dtype == np.float32
        assert (once == again).all() and once.min() >= 0 and once.max() <= 1
        fixed = name in ("scale", "brightness", "stripe", "canny_edges")
        assert (once == other).all() == fixed, name


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_ink_and_change_are_those_of_the_published_program(name, fallback):
    images = fallback[0][0]
    images = data.normalise(images[:: len(images) // 400])
    after, (ink, change) = corrupted(name, images), PUBLISHED[name]
    brighter = images.mean() / 0.1319  # than the 2,000 test digits
    assert after.mean() == pytest.approx(ink, abs=0.012 * max(1, brighter))
    assert np.abs(after - images).mean() == pytest.approx(change, rel=0.13)


def test_noise_keeps_to_its_levels():
    counts = 3 * corrupted("shot_noise", SQUARE)
    assert counts == pytest.approx(counts.round(), abs=0.02) and len(np.unique(counts.round())) == 4
    assert (corrupted("shot_noise", BLANK) == 0).all()
    grey = np.full_like(SQUARE, 0.5)
    hit = corrupted("impulse_noise", grey)
    assert np.mean(hit > 0.9) == pytest.approx(0.085, abs=0.005) == np.mean(hit < 0.1)
    assert 2 * np.mean(corrupted("spatter", np.ones_like(SQUARE)) < 0.9) > 0.02
    assert corrupted("spatter", BLANK).max() == pytest.approx(63 / 255, abs=0.01)


def test_geometry_moves_by_what_the_paper_says():
    moved = middle(corrupted("translate", SQUARE)) - CENTRE
    assert {*np.abs(moved).round(2).ravel()} == {3.0} and len(
        np.unique(moved.round(1), axis=0)
    ) == 4
    assert corrupted("scale", SQUARE).sum() == pytest.approx(0.49 * SQUARE.sum(), rel=0.05)
    tall = BLANK.copy()
    tall[:, 3:25, 13:15] = 1
    for name in ("rotate", "shear"):
        after = corrupted(name, tall)[..., 0]
        first, last = (after[:, row] @ np.arange(28) / after[:, row].sum(1) for row in (6, 21))
        slopes = (last - first) / 15
        assert {*np.abs(slopes).round(1)} == {0.4} and {*np.sign(slopes)} == {-1, 1}, name


def test_light_lines_and_edges():
    assert corrupted("brightness", BLANK) == pytest.approx(0.5, abs=0.003)
    stripes = corrupted("stripe", BLANK)[0, 5, :, 0]
    assert stripes.tolist() == [1] * 7 + [0] * 14 + [1] * 7
    fog = corrupted("fog", np.float32(0.01) * SQUARE)
    assert fog.max() <= 0.01  # as bright as the brightest pixel allows
    line = corrupted("dotted_line", BLANK)[..., 0]
    assert (line.max((0, 1)) > 0).tolist()[:8] == [False, False, True, True] * 2
    zigzag = corrupted("zigzag", BLANK)[..., 0]
    assert zigzag[:, :, :2].max() == 0 and zigzag[:, :, 2].max() == 1
    edges = corrupted("canny_edges", SQUARE)[0, ..., 0]
    assert {*np.unique(edges)} == {0, 1} and edges[14, 13] == 0 and edges[14, 7:19].sum() == 2


def test_statistics_estimated_anew_undo_a_change_of_contrast(fallback):
    network = models.dense_dropout((32, 16))
    images = data.normalise(fallback[0][0][:256])
    for layer in batch_statistics.normalisations(network):
        layer.momentum = 0.0
    network(images, training=True)
    before, weak = network.predict(images, verbose=0), 0.25 * images + 0.5
    stale = network.predict(weak, verbose=0)
    again = batch_statistics.reestimated(network, weak).predict(weak, verbose=0)
    assert np.abs(again - before).max() < 0.05 < np.abs(stale - before).max()
    rates = mnist_c.error_rates(network, images[:32], np.zeros(32, int))
    assert [*rates] == ["mnist_c", "mnist_c_reestimated"] and len(rates["mnist_c"]) == 15
    assert [*mnist_c.error_rates(model_of(0), images[:32], np.zeros(32, int))] == ["mnist_c"]


def test_published_arrays_are_found_evaluated_and_named(tmp_path):
    images, labels = np.zeros((5, 28, 28, 1), np.uint8), np.array([3, 3, 3, 4, 3])
    (tmp_path / "fog").mkdir()
    np.save(tmp_path / "fog" / "test_images.npy", images)
    np.save(tmp_path / "fog" / "test_labels.npy", labels)
    first, mean = published.report(model_of(3), tmp_path)
    assert first.split()[:3] == ["fog", "20.00%", "5"] and "over 1 corruptions" in mean
    np.savez(tmp_path / "arrays.npz", stripe=images[..., 0], labels=labels)
    assert len([*published.report(model_of(3), tmp_path / "arrays.npz")]) == 2
    with pytest.raises(ImagesError, match="no array of MNIST-C: give"):
        next(published.report(model_of(3), tmp_path / "nothing"))
