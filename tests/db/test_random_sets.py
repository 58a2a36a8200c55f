"""Random sets of heads of like variance, on answers known by hand."""

from itertools import combinations

import numpy as np
import torch

from db.random_sets import DRAWS, random_sets

VARIANCE = np.array([5.0, 1.0, 1.1, 0.9, 4.0, 0.2, 0.1, 3.0, 2.0, 0.3])


def test_random_sets_are_as_large_and_as_heavy_and_have_none_of_the_heads():
    chosen = (1, 4)  # 5.0 in all

    sets = random_sets(VARIANCE, chosen, seed=0)

    others = [head for head in range(10) if head not in chosen]
    by_distance = sorted(
        combinations(others, 2), key=lambda drawn: abs(float(VARIANCE[list(drawn)].sum()) - 5)
    )
    assert sets[0] == (7, 8)  # 3.0 + 2.0
    assert len(sets) == 20
    assert set(sets) == set(by_distance[:20])


def test_random_sets_are_the_same_for_one_seed_and_not_repeated():
    variance = np.linspace(1, 2, 64)
    chosen = tuple(range(0, 20, 2))

    first, same, other = (random_sets(variance, chosen, seed) for seed in (0, 0, 1))

    assert first == same != other
    assert len(set(first)) == 20
    assert all(not set(chosen) & set(drawn) for drawn in first)


def test_where_few_other_heads_are_left_random_sets_may_share_some():
    """Three of four heads: the only sets are the other three of their kind."""
    sets = random_sets(np.array([4.0, 3.0, 2.0, 1.0]), (0, 1, 2), seed=0)

    assert sets == [(0, 1, 3), (0, 2, 3), (1, 2, 3)]


def test_all_heads_have_no_random_sets_beside_them():
    assert random_sets(np.ones(3), (0, 1, 2), seed=0) == []


def test_sets_are_drawn_by_the_numbers_that_torch_draws_for_the_seed():
    """Scores of older bundles were drawn by torch. Of 60 heads 8 are drawn: 2000 sets are few of all."""
    heads = np.arange(60)
    order = torch.rand(DRAWS, 60, generator=torch.Generator().manual_seed(3)).argsort(dim=-1)[:, :8]
    by_torch = {tuple(sorted(row)) for row in order.tolist()}

    drawn = random_sets(np.append(np.ones(60), np.ones(8)), range(60, 68), seed=3)

    assert set(drawn) <= by_torch
    assert set(map(len, drawn)) == {8} and set(np.concatenate(drawn)) <= set(heads)
