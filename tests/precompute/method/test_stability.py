"""Stability of labels and texts over replicates, and overlap of lists of texts, by hand."""

import pytest
import torch

from precompute.method import stability
from precompute.method.stability import overlap
from tests.support.metric_rows import value_of


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


def test_overlap_with_texts_of_one_length_is_a_share_of_the_first_ten():
    chosen = list(range(12))

    assert stability.equal_norm_overlap(chosen, [0, 1, 2, 50, 51, 52, 53, 54, 55, 56, 3]) == 0.3
    assert stability.equal_norm_overlap([4, 5], [5, 9]) == 0.5
    assert stability.equal_norm_overlap([], [5]) is None
    assert stability.positions([7, 8, 9], [9, 3, 7]) == [2, None, 0]


def test_mean_stability_is_over_heads_that_have_one():
    rows = stability.stability_metrics([1.0, 0.5, None], [0.2, 0.4, None], torch.tensor([True, False, True]))

    own = value_of(rows, "mean_stability")
    assert (own.value, own.chance) == (0.75, pytest.approx(0.3))
    assert value_of(rows, "mean_stability", "supported").value == 1.0
    assert value_of(rows, "mean_stability_rotated", "supported").value == 0.2


def test_stability_is_the_share_of_replicates_with_the_same_label():
    label = torch.tensor([[0, 0, 1, 0], [2, 2, 2, 2], [-1, 0, 0, 1]])

    found = stability.stability(label, torch.tensor([0, 2, -1]))

    assert found[:2].tolist() == [0.75, 1.0]
    assert found[2].isnan()  # a head without a label has none to keep
    assert stability.rotated_stability(torch.tensor([[3, 3, 1]])).tolist() == [0.5]


def test_stability_of_a_text_counts_the_replicates_that_contain_it():
    """
    Text 0 is in both replicates and picked in one; text 1 is in one and picked there; text 2 is in none.
    """
    first = torch.tensor([[[0, 1], [3, -1]]])
    texts = torch.tensor([[True, True, False, True], [True, False, False, True]])

    found = stability.text_stability(first, texts)

    assert found[0, [0, 1, 3]].tolist() == [0.5, 1.0, 0.5]
    assert found[0, 2].isnan()
