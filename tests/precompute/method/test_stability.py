"""Overlap of two lists of texts, by hand."""

import pytest

from precompute.method.stability import overlap


@pytest.mark.parametrize(
    ("first", "second", "k", "of", "share"),
    [
        ([1, 2, 3, 4], [2, 1, 9, 3], 2, "first", 1.0),
        ([1, 2, 3, 4], [2, 1, 9, 3], 3, "first", 2 / 3),
        ([1, 2], [1, 2, 3, 4], 4, "first", 1.0),
        ([1, 2], [1, 2, 3, 4], 4, "longer", 0.5),
        (["a"], [], 5, "first", 0.0),
        ([], ["a"], 5, "first", None),
        ([], ["a"], 5, "longer", 0.0),
        ([], [], 5, "longer", None),
    ],
)
def test_the_overlap_is_a_share_of_the_first_or_of_the_longer_list(first, second, k, of, share):
    assert overlap(first, second, k, of=of) == share
