"""Maps made by hand, and brute force in d_out against what the pages compute in coordinates."""

import numpy as np
import pytest

from dashboard.analyses import maps
from tests.support.spaces import D_OUT, HEADS, IMAGES, RANK


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


def test_one_strong_patch_does_not_set_the_scale_and_is_counted():
    grid = np.full((10, 10), 0.0015)
    grid[0, 0] = -0.9

    limit = maps.symmetric_limit(grid, grid)

    assert limit == pytest.approx(0.0015)
    assert maps.beyond(limit, grid, grid) == 2
    assert maps.beyond(1.0, grid) == 0
    # Of a map that is zero elsewhere, the only patch sets it.
    assert maps.symmetric_limit(np.where(grid < 0, grid, 0)) == pytest.approx(1.0)


def test_the_full_range_has_no_value_beyond_it():
    grid = np.full((10, 10), 0.0015)
    grid[0, 0] = -0.9

    limit = maps.symmetric_limit(grid, share=1.0)

    assert limit == pytest.approx(1.0)
    assert maps.beyond(limit, grid) == 0


def test_maps_of_each_head_add_up_to_the_map_of_all(space):
    basis, *_ = space
    rng = np.random.default_rng(4)
    tokens, text = rng.normal(size=(HEADS, 5, RANK)), rng.normal(size=D_OUT)
    scores = maps.token_scores(tokens, basis, text)

    each = [maps.map_of_scores(scores, 0.5, only, (2, 2)) for only in np.eye(HEADS, dtype=bool)]

    whole = maps.map_of_scores(scores, 0.5, np.ones(HEADS, bool), (2, 2))
    np.testing.assert_allclose(sum(one.grid for one in each), whole.grid, atol=1e-12)
    assert {round(one.parts.score, 9) for one in each} == {round(whole.parts.score, 9)}


def test_why_adds_up_to_the_score_difference(space):
    basis, mean, images, contribution = space
    rng = np.random.default_rng(5)
    rests = rng.normal(size=(IMAGES, D_OUT))
    embedding = contribution.sum(axis=1) + rests
    centered = contribution.mean(axis=0)
    mean = np.einsum("hd,hrd->hr", centered, basis)
    direction = rng.normal(size=D_OUT)
    coordinates = np.einsum("hd,hrd->hr", contribution[9], basis)

    found = maps.why(coordinates, mean, basis, rests[9], embedding.mean(axis=0), direction)

    difference = found.heads.sum() + found.rest + found.average
    assert difference == pytest.approx(float(embedding[9] @ direction), abs=1e-6)
    np.testing.assert_allclose(found.heads, (contribution[9] - centered) @ direction, atol=1e-9)
    assert found.rest == pytest.approx(float((rests[9] - rests.mean(axis=0)) @ direction), abs=1e-6)
