"""The digit reader's training: pictures as people take them teach, and digits of others judge."""

from mnist_study.core import data, evaluate
from mnist_study.core.experiment import Experiment, Result, load_mnist
from mnist_study.core.training import Trained, train
from mnist_study.reader import pens, pictures
from mnist_study.reader.uci import CALIBRATES, TESTS, in_mnist_form, uci_digits

STROKES = 1_200  # digits drawn anew for the test


def train_and_judge(experiment: Experiment) -> tuple[Trained, Result]:
    """Train the reader as the experiment says; return the trained model and the result."""
    (images, labels), (test_images, test_labels) = load_mnist()
    rows, held = data.split(data.training_writers())
    seed = experiment.seed
    inputs, shares = pictures.training_set(images[rows], labels[rows], seed)
    people, people_labels = pens.pictures_by(pens.TESTS)
    trained = train(experiment.recipe, inputs, shares, seed=seed)
    record, _ = evaluate.measure(
        trained,
        validation=(data.normalise(images[held]), labels[held]),
        uci_validation=uci_digits(CALIBRATES),
        pens=pictures.drawn_digits(STROKES, [seed, 12]),
        people=(in_mnist_form(people), people_labels),
        uci_test=uci_digits(TESTS),
        test=(data.normalise(test_images), test_labels),
    )
    return trained, record | {"training_pictures": len(inputs)}
