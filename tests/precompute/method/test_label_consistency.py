"""Stability and cross-fitted consistency of labels: planted heads have both, noise has neither."""

import pytest

from precompute.method import label_consistency, replicates
from tests.support import heads
from tests.support.heads import pool_of
from tests.support.replicates import OPTIONS, draws_of, label_heads


@pytest.fixture(scope="module")
def scores(model, pool):
    """Labels of all six heads on all data, and their scores over replicates and splits."""
    head_labels = label_heads(model, pool)
    return head_labels, label_consistency.score_resamples(head_labels, draws_of(model, OPTIONS), pool.tags)


def test_a_head_along_one_property_keeps_its_label_in_every_half(scores, pool):
    head_labels, found = scores

    assert [pool.properties[index] for index in head_labels.label[:3].tolist()] == ["color", "count", "shape"]
    assert found.stability[:3].tolist() == [1.0] * 3
    assert found.stability_images[:3].tolist() == [1.0] * 3
    assert found.stability_texts[:3].tolist() == [1.0] * 3


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


def test_stability_without_replicates_is_undefined(small, pool, tmp_path):
    draws = draws_of(small, OPTIONS._replace(replicates=0), tmp_path)
    found = label_consistency.score_resamples(label_heads(small, pool), draws, pool.tags)

    assert found.stability.isnan().all() and found.text_stability.isnan().all()
    assert found.ccs.shape == (2, 0) and found.half_crossed_ccs.shape == (2, 0, 2)
    assert found.stability_rotated.isnan().all()
    assert (found.crossed_ccs >= 0).any()
