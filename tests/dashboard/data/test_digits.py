"""Numbers have a minus, and scores the digits in which they differ."""

import numpy as np
import pytest

from dashboard.data.digits import decimals, number, signed


@pytest.mark.parametrize(
    ("scores", "shown"),
    [
        ([0.0021, 0.0013, 0.00125], ["0.002100", "0.001300", "0.001250"]),  # read 0.002, 0.001, 0.001
        ([0.99991, 0.99984, 0.99962], ["0.999910", "0.999840", "0.999620"]),  # read 1.000, 1.000, 1.000
        ([0.9, 0.5, -0.3], ["0.90", "0.50", "-0.30"]),
        ([12.5, 3.0], ["12.50", "3.00"]),
        ([0.25], ["0.250"]),
        ([0.25, 0.25], ["0.250", "0.250"]),
        ([1.0, 1.0 - 2**-24], ["1.00", "1.00"]),  # rounding of float32
        ([0.0, 0.0], ["0.0", "0.0"]),
        ([], []),
    ],
)
def test_what_differs_has_three_significant_digits(scores, shown):
    assert [f"{score:.{decimals(np.float32(scores))}f}" for score in scores] == shown


def test_a_negative_number_has_a_minus_and_no_hyphen():
    assert [number(value, ".2f") for value in (-0.5, 0.5)] == ["−0.50", "0.50"]
    assert [signed(value) for value in (-0.5, 0.0, 2)] == ["−0.5", "0", "+2"]
