"""The offline rule answers from the tags alone."""

import torch

from precompute.judges import JUDGED, tag_match

TAGS = torch.tensor(
    [[True, False], [False, True], [True, True], [False, False], [True, False], [True, False]]
)


def test_a_text_is_consistent_with_a_label_it_carries():
    picks = torch.tensor([0, 1, 2, 3, 4])

    assert tag_match(picks, torch.tensor(0), TAGS).tolist() == [True, False, True, False, True]
    assert tag_match(picks, torch.tensor(1), TAGS).tolist() == [False, True, True, False, False]


def test_only_the_first_five_texts_are_judged():
    assert tag_match(torch.tensor([0, 1, 2, 3, 4, 5]), torch.tensor(0), TAGS).shape == (JUDGED,)


def test_a_text_never_picked_is_consistent_with_nothing():
    assert tag_match(torch.tensor([0, -1]), torch.tensor(0), TAGS).tolist() == [True, False]


def test_heads_and_their_rotations_are_judged_at_once():
    picks = torch.tensor([[[0, 1], [1, 0]], [[2, 3], [3, 3]]])  # [head, rotation, k]
    label = torch.tensor([[0, 1], [1, 0]])

    answers = tag_match(picks, label, TAGS)

    assert answers.tolist() == [[[True, False], [True, False]], [[True, False], [False, False]]]
