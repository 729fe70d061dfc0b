"""Well-known recipes for MNIST beside this study's, in one run: accuracy and processor seconds.

    python3 -m venv peers
    peers/bin/pip install -r requirements.txt -r benchmarks/requirements.txt
    peers/bin/python benchmarks/peers.py

trains each of them in a process of its own, one after another, adds what is missing to peers.csv,
and writes docs/BENCHMARKS.md with its figure. With a name and a seed it trains that one alone and
prints what it gave. The clock covers training from images in memory to a trained model, and
preparing what is random or fitted; not imports, reading the file, or answering the test set.
"""

import argparse
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
MEASURED, PAGE = HERE / "peers.csv", HERE.parent / "docs" / "BENCHMARKS.md"

Images, Labels = np.ndarray, np.ndarray  # uint8 (n, 28, 28), and (n,)
Reader = Callable[[Images], Labels]


class Clock:
    """Counts the processor seconds, of all threads, and the seconds of a with block."""

    def __enter__(self) -> "Clock":
        self.start = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.processor = time.process_time() - self.start[0]
        self.seconds = time.perf_counter() - self.start[1]


def keras_mlp(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
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


def keras_convnet(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
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


def torch_reader(model: Any) -> Reader:
    """Return what reads by a PyTorch model, as its example prepares images."""
    import torch

    def read(shown: Images) -> Labels:
        with torch.no_grad():
            parts = torch.split(torch_inputs(shown), 1_000)
            return torch.cat([model(part).argmax(1) for part in parts]).numpy()

    model.eval()
    return read


def torch_inputs(images: Images) -> Any:
    """Return images as PyTorch's example prepares them: their mean 0, their deviation 1."""
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
        for rows in torch.split(order, batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs[rows]), labels[rows]).backward()
            optimizer.step()
            if each_step:
                schedule.step()
        if not each_step:
            schedule.step()


def torch_example(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
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
    return torch_reader(model)


def train_mnist_fast(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
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
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
        data = torch_inputs(images), torch.from_numpy(labels).long()
        torch_training(model, optimizer, schedule, data, 256, 1, each_step=True)
    return torch_reader(model)


def flax_example(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
    """flax's example: convolutions of 32 and 64, 256 units, SGD with momentum, 10 epochs."""
    import flax.linen as nn
    import jax
    import jax.numpy as jnp
    import optax

    class Network(nn.Module):
        @nn.compact
        def __call__(self, x):
            for filters in (32, 64):
                x = nn.avg_pool(nn.relu(nn.Conv(filters, (3, 3))(x)), (2, 2), strides=(2, 2))
            x = nn.relu(nn.Dense(256)(x.reshape((x.shape[0], -1))))
            return nn.Dense(10)(x)

    network, optimizer = Network(), optax.sgd(0.1, 0.9)

    @jax.jit
    def step(weights, state, inputs, answers):
        def loss(weights):
            found = network.apply(weights, inputs)
            return optax.softmax_cross_entropy_with_integer_labels(found, answers).mean()

        change, state = optimizer.update(jax.grad(loss)(weights), state)
        return optax.apply_updates(weights, change), state

    with clock:
        inputs, generator = images[..., None] / np.float32(255), np.random.default_rng(seed)
        weights = network.init(jax.random.key(seed), jnp.ones((1, 28, 28, 1)))
        state = optimizer.init(weights)
        for _ in range(10):
            order = generator.permutation(len(inputs))[: len(inputs) // 128 * 128]
            for rows in order.reshape(-1, 128):
                weights, state = step(weights, state, inputs[rows], labels[rows])
        jax.block_until_ready(weights)

    def read(shown: Images) -> Labels:
        parts = np.array_split(shown[..., None] / np.float32(255), 10)
        return np.concatenate([network.apply(weights, part).argmax(1) for part in parts])

    return read


def sklearn_mlp(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
    """scikit-learn's MLPClassifier as it comes: 100 units, Adam, until the loss stops falling."""
    from sklearn.neural_network import MLPClassifier

    with clock:
        model = MLPClassifier(random_state=seed)
        model.fit(images.reshape(-1, 784) / 255, labels)
    return lambda shown: model.predict(shown.reshape(-1, 784) / 255)


def deskewed(images: Images) -> np.ndarray:
    """Return images sheared until their ink stands upright, by its second moments: (n, 784)."""
    import scipy.ndimage

    rows, columns = np.mgrid[:28, :28]
    found = np.empty((len(images), 784), np.float32)
    for image, upright in zip(images, found, strict=True):
        ink = image / image.sum()
        row, column = (rows * ink).sum(), (columns * ink).sum()
        slant = ((rows - row) * (columns - column) * ink).sum() / ((rows - row) ** 2 * ink).sum()
        matrix = np.array([[1, 0], [slant, 1]])
        offset = np.array([row, column]) - matrix @ [13.5, 13.5]
        upright[:] = scipy.ndimage.affine_transform(image / 255, matrix, offset, order=1).ravel()
    return found


def neighbours_deskewed(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
    """The three nearest of the training digits, all deskewed: nothing is trained."""
    from sklearn.neighbors import KNeighborsClassifier

    model = KNeighborsClassifier(3)
    with clock:
        model.fit(deskewed(images), labels)
    return lambda shown: model.predict(deskewed(shown))


def ours(name: str) -> Callable[[Images, Labels, int, Clock], Reader]:
    """Return what trains a recipe of this study on the 54,000 rows that teach in it."""

    def training_of(images: Images, labels: Labels, seed: int, clock: Clock) -> Reader:
        from mnist_study.core import data, evaluate, training
        from mnist_study.records import experiments

        recipe = (experiments.MODELS | experiments.MARKS)[name]
        rows, _ = data.split(data.training_writers())
        with clock:
            inputs, targets = data.normalise(images[rows]), data.one_hot(labels[rows])
            trained = training.train(recipe, inputs, targets, seed=seed)
        return lambda shown: evaluate.probabilities(trained.model, data.normalise(shown)).argmax(1)

    return training_of


OURS = ("classic_mlp", "sprint", "cnn_sprint", "middle", "cnn", "dense_dropout")
PEERS = (keras_mlp, keras_convnet, torch_example, train_mnist_fast, flax_example)
PEERS += (sklearn_mlp, neighbours_deskewed)
RECIPES = {peer.__name__: peer for peer in PEERS} | {name: ours(name) for name in OURS}
LONG = {"torch_example", "flax_example", "keras_convnet"}  # trained once, all others three times


def measured(name: str, seed: int) -> dict[str, Any]:
    """Train a recipe and read the test digits; return the accuracy and the seconds."""
    import keras

    (images, labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    clock = Clock()
    read = RECIPES[name](images, labels, seed, clock)
    accuracy = float(np.mean(read(test_images) == test_labels))
    found = {"name": name, "seed": seed, "accuracy": accuracy}
    return found | {"processor": round(clock.processor, 2), "seconds": round(clock.seconds, 2)}


HEAD = """# Others' recipes beside this study's

Trained one after another in one run of [`benchmarks/peers.py`](../benchmarks/peers.py), which says
how to get them, on {processor}. Time is told in the
plain recipe's own (`classic_mlp`: {unit:.0f} processor seconds, of both cores together); it covers
training alone, from images in memory. Accuracy is that of the 10,000 test digits. Others learn from
all 60,000 images, ours from 54,000, since 6,000 validate. One training moves by some 0.1 points.

![Test accuracy against processor time of this study's recipes and of others](peers.png)

| recipe | what it is | trainings | test accuracy | time | 10¹² operations |
|---|---|--:|--:|--:|--:|
"""
ROW = "| `{name}` | {what} | {count} | {accuracy} | {time:.2f} | {operations} |"
WHAT = {
    "classic_mlp": "this study's plain recipe: Keras's mnist_mlp on 54,000 images",
    "sprint": "ours: dense, 256-128, in seconds",
    "cnn_sprint": "ours: a small convolutional net in seconds",
    "middle": "ours: dense, 1024-512, 12 epochs",
    "cnn": "ours: convolutional",
    "dense_dropout": "ours: dense, what the notebook is about",
}


def operations(name: str) -> float:
    """Return the multiplications and additions of matrices in training one of our recipes.

    A layer's weights are used three times for each image: forward, for their own gradient, and for
    that of the layer below, which the first layer need not have.
    """
    from mnist_study.core import training
    from mnist_study.records import experiments

    recipe = (experiments.MODELS | experiments.MARKS)[name]
    layers = [layer for layer in recipe.build().layers if hasattr(layer, "kernel")]
    of_image = 0
    for place, layer in enumerate(layers):
        pixels = math.prod(layer.output.shape[1:-1])  # of an image between convolutions, else 1
        of_image += 2 * (3 if place else 2) * pixels * math.prod(layer.kernel.shape)
    steps = training.steps_per_epoch(recipe, 54_000)
    return of_image * recipe.epochs * steps * recipe.batch_size


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line a recipe: its accuracies, and its processor time in classic_mlp's."""
    of_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_name.setdefault(row["name"], []).append(row)
    unit = statistics.mean(float(row["processor"]) for row in of_name["classic_mlp"])
    found = []
    for name, trained in of_name.items():
        what = WHAT.get(name) or (RECIPES[name].__doc__ or "").splitlines()[0].rstrip(".")
        found.append({"name": name, "what": what, "count": len(trained), "unit": unit})
        found[-1]["operations"] = f"{operations(name) / 1e12:.2f}" if name in OURS else ""
        found[-1]["accuracies"] = [float(row["accuracy"]) for row in trained]
        found[-1]["time"] = statistics.mean(float(row["processor"]) for row in trained) / unit
    return sorted(found, key=lambda line: line["time"])


def draw(lines: list[dict[str, Any]]) -> None:
    """Draw accuracy against time into docs/peers.png."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for line in lines:
        colour = "#0072B2" if line["name"] in OURS else "#777777"
        error = 1 - statistics.mean(line["accuracies"])
        axis.plot(line["time"], error, "o", color=colour)
        place = (line["time"], error), (5, 4)
        axis.annotate(line["name"], *place, textcoords="offset points", fontsize=8, color=colour)
    ticks = [0.003, 0.005, 0.01, 0.02]
    axis.set(xscale="log", yscale="log", xlim=(0.02, 60), ylim=(0.026, 0.003), yticks=ticks)
    axis.set(xlabel="processor time of training, the plain recipe's is 1", ylabel="test accuracy")
    axis.yaxis.set_major_formatter(lambda error, _: f"{1 - error:.1%}")
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.set_title("Accuracy against training time: this study's recipes in blue", fontsize=11)
    figure.savefig(PAGE.with_name("peers.png"), dpi=110)


def write_page(rows: list[dict[str, Any]]) -> None:
    """Write docs/BENCHMARKS.md and its figure."""
    from mnist_study.records import machine

    lines, table = summary(rows), []
    for line in lines:
        found = line["accuracies"]
        spread = f" ± {statistics.stdev(found):.2%}" if len(found) > 1 else ""
        table.append(ROW.format(**line, accuracy=f"{statistics.mean(found):.2%}{spread}"))
    head = HEAD.format(processor=machine.processor(), unit=lines[0]["unit"])
    PAGE.write_text(head + "\n".join(table) + "\n", encoding="utf-8")
    draw(lines)


def main() -> None:
    """Train the recipe that is named, or all that peers.csv lacks; write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*RECIPES])
    parser.add_argument("seed", nargs="?", type=int, default=1)
    given = parser.parse_args()
    if given.name:
        print(json.dumps(measured(given.name, given.seed)))
        return
    done = list(csv.DictReader(MEASURED.open())) if MEASURED.exists() else []
    known = {(row["name"], int(row["seed"])) for row in done}
    wanted = [
        (name, seed) for seed in (1, 2, 3) for name in RECIPES if seed == 1 or name not in LONG
    ]
    for name, seed in wanted:
        if (name, seed) not in known:
            command = [sys.executable, __file__, name, str(seed)]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            done.append(json.loads(said.splitlines()[-1]))
            print(done[-1], flush=True)
            with MEASURED.open("w", newline="") as file:
                writer = csv.DictWriter(file, [*done[-1]], lineterminator="\n")
                writer.writeheader()
                writer.writerows(done)
    write_page(done)


if __name__ == "__main__":
    main()
