"""Numbers made by hand, and brute force in d_out against what the pages compute in coordinates."""

import numpy as np
import pytest

from dashboard.analyses import maps, neighbors
from dashboard.analyses.score_difference import why

HEADS, RANK, D_OUT, IMAGES = 3, 4, 16, 50


@pytest.fixture
def space():
    """Bases with orthonormal rows, means, centered coordinates of images, their contributions in d_out."""
    rng = np.random.default_rng(0)
    basis = np.stack([np.linalg.qr(rng.normal(size=(D_OUT, RANK)))[0].T for _ in range(HEADS)])
    mean = rng.normal(size=(HEADS, RANK))
    images = rng.normal(size=(IMAGES, HEADS, RANK))
    contribution = np.einsum("ihr,hrd->ihd", images + mean, basis)
    return basis, mean, images, contribution


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
    with pytest.raises(ValueError, match="metric is 'l2'; it must be one of cosine, dot"):
        neighbors.text_query(np.ones(2), np.zeros(2), np.zeros(2), metric="l2")


def test_text_scores_inside_a_head_are_contributions_times_text(space):
    basis, mean, images, contribution = space
    text = np.random.default_rng(1).normal(size=D_OUT)

    rows = [images[:, 1].astype(np.float32)]

    query = neighbors.text_query(basis[1] @ text, np.zeros(RANK), mean[1], metric="dot")
    score = neighbors.scores(query, rows, neighbors.mixture_norms(rows, basis[[1]]))

    np.testing.assert_allclose(score, contribution[:, 1] @ text, rtol=1e-4, atol=1e-5)


def test_the_best_come_first_ties_in_row_order_and_never_more_than_there_are():
    ranking = neighbors.top(np.array([0.5, 0.9, 0.5, 0.1]), 9, leave_out=1)

    assert ranking.row.tolist() == [0, 2, 3]
    assert ranking.score.tolist() == [0.5, 0.5, 0.1]


def test_a_map_keeps_its_place_and_its_sign():
    """In a 2 x 3 grid one patch adds, one takes away: rows run down, columns to the right."""
    tokens = np.zeros((1, 7, 1))
    tokens[0, 0] = 5.0  # the class token, in no cell
    tokens[0, 1 + 2] = 0.25  # row 0, column 2
    tokens[0, 1 + 3] = -0.5  # row 1, column 0

    found = maps.text_map(tokens, np.ones((1, 1, 1)), np.zeros(1), np.ones(1), np.array([True]), (2, 3))

    assert found.grid.tolist() == [[0, 0, 0.25], [-0.5, 0, 0]]
    assert found.parts == maps.Parts(patches=-0.25, class_token=5.0, other_heads=0.0, rest=0.0)


@pytest.mark.parametrize("shown", [[True, False, False], [True, True, False], [True, True, True]])
def test_the_parts_of_a_map_add_up_to_the_score(space, shown):
    basis, *_ = space
    rng = np.random.default_rng(2)
    tokens, rest, text = rng.normal(size=(HEADS, 5, RANK)), rng.normal(size=D_OUT), rng.normal(size=D_OUT)

    found = maps.text_map(tokens, basis, rest, text, np.array(shown), (2, 2))

    embedding = np.einsum("htr,hrd->d", tokens, basis) + rest
    assert found.parts.score == pytest.approx(float(embedding @ text), abs=1e-6)


def test_a_contrastive_map_is_the_difference_of_two_maps(space):
    basis, *_ = space
    rng = np.random.default_rng(3)
    tokens, rest, shown = (
        rng.normal(size=(HEADS, 5, RANK)),
        rng.normal(size=D_OUT),
        np.array([True, False, True]),
    )
    a, b = rng.normal(size=(2, D_OUT))

    def map_of(text):
        return maps.text_map(tokens, basis, rest, text, shown, (2, 2))

    difference = maps.contrast(map_of(a), map_of(b))

    direct = map_of(a - b)
    np.testing.assert_allclose(difference.grid, direct.grid, atol=1e-12)
    assert difference.parts.score == pytest.approx(direct.parts.score, abs=1e-12)


@pytest.mark.parametrize(
    ("largest", "limit"), [(0.0, 1.0), (0.0011, 0.0015), (0.002, 0.002), (3.1, 5.0), (7.2, 10.0)]
)
def test_the_color_scale_is_the_next_round_number(largest, limit):
    assert maps.symmetric_limit(np.array([[-largest, 0.0]])) == pytest.approx(limit)


def test_why_adds_up_to_the_score_difference(space):
    basis, mean, images, contribution = space
    rng = np.random.default_rng(5)
    rests = rng.normal(size=(IMAGES, D_OUT))
    embedding = contribution.sum(axis=1) + rests
    centered = contribution.mean(axis=0)
    mean = np.einsum("hd,hrd->hr", centered, basis)
    direction = rng.normal(size=D_OUT)
    coordinates = np.einsum("hd,hrd->hr", contribution[9], basis)

    found = why(coordinates, mean, basis, rests[9], embedding.mean(axis=0), direction)

    assert found.difference == pytest.approx(float(embedding[9] @ direction), abs=1e-6)
    np.testing.assert_allclose(found.heads, (contribution[9] - centered) @ direction, atol=1e-9)
    assert found.rest == pytest.approx(float((rests[9] - rests.mean(axis=0)) @ direction), abs=1e-6)


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
