"""Measures well-known configurations for MNIST beside this study's: accuracy, processor seconds.

    python3 -m venv peers
    peers/bin/pip install -r requirements.txt torch
    peers/bin/python benchmarks/peers.py

trains each of them in a process of its own, one after another, adds what is missing to peers.csv,
and writes docs/BENCHMARKS.md with its figure. With a name and a seed it trains that one alone and
prints what it gave. The clock covers training from images in memory to a trained model, and
preparing what is random or fitted; not imports, opening the file, or predicting the test digits.
"""

import argparse
import csv
import json
import math
import pathlib
import statistics
import subprocess
import sys
from typing import Any

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from benchmarks.configurations import CONFIGURATIONS, OURS, Clock, configuration_of  # noqa: E402

QUICK = {"sprint", "cnn_sprint", "train_mnist_fast"}  # trained three times, all others once
MEASURED, PAGE = HERE / "peers.csv", HERE.parent / "docs" / "BENCHMARKS.md"
RECOGNISERS_PART = "\n## Other digit recognisers beside this project's\n"  # see recognisers.py


def measured(name: str, seed: int) -> dict[str, Any]:
    """Train a configuration; return its test accuracy and the seconds of training."""
    import keras

    (images, labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    clock = Clock()
    predict = CONFIGURATIONS[name](images, labels, seed, clock)
    accuracy = float(np.mean(predict(test_images) == test_labels))
    result = {"name": name, "seed": seed, "accuracy": accuracy}
    return result | {"processor": round(clock.processor, 2), "seconds": round(clock.seconds, 2)}


HEAD = """# Others' configurations beside this study's

Trained one after another in one run of [`benchmarks/peers.py`](../benchmarks/peers.py), which says
how to get them, on {processor}. Time is relative
to the baseline's (`baseline_mlp`: {unit:.0f} processor seconds, both cores added); it covers
training alone, from images in memory. Accuracy is on the 10,000 test digits. Others train on all
60,000 images, ours on 54,000, since 6,000 validate. A repeated training differs by some 0.1 points.

![Test accuracy against processor time of this study's configurations and of others](peers.png)

| configuration | what it is | trainings | test accuracy | time | 10¹² operations |
|---|---|--:|--:|--:|--:|
"""
ROW = "| `{name}` | {what} | {count} | {accuracy} | {time:.2f} | {operations} |"
WHAT = {
    "baseline_mlp": "this study's baseline: Keras's mnist_mlp on 54,000 images",
    "sprint": "ours: dense, 256-128, in seconds",
    "cnn_sprint": "ours: a small convolutional net in seconds",
    "middle": "ours: dense, 1024-512, 12 epochs",
    "cnn_clean": "ours: convolutional, no corruptions in its training",
    "dense_clean": "ours: dense, no corruptions in its training",
}
BESIDE = {
    "baseline_mlp": (-5, -4),
    "train_mnist_fast": (6, -9),
}  # labels that would touch, in points


def operations(name: str) -> float:
    """Return the multiplications and additions of matrices in training one of our configurations.

    A layer's weights are used three times for each image: forward, for their own gradient, and for
    that of the layer below, which the first layer need not have.
    """
    from mnist_study import train

    configuration = configuration_of(name)
    layers = [layer for layer in configuration.build().layers if hasattr(layer, "kernel")]
    of_image = 0
    for place, layer in enumerate(layers):
        pixels = math.prod(layer.output.shape[1:-1])  # of an image between convolutions, else 1
        of_image += 2 * (3 if place else 2) * pixels * math.prod(layer.kernel.shape)
    steps = train.steps_per_epoch(configuration, 54_000)
    return of_image * configuration.epochs * steps * configuration.batch_size


def summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a line for each configuration: its accuracies, its time relative to the baseline."""
    of_name: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        of_name.setdefault(row["name"], []).append(row)
    unit = statistics.mean(float(row["processor"]) for row in of_name["baseline_mlp"])
    lines = []
    for name, trained in of_name.items():
        what = WHAT.get(name) or (CONFIGURATIONS[name].__doc__ or "").splitlines()[0].rstrip(".")
        lines.append({"name": name, "what": what, "count": len(trained), "unit": unit})
        lines[-1]["operations"] = f"{operations(name) / 1e12:.2f}" if name in OURS else ""
        lines[-1]["accuracies"] = [float(row["accuracy"]) for row in trained]
        lines[-1]["time"] = statistics.mean(float(row["processor"]) for row in trained) / unit
    return sorted(lines, key=lambda line: line["time"])


def draw(lines: list[dict[str, Any]]) -> None:
    """Draw accuracy against time into docs/peers.png."""
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for line in lines:
        colour = "#0072B2" if line["name"] in OURS else "#777777"
        error = 1 - statistics.mean(line["accuracies"])
        axis.plot(line["time"], error, "o", color=colour)
        side = BESIDE.get(line["name"], (5, 4))
        settings = {"fontsize": 8, "color": colour, "ha": "left" if side[0] > 0 else "right"}
        place = (line["time"], error)
        axis.annotate(line["name"], place, side, textcoords="offset points", **settings)
    ticks = [0.003, 0.005, 0.01, 0.02]
    axis.set(xscale="log", yscale="log", xlim=(0.02, 60), ylim=(0.026, 0.003), yticks=ticks)
    axis.set(xlabel="processor time of training, relative to the baseline", ylabel="test accuracy")
    axis.yaxis.set_major_formatter(lambda error, _: f"{1 - error:.1%}")
    axis.minorticks_off()
    axis.grid(alpha=0.3)
    axis.set_title(
        "Accuracy against training time: this study's configurations in blue", fontsize=11
    )
    figure.savefig(PAGE.with_name("peers.png"), dpi=110)


def write_page(rows: list[dict[str, Any]]) -> None:
    """Write docs/BENCHMARKS.md and its figure; what recognisers.py wrote there stays."""
    from mnist_study import machine

    lines, table = summary(rows), []
    for line in lines:
        accuracies = line["accuracies"]
        spread = f" ± {statistics.stdev(accuracies):.2%}" if len(accuracies) > 1 else ""
        table.append(ROW.format(**line, accuracy=f"{statistics.mean(accuracies):.2%}{spread}"))
    head = HEAD.format(processor=machine.processor(), unit=lines[0]["unit"])
    _, part, recognisers = PAGE.read_text(encoding="utf-8").partition(RECOGNISERS_PART)
    PAGE.write_text(head + "\n".join(table) + "\n" + part + recognisers, encoding="utf-8")
    draw(lines)


def main() -> None:
    """Train the configuration that is named, or all that peers.csv lacks; write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", choices=[*CONFIGURATIONS])
    parser.add_argument("seed", nargs="?", type=int, default=1)
    given = parser.parse_args()
    if given.name:
        print(json.dumps(measured(given.name, given.seed)))
        return
    done = list(csv.DictReader(MEASURED.open())) if MEASURED.exists() else []
    known = {(row["name"], int(row["seed"])) for row in done}
    wanted = [
        (name, seed) for seed in (1, 2, 3) for name in CONFIGURATIONS if seed == 1 or name in QUICK
    ]
    for name, seed in wanted:
        if (name, seed) not in known:
            command = [sys.executable, __file__, name, str(seed)]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            done.append(json.loads(printed.splitlines()[-1]))
            print(done[-1], flush=True)
            with MEASURED.open("w", newline="") as file:
                writer = csv.DictWriter(file, [*done[-1]], lineterminator="\n")
                writer.writeheader()
                writer.writerows(done)
    write_page(done)


if __name__ == "__main__":
    main()
