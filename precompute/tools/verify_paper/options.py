"""Command line of `verify-paper`. Imports no torch."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
Check this program on real weights and photographs against what papers and their authors released, with a line
for each check: PASS, FAIL, SKIPPED with the reason, or NOTED where there is nothing to compare with. The exit
code is 1 if any check fails.

Needs the weights and a folder of images; each further file adds a check. Images in folders named by class
(WordNet ids or ImageNet names) add zero-shot accuracy before and after mean-ablation.
"""

DEFAULT_MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""The one whose texts and labels others have released in full."""

MIN_IMAGES = 20


_CHECKED = "what is checked"
_SPEED = "how fast (these never change the result)"


def _file(help: str) -> Any:
    return option(None, help, group=_CHECKED, metavar="FILE")


@dataclass(frozen=True, kw_only=True)
class VerifyTask:
    """Options of one run of `verify-paper`."""

    model: ModelChoice = option(
        ModelChoice(DEFAULT_MODEL),
        f"as open_clip names it (default: {DEFAULT_MODEL})",
        group=_CHECKED,
        type=ModelChoice,
        metavar="ARCHITECTURE/WEIGHTS",
    )
    images: Path = option(
        help="folder, any depth; the folder that an image lies in is its class, if it is named as one",
        group=_CHECKED,
        metavar="FOLDER",
    )
    pool: Path | None = _file(
        "the pool that the texts of --textspan were picked from; adds the check against float64"
    )
    textspan: Path | None = _file(
        "TEXTSPAN texts that others computed: CSV or the text file of the reference code"
    )
    labels: Path | None = _file("released labels: CSV of architecture, weights, layer, head, label")
    segmentation: Path | None = _file("gtsegs_ijcv.mat of ImageNet-Segmentation")
    classes: Path | None = _file(
        "folder name, tab, prompt, a line (default: ImageNet's classes and 80 prompts)"
    )
    synonyms: Path | None = _file(
        "what released words stand for (default: label_synonyms.tsv of this program)"
    )
    figures: Path | None = _file("published figures (default: verify_figures.tsv of this program)")
    json: Path | None = _file("write the results here too, to be sent to us")
    limit: int | None = option(
        2000,
        "images, and pictures of --segmentation (default: %(default)s). Fewer widen what passes: accuracies "
        "by three standard errors, overlaps by what two halves of the images differ by",
        group=_CHECKED,
        type=number_or_all("images"),
        metavar="N|all",
    )
    batch_size: int = batch_size_option(_SPEED)
    workers: int = workers_option(_SPEED)
    device: str = device_option(_SPEED)

    def __post_init__(self) -> None:
        for name in ("textspan", "labels"):
            if getattr(self, name) and not self.pool:
                raise ConfigError(
                    f"--{name} needs the pool that the texts were picked from. Add --pool FILE."
                )
        if self.limit is not None and self.limit < MIN_IMAGES:
            raise ConfigError(f"--limit {self.limit}: give {MIN_IMAGES} or more, or all.")
        if self.batch_size < 1 or self.workers < 0:
            raise ConfigError("--batch-size must be 1 or more, --workers 0 or more.")
        # Found now, not after hours.
        if self.json and not self.json.resolve().parent.is_dir():
            raise ConfigError(f"--json {self.json}: there is no folder {self.json.resolve().parent}.")


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `verify-paper`."""
    arguments.add_fields(parser, VerifyTask, ModelChoice)


def run_command(namespace: argparse.Namespace) -> int:
    """Prints every check; 1 if one fails. Raises ConfigError."""
    task = verify_task(namespace)
    from precompute.tools.verify_paper.run import run

    return 0 if run(task) else 1


def verify_task(namespace: argparse.Namespace) -> VerifyTask:
    """The task of a command line. Raises ConfigError."""
    (model,) = model_choices(namespace, [namespace.model.name])
    return arguments.read(namespace, VerifyTask, model=model)
