"""Options of the command `run`, and the config that they mean.

Knows nothing of how a command is carried out, and imports no torch: --help is quick.
"""

import argparse
from pathlib import Path

from precompute.inputs.model_options import (
    add_device,
    add_masks,
    add_model,
    add_model_options,
    layer_count,
    model_choices,
)
from precompute.runtime.config import (
    PRECISIONS,
    Config,
    ConfigError,
)
from precompute.texts import TEXTS

GENERAL_POOL = TEXTS / "general.tsv"


def add_run_options(run: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    _add_required(run)
    add_model_options(run)
    _add_result_options(run)
    _add_speed_options(run)


def run_config(options: argparse.Namespace) -> Config:
    """What the command line of `run` asks for. Raises ConfigError."""
    same = ["texts", "bundle", "metadata", "limit", "layers", "picks", "rotations", "replicates"]
    same += [
        "gallery_images",
        "captions",
        "prompts",
        "masks",
        "gallery_megabytes",
        "truth",
        "truth_images",
        "license",
        "seed",
        "replace",
        "batch_size",
        "shard_size",
        "workers",
        "device",
        "precision",
    ]
    return Config(
        models=model_choices(options),
        images=_one_source(options.images),
        class_folders=not options.no_class_folders,
        thumbnails=not options.no_thumbnails,
        controls=not options.no_controls,
        **{name: getattr(options, name) for name in same},
    )


def _add_required(run: argparse.ArgumentParser) -> None:
    group = run.add_argument_group("what goes in and out")
    add_model(group)
    _add_images(group)
    group.add_argument(
        "--texts",
        type=Path,
        default=GENERAL_POOL,
        metavar="FILE",
        help="text pool: one text a line, tab, its properties separated by | (default: the general pool, for "
        "photographs)",
    )
    group.add_argument("--bundle", type=Path, required=True, metavar="OUT", help="directory to make")
    group.add_argument("--replace", action="store_true", help="replace OUT if it exists")
    group.add_argument(
        "--metadata",
        type=Path,
        metavar="CSV",
        help="a column `path` (as --images has them) and one column per known attribute",
    )
    group.add_argument(
        "--prompts",
        type=Path,
        metavar="FILE",
        help="how attribute values are asked: attribute, tab, value (* for any other), tab, text ({} for the "
        "value); without it the attribute class is asked as 'a photo of a {}.'",
    )
    add_masks(group)


def _add_images(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--images",
        type=Path,
        nargs="+",
        required=True,
        metavar="SOURCE",
        help="a folder of any depth; a CSV with a column `path`, other columns being attributes; a .tar, a "
        "folder of .tar files or a quoted pattern such as 'shards/*.tar' (WebDataset: .cls and .json beside "
        "an image are attributes)",
    )
    group.add_argument(
        "--limit",
        type=int,
        metavar="N",
        help="only N of the files, spread evenly over them, for a first look (default: all)",
    )
    group.add_argument(
        "--no-class-folders",
        action="store_true",
        help="do not take folders as the attribute class where every image lies exactly one folder deep",
    )
    group.add_argument(
        "--captions",
        action="store_true",
        help="keep captions (.txt beside an image in a tar) as an attribute",
    )


def _one_source(given: list[Path]) -> Path:
    """The source of images. Raises ConfigError where the shell has spelled a pattern out."""
    if len(given) > 1:
        raise ConfigError(
            f"--images takes one source, not {len(given):,} ({given[0]}, {given[1]}, ...). "
            "Put a pattern in quotes, so that the shell leaves it as it is: --images 'shards/*.tar'"
        )
    return given[0]


def _add_result_options(run: argparse.ArgumentParser) -> None:
    group = run.add_argument_group("what is computed")
    group.add_argument(
        "--layers", type=layer_count, default=4, metavar="N|all", help="last layers (default: 4)"
    )
    group.add_argument("--picks", type=int, default=60, help="texts for each head (default: 60)")
    group.add_argument(
        "--no-controls",
        action="store_true",
        help="leave out each model's random-weights twin and the metrics of its rotated heads",
    )
    group.add_argument("--rotations", type=int, default=199, help="rotated heads per p-value (default: 199)")
    group.add_argument(
        "--replicates",
        type=int,
        default=200,
        help="random halves of images and texts behind intervals and ranks; 0 for none (default: 200)",
    )
    group.add_argument(
        "--gallery-images", type=int, default=500, help="images with maps, at most (default: 500)"
    )
    group.add_argument(
        "--gallery-megabytes",
        type=float,
        default=128.0,
        help="size of those per model, at most (default: 128)",
    )
    group.add_argument(
        "--truth",
        action="store_true",
        help="score labels, neighbors and ablations against --metadata, by zero-shot classification",
    )
    group.add_argument(
        "--truth-images", type=int, default=500, help="images that this is measured on (default: 500)"
    )
    group.add_argument(
        "--no-thumbnails", action="store_true", help="keep hashes and paths only, no pictures in the bundle"
    )
    group.add_argument("--license", default="not stated", help="what may be done with the images")
    group.add_argument("--seed", type=int, default=0, help="of rotations and random texts (default: 0)")


def _add_speed_options(run: argparse.ArgumentParser) -> None:
    group = run.add_argument_group("how fast (none but --precision changes the result)")
    group.add_argument("--batch-size", type=int, default=32)
    group.add_argument("--shard-size", type=int, default=512, help="images of one work file (default: 512)")
    group.add_argument("--workers", type=int, default=2, help="processes that decode images (default: 2)")
    add_device(group)
    group.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="float32",
        help="of the model's matrix products. tf32 (on cuda) and bf16 (on cuda and cpu) are faster on GPUs. "
        "The one option here that changes results: by how much is measured against float32, stored in the "
        "bundle, and refused where it is too much (default: float32)",
    )
