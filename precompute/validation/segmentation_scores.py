"""The ImageNet-Segmentation protocol for one model: its classes, its maps, its figures."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.inputs.text_files import left_out, lines_of, read_text
from precompute.method import decomposition
from precompute.runtime import progress
from precompute.validation import map_metrics, segmentation


def class_texts(model: clip.Clip, classes: Path | None) -> Float[Tensor, "class d_out"]:
    """Returns a unit embedding a class: from one prompt a line of a file, or from ImageNet's 80 prompts."""
    if classes is not None:
        return clip.encode_text(model, _lines(classes))
    return mean_texts(model, clip.imagenet_prompts())


def mean_texts(model: clip.Clip, classes: Sequence[Sequence[str]]) -> Float[Tensor, "class d_out"]:
    """Returns the normalized mean of the unit embeddings of each class's prompts. Raises TextError."""
    texts = [
        F.normalize(clip.encode_text(model, prompts).mean(dim=0), dim=0)
        for prompts in progress.track(classes, "texts of classes", total=len(classes), unit="class")
    ]
    return torch.stack(texts)


def answers(
    model: clip.Clip,
    path: Path,
    text: Float[Tensor, "class d_out"],
    *,
    limit: int | None = None,
    as_released: bool = False,
) -> list[segmentation.Answer]:
    """Returns the counts of `limit` pictures, spread evenly over the file, or of all.

    `as_released` crops pictures as the preprocessing of the model does, while masks are squashed.
    """
    count = segmentation.count(path)
    places = images.evenly(range(count), limit or count)
    weights = clip.vision_weights(model)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, clip.last_layers(model, None)))
    text, results = text.to(model.device), []
    pictures = segmentation.read(path, places)
    side = model.image_size
    for image, covered in progress.track(pictures, "segmenting", total=len(places), unit="image"):
        if not as_released:
            image = segmentation.squashed(image, side, interpolation=model.spec.interpolation)
        grid = _map(model, plan, model.preprocess(image)[None], text)
        mask = np.array(segmentation.squashed(covered, side, interpolation="nearest"))
        heat = segmentation.heat(grid, side)
        results.append(segmentation.answer(heat, torch.from_numpy(mask).bool()))
    return results


def _map(
    model: clip.Clip,
    plan: decomposition.Plan,
    pixels: Float[Tensor, "1 3 h w"],
    text: Float[Tensor, "class d_out"],
) -> Float[Tensor, "row column"]:
    """Returns contributions of every patch along the text of the predicted class minus the mean text."""
    parts, token = decomposition.decompose_tokens(plan, clip.capture_tokens(model, pixels, plan.layers))
    predicted = int((parts.embedding @ text.T).argmax())
    direction = (text[predicted] - text.mean(dim=0))[None]
    by_head = map_metrics.head_maps(token[0], plan.spaces.basis, direction)
    return by_head.sum(dim=(0, 1))[0].cpu().unflatten(-1, model.grid)


def _lines(path: Path) -> list[str]:
    """Returns the prompts of a file, one a line. Raises ImagesError."""
    entries, comments = lines_of(read_text(path, "the classes in", images.ImagesError))
    if comments:
        progress.say(f"{path}: {left_out(comments)}.")
    prompts = [line.strip() for _, line in entries]
    if len(prompts) < 2:
        raise images.ImagesError(f"{path} holds {len(prompts)} prompts. Give one a line, at least two.")
    return prompts
