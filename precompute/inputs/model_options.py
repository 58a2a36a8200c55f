"""Flags that name models, their weights and what must be said of these; and the choices they mean.

Imports no torch: --help is quick.
"""

import argparse
from pathlib import Path

from precompute.inputs.model_specs import STUDY, as_triple
from precompute.runtime.config import ConfigError, ModelChoice

STUDY_NAME = "study"
"""What stands for the models of the study where a model is asked for."""


def add_model(group: argparse._ArgumentGroup) -> None:
    """The models that are asked for."""
    group.add_argument(
        "--model",
        action="append",
        required=True,
        metavar="ARCHITECTURE/WEIGHTS",
        help="as open_clip names them, or `study` for the six models of the paper; may be given several "
        "times. `python -m precompute models` lists what is known by name",
    )


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
        return as_triple(text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not three numbers such as 0.5,0.5,0.5") from None


def layer_count(text: str) -> int | None:
    """The value of --layers; None for all."""
    if text == "all":
        return None
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of last layers nor 'all'") from None


def add_masks(group: argparse._ArgumentGroup) -> None:
    """Pictures of known objects."""
    group.add_argument(
        "--masks",
        type=Path,
        metavar="CSV",
        help="score maps on pictures of two objects: columns path, mask, object, caption; two rows a picture",
    )
