"""Replicates: random halves of images and texts, the same for all models, and labels of heads over them."""

import pytest
import torch

from precompute.method import (
    label_consistency,
    labels,
    moments,
    replicates,
    resampling,
    stability,
)
from precompute.method.textspan import text_coordinates, textspan
from precompute.method.types import Picks
from precompute.runtime.config import HeadOptions
from precompute.stages.head_replicates import draw
from tests.support import heads
from tests.support.heads import pool_of

FULL = torch.full((64,), 20)
SIZES = {"color": 30, "count": 31, "place": 24, "shape": 40}


OPTIONS = HeadOptions(picks=6, rotations=39, replicates=60, seed=0)


@pytest.fixture(scope="module")
def pool():
    return pool_of(SIZES)


@pytest.fixture(scope="module")
def model(pool):
    """Layer 2: three heads, each along one property; layer 3: three noise heads."""
    return heads.model(pool, [["color", "count", "shape"], [None, None, None]])


@pytest.fixture(scope="module")
def small(pool):
    """One head a layer: one along color, one of noise."""
    return heads.model(pool, [["color"], [None]])


@pytest.fixture(scope="module")
def halves(pool):
    return resampling.halves(FULL, pool.tags, count=60, seed=0)


# halves


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


# covariances


def test_covariances_of_replicates_are_those_of_their_groups_pooled():
    generator = torch.Generator().manual_seed(0)
    y = 3 + torch.randn(500, 1, 1, 5, generator=generator)
    head_moments = moments.from_coordinates(y, torch.randint(0, 64, (500,), generator=generator))
    count, mean, second = head_moments
    groups = resampling.halves(count, torch.ones(2, 1, dtype=torch.bool), count=6, seed=0).groups

    covariances = resampling.covariances(count, mean[:, 0, 0], second[:, 0, 0], groups)

    for covariance, group_mask in zip(covariances, groups, strict=True):
        expected = moments.pooled(head_moments, group_mask).covariance[0, 0]
        torch.testing.assert_close(covariance, expected, rtol=1e-10, atol=1e-12)


# picks and labels


def test_importance_and_coverage_of_replicates_are_those_of_their_groups_pooled():
    """One replicate of some groups, one of all; one group has no image."""
    model = heads.model(pool_of({"color": 8, "shape": 8}), [["color", "shape"], [None, None]], images=300)
    empty = torch.arange(64) == 5
    head_moments, components = (
        type(part)(*(field * ~empty.view(-1, *[1] * (field.dim() - 1)) for field in part))
        for part in (model.moments, model.components)
    )
    groups = torch.stack([torch.arange(64) % 3 == 0, torch.ones(64, dtype=torch.bool)])

    importance = resampling.importance(*head_moments, groups)
    shares = resampling.component_shares(components, groups)

    for number, group_mask in enumerate(groups):
        pooled = moments.pooled(head_moments, group_mask)
        group_components = type(components)(*(field[group_mask] for field in components))
        assert torch.allclose(importance[number], moments.importance(pooled.covariance), rtol=1e-9)
        assert torch.allclose(
            shares[number], moments.component_shares(group_components), rtol=1e-9, atol=1e-12
        )


def test_a_replicate_picks_as_textspan_does_on_its_half_alone(model, halves):
    """
    TEXTSPAN in float64 on the half of texts and groups gives the same labels and first texts.
    """
    layer_moments, texts = model.layer(0)

    found = replicates.resample(layer_moments, texts, halves, rotations=39)

    for head in range(3):
        coordinates = text_coordinates(texts.text, texts.basis[head])
        for number in range(20):
            covariance = moments.pooled(model.moments, halves.groups[number]).covariance[0, head]
            rows = halves.texts[number].nonzero().flatten()
            span = textspan(covariance, coordinates[rows], k=10)
            picks = rows[span.text_index]
            label = labels.leading(Picks(picks, span.variance_share), texts.tags).property
            assert found.first[head, number].tolist() == picks[:5].tolist()
            assert found.label[head, number] == label


def test_halves_of_one_kind_leave_the_other_whole(model, halves):
    layer_moments, texts = model.layer(1)

    found = replicates.resample(layer_moments, texts, halves, rotations=39)

    coordinates = text_coordinates(texts.text, texts.basis[0])
    whole = moments.pooled(model.moments).covariance[1, 0]
    for number in range(10):
        rows = halves.texts[number].nonzero().flatten()
        half = moments.pooled(model.moments, halves.groups[number]).covariance[1, 0]
        on_half_pool, on_half_images = (
            textspan(whole, coordinates[rows], k=10),
            textspan(half, coordinates, k=10),
        )
        picks = Picks(rows[on_half_pool.text_index], on_half_pool.variance_share)
        by_texts = labels.leading(picks, texts.tags)
        picks = Picks(on_half_images.text_index, on_half_images.variance_share)
        by_images = labels.leading(picks, texts.tags)
        assert found.label_texts[0, number] == by_texts.property
        assert found.label_images[0, number] == by_images.property
    assert found.label_texts.shape == found.label_images.shape == (3, replicates.ALONE)


