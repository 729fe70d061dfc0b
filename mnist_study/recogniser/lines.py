"""What the line network is trained on: lines that are simulated anew for each of its steps."""

import multiprocessing
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Int32, UInt8
from numpy.random import Generator

from digit_reader.characters import BLANK, CHARACTERS, HEIGHT
from mnist_study import data
from mnist_study.recogniser import surroundings, written_lines
from mnist_study.recogniser.hands import Sources

SORTED = 16  # batches of lines that are sorted by width at a time
AHEAD = 40  # batches that are made ahead of the training

Simulated = tuple[UInt8[np.ndarray, "32 _"], list[int]]  # a line, and its characters


class Batch(NamedTuple):
    """Lines of about one width, and their characters by their place in CHARACTERS."""

    images: UInt8[np.ndarray, "_ 32 _"]  # 0 to 255, filled up with paper
    characters: Int32[np.ndarray, "_ _"]  # filled up with BLANK


def simulated(sources: Sources, generator: Generator) -> Simulated:
    """Return a simulated line, 0 to 255, and its characters by their place in CHARACTERS."""
    text = written_lines.some_text(generator)
    line = written_lines.write(text, sources, generator)
    ink = written_lines.drawn(line.characters, line.hand, line.width)
    ink = surroundings.with_pen(ink, line.hand, generator)
    ink = np.maximum(ink, surroundings.beside(line, sources, generator))
    return surroundings.taken(ink, generator), [CHARACTERS.index(c) for c in text]


def batch(lines: Sequence[Simulated]) -> Batch:
    """Return lines as a batch, as wide as the widest, a multiple of eight pixels."""
    width = -(-max(image.shape[1] for image, _ in lines) // 8) * 8
    images = np.zeros((len(lines), HEIGHT, width), np.uint8)
    characters = np.full((len(lines), max(len(text) for _, text in lines)), BLANK, np.int32)
    for row, (image, text) in enumerate(lines):
        images[row, :, : image.shape[1]] = image
        characters[row, : len(text)] = text
    return Batch(images, characters)


def batches(sources: Sources, size: int, count: int, generator: Generator) -> Iterator[Batch]:
    """Yield count batches of so many simulated lines each, lines of about one width together."""
    for start in range(0, count, SORTED):
        lines = [simulated(sources, generator) for _ in range(SORTED * size)]
        lines.sort(key=lambda line: line[0].shape[1])
        groups = [lines[n : n + size] for n in range(0, len(lines), size)]
        generator.shuffle(groups)
        yield from map(batch, groups[: count - start])


def sources_of(training: bool, seed: int) -> Sources:
    """Return what lines of the training digits are written with, or of the validation digits."""
    (images, labels), _ = data.load()
    rows = data.split(data.training_writers())[0 if training else 1]
    return Sources(images[rows], labels[rows], seed)


def put_batches(queue, size: int, count: int, seed: int) -> None:
    """Put the batches of a training into a queue."""
    generator = np.random.default_rng([seed, 1])
    for made in batches(sources_of(True, seed), size, count, generator):
        queue.put(made)


def made_ahead(size: int, count: int, seed: int) -> Iterator[Batch]:
    """Yield the batches of a training, made by another process while the network is trained."""
    spawn = multiprocessing.get_context("spawn")  # a fork of TensorFlow's threads may hang
    queue = spawn.Queue(AHEAD)
    process = spawn.Process(target=put_batches, args=(queue, size, count, seed), daemon=True)
    process.start()
    for _ in range(count):
        yield queue.get()
    process.join()
