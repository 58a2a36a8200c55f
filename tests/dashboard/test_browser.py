"""One walk through all pages in a real browser; its screenshots stay in build/screenshots to be looked at."""

import io
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dashboard.analyses import maps
from dashboard.images import DIVERGING
from db import citation
from tests.support import bundles, pages, strangers
from tests.support.paths import ROOT

SCREENSHOTS = ROOT / "build" / "screenshots"
PAGES = [
    "Start",
    "Leaderboard",
    "Heads",
    "Head",
    "Which head reads this?",
    "Property search",
    "Topic segmentation",
    "Contrastive segmentation",
    "Image neighbors",
    "Text neighbors",
    "Mean-ablation",
    "Validation",
]

STATES = [
    "?bundle=[Sign in again](http://b.org)&zoom=![x](http://b.org/x.png)",
    "heads?color=ccs",
    "validation?section=maps",
]
ADDRESSES = """() => [...document.querySelectorAll("a, link, img, iframe, image")]
    .map(element => element.href?.baseVal ?? element.href ?? element.src)"""
"""Every address on a page."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium without a window; skips the test where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with api.sync_playwright() as playwright:
        started_browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started_browser
        started_browser.close()


@pytest.fixture(scope="module")
def browser():
    with chromium() as chromium_browser:
        yield chromium_browser


@pytest.fixture(scope="module")
def address(tiny_bundle):
    with served(tiny_bundle) as address:
        yield address


@pytest.fixture(scope="module")
def strange_address(tmp_path_factory):
    """Every string that other people write is an address, a picture or code."""
    with served(strangers.write_bundle(tmp_path_factory.mktemp("strange") / "tiny")) as address:
        yield address


@contextmanager
def served(bundle: Path) -> Iterator[str]:
    """The dashboard over a bundle as a user starts it."""
    with started(bundle) as (_, address, _):
        yield address


@contextmanager
def started(bundle: Path, base_path: str = "") -> Iterator[tuple[int, str, Path]]:
    """The dashboard over a bundle: process id, address, and the file of what it prints."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "dashboard", "--bundle", str(bundle), "--port", str(port)]
    command += ["--base-path", base_path] if base_path else []
    address = f"http://localhost:{port}/{base_path}".rstrip("/")
    with tempfile.NamedTemporaryFile() as printed:  # a pipe that nobody empties would hold the server
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=printed, stderr=printed)
        try:
            wait_for(server, address, Path(printed.name))
            yield server.pid, address, Path(printed.name)
        finally:
            server.terminate()
            server.wait(30)


def wait_for(server: subprocess.Popen, address: str, printed: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            pytest.fail(f"the dashboard ended: {printed.read_text()}")
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.25)
    pytest.fail("the dashboard did not answer within a minute")


