"""Forward effects: runs the model under every intervention, and returns the margins of every attribute.

Most interventions are random sets of heads, of which only the mean and range are needed. Each random set runs
on every PARTS-th image of the sample, with a different offset from set to set, so that the sets together
cover all images.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.method import zero_shot
from precompute.method.types import Classes
from precompute.stages import decompose_images
from precompute.validation.sample import ImagePass

PARTS = 5

SHARD = 8
"""Maximum number of images of a work file and of a batch: each image takes some thirty forward passes."""


def margins(
    image_pass: ImagePass,
    name: str,
    changes: Sequence[clip.Intervention],
    is_random: Sequence[bool],
    classes: Sequence[Classes],
    value: Int[Tensor, "image attribute"],
    image_id: list[str],
) -> Float[Tensor, "ablation image attribute"]:
    """Returns margins under each intervention; `value` as in `zero_shot.own_value`.

    `name` is the folder of the work files. NaN for an image without a value, or not in the intervention's
    part of the images.
    """
    model, distinct, directory, options = image_pass
    row = {image: number for number, image in enumerate(image_id)}
    text = [attribute.text.to(model.device) for attribute in classes]
    parts = _parts(is_random)

    def compute(ids: list[str], pixels: Tensor) -> dict[str, Tensor]:
        rows = torch.tensor([row[image] for image in ids])
        margin = torch.full((len(changes), len(ids), len(classes)), torch.nan)
        for part, numbers in parts.items():
            columns = torch.arange(len(ids)) if part is None else (rows % PARTS == part).nonzero()[:, 0]
            if len(columns):
                some = [changes[number] for number in numbers]
                embedding = clip.encode_with_interventions(model, pixels[columns], some)
                part_margins = _margins(embedding, text, value[rows[columns]])
                margin[torch.tensor(numbers)[:, None], columns] = part_margins
        return {"margin": margin.transpose(0, 1)}

    shards = decompose_images.cut(image_id, directory / name, SHARD)
    decompose_images.run_missing(model, shards, distinct, compute, "validation: forward ablations", options)
    return torch.cat([decompose_images.read(shard)["margin"] for shard in shards]).transpose(0, 1)


def _parts(is_random: Sequence[bool]) -> dict[int | None, list[int]]:
    """Returns interventions by their images: None for all, else the remainder of the row by PARTS."""
    parts: dict[int | None, list[int]] = {}
    random_count = 0
    for number, random in enumerate(is_random):
        parts.setdefault(random_count % PARTS if random else None, []).append(number)
        random_count += random
    return parts


def _margins(
    embedding: Float[Tensor, "ablation image d_out"],
    text: Sequence[Float[Tensor, "_ d_out"]],
    value: Int[Tensor, "image attribute"],
) -> Float[Tensor, "ablation image attribute"]:
    """Returns margins of cosines with the unit embedding of the changed model."""
    unit = F.normalize(embedding, dim=-1)
    scores = [zero_shot.scores(unit, attribute_text).cpu() for attribute_text in text]
    columns = [zero_shot.margin(score, column) for score, column in zip(scores, value.T, strict=True)]
    return torch.stack(columns, dim=-1)
