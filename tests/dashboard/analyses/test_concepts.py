"""Texts of a concept span what TEXTSPAN spans with them; the shares of small cases are known."""

import numpy as np
import pytest
import torch

from dashboard.analyses import concepts
from precompute.method.textspan import textspan


@pytest.mark.parametrize("seed", range(3))
def test_choices_are_those_of_textspan_for_every_head(seed):
    generator = np.random.default_rng(seed)
    outputs = generator.standard_normal((5, 60, 8)) * np.logspace(0, -1.5, 8)
    covariance = np.einsum("nia,nib->nab", outputs, outputs) / 60
    text = generator.standard_normal((5, 30, 8)) + 0.5

    span = concepts.first_texts(text, covariance, 6)

    for head in range(5):
        expected = textspan(torch.tensor(covariance[head]), torch.tensor(text[head]), k=6)
        assert span.text[head].tolist() == expected.text_index.tolist()
        np.testing.assert_allclose(span.share[head], expected.cumulative_share)


def test_texts_of_one_direction_are_chosen_once_and_a_constant_head_has_no_share():
    text = np.array([[[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]]]).repeat(2, 0)
    covariance = np.stack([np.diag([6.0, 3, 1]), np.zeros((3, 3))])

    span = concepts.first_texts(text, covariance, 4)

    assert span.text.tolist() == [[1, 3, 2, -1], [-1] * 4]
    assert span.share[0] == pytest.approx([0.6, 0.9, 1, 1])
    assert np.isnan(span.share[1]).all()


def test_the_first_texts_of_a_list_span_their_share_whatever_their_length():
    covariance = np.diag([6.0, 3, 1])[None]
    draws = np.array([[[[0, 5.0, 0], [1.0, 1, 0], [3.0, 1, 0]]], [[[0, 0, 1.0], [0, 0, 2.0], [4.0, 0, 4]]]])

    shares = concepts.spanned(draws, covariance)

    np.testing.assert_allclose(shares, [[[0.3, 0.9, 0.9]], [[0.1, 0.1, 0.7]]])
    assert np.isnan(concepts.spanned(np.ones((1, 2, 3)), np.zeros((1, 3, 3)))).all()
