"""Maps of a text over an image: token contributions times the text.

Topic map: (contribution of one patch through the shown heads)·t. Contrastive map: map(A) - map(B). Every map
has the parts that sum to the whole score: shown patches + class token of the shown heads + other heads +
MLPs and input. (Gandelsman et al. 2024, section 4; token 0 is the class token.)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PART_NAMES = (
    "Shown patches",
    "Class token of the shown heads",
    "Other stored heads",
    "MLPs, earlier layers and input",
)
STEPS = (1, 1.5, 2, 3, 5, 7, 10)
ROBUST = 0.99
"""Share of the values of maps that an automatic scale covers."""


class Parts(NamedTuple):
    """The four parts of a score; their sum is the score."""

    patches: float
    class_token: float
    other_heads: float
    rest: float

    @property
    def score(self) -> float:
        return sum(self)


class TextMap(NamedTuple):
    """A map over the patches of one image, with the parts of its score."""

    grid: NDArray[np.float64]
    """[row, column], row 0 at the top of the picture."""

    parts: Parts


def token_scores(tokens: NDArray, basis: NDArray, text: NDArray) -> NDArray[np.float64]:
    """Returns the contribution of every token through every head times a text [d_out], [head, token].

    `tokens` [head, token, rank] are uncentered.
    """
    text_in_heads = basis @ text  # [head, rank] float64, as the text is
    return np.einsum("htr,hr->ht", tokens, text_in_heads)


def text_map(
    tokens: NDArray, basis: NDArray, rest: NDArray, text: NDArray, shown: NDArray, shape: tuple[int, int]
) -> TextMap:
    """Returns the map of one text [d_out] over one image, through the heads of the mask `shown` [head].

    `tokens` [head, token, rank] are uncentered; `rest` [d_out] is the contribution of everything else than
    stored heads.
    """
    return map_of_scores(token_scores(tokens, basis, text), float(rest @ text), shown, shape)


def map_of_scores(scores: NDArray, rest: float, shown: NDArray, shape: tuple[int, int]) -> TextMap:
    """Returns the map through the heads of the mask `shown`, from the `token_scores` and that of the rest."""
    shown_score = scores[shown].sum(axis=0)  # [token]
    grid = shown_score[1:].reshape(shape)
    parts = Parts(float(grid.sum()), float(shown_score[0]), float(scores[~shown].sum()), rest)
    return TextMap(grid, parts)


def contrast(a: TextMap, b: TextMap) -> TextMap:
    """Returns the map of A minus the map of B, through the same heads."""
    return TextMap(a.grid - b.grid, Parts(*(x - y for x, y in zip(a.parts, b.parts, strict=True))))


def symmetric_limit(*grids: NDArray, share: float = ROBUST) -> float:
    """Returns the next round number above a share of all absolute values.

    By default a few strong patches do not set the scale; with a share of 1 no value lies beyond it.
    """
    values = np.abs(np.concatenate([np.ravel(grid) for grid in grids]))
    large = float(np.quantile(values, share, method="lower") or values.max())
    if large == 0 or not np.isfinite(large):
        return 1.0
    power = 10.0 ** np.floor(np.log10(large))
    return float(next(step * power for step in STEPS if step * power >= large * (1 - 1e-9)))


def beyond(limit: float, *grids: NDArray) -> int:
    """Returns the number of values of all maps that a scale to `limit` shows as its end."""
    return sum(int((np.abs(grid) > limit * (1 + 1e-9)).sum()) for grid in grids)


class Why(NamedTuple):
    """Parts of a score difference of two texts; `heads.sum() + rest + average` is the difference.

    A head's part is its difference from the average image: (c_h - m_h)·(t_A - t_B).
    """

    heads: NDArray[np.float64]
    """[head] Part of each head beyond the average image."""

    rest: float
    """Part of MLPs, earlier layers and input beyond the average image."""

    average: float
    """Score difference of the average image of the bundle."""


def why(
    coordinates: NDArray,
    mean: NDArray,
    basis: NDArray,
    rest: NDArray,
    mean_embedding: NDArray,
    direction: NDArray,
) -> Why:
    """Decomposes e·`direction`: [d_out] t_A - t_B; `coordinates` [head, rank] are uncentered."""
    direction_in_heads = basis.astype(np.float64) @ direction  # [head, rank]
    average = float(mean_embedding @ direction)
    heads = np.einsum("hr,hr->h", coordinates - mean, direction_in_heads)
    average_rest = average - float(np.einsum("hr,hr->", mean, direction_in_heads))
    return Why(heads, float(rest @ direction) - average_rest, average)
