"""Cached specifications of the leaderboard's charts: building them takes longer than the rest of the page."""

from typing import Any

from dashboard.charts import leaderboard as leaderboard_charts
from dashboard.charts import scatter as scatter_charts
from dashboard.data import cached, leaderboard, leaderboard_facts
from dashboard.data.leaderboard import MODEL, RANDOM_WEIGHTS, ROTATED
from dashboard.data.types import Source
from db.connection import Bundle

PARTS = (MODEL, RANDOM_WEIGHTS, ROTATED)

Spec = dict[str, Any]
"""A chart as a Vega-Lite specification."""


@cached.kept(max_entries=64)
def metric_spec(bundle: Bundle, metric: str, over: str, label_kind: str) -> Spec:
    """Returns the chart of one metric over all models."""
    table = leaderboard.leaderboard_of(bundle, metric, over, label_kind)
    lines, title = leaderboard.one_metric(table), _title(table.metrics[metric])
    return leaderboard_charts.standings(lines, PARTS, title=title).to_dict()


@cached.kept(max_entries=64)
def scatter_spec(bundle: Bundle, metric: str, over: str, label_kind: str, fact: str) -> Spec:
    """Returns the chart of one metric against one fact of the models."""
    table = leaderboard.leaderboard_of(bundle, metric, over, label_kind)
    (points, _), titles = leaderboard_facts.beside(table, fact), leaderboard_facts.UNITS
    y_title, log = _title(table.metrics[metric]), fact == "parameters"
    return scatter_charts.scatter(points, PARTS, x_title=titles[fact], y_title=y_title, log=log).to_dict()


def _title(metric: Any) -> str:
    return f"{metric.title} ({metric.unit})"


@cached.kept(max_entries=16)
def coverage_spec(source: Source) -> Spec:
    """Returns the chart of the shares of one model's layers."""
    parts, kinds = leaderboard_facts.coverage(source), list(leaderboard_facts.KINDS.values())
    return leaderboard_charts.coverage_bars(parts, kinds).to_dict()
