"""Overlap of texts with those of others, and of reruns."""

import pytest
import torch

from precompute.tools.verify_paper import text_overlap


def test_overlap_ignores_the_order_of_texts():
    ours = {(0, 0): ["a", "b", "c"], (0, 1): ["a"], (1, 0): ["x"]}
    theirs = {(0, 0): ["c", "a", "z", "b"], (0, 1): ["a", "b"]}

    assert text_overlap.shares(ours, theirs, 2).tolist() == [0.5, 0.5]
    assert text_overlap.shares(ours, theirs, 3).tolist() == [pytest.approx(2 / 3), 0.5]
    assert text_overlap.of_other_heads(theirs) == {(0, 0): ["a", "b"], (0, 1): ["c", "a", "z", "b"]}


def test_surplus_directions_change_late_texts_but_not_the_first():
    generator = torch.Generator().manual_seed(0)
    text = torch.nn.functional.normalize(torch.randn(300, 100, generator=generator), dim=-1)
    basis = torch.linalg.qr(torch.randn(100, 20, generator=generator))[0].T.contiguous()
    covariance = torch.diag(torch.linspace(1, 0.1, 20)).double()

    reruns = [text_overlap.rerun(covariance, basis, 20, text, k=20, seed=seed) for seed in (0, 1)]

    assert reruns[0][0] == reruns[1][0]
    assert reruns[0] != reruns[1]
    assert reruns[0] == text_overlap.rerun(covariance, basis, 20, text, k=20, seed=0)
