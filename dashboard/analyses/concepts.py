"""Share of a head's variance that texts of one concept span: TEXTSPAN restricted to them. Numpy only.

Head Pursuit (2025, https://arxiv.org/abs/2510.21518) runs matching pursuit over a dictionary that is
restricted to a concept, and ranks heads by the variance that it explains. With p = 2 its choices are those of
TEXTSPAN (a test compares them): the same computation over second moments serves, for all heads at once.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SPENT = 1e-5
"""A text is spent if less than this share of its squared length is left: coordinates here are float32."""

VOID = 1e-6
"""Choices end if the best of them would remove less than this share of the head's variance."""


class Span(NamedTuple):
    """Choices of every head."""

    text: NDArray[np.int64]
    """[head, k] row of each choice; -1 after the last."""

    share: NDArray[np.float64]
    """[head] share of the variance that they span; NaN of a head that does not vary."""


def first_texts(text: NDArray, covariance: NDArray, k: int) -> Span:
    """Returns the first `k` choices of TEXTSPAN for every head among texts [head, text, rank].

    Texts are not centered, and not normalized in the space of a head, as in TEXTSPAN.
    """
    covariance = covariance.astype(np.float64)
    rest, total = text.astype(np.float64), np.trace(covariance, axis1=1, axis2=2)
    length = (rest**2).sum(axis=2)  # [head, text]
    spent, picks = SPENT * length, np.full((len(text), k), -1)
    unit, removed = np.zeros((len(text), k, text.shape[2])), np.zeros(len(text))
    going, heads = total > 0, np.arange(len(text))
    for step in range(min(k, text.shape[1])):
        score = ((rest @ covariance) * rest).sum(axis=2)  # [head, text]
        score[length <= spent] = -np.inf
        best = score.argmax(axis=1)
        norm = np.sqrt(length[heads, best])
        direction = rest[heads, best] / np.where(norm > 0, norm, 1)[:, None]
        variance = (direction * (covariance @ direction[..., None])[..., 0]).sum(axis=1)
        going = going & np.isfinite(score[heads, best]) & (variance > VOID * total)
        if not going.any():
            break
        direction = direction * going[:, None]
        picks[:, step], unit[:, step] = np.where(going, best, -1), direction
        removed += np.where(going, variance, 0)
        rest -= (rest @ direction[..., None]) * direction[:, None]
        length = (rest**2).sum(axis=2)
    return Span(picks, _share(removed, total))


def spanned(text: NDArray, covariance: NDArray) -> NDArray[np.float64]:
    """Returns the share of every head's variance in the span of texts [head, k, rank], [head]."""
    covariance = covariance.astype(np.float64)
    left, size, _ = np.linalg.svd(text.astype(np.float64).swapaxes(1, 2), full_matrices=False)
    basis = left * (size > np.sqrt(SPENT) * size[:, :1])[:, None]  # [head, rank, k]
    removed = ((covariance @ basis) * basis).sum(axis=(1, 2))
    return _share(removed, np.trace(covariance, axis1=1, axis2=2))


def _share(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
