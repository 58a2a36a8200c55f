"""The models that a command line names.

Imports no torch: --help is quick.
"""

import argparse
from pathlib import Path

from precompute.inputs.model_specs import STUDY
from precompute.runtime import arguments
from precompute.runtime.config import ConfigError, ModelChoice

STUDY_NAME = "study"
"""What stands for the models of the study where a model is asked for."""


def model_choices(namespace: argparse.Namespace, names: list[str]) -> tuple[ModelChoice, ...]:
    """The models of a command line, each with its file; `study` stands for six. Raises ConfigError."""
    names = _names(names)
    values = arguments.values_of(namespace, ModelChoice)
    checkpoints = _checkpoints(values.pop("checkpoint"), names)
    return tuple(ModelChoice(name, checkpoint=checkpoints.get(name), **values) for name in names)


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
