"""CKA of heads of one model: the measure by which heads of two models are matched."""

import numpy as np
import torch

from dashboard.analyses.similarity import cka
from precompute.method import head_matching


def test_cka_is_that_of_matched_heads():
    generator = np.random.default_rng(0)
    common = generator.standard_normal((60, 1, 2))
    outputs = generator.standard_normal((60, 5, 4)).astype(np.float32)
    outputs[:, :3, :2] += 2 * common.astype(np.float32)

    expected = head_matching.cka(*[head_matching.outputs(torch.from_numpy(outputs))] * 2)

    for head in range(5):
        np.testing.assert_allclose(cka(outputs[:, head], outputs), expected[head], atol=1e-5)


def test_a_head_is_equal_to_itself_turned_moved_and_scaled_and_unlike_a_constant_one():
    generator = np.random.default_rng(1)
    head = generator.standard_normal((40, 3))
    turned = 5 * head @ np.linalg.qr(generator.standard_normal((3, 3)))[0] + 7

    similarity = cka(head, np.stack([turned, np.ones((40, 3))], axis=1))

    np.testing.assert_allclose(similarity[0], 1)
    assert np.isnan(similarity[1])


def test_too_few_images_give_no_similarity():
    assert np.isnan(cka(np.eye(3), np.eye(3)[:, None])).all()
