"""Command line of `verify-paper`. Imports no torch."""

import argparse
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from precompute.inputs.model_options import model_choices
from precompute.runtime import arguments
from precompute.runtime.arguments import number_or_all, option
from precompute.runtime.config import (
    ConfigError,
    ModelChoice,
    batch_size_option,
    device_option,
    workers_option,
)

DESCRIPTION = """\
Check this program on real weights and photographs against figures and files released with papers. Prints a
line per check: PASS, FAIL, SKIPPED with the reason, or NOTED without a reference. The exit code is 1 if any
check fails.

Needs the weights and a folder of images; each further file adds a check. Images in folders named by class
(WordNet ids or ImageNet names) add zero-shot accuracy before and after mean-ablation.
"""

DEFAULT_MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""The model with complete released texts and labels."""

MIN_IMAGES = 20


_CHECKED = "inputs and checks"
_SPEED = "speed (without effect on the result)"


_file = partial(option, None, group=_CHECKED, metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class VerifyTask:
    """Options of one run of `verify-paper`."""

    model: ModelChoice = option(
        ModelChoice(DEFAULT_MODEL),
        f"name in open_clip (default: {DEFAULT_MODEL})",
        group=_CHECKED,
        type=ModelChoice,
        metavar="ARCHITECTURE/WEIGHTS",
    )
    images: Path = option(
        help="folder of any depth; the name of an image's folder is its class, if it is a class name",
        group=_CHECKED,
        metavar="FOLDER",
    )
    pool: Path | None = _file("text pool of --textspan; adds the check against float64")
    textspan: Path | None = _file("released TEXTSPAN texts: CSV or text file of the reference implementation")
    labels: Path | None = _file("released labels: CSV of architecture, weights, layer, head, label")
    segmentation: Path | None = _file("gtsegs_ijcv.mat of ImageNet-Segmentation")
    classes: Path | None = _file(
        "lines of folder name, tab, prompt (default: ImageNet's classes and 80 prompts)"
    )
    synonyms: Path | None = _file("properties of released words (default: label_synonyms.tsv)")
    figures: Path | None = _file("published figures (default: verify_figures.tsv)")
    json: Path | None = _file("report to write, for an issue in the repository")
    limit: int | None = option(
        2000,
        "number of images, and of pictures of --segmentation (default: %(default)s). Fewer images widen the "
        "bounds: accuracies by three standard errors, overlaps by the difference of two halves of the images",
        group=_CHECKED,
        type=number_or_all("images"),
        metavar="N|all",
    )
    batch_size: int = batch_size_option(_SPEED)
    workers: int = workers_option(_SPEED)
    device: str = device_option(_SPEED)

    def __post_init__(self) -> None:
        if problem := arguments.problem(self):
            raise ConfigError(problem)
        for name in ("textspan", "labels"):
            if getattr(self, name) and not self.pool:
                raise ConfigError(
                    f"--{name} needs the pool that the texts were picked from. Add --pool FILE."
                )
        if self.limit is not None and self.limit < MIN_IMAGES:
            raise ConfigError(f"--limit {self.limit}: give {MIN_IMAGES} or more, or all.")
        if self.batch_size < 1 or self.workers < 0:
            raise ConfigError("--batch-size must be 1 or more, --workers 0 or more.")
        # Checked here, and not after hours of work.
        if self.json and not self.json.resolve().parent.is_dir():
            raise ConfigError(f"--json {self.json}: there is no folder {self.json.resolve().parent}.")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `verify-paper`."""
    arguments.add_fields(parser, VerifyTask, ModelChoice)


def run_command(namespace: argparse.Namespace) -> int:
    """Prints every check; returns 1 if one fails. Raises ConfigError."""
    task = verify_task(namespace)
    from precompute.tools.verify_paper.run import run

    return 0 if run(task) else 1


def verify_task(namespace: argparse.Namespace) -> VerifyTask:
    """Returns the task of a command line. Raises ConfigError."""
    (model,) = model_choices(namespace, [namespace.model.name])
    return arguments.read(namespace, VerifyTask, model=model)
