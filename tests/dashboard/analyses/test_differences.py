"""Differences between models and between heads: by hand, and as the method's intervals have them."""

import numpy as np
import pandas as pd
import pytest
import torch

from dashboard.analyses import differences
from precompute.method import intervals

SAMPLES = np.random.default_rng(0).normal(size=(3, 40))


def model_rows(value: float) -> pd.DataFrame:
    facts = {"title": "Entanglement", "unit": "share", "direction": "lower", "position": 0}
    return pd.DataFrame([{"metric": "entanglement", "heads_used": "all", "value": value} | facts])


def model_replicates(samples: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"metric": ["entanglement"], "heads_used": "all", "replicates": [samples]})


def head_rows(values: list[float]) -> pd.DataFrame:
    facts = {"title": "Importance", "unit": "length", "direction": "neither", "position": 0}
    heads = range(len(values))
    return pd.DataFrame({"layer": 5, "head": heads, "metric": "importance", "value": values}).assign(**facts)


def head_replicates(samples: np.ndarray) -> pd.DataFrame:
    heads = range(len(samples))
    return pd.DataFrame({"layer": 5, "head": heads, "metric": "importance", "replicates": list(samples)})


def pairs(order: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"layer": 5, "head": range(len(order)), "other_layer": 5, "other_head": order})


def test_intervals_are_those_of_the_method():
    samples = np.concatenate([SAMPLES, np.where(np.arange(40) < 25, np.nan, SAMPLES[:1])])

    found = differences.intervals(np.array([0.5, 0, 1, 0]), samples)

    values = zip([0.5, 0.0, 1.0], SAMPLES, strict=True)
    expected = [intervals.interval(value, list(row)) for value, row in values]
    assert found[:3].tolist() == [pytest.approx(list(ends)) for ends in expected]
    assert np.isnan(found[3]).all()


def test_one_difference_is_sure_where_the_method_says_so():
    for value in (0.5, 1.5, 2.5):
        replicates = torch.tensor(np.stack([SAMPLES[0], np.zeros(40)], axis=1))
        above = intervals.surely_above(torch.tensor([value, 0.0]).double(), replicates)

        assert differences.surely_differ(np.array([value]), SAMPLES[:1]).tolist() == [bool(above[0, 1])]


def test_more_heads_make_each_less_sure():
    critical = max(
        value
        for value in np.arange(1, 3, 0.01)
        if not differences.surely_differ(np.array([value]), SAMPLES[:1])[0]
    )
    value = np.array([critical + 0.05, 0, 0])

    assert differences.surely_differ(value[:1], SAMPLES[:1])[0]
    assert not differences.surely_differ(value, SAMPLES).any()


def test_a_copy_differs_by_0_with_a_width_of_0():
    one, sampled = model_rows(0.25), model_replicates(SAMPLES[0])
    heads, sampled_heads = head_rows([1, 2, 3]), head_replicates(SAMPLES)

    model = differences.of_models((one, one), (sampled, sampled))
    of_heads = differences.of_heads(pairs([0, 1, 2]), (heads, heads), (sampled_heads, sampled_heads))

    for table in (model, of_heads):
        assert (table[["difference", "low", "high"]] == 0).all(axis=None)
    assert not of_heads["sure"].any()


def test_a_difference_is_that_of_paired_heads_and_its_interval_leaves_out_what_both_share():
    common = SAMPLES[:1]
    first, second = common + [[0], [5]], common + [[5.5], [1]]

    found = differences.of_heads(
        pairs([1, 0]),
        (head_rows([0, 5]), head_rows([5.5, 1])),
        (head_replicates(first), head_replicates(second)),
    )

    assert found["difference"].tolist() == [-1, -0.5]
    assert found[["low", "high"]].to_numpy().tolist() == [
        pytest.approx([-1, -1]),
        pytest.approx([-0.5, -0.5]),
    ]
    assert found["sure"].all()


def test_a_metric_without_replicates_has_a_difference_and_no_interval():
    empty = model_replicates(SAMPLES[0]).head(0)

    found = differences.of_models((model_rows(0.5), model_rows(0.25)), (empty, empty))

    assert found["difference"].tolist() == [0.25] and found[["low", "high"]].isna().all(axis=None)
