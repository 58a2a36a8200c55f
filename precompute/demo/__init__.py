"""The demo: scenes this project draws itself, and a small CLIP trained on them.

Facts that others need are here; nothing below imports torch.
"""

from pathlib import Path

_HERE = Path(__file__).parent

ARCHITECTURE = "ViT-demo-12"
WEIGHTS_TAG = "scenes_v1"
MODEL_NAME = f"{ARCHITECTURE}/{WEIGHTS_TAG}"

CONFIG_PATH = _HERE / "ViT-demo-12.json"
"""Model configuration, for `open_clip.add_model_config`."""

BPE_PATH = _HERE / "vocabulary.bpe.gz"
"""Merges for open_clip's `SimpleTokenizer`."""

WEIGHTS_PATH = _HERE / "ViT-demo-12-scenes_v1.safetensors"
CARD_PATH = _HERE / "CARD.md"

CONTEXT_LENGTH = 30
IMAGE_SIZE = 96
MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
INTERPOLATION = "bicubic"
RESIZE_MODE = "squash"
LICENSE = "CC0-1.0"
"""Of the scenes and of the texts about them."""
