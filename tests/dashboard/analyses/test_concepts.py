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
        assert span.share[head] == pytest.approx(float(expected.cumulative_share[-1]))


def test_texts_of_one_direction_are_chosen_once_and_a_constant_head_has_no_share():
    text = np.array([[[1.0, 0, 0], [2.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0]]]).repeat(2, 0)
    covariance = np.stack([np.diag([6.0, 3, 1]), np.zeros((3, 3))])

    span = concepts.first_texts(text, covariance, 4)
    two = concepts.first_texts(text, covariance, 2)

    assert span.text.tolist() == [[1, 3, 2, -1], [-1] * 4]
    assert span.share[0] == pytest.approx(1)
    assert two.share[0] == pytest.approx(0.9)
    assert np.isnan(span.share[1])


def test_the_span_of_texts_has_their_share_whatever_their_order_or_length():
    covariance = np.diag([6.0, 3, 1])[None]

    assert concepts.spanned(np.array([[[0, 5.0, 0], [1.0, 1, 0]]]), covariance) == pytest.approx([0.9])
    assert concepts.spanned(np.array([[[0, 0, 1.0], [0, 0, 2.0]]]), covariance) == pytest.approx([0.1])
    assert np.isnan(concepts.spanned(np.ones((1, 2, 3)), np.zeros((1, 3, 3)))).all()
