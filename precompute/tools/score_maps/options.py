"""The options of `score-maps`. Imports no torch: --help is quick."""

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
from precompute.runtime.config import MapTask


def add_map_options(maps: argparse.ArgumentParser) -> None:
    """The options of `score-maps`."""
    _add_what_is_scored(maps)
    add_model_options(maps)


def map_task(options: argparse.Namespace) -> MapTask:
    """What the command line of `score-maps` asks for. Raises ConfigError."""
    same = ["masks", "segmentation", "classes", "as_released", "limit", "layers", "device"]
    return MapTask(model_choices(options), **{name: getattr(options, name) for name in same})


def _add_what_is_scored(maps: argparse.ArgumentParser) -> None:
    group = maps.add_argument_group("what is scored")
    add_model(group)
    add_masks(group)
    group.add_argument(
        "--segmentation", type=Path, metavar="MAT", help="gtsegs_ijcv.mat of ImageNet-Segmentation"
    )
    group.add_argument(
        "--classes",
        type=Path,
        metavar="FILE",
        help="one prompt a line, for --segmentation (default: ImageNet's 1,000 classes by 80 prompts)",
    )
    group.add_argument(
        "--limit", type=int, metavar="N", help="only N pictures of --segmentation, spread evenly"
    )
    group.add_argument(
        "--as-released",
        action="store_true",
        help="crop pictures while masks are squashed, as the paper's released code does",
    )
    group.add_argument(
        "--layers",
        type=layer_count,
        default=4,
        metavar="N|all",
        help="stored layers: the last N (default: 4)",
    )
    add_device(group)
