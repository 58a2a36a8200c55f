"""Rounding is not taken for variance."""

import pytest
import torch

from precompute.clip import capture, vision_weights
from precompute.method import decomposition, moments, resampling, rounding
from precompute.method.selectivity import epsilon_squared
from precompute.method.types import Moments
from tests.support.towers import small_clip, some_pixels

GROUPS = 4


def nearly_equal(relative: float, images: int = 12):
    """Coordinates of one head, all near 0.3, that differ by a share `relative` of their size."""
    noise = torch.randn(images, 1, 1, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return 0.3 * (1 + relative * noise)


def moments_of(coordinates):
    return moments.from_coordinates(coordinates, torch.arange(len(coordinates)) % GROUPS, groups=GROUPS)


@pytest.mark.parametrize("relative", [0.0, 1e-16, 1e-7, 1e-6])
def test_a_head_that_differs_by_rounding_has_a_covariance_of_exactly_zero(relative):
    coordinates = nearly_equal(relative)

    pooled = moments.pooled(moments_of(coordinates))

    assert pooled.covariance.count_nonzero() == 0
    assert moments.importance(pooled.covariance).tolist() == [[0.0]]


def test_a_head_that_differs_by_more_keeps_its_covariance_to_the_last_bit():
    coordinates = nearly_equal(1e-4)

    covariance = moments.pooled(moments_of(coordinates)).covariance[0, 0]

    flat = coordinates[:, 0, 0]
    centered = flat - flat.mean(dim=0)
    torch.testing.assert_close(covariance, centered.T @ centered / len(flat), rtol=1e-6, atol=0)


@pytest.mark.parametrize(("relative", "varies"), [(1e-6, False), (1e-4, True)])
def test_replicates_have_the_same_guard(relative, varies):
    parts = moments_of(nearly_equal(relative))
    groups = torch.tensor([[True, True, False, False], [True, True, True, True]])

    importance = resampling.importance(parts, groups)
    head = Moments(parts.image_count, parts.mean[:, 0, 0], parts.second[:, 0, 0])
    covariance = resampling.covariances(head, groups)

    assert [bool(value) for value in importance.flatten()] == [varies, varies]
    assert [bool(part.any()) for part in covariance] == [varies, varies]


@pytest.mark.parametrize(("relative", "varies"), [(1e-6, False), (1e-4, True)])
def test_selectivity_has_the_same_guard(relative, varies):
    value = torch.tensor([0] * 6 + [1] * 6)
    coordinates = nearly_equal(relative)[:, 0]
    coordinates[6:] += relative

    assert bool(epsilon_squared(coordinates, value)) == varies


def test_vectors_that_differ_by_rounding_are_centered_to_zero():
    vectors = nearly_equal(1e-7)[:, 0, 0]

    assert rounding.centered(vectors, vectors.mean(dim=0)).count_nonzero() == 0
    varied = nearly_equal(1e-2)[:, 0, 0]
    assert rounding.centered(varied, varied.mean(dim=0)).equal(varied - varied.mean(dim=0))


def test_equal_images_in_batches_of_any_size_differ_by_far_less_than_the_guard():
    model = small_clip()
    layers = tuple(range(model.layers))
    weights = vision_weights(model)
    plan = decomposition.plan(weights, decomposition.head_spaces(weights, layers))
    pixels = some_pixels(model, images=1)

    batches = [pixels.expand(size, -1, -1, -1).contiguous() for size in (1, 2, 3, 5, 8, 17)]
    y = torch.cat([decomposition.decompose(plan, capture(model, batch, layers)).head for batch in batches])

    y = y.double()
    variance, square = y.var(dim=0, correction=0).sum(-1), y.square().mean(dim=0).sum(-1)
    assert float((variance / square).max()) < rounding.SHARE / 100
