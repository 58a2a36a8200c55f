"""Mean-ablation of heads in zero-shot classification: by hand, and by brute force in d_out."""

import numpy as np
import pytest

from dashboard.analyses import mean_ablation
from dashboard.analyses.mean_ablation import Outcome

RED, GREEN, BLUE = range(3)


def hand_made():
    """Three images and three classes along three axes; head 0 writes red and green, head 1 blue.

    The first image is red through head 0 alone, the second green whatever head 0 does, the third blue through
    head 1.
    """
    text = np.eye(3, dtype=np.float32)
    embedding = np.array([[0.9, 0.3, 0.0], [0.1, 0.9, 0.0], [0.4, 0.0, 0.6]])
    basis = np.array([[[1.0, 0, 0], [0, 1.0, 0]], [[0, 0, 1.0], [0, 0, 0]]])
    images = [np.array([[0.8, 0.0], [-0.2, 0.2], [-0.1, 0.0]]), np.array([[0.0, 0], [0.1, 0], [0.5, 0]])]
    return embedding, text, np.array([RED, GREEN, BLUE]), images, basis


def through(heads):
    embedding, text, own, images, basis = hand_made()
    score = mean_ablation.scores(embedding, text)
    before = mean_ablation.outcome(score, own)
    after = mean_ablation.mean_ablate(score, own, [images[h] for h in heads], basis[heads], text)
    return before, after, own


def test_nothing_is_lost_while_nothing_is_ablated():
    before, _, _ = through([0])

    assert before.right.tolist() == [True, True, True]


def test_a_head_takes_the_images_it_alone_recognized():
    """Without head 0 the first image scores 0.1 for red and 0.3 for green."""
    _, after, _ = through([0])

    assert after.right.tolist() == [False, True, True]
    assert after.rival[0] == GREEN


def test_two_heads_take_what_each_of_them_takes():
    _, after, _ = through([0, 1])

    assert after.right.tolist() == [False, True, False]
    assert after.rival[2] == RED


def test_counts_by_class_and_targets_of_the_lost():
    before, after, own = through([0, 1])

    count = mean_ablation.by_class(before, after, after, own, values=4)

    assert count["images"].tolist() == [1, 1, 1, 0]
    assert count["before"].tolist() == [1, 1, 1, 0]
    assert count["after"].tolist() == count["control"].tolist() == [0, 1, 0, 0]
    assert count["lost"].tolist() == [1, 0, 1, 0]
    assert count["gained"].tolist() == [0, 0, 0, 0]
    assert mean_ablation.went_to(before, after, own, RED) == [(GREEN, 1)]
    assert mean_ablation.went_to(before, after, own, GREEN) == []


def test_lost_images_are_told_from_those_that_were_wrong_before():
    before = Outcome(np.array([True, False, True, True]), np.array([1, 1, 1, 1]))
    after = Outcome(np.array([False, False, False, False]), np.array([2, 1, 1, 2]))

    assert mean_ablation.went_to(before, after, np.zeros(4, int), 0) == [(2, 2), (1, 1)]


def test_a_tie_is_not_right_and_goes_to_the_other_class():
    found = mean_ablation.outcome(np.array([[0.5, 0.5]], np.float32), np.array([0]))

    assert found.right.tolist() == [False]
    assert found.rival.tolist() == [1]


@pytest.mark.parametrize("classes", [5, 40])
def test_scores_equal_brute_force_in_d_out(monkeypatch, classes):
    """The contributions put together in d_out and set to their means there; few classes and many.

    Blocks of three images, so that their seams are crossed.
    """
    monkeypatch.setattr(mean_ablation, "BLOCK", 3)
    rng = np.random.default_rng(0)
    heads, rank, d_out, count = 4, 6, 24, 50
    basis = np.stack([np.linalg.qr(rng.normal(size=(d_out, rank)))[0].T for _ in range(heads)])
    coordinates = rng.normal(size=(count, heads, rank))
    centered = coordinates - coordinates.mean(axis=0)
    embedding, text = rng.normal(size=(count, d_out)), rng.normal(size=(classes, d_out))
    own = rng.integers(0, classes, count)

    score = mean_ablation.scores(embedding, text)
    images = [centered[:, h].astype(np.float32) for h in (1, 3)]
    after = mean_ablation.mean_ablate(score, own, images, basis[[1, 3]], text)

    contribution = np.einsum("ihr,hrd->ihd", coordinates, basis)
    contribution[:, [1, 3]] -= contribution[:, [1, 3]].mean(axis=0)  # what leaves when the mean stays
    brute = (embedding - contribution[:, [1, 3]].sum(axis=1)) @ text.T
    expected = mean_ablation.outcome(brute, own)
    assert after.right.tolist() == expected.right.tolist()
    assert after.rival.tolist() == expected.rival.tolist()
    assert 0 < after.right.sum() < count


def test_an_even_sample_keeps_the_share_of_every_class():
    own = np.repeat([0, 1, 2], [600, 300, 100])
    np.random.default_rng(0).shuffle(own)

    rows = mean_ablation.even_sample(own, 100)

    assert np.bincount(own[rows]).tolist() == [60, 30, 10]
    assert (np.diff(rows) > 0).all()


def test_few_images_are_all_taken():
    assert mean_ablation.even_sample(np.array([2, 0, 1]), 3).tolist() == [0, 1, 2]
