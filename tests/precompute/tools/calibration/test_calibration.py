"""Noise is significant at the nominal rate, planted heads are labeled right, and the page has the figures."""

import re

import pytest
import torch

from precompute.inputs.text_pool import parse
from precompute.tools.calibration import report as calibration_report
from precompute.tools.calibration import run as calibration
from precompute.tools.calibration import synthetic_heads
from precompute.tools.calibration.synthetic_heads import LabelingSetting
from tests.support.paths import ROOT

ROTATIONS = 59  # 3/60 is exactly .05
PAGE = ROOT / "docs" / "calibration.md"


@pytest.fixture(scope="module")
def demo():
    return calibration.demo_setting()


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


def test_noise_in_demo_spaces_is_significant_at_five_per_cent(demo):
    """Of 200 heads 10 are expected; 20 are three standard deviations more."""
    heads = synthetic_heads.make(demo, 200, signal=0.0, seed=11)

    significant = calibration.label_heads(demo, heads, rotations=ROTATIONS).significant

    assert 1 <= int(significant.sum()) <= 20


def test_planted_heads_in_demo_spaces_are_right_and_significant(demo):
    """The targets for 1,000 heads are .85 and .75; the bounds for 100 heads are two deviations lower."""
    heads = synthetic_heads.make(demo, 100, signal=1.0, seed=12)

    result = calibration.label_heads(demo, heads, rotations=ROTATIONS)

    assert int(result.right.sum()) >= 78
    assert int((result.right & result.significant).sum()) >= 66


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["demo", "general"])
def test_a_thousand_heads_meet_every_target(pool):
    setting = calibration.demo_setting() if pool == "demo" else calibration.general_setting()

    figures = calibration.measure(pool, setting, count=1000, few=96, workers=2)

    assert [target for target in calibration_report.targets(figures) if not target.met] == []


def figures(**changes):
    by_property = {"color": (0.95, 0.9), "shape": (0.85, 0.7)}
    curve = [calibration_report.Curve(1.0, 200, 0.9, 0.8, by_property)]
    return calibration_report.Figures("demo", 810, [11], 300, 0.051, curve)._replace(**changes)


def test_the_page_has_every_figure_and_marks_missed_targets():
    scatter = calibration_report.Scatter(1000, [0.04, 0.05, 0.06])

    page = calibration_report.report([figures(significant=0.08)], scatter)

    assert "| demo | noise, significant | 300 | 0.080 | at most 0.07 | **no** |" in page
    assert "| demo | planted, right | 200 | 0.900 | at least 0.85 | yes |" in page
    assert "| 1 | 200 | 0.900 | 0.800 |" in page
    assert "| shape | 0.85 / 0.70 |" in page
    assert "0.040, 0.050, 0.060. Mean 0.0500, standard deviation 0.0100" in " ".join(page.split())


def test_the_shipped_page_has_a_thousand_heads_and_misses_no_target():
    page = PAGE.read_text()

    assert page.startswith(calibration_report.HEAD)
    rows = re.findall(r"^\| (demo|general) \| .* \| (1,000) \| .* \| (yes|\*\*no\*\*) \|$", page, re.M)
    assert rows == [(pool, "1,000", "yes") for pool in ("demo", "general") for _ in range(3)]
