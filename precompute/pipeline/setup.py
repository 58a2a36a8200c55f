"""What every process of a run does before it takes images apart: from options to models and work files.

A run on one machine, each of its parts and what joins them go the same way here, so that their work files
meet by name.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from db.atomic_directory import check_free
from precompute import clip
from precompute.inputs import model_specs
from precompute.method import decomposition
from precompute.method.types import HeadSpaces
from precompute.runtime import devices, progress, work_files
from precompute.runtime.config import Config
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.part import WHOLE, Part
from precompute.stages import read_inputs, scan_images

SPACES = "spaces.safetensors"
"""The work file of a model's bases."""


class LoadedModel(NamedTuple):
    """One model, ready to take images apart."""

    model: clip.Clip
    spaces: HeadSpaces
    identity: list[object]
    """What the model's numbers depend on."""

    directory: Path
    """Where its work files lie."""


def ready(config: Config) -> tuple[Config, list[model_specs.ModelSpec]]:
    """The options with the device that is meant, and all models, whose weights are here.

    What cannot be used is refused now, before the first model takes its hours.

    Raises:
        ConfigError, ModelError: of the first that cannot be used; says what to do.
    """
    config = replace(config, device=devices.resolve_device(config.device, config.precision))
    all_specs = specs(config)
    for spec in all_specs:
        clip.check(spec)
        clip.weights_file(spec)
    return config, all_specs


@contextmanager
def exclusive_run(config: Config) -> Iterator[tuple[Config, Path]]:
    """Checks every option and input file, then holds the work directory alone; yields both.

    Raises:
        UserError: the bundle may not be replaced, an input cannot be used, or another run is under way.
    """
    check_free(config.bundle, replace=config.replace)
    config, _ = ready(config)
    read_inputs.read_files(config.texts, config.prompts, config.masks)
    with work_files.locked(work_directory(config.bundle)) as directory:
        yield config, directory


def work_directory(bundle: Path) -> Path:
    """Where the work files of a bundle lie; safe to delete once the bundle is there."""
    return bundle.with_name(f".{bundle.name}.work")


def specs(config: Config) -> list[model_specs.ModelSpec]:
    """All models of a run, random-weights twins among them. Raises ModelError."""
    asked = [clip.resolve(choice) for choice in config.models]
    return model_specs.with_controls(asked) if config.controls else asked


def specs_in_turn(config: Config) -> Iterator[model_specs.ModelSpec]:
    """All models of a run, one after the other; shows the time left of the whole run."""
    all_specs = specs(config)
    turns = [
        progress.Turn(spec.name, spec.architecture, clip.cost_of_image(spec.architecture, spec.config))
        for spec in all_specs
    ]
    return progress.in_turn(all_specs, turns)


def list_files(config: Config, directory: Path) -> scan_images.Listing:
    """Find the images of a run, opening none. Raises ImagesError."""
    return scan_images.list_files(
        config.images,
        directory,
        thumbnails=config.thumbnails,
        class_folders=config.class_folders,
        captions=config.captions,
        limit=config.limit,
    )


def scan(config: Config, directory: Path, part: Part = WHOLE) -> scan_images.Listing:
    """Find all files and read those of a part. Raises ImagesError, WorkError."""
    listing = list_files(config, directory)
    scan_images.scan(listing, workers=config.workers, thumbnails=config.thumbnails, part=part)
    return listing


def load(spec: model_specs.ModelSpec, config: Config, directory: Path) -> LoadedModel:
    """Load a model on the device that is meant. Raises ConfigError, ModelError."""
    device = devices.resolve_device(config.device, config.precision)
    model = clip.load(spec, device=device, precision=config.precision)
    layers = clip.last_layers(model, config.layers)
    identity = _identity(model)
    model_directory = (
        directory / f"model-{work_files.key_of(METHOD_VERSIONS['decomposition'], identity, layers)}"
    )
    return LoadedModel(model, _spaces(model, layers, model_directory), identity, model_directory)


def _spaces(model: clip.Clip, layers: tuple[int, ...], directory: Path) -> HeadSpaces:
    """The spaces of the model's heads, kept: coordinates of all images must be in the same bases.

    An SVD leaves them open where singular values are close, and differs between machines.
    """

    def compute() -> dict[str, Tensor]:
        spaces = decomposition.head_spaces(clip.vision_weights(model), layers)
        return {"basis": spaces.basis.cpu(), "rank": spaces.rank.cpu()}

    found = work_files.load_or_publish_first(directory / SPACES, compute)
    return HeadSpaces(layers, found["basis"], found["rank"])


def _identity(model: clip.Clip) -> list[object]:
    """What the numbers of a model depend on: its weights, and all that no file of weights tells."""
    spec = model.spec
    files = [work_files.hash_of(path) for path in (spec.config, spec.bpe) if path is not None]
    # Below float32 each kind of device multiplies in its own way.
    precision = model.precision + ("" if model.precision == "float32" else f" on {model.device.type}")
    fed = [spec.activation, spec.mean, spec.std, spec.interpolation, spec.resize_mode]
    return [
        model.model_key,
        model.weights_sha256,
        model.heads,
        model.patch_size,
        model.image_size,
        precision,
        fed,
        files,
    ]
