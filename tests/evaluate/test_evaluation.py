"""Evaluation beyond test accuracy: reliability, membership, corruptions, other data."""

import numpy as np
import pytest
from support.trainings import model_of

from mnist_study import data
from mnist_study.evaluate import evaluation
from mnist_study.evaluate.robustness import CORRUPTIONS, corrupted_accuracies

NO_IMAGES = np.zeros((0, 28, 28, 1), np.float32)  # where images do not matter
APPLY = {corruption.name.split(",")[0]: corruption.apply for corruption in CORRUPTIONS}


def test_shares_are_packed_and_digits_downsampled_to_counts_of_their_ink():
    shares = np.array([0.0, 0.0001234, 0.0333, 0.5, 1.0])
    assert len(evaluation.packed(shares)) == 16  # base64 of two bytes each
    assert evaluation.unpacked(evaluation.packed(shares)) == pytest.approx(shares, rel=1e-3)
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 4:20, 10:18] = 200  # twice as tall as wide
    [small] = evaluation.downsampled(image)
    assert small.shape == (8, 8)
    assert (small[:, 2:6] == 15 * 16).all() and small[:, [0, 1, 6, 7]].max() == 0


def threes(*confidence):
    """Return predictions of that confidence in 3, the rest shared equally."""
    predicted = np.repeat((1 - np.float32(confidence)[:, np.newaxis]) / 9, 10, axis=1)
    predicted[:, 3] = confidence
    return predicted


def test_reliability_and_membership():
    labels, predicted = np.array([3] * 9 + [4]), threes(*[0.9] * 10)
    parts = dict.fromkeys(("train", "validation", "test"), (NO_IMAGES, labels))
    reliability = evaluation.reliability(dict.fromkeys(parts, predicted), parts)
    assert reliability["temperature"] == pytest.approx(1, abs=0.01)  # 90% confident and correct
    uncertainty = evaluation.unpacked(reliability["uncertainty"]["test"])
    assert uncertainty == pytest.approx(0.1, abs=0.002)  # what confidence lacks
    assert reliability["ece_before"] == pytest.approx(0, abs=0.001)
    assert [reliability[key] for key in ("threshold", "coverage", "error")] == [1, 0, 0]
    parts = dict.fromkeys(("train", "validation"), (NO_IMAGES, np.array([3, 3])))
    predicted = {"train": threes(0.9, 0.7), "validation": threes(0.8, 0.6)}
    assert evaluation.membership(predicted, parts) == 0.75  # ranked first: three pairs of four


def test_an_evaluation_has_all_parts(fallback, monkeypatch):
    monkeypatch.setattr(evaluation, "CORRUPTED", 96)
    monkeypatch.setattr(evaluation, "SMALL", 100)
    model, (images, labels) = model_of(3), fallback[1]
    parts = dict.fromkeys(("train", "validation", "test"), (data.normalise(images), labels))
    predicted = np.repeat(model(np.zeros((1, 28, 28, 1))), len(labels), axis=0)
    result = evaluation.evaluation(model, dict.fromkeys(parts, predicted), parts)
    assert {*result["uci_predicted"]} == {3} and len(result["uci_predicted"]) == 797
    assert (result["small_accuracy"], result["membership"]) == pytest.approx((0.1, 0.5), abs=0.01)
    assert result["uci_accuracy"] == pytest.approx(0.1, abs=0.02)
    assert result["corruptions"].keys() == {corruption.name for corruption in CORRUPTIONS}
    assert result["corruptions"]["blur, pixels"] == [pytest.approx(0.1, abs=0.02)] * 6


IMAGES = np.zeros((32, 28, 28, 1), np.float32)
IMAGES[:, 11, 8] = 1  # one pixel, 3 above and 6 left of the centre's lower right


def test_corruptions_do_what_their_names_say():
    moves = (("rotation", 90, (8, 16)), ("shift", 3, (11, 5)), ("shear", 0.8, (11, 10)))
    for name, strength, place in moves:
        assert np.argmax(APPLY[name](IMAGES, strength)[0]) == 28 * place[0] + place[1], name
    assert APPLY["blur"](IMAGES, 1.5).sum() == pytest.approx(32, rel=1e-3)
    assert np.count_nonzero(APPLY["thicker strokes"](IMAGES, 2)) == 32 * 9
    assert APPLY["thinner strokes"](IMAGES, 1).max() == 0
    assert APPLY["contrast shift"](IMAGES, 1)[0, 11, 8] == 0
    white = np.ones((32, 28, 28, 1), np.float32)
    assert np.count_nonzero(APPLY["occlusion"](white, 8) == 0) == 32 * 64
    assert APPLY["noise"](white * 0.5, 0.1).std() == pytest.approx(0.1, rel=0.05)
    white[:, :, [0, -1]] = white[:, [0, -1]] = 0
    assert APPLY["shrinking"](white, 0.5).sum() == pytest.approx(white.sum() / 4, rel=0.1)


def test_strengths_begin_with_none_and_grow():
    for corruption in CORRUPTIONS:
        assert [*corruption.strengths] == sorted(corruption.strengths), corruption.name
        assert corruption.strengths[0] == 0 < corruption.strengths[1]
        assert corruption.apply(IMAGES, 0) == pytest.approx(IMAGES, abs=1e-5)
    accuracies = corrupted_accuracies(model_of(3), IMAGES, np.arange(32) % 4)
    assert all(accuracies[c.name] == [0.25] * len(c.strengths) for c in CORRUPTIONS)
