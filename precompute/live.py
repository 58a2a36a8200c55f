"""One image or one text, now, in the terms of a bundle: the only way from the dashboard to a model.

Uses the bases the bundle stores, so that numbers made here and numbers read there can be compared. Refuses
weights other than those the bundle was made from.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from PIL import Image

from db.errors import UserError
from precompute import clip
from precompute.inputs import images, model_specs
from precompute.method import decomposition
from precompute.method.types import HeadSpaces

CHECKPOINTS = "HEADLIGHT_CHECKPOINTS"
"""Environment variable: MODEL=FILE entries, separated as in PATH, for models that open_clip cannot fetch."""


class LiveError(UserError):
    """The model could not be asked; the message says why and what to do."""


class LiveModel(NamedTuple):
    """A loaded model and the plan that takes it apart in the bundle's bases."""

    model: clip.Clip
    plan: decomposition.Plan


class LiveImage(NamedTuple):
    """One image taken apart now."""

    image: Image.Image
    """The whole picture, upright, RGB."""

    embedding: Float[ndarray, " d_out"]
    """Unit length."""

    coordinates: Float[ndarray, "head rank"]
    """Not centered; heads in the order of the bundle's bases."""

    tokens: Float[ndarray, "head token rank"]
    """Not centered; they sum to `coordinates` over tokens."""

    rest: Float[ndarray, " d_out"]
    """What no stored head contributes."""


def load(
    model: str,
    weights_sha256: str,
    *,
    layers: Sequence[int],
    basis: Float[ndarray, "head rank d_out"],
    activation: str | None = None,
    mean: Iterable[float] | None = None,
    std: Iterable[float] | None = None,
    interpolation: str | None = None,
    resize_mode: str | None = None,
) -> LiveModel:
    """Load `model` and check that it is the one the bundle was made from.

    `layers` are the bundle's layers and `basis` its bases, layer by layer, head by head.

    Raises:
        LiveError: no weights to be had, or other weights than the bundle's.
    """
    try:
        spec = model_specs.resolve(
            model,
            clip.catalog(),
            checkpoint=_checkpoint(model),
            activation=activation,
            mean=_three(mean),
            std=_three(std),
            interpolation=interpolation,
            resize_mode=resize_mode,
        )
        loaded = clip.load(spec)
    except model_specs.ModelError as error:
        raise LiveError(
            f"{error} For the dashboard, set {CHECKPOINTS}={model}=FILE. (A model made with --config can be "
            "asked with the bundle's own texts and images only.)"
        ) from error
    if loaded.weights_sha256 != weights_sha256:
        raise LiveError(
            f"the weights of {model} found here ({loaded.weights_sha256[:8]}) are not those the bundle was "
            f"made from ({weights_sha256[:8]}). Set {CHECKPOINTS}={model}=FILE to the right file, or rebuild "
            "the bundle."
        )
    rank, d_out = basis.shape[1:]
    tensor = torch.from_numpy(np.array(basis, np.float32)).reshape(len(layers), -1, rank, d_out)
    spaces = HeadSpaces(tuple(layers), tensor, (tensor.square().sum(-1) > 0.5).sum(-1))
    return LiveModel(loaded, decomposition.plan(clip.vision_weights(loaded), spaces))


def encode_texts(live: LiveModel, texts: Sequence[str]) -> Float[ndarray, "text d_out"]:
    """Unit-length embeddings of texts.

    Raises:
        LiveError: an empty text, one longer than the model's context, or words it never saw.
    """
    try:
        return clip.encode_text(live.model, texts).numpy()
    except clip.TextError as error:
        raise LiveError(str(error)) from error


def decompose_image(live: LiveModel, data: bytes) -> LiveImage:
    """Take the image in the bytes of a file apart.

    Raises:
        LiveError: the bytes are no image that can be read.
    """
    try:
        picture = images.decode(data)
    except images.UnreadableImage as error:
        raise LiveError(f"this file cannot be used: {error}. Choose a PNG or JPEG picture.") from error
    pixels = live.model.preprocess(picture)[None]
    captured = clip.capture_tokens(live.model, pixels, live.plan.spaces.layers)
    parts, token = decomposition.decompose_tokens(live.plan, captured)
    return LiveImage(
        image=picture,
        embedding=parts.embedding[0].numpy(),
        coordinates=parts.head[0].flatten(0, 1).numpy(),
        tokens=token[0].flatten(0, 1).numpy(),
        rest=(parts.early + parts.mlp.sum(dim=1))[0].numpy(),
    )


def _three(values: Iterable[float] | None) -> tuple[float, float, float] | None:
    if values is None:
        return None
    red, green, blue = (float(value) for value in values)
    return red, green, blue


def _checkpoint(model: str) -> Path | None:
    for entry in os.environ.get(CHECKPOINTS, "").split(os.pathsep):
        name, _, file = entry.partition("=")
        if name == model:
            return Path(file)
    return None
