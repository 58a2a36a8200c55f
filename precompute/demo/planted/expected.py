"""Expected contributions of the planted model to the class token, computed from the plan in a few sums.

Nothing here runs the model. Contributions are those of `precompute.method.decomposition`, in the order of its
components and in coordinates of the features. They are exact to TOLERANCE, the error of LayerNorm (see
`planted.weights`), and to STORED in a bundle, which stores float16.
"""

from functools import cache

import numpy as np
from jaxtyping import Float64, Int64

from precompute.demo.planted import model as plan
from precompute.demo.planted.pictures import EMPTY, Picture, pictures

TOLERANCE, STORED = 1e-5, 2e-3

DECOMPOSED = tuple(
    (layer, head) for layer in range(plan.FIRST_DECOMPOSED, plan.LAYERS) for head in range(plan.HEADS)
)
COMPONENTS = (
    "input",
    *(f"{kind} L{layer}" for layer in range(plan.FIRST_DECOMPOSED) for kind in ("attention", "mlp")),
    *(f"L{layer}.H{head}" for layer, head in DECOMPOSED),
    *(f"mlp L{layer}" for layer in range(plan.FIRST_DECOMPOSED, plan.LAYERS)),
)
EARLIER = 1 + 2 * plan.FIRST_DECOMPOSED
"""Number of components before the decomposed layers."""

WEIGHTS = {"color": plan.COLORS, "position": plan.POSITIONS, "shape": plan.SHAPES}

Heads = tuple[tuple[int, int], ...]
"""Layer and head of each. Ablated heads write their mean over the pictures to the class token."""


def words_of(attribute: str) -> tuple[str, ...]:
    """Returns the words of an attribute's values, in the order of the values."""
    return plan.WORDS[attribute][: len(WEIGHTS[attribute])]


@cache
def parts(ablated: Heads = ()) -> Float64[np.ndarray, "image component feature"]:
    """Returns the contribution of every component to every embedding, times the length of the embedding."""
    patches = np.stack([_patch_mean(picture) for picture in pictures()])  # [image, patch slot]
    class_token = np.zeros((len(patches), len(plan.FEATURES)))
    out = np.zeros((len(patches), len(COMPONENTS), len(plan.FEATURES)))
    for layer in range(plan.LAYERS):
        slots = np.concatenate([patches, class_token], axis=1)
        for head in range(plan.HEADS):
            output = slots @ _matrix(layer, head)
            if (layer, head) in ablated:
                output = np.broadcast_to(output.mean(axis=0), output.shape)
            if layer == plan.BIAS_LAYER:
                output = output + plan.BIAS_AMOUNT / plan.HEADS * _unit(plan.BIAS)
            class_token = class_token + output
            out[:, _component(layer, head)] += output
    return out + plan.CONE_AMOUNT * _shares()[:, None] * _unit(plan.CONE)


@cache
def lengths(ablated: Heads = ()) -> Float64[np.ndarray, " image"]:
    """Returns |e| of every picture; all are equal unless heads are ablated."""
    return np.linalg.norm(parts(ablated).sum(axis=1), axis=-1)


def length() -> float:
    """Returns |e|, the same for every picture."""
    return float(lengths()[0])


def text_map(picture: Picture, head: tuple[int, int], word: str) -> Float64[np.ndarray, "row column"]:
    """Returns the score of each tile through one head, for a text of one word."""
    for entry in plan.PLAN:
        if (entry.layer, entry.head) == head and word in entry.writes and entry.attends != "class":
            slot, amount = entry.writes[word]
            tiles = plan.GRID**2 if slot.startswith("grain") else plan.OBJECTS
            return amount * _tile_values(picture, slot) / tiles / length()
    return np.zeros((plan.GRID, plan.GRID))


def margins(attribute: str, ablated: Heads = (), *, forward: bool = False) -> Float64[np.ndarray, " image"]:
    """Returns the zero-shot margin of every picture with heads mean-ablated.

    `forward`: later heads are computed from the ablated output; otherwise they keep their values.
    """
    if forward:
        embedding = parts(ablated).sum(axis=1) / lengths(ablated)[:, None]
    else:
        contributions = parts()[:, [_component(*head) for head in ablated]]
        change = (contributions - contributions.mean(axis=0)).sum(axis=1)
        embedding = (parts().sum(axis=1) - change) / length()
    score = embedding[:, [plan.FEATURES.index(word) for word in words_of(attribute)]]
    rows, value = np.arange(len(score)), values(attribute)
    others = score.copy()
    others[rows, value] = -np.inf
    return score[rows, value] - others.max(axis=1)


def values(attribute: str) -> Int64[np.ndarray, " image"]:
    """Returns the index of every picture's value among the values of an attribute."""
    return np.array([getattr(picture, attribute) for picture in pictures()])


def _patch_mean(picture: Picture) -> Float64[np.ndarray, " patch_slot"]:
    """Returns the mean of each patch slot over the objects of a picture, or over all tiles for grain."""
    color = np.bincount(picture.tiles[picture.tiles != EMPTY], minlength=len(plan.COLORS))
    shape, position = np.eye(len(plan.SHAPES)), np.eye(len(plan.POSITIONS))
    one_hot = shape[picture.shape], position[picture.position]
    return np.concatenate([color / plan.OBJECTS, *one_hot, picture.grain, [0, 0]])


def _tile_values(picture: Picture, slot: str) -> Float64[np.ndarray, "row column"]:
    """Returns the value of a slot on each tile; slots of position count on objects only."""
    word = slot.rpartition(" ")[2]
    if word in plan.COLORS:
        return (picture.tiles == list(plan.COLORS).index(word)).astype(float)
    value = _patch_mean(picture)[plan.PATCH_SLOTS.index(slot)]
    return np.where(slot.startswith("grain") | (picture.tiles != EMPTY), value, 0.0)


def _matrix(layer: int, head: int) -> Float64[np.ndarray, "slot feature"]:
    """Returns the map of one head from patch slots and class token features to the features it writes."""
    matrix = np.zeros((len(plan.PATCH_SLOTS) + len(plan.FEATURES), len(plan.FEATURES)))
    for entry in plan.PLAN:
        if (entry.layer, entry.head) == (layer, head):
            for feature, (slot, amount) in entry.writes.items():
                matrix[(*plan.PATCH_SLOTS, *plan.FEATURES).index(slot), plan.FEATURES.index(feature)] = amount
    return matrix


def _component(layer: int, head: int) -> int:
    return 1 + 2 * layer if layer < plan.FIRST_DECOMPOSED else EARLIER + DECOMPOSED.index((layer, head))


def _shares() -> Float64[np.ndarray, " component"]:
    """Returns the shares of the bias of `ln_post`: normalized from 1 for a head, HEADS for the others."""
    layers = plan.LAYERS - plan.FIRST_DECOMPOSED
    shares = [*[plan.HEADS] * EARLIER, *[1] * plan.HEADS * layers, *[plan.HEADS] * layers]
    return np.array(shares) / (plan.HEADS * (2 * plan.LAYERS + 1))


def _unit(feature: str) -> Float64[np.ndarray, " feature"]:
    return np.eye(len(plan.FEATURES))[plan.FEATURES.index(feature)]
