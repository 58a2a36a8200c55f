"""Images sorted by what a head's texts stand for, against known directions and TEXTSPAN's own shares."""

from contextlib import closing

import numpy as np
import pytest

from dashboard.analyses import text_directions
from db import queries, vectors
from db.connection import open_bundle

RNG = np.random.default_rng(0)


def test_directions_stand_at_right_angles_and_have_length_one():
    found = text_directions.directions(RNG.normal(size=(12, 16)))

    np.testing.assert_allclose(found @ found.T, np.eye(12), atol=1e-12)


def test_the_first_direction_is_that_of_the_text_itself():
    text = RNG.normal(size=(3, 8))

    np.testing.assert_allclose(text_directions.directions(text)[0], text[0] / np.linalg.norm(text[0]))


def test_a_later_direction_is_what_its_text_adds():
    found = text_directions.directions(np.array([[2.0, 0.0, 0.0], [5.0, 0.0, -3.0], [1.0, 4.0, 1.0]]))

    np.testing.assert_allclose(found, [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-12)


def test_nearly_parallel_texts_keep_their_right_angle():
    """One pass of Gram and Schmidt loses half of the digits here."""
    base = RNG.normal(size=8)
    text = base + 1e-4 * RNG.normal(size=(6, 8))

    found = text_directions.directions(text.astype(np.float32))

    np.testing.assert_allclose(found @ found.T, np.eye(6), atol=1e-10)


@pytest.mark.parametrize("spent", [[3.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
def test_a_text_with_nothing_of_its_own_is_refused_by_its_place(spent):
    with pytest.raises(ValueError, match="position 1 has no direction of its own"):
        text_directions.directions(np.array([[1.0, 0.0, 0.0], spent]))


def test_images_are_sorted_by_how_far_they_lie_along_the_text():
    """Four images on a line along the text, and large differences elsewhere that must not count."""
    coordinates = np.array([[-1.0, 50.0], [3.0, -50.0], [-3.0, 50.0], [1.0, -50.0]])

    found = text_directions.along([coordinates[:3], coordinates[3:]], np.array([1.0, 0.0]))

    np.testing.assert_allclose(found.value, np.array([-1, 3, -3, 1]) / np.sqrt(5))
    assert found.share == pytest.approx(5 / 2505)
    most, least = text_directions.ends(found.value, 2)
    assert most.tolist() == [1, 3]
    assert least.tolist() == [2, 0]


def test_a_direction_in_which_nothing_moves_sorts_nothing():
    found = text_directions.along([np.array([[1.0, 0.0], [-1.0, 0.0]])], np.array([0.0, 1.0]))

    assert found.value.tolist() == [0, 0]
    assert found.share == 0


def test_a_direction_that_holds_the_rounding_of_stored_coordinates_sorts_nothing():
    generator = np.random.default_rng(0)
    exact = np.column_stack([generator.standard_normal(50), np.zeros(50)])
    turned = exact @ np.array([[0.6, 0.8], [-0.8, 0.6]])

    found = text_directions.along([turned.astype(np.float16)], np.array([-0.8, 0.6]))

    assert not found.value.any()
    assert found.share == 0


def test_of_few_images_none_stands_at_both_ends():
    most, least = text_directions.ends(np.array([0.1, 0.5, 0.3]), 8)

    assert most.tolist() == [1]
    assert least.tolist() == [0]


def test_a_draw_holds_each_image_once_and_another_seed_draws_others():
    first, again, other = (text_directions.draw(1000, 8, seed) for seed in (1, 1, 2))

    assert len(set(first.tolist())) == 8
    assert first.tolist() == again.tolist() != other.tolist()
    assert sorted(text_directions.draw(5, 8, 0).tolist()) == [0, 1, 2, 3, 4]


def test_the_variance_along_every_pick_is_the_share_that_textspan_stored(small_bundle):
    """The pipeline had float64 moments; the page has float16 vectors. They agree within that rounding."""
    with closing(open_bundle(small_bundle)) as bundle:
        [key] = bundle.model_keys
        space = vectors.head_spaces(bundle, key)
        for place, head in enumerate(zip(space.layer.tolist(), space.head.tolist(), strict=True)):
            rows = queries.head_texts(bundle, model_key=key, layer=head[0], head=head[1])
            _, text = vectors.text_embeddings(bundle, key, rows["text_id"].tolist())
            _, y = vectors.image_coordinates(bundle, key, None, [head])
            found = text_directions.directions(text @ space.basis[place].T)
            shares = [text_directions.along([y[:, 0]], direction).share for direction in found]

            np.testing.assert_allclose(shares, rows["variance_share"], rtol=2e-3, atol=1e-5)
