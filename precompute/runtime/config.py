"""What a run is: one frozen dataclass, checked when it is made.

Knows nothing of how a run is carried out.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from db.errors import UserError

METHOD_VERSION = 3
"""Raised by any change that changes a result; part of every work file's key and of `input_id`."""


Precision = Literal["float32", "tf32", "bf16"]
"""How exactly an image tower multiplies matrices: 24, 11 or 8 binary digits of each factor."""

PRECISIONS: tuple[Precision, ...] = get_args(Precision)


class ConfigError(UserError):
    """An option is missing, out of range, or contradicts another."""


@dataclass(frozen=True)
class ModelChoice:
    """One model to take apart, with what open_clip cannot know about a local file."""

    name: str
    """architecture/weights, as open_clip names them."""

    checkpoint: Path | None = None
    """A local file to take the weights from, instead of open_clip's cache or hub."""

    activation: str | None = None
    """gelu or quick_gelu; needed where the weights tag is unknown."""

    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    interpolation: str | None = None
    resize_mode: str | None = None
    """shortest (then a crop; the default), longest (then a border) or squash."""

    config: Path | None = None
    """open_clip model config, for an architecture that open_clip does not know."""

    bpe: Path | None = None
    """Merges of the tokenizer, where it is not the architecture's."""


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
    """Largest size of the token-level gallery of one model."""

    images: int
    megabytes: float


@dataclass(frozen=True)
class Config:
    """Options of one run. The defaults work; only the four paths and names must be given."""

    models: tuple[ModelChoice, ...]
    images: Path
    """Folder of any depth, CSV with a column `path`, a tar, or a folder or pattern of tars."""

    texts: Path
    """Text pool: one text a line, tab, properties separated by |."""

    bundle: Path
    """Where the bundle goes."""

    limit: int | None = None
    """Take only so many of the files, spread evenly over all of them; None for all."""

    metadata: Path | None = None
    """CSV with a column `path` and one column per known attribute."""

    class_folders: bool = True
    """Take folders as the attribute `class` where every image lies exactly one folder deep."""

    captions: bool = False
    """Keep captions beside images in tars as the attribute `caption`."""

    prompts: Path | None = None
    """TSV of attribute, value and text: how values are asked zero-shot; None asks of `class` alone."""

    masks: Path | None = None
    """CSV with columns path, mask, object, caption: pictures of two objects, to score maps on."""

    layers: int | None = 4
    """How many of the last layers are taken apart; None for all of them."""

    picks: int = 60
    """Texts that TEXTSPAN chooses for a head."""

    rotations: int = 199
    """Rotated heads behind each p-value."""

    replicates: int = 200
    """Random halves of the images and of the pool behind intervals, stability and ranks; 0 for none."""

    controls: bool = True
    """Add each trained model's random-weights twin, and the metrics of its rotated heads."""

    gallery_megabytes: float = 128.0
    """Largest size of the token-level gallery of one model."""

    gallery_images: int = 500
    """Largest number of images in the gallery."""

    truth: bool = False
    """Score labels, neighbors and ablations against what is known of the images; needs prompts."""

    truth_images: int = 500
    """Largest number of images that truth is measured on."""

    thumbnails: bool = True
    license: str = "not stated"
    """What may be done with the images; stands in the bundle."""

    replace: bool = False
    """Allow an existing bundle to be replaced."""

    batch_size: int = 32
    shard_size: int = 512
    """Images of one work file: what is lost, at most, by an interruption."""

    workers: int = 2
    """Processes that decode images; 0 decodes in the main process."""

    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto is cuda where there is one, else cpu."""

    precision: Precision = "float32"
    """Of the matrix products of the image tower."""

    seed: int = field(default=0)

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
            raise ConfigError(f"--layers {self.layers}: take at least the last layer apart, or 'all'.")
        for option, least in [
            ("picks", 5),
            ("rotations", 19),
            ("replicates", 0),
            ("batch_size", 1),
            ("shard_size", 1),
            ("workers", 0),
            ("gallery_images", 0),
            ("gallery_megabytes", 0),
            ("truth_images", 2),
        ]:
            value = getattr(self, option)
            if value < least:
                flag = option.replace("_", "-")
                raise ConfigError(f"--{flag} {value} is too small; the least is {least}.")

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
        """Most images and megabytes."""
        return GalleryLimits(self.gallery_images, self.gallery_megabytes)

    def result_options(self) -> dict[str, object]:
        """The options that change what is in the bundle; the rest only change how fast it is made."""
        return {
            "layers": self.layers,
            "picks": self.picks,
            "rotations": self.rotations,
            "replicates": self.replicates,
            "controls": self.controls,
            "gallery_megabytes": self.gallery_megabytes,
            "gallery_images": self.gallery_images,
            "truth": self.truth,
            "truth_images": self.truth_images if self.truth else None,
            "thumbnails": self.thumbnails,
            "license": self.license,
            "precision": self.precision,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class MapTask:
    """What `score-maps` scores, and on what."""

    models: tuple[ModelChoice, ...]
    masks: Path | None = None
    """CSV with columns path, mask, object, caption; two rows a picture."""

    segmentation: Path | None = None
    """gtsegs_ijcv.mat of ImageNet-Segmentation, or a file of the same form."""

    classes: Path | None = None
    """One prompt a line, for `segmentation`; None for ImageNet's classes."""

    as_released: bool = False
    """Crop pictures while masks are squashed, as the released code does."""

    limit: int | None = None
    """How many pictures of `segmentation`; None for all."""

    layers: int | None = 4
    """What counts as stored layers: so many of the last; None for all."""

    device: str = "auto"

    def __post_init__(self):
        if self.masks is None and self.segmentation is None:
            raise ConfigError("nothing to score maps on. Add --masks CSV, --segmentation MAT, or both.")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"--limit {self.limit}: score at least one picture.")
