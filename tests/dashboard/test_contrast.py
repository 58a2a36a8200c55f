"""Words against what lies behind them, in both themes: a contrast of at least 4.5, as WCAG asks."""

import tomllib

import numpy as np
import pytest

from dashboard.charts import theme, validation
from dashboard.images import DIVERGING, shades
from tests.support.paths import ROOT

CONFIG = tomllib.loads((ROOT / "dashboard" / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
CAPTION = 0.6
"""Share of the color of text in captions; the rest is the background. Streamlit's `fadedText60`."""


def rgb(color):
    return np.array([int(color[start : start + 2], 16) for start in (1, 3, 5)], float)


def contrast(first, second):
    darker, lighter = sorted(float(theme.luminance(color)) for color in (first, second))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["light", "dark"])
@pytest.mark.parametrize("part", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_and_captions_are_readable_on_a_page_and_in_the_sidebar(name, part):
    colors = CONFIG["theme"][name]
    behind, text = rgb(colors[part]), rgb(colors["textColor"])

    assert contrast(text, behind) >= 7
    assert contrast(CAPTION * text + (1 - CAPTION) * behind, behind) >= 4.5
    assert contrast(rgb(colors["primaryColor"]), behind) >= 4.5


@pytest.mark.parametrize(("name", "words"), [("light", theme.DARK_TEXT), ("dark", theme.LIGHT_TEXT)])
def test_axes_and_titles_of_charts_are_readable(name, words):
    assert contrast(rgb(words), rgb(CONFIG["theme"][name]["backgroundColor"])) >= 4.5


@pytest.mark.parametrize(
    "color", [*theme.LABEL_COLORS, theme.WEAK, *(c for c, _ in validation.VERDICTS.values())]
)
def test_words_in_light_cells_are_readable(color):
    assert contrast(rgb(theme.INK), rgb(color)) >= 4.5


@pytest.mark.parametrize("stops", [(theme.PALE, theme.DARK), DIVERGING], ids=["unsigned", "signed"])
def test_numbers_in_colored_cells_are_readable_at_every_value(stops):
    colors = shades(np.linspace(0, 1, 101), stops)
    inks = {"white": np.full(3, 255.0), "black": np.zeros(3)}

    assert (
        min(contrast(inks[ink], color) for ink, color in zip(theme.ink_on(colors), colors, strict=True))
        >= 4.5
    )


@pytest.mark.parametrize("color", [theme.BLUE, theme.PURPLE, theme.GRAY, *validation.LINES])
def test_no_mark_vanishes_on_either_page(color):
    """A line of "#444444" did, on a dark page; marks need less contrast than words."""
    pages = [rgb(CONFIG["theme"][name]["backgroundColor"]) for name in ("light", "dark")]

    assert min(contrast(rgb(color), page) for page in pages) >= 2
