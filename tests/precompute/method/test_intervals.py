"""Intervals and ranks follow their formulas on replicates of defined spread."""

import pytest
import torch

from precompute.method.intervals import NONE, interval, rank_ranges, surely_above


def evenly(low: float, high: float) -> list[float]:
    """41 evenly spaced replicates: percentile p is low + p (high - low)."""
    return torch.linspace(low, high, 41, dtype=torch.float64).tolist()


def test_an_interval_is_the_spread_of_the_replicates_about_the_value():
    low, high = interval(0.7, evenly(0.0, 0.4))

    assert (low, high) == (pytest.approx(0.7 - 0.19), pytest.approx(0.7 + 0.19))


def test_an_interval_stays_within_the_range_of_its_metric():
    assert interval(0.9, evenly(0.0, 0.4), minimum=0.0, maximum=1.0) == (pytest.approx(0.71), 1.0)
    assert interval(0.1, evenly(0.0, 0.4), minimum=0.0, maximum=1.0) == (0.0, pytest.approx(0.29))


def test_an_interval_contains_its_value_however_skewed_the_replicates_are():
    """
    The mean of these replicates lies below their 2.5 percentile.
    """
    assert interval(0.5, [1.0] * 99 + [-100.0]) == (0.5, 0.5)


def test_replicates_that_do_not_define_a_statistic_are_left_out_until_half_are_missing():
    defined = evenly(0.0, 0.4)

    assert interval(0.7, defined + [None] * 41) == interval(0.7, defined)
    assert interval(0.7, defined + [None] * 42) == NONE
    assert interval(None, defined) == NONE
    assert interval(0.7, []) == NONE


def test_replicates_may_be_a_tensor_in_which_nan_is_missing():
    some = torch.tensor([0.0, 0.5, torch.nan, 1.0])

    assert interval(0.5, some) == interval(0.5, [0.0, 0.5, None, 1.0])


def noise(replicates: int, models: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(replicates, models, generator=generator, dtype=torch.float64)


def test_models_that_are_the_same_share_all_ranks():
    """
    Two identical models do not differ in any replicate; the third differs from both by noise only.
    """
    replicates = noise(200, 2)[:, [0, 0, 1]]

    assert rank_ranges([0.5, 0.5, 0.5], replicates, direction="higher") == [(1, 3)] * 3


@pytest.mark.parametrize(
    ("direction", "expected"), [("higher", [(3, 3), (1, 1), (2, 2)]), ("lower", [(1, 1), (3, 3), (2, 2)])]
)
def test_models_far_apart_have_exact_ranks(direction, expected):
    replicates = 0.01 * noise(200, 3) + torch.tensor([0.1, 0.9, 0.5])

    assert rank_ranges([0.1, 0.9, 0.5], replicates, direction=direction) == expected


def test_a_model_may_be_surely_last_while_the_first_two_are_tied():
    replicates = 0.05 * noise(200, 3) + torch.tensor([0.80, 0.82, 0.10])

    assert rank_ranges([0.80, 0.82, 0.10], replicates, direction="higher") == [(1, 2), (1, 2), (3, 3)]


def test_effects_common_to_all_models_do_not_change_their_order():
    """
    A difference of 0.02 is sure if both models move together by 1, but not if each moves independently.
    """
    together = noise(200, 1) + torch.tensor([0.0, 0.02]) + 0.001 * noise(200, 2, seed=1)
    alone = noise(200, 2) + torch.tensor([0.0, 0.02])

    assert rank_ranges([0.0, 0.02], together, direction="higher") == [(2, 2), (1, 1)]
    assert rank_ranges([0.0, 0.02], alone, direction="higher") == [(1, 2), (1, 2)]


def test_the_critical_value_is_the_quantile_of_the_largest_deviation_over_pairs():
    """
    Two models, one pair: d takes the values -10 to 10 in equal steps, so |d| sorted is 0, 1, 1, ..., 10, 10.
    The 95 % quantile of these 21 values is at index 19 of 0 to 20: 10.
    """
    step = torch.arange(-10.0, 11.0, dtype=torch.float64)
    replicates = torch.stack([step, torch.zeros(21, dtype=torch.float64)], dim=1)
    edge = 10.0

    just_sure = surely_above(torch.tensor([edge + 1e-6, 0.0], dtype=torch.float64), replicates)
    not_sure = surely_above(torch.tensor([edge - 1e-6, 0.0], dtype=torch.float64), replicates)

    assert just_sure.tolist() == [[False, True], [False, False]]
    assert not not_sure.any()


def test_more_pairs_need_a_larger_difference():
    """
    A difference that is sure for two models is not sure among twenty: the largest of 190 is larger.
    """
    replicates = noise(200, 20)
    value = torch.zeros(20, dtype=torch.float64)
    spread = float((replicates[:, 0] - replicates[:, 1]).std())
    value[0] = 2.5 * spread

    assert surely_above(value[:2], replicates[:, :2])[0, 1]
    assert not surely_above(value, replicates)[0, 1]


def test_ranks_of_pure_noise_are_wrong_in_at_most_one_leaderboard_of_twenty():
    """
    Values and replicates of six equal models have the same spread. A leaderboard is wrong if any model is
    surely above another.
    """
    wrong = [
        surely_above(noise(1, 6, seed=1000 + seed)[0], noise(200, 6, seed=seed)).any() for seed in range(400)
    ]

    assert 0.02 < sum(map(float, wrong)) / len(wrong) < 0.09


def test_a_difference_that_no_replicate_changes_is_sure_where_it_is_one():
    constant = torch.tensor([[0.3, 0.3, 0.4]]).double().expand(50, 3)

    assert rank_ranges([0.3, 0.3, 0.4], constant, direction="higher") == [(2, 3), (2, 3), (1, 1)]


def test_where_nothing_is_ranked_there_is_no_range():
    replicates = noise(50, 2)

    assert rank_ranges([0.1, 0.2], replicates, direction="neither") == [None, None]
    assert rank_ranges([0.1, None], replicates, direction="higher") == [None, None]
    assert rank_ranges([0.1, 0.2], replicates[:0], direction="higher") == [None, None]


def test_a_model_without_a_value_is_left_out_of_the_ranking():
    replicates = torch.tensor([0.0, 0.5, 1.0]) + 0.001 * noise(50, 3)
    replicates[:, 1] = torch.nan

    assert rank_ranges([0.0, None, 1.0], replicates, direction="higher") == [(2, 2), None, (1, 1)]


def test_a_metric_that_half_of_the_replicates_miss_is_not_ranked():
    replicates = noise(50, 2)
    replicates[:26, 0] = torch.nan

    assert rank_ranges([0.0, 1.0], replicates, direction="higher") == [None, None]
