"""Models that several files load."""

import json
from pathlib import Path

import pytest

from precompute import clip, demo
from precompute.inputs import model_specs
from tests.support.towers import small_config


@pytest.fixture
def config(tmp_path) -> Path:
    path = tmp_path / "small.json"
    path.write_text(json.dumps(small_config()))
    return path


@pytest.fixture(scope="module")
def demo_control():
    """The demo model with random weights: own tokenizer, closed vocabulary."""
    return clip.load(model_specs.resolve(f"{demo.MODEL_NAME}-random-0", clip.catalog()))
