"""Well-known configurations for MNIST, and this study's: each trains from images in memory.

Each takes images uint8 (n, 28, 28), their labels, a seed and a Clock, which it lets run while it
prepares and trains, and returns a function that predicts the digits of images.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

Images, Labels = np.ndarray, np.ndarray  # uint8 (n, 28, 28), and (n,)
Predict = Callable[[Images], Labels]


class Clock:
    """Counts the processor seconds, of all threads, and the seconds of a with block."""

    def __enter__(self) -> "Clock":
        self.start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.processor = time.process_time() - self.start[0]
        self.seconds = time.perf_counter() - self.start[1]


def keras_mlp(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """Keras's mnist_mlp: 512-512, dropout 0.2, RMSprop, batches of 128, 20 epochs."""
    import keras

    keras.utils.set_random_seed(seed)
    with clock:
        layers: list[Any] = [keras.Input((784,))]
        for _ in range(2):
            layers += [keras.layers.Dense(512, activation="relu"), keras.layers.Dropout(0.2)]
        model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
        model.compile("rmsprop", "categorical_crossentropy", metrics=["accuracy"])
        inputs, targets = images.reshape(-1, 784) / np.float32(255), np.eye(10)[labels]
        model.fit(inputs, targets, batch_size=128, epochs=20, verbose=0)  # pyright: ignore
    return lambda shown: model.predict(shown.reshape(-1, 784) / 255, verbose=0).argmax(1)  # pyright: ignore


def keras_convnet(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """Keras's mnist_convnet: convolutions of 32 and 64, dropout 0.5, Adam, 15 epochs."""
    import keras

    keras.utils.set_random_seed(seed)
    with clock:
        layers: list[Any] = [keras.Input((28, 28, 1))]
        for filters in (32, 64):
            layers += [keras.layers.Conv2D(filters, 3, activation="relu")]
            layers += [keras.layers.MaxPooling2D()]
        layers += [keras.layers.Flatten(), keras.layers.Dropout(0.5)]
        model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        inputs, targets = images[..., None] / np.float32(255), np.eye(10)[labels]
        model.fit(inputs, targets, batch_size=128, epochs=15, validation_split=0.1, verbose=0)  # pyright: ignore
    return lambda shown: model.predict(shown[..., None] / 255, verbose=0).argmax(1)  # pyright: ignore


def torch_predict(model: Any) -> Predict:
    """Return the predictions of a PyTorch model, as a function of images."""
    import torch

    def predict(shown: Images) -> Labels:
        with torch.no_grad():
            parts = torch.split(torch_inputs(shown), 1_000)
            return torch.cat([model(part).argmax(1) for part in parts]).numpy()

    model.eval()
    return predict


def torch_inputs(images: Images) -> Any:
    """Return images as PyTorch's example prepares them: mean 0, standard deviation 1."""
    import torch

    return (torch.from_numpy(images).float()[:, None] / 255 - 0.1307) / 0.3081


def torch_training(
    model: Any, optimizer: Any, schedule: Any, data: Any, batch: int, epochs: int, each_step: bool
) -> None:
    """Train a PyTorch model; each_step: whether the rate changes by step, not by epoch."""
    import torch

    inputs, labels = data
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for indices in torch.split(order, batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs[indices]), labels[indices]).backward()
            optimizer.step()
            if each_step:
                schedule.step()
        if not each_step:
            schedule.step()


def torch_example(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """PyTorch's example: convolutions of 32 and 64, 128 units, Adadelta, 14 epochs."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    with clock:
        layers = [nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128)]
        model = nn.Sequential(*layers, nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
        optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.7)
        data = torch_inputs(images), torch.from_numpy(labels).long()
        torch_training(model, optimizer, schedule, data, 64, 14, each_step=False)
    return torch_predict(model)


def train_mnist_fast(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """tuomaso/train_mnist_fast: convolutions of 24 and 32, 256 units, one epoch in one cycle."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    with clock:
        layers = [nn.Conv2d(1, 24, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(24, 32, 3), nn.ReLU()]
        layers += [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(800, 256), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(256, 10))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01, betas=(0.7, 0.9))
        steps = math.ceil(len(images) / 256)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 0.01, total_steps=steps, cycle_momentum=False
        )
        data = torch_inputs(images), torch.from_numpy(labels).long()
        torch_training(model, optimizer, schedule, data, 256, 1, each_step=True)
    return torch_predict(model)


def sklearn_mlp(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """scikit-learn's MLPClassifier as it is: 100 units, Adam, until the loss stops falling."""
    from sklearn.neural_network import MLPClassifier

    with clock:
        model = MLPClassifier(random_state=seed)
        model.fit(images.reshape(-1, 784) / 255, labels)
    return lambda shown: model.predict(shown.reshape(-1, 784) / 255)


def deskewed(images: Images) -> np.ndarray:
    """Return images sheared until their ink stands upright, by its second moments: (n, 784)."""
    import scipy.ndimage

    rows, columns = np.mgrid[:28, :28]
    vectors = np.empty((len(images), 784), np.float32)
    for image, upright in zip(images, vectors, strict=True):
        ink = image / image.sum()
        row, column = (rows * ink).sum(), (columns * ink).sum()
        slant = ((rows - row) * (columns - column) * ink).sum() / ((rows - row) ** 2 * ink).sum()
        matrix = np.array([[1, 0], [slant, 1]])
        offset = np.array([row, column]) - matrix @ [13.5, 13.5]
        upright[:] = scipy.ndimage.affine_transform(image / 255, matrix, offset, order=1).ravel()
    return vectors


def neighbours_deskewed(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
    """The three nearest of the training digits, all deskewed: nothing is trained."""
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(3)
    with clock:
        model.fit(deskewed(images), labels)
    return lambda shown: model.predict(deskewed(shown))


def configuration_of(name: str) -> Any:
    """Return this study's configuration of that name."""
    from mnist_study import experiments

    return experiments.configuration(name)


def ours(name: str) -> Callable[[Images, Labels, int, Clock], Predict]:
    """Return what trains a configuration of this study on its 54,000 training images."""

    def training_of(images: Images, labels: Labels, seed: int, clock: Clock) -> Predict:
        from mnist_study import data, train
        from mnist_study.evaluate import accuracy

        training, _ = data.split(data.training_writers())
        with clock:
            inputs, targets = data.normalise(images[training]), data.one_hot(labels[training])
            model = train.train(configuration_of(name), inputs, targets, seed=seed).model
        return lambda shown: accuracy.predict(model, data.normalise(shown)).argmax(1)

    return training_of


OURS = ("baseline_mlp", "sprint", "cnn_sprint", "middle", "cnn_clean", "dense_clean")
PEERS = (keras_mlp, keras_convnet, torch_example, train_mnist_fast, sklearn_mlp)
PEERS += (neighbours_deskewed,)
CONFIGURATIONS = {peer.__name__: peer for peer in PEERS} | {name: ours(name) for name in OURS}
