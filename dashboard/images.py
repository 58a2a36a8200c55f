"""Images as the input of the model, and maps drawn over them. Pillow and numpy; no Streamlit, no Altair."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

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
    out = io.BytesIO()
    enlarge(image, side).save(out, format="JPEG", quality=88)
    return as_url(out.getvalue())


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


def muted(image: Image.Image) -> Image.Image:
    """Returns a picture with paler colors, so that the hues of a map over it stand out."""
    return Image.blend(image.convert("L").convert("RGB"), image, 0.5)


def strength(grid: NDArray, limit: float) -> NDArray:
    """Returns the opacity of patches, 0 to 1: the picture is visible where a map is near zero."""
    return np.sqrt(np.clip(np.abs(grid) / limit, 0, 1))


def overlay(
    image: Image.Image, grid: NDArray, limit: float, opacity: float, *, side: int = 448
) -> Image.Image:
    """Returns one map over the input of the model, with sharp patch edges: the map has no finer detail."""
    below = enlarge(muted(image), side)
    alpha = (255 * opacity * strength(grid, limit)).round().astype(np.uint8)
    cover, mask = (
        Image.fromarray(part).resize(below.size, Image.Resampling.NEAREST)
        for part in (colors(grid, limit), alpha)
    )
    return Image.composite(cover, below, mask)


def sheet(
    panels: list[tuple[str, Image.Image]], limit: float, numbers: Sequence[str], unit: str, note: str
) -> bytes:
    """Returns titled panels side by side above one color scale and lines of notes, as PNG bytes.

    `numbers` stand at the ends and the middle of the scale: -limit, 0, limit.
    """
    gap, head, line = 24, 34, 18
    font, small = ImageFont.load_default(16), ImageFont.load_default(13)
    width = max(sum(p.width + gap for _, p in panels) + gap, 560)
    notes = [part for text in note.splitlines() for part in broken(text, width - 2 * gap, small)]
    foot = 66 + line * len(notes)
    height = max(p.height for _, p in panels) + head + foot
    page = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(page)
    left = gap
    for title, panel in panels:
        draw.text((left, 8), fit(title, panel.width, font), fill="black", font=font)
        page.paste(panel, (left, head))
        left += panel.width + gap
    bar = np.linspace(-limit, limit, 320)[None, :].repeat(14, axis=0)
    page.paste(Image.fromarray(colors(bar, limit)), (gap, height - foot + 12))
    for place, number in zip((0, 160, 320), numbers, strict=True):
        draw.text((gap + place, height - foot + 28), number, fill="black", font=small, anchor="mt")
    draw.text((gap + 340, height - foot + 11), unit, fill="black", font=small)
    for place, text in enumerate(notes):
        draw.text((gap, height - foot + 54 + line * place), text, fill="#444444", font=small)
    return png(page)


def broken(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> list[str]:
    """Returns a text in lines of at most a width: a link has no spaces to break at."""
    lines, line = [], ""
    for letter in text:
        if font.getlength(line + letter) > width:
            lines.append(line)
            line = ""
        line += letter
    return [*lines, line]


def fit(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """Returns a line cut to a width, with an ellipsis if it was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
