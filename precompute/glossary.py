"""What each metric means, and what papers print for models that a bundle may hold.

The rows of the tables `metric` and `published`. Knows nothing of how a metric is computed.
"""

import csv
from pathlib import Path
from typing import NamedTuple

PUBLISHED = Path(__file__).parent / "texts" / "published.csv"


class MetricInfo(NamedTuple):
    """One row of the table `metric`; its place in METRICS is its position on the pages."""

    metric: str
    level: str
    """head or model."""

    title: str
    description: str
    """One sentence: what it measures."""

    unit: str
    direction: str
    """higher, lower or neither: which end is easier to interpret."""


class Published(NamedTuple):
    """One row of the table `published`: a figure from a paper."""

    model: str
    metric: str
    value: float
    source: str
    read_from: str
    """primary: read in the paper itself; secondary: quoted by another."""

    definition_known: bool
    note: str | None


def published(path: Path = PUBLISHED) -> list[Published]:
    """Figures from papers, as they are printed."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [
            Published(
                row["model"],
                row["metric"],
                float(row["value"]),
                row["source"],
                row["read_from"],
                row["definition_known"] == "true",
                row["note"] or None,
            )
            for row in csv.DictReader(lines)
        ]


METRICS = (
    MetricInfo(
        "ccs", "head", "Consistency (CCS)",
        "How many of the head's first five texts agree with its label, on the texts that gave the label.",
        "texts", "higher",
    ),
    MetricInfo(
        "ccs_rotated", "head", "Consistency by chance",
        "The same for the head turned at random inside its own space, mean over rotations.",
        "texts", "neither",
    ),
    MetricInfo(
        "spanned_variance", "head", "Spanned variance",
        "Variance that the head's texts span: 0 is what random texts span, 1 the best any directions can.",
        "share", "higher",
    ),
    MetricInfo(
        "importance", "head", "Importance",
        "Root mean square change of the embedding when the head's output is replaced by its mean: "
        "the direct effect alone.",
        "embedding length", "neither",
    ),
    MetricInfo(
        "coverage", "head", "Coverage",
        "Share of the embedding's covariance that the head accounts for; negative where it works against "
        "the rest.",
        "share", "neither",
    ),
    MetricInfo(
        "supported_share", "model", "Supported heads",
        "Share of heads whose label stands up to rotated heads, q at most 0.05.",
        "share", "higher",
    ),
    MetricInfo(
        "entanglement_smallest", "model", "Shared labels, same number of heads",
        "Expected share of heads with a partner of the same label among as many drawn heads as the smallest "
        "model on the board has.",
        "share", "lower",
    ),
    MetricInfo(
        "entanglement", "model", "Shared labels",
        "Share of heads whose label another head of the model has; grows with the number of heads.",
        "share", "lower",
    ),
    MetricInfo(
        "entanglement_2", "model", "Shared labels, two heads",
        "Chance that two heads drawn from the model have the same label.",
        "share", "lower",
    ),
    MetricInfo(
        "uniqueness", "model", "Unique labels",
        "Share of heads that share their label with no other; a head without a supported label shares none.",
        "share", "higher",
    ),
    *(
        MetricInfo(
            f"association_{m}", "model", f"Association at {m}",
            f"Share of heads with at least {m} of their first five texts in agreement with the label.",
            "share", "higher",
        )
        for m in range(1, 6)
    ),
    MetricInfo(
        "text_consistency", "model", "Text consistency",
        "Share of the judged texts that agree with their head's label: mean CCS over five.",
        "share", "higher",
    ),
    MetricInfo("ccs_high", "model", "High-CCS heads", "Heads with a CCS of 5.", "heads", "higher"),
    MetricInfo("ccs_moderate", "model", "Moderate-CCS heads", "Heads with a CCS of 3.", "heads", "neither"),
    MetricInfo("ccs_low", "model", "Low-CCS heads", "Heads with a CCS of 0 or 1.", "heads", "lower"),
    MetricInfo(
        "mean_spanned_variance", "model", "Spanned variance",
        "Mean spanned variance of the heads that have one.",
        "share", "higher",
    ),
    MetricInfo(
        "coverage_heads", "model", "Coverage of heads",
        "Share of the embedding's covariance that the decomposed heads account for.",
        "share", "higher",
    ),
    MetricInfo(
        "coverage_mlps", "model", "Coverage of MLPs",
        "Share of the embedding's covariance that the MLPs of the decomposed layers account for.",
        "share", "neither",
    ),
    MetricInfo(
        "coverage_early", "model", "Coverage of earlier layers",
        "Share of the embedding's covariance that enters the first decomposed layer.",
        "share", "lower",
    ),
)  # fmt: skip
"""Every metric of a bundle. Metrics of a head first; order is that of the pages."""
