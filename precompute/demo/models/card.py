"""Writes the card of a demo model: its architecture, training and scores. Cards are never edited by hand."""

import hashlib
import json
from pathlib import Path

from precompute.demo import IMAGE_SIZE, MEAN, STD, DemoModel
from precompute.demo.models import siglip
from precompute.demo.models.scoring import Score, halfway, table
from precompute.demo.world.words import VOCABULARY

CARD = """\
# {model.name}

A small CLIP model, trained by this project on scenes that it draws: {model.about}.
With it you can try Headlight without other weights, and score labels, maps and neighbors. It was not
trained on photographs. The [README](README.md) describes training, scenes and experiments.

| | |
| --- | --- |
| image tower | ViT, {layers} layers x {heads} heads of width {head_width}, d_model {width} |
| MLP | {mlp_ratio:g} times as wide |
| picture | {side} x {side} pixels (drawn at 256), patch {patch_size}: {patches} patches |
| embedding | from {pooling} |
| text tower | {text[layers]} layers x {text[heads]} heads, width {text[width]}, {context} tokens |
| words | {words} |
| joint space | d_out {d_out} |
| weights | float16 safetensors, parameter names of open_clip, {megabytes:.1f} MB, SHA-256 `{sha256:.16}...` |
| preprocessing | bicubic resize ("squash"), mean {mean}, standard deviation {std} |
| training | {model.training_data}, seed {model.seed}; {loss} |

## Scores

Zero-shot classification of {scenes:,} held-out scenes of one kind of thing: each scene gets the value with
the nearest prompt. Each property has one form of prompt (`PROMPTS` in `world/words.py`), fixed before the
first model was scored. Color is scored on tinted things.

{table}

{weak}
"""


def write_card(model: DemoModel, scores: list[Score], *, scenes: int, path: Path | None = None) -> None:
    """Writes the card of a model beside its weights, or to `path`."""
    config = json.loads(model.config.read_text(encoding="utf-8"))
    text, weights = config["text_cfg"], model.checkpoint.read_bytes()
    vision = config["vision_cfg"] if "width" in config["vision_cfg"] else siglip.TOWER
    card = CARD.format(
        **{"mlp_ratio": 4.0} | vision,
        model=model,
        d_out=config["embed_dim"],
        text=text,
        context=text["context_length"],
        heads=vision["width"] // vision["head_width"],
        side=IMAGE_SIZE,
        patches=(IMAGE_SIZE // vision["patch_size"]) ** 2,
        words=len(VOCABULARY),
        megabytes=len(weights) / 1e6,
        sha256=hashlib.sha256(weights).hexdigest(),
        mean=MEAN[0],
        std=STD[0],
        pooling=_pooling(config["vision_cfg"]),
        loss="SigLIP's sigmoid loss" if model.sigmoid else "CLIP's softmax loss",
        scenes=scenes,
        table=table(scores),
        weak=_weak_properties(scores),
    )
    (path or model.card).write_text(card, encoding="utf-8")


def _pooling(vision: dict) -> str:
    """Returns what the embedding is read from."""
    if vision.get("timm_pool") == "map":
        return "an attention pooling over them (MAP)"
    return "their mean" if vision.get("pool_type") == "avg" else "the class token"


def _weak_properties(scores: list[Score]) -> str:
    """Returns a sentence on the properties that the model did not learn."""
    weak = ", ".join(score.property for score in scores if score.accuracy < halfway(score))
    if not weak:
        return "Every property is more than half learned."
    return f"Not learned, or less than half: {weak}. Such labels mean nothing for this model."
