"""Queries inside and outside of images, and of a head, that were made by hand."""

import numpy as np
import pytest

from dashboard.analyses import neighbors, outside


def images_on_a_line(count: int) -> np.ndarray:
    """Images a step of 1 apart along the first axis of a head with two, centered."""
    return np.stack([np.arange(count) - (count - 1) / 2, np.zeros(count)], axis=1).astype(np.float32)


@pytest.mark.parametrize(
    ("place", "distance", "share", "far"),
    [
        ([0.0, 0.0], 0.5, 0.0, False),  # between two images
        ([0.0, 0.9], np.hypot(0.5, 0.9), 1.0, True),  # beside the line
        ([400.0, 0.0], 300.5, 1.0, True),
    ],
)
@pytest.mark.parametrize("blocks", [1, 3])
def test_an_image_off_the_line_of_all_images_lies_outside(place, distance, share, far, blocks):
    images = images_on_a_line(200)
    parts = [([part], np.linalg.norm(part, axis=1)) for part in np.array_split(images, blocks)]
    own = np.arange(200)
    typical = outside.nearest_distances(parts, images[:, None], np.linalg.norm(images, axis=1), own)
    query = neighbors.image_query(np.float32([place]), np.eye(2)[None], np.zeros((1, 2)), metric="cosine")

    [nearest] = outside.nearest_distances(parts, query.vector[None], np.array([query.length]))

    assert typical == pytest.approx(1, abs=1e-3)
    assert nearest == pytest.approx(distance, abs=1e-2)
    assert outside.share_nearer(nearest, typical) == share
    assert (outside.share_nearer(nearest, typical) > outside.FAR) == far


def test_distances_through_several_heads_are_those_of_their_mean_contribution():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((6, 6)))[0].reshape(2, 3, 6)
    basis[1, 0] = basis[0, 0]  # two heads that share a direction
    images = rng.standard_normal((2, 50, 3))
    mixed = np.einsum("hir,hrd->id", images, basis) / 2
    norms = neighbors.mixture_norms(list(images), basis)
    query = neighbors.image_query(images[:, 7], basis, np.zeros((2, 3)), metric="cosine")

    [nearest] = outside.nearest_distances(
        [(images, norms)], query.vector[None], np.array([query.length]), np.array([7])
    )

    assert nearest == pytest.approx(np.sort(np.linalg.norm(mixed - mixed[7], axis=1))[1], abs=1e-4)


@pytest.mark.parametrize(
    ("text", "share", "is_outside"),
    [([1.0, 0, 0, 0], 0.97, False), ([0, 2.0, 0, 0], 0.01, True), ([1.0, 1.0, 0, 0], 0.49, False)],
)
def test_a_text_along_which_a_head_hardly_varies_lies_outside(text, share, is_outside):
    reading = outside.reading(np.array(text), np.diag([0.97, 0.01, 0.01, 0.01]), 4)

    assert reading.share == pytest.approx(share)
    assert reading.outside == is_outside
    assert 0 < reading.chance < 0.5


def test_the_chance_share_is_that_of_random_rotations_of_the_head():
    rng = np.random.default_rng(1)
    spectrum, text = np.diag([5.0, 2, 1, 0.5, 0.1, 0]), rng.standard_normal(6)
    shares = []
    for _ in range(300):
        rotation = np.linalg.qr(rng.standard_normal((6, 6)))[0]
        shares.append(outside.reading(text, rotation @ spectrum @ rotation.T, 6).share)

    reading = outside.reading(text, spectrum, 6)

    assert reading.chance == pytest.approx(np.median(shares), abs=0.03)
    assert reading.exceeded == pytest.approx(np.mean(np.array(shares) >= reading.share), abs=0.06)


def test_no_word_on_a_constant_head_or_a_text_that_is_not_in_its_space():
    assert outside.reading(np.ones(3), np.zeros((3, 3)), 3) is None
    assert outside.reading(np.zeros(3), np.eye(3), 3) is None


def test_directions_that_a_head_has_no_room_for_do_not_count():
    padded = np.zeros((8, 8))
    padded[:2, :2] = np.diag([3.0, 1.0])

    assert outside.reading(np.eye(8)[1], padded, 2) == outside.reading(np.eye(2)[1], padded[:2, :2], 2)
