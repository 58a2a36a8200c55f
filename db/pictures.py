"""Decodes the bytes of one file to an upright 8-bit RGB picture, alike for the pipeline and the app.

The same bytes give the same picture. Unreadable files are refused with a short reason.
"""

import io
import re

import numpy as np
from PIL import Image

# The allowed formats, whatever the file extension: Pillow's EPS reader would start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF", "BMP", "DIB", "GIF", "TIFF", "PPM", "JPEG2000")

MAX_PIXELS = 100_000_000
MAX_SCANS = 100
"""Maximum number of passes of a JPEG; cameras and programs use at most a dozen, and each takes time."""

MAX_SLOW_PIXELS = 4_000_000
"""Maximum size of a PPM that Pillow decodes in Python: one as text, or with an unusual largest value."""

STRIP_ROWS = 256
"""Rows of a transparent picture that are put over white at a time."""

MAX_ASPECT = 1000
"""Maximum ratio of the sides. A model's resize to 224 would make a 1 x 5000 strip 250 million pixels."""

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
BITS_TAG = 258
SAMPLE_FORMAT_TAG = 339
PHOTOMETRIC_TAG = 262
"""Tags of TIFF: bits of a sample; 2 where samples are signed; 0 where white is zero."""

HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
READABLE = re.compile(rb"\x89PNG|\xff\xd8|GIF8|\0\0\0\x0cjP  |....ftypavi[fs]", re.DOTALL)
"""First bytes of formats that are read, where only a damaged file is not identified."""

