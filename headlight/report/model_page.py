"""Values of the page of one model."""

from typing import Any, NamedTuple

import pandas as pd
from markupsafe import Markup

from dashboard.data import about, label_text, leaderboard_facts
from dashboard.data.label_grades import STRONG, UNSUPPORTED, WEAK
from dashboard.data.types import Source
from headlight.report import charts, index_page, places
from headlight.report.charts import StackRow
from headlight.report.tables import Table, table, words

FACTS = {
    "architecture": "Architecture",
    "weights": "Weights",
    "training_data": "Trained on",
    "parameters": "Parameters, both towers",
    "layers": "Layers",
    "patch_size": "Side of a patch, pixels",
    "image_size": "Side of the input, pixels",
    "precision": "Precision",
    "images": "Decomposed images",
    "gallery_images": "Images with stored maps",
    "max_sum_error": "Largest error of the sum of contributions",
    "weights_sha256": "SHA-256 of the weights",
}


class Cell(NamedTuple):
    """A head in the grid."""

    name: str
    page: str
    label: str
    grade: str
    support: str
    first_text: str


class ModelPage(NamedTuple):
    """Values of the page of one model."""

    title: str
    is_control: bool
    facts: list[tuple[str, str]]
    head_numbers: list[int]
    grid: list[tuple[int, list[Cell | None]]]
    """By layer, the last first; None where a head is not stored."""

    grades: str
    kinds: list[str]
    coverage: Markup | None
    metrics: Table | None


def model_page(source: Source) -> ModelPage:
    """Returns the values of a model's page; links to its heads are relative to its folder."""
    rows = {(int(row.layer), int(row.head)): row for row in label_text.heads(source).itertuples()}
    numbers = sorted({head for _, head in rows})
    cells = {place: _cell(place, row) for place, row in rows.items()}
    layers = sorted({layer for layer, _ in rows}, reverse=True)
    kinds, coverage = _coverage(source)
    metrics = index_page.model_lines(source)
    return ModelPage(
        title=source.info.model,
        is_control=bool(source.info.is_control),
        facts=_facts(source),
        head_numbers=numbers,
        grid=[(layer, [cells.get((layer, number)) for number in numbers]) for layer in layers],
        grades=_grades([row.grade for row in rows.values()]),
        kinds=kinds,
        coverage=coverage,
        metrics=table("Metrics of the model", metrics) if len(metrics) else None,
    )


def _facts(source: Source) -> list[tuple[str, str]]:
    shown = [(title, words(getattr(source.info, name))) for name, title in FACTS.items()]
    origin = ("Origin of the weights", about.weights_words(source.info))
    return [fact for fact in [*shown, origin] if fact[1]]


def _cell(place: tuple[int, int], row: Any) -> Cell:
    page = f"{places.HEADS}/{places.head_stem(place)}.html"
    first = row.first_text if isinstance(row.first_text, str) else ""
    return Cell(row.name, page, label_text.cell_label(row), row.grade, label_text.label_support(row), first)


def _grades(grades: list[str]) -> str:
    """Returns how many labels have which grade."""
    counts = pd.Series(grades, dtype=str).value_counts()
    parts = [f"{counts[name]} {name}" for name in (STRONG, WEAK, UNSUPPORTED) if name in counts]
    return ", ".join(parts)


def _coverage(source: Source) -> tuple[list[str], Markup | None]:
    """Returns the kinds of components, and the chart of their shares layer by layer."""
    parts = leaderboard_facts.coverage(source)
    if parts.empty:
        return [], None
    kinds = list(leaderboard_facts.KINDS.values())
    rows = []
    for name, of_layer in parts.groupby("row", sort=False):
        ordered = of_layer.assign(order=of_layer["kind"].map(kinds.index)).sort_values("order", kind="stable")
        sums = ordered["percent"].sum()
        stack = [(row.percent, row.order, f"{row.name} {row.percent:+.2f} %") for row in ordered.itertuples()]
        rows.append(StackRow(str(name), f"{sums:.1f} %".replace("-", "−"), stack))
    present = [kind for kind in kinds if kind in set(parts["kind"])]
    alt = f"Shares of the embedding's covariance: {leaderboard_facts.coverage_words(parts)}."
    return present, charts.stacks(rows, "share of the embedding's covariance (%)", alt)
