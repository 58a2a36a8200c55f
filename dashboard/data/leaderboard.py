"""The leaderboard as tables: every model with its controls under it, by one metric or by all of them.

Reads `data`, knows nothing of Streamlit. Why a number is missing: `board_notes`.
"""

from math import inf, isnan, nan
from typing import Any, NamedTuple

import pandas as pd

from dashboard.data import cached
from dashboard.data.types import Source
from dashboard.state.views import LeaderboardView
from db.connection import Bundle

MODEL, RANDOM_WEIGHTS, ROTATED = "model", "control: random weights", "control: rotated heads"
"""What a line of the leaderboard is."""

MAIN = (
    "text_consistency_crossfit",
    "entanglement_smallest",
    "supported_share",
    "mean_stability",
    "association_3_crossfit",
    "entanglement_2",
    "mean_spanned_variance",
    "coverage_heads",
)
"""Metrics that the table shows first; where a bundle lacks some, its others take their place."""

DASH = "–"
"""Stands where there is no number."""

OFFLINE, CHOSEN = "offline", "chosen"


class Line(NamedTuple):
    """A line of the leaderboard."""

    model_key: str
    """The model, also where its heads are rotated."""

    under: str
    """model_key of the model that it stands under; its own for a model."""

    model: str
    """Name of that model."""

    part: str
    """MODEL, RANDOM_WEIGHTS or ROTATED."""


class Cell(NamedTuple):
    """One number of the leaderboard; what is not known is NaN."""

    value: float
    low: float
    high: float
    chance: float
    rank_low: float
    rank_high: float
    labels: str
    """offline or chosen: the labels that it rests on."""


NUMBERS = Cell._fields[:-1]
NOTHING = Cell(nan, nan, nan, nan, nan, nan, OFFLINE)


class Leaderboard(NamedTuple):
    """All that a bundle knows of its models over one set of heads, by one kind of labels."""

    lines: list[Line]
    """From top to bottom: the model easiest to interpret by the metric first, missing ones last."""

    cells: dict[tuple[str, bool, str], Cell]
    """By model, whether its heads are rotated, and metric; only what the bundle has rows of."""

    metrics: dict[str, Any]
    """What every metric of models means, by name, in the order of the pages."""

    ranked: dict[str, int]
    """How many models each metric ranks; metrics without ranks are left out."""

    models: dict[str, Any]
    """What is known of each model, by model_key."""

    metric: str
    """The one that the lines are sorted by."""

    min_images: int
    """Of a model with intervals."""

    def cell(self, line: Line, metric: str) -> Cell | None:
        """None where the bundle has no such row."""
        return self.cells.get((line.model_key, line.part == ROTATED, metric))


class Table(NamedTuple):
    """All metrics side by side, one row per line of the leaderboard."""

    numbers: pd.DataFrame
    """Values, to sort by: one column per metric, and one of its rank (the better end) where it has ranks."""

    words: pd.DataFrame
    """The same cells as they are read: value with interval, range of ranks."""


def rank_column(metric: str) -> str:
    return f"{metric} rank"


def of_view(source: Source, view: LeaderboardView) -> Leaderboard:
    return leaderboard_of(source.bundle, view.metric, view.over, view.label_kind)


@cached.kept(max_entries=64)
def leaderboard_of(bundle: Bundle, metric: str, over: str, label_kind: str) -> Leaderboard:
    """The leaderboard of a bundle, sorted by one metric."""
    models = {row.model_key: row for row in cached.models(bundle).itertuples()}
    titles = metric_titles(bundle, label_kind)
    metrics = {
        row.metric: row for row in cached.query(bundle, "metrics").itertuples() if row.metric in titles
    }
    cells = _cells(bundle, over, label_kind)
    groups = _groups(models, set(cached.query(bundle, "rotated_metrics")["model_key"]))
    lower = metrics[metric].direction == "lower"

    def place(group: list[Line]) -> tuple:
        value = cells.get((group[0].model_key, False, metric), NOTHING).value
        by_value = inf if isnan(value) else value if lower else -value
        return group[0].part != MODEL, by_value, group[0].model

    lines = [line for group in sorted(groups, key=place) for line in group]
    ranks = pd.Series([name for (*_, name), cell in cells.items() if not isnan(cell.rank_low)], dtype=str)
    counts = ranks.value_counts().to_dict()
    min_images = int(cached.query(bundle, "image_set")["min_images_for_intervals"].iloc[0])
    return Leaderboard(lines, cells, metrics, counts, models, metric, min_images)


def _cells(bundle: Bundle, over: str, label_kind: str) -> dict[tuple[str, bool, str], Cell]:
    """Every number. By chosen labels, a model without any keeps what it has by offline ones."""
    own, turned = cached.leaderboard(bundle), cached.query(bundle, "rotated_metrics")
    own = own[own["heads_used"] == over]
    offline, chosen = own[own["labels"] == OFFLINE], own[own["labels"] == CHOSEN]
    found = {(row.model_key, False, row.metric): _cell(row) for row in offline.itertuples()}
    if label_kind == CHOSEN:
        found |= {(row.model_key, False, row.metric): _cell(row) for row in chosen.itertuples()}
        mixed = set(chosen["metric"])  # ranks hold among models that are all measured one way
        found = {
            key: cell._replace(rank_low=nan, rank_high=nan) if key[2] in mixed else cell
            for key, cell in found.items()
        }
    turned = turned[turned["heads_used"] == over]
    return found | {(row.model_key, True, row.metric): _cell(row) for row in turned.itertuples()}


