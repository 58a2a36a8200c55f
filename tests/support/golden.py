"""Runs of the reference implementation: a small one kept here, a larger one beside the repository."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from precompute import clip
from precompute.inputs import model_specs
from tests.support.paths import DATA, REFERENCE

NAMES = [
    "golden_small",
    pytest.param(
        "golden_vit",
        marks=pytest.mark.skipif(not REFERENCE.exists(), reason="the larger reference run is not here"),
    ),
]


def folder_of(name: str) -> Path:
    """Where the files of a run are."""
    return DATA if name == "golden_small" else REFERENCE


def reference_run(name, tmp_path):
    """Model of a reference run, and the results of the reference implementation."""
    folder = folder_of(name)
    config = tmp_path / f"{name}.json"
    config.write_text(json.dumps(json.loads((folder / f"{name}.json").read_text())["model_cfg"]))
    spec = model_specs.ModelSpec(
        name, "reference", "gelu", (0.0,) * 3, (1.0,) * 3, "bicubic",
        checkpoint=folder / f"{name}.safetensors", config=config,
    )  # fmt: skip
    with np.load(folder / f"{name}.npz") as arrays:
        expected = {key: torch.from_numpy(arrays[key]).float() for key in arrays.files}
    return clip.load(spec), expected
