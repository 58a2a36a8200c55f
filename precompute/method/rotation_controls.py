"""Rotation control: the metrics of a model whose heads are rotated at random inside their own spaces.

The rotations are those of the p-values. Each is labeled and scored as if it were the model, and tested
against the other rotations. The metrics then show what the shape of the heads' variance gives by itself. (The
other control, random weights, is one more model in every table.)

Knows nothing of files: labels and consistency of rotations in, rows out.
"""

from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from precompute.method import labels, metrics

ROTATIONS = 20
"""Number of rotations that are scored as if each were the model."""


class RotatedMetric(NamedTuple):
    """One row of the table `rotated_metric`, less the model."""

    metric: str
    heads_used: str
    """all or supported."""

    value: float | None
    """Mean over the rotations that define it; None if none does."""

    low: float | None
    """2.5 percentile over these rotations."""

    high: float | None
    """97.5 percentile."""


def supported(rotated: labels.Leading, properties: tuple[str, ...]) -> Bool[Tensor, "head rotation"]:
    """Returns True where the label of a rotation is supported, tested against all others of its head."""
    count = rotated.property.shape[1]
    columns = []
    for rotation in range(min(ROTATIONS, count)):
        others = torch.arange(count) != rotation
        rotation_labels = labels.labels_by_variance_share(
            labels.Leading(*(part[:, rotation] for part in rotated)),
            labels.Leading(*(part[:, others] for part in rotated)),
            properties,
            picks=labels.SHOWN_PICKS,
        )
        columns.append([label.supported for label in rotation_labels])
    return torch.tensor(columns, dtype=torch.bool).T


def rotated_metrics(
    label: Int[Tensor, "head rotation"],
    ccs: Int[Tensor, "head rotation"],
    supported: Bool[Tensor, "head rotated"],
    crossed_ccs: Int[Tensor, "head rotated split side"],
    *,
    smallest: int,
) -> list[RotatedMetric]:
    """Returns the label metrics of a model's rotations; `smallest` as in `metrics.label_metrics`.

    `supported` and the cross-fitted CCS cover the first rotations only, those scored here. Not included are
    spanned variance (rotations pick too few texts), coverage (independent of texts), and stability (needs
    replicates; rotated heads have a metric for it).
    """
    values = metrics.by_name(
        metrics.without_chance(
            label[:, rotation],
            ccs[:, rotation],
            crossed_ccs[:, rotation],
            supported[:, rotation],
            smallest=smallest,
        )
        for rotation in range(supported.shape[1])
    )
    return [RotatedMetric(*name, *_summary(column)) for name, column in values.items()]


def _summary(column: Sequence[float | None]) -> tuple[float | None, float | None, float | None]:
    """Mean, 2.5 and 97.5 percentile of the values that are defined."""
    values = [value for value in column if value is not None]
    if not values:
        return None, None, None
    ends = torch.tensor([0.025, 0.975], dtype=torch.float64)
    low, high = torch.tensor(values, dtype=torch.float64).quantile(ends).tolist()
    return fmean(values), low, high
