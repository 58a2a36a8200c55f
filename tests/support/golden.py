"""Runs of the reference implementation: a small one kept here, a larger one beside the repository."""

from pathlib import Path

import pytest

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
