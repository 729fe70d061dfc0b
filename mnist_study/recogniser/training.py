"""The runner of the digit recogniser: trained on pictures as people take them."""

from mnist_study import data
from mnist_study.evaluate import accuracy
from mnist_study.evaluate.uci import CALIBRATION, TEST, in_mnist_form, uci_digits
from mnist_study.recogniser import pens, pictures
from mnist_study.runners import Experiment, Result
from mnist_study.train import Trained, train

STROKES = 1_200  # digits drawn anew for the test


def train_recogniser(experiment: Experiment) -> tuple[Trained, Result]:
    """Train the recogniser as the experiment says; return the trained model and the result."""
    (images, labels), (test_images, test_labels) = data.load()
    training, validation = data.split(data.training_writers())
    seed = experiment.seed
    inputs, targets = pictures.training_set(images[training], labels[training], seed)
    people, people_labels = pens.pictures_by(pens.TEST)
    trained = train(experiment.configuration, inputs, targets, seed=seed)
    record, _ = accuracy.measure(
        trained,
        validation=(data.normalise(images[validation]), labels[validation]),
        uci_validation=uci_digits(CALIBRATION),
        pens=pictures.drawn_digits(STROKES, [seed, 12]),
        people=(in_mnist_form(people), people_labels),
        uci_test=uci_digits(TEST),
        test=(data.normalise(test_images), test_labels),
    )
    return trained, record | {"training_pictures": len(inputs)}
