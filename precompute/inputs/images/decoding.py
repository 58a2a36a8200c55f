"""Reads one image file: its bytes, its picture and its thumbnail. Unreadable files have a short reason."""

import io
from pathlib import Path

from PIL import Image

from db.pictures import UnreadableImage, decode

MAX_BYTES = 2**30

THUMBNAIL_SHORTER = 128
THUMBNAIL_LONGER = 1024


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


def thumbnail(image: Image.Image, side: int = THUMBNAIL_SHORTER) -> bytes:
    """Returns the whole picture as a small JPEG, its shorter side at most `side`, never enlarged."""
    shorter, longer = sorted(image.size)
    scale = min(1, side / shorter, THUMBNAIL_LONGER / longer)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, subsampling="4:2:0")
    return out.getvalue()
