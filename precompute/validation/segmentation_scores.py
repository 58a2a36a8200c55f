"""The ImageNet-Segmentation protocol for one model: its classes, its maps, its figures."""

from collections.abc import Sequence
from functools import reduce
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from precompute import clip
from precompute.inputs import images
from precompute.method import decomposition
from precompute.runtime import progress
from precompute.validation import map_metrics, segmentation


def class_texts(model: clip.Clip, classes: Path | None) -> Float[Tensor, "class d_out"]:
    """Unit embedding of each class: a prompt a line of the file, or ImageNet's 1,000 classes by 80 prompts.

    Of several prompts the mean of the unit embeddings is taken, and made unit again.
    """
    if classes is not None:
        return clip.encode_text(model, _lines(classes))
    return mean_texts(model, clip.imagenet_prompts())


def mean_texts(model: clip.Clip, classes: Sequence[Sequence[str]]) -> Float[Tensor, "class d_out"]:
    """Mean of the unit embeddings of each class's prompts, made unit again. Raises TextError."""
    texts = [
        F.normalize(clip.encode_text(model, prompts).mean(dim=0), dim=0)
        for prompts in progress.track(classes, "texts of classes", total=len(classes), unit="class")
    ]
    return torch.stack(texts)


def score(
    model: clip.Clip,
    path: Path,
    text: Float[Tensor, "class d_out"],
    *,
    limit: int | None = None,
    as_released: bool = False,
) -> segmentation.Figures:
    """Figures of the model over `limit` pictures, spread evenly over the file, or all."""
    there = segmentation.count(path)
    places = images.evenly(range(there), limit or there)
    found = answers(model, path, text, places, as_released=as_released)
    return segmentation.figures(reduce(segmentation.Answer.plus, found))


def answers(
    model: clip.Clip,
    path: Path,
    text: Float[Tensor, "class d_out"],
    places: Sequence[int],
    *,
    as_released: bool,
) -> list[segmentation.Answer]:
    """What the model answers for the pictures at `places` of the file.

    `as_released` crops pictures as the model's preprocessing does while masks are squashed.
    """
    weights = clip.vision_weights(model)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, clip.last_layers(model, None)))
    text, found = text.to(model.device), []
    pictures = segmentation.read(path, places)
    for picture in progress.track(pictures, "segmenting", total=len(places), unit="image"):
        image = picture.image if as_released else _squashed(model, picture.image)
        grid = _map(model, plan, model.preprocess(image)[None], text)
        mask = segmentation.squashed(picture.mask, model.image_size, interpolation="nearest")
        heat = segmentation.heat(grid, model.image_size)
        found.append(segmentation.answer(heat, torch.from_numpy(np.array(mask)).bool()))
    return found


def _map(
    model: clip.Clip,
    plan: decomposition.Plan,
    pixels: Float[Tensor, "1 3 h w"],
    text: Float[Tensor, "class d_out"],
) -> Float[Tensor, "row column"]:
    """Contributions of every patch along the likeliest class's text less the mean text."""
    parts, token = decomposition.decompose_tokens(plan, clip.capture_tokens(model, pixels, plan.layers))
    chosen = int((parts.embedding @ text.T).argmax())
    along = (text[chosen] - text.mean(dim=0))[None]
    by_head = map_metrics.head_maps(token[0], plan.spaces.basis, along)
    return by_head.sum(dim=(0, 1))[0].cpu().unflatten(-1, model.grid)


def _squashed(model: clip.Clip, image: Image.Image) -> Image.Image:
    return segmentation.squashed(image, model.image_size, interpolation=model.spec.interpolation)


def _lines(path: Path) -> list[str]:
    """One prompt a line. Raises ImagesError."""
    try:
        lines = [line.strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise images.ImagesError(f"cannot read the classes in {path}: {error}.") from error
    prompts = [line for line in lines if line]
    if len(prompts) < 2:
        raise images.ImagesError(f"{path} holds {len(prompts)} prompts. Give one a line, at least two.")
    return prompts
