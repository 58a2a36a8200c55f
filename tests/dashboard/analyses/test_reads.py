"""Heads that read a text, an image, or a text in an image, with answers worked out by hand."""

import numpy as np
import pytest

from dashboard.analyses import outside, reads

RANK = 4
TWO = np.stack([np.diag([9.0, 1, 0, 0]), np.diag([1.0, 1, 1, 1])])
"""A head that varies nine times as much along its first axis as along its second; one without a direction."""


def turned(covariance, generator):
    rotation = np.linalg.qr(generator.standard_normal(covariance.shape))[0]
    return rotation @ covariance @ rotation.T


@pytest.mark.parametrize(
    ("text", "share"),
    [([2.0, 0, 0, 0], 0.9), ([0, 3.0, 0, 0], 0.1), ([1.0, 1, 0, 0], 0.5), ([0, 0, 1.0, 0], 0.0)],
)
def test_the_share_of_a_text_is_that_of_the_variance_along_it(text, share):
    measure = reads.along_text(np.array([text, text]), TWO, np.full(2, RANK))

    assert measure.amount == pytest.approx([share, 0.25])
    assert measure.amount[0] == pytest.approx(outside.reading(np.array(text), TWO[0], RANK).share)
    # Σ λ² = 0.82: variance 2 / 24 (0.82 - 0.25).
    assert measure.z[0] == pytest.approx((share - 0.25) / np.sqrt(0.57 / 12))
    assert np.isnan(measure.z[1]), "equal in all directions: no rotation gives another share"


def test_mean_and_deviation_are_those_of_random_rotations():
    generator, text = np.random.default_rng(0), np.array([[1.0, -2, 0.5, 3, 0, 1]])
    covariance, rank = np.diag([5.0, 2, 1, 0.5, 0.1, 0]), np.array([6])
    shares = [
        reads.along_text(text, turned(covariance, generator)[None], rank).amount[0] for _ in range(4000)
    ]

    mean, deviation = reads.rotated(covariance[None], rank)

    assert mean[0] == pytest.approx(np.mean(shares), rel=0.03)
    assert deviation[0] == pytest.approx(np.std(shares), rel=0.05)


def test_the_largest_of_rotated_heads_has_a_uniform_p_value():
    generator = np.random.default_rng(1)
    spectra = generator.exponential(size=(10, 6)) ** 2
    covariance, text, rank = (
        np.stack([np.diag(row) for row in spectra]),
        np.eye(6)[:1].repeat(10, 0),
        np.full(10, 6),
    )

    largest = reads.largest_by_chance(covariance, rank)
    turns = (np.stack([turned(head, generator) for head in covariance]) for _ in range(400))
    p = np.array([reads.exceeded(reads.along_text(text, turn, rank).z, largest).min() for turn in turns])

    assert np.mean(p <= reads.BEYOND) == pytest.approx(0.05, abs=0.03)
    assert np.mean(p <= 0.5) == pytest.approx(0.5, abs=0.08)


def test_a_p_value_counts_the_draws_at_least_as_large():
    p = reads.exceeded(np.array([9.0, 3, 2.5, 0, np.nan]), np.array([1.0, 3, 2]))

    assert p[:4].tolist() == [0.25, 0.5, 0.5, 1.0]
    assert np.isnan(p[4])


def test_padding_and_length_of_a_text_do_not_count():
    padded = np.zeros((1, 8, 8))
    padded[0, :4, :4] = TWO[0]
    text, rank = np.array([[1.0, 2, 0, 0, 0, 0, 0, 0]]), np.array([4])

    whole, of_four = (
        reads.along_text(7 * text, padded, rank),
        reads.along_text(text[:, :4], padded[:, :4, :4], rank),
    )

    assert whole.amount == pytest.approx(of_four.amount)
    assert whole.z == pytest.approx(of_four.z)
    assert reads.largest_by_chance(padded, rank) == pytest.approx(
        reads.largest_by_chance(padded[:, :4, :4], rank)
    )


def test_nothing_is_read_by_a_constant_head_or_of_a_text_outside_its_space():
    text, zero, rank = np.ones((1, RANK)), np.zeros((1, RANK, RANK)), np.array([RANK])

    for measure in (
        reads.along_text(text, zero, rank),
        reads.along_text(0 * text, TWO[:1], rank),
        reads.in_image(0 * text, zero, np.zeros(1)),
    ):
        assert np.isnan([measure.amount[0], measure.z[0]]).all()
    assert np.isnan(reads.text_in_image(text, 0 * text, zero).z).all()
    assert np.isnan(reads.largest_by_chance(zero, rank)).all()


def test_an_image_is_measured_by_the_length_and_a_text_in_it_by_the_projection():
    generator = np.random.default_rng(2)
    images = generator.standard_normal((500, 2, RANK)) * [3, 1, 0.5, 0.1]
    images -= images.mean(axis=0)
    covariance = np.einsum("ina,inb->nab", images, images) / len(images)
    length = np.linalg.norm(images, axis=2)
    text = np.array([[1.0, 1, 0, 0], [0, 0, 0, 2.0]])
    projection = np.einsum("inr,nr->in", images, text)

    of_image = [reads.in_image(y, covariance, length.mean(axis=0)) for y in images]
    of_text = [reads.text_in_image(text, y, covariance) for y in images]

    amounts = np.stack([measure.amount for measure in of_image])
    assert amounts == pytest.approx(length / np.sqrt((length**2).mean(axis=0)))
    for measures, values in ((of_image, length), (of_text, projection)):
        z = np.stack([measure.z for measure in measures])
        assert z == pytest.approx((values - values.mean(axis=0)) / values.std(axis=0), abs=1e-6)
    assert np.stack([measure.amount for measure in of_text]) == pytest.approx(projection)