def settle(page, pause: int = 400) -> None:
    """Wait until the script has run and what it drew is there; charts are drawn in the `pause` (ms)."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=60_000)
    page.wait_for_selector("h1", timeout=60_000)
    page.wait_for_timeout(pause)


@pytest.mark.slow
def test_no_page_asks_another_server_or_links_to_one(browser, strange_address):
    """Where every string that other people write is an address, a picture or code."""
    address, requests, addresses = strange_address, [], []
    page = browser.new_page(viewport={"width": 1400, "height": 3000})
    page.on("request", lambda request: requests.append(request.url))
    for path in ["", *pages.PAGES[1:], *STATES]:
        page.goto(f"{address}/{path}")
        settle(page, pause=0)
        if path != "collection":  # has no numbers
            page.get_by_text("Data and SQL").evaluate("title => title.click()")
            page.get_by_test_id("stCode").first.wait_for()
            settle(page)
        point_at_charts(page)
        assert page.get_by_test_id("stException").count() == 0
        addresses += page.evaluate(ADDRESSES)
        assert page.get_by_label("Download as CSV").filter(visible=True).count() == 0
    page.close()

    assert foreign(set(requests), address) == []
    assert foreign(set(addresses), address) == [citation.PAPER]
    assert any(url.startswith("data:image/svg") for url in addresses), "the icon of the tab"


def foreign(urls: set[str], address: str) -> list[str]:
    """Returns the addresses of other servers."""
    own = (address, address.replace("http", "ws"), "data:", "blob:")
    return [url for url in urls if not url.startswith(own)]


def point_at_charts(page) -> None:
    """Show a tooltip of every chart: the mouse moves over its middle."""
    for chart in page.get_by_test_id("stVegaLiteChart").all():
        chart.locator("canvas, svg").first.wait_for()
        box = chart.bounding_box()
        for part in (0.3, 0.5, 0.7):
            page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
            page.wait_for_timeout(60)


@pytest.mark.slow
def test_a_gallery_has_one_tab_stop_a_picture_and_its_words_are_text(browser, strange_address):
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{strange_address}/image_neighbors?k=4")
    settle(page)
    tiles = page.locator(".gallery > *")

    assert tiles.count() == page.locator(".gallery img").count() == 4
    tags = page.locator(".gallery *").evaluate_all("all => [...new Set(all.map(part => part.tagName))]")
    assert sorted(tags) == ["A", "B", "IMG", "SMALL", "SPAN"], "no words became elements"
    assert all(strangers.WORDS in tile.get_attribute("title") for tile in tiles.all())
    tiles.first.focus()
    for place in range(1, 4):
        page.keyboard.press("Tab")
        assert tiles.nth(place).evaluate("tile => tile === document.activeElement")
    page.close()


@pytest.mark.slow
def test_a_picture_opens_its_neighbors_in_the_same_tab(browser, address):
    """By a click and by the key Enter, without loading the app again; its address opens the same view."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.goto(f"{address}/text_neighbors?head=L2.H0&k=3")
    settle(page)
    page.evaluate("window.kept = true")
    tile = page.locator(".gallery a").nth(1)
    href = tile.evaluate("link => link.href")
    tile.click()
    page.locator("h1", has_text="Image neighbors").wait_for(timeout=60_000)
    settle(page)
    assert page.url == href

    page.locator(".gallery a").nth(2).focus()
    href = page.locator(".gallery a").nth(2).evaluate("link => link.href")
    page.keyboard.press("Enter")
    page.wait_for_url(href, timeout=60_000)
    settle(page)
    assert page.evaluate("window.kept")
    page.go_back()
    page.go_back()
    page.locator("h1", has_text="Text neighbors").wait_for(timeout=60_000)
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("head/L2.H0", "There is no page “L2.H0”"),
        ("a/b/heads/", "Compare the attention heads"),
        ("head/%3Cb%3E", "There is no page “<b>”"),
        ("static/x/nothing", "There is no page “nothing”"),
    ],
)
def test_an_address_below_a_page_is_answered(browser, address, path, answer):
    """It stayed blank: its scripts were looked for below the page, too."""
    page = browser.new_page()
    page.goto(f"{address}/{path}")
    page.get_by_text(answer).wait_for(timeout=60_000)
    page.close()


