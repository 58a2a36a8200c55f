"""The planted model's weights: every matrix of a real CLIP, set by hand from the plan.

The residual stream holds *slots*: what a token knows of itself (SEEN), what is written for the embedding
(FEATURES), and a pad. A slot is a pair of channels, +a and -a, so the mean of a token is zero whatever it
holds; the pad is the same and so large in every token that its deviation hardly depends on anything else.
With weights equal to that deviation a LayerNorm is the identity, to |slots|^2 / PAD^2 / 2, about 1e-5.

MLPs are zero. Every head's output projection writes all features; what a head writes is set by its values.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor

from precompute.demo import words
from precompute.demo.planted import model as planted_model
from precompute.demo.planted.model import (
    FEATURES,
    GRID,
    HEADS,
    LAYERS,
    SEEN,
    PlantedHead,
)
from precompute.demo.planted.pictures import readers

SLOTS = (*SEEN, *FEATURES, "pad")
WIDTH, D_HEAD = 96, 24
PAD = 1000.0

SAID = tuple(word for said in planted_model.WORDS.values() for word in said)
"""Slots of the text tower, beside its pad: its tokens only know which word they are."""

TEXT_PAD = 10.0
"""Smaller: a text embedding is made unit at the end, so its deviation does not matter."""

SHARP = 40.0
"""Logit of what a head attends to, over all else: e^-40 is nothing beside 1."""

CONTEXT_LENGTH = 16


def config() -> dict:
    """open_clip's config of the planted model."""
    return {
        "embed_dim": planted_model.D_OUT,
        "vision_cfg": {
            "image_size": planted_model.IMAGE_SIZE,
            "layers": LAYERS,
            "width": WIDTH,
            "head_width": D_HEAD,
            "patch_size": planted_model.TILE,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            "vocab_size": 512
            + len(words.merges())
            + 2,  # bytes, bytes that end a word, merges, start and end
            "width": 2 * (len(SAID) + 1),
            "heads": 1,
            "layers": 1,
        },
    }


def directions() -> Float[np.ndarray, "feature d_out"]:
    """Where each feature lies in the joint space: rows of a Hadamard matrix, so no axis means anything."""
    matrix = np.ones((1, 1))
    while len(matrix) < planted_model.D_OUT:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[1 : 1 + len(FEATURES)] / planted_model.D_OUT**0.5


def state(bpe: Path) -> dict[str, Tensor]:
    """All weights, float32; `bpe` is the tokenizer's file, which says which token each word is."""
    with torch.device("meta"):  # names and shapes only; no random number is drawn
        empty = CLIP(**config()).state_dict()
    weights = {name: torch.zeros(value.shape) for name, value in empty.items()}
    set_by_hand = _image_tower() | _text_tower(bpe) | {"logit_scale": torch.tensor(100.0).log()}
    for name, value in set_by_hand.items():
        assert value.shape == weights[name].shape, name
        weights[name].copy_(value)
    return weights


def _image_tower() -> dict[str, Tensor]:
    identity = torch.full((WIDTH,), _deviation(PAD, WIDTH))
    weights = {
        "conv1.weight": _patch_embedding(),
        "positional_embedding": _places(),
        "ln_pre.weight": identity,
        "ln_post.weight": identity,
        "ln_post.bias": planted_model.CONE_AMOUNT * _slot(planted_model.CONE),
        "proj": torch.stack([_slot(feature) / 2 for feature in FEATURES]).T @ torch.from_numpy(directions()),
    }
    for layer in range(LAYERS):
        block = f"transformer.resblocks.{layer}."
        weights[block + "ln_1.weight"] = identity
        weights |= {block + name: value for name, value in _attention(layer).items()}
    return {f"visual.{name}": value for name, value in weights.items()}


def _deviation(pad: float, width: int) -> float:
    """Of a token that holds nothing but its pad, +pad and -pad."""
    return pad * (2 / width) ** 0.5


