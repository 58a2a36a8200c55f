"""Share of a head's variance that texts of one concept span: TEXTSPAN restricted to them. Numpy only.

Head Pursuit (Basile et al. 2025, arXiv 2510.21518) runs matching pursuit over a dictionary that is
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
    """[head, k] share of the variance that this and all earlier choices span; NaN if the head is constant."""


def first_texts(text: NDArray, covariance: NDArray, k: int) -> Span:
    """Returns the first `k` choices of TEXTSPAN for every head among texts [head, text, rank].

    Texts are not centered, and not normalized in the space of a head, as in TEXTSPAN.
    """
    covariance, heads = covariance.astype(np.float64), np.arange(len(text))
    rest, total = text.astype(np.float64), np.trace(covariance, axis1=1, axis2=2)
    length = (rest**2).sum(axis=2)  # [head, text]
    spent, going = SPENT * length, total > 0
    picks, removed = np.full((len(text), k), -1), np.zeros((len(text), k))
    for step in range(min(k, text.shape[1])):
        score = ((rest @ covariance) * rest).sum(axis=2)  # [head, text]
        score[length <= spent] = -np.inf
        best = score.argmax(axis=1)
        direction = _unit(rest[heads, best])
        variance = _along(direction, covariance)
        going = going & np.isfinite(score[heads, best]) & (variance > VOID * total)
        if not going.any():
            break
        picks[:, step], removed[:, step] = np.where(going, best, -1), np.where(going, variance, 0)
        rest -= (rest @ direction[..., None]) * direction[:, None]
        length = (rest**2).sum(axis=2)
    return Span(picks, _share(removed, total))


def spanned(text: NDArray, covariance: NDArray) -> NDArray[np.float64]:
    """Returns the share of every head's variance that texts [..., head, k, rank] span in their order.

    [..., head, k]: of each text and all before it.
    """
    covariance, text = covariance.astype(np.float64), text.astype(np.float64)
    units, removed = np.zeros_like(text), np.zeros(text.shape[:-1])
    for place in range(text.shape[-2]):
        before, rest = units[..., :place, :], text[..., place, :]
        for _ in range(2):  # twice, for nearly parallel texts
            rest = rest - (before.swapaxes(-1, -2) @ (before @ rest[..., None]))[..., 0]
        spent = (rest**2).sum(axis=-1) <= SPENT * (text[..., place, :] ** 2).sum(axis=-1)
        units[..., place, :] = np.where(spent[..., None], 0, _unit(rest))
        removed[..., place] = _along(units[..., place, :], covariance)
    return _share(removed, np.trace(covariance, axis1=1, axis2=2))


def _unit(vector: NDArray) -> NDArray[np.float64]:
    """Returns vectors [..., rank] at length 1; zero stays zero."""
    length = np.linalg.norm(vector, axis=-1, keepdims=True)
    return vector / np.where(length > 0, length, 1)


def _along(direction: NDArray, covariance: NDArray) -> NDArray[np.float64]:
    """Returns the variance along directions [..., head, rank], [..., head]."""
    return (direction * (covariance @ direction[..., None])[..., 0]).sum(axis=-1)


def _share(removed: NDArray, total: NDArray) -> NDArray[np.float64]:
    """Returns what is removed step by step as a cumulative share of the variance."""
    with np.errstate(invalid="ignore"):
        return np.cumsum(removed, axis=-1) / np.where(total > 0, total, np.nan)[:, None]
