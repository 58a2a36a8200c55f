"""The calibration page has every figure and names what is missed."""

import re

from precompute.tools.calibration import report as calibration_report
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "calibration.md"


def figures(**changes):
    by_property = {"color": (0.95, 0.9), "shape": (0.85, 0.7)}
    curve = [calibration_report.Curve(1.0, 200, 0.9, 0.8, 0.7, by_property)]
    return calibration_report.Figures("general", 810, [11], 300, 0.051, curve)._replace(**changes)


def test_the_section_of_a_pool_has_every_figure_and_marks_missed_targets():
    section = calibration_report.pool_section(figures(supported=0.08))

    assert "| noise, supported | 300 | 0.080 | at most 0.07 | no |" in section
    assert "| planted, right | 200 | 0.900 | at least 0.85 | yes |" in section
    assert "| 1 | 200 | 0.900 | 0.800 | 0.700 |" in section
    assert "| shape | 0.85 / 0.70 |" in section


def test_planted_heads_of_the_demo_pool_have_no_target():
    section = calibration_report.pool_section(figures(pool="demo"))

    assert "| noise, supported | 300 | 0.051 | at most 0.07 | yes |" in section
    assert "planted, right |" not in section
    assert "| 1 | 200 | 0.900 | 0.800 | 0.700 |" in section


def test_the_other_sections_have_their_figures():
    scatter = calibration_report.scatter_section(calibration_report.Scatter(1000, [0.04, 0.05, 0.06]))
    mixed = calibration_report.mixed_section(
        [calibration_report.MixedHeads("demo", float("inf"), True, 100, 0.4, 0.22)]
    )

    assert "0.040, 0.050, 0.060. Mean 0.0500, standard deviation 0.0100" in " ".join(scatter.split())
    assert "| demo | no noise | falling | 100 | 0.400 | 0.220 |" in mixed


def test_one_section_is_replaced_and_the_others_stay():
    page = calibration_report.replace_section("", "rotations", "Old.\n")
    page = calibration_report.replace_section(page, "demo", "First.\n\n| a |\n")

    page = calibration_report.replace_section(page, "rotations", "New.\n")

    assert page == (
        f"{calibration_report.HEAD}\n## Pool demo\n\nFirst.\n\n| a |\n\n## Rotations are shared\n\nNew.\n"
    )


def test_the_shipped_page_has_every_section_and_misses_no_target():
    page = PAGE.read_text()

    assert page.startswith(calibration_report.HEAD)
    assert re.findall(r"^## (.*)$", page, re.M) == list(calibration_report.HEADINGS.values())
    rows = re.findall(r"^\| (?:noise|planted), .* \| ([\d,]+) \| .* \| (yes|no) \|$", page, re.M)
    assert [met for _, met in rows] == ["yes"] * 5
