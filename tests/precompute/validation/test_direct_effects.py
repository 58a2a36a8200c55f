"""The direct effect of ablation, on answers known by hand."""

import torch
from torch import tensor

from precompute.validation import direct_effects
from tests.support.numbers import assert_close


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
