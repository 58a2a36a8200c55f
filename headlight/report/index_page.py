"""Values of the first page of a report: leaderboard, models, labels, facts, citation."""

from collections import Counter
from math import isnan
from typing import NamedTuple

import pandas as pd
from markupsafe import Markup

from dashboard.data import about, cached, label_text, leaderboard
from dashboard.data.label_grades import STRONG, WEAK
from dashboard.data.leaderboard import MODEL, OFFLINE, RANDOM_WEIGHTS, ROTATED, Leaderboard
from dashboard.data.types import Source
from db import citation
from db.connection import Bundle
from headlight.report import charts, places
from headlight.report.charts import DotRow, Mark
from headlight.report.tables import Table, table

KINDS = {MODEL: "model", RANDOM_WEIGHTS: "control", ROTATED: "rotated"}
MAX_LABELS = 24
"""Labels of the table of labels: those of the most heads."""


class Standing(NamedTuple):
    """The chart of one metric over all models."""

    title: str
    description: str
    chart: Markup


class ModelLink(NamedTuple):
    """A line of the list of models."""

    title: str
    page: str
    facts: str
    is_control: bool


class LabelCounts(NamedTuple):
    """Number of supported heads by label and model."""

    models: list[str]
    rows: list[tuple[str, list[int]]]
    left_out: int


class IndexPage(NamedTuple):
    """Values of the first page."""

    title: str
    summary: str
    models: list[ModelLink]
    standings: list[Standing]
    leaderboard: Table | None
    notes: list[str]
    labels: LabelCounts
    facts: Table
    weights: Table
    versions: Table
    bibtex: str


def index_page(sources: list[Source]) -> IndexPage:
    """Returns the values of the first page."""
    first = sources[0]
    facts, (images,) = first.bundle.manifest, cached.query(first.bundle, "image_set").itertuples()
    models = [source for source in sources if not source.info.is_control]
    count = sum(len(cached.heads(source)) for source in models)
    board = _board(first.bundle)
    return IndexPage(
        title=images.name,
        summary=f"{len(models)} models, {count:,} heads, {images.images:,} images",
        models=[_link(source) for source in sources],
        standings=_standings(board) if board else [],
        leaderboard=_table(board) if board else None,
        notes=[f"Not shown, since it tells no two apart: {title}." for title in leaderboard.left_out(board)]
        if board
        else [],
        labels=label_counts(models),
        facts=table("Facts of the bundle", about.contents(first)),
        weights=table("Weights of the models", about.models(first)),
        versions=table("Versions of software and methods", about.versions(first)),
        bibtex=f"{citation.bundle_entry(facts, images.name)}\n\n{citation.bibtex()}",
    )


def _board(bundle: Bundle) -> Leaderboard | None:
    """Returns the leaderboard by its most important metric; None in a bundle without metrics."""
    titles = leaderboard.metric_titles(bundle, OFFLINE)
    if not titles:
        return None
    metric = next((name for name in leaderboard.MAIN if name in titles), next(iter(titles)))
    board = leaderboard.leaderboard_of(bundle, metric, "all", OFFLINE)
    shown = leaderboard.shown_metrics(board, "main")
    return leaderboard.leaderboard_of(bundle, shown[0], "all", OFFLINE) if shown else None


def _standings(board: Leaderboard) -> list[Standing]:
    """Returns a chart of every main metric."""
    return [standing(board, metric) for metric in leaderboard.shown_metrics(board, "main")]


def standing(board: Leaderboard, metric: str) -> Standing:
    """Returns the chart of one metric: every model with its controls below it."""
    info, groups = board.metrics[metric], dict[str, DotRow]()
    for line in board.lines:
        cell = board.cell(line, metric) or leaderboard.NOTHING
        words = leaderboard.value_words(cell, info.unit)
        kind = KINDS[line.part]
        mark = Mark(cell.value, cell.low, cell.high, kind, cell.chance, f"{line.part}: {words}")
        if line.under not in groups:
            value, rank = words.partition(" [")[0], leaderboard.rank_words(cell)
            note = f"{value} · rank {rank}" if rank else value
            groups[line.under] = DotRow(line.model, note, [])
        groups[line.under].marks.append(mark)  # type: ignore[attr-defined]  # a list, read as a sequence
    best = next(iter(groups.values()), None)
    alt = f"{info.title} of {len(groups)} models" + (f"; first {best.title}, {best.note}" if best else "")
    chart = charts.dots(list(groups.values()), f"{info.title} ({info.unit})", alt, share=info.unit == "share")
    return Standing(info.title, info.description, chart)


def _table(board: Leaderboard) -> Table:
    """Returns the main metrics side by side."""
    shown = leaderboard.table(board, "main").words
    names = {metric: leaderboard.MAIN.get(metric, info.title) for metric, info in board.metrics.items()}
    ranks = {leaderboard.rank_column(metric): "Rank" for metric in board.metrics}
    columns = [{**names, **ranks, "model": "Model", "control": "Control"}[name] for name in shown]
    return Table("Main metrics, with 95 % intervals", columns, [False] * len(columns), shown.values.tolist())


def _link(source: Source) -> ModelLink:
    heads = cached.heads(source)
    layers = sorted(set(heads["layer"]))
    facts = [f"{len(heads)} heads of layers {layers[0]} to {layers[-1]}"] if layers else []
    facts += [f"{source.images:,} images" if source.has_vectors else "imported results"]
    page = f"{places.model_folder(source.key)}/{places.INDEX}"
    return ModelLink(source.info.model, page, ", ".join(facts), bool(source.info.is_control))


def label_counts(sources: list[Source]) -> LabelCounts:
    """Returns the supported heads of every label, strong and weak, by model; frequent labels first."""
    counts = [_supported(source) for source in sources]
    total = sum(counts, Counter[str]())
    names = sorted(total, key=lambda name: (-total[name], name))
    rows = [(name, [count[name] for count in counts]) for name in names[:MAX_LABELS]]
    return LabelCounts([source.info.model for source in sources], rows, max(0, len(names) - MAX_LABELS))


def _supported(source: Source) -> Counter[str]:
    heads = label_text.heads(source)
    return Counter(heads.loc[heads["grade"].isin([STRONG, WEAK]), "label"])


def model_lines(board_source: Source) -> pd.DataFrame:
    """Returns every metric of a model, its value in words, beside its controls."""
    board = _board(board_source.bundle)
    if board is None:
        return pd.DataFrame()
    rows = []
    for metric, info in board.metrics.items():
        cells = {
            line.part: leaderboard.value_words(board.cell(line, metric) or leaderboard.NOTHING, info.unit)
            for line in board.lines
            if board_source.key in (line.under, line.model_key)
        }
        chance = (board.cells.get((board_source.key, False, metric)) or leaderboard.NOTHING).chance
        rows.append(
            {"metric": info.title, **cells, "chance": "" if isnan(chance) else f"{chance:.2f}"}
            | {"unit": info.unit, "meaning": info.description}
        )
    shown = pd.DataFrame(rows)
    return shown.loc[:, [name for name in shown if shown[name].ne("").any()]]
