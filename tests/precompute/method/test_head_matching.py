"""CKA, assignment, nulls and angles against brute force and answers made by hand."""

from itertools import permutations

import numpy as np
import pytest
import torch

from precompute.method import head_matching


def heads(images: int, count: int, rank: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(images, count, rank, generator=torch.Generator().manual_seed(seed)).double() + 3


def cka(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return head_matching.cka(head_matching.outputs(a), head_matching.outputs(b))


def brute_force_hsic(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The unbiased estimate as in Song et al. 2012, equation 5, from matrices of images by images."""
    n, ones = len(a), torch.ones(len(a)).double()
    a, b = a - a.diag().diag(), b - b.diag().diag()
    ends = ones @ a @ ones * (ones @ b @ ones) / ((n - 1) * (n - 2))
    return ((a @ b).trace() + ends - 2 / (n - 2) * ones @ a @ b @ ones) / (n * (n - 3))


def brute_force_cka(x: torch.Tensor, y: torch.Tensor) -> float:
    a, b = x @ x.T, y @ y.T
    return float(brute_force_hsic(a, b) / (brute_force_hsic(a, a) * brute_force_hsic(b, b)).sqrt())


def test_cka_equals_the_estimate_from_matrices_of_images_by_images():
    a, b = heads(12, 3, 4), heads(12, 2, 5, seed=1)
    b[:, 0, :4] += a[:, 1]

    expected = [[brute_force_cka(a[:, row], b[:, column]) for column in range(2)] for row in range(3)]

    assert cka(a, b).tolist() == [pytest.approx(row, abs=1e-6) for row in expected]


def test_a_head_that_is_rotated_scaled_and_shifted_has_a_cka_of_1():
    a = heads(20, 2, 4)
    rotation = torch.linalg.qr(torch.randn(4, 4, generator=torch.Generator().manual_seed(2)).double()).Q

    assert cka(a, 5 * a @ rotation - 1).diag().tolist() == pytest.approx([1, 1], abs=1e-6)


def test_independent_outputs_of_many_dimensions_have_a_cka_of_0_on_average():
    a, b = heads(40, 30, 20), heads(40, 30, 20, seed=1)

    assert cka(a, b).mean() == pytest.approx(0, abs=0.01)  # without the correction, 20 / 40


def test_a_constant_head_has_no_cka_and_no_partner():
    a = heads(20, 3, 4)
    a[:, 1] = 0.3 + 1e-9 * a[:, 1]

    found = cka(a, a)

    assert found.isnan().tolist() == [[False, True, False], [True] * 3, [False, True, False]]
    assert head_matching.match(found).tolist() == [[0, 0], [2, 2]]
    assert head_matching.largest(found, dim=1).isnan().tolist() == [False, True, False]


def test_three_images_are_too_few():
    assert cka(heads(3, 1, 2), heads(3, 1, 2)).isnan().all()


def test_permuted_heads_are_matched_back():
    a, order = heads(30, 6, 3), [4, 2, 0, 5, 1, 3]

    assert head_matching.match(cka(a, a[:, order])).tolist() == [
        [order[place], place] for place in (2, 4, 1, 5, 0, 3)
    ]


def test_no_other_pairs_have_a_larger_sum():
    generator = np.random.default_rng(0)
    for rows, columns in [(1, 1), (3, 3), (4, 6), (5, 5)]:
        score = generator.normal(size=(rows, columns))

        best = max(permutations(range(columns), rows), key=lambda order: score[range(rows), order].sum())

        pairs = [[row, column] for row, column in enumerate(best)]
        assert head_matching.match(torch.from_numpy(score)).tolist() == pairs


def test_every_head_of_the_smaller_model_has_a_partner():
    score = torch.tensor([[0.9, 0.8], [0.8, 0.1], [0.1, 0.0]]).double()

    assert head_matching.match(score).tolist() == [[0, 1], [1, 0]]
    assert head_matching.match(score.T).tolist() == [[0, 1], [1, 0]]


def test_shuffled_images_leave_no_likeness():
    a = head_matching.outputs(heads(200, 4, 3))

    found = head_matching.compare(a, a)

    assert found.cka.diag().tolist() == pytest.approx([1] * 4, abs=1e-6)
    assert found.shuffled_row.max() < 0.1 and found.shuffled_column.max() < 0.1


def test_a_p_value_counts_null_values_and_the_observed_one():
    null = torch.tensor([0.1, 0.2, 0.3, torch.nan])

    assert head_matching.p_values(torch.tensor([0.05, 0.2, 0.9]), null).tolist() == [1, 0.75, 0.25]


def test_principal_angles_of_planes_at_a_known_angle():
    angle = 1e-6
    a = torch.eye(4)[:2].double()
    b = torch.tensor([[1.0, 0, 0, 0], [0, np.cos(angle), np.sin(angle), 0]]).double()

    assert head_matching.principal_angles(a, b).tolist() == pytest.approx([0, angle], abs=1e-12)
    assert head_matching.principal_angles(a, torch.eye(4)[1:].double()).tolist() == pytest.approx(
        [0, np.pi / 2]
    )
    assert head_matching.principal_angles(a, torch.eye(4)[3:].double()).tolist() == pytest.approx([np.pi / 2])
