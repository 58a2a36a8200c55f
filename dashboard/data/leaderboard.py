"""The leaderboard as tables: every model with its controls below it, by one metric or by all metrics.

Reads `data`, knows nothing of Streamlit. Reasons for missing numbers: `leaderboard_notes`.
"""

from math import inf, isnan, nan
from typing import Any, NamedTuple

import pandas as pd

from dashboard.analyses.saturation import tells_nothing_apart
from dashboard.data import cached, digits
from dashboard.data.types import Source
from dashboard.state.views import LeaderboardView
from db.connection import Bundle

MODEL, RANDOM_WEIGHTS, ROTATED = "model", "control: random weights", "control: rotated heads"
"""Kinds of lines."""

MAIN = {
    "text_consistency_crossfit": "Text consistency",
    "supported_share": "Supported heads",
    "association_3_crossfit": "Association at 3",
    "entanglement_smallest": "Shared labels",
    "mean_stability": "Stability",
    "mean_spanned_variance": "Spanned variance",
    "coverage_heads": "Coverage of heads",
    "entanglement_2": "Shared by two",
}
"""Main metrics of the table by importance, with short titles."""

MAIN_COUNT = 5
"""Maximum number of main metrics: as many as fit beside the names on a page of 1,440 pixels."""

DASH = "–"
"""Shown for a missing number."""

OFFLINE, CHOSEN = "offline", "chosen"


class Line(NamedTuple):
    """A line of the leaderboard."""

    model_key: str
    """The model, also for its rotated heads."""

    under: str
    """model_key of the model that the line belongs to; its own for a model."""

    model: str
    """Name of that model."""

    part: str
    """MODEL, RANDOM_WEIGHTS or ROTATED."""


class Cell(NamedTuple):
    """One number of the leaderboard; NaN if unknown."""

    value: float
    low: float
    high: float
    chance: float
    rank_low: float
    rank_high: float
    labels: str
    """Labels that the number uses: offline or chosen."""


NUMBERS = Cell._fields[:-1]
NOTHING = Cell(nan, nan, nan, nan, nan, nan, OFFLINE)


class Leaderboard(NamedTuple):
    """All metrics of all models over one set of heads, by one kind of labels."""

    lines: list[Line]
    """From top to bottom: the model easiest to interpret by the metric first, missing values last."""

    cells: dict[tuple[str, bool, str], Cell]
    """By model, rotated heads or not, and metric; only rows of the bundle."""

    metrics: dict[str, Any]
    """Rows of the table `metric` by name, in the order of the pages."""

    ranked: dict[str, int]
    """Number of models that each metric ranks; metrics without ranks are left out."""

    models: dict[str, Any]
    """Rows of the table `model` by model_key."""

    metric: str
    """The metric that sorts the lines."""

    min_images: int
    """Smallest number of images of a model with intervals."""

    def cell(self, line: Line, metric: str) -> Cell | None:
        """Returns the number of a line; None if the bundle has no such row."""
        return self.cells.get((line.model_key, line.part == ROTATED, metric))


class Table(NamedTuple):
    """All metrics side by side, one row per line of the leaderboard."""

    numbers: pd.DataFrame
    """Values to sort by: a column per metric, and a column of ranks (the better end) per ranked metric."""

    words: pd.DataFrame
    """Text of the same cells: value with interval, range of ranks."""


def rank_column(metric: str) -> str:
    return f"{metric} rank"


@cached.kept(max_entries=16)
def first_metric(bundle: Bundle) -> str:
    """Returns the first metric with ranks, else the first metric, that tells models apart."""
    rows = cached.leaderboard(bundle)
    ranked, names = set(rows.loc[rows["rank_low"].notna(), "metric"]), list(metric_titles(bundle, OFFLINE))
    names = [name for name in names if name in ranked] or names
    leaderboard = leaderboard_of(bundle, names[0], "all", OFFLINE)
    defined = [name for name in names if name in _valued(leaderboard)]
    return next((name for name in defined if not saturated(leaderboard, name)), names[0])


