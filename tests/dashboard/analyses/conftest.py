"""Heads of random bases, with their contributions in d_out."""

import numpy as np
import pytest

from tests.support.spaces import D_OUT, HEADS, IMAGES, RANK


@pytest.fixture
def space():
    """Bases with orthonormal rows, means, centered coordinates of images, their contributions in d_out."""
    rng = np.random.default_rng(0)
    basis = np.stack([np.linalg.qr(rng.normal(size=(D_OUT, RANK)))[0].T for _ in range(HEADS)])
    mean = rng.normal(size=(HEADS, RANK))
    images = rng.normal(size=(IMAGES, HEADS, RANK))
    contribution = np.einsum("ihr,hrd->ihd", images + mean, basis)
    return basis, mean, images, contribution
