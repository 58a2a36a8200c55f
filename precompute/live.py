"""Decompose one image or encode one text for a bundle: the only way from the dashboard to a model.

Uses the bases stored in the bundle, so that results can be compared with numbers of the bundle. Refuses
weights that differ from those of the bundle. Knows nothing of DuckDB or Streamlit.
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
from precompute.method.types import Decomposition, HeadSpaces
from precompute.runtime import devices
from precompute.runtime.config import ModelChoice

CHECKPOINTS = "HEADLIGHT_CHECKPOINTS"
"""Environment variable: MODEL=FILE entries, separated as in PATH, for models without a download."""


class LiveError(UserError):
    """The model cannot process the input; the message states the cause and the next step."""

    unknown: tuple[str, ...] = ()
    """Words outside the vocabulary of the model, if that is the cause."""

    vocabulary: tuple[str, ...] = ()


class LiveModel(NamedTuple):
    """A loaded model and the plan that decomposes it in the bundle's bases."""

    model: clip.Clip
    plan: decomposition.Plan


class LiveImage(NamedTuple):
    """One decomposed image."""

    image: Image.Image
    """Whole image, upright, RGB."""

    embedding: Float[ndarray, " d_out"]
    """Image embedding, unit length."""

    coordinates: Float[ndarray, "head rank"]
    """Coordinates of each head's contribution, not centered; heads in the order of the bundle's bases."""

    tokens: Float[ndarray, "head token rank"]
    """Coordinates by token, not centered; they sum to `coordinates` over tokens."""

    rest: Float[ndarray, " d_out"]
    """Contribution of all components other than the heads of the bundle."""


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
    """Loads `model` and checks that its weights are those of the bundle.

    `layers` are the bundle's layers and `basis` its bases, layer by layer, head by head.

    Raises:
        LiveError: the weights are missing, or differ from the bundle's.
    """
    try:
        spec = model_specs.resolve(
            model,
            clip.catalog(),
            checkpoint=_checkpoint(model),
            activation=activation,
            mean=None if mean is None else model_specs.as_triple(mean),
            std=None if std is None else model_specs.as_triple(std),
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
    """Returns unit-length embeddings of texts.

    Raises:
        LiveError: a text is empty, too long for the model, or has words outside its vocabulary.
    """
    try:
        return clip.encode_text(live.model, texts).numpy()
    except clip.TextError as error:
        refusal = LiveError(str(error))
        if isinstance(error, clip.UnknownWords):
            refusal.unknown, refusal.vocabulary = error.unknown, error.vocabulary
        raise refusal from error


def decompose_image(live: LiveModel, data: bytes) -> LiveImage:
    """Decomposes the image in the bytes of a file.

    Raises:
        LiveError: the bytes are not a readable image.
    """
    try:
        image = images.decode(data)
    except images.UnreadableImage as error:
        raise LiveError(f"this file cannot be used: {error}. Choose a PNG or JPEG picture.") from error
    pixels = live.model.preprocess(image)[None]
    captured = clip.capture_tokens(live.model, pixels, live.plan.spaces.layers)
    parts, token = decomposition.decompose_tokens(live.plan, captured)
    return LiveImage(
        image=image,
        embedding=parts.embedding[0].numpy(),
        coordinates=parts.head[0].flatten(0, 1).numpy(),
        tokens=token[0].flatten(0, 1).numpy(),
        rest=(parts.early + parts.mlp.sum(dim=1))[0].numpy(),
    )


def decompose_pictures(
    model: str,
    pictures: Sequence[Image.Image],
    *,
    layers: int | None,
    checkpoint: Path | None,
    device: str,
    batch_size: int,
) -> tuple[str, Decomposition, HeadSpaces]:
    """Decompose pictures by a model in bases of its own, without a bundle.

    Returns the model's key, the contributions, one row per picture, and the bases; all on the processor.

    Raises:
        ModelError, ConfigError: there is no such model, device or number of layers.
    """
    spec = clip.resolve(ModelChoice(model, checkpoint=checkpoint or _checkpoint(model)))
    loaded = clip.load(spec, device=devices.resolve_device(device))
    weights = clip.vision_weights(loaded)
    spaces = decomposition.head_spaces(weights, clip.last_layers(loaded, layers))
    plan = decomposition.plan(weights, spaces)
    parts = []
    for start in range(0, len(pictures), batch_size):
        batch = [loaded.preprocess(picture) for picture in pictures[start : start + batch_size]]
        with devices.explain_out_of_memory(loaded.device, batch_size):
            captured = clip.capture(loaded, torch.stack(batch).to(loaded.device), spaces.layers)
            parts.append([tensor.cpu() for tensor in decomposition.decompose(plan, captured)])
    whole = Decomposition(*(torch.cat(column) for column in zip(*parts, strict=True)))
    return loaded.model_key, whole, spaces


def _checkpoint(model: str) -> Path | None:
    for entry in os.environ.get(CHECKPOINTS, "").split(os.pathsep):
        name, _, file = entry.partition("=")
        if name == model:
            return Path(file)
    return None