def _slot(name: str) -> Float[Tensor, " d_model"]:
    """What one unit in a slot is in the residual stream. Half of it, multiplied, reads the slot."""
    out = torch.zeros(WIDTH, dtype=torch.float64)
    out[SLOTS.index(name)], out[SLOTS.index(name) + WIDTH // 2] = 1, -1
    return out


def _patch_embedding() -> Float[Tensor, "d_model 3 y x"]:
    """Reads color, shape, grain and whether there is an object off a tile."""
    read = readers()
    seen = [*read.color, *read.shape, *read.grain, read.object]
    slots = [name for name in SEEN if name.startswith(("sees", "grain"))] + ["is object"]
    written = torch.stack([_slot(slot) for slot in slots])  # [slot, d_model]
    return torch.einsum("sm,scyx->mcyx", written, torch.from_numpy(np.stack(seen)))


def _places() -> Float[Tensor, "token d_model"]:
    """Every token's pad; which third a patch lies in; that the class token is the class token."""
    positions = tuple(planted_model.POSITIONS)
    columns = [positions[column * len(positions) // GRID] for column in range(GRID)]
    rows = [_slot("is class"), *(_slot(f"lies at {column}") for _ in range(GRID) for column in columns)]
    return torch.stack(rows) + PAD * _slot("pad")


def _attention(layer: int) -> dict[str, Tensor]:
    """All heads of one layer; those the plan does not name have no values."""
    query_bias = torch.zeros(HEADS, D_HEAD, dtype=torch.float64)
    key, value = (torch.zeros(HEADS, D_HEAD, WIDTH, dtype=torch.float64) for _ in range(2))
    for head in planted_model.PLAN:
        if head.layer == layer:
            value[head.head] = _values(head)
            if head.attends != "all":
                query_bias[head.head, 0] = SHARP * D_HEAD**0.5
                key[head.head, 0] = _slot("is object" if head.attends == "objects" else "is class") / 2
    out = torch.stack([_slot(feature) for feature in FEATURES], dim=1)  # [d_model, feature]
    out = torch.nn.functional.pad(out, (0, D_HEAD - len(FEATURES)))
    bias = planted_model.BIAS_AMOUNT if layer == planted_model.BIAS_LAYER else 0.0
    return {
        "attn.in_proj_weight": torch.cat([torch.zeros_like(key), key, value]).flatten(0, 1),
        "attn.in_proj_bias": torch.nn.functional.pad(query_bias.flatten(), (0, 2 * WIDTH)),
        "attn.out_proj.weight": out.repeat(1, HEADS),
        "attn.out_proj.bias": bias * _slot(planted_model.BIAS),
    }


def _values(head: PlantedHead) -> Float[Tensor, "d_head d_model"]:
    """What a head reads, with a gain that makes its output a mean over objects, or over tiles for grain."""
    value = torch.zeros(D_HEAD, WIDTH, dtype=torch.float64)
    for feature, (slot, amount) in head.writes.items():
        shown_on = GRID**2 if slot.startswith("grain") else planted_model.OBJECTS
        gain = (1 + GRID**2) / shown_on if head.attends == "all" else 1
        value[FEATURES.index(feature)] = gain * amount * _slot(slot) / 2
    return value


def _text_tower(bpe: Path) -> dict[str, Tensor]:
    """One layer that takes the mean of the words: the end token attends to all tokens alike."""
    width = config()["text_cfg"]["width"]
    unit = torch.eye(width // 2, dtype=torch.float64)
    slots = torch.cat([unit, -unit], dim=1)  # [slot, width]
    *said, pad = slots
    tokenizer = SimpleTokenizer(str(bpe), context_length=CONTEXT_LENGTH)
    embedding = (TEXT_PAD * pad).repeat(config()["text_cfg"]["vocab_size"], 1)
    for word, slot in zip(SAID, said, strict=True):
        embedding[_token(tokenizer, word)] += slot
    identity = torch.full((width,), _deviation(TEXT_PAD, width))
    read = torch.stack(said) / 2  # [word, width]
    nothing = torch.zeros(2 * width, width, dtype=torch.float64)
    values = torch.nn.functional.pad(read, (0, 0, 0, width - len(said)))
    block = "transformer.resblocks.0."
    spoken = directions()[[FEATURES.index(word) for word in SAID]]
    return {
        "token_embedding.weight": embedding,
        block + "ln_1.weight": identity,
        block + "attn.in_proj_weight": torch.cat([nothing, values]),
        block + "attn.out_proj.weight": values.T * 2,
        "ln_final.weight": identity,
        "text_projection": read.T @ torch.from_numpy(spoken),
    }


def _token(tokenizer: SimpleTokenizer, word: str) -> int:
    tokens: Sequence[int] = tokenizer.encode(word)
    if len(tokens) != 1:
        raise ValueError(f"the word {word!r} is {len(tokens)} tokens; the planted model needs it to be one.")
    return tokens[0]