def first_leaderboard(bundle: Bundle) -> Leaderboard:
    """Returns the leaderboard by the first metric, over all heads and offline labels."""
    return leaderboard_of(bundle, first_metric(bundle), "all", OFFLINE)


def of_view(source: Source, view: LeaderboardView) -> Leaderboard:
    return leaderboard_of(source.bundle, view.metric, view.over, view.label_kind)


@cached.kept(max_entries=64)
def leaderboard_of(bundle: Bundle, metric: str, over: str, label_kind: str) -> Leaderboard:
    """Returns the leaderboard of a bundle, sorted by one metric."""
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
    """Returns every number. Models without chosen labels keep their numbers by offline labels."""
    rows, rotated = (
        table[table["heads_used"] == over]
        for table in (cached.leaderboard(bundle), cached.query(bundle, "rotated_metrics"))
    )
    cells = {(row.model_key, False, row.metric): _cell(row) for row in _rows(rows, OFFLINE)}
    if label_kind == CHOSEN:
        cells |= {(row.model_key, False, row.metric): _cell(row) for row in _rows(rows, CHOSEN)}
        mixed = {row.metric for row in _rows(rows, CHOSEN)}  # ranks need one kind of labels for all models
        for key in [key for key in cells if key[2] in mixed]:
            cells[key] = cells[key]._replace(rank_low=nan, rank_high=nan)
    return cells | {(row.model_key, True, row.metric): _cell(row) for row in rotated.itertuples()}


def _rows(metrics: pd.DataFrame, labels: str) -> Any:
    return metrics[metrics["labels"] == labels].itertuples()


def _cell(row: Any) -> Cell:
    """Returns a row of the leaderboard or of the rotated metrics, which have neither chance nor rank."""
    numbers = [getattr(row, name, nan) for name in NUMBERS]
    return Cell._make([*(nan if pd.isna(n) else float(n) for n in numbers), getattr(row, "labels", OFFLINE)])


def _groups(models: dict[str, Any], rotated: set[str]) -> list[list[Line]]:
    """Returns every model with its controls; a control without its model is a group of its own."""
    names = {row.model for row in models.values()}
    groups = []
    for key, row in models.items():
        if row.control_of not in names:
            members = [row, *(control for control in models.values() if control.control_of == row.model)]
            parts = [(member.model_key, RANDOM_WEIGHTS if member.is_control else MODEL) for member in members]
            parts += [(key, ROTATED)] * (key in rotated)
            groups.append([Line(member, key, row.model, part) for member, part in parts])
    return groups


def has_chosen(source: Source) -> bool:
    """Returns True if any model has metrics by labels of a person or a language model."""
    return bool((cached.leaderboard(source.bundle)["labels"] == CHOSEN).any())


def metric_titles(bundle: Bundle, label_kind: str) -> dict[str, str]:
    """Returns titles of the model metrics of a bundle by name; some need chosen labels."""
    rows = cached.leaderboard(bundle)
    if label_kind != CHOSEN:
        rows = rows[rows["labels"] != CHOSEN]
    rows = rows.drop_duplicates("metric").sort_values("position", kind="stable")
    return dict(zip(rows["metric"], rows["title"], strict=True))


def rank_words(cell: Cell) -> str:
    """Returns a range like 1–2, or 3 if both ends are equal; empty without a rank."""
    if isnan(cell.rank_low):
        return ""
    low, high = int(cell.rank_low), int(cell.rank_high)
    return f"{low}" if low == high else f"{low}–{high}"


def one_metric(leaderboard: Leaderboard) -> pd.DataFrame:
    """Returns one row per line: its metric with interval, chance and range of ranks."""
    count, rows = leaderboard.ranked.get(leaderboard.metric), []
    for line in leaderboard.lines:
        cell = leaderboard.cell(line, leaderboard.metric) or NOTHING
        rank = rank_words(cell)
        rows.append((*line, *cell[:-1], f"{rank} of {count}" if rank else ""))
    return pd.DataFrame(rows, columns=[*Line._fields, *NUMBERS, "rank"])


