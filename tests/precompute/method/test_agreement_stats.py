"""Tag match depends on tags alone; agreement statistics equal hand-computed tables."""

import pytest
import torch

from precompute.method.agreement_stats import (
    TEXTS_JUDGED,
    fleiss_kappa,
    gwet_ac1,
    majority,
    raw_agreement,
    self_consistency,
    tag_match,
)

TAGS = torch.tensor(
    [[True, False], [False, True], [True, True], [False, False], [True, False], [True, False]]
)

THREE_JUDGES = torch.tensor([[3, 0], [3, 0], [2, 1], [0, 3]])
"""Four texts, three judges, columns yes and no. By hand: P = (1 + 1 + 1/3 + 1) / 4 = 5/6, yes 8 of 12."""

RARE_NO = torch.tensor([[2, 0]] * 118 + [[1, 1]] * 7)
"""Two judges, 125 texts, 118 times both answer yes and never both no: the case that motivates Gwet's AC1."""


def test_a_text_is_consistent_with_a_label_it_carries():
    picks = torch.tensor([0, 1, 2, 3, 4])

    assert tag_match(picks, torch.tensor(0), TAGS).tolist() == [True, False, True, False, True]
    assert tag_match(picks, torch.tensor(1), TAGS).tolist() == [False, True, True, False, False]


def test_only_the_first_five_texts_are_judged():
    assert tag_match(torch.tensor([0, 1, 2, 3, 4, 5]), torch.tensor(0), TAGS).shape == (TEXTS_JUDGED,)


def test_a_text_never_picked_is_consistent_with_nothing():
    assert tag_match(torch.tensor([0, -1]), torch.tensor(0), TAGS).tolist() == [True, False]


def test_heads_and_their_rotations_are_judged_at_once():
    picks = torch.tensor([[[0, 1], [1, 0]], [[2, 3], [3, 3]]])  # [head, rotation, k]
    label = torch.tensor([[0, 1], [1, 0]])

    answers = tag_match(picks, label, TAGS)

    assert answers.tolist() == [[[True, False], [True, False]], [[True, False], [False, False]]]


def test_the_majority_is_more_than_half():
    assert majority([True, True, False])
    assert not majority([True, False])
    assert not majority([False])


def test_there_is_no_majority_of_nothing():
    with pytest.raises(ValueError, match="majority"):
        majority([])


def test_agreement_of_three_judges_is_as_computed_by_hand():
    assert raw_agreement(THREE_JUDGES) == pytest.approx(5 / 6)
    # P_e = (2/3)^2 + (1/3)^2 = 5/9
    assert fleiss_kappa(THREE_JUDGES) == pytest.approx((5 / 6 - 5 / 9) / (4 / 9))
    # p_e = 2/3 * 1/3 + 1/3 * 2/3 = 4/9
    assert gwet_ac1(THREE_JUDGES) == pytest.approx((5 / 6 - 4 / 9) / (5 / 9))


def test_ac1_stays_high_where_kappa_falls_below_chance_though_judges_agree():
    assert raw_agreement(RARE_NO) == pytest.approx(118 / 125)
    assert fleiss_kappa(RARE_NO) == pytest.approx(-0.0288, abs=1e-4)  # (0.944 - 0.945568) / 0.054432
    assert gwet_ac1(RARE_NO) == pytest.approx(0.9408, abs=1e-4)  # (0.944 - 0.054432) / 0.945568


def test_more_than_two_answers_are_weighed_by_the_same_formulas():
    # Two judges, three texts: agreed on a, agreed on b, split between a and c.
    counts = torch.tensor([[2, 0, 0], [0, 2, 0], [1, 0, 1]])

    share = [3 / 6, 2 / 6, 1 / 6]
    chance = sum(p**2 for p in share)
    assert fleiss_kappa(counts) == pytest.approx((2 / 3 - chance) / (1 - chance))
    chance = sum(p * (1 - p) for p in share) / 2
    assert gwet_ac1(counts) == pytest.approx((2 / 3 - chance) / (1 - chance))


def test_kappa_is_undefined_and_ac1_is_one_if_all_answers_are_the_same():
    counts = torch.tensor([[3, 0], [3, 0]])

    assert fleiss_kappa(counts) is None
    assert gwet_ac1(counts) == 1
    assert raw_agreement(counts) == 1


def test_judges_that_split_evenly_everywhere_agree_less_than_chance():
    counts = torch.tensor([[1, 1], [1, 1]])

    assert raw_agreement(counts) == 0
    assert fleiss_kappa(counts) == pytest.approx(-1)
    assert gwet_ac1(counts) == pytest.approx(-1)


def test_agreement_without_items_is_undefined():
    counts = torch.zeros(0, 2, dtype=torch.long)

    assert [raw_agreement(counts), fleiss_kappa(counts), gwet_ac1(counts)] == [None, None, None]


@pytest.mark.parametrize("counts", [[[2, 0], [3, 0]], [[1, 0], [0, 1]]])
def test_items_must_have_the_same_number_of_judges_two_or_more(counts):
    with pytest.raises(ValueError, match="[0-9] to [0-9] judges"):
        raw_agreement(torch.tensor(counts))


def test_self_consistency_is_the_share_of_draws_with_their_own_majority():
    draws = [[True, True, True, False], [False, False], [True, False], [True]]

    assert self_consistency(draws) == pytest.approx((3 / 4 + 1 + 1 / 2) / 3)
    assert self_consistency([[True]]) is None
