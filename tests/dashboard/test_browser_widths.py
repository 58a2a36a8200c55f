"""All pages in a real browser on a phone, a small and a large screen: what is wide, high and cut."""

import io
from collections import defaultdict

import pytest
from PIL import Image

from tests.dashboard.test_browser import browser, served, settle
from tests.support import pages
from tests.support.bundles import GALLERY
from tests.support.places import changed_copy

__all__ = ["browser"]

PHONE, SMALL, LARGE = WIDTHS = 390, 1024, 1440
HEIGHT = 900
GALLERIES = ["head", "property_search", "image_neighbors", "text_neighbors"]
NAMED = {
    "property": "property",
    "text_property": "property",
    "property_head": "property",
    "head_label": "label",
    "judgement": "label",
}
"""Tables with the name of a property, and their columns."""

MEASURE = """() => {
    const all = (selector, from = document) => [...from.querySelectorAll(selector)];
    const box = element => {
        const {left, top, width, height} = element.getBoundingClientRect();
        return {left, top, width, height};
    };
    const main = document.querySelector("[data-testid=stMain]");
    const written = element => element.value ?? element.textContent;
    const hasText = element => element.value
        || [...element.childNodes].some(node => node.nodeType == Node.TEXT_NODE && node.data.trim());
    const isCut = element => element.clientWidth > 1  // else words for screen readers
        && element.checkVisibility({contentVisibilityAuto: true})
        && getComputedStyle(element).overflowX != "visible"
        && element.scrollWidth > element.clientWidth + 1;
    return {
        sideways: [document.documentElement, main].map(part => part.scrollWidth - part.clientWidth),
        cut: all("button, input, p, span, label", main)
            .filter(element => (element.matches("button") || hasText(element)) && isCut(element))
            .map(written),
        outside: all("[data-testid=stButtonGroup] button", main)
            .filter(button => button.getBoundingClientRect().right > innerWidth).map(written),
        dots: all("[data-testid=stVegaLiteChart] svg text", main).map(written)
            .filter(word => word.endsWith("…")),
        plots: all("[data-testid=stVegaLiteChart] svg", main)
            .map(chart => box(chart.querySelector(".role-frame > g > path.background"))),
        galleries: all("[class*=st-key-gallery]", main)
            .map(gallery => all("img", gallery).map(box)).filter(images => images.length),
        tables: all(".dvn-scroller").map(table => [table.scrollWidth, table.clientWidth]),
        phones: all(".leaderboard table").filter(table => table.checkVisibility()).map(box),
        sidebars: all("[data-testid=stSidebar], [data-testid=stExpandSidebarButton]")
            .filter(element => element.checkVisibility()).length,
    };
}"""
"""Overflow of a page in pixels, words that are cut, and the boxes of plots and images."""


@pytest.fixture(scope="module")
def address(tiny_bundle, tmp_path_factory):
    """The tiny bundle with labels of some length and two images of another shape."""
    tall, wide = (png(size).hex() for size in ((50, 900), (96, 32)))
    out = tmp_path_factory.mktemp("widths") / "tiny"
    renamed = [
        f"update {table} set {column} = 'background' where {column} = 'color'"
        for table, column in NAMED.items()
    ]
    reshaped = [
        f"update image set thumbnail = unhex('{picture}') where image_id = '{image_id}'"
        for picture, image_id in zip((tall, wide), GALLERY[1:], strict=False)
    ]
    sql = "; ".join([*renamed, *reshaped])
    with served(changed_copy(tiny_bundle, out, sql)) as address:
        yield address


@pytest.fixture(scope="module")
def tabs(browser):
    """A tab of each width; together they fetch the scripts of the app once."""
    context = browser.new_context()
    opened = {width: context.new_page() for width in WIDTHS}
    for width, tab in opened.items():
        tab.set_viewport_size({"width": width, "height": HEIGHT})
    yield opened
    context.close()


@pytest.fixture(scope="module")
def shown(tabs, address):
    """What is measured of every page, by width and page; the three tabs load a page at once."""
    measured = defaultdict(dict)
    for name in pages.PAGES:
        for tab in tabs.values():
            tab.goto(f"{address}/{'' if name == pages.PAGES[0] else name}", wait_until="commit")
        for tab in tabs.values():
            settle(tab, pause=0)
        tab.wait_for_timeout(400)
        for width, tab in tabs.items():
            assert tab.get_by_test_id("stException").count() == 0
            measured[width][name] = tab.evaluate(MEASURE)
    return measured


def png(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "orange").save(out, "PNG")
    return out.getvalue()


