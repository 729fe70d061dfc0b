"""Random warps: every batch of digits tilted, scaled, shifted and bent anew."""

import math

import numpy as np
import tensorflow as tf

SHARED = 32  # images of a batch that share one warp
axis = np.arange(28, dtype=np.float32) - 13.5
grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
CENTRED = grid.reshape(784, 2)  # every pixel's row and column, from the centre
knots = np.linspace(-13.5, 13.5, 7)
bumps = np.exp(-0.5 * ((axis[:, np.newaxis] - knots) / 3.6) ** 2)  # they add up to smooth fields
bumps /= np.linalg.norm(bumps, axis=1, keepdims=True)  # fields vary as much as the noise in them
BUMPS = bumps.astype(np.float32)


def affine_positions(count, seed):
    """Return where pixels come from under random affine maps, relative to the centre.

    Rotation up to 8 degrees, shear 0.2, scale 15% an axis, shift 1.2 pixels, all uniform.
    seed: two integers. Returns float32 (count, 784, 2): rows and columns, in pixels.
    """
    draws = tf.random.stateless_uniform((6, count), seed, -1.0, 1.0)
    turn, shear, tall, wide, *shift = tf.unstack(draws)
    turn, shear, tall, wide = math.radians(8) * turn, 0.2 * shear, 1 + 0.15 * tall, 1 + 0.15 * wide
    rows = tf.stack([tall * tf.cos(turn), wide * tf.sin(turn) + shear], -1)
    columns = tf.stack([-tall * tf.sin(turn), wide * tf.cos(turn)], -1)
    return CENTRED @ tf.stack([rows, columns], 1) + 1.2 * tf.stack(shift, -1)[:, tf.newaxis]


def elastic_displacements(count, seed):
    """Return smooth random displacements with a standard deviation of one pixel.

    After Simard et al. 2003 (doi 10.1109/ICDAR.2003.1227801). seed: two integers. Returns float32
    (count, 784, 2): rows and columns, in pixels.
    """
    noise = tf.random.stateless_normal((count, 2, 7, 7), seed)
    fields = tf.einsum("ik,nakl,jl->nija", BUMPS, noise, BUMPS)
    return tf.reshape(fields, (count, 784, 2))


def warp(images, positions):
    """Resample images bilinearly at the given positions; neighbouring images share a warp.

    images: float32 (n, 28, 28, 1), n a multiple of SHARED. positions: float32 (n / SHARED, 784, 2),
    from the image's centre; beyond the border counts as on it. Returns float32 (n, 28, 28, 1).
    """
    count = positions.shape[0]
    positions = tf.clip_by_value(positions + 13.5, 0.0, 27.0)
    corner = tf.minimum(tf.floor(positions), 26.0)  # the upper left one of four pixels around
    down, right = tf.split(tf.reshape(positions - corner, (-1, 2)), 2, axis=1)
    row, column = tf.unstack(tf.cast(corner, tf.int32), axis=-1)
    first = tf.reshape(784 * tf.range(count)[:, tf.newaxis] + 28 * row + column, (-1,))
    pixels = tf.transpose(tf.reshape(images, (count, SHARED, 784)), (0, 2, 1))
    pixels = tf.reshape(pixels, (-1, SHARED))  # one row a pixel: a gather moves SHARED values
    upper = (1 - right) * tf.gather(pixels, first) + right * tf.gather(pixels, first + 1)
    lower = (1 - right) * tf.gather(pixels, first + 28) + right * tf.gather(pixels, first + 29)
    warped = tf.reshape((1 - down) * upper + down * lower, (count, 784, SHARED))
    return tf.reshape(tf.transpose(warped, (0, 2, 1)), (-1, 28, 28, 1))


@tf.function  # compiled once for each batch size, not once for each training
def deform(images, seed, affine=1.0, elastic=1.0):
    """Return float32 images (n, 28, 28, 1), each freshly deformed with the given strengths.

    n must be a multiple of SHARED. seed: two integers; equal seeds give equal results.
    """
    count = images.shape[0] // SHARED
    moved = affine * (affine_positions(count, seed) - CENTRED)
    return warp(images, CENTRED + moved + elastic * elastic_displacements(count, seed + 1))
