"""Margins, selectivity and the direct effect of ablation, on answers known by hand."""

import pytest
import torch
from torch import tensor

from precompute.validation import direct_effects, zero_shot
from precompute.validation import rows as score_rows

NAN = float("nan")


def assert_close(actual, expected):
    torch.testing.assert_close(actual, tensor(expected), check_dtype=False, equal_nan=True)


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


def test_an_ablation_of_a_part_of_the_images_changes_the_accuracy_of_all():
    """Of four images three are right. An ablation is run on the first two and turns one of them wrong."""
    margins = tensor([[1.0, 1.0, 1.0, -1.0], [1.0, -1.0, NAN, NAN], [1.0, 1.0, -1.0, -1.0]])[..., None]

    assert_close(score_rows.accuracies(margins)[:, 0], [0.75, 0.25, 0.5])


def test_what_may_be_rounding_is_no_loss():
    margins = tensor([[0.5, 0.5], [0.5 + 1e-7, 0.5], [0.1, 0.5]])[..., None]

    assert_close(score_rows.losses(margins)[:, 0], [0.0, 0.0, 0.2])


def test_one_value_cannot_be_told_from_others():
    with pytest.raises(ValueError, match="ask at least two"):
        zero_shot.margin(torch.zeros(3, 1), torch.zeros(3, dtype=torch.int64))


def test_a_score_loses_what_the_head_gives_beyond_its_mean():
    """Two heads of two coordinates: the first lies along text 0, the second writes the same everywhere."""
    centered = tensor([[[1.0, 0.0], [0.0, 0.0]], [[-1.0, 0.0], [0.0, 0.0]]])
    text = tensor([[[2.0, 0.0], [0.0, 3.0]], [[1.0, 1.0], [1.0, 1.0]]])

    losses = direct_effects.head_losses(centered, text)

    assert losses[0].tolist() == [[2.0, 0.0], [-2.0, 0.0]]
    assert losses[1].tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_a_head_keeps_what_lies_along_its_first_texts():
    """The first text is (3, 0, 0), the second (1, 2, 0): with one text only x is left, with two x and y."""
    directions = direct_effects.directions(tensor([[3.0, 0.0, 0.0], [1.0, 2.0, 0.0]]))
    centered = tensor([[[1.0, 2.0, 4.0]]])
    text = tensor([[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]])

    def lost(k):
        return direct_effects.texts_losses(centered, text, [directions], k)

    assert_close(lost(1), [[0.0, 2.0, 4.0]])
    assert_close(lost(2), [[0.0, 0.0, 4.0]])
    assert_close(lost(60), [[0.0, 0.0, 4.0]])


def test_a_head_without_texts_keeps_nothing():
    directions = direct_effects.directions(torch.zeros(0, 3))

    assert direct_effects.projection(directions, 5).tolist() == torch.zeros(3, 3).tolist()


def test_a_projection_of_coordinates_is_the_same_projection_of_the_attention_output():
    """y = z M; z' M is y P wherever P leaves y within the rows of M."""
    generator = torch.Generator().manual_seed(0)
    head_map = torch.randn(4, 7, generator=generator)
    kept = direct_effects.projection(direct_effects.directions(head_map[:2]), 2)
    z = torch.randn(5, 4, generator=generator, dtype=torch.float64)

    changed = z @ direct_effects.through_z(head_map, kept)

    torch.testing.assert_close(changed @ head_map.double(), z @ head_map.double() @ kept)
