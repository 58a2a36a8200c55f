"""Random halves of images and texts, the same for all models, and moments of the half of the images."""

import pytest
import torch

from precompute.method import moments, resampling
from tests.support import heads
from tests.support.heads import pool_of
from tests.support.replicates import FULL


def test_every_replicate_holds_exactly_half_of_the_groups():
    found = resampling.halves(FULL, torch.ones(4, 1, dtype=torch.bool), count=50, seed=0)

    assert (found.groups.sum(1) == 32).all()
    assert found.groups.unique(dim=0).shape[0] == 50


def test_groups_without_images_are_not_drawn():
    images = torch.zeros(64, dtype=torch.long)
    images[[3, 8, 20]] = 5

    found = resampling.halves(images, torch.ones(4, 1, dtype=torch.bool), count=200, seed=0)

    assert set(found.groups.nonzero()[:, 1].tolist()) == {3, 8, 20}
    assert set(found.groups.sum(1).tolist()) == {1, 2}  # half of three rounds at random


def test_one_group_is_all_that_can_be_drawn():
    images = torch.zeros(64, dtype=torch.long)
    images[7] = 3

    found = resampling.halves(images, torch.ones(2, 1, dtype=torch.bool), count=9, seed=0)

    assert (found.groups.nonzero()[:, 1] == 7).all() and found.groups.sum() == 9


def test_every_property_keeps_half_of_its_texts_and_rounds_at_random(pool, halves):
    kept = halves.texts.long() @ pool.tags.long()  # [replicate, property]

    assert set(kept[:, 0].tolist()) == {15}
    assert set(kept[:, 1].tolist()) == {15, 16}
    assert set(kept[:, 3].tolist()) == {20}


def test_texts_of_several_properties_count_for_each_of_them():
    """
    20 texts have both properties. Texts of a single property restore the balance for any draw of these.
    """
    both = pool_of({"color": 30, "shape": 30}, both=(("color", "shape"),) * 20)

    found = resampling.halves(FULL, both.tags, count=100, seed=0)

    assert ((found.texts.long() @ both.tags.long()) == 25).all()
    assert len(set(found.texts[:, 60:].sum(1).tolist())) > 1 or (found.texts[:, 60:].sum(1) == 10).all()


def test_untagged_texts_are_halved_too():
    tags = torch.zeros(50, 2, dtype=torch.bool)
    tags[:30, 0] = True

    found = resampling.halves(FULL, tags, count=20, seed=0)

    assert (found.texts[:, 30:].sum(1) == 10).all()


def test_every_text_is_kept_in_half_of_all_draws():
    both = pool_of({"color": 9, "shape": 9}, both=(("color", "shape"),) * 3)

    kept = resampling.splits(both.tags, count=2000, seed=0).double().mean(0)

    assert (kept - 0.5).abs().max() < 4.5 * (0.25 / 2000) ** 0.5


def test_a_quarter_is_half_of_the_replicates_own_half(pool, halves):
    assert not (halves.quarters & ~halves.texts).any()
    kept = halves.quarters.long() @ pool.tags.long()
    assert set(kept[:, 3].tolist()) == {10}


def test_a_replicate_depends_on_the_seed_and_its_number_alone(pool, halves):
    few = resampling.halves(FULL, pool.tags, count=7, seed=0)
    other = resampling.halves(FULL, pool.tags, count=7, seed=1)

    assert all(torch.equal(one, many[:7]) for one, many in zip(few, halves, strict=True))
    assert not any(torch.equal(one, many) for one, many in zip(other, few, strict=True))


def test_the_spread_of_half_samples_is_that_of_the_whole_sample():
    """
    The mean of 64 groups has variance s²/64; halves without replacement have the same variance about it.
    """
    value = torch.randn(64, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    drawn = resampling.halves(FULL, torch.ones(2, 1, dtype=torch.bool), count=4000, seed=0).groups

    means = (drawn.double() @ value) / 32

    assert float(means.var()) == pytest.approx(float(value.var()) / 64, rel=0.08)


def test_covariances_of_replicates_are_those_of_their_groups_pooled():
    generator = torch.Generator().manual_seed(0)
    y = 3 + torch.randn(500, 1, 1, 5, generator=generator)
    head_moments = moments.from_coordinates(y, torch.randint(0, 64, (500,), generator=generator))
    groups = resampling.halves(
        head_moments.image_count, torch.ones(2, 1, dtype=torch.bool), count=6, seed=0
    ).groups

    covariances = resampling.covariances(head_moments.at(0).at(0), groups)

    for covariance, group_mask in zip(covariances, groups, strict=True):
        expected = moments.pooled(head_moments, group_mask).covariance[0, 0]
        torch.testing.assert_close(covariance, expected, rtol=1e-10, atol=1e-12)


def test_importance_and_coverage_of_replicates_are_those_of_their_groups_pooled():
    """One replicate of some groups, one of all; one group has no image."""
    model = heads.model(pool_of({"color": 8, "shape": 8}), [["color", "shape"], [None, None]], images=300)
    empty = torch.arange(64) == 5
    head_moments, components = (
        type(part)(*(field * ~empty.view(-1, *[1] * (field.dim() - 1)) for field in part))
        for part in (model.moments, model.components)
    )
    groups = torch.stack([torch.arange(64) % 3 == 0, torch.ones(64, dtype=torch.bool)])

    importance = resampling.importance(head_moments, groups)
    shares = resampling.component_shares(components, groups)

    for number, group_mask in enumerate(groups):
        pooled = moments.pooled(head_moments, group_mask)
        group_components = type(components)(*(field[group_mask] for field in components))
        assert torch.allclose(importance[number], moments.importance(pooled.covariance), rtol=1e-9)
        assert torch.allclose(
            shares[number], moments.component_shares(group_components), rtol=1e-9, atol=1e-12
        )
