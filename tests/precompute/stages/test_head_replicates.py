"""Replicates of a model: from the pool and the groups alone, kept layer by layer."""

import pytest
import torch

from tests.support import heads
from tests.support.heads import pool_of
from tests.support.replicates import OPTIONS, draws_of

SIZES = {"color": 30, "count": 31, "place": 24, "shape": 40}


@pytest.fixture(scope="module")
def pool():
    return pool_of(SIZES)


@pytest.fixture(scope="module")
def small(pool):
    """One head a layer: one along color, one of noise."""
    return heads.model(pool, [["color"], [None]])


def test_two_models_of_the_same_heads_do_not_differ_in_any_replicate(small, pool):
    """
    Halves depend on the pool and the groups alone, so equal heads get equal labels in every replicate.
    """
    options = OPTIONS._replace(replicates=10)

    first, second = draws_of(small, options), draws_of(small, options)
    other = draws_of(heads.model(pool, [["place"]] * 2, seed=9), options)

    assert torch.equal(first.resampled.label, second.resampled.label)
    assert all(map(torch.equal, first.halves, other.halves))
    assert not torch.equal(first.resampled.label, other.resampled.label)


def test_a_layer_that_is_there_is_not_computed_again(small, tmp_path):
    options = OPTIONS._replace(replicates=5)

    first = draws_of(small, options, tmp_path)
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = draws_of(small, options, tmp_path)

    assert len(kept) == 2
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == kept
    assert all(map(torch.equal, [*first.resampled, *first.crossed], [*again.resampled, *again.crossed]))


def test_other_inputs_never_meet_old_results(small, tmp_path):
    louder = small._replace(moments=small.moments._replace(second=2 * small.moments.second))

    draws_of(small, OPTIONS._replace(replicates=3), tmp_path)
    draws_of(small, OPTIONS._replace(replicates=3, seed=1), tmp_path)
    draws_of(small, OPTIONS._replace(replicates=4), tmp_path)
    draws_of(louder, OPTIONS._replace(replicates=3), tmp_path)

    assert len(list(tmp_path.iterdir())) == 4 * 2
