"""ImageNet-Segmentation: does a map, cut at its mean, cover the object that the model names?

The protocol of Gandelsman, Efros and Steinhardt 2024 (https://arxiv.org/abs/2310.05916) as their released
code has it (`compute_segmentations.py`, `utils/segmentation_utils.py`), which follows Chefer, Gur and Wolf
2021:

  * data: 4,276 pictures with an object's mask each (Guillaumin, Kuettel and Ferrari 2014), MATLAB v7.3;
  * map: contributions of all heads of all layers, class token left out, along the text of the class that the
    model itself finds most likely less the mean over all classes' texts;
  * enlarged bilinearly, clipped at 0, scaled to 0..1 by its own least and largest value;
  * object: what lies above the map's own mean. A map without positive values says background everywhere;
  * pixel accuracy and the IoU of object and of background: sums over all pictures, then divided; mean IoU is
    the mean of the two. AP of a picture ranks 2 x pixels answers at once, "object" by the map and
    "background" by one less the map; mean AP is the mean over pictures.

Their code crops pictures to the middle square but squashes masks, so the two do not meet in pictures that are
no squares. Here both are squashed, as Chefer et al. do; the other way is there for comparison.

Knows nothing of models.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from PIL import Image
from torch import Tensor

from precompute.inputs.images import ImagesError
from precompute.validation.map_metrics import average_precision

PICTURES = 4276
"""In gtsegs_ijcv.mat."""


class Labeled(NamedTuple):
    """One picture of the set."""

    image: Image.Image
    mask: Image.Image
    """One channel, as large as the picture; 0 is background."""


class Answer(NamedTuple):
    """Pixels of one picture, or sums over pictures."""

    right: int
    pixels: int
    intersection: Int[Tensor, " 2"]
    """Of what the map says and what the mask says: background, object."""

    union: Int[Tensor, " 2"]
    precision: float
    """Average precision of one picture; of several, its sum."""

    pictures: int = 1

    def plus(self, other: "Answer") -> "Answer":
        return Answer(
            self.right + other.right,
            self.pixels + other.pixels,
            self.intersection + other.intersection,
            self.union + other.union,
            self.precision + other.precision,
            self.pictures + other.pictures,
        )


class Figures(NamedTuple):
    """What is reported of a set, each between 0 and 1."""

    pixel_accuracy: float
    mean_iou: float
    mean_precision: float
    pictures: int


def count(path: Path) -> int:
    """How many pictures the file holds. Raises ImagesError."""
    with _opened(path) as file:
        return len(file["value/img"])


def read(path: Path, places: Sequence[int] | None = None) -> Iterator[Labeled]:
    """Pictures and masks, in the order of the file, or those at `places`. Raises ImagesError."""
    with _opened(path) as file:
        for index in range(len(file["value/img"])) if places is None else places:
            # MATLAB writes its columns first: an axis order is read backwards. The mask lies one cell deeper.
            image = np.array(file[file["value/img"][index, 0]]).transpose(2, 1, 0)
            mask = np.array(file[file[file["value/gt"][index, 0]][0, 0]]).transpose(1, 0)
            yield Labeled(Image.fromarray(image).convert("RGB"), Image.fromarray((mask > 0).astype(np.uint8)))


def squashed(image: Image.Image, side: int, *, interpolation: str) -> Image.Image:
    """The whole picture as a square; `interpolation` is nearest, bilinear or bicubic."""
    return image.resize((side, side), Image.Resampling[interpolation.upper()])


def heat(grid: Float[Tensor, "row column"], side: int) -> Float[Tensor, "side side"]:
    """A map over patches at the size of the picture, between 0 and 1; all 0 where nothing is positive."""
    large = F.interpolate(grid[None, None], size=(side, side), mode="bilinear", align_corners=False)[0, 0]
    large = large.clamp(min=0)
    spread = large.max() - large.min()
    return (large - large.min()) / spread if spread > 0 else torch.zeros_like(large)


def answer(heat: Float[Tensor, "row column"], mask: Bool[Tensor, "row column"]) -> Answer:
    """Count one picture's pixels."""
    said = heat > heat.mean()
    pairs = [(~said, ~mask), (said, mask)]
    # Where nothing is positive their code has a map of 0 for either answer, not of 0 and 1.
    background = 1 - heat if bool(heat.any()) else heat
    ranked = torch.cat([background.flatten(), heat.flatten()])
    actual = torch.cat([~mask.flatten(), mask.flatten()])
    return Answer(
        right=int((said == mask).sum()),
        pixels=mask.numel(),
        intersection=torch.stack([(a & b).sum() for a, b in pairs]),
        union=torch.stack([(a | b).sum() for a, b in pairs]),
        precision=float(average_precision(ranked, actual[None])),
    )


def figures(total: Answer) -> Figures:
    """From sums over pictures to what is reported."""
    iou = total.intersection.double() / total.union.clamp(min=1)
    return Figures(
        total.right / total.pixels, float(iou.mean()), total.precision / total.pictures, total.pictures
    )


def _opened(path: Path) -> Any:
    """The HDF5 file, with the two tables this set has. Raises ImagesError."""
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
