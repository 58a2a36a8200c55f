"""Outlier tokens: patches that write far more than the others, whatever the text.

Large models keep global information in a few patches of little content; their norm is an outlier, and maps
show them where the picture has nothing (Darcet et al. 2024, "Vision transformers need registers"). A bundle
holds no norms of tokens: the length of what a patch writes through the stored heads stands in.
"""

import numpy as np
from numpy.typing import NDArray

FENCE = 3.0
"""Distance from the upper quartile beyond which a value is far out, in interquartile ranges (Tukey 1977)."""

MIN_RATIO = 4.0
"""Smallest ratio of an outlier to the median: where patches are alike, quartiles are nearly equal."""

MAX_SHARE = 0.1
"""Largest share of patches that are outliers: more are an object. In the paper 2 % are outliers."""


def contribution_norms(tokens: NDArray, basis: NDArray) -> NDArray[np.float32]:
    """Returns the length of what every patch writes through all stored heads, [patch], no class token.

    `tokens` [head, token, rank], `basis` [head, rank, d_out].
    """
    heads, count, rank = tokens.shape
    flat = tokens[:, 1:].swapaxes(0, 1).reshape(count - 1, heads * rank)
    return np.linalg.norm(flat @ basis.reshape(heads * rank, -1), axis=1)


def outliers(norms: NDArray) -> NDArray[np.bool_]:
    """Returns a mask of the outliers among the norms of an image's patches, [patch].

    The logarithm of an outlier lies beyond the far-out fence of the logarithms, and the outlier is at least
    MIN_RATIO times the median. Norms of patches are skewed: on a linear scale every object would be marked.
    No patch is an outlier if more than MAX_SHARE of them would be.
    """
    logs = np.log(np.maximum(norms, np.finfo(np.float32).tiny))
    low, middle, high = np.quantile(logs, (0.25, 0.5, 0.75))
    beyond = (logs > high + FENCE * (high - low)) & (logs >= middle + np.log(MIN_RATIO))
    return beyond & (beyond.mean() <= MAX_SHARE)
