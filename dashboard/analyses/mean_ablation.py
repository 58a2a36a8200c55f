"""Zero-shot classification with some heads mean-ablated, from stored vectors.

An image scores e·t_v for class v. Mean-ablating the heads K subtracts the sum over K of y_h·(Q_h t_v), since
stored coordinates y are centered: exact up to float16 rounding. This is the direct effect only: later layers
and the last LayerNorm stay frozen. (Mean-ablation as in Gandelsman et al.
2024, section 3.) The embedding is not renormalized: that would change no rank.

Only images with exactly one value of the attribute take part; `target` [image] is the index of that value.
"""

from collections.abc import Iterator, Sequence
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


class ByClass(NamedTuple):
    """Counts of images for every class under two outcomes; all [value]."""

    images: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    lost: NDArray[np.int64]
    """Right before, wrong after."""

    gained: NDArray[np.int64]
    """Wrong before, right after."""


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
    parts = [
        outcome(score[block] - removed, target[block])
        for block, removed in head_scores(
            images, basis.astype(np.float32), text.astype(np.float32), len(target)
        )
    ]
    return Outcome(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def head_scores(
    images: Sequence[NDArray], basis: NDArray, text: NDArray, count: int
) -> Iterator[tuple[slice, NDArray]]:
    """Yields the score of the heads for every class, in blocks of images: slice, [image, value]."""
    # With many classes, sum the heads in d_out first and multiply by the texts once.
    wide = len(text) > text.shape[1]
    directions = np.concatenate(basis if wide else basis @ text.T)  # [head * rank, d_out or value]
    for start in range(0, count, BLOCK):
        block = slice(start, start + BLOCK)
        # One large matrix product takes half the time of one per head.
        score = np.hstack([head[block] for head in images]) @ directions
        yield block, score @ text.T if wide else score


def by_class(before: Outcome, after: Outcome, target: NDArray, values: int) -> ByClass:
    """Returns the counts of both outcomes, class by class."""

    def count(mask: NDArray) -> NDArray:
        return np.bincount(target[mask], minlength=values)

    return ByClass(
        images=count(np.ones(len(target), bool)),
        before=count(before.right),
        after=count(after.right),
        lost=count(before.right & ~after.right),
        gained=count(~before.right & after.right),
    )


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
