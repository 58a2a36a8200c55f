"""The demo: pictures drawn by this project, and small CLIP models trained on them.

This module has the constants and the list of models; it does not import torch. `world` has the pictures and
their words, `models` the training, `planted` a model with hand-set weights.
"""

from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
WEIGHTS = _HERE / "weights"

BPE_PATH = _HERE / "world" / "vocabulary.bpe.gz"
"""Merges for open_clip's `SimpleTokenizer`."""

CONTEXT_LENGTH = 30
IMAGE_SIZE = 96
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
INTERPOLATION = "bicubic"
RESIZE_MODE = "squash"
LICENSE = "CC-BY-4.0; artwork: Twemoji, Copyright Twitter, Inc and other contributors"
"""License of the pictures, for the bundle; texts and models are CC0-1.0."""


class DemoModel(NamedTuple):
    """A model that comes with this repository."""

    architecture: str
    weights: str
    seed: int
    """Seed of the initial weights and of the order of the scenes."""

    about: str
    """Difference from the other models, for its card."""

    pairs: int
    """Number of scene-caption pairs in training."""

    color_every: int = 1
    """Captions name colors in every `color_every`-th batch; 0 for never."""

    cue: float = 0.0
    """Share of the training scenes whose background goes with the category of a thing."""

    start: str = ""
    """Name of the model whose weights the training starts from; empty for random weights."""

    sigmoid: bool = False
    """True for SigLIP's loss, False for CLIP's."""

    @property
    def training_data(self) -> str:
        """Training data in words, without size and seed of the model."""
        captions = {0: "; no caption names colors", 1: ""}.get(
            self.color_every, f"; 1 caption in {self.color_every} names colors"
        )
        cue = f"; category and background agree in {self.cue:.0%}" if self.cue else ""
        start = f"; from {self.start}" if self.start else ""
        return f"Drawn scenes, {self.pairs:,} pairs{captions}{cue}{start}"

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


SMALL, LONG, LONGER, FINE, LARGE, TUNED = 400_000, 560_000, 640_000, 260_000, 440_000, 120_000
"""Pairs for a small model, for two that learn more slowly, for fine patches, for the larger model, and for
fine-tuning: at most 25 minutes of one core for a small model, 70 for the larger one."""

MODELS = {
    model.name: model
    for model in (
        DemoModel("ViT-emoji-S-16", "pictures_1", 1, "small, coarse patches", SMALL),
        DemoModel("ViT-emoji-S-16", "pictures_2", 2, "as pictures_1, another training seed", SMALL),
        DemoModel("ViT-emoji-S-16", "pictures_3", 3, "as pictures_1, another training seed", SMALL),
        DemoModel("ViT-emoji-S-12", "pictures_1", 1, "small, fine patches", FINE),
        DemoModel(
            "ViT-emoji-L-12",
            "few_colors_1",
            1,
            "larger, fine patches; captions name colors in every other batch",
            LARGE,
            color_every=2,
        ),
        DemoModel(
            "ViT-emoji-S-16",
            "no_colors_1",
            4,
            "pictures_1, fine-tuned by captions that never name a color",
            TUNED,
            color_every=0,
            start="ViT-emoji-S-16/pictures_1",
        ),
        DemoModel(
            "ViT-emoji-S-16",
            "spurious_1",
            1,
            "trained where category and background agree in 95 % of the pictures",
            SMALL,
            cue=0.95,
        ),
        DemoModel(
            "ViT-emoji-S-16-SigLIP", "pictures_1", 1, "SigLIP's loss and pooling", LONGER, sigmoid=True
        ),
        DemoModel("ViT-emoji-S-16-avg", "pictures_1", 1, "average pooling, as CLIPA", LONG),
    )
}
"""The demo models by name, in the order of the leaderboard. Like the models of the study they differ in size,
patch and training data; three are one model with different seeds, for the variance between training runs."""

IN_BUNDLE = tuple(MODELS)[:6]
"""Names of the models in the demo bundle."""

MODEL_NAME = "ViT-emoji-S-16/pictures_1"
"""Default demo model: the fastest."""
