"""Synthetic heads that several files resample."""

import pytest

from precompute.method import resampling
from tests.support import heads
from tests.support.heads import pool_of
from tests.support.replicates import FULL

SIZES = {"color": 30, "count": 31, "place": 24, "shape": 40}


@pytest.fixture(scope="module")
def pool():
    return pool_of(SIZES)


@pytest.fixture(scope="module")
def model(pool):
    """Layer 2: three heads, each along one property; layer 3: three noise heads."""
    return heads.model(pool, [["color", "count", "shape"], [None, None, None]])


@pytest.fixture(scope="module")
def small(pool):
    """One head a layer: one along color, one of noise."""
    return heads.model(pool, [["color"], [None]])


@pytest.fixture(scope="module")
def halves(pool):
    return resampling.halves(FULL, pool.tags, count=60, seed=0)