def test_crossed_picks_come_from_either_half(model, pool):
    _, texts = model.layer(0)
    covariance = moments.pooled(model.moments).covariance[0]
    splits = resampling.splits(pool.tags, count=6, seed=0)

    found = replicates.cross(covariance, texts, splits, crossed_rotations=3, rotations=39)

    assert splits.gather(1, found.first[0, :, 0]).all()
    assert not splits.gather(1, found.first[0, :, 1]).any()
    assert found.rotated_label.shape == (3, 3, replicates.ROTATED_SPLITS, 2)
    rest = (~splits[0]).nonzero().flatten()
    span = textspan(covariance[0], text_coordinates(texts.text, texts.basis[0])[rest], k=5)
    assert found.first[0, 0, 1].tolist() == rest[span.text_index].tolist()


def test_the_result_is_the_same_every_time_and_for_any_number_of_workers(model, halves, pool):
    layer_moments, texts = model.layer(0)
    splits = resampling.splits(pool.tags, count=3, seed=0)
    covariance = moments.pooled(model.moments).covariance[0]

    one, two = (
        [
            *replicates.resample(layer_moments, texts, halves, rotations=39, workers=workers),
            *replicates.cross(covariance, texts, splits, crossed_rotations=2, rotations=39, workers=workers),
        ]
        for workers in (1, 2)
    )

    assert all(map(torch.equal, one, two))


def test_two_models_of_the_same_heads_do_not_differ_in_any_replicate(small, pool):
    """
    Halves depend on the pool and the groups alone, so equal heads get equal labels in every replicate.
    """
    options = OPTIONS._replace(replicates=10)

    first, second = draws_of(small, options), draws_of(small, options)
    other = draws_of(heads.model(pool, [["place"]] * 2, seed=9), options)

    assert torch.equal(first.resampled.label, second.resampled.label)
    assert all(map(torch.equal, first.halves, other.halves))
    assert not torch.equal(first.resampled.label, other.resampled.label)


def draws_of(model, options, directory=None):
    covariance = moments.pooled(model.moments).covariance
    return draw(model.moments, covariance, model.spaces, model.text, model.pool, options, directory)


# stability and cross-fitted consistency


@pytest.fixture(scope="module")
def scores(model, pool):
    """Labels of all six heads on all data, and their scores over replicates and splits."""
    head_labels = label_heads(model, pool)
    return head_labels, label_consistency.score_resamples(head_labels, draws_of(model, OPTIONS), pool.tags)


def label_heads(model, pool) -> label_consistency.HeadLabels:
    covariance = moments.pooled(model.moments).covariance
    spans = [
        textspan(covariance[layer, head], text_coordinates(model.text, model.spaces.basis[layer, head]), k=20)
        for layer in range(covariance.shape[0])
        for head in range(covariance.shape[1])
    ]
    count = min(len(span.text_index) for span in spans)
    picks = Picks(
        torch.stack([span.text_index[:count] for span in spans]),
        torch.stack([span.variance_share[:count] for span in spans]),
    )
    # The null does not matter here: the heads themselves, 39 times.
    null = Picks(*(part[:, None].expand(-1, 39, -1) for part in picks))
    return label_consistency.label_heads(picks, null, pool)


def test_a_head_along_one_property_keeps_its_label_in_every_half(scores, pool):
    head_labels, found = scores

    assert [pool.properties[index] for index in head_labels.label[:3].tolist()] == ["color", "count", "shape"]
    assert found.stability[:3].tolist() == [1.0] * 3
    assert found.stability_images[:3].tolist() == [1.0] * 3
    assert found.stability_texts[:3].tolist() == [1.0] * 3


