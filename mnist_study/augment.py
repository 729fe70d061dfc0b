"""Data augmentation: random affine and elastic warps, drawn anew for every batch of images."""

import math

import numpy as np
from jaxtyping import Float32, Int

from mnist_study.backend import tf

SHARED = 32  # images of a batch that share one warp
SIDE, PIXELS = 28, 28 * 28
CENTRE = (SIDE - 1) / 2
ROTATION, SHEAR, SCALE, SHIFT = math.radians(8), 0.2, 0.15, 1.2  # maximum, each way
KNOTS, KNOT_WIDTH = (
    7,
    3.6,
)  # of elastic displacements: knots on each side, and their width in pixels

axis = np.arange(SIDE, dtype=np.float32) - CENTRE
GRID = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1).reshape(PIXELS, 2)  # from the centre
knots = np.linspace(-CENTRE, CENTRE, KNOTS)
bumps = np.exp(-0.5 * ((axis[:, np.newaxis] - knots) / KNOT_WIDTH) ** 2)
# Scaled so that the fields vary as much as the noise at the knots.
BUMPS = (bumps / np.linalg.norm(bumps, axis=1, keepdims=True)).astype(np.float32)

Tensor = np.ndarray | tf.Tensor  # TensorFlow also takes arrays, which its stubs do not say
Seed = Int[Tensor, "2"]
Batch = Float32[Tensor, "n 28 28 1"]
Positions = Float32[Tensor, "warps 784 2"]  # rows and columns, in pixels


def affine_positions(count: int, seed: Seed) -> Positions:
    """Return where each pixel comes from under random affine maps, relative to the centre.

    Rotation, shear, scale of each axis and shift are uniform, up to their maximum each way.
    """
    draws = tf.random.stateless_uniform((6, count), seed, -1.0, 1.0)  # pyright: ignore[reportArgumentType]
    turn, shear, tall, wide, *shift = tf.unstack(draws)
    turn, shear = ROTATION * turn, SHEAR * shear
    tall, wide = 1 + SCALE * tall, 1 + SCALE * wide
    rows = tf.stack([tall * tf.cos(turn), wide * tf.sin(turn) + shear], -1)
    columns = tf.stack([-tall * tf.sin(turn), wide * tf.cos(turn)], -1)
    return GRID @ tf.stack([rows, columns], 1) + SHIFT * tf.stack(shift, -1)[:, tf.newaxis]


def elastic_displacements(count: int, seed: Seed) -> Positions:
    """Return smooth random displacements with a standard deviation of one pixel.

    After Simard et al. 2003 (doi 10.1109/ICDAR.2003.1227801), but from noise at a few knots.
    """
    noise = tf.random.stateless_normal((count, 2, KNOTS, KNOTS), seed)  # pyright: ignore[reportArgumentType]
    fields = tf.einsum("ik,nakl,jl->nija", BUMPS, noise, BUMPS)
    return tf.reshape(fields, (count, PIXELS, 2))


def warp(images: Batch, positions: Positions) -> Batch:
    """Return the images, resampled bilinearly at the given positions, relative to the centre.

    SHARED images in a row share a warp: n = SHARED * warps. Positions beyond the border are moved
    onto it.
    """
    count = positions.shape[0]
    positions = tf.clip_by_value(positions + CENTRE, 0.0, float(SIDE - 1))  # pyright: ignore[reportArgumentType]
    corner = tf.minimum(tf.floor(positions), float(SIDE - 2))  # the upper left of four pixels
    down, right = tf.split(tf.reshape(positions - corner, (-1, 2)), 2, axis=1)
    row, column = tf.unstack(tf.cast(corner, tf.int32), axis=-1)
    first = tf.reshape(PIXELS * tf.range(count)[:, tf.newaxis] + SIDE * row + column, (-1,))
    pixels = tf.transpose(tf.reshape(images, (count, SHARED, PIXELS)), (0, 2, 1))
    pixels = tf.reshape(pixels, (-1, SHARED))  # one row a pixel: a gather moves SHARED values

    def across(corner):
        return (1 - right) * tf.gather(pixels, corner) + right * tf.gather(pixels, corner + 1)

    warped = (1 - down) * across(first) + down * across(first + SIDE)
    warped = tf.transpose(tf.reshape(warped, (count, PIXELS, SHARED)), (0, 2, 1))
    return tf.reshape(warped, (-1, SIDE, SIDE, 1))


@tf.function(autograph=False)  # compiled once for each batch size
def augment(
    images: Batch,
    seed: Seed,
    affine: float | tf.Tensor = 1.0,
    elastic: float | tf.Tensor = 1.0,
    shift: float = 0.0,
) -> Batch:
    """Return the images, warped at random with the given strengths of both kinds.

    shift: pixels by which every fourth warp is shifted further, at most. n: a multiple of SHARED.
    Equal seeds give equal results.
    """
    count = images.shape[0] // SHARED  # pyright: ignore[reportOptionalOperand]
    moved = affine * (affine_positions(count, seed) - GRID)
    positions = GRID + moved + elastic * elastic_displacements(count, seed + 1)
    if shift:
        further = tf.random.stateless_uniform((count, 1, 2), seed + 2, -shift, shift)  # pyright: ignore[reportArgumentType]
        positions += tf.where(tf.range(count)[:, np.newaxis, np.newaxis] % 4 == 1, further, 0.0)
    return warp(images, positions)
