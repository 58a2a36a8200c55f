"""Decodes the bytes of one file to an upright 8-bit RGB picture, and computes its id and thumbnail.

The same bytes give the same picture and thumbnail. Unreadable files are refused with a short reason.
"""

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

# The allowed formats, whatever the file extension: Pillow's EPS reader would start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000")

MAX_BYTES = 2**30
MAX_PIXELS = 100_000_000
MAX_ASPECT = 1000
"""Maximum ratio of the sides. A model's resize to 224 would make a 1 x 5000 strip 250 million pixels."""

THUMBNAIL_SHORTER = 128
THUMBNAIL_LONGER = 1024

PLAIN_MODES = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB")

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""Transposition that turns each EXIF orientation upright."""

ORIENTATION_TAG = 0x0112


class UnreadableImage(ValueError):
    """One file is not a usable image; its text is a short reason."""


def read(path: Path) -> Image.Image:
    """Returns the picture of the file at `path`. Raises UnreadableImage."""
    return decode(read_bytes(path))


def read_bytes(path: Path, offset: int | None = None, size: int = 0) -> bytes:
    """Returns the bytes of one file, or `size` bytes from `offset` on. Raises UnreadableImage."""
    try:
        size = path.stat().st_size if offset is None else size
        if size > MAX_BYTES:
            raise UnreadableImage(f"file of {size:,} bytes, more than the {MAX_BYTES:,} allowed")
        if offset is None:
            return path.read_bytes()
        with path.open("rb") as tar:
            tar.seek(offset)
            data = tar.read(size)
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from error
    if len(data) < size:
        raise UnreadableImage(f"cut off: the tar ends after {len(data):,} of its {size:,} bytes")
    return data


def decode(data: bytes) -> Image.Image:
    """Returns the picture in the bytes of a file: 8-bit RGB, upright, the first frame.

    Transparent pixels are composited over white; 16-bit values keep their high byte; CMYK is converted by
    Pillow's plain formula; color profiles are not applied, as in the training of the CLIP models. Pixels
    without an agreed white (floating point, 32-bit integers) are refused: to scale them by their own minimum
    and maximum would make brightness depend on the rest of the picture. Raises UnreadableImage.
    """
    image = _load(data)
    orientation = _orientation(image)
    image = _rgb(_eight_bits(image, data))
    # Metadata has served; Pillow would copy comments and profiles into a thumbnail.
    image.info.clear()
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _load(data: bytes) -> Image.Image:
    """Opens and fully loads a picture with Pillow. Raises UnreadableImage."""
    if not data:
        raise UnreadableImage("empty file")
    if data.startswith(b"version https://git-lfs"):
        raise UnreadableImage("pointer to a file in Git LFS; run git lfs pull")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(*image.size)
        image.load()
    except Image.UnidentifiedImageError as error:
        raise UnreadableImage(f"not an image in a format that can be read ({', '.join(FORMATS)})") from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(_too_large(int(re.findall(r"\d+", str(error))[0]))) from error
    except (MemoryError, UnreadableImage):
        # Lack of memory is no property of the image: the bundle must not record it as one.
        raise
    except Exception as error:
        # On damaged bytes Pillow's readers raise nearly anything: SyntaxError, struct.error, KeyError, ...
        truncated = "truncated" in str(error).lower()
        raise UnreadableImage("truncated" if truncated else f"damaged: {error}") from error
    return image


def _check_size(width: int, height: int) -> None:
    """Raises UnreadableImage if the picture is too large or too thin to be decoded and resized."""
    if width * height > MAX_PIXELS:
        raise UnreadableImage(_too_large(width * height))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(f"{width} x {height} pixels: one side is over {MAX_ASPECT} times the other")


def _too_large(pixels: int) -> str:
    return f"{pixels / 1e6:,.0f} megapixels, more than the {MAX_PIXELS // 10**6} allowed"


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation; 1 (upright) if missing or unreadable, as in browsers."""
    try:
        return image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:
        return 1


def _eight_bits(image: Image.Image, data: bytes) -> Image.Image:
    """Converts 16-bit gray to 8 bits by the high byte, as Pillow does for colors; `convert` would clip it.

    Raises UnreadableImage for other pixels of more than 8 bits.
    """
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        return _high_byte(image)
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "32-bit or signed integer"
        raise UnreadableImage(f"{kind} pixels have no agreed white; save it with 8 or 16 bits a channel")
    if image.format == "PNG" and data[24] == 16 and isinstance(image.info.get("transparency"), tuple):
        # Pillow reduces the colors to 8 bits, but not the color that marks transparent pixels.
        image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
    return image


def _high_byte(image: Image.Image) -> Image.Image:
    """Returns 16-bit gray as L, or as LA if one gray value marks transparent pixels."""
    values = np.asarray(image)
    gray = Image.fromarray((values >> 8).astype(np.uint8))
    if (transparent := image.info.get("transparency")) is not None:
        gray.putalpha(Image.fromarray(np.where(values == transparent, 0, 255).astype(np.uint8)))
    return gray


def _rgb(image: Image.Image) -> Image.Image:
    """Returns 8-bit pixels of any mode as RGB over white. Raises UnreadableImage for unsupported modes."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    if image.mode not in PLAIN_MODES:
        raise UnreadableImage(f"pixels of kind {image.mode}; save it as RGB")
    return image.convert("RGB")


def thumbnail(image: Image.Image) -> bytes:
    """Returns the whole picture as a small JPEG, never enlarged."""
    shorter, longer = sorted(image.size)
    scale = min(1, THUMBNAIL_SHORTER / shorter, THUMBNAIL_LONGER / longer)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, subsampling="4:2:0")
    return out.getvalue()
