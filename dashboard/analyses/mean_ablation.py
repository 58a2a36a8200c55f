"""Zero-shot classification with some heads mean-ablated, from stored vectors.

An image scores e·t_v for class v. Mean-ablating the heads K subtracts the sum over K of y_h·(Q_h t_v), since
stored coordinates y are centered: exact up to float16 rounding. This is the direct effect only: later layers
and the last LayerNorm stay frozen. (Mean-ablation as in Gandelsman et al.
2024, section 3.) The embedding is not renormalized: that would change no rank.

Only images with exactly one value of the attribute take part; `target` [image] is the index of that value.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048
"""Number of images at once: with 1,000 classes 8 MB."""


class Outcome(NamedTuple):
    """Classification of every image."""

    right: NDArray[np.bool_]
    """[image] True if its class has the largest score; false for a tie."""

    rival: NDArray[np.int32]
    """[image] The best other class: its classification, if it is not right."""


def scores(embedding: NDArray, text: NDArray) -> NDArray[np.float32]:
    """Returns the score of every image [image, d_out] for every class [value, d_out], [image, value]."""
    return embedding.astype(np.float32) @ text.astype(np.float32).T


def outcome(score: NDArray, target: NDArray) -> Outcome:
    """Returns the classification of every row of `score` [image, value]."""
    rows = np.arange(len(target))
    others = score.copy()
    others[rows, target] = -np.inf
    rival = others.argmax(axis=1)
    return Outcome(score[rows, target] > others[rows, rival], rival.astype(np.int32))


def mean_ablate(
    score: NDArray, target: NDArray, images: Sequence[NDArray], basis: NDArray, text: NDArray
) -> Outcome:
    """Returns the classification of every image with some heads mean-ablated.

    `score` [image, value] is the score of all heads; `images` has the centered coordinates [image, rank] of
    each ablated head, `basis` [head, rank, d_out] its space, `text` [value, d_out] the classes.
    """
    basis, text = basis.astype(np.float32), text.astype(np.float32)
    # With many classes, sum the heads in d_out first and multiply by the texts once.
    wide = len(text) > text.shape[1]
    directions = np.concatenate(basis if wide else basis @ text.T)  # [head * rank, d_out or value]
    parts = []
    for start in range(0, len(target), BLOCK):
        block = slice(start, start + BLOCK)
        # One large matrix product takes half the time of one per head.
        removed = np.hstack([head[block] for head in images]) @ directions
        parts.append(outcome(score[block] - (removed @ text.T if wide else removed), target[block]))
    return Outcome(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def by_class(
    before: Outcome, after: Outcome, control: Outcome, target: NDArray, values: int
) -> dict[str, NDArray[np.int64]]:
    """Returns counts of images by class, each [value]: all, right in each outcome, lost and gained after."""
    masks = {
        "images": np.ones(len(target), bool),
        "before": before.right,
        "after": after.right,
        "control": control.right,
        "lost": before.right & ~after.right,
        "gained": ~before.right & after.right,
    }
    return {name: np.bincount(target[mask], minlength=values) for name, mask in masks.items()}


def went_to(before: Outcome, after: Outcome, target: NDArray, value: int) -> list[tuple[int, int]]:
    """Returns the new classes of one class's lost images: (class, images), most first, ties in order."""
    lost = before.right & ~after.right & (target == value)
    count = np.bincount(after.rival[lost])
    order = np.argsort(-count, kind="stable")
    return [(int(row), int(count[row])) for row in order if count[row]]


def even_sample(target: NDArray, most: int) -> NDArray[np.int64]:
    """Returns sorted rows of at most `most` images, with the share of every class preserved."""
    if len(target) <= most:
        return np.arange(len(target))
    ordered = np.argsort(target, kind="stable")
    places = np.arange(most) * len(target) // most
    return np.sort(ordered[places])
