"""Writes the card of a demo model: its architecture, training and scores. Cards are never edited by hand."""

import hashlib
import json
from pathlib import Path

from precompute.demo import IMAGE_SIZE, MEAN, STD, DemoModel
from precompute.demo.scoring import Score, halfway, table
from precompute.demo.words import VOCABULARY

CARD = """\
# {name}

A small CLIP model, trained from scratch on scenes drawn by this project: {about}.
With it you can try Headlight without other weights, and score labels, maps and neighbors. It was not
trained on photographs. The [README](README.md) describes training, scenes and experiments.

| | |
| --- | --- |
| image tower | ViT, {layers} layers x {heads} heads of width {head_width}, d_model {width} |
| MLP | {mlp_ratio:g} times as wide |
| picture | {side} x {side} pixels (drawn at 256), patch {patch}: {patches} patches and the class token |
| text tower | {text_layers} layers x {text_heads} heads, width {text_width}, {context} tokens |
| words | {words} |
| joint space | d_out {d_out} |
| weights | float16 safetensors, parameter names of open_clip, {megabytes:.1f} MB, SHA-256 `{sha256:.16}...` |
| preprocessing | bicubic resize ("squash"), mean {mean}, standard deviation {std} |
| training | {pairs:,} scenes, seed {seed}; captions name colors in {color} |

## Scores

Zero-shot classification of {scenes:,} held-out scenes of one kind of object: each scene gets the value with
the nearest prompt. Each property has one form of prompt (`PROMPTS` in `words.py`).

{table}

{unknown}
"""


def write_card(model: DemoModel, scores: list[Score], *, scenes: int, path: Path | None = None) -> None:
    """Writes the card of a model beside its weights, or to `path`."""
    config = json.loads(model.config.read_text(encoding="utf-8"))
    vision, text = config["vision_cfg"], config["text_cfg"]
    weights = model.checkpoint.read_bytes()
    facts = {
        "layers": vision["layers"],
        "heads": vision["width"] // vision["head_width"],
        "head_width": vision["head_width"],
        "width": vision["width"],
        "mlp_ratio": vision.get("mlp_ratio", 4.0),
        "side": IMAGE_SIZE,
        "patch": vision["patch_size"],
        "patches": (IMAGE_SIZE // vision["patch_size"]) ** 2,
        "text_layers": text["layers"],
        "text_heads": text["heads"],
        "text_width": text["width"],
        "context": text["context_length"],
        "words": len(VOCABULARY),
        "d_out": config["embed_dim"],
        "megabytes": len(weights) / 1e6,
        "sha256": hashlib.sha256(weights).hexdigest(),
        "mean": MEAN[0],
        "std": STD[0],
        "pairs": model.pairs,
        "seed": model.seed,
        "color": "every batch" if model.color_every == 1 else f"one of {model.color_every} batches",
    }
    card = CARD.format(
        name=model.name,
        about=model.about,
        scenes=scenes,
        table=table(scores),
        unknown=_weak_properties(scores),
        **facts,
    )
    (path or model.card).write_text(card, encoding="utf-8")


def _weak_properties(scores: list[Score]) -> str:
    """Returns a sentence on the properties that the model did not learn."""
    weak = [score.property for score in scores if score.accuracy < halfway(score)]
    if not weak:
        return "Every property is more than half learned."
    return f"Not learned, or less than half: {', '.join(weak)}. Such labels mean nothing for this model."