def _cell(row: Any) -> Cell:
    """A row of the leaderboard or of the rotated metrics; the second have neither chance nor rank."""
    found = {name: getattr(row, name, nan) for name in NUMBERS}
    known = {name: nan if pd.isna(one) else float(one) for name, one in found.items()}
    return Cell(**known, labels=getattr(row, "labels", OFFLINE))


def _groups(models: dict[str, Any], turned: set[str]) -> list[list[Line]]:
    """Every model with its controls after it; a control whose model is not here stands alone."""
    names = {row.model for row in models.values()}
    found = []
    for key, row in models.items():
        if row.control_of in names:
            continue
        twins = [twin for twin in models.values() if twin.control_of == row.model]
        group = [
            Line(one.model_key, key, row.model, RANDOM_WEIGHTS if one.is_control else MODEL)
            for one in (row, *twins)
        ]
        group += [Line(key, key, row.model, ROTATED)] * (key in turned)
        found.append(group)
    return found


def has_chosen(source: Source) -> bool:
    """Whether any model has metrics of labels that a person or a language model gave."""
    return bool((cached.leaderboard(source.bundle)["labels"] == CHOSEN).any())


def published(source: Source) -> pd.DataFrame:
    """Figures that papers print."""
    return cached.query(source.bundle, "published")


def metric_titles(bundle: Bundle, label_kind: str) -> dict[str, str]:
    """Metrics of models that a bundle has, by name; some rest on chosen labels alone."""
    found = cached.leaderboard(bundle)
    if label_kind != CHOSEN:
        found = found[found["labels"] != CHOSEN]
    found = found.drop_duplicates("metric").sort_values("position", kind="stable")
    return dict(zip(found["metric"], found["title"], strict=True))


def rank_words(cell: Cell) -> str:
    """1–2, or 3 where both ends are one; empty without a rank."""
    if isnan(cell.rank_low):
        return ""
    low, high = int(cell.rank_low), int(cell.rank_high)
    return f"{low}" if low == high else f"{low}–{high}"


def one_metric(leaderboard: Leaderboard) -> pd.DataFrame:
    """One row per line of the leaderboard: its metric with interval, chance and rank range."""
    among = leaderboard.ranked.get(leaderboard.metric, 0)
    rows = []
    for line in leaderboard.lines:
        cell = leaderboard.cell(line, leaderboard.metric) or NOTHING
        rank = rank_words(cell)
        rows.append((*line, *cell[: len(NUMBERS)], f"{rank} of {among}" if rank else ""))
    return pd.DataFrame(rows, columns=[*Line._fields, *NUMBERS, "rank"])


def shown_metrics(leaderboard: Leaderboard, columns: str) -> list[str]:
    """Metrics of the table, ranked ones first: the main ones, or all that a model has a value of."""
    valued = {metric for (*_, metric), cell in leaderboard.cells.items() if not isnan(cell.value)}
    names = [metric for metric in leaderboard.metrics if metric in valued]
    if columns == "main":
        main = [metric for metric in MAIN if metric in names]
        names = [*main, *(metric for metric in names if metric not in main)][: len(MAIN)]
    return sorted(names, key=lambda metric: metric not in leaderboard.ranked)


def table(leaderboard: Leaderboard, columns: str) -> Table:
    """All metrics side by side; `columns` is main or all."""
    numbers: dict[str, list] = {
        "model": [line.model for line in leaderboard.lines],
        "control": [line.part.partition(": ")[2] for line in leaderboard.lines],
    }
    words = dict(numbers)
    for metric in shown_metrics(leaderboard, columns):
        unit = leaderboard.metrics[metric].unit
        found = [leaderboard.cell(line, metric) or NOTHING for line in leaderboard.lines]
        numbers[metric] = [cell.value for cell in found]
        words[metric] = [value_words(cell, unit) for cell in found]
        if metric in leaderboard.ranked:
            name = rank_column(metric)
            numbers[name] = [cell.rank_low for cell in found]
            words[name] = [rank_words(cell) for cell in found]
    return Table(pd.DataFrame(numbers), pd.DataFrame(words))


def value_words(cell: Cell, unit: str) -> str:
    """0.63 [0.58, 0.67]; counts of heads without decimals; a dash where there is no value."""
    if isnan(cell.value):
        return DASH
    form = ".0f" if unit == "heads" else ".2f"
    between = "" if isnan(cell.low) else f" [{cell.low:{form}}, {cell.high:{form}}]"
    return f"{cell.value:{form}}{between}"


def every_number(leaderboard: Leaderboard) -> pd.DataFrame:
    """One row per line and metric: all that the leaderboard knows, in full."""
    rows = [
        (line.model_key, line.model, line.part, metric, info.title, *cell)
        for line in leaderboard.lines
        for metric, info in leaderboard.metrics.items()
        if (cell := leaderboard.cell(line, metric)) is not None
    ]
    return pd.DataFrame(rows, columns=["model_key", "model", "part", "metric", "title", *Cell._fields])
