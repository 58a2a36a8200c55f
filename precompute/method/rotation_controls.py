"""Controls: what the same analysis says where there is nothing to find.

Two of them. The random-weights twin of a model is one more model, in every table. The rotated heads of a
model (turned at random inside their own spaces, as for p-values) are labeled and scored as if they were the
model, each rotation tested against the others: what the metrics are when nothing but the shape of the heads'
variance is left.

Knows nothing of files: models by name, labels and consistency of rotations in, rows out.
"""

from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.method import labels, metrics

ROTATIONS = 20
"""Rotations taken as if each were the model."""


class RotatedMetric(NamedTuple):
    """One row of the table `rotated_metric`, less the model."""

    metric: str
    heads_used: str
    """all or supported."""

    value: float | None
    """Mean over the rotations where it is defined; None where it is in none."""

    low: float | None
    """2.5 percentile over these rotations."""

    high: float | None
    """97.5 percentile."""


def supported(rotated: labels.Leading, properties: tuple[str, ...]) -> Bool[Tensor, "head rotation"]:
    """Whether the label of each of the first rotations stands up to all other rotations of its head."""
    count = rotated.property.shape[1]
    columns = []
    for taken in range(min(ROTATIONS, count)):
        others = torch.arange(count) != taken
        found = labels.labels_by_variance_share(
            labels.Leading(*(part[:, taken] for part in rotated)),
            labels.Leading(*(part[:, others] for part in rotated)),
            properties,
            picks=labels.SHOWN_PICKS,
        )
        columns.append([label.supported for label in found])
    return torch.tensor(columns, dtype=torch.bool).T


def rotated_metrics(
    label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, "head rotation"],
    supported: Bool[Tensor, "head rotated"],
    crossed_ccs: Int[Tensor, "head rotated split side"],
    *,
    smallest: int,
) -> list[RotatedMetric]:
    """Everything that labels say of a model, said of its rotations; `smallest` as in `metrics.label_metrics`.

    `supported` and the cross-fitted CCS are of the first rotations, those taken. Spanned variance is not
    among them, for rotations pick too few texts, nor is coverage, which does not depend on texts, nor
    stability, which takes replicates and has a metric of its own for rotated heads.
    """
    found: dict[tuple[str, str], list[float]] = {}
    none = label[:, :0]
    for taken in range(supported.shape[1]):
        own = label[:, taken], none, ccs[:, taken], none, supported[:, taken]
        crossed = crossed_ccs[:, taken]
        rows = metrics.label_metrics(*own, smallest=smallest)
        rows += metrics.crossfit_metrics(crossed, crossed[:, None][:, :0], supported[:, taken])
        for row in rows:
            values = found.setdefault((row.metric, row.heads_used), [])
            if row.value is not None:
                values.append(row.value)
    return [RotatedMetric(*name, *_summary(values)) for name, values in found.items()]


def _summary(values: list[float]) -> tuple[float | None, float | None, float | None]:
    """Mean, 2.5 and 97.5 percentile."""
    if not values:
        return None, None, None
    ends = torch.tensor(values, dtype=torch.float64).quantile(
        torch.tensor([0.025, 0.975], dtype=torch.float64)
    )
    low, high = ends.tolist()
    return fmean(values), low, high
