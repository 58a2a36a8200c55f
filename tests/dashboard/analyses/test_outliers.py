"""Outlier tokens of images made by hand."""

import numpy as np
import pytest

from dashboard.analyses import outliers


def norms(*strong: float) -> np.ndarray:
    """Norms of 60 patches between 1 and 2, then some strong ones."""
    return np.concatenate([np.linspace(1, 2, 60), strong])


def test_a_patch_far_above_the_others_is_an_outlier():
    found = outliers.outliers(norms(40.0, 30.0))

    assert np.flatnonzero(found).tolist() == [60, 61]


@pytest.mark.parametrize("strong", [(), (5.0,), (0.001,), (2.5,) * 10])
def test_a_patch_somewhat_above_or_below_the_others_is_none(strong):
    assert not outliers.outliers(norms(*strong)).any()


def test_an_object_of_many_patches_is_none():
    """A fifth of the picture: its patches write ten times as much as the background."""
    assert not outliers.outliers(norms(*np.linspace(10, 20, 15))).any()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_the_unit_does_not_matter(scale):
    assert outliers.outliers(scale * norms(40.0)).sum() == 1


def test_alike_patches_have_no_outliers_however_alike_they_are():
    assert not outliers.outliers(np.ones(36)).any()
    assert not outliers.outliers(np.zeros(36)).any()
    assert np.flatnonzero(outliers.outliers(np.array([1.0] * 36 + [3.9, 4.1]))).tolist() == [37]


def test_the_norm_of_a_patch_is_the_length_of_the_sum_of_its_heads():
    """Two heads write into two axes that are not orthogonal; the class token is left out."""
    basis = np.array([[[1.0, 0.0]], [[0.6, 0.8]]], np.float32)
    tokens = np.array([[[9.0], [1.0], [2.0]], [[9.0], [0.0], [-1.0]]], np.float32)

    found = outliers.contribution_norms(tokens, basis)

    expected = [1.0, np.hypot(2 - 0.6, 0.8)]
    assert found == pytest.approx(expected, rel=1e-6)
