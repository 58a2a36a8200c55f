"""Synthetic heads: noise and signal have the stated spectra."""

import pytest
import torch

from precompute.inputs.text_pool import parse
from precompute.tools.calibration import synthetic_heads
from precompute.tools.calibration.synthetic_heads import LabelingSetting


@pytest.fixture(scope="module")
def tiny():
    """Four colors along two axes, four shapes along two others, in a space of five of the six dimensions."""
    axes = torch.eye(6, dtype=torch.float64)
    text = torch.stack([axes[0], -axes[0], axes[1], -axes[1], axes[2], -axes[2], axes[3], -axes[3]])
    lines = [f"{name} {number}\t{name}" for name in ("color", "shape") for number in range(4)]
    padded = torch.cat([axes[:5], torch.zeros(1, 6, dtype=torch.float64)])[None]
    return LabelingSetting(parse("\n".join(lines), name="tiny"), text, padded, torch.tensor([5]))


def test_noise_has_the_stated_eigenvalues_along_random_directions(tiny):
    first, second = synthetic_heads.make(tiny, 2, signal=0.0, seed=0).covariance

    expected = [torch.exp(torch.tensor(-number / 6)).item() for number in range(5)]
    for covariance in (first, second):
        assert covariance[5].tolist() == [0.0] * 6  # the padding
        eigenvalues = torch.linalg.eigvalsh(covariance[:5, :5]).flip(0).tolist()
        assert eigenvalues == pytest.approx(expected)
    assert (first - second).abs().max() > 0.1


def test_the_signal_is_the_covariance_of_one_propertys_texts(tiny):
    covariance = synthetic_heads.property_covariance(tiny, 0, 1)

    assert covariance.tolist() == torch.diag(torch.tensor([0.0, 0.0, 0.5, 0.5, 0.0])).tolist()


@pytest.mark.parametrize("signal", [0.5, 1.0, 2.0])
def test_signal_and_noise_have_the_requested_ratio_of_traces(tiny, signal):
    noise, planted = (synthetic_heads.make(tiny, 4, signal=ratio, seed=3) for ratio in (0.0, signal))

    added = planted.covariance[0].trace() - noise.covariance[0].trace()
    assert float(added / noise.covariance[0].trace()) == pytest.approx(signal)
    assert planted.property.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(("falling", "variances"), [(False, [0.5, 0.5]), (True, [2 / 3, 1 / 3])])
def test_a_mixed_head_varies_along_one_text_of_each_property(tiny, falling, variances):
    heads = synthetic_heads.mixed(tiny, 6, signal=float("inf"), falling=falling, seed=0)

    color, shape = heads.covariance[:, 0, 0] + heads.covariance[:, 1, 1], heads.covariance[:, 2:, 2:]
    rest = shape.diagonal(dim1=1, dim2=2).sum(1)
    total = color + rest
    assert torch.linalg.matrix_rank(heads.covariance).tolist() == [2] * 6
    for head, planted in enumerate(heads.property.tolist()):
        shares = [float(part[head] / total[head]) for part in (color, rest)]
        assert shares == pytest.approx(variances if planted == 0 else variances[::-1])


def test_mixed_heads_have_the_requested_ratio_of_traces(tiny):
    pure, noisy = (
        synthetic_heads.mixed(tiny, 3, signal=signal, falling=False, seed=1).covariance
        for signal in (float("inf"), 4.0)
    )

    traces = [part.diagonal(dim1=1, dim2=2).sum(1) for part in (pure, noisy - pure)]
    assert (traces[0] / traces[1]).tolist() == pytest.approx([4.0] * 3)


def test_heads_are_the_same_from_one_seed(tiny):
    first, same, other = (
        synthetic_heads.make(tiny, 3, signal=1.0, seed=seed).covariance for seed in (0, 0, 1)
    )

    assert first.equal(same) and not first.equal(other)


def test_synthetic_texts_have_unit_length_and_share_their_words_and_a_common_direction():
    texts = parse("a red car\tcolor\na red boat\tcolor\na blue tree\tcolor", name="three")

    setting = synthetic_heads.synthetic_setting(texts, heads=2, rank=8)

    assert setting.text.norm(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert setting.text[0] @ setting.text[1] > setting.text[0] @ setting.text[2] > 0.3
    product = setting.basis @ setting.basis.mT
    assert torch.allclose(product, torch.eye(8, dtype=torch.float64).expand(2, 8, 8), atol=1e-9)
