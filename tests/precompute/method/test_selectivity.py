"""Epsilon squared of heads equals values computed by hand."""

import pytest
import torch
from torch import tensor

from precompute.method import selectivity
from tests.support.numbers import assert_close


def test_a_head_that_carries_only_the_attribute_has_epsilon_squared_one():
    value = tensor([0, 0, 1, 1, 2, 2])
    coordinates = torch.stack([torch.nn.functional.one_hot(value, 3).float(), torch.zeros(6, 3)], dim=1)

    assert_close(selectivity.epsilon_squared(coordinates, value), [1.0, 0.0])


def test_epsilon_squared_by_hand():
    """Means 1 and 3, two images each at distance 1: η² = 4/8, ε² = 4/8 - 4/8 · 1/2."""
    coordinates = tensor([0.0, 2.0, 2.0, 4.0]).view(4, 1, 1)

    assert_close(selectivity.epsilon_squared(coordinates, tensor([5, 5, 9, 9])), [0.25])


def test_a_head_unrelated_to_the_attribute_has_zero_on_average():
    """η² would be (K - 1)/(N - 1) = 0.31 on average."""
    generator = torch.Generator().manual_seed(0)
    value = torch.arange(30) % 10

    found = selectivity.epsilon_squared(torch.randn(30, 2000, 4, generator=generator), value)

    assert abs(float(found.mean())) < 0.01


@pytest.mark.parametrize("value", [[3, 3, 3], [0, 1, 2]], ids=["one value", "a value for each image"])
def test_epsilon_squared_has_no_value_where_nothing_can_be_compared(value):
    assert selectivity.epsilon_squared(torch.randn(3, 2, 4), tensor(value)).isnan().all()
