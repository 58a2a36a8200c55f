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


def text_map(
    tokens: NDArray, basis: NDArray, rest: NDArray, text: NDArray, shown: NDArray, shape: tuple[int, int]
) -> TextMap:
    """Returns the map of one text [d_out] over one image, through the heads of the mask `shown` [head].

    `tokens` [head, token, rank] are uncentered; `rest` [d_out] is the contribution of everything else than
    stored heads.
    """
    text_in_heads = basis.astype(np.float64) @ text  # [head, rank]
    score = np.einsum("htr,hr->ht", tokens.astype(np.float64), text_in_heads)  # [head, token]
    shown_score = score[shown].sum(axis=0)  # [token]
    grid = shown_score[1:].reshape(shape)
    parts = Parts(float(grid.sum()), float(shown_score[0]), float(score[~shown].sum()), float(rest @ text))
    return TextMap(grid, parts)


def contrast(a: TextMap, b: TextMap) -> TextMap:
    """Returns the map of A minus the map of B, through the same heads."""
    return TextMap(a.grid - b.grid, Parts(*(x - y for x, y in zip(a.parts, b.parts, strict=True))))


def relative(text: NDArray, pool_mean: NDArray) -> NDArray:
    """Returns the text minus the pool's mean text.

    All texts share a common direction, so the zero of a plain map is a convention; here it is the score of
    the mean text.
    """
    return text.astype(np.float64) - pool_mean


def symmetric_limit(*grids: NDArray) -> float:
    """Returns the next round number above every value, so that similar maps share a scale."""
    largest = max(float(np.abs(grid).max(initial=0)) for grid in grids)
    if largest == 0 or not np.isfinite(largest):
        return 1.0
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(step * power for step in STEPS if step * power >= largest * (1 - 1e-9)))
