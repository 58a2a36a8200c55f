"""What is nearest through one head, or through any set of heads.

A set of heads stands for the mean of its heads' contributions in d_out, p = (1/n) sum_h c_h. Its inner
products need no stored column: p_query·p_image = (1/n) sum_h (Q_h p_query)·y_h, cross terms between heads
included. One head is n = 1.

Two ways to compare: "cosine" centers both sides on the image set first; "dot" is the plain inner product of
the papers (Gandelsman et al. 2024; Madasu et al. 2024), in which a few images with long contributions
answer every query.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

METRICS = ("cosine", "dot")


class Ranking(NamedTuple):
    """The best `k` rows of something, best first."""

    row: NDArray[np.int64]
    score: NDArray[np.float32]


def mixture(coordinates: NDArray, basis: NDArray) -> NDArray:
    """Mean contribution of the heads in d_out, from their coordinates [head, rank] -> [d_out]."""
    return np.einsum("hr,hrd->d", coordinates, basis) / len(basis)


def mixture_norms(images: Sequence[NDArray], basis: NDArray, *, block: int = 4096) -> NDArray:
    """Length of every image's mean centered contribution, the same for every query -> [image]."""
    if len(images) == 1:  # Q has orthonormal rows, so lengths are those of the coordinates
        return np.linalg.norm(images[0], axis=1)
    norms = np.empty(len(images[0]), np.float32)
    for start in range(
        0, len(norms), block
    ):  # [image, d_out] of a whole bundle would not fit beside the vectors
        part = sum(head[start : start + block] @ q for head, q in zip(images, basis, strict=True))
        norms[start : start + block] = np.linalg.norm(part, axis=1) / len(images)
    return norms


def scores(
    query: NDArray, images: Sequence[NDArray], basis: NDArray, mean: NDArray, norms: NDArray, *, metric: str
) -> NDArray:
    """Score of every image for one query through the same heads -> [image], float32.

    `query` [head, rank] and `images` (one [image, rank] per head) are centered; `mean` is [head, rank].
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; it must be one of {', '.join(METRICS)}.")
    mixed = mixture(query + mean if metric == "dot" else query, basis)  # [d_out]
    seen = (basis @ mixed / len(basis)).astype(np.float32)  # [head, rank]
    score = sum(head @ q for head, q in zip(images, seen, strict=True))  # [image]
    if metric == "dot":
        return score + np.float32(np.sum(mean * seen))
    return cosine(score, np.linalg.norm(mixed) * norms)


def cosine(dot: NDArray, lengths: NDArray) -> NDArray:
    """Divide inner products by lengths; nothing is near a vector of length zero."""
    return np.divide(dot, lengths, out=np.zeros_like(dot), where=lengths > 0)


def text_scores(
    query: NDArray, rows: NDArray, row_mean: NDArray, query_mean: NDArray, *, metric: str
) -> NDArray:
    """Score of `rows` (images or texts) for a text, inside one head -> [row].

    `query` [rank] is Q t, uncentered; `rows` [row, rank] are centered on `row_mean` [rank]; `query_mean`
    [rank] is the pool's mean text, which cosine takes off the query: texts share a cone, and without it
    every text is near every other.
    """
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; it must be one of {', '.join(METRICS)}.")
    if metric == "dot":
        return rows @ query + np.float32(row_mean @ query)
    centered = query - query_mean
    return cosine(rows @ centered, np.linalg.norm(rows, axis=1) * np.linalg.norm(centered))


def top(score: NDArray, k: int, *, leave_out: int | None = None) -> Ranking:
    """The `k` best rows, best first, ties in row order; fewer where there are fewer."""
    order = np.argsort(-score, kind="stable")
    if leave_out is not None:
        order = order[order != leave_out]
    return Ranking(order[:k], score[order[:k]])
