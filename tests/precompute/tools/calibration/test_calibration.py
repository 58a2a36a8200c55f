"""Noise is called at the promised rate, planted heads are found, and the page says what was measured."""

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
    made = synthetic_heads.make(tiny, 2, signal=0.0, seed=0)

    one, other = made.covariance
    expected = [torch.exp(torch.tensor(-number / 6)).item() for number in range(5)]
    for covariance in (one, other):
        assert covariance[5].tolist() == [0.0] * 6  # the padding
        found = torch.linalg.eigvalsh(covariance[:5, :5]).flip(0).tolist()
        assert found == pytest.approx(expected)
    assert (one - other).abs().max() > 0.1


def test_the_signal_is_the_covariance_of_one_propertys_texts(tiny):
    found = synthetic_heads.property_covariance(tiny, 0, 1)

    assert found.tolist() == torch.diag(torch.tensor([0.0, 0.0, 0.5, 0.5, 0.0])).tolist()


@pytest.mark.parametrize("signal", [0.5, 1.0, 2.0])
def test_signal_and_noise_have_the_asked_traces(tiny, signal):
    noise, planted = (synthetic_heads.make(tiny, 4, signal=of, seed=3) for of in (0.0, signal))

    added = planted.covariance[0].trace() - noise.covariance[0].trace()
    assert float(added / noise.covariance[0].trace()) == pytest.approx(signal)
    assert planted.property.tolist() == [0, 1, 0, 1]


def test_heads_are_the_same_from_one_seed(tiny):
    one, same, other = (synthetic_heads.make(tiny, 3, signal=1.0, seed=seed).covariance for seed in (0, 0, 1))

    assert one.equal(same) and not one.equal(other)


def test_the_stand_in_gives_unit_texts_that_share_their_words_and_a_common_direction():
    texts = parse("a red car\tcolor\na red boat\tcolor\na blue tree\tcolor", name="three")

    setting = synthetic_heads.stand_in(texts, heads=2, rank=8)

    assert setting.text.norm(dim=1).tolist() == pytest.approx([1.0] * 3)
    assert setting.text[0] @ setting.text[1] > setting.text[0] @ setting.text[2] > 0.3
    product = setting.basis @ setting.basis.mT
    assert torch.allclose(product, torch.eye(8, dtype=torch.float64).expand(2, 8, 8), atol=1e-9)


def test_noise_in_demo_spaces_is_called_at_five_per_cent(demo):
    """200 heads: 10 expected, 20 are three standard deviations more."""
    made = synthetic_heads.make(demo, 200, signal=0.0, seed=11)

    called = calibration.label_heads(demo, made, rotations=ROTATIONS).significant

    assert 1 <= int(called.sum()) <= 20


def test_planted_heads_in_demo_spaces_are_named_and_called(demo):
    """Of 1,000 at least .85 are to be right and .75 called besides; 100 may miss that by two deviations."""
    made = synthetic_heads.make(demo, 100, signal=1.0, seed=12)

    found = calibration.label_heads(demo, made, rotations=ROTATIONS)

    assert int(found.right.sum()) >= 78
    assert int((found.right & found.significant).sum()) >= 66


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["demo", "general"])
def test_a_thousand_heads_meet_every_target(pool):
    setting = calibration.demo_setting() if pool == "demo" else calibration.general_setting()

    figures = calibration.measure(pool, setting, count=1000, few=96, workers=2)

    assert [target for target in calibration_report.targets(figures) if not target.met] == []


def figures(**changes):
    each = {"color": (0.95, 0.9), "shape": (0.85, 0.7)}
    curve = [calibration_report.Curve(1.0, 200, 0.9, 0.8, each)]
    given = calibration_report.Figures("demo", 810, [11], 300, 0.051, curve)
    return given._replace(**changes)


def test_the_page_has_every_figure_and_names_what_is_missed():
    scattered = calibration_report.Scatter(1000, [0.04, 0.05, 0.06])

    page = calibration_report.report([figures(significant=0.08)], scattered)

    assert "| demo | noise called | 300 | 0.080 | at most 0.07 | **no** |" in page
    assert "| demo | planted, right | 200 | 0.900 | at least 0.85 | yes |" in page
    assert "| 1 | 200 | 0.900 | 0.800 |" in page
    assert "| shape | 0.85 / 0.70 |" in page
    assert "0.040, 0.050, 0.060 called. Mean 0.0500, standard deviation 0.0100" in " ".join(page.split())


def test_the_shipped_page_is_of_a_thousand_heads_and_misses_nothing():
    page = PAGE.read_text()

    assert page.startswith(calibration_report.HEAD)
    rows = re.findall(r"^\| (demo|general) \| .* \| (1,000) \| .* \| (yes|\*\*no\*\*) \|$", page, re.M)
    assert rows == [(pool, "1,000", "yes") for pool in ("demo", "general") for _ in range(3)]
