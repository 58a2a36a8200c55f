"""Charts of the leaderboard, written out and kept: that takes longer than all else on the page together."""

from typing import Any

from dashboard.charts import leaderboard as leaderboard_charts
from dashboard.charts import scatter as scatter_charts
from dashboard.data import cached, leaderboard, leaderboard_facts
from dashboard.data.leaderboard import MODEL, RANDOM_WEIGHTS, ROTATED
from dashboard.data.types import Source
from db.connection import Bundle

PARTS = (MODEL, RANDOM_WEIGHTS, ROTATED)

Spec = dict[str, Any]
"""A chart, written out."""


@cached.kept(max_entries=64)
def metric_spec(bundle: Bundle, metric: str, over: str, label_kind: str) -> Spec:
    """The chart of one metric over all models."""
    found = leaderboard.leaderboard_of(bundle, metric, over, label_kind)
    info = found.metrics[metric]
    one = leaderboard.one_metric(found)
    return leaderboard_charts.standings(one, PARTS, title=f"{info.title} ({info.unit})").to_dict()


@cached.kept(max_entries=64)
def scatter_spec(bundle: Bundle, metric: str, over: str, label_kind: str, fact: str) -> Spec:
    """The chart of one metric against one fact of the models."""
    found = leaderboard.leaderboard_of(bundle, metric, over, label_kind)
    info = found.metrics[metric]
    return scatter_charts.scatter(
        leaderboard_facts.beside(found, fact).points,
        PARTS,
        x_title=leaderboard_facts.UNITS[fact],
        y_title=f"{info.title} ({info.unit})",
        log=fact == "parameters",
    ).to_dict()


@cached.kept(max_entries=16)
def coverage_spec(source: Source) -> Spec:
    """The chart of what the layers of one model account for."""
    return leaderboard_charts.coverage_bars(
        leaderboard_facts.coverage(source), [*leaderboard_facts.KINDS.values()]
    ).to_dict()
