"""Neighbors are scored by the share of the nearest that carry the query's value."""

import pytest
import torch
from torch import tensor

from precompute.validation import neighbor_precision


def test_where_a_head_holds_only_the_attribute_every_neighbor_carries_it():
    own = torch.arange(40) % 2
    vector = torch.nn.functional.one_hot(own).float() - 0.5

    found = neighbor_precision.precision(vector, own, metric="cosine")

    assert (found.value, found.count) == (1.0, 40)
    assert found.chance == pytest.approx(19 / 39)


def test_precision_by_hand():
    """By dot the longest vector is nearest to all; to itself the next longest."""
    vector = tensor([0.5, 1.0, 2.0, 10.0])[:, None]

    found = neighbor_precision.precision(vector, tensor([0, 0, 1, 1]), metric="dot", k=1)

    assert found.value == 0.5
    assert found.chance == pytest.approx(1 / 3)


def test_images_without_one_value_are_neither_asked_nor_found():
    vector = tensor([[1.0, 0.0], [1.0, 0.01], [1.0, 0.02], [1.0, 0.03]])

    found = neighbor_precision.precision(vector, tensor([0, -1, 0, 1]), metric="cosine", k=1)

    assert found.count == 3
    assert found.value == pytest.approx(1 / 3)  # 0 finds 2, of its value; 2 and 3 find each other


def test_more_neighbors_than_images_have_no_score():
    assert neighbor_precision.precision(torch.eye(4), tensor([0, 0, 1, -1]), metric="dot", k=3) is None


def test_at_most_500_images_are_asked_evenly():
    own = torch.arange(1200) % 3

    assert neighbor_precision.precision(torch.randn(1200, 2), own, metric="dot").count == 500


def test_an_unknown_metric_is_refused():
    with pytest.raises(ValueError, match="cosine or dot"):
        neighbor_precision.precision(torch.eye(20), torch.zeros(20, dtype=torch.int64), metric="l2")


def test_several_heads_stand_for_the_mean_of_their_contributions():
    basis = tensor([[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]])

    mixed = neighbor_precision.mixture(tensor([[[4.0], [2.0]]]), basis)

    assert mixed.tolist() == [[2.0, 1.0, 0.0]]
