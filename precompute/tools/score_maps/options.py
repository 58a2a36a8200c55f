"""Command line of `score-maps`. Imports no torch: --help is quick."""

import argparse
from dataclasses import dataclass
from functools import partial
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

_GROUP = "what is scored"
_score_option = partial(option, group=_GROUP)


@dataclass(frozen=True, kw_only=True)
class MapTask:
    """Options of one run of `score-maps`."""

    models: tuple[ModelChoice, ...] = models_option(_GROUP)
    masks: Path | None = masks_option(_GROUP)
    segmentation: Path | None = _score_option(None, "gtsegs_ijcv.mat of ImageNet-Segmentation", metavar="MAT")
    classes: Path | None = _score_option(
        None,
        "one prompt per line, for --segmentation (default: 80 prompts for each of ImageNet's 1,000 classes)",
        metavar="FILE",
    )
    limit: int | None = _score_option(None, "use N pictures of --segmentation, spread evenly", metavar="N")
    as_released: bool = _score_option(
        False, "crop pictures but squash masks, as the paper's released code does"
    )
    layers: int | None = layers_option("last layers that count as stored layers", _GROUP)
    device: str = device_option(_GROUP)

    def __post_init__(self):
        if problem := arguments.problem(self):
            raise ConfigError(problem)
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
