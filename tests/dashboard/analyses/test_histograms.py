"""Histograms of the images along a text, split by the groups that lie farthest apart."""

import numpy as np

from dashboard.analyses.histograms import BINS, OTHERS, farthest, stacked


def test_every_image_counts_once_in_its_group_and_bin():
    value = np.repeat([-1.0, 0.0, 1.0], 10)
    codes = np.repeat([1, OTHERS, 0], 10)

    stack = stacked(value, codes)

    assert stack.groups == [0, 1, OTHERS], "the highest mean first, others last"
    assert stack.images.sum() == 30
    assert [row.argmax() for row in stack.images] == [BINS - 1, 0, BINS // 2]


def test_the_groups_with_a_name_are_those_at_both_ends():
    codes = np.repeat(np.arange(8), 10)
    value = codes + np.tile([-0.1, 0.1], 40)

    assert farthest(value, codes) == [7, 6, 1, 0]
    assert stacked(value, codes).groups == [7, 6, 1, 0, OTHERS]


def test_a_value_of_few_images_has_no_color_of_its_own():
    codes = np.array([0] * 20 + [1] * 4)

    assert farthest(np.arange(24.0), codes) == [0]


def test_equal_values_are_one_bar():
    stack = stacked(np.zeros(7))

    assert stack.groups == [OTHERS]
    assert stack.images.tolist() == [[7]]
