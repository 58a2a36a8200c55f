"""Models named on a command line. Does not import torch, so that --help is quick."""

import argparse
from pathlib import Path

from precompute.inputs.model_specs import STUDY
from precompute.runtime import arguments
from precompute.runtime.config import ConfigError, ModelChoice

STUDY_NAME = "study"
"""Name that stands for all models of the study."""


def model_choices(namespace: argparse.Namespace, names: list[str]) -> tuple[ModelChoice, ...]:
    """Returns the models of a command line, each with its file. Raises ConfigError."""
    names = [model for name in names for model in (STUDY if name == STUDY_NAME else [name])]
    values = arguments.values_of(namespace, ModelChoice)
    checkpoints = _checkpoints(values.pop("checkpoint"), names)
    return tuple(ModelChoice(name, checkpoint=checkpoints.get(name), **values) for name in names)


def _checkpoints(entries: list[str], models: list[str]) -> dict[str, Path]:
    """Returns the last file of each model, from entries MODEL=FILE, or FILE for a single model."""
    files = {}
    for entry in entries:
        name, separator, file = entry.partition("=")
        if not separator or (len(models) == 1 and name != models[0] and Path(entry).exists()):
            if len(models) > 1:
                raise ConfigError(
                    f"--checkpoint {entry}: {len(models)} models are given. "
                    f"Say which one it is for: --checkpoint {models[0]}={entry}"
                )
            name, file = models[0], entry
        if name not in models:
            raise ConfigError(
                f"--checkpoint {entry}: no --model {name} is given. The models are {', '.join(models)}."
            )
        if not file.strip():
            raise ConfigError(
                f"--checkpoint {entry!r} names no file: is a variable of the shell empty? Give the file of "
                "weights, or leave the option out."
            )
        files[name] = Path(file)
    return files
