"""Scores through heads equal brute force in d_out."""

import numpy as np
import pytest

from dashboard.analyses import neighbors
from tests.support.spaces import D_OUT, RANK


def test_the_dot_product_through_a_set_of_heads_equals_brute_force(space):
    basis, mean, images, contribution = space

    score = through(space, query=7, heads=[0, 1, 2], metric="dot")

    brute = contribution.mean(axis=1) @ contribution[7].mean(axis=0)
    np.testing.assert_allclose(score, brute, rtol=1e-5)


def test_cosine_through_a_set_of_heads_is_that_of_the_centered_mean_contribution(space):
    _, _, _, contribution = space

    score = through(space, query=7, heads=[0, 2], metric="cosine")

    p = contribution[:, [0, 2]].mean(axis=1) - mean_mixture(space, [0, 2])
    brute = p @ p[7] / np.linalg.norm(p, axis=1) / np.linalg.norm(p[7])
    np.testing.assert_allclose(score, brute, rtol=1e-4, atol=1e-6)
    assert score[7] == pytest.approx(1)


def test_one_head_needs_no_basis_to_compare_two_images(space):
    """Orthonormal rows preserve inner products, so one head's cosine is that of its coordinates."""
    _, _, images, _ = space

    score = through(space, query=3, heads=[1], metric="cosine")

    y = images[:, 1]
    brute = y @ y[3] / np.linalg.norm(y, axis=1) / np.linalg.norm(y[3])
    np.testing.assert_allclose(score, brute, rtol=1e-4, atol=1e-6)


def test_cross_terms_between_heads_count():
    """Two heads that write the same direction agree with each other, not only each with itself."""
    basis = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    query = np.array([[1.0], [0.0]])
    images = [np.array([[0.0]], np.float32), np.array([[1.0]], np.float32)]

    asked = neighbors.image_query(query, basis, np.zeros((2, 1)), metric="cosine")
    score = neighbors.scores(asked, images, neighbors.mixture_norms(images, basis))

    assert score.tolist() == [1.0]


def test_an_image_at_the_mean_is_near_nothing():
    basis = np.eye(2)[None]
    images = [np.array([[0.0, 0.0], [1.0, 0.0]], np.float32)]

    query = neighbors.image_query(np.array([[2.0, 0.0]]), basis, np.zeros((1, 2)), metric="cosine")
    score = neighbors.scores(query, images, neighbors.mixture_norms(images, basis))

    assert score.tolist() == [0.0, 1.0]


def test_an_unknown_metric_is_refused_by_name():
    with pytest.raises(ValueError, match="'l2'.* cosine, dot"):
        neighbors.text_query(np.ones(2), np.zeros(2), np.zeros(2), metric="l2")


def test_text_scores_inside_a_head_are_contributions_times_text(space):
    basis, mean, images, contribution = space
    text = np.random.default_rng(1).normal(size=D_OUT)

    rows = [images[:, 1].astype(np.float32)]

    query = neighbors.text_query(basis[1] @ text, np.zeros(RANK), mean[1], metric="dot")
    score = neighbors.scores(query, rows, neighbors.mixture_norms(rows, basis[[1]]))

    np.testing.assert_allclose(score, contribution[:, 1] @ text, rtol=1e-4, atol=1e-5)


def test_the_best_come_first_ties_in_row_order_and_never_more_than_there_are():
    rows, scores = neighbors.top(np.array([0.5, 0.9, 0.5, 0.1]), 9, leave_out=1)

    assert rows.tolist() == [0, 2, 3]
    assert scores.tolist() == [0.5, 0.5, 0.1]


def through(space, *, query, heads, metric):
    basis, mean, images, _ = space
    basis, mean = basis[heads], mean[heads]
    rows = [images[:, h].astype(np.float32) for h in heads]
    norms = neighbors.mixture_norms(rows, basis, block=16)
    asked = neighbors.image_query(images[query][heads], basis, mean, metric=metric)
    return neighbors.scores(asked, rows, norms)


def mean_mixture(space, heads):
    basis, mean, _, _ = space
    return neighbors.mixture(mean[heads], basis[heads])
