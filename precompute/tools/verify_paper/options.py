"""What `python -m precompute verify-paper` is asked to do, and its command line. Loads no torch."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from precompute.inputs import model_options
from precompute.runtime.config import ConfigError, ModelChoice

VERIFY_DESCRIPTION = """\
Check this program on real weights and photographs against what papers and their authors released, with a line
for each check: PASS, FAIL, SKIPPED with the reason, or NOTED where there is nothing to compare with. The exit
code is 1 if any check fails.

Needs the weights and a folder of images; each further file adds a check. Images in folders named by class
(WordNet ids or ImageNet names) add zero-shot accuracy before and after mean-ablation.
"""

DEFAULT_MODEL = "ViT-B-16/laion2b_s34b_b88k"
"""The one whose texts and labels others have released in full."""

MIN_IMAGES = 20


@dataclass(frozen=True)
class VerifyTask:
    """One run of `verify-paper`."""

    model: ModelChoice
    images: Path
    """Folder of images; the name of the folder that an image lies in is its class, if it is one."""

    segmentation: Path | None = None
    """gtsegs_ijcv.mat of ImageNet-Segmentation."""

    textspan: Path | None = None
    """TEXTSPAN texts of the same model, computed by others, in a form that `textspan_files` reads."""

    labels: Path | None = None
    """Released labels: CSV with the columns architecture, weights, layer, head, label."""

    pool: Path | None = None
    """The pool that the texts of `textspan` were picked from."""

    classes: Path | None = None
    """Folder name, tab, prompt, a line; None for ImageNet's classes."""

    synonyms: Path | None = None
    """What released words stand for; None for ours."""

    figures: Path | None = None
    """Published figures; None for ours."""

    json: Path | None = None
    """Where the results also go, to be sent on."""

    limit: int | None = 2000
    """Images, and pictures of `segmentation`, spread evenly over all; None for all."""

    batch_size: int = 32
    workers: int = 2
    """Processes that decode images."""

    device: str = "auto"

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


def add_verify_options(parser: argparse.ArgumentParser) -> None:
    """The options of `verify-paper`."""
    group = parser.add_argument_group("what is checked")
    group.add_argument(
        "--model",
        nargs=1,
        default=[DEFAULT_MODEL],
        metavar="ARCHITECTURE/WEIGHTS",
        help=f"as open_clip names it (default: {DEFAULT_MODEL})",
    )
    group.add_argument("--images", type=Path, required=True, metavar="FOLDER", help="folder, any depth")
    files = {
        "--pool": "the pool that the texts of --textspan were picked from; adds the check against float64",
        "--textspan": "TEXTSPAN texts that others computed: CSV or the text file of the reference code",
        "--labels": "released labels: CSV of architecture, weights, layer, head, label",
        "--segmentation": "gtsegs_ijcv.mat of ImageNet-Segmentation",
        "--classes": "folder name, tab, prompt, a line (default: ImageNet's classes and 80 prompts)",
        "--synonyms": "what released words stand for (default: label_synonyms.tsv of this program)",
        "--figures": "published figures (default: verify_figures.tsv of this program)",
        "--json": "write the results here too, to be sent to us",
    }
    for name, says in files.items():
        group.add_argument(name, type=Path, metavar="FILE", help=says)
    group.add_argument(
        "--limit",
        type=_limit,
        default=2000,
        metavar="N|all",
        help="images, and pictures of --segmentation (default: 2000). Fewer widen what passes: accuracies by "
        "three standard errors, overlaps by what two halves of the images differ by",
    )
    model_options.add_model_options(parser)
    speed = parser.add_argument_group("how fast (these never change the result)")
    speed.add_argument("--batch-size", type=int, default=32)
    speed.add_argument("--workers", type=int, default=2, help="processes that decode images (default: 2)")
    model_options.add_device(speed)


def verify_task(given: argparse.Namespace) -> VerifyTask:
    """What the command line asks for. Raises ConfigError."""
    same = ["images", "segmentation", "textspan", "labels", "pool", "classes", "synonyms", "figures", "json"]
    same += ["limit", "batch_size", "workers", "device"]
    (model,) = model_options.model_choices(given)
    return VerifyTask(model, **{name: getattr(given, name) for name in same})


def _limit(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of images nor 'all'") from None
