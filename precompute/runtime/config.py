"""Options of a run: a frozen dataclass with checks in its constructor; flags that several commands share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from db.errors import UserError
from precompute.runtime import arguments
from precompute.runtime.arguments import number_or_all, option, three_numbers
from precompute.texts import TEXTS

Precision = Literal["float32", "tf32", "bf16"]
"""Precision of matrix products in the image tower: 24, 11 or 8 binary digits of each factor."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class ConfigError(UserError):
    """An option is missing, out of range, or contradicts another."""


INPUTS = "what goes in and out"
WEIGHTS = "local weights"
RESULTS = "what is computed"
SPEED = "how fast (none but --precision changes the result)"
"""Headings in `--help`."""

GENERAL_POOL = TEXTS / "general.tsv"

_UNKNOWN_TAG = "where neither the weights tag nor --config states it"


def models_option(group: str) -> Any:
    """The flag `--model`."""
    return option(
        group=group,
        flag="--model",
        type=str,
        required=True,
        metavar="ARCHITECTURE/WEIGHTS",
        help="name in open_clip, or `study` for the six models of the paper; repeatable. The command "
        "`models` lists the names",
    )


def masks_option(group: str) -> Any:
    """The flag `--masks`."""
    return option(
        None,
        "score maps on pictures of two objects: columns path, mask, object, caption; two rows per "
        "picture. A mask is 0 outside its object and one other value inside",
        group=group,
        metavar="CSV",
    )


def layers_option(help: str, group: str) -> Any:
    """The flag `--layers`; None for all."""
    return option(4, help, group=group, type=number_or_all("last layers"), metavar="N|all")


def batch_size_option(group: str) -> Any:
    """The flag `--batch-size`."""
    return option(32, "images in one forward pass", group=group, metavar="N", minimum=1)


def workers_option(group: str) -> Any:
    """The flag `--workers`; 0 decodes in the main process."""
    return option(2, "processes that decode images", group=group, metavar="N", minimum=0, maximum=1024)


def device_option(group: str) -> Any:
    """The flag `--device`."""
    return option(
        "auto",
        "cpu, cuda, cuda:1, mps (not tested on hardware), or auto: cuda where there is one, else cpu",
        group=group,
    )


def license_option(help: str, group: str = "") -> Any:
    """The flag `--license`."""
    return option("not stated", help, group=group, metavar="TEXT")


@dataclass(frozen=True)
class ModelChoice:
    """One model to decompose, with the facts of a local file that open_clip does not know."""

    name: str
    """architecture/weights, as open_clip names them."""

    checkpoint: Path | None = option(
        None,
        "safetensors or a PyTorch state dict; MODEL= is required with several models",
        group=WEIGHTS,
        action="append",
        type=str,
        metavar="[MODEL=]FILE",
    )
    activation: str | None = option(None, _UNKNOWN_TAG, group=WEIGHTS, choices=["gelu", "quick_gelu"])
    mean: tuple[float, float, float] | None = option(
        None, _UNKNOWN_TAG, group=WEIGHTS, type=three_numbers, metavar="R,G,B"
    )
    std: tuple[float, float, float] | None = option(
        None, _UNKNOWN_TAG, group=WEIGHTS, type=three_numbers, metavar="R,G,B"
    )
    interpolation: str | None = option(None, _UNKNOWN_TAG, group=WEIGHTS, choices=["bicubic", "bilinear"])
    resize_mode: str | None = option(
        None,
        "how a picture becomes a square: crop (default), border, or squash",
        group=WEIGHTS,
        choices=["shortest", "longest", "squash"],
    )
    config: Path | None = option(
        None,
        "architecture that open_clip does not know; a file of the hub, open_clip_config.json, states "
        "activation and preprocessing as well",
        group=WEIGHTS,
        metavar="JSON",
    )
    bpe: Path | None = option(None, "merges of a tokenizer of your own (gzip)", group=WEIGHTS, metavar="FILE")


_RESULT_OPTIONS = (
    "layers", "picks", "rotations", "replicates", "controls", "gallery_megabytes", "gallery_images",
    "validation", "thumbnails", "license", "precision", "seed",
)  # fmt: skip


class ReadOptions(NamedTuple):
    """Options of a pass that reads images. They change its speed, never its result."""

    batch_size: int
    workers: int
    """Processes that decode images; 0 decodes in the main process."""

    shard_size: int
    """Images of one work file."""


class HeadOptions(NamedTuple):
    """Options that texts, labels and replicates of heads depend on."""

    picks: int
    rotations: int
    replicates: int
    seed: int


class GalleryLimits(NamedTuple):
    """Size limits of the token-level gallery of one model."""

    images: int
    megabytes: float


