"""Parts of a difference of scores sum to it."""

import numpy as np
import pytest

from dashboard.analyses.score_difference import why
from tests.support.spaces import D_OUT, IMAGES


def test_why_adds_up_to_the_score_difference(space):
    basis, mean, images, contribution = space
    rng = np.random.default_rng(5)
    rests = rng.normal(size=(IMAGES, D_OUT))
    embedding = contribution.sum(axis=1) + rests
    centered = contribution.mean(axis=0)
    mean = np.einsum("hd,hrd->hr", centered, basis)
    direction = rng.normal(size=D_OUT)
    coordinates = np.einsum("hd,hrd->hr", contribution[9], basis)

    found = why(coordinates, mean, basis, rests[9], embedding.mean(axis=0), direction)

    assert found.difference == pytest.approx(float(embedding[9] @ direction), abs=1e-6)
    np.testing.assert_allclose(found.heads, (contribution[9] - centered) @ direction, atol=1e-9)
    assert found.rest == pytest.approx(float((rests[9] - rests.mean(axis=0)) @ direction), abs=1e-6)