def test_a_head_of_noise_is_about_as_stable_as_rotated_heads():
    """
    A rotation of noise is noise, so 16 such heads differ from their rotations by chance only.
    """
    pool = pool_of({name: 20 for name in "abcdef"})
    noise = heads.model(pool, [[None] * 16], seed=3)
    layer_moments, texts = noise.layer(0)
    halves = resampling.halves(noise.moments.image_count, pool.tags, count=20, seed=0)

    found = replicates.resample(layer_moments, texts, halves, rotations=39)

    all_data = resampling.Halves(*(torch.ones_like(mask[:1]) for mask in halves))
    reference = replicates.resample(layer_moments, texts, all_data, rotations=39).label[:, 0]
    observed = stability.stability(found.label, reference).mean()
    rotated = stability.rotated_stability(found.label_rotated).mean()
    assert 0.1 < rotated < 0.8
    assert float(observed) == pytest.approx(float(rotated), abs=0.15)


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


def test_a_label_is_judged_on_texts_that_did_not_give_it():
    """
    Side 0 has label 0 and picks texts 0 and 1; side 1 has label 1 and picks texts 2 and 3. Text 2 carries
    both properties: one text of side 1 agrees with the label of side 0, none of side 0 with that of side 1.
    """
    tags = torch.tensor([[True, False], [True, False], [True, True], [False, True]])
    label, first = torch.tensor([0, 1]), torch.tensor([[0, 1], [2, 3]])

    found = replicates.crossfit_tag_match(label, first, tags)

    assert found.tolist() == [[True, False], [False, False]]
    assert not replicates.crossfit_tag_match(torch.tensor([-1, -1]), first, tags).any()


def test_texts_are_counted_in_the_half_that_did_not_give_the_label():
    tags = torch.tensor([[True, False], [True, False], [False, True]])
    splits = torch.tensor([[True, True, False]])

    found = replicates.judging_text_count(splits, tags)

    assert found.tolist() == [[[0, 1], [2, 0]]]


def test_cross_fitted_consistency_finds_planted_heads_and_not_noise(scores):
    _, found = scores
    crossed = found.crossed_ccs.double().mean((1, 2))

    assert (crossed[:3] > found.rotated_crossed_ccs[:3].double().mean((1, 2, 3)) + 0.5).all()
    assert (found.crossed_ccs >= 0).all()  # every property has six texts in either half
    assert found.crossed_ccs.shape == (6, replicates.SPLITS, 2)
    assert found.half_crossed_ccs.shape == (6, 60, 2)


def test_a_label_is_scored_only_where_six_texts_can_judge_it():
    pool = pool_of({"color": 5, "shape": 11, "time": 12})
    few = heads.model(pool, [["color", "shape", "time"]])
    draws = draws_of(few, OPTIONS._replace(replicates=5))
    head_labels = label_heads(few, pool)

    found = label_consistency.score_resamples(head_labels, draws, pool.tags)

    assert [pool.properties[index] for index in head_labels.label[:3].tolist()] == ["color", "shape", "time"]
    assert head_labels.ccs[0] == -1 and (head_labels.ccs[1:3] >= 0).all()
    crossed, label = found.crossed_ccs, draws.crossed.label
    assert (crossed[label == 0] == -1).all()
    # Of eleven texts one half has six and the other five.
    of_shape = crossed[1][(label[1] == 1).all(1)]
    assert ((of_shape == -1).sum(1) == 1).all() and len(of_shape) > 0
    assert (crossed[label == 2] >= 0).all()


# work files


def test_a_layer_that_is_there_is_not_computed_again(small, tmp_path):
    options = OPTIONS._replace(replicates=5)

    first = draws_of(small, options, tmp_path)
    kept = {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    again = draws_of(small, options, tmp_path)

    assert len(kept) == 2
    assert {file: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == kept
    assert all(map(torch.equal, [*first.resampled, *first.crossed], [*again.resampled, *again.crossed]))


def test_other_inputs_never_meet_old_results(small, tmp_path):
    louder = small._replace(moments=small.moments._replace(second=2 * small.moments.second))

    draws_of(small, OPTIONS._replace(replicates=3), tmp_path)
    draws_of(small, OPTIONS._replace(replicates=3, seed=1), tmp_path)
    draws_of(small, OPTIONS._replace(replicates=4), tmp_path)
    draws_of(louder, OPTIONS._replace(replicates=3), tmp_path)

    assert len(list(tmp_path.iterdir())) == 4 * 2


def test_stability_without_replicates_is_undefined(small, pool, tmp_path):
    draws = draws_of(small, OPTIONS._replace(replicates=0), tmp_path)
    found = label_consistency.score_resamples(label_heads(small, pool), draws, pool.tags)

    assert found.stability.isnan().all() and found.text_stability.isnan().all()
    assert found.ccs.shape == (2, 0) and found.half_crossed_ccs.shape == (2, 0, 2)
    assert found.stability_rotated.isnan().all()
    assert (found.crossed_ccs >= 0).any()
