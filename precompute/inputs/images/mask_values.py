"""Finds the pixels of the object in a mask file.

    0 and one other value           the object has the other value: 1, 255, a color
    0, one value, soft edges        the object is above half of that value
    0, 7, 15, 255 (VOC, trimaps)    refused: classes, several objects, or a border to be ignored
    no 0, or nothing else           refused: no pixel is outside, or none inside

Gray counts as stored, with all its bits; of a palette the colors count. Black is 0.
"""

import io

import numpy as np
from jaxtyping import Bool, Int
from PIL import Image

from db.pictures import FORMATS, PHOTOMETRIC_TAG, decode, upright
from precompute.inputs.images.files import ImagesError

_LOSSY = ("JPEG", "WEBP", "AVIF")
"""Formats that change values a little, around edges too."""

_ADVICE = "Save it as PNG, 0 outside the object and one other value inside, or remove its rows"

_MAX_SHOWN = 5
"""Maximum number of values in a message."""

_MIN_SOFT = 32
"""Smaller values are numbers of classes or objects, without soft edges."""

Values = Int[np.ndarray, "row column"]


def object_pixels(data: bytes, name: str) -> Bool[np.ndarray, "row column"]:
    """Returns the pixels of the object in the bytes of a mask file, upright.

    `name` stands for the file in messages. Raises UnreadableImage, ImagesError.
    """
    picture = decode(data)  # checks size and format
    with Image.open(io.BytesIO(data), formats=FORMATS) as stored:
        if stored.has_transparency_data and _is_transparent(stored):
            raise ImagesError(
                f"{name} has transparent pixels, which could be the object or the rest. Save it without "
                "them, the object white and the rest black."
            )
        values, level = _values(stored, picture)
        is_lossy = stored.format in _LOSSY and b"VP8L" not in data  # lossless WebP
    _check(values, level, name, is_lossy=is_lossy)
    return 2 * level > level.max()


def _is_transparent(stored: Image.Image) -> bool:
    """Returns True if a pixel is transparent, or may be: an alpha channel alone says nothing."""
    # Pillow converts no 16-bit gray to RGBA.
    return stored.mode.startswith("I") or bool(np.asarray(stored.convert("RGBA"))[..., 3].min() < 255)


def _values(stored: Image.Image, picture: Image.Image) -> tuple[Values, Values]:
    """Returns the value of every pixel, a number or a color, and its brightness; 0 is black in both."""
    if stored.mode in ("L", "I") or stored.mode.startswith("I;16"):
        numbers = np.asarray(upright(stored)).astype(np.int32)
        # Pillow inverts white-is-zero for 8 bits a pixel only.
        is_inverse = stored.mode != "L" and getattr(stored, "tag_v2", {}).get(PHOTOMETRIC_TAG) == 0
        numbers = (1 << 16) - 1 - numbers if is_inverse else numbers
        return numbers, numbers
    red, green, blue = (np.asarray(channel).astype(np.int32) for channel in picture.split())
    level = np.maximum(np.maximum(red, green), blue)
    if (red == level).all() and (green == level).all() and (blue == level).all():
        return level, level
    return (red << 16) + (green << 8) + blue + ((level > 0) << 24), level


def _check(values: Values, level: Values, name: str, *, is_lossy: bool) -> None:
    """Raises ImagesError unless the values are those of one object and of the rest."""
    distinct = np.unique(values)
    if not level.any():
        raise ImagesError(f"{name} is empty: no pixel is above zero. Mark the object, or remove the rows.")
    if 2 * level.min() > level.max() or not is_lossy and distinct[0] != 0:
        raise ImagesError(
            f"{name} has no pixel outside the object: none is 0 (values {_shown(distinct)}). {_ADVICE}."
        )
    if len(distinct) > 2 and not (level.max() >= _MIN_SOFT if is_lossy else _is_soft(values, level)):
        raise ImagesError(
            f"{name} has {len(distinct)} values ({_shown(distinct)}): classes, several objects or a border, "
            f"of which none is known to be the object. {_ADVICE}."
        )


def _is_soft(values: Values, level: Values) -> bool:
    """Returns True if the values between 0 and the largest are edges: none is an area, or most occur."""
    levels, top = np.unique(level), level.max()
    if top < _MIN_SOFT or len(np.unique(values[level == top])) > 1:
        return False
    areas = level[_is_area(values) & (level > 0)]
    is_edge = bool((areas == top).all() and 4 * levels[-2] > top)
    return is_edge or 2 * len(levels) > min(int(top), 255)


def _is_area(values: Values) -> Bool[np.ndarray, "row column"]:
    """Returns the pixels whose four neighbors have their value."""
    around = np.pad(values, 1, mode="edge")
    neighbors = around[:-2, 1:-1], around[2:, 1:-1], around[1:-1, :-2], around[1:-1, 2:]
    return np.logical_and.reduce([neighbor == values for neighbor in neighbors])


def _shown(distinct: Int[np.ndarray, " value"]) -> str:
    """Returns values for a message; a color as its hex digits."""
    names = [f"#{value - (1 << 24):06x}" if value >> 24 else str(value) for value in distinct.tolist()]
    return ", ".join(names[:_MAX_SHOWN]) + (", ..." if len(names) > _MAX_SHOWN else "")