@dataclass(frozen=True, kw_only=True)
class Config:
    """Options of one run. Required: models, images and bundle."""

    models: tuple[ModelChoice, ...] = models_option(INPUTS)
    images: Path = option(
        group=INPUTS,
        nargs="+",
        metavar="SOURCE",
        help="a folder of any depth; a CSV with a column `path`, other columns being attributes; a .tar, a "
        "folder of .tar files or a quoted pattern such as 'shards/*.tar' (WebDataset: .cls and .json beside "
        "an image are attributes)",
    )
    limit: int | None = option(
        None,
        "use N files, spread evenly over all, for a first look (default: all)",
        group=INPUTS,
        metavar="N",
    )
    class_folders: bool = option(
        True, "do not use folder names as the attribute class (cat/1.jpg, train/cat/1.jpg)", group=INPUTS
    )
    captions: bool = option(
        False, "keep captions (.txt beside an image in a tar) as an attribute", group=INPUTS
    )
    texts: Path = option(
        GENERAL_POOL,
        "text pool: per line a text, tab, its properties separated by |; or a CSV with the columns text and "
        "property (default: the general pool, for photographs)",
        group=INPUTS,
        metavar="FILE",
    )
    bundle: Path = option(help="directory to write", group=INPUTS, metavar="OUT")
    replace: bool = option(False, "replace OUT if it exists", group=INPUTS)
    metadata: Path | None = option(
        None,
        "a column `path` (as --images has them) and one column per known attribute",
        group=INPUTS,
        metavar="CSV",
    )
    prompts: Path | None = option(
        None,
        "prompts of attribute values: per line attribute, tab, value (* for any other), tab, text ({} for "
        "the value). Default: 'a photo of a {}.' for the attribute class",
        group=INPUTS,
        metavar="FILE",
    )
    masks: Path | None = masks_option(INPUTS)
    masked_images: int | None = option(
        None,
        "use N pictures of --masks, spread evenly over all (default: all)",
        group=INPUTS,
        metavar="N",
        minimum=1,
    )

    layers: int | None = layers_option("last layers", RESULTS)
    picks: int = option(60, "texts for each head", group=RESULTS, minimum=5)
    controls: bool = option(
        True,
        "leave out each model's random-weights control and the metrics of its rotated heads",
        group=RESULTS,
    )
    rotations: int = option(199, "rotated heads per p-value", group=RESULTS, minimum=19)
    replicates: int = option(
        200,
        "random halves of images and texts behind intervals and ranks; 0 for none",
        group=RESULTS,
        minimum=0,
    )
    gallery_images: int = option(500, "maximum number of images with stored maps", group=RESULTS, minimum=0)
    gallery_megabytes: float = option(
        128.0, "maximum size of stored maps per model", group=RESULTS, minimum=0
    )
    validation: bool = option(
        False,
        "score labels, neighbors and ablations against --metadata, by zero-shot classification",
        group=RESULTS,
    )
    validation_images: int = option(500, "number of images for --validation", group=RESULTS, minimum=2)
    thumbnails: bool = option(
        True, "store no pictures of the images, only their hashes and paths", group=RESULTS
    )
    license: str = license_option("license of the images", RESULTS)
    seed: int = option(0, "seed of rotations and random texts", group=RESULTS, minimum=0)

    batch_size: int = batch_size_option(SPEED)
    shard_size: int = option(512, "images of one work file", group=SPEED, minimum=1)
    workers: int = workers_option(SPEED)
    at_once: int = option(
        1,
        "models at the same time, each in a process with one thread that decodes its own images: faster for "
        "several small models without a GPU. Each process needs the memory of a run",
        group=SPEED,
        metavar="N",
        minimum=1,
        maximum=1024,
    )
    device: str = device_option(SPEED)
    precision: Precision = option(
        "float32",
        "precision of the model's matrix products. tf32 (on cuda) and bf16 (on cuda and cpu) are faster on "
        "GPUs. Changes results: the difference from float32 is measured and stored in the bundle, and too "
        "large a difference is refused",
        group=SPEED,
    )

    def __post_init__(self):
        if not self.models:
            raise ConfigError("no model given. Add --model ARCHITECTURE/WEIGHTS.")
        if self.bundle.resolve().name in ("", self.bundle.anchor) or self.bundle.name in ("", ".."):
            raise ConfigError(
                f"--bundle {self.bundle} has no name of its own. Give the path of a new directory."
            )
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"--limit {self.limit}: take at least one image, or leave it out for all.")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"--precision {self.precision} is none of: {', '.join(PRECISIONS)}.")
        names = [choice.name for choice in self.models]
        if len(set(names)) < len(names):
            raise ConfigError(f"a model is given twice: {', '.join(sorted(names))}.")
        if self.layers is not None and self.layers < 1:
            raise ConfigError(f"--layers {self.layers}: decompose at least the last layer, or 'all'.")
        if problem := arguments.problem(self):
            raise ConfigError(problem)

    @property
    def read_options(self) -> ReadOptions:
        """Batch size, workers and shard size."""
        return ReadOptions(self.batch_size, self.workers, self.shard_size)

    @property
    def head_options(self) -> HeadOptions:
        """Picks, rotations, replicates and seed."""
        return HeadOptions(self.picks, self.rotations, self.replicates, self.seed)

    @property
    def gallery_limits(self) -> GalleryLimits:
        """Maximum images and megabytes of the gallery."""
        return GalleryLimits(self.gallery_images, self.gallery_megabytes)

    def result_options(self) -> dict[str, object]:
        """Returns the options that change the content of the bundle; the others change only speed."""
        options = {name: getattr(self, name) for name in _RESULT_OPTIONS}
        return options | {"validation_images": self.validation_images if self.validation else None}
