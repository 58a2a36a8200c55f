"""Maps against masks: the figures, on maps whose score is known by hand."""

import math

import pytest
import torch
from torch import tensor
from torch.nn.functional import interpolate

from precompute.validation import map_metrics


def one(score: list[float], mask: list[int]) -> float:
    """Average precision of one map against one mask."""
    return float(map_metrics.average_precision(tensor(score), tensor([mask]).bool()))


def by_thresholds(score: torch.Tensor, mask: torch.Tensor) -> float:
    """The definition, threshold by threshold: precision times the recall that the threshold adds."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        chosen = score >= threshold
        hits = int((chosen & mask).sum())
        total += hits / int(chosen.sum()) * (hits / int(mask.sum()) - recall)
        recall = hits / int(mask.sum())
    return total


@pytest.mark.parametrize(
    ("score", "mask", "expected"),
    [
        ([0.0, 0.0, 1.0, 1.0], [0, 0, 1, 1], 1.0),
        ([4.0, 3.0, 2.0, 1.0], [1, 0, 1, 0], (1 / 1 + 2 / 3) / 2),
        ([1.0, 2.0, 3.0, 4.0], [1, 0, 0, 0], 1 / 4),
        ([5.0, 5.0, 5.0, 5.0], [0, 1, 0, 0], 1 / 4),
        ([2.0, 2.0, 1.0], [1, 0, 1], (1 / 2 + 2 / 3) / 2),
        ([-1.0, -2.0, -3.0], [0, 1, 0], 1 / 2),
    ],
)
def test_average_precision_of_small_maps(score, mask, expected):
    assert one(score, mask) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_average_precision_is_its_definition_for_any_ties(levels):
    generator = torch.Generator().manual_seed(levels)
    score = torch.randint(levels, (3, 2, 200), generator=generator).float()
    mask = torch.rand(2, 200, generator=generator) < 0.2

    found = map_metrics.average_precision(score, mask)

    expected = [[[by_thresholds(map, one) for one in mask] for map in pair] for pair in score]
    torch.testing.assert_close(found, tensor(expected, dtype=torch.float64))


def test_the_order_of_equal_pixels_makes_no_difference():
    score, mask = tensor([1.0, 1.0, 1.0, 0.0, 0.0]), tensor([[1, 0, 0, 1, 0]]).bool()

    backward = map_metrics.average_precision(score.flip(0), mask.flip(1))

    torch.testing.assert_close(backward, map_metrics.average_precision(score, mask))


def test_a_mask_without_a_pixel_is_refused():
    with pytest.raises(ValueError, match="Leave the picture out"):
        map_metrics.average_precision(torch.ones(4), tensor([[0, 0, 0, 0], [1, 0, 0, 0]]).bool())


def test_patches_stay_where_they_are_when_a_map_is_enlarged():
    grid = torch.zeros(2, 8, 8)
    grid[0, 1, 6] = 1
    grid[1] = 3

    large = map_metrics.enlarged(grid).reshape(2, map_metrics.SIDE, map_metrics.SIDE)

    row, column = divmod(int(large[0].argmax()), map_metrics.SIDE)
    assert 8 <= row < 16 and 48 <= column < 56
    assert float(large[1].min()) == float(large[1].max()) == 3


def test_between_centers_a_map_is_bilinear_and_beyond_them_it_is_the_nearest_patch_to_the_last_bit():
    grid = torch.randn(20, 4, 4, generator=torch.Generator().manual_seed(0))

    large = map_metrics.enlarged(grid).reshape(20, map_metrics.SIDE, map_metrics.SIDE)

    usual = interpolate(
        grid[None], size=(map_metrics.SIDE, map_metrics.SIDE), mode="bilinear", align_corners=False
    )[0]
    torch.testing.assert_close(large, usual, atol=1e-6, rtol=0)
    for band in (large[:, :8], large[:, -8:].flip(1), large.mT[:, :8], large.mT[:, -8:].flip(1)):
        assert (band == band[:, :1]).all()  # centers lie at 7.5, 23.5, ... of 64
    assert (large[:, :8, :8] == grid[:, :1, :1]).all()


def test_rounding_decides_no_rank():
    """Noise of float32's last bits moves no score by more than a rounding of 1e-5."""
    generator = torch.Generator().manual_seed(0)
    grid = torch.randn(100, 4, 4, generator=generator)
    noise = 1 + 1e-7 * torch.randn(100, 4, 4, generator=generator)
    mask = torch.zeros(1, map_metrics.SIDE, map_metrics.SIDE, dtype=torch.bool)
    mask[0, 20:45, 38:] = True

    one, other = (
        map_metrics.average_precision(map_metrics.enlarged(each), mask.flatten(1))
        for each in (grid, grid * noise)
    )

    assert float((one - other).abs().max()) < 2e-5


