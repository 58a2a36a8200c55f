"""Pictures for tests, as the bytes of files; and what is done with them in worker processes.

Worker processes import this module for `mean_color` and its like, so it imports no pytest and no torch.
"""

import io
import os
import signal
import struct
import tarfile
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from precompute.inputs import images
from precompute.inputs.images import ImageFile

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """The picture as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def tiff(
    samples: bytes, width: int, *, bits: int, photometric: int, order: str = "<", sample_format: int = 1
) -> bytes:
    """Returns an uncompressed TIFF of one row."""
    size = len(samples)
    tags = [(256, width), (257, 1), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 1)]
    entries = b"".join(
        struct.pack(f"{order}HHII", tag, 4, 1, value)
        for tag, value in [*tags, (279, size), (339, sample_format)]
    )
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + size)
    return start + samples + struct.pack(f"{order}H", len(tags) + 2) + entries + bytes(4)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """A picture that does not compress."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def corners() -> Image.Image:
    """40 x 20: red and green above, blue and white below."""
    image = Image.new("RGB", (40, 20))
    for box, color in [((0, 0), RED), ((20, 0), GREEN), ((0, 10), BLUE), ((20, 10), WHITE)]:
        image.paste(color, (*box, box[0] + 20, box[1] + 10))
    return image


def mixed_folder(root: Path) -> Path:
    """Three pictures (two of the same bytes), one broken file, and side files."""
    (root / "b" / "c").mkdir(parents=True)
    (root / "z.png").write_bytes(encoded(noise(30, 20)))
    (root / "b" / "c" / "copy.PNG").write_bytes(encoded(noise(30, 20)))
    (root / "b" / "a.jpg").write_bytes(encoded(noise(300, 200), "JPEG"))
    (root / "b" / "broken.jpeg").write_bytes(b"\xff\xd8\xff\xe0 not a JPEG")
    (root / "notes.txt").write_text("no image")
    (root / "labels.csv").write_text("no image")
    (root / ".hidden.png").write_bytes(b"")
    (root / ".cache").mkdir()
    (root / ".cache" / "x.png").write_bytes(b"")
    return root


def tar(path: Path, members: dict[str, bytes | str]) -> Path:
    """A tar of these members, in their order."""
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else content.encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            file.addfile(member, io.BytesIO(data))
    return path


def distinct(folder: Path) -> dict[str, ImageFile]:
    files = images.gather(folder).files
    return images.distinct(files, images.scan(files, workers=0))


@contextmanager
def without_root():
    """Root may read everything; for a moment, be nobody."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def mean_color(image: Image.Image) -> np.ndarray:
    """A preprocess: four by two pixels of the model's input."""
    return np.asarray(image.resize((4, 2))).transpose(2, 0, 1) / np.float32(255)


def die(image: Image.Image) -> np.ndarray:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fail(image: Image.Image) -> np.ndarray:
    raise ArithmeticError("no such color")
