"""Ranks from stored replicates: among models of one label rule, by every ranked metric."""

import numpy as np
import pandas as pd

from precompute.tools.merge_bundles.ranks import rank_rows

NOISE = np.random.default_rng(0).normal(scale=0.001, size=50)


def row(
    key: str, value: float | None, rule: str = "rule 1", metric: str = "text_consistency_crossfit"
) -> tuple:
    center = np.nan if value is None else value
    return key, rule, metric, "all", center, (center + NOISE).tolist()


def ranks(*rows) -> dict[str, tuple[int, int]]:
    names = ["model_key", "label_rule", "metric", "heads_used", "value", "replicates"]
    table = rank_rows(pd.DataFrame(rows, columns=names))
    return {row.model_key: (row.rank_low, row.rank_high) for row in table.itertuples()}


def test_the_model_with_the_larger_consistency_is_first():
    assert ranks(row("a", 0.5), row("b", 0.7), row("c", 0.5)) == {"a": (2, 3), "b": (1, 1), "c": (2, 3)}


def test_models_of_another_label_rule_are_ranked_among_themselves():
    rows = [row("a", 0.5), row("b", 0.7), row("c", 0.9, "rule 2"), row("d", 0.1, "rule 2")]

    assert ranks(*rows) == {"a": (2, 2), "b": (1, 1), "c": (1, 1), "d": (2, 2)}


def test_a_single_model_and_a_metric_without_ranks_have_none():
    assert ranks(row("a", 0.5)) == {}
    assert ranks(row("a", 0.5, metric="entanglement"), row("b", 0.7, metric="entanglement")) == {}
