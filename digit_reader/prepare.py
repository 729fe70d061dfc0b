"""From a picture's brightness to MNIST's form: find the ink, clean, thicken and centre it."""

import numpy as np
import PIL.Image
import scipy.ndimage
import scipy.stats

from digit_reader.picture import brightness, require, upright

CONTRAST = 2  # how much steeper edges become around half of full ink


def ink_of(bright):
    """Return the ink in a page of that brightness, both float32 (h, w) in [0, 1]; or ValueError."""
    low, high = np.quantile(bright, [0.0005, 0.9995])
    require(high - low > 0.1, "the page is blank: write darker, or crop the picture to the digit")
    window = max(3, round(0.6 * min(bright.shape)))
    stands_out = bright - scipy.ndimage.uniform_filter(bright, window, mode="nearest")
    if scipy.stats.skew(stands_out, axis=None) > 0:  # strokes stand out to the light side
        bright = 1 - bright
    paper = scipy.ndimage.grey_closing(bright, (window, window), mode="nearest")  # and shadows
    ink = 1 - bright / np.maximum(paper, 0.05)
    ink = ink / scipy.ndimage.uniform_filter(ink, 3).max()
    noise = 3 * np.median(ink[ink < 0.5])
    sharp = np.clip(CONTRAST * (ink - 0.5) + 0.5, 0, 1)
    return np.where(ink > noise, sharp, 0).astype(np.float32)


def without_specks(ink):
    """Return ink without connected parts that hold under a twentieth of the largest's full ink."""
    parts, _ = scipy.ndimage.label(ink, np.ones((3, 3)))
    full = np.bincount(parts.ravel(), weights=(ink > 0.5).ravel())
    return np.where(full[parts] < full.max() / 20, 0, ink)


def thickened(ink):
    """Return ink whose strokes are at least a fourteenth as wide as the digit is long."""
    rows, columns = np.nonzero(ink)
    longest = max(np.ptp(rows), np.ptp(columns)) + 1
    distances = scipy.ndimage.distance_transform_edt(np.pad(ink > 0.5, 1))
    width = 4 * distances[distances > 0].mean() - 1  # a stroke's mean distance is its quarter
    missing = longest / 14 - width
    return scipy.ndimage.grey_dilation(ink, (1 + round(missing),) * 2) if missing >= 1 else ink


def centre_like_mnist(ink):
    """Return ink (h, w), bright on zero, cropped into 20×20 and centred: float32 (28, 28)."""
    rows, columns = np.nonzero(ink)
    require(len(rows), "there is no ink in the image")
    ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.float32)
    height, width = (max(1, round(20 * side / max(ink.shape))) for side in ink.shape)
    scaled = PIL.Image.fromarray(ink).resize((width, height), PIL.Image.Resampling.BICUBIC)
    page = np.zeros((60, 60), np.float32)
    page[20 : 20 + height, 20 : 20 + width] = np.clip(np.asarray(scaled) / ink.max(), 0, 1)
    row, column = (round(centre) for centre in scipy.ndimage.center_of_mass(page))
    return page[row - 14 : row + 14, column - 14 : column + 14]


def preparation(image):
    """Return the steps from a picture to MNIST's form, name: float32 array (h, w) in [0, 1]."""
    steps = {"brightness": brightness(upright(image))}
    steps["ink"] = ink_of(steps["brightness"])
    steps["without specks"] = without_specks(steps["ink"])
    steps["thick enough"] = thickened(np.pad(steps["without specks"], 40))
    return steps | {"prepared": centre_like_mnist(steps["thick enough"])}


def prepare_digit(image):
    """Return a picture (path, bytes, image, array) as float32 (28, 28) in [0, 1]; or ValueError."""
    return preparation(image)["prepared"]
