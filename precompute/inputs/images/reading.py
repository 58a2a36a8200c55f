"""Reads many image files: scans each one, keeps distinct images, and yields batches of pixels.

Nothing depends on the number of workers. torch is imported only to return a batch.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float
from PIL import Image

from db.layout import image_id
from db.pictures import UnreadableImage, decode, is_flat
from precompute.inputs.images.decoding import read_bytes, thumbnail
from precompute.inputs.images.files import Failed, ImageFile, ImagesError
from precompute.inputs.images.workers import in_order

if TYPE_CHECKING:
    from torch import Tensor


class ScannedImage(NamedTuple):
    """A readable image file."""

    relative: str
    image_id: str
    width: int
    """Width in pixels, after EXIF rotation."""

    height: int
    thumbnail: bytes | None
    """JPEG; None without thumbnails."""

    is_flat: bool = False
    """True if the picture uses less than a tenth of its range."""


def scan(
    files: Sequence[ImageFile], *, workers: int, thumbnails: bool = True
) -> Iterator[ScannedImage | Failed]:
    """Reads every file once; yields the results in the order of `files`. `workers` 0 reads in this process.

    Raises WorkerDied.
    """
    tasks = ((file, thumbnails) for file in files)
    return in_order(_scan_file, tasks, workers=workers, window=8 * workers)


def _scan_file(file: ImageFile, thumbnails: bool) -> ScannedImage | Failed:
    try:
        data = read_bytes(file.path, file.offset, file.size)
        image = decode(data)
    except UnreadableImage as error:
        return Failed(file.relative, str(error))
    small = thumbnail(image) if thumbnails else None
    return ScannedImage(file.relative, image_id(data), *image.size, small, is_flat(image))


def distinct(files: Sequence[ImageFile], results: Iterable[ScannedImage | Failed]) -> dict[str, ImageFile]:
    """Returns one file for each distinct image, by image id: the first in the order of the results."""
    by_name = {file.relative: file for file in files}
    images: dict[str, ImageFile] = {}
    for result in results:
        if isinstance(result, ScannedImage):
            images.setdefault(result.image_id, by_name[result.relative])
    return images


def pixel_batches(
    images: Mapping[str, ImageFile],
    preprocess: "Callable[[Image.Image], Tensor]",
    *,
    batch_size: int,
    workers: int,
) -> "Iterator[tuple[list[str], Float[Tensor, 'image 3 height width']]]":
    """Yields image ids and preprocessed float32 pixels in batches, in the order of `images` (see `distinct`).

    The pixels of a picture do not depend on its batch. `preprocess` runs in the workers, so it must pickle.
    Raises ImagesError if a file no longer has its id, WorkerDied, or TypeError if pickling fails.
    """
    import torch

    if workers:
        _check_pickles(preprocess)
    tasks = ((file, expected, preprocess) for expected, file in images.items())
    pixels = in_order(_pixels, tasks, workers=workers, window=4 * workers + batch_size)
    ids = iter(images)
    try:
        while batch := list(islice(ids, batch_size)):
            yield batch, torch.from_numpy(np.stack(list(islice(pixels, len(batch)))))
    finally:
        # Ends the workers when the caller stops early.
        pixels.close()


def _pixels(file: ImageFile, expected: str, preprocess: Callable) -> Float[np.ndarray, "3 height width"]:
    """Returns the model's input of one file. Raises ImagesError if its image id is not `expected`."""
    return np.asarray(preprocess(picture_of(file, expected)), dtype=np.float32)


def picture_of(file: ImageFile, expected: str) -> Image.Image:
    """Returns the picture of a scanned file. Raises ImagesError if its image id is not `expected`."""
    try:
        data = read_bytes(file.path, file.offset, file.size)
        if image_id(data) != expected:
            raise ImagesError(f"{file.where} changed after it was scanned. Run again.")
        return decode(data)
    except UnreadableImage as error:
        raise ImagesError(f"{file.where} was readable when scanned, but now: {error}. Run again.") from error


def _check_pickles(preprocess: Callable) -> None:
    """Raises TypeError unless `preprocess` can be sent to a worker."""
    try:
        pickle.dumps(preprocess)
    except Exception as error:
        raise TypeError(f"preprocess cannot be sent to worker processes ({error}). Use workers=0.") from error
