"""Amount by which each head reads a text, an image, or a text in an image, beside chance. Numpy only.

A text t' = Q (t - mean text) has the unit direction u = t' / |t'| in a head with the covariance S. The head
reads the text by the share u'S u / tr S of its variance. The null is the head rotated at random: u is then
uniform on the sphere of the d dimensions of the head, and with the eigenvalues λ of S / tr S

    E[u'S u / tr S] = 1 / d,    Var[u'S u / tr S] = 2 / (d (d + 2)) (Σ λ² - 1 / d).

An image has the centered coordinates y in a head. Over the images |y| has the root mean square sqrt(tr S),
and y·u the standard deviation sqrt(u'S u).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DRAWS = 500
"""Number of times that all heads of a model are rotated at random."""

BEYOND = 0.05
"""Share of the draws in which the largest of all rotated heads may exceed a head that is beyond chance."""


class Measure(NamedTuple):
    """One number per head, and its distance from chance. NaN where it is not defined."""

    amount: NDArray[np.float64]
    """[head]"""

    z: NDArray[np.float64]
    """[head] (amount - mean) / standard deviation, over rotated heads or over the images."""


def along_text(text: NDArray, covariance: NDArray, own_rank: NDArray) -> Measure:
    """Returns the share of every head's variance along a text, z over its rotations.

    `text` [head, rank] is t', `own_rank` [head] the dimensions without padding. Not defined if a head does
    not vary, or if the text has no part in its space; z neither if all directions have equal variance.
    """
    total = np.trace(covariance, axis1=1, axis2=2).astype(np.float64)
    share = _ratio(_along(text, covariance), (text**2).sum(axis=1, dtype=np.float64) * total)
    mean, deviation = rotated(covariance, own_rank)
    return Measure(share, _ratio(share - mean, deviation))


def rotated(covariance: NDArray, own_rank: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns mean and standard deviation of the share along a text over the rotations of a head, [head]."""
    total = np.trace(covariance, axis1=1, axis2=2).astype(np.float64)
    concentration = _ratio((covariance.astype(np.float64) ** 2).sum(axis=(1, 2)), total**2)
    mean = 1 / own_rank
    # A head that varies equally in all directions has one share: what is left is rounding.
    spread = np.where(concentration - mean > 1e-6 * mean, concentration - mean, 0)
    return mean, np.sqrt(2 * spread / (own_rank * (own_rank + 2)))


def largest_by_chance(covariance: NDArray, own_rank: NDArray, *, seed: int = 0) -> NDArray[np.float64]:
    """Returns the largest z of all heads in every draw of their rotations, [draw]; NaN without one."""
    mean, deviation = rotated(covariance, own_rank)
    random, largest = np.random.default_rng(seed), np.full(DRAWS, -np.inf)
    for place, rank in enumerate(own_rank):
        if deviation[place] > 0:
            spectrum = np.linalg.eigvalsh(covariance[place].astype(np.float64))[::-1][:rank]
            squares = random.standard_normal((DRAWS, rank)) ** 2
            share = squares @ spectrum / spectrum.sum() / squares.sum(axis=1)
            largest = np.maximum(largest, (share - mean[place]) / deviation[place])
    return np.where(np.isfinite(largest), largest, np.nan)


def exceeded(z: NDArray, largest: NDArray) -> NDArray[np.float64]:
    """Returns the p-value of every head among all of its model, [head]: NaN without a z.

    It is the share of draws whose largest z is at least that of the head, by the add-one rule.
    """
    below = np.searchsorted(np.sort(largest), z)
    return np.where(np.isfinite(z), (1 + len(largest) - below) / (1 + len(largest)), np.nan)


def in_image(coordinates: NDArray, covariance: NDArray, mean_length: NDArray) -> Measure:
    """Returns the length of every head's centered contribution to an image, z over the images.

    The length is divided by its root mean square over the images. `coordinates` is [head, rank],
    `mean_length` [head] the mean of the length over the images.
    """
    total = np.trace(covariance, axis1=1, axis2=2).astype(np.float64)
    length = np.linalg.norm(coordinates.astype(np.float64), axis=1)
    variance = total - mean_length.astype(np.float64) ** 2
    deviation = np.sqrt(np.where(variance > 1e-6 * total, variance, 0))
    return Measure(_ratio(length, np.sqrt(total)), _ratio(length - mean_length, deviation))


def text_in_image(text: NDArray, coordinates: NDArray, covariance: NDArray) -> Measure:
    """Returns the contribution y·t' of every head to the similarity of image and text, z over the images.

    Both are centered, so it is the difference from the average image and the average text.
    """
    amount = (text.astype(np.float64) * coordinates).sum(axis=1)
    variance = _along(text, covariance)
    total = np.trace(covariance, axis1=1, axis2=2) * (text**2).sum(axis=1)
    deviation = np.sqrt(np.where(variance > 1e-9 * total, variance, 0))
    return Measure(amount, _ratio(amount, deviation))


def _along(text: NDArray, covariance: NDArray) -> NDArray[np.float64]:
    """Returns t'S t of every head, [head]."""
    text = text.astype(np.float64)
    return (text * (covariance @ text[..., None])[..., 0]).sum(axis=1)


def _ratio(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    """Returns part / whole, NaN where the whole is not positive."""
    whole = np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
