"""Charts in a real browser after clicks: every one is drawn as in a fresh load of the same link."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from dashboard.charts.theme import DARK_TEXT, LIGHT_TEXT
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

PATIENCE = 100
"""Looks at charts until they have taken their data, one every 50 ms."""

TEXT = "text=a circle"
PAGES = [
    "leaderboard",
    "heads",
    "head",
    f"topic_segmentation?{TEXT}",
    f"contrastive_segmentation?{TEXT}&against=a square",
    "mean_ablation",
    "validation",
    "validation?section=heads",
    "sql?query=select layer, head, importance from head&plot=bars|head|importance|layer",
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(write_two_models(tmp_path_factory.mktemp("charts") / "tiny")) as address:
        yield address


def charts(page) -> list[list[str]]:
    """Returns the marks, lines and words of every chart with their places, sorted; none of an undrawn page.

    Vega keeps the order in which grid lines were added, which nobody sees.
    """
    drawn = page.eval_on_selector_all("[data-testid=stVegaLiteChart] svg", CHARTS)
    if len(drawn) < page.get_by_test_id("stVegaLiteChart").count():
        return []
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

    clicks = [
        lambda place=place: rows.nth(place).evaluate("button => button.click()")
        for place in range(rows.count())
    ]
    return clicks + [lambda place=place: next_option(place) for place in range(pickers.count())]


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: re.sub(r"\W+", "-", path))
def test_charts_after_clicks_are_those_of_a_fresh_load(browser, address, path):
    context, faults, drawn = browser.new_context(viewport={"width": 1400, "height": 1000}), [], 0
    page, other = context.new_page(), context.new_page()
    page.goto(f"{address}/{path}")
    settle(page)
    page.get_by_test_id("stVegaLiteChart").first.wait_for(timeout=60_000)  # controls stand above it
    for place in range(len(changes(page))):
        if place >= len(left := changes(page)):  # a click took controls away
            break
        left[place]()
        page.wait_for_timeout(300)
        settle(page, pause=0)
        other.goto(page.url)
        settle(other, pause=0)
        for _ in range(PATIENCE):
            if (found := charts(other)) and found == charts(page):
                break
            page.wait_for_timeout(50)
        else:
            if found or charts(page):  # a page may be asked to show no chart
                faults.append(f"click {place}: {page.url}")
        drawn += len(found)
    context.close()
    assert not faults
    assert drawn, "there are charts to compare"


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_link_is_copied_and_charts_are_saved_on_white(browser, address, tmp_path, theme):
    """As SVG, and as PNG with twice the pixels; words are dark on both, whatever the theme of the page."""
    permissions = ["clipboard-read", "clipboard-write"]
    context = browser.new_context(permissions=permissions, color_scheme=theme)
    page = context.new_page()
    page.goto(f"{address}/heads?color=ccs")
    settle(page)

    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url

    for kind in ("svg", "png"):
        with page.expect_download() as download:
            page.get_by_role("button", name=kind.upper(), exact=True).click()
        assert download.value.suggested_filename == f"heads_1.{kind}"
        download.value.save_as(tmp_path / f"chart.{kind}")
    context.close()
    svg = ET.parse(tmp_path / "chart.svg").getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    words = {part.get("fill") for part in svg.iter("{http://www.w3.org/2000/svg}text")}
    assert DARK_TEXT in words and LIGHT_TEXT not in words
    fills = {part.get("fill", "") for part in svg.iter("{http://www.w3.org/2000/svg}path")}
    assert [fill for fill in fills if fill.startswith("url(#")], "the colors of the legend"
    picture = Image.open(tmp_path / "chart.png").convert("RGB")
    assert picture.size == (2 * int(svg.get("width")), 2 * int(svg.get("height")))
    shown = np.asarray(picture)
    assert (shown[[0, -1]] == 255).all() and (shown[:, [0, -1]] == 255).all()
    assert (shown.min(axis=2) < 128).any()


@pytest.mark.slow
def test_a_click_on_a_patch_shows_what_speaks_there_and_a_second_one_lets_it_go(browser, address):
    page = browser.new_page(viewport={"width": 1400, "height": 1400})
    page.goto(f"{address}/topic_segmentation?{TEXT}")
    settle(page, pause=2000)
    for chart, chosen in ((1, "patch=1%2C2"), (0, "patch=&")):  # in the map, then in the picture
        box = page.get_by_test_id("stVegaLiteChart").nth(chart).locator("svg").first.bounding_box()
        page.mouse.click(box["x"] + 0.75 * box["width"], box["y"] + 0.25 * box["width"])
        page.wait_for_url(lambda url, chosen=chosen: chosen in f"{url}&")
        settle(page, pause=2000)
        there = page.get_by_role("heading", name="Patch in row 1, column 2").count()
        assert there == ("1%2C2" in chosen)

    page.keyboard.press("j")
    page.wait_for_timeout(500)
    settle(page)
    assert "image=" in page.url
    page.close()
