"""The demo: synthetic scenes drawn by this project, and small CLIP models trained on them.

This module has the constants and the list of models; it does not import torch.
"""

from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
WEIGHTS = _HERE / "weights"

BPE_PATH = _HERE / "vocabulary.bpe.gz"
"""Merges for open_clip's `SimpleTokenizer`."""

CONTEXT_LENGTH = 30
IMAGE_SIZE = 96
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
INTERPOLATION = "bicubic"
RESIZE_MODE = "squash"
LICENSE = "CC0-1.0"
"""License of the scenes and of their texts."""


class DemoModel(NamedTuple):
    """A model that comes with this repository."""

    architecture: str
    weights: str
    seed: int
    """Seed of the initial weights and of the order of the scenes."""

    about: str
    """Difference from the other models, for its card."""

    color_every: int = 1
    """Captions name colors in every `color_every`-th batch."""

    pairs: int = 140_000
    """Number of scene-caption pairs in training."""

    @property
    def training_data(self) -> str:
        """Training data in words, without size and seed of the model."""
        captions = "" if self.color_every == 1 else f"; 1 caption in {self.color_every} names colors"
        return f"Drawn scenes, {self.pairs:,} pairs{captions}"

    @property
    def name(self) -> str:
        return f"{self.architecture}/{self.weights}"

    @property
    def config(self) -> Path:
        """Model configuration, for `open_clip.add_model_config`."""
        return WEIGHTS / f"{self.architecture}.json"

    @property
    def checkpoint(self) -> Path:
        return WEIGHTS / f"{self.architecture}-{self.weights}.safetensors"

    @property
    def card(self) -> Path:
        return self.checkpoint.with_suffix(".md")


MODELS = {
    model.name: model
    for model in (
        DemoModel("ViT-demo-S-16", "scenes_1", 1, "small, coarse patches"),
        DemoModel("ViT-demo-S-16", "scenes_2", 2, "as scenes_1, another training seed"),
        DemoModel("ViT-demo-S-16", "scenes_3", 3, "as scenes_1, another training seed"),
        DemoModel("ViT-demo-S-12", "scenes_1", 1, "small, fine patches"),
        DemoModel(
            "ViT-demo-L-16",
            "few_colors_1",
            1,
            "larger, coarse patches; captions name colors in every other batch",
            color_every=2,
            pairs=280_000,
        ),
    )
}
"""The demo models by name, in the order of the leaderboard. Like the models of the study they differ in size,
patch and training data; three are one model with different seeds, for the variance between training runs."""

MODEL_NAME = "ViT-demo-S-16/scenes_1"
"""Default demo model: the fastest."""
