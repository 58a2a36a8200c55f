"""What a run is: one frozen dataclass, checked when it is made.

Knows nothing of how a run is carried out.
"""

from dataclasses import dataclass, field
from pathlib import Path

METHOD_VERSION = 1
"""Raised by any change that changes a result; part of every work file's key and of `input_id`."""


class ConfigError(ValueError):
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


@dataclass(frozen=True)
class Config:
    """Options of one run. The defaults work; only the four paths and names must be given."""

    models: tuple[ModelChoice, ...]
    images: Path
    """Folder of images, any depth."""

    texts: Path
    """Text pool: one text a line, tab, properties separated by |."""

    bundle: Path
    """Where the bundle goes."""

    metadata: Path | None = None
    """CSV with a column `path` and one column per known attribute."""

    layers: int | None = 4
    """How many of the last layers are taken apart; None for all of them."""

    picks: int = 60
    """Texts that TEXTSPAN chooses for a head."""

    rotations: int = 199
    """Rotated heads behind each p-value."""

    gallery_megabytes: float = 128.0
    """Largest size of the token-level gallery of one model."""

    gallery_images: int = 500
    """Largest number of images in the gallery."""

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

    device: str = "cpu"
    seed: int = field(default=0)

    def __post_init__(self):
        if not self.models:
            raise ConfigError("no model given. Add --model ARCHITECTURE/WEIGHTS.")
        if self.bundle.resolve().name in ("", self.bundle.anchor) or self.bundle.name in ("", ".."):
            raise ConfigError(
                f"--bundle {self.bundle} has no name of its own. Give the path of a new directory."
            )
        names = [choice.name for choice in self.models]
        if len(set(names)) < len(names):
            raise ConfigError(f"a model is given twice: {', '.join(sorted(names))}.")
        if self.layers is not None and self.layers < 1:
            raise ConfigError(f"--layers {self.layers}: take at least the last layer apart, or 'all'.")
        for option, least in [
            ("picks", 5),
            ("rotations", 19),
            ("batch_size", 1),
            ("shard_size", 1),
            ("workers", 0),
            ("gallery_images", 0),
            ("gallery_megabytes", 0),
        ]:
            value = getattr(self, option)
            if value < least:
                flag = option.replace("_", "-")
                raise ConfigError(f"--{flag} {value} is too small; the least is {least}.")

    def result_options(self) -> dict[str, object]:
        """The options that change what is in the bundle; the rest only change how fast it is made."""
        return {
            "layers": self.layers,
            "picks": self.picks,
            "rotations": self.rotations,
            "gallery_megabytes": self.gallery_megabytes,
            "gallery_images": self.gallery_images,
            "thumbnails": self.thumbnails,
            "license": self.license,
            "seed": self.seed,
        }
