"""The demo: scenes this project draws itself, and small CLIP models trained on them.

Facts that others need are here; nothing below imports torch.
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
"""Of the scenes and of the texts about them."""


class DemoModel(NamedTuple):
    """One of the models that come with this repository."""

    architecture: str
    weights: str
    seed: int
    """Of the fresh weights and of the order of the scenes."""

    about: str
    """What sets it apart, for its card and for the table `model`."""

    color_every: int = 1
    """Captions name colors in one of so many batches."""

    pairs: int = 140_000
    """Scenes shown in training."""

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
"""By name, in the order of the board: size, patch and training data differ as they do among the models of the
study, and one is there three times, for the variance between training runs."""

MODEL_NAME = "ViT-demo-S-16/scenes_1"
"""The one to try first: the fastest."""
