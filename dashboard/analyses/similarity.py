"""Linear CKA of one head with the other heads of its model, on the same images. Numpy only.

The measure of `precompute.method.head_matching`, which the page Compare shows between models: with the
unbiased estimate of HSIC, so that its mean is 0 for independent outputs of any dimension.
"""

import numpy as np
from numpy.typing import NDArray

MIN_IMAGES = 4
"""Minimum number of images of the unbiased HSIC."""


def cka(head: NDArray, others: NDArray) -> NDArray[np.float64]:
    """Returns the debiased linear CKA of outputs [image, rank] with those of others [image, head, rank].

    NaN where a head is constant, or with too few images.
    """
    count = len(head)
    if count < MIN_IMAGES:
        return np.full(others.shape[1], np.nan)
    x, (y, defined) = _scaled(head[:, None])[0][:, 0], _scaled(others)
    flat = y.reshape(count, -1)
    cross = ((x.T @ flat) ** 2).reshape(len(x.T), *y.shape[1:]).sum(axis=(0, 2), dtype=np.float64)
    gram = np.einsum("nhr,nhs->hrs", y, y, optimize=True)
    own = _hsic((gram**2).sum(axis=(1, 2), dtype=np.float64), (_squares(y) ** 2).sum(axis=0), count)
    mine = _hsic(((x.T @ x) ** 2).sum(dtype=np.float64), (_squares(x) ** 2).sum(), count)
    between = _hsic(cross, _squares(x) @ _squares(y), count)
    scale = np.sqrt(np.maximum(mine * own, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(defined & (scale > 0), np.clip(between / scale, -1, 1), np.nan)


def _scaled(outputs: NDArray) -> tuple[NDArray, NDArray[np.bool_]]:
    """Returns outputs [image, head, rank] centered and of total length 1, and which heads vary."""
    centered = outputs - outputs.mean(axis=0, dtype=np.float64).astype(outputs.dtype)
    total = (centered.astype(np.float64) ** 2).sum(axis=(0, 2))
    varies = total > 1e-9 * (outputs.astype(np.float64) ** 2).sum(axis=(0, 2))
    return centered / np.sqrt(np.where(varies, total, 1))[:, None].astype(outputs.dtype), varies


def _squares(outputs: NDArray) -> NDArray[np.float64]:
    """Returns the squared length of every output, [image] or [image, head]."""
    return (outputs.astype(np.float64) ** 2).sum(axis=-1)


def _hsic(cross: NDArray, squares: NDArray, count: int) -> NDArray[np.float64]:
    """Returns the unbiased HSIC of outputs of total length 1, from |X'Y|² and Σ |x_i|² |y_i|²."""
    return cross - count / (count - 2) * squares + 1 / ((count - 1) * (count - 2))