def shown_metrics(leaderboard: Leaderboard, columns: str) -> list[str]:
    """Returns the metrics of the table: `main`, the chosen metric first, or all with a value.

    Among all, ranked metrics are first. Main metrics are those of MAIN, then the others, that tell lines
    apart.
    """
    valued = _valued(leaderboard)
    names = [metric for metric in leaderboard.metrics if metric in valued]
    if columns == "main":
        main = [metric for metric in MAIN if metric in names]
        main += [metric for metric in names if metric not in MAIN]
        chosen = [metric for metric in names if metric == leaderboard.metric]
        useful = [metric for metric in main if not saturated(leaderboard, metric)]
        return list(dict.fromkeys([*chosen, *useful]))[:MAIN_COUNT]
    return sorted(names, key=lambda metric: metric not in leaderboard.ranked)


def _valued(leaderboard: Leaderboard) -> set[str]:
    return {metric for (*_, metric), cell in leaderboard.cells.items() if not isnan(cell.value)}


def saturated(leaderboard: Leaderboard, metric: str) -> bool:
    """Returns True if a metric tells no model or random-weights control from another.

    Rotated heads do not count: most metrics are not computed for them.
    """
    cells = [leaderboard.cell(line, metric) for line in leaderboard.lines if line.part != ROTATED]
    numbers = [(cell.value, cell.low, cell.high) for cell in cells if cell and not isnan(cell.value)]
    return tells_nothing_apart(numbers)


def left_out(leaderboard: Leaderboard) -> list[str]:
    """Returns the titles of the main metrics that are saturated."""
    names = [metric for metric in MAIN if metric in leaderboard.metrics and metric != leaderboard.metric]
    return [leaderboard.metrics[metric].title for metric in names if saturated(leaderboard, metric)]


def table(leaderboard: Leaderboard, columns: str) -> Table:
    """Returns metrics side by side; `columns` is main, with ranks of the chosen metric alone, or all."""
    numbers: dict[str, list] = {
        "model": [line.model for line in leaderboard.lines],
        "control": [line.part.partition(": ")[2] for line in leaderboard.lines],
    }
    words = dict(numbers)
    for metric in shown_metrics(leaderboard, columns):
        unit = leaderboard.metrics[metric].unit
        cells = [leaderboard.cell(line, metric) or NOTHING for line in leaderboard.lines]
        numbers[metric] = [cell.value for cell in cells]
        words[metric] = [value_words(cell, unit) for cell in cells]
        if metric in leaderboard.ranked and (columns == "all" or metric == leaderboard.metric):
            name = rank_column(metric)
            numbers[name] = [cell.rank_low for cell in cells]
            words[name] = [rank_words(cell) for cell in cells]
    return Table(pd.DataFrame(numbers), pd.DataFrame(words))


def value_words(cell: Cell, unit: str) -> str:
    """Returns a value like 0.63 [0.58, 0.67]; counts of heads without decimals; a dash without a value."""
    if isnan(cell.value):
        return DASH
    form = ".0f" if unit == "heads" else ".2f"
    value, low, high = (digits.number(part, form) for part in (cell.value, cell.low, cell.high))
    return value if isnan(cell.low) else f"{value} [{low}, {high}]"


def every_number(leaderboard: Leaderboard) -> pd.DataFrame:
    """Returns one row per line and metric, with all numbers."""
    rows = [
        (line.model_key, line.model, line.part, metric, info.title, *cell)
        for line in leaderboard.lines
        for metric, info in leaderboard.metrics.items()
        if (cell := leaderboard.cell(line, metric)) is not None
    ]
    return pd.DataFrame(rows, columns=["model_key", "model", "part", "metric", "title", *Cell._fields])
