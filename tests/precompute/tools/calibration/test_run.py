"""Noise is called at the promised rate, and planted heads are found."""

import pytest
import torch

from precompute.tools.calibration import report as calibration_report
from precompute.tools.calibration import run as calibration
from precompute.tools.calibration import synthetic_heads

ROTATIONS = 59  # 3/60 is exactly .05


@pytest.fixture(scope="module")
def demo():
    return calibration.demo_setting()


def test_noise_in_demo_spaces_is_significant_at_five_per_cent(demo):
    """Of 200 heads 10 are expected; 20 are three standard deviations more."""
    heads = synthetic_heads.make(demo, 200, signal=0.0, seed=11)

    significant = calibration.label_heads(demo, heads, rotations=ROTATIONS).significant

    assert 1 <= int(significant.sum()) <= 20


def test_heads_planted_along_what_a_scene_looks_like_are_right_and_significant(demo):
    """Of 40 heads 35 are expected to be right, by the curve of 1,000 heads; 31 are two deviations less."""
    heads = synthetic_heads.make(demo, 190, signal=1.0, seed=12)
    of_scenes = [demo.pool.properties.index(name) for name in ("background", "color", "counting", "position")]
    chosen = torch.isin(heads.property, torch.tensor(of_scenes))
    heads = synthetic_heads.SyntheticHeads(*(values[chosen] for values in heads))

    result = calibration.label_heads(demo, heads, rotations=ROTATIONS)

    assert len(heads.space) == 40
    assert int(result.right.sum()) >= 31
    assert int((result.right & result.significant).sum()) >= 28


def test_heads_without_a_property_are_supported_less_often_than_their_leads_are_significant(demo):
    heads = synthetic_heads.mixed(demo, 60, signal=float("inf"), falling=True, seed=13)

    result = calibration.label_heads(demo, heads, rotations=ROTATIONS)

    assert int(result.significant.sum()) >= 20
    assert int(result.supported.sum()) <= int(result.significant.sum()) - 6


@pytest.mark.very_slow
@pytest.mark.slow
@pytest.mark.parametrize("pool", ["demo", "general"])
def test_a_thousand_heads_meet_every_target(pool):
    setting = calibration.demo_setting() if pool == "demo" else calibration.general_setting()

    figures = calibration.measure(pool, setting, count=1000, few=96, workers=2)

    assert [target for target in calibration_report.targets(figures) if not target.met] == []
