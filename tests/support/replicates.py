"""Replicates and labels of synthetic heads."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from precompute.method import label_consistency, moments
from precompute.method.textspan import text_coordinates, textspan
from precompute.method.types import Picks
from precompute.runtime.config import HeadOptions
from precompute.stages.head_replicates import draw

FULL = torch.full((64,), 20)

OPTIONS = HeadOptions(picks=6, rotations=39, replicates=60, seed=0)


def draws_of(model, options, directory=None):
    covariance = moments.pooled(model.moments).covariance
    with TemporaryDirectory() as empty:
        place = directory or Path(empty)
        return draw(model.moments, covariance, model.spaces, model.text, model.pool, options, place)


def label_heads(model, pool) -> label_consistency.HeadLabels:
    covariance = moments.pooled(model.moments).covariance
    spans = [
        textspan(covariance[layer, head], text_coordinates(model.text, model.spaces.basis[layer, head]), k=20)
        for layer in range(covariance.shape[0])
        for head in range(covariance.shape[1])
    ]
    count = min(len(span.text_index) for span in spans)
    picks = Picks(
        torch.stack([span.text_index[:count] for span in spans]),
        torch.stack([span.variance_share[:count] for span in spans]),
    )
    # The null does not matter here: the heads themselves, 39 times.
    null = Picks(*(part[:, None].expand(-1, 39, -1) for part in picks))
    return label_consistency.label_heads(picks, null, pool)
