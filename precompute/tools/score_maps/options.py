"""Command line of `score-maps`. Imports no torch: --help is quick."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.inputs.model_options import model_choices
from precompute.runtime import arguments
from precompute.runtime.arguments import option
from precompute.runtime.config import (
    ConfigError,
    ModelChoice,
    device_option,
    layers_option,
    masks_option,
    models_option,
)

DESCRIPTION = """\
Score the maps of models against masks of known objects, and print the tables.

--masks scores how well the map of a caption locates the object it names: all heads, the stored layers and
the best head, compared with raw attention, attention rollout and a uniform map. --segmentation follows the
ImageNet-Segmentation protocol of Gandelsman et al. 2024. ARCHITECTURE/WEIGHTS-random-0 is the
random-weights control of a model.
"""

_SCORED = "what is scored"


@dataclass(frozen=True, kw_only=True)
class MapTask:
    """Options of one run of `score-maps`."""

    models: tuple[ModelChoice, ...] = models_option(_SCORED)
    masks: Path | None = masks_option(_SCORED)
    segmentation: Path | None = option(
        None, "gtsegs_ijcv.mat of ImageNet-Segmentation", group=_SCORED, metavar="MAT"
    )
    classes: Path | None = option(
        None,
        "one prompt per line, for --segmentation (default: 80 prompts for each of ImageNet's 1,000 classes)",
        group=_SCORED,
        metavar="FILE",
    )
    limit: int | None = option(
        None, "use N pictures of --segmentation, spread evenly", group=_SCORED, metavar="N"
    )
    as_released: bool = option(
        False, "crop pictures but squash masks, as the paper's released code does", group=_SCORED
    )
    layers: int | None = layers_option("last layers that count as stored layers", _SCORED)
    device: str = device_option(_SCORED)

    def __post_init__(self):
        if self.masks is None and self.segmentation is None:
            raise ConfigError("nothing to score maps on. Add --masks CSV, --segmentation MAT, or both.")
        if self.limit is not None and self.limit < 1:
            raise ConfigError(f"--limit {self.limit}: score at least one picture.")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `score-maps`."""
    arguments.add_fields(parser, MapTask, ModelChoice)


def run_command(namespace: argparse.Namespace) -> None:
    """Prints the scores. Raises ConfigError."""
    task = arguments.read(namespace, MapTask, models=model_choices(namespace, namespace.models))
    from precompute.tools.score_maps.run import run

    run(task)
