"""What every process of a run does before it takes images apart: from options to models and work files.

A run on one machine, each of its parts and what joins them go the same way here, so that their work files
meet by name.
"""

from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch

from precompute import clip, controls, decomposition, intake, models, work
from precompute.config import METHOD_VERSION, Config, ConfigError, ModelChoice
from precompute.types import HeadSpaces


class Loaded(NamedTuple):
    """One model, ready to take images apart."""

    model: clip.Clip
    spaces: HeadSpaces
    identity: list[object]
    """What the model's numbers depend on."""

    directory: Path
    """Where its work files lie."""


def check_device(device: str) -> None:
    """Raise ConfigError unless the device is there."""
    if not is_there(device):
        there = ", ".join(name for name in ("cpu", "cuda", "mps") if is_there(name))
        raise ConfigError(f"--device {device} is not available here. Use one of: {there}.")


def is_there(device: str) -> bool:
    """Whether this machine has the device."""
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return available.get(device.split(":")[0], False)


def work_directory(bundle: Path) -> Path:
    """Where the work files of a bundle lie; safe to delete once the bundle is there."""
    return bundle.with_name(f".{bundle.name}.work")


def specs(config: Config) -> list[models.ModelSpec]:
    """All models of a run, random-weights twins among them. Raises ModelError."""
    asked = [resolve(choice) for choice in config.models]
    return controls.with_twins(asked) if config.controls else asked


def resolve(choice: ModelChoice) -> models.ModelSpec:
    """What is meant by a choice. Raises ModelError."""
    given = asdict(choice)
    return models.resolve(given.pop("name"), clip.catalog(), **given)


def look(config: Config, directory: Path) -> intake.Listing:
    """Find the images of a run, opening none. Raises ImagesError."""
    return intake.look(
        config.images,
        directory,
        thumbnails=config.thumbnails,
        class_folders=config.class_folders,
        captions=config.captions,
        limit=config.limit,
    )


def load(spec: models.ModelSpec, config: Config, directory: Path) -> Loaded:
    """Load a model. Raises ModelError."""
    model = clip.load(spec, device=config.device)
    layers = clip.last_layers(model, config.layers)
    spaces = decomposition.head_spaces(clip.vision_weights(model), layers)
    identity = _identity(model)
    name = f"model-{work.key_of(METHOD_VERSION, identity, layers)}"
    return Loaded(model, spaces, identity, directory / name)


def _identity(model: clip.Clip) -> list[object]:
    """What the numbers of a model depend on: its weights, and all that no file of weights tells."""
    spec = model.spec
    files = [work.hash_of(path) for path in (spec.config, spec.bpe) if path is not None]
    fed = [spec.activation, spec.mean, spec.std, spec.interpolation, spec.resize_mode]
    return [
        model.model_key,
        model.weights_sha256,
        model.heads,
        model.patch_size,
        model.image_size,
        fed,
        files,
    ]