def test_a_pixel_belongs_to_a_mask_that_covers_more_than_half_of_it():
    covered = torch.zeros(2, 128, 128)
    covered[0, :2, :2] = 0.6
    covered[1, :2, 0] = 1  # half of the first of 64 x 64 pixels

    mask = map_metrics.mask_pixels(covered)

    assert mask.shape == (2, map_metrics.SIDE**2)
    assert mask[0].nonzero().tolist() == [[0]]
    assert not mask[1].any()


def test_a_head_map_is_what_its_patches_give_along_the_text():
    """Two heads that write to axes of d_out; the class token, here large, has no part in a map."""
    basis = torch.zeros(1, 2, 1, 3)
    basis[0, 0, 0, 0] = basis[0, 1, 0, 1] = 1
    token = tensor([[[[99.0], [1.0], [2.0]], [[99.0], [5.0], [7.0]]]])  # [layer, head, token, rank]

    found = map_metrics.head_maps(token, basis, tensor([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]))

    assert found[0, 0].tolist() == [[1, 2], [0, 0]]
    assert found[0, 1].tolist() == [[0, 0], [10, 14]]


def some_attention(layers: int, seed: int = 0) -> torch.Tensor:
    """Two images, three heads, five tokens."""
    random = torch.randn(2, layers, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    return random.softmax(dim=-1)


def test_raw_attention_is_the_last_layers_class_token_row():
    attention = torch.zeros(1, 2, 2, 3, 3)
    attention[0, 1, 0, 0] = tensor([0.5, 0.25, 0.25])
    attention[0, 1, 1, 0] = tensor([0.0, 1.0, 0.0])

    assert map_metrics.raw_attention(attention).tolist() == [[0.625, 0.125]]


def test_rollout_over_one_layer_is_half_of_the_attention():
    attention = some_attention(layers=1)

    torch.testing.assert_close(map_metrics.rollout(attention), 0.5 * attention[:, 0].mean(1)[:, 0, 1:])


def test_rollout_multiplies_the_layers_last_one_first():
    attention = some_attention(layers=3)
    first, second, third = (0.5 * (attention[:, layer].mean(1) + torch.eye(5)) for layer in range(3))

    torch.testing.assert_close(map_metrics.rollout(attention), (third @ second @ first)[:, 0, 1:])


def test_a_captions_rival_is_of_the_next_picture_that_shares_no_caption():
    captions = [("red", "blue"), ("blue", "green"), ("pink", "gray"), ("pink", "black")]

    assert map_metrics.other_captions(captions) == [
        ("pink", "gray"),
        ("pink", "gray"),
        ("red", "blue"),
        ("red", "blue"),
    ]
    assert map_metrics.other_captions([("red", "blue"), ("blue", "green")]) == [None, None]


def test_measures_set_the_right_mask_against_the_other_and_the_right_caption_against_another():
    precision = tensor([[0.9, 0.3, 0.4], [0.7, 0.1, 0.6]], dtype=torch.float64)

    found = map_metrics.measures(precision)

    torch.testing.assert_close(found, tensor([0.8, 0.8 - 0.2, 0.8 - 0.5], dtype=torch.float64))


def test_a_summary_is_a_mean_with_its_interval():
    found = map_metrics.summary(tensor([0.0, 1.0, math.nan]))

    assert found.value == 0.5 and found.count == 2
    assert found.high - found.value == pytest.approx(1.96 * math.sqrt(0.5) / math.sqrt(2))
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_one_picture_has_no_interval_and_none_no_summary():
    assert map_metrics.summary(tensor([0.25])) == map_metrics.Summary(0.25, None, None, 1)
    assert map_metrics.summary(tensor([math.nan])) is None
