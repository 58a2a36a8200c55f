"""A report opened from disk in Chromium: it searches, its links work, and nothing leaves the machine."""

import pytest

from tests.dashboard.test_browser import chromium
from tests.support.bundles import LABELS, MODEL_KEY, PAIRS

pytestmark = pytest.mark.slow

CONTRAST = """() => {
  const channel = (value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const [r, g, b] = parts(color).map((part) => channel(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const under = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if ((parts(color)[3] ?? 1) > 0) return color;
    }
    return getComputedStyle(document.documentElement).colorScheme ? "rgb(255, 255, 255)" : "";
  };
  const words = [...document.querySelectorAll("body *")].filter((element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
    && !["SCRIPT", "TITLE", "NOSCRIPT"].includes(element.tagName.toUpperCase())
    && element.getClientRects().length);
  return words.map((element) => {
    const style = getComputedStyle(element);
    const ink = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(ink), light(under(element))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), element.tagName, element.textContent.trim().slice(0, 30)];
  }).filter(([ratio]) => ratio < 4.5);
}"""
"""Words with a contrast below 4.5 to what is behind them."""


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture
def visit(browser):
    """Opens pages of a report; fails if one asks the network, or its console has an error."""
    contexts, faults = [], []

    def start(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda request: faults.extend([request.url] * (not request.url.startswith(("file:", "data:")))),
        )
        return page

    yield start
    for context in contexts:
        context.close()
    assert faults == []


def test_the_search_finds_labels_texts_and_heads_and_its_links_open(tiny_report, visit):
    page = visit()
    page.goto((tiny_report / "index.html").as_uri())
    (layer, head), label = next(iter(LABELS.items()))

    for words in (label, f"L{layer}.H{head}", f"l{layer}h{head}", "a circle"):
        page.get_by_role("searchbox").fill(words)
        assert page.locator("#hits a").count() >= 1, words
    page.get_by_role("searchbox").fill("no such words")
    assert page.locator("#found").inner_text() == "No head has these words."
    page.goto((tiny_report / "index.html").as_uri() + f"#find={label}")
    page.reload()
    assert page.get_by_role("searchbox").input_value() == label
    page.locator("#hits a").first.click()
    assert label in page.get_by_role("heading", level=1).inner_text()


def test_from_the_first_page_to_the_last_head_by_links_alone(tiny_report, visit):
    page = visit()
    page.goto((tiny_report / "index.html").as_uri())
    page.locator(f'a[href="models/{MODEL_KEY}/index.html"]').first.click()
    page.locator("table.grid a").last.click()
    while page.locator("a[rel=prev]").count():
        page.locator("a[rel=prev]").click()
    seen = [page.get_by_role("heading", level=1).inner_text()]
    while page.locator("a[rel=next]").count():
        page.locator("a[rel=next]").click()
        seen.append(page.get_by_role("heading", level=1).inner_text())

    assert [words.split(" ")[0] for words in seen] == [f"L{layer}.H{head}" for layer, head in PAIRS]
    assert page.evaluate("[...document.images].every(image => image.complete && image.naturalWidth)")


@pytest.mark.parametrize("report", ["tiny_report", "strange_report"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_kind_of_page_fits_and_is_readable(report, scheme, width, request, visit):
    folder = request.getfixturevalue(report)
    page = visit(viewport={"width": width, "height": 900}, color_scheme=scheme)
    model = sorted((folder / "models").iterdir())[0]
    layer, head = PAIRS[0]
    for file in (folder / "index.html", model / "index.html", model / "heads" / f"L{layer}H{head}.html"):
        page.goto(file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, file
        assert page.evaluate(CONTRAST) == [], file


def test_a_page_prints_on_white_with_its_pictures(tiny_report, visit):
    page = visit(color_scheme="dark")
    layer, head = PAIRS[0]
    page.goto((tiny_report / "models" / MODEL_KEY / "heads" / f"L{layer}H{head}.html").as_uri())
    page.emulate_media(media="print", color_scheme="dark")

    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(CONTRAST) == []
    assert len(page.pdf(format="A4", print_background=True)) > 10_000
