"""What shows something at first glance wins; what is flat, noise or the same everywhere does not."""

import pytest
import torch
from torch import tensor

from precompute.method import first_views
from precompute.method.first_views import Choice

GRID = (6, 6)


def block(row, column, value=1.0):
    """A map that is 0 except in two by two patches."""
    patches = torch.zeros(GRID)
    patches[row : row + 2, column : column + 2] = value
    return patches


def test_a_map_with_one_hot_block_is_all_in_it_and_a_flat_one_is_not():
    shares = first_views.hot_share(torch.stack([block(3, 1), torch.ones(GRID), torch.zeros(GRID)]))

    assert shares.tolist() == pytest.approx([1, 4 / 36, 0])


def test_one_patch_is_no_hot_block():
    outlier = torch.ones(GRID)
    outlier[0, 0] = 1000

    assert first_views.hot_share(outlier) == pytest.approx(4 / 36)


def test_what_subtracts_is_not_hot():
    assert first_views.hot_share(-block(0, 0)) == 0


def test_of_equal_values_the_first_is_chosen_whatever_the_rounding():
    assert first_views.first_best(tensor([[0.1, 0.7], [0.7 + 1e-6, 0.2]])).place == (0, 1)
    assert first_views.first_best(tensor([0.0, torch.nan])) is None
    assert first_views.first_best(torch.zeros(0)) is None


def test_an_image_is_read_as_the_text_that_fits_it_better_than_the_others():
    text = torch.eye(3).double()
    output = tensor([[1.0, 0.2, 0], [0.1, 1, 0], [0, 0, 0]]).double()

    fits = first_views.fit(output, text)

    assert fits.sum(dim=1).tolist() == pytest.approx([0, 0, 0])
    assert first_views.readings(fits).tolist() == [0, 1, 0]


def test_separation_is_the_share_of_the_output_that_the_read_text_explains():
    reading = tensor([0, 0, 0, 1, 1, 1])
    apart = tensor([[1.0], [1], [1], [-1], [-1], [-1]]).double()
    mixed = tensor([[1.0], [-1], [0], [1], [-1], [0]]).double()

    assert first_views.separation(apart, reading) == 1
    assert first_views.separation(mixed, reading) == 0
    assert first_views.separation(apart, torch.zeros(6, dtype=torch.long)) == 0


def test_a_query_has_neighbors_that_are_read_like_it_and_differ_in_the_rest():
    output = tensor([[1.0, 0.1], [1, 0], [1, -0.1], [-1, 0.1], [-1, 0], [-1, -0.1]]).double()
    reading = tensor([0, 0, 0, 1, 1, 1])
    # The first three are alike in everything, the others only in what the heads read.
    rest = tensor([[9.0, 0, 0], [9, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9], [0, -9, -9]]).double()

    best = first_views.best_neighborhood(output, torch.cat([output, rest], dim=1), reading, k=2)

    assert best is not None
    assert best.place[0] in (3, 4, 5)


def test_a_text_whose_nearest_images_are_read_alike_is_chosen():
    output = tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1]]).double()
    reading = tensor([0, 0, 1, 2])

    assert first_views.best_text(output, torch.eye(2).double(), reading, k=2).place == (0,)


def test_a_text_fits_an_image_if_it_fits_few_images_better():
    of_images = torch.arange(-5, 5).double()[:, None]

    assert first_views.fits_well(tensor([[4.0], [3.0], [2.0]]).double(), of_images).tolist() == [
        [True]
    ] * 2 + [[False]]


def test_a_label_whose_texts_name_places_points_at_nothing():
    reading = tensor([0, 1, 0, 1, 0, 1])
    everywhere = torch.stack([block(place, place % 3) for place in (0, 4, 3, 1, 4, 0)])
    fixed = torch.stack([block(0, 0), block(4, 4)] * 3)
    fitting = torch.ones(6, dtype=torch.bool)

    assert first_views.locality(fixed, reading, fitting) == pytest.approx(0)
    assert first_views.locality(everywhere, reading, fitting) > 0.5
    assert first_views.locality(everywhere, reading, ~fitting) == 0


def test_the_best_map_is_hot_in_one_place_and_of_the_text_that_the_image_is_read_as():
    flat, fitting = torch.full(GRID, 0.5), torch.ones(3, 2, dtype=torch.bool)
    maps = torch.stack(
        [
            torch.stack([block(0, 0), block(4, 4)]),
            torch.stack([flat, 0 * flat]),
            torch.stack([block(1, 2, 3.0), block(4, 0, 9.0)]),
        ]
    )

    shown, reading = first_views.presence(maps), torch.zeros(3, dtype=torch.long)

    assert first_views.best_map(maps, shown, reading, fitting).place == (2, 0)
    fitting[2] = False
    assert first_views.best_map(maps, shown, reading, fitting).place == (0, 0)


def test_two_texts_are_contrasted_where_both_are_in_the_picture_in_different_places():
    nothing, everything = torch.zeros(GRID), torch.ones(2, 3, dtype=torch.bool)
    one_thing = torch.stack([block(0, 0, 2.0), block(0, 0, 1.9), nothing])
    two_things = torch.stack([block(0, 0, 2.0), block(0, 0, 1.9), block(4, 4, 2.0)])

    both, neither = torch.stack([one_thing, two_things]), torch.stack([one_thing, one_thing])

    best = first_views.best_contrast(both, first_views.presence(both), everything)

    assert best == Choice((1, 0, 2), 1.0)
    assert first_views.best_contrast(neither, first_views.presence(neither), everything) is None


def test_the_accuracy_falls_by_the_images_that_are_right_no_more():
    score = tensor([[1.0, 0], [1, 0], [0, 1], [1, 1]])
    removed = tensor([[1.0, 0], [0, 0], [0, 0], [0, 0]])

    assert first_views.accuracy_loss(score, removed, tensor([0, 0, 1, 0])) == 0.25
