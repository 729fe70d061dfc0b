"""Training: importance sampling, augmentation, annealing, schedules, initial weights, the clock."""

import dataclasses

import numpy as np
import pytest
from support.trainings import model_of

from mnist_study import data, models, sampling, train
from mnist_study.backend import keras, tf
from mnist_study.initializers import local_weights
from mnist_study.optimizers import FusedAdam

DENSE = dataclasses.replace(models.registry["dense_dropout"], epochs=2, batch_size=32)
DENSE = dataclasses.replace(DENSE, samples_per_epoch=64)


def test_images_come_in_turn_for_two_epochs_then_by_the_power_of_their_loss():
    losses = [np.float32([0.01, 0.04, 0.16, 0.64]), np.float32([9, 9, 9, 9])]
    for epoch, power in ((0, 0.5), (1, 0.5), (2, 0)):
        assert sorted(sampling.draw_indices(losses, 4, epoch, 4, 1, power)) == [0, 1, 2, 3]
    drawn = sampling.draw_indices(losses, 4, 2, 100_000, 1, 0.5)
    assert np.bincount(drawn) / 100_000 == pytest.approx([0.07, 0.14, 0.26, 0.53], abs=0.01)
    assert (drawn == sampling.draw_indices(losses, 4, 2, 100_000, 1, 0.5)).all()
    assert (drawn != sampling.draw_indices(losses, 4, 2, 100_000, 2, 0.5)).any()


def test_a_sampled_step_is_keras_s_own_and_notes_the_losses():
    images, targets = np.zeros((4, 28, 28, 1), np.float32), data.one_hot(np.array([0, 1, 1, 2]))
    keras.utils.set_random_seed(1)
    plain, network = model_of(3), model_of(3)
    sampled = sampling.SampledTraining(network, 6)
    for model in (plain, sampled):
        model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    loss = -np.log(0.1 / 9)
    batches = tf.data.Dataset.from_tensors((images, targets, tf.constant([5, 0, 2, 3])))
    histories = [plain.fit(images, targets, verbose=0).history]
    histories += [
        sampled.fit(batches, callbacks=sampled.callbacks, shuffle=False, verbose=0).history
    ]
    assert histories[0]["loss"] == pytest.approx(histories[1]["loss"])
    assert histories[0]["accuracy"] == histories[1]["accuracy"] == [0]
    for one, other in zip(plain.get_weights(), network.get_weights(), strict=True):
        assert one == pytest.approx(other, abs=1e-7)
    mean = (1 + loss) / 2
    assert sampled.by_epoch[0] == pytest.approx([mean, 1, mean, mean, 1, mean], rel=1e-5)


def test_wrong_labels_are_sampled_most(fallback):
    images, labels = fallback[0]
    wrong = np.arange(0, len(labels), 100)
    targets = data.one_hot(labels)
    targets[wrong] = data.one_hot((labels[wrong] + 1) % 10)
    small = {"epochs": 4, "samples_per_epoch": 6_400, "batch_size": 128, "learning_rate": 0.02}
    small = dataclasses.replace(DENSE, **small, options={"widths": (128, 64)})
    trained = train.train(small, data.normalise(images), targets)
    assert np.median(trained.sample_losses[wrong]) > np.quantile(trained.sample_losses, 0.97)


def test_local_weights_lie_in_patches_and_add_up_to_nothing():
    keras.utils.set_random_seed(1)
    weights = local_weights(24, 50)
    assert weights.shape == (576, 50) and np.abs(weights.sum(0)).max() < 1e-4
    share = weights**2 / 2
    assert share.sum(0) == pytest.approx(1, rel=1e-4)
    pixels = np.indices((24, 24)).reshape(2, 576, 1)
    centre = (share * pixels).sum(1)
    assert centre.min() > 2 and centre.max() < 21 and centre.std() > 3
    spread = np.sqrt((share * ((pixels - centre[:, np.newaxis]) ** 2).sum(0)).sum(0))
    assert spread.max() < 6  # of weights anywhere: about 10