@pytest.mark.slow
def test_a_walk_through_all_pages(browser, address):
    """Every page is drawn without an error, follows its controls, and reopens from its address."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page, requests = browser.new_page(viewport={"width": 1400, "height": 1000}), set()
    page.on("request", lambda request: requests.add(request.url))
    page.goto(address)
    for title in PAGES:
        page.get_by_test_id("stSidebarNav").get_by_text(title, exact=True).click()
        # The whole title: Heads begins like Head.
        heading = "Headlight" if title == PAGES[0] else title
        page.locator("h1", has_text=re.compile(f"^{re.escape(heading)}$")).wait_for(timeout=60_000)
        settle(page)
        name = re.sub("[^a-z]+", "_", title.lower()).strip("_")
        page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

        assert page.get_by_test_id("stException").count() == 0
        assert page.get_by_test_id("stAlert").count() == 0
        assert f"model={bundles.MODEL_KEY}" in page.url

    page.get_by_test_id("stSidebarNav").get_by_text("Text neighbors", exact=True).click()
    page.wait_for_selector('h1:has-text("Text neighbors")', timeout=60_000)
    page.get_by_text("Dot product, as in the paper").click()
    page.wait_for_url(re.compile("by=dot"))
    page.reload()
    settle(page)
    assert "by=dot" in page.url
    assert foreign(requests, address) == []
    assert 'aria-checked="true"' in page.get_by_role("radio", name="Dot product").evaluate("b => b.outerHTML")
    page.close()


@pytest.mark.slow
def test_below_a_path_every_page_is_drawn_and_every_link_stays_below_it(browser, tiny_bundle):
    with started(tiny_bundle, "lab/clip") as (_, below, _):
        page, asked = browser.new_page(viewport={"width": 1400, "height": 1000}), set()
        page.on("request", lambda request: asked.add(request.url))
        for name in pages.PAGES:
            page.goto(f"{below}/{name}")
            settle(page, pause=0)
            assert page.get_by_test_id("stException").count() == 0
            links = page.evaluate("() => [...document.querySelectorAll('a')].map(link => link.href)")
            assert {link for link in links if link and not link.startswith(below)} <= {citation.PAPER}
        page.get_by_test_id("stSidebarNav").get_by_text("Heads", exact=True).click()
        page.wait_for_url(f"{below}/heads?**")
        page.goto(f"{below}/head/L2.H0")
        settle(page)
        assert page.url.startswith(f"{below}/")
        page.close()

    assert [url for url in asked if not url.startswith((below, "data:", "blob:"))] == []


def test_a_map_on_the_screen_is_neither_inverted_nor_transposed(browser, address):
    """The colors of the pixels against the signs of the numbers, with a scale so small that all saturate."""
    image, text = bundles.GALLERY[0], "a circle"
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    look = "opacity=100&scale=0.001&control=none&heads=all"
    page.goto(f"{address}/topic_segmentation?image={image}&text={text}&{look}")
    settle(page)
    chart = page.get_by_test_id("stVegaLiteChart").nth(1)  # the first is the picture alone
    chart.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    pixels = np.asarray(Image.open(io.BytesIO(chart.screenshot())).convert("RGB"))
    page.close()

    row = bundles.IMAGE_IDS.index(image)
    vector = bundles.text_embeddings()[list(bundles.TEXTS).index(text)]
    shown = np.ones(len(bundles.PAIRS), bool)
    tokens, rest = bundles.tokens()[row], bundles.rests()[row]
    expected = maps.text_map(tokens, bundles.spaces().basis, rest, vector, shown, bundles.GRID).grid > 0

    seen = colored(pixels, DIVERGING[-1])
    either = seen | colored(pixels, DIVERGING[0])
    rows, columns = np.flatnonzero(either.sum(axis=1) > 200), np.flatnonzero(either.sum(axis=0) > 200)
    square = seen[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = square.shape
    assert height == pytest.approx(width, abs=3)
    found = [[square[height * (1 + 2 * r) // 4, width * (1 + 2 * c) // 4] for c in (0, 1)] for r in (0, 1)]
    assert found == expected.tolist()
    assert found == [[False, False], [True, False]], (
        "told apart from its transpose, its flips and its inverse"
    )


@pytest.mark.slow
def test_a_bundle_is_replaced_and_removed_under_an_open_page(browser, tmp_path):
    """Each click is answered: by the new bundle and a word about it, or by the reason why there is none."""
    bundle = bundles.write_bundle(tmp_path / "tiny")
    with served(bundle) as address:
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.goto(address)
        settle(page)
        bundles.write_bundle(bundle, replace=True, scale=0.5)
        go_to(page, "Image neighbors")
        replaced = page.get_by_text("This bundle was replaced while the page was open")
        replaced.wait_for(timeout=60_000)
        page.locator("h1", has_text="Image neighbors").wait_for(timeout=60_000)

        shutil.rmtree(bundle)
        go_to(page, "Heads")
        message = page.get_by_test_id("stAlert").filter(has_text="no bundle at")
        message.wait_for(timeout=60_000)
        header = page.get_by_test_id("stHeader").bounding_box()
        assert message.bounding_box()["y"] >= header["y"] + header["height"]
        assert page.locator("h1").count() == 0

        bundles.write_bundle(bundle)
        go_to(page, "Head")
        page.locator("h1", has_text=re.compile("^Head$")).wait_for(timeout=60_000)
        settle(page)
        assert replaced.count() == page.get_by_test_id("stAlert").count() == 1
        assert page.get_by_test_id("stException").count() == 0
        page.close()


def go_to(page, title: str) -> None:
    page.get_by_test_id("stSidebarNav").get_by_text(title, exact=True).click()


def colored(pixels: np.ndarray, color: str) -> np.ndarray:
    """Which pixels have a color, within rounding."""
    wanted = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return (np.abs(pixels.astype(int) - wanted) <= 2).all(axis=-1)


CLICKS = 9
MAX_SECONDS = 0.3
"""Processor time of the server for one click; on a free machine nearly the time that it takes."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processor time from /proc")
def test_a_click_costs_the_server_as_little_after_the_first_typed_text(browser, small_bundle):
    """With torch loaded Streamlit's garbage collection took 0.3 s after each click of every visitor."""
    with started(small_bundle) as (server, address, _):
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        before = seconds_of_clicks(page, server, address, "ArrowRight")
        page.goto(f"{address}/text_neighbors?text=two red stars")
        settle(page)
        assert "libtorch" in Path(f"/proc/{server}/maps").read_text()
        after = seconds_of_clicks(page, server, address, "ArrowLeft")
        page.close()

    assert before < MAX_SECONDS and after < MAX_SECONDS, (before, after)
    assert after < 1.5 * before + 0.03, (before, after)


def seconds_of_clicks(page, server: int, address: str, key: str) -> float:
    """Median processor time of the server for one step of a slider, each with other neighbors."""
    k = 5 if key == "ArrowRight" else 5 + 2 * CLICKS
    page.goto(f"{address}/image_neighbors?k={k}")
    settle(page)
    page.get_by_role("slider").focus()
    seconds = []
    for _ in range(CLICKS):
        k += 1 if key == "ArrowRight" else -1
        start = processor_seconds(server)
        page.keyboard.press(key)
        page.wait_for_url(re.compile(rf"[?&]k={k}\b"))
        settle(page)
        seconds.append(processor_seconds(server) - start)
    return float(np.median(seconds))


def processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