OTHER_KINDS = {
    "a PDF": (b"%PDF",),
    "PostScript": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "a Photoshop file": (b"8BPS",),
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "an archive or a document": (b"PK\3\4", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"),
}
"""Kinds of files that are taken for images, by their first bytes."""


class UnreadableImage(ValueError):
    """One file is not a usable image; its text is a short reason."""


def decode(data: bytes) -> Image.Image:
    """Returns the picture in the bytes of a file: 8-bit RGB, upright, the first frame.

    Transparent pixels are composited over white; of 16 bits the high byte is kept, of 12 the high 8 bits, and
    white is 255 even where a TIFF stores it as zero; CMYK is converted by
    Pillow's plain formula; color profiles are not applied, as in the training of the CLIP models. Pixels
    without an agreed white (floating point, 32-bit integers) are refused: to scale them by their own minimum
    and maximum would make brightness depend on the rest of the picture. Raises UnreadableImage.
    """
    return upright_rgb(_load(data), data)


def upright_rgb(image: Image.Image, data: bytes = b"") -> Image.Image:
    """Returns a loaded picture as `decode` does; `data` is its file, if any. Raises UnreadableImage."""
    picture = upright(image, _rgb(_eight_bits(image, data)))
    # Metadata has served; Pillow would copy comments and profiles into a thumbnail.
    picture.info.clear()
    return picture


def upright(image: Image.Image, picture: Image.Image | None = None) -> Image.Image:
    """Returns `picture`, or the image itself, turned as the EXIF orientation of the image says."""
    orientation, picture = _orientation(image), picture or image
    return picture.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else picture


def _load(data: bytes) -> Image.Image:
    """Opens and fully loads a picture with Pillow. Raises UnreadableImage."""
    if not data:
        raise UnreadableImage("empty file")
    if data.startswith(b"version https://git-lfs"):
        raise UnreadableImage("pointer to a file in Git LFS; run git lfs pull")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(*image.size)
        _check_effort(image, data)
        image.load()
    except Image.UnidentifiedImageError as error:
        raise UnreadableImage(_other_kind(data)) from error
    except Image.DecompressionBombError as error:
        raise UnreadableImage(_too_large(int(re.findall(r"\d+", str(error))[0]))) from error
    except (MemoryError, UnreadableImage):
        # Lack of memory is no property of the image: the bundle must not record it as one.
        raise
    except Exception as error:
        # On damaged bytes Pillow's readers raise nearly anything: SyntaxError, struct.error, KeyError, ...
        raise UnreadableImage(_damage(error)) from error
    return image


def _damage(error: Exception) -> str:
    """Returns what a reader of Pillow says of damaged bytes, without messages of Python itself."""
    if "truncated" in str(error).lower():
        return "truncated"
    of_pillow = isinstance(error, (OSError, SyntaxError, ValueError)) and str(error)
    return f"damaged: {error}" if of_pillow else "damaged"


def _other_kind(data: bytes) -> str:
    """Returns what a file is that Pillow cannot identify, and what to do."""
    if data.startswith((b"II*\0", b"MM\0*")):
        return (
            "a TIFF with pixels that cannot be read (half floats, ...); save it with 8 or 16 bits a channel"
        )
    start = data[:1000].lstrip().lower()
    if b"<svg" in start:
        return "SVG, a drawing without pixels; save it as PNG"
    if start.startswith((b"<html", b"<!doc", b"<?xml")):
        return "not an image but a web page or XML; fetch the image again"
    if READABLE.match(data):
        return "damaged: its first bytes are those of an image, the rest is not; copy or save it again"
    if data[4:8] == b"ftyp":
        kind = "HEIC" if data[8:12] in HEIC_BRANDS else "a video or a raw photograph"
        return f"{kind}, which cannot be read; convert it to JPEG"
    for kind, starts in OTHER_KINDS.items():
        if data.startswith(starts):
            return f"not an image but {kind}; save it as PNG or JPEG"
    return f"not an image in a format that can be read ({', '.join(FORMATS)}); convert it to one of them"


def _check_size(width: int, height: int) -> None:
    """Raises UnreadableImage if the picture is too large or too thin to be decoded and resized."""
    if width * height > MAX_PIXELS:
        raise UnreadableImage(_too_large(width * height))
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadableImage(f"{width} x {height} pixels: one side is over {MAX_ASPECT} times the other")


def _check_effort(image: Image.Image, data: bytes) -> None:
    """Raises UnreadableImage if a small file would take minutes to decode."""
    if image.format == "JPEG" and (scans := data.count(b"\xff\xda")) > MAX_SCANS:
        raise UnreadableImage(f"a JPEG of {scans} passes, more than the {MAX_SCANS} allowed; save it again")
    slow = image.format == "PPM" and image.tile[0][0] in ("ppm", "ppm_plain")  # type: ignore[attr-defined]
    if slow and image.width * image.height > MAX_SLOW_PIXELS:
        raise UnreadableImage("a PPM of a kind that is slow to read; save it as PNG")


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
    if 2 in np.atleast_1d(getattr(image, "tag_v2", {}).get(SAMPLE_FORMAT_TAG, 1)):
        raise UnreadableImage("signed pixels have no agreed white; save it with 8 or 16 bits, unsigned")
    if image.format == "PNG" and data[24:25] == b"\x10" and isinstance(image.info.get("transparency"), tuple):
        # Pillow reduces the colors to 8 bits, but not the color that marks transparent pixels.
        image.info["transparency"] = tuple(value >> 8 for value in image.info["transparency"])
    return image


def _high_byte(image: Image.Image) -> Image.Image:
    """Returns 16-bit gray as L, or as LA if one gray value marks transparent pixels."""
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    # Pillow scales fewer bits and inverts white-is-zero for 8 bits a pixel only.
    bits = 12 if tags.get(BITS_TAG) in (12, (12,)) else 16
    high = (values >> (bits - 8)).astype(np.uint8)
    gray = Image.fromarray(255 - high if tags.get(PHOTOMETRIC_TAG) == 0 else high)
    if (transparent := image.info.get("transparency")) is not None:
        gray.putalpha(Image.fromarray(np.where(values == transparent, np.uint8(0), np.uint8(255))))
    return gray


def is_flat(image: Image.Image) -> bool:
    """Returns True if no channel uses a tenth of its range: an empty picture, or 12 bits stored in 16."""
    return all(high - low < 25.5 for low, high in image.getextrema())  # type: ignore[misc]


def _over_white(image: Image.Image) -> Image.Image:
    """Returns a transparent picture over white, a strip at a time: at once it would take 1.2 GB more."""
    flat = Image.new("RGB", image.size)
    for top in range(0, image.height, STRIP_ROWS):
        box = (0, top, image.width, min(top + STRIP_ROWS, image.height))
        strip = image.crop(box).convert("RGBA")
        flat.paste(Image.alpha_composite(Image.new("RGBA", strip.size, "white"), strip).convert("RGB"), box)
    return flat


def _rgb(image: Image.Image) -> Image.Image:
    """Returns 8-bit pixels of any mode as RGB over white. Raises UnreadableImage for unsupported modes."""
    if image.has_transparency_data:
        return _over_white(image)
    if image.mode not in PLAIN_MODES:
        raise UnreadableImage(f"pixels of kind {image.mode}; save it as RGB")
    return image.convert("RGB")
