"""Ranks among the models of several bundles, from their stored replicates."""

import pandas as pd

from precompute.method.metrics import ModelMetric
from precompute.stages.leaderboard import LeaderboardEntry, rank_ranges


def rank_rows(values: pd.DataFrame) -> pd.DataFrame:
    """Returns model_key, metric, heads_used, rank_low and rank_high of all ranked metrics.

    `values` has the rows of `db.merge.ranked_values`. Only models of one label rule are ranked together.
    """
    ranks: dict[tuple[str, str, str], tuple[int, int]] = {}
    for _, rows in values.groupby("label_rule"):
        ranks |= rank_ranges([_entry(str(key), of_model) for key, of_model in rows.groupby("model_key")])
    columns = ["model_key", "metric", "heads_used", "rank_low", "rank_high"]
    return pd.DataFrame([(*name, *ends) for name, ends in ranks.items()], columns=columns)


def _entry(model_key: str, rows: pd.DataFrame) -> LeaderboardEntry:
    metrics = [ModelMetric(row.metric, row.heads_used, _number(row.value), None) for row in rows.itertuples()]
    names = zip(rows["metric"], rows["heads_used"], strict=True)
    return LeaderboardEntry(model_key, 0, metrics, dict(zip(names, rows["replicates"], strict=True)), True)


def _number(value: float) -> float | None:
    return None if pd.isna(value) else value
