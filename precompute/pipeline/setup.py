"""Setup of every process of a run: from options to checked models and their work files.

A run, its parts and their merge share these functions, so that their work files have the same names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from db.atomic_directory import check_free
from precompute import clip
from precompute.inputs import images, model_specs
from precompute.method import decomposition
from precompute.method.types import HeadSpaces
from precompute.runtime import devices, progress, work_files
from precompute.runtime.config import Config
from precompute.runtime.method_versions import METHOD_VERSIONS
from precompute.runtime.part import WHOLE, Part
from precompute.stages import read_inputs, scan_images
from precompute.stages.decompose_images import LoadedModel

SPACES = "spaces.safetensors"
"""Name of the work file of a model's bases."""


def ready(config: Config) -> Config:
    """Returns the options with a resolved device; the weights of all models are then on this machine.

    Detects unusable options and models before the first model starts, which takes hours.

    Raises:
        ConfigError, ModelError: about the first unusable option or model; says what to do.
    """
    config = replace(config, device=devices.resolve_device(config.device, config.precision))
    for spec in specs(config):
        clip.check(spec)
        clip.weights_file(spec)
    return config


@contextmanager
def exclusive_run(config: Config) -> Iterator[tuple[Config, Path]]:
    """Checks every option and input file, then locks the work directory; yields config and directory.

    Raises:
        UserError: the bundle may not be replaced, an input cannot be used, or another run is under way.
    """
    check_free(config.bundle, replace=config.replace)
    config = ready(config)
    _, _, pictures = read_inputs.read_files(config)
    if pictures:
        images.check_masks(pictures)
    with work_files.locked(work_directory(config.bundle)) as directory:
        yield config, directory


def work_directory(bundle: Path) -> Path:
    """Returns the work directory of a bundle; safe to delete once the bundle exists."""
    return bundle.with_name(f".{bundle.name}.work")


def specs(config: Config) -> list[model_specs.ModelSpec]:
    """Returns all models of a run, with random-weights controls. Raises ModelError."""
    trained = [clip.resolve(choice) for choice in config.models]
    names: dict[str, str] = {}
    for spec, choice in zip(trained, config.models, strict=True):
        # Names that differ in other characters only give one key, and so do two names of one file.
        if other := names.get(key := model_specs.model_key(spec.name, "")):
            raise model_specs.ModelError(
                f"--model {choice.name} and {other} are both named {spec.name} in a bundle. Give one of "
                "them, or other names."
            )
        names[key] = choice.name
    return model_specs.with_controls(trained) if config.controls else trained


def turns(all_specs: list[model_specs.ModelSpec]) -> list[progress.Turn]:
    """Returns names, kinds and costs of models, for the time left of a run."""
    return [
        progress.Turn(spec.name, spec.architecture, clip.cost_of_image(spec.architecture, spec.config))
        for spec in all_specs
    ]


def list_files(config: Config, directory: Path) -> scan_images.Listing:
    """Lists the images of a run without opening them. Raises ImagesError."""
    return scan_images.list_files(
        config.images,
        directory,
        thumbnails=config.thumbnails,
        class_folders=config.class_folders,
        captions=config.captions,
        limit=config.limit,
    )


def scan(config: Config, directory: Path, part: Part = WHOLE) -> scan_images.Listing:
    """Lists all files and scans those of a part. Raises ImagesError, WorkError."""
    listing = list_files(config, directory)
    scan_images.scan(listing, workers=config.workers, thumbnails=config.thumbnails, part=part)
    return listing


def load(spec: model_specs.ModelSpec, config: Config, directory: Path) -> LoadedModel:
    """Loads a model. Raises ConfigError, ModelError."""
    device = devices.resolve_device(config.device, config.precision)
    model = clip.load(spec, device=device, precision=config.precision)
    layers = clip.last_layers(model, config.layers)
    identity = _identity(model)
    model_directory = (
        directory / f"model-{work_files.key_of(METHOD_VERSIONS['decomposition'], identity, layers)}"
    )
    return LoadedModel(model, _spaces(model, layers, model_directory), identity, model_directory)


def _spaces(model: clip.Clip, layers: tuple[int, ...], directory: Path) -> HeadSpaces:
    """Returns the spaces of the model's heads from a work file: all coordinates must use the same bases.

    An SVD does not determine the bases where singular values are close, and differs between machines.
    """

    def compute() -> dict[str, Tensor]:
        spaces = decomposition.head_spaces(clip.vision_weights(model), layers)
        return {"basis": spaces.basis.cpu(), "rank": spaces.rank.cpu()}

    tensors = work_files.load_or_publish_first(directory / SPACES, compute)
    return HeadSpaces(layers, tensors["basis"], tensors["rank"])


def _identity(model: clip.Clip) -> list[object]:
    """Returns everything that a model's numbers depend on: its weights, and facts that weights lack."""
    spec = model.spec
    files = [work_files.hash_of(path) for path in (spec.config, spec.bpe) if path is not None]
    # Below float32 results depend on the kind of device.
    precision = model.precision + ("" if model.precision == "float32" else f" on {model.device.type}")
    preprocessing = [spec.activation, spec.mean, spec.std, spec.interpolation, spec.resize_mode]
    return [
        model.model_key,
        model.weights_sha256,
        model.heads,
        model.patch_size,
        model.image_size,
        precision,
        preprocessing,
        files,
    ]
