"""Run the model on after every change, image by image, and keep the margins of every attribute.

Random sets are the bulk of the changes and only their mean and range are wanted: each of them is run on every
PARTS-th image of the sample, in turn, so that together they see all of it.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.method.types import Classes
from precompute.runtime.config import ReadOptions
from precompute.stages import decompose_images
from precompute.validation import zero_shot

PARTS = 5

SHARD = 8
"""Images of one work file, and of one batch at most: each of them goes through some thirty forward passes."""


def margins(
    model: clip.Clip,
    changes: Sequence[clip.Intervention],
    is_random: Sequence[bool],
    classes: Sequence[Classes],
    own: Int[Tensor, "image attribute"],
    image_id: list[str],
    distinct: dict[str, images.ImageFile],
    directory: Path,
    options: ReadOptions,
) -> Float[Tensor, "ablation image attribute"]:
    """Margins after each change; `own` as in `zero_shot`. NaN where an image has no value, or was not run."""
    place = {one: number for number, one in enumerate(image_id)}
    text = [one.text.to(model.device) for one in classes]
    turns = _turns(is_random)

    def compute(ids: list[str], pixels: Tensor) -> dict[str, Tensor]:
        rows = torch.tensor([place[one] for one in ids])
        found = torch.full((len(changes), len(ids), len(classes)), torch.nan)
        for turn, numbers in turns.items():
            here = torch.arange(len(ids)) if turn is None else (rows % PARTS == turn).nonzero()[:, 0]
            if len(here):
                embedding = clip.encode_with_interventions(
                    model, pixels[here], [changes[one] for one in numbers]
                )
                some = _margins(embedding, text, own[rows[here]])
                found[torch.tensor(numbers)[:, None], here] = some
        return {"margin": found.transpose(0, 1)}

    shards = decompose_images.cut(image_id, directory, SHARD)
    decompose_images.run_missing(model, shards, distinct, compute, "validation: forward ablations", options)
    return torch.cat([decompose_images.read(shard)["margin"] for shard in shards]).transpose(0, 1)


def _turns(is_random: Sequence[bool]) -> dict[int | None, list[int]]:
    """Changes by the images they are run on: None for all, else those whose place leaves this rest."""
    turns: dict[int | None, list[int]] = {}
    seen = 0
    for number, random in enumerate(is_random):
        turns.setdefault(seen % PARTS if random else None, []).append(number)
        seen += random
    return turns


def _margins(
    embedding: Float[Tensor, "ablation image d_out"],
    text: Sequence[Float[Tensor, "_ d_out"]],
    own: Int[Tensor, "image attribute"],
) -> Float[Tensor, "ablation image attribute"]:
    """As cosines with the changed model's own unit embedding."""
    unit = F.normalize(embedding, dim=-1)
    found = [
        zero_shot.margin(zero_shot.scores(unit, each).cpu(), value)
        for each, value in zip(text, own.T, strict=True)
    ]
    return torch.stack(found, dim=-1)
