"""Inputs of several checks."""

import numpy as np
import pytest
from PIL import Image

from precompute.inputs import images
from tests.support.figures import FIGURES


@pytest.fixture
def published(tmp_path):
    path = tmp_path / "figures.tsv"
    path.write_text("# a comment\n" + FIGURES)
    return path


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """24 pictures of noise."""
    folder, rng = tmp_path_factory.mktemp("noise"), np.random.default_rng(0)
    for number in range(24):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype(np.uint8)).save(folder / f"{number}.png")
    files = images.gather(folder).files
    return images.distinct(files, images.scan(files, workers=0))