def rows(images: list[dict[str, float]]) -> list[list[dict[str, float]]]:
    """Returns the images of a gallery row by row."""
    by_top = defaultdict(list)
    for image in images:
        by_top[round(image["top"])].append(image)
    return list(by_top.values())


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(shown, width):
    assert {name: page["sideways"] for name, page in shown[width].items() if max(page["sideways"]) > 0} == {}


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("words", ["cut", "outside", "dots"])
def test_no_words_of_controls_and_charts_are_cut(shown, width, words):
    assert {name: page[words] for name, page in shown[width].items() if page[words]} == {}


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("page", GALLERIES)
def test_galleries_have_rows_of_several_tiles_of_one_height(shown, width, page):
    assert shown[width][page]["galleries"]
    for images in shown[width][page]["galleries"]:
        assert len(rows(images)[0]) >= 2
        assert len({round(image["height"]) for image in images}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
def test_plots_and_maps_are_wide_enough_to_be_read(shown, width):
    assert min(plot["width"] for plot in shown[width]["leaderboard"]["plots"]) >= 250
    for page, maps in (("topic_segmentation", 3), ("contrastive_segmentation", 4)):
        assert min(plot["width"] for plot in shown[width][page]["plots"][:maps]) >= 200


@pytest.mark.slow
def test_a_row_of_the_leaderboard_fits_a_large_screen_and_a_phone_has_a_table_a_model(shown):
    row, box = shown[LARGE]["leaderboard"]["tables"][0]
    assert row == box > 900, "no part of a row is beyond its box"
    assert shown[LARGE]["leaderboard"]["phones"] == shown[SMALL]["leaderboard"]["phones"] == []

    phones = shown[PHONE]["leaderboard"]["phones"]
    assert phones and all(table["left"] >= 0 for table in phones)
    assert max(table["left"] + table["width"] for table in phones) <= PHONE


@pytest.mark.slow
def test_results_begin_on_the_first_screen(shown):
    large = shown[LARGE]
    assert large["topic_segmentation"]["plots"][0]["top"] < HEIGHT
    assert large["head"]["galleries"][0][0]["top"] < HEIGHT


@pytest.mark.slow
@pytest.mark.parametrize("width", [PHONE, LARGE])
def test_a_tall_image_leaves_room_for_the_results(tabs, address, width):
    """An upload is drawn as an image of the bundle is."""
    page = tabs[width]
    page.goto(f"{address}/property_search?image={GALLERY[1]}")
    settle(page)
    [picture] = page.locator("[class*=st-key-picture] img").all()
    assert picture.evaluate("image => image.naturalHeight / image.naturalWidth") == 18
    assert 100 < picture.bounding_box()["height"] <= 200


@pytest.mark.slow
def test_a_page_inside_another_page_has_no_sidebar(tabs, address, shown):
    assert [page["sidebars"] for page in shown[LARGE].values()] == [1] * len(pages.PAGES)
    for width in (PHONE, LARGE):
        tabs[width].goto(f"{address}/heads?embed=true")
        settle(tabs[width])
        assert tabs[width].evaluate(MEASURE)["sidebars"] == 0


@pytest.mark.slow
def test_long_labels_are_broken_in_two_rather_than_cut(tabs, small_bundle, tmp_path):
    """Eight heads leave 62 pixels for "architectural detail?" on a small screen."""
    sql = "; ".join(
        f"update {table} set {column} = 'architectural detail'"
        + (" where property = 'color'" if table in ("property", "text_property") else "")
        for table, column in NAMED.items()
    )
    page = tabs[SMALL]
    with served(changed_copy(small_bundle, tmp_path / "small", sql)) as address:
        for color in ("label", "ccs"):
            page.goto(f"{address}/heads?color={color}")
            settle(page)
            words = page.locator("[data-testid=stVegaLiteChart] svg .mark-text text").all_text_contents()
            assert [word for word in words if word.startswith("architectu-ral")]
            assert [word for word in words if "…" in word] == []


@pytest.mark.slow
def test_numbers_in_narrow_cells_are_whole(browser, small_bundle):
    """A cut number would be another one. Eight heads leave 27 pixels each on a page of 300."""
    context = browser.new_context(viewport={"width": LARGE, "height": HEIGHT})
    page = context.new_page()
    with served(small_bundle) as address:
        page.goto(f"{address}/heads?color=importance")
        drawn = {}
        for width in (LARGE, 300):
            page.set_viewport_size({"width": width, "height": HEIGHT})
            settle(page, pause=800)
            words = page.locator("[data-testid=stVegaLiteChart] svg .mark-text text").all_text_contents()
            drawn[width] = [word for word in words if word[:1].isdigit() and "." in word]
    context.close()
    assert drawn[300] == drawn[LARGE] != []
