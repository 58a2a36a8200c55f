"""ImageNet-Segmentation: overlap of a map, cut at its mean, with the object that the model names.

The protocol of Gandelsman, Efros and Steinhardt 2024 (https://arxiv.org/abs/2310.05916) as their released
code implements it (`compute_segmentations.py`, `utils/segmentation_utils.py`), after Chefer, Gur and Wolf
2021:

  * data: 4,276 pictures with one object mask each (Guillaumin, Kuettel and Ferrari 2014), MATLAB v7.3;
  * map: contributions of all heads of all layers, without the class token, along the text of the class that
    the model predicts, minus the mean over the texts of all classes;
  * resize: bilinear enlargement, clipped at 0, scaled to 0..1 by its own minimum and maximum;
  * object: pixels above the mean of the map. A map without positive values is background everywhere;
  * pixel accuracy, and the IoU of object and of background: sums over all pictures, then divided; mean IoU is
    the mean of the two. AP of a picture ranks 2 x pixels predictions at once, "object" by the map and
    "background" by one minus the map; mean AP is the mean over pictures.

Their code crops pictures to the middle square but squashes masks, so that the two do not match unless the
picture is square. Here both are squashed, as in Chefer et al.; the other way exists for comparison.

Knows nothing of models.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from PIL import Image
from torch import Tensor

from precompute.inputs.images import ImagesError
from precompute.method import rounding
from precompute.validation.map_metrics import average_precision

PICTURES = 4276
"""Number of pictures in gtsegs_ijcv.mat."""


class Answer(NamedTuple):
    """Counts of pixels of one picture, or sums over pictures."""

    right: int
    pixels: int
    intersection: Int[Tensor, " 2"]
    """Pixels on which map and mask agree: background, object."""

    union: Int[Tensor, " 2"]
    precision: float
    """Average precision of one picture; for several, the sum."""

    pictures: int = 1

    def plus(self, other: "Answer") -> "Answer":
        return Answer(*map(add, self, other))


class Figures(NamedTuple):
    """Reported figures of a set of pictures, each between 0 and 1."""

    pixel_accuracy: float
    mean_iou: float
    mean_precision: float
    pictures: int


def count(path: Path) -> int:
    """Returns the number of pictures in the file. Raises ImagesError."""
    with _open(path) as file:
        return len(file["value/img"])


def read(path: Path, places: Sequence[int] | None = None) -> Iterator[tuple[Image.Image, Image.Image]]:
    """Yields pictures and masks in the order of the file, or those at `places`. Raises ImagesError.

    A mask has one channel and the size of its picture; 0 is background.
    """
    with _open(path) as file:
        for index in range(len(file["value/img"])) if places is None else places:
            # MATLAB is column-major, so axes are in reverse order. The mask is one cell deeper.
            image = np.array(file[file["value/img"][index, 0]]).transpose(2, 1, 0)
            mask = np.array(file[file[file["value/gt"][index, 0]][0, 0]]).transpose(1, 0)
            yield Image.fromarray(image).convert("RGB"), Image.fromarray((mask > 0).astype(np.uint8))


def squashed(image: Image.Image, side: int, *, interpolation: str) -> Image.Image:
    """Returns the whole picture as a square; `interpolation` is nearest, bilinear or bicubic."""
    return image.resize((side, side), Image.Resampling[interpolation.upper()])


def heat(grid: Float[Tensor, "row column"], side: int) -> Float[Tensor, "side side"]:
    """Returns a map over patches at the size of the picture, 0 to 1.

    All 0 without positive values, or if they differ by rounding only.
    """
    large = F.interpolate(grid[None, None], size=(side, side), mode="bilinear", align_corners=False)[0, 0]
    large = large.clamp(min=0)
    spread = large.max() - large.min()
    varies = spread > rounding.ERROR * large.max()
    return (large - large.min()) / spread if varies else torch.zeros_like(large)


def answer(heat: Float[Tensor, "row column"], mask: Bool[Tensor, "row column"]) -> Answer:
    """Returns the counts of one picture."""
    predicted = heat > heat.mean()
    pairs = [(~predicted, ~mask), (predicted, mask)]
    # Without positive values, their code has a map of 0 for both classes, not of 0 and 1.
    background = 1 - heat if bool(heat.any()) else heat
    ranked = torch.cat([background.flatten(), heat.flatten()])
    actual = torch.cat([~mask.flatten(), mask.flatten()])
    return Answer(
        right=int((predicted == mask).sum()),
        pixels=mask.numel(),
        intersection=torch.stack([(a & b).sum() for a, b in pairs]),
        union=torch.stack([(a | b).sum() for a, b in pairs]),
        precision=float(average_precision(ranked, actual[None])),
    )


def figures(answers: Sequence[Answer]) -> Figures:
    """Returns the reported figures of some pictures."""
    total = reduce(Answer.plus, answers)
    mean_iou = float((total.intersection.double() / total.union.clamp(min=1)).mean())
    return Figures(total.right / total.pixels, mean_iou, total.precision / total.pictures, total.pictures)


def _open(path: Path) -> Any:
    """Opens the HDF5 file and checks its two tables. Raises ImagesError."""
    import h5py  # only this protocol reads HDF5

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ImagesError(
            f"{path} cannot be read as HDF5 ({error}). Give gtsegs_ijcv.mat as it was published."
        ) from error
    if "value/img" not in file or "value/gt" not in file:
        file.close()
        raise ImagesError(f"{path} has no value/img and value/gt. Give gtsegs_ijcv.mat as it was published.")
    return file