def test_schedules_of_the_rate_of_validation_and_of_steps():
    rate = train.rate_schedule(0.5, 100)
    values = [float(rate(step)) for step in (0, 5, 10, 55, 100)]
    assert values == pytest.approx([0, 0.25, 0.5, 0.25, 0], abs=1e-6)
    assert train.validated_epochs(3) == [1, 2, 3]
    assert train.validated_epochs(40) == [*range(2, 41, 2)]
    names = ("baseline_mlp", "dense_dropout", "cnn")
    steps = [train.steps_per_epoch(models.registry[name], 1_000) for name in names]
    assert steps == [8, 54_000 // 512, 54_000 // 256]
    plain = dataclasses.replace(models.registry["softmax_regression"], epochs=1)
    inputs, targets = np.zeros((300, 28, 28, 1), np.float32), data.one_hot(np.zeros(300, int))
    trained = train.train(plain, inputs, targets)
    assert trained.model.optimizer.iterations.numpy() == 3 and trained.sample_losses is None


EQUAL = (np.ones(64, np.float32),) * 9  # losses of 64 images after each epoch


def batches(losses=EQUAL, augmented=None, **changes):
    """Return the batches of all epochs over 64 images, whose pixels say their indices."""
    pixels = np.arange(64, dtype=np.float32)[:, np.newaxis, np.newaxis, np.newaxis] / 64
    targets, changed = data.one_hot(np.arange(64) % 10), dataclasses.replace(DENSE, **changes)
    augmented = augmented or (lambda images, seed, strength: images)
    given = np.tile(pixels, (28, 28, 1)), targets, 1, augmented, losses
    dataset = train.augmented_batches(changed, *given)
    return [tuple(np.asarray(part) for part in batch) for batch in dataset]


def test_batches_have_each_image_with_its_target_and_index():
    first, second, *others = batches()
    for images, targets, indices in (first, second, *others):
        assert images.shape == (32, 28, 28, 1)
        assert images[:, 14, 14, 0] == pytest.approx(indices / 64, abs=1e-5)
        assert (targets.argmax(1) == indices % 10).all()
    assert sorted([*first[2], *second[2]]) == [*range(64)] and len(others) == 2
    assert {len(batch) for batch in batches(losses=None)} == {2}


@pytest.mark.parametrize(("anneal", "end"), [(True, [5 / 6, 4 / 6]), (False, [1, 1])])
def test_annealing_halves_the_augmentation_in_the_last_three_tenths(anneal, end):
    def strengths(images, seed, strength):
        return images * 0 + strength

    ten = {"epochs": 10, "samples_per_epoch": 32, "anneal": anneal}
    first = [batch[0][0, 0, 0, 0] for batch in batches(augmented=strengths, **ten)]
    assert first == pytest.approx([1] * 8 + end, abs=1e-5)


def test_a_configuration_s_augmentation_warps_and_corrupts_its_share_of_a_batch():
    images, seed = np.full((64, 28, 28, 1), 0.5, np.float32), np.array([1, 2])
    changed = {
        "elastic": 0,
        "corrupted": 0.5,
        "corruptions": ("noise", "contrast"),
        "batch_size": 64,
    }
    augmented = train.augmentation(dataclasses.replace(DENSE, **changed))(images, seed, 1.0)
    different = (np.abs(np.asarray(augmented) - 0.5) > 0.01).any((1, 2, 3))
    assert 8 <= different[:32].sum() <= 16 and not different[32:].any()
    clean = dataclasses.replace(DENSE, corruptions=(), shift=0)
    warped = train.augmentation(clean)(images, seed, 0.0)
    assert np.asarray(warped) == pytest.approx(images, abs=1e-6)


def test_fused_adam_follows_adam_s_formula():
    gradients = np.float32([[0.5, -0.1, 0.0], [0.2, 3.0, 1.0]])
    variable, adam = keras.Variable(np.float32([1.0, -2.0, 3.0])), FusedAdam(0.1)
    first, second, expected = np.zeros(3), np.zeros(3), variable.numpy().astype(float)
    for step, gradient in enumerate(gradients, 1):
        adam.apply([tf.constant(gradient)], [variable])
        first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
        unbiased = first / (1 - 0.9**step), second / (1 - 0.999**step)
        expected -= 0.1 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-7)
        assert variable.numpy() == pytest.approx(expected, rel=1e-4)


def test_the_clock_stands_still_during_validation(monkeypatch):
    times = iter([(5.0, 2.0), (15.0, 6.0), (20.0, 9.0), (21.0, 10.5)])
    monkeypatch.setattr(train, "now", lambda: np.array(next(times)))
    clock = train.Clock()
    clock.on_epoch_begin(0)
    clock.on_test_begin()  # after 10 seconds
    clock.on_epoch_end(0)
    clock.on_epoch_begin(1)  # at 20
    clock.on_epoch_end(1)
    assert (clock.seconds, clock.processor_seconds) == (11, 5.5)
