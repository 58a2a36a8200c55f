"""Mask files: one object on zero is read whatever its value; all else is refused by name."""

import io

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from precompute.inputs.images import ImagesError
from precompute.inputs.images.mask_values import object_pixels

HEIGHT, WIDTH = 24, 32
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
"""First colors of the palette of PASCAL VOC."""

OBJECT = np.zeros((HEIGHT, WIDTH), dtype=int)
OBJECT[6:18, 8:20] = 1
BORDER = np.zeros((HEIGHT, WIDTH), dtype=int)
BORDER[5:19, 7:21] = 1
BORDER -= OBJECT


def png(values: np.ndarray, kind: str = "PNG", palette: list[int] | None = None, **options) -> bytes:
    picture = Image.fromarray(values)
    if palette:
        picture.putpalette(palette)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def eight_bits(values: np.ndarray) -> np.ndarray:
    return values.astype(np.uint8)


def soft(power: int = 1) -> np.ndarray:
    """A disk with a soft edge of a pixel, or a gradient over the whole picture."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.clip((9 - np.hypot(y - 12, x - 14)) / power, 0, 1) * 255


def rotated(values: np.ndarray) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return png(eight_bits(values), exif=exif)


def white_is_zero(values: np.ndarray) -> bytes:
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0
    out = io.BytesIO()
    Image.fromarray(values).save(out, "TIFF", tiffinfo=tags)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        png(OBJECT.astype(bool)),
        png(eight_bits(OBJECT)),
        png(eight_bits(7 * OBJECT)),
        png(OBJECT.astype(np.uint16)),  # by its high byte it was empty
        png(255 * OBJECT.astype(np.uint16), "TIFF"),
        png(eight_bits(OBJECT), palette=VOC),
        png(eight_bits(1 - OBJECT), palette=[255, 255, 255, 0, 0, 0]),
        png(eight_bits(OBJECT[..., None] * [0, 0, 200])),
        png(eight_bits(255 * OBJECT), "JPEG", quality=60),
        png(eight_bits(np.dstack([9 * OBJECT] * 3 + [0 * OBJECT + 255]))),  # with alpha, all of it opaque
    ],
)
def test_the_object_has_the_one_value_that_is_not_zero(data):
    assert np.array_equal(object_pixels(data, "a.png"), OBJECT == 1)


@pytest.mark.parametrize("power", [1, 9])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_soft_edges_are_cut_at_half(power, kind):
    inside = object_pixels(png(eight_bits(soft(power)), kind), "a")

    wrong = inside != (soft(power) > 127.5)
    assert wrong.sum() <= (0 if kind == "PNG" else 4)


def test_a_mask_is_turned_upright():
    turned = object_pixels(rotated(OBJECT), "a.png")

    assert np.array_equal(turned, np.rot90(OBJECT, -1) == 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (png(eight_bits(15 * OBJECT + 255 * BORDER)), "has 3 values (0, 15, 255)"),
        (png(eight_bits(2 * OBJECT + BORDER)), "has 3 values (0, 1, 2)"),
        (png(eight_bits(OBJECT + 2 * BORDER), palette=VOC), "has 3 values (0, #008000, #800000)"),
        (png(eight_bits(7 * OBJECT + 255 * BORDER), "WEBP", lossless=True, icc_profile=bytes(99)), "has 3"),
        (png(eight_bits(7 * OBJECT + 255 * BORDER), "JPEG2000"), "has 3 values (0, 7, 255)"),
        (png(eight_bits(np.dstack([9 * OBJECT] * 4))), "transparent pixels"),
        (png(OBJECT.astype(np.uint16), transparency=0), "transparent pixels"),
        (png(eight_bits(2 - OBJECT)), "no pixel outside the object: none is 0 (values 1, 2)"),
        (png(eight_bits(3 - OBJECT - 2 * BORDER)), "no pixel outside the object"),  # a trimap
        (png(eight_bits(0 * OBJECT + 255)), "no pixel outside the object: none is 0 (values 255)"),
        (png(eight_bits(0 * OBJECT + 255), "JPEG"), "no pixel outside the object"),
        (png(eight_bits(0 * OBJECT)), "is empty"),
        (white_is_zero(OBJECT.astype(np.uint16)), "a.png"),
    ],
)
def test_masks_of_which_the_object_is_not_known_are_refused_with_their_values(data, message):
    with pytest.raises(ImagesError) as refused:
        object_pixels(data, "a.png")

    assert message in str(refused.value) and str(refused.value).startswith("a.png ")
