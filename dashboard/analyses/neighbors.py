"""Nearest rows through one head or a set of heads.

A set of heads is compared by the mean of its heads' contributions in d_out, p = (1/n) sum_h c_h. Its inner
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


class Query(NamedTuple):
    """A query through a set of heads.

    An image with centered coordinates y_h scores sum_h y_h·v_h, plus `offset` by the dot product, divided by
    `length` and its norm by cosine.
    """

    vector: NDArray[np.float32]
    """[head, rank] v_h"""

    metric: str
    offset: float
    length: float


def image_query(coordinates: NDArray, basis: NDArray, mean: NDArray, *, metric: str) -> Query:
    """Returns an image as a query through heads; its `coordinates` [head, rank] are centered on `mean`."""
    _check(metric)
    mixed = mixture(coordinates + mean if metric == "dot" else coordinates, basis)  # [d_out]
    vector = (basis @ mixed / len(basis)).astype(np.float32)
    return Query(vector, metric, float(np.sum(mean * vector)), float(np.linalg.norm(mixed)))


def text_query(text: NDArray, text_mean: NDArray, row_mean: NDArray, *, metric: str) -> Query:
    """Returns a text as a query in one head, for rows (images or texts) centered on `row_mean` [rank].

    `text` [rank] is Q t, uncentered; cosine subtracts the pool's mean text `text_mean` [rank]: texts share a
    common direction, so that otherwise all texts are near each other.
    """
    _check(metric)
    vector = (text if metric == "dot" else text - text_mean)[None].astype(np.float32)
    return Query(vector, metric, float(row_mean @ vector[0]), float(np.linalg.norm(vector)))


def _check(metric: str) -> None:
    if metric not in METRICS:
        raise ValueError(f"metric is {metric!r}; it must be one of {', '.join(METRICS)}.")


def mixture(coordinates: NDArray, basis: NDArray) -> NDArray:
    """Returns the mean contribution of the heads, [d_out], from their coordinates [head, rank]."""
    return np.einsum("hr,hrd->d", coordinates, basis) / len(basis)


def mixture_norms(images: Sequence[NDArray], basis: NDArray, *, block: int = 4096) -> NDArray:
    """Returns the length of every image's mean centered contribution, [image], the same for every query."""
    if len(images) == 1:  # Q has orthonormal rows, so lengths are those of the coordinates
        return np.linalg.norm(images[0], axis=1)
    norms = np.empty(len(images[0]), np.float32)
    # In blocks: [image, d_out] of a whole bundle would not fit into memory beside the vectors.
    for start in range(0, len(norms), block):
        part = sum(head[start : start + block] @ q for head, q in zip(images, basis, strict=True))
        norms[start : start + block] = np.linalg.norm(part, axis=1) / len(images)
    return norms


def scores(query: Query, rows: Sequence[NDArray], norms: NDArray) -> NDArray:
    """Returns the score of every row, [row]; `rows` is [row, rank] per head, `norms` from `mixture_norms`."""
    score = sum(head @ v for head, v in zip(rows, query.vector, strict=True))  # [row]
    if query.metric == "dot":
        return score + np.float32(query.offset)
    # A row of length zero has no neighbors.
    lengths = np.float32(query.length) * norms
    return np.divide(score, lengths, out=np.zeros_like(score), where=lengths > 0)


def top(
    score: NDArray, k: int, *, leave_out: int | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Returns at most `k` best rows and their scores, best first, ties in row order."""
    most = k + (leave_out is not None)
    # Sorting a million scores is slower than computing them.
    best = (
        np.flatnonzero(score >= np.partition(score, -most)[-most])
        if most < len(score)
        else np.arange(len(score))
    )
    order = best[np.argsort(-score[best], kind="stable")]
    order = order[order != leave_out][:k]
    return order, score[order]
