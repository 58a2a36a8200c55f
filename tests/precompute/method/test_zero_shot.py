"""Margins and accuracy of zero-shot classes, by hand."""

import pytest
import torch
from torch import tensor

from precompute.method import zero_shot
from tests.support.numbers import NAN, assert_close


def test_an_image_has_a_value_of_its_own_if_it_carries_exactly_one():
    carried = tensor([[0, 1, 0], [1, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=torch.bool)

    assert zero_shot.own_value(carried).tolist() == [1, -1, -1, 0]


def test_a_margin_is_the_own_score_less_the_best_of_the_others():
    score = tensor([[0.9, 0.2, 0.5], [0.9, 0.2, 0.5], [0.1, 0.4, 0.4], [1.0, 0.0, 0.0]])

    margin = zero_shot.margin(score, tensor([0, 2, 1, -1]))

    assert_close(margin, [0.4, -0.4, 0.0, NAN])
    assert_close(zero_shot.accuracy(margin), 1 / 3)


def test_accuracy_has_no_value_without_images():
    assert zero_shot.accuracy(tensor([NAN, NAN])).isnan()


def test_one_value_cannot_be_told_from_others():
    with pytest.raises(ValueError, match="ask at least two"):
        zero_shot.margin(torch.zeros(3, 1), torch.zeros(3, dtype=torch.int64))
