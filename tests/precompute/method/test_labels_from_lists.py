"""Labels from lists of texts: early picks count more; chance is lists mixed from the same heads' texts."""

from itertools import permutations

import pytest
import torch

from precompute.method import labels, labels_from_lists
from precompute.method.labels_from_lists import label_lists

PROPERTIES = ("animal", "color", "shape")
TAGS = torch.eye(3, dtype=torch.bool).repeat_interleave(30, 0)
"""90 texts: 30 animals, 30 colors, 30 shapes."""


@pytest.mark.parametrize("carrying", [0, 1, 2, 5, 6])
def test_the_tail_is_the_share_of_all_draws_with_as_large_a_sum(carrying):
    weights = [6, 3, 2]  # 1/1, 1/2, 1/3
    sums = [
        sum(weight for weight, text in zip(weights, draw, strict=True) if text < carrying)
        for draw in permutations(range(6), 3)
    ]

    tails = labels_from_lists.subset_tails(6, carrying, 3)

    for subset in range(8):
        own = sum(weight for place, weight in enumerate(weights) if subset >> place & 1)
        assert tails[subset] == sum(drawn >= own for drawn in sums) / len(sums)


def test_sums_that_are_equal_as_fractions_are_equal():
    """1/2 = 1/3 + 1/6, which floating point does not guarantee."""
    tails = labels_from_lists.subset_tails(100, 20, 6)

    assert tails[0b000010] == tails[0b100100]


def test_an_early_pick_outweighs_a_late_one_of_a_property_as_common():
    animals, colors, shapes = torch.arange(90).reshape(3, 30)
    picks = torch.stack(
        [torch.cat([animals[:2], shapes[:3], colors[:2]]), torch.cat([colors[:2], shapes[:3], animals[:2]])]
    )
    tags = TAGS.clone()
    tags[shapes] = False

    found = labels_from_lists.enrich(picks, tags)

    assert found.property.tolist() == [0, 1]
    assert found.hits.tolist() == [2, 2]


def test_a_rare_property_goes_before_a_common_one_at_the_same_places():
    tags = torch.zeros(100, 2, dtype=torch.bool)
    tags[:50, 0] = tags[:10, 1] = True

    assert labels_from_lists.enrich(torch.arange(4), tags).property == 1


def test_one_text_agrees_with_nothing():
    """A property that two later picks carry wins over a rare property of the first pick alone."""
    tags = torch.zeros(1000, 2, dtype=torch.bool)
    tags[0, 0] = True
    tags[1:500, 1] = True
    picks = torch.tensor([0, 600, 601, 1, 2, 602, 603, 604, 605, 606])

    assert labels_from_lists.enrich(picks, tags).property == 1
    # With four picks no property has two, so the first pick decides.
    assert labels_from_lists.enrich(picks[:4], tags).property == 0


def test_equal_tails_go_to_the_first_property():
    tags = torch.zeros(20, 2, dtype=torch.bool)
    tags[:3] = True

    assert labels_from_lists.enrich(torch.tensor([0, 9, 1]), tags).property == 0


def test_heads_of_one_property_each_are_named_and_supported():
    generator = torch.Generator().manual_seed(0)
    own = torch.arange(12) % 3
    picks = torch.stack([30 * one + torch.randperm(30, generator=generator)[:20] for one in own])

    found = label_lists(picks, TAGS, PROPERTIES)

    assert [one.label for one in found] == [PROPERTIES[one] for one in own]
    assert all(one.supported for one in found)
    assert {(one.method, one.picks, one.share, one.lead) for one in found} == {("enrichment", 10, None, None)}
    assert found[0].tail < 1e-4
    assert found[0].p_value >= 1 / 1000


def test_p_values_of_random_picks_are_uniform():
    generator = torch.Generator().manual_seed(1)
    picks = torch.stack([torch.randperm(90, generator=generator)[:20] for _ in range(400)])

    p = torch.tensor([one.p_value for one in label_lists(picks, TAGS, PROPERTIES)])

    assert 0.02 <= (p <= 0.05).double().mean() <= 0.08
    assert 0.4 <= (p <= 0.5).double().mean() <= 0.6


def test_a_property_of_all_heads_supports_no_label():
    """Mixed lists contain only animals too, so no head differs from chance."""
    generator = torch.Generator().manual_seed(2)
    picks = torch.stack([torch.randperm(30, generator=generator)[:20] for _ in range(10)])

    found = label_lists(picks, TAGS, PROPERTIES)

    assert {one.label for one in found} == {"animal"}
    assert not any(one.supported for one in found)


def test_labels_stay_with_their_heads_in_any_order():
    generator = torch.Generator().manual_seed(3)
    picks = torch.stack([torch.randperm(90, generator=generator)[:20] for _ in range(7)])

    assert label_lists(picks.flip(0), TAGS, PROPERTIES) == label_lists(picks, TAGS, PROPERTIES)[::-1]


def test_only_the_first_ten_picks_are_read_for_the_label():
    picks = torch.stack([torch.arange(0, 20), torch.cat([torch.arange(0, 10), torch.arange(60, 70)])])

    first, second = label_lists(picks, TAGS, PROPERTIES)

    assert (first.label, first.tail) == (second.label, second.tail)


def test_shorter_lists_are_compared_to_lists_as_short():
    short, long = torch.arange(3), torch.arange(30, 50)
    picks = torch.full((3, 20), -1)
    picks[0, :3], picks[1] = short, long

    found = label_lists(picks, TAGS, PROPERTIES)

    assert [one.label for one in found[:2]] == ["animal", "color"]
    assert found[0].tail == labels_from_lists.subset_tails(90, 30, 3)[0b111]
    assert (found[2].tail, found[2].p_value) == (1, 1)


def test_names_that_do_not_fit_the_tags_are_refused():
    with pytest.raises(ValueError, match="2 names .* 3 properties"):
        label_lists(torch.zeros(1, 5, dtype=torch.int64), TAGS, PROPERTIES[:2])


def test_a_mixed_list_has_a_text_once():
    picks = torch.tensor([[0, 1, 2, 3, -1], [0, 1, 2, 4, 5]])

    drawn = labels_from_lists.mixed_lists(picks, 6, draws=50, seed=0)

    assert all(sorted(one) == [0, 1, 2, 3, 4, 5] for one in drawn.tolist())


def test_a_text_stands_first_in_mixed_lists_as_often_as_heads_picked_it():
    picks = torch.tensor([[0, 1], [0, 2], [0, 3], [0, 1]])

    first = labels_from_lists.mixed_lists(picks, 2, draws=20000, seed=0)[:, 0]

    assert (first.bincount() / 20000).tolist() == pytest.approx([4 / 8, 2 / 8, 1 / 8, 1 / 8], abs=0.015)


def test_fewer_texts_than_places_give_shorter_lists():
    assert labels_from_lists.mixed_lists(torch.tensor([[7, 8, -1]]), 10, draws=3, seed=0).shape == (3, 2)


def test_a_property_at_all_places_has_the_hypergeometric_tail():
    assert labels_from_lists.subset_tails(90, 30, 10)[-1] == labels.hypergeometric_tail(90, 30, 10, 10)
