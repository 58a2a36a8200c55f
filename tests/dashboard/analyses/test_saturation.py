"""A metric tells nothing apart if one value lies in the intervals of all models and controls."""

from math import nan

import pytest

from dashboard.analyses.saturation import tells_nothing_apart

ALONE = nan, nan


@pytest.mark.parametrize(
    ("numbers", "is_saturated"),
    [
        ([(0.5, 0.4, 0.6), (0.6, 0.5, 0.7), (0.55, 0.45, 0.65)], True),
        ([(0.5, 0.4, 0.6), (0.65, 0.58, 0.72), (0.72, 0.61, 0.8)], False),  # each overlaps the next
        ([(1.0, 1.0, 1.0), (0.98, 0.95, 0.996)], True),  # both read 1.00
        ([(1.0, 1.0, 1.0), (0.98, 0.95, 0.99)], False),
        ([(-3.0, -5.0, -1.0), (2.0, -2.0, 6.0)], True),
        ([(7.0, 6.0, 8.0), (9.0, 8.2, 9.8)], False),
        ([(0.5, *ALONE), (0.5, *ALONE), (0.502, *ALONE)], True),
        ([(0.5, *ALONE), (0.6, 0.45, 0.7)], True),
        ([(0.5, *ALONE), (0.6, 0.55, 0.7)], False),
        ([(0.5, 0.4, 0.6)], False),
        ([], False),
    ],
)
def test_one_value_for_all_is_saturated(numbers, is_saturated):
    assert tells_nothing_apart(numbers) == is_saturated
    assert tells_nothing_apart(numbers[::-1]) == is_saturated


def test_the_order_of_models_and_a_shift_of_all_numbers_change_nothing():
    numbers = [(0.5, 0.4, 0.6), (0.61, 0.59, 0.63), (0.6, 0.5, 0.7)]

    assert tells_nothing_apart(numbers)
    assert tells_nothing_apart([(value + 3, low + 3, high + 3) for value, low, high in numbers])
    assert not tells_nothing_apart([*numbers, (0.8, 0.7, 0.9)])
