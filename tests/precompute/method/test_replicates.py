"""Labels and first texts over replicates: those of TEXTSPAN on the half alone."""

import pytest
import torch

from precompute.method import labels, moments, replicates, resampling, stability
from precompute.method.textspan import text_coordinates, textspan
from precompute.method.types import Picks
from tests.support import heads
from tests.support.heads import pool_of


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
