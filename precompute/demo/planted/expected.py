"""The class token of the planted model, followed through the plan in a dozen sums: what each part gives.

Nothing here runs the model. Contributions are those of `precompute.method.decomposition`, in the order of its
components and told in features; they hold to TOLERANCE, which is what LayerNorm leaves of the plan (see
`planted_weights`), and to STORED where a bundle keeps them in float16.
"""

from functools import cache

import numpy as np
from jaxtyping import Float64, Int64

from precompute.demo.planted import model as planted_model
from precompute.demo.planted.model import (
    BIAS,
    CONE,
    FEATURES,
    FIRST_DECOMPOSED,
    HEADS,
    LAYERS,
    PLAN,
    SEEN,
)
from precompute.demo.planted.pictures import EMPTY, Picture, pictures

TOLERANCE, STORED = 1e-5, 2e-3

DECOMPOSED = tuple((layer, head) for layer in range(FIRST_DECOMPOSED, LAYERS) for head in range(HEADS))
COMPONENTS = (
    "input",
    *(f"{kind} L{layer}" for layer in range(FIRST_DECOMPOSED) for kind in ("attention", "mlp")),
    *(f"L{layer}.H{head}" for layer, head in DECOMPOSED),
    *(f"mlp L{layer}" for layer in range(FIRST_DECOMPOSED, LAYERS)),
)
EARLIER = 1 + 2 * FIRST_DECOMPOSED
"""Components before the decomposed layers."""

WEIGHTS = {"color": planted_model.COLORS, "position": planted_model.POSITIONS, "shape": planted_model.SHAPES}

Held = tuple[tuple[int, int], ...]
"""Heads whose output at the class token is replaced by its mean over the pictures."""


def words_of(attribute: str) -> tuple[str, ...]:
    """The words of an attribute's values, in the order of the values."""
    return planted_model.WORDS[attribute][: len(WEIGHTS[attribute])]


@cache
def parts(held: Held = ()) -> Float64[np.ndarray, "image component feature"]:
    """Contribution of every component to every embedding, times the length of the embedding."""
    shown = np.stack([_seen(picture) for picture in pictures()])
    holds = np.zeros((len(shown), len(FEATURES)))
    out = np.zeros((len(shown), len(COMPONENTS), len(FEATURES)))
    for layer in range(LAYERS):
        read = np.concatenate([shown, holds], axis=1)
        for head in range(HEADS):
            wrote = read @ _matrix(layer, head)
            if (layer, head) in held:
                wrote = np.broadcast_to(wrote.mean(axis=0), wrote.shape)
            if layer == planted_model.BIAS_LAYER:
                wrote = wrote + planted_model.BIAS_AMOUNT / HEADS * _unit(BIAS)
            holds = holds + wrote
            out[:, _component(layer, head)] += wrote
    return out + planted_model.CONE_AMOUNT * _shares()[:, None] * _unit(CONE)


@cache
def lengths(held: Held = ()) -> Float64[np.ndarray, " image"]:
    """|e| of every picture; all alike unless heads are held."""
    return np.linalg.norm(parts(held).sum(axis=1), axis=-1)


def length() -> float:
    """|e|, which no picture changes."""
    return float(lengths()[0])


def text_map(picture: Picture, head: tuple[int, int], word: str) -> Float64[np.ndarray, "row column"]:
    """What each tile gives, through one head, for a text of one word."""
    for one in PLAN:
        if (one.layer, one.head) == head and word in one.writes and one.attends != "class":
            slot, amount = one.writes[word]
            tiles = planted_model.GRID**2 if slot.startswith("grain") else planted_model.OBJECTS
            return amount * _shows(picture, slot) / tiles / length()
    return np.zeros((planted_model.GRID, planted_model.GRID))


def margins(attribute: str, held: Held = (), *, forward: bool = False) -> Float64[np.ndarray, " image"]:
    """Zero-shot margin of every picture with heads held: all after them run again (forward), or frozen."""
    if forward:
        embedding = parts(held).sum(axis=1) / lengths(held)[:, None]
    else:
        own = parts()[:, [_component(*one) for one in held]]
        embedding = (parts().sum(axis=1) - (own - own.mean(axis=0)).sum(axis=1)) / length()
    score = embedding[:, [FEATURES.index(word) for word in words_of(attribute)]]
    rows, value = np.arange(len(score)), values(attribute)
    others = score.copy()
    others[rows, value] = -np.inf
    return score[rows, value] - others.max(axis=1)


def values(attribute: str) -> Int64[np.ndarray, " image"]:
    """Every picture's value of an attribute, as a place among the attribute's values."""
    return np.array([getattr(picture, attribute) for picture in pictures()])


def _seen(picture: Picture) -> Float64[np.ndarray, " seen"]:
    """What a picture shows: a mean over its objects, or over its tiles for grain."""
    color = np.bincount(picture.tiles[picture.tiles != EMPTY], minlength=len(planted_model.COLORS))
    shape, position = np.eye(len(planted_model.SHAPES)), np.eye(len(planted_model.POSITIONS))
    one_hot = shape[picture.shape], position[picture.position]
    return np.concatenate([color / planted_model.OBJECTS, *one_hot, picture.grain, [0, 0]])


def _shows(picture: Picture, slot: str) -> Float64[np.ndarray, "row column"]:
    """What each tile shows of a slot; where an object lies is read on objects alone."""
    word = slot.rpartition(" ")[2]
    if word in planted_model.COLORS:
        return (picture.tiles == list(planted_model.COLORS).index(word)).astype(float)
    shown = _seen(picture)[SEEN.index(slot)]
    return np.where(slot.startswith("grain") | (picture.tiles != EMPTY), shown, 0.0)


def _matrix(layer: int, head: int) -> Float64[np.ndarray, "read feature"]:
    """From what can be read, seen in the picture or held at the class token, to what a head writes there."""
    matrix = np.zeros((len(SEEN) + len(FEATURES), len(FEATURES)))
    for one in PLAN:
        if (one.layer, one.head) == (layer, head):
            for feature, (slot, amount) in one.writes.items():
                matrix[(*SEEN, *FEATURES).index(slot), FEATURES.index(feature)] = amount
    return matrix


def _component(layer: int, head: int) -> int:
    return 1 + 2 * layer if layer < FIRST_DECOMPOSED else EARLIER + DECOMPOSED.index((layer, head))


def _shares() -> Float64[np.ndarray, " component"]:
    """Shares of what `ln_post` adds: one to a head, as much to any other part as to all heads of a layer."""
    layers = LAYERS - FIRST_DECOMPOSED
    shares = [*[HEADS] * EARLIER, *[1] * HEADS * layers, *[HEADS] * layers]
    return np.array(shares) / (HEADS * (2 * LAYERS + 1))


def _unit(feature: str) -> Float64[np.ndarray, " feature"]:
    return np.eye(len(FEATURES))[FEATURES.index(feature)]
