"""Rows of the validation: accuracies, losses and the precision of neighbors, by hand."""

import pytest
import torch
from torch import tensor

from precompute.validation import rows as score_rows
from precompute.validation.subjects import Subject
from tests.support.numbers import NAN, assert_close


def test_an_ablation_of_a_part_of_the_images_changes_the_accuracy_of_all():
    """Of four images three are right. An ablation is run on the first two and turns one of them wrong."""
    margins = tensor([[1.0, 1.0, 1.0, -1.0], [1.0, -1.0, NAN, NAN], [1.0, 1.0, -1.0, -1.0]])[..., None]

    assert_close(score_rows.accuracies(margins)[:, 0], [0.75, 0.25, 0.5])


def test_what_may_be_rounding_is_no_loss():
    margins = tensor([[0.5, 0.5], [0.5 + 1e-7, 0.5], [0.1, 0.5]])[..., None]

    assert_close(score_rows.losses(margins)[:, 0], [0.0, 0.0, 0.2])


EMBEDDING = Subject("embedding", comparison="cosine")


def test_rows_hold_every_attribute_and_all_together():
    own = torch.stack([torch.arange(40) % 2, torch.arange(40) // 20], dim=1)
    vector = torch.nn.functional.one_hot(own[:, 0]).float() - 0.5

    rows = score_rows.neighbors(iter([(EMBEDDING, vector)]), ["color", "shape"], own)

    rows = rows.set_index("attribute")
    assert rows.loc["color", "value"] == 1
    assert rows.loc["", "value"] == pytest.approx((1 + rows.loc["shape", "value"]) / 2)
    assert rows.loc["", "count"] == 80
    assert set(rows.k) == {10} and set(rows.measure) == {"precision"}
