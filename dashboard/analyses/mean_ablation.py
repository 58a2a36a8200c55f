"""What zero-shot classification loses when some heads are mean-ablated, from stored vectors alone.

An image scores e·t_v for class v. Mean-ablating the heads K subtracts from that the sum over K of
y_h·(Q_h t_v), for stored coordinates y are centered: exact up to float16 rounding. This is the direct
effect only: later layers and the last LayerNorm stay as they were. (Mean-ablation as in Gandelsman et al.
2024, section 3.) The shortened embedding is not stretched back to length one, which would change no rank.

Only images that carry exactly one value of the attribute take part; `own` [image] is that value's row.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK = 2048
"""Images at once: 1,000 classes of that many are 8 MB."""


class Outcome(NamedTuple):
    """How every image is classified."""

    right: NDArray[np.bool_]
    """[image] Its own class scores more than every other; a tie is not right."""

    rival: NDArray[np.int32]
    """[image] The best class beside its own: where it went, if it is not right."""


class ByClass(NamedTuple):
    """What two outcomes of the same images say of every class; all [value], counts of images."""

    images: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    lost: NDArray[np.int64]
    """Right before, wrong after."""

    gained: NDArray[np.int64]
    """Wrong before, right after."""


def scores(embedding: NDArray, text: NDArray) -> NDArray[np.float32]:
    """Score of every image [image, d_out] for every class [value, d_out] -> [image, value]."""
    return embedding.astype(np.float32) @ text.astype(np.float32).T


def outcome(score: NDArray, own: NDArray) -> Outcome:
    """Who wins in every row of `score` [image, value]."""
    rows = np.arange(len(own))
    others = score.copy()
    others[rows, own] = -np.inf
    rival = others.argmax(axis=1)
    return Outcome(score[rows, own] > others[rows, rival], rival.astype(np.int32))


def mean_ablate(
    score: NDArray, own: NDArray, images: Sequence[NDArray], basis: NDArray, text: NDArray
) -> Outcome:
    """Who wins once some heads are mean-ablated.

    `score` [image, value] is what all heads together give; `images` has centered coordinates [image, rank]
    of each head in question, `basis` [head, rank, d_out] its space, `text` [value, d_out] the classes.
    """
    parts = [
        outcome(score[block] - taken, own[block])
        for block, taken in removed(images, basis.astype(np.float32), text.astype(np.float32), len(own))
    ]
    return Outcome(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def removed(
    images: Sequence[NDArray], basis: NDArray, text: NDArray, count: int
) -> Iterator[tuple[slice, NDArray]]:
    """What the heads give to every class, block by block of images: slice, [image, value]."""
    # Many classes: add the heads up in d_out first, and meet the texts once instead of once a head.
    wide = len(text) > text.shape[1]
    seen = np.concatenate(basis if wide else basis @ text.T)  # [head * rank, d_out or value]
    for start in range(0, count, BLOCK):
        block = slice(start, start + BLOCK)
        # Side by side: one large product of matrices takes half the time of one a head.
        taken = np.hstack([head[block] for head in images]) @ seen
        yield block, taken @ text.T if wide else taken


def by_class(before: Outcome, after: Outcome, own: NDArray, values: int) -> ByClass:
    """Count both outcomes class by class."""

    def count(which: NDArray) -> NDArray:
        return np.bincount(own[which], minlength=values)

    return ByClass(
        images=count(np.ones(len(own), bool)),
        before=count(before.right),
        after=count(after.right),
        lost=count(before.right & ~after.right),
        gained=count(~before.right & after.right),
    )


def went_to(before: Outcome, after: Outcome, own: NDArray, value: int) -> list[tuple[int, int]]:
    """Where the lost images of one class went: (class, images), most first, ties in class order."""
    lost = before.right & ~after.right & (own == value)
    count = np.bincount(after.rival[lost])
    order = np.argsort(-count, kind="stable")
    return [(int(one), int(count[one])) for one in order if count[one]]


def even_sample(own: NDArray, most: int) -> NDArray[np.int64]:
    """Rows of at most `most` images, every class by its share of them; rising."""
    if len(own) <= most:
        return np.arange(len(own))
    ordered = np.argsort(own, kind="stable")
    places = np.arange(most) * len(own) // most
    return np.sort(ordered[places])
