"""Options of the commands `run` and `score-maps`, and what they come to.

Knows nothing of how a command is carried out, and imports no torch: --help is quick.
"""

import argparse
from pathlib import Path

from precompute.config import PRECISIONS, Config, ConfigError, MapTask, ModelChoice
from precompute.models import STUDY

STUDY_NAME = "study"
"""What stands for the models of the study where a model is asked for."""

GENERAL_POOL = Path(__file__).parent / "texts" / "general.tsv"


def add_run_options(run: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    _add_required(run)
    add_model_options(run)
    _add_result_options(run)
    _add_speed_options(run)


def add_map_options(maps: argparse.ArgumentParser) -> None:
    """The options of `score-maps`."""
    _add_what_is_scored(maps)
    add_model_options(maps)


def map_task(options: argparse.Namespace) -> MapTask:
    """What the command line of `score-maps` asks for. Raises ConfigError."""
    same = ["masks", "segmentation", "classes", "as_released", "limit", "layers", "device"]
    return MapTask(model_choices(options), **{name: getattr(options, name) for name in same})


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


def _add_model(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="ARCHITECTURE/WEIGHTS",
        help="as open_clip names them, or `study` for the six models of the paper; may be given several "
        "times. `python -m precompute models` lists what is known by name",
    )


def _add_required(run: argparse.ArgumentParser) -> None:
    group = run.add_argument_group("what goes in and out")
    _add_model(group)
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
    _add_masks(group)


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


def _add_masks(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--masks",
        type=Path,
        metavar="CSV",
        help="score maps on pictures of two objects: columns path, mask, object, caption; two rows a picture",
    )


def _add_what_is_scored(maps: argparse.ArgumentParser) -> None:
    group = maps.add_argument_group("what is scored")
    _add_model(group)
    _add_masks(group)
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
        "--layers", type=_layers, default=4, metavar="N|all", help="stored layers: the last N (default: 4)"
    )
    add_device(group)


def add_model_options(run: argparse.ArgumentParser) -> None:
    """What must be said of weights that open_clip does not know, or that lie in a file."""
    group = run.add_argument_group("local weights")
    group.add_argument(
        "--checkpoint",
        action="append",
        default=[],
        metavar="[MODEL=]FILE",
        help="safetensors or a PyTorch state dict; with several models say which one it is for",
    )
    group.add_argument(
        "--activation", choices=["gelu", "quick_gelu"], help="where the weights tag is unknown"
    )
    group.add_argument("--mean", type=_three, metavar="R,G,B", help="where the weights tag is unknown")
    group.add_argument("--std", type=_three, metavar="R,G,B", help="where the weights tag is unknown")
    group.add_argument(
        "--interpolation", choices=["bicubic", "bilinear"], help="where the weights tag is unknown"
    )
    group.add_argument(
        "--resize-mode",
        choices=["shortest", "longest", "squash"],
        help="how a picture becomes a square: crop (default), border, or squash",
    )
    group.add_argument(
        "--config", type=Path, metavar="JSON", help="architecture that open_clip does not know"
    )
    group.add_argument("--bpe", type=Path, metavar="FILE", help="merges of a tokenizer of your own (gzip)")


def _add_result_options(run: argparse.ArgumentParser) -> None:
    group = run.add_argument_group("what is computed")
    group.add_argument("--layers", type=_layers, default=4, metavar="N|all", help="last layers (default: 4)")
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


def add_device(group: argparse._ArgumentGroup) -> None:
    """Where the model runs."""
    group.add_argument(
        "--device",
        default="auto",
        help="cpu, cuda, cuda:1, mps (not tested on hardware), or auto: cuda where there is one, else cpu "
        "(default: auto)",
    )


def model_choices(options: argparse.Namespace) -> tuple[ModelChoice, ...]:
    """The models asked for, each with its file. Raises ConfigError."""
    names = _names(options.model)
    checkpoints = _checkpoints(options.checkpoint, names)
    return tuple(
        ModelChoice(
            name=name,
            checkpoint=checkpoints.get(name),
            activation=options.activation,
            mean=options.mean,
            std=options.std,
            interpolation=options.interpolation,
            resize_mode=options.resize_mode,
            config=options.config,
            bpe=options.bpe,
        )
        for name in names
    )


def _names(given: list[str]) -> list[str]:
    """Names of models, with those of the study in place of `study`."""
    return [name for one in given for name in (STUDY if one == STUDY_NAME else [one])]


def _checkpoints(given: list[str], models: list[str]) -> dict[str, Path]:
    """Which file belongs to which model."""
    files = {}
    for entry in given:
        name, separator, file = entry.partition("=")
        if not separator or (len(models) == 1 and name != models[0] and Path(entry).exists()):
            if len(models) > 1:
                raise ConfigError(
                    f"--checkpoint {entry}: {len(models)} models are given. "
                    f"Say which one it is for: --checkpoint {models[0]}={entry}"
                )
            name, file = models[0], entry
        if name not in models:
            raise ConfigError(f"--checkpoint {entry}: no --model {name} is given.")
        files[name] = Path(file)
    return files


def _three(text: str) -> tuple[float, float, float]:
    try:
        red, green, blue = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 0.5,0.5,0.5") from None
    return red, green, blue


def _layers(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of last layers nor 'all'") from None
