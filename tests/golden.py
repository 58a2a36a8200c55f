"""Runs of the reference implementation: a small one kept here, a larger one beside the repository."""

from pathlib import Path

import pytest

SMALL = Path(__file__).parent / "data"
LARGE = Path(__file__).resolve().parents[2] / "shared" / "reference"

NAMES = [
    "golden_small",
    pytest.param(
        "golden_vit",
        marks=pytest.mark.skipif(not LARGE.exists(), reason="the larger reference run is not here"),
    ),
]


def folder_of(name: str) -> Path:
    """Where the files of a run are."""
    return SMALL if name == "golden_small" else LARGE
