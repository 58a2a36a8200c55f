"""Weights of the planted model: every matrix of a real CLIP, set from the plan.

The residual stream has *slots*: the content of a token (PATCH_SLOTS), the features for the embedding
(FEATURES), and a pad. A slot is a pair of channels, +a and -a, so that the mean of every token is zero. The
pad is equal in all tokens and so large that the standard deviation of a token hardly depends on its other
slots. With weights equal to that deviation, a LayerNorm is the identity up to |slots|^2 / PAD^2 / 2, about
1e-5.

MLPs are zero. The output projection of every head writes all features; the value matrix selects them.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from open_clip.model import CLIP
from open_clip.tokenizer import SimpleTokenizer
from torch import Tensor

from precompute.demo.bpe import merges
from precompute.demo.planted import model as plan
from precompute.demo.planted.pictures import readers
from precompute.demo.world.words import VOCABULARY

SLOTS = (*plan.PATCH_SLOTS, *plan.FEATURES, "pad")
WIDTH, D_HEAD = 96, 24
PAD = 1000.0

POOL_WORDS = tuple(word for words in plan.WORDS.values() for word in words)
"""Slots of the text tower besides its pad: a token has the slot of its word."""

TEXT_PAD = 10.0
"""Smaller than PAD: text embeddings are normalized at the end, so the deviation has no effect."""

SHARP = 40.0
"""Attention logit of the attended tokens above all others: e^-40 is negligible."""

CONTEXT_LENGTH = 16


def config() -> dict:
    """Returns the open_clip config of the planted model."""
    return {
        "embed_dim": plan.D_OUT,
        "vision_cfg": {
            "image_size": plan.IMAGE_SIZE,
            "layers": plan.LAYERS,
            "width": WIDTH,
            "head_width": D_HEAD,
            "patch_size": plan.TILE,
        },
        "text_cfg": {
            "context_length": CONTEXT_LENGTH,
            # Bytes, bytes that end a word, merges, start and end.
            "vocab_size": 512 + len(merges(VOCABULARY)) + 2,
            "width": 2 * (len(POOL_WORDS) + 1),
            "heads": 1,
            "layers": 1,
        },
    }


def directions() -> Float[np.ndarray, "feature d_out"]:
    """Returns the direction of each feature in the joint space: Hadamard rows, so no axis has a meaning."""
    matrix = np.ones((1, 1))
    while len(matrix) < plan.D_OUT:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[1 : 1 + len(plan.FEATURES)] / plan.D_OUT**0.5


def state(bpe: Path) -> dict[str, Tensor]:
    """Returns all weights in float32; `bpe` is the tokenizer file, with the token of each word."""
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
        "positional_embedding": _positional_embedding(),
        "ln_pre.weight": identity,
        "ln_post.weight": identity,
        "ln_post.bias": plan.CONE_AMOUNT * _slot(plan.CONE),
        "proj": torch.stack([_slot(feature) / 2 for feature in plan.FEATURES]).T
        @ torch.from_numpy(directions()),
    }
    for layer in range(plan.LAYERS):
        block = f"transformer.resblocks.{layer}."
        weights[block + "ln_1.weight"] = identity
        weights |= {block + name: value for name, value in _attention(layer).items()}
    return {f"visual.{name}": value for name, value in weights.items()}


def _deviation(pad: float, width: int) -> float:
    """Returns the standard deviation of a token with only its pad, +pad and -pad."""
    return pad * (2 / width) ** 0.5


def _slot(name: str) -> Float[Tensor, " d_model"]:
    """Returns one unit of a slot in the residual stream. The product with half of it reads the slot."""
    out = torch.zeros(WIDTH, dtype=torch.float64)
    out[SLOTS.index(name)], out[SLOTS.index(name) + WIDTH // 2] = 1, -1
    return out


def _patch_embedding() -> Float[Tensor, "d_model 3 y x"]:
    """Returns the weights that read color, shape, grain and the presence of an object from a tile."""
    slots = [name for name in plan.PATCH_SLOTS if name.startswith(("sees", "grain"))] + ["is object"]
    outputs = torch.stack([_slot(slot) for slot in slots])  # [slot, d_model]
    return torch.einsum("sm,scyx->mcyx", outputs, torch.from_numpy(readers()))


def _positional_embedding() -> Float[Tensor, "token d_model"]:
    """Returns the pad of every token, the third of the picture of every patch, and the class token's mark."""
    positions = tuple(plan.POSITIONS)
    columns = [positions[column * len(positions) // plan.GRID] for column in range(plan.GRID)]
    rows = [_slot("is class"), *(_slot(f"lies at {column}") for _ in range(plan.GRID) for column in columns)]
    return torch.stack(rows) + PAD * _slot("pad")


def _attention(layer: int) -> dict[str, Tensor]:
    """Returns the weights of all heads of one layer; heads outside the plan have zero values."""
    query_bias = torch.zeros(plan.HEADS, D_HEAD, dtype=torch.float64)
    key, value = (torch.zeros(plan.HEADS, D_HEAD, WIDTH, dtype=torch.float64) for _ in range(2))
    for head in plan.PLAN:
        if head.layer == layer:
            value[head.head] = _values(head)
            if head.attends != "all":
                query_bias[head.head, 0] = SHARP * D_HEAD**0.5
                key[head.head, 0] = _slot("is object" if head.attends == "objects" else "is class") / 2
    out = torch.stack([_slot(feature) for feature in plan.FEATURES], dim=1)  # [d_model, feature]
    out = torch.nn.functional.pad(out, (0, D_HEAD - len(plan.FEATURES)))
    bias = plan.BIAS_AMOUNT if layer == plan.BIAS_LAYER else 0.0
    return {
        "attn.in_proj_weight": torch.cat([torch.zeros_like(key), key, value]).flatten(0, 1),
        "attn.in_proj_bias": torch.nn.functional.pad(query_bias.flatten(), (0, 2 * WIDTH)),
        "attn.out_proj.weight": out.repeat(1, plan.HEADS),
        "attn.out_proj.bias": bias * _slot(plan.BIAS),
    }


def _values(head: plan.PlantedHead) -> Float[Tensor, "d_head d_model"]:
    """Returns the value matrix of a head; the gain gives a mean over objects, or over tiles for grain."""
    value = torch.zeros(D_HEAD, WIDTH, dtype=torch.float64)
    for feature, (slot, amount) in head.writes.items():
        tiles = plan.GRID**2 if slot.startswith("grain") else plan.OBJECTS
        gain = (1 + plan.GRID**2) / tiles if head.attends == "all" else 1
        value[plan.FEATURES.index(feature)] = gain * amount * _slot(slot) / 2
    return value


def _text_tower(bpe: Path) -> dict[str, Tensor]:
    """Returns the weights of one layer that averages the words: the end token attends to all equally."""
    width = config()["text_cfg"]["width"]
    unit = torch.eye(width // 2, dtype=torch.float64)
    slots = torch.cat([unit, -unit], dim=1)  # [slot, width]
    *word_slots, pad = slots
    tokenizer = SimpleTokenizer(str(bpe), context_length=CONTEXT_LENGTH)
    embedding = (TEXT_PAD * pad).repeat(config()["text_cfg"]["vocab_size"], 1)
    for word, slot in zip(POOL_WORDS, word_slots, strict=True):
        embedding[_token(tokenizer, word)] += slot
    identity = torch.full((width,), _deviation(TEXT_PAD, width))
    read = torch.stack(word_slots) / 2  # [word, width]
    no_attention = torch.zeros(2 * width, width, dtype=torch.float64)
    values = torch.nn.functional.pad(read, (0, 0, 0, width - len(word_slots)))
    block = "transformer.resblocks.0."
    word_directions = directions()[[plan.FEATURES.index(word) for word in POOL_WORDS]]
    return {
        "token_embedding.weight": embedding,
        block + "ln_1.weight": identity,
        block + "attn.in_proj_weight": torch.cat([no_attention, values]),
        block + "attn.out_proj.weight": values.T * 2,
        "ln_final.weight": identity,
        "text_projection": read.T @ torch.from_numpy(word_directions),
    }


def _token(tokenizer: SimpleTokenizer, word: str) -> int:
    tokens: Sequence[int] = tokenizer.encode(word)
    if len(tokens) != 1:
        raise ValueError(f"the word {word!r} is {len(tokens)} tokens; the planted model needs it to be one.")
    return tokens[0]
