"""The calibration page has every figure and names what is missed."""

import re

from precompute.tools.calibration import report as calibration_report
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "calibration.md"


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
