"""Charts in a real browser after clicks: every one is drawn as in a fresh load of the same link."""

import re
from collections.abc import Callable

import pytest

from tests.dashboard.test_browser import browser, served, settle
from tests.support.pages import write_two_models

__all__ = ["browser"]

CHARTS = "svg => svg.map(chart => chart.outerHTML)"
NAMES = re.compile(r"(clip|gradient_)\d+")
"""Names that Vega counts up with every drawing."""

DECIMALS = re.compile(r"\d+\.\d+")
"""Places of marks; their last digits differ between two drawings."""

ELEMENT = re.compile("<[^/][^>]*>[^<]*")
"""An element with its attributes and words."""

PATIENCE = 5_000
"""Milliseconds until a chart has taken its data."""

TEXT = "text=a circle"
PAGES = [
    "",
    "heads",
    "head",
    f"topic_segmentation?{TEXT}",
    f"contrastive_segmentation?{TEXT}&against=a square",
    "mean_ablation",
    "validation",
    "validation?section=heads",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(write_two_models(tmp_path_factory.mktemp("charts") / "tiny")) as address:
        yield address


def charts(page) -> list[list[str]]:
    """Returns the marks, lines and words of every chart with their places, sorted.

    Vega keeps the order in which grid lines were added, which nobody sees.
    """
    drawn = page.eval_on_selector_all("[data-testid=stVegaLiteChart] svg", CHARTS)
    return [sorted(ELEMENT.findall(DECIMALS.sub(rounded, NAMES.sub(r"\1", svg)))) for svg in drawn]


def rounded(number: re.Match) -> str:
    return f"{float(number[0]):.3f}"


def changes(page) -> list[Callable[[], None]]:
    """Returns a click on every button of a row that is not chosen, and on the next option of every picker."""
    rows = page.locator("[data-testid=stMain] [data-testid=stButtonGroup] [role=radio]")
    pickers = page.locator("[data-testid=stSelectbox] input")

    def next_option(place: int) -> None:
        pickers.nth(place).click()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")

    clicks = [lambda place=place: rows.nth(place).click() for place in range(rows.count())]
    return clicks + [lambda place=place: next_option(place) for place in range(pickers.count())]


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: re.sub(r"\W+", "-", path) or "leaderboard")
def test_charts_after_clicks_are_those_of_a_fresh_load(browser, address, path):
    size = {"width": 1400, "height": 1000}
    page, other, faults, drawn = browser.new_page(viewport=size), browser.new_page(viewport=size), [], 0
    page.goto(f"{address}/{path}")
    settle(page)
    for place in range(len(changes(page))):
        if place >= len(left := changes(page)):  # a click took controls away
            break
        left[place]()
        page.wait_for_timeout(300)
        settle(page)
        other.goto(page.url)
        settle(other)
        waited = 0
        while charts(page) != charts(other) and waited < PATIENCE:
            page.wait_for_timeout(250)
            waited += 250
        drawn += len(charts(other))
        if charts(page) != charts(other):
            faults.append(f"click {place}: {page.url}")
    page.close()
    other.close()
    assert not faults
    assert drawn, "there are charts to compare"
