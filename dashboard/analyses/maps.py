"""Where heads read what a text names: token contributions times a text, over the picture.

Topic map: (contribution of one patch through the shown heads)·t. Contrastive map: map(A) - map(B). Beside
every map stand the parts that add up to the whole score: shown patches + class token of the shown heads +
other heads + MLPs and input. (Gandelsman et al. 2024, section 4; token 0 is the class token.)
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
    """A score taken apart; the four numbers add up to it."""

    patches: float
    class_token: float
    other_heads: float
    rest: float

    @property
    def score(self) -> float:
        return sum(self)


class TextMap(NamedTuple):
    """A map over the patches of one image, with the parts of the score it belongs to."""

    grid: NDArray[np.float64]
    """[row, column], row 0 at the top of the picture."""

    parts: Parts


def text_map(
    tokens: NDArray, basis: NDArray, rest: NDArray, text: NDArray, shown: NDArray, shape: tuple[int, int]
) -> TextMap:
    """Map of one text [d_out] over one image, through the heads where `shown` [head] is true.

    `tokens` [head, token, rank] are uncentered; `rest` [d_out] is the contribution of everything that is no
    stored head.
    """
    seen = basis.astype(np.float64) @ text  # [head, rank]
    score = np.einsum("htr,hr->ht", tokens.astype(np.float64), seen)  # [head, token]
    mine = score[shown].sum(axis=0)  # [token]
    grid = mine[1:].reshape(shape)
    parts = Parts(float(grid.sum()), float(mine[0]), float(score[~shown].sum()), float(rest @ text))
    return TextMap(grid, parts)


def contrast(a: TextMap, b: TextMap) -> TextMap:
    """Where the image is more of A than of B, by the same heads."""
    return TextMap(a.grid - b.grid, Parts(*(x - y for x, y in zip(a.parts, b.parts, strict=True))))


def relative(text: NDArray, pool_mean: NDArray) -> NDArray:
    """The text less the pool's mean text.

    The zero of a plain map is a convention, for all texts share a cone; here zero is the score of the mean
    text.
    """
    return text.astype(np.float64) - pool_mean


def symmetric_limit(*grids: NDArray) -> float:
    """The next round number that holds every value, so that like maps share a scale."""
    largest = max(float(np.abs(grid).max(initial=0)) for grid in grids)
    if largest == 0 or not np.isfinite(largest):
        return 1.0
    power = 10.0 ** np.floor(np.log10(largest))
    return float(next(step * power for step in STEPS if step * power >= largest * (1 - 1e-9)))
