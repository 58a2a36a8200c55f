"""Pictures with two known objects each, their masks and captions, from a CSV file.

A mask passes through the same preprocessing as its picture, so that crop and border agree.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

from db.layout import image_id, normalize_text
from db.pictures import UnreadableImage
from precompute.inputs.images.attributes import PATH
from precompute.inputs.images.csv_list import existing_path
from precompute.inputs.images.decoding import read, read_bytes
from precompute.inputs.images.files import ImagesError
from precompute.inputs.images.mask_values import object_pixels
from precompute.inputs.text_files import MISSING, open_table, shown
from precompute.runtime import progress

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS = (PATH, "mask", "object", "caption")


class MaskedPicture(NamedTuple):
    """One picture with its two objects."""

    name: str
    """Path in the CSV file; pictures are sorted by it."""

    path: Path
    masks: tuple[Path, Path]
    objects: tuple[str, str]
    captions: tuple[str, str]
    """Captions that each name one of the objects."""


class MaskedPixels(NamedTuple):
    """The input of a model for one picture, and the masks in the same frame."""

    pixels: "Tensor"
    """[3, height, width], normalized for the model."""

    masks: "Tensor"
    """[object, height, width], share of each pixel that the object covers, 0 to 1."""


def read_masks(csv_path: Path) -> list[MaskedPicture]:
    """Returns the pictures of a CSV file: columns path, mask, object, caption; two rows a picture.

    Paths are relative to the file. Raises ImagesError.
    """
    table = open_table(csv_path, PATH, ImagesError)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise ImagesError(f"{csv_path} has no column {', '.join(missing)}. It needs {', '.join(COLUMNS)}.")
    rows = defaultdict(list)
    for line, row in table.rows:
        _check_row(csv_path, line, row)
        rows[normalize_text(row[PATH])].append(row)
    if not rows:
        raise ImagesError(
            f"{csv_path} lists no picture. Give two rows for each, one for each of its objects."
        )
    return [_picture(csv_path, name, rows[name]) for name in sorted(rows)]


def check_masks(pictures: Sequence[MaskedPicture]) -> None:
    """Raises ImagesError, before anything is computed, for the first file that `masked_pixels` refuses."""
    for picture in progress.track(pictures, "checking masks", total=len(pictures), unit="picture"):
        _read_masked(picture)


def mask_identity(pictures: Sequence[MaskedPicture]) -> list[list[object]]:
    """Returns the inputs of mask scores for a key: hashes of pictures and masks, and captions; no paths."""
    return [[*map(_bytes_id, (picture.path, *picture.masks)), picture.captions] for picture in pictures]


def masked_pixels(
    pictures: Sequence[MaskedPicture],
    preprocess: "Callable[[Image.Image], Tensor]",
    *,
    mean: tuple[float, float, float],
    std: tuple[float, float, float],
) -> Iterator[MaskedPixels]:
    """Yields each picture and its masks after `preprocess`, which subtracts `mean` and divides by `std`.

    Raises ImagesError for an unreadable file, or a mask of another size than its picture or without one known
    object.
    """
    import torch

    for picture in pictures:
        image, masks = _read_masked(picture)
        covered = [preprocess(mask)[0] * std[0] + mean[0] for mask in masks]
        yield MaskedPixels(preprocess(image), torch.stack(covered).clamp(0, 1))


def _check_row(csv_path: Path, line: int, row: dict[str, str]) -> None:
    """Raises ImagesError unless every cell is filled and both files exist."""
    for name in COLUMNS:
        if row[name].strip() in ("", *MISSING):
            raise ImagesError(f"{csv_path}, line {line}: no {name}. Fill the cell, or remove the line.")
    for name in (PATH, "mask"):
        if not existing_path(csv_path.parent, row[name]):
            raise ImagesError(
                f"{csv_path}, line {line}: no file {shown(row[name])}. Give paths relative to "
                f"{csv_path.parent}."
            )


def _picture(csv_path: Path, name: str, rows: list[dict[str, str]]) -> MaskedPicture:
    """Returns the picture of two rows. Raises ImagesError unless there are two rows and they differ."""
    if len(rows) != 2:
        raise ImagesError(
            f"{csv_path}: {name} has {len(rows)} {'row' if len(rows) == 1 else 'rows'}. "
            "Give two for each picture, one for each of two objects."
        )
    first, second = rows
    for column in ("mask", "caption"):
        if normalize_text(first[column]) == normalize_text(second[column]):
            raise ImagesError(
                f"{csv_path}: both objects of {name} have the {column} {shown(first[column])}. "
                "Give each object its own; a score is how well a map distinguishes them."
            )
    path, *masks = (
        existing_path(csv_path.parent, cell) or Path(cell)
        for cell in (first[PATH], first["mask"], second["mask"])
    )
    objects, captions = (
        tuple(normalize_text(row[column]) for row in rows) for column in ("object", "caption")
    )
    return MaskedPicture(
        name, path, (masks[0], masks[1]), (objects[0], objects[1]), (captions[0], captions[1])
    )


def _bytes_id(path: Path) -> str:
    with _error_names(path):
        return image_id(read_bytes(path))


def _read(path: Path) -> Image.Image:
    with _error_names(path):
        return read(path)


@contextmanager
def _error_names(path: Path) -> Iterator[None]:
    """Turns UnreadableImage into an ImagesError that names the file."""
    try:
        yield
    except UnreadableImage as error:
        raise ImagesError(f"{path} cannot be used: {error}. Replace it, or remove its rows.") from error


def _read_masked(picture: MaskedPicture) -> tuple[Image.Image, list[Image.Image]]:
    image = _read(picture.path)
    return image, [_read_mask(path, image, picture.path) for path in picture.masks]


def _read_mask(path: Path, image: Image.Image, image_path: Path) -> Image.Image:
    """Returns a mask as white on black. Raises ImagesError."""
    with _error_names(path):
        inside = object_pixels(read_bytes(path), str(path))
    if inside.shape != image.size[::-1]:
        sizes = [f"{width} x {height}" for width, height in (inside.shape[::-1], image.size)]
        raise ImagesError(
            f"{path} has {sizes[0]} pixels, but {image_path} has {sizes[1]}. Give masks of its size."
        )
    return Image.fromarray(np.where(inside, 255, 0).astype(np.uint8)).convert("RGB")
