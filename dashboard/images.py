"""Images as the input of the model, and maps drawn over them. Pillow and numpy; no Streamlit, no Altair."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from db.pictures import UnreadableImage, decode

# ColorBrewer PuOr, reversed: purple below zero, orange above. Readable without red-green vision.
DIVERGING = (
    "#2d004b",
    "#542788",
    "#8073ac",
    "#b2abd2",
    "#d8daeb",
    "#f7f7f7",
    "#fee0b6",
    "#fdb863",
    "#e08214",
    "#b35806",
    "#7f3b08",
)


MAP_BEGINS = 0.8
"""Opacity from which a map begins to cover the picture where its values are near zero."""


VIEW_SIDE = 1024
"""Longest side of what the model sees of a picture, as drawn. Pages draw it at half of that."""


THUMBNAIL_FORMATS = ("PNG", "JPEG", "WEBP")
"""Formats of thumbnails in a bundle."""


class PictureError(ValueError):
    """Bytes that are not an image; the message gives the next step."""


def read(data: bytes, name: str = "the file") -> Image.Image:
    """Returns a decoded image, upright and RGB, as the model gets it. Raises PictureError."""
    try:
        return decode(data)
    except UnreadableImage as error:
        raise PictureError(f"{name} cannot be used: {error}. Choose a PNG or JPEG picture.") from error


def is_thumbnail(data: bytes) -> bool:
    """Returns True for a small picture that can be decoded.

    Anything else of a received bundle is not given to Streamlit, which opens every format of Pillow: that for
    EPS starts Ghostscript.
    """
    try:
        image = Image.open(io.BytesIO(data), formats=THUMBNAIL_FORMATS)
        if max(image.size) > VIEW_SIDE:
            return False
        image.load()
    except Exception:  # on damaged bytes Pillow's readers raise nearly anything
        return False
    return True


def preview(data: bytes, side: int = 448) -> bytes:
    """Returns an uploaded image as a small PNG; Streamlit cannot show every pixel format."""
    image = read(data)
    image.thumbnail((side, side))
    return png(image)


def model_view(image: Image.Image, resize_mode: str, aspect: float = 1.0) -> Image.Image:
    """Returns the part of an image that the model's patches cover; `aspect` is its width over its height.

    shortest: shorter side to size, then a center crop. squash: stretched. longest: padded to a square.
    The part has at most VIEW_SIDE pixels a side. A picture is scaled before it is made a square: the square
    of a strip of 60,000 x 60 pixels would have 14 GB.
    """
    width, height = image.size
    side = min(max(width, height), VIEW_SIDE)
    if resize_mode == "squash":
        size = side, round(side / aspect)
        return image.resize(size if aspect >= 1 else (round(side * aspect), side))
    if resize_mode == "longest":
        image = _within(image, side)
        padded = Image.new("RGB", (side, side))
        padded.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
        return padded
    crop_width = min(width, round(height * aspect))
    crop_height = min(height, round(width / aspect))
    left, top = round((width - crop_width) / 2), round((height - crop_height) / 2)
    return _within(image.crop((left, top, left + crop_width, top + crop_height)), side)


def _within(image: Image.Image, side: int) -> Image.Image:
    """Returns a picture scaled down so that no side is longer than `side`."""
    scale = min(1, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image if scale == 1 else image.resize(size, reducing_gap=2)


def covered(picture: Image.Image | None, model: Any) -> Image.Image:
    """Returns the part of a picture that the patches of a model cover; plain gray without a picture.

    `model` is its row of the table `model`.
    """
    rows, columns = int(model.grid_rows), int(model.grid_columns)
    if picture is None:
        return Image.new("RGB", (32 * columns, 32 * rows), "#bbbbbb")
    return model_view(picture, model.resize_mode, columns / rows)


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="PNG")
    return out.getvalue()


def data_url(image: Image.Image, side: int = 448) -> str:
    """Returns the image as a data URL for a chart, enlarged so that it scales smoothly."""
    return jpeg_url(enlarge(image, side), 88)


def jpeg_url(image: Image.Image, quality: int = 92) -> str:
    """Returns the image as a small data URL; at the default quality with sharp edges between colors."""
    out = io.BytesIO()
    image.save(out, format="JPEG", quality=quality, subsampling=0 if quality > 90 else 2)
    return as_url(out.getvalue())


def png_url(image: Image.Image) -> str:
    """Returns the image as a data URL that keeps every pixel and its opacity."""
    return as_url(png(image))


def as_url(data: bytes) -> str:
    """Returns the bytes of a PNG, JPEG or WebP file as a data URL."""
    kind = {b"\xff\xd8": "jpeg", b"RI": "webp"}.get(data[:2], "png")
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def colors(grid: NDArray, limit: float) -> NDArray:
    """Returns colors of values on a scale from -limit to limit, uint8 [row, column, 3]."""
    return shades((np.clip(grid / limit, -1, 1) + 1) / 2, DIVERGING).round().astype(np.uint8)


def shades(share: NDArray, stops: Sequence[str]) -> NDArray:
    """Returns colors between equally distant stops for shares from 0 to 1, [..., rgb] from 0 to 255."""
    ends = np.array([[int(stop[start : start + 2], 16) for start in (1, 3, 5)] for stop in stops], float)
    places = np.linspace(0, 1, len(ends))
    return np.stack([np.interp(share, places, channel) for channel in ends.T], axis=-1)


def enlarge(image: Image.Image, side: int = 448) -> Image.Image:
    return image.resize((side, round(side * image.height / image.width)), Image.Resampling.BICUBIC)


def strength(grid: NDArray, limit: float, opacity: float = 0.0) -> NDArray:
    """Returns the share of the opacity that values get: the picture is visible where a map is near zero.

    From an opacity of MAP_BEGINS on, the share near zero rises too; at 1 the map alone is visible.
    """
    share = np.sqrt(np.clip(np.abs(grid) / limit, 0, 1))
    lowest = max(0.0, (opacity - MAP_BEGINS) / (1 - MAP_BEGINS))
    return lowest + (1 - lowest) * share


def smoothed(grid: NDArray, size: tuple[int, int]) -> NDArray:
    """Returns values between the centers of patches, bilinear, one for each pixel of a `size`."""
    return np.asarray(Image.fromarray(grid.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))


def cover(grid: NDArray, limit: float, opacity: float) -> Image.Image:
    """Returns the colors of a map with their opacity, a pixel for each value."""
    alpha = (255 * opacity * strength(grid, limit, opacity)).round().astype(np.uint8)
    return Image.fromarray(np.dstack([colors(grid, limit), alpha]))


def overlay(
    image: Image.Image,
    grid: NDArray,
    limit: float,
    opacity: float,
    *,
    side: int = 448,
    smooth: bool = False,
    outliers: NDArray | None = None,
    chosen: tuple[int, int] | None = None,
) -> Image.Image:
    """Returns one map over the input of the model.

    Patches have sharp edges, for the map has no finer detail; `smooth` draws values between their centers.
    `outliers` [row, column] get a diamond, the patch `chosen` (row, column) a frame.
    """
    below = enlarge(image, side)
    above = cover(smoothed(grid, below.size) if smooth else grid, limit, opacity)
    above = above.resize(below.size, Image.Resampling.NEAREST)
    drawn = Image.composite(above.convert("RGB"), below, above.getchannel("A"))
    mark(drawn, grid.shape, outliers, chosen)
    return drawn


def mark(
    image: Image.Image,
    shape: tuple[int, ...],
    outliers: NDArray | None = None,
    chosen: tuple[int, int] | None = None,
) -> None:
    """Draws the marks of patches into a picture of `shape` patches: white with dark edges, on any color."""
    draw, (rows, columns) = ImageDraw.Draw(image), shape
    width, height = image.width / columns, image.height / rows
    line = max(1, image.width // 200)
    for row, column in np.argwhere(outliers) if outliers is not None else []:
        x, y, reach = (column + 0.5) * width, (row + 0.5) * height, min(width, height) / 4
        corners = [(x, y - reach), (x + reach, y), (x, y + reach), (x - reach, y), (x, y - reach)]
        draw.line(corners, "black", line + 2, joint="curve")
        draw.line(corners, "white", line, joint="curve")
    if chosen:
        left, top = round(chosen[1] * width), round(chosen[0] * height)
        right, bottom = round(left + width) - 1, round(top + height) - 1
        draw.rectangle([left, top, right, bottom], outline="black", width=line + 2)
        draw.rectangle([left + 1, top + 1, right - 1, bottom - 1], outline="white", width=line)


def mosaic(pictures: Sequence[Image.Image], side: int, frame: str = "") -> Image.Image:
    """Returns up to four pictures in a square of two rows, cut to squares; the gaps let the page through.

    `frame` is the color of a border of the first picture, if there is one.
    """
    gap = side // 40
    cell = (side - gap) // 2
    page = Image.new("RGBA", (side, side))
    for place, picture in enumerate(pictures[:4]):
        tile = ImageOps.fit(picture, (cell, cell))
        if frame and place == 0:
            tile = ImageOps.expand(ImageOps.fit(picture, (cell - 2 * gap, cell - 2 * gap)), gap, frame)
        page.paste(tile, (place % 2 * (cell + gap), place // 2 * (cell + gap)))
    return page


def webp(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, format="WEBP", quality=85)
    return out.getvalue()
