"""Pictures of digits as people have them, made from MNIST's: on a page, in many formats."""

import numpy as np
import PIL.ExifTags
import PIL.Image


def pasted(image, generator, shadow=0.0):
    """Return a page, float32 (h, w) in [0, 1], with a digit at a random place, in random greys.

    image: uint8 (28, 28), enlarged to 28 to 400 pixels. shadow: darkening at the left border.
    """
    side = int(generator.integers(28, 401))
    digit = PIL.Image.fromarray(image).resize((side, side), PIL.Image.Resampling.BICUBIC)
    height, width = side + generator.integers(0, 400, 2)
    paper = generator.uniform(0, 1)
    ink = paper + generator.uniform(0.4, 0.5) * (1 if paper < 0.5 else -1)
    page = np.full((height, width), paper, np.float32)
    row, column = (int(generator.integers(0, size - side + 1)) for size in page.shape)
    page[row : row + side, column : column + side] += np.asarray(digit) / 255 * (ink - paper)
    return page * np.linspace(1 - shadow, 1, width, dtype=np.float32)


def save_examples(folder, digits):
    """Save 10 digits, uint8 (n, 28, 28), as pictures of many kinds, and one file that is none."""
    generator = np.random.default_rng(1)
    pages = [(255 * pasted(digit, generator, shadow=0.3)).round() for digit in digits]
    pages = [PIL.Image.fromarray(page.astype(np.uint8)) for page in pages]
    kinds = ("scan.png", "scan.jpg", "scan.gif", "scan.bmp", "scan.webp", "scan.tiff")
    for name, page in zip(kinds, pages, strict=False):
        page.save(folder / name)
    turned = PIL.Image.Exif()
    turned[PIL.ExifTags.Base.Orientation] = 3  # the camera was held upside down
    pages[6].rotate(180).save(folder / "turned.jpg", exif=turned)
    PIL.Image.fromarray(np.asarray(pages[7]) * np.uint16(257)).save(folder / "16 bits.png")
    clear = PIL.Image.new("RGBA", (28, 28), (20, 40, 160, 0))
    clear.putalpha(PIL.Image.fromarray(digits[8]))
    clear.resize((200, 200)).save(folder / "clear.png")
    pages[9].resize((2_000, 2_000)).save(folder / "large.png")
    (folder / "letter.txt").write_text("Dear reader, this is no picture.")
