"""Learning UCI's digits from few labels."""

import numpy as np
import pytest

from mnist_study import models
from mnist_study.backend import keras
from mnist_study.evaluate import uci
from mnist_study.notebook import transfer


@pytest.fixture(scope="module")
def learner():
    """A learner whose network is untrained and small."""
    keras.utils.set_random_seed(1)
    options = {"filters": (8, 8, 8), "units": 16}
    configuration = models.Configuration(models.cnn, options=options)
    return transfer.Learner(configuration.build(), configuration, seed=1)


def test_each_digit_gets_equally_many_labels_of_the_pool(learner):
    indices = learner.draw(3, 0)
    assert np.bincount(learner.labels[indices]).tolist() == [3] * 10
    assert indices.max() < uci.TEST.start
    assert (indices == learner.draw(3, 0)).all() and (indices != learner.draw(3, 1)).any()


def test_labels_help_and_each_training_begins_anew(learner):
    records = learner.compare((10,), draws=2)
    scores = {record["method"]: record["accuracy_mean"] for record in records}
    assert set(scores) == set(transfer.Way)
    assert scores["as it is"] < 0.3 < 0.35 < scores["frozen features"]
    assert scores["from scratch"] > 0.2
    indices = learner.draw(10, 0)
    again = [learner.score(transfer.Way.SCRATCH, indices) for _ in range(2)]
    assert again[1] == pytest.approx(again[0], abs=0.15)  # dropout differs
